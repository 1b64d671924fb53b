/*
 * A sent range: a stretch of what was sent, one for each frame at first. It knows when
 * it was last sent and what became of it, and the segments that it was sent as, counted
 * from its end, because acknowledgments cut it from the start: RACK judges by what was
 * sent, so a SACK block counts for the segments that lie in it whole (RFC 6675 4, RFC
 * 8985 6.2); a part of one stays in doubt until the block grows or SND.UNA passes it.
 * Only a block as long as a segment in which none lies whole counts by bytes: somebody
 * on the way has cut the segments anew.
 */
#ifndef STRATA_TRANSPORT_RECOVERY_SENT_RANGE_H
#define STRATA_TRANSPORT_RECOVERY_SENT_RANGE_H

#include "base/list.h"
#include "base/nanotime.h"
#include "base/tree.h"
#include "transport/recovery/rate.h"

enum sent_flag {
	SENT_SACKED = 1,
	SENT_LOST = 2,  /* deemed lost; never together with SACKED */
	SENT_AGAIN = 4, /* lost, and sent again since */
	SENT_TWICE = 8, /* was ever retransmitted: no RTT sample from it (Karn) */
	SENT_PART = 16, /* AGAIN, but only its first bytes: there was no range for the rest */
};

struct sent_range {
	struct list link;
	struct list again; /* AGAIN: in the order of retransmission */
	uint32_t start, end;
	nanotime sent;     /* last time */
	uint16_t pieces;   /* segments that it was sent as; merged ranges add theirs up */
	/* of its segments: the bytes of each but the last, and those of the last (0: as it follows
	 * from `pieces`); 1 and 1 where they are of several lengths, so that bytes count */
	uint16_t mss, tail;
	uint8_t flags;     /* enum sent_flag */
	uint8_t tries;     /* retransmissions */
	struct rate_mark mark; /* while the board has a rate */
	struct tree_node node; /* while it is in the tree */
};

static inline uint32_t range_len(const struct sent_range *r)
{
	return r->end - r->start;
}

/* Is it outstanding, neither SACKED nor LOST? */
static inline bool range_in_doubt(const struct sent_range *r)
{
	return !(r->flags & (SENT_SACKED | SENT_LOST));
}

/* Is it to be sent again? */
static inline bool range_waits(const struct sent_range *r)
{
	return (r->flags & (SENT_LOST | SENT_AGAIN)) == SENT_LOST;
}

/* As many as the field can tell. */
static inline uint16_t range_pieces_capped(uint32_t pieces)
{
	return (uint16_t)(pieces > UINT16_MAX ? UINT16_MAX : pieces);
}

/* How long its last segment is: reckoned when first asked for, or before the range is cut. */
static inline void range_settle(struct sent_range *r)
{
	if (!r->tail)
		r->tail = (uint16_t)(range_len(r) - (r->pieces - 1u) * r->mss);
}

/* Its segments are of several lengths, or nobody knows. */
static inline void range_count_bytes(struct sent_range *r)
{
	r->tail = r->mss = 1;
}

/* The first end of one of its segments that is not before `at`, and the last one not past it;
 * both may be the range's own start, where a segment begins. */
uint32_t range_segment_from(struct sent_range *r, uint32_t at);
uint32_t range_segment_until(struct sent_range *r, uint32_t at);
/* How many segments it has now, cut from the start and split as it is. */
uint32_t range_pieces(const struct sent_range *r);
/* Sets `pieces` to that. */
void range_count(struct sent_range *r);
/* `r` takes in the bytes and the segments of `after`, which begins where it ends. */
void range_append(struct sent_range *r, struct sent_range *after);

#endif
