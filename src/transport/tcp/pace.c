/*
 * A bound on how fast a connection sends, which its owner sets (SO_MAX_PACING_RATE). A
 * connection that has one is paced: at the rate of its congestion control, or, where
 * that has only a window, at what sends the window in a good half (slow start) or most
 * of a round trip; and never faster than the bound. As in Linux the first ten segments
 * of all, an initial window, go unpaced: there is no RTT to spread them over yet.
 *
 * Congestion control knows nothing of this: after each of its decisions the rate in its
 * struct is lowered where it must be. A retransmission after a timeout does not wait.
 */
#include "transport/tcp/tcp_conn.h"

#define UNPACED 10 /* segments */

void conn_limit_pace(struct tcp_conn *c)
{
	struct tcp_flight *f = c->flight;
	uint64_t rate = f->cc.pacing_rate;
	if (!f->cc.ops->own_window)
		rate = pacer_window_rate(f->cc.cwnd, f->cc.ssthresh, rtt_smoothed(&c->rtt));
	f->cc.pacing_rate = rate && rate < f->pacing_most ? rate : f->pacing_most;
}

void conn_set_pace(struct transport *t, struct tcp_conn *c, uint64_t most)
{
	struct tcp_flight *f = c->flight;
	f->pacing_most = most;
	f->paced_until = 0;
	f->pacer.next = nanotime_min(f->pacer.next, t->now); /* a slower one may be far away */
	if (most)
		conn_limit_pace(c);
	else if (!f->cc.ops->own_window)
		f->cc.pacing_rate = 0;
	conn_make_ready(t, c);
}

bool conn_pace_waits(const struct tcp_conn *c)
{
	const struct tcp_flight *f = c->flight;
	return !(c->flags & CONN_ACK_SEEN) && f->bytes_sent < UNPACED * (uint64_t)c->mss;
}
