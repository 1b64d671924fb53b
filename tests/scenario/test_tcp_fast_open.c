/*
 * TCP Fast Open (RFC 7413), segment by segment, from both sides: how a cookie is asked
 * for, given, used, refused and renewed; what becomes of data that went with a SYN; and
 * the limits that keep it from being an amplifier or a hole.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "support/wire_peer.h"
#include "transport/endpoints.h"

static const uint8_t text[3000] = "some data";

/* The server's side. */

static struct wire_peer *serving(const struct stack_config *c, bool v6, uint32_t most, sock_id *l)
{
	struct wire_peer *p = peer_open(c, v6);
	struct sock_options o = { .local_port = 80, .fast_open = most };
	p->port = 80;
	assert_int_equal(sock_listen(p->stack, &o, l), 0);
	return p;
}

static void ask(struct tcp_options *o, const struct tcp_options *cookie)
{
	*o = cookie ? *cookie : (struct tcp_options){ .has = TCP_HAS_FAST_OPEN };
	o->has = TCP_HAS_FAST_OPEN | TCP_HAS_MSS;
	o->mss = 1000;
}

/* A whole handshake that asks for a cookie. */
static struct tcp_options cookie_for(struct wire_peer *p, sock_id listener, bool experimental)
{
	struct tcp_options o;
	sock_id id;
	ask(&o, NULL);
	o.fast_open_experimental = experimental;
	p->peer_port++;
	SAY(p, .flags = TCP_SYN, .options = o, .text = text, .len = 5);
	const struct peer_segment *s = peer_expect(p, TCP_SYN | TCP_ACK, 0, 1);
	assert_true(s->h.options.has & TCP_HAS_FAST_OPEN);
	assert_int_equal(s->h.options.fast_open_len, 8);
	assert_int_equal(s->h.options.fast_open_experimental, experimental);
	o = s->h.options;
	SAY(p, .flags = TCP_ACK, .them = 1, .us = 1);
	id = peer_take(p, listener);
	assert_int_equal(sock_readable(p->stack, id), 0); /* data without a cookie is not taken */
	sock_abort(p->stack, id);
	peer_flush(p);
	p->count = p->taken = 0;
	p->peer_port++;
	return o;
}

static bool was_fast(struct wire_peer *p, sock_id id)
{
	struct sock_tcp_info i;
	assert_int_equal(sock_tcp_info(p->stack, id, &i), 0);
	return i.fast_open;
}

/* Ask, then: data is there and answered before the handshake is complete. */
static void test_server(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		sock_id listener, id;
		struct wire_peer *p = serving(NULL, i & 1, 5, &listener);
		struct tcp_options cookie = cookie_for(p, listener, i & 2), o;
		uint8_t got[20];
		ask(&o, &cookie);
		SAY(p, .flags = TCP_SYN, .options = o, .text = text, .len = 10);
		const struct peer_segment *s = peer_expect(p, TCP_SYN | TCP_ACK, 0, 11);
		assert_false(s->h.options.has & TCP_HAS_FAST_OPEN);
		id = peer_take(p, listener);
		assert_string_equal(peer_state(p, id), "SYN-RECEIVED");
		assert_int_equal(sock_read(p->stack, id, got, sizeof got), 10);
		assert_memory_equal(got, text, 10);
		assert_int_equal(sock_write(p->stack, id, text, 100), 100);
		peer_flush(p);
		s = peer_expect(p, TCP_ACK, 1, 11);
		assert_int_equal(s->len, 100);
		peer_expect_nothing(p);
		SAY(p, .flags = TCP_ACK, .them = 11, .us = 101, .text = text, .len = 7);
		assert_string_equal(peer_state(p, id), "ESTABLISHED");
		assert_true(was_fast(p, id));
		assert_int_equal(sock_read(p->stack, id, got, sizeof got), 7);
		assert_int_equal(sock_close(p->stack, id), 0);
		peer_flush(p);
		peer_expect(p, TCP_ACK | TCP_FIN, 101, 18); /* who answers acknowledges with it */
		SAY(p, .flags = TCP_ACK | TCP_FIN, .them = 18, .us = 102);
		peer_expect(p, TCP_ACK, 102, 19);
		peer_wait(p, 100 * NANO_S);
		assert_int_equal(stack_transport(p->stack)->conn_pool.used, 0);
		assert_int_equal(stack_transport(p->stack)->flight_pool.used, 0);
		peer_close(p);
	}
}

/* An answer that went ahead of the handshake and got lost goes again; so does the SYN-ACK. */
static void test_server_losses(void **state)
{
	(void)state;
	sock_id listener, id;
	struct wire_peer *p = serving(NULL, false, 5, &listener);
	struct tcp_options cookie = cookie_for(p, listener, false), o;
	ask(&o, &cookie);
	SAY(p, .flags = TCP_SYN, .options = o, .text = text, .len = 10);
	id = peer_take(p, listener);
	assert_int_equal(sock_write(p->stack, id, text, 1500), 1500);
	assert_int_equal(sock_shutdown(p->stack, id), 0);
	peer_flush(p);
	peer_expect(p, TCP_SYN | TCP_ACK, 0, 11);
	peer_expect(p, TCP_ACK, 1, 11);
	peer_expect(p, TCP_ACK | TCP_FIN, 1001, 11);
	peer_expect_nothing(p);
	peer_wait(p, 1100 * NANO_MS);
	peer_expect(p, TCP_SYN | TCP_ACK, 0, 11);
	peer_expect_nothing(p);
	/* The SYN again, as of a client that heard nothing: the SYN-ACK again. */
	SAY(p, .flags = TCP_SYN, .options = { .has = TCP_HAS_MSS, .mss = 1000 });
	peer_expect(p, TCP_SYN | TCP_ACK, 0, 11);
	peer_expect_nothing(p);
	SAY(p, .flags = TCP_ACK, .them = 11, .us = 1);
	assert_string_equal(peer_state(p, id), "FIN-WAIT-1");
	peer_expect_nothing(p);
	peer_wait(p, 1100 * NANO_MS);
	peer_expect(p, TCP_ACK, 1, 11);
	SAY(p, .flags = TCP_ACK, .them = 11, .us = 1502);
	assert_string_equal(peer_state(p, id), "FIN-WAIT-2");
	peer_close(p);
}

/* Nobody answers the SYN-ACK: it ends, and its place is free again. */
static void test_server_timeout(void **state)
{
	(void)state;
	sock_id listener, id;
	struct wire_peer *p = serving(NULL, false, 1, &listener);
	struct tcp_options cookie = cookie_for(p, listener, false), o;
	ask(&o, &cookie);
	SAY(p, .flags = TCP_SYN, .options = o, .text = text, .len = 10);
	id = peer_take(p, listener);
	peer_wait(p, 70 * NANO_S);
	assert_int_equal(p->count, 1 + 5);
	assert_string_equal(peer_state(p, id), "CLOSED");
	assert_int_equal(sock_error(p->stack, id), ERR_TIMEOUT);
	p->count = p->taken = 0;
	p->peer_port++;
	SAY(p, .flags = TCP_SYN, .options = o, .text = text, .len = 10);
	peer_expect(p, TCP_SYN | TCP_ACK, 0, 11);
	peer_close(p);
}

/* More at once than the listener allows: the usual handshake. Resets count for a minute. */
static void test_server_limit(void **state)
{
	(void)state;
	sock_id listener, id;
	struct wire_peer *p = serving(NULL, false, 2, &listener);
	struct tcp_options cookie = cookie_for(p, listener, false), o;
	uint8_t got[20];
	ask(&o, &cookie);
	for (unsigned i = 0; i < 3; i++) {
		p->peer_port++;
		SAY(p, .flags = TCP_SYN, .options = o, .text = text, .len = 10);
		peer_expect(p, TCP_SYN | TCP_ACK, 0, i < 2 ? 11 : 1);
		if (i < 2)
			SAY(p, .flags = TCP_RST, .them = 11);
	}
	peer_expect_nothing(p);
	/* What came is readable, then the reset is told. */
	id = peer_take(p, listener);
	assert_int_equal(sock_read(p->stack, id, got, sizeof got), 10);
	assert_int_equal(sock_read(p->stack, id, got, sizeof got), -ERR_RESET);
	p->peer_port++;
	peer_wait(p, 61 * NANO_S);
	p->count = p->taken = 0;
	SAY(p, .flags = TCP_SYN, .options = o, .text = text, .len = 10);
	peer_expect(p, TCP_SYN | TCP_ACK, 0, 11);
	SAY(p, .flags = TCP_ACK, .them = 11, .us = 1);
	const struct tcp_listener *l = pool_at(&stack_transport(p->stack)->listener_pool, 0);
	assert_int_equal(l->fast_open_pending + l->fast_open_resets, 0);
	peer_close(p);
}

/* A wrong cookie draws the right one, an old key's is good and draws a new one; 0: no Fast Open. */
static void test_server_cookies(void **state)
{
	(void)state;
	sock_id listener, id;
	struct wire_peer *p = serving(NULL, false, 5, &listener);
	struct tcp_options cookie = cookie_for(p, listener, false), o;
	ask(&o, &cookie);
	o.fast_open[3] ^= 1;
	SAY(p, .flags = TCP_SYN, .options = o, .text = text, .len = 10);
	const struct peer_segment *s = peer_expect(p, TCP_SYN | TCP_ACK, 0, 1);
	assert_memory_equal(s->h.options.fast_open, cookie.fast_open, 8);

	uint8_t key[16] = { 7 };
	sock_fast_open_key(p->stack, key);
	p->peer_port++;
	ask(&o, &cookie);
	SAY(p, .flags = TCP_SYN, .options = o, .text = text, .len = 10);
	s = peer_expect(p, TCP_SYN | TCP_ACK, 0, 11);
	assert_int_equal(s->h.options.fast_open_len, 8);
	assert_memory_not_equal(s->h.options.fast_open, cookie.fast_open, 8);
	SAY(p, .flags = TCP_ACK, .them = 11, .us = 1);
	id = peer_take(p, listener);
	assert_int_equal(sock_readable(p->stack, id), 10);

	assert_int_equal(sock_set_fast_open(p->stack, listener, 0), 0);
	p->peer_port++;
	SAY(p, .flags = TCP_SYN, .options = o, .text = text, .len = 10);
	s = peer_expect(p, TCP_SYN | TCP_ACK, 0, 1);
	assert_false(s->h.options.has & TCP_HAS_FAST_OPEN);
	peer_close(p);
}

/* Closed or aborted before the handshake is complete: a reset that the client can believe. */
static void test_server_closes(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		sock_id listener, id;
		struct wire_peer *p = serving(NULL, false, 5, &listener);
		struct tcp_options cookie = cookie_for(p, listener, false), o;
		ask(&o, &cookie);
		SAY(p, .flags = TCP_SYN, .options = o, .text = text, .len = 10);
		peer_expect(p, TCP_SYN | TCP_ACK, 0, 11);
		if (i == 0) {
			assert_int_equal(sock_close(p->stack, listener), 0);
		} else {
			id = peer_take(p, listener);
			assert_int_equal(
				i == 1 ? sock_close(p->stack, id) : sock_abort(p->stack, id), 0);
		}
		peer_flush(p);
		peer_expect(p, TCP_RST | TCP_ACK, 1, 11);
		assert_int_equal(stack_transport(p->stack)->conn_pool.used, 0);
		peer_close(p);
	}
}

/* Without cookies where the config says so, for closed networks. */
static void test_server_no_cookie(void **state)
{
	(void)state;
	struct stack_config c;
	sock_id listener, id;
	peer_config(&c);
	c.transport.fast_open = FAST_OPEN_SERVER | FAST_OPEN_SERVER_NO_COOKIE |
		FAST_OPEN_SERVER_ALL;
	struct wire_peer *p = serving(&c, false, 0, &listener);
	SAY(p, .flags = TCP_SYN, .text = text, .len = 1000);
	peer_expect(p, TCP_SYN | TCP_ACK, 0, 1001);
	id = peer_take(p, listener);
	assert_int_equal(sock_readable(p->stack, id), 1000);
	p->peer_port++;
	SAY(p, .flags = TCP_SYN); /* nothing in it: nothing to hurry for */
	peer_expect(p, TCP_SYN | TCP_ACK, 0, 1);
	assert_int_equal(sock_accept(p->stack, listener, NULL, NULL, &id, NULL), -ERR_AGAIN);
	peer_close(p);
}

/* The client's side. */

static sock_id start(struct wire_peer *p)
{
	struct sock_options o = { .local_port = ++p->port, .fast_open = 1 };
	sock_id id;
	p->count = p->taken = 0;
	assert_int_equal(sock_connect(p->stack, &o, &p->remote, p->peer_port, &id), 0);
	peer_flush(p);
	return id;
}

static const struct tcp_options given = { .has = TCP_HAS_MSS | TCP_HAS_FAST_OPEN,
	.mss = 1040,
	.fast_open_len = 6,
	.fast_open = { 1, 2, 3, 4, 5, 6 } };

/* One connection that gets a cookie. */
static struct wire_peer *knowing(bool v6)
{
	struct wire_peer *p = peer_open(NULL, v6);
	p->port = 5000;
	sock_id id = start(p);
	const struct peer_segment *s = peer_next(p);
	assert_true(s && s->h.flags == TCP_SYN && s->h.options.has & TCP_HAS_FAST_OPEN);
	assert_int_equal(s->h.options.fast_open_len, 0);
	SAY(p, .flags = TCP_SYN | TCP_ACK, .us = 1, .options = given);
	assert_string_equal(peer_state(p, id), "ESTABLISHED");
	assert_false(was_fast(p, id));
	sock_abort(p->stack, id);
	peer_flush(p);
	return p;
}

/* With a cookie nothing goes before there is data; then both at once, as much as fits. */
static void test_client(void **state)
{
	(void)state;
	for (unsigned v6 = 0; v6 < 2; v6++) {
		struct wire_peer *p = knowing(v6);
		sock_id id = start(p);
		peer_expect_nothing(p);
		peer_wait(p, 10 * NANO_S);
		peer_expect_nothing(p);
		assert_true(sock_poll(p->stack, id) & EVENT_WRITABLE);
		assert_int_equal(sock_write(p->stack, id, text, 2000), 1000);
		peer_flush(p);
		const struct peer_segment *s = peer_expect(p, TCP_SYN, 0, 0);
		assert_int_equal(s->len, 1000);
		assert_int_equal(s->h.options.fast_open_len, 6);
		assert_memory_equal(s->h.options.fast_open, given.fast_open, 6);
		assert_int_equal(sock_write(p->stack, id, text, 1000), -ERR_AGAIN);
		SAY(p, .flags = TCP_SYN | TCP_ACK, .us = 1001, .text = text, .len = 5,
			.options = { .has = TCP_HAS_MSS, .mss = 1040 });
		peer_expect(p, TCP_ACK, 1001, 6);
		assert_true(was_fast(p, id));
		assert_int_equal(sock_readable(p->stack, id), 5);
		assert_int_equal(sock_write(p->stack, id, text, 1000), 1000);
		peer_flush(p);
		peer_expect(p, TCP_ACK, 1001, 6);
		SAY(p, .flags = TCP_ACK, .them = 6, .us = 2001);
		peer_wait(p, 10 * NANO_S);
		peer_expect_nothing(p);
		peer_close(p);
	}
}

/* What the server did not take goes again at once, all of it or the rest. */
static void test_client_partly_taken(void **state)
{
	(void)state;
	static const uint32_t took[] = { 0, 1, 500, 999 };
	for (unsigned i = 0; i < 4; i++) {
		struct wire_peer *p = knowing(false);
		sock_id id = start(p);
		assert_int_equal(sock_write(p->stack, id, text, 1000), 1000);
		peer_flush(p);
		peer_expect(p, TCP_SYN, 0, 0);
		SAY(p, .flags = TCP_SYN | TCP_ACK, .us = 1 + took[i],
			.options = { .has = TCP_HAS_MSS, .mss = 1040 });
		const struct peer_segment *s = peer_expect(p, TCP_ACK, 1 + took[i], 1);
		assert_int_equal(s->len, 1000 - took[i]);
		assert_memory_equal(s->text, text + took[i], s->len);
		assert_false(was_fast(p, id)); /* all of it, or it does not count */
		SAY(p, .flags = TCP_ACK, .them = 1, .us = 1001);
		peer_expect_nothing(p);
		peer_close(p);
	}
}

/* An ACK beyond what went with the SYN is none. */
static void test_client_acked_too_much(void **state)
{
	(void)state;
	struct wire_peer *p = knowing(false);
	sock_id id = start(p);
	assert_int_equal(sock_write(p->stack, id, text, 1000), 1000);
	peer_flush(p);
	peer_expect(p, TCP_SYN, 0, 0);
	SAY(p, .flags = TCP_SYN | TCP_ACK, .us = 1002);
	peer_expect(p, TCP_RST, 1002, 0);
	SAY(p, .flags = TCP_SYN | TCP_ACK, .us = 0);
	peer_expect(p, TCP_RST, 0, 0);
	assert_string_equal(peer_state(p, id), "SYN-SENT");
	peer_close(p);
}

/* A path that swallows SYNs with data: the second SYN is plain, the data comes after. The second
 * such connection in a row is the last for two minutes, the third pause is twice as long. */
static void test_client_black_hole(void **state)
{
	(void)state;
	struct wire_peer *p = knowing(false);
	static const unsigned pause[] = { 0, 0, 120, 240, 480 };
	for (unsigned i = 0; i < 5; i++) {
		sock_id id;
		if (pause[i]) {
			for (unsigned again = 0; again < 2; again++) { /* plain from the start */
				id = start(p);
				const struct peer_segment *s = peer_expect(p, TCP_SYN, 0, 0);
				assert_int_equal(s->len, 0);
				assert_false(s->h.options.has & TCP_HAS_FAST_OPEN);
				sock_abort(p->stack, id);
				peer_wait(p, (pause[i] - 5) * NANO_S / 2);
			}
			peer_wait(p, 6 * NANO_S);
		}
		id = start(p);
		assert_int_equal(sock_write(p->stack, id, text, 100), 100);
		peer_flush(p);
		assert_int_equal(peer_expect(p, TCP_SYN, 0, 0)->len, 100);
		peer_wait(p, 1100 * NANO_MS);
		const struct peer_segment *s = peer_expect(p, TCP_SYN, 0, 0);
		assert_int_equal(s->len, 0);
		assert_false(s->h.options.has & TCP_HAS_FAST_OPEN);
		SAY(p, .flags = TCP_SYN | TCP_ACK, .us = 1,
			.options = { .has = TCP_HAS_MSS, .mss = 1040 });
		assert_int_equal(peer_expect(p, TCP_ACK, 1, 1)->len, 100);
		assert_false(was_fast(p, id));
		sock_abort(p->stack, id);
		peer_flush(p);
	}
	peer_close(p);
}

/* No cookie in the answer: the early form of the option is tried next, then the usual one. */
static void test_client_experimental(void **state)
{
	(void)state;
	struct wire_peer *p = peer_open(NULL, false);
	p->port = 5000;
	for (unsigned i = 0; i < 4; i++) {
		sock_id id = start(p);
		const struct peer_segment *s = peer_expect(p, TCP_SYN, 0, 0);
		assert_int_equal(s->h.options.fast_open_experimental, i == 1);
		struct tcp_options o = { .has = TCP_HAS_MSS, .mss = 1000 };
		if (i == 3) {
			o = given;
			o.fast_open_experimental = true;
		}
		SAY(p, .flags = TCP_SYN | TCP_ACK, .us = 1, .options = o);
		sock_abort(p->stack, id);
		peer_flush(p);
	}
	sock_id id = start(p);
	assert_int_equal(sock_write(p->stack, id, text, 100), 100);
	peer_flush(p);
	const struct peer_segment *s = peer_expect(p, TCP_SYN, 0, 0);
	assert_true(s->h.options.fast_open_experimental);
	assert_memory_equal(s->h.options.fast_open, given.fast_open, 6);
	peer_close(p);
}

/* Reading, half-closing or closing first: the SYN goes, or nothing is left behind. */
static void test_client_without_data(void **state)
{
	(void)state;
	struct wire_peer *p = knowing(false);
	uint8_t got[8];
	sock_id id = start(p);
	assert_int_equal(sock_read(p->stack, id, got, sizeof got), -ERR_AGAIN);
	peer_flush(p);
	assert_int_equal(peer_expect(p, TCP_SYN, 0, 0)->len, 0);
	SAY(p, .flags = TCP_SYN | TCP_ACK, .us = 1, .options = given);
	assert_string_equal(peer_state(p, id), "ESTABLISHED");
	id = start(p);
	assert_int_equal(sock_shutdown(p->stack, id), 0);
	peer_flush(p);
	peer_expect(p, TCP_SYN, 0, 0);
	id = start(p);
	assert_int_equal(sock_close(p->stack, id), 0);
	peer_flush(p);
	peer_expect_nothing(p);
	peer_close(p);
}

/* A refused one, one that crosses the other's SYN, and two of ours that meet. */
static void test_client_other_answers(void **state)
{
	(void)state;
	struct wire_peer *p = knowing(false);
	sock_id id = start(p);
	assert_int_equal(sock_write(p->stack, id, text, 100), 100);
	peer_flush(p);
	SAY(p, .flags = TCP_RST | TCP_ACK, .us = 1);
	assert_int_equal(sock_error(p->stack, id), ERR_REFUSED);

	id = start(p);
	assert_int_equal(sock_write(p->stack, id, text, 100), 100);
	peer_flush(p);
	peer_expect(p, TCP_SYN, 0, 0);
	SAY(p, .flags = TCP_SYN, .options = given); /* theirs crossed it */
	peer_expect(p, TCP_SYN | TCP_ACK, 0, 1);
	SAY(p, .flags = TCP_ACK, .them = 1, .us = 1);
	assert_string_equal(peer_state(p, id), "ESTABLISHED");
	assert_int_equal(peer_expect(p, TCP_ACK, 1, 1)->len, 100);
	SAY(p, .flags = TCP_ACK, .them = 1, .us = 101);
	peer_wait(p, 5 * NANO_S);
	peer_expect_nothing(p);
	peer_close(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_server),
		cmocka_unit_test(test_server_losses),
		cmocka_unit_test(test_server_timeout),
		cmocka_unit_test(test_server_limit),
		cmocka_unit_test(test_server_cookies),
		cmocka_unit_test(test_server_closes),
		cmocka_unit_test(test_server_no_cookie),
		cmocka_unit_test(test_client),
		cmocka_unit_test(test_client_partly_taken),
		cmocka_unit_test(test_client_acked_too_much),
		cmocka_unit_test(test_client_black_hole),
		cmocka_unit_test(test_client_experimental),
		cmocka_unit_test(test_client_without_data),
		cmocka_unit_test(test_client_other_answers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
