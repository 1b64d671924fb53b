/*
 * The search for what a path carries (RFC 4821), segment by segment: when full segments are
 * doubted, what is tried instead, and what the answers change.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "support/wire_peer.h"
#include "transport/endpoints.h"
#include "transport/tcp/tcp_conn.h"

static uint8_t pattern[60000];

static struct wire_peer *open_peer(uint8_t probing, bool v6)
{
	struct stack_config c;
	peer_config(&c);
	c.transport.mtu_probing = probing;
	c.transport.tail_loss_probe = false;
	return peer_open(&c, v6);
}

static const struct tcp_options large = { .has = TCP_HAS_MSS, .mss = 1460 };
static const struct tcp_options large_sack = { .has = TCP_HAS_MSS | TCP_HAS_SACK_PERMITTED,
	.mss = 1460 };

static uint32_t last_len(struct wire_peer *p)
{
	const struct peer_segment *s, *last = NULL;
	while ((s = peer_next(p)))
		last = s;
	assert_non_null(last);
	return last->len;
}

/* Until the next retransmission. */
static uint32_t next_timeout(struct wire_peer *p)
{
	peer_forget(p);
	for (unsigned i = 0; i < 10000 && !p->count; i++)
		peer_wait(p, 10 * NANO_MS);
	return last_len(p);
}

/* 7.7: every family has a size below which nothing is gained. */
static void test_floor(void **state)
{
	static const uint32_t four[] = { 1460, 1460, 1024, 512, 256, 256 };
	static const uint32_t six[] = { 1440, 1440, 1220, 1220 };
	(void)state;
	for (unsigned v6 = 0; v6 < 2; v6++) {
		struct wire_peer *p = open_peer(MTU_PROBING_BLACK_HOLE, v6);
		sock_id id = peer_accepted(p, &large);
		peer_write(p, id, pattern, 4000);
		for (unsigned i = 0; i < (v6 ? 4 : 6); i++)
			assert_int_equal(next_timeout(p), v6 ? six[i] : four[i]);
		struct sock_tcp_info info = peer_info(p, id);
		assert_int_equal(info.path_mtu, v6 ? 1280 : 296);
		assert_int_equal(info.mtu_high, 1500);
		assert_int_equal(info.black_holes, v6 ? 1 : 3);
		peer_close(p);
	}
}

/* Segments grow while the window is one of the small ones: one of the large ones may go then (RFC
 * 5681 3.1), or nothing would, ever. */
static void test_window_of_small_segments(void **state)
{
	(void)state;
	struct wire_peer *p = open_peer(MTU_PROBING_BLACK_HOLE, false);
	sock_id id = peer_accepted(p, &large);
	peer_write(p, id, pattern, 100);
	for (unsigned i = 0; i < 3; i++)
		next_timeout(p);
	struct tcp_tuple tuple = { p->local, p->remote, p->port, p->peer_port };
	enum demux_kind kind;
	struct tcp_conn *c = demux_find(&stack_transport(p->stack)->demux, &tuple, &kind);
	assert_int_equal(c->flight->cc.cwnd, 1460);
	c->flight->cc.cwnd = 256; /* as after the timeout of such a segment */
	c->path.mtu = 1500;
	conn_update_mss(c);
	SAY(p, .flags = TCP_ACK, .them = 1, .us = 1);
	peer_forget(p);
	assert_in_range(c->flight->cc.cwnd, 1460, 1460);
	SAY(p, .flags = TCP_ACK, .them = 1, .us = 101);
	peer_write(p, id, pattern, 4000);
	assert_int_equal(peer_expect(p, TCP_ACK, 101, 1)->len, 1460);
	peer_close(p);
}

/* What is no sign of a black hole. */
static void test_not_doubted(void **state)
{
	(void)state;
	for (unsigned why = 0; why < 4; why++) {
		struct wire_peer *p = open_peer(
			why ? MTU_PROBING_BLACK_HOLE : MTU_PROBING_OFF, false);
		sock_id id = peer_accepted(p, &large);
		if (why == 3) /* routers may cut it */
			assert_int_equal(sock_set(p->stack, id, SOCK_FRAGMENT, 1), 0);
		peer_write(p, id, pattern, why == 1 ? 1000 : 3000); /* small enough */
		if (why == 2)
			SAY(p, .flags = TCP_ACK, .them = 1, .us = 1, .closed = true);
		for (unsigned i = 0; i < 5; i++)
			next_timeout(p);
		assert_int_equal(peer_info(p, id).path_mtu, 1500);
		assert_int_equal(peer_info(p, id).mtu_high, 0);
		peer_close(p);
	}
}

/* A connection that fell back to 512 bytes and whose data arrives again. Returns what is
 * acknowledged. */
static uint32_t fall_back(struct wire_peer *p, sock_id id)
{
	uint32_t at = 1;
	peer_write(p, id, pattern, 40000);
	while (next_timeout(p) != 512)
		;
	for (unsigned i = 0; i < 1000; i++) {
		SAY(p, .flags = TCP_ACK, .them = 1, .us = at += 512);
		for (unsigned k = 0; k < p->count; k++)
			if (p->sent[k].why == WHY_MTU_PROBE)
				return at;
	}
	fail_msg("%s", "nothing larger was tried");
	return 0;
}

static const struct peer_segment *the_probe(struct wire_peer *p)
{
	for (unsigned i = 0; i < p->count; i++)
		if (p->sent[i].why == WHY_MTU_PROBE)
			return &p->sent[i];
	fail_msg("%s", "nothing larger was tried");
	return NULL;
}

/* An outage: the first larger segment is as large as before, and when it arrives all is as it
 * was. */
static void test_all_as_before(void **state)
{
	(void)state;
	struct wire_peer *p = open_peer(MTU_PROBING_BLACK_HOLE, false);
	sock_id id = peer_accepted(p, &large_sack);
	fall_back(p, id);
	assert_int_equal(the_probe(p)->len, 1460);
	assert_int_equal(peer_info(p, id).path_mtu, 552);
	assert_int_equal(peer_info(p, id).mtu_probes, 1);
	uint32_t end = the_probe(p)->h.seq - p->iss + 1460;
	peer_forget(p);
	SAY(p, .flags = TCP_ACK, .them = 1, .us = end);
	assert_int_equal(peer_info(p, id).path_mtu, 1500);
	assert_int_equal(peer_info(p, id).mss, 1460);
	peer_close(p);
}

/* 7.6.2: lost alone, it is no congestion; without SACK as well. */
static void test_lost_alone(void **state)
{
	(void)state;
	for (unsigned sack = 0; sack < 2; sack++) {
		struct wire_peer *p = open_peer(MTU_PROBING_BLACK_HOLE, false);
		sock_id id = peer_accepted(p, sack ? &large_sack : &large);
		fall_back(p, id);
		uint32_t start = the_probe(p)->h.seq - p->iss, end = start + 1460;
		peer_forget(p);
		SAY(p, .flags = TCP_ACK, .them = 1, .us = start);
		struct sock_tcp_info before = peer_info(p, id);
		peer_forget(p);
		for (unsigned i = 1; i <= 3; i++) {
			struct tcp_options o = { .sack_count = 1 };
			o.has = sack ? TCP_HAS_SACK : 0;
			o.sack[0] = (struct tcp_sack_block){ p->iss + end, p->iss + end + i * 512 };
			SAY(p, .flags = TCP_ACK, .them = 1, .us = start, .options = o);
		}
		struct sock_tcp_info after = peer_info(p, id);
		assert_int_equal(after.ssthresh, before.ssthresh);
		assert_true(after.cwnd >= before.cwnd);
		assert_false(after.recovering);
		assert_int_equal(after.path_mtu, 552);
		assert_int_equal(after.mtu_high, 1499);
		assert_int_equal(after.fast_recoveries, before.fast_recoveries);
		/* All of its bytes go again. */
		uint32_t again = 0;
		for (unsigned i = 0; i < p->count; i++)
			if (p->sent[i].why == WHY_FAST_RETRANSMIT) {
				assert_int_equal(p->sent[i].h.seq - p->iss, start + again);
				assert_true(p->sent[i].len <= 512);
				again += p->sent[i].len;
			}
		assert_int_equal(again, 1460);
		peer_close(p);
	}
}

/* 7.6.4: others are lost with it, so it was congestion, and proves nothing. */
static void test_lost_with_others(void **state)
{
	(void)state;
	struct wire_peer *p = open_peer(MTU_PROBING_BLACK_HOLE, false);
	sock_id id = peer_accepted(p, &large_sack);
	fall_back(p, id);
	uint32_t start = the_probe(p)->h.seq - p->iss, end = start + 1460;
	SAY(p, .flags = TCP_ACK, .them = 1, .us = start);
	struct sock_tcp_info before = peer_info(p, id);
	struct tcp_options o = { .has = TCP_HAS_SACK, .sack_count = 1 };
	o.sack[0] = (struct tcp_sack_block){ p->iss + end + 512, p->iss + end + 4 * 512 };
	SAY(p, .flags = TCP_ACK, .them = 1, .us = start, .options = o);
	struct sock_tcp_info after = peer_info(p, id);
	assert_true(after.recovering);
	assert_int_equal(after.fast_recoveries, before.fast_recoveries + 1);
	assert_int_equal(after.mtu_high, 1500);
	assert_int_equal(after.path_mtu, 552);
	/* and its acknowledgment, sent again in pieces, raises nothing */
	peer_forget(p);
	SAY(p, .flags = TCP_ACK, .them = 1, .us = end + 4 * 512);
	assert_int_equal(peer_info(p, id).path_mtu, 552);
	peer_close(p);
}

/* What was learned outlives the flight, and the search goes on with the next one. */
static void test_after_a_silence(void **state)
{
	(void)state;
	struct wire_peer *p = open_peer(MTU_PROBING_ALWAYS, false);
	sock_id id = peer_accepted(p, &large_sack);
	peer_write(p, id, pattern, 10000);
	assert_int_equal(p->sent[p->count - 10].len, 1242);
	SAY(p, .flags = TCP_ACK, .them = 1, .us = 10001);
	assert_int_equal(peer_info(p, id).mss, 1242);
	peer_wait(p, 60 * NANO_S);
	assert_int_equal(stack_transport(p->stack)->flight_pool.used, 0);
	assert_int_equal(peer_info(p, id).mss, 1242);
	peer_forget(p);
	peer_write(p, id, pattern, 10000);
	assert_int_equal(the_probe(p)->len, 1351);
	peer_close(p);
}

int main(void)
{
	for (unsigned i = 0; i < sizeof pattern; i++)
		pattern[i] = (uint8_t)(i * 31 + i / 251);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_floor),
		cmocka_unit_test(test_window_of_small_segments),
		cmocka_unit_test(test_not_doubted),
		cmocka_unit_test(test_all_as_before),
		cmocka_unit_test(test_lost_alone),
		cmocka_unit_test(test_lost_with_others),
		cmocka_unit_test(test_after_a_silence),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
