/*
 * Handles. A sock_id is an owner number and its slot's generation, so that a
 * handle that was closed is refused even when its slot serves somebody else.
 * Events that transport queued by owner number move to the owner's own ready
 * queue when anybody asks for events; nothing here is called by the stack.
 */
#include "socket/owner.h"

#include "transport/datagram.h"
#include "transport/tcp/decide.h"

#define NUMBER_BITS 20
#define NUMBER_MASK ((1u << NUMBER_BITS) - 1)
#define GENERATION_MASK ((1u << (32 - NUMBER_BITS)) - 1)

static struct transport *transport_of(struct stack *s)
{
	return stack_transport(s);
}

static sock_id id_of(const struct endpoint_owner *o, uint32_t number)
{
	return (o->generation & GENERATION_MASK) << NUMBER_BITS | number;
}

struct endpoint_owner *sock_owner(struct transport *t, sock_id id, uint32_t *number)
{
	uint32_t n = id & NUMBER_MASK;
	if (n == 0 || n >= t->owner_fresh)
		return NULL;
	struct endpoint_owner *o = &t->owner[n];
	if (o->kind == SOCK_FREE || id_of(o, n) != id)
		return NULL;
	*number = n;
	return o;
}

static struct endpoint_owner *owner_new(struct transport *t, uint32_t *number)
{
	uint32_t n = t->owner_free;
	if (n) {
		t->owner_free = t->owner[n].next_free;
	} else if (t->owner_fresh <= t->config.sockets && t->owner_fresh <= NUMBER_MASK) {
		n = t->owner_fresh++;
		t->owner[n].generation = 0;
	} else {
		return NULL;
	}
	struct endpoint_owner *o = &t->owner[n];
	o->generation++;
	if ((o->generation & GENERATION_MASK) == 0)
		o->generation++; /* no handle is ever a bare number */
	list_init(&o->ready);
	o->queue = o->user = NULL;
	o->events = 0;
	*number = n;
	return o;
}

/* Moves events from transport's queue to the owners' queues. */
static void events_flush(struct transport *t)
{
	unsigned events;
	uint32_t n;
	while ((n = notify_next(&t->notify, &events))) {
		struct endpoint_owner *o = &t->owner[n];
		if (o->kind == SOCK_FREE)
			continue;
		o->events |= (uint16_t)events;
		struct sock_queue *q = o->queue;
		if (q && !list_linked(&o->ready))
			list_push_back(&q->ready, &o->ready);
	}
}

static void owner_free(struct transport *t, struct endpoint_owner *o, uint32_t n)
{
	events_flush(t); /* no event of this owner is left for the slot's next one */
	list_remove(&o->ready);
	o->kind = SOCK_FREE;
	memset(&t->options[n], 0, sizeof t->options[n]);
	o->next_free = t->owner_free;
	t->owner_free = n;
}

static void owner_set(struct transport *t, struct endpoint_owner *o, uint32_t n,
		      const struct sock_options *so)
{
	o->queue = so->queue;
	o->user = so->user;
	t->options[n] = (struct endpoint_options){
		.send_buffer = so->send_buffer,
		.receive_buffer = so->receive_buffer,
		.first_window = so->receive_buffer,
		.user_timeout = so->user_timeout,
		.hop_limit = so->hop_limit,
		.tos = so->tos & (uint8_t)~IP_ECN_MASK, /* in TCP its own: RFC 3168 */
		.syn_cookies = so->syn_cookies,
		.nodelay = so->nodelay,
		.keepalive = so->keepalive,
		.fast_open = so->fast_open,
	};
}

void sock_queue_init(struct sock_queue *q)
{
	list_init(&q->ready);
}

bool sock_next(struct stack *s, struct sock_queue *q, struct sock_event *e)
{
	struct transport *t = transport_of(s);
	events_flush(t);
	struct list *l = list_pop_front(&q->ready);
	if (!l)
		return false;
	struct endpoint_owner *o = list_entry(l, struct endpoint_owner, ready);
	e->id = id_of(o, (uint32_t)(o - t->owner));
	e->user = o->user;
	e->events = o->events;
	o->events = 0;
	return true;
}

static unsigned datagram_poll(const struct transport *t, const struct datagram_endpoint *d)
{
	return (d->received_count ? EVENT_READABLE : 0u) |
	       (d->to_send_count < t->config.datagram_queue ? EVENT_WRITABLE : 0u);
}

static unsigned owner_poll(const struct transport *t, const struct endpoint_owner *o)
{
	switch (o->kind) {
	case SOCK_LISTENER:
		return o->listener->waiting ? EVENT_READABLE : 0;
	case SOCK_STREAM:
		return tcp_poll(t, o->conn);
	case SOCK_DATAGRAM:
		return datagram_poll(t, o->datagram);
	default:
		return 0;
	}
}

uint32_t sock_poll(struct stack *s, sock_id id)
{
	struct transport *t = transport_of(s);
	uint32_t n;
	struct endpoint_owner *o = sock_owner(t, id, &n);
	return o ? owner_poll(t, o) : 0;
}

int sock_attach(struct stack *s, sock_id id, struct sock_queue *q, void *user)
{
	struct transport *t = transport_of(s);
	uint32_t n;
	struct endpoint_owner *o = sock_owner(t, id, &n);
	if (!o)
		return -ERR_ARGUMENT;
	events_flush(t);
	list_remove(&o->ready);
	o->queue = q;
	o->user = user;
	unsigned now = owner_poll(t, o);
	if (now) /* what is true already is told once */
		notify_event(&t->notify, n, now);
	return 0;
}

static int check_local(const struct sock_options *o)
{
	return o->v4_only && o->v6_only ? -ERR_ARGUMENT : 0;
}

int sock_listen(struct stack *s, const struct sock_options *so, sock_id *out)
{
	struct transport *t = transport_of(s);
	if (check_local(so) || !so->local_port)
		return -ERR_ARGUMENT;
	if (!addr_is_any(&so->local) && !internet_is_ours(stack_internet(s), &so->local))
		return -ERR_NO_ADDRESS;
	uint32_t n;
	struct endpoint_owner *o = owner_new(t, &n);
	if (!o)
		return -ERR_TOO_MANY;
	owner_set(t, o, n, so);
	enum error e = tcp_listen(t, &so->local, so->local_port, n, so->backlog, so->v4_only,
				  so->v6_only, &o->listener);
	if (e != ERR_OK) {
		owner_free(t, o, n);
		return -(int)e;
	}
	o->kind = SOCK_LISTENER;
	*out = id_of(o, n);
	return 0;
}

int sock_accept(struct stack *s, sock_id listener, struct sock_queue *queue, void *user,
		sock_id *out, struct sock_peer *peer)
{
	struct transport *t = transport_of(s);
	uint32_t ln, n;
	struct endpoint_owner *lo = sock_owner(t, listener, &ln);
	if (!lo || lo->kind != SOCK_LISTENER)
		return -ERR_ARGUMENT;
	if (!lo->listener->waiting)
		return -ERR_AGAIN;
	struct endpoint_owner *o = owner_new(t, &n);
	if (!o)
		return -ERR_TOO_MANY;
	t->options[n] = t->options[ln]; /* as the listener was set up */
	struct tcp_conn *c = tcp_accept(t, lo->listener, n);
	o->kind = SOCK_STREAM;
	o->conn = c;
	t->streams++;
	if (t->options[n].nodelay)
		c->flags |= CONN_NODELAY;
	if (t->options[n].keepalive)
		sock_set(s, id_of(o, n), SOCK_KEEPALIVE, true);
	if (t->options[n].advertised_timeout)
		conn_tell_timeout(t, c);
	o->queue = queue;
	o->user = user;
	notify_event(&t->notify, n, tcp_poll(t, c));
	if (peer) {
		peer->address = c->tuple.remote;
		peer->port = c->tuple.remote_port;
	}
	*out = id_of(o, n);
	return 0;
}

int sock_connect(struct stack *s, const struct sock_options *so, const struct addr *remote,
		 uint16_t port, sock_id *out)
{
	struct transport *t = transport_of(s);
	uint32_t n;
	struct endpoint_owner *o = owner_new(t, &n);
	if (!o)
		return -ERR_TOO_MANY;
	owner_set(t, o, n, so);
	unsigned flags = (so->nodelay ? CONN_NODELAY : 0u) | (so->keepalive ? CONN_KEEPALIVE : 0u);
	enum error e = so->via ? tcp_connect_via(t, &so->local, so->local_port, remote, port, n,
						 flags, so->via, &o->conn)
			       : tcp_connect(t, &so->local, so->local_port, remote, port, n, flags,
					     &o->conn);
	if (e != ERR_OK) {
		owner_free(t, o, n);
		return -(int)e;
	}
	o->kind = SOCK_STREAM;
	t->streams++;
	*out = id_of(o, n);
	return 0;
}

uint32_t sock_unfinished(struct stack *s)
{
	struct transport *t = transport_of(s);
	return t->conn_pool.used - t->streams;
}

uint32_t sock_undelivered(struct stack *s)
{
	return sock_unfinished(s) - transport_of(s)->settled;
}

static struct tcp_conn *conn_of(struct stack *s, sock_id id)
{
	uint32_t n;
	struct endpoint_owner *o = sock_owner(transport_of(s), id, &n);
	return o && o->kind == SOCK_STREAM ? o->conn : NULL;
}

int64_t sock_read(struct stack *s, sock_id id, void *to, size_t cap)
{
	struct tcp_conn *c = conn_of(s, id);
	return c ? tcp_read(transport_of(s), c, to, cap) : -(int64_t)ERR_ARGUMENT;
}

int64_t sock_write(struct stack *s, sock_id id, const void *from, size_t len)
{
	struct tcp_conn *c = conn_of(s, id);
	return c ? tcp_write(transport_of(s), c, from, len) : -(int64_t)ERR_ARGUMENT;
}

int64_t sock_write_urgent(struct stack *s, sock_id id, const void *from, size_t len)
{
	struct tcp_conn *c = conn_of(s, id);
	return c ? tcp_write_urgent(transport_of(s), c, from, len) : -(int64_t)ERR_ARGUMENT;
}

int64_t sock_urgent(struct stack *s, sock_id id)
{
	struct tcp_conn *c = conn_of(s, id);
	return c ? (int64_t)tcp_urgent(c) : -(int64_t)ERR_ARGUMENT;
}

int sock_peek(struct stack *s, sock_id id, struct span *out, unsigned max)
{
	struct tcp_conn *c = conn_of(s, id);
	return c ? tcp_peek(transport_of(s), c, out, max) : -ERR_ARGUMENT;
}

int sock_end_record(struct stack *s, sock_id id)
{
	struct tcp_conn *c = conn_of(s, id);
	if (!c)
		return -ERR_ARGUMENT;
	tcp_end_record(transport_of(s), c);
	return 0;
}

size_t sock_saved_syn(struct stack *s, sock_id id, void *to, size_t cap)
{
	struct tcp_conn *c = conn_of(s, id);
	return c ? tcp_saved_syn(transport_of(s), c, to, cap) : 0;
}

int sock_consume(struct stack *s, sock_id id, size_t len)
{
	struct tcp_conn *c = conn_of(s, id);
	return c ? tcp_consume(transport_of(s), c, len) : -ERR_ARGUMENT;
}

uint8_t *sock_reserve(struct stack *s, sock_id id, size_t want, size_t *got)
{
	struct tcp_conn *c = conn_of(s, id);
	*got = 0;
	return c ? tcp_reserve(transport_of(s), c, want, got) : NULL;
}

int sock_commit(struct stack *s, sock_id id, size_t len)
{
	struct tcp_conn *c = conn_of(s, id);
	return c ? tcp_commit(transport_of(s), c, len) : -ERR_ARGUMENT;
}

size_t sock_readable(struct stack *s, sock_id id)
{
	struct tcp_conn *c = conn_of(s, id);
	return c ? tcp_readable(c) : 0;
}

size_t sock_room(struct stack *s, sock_id id)
{
	struct tcp_conn *c = conn_of(s, id);
	return c ? tcp_room(transport_of(s), c) : 0;
}

int sock_want_room(struct stack *s, sock_id id)
{
	struct tcp_conn *c = conn_of(s, id);
	if (!c)
		return -ERR_ARGUMENT;
	c->flags |= CONN_WINDOW_FULL;
	return 0;
}

int sock_shutdown(struct stack *s, sock_id id)
{
	struct tcp_conn *c = conn_of(s, id);
	return c ? tcp_shutdown(transport_of(s), c) : -ERR_ARGUMENT;
}

int sock_shutdown_read(struct stack *s, sock_id id)
{
	struct tcp_conn *c = conn_of(s, id);
	if (!c)
		return -ERR_ARGUMENT;
	tcp_shutdown_read(transport_of(s), c);
	return 0;
}

static int sock_end(struct stack *s, sock_id id, bool abort)
{
	struct transport *t = transport_of(s);
	uint32_t n;
	struct endpoint_owner *o = sock_owner(t, id, &n);
	if (!o)
		return -ERR_ARGUMENT;
	switch (o->kind) {
	case SOCK_LISTENER:
		tcp_unlisten(t, o->listener);
		break;
	case SOCK_STREAM:
		t->streams--;
		if (abort)
			tcp_abort(t, o->conn);
		else
			tcp_close(t, o->conn);
		break;
	default:
		datagram_close(t, o->datagram);
		break;
	}
	owner_free(t, o, n);
	return 0;
}

int sock_close(struct stack *s, sock_id id)
{
	return sock_end(s, id, false);
}

int sock_abort(struct stack *s, sock_id id)
{
	return sock_end(s, id, true);
}

enum error sock_error(struct stack *s, sock_id id)
{
	struct tcp_conn *c = conn_of(s, id);
	return c ? tcp_error(c) : ERR_ARGUMENT;
}

enum error sock_trouble(struct stack *s, sock_id id)
{
	const struct tcp_conn *c = conn_of(s, id);
	return c ? conn_soft_error(c) : ERR_ARGUMENT;
}

enum error sock_take_trouble(struct stack *s, sock_id id)
{
	struct tcp_conn *c = conn_of(s, id);
	return c ? conn_take_soft_error(c) : ERR_ARGUMENT;
}

int sock_name(struct stack *s, sock_id id, struct sock_peer *local, struct sock_peer *remote)
{
	uint32_t n;
	struct endpoint_owner *o = sock_owner(transport_of(s), id, &n);
	if (!o)
		return -ERR_ARGUMENT;
	struct sock_peer l = { 0 }, r = { 0 };
	switch (o->kind) {
	case SOCK_LISTENER:
		l = (struct sock_peer){ o->listener->local, o->listener->port };
		break;
	case SOCK_STREAM:
		l = (struct sock_peer){ o->conn->tuple.local, o->conn->tuple.local_port };
		r = (struct sock_peer){ o->conn->tuple.remote, o->conn->tuple.remote_port };
		break;
	default:
		l = (struct sock_peer){ o->datagram->local, o->datagram->port };
		r = (struct sock_peer){ o->datagram->remote, o->datagram->remote_port };
		break;
	}
	if (local)
		*local = l;
	if (remote)
		*remote = r;
	return 0;
}

int sock_set_fast_open(struct stack *s, sock_id id, uint32_t most)
{
	struct transport *t = transport_of(s);
	uint32_t n;
	struct endpoint_owner *o = sock_owner(t, id, &n);
	if (!o || o->kind != SOCK_LISTENER)
		return -ERR_ARGUMENT;
	tcp_fast_open(t, o->listener, most);
	return 0;
}

int sock_set_fast_open_key(struct stack *s, sock_id id, const uint8_t key[16])
{
	uint32_t n;
	struct endpoint_owner *o = sock_owner(transport_of(s), id, &n);
	if (!o || o->kind != SOCK_LISTENER)
		return -ERR_ARGUMENT;
	tcp_listener_key(o->listener, key);
	return 0;
}

void sock_fast_open_key(struct stack *s, const uint8_t key[16])
{
	tcp_fast_open_key(transport_of(s), key);
}

void sock_fast_open_forget(struct stack *s)
{
	fast_open_forget(&transport_of(s)->fast_open_cache);
}

int sock_set_nodelay(struct stack *s, sock_id id, bool on)
{
	return conn_of(s, id) ? sock_set(s, id, SOCK_NODELAY, on) : -ERR_ARGUMENT;
}

int sock_set_keepalive(struct stack *s, sock_id id, bool on)
{
	return conn_of(s, id) ? sock_set(s, id, SOCK_KEEPALIVE, on) : -ERR_ARGUMENT;
}

static int datagram_new_sock(struct stack *s, enum datagram_kind kind,
			     const struct sock_options *so, bool v4_only, bool v6_only,
			     sock_id *out)
{
	struct transport *t = transport_of(s);
	if (check_local(so))
		return -ERR_ARGUMENT;
	uint32_t n;
	struct endpoint_owner *o = owner_new(t, &n);
	if (!o)
		return -ERR_TOO_MANY;
	owner_set(t, o, n, so);
	t->options[n].tos = so->tos;
	enum error e = datagram_open(t, kind, &so->local, so->local_port, v4_only, v6_only, n,
				     &o->datagram);
	if (e != ERR_OK) {
		owner_free(t, o, n);
		return -(int)e;
	}
	o->kind = SOCK_DATAGRAM;
	o->datagram->dont_fragment = so->dont_fragment;
	*out = id_of(o, n);
	return 0;
}

int sock_udp(struct stack *s, const struct sock_options *o, sock_id *out)
{
	return datagram_new_sock(s, DATAGRAM_UDP, o, o->v4_only, o->v6_only, out);
}

int sock_ping(struct stack *s, const struct sock_options *o, bool v6, sock_id *out)
{
	return datagram_new_sock(s, DATAGRAM_PING, o, !v6, v6, out);
}

static struct datagram_endpoint *datagram_of(struct stack *s, sock_id id)
{
	uint32_t n;
	struct endpoint_owner *o = sock_owner(transport_of(s), id, &n);
	return o && o->kind == SOCK_DATAGRAM ? o->datagram : NULL;
}

int sock_udp_connect(struct stack *s, sock_id id, const struct addr *remote, uint16_t port)
{
	struct datagram_endpoint *d = datagram_of(s, id);
	if (!d)
		return -ERR_ARGUMENT;
	return -(int)datagram_connect(transport_of(s), d, remote, port);
}

int64_t sock_send_to(struct stack *s, sock_id id, const void *from, size_t len,
		     const struct addr *to, uint16_t port)
{
	return sock_send_from(s, id, from, len, NULL, to, port);
}

int64_t sock_send_from(struct stack *s, sock_id id, const void *from, size_t len,
		       const struct addr *source, const struct addr *to, uint16_t port)
{
	struct datagram_endpoint *d = datagram_of(s, id);
	if (!d)
		return -(int64_t)ERR_ARGUMENT;
	return datagram_send_from(transport_of(s), d, span_of(from, len), source, to, port);
}

int64_t sock_recv_from(struct stack *s, sock_id id, void *to, size_t cap, struct sock_datagram *out)
{
	struct datagram_endpoint *e = datagram_of(s, id);
	if (!e)
		return -(int64_t)ERR_ARGUMENT;
	struct datagram *d = datagram_take(e);
	if (!d)
		return -(int64_t)ERR_AGAIN;
	size_t len = d->len < cap ? d->len : cap;
	if (len)
		memcpy(to, datagram_bytes(d), len);
	if (out)
		*out = (struct sock_datagram){
			.source = d->source,
			.destination = d->destination,
			.port = d->port,
			.hop_limit = d->hop_limit,
			.tos = d->tos,
			.truncated = d->len > cap,
			.time = d->time,
			.is_error = d->is_error,
			.icmp_type = d->icmp_type,
			.icmp_code = d->icmp_code,
			.mtu = d->mtu,
			.original_destination = d->is_error ? d->destination : ADDR_ANY,
		};
	datagram_done(transport_of(s), d);
	return (int64_t)len;
}
