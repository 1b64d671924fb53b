/* Commas, line breaks and escapes in one place. */
#include "cli/json.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

static void begin_value(struct json *j, const char *key)
{
	unsigned d = j->depth - 1;
	fputs(j->filled[d] ? "," : "", j->file);
	j->filled[d] = true;
	if (!j->lines)
		fprintf(j->file, "\n%*s", (int)(2 * j->depth), "");
	assert((key != NULL) == !j->array[d]);
	if (key)
		fprintf(j->file, j->lines ? "\"%s\":" : "\"%s\": ", key);
}

static void open_nest(struct json *j, bool array)
{
	assert(j->depth < JSON_DEPTH);
	fputc(array ? '[' : '{', j->file);
	j->array[j->depth] = array;
	j->filled[j->depth++] = false;
}

static void begin(struct json *j, FILE *f, bool lines, const char *schema)
{
	*j = (struct json){ .file = f, .lines = lines };
	open_nest(j, false);
	json_string(j, "schema", schema);
}

void json_begin(struct json *j, FILE *f, const char *schema)
{
	begin(j, f, false, schema);
}

void json_begin_line(struct json *j, FILE *f, const char *schema)
{
	begin(j, f, true, schema);
}

void json_object(struct json *j, const char *key)
{
	begin_value(j, key);
	open_nest(j, false);
}

void json_array(struct json *j, const char *key)
{
	begin_value(j, key);
	open_nest(j, true);
}

void json_close(struct json *j)
{
	bool filled = j->filled[--j->depth];
	if (filled && !j->lines)
		fprintf(j->file, "\n%*s", (int)(2 * j->depth), "");
	fputc(j->array[j->depth] ? ']' : '}', j->file);
}

void json_finish(struct json *j)
{
	json_close(j);
	assert(j->depth == 0);
	fputc('\n', j->file);
}

/* Bytes of a well-formed UTF-8 sequence (RFC 3629 4) at the start of `s`; 0: none. */
static size_t utf8(struct span s)
{
	uint8_t c = s.at[0];
	size_t n = c < 0x80 ? 1 : c >= 0xc2 && c < 0xe0 ? 2 : (c & 0xf0) == 0xe0 ? 3 : 4;
	if (n == 1)
		return 1;
	if (c < 0xc2 || c > 0xf4 || s.len < n)
		return 0;
	for (size_t i = 1; i < n; i++)
		if ((s.at[i] & 0xc0) != 0x80)
			return 0;
	uint8_t d = s.at[1];
	bool bad = (c == 0xe0 && d < 0xa0) || (c == 0xed && d >= 0xa0) || (c == 0xf0 && d < 0x90) ||
		(c == 0xf4 && d >= 0x90);
	return bad ? 0 : n;
}

static void put_escaped(FILE *f, struct span s)
{
	fputc('"', f);
	while (s.len) {
		uint8_t c = s.at[0];
		size_t n = utf8(s);
		if (n == 0)
			fputs("\\ufffd", f);
		else if (c == '"' || c == '\\')
			fprintf(f, "\\%c", c);
		else if (c == '\n')
			fputs("\\n", f);
		else if (c == '\r')
			fputs("\\r", f);
		else if (c == '\t')
			fputs("\\t", f);
		else if (c < 0x20 || c == 0x7f)
			fprintf(f, "\\u%04x", c);
		else
			fwrite(s.at, 1, n, f);
		s = span_after(s, n ? n : 1);
	}
	fputc('"', f);
}

void json_span(struct json *j, const char *key, struct span value)
{
	begin_value(j, key);
	put_escaped(j->file, value);
}

void json_string(struct json *j, const char *key, const char *value)
{
	if (value)
		json_span(j, key, span_of(value, strlen(value)));
	else
		json_null(j, key);
}

void json_unsigned(struct json *j, const char *key, uint64_t value)
{
	begin_value(j, key);
	fprintf(j->file, "%" PRIu64, value);
}

void json_signed(struct json *j, const char *key, int64_t value)
{
	begin_value(j, key);
	fprintf(j->file, "%" PRId64, value);
}

void json_bool(struct json *j, const char *key, bool value)
{
	begin_value(j, key);
	fputs(value ? "true" : "false", j->file);
}

void json_null(struct json *j, const char *key)
{
	begin_value(j, key);
	fputs("null", j->file);
}

void json_addr(struct json *j, const char *key, const struct addr *a)
{
	char text[ADDR_TEXT_MAX];
	addr_format(a, text);
	json_string(j, key, text);
}

void json_mac(struct json *j, const char *key, const struct mac *m)
{
	char text[MAC_TEXT_MAX];
	mac_format(m, text);
	json_string(j, key, text);
}

bool json_is_text(struct span s)
{
	while (s.len) {
		uint8_t c = s.at[0];
		size_t n = utf8(s);
		if (n == 0 || (c < 0x20 && c != '\n' && c != '\r' && c != '\t') || c == 0x7f)
			return false;
		s = span_after(s, n);
	}
	return true;
}

void json_base64(struct json *j, const char *key, struct span value)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	begin_value(j, key);
	fputc('"', j->file);
	for (; value.len; value = span_after(value, 3)) {
		uint32_t v = (uint32_t)value.at[0] << 16;
		v |= value.len > 1 ? (uint32_t)value.at[1] << 8 : 0;
		v |= value.len > 2 ? value.at[2] : 0;
		fputc(digits[v >> 18], j->file);
		fputc(digits[v >> 12 & 63], j->file);
		fputc(value.len > 1 ? digits[v >> 6 & 63] : '=', j->file);
		fputc(value.len > 2 ? digits[v & 63] : '=', j->file);
	}
	fputc('"', j->file);
}
