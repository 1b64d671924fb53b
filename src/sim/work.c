/*
 * The steps are counted in one place for all stacks of the program, and each call
 * takes the difference. What a call finds to do is read before it from the pools,
 * lists and the wheel; where nothing is due and little is ready that is a few
 * loads. Held ranges lie with their connections, and are added up only where a
 * call took more than it may without them, or may make them give way.
 */
#include "sim/work.h"

#include <stdlib.h>

#include "access/access.h"
#include "stack/stack.h"
#include "transport/endpoints.h"

static uint64_t steps;

/* Called by each step of code that is compiled with -fsanitize-coverage=trace-pc. A fuzzer's
 * runtime has a function of that name; there the build gives ours another, and has the linker call
 * it. */
#ifndef STRATA_STEP
#define STRATA_STEP __sanitizer_cov_trace_pc
#endif
void STRATA_STEP(void);
void STRATA_STEP(void)
{
	steps++;
}

uint64_t work_steps(void)
{
	return steps;
}

/* ---- what there is to do ---- */

static uint32_t count(const struct list *list)
{
	uint32_t n = 0;
	list_each(l, list) n++;
	return n;
}

static uint32_t due_among(const struct wheel_slot *s, nanotime now)
{
	uint32_t n = 0;
	list_each(l, &s->timers) n += list_entry(l, struct timer, link)->deadline <= now;
	return n;
}

static uint32_t count_due(const struct wheel *w, nanotime now)
{
	uint32_t n = due_among(&w->due, now) + due_among(&w->fresh, now) +
		due_among(&w->overflow, now);
	for (unsigned level = 0; level < WHEEL_LEVELS; level++)
		for (uint64_t left = w->occupied[level]; left; left &= left - 1)
			n += due_among(&w->slot[level][__builtin_ctzll(left)], now);
	return n;
}

/* Ranges held beyond holes, of all connections. A pool whose free places are hidden (F49) shows
 * more of them than there are. */
static uint64_t count_held(const struct transport *t)
{
	const struct pool *p = &t->held_pool;
	uint64_t held = 0;
	bool *vacant = calloc(p->fresh + 1, sizeof *vacant);
	if (!vacant)
		abort();
	for (const void *at = p->free, *next; at; at = next) {
		vacant[pool_index(p, at)] = true;
		memcpy(&next, at, sizeof next);
	}
	for (uint32_t i = 0; i < p->fresh; i++) {
		const struct interval_set *set = pool_at(p, i);
		if (!vacant[i])
			held += set->count < t->config.held_ranges ? set->count
								   : t->config.held_ranges;
	}
	free(vacant);
	return held;
}

static uint32_t count_waiting(const struct transport *t)
{
	uint32_t n = 0;
	list_each(l, &t->datagrams) n +=
		list_entry(l, struct datagram_endpoint, ready)->to_send_count;
	return n;
}

void work_begin(struct work *w, struct stack *s)
{
	const struct transport *t = stack_transport(s);
	const struct access *a = stack_access(s);
	*w = (struct work){ .ranges = t->range_pool.used,
		.conns = count(&t->ready) + count(&a->woken) + count(&a->failed) +
			t->short_flight.count + t->short_block.count,
		.waiting = count_waiting(t) };
	if (t->held_pool.used)
		w->held = count_held(t);
	w->from = steps;
}

void work_begin_timers(struct work *w, struct stack *s, nanotime now)
{
	const struct transport *t = stack_transport(s);
	const struct wheel *wheel = t->core->wheel;
	*w = (struct work){ .ranges = t->range_pool.used, .armed = wheel->armed };
	if (wheel_next(wheel) <= now) {
		w->due = count_due(wheel, now);
		w->entries = t->embryo_pool.used + t->time_wait_pool.used;
	}
	w->from = steps;
}

/* ---- what that may take ---- */

static unsigned log_of_room(const struct transport_config *c)
{
	uint64_t room = (uint64_t)c->connections + c->embryos + c->time_waits + c->sockets;
	return 64u - (unsigned)__builtin_clzll(room | 1);
}

static uint64_t allowed(const struct work *w, const struct transport *t, uint64_t frames)
{
	return WORK_CALL + WORK_LOG * (uint64_t)log_of_room(&t->config) + WORK_FRAME * frames +
		WORK_TIMER * (uint64_t)w->due + WORK_ARMED * (uint64_t)w->armed +
		WORK_CONN * (uint64_t)w->conns + WORK_ENTRY * (uint64_t)w->entries +
		WORK_WAITING * (uint64_t)w->waiting + WORK_RANGE * (uint64_t)w->ranges;
}

void work_end(const struct work *w, struct stack *s, const char *call, uint32_t frames,
	struct work_excess *e)
{
	const struct transport *t = stack_transport(s);
	uint64_t took = steps - w->from;
	if (took <= WORK_CALL || e->call)
		return;
	uint64_t most = allowed(w, t, frames);
	if (took > most)
		most += frames * (WORK_HELD * count_held(t) + WORK_FILL * w->held);
	if (took > most)
		*e = (struct work_excess){ call, took, most };
}
