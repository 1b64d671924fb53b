/*
 * What an acknowledgment means: RFC 9293's fifth stage with RFC 5961's bounds, then
 * the scoreboard (SACK, RFC 2018, 2883), the RTT sample, congestion control. What was
 * lost is judged in recover.c, and only where something is odd: an ACK that moves
 * SND.UNA over a clean scoreboard needs no such look.
 */
#include "transport/tcp/autotune.h"
#include "transport/tcp/records.h"

/* Is our FIN out, so that the last sequence number is its own? */
static bool fin_sent(const struct tcp_conn *c)
{
	return c->flags & CONN_FIN_QUEUED && c->snd_nxt == c->snd_end + 1;
}

/* RFC 9293 3.10.7.4: newer sequence, or same and newer ACK, may move the window. */
void conn_update_window(struct transport *t, struct tcp_conn *c, const struct tcp_segment *seg)
{
	uint32_t window = (uint32_t)seg->h.window << c->snd_wscale;
	if (!(seq_lt(c->snd_wl1, seg->seq) ||
	      (c->snd_wl1 == seg->seq && seq_le(c->snd_wl2, seg->ack))))
		return;
	c->snd_wl1 = seg->seq;
	c->snd_wl2 = seg->ack;
	if (window == c->snd_wnd)
		return;
	bool was_closed = !c->snd_wnd;
	c->snd_wnd = window;
	struct tcp_flight *f = c->flight;
	if (!f)
		return;
	if (window > f->snd_wnd_max)
		f->snd_wnd_max = window;
	if (window && c->snd_una == c->snd_nxt) { /* reopened: no more probes */
		f->rto_at = f->give_up_at = NANOTIME_NEVER;
		if (f->probes)
			c->backoff = 0;
		f->probes = 0;
	} else if (was_closed) { /* R2 counts from here for what it refused before */
		f->give_up_at = t->now + f->user_timeout;
	}
	conn_make_ready(t, c);
}

/* Nothing new in it at all. */
static bool is_bare(const struct tcp_conn *c, const struct tcp_segment *seg)
{
	return seg->ack == c->snd_una && seg->text_len == 0 &&
	       !(seg->flags & (TCP_SYN | TCP_FIN)) &&
	       (uint32_t)seg->h.window << c->snd_wscale == c->snd_wnd;
}

/* RFC 2883 4: the first block names what came twice where it lies below the ACK, or inside the
 * second block. It must name what was sent on this connection (RFC 5961 5.2's bound). */
static bool is_dsack(const struct tcp_conn *c, const struct tcp_segment *seg)
{
	const struct tcp_options *o = &seg->h.options;
	uint32_t start = o->sack[0].start, end = o->sack[0].end;
	if (seq_ge(start, end))
		return false;
	if (seq_le(end, seg->ack)) /* beyond SND.UNA where the ACKs before this one were lost */
		return seq_ge(start, c->snd_una) ||
		       c->snd_una - start <= c->flight->bytes_acked + 1;
	return o->sack_count > 1 && seq_ge(start, o->sack[1].start) &&
	       seq_le(end, o->sack[1].end) && seq_le(end, c->snd_nxt);
}

static void take_dsack(struct tcp_conn *c, const struct tcp_segment *seg, struct ack_news *n)
{
	struct tcp_flight *f = c->flight;
	uint32_t start = seg->h.options.sack[0].start, end = seg->h.options.sack[0].end;
	n->dsack = true;
	n->dsack_tail = f->probing == PROBING_TAIL_AGAIN && end == f->probe_end;
	f->dsacks += end - start > c->mss ? (end - start + c->mss - 1) / c->mss : 1;
	if (f->undo_possible && seq_gt(end, f->undo_una)) {
		uint32_t len = end - start;
		f->undo_left -= len < f->undo_left ? len : f->undo_left;
	}
}

static void take_sacks(struct transport *t, struct tcp_conn *c, const struct tcp_segment *seg,
		       struct ack_news *n)
{
	struct scoreboard *b = &c->flight->board;
	const struct tcp_options *o = &seg->h.options;
	unsigned i = 0;
	if (o->sack_count && is_dsack(c, seg)) {
		take_dsack(c, seg, n);
		i = 1;
	}
	for (; i < o->sack_count; i++) {
		uint32_t start = o->sack[i].start, end = o->sack[i].end;
		/* What lies outside of what is outstanding is old, or a lie. */
		if (seq_ge(start, end) || seq_le(end, seg->ack) || seq_lt(start, c->snd_una) ||
		    seq_gt(end, c->snd_nxt))
			continue;
		board_sack(b, &t->range_pool, start, end, &n->board);
	}
}

/* A round trip of data: what waits for one may go on (RFC 6298 5, RFC 8985 7.3). */
static void measured(struct tcp_conn *c, nanodiff rtt)
{
	rtt_sample(&c->rtt, rtt);
	c->backoff = 0;
	c->flight->tail_probed = false;
}

static void sample_rtt(struct transport *t, struct tcp_conn *c, nanodiff rtt)
{
	measured(c, rtt);
	if (min_rtt_take(&c->flight->min_rtt, rtt, t->config.min_rtt_window, t->now))
		conn_validate_window(t, c); /* twice in RFC 7661's five minutes */
	conn_trace(t, c, TRACE_TCP_RTT, NULL, NULL, (uint64_t)rtt);
}

/* Karn (MUST-18); where a retransmission is acknowledged only the timestamp tells (RFC 7323 4). */
static void take_rtt(struct transport *t, struct tcp_conn *c, const struct ack_news *n)
{
	if (!n->board.twice && n->board.first_sent >= 0)
		sample_rtt(t, c, t->now - n->board.first_sent);
	else if (n->echo_valid && n->advanced && t->now_ms - n->echo_ms <= UINT32_MAX / 2)
		measured(c, (nanodiff)(t->now_ms - n->echo_ms) * NANO_MS);
}

/* Neither the window nor a loss holds anything back, the application has just written no more. */
static bool out_of_data(const struct tcp_conn *c, uint32_t in_flight)
{
	const struct tcp_flight *f = c->flight;
	return seq_ge(c->snd_nxt, c->snd_end) && in_flight < f->cc.cwnd &&
	       f->board.lost == f->board.again;
}

/* Congestion control learns of `acked` bytes that arrived, the newest of them sent at `newest`; in
 * a fast recovery PRR sets the window instead. `rate`: NULL where it is not measured. */
static void tell_congestion_control(struct transport *t, struct tcp_conn *c, uint32_t acked,
				    uint32_t prior_in_flight, uint32_t lost, nanotime newest,
				    const struct rate_sample *rate)
{
	struct tcp_flight *f = c->flight;
	if (__builtin_expect(f->phase == PHASE_RECOVERY, 0) && !f->cc.ops->own_window) {
		if (f->pacing_most)
			conn_limit_pace(c);
		return;
	}
	struct cc_ack a = {
		.now = t->now,
		.acked = acked,
		.prior_in_flight = prior_in_flight,
		.in_flight = conn_pipe(c),
		.lost = lost,
		.snd_una = c->snd_una,
		.snd_nxt = c->snd_nxt,
		.sack = c->flags & CONN_SACK,
		.rtt = newest < 0 ? 0 : t->now - newest,
		.srtt = rtt_smoothed(&c->rtt),
		.min_rtt = f->min_rtt.value,
	};
	a.rate = rate;
	f->cc.ops->ack(&f->cc, &a);
	if (__builtin_expect(f->pacing_most != 0, 0))
		conn_limit_pace(c);
	if (rate && (f->cc.holds_back || out_of_data(c, a.in_flight)))
		rate_app_limited(&f->rate, a.in_flight);
}

/* The FIN was acknowledged: the states that wait for that move on. */
static void take_fin_ack(struct transport *t, struct tcp_conn *c)
{
	struct tcp_flight *f = c->flight;
	switch (c->state) {
	case TCP_FIN_WAIT_1:
		conn_set_state(t, c, TCP_FIN_WAIT_2);
		t->settled += !c->sock;
		if (!c->sock && f && f->fin_wait2 < NANO_MS) {
			conn_refuse(t, c); /* its owner did not want it to wait */
		} else if (!c->sock && f) { /* an orphan does not wait for ever (TCP-46) */
			f->probe_at = t->now + f->fin_wait2;
			conn_arm(t, c, f->probe_at);
		}
		break;
	case TCP_CLOSING:
		conn_set_state(t, c, TCP_TIME_WAIT);
		conn_make_ready(t, c);
		break;
	case TCP_LAST_ACK:
		conn_die(t, c, ERR_OK);
		break;
	default:
		break;
	}
}

__attribute__((noinline, cold)) static void
advance_rarities(struct transport *t, struct tcp_conn *c)
{
	struct tcp_flight *f = c->flight;
	if (f->soft_error) { /* there is a way after all: what is owed takes it */
		f->soft_error = ERR_OK;
		conn_make_ready(t, c);
	}
	if (f->records)
		records_acked(t, c);
}

/* SND.UNA moves to seg->ack. */
static void take_advance(struct transport *t, struct tcp_conn *c, const struct tcp_segment *seg)
{
	struct tcp_flight *f = c->flight;
	bool fin_acked = fin_sent(c) && seg->ack == c->snd_nxt;
	f->bytes_acked += seg->ack - c->snd_una - fin_acked;
	c->snd_una = seg->ack;
	c->flags |= CONN_ACK_SEEN;
	f->timeouts = f->probes = 0;
	if (__builtin_expect(f->soft_error || f->records, 0))
		advance_rarities(t, c);
	ring_release(&f->tx, &t->blocks, fin_acked ? c->snd_end : c->snd_una);
	internet_confirm(t->internet, &c->path, t->now); /* RFC 4861 7.3.1: forward progress */
	if (c->snd_una == c->snd_nxt) {
		f->rto_at = NANOTIME_NEVER; /* RFC 6298 5.2 */
		f->give_up_at = NANOTIME_NEVER;
	} else {
		conn_arm_rto(t, c); /* 5.3 */
		f->give_up_at = t->now + f->user_timeout;
	}
	if (c->flags & CONN_WINDOW_FULL) {
		autotune_send(t, c);
		if (tcp_room(t, c) >= f->send_buffer / 3) {
			c->flags &= (uint16_t)~CONN_WINDOW_FULL;
			conn_notify(t, c, EVENT_WRITABLE);
		}
	}
	/* Data or a FIN that the window held back may go, or something that was lost. */
	if (c->snd_nxt - c->snd_end != !!(c->flags & CONN_FIN_QUEUED) ||
	    f->board.lost != f->board.again)
		conn_make_ready(t, c);
	if (fin_acked)
		take_fin_ack(t, c);
}

/* SND.UNA moves on a connection that nothing odd has happened to: no look for losses. */
static void take_clean_ack(struct transport *t, struct tcp_conn *c, const struct tcp_segment *seg)
{
	struct tcp_flight *f = c->flight;
	uint32_t una = c->snd_una, prior = c->snd_nxt - una;
	nanotime first, newest;
	bool twice = board_ack_clean(&f->board, &t->range_pool, seg->ack, &first, &newest);
	conn_update_window(t, c, seg);
	f->dup_acks = 0;
	if (!twice) /* Karn: MUST-18 */
		sample_rtt(t, c, t->now - first);
	take_advance(t, c, seg);
	if (c->state == TCP_CLOSED)
		return;
	if (cc_tested(&f->cc, prior, c->snd_una, c->snd_nxt)) {
		f->validated_at = t->now;
		tell_congestion_control(t, c, seg->ack - una, prior, 0, twice ? -1 : newest,
					NULL);
	}
}

/* Is there anything that loss detection must look at? */
static bool something_odd(const struct tcp_flight *f, const struct ack_news *n)
{
	return f->phase != PHASE_OPEN || n->board.sacked || f->board.sacked || n->duplicate ||
	       n->board.reordered || n->dsack || f->probing > PROBING_NONE;
}

/* What the path carries: a sample that the application limited tells no more than that it carries
 * at least so much. */
static void note_rate(struct tcp_flight *f, const struct rate_sample *s)
{
	if (s->app_limited && s->rate < f->delivery_rate)
		return;
	f->delivery_rate = s->rate;
	f->delivery_limited = s->app_limited;
}

/*
 * What a window may grow by: SACKs that do not move SND.UNA may be the start of a loss (RFC 5681
 * 3.1), and without SACK duplicates have told a part of it before. Who keeps the window by itself
 * counts what arrives.
 */
static uint32_t delivered_for_good(const struct tcp_conn *c, const struct ack_news *n)
{
	uint32_t delivered = n->board.acked + n->board.sacked;
	if (c->flight->cc.ops->own_window)
		return delivered;
	uint32_t told = c->flags & CONN_SACK ? 0 : (uint32_t)n->prior_dups * c->mss;
	return !n->advanced || delivered < told ? 0 : delivered - told;
}

/* The time of the segment that the ACK echoes, at the end of its tick; -1: not known. */
static nanotime echoed_time(const struct transport *t, const struct ack_news *n)
{
	uint32_t age = t->now_ms - n->echo_ms;
	if (!n->echo_valid || age > UINT32_MAX / 2)
		return -1;
	return (t->now / NANO_MS - age + 1) * NANO_MS - 1;
}

/* ACKs that say more than that SND.UNA moves, or say it in odd times. */
static void take_odd_ack(struct transport *t, struct tcp_conn *c, const struct tcp_segment *seg)
{
	struct tcp_flight *f = c->flight;
	struct ack_news n = {
		.board = BOARD_NEWS_NONE,
		.prior_una = c->snd_una,
		.prior_in_flight = conn_pipe(c),
		.prior_sacked = f->board.sacked,
		.prior_dups = f->dup_acks,
		.advanced = seq_gt(seg->ack, c->snd_una),
	};
	n.bare = !n.advanced && is_bare(c, seg);
	n.duplicate = n.bare && c->snd_nxt != c->snd_una;
	/* Zero: none was echoed (RFC 7323 3.2), whatever our clock has said. */
	if (c->flags & CONN_TIMESTAMPS && seg->h.options.has & TCP_HAS_TIMESTAMPS &&
	    seg->h.options.tsecr) {
		n.echo_ms = seg->h.options.tsecr - c->ts_offset;
		n.echo_valid = true;
	}
	if (c->flags & CONN_SACK)
		n.board.answered_to =
			rack_answered_to(f->min_rtt.value, echoed_time(t, &n), t->now);
	if (c->flags & CONN_SACK && seg->h.options.has & TCP_HAS_SACK)
		take_sacks(t, c, seg, &n);
	if (n.advanced)
		board_ack(&f->board, &t->range_pool, seg->ack, &n.board);
	if (n.duplicate && f->dup_acks < UINT8_MAX)
		f->dup_acks++;
	if (!seq_lt(seg->ack, c->snd_una)) /* RFC 9293 3.10.7.4: not by an old one */
		conn_update_window(t, c, seg);
	if (n.board.acked + n.board.sacked)
		take_rtt(t, c, &n);
	if (n.advanced) {
		if (f->phase != PHASE_RECOVERY)
			f->dup_acks = 0;
		take_advance(t, c, seg);
		if (c->state == TCP_CLOSED)
			return;
	}
	if (something_odd(f, &n))
		conn_judge_losses(t, c, &n);
	struct rate_sample rate, *measured = NULL;
	uint32_t acked = delivered_for_good(c, &n);
	if (f->board.rate && (acked || !f->cc.ops->own_window)) {
		measured = &rate;
		if (rate_take(&f->rate, f->min_rtt.value, &rate))
			note_rate(f, &rate);
	}
	if (acked)
		tell_congestion_control(t, c, acked, n.prior_in_flight, n.lost,
					n.board.newest_sent, measured);
}

/* ACKs of data that is or was in flight; the connection has a flight. */
static void take_flight_ack(struct transport *t, struct tcp_conn *c, const struct tcp_segment *seg)
{
	const struct tcp_flight *f = c->flight;
	if (seg->ack == c->snd_una && seg->ack == c->snd_nxt && f->probing <= PROBING_NONE &&
	    !(seg->h.options.has & TCP_HAS_SACK)) { /* who receives only */
		conn_update_window(t, c, seg);
		return;
	}
	if (seg->ack != c->snd_una && f->phase == PHASE_OPEN && !f->dup_acks &&
	    f->probing <= PROBING_NONE && board_clean(&f->board) && !f->board.rate &&
	    !(seg->h.options.has & TCP_HAS_SACK)) {
		take_clean_ack(t, c, seg);
		return;
	}
	if (f->board.rate)
		f->board.rate->now = t->now;
	take_odd_ack(t, c, seg);
}

/* An ACK in SYN-RECEIVED (simultaneous open) that acknowledges our SYN. */
__attribute__((noinline, cold)) static bool take_syn_ack(
	struct transport *t, struct tcp_conn *c, struct rx *rx, const struct tcp_segment *seg)
{
	if (!seq_gt(seg->ack, c->snd_una) || seq_gt(seg->ack, c->snd_nxt)) {
		tcp_reply_reset(t, rx, seg, &c->tuple);
		rx_drop(rx, DROP_TCP_ACK_UNSENT);
		return false;
	}
	conn_syn_acked(t, c, seg->ack);
	if (c->backoff && !c->rtt.srtt && c->snd_una == c->snd_nxt)
		rtt_repeated(&c->rtt);
	c->backoff = 0;
	c->flags &= (uint16_t)~CONN_SYN_OWED;
	wheel_disarm(t->core->wheel, &c->timer);
	c->snd_wnd = (uint32_t)seg->h.window
		     << (seg->h.flags & TCP_SYN ? 0 : c->snd_wscale); /* RFC 7323 2.2 */
	c->snd_wl1 = seg->seq;
	c->snd_wl2 = seg->ack;
	conn_established(t, c);
	conn_notify(t, c, EVENT_CONNECTED | EVENT_WRITABLE);
	conn_make_ready(t, c);
	return true;
}

bool conn_take_ack(struct transport *t, struct tcp_conn *c, struct rx *rx, struct tcp_segment *seg)
{
	if (!(seg->flags & TCP_ACK)) {
		rx_drop(rx, DROP_TCP_ACK_MISSING);
		return false;
	}
	if (c->state == TCP_SYN_RECEIVED &&
	    (!take_syn_ack(t, c, rx, seg) || seg->ack == c->snd_una || !c->flight))
		return c->state >= TCP_ESTABLISHED;
	if (seq_gt(seg->ack, c->snd_nxt)) {
		if (conn_may_challenge(t, c))
			conn_owe_ack(t, c, WHY_ACK_CHALLENGE);
		rx_drop(rx, DROP_TCP_ACK_UNSENT);
		return false;
	}
	if (seq_lt(seg->ack, c->snd_una)) {
		/* MAY-12: RFC 5961 5.2, and never older than what was ever sent (TCP-73). */
		uint32_t back = c->snd_una - seg->ack;
		uint32_t most = c->flight && c->flight->snd_wnd_max > c->snd_wnd
					? c->flight->snd_wnd_max
					: c->snd_wnd;
		bool ghost = c->flight ? back > c->flight->bytes_acked + 1
				       : !(c->flags & CONN_ACK_SEEN);
		if (back > most || ghost) {
			if (conn_may_challenge(t, c))
				conn_owe_ack(t, c, WHY_ACK_CHALLENGE);
			rx_drop(rx, DROP_TCP_ACK_OLD);
			return false;
		}
		/* An old one, overtaken: its text counts, and what it SACKs beyond SND.UNA. */
		if (seg->h.options.has & TCP_HAS_SACK && c->flight)
			take_flight_ack(t, c, seg);
		return true;
	}
	if (c->flight)
		take_flight_ack(t, c, seg);
	else
		conn_update_window(t, c, seg);
	if (c->state == TCP_CLOSED)
		return false;
	if (c->state == TCP_TIME_WAIT && segment_len(seg))
		conn_owe_ack(t, c, WHY_ACK_DUPLICATE);
	return true;
}
