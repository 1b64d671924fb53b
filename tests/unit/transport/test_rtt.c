/*
 * The round-trip estimator against RFC 6298's own formulas in floating point, and
 * its bounds: samples of zero, of days and of negative length, RTO limits, back-off.
 */
#include <math.h>

#include "unit/base/property.h"

#include "transport/recovery/rtt.h"

#define MIN (200 * NANO_MS)
#define MAX (60 * NANO_S)

static nanodiff rto(const struct rtt *r)
{
	return rtt_rto(r, NANO_S, MIN, MAX);
}

/* 2.1 .. 2.3 */
static void test_first_samples(void **state)
{
	(void)state;
	struct rtt r = { 0 };
	assert_int_equal(rto(&r), NANO_S);
	rtt_sample(&r, 100 * NANO_MS);
	assert_int_equal(rtt_smoothed(&r), 100 * NANO_MS);
	assert_int_equal(rtt_deviation(&r), 50 * NANO_MS);
	assert_int_equal(rto(&r), 300 * NANO_MS);
	rtt_sample(&r, 200 * NANO_MS);
	/* RTTVAR = 3/4 * 50 + 1/4 * 100 = 62.5, SRTT = 7/8 * 100 + 1/8 * 200 = 112.5 */
	assert_int_equal(rtt_smoothed(&r), 112500 * NANO_US);
	assert_int_equal(rtt_deviation(&r), 62500 * NANO_US);
	assert_int_equal(rto(&r), (112500 + 4 * 62500) * NANO_US);
}

static void random_samples(struct rng *g)
{
	struct rtt r = { 0 };
	double srtt = 0, rttvar = 0, scale = (double)(1 + rng_below(g, 2000000));
	for (unsigned i = 0; i < 200; i++) {
		uint64_t us = 1 + rng_below(g, (uint32_t)scale);
		rtt_sample(&r, (nanodiff)us * NANO_US);
		if (i == 0) {
			srtt = (double)us;
			rttvar = (double)us / 2;
		} else {
			rttvar = 0.75 * rttvar + 0.25 * fabs(srtt - (double)us);
			srtt = 0.875 * srtt + 0.125 * (double)us;
		}
		/* whole microseconds round each step off; the error does not grow */
		check(fabs((double)rtt_smoothed(&r) / NANO_US - srtt) < 10);
		check(fabs((double)rtt_deviation(&r) / NANO_US - rttvar) < 10);
		check(rto(&r) <= MAX && rto(&r) >= rtt_smoothed(&r) + MIN);
	}
}

static void test_formulas(void **state)
{
	(void)state;
	property_each(200, random_samples);
}

/* TCP-66: no sample, however odd, gives an RTO out of bounds. */
static void random_odd_samples(struct rng *g)
{
	static const nanodiff odd[] = { 0, 1, -1, NANO_US, 1000000 * NANO_S, INT64_MAX, INT64_MIN,
		-NANO_S, 536 * NANO_S, 537 * NANO_S };
	struct rtt r = { 0 };
	for (unsigned i = 0; i < 200; i++) {
		rtt_sample(&r, odd[rng_below(g, sizeof odd / sizeof odd[0])]);
		check(r.srtt >= 8);
		check(rto(&r) >= MIN && rto(&r) <= MAX);
		check(rtt_smoothed(&r) <= 537 * NANO_S);
	}
}

static void test_odd_samples(void **state)
{
	(void)state;
	property_each(200, random_odd_samples);
}

/* 5.5: doubled each time up to the limit, which no count of doublings passes. */
static void test_backoff(void **state)
{
	(void)state;
	nanodiff expected = MIN;
	for (unsigned i = 0; i < 300; i++) {
		assert_int_equal(rtt_backoff(MIN, i, MAX), expected);
		expected = expected * 2 < MAX ? expected * 2 : MAX;
	}
	assert_int_equal(rtt_backoff(MAX, UINT32_MAX, MAX), MAX);
	assert_int_equal(rtt_backoff(NANO_MS, 255, INT64_MAX / 4), INT64_MAX / 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_first_samples),
		cmocka_unit_test(test_formulas),
		cmocka_unit_test(test_odd_samples),
		cmocka_unit_test(test_backoff),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
