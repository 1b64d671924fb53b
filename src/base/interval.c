/*
 * Sorted disjoint ranges in a small array. Arrivals mostly extend the last
 * range or make a new last one, so the search starts at the end. All
 * comparisons are modulo 2^32; what a set holds spans less than half the circle.
 *
 * Each change stamps the range that it made; since a change stamps exactly one
 * range, stamps never tie, and "newest first" is descending stamps. Before the
 * 16-bit stamp would wrap, stamps are replaced by their ranks.
 */
#include "base/interval.h"

#include <assert.h>
#include <string.h>

#include "base/seq.h"

void interval_init(struct interval_set *s)
{
	s->count = 0;
	s->stamp = 0;
}

static void renumber(struct interval_set *s)
{
	uint16_t rank[INTERVAL_MAX];
	for (unsigned i = 0; i < s->count; i++) {
		rank[i] = 1;
		for (unsigned k = 0; k < s->count; k++)
			rank[i] = (uint16_t)(rank[i] + (s->touched[k] < s->touched[i]));
	}
	memcpy(s->touched, rank, s->count * sizeof rank[0]);
	s->stamp = s->count;
}

static void touch(struct interval_set *s, unsigned i)
{
	if (s->stamp == UINT16_MAX)
		renumber(s);
	s->touched[i] = ++s->stamp;
}

/* Moves the ranges from `from` on to `to`: over removed ones, or to make room. */
static void shift(struct interval_set *s, unsigned from, unsigned to)
{
	size_t behind = s->count - from;
	memmove(s->range + to, s->range + from, behind * sizeof s->range[0]);
	memmove(s->touched + to, s->touched + from, behind * sizeof s->touched[0]);
	s->count = (uint16_t)(to + behind);
}

bool interval_add(struct interval_set *s, uint32_t start, uint32_t end, uint32_t *fresh)
{
	assert(seq_le(start, end));
	unsigned first = s->count, last, held = 0;
	if (fresh)
		*fresh = 0;
	if (start == end)
		return true;

	/* [first, last) are the ranges that touch or overlap the new one */
	while (first > 0 && seq_ge(s->range[first - 1].end, start))
		first--;
	for (last = first; last < s->count && seq_le(s->range[last].start, end); last++)
		held += seq_min(s->range[last].end, end) - seq_max(s->range[last].start, start);
	if (first == last) {
		if (s->count == INTERVAL_MAX)
			return false;
		shift(s, first, first + 1);
		s->range[first] = (struct interval){ start, end };
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

bool interval_has(const struct interval_set *s, uint32_t start, uint32_t end)
{
	if (start == end)
		return true;
	for (unsigned i = s->count; i-- > 0;) {
		if (seq_le(s->range[i].start, start))
			return seq_lt(start, s->range[i].end) && seq_le(end, s->range[i].end);
	}
	return false;
}

void interval_trim_below(struct interval_set *s, uint32_t pos)
{
	unsigned gone = 0;
	while (gone < s->count && seq_le(s->range[gone].end, pos))
		gone++;
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
	*out = s->range[--s->count];
	return true;
}

unsigned interval_recent(const struct interval_set *s, struct interval *out, unsigned max)
{
	unsigned given = 0;
	uint32_t before = (uint32_t)UINT16_MAX + 1;

	for (; given < max && given < s->count; given++) {
		unsigned newest = 0;
		uint32_t stamp = 0; /* no range has stamp 0 */
		for (unsigned i = 0; i < s->count; i++) {
			if (s->touched[i] < before && s->touched[i] > stamp) {
				newest = i;
				stamp = s->touched[i];
			}
		}
		out[given] = s->range[newest];
		before = stamp;
	}
	return given;
}
