/*
 * The parser of HTTP/1.1 heads. Bytes go to storage one at a time; the only
 * state is whether the last one was CR and whether the start line is done. A
 * line is looked at when it is complete, a control character or a length beyond
 * a limit is refused at once, so that a peer can't keep us waiting for the end
 * of something that is wrong already. When the empty line comes, everything
 * that decides where the message ends and whom it is for is checked once more
 * as a whole (http1_framing.c): a head that is HTTP1_DONE has one reading.
 */
#include "base/ascii.h"
#include "wire/http1.h"

#define EMPTY_LINES_MAX 2 /* before a request line (RFC 9112 2.2: at least one) */
#define VERSION_LEN     8 /* "HTTP/1.1" */

static const struct http1_error_info errors[] = {
#define HTTP1_ERROR_INFO(name, status, text, clause) { #name, status, text, clause },
	HTTP1_ERRORS(HTTP1_ERROR_INFO)
#undef HTTP1_ERROR_INFO
};

const struct http1_error_info *http1_error_info(enum http1_error e)
{
	assert(e < HTTP1_ERROR_COUNT);
	return &errors[e];
}

const struct http1_limits http1_limits_default = {
	.head = HTTP1_HEAD_MAX,
	.line = 8192,
	.target = 8000,
	.method = HTTP1_METHOD_MAX,
	.fields = HTTP1_FIELDS_MAX,
};

bool http1_is_token(struct span s)
{
	/* tchar (RFC 9110 5.6.2) as bits of the bytes 0x00..0x7f */
	static const uint32_t tchar[4] = { 0, 0x03ff6cfa, 0xc7fffffe, 0x57ffffff };

	for (size_t i = 0; i < s.len; i++)
		if (s.at[i] >= 0x80 || !(tchar[s.at[i] / 32] >> s.at[i] % 32 & 1))
			return false;
	return s.len > 0;
}

bool http1_is_value(struct span s)
{
	for (size_t i = 0; i < s.len; i++)
		if (ascii_is_control(s.at[i]))
			return false;
	return true;
}

void http1_parser_begin(struct http1_parser *p, bool response, const struct http1_limits *limits,
	uint8_t *storage, struct http1_field *field)
{
	*p = (struct http1_parser){
		.head = { .response = response, .field = field },
		.limits = *limits,
		.storage = storage,
		.field = field,
		.response = response,
		.progress = HTTP1_MORE,
	};
}

bool http1_parser_begun(const struct http1_parser *p)
{
	return p->started || p->len > 0;
}

/* "HTTP/" DIGIT "." DIGIT, in capitals (RFC 9112 2.3) */
static enum http1_error parse_version(struct span s, struct http1_head *h)
{
	if (s.len != VERSION_LEN || memcmp(s.at, "HTTP/", 5) != 0 || !ascii_is_digit(s.at[5]) ||
		s.at[6] != '.' || !ascii_is_digit(s.at[7]))
		return HTTP1_VERSION;
	if (s.at[5] != '1')
		return HTTP1_VERSION_UNSUPPORTED;
	h->minor = s.at[7] == '0' ? 0 : 1;
	return HTTP1_NONE;
}

/* Cuts the word before the next space off `line`; false where no space is left. */
static bool cut_word(struct span *line, struct span *word)
{
	for (size_t i = 0; i < line->len; i++) {
		if (line->at[i] == ' ') {
			*word = span_first(*line, i);
			*line = span_after(*line, i + 1);
			return true;
		}
	}
	return false;
}

/* The bytes that a URI can have here, and those that browsers leave unencoded (see url.c). */
bool http1_is_target(struct span s)
{
	for (size_t i = 0; i < s.len; i++) {
		uint8_t c = s.at[i];
		if (c <= ' ' || c >= 0x7f || c == '"' || c == '#' || c == '<' || c == '>' ||
			c == '\\')
			return false;
	}
	return s.len > 0;
}

static enum http1_error parse_request_line(struct http1_parser *p, struct span line)
{
	struct http1_head *h = &p->head;

	if (!cut_word(&line, &h->method) || !cut_word(&line, &h->target) || h->target.len == 0)
		return HTTP1_REQUEST_LINE;
	if (!http1_is_token(h->method))
		return HTTP1_METHOD;
	if (h->method.len > p->limits.method)
		return HTTP1_METHOD_LONG;
	if (h->target.len > p->limits.target)
		return HTTP1_TARGET_LONG;
	if (!http1_is_target(h->target))
		return HTTP1_TARGET;
	return parse_version(line, h);
}

/*
 * The space behind the code must be there even without a reason (RFC 9112 4);
 * servers exist that leave it out, and nothing can be mistaken then.
 */
static enum http1_error parse_status_line(struct http1_parser *p, struct span line)
{
	struct http1_head *h = &p->head;
	struct span version;

	if (!cut_word(&line, &version))
		return HTTP1_STATUS_LINE;
	enum http1_error e = parse_version(version, h);
	if (e)
		return e;
	if (line.len < 3 || (line.len > 3 && line.at[3] != ' '))
		return HTTP1_STATUS_LINE;
	for (size_t i = 0; i < 3; i++) {
		if (!ascii_is_digit(line.at[i]))
			return HTTP1_STATUS_LINE;
		h->status = h->status * 10 + (unsigned)(line.at[i] - '0');
	}
	if (h->status < 100 || h->status > 599)
		return HTTP1_STATUS;
	h->reason = span_after(line, 4);
	return HTTP1_NONE;
}

static struct span strip(struct span s)
{
	while (s.len && ascii_is_blank(s.at[0]))
		s = span_after(s, 1);
	while (s.len && ascii_is_blank(s.at[s.len - 1]))
		s.len--;
	return s;
}

enum http1_error http1_field_parse(struct span line, struct http1_field *out)
{
	size_t colon = 0;

	if (ascii_is_blank(line.at[0]))
		return HTTP1_FOLD;
	while (colon < line.len && line.at[colon] != ':')
		colon++;
	if (colon == line.len)
		return HTTP1_FIELD_COLON;
	out->name = span_first(line, colon);
	if (colon > 0 && ascii_is_blank(line.at[colon - 1]))
		return HTTP1_FIELD_COLON; /* "Name :" is how one field hides from one reader */
	if (!http1_is_token(out->name))
		return HTTP1_FIELD_NAME;
	out->value = strip(span_after(line, colon + 1));
	return http1_is_value(out->value) ? HTTP1_NONE : HTTP1_FIELD_VALUE;
}

/* A complete line without its CRLF. */
static enum http1_error take_line(struct http1_parser *p, struct span line)
{
	if (!p->started && line.len == 0) {
		p->len = 0;
		if (p->response)
			return HTTP1_STATUS_LINE;
		return p->skipped++ < EMPTY_LINES_MAX ? HTTP1_NONE : HTTP1_REQUEST_LINE;
	}
	if (!p->started) {
		p->started = true;
		p->line = p->len;
		return p->response ? parse_status_line(p, line) : parse_request_line(p, line);
	}
	if (line.len == 0) {
		p->progress = HTTP1_DONE;
		return http1_head_check(&p->head);
	}
	if (p->head.field_count == p->limits.fields)
		return HTTP1_FIELDS_MANY;
	p->line = p->len;
	return http1_field_parse(line, &p->field[p->head.field_count++]);
}

/* Which limit does a line break that is not complete, or is it still within? */
static enum http1_error check_length(const struct http1_parser *p)
{
	size_t len = p->len - p->line;

	if (p->started || p->response)
		return len > p->limits.line ? HTTP1_LINE_LONG : HTTP1_NONE;
	if (len <= p->limits.method + 1 + p->limits.target + 1 + VERSION_LEN)
		return HTTP1_NONE;
	struct span line = span_of(p->storage, len), method;
	if (!cut_word(&line, &method) || method.len > p->limits.method)
		return HTTP1_METHOD_LONG;
	return HTTP1_TARGET_LONG;
}

static enum http1_error take_byte(struct http1_parser *p, uint8_t c)
{
	if (p->carriage && c != '\n')
		return HTTP1_BARE_CR;
	if (c == '\n' && !p->carriage)
		return HTTP1_BARE_LF;
	if (p->len == p->limits.head)
		return HTTP1_HEAD_LONG;
	if (c == '\r' || c == '\n') {
		p->storage[p->len++] = c;
		p->carriage = c == '\r';
		if (p->carriage)
			return HTTP1_NONE;
		return take_line(p, span_of(p->storage + p->line, p->len - 2 - p->line));
	}
	if (ascii_is_control(c)) {
		if (p->started)
			return HTTP1_FIELD_VALUE;
		return p->response ? HTTP1_STATUS_LINE : HTTP1_REQUEST_LINE;
	}
	p->storage[p->len++] = c;
	return check_length(p);
}

enum http1_progress http1_parser_feed(struct http1_parser *p, struct span in, size_t *used)
{
	size_t i = 0;

	while (i < in.len && p->progress == HTTP1_MORE) {
		p->error = take_byte(p, in.at[i++]);
		if (p->error)
			p->progress = HTTP1_FAULT;
	}
	*used = i;
	return p->progress;
}
