/* Who watches an exchange for the walk: a timeline that listens to a site, with its memory. */
#ifndef STRATA_CLI_WITNESS_H
#define STRATA_CLI_WITNESS_H

#include "cli/session.h"
#include "diag/walk.h"

struct witness {
	struct timeline timeline;
	struct walk walk;
	void *moments, *store, *steps;
};

/* From now on it hears what the session's stack does. NULL: out of memory, told. */
struct witness *witness_begin(struct session *s);
/* Builds the walk of an exchange, and listens no more. */
const struct walk *witness_end(struct witness *x, struct session *s, const struct walk_input *in);
void witness_free(struct witness *x);

#endif
