/*
 * What the path carries, found out by data alone (RFC 4821), where routers that can't pass a
 * packet do not say so, or where somebody throws away what they say: a black hole (RFC 2923).
 * The handshake succeeds there, and the first full segment never arrives.
 *
 * What is known to pass is path.mtu, which all segments obey; what may pass at most is
 * path.mtu_high. Between them lies what is searched. A larger segment is made of data that
 * waits anyway, so a trial costs nothing where it succeeds. Where it gets lost, and nothing else
 * does, that is no congestion (RFC 4821 7.6.2): the bytes go again in smaller segments, and the
 * window stays. So the limits close in, by half each time, until what is open between them is not
 * worth a loss. Ten minutes later the path may have become another.
 *
 * The search begins when a full segment was not acknowledged three times in a row: then
 * segments become as small as every path should take, and smaller from timeout to timeout. An
 * outage looks the same at first. So the first trial after that is as large as segments were
 * before: where it was an outage, all is as it was after one round trip. Or it begins with the
 * connection (MTU_PROBING_ALWAYS): small, and upwards.
 *
 * The two limits belong to the path and outlive the flight. Nothing here is asked where no
 * search is under way: a larger segment that is wanted or out is one of the probes
 * (enum tcp_probing) for which the output decision and the acknowledgment's slow path look anyway.
 */
#include "transport/tcp/kept.h"

#define TIMEOUTS 3 /* of one segment, until its size is doubted */

/* What a packet has beside the payload of a full segment (c->mss). */
static uint32_t headers(const struct tcp_conn *c)
{
	uint32_t ip = addr_is4(&c->tuple.remote) ? IP4_HEADER : IP6_HEADER;
	return ip + TCP_HEADER + (c->flags & CONN_TIMESTAMPS ? 12 : 0);
}

static uint32_t least_of(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

/* Up to here a trial makes sense: the link and the peer (RFC 4821 7.2) take no more. */
static uint32_t highest(const struct transport *t, const struct tcp_conn *c)
{
	uint32_t ip = addr_is4(&c->tuple.remote) ? IP4_HEADER : IP6_HEADER;
	uint32_t peer = ip + TCP_HEADER + c->peer_mss;
	uint32_t link = t->internet->access->netif[c->path.nif].mtu;
	return least_of(c->path.mtu_high, least_of(link, peer));
}

uint32_t conn_mtu_to_try(const struct transport *t, const struct tcp_conn *c)
{
	uint32_t low = c->path.mtu, high = highest(t, c);
	if (high <= low || high - low < t->config.mtu_threshold)
		return 0;
	uint32_t middle = (low + high) / 2;
	return c->flight->search_high || middle == low ? high : middle;
}

void conn_probing_over(struct transport *t, struct tcp_conn *c)
{
	struct tcp_flight *f = c->flight;
	f->probing = f->timeout_owed ? PROBING_TIMEOUT : PROBING_NONE;
	if (f->probing || c->path.mtu_high <= c->path.mtu)
		return;
	if (conn_mtu_to_try(t, c)) {
		f->probing = PROBING_LARGER;
		return;
	}
	c->path.mtu_high = c->path.mtu;
	f->searched_at = t->now_ms;
	conn_trace(t, c, TRACE_TCP_MTU, "the search has ended", NULL, c->path.mtu);
}

void conn_search_resume(struct transport *t, struct tcp_conn *c)
{
	c->flight->searched_at = t->now_ms;
	conn_probing_over(t, c);
}

void conn_search_begin(struct transport *t, struct tcp_conn *c)
{
	uint32_t least = headers(c) + t->config.mtu_base;
	if (t->config.mtu_probing != MTU_PROBING_ALWAYS || c->path.mtu_high ||
		t->options[c->sock]
			.fragment) /* a router could cut it, and it would prove nothing */
		return;
	if (!addr_is4(&c->tuple.remote) && least < IP6_MIN_MTU)
		least = IP6_MIN_MTU;
	c->path.mtu_high = c->path.mtu;
	c->path.mtu = (uint16_t)least_of(c->path.mtu, least);
	conn_update_mss(c);
	if (c->flight)
		conn_search_resume(t, c);
	else if (!c->timer.note)
		c->timer.note = NOTE_LOOK;
}

void conn_search_again(struct transport *t, struct tcp_conn *c)
{
	struct tcp_flight *f = c->flight;
	nanodiff since = (nanodiff)(t->now_ms - f->searched_at) * NANO_MS;
	if (since < t->config.mtu_interval || t->options[c->sock].fragment)
		return;
	struct path fresh = c->path;
	fresh.generation = 0; /* as it is without what was learned */
	f->searched_at = t->now_ms;
	if (internet_path(t->internet, &fresh, &c->tuple.remote, t->now) != ERR_OK)
		return;
	c->path.mtu_high = fresh.mtu > c->path.mtu ? fresh.mtu : c->path.mtu;
	f->search_high = true;
	conn_probing_over(t, c);
}

void conn_keep_mtu(struct tcp_conn *c, const struct path *before)
{
	if (!c->path.generation) /* there is no way now, and what it was like stays */
		return;
	c->path.mtu_high = (uint16_t)least_of(before->mtu_high, c->path.mtu);
	if (before->mtu && before->mtu < c->path.mtu)
		c->path.mtu = before->mtu;
	conn_update_mss(c);
}

void conn_lower_mtu(struct transport *t, struct tcp_conn *c, uint16_t mtu)
{
	struct tcp_flight *f = c->flight;
	uint32_t before = c->mss;
	c->path.mtu = mtu;
	conn_update_mss(c);
	if (f && c->mss < before) { /* as many segments as before, and no burst: RFC 5681 3.1 */
		f->cc.cwnd = (uint32_t)((uint64_t)f->cc.cwnd * c->mss / before);
		if (f->cc.cwnd < c->mss)
			f->cc.cwnd = c->mss;
	}
	conn_trace(t, c, TRACE_TCP_MTU, "a router says so", NULL, mtu);
	if (!f || t->config.mtu_probing == MTU_PROBING_OFF)
		return;
	c->path.mtu_high = mtu; /* and in ten minutes it may carry more: RFC 1191 6.3 */
	f->searched_at = t->now_ms;
	if (f->probing == PROBING_LARGER || f->probing == PROBING_LARGER_OUT)
		f->probing = PROBING_NONE;
}

/* What full segments become when this size is in doubt: first what every path should take, then
 * half of what they were. */
static uint32_t smaller(const struct transport *t, const struct tcp_conn *c)
{
	uint32_t mss = c->mss > t->config.mtu_base ? t->config.mtu_base : c->mss / 2;
	uint32_t least = t->config.mtu_floor > t->config.mss_min ? t->config.mtu_floor
								 : t->config.mss_min;
	if (!addr_is4(&c->tuple.remote)) /* RFC 8200 5 */
		least = IP6_MIN_MTU - headers(c);
	return mss > least ? mss : least;
}

void conn_doubt_mtu(struct transport *t, struct tcp_conn *c)
{
	struct tcp_flight *f = c->flight;
	const struct sent_range *first = board_first(&f->board);
	/* Nothing passes a closed window; and what goes without DF is cut where it must be. */
	if (t->config.mtu_probing == MTU_PROBING_OFF || f->timeouts + 1 < TIMEOUTS || !c->snd_wnd ||
		!first || t->options[c->sock].fragment)
		return;
	uint32_t mss = smaller(t, c);
	if (mss >= c->mss || first->end - first->start <= mss) /* so it is not the size */
		return;
	if (c->path.mtu_high < c->path.mtu)
		c->path.mtu_high = c->path.mtu;
	c->path.mtu = (uint16_t)(headers(c) + mss);
	conn_update_mss(c);
	f->search_high = true;
	f->black_holes++;
	conn_trace(t, c, TRACE_TCP_MTU, "full segments are not acknowledged: smaller ones", NULL,
		c->path.mtu);
}

void conn_sent_larger(struct transport *t, struct tcp_conn *c, uint32_t len, bool whole)
{
	struct tcp_flight *f = c->flight;
	if (!whole) /* the ring's pieces were too many for one frame: another time */
		return;
	f->probe_mtu = (uint16_t)conn_mtu_to_try(t, c);
	f->search_high = false;
	f->probing = PROBING_LARGER_OUT;
	f->probe_start = c->snd_nxt - len;
	f->probe_end = c->snd_nxt;
	f->mtu_probes++;
}

void conn_larger_arrived(struct transport *t, struct tcp_conn *c)
{
	struct tcp_flight *f = c->flight;
	c->path.mtu = f->probe_mtu;
	conn_update_mss(c);
	conn_trace(t, c, TRACE_TCP_MTU, "a larger segment arrived", NULL, c->path.mtu);
	conn_probing_over(t, c);
}

/* Where the larger segment's ranges begin, in the board's list. */
static struct list *ranges_of_larger(struct tcp_flight *f)
{
	struct sent_range *r = board_at(&f->board, f->probe_start);
	return r ? &r->link : &f->board.ranges;
}

/* All of it goes again at once, in segments that pass. */
static void larger_failed(struct transport *t, struct tcp_conn *c, uint32_t high, const char *why)
{
	struct tcp_flight *f = c->flight;
	struct list *const end = &f->board.ranges;
	for (struct list *at = ranges_of_larger(f); at != end; at = at->next) {
		struct sent_range *r = list_entry(at, struct sent_range, link);
		if (seq_ge(r->start, f->probe_end))
			break;
		if (range_in_doubt(r) && seq_ge(r->start, f->probe_start))
			at = &board_lose(&f->board, &t->range_pool, r)->link;
	}
	f->again_forced = true;
	f->retransmit_why = WHY_FAST_RETRANSMIT;
	c->path.mtu_high = (uint16_t)(high > c->path.mtu ? high : c->path.mtu);
	conn_trace(t, c, TRACE_TCP_MTU, why, NULL, c->path.mtu);
	conn_probing_over(t, c);
	conn_make_ready(t, c);
}

/* Of the larger segment's bytes, how many are LOST. */
static uint32_t lost_of_larger(struct tcp_flight *f)
{
	uint32_t lost = 0;
	const struct list *at = ranges_of_larger(f);
	for (; at != &f->board.ranges; at = at->next) {
		const struct sent_range *r = list_entry(at, struct sent_range, link);
		if (seq_ge(r->start, f->probe_end))
			break;
		if (r->flags & SENT_LOST && seq_gt(r->end, f->probe_start))
			lost += seq_min(r->end, f->probe_end) - seq_max(r->start, f->probe_start);
	}
	return lost;
}

bool conn_larger_lost(struct transport *t, struct tcp_conn *c)
{
	struct tcp_flight *f = c->flight;
	uint32_t lost = lost_of_larger(f);
	if (!lost)
		return false;
	if (f->phase == PHASE_OPEN && f->board.lost == lost) {
		larger_failed(t, c, f->probe_mtu - 1u, "a larger segment got lost");
		return true;
	}
	conn_probing_over(t, c); /* with others: so it may have been congestion (7.6.4) */
	return false;
}

bool conn_larger_refused(struct transport *t, struct tcp_conn *c, uint32_t seq, uint32_t claim)
{
	struct tcp_flight *f = c->flight;
	if (seq - f->probe_start >= f->probe_end - f->probe_start || claim >= f->probe_mtu ||
		(claim && claim < c->path.mtu))
		return false;
	f->search_high = claim > c->path.mtu; /* it says how large it may be */
	larger_failed(t, c, claim ? claim : f->probe_mtu - 1u, "too large, says a router");
	return true;
}
