/*
 * Two sizes of lent memory: a block (146 ranges) and a large one (2340), of which the
 * config may allow fewer. A set is moved when a range finds it full; it is given
 * back when it is empty, and until then keeps what it has, since the next round
 * trip of a recovery that fills holes may bring as many.
 */
#include "transport/tcp/held.h"

#define WORTH 256 /* bytes of text for which a larger set is opened */

static bool lent_is_big(const struct interval_set *s)
{
	return s->places > RING_BLOCK / INTERVAL_BYTES;
}

static void give_lent(struct transport *t, const struct interval_set *s, void *memory)
{
	pool_give(lent_is_big(s) ? &t->blocks.big : &t->blocks.small, memory);
}

bool held_begin(struct transport *t, struct tcp_flight *f)
{
	if (!f->held) {
		f->held = pool_take(&t->held_pool);
		if (f->held)
			interval_init(f->held);
	}
	return f->held;
}

void held_drop(struct transport *t, struct tcp_flight *f)
{
	if (!f->held)
		return;
	if (interval_lent(f->held))
		give_lent(t, f->held, interval_lent(f->held));
	pool_give(&t->held_pool, f->held);
	f->held = NULL;
}

/* More places. The next size, or no more than the config wants. */
static bool enlarge(struct transport *t, struct interval_set *s)
{
	if (s->places >= t->config.held_ranges || lent_is_big(s))
		return false;
	bool big = interval_lent(s);
	void *memory = pool_take(big ? &t->blocks.big : &t->blocks.small);
	if (!memory)
		return false;
	size_t size = big ? RING_BIG : RING_BLOCK, most = t->config.held_ranges * INTERVAL_BYTES;
	void *before = interval_move(s, memory, size < most ? size : most);
	if (before)
		pool_give(&t->blocks.small, before);
	return true;
}

bool held_add(struct transport *t, struct tcp_flight *f, uint32_t start, uint32_t end)
{
	if (interval_add(f->held, start, end, NULL))
		return true;
	return end - start >= WORTH && enlarge(t, f->held) &&
	       interval_add(f->held, start, end, NULL);
}

uint32_t held_reach(struct transport *t, struct tcp_flight *f, uint32_t next)
{
	interval_trim_below(f->held, next); /* it may have covered several */
	next = interval_end_at(f->held, next);
	interval_trim_below(f->held, next);
	held_end(t, f);
	return next;
}

bool held_give_way(struct transport *t, struct tcp_flight *f)
{
	struct interval last;
	uint32_t before = f->rx.blocks;
	if (!f->held || !interval_pop_last(f->held, &last))
		return false;
	do { /* until a block comes free: several ranges may lie in one */
		ring_discard(&f->rx, &t->blocks, last.start, last.end);
		if (seq_lt(last.start, f->twice_end)) /* what is gone did not come twice */
			f->twice_start = f->twice_end;
	} while (f->rx.blocks == before && interval_pop_last(f->held, &last));
	held_end(t, f);
	return true;
}
