/*
 * The agenda of a simulated world: events in the order of their time, and
 * events of one time in the order in which they were put in. A binary heap of
 * (time, order, event); the event itself is part of what it is about (a frame
 * under way, a node's next wake-up), so putting one in allocates nothing but the
 * heap's own growth.
 */
#ifndef STRATA_SIM_AGENDA_H
#define STRATA_SIM_AGENDA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/nanotime.h"

struct event {
	nanotime time;
	size_t slot; /* place in the heap from 1 on; 0: not in the agenda */
	void (*fire)(struct event *e);
};

struct agenda_slot {
	nanotime time;
	uint64_t order;
	struct event *event;
};

struct agenda {
	struct agenda_slot *heap;
	size_t count, cap;
	uint64_t order; /* of the next event */
};

void agenda_init(struct agenda *a);
void agenda_free(struct agenda *a);
static inline void event_init(struct event *e, void (*fire)(struct event *e))
{
	*e = (struct event){ .time = NANOTIME_NEVER, .fire = fire };
}
static inline bool event_pending(const struct event *e)
{
	return e->slot != 0;
}
/* Puts an event in, or moves it (then it stands behind those of the same time). */
void agenda_put(struct agenda *a, struct event *e, nanotime time);
/* Takes an event out; harmless where it is not in. */
void agenda_remove(struct agenda *a, struct event *e);
/* The time of the earliest event, or NANOTIME_NEVER. */
nanotime agenda_next(const struct agenda *a);
/* Takes the earliest event out where it is due at `now` or before; NULL: none is. */
struct event *agenda_due(struct agenda *a, nanotime now);

#endif
