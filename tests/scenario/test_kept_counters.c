/*
 * What is counted over a connection's whole life goes on where it was after a pause in which the
 * connection gave its buffers back, and is told meanwhile.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "support/wire_peer.h"
#include "transport/endpoints.h"

static uint8_t pattern[4000];

static uint32_t flights(const struct wire_peer *p)
{
	return stack_transport(p->stack)->flight_pool.used;
}

static uint32_t kept(const struct wire_peer *p)
{
	return stack_transport(p->stack)->kept_pool.used;
}

/* 2000 bytes, the second segment of which is lost and comes twice; 300 bytes the other way. */
static void exchange(struct wire_peer *p, sock_id id)
{
	peer_write(p, id, pattern, 2000);
	SAY(p, .flags = TCP_ACK, .them = 1, .us = 1001);
	peer_wait(p, 400 * NANO_MS);
	SAY(p, .flags = TCP_ACK, .them = 1, .us = 2001, .text = pattern, .len = 300,
		.options = { .has = TCP_HAS_SACK,
			.sack_count = 1,
			.sack = { { p->iss + 1001, p->iss + 2001 } } });
	assert_int_equal(sock_read(p->stack, id, pattern, sizeof pattern), 300);
	peer_flush(p);
}

static void expect_same(const struct sock_tcp_info *a, const struct sock_tcp_info *b)
{
	assert_int_equal(a->bytes_sent, b->bytes_sent);
	assert_int_equal(a->bytes_acked, b->bytes_acked);
	assert_int_equal(a->bytes_received, b->bytes_received);
	assert_int_equal(a->bytes_retransmitted, b->bytes_retransmitted);
	assert_int_equal(a->segments_sent, b->segments_sent);
	assert_int_equal(a->segments_received, b->segments_received);
	assert_int_equal(a->data_segments_received, b->data_segments_received);
	assert_int_equal(a->retransmits, b->retransmits);
	assert_int_equal(a->rtos, b->rtos);
	assert_int_equal(a->rto_recoveries, b->rto_recoveries);
	assert_int_equal(a->dsacks, b->dsacks);
	assert_int_equal(a->rcv_mss, b->rcv_mss);
	assert_int_equal(a->last_sent, b->last_sent);
	assert_int_equal(a->last_text, b->last_text);
}

static void test_over_a_pause(void **state)
{
	(void)state;
	struct tcp_options o = PEER_MSS_SACK;
	struct wire_peer *p = peer_open(NULL, false);
	sock_id id = peer_accepted(p, &o);
	assert_int_equal(flights(p) + kept(p), 0); /* who never moved a byte has neither */
	exchange(p, id);
	peer_wait(p, 100 * NANO_MS);
	struct sock_tcp_info before = peer_info(p, id);
	assert_int_equal(before.bytes_sent, 2000);
	assert_int_equal(before.bytes_retransmitted, 1000);
	assert_int_equal(before.bytes_received, 300);
	assert_true(before.retransmits > 0);
	assert_int_equal(flights(p), 1);
	for (unsigned pause = 0; pause < 3; pause++) {
		peer_wait(p, 10 * NANO_S);
		assert_int_equal(flights(p), 0);
		assert_int_equal(kept(p), 1);
		struct sock_tcp_info meanwhile = peer_info(p, id);
		expect_same(&before, &meanwhile);
		peer_forget(p);
		peer_write(p, id, pattern, 100);
		assert_int_equal(kept(p), 0);
		SAY(p, .flags = TCP_ACK, .them = 301, .us = 2101 + 100 * pause);
		struct sock_tcp_info after = peer_info(p, id);
		assert_int_equal(after.bytes_sent, before.bytes_sent + 100);
		assert_int_equal(after.bytes_acked, before.bytes_acked + 100);
		assert_int_equal(after.segments_sent, before.segments_sent + 1);
		assert_int_equal(after.retransmits, before.retransmits);
		assert_int_equal(after.bytes_received, before.bytes_received);
		assert_int_equal(after.last_text, before.last_text);
		before = after;
	}
	peer_close(p);
}

/* It goes with its connection. */
static void test_ends(void **state)
{
	(void)state;
	for (unsigned way = 0; way < 3; way++) {
		struct wire_peer *p = peer_open(NULL, false);
		sock_id id = peer_accepted(p, NULL);
		exchange(p, id);
		peer_wait(p, 10 * NANO_S);
		assert_int_equal(kept(p), 1);
		if (way == 0)
			SAY(p, .flags = TCP_RST, .them = 301);
		if (way == 2)
			sock_abort(p->stack, id);
		else
			sock_close(p->stack, id);
		peer_flush(p);
		peer_wait(p, 2000 * NANO_S);
		assert_int_equal(kept(p), 0);
		peer_close(p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_over_a_pause),
		cmocka_unit_test(test_ends),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
