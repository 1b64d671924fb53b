/*
 * What outlives a flight: the counters of a connection's whole life, which tcp_info tells, and the
 * window as it was used last. A connection that is silent for long gives its flight back and has
 * this small record instead, until it is busy again; who never moved a byte has neither.
 */
#ifndef STRATA_TRANSPORT_TCP_KEPT_H
#define STRATA_TRANSPORT_TCP_KEPT_H

#include "transport/tcp/tcp_conn.h"

/* In timer.note: 0, a reason why a flight that is made has to look (NOTE_LOOK, NOTE_SYN_LOST), or
 * from here on the record's index. */
#define NOTE_RECORD 3u
#define NOTE_MOST   (0x1000000u - NOTE_RECORD) /* records that a note can name */

struct tcp_kept {
	uint32_t window; /* conn_window_note */
	uint8_t totals[FLIGHT_TOTALS];
};
static_assert(sizeof(struct tcp_kept) <= 160, "an idle connection stays small");

/* The flight is about to go. */
void conn_keep(struct transport *t, struct tcp_conn *c);
/* There is one again, and a note. */
__attribute__((noinline, cold)) void conn_recall(struct transport *t, struct tcp_conn *c);
__attribute__((noinline, cold)) void conn_forget_kept(struct transport *t, struct tcp_conn *c);
/* While there is no flight; NULL: nothing is kept. */
const struct tcp_kept *conn_kept(const struct transport *t, const struct tcp_conn *c);

#endif
