/*
 * A set of disjoint ranges [start, end) of sequence space, kept sorted: what a
 * receiver holds beyond a hole. Bounded: what finds no place is refused
 * (CVE-2018-5390). There are INTERVAL_MAX places in the set itself; its owner may
 * lend it memory for more. Remembers which range changed last, because SACK reports
 * the newest first (RFC 2018 4).
 */
#ifndef STRATA_BASE_INTERVAL_H
#define STRATA_BASE_INTERVAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define INTERVAL_MAX 32

struct interval {
	uint32_t start, end;
};

struct interval_place {
	uint32_t start, end;
	uint32_t touched; /* stamp of the last change */
};

struct interval_set {
	uint32_t count, places;
	uint32_t stamp;               /* grows with each change */
	struct interval_place *range; /* `own`, or the owner's memory */
	struct interval_place own[INTERVAL_MAX];
};

void interval_init(struct interval_set *s);
/* Has each place a range? Then only what touches one of them can be added. */
static inline bool interval_is_full(const struct interval_set *s)
{
	return s->count == s->places;
}
/*
 * Moves into memory of `size` bytes, aligned for uint32_t, with places for more than there are
 * ranges. Returns the memory that was lent before and has become free, or NULL.
 */
void *interval_move(struct interval_set *s, void *memory, size_t size);
/*
 * Adds [start, end); merges what touches or overlaps. False, and nothing
 * changed, where the set is full. *fresh (may be NULL) gets the bytes that were
 * not in the set before.
 */
bool interval_add(struct interval_set *s, uint32_t start, uint32_t end, uint32_t *fresh);
/* Is [start, end) wholly held? */
bool interval_has(const struct interval_set *s, uint32_t start, uint32_t end);
/* Forgets everything before `pos`. */
void interval_trim_below(struct interval_set *s, uint32_t pos);
/* The range that contains or starts at `pos`, if it is the first; its end, else `pos`. */
uint32_t interval_end_at(const struct interval_set *s, uint32_t pos);
/* The index of the first range that ends behind `pos`; `count` where none does. */
uint32_t interval_find(const struct interval_set *s, uint32_t pos);
/* Removes the last (highest) range and gives it. False where empty. */
bool interval_pop_last(struct interval_set *s, struct interval *out);
/* Up to `max` ranges, last changed first. */
unsigned interval_recent(const struct interval_set *s, struct interval *out, unsigned max);

#endif
