/*
 * Interfaces, addresses and groups; the rules of the config, each broken once;
 * and the plan of memory.
 */
#include "unit/access/fake_link.h"

static void config_rules(void **unused)
{
	(void)unused;
	struct access_config good, c;
	access_config_default(&good);
	assert_null(access_config_check(&good));
#define BROKEN(change) \
	do { \
		c = good; \
		change; \
		assert_non_null(access_config_check(&c)); \
	} while (0)
	BROKEN(c.neighbours = 15);
	BROKEN(c.incomplete_max = 0);
	BROKEN(c.incomplete_max = c.neighbours + 1);
	BROKEN(c.pending_frames = 0);
	BROKEN(c.pending_each = 0);
	BROKEN(c.pending_each = c.pending_frames + 1);
	BROKEN(c.intents = 0);
	BROKEN(c.retrans = NANO_S - 1); /* RFC 1122 2.3.2.1 */
	BROKEN(c.tries = 0);
	BROKEN(c.reachable = 0);
	BROKEN(c.delay_first = -1);
	BROKEN(c.failed_hold = 0);
	BROKEN(c.failed_hold = NANOTIME_NEVER);
#undef BROKEN
	c = (struct access_config){ .neighbours = 16,
		.incomplete_max = 1,
		.pending_frames = 1,
		.pending_each = 1,
		.intents = 1,
		.retrans = NANO_S,
		.tries = 1,
		.reachable = 1,
		.delay_first = 1,
		.failed_hold = 1 };
	assert_null(access_config_check(&c)); /* the least of everything */
}

static void netif_rules(void **unused)
{
	(void)unused;
	struct fake *f = fake_open(NULL);
	struct netif_config good = { .name = "x", .mac = FAKE_MAC, .mtu = 576, .ops = &fake_ops };
	struct netif_config c;
	const char *why;
	uint8_t before = f->access.netifs;
#define BROKEN(change) \
	do { \
		c = good; \
		change; \
		why = NULL; \
		assert_null(access_add_netif(&f->access, &c, &why)); \
		assert_non_null(why); \
	} while (0)
	BROKEN(c.name = "");
	BROKEN(c.name = NULL);
	BROKEN(c.name = "a name of sixteen");
	BROKEN(c.mac = (struct mac){ { 0 } });
	BROKEN(c.mac.b[0] = 3);
	BROKEN(c.mtu = 575);
	BROKEN(c.vlan = 4095);
	BROKEN(c.ops = NULL);
#undef BROKEN
	assert_int_equal(f->access.netifs, before);
	while (f->access.netifs < ACCESS_NETIFS) {
		struct netif *nif = access_add_netif(&f->access, &good, NULL);
		assert_non_null(nif);
		assert_ptr_equal(nif, &f->access.netif[nif->index]);
		assert_string_equal(nif->name, "x");
		assert_true(nif->up);
	}
	assert_null(access_add_netif(&f->access, &good, &why));
	fake_close(f);
}

static void address_rules(void **unused)
{
	(void)unused;
	struct fake *f = fake_open(NULL);
	static const struct {
		const char *address;
		unsigned prefix;
		enum error error;
	} row[] = {
		{ "192.0.2.1", 24, ERR_OK },
		{ "192.0.2.1", 24, ERR_IN_USE },
		{ "192.0.2.0", 24, ERR_ARGUMENT },
		{ "192.0.2.255", 24, ERR_ARGUMENT },
		{ "192.0.2.8", 31, ERR_OK },
		{ "198.51.100.0", 32, ERR_OK },
		{ "0.0.0.0", 0, ERR_ARGUMENT },
		{ "0.0.0.7", 8, ERR_ARGUMENT },
		{ "224.0.0.1", 24, ERR_ARGUMENT },
		{ "127.0.0.1", 8, ERR_ARGUMENT },
		{ "240.0.0.1", 8, ERR_ARGUMENT },
		{ "255.255.255.255", 32, ERR_ARGUMENT },
		{ "192.0.2.7", 33, ERR_ARGUMENT },
		{ "::", 64, ERR_ARGUMENT },
		{ "::1", 128, ERR_ARGUMENT },
		{ "ff02::1", 64, ERR_ARGUMENT },
		{ "2001:db8::1", 129, ERR_ARGUMENT },
		{ "2001:db8::1", 64, ERR_OK },
		{ "fe80::1", 64, ERR_OK },
	};
	for (unsigned i = 0; i < sizeof row / sizeof *row; i++) {
		struct addr a = fake_addr(row[i].address);
		if (access_add_address(&f->access, f->nif, &a, row[i].prefix) != row[i].error)
			fail_msg("%s/%u", row[i].address, row[i].prefix);
	}
	/* On another link: a link-local address may be the same, a global one may not. */
	struct netif *other = fake_add_netif(f, 0);
	struct addr a = fake_addr("fe80::1");
	assert_int_equal(access_add_address(&f->access, other, &a, 64), ERR_OK);
	a = fake_addr("2001:db8::1");
	assert_int_equal(access_add_address(&f->access, other, &a, 64), ERR_IN_USE);
	/* IPv6 needs an MTU of 1280. */
	other->mtu = 1279;
	a = fake_addr("2001:db8::2");
	assert_int_equal(access_add_address(&f->access, other, &a, 64), ERR_ARGUMENT);
	fake_close(f);
}

static void addresses_and_groups_have_bounds(void **unused)
{
	(void)unused;
	struct fake *f = fake_open(NULL);
	struct addr a = fake_addr("2001:db8::0");
	for (unsigned i = 0; i < NETIF_ADDRESSES; i++) {
		a.b[15] = (uint8_t)(1 + i);
		assert_int_equal(access_add_address(&f->access, f->nif, &a, 64), ERR_OK);
	}
	a.b[15]++;
	assert_int_equal(access_add_address(&f->access, f->nif, &a, 64), ERR_LIMIT);
	assert_int_equal(f->nif->groups, NETIF_ADDRESSES + 1);
	struct addr group = fake_addr("ff02::100");
	while (f->nif->groups < NETIF_GROUPS) {
		group.b[15]++;
		assert_int_equal(access_join(&f->access, f->nif, &group), ERR_OK);
	}
	assert_int_equal(access_join(&f->access, f->nif, &group), ERR_OK); /* joined already */
	group.b[15]++;
	assert_int_equal(access_join(&f->access, f->nif, &group), ERR_LIMIT);
	fake_close(f);
}

static void broadcast_and_on_link(void **unused)
{
	(void)unused;
	struct fake *f = fake_open(NULL);
	fake_add_address(f, f->nif, "10.1.2.3", 22);
	fake_add_address(f, f->nif, "192.0.2.8", 31);
	fake_add_address(f, f->nif, "2001:db8::1", 64);
	assert_int_equal(addr_four(&f->nif->address[0].broadcast), 0x0a0103ff);
	assert_true(addr_is_any(&f->nif->address[1].broadcast));
	assert_true(addr_is_any(&f->nif->address[2].broadcast));
	static const struct {
		const char *address;
		bool near;
	} row[] = {
		{ "10.1.0.1", true },
		{ "10.1.3.255", true },
		{ "10.1.4.0", false },
		{ "192.0.2.9", true },
		{ "192.0.2.10", false },
		{ "2001:db8::ffff", true },
		{ "2001:db8:1::", false },
		{ "::a01:1", false },
	};
	for (unsigned i = 0; i < sizeof row / sizeof *row; i++) {
		struct addr a = fake_addr(row[i].address);
		assert_int_equal(netif_on_link(f->nif, &a), row[i].near);
	}
	fake_close(f);
}

static void memory_is_planned(void **unused)
{
	(void)unused;
	struct access_config c;
	access_config_default(&c);
	struct arena measure = { .at = NULL };
	struct access a;
	struct core core = { .key = { { 1, 2 } } };
	assert_false(access_init(&a, &core, &c, &measure));
	assert_in_range(measure.used, 1000, FAKE_ARENA);
	uint8_t *at = malloc(measure.used + 64);
	assert_non_null(at);
	struct arena exact = { .at = at, .size = measure.used + 64 };
	assert_true(access_init(&a, &core, &c, &exact));
	struct arena small = { .at = at, .size = measure.used / 2 };
	assert_false(access_init(&a, &core, &c, &small));
	assert_true(sizeof(struct neighbour) <= 192);
	free(at);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(config_rules),
		cmocka_unit_test(netif_rules),
		cmocka_unit_test(address_rules),
		cmocka_unit_test(addresses_and_groups_have_bounds),
		cmocka_unit_test(broadcast_and_on_link),
		cmocka_unit_test(memory_is_planned),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
