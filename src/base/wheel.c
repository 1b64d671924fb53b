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

void wheel_init(struct wheel *w, nanotime now)
{
	w->now = now;
	w->armed = 0;
	list_init(&w->due);
	list_init(&w->fresh);
	list_init(&w->overflow);
	w->fresh_earliest = w->overflow_earliest = NANOTIME_NEVER;
	for (unsigned level = 0; level < WHEEL_LEVELS; level++) {
		w->occupied[level] = 0;
		for (unsigned i = 0; i < WHEEL_SLOTS; i++) {
			list_init(&w->slot[level][i]);
			w->earliest[level][i] = NANOTIME_NEVER;
		}
	}
}

/* Appends to a list that has a lower bound; the bound of an empty list is stale. */
static inline void append(struct list *head, nanotime *earliest, struct timer *t)
{
	if (list_empty(head) || t->deadline < *earliest)
		*earliest = t->deadline;
	list_push_back(head, &t->link);
}

/* Puts a timer where its deadline and now say. */
static inline void place(struct wheel *w, struct timer *t)
{
	int64_t tick = tick_of(t->deadline), now = tick_of(w->now);
	if (tick <= now) {
		append(&w->fresh, &w->fresh_earliest, t);
		return;
	}
	unsigned high_bit = 63u - (unsigned)__builtin_clzll((uint64_t)(tick ^ now));
	if (high_bit >= DIGIT * WHEEL_LEVELS) {
		append(&w->overflow, &w->overflow_earliest, t);
		return;
	}
	unsigned level = high_bit / DIGIT;
	unsigned i = (unsigned)(tick >> (DIGIT * level)) & (WHEEL_SLOTS - 1);
	w->occupied[level] |= UINT64_C(1) << i;
	append(&w->slot[level][i], &w->earliest[level][i], t);
}

/*
 * Unlinks an armed timer. If it was alone, both of its neighbours are the head;
 * a head in the slot array tells by its place which bit to clear.
 */
static inline void detach(struct wheel *w, struct timer *t)
{
	struct list *next = t->link.next, *prev = t->link.prev;
	prev->next = next;
	next->prev = prev;
	if (next != prev)
		return;
	uintptr_t offset = (uintptr_t)next - (uintptr_t)w->slot;
	if (offset < sizeof w->slot) {
		size_t i = offset / sizeof(struct list);
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

void wheel_disarm(struct wheel *w, struct timer *t)
{
	if (!timer_armed(t))
		return;
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
	if (w->fresh.next != w->fresh.prev)
		sort(&w->fresh);

	struct list *before = w->due.prev;
	while (!list_empty(&w->fresh)) {
		struct list *l = w->fresh.prev;
		while (before != &w->due && timer_of(before)->deadline > timer_of(l)->deadline)
			before = before->prev;
		if (before == &w->due) { /* all that is left comes first */
			list_splice_back(&w->fresh, &w->due);
			list_splice_back(&w->due, &w->fresh);
			return;
		}
		list_remove(l);
		list_push_front(before, l);
	}
}

/* Deals a list out by the new now. */
static void replace(struct wheel *w, struct list *from)
{
	struct list moved;
	list_init(&moved);
	list_splice_back(&moved, from);
	while (!list_empty(&moved))
		place(w, timer_of(list_pop_front(&moved)));
}

/* Moves the slots in `passed` to `fresh`. */
static void pass(struct wheel *w, unsigned level, uint64_t passed)
{
	passed &= w->occupied[level];
	w->occupied[level] &= ~passed;
	for (; passed; passed &= passed - 1) {
		unsigned i = (unsigned)__builtin_ctzll(passed);
		if (list_empty(&w->fresh) || w->earliest[level][i] < w->fresh_earliest)
			w->fresh_earliest = w->earliest[level][i];
		list_splice_back(&w->fresh, &w->slot[level][i]);
	}
}

/* Time enters another tick. */
static void advance(struct wheel *w, nanotime now)
{
	uint64_t changed = (uint64_t)(tick_of(now) ^ tick_of(w->now));
	unsigned top = (63u - (unsigned)__builtin_clzll(changed)) / DIGIT;
	w->now = now;

	for (unsigned level = 0; level < WHEEL_LEVELS && level < top; level++)
		pass(w, level, UINT64_MAX);
	if (top >= WHEEL_LEVELS) {
		replace(w, &w->overflow);
		return;
	}
	unsigned digit = (unsigned)(tick_of(now) >> (DIGIT * top)) & (WHEEL_SLOTS - 1);
	uint64_t entered = UINT64_C(1) << digit;
	pass(w, top, entered - 1);
	if (w->occupied[top] & entered) {
		w->occupied[top] &= ~entered;
		replace(w, &w->slot[top][digit]);
	}
}

struct timer *wheel_expired(struct wheel *w, nanotime now)
{
	if (tick_of(now) > tick_of(w->now))
		advance(w, now);
	else if (now > w->now)
		w->now = now;
	if (!list_empty(&w->fresh))
		settle(w);

	struct timer *t = timer_of(w->due.next);
	if (list_empty(&w->due) || t->deadline > now)
		return NULL;
	list_remove(&t->link);
	w->armed--;
	return t;
}

nanotime wheel_next(const struct wheel *w)
{
	nanotime next = NANOTIME_NEVER;
	if (!list_empty(&w->due))
		next = list_entry(w->due.next, struct timer, link)->deadline;
	if (!list_empty(&w->fresh))
		next = nanotime_min(next, w->fresh_earliest);
	if (next != NANOTIME_NEVER)
		return next;

	for (unsigned level = 0; level < WHEEL_LEVELS; level++) {
		if (w->occupied[level])
			return w->earliest[level][__builtin_ctzll(w->occupied[level])];
	}
	return list_empty(&w->overflow) ? NANOTIME_NEVER : w->overflow_earliest;
}
