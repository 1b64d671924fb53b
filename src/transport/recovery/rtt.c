/*
 * RFC 6298 in Van Jacobson's fixed-point form: SRTT is kept times 8 and RTTVAR
 * times 4, so that the gains 1/8 and 1/4 are shifts.
 */
#include "transport/recovery/rtt.h"

#define RTT_MAX_US (UINT32_MAX / 8) /* 536 s: longer samples are clamped */

void rtt_sample(struct rtt *r, nanodiff sample)
{
	int64_t us = sample / NANO_US;
	if (us < 1)
		us = 1;
	if (us > RTT_MAX_US)
		us = RTT_MAX_US;
	if (r->srtt == 0) {
		r->srtt = (uint32_t)us << 3;
		r->rttvar = (uint32_t)us << 1; /* R/2, times 4 */
		return;
	}
	int64_t error = us - (int64_t)(r->srtt >> 3);
	int64_t srtt = (int64_t)r->srtt + error;
	int64_t deviation = error < 0 ? -error : error;
	int64_t rttvar = (int64_t)r->rttvar + deviation - (int64_t)(r->rttvar >> 2);
	r->srtt = srtt < 8 ? 8 : (uint32_t)srtt;
	r->rttvar = rttvar > UINT32_MAX ? UINT32_MAX : (uint32_t)rttvar;
}

void rtt_fired_early(struct rtt *r, nanodiff sample)
{
	int64_t us = sample / NANO_US;
	if (us > RTT_MAX_US)
		us = RTT_MAX_US;
	if (us <= 0)
		return;
	if (r->srtt < (uint32_t)us << 3)
		r->srtt = (uint32_t)us << 3;
	if (r->rttvar < (uint32_t)us << 1)
		r->rttvar = (uint32_t)us << 1;
}

nanodiff rtt_rto(const struct rtt *r, nanodiff initial, nanodiff min, nanodiff max)
{
	if (r->srtt == 0) {
		nanodiff first = r->rttvar ? (nanodiff)r->rttvar * NANO_US : initial;
		return first < max ? first : max;
	}
	/* As Linux and RFC 8961 allow, the floor bounds the variance part, so that RTO > RTT. */
	nanodiff variance = (nanodiff)r->rttvar * NANO_US;
	nanodiff rto = rtt_smoothed(r) + (variance > min ? variance : min);
	return rto < max ? rto : max;
}

nanodiff rtt_backoff(nanodiff rto, unsigned backoff, nanodiff max)
{
	while (backoff-- > 0 && rto < max)
		rto *= 2;
	return rto < max ? rto : max;
}
