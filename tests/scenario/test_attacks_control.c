/*
 * Known attacks on TCP's control loops and its memory: false reports of duplicates,
 * acknowledgments ahead of time, lies about congestion, clocks that jump, old segments
 * in TIME-WAIT, and events that come for a connection that is gone. One test for each,
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
#include "wire/icmp.h"

static uint8_t pattern[65536];

static unsigned forget(struct wire_peer *p)
{
	unsigned n = p->count - p->taken;
	p->taken = p->count = 0;
	return n;
}

#define RTT (100 * NANO_MS)

/* A connection over a path that takes its time. */
static sock_id accepted_from_afar(struct wire_peer *p)
{
	sock_id listener = peer_listen(p);
	SAY(p, .flags = TCP_SYN,
		.options = { .has = TCP_HAS_SACK_PERMITTED | TCP_HAS_MSS, .mss = 1000 });
	peer_wait(p, RTT);
	forget(p);
	SAY(p, .flags = TCP_ACK, .them = 1, .us = 1);
	return peer_take(p, listener);
}

/* Writes so many segments, and waits until the peer's answer could be there. */
static void send_segments(struct wire_peer *p, sock_id id, uint32_t count)
{
	assert_int_equal(sock_write(p->stack, id, pattern, count * 1000), count * 1000);
	peer_flush(p);
	peer_wait(p, RTT);
	assert_int_equal(forget(p), count);
}

static void say_sacked(struct wire_peer *p, uint32_t una, uint32_t from, uint32_t to)
{
	SAY(p, .flags = TCP_ACK, .them = 1, .us = una,
		.options = { .has = TCP_HAS_SACK,
			.sack_count = 1,
			.sack = { { p->iss + from, p->iss + to } } });
}

/* Fifty reports of duplicates that never were, and segments that seem to overtake each other: RACK
 * waits for the late ones, but no longer than an RTT, and a loss is repaired before the RTO. */
static void test_tcp_20_false_dsack(void **state)
{
	(void)state;
	struct wire_peer *p = peer_open(NULL, false);
	sock_id id = accepted_from_afar(p);
	uint32_t at = 1;
	for (unsigned i = 0; i < 50; i++) {
		send_segments(p, id, 2);
		say_sacked(p, at, at + 1000, at + 2000);
		at += 2000;
		say_sacked(p, at, at - 2000, at - 1000); /* a DSACK: it is acknowledged */
		forget(p);
	}
	assert_int_equal(peer_info(p, id).retransmits, 0);
	send_segments(p, id, 8);
	for (uint32_t got = 2; got <= 8; got++) /* the first is missing */
		say_sacked(p, at, at + 1000, at + got * 1000);
	peer_expect_nothing(p); /* it may only be late */
	peer_wait(p, RTT + RTT / 10);
	const struct peer_segment *s = peer_next(p);
	assert_non_null(s);
	assert_int_equal(s->h.seq - p->iss, at);
	assert_int_not_equal(s->why, WHY_RTO_RETRANSMIT);
	peer_close(p);
}

/* What was reduced for a loss comes back only for what was sent again: reports of duplicates among
 * the older ones undo nothing (RFC 3708). */
static void test_tcp_20_false_undo(void **state)
{
	(void)state;
	struct wire_peer *p = peer_open(NULL, false);
	sock_id id = accepted_from_afar(p);
	uint32_t at = 1;
	send_segments(p, id, 8);
	at += 8000;
	SAY(p, .flags = TCP_ACK, .them = 1, .us = at);
	uint32_t before = peer_info(p, id).cwnd;
	send_segments(p, id, 8);
	for (uint32_t got = 2; got <= 8; got++)
		say_sacked(p, at, at + 1000, at + got * 1000);
	assert_int_equal(forget(p), 1); /* the first again */
	assert_true(peer_info(p, id).cwnd < before);
	for (uint32_t old = 1000; old <= 8000; old += 1000)
		SAY(p, .flags = TCP_ACK, .them = 1, .us = at,
			.options = { .has = TCP_HAS_SACK,
				.sack_count = 2,
				.sack = { { p->iss + at - old, p->iss + at - old + 1000 },
					{ p->iss + at + 1000, p->iss + at + 8000 } } });
	SAY(p, .flags = TCP_ACK, .them = 1, .us = at + 8000);
	assert_true(peer_info(p, id).cwnd < before);
	peer_close(p);
}

/* TIME-WAIT: no reset ends it, old text is answered, and only a SYN beyond opens anew. */
static void test_tcp_41_time_wait_assassins(void **state)
{
	(void)state;
	struct wire_peer *p = peer_open(NULL, false);
	sock_id id = peer_accepted(p, NULL);
	const struct transport *t = stack_transport(p->stack);
	SAY(p, .flags = TCP_ACK, .them = 1, .us = 1, .text = pattern, .len = 1000);
	assert_int_equal(sock_read(p->stack, id, pattern, 1000), 1000);
	sock_close(p->stack, id);
	peer_flush(p);
	forget(p);
	SAY(p, .flags = TCP_ACK, .them = 1001, .us = 2);
	SAY(p, .flags = TCP_ACK | TCP_FIN, .them = 1001, .us = 2);
	assert_int_equal(t->time_wait_pool.used, 1);
	peer_wait(p, NANO_S);
	forget(p);
	/* Old text draws an ACK, what resets that ACK's sender draws is ignored. */
	SAY(p, .flags = TCP_ACK, .them = 1, .us = 1, .text = pattern, .len = 1000);
	peer_expect(p, TCP_ACK, 2, 1002);
	SAY(p, .flags = TCP_RST, .them = 1002);
	SAY(p, .flags = TCP_RST, .them = 1);
	SAY(p, .flags = TCP_RST | TCP_ACK, .them = 1002, .us = 2);
	/* An old SYN, as a network may have kept it, is no new beginning (RFC 1122 4.2.2.13). */
	peer_wait(p, NANO_S);
	SAY(p, .flags = TCP_SYN, .them = 0);
	SAY(p, .flags = TCP_SYN | TCP_ACK, .them = 5000, .us = 2);
	SAY(p, .flags = TCP_SYN | TCP_RST, .them = 5000);
	assert_int_equal(t->time_wait_pool.used, 1);
	forget(p);
	uint32_t old = p->iss;
	SAY(p, .flags = TCP_SYN, .them = 2000);
	assert_int_equal(t->time_wait_pool.used, 0);
	const struct peer_segment *s = peer_next(p);
	assert_true(s && s->h.flags == (TCP_SYN | TCP_ACK));
	assert_true((int32_t)(s->h.seq - (old + 2)) > 0); /* beyond all of the old one's numbers */
	peer_close(p);
}

/* Acknowledging what was not sent gains nothing, again and again. */
static void test_tcp_50_optimistic_acks(void **state)
{
	(void)state;
	struct wire_peer *p = peer_open(NULL, false);
	sock_id id = peer_accepted(p, NULL);
	assert_int_equal(sock_write(p->stack, id, pattern, sizeof pattern), sizeof pattern);
	peer_flush(p);
	struct sock_tcp_info before = peer_info(p, id);
	unsigned sent = forget(p);
	assert_int_equal(sent, 10);
	for (unsigned i = 0; i < 200; i++)
		SAY(p, .flags = TCP_ACK, .them = 1, .us = 10002 + i * 1000);
	struct sock_tcp_info after = peer_info(p, id);
	assert_int_equal(after.cwnd, before.cwnd);
	assert_int_equal(after.unacked, before.unacked);
	assert_int_equal(after.bytes_sent, before.bytes_sent);
	assert_true(forget(p) <= 2);
	peer_close(p);
}

/* Congestion marks on a connection that did not agree on them, in every segment: no effect. */
static void test_tcp_53_ecn_lies(void **state)
{
	(void)state;
	static const uint16_t lie[] = { TCP_ECE, TCP_CWR, TCP_ECE | TCP_CWR, TCP_AE | TCP_ECE,
		TCP_AE | TCP_ECE | TCP_CWR };
	uint32_t cwnd[6];
	for (unsigned i = 0; i < 6; i++) {
		uint16_t mark = i ? lie[i - 1] : 0;
		struct wire_peer *p = peer_open(NULL, false);
		sock_id id = peer_accepted(p, NULL);
		for (uint32_t n = 0; n < 20; n++) {
			assert_int_equal(sock_write(p->stack, id, pattern, 1000), 1000);
			peer_flush(p);
			peer_wait(p, 20 * NANO_MS);
			forget(p);
			SAY(p, .flags = TCP_ACK | mark, .them = 1 + n, .us = 1001 + n * 1000,
				.text = "x", .len = 1);
		}
		assert_int_equal(sock_readable(p->stack, id), 20);
		assert_int_equal(peer_info(p, id).bytes_acked, 20000);
		cwnd[i] = peer_info(p, id).cwnd;
		assert_int_equal(cwnd[i], cwnd[0]);
		peer_close(p);
	}
}

/* ACKs held back until the RTO fires, each time: not one byte is lost, so neither is the window;
 * and no timeout is ever longer than the configured bound. */
static void test_tcp_55_induced_timeouts(void **state)
{
	(void)state;
	struct stack_config c;
	peer_config(&c);
	c.transport.timestamps = true;
	struct wire_peer *p = peer_open(&c, false);
	struct tcp_options o = { .has = TCP_HAS_TIMESTAMPS | TCP_HAS_SACK_PERMITTED, .tsval = 1 };
	sock_id id = peer_accepted(p, &o);
	uint32_t at = 1;
	for (uint32_t round = 0; round < 12; round++) {
		assert_int_equal(sock_write(p->stack, id, pattern, 4000), 4000);
		peer_flush(p);
		const struct peer_segment *s = peer_next(p);
		assert_non_null(s);
		uint32_t echo = s->h.options.tsval;
		p->taken = p->count = 0;
		peer_wait(p,
			(300 << round) * NANO_MS > 100 * NANO_S ? 100 * NANO_S
								: (300 << round) * NANO_MS);
		assert_true(peer_info(p, id).rto <= c.transport.rto_max);
		at += 4000;
		SAY(p, .flags = TCP_ACK, .them = 1, .us = at,
			.options = {
				.has = TCP_HAS_TIMESTAMPS, .tsval = 2 + round, .tsecr = echo });
		forget(p);
		assert_true(peer_info(p, id).cwnd >= 4 * 988);
		assert_true(peer_info(p, id).rto <= c.transport.rto_max);
	}
	peer_close(p);
}

/* Round trips of nothing, of a microsecond, of a fortnight; a clock that leaps a year. */
static void test_tcp_66_rto_bounds(void **state)
{
	(void)state;
	static const nanodiff trips[] = { 0, NANO_US, NANO_MS, NANO_S, 850 * NANO_S, NANO_US, 0 };
	struct wire_peer *p = peer_open(NULL, false);
	sock_id id = peer_accepted(p, NULL);
	const struct transport_config *c = &stack_transport(p->stack)->config;
	uint32_t at = 1;
	for (unsigned i = 0; i < sizeof trips / sizeof *trips; i++) {
		for (unsigned n = 0; n < 10; n++) {
			assert_int_equal(sock_write(p->stack, id, pattern, 100), 100);
			peer_flush(p);
			peer_wait(p, trips[i]);
			at += 100;
			SAY(p, .flags = TCP_ACK, .them = 1, .us = at);
			forget(p);
			nanodiff rto = peer_info(p, id).rto;
			assert_true(rto >= c->rto_min && rto <= c->rto_max);
		}
	}
	/* The host slept for a year with a segment in flight: one goes again, no burst of them. */
	assert_int_equal(sock_write(p->stack, id, pattern, 100), 100);
	peer_flush(p);
	forget(p);
	p->now += 365 * 86400 * NANO_S;
	stack_timers(p->stack, p->now);
	peer_flush(p);
	assert_true(forget(p) <= 1);
	/* A clock that goes back is taken for one that stands. */
	stack_set_time(p->stack, p->now - 1000 * NANO_S);
	stack_timers(p->stack, p->now - 1000 * NANO_S);
	peer_flush(p);
	if (peer_info(p, id).rto)
		assert_true(peer_info(p, id).rto <= c->rto_max);
	peer_close(p);
}

/* Connections that end while timers, a next hop or an ICMP error are still to come for them. */
static void test_tcp_71_late_events(void **state)
{
	(void)state;
	for (unsigned how = 0; how < 4; how++) {
		struct wire_peer *p = peer_open(NULL, false);
		const struct transport *t = stack_transport(p->stack);
		sock_id id = peer_accepted(p, NULL), parked;
		assert_int_equal(sock_write(p->stack, id, pattern, 5000), 5000);
		peer_flush(p);
		struct sock_options o = { .local_port = 0 };
		struct addr nobody = p->remote;
		nobody.b[15] = 99; /* its link address is asked for, in vain */
		assert_int_equal(sock_connect(p->stack, &o, &nobody, 80, &parked), 0);
		peer_flush(p);
		switch (how) {
		case 0: SAY(p, .flags = TCP_RST, .them = 1); break;
		case 1: sock_abort(p->stack, id); break;
		case 2:
			sock_close(p->stack, id);
			SAY(p, .flags = TCP_RST, .them = 1);
			break;
		case 3: break;
		}
		sock_abort(p->stack, parked);
		if (how == 0 || how == 3)
			sock_close(p->stack, id);
		peer_icmp(p, ICMP4_UNREACHABLE, 4, 1, 600);
		peer_wait(p, 100 * NANO_MS);
		forget(p);
		peer_icmp(p, ICMP4_UNREACHABLE, 4, 1001, 600);
		for (unsigned i = 0; i < 20; i++) {
			peer_wait(p, 100 * NANO_S);
			forget(p);
		}
		assert_int_equal(t->conn_pool.used, 0);
		assert_int_equal(t->flight_pool.used, 0);
		assert_int_equal(t->range_pool.used, 0);
		peer_close(p);
	}
}

int main(void)
{
	for (unsigned i = 0; i < sizeof pattern; i++)
		pattern[i] = (uint8_t)(i * 31 + i / 251);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tcp_20_false_dsack),
		cmocka_unit_test(test_tcp_20_false_undo),
		cmocka_unit_test(test_tcp_41_time_wait_assassins),
		cmocka_unit_test(test_tcp_50_optimistic_acks),
		cmocka_unit_test(test_tcp_53_ecn_lies),
		cmocka_unit_test(test_tcp_55_induced_timeouts),
		cmocka_unit_test(test_tcp_66_rto_bounds),
		cmocka_unit_test(test_tcp_71_late_events),
	};
	return cmocka_run_group_tests(tests, NULL, peer_work_was_counted);
}
