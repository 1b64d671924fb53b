/*
 * What an acknowledgment means: RFC 9293's fifth stage with RFC 5961's bounds, then
 * the scoreboard (SACK, RFC 2018), the RTT sample, and the decision whether
 * something was lost (RFC 6675 with SACK, RFC 6582 without). Loss recovery here
 * only marks and counts; output sends.
 */
#include "transport/tcp/autotune.h"

#define DUP_THRESH 3 /* RFC 5681: duplicates that mean loss */

/* Is our FIN out, so that the last sequence number is its own? */
static bool fin_sent(const struct tcp_conn *c)
{
	return c->flags & CONN_FIN_QUEUED && c->snd_nxt == c->snd_end + 1;
}

static uint32_t conn_in_flight(const struct tcp_conn *c)
{
	return board_in_flight(&c->flight->board, c->snd_nxt - c->snd_una);
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
	c->snd_wnd = window;
	struct tcp_flight *f = c->flight;
	if (!f)
		return;
	if (window > f->snd_wnd_max)
		f->snd_wnd_max = window;
	if (window && c->snd_una == c->snd_nxt) { /* reopened: no more probes */
		f->rto_at = f->give_up_at = NANOTIME_NEVER;
		f->probes = 0;
		c->backoff = 0;
	}
	conn_make_ready(t, c);
}

/* The reason to send less, as congestion control wants to know it. */
static struct cc_loss loss_now(const struct transport *t, const struct tcp_conn *c, uint32_t lost)
{
	return (struct cc_loss){
		.now = t->now,
		.flight = c->snd_nxt - c->snd_una,
		.in_flight = conn_in_flight(c),
		.lost = lost,
		.snd_una = c->snd_una,
		.snd_nxt = c->snd_nxt,
	};
}

static void enter_recovery(struct transport *t, struct tcp_conn *c, uint32_t lost)
{
	struct tcp_flight *f = c->flight;
	struct cc_loss l = loss_now(t, c, lost);
	f->phase = PHASE_RECOVERY;
	f->recover = c->snd_nxt;
	f->recoveries++;
	f->again_forced = true; /* RFC 6675 5 (4.3): the first goes at once */
	f->retransmit_why = WHY_FAST_RETRANSMIT;
	f->cc.ops->loss(&f->cc, &l);
	conn_trace(t, c, TRACE_TCP_LOSS, "duplicate or selective ACKs", NULL, f->cc.cwnd);
	conn_make_ready(t, c);
}

static void leave_recovery(struct transport *t, struct tcp_conn *c)
{
	struct tcp_flight *f = c->flight;
	f->phase = PHASE_OPEN;
	f->dup_acks = 0;
	f->cc.ops->recovered(&f->cc, t->now);
}

/* After the scoreboard took the news: was something lost, is recovery over? */
static void judge_losses(struct transport *t, struct tcp_conn *c, bool advanced)
{
	struct tcp_flight *f = c->flight;
	bool sack = c->flags & CONN_SACK;
	if (f->phase != PHASE_OPEN && advanced && seq_ge(c->snd_una, f->recover))
		leave_recovery(t, c);
	uint32_t lost = sack ? board_find_lost(&f->board, &t->range_pool, c->mss, DUP_THRESH) : 0;
	switch (f->phase) {
	case PHASE_OPEN:
		/*
		 * RFC 6582 3.2 step 2: duplicates of what a recovery already covered start none.
		 * `recover` counts only while it is outstanding: later it would seem ahead again.
		 */
		if (!sack && f->dup_acks == DUP_THRESH &&
		    f->recover - c->snd_una - 1 >= c->snd_nxt - c->snd_una)
			lost = board_lose_first(&f->board, &t->range_pool, c->mss);
		if (lost)
			enter_recovery(t, c, lost);
		break;
	case PHASE_RECOVERY:
		if (advanced && !sack) { /* a partial ACK: the next hole is lost as well */
			f->dup_acks = 0;
			lost = board_lose_first(&f->board, &t->range_pool, c->mss);
			f->again_forced = lost > 0;
		}
		if (lost)
			conn_make_ready(t, c);
		break;
	case PHASE_LOSS:
		if (lost)
			conn_make_ready(t, c);
		break;
	}
}

/* RFC 5681's duplicate: nothing new in it at all, while data is outstanding. */
static bool is_duplicate(const struct tcp_conn *c, const struct tcp_segment *seg)
{
	return seg->ack == c->snd_una && c->snd_nxt != c->snd_una && seg->text_len == 0 &&
	       !(seg->flags & (TCP_SYN | TCP_FIN)) &&
	       (uint32_t)seg->h.window << c->snd_wscale == c->snd_wnd;
}

static void take_sacks(struct transport *t, struct tcp_conn *c, const struct tcp_segment *seg,
		       struct board_news *n)
{
	struct scoreboard *b = &c->flight->board;
	for (unsigned i = 0; i < seg->h.options.sack_count; i++) {
		uint32_t start = seg->h.options.sack[i].start, end = seg->h.options.sack[i].end;
		/* What lies outside of what is outstanding is a DSACK (RFC 2883) or a lie. */
		if (seq_ge(start, end) || seq_le(end, seg->ack) || seq_lt(start, c->snd_una) ||
		    seq_gt(end, c->snd_nxt))
			continue;
		board_sack(b, &t->range_pool, start, end, n);
	}
}

static void take_rtt(struct transport *t, struct tcp_conn *c, const struct board_news *n)
{
	if (n->twice || n->first_sent < 0) /* Karn: MUST-18 */
		return;
	rtt_sample(&c->rtt, t->now - n->first_sent);
	conn_trace(t, c, TRACE_TCP_RTT, NULL, NULL, (uint64_t)(t->now - n->first_sent));
}

/* The FIN was acknowledged: the states that wait for that move on. */
static void take_fin_ack(struct transport *t, struct tcp_conn *c)
{
	struct tcp_flight *f = c->flight;
	switch (c->state) {
	case TCP_FIN_WAIT_1:
		conn_set_state(t, c, TCP_FIN_WAIT_2);
		if (!c->sock && f) { /* an orphan does not wait for ever (TCP-46) */
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

/* SND.UNA moves to seg->ack. */
static void take_advance(struct transport *t, struct tcp_conn *c, const struct tcp_segment *seg)
{
	struct tcp_flight *f = c->flight;
	bool fin_acked = fin_sent(c) && seg->ack == c->snd_nxt;
	f->bytes_acked += seg->ack - c->snd_una - fin_acked;
	c->snd_una = seg->ack;
	c->flags |= CONN_ACK_SEEN;
	c->backoff = 0;
	f->probes = 0;
	f->soft_error = ERR_OK;
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
	if (c->snd_end != c->snd_nxt || f->board.lost != f->board.again)
		conn_make_ready(t, c);
	if (fin_acked)
		take_fin_ack(t, c);
}

/* ACKs of data that is or was in flight; the connection has a flight. */
static void take_flight_ack(struct transport *t, struct tcp_conn *c, const struct tcp_segment *seg)
{
	struct tcp_flight *f = c->flight;
	struct board_news n = { .newest_sent = -1, .first_sent = -1 };
	uint32_t in_flight = conn_in_flight(c);
	bool advanced = seq_gt(seg->ack, c->snd_una);
	bool duplicate = !advanced && is_duplicate(c, seg);

	if (c->flags & CONN_SACK && seg->h.options.has & TCP_HAS_SACK)
		take_sacks(t, c, seg, &n);
	if (advanced)
		board_ack(&f->board, &t->range_pool, seg->ack, &n);
	if (duplicate && f->dup_acks < UINT8_MAX)
		f->dup_acks++;
	conn_update_window(t, c, seg);
	if (n.acked + n.sacked) {
		take_rtt(t, c, &n);
		if (f->phase != PHASE_RECOVERY) {
			struct cc_ack a = {
				.now = t->now,
				.acked = n.acked + n.sacked,
				.prior_in_flight = in_flight,
				.in_flight = board_in_flight(&f->board, c->snd_nxt - seg->ack),
				.snd_una = seg->ack,
				.snd_nxt = c->snd_nxt,
				.sack = c->flags & CONN_SACK,
				.rtt = n.newest_sent < 0 ? 0 : t->now - n.newest_sent,
				.srtt = rtt_smoothed(&c->rtt),
			};
			f->cc.ops->ack(&f->cc, &a);
		}
	}
	if (advanced) {
		if (f->phase != PHASE_RECOVERY)
			f->dup_acks = 0;
		take_advance(t, c, seg);
		if (c->state == TCP_CLOSED)
			return;
	}
	if (f->phase != PHASE_OPEN || n.sacked || f->board.sacked || duplicate)
		judge_losses(t, c, advanced);
	if (n.sacked || duplicate)
		conn_make_ready(t, c); /* the pipe has room: RFC 3042 without more ado */
}

/* An ACK in SYN-RECEIVED (simultaneous open) that acknowledges our SYN. */
static bool take_syn_ack(struct transport *t, struct tcp_conn *c, struct rx *rx,
			 const struct tcp_segment *seg)
{
	if (seg->ack != c->snd_nxt) {
		tcp_reply_reset(t, rx, seg, &c->tuple);
		rx_drop(rx, DROP_TCP_ACK_UNSENT);
		return false;
	}
	c->snd_una = seg->ack;
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
	if (c->state == TCP_SYN_RECEIVED)
		return take_syn_ack(t, c, rx, seg);
	if (seq_gt(seg->ack, c->snd_nxt)) {
		if (conn_may_challenge(t, c))
			conn_owe_ack(t, c, WHY_ACK_CHALLENGE);
		rx_drop(rx, DROP_TCP_ACK_UNSENT);
		return false;
	}
	if (seq_lt(seg->ack, c->snd_una)) {
		/* RFC 5961 5.2, and never older than what was ever sent (TCP-73). */
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
		return true; /* an old one, overtaken: its text still counts */
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
