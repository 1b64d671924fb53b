/*
 * Pacing: the rate over time is the rate asked for, whatever the timers are like; what
 * may leave at once is bounded; sizes of frames.
 */
#include "unit/base/property.h"

#include "transport/recovery/pacer.h"

#define MSS 1460u

/* Over a second, with timers that come late by up to `slack`. Returns bytes sent. */
static uint64_t run(struct rng *g, uint64_t rate, uint32_t frame, uint32_t burst, nanodiff slack)
{
	struct pacer p = { 0 };
	uint64_t sent = 0;
	nanotime start = 5 * NANO_S, now = start;
	while (now < start + NANO_S) {
		uint64_t before = sent;
		for (; pacer_allows(&p, now); sent += frame)
			pacer_sent(&p, rate, frame, burst, now);
		check(sent - before <= (uint64_t)burst + 2 * frame);
		nanotime next = pacer_next(&p);
		check(next > now);
		now = next + (slack ? (nanodiff)rng_below(g, (uint32_t)slack) : 0);
	}
	return sent;
}

static void random_rates(struct rng *g)
{
	uint64_t rate = 1000 + rng_next(g) % (5u << (10 + rng_below(g, 18)));
	uint32_t frame = MSS * (1 + rng_below(g, 40));
	uint32_t burst = 2 * frame;
	uint64_t exact = run(g, rate, frame, burst, 0);
	check(exact >= rate - rate / 1000 && exact <= rate + rate / 1000 + burst + 2 * frame);
	/* late by less than the burst takes: nothing is lost */
	uint64_t span = (uint64_t)burst * NANO_S / rate;
	nanodiff slack = span > 100 * NANO_MS ? 100 * NANO_MS : (nanodiff)span / 2 + 1;
	uint64_t late = run(g, rate, frame, burst, slack);
	check(late + burst + 2 * frame >= rate - rate / 1000);
	check(late <= rate + rate / 1000 + burst + 2 * frame);
}

static void test_rates(void **state)
{
	(void)state;
	property_each(300, random_rates);
}

/* After silence a burst and no more; the silence is not made up for. */
static void test_idle(void **state)
{
	(void)state;
	struct pacer p = { 0 };
	nanotime now = NANO_S;
	for (unsigned round = 0; round < 3; round++, now += 100 * NANO_S) {
		unsigned frames = 0;
		for (; pacer_allows(&p, now); frames++)
			pacer_sent(&p, 1000000, MSS, 4 * MSS, now);
		assert_in_range(frames, 4, 5);
	}
	pacer_sent(&p, 0, 1u << 30, 0, now); /* unpaced */
	assert_true(pacer_allows(&p, now));
}

static void test_quantum(void **state)
{
	(void)state;
	assert_int_equal(pacer_quantum(0, MSS, 65535), 65535 / MSS * MSS);
	assert_int_equal(pacer_quantum(0, MSS, 0), 65536 / MSS * MSS);
	assert_int_equal(pacer_quantum(100000, MSS, 0), MSS);
	assert_int_equal(pacer_quantum(1000000, MSS, 0), 2 * MSS);
	assert_int_equal(pacer_quantum(10 * 1000 * MSS, MSS, 0), 10 * MSS);
	assert_int_equal(pacer_quantum(10 * 1000 * MSS, MSS, MSS), MSS);
	assert_int_equal(pacer_quantum(10 * 1000 * MSS, MSS, 1), MSS);
	assert_int_equal(pacer_quantum(1ull << 40, MSS, 20000), 20000 / MSS * MSS);
}

static void test_window_rate(void **state)
{
	(void)state;
	assert_int_equal(pacer_window_rate(100000, UINT32_MAX, 0), 0);
	assert_int_equal(pacer_window_rate(100000, UINT32_MAX, 100 * NANO_MS), 2000000);
	assert_int_equal(pacer_window_rate(100000, 150000, 100 * NANO_MS), 1200000);
	assert_int_equal(pacer_window_rate(100000, 50000, 100 * NANO_MS), 1200000);
	assert_true(pacer_window_rate(1u << 30, UINT32_MAX, 1) > 1ull << 60);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rates),
		cmocka_unit_test(test_idle),
		cmocka_unit_test(test_quantum),
		cmocka_unit_test(test_window_rate),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
