/*
 * Congestion control: one table of operations that takes numbers and keeps the
 * window. It sees no connection: what it needs is in the arguments, what it
 * decides is cwnd and ssthresh. Windows are bytes.
 */
#ifndef STRATA_TRANSPORT_CONGESTION_CONGESTION_H
#define STRATA_TRANSPORT_CONGESTION_CONGESTION_H

#include "base/nanotime.h"

#include <stdbool.h>
#include <stddef.h>

struct cc;

struct cc_ack {
	nanotime now;
	uint32_t acked;     /* bytes newly acknowledged, selectively or not */
	uint32_t in_flight; /* before this ACK */
	nanodiff rtt;       /* this ACK's sample, 0: none */
	nanodiff srtt;
};

struct cc_ops {
	const char *name;
	void (*init)(struct cc *c, nanotime now);
	/* New data was acknowledged outside of recovery. */
	void (*ack)(struct cc *c, const struct cc_ack *a);
	/* Loss was detected by duplicate or selective ACKs: once a window of data. */
	void (*loss)(struct cc *c, uint32_t in_flight, nanotime now);
	/* The retransmission timer fired. */
	void (*timeout)(struct cc *c, uint32_t in_flight, nanotime now);
	/* Recovery is over: everything that was outstanding at its start is acknowledged. */
	void (*recovered)(struct cc *c, nanotime now);
	/* The sender was idle for at least an RTO (RFC 5681 4.1). */
	void (*idle)(struct cc *c, nanodiff idle, nanodiff rto);
};

struct cc {
	const struct cc_ops *ops;
	uint32_t cwnd, ssthresh;
	uint32_t mss, initial; /* initial: the initial window, bytes */
	uint32_t counted;      /* bytes acknowledged towards the next increase */
};

extern const struct cc_ops cc_reno;

static inline void cc_start(struct cc *c, const struct cc_ops *ops, uint32_t mss,
			    uint32_t initial, nanotime now)
{
	c->ops = ops;
	c->mss = mss;
	c->initial = initial;
	c->cwnd = initial;
	c->ssthresh = UINT32_MAX;
	c->counted = 0;
	ops->init(c, now);
}

static inline bool cc_in_slow_start(const struct cc *c)
{
	return c->cwnd < c->ssthresh;
}

#endif
