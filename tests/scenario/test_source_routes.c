/*
 * Connections by IPv4 source routes (RFC 9293 3.9.2.1): named by who opens them, or turned around
 * from a SYN that came by one. The peer is 203.0.113.9, the hop next to us 192.0.2.2.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "internet/source_route.h"
#include "support/wire_peer.h"
#include "transport/endpoints.h"

static uint8_t pattern[4000];

static struct addr addr_of(const char *text)
{
	struct addr a;
	assert_true(addr_parse(span_of(text, strlen(text)), &a));
	return a;
}

static struct wire_peer *far_peer(bool taken)
{
	struct stack_config c;
	peer_config(&c);
	c.internet.source_routes = taken;
	struct wire_peer *p = peer_open(&c, false);
	struct mac mac = { { 2, 0, 0, 0, 0, 2 } };
	struct addr other = addr_of("192.0.2.3");
	assert_int_equal(
		neighbour_set_static(stack_access(p->stack), p->nif, &other, &mac), ERR_OK);
	p->remote = addr_of("203.0.113.9");
	return p;
}

/* A segment that goes by this hop, with an option that names `next` (NULL: none) and the peer. */
static const struct peer_segment *expect_by(struct wire_peer *p, uint16_t flags, uint32_t us,
	uint32_t them, const char *hop, const char *next, uint8_t kind)
{
	const struct peer_segment *s = peer_expect(p, flags, us, them);
	struct addr first = addr_of(hop);
	assert_true(addr_equal(&s->destination, &first));
	unsigned count = next ? 2 : 1, at = 3;
	assert_int_equal(s->ip_options_len, (3 + 4 * count + 4) & ~3u);
	assert_int_equal(s->ip_options[0], kind);
	assert_int_equal(s->ip_options[1], 3 + 4 * count);
	assert_int_equal(s->ip_options[2], 4);
	if (next) {
		struct addr second = addr_of(next);
		assert_memory_equal(s->ip_options + at, second.b + 12, 4);
		at += 4;
	}
	assert_memory_equal(s->ip_options + at, p->remote.b + 12, 4);
	return s;
}

/* What the routers on the way wrote: 198.51.100.1 and the one next to us; the pointer is behind. */
static const uint8_t came[12] = { 131, 11, 12, 198, 51, 100, 1, 192, 0, 2, 2, 0 };
static const uint8_t other[12] = { 131, 11, 12, 198, 51, 100, 7, 192, 0, 2, 3, 0 };

/* MUST-51: all segments of a connection go by the named hops, and leave room for the option.
 * MUST-52: a route that arrives changes nothing. */
static void test_named(void **state)
{
	(void)state;
	for (unsigned strict = 0; strict < 2; strict++) {
		uint8_t kind = strict ? 137 : 131;
		struct wire_peer *p = far_peer(true);
		struct tcp_via via = { .hops = 2, .strict = strict };
		via.hop[0] = addr_of("192.0.2.2");
		via.hop[1] = addr_of("198.51.100.1");
		struct sock_options o = { .local_port = 5000, .via = &via };
		sock_id id;
		p->port = 5000;
		assert_int_equal(sock_connect(p->stack, &o, &p->remote, p->peer_port, &id), 0);
		peer_flush(p);
		expect_by(p, TCP_SYN, 0, 0, "192.0.2.2", "198.51.100.1", kind);
		SAY(p, .flags = TCP_SYN | TCP_ACK, .us = 1, .ip_options = other,
			.ip_options_len = 12, .options = { .has = TCP_HAS_MSS, .mss = 1460 });
		expect_by(p, TCP_ACK, 1, 1, "192.0.2.2", "198.51.100.1", kind);
		assert_int_equal(sock_write(p->stack, id, pattern, 2000), 2000);
		peer_flush(p);
		assert_int_equal(
			expect_by(p, TCP_ACK, 1, 1, "192.0.2.2", "198.51.100.1", kind)->len,
			1500 - 40 - 12);
		expect_by(p, TCP_ACK, 1449, 1, "192.0.2.2", "198.51.100.1", kind);
		SAY(p, .flags = TCP_ACK, .them = 1, .us = 2001, .text = "x", .len = 1,
			.ip_options = other, .ip_options_len = 12);
		expect_by(p, TCP_ACK, 2001, 2, "192.0.2.2", "198.51.100.1", kind);
		sock_abort(p->stack, id);
		peer_flush(p);
		expect_by(p, TCP_RST | TCP_ACK, 2001, 2, "192.0.2.2", "198.51.100.1", kind);
		peer_close(p);
	}
}

static void test_bad_names(void **state)
{
	(void)state;
	struct wire_peer *p = far_peer(false);
	struct tcp_via via = { .hops = 0 };
	struct sock_options o = { .via = &via };
	sock_id id;
	assert_int_equal(sock_connect(p->stack, &o, &p->remote, 7, &id), -ERR_ARGUMENT);
	via.hops = 10;
	assert_int_equal(sock_connect(p->stack, &o, &p->remote, 7, &id), -ERR_ARGUMENT);
	via.hops = 1;
	via.hop[0] = addr_of("224.0.0.1");
	assert_int_equal(sock_connect(p->stack, &o, &p->remote, 7, &id), -ERR_ARGUMENT);
	via.hop[0] = addr_of("2001:db8::1");
	assert_int_equal(sock_connect(p->stack, &o, &p->remote, 7, &id), -ERR_FAMILY);
	via.hop[0] = addr_of("198.51.100.1"); /* there is no way to the first hop */
	assert_int_equal(sock_connect(p->stack, &o, &p->remote, 7, &id), -ERR_NO_ROUTE);
	assert_int_equal(stack_transport(p->stack)->conn_pool.used, 0);
	via.hop[0] = addr_of("192.0.2.2");
	sock_id held[16];
	for (unsigned i = 0; i < 16; i++)
		assert_int_equal(sock_connect(p->stack, &o, &p->remote, 7, &held[i]), 0);
	assert_int_equal(sock_connect(p->stack, &o, &p->remote, 7, &id), -ERR_TOO_MANY);
	sock_close(p->stack, held[3]);
	assert_int_equal(sock_connect(p->stack, &o, &p->remote, 7, &id), 0);
	peer_close(p);
}

/* MUST-53: the SYN came by two routers; SYN-ACK, data and reset go back by them in reverse,
 * though no route leads to the peer. SHLD-24: a later segment by others is answered by those. */
static void test_turned_around(void **state)
{
	(void)state;
	struct wire_peer *p = far_peer(true);
	sock_id id, listener = peer_listen(p);
	SAY(p, .flags = TCP_SYN, .ip_options = came, .ip_options_len = 12);
	expect_by(p, TCP_SYN | TCP_ACK, 0, 1, "192.0.2.2", "198.51.100.1", 131);
	SAY(p, .flags = TCP_ACK, .them = 1, .us = 1);
	id = peer_take(p, listener);
	assert_int_equal(sock_write(p->stack, id, pattern, 100), 100);
	peer_flush(p);
	expect_by(p, TCP_ACK, 1, 1, "192.0.2.2", "198.51.100.1", 131);
	/* out of the window, or with a wrong sum, it is nobody's word */
	SAY(p, .flags = TCP_ACK, .them = 900000, .us = 1, .ip_options = other,
		.ip_options_len = 12);
	expect_by(p, TCP_ACK, 101, 1, "192.0.2.2", "198.51.100.1", 131);
	SAY(p, .flags = TCP_ACK, .them = 1, .us = 101, .ip_options = other, .ip_options_len = 12,
		.bad_checksum = true);
	peer_expect_nothing(p);
	SAY(p, .flags = TCP_ACK, .them = 1, .us = 101, .text = "x", .len = 1, .ip_options = other,
		.ip_options_len = 12);
	expect_by(p, TCP_ACK, 101, 2, "192.0.2.3", "198.51.100.7", 131);
	SAY(p, .flags = TCP_ACK, .them = 2, .us = 101, .text = "y", .len = 1); /* no news */
	expect_by(p, TCP_ACK, 101, 3, "192.0.2.3", "198.51.100.7", 131);
	sock_abort(p->stack, id);
	peer_flush(p);
	expect_by(p, TCP_RST | TCP_ACK, 101, 3, "192.0.2.3", "198.51.100.7", 131);
	peer_close(p);
}

/* In the table of connections each free place is taken, or all of these are free again. */
static void fill_table(struct transport *t, bool full)
{
	for (uint32_t at = 0; at <= t->demux.mask; at++)
		for (unsigned i = 0; i < DEMUX_SLOTS; i++)
			if (!t->demux.line[at].tag[i]) /* that of an entry is odd */
				t->demux.line[at].ref[i] = full;
}

/* What brings a cookie back finds no place in the table: it holds no route either, of which there
 * are few. Later it finds one. */
static void test_given_up(void **state)
{
	(void)state;
	struct wire_peer *p = far_peer(true);
	struct transport *t = stack_transport(p->stack);
	sock_id listener = peer_listen(p);
	struct source_route r = { .hops = 1,
		.hop = { { 192, 0, 2, 2 } },
		.owner = { p->local, p->remote, p->port, p->peer_port } };
	uint8_t number = source_route_put(t->internet, &r);
	assert_int_not_equal(number, 0);
	t->config.syn_cookies = SYN_COOKIES_ALWAYS;
	SAY(p, .flags = TCP_SYN);
	peer_expect(p, TCP_SYN | TCP_ACK, 0, 1);
	fill_table(t, true);
	SAY(p, .flags = TCP_ACK, .them = 1, .us = 1);
	peer_expect_nothing(p);
	assert_int_equal(stack_counters(p->stack)->drop[DROP_TCP_BACKLOG_FULL], 1);
	assert_int_equal(t->conn_pool.used, 0);
	assert_false(source_route_at(t->internet, number)->held);
	fill_table(t, false);
	SAY(p, .flags = TCP_ACK, .them = 1, .us = 1);
	peer_take(p, listener);
	assert_true(source_route_at(t->internet, number)->held);
	peer_close(p);
}

/* Unless it is configured nobody comes by a source route; and never by one that is no route. */
static void test_refused(void **state)
{
	(void)state;
	static const uint8_t bad[][12] = {
		{ 131, 11, 8, 198, 51, 100, 1, 192, 0, 2, 2, 0 },  /* not at its end */
		{ 131, 11, 40, 198, 51, 100, 1, 192, 0, 2, 2, 0 }, /* beyond it */
		{ 131, 10, 11, 198, 51, 100, 1, 192, 0, 2, 0, 0 }, /* half an address */
		{ 131, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0 },          /* no pointer */
		{ 131, 3, 4, 131, 3, 4, 1, 1, 1, 1, 1, 0 },        /* two of them */
		{ 131, 11, 12, 224, 0, 0, 1, 192, 0, 2, 2, 0 },    /* a group */
		{ 131, 11, 12, 198, 51, 100, 1, 127, 0, 0, 1, 0 }, /* ourselves */
		{ 131, 7, 8, 192, 0, 2, 2, 68, 40, 5, 0, 0 },      /* cut off behind it */
	};
	struct wire_peer *p = far_peer(false);
	peer_listen(p);
	SAY(p, .flags = TCP_SYN, .ip_options = came, .ip_options_len = 12);
	peer_expect_nothing(p);
	assert_int_equal(stack_counters(p->stack)->drop[DROP_IP4_SOURCE_ROUTE], 1);
	peer_close(p);
	p = far_peer(true);
	peer_listen(p);
	for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++) {
		SAY(p, .flags = TCP_SYN, .ip_options = bad[i], .ip_options_len = 12);
		peer_expect_nothing(p);
		assert_int_equal(stack_counters(p->stack)->drop[DROP_IP4_SOURCE_ROUTE], i + 1);
	}
	peer_close(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_named),
		cmocka_unit_test(test_bad_names),
		cmocka_unit_test(test_turned_around),
		cmocka_unit_test(test_given_up),
		cmocka_unit_test(test_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
