/*
 * Where a range's segments end. The last one is as long as `tail` says, the others
 * before it `mss` bytes each, and the first what is left: so a cut at the start
 * changes nothing but the start.
 */
#include "transport/recovery/sent_range.h"

#include "base/seq.h"

uint32_t range_segment_from(struct sent_range *r, uint32_t at)
{
	range_settle(r);
	uint32_t last = r->end - r->tail;
	if (seq_le(at, r->start))
		return r->start;
	return seq_gt(at, last) ? r->end : last - (last - at) / r->mss * r->mss;
}

uint32_t range_segment_until(struct sent_range *r, uint32_t at)
{
	range_settle(r);
	uint32_t last = r->end - r->tail;
	if (seq_ge(at, r->end))
		return r->end;
	return seq_ge(at, last) ? last : last - (last - at + r->mss - 1) / r->mss * r->mss;
}

uint32_t range_pieces(const struct sent_range *r)
{
	uint32_t len = range_len(r);
	if (r->mss <= 1 || !r->tail)
		return r->pieces;
	return 1 + (len > r->tail ? (len - r->tail + r->mss - 1) / r->mss : 0);
}

void range_count(struct sent_range *r)
{
	range_settle(r);
	r->pieces = range_pieces_capped(range_pieces(r));
}

void range_append(struct sent_range *r, struct sent_range *after)
{
	range_settle(r);
	range_settle(after);
	bool even = r->mss == after->mss && r->tail == r->mss &&
		    (range_len(after) - after->tail) % r->mss == 0;
	r->pieces = range_pieces_capped((uint32_t)r->pieces + after->pieces);
	r->end = after->end;
	r->tail = after->tail;
	if (!even)
		range_count_bytes(r);
}
