/*
 * Urgent data, both ways, segment by segment (RFC 9293 3.8.5, RFC 6093): what the pointer says,
 * when the owner is told, and how much it is told of.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "support/wire_peer.h"

static uint8_t pattern[200000];

static void write_urgent(struct wire_peer *p, sock_id id, uint32_t len)
{
	assert_int_equal(sock_write_urgent(p->stack, id, pattern, len), len);
	peer_flush(p);
}

/* Has EVENT_URGENT come since the last look? */
static bool told(struct wire_peer *p, struct sock_queue *q)
{
	struct sock_event e;
	bool urgent = false;
	while (sock_next(p->stack, q, &e))
		urgent |= e.events & EVENT_URGENT;
	return urgent;
}

static sock_id accepted(struct wire_peer *p, struct sock_queue *q)
{
	sock_id id = peer_accepted(p, NULL);
	sock_queue_init(q);
	assert_int_equal(sock_attach(p->stack, id, q, NULL), 0);
	told(p, q);
	return id;
}

/* MUST-30, MUST-62: the pointer names the first byte after the urgent ones; later data has none. */
static void test_sent(void **state)
{
	(void)state;
	struct wire_peer *p = peer_open(NULL, false);
	sock_id id = peer_accepted(p, NULL);
	assert_int_equal(sock_write(p->stack, id, pattern, 700), 700);
	write_urgent(p, id, 800);
	const struct peer_segment *s = peer_expect(p, TCP_ACK | TCP_URG, 1, 1);
	assert_int_equal(s->len, 1000);
	assert_int_equal(s->h.urgent, 1500);
	s = peer_expect(p, TCP_ACK | TCP_URG, 1001, 1);
	assert_int_equal(s->len, 500); /* though it is small: Nagle does not hold it back */
	assert_int_equal(s->h.urgent, 500);
	assert_int_equal(sock_write(p->stack, id, pattern, 1000), 1000);
	peer_flush(p);
	s = peer_expect(p, TCP_ACK, 1501, 1);
	assert_int_equal(s->h.urgent, 0);
	peer_wait(p, 300 * NANO_MS); /* sent again it is urgent again */
	s = peer_expect(p, TCP_ACK | TCP_URG, 1, 1);
	assert_int_equal(s->h.urgent, 1500);
	SAY(p, .flags = TCP_ACK, .them = 1, .us = 2501);
	p->taken = p->count;
	assert_int_equal(sock_write(p->stack, id, pattern, 10), 10);
	peer_flush(p);
	peer_expect(p, TCP_ACK, 2501, 1);
	peer_close(p);
}

/* MUST-31: 200000 bytes are urgent: the pointer says what it can say, and more later. */
static void test_sent_long(void **state)
{
	(void)state;
	struct wire_peer *p = peer_open(NULL, false);
	sock_id id = peer_accepted(p, &(struct tcp_options){ .has = TCP_HAS_WSCALE, .wscale = 4 });
	write_urgent(p, id, sizeof pattern);
	uint32_t end = 1;
	for (const struct peer_segment *s; (s = peer_next(p));) {
		uint32_t left = 200001 - (s->h.seq - p->iss);
		assert_true(s->h.flags & TCP_URG);
		assert_int_equal(s->h.urgent, left > 65535 ? 65535 : left);
		assert_true(s->len > 0);
		end = s->h.seq - p->iss + s->len;
		if (p->taken == p->count) {
			p->taken = p->count = 0;
			SAY(p, .flags = TCP_ACK, .them = 1, .us = end);
		}
	}
	assert_int_equal(end, 200001);
	peer_close(p);
}

/* A closed window holds the bytes back, not the news of them; a probe brings it again. */
static void test_sent_to_closed_window(void **state)
{
	(void)state;
	struct wire_peer *p = peer_open(NULL, false);
	sock_id id = peer_accepted(p, NULL);
	SAY(p, .flags = TCP_ACK, .them = 1, .us = 1, .closed = true);
	write_urgent(p, id, 5);
	const struct peer_segment *s = peer_expect(p, TCP_ACK | TCP_URG, 1, 1);
	assert_int_equal(s->len, 0);
	assert_int_equal(s->h.urgent, 5);
	peer_expect_nothing(p);
	peer_wait(p, NANO_S);
	assert_int_equal(peer_expect(p, TCP_ACK | TCP_URG, 0, 1)->h.urgent, 6);
	peer_close(p);
}

/* MUST-30, MUST-32, MUST-33: told at the first mark and when it moves on, not when it is repeated;
 * the bytes stay in the stream, and one can ask how many of them are urgent. */
static void test_received(void **state)
{
	(void)state;
	struct wire_peer *p = peer_open(NULL, false);
	struct sock_queue q;
	sock_id id = accepted(p, &q);
	uint8_t got[1000];
	assert_int_equal(sock_urgent(p->stack, id), 0);
	/* the mark comes before its bytes */
	SAY(p, .flags = TCP_ACK | TCP_URG, .them = 1, .us = 1, .urgent = 300);
	assert_true(told(p, &q));
	assert_int_equal(sock_urgent(p->stack, id), 300);
	assert_true(sock_poll(p->stack, id) & EVENT_URGENT);
	SAY(p, .flags = TCP_ACK | TCP_URG, .them = 1, .us = 1, .urgent = 300, .text = pattern,
		.len = 200);
	assert_false(told(p, &q));
	assert_int_equal(sock_read(p->stack, id, got, 150), 150);
	assert_int_equal(sock_urgent(p->stack, id), 150);
	SAY(p, .flags = TCP_ACK | TCP_URG, .them = 201, .us = 1, .urgent = 99, .text = pattern,
		.len = 200);
	assert_false(told(p, &q)); /* a mark that goes back is no news */
	assert_int_equal(sock_urgent(p->stack, id), 150);
	SAY(p, .flags = TCP_ACK | TCP_URG, .them = 401, .us = 1, .urgent = 50, .text = pattern,
		.len = 100);
	assert_true(told(p, &q)); /* it moved on */
	assert_int_equal(sock_urgent(p->stack, id), 300);
	assert_int_equal(sock_read(p->stack, id, got, 300), 300);
	assert_int_equal(sock_urgent(p->stack, id), 0);
	assert_false(sock_poll(p->stack, id) & EVENT_URGENT);
	assert_int_equal(sock_read(p->stack, id, got, sizeof got), 50); /* not urgent any more */
	SAY(p, .flags = TCP_ACK | TCP_URG, .them = 501, .us = 1, .urgent = 1, .text = "x",
		.len = 1);
	assert_true(told(p, &q)); /* the next urgent data */
	assert_int_equal(sock_urgent(p->stack, id), 1);
	peer_close(p);
}

/* MUST-31: a mark that is farther away than any pointer moves on with each segment. */
static void test_received_long(void **state)
{
	(void)state;
	struct wire_peer *p = peer_open(NULL, false);
	struct sock_queue q;
	sock_id id = accepted(p, &q);
	uint8_t got[1000];
	for (uint32_t at = 1; at < 150001; at += 1000) {
		uint32_t left = 150001 - at;
		SAY(p, .flags = TCP_ACK | TCP_URG, .them = at, .us = 1, .text = pattern,
			.len = 1000, .urgent = (uint16_t)(left > 65535 ? 65535 : left));
		assert_int_equal(told(p, &q), at == 1 || at + 65535 - 1000 < 150001);
		assert_int_equal(sock_urgent(p->stack, id), left > 65535 ? 65535 : left);
		assert_int_equal(sock_read(p->stack, id, got, 1000), 1000);
		p->taken = p->count = 0;
		peer_flush(p);
		p->taken = p->count = 0;
	}
	assert_int_equal(sock_urgent(p->stack, id), 0);
	peer_close(p);
}

/* A stream that ends before the mark: what is left of it is urgent, and no more. */
static void test_received_and_closed(void **state)
{
	(void)state;
	struct wire_peer *p = peer_open(NULL, false);
	sock_id id = peer_accepted(p, NULL);
	uint8_t got[8];
	SAY(p, .flags = TCP_ACK | TCP_URG | TCP_FIN, .them = 1, .us = 1, .text = "abc", .len = 3,
		.urgent = 60000);
	assert_int_equal(sock_urgent(p->stack, id), 3);
	assert_int_equal(sock_read(p->stack, id, got, 8), 3);
	assert_int_equal(sock_urgent(p->stack, id), 0);
	assert_int_equal(sock_read(p->stack, id, got, 8), 0);
	peer_close(p);
}

/* MUST-66: the mark passes a window that is closed, with text or without. */
static void test_closed_window_and_mark(void **state)
{
	(void)state;
	for (uint32_t text = 0; text < 2; text++) {
		struct stack_config c;
		peer_config(&c);
		c.transport.receive_buffer = 2048;
		struct wire_peer *p = peer_open(&c, false);
		struct sock_queue q;
		sock_id id = accepted(p, &q);
		SAY(p, .flags = TCP_ACK, .them = 1, .us = 1, .text = pattern, .len = 1024);
		SAY(p, .flags = TCP_ACK, .them = 1025, .us = 1, .text = pattern, .len = 1024);
		assert_false(told(p, &q));
		SAY(p, .flags = TCP_ACK | TCP_URG, .them = 2049, .us = 1, .text = "u", .len = text,
			.urgent = 1);
		assert_true(told(p, &q));
		assert_int_equal(sock_urgent(p->stack, id), 2049);
		assert_int_equal(sock_readable(p->stack, id), 2048);
		peer_close(p);
	}
}

int main(void)
{
	for (unsigned i = 0; i < sizeof pattern; i++)
		pattern[i] = (uint8_t)(i * 31 + i / 251);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sent),
		cmocka_unit_test(test_sent_long),
		cmocka_unit_test(test_sent_to_closed_window),
		cmocka_unit_test(test_received),
		cmocka_unit_test(test_received_long),
		cmocka_unit_test(test_received_and_closed),
		cmocka_unit_test(test_closed_window_and_mark),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
