/*
 * The look for losses goes over two lists, each in the order of sending: what was
 * sent once, from the first in doubt on, and what was sent again. Each stops at
 * the first range that was sent too late to be judged, so a look costs what it
 * finds and two comparisons.
 */
#include "transport/recovery/rack.h"

#define PERSIST 16 /* RFC 8985 6.2 step 4 */

/* RACK_sent_after: by time, then by sequence. */
static bool sent_after(nanotime a, uint32_t a_end, nanotime b, uint32_t b_end)
{
	return a > b || (a == b && seq_gt(a_end, b_end));
}

void rack_take(struct rack *k, const struct board_news *n, nanotime now)
{
	if (n->reordered)
		k->reordered = true;
	if (n->last_sent < 0)
		return;
	k->rtt = now - n->latest_sent;
	if (!k->arrived || sent_after(n->last_sent, n->last_end, k->sent, k->end)) {
		k->arrived = true;
		k->sent = n->last_sent;
		k->end = n->last_end;
	}
}

void rack_dsack(struct rack *k, uint32_t una, uint32_t nxt)
{
	/* One step a round; its end counts only while it is outstanding. */
	if (k->dsack_round && k->dsack_end - una - 1 < nxt - una)
		return;
	k->dsack_round = true;
	k->dsack_end = nxt;
	if (k->steps < RACK_STEPS_MAX)
		k->steps++;
	k->persist = PERSIST;
}

void rack_recovered(struct rack *k)
{
	if (k->persist && --k->persist == 0)
		k->steps = 1;
	k->dsack_round = false;
}

/* RACK_update_reo_wnd */
static nanodiff reordering_window(const struct rack *k, const struct scoreboard *b,
				  const struct rack_rules *r)
{
	if (!k->reordered && !r->patient &&
	    (r->in_recovery || b->sacked_pieces >= r->dup_thresh))
		return 0;
	nanodiff window = r->min_rtt / 4 * k->steps;
	return window < r->srtt ? window : r->srtt;
}

/*
 * What a retransmission is waited for at least, doubled for each one before it (RFC 8961 4): a
 * receiver next door that answers and takes nothing would be asked a million times a second.
 */
static nanodiff patience(const struct sent_range *r)
{
	if (!(r->flags & SENT_AGAIN))
		return 0;
	unsigned doubled = r->tries > 10 ? 10 : r->tries;
	return (NANO_MS / 2) << doubled;
}

/* Is it lost, given that something sent after it has arrived? Else *next is when it would be. */
static bool is_overdue(const struct rack *k, const struct sent_range *r, nanotime now,
		       nanotime *next)
{
	nanodiff wait = patience(r);
	nanotime due = r->sent + (wait > k->rtt ? wait : k->rtt) + k->window;
	if (due <= now)
		return true;
	*next = nanotime_min(*next, due);
	return false;
}

uint32_t rack_find_lost(struct rack *k, struct scoreboard *b, struct pool *p,
			const struct rack_rules *rules, nanotime now, nanotime *next)
{
	*next = NANOTIME_NEVER;
	if (!k->arrived)
		return 0;
	k->window = reordering_window(k, b, rules);
	uint32_t newly = 0;
	struct sent_range *r;
	while ((r = board_first_in_doubt(b)) && sent_after(k->sent, k->end, r->sent, r->end) &&
	       is_overdue(k, r, now, next)) {
		newly += r->end - r->start;
		board_lose(b, p, r);
	}
	while (!list_empty(&b->resent)) {
		r = list_entry(b->resent.next, struct sent_range, again);
		if (!sent_after(k->sent, k->end, r->sent, r->end) || !is_overdue(k, r, now, next))
			break;
		newly += r->end - r->start;
		board_lose(b, p, r);
	}
	return newly;
}

uint32_t rack_timeout(const struct rack *k, struct scoreboard *b, struct pool *p, nanotime now)
{
	uint32_t newly = 0;
	nanotime never = NANOTIME_NEVER;
	struct sent_range *r = board_first(b);
	if (r && !(r->flags & SENT_SACKED) && (range_in_doubt(r) || r->flags & SENT_AGAIN)) {
		newly += r->end - r->start;
		board_lose(b, p, r);
	}
	while ((r = board_first_in_doubt(b)) && is_overdue(k, r, now, &never)) {
		newly += r->end - r->start;
		board_lose(b, p, r);
	}
	while (!list_empty(&b->resent)) {
		r = list_entry(b->resent.next, struct sent_range, again);
		if (!is_overdue(k, r, now, &never))
			break;
		newly += r->end - r->start;
		board_lose(b, p, r);
	}
	return newly;
}
