/*
 * The script language: times, packets, options, calls and their arguments, and
 * what is said about mistakes, with the line on which they stand.
 */
#include "drill_case.h"

#include "posix/linux_abi.h"
#include "wire/tcp.h"

static void test_times(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		enum drill_time_kind kind;
		nanotime time, range, end;
	} times[] = {
		{ "0 close(3) = 0", DRILL_ABSOLUTE, 0, 0, 0 },
		{ "+0 close(3) = 0", DRILL_RELATIVE, 0, 0, 0 },
		{ "+.1 close(3) = 0", DRILL_RELATIVE, 100 * NANO_MS, 0, 0 },
		{ "1.25 close(3) = 0", DRILL_ABSOLUTE, 1250 * NANO_MS, 0, 0 },
		{ "+3ms close(3) = 0", DRILL_RELATIVE, 3 * NANO_MS, 0, 0 },
		{ "+.000001 close(3) = 0", DRILL_RELATIVE, NANO_US, 0, 0 },
		{ "close(3) = 0", DRILL_RELATIVE, 0, 0, 0 },
		{ "* close(3) = 0", DRILL_WHENEVER, 0, 0, 0 },
		{ "+0...0.2 close(3) = 0", DRILL_RELATIVE, 0, 0, 200 * NANO_MS },
		{ "0.1 ... 0.3 close(3) = 0", DRILL_ABSOLUTE, 100 * NANO_MS, 0, 300 * NANO_MS },
		{ "+.3~+.31 > . 1:1(0) ack 1", DRILL_RELATIVE, 300 * NANO_MS, 310 * NANO_MS, 0 },
		{ "+0~.04 > . 1:1(0) ack 1", DRILL_RELATIVE, 0, 40 * NANO_MS, 0 },
	};
	for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
		struct drill_case c;
		const struct drill_event *e = case_first(&c, times[i].text);
		assert_int_equal(e->time_kind, times[i].kind);
		assert_int_equal(e->time, times[i].time);
		assert_int_equal(e->has_range, times[i].range != 0);
		assert_int_equal(e->range, times[i].range);
		assert_int_equal(e->has_end, times[i].end != 0);
		assert_int_equal(e->end, times[i].end);
		case_end(&c);
	}
}

static void test_segment(void **state)
{
	(void)state;
	struct drill_case c;
	const struct drill_event *e = case_first(&c,
		"// a remark\n"
		"+0 < [ce] FP. 101:151(50) ack 7 win 900 urg 3 /* and\n another */ "
		"<nop, nop, TS val 5 ecr 6>\n");
	const struct drill_packet *p = &e->packet;
	assert_int_equal(e->kind, DRILL_PACKET);
	assert_false(p->outbound);
	assert_int_equal(p->ecn, 3);
	assert_int_equal(p->flags, TCP_FIN | TCP_PSH | TCP_ACK);
	assert_int_equal(p->seq, 101);
	assert_int_equal(p->len, 50);
	assert_true(p->has_ack && p->has_window && p->has_urgent);
	assert_int_equal(p->ack, 7);
	assert_int_equal(p->window, 900);
	assert_int_equal(p->urgent, 3);
	const struct drill_option *o = p->options;
	assert_int_equal(o->kind, TCP_OPT_NOP);
	o = o->next->next;
	assert_int_equal(o->kind, TCP_OPT_TIMESTAMPS);
	assert_int_equal(load32(o->data), 5);
	assert_int_equal(load32(o->data + 4), 6);
	assert_null(o->next);
	case_end(&c);
}

static void test_options(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		uint8_t kind, len;
		uint8_t data[16];
	} options[] = {
		{ "mss 1460", TCP_OPT_MSS, 2, { 0x05, 0xb4 } },
		{ "wscale 7", TCP_OPT_WSCALE, 1, { 7 } },
		{ "sackOK", TCP_OPT_SACK_PERMITTED, 0, { 0 } },
		{ "sack 1:2 258:259", TCP_OPT_SACK, 16,
			{ 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 1, 2, 0, 0, 1, 3 } },
		{ "FO", TCP_OPT_FAST_OPEN, 0, { 0 } },
		{ "FO a1b2", TCP_OPT_FAST_OPEN, 2, { 0xa1, 0xb2 } },
		{ "FO TFO_COOKIE", TCP_OPT_FAST_OPEN, 8,
			{ 0x30, 0x21, 0xb9, 0xd8, 0x89, 0x01, 0x7e, 0xeb } },
		{ "FOEXP 11", TCP_OPT_EXPERIMENT2, 3, { 0xf9, 0x89, 0x11 } },
		{ "ECN e1b 1 ceb 2 e0b 3", TCP_OPT_ACCECN1, 9, { 0, 0, 1, 0, 0, 2, 0, 0, 3 } },
		{ "ECN e0b 1 ceb 2", TCP_OPT_ACCECN0, 6, { 0, 0, 1, 0, 0, 2 } },
		{ "77 0xabcd", 77, 2, { 0xab, 0xcd } },
		{ "eol", TCP_OPT_END, 0, { 0 } },
	};
	for (size_t i = 0; i < sizeof options / sizeof options[0]; i++) {
		char text[128] = "+0 < S 0:0(0) win 1 <";
		struct drill_case c;
		strcat(strcat(text, options[i].text), ">");
		const struct drill_option *o = case_first(&c, text)->packet.options;
		assert_int_equal(o->kind, options[i].kind);
		assert_int_equal(o->len, options[i].len);
		assert_memory_equal(o->data, options[i].data, o->len);
		case_end(&c);
	}
}

static void test_any_options(void **state)
{
	(void)state;
	struct drill_case c;
	const struct drill_packet *p = &case_first(&c, "+0 > S. 0:0(0) ack 1 <...>")->packet;
	assert_true(p->outbound && p->any_options);
	assert_false(p->has_window);
	assert_int_equal(p->ecn, -1);
	case_end(&c);
}

static void test_icmp(void **state)
{
	(void)state;
	struct drill_case c;
	const struct drill_packet *p = &case_first(
		&c, "+0 < icmp unreachable frag_needed mtu 1300 [1:1401(1400)]")
						->packet;
	assert_int_equal(p->protocol, DRILL_ICMP);
	assert_int_equal(p->icmp_type, 3);
	assert_int_equal(p->icmp_code, 4);
	assert_int_equal(p->mtu, 1300);
	assert_true(p->has_quote);
	assert_int_equal(p->seq, 1);
	assert_int_equal(p->len, 1400);
	case_end(&c);
	case_read(&c, "+0 < icmp packet_too_big mtu 1300", true);
	assert_true(c.read);
	assert_int_equal(c.script.first->packet.icmp_type, 2);
	case_end(&c);
}

static void test_call(void **state)
{
	(void)state;
	struct drill_case c;
	const struct drill_event *e = case_first(&c,
		"+0 recvmsg(SEVEN, {msg_name(...)=..., msg_iov(2)=[{..., 10}, {\"a\\n\", 0x20}],\n"
		"  msg_flags=MSG_PEEK|MSG_DONTWAIT}, -1) = -1 EAGAIN (try (it) again)\n"
		"+0 close(3) = 0");
	const struct drill_call *call = &e->call;
	assert_int_equal(e->kind, DRILL_SYSCALL);
	assert_true(drill_is(call->name, "recvmsg"));
	assert_int_equal(call->count, 3);
	assert_int_equal(call->error, LINUX_EAGAIN);
	assert_int_equal(call->result->number, -1);
	const struct drill_expr *a = call->arguments;
	assert_int_equal(a->number, 7);
	assert_int_equal(a->next->next->number, -1);
	const struct drill_expr *f = a->next->first;
	assert_int_equal(f->kind, DRILL_FIELD);
	assert_int_equal(f->first->kind, DRILL_ELLIPSIS);
	f = f->next;
	assert_int_equal(f->number, 2);
	const struct drill_expr *second = f->first->first->next;
	assert_true(drill_is(second->first->name, "a\n"));
	assert_int_equal(second->first->next->number, 32);
	assert_int_equal(f->next->first->number, LINUX_MSG_PEEK | LINUX_MSG_DONTWAIT);
	assert_int_equal(c.script.events, 2);
	assert_int_equal(e->next->line, 3);
	case_end(&c);
}

static void test_settings_and_texts(void **state)
{
	(void)state;
	struct drill_case c;
	const struct drill_event *e = case_first(
		&c, "--mtu=9000 // jumbo\n--strict_segments\n`one\ntwo`\n+0 %{ assert a == 1 }%\n");
	assert_int_equal(c.script.settings, 2);
	assert_true(drill_is(c.script.setting[0].name, "mtu"));
	assert_true(drill_is(c.script.setting[0].value, "9000"));
	assert_true(drill_is(c.script.setting[1].name, "strict_segments"));
	assert_int_equal(c.script.setting[1].value.len, 0);
	assert_int_equal(e->kind, DRILL_SHELL);
	assert_true(drill_is(e->text, "one\ntwo"));
	assert_int_equal(e->next->kind, DRILL_CODE);
	assert_int_equal(e->next->line, 5);
	assert_true(drill_is(e->next->text, " assert a == 1 "));
	case_end(&c);
}

static void test_mistakes(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		unsigned line;
		const char *says;
	} mistakes[] = {
		{ "", 1, "no event" },
		{ "+0 close(3) = 0\n+0 close(3 = 0\n", 2, "','" },
		{ "\n\n+0 < S 0:5(4) win 1", 3, "difference of the two, 5" },
		{ "+0 < Q 0:0(0) win 1", 1, "flags are letters" },
		{ "+0 > . 1:1(0) ack 1 <mss>", 1, "mss must be a number" },
		{ "+0 > . 1:1(0) ack 1 <magic 3>", 1, "an option is" },
		{ "+0 > . 1:1(0) ack 4294967296", 1, "between 0 and 4294967295" },
		{ "+0 < . 1:1(0) ack 1 win 65536", 1, "between 0 and 65535" },
		{ "+0 < S 0:0(0) win 1 <FO 123>", 1, "half a byte short" },
		{ "+0 < S 0:0(0) win 1 <FO 12zz>", 1, "no hexadecimal" },
		{ "+0 fcntl(3, F_SETFD, O_NOTHING) = 0", 1, "'O_NOTHING'" },
		{ "+0 close(3) = -1 EWHATEVER", 1, "'EWHATEVER'" },
		{ "+0 close(3) = -1 EBADF (never", 1, "not closed" },
		{ "+0 write(3, \"abc, 3) = 3", 1, "not closed on its line" },
		{ "+0 %{ assert 1", 1, "never closed by '}%'" },
		{ "`true", 1, "never closed by '`'" },
		{ "/* for ever", 1, "never closed" },
		{ "+0...1 > . 1:1(0) ack 1", 1, "only a call can last" },
		{ "+1...0.5 close(3) = 0", 1, "return before it begins" },
		{ "+ close(3) = 0", 1, "time was expected" },
		{ "+0 < icmp nonsense", 1, "'nonsense'" },
		{ "+0 < [purple] . 1:1(0) ack 1 win 1", 1, "ect0" },
		{ "+0 ? 4", 1, "begins neither" },
		{ "--", 1, "without a name" },
		{ "+0 f([[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]) = 0", 1, "deep" },
		{ "+0 < . 1:1(0) ack 1 win 1 <sack 1:2 1:2 1:2 1:2 1:2>", 1, "room for 40" },
		{ "+99999999999 close(3) = 0", 1, "thirty years" },
	};
	for (size_t i = 0; i < sizeof mistakes / sizeof mistakes[0]; i++) {
		struct drill_case c;
		case_read(&c, mistakes[i].text, false);
		if (c.read || c.problem.line != mistakes[i].line ||
			!strstr(c.problem.text, mistakes[i].says))
			fail_msg("%s\nread: %d, line %u: %s", mistakes[i].text, c.read,
				c.problem.line, c.problem.text);
		case_end(&c);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_segment),
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_any_options),
		cmocka_unit_test(test_icmp),
		cmocka_unit_test(test_call),
		cmocka_unit_test(test_settings_and_texts),
		cmocka_unit_test(test_mistakes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
