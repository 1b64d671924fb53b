/*
 * The timer wheel: hierarchical (Varghese and Lauck 1987), level 0 with slots of
 * 2^20 ns (1.05 ms), six levels of 64 slots, then an overflow list. Arming and
 * disarming are O(1). Each timer keeps its exact deadline, so timers fire at
 * the nanosecond they ask for, not at their slot's edge, and in the order of
 * their deadlines (ties: in the order of arming).
 *
 * Owners that push a deadline later need not re-arm: they let the timer fire,
 * see that their real deadline is later, and arm again. `wheel_next` is
 * therefore never late, and early only for such owners, or once for a slot
 * whose earliest timer was disarmed while others stand in it.
 */
#ifndef STRATA_BASE_WHEEL_H
#define STRATA_BASE_WHEEL_H

#include "base/list.h"
#include "base/nanotime.h"

#define WHEEL_SHIFT 20
#define WHEEL_LEVELS 6
#define WHEEL_SLOTS 64

struct timer {
	struct list link; /* linked to itself when not armed */
	nanotime deadline;
	uint32_t kind : 8; /* the owner's: what to do when it fires */
	uint32_t note : 24; /* the owner's, as well as this: free to use */
	uint32_t owner;
};

struct wheel_slot {
	struct list timers;
	nanotime earliest; /* a lower bound of the deadlines; NANOTIME_NEVER where empty */
};

/*
 * A timer whose deadline's tick (deadline >> WHEEL_SHIFT) is that of `now`, or
 * before, stands in `fresh` in the order of arming, and later in `due`, sorted.
 * Any other stands at the level of the highest digit (of 6 bits) in which its
 * tick differs from now's, in the slot that this digit names.
 */
struct wheel {
	nanotime now;
	uint32_t armed;
	uint64_t occupied[WHEEL_LEVELS];
	struct wheel_slot due; /* its `earliest` is not kept: the first timer tells */
	struct wheel_slot fresh;
	struct wheel_slot overflow;
	struct wheel_slot slot[WHEEL_LEVELS][WHEEL_SLOTS];
};

void wheel_init(struct wheel *w, nanotime now);

static inline void timer_init(struct timer *t, uint8_t kind)
{
	list_init(&t->link);
	t->deadline = NANOTIME_NEVER;
	t->kind = kind;
}

static inline bool timer_armed(const struct timer *t)
{
	return list_linked(&t->link);
}

/* Arms or moves; a deadline in the past fires at the next call of wheel_expired. */
void wheel_arm(struct wheel *w, struct timer *t, nanotime deadline);
/* `t` is armed. */
void wheel_take(struct wheel *w, struct timer *t);
static inline void wheel_disarm(struct wheel *w, struct timer *t)
{
	if (timer_armed(t))
		wheel_take(w, t);
}

/*
 * The next timer whose deadline is <= now, disarmed, or NULL. Call it until it
 * gives NULL; the owner may arm and disarm any timer between the calls.
 */
struct timer *wheel_expired(struct wheel *w, nanotime now);

/* When to call wheel_expired next: never later than the earliest deadline. */
nanotime wheel_next(const struct wheel *w);

#endif
