/*
 * TCP options on live connections (RFC 9293 3.1, 3.2, 3.7.1): which are sent and where, and
 * what the peer's mean, whatever segment brings them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "support/wire_peer.h"

#include "transport/endpoints.h"

static uint8_t pattern[8000];

/* MUST-5, MUST-6: known and unknown options in all kinds of segments, between odd bytes. */
static void test_options_in_every_segment(void **state)
{
	(void)state;
	/* no-operation, an unknown one of five bytes, MSS (which means nothing here), timestamps */
	static const uint8_t raw[20] = { 1, 99, 5, 7, 7, 7, 2, 4, 0, 9, 8, 10, 0, 0, 0, 200 };
	struct stack_config c;
	peer_config(&c);
	c.transport.timestamps = true;
	struct wire_peer *p = peer_open(&c, false);
	struct tcp_options o = { .has = TCP_HAS_TIMESTAMPS, .tsval = 100 };
	sock_id id = peer_accepted(p, &o);
	SAY(p, .flags = TCP_ACK, .them = 1, .us = 1, .text = "text", .len = 4, .raw = raw,
		.raw_len = 20);
	assert_int_equal(peer_expect(p, TCP_ACK, 1, 5)->h.options.tsecr, 200);
	assert_int_equal(sock_readable(p->stack, id), 4);
	peer_write(p, id, pattern, 1000);
	assert_int_equal(peer_expect(p, TCP_ACK, 1, 5)->len, 988); /* no MSS of nine */
	SAY(p, .flags = TCP_ACK, .them = 5, .us = 989, .raw = raw, .raw_len = 20);
	struct sock_tcp_info info;
	assert_int_equal(sock_tcp_info(p->stack, id, &info), 0);
	assert_int_equal(info.bytes_acked, 988);
	SAY(p, .flags = TCP_ACK | TCP_FIN, .them = 5, .us = 1001, .raw = raw, .raw_len = 20);
	assert_string_equal(peer_state(p, id), "CLOSE-WAIT");
	SAY(p, .flags = TCP_RST, .them = 6, .raw = raw, .raw_len = 20);
	assert_int_equal(sock_error(p->stack, id), ERR_RESET);
	peer_close(p);
}

/* MUST-14, MUST-67, SHLD-5, MAY-3: each SYN and SYN-ACK says what its link can bring us, whatever
 * the peer said; MUST-65: nothing else does. */
static void test_mss_is_sent(void **state)
{
	(void)state;
	for (unsigned v6 = 0; v6 < 2; v6++) {
		for (unsigned mtu = 1500; mtu >= 1280; mtu -= 220) {
			struct wire_peer *p = peer_open(NULL, v6);
			p->nif->mtu = (uint16_t)mtu;
			peer_connect(p);
			const struct peer_segment *s = peer_expect(p, TCP_SYN, 0, 0);
			assert_true(s->h.options.has & TCP_HAS_MSS);
			assert_int_equal(s->h.options.mss, mtu - (v6 ? 60 : 40));
			SAY(p, .flags = TCP_SYN | TCP_ACK, .us = 1);
			peer_listen(p);
			for (unsigned mss = 0; mss < 2; mss++) {
				p->peer_port++;
				SAY(p, .flags = TCP_SYN,
					.options = { .has = mss ? TCP_HAS_MSS : 0, .mss = 700 });
				p->taken = p->count - 1;
				s = peer_expect(p, TCP_SYN | TCP_ACK, 0, 1);
				assert_true(s->h.options.has & TCP_HAS_MSS);
				assert_int_equal(s->h.options.mss, mtu - (v6 ? 60 : 40));
			}
			peer_close(p);
		}
		struct wire_peer *p = peer_open(NULL, v6);
		sock_id id = peer_accepted(p, NULL);
		peer_write(p, id, pattern, 3000);
		SAY(p, .flags = TCP_ACK, .them = 1, .us = 3001, .text = "a", .len = 1);
		sock_close(p->stack, id);
		peer_flush(p);
		const struct peer_segment *s;
		while ((s = peer_next(p)))
			assert_false(s->h.options.has & TCP_HAS_MSS);
		peer_close(p);
	}
}

/* SHLD-6: where less is known to fit on the way than the link takes, the SYN says so. */
static void test_mss_of_narrow_route(void **state)
{
	(void)state;
	struct wire_peer *p = peer_open(NULL, false);
	struct sock_options o = { .local_port = 5000 };
	struct addr far, near;
	sock_id id;
	assert_true(addr_parse(span_of("198.51.100.9", 12), &far));
	assert_true(addr_parse(span_of("192.0.2.2", 9), &near));
	struct route r = {
		.prefix = far, .len = 32, .gateway = near, .mtu = 1000, .nif = p->nif->index
	};
	assert_int_equal(route_add(&stack_internet(p->stack)->routes, &r), ERR_OK);
	p->remote = far;
	p->port = 5000;
	assert_int_equal(sock_connect(p->stack, &o, &p->remote, p->peer_port, &id), 0);
	peer_flush(p);
	assert_int_equal(peer_expect(p, TCP_SYN, 0, 0)->h.options.mss, 960);
	peer_close(p);
}

/* MUST-2: the link of these tests refuses what has a wrong sum. Segments of each kind, odd and
 * even, of both families; MUST-3 is the peer's to check. */
static void test_checksums(void **state)
{
	(void)state;
	for (unsigned v6 = 0; v6 < 2; v6++) {
		struct wire_peer *p = peer_open(NULL, v6);
		sock_id id = peer_connected(p, NULL);
		for (uint32_t len = 1, at = 1; len < 1000; at += len, len += 111) {
			peer_write(p, id, pattern, len);
			assert_int_equal(peer_expect(p, TCP_ACK, at, 1)->len, len);
			SAY(p, .flags = TCP_ACK, .them = 1, .us = at + len);
		}
		p->port++;
		SAY(p, .flags = TCP_SYN);
		assert_non_null(peer_next(p)); /* a reset of nobody */
		sock_abort(p->stack, id);
		peer_flush(p);
		assert_non_null(peer_next(p));
		peer_close(p);
	}
}

int main(void)
{
	for (unsigned i = 0; i < sizeof pattern; i++)
		pattern[i] = (uint8_t)(i * 31 + i / 251);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_options_in_every_segment),
		cmocka_unit_test(test_mss_is_sent),
		cmocka_unit_test(test_mss_of_narrow_route),
		cmocka_unit_test(test_checksums),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
