/*
 * What an owner sets holds for all that its connections send: from the SYN-ACK
 * on, in the backlog, and when the owner has gone. Segment by segment, against a
 * peer written by hand, over both families.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "support/wire_peer.h"

static uint8_t pattern[65536];

/* All segments since then carry these. */
static void expect_marked(struct wire_peer *p, unsigned least)
{
	const struct peer_segment *s;
	unsigned count = 0;
	while ((s = peer_next(p))) {
		assert_int_equal(s->tos, 0xb8);
		assert_int_equal(s->hop_limit, 255);
		count++;
	}
	assert_true(count >= least);
}

static const struct sock_options marked = { .tos = 0xb8, .hop_limit = 255, .local_port = 80 };

static sock_id listen_and_connect(struct wire_peer *p, const struct sock_options *o)
{
	sock_id listener;
	p->port = o->local_port;
	assert_int_equal(sock_listen(p->stack, o, &listener), 0);
	SAY(p, .flags = TCP_SYN, .options = { .has = TCP_HAS_MSS, .mss = 1000 });
	SAY(p, .flags = TCP_ACK, .them = 1, .us = 1);
	return listener;
}

/* MUST-48, MUST-49, SHLD-22; RFC 2873: SYN-ACK, what the backlog sends, data, FIN, TIME-WAIT. */
static void test_marks_of_accepted(void **state)
{
	(void)state;
	for (int v6 = 0; v6 < 2; v6++) {
		struct wire_peer *p = peer_open(NULL, v6);
		sock_id listener = listen_and_connect(p, &marked);
		expect_marked(p, 1);
		SAY(p, .flags = TCP_ACK, .them = 1, .us = 1, .text = "early", .len = 5);
		expect_marked(p, 1); /* acknowledged, and nobody has accepted yet */
		sock_id id = peer_take(p, listener);
		uint8_t byte[8];
		assert_int_equal(sock_read(p->stack, id, byte, 8), 5);
		peer_write(p, id, pattern, 100);
		expect_marked(p, 1);
		SAY(p, .flags = TCP_ACK, .them = 6, .us = 101);
		sock_shutdown(p->stack, id);
		peer_flush(p);
		SAY(p, .flags = TCP_ACK | TCP_FIN, .them = 6, .us = 102);
		expect_marked(p, 2);
		sock_close(p->stack, id);
		peer_flush(p);
		SAY(p, .flags = TCP_ACK | TCP_FIN, .them = 6, .us = 102);
		expect_marked(p, 1); /* TIME-WAIT answers */
		peer_close(p);
	}
}

/* SHLD-21: changed and changed back. Then the handle is closed, and much is still to be sent,
 * and sent again. */
static void test_marks_of_orphans(void **state)
{
	(void)state;
	struct wire_peer *p = peer_open(NULL, false);
	sock_id id = peer_take(p, listen_and_connect(p, &marked));
	expect_marked(p, 1);
	peer_write(p, id, pattern, 20000);
	expect_marked(p, 10);
	assert_int_equal(sock_set(p->stack, id, SOCK_TOS, 0), 0);
	assert_int_equal(sock_set(p->stack, id, SOCK_HOP_LIMIT, 9), 0);
	peer_write(p, id, pattern, 10);
	SAY(p, .flags = TCP_ACK, .them = 1, .us = 1001);
	const struct peer_segment *s = peer_next(p);
	assert_true(s && s->tos == 0 && s->hop_limit == 9);
	while (peer_next(p))
		;
	assert_int_equal(sock_set(p->stack, id, SOCK_TOS, marked.tos), 0);
	assert_int_equal(sock_set(p->stack, id, SOCK_HOP_LIMIT, marked.hop_limit), 0);
	sock_close(p->stack, id);
	peer_flush(p);
	SAY(p, .flags = TCP_ACK, .them = 1, .us = 5001);
	expect_marked(p, 5);
	peer_wait(p, NANO_S);
	expect_marked(p, 1); /* the retransmission */
	SAY(p, .flags = TCP_ACK, .them = 1, .us = 6001, .text = "unread", .len = 6);
	expect_marked(p, 1); /* SHLD-3: the reset */
	assert_int_equal(sock_unfinished(p->stack), 0);
	peer_close(p);
}

static void test_marks_of_connect(void **state)
{
	(void)state;
	struct wire_peer *p = peer_open(NULL, true);
	struct sock_options o = marked;
	sock_id id;
	o.local_port = p->port = 5000;
	assert_int_equal(sock_connect(p->stack, &o, &p->remote, p->peer_port, &id), 0);
	peer_flush(p);
	expect_marked(p, 1);
	SAY(p, .flags = TCP_SYN | TCP_ACK, .us = 1);
	expect_marked(p, 1);
	sock_abort(p->stack, id);
	peer_flush(p);
	expect_marked(p, 1);
	peer_close(p);
}

/* Nagle would hold the second small piece back. */
static void test_nodelay_is_inherited(void **state)
{
	(void)state;
	for (int nodelay = 0; nodelay < 2; nodelay++) {
		struct wire_peer *p = peer_open(NULL, false);
		struct sock_options o = { .local_port = 80, .nodelay = nodelay };
		sock_id id = peer_take(p, listen_and_connect(p, &o));
		peer_next(p);
		peer_write(p, id, pattern, 10);
		peer_expect(p, TCP_ACK, 1, 1);
		peer_write(p, id, pattern, 10);
		if (nodelay)
			assert_int_equal(peer_expect(p, TCP_ACK, 11, 1)->len, 10);
		peer_expect_nothing(p);
		peer_close(p);
	}
}

/* MUST-24: it runs from the handshake on, while the connection waits to be accepted, too. */
static void test_keepalive_is_inherited(void **state)
{
	(void)state;
	for (int keepalive = 0; keepalive < 2; keepalive++) {
		struct wire_peer *p = peer_open(NULL, false);
		struct sock_options o = { .local_port = 80, .keepalive = keepalive };
		listen_and_connect(p, &o);
		peer_next(p);
		peer_wait(p, 7201 * NANO_S);
		if (keepalive)
			assert_int_equal(peer_expect(p, TCP_ACK, 0, 1)->why, WHY_KEEPALIVE);
		peer_expect_nothing(p);
		peer_close(p);
	}
}

/* MUST-21: an R2 of one's own */
static void test_buffers_and_timeout_are_inherited(void **state)
{
	(void)state;
	struct wire_peer *p = peer_open(NULL, false);
	struct sock_options o = { .local_port = 80,
		.send_buffer = 5000,
		.receive_buffer = 4000,
		.user_timeout = 30 * NANO_S };
	sock_id id = peer_take(p, listen_and_connect(p, &o));
	assert_int_equal(peer_next(p)->h.window, 4000);
	assert_int_equal(sock_room(p->stack, id), 5000);
	assert_int_equal(sock_write(p->stack, id, pattern, 6000), 5000);
	for (unsigned i = 0; i < 12; i++)
		peer_wait(p, 10 * NANO_S);
	assert_int_equal(sock_error(p->stack, id), ERR_TIMEOUT);
	peer_close(p);
}

/* What was offered can't be taken back, so a handshake offers no more than the window may be. */
static void test_clamped_from_the_first_window_on(void **state)
{
	(void)state;
	struct wire_peer *p = peer_open(NULL, false);
	sock_id id = peer_attempt(p);
	assert_int_equal(sock_set(p->stack, id, SOCK_WINDOW_CLAMP, 3000), 0);
	peer_flush(p);
	assert_int_equal(peer_next(p)->h.window, 3000);
	SAY(p, .flags = TCP_SYN | TCP_ACK, .us = 1, .options = PEER_MSS);
	assert_true(peer_expect(p, TCP_ACK, 1, 1)->h.window <= 3000);
	peer_forget(p);
	sock_id listener = peer_listen(p);
	assert_int_equal(sock_set(p->stack, listener, SOCK_WINDOW_CLAMP, 4000), 0);
	p->peer_port++;
	SAY(p, .flags = TCP_SYN, .options = PEER_MSS);
	assert_int_equal(peer_expect(p, TCP_SYN | TCP_ACK, 0, 1)->h.window, 4000);
	/* without the clamp it is the buffer again */
	assert_int_equal(sock_set(p->stack, listener, SOCK_WINDOW_CLAMP, 0), 0);
	p->peer_port++;
	SAY(p, .flags = TCP_SYN, .options = PEER_MSS);
	assert_int_equal(peer_expect(p, TCP_SYN | TCP_ACK, 0, 1)->h.window, 65535);
	peer_close(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_marks_of_accepted),
		cmocka_unit_test(test_marks_of_orphans),
		cmocka_unit_test(test_marks_of_connect),
		cmocka_unit_test(test_nodelay_is_inherited),
		cmocka_unit_test(test_keepalive_is_inherited),
		cmocka_unit_test(test_buffers_and_timeout_are_inherited),
		cmocka_unit_test(test_clamped_from_the_first_window_on),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
