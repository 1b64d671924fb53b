/*
 * The algorithms at work on one bottleneck: they fill it, share it, recover from
 * chance losses, and BBR leaves its queue nearly empty.
 */
#include "unit/transport/bottleneck.h"

#define MBIT 125000u

static const struct cc_ops *const all[] = { &cc_reno, &cc_cubic, &cc_bbr };

static uint64_t bdp(uint64_t rate, nanodiff delay)
{
	return rate * (uint64_t)delay / NANO_S;
}

/* One flow, from a modem to a fast line, with a queue of one BDP, at least 20 segments. */
static void test_fills(void **state)
{
	(void)state;
	static const uint64_t rates[] = { 1 * MBIT, 10 * MBIT, 100 * MBIT };
	static const nanodiff delays[] = { 5 * NANO_MS, 40 * NANO_MS, 120 * NANO_MS };
	for (unsigned a = 0; a < 3; a++)
		for (unsigned r = 0; r < 3; r++)
			for (unsigned d = 0; d < 3; d++) {
				uint64_t queue = bdp(rates[r], delays[d]);
				if (queue < 20 * LINK_MSS)
					queue = 20 * LINK_MSS;
				struct link *l = link_new(rates[r], delays[d], queue);
				link_add(l, all[a], l->now);
				link_run(l, 4 * NANO_S); /* BBR's first ProbeRTT is later */
				assert_true(l->flow[0].worst_growth <= 2.01);
				link_run(l, 36 * NANO_S);
				link_mark(l);
				link_run(l, 20 * NANO_S);
				double used = link_used(l, 20 * NANO_S);
				if (used < 0.9 || used > 1.01)
					fail_msg("%s at %llu bytes/s and %lld ms: %.3f used",
						all[a]->name, (unsigned long long)rates[r],
						(long long)(delays[d] / NANO_MS), used);
				assert_int_equal(l->flow[0].timeouts, 0);
				link_free(l);
			}
}

/* Flows that begin at different times have the same in the end. */
static void test_shares(void **state)
{
	(void)state;
	for (unsigned a = 0; a < 3; a++)
		for (unsigned flows = 2; flows <= 4; flows += 2) {
			uint64_t rate = 20 * MBIT;
			nanodiff delay = 30 * NANO_MS;
			struct link *l = link_new(rate, delay, bdp(rate, delay));
			for (unsigned i = 0; i < flows; i++)
				link_add(l, all[a], l->now + (nanodiff)i * 2 * NANO_S);
			link_run(l, 40 * NANO_S);
			link_mark(l);
			link_run(l, 80 * NANO_S);
			double fair = link_fairness(l), used = link_used(l, 80 * NANO_S);
			if (fair < 0.9 || used < 0.9)
				fail_msg("%u flows of %s: Jain %.3f, %.3f used", flows,
					all[a]->name, fair, used);
			link_free(l);
		}
}

/* A queue of four BDP: BBR leaves most of it empty, the others do not. */
static void test_queue(void **state)
{
	(void)state;
	double wait[3];
	for (unsigned a = 0; a < 3; a++) {
		uint64_t rate = 20 * MBIT;
		nanodiff delay = 40 * NANO_MS;
		struct link *l = link_new(rate, delay, 4 * bdp(rate, delay));
		link_add(l, all[a], l->now);
		link_run(l, 10 * NANO_S);
		link_mark(l);
		link_run(l, 30 * NANO_S);
		wait[a] = link_wait(l);
		link_free(l);
	}
	assert_true(wait[2] < 0.010); /* a quarter of the round trip */
	assert_true(wait[0] > 0.040 && wait[1] > 0.040);
}

/* One segment in a hundred is lost by chance: BBR does not take it for a full queue. */
static void test_chance(void **state)
{
	(void)state;
	double used[3];
	for (unsigned a = 0; a < 3; a++) {
		struct rng chance;
		uint64_t seed = 3;
		rng_seed(&chance, span_of(&seed, sizeof seed));
		struct link *l = link_new(20 * MBIT, 40 * NANO_MS, bdp(20 * MBIT, 40 * NANO_MS));
		l->lose = 10000;
		l->chance = &chance;
		link_add(l, all[a], l->now);
		link_run(l, 10 * NANO_S);
		link_mark(l);
		link_run(l, 30 * NANO_S);
		used[a] = link_used(l, 30 * NANO_S);
		link_free(l);
	}
	assert_true(used[2] > 0.85);
	assert_true(used[0] < 0.5 && used[1] < 0.5);
}

/* Names and numbers; what is none of them is the default. */
static void test_names(void **state)
{
	(void)state;
	static const char *const names[CC_KINDS] = { "cubic", "reno", "cubic", "bbr" };
	for (unsigned i = 0; i < CC_KINDS; i++)
		assert_string_equal(cc_of((uint8_t)i)->name, names[i]);
	assert_string_equal(cc_of(CC_KINDS)->name, "cubic");
	assert_string_equal(cc_of(255)->name, "cubic");
	assert_int_equal(cc_find(span_of("reno", 4)), CC_RENO);
	assert_int_equal(cc_find(span_of("cubic", 5)), CC_CUBIC);
	assert_int_equal(cc_find(span_of("bbr", 3)), CC_BBR);
	assert_int_equal(cc_find(span_of("bbr2", 4)), CC_KINDS);
	assert_int_equal(cc_find(span_of("bb", 2)), CC_KINDS);
	assert_int_equal(cc_find(span_of("", 0)), CC_KINDS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fills),
		cmocka_unit_test(test_shares),
		cmocka_unit_test(test_queue),
		cmocka_unit_test(test_chance),
		cmocka_unit_test(test_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
