/*
 * Loss recovery: what the scoreboard learned becomes a decision. RACK (recovery/rack)
 * says what is lost, without SACK duplicate ACKs do (RFC 6582); this file moves the
 * connection between its phases and tells congestion control:
 *
 *   OPEN --loss--> RECOVERY --all that was outstanding is acknowledged--> OPEN
 *     \--RTO--> LOSS (from RECOVERY too) --the same------------------------^
 *
 * In RECOVERY the window is PRR's (RFC 9937). A reduction that turns out to have
 * been needless is taken back: the ACK echoes the time of the original (Eifel, RFC
 * 3522, 4015), every retransmission was reported as a duplicate (DSACK, RFC 3708), or
 * data that was never sent again arrives after a timeout (F-RTO, RFC 5682).
 *
 * Nothing is sent here: ranges are marked, and output sends.
 */
#include "transport/tcp/ecn.h"

#define LIMITED_TRANSMIT 2 /* RFC 3042: so many segments go beyond cwnd without a recovery */

uint32_t conn_left_unsacked(const struct tcp_conn *c)
{
	const struct tcp_flight *f = c->flight;
	uint32_t dups = f->dup_acks;
	if (f->phase == PHASE_OPEN && dups > LIMITED_TRANSMIT)
		dups = LIMITED_TRANSMIT;
	return dups * c->mss;
}

/* Has a mark reduced the window since this data was sent? */
static bool marked_already(const struct tcp_conn *c)
{
	const struct tcp_flight *f = c->flight;
	return c->ecn && f->phase == PHASE_OPEN &&
	       f->ecn_high - c->snd_una - 1 < c->snd_nxt - c->snd_una;
}

static struct cc_loss loss_of(const struct transport *t, const struct tcp_conn *c, uint32_t lost)
{
	return (struct cc_loss){
		.now = t->now,
		.flight = c->snd_nxt - c->snd_una,
		.in_flight = conn_pipe(c),
		.lost = lost,
		.snd_una = c->snd_una,
		.snd_nxt = c->snd_nxt,
		.reduced = marked_already(c),
	};
}

/* The flight that met with congestion: the ACK that tells of it may have emptied it. */
static uint32_t flight_before(const struct tcp_conn *c)
{
	uint32_t now = c->snd_nxt - c->snd_una, before = c->flight->cc.flight_max;
	return now > before ? now : before;
}

/* From here on it may turn out that the reduction was needless. */
static void begin_undo(struct tcp_flight *f, uint32_t una)
{
	f->undo_possible = true;
	f->undo_una = una;
	f->undo_left = 0;
	f->resent_at = 0;
}

/* For whatever reason: the next new data says so, and ECE of this window means the same thing. */
static void note_reduction(struct tcp_conn *c)
{
	if (!c->ecn)
		return;
	if (!(c->ecn & CONN_ACCURATE))
		c->ecn |= CONN_ECN_CWR;
	c->flight->ecn_high = c->snd_nxt;
}

void conn_take_echo(struct transport *t, struct tcp_conn *c)
{
	struct tcp_flight *f = c->flight;
	if (f->phase != PHASE_OPEN) { /* it is reduced; and there is congestion: RFC 4015 3 */
		f->undo_possible = false;
		return;
	}
	if (f->ecn_high - c->snd_una <= c->snd_nxt - c->snd_una) /* of this window we know */
		return;
	struct cc_loss l = loss_of(t, c, 0);
	l.flight = flight_before(c);
	f->cc.ops->ecn(&f->cc, &l);
	f->ecn_reductions++;
	f->undo_possible = false;
	note_reduction(c);
	conn_trace(t, c, TRACE_TCP_LOSS, "a router marked what it might have dropped", NULL,
		   f->cc.cwnd);
}

static void enter_recovery(struct transport *t, struct tcp_conn *c, const struct ack_news *n)
{
	struct tcp_flight *f = c->flight;
	f->phase = PHASE_RECOVERY;
	f->recover = c->snd_nxt;
	f->recoveries++;
	f->again_forced = true; /* RFC 9937 6: the first goes at once */
	f->retransmit_why = WHY_FAST_RETRANSMIT;
	struct cc_loss l = loss_of(t, c, n->lost);
	/* before this ACK, of which one may stand for many: RecoverFS too counts so */
	l.flight = conn_loss_flight(t, c, c->snd_una - n->prior_una);
	f->cc.ops->loss(&f->cc, &l);
	note_reduction(c);
	prr_begin(&f->prr, c->snd_nxt - c->snd_una, n->prior_sacked, c->snd_una - n->prior_una,
		  f->cc.ssthresh);
	begin_undo(f, c->snd_una);
	if (l.reduced) /* that there was congestion is known: RFC 4015 3 */
		f->undo_possible = false;
	conn_trace(t, c, TRACE_TCP_LOSS,
		   c->flags & CONN_SACK ? "data sent later has arrived" : "duplicate ACKs",
		   NULL, f->cc.cwnd);
	conn_make_ready(t, c);
}

static void rto_recovery_over(const struct transport *t, struct tcp_flight *f)
{
	if (f->rto_begun)
		f->rto_time += t->now - f->rto_begun;
	f->rto_begun = 0;
}

static void leave_recovery(struct transport *t, struct tcp_conn *c)
{
	struct tcp_flight *f = c->flight;
	f->phase = PHASE_OPEN;
	f->frto = FRTO_NONE;
	f->dup_acks = 0;
	rack_recovered(&f->rack);
	conn_loss_over(t, c);
	rto_recovery_over(t, f);
	f->cc.ops->recovered(&f->cc, t->now);
}

/* The window of a fast recovery, one ACK after the other (RFC 9937). */
static void recovery_window(struct tcp_conn *c, const struct ack_news *n)
{
	struct tcp_flight *f = c->flight;
	if (f->cc.ops->own_window)
		return;
	uint32_t delivered = n->board.acked + n->board.sacked;
	if (!(c->flags & CONN_SACK)) {
		uint32_t told = (uint32_t)n->prior_dups * c->mss; /* by earlier duplicates */
		/* No more duplicates tell of a segment that left than were in flight: RFC 5681
		 * 3.2 (4), or whoever sends them sets our window. */
		if (n->duplicate)
			delivered = told < c->snd_nxt - c->snd_una ? c->mss : 0;
		else
			delivered = delivered > told ? delivered - told : 0;
	}
	if (!delivered && !n->lost)
		return;
	struct prr_ack a = {
		.delivered = delivered,
		.in_flight = conn_pipe(c),
		.mss = c->mss,
		.advanced = n->advanced,
		.lost = n->lost > 0,
	};
	uint32_t cwnd = prr_ack(&f->prr, &a);
	f->cc.cwnd = cwnd > c->mss ? cwnd : c->mss;
}

/* Is there proof that what was sent again had not been lost? */
static bool was_needless(const struct tcp_flight *f, const struct ack_news *n)
{
	if (!f->undo_possible || !f->resent_at)
		return false;
	if (f->phase != PHASE_OPEN && n->advanced && n->echo_valid) {
		uint32_t resent_ms = (uint32_t)(f->resent_at / NANO_MS);
		if (seq_lt(n->echo_ms, resent_ms)) /* Eifel: the ACK is for the original */
			return true;
	}
	return n->dsack && f->undo_left == 0; /* RFC 3708: each retransmission came twice */
}

/* RFC 5682 in Linux's form: never sent again, and arrived: the timeout was spurious. */
static bool timeout_was_spurious(struct tcp_conn *c, const struct ack_news *n)
{
	struct tcp_flight *f = c->flight;
	const struct board_news *b = &n->board;
	if (f->frto == FRTO_NONE)
		return false;
	/* Without SACK an ACK that covers retransmitted data says nothing of the rest. */
	bool known = c->flags & CONN_SACK || !b->twice;
	if (b->original && known && seq_le(b->original_end, f->recover))
		return true;
	if (b->sacked || n->duplicate) { /* 3a: the loss was real */
		f->frto = FRTO_NONE;
	} else if (f->frto == FRTO_FIRST && n->advanced) { /* 2b: new data instead */
		bool more = seq_gt(c->snd_end, c->snd_nxt) &&
			    c->snd_wnd > c->snd_nxt - c->snd_una;
		f->frto = more ? FRTO_SECOND : FRTO_NONE;
		if (more)
			f->recover = c->snd_nxt;
	}
	return false;
}

/* The original took so long that the timer fired: the RTO learns from the ACK that says so (RFC
 * 4015 3.2 step 7, which waits for the next sample). */
static void adapt_rto(struct transport *t, struct tcp_conn *c, const struct ack_news *n)
{
	if (n->board.first_sent >= 0)
		rtt_fired_early(&c->rtt, t->now - n->board.first_sent);
	else if (n->echo_valid && n->advanced && t->now_ms - n->echo_ms <= UINT32_MAX / 2)
		rtt_fired_early(&c->rtt, (nanodiff)(t->now_ms - n->echo_ms) * NANO_MS);
	if (c->snd_una != c->snd_nxt)
		conn_arm_rto(t, c);
}

/* The last reduction is taken back, RFC 4015. */
static void undo(struct transport *t, struct tcp_conn *c, const char *why)
{
	struct tcp_flight *f = c->flight;
	f->cc.ops->undo(&f->cc, t->now);
	f->loss_flight = 0;
	rto_recovery_over(t, f);
	board_unlose(&f->board);
	f->phase = PHASE_OPEN;
	f->frto = FRTO_NONE;
	f->undo_possible = false;
	f->again_forced = false;
	f->dup_acks = 0;
	f->undos++;
	if (!(c->ecn & CONN_ACCURATE))
		c->ecn &= (uint8_t)~CONN_ECN_CWR;
	f->ecn_high = c->snd_una - 1;
	conn_trace(t, c, TRACE_TCP_LOSS, why, NULL, f->cc.cwnd);
	conn_make_ready(t, c);
}

/* RFC 8985 7.4.2, RFC 4821 7.6: what the answer to a probe tells. */
static void take_probe_answer(struct transport *t, struct tcp_conn *c, const struct ack_news *n)
{
	struct tcp_flight *f = c->flight;
	if (seq_lt(c->snd_una, f->probe_end))
		return;
	if (f->probing == PROBING_LARGER_OUT) {
		conn_larger_arrived(t, c);
	} else if (f->probing == PROBING_TAIL_NEW || n->dsack_tail) {
		conn_probing_over(t, c);
	} else if (seq_gt(c->snd_una, f->probe_end)) { /* the probe repaired a loss */
		conn_probing_over(t, c);
		if (f->phase != PHASE_OPEN)
			return;
		struct cc_loss l = loss_of(t, c, c->mss);
		l.flight = flight_before(c);
		f->cc.ops->loss(&f->cc, &l);
		f->cc.ops->recovered(&f->cc, t->now);
		note_reduction(c);
		conn_trace(t, c, TRACE_TCP_LOSS, "the tail loss probe filled a hole", NULL,
			   f->cc.cwnd);
	} else if (n->bare && !n->board.sacked) { /* both arrived */
		conn_probing_over(t, c);
	}
}

/* RFC 6582 3.2: the third duplicate, and in recovery each partial ACK. */
static uint32_t find_lost_without_sack(struct transport *t, struct tcp_conn *c,
				       const struct ack_news *n)
{
	struct tcp_flight *f = c->flight;
	uint32_t lost = 0;
	if (f->phase == PHASE_OPEN) {
		/*
		 * Step 2: duplicates of what a recovery already covered, its end included, start
		 * none. `recover` counts only while it is outstanding: later it would seem ahead
		 * again.
		 */
		if (n->duplicate && f->dup_acks == t->config.dup_thresh &&
		    f->recover - c->snd_una > c->snd_nxt - c->snd_una)
			lost = board_lose_first(&f->board, &t->range_pool, c->mss);
	} else if (f->phase == PHASE_RECOVERY && n->advanced) {
		/* One segment of it filled the hole; duplicates had told of the others before. */
		uint32_t told = (c->snd_una - n->prior_una + c->mss - 1) / c->mss - 1;
		f->dup_acks = (uint8_t)(f->dup_acks > told ? f->dup_acks - told : 0);
		lost = board_lose_first(&f->board, &t->range_pool, c->mss);
		f->again_forced = lost > 0;
	}
	return lost;
}

static uint32_t find_lost(struct transport *t, struct tcp_conn *c)
{
	struct tcp_flight *f = c->flight;
	if (!(t->config.rack & RACK_BY_TIME))
		return board_lose_counted(&f->board, &t->range_pool, t->config.dup_thresh);
	struct rack_rules rules = {
		.min_rtt = f->min_rtt.value,
		.srtt = rtt_smoothed(&c->rtt),
		.dup_thresh = t->config.dup_thresh,
		.in_recovery = f->phase != PHASE_OPEN,
		.patient = t->config.rack & RACK_NO_DUP_THRESH,
	};
	uint32_t lost = rack_find_lost(&f->rack, &f->board, &t->range_pool, &rules, t->now,
				       &f->reorder_at);
	if (f->reorder_at != NANOTIME_NEVER)
		f->reorder_at += t->config.reorder_slack;
	conn_arm(t, c, f->reorder_at);
	return lost;
}

/* Bytes that are newly lost, without a larger segment that the path did not take. */
static uint32_t find_congested(struct transport *t, struct tcp_conn *c, const struct ack_news *n)
{
	uint32_t lost = c->flags & CONN_SACK ? find_lost(t, c) : find_lost_without_sack(t, c, n);
	if (lost && c->flight->probing == PROBING_LARGER_OUT && conn_larger_lost(t, c))
		return 0;
	return lost;
}

void conn_judge_losses(struct transport *t, struct tcp_conn *c, struct ack_news *n)
{
	struct tcp_flight *f = c->flight;
	bool sack = c->flags & CONN_SACK;
	if (f->probing > PROBING_NONE)
		take_probe_answer(t, c, n);
	if (sack) {
		rack_take(&f->rack, &n->board, t->now);
		if (n->board.reordered) {
			f->reorders++;
			if (n->board.reordered > f->late_most)
				f->late_most = n->board.reordered;
		}
		if (n->dsack && !n->dsack_tail && !(t->config.rack & RACK_STATIC_WINDOW))
			rack_dsack(&f->rack, n->prior_una, c->snd_nxt);
	}
	bool timed_out = f->phase == PHASE_LOSS;
	bool needless = was_needless(f, n), spurious = timed_out && timeout_was_spurious(c, n);
	if (needless || spurious) {
		if (timed_out)
			adapt_rto(t, c, n);
		undo(t, c, needless ? "nothing was lost: the window is as before"
				    : "the timeout was spurious: the window is as before");
	} else if (f->phase != PHASE_OPEN && n->advanced && seq_ge(c->snd_una, f->recover)) {
		leave_recovery(t, c);
	}
	n->lost = find_congested(t, c, n);
	if (n->lost && f->phase == PHASE_OPEN)
		enter_recovery(t, c, n);
	if (f->phase == PHASE_RECOVERY)
		recovery_window(c, n);
	if (n->lost || n->board.sacked || n->duplicate)
		conn_make_ready(t, c); /* the pipe has room: RFC 3042 without more ado */
}

void conn_reorder_timer(struct transport *t, struct tcp_conn *c)
{
	struct tcp_flight *f = c->flight;
	struct ack_news n = {
		.board = BOARD_NEWS_NONE, .prior_una = c->snd_una, .prior_sacked = f->board.sacked
	};
	f->reorder_at = NANOTIME_NEVER;
	n.lost = find_congested(t, c, &n);
	if (!n.lost)
		return;
	if (f->phase == PHASE_OPEN)
		enter_recovery(t, c, &n);
	if (f->phase == PHASE_RECOVERY)
		recovery_window(c, &n);
	conn_make_ready(t, c);
}

/* RFC 6298 5.4 .. 5.7, RFC 8985 6.3 */
void conn_retransmission_timeout(struct transport *t, struct tcp_conn *c)
{
	struct tcp_flight *f = c->flight;
	struct sent_range *first = board_first(&f->board);
	bool anew = f->phase != PHASE_LOSS || f->timeouts == 0;
	struct cc_loss before = loss_of(t, c, 0);
	f->rtos++;
	if (!f->rto_begun) {
		f->rto_begun = t->now;
		f->rto_recoveries++;
	}
	if (!f->bytes_acked) /* perhaps because of the option: RFC 9768 3.2.3.2.2 */
		f->accecn.option_blocked = true;
	conn_probing_over(t, c); /* a larger segment proved nothing */
	f->reorder_at = NANOTIME_NEVER;
	f->dup_acks = 0;
	if (first && first->flags & SENT_SACKED) { /* it was thrown away after all (RFC 2018 8) */
		board_forget_sacks(&f->board);
		board_lose_all(&f->board, &t->range_pool);
	} else if (c->flags & CONN_SACK && t->config.rack & RACK_BY_TIME) {
		before.lost = rack_timeout(&f->rack, &f->board, &t->range_pool, t->now);
	} else {
		board_lose_all(&f->board, &t->range_pool);
	}
	if (anew) {
		f->loss_flight = 0;
		before.in_flight = conn_pipe(c); /* what is lost is on its way no more */
		f->cc.ops->timeout(&f->cc, &before);
		note_reduction(c);
	}
	/*
	 * In a recovery what arrives later may have been sent since it began, and what it sent
	 * again was lost for all that: its own undo goes on (RFC 3522 3.2, RFC 5682 3.1 step 1).
	 */
	f->frto = FRTO_NONE;
	if (f->phase == PHASE_OPEN) {
		begin_undo(f, c->snd_una);
		f->frto = t->config.f_rto ? FRTO_FIRST : FRTO_NONE;
	}
	f->phase = PHASE_LOSS;
	f->recover = c->snd_nxt;
	/* The loss window is one segment beside what may still be under way (RFC 5681 3.1). */
	if (!f->cc.ops->own_window)
		f->cc.cwnd = conn_pipe(c) + c->mss;
	f->again_forced = true;
	f->retransmit_why = WHY_RTO_RETRANSMIT;
	if (f->pacing_most) /* it does not wait, however slow the owner wants it */
		conn_set_pace(t, c, f->pacing_most);
	conn_trace(t, c, TRACE_TCP_LOSS, "retransmission timeout", NULL, f->cc.cwnd);
	conn_make_ready(t, c);
}

void conn_note_resent(struct transport *t, struct tcp_conn *c, uint32_t len)
{
	struct tcp_flight *f = c->flight;
	if (!f->resent_at)
		f->resent_at = t->now;
	f->undo_left += len;
	f->again_forced = false;
	f->bytes_again += len;
	f->retransmits++;
	f->last_sent = t->now;
	if (f->phase == PHASE_RECOVERY)
		prr_sent(&f->prr, len);
}
