/*
 * What every layer of one stack shares: the timer wheel, the random generator,
 * the hash key, the checksum ops, the counters, the trace, and the one scratch
 * frame that transmit builds in. Owned by the stack, handed to each layer's
 * init; no layer keeps a second copy.
 */
#ifndef STRATA_PACKET_CORE_H
#define STRATA_PACKET_CORE_H

#include "base/checksum.h"
#include "base/hash.h"
#include "base/wheel.h"
#include "packet/frame.h"
#include "packet/trace.h"

enum timer_kind {
	TIMER_NEIGHBOUR = 1, /* access */
	TIMER_INTERNET,      /* internet */
	TIMER_TCP,           /* transport: a connection */
	TIMER_TCP_EMBRYO,
	TIMER_TCP_TIME_WAIT,
	TIMER_TRANSPORT,     /* transport: other */
};

enum fate {
	FATE_NONE,
	FATE_DELIVERED, /* an endpoint took it */
	FATE_ANSWERED,  /* a reply was queued */
	FATE_HELD,      /* kept: a fragment */
	FATE_FORWARDED,
	FATE_DROPPED,
	FATE_COUNT
};

struct counters {
	uint64_t rx_frames, rx_bytes, rx_segments;
	uint64_t tx_frames, tx_bytes, tx_segments;
	uint64_t fate[FATE_COUNT];
	uint64_t drop[DROP_COUNT]; /* received frames, by reason */
	uint64_t tx_drop[DROP_COUNT]; /* frames of ours that could not be sent */
	uint64_t sent_why[WHY_COUNT];
};

struct core {
	struct wheel *wheel;
	struct rng *rng;
	struct hash_key key; /* tables */
	const struct checksum_ops *checksum;
	struct counters *counters;
	struct trace *trace;
	struct tx_frame *frame;
	/* layers 1 or 2 queued something to send; the stack clears it when all is out */
	bool queued;
};

#endif
