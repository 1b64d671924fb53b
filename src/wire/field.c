/*
 * Reading a header by its table. A field is a run of bits, counted from the header's first bit,
 * most significant first, as the RFCs draw them. Nothing here knows a protocol: the tables stand
 * in the codecs' files, and what a value means in words comes from the table's own functions.
 *
 * Text is written without stdio, cut where the buffer ends, and always closed by a NUL.
 */
#include "wire/field.h"

#include "base/addr.h"

struct text {
	char *at;
	size_t len, cap;
};

static void text_char(struct text *t, char c)
{
	if (t->len + 1 < t->cap)
		t->at[t->len++] = c;
}

static void text_string(struct text *t, const char *s)
{
	while (*s)
		text_char(t, *s++);
}

static void text_decimal(struct text *t, uint64_t value)
{
	char digits[20];
	size_t n = 0;
	do {
		digits[n++] = (char)('0' + value % 10);
		value /= 10;
	} while (value);
	while (n)
		text_char(t, digits[--n]);
}

static void text_hex(struct text *t, uint64_t value, unsigned digits)
{
	while (digits--)
		text_char(t, "0123456789abcdef"[value >> (4 * digits) & 15]);
}

/* Does the header reach over the whole field? */
static bool field_present(const struct field *f, struct span header)
{
	return f->bits > 0 && (size_t)f->bit + f->bits <= header.len * 8;
}

uint64_t field_value(const struct field *f, struct span header)
{
	if (f->bits > 64 || !field_present(f, header))
		return 0;
	uint64_t value = 0;
	unsigned at = f->bit, end = at + f->bits;
	while (at < end) {
		unsigned skip = at % 8;
		unsigned take = end - at < 8 - skip ? end - at : 8 - skip;
		unsigned bits = (header.at[at / 8] & 0xffu >> skip) >> (8 - skip - take);
		value = value << take | bits;
		at += take;
	}
	return value;
}

/* The least significant name first, so that it reads as people say it: "SYN, ACK", "FIN, ACK". */
static void format_flags(const struct field *f, uint64_t value, struct text *t)
{
	uint64_t unnamed = 0;
	bool first = true;
	for (unsigned bit = 0; bit < f->bits; bit++) {
		if (!(value >> bit & 1))
			continue;
		const char *name = f->flags ? f->flags[f->bits - 1 - bit] : NULL;
		if (!name) {
			unnamed |= 1ull << bit;
			continue;
		}
		if (!first)
			text_string(t, ", ");
		text_string(t, name);
		first = false;
	}
	if (unnamed) {
		text_string(t, first ? "0x" : ", 0x");
		text_hex(t, unnamed, (f->bits + 3u) / 4);
	} else if (first) {
		text_string(t, "none");
	}
}

static void format_bytes(struct span bytes, struct text *t)
{
	for (size_t i = 0; i < bytes.len; i++) {
		if (i)
			text_char(t, ' ');
		text_hex(t, bytes.at[i], 2);
	}
}

/* Addresses begin at whole bytes; the width is the kind's. */
static void format_address(const struct field *f, const uint8_t *at, struct text *t)
{
	char buf[ADDR_TEXT_MAX];
	if (f->kind == FIELD_MAC) {
		struct mac m;
		memcpy(m.b, at, 6);
		mac_format(&m, buf);
	} else {
		struct addr a = f->kind == FIELD_ADDR4 ? addr_from4(at) : addr_from6(at);
		/* A mapped address in an IPv6 header must not look like an IPv4 one. */
		if (f->kind == FIELD_ADDR6 && addr_is4(&a))
			text_string(t, "::ffff:");
		addr_format(&a, buf);
	}
	text_string(t, buf);
}

static void format_number(const struct field *f, uint64_t value, struct text *t)
{
	if (f->kind == FIELD_HEX) {
		text_string(t, "0x");
		text_hex(t, value, (f->bits + 3u) / 4);
	} else {
		text_decimal(t, value);
	}
	const char *word = f->word ? f->word(value) : NULL;
	if (word) {
		text_string(t, " (");
		text_string(t, word);
		text_char(t, ')');
	}
}

size_t field_format(const struct field *f, struct span header, char *out, size_t cap)
{
	if (cap == 0)
		return 0;
	struct text t = { .at = out, .cap = cap };
	if (!field_present(f, header)) {
		text_string(&t, "cut short");
	} else {
		switch (f->kind) {
		case FIELD_UINT:
		case FIELD_HEX: format_number(f, field_value(f, header), &t); break;
		case FIELD_FLAGS: format_flags(f, field_value(f, header), &t); break;
		case FIELD_ADDR4:
		case FIELD_ADDR6:
		case FIELD_MAC: format_address(f, header.at + f->bit / 8, &t); break;
		case FIELD_BYTES:
			format_bytes(span_of(header.at + f->bit / 8, f->bits / 8u), &t);
			break;
		}
	}
	out[t.len] = '\0';
	return t.len;
}
