/*
 * Known attacks on TCP by single segments: headers and options that lie, urgent
 * pointers, blind resets and SYNs, text that contradicts itself. One test for each,
 * named after its row in the list of attacks.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "support/wire_peer.h"
#include "transport/endpoints.h"

static uint8_t pattern[20000];

static unsigned forget(struct wire_peer *p)
{
	unsigned n = p->count - p->taken;
	p->taken = p->count = 0;
	return n;
}

static uint64_t dropped(struct wire_peer *p, enum drop why)
{
	return stack_counters(p->stack)->drop[why];
}

static uint32_t used(struct wire_peer *p)
{
	const struct transport *t = stack_transport(p->stack);
	return t->embryo_pool.used + t->conn_pool.used;
}

/* Urgent pointers that go back, without text, out of order, with FIN: nothing ends by them. */
static void test_tcp_06_urgent_back(void **state)
{
	(void)state;
	static const uint16_t up[] = { 65535, 0, 65535, 1, 0x7fff, 0x8001 };
	struct wire_peer *p = peer_open(NULL, false);
	sock_id id = peer_accepted(p, NULL);
	uint8_t got[64];
	uint32_t at = 1;
	for (unsigned i = 0; i < 6; i++) {
		SAY(p, .flags = TCP_ACK | TCP_URG, .them = at, .us = 1, .urgent = up[i]);
		SAY(p, .flags = TCP_ACK | TCP_URG, .them = at + 1, .us = 1, .urgent = up[5 - i],
			.text = "b", .len = 1);
		SAY(p, .flags = TCP_ACK | TCP_URG, .them = at, .us = 1, .urgent = up[i],
			.text = "a", .len = 1);
		at += 2;
		SAY(p, .flags = TCP_ACK | TCP_URG, .them = at - 2, .us = 1, .urgent = up[i],
			.text = "x", .len = 1);
	}
	SAY(p, .flags = TCP_ACK | TCP_URG | TCP_FIN, .them = at, .us = 1, .urgent = 65535);
	assert_int_equal(sock_read(p->stack, id, got, sizeof got), 12);
	assert_memory_equal(got, "abababababab", 12);
	assert_int_equal(sock_read(p->stack, id, got, sizeof got), 0);
	assert_string_equal(peer_state(p, id), "CLOSE-WAIT");
	peer_close(p);
}

/* Data offsets below the header and past the segment are no segments at all. */
static void test_tcp_08_offsets(void **state)
{
	(void)state;
	struct wire_peer *p = peer_open(NULL, false);
	struct sock_options o = { .local_port = 80 };
	sock_id listener;
	p->port = 80;
	assert_int_equal(sock_listen(p->stack, &o, &listener), 0);
	for (uint8_t words = 0; words < 16; words++) {
		if (words == 5)
			continue;
		SAY(p, .flags = TCP_SYN, .offset = (uint8_t)(words + 1));
		peer_expect_nothing(p);
	}
	assert_int_equal(dropped(p, DROP_TCP_OFFSET), 15);
	assert_int_equal(used(p), 0);
	/* The MSS option is cut off by the end of the header: there is none, and no more. */
	static const uint8_t raw[][4] = { { 1, 1, 1, 2 }, { 1, 1, 2, 4 }, { 1, 2, 4, 5 } };
	for (unsigned i = 0; i < 3; i++) {
		sock_id id;
		p->peer_port++;
		SAY(p, .flags = TCP_SYN, .raw = raw[i], .raw_len = 4);
		peer_expect(p, TCP_SYN | TCP_ACK, 0, 1);
		SAY(p, .flags = TCP_ACK, .them = 1, .us = 1);
		id = peer_take(p, listener);
		struct sock_tcp_info info;
		assert_int_equal(sock_tcp_info(p->stack, id, &info), 0);
		assert_int_equal(info.mss, 536);
	}
	peer_close(p);
}

/* Malformed options on a live connection, wherever they stand in the sequence: it lives. */
static void test_tcp_10_options_blind(void **state)
{
	(void)state;
	static const uint8_t bad[][4] = { { 2, 0, 0, 0 }, { 3, 1, 0, 0 }, { 5, 255, 1, 1 },
		{ 8, 10, 0, 0 }, { 255, 1, 2, 3 }, { 34, 3, 1, 0 }, { 30, 2, 0, 0 } };
	static const uint32_t at[] = { 1, 2, 30000, 70000, 0x80000001, 0xffffffff };
	struct wire_peer *p = peer_open(NULL, false);
	sock_id id = peer_accepted(p, NULL);
	for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++)
		for (unsigned k = 0; k < sizeof at / sizeof *at; k++)
			for (unsigned f = 0; f < 2; f++) {
				SAY(p, .flags = (uint16_t)(f ? TCP_ACK : TCP_ACK | TCP_SYN),
					.them = at[k], .us = 1, .raw = bad[i], .raw_len = 4);
				forget(p);
				assert_string_equal(peer_state(p, id), "ESTABLISHED");
			}
	SAY(p, .flags = TCP_ACK, .them = 1, .us = 1, .text = "fine", .len = 4);
	assert_int_equal(sock_readable(p->stack, id), 4);
	peer_close(p);
}

/* Timestamps of nine bytes, or cut off: the connection goes on without. */
static void test_tcp_11_short_timestamps(void **state)
{
	(void)state;
	static const uint8_t nine[12] = { 8, 9, 0, 0, 0, 1, 0, 0, 0, 1, 1 };
	static const uint8_t cut[12] = { 1, 1, 1, 1, 8, 10, 0, 0, 0, 1, 0, 0 };
	static const uint8_t bare[4] = { 1, 1, 1, 8 };
	struct stack_config c;
	peer_config(&c);
	c.transport.timestamps = true;
	for (unsigned i = 0; i < 3; i++) {
		struct wire_peer *p = peer_open(&c, false);
		sock_id listener = peer_listen(p);
		SAY(p, .flags = TCP_SYN,
			.raw = i == 0    ? nine
				: i == 1 ? cut
					 : bare,
			.raw_len = i == 2 ? 4 : 12);
		const struct peer_segment *s = peer_expect(p, TCP_SYN | TCP_ACK, 0, 1);
		assert_false(s->h.options.has & TCP_HAS_TIMESTAMPS);
		SAY(p, .flags = TCP_ACK, .them = 1, .us = 1);
		peer_take(p, listener);
		peer_close(p);
	}
}

/* Challenge ACKs that another connection draws from the stack, by ten SYNs in a second. */
static unsigned challenges(struct wire_peer *p, uint16_t mine, uint16_t victim, unsigned spoofed)
{
	unsigned n = 0;
	for (unsigned i = 0; i < 10; i++) {
		for (unsigned k = 0; k < spoofed; k++) {
			p->peer_port = victim;
			SAY(p, .flags = k & 1 ? TCP_SYN : TCP_RST, .them = 100 + k);
		}
		forget(p);
		p->peer_port = mine;
		SAY(p, .flags = TCP_SYN, .them = 100);
		n += forget(p);
		peer_wait(p, 100 * NANO_MS);
		forget(p);
	}
	return n;
}

/* CVE-2016-5696: what one connection is challenged for can't be seen by counting another's. */
static void test_tcp_21_counting_challenges(void **state)
{
	(void)state;
	struct wire_peer *p = peer_open(NULL, false);
	sock_id victim = peer_accepted(p, NULL), listener;
	uint16_t victim_port = p->peer_port, mine = 50000;
	uint32_t iss = p->iss;
	struct sock_options o = { .local_port = 81 };
	(void)listener;
	p->peer_port = mine;
	assert_int_equal(sock_listen(p->stack, &o, &listener), 0);
	/* Its own connection is to the same port: the one that peer_accepted listens on. */
	SAY(p, .flags = TCP_SYN);
	assert_int_equal(forget(p), 1);
	SAY(p, .flags = TCP_ACK, .them = 1, .us = 1);
	forget(p);
	peer_wait(p, NANO_S);
	unsigned alone = challenges(p, mine, victim_port, 0);
	peer_wait(p, NANO_S);
	assert_true(alone >= 1 && alone <= 3);
	assert_int_equal(challenges(p, mine, victim_port, 200), alone);
	/* And the victim lives. */
	p->peer_port = victim_port;
	p->iss = iss;
	SAY(p, .flags = TCP_ACK, .them = 1, .us = 1, .text = "x", .len = 1);
	assert_int_equal(sock_readable(p->stack, victim), 1);
	peer_close(p);
}

/* SYNs of others, in the window or out, with ACK or text: challenged at most, never obeyed. */
static void test_tcp_23_blind_syn(void **state)
{
	(void)state;
	static const uint32_t at[] = { 0, 1, 2, 1000, 59999, 70000, 0x7fffffff, 0xffffffff };
	struct wire_peer *p = peer_open(NULL, false);
	sock_id id = peer_accepted(p, NULL);
	for (unsigned i = 0; i < sizeof at / sizeof *at; i++) {
		for (unsigned k = 0; k < 4; k++) {
			SAY(p, .flags = (uint16_t)(TCP_SYN | (k & 1 ? TCP_ACK : 0)), .us = 1,
				.them = at[i], .text = "zz", .len = k & 2 ? 2 : 0);
			const struct peer_segment *s = peer_next(p);
			assert_string_equal(peer_state(p, id), "ESTABLISHED");
			if (s) {
				assert_int_equal(s->h.flags, TCP_ACK);
				assert_int_equal(s->h.ack, PEER_ISS + 1);
				assert_int_equal(s->len, 0);
			}
			peer_expect_nothing(p);
			peer_wait(p, 600 * NANO_MS);
			forget(p);
		}
	}
	assert_int_equal(sock_readable(p->stack, id), 0);
	peer_close(p);
}

/* Requests without a handshake: at most one segment back for one, without text, and no larger. */
static void test_tcp_38_reflection(void **state)
{
	(void)state;
	static const char get[] = "GET / HTTP/1.1\r\nHost: www.example.test\r\n\r\n";
	static const uint16_t flags[] = { TCP_SYN | TCP_PSH, TCP_PSH | TCP_ACK, TCP_PSH,
		TCP_SYN | TCP_PSH | TCP_ACK, TCP_SYN, TCP_ACK | TCP_FIN, 0, 0xff };
	struct wire_peer *p = peer_open(NULL, false);
	struct sock_options o = { .local_port = 80 };
	sock_id listener, id;
	assert_int_equal(sock_listen(p->stack, &o, &listener), 0);
	for (unsigned i = 0; i < sizeof flags / sizeof *flags; i++) {
		for (uint16_t port = 80; port < 82; port++) {
			p->port = port;
			p->peer_port++;
			SAY(p, .flags = flags[i], .them = 1, .us = 1, .text = get,
				.len = sizeof get - 1);
			const struct peer_segment *s = peer_next(p);
			if (s) {
				assert_int_equal(s->len, 0);
				assert_true(s->h.flags & (TCP_RST | TCP_SYN));
				assert_true(s->h.header_len < TCP_HEADER + sizeof get - 1);
			}
			peer_expect_nothing(p);
			/* What did not end its handshake has reached nobody. */
			assert_int_equal(
				sock_accept(p->stack, listener, NULL, NULL, &id, NULL), -ERR_AGAIN);
		}
	}
	peer_close(p);
}

/* The same place twice with other bytes, in order, out of order, over a hole: the first stay. */
static void test_tcp_56_contradictions(void **state)
{
	(void)state;
	static const uint8_t first[] = "first bytes stay", other[] = "OTHER BYTES GO!!";
	struct wire_peer *p = peer_open(NULL, false);
	sock_id id = peer_accepted(p, NULL);
	uint8_t got[64];
	/* Out of order first; then what would write over it, alone and as part of more. */
	SAY(p, .flags = TCP_ACK, .them = 5, .us = 1, .text = first + 4, .len = 6);
	SAY(p, .flags = TCP_ACK, .them = 5, .us = 1, .text = other + 4, .len = 6);
	SAY(p, .flags = TCP_ACK, .them = 7, .us = 1, .text = other + 6, .len = 2);
	SAY(p, .flags = TCP_ACK, .them = 3, .us = 1, .text = first + 2, .len = 2);
	SAY(p, .flags = TCP_ACK, .them = 2, .us = 1, .text = other + 1, .len = 0);
	SAY(p, .flags = TCP_ACK, .them = 1, .us = 1, .text = first, .len = 2);
	assert_int_equal(sock_readable(p->stack, id), 10);
	/* In order, and what is in the ring already may not change. */
	SAY(p, .flags = TCP_ACK, .them = 1, .us = 1, .text = other, .len = 10);
	SAY(p, .flags = TCP_ACK, .them = 11, .us = 1, .text = first + 10, .len = 6);
	SAY(p, .flags = TCP_ACK, .them = 3, .us = 1, .text = other + 2, .len = 14);
	assert_int_equal(sock_read(p->stack, id, got, sizeof got), 16);
	assert_memory_equal(got, first, 16);
	/* A wrong checksum leaves no byte behind either. */
	SAY(p, .flags = TCP_ACK, .them = 17, .us = 1, .text = other, .len = 8,
		.bad_checksum = true);
	SAY(p, .flags = TCP_ACK, .them = 17, .us = 1, .text = first, .len = 8);
	assert_int_equal(sock_read(p->stack, id, got, sizeof got), 8);
	assert_memory_equal(got, first, 8);
	peer_close(p);
}

/* FINs out of order, twice, in other places, with text beyond: the first one's place is the end. */
static void test_tcp_58_fins(void **state)
{
	(void)state;
	struct wire_peer *p = peer_open(NULL, false);
	sock_id id = peer_accepted(p, NULL);
	uint8_t got[64];
	SAY(p, .flags = TCP_ACK | TCP_FIN, .them = 6, .us = 1, .text = "67890", .len = 5);
	assert_string_equal(peer_state(p, id), "ESTABLISHED");
	SAY(p, .flags = TCP_ACK, .them = 11, .us = 1, .text = "beyond", .len = 6);
	SAY(p, .flags = TCP_ACK | TCP_FIN, .them = 20, .us = 1);
	SAY(p, .flags = TCP_ACK | TCP_FIN, .them = 3, .us = 1, .text = "34567890zzz", .len = 11);
	assert_int_equal(sock_readable(p->stack, id), 0);
	SAY(p, .flags = TCP_ACK, .them = 1, .us = 1, .text = "12345", .len = 5);
	assert_string_equal(peer_state(p, id), "CLOSE-WAIT");
	forget(p);
	SAY(p, .flags = TCP_ACK, .them = 12, .us = 1, .text = "after", .len = 5);
	SAY(p, .flags = TCP_ACK | TCP_FIN, .them = 15, .us = 1);
	assert_int_equal(sock_read(p->stack, id, got, sizeof got), 10);
	assert_memory_equal(got, "1234567890", 10);
	assert_int_equal(sock_read(p->stack, id, got, sizeof got), 0);
	assert_string_equal(peer_state(p, id), "CLOSE-WAIT");
	peer_close(p);

	/* FIN into a closed window: it waits there, and is taken when there is room. */
	struct stack_config c;
	peer_config(&c);
	c.transport.receive_buffer = 4096;
	p = peer_open(&c, false);
	id = peer_accepted(p, NULL);
	SAY(p, .flags = TCP_ACK, .them = 1, .us = 1, .text = pattern, .len = 1400);
	SAY(p, .flags = TCP_ACK, .them = 1401, .us = 1, .text = pattern, .len = 1400);
	SAY(p, .flags = TCP_ACK | TCP_FIN, .them = 2801, .us = 1, .text = pattern, .len = 1296);
	static uint8_t all[8192];
	int64_t n = sock_read(p->stack, id, all, sizeof all);
	assert_int_equal(n, 4096);
	peer_flush(p);
	SAY(p, .flags = TCP_ACK | TCP_FIN, .them = 4097, .us = 1);
	assert_int_equal(sock_read(p->stack, id, all, sizeof all), 0);
	peer_close(p);
}

/* Text whose segment borders look like another protocol's message: bytes, and nothing else. */
static void test_tcp_75_slipstream(void **state)
{
	(void)state;
	static const char sip[] = "REGISTER sip:192.0.2.1;transport=tcp SIP/2.0\r\n"
				  "Contact: <sip:x@192.0.2.1:4444;transport=tcp>\r\n\r\n";
	struct wire_peer *p = peer_open(NULL, false);
	sock_id id = peer_accepted(p, NULL);
	const struct transport *t = stack_transport(p->stack);
	uint32_t listeners = t->listener_pool.used, conns = t->conn_pool.used;
	uint8_t got[1200];
	memset(pattern, 'A', 1000);
	SAY(p, .flags = TCP_ACK, .them = 1, .us = 1, .text = pattern, .len = 1000);
	SAY(p, .flags = TCP_ACK, .them = 1001, .us = 1, .text = sip, .len = sizeof sip - 1);
	assert_int_equal(sock_read(p->stack, id, got, sizeof got), 1000 + sizeof sip - 1);
	assert_memory_equal(got + 1000, sip, sizeof sip - 1);
	assert_int_equal(t->listener_pool.used, listeners);
	assert_int_equal(t->conn_pool.used, conns);
	forget(p);
	p->port = 4444;
	SAY(p, .flags = TCP_SYN);
	assert_int_equal(peer_next(p)->h.flags, TCP_RST | TCP_ACK);
	peer_close(p);
}

int main(void)
{
	for (unsigned i = 0; i < sizeof pattern; i++)
		pattern[i] = (uint8_t)(i * 31 + i / 251);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tcp_06_urgent_back),
		cmocka_unit_test(test_tcp_08_offsets),
		cmocka_unit_test(test_tcp_10_options_blind),
		cmocka_unit_test(test_tcp_11_short_timestamps),
		cmocka_unit_test(test_tcp_21_counting_challenges),
		cmocka_unit_test(test_tcp_23_blind_syn),
		cmocka_unit_test(test_tcp_38_reflection),
		cmocka_unit_test(test_tcp_56_contradictions),
		cmocka_unit_test(test_tcp_58_fins),
		cmocka_unit_test(test_tcp_75_slipstream),
	};
	return cmocka_run_group_tests(tests, NULL, peer_work_was_counted);
}
