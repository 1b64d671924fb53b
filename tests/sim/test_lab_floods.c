/*
 * lab:synflood: while a million SYNs come from nowhere, visits to the server take as
 * long as ever, over IPv4 and IPv6, and what it keeps of the flood stays at its
 * bound. The same server without SYN cookies can't be reached.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "support/seed.h"
#include "support/visitor.h"
#include "transport/endpoints.h"

#define VISITS 10

static struct lab *open_flood(uint8_t cookies)
{
	char why[300] = "";
	struct lab_options o = { .seed = test_seed() };
	struct lab *l = lab_open("lab:synflood", &o, why, sizeof why);
	if (!l)
		fail_msg("%s", why);
	stack_transport(world_node(lab_world(l), "server")->stack)->config.syn_cookies = cookies;
	return l;
}

/* How many of the visits bring a page; each goes on at once after the last one. */
static unsigned visit(struct lab *l, unsigned flags)
{
	struct addr a[RESOLVER_ADDRESSES_MAX];
	unsigned served = 0;
	assert_int_equal(visitor_resolve(l, "www.example.test", flags, a), 1);
	for (unsigned i = 0; i < VISITS; i++) {
		uint8_t *whole = NULL;
		int64_t n = visitor_get(l, &a[0], "/hello.txt", &whole);
		if (n > 0) {
			struct span body = visitor_body(span_of(whole, (size_t)n));
			served += span_equal(body, span_of("Hello.\n", 7));
		}
		free(whole);
	}
	return served;
}

static void test_visits_with_cookies(void **state)
{
	(void)state;
	struct lab *l = open_flood(SYN_COOKIES_PRESSURE);
	struct world *w = lab_world(l);
	struct stack *s = world_node(w, "server")->stack;
	nanotime began = w->now;
	assert_int_equal(visit(l, LOOKUP_A), VISITS);
	assert_int_equal(visit(l, LOOKUP_AAAA), VISITS);
	/* Two round trips of 40 ms for a visit, one for a name, and who has which address. */
	assert_true(w->now - began < (4 * VISITS + 6) * 41 * NANO_MS);
	assert_true(stack_counters(s)->sent_why[WHY_SYN_COOKIE] > 10000);
	assert_true(stack_transport(s)->embryo_pool.used <=
		    stack_transport(s)->config.syn_cookie_threshold);
	lab_close(l);
}

static void test_visits_without(void **state)
{
	(void)state;
	struct lab *l = open_flood(SYN_COOKIES_OFF);
	assert_int_equal(visit(l, LOOKUP_A), 0);
	lab_close(l);
}

/* It ends: then the server forgets all of it, and the world comes to rest. */
static void test_after_the_flood(void **state)
{
	(void)state;
	struct lab *l = open_flood(SYN_COOKIES_PRESSURE);
	struct world *w = lab_world(l);
	struct transport *t = stack_transport(world_node(w, "server")->stack);
	assert_int_equal(world_run(w, w->now + 200 * NANO_S, NULL, NULL), WORLD_TIME);
	assert_int_equal(t->embryo_pool.used, 0);
	assert_int_equal(visit(l, LOOKUP_A), VISITS);
	lab_close(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_visits_with_cookies),
		cmocka_unit_test(test_visits_without),
		cmocka_unit_test(test_after_the_flood),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
