/*
 * Each state of a connection has one step, which does what can be done now and
 * says whether to go on (in whatever state it left), to wait for an event, or
 * that the connection is gone. http_conn_run repeats steps; each takes bytes from
 * a queue or puts some in, so it ends.
 *
 *	IDLE -> QUEUED -> HEAD -> BODY -> RESPOND -> SEND -> IDLE
 *	                    \________________/   \      \-> LINGER -> gone
 *
 * A refusal goes from wherever it arises to RESPOND, and ends in LINGER.
 */
#include "application/http/http_conn.h"

#define SPANS        4
#define LINGER_BYTES (1 << 20)
#define CHUNK_DATA   1400 /* of a body of unknown length */
#define CHUNK_ROOM   (CHUNK_DATA + HTTP1_CHUNK_FRAME_MAX)

enum conn_step { STEP_ON, STEP_WAIT, STEP_GONE };

/* ---- time ---- */

void http_conn_deadline(struct http_server *h, struct http_conn *c, nanotime now, nanodiff after)
{
	c->deadline = now + after;
	/* A later deadline needs no arming: the timer fires, sees it, and is armed again. */
	if (!timer_armed(&c->timer) || c->timer.deadline > c->deadline)
		wheel_arm(&h->wheel, &c->timer, c->deadline);
}

static void enter(struct http_server *h, struct http_conn *c, enum http_conn_state state,
	nanotime now, nanodiff after)
{
	c->state = (uint8_t)state;
	c->moved = 0;
	http_conn_deadline(h, c, now, after);
}

/* ---- the end of a response, and of a connection ---- */

static void log_access(
	struct http_server *h, struct http_conn *c, nanotime now, bool complete, const char *reason)
{
	struct http_access a = { .peer = c->peer,
		.method = span_of(c->method, c->method_len),
		.target = span_of(c->target, c->target_len),
		.status = c->status,
		.bytes = c->sent,
		.started = c->started,
		.duration = now - c->started,
		.complete = complete,
		.reason = reason ? reason : "" };

	h->counters.body_bytes += c->sent;
	if (c->status)
		h->counters.status[c->status / 100]++;
	if (h->config.log)
		h->config.log(h->config.log_user, &a);
}

void http_head_give(struct http_server *h, struct http_conn *c)
{
	if (!c->head)
		return;
	pool_give(&h->heads, c->head);
	c->head = NULL;
	struct list *next = list_pop_front(&h->queued);
	if (next)
		list_push_back(&h->runnable, next);
}

/* Forgets the request and response: ready for the next. */
static void reset_request(struct http_server *h, struct http_conn *c)
{
	if (c->open)
		h->config.content->close(h->config.content_user, &c->entity);
	c->open = false;
	http_head_give(h, c);
	c->status = 0;
	c->reason = NULL;
	c->fixed_status = c->head_only = c->chunked = false;
	c->sent = c->left = 0;
	c->method_len = c->target_len = 0;
}

/* Has a request begun that has not got its whole response? */
static bool under_way(const struct http_conn *c)
{
	if (c->state == HTTP_CONN_HEAD)
		return http1_parser_begun(&c->head->parser);
	return c->state == HTTP_CONN_BODY || c->state == HTTP_CONN_RESPOND ||
		c->state == HTTP_CONN_SEND;
}

void http_conn_close(struct http_server *h, struct http_conn *c, struct stack *s, nanotime now,
	bool reset, const char *reason)
{
	if (under_way(c)) {
		h->counters.aborted++;
		log_access(h, c, now, false, reason);
	}
	list_remove(&c->link); /* before the head is given: not to be woken by that */
	reset_request(h, c);
	wheel_disarm(&h->wheel, &c->timer);
	list_remove(&c->all);
	if (reset)
		sock_abort(s, c->sock);
	else
		sock_close(s, c->sock);
	http_hosts_give(&h->hosts, c->host);
	if (!c->refused)
		h->counters.connections--;
	pool_give(&h->pool, c);
}

static enum conn_step over(
	struct http_server *h, struct http_conn *c, struct stack *s, nanotime now)
{
	http_conn_close(h, c, s, now, false, "the client ended the connection");
	return STEP_GONE;
}

/* The response is in the send queue. */
static enum conn_step finish(
	struct http_server *h, struct http_conn *c, struct stack *s, nanotime now)
{
	log_access(h, c, now, true, c->reason);
	reset_request(h, c);
	if (c->keep_alive && !h->stopping) {
		enter(h, c, HTTP_CONN_IDLE, now, h->config.idle_timeout);
		return STEP_ON;
	}
	/* RFC 9112 9.6: a close in two steps, so that no RST overtakes the response. */
	sock_shutdown(s, c->sock);
	enter(h, c, HTTP_CONN_LINGER, now, h->config.linger);
	return STEP_ON;
}

/* ---- reading ---- */

enum input { INPUT_NONE, INPUT_SOME, INPUT_OVER };

/* Is there something to read? */
static enum input probe(struct stack *s, const struct http_conn *c)
{
	uint8_t byte;

	if (sock_readable(s, c->sock) > 0)
		return INPUT_SOME;
	int64_t n = sock_read(s, c->sock, &byte, 0);
	if (n == -ERR_AGAIN)
		return INPUT_NONE;
	return INPUT_OVER;
}

static enum conn_step step_idle(
	struct http_server *h, struct http_conn *c, struct stack *s, nanotime now)
{
	switch (probe(s, c)) {
	case INPUT_NONE: return STEP_WAIT;
	case INPUT_OVER: return over(h, c, s, now);
	case INPUT_SOME: break;
	}
	c->started = now;
	c->draining = false;
	enter(h, c, HTTP_CONN_QUEUED, now, h->config.head_timeout);
	return STEP_ON;
}

static enum conn_step step_queued(struct http_server *h, struct http_conn *c, nanotime now)
{
	struct http_head_buffer *b = pool_take(&h->heads);
	nanodiff left = c->started + h->config.head_timeout - now;

	if (!b) {
		if (!list_linked(&c->link))
			list_push_back(&h->queued, &c->link);
		return STEP_WAIT;
	}
	list_remove(&c->link);
	b->field = (struct http1_field *)(b + 1);
	b->storage = (uint8_t *)(b->field + h->config.limits.fields);
	http1_parser_begin(&b->parser, false, &h->config.limits, b->storage, b->field);
	c->head = b;
	enter(h, c, HTTP_CONN_HEAD, now, left > 0 ? left : 0);
	return STEP_ON;
}

static enum conn_step step_head(
	struct http_server *h, struct http_conn *c, struct stack *s, nanotime now)
{
	struct http1_parser *p = &c->head->parser;
	enum http1_progress progress = HTTP1_MORE;
	struct span in[SPANS];
	size_t used, taken = 0;

	int spans = sock_peek(s, c->sock, in, SPANS);
	for (int i = 0; i < spans && progress == HTTP1_MORE; i++) {
		progress = http1_parser_feed(p, in[i], &used);
		taken += used;
	}
	if (taken)
		sock_consume(s, c->sock, taken);
	if (progress == HTTP1_MORE) {
		switch (probe(s, c)) {
		case INPUT_NONE: return STEP_WAIT;
		case INPUT_OVER: return over(h, c, s, now);
		case INPUT_SOME: return STEP_ON;
		}
	}
	if (progress == HTTP1_FAULT) {
		const struct http1_error_info *info = http1_error_info(p->error);
		http_refuse(c, info->status, info->text);
	} else {
		http_understand(h, c, s);
	}
	bool body = progress == HTTP1_DONE && c->body.framing != HTTP1_BODY_NONE;
	enter(h, c, body ? HTTP_CONN_BODY : HTTP_CONN_RESPOND, now, h->config.stall_window);
	return STEP_ON;
}

/* Drops bytes of the request's body from one span; *used counts them. True at its end. */
static bool drop_body(struct http_server *h, struct http_conn *c, struct span in, size_t *used)
{
	struct span data;

	if (c->body.framing == HTTP1_BODY_LENGTH) {
		*used = in.len < c->body.length ? in.len : (size_t)c->body.length;
		c->body.length -= *used;
		return c->body.length == 0;
	}
	*used = 0;
	while (*used < in.len) {
		size_t piece;
		enum http1_progress p = http1_chunked_feed(
			&c->coding, span_after(in, *used), &piece, &data);
		*used += piece;
		if (p == HTTP1_FAULT) {
			const struct http1_error_info *info = http1_error_info(c->coding.error);
			http_refuse(c, info->status, info->text);
		} else if (c->coding.total > h->config.body_max) {
			http_refuse(c, 413, "request body is larger than allowed");
		} else if (p == HTTP1_MORE) {
			continue;
		}
		return true;
	}
	return false;
}

static enum conn_step step_body(
	struct http_server *h, struct http_conn *c, struct stack *s, nanotime now)
{
	struct span in[SPANS];
	size_t used, taken = 0;
	bool end = c->body.framing == HTTP1_BODY_LENGTH && c->body.length == 0;

	int spans = end ? 0 : sock_peek(s, c->sock, in, SPANS);
	for (int i = 0; i < spans && !end; i++) {
		end = drop_body(h, c, in[i], &used);
		taken += used;
	}
	if (taken)
		sock_consume(s, c->sock, taken);
	c->moved += taken;
	if (end) {
		enter(h, c, HTTP_CONN_RESPOND, now, h->config.stall_window);
		return STEP_ON;
	}
	switch (probe(s, c)) {
	case INPUT_NONE: return STEP_WAIT;
	case INPUT_OVER: return over(h, c, s, now);
	default: return STEP_ON;
	}
}

static enum conn_step step_linger(
	struct http_server *h, struct http_conn *c, struct stack *s, nanotime now)
{
	struct span in[SPANS];
	size_t taken = 0;
	int spans = sock_peek(s, c->sock, in, SPANS);

	for (int i = 0; i < spans; i++)
		taken += in[i].len;
	if (taken)
		sock_consume(s, c->sock, taken);
	c->moved += taken;
	if (c->moved > LINGER_BYTES)
		return over(h, c, s, now);
	switch (probe(s, c)) {
	case INPUT_NONE: return STEP_WAIT;
	case INPUT_OVER: return over(h, c, s, now);
	default: return STEP_ON;
	}
}

/* ---- writing ---- */

static enum conn_step step_respond(
	struct http_server *h, struct http_conn *c, struct stack *s, nanotime now)
{
	if (sock_error(s, c->sock) != ERR_OK)
		return over(h, c, s, now);
	if (!http_respond(h, c, s, now)) {
		sock_want_room(s, c->sock);
		return STEP_WAIT;
	}
	http_head_give(h, c);
	enter(h, c, HTTP_CONN_SEND, now, h->config.stall_window);
	return STEP_ON;
}

static enum conn_step provider_failed(
	struct http_server *h, struct http_conn *c, struct stack *s, nanotime now)
{
	http_conn_close(h, c, s, now, true, "the content ended early or could not be read");
	return STEP_GONE;
}

static void count_sent(struct http_conn *c, size_t n)
{
	c->at += n;
	c->sent += n;
	c->moved += n;
}

/* A body of known length: as much as the send queue takes. */
static enum conn_step send_known(
	struct http_server *h, struct http_conn *c, struct stack *s, nanotime now)
{
	while (c->left > 0) {
		size_t want = c->left < SIZE_MAX / 2 ? (size_t)c->left : SIZE_MAX / 2, got;
		int64_t n;
		if (c->entity.bytes) {
			n = sock_write(s, c->sock, c->entity.bytes + c->at, want);
			if (n <= 0)
				return STEP_WAIT;
		} else {
			uint8_t *room = sock_reserve(s, c->sock, want, &got);
			if (!room)
				return STEP_WAIT;
			n = h->config.content->read(h->config.content_user, &c->entity, c->at, room,
				got < want ? got : want);
			if (n <= 0)
				return provider_failed(h, c, s, now);
			sock_commit(s, c->sock, (size_t)n);
		}
		count_sent(c, (size_t)n);
		c->left -= (uint64_t)n;
	}
	return finish(h, c, s, now);
}

/* A body of unknown length: in chunks, or plain until the connection closes (HTTP/1.0). */
static enum conn_step send_unknown(
	struct http_server *h, struct http_conn *c, struct stack *s, nanotime now)
{
	uint8_t data[CHUNK_DATA], frame[CHUNK_ROOM];

	while (sock_room(s, c->sock) >= CHUNK_ROOM) {
		int64_t n = h->config.content->read(
			h->config.content_user, &c->entity, c->at, data, sizeof data);
		if (n < 0)
			return provider_failed(h, c, s, now);
		if (n == 0) {
			if (c->chunked)
				sock_write(
					s, c->sock, HTTP1_CHUNK_LAST, sizeof HTTP1_CHUNK_LAST - 1);
			return finish(h, c, s, now);
		}
		struct span piece = span_of(data, (size_t)n);
		if (c->chunked)
			piece = span_of(frame, http1_chunk_emit(piece, frame, sizeof frame));
		else
			memcpy(frame, data, piece.len);
		if (sock_write(s, c->sock, frame, piece.len) != (int64_t)piece.len)
			return provider_failed(h, c, s, now);
		count_sent(c, (size_t)n);
	}
	sock_want_room(s, c->sock);
	return STEP_WAIT;
}

static enum conn_step step_send(
	struct http_server *h, struct http_conn *c, struct stack *s, nanotime now)
{
	if (sock_error(s, c->sock) != ERR_OK)
		return over(h, c, s, now);
	if (c->left == HTTP_LENGTH_UNKNOWN)
		return send_unknown(h, c, s, now);
	return send_known(h, c, s, now);
}

/* ---- from the server ---- */

void http_conn_run(struct http_server *h, struct http_conn *c, struct stack *s, nanotime now)
{
	enum conn_step step = STEP_ON;

	while (step == STEP_ON) {
		switch ((enum http_conn_state)c->state) {
		case HTTP_CONN_IDLE: step = step_idle(h, c, s, now); break;
		case HTTP_CONN_QUEUED: step = step_queued(h, c, now); break;
		case HTTP_CONN_HEAD: step = step_head(h, c, s, now); break;
		case HTTP_CONN_BODY: step = step_body(h, c, s, now); break;
		case HTTP_CONN_RESPOND: step = step_respond(h, c, s, now); break;
		case HTTP_CONN_SEND: step = step_send(h, c, s, now); break;
		case HTTP_CONN_LINGER: step = step_linger(h, c, s, now); break;
		}
	}
}

/* Bytes that a stall window must have moved. */
static uint64_t rate_due(const struct http_server *h)
{
	uint64_t seconds = (uint64_t)(h->config.stall_window / NANO_S);
	return h->config.rate_min ? h->config.rate_min * seconds : 1;
}

/*
 * Nothing is to be said any more; but does the peer still take what stands in the
 * send queue? A connection whose peer never reads must not hold its memory for ever.
 */
static void expire_quiet(struct http_server *h, struct http_conn *c, struct stack *s, nanotime now)
{
	struct sock_tcp_info info;
	bool waiting = sock_tcp_info(s, c->sock, &info) == 0 && info.unacked + info.unsent > 0;
	bool stuck = c->draining && info.bytes_acked - c->acked < rate_due(h);

	if (!waiting || stuck) {
		http_conn_close(h, c, s, now, waiting, NULL);
		return;
	}
	c->draining = true;
	c->acked = info.bytes_acked;
	enter(h, c, c->state, now, h->config.stall_window);
}

/* It took too long: ends with this status. */
static void expire_with(struct http_server *h, struct http_conn *c, struct stack *s, nanotime now,
	unsigned status, const char *reason)
{
	h->counters.timeouts++;
	http_refuse(c, status, reason);
	enter(h, c, HTTP_CONN_RESPOND, now, h->config.stall_window);
	http_conn_run(h, c, s, now);
}

void http_conn_expire(struct http_server *h, struct http_conn *c, struct stack *s, nanotime now)
{
	if (now < c->deadline) {
		wheel_arm(&h->wheel, &c->timer, c->deadline);
		return;
	}
	switch ((enum http_conn_state)c->state) {
	case HTTP_CONN_IDLE:
	case HTTP_CONN_LINGER: expire_quiet(h, c, s, now); return;
	case HTTP_CONN_QUEUED:
		list_remove(&c->link);
		expire_with(h, c, s, now, 503, "too many requests are being read");
		return;
	case HTTP_CONN_HEAD:
		expire_with(h, c, s, now, 408, "the request's head took too long");
		return;
	case HTTP_CONN_BODY:
		if (c->moved < rate_due(h)) {
			expire_with(h, c, s, now, 408, "the request's body came too slowly");
			return;
		}
		break;
	case HTTP_CONN_RESPOND:
	case HTTP_CONN_SEND:
		if (c->moved < rate_due(h)) {
			h->counters.timeouts++;
			http_conn_close(h, c, s, now, true, "the client read too slowly");
			return;
		}
	}
	enter(h, c, c->state, now, h->config.stall_window);
	http_conn_run(h, c, s, now);
}
