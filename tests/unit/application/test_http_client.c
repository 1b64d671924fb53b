/*
 * The HTTP client before servers that are right, wrong, slow and hostile, over
 * real stacks in virtual time.
 */
#include "web_puppet.h"

#include "application/http/http_exchange.h"
#include "transport/endpoints.h"

struct world {
	struct duo duo;
	struct web_puppet puppet;
	struct http_client *client;
	struct http_exchange *x;
	char body[300000];
	size_t body_len;
	int64_t ended; /* what reading gave in the end; 1: not ended */
	size_t take;   /* bytes read at once; 0: as many as there are */
	bool lazy;     /* does not read */
};

static bool reading(void *user)
{
	struct world *w = user;
	if (w->lazy)
		return w->x->problem != HTTP_PROBLEM_NONE;
	duo_use(&w->duo.host[0]);
	while (w->ended == 1) {
		size_t want = sizeof w->body - w->body_len;
		if (w->take && want > w->take)
			want = w->take;
		int64_t n = http_exchange_read(w->client, w->x, w->body + w->body_len, want);
		if (n > 0)
			w->body_len += (size_t)n;
		else if (n != -ERR_AGAIN)
			w->ended = n;
		else
			break;
	}
	/* What was taken must be told to the sender: transmit before time goes on. */
	while (stack_transmit(w->duo.host[0].stack, w->duo.now, 64) > 0)
		;
	return w->ended != 1;
}

static void open_with(struct world *w, const struct http_client_config *c)
{
	const char *why;
	memset(w, 0, sizeof *w);
	duo_open(&w->duo);
	web_puppet_open(&w->puppet, &w->duo.host[1], 80);
	w->client = http_client_create(c, duo_use(&w->duo.host[0]), &w->duo.host[0].arena, &why);
	if (!w->client)
		fail_msg("%s", why);
	duo_add(&w->duo.host[0], http_client_app(w->client));
}

static void open_world(struct world *w)
{
	struct http_client_config c;
	http_client_config_default(&c);
	open_with(w, &c);
}

static void script(struct world *w, unsigned i, const char *bytes, enum web_end end)
{
	w->puppet.script[i] = (struct web_script){ .bytes = bytes, .end = end };
}

static void release(struct world *w)
{
	duo_use(&w->duo.host[0]);
	if (w->x)
		http_exchange_release(w->client, w->x);
	w->x = NULL;
}

static void close_world(struct world *w)
{
	release(w);
	http_client_forget(w->client);
	assert_true(
		http_client_app(w->client)->deadline(http_client_app(w->client)) == NANOTIME_NEVER);
	duo_close(&w->duo);
}

static struct http_request request_for(const char *method, const char *target)
{
	return (struct http_request){ .method = text_span_of(method),
		.authority = text_span_of("h"),
		.host = text_span_of("h"),
		.port = 80,
		.target = text_span_of(target) };
}

static void start(struct world *w, const struct http_request *r)
{
	enum error error;
	struct addr a = address("192.0.2.2");
	release(w);
	duo_use(&w->duo.host[0]);
	w->x = http_exchange_start(w->client, r, &error);
	assert_non_null(w->x);
	if (w->x->needs_addresses)
		http_exchange_addresses(w->client, w->x, &a, 1, false);
	w->body_len = 0;
	w->ended = 1;
}

/* A request to its end; the body stands in w->body. */
static void get(struct world *w, const char *method, const char *target)
{
	struct http_request r = request_for(method, target);
	start(w, &r);
	assert_true(duo_run(&w->duo, 1000 * NANO_S, reading, w));
	w->body[w->body_len] = '\0';
}

static void fails(struct world *w, enum http_problem problem)
{
	get(w, "GET", "/");
	if (w->x->problem != problem)
		fail_msg("%s, want %s", http_problem_text(w->x->problem),
			http_problem_text(problem));
	assert_true(w->ended < 0);
}

#define OK5 "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nHello"

/* ---- responses ---- */

static void plain(void **state)
{
	(void)state;
	static struct world w;
	open_world(&w);
	script(&w, 0, OK5, WEB_KEEP);
	get(&w, "GET", "/a?b");
	assert_int_equal(w.ended, 0);
	assert_string_equal(w.body, "Hello");
	assert_string_equal(w.puppet.conn[0].in,
		"GET /a?b HTTP/1.1\r\nHost: h\r\nUser-Agent: strata\r\nAccept: */*\r\n\r\n");
	assert_int_equal(w.x->head->status, 200);
	assert_int_equal(w.x->step, HTTP_DONE);
	const struct http_times *t = &w.x->times;
	/* Handshake, then request and response: a round trip of 2 ms each, and ARP before them. */
	assert_true(t->started == t->connect_started);
	assert_true(t->connected - t->connect_started == 3 * NANO_MS ||
		t->connected - t->connect_started == 4 * NANO_MS);
	assert_true(t->request_started == t->connected && t->request_sent == t->connected);
	assert_true(t->first_byte - t->request_sent == 2 * NANO_MS);
	assert_true(t->head_done == t->first_byte && t->last_byte == t->first_byte);
	assert_int_equal(w.x->remote.port, 80);
	assert_true(addr_is4(&w.x->local.address) && w.x->local.port != 0);
	close_world(&w);
}

static void framings(void **state)
{
	(void)state;
	static const struct {
		const char *method, *response, *body;
		enum web_end end;
	} cases[] = {
		{ "GET", OK5, "Hello", WEB_FIN },
		{ "GET", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "", WEB_KEEP },
		{ "GET", "HTTP/1.1 204 No Content\r\n\r\n", "", WEB_KEEP },
		{ "GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\n\r\n", "", WEB_KEEP },
		{ "HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n", "", WEB_KEEP },
		{ "HEAD", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "", WEB_KEEP },
		{ "GET",
			"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
			"5\r\nHello\r\n7;x=y\r\n, world\r\n0\r\nT: x\r\n\r\n",
			"Hello, world", WEB_KEEP },
		{ "GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "",
			WEB_KEEP },
		{ "GET", "HTTP/1.1 200 OK\r\n\r\nuntil the end", "until the end", WEB_FIN },
		{ "GET", "HTTP/1.0 200 OK\r\n\r\n", "", WEB_FIN },
		{ "GET",
			"HTTP/1.1 100 Continue\r\n\r\n"
			"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" OK5,
			"Hello", WEB_KEEP },
	};
	for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		/* Whole, byte by byte, and read byte by byte. */
		for (unsigned how = 0; how < 3; how++) {
			static struct world w;
			open_world(&w);
			script(&w, 0, cases[i].response, cases[i].end);
			w.puppet.piece = how == 1;
			w.puppet.interval = how == 1 ? NANO_MS : 0;
			w.take = how == 2;
			get(&w, cases[i].method, "/");
			if (w.ended != 0 || strcmp(w.body, cases[i].body) != 0)
				fail_msg("case %u, way %u: %s, '%s'", i, how,
					http_problem_text(w.x->problem), w.body);
			assert_int_equal(w.x->body_bytes, strlen(cases[i].body));
			close_world(&w);
		}
	}
}

static void endings(void **state)
{
	(void)state;
	static const struct {
		const char *response;
		enum web_end end;
		enum http_problem problem;
	} cases[] = {
		{ "", WEB_FIN, HTTP_PROBLEM_EMPTY },
		{ "", WEB_RST, HTTP_PROBLEM_RESET },
		{ "HTTP/1.1 200 OK\r\nContent-Le", WEB_FIN, HTTP_PROBLEM_TRUNCATED },
		{ "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nHello", WEB_FIN,
			HTTP_PROBLEM_TRUNCATED },
		{ "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nHello", WEB_RST,
			HTTP_PROBLEM_TRUNCATED },
		{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nHello\r\n", WEB_FIN,
			HTTP_PROBLEM_TRUNCATED },
		{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nHello\r\n0\r\n",
			WEB_FIN, HTTP_PROBLEM_TRUNCATED },
		{ "HTTP/1.1 200 OK\r\n\r\nuntil the", WEB_RST, HTTP_PROBLEM_TRUNCATED },
		{ "HTTP/1.1 101 Switching Protocols\r\n\r\n", WEB_KEEP, HTTP_PROBLEM_UPGRADE },
		{ "SSH-2.0-OpenSSH_9.2p1\r\n", WEB_KEEP, HTTP_PROBLEM_SYNTAX },
		{ "HTTP/1.1 200 OK\nContent-Length: 0\n\n", WEB_KEEP, HTTP_PROBLEM_SYNTAX },
		{ "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nHello",
			WEB_KEEP, HTTP_PROBLEM_SYNTAX },
		{ "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
			WEB_KEEP, HTTP_PROBLEM_SYNTAX },
		{ "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n", WEB_KEEP, HTTP_PROBLEM_SYNTAX },
		{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nnonsense", WEB_KEEP,
			HTTP_PROBLEM_SYNTAX },
		{ "HTTP/3.0 200 OK\r\n\r\n", WEB_KEEP, HTTP_PROBLEM_SYNTAX },
	};
	for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		static struct world w;
		open_world(&w);
		script(&w, 0, cases[i].response, cases[i].end);
		get(&w, "GET", "/");
		if (w.x->problem != cases[i].problem || w.ended >= 0)
			fail_msg("case %u: %s, read %d", i, http_problem_text(w.x->problem),
				(int)w.ended);
		assert_int_equal(http_client_counters(w.client)->failed, 1);
		close_world(&w);
	}
}

/* Attack H1-15 */
static void endless_interim(void **state)
{
	(void)state;
	static struct world w;
	static char many[20 * 30 + 100];
	size_t n = 0;
	for (unsigned i = 0; i < 16; i++)
		n += (size_t)sprintf(many + n, "HTTP/1.1 100 Continue\r\n\r\n");
	size_t sixteen = n;
	strcpy(many + n, OK5);
	open_world(&w);
	script(&w, 0, many, WEB_KEEP);
	get(&w, "GET", "/");
	assert_string_equal(w.body, "Hello");
	assert_int_equal(w.x->interim, 16);
	close_world(&w);
	sprintf(many + sixteen, "HTTP/1.1 100 Continue\r\n\r\n%s", OK5);
	open_world(&w);
	script(&w, 0, many, WEB_KEEP);
	fails(&w, HTTP_PROBLEM_INTERIM);
	close_world(&w);
}

static char large[250000];

static void limits(void **state)
{
	(void)state;
	static struct world w;
	struct http_client_config c;
	http_client_config_default(&c);
	c.body_max = 1000;
	size_t n = (size_t)sprintf(large, "HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n");
	open_with(&w, &c);
	script(&w, 0, large, WEB_KEEP);
	fails(&w, HTTP_PROBLEM_TOO_LARGE);
	close_world(&w);
	n = (size_t)sprintf(large, "HTTP/1.1 200 OK\r\n\r\n");
	memset(large + n, 'x', 1001);
	large[n + 1001] = '\0';
	open_with(&w, &c);
	script(&w, 0, large, WEB_FIN);
	fails(&w, HTTP_PROBLEM_TOO_LARGE);
	close_world(&w);
	large[n + 1000] = '\0';
	open_with(&w, &c);
	script(&w, 0, large, WEB_FIN);
	get(&w, "GET", "/");
	assert_int_equal(w.body_len, 1000);
	close_world(&w);
	/* A head above 16 KiB, and one of more than 100 fields */
	n = (size_t)sprintf(large, "HTTP/1.1 200 OK\r\n");
	for (unsigned i = 0; i < 101; i++)
		n += (size_t)sprintf(large + n, "X: y\r\n");
	open_world(&w);
	script(&w, 0, large, WEB_KEEP);
	fails(&w, HTTP_PROBLEM_SYNTAX);
	assert_int_equal(w.x->syntax, HTTP1_FIELDS_MANY);
	close_world(&w);
}

/* More than both queues hold, to a reader that takes it in its own time. */
static void back_pressure(void **state)
{
	(void)state;
	static struct world w;
	size_t n = (size_t)sprintf(large, "HTTP/1.1 200 OK\r\nContent-Length: 200000\r\n\r\n");
	for (size_t i = 0; i < 200000; i++)
		large[n + i] = (char)('a' + i % 23);
	open_world(&w);
	w.puppet.script[0] = (struct web_script){ .bytes = large, .len = n + 200000 };
	w.lazy = true;
	struct http_request r = request_for("GET", "/");
	start(&w, &r);
	/* An hour in which the caller reads nothing: no fault of the server's. */
	assert_false(duo_run(&w.duo, 3600 * NANO_S, reading, &w));
	assert_int_equal(w.x->step, HTTP_BODY);
	w.lazy = false;
	assert_true(duo_run(&w.duo, 100 * NANO_S, reading, &w));
	assert_int_equal(w.ended, 0);
	assert_int_equal(w.body_len, 200000);
	assert_memory_equal(w.body, large + n, 200000);
	close_world(&w);
}

/* ---- requests ---- */

static void fields(void **state)
{
	(void)state;
	static struct world w;
	enum error error;
	struct http1_field f[] = { { text_span_of("X-One"), text_span_of("1") },
		{ text_span_of("user-agent"), text_span_of("me") },
		{ text_span_of("Accept"), { NULL, 0 } } };
	struct http_request r = request_for("POST", "/x");
	open_world(&w);
	script(&w, 0, OK5, WEB_KEEP);
	r.field = f;
	r.fields = 3;
	r.body = text_span_of("a=b");
	r.has_body = true;
	start(&w, &r);
	assert_true(duo_run(&w.duo, 10 * NANO_S, reading, &w));
	assert_string_equal(w.puppet.conn[0].in,
		"POST /x HTTP/1.1\r\nHost: h\r\nX-One: 1\r\nuser-agent: me\r\n"
		"Content-Length: 3\r\n\r\na=b");
	release(&w);
	/* Nothing that could end a line or a head early gets out. */
	static const char *const bad[][2] = { { "X", "a\r\nEvil: 1" }, { "X", "a\nb" },
		{ "X: y\r\nEvil", "1" }, { "", "x" }, { "X Y", "z" } };
	for (unsigned i = 0; i < 5; i++) {
		f[0] = (struct http1_field){ text_span_of(bad[i][0]), text_span_of(bad[i][1]) };
		assert_null(http_exchange_start(w.client, &r, &error));
		assert_int_equal(error, ERR_ARGUMENT);
	}
	f[0] = (struct http1_field){ span_of("X\0Y", 3), text_span_of("z") };
	assert_null(http_exchange_start(w.client, &r, &error));
	f[0].name = text_span_of("X");
	r.target = text_span_of("/a b");
	assert_null(http_exchange_start(w.client, &r, &error));
	r.target = text_span_of("/");
	r.method = text_span_of("GET /evil HTTP/1.1\r\n");
	assert_null(http_exchange_start(w.client, &r, &error));
	r = request_for("GET", "/");
	struct http_exchange *x[4];
	for (unsigned i = 0; i < 4; i++)
		assert_non_null(x[i] = http_exchange_start(w.client, &r, &error));
	assert_null(http_exchange_start(w.client, &r, &error));
	assert_int_equal(error, ERR_LIMIT);
	for (unsigned i = 0; i < 4; i++)
		http_exchange_release(w.client, x[i]);
	/* A method that implies a body says that it has none. */
	script(&w, 1, OK5, WEB_KEEP);
	get(&w, "POST", "/");
	assert_non_null(strstr(w.puppet.conn[1].in, "Content-Length: 0\r\n"));
	close_world(&w);
}

/* A body larger than the queues; and a server that answers before it has all of it. */
static void large_request(void **state)
{
	(void)state;
	static struct world w;
	struct http_request r = request_for("PUT", "/");
	memset(large, 'x', 60000);
	r.body = span_of(large, 60000);
	r.has_body = true;
	open_world(&w);
	w.puppet.script[0] = (struct web_script){ .bytes = OK5, .after = 60000 };
	start(&w, &r);
	assert_true(duo_run(&w.duo, 100 * NANO_S, reading, &w));
	assert_int_equal(w.ended, 0);
	const char *body = strstr(w.puppet.conn[0].in, "\r\n\r\n") + 4;
	assert_int_equal(w.puppet.conn[0].in_len - (size_t)(body - w.puppet.conn[0].in), 60000);
	close_world(&w);

	open_world(&w);
	w.puppet.script[0] = (struct web_script){
		.bytes = "HTTP/1.1 413 Content Too Large\r\nContent-Length: 2\r\n\r\nno",
		.end = WEB_KEEP,
		.at_once = true
	};
	r.body = span_of(large, sizeof large); /* more than the server will ever read */
	start(&w, &r);
	assert_true(duo_run(&w.duo, 100 * NANO_S, reading, &w));
	assert_int_equal(w.ended, 0);
	assert_int_equal(w.x->head->status, 413);
	release(&w);
	assert_false(http_client_has(w.client, text_span_of("h"), 80)); /* not to be used again */
	close_world(&w);
}

/* ---- connections ---- */

static void reuse(void **state)
{
	(void)state;
	static struct world w;
	open_world(&w);
	for (unsigned i = 0; i < 5; i++)
		script(&w, i, OK5, WEB_KEEP);
	for (unsigned i = 0; i < 5; i++) {
		get(&w, i % 2 ? "HEAD" : "GET", "/");
		if (i % 2)
			continue;
		assert_int_equal(w.ended, 0);
	}
	/* A HEAD's answer had a body here, which belongs to nothing: dropped. */
	assert_int_equal(w.puppet.accepted, 3);
	close_world(&w);

	open_world(&w);
	script(&w, 0, OK5, WEB_KEEP);
	get(&w, "GET", "/1");
	assert_false(w.x->reused);
	duo_pass(&w.duo, 20 * NANO_S);
	assert_true(http_client_has(w.client, text_span_of("H"), 80));
	assert_false(http_client_has(w.client, text_span_of("h"), 81));
	assert_false(http_client_has(w.client, text_span_of("g"), 80));
	get(&w, "GET", "/2");
	assert_true(w.x->reused);
	assert_int_equal(w.puppet.accepted, 1);
	assert_true(w.x->times.connect_started == NANOTIME_NEVER);
	assert_true(w.x->times.last_byte - w.x->times.started == 2 * NANO_MS);
	/* Not for what must not be sent twice, */
	script(&w, 1, OK5, WEB_KEEP);
	get(&w, "POST", "/3");
	assert_false(w.x->reused);
	assert_int_equal(w.puppet.accepted, 2);
	/* and not for ever. */
	duo_pass(&w.duo, 40 * NANO_S);
	assert_false(http_client_has(w.client, text_span_of("h"), 80));
	close_world(&w);
}

static void not_reused(void **state)
{
	(void)state;
	static const char *const responses[] = {
		"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
		"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nmore than was said",
	};
	for (unsigned i = 0; i < 3; i++) {
		static struct world w;
		open_world(&w);
		script(&w, 0, responses[i], WEB_KEEP);
		get(&w, "GET", "/");
		assert_int_equal(w.ended, 0);
		assert_false(http_client_has(w.client, text_span_of("h"), 80));
		close_world(&w);
	}
	/* Kept, then closed by the server; or it says something nobody asked for. */
	static struct world w;
	open_world(&w);
	script(&w, 0, OK5, WEB_FIN);
	get(&w, "GET", "/");
	duo_pass(&w.duo, NANO_S);
	assert_false(http_client_has(w.client, text_span_of("h"), 80));
	close_world(&w);
}

/* Room for one kept connection: the older one makes room; for none: none is kept. */
static void few_kept(void **state)
{
	(void)state;
	static struct world w;
	struct http_client_config c;
	http_client_config_default(&c);
	for (unsigned idle = 0; idle < 2; idle++) {
		c.idle = idle;
		open_with(&w, &c);
		for (unsigned i = 0; i < 4; i++) {
			struct http_request r = request_for("GET", "/");
			script(&w, i, OK5, WEB_KEEP);
			r.host = text_span_of(i % 2 ? "h" : "g");
			start(&w, &r);
			assert_true(duo_run(&w.duo, 10 * NANO_S, reading, &w));
			assert_int_equal(w.ended, 0);
			assert_false(w.x->reused);
			assert_int_equal(http_client_has(w.client, r.host, 80), idle);
			assert_false(
				http_client_has(w.client, text_span_of(i % 2 ? "g" : "h"), 80));
		}
		release(&w);
		duo_pass(&w.duo, 100 * NANO_S);
		assert_int_equal(sock_unfinished(duo_use(&w.duo.host[0])), 0);
		close_world(&w);
	}
}

/* The server closes just when the next request is on its way: sent again, unseen. */
static void stale(void **state)
{
	(void)state;
	static struct world w;
	open_world(&w);
	w.puppet.script[0] = (struct web_script){ .bytes = OK5, .end = WEB_FIN };
	script(&w, 1, OK5, WEB_KEEP);
	get(&w, "GET", "/1"); /* its FIN is behind the response, and not here yet */
	get(&w, "GET", "/2");
	assert_int_equal(w.ended, 0);
	assert_string_equal(w.body, "Hello");
	close_world(&w);

	/* Reset instead of an answer to the second request */
	open_world(&w);
	script(&w, 0, OK5, WEB_KEEP);
	script(&w, 1, OK5, WEB_KEEP);
	get(&w, "GET", "/1");
	sock_abort(duo_use(&w.duo.host[1]), w.puppet.conn[0].sock);
	w.puppet.conn[0].sock = 0;
	struct http_request r = request_for("GET", "/2");
	start(&w, &r); /* on the kept one: the RST has not come yet */
	assert_true(w.x->reused);
	struct addr a = address("192.0.2.2");
	duo_pass(&w.duo, 10 * NANO_MS);
	assert_true(w.x->needs_addresses && w.x->step == HTTP_CONNECT);
	http_exchange_addresses(w.client, w.x, &a, 1, false);
	assert_true(duo_run(&w.duo, 10 * NANO_S, reading, &w));
	assert_int_equal(w.ended, 0);
	assert_int_equal(w.x->resent, 1);
	assert_false(w.x->reused);
	assert_int_equal(http_client_counters(w.client)->stale, 1);
	close_world(&w);
}

/* ---- reaching the host ---- */

static void connect_to(struct world *w, const char *const *list, unsigned count)
{
	struct http_request r = request_for("GET", "/");
	enum error error;
	struct addr a[8];
	for (unsigned i = 0; i < count; i++)
		a[i] = address(list[i]);
	release(w);
	duo_use(&w->duo.host[0]);
	w->x = http_exchange_start(w->client, &r, &error);
	http_exchange_addresses(w->client, w->x, a, count, false);
	w->body_len = 0;
	w->ended = 1;
	assert_true(duo_run(&w->duo, 300 * NANO_S, reading, w));
}

static void happy_eyeballs(void **state)
{
	(void)state;
	static struct world w;
	open_world(&w);
	for (unsigned i = 0; i < 8; i++)
		script(&w, i, OK5, WEB_FIN);
	/* IPv6 first, though named last */
	connect_to(&w, (const char *const[]){ "192.0.2.2", "2001:db8::2" }, 2);
	assert_int_equal(w.ended, 0);
	assert_false(addr_is4(&w.x->remote.address));
	assert_int_equal(w.x->dial.started, 1);
	/* A silent address delays by 250 ms, no more */
	nanotime start = w.duo.now;
	connect_to(&w, (const char *const[]){ "2001:db8::99", "192.0.2.2" }, 2);
	assert_int_equal(w.ended, 0);
	assert_true(addr_is4(&w.x->remote.address));
	assert_true(w.duo.now - start >= 250 * NANO_MS && w.duo.now - start < 260 * NANO_MS);
	/* One without a route costs nothing */
	start = w.duo.now;
	connect_to(&w, (const char *const[]){ "2001:db9::1", "192.0.2.2" }, 2);
	assert_int_equal(w.ended, 0);
	assert_int_equal(w.x->dial.attempt[0].error, ERR_NO_ROUTE);
	assert_true(w.duo.now - start < 10 * NANO_MS);
	/* A refusal starts the next one at once, though another is still silent (section 5). */
	struct sock_options six = { .queue = &w.puppet.queue, .local_port = 80, .v6_only = true };
	struct stack *s = duo_use(&w.duo.host[1]);
	sock_close(s, w.puppet.listener);
	assert_int_equal(sock_listen(s, &six, &w.puppet.listener), 0);
	start = w.duo.now;
	connect_to(&w, (const char *const[]){ "2001:db8::99", "192.0.2.2", "2001:db8::2" }, 3);
	assert_int_equal(w.ended, 0);
	assert_int_equal(w.x->dial.attempt[1].error, ERR_REFUSED);
	assert_int_equal(w.x->dial.winner, 2);
	assert_true(w.duo.now - start >= 250 * NANO_MS && w.duo.now - start < 270 * NANO_MS);
	sock_close(s, w.puppet.listener);
	six.v6_only = false;
	assert_int_equal(sock_listen(s, &six, &w.puppet.listener), 0);
	/* The same address twice is one attempt */
	connect_to(&w, (const char *const[]){ "192.0.2.2", "192.0.2.2" }, 2);
	assert_int_equal(w.x->dial.count, 1);
	close_world(&w);
}

static void alternation(void **state)
{
	(void)state;
	struct dial d;
	struct sock_options o = { 0 };
	static const char *const in[] = { "192.0.2.1", "192.0.2.2", "192.0.2.3", "2001:db8::1",
		"2001:db8::2" };
	static const char *const out[] = { "2001:db8::1", "192.0.2.1", "2001:db8::2", "192.0.2.2",
		"192.0.2.3" };
	struct addr a[DIAL_ADDRESSES_MAX + 4];
	for (unsigned i = 0; i < 5; i++)
		a[i] = address(in[i]);
	dial_begin(&d, &o, 80, DIAL_STAGGER);
	dial_add(&d, a, 5, false);
	for (unsigned i = 0; i < 5; i++) {
		struct addr want = address(out[i]);
		assert_true(addr_equal(&d.attempt[i].address, &want));
	}
	/* IPv4 came first and was started: IPv6 is next. */
	dial_begin(&d, &o, 80, DIAL_STAGGER);
	dial_add(&d, a, 3, true);
	d.started = 1;
	dial_add(&d, a + 3, 2, false);
	assert_true(addr_equal(&d.attempt[1].address, &a[3]));
	assert_true(addr_equal(&d.attempt[2].address, &a[1]));
	assert_true(addr_equal(&d.attempt[3].address, &a[4]));
	/* More than there is room for */
	for (unsigned i = 0; i < DIAL_ADDRESSES_MAX + 4; i++) {
		uint8_t four[4] = { 198, 51, 100, (uint8_t)i };
		a[i] = addr_from4(four);
	}
	dial_begin(&d, &o, 80, DIAL_STAGGER);
	dial_add(&d, a, DIAL_ADDRESSES_MAX + 4, false);
	assert_int_equal(d.count, DIAL_ADDRESSES_MAX);
}

static void unreachable(void **state)
{
	(void)state;
	static struct world w;
	struct http_client_config c;
	http_client_config_default(&c);
	c.connect_timeout = 5 * NANO_S;
	open_with(&w, &c);
	sock_close(duo_use(&w.duo.host[1]), w.puppet.listener);
	list_remove(&w.puppet.app.link);
	connect_to(&w, (const char *const[]){ "192.0.2.2", "2001:db9::1" }, 2);
	assert_int_equal(w.x->problem, HTTP_PROBLEM_CONNECT);
	assert_int_equal(w.x->error, ERR_REFUSED); /* it tells more than "no route" */
	connect_to(&w, (const char *const[]){ "2001:db9::1" }, 1);
	assert_int_equal(w.x->problem, HTTP_PROBLEM_FAMILY);
	nanotime start = w.duo.now;
	connect_to(&w, (const char *const[]){ "192.0.2.99" }, 1);
	assert_true(w.x->problem == HTTP_PROBLEM_CONNECT || w.x->problem == HTTP_PROBLEM_TIMEOUT);
	assert_true(w.duo.now - start <= 5 * NANO_S);
	close_world(&w);
}

static bool lose_syn(struct duo *d, unsigned to, struct span frame)
{
	(void)d;
	return to == 1 && frame.len >= 54 && load16(frame.at + 12) == 0x0800 && frame.at[23] == 6;
}

static void black_hole(void **state)
{
	(void)state;
	static struct world w;
	open_world(&w);
	w.duo.lose = lose_syn;
	nanotime start = w.duo.now;
	get(&w, "GET", "/");
	assert_int_equal(w.x->problem, HTTP_PROBLEM_TIMEOUT);
	assert_true(w.duo.now - start == 30 * NANO_S);
	close_world(&w);
}

static void stalls(void **state)
{
	(void)state;
	static struct world w;
	/* Silence instead of a response, and in the middle of one */
	static const char *const responses[] = { NULL, "HTTP/1.1 200",
		"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nHello" };
	for (unsigned i = 0; i < 3; i++) {
		open_world(&w);
		script(&w, 0, responses[i], WEB_KEEP);
		nanotime start = w.duo.now;
		get(&w, "GET", "/");
		assert_int_equal(w.x->problem, HTTP_PROBLEM_TIMEOUT);
		assert_int_equal(w.ended, -ERR_TIMEOUT);
		assert_true(w.duo.now - start > 60 * NANO_S && w.duo.now - start < 61 * NANO_S);
		assert_int_equal(w.x->step, i == 2 ? HTTP_BODY : HTTP_WAIT);
		close_world(&w);
	}
	/* Slow, but never silent for a minute: it may take as long as it takes. */
	open_world(&w);
	script(&w, 0, OK5, WEB_KEEP);
	w.puppet.piece = 1;
	w.puppet.interval = 15 * NANO_S;
	get(&w, "GET", "/");
	assert_int_equal(w.ended, 0);
	close_world(&w);
}

static void cancelled(void **state)
{
	(void)state;
	static struct world w;
	enum error error;
	open_world(&w);
	struct http_request r = request_for("GET", "/");
	struct addr a = address("192.0.2.2");
	/* At any moment: before addresses, while connecting, waiting */
	for (unsigned i = 0; i < 12; i++) {
		duo_use(&w.duo.host[0]);
		struct http_exchange *x = http_exchange_start(w.client, &r, &error);
		assert_non_null(x);
		if (i > 0)
			http_exchange_addresses(w.client, x, &a, 1, false);
		duo_pass(&w.duo, i * NANO_MS);
		duo_use(&w.duo.host[0]);
		if (i % 2)
			http_exchange_cancel(w.client, x);
		http_exchange_release(w.client, x);
		duo_pass(&w.duo, 10 * NANO_MS);
	}
	assert_int_equal(sock_unfinished(duo_use(&w.duo.host[0])), 0);
	close_world(&w);
}

/* With a kept connection, one in use and one that waits for addresses. */
static void destroyed(void **state)
{
	(void)state;
	static struct world w;
	enum error error;
	struct addr a = address("192.0.2.2");
	open_world(&w);
	script(&w, 0, OK5, WEB_KEEP);
	script(&w, 1, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nHe", WEB_KEEP);
	get(&w, "GET", "/");
	release(&w);
	struct http_request r = request_for("GET", "/");
	r.host = text_span_of("other");
	struct http_exchange *x = http_exchange_start(w.client, &r, &error);
	http_exchange_addresses(w.client, x, &a, 1, false);
	r.host = text_span_of("third");
	assert_non_null(http_exchange_start(w.client, &r, &error));
	duo_pass(&w.duo, 100 * NANO_MS);
	struct stack *s = duo_use(&w.duo.host[0]);
	assert_true(http_client_has(w.client, text_span_of("h"), 80));
	assert_int_equal(stack_transport(s)->streams, 2);
	http_client_destroy(w.client);
	assert_int_equal(stack_transport(s)->streams, 0);
	assert_true(list_empty(&w.duo.host[0].apps));
	duo_pass(&w.duo, NANO_S);
	assert_int_equal(sock_undelivered(duo_use(&w.duo.host[0])), 0);
	duo_close(&w.duo);
}

static void configs(void **state)
{
	(void)state;
	struct http_client_config good, c;
	struct duo d;
	const char *why;
	http_client_config_default(&good);
	assert_null(http_client_config_check(&good));
#define BREAKS(change) (c = good, c.change, assert_non_null(http_client_config_check(&c)))
	BREAKS(exchanges = 0);
	BREAKS(request_max = 100);
	BREAKS(limits.head = 0);
	BREAKS(limits.fields = 0);
	BREAKS(stagger = 0);
	BREAKS(connect_timeout = 0);
	BREAKS(stall_timeout = 0);
	BREAKS(keep = -1);
	BREAKS(agent = "a\r\nb");
	duo_open(&d);
	struct arena measure = { .size = SIZE_MAX };
	assert_null(http_client_create(&good, d.host[0].stack, &measure, &why));
	struct arena exact = { .at = d.host[0].arena.at, .size = measure.used };
	assert_non_null(http_client_create(&good, d.host[0].stack, &exact, &why));
	exact = (struct arena){ .at = d.host[0].arena.at, .size = measure.used - 1 };
	assert_null(http_client_create(&good, d.host[0].stack, &exact, &why));
	duo_close(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain),
		cmocka_unit_test(framings),
		cmocka_unit_test(endings),
		cmocka_unit_test(endless_interim),
		cmocka_unit_test(limits),
		cmocka_unit_test(back_pressure),
		cmocka_unit_test(fields),
		cmocka_unit_test(large_request),
		cmocka_unit_test(reuse),
		cmocka_unit_test(not_reused),
		cmocka_unit_test(few_kept),
		cmocka_unit_test(stale),
		cmocka_unit_test(happy_eyeballs),
		cmocka_unit_test(alternation),
		cmocka_unit_test(unreachable),
		cmocka_unit_test(black_hole),
		cmocka_unit_test(stalls),
		cmocka_unit_test(cancelled),
		cmocka_unit_test(destroyed),
		cmocka_unit_test(configs),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
