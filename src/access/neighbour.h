/*
 * The neighbour cache: which MAC address belongs to a next hop. One cache for
 * ARP and ND with the states of RFC 4861 7.3 (ARP entries use them too). Bounded
 * and hashed with a key; incomplete entries are capped apart and never evict
 * reachable ones (RFC 6583).
 *
 * Who wants to send asks `neighbour_ready` before it builds anything. While an
 * address is being resolved, TCP endpoints park their ready link on the entry
 * (nothing is built), and datagrams and forwarded frames wait by copy in a
 * bounded queue. When the answer comes (or none), the parked links move to
 * access->woken (or access->failed), which the next transmit takes up.
 */
#ifndef STRATA_ACCESS_NEIGHBOUR_H
#define STRATA_ACCESS_NEIGHBOUR_H

#include "access/netif.h"

enum neighbour_state {
	NEIGHBOUR_NONE, /* entry is free */
	NEIGHBOUR_INCOMPLETE,
	NEIGHBOUR_REACHABLE,
	NEIGHBOUR_STALE,
	NEIGHBOUR_DELAY,
	NEIGHBOUR_PROBE,
	NEIGHBOUR_FAILED, /* did not answer; forgotten after a hold-down */
	NEIGHBOUR_STATIC,
};

struct neighbour {
	struct addr address;
	struct mac mac;
	uint8_t state; /* enum neighbour_state */
	uint8_t tries;
	bool router;
	uint8_t nif;
	bool contested;      /* PROBE because another MAC claims the address */
	uint16_t generation; /* changes when the entry is freed: who kept its index looks again */
	uint16_t pending;    /* frames that wait here */
	uint32_t next_hash;  /* chain */
	nanotime confirmed;  /* when it last proved that it hears us */
	nanotime used;       /* when somebody last sent to it */
	nanodiff reachable;  /* how long a confirmation lasts, randomized (RFC 4861 6.3.2) */
	nanotime contest;    /* when its MAC was last contested */
	nanotime placed;     /* when it was put where it stands in `age` */
	struct timer timer;
	struct list parked; /* ready links of endpoints that wait */
	struct list queue;  /* pending frames */
	struct list age;    /* for eviction: second chance for who was used since placed */
};

#endif
