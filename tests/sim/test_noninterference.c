/*
 * I29: nothing that is shared tells one peer what another does. A machine has two
 * neighbours on cables of their own, and the world is run twice with one seed: with
 * one neighbour alone, and with the other busy beside it, who opens and floods
 * connections, is connected to, asks closed ports, pings. What the first one gets, byte
 * for byte and to the nanosecond, must be the same: initial sequence numbers, timestamps,
 * ephemeral ports, identifications, flow labels, windows, the budget of ICMP errors.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "sim/link.h"
#include "sim/node.h"
#include "support/seed.h"

#define ROUNDS 40
#define ROUND  (500 * NANO_MS)

struct bed {
	struct world *world;
	struct node *server, *watcher, *other;
	bool v6;
	uint64_t hash, frames;
};

/*
 * All that goes to the watcher. An IPv4 packet that may be fragmented has an
 * identification by chance, which is another one in each run, and tells no more than
 * that (RFC 7739 5.3): it and the checksum that covers it are left out.
 */
static bool watch(void *user, struct link_way *way, const struct parcel *parcel)
{
	static const struct hash_key key = { { 29, 29 } };
	struct bed *b = user;
	uint8_t bytes[2000] = { 0 };
	(void)way;
	assert_in_range(parcel->len, 14, sizeof bytes);
	memcpy(bytes, parcel->bytes, parcel->len);
	if (load16(bytes + 12) == 0x0800 && !(bytes[20] & 0x40)) {
		memset(bytes + 18, 0, 2);
		memset(bytes + 24, 0, 2);
	}
	const uint64_t seen[] = { b->hash, (uint64_t)b->world->now, parcel->len,
		siphash24(&key, span_of(bytes, parcel->len)) };
	b->hash = hash_words(&key, seen, 4);
	b->frames++;
	return true;
}

static struct node *neighbour(struct bed *b, const char *name, const char *port)
{
	const struct link_config cable = { .delay = 2 * NANO_MS, .rate = 1000000000 };
	struct node *n = node_new(b->world, name, NULL, NULL);
	struct port *here = node_port(b->server, port);
	struct link *l = link_connect(b->world, name, here, node_port(n, "eth0"), &cable, NULL);
	if (strcmp(name, "watcher") == 0) {
		l->way[0].filter = watch;
		l->way[0].filter_user = b;
	}
	return n;
}

static void open_bed(struct bed *b, bool v6)
{
	*b = (struct bed){ .v6 = v6 };
	b->world = world_new(&(struct world_config){ .seed = test_seed() });
	b->server = node_new(b->world, "server", NULL, NULL);
	b->watcher = neighbour(b, "watcher", "eth0");
	b->other = neighbour(b, "other", "eth1");
	node_address(b->server, "eth0", v6 ? "2001:db8:1::1/64" : "192.0.2.1/24");
	node_address(b->server, "eth1", v6 ? "2001:db8:2::1/64" : "198.51.100.1/24");
	node_address(b->watcher, "eth0", v6 ? "2001:db8:1::2/64" : "192.0.2.2/24");
	node_address(b->other, "eth0", v6 ? "2001:db8:2::2/64" : "198.51.100.2/24");
}

static struct addr address(const struct bed *b, bool server, bool other)
{
	static const char *const text[2][2][2] = {
		{ { "192.0.2.2", "198.51.100.2" }, { "192.0.2.1", "198.51.100.1" } },
		{ { "2001:db8:1::2", "2001:db8:2::2" }, { "2001:db8:1::1", "2001:db8:2::1" } },
	};
	const char *t = text[b->v6][server][other];
	struct addr a;
	assert_true(addr_parse(span_of(t, strlen(t)), &a));
	return a;
}

static sock_id listen_on(struct node *n)
{
	sock_id id;
	assert_int_equal(
		sock_listen(node_use(n), &(struct sock_options){ .local_port = 80 }, &id), 0);
	return id;
}

static void run(struct bed *b, nanodiff time)
{
	world_run(b->world, b->world->now + time, NULL, NULL);
}

/* A connection from one machine to the other's port 80, some bytes each way, and its end. */
static void exchange(struct bed *b, struct node *from, struct node *to, sock_id listener,
	const struct addr *where, uint32_t bytes)
{
	uint8_t text[4000] = { 1, 2, 3 };
	struct sock_options o = { .queue = NULL };
	sock_id here, there;
	assert_int_equal(sock_connect(node_use(from), &o, where, 80, &here), 0);
	run(b, 20 * NANO_MS);
	assert_int_equal(sock_accept(node_use(to), listener, NULL, NULL, &there, NULL), 0);
	sock_write(node_use(from), here, text, bytes);
	sock_write(node_use(to), there, text, bytes);
	run(b, 20 * NANO_MS);
	sock_read(node_use(to), there, text, sizeof text);
	sock_read(node_use(from), here, text, sizeof text);
	sock_close(node_use(from), here);
	sock_close(node_use(to), there);
}

/* A closed port, and an echo. */
static void ask(struct bed *b, struct node *n, const struct addr *where)
{
	struct sock_options o = { .queue = NULL };
	sock_id udp, ping;
	assert_int_equal(sock_udp(node_use(n), &o, &udp), 0);
	assert_int_equal(sock_ping(node_use(n), &o, b->v6, &ping), 0);
	sock_send_to(node_use(n), udp, "?", 1, where, 4321);
	sock_send_to(node_use(n), ping, "echo", 4, where, 1);
	run(b, 5 * NANO_MS);
	sock_close(node_use(n), udp);
	sock_close(node_use(n), ping);
}

/* What the watcher sees, of a server that is also busy with another, or is not. */
static uint64_t view(bool v6, bool busy, uint64_t *frames)
{
	struct bed b;
	open_bed(&b, v6);
	struct addr server1 = address(&b, true, false), server2 = address(&b, true, true),
		    watcher = address(&b, false, false), other = address(&b, false, true);
	sock_id at_server = listen_on(b.server), at_watcher = listen_on(b.watcher),
		at_other = listen_on(b.other);
	for (unsigned i = 0; i < ROUNDS; i++) {
		nanotime next = b.world->now + ROUND;
		for (unsigned k = 0; busy && k < 1 + i % 4; k++) {
			exchange(&b, b.other, b.server, at_server, &server2, 3000);
			exchange(&b, b.server, b.other, at_other, &other, 4000);
			ask(&b, b.other, &server2);
		}
		world_run(b.world, next, NULL, NULL);
		exchange(&b, b.watcher, b.server, at_server, &server1, 100 + i * 90);
		exchange(&b, b.server, b.watcher, at_watcher, &watcher, 100 + i * 80);
		ask(&b, b.watcher, &server1);
		world_run(b.world, next + ROUND, NULL, NULL);
	}
	*frames = b.frames;
	uint64_t hash = b.hash;
	world_free(b.world);
	return hash;
}

static void test_two_runs(void **state)
{
	(void)state;
	for (unsigned v6 = 0; v6 < 2; v6++) {
		uint64_t frames[2], hash[2];
		for (unsigned busy = 0; busy < 2; busy++)
			hash[busy] = view(v6, busy, &frames[busy]);
		assert_true(frames[0] > ROUNDS * 10);
		assert_int_equal(frames[0], frames[1]);
		assert_true(hash[0] == hash[1]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_two_runs),
	};
	return test_seed_report(cmocka_run_group_tests(tests, NULL, NULL));
}
