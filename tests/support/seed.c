/* Where a test's seed comes from, and how it is told when the test fails. */
#define _GNU_SOURCE
#include "support/seed.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

uint64_t test_seed(void)
{
	const char *given = getenv("STRATA_SEED");
	return given && *given ? strtoull(given, NULL, 0) : 1;
}

int test_seed_report(int failed)
{
	if (failed)
		fprintf(stderr, "seed %" PRIu64 "; again: STRATA_SEED=%" PRIu64 " %s\n",
			test_seed(), test_seed(), program_invocation_name);
	return failed;
}
