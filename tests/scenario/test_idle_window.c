/*
 * What a window is worth that was not used (RFC 7661): kept over a pause, halved each
 * five minutes, not relied on when something is lost; and the two ways of Linux beside
 * it. Against a peer written by hand, in virtual time.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "support/wire_peer.h"
#include "transport/congestion/congestion.h"
#include "transport/transport.h"

#define RTT    (20 * NANO_MS)
#define MINUTE (60 * NANO_S)

static uint8_t pattern[1 << 20];

struct flow {
	struct wire_peer *p;
	sock_id id;
	uint32_t sent; /* bytes written so far */
};

static struct flow begin(enum idle_window use)
{
	struct stack_config c;
	peer_config(&c);
	c.transport.idle_window = (uint8_t)use;
	c.transport.congestion = CC_RENO;
	struct flow f = { .p = peer_open(&c, false) };
	f.id = peer_accepted(f.p, NULL);
	return f;
}

static struct sock_tcp_info info(const struct flow *f)
{
	struct sock_tcp_info i;
	assert_int_equal(sock_tcp_info(f->p->stack, f->id, &i), 0);
	return i;
}

static void acknowledge(struct flow *f, uint32_t upto)
{
	SAY(f->p, TCP_ACK, .them = 1, .us = 1 + upto, .window = 65535);
}

/* `len` bytes, each second segment acknowledged a round trip after it left. */
static void transfer(struct flow *f, uint32_t len)
{
	uint32_t end = f->sent + len, acked = f->sent;
	assert_int_equal(sock_write(f->p->stack, f->id, pattern, len), len);
	peer_flush(f->p);
	while (acked < end) {
		f->p->taken = f->p->count = 0;
		uint32_t out = info(f).unacked;
		assert_true(out > 0);
		peer_wait(f->p, RTT);
		for (uint32_t upto = acked + out; acked < upto;) {
			acked = acked + 2000 < upto ? acked + 2000 : upto;
			acknowledge(f, acked);
			f->p->taken = f->p->count = 0;
		}
	}
	f->sent = end;
}

static uint32_t cwnd(const struct flow *f)
{
	return info(f).cwnd / 1000;
}

/* Brings the window to some forty segments, by using it. */
static uint32_t grow(struct flow *f)
{
	while (cwnd(f) < 40)
		transfer(f, 40000);
	return cwnd(f);
}

static void finish(struct flow *f)
{
	sock_abort(f->p->stack, f->id);
	peer_close(f->p);
}

/* Minutes of silence change nothing, though the connection gives its memory back; the first flight
 * after it goes over a round trip and not at once. */
static void test_kept_over_a_pause(void **state)
{
	(void)state;
	struct flow f = begin(IDLE_WINDOW_VALIDATED);
	uint32_t before = grow(&f);
	peer_wait(f.p, 4 * MINUTE);
	assert_true(cwnd(&f) <= before && cwnd(&f) >= before * 15 / 16);
	f.p->taken = f.p->count = 0;
	assert_int_equal(sock_write(f.p->stack, f.id, pattern, 40000), 40000);
	peer_flush(f.p);
	assert_true(f.p->count >= 2 && f.p->count < 20);
	peer_wait(f.p, RTT);
	uint32_t out = info(&f).unacked;
	assert_true(out >= 36000);
	acknowledge(&f, f.sent + out);
	finish(&f);
}

/* RFC 7661 4.4.3: after five minutes a half, after ten a quarter, and no less than at the start. */
static void test_five_minutes(void **state)
{
	(void)state;
	struct flow f = begin(IDLE_WINDOW_VALIDATED);
	uint32_t before = grow(&f);
	peer_wait(f.p, 6 * MINUTE);
	transfer(&f, 1000);
	assert_in_range(cwnd(&f), before * 15 / 32 - 1, before / 2 + 1);
	assert_true(info(&f).ssthresh >= before * 1000 * 5 / 8);
	peer_wait(f.p, 30 * MINUTE);
	transfer(&f, 1000);
	assert_int_equal(cwnd(&f), 10);
	finish(&f);
}

/* An application that sends little all the time does not validate the window either. */
static void test_without_a_pause(void **state)
{
	(void)state;
	struct flow f = begin(IDLE_WINDOW_VALIDATED);
	uint32_t before = grow(&f);
	for (unsigned i = 0; i < 240; i++) {
		transfer(&f, 1000);
		peer_wait(f.p, NANO_S);
	}
	assert_int_equal(cwnd(&f), before);
	for (unsigned i = 0; i < 240; i++) {
		transfer(&f, 1000);
		peer_wait(f.p, NANO_S);
	}
	assert_int_equal(cwnd(&f), before / 2);
	finish(&f);
}

/* Whoever uses half of it keeps it, for any time. */
static void test_half_is_enough(void **state)
{
	(void)state;
	struct flow f = begin(IDLE_WINDOW_VALIDATED);
	uint32_t before = grow(&f);
	for (unsigned i = 0; i < 900; i++) {
		transfer(&f, (before / 2 + 2) * 1000);
		peer_wait(f.p, NANO_S);
	}
	assert_true(cwnd(&f) >= before);
	finish(&f);
}

/* RFC 7661 4.4.2: a loss in a window of which little was used ends where the use was. */
static void test_loss(void **state)
{
	(void)state;
	struct flow f = begin(IDLE_WINDOW_VALIDATED);
	grow(&f);
	for (unsigned i = 0; i < 40; i++) {
		transfer(&f, 6000);
		peer_wait(f.p, 100 * NANO_MS);
	}
	assert_true(cwnd(&f) >= 40);
	assert_int_equal(sock_write(f.p->stack, f.id, pattern, 6000), 6000);
	peer_flush(f.p);
	peer_wait(f.p, RTT);
	for (unsigned i = 0; i < 4; i++) /* the first is lost */
		acknowledge(&f, f.sent);
	assert_true(info(&f).recovering);
	assert_int_equal(info(&f).ssthresh, 3000);
	peer_wait(f.p, RTT);
	f.sent += 6000;
	acknowledge(&f, f.sent);
	assert_false(info(&f).recovering);
	assert_int_equal(info(&f).cwnd, 2500); /* half of what was not sent again */
	finish(&f);
}

/* Linux's two ways. */
static void test_decays(void **state)
{
	(void)state;
	struct flow f = begin(IDLE_WINDOW_DECAYS);
	uint32_t before = grow(&f);
	peer_wait(f.p, info(&f).rto + 50 * NANO_MS);
	transfer(&f, 1000);
	assert_int_equal(cwnd(&f), before / 2);
	grow(&f);
	peer_wait(f.p, MINUTE);
	transfer(&f, 1000);
	assert_int_equal(cwnd(&f), 10);
	finish(&f);
}

static void test_kept(void **state)
{
	(void)state;
	struct flow f = begin(IDLE_WINDOW_KEPT);
	uint32_t before = grow(&f);
	peer_wait(f.p, 60 * MINUTE);
	transfer(&f, 1000);
	assert_in_range(cwnd(&f), before * 15 / 16, before);
	finish(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kept_over_a_pause),
		cmocka_unit_test(test_five_minutes),
		cmocka_unit_test(test_without_a_pause),
		cmocka_unit_test(test_half_is_enough),
		cmocka_unit_test(test_loss),
		cmocka_unit_test(test_decays),
		cmocka_unit_test(test_kept),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
