/*
 * The SYN that opened a connection, kept for who asked its listener to (TCP_SAVE_SYN): which bytes
 * of it, that they are read once, and that they go with whoever they belong to.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "support/wire_peer.h"
#include "transport/endpoints.h"

static const struct tcp_options offer = PEER_MSS_SACK;
static const uint8_t no_operations[4] = { 1, 1, 1, 0 };

static struct wire_peer *begin(const struct stack_config *c, bool v6, int64_t mode, sock_id *l)
{
	struct wire_peer *p = peer_open(c, v6);
	*l = peer_listen(p);
	assert_int_equal(sock_get(p->stack, *l, SOCK_SAVE_SYN), 0);
	assert_int_equal(sock_set(p->stack, *l, SOCK_SAVE_SYN, 3), -ERR_ARGUMENT);
	assert_int_equal(sock_set(p->stack, *l, SOCK_SAVE_SYN, mode), 0);
	return p;
}

static uint32_t saved(const struct wire_peer *p)
{
	return stack_transport(p->stack)->saved_syn_pool.used;
}

static void syn(struct wire_peer *p)
{
	peer_send(p,
		&(struct peer_say){ .flags = TCP_SYN,
			.options = offer,
			.ip_options = no_operations,
			.ip_options_len = p->v6 ? 0 : 4 });
}

static sock_id handshake(struct wire_peer *p, sock_id listener)
{
	syn(p);
	SAY(p, .flags = TCP_ACK, .them = 1, .us = 1);
	return peer_take(p, listener);
}

/* From the IP header on. */
static void check_packet(const struct wire_peer *p, const uint8_t *at, size_t len)
{
	size_t ip = p->v6 ? IP6_HEADER : IP4_HEADER + 4;
	struct tcp_header h;
	assert_int_equal(at[0], p->v6 ? 0x60 : 0x46);
	assert_true(len > ip);
	assert_int_equal(tcp_parse(span_of(at + ip, len - ip), len - ip, &h), DROP_NONE);
	assert_int_equal(h.header_len, len - ip);
	assert_int_equal(h.flags & 0xff, TCP_SYN);
	assert_int_equal(h.seq, PEER_ISS);
	assert_int_equal(h.options.mss, 1000);
	assert_true(h.options.has & TCP_HAS_SACK_PERMITTED);
}

static void test_headers_once(void **state)
{
	(void)state;
	uint8_t at[200];
	for (int v6 = 0; v6 < 2; v6++)
		for (int64_t mode = 1; mode < 3; mode++) {
			sock_id l;
			struct wire_peer *p = begin(NULL, v6, mode, &l);
			sock_id id = handshake(p, l);
			size_t link = mode == 2 ? ETH_HEADER : 0;
			size_t len = sock_saved_syn(p->stack, id, at, 0);
			assert_true(len > link + 40 && len < 100);
			assert_int_equal(sock_saved_syn(p->stack, id, at, len - 1), len);
			assert_int_equal(sock_saved_syn(p->stack, id, at, len), len);
			if (link)
				assert_int_equal(load16(at + 12), v6 ? 0x86dd : 0x0800);
			check_packet(p, at + link, len - link);
			assert_int_equal(sock_saved_syn(p->stack, id, at, sizeof at), 0);
			assert_int_equal(saved(p), 0);
			peer_close(p);
		}
}

/* They go with the half-open connection, the connection, and the listener. */
static void test_forgotten(void **state)
{
	(void)state;
	sock_id l, id;
	struct wire_peer *p = begin(NULL, false, 1, &l);
	syn(p);
	assert_int_equal(saved(p), 1);
	SAY(p, .flags = TCP_RST, .them = 1);
	assert_int_equal(saved(p), 0);
	syn(p);
	peer_wait(p, 200 * NANO_S); /* the SYN-ACK is not answered */
	assert_int_equal(saved(p), 0);
	p->peer_port++;
	id = handshake(p, l);
	assert_int_equal(saved(p), 1);
	sock_abort(p->stack, id);
	peer_flush(p);
	assert_int_equal(saved(p), 0);
	p->peer_port++;
	syn(p);
	SAY(p, .flags = TCP_ACK, .them = 1, .us = 1);
	p->peer_port++;
	syn(p);
	assert_int_equal(saved(p), 2);
	sock_close(p->stack, l); /* one that nobody accepted, one half-open */
	peer_flush(p);
	assert_int_equal(saved(p), 0);
	peer_close(p);
}

/* No memory for it: the connection goes on without. */
static void test_bounded(void **state)
{
	(void)state;
	struct stack_config c;
	sock_id l;
	uint8_t at[200];
	peer_config(&c);
	c.transport.saved_syns = 1;
	struct wire_peer *p = begin(&c, false, 1, &l);
	sock_id first = handshake(p, l);
	p->peer_port++;
	assert_int_equal(sock_saved_syn(p->stack, handshake(p, l), at, sizeof at), 0);
	assert_true(sock_saved_syn(p->stack, first, at, sizeof at) > 0);
	p->peer_port++;
	assert_true(sock_saved_syn(p->stack, handshake(p, l), at, sizeof at) > 0);
	sock_set(p->stack, l, SOCK_SAVE_SYN, 0);
	p->peer_port++;
	assert_int_equal(sock_saved_syn(p->stack, handshake(p, l), at, sizeof at), 0);
	peer_close(p);
}

/* A cookie keeps nothing; Fast Open's connection is there before its handshake is complete. */
static void test_other_ways_in(void **state)
{
	(void)state;
	struct stack_config c;
	sock_id l;
	uint8_t at[200];
	peer_config(&c);
	c.transport.syn_cookies = SYN_COOKIES_ALWAYS;
	struct wire_peer *p = begin(&c, false, 1, &l);
	sock_id id = handshake(p, l);
	assert_int_equal(sock_saved_syn(p->stack, id, at, sizeof at), 0);
	peer_close(p);
	peer_config(&c);
	c.transport.fast_open |= FAST_OPEN_SERVER_NO_COOKIE;
	p = begin(&c, false, 1, &l);
	sock_set_fast_open(p->stack, l, 5);
	SAY(p, .flags = TCP_SYN, .options = offer, .text = "first", .len = 5,
		.ip_options = no_operations, .ip_options_len = 4);
	id = peer_take(p, l);
	assert_int_equal(sock_readable(p->stack, id), 5);
	size_t len = sock_saved_syn(p->stack, id, at, sizeof at);
	check_packet(p, at, len); /* and nothing of its text */
	peer_close(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_headers_once),
		cmocka_unit_test(test_forgotten),
		cmocka_unit_test(test_bounded),
		cmocka_unit_test(test_other_ways_in),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
