/*
 * CUBIC (RFC 9438): between two losses the window is a cubic function of time,
 *
 *	W(t) = C * (t - K)^3 + W_max
 *
 * steep at first, flat around W_max, the window at which the last loss came, steep
 * again beyond. Where Reno would be faster (short round trips, small windows) a Reno
 * of the same average is followed instead. The first slow start ends by HyStart++.
 *
 * An epoch begins with the first ACK of congestion avoidance that finds the window
 * tested. Time in which the application did not fill the window does not count (4.2,
 * 5.8): such ACKs leave at the first question, and a gap between two that count which
 * is longer than a round trip moves the epoch's start by what is longer.
 *
 * There is no floating point: time is in units of 2^-16 s, W_est in 2^-16 bytes, and
 * what an ACK adds to the window in fractions of a byte is carried to the next.
 */
#include "transport/congestion/cubic.h"
#include "transport/congestion/hystart.h"

#define BETA      717 /* 0.7 in 1024; rounded up as ten segments become seven, not six */
#define BETA_ECN  870 /* 0.85: RFC 8511 3.1 */
#define TIME_MOST ((int64_t)1024 * CUBIC_SECOND)

/* What an undo restores (RFC 9438 4.9). */
struct cubic_epoch {
	nanotime start;    /* NANOTIME_NEVER: not begun */
	uint64_t estimate; /* W_est in 2^-16 bytes */
	uint32_t w_max;    /* window before the last reduction; 0: none */
	uint32_t origin;   /* of the curve: w_max, or where the epoch began if that was above */
	uint32_t k;
	uint32_t cwnd_prior; /* from here on W_est grows as fast as Reno */
};

struct cubic {
	struct cubic_epoch e, before;
	nanotime last; /* latest ACK that counted */
	struct hystart hystart;
};
static_assert(sizeof(struct cubic) <= CC_STATE, "fits its place");

static struct cubic *cubic_of(struct cc *c)
{
	return (struct cubic *)c->state;
}

uint32_t cubic_root(uint64_t v)
{
	uint64_t root = 0;
	for (int shift = 63; shift >= 0; shift -= 3) { /* digit by digit, as square roots */
		root *= 2;
		uint64_t step = 3 * root * (root + 1) + 1;
		if (v >> shift >= step) {
			v -= step << shift;
			root++;
		}
	}
	return (uint32_t)root;
}

uint32_t cubic_k(uint32_t bytes, uint32_t mss)
{
	/* K^3 = bytes / (0.4 mss), first in units of (2^-12 s)^3, so that it fits */
	unsigned __int128 cube = ((unsigned __int128)bytes * 5 << 35) / mss;
	return cubic_root(cube < UINT64_MAX ? (uint64_t)cube : UINT64_MAX) << 4;
}

int64_t cubic_curve(int64_t d, uint32_t mss)
{
	uint64_t t = (uint64_t)(d < 0 ? -d : d);
	if (t > TIME_MOST)
		t = TIME_MOST;
	uint64_t cube = (t * t >> 16) * t >> 16; /* in 2^-16 s^3: 46 bits */
	uint64_t bytes = (cube * mss >> 16) * 2 / 5;
	return d < 0 ? -(int64_t)bytes : (int64_t)bytes;
}

static void cubic_init(struct cc *c, nanotime now)
{
	struct cubic *s = cubic_of(c);
	s->e.start = s->before.start = NANOTIME_NEVER;
	s->last = now;
	hystart_init(&s->hystart);
}

/* Slow start. Returns what of `acked` is left for congestion avoidance. */
static uint32_t cubic_slow_start(struct cc *c, const struct cc_ack *a, uint32_t acked)
{
	if (c->ssthresh != UINT32_MAX) { /* RFC 9406 4.3: HyStart++ is for the first only */
		uint32_t room = c->ssthresh - c->cwnd;
		uint32_t step = acked < room ? acked : room;
		c->cwnd += step;
		return acked - step;
	}
	struct hystart *h = &cubic_of(c)->hystart;
	switch (c->abrupt_start ? hystart_abrupt(h, a) : hystart_ack(h, a)) {
	case HYSTART_DOUBLE: c->cwnd += acked; return 0;
	case HYSTART_CONSERVATIVE:
		c->counted += acked;
		c->cwnd += c->counted / HYSTART_CSS_DIVISOR;
		c->counted %= HYSTART_CSS_DIVISOR;
		return 0;
	case HYSTART_LEAVE: break;
	}
	/* An initial window of one may end here too, but the threshold is two: RFC 5681 (4). */
	c->ssthresh = c->cwnd > 2 * c->mss ? c->cwnd : 2 * c->mss;
	c->counted = 0;
	return c->ssthresh == c->cwnd ? acked : 0;
}

/* Congestion avoidance begins: 4.2; W_max is not known after a timeout or HyStart++ (4.8, 4.10). */
static void cubic_begin(struct cc *c, struct cubic_epoch *e, nanotime now)
{
	e->start = now;
	e->estimate = (uint64_t)c->cwnd << 16;
	c->counted = 0;
	if (e->w_max > c->cwnd) {
		e->origin = e->w_max;
		e->k = cubic_k(e->w_max - c->cwnd, c->mss);
	} else {
		e->origin = c->cwnd;
		e->k = 0;
	}
	if (!e->cwnd_prior)
		e->cwnd_prior = c->cwnd;
}

static int64_t cubic_units(nanodiff d)
{
	if (d > 1024 * NANO_S)
		d = 1024 * NANO_S;
	return d * 4096 / (NANO_S / 16);
}

/* W_cubic `d` after the epoch's start. */
static uint64_t cubic_window(const struct cubic_epoch *e, nanodiff d, uint32_t mss)
{
	int64_t w = e->origin + cubic_curve(cubic_units(d) - e->k, mss);
	return w < 0 ? 0 : (uint64_t)w;
}

/* 4.3: Reno's window with the same average; W_est. */
static uint32_t cubic_friendly(struct cc *c, struct cubic_epoch *e, uint32_t acked)
{
	uint64_t step = ((uint64_t)acked * c->mss << 16) / c->cwnd;
	if (e->estimate >> 16 < e->cwnd_prior)
		step = step * 9 / 17; /* alpha = 3 (1 - beta) / (1 + beta) */
	e->estimate += step;
	uint64_t w = e->estimate >> 16;
	return w < CC_WINDOW_MAX ? (uint32_t)w : CC_WINDOW_MAX;
}

static void cubic_grow(struct cc *c, const struct cc_ack *a, uint32_t acked)
{
	struct cubic *s = cubic_of(c);
	struct cubic_epoch *e = &s->e;
	if (e->start == NANOTIME_NEVER)
		cubic_begin(c, e, a->now);
	else if (a->now - s->last > a->srtt)
		e->start += a->now - s->last - a->srtt; /* not limited by the window: 5.8 */
	s->last = a->now;

	nanodiff t = a->now - e->start;
	uint32_t friendly = cubic_friendly(c, e, acked);
	if (cubic_window(e, t, c->mss) < friendly) { /* 4.3 */
		if (friendly > c->cwnd)
			c->cwnd = friendly;
		return;
	}
	uint64_t target = cubic_window(e, t + a->srtt, c->mss); /* 4.4, 4.5 */
	uint64_t most = c->cwnd + c->cwnd / 2;
	if (target > most)
		target = most;
	if (target <= c->cwnd)
		return;
	uint64_t sum = (target - c->cwnd) * acked + c->counted;
	uint32_t step = (uint32_t)(sum / c->cwnd);
	c->counted = (uint32_t)(sum % c->cwnd);
	c->cwnd += step;
}

static void cubic_ack(struct cc *c, const struct cc_ack *a)
{
	if (!cc_tested(c, a->prior_in_flight, a->snd_una, a->snd_nxt) || c->cwnd >= CC_WINDOW_MAX)
		return;
	uint32_t acked = a->acked < c->cwnd ? a->acked : c->cwnd;
	if (cc_in_slow_start(c))
		acked = cubic_slow_start(c, a, acked);
	if (acked)
		cubic_grow(c, a, acked);
}

/* The window before a reduction, fast convergence (4.7), and the end of the epoch. */
static void cubic_end(struct cc *c)
{
	struct cubic *s = cubic_of(c);
	if (c->phase == CC_OPEN)
		s->before = s->e;
	s->e.cwnd_prior = c->cwnd;
	s->e.w_max = c->cwnd < s->e.w_max ? (uint32_t)((uint64_t)c->cwnd * 17 / 20) : c->cwnd;
	s->e.start = NANOTIME_NEVER;
	c->counted = 0;
}

static void cubic_loss(struct cc *c, const struct cc_loss *l)
{
	if (!l->reduced) /* the mark of this window has ended it: once is enough for 4.7 too */
		cubic_end(c);
	cubic_of(c)->e.start = NANOTIME_NEVER;
	c->counted = 0;
	cc_save(c);
	c->ssthresh = cc_reduced(c, l, BETA); /* 4.6 */
	c->cwnd = c->ssthresh;
	c->phase = CC_RECOVERY;
}

static void cubic_timeout(struct cc *c, const struct cc_loss *l)
{
	cubic_end(c);
	cc_save(c);
	c->ssthresh = cc_reduced(c, l, BETA);
	c->cwnd = c->mss;
	c->phase = CC_TIMEOUT;
	cubic_of(c)->e.w_max = 0; /* 4.8: the next epoch begins at its plateau */
}

static void cubic_undo(struct cc *c, nanotime now)
{
	(void)now;
	struct cubic *s = cubic_of(c);
	if (cc_restore(c)) {
		s->e = s->before;
		hystart_init(&s->hystart);
	}
}

static void cubic_ecn(struct cc *c, const struct cc_loss *l)
{
	cubic_end(c);
	c->ssthresh = cc_reduced(c, l, BETA_ECN);
	c->cwnd = c->ssthresh;
	c->prior_cwnd = 0;
}

/* A window that fell begins a new curve where slow start brings it. */
static void cubic_idle(struct cc *c, nanodiff idle, nanodiff rto, nanotime now)
{
	uint32_t before = c->cwnd;
	cc_idle(c, idle, rto, now);
	if (c->cwnd < before)
		cubic_of(c)->e.start = NANOTIME_NEVER;
}

const struct cc_ops cc_cubic = {
	.name = "cubic",
	.init = cubic_init,
	.ack = cubic_ack,
	.loss = cubic_loss,
	.timeout = cubic_timeout,
	.recovered = cc_recovered,
	.undo = cubic_undo,
	.ecn = cubic_ecn,
	.idle = cubic_idle,
};
