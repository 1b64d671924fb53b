/*
 * The clock, the instants, the hash, and what all parts of a world share.
 *
 * An instant: all events due fire in their order, then the nodes that were
 * touched run in the order of touching; as long as that made new events or
 * touched nodes at the same time, again. A pass counts towards the guard, so an
 * instant that never ends is stopped like a second that never ends.
 */
#include "sim/world.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "sim/capture.h"
#include "sim/invariant.h"
#include "sim/link.h"
#include "sim/node.h"

/* Memory that world_alloc gave: a link in front of it, kept aligned for anything. */
struct world_memory {
	_Alignas(max_align_t) struct list link;
};

void *world_alloc(struct world *w, size_t size)
{
	struct world_memory *m = calloc(1, sizeof *m + size);
	if (!m)
		abort();
	list_push_back(&w->memory, &m->link);
	return m + 1;
}

struct world *world_new(const struct world_config *c)
{
	struct world *w = calloc(1, sizeof *w);
	if (!w)
		abort();
	w->config = *c;
	if (!w->config.events_per_second)
		w->config.events_per_second = WORLD_EVENTS_PER_SECOND;
	w->now = w->second = c->start;
	w->halt = WORLD_DONE;
	struct list *const lists[] = { &w->nodes, &w->links, &w->switches, &w->dirty, &w->parcels,
		&w->memory, &w->invariants, &w->captures };
	for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
		list_init(lists[i]);
	agenda_init(&w->agenda);
	return w;
}

void world_free(struct world *w)
{
	if (!w)
		return;
	while (!list_empty(&w->captures))
		sim_capture_close(sim_capture_first(w));
	list_each(l, &w->nodes) node_free(list_entry(l, struct node, in_world));
	for (struct list *l; (l = list_pop_front(&w->memory));)
		free(list_entry(l, struct world_memory, link));
	agenda_free(&w->agenda);
	free(w);
}

/* Running the clock */

nanotime world_next(const struct world *w)
{
	return list_empty(&w->dirty) ? agenda_next(&w->agenda) : w->now;
}

static void count_event(struct world *w)
{
	w->events++;
	if (w->now - w->second >= NANO_S) {
		w->second = w->now;
		w->second_events = 0;
	}
	if (++w->second_events > w->config.events_per_second)
		world_halt(w, WORLD_RUNAWAY, "more than %llu events in one virtual second",
			(unsigned long long)w->config.events_per_second);
}

static void run_events(struct world *w)
{
	for (struct event *e; w->halt == WORLD_DONE && (e = agenda_due(&w->agenda, w->now));) {
		count_event(w);
		e->fire(e);
	}
}

static void run_nodes(struct world *w)
{
	struct list round;
	list_init(&round);
	if (!w->config.backward)
		list_splice_back(&round, &w->dirty);
	for (struct list *l; (l = list_pop_front(&w->dirty));)
		list_push_front(&round, l);
	for (struct list *l; (l = list_pop_front(&round));) {
		struct node *n = list_entry(l, struct node, dirty);
		if (w->halt != WORLD_DONE)
			continue;
		count_event(w);
		node_run(n);
		invariant_check(n);
	}
}

bool world_step(struct world *w)
{
	nanotime next = world_next(w);
	if (next == NANOTIME_NEVER || w->halt != WORLD_DONE)
		return false;
	assert(next >= w->now);
	w->now = next;
	do {
		run_events(w);
		run_nodes(w);
	} while (w->halt == WORLD_DONE && world_next(w) <= w->now);
	return true;
}

enum world_end world_run(struct world *w, nanotime until, bool (*done)(void *user), void *user)
{
	for (;;) {
		if (w->halt != WORLD_DONE)
			return w->halt;
		if (done && done(user))
			return WORLD_DONE;
		nanotime next = world_next(w);
		if (next > until) {
			if (until > w->now)
				w->now = until;
			return WORLD_TIME;
		}
		if (!world_step(w))
			return w->halt != WORLD_DONE ? w->halt : WORLD_IDLE;
	}
}

/* Calls at a time. */

struct world_call {
	struct event event;
	void (*fn)(void *user);
	void *user;
};

static void fire_call(struct event *e)
{
	struct world_call *c = list_entry(e, struct world_call, event);
	c->fn(c->user);
}

void world_at(struct world *w, nanotime time, void (*fn)(void *user), void *user)
{
	struct world_call *c = world_alloc(w, sizeof *c);
	event_init(&c->event, fire_call);
	c->fn = fn;
	c->user = user;
	agenda_put(&w->agenda, &c->event, time < w->now ? w->now : time);
}

/* Chance and its record */

void world_rng(const struct world *w, const char *component, const char *use, struct rng *out)
{
	uint8_t seed[16 + 2 * 64] = "strata world";
	size_t len = 8 + 16;
	store64(seed + 16, w->config.seed);
	for (const char *s = component; *s && len < sizeof seed - 1; s++)
		seed[len++] = (uint8_t)*s;
	seed[len++] = '/';
	for (const char *s = use; *s && len < sizeof seed; s++)
		seed[len++] = (uint8_t)*s;
	rng_seed(out, span_of(seed, len));
}

void world_note(struct world *w, enum world_note kind, uint64_t place, struct span bytes)
{
	uint64_t what[] = { (uint64_t)w->now, (uint64_t)kind, place, bytes.len };
	struct hash_key key = { { w->hash, UINT64_C(0x5374726174612121) } };
	key.k[1] = hash_words(&key, what, sizeof what / sizeof *what);
	w->hash = siphash24(&key, bytes);
}

uint64_t world_hash(const struct world *w)
{
	return w->hash;
}

void world_halt(struct world *w, enum world_end end, const char *format, ...)
{
	if (w->halt != WORLD_DONE)
		return;
	w->halt = end;
	char what[160];
	va_list args;
	va_start(args, format);
	vsnprintf(what, sizeof what, format, args);
	va_end(args);
	snprintf(w->why, sizeof w->why, "%s, at %lld.%09lld s, seed %llu", what,
		(long long)(w->now / NANO_S), (long long)(w->now % NANO_S),
		(unsigned long long)w->config.seed);
}

const char *world_why(const struct world *w)
{
	return w->why;
}

const char *world_end_name(enum world_end end)
{
	static const char *const name[] = { "done", "time is up", "nothing can ever happen",
		"goes round in circles", "an invariant is broken" };
	return (unsigned)end < sizeof name / sizeof *name ? name[end] : "";
}
