/*
 * ICMP errors about segments of ours (RFC 9293 3.9.2.2), as far as RFC 5927 lets them be
 * believed: one has to quote a byte in flight, no error ends a synchronized connection,
 * and a path MTU goes down only, and not far.
 *
 * An attacker who guesses the numbers could still make us send tiny segments. So where
 * segments of full size have been acknowledged, which says that the path takes them, a
 * claim that it does not is kept until the RTO fires for the very byte that was quoted
 * (RFC 5927 7.2): if the claim is true nothing else can happen, if it is false its byte is
 * acknowledged long before.
 */
#include "transport/tcp/tcp_conn.h"

#define IP4_MTU_FLOOR 552 /* below it the saving in fragments is the attacker's only: Linux's */

/* RFC 1191 7: an old router does not say how much less; the next plateau down is the guess. */
static uint32_t plateau_below(uint32_t mtu)
{
	static const uint16_t plateau[] = { 32000, 17914, 8166, 4352, 2002, 1492, 1006, 508 };
	for (unsigned i = 0; i < sizeof plateau / sizeof *plateau; i++)
		if (plateau[i] < mtu)
			return plateau[i];
	return 0;
}

/* What the path may carry after a claim, or 0: the claim says nothing new. */
static uint16_t lower_mtu(const struct tcp_conn *c, uint32_t claim)
{
	uint32_t floor = addr_is4(&c->tuple.remote) ? IP4_MTU_FLOOR : IP6_MIN_MTU;
	if (claim == 0)
		claim = plateau_below(c->path.mtu);
	if (claim < floor)
		claim = floor;
	return claim < c->path.mtu ? (uint16_t)claim : 0;
}

/* Has the path carried segments of the size that is now said to be too big? */
static bool proved(const struct tcp_conn *c)
{
	return c->flight && c->flight->bytes_acked >= c->mss;
}

static void take_too_big(struct transport *t, struct tcp_conn *c, uint32_t seq, uint32_t claim)
{
	uint16_t mtu = lower_mtu(c, claim);
	struct tcp_flight *f = c->flight;
	if (t->options[c->sock].fragment) /* without DF no router has a reason to say so */
		return;
	if (f && f->probing == PROBING_LARGER_OUT && conn_larger_refused(t, c, seq, claim))
		return;
	if (!mtu)
		return;
	if (proved(c)) {
		if (!f->too_big || mtu < f->too_big)
			f->too_big = mtu;
		f->too_big_seq = seq;
		return;
	}
	conn_lower_mtu(t, c, mtu);
	if (c->state == TCP_SYN_SENT) { /* a SYN with data: the next one goes without */
		c->fast_open = false;
		c->flags |= CONN_SYN_OWED;
		conn_make_ready(t, c);
	} else if (f && c->snd_nxt != c->snd_una) { /* it is gone: send it smaller */
		board_lose_all(&f->board, &t->range_pool);
		f->again_forced = true;
		f->retransmit_why = WHY_FAST_RETRANSMIT;
		conn_make_ready(t, c);
	}
}

void conn_too_big_timeout(struct transport *t, struct tcp_conn *c)
{
	struct tcp_flight *f = c->flight;
	uint16_t mtu = f->too_big;
	f->too_big = 0;
	if (f->too_big_seq - c->snd_una >= c->snd_nxt - c->snd_una || mtu >= c->path.mtu)
		return; /* the byte came through: the claim was false, or is no news */
	conn_lower_mtu(t, c, mtu);
}

static enum error meaning(const struct rx_icmp_error *e)
{
	if (e->v6 && e->type == ICMP6_UNREACHABLE)
		return e->code == 4   ? ERR_REFUSED
		       : e->code == 0 ? ERR_NET_UNREACHABLE
				      : ERR_HOST_UNREACHABLE;
	if (!e->v6 && e->type == ICMP4_UNREACHABLE)
		return e->code == 3   ? ERR_REFUSED
		       : e->code == 2 ? ERR_PROTOCOL_UNREACHABLE
		       : e->code == 0 ? ERR_NET_UNREACHABLE
				      : ERR_HOST_UNREACHABLE;
	return ERR_HOST_UNREACHABLE;
}

/* Does it end a handshake that nobody but the peer began? There is no owner whom a soft error could
 * be told: what cannot be answered to frees its place (RFC 5461 2.2; the codes are Linux's). */
static bool ends_embryo(const struct rx_icmp_error *e)
{
	if (e->v6)
		return e->type == ICMP6_UNREACHABLE &&
		       (e->code == 1 || (e->code >= 4 && e->code <= 6));
	return e->type == ICMP4_UNREACHABLE && (e->code == 0 || e->code == 1);
}

/* A connection that is not synchronized yet may be given up at once (RFC 5461 4.1): one of ours, or
 * one that a SYN with data made and nobody has accepted. */
static bool may_give_up(const struct tcp_conn *c)
{
	return c->state == TCP_SYN_SENT || (c->state == TCP_SYN_RECEIVED && !c->sock);
}

/* RFC 9293 3.9.2.2, RFC 5461 2.2: no such protocol, no such port; it will not get better. */
static bool is_hard(const struct rx_icmp_error *e)
{
	if (e->v6)
		return (e->type == ICMP6_UNREACHABLE && (e->code == 1 || e->code == 4)) ||
		       (e->type == ICMP6_PARAMETER && e->code == 1);
	return e->type == ICMP4_UNREACHABLE && (e->code == 2 || e->code == 3);
}

void conn_trouble(struct transport *t, struct tcp_conn *c, enum error why)
{
	if (why && c->flight) {
		c->flight->soft_error = (uint16_t)why;
		c->flight->soft_taken = false;
	} else if (why && c->state == TCP_SYN_SENT) {
		c->error = (uint16_t)why;
	}
	if (!t->options[c->sock].quiet)
		conn_notify(t, c, EVENT_TROUBLE);
}

enum error conn_take_soft_error(struct tcp_conn *c)
{
	enum error told = conn_soft_error(c);
	if (c->flight) /* it still says that what is owed waits for a way */
		c->flight->soft_taken = true;
	else if (c->state == TCP_SYN_SENT)
		c->error = ERR_OK;
	return told;
}

/* MUST-54 */
void tcp_icmp_error(struct transport *t, struct rx *rx)
{
	const struct rx_icmp_error *e = &rx->icmp;
	if (e->quote.len < 8) {
		rx_drop(rx, DROP_ICMP_QUOTE);
		return;
	}
	struct tcp_tuple tuple = {
		.local = e->source,
		.remote = e->destination,
		.local_port = load16(e->quote.at),
		.remote_port = load16(e->quote.at + 2),
	};
	enum demux_kind kind;
	struct tcp_conn *c = demux_find(&t->demux, &tuple, &kind);
	uint32_t seq = load32(e->quote.at + 4);
	if (c && kind == DEMUX_EMBRYO && t->config.icmp_ends_open && ends_embryo(e) &&
	    embryo_unreachable(t, (void *)c, seq)) {
		rx_fate(rx, FATE_DELIVERED);
		return;
	}
	if (kind != DEMUX_CONN || seq - c->snd_una >= c->snd_nxt - c->snd_una) {
		rx_drop(rx, DROP_ICMP_QUOTE);
		return;
	}
	rx_fate(rx, FATE_DELIVERED);
	if (e->v6 ? e->type == ICMP6_TOO_BIG : e->type == ICMP4_UNREACHABLE && e->code == 4) {
		take_too_big(t, c, seq, e->mtu);
		return;
	}
	/* MUST-56, SHLD-25: nobody is thrown out by what may pass; SHLD-26 holds while the
	 * connection is being opened. RFC 5927 5.2: later all errors are soft. */
	if (may_give_up(c) && (is_hard(e) || t->config.icmp_ends_open))
		conn_die(t, c, meaning(e));
	else
		conn_trouble(t, c, meaning(e));
}
