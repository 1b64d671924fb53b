/*
 * Cross traffic: frames of others that take up a link. They belong to no flow and
 * are dropped by who gets them; what they do is done in the queue.
 *
 *	on and off   bursts of some length, with pauses
 *	Shrew        short bursts at the RTO's own pace, so that each retransmission
 *	             meets the next one (Kuzmanovic and Knightly 2003)
 */
#ifndef STRATA_SIM_CROSS_TRAFFIC_H
#define STRATA_SIM_CROSS_TRAFFIC_H

#include "sim/port.h"

struct cross_traffic {
	nanotime from, until;
	nanodiff period, burst; /* a burst of this length begins each period */
	nanodiff gap;           /* between two frames of a burst */
	uint32_t size;          /* of a frame, 60 .. 1514 */
};

/* Sends it out of a port, beside what the port's owner sends. */
void cross_traffic_start(struct port *from, const struct cross_traffic *c);

#endif
