/*
 * The clock, and that a world is decided by its seed alone: the hash of one
 * world with every fault is committed here, and has to come out on every
 * compiler and under every sanitizer.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "sim/switch.h"
#include "support/probe.h"
#include "support/seed.h"

#define GOLDEN_SEED 20260101
#define GOLDEN_HASH UINT64_C(0x3fb794a99a8460ec)

static void count(void *user)
{
	++*(unsigned *)user;
}

static bool reached(void *user)
{
	return *(unsigned *)user >= 2;
}

static void test_clock(void **state)
{
	struct world *w = world_new(&(struct world_config){ .seed = 1, .start = 5 * NANO_S });
	unsigned calls = 0;
	(void)state;
	assert_int_equal(w->now, 5 * NANO_S);
	assert_int_equal(world_next(w), NANOTIME_NEVER);
	assert_false(world_step(w));
	assert_int_equal(world_run(w, NANOTIME_NEVER, NULL, NULL), WORLD_IDLE);
	assert_int_equal(world_run(w, 6 * NANO_S, NULL, NULL), WORLD_TIME);
	assert_int_equal(w->now, 6 * NANO_S);
	for (int i = 1; i <= 3; i++)
		world_at(w, (6 + i) * NANO_S, count, &calls);
	assert_int_equal(world_next(w), 7 * NANO_S);
	assert_int_equal(world_run(w, NANOTIME_NEVER, reached, &calls), WORLD_DONE);
	assert_int_equal(w->now, 8 * NANO_S);
	assert_int_equal(calls, 2);
	world_at(w, 0, count, &calls); /* in the past: now */
	assert_true(world_step(w));
	assert_int_equal(w->now, 8 * NANO_S);
	assert_int_equal(calls, 3);
	assert_int_equal(world_run(w, NANOTIME_NEVER, NULL, NULL), WORLD_IDLE);
	assert_int_equal(w->now, 9 * NANO_S);
	world_free(w);
}

/* Two switches joined by two cables: a broadcast goes round for ever. */
static void test_runaway(void **state)
{
	struct world *w = world_new(
		&(struct world_config){ .seed = 42, .events_per_second = 10000 });
	struct eth_switch *a = switch_new(w, "a"), *b = switch_new(w, "b");
	const struct link_config c = { .delay = NANO_US };
	struct probe *p = probe_new(w, "p/0");
	(void)state;
	link_connect(w, "one", switch_port(a), switch_port(b), &c, NULL);
	link_connect(w, "two", switch_port(a), switch_port(b), &c, NULL);
	link_connect(w, "in", &p->port, switch_port(a), &c, NULL);
	struct parcel *parcel = probe_frame(p, 0, 60, 0x0800);
	memset(parcel->bytes, 0xff, 6);
	port_send(&p->port, parcel);
	assert_int_equal(world_run(w, NANOTIME_NEVER, NULL, NULL), WORLD_RUNAWAY);
	assert_string_equal(world_end_name(WORLD_RUNAWAY), "goes round in circles");
	assert_non_null(strstr(world_why(w), "seed 42"));
	assert_non_null(strstr(world_why(w), "10000 events"));
	assert_false(world_step(w));
	assert_int_equal(world_run(w, NANOTIME_NEVER, NULL, NULL), WORLD_RUNAWAY);
	world_free(w);
}

/* Each use of each component has a generator of its own. */
static void test_generators(void **state)
{
	struct world *w = world_new(&(struct world_config){ .seed = test_seed() });
	struct world *other = world_new(&(struct world_config){ .seed = test_seed() + 1 });
	struct rng r[5];
	(void)state;
	world_rng(w, "wire", "loss", &r[0]);
	world_rng(w, "wire", "loss", &r[1]);
	world_rng(w, "wire", "jitter", &r[2]);
	world_rng(w, "wire2", "loss", &r[3]);
	world_rng(other, "wire", "loss", &r[4]);
	uint64_t first[5];
	for (int i = 0; i < 5; i++)
		first[i] = rng_next(&r[i]);
	assert_true(first[0] == first[1]);
	for (int i = 2; i < 5; i++)
		for (int k = 1; k < i; k++)
			assert_true(first[i] != first[k]);
	world_free(w);
	world_free(other);
}

/* Traffic through every kind of fault; returns the hash. */
static uint64_t noisy_run(uint64_t seed, uint32_t loss, unsigned stations)
{
	struct world *w = world_new(&(struct world_config){ .seed = seed });
	struct eth_switch *sw = switch_new(w, "segment");
	struct probe *p[4];
	char name[LINK_NAME_MAX] = "cable 0";
	for (unsigned i = 0; i < stations; i++) {
		p[i] = probe_new(w, "station");
		name[6] = (char)('0' + i);
		link_connect(w, name, &p[i]->port, switch_port(sw),
			&(struct link_config){ .rate = 10000000 + i,
				.delay = 3 * NANO_MS,
				.queue_frames = 20,
				.faults = { .loss = loss,
					.burst_enter = 5000,
					.burst_leave = 300000,
					.burst_loss = 900000,
					.duplicate = 20000,
					.corrupt = 10000,
					.corrupt_bits = 2,
					.reorder = 20000,
					.reorder_by = 3,
					.jitter = NANO_MS,
					.jitter_kind = JITTER_NORMAL } },
			NULL);
	}
	for (uint32_t i = 0; i < 500; i++) {
		probe_send(p[i % stations], i, 3, 60 + i % 1400);
		world_run(w, w->now + NANO_MS, NULL, NULL);
	}
	world_run(w, NANOTIME_NEVER, NULL, NULL);
	uint64_t hash = world_hash(w);
	world_free(w);
	return hash;
}

static void test_same_seed_same_world(void **state)
{
	uint64_t seed = test_seed();
	(void)state;
	uint64_t hash = noisy_run(seed, 20000, 3);
	assert_true(hash == noisy_run(seed, 20000, 3));
	assert_true(hash != noisy_run(seed + 1, 20000, 3));
	assert_true(hash != noisy_run(seed, 60000, 3));
	assert_true(hash != noisy_run(seed, 20000, 4));
}

static void test_golden(void **state)
{
	(void)state;
	assert_int_equal(noisy_run(GOLDEN_SEED, 20000, 4), GOLDEN_HASH);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_clock),
		cmocka_unit_test(test_runaway),
		cmocka_unit_test(test_generators),
		cmocka_unit_test(test_same_seed_same_world),
		cmocka_unit_test(test_golden),
	};
	return test_seed_report(cmocka_run_group_tests(tests, NULL, NULL));
}
