/*
 * What ICMP errors do to a connection, and what they can't (RFC 1191, 5927, 8201); and what
 * happens to segments that are signed, and to SYNs that end a TIME-WAIT.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "support/wire_peer.h"
#include "transport/endpoints.h"
#include "wire/icmp.h"

static uint8_t pattern[30000];

static const struct tcp_options large = { .has = TCP_HAS_MSS, .mss = 1460 };

static void too_big(struct wire_peer *p, uint32_t us, uint32_t mtu)
{
	if (p->v6)
		peer_icmp(p, ICMP6_TOO_BIG, 0, us, mtu);
	else
		peer_icmp(p, ICMP4_UNREACHABLE, 4, us, mtu);
}

static uint32_t path_mtu(struct wire_peer *p, sock_id id)
{
	struct sock_tcp_info info;
	assert_int_equal(sock_tcp_info(p->stack, id, &info), 0);
	return info.path_mtu;
}

/* MUST-16: nothing of full size was acknowledged yet: believed, what was too big goes again,
 * smaller. */
static void test_path_mtu(void **state)
{
	(void)state;
	for (unsigned v6 = 0; v6 < 2; v6++) {
		struct wire_peer *p = peer_open(NULL, v6);
		sock_id id = peer_accepted(p, &large);
		uint32_t headers = v6 ? 60 : 40;
		peer_write(p, id, pattern, 4000);
		p->taken = p->count = 0;
		too_big(p, 1, 1400);
		assert_int_equal(path_mtu(p, id), 1400);
		const struct peer_segment *s = peer_expect(p, TCP_ACK, 1, 1);
		assert_int_equal(s->len, 1400 - headers);
		assert_memory_equal(s->text, pattern, s->len);
		/* Larger than now or equal: no news. About a byte that is not in flight: none. */
		too_big(p, 1, 1450);
		too_big(p, 1, 1400);
		too_big(p, 0, 1300);
		too_big(p, 4001, 1300);
		too_big(p, 0x80000001, 1300);
		assert_int_equal(path_mtu(p, id), 1400);
		assert_int_equal(stack_counters(p->stack)->drop[DROP_ICMP_QUOTE], 3);
		/* Not below what the family allows. */
		too_big(p, 1, v6 ? 1280 : 68);
		assert_int_equal(path_mtu(p, id), v6 ? 1280 : 552);
		too_big(p, 1, 40);
		assert_int_equal(path_mtu(p, id), v6 ? 1280 : 552);
		peer_close(p);
	}
}

/* Old routers do not say how much: down the plateaus of RFC 1191 7. */
static void test_path_mtu_plateaus(void **state)
{
	(void)state;
	static const uint16_t down[] = { 1492, 1006, 552, 552 };
	struct wire_peer *p = peer_open(NULL, false);
	sock_id id = peer_accepted(p, &large);
	peer_write(p, id, pattern, 4000);
	for (unsigned i = 0; i < sizeof down / sizeof *down; i++) {
		too_big(p, 1, 0);
		assert_int_equal(path_mtu(p, id), down[i]);
	}
	peer_close(p);
}

/* RFC 5927 7.2: where the path has carried full segments, a claim has to come true. */
static void test_path_mtu_doubted(void **state)
{
	(void)state;
	struct stack_config config;
	peer_config(&config);
	config.transport.mtu_probing = MTU_PROBING_OFF; /* nothing else is a reason to doubt it */
	struct wire_peer *p = peer_open(&config, false);
	sock_id id = peer_accepted(p, &large);
	peer_write(p, id, pattern, 2920);
	SAY(p, .flags = TCP_ACK, .them = 1, .us = 2921);
	/* A false one: its byte is acknowledged, and nothing was ever sent smaller. */
	peer_write(p, id, pattern, 2920);
	too_big(p, 2921, 600);
	assert_int_equal(path_mtu(p, id), 1500);
	SAY(p, .flags = TCP_ACK, .them = 1, .us = 5841);
	peer_write(p, id, pattern, 2920);
	peer_wait(p, 10 * NANO_S);
	assert_int_equal(path_mtu(p, id), 1500);
	SAY(p, .flags = TCP_ACK, .them = 1, .us = 8761);
	/* A true one: nothing comes back until the RTO, then the same byte goes in what fits. */
	peer_write(p, id, pattern, 2920);
	p->taken = p->count = 0;
	too_big(p, 8761, 1000);
	assert_int_equal(path_mtu(p, id), 1500);
	peer_wait(p, 90 * NANO_S);
	assert_int_equal(path_mtu(p, id), 1000);
	const struct peer_segment *s, *last = NULL;
	while ((s = peer_next(p)))
		last = s;
	assert_non_null(last);
	assert_int_equal(last->len, 960);
	SAY(p, .flags = TCP_ACK, .them = 1, .us = 11681);
	peer_close(p);
}

/* RFC 5927 5.2, 9293 3.9.2.2: hard errors end an attempt, but no connection, whatever they say. */
static void test_hard_errors(void **state)
{
	(void)state;
	for (uint8_t code = 0; code < 16; code++) {
		struct wire_peer *p = peer_open(NULL, code & 1);
		sock_id id = peer_accepted(p, &large);
		peer_write(p, id, pattern, 1000);
		if (code & 1)
			peer_icmp(p, ICMP6_UNREACHABLE, code / 2, 1, 0);
		else if (code != 4)
			peer_icmp(p, ICMP4_UNREACHABLE, code, 1, 0);
		peer_icmp(p, ICMP4_SOURCE_QUENCH, 0, 1, 0);
		assert_string_equal(peer_state(p, id), "ESTABLISHED");
		SAY(p, .flags = TCP_ACK, .them = 1, .us = 1001);
		assert_int_equal(sock_error(p->stack, id), ERR_OK);
		peer_close(p);
	}
	struct wire_peer *p = peer_open(NULL, false);
	sock_id id = peer_connect(p);
	peer_icmp(p, ICMP4_UNREACHABLE, 3, 1, 0); /* not our SYN */
	assert_string_equal(peer_state(p, id), "SYN-SENT");
	peer_icmp(p, ICMP4_UNREACHABLE, 3, 0, 0);
	assert_int_equal(sock_error(p->stack, id), ERR_REFUSED);
	peer_close(p);
}

struct error_case {
	bool v6;
	uint8_t type, code;
};

/* MUST-54, MUST-56, SHLD-25, MUST-47: what may pass ends neither a connection nor an attempt to
 * open one; its owner is told, and can ask. Told or not is the owner's choice (SHLD-20). */
static void test_soft_errors(void **state)
{
	(void)state;
	static const struct error_case cases[] = { { false, ICMP4_UNREACHABLE, 0 },
		{ false, ICMP4_UNREACHABLE, 1 }, { false, ICMP4_UNREACHABLE, 5 },
		{ false, ICMP4_TIME_EXCEEDED, 0 }, { false, ICMP4_TIME_EXCEEDED, 1 },
		{ false, ICMP4_PARAMETER, 0 }, { true, ICMP6_UNREACHABLE, 0 },
		{ true, ICMP6_UNREACHABLE, 3 }, { true, ICMP6_TIME_EXCEEDED, 0 },
		{ true, ICMP6_PARAMETER, 0 } };
	for (unsigned i = 0; i < 4 * (sizeof cases / sizeof *cases); i++) {
		const struct error_case *e = &cases[i / 4];
		bool opening = i & 1, quiet = i & 2;
		struct wire_peer *p = peer_open(NULL, e->v6);
		struct sock_queue q;
		struct sock_event event;
		sock_id id;
		sock_queue_init(&q);
		if (opening) {
			id = peer_connect(p);
		} else {
			id = peer_accepted(p, &large);
			peer_write(p, id, pattern, 1000);
		}
		assert_int_equal(sock_set(p->stack, id, SOCK_QUIET, quiet), 0);
		sock_attach(p->stack, id, &q, NULL);
		while (sock_next(p->stack, &q, &event))
			;
		assert_int_equal(sock_trouble(p->stack, id), ERR_OK);
		peer_icmp(p, e->type, e->code, opening ? 0 : 1, 0);
		assert_string_equal(peer_state(p, id), opening ? "SYN-SENT" : "ESTABLISHED");
		bool net = e->type == (e->v6 ? ICMP6_UNREACHABLE : ICMP4_UNREACHABLE) && !e->code;
		assert_int_equal(sock_trouble(p->stack, id),
			net ? ERR_NET_UNREACHABLE : ERR_HOST_UNREACHABLE);
		bool told = sock_next(p->stack, &q, &event);
		assert_int_equal(told && event.events & EVENT_TROUBLE, !quiet);
		if (opening)
			SAY(p, .flags = TCP_SYN | TCP_ACK, .us = 1);
		else
			SAY(p, .flags = TCP_ACK, .them = 1, .us = 1001);
		assert_string_equal(peer_state(p, id), "ESTABLISHED");
		assert_int_equal(sock_trouble(p->stack, id), ERR_OK);
		assert_int_equal(sock_error(p->stack, id), ERR_OK);
		peer_close(p);
	}
}

/* An attempt that nothing but soft errors answered ends with what they said. */
static void test_soft_error_at_the_end(void **state)
{
	(void)state;
	struct wire_peer *p = peer_open(NULL, false);
	sock_id id = peer_connect(p);
	peer_icmp(p, ICMP4_UNREACHABLE, 1, 0, 0);
	peer_wait(p, 300 * NANO_S);
	assert_int_equal(sock_error(p->stack, id), ERR_HOST_UNREACHABLE);
	peer_close(p);
}

/* MUST-55: nobody slows down for a source quench, nor hears of it. */
static void test_source_quench(void **state)
{
	(void)state;
	struct wire_peer *p = peer_open(NULL, false);
	sock_id id = peer_accepted(p, &large);
	struct sock_tcp_info before, after;
	peer_write(p, id, pattern, 1000);
	assert_int_equal(sock_tcp_info(p->stack, id, &before), 0);
	p->taken = p->count;
	for (unsigned i = 0; i < 10; i++)
		peer_icmp(p, ICMP4_SOURCE_QUENCH, 0, 1, 0);
	assert_int_equal(sock_tcp_info(p->stack, id, &after), 0);
	assert_int_equal(after.cwnd, before.cwnd);
	assert_int_equal(after.ssthresh, before.ssthresh);
	assert_int_equal(sock_trouble(p->stack, id), ERR_OK);
	assert_int_equal(stack_counters(p->stack)->drop[DROP_ICMP_TYPE], 10);
	peer_expect_nothing(p);
	peer_close(p);
}

/* MD5 and AO: there is no key that could be right (RFC 2385 2.0). Dropped without an answer. */
static void test_signed_segments(void **state)
{
	(void)state;
	static const uint8_t md5[20] = { 1, 1, 19, 18 }, ao[8] = { 29, 8, 1, 1, 2, 3, 4, 5 };
	struct wire_peer *p = peer_open(NULL, false);
	sock_id id = peer_accepted(p, NULL);
	for (unsigned i = 0; i < 2; i++) {
		const uint8_t *raw = i ? ao : md5;
		uint32_t len = i ? sizeof ao : sizeof md5;
		SAY(p, .flags = TCP_ACK, .them = 1, .us = 1, .text = "x", .len = 1, .raw = raw,
			.raw_len = len);
		SAY(p, .flags = TCP_RST, .them = 1, .raw = raw, .raw_len = len);
		p->peer_port++;
		SAY(p, .flags = TCP_SYN, .raw = raw, .raw_len = len);
		p->peer_port--;
		peer_expect_nothing(p);
	}
	assert_int_equal(stack_counters(p->stack)->drop[DROP_TCP_SIGNED], 6);
	assert_string_equal(peer_state(p, id), "ESTABLISHED");
	SAY(p, .flags = TCP_ACK, .them = 1, .us = 1, .text = "y", .len = 1);
	uint8_t got[4];
	assert_int_equal(sock_read(p->stack, id, got, sizeof got), 1);
	assert_int_equal(got[0], 'y');
	peer_close(p);
}

/* A connection that sent 80000 bytes in no time and closed first: it is in TIME-WAIT. Returns the
 * number that follows all of ours. */
static uint32_t in_time_wait(struct wire_peer *p, const struct tcp_options *syn)
{
	sock_id id = peer_accepted(p, syn);
	uint32_t end = 1;
	for (unsigned n = 0; n < 40; n++) {
		struct tcp_options e = { .has = TCP_HAS_TIMESTAMPS, .tsval = 100 };
		peer_write(p, id, pattern, 2000);
		e.tsecr = p->sent[0].h.options.tsval;
		p->taken = p->count = 0;
		end += 2000;
		SAY(p, .flags = TCP_ACK, .them = 1, .us = end, .options = e);
	}
	sock_close(p->stack, id);
	peer_flush(p);
	SAY(p, .flags = TCP_ACK | TCP_FIN, .them = 1, .us = end + 1, .options = *syn);
	assert_int_equal(stack_transport(p->stack)->time_wait_pool.used, 1);
	p->taken = p->count = 0;
	return p->iss + end + 1;
}

/* A SYN that ends a TIME-WAIT at once: our new numbers lie beyond all of the old (RFC 9293 3.6.1
 * MAY-2), however many bytes went in no time. RFC 6191, SHLD-4: by timestamp, then by number. */
static void test_time_wait_again(void **state)
{
	(void)state;
	struct stack_config c;
	peer_config(&c);
	c.transport.timestamps = true;
	for (unsigned how = 0; how < 5; how++) {
		struct wire_peer *p = peer_open(&c, false);
		struct tcp_options o = { .has = TCP_HAS_TIMESTAMPS, .tsval = 100 };
		uint32_t old = in_time_wait(p, &o);
		/* later, same and higher, same and lower, earlier, none and higher */
		static const uint32_t stamp[] = { 101, 100, 100, 99, 0 };
		static const uint32_t seq[] = { 0x80000000, 5000, 0, 5000, 5000 };
		static const bool opens[] = { true, true, false, false, true };
		struct tcp_options again = { .tsval = stamp[how] };
		again.has = stamp[how] ? TCP_HAS_TIMESTAMPS : 0;
		SAY(p, .flags = TCP_SYN, .them = seq[how], .options = again);
		const struct peer_segment *s = peer_next(p);
		assert_int_equal(s && s->h.flags & TCP_SYN, opens[how]);
		if (opens[how])
			assert_true((int32_t)(s->h.seq - old) > 0);
		peer_close(p);
	}
}

/* The same where a SYN's data is taken at once (RFC 7413), and where a cookie would be our number
 * (RFC 4987 3.6): half of all cookies lie before the old numbers, and those may not be used. */
static void test_time_wait_again_early(void **state)
{
	(void)state;
	for (unsigned how = 0; how < 24; how++) {
		bool cookies = how >= 4;
		struct stack_config c;
		peer_config(&c);
		c.transport.timestamps = true;
		c.transport.fast_open = FAST_OPEN_SERVER | FAST_OPEN_SERVER_ALL |
			FAST_OPEN_SERVER_NO_COOKIE;
		struct wire_peer *p = peer_open(&c, false);
		struct tcp_options o = { .has = TCP_HAS_TIMESTAMPS, .tsval = 100 };
		uint32_t old = in_time_wait(p, &o);
		if (cookies)
			transport_settings(stack_transport(p->stack))->syn_cookies =
				SYN_COOKIES_ALWAYS;
		o.tsval = 101;
		SAY(p, .flags = TCP_SYN, .them = 10000 + how * 4096, .options = o, .text = "early",
			.len = cookies ? 0 : 5);
		const struct peer_segment *s = peer_next(p);
		assert_true(s && s->h.flags == (TCP_SYN | TCP_ACK));
		assert_true((int32_t)(s->h.seq - old) > 0);
		uint32_t iss = s->h.seq - p->iss; /* as SAY counts */
		o.tsecr = s->h.options.tsval;
		SAY(p, .flags = TCP_ACK, .them = 10000 + how * 4096 + (cookies ? 1 : 6),
			.us = iss + 1, .options = o);
		assert_int_equal(stack_transport(p->stack)->conn_pool.used, 1);
		assert_null(peer_next(p)); /* no reset */
		peer_close(p);
	}
}

int main(void)
{
	for (unsigned i = 0; i < sizeof pattern; i++)
		pattern[i] = (uint8_t)(i * 31 + i / 251);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_path_mtu),
		cmocka_unit_test(test_path_mtu_plateaus),
		cmocka_unit_test(test_path_mtu_doubted),
		cmocka_unit_test(test_hard_errors),
		cmocka_unit_test(test_soft_errors),
		cmocka_unit_test(test_soft_error_at_the_end),
		cmocka_unit_test(test_source_quench),
		cmocka_unit_test(test_signed_segments),
		cmocka_unit_test(test_time_wait_again),
		cmocka_unit_test(test_time_wait_again_early),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
