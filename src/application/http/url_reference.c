/*
 * RFC 3986 5.2.2 and 5.2.4. The path is put together first and cleaned of its
 * dot segments where it stands, which only makes it shorter.
 */
#include "application/http/url_reference.h"

#include "base/text.h"

static bool is_alpha(uint8_t c)
{
	c |= 0x20;
	return c >= 'a' && c <= 'z';
}

/* scheme ":" at the start? (3.1) */
static bool has_scheme(struct span s)
{
	if (s.len == 0 || !is_alpha(s.at[0]))
		return false;
	for (size_t i = 1; i < s.len; i++) {
		uint8_t c = s.at[i];
		if (c == ':')
			return true;
		if (!is_alpha(c) && !(c >= '0' && c <= '9') && c != '+' && c != '-' && c != '.')
			return false;
	}
	return false;
}

static size_t find(struct span s, uint8_t what)
{
	size_t i = 0;
	while (i < s.len && s.at[i] != what)
		i++;
	return i;
}

static void put(struct text *t, struct span s)
{
	for (size_t i = 0; i < s.len; i++) {
		uint8_t c = s.at[i];
		if (c > ' ' && c < 0x7f) {
			text_char(t, (char)c);
			continue;
		}
		text_char(t, '%');
		text_char(t, "0123456789ABCDEF"[c >> 4]);
		text_char(t, "0123456789ABCDEF"[c & 15]);
	}
}

static bool is_dots(const char *at, size_t len)
{
	return (len == 1 && at[0] == '.') || (len == 2 && at[0] == '.' && at[1] == '.');
}

/* 5.2.4 on the path from `start` to the text's end; it begins with '/'. */
static void remove_dots(struct text *t, size_t start)
{
	size_t out = start, in = start, end = t->len;

	while (in < end) { /* at a '/' */
		size_t next = in + 1;
		while (next < end && t->at[next] != '/')
			next++;
		const char *segment = t->at + in + 1;
		size_t len = next - in - 1;
		if (!is_dots(segment, len)) {
			memmove(t->at + out, t->at + in, next - in);
			out += next - in;
		} else {
			if (len == 2) /* up: take the last segment off */
				while (out > start && t->at[--out] != '/')
					;
			if (next == end)
				t->at[out++] = '/';
		}
		in = next;
	}
	if (out == start)
		t->at[out++] = '/';
	t->len = out;
	t->at[out] = '\0';
}

/* A path of the base's authority, with the query as the reference has it. */
static void put_path(struct text *t, const struct url *base, struct span reference)
{
	size_t query = find(reference, '?'), start = t->len;
	struct span path = span_first(reference, query);

	if (path.len == 0 || path.at[0] != '/') { /* 5.2.3 */
		size_t keep = base->path.len;
		while (keep > 0 && base->path.at[keep - 1] != '/')
			keep--;
		put(t, span_first(base->path, path.len ? keep : base->path.len));
		if (t->len == start)
			text_char(t, '/');
	}
	put(t, path);
	if (!t->cut)
		remove_dots(t, start);
	put(t, span_after(reference, query));
	if (reference.len == 0 && base->has_query) {
		text_char(t, '?');
		put(t, base->query);
	}
}

size_t url_reference(const struct url *base, struct span reference, char *out, size_t cap)
{
	struct text t = text_of(out, cap);
	bool network = reference.len > 1 && reference.at[0] == '/' && reference.at[1] == '/';

	reference = span_first(reference, find(reference, '#'));
	if (has_scheme(reference)) {
		put(&t, reference);
		return t.cut ? 0 : t.len;
	}
	text_string(&t, base->secure ? "https:" : "http:");
	if (network) {
		put(&t, reference);
		return t.cut ? 0 : t.len;
	}
	text_string(&t, "//");
	put(&t, base->authority);
	put_path(&t, base, reference);
	return t.cut ? 0 : t.len;
}
