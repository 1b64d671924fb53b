/*
 * A set of disjoint ranges [start, end) of sequence space, kept sorted: what a
 * receiver holds beyond a hole. Bounded: what finds no place is refused
 * (CVE-2018-5390). There are INTERVAL_MAX places in the set itself; its owner may
 * lend it memory for more. Remembers in which order the ranges changed, because SACK
 * reports the newest first (RFC 2018 4).
 *
 * Finding a range takes O(log n) steps, telling the newest O(1) for each. Adding one
 * takes O(log n) steps and the move of at most two bytes for each range behind it:
 * 4 KB where the config allows 2048 ranges, less than the text of three segments.
 * A range that merges with others lets those go, each once.
 */
#ifndef STRATA_BASE_INTERVAL_H
#define STRATA_BASE_INTERVAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define INTERVAL_MAX 32
/* Of lent memory, for each range. */
#define INTERVAL_BYTES (sizeof(struct interval_place) + sizeof(uint16_t))

struct interval {
	uint32_t start, end;
};

struct interval_place {
	struct interval range;
	uint16_t newer, older; /* places of the ranges that changed after and before it */
};

struct interval_set {
	uint32_t count, places;
	uint16_t newest;              /* place of the range that changed last */
	uint16_t vacant, fresh;       /* the place that came free last; those that never had one */
	struct interval_place *place; /* `own`, or the owner's memory */
	uint16_t *order;              /* the places of the ranges, by sequence */
	struct interval_place own[INTERVAL_MAX];
	uint16_t own_order[INTERVAL_MAX];
};

void interval_init(struct interval_set *s);
/* Has each place a range? Then only what touches one of them can be added. */
static inline bool interval_is_full(const struct interval_set *s)
{
	return s->count == s->places;
}
/* Does it lie in memory that was lent, and where? NULL: in its own. */
static inline void *interval_lent(const struct interval_set *s)
{
	return s->place == s->own ? NULL : s->place;
}
/* The range with this index, below `count`: the first is 0. */
static inline const struct interval *interval_at(const struct interval_set *s, uint32_t i)
{
	return &s->place[s->order[i]].range;
}
/*
 * Moves into memory of `size` bytes, aligned for uint32_t, with places for more than there are
 * ranges: INTERVAL_BYTES for each. Returns the memory that was lent before and has become free,
 * or NULL.
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
/* Does text at `pos` lie in the range that changed last, or directly behind it? */
bool interval_is_newest(const struct interval_set *s, uint32_t pos);
/* Removes the last (highest) range and gives it. False where empty. */
bool interval_pop_last(struct interval_set *s, struct interval *out);
/* Up to `max` ranges, last changed first. */
unsigned interval_recent(const struct interval_set *s, struct interval *out, unsigned max);

#endif
