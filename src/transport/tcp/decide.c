/*
 * Retransmissions go before new data, new data before probes, and a bare ACK goes
 * only when nothing else carries it. New data is held back by the peer's window,
 * the congestion window, silly-window avoidance (RFC 9293 3.8.6.2.1) and Nagle
 * in Minshall's form: a small segment waits while another *small* one is in
 * flight, so that the last piece of a write after full segments goes at once.
 */
#include "transport/tcp/decide.h"

#include "transport/tcp/records.h"

static const char *const wait_text[WAIT_COUNT] = {
	[WAIT_NOTHING] = "nothing to send",
	[WAIT_CWND] = "congestion window is full",
	[WAIT_RWND] = "receiver's window is full",
	[WAIT_NAGLE] = "Nagle: a small segment is unacknowledged",
	[WAIT_SWS] = "receiver's window would take a sliver only",
	[WAIT_CORK] = "corked: the segment is not full",
	[WAIT_MEMORY] = "out of sent ranges",
	[WAIT_HANDSHAKE] = "handshake is not finished",
	[WAIT_PACING] = "pacing: the next segment's time has not come",
};

const char *tcp_wait_text(enum tcp_wait w)
{
	return w < WAIT_COUNT ? wait_text[w] : "?";
}

__attribute__((noinline, cold)) uint32_t conn_sack_room_told(const struct transport *t,
							     const struct tcp_conn *c)
{
	const struct tcp_flight *f = c->flight;
	if (!(c->flags & CONN_SACK))
		return 0;
	uint32_t most = c->flags & CONN_TIMESTAMPS ? 3 : 4;
	uint32_t blocks = (f->held ? f->held->count + conn_fin_apart(f) : 0) +
			  (f->twice_start != f->twice_end);
	if (blocks > most)
		blocks = most;
	if (__builtin_expect(c->ecn & CONN_ACCURATE, 0))
		blocks = conn_accecn_blocks(t, c, blocks);
	return 4 + 8 * blocks;
}

/* States in which the send queue may be emptied. */
static bool state_sends(const struct tcp_conn *c)
{
	if (c->state == TCP_SYN_RECEIVED) /* RFC 7413 4.2.2 */
		return c->fast_open;
	return c->state >= TCP_ESTABLISHED && c->state <= TCP_LAST_ACK &&
	       c->state != TCP_FIN_WAIT_2;
}

/* After an RTO the window is one segment (RFC 5681 3.1). Ends of records may have made hundreds of
 * what fits in one: a queue that was too short gets no burst of them, but one, and two at a time
 * once something has arrived. */
static bool too_many_again(const struct tcp_flight *f, uint32_t mss)
{
	uint32_t count = f->board.again_count;
	return f->phase == PHASE_LOSS && (uint64_t)count * mss >= f->cc.cwnd &&
	       count > (f->timeouts == 0);
}

/* Whatever became of the window: SHLD-16, and beyond its edge MAY-7. */
__attribute__((noinline)) static bool
plan_again(const struct tcp_conn *c, struct tcp_plan *p, uint32_t mss)
{
	struct tcp_flight *f = c->flight;
	struct sent_range *r = board_next_lost(&f->board);
	if (!r)
		return false;
	uint32_t end = seq_gt(r->end, c->snd_end) ? c->snd_end : r->end; /* without FIN */
	uint32_t left = seq_gt(end, r->start) ? end - r->start : 0;
	uint32_t len = record_rest(f, r->start, left);
	bool whole = len == left && len <= mss;
	if (len > mss)
		len = mss;
	uint32_t pipe = conn_pipe(c);
	if (!f->again_forced && pipe && (pipe + len > f->cc.cwnd || too_many_again(f, mss))) {
		p->wait = WAIT_CWND;
		return false;
	}
	p->kind = PLAN_AGAIN;
	p->range = r;
	p->seq = r->start;
	p->len = len;
	p->fin = whole && seq_gt(r->end, c->snd_end);
	p->push = p->seq + p->len == c->snd_end; /* MUST-61 */
	p->why = (enum tx_why)f->retransmit_why;
	return true;
}

/* May this piece, smaller than a segment, go? Where nothing is under way it does, so that nothing
 * waits for ever (MUST-60). */
static bool small_may_go(const struct transport *t, const struct tcp_conn *c, struct tcp_plan *p,
			 uint32_t len, uint32_t queued)
{
	const struct tcp_flight *f = c->flight;
	if (len < queued) { /* cut short by a window, not by the end of data */
		if (len && p->wait != WAIT_CWND &&
		    (len >= f->snd_wnd_max / 2 || c->flags & CONN_PROBE_OWED))
			/* MUST-38 (3), (4): half of the largest window seen, or time */
			return true;
		if (len && p->wait == WAIT_RWND)
			p->wait = WAIT_SWS;
		return false;
	}
	/* MAY-16 */
	if (t->options[c->sock].cork && !(c->flags & (CONN_FIN_QUEUED | CONN_PROBE_OWED))) {
		p->wait = WAIT_CORK;
		return false;
	}
	if (c->flags & (CONN_NODELAY | CONN_FIN_QUEUED) || c->snd_nxt == c->snd_una)
		return true; /* MUST-17 */
	if (f->urgent_sent && seq_gt(f->urgent_end, c->snd_nxt))
		return true;
	/* SHLD-7. It counts only while it is outstanding: 2^31 bytes later it would seem ahead
	 * again. */
	if (f->snd_small - c->snd_una - 1 < c->snd_nxt - c->snd_una) {
		p->wait = WAIT_NAGLE;
		return false;
	}
	return true;
}

static bool plan_new(const struct transport *t, const struct tcp_conn *c, struct tcp_plan *p,
		     uint32_t mss, uint32_t gso_max)
{
	const struct tcp_flight *f = c->flight;
	uint32_t all = c->snd_end - c->snd_nxt;
	bool fin_due = c->flags & CONN_FIN_QUEUED;
	if (fin_due && c->snd_nxt == c->snd_end + 1)
		return false; /* FIN is out: nothing is queued */
	if (!all && !fin_due)
		return false;
	uint32_t queued = record_rest(f, c->snd_nxt, all); /* the next record may not wait for it */
	if (!board_can_send(&f->board, &t->range_pool)) {
		p->wait = WAIT_MEMORY;
		return false;
	}
	uint32_t outstanding = c->snd_nxt - c->snd_una;
	/* MUST-34, SHLD-15: a window that shrank below what is out takes nothing new */
	uint32_t usable = c->snd_wnd > outstanding ? c->snd_wnd - outstanding : 0;
	uint32_t pipe = conn_pipe(c);
	uint32_t room = f->cc.cwnd > pipe ? f->cc.cwnd - pipe : 0;
	uint32_t len = queued;
	if (len > usable) {
		len = usable;
		p->wait = WAIT_RWND;
	}
	if (len > room) {
		len = room;
		p->wait = WAIT_CWND;
	}
	if (len >= mss) { /* SHLD-28 */
		uint32_t most = gso_max >= 2 * mss ? gso_max - gso_max % mss : mss;
		if (len > most)
			len = most;
		else if (len != queued)
			len -= len % mss; /* whole segments; the rest is judged apart */
	} else if (queued && (len < queued || queued == all) &&
		   !small_may_go(t, c, p, len, queued)) {
		return false;
	}
	bool fin = fin_due && len == all && usable > len;
	if (!len && !fin)
		return false;
	p->kind = PLAN_NEW;
	p->seq = c->snd_nxt;
	p->len = len;
	p->fin = fin;
	p->push = len == queued;
	p->why = len ? (p->push ? WHY_DATA_LAST : WHY_DATA) : WHY_FIN;
	return true;
}

/* RFC 8985 7.3: new data where there is some, whatever cwnd says, else the last segment again. */
static bool plan_tail(const struct tcp_conn *c, struct tcp_plan *p, uint32_t mss)
{
	uint32_t outstanding = c->snd_nxt - c->snd_una;
	uint32_t usable = c->snd_wnd > outstanding ? c->snd_wnd - outstanding : 0;
	uint32_t queued = seq_gt(c->snd_end, c->snd_nxt) ? c->snd_end - c->snd_nxt : 0;
	queued = record_rest(c->flight, c->snd_nxt, queued);
	p->why = WHY_TAIL_PROBE;
	p->probe = true;
	if (queued && usable) {
		uint32_t len = queued < usable ? queued : usable;
		p->kind = PLAN_NEW;
		p->seq = c->snd_nxt;
		p->len = len < mss ? len : mss;
		p->push = p->len == queued;
		return true;
	}
	struct sent_range *last = board_last(&c->flight->board);
	if (!last)
		return false;
	uint32_t end = seq_gt(last->end, c->snd_end) ? c->snd_end : last->end; /* without FIN */
	uint32_t len = seq_gt(end, last->start) ? end - last->start : 0;
	p->kind = PLAN_TAIL;
	p->len = len < mss ? len : mss;
	if (c->flight->records && p->len)
		p->len = end - records_last(c->flight->records, end - p->len, end);
	p->seq = end - p->len;
	p->fin = seq_gt(last->end, c->snd_end);
	p->push = true;
	return true;
}

/*
 * New data in one segment larger than those before (RFC 4821 7.3), where so much is queued that
 * more can follow at once than makes a loss known, and that much fits the windows. Until there is
 * room for it, what is queued waits.
 */
static bool plan_larger(const struct transport *t, const struct tcp_conn *c, struct tcp_plan *p,
			uint32_t mss)
{
	const struct tcp_flight *f = c->flight;
	uint32_t mtu = conn_mtu_to_try(t, c);
	if (!mtu || f->phase != PHASE_OPEN || !board_clean(&f->board) || f->dup_acks ||
	    f->urgent_sent || seq_le(c->snd_end, c->snd_nxt) || !pacer_allows(&f->pacer, t->now))
		return false;
	uint32_t len = mss + (mtu - c->path.mtu);
	uint32_t with_rest = len + (t->config.dup_thresh + 1u) * mss;
	uint32_t outstanding = c->snd_nxt - c->snd_una, pipe = conn_pipe(c);
	if (record_rest(f, c->snd_nxt, len) != len)
		return false;
	if (c->snd_end - c->snd_nxt < with_rest || c->snd_wnd < with_rest ||
	    f->cc.cwnd < with_rest)
		return false;
	if (outstanding + with_rest > c->snd_wnd)
		p->wait = WAIT_RWND;
	else if (pipe + len > f->cc.cwnd)
		p->wait = WAIT_CWND;
	if (p->wait != WAIT_NOTHING)
		return false;
	p->kind = PLAN_NEW;
	p->seq = c->snd_nxt;
	p->len = p->mss = len;
	p->why = WHY_MTU_PROBE;
	p->probe = true;
	return true;
}

/* A probe that may be sent now. */
__attribute__((noinline, cold)) static bool
plan_probe(const struct transport *t, const struct tcp_conn *c, struct tcp_plan *p,
		       uint32_t mss)
{
	const struct tcp_flight *f = c->flight;
	if (f->probing == PROBING_TIMEOUT) {
		/* Later: such an ACK would tell of no SACK (RFC 2018 4), and a server that keeps
		 * nothing of a handshake but its cookie knows it by the first byte only, which goes
		 * first where a SYN brought it in vain. */
		if (conn_sack_room(t, c) || f->board.lost != f->board.again)
			return false;
		p->kind = PLAN_TIMEOUT;
		p->why = WHY_USER_TIMEOUT;
		return true;
	}
	if (!board_can_send(&f->board, &t->range_pool))
		return false;
	if (f->probing == PROBING_LARGER)
		return plan_larger(t, c, p, mss);
	return c->snd_una != c->snd_nxt && plan_tail(c, p, mss);
}

/* Inline for the one caller that runs for each segment: link-time optimisation sees it as one. */
inline __attribute__((always_inline)) struct tcp_plan
tcp_decide(const struct transport *t, const struct tcp_conn *c, uint32_t gso_max)
{
	struct tcp_plan p = { .kind = PLAN_NONE, .wait = WAIT_NOTHING };
	const struct tcp_flight *f = c->flight;
	if (f && state_sends(c) && !(c->ecn & CONN_ACE_HANDSHAKE)) {
		uint32_t room = conn_sack_room(t, c);
		if (__builtin_expect(c->ecn & CONN_ACCURATE, 0))
			room += conn_accecn_room(t, c, room);
		uint32_t mss = p.mss = c->mss - room;
		if (f->cc.pacing_rate && gso_max)
			gso_max = pacer_quantum(f->cc.pacing_rate, mss, gso_max);
		if (f->probing < PROBING_NONE && plan_probe(t, c, &p, mss))
			return p;
		if (!pacer_allows(&f->pacer, t->now))
			p.wait = WAIT_PACING;
		else if (f->board.lost != f->board.again && f->frto != FRTO_SECOND &&
			 plan_again(c, &p, mss))
			return p;
		if (p.wait == WAIT_NOTHING && plan_new(t, c, &p, mss, gso_max))
			return p;
	}
	if (c->flags & CONN_PROBE_OWED) { /* SHLD-12: no text */
		p.kind = PLAN_PROBE;
		p.seq = c->snd_una - 1;
		bool waits = c->snd_nxt - c->snd_end != !!(c->flags & CONN_FIN_QUEUED);
		p.why = f && waits ? WHY_WINDOW_PROBE : WHY_KEEPALIVE;
		return p;
	}
	if (c->flags & CONN_ACK_NOW) {
		p.kind = PLAN_ACK;
		p.seq = c->snd_nxt;
		p.why = f ? (enum tx_why)f->ack_why : WHY_HANDSHAKE_ACK;
	}
	return p;
}
