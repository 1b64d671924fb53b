/*
 * Addresses as text. Parsing is strict: no leading zeroes in a dotted quad
 * (which would be octal to some readers and decimal to others), no more than
 * four digits in a group, one "::" at most and only where it stands for
 * something (RFC 4291 2.2). Formatting gives the one canonical form (RFC 5952).
 */
#include "base/addr.h"

#define NO_GAP 17 /* past every place that "::" can have */

bool addr_in_prefix(const struct addr *a, const struct addr *net, unsigned prefix)
{
	bool four = addr_is4(net);
	if (four != addr_is4(a) || prefix > (four ? 32 : 128))
		return false;
	if (four)
		prefix += 96;

	unsigned whole = prefix / 8, bits = prefix % 8;
	if (memcmp(a->b, net->b, whole) != 0)
		return false;
	return bits == 0 || (a->b[whole] ^ net->b[whole]) >> (8 - bits) == 0;
}

static bool peek(const struct reader *r, uint8_t c)
{
	return r->rest.len > 0 && r->rest.at[0] == c;
}

static bool skip(struct reader *r, uint8_t c)
{
	bool there = peek(r, c);
	if (there)
		read8(r);
	return there;
}

static int digit_value(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* One decimal number up to `max` without leading zeroes. */
static bool parse_decimal(struct reader *r, unsigned max, unsigned *out)
{
	unsigned value = 0, digits = 0;
	while (r->rest.len > 0 && r->rest.at[0] >= '0' && r->rest.at[0] <= '9') {
		if (digits > 0 && value == 0)
			return false;
		value = value * 10 + (unsigned)(read8(r) - '0');
		if (value > max)
			return false;
		digits++;
	}
	*out = value;
	return digits > 0;
}

/* A dotted quad that fills the text. */
static bool parse_four(struct span text, uint8_t out[4])
{
	struct reader r = reader_of(text);
	for (unsigned i = 0; i < 4; i++) {
		unsigned value;
		if (i > 0 && !skip(&r, '.'))
			return false;
		if (!parse_decimal(&r, 255, &value))
			return false;
		out[i] = (uint8_t)value;
	}
	return r.rest.len == 0;
}

/* One to four hexadecimal digits. */
static bool parse_group(struct reader *r, unsigned *out)
{
	unsigned digits = 0;
	int value;
	for (*out = 0; r->rest.len > 0 && (value = digit_value(r->rest.at[0])) >= 0; digits++) {
		if (digits == 4)
			return false;
		*out = *out << 4 | (unsigned)value;
		read8(r);
	}
	return digits > 0;
}

/*
 * Groups are written from the front; where "::" was is remembered, and what
 * came after it moves to the end.
 */
static bool parse_six(struct span text, struct addr *out)
{
	struct reader r = reader_of(text);
	unsigned at = 0, gap = NO_GAP, value;

	*out = ADDR_ANY;
	if (skip(&r, ':')) {
		if (!skip(&r, ':'))
			return false;
		gap = 0;
	}
	while (r.rest.len > 0) {
		struct span here = r.rest;
		if (at == 16 || !parse_group(&r, &value))
			return false;
		if (peek(&r, '.')) {
			if (at > 12 || !parse_four(here, out->b + at))
				return false;
			at += 4;
			break;
		}
		store16(out->b + at, (uint16_t)value);
		at += 2;
		if (r.rest.len == 0)
			break;
		if (!skip(&r, ':') || r.rest.len == 0)
			return false;
		if (skip(&r, ':')) {
			if (gap != NO_GAP)
				return false;
			gap = at;
		}
	}
	if (gap == NO_GAP)
		return at == 16;
	if (at == 16)
		return false;
	memmove(out->b + gap + 16 - at, out->b + gap, at - gap);
	memset(out->b + gap, 0, 16 - at);
	return true;
}

static bool has(struct span text, uint8_t c)
{
	return text.len > 0 && memchr(text.at, c, text.len) != NULL;
}

bool addr_parse(struct span text, struct addr *out)
{
	uint8_t four[4];
	if (has(text, ':'))
		return parse_six(text, out);
	if (!parse_four(text, four))
		return false;
	*out = addr_from4(four);
	return true;
}

bool addr_parse_prefix(struct span text, struct addr *out, unsigned *prefix)
{
	size_t len = 0;
	while (len < text.len && text.at[len] != '/')
		len++;
	struct span front = span_first(text, len);
	if (!addr_parse(front, out))
		return false;

	/* ::ffff:a.b.c.d/n counts 128 bits, but is kept as an IPv4 network. */
	bool four = addr_is4(out), mapped = four && has(front, ':');
	*prefix = four ? 32 : 128;
	if (len == text.len)
		return true;
	struct reader r = reader_of(span_after(text, len + 1));
	if (!parse_decimal(&r, four && !mapped ? 32 : 128, prefix) || r.rest.len > 0)
		return false;
	if (mapped) {
		if (*prefix < 96)
			return false;
		*prefix -= 96;
	}
	return true;
}

static const char hex_digits[] = "0123456789abcdef";

static void write_char(struct writer *w, char c)
{
	write8(w, (uint8_t)c);
}

static void format_four(struct writer *w, const uint8_t *four)
{
	for (unsigned i = 0; i < 4; i++) {
		if (i > 0)
			write_char(w, '.');
		if (four[i] >= 100)
			write_char(w, hex_digits[four[i] / 100]);
		if (four[i] >= 10)
			write_char(w, hex_digits[four[i] / 10 % 10]);
		write_char(w, hex_digits[four[i] % 10]);
	}
}

/* Lower case, no leading zeroes (RFC 5952 4.1, 4.3). */
static void format_group(struct writer *w, unsigned group)
{
	int shift = 12;
	while (shift > 0 && group >> shift == 0)
		shift -= 4;
	for (; shift >= 0; shift -= 4)
		write_char(w, hex_digits[group >> shift & 15]);
}

/*
 * Where the last 32 bits are known to be an IPv4 address they are written as
 * one (RFC 5952 5): 64:ff9b::/96 (RFC 6052 2.4) and ::ffff:0:0:0/96 (RFC 2765).
 */
static bool embeds_four(const struct addr *a)
{
	static const uint8_t nat64[12] = { 0x00, 0x64, 0xff, 0x9b };
	static const uint8_t translated[12] = { [8] = 0xff, 0xff };
	return memcmp(a->b, nat64, 12) == 0 || memcmp(a->b, translated, 12) == 0;
}

/* The longest run of at least two zero groups, the first of equals (RFC 5952 4.2). */
static unsigned longest_zeroes(const struct addr *a, unsigned groups, unsigned *first)
{
	unsigned best = 1, run = 0;
	*first = groups;
	for (unsigned i = 0; i < groups; i++) {
		run = load16(a->b + 2 * i) == 0 ? run + 1 : 0;
		if (run > best) {
			best = run;
			*first = i + 1 - run;
		}
	}
	return best;
}

static void format_six(struct writer *w, const struct addr *a)
{
	bool mixed = embeds_four(a);
	unsigned groups = mixed ? 6 : 8, gap;
	unsigned zeroes = longest_zeroes(a, groups, &gap);

	for (unsigned i = 0; i < groups; i++) {
		if (i == gap) {
			write_bytes(w, span_of("::", 2));
			i += zeroes - 1;
			continue;
		}
		if (i > 0 && i != gap + zeroes)
			write_char(w, ':');
		format_group(w, load16(a->b + 2 * i));
	}
	if (mixed) {
		if (gap + zeroes != groups)
			write_char(w, ':');
		format_four(w, a->b + 12);
	}
}

size_t addr_format(const struct addr *a, char out[ADDR_TEXT_MAX])
{
	struct writer w = writer_of((uint8_t *)out, ADDR_TEXT_MAX - 1);
	if (addr_is4(a))
		format_four(&w, a->b + 12);
	else
		format_six(&w, a);
	assert(!w.failed);
	out[w.len] = '\0';
	return w.len;
}

/* Six pairs of digits, all separated by ':' or all by '-'. */
bool mac_parse(struct span text, struct mac *out)
{
	if (text.len != 17 || (text.at[2] != ':' && text.at[2] != '-'))
		return false;
	for (unsigned i = 0; i < 6; i++) {
		const uint8_t *pair = text.at + 3 * i;
		int high = digit_value(pair[0]), low = digit_value(pair[1]);
		if (high < 0 || low < 0 || (i < 5 && pair[2] != text.at[2]))
			return false;
		out->b[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

size_t mac_format(const struct mac *m, char out[MAC_TEXT_MAX])
{
	for (unsigned i = 0; i < 6; i++) {
		out[3 * i] = hex_digits[m->b[i] >> 4];
		out[3 * i + 1] = hex_digits[m->b[i] & 15];
		out[3 * i + 2] = i < 5 ? ':' : '\0';
	}
	return MAC_TEXT_MAX - 1;
}
