/* ACKs of text beyond a hole, which wait for each other: the receiver's half of SACK. */
#ifndef STRATA_TRANSPORT_TCP_SACK_DELAY_H
#define STRATA_TRANSPORT_TCP_SACK_DELAY_H

#include "transport/tcp/tcp_conn.h"

/*
 * A segment beyond a hole was taken: does its ACK wait? Arms the timer then. `same_range`: it grew
 * the range that the one before it did.
 */
bool sack_waits(struct transport *t, struct tcp_conn *c, bool same_range);
/* The timer of delayed ACKs fired. False: it was not for this. */
bool sack_timer(struct transport *t, struct tcp_conn *c);

#endif
