/*
 * The rules, each a few comparisons. A rule is written so that it holds for any
 * loss recovery and congestion control that the RFCs allow, not for the one that
 * happens to be built in: it names the bound, not the algorithm.
 */
#include "sim/inspect_rules.h"

#include "transport/tcp/tcp_conn.h"

#include <string.h>

#define ACK_WITHIN  (500 * NANO_MS) /* RFC 9293 MUST-40 */
#define RING_SLACK  (160 * 1024u)   /* blocks at both ends, a table, big blocks */
#define BURST_SLACK 10              /* segments beyond cwnd: limited transmit, probes, PRR */

static void breach(struct breach *b, const struct tcp_conn *c, const char *rule, const char *what,
	uint64_t x, uint64_t y)
{
	if (b->rule)
		return;
	*b = (struct breach){ rule, what, x, y, c->tuple, c->state };
}

/* ---- states: RFC 9293 3.3.2, with the user's abort and the peer's reset to CLOSED ---- */

bool inspect_transition(const char *from, const char *to)
{
	static const char *const legal[][2] = {
		{ "CLOSED", "SYN-SENT" },
		{ "CLOSED", "SYN-RECEIVED" }, /* a listener's */
		{ "CLOSED", "ESTABLISHED" },  /* a half-open connection becomes a whole one */
		{ "LISTEN", "SYN-RECEIVED" },
		{ "LISTEN", "ESTABLISHED" },
		{ "SYN-SENT", "SYN-RECEIVED" },
		{ "SYN-SENT", "ESTABLISHED" },
		{ "SYN-SENT", "FIN-WAIT-1" },
		{ "SYN-RECEIVED", "ESTABLISHED" },
		{ "SYN-RECEIVED", "FIN-WAIT-1" },
		{ "SYN-RECEIVED", "CLOSE-WAIT" },
		{ "ESTABLISHED", "FIN-WAIT-1" },
		{ "ESTABLISHED", "CLOSE-WAIT" },
		{ "FIN-WAIT-1", "FIN-WAIT-2" },
		{ "FIN-WAIT-1", "CLOSING" },
		{ "FIN-WAIT-1", "TIME-WAIT" },
		{ "FIN-WAIT-2", "TIME-WAIT" },
		{ "CLOSING", "TIME-WAIT" },
		{ "CLOSE-WAIT", "LAST-ACK" },
	};
	if (strcmp(to, "CLOSED") == 0)
		return true;
	for (size_t i = 0; i < sizeof legal / sizeof *legal; i++)
		if (strcmp(from, legal[i][0]) == 0 && strcmp(to, legal[i][1]) == 0)
			return true;
	return false;
}

/* ---- against what it was ---- */

static uint32_t peer_edge(const struct tcp_conn *c)
{
	return c->snd_una + c->snd_wnd;
}

static void loss_response(struct shadow *was, const struct tcp_conn *c, struct breach *b)
{
	const struct tcp_flight *f = c->flight;
	if (!f || !was->flight)
		return;
	if (f->undos != was->undos) /* it was none: the next may follow at once */
		was->recover_known = false;
	if (f->recoveries == was->recoveries)
		return;
	if (was->recover_known && seq_lt(c->snd_una, was->recover))
		breach(b, c, "I13 (one loss response a window)", "SND.UNA before the mark",
			c->snd_una, was->recover);
	was->recover = f->recover;
	was->recover_known = true;
}

/* RFC 3168 6.1.2 */
static void mark_response(struct shadow *was, const struct tcp_conn *c, struct breach *b)
{
	const struct tcp_flight *f = c->flight;
	if (!f || !was->flight)
		return;
	if (f->undos != was->undos || f->ecn_reductions < was->marks) /* another flight */
		was->marked_known = false;
	if (f->ecn_reductions == was->marks)
		return;
	if (was->marked_known && seq_le(c->snd_una, was->marked))
		breach(b, c, "I13 (one answer to marks a window)", "SND.UNA before the mark",
			c->snd_una, was->marked);
	was->marked = f->ecn_high;
	was->marked_known = true;
}

void inspect_change(struct inspector *s, const struct transport *t, struct shadow *was,
	const struct tcp_conn *c, struct breach *b)
{
	const struct tcp_flight *f = c->flight;
	(void)s;
	(void)t;
	bool sent = c->state >= TCP_ESTABLISHED && was->state >= TCP_ESTABLISHED;
	if (!sent)
		return;
	if (seq_lt(c->snd_una, was->snd_una))
		breach(b, c, "I06 (SND.UNA)", "moved back", was->snd_una, c->snd_una);
	if (seq_lt(c->snd_nxt, was->snd_nxt))
		breach(b, c, "I06 (SND.NXT)", "moved back", was->snd_nxt, c->snd_nxt);
	if (seq_lt(c->rcv_nxt, was->rcv_nxt))
		breach(b, c, "I06 (RCV.NXT)", "moved back", was->rcv_nxt, c->rcv_nxt);
	if (seq_lt(c->rcv_edge, was->rcv_edge))
		breach(b, c, "I07 (right edge)", "moved left", was->rcv_edge, c->rcv_edge);
	/* With nothing outstanding a closed window was probed; that it opens is news. */
	bool news = c->snd_una != was->snd_una || was->snd_una == was->snd_nxt || !f ||
		!was->flight || f->board.sacked != was->sacked;
	if (c->backoff < was->backoff && !news && c->snd_una != c->snd_nxt)
		breach(b, c, "I12 (back-off)", "ended without news", was->backoff, c->backoff);
	loss_response(was, c, b);
	mark_response(was, c, b);
}

void inspect_remember(struct shadow *was, const struct tcp_conn *c)
{
	const struct tcp_flight *f = c->flight;
	if (!was->known)
		*was = (struct shadow){ .known = true, .peer_edge = peer_edge(c) };
	if (!f || !was->flight) {
		was->recover_known = was->marked_known = false;
		was->mss_low = UINT32_MAX;
		was->mss_high = 0;
		was->delivered = was->delivered_now = was->delivered_all = 0;
		was->acked_before = was->acked;
		was->earned = was->window; /* RFC 7661: it outlives its flight */
	}
	was->tuple = c->tuple;
	was->state = c->state;
	was->backoff = c->backoff;
	was->snd_una = c->snd_una;
	was->snd_nxt = c->snd_nxt;
	was->rcv_nxt = c->rcv_nxt;
	was->rcv_edge = c->rcv_edge;
	was->flight = f != NULL;
	if (seq_gt(peer_edge(c), was->peer_edge))
		was->peer_edge = peer_edge(c);
	if (!f)
		return;
	was->window = f->cc.cwnd;
	was->receive_buffer = f->receive_buffer;
	was->sacked = f->board.sacked;
	was->recoveries = f->recoveries;
	was->rtos = f->rtos;
	was->undos = f->undos;
	was->marks = f->ecn_reductions;
	was->acked = f->bytes_acked;
	uint64_t delivered = f->bytes_acked - was->acked_before + f->board.sacked;
	if (delivered > was->delivered)
		was->delivered = delivered;
	if (delivered > was->delivered_now)
		was->delivered_all += delivered - was->delivered_now;
	was->delivered_now = delivered;
	if (f->cc.mss < was->mss_low)
		was->mss_low = f->cc.mss;
	if (f->cc.mss > was->mss_high)
		was->mss_high = f->cc.mss;
}

/* ---- by itself ---- */

static void window_rules(struct shadow *was, const struct tcp_conn *c, struct breach *b)
{
	const struct tcp_flight *f = c->flight;
	uint32_t low = f->cc.mss < was->mss_low ? f->cc.mss : was->mss_low;
	/* Of this flight: a window that was kept was earned before it. SACKs may be forgotten. */
	uint64_t before = was->flight ? was->acked_before : was->acked;
	uint64_t now = f->bytes_acked - before + f->board.sacked;
	uint64_t delivered = now > was->delivered ? now : was->delivered;
	/* A timeout forgets them, and the window of who takes it back grows by them once more. */
	if (f->cc.ops->own_window)
		delivered = was->delivered_all +
			(now > was->delivered_now ? now - was->delivered_now : 0);
	uint64_t first = was->flight ? was->earned : was->window;
	if (first < f->cc.initial)
		first = f->cc.initial;
	uint32_t high = f->cc.mss > was->mss_high ? f->cc.mss : was->mss_high;
	uint64_t most = first + delivered + BURST_SLACK * (uint64_t)high;
	/* In fast recovery the window is what PRR counts, which may be next to nothing. */
	if ((f->cc.cwnd < low && f->phase != PHASE_RECOVERY) || f->cc.cwnd > CC_WINDOW_MAX)
		breach(b, c, "I10 (cwnd)", "out of bounds", f->cc.cwnd, low);
	if (f->cc.ssthresh < 2 * low)
		breach(b, c, "I10 (ssthresh)", "below two segments", f->cc.ssthresh, low);
	/* RFC 5681 3.1: after each timeout, also one that follows another, the loss window beside
	 * what is still under way. */
	uint64_t loss = board_in_flight(&f->board, c->snd_nxt - c->snd_una) + 2ull * f->cc.mss;
	if (f->rtos > was->rtos && !f->cc.ops->own_window && f->cc.cwnd > loss)
		breach(b, c, "I10 (loss window)", "cwnd after a timeout", f->cc.cwnd, loss);
	if (f->cc.cwnd > most && f->phase != PHASE_RECOVERY)
		breach(b, c, "I11 (growth)", "cwnd above all that was acknowledged", f->cc.cwnd,
			most);
}

/* Something of ours waits: for an acknowledgment, or for leave to go. */
static bool waits(const struct tcp_conn *c)
{
	bool fin = c->flags & CONN_FIN_QUEUED && c->snd_nxt == c->snd_end;
	return c->snd_una != c->snd_nxt || c->snd_end != c->snd_nxt || fin;
}

static void timer_rules(
	struct inspector *s, const struct transport *t, const struct tcp_conn *c, struct breach *b)
{
	const struct tcp_flight *f = c->flight;
	bool armed = timer_armed(&c->timer), ready = list_linked(&c->ready);
	bool sends = c->state >= TCP_ESTABLISHED && c->state <= TCP_LAST_ACK &&
		c->state != TCP_FIN_WAIT_2;
	bool orphan = !c->sock && !(c->flags & CONN_IN_BACKLOG);
	if (ready)
		return;
	/* Without a flight there is no RTO: it stands in line for one, whatever the way is like. */
	bool owned = f ? f->rto_at != NANOTIME_NEVER : c->flags & CONN_SHORT;
	if (sends && waits(c) && !(armed && owned))
		breach(b, c, "I18 (no stuck connection)", "waits without a timer", c->snd_una,
			c->snd_end);
	if (fast_syn_waits(c) && !orphan) /* for its owner's first bytes */
		return;
	if ((c->state == TCP_SYN_SENT || c->state == TCP_SYN_RECEIVED || orphan) && !armed)
		breach(b, c, "I18 (no stuck connection)", "no timer", orphan, c->state);
	if (!f || !sends)
		return;
	if (f->rto_at != NANOTIME_NEVER && f->rto_at - s->now > t->config.rto_max + NANO_S)
		breach(b, c, "I12 (RTO)", "too far away", (uint64_t)(f->rto_at - s->now),
			(uint64_t)t->config.rto_max);
	nanotime first = nanotime_min(f->rto_at, f->ack_at);
	if (first != NANOTIME_NEVER && (!armed || c->timer.deadline > first))
		breach(b, c, "I18 (armed in time)", "armed later than its deadline",
			(uint64_t)c->timer.deadline, (uint64_t)first);
}

/* MUST-40. Whoever is on the ready list waits for the link or for a neighbour; where that does not
 * answer, the peer has to come again. */
static void ack_rules(
	struct inspector *s, struct shadow *was, const struct tcp_conn *c, struct breach *b)
{
	bool owes = c->rcv_nxt != c->last_ack_sent && c->state >= TCP_ESTABLISHED &&
		c->state != TCP_TIME_WAIT && !list_linked(&c->ready) && !s->node->trouble;
	if (owes && !was->owes)
		was->owes_from = s->now;
	was->owes = owes;
	if (owes && s->now - was->owes_from > ACK_WITHIN)
		breach(b, c, "I14 (delayed ACK)", "not acknowledged for so long",
			(uint64_t)(s->now - was->owes_from), (uint64_t)ACK_WITHIN);
}

/* What was offered before an owner chose a smaller buffer still holds; more is not offered. */
static void receive_rules(const struct shadow *was, const struct tcp_conn *c, struct breach *b)
{
	const struct tcp_flight *f = c->flight;
	uint32_t offered = c->rcv_edge - f->rx.low;
	uint64_t most = offered > f->receive_buffer ? offered : f->receive_buffer;
	if (f->rx.blocks * (uint64_t)RING_BLOCK > most + RING_SLACK)
		breach(b, c, "I23 (receive ring)", "bytes, of", f->rx.blocks * RING_BLOCK, most);
	bool more = was->known && was->flight && seq_gt(c->rcv_edge, was->rcv_edge);
	if (more && offered > was->receive_buffer && offered > f->receive_buffer &&
		!(c->flags & CONN_FIN_RECEIVED))
		breach(b, c, "I23 (offered)", "bytes, of", offered, f->receive_buffer);
}

void inspect_standing(struct inspector *s, const struct transport *t, struct shadow *was,
	const struct tcp_conn *c, struct breach *b)
{
	const struct tcp_flight *f = c->flight;
	if (c->state < TCP_ESTABLISHED) {
		timer_rules(s, t, c, b);
		return;
	}
	uint32_t edge = seq_gt(was->peer_edge, peer_edge(c)) && was->known ? was->peer_edge
									   : peer_edge(c);
	if (seq_gt(c->snd_una, c->snd_nxt))
		breach(b, c, "I06 (SND.UNA <= SND.NXT)", "is not", c->snd_una, c->snd_nxt);
	if (seq_gt(c->snd_nxt, edge + 2)) /* FIN, and a probe's byte */
		breach(b, c, "I06 (SND.NXT)", "beyond the window", c->snd_nxt, edge);
	if (seq_gt(c->rcv_nxt, c->rcv_edge + 1)) /* FIN */
		breach(b, c, "I06 (RCV.NXT)", "beyond what was offered", c->rcv_nxt, c->rcv_edge);
	if (f && was->flight)
		window_rules(was, c, b);
	timer_rules(s, t, c, b);
	ack_rules(s, was, c, b);
	if (f)
		receive_rules(was, c, b);
	if (f && f->tx.blocks * (uint64_t)RING_BLOCK > f->send_buffer + RING_SLACK)
		breach(b, c, "I23 (send ring)", "bytes, of", f->tx.blocks * RING_BLOCK,
			f->send_buffer);
}
