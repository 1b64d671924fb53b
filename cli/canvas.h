/*
 * One line of a drawing: cells that are filled in any order and printed from the
 * left, each a sign of one column with its colour.
 */
#ifndef STRATA_CLI_CANVAS_H
#define STRATA_CLI_CANVAS_H

#include "cli/paint.h"

#define CANVAS_MAX 200

struct canvas {
	unsigned used; /* columns up to the last sign */
	struct {
		const char *sign; /* UTF-8 of one column; NULL: the letter */
		char letter;      /* 0: blank */
		enum paint paint;
	} cell[CANVAS_MAX];
};

void canvas_clear(struct canvas *c);
void canvas_sign(struct canvas *c, unsigned at, const char *sign, enum paint p);
/* ASCII text; returns the column behind it. */
unsigned canvas_text(struct canvas *c, unsigned at, const char *text, enum paint p);
void canvas_print(const struct canvas *c, FILE *f);

/*
 * Takes from `*text` as many words as fit in `columns`, a longer word cut; false: nothing is left.
 * Leading blanks are dropped; the words stand in `out`.
 */
bool canvas_words(const char **text, unsigned columns, char *out, size_t cap);

#endif
