/*
 * Accurate ECN feedback (RFC 9768), segment by segment: the tables of its handshake, its
 * counters where they go round, its option where there is little room, and paths that
 * meddle with any of it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "support/wire_peer.h"
#include "transport/endpoints.h"

#define ACE(n) ((n) << 6)
#define SETUP  (TCP_SYN | ACE(7))
#define ROUND  (30 * NANO_MS)

static uint8_t pattern[65536];

/* A peer that asks, and whose handshake's ACK has this ACE field. */
static sock_id agreed(struct wire_peer *p, struct tcp_options o, unsigned ace)
{
	sock_id id = peer_accepted_as(
		p, SETUP, TCP_SYN | TCP_ACK | ACE(2), (uint16_t)(TCP_ACK | ACE(ace)), &o);
	assert_true(peer_info(p, id).ecn && peer_info(p, id).ecn_accurate);
	return id;
}

static bool marks(struct wire_peer *p, sock_id id, unsigned ace)
{
	peer_write(p, id, pattern, 100);
	const struct peer_segment *s = peer_expect(p, (uint16_t)(TCP_ACK | ACE(ace)), 1, 1);
	assert_true(s->tos == 0 || s->tos == IP_ECT0);
	return s->tos == IP_ECT0;
}

/* ---- table 2 ---- */

static void test_syn_ack_tells_of_the_syn(void **state)
{
	(void)state;
	static const unsigned ace[4] = { 2, 3, 4, 6 };
	/* reserved requests are as the known one: 3.1.3 */
	static const unsigned asks[] = { 7, 1, 2, 4, 5, 6 };
	for (unsigned i = 0; i < 4 * 6 * 2; i++) {
		struct wire_peer *p = peer_open_ecn(ECN_USE_ACCURATE_ACCEPT, i & 1);
		unsigned mark = i / 2 % 4;
		peer_listen(p);
		SAY(p, .flags = (uint16_t)(TCP_SYN | ACE(asks[i / 8])), .options = PEER_MSS,
			.tos = (uint8_t)mark);
		const struct peer_segment *s = peer_expect(
			p, (uint16_t)(TCP_SYN | TCP_ACK | ACE(ace[mark])), 0, 1);
		assert_int_equal(s->tos, 0);
		assert_true(s->h.options.has & TCP_HAS_ACCECN);
		assert_int_equal(s->h.options.accecn_count, 3);
		peer_close(p);
	}
}

/* A half-open connection that is challenged has counted nothing, which is not zero: 3.2.2.4. */
static void test_challenge_of_half_open(void **state)
{
	(void)state;
	for (unsigned use = 0; use < ECN_USES; use++) {
		struct wire_peer *p = peer_open_ecn(use, false);
		peer_listen(p);
		SAY(p, .flags = SETUP, .options = PEER_MSS);
		bool accurate = use >= ECN_USE_ACCURATE;
		peer_forget(p);
		SAY(p, .flags = TCP_RST, .them = 100);
		peer_expect(p, (uint16_t)(TCP_ACK | (accurate ? ACE(5) : 0)), 1, 1);
		peer_close(p);
	}
}

static void test_who_asks_for_what(void **state)
{
	(void)state;
	static const struct {
		unsigned use;
		unsigned asks, gets, syn;
	} row[] = {
		{ ECN_USE_OFF, 7, 0, 0 },
		{ ECN_USE_ASK, 7, 1, 3 }, /* table 2: as RFC 3168's request */
		{ ECN_USE_ACCEPT, 7, 1, 0 },
		{ ECN_USE_ACCEPT, 3, 1, 0 },
		{ ECN_USE_ACCURATE, 7, 2, 7 },
		{ ECN_USE_ACCURATE, 3, 1, 7 },
		{ ECN_USE_ACCURATE, 0, 0, 7 },
		{ ECN_USE_ACCURATE_ASK, 7, 2, 3 },
		{ ECN_USE_ACCURATE_ACCEPT, 7, 2, 0 },
	};
	for (unsigned i = 0; i < sizeof row / sizeof *row; i++) {
		struct wire_peer *p = peer_open_ecn(row[i].use, false);
		peer_listen(p);
		SAY(p, .flags = (uint16_t)(TCP_SYN | ACE(row[i].asks)), .options = PEER_MSS);
		peer_expect(p, (uint16_t)(TCP_SYN | TCP_ACK | ACE(row[i].gets)), 0, 1);
		peer_connect(p);
		peer_expect(p, (uint16_t)(TCP_SYN | ACE(row[i].syn)), 0, 0);
		peer_close(p);
	}
}

/* Every answer there can be to (1,1,1), with every mark of the SYN-ACK. */
static void test_answers(void **state)
{
	(void)state;
	/* 0: no ECN, 1: RFC 3168's, 2: accurate, 3: accurate, but marks were meddled with */
	static const unsigned mode[8] = { 0, 1, 2, 3, 3, 2, 3, 0 };
	static const unsigned tells[4] = { 2, 3, 4, 6 };
	for (unsigned i = 0; i < 8 * 4; i++) {
		struct wire_peer *p = peer_open_ecn(ECN_USE_ACCURATE, i & 1);
		unsigned ace = i % 8, mark = i / 8, how = mode[ace];
		sock_id id = peer_connect(p);
		peer_expect(p, SETUP, 0, 0);
		SAY(p, .flags = (uint16_t)(TCP_SYN | TCP_ACK | ACE(ace)), .us = 1,
			.options = PEER_MSS, .tos = (uint8_t)mark);
		unsigned says = how >= 2 ? tells[mark] : 0;
		peer_expect(p, (uint16_t)(TCP_ACK | ACE(says)), 1, 1);
		assert_int_equal(peer_info(p, id).ecn_accurate, how >= 2);
		unsigned count = how < 2 ? 0 : mark == IP_CE ? 6 : 5; /* table 3 */
		assert_int_equal(marks(p, id, count), how == 1 || how == 2);
		peer_close(p);
	}
}

/* ---- table 4 ---- */

static void test_ack_tells_of_the_syn_ack(void **state)
{
	(void)state;
	for (unsigned ace = 0; ace < 8; ace++) {
		struct wire_peer *p = peer_open_ecn(ECN_USE_ACCURATE, ace & 1);
		sock_id id = agreed(p, (struct tcp_options)PEER_MSS, ace);
		bool sound = ace == 1 || ace == 2 || ace == 5 || ace == 7;
		assert_int_equal(marks(p, id, 5), sound);
		/* CE of the SYN-ACK has been counted, and answered. */
		assert_int_equal(peer_info(p, id).ce_delivered, ace == 6);
		SAY(p, .flags = (uint16_t)(TCP_ACK | ACE(ace == 6 ? 6 : 5)), .them = 1, .us = 101);
		assert_int_equal(peer_info(p, id).ce_delivered, ace == 6);
		/* Who zeroed the field is not believed; who meddled with the mark is. */
		unsigned before = peer_info(p, id).ecn_reductions;
		peer_write(p, id, pattern, 100);
		SAY(p, .flags = (uint16_t)(TCP_ACK | ACE(ace == 6 ? 7 : 6)), .them = 1, .us = 201);
		assert_int_equal(peer_info(p, id).ecn_reductions - before, ace != 0);
		peer_close(p);
	}
}

/* A field that is zero at first is one that was zeroed: 3.2.2.4. */
static void test_zeroed_field(void **state)
{
	(void)state;
	struct wire_peer *p = peer_open_ecn(ECN_USE_ACCURATE, false);
	sock_id id = agreed(p, (struct tcp_options)PEER_MSS, 2);
	assert_true(marks(p, id, 5));
	SAY(p, .flags = TCP_ACK, .them = 1, .us = 101);
	assert_int_equal(peer_info(p, id).ecn_reductions, 0);
	peer_write(p, id, pattern, 100);
	assert_int_equal(peer_expect(p, TCP_ACK | ACE(5), 101, 1)->tos, 0);
	/* We still tell what comes. */
	SAY(p, .flags = TCP_ACK, .them = 1, .us = 201, .text = pattern, .len = 10, .tos = IP_CE);
	peer_expect(p, TCP_ACK | ACE(6), 201, 11);
	peer_close(p);
}

/* ---- the handshake again ---- */

static void test_requests_that_differ(void **state)
{
	(void)state;
	for (unsigned first = 0; first < 2; first++) {
		struct wire_peer *p = peer_open_ecn(ECN_USE_ACCURATE, false);
		peer_listen(p);
		SAY(p, .flags = (uint16_t)(TCP_SYN | ACE(first ? 3 : 7)), .options = PEER_MSS);
		peer_expect(p, (uint16_t)(TCP_SYN | TCP_ACK | ACE(first ? 1 : 2)), 0, 1);
		uint32_t iss = p->iss;
		SAY(p, .flags = (uint16_t)(TCP_SYN | ACE(first ? 7 : 3)), .options = PEER_MSS);
		const struct peer_segment *s = peer_next(p);
		assert_non_null(s);
		assert_true(s->h.flags & TCP_RST);
		p->iss = iss;
		assert_int_equal(stack_transport(p->stack)->embryo_pool.used, 0);
		peer_close(p);
	}
}

/* The latest SYN is the one that is told of; a plain one ends our marks (3.1.5). */
static void test_request_again(void **state)
{
	(void)state;
	for (unsigned plain = 0; plain < 2; plain++) {
		struct wire_peer *p = peer_open_ecn(ECN_USE_ACCURATE, false);
		sock_id listener = peer_listen(p);
		SAY(p, .flags = SETUP, .options = PEER_MSS);
		peer_expect(p, TCP_SYN | TCP_ACK | ACE(2), 0, 1);
		SAY(p, .flags = plain ? TCP_SYN : SETUP, .options = PEER_MSS, .tos = IP_ECT0);
		const struct peer_segment *s =
			peer_expect(p, TCP_SYN | TCP_ACK | ACE(4), 0, 1);
		assert_false(s->h.options.has & TCP_HAS_ACCECN); /* 3.2.3.2.2 */
		SAY(p, .flags = TCP_ACK | ACE(2), .them = 1, .us = 1);
		assert_int_equal(marks(p, peer_take(p, listener), 5), !plain);
		peer_close(p);
	}
}

/* Our first ACK was lost: the SYN-ACK comes again, and is told of again, as it came. */
static void test_syn_ack_again(void **state)
{
	(void)state;
	struct wire_peer *p = peer_open_ecn(ECN_USE_ACCURATE, false);
	sock_id id = peer_connect(p);
	peer_expect(p, SETUP, 0, 0);
	SAY(p, .flags = TCP_SYN | TCP_ACK | ACE(2), .us = 1, .options = PEER_MSS);
	peer_expect(p, TCP_ACK | ACE(2), 1, 1);
	SAY(p, .flags = TCP_SYN | TCP_ACK | ACE(2), .us = 1, .options = PEER_MSS, .tos = IP_ECT0);
	peer_expect(p, TCP_ACK | ACE(4), 1, 1);
	peer_write(p, id, pattern, 10);
	peer_expect(p, TCP_ACK | ACE(5), 1, 1);
	peer_close(p);
}

/* A cookie keeps nothing: the ACK's field shows what had been agreed on (5.1). */
static void test_cookies(void **state)
{
	(void)state;
	for (unsigned ace = 0; ace < 8; ace++) {
		struct stack_config c;
		peer_config(&c);
		c.transport.ecn = ECN_USE_ACCURATE;
		c.transport.syn_cookies = SYN_COOKIES_ALWAYS;
		struct wire_peer *p = peer_open(&c, false);
		sock_id listener = peer_listen(p);
		SAY(p, .flags = SETUP, .options = PEER_MSS);
		assert_int_equal(
			peer_expect(p, TCP_SYN | TCP_ACK | ACE(2), 0, 1)->why, WHY_SYN_COOKIE);
		SAY(p, .flags = (uint16_t)(TCP_ACK | ACE(ace)), .them = 1, .us = 1);
		assert_int_equal(peer_info(p, peer_take(p, listener)).ecn_accurate, ace > 1);
		peer_close(p);
	}
}

/* ---- the sender's counters ---- */

/* The count goes round after eight marks, and on. */
static void test_count_goes_round(void **state)
{
	(void)state;
	struct wire_peer *p = peer_open_ecn(ECN_USE_ACCURATE, false);
	sock_id id = agreed(p, (struct tcp_options)PEER_MSS, 2);
	for (uint32_t i = 1; i <= 40; i++) {
		peer_write(p, id, pattern, 1000);
		peer_forget(p);
		SAY(p, .flags = (uint16_t)(TCP_ACK | ACE((5 + i) % 8)), .them = 1,
			.us = 1 + i * 1000);
		assert_int_equal(peer_info(p, id).ce_delivered, i);
	}
	peer_close(p);
}

/* Opens a window of forty segments, each acknowledged by itself. */
static uint32_t grow(struct wire_peer *p, sock_id id)
{
	uint32_t at = 1;
	peer_write(p, id, pattern, 60000);
	while (peer_info(p, id).unacked < 30000) {
		at += 1000;
		SAY(p, .flags = TCP_ACK | ACE(5), .them = 1, .us = at);
		peer_forget(p);
	}
	return at;
}

/* ACKs that were lost may have told of eight marks more: the safest likely case, which an option
 * makes certain. */
static void test_what_was_not_seen(void **state)
{
	(void)state;
	static const struct {
		int marked; /* CE bytes of the option; -1: none */
		uint32_t counted;
	} row[] = { { -1, 18 }, { 0, 2 }, { 2000, 2 }, { 18000, 18 }, { 10000, 18 } };
	for (unsigned i = 0; i < sizeof row / sizeof *row; i++) {
		struct wire_peer *p = peer_open_ecn(ECN_USE_ACCURATE, false);
		sock_id id = agreed(p, (struct tcp_options)PEER_MSS, 2);
		uint32_t at = grow(p, id) + 20000;
		struct tcp_options o = { .has = row[i].marked < 0 ? 0 : TCP_HAS_ACCECN,
			.accecn_order = 1,
			.accecn_count = 2,
			.accecn = { 1, (uint32_t)row[i].marked } };
		SAY(p, .flags = TCP_ACK | ACE(7), .them = 1, .us = at, .options = o);
		assert_int_equal(peer_info(p, id).ce_delivered, row[i].counted);
		assert_int_equal(peer_info(p, id).ecn_reductions, 1);
		peer_close(p);
	}
}

/* A peer that always acknowledges many segments at once has lost no ACKs. */
static void test_stretched_acks(void **state)
{
	(void)state;
	struct wire_peer *p = peer_open_ecn(ECN_USE_ACCURATE, false);
	sock_id id = agreed(p, (struct tcp_options)PEER_MSS, 2);
	peer_write(p, id, pattern, 65000);
	peer_forget(p);
	for (uint32_t at = 1; peer_info(p, id).unacked >= 10000; at += 10000) {
		SAY(p, .flags = TCP_ACK | ACE(5), .them = 1, .us = at + 10000);
		peer_forget(p);
	}
	assert_int_equal(peer_info(p, id).ce_delivered, 0);
	assert_int_equal(peer_info(p, id).ecn_reductions, 0);
	peer_close(p);
}

/* An ACK that was overtaken does not move the counters back, or round. */
static void test_overtaken(void **state)
{
	(void)state;
	struct wire_peer *p = peer_open_ecn(ECN_USE_ACCURATE, false);
	sock_id id = agreed(p, (struct tcp_options)PEER_MSS, 2);
	peer_write(p, id, pattern, 5000);
	SAY(p, .flags = TCP_ACK | ACE(7), .them = 1, .us = 4001);
	assert_int_equal(peer_info(p, id).ce_delivered, 2);
	SAY(p, .flags = TCP_ACK | ACE(6), .them = 1, .us = 2001);
	SAY(p, .flags = TCP_ACK | ACE(6), .them = 1, .us = 4001);
	assert_int_equal(peer_info(p, id).ce_delivered, 2);
	SAY(p, .flags = TCP_ACK | ACE(7), .them = 1, .us = 5001);
	assert_int_equal(peer_info(p, id).ce_delivered, 2);
	assert_int_equal(peer_info(p, id).ecn_reductions, 1);
	peer_close(p);
}

/* One answer a window of data, as with RFC 3168; and no CWR is meant by any flag. */
static void test_one_answer_a_window(void **state)
{
	(void)state;
	struct wire_peer *p = peer_open_ecn(ECN_USE_ACCURATE, false);
	sock_id id = agreed(p, (struct tcp_options)PEER_MSS, 2);
	peer_write(p, id, pattern, 60000);
	peer_forget(p);
	/* The first has less text, for the option's sake: the window ends at 9993. */
	for (uint32_t i = 1; i <= 9; i++)
		SAY(p, .flags = (uint16_t)(TCP_ACK | ACE((5 + i) % 8)), .them = 1,
			.us = 1 + i * 1000);
	assert_int_equal(peer_info(p, id).ce_delivered, 9);
	assert_int_equal(peer_info(p, id).ecn_reductions, 1);
	for (const struct peer_segment *s; (s = peer_next(p));)
		assert_int_equal(s->h.flags & ACE(7), ACE(5));
	SAY(p, .flags = TCP_ACK | ACE((5 + 10) % 8), .them = 1, .us = 10001);
	assert_int_equal(peer_info(p, id).ecn_reductions, 2);
	peer_close(p);
}

/* CE bytes without a CE packet can't be: whoever changed one, nothing is marked from then on. */
static void test_counts_that_contradict(void **state)
{
	(void)state;
	struct wire_peer *p = peer_open_ecn(ECN_USE_ACCURATE, false);
	sock_id id = agreed(p, (struct tcp_options)PEER_MSS, 2);
	assert_true(marks(p, id, 5));
	SAY(p, .flags = TCP_ACK | ACE(5), .them = 1, .us = 101,
		.options = { .has = TCP_HAS_ACCECN, .accecn_count = 2, .accecn = { 1, 100 } });
	peer_write(p, id, pattern, 100);
	assert_int_equal(peer_expect(p, TCP_ACK | ACE(5), 101, 1)->tos, 0);
	peer_close(p);
}

/* An option whose first counters are zero was zeroed, and is not read (3.2.3.2.4). */
static void test_zeroed_option(void **state)
{
	(void)state;
	struct wire_peer *p = peer_open_ecn(ECN_USE_ACCURATE, false);
	sock_id id = agreed(p, (struct tcp_options)PEER_MSS, 2);
	for (uint32_t i = 0; i < 2; i++) {
		peer_write(p, id, pattern, 100);
		SAY(p, .flags = TCP_ACK | ACE(5), .them = 1, .us = 101 + i * 100,
			.options = { .has = TCP_HAS_ACCECN,
				.accecn_count = 3,
				.accecn = { i * 101, 0, 0 } });
	}
	assert_false(peer_info(p, id).accecn_option);
	assert_int_equal(peer_info(p, id).ecn_delivered[1], 0);
	peer_close(p);
}

/* ---- the receiver's counters ---- */

/* When marks make an ACK due: the first of a row, then every second one; pure ACKs: every third. */
static void test_due_acks(void **state)
{
	(void)state;
	struct wire_peer *p = peer_open_ecn(ECN_USE_ACCURATE, false);
	agreed(p, (struct tcp_options)PEER_MSS, 2);
	for (uint32_t i = 0; i < 20; i++) /* past the quick ACKs of a beginning */
		SAY(p, .flags = TCP_ACK | ACE(5), .them = 1 + i * 1000, .us = 1, .text = pattern,
			.len = 1000, .tos = IP_ECT0);
	peer_wait(p, ROUND * 2);
	peer_forget(p);
	uint32_t at = 20001;
	SAY(p, .flags = TCP_ACK | ACE(5), .them = at, .us = 1, .text = pattern, .len = 10,
		.tos = IP_ECT0);
	peer_expect_nothing(p);
	SAY(p, .flags = TCP_ACK | ACE(5), .them = at + 10, .us = 1, .text = pattern, .len = 10,
		.tos = IP_CE);
	peer_expect(p, TCP_ACK | ACE(6), 1, at + 20);
	SAY(p, .flags = TCP_ACK | ACE(5), .them = at + 20, .us = 1, .text = pattern, .len = 10,
		.tos = IP_CE);
	peer_expect_nothing(p);
	SAY(p, .flags = TCP_ACK | ACE(5), .them = at + 30, .us = 1, .text = pattern, .len = 10,
		.tos = IP_CE);
	peer_expect(p, TCP_ACK | ACE(0), 1, at + 40);
	for (unsigned i = 0; i < 2; i++)
		SAY(p, .flags = TCP_ACK | ACE(5), .them = at + 40, .us = 1, .tos = IP_CE);
	peer_expect_nothing(p);
	SAY(p, .flags = TCP_ACK | ACE(5), .them = at + 40, .us = 1, .tos = IP_CE);
	peer_expect(p, TCP_ACK | ACE(3), 1, at + 40);
	peer_close(p);
}

/* With timestamps there are 28 bytes: two SACK blocks go first, then the option if it fits. */
static void test_little_room(void **state)
{
	(void)state;
	struct stack_config c;
	peer_config(&c);
	c.transport.ecn = ECN_USE_ACCURATE;
	c.transport.timestamps = true;
	struct wire_peer *p = peer_open(&c, false);
	sock_id listener = peer_listen(p);
	struct tcp_options o = PEER_MSS_SACK, stamp = { .has = TCP_HAS_TIMESTAMPS, .tsval = 2 };
	o.has |= TCP_HAS_TIMESTAMPS;
	o.tsval = 1;
	SAY(p, .flags = SETUP, .options = o);
	stamp.tsecr = peer_expect(p, TCP_SYN | TCP_ACK | ACE(2), 0, 1)->h.options.tsval;
	SAY(p, .flags = TCP_ACK | ACE(2), .them = 1, .us = 1, .options = stamp);
	peer_take(p, listener);
	static const struct {
		uint8_t tos, blocks, fields;
	} row[] = { { IP_ECT0, 1, 1 }, { IP_CE, 2, 2 }, { IP_CE, 2, 2 }, { IP_ECT1, 3, 0 } };
	for (uint32_t i = 0; i < 4; i++) {
		SAY(p, .flags = TCP_ACK | ACE(5), .them = 1001 + i * 2000, .us = 1, .text = pattern,
			.len = 1000, .options = stamp, .tos = row[i].tos);
		const struct peer_segment *s = peer_next(p);
		assert_non_null(s);
		assert_int_equal(s->h.options.sack_count, row[i].blocks);
		assert_int_equal(!!(s->h.options.has & TCP_HAS_ACCECN), row[i].fields > 0);
		if (row[i].fields)
			assert_int_equal(s->h.options.accecn_count, row[i].fields);
	}
	peer_close(p);
}

/* Where nothing arrives that has the option, it is left out (3.2.3.2.2). */
static void test_option_that_blocks(void **state)
{
	(void)state;
	struct wire_peer *p = peer_open_ecn(ECN_USE_ACCURATE, false);
	sock_id id = agreed(p, (struct tcp_options)PEER_MSS, 2);
	peer_write(p, id, pattern, 100);
	assert_true(peer_expect(p, TCP_ACK | ACE(5), 1, 1)->h.options.has & TCP_HAS_ACCECN);
	peer_wait(p, 1500 * NANO_MS);
	assert_false(peer_expect(p, TCP_ACK | ACE(5), 1, 1)->h.options.has & TCP_HAS_ACCECN);
	peer_forget(p);
	SAY(p, .flags = TCP_ACK | ACE(5), .them = 1, .us = 101, .text = pattern, .len = 1000,
		.tos = IP_CE);
	assert_false(peer_expect(p, TCP_ACK | ACE(6), 101, 1001)->h.options.has & TCP_HAS_ACCECN);
	peer_close(p);
}

/* What was counted stays, however long the connection is idle. */
static void test_idle(void **state)
{
	(void)state;
	struct wire_peer *p = peer_open_ecn(ECN_USE_ACCURATE, false);
	sock_id id = agreed(p, (struct tcp_options)PEER_MSS, 2);
	SAY(p, .flags = TCP_ACK | ACE(5), .them = 1, .us = 1, .text = pattern, .len = 1000,
		.tos = IP_CE);
	uint8_t got[1000];
	assert_int_equal(sock_read(p->stack, id, got, sizeof got), 1000);
	peer_wait(p, 60 * NANO_S);
	peer_forget(p);
	SAY(p, .flags = TCP_ACK | ACE(5), .them = 1001, .us = 1, .text = pattern, .len = 1000);
	peer_wait(p, ROUND * 2);
	peer_expect(p, TCP_ACK | ACE(6), 1, 2001);
	peer_close(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_syn_ack_tells_of_the_syn),
		cmocka_unit_test(test_challenge_of_half_open),
		cmocka_unit_test(test_who_asks_for_what),
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_ack_tells_of_the_syn_ack),
		cmocka_unit_test(test_zeroed_field),
		cmocka_unit_test(test_requests_that_differ),
		cmocka_unit_test(test_request_again),
		cmocka_unit_test(test_syn_ack_again),
		cmocka_unit_test(test_cookies),
		cmocka_unit_test(test_count_goes_round),
		cmocka_unit_test(test_what_was_not_seen),
		cmocka_unit_test(test_stretched_acks),
		cmocka_unit_test(test_overtaken),
		cmocka_unit_test(test_one_answer_a_window),
		cmocka_unit_test(test_counts_that_contradict),
		cmocka_unit_test(test_zeroed_option),
		cmocka_unit_test(test_due_acks),
		cmocka_unit_test(test_little_room),
		cmocka_unit_test(test_option_that_blocks),
		cmocka_unit_test(test_idle),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
