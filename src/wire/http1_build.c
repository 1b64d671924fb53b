/*
 * HTTP/1.1 heads, written. What comes in may have come from a peer, a file name
 * or a command line, so each part is held to its grammar: nothing that is
 * written here can end a line or a head early (request and response splitting).
 */
#include "base/text.h"
#include "wire/http1.h"

const char *http1_reason(unsigned status)
{
	switch (status) {
	case 100: return "Continue";
	case 101: return "Switching Protocols";
	case 103: return "Early Hints";
	case 200: return "OK";
	case 201: return "Created";
	case 202: return "Accepted";
	case 203: return "Non-Authoritative Information";
	case 204: return "No Content";
	case 205: return "Reset Content";
	case 206: return "Partial Content";
	case 300: return "Multiple Choices";
	case 301: return "Moved Permanently";
	case 302: return "Found";
	case 303: return "See Other";
	case 304: return "Not Modified";
	case 307: return "Temporary Redirect";
	case 308: return "Permanent Redirect";
	case 400: return "Bad Request";
	case 401: return "Unauthorized";
	case 403: return "Forbidden";
	case 404: return "Not Found";
	case 405: return "Method Not Allowed";
	case 406: return "Not Acceptable";
	case 407: return "Proxy Authentication Required";
	case 408: return "Request Timeout";
	case 409: return "Conflict";
	case 410: return "Gone";
	case 411: return "Length Required";
	case 412: return "Precondition Failed";
	case 413: return "Content Too Large";
	case 414: return "URI Too Long";
	case 415: return "Unsupported Media Type";
	case 416: return "Range Not Satisfiable";
	case 417: return "Expectation Failed";
	case 421: return "Misdirected Request";
	case 422: return "Unprocessable Content";
	case 426: return "Upgrade Required";
	case 429: return "Too Many Requests";
	case 431: return "Request Header Fields Too Large";
	case 500: return "Internal Server Error";
	case 501: return "Not Implemented";
	case 502: return "Bad Gateway";
	case 503: return "Service Unavailable";
	case 504: return "Gateway Timeout";
	case 505: return "HTTP Version Not Supported";
	default: return "";
	}
}

static void put(struct writer *w, const char *literal)
{
	while (*literal)
		write8(w, (uint8_t)*literal++);
}

static void put_decimal(struct writer *w, uint64_t v)
{
	char digits[24];
	struct text t = text_of(digits, sizeof digits);

	text_decimal(&t, v);
	write_bytes(w, span_of(digits, t.len));
}

static struct span span_of_string(const char *s)
{
	size_t len = 0;

	while (s[len])
		len++;
	return span_of(s, len);
}

void http1_build_request(
	struct http1_builder *b, uint8_t *out, size_t cap, struct span method, struct span target)
{
	b->w = writer_of(out, cap);
	b->w.failed = !http1_is_token(method) || !http1_is_target(target);
	write_bytes(&b->w, method);
	write8(&b->w, ' ');
	write_bytes(&b->w, target);
	put(&b->w, " HTTP/1.1\r\n");
}

void http1_build_response(
	struct http1_builder *b, uint8_t *out, size_t cap, unsigned status, struct span reason)
{
	b->w = writer_of(out, cap);
	b->w.failed = status < 100 || status > 599 || !http1_is_value(reason);
	put(&b->w, "HTTP/1.1 ");
	put_decimal(&b->w, status);
	write8(&b->w, ' ');
	if (reason.len)
		write_bytes(&b->w, reason);
	else
		put(&b->w, http1_reason(status));
	put(&b->w, "\r\n");
}

void http1_build_field(struct http1_builder *b, const char *name, struct span value)
{
	if (!http1_is_token(span_of_string(name)) || !http1_is_value(value))
		b->w.failed = true;
	put(&b->w, name);
	put(&b->w, ": ");
	write_bytes(&b->w, value);
	put(&b->w, "\r\n");
}

void http1_build_string(struct http1_builder *b, const char *name, const char *value)
{
	http1_build_field(b, name, span_of_string(value));
}

void http1_build_number(struct http1_builder *b, const char *name, uint64_t value)
{
	char digits[24];
	struct text t = text_of(digits, sizeof digits);

	text_decimal(&t, value);
	http1_build_field(b, name, span_of(digits, t.len));
}

size_t http1_build_end(struct http1_builder *b)
{
	put(&b->w, "\r\n");
	return b->w.failed ? 0 : b->w.len;
}
