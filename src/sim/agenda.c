/*
 * The heap keeps its keys beside the pointers, so that sifting touches one array
 * and not the events. `order` makes every key unique: equal times come out in
 * the order of putting in, whatever shape the heap has.
 */
#include "sim/agenda.h"

#include <assert.h>
#include <stdlib.h>

void agenda_init(struct agenda *a)
{
	*a = (struct agenda){ 0 };
}

void agenda_free(struct agenda *a)
{
	free(a->heap);
	agenda_init(a);
}

static bool before(const struct agenda_slot *a, const struct agenda_slot *b)
{
	return a->time != b->time ? a->time < b->time : a->order < b->order;
}

/* heap[0] is slot 1. */
static void place(struct agenda *a, size_t slot, struct agenda_slot s)
{
	a->heap[slot - 1] = s;
	s.event->slot = slot;
}

static void sift_up(struct agenda *a, size_t slot, struct agenda_slot s)
{
	for (; slot > 1 && before(&s, &a->heap[slot / 2 - 1]); slot /= 2)
		place(a, slot, a->heap[slot / 2 - 1]);
	place(a, slot, s);
}

static void sift_down(struct agenda *a, size_t slot, struct agenda_slot s)
{
	for (;;) {
		size_t child = slot * 2;
		if (child > a->count)
			break;
		if (child < a->count && before(&a->heap[child], &a->heap[child - 1]))
			child++;
		if (!before(&a->heap[child - 1], &s))
			break;
		place(a, slot, a->heap[child - 1]);
		slot = child;
	}
	place(a, slot, s);
}

void agenda_remove(struct agenda *a, struct event *e)
{
	if (!e->slot)
		return;
	size_t slot = e->slot;
	struct agenda_slot last = a->heap[--a->count];
	e->slot = 0;
	e->time = NANOTIME_NEVER;
	if (slot > a->count)
		return;
	if (slot > 1 && before(&last, &a->heap[slot / 2 - 1]))
		sift_up(a, slot, last);
	else
		sift_down(a, slot, last);
}

void agenda_put(struct agenda *a, struct event *e, nanotime time)
{
	agenda_remove(a, e);
	if (a->count == a->cap) {
		a->cap = a->cap ? a->cap * 2 : 64;
		struct agenda_slot *heap = realloc(a->heap, a->cap * sizeof *heap);
		if (!heap)
			abort();
		a->heap = heap;
	}
	e->time = time;
	sift_up(a, ++a->count,
		(struct agenda_slot){ .time = time, .order = a->order++, .event = e });
}

nanotime agenda_next(const struct agenda *a)
{
	return a->count ? a->heap[0].time : NANOTIME_NEVER;
}

struct event *agenda_due(struct agenda *a, nanotime now)
{
	if (!a->count || a->heap[0].time > now)
		return NULL;
	struct event *e = a->heap[0].event;
	agenda_remove(a, e);
	return e;
}
