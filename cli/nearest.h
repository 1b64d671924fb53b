/* Which known word was meant: the edit distance between what was typed and what there is. */
#ifndef STRATA_CLI_NEAREST_H
#define STRATA_CLI_NEAREST_H

#include <stdbool.h>

struct nearest {
	const char *word;
	unsigned best; /* only words closer than this are taken */
};

struct nearest nearest_begin(const char *word);
/* Is this candidate nearer than all before, and near enough to be meant? */
bool nearest_try(struct nearest *n, const char *candidate);

#endif
