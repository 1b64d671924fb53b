/*
 * NewReno's window as numbers: slow start, congestion avoidance, halving, the loss
 * window, what does not grow it, and the restart after idle.
 */
#include "unit/base/property.h"

#include "transport/congestion/congestion.h"

#define MSS 1000u

static struct cc begin(uint32_t cwnd)
{
	struct cc c;
	cc_start(&c, &cc_reno, MSS, 10 * MSS, 1, 0);
	assert_int_equal(c.cwnd, 10 * MSS);
	assert_true(cc_in_slow_start(&c));
	c.cwnd = cwnd;
	return c;
}

static uint32_t una;

static void ack(struct cc *c, uint32_t acked, uint32_t in_flight)
{
	struct cc_ack a = { .acked = acked, .prior_in_flight = in_flight };
	una += acked;
	a.snd_una = una;
	a.snd_nxt = una + in_flight;
	c->ops->ack(c, &a);
}

static void lose(struct cc *c, uint32_t flight)
{
	struct cc_loss l = { .flight = flight };
	c->ops->loss(c, &l);
}

static void time_out(struct cc *c, uint32_t flight)
{
	struct cc_loss l = { .flight = flight };
	c->ops->timeout(c, &l);
}

/* MUST-19, RFC 5681 3.1: what is acknowledged is added; a window doubles it, however it is divided
 * (TCP-51). */
static void test_slow_start(void **state)
{
	(void)state;
	for (uint32_t piece = 1; piece <= 2 * MSS; piece *= 10) {
		struct cc c = begin(10 * MSS);
		for (uint32_t done = 0; done < 10 * MSS; done += piece)
			ack(&c, piece, 10 * MSS);
		assert_int_equal(c.cwnd, 20 * MSS);
	}
}

/* MUST-19: one MSS for each window acknowledged, in pieces of any size. */
static void test_congestion_avoidance(void **state)
{
	(void)state;
	for (uint32_t piece = 10; piece <= 2 * MSS; piece *= 10) {
		struct cc c = begin(20 * MSS);
		c.ssthresh = 10 * MSS;
		for (uint32_t done = 0; done < 20 * MSS; done += piece)
			ack(&c, piece, 20 * MSS);
		assert_int_equal(c.cwnd, 21 * MSS);
		for (uint32_t done = 0; done < 21 * MSS; done += piece)
			ack(&c, piece, 21 * MSS);
		assert_true(c.cwnd == 22 * MSS);
	}
}

/* An ACK that passes ssthresh counts in part for each. */
static void test_border(void **state)
{
	(void)state;
	struct cc c = begin(10 * MSS);
	c.ssthresh = 10 * MSS + 500;
	ack(&c, 2 * MSS, 10 * MSS);
	assert_int_equal(c.cwnd, c.ssthresh);
	assert_int_equal(c.counted, 1500);
}

/* RFC 5681 (4): half of the flight, not less than two segments. */
static void test_loss(void **state)
{
	(void)state;
	struct cc c = begin(20 * MSS);
	lose(&c, 16 * MSS);
	assert_int_equal(c.cwnd, 8 * MSS);
	assert_int_equal(c.ssthresh, 8 * MSS);
	c.ops->recovered(&c, 0);
	assert_int_equal(c.cwnd, 8 * MSS);
	lose(&c, MSS);
	assert_int_equal(c.cwnd, 2 * MSS);
	time_out(&c, 12 * MSS);
	assert_int_equal(c.cwnd, MSS);
	assert_int_equal(c.ssthresh, 6 * MSS);
	time_out(&c, 0);
	assert_int_equal(c.ssthresh, 2 * MSS);
}

/* A window that was not used was not tested. */
static void test_not_limited(void **state)
{
	(void)state;
	struct cc c = begin(20 * MSS);
	ack(&c, MSS, 9 * MSS);
	assert_int_equal(c.cwnd, 20 * MSS);
	c.ssthresh = 10 * MSS;
	for (unsigned i = 0; i < 100; i++)
		ack(&c, MSS, 15 * MSS);
	assert_int_equal(c.cwnd, 20 * MSS);
}

/* RFC 2861: a halving for each RTO, down to the initial window; the threshold remembers. */
static void test_idle(void **state)
{
	(void)state;
	struct cc c = begin(50 * MSS);
	c.ssthresh = 30 * MSS;
	c.ops->idle(&c, NANO_S, NANO_S, 0);
	assert_int_equal(c.cwnd, 25 * MSS);
	assert_int_equal(c.ssthresh, 50 * MSS * 3 / 4);
	c.ops->idle(&c, NANO_S, NANO_MS, 0);
	assert_int_equal(c.cwnd, 10 * MSS);
	assert_int_equal(c.ssthresh, 50 * MSS * 3 / 4);
	c.cwnd = 3 * MSS;
	c.ops->idle(&c, NANO_S, NANO_MS, 0);
	assert_int_equal(c.cwnd, 3 * MSS);
}

/* What a loss or a timeout took comes back whole, once, during recovery and after it. */
static void test_undo(void **state)
{
	(void)state;
	for (unsigned kind = 0; kind < 8; kind++) {
		struct cc c = begin(40 * MSS);
		c.ssthresh = 33 * MSS;
		if (kind & 1)
			lose(&c, 40 * MSS);
		if (kind & 2 || !(kind & 1))
			time_out(&c, 40 * MSS);
		if (kind & 4)
			c.ops->recovered(&c, 0);
		c.ops->undo(&c, 0);
		assert_int_equal(c.cwnd, 40 * MSS);
		assert_int_equal(c.ssthresh, 33 * MSS);
		assert_int_equal(c.phase, CC_OPEN);
		c.cwnd = 20 * MSS;
		c.ops->undo(&c, 0);
		assert_int_equal(c.cwnd, 20 * MSS);
	}
}

/* RFC 8511: a mark takes a fifth, and what it took is not for undo to give back. */
static void test_mark(void **state)
{
	(void)state;
	struct cc c = begin(40 * MSS);
	lose(&c, 40 * MSS);
	c.ops->recovered(&c, 0);
	struct cc_loss l = { .flight = 20 * MSS };
	c.ops->ecn(&c, &l);
	assert_in_range(c.cwnd, 16 * MSS - MSS / 50, 16 * MSS);
	assert_int_equal(c.ssthresh, c.cwnd);
	c.ops->undo(&c, 0);
	assert_in_range(c.cwnd, 16 * MSS - MSS / 50, 16 * MSS);
}

/* Whatever comes, the window stays between a segment and a sane most. */
static void random_events(struct rng *r)
{
	struct cc c = begin(10 * MSS);
	for (unsigned i = 0; i < 2000; i++) {
		uint32_t flight = (uint32_t)rng_below(r, 1u << 31);
		uint32_t before = c.cwnd;
		switch (rng_below(r, 40)) {
		case 0:
			lose(&c, flight);
			check(c.cwnd == c.ssthresh && c.cwnd >= 2 * MSS);
			break;
		case 1:
			time_out(&c, flight);
			check(c.cwnd == MSS);
			break;
		default: {
			uint32_t acked = (uint32_t)rng_below(r, 1u << 30);
			ack(&c, acked, flight);
			check(c.cwnd >= before && c.cwnd - before <= acked + MSS);
		}
		}
		check(c.cwnd >= MSS && c.cwnd <= 1u << 31);
	}
}

static void test_bounds(void **state)
{
	(void)state;
	property_each(100, random_events);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_slow_start),
		cmocka_unit_test(test_congestion_avoidance),
		cmocka_unit_test(test_border),
		cmocka_unit_test(test_loss),
		cmocka_unit_test(test_not_limited),
		cmocka_unit_test(test_idle),
		cmocka_unit_test(test_undo),
		cmocka_unit_test(test_mark),
		cmocka_unit_test(test_bounds),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
