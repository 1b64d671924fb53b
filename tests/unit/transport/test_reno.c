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
	cc_start(&c, &cc_reno, MSS, 10 * MSS, 0);
	assert_int_equal(c.cwnd, 10 * MSS);
	assert_true(cc_in_slow_start(&c));
	c.cwnd = cwnd;
	return c;
}

static void ack(struct cc *c, uint32_t acked, uint32_t in_flight)
{
	struct cc_ack a = { .acked = acked, .in_flight = in_flight };
	c->ops->ack(c, &a);
}

/* RFC 5681 3.1: what is acknowledged is added; a window doubles it, however it is divided
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

/* One MSS for each window acknowledged, in pieces of any size. */
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
	c.ops->loss(&c, 16 * MSS, 0);
	assert_int_equal(c.cwnd, 8 * MSS);
	assert_int_equal(c.ssthresh, 8 * MSS);
	c.ops->recovered(&c, 0);
	assert_int_equal(c.cwnd, 8 * MSS);
	c.ops->loss(&c, MSS, 0);
	assert_int_equal(c.cwnd, 2 * MSS);
	c.ops->timeout(&c, 12 * MSS, 0);
	assert_int_equal(c.cwnd, MSS);
	assert_int_equal(c.ssthresh, 6 * MSS);
	c.ops->timeout(&c, 0, 0);
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

/* RFC 5681 4.1: never more than the initial window after idle, never more than it was. */
static void test_idle(void **state)
{
	(void)state;
	struct cc c = begin(50 * MSS);
	c.ssthresh = 30 * MSS;
	c.ops->idle(&c, NANO_S, NANO_MS);
	assert_int_equal(c.cwnd, 10 * MSS);
	assert_int_equal(c.ssthresh, 30 * MSS);
	c.cwnd = 3 * MSS;
	c.ops->idle(&c, NANO_S, NANO_MS);
	assert_int_equal(c.cwnd, 3 * MSS);
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
			c.ops->loss(&c, flight, 0);
			check(c.cwnd == c.ssthresh && c.cwnd >= 2 * MSS);
			break;
		case 1:
			c.ops->timeout(&c, flight, 0);
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
		cmocka_unit_test(test_bounds),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
