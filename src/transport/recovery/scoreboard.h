/*
 * The scoreboard: what was sent and not yet acknowledged, as a list of ranges in
 * sequence order, one for each frame sent. A range knows when it was last sent
 * and what became of it: selectively acknowledged, deemed lost, sent again. RTT
 * samples, loss detection and retransmission all live on it (RFC 6675, 6298);
 * it knows numbers and no connection.
 *
 * Ranges come from a bounded pool that all connections share. When it is empty
 * the newest range grows instead of a new one being made: timing gets coarser,
 * and nothing else is lost. Neighbouring lost ranges become one, so that what is
 * sent again is cut by the segment size of that time, not by old boundaries: a
 * thousand one-byte segments come again as one.
 *
 * What was sent once stands in the order of time as it stands in the order of
 * sequence; what was sent again has a list of its own in the order of time. So
 * RACK looks at the oldest of each and stops at the first that is young enough.
 *
 * Where something is odd a tree stands over the ranges, by which a SACK block finds its
 * place among n of them in O(log n) steps, and so does the next one to be sent again.
 * Each range goes in once, when the first SACK or loss after it was sent is taken;
 * whoever loses nothing has no tree and pays nothing for it.
 *
 * The bytes in flight ("pipe") are outstanding - sacked - lost + again, where
 * `again` counts the lost bytes that were sent once more.
 */
#ifndef STRATA_TRANSPORT_RECOVERY_SCOREBOARD_H
#define STRATA_TRANSPORT_RECOVERY_SCOREBOARD_H

#include "base/arena.h"
#include "base/interval.h"
#include "base/seq.h"
#include "transport/recovery/sent_range.h"

struct scoreboard {
	struct list ranges;      /* sorted by start, disjoint, no gaps */
	struct list resent;      /* the AGAIN ones, oldest retransmission first */
	uint32_t count;
	uint32_t sacked, lost, again; /* bytes */
	uint32_t sacked_pieces;  /* segments SACKed */
	uint32_t again_count;    /* ranges in `resent`: one for each segment sent again */
	uint32_t delivered_end;  /* highest sequence number known to have arrived (RACK.fack) */
	struct tree tree;        /* of the ranges up to ... */
	struct sent_range *in_tree; /* ... this one: all that are not as when first sent; or NULL */
	struct sent_range *judged; /* all before it are SACKED or LOST; NULL: from the start */
	struct rate *rate;       /* learns of what is sent, arrives and gets lost; NULL: nobody */
};

/* What one acknowledgment brought. */
struct board_news {
	uint32_t acked;       /* bytes that left cumulatively and had not been SACKed */
	uint32_t sacked;      /* bytes newly SACKed */
	bool twice;           /* some of it had been retransmitted */
	bool original;        /* some of it was sent once only: original_end is where that ends */
	/* latest time of sending among what is new and was sent once; -1: none */
	nanotime newest_sent;
	nanotime first_sent;  /* earliest such time, for RTT without delayed ACKs' bias; -1: none */
	/*
	 * RFC 8985 6.2 step 2, of what is new: the range that was sent last of all, and when the
	 * one that came last in the ACK's order was sent (-1: none). What was sent again later
	 * than `answered_to` counts for neither: this ACK was meant for the original.
	 */
	nanotime last_sent, latest_sent, answered_to;
	uint32_t last_end;
	uint32_t original_end; /* of the first range that was sent once only */
	bool begun;            /* there was something new: */
	uint32_t delivered_end; /* the board's, before it */
	uint32_t reordered;    /* bytes by which the first of such came late, 0: none (step 3) */
};

#define BOARD_NEWS_NONE                                                                           \
	((struct board_news){ .newest_sent = -1,                                                  \
			      .first_sent = -1,                                                   \
			      .last_sent = -1,                                                    \
			      .latest_sent = -1,                                                  \
			      .answered_to = NANOTIME_NEVER })

void board_init(struct scoreboard *b, uint32_t una);
void board_clear(struct scoreboard *b, struct pool *p);

/* From now on `rate` (or NULL: nobody) learns of it all, with what is outstanding as if it was
 * sent now. While there is one, rate->now is to be set before an ACK is taken, and
 * board_ack_clean is not for use. */
void board_measure(struct scoreboard *b, struct rate *rate, nanotime now);

static inline struct sent_range *board_first(const struct scoreboard *b)
{
	return list_empty(&b->ranges) ? NULL : list_entry(b->ranges.next, struct sent_range, link);
}

static inline bool board_clean(const struct scoreboard *b)
{
	return !(b->sacked | b->lost);
}

static inline uint32_t board_in_flight(const struct scoreboard *b, uint32_t outstanding)
{
	return outstanding - b->sacked - b->lost + b->again;
}

/* May new bytes be sent now, i.e. can they be remembered? False: the pool is empty. */
static inline bool board_can_send(const struct scoreboard *b, const struct pool *p)
{
	if (p->free || p->fresh < p->count)
		return true;
	return !list_empty(&b->ranges) &&
	       !(list_entry(b->ranges.prev, struct sent_range, link)->flags &
		 (SENT_SACKED | SENT_LOST));
}

static inline struct sent_range *board_last(const struct scoreboard *b)
{
	return list_empty(&b->ranges) ? NULL : list_entry(b->ranges.prev, struct sent_range, link);
}

/* New bytes [start, end) were sent at `now` as `pieces` segments, all but the last of `mss` bytes;
 * start is where the last range ends, and board_can_send. */
void board_sent(struct scoreboard *b, struct pool *p, uint32_t start, uint32_t end,
		uint32_t pieces, uint32_t mss, nanotime now);
/* Everything before `una` is acknowledged. */
void board_ack(struct scoreboard *b, struct pool *p, uint32_t una, struct board_news *n);
/*
 * The same for a board of which nothing is SACKED or LOST, and for `una` past its start: the
 * common case, in few instructions. Returns whether some of it was sent twice; *first and *newest
 * are the times of sending of the first and the last range it touched.
 */
bool board_ack_clean(struct scoreboard *b, struct pool *p, uint32_t una, nanotime *first,
		     nanotime *newest);
/* [start, end) is selectively acknowledged: counts for the segments that lie in it whole; splits
 * ranges that it cuts. */
void board_sack(struct scoreboard *b, struct pool *p, uint32_t start, uint32_t end,
		struct board_news *n);
/* The last range that does not start behind `at`, or the first of all; NULL: there is none. */
struct sent_range *board_at(struct scoreboard *b, uint32_t at);
/* The first range in doubt, or NULL. */
struct sent_range *board_first_in_doubt(struct scoreboard *b);
/* Marks a range in doubt, or one that was sent AGAIN, as lost (once more). Returns the range
 * that holds it now: it may have become one with the lost range before it. */
struct sent_range *board_lose(struct scoreboard *b, struct pool *p, struct sent_range *r);
/* Marks the first range lost (NewReno: a partial or third duplicate ACK). Returns bytes. */
uint32_t board_lose_first(struct scoreboard *b, struct pool *p, uint32_t mss);
/* Marks as lost what is in doubt and lies before `thresh` SACKed segments (RFC 6675 4: IsLost).
 * Returns bytes. */
uint32_t board_lose_counted(struct scoreboard *b, struct pool *p, uint32_t thresh);
/* In segments, counted when asked for. */
struct board_segments {
	uint32_t sent, sacked, lost, again;
};
struct board_segments board_segments(const struct scoreboard *b);
/* After an RTO: all that is not SACKed is lost, and nothing counts as sent again. */
void board_lose_all(struct scoreboard *b, struct pool *p);
/* The loss was none (RFC 4015): what waits to be sent again is in doubt as before. */
void board_unlose(struct scoreboard *b);
/* Forgets all SACKs (the peer may have reneged: RFC 2018 8); before board_lose_all. */
void board_forget_sacks(struct scoreboard *b);
/* The first lost range that was not sent again, or NULL. */
struct sent_range *board_next_lost(struct scoreboard *b);
/* The first `len` bytes of a lost range were sent again: splits it where shorter. */
void board_sent_again(struct scoreboard *b, struct pool *p, struct sent_range *r, uint32_t len,
		      nanotime now);
/* The last `len` bytes were sent again as a probe, lost or not (RFC 8985 7.3). */
void board_sent_probe(struct scoreboard *b, struct pool *p, uint32_t len, nanotime now);

#endif
