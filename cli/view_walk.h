/*
 * The walk on a terminal: who takes part, a ladder of what went to and fro with
 * what each layer did, and what it took. And the same as JSON, complete.
 */
#ifndef STRATA_CLI_VIEW_WALK_H
#define STRATA_CLI_VIEW_WALK_H

#include "cli/json.h"
#include "cli/paint.h"
#include "diag/walk.h"

struct view_about {
	const char *url;
	const char *link; /* "lab:home" */
	bool simulated;
	uint64_t seed;
	bool good; /* the exchange succeeded */
};

void view_walk(FILE *f, const struct walk *w, const struct view_about *about);
/* What it took: view_walk prints it last. */
void view_walk_summary(FILE *f, const struct walk *w, const struct view_about *about);
/* The walk's members of an object that is open: hosts, questions, connections, steps, summary. */
void view_walk_json(struct json *j, const struct walk *w);

#endif
