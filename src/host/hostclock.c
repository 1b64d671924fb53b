/*
 * CLOCK_MONOTONIC, because a stack's time must never go back: an adjusted wall
 * clock would make timers fire early or never. On Linux both calls end in the
 * vDSO and cost no system call.
 */
#include "host/hostclock.h"

#include <assert.h>
#include <time.h>

static nanotime read_clock(clockid_t id)
{
	struct timespec t;
	int failed = clock_gettime(id, &t);
	assert(!failed);
	return (nanotime)t.tv_sec * NANO_S + t.tv_nsec;
}

nanotime clock_now(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

nanodiff clock_wall(void)
{
	return read_clock(CLOCK_REALTIME) - read_clock(CLOCK_MONOTONIC);
}
