/*
 * The user timeout (R2) as both ends see it, RFC 5482. Each may tell the other how long it
 * will wait for an acknowledgment (ADV_UTO), so that the other does not give up sooner: then
 * USER_TIMEOUT = min(U_LIMIT, max(ADV_UTO, REMOTE_UTO, L_LIMIT)) (3.1).
 *
 * An owner that sets SOCK_ADVERTISED_TIMEOUT has both directions on (ENABLED); without it
 * nothing is told, and what comes is not looked at. One that sets SOCK_USER_TIMEOUT has
 * decided, and what the peer says changes nothing (CHANGEABLE is false). The limits are the
 * config's: they keep a peer from holding our memory for weeks, or from making us give up at
 * once.
 *
 * The option is advice, and may get lost (3.2). It goes with the SYN where there is room, and then
 * in an ACK of its own, first of all that follows the handshake, and again when the value changes:
 * so no segment with data gets longer, and none has to be asked whether it carries the option.
 * A connection whose peer has told something keeps its flight, where that is noted.
 */
#include "transport/tcp/decide.h"

#define MINUTES    0x8000u /* the granularity bit: 3 */
#define VALUE_MASK 0x7fffu

/* Whole seconds, or, where these are too many, whole minutes; never less than was meant. */
static uint16_t to_wire(nanodiff timeout)
{
	uint64_t seconds = (uint64_t)((timeout + NANO_S - 1) / NANO_S);
	if (seconds <= VALUE_MASK)
		return (uint16_t)seconds;
	uint64_t minutes = (seconds + 59) / 60;
	return (uint16_t)(MINUTES | (minutes < VALUE_MASK ? minutes : VALUE_MASK));
}

static nanodiff from_wire(uint16_t told)
{
	return (nanodiff)(told & VALUE_MASK) * (told & MINUTES ? 60 : 1) * NANO_S;
}

/* What we wait now, and from when on we do. */
static void adapt(struct transport *t, struct tcp_conn *c, const struct endpoint_options *o)
{
	struct tcp_flight *f = c->flight;
	nanodiff wait = o->user_timeout;
	if (!wait && o->advertised_timeout && f->peer_timeout) {
		nanodiff least = t->config.user_timeout_least, rto = conn_rto(t, c);
		wait = o->advertised_timeout > f->peer_timeout ? o->advertised_timeout
							       : f->peer_timeout;
		wait = wait > least ? wait : least;
		wait = wait < t->config.user_timeout_most ? wait : t->config.user_timeout_most;
		wait = wait > rto ? wait : rto; /* 3.1: or nothing could ever be sent again */
	}
	if (!wait)
		wait = t->config.user_timeout;
	if (f->give_up_at != NANOTIME_NEVER)
		f->give_up_at += wait - f->user_timeout;
	f->user_timeout = wait;
}

void conn_take_timeout(struct transport *t, struct tcp_conn *c, uint16_t told)
{
	const struct endpoint_options *o = conn_options(t, c);
	if (!o->advertised_timeout || !(told & VALUE_MASK) || !conn_flight_in_turn(t, c))
		return;
	c->flight->peer_timeout = from_wire(told);
	adapt(t, c, o);
}

void conn_set_timeout(struct transport *t, struct tcp_conn *c)
{
	if (c->flight)
		adapt(t, c, conn_options(t, c));
}

void conn_tell_timeout(struct transport *t, struct tcp_conn *c)
{
	struct tcp_flight *f = c->state <= TCP_CLOSE_WAIT ? conn_flight_in_turn(t, c) : NULL;
	if (!f)
		return; /* it is advice only */
	f->timeout_owed = true;
	if (f->probing <= PROBING_NONE && f->probing != PROBING_TAIL)
		conn_probing_over(t, c);
	if (conn_synchronized(c))
		conn_make_ready(t, c);
}

void conn_syn_timeout(const struct endpoint_options *own, struct tcp_options *o)
{
	o->has |= TCP_HAS_USER_TIMEOUT;
	o->user_timeout = to_wire(own->advertised_timeout);
}

bool conn_send_timeout(struct transport *t, struct tcp_conn *c)
{
	struct tcp_flight *f = c->flight;
	nanodiff told = conn_options(t, c)->advertised_timeout;
	struct tcp_options o = { .has = TCP_HAS_USER_TIMEOUT, .user_timeout = to_wire(told) };
	f->timeout_owed = false;
	conn_probing_over(t, c);
	if (!told)
		return false;
	struct tcp_reply r = {
		.tuple = c->tuple,
		.seq = c->snd_nxt,
		.ack = c->rcv_nxt,
		.flags = TCP_ACK,
		.window = (uint16_t)conn_advertise(c),
		.why = WHY_USER_TIMEOUT,
		.timestamps = c->flags & CONN_TIMESTAMPS,
		.tsval = t->now_ms + c->ts_offset,
		.tsecr = c->ts_recent,
		.tos = c->tos,
		.hop_limit = c->hop_limit,
	};
	if (c->ecn)
		r.flags |= conn_ecn_of_segment(t, c, false, true, &r.tos);
	tcp_reply_send(t, &r, &o, &c->path);
	f->segments_sent++;
	return true;
}
