/*
 * Bulk goodput over paths of many kinds, held against a curve of our own: what
 * loss recovery, congestion control and buffers make of 50 Mbit/s together. A
 * change that makes recovery worse shows here, however right each segment is.
 *
 * The reference is the median of many seeds (a thousand where losses are drawn and the rate is low:
 * that of 200 strays by 3 % from one set of seeds to another), the model the average window of
 * RFC 9438 (5.1, or Reno's where that is larger) over the round trip, at most what the
 * link carries. A few seeds are run; STRATA_GOODPUT_SEEDS=200 runs all and allows
 * little (`make curves`). After a change for the better the reference is to be
 * written anew from what that prints.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "support/bulk.h"
#include "support/seed.h"

#define RATE      UINT64_C(50000000)
#define SEEDS     5
#define SEEDS_MAX 1000
#define TIME      (20 * NANO_S)
/*
 * Of the reference, in hundredths. A few seeds draw wide: each cell must reach a part of
 * it, and all cells together nearly the whole. Many seeds come near in each; so does what
 * has no loss to draw.
 */
#define FEW_LEAST  40
#define FEW_MEAN   85
#define MANY       100
#define MANY_LEAST 96
#define MANY_MOST  108

/* kbit/s. */
static const struct cell {
	uint32_t loss; /* ppm, both ways */
	unsigned delay_ms;
	uint32_t reference, model;
} cells[] = {
	{ 0, 1, 47069, 47074 },
	{ 0, 20, 46770, 47074 },
	{ 0, 100, 44459, 47074 },
	{ 1000, 1, 47021, 47074 },
	{ 1000, 20, 14875, 11216 },
	{ 1000, 100, 7565, 3246 },
	{ 10000, 1, 45085, 47074 },
	{ 10000, 20, 3980, 3547 },
	{ 10000, 100, 1083, 709 },
	{ 30000, 1, 32271, 36244 },
	{ 30000, 20, 2075, 2048 },
	{ 30000, 100, 513, 410 },
};

#define CELLS (sizeof cells / sizeof *cells)

static int compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return (x > y) - (x < y);
}

static uint32_t median(const struct cell *c, uint64_t first, unsigned seeds)
{
	static uint32_t rate[SEEDS_MAX];
	uint64_t round_trip = RATE / 8 * 2 * c->delay_ms / 1000;
	for (unsigned i = 0; i < seeds; i++) {
		const struct bulk_path p = { .seed = first + i,
			.rate = RATE,
			.delay = c->delay_ms * NANO_MS,
			.loss = c->loss,
			.queue_bytes = round_trip < 151400 ? 151400 : (uint32_t)round_trip };
		struct bulk_result r = bulk_run(&p, TIME);
		rate[i] = (uint32_t)(bulk_rate(&p, &r, TIME) / 1000);
	}
	qsort(rate, seeds, sizeof *rate, compare);
	return seeds % 2 ? rate[seeds / 2] : (rate[seeds / 2 - 1] + rate[seeds / 2]) / 2;
}

static void goodput_is_what_it_was(void **state)
{
	(void)state;
	const char *asked = getenv("STRATA_GOODPUT_SEEDS");
	unsigned seeds = asked ? (unsigned)strtoul(asked, NULL, 0) : SEEDS, worse = 0, better = 0;
	double sum = 0;
	assert_in_range(seeds, 1, SEEDS_MAX);
	printf("  loss   delay   kbit/s  of reference  of model  (median of %u seeds)\n", seeds);
	for (unsigned i = 0; i < CELLS; i++) {
		const struct cell *c = &cells[i];
		bool few = c->loss && seeds < MANY;
		unsigned least = few ? FEW_LEAST : MANY_LEAST;
		uint32_t rate = median(c, test_seed(), c->loss || seeds >= MANY ? seeds : 1);
		double ratio = (double)rate / c->reference;
		bool low = ratio * 100 < least, high = seeds >= MANY && ratio * 100 > MANY_MOST;
		printf("%5.1f %%  %3u ms  %7u  %12.2f  %8.2f%s\n", c->loss / 1e4, c->delay_ms, rate,
			ratio, (double)rate / c->model,
			low            ? "  too little"
				: high ? "  more than the reference: write it anew"
				       : "");
		fflush(stdout);
		worse += low;
		better += high;
		sum += ratio;
	}
	assert_int_equal(worse, 0);
	assert_int_equal(better, 0);
	assert_true(sum * 100 > CELLS * FEW_MEAN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(goodput_is_what_it_was),
	};
	return test_seed_report(cmocka_run_group_tests(tests, NULL, NULL));
}
