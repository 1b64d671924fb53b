/*
 * TCP judged segment by segment (RFC 9293 3.10): a peer written by hand against one
 * stack in virtual time. States, resets, windows, timers: what is sent, with which
 * numbers, and when.
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

/* MUST-12: closed in order is no error. */
static void test_passive_close(void **state)
{
	(void)state;
	struct wire_peer *p = peer_open(NULL, false);
	sock_id id = peer_accepted(p, NULL);
	SAY(p, .flags = TCP_ACK | TCP_FIN, .them = 1, .us = 1);
	peer_expect(p, TCP_ACK, 1, 2);
	assert_string_equal(peer_state(p, id), "CLOSE-WAIT");
	uint8_t byte;
	assert_int_equal(sock_read(p->stack, id, &byte, 1), 0);
	peer_write(p, id, pattern, 10); /* half-closed: our side still sends */
	peer_expect(p, TCP_ACK, 1, 2);
	SAY(p, .flags = TCP_ACK, .them = 2, .us = 11);
	assert_int_equal(sock_shutdown(p->stack, id), 0);
	peer_flush(p);
	peer_expect(p, TCP_ACK | TCP_FIN, 11, 2);
	assert_string_equal(peer_state(p, id), "LAST-ACK");
	SAY(p, .flags = TCP_ACK, .them = 2, .us = 12);
	assert_string_equal(peer_state(p, id), "CLOSED");
	assert_int_equal(sock_error(p->stack, id), ERR_OK);
	peer_expect_nothing(p);
	peer_close(p);
}

/* MUST-13 */
static void test_active_close_and_time_wait(void **state)
{
	(void)state;
	struct wire_peer *p = peer_open(NULL, false);
	sock_id id = peer_connected(p, NULL);
	sock_shutdown(p->stack, id);
	peer_flush(p);
	peer_expect(p, TCP_ACK | TCP_FIN, 1, 1);
	assert_string_equal(peer_state(p, id), "FIN-WAIT-1");
	SAY(p, .flags = TCP_ACK, .them = 1, .us = 2);
	assert_string_equal(peer_state(p, id), "FIN-WAIT-2");
	SAY(p, .flags = TCP_ACK, .them = 1, .us = 2, .text = "late", .len = 4);
	uint8_t text[8];
	assert_int_equal(sock_read(p->stack, id, text, 8), 4);
	SAY(p, .flags = TCP_ACK | TCP_FIN, .them = 5, .us = 2);
	while (p->taken < p->count - 1)
		peer_next(p);
	peer_expect(p, TCP_ACK, 2, 6);
	assert_string_equal(peer_state(p, id), "TIME-WAIT");
	/* The FIN again is acknowledged again; a reset is ignored (RFC 1337). */
	SAY(p, .flags = TCP_ACK | TCP_FIN, .them = 5, .us = 2);
	peer_expect(p, TCP_ACK, 2, 6);
	SAY(p, .flags = TCP_RST, .them = 6);
	peer_expect_nothing(p);
	SAY(p, .flags = TCP_ACK | TCP_FIN, .them = 5, .us = 2);
	peer_expect(p, TCP_ACK, 2, 6);
	/* After 2 MSL it is gone: now the same segment gets a reset. */
	peer_wait(p, 61 * NANO_S);
	SAY(p, .flags = TCP_ACK | TCP_FIN, .them = 5, .us = 2);
	peer_expect(p, TCP_RST, 2, 0);
	peer_close(p);
}

/* MUST-10: SYNs cross. */
static void test_simultaneous_open(void **state)
{
	(void)state;
	struct wire_peer *p = peer_open(NULL, false);
	sock_id id = peer_connect(p);
	peer_expect(p, TCP_SYN, 0, 0);
	SAY(p, .flags = TCP_SYN);
	peer_expect(p, TCP_SYN | TCP_ACK, 0, 1);
	assert_string_equal(peer_state(p, id), "SYN-RECEIVED");
	SAY(p, .flags = TCP_ACK, .them = 1, .us = 1);
	assert_string_equal(peer_state(p, id), "ESTABLISHED");
	peer_write(p, id, pattern, 3);
	peer_expect(p, TCP_ACK, 1, 1);
	peer_close(p);
}

static void test_simultaneous_close(void **state)
{
	(void)state;
	struct wire_peer *p = peer_open(NULL, false);
	sock_id id = peer_connected(p, NULL);
	sock_shutdown(p->stack, id);
	peer_flush(p);
	peer_expect(p, TCP_ACK | TCP_FIN, 1, 1);
	SAY(p, .flags = TCP_ACK | TCP_FIN, .them = 1, .us = 1);
	peer_expect(p, TCP_ACK, 2, 2);
	assert_string_equal(peer_state(p, id), "CLOSING");
	SAY(p, .flags = TCP_ACK, .them = 2, .us = 2);
	assert_string_equal(peer_state(p, id), "TIME-WAIT");
	peer_close(p);
}

/* RFC 9293 3.10.7.1 */
static void test_reset_to_no_connection(void **state)
{
	(void)state;
	struct wire_peer *p = peer_open(NULL, false);
	p->port = 9;
	SAY(p, .flags = TCP_SYN, .them = 0);
	const struct peer_segment *s = peer_next(p);
	assert_int_equal(s->h.flags, TCP_RST | TCP_ACK);
	assert_int_equal(s->h.seq, 0);
	assert_int_equal(s->h.ack, PEER_ISS + 1);
	p->iss = 7000;
	SAY(p, .flags = TCP_ACK, .them = 5, .us = 55, .text = "x", .len = 1);
	s = peer_next(p);
	assert_int_equal(s->h.flags, TCP_RST);
	assert_int_equal(s->h.seq, 7055);
	SAY(p, .flags = TCP_RST, .them = 5);
	SAY(p, .flags = TCP_RST | TCP_ACK, .them = 5, .us = 1);
	peer_expect_nothing(p); /* never a reset to a reset */
	peer_close(p);
}

/* RFC 5961 3.2 for a half-open connection: it lives on, and says where a reset would have to be. */
static void test_reset_of_half_open_is_challenged(void **state)
{
	(void)state;
	struct wire_peer *p = peer_open(NULL, false);
	sock_id listener = peer_listen(p);
	SAY(p, .flags = TCP_SYN);
	peer_expect(p, TCP_SYN | TCP_ACK, 0, 1);
	SAY(p, .flags = TCP_RST, .them = 100);
	peer_expect(p, TCP_ACK, 1, 1);
	SAY(p, .flags = TCP_RST, .them = 200);
	peer_expect_nothing(p); /* not too often */
	SAY(p, .flags = TCP_RST, .them = 70000);
	peer_expect_nothing(p); /* outside of the window */
	SAY(p, .flags = TCP_ACK, .them = 1, .us = 1);
	peer_take(p, listener);
	peer_close(p);
}

/* All SYN-ACKs were lost, and no more go by themselves: who still asks is answered, not too often,
 * and need not wait for the end of the half-open connection. */
static void test_syn_after_the_last_try(void **state)
{
	(void)state;
	struct wire_peer *p = peer_open(NULL, false);
	sock_id listener = peer_listen(p);
	SAY(p, .flags = TCP_SYN);
	for (unsigned tries = 0; tries <= 5; tries++) {
		peer_expect(p, TCP_SYN | TCP_ACK, 0, 1);
		peer_wait(p, NANO_S << tries);
	}
	peer_expect_nothing(p);
	assert_int_equal(stack_transport(p->stack)->embryo_pool.used, 0);
	peer_close(p);
	p = peer_open(NULL, false);
	listener = peer_listen(p);
	SAY(p, .flags = TCP_SYN);
	peer_wait(p, 40 * NANO_S);
	peer_forget(p);
	for (unsigned i = 0; i < 3; i++) {
		SAY(p, .flags = TCP_SYN);
		peer_expect(p, TCP_SYN | TCP_ACK, 0, 1);
		SAY(p, .flags = TCP_SYN);
		peer_expect_nothing(p);
		peer_wait(p, 20 * NANO_S);
	}
	peer_expect_nothing(p);
	SAY(p, .flags = TCP_ACK, .them = 1, .us = 1);
	peer_take(p, listener);
	peer_close(p);
}

/* RFC 5961 3.2, 4.2: only exactly in sequence; the rest is challenged, and not too often. A
 * reset is an error to the owner: MUST-12. */
static void test_reset_and_syn_are_challenged(void **state)
{
	(void)state;
	struct wire_peer *p = peer_open(NULL, false);
	sock_id id = peer_accepted(p, NULL);
	SAY(p, .flags = TCP_RST, .them = 100);
	peer_expect(p, TCP_ACK, 1, 1);
	SAY(p, .flags = TCP_RST, .them = 200);
	peer_expect_nothing(p); /* within half a second: counted, not answered */
	peer_wait(p, NANO_S);
	SAY(p, .flags = TCP_SYN, .them = 300);
	peer_expect(p, TCP_ACK, 1, 1);
	peer_wait(p, NANO_S);
	SAY(p, .flags = TCP_SYN, .them = 4000000);
	peer_expect(p, TCP_ACK, 1, 1);
	assert_string_equal(peer_state(p, id), "ESTABLISHED");
	SAY(p, .flags = TCP_RST, .them = 1);
	assert_int_equal(sock_error(p->stack, id), ERR_RESET);
	peer_expect_nothing(p);
	peer_close(p);
}

static void test_refused(void **state)
{
	(void)state;
	struct wire_peer *p = peer_open(NULL, false);
	sock_id id = peer_connect(p);
	peer_expect(p, TCP_SYN, 0, 0);
	SAY(p, .flags = TCP_RST, .them = 0); /* without an ACK it proves nothing */
	assert_string_equal(peer_state(p, id), "SYN-SENT");
	SAY(p, .flags = TCP_ACK, .them = 0, .us = 77); /* acknowledges what was never sent */
	peer_expect(p, TCP_RST, 77, 0);
	assert_string_equal(peer_state(p, id), "SYN-SENT");
	SAY(p, .flags = TCP_RST | TCP_ACK, .them = 0, .us = 1);
	assert_int_equal(sock_error(p->stack, id), ERR_REFUSED);
	peer_close(p);
}

/* RFC 6298 5.5, MUST-19, MUST-23: SYNs at 0, 1, 3, 7, 15 ... and at least 3 minutes in all. */
static void test_syn_backoff(void **state)
{
	(void)state;
	struct wire_peer *p = peer_open(NULL, false);
	struct sock_options o = { .local_port = 5000 };
	sock_id id;
	assert_int_equal(sock_connect(p->stack, &o, &p->remote, p->peer_port, &id), 0);
	peer_flush(p);
	nanotime begin = p->now;
	peer_wait(p, 179 * NANO_S);
	static const unsigned at[] = { 0, 1, 3, 7, 15, 31, 63, 123 };
	for (unsigned i = 0; i < sizeof at / sizeof at[0]; i++)
		assert_int_equal(peer_expect(p, TCP_SYN, 0, 0)->time, begin + at[i] * NANO_S);
	assert_string_equal(peer_state(p, id), "SYN-SENT");
	peer_wait(p, 60 * NANO_S);
	assert_int_equal(sock_error(p->stack, id), ERR_TIMEOUT);
	peer_close(p);
}

/* RFC 6298, MUST-19: after RTO the first segment again, RTO doubled each time. */
static void test_retransmission_timeout(void **state)
{
	(void)state;
	struct wire_peer *p = peer_open(NULL, false);
	sock_id id = peer_accepted(p, NULL);
	peer_write(p, id, pattern, 2500);
	peer_expect(p, TCP_ACK, 1, 1);
	peer_expect(p, TCP_ACK, 1001, 1);
	peer_expect(p, TCP_ACK, 2001, 1);
	struct sock_tcp_info info;
	sock_tcp_info(p->stack, id, &info);
	nanotime sent = p->now, rto = info.rto;
	assert_true(rto >= 200 * NANO_MS);
	peer_wait(p, rto * 16);
	const struct peer_segment *s = peer_expect(p, TCP_ACK, 1, 1);
	assert_int_equal(s->time, sent + rto);
	assert_int_equal(s->len, 1000);
	s = peer_expect(p, TCP_ACK, 1, 1);
	assert_int_equal(s->time, sent + 3 * rto);
	s = peer_expect(p, TCP_ACK, 1, 1);
	assert_int_equal(s->time, sent + 7 * rto);
	SAY(p, .flags = TCP_ACK, .them = 1, .us = 1001); /* slow start from one segment */
	peer_next(p);                                    /* the fourth, at 15 */
	s = peer_expect(p, TCP_ACK, 1001, 1);
	assert_int_equal(s->why, WHY_RTO_RETRANSMIT);
	SAY(p, .flags = TCP_ACK, .them = 1, .us = 2501);
	sock_tcp_info(p->stack, id, &info);
	assert_int_equal(info.unacked, 0);
	peer_wait(p, 100 * NANO_S);
	while (peer_next(p))
		;
	peer_wait(p, 100 * NANO_S);
	peer_expect_nothing(p);
	peer_close(p);
}

static struct tcp_options sack_ok(void)
{
	return (struct tcp_options){ .has = TCP_HAS_SACK_PERMITTED };
}

static struct tcp_options sacks(uint32_t iss, uint32_t start, uint32_t end)
{
	return (struct tcp_options){
		.has = TCP_HAS_SACK, .sack_count = 1, .sack = { { iss + start, iss + end } }
	};
}

/* RFC 6675: more than two segments SACKed above a hole, and the hole goes again at once. */
static void test_fast_retransmit_with_sack(void **state)
{
	(void)state;
	struct wire_peer *p = peer_open(NULL, false);
	struct tcp_options ok = sack_ok();
	sock_id id = peer_accepted(p, &ok);
	peer_write(p, id, pattern, 6000);
	for (uint32_t i = 0; i < 6; i++)
		peer_expect(p, TCP_ACK, 1 + 1000 * i, 1);
	peer_wait(p, NANO_MS); /* below three segments there is a window for reordering */
	SAY(p, .flags = TCP_ACK, .them = 1, .us = 1, .options = sacks(p->iss, 1001, 2001));
	SAY(p, .flags = TCP_ACK, .them = 1, .us = 1, .options = sacks(p->iss, 1001, 3001));
	peer_expect_nothing(p);
	SAY(p, .flags = TCP_ACK, .them = 1, .us = 1, .options = sacks(p->iss, 1001, 4001));
	const struct peer_segment *s = peer_expect(p, TCP_ACK, 1, 1);
	assert_int_equal(s->why, WHY_FAST_RETRANSMIT);
	assert_int_equal(s->len, 1000);
	struct sock_tcp_info info;
	sock_tcp_info(p->stack, id, &info);
	assert_int_equal(info.ssthresh, 4201); /* seven tenths of 6000 in flight */
	assert_int_equal(info.fast_recoveries, 1);
	SAY(p, .flags = TCP_ACK, .them = 1, .us = 6001);
	sock_tcp_info(p->stack, id, &info);
	assert_int_equal(info.unacked, 0);
	assert_int_equal(info.retransmits, 1);
	peer_expect_nothing(p);
	peer_close(p);
}

/* RFC 6582: three duplicates; a partial ACK brings the next hole at once. */
static void test_new_reno(void **state)
{
	(void)state;
	struct wire_peer *p = peer_open(NULL, false);
	sock_id id = peer_accepted(p, NULL);
	peer_write(p, id, pattern, 8000);
	for (uint32_t i = 0; i < 8; i++)
		peer_expect(p, TCP_ACK, 1 + 1000 * i, 1);
	for (unsigned i = 0; i < 2; i++)
		SAY(p, .flags = TCP_ACK, .them = 1, .us = 1);
	peer_expect_nothing(p);
	SAY(p, .flags = TCP_ACK, .them = 1, .us = 1);
	assert_int_equal(peer_expect(p, TCP_ACK, 1, 1)->why, WHY_FAST_RETRANSMIT);
	SAY(p, .flags = TCP_ACK, .them = 1, .us = 3001); /* partial: 3001 was lost as well */
	assert_int_equal(peer_expect(p, TCP_ACK, 3001, 1)->why, WHY_FAST_RETRANSMIT);
	SAY(p, .flags = TCP_ACK, .them = 1, .us = 8001);
	peer_expect_nothing(p);
	struct sock_tcp_info info;
	sock_tcp_info(p->stack, id, &info);
	assert_int_equal(info.fast_recoveries, 1);
	assert_int_equal(info.rtos, 0);
	peer_close(p);
}

/* MUST-36, SHLD-29, SHLD-30: probes at RTO, doubling; data at once when it opens. */
static void test_zero_window(void **state)
{
	(void)state;
	struct wire_peer *p = peer_open(NULL, false);
	sock_id id = peer_accepted(p, NULL);
	SAY(p, .flags = TCP_ACK, .them = 1, .us = 1, .closed = true);
	peer_write(p, id, pattern, 500);
	peer_expect_nothing(p);
	struct sock_tcp_info info;
	sock_tcp_info(p->stack, id, &info);
	assert_string_equal(info.wait, "receiver's window is full");
	nanotime begin = p->now, rto = info.rto;
	peer_wait(p, rto * 3);
	assert_int_equal(peer_expect(p, TCP_ACK, 0, 1)->time, begin + rto);
	assert_int_equal(peer_expect(p, TCP_ACK, 0, 1)->time, begin + 3 * rto);
	SAY(p, .flags = TCP_ACK, .them = 1, .us = 1, .closed = true);
	for (unsigned i = 0; i < 60; i++) { /* MUST-37: it may stay closed while the peer answers */
		peer_wait(p, 60 * NANO_S);
		while (peer_next(p))
			;
		p->taken = p->count = 0;
		SAY(p, .flags = TCP_ACK, .them = 1, .us = 1, .closed = true);
	}
	assert_string_equal(peer_state(p, id), "ESTABLISHED");
	SAY(p, .flags = TCP_ACK, .them = 1, .us = 1, .window = 1000);
	assert_int_equal(peer_expect(p, TCP_ACK, 1, 1)->len, 500);
	peer_close(p);
}

/* Minshall's Nagle: the second small segment waits for the first one's ACK; SHLD-7, MUST-17. */
static void test_nagle(void **state)
{
	(void)state;
	struct wire_peer *p = peer_open(NULL, false);
	sock_id id = peer_accepted(p, NULL);
	peer_write(p, id, pattern, 10);
	peer_expect(p, TCP_ACK, 1, 1);
	peer_write(p, id, pattern, 10);
	peer_write(p, id, pattern, 10);
	peer_expect_nothing(p);
	struct sock_tcp_info info;
	sock_tcp_info(p->stack, id, &info);
	assert_string_equal(info.wait, "Nagle: a small segment is unacknowledged");
	SAY(p, .flags = TCP_ACK, .them = 1, .us = 11);
	assert_int_equal(peer_expect(p, TCP_ACK, 11, 1)->len, 20);
	sock_set_nodelay(p->stack, id, true);
	peer_write(p, id, pattern, 5);
	assert_int_equal(peer_expect(p, TCP_ACK, 31, 1)->len, 5);
	peer_close(p);
}

/* SHLD-18, SHLD-19, MUST-40, once the flow's first segments were acknowledged at once. */
static void test_delayed_ack(void **state)
{
	(void)state;
	struct wire_peer *p = peer_open(NULL, false);
	sock_id id = peer_accepted(p, NULL);
	uint32_t them = 1;
	uint8_t text[1000] = { 0 };
	for (unsigned i = 0; i < 20; i++, them += 1000)
		SAY(p, .flags = TCP_ACK, .them = them, .us = 1, .text = text, .len = 1000);
	while (peer_next(p))
		;
	nanotime before = p->now;
	SAY(p, .flags = TCP_ACK, .them = them, .us = 1, .text = text, .len = 1000);
	SAY(p, .flags = TCP_ACK, .them = them + 1000, .us = 1, .text = text, .len = 1000);
	const struct peer_segment *s = peer_expect(p, TCP_ACK, 1, them + 2000);
	assert_int_equal(s->time, before); /* every second full segment */
	them += 2000;
	SAY(p, .flags = TCP_ACK, .them = them, .us = 1, .text = text, .len = 10);
	peer_expect_nothing(p);
	peer_wait(p, NANO_S);
	s = peer_expect(p, TCP_ACK, 1, them + 10);
	assert_int_equal(s->time, before + 40 * NANO_MS);
	assert_int_equal(s->why, WHY_ACK_DELAYED);
	assert_int_equal(sock_readable(p->stack, id), them + 10 - 1);
	peer_close(p);
}

/* RFC 7323 5.3 */
static void test_paws(void **state)
{
	(void)state;
	struct stack_config c;
	peer_config(&c);
	c.transport.timestamps = true;
	struct wire_peer *p = peer_open(&c, false);
	struct tcp_options o = { .has = TCP_HAS_TIMESTAMPS, .tsval = 5000 };
	sock_id id = peer_accepted(p, &o);
	SAY(p, .flags = TCP_ACK, .them = 1, .us = 1, .text = "new", .len = 3,
		.options = { .has = TCP_HAS_TIMESTAMPS, .tsval = 5001 });
	const struct peer_segment *s = peer_expect(p, TCP_ACK, 1, 4);
	assert_int_equal(s->h.options.tsecr, 5001);
	SAY(p, .flags = TCP_ACK, .them = 4, .us = 1, .text = "old", .len = 3,
		.options = { .has = TCP_HAS_TIMESTAMPS, .tsval = 4999 });
	peer_expect(p, TCP_ACK, 1, 4);
	assert_int_equal(sock_readable(p->stack, id), 3);
	assert_int_equal(stack_counters(p->stack)->drop[DROP_TCP_PAWS], 1);
	peer_close(p);
}

/* RFC 2018 4, SHLD-31, MAY-13, TCP-56, TCP-58: holes, SACK blocks, first byte wins, FIN waits
 * for its place. */
static void test_out_of_order(void **state)
{
	(void)state;
	struct wire_peer *p = peer_open(NULL, false);
	struct tcp_options ok = sack_ok();
	sock_id id = peer_accepted(p, &ok);
	SAY(p, .flags = TCP_ACK, .them = 11, .us = 1, .text = "CCCCC", .len = 5);
	const struct peer_segment *s = peer_expect(p, TCP_ACK, 1, 1);
	assert_int_equal(s->h.options.sack_count, 1);
	assert_int_equal(s->h.options.sack[0].start, PEER_ISS + 11);
	assert_int_equal(s->h.options.sack[0].end, PEER_ISS + 16);
	SAY(p, .flags = TCP_ACK | TCP_FIN, .them = 21, .us = 1, .text = "EEEEE", .len = 5);
	s = peer_expect(p, TCP_ACK, 1, 1);
	assert_int_equal(s->h.options.sack_count, 2);
	assert_int_equal(s->h.options.sack[0].start, PEER_ISS + 21); /* the newest first */
	SAY(p, .flags = TCP_ACK, .them = 6, .us = 1, .text = "bbbbbxxxxxdddddxxxxx", .len = 20);
	peer_expect(p, TCP_ACK, 1, 1);
	SAY(p, .flags = TCP_ACK, .them = 26, .us = 1, .text = "beyond FIN", .len = 10);
	assert_int_equal(stack_counters(p->stack)->drop[DROP_TCP_AFTER_FIN], 1);
	while (peer_next(p))
		;
	assert_int_equal(sock_readable(p->stack, id), 0);
	SAY(p, .flags = TCP_ACK, .them = 1, .us = 1, .text = "aaaaa", .len = 5);
	peer_expect(p, TCP_ACK, 1, 27);
	char text[40];
	assert_int_equal(sock_read(p->stack, id, text, sizeof text), 25);
	assert_memory_equal(text, "aaaaabbbbbCCCCCdddddEEEEE", 25);
	assert_int_equal(sock_read(p->stack, id, text, sizeof text), 0);
	assert_string_equal(peer_state(p, id), "CLOSE-WAIT");
	peer_close(p);
}

/* MUST-3: nothing of a segment with a wrong checksum acts, not its ACK, not its text, not its
 * RST. */
static void test_bad_checksum(void **state)
{
	(void)state;
	struct wire_peer *p = peer_open(NULL, false);
	sock_id id = peer_accepted(p, NULL);
	peer_write(p, id, pattern, 100);
	peer_expect(p, TCP_ACK, 1, 1);
	SAY(p, .flags = TCP_ACK, .them = 1, .us = 101, .text = "evil", .len = 4,
		.bad_checksum = true);
	SAY(p, .flags = TCP_RST, .them = 1, .bad_checksum = true);
	SAY(p, .flags = TCP_ACK | TCP_FIN, .them = 1, .us = 101, .bad_checksum = true);
	peer_expect_nothing(p);
	assert_int_equal(stack_counters(p->stack)->drop[DROP_TCP_CHECKSUM], 3);
	struct sock_tcp_info info;
	sock_tcp_info(p->stack, id, &info);
	assert_int_equal(info.unacked, 100);
	assert_int_equal(info.unread, 0);
	SAY(p, .flags = TCP_ACK, .them = 1, .us = 101, .text = "good", .len = 4);
	char text[8];
	assert_int_equal(sock_read(p->stack, id, text, 8), 4);
	assert_memory_equal(text, "good", 4);
	peer_close(p);
}

/* MUST-39: the window opens by at least a segment; and its right edge never moves left
 * (SHLD-14). */
static void test_receive_window(void **state)
{
	(void)state;
	struct stack_config c;
	peer_config(&c);
	c.transport.receive_buffer = 4000;
	struct wire_peer *p = peer_open(&c, false);
	sock_id id = peer_accepted(p, NULL);
	uint8_t text[1000] = { 0 };
	uint32_t edge = 0;
	for (uint32_t i = 0; i < 4; i++) {
		SAY(p, .flags = TCP_ACK, .them = 1 + 1000 * i, .us = 1, .text = text, .len = 1000);
		const struct peer_segment *s;
		while ((s = peer_next(p))) {
			assert_true(s->h.ack + s->h.window >= edge);
			edge = s->h.ack + s->h.window;
		}
	}
	peer_wait(p, NANO_S);
	while (peer_next(p))
		;
	assert_int_equal(edge, PEER_ISS + 4001);                                /* closed */
	SAY(p, .flags = TCP_ACK, .them = 4001, .us = 1, .text = "p", .len = 1); /* a probe */
	const struct peer_segment *s = peer_expect(p, TCP_ACK, 1, 4001);
	assert_int_equal(s->h.window, 0);
	assert_int_equal(sock_read(p->stack, id, text, 10), 10);
	peer_flush(p);
	peer_expect_nothing(p); /* ten bytes are no window */
	assert_int_equal(sock_read(p->stack, id, text, 1000), 1000);
	peer_flush(p);
	s = peer_expect(p, TCP_ACK, 1, 4001);
	assert_in_range(s->h.window, 1000, 1010);
	assert_int_equal(s->why, WHY_ACK_WINDOW);
	peer_close(p);
}

/* MAY-5, MUST-25, MUST-28, MUST-29, SHLD-12 */
static void test_keepalive(void **state)
{
	(void)state;
	struct wire_peer *p = peer_open(NULL, false);
	sock_id id = peer_accepted(p, NULL);
	peer_wait(p, 3 * 7200 * NANO_S);
	peer_expect_nothing(p); /* off unless asked for */
	SAY(p, .flags = TCP_ACK, .them = 1, .us = 1);
	sock_set_keepalive(p->stack, id, true);
	nanotime begin = p->now;
	peer_wait(p, 7200 * NANO_S + NANO_S);
	const struct peer_segment *s = peer_expect(p, TCP_ACK, 0, 1);
	assert_in_range(s->time, begin + 7200 * NANO_S, begin + 7200 * NANO_S + NANO_S);
	assert_int_equal(s->len, 0);
	SAY(p, .flags = TCP_ACK, .them = 1, .us = 1); /* alive */
	peer_wait(p, 7000 * NANO_S);
	peer_expect_nothing(p);
	peer_wait(p, 300 * NANO_S + 9 * 75 * NANO_S + NANO_S); /* dead: nine probes, then RST */
	unsigned probes = 0;
	while ((s = peer_next(p)) && !(s->h.flags & TCP_RST))
		probes++;
	assert_int_equal(probes, 9);
	assert_non_null(s);
	assert_int_equal(sock_error(p->stack, id), ERR_TIMEOUT);
	peer_close(p);
}

/* MUST-14, MUST-15, MUST-16, TCP-13: the peer's MSS is obeyed, without one 536 is; absurd ones are
 * held to the floor and to what the link takes. */
static void test_send_mss(void **state)
{
	(void)state;
	static const struct {
		uint16_t option;
		bool v6;
		uint32_t want;
	} cases[] = { { 1000, false, 1000 }, { 65535, false, 1460 }, { 65535, true, 1440 },
		{ 1, false, 64 }, { 0, false, 536 }, { 0, true, 1220 } };
	for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct wire_peer *p = peer_open(NULL, cases[i].v6);
		struct tcp_options o = { .has = TCP_HAS_MSS, .mss = cases[i].option };
		sock_id id = peer_accepted(p, &o);
		peer_write(p, id, pattern, 3000);
		assert_int_equal(peer_next(p)->len, cases[i].want);
		peer_close(p);
	}
}

/* MAY-1, SHLD-3, RFC 2525 2.17: unread data, and data after close, are answered with a reset,
 * once. */
static void test_close_with_unread_data(void **state)
{
	(void)state;
	struct wire_peer *p = peer_open(NULL, false);
	sock_id id = peer_accepted(p, NULL);
	SAY(p, .flags = TCP_ACK, .them = 1, .us = 1, .text = "unread", .len = 6);
	peer_expect(p, TCP_ACK, 1, 7);
	sock_close(p->stack, id);
	peer_flush(p);
	peer_expect(p, TCP_RST | TCP_ACK, 1, 7);
	assert_int_equal(sock_unfinished(p->stack), 0);
	peer_close(p);

	p = peer_open(NULL, false);
	id = peer_accepted(p, NULL);
	sock_close(p->stack, id);
	peer_flush(p);
	peer_expect(p, TCP_ACK | TCP_FIN, 1, 1);
	SAY(p, .flags = TCP_ACK, .them = 1, .us = 2, .text = "more", .len = 4);
	assert_int_equal(peer_next(p)->h.flags & TCP_RST, TCP_RST);
	assert_int_equal(sock_unfinished(p->stack), 0);
	peer_close(p);
}

/* RFC 5961 5, MAY-12, TCP-25, TCP-73 */
static void test_ack_of_unsent(void **state)
{
	(void)state;
	struct wire_peer *p = peer_open(NULL, false);
	sock_id id = peer_accepted(p, NULL);
	SAY(p, .flags = TCP_ACK, .them = 1, .us = 5000);
	peer_expect(p, TCP_ACK, 1, 1);
	assert_int_equal(stack_counters(p->stack)->drop[DROP_TCP_ACK_UNSENT], 1);
	peer_write(p, id, pattern, 100);
	peer_expect(p, TCP_ACK, 1, 1);
	SAY(p, .flags = TCP_ACK, .them = 1, .us = 101);
	SAY(p, .flags = TCP_ACK, .them = 1, .us = (uint32_t)-50000, .text = "ghost", .len = 5);
	assert_int_equal(sock_readable(p->stack, id), 0);
	assert_int_equal(stack_counters(p->stack)->drop[DROP_TCP_ACK_OLD], 1);
	peer_close(p);
}

/* TCP-01, TCP-05: an urgent pointer is never a length. */
static void test_urgent_pointer(void **state)
{
	(void)state;
	static const uint16_t pointers[] = { 0, 1, 4, 5, 65535 };
	for (unsigned i = 0; i < sizeof pointers / sizeof pointers[0]; i++) {
		struct wire_peer *p = peer_open(NULL, false);
		sock_id id = peer_accepted(p, NULL);
		SAY(p, .flags = TCP_ACK | TCP_URG, .them = 1, .us = 1, .text = "data", .len = 4,
			.urgent = pointers[i]);
		char text[8];
		assert_int_equal(sock_read(p->stack, id, text, 8), 4);
		assert_memory_equal(text, "data", 4);
		peer_close(p);
	}
}

/* TCP-40: no SYN+FIN opens anything; no null or Christmas segment is answered with anything but
 * RST. */
static void test_odd_flags(void **state)
{
	(void)state;
	struct wire_peer *p = peer_open(NULL, false);
	struct sock_options o = { .local_port = 80 };
	sock_id listener;
	p->port = 80;
	assert_int_equal(sock_listen(p->stack, &o, &listener), 0);
	for (uint16_t flags = 0; flags < 256; flags++) {
		if ((flags & (TCP_SYN | TCP_ACK | TCP_RST | TCP_FIN)) == TCP_SYN)
			continue;
		SAY(p, .flags = flags, .them = 0, .us = 1);
		const struct peer_segment *s = peer_next(p);
		if (s)
			assert_int_equal(s->h.flags & TCP_RST, TCP_RST);
		p->taken = p->count = 0;
	}
	assert_int_equal(sock_poll(p->stack, listener), 0);
	assert_int_equal(stack_transport(p->stack) != NULL, 1);
	peer_close(p);
}

/* R2: MUST-20. The user timeout ends it, with a reset to the peer and an error to the owner. */
static void test_user_timeout(void **state)
{
	(void)state;
	struct stack_config c;
	peer_config(&c);
	c.transport.user_timeout = 30 * NANO_S;
	struct wire_peer *p = peer_open(&c, false);
	sock_id id = peer_accepted(p, NULL);
	peer_write(p, id, pattern, 10);
	peer_wait(p, 29 * NANO_S);
	assert_string_equal(peer_state(p, id), "ESTABLISHED");
	peer_wait(p, 60 * NANO_S);
	assert_int_equal(sock_error(p->stack, id), ERR_TIMEOUT);
	const struct peer_segment *s, *last = NULL;
	while ((s = peer_next(p)))
		last = s;
	assert_int_equal(last->h.flags & TCP_RST, TCP_RST);
	sock_close(p->stack, id);
	peer_flush(p);
	assert_int_equal(sock_unfinished(p->stack), 0);
	assert_true(stack_next_deadline(p->stack) == NANOTIME_NEVER ||
		stack_next_deadline(p->stack) > p->now);
	peer_close(p);
}

/* An idle connection costs no CPU: after its flight went back there is no deadline at all. */
static void test_idle_is_never(void **state)
{
	(void)state;
	struct wire_peer *p = peer_open(NULL, false);
	sock_id id = peer_accepted(p, NULL);
	peer_write(p, id, pattern, 10);
	SAY(p, .flags = TCP_ACK, .them = 1, .us = 11);
	peer_wait(p, 60 * NANO_S);
	assert_true(stack_next_deadline(p->stack) == NANOTIME_NEVER);
	peer_write(p, id, pattern, 10); /* and it still works */
	while (p->taken < p->count - 1)
		peer_next(p);
	peer_expect(p, TCP_ACK, 11, 1);
	peer_close(p);
}

/* MUST-8, SHLD-1: the ISN moves with the clock and differs for each tuple; MUST-9: and by a
 * secret. */
static void test_initial_sequence_numbers(void **state)
{
	(void)state;
	struct wire_peer *p = peer_open(NULL, false);
	uint32_t seen[64];
	for (unsigned i = 0; i < 64; i++) {
		struct sock_options o = { .local_port = 5000 };
		sock_id id;
		assert_int_equal(
			sock_connect(p->stack, &o, &p->remote, (uint16_t)(1000 + i), &id), 0);
		peer_flush(p);
		peer_next(p);
		seen[i] = p->iss;
		for (unsigned k = 0; k < i; k++)
			assert_true(
				(seen[k] > seen[i] ? seen[k] - seen[i] : seen[i] - seen[k]) > 1000);
		sock_close(p->stack, id);
	}
	struct sock_options o = { .local_port = 5000 };
	sock_id id;
	peer_wait(p, 4 * NANO_S);
	assert_int_equal(sock_connect(p->stack, &o, &p->remote, 1000, &id), 0);
	peer_flush(p);
	assert_int_equal(p->iss - seen[0], 1000000); /* one each 4 us */
	peer_close(p);
	struct stack_config c;
	peer_config(&c);
	c.secret[23] ^= 1;
	p = peer_open(&c, false);
	assert_int_equal(sock_connect(p->stack, &o, &p->remote, 1000, &id), 0);
	peer_flush(p);
	assert_true(p->iss - seen[0] + 1000 > 2000); /* another secret, another offset */
	peer_close(p);
}

/* TCP-70: every call in every state is defined. */
static void test_tcp_70_every_call_in_every_state(void **state)
{
	(void)state;
	for (unsigned stage = 0; stage < 9; stage++) {
		for (unsigned call = 0; call < 12; call++) {
			struct wire_peer *p = peer_open(NULL, false);
			sock_id id;
			struct sock_options o = { .local_port = 5000 };
			if (stage == 0) {
				p->port = 5000;
				sock_connect(p->stack, &o, &p->remote, p->peer_port, &id);
			} else if (stage == 1) {
				sock_listen(p->stack, &o, &id);
			} else {
				id = peer_accepted(p, NULL);
			}
			if (stage == 3 || stage == 8)
				SAY(p, .flags = TCP_ACK | TCP_FIN, .them = 1, .us = 1);
			if (stage >= 4)
				sock_shutdown(p->stack, id);
			peer_flush(p);
			if (stage == 5 || stage == 6)
				SAY(p, .flags = TCP_ACK, .them = 1, .us = 2);
			if (stage == 6)
				SAY(p, .flags = TCP_ACK | TCP_FIN, .them = 1, .us = 2);
			if (stage == 7)
				SAY(p, .flags = TCP_RST, .them = 1);
			uint8_t byte = 0;
			size_t got;
			struct span span;
			struct sock_tcp_info info;
			for (unsigned again = 0; again < 2; again++) {
				switch ((call + again) % 12) {
				case 0: sock_read(p->stack, id, &byte, 1); break;
				case 1: sock_write(p->stack, id, &byte, 1); break;
				case 2: sock_peek(p->stack, id, &span, 1); break;
				case 3: sock_consume(p->stack, id, 1); break;
				case 4: sock_reserve(p->stack, id, 1, &got); break;
				case 5: sock_commit(p->stack, id, 1); break;
				case 6: sock_shutdown(p->stack, id); break;
				case 7: sock_close(p->stack, id); break;
				case 8: sock_abort(p->stack, id); break;
				case 9: sock_tcp_info(p->stack, id, &info); break;
				case 10: sock_poll(p->stack, id); break;
				case 11: sock_accept(p->stack, id, NULL, NULL, &id, NULL); break;
				}
				peer_flush(p);
			}
			sock_close(p->stack, id);
			peer_wait(p, 2000 * NANO_S); /* longer than the user timeout */
			assert_int_equal(sock_unfinished(p->stack), 0);
			peer_close(p);
		}
	}
}

int main(void)
{
	for (unsigned i = 0; i < sizeof pattern; i++)
		pattern[i] = (uint8_t)(i * 31);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_passive_close),
		cmocka_unit_test(test_active_close_and_time_wait),
		cmocka_unit_test(test_simultaneous_open),
		cmocka_unit_test(test_simultaneous_close),
		cmocka_unit_test(test_reset_to_no_connection),
		cmocka_unit_test(test_reset_of_half_open_is_challenged),
		cmocka_unit_test(test_syn_after_the_last_try),
		cmocka_unit_test(test_reset_and_syn_are_challenged),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_syn_backoff),
		cmocka_unit_test(test_retransmission_timeout),
		cmocka_unit_test(test_fast_retransmit_with_sack),
		cmocka_unit_test(test_new_reno),
		cmocka_unit_test(test_zero_window),
		cmocka_unit_test(test_nagle),
		cmocka_unit_test(test_delayed_ack),
		cmocka_unit_test(test_paws),
		cmocka_unit_test(test_out_of_order),
		cmocka_unit_test(test_bad_checksum),
		cmocka_unit_test(test_receive_window),
		cmocka_unit_test(test_keepalive),
		cmocka_unit_test(test_send_mss),
		cmocka_unit_test(test_close_with_unread_data),
		cmocka_unit_test(test_ack_of_unsent),
		cmocka_unit_test(test_urgent_pointer),
		cmocka_unit_test(test_odd_flags),
		cmocka_unit_test(test_user_timeout),
		cmocka_unit_test(test_idle_is_never),
		cmocka_unit_test(test_initial_sequence_numbers),
		cmocka_unit_test(test_tcp_70_every_call_in_every_state),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
