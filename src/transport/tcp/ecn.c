/*
 * Explicit Congestion Notification (RFC 3168, with the answer of RFC 8511): routers
 * mark what they might have dropped. The two ends agree in the SYNs; then new data is
 * sent as ECT(0), and what comes marked CE makes us set ECE on every segment until the
 * peer says with CWR that it has reduced its window. ECE from the peer reduces ours
 * (recover.c), once a window, and the next new data carries CWR. Where both ends can,
 * the feedback is RFC 9768's instead, which counts: accecn.c. The answer is the same.
 *
 * Never ECT: retransmissions, pure ACKs, SYNs, probes, resets (RFC 3168 6.1.4 .. 6.1.6):
 * their loss must be seen, or may be forged. Of the experiments of RFC 8311 there is one,
 * off unless asked for: with accurate feedback all but SYNs and resets are ECT
 * (draft-ietf-tcpm-generalized-ecn), because then every packet's mark is counted.
 *
 * A path that swallows SYNs with these flags gets plain ones in the end (6.1.1.1), and a
 * peer that only reflects the flags that it does not know has not agreed.
 */
#include "transport/tcp/ecn.h"

#define QUICK_AFTER_MARK 2 /* segments acknowledged at once: the sender's window may be small */

/* The flags of SYNs: RFC 9768 table 2. */
#define ACE_CLASSIC  3 /* (0,1,1) asks for RFC 3168's feedback ... */
#define ACE_ACCURATE 7 /* ... (1,1,1) for accurate one */
#define ACE_AE       4

static uint8_t accurate(const struct rx *rx)
{
	return (uint8_t)(CONN_ECN | CONN_ACCURATE |
			 (rx->tos & IP_ECN_MASK) << CONN_ACE_PEER_SHIFT);
}

static bool asks_accurate(const struct tcp_segment *seg)
{
	return ace_of(seg) && ace_of(seg) != ACE_CLASSIC; /* others are for later: 3.1.3 */
}

uint8_t ecn_agreed(unsigned use, const struct rx *rx, const struct tcp_segment *seg)
{
	if (use >= ECN_USE_ACCURATE && asks_accurate(seg))
		return accurate(rx) | CONN_ACE_EXPECT;
	if ((ace_of(seg) & ACE_CLASSIC) != ACE_CLASSIC || use == ECN_USE_OFF)
		return 0;
	/* Who asks for no more than RFC 3168 never marks a SYN (6.1.1): somebody on the way writes
	 * over the field, so what it says later would mean nothing (as Linux sees it). */
	bool plain = (rx->tos & IP_ECN_MASK) == IP_NOT_ECT;
	return plain || ace_of(seg) & ACE_AE ? CONN_ECN : 0;
}

bool ecn_of_syn_again(unsigned use, uint8_t *ecn, const struct rx *rx,
		      const struct tcp_segment *seg)
{
	if (!*ecn)
		return true;
	if (!ace_of(seg)) { /* the path may have refused the other one */
		uint8_t expect = *ecn & CONN_ACE_EXPECT;
		if (*ecn & CONN_ACCURATE) /* its mode stays, and the latest is told of: 3.1.5 */
			*ecn = accurate(rx) | expect | CONN_ACE_NOT_ECT;
		else
			*ecn = 0; /* RFC 3168 6.1.1 */
		return true;
	}
	uint8_t now = ecn_agreed(use, rx, seg);
	if (now && (now ^ *ecn) & CONN_ACCURATE)
		return false;
	if (now & CONN_ACCURATE) /* the latest is told of */
		*ecn = (uint8_t)(now | (*ecn & CONN_ACE_NOT_ECT));
	return true;
}

uint8_t ecn_of_cookie(unsigned use, const struct tcp_segment *seg)
{
	bool can = use >= ECN_USE_ACCURATE && ace_of(seg) > 1 && !seg->text_len;
	return can ? CONN_ECN | CONN_ACCURATE | CONN_ACE_EXPECT : 0;
}

uint16_t ecn_agreement(uint8_t ecn, unsigned tries)
{
	if (!(ecn & CONN_ACCURATE))
		return TCP_ECE;
	if (tries >= ACE_SYN_ACK_TRIES)
		return 0;
	unsigned mark = (ecn & CONN_ACE_PEER) >> CONN_ACE_PEER_SHIFT;
	return (uint16_t)(ace_of_mark(mark) << ACE_SHIFT);
}

void ecn_first_option(const struct transport *t, struct tcp_options *o, bool crowded)
{
	if (t->config.accecn_option == ACCECN_OPTION_NEVER)
		return;
	o->has |= TCP_HAS_ACCECN;
	o->accecn_order = t->config.accecn_option >= ACCECN_OPTION_ALWAYS;
	o->accecn_count = crowded ? 1 : 3;
	o->accecn[0] = o->accecn[2] = 1; /* RFC 9768 3.2.1 */
	o->accecn[1] = 0;
}

/* In SYN-SENT: how many SYNs asked; SYN_PLAIN: and then one did not. */
#define SYN_PLAIN 3
static unsigned syns_of(const struct tcp_conn *c)
{
	return (c->ecn & CONN_ACE_PEER) >> CONN_ACE_PEER_SHIFT;
}

uint16_t conn_ecn_of_syn(const struct transport *t, struct tcp_conn *c, struct tcp_options *o)
{
	if (c->state == TCP_SYN_RECEIVED) {
		if (c->ecn & CONN_ACCURATE && !c->backoff)
			ecn_first_option(t, o, c->fast_open);
		if (c->ecn & CONN_ACCURATE && c->backoff >= ACE_SYN_ACK_TRIES)
			c->ecn |= CONN_ACE_NOT_ECT;
		return ecn_agreement(c->ecn, c->backoff);
	}
	/* A SYN that waited for the next hop was not sent, and its time-out says nothing. */
	unsigned asked = syns_of(c), tries = c->ecn & CONN_ACCURATE ? ACE_SYN_TRIES : 1;
	c->ecn &= (uint8_t)~CONN_ACE_PEER;
	if (asked >= tries && !(c->ecn & CONN_ACCURATE)) { /* RFC 3168 6.1.1 */
		c->ecn = 0;
		return 0;
	}
	/* Of accurate feedback what comes first decides, whatever else was sent. */
	c->ecn |= (uint8_t)((asked < tries ? asked + 1 : SYN_PLAIN) << CONN_ACE_PEER_SHIFT);
	if (asked >= tries)
		return 0;
	return c->ecn & CONN_ACCURATE ? ACE_FLAGS : TCP_ECE | TCP_CWR;
}

/* A SYN-ACK that answers (1,1,1): RFC 9768 table 2, 3.1.3. */
static void take_agreement(struct transport *t, struct tcp_conn *c, const struct rx *rx,
			   const struct tcp_segment *seg)
{
	unsigned ace = ace_of(seg);
	if (ace == 0 || ace == ACE_ACCURATE) { /* no, or a mirror */
		c->ecn = 0;
		return;
	}
	if (ace == 1) { /* only of RFC 3168, whose rule is that a plain SYN takes back the other */
		c->ecn = syns_of(c) != SYN_PLAIN ? CONN_ECN : 0;
		return;
	}
	c->ecn = accurate(rx) | CONN_ACE_HANDSHAKE;
	conn_take_first_option(t, c, seg);
	/* no SYN of ours is marked: 3.2.2.3 */
	if (ace != ace_of_mark(IP_NOT_ECT) && ace != 5 && t->config.ecn_fallback)
		c->ecn |= CONN_ACE_NOT_ECT;
	if ((rx->tos & IP_ECN_MASK) == IP_CE && conn_flight(t, c))
		c->flight->accecn.r_cep = 1; /* 3.2.2.2 */
	if (ace == ace_of_mark(IP_CE) && conn_flight(t, c))
		conn_take_echo(t, c);
}

/* RFC 9293 SHLD-8: in use where both ends say so. */
void conn_take_syn_ecn(struct transport *t, struct tcp_conn *c, const struct rx *rx,
		       const struct tcp_segment *seg)
{
	bool asked = c->ecn & CONN_ACCURATE;
	if (seg->flags & TCP_ACK) {
		if (asked)
			take_agreement(t, c, rx, seg);
		else
			c->ecn = (ace_of(seg) & ACE_CLASSIC) == 1 ? CONN_ECN : 0;
		return;
	}
	/* Simultaneous open: as who is asked (3.1.2). */
	if (asked && asks_accurate(seg))
		c->ecn = accurate(rx);
	else
		c->ecn = (ace_of(seg) & ACE_CLASSIC) == ACE_CLASSIC ? CONN_ECN : 0;
}

bool conn_ecn_alone(const struct tcp_conn *c)
{
	return c->ecn & CONN_ACCURATE ? conn_ace(c) << ACE_SHIFT & TCP_CWR
				      : c->ecn & CONN_ECN_CWR;
}

/* The flags that RFC 9768 puts into every segment. */
static uint16_t accurate_flags(struct tcp_conn *c, bool bare)
{
	unsigned ace = conn_ace(c);
	/* Data came since a SYN-ACK came again, in one burst: now it would be taken for a count. */
	bool late = c->flight && c->flight->bytes_received && !c->fast_open;
	if (c->ecn & CONN_ACE_HANDSHAKE && bare && !late)
		ace = ace_of_mark((c->ecn & CONN_ACE_PEER) >> CONN_ACE_PEER_SHIFT);
	else if (c->flight)
		c->flight->accecn.unsaid = 0;
	c->ecn &= (uint8_t)~CONN_ACE_HANDSHAKE;
	return (uint16_t)(ace << ACE_SHIFT);
}

uint16_t conn_ecn_of_segment(const struct transport *t, struct tcp_conn *c, bool fresh, bool bare,
			     uint8_t *tos)
{
	bool ect = fresh || (c->ecn & CONN_ACCURATE && t->config.ecn_everywhere);
	if (ect && !(c->ecn & CONN_ACE_NOT_ECT))
		*tos |= IP_ECT0;
	if (c->ecn & CONN_ACCURATE)
		return accurate_flags(c, bare);
	uint16_t flags = c->ecn & CONN_ECN_ECHO ? TCP_ECE : 0;
	if (fresh && c->ecn & CONN_ECN_CWR) {
		c->ecn &= (uint8_t)~CONN_ECN_CWR;
		flags |= TCP_CWR;
	}
	return flags;
}

/* The way to us: RFC 3168 6.1.3. */
static void take_mark(struct transport *t, struct tcp_conn *c, const struct rx *rx,
		      const struct tcp_segment *seg)
{
	unsigned mark = rx->tos & IP_ECN_MASK;
	if (seg->flags & TCP_CWR) { /* before CE: a mark on this segment is a new one */
		c->ecn &= (uint8_t)~CONN_ECN_ECHO;
		conn_owe_ack(t, c, WHY_ACK_NOW); /* its window may be one segment */
	}
	if (mark != IP_NOT_ECT)
		c->ecn |= CONN_ECN_SEEN;
	if (mark != IP_CE)
		return;
	struct tcp_flight *f = conn_flight(t, c);
	if (f) {
		f->ce_received += seg->segments;
		if (!(c->ecn & CONN_ECN_ECHO) && f->quick < QUICK_AFTER_MARK)
			f->quick = QUICK_AFTER_MARK;
	}
	c->ecn |= CONN_ECN_ECHO;
}

uint32_t conn_ecn_delivered(struct tcp_conn *c, const struct tcp_segment *seg)
{
	struct tcp_flight *f = c->flight;
	uint32_t delivered = (uint32_t)f->bytes_acked + f->board.sacked;
	uint32_t fresh = delivered - f->ecn_delivered;
	f->ecn_delivered = delivered;
	if (f->ecn_high - c->snd_una > c->snd_nxt - c->snd_una) /* or it comes round again */
		f->ecn_high = c->snd_una - 1;
	return fresh <= INT32_MAX && seg->ack == c->snd_una ? fresh : 0; /* SACKs are forgotten */
}

/* The way from us: ECE is about everything that this ACK delivers, as Linux counts. */
static void take_echo(struct transport *t, struct tcp_conn *c, const struct tcp_segment *seg)
{
	uint32_t fresh = conn_ecn_delivered(c, seg);
	if (!(seg->flags & TCP_ECE) || seg->ack != c->snd_una)
		return;
	c->flight->ce_delivered += (fresh + c->mss - 1) / c->mss;
	conn_take_echo(t, c);
}

void conn_take_ecn(struct transport *t, struct tcp_conn *c, const struct rx *rx,
		   const struct tcp_segment *seg)
{
	if (c->ecn & CONN_ACCURATE) {
		conn_take_accurate(t, c, rx, seg);
		return;
	}
	if (seg->h.flags & TCP_SYN) /* there the flags mean something else */
		return;
	if (seg->text_len)
		take_mark(t, c, rx, seg);
	if (c->flight)
		take_echo(t, c, seg);
}
