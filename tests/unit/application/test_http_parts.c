/*
 * The HTTP server's parts without sockets: paths, dates, what part of a page is
 * selected, media types, and the table of hosts.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "application/http/http_date.h"
#include "application/http/http_hosts.h"
#include "application/http/http_path.h"
#include "application/http/http_select.h"

static struct span span_of_text(const char *text)
{
	size_t len = 0;
	while (text[len])
		len++;
	return span_of(text, len);
}

/* ---- paths ---- */

static void path_is(const char *in, const char *out)
{
	char path[64];
	size_t len = 99;
	enum http_path_verdict v = http_path_decode(span_of_text(in), path, sizeof path, &len);
	if (v != HTTP_PATH_OK || !span_equal(span_of(path, len), span_of_text(out)))
		fail_msg("%s: %d %s", in, v, v ? "" : path);
	assert_int_equal(path[len], 0);
}

static void path_fails(const char *in, enum http_path_verdict want)
{
	char path[64];
	size_t len;
	enum http_path_verdict v = http_path_decode(span_of_text(in), path, sizeof path, &len);
	if (v != want)
		fail_msg("%s: %d", in, v);
}

static void paths(void **state)
{
	(void)state;
	path_is("/", "/");
	path_is("/index.html", "/index.html");
	path_is("/a%20b", "/a b");
	path_is("/%41%4a%7e", "/AJ~");
	path_is("//a///b//", "/a/b/");
	path_is("/...", "/...");
	path_is("/.a/..b/c..", "/.a/..b/c..");
	path_is("/%2525", "/%25"); /* once only */
	path_is("/%252e%252e/x", "/%2e%2e/x");
	path_is("/\xc3\xa9", "/\xc3\xa9");
	path_fails("", HTTP_PATH_FORM);
	path_fails("a", HTTP_PATH_FORM);
	path_fails("*", HTTP_PATH_FORM);
	path_fails("/%", HTTP_PATH_FORM);
	path_fails("/%4", HTTP_PATH_FORM);
	path_fails("/%4g", HTTP_PATH_FORM);
	path_fails("/%00", HTTP_PATH_FORM);
	path_fails("/a%0ab", HTTP_PATH_FORM);
	path_fails("/a%7f", HTTP_PATH_FORM);
	path_fails("/a\\b", HTTP_PATH_FORM);
	path_fails("/a%5cb", HTTP_PATH_FORM);
	path_fails("/a%2fb", HTTP_PATH_FORM);
	path_fails("/a%2Fb", HTTP_PATH_FORM);
	path_fails("/..", HTTP_PATH_CLIMB);
	path_fails("/../etc/passwd", HTTP_PATH_CLIMB);
	path_fails("/a/../b", HTTP_PATH_CLIMB);
	path_fails("/a/..", HTTP_PATH_CLIMB);
	path_fails("/.", HTTP_PATH_CLIMB);
	path_fails("/./a", HTTP_PATH_CLIMB);
	path_fails("/%2e%2e/a", HTTP_PATH_CLIMB);
	path_fails("/.%2e", HTTP_PATH_CLIMB);
	path_fails("//../a", HTTP_PATH_CLIMB);
	path_fails("/0123456789012345678901234567890123456789012345678901234567890123",
		HTTP_PATH_LONG);
	path_is("/01234567890123456789012345678901234567890123456789012345678901",
		"/01234567890123456789012345678901234567890123456789012345678901");
}

/* Whatever the bytes: what is decoded has no way up, and encodes back to itself. */
static void any_path(void **state)
{
	(void)state;
	struct rng r;
	rng_seed(&r, span_of_text("any path of any bytes"));
	static const char alphabet[] = "/.%2eEfF0aA\\5cC \x7f\x01";
	for (unsigned i = 0; i < 200000; i++) {
		uint8_t in[24];
		char path[64], again[256], back[64];
		size_t len, n = 1 + rng_below(&r, 23), len2;
		in[0] = '/';
		for (size_t j = 1; j < n; j++)
			in[j] = (uint8_t)alphabet[rng_below(&r, sizeof alphabet - 1)];
		if (http_path_decode(span_of(in, n), path, sizeof path, &len))
			continue;
		assert_int_equal(path[0], '/');
		for (size_t j = 0; j < len; j++) {
			assert_true((uint8_t)path[j] >= ' ' && path[j] != 0x7f && path[j] != '\\');
			if (path[j] != '/')
				continue;
			assert_false(path[j + 1] == '/');
			assert_false(path[j + 1] == '.' && (path[j + 2] == '/' || !path[j + 2]));
			assert_false(path[j + 1] == '.' && path[j + 2] == '.' &&
				(path[j + 3] == '/' || !path[j + 3]));
		}
		size_t e = http_path_encode(span_of(path, len), again, sizeof again);
		assert_true(e >= len);
		assert_int_equal(http_path_decode(span_of(again, e), back, sizeof back, &len2),
			HTTP_PATH_OK);
		assert_true(span_equal(span_of(back, len2), span_of(path, len)));
	}
	char small[4];
	assert_int_equal(http_path_encode(span_of_text("/ "), small, sizeof small), 0);
	assert_int_equal(http_path_encode(span_of_text("/abc"), small, sizeof small), 0);
	assert_int_equal(http_path_encode(span_of_text("/ab"), small, sizeof small), 3);
}

static void media_types(void **state)
{
	(void)state;
	static const char *const cases[][2] = {
		{ "/index.html", "text/html; charset=utf-8" },
		{ "/INDEX.HTM", "text/html; charset=utf-8" },
		{ "/a.tar.gz", "application/gzip" },
		{ "/a.7z", "application/x-7z-compressed" },
		{ "/a.zst", "application/zstd" },
		{ "/a.css", "text/css; charset=utf-8" },
		{ "/x.js", "text/javascript; charset=utf-8" },
		{ "/x.json", "application/json" },
		{ "/x.svg", "image/svg+xml" },
		{ "/x.woff2", "font/woff2" },
		{ "/x.c", "text/plain; charset=utf-8" },
		{ "/a.html/b", "application/octet-stream" },
		{ "/README", "application/octet-stream" },
		{ "/a.unknownextension", "application/octet-stream" },
		{ "/a.", "application/octet-stream" },
		{ "/", "application/octet-stream" },
		{ "", "application/octet-stream" },
	};
	for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++)
		assert_string_equal(http_media_type(span_of_text(cases[i][0])), cases[i][1]);
	/* The table is searched by halves: each entry must be found. */
	static const char *const all[] = { "7z", "aac", "avif", "bmp", "bz2", "c", "css", "csv",
		"epub", "flac", "gif", "gz", "h", "htm", "html", "ico", "jpeg", "jpg", "js", "json",
		"log", "m4a", "md", "mjs", "mp3", "mp4", "oga", "ogg", "ogv", "opus", "otf", "pcap",
		"pdf", "png", "py", "rss", "sh", "svg", "tar", "tif", "tiff", "toml", "ttf", "txt",
		"wasm", "wav", "webm", "webmanifest", "webp", "woff", "woff2", "xhtml", "xml", "xz",
		"yaml", "yml", "zip", "zst" };
	for (unsigned i = 0; i < sizeof all / sizeof all[0]; i++) {
		char path[32];
		snprintf(path, sizeof path, "/name.%s", all[i]);
		const char *type = http_media_type(span_of_text(path));
		assert_string_not_equal(type, "application/octet-stream");
	}
}

/* ---- dates ---- */

static void dates(void **state)
{
	(void)state;
	char text[HTTP_DATE_MAX];
	int64_t at;
	static const struct {
		int64_t at;
		const char *text;
	} known[] = {
		{ 784111777, "Sun, 06 Nov 1994 08:49:37 GMT" }, /* RFC 9110 5.6.7 */
		{ 0, "Thu, 01 Jan 1970 00:00:00 GMT" },
		{ -1, "Wed, 31 Dec 1969 23:59:59 GMT" },
		{ 951782400, "Tue, 29 Feb 2000 00:00:00 GMT" },
		{ 4102444800, "Fri, 01 Jan 2100 00:00:00 GMT" },
		{ INT64_C(253402300799), "Fri, 31 Dec 9999 23:59:59 GMT" },
		{ INT64_C(-62167219200), "Sat, 01 Jan 0000 00:00:00 GMT" },
	};
	for (unsigned i = 0; i < sizeof known / sizeof known[0]; i++) {
		http_date_format(known[i].at, text);
		assert_string_equal(text, known[i].text);
		assert_true(http_date_parse(span_of_text(text), 0, &at));
		assert_true(at == known[i].at);
	}
	http_date_format(INT64_MAX, text);
	assert_string_equal(text, "Fri, 31 Dec 9999 23:59:59 GMT");
	http_date_format(INT64_MIN, text);
	assert_string_equal(text, "Sat, 01 Jan 0000 00:00:00 GMT");
	/* Every ninth day or so of ten thousand years, there and back. */
	for (int64_t t = INT64_C(-62167219200); t < INT64_C(253402300799); t += 777777) {
		http_date_format(t, text);
		assert_true(http_date_parse(span_of_text(text), 0, &at) && at == t);
	}
	/* The two forms of old */
	assert_true(
		http_date_parse(span_of_text("Sunday, 06-Nov-94 08:49:37 GMT"), 1700000000, &at));
	assert_true(at == 784111777);
	assert_true(http_date_parse(span_of_text("Sun Nov  6 08:49:37 1994"), 0, &at));
	assert_true(at == 784111777);
	assert_true(http_date_parse(span_of_text("Sun Nov 16 08:49:37 1994"), 0, &at));
	assert_true(at == 784111777 + 864000);
	/* Two digits: at most 50 years ahead */
	assert_true(
		http_date_parse(span_of_text("Friday, 01-Jan-60 00:00:00 GMT"), 1700000000, &at));
	http_date_format(at, text);
	assert_string_equal(text, "Thu, 01 Jan 2060 00:00:00 GMT");
	assert_true(
		http_date_parse(span_of_text("Friday, 01-Jan-80 00:00:00 GMT"), 1700000000, &at));
	http_date_format(at, text);
	assert_string_equal(text, "Tue, 01 Jan 1980 00:00:00 GMT");
}

static void not_dates(void **state)
{
	(void)state;
	static const char *const bad[] = { "", "Sun", "Sun,", "yesterday", "784111777",
		"Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 UTC",
		"Sun, 06 Nov 1994 08:49:37 GMT ", "Sun, 6 Nov 1994 08:49:37 GMT",
		"Sun, 06 nov 1994 08:49:37 GMT", "Sun, 00 Nov 1994 08:49:37 GMT",
		"Sun, 31 Nov 1994 08:49:37 GMT", "Sun, 30 Feb 2000 08:49:37 GMT",
		"Sun, 29 Feb 1900 08:49:37 GMT", "Sun, 06 Nov 1994 24:00:00 GMT",
		"Sun, 06 Nov 1994 08:60:37 GMT", "Sun, 06 Nov 1994 08:49:61 GMT",
		"Sun, 06 Nov 94 08:49:37 GMT", "Sunday, 06-Nov-1994 08:49:37 GMT",
		"Sun Nov 6 08:49:37 1994", "Sun Nov  6 08:49:37 94",
		"Sun, 0x Nov 1994 08:49:37 GMT" };
	for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		int64_t at;
		for (size_t cut = 0; cut < 3; cut++)
			if (http_date_parse(span_of_text(bad[i]), 0, &at))
				fail_msg("taken: %s", bad[i]);
	}
	/* Every prefix of a good one is none. */
	struct span whole = span_of_text("Sun, 06 Nov 1994 08:49:37 GMT");
	for (size_t n = 0; n < whole.len; n++) {
		int64_t at;
		assert_false(http_date_parse(span_first(whole, n), 0, &at));
	}
}

/* ---- selection ---- */

#define MODIFIED INT64_C(784111777)
#define NOW      INT64_C(1700000000)

static struct http_selection select_for(const char *fields, uint64_t length)
{
	static uint8_t storage[HTTP1_HEAD_MAX];
	static struct http1_field field[HTTP1_FIELDS_MAX];
	char text[2048];
	struct http1_parser p;
	struct http_entity e = { .length = length, .modified = MODIFIED, .etag = "\"abc\"" };
	size_t used;

	int n = snprintf(text, sizeof text, "GET / HTTP/1.1\r\nHost: h\r\n%s\r\n", fields);
	http1_parser_begin(&p, false, &http1_limits_default, storage, field);
	if (http1_parser_feed(&p, span_of(text, (size_t)n), &used) != HTTP1_DONE)
		fail_msg("not a head: %s", fields);
	return http_select(&p.head, &e, NOW);
}

static void status_is(const char *fields, unsigned status)
{
	struct http_selection s = select_for(fields, 1000);
	if (s.status != status)
		fail_msg("%s: %u", fields, s.status);
	if (status == 200)
		assert_true(s.first == 0 && s.length == 1000);
}

static void range_is(const char *fields, uint64_t first, uint64_t length)
{
	struct http_selection s = select_for(fields, 1000);
	if (s.status != 206 || s.first != first || s.length != length)
		fail_msg("%s: %u, %d + %d", fields, s.status, (int)s.first, (int)s.length);
}

static void preconditions(void **state)
{
	(void)state;
	status_is("", 200);
	status_is("If-None-Match: \"abc\"\r\n", 304);
	status_is("If-None-Match: W/\"abc\"\r\n", 304);
	status_is("If-None-Match: \"x\", \"abc\"\r\n", 304);
	status_is("If-None-Match: \"x\"\r\nIf-None-Match: \"abc\"\r\n", 304);
	status_is("If-None-Match: *\r\n", 304);
	status_is("If-None-Match: \"x\"\r\n", 200);
	status_is("If-None-Match: abc\r\n", 200);
	status_is("If-Match: \"abc\"\r\n", 200);
	status_is("If-Match: *\r\n", 200);
	status_is("If-Match: W/\"abc\"\r\n", 412);
	status_is("If-Match: \"x\"\r\n", 412);
	status_is("If-Match: \"x\"\r\nIf-None-Match: \"abc\"\r\n", 412);
	status_is("If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n", 304);
	status_is("If-Modified-Since: Sun, 06 Nov 1994 08:49:38 GMT\r\n", 304);
	status_is("If-Modified-Since: Sun, 06 Nov 1994 08:49:36 GMT\r\n", 200);
	status_is("If-Modified-Since: Sunday, 06-Nov-94 08:49:37 GMT\r\n", 304);
	status_is("If-Modified-Since: nonsense\r\n", 200);
	/* The tag overrules the date (RFC 9110 13.1.3). */
	status_is("If-None-Match: \"x\"\r\nIf-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n",
		200);
	status_is("If-Unmodified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n", 200);
	status_is("If-Unmodified-Since: Sun, 06 Nov 1994 08:49:36 GMT\r\n", 412);
	status_is(
		"If-Match: \"abc\"\r\nIf-Unmodified-Since: Sun, 06 Nov 1994 08:49:36 GMT\r\n", 200);
}

static void ranges(void **state)
{
	(void)state;
	range_is("Range: bytes=0-0\r\n", 0, 1);
	range_is("Range: bytes=0-499\r\n", 0, 500);
	range_is("Range: BYTES=500-999\r\n", 500, 500);
	range_is("Range: bytes=500-\r\n", 500, 500);
	range_is("Range: bytes=500-5000\r\n", 500, 500);
	range_is("Range: bytes=-1\r\n", 999, 1);
	range_is("Range: bytes=-1000\r\n", 0, 1000);
	range_is("Range: bytes=-5000\r\n", 0, 1000);
	range_is("Range: bytes=999-\r\n", 999, 1);
	range_is("Range: bytes=5-99999999999999999999999999\r\n", 5, 995);
	range_is("Range: bytes=-99999999999999999999999999\r\n", 0, 1000);
	/* Several that become one */
	range_is("Range: bytes=0-9,10-19\r\n", 0, 20);
	range_is("Range: bytes=10-19, 0-9\r\n", 0, 20);
	range_is("Range: bytes=0-9,5-14,12-30\r\n", 0, 31);
	range_is("Range: bytes=0-1,4-5,2-3\r\n", 0, 6);
	range_is("Range: bytes=0-9,2000-\r\n", 0, 10);
	/* Those that do not, and what is malformed: as if it were not there */
	status_is("Range: bytes=0-0,2-2\r\n", 200);
	status_is("Range: bytes=5-4\r\n", 200);
	status_is("Range: bytes=\r\n", 200);
	status_is("Range: bytes=,\r\n", 200);
	status_is("Range: bytes=-\r\n", 200);
	status_is("Range: bytes=a-b\r\n", 200);
	status_is("Range: bytes=0x1-2\r\n", 200);
	status_is("Range: bytes=1-2-3\r\n", 200);
	status_is("Range: bytes 0-1\r\n", 200);
	status_is("Range: lines=0-1\r\n", 200);
	status_is("Range: bytes=0-1\r\nRange: bytes=2-3\r\n", 200);
	/* Outside */
	status_is("Range: bytes=1000-\r\n", 416);
	status_is("Range: bytes=1000-2000\r\n", 416);
	status_is("Range: bytes=-0\r\n", 416);
	status_is("Range: bytes=99999999999999999999999999-\r\n", 416);
	assert_int_equal(select_for("Range: bytes=0-\r\n", 0).status, 416);
	assert_int_equal(select_for("Range: bytes=-5\r\n", 0).status, 416);
	assert_int_equal(select_for("Range: bytes=0-1\r\n", HTTP_LENGTH_UNKNOWN).status, 200);
	/* If-Range */
	range_is("Range: bytes=0-9\r\nIf-Range: \"abc\"\r\n", 0, 10);
	status_is("Range: bytes=0-9\r\nIf-Range: W/\"abc\"\r\n", 200);
	status_is("Range: bytes=0-9\r\nIf-Range: \"old\"\r\n", 200);
	range_is("Range: bytes=0-9\r\nIf-Range: Sun, 06 Nov 1994 08:49:37 GMT\r\n", 0, 10);
	status_is("Range: bytes=0-9\r\nIf-Range: Sun, 06 Nov 1994 08:49:38 GMT\r\n", 200);
	status_is("Range: bytes=0-9\r\nIf-Range: \r\n", 200);
	/* 304 is stronger than Range */
	status_is("Range: bytes=0-9\r\nIf-None-Match: \"abc\"\r\n", 304);
}

/* Attack H1-16: hundreds of ranges. */
static void many_ranges(void **state)
{
	(void)state;
	char fields[2000];
	for (unsigned n = 1; n <= 40; n++) {
		int len = snprintf(fields, sizeof fields, "Range: bytes=");
		for (unsigned i = 0; i < n; i++)
			len += snprintf(fields + len, sizeof fields - (size_t)len, "%s%u-%u",
				i ? "," : "", i * 2, i * 2 + 5);
		snprintf(fields + len, sizeof fields - (size_t)len, "\r\n");
		if (n <= HTTP_RANGES_MAX)
			range_is(fields, 0, (n - 1) * 2 + 6);
		else
			status_is(fields, 200);
	}
}

/* ---- hosts ---- */

static void hosts(void **state)
{
	(void)state;
	static uint8_t memory[65536];
	struct arena arena = { .at = memory, .size = sizeof memory };
	struct hash_key key = { { 1, 2 } };
	struct http_hosts t;
	struct http_host *taken[100];
	assert_true(http_hosts_init(&t, &arena, 100, &key));
	struct addr a;
	for (unsigned round = 0; round < 3; round++) {
		for (unsigned i = 0; i < 100; i++) {
			uint8_t four[4] = { 192, 0, 2, (uint8_t)(i % 10) };
			a = addr_from4(four);
			taken[i] = http_hosts_take(&t, &a);
			assert_int_equal(taken[i]->connections, i / 10 + 1);
		}
		assert_int_equal(t.pool.used, 10);
		for (unsigned i = 0; i < 100; i++)
			http_hosts_give(&t, taken[(i * 37) % 100]);
		assert_int_equal(t.pool.used, 0);
	}
	/* IPv6 counts by /64 */
	uint8_t six[16] = { 0x20, 1, 0xd, 0xb8 };
	for (unsigned i = 0; i < 3; i++) {
		six[15] = (uint8_t)i;
		a = addr_from6(six);
		assert_int_equal(http_hosts_take(&t, &a)->connections, i + 1);
	}
	six[7] = 1;
	a = addr_from6(six);
	assert_int_equal(http_hosts_take(&t, &a)->connections, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(paths),
		cmocka_unit_test(any_path),
		cmocka_unit_test(media_types),
		cmocka_unit_test(dates),
		cmocka_unit_test(not_dates),
		cmocka_unit_test(preconditions),
		cmocka_unit_test(ranges),
		cmocka_unit_test(many_ranges),
		cmocka_unit_test(hosts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
