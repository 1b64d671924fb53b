/*
 * Ranges stay in their places; an array of place numbers keeps them sorted, and two
 * numbers in each place link them in the order of change. So a range that comes or
 * goes moves numbers only, and moves no range. Arrivals mostly extend the last range
 * or make a new last one, so adding looks there first. All comparisons are modulo
 * 2^32; what a set holds spans less than half the circle.
 *
 * Free places are linked by `older`.
 */
#include "base/interval.h"

#include <assert.h>
#include <string.h>

#include "base/seq.h"

#define NOWHERE UINT16_MAX

static void set_places(struct interval_set *s, uint32_t places)
{
	s->places = places < NOWHERE ? places : NOWHERE;
}

void interval_init(struct interval_set *s)
{
	s->count = 0;
	s->newest = s->vacant = NOWHERE;
	s->fresh = 0;
	set_places(s, INTERVAL_MAX);
	s->place = s->own;
	s->order = s->own_order;
}

void *interval_move(struct interval_set *s, void *memory, size_t size)
{
	void *before = interval_lent(s);
	assert(size / INTERVAL_BYTES > s->count);
	set_places(s, (uint32_t)(size / INTERVAL_BYTES));
	memcpy(memory, s->place, s->fresh * sizeof *s->place);
	s->place = memory;
	const uint16_t *order = s->order;
	s->order = (uint16_t *)(void *)(s->place + s->places);
	memcpy(s->order, order, s->count * sizeof *order);
	return before;
}

/* ---- the order of change ---- */

static void newest_becomes(struct interval_set *s, uint16_t at)
{
	s->place[at].newer = NOWHERE;
	s->place[at].older = s->newest;
	if (s->newest != NOWHERE)
		s->place[s->newest].newer = at;
	s->newest = at;
}

static void unlink_place(struct interval_set *s, uint16_t at)
{
	const struct interval_place *p = &s->place[at];
	if (p->newer != NOWHERE)
		s->place[p->newer].older = p->older;
	else
		s->newest = p->older;
	if (p->older != NOWHERE)
		s->place[p->older].newer = p->newer;
}

/* ---- places ---- */

static uint16_t take_place(struct interval_set *s)
{
	uint16_t at = s->vacant;
	if (at == NOWHERE)
		return s->fresh++;
	s->vacant = s->place[at].older;
	return at;
}

/* Moves the numbers of the ranges from `from` on to `to`. */
static void shift(struct interval_set *s, uint32_t from, uint32_t to)
{
	uint32_t behind = s->count - from;
	memmove(s->order + to, s->order + from, behind * sizeof *s->order);
	s->count = to + behind;
}

/* The ranges [first, last) go. */
static void drop(struct interval_set *s, uint32_t first, uint32_t last)
{
	for (uint32_t i = first; i < last; i++) {
		uint16_t at = s->order[i];
		unlink_place(s, at);
		s->place[at].older = s->vacant;
		s->vacant = at;
	}
	if (first < last)
		shift(s, last, first);
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
	if (first > 0 && seq_ge(interval_at(s, first - 1)->end, start))
		first = interval_find(s, start - 1);
	for (last = first; last < s->count && seq_le(interval_at(s, last)->start, end); last++) {
		const struct interval *r = interval_at(s, last);
		held += seq_min(r->end, end) - seq_max(r->start, start);
	}
	if (first == last && interval_is_full(s))
		return false;
	if (fresh)
		*fresh = end - start - held;
	if (first == last) {
		shift(s, first, first + 1);
		s->order[first] = take_place(s);
	} else {
		start = seq_min(interval_at(s, first)->start, start);
		end = seq_max(interval_at(s, last - 1)->end, end);
		drop(s, first + 1, last);
		unlink_place(s, s->order[first]);
	}
	s->place[s->order[first]].range = (struct interval){ start, end };
	newest_becomes(s, s->order[first]);
	return true;
}

uint32_t interval_find(const struct interval_set *s, uint32_t pos)
{
	uint32_t low = 0, high = s->count;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		if (seq_gt(interval_at(s, middle)->end, pos))
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
	return i < s->count && seq_le(interval_at(s, i)->start, start) &&
	       seq_le(end, interval_at(s, i)->end);
}

void interval_trim_below(struct interval_set *s, uint32_t pos)
{
	drop(s, 0, interval_find(s, pos));
	if (s->count && seq_lt(interval_at(s, 0)->start, pos))
		s->place[s->order[0]].range.start = pos;
}

uint32_t interval_end_at(const struct interval_set *s, uint32_t pos)
{
	if (s->count && seq_le(interval_at(s, 0)->start, pos) &&
	    seq_lt(pos, interval_at(s, 0)->end))
		return interval_at(s, 0)->end;
	return pos;
}

bool interval_is_newest(const struct interval_set *s, uint32_t pos)
{
	if (s->newest == NOWHERE)
		return false;
	const struct interval *r = &s->place[s->newest].range;
	return seq_le(r->start, pos) && seq_le(pos, r->end);
}

bool interval_pop_last(struct interval_set *s, struct interval *out)
{
	if (s->count == 0)
		return false;
	*out = *interval_at(s, s->count - 1);
	drop(s, s->count - 1, s->count);
	return true;
}

unsigned interval_recent(const struct interval_set *s, struct interval *out, unsigned max)
{
	unsigned given = 0;
	for (uint16_t at = s->newest; at != NOWHERE && given < max; at = s->place[at].older)
		out[given++] = s->place[at].range;
	return given;
}
