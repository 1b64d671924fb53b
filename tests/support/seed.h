/*
 * The seed of a test: 1, or what STRATA_SEED says. A test that failed says which
 * seed it ran with and how to run it again.
 */
#ifndef STRATA_TESTS_SEED_H
#define STRATA_TESTS_SEED_H

#include <stdint.h>

uint64_t test_seed(void);
/* For main: returns `failed`; where it is not 0, prints the seed and the command that replays. */
int test_seed_report(int failed);

#endif
