/*
 * What the parts of TCP ask of ecn.c and accecn.c. A connection without ECN has
 * c->ecn == 0, and nobody calls any of this for it.
 */
#ifndef STRATA_TRANSPORT_TCP_ECN_H
#define STRATA_TRANSPORT_TCP_ECN_H

#include "transport/tcp/tcp_conn.h"

/* The three flags as a number, AE first: RFC 9768's ACE field. */
#define ACE_SHIFT	  6
#define ACE_FLAGS	  (TCP_AE | TCP_CWR | TCP_ECE)
#define ACE_SYN_TRIES	  2 /* SYNs that ask for accurate feedback (3.1.4.1) ... */
#define ACE_SYN_ACK_TRIES 2 /* ... and SYN-ACKs that agree to it, before plain ones (3.2.3.2.2) */

static inline unsigned ace_of(const struct tcp_segment *seg)
{
	return seg->flags >> ACE_SHIFT & 7u;
}

/* enum tcp_ecn_use of an owner. */
static inline unsigned ecn_use(const struct transport *t, uint32_t sock)
{
	unsigned own = t->options[sock].ecn;
	return own ? own - 1 : t->config.ecn;
}

/* What a connection of ours begins with: enum tcp_conn_ecn. */
static inline uint8_t ecn_to_ask(unsigned use)
{
	static const uint8_t begins[ECN_USES] = {
		[ECN_USE_ASK] = CONN_ECN,
		[ECN_USE_ACCURATE] = CONN_ECN | CONN_ACCURATE,
		[ECN_USE_ACCURATE_ASK] = CONN_ECN,
	};
	return begins[use];
}

/* What an embryo of this SYN begins with. */
uint8_t ecn_agreed(unsigned use, const struct rx *rx, const struct tcp_segment *seg);
static inline uint8_t ecn_of_syn(unsigned use, const struct rx *rx, const struct tcp_segment *seg)
{
	return seg->flags & ACE_FLAGS ? ecn_agreed(use, rx, seg) : 0;
}
/* The SYN came again, perhaps as another: false where it contradicts the one before (3.1.5). */
bool ecn_of_syn_again(unsigned use, uint8_t *ecn, const struct rx *rx,
		      const struct tcp_segment *seg);
/* Does this ACK of a SYN cookie show that accurate feedback was agreed on (5.1)? */
uint8_t ecn_of_cookie(unsigned use, const struct tcp_segment *seg);
/* The flags of the SYN-ACK that goes for the `tries`th time, from 0. */
uint16_t ecn_agreement(uint8_t ecn, unsigned tries);
static inline uint16_t ecn_of_syn_ack(uint8_t ecn, unsigned tries)
{
	return ecn ? ecn_agreement(ecn, tries) : 0;
}
/* The option of a SYN-ACK: what the counters are before anything came. `crowded`: there is little
 * room. */
void ecn_first_option(const struct transport *t, struct tcp_options *o, bool crowded);

/* The flags and the option of our SYN or SYN-ACK; a SYN that goes again may ask no more. */
uint16_t conn_ecn_of_syn(const struct transport *t, struct tcp_conn *c, struct tcp_options *o);
/* The peer's SYN or SYN-ACK, in SYN-SENT: does it agree? */
void conn_take_syn_ecn(struct transport *t, struct tcp_conn *c, const struct rx *rx,
		       const struct tcp_segment *seg);
/* The flags of another segment, and the mark of one with new data (`fresh`) in *tos; `bare`: a pure
 * ACK without SACK blocks. */
uint16_t conn_ecn_of_segment(const struct transport *t, struct tcp_conn *c, bool fresh, bool bare,
			     uint8_t *tos);
/* Must the next segment be one alone, because its CWR flag has a meaning that who cuts
 * super-frames may not know (RFC 9768 3.3.4)? */
bool conn_ecn_alone(const struct tcp_conn *c);
/* What an acceptable segment says of congestion on either way; after its ACK was taken. */
void conn_take_ecn(struct transport *t, struct tcp_conn *c, const struct rx *rx,
		   const struct tcp_segment *seg);
/* Bytes that were delivered since this was asked last; an ACK that is no news delivers none. */
uint32_t conn_ecn_delivered(struct tcp_conn *c, const struct tcp_segment *seg);
/* recover.c: the peer echoes a mark. One answer for each window of data (RFC 3168 6.1.2). */
void conn_take_echo(struct transport *t, struct tcp_conn *c);

/* accecn.c */
/* The ACE field of what we send now. */
unsigned conn_ace(const struct tcp_conn *c);
/* The same as flags, while nothing has come that counts; none without accurate feedback. */
uint16_t ecn_uncounted(uint8_t ecn);
/* The ACE field by which a SYN-ACK or its ACK tells the other's mark: tables 2 and 3. */
unsigned ace_of_mark(unsigned mark);
void conn_take_accurate(struct transport *t, struct tcp_conn *c, const struct rx *rx,
			const struct tcp_segment *seg);
/* The SYN-ACK again, after the handshake: our ACK of it may have been lost. */
void conn_take_syn_ack_again(struct tcp_conn *c, const struct rx *rx,
			     const struct tcp_segment *seg);
/* Bytes of the option in the next segment, beside `sack` bytes of SACK; its writing at `at`. */
uint32_t conn_accecn_room(const struct transport *t, const struct tcp_conn *c, uint32_t sack);
void conn_accecn_put(const struct transport *t, struct tcp_conn *c, uint8_t *at, uint32_t room);
/* SACK blocks that fit beside the option; at least two go first (3.2.3.3). */
uint32_t conn_accecn_blocks(const struct transport *t, const struct tcp_conn *c, uint32_t most);
/* Text that began at `start` came twice. Where an option has told so before, it seems that options
 * make ACKs get lost (RFC 9768 3.2.3.2.2). */
void conn_accecn_came_twice(struct tcp_flight *f, uint32_t start);
/* The option of a SYN-ACK, or of the first segment after ours. */
void conn_take_first_option(struct transport *t, struct tcp_conn *c, const struct tcp_segment *seg);

#endif
