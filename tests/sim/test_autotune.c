/*
 * Buffers that grow: a long path of 50 Mbit/s fills although no buffer began as
 * large as it; what does not need it stays small; and who sizes a buffer has it
 * that way.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "support/bulk.h"
#include "support/seed.h"

#define RATE  UINT64_C(50000000)
#define START (64u * 1024)
/* What is left of the rate for data: 1448 of 1538 bytes on the wire. */
#define DATA 0.94

static struct stack_config config_of(uint32_t start, uint32_t most)
{
	struct stack_config c;
	bulk_config(&c);
	c.transport.send_buffer = c.transport.receive_buffer = start;
	c.transport.send_buffer_max = c.transport.receive_buffer_max = most;
	return c;
}

static struct bulk_path long_path(
	const struct stack_config *sender, const struct stack_config *receiver)
{
	return (struct bulk_path){ .seed = test_seed(),
		.rate = RATE,
		.delay = 100 * NANO_MS,
		.queue_bytes = 8u << 20, /* nothing is lost: it is about buffers */
		.sender = sender,
		.receiver = receiver,
		.warm_up = 10 * NANO_S };
}

static double share(const struct bulk_path *p)
{
	const nanodiff time = 20 * NANO_S;
	struct bulk_result r = bulk_run(p, time);
	return bulk_rate(p, &r, time) / ((double)p->rate * DATA);
}

static void a_long_path_fills(void **state)
{
	(void)state;
	struct stack_config grows = config_of(START, 4u << 20), fixed = config_of(START, 0);
	struct stack_config large = config_of(4u << 20, 0);
	struct bulk_path p = long_path(&grows, &grows);
	double both = share(&p);
	assert_true(both > 0.9);
	/* As good as buffers that were large from the beginning. */
	p = long_path(&large, &large);
	assert_true(both > 0.97 * share(&p));
	/* And either of the two is needed: 64 KB in 200 ms are 2.6 Mbit/s. */
	p = long_path(&fixed, &large);
	assert_true(share(&p) < 0.07);
	p = long_path(&large, &fixed);
	assert_true(share(&p) < 0.07);
}

/* Slow start is not held up: the window is there before the sender needs it. */
static void slow_start_is_not_held_up(void **state)
{
	(void)state;
	struct stack_config grows = config_of(START, 4u << 20), large = config_of(4u << 20, 0);
	struct bulk_path p = long_path(&large, &grows);
	p.warm_up = 0;
	struct bulk_result with = bulk_run(&p, 2 * NANO_S);
	p.receiver = &large;
	struct bulk_result without = bulk_run(&p, 2 * NANO_S);
	assert_true(with.bytes > without.bytes * 9 / 10);
}

/* A sender that has no more than 64 KB under way needs no large window, however long it sends. */
static void a_small_sender_gets_a_small_window(void **state)
{
	(void)state;
	struct stack_config grows = config_of(START, 4u << 20), fixed = config_of(START, 0);
	struct bulk_path p = long_path(&fixed, &grows);
	p.delay = NANO_MS;
	struct bulk_result r = bulk_run(&p, 20 * NANO_S);
	assert_true(bulk_rate(&p, &r, 20 * NANO_S) > (double)RATE * DATA * 0.95);
	assert_in_range(r.receive_window_max, START - 1514, 512 * 1024);
}

/* What waited behind a hole comes all at once, and is no measure of the path: 165 KB here. */
static void holes_do_not_count(void **state)
{
	(void)state;
	struct stack_config grows = config_of(START, 4u << 20);
	struct bulk_path p = long_path(&grows, &grows);
	p.delay = NANO_MS;
	p.queue_bytes = 100 * 1514;
	struct bulk_result r = bulk_run(&p, 20 * NANO_S);
	assert_true(bulk_rate(&p, &r, 20 * NANO_S) > (double)RATE * DATA * 0.95);
	assert_in_range(r.receive_window_max, 128 * 1024, 1024 * 1024);
}

/* A reader that reads slowly is no reason to hold more for it. */
static void a_slow_reader_stays_small(void **state)
{
	(void)state;
	struct stack_config grows = config_of(START, 4u << 20);
	struct bulk_path p = long_path(&grows, &grows);
	p.delay = 10 * NANO_MS;
	p.read_every = 10 * NANO_MS;
	p.read_most = 4096;
	struct bulk_result r = bulk_run(&p, 20 * NANO_S);
	assert_true(r.bytes > 0);
	assert_in_range(r.receive_window_max, 32768, START);
}

static void a_limit_holds(void **state)
{
	(void)state;
	struct stack_config grows = config_of(START, 200000);
	struct bulk_path p = long_path(&grows, &grows);
	struct bulk_result r = bulk_run(&p, 15 * NANO_S);
	assert_in_range(r.receive_window_max, 150000, 200000);
	assert_in_range(r.sender.unacked + r.sender.unsent, 1, 200000);
}

/* Half of the memory is for those that come later. */
static void scarce_memory_is_not_taken(void **state)
{
	(void)state;
	struct stack_config grows = config_of(START, 4u << 20);
	grows.transport.blocks = 256;
	grows.transport.big_blocks = 4;
	struct bulk_path p = long_path(&grows, &grows);
	struct bulk_result r = bulk_run(&p, 20 * NANO_S);
	assert_true(r.bytes > 1000000);
}

/* The window scale fits the largest buffer that may come (RFC 7323 2.3). */
static void the_scale_fits(void **state)
{
	(void)state;
	static const struct {
		uint32_t start, most;
		uint8_t shift;
	} cases[] = { { 65535, 0, 0 }, { 65536, 0, 1 }, { START, 4u << 20, 7 },
		{ 1u << 20, 1 << 18, 5 } };
	for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct stack_config c = config_of(cases[i].start, cases[i].most);
		struct bulk_path p = long_path(NULL, &c);
		p.warm_up = 0;
		struct bulk_result r = bulk_run(&p, NANO_S);
		assert_int_equal(r.sender.snd_wscale, cases[i].shift);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_long_path_fills),
		cmocka_unit_test(slow_start_is_not_held_up),
		cmocka_unit_test(a_small_sender_gets_a_small_window),
		cmocka_unit_test(holes_do_not_count),
		cmocka_unit_test(a_slow_reader_stays_small),
		cmocka_unit_test(a_limit_holds),
		cmocka_unit_test(scarce_memory_is_not_taken),
		cmocka_unit_test(the_scale_fits),
	};
	return test_seed_report(cmocka_run_group_tests(tests, NULL, NULL));
}
