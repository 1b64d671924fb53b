/*
 * The owner's calls of RFC 9293 3.10: OPEN, SEND, RECEIVE, CLOSE, ABORT, STATUS. They
 * change the connection and put it on the ready list; what must be sent is sent
 * by the next transmit.
 */
#include "transport/tcp/autotune.h"
#include "transport/tcp/ecn.h"
#include "transport/tcp/records.h"

void tcp_backlog(const struct transport *t, struct tcp_listener *l, uint32_t backlog)
{
	l->backlog = backlog && backlog < t->config.backlog_max ? backlog : t->config.backlog_max;
}

enum error tcp_listen(struct transport *t, const struct addr *local, uint16_t port, uint32_t sock,
		      uint32_t backlog, bool v4_only, bool v6_only, struct tcp_listener **out)
{
	/* Connections are not asked: they keep what they have (MUST-41), and who has just opened
	 * one may listen on its port (MUST-42). */
	list_each(at, &t->listener_port[port % PORT_BUCKETS])
	{
		struct tcp_listener *other = list_entry(at, struct tcp_listener, link);
		if (other->port != port)
			continue;
		bool apart = addr_is_any(local) && addr_is_any(&other->local) &&
			     ((v4_only && other->v6_only) || (v6_only && other->v4_only));
		if (addr_equal(&other->local, local) && !apart)
			return ERR_IN_USE;
	}
	struct tcp_listener *l = pool_take(&t->listener_pool);
	if (!l)
		return ERR_TOO_MANY;
	uint32_t *accepted = l->accepted; /* belongs to the slot, set at init */
	uint16_t generation = l->generation;
	memset(l, 0, sizeof *l);
	l->accepted = accepted;
	l->generation = generation == UINT16_MAX ? 1 : (uint16_t)(generation + 1);
	l->used = true;
	l->local = *local;
	l->port = port;
	l->sock = sock;
	l->v4_only = v4_only;
	l->v6_only = v6_only;
	tcp_backlog(t, l, backlog);
	tcp_fast_open(t, l, t->options[sock].fast_open);
	list_push_back(&t->listener_port[port % PORT_BUCKETS], &l->link);
	*out = l;
	return ERR_OK;
}

void tcp_unlisten(struct transport *t, struct tcp_listener *l)
{
	struct tcp_conn *c;
	while ((c = tcp_accept(t, l, 0)))
		tcp_abort(t, c);
	embryo_forget_listener(t, pool_index(&t->listener_pool, l));
	list_remove(&l->link);
	l->used = false;
	pool_give(&t->listener_pool, l);
}

struct tcp_conn *tcp_accept(struct transport *t, struct tcp_listener *l, uint32_t sock)
{
	if (!l->waiting)
		return NULL;
	struct tcp_conn *c = pool_at(&t->conn_pool, l->accepted[l->head]);
	l->head = (l->head + 1) % t->config.backlog_max;
	l->waiting--;
	c->flags &= (uint16_t)~CONN_IN_BACKLOG;
	c->sock = sock;
	return c;
}

static uint8_t receive_shift(const struct transport *t, uint32_t sock)
{
	uint32_t buffer = t->options[sock].receive_buffer;
	if (!buffer)
		buffer = t->config.receive_buffer;
	return t->config.window_scaling ? tcp_window_shift(t, buffer) : 0;
}

enum error tcp_connect(struct transport *t, const struct addr *local, uint16_t local_port,
		       const struct addr *remote, uint16_t port, uint32_t sock, unsigned flags,
		       struct tcp_conn **out)
{
	struct tcp_tuple tuple = {
		.local = *local, .remote = *remote, .local_port = local_port, .remote_port = port
	};
	if (!port || addr_is_any(remote) || addr_is_multicast(remote))
		return ERR_ARGUMENT; /* MUST-46 */
	struct path path = { .neighbour = NEIGHBOUR_NO_INDEX };
	enum error e = transport_path(t, &path, remote);
	if (e != ERR_OK)
		return e;
	if (path.neighbour == NEIGHBOUR_NO_INDEX) /* a broadcast address (TCP-65) */
		return ERR_ARGUMENT;
	if (addr_is_any(local)) { /* MUST-44 */
		e = transport_source(t, remote, &tuple.local);
		if (e != ERR_OK)
			return e;
	} else if (!internet_is_ours(t->internet, local)) { /* MUST-43 */
		return ERR_NO_ADDRESS;
	}
	if (addr_is4(&tuple.local) != addr_is4(remote))
		return ERR_FAMILY;
	e = tcp_pick_port(t, &tuple);
	if (e != ERR_OK)
		return e;
	struct tcp_conn *c = conn_new(t, &tuple);
	if (!c)
		return ERR_TOO_MANY;
	if (!demux_add(&t->demux, demux_searched(&t->demux), DEMUX_CONN, c)) {
		pool_give(&t->conn_pool, c);
		return ERR_TOO_MANY;
	}
	struct tcp_secret_numbers n = tcp_secret_numbers(t, &tuple, t->now);
	c->path = path;
	c->sock = sock;
	c->tos = t->options[sock].tos;
	c->hop_limit = t->options[sock].hop_limit;
	c->flags = (uint16_t)(flags | CONN_IN_DEMUX | CONN_SYN_OWED);
	c->ecn = ecn_to_ask(ecn_use(t, sock));
	if (t->config.timestamps)
		c->flags |= CONN_TIMESTAMPS;
	if (t->config.sack)
		c->flags |= CONN_SACK;
	c->ts_offset = n.ts_offset;
	c->snd_una = n.isn;
	c->snd_nxt = c->snd_end = n.isn + 1;
	c->rcv_wscale = receive_shift(t, sock);
	c->heard = (uint32_t)(t->now / NANO_US);
	conn_set_peer_mss(t, c, 0);
	conn_update_mss(c);
	conn_set_state(t, c, TCP_SYN_SENT);
	*out = c;
	if (t->options[sock].fast_open && !fast_syn_begin(t, c))
		return ERR_OK;
	conn_arm(t, c, t->now + t->config.rto_initial);
	conn_make_ready(t, c);
	return ERR_OK;
}

size_t tcp_readable(const struct tcp_conn *c)
{
	if (!c->flight)
		return 0;
	return c->rcv_nxt - c->flight->rx.low - !!(c->flags & CONN_FIN_RECEIVED);
}

size_t tcp_room(const struct transport *t, const struct tcp_conn *c)
{
	bool open = c->state == TCP_ESTABLISHED || c->state == TCP_CLOSE_WAIT ||
		    (c->state == TCP_SYN_RECEIVED && c->fast_open);
	if (c->flags & CONN_FIN_QUEUED || !open)
		return fast_syn_waits(c) ? fast_syn_room(t, c) : 0;
	const struct endpoint_options *o = &t->options[c->sock];
	if (o->unsent_mark && c->snd_end - c->snd_nxt >= o->unsent_mark)
		return 0;
	uint32_t limit;
	if (c->flight)
		limit = records_full(c->flight) ? 0 : c->flight->send_buffer;
	else
		limit = o->send_buffer ? o->send_buffer : t->config.send_buffer;
	uint32_t queued = c->snd_end - c->snd_una;
	return limit > queued ? limit - queued : 0;
}

enum error tcp_error(const struct tcp_conn *c)
{
	return c->state == TCP_CLOSED ? (enum error)c->error : ERR_OK;
}

/* What a read without data gives: end of stream, an error, or "not yet". */
static int64_t nothing_to_read(struct transport *t, struct tcp_conn *c)
{
	if (fast_syn_waits(c)) /* who reads first does not wait for something to write */
		fast_syn_start(t, c);
	if (c->flags & CONN_FIN_RECEIVED)
		return 0;
	if (c->state == TCP_CLOSED)
		return c->error == ERR_OK ? 0 : -(int64_t)c->error;
	return -(int64_t)ERR_AGAIN;
}

/* What came ended a write: does the ACK that waits for company go now? (schedule_ack) */
__attribute__((cold)) static void ack_when_read(struct transport *t, struct tcp_conn *c)
{
	struct tcp_flight *f = c->flight;
	if (f->rx.low != c->rcv_nxt)
		return;
	f->ack_when_read = false;
	if (f->ack_at != NANOTIME_NEVER)
		conn_owe_ack(t, c, WHY_ACK_NOW);
}

static void consumed(struct transport *t, struct tcp_conn *c, uint32_t len)
{
	struct tcp_flight *f = c->flight;
	ring_release(&f->rx, &t->blocks, f->rx.low + len);
	if (f->urgent_valid && seq_ge(f->rx.low, f->urgent))
		f->urgent_valid = false;
	if (__builtin_expect(f->ack_when_read, 0))
		ack_when_read(t, c);
	if (!(c->flags & CONN_ACK_NOW) && conn_window_opened(c))
		conn_owe_ack(t, c, WHY_ACK_WINDOW);
	/* What kept the flight was unread, maybe for long. */
	if (!timer_armed(&c->timer) && c->state == TCP_ESTABLISHED)
		conn_arm(t, c, t->now + t->config.flight_idle + NANO_MS);
}

int64_t tcp_read(struct transport *t, struct tcp_conn *c, void *to, size_t cap)
{
	size_t len = tcp_readable(c);
	if (!len)
		return nothing_to_read(t, c);
	if (len > cap)
		len = cap;
	if (!len)
		return -(int64_t)ERR_AGAIN;
	ring_read(&c->flight->rx, c->flight->rx.low, to, len);
	consumed(t, c, (uint32_t)len);
	return (int64_t)len;
}

int tcp_peek(struct transport *t, struct tcp_conn *c, struct span *out, unsigned max)
{
	size_t len = tcp_readable(c), covered;
	if (!len)
		return (int)nothing_to_read(t, c);
	return (int)ring_spans(&c->flight->rx, c->flight->rx.low, len, out, max, &covered);
}

int tcp_consume(struct transport *t, struct tcp_conn *c, size_t len)
{
	if (len > tcp_readable(c))
		return -ERR_ARGUMENT;
	if (len)
		consumed(t, c, (uint32_t)len);
	return 0;
}

/* Why a write can't be taken now. */
static int64_t no_write(struct tcp_conn *c)
{
	if (c->state == TCP_CLOSED)
		return c->error == ERR_OK ? -(int64_t)ERR_CLOSED : -(int64_t)c->error;
	if (c->flags & CONN_FIN_QUEUED)
		return -(int64_t)ERR_CLOSED;
	c->flags |= CONN_WINDOW_FULL;
	return -(int64_t)ERR_AGAIN;
}

/* No memory: where nothing is on its way whose ACK would tell, stands in line. */
static int64_t no_memory(struct transport *t, struct tcp_conn *c)
{
	c->flags |= CONN_WINDOW_FULL;
	if (c->snd_una == c->snd_end)
		conn_wait_memory(t, c);
	return -(int64_t)ERR_AGAIN;
}

/* While somebody waits for a block, what writers have must do. */
static struct ring_pool *blocks_to_write(struct transport *t)
{
	return t->short_block.count ? &t->no_blocks : &t->blocks;
}

static void written(struct transport *t, struct tcp_conn *c, uint32_t len)
{
	c->snd_end += len;
	if (c->state == TCP_SYN_SENT)
		fast_syn_start(t, c);
	conn_make_ready(t, c);
}

int64_t tcp_write(struct transport *t, struct tcp_conn *c, const void *from, size_t len)
{
	size_t room = tcp_room(t, c);
	if (!room)
		return len ? no_write(c) : 0;
	if (!conn_flight_in_turn(t, c))
		return len ? no_memory(t, c) : 0;
	size_t take = len < room ? len : room;
	size_t took = ring_write(&c->flight->tx, blocks_to_write(t), t->core->checksum, c->snd_end,
				 span_of(from, take), NULL);
	if (took < len)
		c->flags |= CONN_WINDOW_FULL;
	if (!took)
		return len ? no_memory(t, c) : 0;
	written(t, c, (uint32_t)took);
	return (int64_t)took;
}

void tcp_end_record(struct transport *t, struct tcp_conn *c)
{
	records_mark(t, c);
}

uint8_t *tcp_reserve(struct transport *t, struct tcp_conn *c, size_t want, size_t *got)
{
	size_t room = tcp_room(t, c);
	*got = 0;
	if (!room) {
		no_write(c);
		return NULL;
	}
	uint8_t *at = NULL;
	if (want && conn_flight_in_turn(t, c))
		at = ring_reserve(&c->flight->tx, blocks_to_write(t), c->snd_end,
				  want < room ? want : room, got);
	if (want && !at)
		no_memory(t, c);
	return at;
}

int tcp_commit(struct transport *t, struct tcp_conn *c, size_t len)
{
	if (len > tcp_room(t, c) || (len && !c->flight))
		return -ERR_ARGUMENT;
	if (len)
		written(t, c, (uint32_t)len);
	return 0;
}

/* RFC 9293 3.10.4: FIN after what is queued. */
static void queue_fin(struct transport *t, struct tcp_conn *c)
{
	if (c->flags & CONN_FIN_QUEUED)
		return;
	c->flags |= CONN_FIN_QUEUED;
	if (c->state == TCP_ESTABLISHED)
		conn_set_state(t, c, TCP_FIN_WAIT_1);
	else if (c->state == TCP_CLOSE_WAIT)
		conn_set_state(t, c, TCP_LAST_ACK);
	conn_flight_in_turn(t, c); /* without one the FIN could not be sent again: it waits */
	conn_make_ready(t, c);
}

int tcp_shutdown(struct transport *t, struct tcp_conn *c)
{
	switch (c->state) {
	case TCP_SYN_SENT: /* 3.10.4: queued until the handshake is done */
	case TCP_SYN_RECEIVED:
	case TCP_ESTABLISHED:
	case TCP_CLOSE_WAIT:
		if (fast_syn_waits(c))
			fast_syn_start(t, c);
		if (c->state < TCP_ESTABLISHED)
			c->flags |= CONN_FIN_QUEUED;
		else
			queue_fin(t, c);
		return 0;
	case TCP_CLOSED:
		return c->error == ERR_OK ? 0 : -(int)c->error;
	default:
		return 0; /* already closing */
	}
}

void tcp_shutdown_read(struct transport *t, struct tcp_conn *c)
{
	t->options[c->sock].deaf = c->sock != 0;
}

/* Its owner goes. */
static void disown(struct transport *t, struct tcp_conn *c)
{
	c->sock = 0;
	t->settled += c->state == TCP_FIN_WAIT_2;
}

void tcp_abort(struct transport *t, struct tcp_conn *c)
{
	disown(t, c);
	if (c->state == TCP_CLOSED || !(c->flags & CONN_IN_DEMUX) || c->state == TCP_SYN_SENT) {
		conn_free(t, c);
		return;
	}
	if (c->state == TCP_TIME_WAIT) {
		conn_make_ready(t, c);
		return;
	}
	/* RFC 9293 3.10.5: both ends have said that they are done, and nobody is told */
	if ((c->state == TCP_CLOSING || c->state == TCP_LAST_ACK) && !tcp_readable(c) &&
	    c->snd_nxt == c->snd_end + 1) {
		conn_free(t, c);
		return;
	}
	c->flags |= CONN_RESET_OWED;
	conn_make_ready(t, c);
}

void tcp_close(struct transport *t, struct tcp_conn *c)
{
	bool unread = tcp_readable(c) > 0;
	if (c->state == TCP_CLOSED || !(c->flags & CONN_IN_DEMUX) || c->state == TCP_SYN_SENT ||
	    /* MAY-1; RFC 2525 2.17, SHLD-3: data that nobody read is lost, and the peer is told */
	    unread) {
		tcp_abort(t, c);
		return;
	}
	if (c->state == TCP_SYN_RECEIVED)
		c->flags |= CONN_FIN_QUEUED;
	else
		queue_fin(t, c); /* its flight is still made as the owner wished */
	disown(t, c);
	if (c->state == TCP_FIN_WAIT_2 && conn_flight(t, c)) {
		c->flight->probe_at = t->now + c->flight->fin_wait2;
		conn_arm(t, c, c->flight->probe_at);
	}
	conn_make_ready(t, c);
}

unsigned tcp_poll(const struct transport *t, const struct tcp_conn *c)
{
	unsigned events = 0;
	size_t readable = tcp_readable(c);
	/* Where the window is too small for more, the mark would be waited for in vain. */
	if ((readable && (readable >= t->options[c->sock].read_mark ||
			  conn_rcv_wnd(c) <= c->flight->rcv_mss)) ||
	    c->flags & CONN_FIN_RECEIVED)
		events |= EVENT_READABLE;
	if (c->flags & CONN_FIN_RECEIVED)
		events |= EVENT_PEER_CLOSED;
	if (tcp_room(t, c))
		events |= EVENT_WRITABLE;
	if (c->state >= TCP_ESTABLISHED)
		events |= EVENT_CONNECTED;
	if (c->state == TCP_CLOSED)
		events |= EVENT_READABLE | (c->error ? EVENT_ERROR : EVENT_CLOSED);
	if (c->state == TCP_TIME_WAIT)
		events |= EVENT_CLOSED;
	if (tcp_urgent(c))
		events |= EVENT_URGENT;
	if (conn_soft_error(c))
		events |= EVENT_TROUBLE;
	return events;
}
