/*
 * NewReno's window (RFC 5681, RFC 6582) with byte counting (RFC 3465): slow start
 * adds what was acknowledged, congestion avoidance adds one MSS for each window
 * acknowledged, loss halves what is in flight. The window only grows while it is
 * what limits the sender (RFC 7661's concern, in its simplest form).
 */
#include "transport/congestion/congestion.h"

#define CWND_MAX (1u << 30)

static void reno_init(struct cc *c, nanotime now)
{
	(void)c;
	(void)now;
}

static void reno_ack(struct cc *c, const struct cc_ack *a)
{
	uint32_t acked = a->acked;
	/* An application that does not fill the window has not tested it. */
	bool limited = cc_in_slow_start(c) ? a->in_flight >= c->cwnd / 2
					   : a->in_flight + c->mss >= c->cwnd;
	if (!limited || c->cwnd >= CWND_MAX)
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

/* RFC 5681 (4): half of what is in flight, at least two segments. */
static uint32_t reno_half(const struct cc *c, uint32_t in_flight)
{
	uint32_t half = in_flight / 2;
	return half > 2 * c->mss ? half : 2 * c->mss;
}

static void reno_loss(struct cc *c, uint32_t in_flight, nanotime now)
{
	(void)now;
	c->ssthresh = reno_half(c, in_flight);
	c->cwnd = c->ssthresh;
	c->counted = 0;
}

static void reno_timeout(struct cc *c, uint32_t in_flight, nanotime now)
{
	(void)now;
	c->ssthresh = reno_half(c, in_flight);
	c->cwnd = c->mss; /* the loss window: RFC 5681 3.1 */
	c->counted = 0;
}

static void reno_recovered(struct cc *c, nanotime now)
{
	(void)now;
	c->counted = 0;
}

static void reno_idle(struct cc *c, nanodiff idle, nanodiff rto)
{
	(void)idle;
	(void)rto;
	if (c->cwnd > c->initial)
		c->cwnd = c->initial; /* RFC 5681 4.1: the restart window */
}

const struct cc_ops cc_reno = {
	.name = "reno",
	.init = reno_init,
	.ack = reno_ack,
	.loss = reno_loss,
	.timeout = reno_timeout,
	.recovered = reno_recovered,
	.idle = reno_idle,
};
