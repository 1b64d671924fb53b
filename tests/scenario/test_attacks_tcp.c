/*
 * Known attacks on TCP, one test for each, named after its row in the list of
 * attacks: a hostile peer, segment by segment, against one stack in virtual time.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "support/wire_peer.h"
#include "transport/endpoints.h"

static uint8_t pattern[65536];

static unsigned forget(struct wire_peer *p)
{
	unsigned n = p->count - p->taken;
	p->taken = p->count = 0;
	return n;
}

/* Urgent pointers of every kind change nothing of what is read. */
static void test_tcp_01_05_urgent(void **state)
{
	(void)state;
	static const uint16_t up[] = { 0, 1, 2, 1000, 0x8000, 65535 };
	struct wire_peer *p = peer_open(NULL, false);
	sock_id id = peer_accepted(p, NULL);
	uint8_t got[8];
	for (uint32_t i = 0; i < sizeof up / sizeof up[0]; i++) {
		SAY(p, .flags = TCP_ACK | TCP_URG, .them = 1 + i, .us = 1, .text = "u", .len = 1,
			.urgent = up[i]);
		assert_int_equal(sock_read(p->stack, id, got, sizeof got), 1);
		assert_int_equal(got[0], 'u');
	}
	peer_close(p);
}

static void test_tcp_03_urgent_syn_ack(void **state)
{
	(void)state;
	struct wire_peer *p = peer_open(NULL, false);
	sock_id id = peer_connect(p);
	SAY(p, .flags = TCP_SYN | TCP_ACK | TCP_URG, .us = 1, .text = "abc", .len = 3,
		.urgent = 65535);
	uint8_t got[8];
	assert_string_equal(peer_state(p, id), "ESTABLISHED");
	assert_int_equal(sock_read(p->stack, id, got, sizeof got), 3);
	peer_close(p);
}

/* Peers that claim absurd segment sizes: data still moves, in segments that are neither empty nor
 * larger than the link. */
static void test_tcp_13_16_mss(void **state)
{
	(void)state;
	static const uint16_t mss[] = { 0, 1, 7, 48, 64, 536, 1460, 65535 };
	for (unsigned i = 0; i < sizeof mss / sizeof mss[0]; i++) {
		struct wire_peer *p = peer_open(NULL, false);
		struct tcp_options o = { .has = TCP_HAS_MSS, .mss = mss[i] };
		sock_id id = peer_accepted(p, &o);
		uint32_t acked = 1;
		peer_write(p, id, pattern, 4000);
		for (const struct peer_segment *s; (s = peer_next(p));) {
			assert_true(s->len <= 1460);
			assert_true(s->len >= 64 || s->h.seq - p->iss + s->len == 4001);
			acked = s->h.seq - p->iss + s->len;
			SAY(p, .flags = TCP_ACK, .them = 1, .us = acked);
		}
		assert_int_equal(acked, 4001);
		peer_close(p);
	}
}

/* One byte here, one byte there: the scoreboard's ranges stay few, and all arrives. */
static void test_tcp_15_sack_fragments(void **state)
{
	(void)state;
	struct stack_config c;
	peer_config(&c);
	c.transport.sent_ranges = 64;
	struct wire_peer *p = peer_open(&c, false);
	struct tcp_options ok = { .has = TCP_HAS_SACK_PERMITTED };
	sock_id id = peer_accepted(p, &ok);
	peer_write(p, id, pattern, 10000);
	uint32_t whole = stack_transport(p->stack)->range_pool.used;
	assert_in_range(whole, 1, 10);
	for (uint32_t at = 2; at < 4000; at += 2) {
		SAY(p, .flags = TCP_ACK, .them = 1, .us = 1,
			.options = { .has = TCP_HAS_SACK,
				.sack_count = 1,
				.sack = { { p->iss + at, p->iss + at + 1 } } });
		forget(p);
		/* part of a segment is none: nothing is split */
		assert_true(stack_transport(p->stack)->range_pool.used <= whole);
	}
	SAY(p, .flags = TCP_ACK, .them = 1, .us = 10001);
	assert_int_equal(peer_info(p, id).unacked, 0);
	assert_int_equal(stack_transport(p->stack)->range_pool.used, 0);
	peer_close(p);
}

/* Every second byte, far apart: at most 32 ranges are held, and the stream is right in the end. */
static void test_tcp_18_tiny_out_of_order(void **state)
{
	(void)state;
	struct wire_peer *p = peer_open(NULL, false);
	sock_id id = peer_accepted(p, NULL);
	for (uint32_t at = 1; at < 1000; at += 2) {
		SAY(p, .flags = TCP_ACK, .them = 1 + at, .us = 1, .text = pattern + at, .len = 1);
		forget(p);
	}
	assert_int_equal(sock_readable(p->stack, id), 0);
	assert_true(stack_counters(p->stack)->drop[DROP_TCP_RANGES_FULL] > 400);
	SAY(p, .flags = TCP_ACK, .them = 1, .us = 1, .text = pattern, .len = 1000);
	uint8_t got[1000];
	assert_int_equal(sock_read(p->stack, id, got, sizeof got), 1000);
	assert_memory_equal(got, pattern, sizeof got);
	peer_close(p);
}

/* Desynchronised ends: what is out of the window and empty draws few answers. */
static void test_tcp_26_ack_storm(void **state)
{
	(void)state;
	struct wire_peer *p = peer_open(NULL, false);
	sock_id id = peer_accepted(p, NULL);
	unsigned answers = 0;
	for (unsigned i = 0; i < 1000; i++) {
		SAY(p, .flags = TCP_ACK, .them = 500000000, .us = 1);
		answers += forget(p);
		peer_wait(p, NANO_MS);
	}
	assert_in_range(answers, 1, 3); /* one in 500 ms */
	assert_string_equal(peer_state(p, id), "ESTABLISHED");
	peer_close(p);
}

/* RFC 7323 5.4: the timestamp clocks of two connections tell nothing of each other or of uptime. */
static void test_tcp_28_31_offsets(void **state)
{
	(void)state;
	struct stack_config c;
	peer_config(&c);
	c.transport.timestamps = true;
	struct wire_peer *p = peer_open(&c, false);
	uint32_t ts[64], isn[64], near = 0;
	for (uint16_t i = 0; i < 64; i++) {
		struct sock_options o = { .local_port = 5000 };
		sock_id id;
		assert_int_equal(
			sock_connect(p->stack, &o, &p->remote, (uint16_t)(1000 + i), &id), 0);
		peer_flush(p);
		const struct peer_segment *s = peer_next(p);
		ts[i] = s->h.options.tsval;
		isn[i] = s->h.seq;
		assert_true(ts[i] - (uint32_t)(p->now / NANO_MS) > 1000);
		assert_true(ts[i] - isn[i] > 1000);
		for (uint16_t k = 0; k < i; k++)
			near += ts[i] - ts[k] + 1000 < 2000 || isn[i] - isn[k] + 1000 < 2000;
		sock_abort(p->stack, id);
	}
	assert_true(near <= 1);
	peer_close(p);
}

/* Echoes from the future or of never: no RTT comes of them, and the RTO stays in its bounds. */
static void test_tcp_33_timestamp_echo(void **state)
{
	(void)state;
	struct stack_config c;
	peer_config(&c);
	c.transport.timestamps = true;
	struct wire_peer *p = peer_open(&c, false);
	struct tcp_options o = { .has = TCP_HAS_TIMESTAMPS, .tsval = 1 };
	sock_id id = peer_accepted(p, &o);
	for (uint32_t i = 1; i < 40; i++) {
		peer_write(p, id, pattern, 100);
		peer_wait(p, 10 * NANO_MS);
		o.tsval++;
		o.tsecr = i * 0x10000001u;
		SAY(p, .flags = TCP_ACK, .them = 1, .us = 1 + 100 * i, .options = o);
		forget(p);
		struct sock_tcp_info info = peer_info(p, id);
		assert_in_range(info.rto, 200 * NANO_MS, 300 * NANO_MS);
		assert_true(info.srtt <= 11 * NANO_MS);
	}
	peer_close(p);
}

/* Flags that open nothing. */
static void test_tcp_40_odd_openings(void **state)
{
	(void)state;
	struct wire_peer *p = peer_open(NULL, false);
	sock_id id, listener = peer_listen(p);
	static const uint16_t odd[] = { 0, TCP_FIN, TCP_SYN | TCP_FIN, TCP_SYN | TCP_RST,
		TCP_URG | TCP_PSH | TCP_FIN, 0x1ff & ~TCP_ACK };
	for (unsigned i = 0; i < sizeof odd / sizeof odd[0]; i++)
		SAY(p, .flags = odd[i]);
	peer_expect_nothing(p);
	SAY(p, .flags = TCP_SYN | TCP_ACK);
	assert_int_equal(peer_next(p)->h.flags, TCP_RST);
	SAY(p, .flags = TCP_SYN);
	peer_expect(p, TCP_SYN | TCP_ACK, 0, 1);
	SAY(p, .flags = TCP_PSH, .them = 1, .text = "x", .len = 1); /* no ACK, no accept */
	SAY(p, .flags = TCP_ACK, .them = 1, .us = 2);
	assert_int_equal(sock_accept(p->stack, listener, NULL, NULL, &id, NULL), -ERR_AGAIN);
	peer_close(p);
}

/* An old SYN opens half a connection that its sender resets, or that times out. */
static void test_tcp_43_old_syn(void **state)
{
	(void)state;
	struct wire_peer *p = peer_open(NULL, false);
	sock_id id, listener = peer_listen(p);
	SAY(p, .flags = TCP_SYN);
	peer_expect(p, TCP_SYN | TCP_ACK, 0, 1);
	SAY(p, .flags = TCP_RST, .them = 1);
	assert_int_equal(stack_transport(p->stack)->embryo_pool.used, 0);
	SAY(p, .flags = TCP_SYN);
	peer_wait(p, 300 * NANO_S);
	assert_int_equal(stack_transport(p->stack)->embryo_pool.used, 0);
	assert_int_equal(sock_accept(p->stack, listener, NULL, NULL, &id, NULL), -ERR_AGAIN);
	assert_true(stack_next_deadline(p->stack) == NANOTIME_NEVER);
	peer_close(p);

	/* The SYN-ACK to a SYN that this one has not sent (RFC 9293 figure 8): reset, forgotten. */
	p = peer_open(NULL, false);
	id = peer_connect(p);
	forget(p);
	SAY(p, .flags = TCP_SYN | TCP_ACK, .us = 5000);
	assert_string_equal(peer_state(p, id), "SYN-SENT");
	assert_int_equal(peer_next(p)->h.flags, TCP_RST);
	SAY(p, .flags = TCP_SYN | TCP_ACK, .us = 1);
	assert_string_equal(peer_state(p, id), "ESTABLISHED");
	peer_close(p);
}

/* The window swings between slivers: few segments, none of them tiny and often. */
static void test_tcp_45_sliver_windows(void **state)
{
	(void)state;
	struct wire_peer *p = peer_open(NULL, false);
	sock_id id = peer_accepted(p, NULL);
	peer_write(p, id, pattern, 2000);
	SAY(p, .flags = TCP_ACK, .them = 1, .us = 2001, .window = 4);
	forget(p);
	peer_write(p, id, pattern, 20000);
	unsigned sent = 0;
	for (unsigned i = 0; i < 1000; i++) {
		SAY(p, .flags = TCP_ACK, .them = 1, .us = 2001, .window = 4 + (i & 3));
		sent += forget(p);
	}
	assert_int_equal(sent, 0);
	peer_close(p);
}

/* Every state that a silent peer can pin comes to an end after close. */
static void test_tcp_46_silent_peer(void **state)
{
	(void)state;
	for (unsigned stage = 0; stage < 4; stage++) {
		struct wire_peer *p = peer_open(NULL, false);
		sock_id id = peer_accepted(p, NULL);
		if (stage == 1) /* LAST-ACK */
			SAY(p, .flags = TCP_ACK | TCP_FIN, .them = 1, .us = 1);
		if (stage == 2) { /* data for a closed window */
			SAY(p, .flags = TCP_ACK, .them = 1, .us = 1, .closed = true);
			peer_write(p, id, pattern, 100);
		}
		sock_close(p->stack, id);
		peer_flush(p);
		if (stage == 3) /* FIN-WAIT-2 */
			SAY(p, .flags = TCP_ACK, .them = 1, .us = 2);
		for (unsigned i = 0; i < 100; i++) {
			peer_wait(p, 30 * NANO_S);
			forget(p);
		}
		assert_int_equal(sock_unfinished(p->stack), 0);
		assert_true(stack_next_deadline(p->stack) == NANOTIME_NEVER);
		peer_close(p);
	}
}

/* Windows with the top bit set, and scaled to 2^30, are large, not negative (MUST-1, REC-1). */
static void test_tcp_48_large_windows(void **state)
{
	(void)state;
	struct wire_peer *p = peer_open(NULL, false);
	struct tcp_options o = { .has = TCP_HAS_WSCALE, .wscale = 255 }; /* counts as 14 */
	sock_id id = peer_accepted(p, &o);
	SAY(p, .flags = TCP_ACK, .them = 1, .us = 1, .window = 0xffff);
	assert_int_equal(peer_info(p, id).snd_wnd, 0xffffu << 14);
	peer_write(p, id, pattern, 5000);
	assert_int_equal(forget(p), 5);
	SAY(p, .flags = TCP_ACK, .them = 1, .us = 5001, .window = 0x8000);
	peer_write(p, id, pattern, 5000);
	assert_int_equal(forget(p), 5);
	peer_close(p);
}

/* An acknowledgment in a thousand pieces grows the window no more than one in one piece, although
 * there is always more to send. */
static void test_tcp_51_ack_division(void **state)
{
	(void)state;
	struct wire_peer *p = peer_open(NULL, false);
	sock_id id = peer_accepted(p, NULL);
	uint32_t before = 10 * 1000;
	peer_write(p, id, pattern, 40000);
	assert_int_equal(peer_info(p, id).cwnd, before);
	for (uint32_t at = 11; at <= 10001; at += 10) {
		SAY(p, .flags = TCP_ACK, .them = 1, .us = at);
		forget(p);
		assert_true(peer_info(p, id).cwnd <= before + at);
	}
	peer_close(p);
}

/* Probes with a byte of garbage: never more than one answer each. */
static void test_tcp_60_keepalive_flood(void **state)
{
	(void)state;
	struct wire_peer *p = peer_open(NULL, false);
	sock_id id = peer_accepted(p, NULL);
	for (unsigned i = 0; i < 100; i++)
		peer_receive(p,
			&(struct peer_say){
				.flags = TCP_ACK, .them = 0, .us = 1, .text = "x", .len = 1 });
	peer_flush(p);
	assert_int_equal(forget(p), 1); /* a burst has one answer */
	for (unsigned i = 0; i < 100; i++)
		SAY(p, .flags = TCP_ACK, .them = 0, .us = 1);
	assert_true(forget(p) <= 1);
	assert_int_equal(sock_readable(p->stack, id), 0);
	peer_close(p);
}

/* All ports towards one address are in use: a clear error, soon. */
static void test_tcp_61_port_exhaustion(void **state)
{
	(void)state;
	struct stack_config c;
	peer_config(&c);
	c.transport.port_first = 40000;
	c.transport.port_last = 40007;
	struct wire_peer *p = peer_open(&c, false);
	struct sock_options o = { 0 };
	sock_id id;
	unsigned opened = 0, seen = 0;
	int e;
	while ((e = sock_connect(p->stack, &o, &p->remote, 80, &id)) == 0) {
		struct sock_peer local;
		sock_name(p->stack, id, &local, NULL);
		assert_in_range(local.port, 40000, 40007);
		assert_false(seen & 1u << (local.port - 40000));
		seen |= 1u << (local.port - 40000);
		opened++;
	}
	assert_int_equal(e, -ERR_NO_PORT);
	assert_int_equal(opened, 8);
	assert_int_equal(sock_connect(p->stack, &o, &p->remote, 81, &id), 0); /* another tuple */
	peer_close(p);
}

/* Reserved bits are ignored, and sent as zero. */
static void test_tcp_63_reserved_bits(void **state)
{
	(void)state;
	struct wire_peer *p = peer_open(NULL, false);
	sock_id id = peer_accepted(p, NULL);
	SAY(p, .flags = TCP_ACK | TCP_AE | TCP_CWR | TCP_ECE, .reserved = 0x0e, .them = 1, .us = 1,
		.text = "abc", .len = 3);
	assert_int_equal(sock_readable(p->stack, id), 3);
	assert_int_equal(peer_expect(p, TCP_ACK, 1, 4)->h.flags & 0xfc0, 0);
	peer_close(p);
}

/* MUST-46, MUST-57, MUST-63: groups neither connect nor get an answer, nor are they connected
 * to. */
static void test_tcp_65_groups(void **state)
{
	(void)state;
	static const char *const groups[] = { "224.0.0.1", "255.255.255.255", "192.0.2.255" };
	for (unsigned i = 0; i < 3; i++) {
		for (unsigned as_source = 0; as_source < 2; as_source++) {
			struct wire_peer *p = peer_open(NULL, false);
			struct sock_options o = { .local_port = 80 };
			sock_id listener;
			struct addr group;
			assert_true(addr_parse(span_of(groups[i], strlen(groups[i])), &group));
			assert_int_equal(sock_listen(p->stack, &o, &listener), 0);
			p->port = 80;
			if (as_source)
				p->remote = group;
			else
				p->local = group;
			SAY(p, .flags = TCP_SYN);
			p->port = 81;
			SAY(p, .flags = TCP_SYN);
			peer_expect_nothing(p);
			assert_int_equal(stack_transport(p->stack)->embryo_pool.used, 0);
			sock_id id;
			assert_true(sock_connect(p->stack, &(struct sock_options){ 0 }, &group, 80,
					    &id) < 0);
			peer_close(p);
		}
	}
}

/* The peer goes on sending after our close: one reset, and nothing is kept. */
static void test_tcp_68_data_after_close(void **state)
{
	(void)state;
	struct wire_peer *p = peer_open(NULL, false);
	sock_id id = peer_accepted(p, NULL);
	sock_close(p->stack, id);
	peer_flush(p);
	SAY(p, .flags = TCP_ACK, .them = 1, .us = 2);
	forget(p);
	for (unsigned i = 0; i < 3; i++)
		peer_receive(p,
			&(struct peer_say){ .flags = TCP_ACK,
				.them = 1 + 100 * i,
				.us = 2,
				.text = pattern,
				.len = 100 });
	peer_flush(p);
	assert_int_equal(peer_next(p)->h.flags & TCP_RST, TCP_RST);
	peer_expect_nothing(p);
	assert_int_equal(sock_unfinished(p->stack), 0);
	peer_close(p);
}

/* ACKs of what was never sent carry no text in, whether they are ahead or behind. */
static void test_tcp_25_73_ghost_acks(void **state)
{
	(void)state;
	struct wire_peer *p = peer_open(NULL, false);
	sock_id id = peer_accepted(p, NULL);
	static const uint32_t ghost[] = { 2, 1000, 0u - 1, 0u - 100, 0u - 50000, 0u - 1000000 };
	for (unsigned i = 0; i < sizeof ghost / sizeof ghost[0]; i++)
		SAY(p, .flags = TCP_ACK, .them = 1, .us = ghost[i], .text = "evil", .len = 4);
	assert_int_equal(sock_readable(p->stack, id), 0);
	assert_int_equal(peer_info(p, id).cwnd, 0); /* no flight was taken for them either */
	SAY(p, .flags = TCP_ACK, .them = 1, .us = 1, .text = "good", .len = 4);
	SAY(p, .flags = TCP_ACK, .them = 5, .us = 0u - 1000, .text = "evil", .len = 4);
	assert_int_equal(sock_readable(p->stack, id), 4);
	peer_close(p);
}

int main(void)
{
	for (unsigned i = 0; i < sizeof pattern; i++)
		pattern[i] = (uint8_t)(i * 31);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tcp_01_05_urgent),
		cmocka_unit_test(test_tcp_03_urgent_syn_ack),
		cmocka_unit_test(test_tcp_13_16_mss),
		cmocka_unit_test(test_tcp_15_sack_fragments),
		cmocka_unit_test(test_tcp_18_tiny_out_of_order),
		cmocka_unit_test(test_tcp_26_ack_storm),
		cmocka_unit_test(test_tcp_28_31_offsets),
		cmocka_unit_test(test_tcp_33_timestamp_echo),
		cmocka_unit_test(test_tcp_40_odd_openings),
		cmocka_unit_test(test_tcp_43_old_syn),
		cmocka_unit_test(test_tcp_45_sliver_windows),
		cmocka_unit_test(test_tcp_46_silent_peer),
		cmocka_unit_test(test_tcp_48_large_windows),
		cmocka_unit_test(test_tcp_51_ack_division),
		cmocka_unit_test(test_tcp_60_keepalive_flood),
		cmocka_unit_test(test_tcp_61_port_exhaustion),
		cmocka_unit_test(test_tcp_63_reserved_bits),
		cmocka_unit_test(test_tcp_65_groups),
		cmocka_unit_test(test_tcp_68_data_after_close),
		cmocka_unit_test(test_tcp_25_73_ghost_acks),
	};
	return cmocka_run_group_tests(tests, NULL, peer_work_was_counted);
}
