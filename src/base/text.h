/*
 * Text for people, written without stdio: a cursor over a caller's buffer that
 * always leaves room for the closing NUL. What does not fit is cut, and `cut`
 * says so; nothing is ever written past the end.
 */
#ifndef STRATA_BASE_TEXT_H
#define STRATA_BASE_TEXT_H

#include "base/span.h"

struct text {
	char *at;
	size_t len; /* without the NUL */
	size_t cap; /* with it; at least 1 */
	bool cut;
};

static inline struct text text_of(char *at, size_t cap)
{
	assert(cap > 0);
	at[0] = '\0';
	return (struct text){ .at = at, .cap = cap };
}

static inline void text_char(struct text *t, char c)
{
	if (t->len >= t->cap - 1) {
		t->cut = true;
		return;
	}
	t->at[t->len++] = c;
	t->at[t->len] = '\0';
}

static inline void text_string(struct text *t, const char *s)
{
	while (*s)
		text_char(t, *s++);
}

/* The bytes as they are; the caller knows that they are printable. */
static inline void text_span(struct text *t, struct span s)
{
	for (size_t i = 0; i < s.len; i++)
		text_char(t, (char)s.at[i]);
}

/* Decimal, with leading zeroes up to `width` digits. */
static inline void text_padded(struct text *t, uint64_t v, unsigned width)
{
	char digits[20];
	unsigned n = 0;
	do {
		digits[n++] = (char)('0' + v % 10);
		v /= 10;
	} while (v && n < sizeof digits);
	for (unsigned i = n; i < width; i++)
		text_char(t, '0');
	while (n)
		text_char(t, digits[--n]);
}

static inline void text_decimal(struct text *t, uint64_t v)
{
	text_padded(t, v, 1);
}

/* Lower-case hexadecimal with exactly `digits` digits (at most 16). */
static inline void text_hex(struct text *t, uint64_t v, unsigned digits)
{
	while (digits)
		text_char(t, "0123456789abcdef"[v >> --digits * 4 & 15]);
}

#endif
