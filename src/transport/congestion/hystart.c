/*
 * RFC 9406 section 4.2, with its constants. Round trips are microseconds.
 */
#include "transport/congestion/hystart.h"

#define NONE       UINT32_MAX
#define MIN_THRESH 4000u  /* us: MIN_RTT_THRESH */
#define MAX_THRESH 16000u /* MAX_RTT_THRESH */
#define DIVISOR    8      /* MIN_RTT_DIVISOR */
#define SAMPLES    8      /* N_RTT_SAMPLE */
#define ROUNDS     5      /* CSS_ROUNDS */

void hystart_init(struct hystart *h)
{
	*h = (struct hystart){
		.least = NONE,
		.last_min = NONE,
		.round_min = NONE,
		.baseline = NONE,
	};
}

/* Returns whether the last of the conservative rounds is over. */
static bool hystart_round(struct hystart *h, const struct cc_ack *a)
{
	if (h->begun && seq_lt(a->snd_una, h->round_end))
		return false;
	h->begun = true;
	h->round_end = a->snd_nxt;
	h->last_min = h->round_min;
	h->round_min = NONE;
	h->samples = 0;
	return h->conservative && ++h->rounds >= ROUNDS;
}

static void hystart_sample(struct hystart *h, nanodiff rtt)
{
	if (rtt <= 0)
		return;
	nanodiff us = rtt / NANO_US;
	if (us < h->round_min)
		h->round_min = (uint32_t)us;
	if (us < h->least)
		h->least = (uint32_t)us;
	if (h->samples < SAMPLES)
		h->samples++;
}

/* Is the round trip of this round longer than `before` by what counts as a queue? */
static bool hystart_rising(const struct hystart *h, uint32_t before)
{
	if (before == NONE || h->round_min == NONE)
		return false;
	uint32_t thresh = before / DIVISOR;
	if (thresh < MIN_THRESH)
		thresh = MIN_THRESH;
	if (thresh > MAX_THRESH)
		thresh = MAX_THRESH;
	return h->round_min >= before && h->round_min - before >= thresh;
}

enum hystart_pace hystart_ack(struct hystart *h, const struct cc_ack *a)
{
	if (hystart_round(h, a))
		return HYSTART_LEAVE;
	hystart_sample(h, a->rtt);
	if (h->samples >= SAMPLES) {
		if (h->conservative) {
			if (h->round_min < h->baseline) { /* it was jitter */
				h->conservative = false;
				h->baseline = NONE;
			}
		} else if (hystart_rising(h, h->last_min)) {
			h->conservative = true;
			h->baseline = h->round_min;
			h->rounds = 0;
		}
	}
	return h->conservative ? HYSTART_CONSERVATIVE : HYSTART_DOUBLE;
}

enum hystart_pace hystart_abrupt(struct hystart *h, const struct cc_ack *a)
{
	hystart_round(h, a);
	bool enough = h->samples >= SAMPLES;
	hystart_sample(h, a->rtt);
	return enough && hystart_rising(h, h->least) ? HYSTART_LEAVE : HYSTART_DOUBLE;
}
