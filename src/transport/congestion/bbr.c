/*
 * BBR as draft-ietf-ccwg-bbr-06 has it (BBRv3): not loss and not delay but a model of
 * the path sets rate and window, and a state machine sends a little faster or slower
 * at times to keep the model true.
 *
 *	Startup		doubles the rate each round until a plateau or many losses
 *	Drain		half the rate, until the queue that Startup made is gone
 *	ProbeBW		DOWN drains, CRUISE holds, REFILL fills the pipe, UP sends a
 *			quarter faster to see whether there is more; every 2 to 3 s, or
 *			after as many rounds as Reno would need
 *	ProbeRTT	half the window for 200 ms, where five seconds saw no lower
 *			round trip
 *
 * The draft's per-loss step comes here with the ACK: the rate sample says which range
 * was the first to cross the loss threshold. Congestion marks, for which the draft
 * has no rule, count as a loss: a mark is no reason to send more than a loss would be
 * (RFC 3168 5). Fast recovery is not PRR's affair here: own_window.
 */
#include "transport/congestion/bbr.h"

#define PROBE_RTT_TIME (200 * NANO_MS)
#define LOSS_EVENTS    6 /* BBRStartupFullLossCnt */

static const uint16_t pacing_gain[BBR_NO_STATE] = {
	[BBR_STARTUP] = 710, /* 4 ln 2 */
	[BBR_DRAIN] = 128,
	[BBR_DOWN] = 230,
	[BBR_CRUISE] = BBR_ONE,
	[BBR_REFILL] = BBR_ONE,
	[BBR_UP] = 320,
	[BBR_PROBE_RTT] = BBR_ONE,
};

static void bbr_init(struct cc *c, nanotime now)
{
	struct bbr *b = bbr_of(c);
	b->min_rtt = b->probe_rtt_min = UINT32_MAX;
	b->min_rtt_at = b->probe_rtt_min_at = b->extra_at = now;
	b->inflight_long = UINT32_MAX;
	b->up_acked_per_inc = UINT32_MAX;
	b->state = BBR_STARTUP;
	b->undo_state = BBR_NO_STATE;
	bbr_reset_short(b);
	bbr_init_pacing(c, 0);
}

/* A step of a generator that is good enough to keep flows out of step (xorshift). */
static uint32_t bbr_random(struct cc *c)
{
	uint32_t x = c->seed ? c->seed : 1;
	x ^= x << 13;
	x ^= x >> 17;
	x ^= x << 5;
	return c->seed = x;
}

/* 5.3.3.8: how long until the next probe. */
static void pick_wait(struct cc *c)
{
	struct bbr *b = bbr_of(c);
	b->rounds_since_up = bbr_random(c) & 1;
	b->probe_wait = 2 * NANO_S + (nanodiff)(bbr_random(c) % 1000) * NANO_MS;
}

static void start_down(struct cc *c, nanotime now)
{
	struct bbr *b = bbr_of(c);
	bbr_reset_congestion(b);
	b->up_acked_per_inc = UINT32_MAX;
	pick_wait(c);
	b->cycle_at = now;
	b->acks = BBR_ACKS_STOPPING;
	bbr_start_round(b);
	b->state = BBR_DOWN;
}

static void start_refill(struct bbr *b)
{
	bbr_reset_short(b);
	b->up_rounds = 0;
	b->up_acked = 0;
	b->precautionary = false;
	b->acks = BBR_ACKS_REFILLING;
	bbr_start_round(b);
	b->state = BBR_REFILL;
}

/* The bound's slope doubles each round of probing. */
static void raise_slope(struct cc *c)
{
	struct bbr *b = bbr_of(c);
	uint32_t per = c->cwnd >> b->up_rounds;
	if (b->up_rounds < 30)
		b->up_rounds++;
	b->up_acked_per_inc = per > c->mss ? per : c->mss;
}

static void start_up(struct cc *c, const struct rate_sample *rs)
{
	struct bbr *b = bbr_of(c);
	b->acks = BBR_ACKS_STARTING;
	bbr_start_round(b);
	bbr_reset_full_bw(b, rs->rate);
	b->state = BBR_UP;
	raise_slope(c);
}

static void start_drain(struct bbr *b)
{
	b->state = BBR_DRAIN;
	b->drain_rounds = 0;
}

/* The estimated BDP, unless congestion cut the window. */
static uint32_t target_inflight(const struct cc *c, const struct bbr *b)
{
	uint32_t bdp = bbr_bdp(c, b->bw, BBR_ONE);
	return bdp < c->cwnd ? bdp : c->cwnd;
}

/* 5.5.10.2: a probe went too high. */
static void handle_too_high(struct cc *c, uint32_t in_flight, bool app_limited, nanotime now)
{
	struct bbr *b = bbr_of(c);
	b->too_high = true;
	b->probe_sample = false; /* once a probe */
	if (!app_limited) {
		uint32_t floor = (uint32_t)((uint64_t)target_inflight(c, b) * 7 / 10);
		b->inflight_long = in_flight > floor ? in_flight : floor;
	}
	if (b->state == BBR_UP) {
		b->undo_state = BBR_UP;
		start_down(c, now);
	}
}

/* At how much in flight within a lost range did losses cross the threshold? */
static uint32_t inflight_at_loss(const struct rate_sample *rs)
{
	uint32_t before = rs->loss_in_flight > rs->loss_len ? rs->loss_in_flight - rs->loss_len : 0;
	uint32_t lost = rs->loss_lost > rs->loss_len ? rs->loss_lost - rs->loss_len : 0;
	uint32_t may = before / RATE_LOSS_PART;
	uint32_t prefix = may > lost
		? (uint32_t)((uint64_t)(may - lost) * RATE_LOSS_PART / (RATE_LOSS_PART - 1))
		: 0;
	return before + prefix;
}

/* HandleLostPacket for what was lost since the last ACK. */
static void take_losses(struct cc *c, const struct cc_ack *a)
{
	struct bbr *b = bbr_of(c);
	const struct rate_sample *rs = a->rate;
	if (!rs->loss_ranges)
		return;
	bbr_note_loss(c);
	if (b->loss_events < UINT8_MAX)
		b->loss_events++;
	if (!b->probe_sample)
		return;
	if (rs->loss_high)
		handle_too_high(c, inflight_at_loss(rs), rs->loss_app_limited, a->now);
	else if (!a->sack)
		handle_too_high(c, a->prior_in_flight, rs->app_limited, a->now);
}

/* 5.3.1.3: a round of recovery with more than 2 % lost, and not all in one lump. */
static void check_startup(struct cc *c, const struct cc_ack *a)
{
	struct bbr *b = bbr_of(c);
	const struct rate_sample *rs = a->rate;
	bool many = a->sack ? b->loss_events >= LOSS_EVENTS : b->loss_events > 0;
	if (b->state == BBR_STARTUP && !b->full_bw_reached && b->loss_round_start &&
		c->phase == CC_RECOVERY && many &&
		bbr_too_high(rs->lost, rs->tx_in_flight, a->sack)) {
		b->undo_state = BBR_STARTUP;
		b->full_bw_now = b->full_bw_reached = true;
		uint32_t bdp = bbr_bdp(c, bbr_max_bw(b), BBR_ONE);
		b->inflight_long = bdp > b->inflight_latest ? bdp : b->inflight_latest;
	}
	if (b->loss_round_start)
		b->loss_events = 0;
	if (b->state == BBR_STARTUP && b->full_bw_reached)
		start_drain(b);
}

static void check_drain(struct cc *c, const struct cc_ack *a)
{
	struct bbr *b = bbr_of(c);
	if (b->state == BBR_DRAIN &&
		(a->in_flight <= bbr_inflight(c, b->bw, BBR_ONE) || b->drain_rounds > 3))
		start_down(c, a->now);
}

/* ProbeInflightLongtermUpward */
static void raise_bound(struct cc *c, const struct cc_ack *a)
{
	struct bbr *b = bbr_of(c);
	if (!c->full || c->cwnd < b->inflight_long)
		return;
	b->up_acked += a->acked;
	if (b->up_acked >= b->up_acked_per_inc) {
		uint32_t steps = b->up_acked / b->up_acked_per_inc;
		b->up_acked -= steps * b->up_acked_per_inc;
		uint64_t bound = b->inflight_long + (uint64_t)steps * c->mss;
		b->inflight_long = bound < CC_WINDOW_MAX ? (uint32_t)bound : CC_WINDOW_MAX;
	}
	if (b->round_start)
		raise_slope(c);
}

/* AdaptLongTermModel. Returns whether it decided on the next state. */
static bool adapt_long(struct cc *c, const struct cc_ack *a)
{
	struct bbr *b = bbr_of(c);
	const struct rate_sample *rs = a->rate;
	if (b->acks == BBR_ACKS_STARTING && b->round_start)
		b->acks = BBR_ACKS_FEEDBACK;
	if (b->acks == BBR_ACKS_STOPPING && b->round_start) {
		b->probe_sample = false;
		b->acks = BBR_ACKS_INIT;
		if (bbr_probing_bw(b) && !rs->app_limited)
			bbr_advance_max_bw(b);
		if (bbr_probing_bw(b) && b->precautionary && !b->too_high) {
			start_refill(b); /* it was safe: now in earnest (5.3.3.6) */
			return true;
		}
	}
	if (b->inflight_long == UINT32_MAX || bbr_too_high(rs->lost, rs->tx_in_flight, a->sack))
		return false;
	if (rs->tx_in_flight > b->inflight_long)
		b->inflight_long = rs->tx_in_flight;
	if (b->state == BBR_UP)
		raise_bound(c, a);
	return false;
}

/* IsTimeToProbeBW: by the clock, or by the rounds in which Reno would have grown as far. */
static bool time_to_probe(struct cc *c, nanotime now)
{
	struct bbr *b = bbr_of(c);
	uint32_t rounds = target_inflight(c, b) / c->mss;
	if (rounds > 63)
		rounds = 63;
	if (now <= b->cycle_at + b->probe_wait && b->rounds_since_up < rounds)
		return false;
	start_refill(b);
	return true;
}

static bool time_to_cruise(struct cc *c, const struct cc_ack *a)
{
	return a->in_flight <= bbr_headroom(c) &&
		a->in_flight <= bbr_inflight(c, bbr_max_bw(bbr_of(c)), BBR_ONE);
}

static bool time_to_go_down(struct cc *c, const struct cc_ack *a)
{
	struct bbr *b = bbr_of(c);
	if (b->too_high && a->in_flight >= b->inflight_long) {
		b->precautionary = true;
		return true;
	}
	if (c->full && c->cwnd >= b->inflight_long) {
		bbr_reset_full_bw(b, a->rate->rate); /* the bound hides what there is */
		return false;
	}
	return b->full_bw_now;
}

/* UpdateProbeBWCyclePhase */
static void update_cycle(struct cc *c, const struct cc_ack *a)
{
	struct bbr *b = bbr_of(c);
	if (!b->full_bw_reached || adapt_long(c, a))
		return;
	switch (b->state) {
	case BBR_DOWN:
		if (!time_to_probe(c, a->now) && time_to_cruise(c, a))
			b->state = BBR_CRUISE;
		break;
	case BBR_CRUISE: time_to_probe(c, a->now); break;
	case BBR_REFILL:
		if (b->round_start) {
			b->probe_sample = true;
			start_up(c, a->rate);
		}
		break;
	case BBR_UP:
		if (time_to_go_down(c, a)) {
			b->too_high = false; /* no high loss (yet) */
			start_down(c, a->now);
		}
		break;
	default: break;
	}
}

/* CheckProbeRTTDone and ExitProbeRTT */
static void check_probe_rtt_done(struct cc *c, nanotime now)
{
	struct bbr *b = bbr_of(c);
	if (!b->probe_rtt_done_at || now <= b->probe_rtt_done_at)
		return;
	b->probe_rtt_min_at = now; /* schedules the next */
	bbr_restore_cwnd(c);
	bbr_reset_short(b);
	c->holds_back = false;
	if (b->full_bw_reached) {
		start_down(c, now);
		b->state = BBR_CRUISE;
	} else {
		b->state = BBR_STARTUP;
	}
}

static void check_probe_rtt(struct cc *c, const struct cc_ack *a)
{
	struct bbr *b = bbr_of(c);
	if (b->state != BBR_PROBE_RTT && b->rtt_expired && !b->idle_restart) {
		bbr_save_cwnd(c);
		b->state = BBR_PROBE_RTT;
		b->probe_rtt_done_at = 0;
		b->acks = BBR_ACKS_STOPPING;
		bbr_start_round(b);
	}
	if (b->state == BBR_PROBE_RTT) {
		c->holds_back = true;
		uint32_t floor = bbr_min_pipe(c), half = bbr_bdp(c, b->bw, BBR_ONE / 2);
		if (!b->probe_rtt_done_at && a->in_flight <= (half > floor ? half : floor)) {
			b->probe_rtt_done_at = a->now + PROBE_RTT_TIME;
			b->round_done = false;
			bbr_start_round(b);
		} else if (b->probe_rtt_done_at) {
			if (b->round_start)
				b->round_done = true;
			if (b->round_done)
				check_probe_rtt_done(c, a->now);
		}
	}
	if (a->rate->acked)
		b->idle_restart = false;
}

static void bbr_ack(struct cc *c, const struct cc_ack *a)
{
	struct bbr *b = bbr_of(c);
	assert(a->rate);
	cc_tested(c, a->prior_in_flight, a->snd_una, a->snd_nxt); /* for c->full */
	b->delivered = a->rate->total_delivered;
	if (!b->rtt_seen && a->srtt > 0) {
		b->rtt_seen = true;
		bbr_init_pacing(c, a->srtt);
	}
	take_losses(c, a);
	bbr_update_model(c, a);
	check_startup(c, a);
	check_drain(c, a);
	update_cycle(c, a);
	bbr_update_min_rtt(b, a);
	check_probe_rtt(c, a);
	bbr_advance_latest(b, a->rate);
	bbr_set_pacing(c, pacing_gain[b->state]);
	bbr_set_cwnd(c, a->acked);
}

static void bbr_loss(struct cc *c, const struct cc_loss *l)
{
	(void)l;
	bbr_note_loss(c);
	bbr_save_cwnd(c);
	c->phase = CC_RECOVERY;
	c->prior_cwnd = 1; /* there is something to undo */
}

static void bbr_timeout(struct cc *c, const struct cc_loss *l)
{
	bbr_note_loss(c);
	bbr_save_cwnd(c);
	c->cwnd = l->in_flight + c->mss;
	c->phase = CC_TIMEOUT;
	c->prior_cwnd = 1;
}

static void bbr_recovered(struct cc *c, nanotime now)
{
	(void)now;
	bbr_restore_cwnd(c);
	bbr_set_cwnd(c, 0);
	c->phase = CC_OPEN;
}

/* 5.5.11.2 */
static void bbr_undo(struct cc *c, nanotime now)
{
	(void)now;
	struct bbr *b = bbr_of(c);
	c->phase = CC_OPEN;
	if (!c->prior_cwnd)
		return;
	c->prior_cwnd = 0;
	bbr_restore_cwnd(c);
	b->loss_in_round = false;
	bbr_reset_full_bw(b, 0);
	if (b->bw_short < b->undo_bw_short)
		b->bw_short = b->undo_bw_short;
	if (b->inflight_short < b->undo_inflight_short)
		b->inflight_short = b->undo_inflight_short;
	if (b->inflight_long < b->undo_inflight_long)
		b->inflight_long = b->undo_inflight_long;
	if (b->undo_state == BBR_STARTUP && b->state != BBR_STARTUP) {
		b->full_bw_reached = false;
		if (b->state != BBR_PROBE_RTT)
			b->state = BBR_STARTUP;
	} else if (b->undo_state == BBR_UP && b->state != BBR_UP && b->state != BBR_PROBE_RTT) {
		start_refill(b);
	}
	b->undo_state = BBR_NO_STATE;
}

static void bbr_ecn(struct cc *c, const struct cc_loss *l)
{
	struct bbr *b = bbr_of(c);
	bbr_note_loss(c);
	if (b->probe_sample)
		handle_too_high(c, l->in_flight, false, l->now);
}

/* 5.4.1: HandleRestartFromIdle */
static void bbr_idle(struct cc *c, nanodiff idle, nanodiff rto, nanotime now)
{
	(void)idle;
	(void)rto;
	struct bbr *b = bbr_of(c);
	b->idle_restart = true;
	b->extra_at = now;
	if (bbr_probing_bw(b))
		bbr_set_pacing(c, BBR_ONE);
	else if (b->state == BBR_PROBE_RTT)
		check_probe_rtt_done(c, now);
}

const struct cc_ops cc_bbr = {
	.name = "bbr",
	.wants_rate = true,
	.own_window = true,
	.init = bbr_init,
	.ack = bbr_ack,
	.loss = bbr_loss,
	.timeout = bbr_timeout,
	.recovered = bbr_recovered,
	.undo = bbr_undo,
	.ecn = bbr_ecn,
	.idle = bbr_idle,
};
