/*
 * Times are cut into ticks of 2^20 ns, and ticks into digits of six bits. A
 * timer stands at the level of the highest digit in which its tick differs from
 * now's. So all of a lower level fire before all of a higher one, within a
 * level the slots fire in their order, and no slot at or before now's digit is
 * ever occupied: the first bit of the first occupied level is the next slot.
 *
 * When time advances, slots that were passed are due as they are, the one slot
 * that time entered is dealt out to lower levels, and the rest stays: a jump
 * over any distance looks at each slot at most once. Where a timer stands is a
 * function of its deadline and of now, so timers with equal deadlines are always
 * in the same list, in the order of their arming, and stable sorting keeps it.
 *
 * Only what is due is sorted, in one go for all that became due together; the
 * sort is exact to the nanosecond and also orders the timers of the current
 * tick that must still wait.
 */
#include "base/wheel.h"

#include <assert.h>

#define DIGIT     6
#define SORT_BINS 32

_Static_assert(1 << DIGIT == WHEEL_SLOTS, "one slot for each value of a digit");
_Static_assert(sizeof(struct timer) <= 32, "two timers to a cache line");

static inline struct timer *timer_of(struct list *l)
{
	return list_entry(l, struct timer, link);
}

static inline int64_t tick_of(nanotime t)
{
	return t >> WHEEL_SHIFT;
}

static void slot_init(struct wheel_slot *s)
{
	list_init(&s->timers);
	s->earliest = NANOTIME_NEVER;
}

void wheel_init(struct wheel *w, nanotime now)
{
	w->now = now;
	w->armed = 0;
	slot_init(&w->due);
	slot_init(&w->fresh);
	slot_init(&w->overflow);
	for (unsigned level = 0; level < WHEEL_LEVELS; level++) {
		w->occupied[level] = 0;
		for (unsigned i = 0; i < WHEEL_SLOTS; i++)
			slot_init(&w->slot[level][i]);
	}
}

static inline void append(struct wheel_slot *s, struct timer *t)
{
	if (t->deadline < s->earliest)
		s->earliest = t->deadline;
	list_push_back(&s->timers, &t->link);
}

/* Puts a timer where its deadline and now say. */
static inline void place(struct wheel *w, struct timer *t)
{
	int64_t tick = tick_of(t->deadline), now = tick_of(w->now);
	struct wheel_slot *s = &w->fresh;
	if (tick > now) {
		unsigned top_bit = 63u ^ (unsigned)__builtin_clzll((uint64_t)(tick ^ now));
		s = &w->overflow;
		if (top_bit < DIGIT * WHEEL_LEVELS) {
			unsigned level = top_bit * 43 >> 8; /* the same as / DIGIT */
			unsigned i = (unsigned)(tick >> (DIGIT * level)) % WHEEL_SLOTS;
			w->occupied[level] |= UINT64_C(1) << i;
			s = &w->slot[level][i];
		}
	}
	append(s, t);
}

/*
 * Unlinks an armed timer. If it was alone, both of its neighbours are the head,
 * and if that stands in the array, its place there tells which bit to clear.
 */
static inline void detach(struct wheel *w, struct timer *t)
{
	struct list *next = t->link.next, *prev = t->link.prev;
	prev->next = next;
	next->prev = prev;
	if (next != prev)
		return;
	list_entry(next, struct wheel_slot, timers)->earliest = NANOTIME_NEVER;
	uintptr_t offset = (uintptr_t)next - (uintptr_t)w->slot;
	if (offset < sizeof w->slot) {
		unsigned i = (unsigned)offset / (unsigned)sizeof(struct wheel_slot);
		w->occupied[i / WHEEL_SLOTS] &= ~(UINT64_C(1) << i % WHEEL_SLOTS);
	}
}

void wheel_arm(struct wheel *w, struct timer *t, nanotime deadline)
{
	if (timer_armed(t))
		detach(w, t);
	else
		w->armed++;
	t->deadline = deadline;
	place(w, t);
}

void wheel_take(struct wheel *w, struct timer *t)
{
	detach(w, t);
	list_init(&t->link);
	w->armed--;
}

/* Merges two chains (by `next`, ended by NULL); of equals, those of `a` come first. */
static struct list *merge(struct list *a, struct list *b)
{
	struct list *first = NULL, **end = &first;
	while (a && b) {
		struct list **less = timer_of(b)->deadline < timer_of(a)->deadline ? &b : &a;
		*end = *less;
		end = &(*less)->next;
		*less = *end;
	}
	*end = a ? a : b;
	return first;
}

/* Bottom-up merge sort; bin i holds nothing or 2^i timers, earlier ones in higher bins. */
static void sort(struct list *head)
{
	struct list *bin[SORT_BINS] = { NULL }, *l = head->next;
	unsigned used = 0;

	head->prev->next = NULL;
	while (l) {
		struct list *run = l;
		unsigned i = 0;
		l = l->next;
		run->next = NULL;
		for (; i < used && bin[i]; i++) {
			run = merge(bin[i], run);
			bin[i] = NULL;
		}
		assert(i < SORT_BINS);
		bin[i] = run;
		if (i == used)
			used++;
	}
	for (unsigned i = 0; i < used; i++)
		l = merge(bin[i], l);

	struct list *prev = head;
	for (head->next = l; l; prev = l, l = l->next)
		l->prev = prev;
	prev->next = head;
	head->prev = prev;
}

/*
 * Sorts `fresh` and merges it into `due` from the end, because what was armed
 * last mostly fires last; among equals what was due before stays before.
 */
static void settle(struct wheel *w)
{
	struct list *fresh = &w->fresh.timers, *due = &w->due.timers, *before = due->prev;

	w->fresh.earliest = NANOTIME_NEVER;
	if (fresh->next != fresh->prev)
		sort(fresh);
	while (!list_empty(fresh)) {
		struct list *l = fresh->prev;
		while (before != due && timer_of(before)->deadline > timer_of(l)->deadline)
			before = before->prev;
		if (before == due) { /* all that is left comes first */
			list_splice_back(fresh, due);
			list_splice_back(due, fresh);
			return;
		}
		list_remove(l);
		list_push_front(before, l);
	}
}

/* Deals a slot out by the new now. */
static void deal(struct wheel *w, struct wheel_slot *s)
{
	struct list moved;
	list_init(&moved);
	list_splice_back(&moved, &s->timers);
	s->earliest = NANOTIME_NEVER;
	while (!list_empty(&moved))
		place(w, timer_of(list_pop_front(&moved)));
}

/* Moves the slots in `passed` to `fresh`. */
static void pass(struct wheel *w, unsigned level, uint64_t passed)
{
	passed &= w->occupied[level];
	w->occupied[level] ^= passed;
	for (; passed; passed &= passed - 1) {
		struct wheel_slot *s = &w->slot[level][__builtin_ctzll(passed)];
		w->fresh.earliest = nanotime_min(w->fresh.earliest, s->earliest);
		s->earliest = NANOTIME_NEVER;
		list_splice_back(&w->fresh.timers, &s->timers);
	}
}

/* Time enters another tick. */
static void advance(struct wheel *w, nanotime now)
{
	uint64_t changed = (uint64_t)(tick_of(now) ^ tick_of(w->now));
	unsigned top = (63u ^ (unsigned)__builtin_clzll(changed)) / DIGIT;
	w->now = now;

	for (unsigned level = 0; level < WHEEL_LEVELS && level < top; level++)
		pass(w, level, UINT64_MAX);
	if (top >= WHEEL_LEVELS) {
		deal(w, &w->overflow);
		return;
	}
	unsigned digit = (unsigned)(tick_of(now) >> (DIGIT * top)) % WHEEL_SLOTS;
	uint64_t entered = UINT64_C(1) << digit;
	pass(w, top, entered - 1);
	if (w->occupied[top] & entered) {
		w->occupied[top] ^= entered;
		deal(w, &w->slot[top][digit]);
	}
}

struct timer *wheel_expired(struct wheel *w, nanotime now)
{
	if (tick_of(now) > tick_of(w->now))
		advance(w, now);
	else if (now > w->now)
		w->now = now;
	if (!list_empty(&w->fresh.timers))
		settle(w);

	struct list *first = w->due.timers.next;
	if (first == &w->due.timers || timer_of(first)->deadline > now)
		return NULL;
	list_remove(first);
	w->armed--;
	return timer_of(first);
}

nanotime wheel_next(const struct wheel *w)
{
	const struct list *due = &w->due.timers;
	if (due->next != due)
		return nanotime_min(timer_of(due->next)->deadline, w->fresh.earliest);
	if (w->fresh.earliest != NANOTIME_NEVER)
		return w->fresh.earliest;
	for (unsigned level = 0; level < WHEEL_LEVELS; level++) {
		if (w->occupied[level])
			return w->slot[level][__builtin_ctzll(w->occupied[level])].earliest;
	}
	return w->overflow.earliest;
}
