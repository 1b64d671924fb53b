/*
 * Echo and errors across routers: what a ping of a lab's machines, of nobody and
 * of nowhere reports, and what a resolver makes of a server that can't be reached.
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

#include "application/dns/resolver.h"
#include "application/ping/ping.h"
#include "sim/lab.h"
#include "support/seed.h"

struct trip {
	struct lab *lab;
	struct arena arena;
	struct ping *ping;
	struct ping_event last;
	unsigned kinds[PING_SEND_FAILED + 1];
};

static void note(void *user, const struct ping_event *e)
{
	struct trip *t = user;
	t->last = *e;
	t->kinds[e->kind]++;
}

static void depart(struct trip *t)
{
	char why[300] = "";
	struct lab_options o = { .seed = test_seed() };
	const size_t size = 8 << 20;
	memset(t, 0, sizeof *t);
	t->lab = lab_open("lab:home", &o, why, sizeof why);
	if (!t->lab)
		fail_msg("%s", why);
	t->arena = (struct arena){ .at = malloc(size), .size = size };
}

static void return_home(struct trip *t)
{
	lab_close(t->lab);
	free(t->arena.at);
}

static struct addr address(const char *text)
{
	struct addr a;
	assert_true(addr_parse(span_of(text, strlen(text)), &a));
	return a;
}

static bool is_done(void *user)
{
	return ping_done(((struct trip *)user)->ping);
}

static struct ping_statistics ping(struct trip *t, const char *to, uint8_t hops)
{
	struct ping_config c;
	const char *why;
	struct world *w = lab_world(t->lab);
	ping_config_default(&c);
	c.destination = address(to);
	c.count = 3;
	c.hop_limit = hops;
	c.report = note;
	c.user = t;
	memset(t->kinds, 0, sizeof t->kinds);
	t->ping = ping_create(&c, node_use(lab_client(t->lab)), &t->arena, &why);
	assert_non_null(t->ping);
	node_add_app(lab_client(t->lab), ping_app(t->ping));
	assert_int_equal(world_run(w, w->now + 60 * NANO_S, is_done, t), WORLD_DONE);
	list_remove(&ping_app(t->ping)->link);
	return ping_statistics(t->ping);
}

static void machines(void **state)
{
	struct trip t;
	const char *name;
	struct addr a;
	(void)state;
	depart(&t);
	for (unsigned i = 0; lab_name(t.lab, i, &name, &a); i++) {
		char text[ADDR_TEXT_MAX];
		addr_format(&a, text);
		struct ping_statistics s = ping(&t, text, 0);
		if (strncmp(name, "nobody.", 7) == 0) { /* nobody's address */
			assert_int_equal(s.received, 0);
			assert_int_equal(s.errors + s.lost, 3);
			continue;
		}
		if (s.received != 3)
			fail_msg("%s %s: %d of 3", name, text, (int)s.received);
		assert_true(s.min > 0 && s.min <= s.avg && s.avg <= s.max);
	}
	return_home(&t);
}

static void errors(void **state)
{
	struct trip t;
	const char *name;
	struct addr web;
	char text[ADDR_TEXT_MAX];
	(void)state;
	depart(&t);
	/* An address that no router knows */
	struct ping_statistics s = ping(&t, "203.0.113.77", 0);
	assert_int_equal(s.received, 0);
	assert_int_equal(s.errors, 3);
	assert_int_equal(t.kinds[PING_ERROR], 3);
	assert_int_equal(t.last.icmp_type, ICMP4_UNREACHABLE);
	assert_non_null(strstr(t.last.icmp_text, "unreachable"));
	/* One hop is not enough: the first router says so, for both families. */
	unsigned families = 0;
	for (unsigned i = 0; lab_name(t.lab, i, &name, &web); i++) {
		if (strcmp(name, "www.example.test") != 0)
			continue;
		families++;
		addr_format(&web, text);
		s = ping(&t, text, 1);
		assert_int_equal(s.received, 0);
		assert_int_equal(t.kinds[PING_ERROR], 3);
		assert_int_equal(t.last.icmp_type,
			addr_is4(&web) ? ICMP4_TIME_EXCEEDED : ICMP6_TIME_EXCEEDED);
		assert_false(addr_equal(&t.last.from, &web));
		assert_int_equal(s.lost, 0); /* an answer of a kind came: nothing was lost */
	}
	assert_int_equal(families, 2);
	return_home(&t);
}

static bool is_over(void *user)
{
	return ((struct lookup *)user)->status != RESOLVER_PENDING;
}

/* A server that routers know no way to: said at once, not after fifteen seconds. */
static void no_way_to_server(void **state)
{
	struct trip t;
	struct resolver_config c;
	const char *why;
	enum error error;
	(void)state;
	depart(&t);
	struct world *w = lab_world(t.lab);
	resolver_config_default(&c);
	c.server[0] = address("203.0.113.77");
	c.servers = 1;
	struct resolver *r = resolver_create(&c, node_use(lab_client(t.lab)), &t.arena, &why);
	assert_non_null(r);
	node_add_app(lab_client(t.lab), resolver_app(r));
	struct lookup *l = resolver_host(r, span_of("www.example.test", 16), LOOKUP_A, &error);
	assert_non_null(l);
	assert_int_equal(world_run(w, w->now + 60 * NANO_S, is_over, l), WORLD_DONE);
	assert_int_equal(l->status, RESOLVER_UNREACHABLE);
	assert_true(l->answer[0]->try[0].error == ERR_NET_UNREACHABLE ||
		l->answer[0]->try[0].error == ERR_HOST_UNREACHABLE);
	assert_true(l->ended - l->started < NANO_S);
	lookup_release(r, l);
	list_remove(&resolver_app(r)->link);
	return_home(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(machines),
		cmocka_unit_test(errors),
		cmocka_unit_test(no_way_to_server),
	};
	return test_seed_report(cmocka_run_group_tests(tests, NULL, NULL));
}
