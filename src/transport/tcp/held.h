/*
 * Text held beyond a hole: which ranges of the receive ring are filled. 32 ranges
 * have a place from the beginning; a connection that loses more in one round trip, as
 * slow start does on a path with a deep queue, takes a block of the rings' memory
 * for hundreds, and a large one for thousands. Only text that is worth it opens these: a
 * peer that sends every second byte gets 32 ranges (CVE-2018-5390).
 */
#ifndef STRATA_TRANSPORT_TCP_HELD_H
#define STRATA_TRANSPORT_TCP_HELD_H

#include "transport/tcp/tcp_conn.h"

/* Makes sure of a set. False: no memory. */
bool held_begin(struct transport *t, struct tcp_flight *f);
/* Remembers [start, end). False: there is no place for it. */
bool held_add(struct transport *t, struct tcp_flight *f, uint32_t start, uint32_t end);
/* How far the text goes without a hole, now that it goes to `next`; forgets what is before. */
uint32_t held_reach(struct transport *t, struct tcp_flight *f, uint32_t next);
/* Gives up the farthest text, so that the hole can be filled (RFC 2018 8). False: there is none. */
bool held_give_way(struct transport *t, struct tcp_flight *f);
/* Gives back the set as it is; the text stays where it is. */
void held_drop(struct transport *t, struct tcp_flight *f);
/* Gives back an empty set, unless a FIN is held as well, of which SACK has to tell. */
static inline void held_end(struct transport *t, struct tcp_flight *f)
{
	if (f->held && f->held->count == 0 && !f->fin_ahead)
		held_drop(t, f);
}

#endif
