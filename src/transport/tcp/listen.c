/*
 * Listeners and half-open connections. A SYN makes an embryo of 96 bytes that
 * remembers what the SYN said; the ACK that completes the handshake turns it into a
 * connection in the listener's queue. Embryos wait in lists by number of tries, where
 * deadlines are in order, so that one timer serves all. When their pool is full,
 * the oldest of the most-retried makes room.
 */
#include "transport/tcp/tcp_conn.h"

#define EMBRYO_QUEUES 8
#define EMBRYO_NO_WSCALE 0xff

struct tcp_listener *listener_find(struct transport *t, const struct addr *local, uint16_t port)
{
	struct tcp_listener *any = NULL;
	list_each(at, &t->listener_port[port % PORT_BUCKETS])
	{
		struct tcp_listener *l = list_entry(at, struct tcp_listener, link);
		if (l->port != port)
			continue;
		if (addr_equal(&l->local, local))
			return l;
		bool four = addr_is4(local);
		if (addr_is_any(&l->local) && !(four && l->v6_only) && !(!four && l->v4_only))
			any = l;
	}
	return any;
}

static void embryo_free(struct transport *t, struct tcp_embryo *e)
{
	list_remove(&e->link);
	demux_remove(&t->demux, (uint32_t)tuple_hash(t->demux.key, &e->tuple), DEMUX_EMBRYO, e);
	pool_give(&t->embryo_pool, e);
}

/* The longest waiting of those that were asked most often. */
static struct tcp_embryo *embryo_oldest(struct transport *t)
{
	for (int i = EMBRYO_QUEUES - 1; i >= 0; i--)
		if (!list_empty(&t->embryo_wait[i]))
			return list_entry(t->embryo_wait[i].next, struct tcp_embryo, link);
	return NULL;
}

static struct tcp_embryo *embryo_new(struct transport *t, const struct tcp_tuple *tuple)
{
	struct tcp_embryo *e = pool_take(&t->embryo_pool);
	if (!e) {
		struct tcp_embryo *old = embryo_oldest(t);
		if (!old)
			return NULL;
		embryo_free(t, old);
		e = pool_take(&t->embryo_pool);
	}
	e->tuple = *tuple;
	list_init(&e->link);
	if (!demux_add(&t->demux, demux_searched(&t->demux), DEMUX_EMBRYO, e)) {
		pool_give(&t->embryo_pool, e);
		return NULL;
	}
	return e;
}

/* RFC 9293 3.10.7.2 */
void listener_input(struct transport *t, struct tcp_listener *l, struct rx *rx,
		    struct tcp_segment *seg, const struct tcp_tuple *tuple)
{
	if (seg->flags & TCP_RST) {
		rx_drop(rx, DROP_TCP_NOT_SYN);
		return;
	}
	if (seg->flags & TCP_ACK) {
		tcp_reply_reset(t, rx, seg, tuple);
		rx_drop(rx, DROP_TCP_NO_CONNECTION);
		return;
	}
	/* SYN and FIN together open nothing (TCP-40). */
	if ((seg->flags & (TCP_SYN | TCP_FIN)) != TCP_SYN) {
		rx_drop(rx, DROP_TCP_NOT_SYN);
		return;
	}
	if (l->waiting >= l->backlog) {
		rx_drop(rx, DROP_TCP_BACKLOG_FULL);
		return;
	}
	struct tcp_embryo *e = embryo_new(t, tuple);
	if (!e) {
		rx_drop(rx, DROP_TCP_TABLE_FULL);
		return;
	}
	const struct tcp_options *o = &seg->h.options;
	struct tcp_secret_numbers n = tcp_secret_numbers(t, tuple, t->now);
	e->iss = n.isn;
	e->ts_offset = n.ts_offset;
	e->irs = seg->seq;
	e->window = seg->h.window;
	e->peer_mss = o->has & TCP_HAS_MSS ? o->mss : 0;
	e->wscale = o->has & TCP_HAS_WSCALE && t->config.window_scaling
			    ? (o->wscale > 14 ? 14 : o->wscale)
			    : EMBRYO_NO_WSCALE;
	e->options = 0;
	if (o->has & TCP_HAS_TIMESTAMPS && t->config.timestamps) {
		e->options |= CONN_TIMESTAMPS;
		e->ts_recent = o->tsval;
	} else {
		e->ts_recent = 0;
	}
	if (o->has & TCP_HAS_SACK_PERMITTED && t->config.sack)
		e->options |= CONN_SACK;
	e->listener = (uint16_t)pool_index(&t->listener_pool, l);
	e->tries = 0;
	e->deadline = t->now + t->config.rto_initial;
	list_push_back(&t->embryo_due, &e->link);
	rx_fate(rx, FATE_ANSWERED);
}

static uint32_t listener_receive_buffer(const struct transport *t, const struct tcp_listener *l)
{
	uint32_t bytes = t->options[l->sock].receive_buffer;
	return bytes ? bytes : t->config.receive_buffer;
}

/* The smallest shift that lets the whole buffer be advertised (RFC 7323 2.3). */
static uint8_t window_shift(uint32_t buffer)
{
	uint8_t shift = 0;
	while (shift < 14 && buffer >> shift > 65535)
		shift++;
	return shift;
}

static void embryo_send(struct transport *t, const struct tcp_embryo *e)
{
	const struct tcp_listener *l = pool_at(&t->listener_pool, e->listener);
	uint32_t buffer = listener_receive_buffer(t, l);
	struct path path = { .neighbour = NEIGHBOUR_NO_INDEX };
	if (transport_path(t, &path, &e->tuple.remote) != ERR_OK)
		return; /* no way there now: the timer tries again */
	uint32_t mtu = t->internet->access->netif[path.nif].mtu;
	struct tcp_options o;
	tcp_syn_options(&o, &e->tuple.remote, mtu, e->options & CONN_SACK,
			e->wscale != EMBRYO_NO_WSCALE, window_shift(buffer));
	struct tcp_reply r = {
		.tuple = e->tuple,
		.seq = e->iss,
		.ack = e->irs + 1,
		.flags = TCP_SYN | TCP_ACK,
		.window = (uint16_t)(buffer > 65535 ? 65535 : buffer),
		.why = e->tries ? WHY_SYN_RETRANSMIT : WHY_SYN_ACK,
		.timestamps = e->options & CONN_TIMESTAMPS,
		.tsval = t->now_ms + e->ts_offset,
		.tsecr = e->ts_recent,
	};
	tcp_reply_send(t, &r, &o, &path);
}

unsigned embryo_transmit(struct transport *t, unsigned budget)
{
	unsigned sent = 0;
	struct list *l;
	while (sent < budget && (l = list_pop_front(&t->embryo_due))) {
		struct tcp_embryo *e = list_entry(l, struct tcp_embryo, link);
		embryo_send(t, e);
		unsigned queue = e->tries < EMBRYO_QUEUES ? e->tries : EMBRYO_QUEUES - 1u;
		list_push_back(&t->embryo_wait[queue], &e->link);
		if (!timer_armed(&t->embryo_timer) || e->deadline < t->embryo_timer.deadline)
			wheel_arm(t->core->wheel, &t->embryo_timer, e->deadline);
		sent++;
	}
	return sent;
}

/* Its SYN-ACK goes once more, and counts: deadlines stay in order, answers are few. */
static void embryo_again(struct transport *t, struct tcp_embryo *e)
{
	e->tries++;
	e->deadline = t->now + rtt_backoff(t->config.rto_initial, e->tries, t->config.rto_max);
	list_remove(&e->link);
	list_push_back(&t->embryo_due, &e->link);
}

void embryo_timer(struct transport *t)
{
	nanotime next = NANOTIME_NEVER;
	for (unsigned i = 0; i < EMBRYO_QUEUES; i++) {
		while (!list_empty(&t->embryo_wait[i])) {
			struct tcp_embryo *e =
				list_entry(t->embryo_wait[i].next, struct tcp_embryo, link);
			if (e->deadline > t->now) {
				next = nanotime_min(next, e->deadline);
				break;
			}
			if (e->tries >= t->config.syn_ack_retries) {
				embryo_free(t, e);
				continue;
			}
			embryo_again(t, e);
		}
	}
	if (next != NANOTIME_NEVER)
		wheel_arm(t->core->wheel, &t->embryo_timer, next);
}

void embryo_forget_listener(struct transport *t, unsigned listener)
{
	for (unsigned i = 0; i <= EMBRYO_QUEUES; i++) {
		struct list *head = i < EMBRYO_QUEUES ? &t->embryo_wait[i] : &t->embryo_due;
		list_each_safe(at, head)
		{
			struct tcp_embryo *e = list_entry(at, struct tcp_embryo, link);
			if (e->listener == listener)
				embryo_free(t, e);
		}
	}
}

/* The handshake is complete: the embryo becomes a connection in its listener's queue. */
static struct tcp_conn *embryo_grow(struct transport *t, struct tcp_embryo *e,
				    const struct tcp_segment *seg)
{
	struct tcp_listener *l = pool_at(&t->listener_pool, e->listener);
	if (l->waiting >= l->backlog)
		return NULL;
	struct tcp_conn *c = conn_new(t, &e->tuple);
	if (!c)
		return NULL;
	uint32_t buffer = listener_receive_buffer(t, l);
	c->flags = (uint16_t)(e->options | CONN_IN_DEMUX | CONN_IN_BACKLOG);
	c->snd_una = c->snd_nxt = c->snd_end = e->iss + 1;
	c->rcv_nxt = c->last_ack_sent = e->irs + 1;
	c->ts_recent = e->ts_recent;
	c->ts_recent_at = c->heard = t->now_ms;
	c->ts_offset = e->ts_offset;
	if (e->wscale != EMBRYO_NO_WSCALE) {
		c->snd_wscale = e->wscale;
		c->rcv_wscale = window_shift(buffer);
	}
	c->rcv_edge = c->rcv_nxt + (c->rcv_wscale || buffer < 65535 ? buffer : 65535);
	c->snd_wnd = (uint32_t)seg->h.window << c->snd_wscale;
	c->snd_wl1 = seg->seq;
	c->snd_wl2 = seg->ack;
	c->state = TCP_SYN_RECEIVED;
	conn_set_peer_mss(t, c, e->peer_mss);
	transport_path(t, &c->path, &c->tuple.remote);
	conn_update_mss(c);
	if (e->tries == 0) /* the SYN-ACK was sent once: Karn */
		rtt_sample(&c->rtt, t->now - (e->deadline - t->config.rto_initial));
	conn_set_state(t, c, TCP_ESTABLISHED);
	demux_replace(&t->demux, c->timer.owner, DEMUX_EMBRYO, e, DEMUX_CONN, c);
	list_remove(&e->link);
	pool_give(&t->embryo_pool, e);
	l->accepted[(l->head + l->waiting++) % t->config.backlog_max] =
		pool_index(&t->conn_pool, c);
	notify_event(&t->notify, l->sock, EVENT_READABLE);
	return c;
}

/* Does it begin in the window that our SYN-ACK offered? */
static bool embryo_in_window(const struct transport *t, const struct tcp_embryo *e,
			     const struct tcp_segment *seg)
{
	uint32_t buffer = listener_receive_buffer(t, pool_at(&t->listener_pool, e->listener));
	return seg->seq - (e->irs + 1) < (buffer > 65535 ? 65535 : buffer);
}

/* RFC 9293 3.10.7.4 for SYN-RECEIVED. */
void embryo_input(struct transport *t, struct tcp_embryo *e, struct rx *rx,
		  struct tcp_segment *seg)
{
	uint32_t next = e->irs + 1;
	/* The SYN again: our answer was lost. Another SYN: the peer began anew, and resets what it
	 * does not know when it hears it (RFC 9293 3.5.1). */
	if ((seg->flags & (TCP_SYN | TCP_ACK | TCP_RST)) == TCP_SYN) {
		if (e->tries >= t->config.syn_ack_retries) {
			rx_drop(rx, DROP_TCP_SYN_IN_WINDOW);
			return;
		}
		embryo_again(t, e);
		rx_fate(rx, FATE_ANSWERED);
		return;
	}
	if (e->options & CONN_TIMESTAMPS && seg->h.options.has & TCP_HAS_TIMESTAMPS &&
	    !(seg->flags & TCP_RST) && seq_lt(seg->h.options.tsval, e->ts_recent)) {
		rx_drop(rx, DROP_TCP_PAWS);
		return;
	}
	if (seg->seq != next && !embryo_in_window(t, e, seg)) {
		rx_drop(rx, DROP_TCP_SEQUENCE);
		return;
	}
	if (seg->flags & TCP_RST) { /* exactly in sequence, or ignored: RFC 5961 3.2 */
		if (seg->seq != next) {
			rx_drop(rx, DROP_TCP_RESET_SEQUENCE);
			return;
		}
		embryo_free(t, e);
		rx_fate(rx, FATE_DELIVERED);
		return;
	}
	if (seg->flags & TCP_SYN) {
		rx_drop(rx, DROP_TCP_SYN_IN_WINDOW);
		return;
	}
	if (!(seg->flags & TCP_ACK)) {
		rx_drop(rx, DROP_TCP_ACK_MISSING);
		return;
	}
	if (seg->ack != e->iss + 1) {
		tcp_reply_reset(t, rx, seg, &e->tuple);
		rx_drop(rx, DROP_TCP_ACK_UNSENT);
		return;
	}
	struct tcp_conn *c = embryo_grow(t, e, seg);
	if (!c) {
		rx_drop(rx, DROP_TCP_BACKLOG_FULL);
		return;
	}
	internet_confirm(t->internet, &c->path, t->now);
	if (seg->text_len && !conn_take_sequence(t, c, rx, seg)) /* text obeys the window */
		return;
	if (seg->text_len)
		conn_take_text(t, c, rx, seg);
	if (seg->flags & TCP_FIN)
		conn_take_fin(t, c, seg);
}
