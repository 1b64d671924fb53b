/*
 * The host's two clocks: the monotonic one, which is the time of a stack on this
 * host, and the distance to the wall clock, for captures.
 */
#ifndef STRATA_HOST_HOSTCLOCK_H
#define STRATA_HOST_HOSTCLOCK_H

#include "base/nanotime.h"

nanotime clock_now(void);
/* What to add to clock_now() for nanoseconds since 1970. */
nanodiff clock_wall(void);

#endif
