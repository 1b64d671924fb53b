/* The agenda gives events in the order of time, and of putting in where times are equal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/hash.h"
#include "sim/agenda.h"
#include "support/seed.h"

#define EVENTS 500

static void ignore(struct event *e)
{
	(void)e;
}

static void test_order_and_ties(void **state)
{
	struct agenda a;
	struct event e[5];
	const nanotime time[5] = { 30, 10, 20, 10, 10 };
	const int order[5] = { 1, 3, 4, 2, 0 };
	(void)state;
	agenda_init(&a);
	assert_int_equal(agenda_next(&a), NANOTIME_NEVER);
	assert_null(agenda_due(&a, NANOTIME_NEVER));
	for (int i = 0; i < 5; i++) {
		event_init(&e[i], ignore);
		agenda_put(&a, &e[i], time[i]);
	}
	assert_int_equal(agenda_next(&a), 10);
	assert_null(agenda_due(&a, 9));
	for (int i = 0; i < 5; i++)
		assert_ptr_equal(agenda_due(&a, 100), &e[order[i]]);
	assert_null(agenda_due(&a, 100));
	agenda_free(&a);
}

static void test_move_and_remove(void **state)
{
	struct agenda a;
	struct event e[3];
	(void)state;
	agenda_init(&a);
	for (int i = 0; i < 3; i++) {
		event_init(&e[i], ignore);
		agenda_put(&a, &e[i], 10 * (i + 1));
	}
	agenda_put(&a, &e[0], 30); /* moved: now behind e[2], which stood there before */
	agenda_remove(&a, &e[1]);
	agenda_remove(&a, &e[1]);
	assert_false(event_pending(&e[1]));
	assert_ptr_equal(agenda_due(&a, 100), &e[2]);
	assert_ptr_equal(agenda_due(&a, 100), &e[0]);
	assert_int_equal(agenda_next(&a), NANOTIME_NEVER);
	agenda_free(&a);
}

/* Against the plainest model: look for the smallest (time, order) each time. */
static void test_against_a_model(void **state)
{
	struct agenda a;
	static struct event e[EVENTS];
	uint64_t order[EVENTS], next_order = 0;
	uint64_t seed[2] = { test_seed(), 0 };
	struct rng r;
	(void)state;
	rng_seed(&r, span_of(seed, sizeof seed));
	agenda_init(&a);
	for (int i = 0; i < EVENTS; i++)
		event_init(&e[i], ignore);
	for (int step = 0; step < 20000; step++) {
		uint32_t i = rng_below(&r, EVENTS);
		switch (rng_below(&r, 4)) {
		case 0: agenda_remove(&a, &e[i]); break;
		case 1:
		case 2:
			agenda_put(&a, &e[i], rng_below(&r, 100));
			order[i] = next_order++;
			break;
		case 3: {
			int first = -1;
			for (int k = 0; k < EVENTS; k++)
				if (event_pending(&e[k]) &&
					(first < 0 || e[k].time < e[first].time ||
						(e[k].time == e[first].time &&
							order[k] < order[first])))
					first = k;
			struct event *due = agenda_due(&a, NANOTIME_NEVER - 1);
			assert_ptr_equal(due, first < 0 ? NULL : &e[first]);
			break;
		}
		}
	}
	agenda_free(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order_and_ties),
		cmocka_unit_test(test_move_and_remove),
		cmocka_unit_test(test_against_a_model),
	};
	return test_seed_report(cmocka_run_group_tests(tests, NULL, NULL));
}
