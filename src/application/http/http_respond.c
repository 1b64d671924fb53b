/*
 * A response's head is written when at least HTTP_RESPONSE_ROOM bytes are free
 * in the send queue, so it and the short text of a refusal always go in whole. It
 * is written in place where the queue has that much in one piece.
 */
#include "application/http/http_conn.h"
#include "application/http/http_path.h"
#include "application/http/http_select.h"
#include "base/text.h"

#define HEAD_MAX     1536
#define TEXT_MAX     256
#define PATH_MAX     1024
#define LOCATION_MAX 768

static_assert(
	HEAD_MAX + TEXT_MAX <= HTTP_RESPONSE_ROOM, "a refusal fits the room that is asked for");

static size_t length_of(const char *s)
{
	size_t len = 0;
	while (s[len])
		len++;
	return len;
}

static bool span_is(struct span s, const char *literal)
{
	return span_equal(s, span_of(literal, length_of(literal)));
}

void http_refuse(struct http_conn *c, unsigned status, const char *reason)
{
	c->status = status;
	c->reason = reason;
	c->fixed_status = true;
	c->keep_alive = false;
	c->body = (struct http1_body){ .framing = HTTP1_BODY_NONE };
}

/* ---- what a request asks ---- */

/* A refusal after which the connection goes on: the request's end is known. */
static void decline(struct http_conn *c, unsigned status, const char *reason)
{
	c->status = status;
	c->reason = reason;
	c->fixed_status = true;
}

static void judge_method(struct http_conn *c, struct span method)
{
	static const char *const known[] = { "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE",
		"CONNECT" };

	c->head_only = span_is(method, "HEAD");
	if (c->head_only || span_is(method, "GET"))
		return;
	for (unsigned i = 0; i < sizeof known / sizeof known[0]; i++) {
		if (span_is(method, known[i])) {
			decline(c, 405, "only GET and HEAD are served");
			return;
		}
	}
	decline(c, 501, "the method is not known");
}

/* RFC 9110 10.1.1 */
static void judge_expectation(struct http_conn *c, struct stack *s, const struct http1_head *head)
{
	static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";

	if (head->minor == 0 || !http1_field_find(head, "Expect"))
		return;
	if (!http1_list_has(head, "Expect", "100-continue")) {
		http_refuse(c, 417, "the expectation is not known");
		return;
	}
	if (c->body.framing == HTTP1_BODY_NONE)
		return;
	if (c->fixed_status)
		http_refuse(c, c->status, c->reason); /* the body shall not come */
	else if (sock_room(s, c->sock) >= sizeof go_on)
		sock_write(s, c->sock, go_on, sizeof go_on - 1);
}

static uint8_t copy_for_log(char *to, size_t cap, struct span from)
{
	struct span cut = span_first(from, cap);
	memcpy(to, cut.at, cut.len);
	return (uint8_t)cut.len;
}

void http_understand(struct http_server *h, struct http_conn *c, struct stack *s)
{
	const struct http1_head *head = &c->head->parser.head;

	h->counters.requests++;
	c->requests++;
	c->method_len = copy_for_log(c->method, sizeof c->method, head->method);
	c->target_len = copy_for_log(c->target, sizeof c->target, head->target);
	c->keep_alive = http1_keep_alive(head) && !h->stopping &&
		(!h->config.requests_max || c->requests < h->config.requests_max);
	http1_request_body(head, &c->body);
	http1_chunked_begin(&c->coding, NULL, 0, NULL, 0);
	judge_method(c, head->method);
	if (c->body.framing == HTTP1_BODY_LENGTH && c->body.length > h->config.body_max)
		http_refuse(c, 413, "request body is larger than allowed");
	else
		judge_expectation(c, s, head);
}

/* ---- what it gets ---- */

static unsigned status_of_error(int error)
{
	switch (-error) {
	case ERR_NOT_FOUND: return 404;
	case ERR_PERMISSION: return 403;
	case ERR_TOO_MANY:
	case ERR_MEMORY: return 503;
	default: return 500;
	}
}

static int open_entity(struct http_server *h, struct http_conn *c, struct span path)
{
	c->entity = (struct http_entity){ .modified = HTTP_TIME_UNKNOWN };
	int error = h->config.content->open(h->config.content_user, path, &c->entity);
	c->open = error == 0 && !c->entity.directory;
	return error;
}

/* Opens what a decoded path names: for a folder its index, or what the provider makes of it. */
static int open_path(struct http_server *h, struct http_conn *c, char *path, size_t *len)
{
	size_t index = length_of(h->config.index);

	if (path[*len - 1] != '/')
		return open_entity(h, c, span_of(path, *len));
	if (*len + index < PATH_MAX) {
		memcpy(path + *len, h->config.index, index);
		int error = open_entity(h, c, span_of(path, *len + index));
		if (error != -ERR_NOT_FOUND && !c->entity.directory) {
			*len += index;
			return error;
		}
	}
	int error = open_entity(h, c, span_of(path, *len));
	return error == 0 && c->entity.directory ? -ERR_NOT_FOUND : error;
}

/* "/folder" is "/folder/", or its page's relative links would lead astray. */
static bool redirect(struct span path, const struct http1_target *target, char *out)
{
	size_t len = http_path_encode(path, out, LOCATION_MAX - 2);
	size_t query = target->has_query ? 1 + target->query.len : 0;

	if (len == 0 || len + 1 + query >= LOCATION_MAX)
		return false;
	out[len++] = '/';
	if (query) {
		out[len++] = '?';
		memcpy(out + len, target->query.at, target->query.len);
		len += target->query.len;
	}
	out[len] = '\0';
	return true;
}

struct found {
	struct http_selection selection;
	const char *type;
	char location[LOCATION_MAX]; /* 301 */
};

static void not_found(struct http_conn *c, struct found *f, unsigned status, const char *reason)
{
	c->reason = reason;
	f->selection.status = status;
}

static void find(struct http_server *h, struct http_conn *c, int64_t wall, struct found *f)
{
	const struct http1_head *head = &c->head->parser.head;
	struct http1_target target;
	char path[PATH_MAX];
	size_t len;

	http1_target(head, &target);
	if (target.path.len == 0)
		target.path = span_of("/", 1);
	switch (http_path_decode(target.path, path, sizeof path, &len)) {
	case HTTP_PATH_OK: break;
	case HTTP_PATH_LONG: not_found(c, f, 414, "the path is too long"); return;
	case HTTP_PATH_FORM: not_found(c, f, 400, "the path is malformed"); return;
	case HTTP_PATH_CLIMB: not_found(c, f, 400, "the path leads upwards"); return;
	}
	int error = open_path(h, c, path, &len);
	if (error < 0) {
		not_found(c, f, status_of_error(error), NULL);
		return;
	}
	if (c->entity.directory) {
		bool there = redirect(span_of(path, len), &target, f->location);
		not_found(c, f, there ? 301 : 404, NULL);
		return;
	}
	f->type = c->entity.type ? c->entity.type : http_media_type(span_of(path, len));
	f->selection = http_select(head, &c->entity, wall);
}

/* ---- writing it ---- */

/* Lines that are known to be right: our own, or built and checked before. */
#define put_line(b, literal) write_bytes(&(b)->w, span_of(literal "\r\n", sizeof literal + 1))

/* Date and Server change once a second, so they are built once a second. */
static void put_second(struct http_server *h, struct http1_builder *b, int64_t wall)
{
	if (wall != h->second || h->second_len == 0) {
		struct http1_builder line = { .w = writer_of(h->second_lines, HTTP_SECOND_MAX) };
		char date[HTTP_DATE_MAX];
		http_date_format(wall, date);
		http1_build_field(&line, "Date", span_of(date, HTTP_DATE_MAX - 1));
		if (h->config.name)
			http1_build_string(&line, "Server", h->config.name);
		assert(!line.w.failed);
		h->second = wall;
		h->second_len = line.w.len;
	}
	write_bytes(&b->w, span_of(h->second_lines, h->second_len));
}

static void put_common(
	struct http_server *h, struct http_conn *c, struct http1_builder *b, int64_t wall)
{
	put_second(h, b, wall);
	if (!c->keep_alive)
		put_line(b, "Connection: close");
	else if (c->head && c->head->parser.head.minor == 0)
		put_line(b, "Connection: keep-alive");
}

/* A site's pages tend to share their time, or to be asked for again: the last one is kept. */
static void put_modified(struct http_server *h, struct http1_builder *b, int64_t modified)
{
	if (modified != h->modified || !h->modified_text[0]) {
		h->modified = modified;
		http_date_format(modified, h->modified_text);
	}
	http1_build_field(b, "Last-Modified", span_of(h->modified_text, HTTP_DATE_MAX - 1));
}

static void put_validators(
	struct http_server *h, struct http1_builder *b, const struct http_entity *e)
{
	if (e->modified != HTTP_TIME_UNKNOWN)
		put_modified(h, b, e->modified);
	if (e->etag[0])
		http1_build_string(b, "ETag", e->etag);
}

static void put_range(
	struct http1_builder *b, const struct http_entity *e, const struct http_selection *s)
{
	char text[80];
	struct text t = text_of(text, sizeof text);

	text_string(&t, "bytes ");
	if (s->status == 416) {
		text_char(&t, '*');
	} else {
		text_decimal(&t, s->first);
		text_char(&t, '-');
		text_decimal(&t, s->first + s->length - 1);
	}
	text_char(&t, '/');
	text_decimal(&t, e->length);
	http1_build_string(b, "Content-Range", text);
}

/* 200, 206 and 304: the head alone; the body is sent by http_conn.c. */
static void put_entity(
	struct http_server *h, struct http_conn *c, struct http1_builder *b, const struct found *f)
{
	const struct http_selection *s = &f->selection;

	put_validators(h, b, &c->entity);
	if (s->status == 304)
		return;
	http1_build_string(b, "Content-Type", f->type);
	c->at = s->first;
	c->left = s->length;
	if (c->entity.length == HTTP_LENGTH_UNKNOWN) {
		c->chunked = c->head->parser.head.minor > 0;
		c->keep_alive &= c->chunked || c->head_only;
		if (c->chunked)
			put_line(b, "Transfer-Encoding: chunked");
		return;
	}
	put_line(b, "Accept-Ranges: bytes");
	if (s->status == 206)
		put_range(b, &c->entity, s);
	http1_build_number(b, "Content-Length", s->length);
}

/* A refusal: its fields, and a line of text as its body. */
static size_t put_refusal(struct http_server *h, struct http_conn *c, struct http1_builder *b,
	const struct found *f, char *out)
{
	struct text t = text_of(out, TEXT_MAX);

	text_decimal(&t, c->status);
	text_char(&t, ' ');
	text_string(&t, http1_reason(c->status));
	if (c->reason) {
		text_string(&t, ": ");
		text_string(&t, c->reason);
	}
	text_char(&t, '\n');
	if (c->status == 405)
		put_line(b, "Allow: GET, HEAD");
	if (c->status == 301)
		http1_build_string(b, "Location", f->location);
	if (c->status == 416)
		put_range(b, &c->entity, &f->selection);
	if (c->status == 503)
		http1_build_number(b, "Retry-After", (uint64_t)(h->config.head_timeout / NANO_S));
	put_line(b, "Content-Type: text/plain; charset=utf-8");
	http1_build_number(b, "Content-Length", t.len);
	return t.len;
}

/* Room for the head in the queue itself, or in `spare` where that has a gap. */
static uint8_t *head_room(struct http_conn *c, struct stack *s, uint8_t *spare)
{
	size_t got = 0;
	uint8_t *at = sock_reserve(s, c->sock, HEAD_MAX, &got);
	return at && got >= HEAD_MAX ? at : spare;
}

bool http_respond(struct http_server *h, struct http_conn *c, struct stack *s, nanotime now)
{
	int64_t wall = (now + h->config.wall_offset) / NANO_S;
	uint8_t spare[HEAD_MAX];
	char text[TEXT_MAX];
	struct http1_builder b;
	struct found f = { .selection = { .status = c->status } };
	size_t text_len = 0;

	if (sock_room(s, c->sock) < HTTP_RESPONSE_ROOM)
		return false;
	if (!c->fixed_status)
		find(h, c, wall, &f);
	c->status = f.selection.status;
	bool entity = c->status == 200 || c->status == 206 || c->status == 304;

	uint8_t *at = head_room(c, s, spare);
	http1_build_response(&b, at, HEAD_MAX, c->status, span_of(NULL, 0));
	if (entity) {
		put_entity(h, c, &b, &f);
	} else {
		text_len = put_refusal(h, c, &b, &f, text);
	}
	put_common(h, c, &b, wall);
	size_t len = http1_build_end(&b);
	assert(len > 0); /* a provider's type or tag that is no field value */
	if (at == spare)
		sock_write(s, c->sock, spare, len);
	else
		sock_commit(s, c->sock, len);
	if (c->head_only || c->status == 304)
		c->left = 0;
	else if (text_len) {
		sock_write(s, c->sock, text, text_len);
		c->sent = text_len;
		c->left = 0;
	}
	return true;
}
