/*
 * Names and pages over whole networks: the fetch, with its resolver and client,
 * in the labs that ship, through loss and delay, with many connections, and with
 * an application that falls asleep.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "application/http/content.h"
#include "application/http/fetch.h"
#include "sim/lab.h"
#include "support/seed.h"

#define PATIENCE  (600 * NANO_S)
#define EXCHANGES 200

struct trip {
	struct lab *lab;
	struct arena arena;
	struct resolver *resolver;
	struct http_client *client;
	struct fetch *fetch;
	uint8_t *body;
	size_t len, cap;
	bool asleep; /* takes nothing */
};

static int64_t take(void *user, struct span bytes)
{
	struct trip *t = user;
	if (t->asleep)
		return 0;
	if (bytes.len > t->cap - t->len) {
		t->cap = 2 * t->cap + bytes.len;
		t->body = realloc(t->body, t->cap);
		assert_non_null(t->body);
	}
	memcpy(t->body + t->len, bytes.at, bytes.len);
	t->len += bytes.len;
	return (int64_t)bytes.len;
}

static void depart(struct trip *t, const char *lab, struct lab_options o)
{
	char text[300] = "";
	const char *why;
	const size_t size = 32 << 20;
	struct resolver_config rc;
	struct http_client_config cc;

	memset(t, 0, sizeof *t);
	if (!o.seed)
		o.seed = test_seed();
	t->lab = lab_open(lab, &o, text, sizeof text);
	if (!t->lab)
		fail_msg("%s", text);
	struct stack *s = node_use(lab_client(t->lab));
	t->arena = (struct arena){ .at = malloc(size), .size = size };
	resolver_config_default(&rc);
	rc.servers = lab_dns_servers(t->lab, rc.server, RESOLVER_SERVERS_MAX);
	memcpy(rc.secret, &o.seed, sizeof o.seed);
	t->resolver = resolver_create(&rc, s, &t->arena, &why);
	http_client_config_default(&cc);
	cc.exchanges = cc.idle = EXCHANGES;
	cc.request_max = 1024;
	t->client = http_client_create(&cc, s, &t->arena, &why);
	struct fetch_config fc = { t->resolver, t->client };
	t->fetch = t->client ? fetch_create(&fc, s, &t->arena, &why) : NULL;
	assert_true(t->resolver && t->fetch);
	node_add_app(lab_client(t->lab), fetch_app(t->fetch));
}

static void return_home(struct trip *t)
{
	node_use(lab_client(t->lab));
	fetch_cancel(t->fetch);
	http_client_forget(t->client);
	list_remove(&fetch_app(t->fetch)->link);
	lab_close(t->lab);
	free(t->arena.at);
	free(t->body);
}

static bool is_over(void *user)
{
	enum fetch_state s = fetch_info(((struct trip *)user)->fetch)->state;
	return s == FETCH_DONE || s == FETCH_FAILED;
}

static const struct fetch_info *get(struct trip *t, const char *url)
{
	struct fetch_request r = { .url = span_of(url, strlen(url)), .sink = take, .user = t };
	struct world *w = lab_world(t->lab);

	node_use(lab_client(t->lab));
	fetch_cancel(t->fetch);
	t->len = 0;
	assert_int_equal(fetch_start(t->fetch, &r), ERR_OK);
	enum world_end end = world_run(w, w->now + PATIENCE, is_over, t);
	if (end != WORLD_DONE)
		fail_msg("%s: %s %s, still %s", url, world_end_name(end), world_why(w),
			fetch_state_text(fetch_info(t->fetch)->state));
	return fetch_info(t->fetch);
}

static void arrives(struct trip *t, const char *url)
{
	const struct fetch_info *i = get(t, url);
	if (i->state != FETCH_DONE || i->status != 200)
		fail_msg("%s: %u %s", url, i->status, i->text);
}

static void is_pattern(const struct trip *t, size_t len)
{
	assert_int_equal(t->len, len);
	for (size_t i = 0; i < len; i++)
		if (t->body[i] != http_pattern(i))
			fail_msg("byte %zu is wrong", i);
}

/* Every lab, its own page; the phases add up, and a second visit is shorter by those it saves. */
static void every_lab(void **state)
{
	(void)state;
	for (unsigned l = 0; l < lab_count(); l++) {
		struct trip t;
		depart(&t, lab_info(l)->name, (struct lab_options){ .loss = LAB_NONE });
		const char *url = lab_info(l)->url ? lab_info(l)->url : "http://www.example.test/";
		arrives(&t, url);
		assert_true(t.len > 0);
		const struct fetch_times *m = &fetch_info(t.fetch)->times;
		assert_true(m->started <= m->dns_started && m->dns_started < m->dns_done &&
			m->dns_done <= m->http.connect_started &&
			m->http.connect_started < m->http.connected &&
			m->http.connected <= m->http.request_started &&
			m->http.request_sent < m->http.first_byte &&
			m->http.first_byte <= m->http.last_byte && m->http.last_byte <= m->done);
		nanodiff first = m->done - m->started;
		arrives(&t, url);
		assert_true(fetch_info(t.fetch)->exchange->reused);
		assert_true(m->done - m->started < first);
		return_home(&t);
	}
}

/* Random pages through random networks: each byte arrives, or the failure has a name. */
static void random_trips(void **state)
{
	struct rng rng;
	uint64_t seed = test_seed();
	(void)state;
	rng_seed(&rng, span_of(&seed, sizeof seed));
	for (unsigned i = 0; i < 40; i++) {
		struct trip t;
		static uint8_t page[100000];
		size_t len = rng_below(&rng, 3) ? rng_below(&rng, 3000) : rng_below(&rng, 100000);
		rng_fill(&rng, page, len);
		struct lab_options o = { .seed = rng_next(&rng) | 1,
			.page = span_of(page, len ? len : 1),
			.delay = rng_below(&rng, 200) * NANO_MS + 1,
			.loss = rng_below(&rng, 4) ? (int64_t)rng_below(&rng, 100000) : LAB_NONE,
			.rate = rng_below(&rng, 2) ? 1000000 + (int64_t)rng_below(&rng, 100000000)
						   : 0 };
		depart(&t, "lab:home", o);
		arrives(&t, "http://www.example.test/");
		assert_int_equal(t.len, o.page.len);
		assert_memory_equal(t.body, page, o.page.len);
		return_home(&t);
	}
}

static void large_page(void **state)
{
	struct trip t;
	(void)state;
	depart(&t, "lab:home", (struct lab_options){ .big = 10000000, .loss = LAB_NONE });
	arrives(&t, "http://www.example.test/big");
	is_pattern(&t, 10000000);
	return_home(&t);
	depart(&t, "lab:home", (struct lab_options){ .big = 2000000, .loss = 20000 });
	arrives(&t, "http://www.example.test/big");
	is_pattern(&t, 2000000);
	return_home(&t);
}

/* Names through a link that loses three datagrams of ten, each way. */
static void names_through_loss(void **state)
{
	struct trip t;
	unsigned found = 0, again = 0;
	(void)state;
	depart(&t, "lab:home", (struct lab_options){ .loss = 300000 });
	struct world *w = lab_world(t.lab);
	struct dns_name name;
	assert_true(dns_name_parse(span_of("www.example.test", 16), &name));
	for (unsigned i = 0; i < 60; i++) {
		enum error error;
		node_use(lab_client(t.lab));
		struct lookup *l = resolver_query(
			t.resolver, &name, DNS_TYPE_A, LOOKUP_NO_CACHE, &error);
		assert_non_null(l);
		world_run(w, w->now + 16 * NANO_S, NULL, NULL);
		assert_true(l->status == RESOLVER_FOUND || l->status == RESOLVER_NO_ANSWER);
		found += l->status == RESOLVER_FOUND;
		again += l->answer[0]->tries > 1;
		node_use(lab_client(t.lab));
		lookup_release(t.resolver, l);
	}
	/* One try gets through half the time; four of them, all but one time in sixteen. */
	assert_in_range(found, 48, 60);
	assert_in_range(again, 15, 50);
	return_home(&t);
}

static uint64_t retransmitted(struct lab *l, const char *node)
{
	const struct counters *c = stack_counters(world_node(lab_world(l), node)->stack);
	return c->sent_why[WHY_RTO_RETRANSMIT] + c->sent_why[WHY_FAST_RETRANSMIT] +
		c->sent_why[WHY_TAIL_PROBE];
}

/* The application sleeps in the middle: the window closes, and nobody sends anything twice. */
static void asleep(void **state)
{
	struct trip t;
	(void)state;
	depart(&t, "lab:home", (struct lab_options){ .big = 3000000, .loss = LAB_NONE });
	struct fetch_request r = {
		.url = span_of("www.example.test/big", 20), .sink = take, .user = &t
	};
	struct world *w = lab_world(t.lab);
	node_use(lab_client(t.lab));
	assert_int_equal(fetch_start(t.fetch, &r), ERR_OK);
	world_run(w, w->now + 150 * NANO_MS, NULL, NULL);
	assert_true(t.len > 0 && t.len < 3000000);
	uint64_t before = retransmitted(t.lab, "web");
	t.asleep = true;
	world_run(w, w->now + 5 * NANO_S, NULL, NULL);
	size_t had = t.len;
	t.asleep = false;
	node_use(lab_client(t.lab));
	fetch_resume(t.fetch);
	assert_int_equal(world_run(w, w->now + PATIENCE, is_over, &t), WORLD_DONE);
	assert_true(had < 3000000);
	is_pattern(&t, 3000000);
	assert_int_equal(retransmitted(t.lab, "web"), before);
	return_home(&t);
}

static struct http_request request_for(void)
{
	return (struct http_request){ .authority = span_of("www.example.test", 16),
		.host = span_of("www.example.test", 16),
		.port = 80,
		.target = span_of("/hello.txt", 10) };
}

static bool all_done(void *user)
{
	struct http_exchange **x = user;
	for (unsigned i = 0; i < EXCHANGES; i++)
		if (x[i]->step != HTTP_DONE && !x[i]->problem &&
			!(x[i]->head && x[i]->framing.length))
			return false;
	return true;
}

/* As many at once as wrk has, again and again on the same connections. */
static void many_at_once(void **state)
{
	struct trip t;
	struct http_exchange *x[EXCHANGES];
	struct http_request r = request_for();
	struct addr a = ADDR_ANY;
	enum error error;
	char text[64];
	(void)state;
	depart(&t, "lab:lan", (struct lab_options){ 0 });
	arrives(&t, "http://www.example.test/hello.txt");
	a = fetch_info(t.fetch)->exchange->remote.address;
	struct world *w = lab_world(t.lab);
	node_use(lab_client(t.lab));
	fetch_cancel(t.fetch);
	for (unsigned round = 0; round < 20; round++) {
		node_use(lab_client(t.lab));
		for (unsigned i = 0; i < EXCHANGES; i++) {
			assert_non_null(x[i] = http_exchange_start(t.client, &r, &error));
			if (x[i]->needs_addresses)
				http_exchange_addresses(t.client, x[i], &a, 1, false);
			assert_int_equal(x[i]->reused, round > 0 || i == 0);
		}
		assert_int_equal(world_run(w, w->now + PATIENCE, all_done, x), WORLD_DONE);
		node_use(lab_client(t.lab));
		for (unsigned i = 0; i < EXCHANGES; i++) {
			int64_t n = http_exchange_read(t.client, x[i], text, sizeof text);
			if (n != 7 || memcmp(text, "Hello.\n", 7) != 0)
				fail_msg("round %u, %u: %s", round, i,
					http_problem_text(x[i]->problem));
			assert_int_equal(http_exchange_read(t.client, x[i], text, 1), 0);
			http_exchange_release(t.client, x[i]);
		}
	}
	assert_int_equal(http_client_counters(t.client)->connections, EXCHANGES);
	return_home(&t);
}

/* What is told when it fails, in the lab that everybody tries first. */
static void failures(void **state)
{
	struct trip t;
	(void)state;
	depart(&t, "lab:home", (struct lab_options){ 0 });
	const struct fetch_info *i = get(&t, "http://nowhere.example.test/");
	assert_int_equal(i->problem, FETCH_PROBLEM_NAME);
	i = get(&t, "http://www.example.test:8080/");
	assert_int_equal(i->problem, FETCH_PROBLEM_REFUSED);
	i = get(&t, "http://www.example.test/none");
	assert_true(i->state == FETCH_DONE && i->status == 404);
	i = get(&t, "https://www.example.test/");
	assert_int_equal(i->problem, FETCH_PROBLEM_TLS);
	return_home(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_lab),
		cmocka_unit_test(random_trips),
		cmocka_unit_test(large_page),
		cmocka_unit_test(names_through_loss),
		cmocka_unit_test(asleep),
		cmocka_unit_test(many_at_once),
		cmocka_unit_test(failures),
	};
	return test_seed_report(cmocka_run_group_tests(tests, NULL, NULL));
}
