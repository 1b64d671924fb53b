/*
 * URLs, taken apart from left to right: scheme, authority, path, query. The
 * authority is the part that decides where a connection goes, so it is the
 * strictest: one host, whose bytes are letters, digits, hyphens, dots and
 * underscores, or an address literal; nothing before an '@'; and no number that
 * another program might read as an address (0x7f.1, 2130706433).
 */
#include "wire/url.h"

#include "base/ascii.h"

static const char *const error_text[] = {
#define URL_ERROR_TEXT(name, text) text,
	URL_ERRORS(URL_ERROR_TEXT)
#undef URL_ERROR_TEXT
};

const char *url_error_text(enum url_error e)
{
	return error_text[e];
}

static bool is_host_byte(uint8_t c)
{
	return ascii_is_digit(c) || ascii_is_letter(c) || c == '-' || c == '_';
}

/* The offset of the first byte of `s` that is in `set`, or s.len. */
static size_t find_any(struct span s, const char *set)
{
	for (size_t i = 0; i < s.len; i++)
		for (const char *c = set; *c; c++)
			if (s.at[i] == (uint8_t)*c)
				return i;
	return s.len;
}

static enum url_error complain(enum url_error e, size_t offset, size_t *at)
{
	*at = offset;
	return e;
}

/* Is the label a number to someone: decimal, octal or hexadecimal (WHATWG URL 3.5)? */
static bool looks_numeric(struct span label)
{
	size_t i = 0;
	bool hex = label.len >= 2 && label.at[0] == '0' && (label.at[1] | 0x20) == 'x';

	for (i = hex ? 2 : 0; i < label.len; i++)
		if (hex ? ascii_hex(label.at[i]) < 0 : !ascii_is_digit(label.at[i]))
			return false;
	return true;
}

static enum url_error check_labels(struct span host, size_t *at)
{
	size_t start = 0;

	if (host.len > 1 && host.at[host.len - 1] == '.')
		host.len--; /* an absolute name */
	if (host.len > URL_HOST_MAX)
		return complain(URL_HOST_LONG, URL_HOST_MAX, at);
	for (size_t i = 0; i <= host.len; i++) {
		if (i < host.len && host.at[i] != '.') {
			if (!is_host_byte(host.at[i]))
				return complain(URL_HOST_BYTE, i, at);
			continue;
		}
		if (i == start || i - start > 63)
			return complain(URL_HOST_LABEL, start, at);
		if (i == host.len && looks_numeric(span_of(host.at + start, i - start)))
			return complain(URL_HOST_NUMBER, 0, at);
		start = i + 1;
	}
	return URL_NONE;
}

static enum url_error parse_host(struct span host, struct url *out, size_t *at)
{
	out->host = host;
	if (host.len == 0)
		return complain(URL_HOST_EMPTY, 0, at);
	out->has_addr = addr_parse(host, &out->addr);
	if (out->has_addr && addr_is4(&out->addr) && find_any(host, ":") == host.len)
		return URL_NONE;
	out->has_addr = false;
	return check_labels(host, at);
}

static enum url_error parse_port(struct span digits, struct url *out)
{
	uint32_t port = 0;

	if (digits.len > 5)
		return URL_PORT;
	for (size_t i = 0; i < digits.len; i++) {
		if (!ascii_is_digit(digits.at[i]))
			return URL_PORT;
		port = port * 10 + (uint32_t)(digits.at[i] - '0');
	}
	if (port == 0 || port > UINT16_MAX)
		return URL_PORT;
	out->port = (uint16_t)port;
	out->has_port = true;
	return URL_NONE;
}

/* "[address]": sets host and says where it ends. */
static enum url_error parse_literal(struct span text, struct url *out, size_t *end)
{
	size_t close = find_any(text, "]");

	out->host = span_first(span_after(text, 1), close - 1);
	*end = close + 1;
	if (close == text.len || find_any(out->host, ":") == out->host.len ||
		!addr_parse(out->host, &out->addr))
		return URL_HOST_LITERAL;
	out->has_addr = true;
	return URL_NONE;
}

static enum url_error parse_authority(struct span text, struct url *out, size_t *at)
{
	enum url_error e;
	size_t end, user = find_any(text, "@");

	out->authority = text;
	if (user < text.len)
		return complain(URL_USERINFO, user, at);
	if (text.len && text.at[0] == '[') {
		*at = 0;
		e = parse_literal(text, out, &end);
	} else {
		end = find_any(text, ":");
		e = parse_host(span_first(text, end), out, at);
	}
	if (e)
		return e;
	if (end == text.len)
		return URL_NONE;
	if (text.at[end] != ':')
		return complain(URL_HOST_BYTE, end, at);
	if (end + 1 == text.len) {
		out->authority.len--; /* an empty port means the default (RFC 3986 3.2.3) */
		return URL_NONE;
	}
	*at = end + 1;
	return parse_port(span_after(text, end + 1), out);
}

enum url_error url_authority_parse(struct span text, struct url *out, size_t *at)
{
	size_t ignored;

	*out = (struct url){ .port = 80 };
	return parse_authority(text, out, at ? at : &ignored);
}

/*
 * Browsers leave []^`{|} bare where RFC 3986 has them encoded, and none of them
 * ends a word or a line anywhere, so they pass; the rest of what no URI has does not.
 */
static enum url_error check_path(struct span text, size_t *at)
{
	for (size_t i = 0; i < text.len; i++) {
		uint8_t c = text.at[i];
		if (c == '"' || c == '<' || c == '>' || c == '\\')
			return complain(URL_PATH, i, at);
		if (c == '%' &&
			(text.len - i < 3 || ascii_hex(text.at[i + 1]) < 0 ||
				ascii_hex(text.at[i + 2]) < 0))
			return complain(URL_PERCENT, i, at);
	}
	return URL_NONE;
}

static bool has_scheme(struct span text)
{
	size_t end = find_any(text, ":/?#");
	return text.len - end >= 3 && memcmp(text.at + end, "://", 3) == 0;
}

/* The length of "http://" or "https://", 0 where it may be missing and is. */
static enum url_error parse_scheme(struct span text, bool optional, struct url *out, size_t *len)
{
	size_t http = ascii_begins(text, "http://"), https = ascii_begins(text, "https://");

	*len = http + https;
	out->secure = https > 0;
	out->port = https ? 443 : 80;
	if (*len == 0 && (!optional || has_scheme(text)))
		return URL_SCHEME;
	return URL_NONE;
}

enum url_error url_parse(struct span text, bool scheme_optional, struct url *out, size_t *at)
{
	size_t start, end, ignored;

	*out = (struct url){ 0 };
	at = at ? at : &ignored;
	*at = 0;
	if (text.len == 0)
		return URL_EMPTY;
	if (text.len > URL_MAX)
		return URL_LONG;
	for (size_t i = 0; i < text.len; i++)
		if (text.at[i] <= ' ' || text.at[i] >= 0x7f)
			return complain(URL_BYTE, i, at);

	enum url_error e = parse_scheme(text, scheme_optional, out, &start);
	if (e)
		return e;
	text = span_first(text, find_any(text, "#"));
	end = start + find_any(span_after(text, start), "/?");
	e = parse_authority(span_of(text.at + start, end - start), out, at);
	if (e) {
		*at += start;
		return e;
	}
	struct span rest = span_after(text, end);
	e = check_path(rest, at);
	if (e) {
		*at += end;
		return e;
	}
	out->path = span_first(rest, find_any(rest, "?"));
	out->has_query = out->path.len < rest.len;
	out->query = span_after(rest, out->path.len + 1);
	return URL_NONE;
}

size_t url_target(const struct url *u, uint8_t *out, size_t cap)
{
	struct writer w = writer_of(out, cap);

	if (u->path.len == 0)
		write8(&w, '/');
	write_bytes(&w, u->path);
	if (u->has_query)
		write8(&w, '?');
	write_bytes(&w, u->query);
	return w.failed ? 0 : w.len;
}
