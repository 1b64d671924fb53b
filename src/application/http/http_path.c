/*
 * One pass decodes and checks; a segment is looked at when it ends. What comes
 * out never leads upwards and names at most what stands below the root: a
 * provider may still refuse it (a symbolic link that leads outside), never has
 * to repair it.
 */
#include "application/http/http_path.h"

static int hex_digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Undoes one "%XX"; -1 where it is none. */
static int decode_escape(struct span s)
{
	if (s.len < 3)
		return -1;
	int high = hex_digit(s.at[1]), low = hex_digit(s.at[2]);
	return high < 0 || low < 0 ? -1 : high << 4 | low;
}

static bool is_dots(const char *segment, size_t len)
{
	return (len == 1 && segment[0] == '.') ||
		(len == 2 && segment[0] == '.' && segment[1] == '.');
}

enum http_path_verdict http_path_decode(struct span path, char *out, size_t cap, size_t *len)
{
	size_t n = 0, segment = 0; /* where in `out` the segment being read starts */

	if (path.len == 0 || path.at[0] != '/')
		return HTTP_PATH_FORM;
	for (size_t i = 0; i < path.len; i++) {
		int c = path.at[i];
		if (c == '%') {
			c = decode_escape(span_after(path, i));
			i += 2;
			if (c < 0 || c == '/')
				return HTTP_PATH_FORM;
		} else if (c == '/') {
			if (is_dots(out + segment, n - segment))
				return HTTP_PATH_CLIMB;
			if (n > 0 && segment == n)
				continue; /* an empty segment */
			segment = n + 1;
		}
		if (c < ' ' || c == 0x7f || c == '\\')
			return HTTP_PATH_FORM;
		if (n + 1 >= cap)
			return HTTP_PATH_LONG;
		out[n++] = (char)c;
	}
	if (is_dots(out + segment, n - segment))
		return HTTP_PATH_CLIMB;
	out[n] = '\0';
	*len = n;
	return HTTP_PATH_OK;
}

/* unreserved, sub-delims, ":", "@" and "/" (RFC 3986 3.3) */
static bool is_path_byte(uint8_t c)
{
	static const uint32_t plain[4] = { 0, 0x2fffffd2, 0x87ffffff, 0x47fffffe };
	return c < 0x80 && (plain[c / 32] >> c % 32 & 1);
}

size_t http_path_encode(struct span path, char *out, size_t cap)
{
	size_t n = 0;

	for (size_t i = 0; i < path.len; i++) {
		uint8_t c = path.at[i];
		size_t room = is_path_byte(c) ? 1 : 3;
		if (n + room >= cap)
			return 0;
		if (room == 1) {
			out[n++] = (char)c;
			continue;
		}
		out[n++] = '%';
		out[n++] = "0123456789ABCDEF"[c >> 4];
		out[n++] = "0123456789ABCDEF"[c & 15];
	}
	if (n >= cap)
		return 0;
	out[n] = '\0';
	return n;
}
