/*
 * Properties: a test that is run for many seeds, each of which decides all its
 * random choices. A failing check prints the seed; STRATA_SEED=n in the
 * environment runs that seed alone.
 */
#ifndef TESTS_UNIT_BASE_PROPERTY_H
#define TESTS_UNIT_BASE_PROPERTY_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/hash.h"

static uint64_t property_seed;

#define check(condition) \
	do { \
		if (!(condition)) \
			fail_msg("%s:%d: %s (STRATA_SEED=%llu)", __FILE__, __LINE__, #condition, \
				(unsigned long long)property_seed); \
	} while (0)

static inline void property_each(uint64_t seeds, void (*property)(struct rng *))
{
	const char *only = getenv("STRATA_SEED");
	uint64_t first = only ? strtoull(only, NULL, 0) : 1;
	for (uint64_t seed = first; seed < first + (only ? 1 : seeds); seed++) {
		struct rng r;
		property_seed = seed;
		rng_seed(&r, span_of(&property_seed, sizeof property_seed));
		property(&r);
	}
}

#endif
