/* Lines for a shell: which settings they stand for, and what is passed by. */
#include "drill_case.h"

#include <stdio.h>

#include "drill/drill_shell.h"

struct heard {
	unsigned sets, profiles, ignored;
	char last[256], passed_by[256];
};

static void on_set(void *context, const char *name, const char *value)
{
	struct heard *h = context;
	h->sets++;
	snprintf(h->last, sizeof h->last, "%s=%s", name, value);
}

static void on_profile_end(void *context)
{
	struct heard *h = context;
	h->profiles++;
}

static void on_ignored(void *context, const char *line)
{
	struct heard *h = context;
	h->ignored++;
	snprintf(h->passed_by, sizeof h->passed_by, "%s", line);
}

static struct heard hear(const char *text)
{
	struct heard h = { .sets = 0 };
	struct drill_shell s = { &h, on_set, on_profile_end, on_ignored };
	drill_shell_read(&s, span_of(text, strlen(text)));
	return h;
}

static void test_settings(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		unsigned sets;
		const char *last;
	} lines[] = {
		{ "sysctl -q net.ipv4.tcp_sack=0", 1, "net.ipv4.tcp_sack=0" },
		{ "sysctl -w a.b=1 c.d=2 # and no more", 2, "c.d=2" },
		{ "sysctl -q a.b='4 5 6'", 1, "a.b=4 5 6" },
		{ "../x/set_sysctls.py /proc/sys/net/ipv4/tcp_rmem=\"4 5 6\"", 1,
			"net.ipv4.tcp_rmem=4 5 6" },
		{ "./set_sysctls.py /proc/sys/a/b=1 \\\n /proc/sys/c/d=2\\\n", 2, "c.d=2" },
		{ "true; sysctl a.b=1 && sysctl c.d=3", 2, "c.d=3" },
		{ "echo 7 > /proc/sys/net/ipv4/tcp_x", 1, "net.ipv4.tcp_x=7" },
		{ "true\n:\n/tmp/sysctl_restore_${PPID}.sh", 0, "" },
	};
	for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
		struct heard h = hear(lines[i].text);
		assert_int_equal(h.sets, lines[i].sets);
		assert_string_equal(h.last, lines[i].last);
		assert_int_equal(h.ignored, 0);
	}
}

static void test_the_profile(void **state)
{
	(void)state;
	struct heard h = hear("../../common/defaults.sh\nsysctl -q a.b=1");
	assert_int_equal(h.profiles, 1);
	assert_true(h.sets > 15);
	assert_string_equal(h.last, "a.b=1");
}

static void test_passed_by(void **state)
{
	(void)state;
	struct heard h = hear("tc qdisc replace dev tun0 root fq\nethtool -K tun0 gso off");
	assert_int_equal(h.sets, 0);
	assert_int_equal(h.ignored, 2);
	assert_string_equal(h.passed_by, "ethtool -K tun0 gso off");
	h = hear("sysctl nothing");
	assert_int_equal(h.ignored, 1);
	assert_int_equal(hear("").ignored + hear("# only\n\n;;").ignored, 0);
	char words[4096];
	memset(words, 'a', sizeof words - 1);
	words[sizeof words - 1] = '\0';
	assert_int_equal(hear(words).ignored, 1);
	for (size_t i = 1; i < sizeof words - 1; i += 2)
		words[i] = ' ';
	assert_int_equal(hear(words).ignored, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_settings),
		cmocka_unit_test(test_the_profile),
		cmocka_unit_test(test_passed_by),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
