/*
 * Paths that swallow what is larger than they can carry, and no ICMP tells (RFC 2923): a transfer
 * that hangs for ever without a search finishes with it, and ends near what the path takes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "support/bulk.h"

#define RATE UINT64_C(20000000)
#define OWN  1500 /* the link's */

static struct bulk_result run(const struct bulk_path *path, uint8_t probing, nanodiff time)
{
	struct stack_config c;
	struct bulk_path p = *path;
	bulk_config(&c);
	c.transport.mtu_probing = probing;
	c.transport.mtu_interval = 5 * NANO_S;
	p.seed = 1;
	p.rate = RATE;
	p.delay = 10 * NANO_MS;
	p.queue_bytes = 100000;
	p.sender = &c;
	return bulk_run(&p, time);
}

static void expect_near(uint32_t mtu, uint32_t hole)
{
	if (mtu > hole || mtu + 8 < hole)
		fail_msg("the search ended at %u, and the path takes %u", mtu, hole);
}

/* The hole is there before the first byte. */
static void test_from_the_beginning(void **state)
{
	static const uint32_t holes[] = { 1492, 1400, 1280, 1006, 600, 576 };
	(void)state;
	for (unsigned i = 0; i < sizeof holes / sizeof *holes; i++) {
		struct bulk_path p = { .hole_mtu = holes[i] };
		struct bulk_result r = run(&p, MTU_PROBING_OFF, 60 * NANO_S);
		assert_int_equal(r.bytes, 0);
		assert_int_equal(r.sender.path_mtu, OWN);
		r = run(&p, MTU_PROBING_BLACK_HOLE, 30 * NANO_S);
		printf("%u: %llu bytes, MTU %u, %u larger segments\n", holes[i],
			(unsigned long long)r.bytes, r.sender.path_mtu, r.sender.mtu_probes);
		assert_true(r.bytes > RATE / 8 * 15);
		expect_near(r.sender.path_mtu, holes[i]);
		assert_in_range(r.sender.black_holes, 1, 2);
	}
}

/* From the first segment on only what every path takes: nothing hangs, and nothing is reduced. */
static void test_search_from_the_beginning(void **state)
{
	static const uint32_t holes[] = { 0, 1492, 1280, 1100 };
	(void)state;
	for (unsigned i = 0; i < sizeof holes / sizeof *holes; i++) {
		struct bulk_path p = { .hole_mtu = holes[i] };
		struct bulk_result r = run(&p, MTU_PROBING_ALWAYS, 4 * NANO_S);
		printf("%u: %llu bytes, MTU %u, %u larger segments, %llu timeouts\n", holes[i],
			(unsigned long long)r.bytes, r.sender.path_mtu, r.sender.mtu_probes,
			(unsigned long long)r.sender.rtos);
		assert_int_equal(r.sender.black_holes, 0);
		assert_int_equal(r.sender.rtos, 0);
		expect_near(r.sender.path_mtu, holes[i] ? holes[i] : OWN);
	}
}

/* It comes in the middle of the transfer; when it goes again, the segments grow. */
static void test_comes_and_goes(void **state)
{
	(void)state;
	struct bulk_path p = { .hole_mtu = 1300, .hole_from = 3 * NANO_S };
	struct bulk_result r = run(&p, MTU_PROBING_OFF, 20 * NANO_S);
	assert_true(r.bytes < RATE / 8 * 4);
	r = run(&p, MTU_PROBING_BLACK_HOLE, 20 * NANO_S);
	assert_true(r.bytes > RATE / 8 * 14);
	expect_near(r.sender.path_mtu, 1300);
	p.hole_until = 10 * NANO_S;
	r = run(&p, MTU_PROBING_BLACK_HOLE, 40 * NANO_S);
	expect_near(r.sender.path_mtu, OWN);
}

/* Nothing at all arrives for a while: that looks the same, and leaves nothing behind. */
static void test_outage(void **state)
{
	(void)state;
	struct bulk_path p = { .hole_mtu = 1, .hole_from = 3 * NANO_S, .hole_until = 10 * NANO_S };
	struct bulk_result r = run(&p, MTU_PROBING_BLACK_HOLE, 20 * NANO_S);
	assert_in_range(r.sender.black_holes, 1, 4);
	assert_int_equal(r.sender.mtu_probes, 1);
	assert_int_equal(r.sender.path_mtu, OWN);
}

/* A path that loses: that a larger segment got lost by chance costs a little of its size at most
 * until the next search. */
static void test_lossy_path(void **state)
{
	(void)state;
	struct bulk_path p = { .hole_mtu = 1400, .loss = 10000 };
	struct bulk_result r = run(&p, MTU_PROBING_BLACK_HOLE, 60 * NANO_S);
	assert_in_range(r.sender.path_mtu, 1076, 1400);
	assert_true(r.bytes > 5000000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_from_the_beginning),
		cmocka_unit_test(test_search_from_the_beginning),
		cmocka_unit_test(test_comes_and_goes),
		cmocka_unit_test(test_outage),
		cmocka_unit_test(test_lossy_path),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
