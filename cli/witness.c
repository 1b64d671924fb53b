/*
 * Room for a million events, which is a page of half a gigabyte. It is address
 * space until it is used.
 */
#include "cli/witness.h"

#include "host/pages.h"

#include <stdlib.h>
#include <string.h>

#define MOMENTS (UINT32_C(1) << 20)
#define STORE   ((size_t)256 << 20)

static void hear(void *user, const struct trace_event *e)
{
	struct witness *x = user;
	timeline_event(&x->timeline, e);
}

struct witness *witness_begin(struct session *s)
{
	struct witness *x = calloc(1, sizeof *x);
	if (x) {
		x->moments = pages_map(MOMENTS * sizeof(struct moment));
		x->store = pages_map(STORE);
	}
	if (!x || !x->moments || !x->store) {
		complain(s->command, VERDICT_ENVIRONMENT,
			"out of memory for the walk: leave --explain and --json out");
		witness_free(x);
		return NULL;
	}
	timeline_init(&x->timeline, x->moments, MOMENTS, x->store, STORE);
	site_listen(s->site, hear, x);
	return x;
}

const struct walk *witness_end(struct witness *x, struct session *s, const struct walk_input *in)
{
	uint32_t count = x->timeline.count ? x->timeline.count : 1;
	site_listen(s->site, NULL, NULL);
	x->steps = calloc(count, sizeof(struct walk_step));
	if (!x->steps)
		count = 0;
	walk_build(&x->walk, &x->timeline, in, x->steps, count);
	return &x->walk;
}

void witness_free(struct witness *x)
{
	if (!x)
		return;
	if (x->moments)
		pages_unmap(x->moments, MOMENTS * sizeof(struct moment));
	if (x->store)
		pages_unmap(x->store, STORE);
	free(x->steps);
	free(x);
}
