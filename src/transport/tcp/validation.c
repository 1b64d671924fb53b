/*
 * A window that nobody used says ever less about the path. RFC 7661: while a round
 * trip brings acknowledgments for less than half of it (pipeACK, 4.2), the window is
 * not validated; it does not grow then (cc_tested), is kept for five minutes, and
 * then falls by half, so that an application that pauses finds its rate again (4.4).
 * A loss in that phase shows that it was not to be relied on: the reduction goes from
 * what was really under way.
 *
 * pipeACK needs no counting of its own: what is under way before the first ACK of a
 * round is what that round acknowledges, and congestion control keeps the largest
 * such flight already, to see whether the window was full. It is looked at when a
 * look is due: before data that follows a silence, twice in five minutes, and when
 * something is lost.
 *
 * A connection that is silent gives its flight back; window and time stay behind in
 * 24 bits (kept.c).
 */
#include "transport/tcp/tcp_conn.h"

#define NON_VALIDATED_PERIOD (300 * NANO_S) /* RFC 7661 4.4.3 */

#define NOTE_WINDOW_BITS 9 /* exponent and four bits behind the first */
#define NOTE_SLOW_START	 (1u << NOTE_WINDOW_BITS)
#define NOTE_TIME_SHIFT	 (NOTE_WINDOW_BITS + 1)
#define NOTE_TIME_MASK	 0x3fffu
#define NOTE_TICK_MS	 15 /* 2^15 ms: the note's time wraps after six days */
#define NOTE_BITS	 0xffffffu

/* Was a good half of the window acknowledged in the last round, or is the window too new to ask? */
static void look_at_use(struct tcp_flight *f, nanotime last_round)
{
	if (f->cc.flight_max >= f->cc.cwnd / 2 && last_round > f->validated_at)
		f->validated_at = last_round;
}

/* The largest of 3 RTT and a second: RFC 7661 4.2. */
static bool not_validated(const struct transport *t, const struct tcp_conn *c)
{
	const struct tcp_flight *f = c->flight;
	nanodiff period = 3 * rtt_smoothed(&c->rtt);
	return t->now - f->validated_at > (period > NANO_S ? period : NANO_S);
}

static bool asks(const struct transport *t, const struct tcp_flight *f)
{
	return t->config.idle_window == IDLE_WINDOW_VALIDATED && !f->cc.ops->own_window;
}

/* 4.4.3: half of it goes each five minutes, down to the initial window. */
static void end_period(struct tcp_flight *f, nanotime now)
{
	while (now - f->validated_at >= NON_VALIDATED_PERIOD && f->cc.cwnd > f->cc.initial) {
		f->validated_at += NON_VALIDATED_PERIOD;
		f->cc.ops->idle(&f->cc, 1, 1, now);
	}
	if (now - f->validated_at >= NON_VALIDATED_PERIOD)
		f->validated_at = now;
}

void conn_validate_window(struct transport *t, struct tcp_conn *c)
{
	struct tcp_flight *f = c->flight;
	if (!asks(t, f))
		return;
	look_at_use(f, c->snd_una == c->snd_nxt ? f->last_sent : t->now);
	end_period(f, t->now);
}

/* 4.4.4: what was kept goes out over a round trip, not at once. */
static void spread_burst(struct transport *t, struct tcp_conn *c)
{
	struct tcp_flight *f = c->flight;
	nanodiff srtt = rtt_smoothed(&c->rtt);
	if (f->cc.cwnd <= f->cc.initial || !srtt || f->pacing_most)
		return;
	f->cc.pacing_rate = pacer_window_rate(f->cc.cwnd, f->cc.ssthresh, srtt);
	f->paced_until = t->now + srtt;
}

void conn_restart_window(struct transport *t, struct tcp_conn *c, nanodiff rto)
{
	struct tcp_flight *f = c->flight;
	nanodiff idle = t->now - f->last_sent;
	if (!asks(t, f)) {
		f->cc.ops->idle(&f->cc, idle, rto, t->now);
		return;
	}
	conn_validate_window(t, c);
	if (not_validated(t, c))
		spread_burst(t, c);
}

uint32_t conn_loss_flight(struct transport *t, struct tcp_conn *c, uint32_t acked)
{
	struct tcp_flight *f = c->flight;
	uint32_t flight = c->snd_nxt - c->snd_una + acked;
	f->loss_flight = 0;
	if (!asks(t, f))
		return flight;
	look_at_use(f, t->now);
	if (not_validated(t, c)) {
		if (f->cc.flight_max > flight)
			flight = f->cc.flight_max;
		f->loss_flight = flight;
		f->loss_again = f->bytes_again;
	}
	return flight;
}

void conn_loss_over(struct transport *t, struct tcp_conn *c)
{
	struct tcp_flight *f = c->flight;
	if (f->loss_flight && f->cc.ssthresh != UINT32_MAX) { /* 4.4.2: without what was resent */
		uint64_t again = f->bytes_again - f->loss_again;
		uint64_t kept = again < f->loss_flight ? f->loss_flight - again : 0;
		uint64_t part = f->cc.ssthresh * kept / f->loss_flight;
		uint32_t least = 2 * f->cc.mss < f->cc.ssthresh ? 2 * f->cc.mss : f->cc.ssthresh;
		f->cc.ssthresh = part > least ? (uint32_t)part : least;
	}
	f->loss_flight = 0;
	f->validated_at = t->now; /* pipeACK is not defined now (4.4.2) */
}

/* Exponent and four bits; never more than it was. */
static uint32_t window_pack(uint32_t cwnd)
{
	uint32_t e = 31 - (uint32_t)__builtin_clz(cwnd | 16);
	return e << 4 | (cwnd >> (e - 4) & 15);
}

static uint32_t window_unpack(uint32_t note)
{
	uint32_t e = note >> 4 & 31;
	return e < 4 ? 0 : (16 | (note & 15)) << (e - 4);
}

uint32_t conn_window_note(const struct transport *t, const struct tcp_conn *c)
{
	struct tcp_flight *f = c->flight;
	if (f->cc.ops->own_window || f->cc.cwnd <= f->cc.initial)
		return 0;
	look_at_use(f, f->last_sent);
	nanotime when = t->config.idle_window == IDLE_WINDOW_VALIDATED ? f->validated_at
								       : f->last_sent;
	uint32_t ticks = (t->now_ms - (uint32_t)((t->now - when) / NANO_MS)) >> NOTE_TICK_MS;
	return (window_pack(f->cc.cwnd) | (cc_in_slow_start(&f->cc) ? NOTE_SLOW_START : 0) |
		(ticks & NOTE_TIME_MASK) << NOTE_TIME_SHIFT) & NOTE_BITS;
}

uint32_t conn_noted_window(uint32_t note)
{
	return note ? window_unpack(note) : 0;
}

#define SYN_ECHO_MOST (10u * 60 * 1000) /* ms: far more than any SYN is waited for */

void conn_syn_repeated(const struct transport *t, struct tcp_conn *c,
		       const struct tcp_segment *seg, nanodiff waited)
{
	const struct tcp_options *o = &seg->h.options;
	uint32_t age = t->now_ms - (o->tsecr - c->ts_offset);
	bool echoed = c->flags & CONN_TIMESTAMPS && o->has & TCP_HAS_TIMESTAMPS && o->tsecr &&
		      age < SYN_ECHO_MOST;
	if (!echoed)
		rtt_repeated(&c->rtt);
	else
		rtt_sample(&c->rtt, (nanodiff)age * NANO_MS);
	if (echoed && (nanodiff)(age + 1) * NANO_MS >= waited) /* the first one was answered */
		return;
	if (c->flight)
		c->flight->cc.cwnd = c->mss;
	else
		c->timer.note = NOTE_SYN_LOST;
}

void conn_recall_window(struct transport *t, struct tcp_conn *c, uint32_t note)
{
	struct tcp_flight *f = c->flight;
	uint32_t cwnd = conn_noted_window(note);
	uint32_t age = ((t->now_ms >> NOTE_TICK_MS) - (note >> NOTE_TIME_SHIFT)) & NOTE_TIME_MASK;
	nanodiff elapsed = (nanodiff)age * (NANO_MS << NOTE_TICK_MS);
	if (cwnd <= f->cc.initial || f->cc.ops->own_window)
		return;
	f->cc.cwnd = cwnd;
	/* a note is less than it was, but two segments are the least (RFC 5681 (4)) */
	uint32_t least = cwnd > 2 * f->cc.mss ? cwnd : 2 * f->cc.mss;
	f->cc.ssthresh = note & NOTE_SLOW_START ? UINT32_MAX : least;
	f->validated_at = t->now - elapsed;
}
