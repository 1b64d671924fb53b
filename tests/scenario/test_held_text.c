/*
 * Text beyond many holes: all that is worth it is held, up to the config's limit;
 * the memory for it comes from the rings and goes back; and the stream is right in
 * the end, whatever was held and whatever was dropped.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "support/wire_peer.h"
#include "transport/endpoints.h"

#define PIECE 300u
#define WHOLE (2 * PIECE)
#define MOST  400u

static uint8_t pattern[WHOLE * MOST + PIECE];

static struct wire_peer *begin(uint32_t held_ranges, uint32_t blocks, sock_id *id)
{
	struct stack_config c;
	peer_config(&c);
	c.transport.receive_buffer = 512 * 1024;
	c.transport.held_ranges = held_ranges;
	c.transport.blocks = blocks;
	c.transport.big_blocks = 32;
	struct wire_peer *p = peer_open(&c, false);
	struct tcp_options ok = { .has = TCP_HAS_SACK_PERMITTED | TCP_HAS_WSCALE };
	*id = peer_accepted(p, &ok);
	for (uint32_t i = 0; i < sizeof pattern; i++)
		pattern[i] = (uint8_t)(i * 7 + i / 251);
	return p;
}

static uint64_t dropped(const struct wire_peer *p, enum drop reason)
{
	return stack_counters(p->stack)->drop[reason];
}

/* Every second piece, from the second on. */
static void send_with_holes(struct wire_peer *p, uint32_t pieces)
{
	for (uint32_t i = 0; i < pieces; i++) {
		uint32_t at = i * WHOLE + PIECE;
		SAY(p, .flags = TCP_ACK, .them = 1 + at, .us = 1, .text = pattern + at,
			.len = PIECE);
		p->taken = p->count = 0;
	}
}

/* All of it, as a retransmission; what was dropped comes again with it. */
static void fill(struct wire_peer *p, sock_id id, uint32_t pieces)
{
	static uint8_t got[sizeof pattern];
	uint32_t read = 0;
	for (uint32_t at = 0; at < pieces * WHOLE; at += PIECE) {
		SAY(p, .flags = TCP_ACK, .them = 1 + at, .us = 1, .text = pattern + at,
			.len = PIECE);
		p->taken = p->count = 0;
		int64_t n = sock_read(p->stack, id, got + read, sizeof got - read);
		if (n > 0)
			read += (uint32_t)n;
	}
	assert_int_equal(read, pieces * WHOLE);
	assert_memory_equal(got, pattern, read);
	assert_int_equal(stack_transport(p->stack)->held_pool.used, 0);
}

static void hundreds_of_holes(void **state)
{
	(void)state;
	sock_id id;
	struct wire_peer *p = begin(2048, 4096, &id);
	send_with_holes(p, MOST);
	assert_int_equal(dropped(p, DROP_TCP_RANGES_FULL), 0);
	/* 146 places in a block were too few: a large block has taken over. */
	assert_int_equal(stack_transport(p->stack)->held_pool.used, 1);
	assert_true(stack_transport(p->stack)->blocks.big.used > 0);
	fill(p, id, MOST);
	peer_close(p);
}

static void the_configured_limit(void **state)
{
	(void)state;
	static const uint32_t limits[] = { 32, 100, 170, 200 };
	for (unsigned i = 0; i < sizeof limits / sizeof *limits; i++) {
		sock_id id;
		struct wire_peer *p = begin(limits[i], 4096, &id);
		send_with_holes(p, MOST);
		assert_int_equal(dropped(p, DROP_TCP_RANGES_FULL), MOST - limits[i]);
		fill(p, id, MOST);
		peer_close(p);
	}
}

/* A small piece opens no larger set, but finds its place in one that is there. */
static void small_pieces(void **state)
{
	(void)state;
	sock_id id;
	struct wire_peer *p = begin(2048, 4096, &id);
	for (uint32_t i = 0; i < 40; i++)
		SAY(p, .flags = TCP_ACK, .them = 1 + 2 * i + 1, .us = 1,
			.text = pattern + 2 * i + 1, .len = 1);
	assert_int_equal(dropped(p, DROP_TCP_RANGES_FULL), 8);
	SAY(p, .flags = TCP_ACK, .them = 1 + WHOLE, .us = 1, .text = pattern + WHOLE, .len = PIECE);
	assert_int_equal(dropped(p, DROP_TCP_RANGES_FULL), 8);
	SAY(p, .flags = TCP_ACK, .them = 1 + 79, .us = 1, .text = pattern + 79, .len = 1);
	assert_int_equal(dropped(p, DROP_TCP_RANGES_FULL), 8);
	fill(p, id, 2);
	peer_close(p);
}

/* Where there is no memory, there are 32 places as ever; nothing is lost for good. */
static void no_memory(void **state)
{
	(void)state;
	sock_id id;
	struct wire_peer *p = begin(2048, 16, &id);
	send_with_holes(p, MOST);
	fill(p, id, MOST);
	peer_close(p);
}

/* A connection that ends with a large set leaves nothing behind. */
static void an_abort_gives_all_back(void **state)
{
	(void)state;
	static const uint32_t pieces[] = { 20, 100, MOST };
	for (unsigned i = 0; i < sizeof pieces / sizeof *pieces; i++) {
		sock_id id;
		struct wire_peer *p = begin(2048, 4096, &id);
		send_with_holes(p, pieces[i]);
		sock_abort(p->stack, id);
		peer_flush(p);
		const struct transport *t = stack_transport(p->stack);
		assert_int_equal(t->held_pool.used, 0);
		assert_int_equal(t->blocks.small.used + t->blocks.big.used, 0);
		peer_close(p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hundreds_of_holes),
		cmocka_unit_test(the_configured_limit),
		cmocka_unit_test(small_pieces),
		cmocka_unit_test(no_memory),
		cmocka_unit_test(an_abort_gives_all_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
