/*
 * ECN in TCP, segment by segment: who agrees to it, what is marked and what never is,
 * what a mark makes of the two ends (RFC 3168), and what a path may do to it all.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "support/wire_peer.h"
#include "transport/endpoints.h"

#define SETUP (TCP_SYN | TCP_ECE | TCP_CWR)
#define ROUND (30 * NANO_MS)

static uint8_t pattern[65536];

/* A peer that asks, and gets it. */
static sock_id agreed(struct wire_peer *p, struct tcp_options o)
{
	sock_id id = peer_accepted_as(p, SETUP, TCP_SYN | TCP_ACK | TCP_ECE, TCP_ACK, &o);
	assert_true(peer_info(p, id).ecn);
	return id;
}

static sock_id connecting(struct wire_peer *p, uint16_t flags)
{
	sock_id id = peer_connect(p);
	assert_int_equal(peer_expect(p, flags, 0, 0)->tos, 0);
	return id;
}

/* Does new data go out marked? Acknowledges it. */
static bool marks(struct wire_peer *p, sock_id id)
{
	peer_write(p, id, pattern, 100);
	const struct peer_segment *s = peer_expect(p, TCP_ACK, 1, 1);
	assert_true(s->tos == 0 || s->tos == IP_ECT0);
	SAY(p, .flags = TCP_ACK, .them = 1, .us = 101);
	assert_int_equal(peer_info(p, id).ecn, s->tos == IP_ECT0);
	return s->tos == IP_ECT0;
}

/* ---- the handshake ---- */

/* SHLD-8 */
static void test_asked(void **state)
{
	(void)state;
	static const struct {
		unsigned use;
		uint16_t syn;
		bool on;
	} row[] = {
		{ ECN_USE_OFF, SETUP, false },
		{ ECN_USE_ASK, SETUP, true },
		{ ECN_USE_ACCEPT, SETUP, true },
		{ ECN_USE_ACCEPT, TCP_SYN, false },
		{ ECN_USE_ACCEPT, TCP_SYN | TCP_ECE, false },
		{ ECN_USE_ACCEPT, TCP_SYN | TCP_CWR, false },
	};
	for (unsigned i = 0; i < 2 * sizeof row / sizeof *row; i++) {
		struct wire_peer *p = peer_open_ecn(row[i / 2].use, i & 1);
		sock_id listener = peer_listen(p);
		SAY(p, .flags = row[i / 2].syn, .options = PEER_MSS);
		peer_expect(p, TCP_SYN | TCP_ACK | (row[i / 2].on ? TCP_ECE : 0), 0, 1);
		SAY(p, .flags = TCP_ACK, .them = 1, .us = 1);
		assert_int_equal(marks(p, peer_take(p, listener)), row[i / 2].on);
		peer_close(p);
	}
}

static void test_asking(void **state)
{
	(void)state;
	static const struct {
		unsigned use;
		uint16_t answer;
		bool on;
	} row[] = {
		{ ECN_USE_OFF, TCP_ECE, false }, { ECN_USE_ACCEPT, TCP_ECE, false },
		{ ECN_USE_ASK, TCP_ECE, true }, { ECN_USE_ASK, 0, false },
		{ ECN_USE_ASK, TCP_CWR, false },
		{ ECN_USE_ASK, TCP_ECE | TCP_CWR, false }, /* a mirror: RFC 3168 6.1.1 */
	};
	for (unsigned i = 0; i < 2 * sizeof row / sizeof *row; i++) {
		unsigned use = row[i / 2].use;
		struct wire_peer *p = peer_open_ecn(use, i & 1);
		sock_id id = connecting(p, use == ECN_USE_ASK ? SETUP : TCP_SYN);
		SAY(p, .flags = TCP_SYN | TCP_ACK | row[i / 2].answer, .us = 1,
			.options = PEER_MSS);
		peer_expect(p, TCP_ACK, 1, 1);
		assert_int_equal(marks(p, id), row[i / 2].on);
		peer_close(p);
	}
}

/* The path may swallow what it does not know: the second SYN is plain, whatever is answered. */
static void test_asking_in_vain(void **state)
{
	(void)state;
	struct wire_peer *p = peer_open_ecn(ECN_USE_ASK, false);
	sock_id id = connecting(p, SETUP);
	peer_wait(p, 1100 * NANO_MS);
	peer_expect(p, TCP_SYN, 0, 0);
	SAY(p, .flags = TCP_SYN | TCP_ACK | TCP_ECE, .us = 1, .options = PEER_MSS);
	peer_expect(p, TCP_ACK, 1, 1);
	assert_false(marks(p, id));
	peer_close(p);
	/* The same from the other side: its plain SYN takes back what the first asked. */
	p = peer_open_ecn(ECN_USE_ACCEPT, false);
	sock_id listener = peer_listen(p);
	SAY(p, .flags = SETUP, .options = PEER_MSS);
	peer_expect(p, TCP_SYN | TCP_ACK | TCP_ECE, 0, 1);
	SAY(p, .flags = TCP_SYN, .options = PEER_MSS);
	peer_expect(p, TCP_SYN | TCP_ACK, 0, 1);
	SAY(p, .flags = TCP_ACK, .them = 1, .us = 1);
	assert_false(marks(p, peer_take(p, listener)));
	peer_close(p);
}

/* A SYN that could not leave was not refused by anybody. */
static void test_asking_late(void **state)
{
	(void)state;
	struct wire_peer *p = peer_open_ecn(ECN_USE_ASK, false);
	p->nif->blocked = true;
	peer_attempt(p);
	peer_wait(p, 1500 * NANO_MS);
	peer_expect_nothing(p);
	p->nif->blocked = false;
	peer_wait(p, 5 * NANO_S);
	peer_expect(p, SETUP, 0, 0);
	peer_close(p);
}

static void test_crossing(void **state)
{
	(void)state;
	for (unsigned both = 0; both < 2; both++) {
		uint16_t ece = both ? TCP_ECE : 0;
		struct wire_peer *p = peer_open_ecn(ECN_USE_ASK, false);
		sock_id id = connecting(p, SETUP);
		SAY(p, .flags = both ? SETUP : TCP_SYN, .options = PEER_MSS);
		peer_expect(p, TCP_SYN | TCP_ACK | ece, 0, 1);
		SAY(p, .flags = TCP_SYN | TCP_ACK | ece, .them = 0, .us = 1, .options = PEER_MSS);
		peer_expect_nothing(p);
		assert_int_equal(marks(p, id), both);
		peer_close(p);
	}
}

/* A cookie remembers ECN where there is a timestamp to keep it in. */
static void test_cookies(void **state)
{
	(void)state;
	for (unsigned stamped = 0; stamped < 2; stamped++) {
		struct stack_config c;
		peer_config(&c);
		c.transport.timestamps = true;
		c.transport.syn_cookies = SYN_COOKIES_ALWAYS;
		struct wire_peer *p = peer_open(&c, false);
		sock_id listener = peer_listen(p);
		struct tcp_options o = PEER_MSS;
		if (stamped)
			o.has |= TCP_HAS_TIMESTAMPS;
		o.tsval = 77;
		SAY(p, .flags = SETUP, .options = o);
		const struct peer_segment *s = peer_expect(
			p, TCP_SYN | TCP_ACK | (stamped ? TCP_ECE : 0), 0, 1);
		assert_int_equal(s->why, WHY_SYN_COOKIE);
		struct tcp_options back = { .has = stamped ? TCP_HAS_TIMESTAMPS : 0,
			.tsval = 78,
			.tsecr = s->h.options.tsval };
		SAY(p, .flags = TCP_ACK, .them = 1, .us = 1, .options = back);
		sock_id id = peer_take(p, listener);
		assert_int_equal(peer_info(p, id).ecn, stamped);
		peer_write(p, id, pattern, 10);
		assert_int_equal(peer_expect(p, TCP_ACK, 1, 1)->tos, stamped ? IP_ECT0 : 0);
		peer_close(p);
	}
}

/* One socket may want what the stack does not, or the other way round. */
static void test_socket_option(void **state)
{
	(void)state;
	struct wire_peer *p = peer_open_ecn(ECN_USE_ACCEPT, false);
	sock_id listener = peer_listen(p);
	assert_int_equal(sock_set(p->stack, listener, SOCK_ECN, 1 + ECN_USE_OFF), 0);
	assert_int_equal(sock_get(p->stack, listener, SOCK_ECN), 1 + ECN_USE_OFF);
	assert_int_equal(sock_set(p->stack, listener, SOCK_ECN, 1 + ECN_USES), -ERR_ARGUMENT);
	SAY(p, .flags = SETUP, .options = PEER_MSS);
	peer_expect(p, TCP_SYN | TCP_ACK, 0, 1);
	peer_close(p);
	/* What a program says of type of service leaves TCP its two bits. */
	p = peer_open(NULL, false);
	sock_id id = agreed(p, (struct tcp_options)PEER_MSS);
	assert_int_equal(sock_set(p->stack, id, SOCK_TOS, 0xff), 0);
	assert_int_equal(sock_get(p->stack, id, SOCK_TOS), 0xfc);
	peer_write(p, id, pattern, 10);
	assert_int_equal(peer_expect(p, TCP_ACK, 1, 1)->tos, 0xfc | IP_ECT0);
	SAY(p, .flags = TCP_ACK, .them = 1, .us = 11, .text = pattern, .len = 10);
	assert_int_equal(peer_expect(p, TCP_ACK, 11, 11)->tos, 0xfc);
	peer_close(p);
}

/* ---- what is marked ---- */

static void test_never_marked(void **state)
{
	(void)state;
	for (unsigned v6 = 0; v6 < 2; v6++) {
		struct wire_peer *p = peer_open(NULL, v6);
		sock_id id = agreed(p, (struct tcp_options)PEER_MSS);
		SAY(p, .flags = TCP_ACK, .them = 1, .us = 1, .text = pattern, .len = 10);
		assert_int_equal(peer_expect(p, TCP_ACK, 1, 11)->tos, 0); /* a pure ACK */
		peer_write(p, id, pattern, 1500);
		assert_int_equal(peer_expect(p, TCP_ACK, 1, 11)->tos, IP_ECT0);
		assert_int_equal(peer_expect(p, TCP_ACK, 1001, 11)->tos, IP_ECT0);
		peer_wait(p, 1500 * NANO_MS); /* the timeout: both are sent again */
		assert_int_equal(peer_expect(p, TCP_ACK, 1, 11)->tos, 0);
		peer_forget(p);
		SAY(p, .flags = TCP_ACK, .them = 11, .us = 1501, .closed = true);
		peer_write(p, id, pattern, 1000); /* into a closed window: probes */
		peer_wait(p, 10 * NANO_S);
		for (const struct peer_segment *s; (s = peer_next(p));)
			assert_int_equal(s->tos, 0);
		SAY(p, .flags = TCP_ACK, .them = 11, .us = 1501);
		/* The timeout reduced the window: 6.1.2 */
		assert_int_equal(peer_expect(p, TCP_ACK | TCP_CWR, 1501, 11)->tos, IP_ECT0);
		SAY(p, .flags = TCP_ACK, .them = 11, .us = 2501);
		assert_int_equal(sock_shutdown(p->stack, id), 0);
		peer_flush(p);
		assert_int_equal(peer_expect(p, TCP_ACK | TCP_FIN, 2501, 11)->tos, 0);
		sock_abort(p->stack, id);
		peer_flush(p);
		assert_int_equal(peer_expect(p, TCP_ACK | TCP_RST, 2502, 11)->tos, 0);
		peer_close(p);
	}
}

/* ---- the receiver ---- */

static void test_echo_until_reduced(void **state)
{
	(void)state;
	for (unsigned v6 = 0; v6 < 2; v6++) {
		struct wire_peer *p = peer_open(NULL, v6);
		sock_id id = agreed(p, (struct tcp_options)PEER_MSS);
		SAY(p, .flags = TCP_ACK, .them = 1, .us = 1, .text = pattern, .len = 1000,
			.tos = IP_ECT0);
		peer_expect(p, TCP_ACK, 1, 1001);
		assert_true(peer_info(p, id).ecn_seen);
		SAY(p, .flags = TCP_ACK, .them = 1001, .us = 1, .text = pattern, .len = 1000,
			.tos = IP_CE);
		peer_expect(p, TCP_ACK | TCP_ECE, 1, 2001);
		assert_int_equal(peer_info(p, id).ce_received, 1);
		/* On every segment, data as well, as long as no CWR comes. */
		SAY(p, .flags = TCP_ACK, .them = 2001, .us = 1, .text = pattern, .len = 1000,
			.tos = IP_ECT0);
		peer_expect(p, TCP_ACK | TCP_ECE, 1, 3001);
		peer_write(p, id, pattern, 10);
		assert_int_equal(peer_expect(p, TCP_ACK | TCP_ECE, 1, 3001)->tos, IP_ECT0);
		/* CWR ends it; CE on the same segment begins it anew (6.1.3). */
		SAY(p, .flags = TCP_ACK | TCP_CWR, .them = 3001, .us = 11, .text = pattern,
			.len = 1000, .tos = IP_ECT0);
		peer_expect(p, TCP_ACK, 11, 4001);
		SAY(p, .flags = TCP_ACK, .them = 4001, .us = 11, .text = pattern, .len = 1000,
			.tos = IP_CE);
		peer_expect(p, TCP_ACK | TCP_ECE, 11, 5001);
		SAY(p, .flags = TCP_ACK | TCP_CWR, .them = 5001, .us = 11, .text = pattern,
			.len = 1000, .tos = IP_CE);
		peer_expect(p, TCP_ACK | TCP_ECE, 11, 6001);
		peer_close(p);
	}
}

/* Marks on what lies outside of the window, or brings no text, are nobody's (6.1.4, 6.1.5). */
static void test_marks_that_count_not(void **state)
{
	(void)state;
	struct wire_peer *p = peer_open(NULL, false);
	agreed(p, (struct tcp_options)PEER_MSS);
	SAY(p, .flags = TCP_ACK, .them = 1, .us = 1, .text = pattern, .len = 1000);
	peer_expect(p, TCP_ACK, 1, 1001);
	SAY(p, .flags = TCP_ACK, .them = 1, .us = 1, .text = pattern, .len = 1000, .tos = IP_CE);
	peer_expect(p, TCP_ACK, 1, 1001);
	SAY(p, .flags = TCP_ACK, .them = 1001, .us = 1, .tos = IP_CE);
	peer_expect_nothing(p);
	SAY(p, .flags = TCP_ACK, .them = 1001, .us = 1, .text = pattern, .len = 1000);
	peer_expect(p, TCP_ACK, 1, 2001);
	peer_close(p);
	/* Nor are any on a connection without ECN. */
	p = peer_open_ecn(ECN_USE_OFF, false);
	sock_id id = peer_accepted(p, NULL);
	SAY(p, .flags = TCP_ACK, .them = 1, .us = 1, .text = pattern, .len = 1000, .tos = IP_CE);
	peer_expect(p, TCP_ACK, 1, 1001);
	assert_int_equal(peer_info(p, id).ce_received, 0);
	peer_close(p);
}

/* Text that completes the handshake can be marked as any other. */
static void test_mark_on_first_text(void **state)
{
	(void)state;
	struct wire_peer *p = peer_open(NULL, false);
	peer_listen(p);
	SAY(p, .flags = SETUP, .options = PEER_MSS);
	peer_expect(p, TCP_SYN | TCP_ACK | TCP_ECE, 0, 1);
	SAY(p, .flags = TCP_ACK, .them = 1, .us = 1, .text = pattern, .len = 1000, .tos = IP_CE);
	peer_expect(p, TCP_ACK | TCP_ECE, 1, 1001);
	peer_close(p);
}

/* ---- the sender ---- */

/* Takes all that was sent; CWR must be on the segment at `cwr` alone (0: on none). */
static uint32_t take_all(struct wire_peer *p, uint32_t cwr)
{
	uint32_t end = 0;
	for (const struct peer_segment *s; (s = peer_next(p));) {
		uint32_t us = s->h.seq - p->iss;
		assert_int_equal(!!(s->h.flags & TCP_CWR), cwr && us == cwr);
		assert_true(s->len <= 1000);
		end = us + s->len;
	}
	return end;
}

static void test_one_answer_a_window(void **state)
{
	(void)state;
	struct wire_peer *p = peer_open(NULL, false);
	sock_id id = agreed(p, (struct tcp_options)PEER_MSS);
	peer_write(p, id, pattern, 60000);
	assert_int_equal(take_all(p, 0), 10001); /* the initial window */
	SAY(p, .flags = TCP_ACK | TCP_ECE, .them = 1, .us = 2001);
	struct sock_tcp_info i = peer_info(p, id);
	assert_int_equal(i.ecn_reductions, 1);
	assert_int_equal(i.ce_delivered, 2);
	assert_in_range(i.cwnd, 8000, 9000); /* RFC 8511: 0.85, of at most ten segments */
	assert_int_equal(i.cwnd, i.ssthresh);
	assert_int_equal(i.fast_recoveries, 0);
	/* The same news again, until what says CWR can have arrived. */
	uint32_t end = 10001, at = 2001;
	bool told = false;
	while (!told) {
		at += 1000;
		assert_true(at <= end);
		SAY(p, .flags = TCP_ACK | TCP_ECE, .them = 1, .us = at);
		for (const struct peer_segment *s; (s = peer_next(p));) {
			assert_int_equal(!!(s->h.flags & TCP_CWR), !told);
			assert_int_equal(s->h.seq - p->iss, end);
			assert_int_equal(s->tos, IP_ECT0);
			end += s->len;
			told = true;
		}
	}
	SAY(p, .flags = TCP_ACK | TCP_ECE, .them = 1, .us = 10001);
	assert_int_equal(peer_info(p, id).ecn_reductions, 1);
	end = take_all(p, 0);
	/* It has: ECE means a new mark. */
	SAY(p, .flags = TCP_ACK | TCP_ECE, .them = 1, .us = 11001);
	assert_int_equal(peer_info(p, id).ecn_reductions, 2);
	SAY(p, .flags = TCP_ACK | TCP_ECE, .them = 1, .us = 12001);
	assert_int_equal(peer_info(p, id).ecn_reductions, 2);
	assert_int_equal(peer_info(p, id).bytes_retransmitted, 0);
	peer_close(p);
}

/* An old ACK, overtaken by others, says nothing; a storm does not push the window to nothing. */
static void test_storm_of_echoes(void **state)
{
	(void)state;
	struct wire_peer *p = peer_open(NULL, false);
	sock_id id = agreed(p, (struct tcp_options)PEER_MSS);
	peer_write(p, id, pattern, 60000);
	SAY(p, .flags = TCP_ACK, .them = 1, .us = 5001);
	uint32_t cwnd = peer_info(p, id).cwnd;
	SAY(p, .flags = TCP_ACK | TCP_ECE, .them = 1, .us = 4001);
	assert_int_equal(peer_info(p, id).cwnd, cwnd);
	peer_forget(p);
	for (uint32_t at = 6001; at < 60001; at += 1000) {
		SAY(p, .flags = TCP_ACK | TCP_ECE, .them = 1, .us = at);
		assert_true(peer_info(p, id).cwnd >= 2000);
		peer_forget(p);
	}
	assert_true(peer_info(p, id).ecn_reductions > 3);
	assert_true(peer_info(p, id).cwnd < cwnd);
	assert_int_equal(peer_info(p, id).bytes_retransmitted, 0);
	SAY(p, .flags = TCP_ACK | TCP_ECE, .them = 1, .us = 60001);
	assert_int_equal(peer_info(p, id).unacked, 0);
	peer_close(p);
}

/* A loss reduces the window as well: CWR goes with the first new data, not with what goes again,
 * and marks that come meanwhile cost nothing more. */
static void test_loss_says_cwr(void **state)
{
	(void)state;
	struct wire_peer *p = peer_open(NULL, false);
	sock_id id = agreed(p, (struct tcp_options)PEER_MSS_SACK);
	peer_write(p, id, pattern, 60000);
	peer_forget(p);
	peer_wait(p, ROUND);
	for (uint32_t i = 0; i < 4; i++)
		SAY(p, .flags = TCP_ACK | (i == 3 ? TCP_ECE : 0), .them = 1, .us = 1,
			.options = { .has = TCP_HAS_SACK,
				.sack_count = 1,
				.sack = { { p->iss + 2001, p->iss + 3001 + i * 1000 } } });
	peer_wait(p, 5 * NANO_MS);
	struct sock_tcp_info i = peer_info(p, id);
	assert_int_equal(i.fast_recoveries, 1);
	assert_int_equal(i.ecn_reductions, 0);
	bool cwr = false, again = false;
	for (const struct peer_segment *s; (s = peer_next(p));) {
		bool fresh = s->h.seq - p->iss >= 10001;
		assert_int_equal(s->tos, fresh ? IP_ECT0 : 0);
		/* what limited transmit sent before the loss was known has none */
		if (s->h.flags & TCP_CWR)
			assert_true(fresh && !cwr && again);
		again |= !fresh;
		cwr |= !!(s->h.flags & TCP_CWR);
	}
	assert_true(again);
	SAY(p, .flags = TCP_ACK | TCP_ECE, .them = 1, .us = 10001);
	for (const struct peer_segment *s; (s = peer_next(p));) {
		assert_false(cwr && s->h.flags & TCP_CWR);
		cwr |= !!(s->h.flags & TCP_CWR);
	}
	assert_true(cwr);
	assert_int_equal(peer_info(p, id).ecn_reductions, 0);
	peer_close(p);
}

/* A reduction that was answered by a mark is not taken back, though nothing was lost (RFC 4015). */
static void test_mark_forbids_undo(void **state)
{
	(void)state;
	for (unsigned marked = 0; marked < 2; marked++) {
		struct wire_peer *p = peer_open(NULL, false);
		sock_id id = agreed(p, (struct tcp_options)PEER_MSS_SACK);
		peer_write(p, id, pattern, 60000);
		uint32_t cwnd = peer_info(p, id).cwnd;
		peer_wait(p, ROUND);
		for (uint32_t i = 0; i < 4; i++)
			SAY(p, .flags = TCP_ACK | (marked ? TCP_ECE : 0), .them = 1, .us = 1,
				.options = { .has = TCP_HAS_SACK,
					.sack_count = 1,
					.sack = { { p->iss + 2001, p->iss + 3001 + i * 1000 } } });
		peer_wait(p, 5 * NANO_MS);
		assert_int_equal(peer_info(p, id).fast_recoveries, 1);
		uint32_t again = (uint32_t)peer_info(p, id).bytes_retransmitted;
		assert_true(again >= 1000);
		/* All that went again arrives twice. */
		SAY(p, .flags = TCP_ACK, .them = 1, .us = 10001,
			.options = { .has = TCP_HAS_SACK,
				.sack_count = 1,
				.sack = { { p->iss + 1, p->iss + 1 + again } } });
		if (marked)
			assert_true(peer_info(p, id).cwnd < cwnd);
		else
			assert_true(peer_info(p, id).cwnd >= cwnd);
		peer_close(p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_asked),
		cmocka_unit_test(test_asking),
		cmocka_unit_test(test_asking_in_vain),
		cmocka_unit_test(test_asking_late),
		cmocka_unit_test(test_crossing),
		cmocka_unit_test(test_cookies),
		cmocka_unit_test(test_socket_option),
		cmocka_unit_test(test_never_marked),
		cmocka_unit_test(test_echo_until_reduced),
		cmocka_unit_test(test_marks_that_count_not),
		cmocka_unit_test(test_mark_on_first_text),
		cmocka_unit_test(test_one_answer_a_window),
		cmocka_unit_test(test_storm_of_echoes),
		cmocka_unit_test(test_loss_says_cwr),
		cmocka_unit_test(test_mark_forbids_undo),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
