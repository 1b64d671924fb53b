/*
 * Congestion control in the whole stack, chosen by the config: every algorithm
 * fills a path without loss, BBR fills one that loses a segment in a hundred and
 * leaves the queue of a deep buffer short. Two flows of CUBIC's share a line by halves.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "support/bulk.h"
#include "support/seed.h"

#include "transport/congestion/congestion.h"

#define RATE UINT64_C(50000000)

static struct bulk_result run(
	uint8_t kind, unsigned delay_ms, uint32_t loss, uint32_t queue, double *used)
{
	struct stack_config c;
	bulk_config(&c);
	c.transport.congestion = kind;
	const struct bulk_path p = { .seed = test_seed(),
		.rate = RATE,
		.delay = delay_ms * NANO_MS,
		.loss = loss,
		.queue_bytes = queue,
		.sender = &c,
		.warm_up = 5 * NANO_S };
	struct bulk_result r = bulk_run(&p, 20 * NANO_S);
	*used = bulk_rate(&p, &r, 20 * NANO_S) / RATE;
	assert_string_equal(r.sender.congestion, cc_of(kind)->name);
	return r;
}

static void each_fills_a_clean_path(void **state)
{
	(void)state;
	static const unsigned delays[] = { 1, 10, 50 };
	for (uint8_t kind = CC_RENO; kind < CC_KINDS; kind++)
		for (unsigned d = 0; d < 3; d++) {
			uint64_t round_trip = RATE / 8 * 2 * delays[d] / 1000;
			double used;
			run(kind, delays[d], 0, round_trip < 151400 ? 151400 : (uint32_t)round_trip,
				&used);
			assert_true(used > (kind == CC_RENO ? 0.8 : 0.88));
		}
}

static void bbr_takes_chance_for_chance(void **state)
{
	(void)state;
	double cubic, bbr;
	run(CC_CUBIC, 20, 10000, 250000, &cubic);
	run(CC_BBR, 20, 10000, 250000, &bbr);
	assert_true(bbr > 0.7 && bbr > 4 * cubic);
}

static void bbr_leaves_the_queue_short(void **state)
{
	(void)state;
	double used;
	struct bulk_result cubic = run(CC_CUBIC, 20, 0, 1000000, &used);
	assert_true(cubic.sender.srtt > 80 * NANO_MS);
	struct bulk_result bbr = run(CC_BBR, 20, 0, 1000000, &used);
	assert_true(bbr.sender.srtt < 60 * NANO_MS);
}

/* A loss now and then, and seeds: without chance two flows keep what the start gave them. */
static void two_share_a_line(void **state)
{
	(void)state;
	static const unsigned delays[] = { 1, 20 };
	for (unsigned d = 0; d < 2; d++) {
		double one = 0, other = 0;
		for (unsigned i = 0; i < 4; i++) {
			const struct bulk_path p = { .seed = test_seed() + i,
				.rate = RATE,
				.delay = delays[d] * NANO_MS,
				.queue_bytes = delays[d] == 1 ? 151400 : 250000,
				.loss = 20,
				.warm_up = 20 * NANO_S,
				.other = (1 + i * 7) * NANO_MS };
			struct bulk_result r = bulk_run(&p, 60 * NANO_S);
			one += (double)r.bytes;
			other += (double)r.other_bytes;
		}
		print_message("%u ms: %.2f\n", delays[d], one / other);
		assert_true(one / other > 0.8 && one / other < 1.25);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_fills_a_clean_path),
		cmocka_unit_test(bbr_takes_chance_for_chance),
		cmocka_unit_test(bbr_leaves_the_queue_short),
		cmocka_unit_test(two_share_a_line),
	};
	return test_seed_report(cmocka_run_group_tests(tests, NULL, NULL));
}
