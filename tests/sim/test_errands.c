/*
 * Errands to servers that can't be relied on (F59, F62): without a fault every
 * page arrives; with them some do and some do not, nothing untrue is brought home,
 * and when all has healed every page arrives again. Test the testers: each fault
 * must be felt.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "sim/errands.h"
#include "sim/leftover.h"
#include "sim/link.h"
#include "support/seed.h"

#define WORLDS 12
#define HEALED (30 * NANO_S)

static struct node *machine(struct world *w, const char *name, const char *four, const char *six)
{
	const char *why = "";
	struct stack_config c;
	node_config_default(&c);
	struct node *n = node_new(w, name, &c, &why);
	assert_non_null(n);
	node_port(n, "eth0");
	node_address(n, "eth0", four);
	node_address(n, "eth0", six);
	return n;
}

static struct errands *send_out(struct world *w, fault_set faults)
{
	struct node *desk = machine(w, "desk", "192.0.2.1/24", "2001:db8::1/64");
	struct node *shop = machine(w, "shop", "192.0.2.2/24", "2001:db8::2/64");
	const struct window all = { 0, HEALED }, none = { 0, 0 };
	struct errands_plan p = { .desk = desk,
		.shop = shop,
		.faults = faults,
		.names = faults & FAULT_BIT(F59) ? all : none,
		.pages = faults & FAULT_BIT(F62) ? all : none,
		.healed = HEALED };
	link_connect(w, "cable", &desk->interface[0].port, &shop->interface[0].port,
		&(struct link_config){ .delay = 5 * NANO_MS }, NULL);
	addr_parse(span_of("192.0.2.2", 9), &p.shop4);
	addr_parse(span_of("2001:db8::2", 11), &p.shop6);
	return errands_new(&p);
}

static bool done(void *errands)
{
	return errands_done(errands);
}

static void run_one(uint64_t seed, fault_set faults, struct errands_tally *sum)
{
	struct world *w = world_new(&(struct world_config){ .seed = seed });
	struct errands *e = send_out(w, faults);
	struct errands_tally t;
	char text[300];
	assert_non_null(e);
	enum world_end end = world_run(w, 1000 * NANO_S, done, e);
	const char *wrong = errands_judge(e, text, sizeof text);
	if (wrong || end != WORLD_DONE)
		fail_msg("seed %llu: %s", (unsigned long long)seed,
			wrong ? wrong : world_end_name(end));
	errands_tally(e, &t);
	sum->arrived += t.arrived;
	sum->refused += t.refused;
	sum->failed += t.failed;
	sum->spoiled += t.spoiled;
	sum->late += t.late;
	errands_stop(e);
	world_run(w, w->now + 1000 * NANO_S, NULL, NULL);
	list_each(l, &w->nodes) assert_null(node_leftover(list_entry(l, struct node, in_world)));
	world_free(w);
}

static struct errands_tally run_all(fault_set faults)
{
	struct errands_tally sum = { .arrived = 0 };
	for (uint64_t seed = test_seed(); seed < test_seed() + WORLDS; seed++)
		run_one(seed, faults, &sum);
	assert_int_equal(sum.late, WORLDS * ERRANDS_LAST);
	assert_int_equal(sum.refused, 0);
	return sum;
}

static void test_good_servers(void **state)
{
	struct errands_tally t = run_all(0);
	(void)state;
	/* Only names that do not exist fail: one in six, but none of the last. */
	assert_in_range(t.failed, 1, WORLDS * ERRANDS / 3);
	assert_int_equal(t.arrived + t.failed, WORLDS * ERRANDS);
	assert_int_equal(t.spoiled, 0);
}

static void test_bad_names(void **state)
{
	struct errands_tally good = run_all(0), t = run_all(FAULT_BIT(F59));
	(void)state;
	assert_true(t.failed > good.failed);
	assert_true(t.arrived > WORLDS * ERRANDS_LAST);
	assert_int_equal(t.spoiled, 0);
}

static void test_bad_pages(void **state)
{
	struct errands_tally good = run_all(0), t = run_all(FAULT_BIT(F62));
	(void)state;
	assert_true(t.failed > good.failed);
	assert_true(t.arrived > WORLDS * ERRANDS_LAST);
	assert_true(t.spoiled > 0);
}

static void test_both(void **state)
{
	(void)state;
	run_all(FAULT_BIT(F59) | FAULT_BIT(F62));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good_servers),
		cmocka_unit_test(test_bad_names),
		cmocka_unit_test(test_bad_pages),
		cmocka_unit_test(test_both),
	};
	return cmocka_run_group_tests_name("errands", tests, NULL, NULL);
}
