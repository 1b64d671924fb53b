/*
 * What time does to a connection (RFC 9293 3.8.1 to 3.8.4): measuring, doubting the way (R1),
 * giving up (R2), asking whether the peer is there.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "support/wire_peer.h"

#include "transport/congestion/congestion.h"
#include "transport/endpoints.h"

static uint8_t pattern[30000];

/* Has this event come since the last look? */
static bool told(struct wire_peer *p, struct sock_queue *q, uint32_t event)
{
	struct sock_event e;
	bool yes = false;
	while (sock_next(p->stack, q, &e))
		yes |= (e.events & event) != 0;
	return yes;
}

/* The next hop as one that was learned, and heard of just now. */
static struct neighbour *next_hop(struct wire_peer *p)
{
	struct neighbour *n = neighbour_find(stack_access(p->stack), p->nif, &p->remote);
	assert_non_null(n);
	n->state = NEIGHBOUR_REACHABLE;
	n->confirmed = p->now;
	n->reachable = 3600 * NANO_S;
	return n;
}

static sock_id connecting(struct wire_peer *p, struct sock_queue *q)
{
	struct sock_options o = { .local_port = 5000, .queue = q };
	sock_id id;
	p->port = 5000;
	sock_queue_init(q);
	assert_int_equal(sock_connect(p->stack, &o, &p->remote, p->peer_port, &id), 0);
	peer_flush(p);
	return id;
}

/* MUST-18: the ACK of what was sent twice is no measure; that of what was sent once is. */
static void test_karn(void **state)
{
	(void)state;
	struct wire_peer *p = peer_open(NULL, false);
	sock_id id = peer_accepted(p, NULL);
	peer_write(p, id, pattern, 100);
	peer_wait(p, 50 * NANO_MS);
	SAY(p, .flags = TCP_ACK, .them = 1, .us = 101);
	struct sock_tcp_info before = peer_info(p, id);
	assert_true(before.srtt > 0);
	peer_write(p, id, pattern, 100);
	peer_wait(p, 900 * NANO_MS); /* sent again meanwhile */
	assert_true(peer_info(p, id).retransmits > 0);
	SAY(p, .flags = TCP_ACK, .them = 1, .us = 201);
	assert_int_equal(peer_info(p, id).srtt, before.srtt);
	assert_int_equal(peer_info(p, id).rttvar, before.rttvar);
	peer_write(p, id, pattern, 100);
	peer_wait(p, 100 * NANO_MS);
	SAY(p, .flags = TCP_ACK, .them = 1, .us = 301);
	assert_true(peer_info(p, id).srtt > before.srtt);
	peer_close(p);
}

/* `len` bytes that are acknowledged a round trip after they left; returns the bytes acknowledged in
 * all. */
static uint32_t exchange(struct wire_peer *p, sock_id id, uint32_t done, uint32_t len, nanodiff rtt)
{
	peer_write(p, id, pattern, len);
	peer_wait(p, rtt);
	SAY(p, .flags = TCP_ACK, .them = 1, .us = 1 + done + len);
	return done + len;
}

/* How long after the ACK of the first of so many small segments the second is sent again. */
static nanodiff timeout_of_small(unsigned segments)
{
	struct wire_peer *p = peer_open(NULL, false);
	sock_id id = peer_accepted(p, NULL);
	uint32_t done = 0;
	sock_set(p->stack, id, SOCK_NODELAY, 1);
	for (unsigned i = 0; i < 12; i++)
		done = exchange(p, id, done, 1000, 100 * NANO_MS);
	for (unsigned i = 0; i < segments; i++)
		peer_write(p, id, pattern, 100);
	peer_wait(p, 100 * NANO_MS);
	SAY(p, .flags = TCP_ACK, .them = 1, .us = 1 + done + 100);
	nanotime then = p->now;
	while (!peer_info(p, id).retransmits)
		peer_wait(p, NANO_MS);
	nanodiff waited = p->now - then;
	peer_close(p);
	return waited;
}

/* RFC 7765 4: the RTO counts from when the oldest left where fewer than four segments are out, of
 * whatever length; more of them tell of a loss by duplicate ACKs. */
static void test_rto_restart(void **state)
{
	(void)state;
	assert_in_range(timeout_of_small(2), 180 * NANO_MS, 250 * NANO_MS);
	assert_in_range(timeout_of_small(4), 180 * NANO_MS, 250 * NANO_MS);
	assert_in_range(timeout_of_small(5), 280 * NANO_MS, 350 * NANO_MS);
}

/* RFC 8985 7.3: after a tail loss probe the RTO is a whole one, or it would not wait for the
 * answer, whatever RFC 7765 takes off it otherwise. */
static void test_probe_is_waited_for(void **state)
{
	(void)state;
	struct wire_peer *p = peer_open(NULL, false);
	sock_id id = peer_accepted(p, &(struct tcp_options)PEER_MSS_SACK);
	uint32_t done = 0;
	for (unsigned i = 0; i < 12; i++)
		done = exchange(p, id, done, 1000, 150 * NANO_MS);
	peer_write(p, id, pattern, 2000);
	while (!peer_info(p, id).retransmits)
		peer_wait(p, NANO_MS);
	peer_wait(p, 149 * NANO_MS);
	assert_int_equal(peer_info(p, id).rtos, 0);
	SAY(p, .flags = TCP_ACK, .them = 1, .us = 1 + done + 2000);
	peer_close(p);
}

/* RFC 8985 7.4.2: the loss that a probe repaired reduces the window from the flight of that time,
 * and not from what its ACK has left. */
static void test_probe_repairs(void **state)
{
	(void)state;
	struct stack_config c;
	peer_config(&c);
	c.transport.congestion = CC_RENO;
	struct wire_peer *p = peer_open(&c, false);
	sock_id id = peer_accepted(p, &(struct tcp_options)PEER_MSS_SACK);
	uint32_t done = exchange(p, id, 0, 1000, 50 * NANO_MS);
	peer_write(p, id, pattern, 10000);
	peer_wait(p, 50 * NANO_MS);
	SAY(p, .flags = TCP_ACK, .them = 1, .us = 1 + done + 9000);
	while (!peer_info(p, id).retransmits)
		peer_wait(p, NANO_MS);
	done = exchange(p, id, done + 10000, 1000, 50 * NANO_MS);
	assert_int_equal(peer_info(p, id).rtos, 0);
	assert_in_range(peer_info(p, id).cwnd, 5000, 5999);
	peer_close(p);
}

/* One ACK may stand for many and tell of a loss as well: the window is reduced from what was in
 * flight before it (RFC 5681 3.1, as RFC 9937's RecoverFS). */
static void test_loss_in_a_stretched_ack(void **state)
{
	(void)state;
	struct stack_config c;
	peer_config(&c);
	c.transport.congestion = CC_RENO;
	struct wire_peer *p = peer_open(&c, false);
	sock_id id = peer_accepted(p, &(struct tcp_options)PEER_MSS_SACK);
	peer_write(p, id, pattern, 10000);
	peer_wait(p, 50 * NANO_MS);
	struct tcp_options sack = { .has = TCP_HAS_SACK, .sack_count = 1 };
	sack.sack[0].start = p->iss + 7001;
	sack.sack[0].end = p->iss + 10001;
	SAY(p, .flags = TCP_ACK, .them = 1, .us = 6001, .options = sack);
	assert_true(peer_info(p, id).recovering);
	assert_in_range(peer_info(p, id).ssthresh, 5000, 5999);
	peer_close(p);
}

/* MUST-20, SHLD-9, SHLD-10: at the third retransmission, not before, the next hop is asked
 * whether it is there, and the owner is told. An answer ends the trouble. */
static void test_first_threshold(void **state)
{
	(void)state;
	struct wire_peer *p = peer_open(NULL, false);
	struct sock_queue q;
	sock_id id = peer_accepted(p, NULL);
	sock_queue_init(&q);
	sock_attach(p->stack, id, &q, NULL);
	struct neighbour *n = next_hop(p);
	peer_write(p, id, pattern, 100);
	peer_next(p);
	for (unsigned sent = 1; sent <= 3; sent++) {
		told(p, &q, 0);
		assert_int_equal(n->state, NEIGHBOUR_REACHABLE);
		while (!peer_next(p))
			peer_wait(p, 10 * NANO_MS);
		assert_int_equal(told(p, &q, EVENT_TROUBLE), sent == 3);
	}
	assert_int_equal(n->state, NEIGHBOUR_PROBE);
	assert_string_equal(peer_state(p, id), "ESTABLISHED");
	SAY(p, .flags = TCP_ACK, .them = 1, .us = 101);
	assert_int_equal(n->state, NEIGHBOUR_REACHABLE); /* RFC 4861 7.3.1: forward progress */
	assert_int_equal(peer_info(p, id).timeouts, 0);
	peer_close(p);
}

/* MUST-22: the same for a SYN. */
static void test_first_threshold_of_syn(void **state)
{
	(void)state;
	struct wire_peer *p = peer_open(NULL, false);
	struct sock_queue q;
	struct neighbour *n = next_hop(p);
	sock_id id = connecting(p, &q);
	peer_wait(p, 6900 * NANO_MS); /* sent at 0, 1 and 3 */
	assert_false(told(p, &q, EVENT_TROUBLE | EVENT_ERROR));
	assert_int_equal(n->state, NEIGHBOUR_REACHABLE);
	peer_wait(p, 200 * NANO_MS); /* and 7 */
	assert_true(told(p, &q, EVENT_TROUBLE));
	assert_int_equal(n->state, NEIGHBOUR_PROBE);
	for (unsigned i = 0; i < 4; i++)
		SAY(p, .flags = TCP_RST, .them = 0); /* proves nothing */
	assert_string_equal(peer_state(p, id), "SYN-SENT");
	n->state = NEIGHBOUR_STATIC;
	peer_wait(p, 300 * NANO_S);
	assert_true(told(p, &q, EVENT_ERROR));
	assert_int_equal(sock_error(p->stack, id), ERR_TIMEOUT);
	peer_close(p);
}

/* SHLD-11: as configured at first, a silent peer has more than 100 seconds, and some end
 * (MUST-20). */
static void test_second_threshold(void **state)
{
	(void)state;
	struct wire_peer *p = peer_open(NULL, false);
	sock_id id = peer_accepted(p, NULL);
	peer_write(p, id, pattern, 100);
	peer_wait(p, 100 * NANO_S);
	assert_string_equal(peer_state(p, id), "ESTABLISHED");
	peer_wait(p, 3600 * NANO_S);
	assert_int_equal(sock_error(p->stack, id), ERR_TIMEOUT);
	peer_close(p);
}

/* What lies beyond the window is no sign of life: a box took bytes for the peer, and lost them, and
 * neither end can ever accept the other again. What is old is one. */
static void test_keepalive_of_desynchronized(void **state)
{
	(void)state;
	for (unsigned old = 0; old < 2; old++) {
		struct wire_peer *p = peer_open(NULL, false);
		sock_id id = peer_accepted(p, NULL);
		uint32_t edge = 1 + peer_info(p, id).rcv_wnd;
		assert_int_equal(sock_set(p->stack, id, SOCK_KEEP_IDLE, 10 * NANO_S), 0);
		assert_int_equal(sock_set(p->stack, id, SOCK_KEEP_INTERVAL, 2 * NANO_S), 0);
		assert_int_equal(sock_set(p->stack, id, SOCK_KEEP_PROBES, 3), 0);
		assert_int_equal(sock_set(p->stack, id, SOCK_KEEPALIVE, true), 0);
		for (unsigned i = 0; i < 20; i++) {
			peer_wait(p, NANO_S);
			SAY(p, .flags = TCP_ACK, .them = old ? 0 : edge + 1, .us = 1);
			p->taken = p->count;
		}
		assert_int_equal(sock_error(p->stack, id), old ? ERR_OK : ERR_TIMEOUT);
		peer_close(p);
	}
}

/* ... nor an answer to the probes of a closed window, of which there may be many (MUST-37). */
static void test_window_probes_of_desynchronized(void **state)
{
	(void)state;
	for (unsigned lives = 0; lives < 2; lives++) {
		struct stack_config c;
		peer_config(&c);
		c.transport.user_timeout = 100 * NANO_S;
		struct wire_peer *p = peer_open(&c, false);
		sock_id id = peer_accepted(p, NULL);
		uint32_t edge = 1 + peer_info(p, id).rcv_wnd;
		SAY(p, .flags = TCP_ACK, .them = 1, .us = 1, .closed = true);
		peer_write(p, id, pattern, 100);
		for (unsigned i = 0; i < 400; i++) {
			peer_wait(p, NANO_S);
			if (p->taken == p->count)
				continue;
			p->taken = p->count;
			SAY(p, .flags = TCP_ACK, .them = lives ? 1 : edge + 1, .us = 1,
				.closed = lives);
			p->taken = p->count;
		}
		assert_int_equal(sock_error(p->stack, id), lives ? ERR_OK : ERR_TIMEOUT);
		peer_close(p);
	}
}

/* MUST-26: keep-alives wait for silence, and for all that is out to be acknowledged. */
static void test_keepalive_when_idle(void **state)
{
	(void)state;
	struct wire_peer *p = peer_open(NULL, false);
	sock_id id = peer_accepted(p, NULL);
	assert_int_equal(sock_set(p->stack, id, SOCK_KEEP_IDLE, 10 * NANO_S), 0);
	assert_int_equal(sock_set(p->stack, id, SOCK_KEEPALIVE, true), 0);
	uint32_t them = 1;
	for (unsigned i = 0; i < 5; i++) { /* heard of every nine seconds */
		peer_wait(p, 9 * NANO_S);
		while (p->taken < p->count)
			assert_int_not_equal(peer_next(p)->why, WHY_KEEPALIVE);
		SAY(p, .flags = TCP_ACK, .them = them, .us = 1, .text = "x", .len = i & 1);
		them += i & 1;
	}
	peer_write(p, id, pattern, 100); /* silent, but something is out: its own timer asks */
	peer_wait(p, 100 * NANO_S);
	while (p->taken < p->count)
		assert_int_not_equal(peer_next(p)->why, WHY_KEEPALIVE);
	SAY(p, .flags = TCP_ACK, .them = them, .us = 101);
	p->taken = p->count;
	peer_wait(p, 9900 * NANO_MS);
	peer_expect_nothing(p);
	peer_wait(p, 200 * NANO_MS);
	assert_int_equal(peer_expect(p, TCP_ACK, 100, them)->why, WHY_KEEPALIVE);
	peer_close(p);
}

/* All is sent once the FIN is: no window is probed, and keepalive asks after a peer that does not
 * close, however long the RTO. */
static void test_keepalive_in_fin_wait_2(void **state)
{
	(void)state;
	struct stack_config c;
	peer_config(&c);
	c.transport.rto_min = c.transport.rto_initial = 60 * NANO_S;
	struct wire_peer *p = peer_open(&c, false);
	sock_id id = peer_accepted(p, NULL);
	assert_int_equal(sock_set(p->stack, id, SOCK_KEEP_IDLE, 10 * NANO_S), 0);
	assert_int_equal(sock_set(p->stack, id, SOCK_KEEPALIVE, true), 0);
	assert_int_equal(sock_shutdown(p->stack, id), 0);
	peer_flush(p);
	peer_expect(p, TCP_FIN | TCP_ACK, 1, 1);
	SAY(p, .flags = TCP_ACK, .them = 1, .us = 2);
	assert_string_equal(peer_state(p, id), "FIN-WAIT-2");
	assert_int_equal(sock_set(p->stack, id, SOCK_NODELAY, true), 0); /* it looks what may go */
	peer_flush(p);
	peer_wait(p, 9900 * NANO_MS);
	peer_expect_nothing(p);
	peer_wait(p, 200 * NANO_MS); /* SND.UNA - 1: SHLD-12 */
	assert_int_equal(peer_expect(p, TCP_ACK, 1, 1)->why, WHY_KEEPALIVE);
	peer_close(p);
}

/* MUST-11: a reset in SYN-RECEIVED refuses who opened the connection himself, when SYNs crossed;
 * where a peer opened it the listener hears nothing, and listens on. */
static void test_reset_in_syn_received(void **state)
{
	(void)state;
	struct wire_peer *p = peer_open(NULL, false);
	struct sock_queue q;
	sock_id id = connecting(p, &q), listener;
	SAY(p, .flags = TCP_SYN);
	assert_string_equal(peer_state(p, id), "SYN-RECEIVED");
	SAY(p, .flags = TCP_RST, .them = 1);
	assert_true(told(p, &q, EVENT_ERROR));
	assert_int_equal(sock_error(p->stack, id), ERR_REFUSED);
	sock_close(p->stack, id);
	assert_int_equal(
		sock_listen(p->stack, &(struct sock_options){ .local_port = 5000, .queue = &q },
			&listener),
		0);
	SAY(p, .flags = TCP_SYN);
	SAY(p, .flags = TCP_RST, .them = 1);
	assert_false(told(p, &q, EVENT_READABLE | EVENT_ERROR));
	assert_int_equal(stack_transport(p->stack)->embryo_pool.used, 0);
	SAY(p, .flags = TCP_SYN);
	SAY(p, .flags = TCP_ACK, .them = 1, .us = 1);
	id = peer_take(p, listener);
	peer_close(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_karn),
		cmocka_unit_test(test_rto_restart),
		cmocka_unit_test(test_probe_is_waited_for),
		cmocka_unit_test(test_probe_repairs),
		cmocka_unit_test(test_loss_in_a_stretched_ack),
		cmocka_unit_test(test_first_threshold),
		cmocka_unit_test(test_first_threshold_of_syn),
		cmocka_unit_test(test_second_threshold),
		cmocka_unit_test(test_keepalive_of_desynchronized),
		cmocka_unit_test(test_window_probes_of_desynchronized),
		cmocka_unit_test(test_keepalive_when_idle),
		cmocka_unit_test(test_keepalive_in_fin_wait_2),
		cmocka_unit_test(test_reset_in_syn_received),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
