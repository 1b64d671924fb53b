/*
 * The delivery rate: how fast the path has lately carried data to the receiver, as
 * draft-ietf-ccwg-bbr section 4.1 samples it. Each range sent carries a mark that
 * says what had been delivered, and when, at the time it was sent. When the range is
 * acknowledged, the data delivered in between over the time in between is a sample;
 * the time is the longer of the spacing of sending and of acknowledging, so that
 * bursts of ACKs do not look like a fast path.
 *
 * A sample is app-limited when the sender ran out of data before the pipe was full:
 * it says what the path carried at least, and not what it can carry.
 *
 * The order of calls: rate_sent for each range that is sent or sent again; for an
 * ACK, rate_acked for each range it newly acknowledges and rate_lost for each range
 * it shows lost, in any order, then rate_take once. Losses found by a timer count
 * for the next ACK's sample. A range that is split keeps a copy of the mark in both
 * parts. Counters wrap; only differences are used.
 */
#ifndef STRATA_TRANSPORT_RECOVERY_RATE_H
#define STRATA_TRANSPORT_RECOVERY_RATE_H

#include "base/nanotime.h"

#include <assert.h>
#include <stdbool.h>

/* Of what was in flight when a range was sent, the part whose loss is worth telling at once. */
#define RATE_LOSS_PART 50 /* one in 50: 2 % */

/* What a range remembers of the moment when it was last sent; beside its time of sending. */
struct rate_mark {
	uint32_t delivered;    /* bytes delivered until then */
	uint32_t lost;         /* bytes lost until then */
	uint32_t in_flight;    /* bytes in flight, this range included */
	uint32_t send_elapsed; /* us since the first data of that flight was sent */
	uint32_t ack_elapsed;  /* us since the latest delivery */
	uint32_t app_limited;  /* bool */
};
static_assert(sizeof(struct rate_mark) == 24, "each sent range has one");

/* What one ACK says. Amounts are bytes. */
struct rate_sample {
	uint64_t rate;            /* bytes/s; 0: no sample in this ACK */
	nanodiff interval;        /* ns that `delivered` took */
	uint32_t delivered;       /* in that interval */
	uint32_t prior_delivered; /* delivered until the newest range acknowledged was sent */
	uint32_t total_delivered; /* until now */
	uint32_t tx_in_flight;    /* in flight when that range was sent, itself included */
	uint32_t lost;            /* from when it was sent until now */
	bool app_limited;
	bool acked;           /* something was acknowledged: the fields above are set */
	uint16_t loss_ranges; /* lost since the last sample */
	/*
	 * A range was lost, and with it more than one part in RATE_LOSS_PART of what was in flight
	 * when it was sent: the first such range since the last sample.
	 */
	bool loss_high;
	bool loss_app_limited;
	uint32_t loss_len;       /* bytes of the range */
	uint32_t loss_in_flight; /* in flight when it was sent, itself included */
	uint32_t loss_lost;      /* lost since it was sent, itself included */
};

struct rate {
	nanotime now;           /* for the caller that walks ranges: when this ACK came */
	nanotime first_sent;   /* of the flight that is being measured */
	nanotime delivered_at; /* latest delivery */
	uint32_t delivered, lost;
	uint32_t limited_until; /* app-limited until so much is delivered; valid: limited */
	bool limited;
	struct rate_sample sample; /* of the ACK that is being taken */
	nanotime sample_sent;      /* when the newest range of that ACK was sent */
	nanodiff send_elapsed, ack_elapsed;
};

void rate_init(struct rate *r, nanotime now);

/* A range of `len` bytes leaves now; `in_flight` is the pipe without it. Fills its mark. */
void rate_sent(struct rate *r, struct rate_mark *m, uint32_t len, uint32_t in_flight, nanotime now);

/* `len` bytes of a range that was last sent at `sent` were acknowledged, for the first time. */
void rate_acked(
	struct rate *r, const struct rate_mark *m, nanotime sent, uint32_t len, nanotime now);

/* `len` bytes of a range, all that was left of it, are deemed lost. */
void rate_lost(struct rate *r, const struct rate_mark *m, uint32_t len);

/*
 * The ACK is taken: fills *s and begins the next sample. `min_rtt` (0: not known) is the least
 * round trip: what seems to have taken less time is no sample. Returns whether s->rate is set.
 */
bool rate_take(struct rate *r, nanodiff min_rtt, struct rate_sample *s);

/*
 * The application has nothing more to send and neither the window nor a loss holds anything
 * back: until the `in_flight` bytes are delivered, samples are app-limited.
 */
static inline void rate_app_limited(struct rate *r, uint32_t in_flight)
{
	r->limited_until = r->delivered + in_flight;
	r->limited = true;
}

#endif
