/*
 * Congestion control: one table of operations that takes numbers and keeps the
 * window. It sees no connection: what it needs is in the arguments, what it
 * decides is cwnd, ssthresh and the pacing rate. Windows are bytes.
 *
 * Who calls what. For each ACK that acknowledges something new, selectively or not,
 * the caller runs loss detection first and then calls `ack` with the result; not
 * during fast recovery, where PRR (recovery/prr.h) sets cwnd, unless the algorithm
 * says own_window. `loss` is called once a window of data, when fast recovery
 * begins; `timeout` when the retransmission timer fires; `recovered` when all that
 * was outstanding then is acknowledged; `undo` when it turns out that nothing was
 * lost (RFC 3522, 5682, 2883); `ecn` at most once a window; `idle` before the first
 * segment after an idle time. All operations exist in each table.
 *
 * A window that the sender does not fill has not been tested, and must not grow
 * (RFC 7661, RFC 9438 5.8). The flight is largest right before an ACK, so that the
 * flights before the ACKs of one round tell whether the window was full: cc_tested
 * keeps their maximum. It is the first thing that reno and cubic ask, because on a
 * connection that the application limits it is also the last.
 */
#ifndef STRATA_TRANSPORT_CONGESTION_CONGESTION_H
#define STRATA_TRANSPORT_CONGESTION_CONGESTION_H

#include "base/nanotime.h"
#include "base/seq.h"
#include "base/span.h"

#include <assert.h>
#include <stddef.h>

#define CC_WINDOW_MAX (1u << 30) /* the largest window that RFC 7323 can offer */
#define CC_STATE      256        /* bytes for an algorithm's own state */

struct cc;
struct rate_sample; /* recovery/rate.h */

/* What one acknowledgment tells. Times are ns, amounts bytes. */
struct cc_ack {
	nanotime now;
	uint32_t acked;           /* newly acknowledged, selectively or not: DeliveredData */
	uint32_t prior_in_flight; /* the pipe before this ACK */
	uint32_t in_flight;       /* the pipe after it and after loss detection */
	uint32_t lost;            /* deemed lost because of this ACK, or since the one before */
	uint32_t snd_una;         /* after this ACK */
	uint32_t snd_nxt;         /* where a round that starts now will end */
	uint32_t ce;              /* of `acked`, what AccECN says was CE-marked (RFC 9768) */
	bool sack;                /* the peer sends SACKs: several losses a round can be seen */
	nanodiff rtt;             /* this ACK's sample, of the newest data it covers; 0: none */
	nanodiff srtt;            /* 0: no sample was ever taken */
	nanodiff min_rtt;         /* the connection's windowed minimum; 0: not kept */
	const struct rate_sample *rate; /* NULL where nobody measures it: !ops->wants_rate */
};

/* A reason to send less. */
struct cc_loss {
	nanotime now;
	uint32_t flight;    /* FlightSize (RFC 5681): snd_nxt - snd_una */
	uint32_t in_flight; /* the pipe, after the losses were marked */
	uint32_t lost;      /* bytes that were marked lost just now */
	uint32_t snd_una, snd_nxt;
	bool reduced; /* `ecn` was called for this window of data: RFC 3168 6.1.2 */
};

struct cc_ops {
	const char *name; /* as TCP_CONGESTION has it */
	/* Needs delivery rate samples: the caller keeps a struct rate and marks ranges. */
	bool wants_rate;
	/* Sets cwnd in fast recovery too: `ack` is called throughout, PRR is not used. */
	bool own_window;
	/* After cc_start set the common part. */
	void (*init)(struct cc *c, nanotime now);
	/* New data was acknowledged; see above for when. */
	void (*ack)(struct cc *c, const struct cc_ack *a);
	/*
	 * Fast recovery begins: once a window of data. Sets ssthresh, which is where PRR is
	 * heading, and cwnd to the same for a caller without PRR.
	 */
	void (*loss)(struct cc *c, const struct cc_loss *l);
	/*
	 * The retransmission timer fired for data that had not timed out before: cwnd is the loss
	 * window (RFC 5681 3.1). Not called for the back-offs that follow (RFC 5681 (4)).
	 */
	void (*timeout)(struct cc *c, const struct cc_loss *l);
	/*
	 * Recovery is over: everything that was outstanding at its start is acknowledged. After
	 * fast recovery cwnd becomes ssthresh (RFC 9937, end), after a timeout it stays.
	 */
	void (*recovered)(struct cc *c, nanotime now);
	/*
	 * The last loss or timeout was none: what it changed is as it was before (RFC 4015 3.2,
	 * RFC 9438 4.9), during recovery or after its end. cwnd never falls by it. Twice does
	 * nothing the second time. The caller then considers recovery ended; `recovered` is not
	 * called.
	 */
	void (*undo)(struct cc *c, nanotime now);
	/*
	 * The peer echoed a congestion mark (RFC 3168 6.1.2): at most once a window of data and
	 * not during recovery. Sets ssthresh and cwnd (RFC 8511), as loss does.
	 */
	void (*ecn)(struct cc *c, const struct cc_loss *l);
	/*
	 * Nothing was outstanding for `idle`, at least an RTO, and something is to be sent now
	 * (RFC 5681 4.1); or, with `idle` and `rto` the same, the window was used by less than
	 * half for so long that half of it goes (RFC 7661 4.4.3).
	 */
	void (*idle)(struct cc *c, nanodiff idle, nanodiff rto, nanotime now);
};

enum cc_phase {
	CC_OPEN,
	CC_RECOVERY, /* between loss and recovered */
	CC_TIMEOUT,  /* between timeout and recovered */
};

struct cc {
	const struct cc_ops *ops;
	uint64_t pacing_rate; /* bytes/s; 0: send as soon as the window allows */
	uint32_t cwnd, ssthresh;
	uint32_t mss;        /* the caller may change it at any time */
	uint32_t initial;    /* the initial window, bytes (RFC 6928) */
	uint32_t counted;    /* bytes acknowledged towards the next increase */
	uint32_t flight_max; /* largest flight of the round that ends at flight_end */
	uint32_t flight_end;
	uint32_t prior_cwnd; /* before the last reduction; 0: nothing to undo */
	uint32_t prior_ssthresh;
	uint32_t seed; /* for choices that flows should not make in step */
	uint8_t phase; /* enum cc_phase */
	/* CUBIC leaves slow start at the first rise of the delay, as Linux does; after cc_start */
	bool abrupt_start;
	/*
	 * Output: sends less than it could to measure something; rate_app_limited is to be called
	 * after each ACK while it is set, as what the path carries now says little.
	 */
	bool holds_back;
	bool full;                    /* the window was full in that round */
	uint64_t state[CC_STATE / 8]; /* the algorithm's own */
};

extern const struct cc_ops cc_reno, cc_cubic, cc_bbr;

/* The numbers by which options choose. */
enum cc_kind {
	CC_DEFAULT, /* what the stack's config says, or else this project does */
	CC_RENO,
	CC_CUBIC,
	CC_BBR,
	CC_KINDS
};

/* Never NULL: what is no number of ours is the default. */
const struct cc_ops *cc_of(uint8_t kind);
/* The algorithm of that name (case does not count), or CC_KINDS. */
enum cc_kind cc_find(struct span name);

/*
 * Begins with the initial window, in memory that is all zero. `mss` and `initial` are bytes and
 * not zero; `seed` is any number that differs between connections.
 */
static inline void cc_begin(struct cc *zeroed, const struct cc_ops *ops, uint32_t mss,
	uint32_t initial, uint32_t seed, nanotime now)
{
	assert(mss && initial);
	zeroed->ops = ops;
	zeroed->cwnd = initial;
	zeroed->ssthresh = UINT32_MAX;
	zeroed->mss = mss;
	zeroed->initial = initial;
	zeroed->seed = seed;
	ops->init(zeroed, now);
}

/* The same in memory of any content. */
static inline void cc_start(struct cc *c, const struct cc_ops *ops, uint32_t mss, uint32_t initial,
	uint32_t seed, nanotime now)
{
	*c = (struct cc){ .ops = NULL };
	cc_begin(c, ops, mss, initial, seed, now);
}

static inline bool cc_in_slow_start(const struct cc *c)
{
	return c->cwnd < c->ssthresh;
}

/*
 * Was the window what limited the sender in this round, so that it may grow? In slow start the
 * flight must have passed half of it (it doubles in a round), later all but a segment.
 */
static inline bool cc_tested(struct cc *c, uint32_t flight, uint32_t snd_una, uint32_t snd_nxt)
{
	bool full = flight + c->mss >= c->cwnd;
	if (full || flight > c->flight_max || seq_gt(snd_una, c->flight_end)) {
		if (full || seq_gt(snd_una, c->flight_end))
			c->full = full;
		c->flight_max = flight;
		c->flight_end = snd_nxt;
	}
	return cc_in_slow_start(c) ? c->cwnd / 2 < c->flight_max : c->full;
}

/* For the algorithms. */

/* Before a reduction: remembers window and threshold, unless a recovery is on already. */
void cc_save(struct cc *c);
/* Takes them back, but no smaller window; the phase is CC_OPEN. False: nothing was saved. */
bool cc_restore(struct cc *c);
/* `part` in 1024 of the flight (as Linux: of the window), at least two segments (RFC 5681 (4));
 * ssthresh as it is where the window is reduced already. Before the phase changes. */
uint32_t cc_reduced(const struct cc *c, const struct cc_loss *l, uint32_t part);
/* The operations `recovered` and `idle` for controls that rest on the window alone. */
void cc_recovered(struct cc *c, nanotime now);
void cc_idle(struct cc *c, nanodiff idle, nanodiff rto, nanotime now);

#endif
