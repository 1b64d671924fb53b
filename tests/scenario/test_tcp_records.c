/*
 * The ends of records in what is sent (MSG_EOR): no segment has bytes from both sides of one, the
 * memory for them is bounded and goes back, and who writes more of them than fit waits.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/hash.h"
#include "support/wire_peer.h"
#include "transport/endpoints.h"

#define MARKS 4

static uint8_t pattern[4000];

static struct wire_peer *begin(uint32_t marks, sock_id *id, const struct tcp_options *o)
{
	struct stack_config c;
	peer_config(&c);
	c.transport.record_marks = marks;
	struct wire_peer *p = peer_open(&c, false);
	*id = peer_accepted(p, o);
	sock_set(p->stack, *id, SOCK_NODELAY, 1);
	return p;
}

static void put_record(struct wire_peer *p, sock_id id, uint32_t len)
{
	assert_int_equal(sock_write(p->stack, id, pattern, len), len);
	assert_int_equal(sock_end_record(p->stack, id), 0);
}

static void test_bounded(void **state)
{
	(void)state;
	sock_id id;
	struct wire_peer *p = begin(MARKS, &id, NULL);
	const struct pool *pool = &stack_transport(p->stack)->records_pool;
	struct sock_queue q;
	struct sock_event e;
	sock_queue_init(&q);
	sock_attach(p->stack, id, &q, NULL);
	assert_int_equal(sock_end_record(p->stack, id), 0); /* nothing was written that it ends */
	assert_int_equal(pool->used, 0);
	/* the ring of marks goes round several times */
	for (uint32_t at = 1, i = 0; i < 3; i++, at += 40) {
		for (unsigned k = 0; k < MARKS; k++) {
			put_record(p, id, 10);
			assert_int_equal(sock_end_record(p->stack, id), 0); /* the same end */
		}
		assert_int_equal(pool->used, 1);
		assert_int_equal(sock_room(p->stack, id), 0);
		assert_false(sock_poll(p->stack, id) & EVENT_WRITABLE);
		assert_int_equal(sock_write(p->stack, id, pattern, 10), -ERR_AGAIN);
		peer_flush(p);
		for (unsigned k = 0; k < MARKS; k++)
			assert_int_equal(peer_expect(p, TCP_ACK, at + 10 * k, 1)->len, 10);
		while (sock_next(p->stack, &q, &e)) {
		}
		SAY(p, .flags = TCP_ACK, .them = 1, .us = at + 15); /* the first, and half of one */
		assert_true(sock_next(p->stack, &q, &e));
		assert_true(e.events & EVENT_WRITABLE);
		assert_int_equal(sock_write(p->stack, id, pattern, 1), 1);
		at++;
		peer_flush(p);
		assert_int_equal(peer_expect(p, TCP_ACK, at + 39, 1)->len, 1);
		SAY(p, .flags = TCP_ACK, .them = 1, .us = at + 40);
		assert_int_equal(pool->used, 0);
	}
	put_record(p, id, 10);
	assert_int_equal(pool->used, 1);
	SAY(p, .flags = TCP_RST | TCP_ACK, .them = 1, .us = 1);
	assert_int_equal(pool->used, 0);
	peer_close(p);
}

/* RFC 8985 7.3: what the tail loss probe sends again begins behind the mark. */
static void test_tail_probe(void **state)
{
	(void)state;
	sock_id id;
	struct tcp_options o = PEER_MSS_SACK;
	struct wire_peer *p = begin(MARKS, &id, &o);
	sock_set(p->stack, id, SOCK_CORK, 1);
	put_record(p, id, 30);
	put_record(p, id, 20);
	sock_set(p->stack, id, SOCK_CORK, 0);
	peer_flush(p);
	assert_int_equal(peer_expect(p, TCP_ACK, 1, 1)->len, 30);
	assert_int_equal(peer_expect(p, TCP_ACK, 31, 1)->len, 20);
	peer_wait(p, NANO_S / 2);
	assert_int_equal(peer_expect(p, TCP_ACK, 31, 1)->len, 20);
	peer_close(p);
}

/* Records of all lengths, acknowledgments of any byte, and losses. */
static void test_never_joined(void **state)
{
	(void)state;
	static bool ends[1 << 20];
	for (uint32_t seed = 1; seed <= 60; seed++) {
		sock_id id;
		struct tcp_options o = PEER_MSS_SACK;
		struct wire_peer *p = begin(16, &id, seed & 1 ? &o : NULL);
		struct rng rng;
		rng_seed(&rng, span_of(&seed, sizeof seed));
		memset(ends, 0, sizeof ends);
		uint32_t written = 1, acked = 1, sent = 1;
		while (acked < 30000) {
			uint32_t len = rng_below(&rng, rng_below(&rng, 2) ? 100 : 3000) + 1;
			int64_t n = sock_write(p->stack, id, pattern, len);
			written += n > 0 ? (uint32_t)n : 0;
			if (n > 0 && rng_below(&rng, 2)) {
				sock_end_record(p->stack, id);
				ends[written] = true;
			}
			if (rng_below(&rng, 3))
				peer_flush(p);
			if (!rng_below(&rng, 8))
				peer_wait(p, NANO_S);
			for (const struct peer_segment *s; (s = peer_next(p));) {
				uint32_t from = s->h.seq - p->iss;
				for (uint32_t at = from + 1; at < from + s->len; at++)
					if (ends[at])
						fail_msg("seed %u: [%u, %u) crosses %u", seed, from,
							from + s->len, at);
				if (from + s->len > sent)
					sent = from + s->len;
			}
			p->count = p->taken = 0;
			if (n < 0 || !rng_below(&rng, 4)) {
				acked += rng_below(&rng, sent - acked + 1);
				SAY(p, .flags = TCP_ACK, .them = 1, .us = acked);
			}
		}
		peer_close(p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bounded),
		cmocka_unit_test(test_tail_probe),
		cmocka_unit_test(test_never_joined),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
