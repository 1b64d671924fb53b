/*
 * %{ code }%: each operator and its precedence as Python has them, statements,
 * variables that last, and messages that tell the values.
 */
#include "drill_case.h"

#include "drill/drill_code.h"

static char said[256];

static bool lookup(void *context, struct span name, int64_t *value)
{
	*value = *(const int64_t *)context;
	return drill_is(name, "tcpi_snd_cwnd");
}

static void say(void *context, const char *line)
{
	(void)context;
	strcpy(said, line);
}

static int64_t cwnd = 10;
static _Alignas(8) uint8_t memory[64 * 1024];
static struct arena arena;

static struct drill_code begin(void)
{
	arena = (struct arena){ .at = memory, .size = sizeof memory };
	return (struct drill_code){
		.arena = &arena, .lookup = lookup, .context = &cwnd, .say = say
	};
}

static bool run(struct drill_code *c, const char *text, struct drill_problem *p)
{
	memset(p, 0, sizeof *p);
	return drill_code_run(c, span_of(text, strlen(text)), 10, p);
}

static void test_true_things(void **state)
{
	(void)state;
	static const char *const things[] = {
		"1 + 2 * 3 == 7",
		"(1 + 2) * 3 == 9",
		"-7 // 2 == -4",
		"-7 % 3 == 2",
		"7 / 2 == 3.5",
		"7.5 // 2 == 3",
		"1 << 4 | 1 == 17",
		"6 & 3 == 2",
		"6 ^ 3 == 5",
		"256 >> 4 == 16",
		"~0 == -1",
		"0x7fffffff == 2147483647",
		"1 < 2 < 3",
		"not 1 < 2 < 2",
		"990 <= 1000 <= 1010",
		"1 == 1 and 2 == 2 or 1 / 0",
		"not False and True",
		"0 or 3 == 3",
		"'a' < 'b' and 'abc' == \"abc\"",
		"'b' in 'abc' and 'x' not in 'abc'",
		"2 in (1, 2, 3) and 5 not in [1, 2]",
		"(1, 2) == (1, 2)",
		"len('abc') == 3 and len((1, 2)) == 2",
		"max(1, 5, 3) == 5 and min(4, 2) == 2 and abs(-3) == 3",
		"int(3.9) == 3",
		"'%d of %s' % (3, 'four') == '3 of four'",
		"'%x%%' % 255 == 'ff%'",
		"tcpi_snd_cwnd == 10",
		"(tcpi_snd_cwnd & 2) != 0",
		"TCP_ESTABLISHED == 1",
		"None == None",
		"5 == 5.0",
	};
	for (size_t i = 0; i < sizeof things / sizeof things[0]; i++) {
		char text[256] = "assert ";
		struct drill_code c = begin();
		struct drill_problem p;
		strcat(text, things[i]);
		if (!run(&c, text, &p))
			fail_msg("%s: %s", text, p.text);
		/* A check that can't fail is none. */
		strcpy(text, "assert not (");
		strcat(strcat(text, things[i]), ")");
		assert_false(run(&c, text, &p));
		assert_non_null(strstr(p.text, "assert"));
	}
}

static void test_statements(void **state)
{
	(void)state;
	struct drill_code c = begin();
	struct drill_problem p;
	assert_true(run(&c, "a = 3; b = a + 1 # four\nc = 1, 2", &p));
	assert_true(run(&c, "a += 4\nb -= 1; assert a == 7 and b == 3", &p));
	assert_true(run(&c, "assert 2 in c; pass", &p));
	assert_true(run(&c, "print('cwnd', tcpi_snd_cwnd, c)", &p));
	assert_string_equal(said, "cwnd 10 (1, 2)");
	assert_true(run(&c, "assert a == 7; \\\n assert (b ==\n 3)", &p));
	assert_true(run(&c, "\n\n", &p));
	assert_true(run(&c, "", &p));
}

static void test_a_failure_tells_the_values(void **state)
{
	(void)state;
	struct drill_code c = begin();
	struct drill_problem p;
	assert_true(run(&c, "want = 9", &p));
	assert_false(run(&c, "\nassert tcpi_snd_cwnd == want, 'cwnd=%d' % tcpi_snd_cwnd", &p));
	assert_int_equal(p.line, 11);
	assert_non_null(strstr(p.text, "tcpi_snd_cwnd == want"));
	assert_non_null(strstr(p.text, "tcpi_snd_cwnd = 10, want = 9"));
	assert_non_null(strstr(p.text, "cwnd=10"));
}

static void test_mistakes(void **state)
{
	(void)state;
	static const struct {
		const char *text, *says;
	} mistakes[] = {
		{ "assert nobody == 1", "'nobody'" },
		{ "a += 1", "no value yet" },
		{ "assert 1 / 0", "division by zero" },
		{ "assert 1 % 0", "division by zero" },
		{ "assert 1 // 0.0", "division by zero" },
		{ "assert 'a' < 1", "no order" },
		{ "assert 1 in 2", "'in' looks into" },
		{ "assert 'a' - 1", "numbers only" },
		{ "assert 1.5 | 1", "whole numbers" },
		{ "assert (1", "expected" },
		{ "assert 'a", "not closed" },
		{ "for x in y: pass", "only assert" },
		{ "assert 1 2", "goes on" },
		{ "assert '%q' % 1 == ''", "not understood" },
		{ "assert '%d %d' % 1 == ''", "no value" },
		{ "assert system('x')", "not understood" },
		{ "assert 99999999999999999999 == 1", "too many digits" },
		{ "print 1", "brackets" },
		{ "x = (1,2,3,4,5,6,7,8,9)", "more than 8" },
		{ "assert (((((((((((((((((((((((((((((((((1)))))))))))))))))))))))))))))))))",
			"deep" },
		{ "assert -------------------------------------------1", "deep" },
	};
	for (size_t i = 0; i < sizeof mistakes / sizeof mistakes[0]; i++) {
		struct drill_code c = begin();
		struct drill_problem p;
		if (run(&c, mistakes[i].text, &p) || !strstr(p.text, mistakes[i].says))
			fail_msg("%s: %s", mistakes[i].text, p.text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_true_things),
		cmocka_unit_test(test_statements),
		cmocka_unit_test(test_a_failure_tells_the_values),
		cmocka_unit_test(test_mistakes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
