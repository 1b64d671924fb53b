/*
 * Walks over the sent ranges. The common case, an ACK of whole ranges in order
 * with nothing SACKed, touches each range once. A walk for losses starts at a
 * hint, so that a long window is not looked through again for each ACK.
 */
#include "transport/recovery/scoreboard.h"

static struct sent_range *range_of(struct list *l)
{
	return list_entry(l, struct sent_range, link);
}

static uint32_t range_len(const struct sent_range *r)
{
	return r->end - r->start;
}

void board_init(struct scoreboard *b)
{
	list_init(&b->ranges);
	b->count = 0;
	b->sacked = b->lost = b->again = 0;
	b->sacked_end = 0;
	b->hint = NULL;
}

static void board_drop(struct scoreboard *b, struct pool *p, struct sent_range *r)
{
	if (b->hint == r)
		b->hint = NULL;
	list_remove(&r->link);
	b->count--;
	pool_give(p, r);
}

void board_clear(struct scoreboard *b, struct pool *p)
{
	while (!list_empty(&b->ranges))
		board_drop(b, p, range_of(b->ranges.next));
	board_init(b);
}

void board_sent(struct scoreboard *b, struct pool *p, uint32_t start, uint32_t end, nanotime now)
{
	struct sent_range *r = pool_take(p);
	if (!r) {
		assert(!list_empty(&b->ranges));
		struct sent_range *last = range_of(b->ranges.prev);
		last->end = end;
		last->sent = now;
		return;
	}
	r->start = start;
	r->end = end;
	r->sent = now;
	r->flags = 0;
	r->tries = 0;
	list_push_back(&b->ranges, &r->link);
	b->count++;
}

/* Takes a range's bytes [start, start + len) out of the sums. */
static void board_uncount(struct scoreboard *b, const struct sent_range *r, uint32_t len)
{
	if (r->flags & SENT_SACKED)
		b->sacked -= len;
	if (r->flags & SENT_LOST)
		b->lost -= len;
	if (r->flags & SENT_AGAIN)
		b->again -= len;
}

static void news_sample(struct board_news *n, const struct sent_range *r)
{
	if (r->flags & SENT_TWICE) {
		n->twice = true;
		return;
	}
	if (r->sent > n->newest_sent)
		n->newest_sent = r->sent;
	if (n->first_sent < 0)
		n->first_sent = r->sent;
}

void board_ack(struct scoreboard *b, struct pool *p, uint32_t una, struct board_news *n)
{
	while (!list_empty(&b->ranges)) {
		struct sent_range *r = range_of(b->ranges.next);
		if (seq_ge(r->start, una))
			break;
		uint32_t len = seq_le(r->end, una) ? range_len(r) : una - r->start;
		if (!(r->flags & SENT_SACKED)) {
			n->acked += len;
			news_sample(n, r);
		}
		if (r->flags)
			board_uncount(b, r, len);
		if (seq_gt(r->end, una)) {
			r->start = una;
			break;
		}
		board_drop(b, p, r);
	}
}

/* Splits at `at`, inside r; the new range is the second part. NULL: no range left in the pool. */
static struct sent_range *board_split(struct scoreboard *b, struct pool *p, struct sent_range *r,
				      uint32_t at)
{
	struct sent_range *second = pool_take(p);
	if (!second)
		return NULL;
	second->start = at;
	second->end = r->end;
	second->sent = r->sent;
	second->flags = r->flags;
	second->tries = r->tries;
	r->end = at;
	list_insert_before(r->link.next, &second->link);
	b->count++;
	return second;
}

/* Neighbouring SACKed ranges carry no information apart: they become one. */
static void board_merge_sacked(struct scoreboard *b, struct pool *p, struct sent_range *r)
{
	if (r->link.prev != &b->ranges) {
		struct sent_range *before = range_of(r->link.prev);
		if (before->flags & SENT_SACKED) {
			r->start = before->start;
			board_drop(b, p, before);
		}
	}
	if (r->link.next != &b->ranges) {
		struct sent_range *after = range_of(r->link.next);
		if (after->flags & SENT_SACKED) {
			r->end = after->end;
			board_drop(b, p, after);
		}
	}
}

static void board_take_sack(struct scoreboard *b, struct pool *p, struct sent_range *r,
			    struct board_news *n)
{
	uint32_t len = range_len(r);
	news_sample(n, r);
	board_uncount(b, r, len);
	r->flags = (uint8_t)((r->flags & SENT_TWICE) | SENT_SACKED);
	b->sacked += len;
	n->sacked += len;
	board_merge_sacked(b, p, r);
}

void board_sack(struct scoreboard *b, struct pool *p, uint32_t start, uint32_t end,
		struct board_news *n)
{
	if (seq_ge(start, end) || list_empty(&b->ranges))
		return;
	if (b->sacked == 0 || seq_gt(end, b->sacked_end))
		b->sacked_end = end;
	/* SACKs mostly name the newest data: look from the end for the first range they touch. */
	struct list *at = b->ranges.prev;
	while (at != &b->ranges && seq_gt(range_of(at)->start, start))
		at = at->prev;
	struct sent_range *r =
		at == &b->ranges ? range_of(b->ranges.next) : range_of(at);
	while (seq_lt(r->start, end)) {
		struct list *next = r->link.next;
		if (!(r->flags & SENT_SACKED) && seq_gt(r->end, start)) {
			if (seq_lt(r->start, start)) {
				r = board_split(b, p, r, start);
				if (!r)
					return;
			}
			if (seq_gt(r->end, end) && !board_split(b, p, r, end))
				return;
			next = r->link.next;
			board_take_sack(b, p, r, n);
			next = r->link.next;
		}
		if (next == &b->ranges)
			return;
		r = range_of(next);
	}
}

static bool waits_to_be_sent_again(const struct sent_range *r)
{
	return (r->flags & (SENT_LOST | SENT_AGAIN)) == SENT_LOST;
}

/* Joins a range that is to be sent again with such a one before it; returns what then holds it. */
static struct sent_range *board_merge_lost(struct scoreboard *b, struct pool *p,
					   struct sent_range *r)
{
	if (r->link.prev == &b->ranges || !waits_to_be_sent_again(r))
		return r;
	struct sent_range *before = range_of(r->link.prev);
	if (!waits_to_be_sent_again(before))
		return r;
	before->end = r->end;
	before->flags |= r->flags & SENT_TWICE;
	if (before->sent != r->sent) /* one time of sending is lost: no RTT sample from it */
		before->flags |= SENT_TWICE;
	if (r->tries > before->tries)
		before->tries = r->tries;
	board_drop(b, p, r);
	return before;
}

uint32_t board_find_lost(struct scoreboard *b, struct pool *p, uint32_t mss, uint32_t thresh)
{
	if (b->sacked == 0)
		return 0;
	uint64_t need = (uint64_t)(thresh - 1) * mss;
	if (b->sacked <= need)
		return 0;
	uint32_t newly = 0;
	uint64_t above = b->sacked; /* bytes SACKed at or after the range we look at */
	struct list *at = b->ranges.next;
	for (; at != &b->ranges && above > need; at = at->next) {
		struct sent_range *r = range_of(at);
		if (r->flags & SENT_SACKED) {
			above -= range_len(r);
			continue;
		}
		if (!(r->flags & SENT_LOST)) {
			r->flags |= SENT_LOST;
			b->lost += range_len(r);
			newly += range_len(r);
			b->hint = NULL;
			at = &board_merge_lost(b, p, r)->link;
		}
	}
	return newly;
}

uint32_t board_lose_first(struct scoreboard *b, struct pool *p, uint32_t mss)
{
	struct sent_range *r = board_first(b);
	if (!r || r->flags & SENT_SACKED)
		return 0;
	if (range_len(r) > mss)
		board_split(b, p, r, r->start + mss);
	b->hint = NULL;
	if (r->flags & SENT_AGAIN) { /* its retransmission was lost too */
		r->flags &= (uint8_t)~SENT_AGAIN;
		b->again -= range_len(r);
		return range_len(r);
	}
	if (r->flags & SENT_LOST)
		return 0;
	r->flags |= SENT_LOST;
	b->lost += range_len(r);
	return range_len(r);
}

void board_lose_all(struct scoreboard *b, struct pool *p)
{
	for (struct list *at = b->ranges.next; at != &b->ranges; at = at->next) {
		struct sent_range *r = range_of(at);
		if (r->flags & SENT_SACKED)
			continue;
		if (!(r->flags & SENT_LOST))
			b->lost += range_len(r);
		r->flags = (uint8_t)((r->flags & ~SENT_AGAIN) | SENT_LOST);
		at = &board_merge_lost(b, p, r)->link;
	}
	b->again = 0;
	b->hint = NULL;
}

void board_forget_sacks(struct scoreboard *b)
{
	list_each(at, &b->ranges)
		range_of(at)->flags &= (uint8_t)~SENT_SACKED;
	b->sacked = 0;
}

struct sent_range *board_next_lost(struct scoreboard *b)
{
	if (b->lost == b->again)
		return NULL;
	struct list *at = b->hint ? &b->hint->link : b->ranges.next;
	for (; at != &b->ranges; at = at->next) {
		struct sent_range *r = range_of(at);
		if (waits_to_be_sent_again(r)) {
			b->hint = r;
			return r;
		}
	}
	return NULL;
}

void board_sent_again(struct scoreboard *b, struct pool *p, struct sent_range *r, uint32_t len,
		      nanotime now)
{
	assert(r->flags & SENT_LOST);
	if (len < range_len(r))
		board_split(b, p, r, r->start + len); /* where it fails, all counts as sent again */
	r->flags |= SENT_AGAIN | SENT_TWICE;
	r->sent = now;
	if (r->tries < UINT8_MAX)
		r->tries++;
	b->again += range_len(r);
}
