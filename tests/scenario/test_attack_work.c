/*
 * Attacks that want our time: each makes a table or a list of ours as long as its
 * bound allows, and then asks for a walk over all of it, again and again. The
 * hand-written peer holds every call of the stack to its bound of work (I27,
 * sim/work.h), which grows with the logarithm of what the tables hold; and what costs
 * the most among a thousand is compared with the same among a hundred. Work is steps
 * of the core, not time.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "sim/work.h"
#include "support/wire_peer.h"
#include "transport/endpoints.h"

#define SMALL 100u  /* of the segments in the first test, bytes */
#define SENT  1000u /* ranges in flight there */
#define TIMES 10u   /* as many as where there are few */
#define MORE  (WORK_LOG * 4u) /* what ten times as many may cost: log2(10) is less than 4 */
#define HELD  2000u /* ranges beyond a hole */
#define GAP   512u
#define OPEN  20000u /* half-open connections */

static uint8_t text[1 << 16];

/* What the next segments cost: the steps of the dearest of them. */
struct cost {
	uint64_t before, most;
};

static void cost_begin(struct cost *c)
{
	c->before = work_steps();
}

static void cost_end(struct cost *c)
{
	uint64_t took = work_steps() - c->before;
	assert_true(took > 0); /* they are counted */
	c->most = took > c->most ? took : c->most;
}

static uint32_t in_flight(struct wire_peer *p)
{
	return stack_transport(p->stack)->range_pool.used;
}

/* Acknowledges half of what is out until the window holds so many segments. Returns SND.UNA. */
static uint32_t fill_flight(struct wire_peer *p, sock_id id, uint32_t segments)
{
	uint32_t una = 1;
	for (unsigned turn = 0; turn < 2000 && in_flight(p) < segments; turn++) {
		sock_write(p->stack, id, text, sizeof text);
		peer_forget(p);
		una += 50 * SMALL;
		SAY(p, .flags = TCP_ACK, .them = 1, .us = una, .window = 65535);
		peer_wait(p, NANO_MS);
	}
	assert_true(in_flight(p) >= segments);
	return una;
}

static struct wire_peer *open_flight(uint32_t segments, uint32_t *una)
{
	struct stack_config c;
	peer_config(&c);
	c.transport.initial_window = 100;
	c.transport.send_buffer = 1 << 20;
	struct wire_peer *p = peer_open(&c, false);
	struct tcp_options ok = { .has = TCP_HAS_SACK_PERMITTED | TCP_HAS_MSS | TCP_HAS_WSCALE,
		.mss = SMALL,
		.wscale = 8 };
	sock_id id = peer_accepted(p, &ok);
	*una = fill_flight(p, id, segments);
	return p;
}

/* An ACK with four blocks of `len` bytes at these segments. */
static void sack(struct wire_peer *p, uint32_t una, const uint32_t segment[4], uint32_t offset,
	uint32_t len, struct cost *cost)
{
	struct tcp_options sack = { .has = TCP_HAS_SACK, .sack_count = 4 };
	for (uint32_t k = 0; k < 4; k++) {
		sack.sack[k].start = p->iss + una + segment[k] * SMALL + offset;
		sack.sack[k].end = sack.sack[k].start + len;
	}
	peer_forget(p);
	if (cost)
		cost_begin(cost);
	/* a small window: nothing new goes */
	SAY(p, .flags = TCP_ACK, .them = 1, .us = una, .options = sack, .window = 1);
	if (cost)
		cost_end(cost);
}

/*
 * TCP-15, and TCP-20's false blocks: a long flight, of which each ACK names four tiny places of the
 * oldest segments, so that every block is looked for from the far end. No range is ever split.
 */
static uint64_t tiny_places(uint32_t segments)
{
	struct cost cost = { 0, 0 };
	uint32_t una;
	struct wire_peer *p = open_flight(segments, &una);
	const struct tcp_conn *c = pool_at(&stack_transport(p->stack)->conn_pool, 0);
	for (uint32_t i = 0; i < 200; i++) { /* the first one builds the tree */
		sack(p, una, (const uint32_t[]){ 4, 3, 2, 1 }, 10 + i % 50, 1, i ? &cost : NULL);
		assert_true(in_flight(p) <= (c->snd_nxt - c->snd_una) / SMALL + 1);
	}
	peer_close(p);
	return cost.most;
}

static void test_tcp_15_20_walks_over_the_flight(void **state)
{
	(void)state;
	uint64_t few = tiny_places(SENT / TIMES), many = tiny_places(SENT);
	if (many > few + MORE)
		fail_msg("%llu steps in %u ranges, %llu in %u", (unsigned long long)few,
			SENT / TIMES, (unsigned long long)many, SENT);
}

/*
 * Every second segment is SACKed, so that no two ranges become one; from both ends in turn, so that
 * no place that was remembered is the next one. What is lost between goes again while that goes on,
 * and gets lost again; in the end it is asked for from the front, of which nothing is new.
 */
static uint64_t every_second(uint32_t segments)
{
	struct cost cost = { 0, 0 };
	uint32_t una;
	struct wire_peer *p = open_flight(segments, &una);
	uint32_t last = segments - 1 - segments % 2;
	for (uint32_t i = 1; i + 8 < segments / 2; i += 4) {
		uint32_t at[4] = { i, last - i - 1, i + 2, last - i - 3 };
		sack(p, una, at, 0, SMALL, i > 1 ? &cost : NULL);
		if (i % 16 == 1)
			peer_wait(p, NANO_MS);
	}
	for (uint32_t i = 0; i < 50; i++) {
		uint32_t old[4] = { 1 + i % 5 * 2, segments / 4 | 1, 3, last - 2 };
		sack(p, una, old, 0, SMALL, &cost);
		peer_wait(p, 20 * NANO_MS);
	}
	peer_close(p);
	return cost.most;
}

static void test_tcp_15_alternating_blocks(void **state)
{
	(void)state;
	uint64_t few = every_second(SENT / TIMES), many = every_second(SENT);
	if (many > few + 8 * MORE) /* four blocks: found and marked, and what was lost too */
		fail_msg("%llu steps in %u ranges, %llu in %u", (unsigned long long)few,
			SENT / TIMES, (unsigned long long)many, SENT);
}

/* TCP-18: as many ranges beyond a hole as the config allows, each large enough to be worth one;
 * then a flood of more in between, first to last. Then the hole is filled. */
static uint64_t held_ranges(uint32_t most)
{
	struct stack_config c;
	struct cost cost = { 0, 0 };
	peer_config(&c);
	c.transport.receive_buffer = HELD * GAP + (1 << 16);
	c.transport.held_ranges = HELD;
	struct wire_peer *p = peer_open(&c, false);
	struct tcp_options ok = { .has = TCP_HAS_SACK_PERMITTED };
	ok.has |= TCP_HAS_WSCALE | TCP_HAS_MSS;
	ok.mss = 1000;
	peer_accepted(p, &ok);
	for (uint32_t i = 0; i < most + 200; i++) {
		peer_forget(p);
		cost_begin(&cost);
		SAY(p, .flags = TCP_ACK, .them = 2 + i * 789 % most * GAP, .us = 1, .text = text,
			.len = 256 + i / most);
		cost_end(&cost);
	}
	const struct transport *t = stack_transport(p->stack);
	const struct interval_set *held = pool_at(&t->held_pool, 0);
	assert_in_range(held->count, most / 2, most);
	for (uint32_t at = 1; at < most * GAP; at += 1000) {
		peer_forget(p);
		cost_begin(&cost);
		SAY(p, .flags = TCP_ACK, .them = at, .us = 1, .text = text, .len = 1000);
		cost_end(&cost);
	}
	peer_close(p);
	return cost.most;
}

static void test_tcp_18_walks_over_the_held(void **state)
{
	(void)state;
	uint64_t few = held_ranges(HELD / TIMES), many = held_ranges(HELD);
	if (many > few + MORE)
		fail_msg("%llu steps in %u ranges, %llu in %u", (unsigned long long)few,
			HELD / TIMES, (unsigned long long)many, HELD);
}

static void spoof(struct wire_peer *p, uint32_t n, uint16_t flags, struct cost *c)
{
	uint8_t four[4];
	store32(four, 0xc6120000 + n); /* 198.18.0.0/15 */
	p->remote = addr_from4(four);
	p->peer_port = (uint16_t)(1024 + n % 60000);
	peer_forget(p);
	cost_begin(c);
	SAY(p, .flags = flags, .them = n * 2654435761u);
	cost_end(c);
}

/*
 * TCP-35: a SYN costs with twenty thousand half-open connections what it costs with a hundred, and
 * so does a segment that belongs to none of them: the table is keyed, so nobody fills one line of
 * it.
 */
static void test_tcp_35_tables_cost_nothing(void **state)
{
	(void)state;
	struct stack_config c;
	struct cost few = { 0, 0 }, many = { 0, 0 }, others = { 0, 0 };
	peer_config(&c);
	c.transport.embryos = OPEN;
	c.transport.syn_cookies = SYN_COOKIES_OFF;
	struct wire_peer *p = peer_open(&c, false);
	struct addr any4 = addr_from4((const uint8_t[]){ 0, 0, 0, 0 });
	assert_int_equal(stack_add_route(p->stack, &any4, 0, &p->remote, p->nif), ERR_OK);
	peer_listen(p);
	for (uint32_t n = 0; n < 100; n++)
		spoof(p, n, TCP_SYN, &few);
	for (uint32_t n = 100; n < OPEN; n++)
		spoof(p, n, TCP_SYN, &many);
	assert_int_equal(stack_transport(p->stack)->embryo_pool.used, OPEN);
	for (uint32_t n = 0; n < 1000; n++)
		spoof(p, 2 * OPEN + n, TCP_ACK | TCP_RST, &others);
	assert_true(many.most <= few.most + 200);
	assert_true(others.most <= few.most);
	peer_close(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tcp_15_20_walks_over_the_flight),
		cmocka_unit_test(test_tcp_15_alternating_blocks),
		cmocka_unit_test(test_tcp_18_walks_over_the_held),
		cmocka_unit_test(test_tcp_35_tables_cost_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
