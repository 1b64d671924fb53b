/*
 * Probes: ends of links that are no machines. A probe sends frames that carry
 * their number, and writes down when and with which bytes frames arrive.
 */
#ifndef STRATA_TESTS_PROBE_H
#define STRATA_TESTS_PROBE_H

#include "sim/link.h"

#define PROBE_ARRIVALS 200000

struct probe_arrival {
	nanotime time;
	uint32_t number, len;
	uint64_t sum; /* of its bytes, so that a change shows */
};

struct probe {
	struct port port;
	uint32_t count, rooms;
	struct probe_arrival arrival[PROBE_ARRIVALS];
};

/* Lives as long as the world. */
struct probe *probe_new(struct world *w, const char *name);
/* A frame of an EtherType in which every byte follows from its number; `len` of at least 18. */
struct parcel *probe_frame(struct probe *p, uint32_t number, uint32_t len, uint16_t type);
/* Sends frames number .. number + count - 1 of that length now. */
void probe_send(struct probe *p, uint32_t number, uint32_t count, uint32_t len);
/* The sum that an undamaged frame arrives with. */
uint64_t probe_sum(uint32_t number, uint32_t len, uint16_t type);

#endif
