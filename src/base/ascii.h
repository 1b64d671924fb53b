/*
 * ASCII, without regard to any locale: the classes of bytes that protocols and
 * the texts of people are made of. Bytes from 0x80 on are in none of them.
 */
#ifndef STRATA_BASE_ASCII_H
#define STRATA_BASE_ASCII_H

#include "base/span.h"

static inline bool ascii_is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

static inline bool ascii_is_letter(uint8_t c)
{
	return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

/* Space and tab */
static inline bool ascii_is_blank(uint8_t c)
{
	return c == ' ' || c == '\t';
}

/* All control characters but the tab */
static inline bool ascii_is_control(uint8_t c)
{
	return (c < ' ' && c != '\t') || c == 0x7f;
}

static inline uint8_t ascii_lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c;
}

/* The value of a hexadecimal digit, or -1 */
static inline int ascii_hex(uint8_t c)
{
	if (ascii_is_digit(c))
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Does `text` begin with `word`, whatever the case? Then the word's length, else 0. */
static inline size_t ascii_begins(struct span text, const char *word)
{
	size_t n = 0;

	for (; word[n]; n++)
		if (n == text.len || ascii_lower(text.at[n]) != ascii_lower((uint8_t)word[n]))
			return 0;
	return n;
}

/* The same word, whatever the case? */
static inline bool ascii_equal(struct span text, const char *word)
{
	return ascii_begins(text, word) == text.len && (text.len > 0 || word[0] == '\0');
}

#endif
