/*
 * URLs: the parts of good ones, and for each bad one the error and the place.
 */
#include "unit/base/property.h"

#include "wire/url.h"

static struct span text_of_(const char *s)
{
	return span_of(s, strlen(s));
}

static void same(struct span got, const char *want)
{
	if (!span_equal(got, text_of_(want)))
		fail_msg("'%.*s' is not '%s'", (int)got.len, (const char *)got.at, want);
}

static void test_parts(void **state)
{
	(void)state;
	static const struct {
		const char *text, *authority, *host, *path, *query, *target;
		uint16_t port;
		bool secure, has_addr;
	} cases[] = {
		{ "http://www.example.test/", "www.example.test", "www.example.test", "/", "", "/",
			80, false, false },
		{ "HTTP://A", "A", "A", "", "", "/", 80, false, false },
		{ "https://a:8443/b/c?d=e#f", "a:8443", "a", "/b/c", "d=e", "/b/c?d=e", 8443, true,
			false },
		{ "http://a?x", "a", "a", "", "x", "/?x", 80, false, false },
		{ "http://a/?", "a", "a", "/", "", "/?", 80, false, false },
		{ "http://a#x?y/z", "a", "a", "", "", "/", 80, false, false },
		{ "http://a:/b", "a", "a", "/b", "", "/b", 80, false, false },
		{ "http://a.:080/", "a.:080", "a.", "/", "", "/", 80, false, false },
		{ "https://192.0.2.7/x", "192.0.2.7", "192.0.2.7", "/x", "", "/x", 443, true,
			true },
		{ "http://[2001:db8::1]:81/", "[2001:db8::1]:81", "2001:db8::1", "/", "", "/", 81,
			false, true },
		{ "http://[::1]", "[::1]", "::1", "", "", "/", 80, false, true },
		{ "http://a_b-c.xn--p1ai/%7e?a[]={|}", "a_b-c.xn--p1ai", "a_b-c.xn--p1ai", "/%7e",
			"a[]={|}", "/%7e?a[]={|}", 80, false, false },
		{ "http://a//b@c:d/../e", "a", "a", "//b@c:d/../e", "", "//b@c:d/../e", 80, false,
			false },
		{ "http://1a.2b", "1a.2b", "1a.2b", "", "", "/", 80, false, false },
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct url u;
		uint8_t target[100];
		assert_int_equal(url_parse(text_of_(cases[i].text), false, &u, NULL), URL_NONE);
		same(u.authority, cases[i].authority);
		same(u.host, cases[i].host);
		same(u.path, cases[i].path);
		same(u.query, cases[i].query);
		assert_int_equal(u.port, cases[i].port);
		assert_int_equal(u.secure, cases[i].secure);
		assert_int_equal(u.has_addr, cases[i].has_addr);
		size_t len = url_target(&u, target, sizeof target);
		same(span_of(target, len), cases[i].target);
		assert_int_equal(url_target(&u, target, len - 1), 0);
	}
}

static void test_what_people_type(void **state)
{
	(void)state;
	struct url u;

	assert_int_equal(url_parse(text_of_("example.test"), true, &u, NULL), URL_NONE);
	same(u.host, "example.test");
	assert_int_equal(
		url_parse(text_of_("example.test:8080/a?b=http://c"), true, &u, NULL), URL_NONE);
	same(u.host, "example.test");
	same(u.query, "b=http://c");
	assert_int_equal(u.port, 8080);
	assert_int_equal(url_parse(text_of_("[::1]/x"), true, &u, NULL), URL_NONE);
	assert_true(u.has_addr);
	assert_int_equal(url_parse(text_of_("example.test"), false, &u, NULL), URL_SCHEME);
	assert_int_equal(url_parse(text_of_("ftp://example.test"), true, &u, NULL), URL_SCHEME);
	assert_int_equal(url_parse(text_of_("mailto:a@b"), true, &u, NULL), URL_USERINFO);
	assert_int_equal(url_parse(text_of_("javascript:x"), true, &u, NULL), URL_PORT);
}

static void test_refused(void **state)
{
	(void)state;
	char longest[8002], label[100] = "http://", name[300] = "http://";
	memset(longest, 'a', sizeof longest - 1);
	longest[sizeof longest - 1] = '\0';
	memset(label + 7, 'a', 64);
	for (size_t i = 7; i < 7 + 254; i++)
		name[i] = i % 2 ? 'a' : '.';
	const struct {
		const char *text;
		enum url_error want;
		size_t at;
	} cases[] = {
		{ "", URL_EMPTY, 0 },
		{ longest, URL_LONG, 0 },
		{ label, URL_HOST_LABEL, 7 },
		{ "http:/a", URL_SCHEME, 0 },
		{ "://a", URL_SCHEME, 0 },
		{ "http://", URL_HOST_EMPTY, 7 },
		{ "http:///a", URL_HOST_EMPTY, 7 },
		{ "http://:80/", URL_HOST_EMPTY, 7 },
		{ "http://a b/", URL_BYTE, 8 },
		{ "http://a/\r\nX:y", URL_BYTE, 9 },
		{ "http://a/\xc3\xa9", URL_BYTE, 9 },
		{ "http://a/\x7f", URL_BYTE, 9 },
		{ "http://user@a/", URL_USERINFO, 11 },
		{ "http://a:80@b/", URL_USERINFO, 11 },
		{ "http://a/%", URL_PERCENT, 9 },
		{ "http://a/%4", URL_PERCENT, 9 },
		{ "http://a/x?%4g", URL_PERCENT, 11 },
		{ "http://a/\"", URL_PATH, 9 },
		{ "http://a/b\\c", URL_PATH, 10 },
		{ "http://a\\b/", URL_HOST_BYTE, 8 },
		{ "http://a%41/", URL_HOST_BYTE, 8 },
		{ "http://a,b/", URL_HOST_BYTE, 8 },
		{ "http://a..b/", URL_HOST_LABEL, 9 },
		{ "http://.a/", URL_HOST_LABEL, 7 },
		{ "http://./", URL_HOST_LABEL, 7 },
		{ "http://127.1/", URL_HOST_NUMBER, 7 },
		{ "http://2130706433/", URL_HOST_NUMBER, 7 },
		{ "http://0x7f000001/", URL_HOST_NUMBER, 7 },
		{ "http://127.0.0.0x1/", URL_HOST_NUMBER, 7 },
		{ "http://256.0.0.1/", URL_HOST_NUMBER, 7 },
		{ "http://1.2.3.4.5/", URL_HOST_NUMBER, 7 },
		{ "http://1.2.3.4./", URL_HOST_NUMBER, 7 },
		{ "http://[::1/", URL_HOST_LITERAL, 7 },
		{ "http://[]/", URL_HOST_LITERAL, 7 },
		{ "http://[1.2.3.4]/", URL_HOST_LITERAL, 7 },
		{ "http://[fe80::1%25eth0]/", URL_HOST_LITERAL, 7 },
		{ "http://[v1.x]/", URL_HOST_LITERAL, 7 },
		{ "http://[::1]x/", URL_HOST_BYTE, 12 },
		{ "http://::1/", URL_HOST_EMPTY, 7 },
		{ "http://a:0/", URL_PORT, 9 },
		{ "http://a:65536/", URL_PORT, 9 },
		{ "http://a:000080/", URL_PORT, 9 },
		{ "http://a:8x/", URL_PORT, 9 },
		{ "http://a:+80/", URL_PORT, 9 },
		{ "http://a:80:80/", URL_PORT, 9 },
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct url u;
		size_t at = 99;
		enum url_error got = url_parse(text_of_(cases[i].text), false, &u, &at);
		if (got != cases[i].want || at != cases[i].at)
			fail_msg("%s: '%s' at %zu", cases[i].text, url_error_text(got), at);
	}
	struct url u;
	assert_int_equal(url_parse(span_of(name, 7 + 253), false, &u, NULL), URL_NONE);
	name[7 + 253] = 'b';
	assert_int_equal(url_parse(span_of(name, 7 + 254), false, &u, NULL), URL_HOST_LONG);
}

/* Whatever the bytes are, the parts of an accepted URL lie in order within it. */
static void parts_lie_within(struct rng *r)
{
	static const char alphabet[] = "http://[]:.@?#%/aAbB019xX-_\\ \"";
	uint8_t bytes[64];
	size_t len = rng_below(r, sizeof bytes), skip = rng_below(r, 3) ? 7 : 0;
	struct url u;
	size_t at;

	memcpy(bytes, "http://", 7);
	for (size_t i = skip; i < len; i++)
		bytes[i] = (uint8_t)alphabet[rng_below(r, sizeof alphabet - 1)];
	uint8_t *copy = malloc(len ? len : 1);
	memcpy(copy, bytes, len);
	struct span text = span_of(copy, len);
	if (url_parse(text, rng_below(r, 2), &u, &at)) {
		check(at <= len);
	} else {
		check(u.authority.at >= text.at && u.host.at >= u.authority.at);
		check(u.host.at + u.host.len <= u.authority.at + u.authority.len);
		check(u.path.at >= u.authority.at + u.authority.len);
		check(u.query.at >= u.path.at + u.path.len);
		check(u.query.at + u.query.len <= text.at + text.len);
		check(u.host.len > 0 && u.port > 0);
		check(u.path.len == 0 || u.path.at[0] == '/');
		struct url again;
		check(url_authority_parse(u.authority, &again, NULL) == URL_NONE);
		check(span_equal(again.host, u.host) && again.has_addr == u.has_addr);
	}
	free(copy);
}

static void test_garbage(void **state)
{
	(void)state;
	property_each(50000, parts_lie_within);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parts),
		cmocka_unit_test(test_what_people_type),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_garbage),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
