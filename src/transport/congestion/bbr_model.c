/*
 * BBR's model of the path: the most that it delivered lately (max_bw, over two cycles
 * of probing), the least round trip, how many bytes come acknowledged in a lump, the
 * bounds that losses taught, short-term until the next probe and long-term until a
 * probe finds more. And what follows from it: pacing rate and window.
 */
#include "transport/congestion/bbr.h"

#define NOT_BOUNDED     UINT32_MAX
#define MIN_RTT_LIFE    (10 * NANO_S)
#define PROBE_RTT_EVERY (5 * NANO_S)
#define EXTRA_HALF      5  /* rounds: half of ExtraAckedFilterLen */
#define PACING_MARGIN   99 /* percent of bw */
#define QUANTUM_MOST    65536u

static uint32_t least(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

static uint32_t largest(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}

/* BBR.Beta: no sharper than CUBIC. */
static uint64_t beta(uint64_t v)
{
	return v / 10 * 7 + v % 10 * 7 / 10;
}

/* 5.3.1.2: looks for a plateau anew, above `base`. */
void bbr_reset_full_bw(struct bbr *b, uint64_t base)
{
	b->full_bw = base;
	b->full_bw_count = 0;
	b->full_bw_now = false;
}

void bbr_reset_congestion(struct bbr *b)
{
	b->loss_in_round = false;
	b->bw_latest = 0;
	b->inflight_latest = 0;
}

void bbr_reset_short(struct bbr *b)
{
	b->bw_short = UINT64_MAX;
	b->inflight_short = NOT_BOUNDED;
}

void bbr_advance_max_bw(struct bbr *b)
{
	if (!b->max_bw[1])
		return; /* a cycle without a sample leaves the last one's */
	b->max_bw[0] = b->max_bw[1];
	b->max_bw[1] = 0;
}

/* 5.6.4.4: the last window that neither recovery nor ProbeRTT cut. */
void bbr_save_cwnd(struct cc *c)
{
	struct bbr *b = bbr_of(c);
	if (c->phase == CC_OPEN && b->state != BBR_PROBE_RTT)
		b->prior_cwnd = c->cwnd;
	else
		b->prior_cwnd = largest(b->prior_cwnd, c->cwnd);
}

/* 5.5.10.2: the first loss of a round begins a round of its own. */
void bbr_note_loss(struct cc *c)
{
	struct bbr *b = bbr_of(c);
	if (!b->loss_in_round) {
		b->loss_round_delivered = b->delivered;
		bbr_save_cwnd(c);
		b->undo_state = BBR_NO_STATE;
		b->undo_bw_short = b->bw_short;
		b->undo_inflight_short = b->inflight_short;
		b->undo_inflight_long = b->inflight_long;
	}
	b->loss_in_round = true;
}

static void update_round(struct bbr *b, const struct rate_sample *rs)
{
	b->round_start = rs->acked && seq_ge(rs->prior_delivered, b->next_round_delivered);
	if (!b->round_start)
		return;
	bbr_start_round(b);
	if (b->rounds_since_up < UINT16_MAX)
		b->rounds_since_up++;
	b->drain_rounds++;
}

/* 5.5.5: application-limited samples count where they show that there is more. */
static void update_max_bw(struct bbr *b, const struct rate_sample *rs)
{
	if (rs->rate && (rs->rate >= bbr_max_bw(b) || !rs->app_limited) && rs->rate > b->max_bw[1])
		b->max_bw[1] = rs->rate;
}

static void update_latest(struct bbr *b, const struct rate_sample *rs)
{
	b->loss_round_start = false;
	if (!rs->acked)
		return;
	if (rs->rate > b->bw_latest)
		b->bw_latest = rs->rate;
	b->inflight_latest = largest(b->inflight_latest, rs->delivered);
	if (seq_ge(rs->prior_delivered, b->loss_round_delivered)) {
		b->loss_round_delivered = b->delivered;
		b->loss_round_start = true;
	}
}

/* 5.5.10.3: while not probing for more, losses pull the model to what is delivered. */
static void adapt_short(struct cc *c)
{
	struct bbr *b = bbr_of(c);
	if (!b->loss_in_round || b->state == BBR_STARTUP || b->state == BBR_REFILL ||
		b->state == BBR_UP)
		return;
	if (b->bw_short == UINT64_MAX)
		b->bw_short = bbr_max_bw(b);
	if (b->inflight_short == NOT_BOUNDED)
		b->inflight_short = c->cwnd;
	uint64_t bw = beta(b->bw_short);
	b->bw_short = bw > b->bw_latest ? bw : b->bw_latest;
	b->inflight_short = largest(b->inflight_latest, (uint32_t)beta(b->inflight_short));
}

/* 5.5.9: how much more came acknowledged than the rate explains; a maximum over two halves. */
static void update_extra(struct cc *c, const struct cc_ack *a)
{
	struct bbr *b = bbr_of(c);
	if (b->round_start && ++b->extra_rounds >= (b->full_bw_reached ? EXTRA_HALF : 1)) {
		b->extra_rounds = 0;
		b->extra[0] = b->full_bw_reached ? b->extra[1] : 0;
		b->extra[1] = 0;
	}
	uint64_t us = (uint64_t)(a->now - b->extra_at) / NANO_US;
	uint64_t expected = b->bw && us > UINT64_MAX / b->bw ? UINT64_MAX : b->bw * us;
	expected /= 1000000;
	if (b->extra_delivered <= expected) {
		b->extra_delivered = 0;
		b->extra_at = a->now;
		expected = 0;
	}
	if (b->extra_delivered < CC_WINDOW_MAX)
		b->extra_delivered += a->acked;
	uint32_t extra = b->extra_delivered > expected
		? least((uint32_t)(b->extra_delivered - expected), c->cwnd)
		: 0;
	b->extra[1] = largest(b->extra[1], extra);
}

/* 5.3.1.2: three rounds without a quarter more. */
static void check_full_bw(struct bbr *b, const struct rate_sample *rs)
{
	if (b->full_bw_now || !b->round_start || rs->app_limited)
		return;
	if (rs->rate >= b->full_bw + b->full_bw / 4) {
		bbr_reset_full_bw(b, rs->rate);
		return;
	}
	if (++b->full_bw_count < 3)
		return;
	b->full_bw_now = b->full_bw_reached = true;
}

void bbr_update_model(struct cc *c, const struct cc_ack *a)
{
	struct bbr *b = bbr_of(c);
	update_latest(b, a->rate);
	update_round(b, a->rate);
	update_max_bw(b, a->rate);
	if (b->loss_round_start) {
		adapt_short(c);
		b->loss_in_round = false;
	}
	update_extra(c, a);
	check_full_bw(b, a->rate);
}

void bbr_advance_latest(struct bbr *b, const struct rate_sample *rs)
{
	if (b->loss_round_start) {
		b->bw_latest = rs->rate;
		b->inflight_latest = rs->delivered;
	}
	uint64_t max = bbr_max_bw(b);
	b->bw = max < b->bw_short ? max : b->bw_short; /* BoundBWForModel */
}

/* 5.3.4.3 */
void bbr_update_min_rtt(struct bbr *b, const struct cc_ack *a)
{
	nanodiff us = (a->rtt + NANO_US - 1) / NANO_US;
	b->rtt_expired = a->now > b->probe_rtt_min_at + PROBE_RTT_EVERY;
	if (us > 0 && (us < b->probe_rtt_min || b->rtt_expired)) {
		b->probe_rtt_min = us < UINT32_MAX ? (uint32_t)us : UINT32_MAX - 1;
		b->probe_rtt_min_at = a->now;
	}
	if (b->probe_rtt_min < b->min_rtt || a->now > b->min_rtt_at + MIN_RTT_LIFE) {
		b->min_rtt = b->probe_rtt_min;
		b->min_rtt_at = b->probe_rtt_min_at;
	}
}

uint32_t bbr_min_pipe(const struct cc *c)
{
	return 4 * c->mss;
}

/* 5.6.4.2: BDPMultiple. */
uint32_t bbr_bdp(const struct cc *c, uint64_t bw, uint32_t gain)
{
	const struct bbr *b = (const struct bbr *)c->state;
	if (b->min_rtt == UINT32_MAX)
		return c->initial;
	if (bw && b->min_rtt > UINT64_MAX / bw)
		return CC_WINDOW_MAX;
	uint64_t bdp = (bw * b->min_rtt + 999999) / 1000000;
	if (bdp > CC_WINDOW_MAX)
		bdp = CC_WINDOW_MAX;
	bdp = bdp * gain / BBR_ONE;
	return bdp < CC_WINDOW_MAX ? (uint32_t)bdp : CC_WINDOW_MAX;
}

/* 5.6.3: what leaves at one time, a millisecond's worth. */
static uint32_t bbr_quantum(const struct cc *c)
{
	uint64_t want = c->pacing_rate / 1000;
	uint32_t quantum = want < QUANTUM_MOST ? (uint32_t)want : QUANTUM_MOST;
	return largest(quantum, 2 * c->mss);
}

/* QuantizationBudget, with 5.5.8.1's offload budget. */
static uint32_t with_budget(const struct cc *c, uint32_t inflight)
{
	const struct bbr *b = (const struct bbr *)c->state;
	inflight = largest(inflight, 3 * bbr_quantum(c));
	inflight = largest(inflight, bbr_min_pipe(c));
	return b->state == BBR_UP ? inflight + 2 * c->mss : inflight;
}

uint32_t bbr_inflight(const struct cc *c, uint64_t bw, uint32_t gain)
{
	return with_budget(c, bbr_bdp(c, bw, gain));
}

/* 5.3.3.9: InflightWithHeadroom leaves 15 % of the bound to others. */
uint32_t bbr_headroom(const struct cc *c)
{
	const struct bbr *b = (const struct bbr *)c->state;
	if (b->inflight_long == NOT_BOUNDED)
		return NOT_BOUNDED;
	uint32_t room = largest(c->mss, (uint32_t)((uint64_t)b->inflight_long * 15 / 100));
	uint32_t rest = b->inflight_long > room ? b->inflight_long - room : 0;
	return largest(rest, bbr_min_pipe(c));
}

/* 5.6.2: before there is a sample, the initial window a round trip. */
void bbr_init_pacing(struct cc *c, nanodiff srtt)
{
	uint64_t bw = (uint64_t)c->initial * NANO_S / (uint64_t)(srtt > 0 ? srtt : NANO_MS);
	c->pacing_rate = bw * 710 / BBR_ONE;
}

void bbr_set_pacing(struct cc *c, uint32_t gain)
{
	const struct bbr *b = bbr_of(c);
	uint64_t rate = b->bw < UINT64_MAX >> 20 ? b->bw * gain / BBR_ONE * PACING_MARGIN / 100
						 : b->bw;
	if (rate && (b->full_bw_reached || rate > c->pacing_rate))
		c->pacing_rate = rate;
}

static uint32_t cwnd_gain(const struct bbr *b)
{
	return b->state == BBR_UP ? 576 : 512;
}

/* 5.6.4.7, and 5.6.4.5 for ProbeRTT. */
static void bound_cwnd(struct cc *c)
{
	struct bbr *b = bbr_of(c);
	uint32_t cap = NOT_BOUNDED;
	if (b->state == BBR_PROBE_RTT || b->state == BBR_CRUISE)
		cap = bbr_headroom(c);
	else if (bbr_probing_bw(b))
		cap = b->inflight_long;
	if (b->state == BBR_PROBE_RTT)
		cap = least(cap, bbr_bdp(c, b->bw, BBR_ONE / 2));
	cap = largest(least(cap, b->inflight_short), bbr_min_pipe(c));
	c->cwnd = least(c->cwnd, cap);
}

/* 5.6.4.6: up by what was acknowledged, down at once. */
void bbr_set_cwnd(struct cc *c, uint32_t acked)
{
	struct bbr *b = bbr_of(c);
	uint32_t want = bbr_bdp(c, b->bw, cwnd_gain(b)) + largest(b->extra[0], b->extra[1]);
	want = least(with_budget(c, want), CC_WINDOW_MAX);
	uint32_t more = least(c->cwnd + least(acked, CC_WINDOW_MAX), CC_WINDOW_MAX);
	if (b->full_bw_reached)
		c->cwnd = least(more, want);
	else if (c->cwnd < want || b->delivered < c->initial)
		c->cwnd = more;
	c->cwnd = largest(c->cwnd, bbr_min_pipe(c));
	bound_cwnd(c);
}

void bbr_restore_cwnd(struct cc *c)
{
	struct bbr *b = bbr_of(c);
	c->cwnd = largest(c->cwnd, b->prior_cwnd);
}
