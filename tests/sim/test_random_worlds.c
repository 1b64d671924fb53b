/*
 * Random worlds (sim/trial.h): networks, faults and applications drawn from a
 * seed. While the faults last, anything may be slow, but nothing may be wrong;
 * when they have stopped, every flow moves and ends; when all has ended, nothing
 * is left.
 *
 *	STRATA_SEED=N STRATA_WORLDS=M test_random_worlds    seeds N to N + M - 1
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "sim/trial.h"
#include "sim/work.h"
#include "support/seed.h"

#define WORLDS 40
#define SEEDS  "tests/sim/seeds.txt"

static uint64_t run(const struct trial *t)
{
	struct trial_result r;
	char options[600];
	trial_run(t, NULL, &r);
	trial_options(t, options, sizeof options);
	if (r.failed)
		fail_msg("%s; again: strata-sim replay %s", r.why, options);
	return r.hash;
}

static uint64_t run_seed(uint64_t seed, fault_set among)
{
	struct trial t;
	trial_draw(&t, seed, among);
	return run(&t);
}

static void test_random_worlds(void **state)
{
	const char *given = getenv("STRATA_WORLDS");
	uint64_t first = test_seed(), count = given ? strtoull(given, NULL, 0) : WORLDS;
	(void)state;
	for (uint64_t seed = first; seed < first + count; seed++)
		run_seed(seed, FAULT_ALL);
}

/* Without a fault no flow may end with an error, whatever its tempers. */
static void test_quiet_worlds(void **state)
{
	(void)state;
	for (uint64_t seed = test_seed(); seed < test_seed() + 20; seed++)
		run_seed(seed, 0);
}

/* Each fault alone, with every flow that there is. */
static void test_each_fault(void **state)
{
	(void)state;
	for (unsigned id = 0; id < FAULT_COUNT; id++)
		for (uint64_t seed = test_seed(); seed < test_seed() + 1; seed++) {
			struct trial t;
			trial_draw(&t, seed, FAULT_ALL);
			t.faults = UINT64_C(1) << id;
			run(&t);
		}
}

static bool read_line(const char *line, struct trial *t)
{
	char faults[300];
	unsigned long long seed;
	int used = 0;
	const char *wrong;
	*t = (struct trial){ .seed = 0 };
	if (sscanf(line, "--seed %llu --faults %299s --flows %x%n", &seed, faults, &t->flows,
		    &used) != 3 ||
		!fault_set_read(faults, &t->faults, &wrong))
		return false;
	t->seed = seed;
	for (int more; line[used] == ' '; used += more) {
		more = 0;
		if (sscanf(line + used, " --datagrams %x%n", &t->datagrams, &more) != 1 &&
			sscanf(line + used, " --settings %x%n", &t->settings, &more) != 1 &&
			sscanf(line + used, " --shift %u%n", &t->shift, &more) != 1 &&
			sscanf(line + used, " --brief %u%n", &t->brief, &more) != 1 &&
			strncmp(line + used, " --plain", 8) == 0) {
			t->plain = true;
			more = 8;
		}
		if (!more)
			break;
	}
	return true;
}

/* Worlds that once found something, one a line, as `strata-sim` prints them. */
static void test_found_worlds(void **state)
{
	FILE *f = fopen(SEEDS, "r");
	char line[600];
	unsigned worlds = 0;
	(void)state;
	assert_non_null(f);
	while (fgets(line, sizeof line, f)) {
		struct trial t;
		if (line[0] == '#' || line[0] == '\n')
			continue;
		if (!read_line(line, &t))
			fail_msg("%s: %s", SEEDS, line);
		run(&t);
		worlds++;
	}
	fclose(f);
	assert_true(worlds > 0);
}

/* I27 is asked in these worlds: steps are counted, some hundred for each frame at least. */
static void test_work_is_counted(void **state)
{
	struct trial t;
	struct trial_result r;
	uint64_t before = work_steps();
	(void)state;
	trial_draw(&t, test_seed(), 0);
	trial_run(&t, NULL, &r);
	assert_true(work_steps() - before > r.events);
}

/* I05: UDP flows bring datagrams, and where bytes change behind the checksum's back their hashes
 * tell. */
static void test_datagrams(void **state)
{
	const struct trial quiet = { .seed = test_seed(), .datagrams = 0xf, .plain = true };
	uint64_t whole = 0, garbled = 0;
	struct trial_result r;
	(void)state;
	trial_run(&quiet, NULL, &r);
	assert_false(r.failed);
	assert_true(r.datagrams >= DATAGRAM_FLOWS / 2 && r.garbled == 0);
	for (uint64_t seed = test_seed(); seed < test_seed() + 20; seed++) {
		struct trial t = { .seed = seed, .faults = FAULT_BIT(F08), .datagrams = 0xf };
		trial_run(&t, NULL, &r);
		if (r.failed)
			fail_msg("%s", r.why);
		whole += r.datagrams;
		garbled += r.garbled;
	}
	assert_true(whole > 100 && garbled > 0);
}

/* I32: the same world twice is the same to the last event. */
static void test_replay(void **state)
{
	(void)state;
	for (uint64_t seed = test_seed(); seed < test_seed() + 4; seed++)
		assert_true(run_seed(seed, FAULT_ALL) == run_seed(seed, FAULT_ALL));
}

static uint64_t bytes_of(uint32_t flows)
{
	struct trial_result r;
	trial_run(&(struct trial){ .seed = 3, .flows = flows, .plain = true }, NULL, &r);
	assert_false(r.failed);
	return r.bytes;
}

/* A flow's draws do not depend on which others there are. */
static void test_parts_stay_the_same(void **state)
{
	(void)state;
	assert_true(bytes_of(0x1) > 0);
	assert_true(bytes_of(0x3) == bytes_of(0x1) + bytes_of(0x2));
	assert_true(bytes_of(0xf) == bytes_of(0x3) + bytes_of(0xc));
}

static void test_fault_lists(void **state)
{
	fault_set set;
	const char *wrong;
	char text[300];
	(void)state;
	assert_true(fault_set_read("F01,F05-F07", &set, &wrong));
	fault_set_write(set, text, sizeof text);
	assert_string_equal(text, "F01,F05,F06,F07");
	assert_true(fault_set_read("none", &set, &wrong) && set == 0);
	assert_true(fault_set_read("all", &set, &wrong) && set == FAULT_ALL);
	fault_set_write(0, text, sizeof text);
	assert_string_equal(text, "none");
	assert_false(fault_set_read("F01,F99", &set, &wrong));
	assert_string_equal(wrong, "F99");
	assert_false(fault_set_read("F05-F03", &set, &wrong));
	assert_false(fault_set_read("", &set, &wrong));
	assert_int_equal(fault_set_harm(FAULT_BIT(F01)), FAULT_SPARES);
	assert_int_equal(fault_set_harm(FAULT_BIT(F01) | FAULT_BIT(F41)), FAULT_BREAKS);
	assert_int_equal(fault_set_harm(FAULT_ALL), FAULT_GARBLES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fault_lists),
		cmocka_unit_test(test_quiet_worlds),
		cmocka_unit_test(test_each_fault),
		cmocka_unit_test(test_found_worlds),
		cmocka_unit_test(test_work_is_counted),
		cmocka_unit_test(test_datagrams),
		cmocka_unit_test(test_replay),
		cmocka_unit_test(test_parts_stay_the_same),
		cmocka_unit_test(test_random_worlds),
	};
	return test_seed_report(cmocka_run_group_tests(tests, NULL, NULL));
}
