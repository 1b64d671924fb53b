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
 * The bytes in flight ("pipe") are outstanding - sacked - lost + again, where
 * `again` counts the lost bytes that were sent once more.
 */
#ifndef STRATA_TRANSPORT_RECOVERY_SCOREBOARD_H
#define STRATA_TRANSPORT_RECOVERY_SCOREBOARD_H

#include "base/arena.h"
#include "base/list.h"
#include "base/nanotime.h"
#include "base/seq.h"

enum sent_flag {
	SENT_SACKED = 1,
	SENT_LOST = 2,  /* deemed lost; never together with SACKED */
	SENT_AGAIN = 4, /* lost, and sent again since */
	SENT_TWICE = 8, /* was ever retransmitted: no RTT sample from it (Karn) */
};

struct sent_range {
	struct list link;
	uint32_t start, end;
	nanotime sent; /* last time */
	uint8_t flags; /* enum sent_flag */
	uint8_t tries; /* retransmissions */
};

struct scoreboard {
	struct list ranges;      /* sorted by start, disjoint, no gaps */
	uint32_t count;
	uint32_t sacked, lost, again; /* bytes */
	uint32_t sacked_end;     /* highest sequence number ever SACKed; valid while sacked > 0 */
	/* ranges before it need no look for losses; NULL: from the start */
	struct sent_range *hint;
};

/* What one acknowledgment brought. */
struct board_news {
	uint32_t acked;       /* bytes that left cumulatively and had not been SACKed */
	uint32_t sacked;      /* bytes newly SACKed */
	bool twice;           /* some of it had been retransmitted */
	/* latest time of sending among what is new and was sent once; -1: none */
	nanotime newest_sent;
	nanotime first_sent;  /* earliest such time, for RTT without delayed ACKs' bias; -1: none */
};

void board_init(struct scoreboard *b);
void board_clear(struct scoreboard *b, struct pool *p);

static inline struct sent_range *board_first(const struct scoreboard *b)
{
	return list_empty(&b->ranges) ? NULL : list_entry(b->ranges.next, struct sent_range, link);
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

/* New bytes [start, end) were sent at `now`; start is where the last range ends, and
 * board_can_send. */
void board_sent(struct scoreboard *b, struct pool *p, uint32_t start, uint32_t end, nanotime now);
/* Everything before `una` is acknowledged. */
void board_ack(struct scoreboard *b, struct pool *p, uint32_t una, struct board_news *n);
/* [start, end) is selectively acknowledged; splits ranges that it cuts. */
void board_sack(struct scoreboard *b, struct pool *p, uint32_t start, uint32_t end,
		struct board_news *n);
/*
 * Marks as lost what RFC 6675's IsLost says: unsacked ranges with more than
 * (thresh - 1) * mss bytes SACKed above them. Returns the bytes newly lost.
 */
uint32_t board_find_lost(struct scoreboard *b, struct pool *p, uint32_t mss, uint32_t thresh);
/* Marks the first range lost (NewReno: a partial or third duplicate ACK). Returns bytes. */
uint32_t board_lose_first(struct scoreboard *b, struct pool *p, uint32_t mss);
/* After an RTO: all that is not SACKed is lost, and nothing counts as sent again. */
void board_lose_all(struct scoreboard *b, struct pool *p);
/* Forgets all SACKs (the peer may have reneged: RFC 2018 8); before board_lose_all. */
void board_forget_sacks(struct scoreboard *b);
/* The first lost range that was not sent again, or NULL. */
struct sent_range *board_next_lost(struct scoreboard *b);
/* The first `len` bytes of a lost range were sent again: splits it where shorter. */
void board_sent_again(struct scoreboard *b, struct pool *p, struct sent_range *r, uint32_t len,
		      nanotime now);

#endif
