/*
 * HTTP/1.1 heads: what is accepted and how it reads, and each way to smuggle or
 * exhaust as a case with its reason. Every case is fed whole and byte by byte.
 */
#include "unit/base/property.h"

#include "wire/http1.h"

#define TEXT(s) span_of(s, sizeof(s) - 1)

static uint8_t storage[HTTP1_HEAD_MAX];
static struct http1_field fields[HTTP1_FIELDS_MAX];

static void same(struct span got, const char *want)
{
	if (!span_equal(got, span_of(want, strlen(want))))
		fail_msg("'%.*s' is not '%s'", (int)got.len, (const char *)got.at, want);
}

/* Feeds pieces of at most `step` bytes; `*taken` is how far it came. */
static enum http1_progress feed(struct http1_parser *p, struct span in, size_t step, size_t *taken)
{
	enum http1_progress progress = HTTP1_MORE;
	size_t used;

	*taken = 0;
	while (progress == HTTP1_MORE && *taken < in.len) {
		progress = http1_parser_feed(p, span_first(span_after(in, *taken), step), &used);
		*taken += used;
	}
	return progress;
}

static enum http1_progress parse(struct http1_parser *p, bool response, struct span in)
{
	size_t whole, bytewise;

	http1_parser_begin(p, response, &http1_limits_default, storage, fields);
	enum http1_progress progress = feed(p, in, 1, &bytewise);
	enum http1_error error = p->error;
	http1_parser_begin(p, response, &http1_limits_default, storage, fields);
	assert_int_equal(feed(p, in, in.len, &whole), progress);
	assert_int_equal(p->error, error);
	assert_int_equal(whole, bytewise);
	return progress;
}

static void test_request(void **state)
{
	(void)state;
	struct http1_parser p;
	struct http1_target t;
	struct http1_body body;
	size_t taken;
	struct span in = TEXT(
		"\r\nGET /a/b?c=d HTTP/1.1\r\nhOST:\t example.test:80 \r\nX-Empty:\r\n"
		"Accept: a, \"b,\\\"c\" ,,d\r\naccept:e\r\nX-Byte: \xe4\r\n\r\nrest");

	assert_int_equal(parse(&p, false, in), HTTP1_DONE);
	same(p.head.method, "GET");
	same(p.head.target, "/a/b?c=d");
	assert_int_equal(p.head.minor, 1);
	assert_int_equal(p.head.field_count, 5);
	same(p.head.field[0].name, "hOST");
	same(p.head.field[0].value, "example.test:80");
	same(p.head.field[1].value, "");
	same(p.head.field[4].value, "\xe4");
	http1_parser_begin(&p, false, &http1_limits_default, storage, fields);
	feed(&p, in, 1000, &taken);
	assert_int_equal(in.len - taken, 4); /* "rest" is not ours */

	static const char *const members[] = { "a", "\"b,\\\"c\"", "d", "e" };
	struct http1_list cursor = { 0 };
	struct span member;
	for (size_t i = 0; i < 4; i++) {
		assert_true(http1_list_next(&p.head, "ACCEPT", &cursor, &member));
		same(member, members[i]);
	}
	assert_false(http1_list_next(&p.head, "Accept", &cursor, &member));
	assert_true(http1_list_has(&p.head, "Accept", "D"));
	assert_int_equal(http1_field_count(&p.head, "accept"), 2);
	assert_null(http1_field_find(&p.head, "Acce"));

	assert_int_equal(http1_target(&p.head, &t), HTTP1_NONE);
	assert_int_equal(t.form, HTTP1_ORIGIN);
	same(t.authority, "example.test:80");
	same(t.path, "/a/b");
	same(t.query, "c=d");
	assert_int_equal(http1_request_body(&p.head, &body), HTTP1_NONE);
	assert_int_equal(body.framing, HTTP1_BODY_NONE);
	assert_true(http1_keep_alive(&p.head));
}

static void test_response(void **state)
{
	(void)state;
	struct http1_parser p;

	assert_int_equal(parse(&p, true, TEXT("HTTP/1.0 404 Not \xe4 Found\r\nServer: x\r\n\r\n")),
		HTTP1_DONE);
	assert_int_equal(p.head.status, 404);
	assert_int_equal(p.head.minor, 0);
	same(p.head.reason, "Not \xe4 Found");
	assert_false(http1_keep_alive(&p.head));
	assert_int_equal(parse(&p, true, TEXT("HTTP/1.1 200 \r\n\r\n")), HTTP1_DONE);
	same(p.head.reason, "");
	assert_int_equal(parse(&p, true, TEXT("HTTP/1.9 200\r\n\r\n")), HTTP1_DONE);
	assert_int_equal(p.head.minor, 1);
}

static void test_targets(void **state)
{
	(void)state;
	struct http1_parser p;
	struct http1_target t;
	static const struct {
		const char *text, *authority, *path, *query;
		enum http1_form form;
	} cases[] = {
		{ "GET / HTTP/1.1\r\nHost: a\r\n\r\n", "a", "/", "", HTTP1_ORIGIN },
		{ "GET //b@c/?? HTTP/1.1\r\nHost: a\r\n\r\n", "a", "//b@c/", "?", HTTP1_ORIGIN },
		{ "GET http://b:81/x?y HTTP/1.1\r\nHost: a\r\n\r\n", "b:81", "/x", "y",
			HTTP1_ABSOLUTE },
		{ "OPTIONS * HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", "[::1]:80", "", "",
			HTTP1_ASTERISK },
		{ "CONNECT b:443 HTTP/1.1\r\nHost: a\r\n\r\n", "b:443", "", "", HTTP1_AUTHORITY },
		{ "GET / HTTP/1.0\r\n\r\n", "", "/", "", HTTP1_ORIGIN },
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct span in = span_of(cases[i].text, strlen(cases[i].text));
		assert_int_equal(parse(&p, false, in), HTTP1_DONE);
		assert_int_equal(http1_target(&p.head, &t), HTTP1_NONE);
		assert_int_equal(t.form, cases[i].form);
		same(t.authority, cases[i].authority);
		same(t.path, cases[i].path);
		same(t.query, cases[i].query);
	}
}

#define H "Host: a\r\n"

static void test_refused_requests(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		enum http1_error want;
	} cases[] = {
		/* Ends of lines (H1-06) */
		{ "GET / HTTP/1.1\nHost: a\n\n", HTTP1_BARE_LF },
		{ "GET / HTTP/1.1\r\nHost: a\n\r\n", HTTP1_BARE_LF },
		{ "GET / HTTP/1.1\rHost: a\r\n\r\n", HTTP1_BARE_CR },
		{ "GET / HTTP/1.1\r\nHost: a\rX: y\r\n\r\n", HTTP1_BARE_CR },
		{ "GET / HTTP/1.1\r\r\n", HTTP1_BARE_CR },
		{ "\n", HTTP1_BARE_LF },
		/* The request line */
		{ "\r\n\r\n\r\nGET / HTTP/1.1\r\n", HTTP1_REQUEST_LINE },
		{ "GET /\r\n", HTTP1_REQUEST_LINE },
		{ "GET  / HTTP/1.1\r\n", HTTP1_REQUEST_LINE },
		{ "GET\t/ HTTP/1.1\r\n", HTTP1_REQUEST_LINE },
		{ "\x16\x03\x01", HTTP1_REQUEST_LINE }, /* TLS on the wrong port */
		{ "GET /\x01 HTTP/1.1\r\n", HTTP1_REQUEST_LINE },
		{ "G@T / HTTP/1.1\r\n", HTTP1_METHOD },
		{ " GET / HTTP/1.1\r\n", HTTP1_METHOD },
		{ "AVERYLONGMETHODTHATNOBODYHASEVERUSED / HTTP/1.1\r\n", HTTP1_METHOD_LONG },
		{ "GET /\xe4 HTTP/1.1\r\n", HTTP1_TARGET },
		{ "GET /a#b HTTP/1.1\r\n", HTTP1_TARGET },
		{ "GET /a\\b HTTP/1.1\r\n", HTTP1_TARGET },
		{ "GET / HTTP/1.1 \r\n", HTTP1_VERSION },
		{ "GET / http/1.1\r\n", HTTP1_VERSION },
		{ "GET / HTTP/1.10\r\n", HTTP1_VERSION },
		{ "GET / HTTP/11\r\n", HTTP1_VERSION },
		{ "GET / HTTP/2.0\r\n", HTTP1_VERSION_UNSUPPORTED },
		{ "GET / HTTP/0.9\r\n", HTTP1_VERSION_UNSUPPORTED },
		{ "PRI * HTTP/2.0\r\n", HTTP1_VERSION_UNSUPPORTED },
		/* Fields */
		{ "GET / HTTP/1.1\r\n" H "X: a\r\n b\r\n\r\n", HTTP1_FOLD },
		{ "GET / HTTP/1.1\r\n Host: a\r\n\r\n", HTTP1_FOLD },
		{ "GET / HTTP/1.1\r\n" H "Transfer-Encoding:\r\n\tchunked\r\n\r\n", HTTP1_FOLD },
		{ "GET / HTTP/1.1\r\nHost : a\r\n\r\n", HTTP1_FIELD_COLON },
		{ "GET / HTTP/1.1\r\nHost\t: a\r\n\r\n", HTTP1_FIELD_COLON },
		{ "GET / HTTP/1.1\r\nHost\r\n\r\n", HTTP1_FIELD_COLON },
		{ "GET / HTTP/1.1\r\n: a\r\n\r\n", HTTP1_FIELD_NAME },
		{ "GET / HTTP/1.1\r\nHo st: a\r\n\r\n", HTTP1_FIELD_NAME },
		{ "GET / HTTP/1.1\r\nHost(): a\r\n\r\n", HTTP1_FIELD_NAME },
		{ "GET / HTTP/1.1\r\nH\xf6st: a\r\n\r\n", HTTP1_FIELD_NAME },
		{ "GET / HTTP/1.1\r\n" H "X: a\x0b\r\n\r\n", HTTP1_FIELD_VALUE },
		{ "GET / HTTP/1.1\r\n" H "X: a\x7f\r\n\r\n", HTTP1_FIELD_VALUE },
		/* Host (H1-10) */
		{ "GET / HTTP/1.1\r\n\r\n", HTTP1_HOST_MISSING },
		{ "GET / HTTP/1.1\r\n" H H "\r\n", HTTP1_HOST_MANY },
		{ "GET / HTTP/1.0\r\n" H H "\r\n", HTTP1_HOST_MANY },
		{ "GET / HTTP/1.1\r\nHost:\r\n\r\n", HTTP1_HOST },
		{ "GET / HTTP/1.1\r\nHost: a@b\r\n\r\n", HTTP1_HOST },
		{ "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", HTTP1_HOST },
		{ "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", HTTP1_HOST },
		{ "GET / HTTP/1.1\r\nHost: a:0\r\n\r\n", HTTP1_HOST },
		{ "GET / HTTP/1.1\r\nHost: http://a\r\n\r\n", HTTP1_HOST },
		{ "GET http://b/ HTTP/1.1\r\n\r\n", HTTP1_HOST_MISSING },
		{ "GET a HTTP/1.1\r\n" H "\r\n", HTTP1_TARGET_FORM },
		{ "GET * HTTP/1.1\r\n" H "\r\n", HTTP1_TARGET_FORM },
		{ "GET a:80 HTTP/1.1\r\n" H "\r\n", HTTP1_TARGET_FORM },
		{ "GET ftp://b/ HTTP/1.1\r\n" H "\r\n", HTTP1_TARGET_FORM },
		{ "GET http://x@b/ HTTP/1.1\r\n" H "\r\n", HTTP1_TARGET_FORM },
		{ "CONNECT b HTTP/1.1\r\n" H "\r\n", HTTP1_TARGET_FORM },
		{ "CONNECT / HTTP/1.1\r\n" H "\r\n", HTTP1_TARGET_FORM },
	/* Lengths (H1-03, H1-18) */
#define LENGTH(value) "POST / HTTP/1.1\r\n" H "Content-Length: " value "\r\n\r\n"
		{ LENGTH("+5"), HTTP1_LENGTH },
		{ LENGTH("-1"), HTTP1_LENGTH },
		{ LENGTH("0x10"), HTTP1_LENGTH },
		{ LENGTH("5 6"), HTTP1_LENGTH },
		{ LENGTH("5,"), HTTP1_LENGTH },
		{ LENGTH(",5"), HTTP1_LENGTH },
		{ LENGTH(""), HTTP1_LENGTH },
		{ LENGTH("1e3"), HTTP1_LENGTH },
		{ LENGTH("\"5\""), HTTP1_LENGTH },
		{ LENGTH("5, 6"), HTTP1_LENGTH_MANY },
		{ LENGTH("5\r\nContent-Length: 6"), HTTP1_LENGTH_MANY },
		{ LENGTH("5\r\ncontent-length: +5"), HTTP1_LENGTH },
		{ LENGTH("9223372036854775808"), HTTP1_LENGTH_HUGE },
		{ LENGTH("18446744073709551621"), HTTP1_LENGTH_HUGE },
		{ LENGTH("99999999999999999999"), HTTP1_LENGTH_HUGE },
	/* Codings (H1-01) */
#define CODING(value) "POST / HTTP/1.1\r\n" H "Transfer-Encoding: " value "\r\n\r\n"
		{ LENGTH("5\r\nTransfer-Encoding: chunked"), HTTP1_LENGTH_AND_CODING },
		{ CODING("chunked\r\nContent-Length: 0"), HTTP1_LENGTH_AND_CODING },
		{ CODING("gzip"), HTTP1_CODING },
		{ CODING("gzip, chunked"), HTTP1_CODING },
		{ CODING("xchunked"), HTTP1_CODING },
		{ CODING("chunked;a=b"), HTTP1_CODING },
		{ CODING("identity"), HTTP1_CODING },
		{ CODING("\"chunked\""), HTTP1_CODING },
		{ CODING("chunked, chunked"), HTTP1_CODING_ORDER },
		{ CODING("chunked, identity"), HTTP1_CODING_ORDER },
		{ CODING("chunked\r\nTransfer-Encoding: x"), HTTP1_CODING_ORDER },
		{ CODING(""), HTTP1_CODING_ORDER },
		{ CODING(","), HTTP1_CODING_ORDER },
		{ "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", HTTP1_CODING_VERSION },
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct http1_parser p;
		struct span in = span_of(cases[i].text, strlen(cases[i].text));
		enum http1_progress progress = parse(&p, false, in);
		if (progress != HTTP1_FAULT || p.error != cases[i].want)
			fail_msg("'%s': %s, not %s", cases[i].text, http1_error_info(p.error)->name,
				http1_error_info(cases[i].want)->name);
		unsigned status = http1_error_info(p.error)->status;
		assert_true(status >= 400 && http1_reason(status)[0]);
	}
	struct http1_parser p;
	assert_int_equal(parse(&p, false, TEXT("GET /\0 HTTP/1.1\r\n")), HTTP1_FAULT);
}

static void test_refused_responses(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		enum http1_error want;
	} cases[] = {
		{ "\r\nHTTP/1.1 200 OK\r\n", HTTP1_STATUS_LINE },
		{ "ICY 200 OK\r\n", HTTP1_VERSION },
		{ "HTTP/2.0 200 OK\r\n", HTTP1_VERSION_UNSUPPORTED },
		{ "HTTP/1.1\r\n", HTTP1_STATUS_LINE },
		{ "HTTP/1.1  200 OK\r\n", HTTP1_STATUS_LINE },
		{ "HTTP/1.1 20 OK\r\n", HTTP1_STATUS_LINE },
		{ "HTTP/1.1 2000 OK\r\n", HTTP1_STATUS_LINE },
		{ "HTTP/1.1 2x0 OK\r\n", HTTP1_STATUS_LINE },
		{ "HTTP/1.1 200\tOK\r\n", HTTP1_STATUS_LINE },
		{ "HTTP/1.1 099 x\r\n", HTTP1_STATUS },
		{ "HTTP/1.1 600 x\r\n", HTTP1_STATUS },
		{ "HTTP/1.1 200 O\x1bK\r\n", HTTP1_STATUS_LINE },
		{ "HTTP/1.1 200 OK\nX: y\n\n", HTTP1_BARE_LF },
		{ "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
			HTTP1_LENGTH_AND_CODING },
		{ "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
			HTTP1_LENGTH_MANY },
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct http1_parser p;
		struct span in = span_of(cases[i].text, strlen(cases[i].text));
		enum http1_progress progress = parse(&p, true, in);
		if (progress != HTTP1_FAULT || p.error != cases[i].want)
			fail_msg("'%s': %s, not %s", cases[i].text, http1_error_info(p.error)->name,
				http1_error_info(cases[i].want)->name);
	}
}

/* How a response to `method` with this status and these fields ends. */
static struct http1_body framing(const char *method, unsigned status, const char *rest)
{
	char text[300];
	struct http1_parser p;
	struct http1_body body;

	int len = snprintf(text, sizeof text, "HTTP/1.1 %u x\r\n%s\r\n", status, rest);
	assert_int_equal(parse(&p, true, span_of(text, (size_t)len)), HTTP1_DONE);
	assert_int_equal(
		http1_response_body(&p.head, span_of(method, strlen(method)), &body), HTTP1_NONE);
	return body;
}

static void test_framing(void **state)
{
	(void)state;
	static const char sized[] = "Content-Length: 7\r\n",
			  chunked[] = "Transfer-Encoding: Chunked\r\n";
	struct http1_parser p;
	struct http1_body body;

	assert_int_equal(framing("GET", 200, "").framing, HTTP1_BODY_CLOSE);
	assert_int_equal(framing("GET", 200, sized).framing, HTTP1_BODY_LENGTH);
	assert_int_equal(framing("GET", 200, sized).length, 7);
	assert_int_equal(framing("GET", 404, chunked).framing, HTTP1_BODY_CHUNKED);
	assert_int_equal(framing("HEAD", 200, sized).framing, HTTP1_BODY_NONE);
	assert_int_equal(framing("HEAD", 200, chunked).framing, HTTP1_BODY_NONE);
	assert_int_equal(framing("GET", 204, "").framing, HTTP1_BODY_NONE);
	assert_int_equal(framing("GET", 304, sized).framing, HTTP1_BODY_NONE);
	assert_int_equal(framing("GET", 100, "").framing, HTTP1_BODY_NONE);
	assert_int_equal(framing("GET", 103, sized).framing, HTTP1_BODY_NONE);
	assert_int_equal(framing("GET", 101, "").framing, HTTP1_BODY_TUNNEL);
	assert_int_equal(framing("CONNECT", 200, "").framing, HTTP1_BODY_TUNNEL);
	assert_int_equal(framing("CONNECT", 407, sized).framing, HTTP1_BODY_LENGTH);
	assert_int_equal(
		framing("head", 200, sized).framing, HTTP1_BODY_LENGTH); /* another method */

	assert_int_equal(parse(&p, false, TEXT(CODING("chunked"))), HTTP1_DONE);
	http1_request_body(&p.head, &body);
	assert_int_equal(body.framing, HTTP1_BODY_CHUNKED);
	static const char *const equal[] = { LENGTH("5"), LENGTH("5, 5"), LENGTH("05"),
		LENGTH("5\r\nContent-Length: 5"), LENGTH(" 5 ") };
	for (size_t i = 0; i < sizeof equal / sizeof equal[0]; i++) {
		assert_int_equal(parse(&p, false, span_of(equal[i], strlen(equal[i]))), HTTP1_DONE);
		assert_int_equal(http1_request_body(&p.head, &body), HTTP1_NONE);
		assert_int_equal(body.framing, HTTP1_BODY_LENGTH);
		assert_int_equal(body.length, 5);
	}
	assert_int_equal(parse(&p, false, TEXT(LENGTH("9223372036854775807"))), HTTP1_DONE);
	http1_request_body(&p.head, &body);
	assert_true(body.length == INT64_MAX);
}

static void test_keep_alive(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		bool want;
	} cases[] = {
		{ "HTTP/1.1 200 x\r\n\r\n", true },
		{ "HTTP/1.1 200 x\r\nConnection: close\r\n\r\n", false },
		{ "HTTP/1.1 200 x\r\nConnection: Upgrade, CLOSE\r\n\r\n", false },
		{ "HTTP/1.1 200 x\r\nConnection: closed\r\n\r\n", true },
		{ "HTTP/1.0 200 x\r\n\r\n", false },
		{ "HTTP/1.0 200 x\r\nConnection: Keep-Alive\r\n\r\n", true },
		{ "HTTP/1.0 200 x\r\nConnection: keep-alive, close\r\n\r\n", false },
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct http1_parser p;
		assert_int_equal(
			parse(&p, true, span_of(cases[i].text, strlen(cases[i].text))), HTTP1_DONE);
		assert_int_equal(http1_keep_alive(&p.head), cases[i].want);
	}
}

/* A head of `begin`, `count` times `unit`, `end`: the error it meets, after how many bytes. */
static enum http1_error repeat(
	const char *begin, const char *unit, size_t count, const char *end, size_t *taken)
{
	size_t room = strlen(begin) + strlen(unit) * count + strlen(end), len = strlen(begin);
	char *text = malloc(room + 1);
	struct http1_parser p;

	strcpy(text, begin);
	for (size_t i = 0; i < count; i++, len += strlen(unit))
		strcpy(text + len, unit);
	strcpy(text + len, end);
	http1_parser_begin(&p, false, &http1_limits_default, storage, fields);
	feed(&p, span_of(text, room), 100, taken);
	free(text);
	return p.error;
}

static void test_limits(void **state)
{
	(void)state;
	static const char get[] = "GET / HTTP/1.1\r\n" H;
	size_t taken;

	assert_int_equal(repeat("", "A", 1000000, "", &taken), HTTP1_METHOD_LONG);
	assert_true(taken < 8100);
	assert_int_equal(repeat("GET /", "a", 1000000, " HTTP/1.1\r\n", &taken), HTTP1_TARGET_LONG);
	assert_true(taken < 8100);
	assert_int_equal(repeat("GET /", "a", 7999, " HTTP/1.1\r\n" H "\r\n", &taken), HTTP1_NONE);
	assert_int_equal(
		repeat("GET /", "a", 8000, " HTTP/1.1\r\n" H "\r\n", &taken), HTTP1_TARGET_LONG);
	assert_int_equal(repeat(get, "X: y\r\n", 99, "\r\n", &taken), HTTP1_NONE);
	assert_int_equal(repeat(get, "X: y\r\n", 1000000, "\r\n", &taken), HTTP1_FIELDS_MANY);
	assert_int_equal(
		repeat("GET / HTTP/1.1\r\n" H "X:", "y", 8190, "\r\n\r\n", &taken), HTTP1_NONE);
	assert_int_equal(repeat("GET / HTTP/1.1\r\n" H "X:", "y", 8191, "\r\n\r\n", &taken),
		HTTP1_LINE_LONG);
	char line[301];
	memset(line, 'x', sizeof line);
	memcpy(line, "X:", 2);
	memcpy(line + 298, "\r\n", 3);
	assert_int_equal(repeat(get, line, 1000, "\r\n", &taken), HTTP1_HEAD_LONG);
	assert_int_equal(taken, HTTP1_HEAD_MAX + 1);
	/* The whole head may fill the storage to the last byte. */
	size_t rest = HTTP1_HEAD_MAX - (sizeof get - 1) - 300 * 54 - 2;
	char end[512];
	memset(end, 'x', sizeof end);
	memcpy(end, "X:", 2);
	memcpy(end + rest - 2, "\r\n\r\n", 5);
	assert_int_equal(repeat(get, line, 54, end, &taken), HTTP1_NONE);
	assert_int_equal(taken, HTTP1_HEAD_MAX);
}

/* ---- properties ---- */

static struct span random_of(struct rng *r, uint8_t *at, uint32_t max, const char *set, size_t n)
{
	size_t len = 1 + rng_below(r, max);
	for (size_t i = 0; i < len; i++)
		at[i] = (uint8_t)set[rng_below(r, (uint32_t)n)];
	return span_of(at, len);
}

#define TCHAR "!#$%&'*+-.^_`|~09azAZ"
#define VALUE "!\"(),/:;<=>?@[]{} \t~09azAZ\xe4\xff"

/* What the builder writes, the parser reads back, in pieces of any size. */
static void built_reads_back(struct rng *r)
{
	uint8_t out[8192], name[20][24], value[20][80], target[60], method[12];
	struct span values[20];
	struct http1_builder b;
	struct http1_parser p;
	unsigned count = rng_below(r, 20);
	size_t taken;

	struct span m = random_of(r, method, 10, TCHAR, sizeof TCHAR - 1);
	target[0] = '/';
	random_of(r, target + 1, 40, "a%4/?&=[]", 9);
	struct span t = span_of(target, 2);
	bool connect = m.len == 7 && memcmp(m.at, "CONNECT", 7) == 0;
	http1_build_request(&b, out, sizeof out, m, t);
	http1_build_string(&b, "Host", "example.test");
	for (unsigned i = 0; i < count; i++) {
		struct span n = random_of(r, name[i], 20, TCHAR, sizeof TCHAR - 1);
		name[i][n.len] = '\0';
		values[i] = random_of(r, value[i], 60, VALUE, sizeof VALUE - 1);
		http1_build_field(&b, (char *)name[i], values[i]);
	}
	size_t len = http1_build_end(&b);
	check(len > 0);
	http1_parser_begin(&p, false, &http1_limits_default, storage, fields);
	check(!http1_parser_begun(&p));
	enum http1_progress progress = feed(&p, span_of(out, len), 1 + rng_below(r, 40), &taken);
	check(connect || progress == HTTP1_DONE);
	check(taken == len && http1_parser_begun(&p));
	check(span_equal(p.head.method, m) && span_equal(p.head.target, t));
	check(p.head.field_count == count + 1);
	for (unsigned i = 0; i < count; i++) {
		struct span v = values[i];
		while (v.len && (v.at[0] == ' ' || v.at[0] == '\t'))
			v = span_after(v, 1);
		while (v.len && (v.at[v.len - 1] == ' ' || v.at[v.len - 1] == '\t'))
			v.len--;
		check(http1_name_is(p.head.field[i + 1].name, (char *)name[i]));
		check(span_equal(p.head.field[i + 1].value, v));
	}
}

/* Changed bytes: the verdict does not depend on how they came, and what is done is sound. */
static void split_anywhere(struct rng *r)
{
	static const char sample[] =
		"POST http://a.test/x?y HTTP/1.1\r\nHost: a.test\r\nContent-Length: 12\r\n"
		"Transfer-Encoding: chunked\r\nConnection: close\r\nX: \"q,\\\"\"\r\n\r\n";
	static const char spice[] = "\r\n\t :,;0\"\\\0\xff@/";
	uint8_t text[sizeof sample - 1];
	struct http1_parser whole, pieces;
	struct http1_field other[HTTP1_FIELDS_MAX];
	uint8_t room[sizeof text];
	struct http1_limits limits = http1_limits_default;
	size_t a, b = 0, used;

	memcpy(text, sample, sizeof text);
	if (rng_below(r, 2))
		memcpy(text + 67, "X-Transfer-Enc", 14); /* no coding then */
	for (unsigned i = rng_below(r, 5); i; i--)
		text[rng_below(r, sizeof text)] = (uint8_t)spice[rng_below(r, sizeof spice - 1)];
	limits.head = sizeof room;
	http1_parser_begin(&whole, false, &http1_limits_default, storage, fields);
	http1_parser_begin(&pieces, false, &limits, room, other);
	enum http1_progress x = http1_parser_feed(&whole, span_of(text, sizeof text), &a), y;
	do {
		size_t n = rng_below(r, 9);
		y = http1_parser_feed(
			&pieces, span_first(span_of(text + b, sizeof text - b), n), &used);
		b += used;
	} while (y == HTTP1_MORE && b < sizeof text);
	check(x == y && a == b && whole.error == pieces.error);
	check(whole.head.field_count == pieces.head.field_count);
	if (x != HTTP1_DONE)
		return;
	struct http1_body body;
	struct http1_target target;
	check(http1_request_body(&whole.head, &body) == HTTP1_NONE);
	check(http1_target(&whole.head, &target) == HTTP1_NONE);
	check(http1_field_count(&whole.head, "Host") == 1);
	check(!(http1_field_find(&whole.head, "Content-Length") &&
		http1_field_find(&whole.head, "Transfer-Encoding")));
}

static void test_properties(void **state)
{
	(void)state;
	property_each(3000, built_reads_back);
	property_each(30000, split_anywhere);
}

static void test_builder_refuses(void **state)
{
	(void)state;
	uint8_t out[200];
	struct http1_builder b;
	static const char *const values[] = { "a\r\nX: y", "a\nb", "a\rb", "a\x01", "\x7f" };
	static const char *const names[] = { "", "A:", "A B", "A\r\n", "\xe4" };

	for (size_t i = 0; i < 5; i++) {
		http1_build_response(&b, out, sizeof out, 200, TEXT(""));
		http1_build_string(&b, "X", values[i]);
		assert_int_equal(http1_build_end(&b), 0);
		http1_build_response(&b, out, sizeof out, 200, TEXT(""));
		http1_build_string(&b, names[i], "x");
		assert_int_equal(http1_build_end(&b), 0);
		http1_build_response(
			&b, out, sizeof out, 200, span_of(values[i], strlen(values[i])));
		assert_int_equal(http1_build_end(&b), 0);
	}
	http1_build_response(&b, out, sizeof out, 200, TEXT(""));
	http1_build_field(&b, "X", TEXT("a\0b"));
	assert_int_equal(http1_build_end(&b), 0);
	static const char *const targets[] = { "", "/a b", "/\r\n", "/#", "/\xe4" };
	for (size_t i = 0; i < 5; i++) {
		http1_build_request(
			&b, out, sizeof out, TEXT("GET"), span_of(targets[i], strlen(targets[i])));
		assert_int_equal(http1_build_end(&b), 0);
	}
	http1_build_request(&b, out, sizeof out, TEXT("G T"), TEXT("/"));
	assert_int_equal(http1_build_end(&b), 0);
	http1_build_response(&b, out, sizeof out, 99, TEXT(""));
	assert_int_equal(http1_build_end(&b), 0);

	static const char want[] =
		"HTTP/1.1 404 Not Found\r\nContent-Length: 1234567890123\r\n\r\n";
	http1_build_response(&b, out, sizeof out, 404, TEXT(""));
	http1_build_number(&b, "Content-Length", 1234567890123);
	assert_int_equal(http1_build_end(&b), sizeof want - 1);
	assert_memory_equal(out, want, sizeof want - 1);
	http1_build_response(&b, out, sizeof want - 2, 404, TEXT(""));
	http1_build_number(&b, "Content-Length", 1234567890123);
	assert_int_equal(http1_build_end(&b), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_request),
		cmocka_unit_test(test_response),
		cmocka_unit_test(test_targets),
		cmocka_unit_test(test_refused_requests),
		cmocka_unit_test(test_refused_responses),
		cmocka_unit_test(test_framing),
		cmocka_unit_test(test_keep_alive),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_properties),
		cmocka_unit_test(test_builder_refuses),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
