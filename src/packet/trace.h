/*
 * Trace events: what the stack did and why, for capture, walk and doctor. With
 * no sink a frame costs one predicted branch; events are built only when
 * somebody listens. A sink only looks: it must not call into the stack.
 */
#ifndef STRATA_PACKET_TRACE_H
#define STRATA_PACKET_TRACE_H

#include "base/addr.h"
#include "base/drop.h"
#include "base/nanotime.h"
#include "packet/frame.h"

struct netif;
struct rx;

enum trace_kind {
	TRACE_RX,        /* a frame met its fate: `rx` (its frame, fate, drop reason) */
	TRACE_TX,        /* a frame was handed to the link: `frame` with its why */
	TRACE_TX_DROP,   /* a frame could not be sent: `frame` may be NULL, `drop` */
	/* a neighbour's state changed: `flow.remote` is its address, from/to name the states */
	TRACE_NEIGHBOUR,
	TRACE_TCP_STATE, /* `flow`, from, to: names of RFC 9293's states */
	TRACE_TCP_TIMER, /* `flow`, to: which timer fired */
	/* `flow`, to: why nothing (more) is sent: "cwnd", "rwnd", "Nagle" ...; number: bytes
	 * waiting */
	TRACE_TCP_WAIT,
	TRACE_TCP_RTT,   /* `flow`, number: a round-trip sample in ns */
	TRACE_TCP_LOSS,  /* `flow`, from: cause, number: cwnd after */
	TRACE_TCP_MTU,   /* `flow`, from: what was learned, number: the path MTU after */
};

struct trace_flow {
	struct addr local, remote;
	uint16_t local_port, remote_port;
};

struct trace_event {
	enum trace_kind kind;
	enum layer layer;
	nanotime time;
	const struct netif *nif;        /* or NULL */
	const struct rx *rx;            /* TRACE_RX */
	const struct tx_frame *frame;   /* TRACE_TX */
	enum drop drop;
	struct trace_flow flow;
	const char *from, *to;          /* static strings */
	uint64_t number;
};

struct trace {
	void (*sink)(void *user, const struct trace_event *event);
	void *user;
};

static inline bool trace_on(const struct trace *t)
{
	return __builtin_expect(t->sink != NULL, 0);
}

#endif
