/*
 * Pacing of one flow by departure times: each frame sent moves the time at which the
 * next may go by what it takes at the given rate. There are no tokens to refill and
 * no timer ticks: a sender that was idle starts at once, with a credit of at most
 * `burst` bytes for the time it was late, so that coarse timers do not cost rate.
 *
 * The caller asks pacer_next before it builds a frame, sends at most pacer_quantum
 * bytes in it, tells with pacer_sent, and where it is not yet time arms a timer for
 * what pacer_next said. Retransmissions are paced too; ACKs, probes and FINs without
 * data are not.
 */
#ifndef STRATA_TRANSPORT_RECOVERY_PACER_H
#define STRATA_TRANSPORT_RECOVERY_PACER_H

#include "base/nanotime.h"

#include <stdbool.h>

struct pacer {
	nanotime next; /* when the next frame may leave; 0 at first */
};

/* May a frame leave at `now`? */
static inline bool pacer_allows(const struct pacer *p, nanotime now)
{
	return p->next <= now;
}

/* When the next frame may leave; not later than `now` if at once. */
static inline nanotime pacer_next(const struct pacer *p)
{
	return p->next;
}

/*
 * `bytes` left now, at `rate` bytes/s (0: unpaced). `burst` bytes, at least two segments, may
 * follow each other without spacing to make up for being late.
 */
void pacer_sent(struct pacer *p, uint64_t rate, uint32_t bytes, uint32_t burst, nanotime now);

/*
 * How much to send in one frame or at one time: about a millisecond's worth, whole segments, at
 * least two (one below 1.2 Mbit/s: draft-ietf-ccwg-bbr 5.6.3) and at most `most` bytes, the
 * largest super-frame, or 64 KB where that is 0. Unpaced: `most`.
 */
uint32_t pacer_quantum(uint64_t rate, uint32_t mss, uint32_t most);

/*
 * A rate for a control that has a window only: twice the window a round trip in slow start, so
 * that it can double, and 1.2 times later, so that the window stays what limits (RFC 9002 7.7).
 * 0 while srtt is 0.
 */
uint64_t pacer_window_rate(uint32_t cwnd, uint32_t ssthresh, nanodiff srtt);

#endif
