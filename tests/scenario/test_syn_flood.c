/*
 * A flood of SYNs from addresses that never answer, beside honest clients. With SYN
 * cookies all of these are served and half-open memory stays at its bound; without,
 * none is. TCP-35 and TCP-36 of the list of attacks, and TCP-30: what a cookie keeps of
 * the SYN, for how long it is good, and what its numbers tell.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "support/wire_peer.h"
#include "transport/endpoints.h"

#define FLOOD   1000000u /* SYNs, one a microsecond */
#define HONEST  100u
#define RTT     50000u /* us, of the honest */
#define EMBRYOS 256u

static const struct tcp_options rich = { .has = TCP_HAS_MSS | TCP_HAS_WSCALE |
		TCP_HAS_SACK_PERMITTED | TCP_HAS_TIMESTAMPS,
	.mss = 1400,
	.wscale = 7,
	.tsval = 5000 };

static struct wire_peer *flooded(uint8_t cookies, sock_id *listener)
{
	struct stack_config c;
	peer_config(&c);
	c.transport.timestamps = true;
	c.transport.embryos = EMBRYOS;
	c.transport.syn_cookies = cookies;
	struct wire_peer *p = peer_open(&c, false);
	struct addr any4 = addr_from4((const uint8_t[]){ 0, 0, 0, 0 });
	assert_int_equal(stack_add_route(p->stack, &any4, 0, &p->remote, p->nif), ERR_OK);
	p->port = 80;
	struct sock_options o = { .local_port = 80 };
	assert_int_equal(sock_listen(p->stack, &o, listener), 0);
	return p;
}

static void from(struct wire_peer *p, uint32_t address, uint16_t port)
{
	uint8_t four[4];
	store32(four, address);
	p->remote = addr_from4(four);
	p->peer_port = port;
	p->count = p->taken = 0;
}

static void spoof(struct wire_peer *p, uint32_t n)
{
	from(p, 0xc6120000 | (n & 0x1ffff), (uint16_t)(1024 + n / 7)); /* 198.18.0.0/15 */
	SAY(p, .flags = TCP_SYN, .them = n * 2654435761u);
}

struct honest {
	uint32_t iss, tsval; /* of the SYN-ACK */
};

static void honest_syn(struct wire_peer *p, struct honest *h, uint32_t n)
{
	from(p, 0x0a000001 + n, 2000);
	SAY(p, .flags = TCP_SYN, .options = rich);
	const struct peer_segment *s = peer_next(p);
	assert_non_null(s);
	assert_int_equal(s->h.flags, TCP_SYN | TCP_ACK);
	h->iss = p->iss;
	h->tsval = s->h.options.tsval;
}

static void honest_ack(struct wire_peer *p, const struct honest *h, uint32_t n)
{
	from(p, 0x0a000001 + n, 2000);
	p->iss = h->iss;
	SAY(p, .flags = TCP_ACK, .them = 1, .us = 1, .text = "hello", .len = 5,
		.options = { .has = TCP_HAS_TIMESTAMPS, .tsval = 5050, .tsecr = h->tsval });
}

/* What the application sees of them. */
static unsigned serve(struct wire_peer *p, sock_id listener)
{
	unsigned served = 0;
	sock_id id;
	while (sock_accept(p->stack, listener, NULL, NULL, &id, NULL) == 0) {
		uint8_t got[8];
		if (sock_read(p->stack, id, got, sizeof got) == 5 && !memcmp(got, "hello", 5))
			served++;
		struct sock_tcp_info info;
		assert_int_equal(sock_tcp_info(p->stack, id, &info), 0);
		assert_true(info.timestamps && info.sack);
		assert_int_equal(info.snd_wscale, 7);
		assert_true(info.mss >= 1360 - 12 && info.mss <= 1400 - 12);
		sock_abort(p->stack, id);
		p->count = 0;
		peer_flush(p);
	}
	return served;
}

/* The flood; returns how many of the honest were served. */
static unsigned flood(struct wire_peer *p, sock_id listener, uint32_t syns)
{
	static struct honest honest[HONEST];
	const struct transport *t = stack_transport(p->stack);
	uint32_t each = (syns - RTT) / HONEST;
	unsigned served = 0;
	for (uint32_t n = 0; n < syns; n++) {
		p->now += NANO_US;
		if (n % 1000 == 0)
			stack_timers(p->stack, p->now);
		spoof(p, n);
		if (n % each == 0 && n / each < HONEST)
			honest_syn(p, &honest[n / each], n / each);
		if (n >= RTT && (n - RTT) % each == 0 && (n - RTT) / each < HONEST) {
			honest_ack(p, &honest[(n - RTT) / each], (n - RTT) / each);
			served += serve(p, listener);
		}
		assert_true(t->embryo_pool.used <= EMBRYOS);
	}
	return served;
}

static void test_tcp_35_flood_with_cookies(void **state)
{
	(void)state;
	sock_id listener;
	struct wire_peer *p = flooded(SYN_COOKIES_PRESSURE, &listener);
	assert_int_equal(flood(p, listener, FLOOD), HONEST);
	assert_true(stack_counters(p->stack)->sent_why[WHY_SYN_COOKIE] > FLOOD - 2 * EMBRYOS);
	/* Never more half-open ones than the threshold, and all are gone a while later. */
	const struct transport *t = stack_transport(p->stack);
	assert_int_equal(t->embryo_pool.used, EMBRYOS - EMBRYOS / 4);
	p->count = 0;
	for (unsigned i = 0; i < 200; i++) {
		peer_wait(p, NANO_S);
		p->count = 0;
	}
	assert_int_equal(t->embryo_pool.used, 0);
	assert_int_equal(t->conn_pool.used, 0);
	peer_close(p);
}

static void test_tcp_35_flood_without(void **state)
{
	(void)state;
	sock_id listener;
	struct wire_peer *p = flooded(SYN_COOKIES_OFF, &listener);
	assert_int_equal(flood(p, listener, FLOOD / 5), 0);
	assert_int_equal(stack_transport(p->stack)->embryo_pool.used, EMBRYOS);
	peer_close(p);
}

/* No flood, no cookies: an ACK out of nowhere is refused though its number be a good cookie. */
static void test_tcp_36_only_under_pressure(void **state)
{
	(void)state;
	sock_id listener;
	struct honest h;
	struct wire_peer *p = flooded(SYN_COOKIES_ALWAYS, &listener);
	honest_syn(p, &h, 0);
	assert_int_equal(p->sent[0].why, WHY_SYN_COOKIE);
	assert_int_equal(stack_transport(p->stack)->embryo_pool.used, 0);
	assert_int_equal(sock_close(p->stack, listener), 0);
	struct sock_options o = { .local_port = 80 };
	assert_int_equal(sock_listen(p->stack, &o, &listener), 0);
	honest_ack(p, &h, 0); /* this listener sent none */
	assert_int_equal(p->count, 1);
	assert_int_equal(p->sent[0].h.flags, TCP_RST);
	assert_int_equal(serve(p, listener), 0);

	struct wire_peer *calm = flooded(SYN_COOKIES_PRESSURE, &listener);
	honest_syn(calm, &h, 0);
	assert_int_equal(calm->sent[0].why, WHY_SYN_ACK);
	assert_int_equal(stack_transport(calm->stack)->embryo_pool.used, 1);
	peer_close(calm);
	peer_close(p);
}

/* Good within two periods, not after; a replay while the connection lives opens no second one. */
static void test_tcp_36_replay(void **state)
{
	(void)state;
	sock_id listener, id;
	struct honest h;
	struct wire_peer *p = flooded(SYN_COOKIES_ALWAYS, &listener);
	honest_syn(p, &h, 0);
	peer_wait(p, 60 * NANO_S);
	honest_ack(p, &h, 0);
	honest_ack(p, &h, 0);
	id = peer_take(p, listener);
	assert_int_equal(sock_accept(p->stack, listener, NULL, NULL, &id, NULL), -ERR_AGAIN);
	honest_syn(p, &h, 1);
	peer_wait(p, 130 * NANO_S);
	honest_syn(p, &h, 2); /* the listener still sends them: that alone must not save the old */
	struct honest old = h;
	peer_wait(p, 130 * NANO_S);
	honest_syn(p, &h, 3);
	honest_ack(p, &old, 2);
	assert_int_equal(p->count, 1);
	assert_int_equal(p->sent[0].h.flags, TCP_RST);
	assert_int_equal(sock_accept(p->stack, listener, NULL, NULL, &id, NULL), -ERR_AGAIN);
	peer_close(p);
}

/* Guesses, with the sequence numbers of a cookie that is out: none of a hundred thousand. */
static void test_tcp_36_guesses(void **state)
{
	(void)state;
	sock_id listener;
	struct honest h;
	struct wire_peer *p = flooded(SYN_COOKIES_ALWAYS, &listener);
	honest_syn(p, &h, 0);
	struct rng rng;
	rng_seed(&rng, span_of("guessed cookies ", 16));
	for (unsigned i = 0; i < 100000; i++) {
		from(p, 0x0a000001, 2000);
		p->iss = (uint32_t)rng_next(&rng);
		if (p->iss == h.iss)
			continue;
		SAY(p, .flags = TCP_ACK, .them = 1, .us = 1);
		assert_int_equal(stack_transport(p->stack)->conn_pool.used, 0);
	}
	peer_close(p);
}

/* Without timestamps only the MSS comes back: what was promised in the SYN-ACK says so. */
static void test_cookie_without_timestamps(void **state)
{
	(void)state;
	sock_id listener, id;
	struct wire_peer *p = flooded(SYN_COOKIES_ALWAYS, &listener);
	struct tcp_options o = rich;
	o.has &= (uint16_t)~TCP_HAS_TIMESTAMPS;
	SAY(p, .flags = TCP_SYN, .options = o);
	const struct peer_segment *s = peer_expect(p, TCP_SYN | TCP_ACK, 0, 1);
	assert_int_equal(s->h.options.has, TCP_HAS_MSS);
	SAY(p, .flags = TCP_ACK, .them = 1, .us = 1, .window = 1000);
	id = peer_take(p, listener);
	struct sock_tcp_info info;
	assert_int_equal(sock_tcp_info(p->stack, id, &info), 0);
	assert_false(info.timestamps || info.sack);
	assert_int_equal(info.snd_wscale, 0);
	assert_int_equal(info.rcv_wscale, 0);
	assert_int_equal(info.snd_wnd, 1000);
	assert_int_equal(info.mss, 1360);
	peer_close(p);
}

/* The clock in cookie SYN-ACKs is another one for each tuple, and so are the sequence numbers:
 * neither tells of a port that somebody else uses. */
static void test_tcp_30_cookie_clocks(void **state)
{
	(void)state;
	sock_id listener;
	struct wire_peer *p = flooded(SYN_COOKIES_ALWAYS, &listener);
	uint32_t clock[64], bits = 0;
	for (unsigned i = 0; i < 64; i++) {
		from(p, 0x0a000001, (uint16_t)(3000 + i));
		SAY(p, .flags = TCP_SYN, .options = rich);
		clock[i] = p->sent[0].h.options.tsval;
		for (unsigned k = 0; k < i; k++) /* a shared clock would give the same minute */
			assert_true(clock[i] - clock[k] > 1000 && clock[k] - clock[i] > 1000);
		bits |= clock[i] ^ clock[0];
	}
	assert_int_equal(bits >> 26, 63); /* the high bits differ as well */
	peer_close(p);
}

/* While one listener's clients flood, another that wants no cookies keeps its word. */
static void test_cookies_of_one_listener(void **state)
{
	(void)state;
	sock_id always, never;
	struct wire_peer *p = flooded(SYN_COOKIES_PRESSURE, &never);
	struct sock_options o = { .local_port = 81, .syn_cookies = SYN_COOKIES_ALWAYS };
	assert_int_equal(sock_listen(p->stack, &o, &always), 0);
	p->port = 81;
	SAY(p, .flags = TCP_SYN, .options = rich);
	assert_int_equal(p->sent[0].why, WHY_SYN_COOKIE);
	p->port = 80;
	SAY(p, .flags = TCP_SYN, .options = rich);
	assert_int_equal(p->sent[1].why, WHY_SYN_ACK);
	peer_close(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tcp_35_flood_with_cookies),
		cmocka_unit_test(test_tcp_35_flood_without),
		cmocka_unit_test(test_tcp_36_only_under_pressure),
		cmocka_unit_test(test_tcp_36_replay),
		cmocka_unit_test(test_tcp_36_guesses),
		cmocka_unit_test(test_cookie_without_timestamps),
		cmocka_unit_test(test_tcp_30_cookie_clocks),
		cmocka_unit_test(test_cookies_of_one_listener),
	};
	return cmocka_run_group_tests(tests, NULL, peer_work_was_counted);
}
