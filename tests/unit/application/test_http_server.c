/*
 * The HTTP server before clients that are right, wrong, slow, many and hostile,
 * over real stacks in virtual time.
 */
#include "raw_client.h"

#include "application/http/http_conn.h"

#define WALL (INT64_C(784111777) * NANO_S - NANO_S) /* so that the tests begin at RFC 9110's date */

#define PAGES 7
static const char hello[] = "Hello, world\n";

struct logged {
	char method[32], target[300], reason[100];
	unsigned status;
	uint64_t bytes;
	bool complete;
	nanodiff duration;
};

struct web {
	struct duo duo;
	struct http_page page[PAGES];
	struct http_pages pages;
	struct http_server *server;
	struct logged log[64];
	unsigned logs;
	/* A provider between server and pages, which can fail */
	struct http_content content;
	int open_error;
	uint64_t fail_at;
	unsigned open, opened;
	char last_path[1100];
};

static void note(void *user, const struct http_access *a)
{
	struct web *w = user;
	struct logged *l = &w->log[w->logs++ % 64];
	*l = (struct logged){ .status = a->status,
		.bytes = a->bytes,
		.complete = a->complete,
		.duration = a->duration };
	snprintf(l->method, sizeof l->method, "%.*s", (int)a->method.len,
		(const char *)a->method.at);
	snprintf(l->target, sizeof l->target, "%.*s", (int)a->target.len,
		(const char *)a->target.at);
	snprintf(l->reason, sizeof l->reason, "%s", a->reason);
}

static int web_open(void *user, struct span path, struct http_entity *out)
{
	struct web *w = user;
	assert_true(path.len > 0 && path.at[0] == '/' && path.len < sizeof w->last_path);
	memcpy(w->last_path, path.at, path.len);
	w->last_path[path.len] = '\0';
	assert_null(strstr(w->last_path, "/../"));
	if (w->open_error)
		return w->open_error;
	int error = http_pages_content.open(&w->pages, path, out);
	if (error == 0 && span_equal(path, text_span_of("/stream")))
		out->length = HTTP_LENGTH_UNKNOWN;
	if (error == 0 && !out->directory) {
		w->open++;
		w->opened++;
	}
	return error;
}

static int64_t web_read(void *user, struct http_entity *e, uint64_t at, uint8_t *to, size_t cap)
{
	struct web *w = user;
	uint64_t length = e->length == HTTP_LENGTH_UNKNOWN ? 100000 : e->length;
	if (w->fail_at && at >= w->fail_at)
		return w->fail_at == 1 ? -ERR_SYSTEM : 0;
	size_t n = at >= length ? 0 : length - at < cap ? (size_t)(length - at) : cap;
	for (size_t i = 0; i < n; i++)
		to[i] = http_pattern(at + i);
	return (int64_t)n;
}

static void web_close(void *user, struct http_entity *e)
{
	struct web *w = user;
	(void)e;
	assert_true(w->open > 0);
	w->open--;
}

static struct http_server_config web_config(void)
{
	struct http_server_config c;
	http_server_config_default(&c);
	c.wall_offset = WALL;
	memset(c.secret, 9, sizeof c.secret);
	return c;
}

static void web_open_with(struct web *w, struct http_server_config *c)
{
	const char *why;
	memset(w, 0, sizeof *w);
	duo_open(&w->duo);
	w->page[0] = (struct http_page){ .path = "/index.html",
		.body = span_of(hello, sizeof hello - 1),
		.modified = 784111777 };
	w->page[1] = (struct http_page){
		.path = "/big", .body = { NULL, 3000000 }, .modified = HTTP_TIME_UNKNOWN
	};
	w->page[2] = (struct http_page){
		.path = "/dir/index.html", .body = span_of(hello, 5), .modified = HTTP_TIME_UNKNOWN
	};
	w->page[3] = (struct http_page){
		.path = "/stream", .body = { NULL, 100000 }, .modified = HTTP_TIME_UNKNOWN
	};
	w->page[4] = (struct http_page){
		.path = "/empty", .body = span_of(hello, 0), .modified = HTTP_TIME_UNKNOWN
	};
	w->page[5] = (struct http_page){
		.path = "/a b/c.txt", .body = span_of(hello, 3), .modified = HTTP_TIME_UNKNOWN
	};
	w->page[6] = (struct http_page){
		.path = "/noindex/x", .body = span_of(hello, 3), .modified = HTTP_TIME_UNKNOWN
	};
	http_pages_init(&w->pages, w->page, PAGES);
	w->content = (struct http_content){ web_open, web_read, web_close };
	c->content = &w->content;
	c->content_user = w;
	c->log = note;
	c->log_user = w;
	w->server = http_server_create(c, duo_use(&w->duo.host[1]), &w->duo.host[1].arena, &why);
	if (!w->server)
		fail_msg("%s", why);
	duo_add(&w->duo.host[1], http_server_app(w->server));
}

static void web_start(struct web *w)
{
	struct http_server_config c = web_config();
	web_open_with(w, &c);
}

static void web_end(struct web *w)
{
	assert_int_equal(w->open, 0); /* every entity was closed */
	duo_close(&w->duo);
}

static void connect_to(struct web *w, struct raw *r)
{
	raw_open(r, &w->duo.host[0], "192.0.2.2", 80);
}

/* One connection, these bytes, all that comes back. */
static void exchange(struct web *w, struct raw *r, const char *request)
{
	connect_to(w, r);
	raw_text(r, request);
	raw_finish(r, 30 * NANO_S);
}

static void answers(struct web *w, const char *request, const char *begins)
{
	struct raw r;
	exchange(w, &r, request);
	if (strncmp(r.in, begins, strlen(begins)) != 0)
		fail_msg("to %s:\n%.300s", request, r.in);
	raw_close(&r);
}

#define GET(path)          "GET " path " HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"
#define WITH(path, fields) "GET " path " HTTP/1.1\r\nHost: h\r\nConnection: close\r\n" fields "\r\n"

/* ---- right requests ---- */

static void page(void **state)
{
	(void)state;
	static struct web w;
	struct raw r;
	web_start(&w);
	exchange(&w, &r, GET("/"));
	char etag[64];
	snprintf(etag, sizeof etag, "ETag: %s\r\n", w.page[0].etag);
	char want[1000];
	snprintf(want, sizeof want,
		"HTTP/1.1 200 OK\r\n"
		"Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n%s"
		"Content-Type: text/html; charset=utf-8\r\n"
		"Accept-Ranges: bytes\r\n"
		"Content-Length: 13\r\n"
		"Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
		"Server: strata\r\n"
		"Connection: close\r\n"
		"\r\n"
		"Hello, world\n",
		etag);
	assert_string_equal(r.in, want);
	assert_true(r.ended && !r.failed);
	assert_string_equal(w.last_path, "/index.html");
	assert_int_equal(w.logs, 1);
	assert_string_equal(w.log[0].method, "GET");
	assert_string_equal(w.log[0].target, "/");
	assert_int_equal(w.log[0].status, 200);
	assert_int_equal(w.log[0].bytes, 13);
	assert_true(w.log[0].complete);
	raw_close(&r);
	duo_pass(&w.duo, NANO_S);
	assert_int_equal(http_server_counters(w.server)->connections, 0);
	web_end(&w);
}

static void head_and_conditions(void **state)
{
	(void)state;
	static struct web w;
	struct raw r;
	web_start(&w);
	exchange(&w, &r, "HEAD / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
	assert_int_equal(strncmp(r.in, "HTTP/1.1 200 OK\r\n", 17), 0);
	assert_non_null(strstr(r.in, "Content-Length: 13\r\n"));
	assert_string_equal(r.in + r.in_len - 4, "\r\n\r\n");
	assert_null(strstr(r.in, "Hello"));
	raw_close(&r);

	exchange(&w, &r, WITH("/", "If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n"));
	assert_int_equal(strncmp(r.in, "HTTP/1.1 304 Not Modified\r\n", 27), 0);
	assert_string_equal(r.in + r.in_len - 4, "\r\n\r\n");
	assert_non_null(strstr(r.in, "ETag: "));
	assert_null(strstr(r.in, "Content-"));
	raw_close(&r);

	exchange(&w, &r, WITH("/", "Range: bytes=7-11\r\n"));
	assert_int_equal(strncmp(r.in, "HTTP/1.1 206 Partial Content\r\n", 30), 0);
	assert_non_null(strstr(r.in, "Content-Range: bytes 7-11/13\r\n"));
	assert_non_null(strstr(r.in, "Content-Length: 5\r\n"));
	assert_string_equal(r.in + r.in_len - 9, "\r\n\r\nworld");
	raw_close(&r);

	exchange(&w, &r, WITH("/", "Range: bytes=13-\r\n"));
	assert_int_equal(strncmp(r.in, "HTTP/1.1 416 Range Not Satisfiable\r\n", 36), 0);
	assert_non_null(strstr(r.in, "Content-Range: bytes */13\r\n"));
	raw_close(&r);
	answers(&w, WITH("/", "If-Match: \"x\"\r\n"), "HTTP/1.1 412 Precondition Failed\r\n");
	answers(&w, GET("/empty"), "HTTP/1.1 200 OK\r\n");
	web_end(&w);
}

static void names(void **state)
{
	(void)state;
	static struct web w;
	struct raw r;
	web_start(&w);
	answers(&w, GET("/index.html?x=y"), "HTTP/1.1 200 OK\r\n");
	answers(&w, GET("http://h/"), "HTTP/1.1 200 OK\r\n");
	answers(&w, GET("http://h"), "HTTP/1.1 200 OK\r\n");
	answers(&w, GET("/dir/"), "HTTP/1.1 200 OK\r\n");
	answers(&w, GET("/a%20b/c.txt"), "HTTP/1.1 200 OK\r\n");
	answers(&w, GET("/nowhere"), "HTTP/1.1 404 Not Found\r\n");
	answers(&w, GET("/noindex/"), "HTTP/1.1 404 Not Found\r\n");
	answers(&w, GET("/index.html/"), "HTTP/1.1 404 Not Found\r\n");
	exchange(&w, &r, GET("/a%20b?x=/y"));
	assert_int_equal(strncmp(r.in, "HTTP/1.1 301 Moved Permanently\r\n", 32), 0);
	assert_non_null(strstr(r.in, "Location: /a%20b/?x=/y\r\n"));
	raw_close(&r);
	web_end(&w);
}

/* Nothing outside of the root: every trick gets 400 or 404, and the provider never sees "..". */
static void traversal(void **state)
{
	(void)state;
	static struct web w;
	web_start(&w);
	static const char *const tricks[] = { "/../etc/passwd", "/..", "/dir/../../etc/passwd",
		"/%2e%2e/etc/passwd", "/%2E%2E/", "/.%2e/x", "/..%2fetc/passwd", "/..%5cetc",
		"/%00", "/index.html%00.txt", "/dir/..%00/", "/./index.html", "/%5c..%5c",
		"http://h/../x", "/dir/%2e%2e%2f%2e%2e%2fetc/passwd", "//../etc/passwd" };
	for (unsigned i = 0; i < sizeof tricks / sizeof tricks[0]; i++) {
		char request[200];
		snprintf(request, sizeof request,
			"GET %s HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", tricks[i]);
		answers(&w, request, "HTTP/1.1 400 Bad Request\r\n");
	}
	assert_int_equal(w.opened, 0);
	answers(&w, GET("/%252e%252e/x"), "HTTP/1.1 404 Not Found\r\n");
	assert_string_equal(w.last_path, "/%2e%2e/x");
	answers(&w, GET("//etc/passwd"), "HTTP/1.1 404 Not Found\r\n");
	assert_string_equal(w.last_path, "/etc/passwd");
	web_end(&w);
}

/* ---- wrong requests: each limit, each status ---- */

static char long_text[40000];

static const char *long_request(const char *before, size_t n, const char *after)
{
	size_t a = strlen(before);
	memcpy(long_text, before, a);
	memset(long_text + a, 'a', n);
	strcpy(long_text + a + n, after);
	return long_text;
}

static void statuses(void **state)
{
	(void)state;
	static struct web w;
	struct raw r;
	web_start(&w);
	exchange(&w, &r, "DELETE / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
	assert_int_equal(strncmp(r.in, "HTTP/1.1 405 Method Not Allowed\r\n", 33), 0);
	assert_non_null(strstr(r.in, "Allow: GET, HEAD\r\n"));
	raw_close(&r);
	answers(&w, "OPTIONS * HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", "HTTP/1.1 405 ");
	answers(&w, "CONNECT h:1 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n",
		"HTTP/1.1 405 ");
	answers(&w, "BREW / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", "HTTP/1.1 501 ");
	answers(&w, "get / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", "HTTP/1.1 501 ");
	answers(&w, "GET / HTTP/2.0\r\nHost: h\r\n\r\n", "HTTP/1.1 505 ");
	answers(&w, "GET / HTTP/1.1\r\n\r\n", "HTTP/1.1 400 "); /* no Host */
	answers(&w, "GET / HTTP/1.1\r\nHost: h\r\nHost: h\r\n\r\n", "HTTP/1.1 400 ");
	answers(&w, "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", "HTTP/1.1 400 ");
	answers(&w, "GET /\r\n\r\n", "HTTP/1.1 400 ");
	answers(&w, "GET / HTTP/1.1\nHost: h\n\n", "HTTP/1.1 400 ");
	answers(&w, "GET / HTTP/1.1\r\nHost: h\r\n folded\r\n\r\n", "HTTP/1.1 400 ");
	answers(&w, "GET / HTTP/1.1\r\nHost : h\r\n\r\n", "HTTP/1.1 400 ");
	answers(&w, "GET / HTTP/1.1\r\nHost: h\r\nContent-Length: +5\r\n\r\n", "HTTP/1.1 400 ");
	answers(&w, "GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
		"HTTP/1.1 400 ");
	answers(&w,
		"GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n"
		"Transfer-Encoding: chunked\r\n\r\n",
		"HTTP/1.1 400 ");
	answers(&w, "GET / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip\r\n\r\n",
		"HTTP/1.1 501 ");
	answers(&w, "GET / HTTP/1.1\r\nHost: h\r\nExpect: a miracle\r\n\r\n", "HTTP/1.1 417 ");
	answers(&w, long_request("GET /", 9000, " HTTP/1.1\r\nHost: h\r\n\r\n"), "HTTP/1.1 414 ");
	answers(&w, long_request("GET /", 2000, " HTTP/1.1\r\nHost: h\r\n\r\n"), "HTTP/1.1 414 ");
	answers(&w, long_request("", 100, " / HTTP/1.1\r\nHost: h\r\n\r\n"), "HTTP/1.1 501 ");
	answers(&w, long_request("GET / HTTP/1.1\r\nHost: h\r\nX: ", 9000, "\r\n\r\n"),
		"HTTP/1.1 431 ");
	char many[4000] = "GET / HTTP/1.1\r\nHost: h\r\n";
	for (unsigned i = 0; i < 100; i++)
		strcat(many, "X: y\r\n");
	strcat(many, "\r\n");
	answers(&w, many, "HTTP/1.1 431 ");
	answers(&w, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1048577\r\n\r\n",
		"HTTP/1.1 413 ");
	answers(&w, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9223372036854775807\r\n\r\n",
		"HTTP/1.1 413 ");
	answers(&w, "GET / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nnonsense",
		"HTTP/1.1 400 ");
	for (unsigned i = 0; i < w.logs; i++) {
		assert_true(w.log[i % 64].complete);
		assert_true(w.log[i % 64].reason[0]);
	}
	web_end(&w);
}

static void provider_errors(void **state)
{
	(void)state;
	static struct web w;
	struct raw r;
	web_start(&w);
	w.open_error = -ERR_PERMISSION;
	answers(&w, GET("/"), "HTTP/1.1 403 Forbidden\r\n");
	w.open_error = -ERR_TOO_MANY;
	answers(&w, GET("/"), "HTTP/1.1 503 Service Unavailable\r\n");
	w.open_error = -ERR_SYSTEM;
	answers(&w, GET("/"), "HTTP/1.1 500 Internal Server Error\r\n");
	w.open_error = 0;
	/* A page that ends early must not look whole: reset. By an error, and by an end. */
	static const uint64_t at[] = { 1, 100000 };
	for (unsigned i = 0; i < 2; i++) {
		w.fail_at = at[i];
		exchange(&w, &r, GET("/big"));
		assert_true(r.failed && r.error == ERR_RESET);
		raw_close(&r);
		assert_false(w.log[(w.logs - 1) % 64].complete);
	}
	web_end(&w);
}

/* ---- bytes in any pieces, many requests on one connection ---- */

static void split_anywhere(void **state)
{
	(void)state;
	static struct web w;
	static const char request[] =
		"POST /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
		"5;ext=\"a\"\r\nabcde\r\nA\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n"
		"GET /dir/ HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc"
		"\r\nHEAD / HTTP/1.1\r\nHost: h\r\n\r\n"
		"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";
	struct raw r;
	static char first[4000];
	web_start(&w);
	exchange(&w, &r, request);
	strcpy(first, r.in);
	assert_int_equal(raw_count(&r, "HTTP/1.1 "), 4);
	assert_int_equal(raw_count(&r, "HTTP/1.1 405 "), 1);
	assert_int_equal(raw_count(&r, "HTTP/1.1 200 "), 3);
	raw_close(&r);
	/* At each place once; the response's bytes are the same but for the date. */
	for (size_t cut = 1; cut < sizeof request - 1; cut++) {
		connect_to(&w, &r);
		raw_send(&r, request, cut);
		duo_pass(&w.duo, 10 * NANO_MS);
		raw_send(&r, request + cut, sizeof request - 1 - cut);
		assert_true(raw_finish(&r, 30 * NANO_S));
		assert_int_equal(r.in_len, strlen(first));
		assert_int_equal(raw_count(&r, "HTTP/1.1 200 "), 3);
		raw_close(&r);
	}
	/* Byte by byte */
	connect_to(&w, &r);
	r.piece = 1;
	r.interval = NANO_MS;
	raw_text(&r, request);
	assert_true(raw_finish(&r, 30 * NANO_S));
	assert_int_equal(r.in_len, strlen(first));
	raw_close(&r);
	web_end(&w);
}

static void pipelining(void **state)
{
	(void)state;
	static struct web w;
	struct raw r;
	static char requests[100 * 1000];
	web_start(&w);
	size_t n = 0;
	for (unsigned i = 0; i < 1000; i++)
		n += (size_t)sprintf(requests + n, "GET /%s HTTP/1.1\r\nHost: h\r\n%s\r\n",
			i % 3 ? "dir/" : "none", i == 999 ? "Connection: close\r\n" : "");
	exchange(&w, &r, requests);
	assert_true(r.ended && !r.failed);
	assert_int_equal(raw_count(&r, "HTTP/1.1 404 "), 334);
	assert_int_equal(raw_count(&r, "HTTP/1.1 200 "), 666);
	assert_int_equal(raw_count(&r, "\r\n\r\nHello"), 666);
	assert_int_equal(http_server_counters(w.server)->requests, 1000);
	assert_int_equal(http_server_counters(w.server)->accepted, 1);
	raw_close(&r);
	web_end(&w);
}

static void keeping_alive(void **state)
{
	(void)state;
	static struct web w;
	struct raw r;
	struct http_server_config c = web_config();
	c.requests_max = 3;
	web_open_with(&w, &c);
	/* HTTP/1.0 closes, unless it asks not to */
	exchange(&w, &r, "GET / HTTP/1.0\r\n\r\n");
	assert_true(r.ended && strstr(r.in, "Connection: close\r\n"));
	raw_close(&r);
	connect_to(&w, &r);
	raw_text(&r, "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
	assert_false(raw_finish(&r, 5 * NANO_S));
	assert_non_null(strstr(r.in, "Connection: keep-alive\r\n"));
	raw_text(&r, "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
	assert_false(raw_finish(&r, 5 * NANO_S));
	raw_text(&r, "GET / HTTP/1.1\r\nHost: h\r\n\r\n"); /* the third is the last */
	assert_true(raw_finish(&r, 5 * NANO_S));
	assert_int_equal(raw_count(&r, "HTTP/1.1 200"), 3);
	raw_close(&r);
	web_end(&w);
}

static void half_closed(void **state)
{
	(void)state;
	static struct web w;
	struct raw r;
	web_start(&w);
	/* Sends FIN behind its request, and still wants the answer. */
	connect_to(&w, &r);
	raw_text(&r, "GET /big HTTP/1.1\r\nHost: h\r\n\r\n");
	duo_pass(&w.duo, 3 * NANO_MS);
	sock_shutdown(duo_use(&w.duo.host[0]), r.sock);
	assert_true(raw_finish(&r, 30 * NANO_S));
	assert_true(!r.failed && r.in_len > 3000000);
	raw_close(&r);
	/* In the middle of a head, of a body: no answer is due. */
	static const char *const cut[] = { "", "GE", "GET / HTTP/1.1\r\nHost: h\r\n",
		"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nab" };
	for (unsigned i = 0; i < 4; i++) {
		connect_to(&w, &r);
		raw_text(&r, cut[i]);
		duo_pass(&w.duo, 10 * NANO_MS);
		sock_shutdown(duo_use(&w.duo.host[0]), r.sock);
		assert_true(raw_finish(&r, 5 * NANO_S));
		assert_int_equal(r.in_len, 0);
		raw_close(&r);
		assert_int_equal(w.logs, i == 0 ? 1 : i + 1);
	}
	assert_int_equal(http_server_counters(w.server)->connections, 0);
	web_end(&w);
}

/* ---- bodies ---- */

static void check_pattern(const char *at, size_t len, uint64_t from)
{
	for (size_t i = 0; i < len; i++)
		if ((uint8_t)at[i] != http_pattern(from + i))
			fail_msg("byte %zu is wrong", i);
}

static void big_page(void **state)
{
	(void)state;
	static struct web w;
	struct raw r;
	web_start(&w);
	exchange(&w, &r, GET("/big"));
	const char *body = strstr(r.in, "\r\n\r\n") + 4;
	assert_int_equal(r.in_len - (size_t)(body - r.in), 3000000);
	check_pattern(body, 3000000, 0);
	raw_close(&r);
	exchange(&w, &r, WITH("/big", "Range: bytes=1234567-2345678\r\n"));
	body = strstr(r.in, "\r\n\r\n") + 4;
	assert_int_equal(r.in_len - (size_t)(body - r.in), 2345678 - 1234567 + 1);
	check_pattern(body, 2345678 - 1234567 + 1, 1234567);
	raw_close(&r);
	web_end(&w);
}

/* The pages in memory by their own provider: with memory, without, and a folder. */
static void pages_in_memory(void **state)
{
	(void)state;
	static struct web w;
	struct raw r;
	web_start(&w);
	w.content = http_pages_content;
	struct http_server_config c = web_config();
	const char *why;
	c.content = &http_pages_content;
	c.content_user = &w.pages;
	c.port = 81;
	struct http_server *second = http_server_create(
		&c, duo_use(&w.duo.host[1]), &w.duo.host[1].arena, &why);
	assert_non_null(second);
	duo_add(&w.duo.host[1], http_server_app(second));
	raw_open(&r, &w.duo.host[0], "192.0.2.2", 81);
	raw_text(&r, WITH("/big", "Range: bytes=100-70000\r\n"));
	assert_true(raw_finish(&r, 30 * NANO_S));
	const char *body = strstr(r.in, "\r\n\r\n") + 4;
	assert_int_equal(r.in_len - (size_t)(body - r.in), 70000 - 100 + 1);
	check_pattern(body, 70000 - 100 + 1, 100);
	raw_close(&r);
	/* A tag says what is served: two pages of the same bytes share it, others do not. */
	assert_string_not_equal(w.page[0].etag, w.page[2].etag);
	assert_string_equal(w.page[5].etag, w.page[6].etag);
	web_end(&w);
}

static void unknown_length(void **state)
{
	(void)state;
	static struct web w;
	struct raw r;
	static char body[200000];
	web_start(&w);
	exchange(&w, &r, GET("/stream"));
	assert_non_null(strstr(r.in, "Transfer-Encoding: chunked\r\n"));
	assert_null(strstr(r.in, "Content-Length"));
	struct http1_chunked c;
	http1_chunked_begin(&c, NULL, 0, NULL, 0);
	const char *at = strstr(r.in, "\r\n\r\n") + 4;
	struct span in = span_of(at, r.in_len - (size_t)(at - r.in)), piece;
	size_t used, total = 0;
	enum http1_progress p;
	do {
		p = http1_chunked_feed(&c, in, &used, &piece);
		memcpy(body + total, piece.at, piece.len);
		total += piece.len;
		in = span_after(in, used);
	} while (p == HTTP1_MORE && in.len);
	assert_int_equal(p, HTTP1_DONE);
	assert_int_equal(in.len, 0);
	assert_int_equal(total, 100000);
	check_pattern(body, total, 0);
	raw_close(&r);
	/* HTTP/1.0 knows no chunks: the end of the connection is the end of the page. */
	exchange(&w, &r, "GET /stream HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
	assert_null(strstr(r.in, "chunked"));
	assert_non_null(strstr(r.in, "Connection: close\r\n"));
	at = strstr(r.in, "\r\n\r\n") + 4;
	assert_int_equal(r.in_len - (size_t)(at - r.in), 100000);
	check_pattern(at, 100000, 0);
	assert_true(r.ended && !r.failed);
	raw_close(&r);
	answers(&w, "HEAD /stream HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n",
		"HTTP/1.1 200 OK\r\n");
	web_end(&w);
}

static void expectation(void **state)
{
	(void)state;
	static struct web w;
	struct raw r;
	web_start(&w);
	connect_to(&w, &r);
	raw_text(&r,
		"GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n"
		"Expect: 100-Continue\r\nConnection: close\r\n\r\n");
	assert_false(raw_finish(&r, NANO_S));
	assert_string_equal(r.in, "HTTP/1.1 100 Continue\r\n\r\n");
	raw_text(&r, "abc");
	assert_true(raw_finish(&r, NANO_S));
	assert_int_equal(strncmp(r.in + 25, "HTTP/1.1 200 OK\r\n", 17), 0);
	raw_close(&r);
	/* What will be refused anyhow is refused before the body comes. */
	exchange(&w, &r,
		"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n");
	assert_int_equal(strncmp(r.in, "HTTP/1.1 405 ", 13), 0);
	assert_non_null(strstr(r.in, "Connection: close\r\n"));
	assert_true(r.ended);
	raw_close(&r);
	web_end(&w);
}

/* The client goes on sending what is not wanted; it still gets to read why (RFC 9112 9.6). */
static void lingering(void **state)
{
	(void)state;
	static struct web w;
	struct raw r;
	static char body[900000];
	web_start(&w);
	memset(body, 'x', sizeof body);
	int n = snprintf(body, sizeof body,
		"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999\r\n\r\n");
	body[n] = 'x';
	connect_to(&w, &r);
	raw_send(&r, body, sizeof body);
	assert_true(raw_finish(&r, 10 * NANO_S));
	assert_int_equal(strncmp(r.in, "HTTP/1.1 413 ", 13), 0);
	assert_false(r.failed);
	raw_close(&r);
	web_end(&w);
}

static void chunks_without_end(void **state)
{
	(void)state;
	static struct web w;
	struct raw r;
	static char body[1200000];
	web_start(&w);
	size_t n = (size_t)sprintf(
		body, "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n");
	while (n < sizeof body - 2100) {
		n += (size_t)sprintf(body + n, "800\r\n");
		memset(body + n, 'x', 2048);
		n += 2048;
		n += (size_t)sprintf(body + n, "\r\n");
	}
	connect_to(&w, &r);
	raw_send(&r, body, n);
	assert_true(raw_finish(&r, 10 * NANO_S));
	assert_int_equal(strncmp(r.in, "HTTP/1.1 413 ", 13), 0);
	raw_close(&r);
	web_end(&w);
}

/* ---- time ---- */

static void slow_heads(void **state)
{
	(void)state;
	static struct web w;
	struct raw r;
	web_start(&w);
	/* Attack H1-11: a byte a second keeps nothing open for longer than ten seconds. */
	connect_to(&w, &r);
	r.piece = 1;
	r.interval = NANO_S;
	nanotime start = w.duo.now;
	raw_text(&r, "GET / HTTP/1.1\r\nHost: a-very-long-name.example.test\r\n\r\n");
	assert_true(raw_finish(&r, 60 * NANO_S));
	assert_int_equal(strncmp(r.in, "HTTP/1.1 408 ", 13), 0);
	assert_true(w.duo.now - start > 10 * NANO_S && w.duo.now - start < 13 * NANO_S);
	assert_int_equal(http_server_counters(w.server)->timeouts, 1);
	raw_close(&r);
	/* Saying nothing at all: one minute. */
	connect_to(&w, &r);
	start = w.duo.now;
	assert_true(raw_finish(&r, 100 * NANO_S));
	assert_int_equal(r.in_len, 0);
	assert_true(w.duo.now - start > 60 * NANO_S && w.duo.now - start < 61 * NANO_S);
	raw_close(&r);
	/* Nor after a response */
	connect_to(&w, &r);
	start = w.duo.now;
	raw_text(&r, "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
	assert_true(raw_finish(&r, 100 * NANO_S));
	assert_int_equal(raw_count(&r, "HTTP/1.1"), 1);
	assert_true(w.duo.now - start > 60 * NANO_S && w.duo.now - start < 61 * NANO_S);
	raw_close(&r);
	assert_int_equal(http_server_counters(w.server)->connections, 0);
	web_end(&w);
}

static void slow_bodies(void **state)
{
	(void)state;
	static struct web w;
	struct raw r;
	static char body[20000];
	web_start(&w);
	int n = snprintf(body, sizeof body,
		"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 15000\r\n\r\n");
	memset(body + n, 'x', 15000);
	/* 50 bytes a second are too few, */
	connect_to(&w, &r);
	r.piece = 50;
	r.interval = NANO_S;
	raw_send(&r, body, (size_t)n + 15000);
	assert_true(raw_finish(&r, 500 * NANO_S));
	assert_int_equal(strncmp(r.in, "HTTP/1.1 408 ", 13), 0);
	raw_close(&r);
	/* 200 are enough, though it takes 75 s. */
	connect_to(&w, &r);
	r.piece = 200;
	r.interval = NANO_S;
	raw_send(&r, body, (size_t)n + 15000);
	assert_true(raw_finish(&r, 500 * NANO_S));
	assert_int_equal(strncmp(r.in, "HTTP/1.1 200 ", 13), 0);
	raw_close(&r);
	web_end(&w);
}

static unsigned server_memory(struct web *w)
{
	return sock_unfinished(duo_use(&w->duo.host[1]));
}

/* A client that never reads: whatever it asked for, its connection and memory are free soon. */
static void never_reads(void **state)
{
	(void)state;
	static struct web w;
	struct raw r;
	static char requests[100 * 1000];
	web_start(&w);
	connect_to(&w, &r);
	r.deaf = true;
	raw_text(&r, "GET /big HTTP/1.1\r\nHost: h\r\n\r\n");
	duo_pass(&w.duo, 25 * NANO_S);
	assert_int_equal(http_server_counters(w.server)->connections, 0);
	assert_int_equal(http_server_counters(w.server)->timeouts, 1);
	assert_int_equal(w.log[0].complete, false);
	raw_close(&r);
	duo_pass(&w.duo, NANO_S);
	assert_int_equal(server_memory(&w), 0);
	/* Many small responses, of which the last ones stay in the send queue */
	size_t n = 0;
	for (unsigned i = 0; i < 200; i++)
		n += (size_t)sprintf(requests + n, "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
	connect_to(&w, &r);
	r.deaf = true;
	raw_send(&r, requests, n);
	duo_pass(&w.duo, 100 * NANO_S);
	assert_int_equal(http_server_counters(w.server)->connections, 0);
	raw_close(&r);
	duo_pass(&w.duo, NANO_S);
	assert_int_equal(server_memory(&w), 0);
	web_end(&w);
}

/* A slow reader of a response that was queued whole is not cut off by the end of lingering. */
static void slow_last_reader(void **state)
{
	(void)state;
	static struct web w;
	struct raw r;
	char bytes[2000];
	web_start(&w);
	connect_to(&w, &r);
	r.deaf = true;
	raw_text(&r, WITH("/big", "Range: bytes=0-59999\r\n")); /* both queues, nearly full */
	size_t total = 0;
	int64_t got = -ERR_AGAIN;
	for (unsigned second = 0; second < 60 && got != 0; second++) {
		duo_pass(&w.duo, NANO_S);
		got = sock_read(duo_use(&w.duo.host[0]), r.sock, bytes, sizeof bytes);
		if (got < 0)
			fail_msg("%s after %zu bytes", error_name((enum error) - got), total);
		total += (size_t)got;
	}
	assert_true(total > 60000);
	raw_close(&r);
	web_end(&w);
}

/* ---- many ---- */

static void too_many_connections(void **state)
{
	(void)state;
	static struct web w;
	static struct raw r[12];
	struct http_server_config c = web_config();
	c.connections = 8;
	web_open_with(&w, &c);
	for (unsigned i = 0; i < 12; i++)
		connect_to(&w, &r[i]);
	duo_pass(&w.duo, NANO_S);
	assert_int_equal(http_server_counters(w.server)->connections, 8);
	assert_int_equal(http_server_counters(w.server)->refused, 4);
	unsigned told = 0;
	for (unsigned i = 0; i < 12; i++) {
		told += strncmp(r[i].in, "HTTP/1.1 503 ", 13) == 0 && r[i].ended;
		assert_true(!r[i].in_len || strstr(r[i].in, "Retry-After: 10\r\n"));
	}
	assert_int_equal(told, 4);
	/* Those inside are served, and make room. */
	for (unsigned i = 0; i < 8; i++) {
		raw_text(&r[i], GET("/"));
		assert_true(raw_finish(&r[i], 5 * NANO_S));
		assert_int_equal(strncmp(r[i].in, "HTTP/1.1 200 ", 13), 0);
	}
	for (unsigned i = 0; i < 12; i++)
		raw_close(&r[i]);
	answers(&w, GET("/"), "HTTP/1.1 200 ");
	web_end(&w);
}

static void too_many_from_one(void **state)
{
	(void)state;
	static struct web w;
	static struct raw r[5];
	struct http_server_config c = web_config();
	c.per_host = 3;
	web_open_with(&w, &c);
	for (unsigned i = 0; i < 4; i++)
		connect_to(&w, &r[i]);
	duo_pass(&w.duo, NANO_S);
	assert_int_equal(http_server_counters(w.server)->connections, 3);
	assert_int_equal(strncmp(r[3].in, "HTTP/1.1 503 ", 13), 0);
	raw_open(&r[4], &w.duo.host[0], "2001:db8::2", 80); /* another address counts for itself */
	raw_text(&r[4], GET("/"));
	raw_finish(&r[4], 5 * NANO_S);
	assert_int_equal(strncmp(r[4].in, "HTTP/1.1 200 ", 13), 0);
	for (unsigned i = 0; i < 5; i++)
		raw_close(&r[i]);
	web_end(&w);
}

/* Two buffers for heads, both taken by dawdlers: the third waits, and is served when one ends. */
static void few_buffers(void **state)
{
	(void)state;
	static struct web w;
	static struct raw slow[2], quick;
	struct http_server_config c = web_config();
	c.heads = 2;
	web_open_with(&w, &c);
	for (unsigned i = 0; i < 2; i++) {
		connect_to(&w, &slow[i]);
		raw_text(&slow[i], "GET /");
	}
	duo_pass(&w.duo, NANO_S);
	connect_to(&w, &quick);
	raw_text(&quick, GET("/"));
	assert_false(raw_finish(&quick, 5 * NANO_S));
	raw_text(&slow[0], " HTTP/1.1\r\nHost: h\r\n\r\n");
	assert_true(raw_finish(&quick, NANO_S));
	assert_int_equal(strncmp(quick.in, "HTTP/1.1 200 ", 13), 0);
	assert_int_equal(strncmp(slow[0].in, "HTTP/1.1 200 ", 13), 0);
	raw_close(&quick);
	/* The other is told 408; who waits for the whole time is told 503. */
	raw_text(&slow[0], "GET /");
	duo_pass(&w.duo, NANO_MS * 10);
	connect_to(&w, &quick);
	raw_text(&quick, GET("/"));
	assert_true(raw_finish(&quick, 20 * NANO_S));
	assert_int_equal(strncmp(slow[1].in, "HTTP/1.1 408 ", 13), 0);
	assert_int_equal(strncmp(quick.in, "HTTP/1.1 200 ", 13), 0);
	raw_close(&quick);
	for (unsigned i = 0; i < 2; i++)
		raw_close(&slow[i]);
	web_end(&w);

	c.heads = 1;
	web_open_with(&w, &c);
	connect_to(&w, &slow[0]);
	raw_text(&slow[0], "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\n");
	slow[0].piece = 2000;
	duo_pass(&w.duo, NANO_MS * 10);
	static char body[100000];
	raw_send(&slow[0], body, sizeof body); /* slowly, but fast enough to hold its buffer */
	slow[0].interval = NANO_S;
	connect_to(&w, &quick);
	raw_text(&quick, GET("/"));
	assert_true(raw_finish(&quick, 20 * NANO_S));
	assert_int_equal(strncmp(quick.in, "HTTP/1.1 503 ", 13), 0);
	raw_close(&quick);
	raw_close(&slow[0]);
	duo_pass(&w.duo, NANO_S);
	assert_int_equal(http_server_counters(w.server)->connections, 0);
	web_end(&w);
}

/* Thousands of connections one after the other, ended in every way: nothing is lost. */
static void no_leak(void **state)
{
	(void)state;
	static struct web w;
	struct raw r;
	struct http_server_config c = web_config();
	c.connections = 3;
	c.heads = 2;
	web_open_with(&w, &c);
	struct rng rng;
	rng_seed(&rng, text_span_of("no connection is lost"));
	static const char *const all[] = { GET("/"), GET("/none"), "GET /", "nonsense\r\n\r\n",
		"GET /big HTTP/1.1\r\nHost: h\r\n\r\n", "",
		"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nab" };
	for (unsigned i = 0; i < 1500; i++) {
		connect_to(&w, &r);
		raw_text(&r, all[rng_below(&rng, 7)]);
		duo_pass(&w.duo, rng_below(&rng, 20) * NANO_MS);
		if (rng_below(&rng, 2)) {
			sock_close(duo_use(&w.duo.host[0]), r.sock);
			r.sock = 0;
		}
		raw_close(&r);
		duo_pass(&w.duo, 5 * NANO_MS);
	}
	duo_pass(&w.duo, 100 * NANO_S);
	assert_int_equal(http_server_counters(w.server)->connections, 0);
	assert_int_equal(w.server->pool.used, 0);
	assert_int_equal(w.server->heads.used, 0);
	assert_int_equal(w.server->hosts.pool.used, 0);
	assert_true(
		http_server_app(w.server)->deadline(http_server_app(w.server)) == NANOTIME_NEVER);
	answers(&w, GET("/"), "HTTP/1.1 200 ");
	web_end(&w);
}

static void stopping(void **state)
{
	(void)state;
	static struct web w;
	struct raw idle, busy, late;
	web_start(&w);
	connect_to(&w, &idle);
	connect_to(&w, &busy);
	raw_text(&busy, "GET /big HTTP/1.1\r\nHost: h\r\n\r\n");
	duo_pass(&w.duo, 5 * NANO_MS);
	http_server_stop(w.server, duo_use(&w.duo.host[1]), w.duo.now);
	connect_to(&w, &late);
	assert_true(raw_finish(&busy, 10 * NANO_S));
	assert_true(!busy.failed && busy.in_len > 3000000);
	assert_true(idle.ended && late.ended && late.error == ERR_REFUSED);
	duo_pass(&w.duo, 3 * NANO_S);
	assert_int_equal(http_server_counters(w.server)->connections, 0);
	raw_close(&idle);
	raw_close(&busy);
	raw_close(&late);
	web_end(&w);
}

static void configs(void **state)
{
	(void)state;
	static struct web w;
	struct http_server_config good = web_config(), c;
	const char *why;
	web_open_with(&w, &good);
	assert_null(http_server_config_check(&good));
#define BREAKS(change) (c = good, c.change, assert_non_null(http_server_config_check(&c)))
	BREAKS(content = NULL);
	BREAKS(port = 0);
	BREAKS(index = "");
	BREAKS(index = NULL);
	BREAKS(name = "a\r\nb");
	BREAKS(connections = 0);
	BREAKS(per_host = 0);
	BREAKS(heads = 0);
	BREAKS(limits.head = 100);
	BREAKS(limits.fields = 0);
	BREAKS(limits.method = 33);
	BREAKS(head_timeout = 0);
	BREAKS(idle_timeout = 0);
	BREAKS(stall_window = 0);
	BREAKS(linger = 0);
	assert_null(http_server_create(&good, duo_use(&w.duo.host[1]), &w.duo.host[1].arena, &why));
	assert_string_equal(why, "HTTP server: port can't be had");
	good.port = 81;
	struct arena measure = { .size = SIZE_MAX };
	assert_null(http_server_create(&good, duo_use(&w.duo.host[1]), &measure, &why));
	struct arena exact = { .at = w.duo.host[0].arena.at, .size = measure.used };
	assert_true(measure.used <= DUO_ARENA);
	assert_non_null(http_server_create(&good, duo_use(&w.duo.host[1]), &exact, &why));
	/* An idle connection costs less than 2 KiB (attack H1-11). */
	assert_true(sizeof(struct http_conn) + sizeof(struct http_host) + 8 < 2048);
	web_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(page),
		cmocka_unit_test(head_and_conditions),
		cmocka_unit_test(names),
		cmocka_unit_test(traversal),
		cmocka_unit_test(statuses),
		cmocka_unit_test(provider_errors),
		cmocka_unit_test(split_anywhere),
		cmocka_unit_test(pipelining),
		cmocka_unit_test(keeping_alive),
		cmocka_unit_test(half_closed),
		cmocka_unit_test(big_page),
		cmocka_unit_test(pages_in_memory),
		cmocka_unit_test(unknown_length),
		cmocka_unit_test(expectation),
		cmocka_unit_test(lingering),
		cmocka_unit_test(chunks_without_end),
		cmocka_unit_test(slow_heads),
		cmocka_unit_test(slow_bodies),
		cmocka_unit_test(never_reads),
		cmocka_unit_test(slow_last_reader),
		cmocka_unit_test(too_many_connections),
		cmocka_unit_test(too_many_from_one),
		cmocka_unit_test(few_buffers),
		cmocka_unit_test(no_leak),
		cmocka_unit_test(stopping),
		cmocka_unit_test(configs),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
