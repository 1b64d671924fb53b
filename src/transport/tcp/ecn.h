/*
 * What the parts of TCP ask of ecn.c. A connection without ECN has c->ecn == 0, and
 * nobody calls any of this for it.
 */
#ifndef STRATA_TRANSPORT_TCP_ECN_H
#define STRATA_TRANSPORT_TCP_ECN_H

#include "transport/tcp/tcp_conn.h"

/* enum tcp_ecn_use of an owner. */
static inline unsigned ecn_use(const struct transport *t, uint32_t sock)
{
	unsigned own = t->options[sock].ecn;
	return own ? own - 1 : t->config.ecn;
}

/* Is it an ECN-setup SYN (RFC 3168 6.1.1)? */
static inline bool ecn_asked(const struct tcp_segment *seg)
{
	return (seg->flags & (TCP_ECE | TCP_CWR)) == (TCP_ECE | TCP_CWR);
}

/* What an embryo of this SYN remembers: EMBRYO_ECN where ECN is to be used. */
static inline uint8_t ecn_of_syn(const struct transport *t, uint32_t sock,
				 const struct tcp_segment *seg)
{
	return ecn_asked(seg) && ecn_use(t, sock) != ECN_USE_OFF ? EMBRYO_ECN : 0;
}

/* The flags of our SYN or SYN-ACK; a SYN that goes again asks no more. */
uint16_t conn_ecn_of_syn(struct tcp_conn *c);
/* The peer's SYN or SYN-ACK, in SYN-SENT: does it agree? */
void conn_take_syn_ecn(struct tcp_conn *c, const struct tcp_segment *seg);
/* The flags of another segment, and the mark of one with new data (`fresh`) in *tos. */
uint16_t conn_ecn_of_segment(struct tcp_conn *c, bool fresh, uint8_t *tos);
/* What an acceptable segment says of congestion on either way; after its ACK was taken. */
void conn_take_ecn(struct transport *t, struct tcp_conn *c, const struct rx *rx,
		   const struct tcp_segment *seg);
/* recover.c: the peer echoes a mark. One answer for each window of data (RFC 3168 6.1.2). */
void conn_take_echo(struct transport *t, struct tcp_conn *c);

#endif
