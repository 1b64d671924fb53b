/*
 * Paths and source addresses: which way a destination is, when a path is stale,
 * what waits, what fails, and which of our addresses speaks.
 */
#include "unit/internet/fake_net.h"

static enum error path_to(struct net *n, struct path *p, const char *destination)
{
	struct addr a = fake_addr(destination);
	*p = (struct path){ .generation = 0 };
	return internet_path(&n->in, p, &a, n->f->now);
}

static const struct neighbour *hop(struct net *n, const struct path *p)
{
	assert_int_not_equal(p->neighbour, NEIGHBOUR_NO_INDEX);
	return neighbour_at(&n->f->access, p->neighbour);
}

static void next_hops(void **unused)
{
	(void)unused;
	struct net *n = net_open(NULL, NULL);
	struct path p;
	net_route(n, "0.0.0.0", 0, "192.0.2.254");
	net_route(n, "2001:db8:ffff::", 48, "fe80::1");
	assert_int_equal(path_to(n, &p, "192.0.2.7"), ERR_OK);
	assert_true(net_is(&hop(n, &p)->address, "192.0.2.7"));
	assert_int_equal(p.mtu, 1500);
	assert_int_equal(path_to(n, &p, "203.0.113.9"), ERR_OK);
	assert_true(net_is(&hop(n, &p)->address, "192.0.2.254"));
	assert_int_equal(path_to(n, &p, "2001:db8:ffff::9"), ERR_OK);
	assert_true(net_is(&hop(n, &p)->address, "fe80::1"));
	assert_int_equal(path_to(n, &p, "2001:db8:1::9"), ERR_NO_ROUTE);
	/* A route's own MTU counts where it is smaller. */
	struct route r = { .prefix = fake_addr("10.0.0.0"),
		.len = 8,
		.mtu = 1300,
		.gateway = fake_addr("192.0.2.254") };
	assert_int_equal(route_add(&n->in.routes, &r), ERR_OK);
	assert_int_equal(path_to(n, &p, "10.0.0.1"), ERR_OK);
	assert_int_equal(p.mtu, 1300);
	n->nif->up = false;
	assert_int_equal(path_to(n, &p, "192.0.2.8"), ERR_NO_ROUTE);
	net_close(n);
}

static void nowhere_to_go(void **unused)
{
	(void)unused;
	struct net *n = net_open_router();
	struct path p;
	net_route(n, "0.0.0.0", 0, "192.0.2.254");
	net_route(n, "::", 0, "2001:db8::fe");
	static const char *const none[] = { "192.0.2.1", "198.51.100.1", "2001:db8::1", "127.0.0.1",
		"::1", "0.0.0.0", "::" };
	for (unsigned i = 0; i < sizeof none / sizeof *none; i++) {
		struct addr a = fake_addr(none[i]), source;
		assert_int_equal(path_to(n, &p, none[i]), ERR_NO_ROUTE);
		assert_int_equal(internet_path_ready(&n->in, &p, &a, n->f->now), PATH_NO_ROUTE);
		if (internet_is_ours(&n->in, &a))
			assert_int_equal(internet_source(&n->in, &a, &source), ERR_NO_ROUTE);
	}
	/* Nobody was asked for our own address. */
	fake_flush(n->f);
	assert_int_equal(n->f->count, 0);
	assert_int_equal(n->f->access.neighbour_pool.used, 0);
	net_close(n);
}

static void groups_need_no_neighbour(void **unused)
{
	(void)unused;
	struct net *n = net_open_router();
	struct path p;
	static const struct {
		const char *group;
		uint8_t nif;
	} row[] = {
		{ "255.255.255.255", 0 },
		{ "192.0.2.255", 0 },
		{ "198.51.100.255", 1 },
		{ "224.0.0.251", 0 },
		{ "ff02::fb", 0 },
	};
	for (unsigned i = 0; i < sizeof row / sizeof *row; i++) {
		assert_int_equal(path_to(n, &p, row[i].group), ERR_OK);
		assert_int_equal(p.neighbour, NEIGHBOUR_NO_INDEX);
		assert_int_equal(p.nif, row[i].nif);
		struct addr a = fake_addr(row[i].group);
		assert_int_equal(internet_path_ready(&n->in, &p, &a, n->f->now), PATH_SEND);
		internet_confirm(&n->in, &p, n->f->now);
	}
	/* A route for groups decides. */
	struct route r = { .prefix = fake_addr("224.0.0.0"), .len = 4, .nif = 1, .on_link = true };
	assert_int_equal(route_add(&n->in.routes, &r), ERR_OK);
	assert_int_equal(path_to(n, &p, "224.0.0.251"), ERR_OK);
	assert_int_equal(p.nif, 1);
	net_close(n);
}

static void ready_waits_wakes_and_dies(void **unused)
{
	(void)unused;
	struct net *n = net_open(NULL, NULL);
	struct path p = { .generation = 0 };
	struct addr a = fake_addr("192.0.2.7");
	struct list endpoint;
	list_init(&endpoint);
	assert_int_equal(internet_path_ready(&n->in, &p, &a, n->f->now), PATH_WAIT);
	internet_park(&n->in, &p, &endpoint);
	fake_flush(n->f);
	fake_receive_arp(n->f, n->nif,
		(struct fake_arp){
			.operation = ARP_REPLY, .sender = "192.0.2.7", .target = "192.0.2.1" });
	assert_ptr_equal(list_pop_front(&n->f->access.woken), &endpoint);
	assert_int_equal(internet_path_ready(&n->in, &p, &a, n->f->now), PATH_SEND);
	/* STALE: the slow way, and still PATH_SEND; a confirmation ends the doubt. */
	fake_run(n->f, n->f->now + 50 * NANO_S);
	assert_int_equal(hop(n, &p)->state, NEIGHBOUR_STALE);
	assert_int_equal(internet_path_ready(&n->in, &p, &a, n->f->now), PATH_SEND);
	assert_int_equal(hop(n, &p)->state, NEIGHBOUR_DELAY);
	internet_confirm(&n->in, &p, n->f->now);
	assert_int_equal(hop(n, &p)->state, NEIGHBOUR_REACHABLE);
	/* Nobody at home. */
	struct path q = { .generation = 0 };
	struct addr b = fake_addr("192.0.2.8");
	assert_int_equal(internet_path_ready(&n->in, &q, &b, n->f->now), PATH_WAIT);
	fake_run(n->f, n->f->now + 3 * NANO_S);
	assert_int_equal(internet_path_ready(&n->in, &q, &b, n->f->now), PATH_DEAD);
	net_close(n);
}

static void changed_routes_make_paths_stale(void **unused)
{
	(void)unused;
	struct net *n = net_open(NULL, NULL);
	struct path p;
	struct addr a = fake_addr("203.0.113.9"), net = fake_addr("0.0.0.0");
	net_route(n, "0.0.0.0", 0, "192.0.2.254");
	net_know(n, n->nif, "192.0.2.254");
	assert_int_equal(path_to(n, &p, "203.0.113.9"), ERR_OK);
	assert_int_equal(internet_path_ready(&n->in, &p, &a, n->f->now), PATH_SEND);
	assert_int_equal(route_remove(&n->in.routes, &net, 0), ERR_OK);
	assert_int_equal(internet_path_ready(&n->in, &p, &a, n->f->now), PATH_NO_ROUTE);
	net_route(n, "0.0.0.0", 0, "192.0.2.253");
	assert_int_equal(internet_path_ready(&n->in, &p, &a, n->f->now), PATH_WAIT);
	assert_true(net_is(&hop(n, &p)->address, "192.0.2.253"));
	net_close(n);
}

static void reused_neighbours_make_paths_stale(void **unused)
{
	(void)unused;
	struct access_config c;
	access_config_default(&c);
	c.neighbours = c.incomplete_max = 16;
	struct net *n = net_open(NULL, &c);
	struct path p, kept;
	struct addr a = fake_addr("192.0.2.7");
	assert_int_equal(path_to(n, &p, "192.0.2.7"), ERR_OK);
	fake_receive_arp(n->f, n->nif,
		(struct fake_arp){
			.operation = ARP_REQUEST, .sender = "192.0.2.7", .target = "192.0.2.1" });
	kept = p;
	/* Others fill the table: the STALE entry is reused for one of them. */
	n->f->now += NANO_S;
	for (unsigned i = 0; i < 16; i++) {
		struct addr other = fake_addr("192.0.2.100");
		other.b[15] = (uint8_t)(100 + i);
		neighbour_lookup(&n->f->access, n->nif, &other, n->f->now);
	}
	assert_null(fake_neighbour(n->f, "192.0.2.7"));
	const struct neighbour *other = neighbour_at(&n->f->access, kept.neighbour);
	assert_int_equal(other->state, NEIGHBOUR_INCOMPLETE);
	nanotime confirmed = other->confirmed;
	internet_confirm(&n->in, &kept, n->f->now); /* not the other's merit */
	assert_int_equal(other->confirmed, confirmed);
	assert_int_equal(internet_path_ready(&n->in, &p, &a, n->f->now), PATH_FULL);
	assert_int_equal(path_to(n, &p, "192.0.2.7"), ERR_MEMORY);
	assert_int_equal(p.generation, 0);
	fake_run(n->f, n->f->now + 3 * NANO_S);
	assert_int_equal(internet_path_ready(&n->in, &p, &a, n->f->now), PATH_WAIT);
	assert_true(net_is(&hop(n, &p)->address, "192.0.2.7"));
	net_close(n);
}

static void linklocal_is_on_its_link(void **unused)
{
	(void)unused;
	struct net *n = net_open_router();
	struct path p;
	assert_int_equal(path_to(n, &p, "fe80::9"), ERR_NO_ROUTE);
	fake_add_address(n->f, n->outer, "fe80::1", 64);
	assert_int_equal(path_to(n, &p, "fe80::9"), ERR_OK);
	assert_int_equal(p.nif, 1);
	net_close(n);
}

static void sources(void **unused)
{
	(void)unused;
	struct net *n = net_open_router();
	fake_add_address(n->f, n->nif, "fe80::1", 64);
	fake_add_address(n->f, n->nif, "2001:db8:aaaa::1", 64);
	net_address(n, n->nif, "10.0.0.1", 8);
	net_route(n, "0.0.0.0", 0, "192.0.2.254");
	net_route(n, "::", 0, "2001:db8::fe");
	static const struct {
		const char *destination, *source;
	} row[] = {
		{ "192.0.2.9", "192.0.2.1" },
		{ "10.9.9.9", "10.0.0.1" },
		{ "198.51.100.9", "198.51.100.1" },
		{ "203.0.113.1", "192.0.2.1" },
		{ "2001:db8::9", "2001:db8::1" },
		{ "2001:db8:aaaa::9", "2001:db8:aaaa::1" }, /* rule 8 */
		{ "2001:db8:2::9", "2001:db8:2::1" },       /* rule 5 */
		{ "fe80::9", "fe80::1" },                   /* rule 2 */
		{ "ff02::fb", "fe80::1" },
		{ "224.0.0.251", "192.0.2.1" },
	};
	for (unsigned i = 0; i < sizeof row / sizeof *row; i++) {
		struct addr a = fake_addr(row[i].destination), source;
		assert_int_equal(internet_source(&n->in, &a, &source), ERR_OK);
		if (!net_is(&source, row[i].source))
			fail_msg("source for %s", row[i].destination);
	}
	net_close(n);
}

static void scopes(void **unused)
{
	(void)unused;
	struct net *n = net_open(NULL, NULL);
	struct netif *nif = fake_add_netif(n->f, 0);
	fake_add_address(n->f, nif, "fec0::1", 64);
	fake_add_address(n->f, nif, "2001:db8:7::1", 64);
	struct route r = {
		.prefix = fake_addr("fec0::"), .len = 10, .nif = nif->index, .on_link = true
	};
	assert_int_equal(route_add(&n->in.routes, &r), ERR_OK);
	r.prefix = fake_addr("2001:db8:8::");
	r.len = 48;
	assert_int_equal(route_add(&n->in.routes, &r), ERR_OK);
	r.prefix = fake_addr("ff00::");
	r.len = 8;
	assert_int_equal(route_add(&n->in.routes, &r), ERR_OK);
	static const char *const row[][2] = {
		{ "fec0:0:0:9::9", "fec0::1" },
		{ "2001:db8:8::9", "2001:db8:7::1" },
		{ "ff05::9", "fec0::1" }, /* site-local groups */
		{ "ff0e::9", "2001:db8:7::1" },
	};
	for (unsigned i = 0; i < sizeof row / sizeof *row; i++) {
		struct addr a = fake_addr(row[i][0]), source;
		assert_int_equal(internet_source(&n->in, &a, &source), ERR_OK);
		if (!net_is(&source, row[i][1]))
			fail_msg("source for %s", row[i][0]);
	}
	net_close(n);
}

static void no_source(void **unused)
{
	(void)unused;
	struct net *n = net_open(NULL, NULL);
	struct netif *bare = fake_add_netif(n->f, 0);
	struct route r = {
		.prefix = fake_addr("203.0.113.0"), .len = 24, .nif = bare->index, .on_link = true
	};
	assert_int_equal(route_add(&n->in.routes, &r), ERR_OK);
	struct addr a = fake_addr("203.0.113.9"), b = fake_addr("8.8.8.8"), source;
	struct addr c = fake_addr("fe80::1");
	assert_int_equal(internet_source(&n->in, &a, &source), ERR_NO_ADDRESS);
	assert_int_equal(internet_source(&n->in, &b, &source), ERR_NO_ROUTE);
	assert_int_equal(internet_source(&n->in, &c, &source), ERR_NO_ADDRESS);
	net_close(n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(next_hops),
		cmocka_unit_test(nowhere_to_go),
		cmocka_unit_test(groups_need_no_neighbour),
		cmocka_unit_test(ready_waits_wakes_and_dies),
		cmocka_unit_test(changed_routes_make_paths_stale),
		cmocka_unit_test(reused_neighbours_make_paths_stale),
		cmocka_unit_test(linklocal_is_on_its_link),
		cmocka_unit_test(sources),
		cmocka_unit_test(scopes),
		cmocka_unit_test(no_source),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
