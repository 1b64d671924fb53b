/*
 * BBR's state, and what its two halves ask of each other: bbr_model.c knows what the
 * path can carry, bbr.c decides how to find out. The names are those of
 * draft-ietf-ccwg-bbr-06, whose section numbers the comments cite.
 *
 * Rates are bytes/s, round trips microseconds, amounts bytes, gains in 256. What is
 * not known or not bounded is the largest number of its type.
 */
#ifndef STRATA_TRANSPORT_CONGESTION_BBR_H
#define STRATA_TRANSPORT_CONGESTION_BBR_H

#include "transport/congestion/congestion.h"
#include "transport/recovery/rate.h"

#define BBR_ONE 256 /* a gain of one */

enum bbr_state {
	BBR_STARTUP,
	BBR_DRAIN,
	BBR_DOWN, /* the four of ProbeBW, in their order */
	BBR_CRUISE,
	BBR_REFILL,
	BBR_UP,
	BBR_PROBE_RTT,
	BBR_NO_STATE
};

/* What the ACKs that arrive now tell of: 2.14. */
enum bbr_acks {
	BBR_ACKS_INIT,
	BBR_ACKS_REFILLING,
	BBR_ACKS_STARTING,
	BBR_ACKS_FEEDBACK,
	BBR_ACKS_STOPPING,
};

struct bbr {
	/* Data rate (2.9.1) */
	uint64_t max_bw[2]; /* of the last ProbeBW cycle and of this one */
	uint64_t bw_short, bw_latest, bw;
	uint64_t full_bw;
	uint64_t undo_bw_short;
	/* Round trips (2.16) */
	nanotime min_rtt_at, probe_rtt_min_at, probe_rtt_done_at;
	uint32_t min_rtt, probe_rtt_min;
	/* ProbeBW's clock (2.14) */
	nanotime cycle_at;
	nanodiff probe_wait;
	/* Data volume (2.9.2) */
	uint32_t inflight_long, inflight_short, inflight_latest;
	uint32_t undo_inflight_long, undo_inflight_short;
	nanotime extra_at;
	uint32_t extra_delivered;
	uint32_t extra[2];
	uint32_t prior_cwnd;
	/* Rounds (5.5.1) */
	uint32_t delivered; /* in all */
	uint32_t next_round_delivered;
	uint32_t loss_round_delivered;
	uint32_t drain_rounds; /* rounds in Drain */
	uint32_t up_acked, up_acked_per_inc;
	uint16_t rounds_since_up;
	uint8_t up_rounds;
	uint8_t extra_rounds; /* in the newer half of the window */
	uint8_t full_bw_count;
	uint8_t loss_events;       /* in this round of losses */
	uint8_t state, undo_state; /* enum bbr_state */
	uint8_t acks;              /* enum bbr_acks */
	bool round_start, loss_round_start;
	bool full_bw_reached, full_bw_now;
	bool loss_in_round;
	bool probe_sample;            /* is_bw_probe_sample */
	bool too_high, precautionary; /* prev_probe_* */
	bool idle_restart;
	bool rtt_expired; /* probe_rtt_expired */
	bool rtt_seen;
	bool round_done; /* probe_rtt_round_done */
};
static_assert(sizeof(struct bbr) <= CC_STATE, "fits its place");

static inline struct bbr *bbr_of(struct cc *c)
{
	return (struct bbr *)c->state;
}

static inline bool bbr_probing_bw(const struct bbr *b) /* IsInAProbeBWState */
{
	return b->state >= BBR_DOWN && b->state <= BBR_UP;
}

static inline uint64_t bbr_max_bw(const struct bbr *b)
{
	return b->max_bw[0] > b->max_bw[1] ? b->max_bw[0] : b->max_bw[1];
}

static inline void bbr_start_round(struct bbr *b)
{
	b->next_round_delivered = b->delivered;
}

/* Loss signals say that more was in flight than the path takes: IsInflightTooHigh. */
static inline bool bbr_too_high(uint32_t lost, uint32_t in_flight, bool sack)
{
	return lost > in_flight / RATE_LOSS_PART || (lost && !sack);
}

/* bbr_model.c */
void bbr_reset_full_bw(struct bbr *b, uint64_t base);
void bbr_reset_congestion(struct bbr *b);
void bbr_reset_short(struct bbr *b);
void bbr_advance_max_bw(struct bbr *b);
void bbr_save_cwnd(struct cc *c);
void bbr_note_loss(struct cc *c);
/* The part of UpdateModelAndState before the state machine. */
void bbr_update_model(struct cc *c, const struct cc_ack *a);
/* And after it. */
void bbr_advance_latest(struct bbr *b, const struct rate_sample *rs);
void bbr_update_min_rtt(struct bbr *b, const struct cc_ack *a);
/* How much may be in flight at a gain. */
uint32_t bbr_inflight(const struct cc *c, uint64_t bw, uint32_t gain);
uint32_t bbr_bdp(const struct cc *c, uint64_t bw, uint32_t gain);
uint32_t bbr_headroom(const struct cc *c);
uint32_t bbr_min_pipe(const struct cc *c);
/* Control parameters: 5.6. */
void bbr_init_pacing(struct cc *c, nanodiff srtt);
void bbr_set_pacing(struct cc *c, uint32_t gain);
void bbr_set_cwnd(struct cc *c, uint32_t acked);
void bbr_restore_cwnd(struct cc *c);

#endif
