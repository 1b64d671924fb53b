/*
 * NewReno's window (RFC 5681, RFC 6582) with byte counting (RFC 3465): slow start
 * adds what was acknowledged, congestion avoidance adds one MSS for each window
 * acknowledged, loss halves what is in flight. The window only grows while it is
 * what limits the sender (RFC 7661).
 */
#include "transport/congestion/congestion.h"

static void reno_init(struct cc *c, nanotime now)
{
	(void)c;
	(void)now;
}

/* RFC 9293 MUST-19 */
static void reno_grow(struct cc *c, uint32_t acked)
{
	if (c->cwnd >= CC_WINDOW_MAX)
		return;
	if (cc_in_slow_start(c)) {
		uint32_t room = c->ssthresh - c->cwnd;
		uint32_t step = acked < room ? acked : room;
		c->cwnd += step;
		acked -= step;
	}
	c->counted += acked;
	if (c->counted >= c->cwnd) {
		c->counted -= c->cwnd;
		c->cwnd += c->mss;
	}
}

static void reno_ack(struct cc *c, const struct cc_ack *a)
{
	if (cc_tested(c, a->prior_in_flight, a->snd_una, a->snd_nxt))
		reno_grow(c, a->acked);
}

static void reno_loss(struct cc *c, const struct cc_loss *l)
{
	cc_save(c);
	c->ssthresh = cc_reduced(c, l, 512); /* RFC 5681 (4) */
	c->cwnd = c->ssthresh;
	c->phase = CC_RECOVERY;
	c->counted = 0;
}

static void reno_timeout(struct cc *c, const struct cc_loss *l)
{
	cc_save(c);
	c->ssthresh = cc_reduced(c, l, 512);
	c->cwnd = c->mss; /* the loss window: RFC 5681 3.1 */
	c->phase = CC_TIMEOUT;
	c->counted = 0;
}

static void reno_undo(struct cc *c, nanotime now)
{
	(void)now;
	cc_restore(c);
}

/* RFC 8511 3: marks come from short queues, which half a window would leave empty. */
static void reno_ecn(struct cc *c, const struct cc_loss *l)
{
	c->ssthresh = cc_reduced(c, l, 819);
	c->cwnd = c->ssthresh;
	c->prior_cwnd = 0; /* the congestion is real: nothing before it comes back */
	c->counted = 0;
}

const struct cc_ops cc_reno = {
	.name = "reno",
	.init = reno_init,
	.ack = reno_ack,
	.loss = reno_loss,
	.timeout = reno_timeout,
	.recovered = cc_recovered,
	.undo = reno_undo,
	.ecn = reno_ecn,
	.idle = cc_idle,
};
