/*
 * I31: numbers that nobody must foretell look like chance: initial sequence numbers and
 * timestamp offsets of many peers at one time, first ports towards many destinations,
 * ports of UDP sockets, identifications of packets that may be fragmented, Fast Open
 * cookies. A million bits of each pass the frequency, runs and serial tests (NIST SP
 * 800-22 2.1, 2.3, 2.11), and those of a machine with another secret differ from them by
 * chance as well. A number that is known to fail shows that the tests can.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "support/wire_peer.h"
#include "transport/endpoints.h"
#include "transport/tcp/fast_open.h"
#include "transport/tcp/tcp_conn.h"

#define BITS  1000000u
#define PORTS 15 /* bits of a port of the range below */
#define FIRST 32768

struct stream {
	uint32_t count; /* bits so far */
	uint8_t bit[BITS + 64];
};

static void add(struct stream *s, uint64_t value, unsigned bits)
{
	while (bits-- && s->count < BITS)
		s->bit[s->count++] = value >> bits & 1;
}

/* ---- the tests: each gives the square of a distance, in units of its variance ---- */

/* 2.1: as many ones as zeroes. */
static double frequency(const struct stream *s)
{
	double sum = 0;
	for (uint32_t i = 0; i < s->count; i++)
		sum += s->bit[i] ? 1 : -1;
	return sum * sum / s->count;
}

/* 2.3: as many changes as there should be, for so many ones. */
static double runs(const struct stream *s)
{
	double ones = s->bit[0], changes = 1, n = s->count;
	for (uint32_t i = 1; i < s->count; i++) {
		ones += s->bit[i];
		changes += s->bit[i] != s->bit[i - 1];
	}
	double p = ones / n, expected = 2 * n * p * (1 - p);
	return (changes - expected) * (changes - expected) / (4 * n * p * p * (1 - p) * (1 - p));
}

/* 2.11: each pattern of four bits as often as any other, over those of three. */
static double psi(const struct stream *s, unsigned m)
{
	uint32_t seen[16] = { 0 };
	double sum = 0;
	for (uint32_t i = 0; i < s->count; i++) {
		unsigned pattern = 0;
		for (unsigned k = 0; k < m; k++)
			pattern = pattern << 1 | s->bit[(i + k) % s->count];
		seen[pattern]++;
	}
	for (unsigned i = 0; i < 1u << m; i++)
		sum += (double)seen[i] * seen[i];
	return sum * (1u << m) / s->count - s->count;
}

static double serial(const struct stream *s)
{
	return psi(s, 4) - psi(s, 3);
}

/* One stream of honest chance in some thirty thousand fails each of these. */
static bool is_chance(const struct stream *s)
{
	return s->count == BITS && frequency(s) < 17.4 && runs(s) < 17.4 && serial(s) < 34.8;
}

/* ---- where the numbers come from ---- */

struct machine {
	struct wire_peer *peer;
	struct transport *t;
};

static struct machine machine_of(uint8_t secret)
{
	struct stack_config c;
	peer_config(&c);
	c.transport.port_first = FIRST;
	c.transport.port_last = 65535;
	c.secret[0] ^= secret; /* one half of it is for tables, the other for the numbers */
	c.secret[sizeof c.secret - 1] ^= secret;
	struct machine m = { .peer = peer_open(&c, false) };
	m.t = stack_transport(m.peer->stack);
	return m;
}

/* One tuple for each n: hosts next door and their ports, which differ in few bits. */
static struct tcp_tuple tuple_of(const struct machine *m, uint32_t n)
{
	struct tcp_tuple tuple = { .local = m->peer->local, .local_port = 80 };
	uint8_t four[4] = { 198, 51, (uint8_t)(n >> 16), (uint8_t)(n >> 8) };
	tuple.remote = addr_from4(four);
	tuple.remote_port = (uint16_t)(1024 + (n & 255));
	return tuple;
}

static void isns(const struct machine *m, struct stream *s)
{
	for (uint32_t n = 0; s->count < BITS; n++) {
		struct tcp_tuple tuple = tuple_of(m, n);
		add(s, tcp_secret_numbers(m->t, &tuple, m->peer->now).isn, 32);
	}
}

static void stamps(const struct machine *m, struct stream *s)
{
	for (uint32_t n = 0; s->count < BITS; n++) {
		struct tcp_tuple tuple = tuple_of(m, n);
		add(s, tcp_secret_numbers(m->t, &tuple, m->peer->now).ts_offset, 32);
	}
}

static void ports(const struct machine *m, struct stream *s)
{
	for (uint32_t n = 0; s->count < BITS; n++) {
		struct tcp_tuple tuple = tuple_of(m, n);
		tuple.local_port = 0;
		assert_int_equal(tcp_pick_port(m->t, &tuple), ERR_OK);
		add(s, tuple.local_port - FIRST, PORTS);
	}
}

static void udp_ports(const struct machine *m, struct stream *s)
{
	const struct sock_options o = { .queue = NULL };
	struct stack *stack = m->peer->stack;
	while (s->count < BITS) {
		struct sock_peer name;
		sock_id id;
		assert_int_equal(sock_udp(stack, &o, &id), 0);
		sock_name(stack, id, &name, NULL);
		sock_close(stack, id);
		add(s, name.port - FIRST, PORTS);
	}
}

static bool note_identification(
	void *link, struct netif *nif, const struct tx_frame *f, nanotime now)
{
	uint8_t bytes[64];
	(void)nif, (void)now;
	frame_copy(f, bytes, sizeof bytes);
	assert_int_equal(bytes[20] & 0x40, 0); /* DF: it would need none */
	add(link, load16(bytes + 18), 16);
	return true;
}

/* Of datagrams, through an interface of their own. */
static void identifications(const struct machine *m, struct stream *s)
{
	static const struct link_ops ops = { .name = "ids", .transmit = note_identification };
	const struct netif_config config = {
		.name = "eth1", .mac = { { 2, 0, 0, 0, 1, 1 } }, .mtu = 1500, .ops = &ops, .link = s
	};
	const struct sock_options o = { .queue = NULL };
	struct stack *stack = m->peer->stack;
	const struct addr own = addr_from4((const uint8_t[]){ 198, 51, 100, 1 }),
			  to = addr_from4((const uint8_t[]){ 198, 51, 100, 2 });
	const struct mac mac = { { 2, 0, 0, 0, 1, 2 } };
	const char *why;
	sock_id id;
	struct netif *nif = stack_add_netif(stack, &config, &why);
	assert_non_null(nif);
	assert_int_equal(neighbour_set_static(stack_access(stack), nif, &to, &mac), ERR_OK);
	assert_int_equal(stack_add_address(stack, nif, &own, 24), ERR_OK);
	s->count = 0;
	assert_int_equal(sock_udp(stack, &o, &id), 0);
	while (s->count < BITS) {
		assert_int_equal(sock_send_to(stack, id, "ask", 3, &to, 53), 3);
		peer_flush(m->peer);
	}
}

static void cookies(const struct machine *m, struct stream *s)
{
	for (uint32_t n = 0; s->count < BITS; n++) {
		struct tcp_tuple tuple = tuple_of(m, n << 8);
		uint8_t cookie[FAST_OPEN_COOKIE];
		fast_open_cookie(&m->t->fast_open_keys.key[0], &tuple.local, &tuple.remote, cookie);
		for (unsigned i = 0; i < sizeof cookie; i++)
			add(s, cookie[i], 8);
	}
}

/* ---- */

static void test_chance(void **state)
{
	static void (*const source[])(const struct machine *, struct stream *) = { isns, stamps,
		ports, udp_ports, identifications, cookies };
	struct stream *s = calloc(3, sizeof *s);
	(void)state;
	assert_non_null(s);
	for (size_t i = 0; i < sizeof source / sizeof *source; i++) {
		struct machine one = machine_of(0), other = machine_of(1);
		s[0].count = s[1].count = s[2].count = 0;
		source[i](&one, &s[0]);
		source[i](&other, &s[1]);
		for (uint32_t k = 0; k < BITS; k++)
			add(&s[2], s[0].bit[k] ^ s[1].bit[k], 1);
		for (unsigned k = 0; k < 3; k++)
			if (!is_chance(&s[k]))
				fail_msg("source %zu, stream %u: frequency %.1f runs %.1f serial "
					 "%.1f",
					i, k, frequency(&s[k]), runs(&s[k]), serial(&s[k]));
		peer_close(one.peer);
		peer_close(other.peer);
	}
	free(s);
}

/* A counter, a clock, one bit that stands still in 32, and a period are none. */
static void test_no_chance(void **state)
{
	struct stream *s = calloc(4, sizeof *s);
	const struct hash_key key = { { 3, 1 } };
	(void)state;
	assert_non_null(s);
	for (uint64_t n = 0; s[0].count < BITS; n++) {
		uint64_t hash = hash_secret(&key, &n, 1);
		add(&s[0], n, 32);
		add(&s[1], 250000 * n, 32);
		add(&s[2], hash & ~UINT64_C(0x10), 32);
		add(&s[3], 0x9e3779b9, 32);
	}
	for (unsigned i = 0; i < 4; i++)
		assert_false(is_chance(&s[i]));
	free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_chance),
		cmocka_unit_test(test_no_chance),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
