/*
 * Options of sockets, seen from the wire: what is held back and when it goes, how large
 * segments and windows are, when a listener accepts, when a connection gives up.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "support/wire_peer.h"

#include "transport/congestion/congestion.h"

static uint8_t pattern[65536];

static void set(struct wire_peer *p, sock_id id, enum sock_option option, int64_t value)
{
	assert_int_equal(sock_set(p->stack, id, option, value), 0);
	assert_int_equal(sock_get(p->stack, id, option), value);
	peer_flush(p);
}

/* MAY-16, and MUST-60: not for ever. */
static void cork_holds_back_what_is_not_full(void **state)
{
	(void)state;
	struct wire_peer *p = peer_open(NULL, false);
	sock_id id = peer_accepted(p, NULL);
	set(p, id, SOCK_CORK, true);
	assert_int_equal(sock_write(p->stack, id, pattern, 300), 300);
	peer_flush(p);
	peer_expect_nothing(p); /* nothing is in flight, yet it waits */
	assert_int_equal(sock_write(p->stack, id, pattern, 900), 900);
	peer_flush(p);
	assert_int_equal(peer_expect(p, TCP_ACK, 1, 1)->len, 1000);
	SAY(p, .flags = TCP_ACK, .them = 1, .us = 1001);
	peer_expect_nothing(p);
	set(p, id, SOCK_CORK, false);
	assert_int_equal(peer_expect(p, TCP_ACK, 1001, 1)->len, 200);
	SAY(p, .flags = TCP_ACK, .them = 1, .us = 1201);
	/* It is not held for ever: time lets it go. */
	set(p, id, SOCK_CORK, true);
	assert_int_equal(sock_write(p->stack, id, pattern, 10), 10);
	peer_flush(p);
	peer_expect_nothing(p);
	peer_wait(p, 300 * NANO_MS);
	assert_int_equal(peer_expect(p, TCP_ACK, 1201, 1)->len, 10);
	/* FIN takes along what is left. */
	SAY(p, .flags = TCP_ACK, .them = 1, .us = 1211);
	assert_int_equal(sock_write(p->stack, id, pattern, 10), 10);
	sock_shutdown(p->stack, id);
	peer_flush(p);
	assert_int_equal(peer_expect(p, TCP_ACK | TCP_FIN, 1211, 1)->len, 10);
	peer_close(p);
}

static void unsent_mark_bounds_what_waits(void **state)
{
	(void)state;
	struct wire_peer *p = peer_open(NULL, false);
	sock_id id = peer_accepted(p, NULL);
	struct sock_queue q;
	struct sock_event e;
	sock_queue_init(&q);
	sock_attach(p->stack, id, &q, NULL);
	while (sock_next(p->stack, &q, &e))
		;
	set(p, id, SOCK_UNSENT_MARK, 3000);
	SAY(p, .flags = TCP_ACK, .them = 1, .us = 1, .window = 2000);
	assert_int_equal(sock_write(p->stack, id, pattern, 6000), 6000);
	assert_int_equal(sock_write(p->stack, id, pattern, 1), -ERR_AGAIN);
	peer_flush(p);
	assert_int_equal(sock_room(p->stack, id), 0); /* 4000 are unsent */
	assert_false(sock_poll(p->stack, id) & EVENT_WRITABLE);
	while (sock_next(p->stack, &q, &e))
		assert_false(e.events & EVENT_WRITABLE);
	SAY(p, .flags = TCP_ACK, .them = 1, .us = 2001, .window = 2000);
	assert_true(sock_poll(p->stack, id) & EVENT_WRITABLE);
	assert_true(sock_next(p->stack, &q, &e));
	assert_true(e.events & EVENT_WRITABLE);
	set(p, id, SOCK_UNSENT_MARK, 0);
	peer_close(p);
}

static void read_mark_makes_readable_later(void **state)
{
	(void)state;
	struct wire_peer *p = peer_open(NULL, false);
	sock_id id = peer_accepted(p, NULL);
	set(p, id, SOCK_READ_MARK, 100);
	SAY(p, .flags = TCP_ACK, .them = 1, .us = 1, .text = pattern, .len = 99);
	assert_false(sock_poll(p->stack, id) & EVENT_READABLE);
	SAY(p, .flags = TCP_ACK, .them = 100, .us = 1, .text = pattern, .len = 1);
	assert_true(sock_poll(p->stack, id) & EVENT_READABLE);
	uint8_t buf[100];
	assert_int_equal(sock_read(p->stack, id, buf, 50), 50);
	assert_false(sock_poll(p->stack, id) & EVENT_READABLE);
	SAY(p, .flags = TCP_ACK | TCP_FIN, .them = 101, .us = 1);
	assert_true(sock_poll(p->stack, id) & EVENT_READABLE); /* the end counts as data */
	peer_close(p);
}

static sock_id listener(struct wire_peer *p)
{
	struct sock_options o = { .local_port = 80 };
	sock_id id;
	p->port = 80;
	assert_int_equal(sock_listen(p->stack, &o, &id), 0);
	return id;
}

static void segment_size_holds_both_ways(void **state)
{
	(void)state;
	struct wire_peer *p = peer_open(NULL, false);
	sock_id id, l = listener(p);
	set(p, l, SOCK_MSS, 700);
	SAY(p, .flags = TCP_SYN, .options = { .has = TCP_HAS_MSS, .mss = 1400 });
	assert_int_equal(peer_expect(p, TCP_SYN | TCP_ACK, 0, 1)->h.options.mss, 700);
	SAY(p, .flags = TCP_ACK, .them = 1, .us = 1);
	id = peer_take(p, l);
	assert_int_equal(sock_get(p->stack, id, SOCK_MSS), 700);
	sock_write(p->stack, id, pattern, 1000);
	peer_flush(p);
	assert_int_equal(peer_expect(p, TCP_ACK, 1, 1)->len, 700);
	/* and for those that we open */
	id = peer_attempt(p);
	set(p, id, SOCK_MSS, 600);
	while (p->taken + 1 < p->count)
		peer_next(p);
	assert_int_equal(peer_next(p)->h.options.mss, 600);
	peer_close(p);
}

static void deferred_accept_waits_for_data(void **state)
{
	(void)state;
	struct wire_peer *p = peer_open(NULL, false);
	sock_id id, l = listener(p);
	set(p, l, SOCK_DEFER_ACCEPT, 2);
	SAY(p, .flags = TCP_SYN);
	peer_expect(p, TCP_SYN | TCP_ACK, 0, 1);
	SAY(p, .flags = TCP_ACK, .them = 1, .us = 1);
	assert_int_equal(sock_accept(p->stack, l, NULL, NULL, &id, NULL), -ERR_AGAIN);
	SAY(p, .flags = TCP_ACK, .them = 1, .us = 1, .text = "GET", .len = 3);
	id = peer_take(p, l);
	assert_int_equal(sock_readable(p->stack, id), 3);
	peer_expect(p, TCP_ACK, 1, 4);

	/* Without data, the ACK of the last SYN-ACK counts. */
	p->peer_port++;
	SAY(p, .flags = TCP_SYN);
	while (p->taken + 1 < p->count)
		peer_next(p);
	peer_next(p);
	SAY(p, .flags = TCP_ACK, .them = 1, .us = 1);
	peer_wait(p, 2 * NANO_S);
	peer_expect_nothing(p); /* it is known to have heard us */
	SAY(p, .flags = TCP_ACK, .them = 1, .us = 1);
	assert_int_equal(sock_accept(p->stack, l, NULL, NULL, &id, NULL), -ERR_AGAIN);
	peer_wait(p, 3 * NANO_S);
	peer_expect(p, TCP_SYN | TCP_ACK, 0, 1);
	SAY(p, .flags = TCP_ACK, .them = 1, .us = 1);
	id = peer_take(p, l);
	peer_close(p);
}

static void syn_retries_are_counted(void **state)
{
	(void)state;
	struct wire_peer *p = peer_open(NULL, false);
	sock_id id = peer_attempt(p);
	set(p, id, SOCK_SYN_RETRIES, 2);
	peer_wait(p, 6900 * NANO_MS);
	for (int i = 0; i < 3; i++) /* at 0, 1 and 3 s */
		peer_expect(p, TCP_SYN, 0, 0);
	peer_expect_nothing(p);
	assert_int_equal(sock_error(p->stack, id), ERR_OK);
	peer_wait(p, 200 * NANO_MS);
	assert_int_equal(sock_error(p->stack, id), ERR_TIMEOUT);
	peer_close(p);
}

/* MUST-24, MUST-27 */
static void keepalive_has_times_of_its_own(void **state)
{
	(void)state;
	struct wire_peer *p = peer_open(NULL, false);
	sock_id id = peer_accepted(p, NULL);
	set(p, id, SOCK_KEEP_IDLE, 10 * NANO_S);
	set(p, id, SOCK_KEEP_INTERVAL, 2 * NANO_S);
	set(p, id, SOCK_KEEP_PROBES, 2);
	set(p, id, SOCK_KEEPALIVE, true);
	peer_wait(p, 9 * NANO_S);
	peer_expect_nothing(p);
	peer_wait(p, 2 * NANO_S);
	peer_expect(p, TCP_ACK, 0, 1);
	peer_wait(p, 2 * NANO_S);
	peer_expect(p, TCP_ACK, 0, 1);
	peer_wait(p, 2 * NANO_S);
	peer_expect(p, TCP_RST | TCP_ACK, 1, 1);
	assert_int_equal(sock_error(p->stack, id), ERR_TIMEOUT);
	peer_close(p);
}

static void quick_and_delayed_acks_on_demand(void **state)
{
	(void)state;
	struct wire_peer *p = peer_open(NULL, false);
	sock_id id = peer_accepted(p, NULL);
	assert_int_equal(sock_set(p->stack, id, SOCK_QUICK_ACK, false), 0);
	SAY(p, .flags = TCP_ACK, .them = 1, .us = 1, .text = pattern, .len = 100);
	peer_expect_nothing(p);
	assert_int_equal(sock_set(p->stack, id, SOCK_QUICK_ACK, true), 0);
	peer_flush(p);
	peer_expect(p, TCP_ACK, 1, 101);
	SAY(p, .flags = TCP_ACK, .them = 101, .us = 1, .text = pattern, .len = 100);
	peer_expect(p, TCP_ACK, 1, 201);
	peer_close(p);
}

static void window_clamp_bounds_what_is_offered(void **state)
{
	(void)state;
	struct wire_peer *p = peer_open(NULL, false);
	sock_id l = listener(p), id;
	set(p, l, SOCK_WINDOW_CLAMP, 5000);
	SAY(p, .flags = TCP_SYN);
	peer_expect(p, TCP_SYN | TCP_ACK, 0, 1);
	SAY(p, .flags = TCP_ACK, .them = 1, .us = 1);
	id = peer_take(p, l);
	uint32_t them = 1;
	for (int i = 0; i < 70; i++, them += 1000) { /* what the handshake offered is used up */
		SAY(p, .flags = TCP_ACK, .them = them, .us = 1, .text = pattern, .len = 1000);
		uint8_t buf[1000];
		sock_read(p->stack, id, buf, sizeof buf);
		peer_flush(p);
	}
	while (p->taken + 1 < p->count)
		peer_next(p);
	assert_true(peer_next(p)->h.window <= 5000);
	peer_close(p);
}

/* MAY-18. Names are the posix layer's; here the choice, its inheritance, and a change on the
 * way. */
static void congestion_control_is_chosen(void **state)
{
	(void)state;
	struct wire_peer *p = peer_open(NULL, false);
	sock_id id, l = listener(p);
	struct sock_tcp_info info;
	set(p, l, SOCK_CONGESTION, CC_BBR);
	SAY(p, .flags = TCP_SYN, .options = { .has = TCP_HAS_MSS, .mss = 1000 });
	peer_expect(p, TCP_SYN | TCP_ACK, 0, 1);
	SAY(p, .flags = TCP_ACK, .them = 1, .us = 1);
	id = peer_take(p, l);
	assert_int_equal(sock_get(p->stack, id, SOCK_CONGESTION), CC_BBR);
	sock_write(p->stack, id, pattern, 2000);
	peer_flush(p);
	sock_tcp_info(p->stack, id, &info);
	assert_string_equal(info.congestion, "bbr");
	uint32_t window = info.cwnd;
	/* with data in flight, to and fro; the window stays */
	static const char *const names[] = { "cubic", "reno", "cubic", "bbr" };
	for (int64_t kind = 0; kind < CC_KINDS; kind++) {
		set(p, id, SOCK_CONGESTION, kind);
		sock_tcp_info(p->stack, id, &info);
		assert_string_equal(info.congestion, names[kind]);
		assert_int_equal(info.cwnd, window);
	}
	for (uint32_t i = 0; i < 2; i++)
		peer_expect(p, TCP_ACK, 1 + 1000 * i, 1);
	peer_wait(p, 10 * NANO_MS);
	SAY(p, .flags = TCP_ACK, .them = 1, .us = 2001);
	sock_tcp_info(p->stack, id, &info);
	assert_int_equal(info.unacked, 0);
	assert_true(info.cwnd >= window && info.cwnd <= window + 2000);
	peer_close(p);
}

static void refuses_what_is_out_of_range(void **state)
{
	(void)state;
	struct wire_peer *p = peer_open(NULL, false);
	sock_id id = peer_accepted(p, NULL);
	assert_int_equal(sock_set(p->stack, id, SOCK_KEEP_PROBES, 128), -ERR_ARGUMENT);
	assert_int_equal(sock_set(p->stack, id, SOCK_KEEP_IDLE, -1), -ERR_ARGUMENT);
	assert_int_equal(sock_set(p->stack, id, SOCK_OPTIONS, 0), -ERR_ARGUMENT);
	assert_int_equal(sock_get(p->stack, id, SOCK_OPTIONS), -ERR_ARGUMENT);
	assert_int_equal(sock_set(p->stack, id + 1, SOCK_TOS, 0), -ERR_ARGUMENT);
	sock_close(p->stack, id);
	assert_int_equal(sock_set(p->stack, id, SOCK_TOS, 0), -ERR_ARGUMENT);
	peer_close(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cork_holds_back_what_is_not_full),
		cmocka_unit_test(unsent_mark_bounds_what_waits),
		cmocka_unit_test(read_mark_makes_readable_later),
		cmocka_unit_test(segment_size_holds_both_ways),
		cmocka_unit_test(deferred_accept_waits_for_data),
		cmocka_unit_test(syn_retries_are_counted),
		cmocka_unit_test(keepalive_has_times_of_its_own),
		cmocka_unit_test(quick_and_delayed_acks_on_demand),
		cmocka_unit_test(window_clamp_bounds_what_is_offered),
		cmocka_unit_test(congestion_control_is_chosen),
		cmocka_unit_test(refuses_what_is_out_of_range),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
