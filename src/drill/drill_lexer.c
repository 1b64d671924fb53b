/*
 * Reading characters: white space, comments, words, numbers, times. Every step
 * is bounded by the text; after the first problem there is nothing more to read,
 * so that callers need not look at each result.
 */
#include "drill/drill_lexer.h"

#include <stdarg.h>
#include <stdio.h>

void drill_fail(struct drill_lexer *l, const char *format, ...)
{
	if (l->failed)
		return;
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(l->problem->text, sizeof l->problem->text, format, arguments);
	va_end(arguments);
	l->problem->line = l->line;
	l->failed = true;
	l->at = l->text.len;
}

void *drill_take(struct drill_lexer *l, size_t size)
{
	void *at = l->failed ? NULL : arena_take(l->arena, size, 8);
	if (!at) {
		drill_fail(l, "the script holds too much: split it");
		return NULL;
	}
	memset(at, 0, size);
	return at;
}

void drill_step(struct drill_lexer *l)
{
	if (l->at < l->text.len && l->text.at[l->at++] == '\n')
		l->line++;
}

static bool skip_comment(struct drill_lexer *l)
{
	if (drill_peek(l) == '/' && drill_peek_at(l, 1) == '/') {
		while (l->at < l->text.len && drill_peek(l) != '\n')
			drill_step(l);
		return true;
	}
	if (drill_peek(l) != '/' || drill_peek_at(l, 1) != '*')
		return false;
	unsigned opened = l->line;
	drill_step(l);
	drill_step(l);
	while (l->at < l->text.len && !(drill_peek(l) == '*' && drill_peek_at(l, 1) == '/'))
		drill_step(l);
	if (l->at >= l->text.len)
		drill_fail(l, "the comment that begins on line %u is never closed", opened);
	drill_step(l);
	drill_step(l);
	return true;
}

void drill_skip(struct drill_lexer *l)
{
	for (;;) {
		char c = drill_peek(l);
		if (c == ' ' || c == '\t' || c == '\n' || c == '\r')
			drill_step(l);
		else if (!skip_comment(l))
			return;
	}
}

bool drill_next_is(struct drill_lexer *l, const char *mark)
{
	drill_skip(l);
	size_t len = strlen(mark);
	return l->text.len - l->at >= len && memcmp(l->text.at + l->at, mark, len) == 0;
}

bool drill_accept(struct drill_lexer *l, const char *mark)
{
	if (!drill_next_is(l, mark))
		return false;
	l->at += strlen(mark);
	return true;
}

void drill_expect(struct drill_lexer *l, const char *mark)
{
	if (drill_accept(l, mark) || l->failed)
		return;
	size_t rest = l->text.len - l->at, len = 0;
	while (len < rest && len < 20 && l->text.at[l->at + len] > ' ' &&
		l->text.at[l->at + len] < 0x7f)
		len++;
	if (len)
		drill_fail(l, "'%.*s' stands where '%s' was expected", (int)len,
			(const char *)l->text.at + l->at, mark);
	else
		drill_fail(l, "'%s' was expected here", mark);
}

static bool in_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		c == '_';
}

struct span drill_word(struct drill_lexer *l)
{
	drill_skip(l);
	size_t start = l->at;
	while (l->at < l->text.len && in_word(drill_peek(l)))
		l->at++;
	return span_of(l->text.at + start, l->at - start);
}

bool drill_accept_word(struct drill_lexer *l, const char *word)
{
	if (!drill_next_is(l, word) || in_word(drill_peek_at(l, strlen(word))))
		return false;
	l->at += strlen(word);
	return true;
}

static int digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return 99;
}

bool drill_number(struct drill_lexer *l, int64_t *value)
{
	drill_skip(l);
	size_t at = 0;
	bool negative = drill_peek(l) == '-';
	if (negative || drill_peek(l) == '+')
		at++;
	int base = 10;
	if (drill_peek_at(l, at) == '0' && (drill_peek_at(l, at + 1) | 0x20) == 'x') {
		base = 16;
		at += 2;
	} else if (drill_peek_at(l, at) == '0') {
		base = 8;
	}
	uint64_t v = 0;
	unsigned digits = 0;
	for (int d; (d = digit_of(drill_peek_at(l, at))) < base; at++, digits++) {
		if (v > (UINT64_C(1) << 59)) {
			drill_fail(l, "a number with too many digits");
			return false;
		}
		v = v * (unsigned)base + (unsigned)d;
	}
	if (digits == 0)
		return false;
	l->at += at;
	*value = negative ? -(int64_t)v : (int64_t)v;
	return true;
}

uint32_t drill_number32(struct drill_lexer *l, const char *what)
{
	int64_t v = 0;
	if (!drill_number(l, &v))
		drill_fail(l, "%s must be a number", what);
	else if (v < 0 || v > UINT32_MAX)
		drill_fail(l, "%s must lie between 0 and 4294967295", what);
	return (uint32_t)v;
}

uint16_t drill_number16(struct drill_lexer *l, const char *what)
{
	uint32_t v = drill_number32(l, what);
	if (v > UINT16_MAX)
		drill_fail(l, "%s must lie between 0 and 65535", what);
	return (uint16_t)v;
}

static nanotime unit(struct drill_lexer *l)
{
	static const struct {
		const char *name;
		nanotime ns;
	} units[] = { { "ms", NANO_MS }, { "us", NANO_US }, { "s", NANO_S } };
	for (unsigned i = 0; i < sizeof units / sizeof units[0]; i++) {
		size_t len = strlen(units[i].name);
		if (l->text.len - l->at >= len &&
			memcmp(l->text.at + l->at, units[i].name, len) == 0 &&
			!in_word(drill_peek_at(l, len))) {
			l->at += len;
			return units[i].ns;
		}
	}
	return NANO_S;
}

bool drill_seconds(struct drill_lexer *l, nanotime *value)
{
	drill_skip(l);
	size_t start = l->at;
	int64_t whole = 0, part = 0, scale = 1;
	for (; digit_of(drill_peek(l)) < 10; l->at++) {
		whole = whole * 10 + digit_of(drill_peek(l));
		if (whole > 1000000000) {
			drill_fail(l, "a time beyond thirty years");
			return false;
		}
	}
	if (drill_peek(l) == '.' && digit_of(drill_peek_at(l, 1)) < 10) {
		l->at++;
		for (; digit_of(drill_peek(l)) < 10; l->at++)
			if (scale < NANO_S) {
				part = part * 10 + digit_of(drill_peek(l));
				scale *= 10;
			}
	}
	if (l->at == start)
		return false;
	nanotime ns = unit(l);
	*value = whole * ns + part * (ns / scale) + part * (ns % scale) / scale;
	return true;
}

struct span drill_define(const struct drill_names *names, struct span name)
{
	for (unsigned i = 0; i < names->defines; i++)
		if (span_equal(names->define[i].name, name))
			return names->define[i].value;
	/* The cookies that the published key gives to the default addresses. */
	if (drill_is(name, "TFO_COOKIE"))
		return names->ip6 ? span_of("b7c12350a90dc8f5", 16)
				  : span_of("3021b9d889017eeb", 16);
	return span_of(name.at, 0);
}
