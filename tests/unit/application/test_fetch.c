/*
 * Fetching by URL: names, redirects, and above all what is said when it goes
 * wrong, over real stacks in virtual time.
 */
#include "puppet.h"
#include "web_puppet.h"

#include "application/dns/dns_server.h"
#include "application/http/fetch_hop.h"

#define OK5 "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nHello"

struct world {
	struct duo duo;
	struct zone zone;
	const struct zone *zones[1];
	struct web_puppet web;
	struct resolver *resolver;
	struct http_client *client;
	struct fetch *fetch;
	char body[300000];
	size_t body_len;
	size_t sink_room; /* bytes until the sink says "later"; 0: no limit */
	int64_t sink_error;
};

static const char zone_text[] = "@ 3600 SOA ns hostmaster 7 7200 900 1209600 300\n"
				"www 300 A 192.0.2.2\n"
				"www 300 AAAA 2001:db8::2\n"
				"other 300 A 192.0.2.2\n"
				"four 300 A 192.0.2.2\n"
				"six 300 AAAA 2001:db8::2\n"
				"far 300 A 203.0.113.1\n"
				"gone 300 A 192.0.2.99\n"
				"text TXT x\n"
				"alias CNAME www\n";

static int64_t sink(void *user, struct span bytes)
{
	struct world *w = user;
	if (w->sink_error)
		return w->sink_error;
	size_t n = bytes.len;
	if (w->sink_room) {
		size_t room = w->sink_room - w->body_len;
		n = n < room ? n : room;
	}
	assert_true(w->body_len + n < sizeof w->body);
	memcpy(w->body + w->body_len, bytes.at, n);
	w->body_len += n;
	return (int64_t)n;
}

/* `six`: has the client an IPv6 address? `dns`: is there a name server? */
static void open_with(struct world *w, bool six, bool dns, const char *server)
{
	const char *why = "?";
	unsigned line;
	struct stack_config c = duo_config();
	memset(w, 0, sizeof *w);
	duo_open_with(&w->duo, &c, &c, true);
	if (!six)
		w->duo.host[0].nif->addresses = 1; /* the IPv4 address came first */
	struct dns_name origin = name_of("example.test");
	struct arena *there = &w->duo.host[1].arena, *here = &w->duo.host[0].arena;
	zone_init(&w->zone, &origin, there);
	assert_null(zone_add_lines(&w->zone, span_of(zone_text, sizeof zone_text - 1), &line));
	w->zones[0] = &w->zone;
	struct dns_server_config dc;
	dns_server_config_default(&dc);
	dc.zone = w->zones;
	dc.zones = 1;
	if (dns) {
		struct dns_server *d = dns_server_create(
			&dc, duo_use(&w->duo.host[1]), there, &why);
		if (!d)
			fail_msg("%s", why);
		duo_add(&w->duo.host[1], dns_server_app(d));
	}
	web_puppet_open(&w->web, &w->duo.host[1], 80);
	struct resolver_config rc;
	resolver_config_default(&rc);
	rc.server[0] = address(server);
	rc.servers = 1;
	struct stack *s = duo_use(&w->duo.host[0]);
	w->resolver = resolver_create(&rc, s, here, &why);
	assert_non_null(w->resolver);
	struct http_client_config hc;
	http_client_config_default(&hc);
	w->client = http_client_create(&hc, s, here, &why);
	assert_non_null(w->client);
	struct fetch_config fc = { .resolver = w->resolver, .client = w->client };
	w->fetch = fetch_create(&fc, s, here, &why);
	assert_non_null(w->fetch);
	/* Resolver and client are run by the fetch; running them as well must not hurt. */
	duo_add(&w->duo.host[0], http_client_app(w->client));
	duo_add(&w->duo.host[0], fetch_app(w->fetch));
	duo_add(&w->duo.host[0], resolver_app(w->resolver));
}

static void open_world(struct world *w)
{
	open_with(w, true, true, "192.0.2.2");
}

static void close_world(struct world *w)
{
	duo_use(&w->duo.host[0]);
	fetch_cancel(w->fetch);
	http_client_forget(w->client);
	assert_true(fetch_app(w->fetch)->deadline(fetch_app(w->fetch)) == NANOTIME_NEVER);
	duo_close(&w->duo);
}

static void script(struct world *w, unsigned i, const char *bytes, enum web_end end)
{
	w->web.script[i] = (struct web_script){ .bytes = bytes, .end = end };
}

static bool ended(void *user)
{
	const struct fetch_info *i = fetch_info(((struct world *)user)->fetch);
	return i->state == FETCH_DONE || i->state == FETCH_FAILED;
}

static const struct fetch_info *fetch_with(struct world *w, struct fetch_request r)
{
	r.sink = sink;
	r.user = w;
	w->body_len = 0;
	duo_use(&w->duo.host[0]);
	fetch_cancel(w->fetch);
	assert_int_equal(fetch_start(w->fetch, &r), ERR_OK);
	if (!duo_run(&w->duo, 1000 * NANO_S, ended, w))
		fail_msg("never ended: %s", fetch_state_text(fetch_info(w->fetch)->state));
	w->body[w->body_len] = '\0';
	return fetch_info(w->fetch);
}

static const struct fetch_info *get(struct world *w, const char *url)
{
	return fetch_with(w, (struct fetch_request){ .url = text_span_of(url) });
}

static void says(struct world *w, const char *url, enum fetch_problem problem, const char *text)
{
	const struct fetch_info *i = get(w, url);
	if (i->state != FETCH_FAILED || i->problem != problem || strcmp(i->text, text) != 0)
		fail_msg("%s: %s\n%s", url, fetch_problem_name(i->problem), i->text);
}

/* ---- right ---- */

static void by_name(void **state)
{
	(void)state;
	static struct world w;
	open_world(&w);
	script(&w, 0, OK5, WEB_KEEP);
	const struct fetch_info *i = get(&w, "www.example.test/x?y#z");
	if (i->state != FETCH_DONE)
		fail_msg("%s", i->text);
	assert_string_equal(w.body, "Hello");
	assert_int_equal(i->status, 200);
	assert_int_equal(i->body_bytes, 5);
	assert_true(span_equal(i->url_text, text_span_of("http://www.example.test/x?y")));
	assert_non_null(
		strstr(w.web.conn[0].in, "GET /x?y HTTP/1.1\r\nHost: www.example.test\r\n"));
	/* Look-up, handshake, request: three round trips of 2 ms, ARP or ND before two */
	const struct fetch_times *t = &i->times;
	assert_true(t->dns_started == t->started);
	assert_true(t->dns_done - t->dns_started >= 2 * NANO_MS);
	assert_true(t->http.connect_started == t->dns_done);
	assert_true(t->http.request_started == t->http.connected);
	assert_true(t->http.first_byte - t->http.request_sent == 2 * NANO_MS);
	assert_true(t->done == t->http.last_byte);
	assert_true(t->done - t->started <= 10 * NANO_MS);
	assert_false(addr_is4(&i->exchange->remote.address));
	/* Again: nothing but the exchange itself is left to do. */
	script(&w, 1, OK5, WEB_KEEP);
	i = get(&w, "http://www.example.test/");
	assert_int_equal(i->state, FETCH_DONE);
	assert_true(i->exchange->reused && !i->lookup);
	assert_true(i->times.done - i->times.started == 2 * NANO_MS);
	assert_true(i->times.dns_started == NANOTIME_NEVER);
	close_world(&w);
}

static void by_address(void **state)
{
	(void)state;
	static struct world w;
	open_with(&w, true, false, "192.0.2.2");
	script(&w, 0, OK5, WEB_FIN);
	script(&w, 1, OK5, WEB_FIN);
	assert_int_equal(get(&w, "http://192.0.2.2/")->state, FETCH_DONE);
	assert_int_equal(get(&w, "http://[2001:db8::2]:80/")->state, FETCH_DONE);
	assert_non_null(strstr(w.web.conn[1].in, "Host: [2001:db8::2]:80\r\n"));
	close_world(&w);
}

/* Without an IPv6 address nobody asks for one. */
static void one_family(void **state)
{
	(void)state;
	static struct world w;
	open_with(&w, false, true, "192.0.2.2");
	script(&w, 0, OK5, WEB_KEEP);
	const struct fetch_info *i = get(&w, "http://alias.example.test/");
	assert_int_equal(i->state, FETCH_DONE);
	assert_int_equal(i->lookup->answers, 1);
	assert_true(addr_is4(&i->exchange->remote.address));
	close_world(&w);
}

/* Answers about AAAA never arrive. */
static bool lose_six(struct duo *d, unsigned to, struct span frame)
{
	static const uint8_t question[] = { 4, 't', 'e', 's', 't', 0, 0, DNS_TYPE_AAAA, 0, 1 };
	(void)d;
	for (size_t i = 0; to == 0 && i + sizeof question <= frame.len; i++) {
		size_t same = 0;
		while (same < sizeof question &&
			(frame.at[i + same] | 0x20) == (question[same] | 0x20))
			same++;
		if (same == sizeof question)
			return true;
	}
	return false;
}

/* RFC 8305 3: A alone is used after 50 ms; the world does not spin while AAAA is waited for. */
static void one_answer_missing(void **state)
{
	(void)state;
	static struct world w;
	open_world(&w);
	script(&w, 0, OK5, WEB_KEEP);
	w.duo.lose = lose_six;
	const struct fetch_info *i = get(&w, "http://www.example.test/");
	assert_int_equal(i->state, FETCH_DONE);
	assert_true(addr_is4(&i->exchange->remote.address));
	assert_int_equal(i->lookup->status, RESOLVER_PENDING);
	nanodiff took = i->times.done - i->times.started;
	assert_true(took >= 52 * NANO_MS && took <= 62 * NANO_MS);
	close_world(&w);
	/* A silent address, and the other family's answer still to come */
	open_world(&w);
	w.duo.lose = lose_six;
	i = get(&w, "http://gone.example.test/");
	assert_true(i->problem == FETCH_PROBLEM_UNREACHABLE || i->problem == FETCH_PROBLEM_TIMEOUT);
	close_world(&w);
}

static void pulled(void **state)
{
	(void)state;
	static struct world w;
	char byte;
	unsigned count = 0;
	open_world(&w);
	script(&w, 0, OK5, WEB_KEEP);
	struct fetch_request r = { .url = text_span_of("http://192.0.2.2/") };
	duo_use(&w.duo.host[0]);
	assert_int_equal(fetch_start(w.fetch, &r), ERR_OK);
	assert_int_equal(fetch_start(w.fetch, &r), ERR_STATE);
	assert_int_equal(fetch_read(w.fetch, &byte, 1), -ERR_AGAIN);
	duo_pass(&w.duo, NANO_S);
	assert_int_equal(fetch_info(w.fetch)->state, FETCH_BODY);
	duo_use(&w.duo.host[0]);
	for (int64_t n; (n = fetch_read(w.fetch, &byte, 1)) == 1;)
		assert_int_equal(byte, "Hello"[count++]);
	assert_int_equal(count, 5);
	assert_int_equal(fetch_info(w.fetch)->state, FETCH_DONE);
	assert_int_equal(fetch_read(w.fetch, &byte, 1), 0);
	close_world(&w);
}

static char large[250000];

static void sink_says_later(void **state)
{
	(void)state;
	static struct world w;
	size_t n = (size_t)sprintf(large, "HTTP/1.1 200 OK\r\nContent-Length: 200000\r\n\r\n");
	memset(large + n, 'x', 200000);
	open_world(&w);
	w.web.script[0] = (struct web_script){ .bytes = large, .len = n + 200000 };
	w.sink_room = 1000;
	struct fetch_request r = {
		.url = text_span_of("http://192.0.2.2/"), .sink = sink, .user = &w
	};
	duo_use(&w.duo.host[0]);
	fetch_start(w.fetch, &r);
	assert_false(duo_run(&w.duo, 600 * NANO_S, ended, &w)); /* ten minutes */
	assert_int_equal(w.body_len, 1000);
	assert_int_equal(fetch_info(w.fetch)->state, FETCH_BODY);
	w.sink_room = 0;
	fetch_resume(w.fetch);
	assert_true(duo_run(&w.duo, 10 * NANO_S, ended, &w));
	assert_int_equal(w.body_len, 200000);
	close_world(&w);
}

/* ---- redirects ---- */

static void redirects(void **state)
{
	(void)state;
	static struct world w;
	open_world(&w);
	struct http1_field f[] = { { text_span_of("Authorization"), text_span_of("secret") },
		{ text_span_of("X-Mine"), text_span_of("1") } };
	struct fetch_request r = { .url = text_span_of("http://www.example.test/a/b"),
		.field = f,
		.fields = 2,
		.follow = true };
	/* Within the host, on the same connection; then to another host, without the secret. */
	w.web.script[0] = (struct web_script){
		.replies = 9,
		.bytes = "HTTP/1.1 302 Found\r\nLocation: ../c?d\r\nContent-Length: 4\r\n\r\nbody"
	};
	w.web.script[1] = (struct web_script){ .bytes = OK5 };
	r.redirects_max = 1;
	const struct fetch_info *i = fetch_with(&w, r);
	assert_int_equal(i->problem, FETCH_PROBLEM_REDIRECT);
	assert_string_equal(i->text,
		"1 redirects were followed, and there are more; allow more, "
		"or ask for the page itself");
	assert_non_null(strstr(w.web.conn[0].in, "GET /c?d HTTP/1.1\r\n"));
	assert_int_equal(w.web.accepted, 1);
	close_world(&w);

	open_world(&w);
	script(&w, 0,
		"HTTP/1.1 301 Moved Permanently\r\nLocation: http://other.example.test/\r\n"
		"Content-Length: 0\r\n\r\n",
		WEB_KEEP);
	script(&w, 1, OK5, WEB_KEEP);
	r.redirects_max = 0;
	i = fetch_with(&w, r);
	assert_int_equal(i->state, FETCH_DONE);
	assert_int_equal(i->redirects, 1);
	assert_string_equal(w.body, "Hello");
	assert_true(span_equal(i->url_text, text_span_of("http://other.example.test/")));
	assert_non_null(strstr(w.web.conn[0].in, "Authorization: secret\r\n"));
	assert_null(strstr(w.web.conn[1].in, "Authorization"));
	assert_non_null(strstr(w.web.conn[1].in, "X-Mine: 1\r\n"));
	close_world(&w);

	/* Not asked for: the redirect itself is the result. */
	open_world(&w);
	script(&w, 0, "HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 4\r\n\r\nbody",
		WEB_KEEP);
	i = get(&w, "http://www.example.test/");
	assert_true(i->state == FETCH_DONE && i->status == 302 && i->redirects == 0);
	assert_string_equal(w.body, "body");
	close_world(&w);
}

static void redirect_methods(void **state)
{
	(void)state;
	static const struct {
		const char *method, *status, *then;
		bool body;
	} cases[] = {
		{ "POST", "301 x", "GET ", false },
		{ "POST", "302 x", "GET ", false },
		{ "POST", "303 x", "GET ", false },
		{ "POST", "307 x", "POST ", true },
		{ "POST", "308 x", "POST ", true },
		{ "PUT", "302 x", "PUT ", true },
		{ "PUT", "303 x", "GET ", false },
		{ "HEAD", "303 x", "HEAD ", true },
	};
	for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		static struct world w;
		char response[200];
		open_world(&w);
		snprintf(response, sizeof response,
			"HTTP/1.1 %s\r\nLocation: http://192.0.2.2:80/y\r\n"
			"Content-Length: 0\r\n\r\n",
			cases[i].status);
		script(&w, 0, response, WEB_FIN);
		script(&w, 1, "HTTP/1.1 204 No Content\r\n\r\n", WEB_FIN);
		struct http1_field f = { text_span_of("Content-Type"), text_span_of("text/plain") };
		bool head = cases[i].method[0] == 'H';
		struct fetch_request r = { .url = text_span_of("http://www.example.test/"),
			.method = text_span_of(cases[i].method),
			.follow = true,
			.field = &f,
			.fields = 1 };
		if (!head) {
			r.body = text_span_of("abc");
			r.has_body = true;
		}
		const struct fetch_info *info = fetch_with(&w, r);
		if (info->state != FETCH_DONE || w.web.accepted != 2 ||
			strncmp(w.web.conn[1].in, cases[i].then, strlen(cases[i].then)) != 0)
			fail_msg("case %u: %s\n%s", i, info->text, w.web.conn[1].in);
		assert_int_equal(strstr(w.web.conn[1].in, "Content-Type") != NULL, cases[i].body);
		assert_int_equal(
			strstr(w.web.conn[1].in, "\r\n\r\nabc") != NULL, cases[i].body && !head);
		close_world(&w);
	}
}

/* A redirect's own endless body is not waited for. */
static void redirect_with_large_body(void **state)
{
	(void)state;
	static struct world w;
	size_t n = (size_t)sprintf(
		large, "HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 200000\r\n\r\n");
	memset(large + n, 'x', 200000);
	open_world(&w);
	w.web.script[0] = (struct web_script){ .bytes = large, .len = n + 200000 };
	script(&w, 1, OK5, WEB_KEEP);
	struct fetch_request r = { .url = text_span_of("http://www.example.test/"),
		.follow = true };
	const struct fetch_info *i = fetch_with(&w, r);
	assert_true(i->state == FETCH_DONE && w.web.accepted == 2);
	assert_string_equal(w.body, "Hello");
	close_world(&w);
}

static void bad_redirects(void **state)
{
	(void)state;
	static const struct {
		const char *location;
		enum fetch_problem problem;
	} cases[] = {
		{ "ftp://x/", FETCH_PROBLEM_REDIRECT },
		{ "http://user@evil/", FETCH_PROBLEM_REDIRECT },
		{ "http:///", FETCH_PROBLEM_REDIRECT },
		{ "https://www.example.test/", FETCH_PROBLEM_TLS },
		{ "http://nowhere.example.test/", FETCH_PROBLEM_NAME },
	};
	for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		static struct world w;
		char response[200];
		open_world(&w);
		snprintf(response, sizeof response,
			"HTTP/1.1 302 x\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n",
			cases[i].location);
		script(&w, 0, response, WEB_FIN);
		struct fetch_request r = { .url = text_span_of("http://www.example.test/"),
			.follow = true };
		const struct fetch_info *info = fetch_with(&w, r);
		if (info->problem != cases[i].problem)
			fail_msg("%s: %s", cases[i].location, info->text);
		close_world(&w);
	}
}

/* ---- wrong: one line each, what, why and what to do ---- */

static void bad_urls(void **state)
{
	(void)state;
	static struct world w;
	open_world(&w);
	static const struct {
		const char *url, *shown, *where;
		enum url_error error;
	} cases[] = {
		{ "ftp://x/", "ftp://x/", "", URL_SCHEME },
		{ "http://a b/", "http://a?b/", " (at byte 9)", URL_BYTE },
		{ "http://a:99999/", "http://a:99999/", " (at byte 10)", URL_PORT },
		{ "", "", "", URL_EMPTY },
	};
	for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char text[FETCH_TEXT_MAX];
		snprintf(text, sizeof text,
			"bad URL '%s': %s%s; a URL looks like http://www.example.test/path",
			cases[i].shown, url_error_text(cases[i].error), cases[i].where);
		says(&w, cases[i].url, FETCH_PROBLEM_URL, text);
	}
	says(&w, "https://www.example.test/", FETCH_PROBLEM_TLS,
		"https://www.example.test/: https is not supported; "
		"try http:// where the server offers it");
	duo_pass(&w.duo, NANO_S);
	assert_int_equal(w.duo.frames, 2); /* the two announce their addresses: nothing else */
	close_world(&w);
}

static void bad_names(void **state)
{
	(void)state;
	static struct world w;
	open_world(&w);
	says(&w, "http://nowhere.example.test/", FETCH_PROBLEM_NAME,
		"nowhere.example.test: the name does not exist: asked 192.0.2.2 (1 try in 0.0 s); "
		"check its spelling");
	says(&w, "http://text.example.test/", FETCH_PROBLEM_NAME,
		"text.example.test: the name exists, but has no address; check its spelling");
	says(&w, "http://www.example.org/", FETCH_PROBLEM_DNS,
		"www.example.org: the DNS server refuses to answer: asked 192.0.2.2 "
		"(1 try in 0.0 s); name a server that serves this network");
	close_world(&w);
	open_with(&w, true, true, "192.0.2.99");
	says(&w, "http://www.example.test/", FETCH_PROBLEM_DNS,
		"www.example.test: no DNS server answered: asked 192.0.2.99 (2 tries in 3.0 s); "
		"check the way to the server, or name another one");
	close_world(&w);
	open_with(&w, true, false, "192.0.2.2");
	says(&w, "http://www.example.test/", FETCH_PROBLEM_DNS,
		"www.example.test: no DNS server can be reached: asked 192.0.2.2 (1 try in 0.0 s); "
		"check address and route, or name another one");
	close_world(&w);
}

static void no_way(void **state)
{
	(void)state;
	static struct world w;
	open_with(&w, false, true, "192.0.2.2");
	says(&w, "http://www.example.test:81/", FETCH_PROBLEM_REFUSED,
		"www.example.test (192.0.2.2) port 81: connection refused; the machine is there, "
		"but nothing listens on that port: check it, or start the server");
	says(&w, "http://192.0.2.2:81/", FETCH_PROBLEM_REFUSED,
		"192.0.2.2 port 81: connection refused; the machine is there, "
		"but nothing listens on that port: check it, or start the server");
	says(&w, "http://far.example.test/", FETCH_PROBLEM_UNREACHABLE,
		"far.example.test (203.0.113.1) port 80: no route to the destination; "
		"name a gateway that leads there");
	/* S15: a family mismatch is named as such. */
	says(&w, "http://six.example.test/", FETCH_PROBLEM_FAMILY,
		"six.example.test has only IPv6 addresses, and this machine has no IPv6 address; "
		"give it one, and a gateway of that family");
	close_world(&w);
}

static bool lose_tcp(struct duo *d, unsigned to, struct span frame)
{
	(void)d;
	return to == 1 && frame.len >= 54 && load16(frame.at + 12) == 0x0800 && frame.at[23] == 6;
}

static void time_outs(void **state)
{
	(void)state;
	static struct world w;
	open_with(&w, false, true, "192.0.2.2");
	w.duo.lose = lose_tcp;
	says(&w, "http://www.example.test/", FETCH_PROBLEM_TIMEOUT,
		"www.example.test (192.0.2.2) port 80: timed out after 30.00 s, connecting; "
		"the machine may be down, or a firewall drops what we send: try ping");
	struct fetch_request r = { .url = text_span_of("http://www.example.test/"),
		.timeout = 1500 * NANO_MS };
	const struct fetch_info *i = fetch_with(&w, r);
	assert_string_equal(i->text,
		"www.example.test (192.0.2.2) port 80: timed out after 1.50 s, connecting; "
		"the machine may be down, or a firewall drops what we send: try ping");
	assert_int_equal(i->failed_at, FETCH_CONNECTING);
	w.duo.lose = NULL;
	i = fetch_with(&w, r);
	assert_string_equal(i->text,
		"www.example.test (192.0.2.2) port 80: timed out after 1.50 s, waiting for the "
		"response; the server is too slow: try again, or allow more time");
	assert_int_equal(i->failed_at, FETCH_WAITING);
	/* Nothing goes on behind the caller's back. */
	duo_pass(&w.duo, NANO_S);
	assert_int_equal(sock_unfinished(duo_use(&w.duo.host[0])), 0);
	close_world(&w);
	open_with(&w, false, true, "192.0.2.99");
	i = fetch_with(&w, r);
	assert_string_equal(i->text,
		"www.example.test: timed out after 1.50 s, looking the name "
		"up; check the way to the DNS server");
	uint64_t frames = w.duo.frames;
	duo_pass(&w.duo, 100 * NANO_S);
	assert_true(w.duo.frames - frames < 5);
	close_world(&w);
}

static void broken_off(void **state)
{
	(void)state;
	static struct world w;
	static const struct {
		const char *response;
		enum web_end end;
		enum fetch_problem problem;
		const char *text;
	} cases[] = {
		{ "", WEB_RST, FETCH_PROBLEM_RESET,
			"www.example.test (192.0.2.2) port 80: connection reset while waiting for "
			"the response; the server or something on the way broke it off: "
			"try again" },
		{ "", WEB_FIN, FETCH_PROBLEM_RESPONSE,
			"www.example.test (192.0.2.2) port 80: the server closed the connection "
			"without a response; is it an HTTP server, and is this its port?" },
		{ "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nHello", WEB_FIN,
			FETCH_PROBLEM_TRUNCATED,
			"www.example.test (192.0.2.2) port 80: response cut short after 5 of 9 "
			"bytes; try again" },
		{ "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nHello", WEB_RST,
			FETCH_PROBLEM_TRUNCATED,
			"www.example.test (192.0.2.2) port 80: response cut short after 5 of 9 "
			"bytes (connection reset by peer); try again" },
		{ "220 mail.example.test ESMTP\r\n", WEB_KEEP, FETCH_PROBLEM_RESPONSE,
			"www.example.test (192.0.2.2) port 80: the response is not valid HTTP/1.1: "
			"version is not HTTP/d.d (RFC 9112 2.3); is it an HTTP server, and is this "
			"its port?" },
	};
	for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		open_with(&w, false, true, "192.0.2.2");
		script(&w, 0, cases[i].response, cases[i].end);
		says(&w, "http://www.example.test/", cases[i].problem, cases[i].text);
		close_world(&w);
	}
}

static void sink_fails(void **state)
{
	(void)state;
	static struct world w;
	open_world(&w);
	script(&w, 0, OK5, WEB_KEEP);
	w.sink_error = -ERR_LIMIT;
	const struct fetch_info *i = get(&w, "http://www.example.test/");
	assert_int_equal(i->problem, FETCH_PROBLEM_SINK);
	assert_int_equal(i->error, ERR_LIMIT);
	close_world(&w);
}

/* A kept connection dies under the request: the name is looked up after all, and all goes well. */
static void stale(void **state)
{
	(void)state;
	static struct world w;
	open_world(&w);
	script(&w, 0, OK5, WEB_KEEP);
	script(&w, 1, OK5, WEB_KEEP);
	assert_int_equal(get(&w, "http://www.example.test/")->state, FETCH_DONE);
	sock_abort(duo_use(&w.duo.host[1]), w.web.conn[0].sock);
	w.web.conn[0].sock = 0;
	const struct fetch_info *i = get(&w, "http://www.example.test/");
	assert_int_equal(i->state, FETCH_DONE);
	assert_int_equal(i->exchange->resent, 1);
	assert_int_equal(w.web.accepted, 2);
	/* By address it needs no name. */
	script(&w, 2, OK5, WEB_KEEP);
	script(&w, 3, OK5, WEB_KEEP);
	assert_int_equal(get(&w, "http://192.0.2.2/")->state, FETCH_DONE);
	sock_abort(duo_use(&w.duo.host[1]), w.web.conn[2].sock);
	w.web.conn[2].sock = 0;
	i = get(&w, "http://192.0.2.2/");
	assert_int_equal(i->state, FETCH_DONE);
	assert_int_equal(i->exchange->resent, 1);
	close_world(&w);
}

static void bad_requests(void **state)
{
	(void)state;
	static struct world w;
	static const char bad[] =
		"the request can't be written as HTTP: a method or field breaks its "
		"grammar, or it is too long; check method and header fields";
	static struct http1_field many[FETCH_FIELDS_MAX + 1];
	struct fetch_request r = { .url = text_span_of("http://192.0.2.2/"),
		.method = text_span_of("NO GOOD") };
	open_world(&w);
	const struct fetch_info *i = fetch_with(&w, r);
	assert_int_equal(i->problem, FETCH_PROBLEM_REQUEST);
	assert_string_equal(i->text, bad);
	for (unsigned n = 0; n <= FETCH_FIELDS_MAX; n++)
		many[n] = (struct http1_field){ text_span_of("X"), text_span_of("y") };
	r.method = span_of(NULL, 0);
	r.field = many;
	r.fields = FETCH_FIELDS_MAX + 1;
	i = fetch_with(&w, r);
	assert_int_equal(i->problem, FETCH_PROBLEM_REQUEST);
	assert_int_equal(i->error, ERR_LIMIT);
	r.fields = FETCH_FIELDS_MAX;
	script(&w, 0, OK5, WEB_KEEP);
	assert_int_equal(fetch_with(&w, r)->state, FETCH_DONE);
	/* A name that no host has, though a URL may */
	assert_int_equal(get(&w, "http://a+b/")->state, FETCH_FAILED);
	close_world(&w);
}

static void without_resolver(void **state)
{
	(void)state;
	static struct world w;
	const char *why;
	open_world(&w);
	struct fetch_config c = { .client = w.client };
	duo_use(&w.duo.host[0]);
	w.fetch = fetch_create(&c, w.duo.host[0].stack, &w.duo.host[0].arena, &why);
	assert_non_null(w.fetch);
	duo_add(&w.duo.host[0], fetch_app(w.fetch));
	says(&w, "http://www.example.test/", FETCH_PROBLEM_DNS,
		"www.example.test: no DNS server is configured; name one with --dns");
	script(&w, 0, OK5, WEB_KEEP);
	assert_int_equal(get(&w, "http://192.0.2.2/")->state, FETCH_DONE);
	c.client = NULL;
	assert_null(fetch_create(&c, w.duo.host[0].stack, &w.duo.host[0].arena, &why));
	assert_string_equal(why, "fetch: no HTTP client");
	close_world(&w);
}

static void cancelled(void **state)
{
	(void)state;
	static struct world w;
	open_world(&w);
	for (unsigned i = 0; i < WEB_CONNECTIONS; i++)
		script(&w, i, OK5, WEB_KEEP);
	/* At every moment of its life */
	for (unsigned i = 0; i < 15; i++) {
		struct fetch_request r = {
			.url = text_span_of("http://www.example.test/"), .sink = sink, .user = &w
		};
		w.body_len = 0;
		duo_use(&w.duo.host[0]);
		assert_int_equal(fetch_start(w.fetch, &r), ERR_OK);
		duo_pass(&w.duo, i * NANO_MS);
		duo_use(&w.duo.host[0]);
		fetch_cancel(w.fetch);
		http_client_forget(w.client);
		duo_pass(&w.duo, 50 * NANO_MS);
	}
	assert_int_equal(
		resolver_app(w.resolver)->deadline(resolver_app(w.resolver)), NANOTIME_NEVER);
	close_world(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(by_name),
		cmocka_unit_test(by_address),
		cmocka_unit_test(one_family),
		cmocka_unit_test(one_answer_missing),
		cmocka_unit_test(pulled),
		cmocka_unit_test(sink_says_later),
		cmocka_unit_test(redirects),
		cmocka_unit_test(redirect_methods),
		cmocka_unit_test(redirect_with_large_body),
		cmocka_unit_test(bad_redirects),
		cmocka_unit_test(bad_urls),
		cmocka_unit_test(bad_names),
		cmocka_unit_test(no_way),
		cmocka_unit_test(time_outs),
		cmocka_unit_test(broken_off),
		cmocka_unit_test(sink_fails),
		cmocka_unit_test(stale),
		cmocka_unit_test(bad_requests),
		cmocka_unit_test(without_resolver),
		cmocka_unit_test(cancelled),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
