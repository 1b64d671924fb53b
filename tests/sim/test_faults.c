/*
 * Faults: the rates that are asked for are the rates that come (within four
 * standard deviations of what chance allows), and what a fault does is exactly
 * what it says.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "support/probe.h"
#include "support/seed.h"

#define FRAMES 100000u

struct bed {
	struct world *world;
	struct probe *a, *b;
	struct link *link;
};

static struct bed bed_of(struct link_config c)
{
	struct bed bed = { .world = world_new(&(struct world_config){ .seed = test_seed() }) };
	bed.a = probe_new(bed.world, "a/0");
	bed.b = probe_new(bed.world, "b/0");
	bed.link = link_connect(bed.world, "wire", &bed.a->port, &bed.b->port, &c, NULL);
	return bed;
}

/* Sends frames of 100 bytes, one each `every` nanoseconds, numbered from 0. */
static void send_all(struct bed *bed, uint32_t count, nanodiff every)
{
	for (uint32_t i = 0; i < count; i++) {
		probe_send(bed->a, i, 1, 100);
		world_run(bed->world, bed->world->now + every, NULL, NULL);
	}
	assert_int_equal(world_run(bed->world, NANOTIME_NEVER, NULL, NULL), WORLD_IDLE);
	assert_int_equal(bed->link->way[0].count.on_the_way, 0);
}

static uint64_t square_root(uint64_t v)
{
	uint64_t root = 0;
	while ((root + 1) * (root + 1) <= v)
		root++;
	return root;
}

/* Is `count` of `of` what probability ppm gives, within `spread` standard deviations? */
static void assert_rate(uint64_t count, uint64_t of, uint64_t ppm, unsigned spread)
{
	uint64_t mean = of * ppm / PPM;
	uint64_t allowed = spread * (square_root(of * ppm / PPM * (PPM - ppm) / PPM) + 1);
	assert_in_range(count, mean > allowed ? mean - allowed : 0, mean + allowed);
}

static void test_uniform_loss(void **state)
{
	const uint32_t rates[] = { 1000, 20000, 300000, PPM };
	(void)state;
	for (size_t i = 0; i < sizeof rates / sizeof *rates; i++) {
		struct bed bed = bed_of((struct link_config){ .faults.loss = rates[i] });
		send_all(&bed, FRAMES, 1);
		assert_rate(bed.link->way[0].count.lost[LINK_LOST_LOSS], FRAMES, rates[i], 4);
		assert_int_equal(
			bed.b->count + bed.link->way[0].count.lost[LINK_LOST_LOSS], FRAMES);
		world_free(bed.world);
	}
}

/*
 * Gilbert and Elliott with p = 1 %, r = 25 %, all lost in the bad state: 1/26 of
 * the frames, in runs of 4 in the mean. Uniform loss of that rate would have runs of 1.04.
 */
static void test_burst_loss(void **state)
{
	struct bed bed = bed_of((struct link_config){
		.faults = { .burst_enter = 10000, .burst_leave = 250000, .burst_loss = PPM } });
	(void)state;
	send_all(&bed, FRAMES, 1);
	uint64_t lost = bed.link->way[0].count.lost[LINK_LOST_BURST];
	uint64_t runs = 0;
	for (uint32_t i = 1; i < bed.b->count; i++)
		runs += bed.b->arrival[i].number != bed.b->arrival[i - 1].number + 1;
	/* Losses of one burst are not independent: its variance is about 2/r times the uniform. */
	assert_rate(lost, FRAMES, PPM / 26, 4 * 3);
	assert_in_range(lost * 100 / runs, 360, 440);
	world_free(bed.world);
}

/* Losses in the good state only, by way of the same model. */
static void test_burst_good_loss(void **state)
{
	struct bed bed = bed_of((struct link_config){ .faults.burst_good_loss = 50000 });
	(void)state;
	send_all(&bed, FRAMES, 1);
	assert_rate(bed.link->way[0].count.lost[LINK_LOST_BURST], FRAMES, 50000, 4);
	world_free(bed.world);
}

static void test_nth(void **state)
{
	(void)state;
	for (uint32_t n = 1; n <= 10; n++) {
		struct bed bed = bed_of((struct link_config){ .faults.lose_nth = n });
		send_all(&bed, 10, 1);
		assert_int_equal(bed.b->count, 9);
		assert_int_equal(bed.link->way[0].count.lost[LINK_LOST_NTH], 1);
		for (uint32_t i = 0; i < 9; i++)
			assert_int_equal(bed.b->arrival[i].number, i + (i >= n - 1));
		world_free(bed.world);
	}
}

struct fates {
	unsigned count;
	bool lost[2000];
};

static void note_fate(void *user, struct link_way *way, const struct parcel *p, enum link_loss loss,
	const char *note)
{
	struct fates *f = user;
	(void)way;
	(void)p;
	(void)note;
	f->lost[f->count++] = loss == LINK_LOST_LOSS;
}

/* Lost or not: the n-th frame's fate does not depend on which other faults are on. */
static void test_draws_are_independent(void **state)
{
	struct bed plain = bed_of((struct link_config){ .faults.loss = 100000 });
	struct bed full = bed_of((struct link_config){ .delay = NANO_MS,
		.faults = { .loss = 100000,
			.duplicate = 100000,
			.corrupt = 100000,
			.corrupt_bits = 3,
			.reorder = 100000,
			.jitter = NANO_MS } });
	static struct fates fates[2];
	(void)state;
	memset(fates, 0, sizeof fates);
	plain.link->tap = full.link->tap = note_fate;
	plain.link->tap_user = &fates[0];
	full.link->tap_user = &fates[1];
	send_all(&plain, 2000, 10);
	send_all(&full, 2000, 10);
	assert_int_equal(fates[0].count, 2000);
	assert_memory_equal(&fates[0], &fates[1], sizeof fates[0]);
	world_free(plain.world);
	world_free(full.world);
}

static void test_window(void **state)
{
	struct bed bed = bed_of(
		(struct link_config){ .faults = { .from = 1000, .until = 2000, .loss = PPM } });
	(void)state;
	send_all(&bed, 300, 10); /* at 0, 10 .. 2990 */
	assert_int_equal(bed.b->count, 200);
	assert_int_equal(bed.b->arrival[99].number, 99);
	assert_int_equal(bed.b->arrival[100].number, 200);
	world_free(bed.world);
}

static void test_duplicates(void **state)
{
	struct bed bed = bed_of((struct link_config){
		.delay = 100, .faults = { .duplicate = 50000, .duplicate_delay = 7 } });
	uint32_t times[2000] = { 0 };
	(void)state;
	send_all(&bed, 2000, 1000);
	assert_rate(bed.link->way[0].count.duplicated, 2000, 50000, 4);
	assert_int_equal(bed.b->count, 2000 + bed.link->way[0].count.duplicated);
	for (uint32_t i = 0; i < bed.b->count; i++) {
		const struct probe_arrival *a = &bed.b->arrival[i];
		assert_int_equal(a->time, a->number * 1000 + 100 + 7 * times[a->number]);
		assert_int_equal(a->sum, probe_sum(a->number, 100, 0x0800));
		assert_in_range(++times[a->number], 1, 2);
	}
	world_free(bed.world);
}

static void test_corruption(void **state)
{
	struct bed bed = bed_of((struct link_config){ .faults.corrupt = 20000 });
	uint64_t damaged = 0;
	(void)state;
	send_all(&bed, FRAMES, 1);
	for (uint32_t i = 0; i < bed.b->count; i++) {
		const struct probe_arrival *a = &bed.b->arrival[i];
		damaged += a->number != i || a->sum != probe_sum(i, 100, 0x0800);
	}
	assert_int_equal(bed.b->count, FRAMES);
	assert_rate(damaged, FRAMES, 20000, 4);
	assert_int_equal(damaged, bed.link->way[0].count.corrupted);
	world_free(bed.world);
}

/* One bit, behind the Ethernet header; never in a frame that has no checksum of its own. */
static void test_corruption_is_one_bit(void **state)
{
	struct faults f = { .config.corrupt = PPM };
	uint8_t seen[100 * 8] = { 0 };
	(void)state;
	uint64_t seed[2] = { test_seed(), 0 };
	rng_seed(&f.rng[FAULT_BITS], span_of(seed, sizeof seed));
	for (int round = 0; round < 20000; round++) {
		uint8_t frame[100] = { [12] = 0x86, [13] = 0xdd };
		assert_true(faults_corrupt(&f, frame, sizeof frame));
		frame[12] ^= 0x86;
		frame[13] ^= 0xdd;
		unsigned bits = 0;
		for (unsigned i = 0; i < sizeof frame; i++)
			for (unsigned b = 0; b < 8; b++)
				if (frame[i] >> b & 1)
					bits++, seen[i * 8 + b] = 1;
		assert_int_equal(bits, 1);
	}
	for (unsigned i = 0; i < sizeof seen; i++)
		assert_int_equal(seen[i], i >= 14 * 8);
	uint8_t arp[60] = { [12] = 0x08, [13] = 0x06 }, tiny[14] = { [12] = 0x08 };
	assert_false(faults_corrupt(&f, arp, sizeof arp));
	assert_false(faults_corrupt(&f, tiny, sizeof tiny));
}

/* Held back until exactly two later frames have passed. */
static void test_reorder_by_frames(void **state)
{
	struct bed bed = bed_of((struct link_config){ .delay = 50,
		.faults = { .reorder = 30000, .reorder_by = 2, .reorder_delay = NANO_S } });
	uint32_t moved = 0;
	(void)state;
	send_all(&bed, 5000, 1000);
	assert_int_equal(bed.b->count, 5000);
	for (uint32_t i = 0; i + 1 < bed.b->count; i++) {
		const struct probe_arrival *a = &bed.b->arrival[i];
		if (bed.b->arrival[i + 1].number > a->number)
			continue;
		moved++; /* the next one is late: two have passed it, and it follows at once */
		assert_true(bed.b->arrival[i + 1].number + 2 <= a->number ||
			bed.b->arrival[i + 1].number > 4990);
		if (bed.b->arrival[i + 1].number <= 4990) /* else its time ran out */
			assert_int_equal(bed.b->arrival[i + 1].time, a->time);
	}
	assert_rate(bed.link->way[0].count.reordered, 5000, 30000, 4);
	assert_in_range(
		moved, bed.link->way[0].count.reordered * 9 / 10, bed.link->way[0].count.reordered);
	world_free(bed.world);
}

/* Nothing follows: the time is over at last, and the frame comes. */
static void test_reorder_by_time(void **state)
{
	struct bed bed = bed_of((struct link_config){ .delay = 50,
		.faults = { .reorder = PPM, .reorder_by = 3, .reorder_delay = 1000 } });
	(void)state;
	probe_send(bed.a, 0, 1, 100);
	assert_int_equal(world_run(bed.world, NANOTIME_NEVER, NULL, NULL), WORLD_IDLE);
	assert_int_equal(bed.b->count, 1);
	assert_int_equal(bed.b->arrival[0].time, 1050);
	world_free(bed.world);
}

/* Jitter spreads arrivals over its range and keeps their order. */
static void test_jitter(void **state)
{
	const enum jitter_kind kinds[] = { JITTER_UNIFORM, JITTER_NORMAL, JITTER_SPIKES };
	const uint64_t means[] = { 500, 500, 10 };
	(void)state;
	for (unsigned k = 0; k < 3; k++) {
		struct bed bed = bed_of((struct link_config){
			.delay = 100, .faults = { .jitter = 1000, .jitter_kind = kinds[k] } });
		uint64_t sum = 0, outer = 0;
		send_all(&bed, 20000, 2000); /* apart, so that order does not show */
		for (uint32_t i = 0; i < bed.b->count; i++) {
			uint64_t late = (uint64_t)bed.b->arrival[i].time - i * 2000 - 100;
			assert_in_range(late, 0, 1000);
			assert_int_equal(bed.b->arrival[i].number, i);
			sum += late;
			outer += late < 250 || late > 750;
		}
		assert_in_range(sum / 20000, means[k] - 9, means[k] + 9);
		if (kinds[k] == JITTER_UNIFORM)
			assert_rate(outer, 20000, 500000, 4);
		if (kinds[k] == JITTER_NORMAL) /* beyond 2.4 standard deviations of 102 */
			assert_in_range(outer, 100, 600);
		world_free(bed.world);
	}
	struct bed dense = bed_of(
		(struct link_config){ .delay = 100, .faults = { .jitter = 1000 } });
	send_all(&dense, 5000, 10);
	for (uint32_t i = 0; i < dense.b->count; i++)
		assert_int_equal(dense.b->arrival[i].number, i);
	world_free(dense.world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_uniform_loss),
		cmocka_unit_test(test_burst_loss),
		cmocka_unit_test(test_burst_good_loss),
		cmocka_unit_test(test_nth),
		cmocka_unit_test(test_draws_are_independent),
		cmocka_unit_test(test_window),
		cmocka_unit_test(test_duplicates),
		cmocka_unit_test(test_corruption),
		cmocka_unit_test(test_corruption_is_one_bit),
		cmocka_unit_test(test_reorder_by_frames),
		cmocka_unit_test(test_reorder_by_time),
		cmocka_unit_test(test_jitter),
	};
	return test_seed_report(cmocka_run_group_tests(tests, NULL, NULL));
}
