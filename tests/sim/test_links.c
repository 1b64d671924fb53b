/*
 * Links without faults: every time to the nanosecond, every limit, every
 * counter.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/checksum.h"
#include "support/probe.h"
#include "support/seed.h"

struct bed {
	struct world *world;
	struct probe *a, *b;
	struct link *link;
};

static struct bed bed_of(const struct link_config *c)
{
	struct bed bed = { .world = world_new(&(struct world_config){ .seed = test_seed() }) };
	bed.a = probe_new(bed.world, "a/0");
	bed.b = probe_new(bed.world, "b/0");
	bed.link = link_connect(bed.world, "wire", &bed.a->port, &bed.b->port, c, NULL);
	return bed;
}

static void run(struct bed *bed)
{
	assert_int_equal(world_run(bed->world, NANOTIME_NEVER, NULL, NULL), WORLD_IDLE);
}

static uint64_t lost(const struct link_counters *c)
{
	uint64_t sum = 0;
	for (unsigned i = 0; i < LINK_LOSS_COUNT; i++)
		sum += c->lost[i];
	return sum;
}

static void close_bed(struct bed *bed)
{
	for (unsigned i = 0; i < 2; i++) {
		const struct link_counters *c = &bed->link->way[i].count;
		assert_int_equal(
			c->offered + c->duplicated, c->delivered + lost(c) + c->on_the_way);
	}
	world_free(bed->world);
}

/* 1000 bytes and 24 of overhead at 8.192 Mbit/s: exactly 1 ms each. */
static void test_serialization_and_delay(void **state)
{
	struct bed bed = bed_of(&(struct link_config){ .rate = 8192000, .delay = 20 * NANO_MS });
	(void)state;
	assert_int_equal(link_serialization(&bed.link->way[0].config, 1000), NANO_MS);
	probe_send(bed.a, 0, 3, 1000);
	assert_int_equal(bed.link->way[0].count.on_the_way, 3);
	run(&bed);
	assert_int_equal(bed.b->count, 3);
	for (uint32_t i = 0; i < 3; i++) {
		assert_int_equal(bed.b->arrival[i].time, 20 * NANO_MS + (i + 1) * NANO_MS);
		assert_int_equal(bed.b->arrival[i].number, i);
		assert_int_equal(bed.b->arrival[i].sum, probe_sum(i, 1000, 0x0800));
	}
	assert_int_equal(bed.link->way[0].count.queue_high, 2);
	assert_int_equal(bed.link->way[0].count.on_the_way, 0);
	close_bed(&bed);
}

/* A short frame takes the time of 60 bytes, times are rounded up, no rate takes no time. */
static void test_serialization_arithmetic(void **state)
{
	(void)state;
	struct link_config c = { .rate = 1000000000 };
	assert_int_equal(link_serialization(&c, 20), (60 + 24) * 8);
	assert_int_equal(link_serialization(&c, 60), (60 + 24) * 8);
	assert_int_equal(link_serialization(&c, 61), (61 + 24) * 8);
	assert_int_equal(link_serialization(&c, 1514), 12304);
	c.rate = 3000000000u; /* 84 * 8 / 3 = 224 exactly; 85 * 8 / 3 = 226.7 */
	assert_int_equal(link_serialization(&c, 60), 224);
	assert_int_equal(link_serialization(&c, 61), 227);
	c.rate = 0;
	assert_int_equal(link_serialization(&c, 1514), 0);
}

static void test_both_directions_are_apart(void **state)
{
	struct world *w = world_new(&(struct world_config){ .seed = 1 });
	struct probe *a = probe_new(w, "a/0"), *b = probe_new(w, "b/0");
	(void)state;
	link_connect(w, "wire", &a->port, &b->port, &(struct link_config){ .delay = 5 },
		&(struct link_config){ .delay = 7 });
	probe_send(a, 1, 1, 60);
	probe_send(b, 2, 1, 60);
	assert_int_equal(world_run(w, 100, NULL, NULL), WORLD_TIME);
	assert_int_equal(a->arrival[0].time, 7);
	assert_int_equal(b->arrival[0].time, 5);
	assert_int_equal(w->now, 100);
	world_free(w);
}

/* One frame in the transmitter, two in the queue, the rest falls. */
static void test_drop_tail_by_frames(void **state)
{
	struct bed bed = bed_of(&(struct link_config){ .rate = 8192000, .queue_frames = 2 });
	(void)state;
	probe_send(bed.a, 0, 10, 1000);
	run(&bed);
	assert_int_equal(bed.b->count, 3);
	assert_int_equal(bed.link->way[0].count.lost[LINK_LOST_QUEUE], 7);
	for (uint32_t i = 0; i < 3; i++)
		assert_int_equal(bed.b->arrival[i].number, i);
	close_bed(&bed);
}

static void test_drop_tail_by_bytes(void **state)
{
	struct bed bed = bed_of(&(struct link_config){ .rate = 8192000, .queue_bytes = 2500 });
	(void)state;
	probe_send(bed.a, 0, 2, 1000); /* one is sent, one waits */
	probe_send(bed.a, 2, 2, 1400); /* the first fits exactly, the second not */
	probe_send(bed.a, 4, 1, 100);  /* fits exactly */
	probe_send(bed.a, 5, 1, 60);   /* nothing fits any more */
	run(&bed);
	assert_int_equal(bed.b->count, 4);
	assert_int_equal(bed.b->arrival[2].number, 2);
	assert_int_equal(bed.b->arrival[3].number, 4);
	assert_int_equal(bed.link->way[0].count.lost[LINK_LOST_QUEUE], 2);
	close_bed(&bed);
}

static void test_blocking_queue(void **state)
{
	struct bed bed = bed_of(
		&(struct link_config){ .rate = 8192000, .queue_frames = 2, .blocking = true });
	(void)state;
	uint32_t sent = 0;
	while (!port_blocked(&bed.a->port))
		probe_send(bed.a, sent++, 1, 1000);
	assert_int_equal(sent, 3);
	assert_int_equal(bed.a->rooms, 0);
	assert_int_equal(world_run(bed.world, NANO_MS, NULL, NULL), WORLD_TIME);
	assert_int_equal(bed.a->rooms, 1); /* told once, when the first has left */
	assert_false(port_blocked(&bed.a->port));
	run(&bed);
	assert_int_equal(bed.a->rooms, 1);
	assert_int_equal(bed.b->count, 3);
	close_bed(&bed);
}

static void test_mtu_and_padding(void **state)
{
	struct bed bed = bed_of(&(struct link_config){ .mtu = 576, .pad = true });
	(void)state;
	probe_send(bed.a, 0, 1, 576 + 14);
	probe_send(bed.a, 1, 1, 576 + 15);
	port_send(&bed.a->port, probe_frame(bed.a, 2, 576 + 18, 0x8100)); /* a VLAN tag is no IP */
	probe_send(bed.a, 3, 1, 40);
	run(&bed);
	assert_int_equal(bed.b->count, 3);
	assert_int_equal(bed.b->arrival[0].number, 0);
	assert_int_equal(bed.b->arrival[1].number, 2);
	assert_int_equal(bed.b->arrival[2].len, 60);
	assert_int_equal(bed.link->way[0].count.lost[LINK_LOST_MTU], 1);
	close_bed(&bed);
}

/* Down: what waits and what comes is lost, what is on the wire arrives. */
static void test_down_and_up(void **state)
{
	struct bed bed = bed_of(&(struct link_config){ .rate = 8192000, .delay = NANO_S });
	(void)state;
	probe_send(bed.a, 0, 3, 1000);
	world_run(bed.world, NANO_MS + NANO_US, NULL, NULL); /* 0 is on the wire, 1 half sent */
	link_set_up(bed.link, false);
	probe_send(bed.a, 3, 1, 1000);
	assert_int_equal(bed.link->way[0].count.lost[LINK_LOST_DOWN], 3);
	link_set_up(bed.link, true);
	probe_send(bed.a, 4, 1, 1000);
	run(&bed);
	assert_int_equal(bed.b->count, 2);
	assert_int_equal(bed.b->arrival[0].number, 0);
	assert_int_equal(bed.b->arrival[1].number, 4);
	assert_int_equal(bed.b->arrival[1].time, 2 * NANO_MS + NANO_US + NANO_S);
	close_bed(&bed);
}

/* A path that becomes shorter does not let frames overtake. */
static void test_change_keeps_order(void **state)
{
	struct bed bed = bed_of(&(struct link_config){ .delay = 10 * NANO_MS });
	(void)state;
	probe_send(bed.a, 0, 1, 100);
	link_change(bed.link, 0, &(struct link_config){ .delay = NANO_MS });
	probe_send(bed.a, 1, 1, 100);
	run(&bed);
	assert_int_equal(bed.b->arrival[0].number, 0);
	assert_int_equal(bed.b->arrival[1].time, 10 * NANO_MS);
	close_bed(&bed);
}

/* A slower rate applies from the next frame on. */
static void test_rate_step(void **state)
{
	struct bed bed = bed_of(&(struct link_config){ .rate = 8192000 });
	(void)state;
	probe_send(bed.a, 0, 3, 1000);
	link_change(bed.link, 0, &(struct link_config){ .rate = 819200 });
	run(&bed);
	assert_int_equal(bed.b->arrival[0].time, NANO_MS);
	assert_int_equal(bed.b->arrival[1].time, 11 * NANO_MS);
	assert_int_equal(bed.b->arrival[2].time, 21 * NANO_MS);
	close_bed(&bed);
}

static bool even_only(void *user, struct link_way *way, const struct parcel *p)
{
	(void)way;
	++*(unsigned *)user;
	return load32(p->bytes + 14) % 2 == 0;
}

static void test_filter(void **state)
{
	struct bed bed = bed_of(&(struct link_config){ 0 });
	unsigned asked = 0;
	(void)state;
	bed.link->way[0].filter = even_only;
	bed.link->way[0].filter_user = &asked;
	probe_send(bed.a, 0, 10, 100);
	run(&bed);
	assert_int_equal(asked, 10);
	assert_int_equal(bed.b->count, 5);
	assert_int_equal(bed.b->arrival[4].number, 8);
	assert_int_equal(bed.link->way[0].count.lost[LINK_LOST_FILTER], 5);
	close_bed(&bed);
}

static void test_config_check(void **state)
{
	(void)state;
	assert_null(link_config_check(&(struct link_config){ 0 }));
	assert_non_null(link_config_check(&(struct link_config){ .delay = -1 }));
	assert_non_null(link_config_check(&(struct link_config){ .delay = 86401 * NANO_S }));
	assert_non_null(link_config_check(&(struct link_config){ .rate = 99 }));
	assert_non_null(link_config_check(&(struct link_config){ .rate = UINT64_MAX }));
	assert_non_null(link_config_check(&(struct link_config){ .mtu = 67 }));
	assert_non_null(link_config_check(&(struct link_config){ .faults.loss = PPM + 1 }));
	assert_non_null(
		link_config_check(&(struct link_config){ .faults = { .from = 2, .until = 1 } }));
	assert_string_equal(link_loss_text(LINK_LOST_QUEUE), "queue is full");
	assert_string_equal(link_loss_name(LINK_LOST_BURST), "BURST");
}

/* An IPv4 packet whose ECN field is `ecn`, with a right checksum. */
static void send_marked(struct bed *bed, unsigned ecn)
{
	struct parcel *p = probe_frame(bed->a, 0, 1000, 0x0800);
	uint8_t *ip = p->bytes + 14;
	memset(ip, 0, 20);
	ip[0] = 0x45;
	ip[1] = (uint8_t)(0xb8 | ecn);
	store16(ip + 2, 986);
	uint16_t sum = checksum_finish(checksum_plain.sum(ip, 20));
	memcpy(ip + 10, &sum, 2);
	port_send(&bed->a->port, p);
}

static unsigned marks_seen;

static bool see_mark(void *user, struct link_way *way, const struct parcel *p)
{
	(void)way;
	const uint8_t *ip = p->bytes + 14;
	unsigned *left = user, sent = (*left)++ % 4, ecn = ip[1] & 3;
	assert_int_equal(ip[1] >> 2, 0xb8 >> 2);
	assert_int_equal(checksum_fold(checksum_plain.sum(ip, 20)), 0xffff);
	assert_true(ecn == sent || (sent && ecn == 3));
	marks_seen += ecn == 3 && sent != 3;
	return true;
}

/* One frame is sent, two wait, the others find a queue that marks: all arrive. */
static void test_marks(void **state)
{
	(void)state;
	struct bed bed = bed_of(&(struct link_config){ .rate = 8192000, .mark_frames = 2 });
	unsigned sent = 0;
	bed.link->way[0].filter = see_mark;
	bed.link->way[0].filter_user = &sent;
	for (unsigned i = 0; i < 12; i++)
		send_marked(&bed, i % 4);
	run(&bed);
	assert_int_equal(sent, 12);
	assert_int_equal(bed.b->count, 12);
	/* 3 to 11, but for 4 and 8, which are not ECN-capable; 3, 7, 11 are marked again */
	assert_int_equal(bed.link->way[0].count.marked, 7);
	assert_int_equal(marks_seen, 4);
	close_bed(&bed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_serialization_and_delay),
		cmocka_unit_test(test_serialization_arithmetic),
		cmocka_unit_test(test_both_directions_are_apart),
		cmocka_unit_test(test_drop_tail_by_frames),
		cmocka_unit_test(test_drop_tail_by_bytes),
		cmocka_unit_test(test_blocking_queue),
		cmocka_unit_test(test_mtu_and_padding),
		cmocka_unit_test(test_down_and_up),
		cmocka_unit_test(test_change_keeps_order),
		cmocka_unit_test(test_rate_step),
		cmocka_unit_test(test_filter),
		cmocka_unit_test(test_config_check),
		cmocka_unit_test(test_marks),
	};
	return test_seed_report(cmocka_run_group_tests(tests, NULL, NULL));
}
