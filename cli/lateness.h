/*
 * How late things were: a histogram of whole microseconds, exact to one of them
 * up to LATENESS_EXACT and one bucket beyond, and the greatest value.
 */
#ifndef STRATA_CLI_LATENESS_H
#define STRATA_CLI_LATENESS_H

#include "base/nanotime.h"

#define LATENESS_EXACT 8192 /* us */

struct lateness {
	uint64_t count;
	nanodiff most;
	uint64_t bucket[LATENESS_EXACT + 1];
};

static inline void lateness_add(struct lateness *l, nanodiff late)
{
	nanodiff us = late > 0 ? late / NANO_US : 0;
	l->bucket[us < LATENESS_EXACT ? us : LATENESS_EXACT]++;
	l->count++;
	if (late > l->most)
		l->most = late;
}

/* What `percent` of all were not later than, rounded up to a microsecond. */
static inline nanodiff lateness_percentile(const struct lateness *l, unsigned percent)
{
	uint64_t rank = (l->count * percent + 99) / 100, seen = 0;
	for (unsigned us = 0; us < LATENESS_EXACT; us++) {
		seen += l->bucket[us];
		if (seen >= rank)
			return l->count ? nanotime_min((us + 1) * NANO_US, l->most) : 0;
	}
	return l->most;
}

#endif
