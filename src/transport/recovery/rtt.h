/*
 * The round-trip estimator and the retransmission timeout (RFC 6298): smoothed
 * mean and deviation in microseconds, RTO = SRTT + 4 * RTTVAR within configured
 * bounds, doubled for each back-off. 8 bytes, so that every connection keeps it.
 */
#ifndef STRATA_TRANSPORT_RECOVERY_RTT_H
#define STRATA_TRANSPORT_RECOVERY_RTT_H

#include "base/nanotime.h"

struct rtt {
	uint32_t srtt;   /* us times 8; 0: no sample yet */
	uint32_t rttvar; /* us times 4 */
};

/* A sample (ns). RFC 6298 2.2, 2.3 */
void rtt_sample(struct rtt *r, nanodiff sample);
/* The RTO in ns before back-off. RFC 6298 2.1, 2.4 */
nanodiff rtt_rto(const struct rtt *r, nanodiff initial, nanodiff min, nanodiff max);
/* `rto` doubled `backoff` times, at most `max`. RFC 6298 5.5 */
nanodiff rtt_backoff(nanodiff rto, unsigned backoff, nanodiff max);

static inline nanodiff rtt_smoothed(const struct rtt *r)
{
	return (nanodiff)(r->srtt >> 3) * NANO_US;
}

static inline nanodiff rtt_deviation(const struct rtt *r)
{
	return (nanodiff)(r->rttvar >> 2) * NANO_US;
}

#endif
