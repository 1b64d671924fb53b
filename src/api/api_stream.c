/*
 * Streams and listeners. A stream that has been closed is gone for the program
 * at once; what it had written is the stack's to bring across.
 */
#include <stdlib.h>

#include "api/api_handles.h"

#define DYNAMIC_FIRST 49152u
#define DYNAMIC_PORTS 16384u

/* ---- listeners ---- */

/* Port 0: any that is free, of the dynamic ones (RFC 6335 6). */
static int listen_on(struct stack *s, struct sock_options *o, struct strata *n, sock_id *out)
{
	if (o->local_port)
		return sock_listen(s, o, out);
	int r = -ERR_NO_PORT;
	for (unsigned tries = 0; tries < DYNAMIC_PORTS; tries++) {
		o->local_port = (uint16_t)(DYNAMIC_FIRST + n->next_port++ % DYNAMIC_PORTS);
		r = sock_listen(s, o, out);
		if (r != -ERR_IN_USE)
			break;
	}
	return r == -ERR_IN_USE ? -ERR_NO_PORT : r;
}

struct strata_listener *strata_listen(struct strata *net, const char *where)
{
	struct endpoint_words w;
	struct stack *s = net_enter(net);
	if (!s)
		return NULL;
	struct strata_listener *l = NULL;
	if (endpoint_words(where, "tcp", &w) && !w.has_addr)
		api_fail(ERR_ARGUMENT, "'%s': listening needs an address of ours, not a name",
			where);
	else if (w.has_addr && !(l = malloc(sizeof *l)))
		api_error(ERR_MEMORY);
	if (l) {
		handle_init(&l->h, HANDLE_LISTENER, net);
		struct sock_options o = {
			.queue = &net->queue,
			.user = &l->h,
			.local = w.addr,
			.local_port = w.port,
			.v4_only = w.v4_only,
			.v6_only = w.v6_only,
		};
		int r = listen_on(s, &o, net, &l->h.sock);
		if (r < 0) {
			api_fail((enum error) - r, "listening on %s: %s", where,
				error_text((enum error) - r));
			handle_end(&l->h);
			free(l);
			l = NULL;
		}
	}
	net_leave(net);
	return l;
}

void strata_listener_close(struct strata_listener *listener)
{
	if (!listener)
		return;
	struct strata *n = listener->h.net;
	sock_close(net_enter(n), listener->h.sock);
	handle_end(&listener->h);
	net_leave(n);
	free(listener);
}

int strata_listener_address(struct strata_listener *listener, struct strata_address *out)
{
	struct sock_peer local, remote;
	struct stack *s = net_enter(listener ? listener->h.net : NULL);
	if (!s)
		return -ERR_ARGUMENT;
	int r = sock_name(s, listener->h.sock, &local, &remote);
	if (r < 0)
		api_error(r);
	else
		*out = address_out(&local.address, local.port);
	net_leave(listener->h.net);
	return r < 0 ? r : 0;
}

static int64_t try_accept(struct stack *s, struct handle *h, void *user)
{
	struct strata_stream *stream = user;
	struct sock_peer peer;
	return sock_accept(s, h->sock, &h->net->queue, &stream->h, &stream->h.sock, &peer);
}

struct strata_stream *strata_accept(struct strata_listener *listener)
{
	if (!listener) {
		net_enter(NULL);
		return NULL;
	}
	struct strata *n = listener->h.net;
	struct strata_stream *stream = malloc(sizeof *stream);
	if (!stream) {
		api_error(ERR_MEMORY);
		return NULL;
	}
	if (!net_enter(n))
		return NULL;
	handle_init(&stream->h, HANDLE_STREAM, n);
	stream->early = false;
	net_leave(n);
	if (handle_call(&listener->h, try_accept, stream) >= 0)
		return stream;
	net_enter(n);
	handle_end(&stream->h);
	net_leave(n);
	free(stream);
	return NULL;
}

/* ---- reading and writing ---- */

struct transfer {
	uint8_t *to;
	const uint8_t *from;
	size_t size, done;
};

static int64_t try_read(struct stack *s, struct handle *h, void *user)
{
	struct transfer *t = user;
	return sock_read(s, h->sock, t->to, t->size);
}

ssize_t strata_read(struct strata_stream *stream, void *to, size_t size)
{
	struct transfer t = { .to = to, .size = size };
	if (stream && size == 0)
		return 0;
	return handle_call(stream_handle(stream), try_read, &t);
}

static int64_t try_read_all(struct stack *s, struct handle *h, void *user)
{
	struct transfer *t = user;
	while (t->done < t->size) {
		int64_t n = sock_read(s, h->sock, t->to + t->done, t->size - t->done);
		if (n < 0)
			return n;
		if (n == 0)
			break;
		t->done += (size_t)n;
	}
	return (int64_t)t->done;
}

ssize_t strata_read_all(struct strata_stream *stream, void *to, size_t size)
{
	struct transfer t = { .to = to, .size = size };
	return handle_call(stream_handle(stream), try_read_all, &t);
}

static int64_t try_write(struct stack *s, struct handle *h, void *user)
{
	struct transfer *t = user;
	return sock_write(s, h->sock, t->from, t->size);
}

ssize_t strata_write(struct strata_stream *stream, const void *from, size_t size)
{
	struct transfer t = { .from = from, .size = size };
	if (stream && size == 0)
		return 0;
	return handle_call(stream_handle(stream), try_write, &t);
}

static int64_t try_write_all(struct stack *s, struct handle *h, void *user)
{
	struct transfer *t = user;
	while (t->done < t->size) {
		int64_t n = sock_write(s, h->sock, t->from + t->done, t->size - t->done);
		if (n < 0)
			return n;
		t->done += (size_t)n;
	}
	return 0;
}

int strata_write_all(struct strata_stream *stream, const void *from, size_t size)
{
	struct transfer t = { .from = from, .size = size };
	return (int)handle_call(stream_handle(stream), try_write_all, &t);
}

/* ---- ending ---- */

/* A call that never waits. */
static int simple(struct handle *h, int (*call)(struct stack *s, sock_id id))
{
	struct stack *s = net_enter(h ? h->net : NULL);
	if (!s)
		return -ERR_ARGUMENT;
	int r = call(s, h->sock);
	if (r < 0)
		api_error(r);
	net_leave(h->net);
	return r < 0 ? r : 0;
}

int strata_shutdown(struct strata_stream *stream)
{
	return simple(stream_handle(stream), sock_shutdown);
}

static void end_stream(struct strata_stream *stream, int (*how)(struct stack *s, sock_id id))
{
	if (!stream)
		return;
	struct strata *n = stream->h.net;
	how(net_enter(n), stream->h.sock);
	handle_end(&stream->h);
	net_leave(n);
	free(stream);
}

void strata_stream_close(struct strata_stream *stream)
{
	end_stream(stream, sock_close);
}

void strata_stream_abort(struct strata_stream *stream)
{
	end_stream(stream, sock_abort);
}

/* Has the peer acknowledged everything, or has the connection died? */
static bool all_acknowledged(void *user)
{
	const struct handle *h = user;
	struct sock_tcp_info info;
	struct stack *s = h->net->site->stack;
	if (sock_error(s, h->sock) || sock_tcp_info(s, h->sock, &info) < 0)
		return true;
	return info.unsent == 0 && info.unacked == 0;
}

int strata_flush(struct strata_stream *stream)
{
	struct stack *s = net_enter(stream ? stream->h.net : NULL);
	if (!s)
		return -ERR_ARGUMENT;
	struct handle *h = &stream->h;
	enum error e = ERR_OK;
	if (!all_acknowledged(h))
		e = h->limit
			? net_await(h->net, net_deadline(h->net, h->limit), all_acknowledged, h)
			: ERR_AGAIN;
	int r = e ? net_fail(h->net, e) : 0;
	if (!r && sock_error(net_use(h->net), h->sock))
		r = api_error((int)sock_error(s, h->sock));
	net_leave(h->net);
	return r;
}

/* ---- settings and state ---- */

static void set_limit(struct handle *h, int64_t limit)
{
	if (!net_enter(h ? h->net : NULL))
		return;
	h->limit = limit < 0 ? STRATA_FOREVER : limit;
	net_leave(h->net);
}

void strata_stream_set_timeout(struct strata_stream *stream, int64_t limit)
{
	set_limit(stream_handle(stream), limit);
}

void strata_listener_set_timeout(struct strata_listener *listener, int64_t limit)
{
	set_limit(listener_handle(listener), limit);
}

void strata_udp_set_timeout(struct strata_udp *udp, int64_t limit)
{
	set_limit(udp_handle(udp), limit);
}

static int no_nagle(struct stack *s, sock_id id)
{
	return sock_set_nodelay(s, id, true);
}

static int nagle(struct stack *s, sock_id id)
{
	return sock_set_nodelay(s, id, false);
}

int strata_stream_set_nodelay(struct strata_stream *stream, bool on)
{
	return simple(stream_handle(stream), on ? no_nagle : nagle);
}

static int keepalive(struct stack *s, sock_id id)
{
	return sock_set_keepalive(s, id, true);
}

static int no_keepalive(struct stack *s, sock_id id)
{
	return sock_set_keepalive(s, id, false);
}

int strata_stream_set_keepalive(struct strata_stream *stream, bool on)
{
	return simple(stream_handle(stream), on ? keepalive : no_keepalive);
}

int strata_stream_info(struct strata_stream *stream, struct strata_stream_info *out)
{
	struct stack *s = net_enter(stream ? stream->h.net : NULL);
	if (!s)
		return -ERR_ARGUMENT;
	struct sock_tcp_info i;
	struct sock_peer local, remote;
	int r = sock_tcp_info(s, stream->h.sock, &i);
	if (r >= 0)
		r = sock_name(s, stream->h.sock, &local, &remote);
	net_leave(stream->h.net);
	if (r < 0)
		return api_error(r);
	*out = (struct strata_stream_info){
		.local = address_out(&local.address, local.port),
		.remote = address_out(&remote.address, remote.port),
		.state = i.state,
		.wait = i.wait,
		.rtt = i.srtt,
		.rtt_var = i.rttvar,
		.rto = i.rto,
		.congestion_window = i.cwnd,
		.slow_start_threshold = i.ssthresh,
		.in_flight = i.in_flight,
		.send_window = i.snd_wnd,
		.receive_window = i.rcv_wnd,
		.mss = i.mss,
		.timestamps = i.timestamps,
		.sack = i.sack,
		.early_sent = stream->early,
		.early_taken = i.fast_open,
		.bytes_sent = i.bytes_sent,
		.bytes_acked = i.bytes_acked,
		.bytes_received = i.bytes_received,
		.bytes_retransmitted = i.bytes_retransmitted,
		.segments_sent = i.segments_sent,
		.segments_received = i.segments_received,
		.retransmits = i.retransmits,
		.timeouts = i.rtos,
		.unread = i.unread,
		.unsent = i.unsent,
		.unacked = i.unacked,
		.ecn = i.ecn,
		.ecn_accurate = i.ecn_accurate,
		.ce_received = i.ce_received,
		.ce_delivered = i.ce_delivered,
		.trouble = (enum strata_error)i.soft_error,
		.path_mtu = i.path_mtu,
		.mtu_probes = i.mtu_probes,
		.black_holes = i.black_holes,
		.user_timeout = i.user_timeout,
		.peer_timeout = i.peer_timeout,
	};
	return 0;
}
