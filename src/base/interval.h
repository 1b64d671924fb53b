/*
 * A small set of disjoint ranges [start, end) of sequence space, kept sorted:
 * what a receiver holds beyond a hole. Bounded: a range that would be the 33rd
 * is refused (CVE-2018-5390). Remembers which range changed last, because SACK
 * reports the newest first (RFC 2018 4).
 */
#ifndef STRATA_BASE_INTERVAL_H
#define STRATA_BASE_INTERVAL_H

#include <stdbool.h>
#include <stdint.h>

#define INTERVAL_MAX 32

struct interval {
	uint32_t start, end;
};

struct interval_set {
	uint16_t count;
	uint16_t stamp; /* grows with each change */
	struct interval range[INTERVAL_MAX];
	uint16_t touched[INTERVAL_MAX]; /* stamp of each range's last change */
};

void interval_init(struct interval_set *s);
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
/* Removes the last (highest) range and gives it. False where empty. */
bool interval_pop_last(struct interval_set *s, struct interval *out);
/* Up to `max` ranges, last changed first. */
unsigned interval_recent(const struct interval_set *s, struct interval *out, unsigned max);

#endif
