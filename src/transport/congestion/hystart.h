/*
 * HyStart++ (RFC 9406): when to leave the first slow start. A queue that builds up
 * shows as a round trip that is longer in this round than in the last; then comes
 * Conservative Slow Start, which grows at a quarter of the pace for at most five
 * rounds. If the round trip falls again the rise was jitter, and slow start goes on;
 * if not, congestion avoidance begins without a loss.
 *
 * It sees samples and sequence numbers; how much the window grows is its owner's
 * affair. L of section 4.2, which bounds the growth an ACK brings, is unlimited: the
 * bursts it should prevent are the pacer's affair, and where frames are aggregated
 * each ACK covers dozens of segments.
 */
#ifndef STRATA_TRANSPORT_CONGESTION_HYSTART_H
#define STRATA_TRANSPORT_CONGESTION_HYSTART_H

#include "transport/congestion/congestion.h"

#define HYSTART_CSS_DIVISOR 4 /* of the growth, while conservative */

enum hystart_pace {
	HYSTART_DOUBLE,       /* grow by what was acknowledged */
	HYSTART_CONSERVATIVE, /* by a quarter of it */
	HYSTART_LEAVE,        /* slow start is over */
};

struct hystart {
	uint32_t round_end; /* the round ends when this is acknowledged */
	uint32_t least;     /* round trip of all, us; UINT32_MAX: none */
	uint32_t last_min;  /* least of the last round */
	uint32_t round_min; /* of this one */
	uint32_t baseline;  /* when it became conservative */
	uint8_t samples;    /* in this round */
	uint8_t rounds;     /* conservative ones, the one it began in included */
	bool conservative;
	bool begun;
};

void hystart_init(struct hystart *h);
/* An ACK in slow start. */
enum hystart_pace hystart_ack(struct hystart *h, const struct cc_ack *a);
/*
 * The same by HyStart's delay rule, of which RFC 9438 4.10 knows as an alternative: the first
 * rise over the least round trip ends slow start, without a second look.
 */
enum hystart_pace hystart_abrupt(struct hystart *h, const struct cc_ack *a);

#endif
