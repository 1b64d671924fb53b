/*
 * An exchange writes its request as the send queue takes it, and reads at the
 * same time: a server may answer before it has read all (RFC 9112 9.5). Response
 * bytes stay in the receive queue until the caller takes them: `run` lends the
 * body bytes at its front, cleaned of their coding; what the coding takes is
 * consumed on the way.
 */
#include "application/http/http_exchange.h"

static bool span_is(struct span s, const char *literal)
{
	size_t len = 0;
	while (literal[len])
		len++;
	return span_equal(s, span_of(literal, len));
}

/* ---- the end ---- */

static void drop_connection(struct http_client *c, struct http_slot *slot, nanotime now, bool reset)
{
	dial_cancel(&slot->x.dial, c->stack, now, ERR_ABORTED);
	if (!slot->x.sock)
		return;
	if (reset)
		sock_abort(c->stack, slot->x.sock);
	else
		sock_close(c->stack, slot->x.sock);
	slot->x.sock = 0;
	slot->connected = false;
}

void http_slot_fail(struct http_client *c, struct http_slot *slot, enum http_problem problem,
	enum error error, nanotime now)
{
	if (slot->x.problem || slot->x.step == HTTP_DONE)
		return;
	slot->x.problem = problem;
	slot->x.error = error;
	slot->run.len = 0;
	c->counters.failed++;
	drop_connection(c, slot, now, true);
	list_remove(&slot->link);
}

static bool all_sent(const struct http_slot *slot)
{
	return slot->head_sent == slot->head_len && slot->body_sent == slot->request.body.len;
}

static void finish(struct http_client *c, struct http_slot *slot, nanotime now)
{
	struct http_exchange *x = &slot->x;

	x->step = HTTP_DONE;
	x->times.last_byte = now;
	list_remove(&slot->link);
	/* Bytes behind the response belong to nothing that we asked for. */
	bool clean = all_sent(slot) && x->framing.framing != HTTP1_BODY_CLOSE &&
		http1_keep_alive(x->head) && sock_readable(c->stack, x->sock) == 0;
	if (clean)
		http_client_keep(c, slot, now);
	else
		sock_close(c->stack, x->sock);
	x->sock = 0;
}

/*
 * The connection ended before a byte of the response. A kept one may have been
 * closed by the server while our request was on its way: that is nobody's fault.
 */
static void ended_early(
	struct http_client *c, struct http_slot *slot, enum error error, nanotime now)
{
	struct http_exchange *x = &slot->x;

	if (x->times.first_byte != NANOTIME_NEVER) {
		http_slot_fail(c, slot, HTTP_PROBLEM_TRUNCATED, error, now);
	} else if (x->reused && slot->idempotent) {
		c->counters.stale++;
		x->resent++;
		drop_connection(c, slot, now, true);
		http_slot_begin(c, slot, 0, now);
	} else {
		http_slot_fail(c, slot, error == ERR_OK ? HTTP_PROBLEM_EMPTY : HTTP_PROBLEM_RESET,
			error, now);
	}
}

/* ---- connecting ---- */

void http_slot_begin(struct http_client *c, struct http_slot *slot, sock_id sock, nanotime now)
{
	struct sock_options o = { .queue = &c->queue, .user = slot, .nodelay = true };
	struct http_exchange *x = &slot->x;

	slot->head_sent = slot->body_sent = 0;
	slot->moved = now;
	x->times.request_started = x->times.request_sent = NANOTIME_NEVER;
	x->sock = sock;
	x->reused = sock != 0;
	x->needs_addresses = !sock;
	http1_parser_begin(&slot->parser, true, &c->config.limits, slot->storage, slot->field);
	dial_begin(&x->dial, &o, slot->request.port, c->config.stagger);
	if (sock) {
		slot->connected = true;
		x->step = HTTP_SEND;
		sock_attach(c->stack, sock, &c->queue, slot);
		sock_name(c->stack, sock, &x->local, &x->remote);
	} else {
		x->step = HTTP_CONNECT;
	}
}

static void connect_on(struct http_client *c, struct http_slot *slot, nanotime now)
{
	struct http_exchange *x = &slot->x;

	if (x->dial.count == 0 && x->dial.more)
		return;
	if (x->times.connect_started == NANOTIME_NEVER) {
		x->times.connect_started = now;
		slot->deadline = now + c->config.connect_timeout;
	}
	int64_t sock = dial_run(&x->dial, c->stack, now);
	if (sock < 0) {
		bool family = dial_family_mismatch(&x->dial);
		http_slot_fail(c, slot, family ? HTTP_PROBLEM_FAMILY : HTTP_PROBLEM_CONNECT,
			(enum error) - sock, now);
	} else if (sock > 0) {
		x->sock = (sock_id)sock;
		x->times.connected = now;
		x->step = HTTP_SEND;
		slot->connected = true;
		slot->moved = now;
		c->counters.connections++;
		sock_name(c->stack, x->sock, &x->local, &x->remote);
	}
}

/* ---- the request ---- */

/* Writes what it can of one part. False: the queue is full, or the connection dead. */
static bool write_part(struct http_client *c, struct http_slot *slot, const uint8_t *at, size_t len,
	size_t *sent, nanotime now)
{
	while (*sent < len) {
		int64_t n = sock_write(c->stack, slot->x.sock, at + *sent, len - *sent);
		if (n <= 0)
			return false;
		*sent += (size_t)n;
		slot->moved = now;
	}
	return true;
}

static void write_request(struct http_client *c, struct http_slot *slot, nanotime now)
{
	struct http_exchange *x = &slot->x;

	if (x->times.request_sent != NANOTIME_NEVER)
		return;
	if (x->times.request_started == NANOTIME_NEVER)
		x->times.request_started = now;
	if (!write_part(c, slot, slot->head, slot->head_len, &slot->head_sent, now) ||
		!write_part(c, slot, slot->request.body.at, slot->request.body.len,
			&slot->body_sent, now))
		return;
	x->times.request_sent = now;
	if (x->step == HTTP_SEND)
		x->step = HTTP_WAIT;
}

/* ---- the response's head ---- */

static void refuse(struct http_client *c, struct http_slot *slot, enum http1_error e, nanotime now)
{
	slot->x.syntax = e;
	http_slot_fail(c, slot, HTTP_PROBLEM_SYNTAX, ERR_MALFORMED, now);
}

/* A complete head. False: the exchange has failed. */
static bool take_head(struct http_client *c, struct http_slot *slot, nanotime now)
{
	const struct http1_head *head = &slot->parser.head;
	struct http_exchange *x = &slot->x;
	enum http1_error e = http1_response_body(head, slot->request.method, &x->framing);

	if (e) {
		refuse(c, slot, e, now);
	} else if (x->framing.framing == HTTP1_BODY_TUNNEL) {
		http_slot_fail(c, slot, HTTP_PROBLEM_UPGRADE, ERR_UNSUPPORTED, now);
	} else if (head->status / 100 == 1) {
		if (++x->interim > HTTP_INTERIM_MAX)
			http_slot_fail(c, slot, HTTP_PROBLEM_INTERIM, ERR_LIMIT, now);
		http1_parser_begin(
			&slot->parser, true, &c->config.limits, slot->storage, slot->field);
	} else {
		x->head = head;
		x->step = HTTP_BODY;
		x->times.head_done = now;
		slot->left = x->framing.length;
		http1_chunked_begin(&slot->coding, NULL, 0, NULL, 0);
		bool large = c->config.body_max && x->framing.framing == HTTP1_BODY_LENGTH &&
			x->framing.length > c->config.body_max;
		if (large)
			http_slot_fail(c, slot, HTTP_PROBLEM_TOO_LARGE, ERR_LIMIT, now);
	}
	return x->problem == HTTP_PROBLEM_NONE;
}

/* What the receive queue gives: 1 and *in, its front; 0: nothing yet; -1: over, *error says how. */
static int front(struct http_client *c, struct http_slot *slot, struct span *in, enum error *error)
{
	int n = sock_peek(c->stack, slot->x.sock, in, 1);

	if (n > 0)
		return 1;
	*error = n == 0 ? ERR_OK : (enum error) - n;
	return n == -ERR_AGAIN ? 0 : -1;
}

static void read_head(struct http_client *c, struct http_slot *slot, nanotime now)
{
	struct http_exchange *x = &slot->x;
	enum error error;
	struct span in;
	size_t used;

	while (!x->head && !x->problem && slot->connected) {
		int some = front(c, slot, &in, &error);
		if (some < 0)
			ended_early(c, slot, error, now);
		if (some <= 0)
			return;
		if (x->times.first_byte == NANOTIME_NEVER)
			x->times.first_byte = now;
		slot->moved = now;
		enum http1_progress p = http1_parser_feed(&slot->parser, in, &used);
		sock_consume(c->stack, x->sock, used);
		if (p == HTTP1_FAULT)
			refuse(c, slot, slot->parser.error, now);
		else if (p == HTTP1_DONE && !take_head(c, slot, now))
			return;
	}
}

/* ---- the response's body ---- */

static void lend(struct http_client *c, struct http_slot *slot, struct span run, nanotime now)
{
	slot->run = run;
	slot->total += run.len;
	slot->moved = now;
	if (c->config.body_max && slot->total > c->config.body_max)
		http_slot_fail(c, slot, HTTP_PROBLEM_TOO_LARGE, ERR_LIMIT, now);
}

static void lend_chunk(struct http_client *c, struct http_slot *slot, struct span in, nanotime now)
{
	struct span data;
	size_t used;
	enum http1_progress p = http1_chunked_feed(&slot->coding, in, &used, &data);

	/* What is not data stands before it: the data is the end of what was taken. */
	sock_consume(c->stack, slot->x.sock, used - data.len);
	slot->moved = now;
	if (p == HTTP1_FAULT)
		refuse(c, slot, slot->coding.error, now);
	else if (p == HTTP1_DONE)
		finish(c, slot, now);
	else if (data.len)
		lend(c, slot, data, now);
}

static void body_ended(
	struct http_client *c, struct http_slot *slot, enum error error, nanotime now)
{
	if (slot->x.framing.framing == HTTP1_BODY_CLOSE && error == ERR_OK)
		finish(c, slot, now);
	else
		http_slot_fail(c, slot, HTTP_PROBLEM_TRUNCATED, error, now);
}

/* Finds the next run of body bytes, or the end. */
static void read_body(struct http_client *c, struct http_slot *slot, nanotime now)
{
	struct http_exchange *x = &slot->x;
	enum error error;
	struct span in;

	while (x->step == HTTP_BODY && !x->problem && slot->run.len == 0) {
		enum http1_framing framing = x->framing.framing;
		if (framing == HTTP1_BODY_NONE ||
			(framing == HTTP1_BODY_LENGTH && slot->left == 0)) {
			finish(c, slot, now);
			return;
		}
		int some = front(c, slot, &in, &error);
		if (some < 0)
			body_ended(c, slot, error, now);
		if (some <= 0)
			return;
		if (framing == HTTP1_BODY_CHUNKED)
			lend_chunk(c, slot, in, now);
		else if (framing == HTTP1_BODY_LENGTH && in.len > slot->left)
			lend(c, slot, span_first(in, (size_t)slot->left), now);
		else
			lend(c, slot, in, now);
	}
}

int http_exchange_peek(struct http_client *c, struct http_exchange *x, struct span *out)
{
	struct http_slot *slot = list_entry(x, struct http_slot, x);

	if (x->step == HTTP_BODY && !x->problem && slot->run.len == 0)
		read_body(c, slot, stack_time(c->stack));
	if (x->problem)
		return x->error == ERR_OK ? -ERR_CLOSED : -(int)x->error;
	if (slot->run.len > 0) {
		*out = slot->run;
		return 1;
	}
	return x->step == HTTP_DONE ? 0 : -ERR_AGAIN;
}

void http_exchange_consume(struct http_client *c, struct http_exchange *x, size_t len)
{
	struct http_slot *slot = list_entry(x, struct http_slot, x);

	assert(len <= slot->run.len);
	if (len == 0)
		return;
	sock_consume(c->stack, x->sock, len);
	slot->run = span_after(slot->run, len);
	slot->moved = stack_time(c->stack);
	x->body_bytes += len;
	if (x->framing.framing == HTTP1_BODY_LENGTH)
		slot->left -= len;
	if (slot->run.len == 0)
		read_body(c, slot, slot->moved);
}

int64_t http_exchange_read(struct http_client *c, struct http_exchange *x, void *to, size_t cap)
{
	uint8_t *at = to;
	size_t total = 0;
	struct span run;

	while (total < cap) {
		int some = http_exchange_peek(c, x, &run);
		if (some <= 0)
			return total ? (int64_t)total : some;
		run = span_first(run, cap - total);
		memcpy(at + total, run.at, run.len);
		http_exchange_consume(c, x, run.len);
		total += run.len;
	}
	return (int64_t)total;
}

/* ---- from the client ---- */

void http_slot_run(struct http_client *c, struct http_slot *slot, nanotime now)
{
	struct http_exchange *x = &slot->x;

	if (x->problem || x->step == HTTP_DONE)
		return;
	if (!slot->connected)
		connect_on(c, slot, now);
	if (!slot->connected)
		return;
	write_request(c, slot, now);
	if (!x->head)
		read_head(c, slot, now);
	if (x->head)
		read_body(c, slot, now);
}

/* Whoever has bytes before him and does not take them keeps the server waiting, not we. */
static bool caller_waits(const struct http_slot *slot)
{
	return slot->run.len > 0;
}

nanotime http_slot_deadline(const struct http_client *c, const struct http_slot *slot)
{
	const struct http_exchange *x = &slot->x;

	if (!slot->connected) {
		if (x->times.connect_started == NANOTIME_NEVER)
			return x->dial.count ? 0 : NANOTIME_NEVER;
		return nanotime_min(slot->deadline, dial_deadline(&x->dial));
	}
	return caller_waits(slot) ? NANOTIME_NEVER : slot->moved + c->config.stall_timeout;
}

void http_slot_expire(struct http_client *c, struct http_slot *slot, nanotime now)
{
	struct http_exchange *x = &slot->x;

	if (now < http_slot_deadline(c, slot))
		return;
	bool dialling = !slot->connected &&
		(x->times.connect_started == NANOTIME_NEVER || now < slot->deadline);
	if (dialling)
		http_slot_run(c, slot, now);
	else
		http_slot_fail(c, slot, HTTP_PROBLEM_TIMEOUT, ERR_TIMEOUT, now);
}

void http_exchange_addresses(struct http_client *c, struct http_exchange *x,
	const struct addr *address, unsigned count, bool more)
{
	struct http_slot *slot = list_entry(x, struct http_slot, x);

	if (x->problem || x->step != HTTP_CONNECT)
		return;
	dial_add(&x->dial, address, count, more);
	x->needs_addresses = more;
	http_slot_run(c, slot, stack_time(c->stack));
}

/* May a request be sent twice without harm (RFC 9110 9.2.2)? */
bool http_method_idempotent(struct span method)
{
	static const char *const names[] = { "GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE" };
	for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++)
		if (span_is(method, names[i]))
			return true;
	return false;
}
