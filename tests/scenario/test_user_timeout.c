/*
 * The user timeout option (RFC 5482): who tells it and when, what is made of it, and from whom it
 * is believed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "support/wire_peer.h"
#include "transport/endpoints.h"

#define MINUTES 0x8000

static struct tcp_options told(uint16_t value)
{
	return (struct tcp_options){ .has = TCP_HAS_USER_TIMEOUT, .user_timeout = value };
}

/* An accepted connection that advertises so much; what it sent so far is forgotten. */
static sock_id accepted(struct wire_peer *p, int64_t advertised)
{
	sock_id listener = peer_listen(p);
	assert_int_equal(sock_set(p->stack, listener, SOCK_ADVERTISED_TIMEOUT, advertised), 0);
	SAY(p, .flags = TCP_SYN);
	peer_expect(p, TCP_SYN | TCP_ACK, 0, 1);
	SAY(p, .flags = TCP_ACK, .them = 1, .us = 1);
	sock_id id = peer_take(p, listener);
	peer_flush(p);
	return id;
}

static nanodiff waits(struct wire_peer *p, sock_id id)
{
	return peer_info(p, id).user_timeout / NANO_S;
}

static void expect_told(struct wire_peer *p, uint32_t us, uint16_t value)
{
	const struct peer_segment *s = peer_expect(p, TCP_ACK, us, 1);
	assert_int_equal(s->len, 0);
	assert_int_equal(s->why, WHY_USER_TIMEOUT);
	assert_int_equal(s->h.options.has, TCP_HAS_USER_TIMEOUT);
	assert_int_equal(s->h.options.user_timeout, value);
}

/* Off by default: nothing is told, and nothing believed. */
static void test_off(void **state)
{
	(void)state;
	struct wire_peer *p = peer_open(NULL, false);
	sock_id id = accepted(p, 0);
	SAY(p, .flags = TCP_ACK, .them = 1, .us = 1, .options = told(500));
	peer_expect_nothing(p);
	assert_int_equal(waits(p, id), 900);
	assert_int_equal(peer_info(p, id).peer_timeout, 0);
	peer_close(p);
}

/* 3.1: min(U_LIMIT, max(ADV_UTO, REMOTE_UTO, L_LIMIT)). */
static void test_adapts(void **state)
{
	static const struct {
		int64_t own;
		uint16_t peer;
		nanodiff waits;
	} cases[] = { { 300, 600, 600 }, { 300, 200, 300 }, { 10, 20, 100 }, { 10, 20000, 3600 },
		{ 10, MINUTES | 30, 1800 }, { 300, 0, 900 }, { 300, MINUTES, 900 } };
	(void)state;
	for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct wire_peer *p = peer_open(NULL, i & 1);
		sock_id id = accepted(p, cases[i].own * NANO_S);
		expect_told(p, 1, (uint16_t)cases[i].own);
		assert_int_equal(waits(p, id), 900);
		SAY(p, .flags = TCP_ACK, .them = 1, .us = 1, .options = told(cases[i].peer));
		assert_int_equal(waits(p, id), cases[i].waits);
		peer_expect_nothing(p);
		/* It stays, however long nothing happens. */
		peer_wait(p, 600 * NANO_S);
		assert_int_equal(waits(p, id), cases[i].waits);
		peer_close(p);
	}
}

/* The handshake's ACK brings it, before anybody has accepted the connection. */
static void test_before_accept(void **state)
{
	(void)state;
	struct wire_peer *p = peer_open(NULL, false);
	sock_id listener = peer_listen(p);
	assert_int_equal(sock_set(p->stack, listener, SOCK_ADVERTISED_TIMEOUT, 120 * NANO_S), 0);
	SAY(p, .flags = TCP_SYN, .options = told(7000));
	peer_expect(p, TCP_SYN | TCP_ACK, 0, 1);
	SAY(p, .flags = TCP_ACK, .them = 1, .us = 1, .options = told(400));
	sock_id id = peer_take(p, listener);
	assert_int_equal(waits(p, id), 400);
	peer_flush(p);
	expect_told(p, 1, 120);
	peer_close(p);
}

/* In the SYN, and again in the first segment after it (3.2). */
static void test_active(void **state)
{
	(void)state;
	struct wire_peer *p = peer_open(NULL, false);
	sock_id id = peer_attempt(p);
	assert_int_equal(sock_set(p->stack, id, SOCK_ADVERTISED_TIMEOUT, 250 * NANO_S), 0);
	peer_flush(p);
	const struct peer_segment *s = peer_expect(p, TCP_SYN, 0, 0);
	assert_true(s->h.options.has & TCP_HAS_USER_TIMEOUT);
	assert_int_equal(s->h.options.user_timeout, 250);
	SAY(p, .flags = TCP_SYN | TCP_ACK, .us = 1, .options = told(500));
	expect_told(p, 1, 250);
	peer_expect_nothing(p);
	assert_int_equal(waits(p, id), 500);
	peer_close(p);
}

/* An owner that has decided is not changed, but tells (CHANGEABLE). */
static void test_decided(void **state)
{
	(void)state;
	struct wire_peer *p = peer_open(NULL, false);
	sock_id id = accepted(p, 300 * NANO_S);
	expect_told(p, 1, 300);
	assert_int_equal(sock_set(p->stack, id, SOCK_USER_TIMEOUT, 30 * NANO_S), 0);
	SAY(p, .flags = TCP_ACK, .them = 1, .us = 1, .options = told(600));
	assert_int_equal(waits(p, id), 30);
	assert_int_equal(sock_set(p->stack, id, SOCK_USER_TIMEOUT, 0), 0);
	assert_int_equal(waits(p, id), 600);
	/* nor one that does not take part any more */
	assert_int_equal(sock_set(p->stack, id, SOCK_ADVERTISED_TIMEOUT, 0), 0);
	peer_flush(p);
	peer_expect_nothing(p);
	assert_int_equal(waits(p, id), 900);
	peer_close(p);
}

/* Each new value is told once; many seconds are minutes. Data does not carry it. */
static void test_told_again(void **state)
{
	(void)state;
	struct wire_peer *p = peer_open(NULL, false);
	sock_id id = accepted(p, 300 * NANO_S);
	expect_told(p, 1, 300);
	assert_int_equal(sock_write(p->stack, id, "abc", 3), 3);
	assert_int_equal(sock_set(p->stack, id, SOCK_ADVERTISED_TIMEOUT, 40000 * NANO_S), 0);
	peer_flush(p);
	expect_told(p, 1, MINUTES | 667);
	const struct peer_segment *s = peer_expect(p, TCP_ACK, 1, 1);
	assert_int_equal(s->len, 3);
	assert_int_equal(s->h.options.has, 0);
	SAY(p, .flags = TCP_ACK, .them = 1, .us = 4);
	assert_int_equal(sock_set(p->stack, id, SOCK_ADVERTISED_TIMEOUT, NANO_S / 2), 0);
	peer_flush(p);
	expect_told(p, 4, 1);
	peer_expect_nothing(p);
	peer_close(p);
}

/* Who changes its mind before anything was sent, or goes, tells nothing: zero is no value (3). */
static void test_not_told(void **state)
{
	(void)state;
	for (unsigned gone = 0; gone < 2; gone++) {
		struct wire_peer *p = peer_open(NULL, false);
		sock_id id = peer_accepted(p, NULL);
		peer_forget(p);
		assert_int_equal(
			sock_set(p->stack, id, SOCK_ADVERTISED_TIMEOUT, 300 * NANO_S), 0);
		if (gone)
			assert_int_equal(sock_close(p->stack, id), 0);
		else
			assert_int_equal(sock_set(p->stack, id, SOCK_ADVERTISED_TIMEOUT, 0), 0);
		peer_flush(p);
		if (gone)
			assert_int_equal(peer_expect(p, TCP_ACK | TCP_FIN, 1, 1)->h.options.has, 0);
		peer_expect_nothing(p);
		peer_close(p);
	}
}

/* While data is missing, the SACK blocks go first (RFC 2018 4). */
static void test_waits_for_sack(void **state)
{
	(void)state;
	struct wire_peer *p = peer_open(NULL, false);
	static const struct tcp_options sack = { .has = TCP_HAS_SACK_PERMITTED };
	sock_id id = peer_accepted(p, &sack);
	peer_forget(p);
	SAY(p, .flags = TCP_ACK, .them = 3, .us = 1, .text = "cd", .len = 2);
	peer_expect(p, TCP_ACK, 1, 1);
	assert_int_equal(sock_set(p->stack, id, SOCK_ADVERTISED_TIMEOUT, 300 * NANO_S), 0);
	peer_flush(p);
	peer_expect_nothing(p);
	SAY(p, .flags = TCP_ACK, .them = 1, .us = 1, .text = "ab", .len = 2);
	const struct peer_segment *s = peer_expect(p, TCP_ACK, 1, 5);
	assert_int_equal(s->h.options.user_timeout, 300);
	peer_expect_nothing(p);
	peer_close(p);
}

/* What is not acceptable says nothing: its sender need not be the peer. */
static void test_not_believed(void **state)
{
	(void)state;
	struct wire_peer *p = peer_open(NULL, false);
	sock_id id = accepted(p, 300 * NANO_S);
	SAY(p, .flags = TCP_ACK, .them = 0x40000000, .us = 1, .options = told(600));
	SAY(p, .flags = TCP_ACK, .them = 1, .us = 100000, .options = told(600));
	SAY(p, .flags = TCP_SYN, .them = 1, .options = told(600));
	SAY(p, .flags = TCP_RST, .them = 2, .options = told(600));
	SAY(p, .flags = TCP_ACK, .them = 1, .us = 1, .options = told(600), .bad_checksum = true);
	assert_int_equal(peer_info(p, id).peer_timeout, 0);
	assert_int_equal(waits(p, id), 900);
	peer_close(p);
}

/* It is kept: data that nobody acknowledges is given up then, also when the option came while the
 * time was running. */
static void test_gives_up(void **state)
{
	(void)state;
	for (unsigned late = 0; late < 2; late++) {
		struct wire_peer *p = peer_open(NULL, false);
		sock_id id = accepted(p, 100 * NANO_S);
		if (!late)
			SAY(p, .flags = TCP_ACK, .them = 1, .us = 1, .options = told(200));
		peer_write(p, id, "abc", 3);
		peer_wait(p, 20 * NANO_S);
		if (late)
			SAY(p, .flags = TCP_ACK, .them = 1, .us = 1, .options = told(200));
		peer_wait(p, 170 * NANO_S);
		assert_int_equal(sock_error(p->stack, id), ERR_OK);
		peer_wait(p, 120 * NANO_S); /* the RTO that notices it may be late */
		assert_int_equal(sock_error(p->stack, id), ERR_TIMEOUT);
		peer_close(p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_off),
		cmocka_unit_test(test_adapts),
		cmocka_unit_test(test_before_accept),
		cmocka_unit_test(test_active),
		cmocka_unit_test(test_decided),
		cmocka_unit_test(test_told_again),
		cmocka_unit_test(test_not_told),
		cmocka_unit_test(test_waits_for_sack),
		cmocka_unit_test(test_not_believed),
		cmocka_unit_test(test_gives_up),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
