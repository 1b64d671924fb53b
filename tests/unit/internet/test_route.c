/*
 * Routes: the longest prefix wins in each family, changes change the generation,
 * and a random table answers as a search of all routes would.
 */
#include "unit/internet/fake_net.h"
#include "unit/base/property.h"

static enum error add(struct route_table *t, const char *prefix, unsigned len, uint8_t nif)
{
	struct route r = {
		.prefix = fake_addr(prefix), .len = (uint8_t)len, .nif = nif, .on_link = true
	};
	return route_add(t, &r);
}

static int way(const struct route_table *t, const char *destination)
{
	struct addr a = fake_addr(destination);
	const struct route *r = route_find(t, &a);
	return r ? r->nif : -1;
}

static void longest_prefix_wins(void **unused)
{
	(void)unused;
	struct route_table t = { .generation = 1 };
	assert_int_equal(way(&t, "192.0.2.1"), -1);
	assert_int_equal(add(&t, "0.0.0.0", 0, 1), ERR_OK);
	assert_int_equal(add(&t, "192.0.2.128", 25, 2), ERR_OK);
	assert_int_equal(add(&t, "192.0.2.0", 24, 3), ERR_OK);
	assert_int_equal(add(&t, "192.0.2.129", 32, 4), ERR_OK);
	assert_int_equal(add(&t, "2001:db8::", 32, 5), ERR_OK);
	assert_int_equal(add(&t, "2001:db8:0:1::", 64, 6), ERR_OK);
	assert_int_equal(way(&t, "192.0.2.1"), 3);
	assert_int_equal(way(&t, "192.0.2.200"), 2);
	assert_int_equal(way(&t, "192.0.2.129"), 4);
	assert_int_equal(way(&t, "203.0.113.1"), 1);
	assert_int_equal(way(&t, "2001:db8::7"), 5);
	assert_int_equal(way(&t, "2001:db8:0:1::7"), 6);
	/* IPv4's default is none for IPv6, and the other way round. */
	assert_int_equal(way(&t, "2001:db9::1"), -1);
	assert_int_equal(add(&t, "::", 0, 7), ERR_OK);
	assert_int_equal(way(&t, "2001:db9::1"), 7);
	assert_int_equal(way(&t, "203.0.113.1"), 1);
}

static void changes_change_the_generation(void **unused)
{
	(void)unused;
	struct route_table t = { .generation = UINT32_MAX };
	struct addr net = fake_addr("192.0.2.99"), other = fake_addr("198.51.100.0");
	assert_int_equal(add(&t, "192.0.2.0", 24, 1), ERR_OK);
	assert_int_equal(t.generation, 1);                      /* never zero */
	assert_int_equal(add(&t, "192.0.2.77", 24, 1), ERR_OK); /* the same again */
	assert_int_equal(t.generation, 1);
	assert_int_equal(t.count, 1);
	assert_int_equal(add(&t, "192.0.2.0", 24, 2), ERR_IN_USE);
	assert_int_equal(route_remove(&t, &other, 24), ERR_NOT_FOUND);
	assert_int_equal(t.generation, 1);
	assert_int_equal(route_remove(&t, &net, 24), ERR_OK);
	assert_int_equal(t.generation, 2);
	assert_int_equal(t.count, 0);
	assert_int_equal(route_remove(&t, &net, 33), ERR_ARGUMENT);
	/* The others stay when one goes. */
	assert_int_equal(add(&t, "192.0.2.0", 24, 1), ERR_OK);
	assert_int_equal(add(&t, "198.51.100.0", 24, 2), ERR_OK);
	assert_int_equal(add(&t, "203.0.113.0", 24, 3), ERR_OK);
	assert_int_equal(route_remove(&t, &net, 24), ERR_OK);
	assert_int_equal(way(&t, "192.0.2.1"), -1);
	assert_int_equal(way(&t, "198.51.100.1"), 2);
	assert_int_equal(way(&t, "203.0.113.1"), 3);
}

static void routes_that_make_no_sense(void **unused)
{
	(void)unused;
	struct route_table t = { .generation = 1 };
	struct route r = {
		.prefix = fake_addr("192.0.2.0"), .len = 24, .gateway = fake_addr("2001:db8::1")
	};
	assert_int_equal(route_add(&t, &r), ERR_ARGUMENT);
	r.gateway = fake_addr("224.0.0.1");
	assert_int_equal(route_add(&t, &r), ERR_ARGUMENT);
	r.gateway = fake_addr("0.0.0.0");
	assert_int_equal(route_add(&t, &r), ERR_ARGUMENT);
	r.gateway = fake_addr("192.0.2.1");
	r.nif = ACCESS_NETIFS;
	assert_int_equal(route_add(&t, &r), ERR_ARGUMENT);
	r.nif = 0;
	r.len = 33;
	assert_int_equal(route_add(&t, &r), ERR_ARGUMENT);
	r.len = 24;
	assert_int_equal(route_add(&t, &r), ERR_OK);
}

static void the_table_is_bounded(void **unused)
{
	(void)unused;
	struct route_table t = { .generation = 1 };
	struct route r = { .prefix = fake_addr("10.0.0.0"), .len = 24, .on_link = true };
	for (unsigned i = 0; i < ROUTES_MAX; i++) {
		r.prefix.b[14] = (uint8_t)i;
		assert_int_equal(route_add(&t, &r), ERR_OK);
	}
	r.prefix.b[14]++;
	assert_int_equal(route_add(&t, &r), ERR_LIMIT);
}

static void answers_as_a_search_of_all_would(struct rng *rng)
{
	struct route_table t = { .generation = 1 };
	struct route all[40];
	unsigned count = 0;
	for (unsigned i = 0; i < 40; i++) {
		struct route r = { .on_link = true, .nif = (uint8_t)rng_below(rng, 8) };
		uint8_t bytes[16];
		rng_fill(rng, bytes, 16);
		/* Few values, so that prefixes meet. */
		for (unsigned k = 0; k < 16; k++)
			bytes[k] &= 0x81;
		bool four = rng_below(rng, 2);
		r.prefix = four ? addr_from4(bytes) : addr_from6(bytes);
		r.len = (uint8_t)rng_below(rng, four ? 33 : 129);
		if (route_add(&t, &r) == ERR_OK && t.count > count)
			all[count++] = r;
	}
	check(t.count == count);
	for (unsigned i = 0; i < 50; i++) {
		uint8_t bytes[16];
		rng_fill(rng, bytes, 16);
		for (unsigned k = 0; k < 16; k++)
			bytes[k] &= 0x81;
		struct addr a = rng_below(rng, 2) ? addr_from4(bytes) : addr_from6(bytes);
		const struct route *best = NULL, *found = route_find(&t, &a);
		for (unsigned k = 0; k < count; k++)
			if (addr_is4(&all[k].prefix) == addr_is4(&a) &&
				addr_in_prefix(&a, &all[k].prefix, all[k].len) &&
				(!best || all[k].len > best->len))
				best = &all[k];
		check((best == NULL) == (found == NULL));
		check(!best || (best->len == found->len && best->nif == found->nif));
	}
}

static void random_tables(void **unused)
{
	(void)unused;
	property_each(300, answers_as_a_search_of_all_would);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(longest_prefix_wins),
		cmocka_unit_test(changes_change_the_generation),
		cmocka_unit_test(routes_that_make_no_sense),
		cmocka_unit_test(the_table_is_bounded),
		cmocka_unit_test(random_tables),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
