/*
 * Windows that shrink, close and stay closed (RFC 9293 3.8.6): what goes and what does not, what
 * still counts, and how long it may last.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "support/wire_peer.h"

static uint8_t pattern[30000];

/* MUST-34, SHLD-15, SHLD-16, MAY-7: 5000 bytes are out when the edge moves back to 2000. Nothing
 * new goes; what is out goes again, inside of the window and beyond it; then all is as before. */
static void test_window_shrinks(void **state)
{
	(void)state;
	struct wire_peer *p = peer_open(NULL, false);
	sock_id id = peer_accepted(p, NULL);
	peer_write(p, id, pattern, 5000);
	peer_forget(p);
	SAY(p, .flags = TCP_ACK, .them = 1, .us = 1, .window = 2000);
	peer_write(p, id, pattern, 3000);
	peer_expect_nothing(p); /* SHLD-15 */
	peer_wait(p, peer_info(p, id).rto);
	assert_int_equal(peer_expect(p, TCP_ACK, 1, 1)->len, 1000); /* SHLD-16 */
	SAY(p, .flags = TCP_ACK, .them = 1, .us = 2001, .closed = true);
	peer_wait(p, 4 * NANO_S);
	bool beyond = false;
	for (const struct peer_segment *s; (s = peer_next(p));) {
		assert_true(s->h.seq - p->iss + s->len <= 5001);
		beyond |= s->h.seq - p->iss == 2001 && s->len > 0; /* MAY-7 */
	}
	assert_true(beyond);
	uint32_t end = 5001;
	SAY(p, .flags = TCP_ACK, .them = 1, .us = end, .window = 8000);
	for (const struct peer_segment *s; (s = peer_next(p));) {
		assert_int_equal(s->h.seq - p->iss, end);
		end += s->len;
		SAY(p, .flags = TCP_ACK, .them = 1, .us = end, .window = 8000);
	}
	assert_int_equal(end, 8001);
	peer_close(p);
}

/* SHLD-17, MUST-35: data is out when the window shrinks to nothing. It is probed for as long as the
 * peer answers, less and less often, and not given up; a peer that falls silent is. */
static void test_window_shrinks_to_nothing(void **state)
{
	(void)state;
	struct stack_config c;
	peer_config(&c);
	c.transport.user_timeout = 100 * NANO_S;
	struct wire_peer *p = peer_open(&c, false);
	sock_id id = peer_accepted(p, NULL);
	peer_write(p, id, pattern, 3000);
	peer_forget(p);
	SAY(p, .flags = TCP_ACK, .them = 1, .us = 1, .closed = true);
	unsigned probes = 0;
	for (unsigned i = 0; i < 20; i++) {
		peer_wait(p, 50 * NANO_S);
		for (const struct peer_segment *s; (s = peer_next(p)); probes++)
			assert_true(s->h.seq - p->iss + s->len <= 3001);
		peer_forget(p);
		SAY(p, .flags = TCP_ACK, .them = 1, .us = 1, .closed = true);
		assert_string_equal(peer_state(p, id), "ESTABLISHED");
	}
	assert_in_range(probes, 15, 60); /* ever less often, but at least each minute */
	SAY(p, .flags = TCP_ACK, .them = 1, .us = 1, .window = 9000);
	peer_wait(p, 61 * NANO_S);
	assert_true(peer_next(p)->len > 0);
	SAY(p, .flags = TCP_ACK, .them = 1, .us = 3001);
	peer_write(p, id, pattern, 3000);
	SAY(p, .flags = TCP_ACK, .them = 1, .us = 3001, .closed = true);
	peer_forget(p);
	for (unsigned i = 0; i < 4; i++) {
		peer_wait(p, 60 * NANO_S);
		peer_forget(p);
	}
	assert_int_equal(sock_error(p->stack, id), ERR_TIMEOUT);
	peer_close(p);
}

/* A connection whose receive window is closed by 4000 unread bytes. */
static struct wire_peer *closed(sock_id *id)
{
	struct stack_config c;
	peer_config(&c);
	c.transport.receive_buffer = 4000;
	struct wire_peer *p = peer_open(&c, false);
	*id = peer_accepted(p, NULL);
	for (uint32_t i = 0; i < 4; i++)
		SAY(p, .flags = TCP_ACK, .them = 1 + 1000 * i, .us = 1, .text = pattern,
			.len = 1000);
	peer_wait(p, NANO_S);
	assert_int_equal(peer_info(p, *id).rcv_wnd, 0);
	peer_forget(p);
	return p;
}

/* MAY-8: nobody reads for a day. */
static void test_own_window_stays_closed(void **state)
{
	(void)state;
	sock_id id;
	struct wire_peer *p = closed(&id);
	for (unsigned i = 0; i < 24 * 60; i++) {
		peer_wait(p, 60 * NANO_S);
		SAY(p, .flags = TCP_ACK, .them = 4001, .us = 1, .text = "p", .len = 1);
		assert_int_equal(peer_expect(p, TCP_ACK, 1, 4001)->h.window, 0);
		peer_expect_nothing(p);
		peer_forget(p);
	}
	assert_int_equal(sock_readable(p->stack, id), 4000);
	peer_close(p);
}

/* MUST-66: what comes to a closed window brings no text in, but its ACK counts, and its RST with
 * text or without. SHLD-2: a reset with text is one. */
static void test_closed_window_and_reset(void **state)
{
	(void)state;
	for (unsigned text = 0; text < 4; text++) {
		sock_id id;
		struct wire_peer *p = text < 2 ? closed(&id) : peer_open(NULL, false);
		if (text >= 2)
			id = peer_accepted(p, NULL);
		uint32_t at = text < 2 ? 4001 : 1;
		peer_write(p, id, pattern, 1000);
		SAY(p, .flags = TCP_ACK, .them = at, .us = 501, .text = "x", .len = text < 2);
		assert_int_equal(peer_info(p, id).unacked, 500);
		uint32_t unread = peer_info(p, id).unread;
		peer_forget(p);
		SAY(p, .flags = TCP_RST, .them = at, .text = "why", .len = text & 1 ? 3 : 0);
		assert_int_equal(sock_error(p->stack, id), ERR_RESET);
		assert_int_equal(sock_readable(p->stack, id), unread);
		peer_expect_nothing(p);
		peer_close(p);
	}
}

/* MUST-38: of a window that takes less than a segment, half of the largest seen or more is used. */
static void test_silly_windows(void **state)
{
	(void)state;
	static const struct {
		uint16_t window;
		uint32_t sent;
	} cases[] = { { 999, 999 }, { 500, 500 }, { 499, 0 }, { 10, 0 } };
	for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct wire_peer *p = peer_open(NULL, false);
		struct sock_options o = { .local_port = 80 };
		sock_id listener, id;
		p->port = 80;
		assert_int_equal(sock_listen(p->stack, &o, &listener), 0);
		SAY(p, .flags = TCP_SYN, .window = 1000,
			.options = { .has = TCP_HAS_MSS, .mss = 1400 });
		SAY(p, .flags = TCP_ACK, .them = 1, .us = 1, .window = 1000);
		id = peer_take(p, listener);
		peer_forget(p);
		peer_write(p, id, pattern, 1000);
		assert_int_equal(peer_expect(p, TCP_ACK, 1, 1)->len, 1000);
		peer_write(p, id, pattern, 5000);
		SAY(p, .flags = TCP_ACK, .them = 1, .us = 1001, .window = cases[i].window);
		if (cases[i].sent)
			assert_int_equal(peer_expect(p, TCP_ACK, 1001, 1)->len, cases[i].sent);
		peer_expect_nothing(p);
		peer_close(p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_window_shrinks),
		cmocka_unit_test(test_window_shrinks_to_nothing),
		cmocka_unit_test(test_own_window_stays_closed),
		cmocka_unit_test(test_closed_window_and_reset),
		cmocka_unit_test(test_silly_windows),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
