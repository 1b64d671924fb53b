/*
 * Sorted disjoint ranges in an array. Arrivals mostly extend the last range or
 * make a new last one, so adding searches from the end. All comparisons are modulo
 * 2^32; what a set holds spans less than half the circle.
 *
 * Each change stamps the range that it made; since a change stamps exactly one
 * range, stamps never tie, and "newest first" is descending stamps. Before the
 * stamp would wrap, after four billion changes without the set ever having been empty,
 * the order of change is forgotten.
 */
#include "base/interval.h"

#include <assert.h>
#include <string.h>

#include "base/seq.h"

void interval_init(struct interval_set *s)
{
	s->count = s->stamp = 0;
	s->places = INTERVAL_MAX;
	s->range = s->own;
}

void *interval_move(struct interval_set *s, void *memory, size_t size)
{
	void *before = s->range == s->own ? NULL : s->range;
	assert(size / sizeof *s->range > s->count);
	memcpy(memory, s->range, s->count * sizeof *s->range);
	s->range = memory;
	s->places = (uint32_t)(size / sizeof *s->range);
	return before;
}

static void touch(struct interval_set *s, uint32_t i)
{
	if (s->stamp == UINT32_MAX) {
		for (uint32_t k = 0; k < s->count; k++)
			s->range[k].touched = k + 1;
		s->stamp = s->count;
	}
	s->range[i].touched = ++s->stamp;
}

/* Moves the ranges from `from` on to `to`: over removed ones, or to make room. */
static void shift(struct interval_set *s, uint32_t from, uint32_t to)
{
	uint32_t behind = s->count - from;
	memmove(s->range + to, s->range + from, behind * sizeof *s->range);
	s->count = to + behind;
}

bool interval_add(struct interval_set *s, uint32_t start, uint32_t end, uint32_t *fresh)
{
	assert(seq_le(start, end));
	uint32_t first = s->count, last, held = 0;
	if (fresh)
		*fresh = 0;
	if (start == end)
		return true;

	/* [first, last) are the ranges that touch or overlap the new one */
	if (first > 0 && seq_ge(s->range[first - 1].end, start))
		first = interval_find(s, start - 1);
	for (last = first; last < s->count && seq_le(s->range[last].start, end); last++)
		held += seq_min(s->range[last].end, end) - seq_max(s->range[last].start, start);
	if (first == last) {
		if (interval_is_full(s))
			return false;
		shift(s, first, first + 1);
		s->range[first].start = start;
		s->range[first].end = end;
	} else {
		s->range[first].start = seq_min(s->range[first].start, start);
		s->range[first].end = seq_max(s->range[last - 1].end, end);
		if (last > first + 1)
			shift(s, last, first + 1);
	}
	touch(s, first);
	if (fresh)
		*fresh = end - start - held;
	return true;
}

uint32_t interval_find(const struct interval_set *s, uint32_t pos)
{
	uint32_t low = 0, high = s->count;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		if (seq_gt(s->range[middle].end, pos))
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

bool interval_has(const struct interval_set *s, uint32_t start, uint32_t end)
{
	if (start == end)
		return true;
	uint32_t i = interval_find(s, start);
	return i < s->count && seq_le(s->range[i].start, start) && seq_le(end, s->range[i].end);
}

void interval_trim_below(struct interval_set *s, uint32_t pos)
{
	uint32_t gone = interval_find(s, pos);
	if (gone)
		shift(s, gone, 0);
	if (s->count && seq_lt(s->range[0].start, pos))
		s->range[0].start = pos;
}

uint32_t interval_end_at(const struct interval_set *s, uint32_t pos)
{
	if (s->count && seq_le(s->range[0].start, pos) && seq_lt(pos, s->range[0].end))
		return s->range[0].end;
	return pos;
}

bool interval_pop_last(struct interval_set *s, struct interval *out)
{
	if (s->count == 0)
		return false;
	const struct interval_place *last = &s->range[--s->count];
	*out = (struct interval){ last->start, last->end };
	return true;
}

unsigned interval_recent(const struct interval_set *s, struct interval *out, unsigned max)
{
	unsigned given = 0;
	uint64_t before = (uint64_t)UINT32_MAX + 1;

	for (; given < max && given < s->count; given++) {
		const struct interval_place *newest = NULL;
		for (uint32_t i = 0; i < s->count; i++) {
			const struct interval_place *p = &s->range[i];
			if (p->touched < before && (!newest || p->touched > newest->touched))
				newest = p;
		}
		out[given] = (struct interval){ newest->start, newest->end };
		before = newest->touched;
	}
	return given;
}
