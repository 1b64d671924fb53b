/*
 * Packets of a script as datagrams and back: numbers are translated both ways,
 * options keep their bytes, and a comparison finds each difference that counts
 * and overlooks what lenience overlooks.
 */
#include "drill_case.h"

#include "drill/drill_wire.h"
#include "wire/icmp.h"
#include "wire/tcp.h"

#define LOCAL_ISN  4000000000u
#define REMOTE_ISN 500u

static struct drill_ends ends_of(bool ip6)
{
	struct drill_ends e;
	const char *local = ip6 ? "2001:db8::a" : "192.0.2.10";
	const char *remote = ip6 ? "2001:db8::b" : "192.0.2.11";
	assert_true(addr_parse(span_of(local, strlen(local)), &e.local));
	assert_true(addr_parse(span_of(remote, strlen(remote)), &e.remote));
	return e;
}

static struct drill_flow flow_of(void)
{
	return (struct drill_flow){ .local_port = 80,
		.remote_port = 5000,
		.local_isn = LOCAL_ISN,
		.remote_isn = REMOTE_ISN };
}

static void build(const char *text, bool ip6, const struct drill_flow *f, struct drill_seen *s)
{
	static uint8_t datagram[DRILL_DATAGRAM];
	struct drill_case c;
	struct drill_ends ends = ends_of(ip6);
	case_read(&c, text, ip6);
	if (!c.read)
		fail_msg("%s: %s", text, c.problem.text);
	size_t len = drill_build(
		&c.script.first->packet, f, &ends, false, 0, datagram, sizeof datagram);
	assert_true(len > 0);
	drill_take_apart(span_of(datagram, len), 5, s);
	if (s->broken)
		fail_msg("%s: %s", text, s->why_broken);
	assert_true(addr_equal(&s->source, &ends.remote));
	assert_true(addr_equal(&s->destination, &ends.local));
	case_end(&c);
}

static void test_segments_in(void **state)
{
	(void)state;
	for (unsigned ip6 = 0; ip6 < 2; ip6++) {
		struct drill_flow f = flow_of();
		struct drill_seen s;
		f.stamps = f.next_stamp = 1;
		f.stamp[0].script = 100;
		f.stamp[0].live = 77777;
		build("+0 < [ect0] P. 11:31(20) ack 6 win 9 <sack 1:3 5:7,TS val 4 ecr 100>", ip6,
			&f, &s);
		assert_int_equal(s.flags, TCP_PSH | TCP_ACK);
		assert_int_equal(s.tos & 3, 2);
		assert_int_equal(s.from_port, 5000);
		assert_int_equal(s.to_port, 80);
		assert_int_equal(s.seq, REMOTE_ISN + 11);
		assert_int_equal(s.ack, LOCAL_ISN + 6);
		assert_int_equal(s.len, 20);
		assert_int_equal(s.window, 9);
		assert_int_equal(s.option[0].kind, TCP_OPT_SACK);
		assert_int_equal(load32(s.option[0].data + 8), LOCAL_ISN + 5);
		assert_int_equal(s.option[1].kind, TCP_OPT_TIMESTAMPS);
		assert_int_equal(load32(s.option[1].data), 4);
		assert_int_equal(load32(s.option[1].data + 4), 77777);
		/* A SYN's number stands as it is, and an unknown echo too. */
		build("+0 < S 900:900(0) win 9 <TS val 4 ecr 55>", ip6, &f, &s);
		assert_int_equal(s.seq, 900);
		assert_int_equal(load32(s.option[0].data + 4), 55);
		build("+0 < - 1:1(0) win 9", ip6, &f, &s);
		assert_int_equal(s.flags, 0);
		assert_int_equal(s.ack, 0);
		build("+0 < udp (12)", ip6, &f, &s);
		assert_int_equal(s.protocol, IPPROTO_UDP_);
		assert_int_equal(s.len, 12);
	}
}

static void test_errors_quote_our_segment(void **state)
{
	(void)state;
	uint8_t datagram[256];
	struct drill_case c;
	struct drill_flow f = flow_of();
	struct drill_ends ends = ends_of(false);
	const struct drill_packet *p =
		&case_first(&c, "+0 < icmp unreachable frag_needed mtu 1300 [11:31(20)]")->packet;
	size_t len = drill_build(p, &f, &ends, false, 0, datagram, sizeof datagram);
	assert_int_equal(len, 20 + 8 + 20 + 20);
	struct ip4_header quoted;
	assert_int_equal(datagram[20], ICMP4_UNREACHABLE);
	assert_int_equal(load32(datagram + 24), 1300);
	assert_int_equal(ip4_parse(span_of(datagram + 28, 40), 60, &quoted), DROP_NONE);
	assert_true(addr_equal(&quoted.source, &ends.local));
	assert_int_equal(quoted.total_len, 20 + 20 + 20);
	assert_int_equal(load16(datagram + 48), 80);
	assert_int_equal(load32(datagram + 52), LOCAL_ISN + 11);
	case_end(&c);
}

/* Two packets of scripts: the second as if it had left; is it what the first expects? */
static bool matches(const char *want, const char *left, const struct drill_match *m, char *why)
{
	struct drill_case c, d;
	struct drill_flow f = flow_of(), mirrored = flow_of();
	struct drill_seen s;
	static uint8_t datagram[DRILL_DATAGRAM];
	/* What leaves is written from the other side: the numbers change places. */
	mirrored.local_isn = REMOTE_ISN;
	mirrored.remote_isn = LOCAL_ISN;
	struct drill_ends ends = ends_of(false);
	const struct drill_packet *p = &case_first(&c, want)->packet;
	const struct drill_packet *q = &case_first(&d, left)->packet;
	size_t len = drill_build(q, &mirrored, &ends, false, 0, datagram, sizeof datagram);
	drill_take_apart(span_of(datagram, len), 0, &s);
	why[0] = '\0';
	bool same = drill_compare(p, &s, &f, m, true, why, 256);
	case_end(&c);
	case_end(&d);
	return same;
}

static void test_comparisons(void **state)
{
	(void)state;
	static const struct {
		const char *want, *left;
		bool strict, lenient;
	} pairs[] = {
		{ "> . 1:1(0) ack 1", "< . 1:1(0) ack 1 win 7", true, true },
		{ "> . 1:1(0) ack 1 win 7", "< . 1:1(0) ack 1 win 7", true, true },
		{ "> . 1:1(0) ack 1 win 8", "< . 1:1(0) ack 1 win 7", false, false },
		{ "> . 1:1(0) ack 2", "< . 1:1(0) ack 1 win 7", false, false },
		{ "> . 2:2(0) ack 1", "< . 1:1(0) ack 1 win 7", false, false },
		{ "> F. 1:1(0) ack 1", "< . 1:1(0) ack 1 win 7", false, false },
		{ "> . 1:3(2) ack 1", "< . 1:2(1) ack 1 win 7", false, false },
		{ "> . 1:3(2) ack 1", "< P. 1:3(2) ack 1 win 7", false, true },
		{ "> P. 1:3(2) ack 1", "< P. 1:3(2) ack 1 win 7", true, true },
		{ "> . 1:1(0) ack 1", "< . 1:1(0) ack 1 win 7 <nop,nop>", false, true },
		{ "> . 1:1(0) ack 1 <...>", "< . 1:1(0) ack 1 win 7 <mss 5>", true, true },
		{ "> . 1:1(0) ack 1 <mss 5>", "< . 1:1(0) ack 1 win 7", false, false },
		{ "> . 1:1(0) ack 1 <mss 5>", "< . 1:1(0) ack 1 win 7 <mss 6>", false, false },
		{ "> . 1:1(0) ack 1 <mss 5,nop,wscale 1>",
			"< . 1:1(0) ack 1 win 7 <nop,wscale 1,mss 5>", false, true },
		{ "> . 1:1(0) ack 1 <nop,nop,sack 1:2>",
			"< . 1:1(0) ack 1 win 7 <nop,nop,sack 1:2>", true, true },
		{ "> . 1:1(0) ack 1 <nop,nop,sack 1:2>",
			"< . 1:1(0) ack 1 win 7 <nop,nop,sack 1:3>", false, false },
		{ "> . 1:1(0) ack 1 <nop,nop,TS val 1 ecr 2>",
			"< . 1:1(0) ack 1 win 7 <nop,nop,TS val 9 ecr 2>", true, true },
		{ "> . 1:1(0) ack 1 <nop,nop,TS val 1 ecr 2>",
			"< . 1:1(0) ack 1 win 7 <nop,nop,TS val 1 ecr 3>", false, false },
		{ "> [ce] . 1:1(0) ack 1", "< [ce] . 1:1(0) ack 1 win 7", true, true },
		{ "> [ect0] . 1:1(0) ack 1", "< [ce] . 1:1(0) ack 1 win 7", false, false },
		{ "> R 1:1(0)", "< R 1:1(0) win 0", true, true },
		{ "> udp (3)", "< udp (3)", true, true },
		{ "> udp (3)", "< udp (4)", false, false },
		{ "> udp (3)", "< . 1:1(0) ack 1 win 7", false, false },
		{ "> icmp echo_reply", "< icmp echo_reply", true, true },
		{ "> icmp echo_reply", "< icmp echo_request", false, false },
	};
	for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++)
		for (unsigned lenient = 0; lenient < 2; lenient++) {
			struct drill_match m = { .lenient = lenient };
			char why[256];
			bool want = lenient ? pairs[i].lenient : pairs[i].strict;
			bool got = matches(pairs[i].want, pairs[i].left, &m, why);
			if (got != want || got == (why[0] != '\0'))
				fail_msg("%s against %s, lenient %u: %d %s", pairs[i].left,
					pairs[i].want, lenient, got, why);
		}
}

static void test_ticking_stamps(void **state)
{
	(void)state;
	struct drill_case c;
	struct drill_flow f = flow_of();
	struct drill_match m = { .tick_us = 1000, .tolerance = 4 * NANO_MS };
	struct drill_seen s = { .protocol = IPPROTO_TCP_,
		.flags = TCP_ACK,
		.options = 1,
		.seq = LOCAL_ISN + 1,
		.ack = REMOTE_ISN + 1 };
	char why[256];
	const struct drill_packet *p =
		&case_first(&c, "+0 > . 1:1(0) ack 1 <TS val 150 ecr 9>")->packet;
	f.stamped = true;
	f.first_script = 100;
	f.first_live = 7000;
	s.option[0] = *p->options;
	store32(s.option[0].data, 7052);
	assert_true(drill_compare(p, &s, &f, &m, true, why, sizeof why));
	store32(s.option[0].data, 7060);
	assert_false(drill_compare(p, &s, &f, &m, true, why, sizeof why));
	drill_learn(&f, p, &s);
	assert_int_equal(f.stamps, 1);
	assert_int_equal(f.stamp[0].live, 7060);
	case_end(&c);
}

static void test_texts(void **state)
{
	(void)state;
	static const char line[] =
		"> [ce] FP. 1:3(2) ack 4 win 5 urg 6 <mss 7,nop,wscale 1,sack 8:9,FO ab,eol>";
	struct drill_case c;
	char text[256];
	drill_describe_packet(&case_first(&c, line)->packet, text, sizeof text);
	assert_string_equal(text, line);
	for (size_t cap = 1; cap < sizeof line; cap++) {
		drill_describe_packet(&c.script.first->packet, text, cap);
		assert_int_equal(strlen(text), cap - 1);
	}
	case_end(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_segments_in),
		cmocka_unit_test(test_errors_quote_our_segment),
		cmocka_unit_test(test_comparisons),
		cmocka_unit_test(test_ticking_stamps),
		cmocka_unit_test(test_texts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
