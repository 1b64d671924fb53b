/*
 * Time in Strata is a signed count of nanoseconds on a clock that never goes
 * back and that the caller owns: the host's monotonic clock, or the virtual
 * clock of a simulated world. The core never asks for it; each call brings one
 * `now`. NANOTIME_NEVER is later than every time.
 */
#ifndef STRATA_BASE_NANOTIME_H
#define STRATA_BASE_NANOTIME_H

#include <stdint.h>

typedef int64_t nanotime; /* a point in time */
typedef int64_t nanodiff; /* a duration */

#define NANOTIME_NEVER INT64_MAX
#define NANO_US INT64_C(1000)
#define NANO_MS INT64_C(1000000)
#define NANO_S INT64_C(1000000000)

static inline nanotime nanotime_min(nanotime a, nanotime b)
{
	return a < b ? a : b;
}

#endif
