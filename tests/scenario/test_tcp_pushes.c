/*
 * How text is cut and acknowledgments are joined (RFC 9293 3.8.6.3, 3.9.1.2, 3.10.7.4): PSH, full
 * segments, and one ACK for all that has come.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "support/wire_peer.h"

#define GET(p, ...) peer_receive(p, &(struct peer_say){ __VA_ARGS__ })

static uint8_t pattern[30000];

/* MUST-60, MUST-61, SHLD-27, SHLD-28: no call asks for it, yet what was written goes, in full
 * segments; seven writes make one PSH, on the last of them. */
static void test_writes_become_segments(void **state)
{
	(void)state;
	struct wire_peer *p = peer_open(NULL, false);
	sock_id id = peer_accepted(p, NULL);
	for (unsigned i = 0; i < 7; i++)
		assert_int_equal(sock_write(p->stack, id, pattern + 500 * i, 500), 500);
	peer_flush(p);
	for (uint32_t i = 0; i < 4; i++) {
		const struct peer_segment *s = peer_expect(p, TCP_ACK, 1 + 1000 * i, 1);
		assert_int_equal(s->len, i == 3 ? 500 : 1000);
		assert_int_equal(!!(s->h.flags & TCP_PSH), i == 3);
		assert_memory_equal(s->text, pattern + 1000 * i, s->len);
	}
	peer_expect_nothing(p);
	SAY(p, .flags = TCP_ACK, .them = 1, .us = 3501, .window = 1500);
	assert_int_equal(sock_write(p->stack, id, pattern, 4000), 4000);
	peer_flush(p); /* cut by the window, not by the end of data: no PSH */
	for (const struct peer_segment *s; (s = peer_next(p));)
		assert_int_equal(s->h.flags & TCP_PSH, 0);
	peer_close(p);
}

/* MUST-58, MUST-59: ten segments come together, in order, twice, beyond a hole that the last one
 * fills. All are looked at, then one ACK says all of it. */
static void test_one_ack_for_all(void **state)
{
	(void)state;
	struct wire_peer *p = peer_open(NULL, false);
	sock_id id = peer_accepted(p, NULL);
	GET(p, .flags = TCP_ACK, .them = 1, .us = 1, .text = pattern, .len = 1000);
	GET(p, .flags = TCP_ACK, .them = 1001, .us = 1, .text = pattern, .len = 1000);
	GET(p, .flags = TCP_ACK, .them = 1, .us = 1, .text = pattern, .len = 1000);
	for (uint32_t i = 3; i < 9; i++)
		GET(p, .flags = TCP_ACK, .them = 1 + 1000 * i, .us = 1, .text = pattern,
			.len = 1000);
	GET(p, .flags = TCP_ACK, .them = 2001, .us = 1, .text = pattern, .len = 1000);
	peer_flush(p);
	peer_expect(p, TCP_ACK, 1, 9001);
	peer_expect_nothing(p);
	/* and data takes it along */
	GET(p, .flags = TCP_ACK, .them = 9001, .us = 1, .text = pattern, .len = 1000);
	GET(p, .flags = TCP_ACK, .them = 10001, .us = 1, .text = pattern, .len = 1000);
	assert_int_equal(sock_write(p->stack, id, pattern, 10), 10);
	peer_flush(p);
	assert_int_equal(peer_expect(p, TCP_ACK, 1, 11001)->len, 10);
	peer_expect_nothing(p);
	peer_wait(p, 100 * NANO_MS);
	peer_expect_nothing(p);
	peer_close(p);
}

int main(void)
{
	for (unsigned i = 0; i < sizeof pattern; i++)
		pattern[i] = (uint8_t)(i * 31 + i / 251);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_writes_become_segments),
		cmocka_unit_test(test_one_ack_for_all),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
