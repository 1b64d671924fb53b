/*
 * Worlds that must come to the same although they are not the same: what each flow sent,
 * what it got (every byte of it as sent, which the trial checks), and how it ended.
 *
 *	I37  a network that duplicates packets, and does nothing else, changes nothing
 *	I37  what happens over IPv4 happens over IPv6
 *	I34  machines that run in one instant may do so in any order
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "sim/trial.h"
#include "support/seed.h"

#define WORLDS 20

static struct trial_result run(const struct trial *t)
{
	struct trial_result r;
	char options[600];
	trial_run(t, NULL, &r);
	trial_options(t, options, sizeof options);
	if (r.failed)
		fail_msg("%s; %s, family %u%s", r.why, options, t->family,
			t->backward ? ", backward" : "");
	return r;
}

static void same_outcome(const struct trial *one, const struct trial *other, bool same_world)
{
	struct trial_result a = run(one), b = run(other);
	if (a.outcome != b.outcome)
		fail_msg("seed %llu comes to something else", (unsigned long long)one->seed);
	assert_true(a.bytes > 0 || one->flows == 1);
	/* ... and they were not simply the same. */
	assert_true(same_world || a.hash != b.hash);
}

static struct trial drawn(uint64_t seed)
{
	struct trial t;
	trial_draw(&t, seed, 0);
	t.settings &= ~SETTING_BIT(COOKIES); /* with those a lost segment may end a flow */
	return t;
}

static void test_duplicates(void **state)
{
	(void)state;
	for (uint64_t seed = test_seed(); seed < test_seed() + WORLDS; seed++) {
		struct trial quiet = drawn(seed), noisy = quiet;
		noisy.faults = FAULT_BIT(F06);
		same_outcome(&quiet, &noisy, true);
	}
}

static void test_families(void **state)
{
	(void)state;
	for (uint64_t seed = test_seed(); seed < test_seed() + WORLDS; seed++) {
		struct trial four = drawn(seed), six = four;
		four.family = 4;
		six.family = 6;
		same_outcome(&four, &six, false);
	}
}

static void test_order_of_machines(void **state)
{
	unsigned differ = 0;
	(void)state;
	for (uint64_t seed = test_seed(); seed < test_seed() + WORLDS; seed++) {
		struct trial forward = drawn(seed), backward = forward;
		backward.backward = true;
		same_outcome(&forward, &backward, true);
		differ += run(&forward).hash != run(&backward).hash;
	}
	assert_true(differ > WORLDS / 4); /* there were machines to swap */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_duplicates),
		cmocka_unit_test(test_families),
		cmocka_unit_test(test_order_of_machines),
	};
	return test_seed_report(cmocka_run_group_tests(tests, NULL, NULL));
}
