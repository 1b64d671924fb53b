/*
 * A source of spoofed SYNs: a port that sends them to one victim at a steady pace
 * from addresses where nobody is, each with another source port and sequence
 * number, and takes no notice of what comes back (RFC 4987 2).
 */
#ifndef STRATA_SIM_SYN_FLOOD_H
#define STRATA_SIM_SYN_FLOOD_H

#include "sim/port.h"

struct syn_flood_config {
	struct mac mac, next_hop;
	struct addr from;    /* IPv4: the first of `hosts` addresses */
	uint32_t hosts;
	struct addr victim;
	uint16_t port;
	nanodiff interval;   /* between two SYNs */
	uint32_t count;      /* it ends after so many */
};

struct syn_flood {
	struct port port;
	struct syn_flood_config config;
	uint32_t sent;
	uint64_t answers;    /* frames that came back */
	/* private: */
	struct rng rng;
	struct event next;
};

/* Begins one interval from now; its port has to be connected by then. */
struct syn_flood *syn_flood_new(
	struct world *w, const char *name, const struct syn_flood_config *c);

#endif
