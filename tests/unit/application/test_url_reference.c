/*
 * References against a base: the examples of RFC 3986 5.4 as far as they are
 * http, and what servers write in Location fields.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "application/http/url_reference.h"

static void leads(const char *from, const char *reference, const char *to)
{
	struct url base;
	char out[200];
	assert_int_equal(url_parse(span_of(from, strlen(from)), false, &base, NULL), URL_NONE);
	size_t len = url_reference(&base, span_of(reference, strlen(reference)), out, sizeof out);
	if (len != strlen(out) || strcmp(out, to) != 0)
		fail_msg("%s from %s: %s", reference, from, out);
}

static void examples(void **state)
{
	(void)state;
	static const char base[] = "http://a/b/c/d;p?q";
	static const char *const cases[][2] = {
		{ "g", "http://a/b/c/g" },
		{ "./g", "http://a/b/c/g" },
		{ "g/", "http://a/b/c/g/" },
		{ "/g", "http://a/g" },
		{ "//g", "http://g" },
		{ "?y", "http://a/b/c/d;p?y" },
		{ "g?y", "http://a/b/c/g?y" },
		{ "#s", "http://a/b/c/d;p?q" },
		{ "g#s", "http://a/b/c/g" },
		{ "g?y#s", "http://a/b/c/g?y" },
		{ ";x", "http://a/b/c/;x" },
		{ "", "http://a/b/c/d;p?q" },
		{ ".", "http://a/b/c/" },
		{ "./", "http://a/b/c/" },
		{ "..", "http://a/b/" },
		{ "../", "http://a/b/" },
		{ "../g", "http://a/b/g" },
		{ "../..", "http://a/" },
		{ "../../g", "http://a/g" },
		{ "../../../g", "http://a/g" },
		{ "../../../../g", "http://a/g" },
		{ "/./g", "http://a/g" },
		{ "/../g", "http://a/g" },
		{ "g.", "http://a/b/c/g." },
		{ ".g", "http://a/b/c/.g" },
		{ "g..", "http://a/b/c/g.." },
		{ "..g", "http://a/b/c/..g" },
		{ "./../g", "http://a/b/g" },
		{ "./g/.", "http://a/b/c/g/" },
		{ "g/./h", "http://a/b/c/g/h" },
		{ "g/../h", "http://a/b/c/h" },
		{ "g;x=1/../y", "http://a/b/c/y" },
		{ "g?y/./x", "http://a/b/c/g?y/./x" },
		{ "g?y/../x", "http://a/b/c/g?y/../x" },
		{ "g:h", "g:h" },
		{ "ftp://x/y", "ftp://x/y" },
	};
	for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++)
		leads(base, cases[i][0], cases[i][1]);
	leads("http://h", "x", "http://h/x");
	leads("http://h", "", "http://h/");
	leads("http://h?q", "?r", "http://h/?r");
	leads("http://h:8080/x", "/y", "http://h:8080/y");
	leads("https://h/x", "y", "https://h/y");
	leads("https://h/x", "//g/z", "https://g/z");
	leads("http://h/x", "HTTP://G/", "HTTP://G/");
	leads("http://h/", "a b\xc3\xa9", "http://h/a%20b%C3%A9");
	leads("http://h/", "/../../../..", "http://h/");
	leads("http://h/", "/a/b/../../..//c", "http://h//c");
}

/* Never more than the room there is, and never half of a URL. */
static void room(void **state)
{
	(void)state;
	struct url base;
	char out[64];
	assert_int_equal(url_parse(span_of("http://h/a/b", 12), false, &base, NULL), URL_NONE);
	for (size_t cap = 1; cap < 30; cap++) {
		memset(out, 0x55, sizeof out);
		size_t len = url_reference(&base, span_of("../some/where", 13), out, cap);
		assert_int_equal(out[cap], 0x55);
		if (len)
			assert_string_equal(out, "http://h/some/where");
		assert_true(cap < 20 ? len == 0 : cap > 25 ? len == 19 : true);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(examples),
		cmocka_unit_test(room),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
