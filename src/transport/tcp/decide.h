/*
 * The output decision: what should this connection send now, and if nothing, what
 * is it waiting for? Pure: it reads a connection and changes nothing, so "why is
 * nothing sent?" always has an answer.
 */
#ifndef STRATA_TRANSPORT_TCP_DECIDE_H
#define STRATA_TRANSPORT_TCP_DECIDE_H

#include "transport/tcp/ecn.h"

enum tcp_wait {
	WAIT_NOTHING,  /* nothing is queued */
	WAIT_CWND,     /* the congestion window is full */
	WAIT_RWND,     /* the peer's window is full */
	WAIT_NAGLE,    /* a small segment is already in flight */
	WAIT_SWS,      /* the peer's window takes only a sliver */
	WAIT_CORK,     /* the application holds a small segment back */
	WAIT_MEMORY,   /* no sent range is free */
	WAIT_HANDSHAKE, /* not connected yet */
	WAIT_PACING,   /* its rate says: later */
	WAIT_COUNT
};

const char *tcp_wait_text(enum tcp_wait w);

enum tcp_plan_kind {
	PLAN_NONE,
	PLAN_TIMEOUT, /* an ACK with our user timeout: conn_send_timeout */
	PLAN_AGAIN, /* retransmit the start of `range` */
	PLAN_NEW,   /* new data, FIN, or both */
	PLAN_TAIL,  /* the last segment once more: a tail loss probe */
	PLAN_PROBE, /* an old sequence number without text, to provoke an ACK */
	PLAN_ACK,   /* a bare ACK */
};

struct tcp_plan {
	enum tcp_plan_kind kind;
	enum tcp_wait wait;  /* PLAN_NONE, PLAN_ACK: what data waits for */
	enum tx_why why;
	uint32_t seq, len;
	uint32_t mss;        /* payload of a full segment, beside what options take now */
	bool fin, push;
	bool probe;          /* its answer tells something: enum tcp_probing */
	struct sent_range *range;
};

/* `gso_max`: the largest payload of a super-frame; below two segments there is none. */
struct tcp_plan tcp_decide(const struct transport *t, const struct tcp_conn *c, uint32_t gso_max);

/* Beside held text: is a FIN there whose place none of it touches, nor lies beyond? */
static inline bool conn_fin_apart(const struct tcp_flight *f)
{
	const struct interval_set *held = f->held;
	return f->fin_ahead &&
	       !(held->count && seq_ge(interval_at(held, held->count - 1)->end, f->fin_seq));
}
/* The same for a connection that has something to tell, if it may. */
uint32_t conn_sack_room_told(const struct transport *t, const struct tcp_conn *c);
/* Bytes that SACK blocks take from each segment now. */
static inline uint32_t conn_sack_room(const struct transport *t, const struct tcp_conn *c)
{
	const struct tcp_flight *f = c->flight;
	if (!f || (!f->held && f->twice_start == f->twice_end))
		return 0;
	return conn_sack_room_told(t, c);
}

#endif
