/* The switch learns, forwards, floods and filters as IEEE 802.1D says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "sim/switch.h"
#include "support/probe.h"
#include "support/seed.h"

#define STATIONS 4

struct bed {
	struct world *world;
	struct eth_switch *sw;
	struct probe *at[STATIONS];
};

static struct bed bed_of(void)
{
	struct bed bed = { .world = world_new(&(struct world_config){ .seed = test_seed() }) };
	bed.sw = switch_new(bed.world, "segment");
	for (unsigned i = 0; i < STATIONS; i++) {
		bed.at[i] = probe_new(bed.world, "station");
		link_connect(bed.world, "cable", &bed.at[i]->port, switch_port(bed.sw),
			&(struct link_config){ .delay = 5 }, NULL);
	}
	return bed;
}

static struct mac mac(uint32_t n)
{
	struct mac m = { .b = { 2 } };
	store32(m.b + 2, n);
	return m;
}

static void send(struct bed *bed, unsigned from, const struct mac *to, const struct mac *source)
{
	struct parcel *p = probe_frame(bed->at[from], 0, 100, 0x0800);
	memcpy(p->bytes, to->b, 6);
	memcpy(p->bytes + 6, source->b, 6);
	for (unsigned i = 0; i < STATIONS; i++)
		bed->at[i]->count = 0;
	port_send(&bed->at[from]->port, p);
	assert_int_equal(world_run(bed->world, NANOTIME_NEVER, NULL, NULL), WORLD_IDLE);
}

static void assert_got(const struct bed *bed, unsigned a, unsigned b, unsigned c, unsigned d)
{
	const unsigned want[STATIONS] = { a, b, c, d };
	for (unsigned i = 0; i < STATIONS; i++)
		assert_int_equal(bed->at[i]->count, want[i]);
}

static void test_learns(void **state)
{
	struct bed bed = bed_of();
	const struct mac a = mac(1), b = mac(2), all = MAC_BROADCAST;
	(void)state;
	send(&bed, 0, &b, &a); /* unknown: flooded, but not back */
	assert_got(&bed, 0, 1, 1, 1);
	assert_int_equal(switch_find(bed.sw, &a), 0);
	assert_int_equal(switch_find(bed.sw, &b), -1);
	send(&bed, 1, &a, &b); /* known now */
	assert_got(&bed, 1, 0, 0, 0);
	assert_int_equal(bed.at[0]->arrival[0].time, 20);
	send(&bed, 0, &b, &a);
	assert_got(&bed, 0, 1, 0, 0);
	send(&bed, 0, &all, &a); /* groups: always flooded */
	assert_got(&bed, 0, 1, 1, 1);
	send(&bed, 1, &b, &a); /* moved, and to a station behind the same port: filtered */
	assert_got(&bed, 0, 0, 0, 0);
	assert_int_equal(switch_find(bed.sw, &a), 1);
	assert_int_equal(bed.sw->forwarded, 2);
	assert_int_equal(bed.sw->flooded, 2);
	assert_int_equal(bed.sw->filtered, 1);
	world_free(bed.world);
}

static void test_never_learns_groups(void **state)
{
	struct bed bed = bed_of();
	const struct mac a = mac(1), group = { .b = { 1, 0, 0x5e, 0, 0, 1 } };
	(void)state;
	send(&bed, 0, &a, &group);
	assert_int_equal(bed.sw->stations, 0);
	send(&bed, 1, &group, &a);
	assert_got(&bed, 1, 0, 1, 1);
	world_free(bed.world);
}

static void test_forgets(void **state)
{
	struct bed bed = bed_of();
	const struct mac a = mac(1), b = mac(2);
	(void)state;
	send(&bed, 0, &b, &a);
	world_run(bed.world, 299 * NANO_S, NULL, NULL);
	assert_int_equal(switch_find(bed.sw, &a), 0);
	world_run(bed.world, 301 * NANO_S, NULL, NULL);
	assert_int_equal(switch_find(bed.sw, &a), -1);
	send(&bed, 1, &a, &b);
	assert_got(&bed, 1, 0, 1, 1);
	world_free(bed.world);
}

/* More stations than there is room for: the one that was silent longest goes. */
static void test_bounded(void **state)
{
	struct bed bed = bed_of();
	const struct mac all = MAC_BROADCAST;
	(void)state;
	for (uint32_t i = 0; i < SWITCH_STATIONS; i++) {
		struct mac m = mac(i);
		send(&bed, i % STATIONS, &all, &m);
	}
	struct mac first = mac(0), second = mac(1), more = mac(99999);
	send(&bed, 0, &all, &first);
	send(&bed, 3, &all, &more);
	assert_int_equal(bed.sw->stations, SWITCH_STATIONS);
	assert_int_equal(switch_find(bed.sw, &more), 3);
	assert_int_equal(switch_find(bed.sw, &first), 0);
	assert_int_equal(switch_find(bed.sw, &second), -1);
	world_free(bed.world);
}

static void test_runts(void **state)
{
	struct bed bed = bed_of();
	(void)state;
	struct parcel *p = parcel_take(bed.world, 13);
	memset(p->bytes, 0, 13);
	port_send(&bed.at[0]->port, p);
	assert_int_equal(world_run(bed.world, NANOTIME_NEVER, NULL, NULL), WORLD_IDLE);
	assert_int_equal(bed.sw->runts, 1);
	assert_got(&bed, 0, 0, 0, 0);
	world_free(bed.world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_learns),
		cmocka_unit_test(test_never_learns_groups),
		cmocka_unit_test(test_forgets),
		cmocka_unit_test(test_bounded),
		cmocka_unit_test(test_runts),
	};
	return test_seed_report(cmocka_run_group_tests(tests, NULL, NULL));
}
