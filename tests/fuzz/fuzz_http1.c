/*
 * HTTP/1.1: a head, then the body that it announces, whole and in pieces whose
 * sizes the input's first byte decides: the verdict, the fields and the body
 * are the same. A head that is accepted can be written again and reads back.
 */
#include <assert.h>

#include "wire/http1_chunked.h"
#include "wire/url.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct side {
	struct http1_parser p;
	struct http1_chunked c;
	uint8_t storage[HTTP1_HEAD_MAX], trailers[512];
	struct http1_field field[HTTP1_FIELDS_MAX], trailer[8];
	size_t head_len;
	enum http1_progress body_progress;
	size_t body_taken, body_len;
	uint64_t body_sum;
};

static struct side whole, pieces;

static enum http1_progress read_head(struct side *s, bool response, struct span in, size_t step)
{
	enum http1_progress progress = HTTP1_MORE;

	http1_parser_begin(&s->p, response, &http1_limits_default, s->storage, s->field);
	s->head_len = 0;
	while (progress == HTTP1_MORE && s->head_len < in.len) {
		size_t used;
		progress = http1_parser_feed(
			&s->p, span_first(span_after(in, s->head_len), step), &used);
		assert(used > 0);
		s->head_len += used;
	}
	return progress;
}

static void read_chunked(struct side *s, struct span in, size_t step)
{
	http1_chunked_begin(&s->c, s->trailers, sizeof s->trailers, s->trailer, 8);
	s->body_progress = HTTP1_MORE;
	s->body_taken = s->body_len = 0;
	s->body_sum = 0;
	while (s->body_progress == HTTP1_MORE && s->body_taken < in.len) {
		struct span body, piece = span_first(span_after(in, s->body_taken), step);
		size_t used;
		s->body_progress = http1_chunked_feed(&s->c, piece, &used, &body);
		assert(used > 0 && body.len <= used);
		for (size_t i = 0; i < body.len; i++)
			s->body_sum = s->body_sum * 31 + body.at[i];
		s->body_len += body.len;
		s->body_taken += used;
	}
	assert(s->c.total == s->body_len && s->c.field_count + s->c.left_out <= s->c.trailers);
}

/* The head of `h` written by the builder reads back with the same fields. */
static void write_again(const struct http1_head *h)
{
	static uint8_t out[2 * HTTP1_HEAD_MAX];
	static struct side s;
	struct http1_builder b;
	char name[HTTP1_HEAD_MAX];

	if (h->response)
		http1_build_response(&b, out, sizeof out, h->status, h->reason);
	else
		http1_build_request(&b, out, sizeof out, h->method, h->target);
	for (unsigned i = 0; i < h->field_count; i++) {
		memcpy(name, h->field[i].name.at, h->field[i].name.len);
		name[h->field[i].name.len] = '\0';
		http1_build_field(&b, name, h->field[i].value);
	}
	size_t len = http1_build_end(&b);
	assert(len > 0);
	if (h->minor == 0 || len > HTTP1_HEAD_MAX)
		return; /* what 1.0 allows, 1.1 may not */
	enum http1_progress progress = read_head(&s, h->response, span_of(out, len), len);
	if (progress != HTTP1_DONE) /* "X:y" grows by a blank: only a limit may stand in the way */
		assert(s.p.error == HTTP1_LINE_LONG || s.p.error == HTTP1_HEAD_LONG);
	else
		assert(s.p.head.field_count == h->field_count);
}

static void try_sound(const struct http1_head *h)
{
	struct http1_body body;
	struct http1_target target;
	struct http1_list cursor = { 0 };
	struct span member;

	http1_keep_alive(h);
	while (http1_list_next(h, "Accept", &cursor, &member))
		assert(member.len > 0);
	if (h->response) {
		assert(h->status >= 100 && h->status <= 599);
		assert(http1_response_body(h, span_of("GET", 3), &body) == HTTP1_NONE);
		return;
	}
	assert(http1_request_body(h, &body) == HTTP1_NONE && body.framing <= HTTP1_BODY_CHUNKED);
	assert(http1_target(h, &target) == HTTP1_NONE);
	assert(h->minor == 0 || http1_field_count(h, "Host") == 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	bool response = data[0] & 0x80;
	size_t step = (data[0] & 0x7f) + 1u;
	struct span in = span_of(data + 1, size - 1);

	enum http1_progress progress = read_head(&whole, response, in, in.len);
	assert(read_head(&pieces, response, in, step) == progress);
	assert(whole.p.error == pieces.p.error && whole.head_len == pieces.head_len);
	assert((progress == HTTP1_FAULT) == (whole.p.error != HTTP1_NONE));
	if (progress == HTTP1_DONE) {
		try_sound(&whole.p.head);
		write_again(&whole.p.head);
	}
	/* The body, and, where the head is none, the input as a body and as a URL. */
	struct span rest = progress == HTTP1_DONE ? span_after(in, whole.head_len) : in;
	read_chunked(&whole, rest, rest.len);
	read_chunked(&pieces, rest, step);
	assert(whole.body_progress == pieces.body_progress && whole.c.error == pieces.c.error);
	assert(whole.body_taken == pieces.body_taken && whole.body_len == pieces.body_len);
	assert(whole.body_sum == pieces.body_sum);
	assert(whole.c.field_count == pieces.c.field_count);

	struct url url;
	uint8_t target[URL_MAX];
	if (url_parse(in, response, &url, NULL) == URL_NONE) {
		size_t len = url_target(&url, target, sizeof target);
		assert(len == 0 || (target[0] == '/' && http1_is_target(span_of(target, len))));
		assert(url.host.len > 0 && url.port > 0);
	}
	return 0;
}
