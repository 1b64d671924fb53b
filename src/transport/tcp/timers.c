/*
 * A connection has one timer in the wheel, armed at or before the earliest of its
 * deadlines. Deadlines that move later are not re-armed: when the timer fires, each
 * deadline is compared with now, what is due is done, and the timer is armed for
 * the earliest that is left.
 */
#include "transport/tcp/decide.h"
#include "transport/tcp/kept.h"
#include "transport/tcp/sack_delay.h"

void conn_arm(struct transport *t, struct tcp_conn *c, nanotime deadline)
{
	if (deadline == NANOTIME_NEVER)
		return;
	if (!timer_armed(&c->timer) || deadline < c->timer.deadline)
		wheel_arm(t->core->wheel, &c->timer, deadline);
}

nanodiff conn_rto(const struct transport *t, const struct tcp_conn *c)
{
	const struct transport_config *o = &t->config;
	nanodiff rto = rtt_rto(&c->rtt, o->rto_initial, o->rto_min, o->rto_max);
	return rtt_backoff(rto, c->backoff, o->rto_max);
}

/* RFC 8985 7.2 */
__attribute__((always_inline)) static inline nanodiff
probe_wait(const struct transport *t, const struct tcp_conn *c)
{
	if (!c->rtt.srtt)
		return NANO_S;
	return 2 * rtt_smoothed(&c->rtt) +
	       (c->snd_nxt - c->snd_una <= c->mss ? t->config.peer_ack_delay : 2 * NANO_MS);
}

nanotime conn_tail_probe_due(const struct transport *t, const struct tcp_conn *c)
{
	const struct tcp_flight *f = c->flight;
	uint32_t outstanding = c->snd_nxt - c->snd_una;
	if (!(c->flags & CONN_SACK) || !outstanding || f->phase != PHASE_OPEN || f->board.sacked ||
	    f->probing > PROBING_NONE || f->probing == PROBING_TAIL || f->tail_probed ||
	    !t->config.tail_loss_probe)
		return NANOTIME_NEVER;
	nanodiff wait = probe_wait(t, c);
	nanotime from = f->last_sent > f->advanced_at ? f->last_sent : f->advanced_at;
	return nanotime_min(from + wait, f->rto_at);
}

#define RESTART_SEGMENTS 4u /* rrthresh: so many bring duplicate ACKs enough */

/* RFC 7765: with few segments outstanding and nothing to follow, the RTO counts from when the
 * oldest of them was sent. */
static nanodiff rto_restart(const struct transport *t, const struct tcp_conn *c, nanodiff rto)
{
	const struct sent_range *first = board_first(&c->flight->board);
	if (!t->config.rto_restart || !first || c->snd_end != c->snd_nxt || c->backoff ||
	    c->snd_nxt - c->snd_una >= RESTART_SEGMENTS * c->mss ||
	    c->flight->board.count >= RESTART_SEGMENTS) /* small ones are told of as well */
		return rto;
	nanodiff age = t->now - first->sent;
	return age < rto ? rto - age : rto;
}

/* What the wheel is armed for, with the probe in mind; whether one may be sent is asked then. */
static void arm_for_rto(struct transport *t, struct tcp_conn *c, nanodiff rto)
{
	struct tcp_flight *f = c->flight;
	nanodiff wait = probe_wait(t, c);
	f->advanced_at = t->now;
	f->rto_at = t->now + rto;
	conn_arm(t, c, wait < rto ? t->now + wait : f->rto_at);
}

void conn_arm_rto_first(struct transport *t, struct tcp_conn *c)
{
	arm_for_rto(t, c, conn_rto(t, c));
}

void conn_arm_rto(struct transport *t, struct tcp_conn *c)
{
	arm_for_rto(t, c, rto_restart(t, c, conn_rto(t, c)));
}

/* RFC 8985 7.3: the probe goes with the next transmit; the RTO counts anew. */
static void tail_probe_timer(struct transport *t, struct tcp_conn *c)
{
	struct tcp_flight *f = c->flight;
	conn_trace(t, c, TRACE_TCP_TIMER, NULL, "tail loss probe", 0);
	f->probing = PROBING_TAIL;
	conn_arm_rto_first(t, c); /* whole, or it would not wait for the answer */
	conn_make_ready(t, c);
}

#define R1 3 /* retransmissions: SHLD-10 */

/* MUST-19, for the `tries`th time. At R1 layer 2 is asked for another way (MUST-20). */
static void back_off(struct transport *t, struct tcp_conn *c, unsigned tries)
{
	if (c->backoff < 30)
		c->backoff++;
	if (tries == R1)
		internet_doubt(t->internet, &c->path, t->now);
}

/* No answer to what needs one: from R1 on the owner may know (SHLD-9). */
static void unanswered(struct transport *t, struct tcp_conn *c, unsigned tries)
{
	back_off(t, c, tries);
	if (tries == R1)
		conn_trouble(t, c, ERR_OK);
}

/* The window stays closed: MUST-36, SHLD-30. Given up only by the user timeout. */
static void probe_window(struct transport *t, struct tcp_conn *c)
{
	if (c->flight->probes < UINT8_MAX)
		c->flight->probes++;
	back_off(t, c, c->flight->probes);
	c->flags |= CONN_PROBE_OWED;
	conn_arm_rto(t, c);
	conn_make_ready(t, c);
}

/* MUST-37: as long as the peer answers, its window may stay closed: the user timeout counts from
 * the first probe, and anew from each answer. An orphan's may not. */
static bool probed_in_vain(const struct transport *t, struct tcp_conn *c)
{
	struct tcp_flight *f = c->flight;
	nanotime heard = t->now - (nanodiff)(t->now_ms - c->heard) * NANO_MS;
	if (f->give_up_at == NANOTIME_NEVER)
		f->give_up_at = t->now + f->user_timeout;
	if (c->sock && heard + f->user_timeout > f->give_up_at)
		f->give_up_at = heard + f->user_timeout;
	return t->now >= f->give_up_at;
}

static void rto_fired(struct transport *t, struct tcp_conn *c)
{
	struct tcp_flight *f = c->flight;
	f->rto_at = NANOTIME_NEVER;
	bool waits = c->snd_end != c->snd_nxt && !(c->flags & CONN_FIN_QUEUED &&
						   c->snd_nxt == c->snd_end + 1);
	bool fin_waits = c->flags & CONN_FIN_QUEUED && c->snd_nxt == c->snd_end;
	if (c->snd_una != c->snd_nxt) {
		conn_trace(t, c, TRACE_TCP_TIMER, NULL, "retransmission", c->backoff);
		/* What lies beyond a window that shrank to nothing is no reason to give up while
		 * the peer answers (SHLD-17): what goes again is the probe (MUST-35). */
		nanodiff silent = (nanodiff)(t->now_ms - c->heard) * NANO_MS;
		if (!c->snd_wnd && c->sock && silent < f->user_timeout)
			f->give_up_at = t->now + f->user_timeout - silent;
		if (f->give_up_at == NANOTIME_NEVER) /* it went with the SYN */
			f->give_up_at = t->now + f->user_timeout;
		if (t->now >= f->give_up_at) { /* R2: MUST-20 */
			c->flags |= CONN_RESET_OWED;
			conn_die(t, c, conn_soft_error(c) ? conn_soft_error(c) : ERR_TIMEOUT);
			return;
		}
		if (f->too_big)
			conn_too_big_timeout(t, c);
		conn_doubt_mtu(t, c);
		conn_retransmission_timeout(t, c);
		if (f->timeouts < UINT8_MAX)
			f->timeouts++;
		unanswered(t, c, f->timeouts);
		conn_arm_rto(t, c);
	} else if (waits || fin_waits) {
		conn_trace(t, c, TRACE_TCP_TIMER, NULL, "window probe", c->backoff);
		if (probed_in_vain(t, c))
			conn_die(t, c, ERR_TIMEOUT);
		else
			probe_window(t, c);
	}
}

/* A user timeout that was asked for decides instead of the number of probes (RFC 5482 4.2). */
static bool is_given_up(const struct transport *t, const struct endpoint_options *o,
			const struct tcp_flight *f, nanodiff idle)
{
	if (o->user_timeout)
		return f->probes && idle >= o->user_timeout;
	return f->probes >= (o->keep_probes ? o->keep_probes : t->config.keepalive_probes);
}

/* Keepalive (MAY-5): off unless asked for (MUST-25), only when idle (MUST-26), tolerant of lost
 * ACKs (MUST-29). */
static nanotime keepalive(struct transport *t, struct tcp_conn *c)
{
	if (!(c->flags & CONN_KEEPALIVE) || !conn_synchronized(c) || c->snd_una != c->snd_nxt)
		return NANOTIME_NEVER;
	const struct endpoint_options *o = &t->options[c->sock];
	nanodiff idle = (nanodiff)(t->now_ms - c->heard) * NANO_MS;
	nanodiff most = conn_keep_idle(t, c);
	bool window_probed = c->flight && c->flight->rto_at != NANOTIME_NEVER;
	if (idle < most || window_probed) { /* probe_window counts and gives up by itself */
		if (c->flight && !window_probed)
			c->flight->probes = 0;
		return t->now + (idle < most ? most - idle : most);
	}
	struct tcp_flight *f = conn_flight(t, c);
	if (f && f->probe_at != NANOTIME_NEVER && t->now < f->probe_at)
		return f->probe_at;
	nanodiff interval = o->keep_interval ? o->keep_interval : t->config.keepalive_interval;
	if (!f) /* no memory to ask with now */
		return t->now + interval;
	if (is_given_up(t, o, f, idle)) {
		c->flags |= CONN_RESET_OWED;
		conn_die(t, c, ERR_TIMEOUT);
		return NANOTIME_NEVER;
	}
	f->probes++;
	f->probe_at = t->now + interval;
	c->flags |= CONN_PROBE_OWED;
	conn_make_ready(t, c);
	return f->probe_at;
}

/* Does the flight still hold something that the connection needs? */
static bool flight_idle(const struct tcp_conn *c)
{
	const struct tcp_flight *f = c->flight;
	/* accurate feedback counts from the first segment to the last */
	return c->state == TCP_ESTABLISHED && !(c->ecn & CONN_ACCURATE) &&
	       c->snd_una == c->snd_nxt &&
	       c->snd_end == c->snd_nxt && f->rx.low == c->rcv_nxt && !f->held &&
	       !f->fin_ahead && !(c->flags & (CONN_ACK_NOW | CONN_PROBE_OWED)) &&
	       f->ack_at == NANOTIME_NEVER && f->rto_at == NANOTIME_NEVER && !f->probes &&
	       !f->peer_timeout && !f->timeout_owed;
}

/* R1 and R2 of a SYN: MUST-22. */
static void syn_timer(struct transport *t, struct tcp_conn *c)
{
	uint32_t waited = (uint32_t)(t->now / NANO_US) - c->heard;
	bool passive = c->state == TCP_SYN_RECEIVED && c->fast_open;
	uint8_t own = t->options[c->sock].syn_retries;
	unsigned steady = passive ? 0 : t->config.syn_steady; /* that don't count, nor back off */
	unsigned tries = passive ? t->config.syn_ack_retries : own ? own : t->config.syn_retries;
	if (tries ? c->backoff >= tries + steady
		  : (nanodiff)waited * NANO_US >= t->config.syn_timeout) { /* MUST-23 */
		conn_die(t, c, conn_soft_error(c) ? conn_soft_error(c) : ERR_TIMEOUT);
		return;
	}
	conn_trace(t, c, TRACE_TCP_TIMER, NULL, "SYN retransmission", c->backoff);
	unanswered(t, c, c->backoff + 1u);
	c->flags |= CONN_SYN_OWED;
	unsigned backoff = c->backoff > steady ? c->backoff - steady : 0;
	conn_arm(t, c, t->now + rtt_backoff(t->config.rto_initial, backoff, t->config.rto_max));
	conn_make_ready(t, c);
}

/* A FIN that finds no memory to be sent with is given up like one that is not acknowledged (R2). */
static nanotime fin_without_flight(struct transport *t, struct tcp_conn *c)
{
	if (c->flight || !(c->flags & CONN_FIN_QUEUED) || c->snd_nxt != c->snd_end)
		return NANOTIME_NEVER;
	nanodiff own = t->options[c->sock].user_timeout;
	nanodiff left = (own ? own : t->config.user_timeout) -
			(nanodiff)(t->now_ms - c->heard) * NANO_MS;
	if (left > 0)
		return t->now + left;
	c->flags |= CONN_RESET_OWED;
	conn_die(t, c, ERR_TIMEOUT);
	return NANOTIME_NEVER;
}

static void ack_timer(struct transport *t, struct tcp_conn *c)
{
	struct tcp_flight *f = c->flight;
	f->ack_at = NANOTIME_NEVER;
	if (sack_timer(t, c))
		return;
	f->quick = 0;
	f->answers = false;
	conn_owe_ack(t, c, WHY_ACK_DELAYED);
}

void conn_timer(struct transport *t, struct tcp_conn *c)
{
	if (c->state == TCP_SYN_SENT || c->state == TCP_SYN_RECEIVED) {
		syn_timer(t, c);
		return;
	}
	struct tcp_flight *f = c->flight;
	nanotime next = NANOTIME_NEVER;
	if (f) {
		if (f->wait == WAIT_PACING)
			conn_make_ready(t, c);
		if (f->ack_at <= t->now)
			ack_timer(t, c);
		if (f->reorder_at <= t->now)
			conn_reorder_timer(t, c);
		if (conn_tail_probe_due(t, c) <= t->now)
			tail_probe_timer(t, c);
		else if (f->rto_at <= t->now)
			rto_fired(t, c);
		if (c->state == TCP_CLOSED)
			return;
		if (c->state == TCP_FIN_WAIT_2 && !c->sock && f->probe_at <= t->now) {
			if (f->fin_wait2 < NANO_MS) /* its owner did not want it to wait: */
				c->flags |= CONN_RESET_OWED; /* the peer need not either */
			conn_die(t, c, ERR_TIMEOUT);
			return;
		}
		if (c->path.mtu_high && f->probing == PROBING_NONE)
			conn_search_again(t, c);
	}
	nanotime alive = keepalive(t, c);
	if (!f && c->state != TCP_CLOSED)
		alive = nanotime_min(alive, fin_without_flight(t, c));
	if (c->state == TCP_CLOSED)
		return;
	f = c->flight;
	if (f && flight_idle(c)) {
		nanodiff idle = (nanodiff)(t->now_ms - c->heard) * NANO_MS;
		nanodiff quiet = t->now - f->last_sent;
		if (idle > t->config.flight_idle && quiet > t->config.flight_idle) {
			conn_keep(t, c);
			conn_drop_flight(t, c);
		} else {
			next = t->now + t->config.flight_idle + NANO_MS;
		}
	}
	f = c->flight;
	if (f) {
		next = nanotime_min(next, nanotime_min(f->ack_at, f->rto_at));
		next = nanotime_min(next, f->reorder_at);
		next = nanotime_min(next, conn_tail_probe_due(t, c));
		if (!pacer_allows(&f->pacer, t->now))
			next = nanotime_min(next, pacer_next(&f->pacer));
		if (c->state == TCP_FIN_WAIT_2 && !c->sock) /* else it is keepalive's, above */
			next = nanotime_min(next, f->probe_at);
	}
	conn_arm(t, c, nanotime_min(next, alive));
}
