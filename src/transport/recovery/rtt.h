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
	uint32_t rttvar; /* us times 4; before a sample: the RTO, where not the initial one */
};

/* A SYN or SYN-ACK went again and the round trip is not known: RFC 6298 5.7. */
#define RTT_RTO_REPEATED (3 * NANO_S)
static inline void rtt_repeated(struct rtt *r)
{
	r->srtt = 0;
	r->rttvar = RTT_RTO_REPEATED / NANO_US;
}

/* A sample (ns). RFC 6298 2.2, 2.3 */
void rtt_sample(struct rtt *r, nanodiff sample);
/* The RTO fired before what took so long had arrived: it is longer from now on, until samples bring
 * it down again. RFC 4015 3.2 step 7 */
void rtt_fired_early(struct rtt *r, nanodiff sample);
/* The RTO in ns before back-off. RFC 6298 2.1, 2.4, 5.7 */
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
