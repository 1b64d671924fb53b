/*
 * The common case, an ACK of whole ranges in order with nothing SACKed, touches each
 * range once. So does what SACKs and losses make of it: a block looks at what is new in
 * it, since what was SACKed before is one range, and where the first range in doubt may
 * be is remembered. An RTO alone walks over all.
 */
#include "transport/recovery/scoreboard.h"

static struct sent_range *range_of(struct list *l)
{
	return list_entry(l, struct sent_range, link);
}

void board_init(struct scoreboard *b, uint32_t una)
{
	list_init(&b->ranges);
	list_init(&b->resent);
	b->count = 0;
	b->sacked = b->lost = b->again = 0;
	b->sacked_pieces = b->again_count = 0;
	b->delivered_end = una;
	b->tree.root = NULL;
	b->in_tree = b->judged = NULL;
	b->rate = NULL;
}

/* ---- the tree ---- */

#define MARK_SACKED  1
#define MARK_WAITING 2 /* to be sent again */

static struct sent_range *range_of_node(struct tree_node *n)
{
	return n ? tree_entry(n, struct sent_range, node) : NULL;
}

static uint8_t marks_of(const struct sent_range *r)
{
	return (uint8_t)((r->flags & SENT_SACKED ? MARK_SACKED : 0) |
			 (range_waits(r) ? MARK_WAITING : 0));
}

static bool is_in_tree(const struct scoreboard *b, const struct sent_range *r)
{
	return b->in_tree && seq_le(r->start, b->in_tree->start);
}

/* What was sent since it was last needed goes in. */
static void tree_grow(struct scoreboard *b)
{
	struct list *at = b->in_tree ? b->in_tree->link.next : b->ranges.next;
	for (; at != &b->ranges; at = at->next) {
		struct sent_range *r = range_of(at);
		tree_insert(&b->tree, b->in_tree ? &b->in_tree->node : NULL, &r->node, 0);
		b->in_tree = r;
	}
}

static void tree_drop(struct scoreboard *b, struct sent_range *r)
{
	if (!is_in_tree(b, r))
		return;
	if (b->in_tree == r)
		b->in_tree = r->link.prev == &b->ranges ? NULL : range_of(r->link.prev);
	tree_remove(&b->tree, &r->node);
}

/* It has become something else. */
static void set_flags(struct scoreboard *b, struct sent_range *r, unsigned flags)
{
	r->flags = (uint8_t)flags;
	tree_mark(&b->tree, &r->node, marks_of(r));
}

struct sent_range *board_at(struct scoreboard *b, uint32_t at)
{
	struct sent_range *best = board_last(b);
	if (!best || seq_le(best->start, at))
		return best;
	tree_grow(b);
	best = board_first(b);
	for (struct tree_node *n = b->tree.root; n;) {
		struct sent_range *r = range_of_node(n);
		bool behind = seq_gt(r->start, at);
		if (!behind)
			best = r;
		n = n->child[!behind];
	}
	return best;
}

/* The pipe, from the board alone. */
static uint32_t board_pipe(const struct scoreboard *b)
{
	if (list_empty(&b->ranges))
		return 0;
	return board_in_flight(b, range_of(b->ranges.prev)->end - range_of(b->ranges.next)->start);
}

void board_measure(struct scoreboard *b, struct rate *rate, nanotime now)
{
	b->rate = rate;
	if (!rate)
		return;
	uint32_t pipe = board_pipe(b);
	rate_init(rate, now);
	if (pipe) /* what was sent before says little */
		rate_app_limited(rate, pipe);
	list_each(at, &b->ranges)
		rate_sent(rate, &range_of(at)->mark, range_len(range_of(at)), pipe, now);
}

/* What a remembered place becomes when its range goes: what holds of all before the range holds
 * of all before its neighbours. */
static struct sent_range *neighbour_of(const struct scoreboard *b, const struct sent_range *r)
{
	if (r->link.prev != &b->ranges)
		return range_of(r->link.prev);
	return r->link.next != &b->ranges ? range_of(r->link.next) : NULL;
}

static void board_drop(struct scoreboard *b, struct pool *p, struct sent_range *r)
{
	if (b->judged == r)
		b->judged = neighbour_of(b, r);
	tree_drop(b, r);
	list_remove(&r->link);
	b->count--;
	pool_give(p, r);
}

static void no_longer_again(struct scoreboard *b, struct sent_range *r)
{
	set_flags(b, r, r->flags & ~(unsigned)(SENT_AGAIN | SENT_PART));
	b->again -= range_len(r);
	b->again_count--;
	list_remove(&r->again);
}

void board_clear(struct scoreboard *b, struct pool *p)
{
	if (list_empty(&b->ranges))
		return;
	while (!list_empty(&b->ranges))
		pool_give(p, range_of(list_pop_front(&b->ranges)));
	struct rate *rate = b->rate;
	board_init(b, b->delivered_end);
	b->rate = rate;
}

void board_sent(struct scoreboard *b, struct pool *p, uint32_t start, uint32_t end,
		uint32_t pieces, uint32_t mss, nanotime now)
{
	struct sent_range *r = pool_take(p);
	if (!r) {
		assert(!list_empty(&b->ranges));
		struct sent_range *last = range_of(b->ranges.prev);
		last->end = end;
		last->sent = now;
		last->pieces = range_pieces_capped(last->pieces + pieces);
		range_count_bytes(last);
		return;
	}
	r->start = start;
	r->end = end;
	r->sent = now;
	r->pieces = (uint16_t)pieces;
	r->mss = (uint16_t)mss;
	r->tail = 0;
	r->flags = 0;
	r->tries = 0;
	if (b->rate)
		rate_sent(b->rate, &r->mark, end - start, board_pipe(b), now);
	list_push_back(&b->ranges, &r->link);
	b->count++;
}

/* Takes `len` of a range's bytes out of the sums; `whole`: the range out of its list too. */
static void board_uncount(struct scoreboard *b, struct sent_range *r, uint32_t len, bool whole)
{
	if (r->flags & SENT_SACKED) {
		b->sacked -= len;
		/* merged ranges may have lost count: never below what is */
		if (b->sacked == 0)
			b->sacked_pieces = 0;
		else if (whole && r->pieces < b->sacked_pieces)
			b->sacked_pieces -= r->pieces;
	}
	if (r->flags & SENT_LOST)
		b->lost -= len;
	if (r->flags & SENT_AGAIN) {
		b->again -= len;
		if (whole) {
			b->again_count--;
			list_remove(&r->again);
		}
	}
}

/* What arrived just now tells of RTT, of reordering, and how far RACK may look. */
static void news_sample(struct scoreboard *b, struct board_news *n, const struct sent_range *r,
			uint32_t end)
{
	if (!(r->flags & SENT_TWICE) || r->sent <= n->answered_to) {
		n->latest_sent = r->sent;
		if (r->sent > n->last_sent ||
		    (r->sent == n->last_sent && seq_gt(end, n->last_end))) {
			n->last_sent = r->sent;
			n->last_end = end;
		}
	}
	/* One ACK's news count as in ascending order, in whatever order its blocks stand: late is
	 * what lies before the end that was known when it came (RFC 8985 6.2 step 3). */
	if (!n->begun) {
		n->begun = true;
		n->delivered_end = b->delivered_end;
	}
	if (seq_gt(end, b->delivered_end))
		b->delivered_end = end;
	if (seq_lt(end, n->delivered_end) && !(r->flags & SENT_TWICE) &&
	    n->delivered_end - r->start > n->reordered)
		n->reordered = n->delivered_end - r->start;
	if (r->flags & SENT_TWICE) {
		n->twice = true;
		return;
	}
	if (!n->original) {
		n->original = true;
		n->original_end = end;
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
		bool whole = seq_le(r->end, una);
		if (!(r->flags & SENT_SACKED)) {
			n->acked += len;
			news_sample(b, n, r, whole ? r->end : una);
			if (b->rate)
				rate_acked(b->rate, &r->mark, r->sent, len, b->rate->now);
		}
		if (r->flags)
			board_uncount(b, r, len, whole);
		if (!whole) {
			range_settle(r);
			r->start = una;
			if (r->flags & SENT_PART) /* this much went: the rest is next */
				no_longer_again(b, r);
			break;
		}
		board_drop(b, p, r);
	}
}

bool board_ack_clean(struct scoreboard *b, struct pool *p, uint32_t una, nanotime *first,
		     nanotime *newest)
{
	struct list *at = b->ranges.next;
	struct sent_range *r = range_of(at);
	unsigned flags = 0;
	*first = r->sent;
	b->judged = NULL;
	b->delivered_end = seq_max(b->delivered_end, una);
	do {
		r = range_of(at);
		*newest = r->sent;
		flags |= r->flags;
		if (seq_gt(r->end, una)) {
			range_settle(r);
			r->start = una;
			break;
		}
		at = at->next;
		if (__builtin_expect(b->in_tree != NULL, 0)) {
			tree_remove(&b->tree, &r->node); /* the first is in it */
			b->in_tree = b->in_tree == r ? NULL : b->in_tree;
		}
		pool_give(p, r);
		b->count--;
	} while (at != &b->ranges && seq_lt(range_of(at)->start, una));
	b->ranges.next = at;
	at->prev = &b->ranges;
	return flags & SENT_TWICE;
}

/* Splits at `at`, inside r; the new range is the second part, and its pieces are its share of r's.
 * NULL: no range left in the pool. */
static struct sent_range *board_split(struct scoreboard *b, struct pool *p, struct sent_range *r,
				      uint32_t at)
{
	struct sent_range *second = pool_take(p);
	if (!second)
		return NULL;
	/* where the segment that ends at `at` begins */
	uint32_t before = range_segment_until(r, at - 1);
	second->start = at;
	second->end = r->end;
	second->sent = r->sent;
	second->flags = r->flags;
	second->tries = r->tries;
	second->tail = r->tail;
	second->mss = r->mss;
	if (b->rate)
		second->mark = r->mark;
	uint32_t share = (uint32_t)((uint64_t)r->pieces * (r->end - at) / range_len(r));
	second->pieces = (uint16_t)(share ? share : 1);
	r->pieces = (uint16_t)(r->pieces > second->pieces ? r->pieces - second->pieces : 1);
	r->end = at;
	r->tail = (uint16_t)(at - before);
	range_count(r);
	range_count(second);
	if (is_in_tree(b, r)) {
		tree_insert(&b->tree, &r->node, &second->node, marks_of(second));
		if (b->in_tree == r)
			b->in_tree = second;
	}
	list_insert_before(r->link.next, &second->link);
	if (r->flags & SENT_AGAIN) {
		list_insert_before(r->again.next, &second->again);
		b->again_count++;
	}
	b->count++;
	return second;
}

/* Neighbouring SACKed ranges carry no information apart: they become one. Returns it. */
static struct sent_range *board_merge_sacked(struct scoreboard *b, struct pool *p,
					     struct sent_range *r)
{
	if (r->link.prev != &b->ranges) {
		struct sent_range *before = range_of(r->link.prev);
		if (before->flags & SENT_SACKED) {
			range_append(before, r);
			board_drop(b, p, r);
			r = before;
		}
	}
	if (r->link.next != &b->ranges) {
		struct sent_range *after = range_of(r->link.next);
		if (after->flags & SENT_SACKED) {
			range_append(r, after);
			board_drop(b, p, after);
		}
	}
	return r;
}

static struct sent_range *board_take_sack(struct scoreboard *b, struct pool *p,
					  struct sent_range *r, struct board_news *n)
{
	uint32_t len = range_len(r);
	news_sample(b, n, r, r->end);
	if (b->rate)
		rate_acked(b->rate, &r->mark, r->sent, len, b->rate->now);
	board_uncount(b, r, len, true);
	range_count(r);
	set_flags(b, r, (r->flags & SENT_TWICE) | SENT_SACKED);
	b->sacked += len;
	b->sacked_pieces += r->pieces;
	n->sacked += len;
	return board_merge_sacked(b, p, r);
}

/* `recut`: bytes count where the block is longer than a segment. Returns whether the block has
 * met a whole segment, or something SACKed. */
static bool sack_ranges(struct scoreboard *b, struct pool *p, const struct interval *block,
			struct board_news *n, bool recut)
{
	bool met = false;
	for (struct sent_range *r = board_at(b, block->start);
	     seq_lt(r->start, block->end); r = range_of(r->link.next)) {
		bool bytes = recut && block->end - block->start >= r->mss;
		uint32_t from = bytes ? seq_max(r->start, block->start)
				      : range_segment_from(r, block->start);
		uint32_t to = bytes ? seq_min(r->end, block->end)
				    : range_segment_until(r, block->end);
		if (r->flags & SENT_SACKED) {
			met |= seq_gt(r->end, block->start);
		} else if (seq_lt(from, to)) {
			met = true;
			if (from != r->start)
				r = board_split(b, p, r, from);
			if (!r || (to != r->end && !board_split(b, p, r, to)))
				return true;
			r = board_take_sack(b, p, r, n);
		}
		if (r->link.next == &b->ranges)
			break;
	}
	return met;
}

void board_sack(struct scoreboard *b, struct pool *p, uint32_t start, uint32_t end,
		struct board_news *n)
{
	if (seq_ge(start, end) || list_empty(&b->ranges))
		return;
	struct interval block = { start, end };
	tree_grow(b);
	/* As long as a segment, and not one of ours: they were cut anew on the way. */
	if (!sack_ranges(b, p, &block, n, false))
		sack_ranges(b, p, &block, n, true);
}

/* Joins a range that is to be sent again with such a one before it; returns what then holds it. */
static struct sent_range *board_merge_lost(struct scoreboard *b, struct pool *p,
					   struct sent_range *r)
{
	if (r->link.prev == &b->ranges || !range_waits(r))
		return r;
	struct sent_range *before = range_of(r->link.prev);
	if (!range_waits(before))
		return r;
	range_append(before, r);
	before->flags |= r->flags & SENT_TWICE;
	if (before->sent != r->sent) /* one time of sending is lost: no RTT sample from it */
		before->flags |= SENT_TWICE;
	if (r->tries > before->tries)
		before->tries = r->tries;
	board_drop(b, p, r);
	return before;
}

struct sent_range *board_first_in_doubt(struct scoreboard *b)
{
	struct list *at = b->judged ? &b->judged->link : b->ranges.next;
	for (; at != &b->ranges; at = at->next) {
		struct sent_range *r = b->judged = range_of(at);
		if (range_in_doubt(r))
			return r;
	}
	return NULL;
}

struct sent_range *board_lose(struct scoreboard *b, struct pool *p, struct sent_range *r)
{
	assert(!(r->flags & SENT_SACKED));
	tree_grow(b);
	if (b->rate)
		rate_lost(b->rate, &r->mark, range_len(r));
	if (r->flags & SENT_AGAIN) {
		no_longer_again(b, r);
	} else {
		set_flags(b, r, r->flags | SENT_LOST);
		b->lost += range_len(r);
	}
	return board_merge_lost(b, p, r);
}

uint32_t board_lose_first(struct scoreboard *b, struct pool *p, uint32_t mss)
{
	struct sent_range *r = board_first(b);
	if (!r || r->flags & SENT_SACKED)
		return 0;
	if (range_len(r) > mss)
		board_split(b, p, r, r->start + mss);
	if (range_waits(r))
		return 0;
	board_lose(b, p, r); /* for the first time, or its retransmission was lost too */
	return range_len(r);
}

uint32_t board_lose_counted(struct scoreboard *b, struct pool *p, uint32_t thresh)
{
	uint32_t beyond = 0, newly = 0;
	struct tree_node *limit = tree_last(&b->tree, MARK_SACKED);
	while (limit && (beyond += range_of_node(limit)->pieces) < thresh)
		limit = tree_before(limit, MARK_SACKED);
	if (!limit)
		return 0;
	uint32_t end = range_of_node(limit)->start;
	for (struct sent_range *r; (r = board_first_in_doubt(b)) && seq_lt(r->start, end);) {
		newly += range_len(r);
		board_lose(b, p, r);
	}
	return newly;
}

struct board_segments board_segments(const struct scoreboard *b)
{
	struct board_segments n = { 0 };
	list_each(at, &b->ranges)
	{
		const struct sent_range *r = range_of(at);
		uint32_t pieces = range_pieces(r);
		n.sent += pieces;
		n.sacked += r->flags & SENT_SACKED ? pieces : 0;
		n.lost += r->flags & SENT_LOST ? pieces : 0;
		n.again += r->flags & SENT_AGAIN ? pieces : 0;
	}
	return n;
}

void board_lose_all(struct scoreboard *b, struct pool *p)
{
	for (struct list *at = b->ranges.next; at != &b->ranges; at = at->next) {
		struct sent_range *r = range_of(at);
		if (r->flags & SENT_SACKED)
			continue;
		if (range_waits(r))
			at = &board_merge_lost(b, p, r)->link;
		else
			at = &board_lose(b, p, r)->link;
	}
}

void board_unlose(struct scoreboard *b)
{
	for (struct sent_range *r; (r = range_of_node(tree_first(&b->tree, MARK_WAITING)));) {
		if (b->judged && seq_lt(r->start, b->judged->start))
			b->judged = r;
		set_flags(b, r, r->flags & ~(unsigned)SENT_LOST);
		b->lost -= range_len(r);
	}
}

void board_forget_sacks(struct scoreboard *b)
{
	for (struct sent_range *r; (r = range_of_node(tree_first(&b->tree, MARK_SACKED)));)
		set_flags(b, r, r->flags & ~(unsigned)SENT_SACKED);
	b->sacked = b->sacked_pieces = 0;
	b->judged = NULL;
}

struct sent_range *board_next_lost(struct scoreboard *b)
{
	return range_of_node(tree_first(&b->tree, MARK_WAITING));
}

/* As one segment; `pipe`: without it. */
static void sent_once_more(struct scoreboard *b, struct sent_range *r, uint32_t pipe, nanotime now)
{
	r->pieces = 1;
	r->tail = r->mss = (uint16_t)range_len(r);
	if (b->rate)
		rate_sent(b->rate, &r->mark, range_len(r), pipe, now);
	r->flags |= SENT_TWICE;
	r->sent = now;
	if (r->tries < UINT8_MAX)
		r->tries++;
}

void board_sent_again(struct scoreboard *b, struct pool *p, struct sent_range *r, uint32_t len,
		      nanotime now)
{
	assert(r->flags & SENT_LOST);
	bool whole = len == range_len(r) || board_split(b, p, r, r->start + len);
	sent_once_more(b, r, b->rate ? board_pipe(b) : 0, now);
	if (!whole) /* no range for the rest: all counts as sent again */
		range_count_bytes(r);
	set_flags(b, r, r->flags | SENT_AGAIN | (whole ? 0 : SENT_PART));
	list_push_back(&b->resent, &r->again);
	b->again += range_len(r);
	b->again_count++;
}

void board_sent_probe(struct scoreboard *b, struct pool *p, uint32_t len, nanotime now)
{
	struct sent_range *r = board_last(b);
	assert(r && len <= range_len(r));
	if (len < range_len(r)) {
		struct sent_range *second = board_split(b, p, r, r->end - len);
		r = second ? second : r;
	}
	sent_once_more(b, r, b->rate ? board_pipe(b) - range_len(r) : 0, now);
	if (range_len(r) != len)
		range_count_bytes(r);
	if (r->flags & SENT_AGAIN) { /* it is the youngest retransmission now */
		list_remove(&r->again);
		list_push_back(&b->resent, &r->again);
	}
}
