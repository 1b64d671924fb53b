/*
 * ACKs of text beyond a hole, which wait for each other: which of them may, for how
 * long, and what they tell when they go.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "support/wire_peer.h"
#include "transport/endpoints.h"

#define PIECE 100u

static const uint8_t pattern[PIECE];

struct bed {
	struct wire_peer *peer;
	sock_id id;
};

static struct bed begin_with(nanodiff round_trip, uint8_t most, uint8_t after, bool sack)
{
	struct stack_config c;
	peer_config(&c);
	c.transport.comp_sack_nr = most;
	c.transport.comp_sack_after = after;
	struct bed b = { .peer = peer_open(&c, false) };
	struct tcp_options with = PEER_MSS_SACK, without = PEER_MSS;
	sock_id listener = peer_listen(b.peer);
	SAY(b.peer, .flags = TCP_SYN, .options = sack ? with : without);
	peer_expect(b.peer, TCP_SYN | TCP_ACK, 0, 1);
	peer_wait(b.peer, round_trip);
	SAY(b.peer, .flags = TCP_ACK, .them = 1, .us = 1);
	b.id = peer_take(b.peer, listener);
	return b;
}

/* Five in a hundred of this round trip are more than the millisecond. */
static struct bed begin(uint8_t most, bool sack)
{
	return begin_with(30 * NANO_MS, most, 0, sack);
}

/* The piece with this number; number 0 is the hole. */
static void say(struct wire_peer *p, uint32_t number)
{
	SAY(p, .flags = TCP_ACK, .them = 1 + number * PIECE, .us = 1, .text = pattern,
		.len = PIECE);
}

/* Pieces from 1 on, of which the first three are acknowledged at once (RFC 5681 3.2, 4.2). */
static void lose_first(struct wire_peer *p)
{
	for (uint32_t i = 1; i <= 3; i++) {
		say(p, i);
		const struct peer_segment *s = peer_expect(p, TCP_ACK, 1, 1);
		assert_int_equal(s->time, p->now);
		assert_int_equal(s->why, WHY_ACK_OUT_OF_ORDER);
	}
	peer_expect_nothing(p);
}

static void expect_block(
	const struct peer_segment *s, unsigned which, uint32_t first, uint32_t last)
{
	assert_true(which < s->h.options.sack_count);
	assert_int_equal(s->h.options.sack[which].start, PEER_ISS + 1 + first * PIECE);
	assert_int_equal(s->h.options.sack[which].end, PEER_ISS + 1 + (last + 1) * PIECE);
}

static void test_run(void **state)
{
	(void)state;
	struct bed b = begin(44, true);
	struct wire_peer *p = b.peer;
	lose_first(p);
	nanotime from = p->now;
	for (uint32_t i = 4; i <= 7; i++) {
		say(p, i);
		peer_wait(p, 200 * NANO_US);
	}
	peer_expect_nothing(p);
	peer_wait(p, NANO_S);
	const struct peer_segment *s = peer_expect(p, TCP_ACK, 1, 1);
	assert_int_equal(s->time, from + NANO_MS);
	assert_int_equal(s->why, WHY_ACK_OUT_OF_ORDER);
	assert_int_equal(s->h.options.sack_count, 1);
	expect_block(s, 0, 1, 7);
	peer_expect_nothing(p); /* once */
	assert_int_equal(peer_info(p, b.id).acks_compressed, 3);
	peer_close(p);
}

static void test_filled(void **state)
{
	(void)state;
	struct bed b = begin(44, true);
	struct wire_peer *p = b.peer;
	lose_first(p);
	say(p, 4);
	say(p, 6);
	peer_expect_nothing(p);
	say(p, 0); /* RCV.NXT moves: at once, and the first three beyond the next hole */
	const struct peer_segment *s = peer_expect(p, TCP_ACK, 1, 1 + 5 * PIECE);
	assert_int_equal(s->time, p->now);
	expect_block(s, 0, 6, 6);
	for (uint32_t i = 7; i <= 9; i++) {
		say(p, i);
		peer_expect(p, TCP_ACK, 1, 1 + 5 * PIECE);
	}
	say(p, 10);
	peer_expect_nothing(p);
	peer_wait(p, NANO_S);
	expect_block(peer_expect(p, TCP_ACK, 1, 1 + 5 * PIECE), 0, 6, 10);
	say(p, 5); /* ... of each hole: nothing is held now */
	peer_expect(p, TCP_ACK, 1, 1 + 11 * PIECE);
	say(p, 12);
	peer_expect(p, TCP_ACK, 1, 1 + 11 * PIECE);
	peer_wait(p, NANO_S);
	peer_expect_nothing(p);
	peer_close(p);
}

/* An option has room for three or four blocks: a third range that grew takes the others along. */
static void test_ranges(void **state)
{
	(void)state;
	struct wire_peer *p = begin(44, true).peer;
	lose_first(p);
	say(p, 5);
	say(p, 6);
	say(p, 8);
	peer_expect_nothing(p);
	say(p, 10);
	const struct peer_segment *s = peer_expect(p, TCP_ACK, 1, 1);
	assert_int_equal(s->time, p->now);
	expect_block(s, 0, 10, 10);
	expect_block(s, 1, 8, 8);
	expect_block(s, 2, 5, 6);
	peer_wait(p, NANO_S);
	peer_expect_nothing(p);
	peer_close(p);
}

static void test_most(void **state)
{
	(void)state;
	struct wire_peer *p = begin(2, true).peer;
	lose_first(p);
	say(p, 4);
	say(p, 5);
	peer_expect_nothing(p);
	say(p, 6);
	expect_block(peer_expect(p, TCP_ACK, 1, 1), 0, 1, 6);
	peer_expect_nothing(p);
	peer_close(p);
}

/* What tells of more goes at once: text that came twice (RFC 2883), a FIN, data of ours. */
static void test_more_to_tell(void **state)
{
	(void)state;
	struct bed b = begin(44, true);
	struct wire_peer *p = b.peer;
	lose_first(p);
	say(p, 4);
	say(p, 2);
	const struct peer_segment *s = peer_expect(p, TCP_ACK, 1, 1);
	expect_block(s, 0, 2, 2);
	expect_block(s, 1, 1, 4);
	say(p, 5);
	peer_expect_nothing(p);
	peer_write(p, b.id, pattern, 10);
	expect_block(peer_expect(p, TCP_ACK, 1, 1), 0, 1, 5);
	say(p, 6);
	peer_expect_nothing(p);
	SAY(p, .flags = TCP_ACK | TCP_FIN, .them = 1 + 7 * PIECE, .us = 11, .text = pattern,
		.len = PIECE);
	assert_int_equal(peer_expect(p, TCP_ACK, 11, 1)->time, p->now);
	peer_wait(p, NANO_S);
	peer_expect_nothing(p);
	peer_close(p);
}

static void expect_each_at_once(uint8_t most, bool sack)
{
	struct bed b = begin(most, sack);
	lose_first(b.peer);
	for (uint32_t i = 4; i <= 9; i++) {
		say(b.peer, i);
		peer_expect(b.peer, TCP_ACK, 1, 1);
	}
	assert_int_equal(peer_info(b.peer, b.id).acks_compressed, 0);
	peer_close(b.peer);
}

/* Five in a hundred of 8 ms are less than is worth it. */
static void test_short_path(void **state)
{
	(void)state;
	struct bed b = begin_with(8 * NANO_MS, 44, 0, true);
	lose_first(b.peer);
	say(b.peer, 4);
	assert_int_equal(peer_expect(b.peer, TCP_ACK, 1, 1)->time, b.peer->now);
	peer_close(b.peer);
}

/* Many come before it is worth it, counted since nothing was held: a second hole begins no other
count. Then the first three again. */
static void test_after(void **state)
{
	(void)state;
	struct bed b = begin_with(30 * NANO_MS, 44, 20, true);
	struct wire_peer *p = b.peer;
	lose_first(p);
	for (uint32_t i = 5; i <= 15; i++) {
		say(p, i);
		assert_int_equal(peer_expect(p, TCP_ACK, 1, 1)->time, p->now);
	}
	say(p, 0);
	peer_expect(p, TCP_ACK, 1, 1 + 4 * PIECE);
	for (uint32_t i = 16; i <= 24; i++) {
		say(p, i);
		assert_int_equal(peer_expect(p, TCP_ACK, 1, 1 + 4 * PIECE)->time, p->now);
	}
	say(p, 25);
	peer_expect_nothing(p);
	peer_wait(p, NANO_S);
	expect_block(peer_expect(p, TCP_ACK, 1, 1 + 4 * PIECE), 0, 5, 25);
	say(p, 4);
	peer_expect(p, TCP_ACK, 1, 1 + 26 * PIECE);
	for (uint32_t i = 27; i <= 40; i++) { /* another loss */
		say(p, i);
		peer_expect(p, TCP_ACK, 1, 1 + 26 * PIECE);
	}
	peer_expect_nothing(p);
	peer_close(p);
}

static void test_at_once(void **state)
{
	(void)state;
	expect_each_at_once(44, false);
	expect_each_at_once(0, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_run),
		cmocka_unit_test(test_filled),
		cmocka_unit_test(test_ranges),
		cmocka_unit_test(test_most),
		cmocka_unit_test(test_more_to_tell),
		cmocka_unit_test(test_short_path),
		cmocka_unit_test(test_after),
		cmocka_unit_test(test_at_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
