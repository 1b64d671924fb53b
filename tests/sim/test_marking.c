/*
 * What a queue gains that marks instead of dropping (RFC 3168, RFC 8087): a bulk
 * transfer that loses nothing, at no less goodput; and what paths do to it that
 * clear the marks, mark everything, or refuse who asks for it.
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
#include "transport/transport.h"

#define RATE  UINT64_C(20000000)
#define QUEUE 30 /* frames: half of what the path holds */
#define TIME  (20 * NANO_S)

/* Both ends use ECN so, but for who asks: the other end only answers. */
static struct bulk_result run(unsigned use, uint8_t kind, struct bulk_path p, double *used)
{
	struct stack_config c;
	bulk_config(&c);
	c.transport.congestion = kind;
	c.transport.ecn = (uint8_t)use;
	p.seed = test_seed();
	p.rate = RATE;
	p.delay = 20 * NANO_MS;
	p.sender = &c;
	p.receiver = use >= ECN_USE_ACCURATE ? &c : NULL;
	p.warm_up = 5 * NANO_S;
	struct bulk_result r = bulk_run(&p, TIME);
	*used = bulk_rate(&p, &r, TIME) / RATE;
	return r;
}

static void marks_instead_of_losses(void **state)
{
	(void)state;
	for (uint8_t kind = CC_RENO; kind <= CC_CUBIC; kind++) {
		double marked, dropped;
		struct bulk_result with = run(ECN_USE_ASK, kind,
			(struct bulk_path){ .mark_frames = QUEUE, .queue_frames = 8 * QUEUE },
			&marked);
		struct bulk_result without = run(
			ECN_USE_OFF, kind, (struct bulk_path){ .queue_frames = QUEUE }, &dropped);
		assert_true(with.sender.ecn && !without.sender.ecn);
		assert_true(with.sender.ecn_reductions > 3);
		assert_true(with.line.marked > 3);
		assert_int_equal(with.line.lost[LINK_LOST_QUEUE], 0);
		assert_int_equal(with.sender.bytes_retransmitted, 0);
		assert_int_equal(with.sender.rtos + with.sender.fast_recoveries, 0);
		assert_true(without.line.lost[LINK_LOST_QUEUE] > 0);
		assert_true(without.sender.bytes_retransmitted > 0);
		assert_true(marked >= dropped);
	}
}

/* Accurate feedback: not one mark is missed, and the answer is the same. */
static void each_mark_is_counted(void **state)
{
	(void)state;
	double counted, echoed;
	const struct bulk_path path = { .mark_frames = QUEUE, .queue_frames = 8 * QUEUE };
	struct bulk_result r = run(ECN_USE_ACCURATE, CC_CUBIC, path, &counted);
	assert_true(r.sender.ecn_accurate && r.sender.accecn_option);
	assert_int_equal(r.sender.bytes_retransmitted, 0);
	assert_true(r.line.marked > 3);
	/* but for what is still on its way */
	assert_true(r.sender.ce_delivered <= r.line.marked);
	assert_true(r.sender.ce_delivered + 8 * QUEUE >= r.line.marked);
	uint64_t bytes = (uint64_t)r.sender.ce_delivered * r.sender.mss;
	assert_true(r.sender.ecn_delivered[2] <= bytes);
	assert_true(r.sender.ecn_delivered[2] + 100 * r.sender.mss >= bytes);
	run(ECN_USE_ASK, CC_CUBIC, path, &echoed);
	assert_true(counted > echoed * 0.95);
}

/* Flags that are zeroed on the way: the first shows it, and then only losses count. */
static void flags_are_zeroed(void **state)
{
	(void)state;
	for (unsigned use = ECN_USE_ASK; use <= ECN_USE_ACCURATE; use += 2) {
		double used;
		struct bulk_result r = run(use, CC_CUBIC,
			(struct bulk_path){ .mark_frames = QUEUE,
				.queue_frames = 2 * QUEUE,
				.meddle = 1 + ECN_ZERO_FLAGS },
			&used);
		assert_int_equal(r.sender.ecn_reductions, 0);
		assert_int_equal(r.sender.ecn_accurate, use == ECN_USE_ACCURATE);
		if (use == ECN_USE_ACCURATE)
			assert_true(r.line.marked < 4 * QUEUE); /* we ceased to mark */
		assert_true(used > 0.7);
	}
}

/* A path that sets the field of SYNs is one that may set others: nothing is ECN-capable then. */
static void syns_are_marked(void **state)
{
	(void)state;
	double used;
	struct bulk_result r = run(ECN_USE_ACCURATE, CC_CUBIC,
		(struct bulk_path){ .mark_frames = QUEUE,
			.queue_frames = 2 * QUEUE,
			.meddle = 1 + ECN_MARK_SYN },
		&used);
	assert_true(r.sender.ecn_accurate);
	assert_int_equal(r.line.marked, 0);
	assert_true(used > 0.7);
}

/* The same queue and no ECN: what can't be marked is dropped only where there is no room. */
static void nothing_to_mark(void **state)
{
	(void)state;
	double used;
	struct bulk_result r = run(ECN_USE_OFF, CC_CUBIC,
		(struct bulk_path){ .mark_frames = QUEUE, .queue_frames = 2 * QUEUE }, &used);
	assert_int_equal(r.line.marked, 0);
	assert_true(r.line.lost[LINK_LOST_QUEUE] > 0);
}

/* Marks that are cleared on the way cost losses, as without ECN; no more than that. */
static void bleached(void **state)
{
	(void)state;
	double used;
	struct bulk_result r = run(ECN_USE_ASK, CC_CUBIC,
		(struct bulk_path){
			.mark_frames = QUEUE, .queue_frames = 2 * QUEUE, .meddle = 1 + ECN_BLEACH },
		&used);
	assert_true(r.sender.ecn);
	assert_true(r.line.marked > 0);
	assert_int_equal(r.sender.ecn_reductions, 0);
	assert_true(r.line.lost[LINK_LOST_QUEUE] > 0);
	assert_true(used > 0.7);
}

/* A mark on every packet holds the sender at its least, which still moves. */
static void marked_throughout(void **state)
{
	(void)state;
	double used;
	struct bulk_result r = run(
		ECN_USE_ASK, CC_CUBIC, (struct bulk_path){ .meddle = 1 + ECN_MARK_ALL }, &used);
	assert_int_equal(r.sender.bytes_retransmitted, 0);
	assert_in_range(r.sender.cwnd, 2 * r.sender.mss, 4 * r.sender.mss);
	assert_true(r.bytes > 15 * 20 * r.sender.mss); /* a segment a round trip, and more */
}

/* Who drops or clears the SYN that asks: one timeout, or nothing, and then all is as without. */
static void refused(void **state)
{
	(void)state;
	for (enum ecn_meddling how = ECN_DROP_SYN; how <= ECN_CLEAR_SYN; how++) {
		double used;
		struct bulk_result r = run(
			ECN_USE_ASK, CC_CUBIC, (struct bulk_path){ .meddle = 1 + how }, &used);
		assert_false(r.sender.ecn);
		assert_true(used > 0.9);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(marks_instead_of_losses),
		cmocka_unit_test(each_mark_is_counted),
		cmocka_unit_test(flags_are_zeroed),
		cmocka_unit_test(syns_are_marked),
		cmocka_unit_test(nothing_to_mark),
		cmocka_unit_test(bleached),
		cmocka_unit_test(marked_throughout),
		cmocka_unit_test(refused),
	};
	return test_seed_report(cmocka_run_group_tests(tests, NULL, NULL));
}
