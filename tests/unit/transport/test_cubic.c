/*
 * CUBIC against RFC 9438's formulas in floating point, written down a second time
 * here: over random histories of ACKs, losses, timeouts and undos the window must
 * stay within rounding of what they say. And what they don't say: bounds, the first
 * slow start, what an application that sends less does to the curve.
 */
#include "unit/base/property.h"

#include <math.h>

#include "transport/congestion/congestion.h"
#include "transport/congestion/cubic.h"

#define MSS 1460u

/* The formulas, in segments and seconds. */
struct reference {
	double cwnd, ssthresh, w_max, cwnd_prior, k, origin, w_est, epoch, last;
	bool epoch_valid;
};

static void reference_ack(struct reference *r, double now, double rtt, double acked)
{
	if (acked > r->cwnd)
		acked = r->cwnd;
	if (r->cwnd < r->ssthresh) {
		double step = fmin(acked, r->ssthresh - r->cwnd);
		r->cwnd += step;
		acked -= step;
		if (acked <= 0)
			return;
	}
	if (!r->epoch_valid) {
		r->epoch_valid = true;
		r->epoch = now;
		r->w_est = r->cwnd;
		r->origin = fmax(r->w_max, r->cwnd);
		r->k = cbrt((r->origin - r->cwnd) / 0.4);
		if (r->cwnd_prior == 0)
			r->cwnd_prior = r->cwnd;
	} else if (now - r->last > rtt) {
		r->epoch += now - r->last - rtt;
	}
	r->last = now;
	double t = now - r->epoch;
	double alpha = r->w_est < r->cwnd_prior ? 3 * (1 - 0.7) / (1 + 0.7) : 1;
	r->w_est += alpha * acked / r->cwnd;
	if (0.4 * pow(t - r->k, 3) + r->origin < r->w_est) {
		r->cwnd = fmax(r->cwnd, r->w_est);
		return;
	}
	double target = 0.4 * pow(t + rtt - r->k, 3) + r->origin;
	target = fmin(fmax(target, r->cwnd), 1.5 * r->cwnd);
	r->cwnd += (target - r->cwnd) / r->cwnd * acked;
}

static void reference_reduce(struct reference *r, double flight, double beta)
{
	r->w_max = r->cwnd < r->w_max ? r->cwnd * (1 + 0.7) / 2 : r->cwnd;
	r->cwnd_prior = r->cwnd;
	r->ssthresh = fmax(flight * beta, 2);
	r->epoch_valid = false;
}

struct pair {
	struct cc c;
	struct reference r, before;
	nanotime now;
	uint32_t una;
};

static void pair_begin(struct pair *p, struct rng *g)
{
	uint32_t start = 10 + (uint32_t)rng_below(g, 1000);
	*p = (struct pair){ .now = NANO_S, .una = (uint32_t)rng_below(g, UINT32_MAX) };
	cc_start(&p->c, &cc_cubic, MSS, start * MSS, 7, p->now);
	p->c.ssthresh = (10 + (uint32_t)rng_below(g, 1000)) * MSS; /* without HyStart++ */
	p->r.cwnd = start;
	p->r.ssthresh = p->c.ssthresh / (double)MSS;
}

static double seconds(nanotime t)
{
	return (double)t / 1e9;
}

/* A round of full windows: an ACK for every second segment, spread over the round trip. */
static void pair_round(struct pair *p, nanodiff rtt)
{
	uint32_t acks = p->c.cwnd / (2 * MSS) + 1;
	if (acks > 60)
		acks = 60;
	uint32_t each = p->c.cwnd / acks + 1;
	for (uint32_t i = 0; i < acks; i++) {
		p->now += rtt / acks;
		p->una += each;
		struct cc_ack a = {
			.now = p->now,
			.acked = each,
			.prior_in_flight = p->c.cwnd,
			.snd_una = p->una,
			.snd_nxt = p->una + p->c.cwnd,
			.rtt = rtt,
			.srtt = rtt,
		};
		p->c.ops->ack(&p->c, &a);
		reference_ack(&p->r, seconds(p->now), seconds(rtt), each / (double)MSS);
	}
}

static void pair_compare(const struct pair *p)
{
	double cwnd = p->c.cwnd / (double)MSS;
	double error = fabs(cwnd - p->r.cwnd);
	if (error > 0.1 + p->r.cwnd * 0.004)
		fail_msg("cwnd %f, reference %f at %f (STRATA_SEED=%llu)", cwnd, p->r.cwnd,
			seconds(p->now), (unsigned long long)property_seed);
}

static void pair_reduce(struct pair *p, bool timeout, bool mark)
{
	struct cc_loss l = { .now = p->now, .flight = p->c.cwnd };
	p->before = p->r;
	double flight = p->r.cwnd;
	/* 0.7 and 0.85 are 717 and 870 in 1024 here */
	reference_reduce(&p->r, flight, mark ? 870 / 1024. : 717 / 1024.);
	if (timeout) {
		p->c.ops->timeout(&p->c, &l);
		p->r.w_max = 0;
		p->r.cwnd = 1;
	} else {
		(mark ? p->c.ops->ecn : p->c.ops->loss)(&p->c, &l);
		p->r.cwnd = p->r.ssthresh;
	}
	pair_compare(p);
}

static void random_history(struct rng *g)
{
	struct pair p;
	pair_begin(&p, g);
	nanodiff rtt = NANO_MS + (nanodiff)rng_below(g, 300) * NANO_MS;
	for (unsigned epoch = 0; epoch < 12; epoch++) {
		if (rng_below(g, 4) == 0)
			rtt = NANO_MS + (nanodiff)rng_below(g, 300) * NANO_MS;
		unsigned rounds = 1 + (unsigned)rng_below(g, 60);
		for (unsigned i = 0; i < rounds && p.c.cwnd < 20000 * MSS; i++) {
			pair_round(&p, rtt);
			pair_compare(&p);
		}
		/* on the plateau rounding decides whether fast convergence applies: go on */
		while (fabs(p.r.cwnd - p.r.w_max) < 1 + p.r.cwnd * 0.01)
			pair_round(&p, rtt);
		uint64_t kind = rng_below(g, 8);
		pair_reduce(&p, kind == 0, kind == 1);
		if (kind == 2) { /* it was spurious */
			p.c.ops->undo(&p.c, p.now);
			p.r = p.before;
			pair_compare(&p);
		} else if (kind != 1) {
			p.now += rtt;
			p.c.ops->recovered(&p.c, p.now);
		}
	}
}

static void test_against_reference(void **state)
{
	(void)state;
	property_each(1000, random_history);
}

/* The cube root and the curve, against the real ones. */
static void random_numbers(struct rng *g)
{
	for (unsigned i = 0; i < 1000; i++) {
		uint64_t v = rng_next(g) >> rng_below(g, 64);
		uint64_t root = cubic_root(v);
		check(root * root * root <= v);
		check((unsigned __int128)(root + 1) * (root + 1) * (root + 1) > v);

		uint32_t mss = 100 + (uint32_t)rng_below(g, 9000);
		uint32_t bytes = (uint32_t)rng_below(g, 1u << 30);
		double k = cbrt(bytes / (0.4 * mss)) * CUBIC_SECOND;
		check(fabs(cubic_k(bytes, mss) - k) <= 17);
		int64_t d = (int64_t)rng_below(g, 200 * CUBIC_SECOND) - 100 * CUBIC_SECOND;
		double x = (double)d / CUBIC_SECOND;
		double w = 0.4 * x * x * x * mss;
		check(fabs((double)cubic_curve(d, mss) - w) <= 2 + fabs(w) / 1e4);
	}
	check(cubic_root(0) == 0 && cubic_root(1) == 1 && cubic_root(7) == 1 && cubic_root(8) == 2);
	check(cubic_root(UINT64_MAX) == 2642245);
}

static void test_numbers(void **state)
{
	(void)state;
	property_each(20, random_numbers);
}

/* RFC 9438 4.9: all of it, to the byte; whatever came between. */
static void random_undo(struct rng *g)
{
	struct pair p;
	pair_begin(&p, g);
	for (unsigned i = 0; i < 20; i++)
		pair_round(&p, 50 * NANO_MS);
	if (rng_below(g, 2)) {
		pair_reduce(&p, false, false);
		p.c.ops->recovered(&p.c, p.now);
		for (unsigned i = 0; i < 20; i++)
			pair_round(&p, 50 * NANO_MS);
	}
	struct cc before = p.c;
	uint64_t kind = rng_below(g, 3);
	struct cc_loss l = { .now = p.now, .flight = p.c.cwnd };
	if (kind != 1)
		p.c.ops->loss(&p.c, &l);
	if (kind != 0)
		p.c.ops->timeout(&p.c, &l);
	p.now += 100 * NANO_MS;
	if (rng_below(g, 2))
		p.c.ops->recovered(&p.c, p.now);
	p.c.ops->undo(&p.c, p.now);
	check(p.c.cwnd == before.cwnd && p.c.ssthresh == before.ssthresh);
	/* and it goes on as if nothing had been */
	for (unsigned i = 0; i < 100; i++) {
		p.now += NANO_MS;
		p.una += MSS;
		struct cc_ack a = {
			.now = p.now,
			.acked = MSS,
			.prior_in_flight = 3 * before.cwnd,
			.snd_una = p.una,
			.snd_nxt = p.una + before.cwnd,
			.srtt = 200 * NANO_MS,
		};
		p.c.ops->ack(&p.c, &a);
		before.ops->ack(&before, &a);
		check(p.c.cwnd == before.cwnd || p.c.cwnd + 1 == before.cwnd);
	}
}

static void test_undo(void **state)
{
	(void)state;
	property_each(200, random_undo);
}

static void ack_full(struct cc *c, nanotime now, uint32_t una, uint32_t acked, nanodiff rtt)
{
	struct cc_ack a = {
		.now = now,
		.acked = acked,
		.prior_in_flight = c->cwnd,
		.snd_una = una,
		.snd_nxt = una + c->cwnd,
		.rtt = rtt,
		.srtt = rtt,
	};
	c->ops->ack(c, &a);
}

/* HyStart++: a rising round trip ends the first slow start, with no loss; a steady one doesn't. */
static void test_first_slow_start(void **state)
{
	(void)state;
	for (int rising = 0; rising <= 1; rising++) {
		struct cc c;
		cc_start(&c, &cc_cubic, MSS, 10 * MSS, 1, 0);
		uint32_t una = 0;
		nanotime now = 0;
		unsigned round = 0;
		for (; round < 12 && c.ssthresh == UINT32_MAX; round++) {
			uint32_t window = c.cwnd, end = una + window;
			nanodiff rtt = (20 + (rising && round >= 4 ? 10 : 0)) * NANO_MS;
			while (una != end) {
				uint32_t piece = end - una < MSS ? end - una : MSS;
				now += rtt / (window / MSS);
				una += piece;
				ack_full(&c, now, una, piece, rtt);
			}
			assert_true(c.cwnd <= 2 * window);
			if (!rising)
				assert_int_equal(c.cwnd, 2 * window);
		}
		if (!rising) {
			assert_int_equal(c.ssthresh, UINT32_MAX);
			continue;
		}
		assert_int_equal(c.ssthresh <= c.cwnd, true);
		assert_in_range(round, 9, 10); /* four to learn, five conservative */
		/* at a quarter of the pace: 1.25^5 and not 2^5 */
		assert_in_range(c.ssthresh, 10 * MSS * 16 * 2, 10 * MSS * 16 * 7);
	}
}

/* RFC 9438 5.8: time without a full window is not on the curve's clock. */
static void test_application_limited(void **state)
{
	(void)state;
	struct cc c[2];
	nanodiff rtt = 50 * NANO_MS;
	uint32_t una[2] = { 0, 0 };
	nanotime now[2] = { 0, 0 };
	for (unsigned i = 0; i < 2; i++) {
		cc_start(&c[i], &cc_cubic, MSS, 100 * MSS, 1, 0);
		c[i].ssthresh = 100 * MSS;
		struct cc_loss l = { .flight = 100 * MSS };
		c[i].ops->loss(&c[i], &l);
		c[i].ops->recovered(&c[i], 0);
		for (unsigned n = 0; n < 200; n++)
			ack_full(&c[i], now[i] += rtt / 35, una[i] += 2 * MSS, 2 * MSS, rtt);
	}
	assert_int_equal(c[0].cwnd, c[1].cwnd);
	uint32_t before = c[0].cwnd;
	for (unsigned n = 0; n < 2000; n++) { /* 100 s of requests that fill a tenth */
		now[0] += rtt;
		/* what was in flight of the full window leaves first */
		una[0] += n == 0 ? before : 5 * MSS;
		struct cc_ack a = {
			.now = now[0],
			.acked = 5 * MSS,
			.prior_in_flight = 5 * MSS,
			.snd_una = una[0],
			.snd_nxt = una[0],
			.srtt = rtt,
		};
		c[0].ops->ack(&c[0], &a);
		assert_in_range(c[0].cwnd, before, before + before / 20);
	}
	for (unsigned n = 0; n < 200; n++)
		for (unsigned i = 0; i < 2; i++)
			ack_full(&c[i], now[i] += rtt / 35, una[i] += 2 * MSS, 2 * MSS, rtt);
	assert_in_range(c[0].cwnd, c[1].cwnd - 2 * MSS, c[1].cwnd + 2 * MSS);
}

/* A mark and a loss in one window of data are one congestion event: the plateau is what it was. */
static void test_mark_and_loss(void **state)
{
	(void)state;
	struct cc c[2];
	nanotime now[2] = { 0, 0 };
	uint32_t una[2] = { 0, 0 };
	nanodiff rtt = 100 * NANO_MS;
	for (unsigned i = 0; i < 2; i++) {
		cc_start(&c[i], &cc_cubic, MSS, 10 * MSS, 1, 0);
		c[i].cwnd = c[i].ssthresh = 100 * MSS;
		struct cc_loss l = { .flight = c[i].cwnd };
		c[i].ops->ecn(&c[i], &l);
		l.reduced = true;
		if (i)
			c[i].ops->loss(&c[i], &l);
		c[i].ops->recovered(&c[i], 0);
		for (unsigned n = 0; n < 1000; n++)
			ack_full(&c[i], now[i] += rtt / 35, una[i] += 2 * MSS, 2 * MSS, rtt);
	}
	assert_int_equal(c[0].cwnd, c[1].cwnd);
}

/* A time below 2^bits ns. */
static nanodiff some_time(struct rng *g, unsigned bits)
{
	return (nanodiff)(rng_next(g) >> (64 - bits));
}

/* Whatever comes: bounds, and never more than double in a round. */
static void random_events(struct rng *g)
{
	struct cc c;
	uint32_t mss = 1 + (uint32_t)rng_below(g, 9000);
	cc_start(&c, &cc_cubic, mss, 10 * mss, 1, 0);
	nanotime now = 0;
	uint32_t una = 0;
	for (unsigned i = 0; i < 3000; i++) {
		struct cc_loss l = {
			.now = now,
			.flight = (uint32_t)rng_below(g, 1u << (1 + rng_below(g, 31))),
		};
		uint32_t before = c.cwnd;
		now += some_time(g, 1 + rng_below(g, 44));
		switch (rng_below(g, 50)) {
		case 0: c.ops->loss(&c, &l); break;
		case 1: c.ops->timeout(&c, &l); break;
		case 2: c.ops->recovered(&c, now); break;
		case 3: c.ops->undo(&c, now); break;
		case 4: c.ops->ecn(&c, &l); break;
		case 5: c.ops->idle(&c, some_time(g, 40), NANO_S, now); break;
		default: {
			if (c.phase == CC_RECOVERY) /* PRR's time */
				break;
			uint32_t acked = (uint32_t)rng_below(g, 1u << (1 + rng_below(g, 30)));
			una += acked;
			struct cc_ack a = {
				.now = now,
				.acked = acked,
				.prior_in_flight = l.flight,
				.snd_una = una,
				.snd_nxt = una + l.flight,
				.rtt = some_time(g, 1 + rng_below(g, 40)),
				.srtt = some_time(g, 1 + rng_below(g, 40)),
			};
			c.ops->ack(&c, &a);
			check(c.cwnd >= before);
			check(c.cwnd - before <= acked + mss || c.cwnd <= 2 * before);
		}
		}
		check(c.cwnd >= mss && c.cwnd <= 3u << 30);
		check(c.ssthresh >= 2 * mss);
	}
}

static void test_bounds(void **state)
{
	(void)state;
	property_each(300, random_events);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_against_reference),
		cmocka_unit_test(test_undo),
		cmocka_unit_test(test_first_slow_start),
		cmocka_unit_test(test_application_limited),
		cmocka_unit_test(test_mark_and_loss),
		cmocka_unit_test(test_bounds),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
