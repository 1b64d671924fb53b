/*
 * RACK: loss detection by time (RFC 8985). A range is lost when one that was sent
 * later has arrived, and the time in which reordering might still excuse it has
 * passed. So one segment that arrives is enough, retransmissions that are lost are
 * found as any other, and reordering costs a short wait and no window.
 *
 * The reordering window is a quarter of the smallest RTT once reordering was seen
 * (and nothing before that, where DupThresh SACKed segments or a recovery say
 * "loss" as in RFC 6675); it widens by as much for each round that proved a
 * retransmission needless by a DSACK (RFC 8985 6.2 step 4), and narrows again after
 * 16 recoveries without one.
 *
 * Works on a scoreboard and numbers; sees no connection. Times are nanoseconds.
 */
#ifndef STRATA_TRANSPORT_RECOVERY_RACK_H
#define STRATA_TRANSPORT_RECOVERY_RACK_H

#include "transport/recovery/min_rtt.h"
#include "transport/recovery/scoreboard.h"

struct rack {
	nanotime sent;      /* RACK.xmit_ts, RACK.end_seq: of the range that was sent last of */
	uint32_t end;       /* those that arrived */
	uint32_t dsack_end; /* RACK.dsack_round: the round ends when this is acknowledged */
	nanodiff rtt;       /* RACK.rtt: of what arrived last */
	nanodiff window;    /* RACK.reo_wnd, as of the last look */
	uint8_t steps;      /* RACK.reo_wnd_mult */
	uint8_t persist;    /* RACK.reo_wnd_persist: recoveries until it narrows */
	bool arrived;       /* sent, end and rtt hold */
	bool reordered;     /* RACK.reordering_seen */
	bool dsack_round;   /* dsack_end is valid: this round had its DSACK */
};

#define RACK_STEPS_MAX  255

/* What a look goes by. */
struct rack_rules {
	nanodiff min_rtt, srtt;
	uint32_t dup_thresh; /* SACKed segments that mean a loss without delay (RFC 5681, 6675) */
	bool in_recovery;    /* a recovery or an RTO is under way already */
	bool patient;        /* the reordering window counts in any case */
};

/* In memory that is all zero. */
static inline void rack_init(struct rack *zeroed)
{
	zeroed->steps = 1;
}

/*
 * What an ACK can be the answer to (step 2): a retransmission that was sent later than this cannot
 * have arrived yet. `min_rtt`: an answer faster than any was meant for the original; `echoed` is
 * the time that the ACK's timestamp echoes, rounded up to its tick, or -1 without timestamps.
 */
static inline nanotime rack_answered_to(nanodiff min_rtt, nanotime echoed, nanotime now)
{
	nanotime by_rtt = now - min_rtt;
	return echoed >= 0 && echoed < by_rtt ? echoed : by_rtt;
}

/* Steps 2 and 3: takes what an ACK brought; its `answered_to` was set before the scoreboard
 * took it. */
void rack_take(struct rack *k, const struct board_news *n, nanotime now);

/* Step 4, first half: an ACK carried a DSACK; `una` and `nxt` are SND.UNA before it, SND.NXT. */
void rack_dsack(struct rack *k, uint32_t una, uint32_t nxt);
/* Step 4, second half: a recovery ended. */
void rack_recovered(struct rack *k);

/*
 * Step 5: marks as lost what time says is lost. Returns the bytes newly lost; *next is when to
 * look again, NANOTIME_NEVER where no time decides anything (step 5's timer, RFC 8985 6.2).
 */
uint32_t rack_find_lost(struct rack *k, struct scoreboard *b, struct pool *p,
			const struct rack_rules *rules, nanotime now, nanotime *next);

/* An RTO fired (RFC 8985 6.3): the first range is lost, and of the others those that were sent
 * long enough ago. Returns the bytes newly lost. */
uint32_t rack_timeout(const struct rack *k, struct scoreboard *b, struct pool *p, nanotime now);

#endif
