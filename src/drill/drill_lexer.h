/*
 * The reader of scripts: a cursor that skips white space and comments and takes
 * numbers, words and times. The language is read without a separate stream of
 * tokens, because what a character means depends on where it stands: "." is a
 * flag, a decimal point or the beginning of "...", "<" a direction or options.
 */
#ifndef STRATA_DRILL_LEXER_H
#define STRATA_DRILL_LEXER_H

#include "drill/drill_script.h"

#define DRILL_DEPTH 16 /* of nested arguments */

struct drill_lexer {
	struct span text;
	size_t at;
	unsigned line;
	bool failed;
	struct drill_problem *problem;
	struct arena *arena;
	const struct drill_names *names;
	unsigned depth;
};

/* Notes the first problem, and stops all reading: the cursor stands at the end from then on. */
void drill_fail(struct drill_lexer *l, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* The character here, or one further on; 0 at the end. */
static inline char drill_peek_at(const struct drill_lexer *l, size_t further)
{
	return l->at + further < l->text.len ? (char)l->text.at[l->at + further] : '\0';
}

static inline char drill_peek(const struct drill_lexer *l)
{
	return drill_peek_at(l, 0);
}

void drill_skip(struct drill_lexer *l); /* white space and comments */
void drill_step(struct drill_lexer *l); /* one character, counting lines */
/* Takes `mark` where it stands next, after white space. */
bool drill_accept(struct drill_lexer *l, const char *mark);
/* The same, and it is a problem where it does not stand there. */
void drill_expect(struct drill_lexer *l, const char *mark);
bool drill_next_is(struct drill_lexer *l, const char *mark);
/* A word of letters, digits and underscores; empty where none stands next. */
struct span drill_word(struct drill_lexer *l);
bool drill_accept_word(struct drill_lexer *l, const char *word);
/* A number: decimal, 0x or octal, with a sign. False and nothing taken where none stands next. */
bool drill_number(struct drill_lexer *l, int64_t *value);
uint32_t drill_number32(struct drill_lexer *l, const char *what);
uint16_t drill_number16(struct drill_lexer *l, const char *what);
/* Seconds with a fraction, in nanoseconds; a unit (s, ms, us) may follow. */
bool drill_seconds(struct drill_lexer *l, nanotime *value);
/* Memory from the arena, all zero; never NULL while not `failed`. */
void *drill_take(struct drill_lexer *l, size_t size);

/* The parts of the parser. */
struct drill_expr *drill_parse_expr(struct drill_lexer *l);
void drill_parse_call(struct drill_lexer *l, struct drill_call *c);
void drill_parse_packet(struct drill_lexer *l, struct drill_packet *p);
struct drill_option *drill_parse_options(struct drill_lexer *l, bool *any);
/* "host_unreachable" and what follows; the names differ by family. */
void drill_parse_icmp(struct drill_lexer *l, struct drill_packet *p);
/* The text of a define, or an empty span. */
struct span drill_define(const struct drill_names *names, struct span name);

#endif
