/*
 * The steps of draft-ietf-ccwg-bbr 4.1.2, with times in a mark kept as differences
 * to the time of sending, so that they fit in 32 bits of microseconds: 71 minutes,
 * and what is longer stays at the most.
 */
#include "transport/recovery/rate.h"

static uint32_t clamp_us(nanodiff d)
{
	if (d <= 0)
		return 0;
	d /= NANO_US;
	return d < UINT32_MAX ? (uint32_t)d : UINT32_MAX;
}

void rate_init(struct rate *r, nanotime now)
{
	*r = (struct rate){ .first_sent = now, .delivered_at = now };
}

void rate_sent(struct rate *r, struct rate_mark *m, uint32_t len, uint32_t in_flight, nanotime now)
{
	if (in_flight == 0)
		r->first_sent = r->delivered_at = now;
	m->delivered = r->delivered;
	m->lost = r->lost;
	m->in_flight = in_flight + len;
	m->send_elapsed = clamp_us(now - r->first_sent);
	m->ack_elapsed = clamp_us(now - r->delivered_at);
	m->app_limited = r->limited;
}

void rate_acked(
	struct rate *r, const struct rate_mark *m, nanotime sent, uint32_t len, nanotime now)
{
	struct rate_sample *s = &r->sample;
	r->delivered += len;
	r->delivered_at = now;
	/* Of ranges sent at the same time the later one is newer: more was in flight by then. */
	if (s->acked &&
		(sent < r->sample_sent ||
			(sent == r->sample_sent && m->in_flight < s->tx_in_flight)))
		return;
	s->acked = true;
	s->prior_delivered = m->delivered;
	s->lost = m->lost; /* turned into a difference by rate_take */
	s->tx_in_flight = m->in_flight;
	s->app_limited = m->app_limited;
	r->sample_sent = sent;
	r->send_elapsed = (nanodiff)m->send_elapsed * NANO_US;
	r->ack_elapsed = now - sent + (nanodiff)m->ack_elapsed * NANO_US;
}

void rate_lost(struct rate *r, const struct rate_mark *m, uint32_t len)
{
	struct rate_sample *s = &r->sample;
	r->lost += len;
	if (s->loss_ranges < UINT16_MAX)
		s->loss_ranges++;
	uint32_t lost = r->lost - m->lost;
	if (s->loss_high || lost <= m->in_flight / RATE_LOSS_PART)
		return;
	s->loss_high = true;
	s->loss_app_limited = m->app_limited;
	s->loss_len = len;
	s->loss_in_flight = m->in_flight;
	s->loss_lost = lost;
}

bool rate_take(struct rate *r, nanodiff min_rtt, struct rate_sample *s)
{
	*s = r->sample;
	r->sample = (struct rate_sample){ 0 };
	if (r->limited && (int32_t)(r->delivered - r->limited_until) > 0)
		r->limited = false;
	s->total_delivered = r->delivered;
	if (!s->acked)
		return false;
	if (r->sample_sent > r->first_sent)
		r->first_sent = r->sample_sent;
	s->lost = r->lost - s->lost;
	s->delivered = r->delivered - s->prior_delivered;
	/* Neither the sender's spacing nor the ACKs' may make the path look faster than it is. */
	s->interval = r->send_elapsed > r->ack_elapsed ? r->send_elapsed : r->ack_elapsed;
	if (s->interval <= 0 || s->interval < min_rtt)
		return false;
	/* 2^32 bytes times 10^9 fits in 64 bits */
	s->rate = (uint64_t)s->delivered * NANO_S / (uint64_t)s->interval;
	return s->rate > 0;
}
