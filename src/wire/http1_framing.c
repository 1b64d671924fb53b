/*
 * What a head means as a whole: whom a request is for (RFC 9112 3.2, 3.3) and
 * where the body ends (6.3). Two lengths, a length beside a coding, or a coding
 * that is not understood make the end of the message a matter of opinion, so
 * each is refused (attacks H1-01, H1-03, H1-10).
 */
#include "base/ascii.h"
#include "wire/http1.h"
#include "wire/url.h"

bool http1_name_is(struct span name, const char *literal)
{
	return ascii_equal(name, literal);
}

unsigned http1_field_count(const struct http1_head *h, const char *name)
{
	unsigned count = 0;

	for (unsigned i = 0; i < h->field_count; i++)
		count += http1_name_is(h->field[i].name, name);
	return count;
}

const struct http1_field *http1_field_find(const struct http1_head *h, const char *name)
{
	for (unsigned i = 0; i < h->field_count; i++)
		if (http1_name_is(h->field[i].name, name))
			return &h->field[i];
	return NULL;
}

/* The end of the list member that starts at `at`: a comma outside quotes, or the end. */
static size_t member_end(struct span s, size_t at)
{
	bool quoted = false;

	for (; at < s.len && (quoted || s.at[at] != ','); at++) {
		if (s.at[at] == '"')
			quoted = !quoted;
		else if (quoted && s.at[at] == '\\' && at + 1 < s.len)
			at++;
	}
	return at;
}

/* The next member of one value, blanks stripped; it may be empty. False at the end. */
static bool member_next(struct span value, size_t *at, struct span *member)
{
	if (*at > value.len)
		return false;
	size_t start = *at, end = member_end(value, start);
	*at = end + 1;
	while (start < end && ascii_is_blank(value.at[start]))
		start++;
	while (end > start && ascii_is_blank(value.at[end - 1]))
		end--;
	*member = span_of(value.at + start, end - start);
	return true;
}

bool http1_list_next(const struct http1_head *h, const char *name, struct http1_list *cursor,
	struct span *member)
{
	for (; cursor->field < h->field_count; cursor->field++, cursor->at = 0) {
		const struct http1_field *f = &h->field[cursor->field];
		if (!http1_name_is(f->name, name))
			continue;
		while (member_next(f->value, &cursor->at, member))
			if (member->len > 0)
				return true;
	}
	return false;
}

bool http1_list_has(const struct http1_head *h, const char *name, const char *token)
{
	struct http1_list cursor = { 0 };
	struct span member;

	while (http1_list_next(h, name, &cursor, &member))
		if (http1_name_is(member, token))
			return true;
	return false;
}

bool http1_keep_alive(const struct http1_head *h)
{
	if (http1_list_has(h, "Connection", "close"))
		return false;
	return h->minor >= 1 || http1_list_has(h, "Connection", "keep-alive");
}

static bool span_is(struct span s, const char *literal)
{
	for (size_t i = 0; i < s.len; i++)
		if (literal[i] == '\0' || s.at[i] != (uint8_t)literal[i])
			return false;
	return literal[s.len] == '\0';
}

/* Exactly one Host in HTTP/1.1, at most one in 1.0; its value is a host (an http URI has one). */
static enum http1_error check_host(const struct http1_head *h, struct span *authority)
{
	const struct http1_field *host = http1_field_find(h, "Host");
	struct url url;

	*authority = span_of(h->target.at, 0);
	if (!host)
		return h->minor >= 1 ? HTTP1_HOST_MISSING : HTTP1_NONE;
	if (http1_field_count(h, "Host") > 1)
		return HTTP1_HOST_MANY;
	if (url_authority_parse(host->value, &url, NULL))
		return HTTP1_HOST;
	*authority = url.authority;
	return HTTP1_NONE;
}

static void split_path(struct span text, struct http1_target *out)
{
	size_t end = 0;

	while (end < text.len && text.at[end] != '?')
		end++;
	out->path = span_first(text, end);
	out->has_query = end < text.len;
	out->query = span_after(text, end + 1);
}

enum http1_error http1_target(const struct http1_head *h, struct http1_target *out)
{
	struct span target = h->target;
	struct url url;

	*out = (struct http1_target){ .path = span_of(target.at, 0),
		.query = span_of(target.at, 0) };
	enum http1_error e = check_host(h, &out->authority);
	if (e)
		return e;
	if (span_is(h->method, "CONNECT")) {
		out->form = HTTP1_AUTHORITY;
		if (url_authority_parse(target, &url, NULL) || !url.has_port)
			return HTTP1_TARGET_FORM;
		out->authority = target;
	} else if (target.at[0] == '/') {
		out->form = HTTP1_ORIGIN;
		split_path(target, out);
	} else if (span_is(target, "*")) {
		out->form = HTTP1_ASTERISK;
		if (!span_is(h->method, "OPTIONS"))
			return HTTP1_TARGET_FORM;
	} else {
		out->form = HTTP1_ABSOLUTE;
		if (url_parse(target, false, &url, NULL))
			return HTTP1_TARGET_FORM;
		out->authority = url.authority; /* Host is overruled (RFC 9112 3.2.2) */
		out->path = url.path;
		out->query = url.query;
		out->has_query = url.has_query;
	}
	return HTTP1_NONE;
}

enum http1_error http1_length_parse(struct span text, uint64_t *out)
{
	uint64_t value = 0;

	for (size_t i = 0; i < text.len; i++) {
		if (text.at[i] < '0' || text.at[i] > '9')
			return HTTP1_LENGTH;
	}
	for (size_t i = 0; i < text.len; i++) {
		unsigned digit = (unsigned)(text.at[i] - '0');
		if (value > ((uint64_t)INT64_MAX - digit) / 10)
			return HTTP1_LENGTH_HUGE;
		value = value * 10 + digit;
	}
	*out = value;
	return text.len ? HTTP1_NONE : HTTP1_LENGTH;
}

/* All Content-Length values, also "5, 5" in one: each a number, all the same (RFC 9110 8.6). */
static enum http1_error read_length(const struct http1_head *h, bool *present, uint64_t *length)
{
	struct span member;

	*present = false;
	for (unsigned i = 0; i < h->field_count; i++) {
		size_t at = 0;
		if (!http1_name_is(h->field[i].name, "Content-Length"))
			continue;
		while (member_next(h->field[i].value, &at, &member)) {
			uint64_t value;
			enum http1_error e = http1_length_parse(member, &value);
			if (e)
				return e;
			if (*present && value != *length)
				return HTTP1_LENGTH_MANY;
			*present = true;
			*length = value;
		}
	}
	return HTTP1_NONE;
}

/* Transfer-Encoding must be exactly "chunked", once, in HTTP/1.1 (RFC 9112 6.1). */
static enum http1_error read_coding(const struct http1_head *h, bool *chunked)
{
	struct http1_list cursor = { 0 };
	struct span member;
	bool other = false;

	*chunked = false;
	if (!http1_field_find(h, "Transfer-Encoding"))
		return HTTP1_NONE;
	if (h->minor == 0)
		return HTTP1_CODING_VERSION;
	while (http1_list_next(h, "Transfer-Encoding", &cursor, &member)) {
		if (*chunked)
			return HTTP1_CODING_ORDER;
		*chunked = http1_name_is(member, "chunked");
		other |= !*chunked;
	}
	if (other)
		return HTTP1_CODING;
	return *chunked ? HTTP1_NONE : HTTP1_CODING_ORDER;
}

/* The framing that the fields ask for, whatever the message's kind: HTTP1_BODY_NONE for neither. */
static enum http1_error read_framing(const struct http1_head *h, struct http1_body *out)
{
	bool chunked, sized;
	uint64_t length = 0;

	*out = (struct http1_body){ .framing = HTTP1_BODY_NONE };
	enum http1_error e = read_coding(h, &chunked);
	if (!e)
		e = read_length(h, &sized, &length);
	if (e)
		return e;
	if (chunked && sized)
		return HTTP1_LENGTH_AND_CODING;
	if (chunked)
		out->framing = HTTP1_BODY_CHUNKED;
	if (sized)
		*out = (struct http1_body){ .framing = HTTP1_BODY_LENGTH, .length = length };
	return HTTP1_NONE;
}

enum http1_error http1_request_body(const struct http1_head *h, struct http1_body *out)
{
	return read_framing(h, out);
}

enum http1_error http1_response_body(
	const struct http1_head *h, struct span method, struct http1_body *out)
{
	enum http1_error e = read_framing(h, out);
	bool connected = span_is(method, "CONNECT") && h->status / 100 == 2;

	if (e)
		return e;
	if (h->status == 101 || connected)
		*out = (struct http1_body){ .framing = HTTP1_BODY_TUNNEL };
	else if (span_is(method, "HEAD") || h->status / 100 == 1 || h->status == 204 ||
		h->status == 304)
		*out = (struct http1_body){ .framing = HTTP1_BODY_NONE };
	else if (out->framing == HTTP1_BODY_NONE)
		out->framing = HTTP1_BODY_CLOSE;
	return HTTP1_NONE;
}

enum http1_error http1_head_check(const struct http1_head *h)
{
	struct http1_target target;
	struct http1_body body;
	enum http1_error e = h->response ? HTTP1_NONE : http1_target(h, &target);

	return e ? e : read_framing(h, &body);
}
