/*
 * %{ code }%: the little of Python that scripts use to look at tcp_info.
 * Statements are `assert EXPR[, MESSAGE]`, `NAME = EXPR`, `NAME += EXPR`,
 * `print(...)` and `pass`; expressions have Python's operators and precedence
 * over whole numbers, fractions, strings and tuples, with abs, min, max, int and
 * len. Names are variables of the script, then what `lookup` knows, then Linux's
 * constants. Variables live as long as the script.
 */
#ifndef STRATA_DRILL_CODE_H
#define STRATA_DRILL_CODE_H

#include "drill/drill_script.h"

#define DRILL_VARIABLES 64
#define DRILL_TUPLE     8

enum drill_value_kind {
	DRILL_VALUE_NONE,
	DRILL_VALUE_WHOLE,
	DRILL_VALUE_REAL,
	DRILL_VALUE_TEXT,
	DRILL_VALUE_TUPLE,
};

struct drill_value {
	enum drill_value_kind kind;
	int64_t whole;
	double real;
	struct span text;
	const struct drill_value *item; /* of a tuple: DRILL_TUPLE at most */
	unsigned items;
};

struct drill_code {
	bool ip6;
	struct arena *arena; /* for texts and tuples */
	/* A name that the script did not set; false: not known. Called for each use. */
	bool (*lookup)(void *context, struct span name, int64_t *value);
	void *context;
	/* What print says, a line without its end; NULL: nobody listens. */
	void (*say)(void *context, const char *line);
	unsigned variables;
	struct {
		struct span name;
		struct drill_value value;
	} variable[DRILL_VARIABLES];
};

/*
 * Runs the code, which stands at `line` of the script and must live as long as `c`. False: an
 * assertion does not hold, or the code is not understood; `p` says which.
 */
bool drill_code_run(struct drill_code *c, struct span code, unsigned line, struct drill_problem *p);

#endif
