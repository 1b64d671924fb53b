/* Between the statements and the expressions of %{ code }%. */
#ifndef STRATA_DRILL_CODE_PRIVATE_H
#define STRATA_DRILL_CODE_PRIVATE_H

#include "drill/drill_code.h"

#define CODE_DEPTH 32
#define CODE_SEEN  6

struct code_run {
	struct drill_code *c;
	struct span text;
	size_t at;
	unsigned line;
	unsigned depth;  /* of nested expressions */
	unsigned within; /* brackets that are open: lines may end */
	unsigned idle;   /* read, but not evaluated: behind "or" and "and" */
	bool failed;
	struct drill_problem *problem;
	/* Names that the statement looked at, for the message. */
	unsigned seen;
	struct {
		struct span name;
		int64_t value;
	} seen_name[CODE_SEEN];
};

void code_fail(struct code_run *r, const char *format, ...) __attribute__((format(printf, 2, 3)));
void code_skip(struct code_run *r); /* blanks, comments, continued lines */
bool code_accept(struct code_run *r, const char *mark);
struct span code_word(struct code_run *r);
bool code_accept_word(struct code_run *r, const char *word);
struct drill_value code_expression(struct code_run *r);
/* "a, b": one value, or a tuple. */
struct drill_value code_tuple(struct code_run *r);
bool code_true(const struct drill_value *v);
/* A value as print shows it, NUL-closed. */
void code_show(const struct drill_value *v, char *out, size_t cap);
/* 'cwnd=%d' % value */
struct drill_value code_format(struct code_run *r, struct span format, const struct drill_value *v);

static inline struct drill_value code_whole(int64_t v)
{
	return (struct drill_value){ .kind = DRILL_VALUE_WHOLE, .whole = v };
}

static inline char code_peek(const struct code_run *r, size_t further)
{
	return r->at + further < r->text.len ? (char)r->text.at[r->at + further] : '\0';
}

#endif
