/*
 * Routes: longest prefix wins (RFC 1122 3.3.1), both families in one small
 * table. The table is short (a host's, or a lab router's), kept sorted by prefix
 * length, and asked once a connection, not once a packet: each endpoint keeps a
 * `path` and refreshes it when the table's generation changes.
 */
#ifndef STRATA_INTERNET_ROUTE_H
#define STRATA_INTERNET_ROUTE_H

#include "access/access.h"

#define ROUTES_MAX 64

struct route {
	struct addr prefix;
	uint8_t len; /* in the family's own bits */
	uint8_t nif;
	bool on_link; /* no gateway */
	struct addr gateway;
	uint16_t mtu; /* 0: the interface's */
};

struct route_table {
	uint16_t count;
	uint32_t generation; /* changes with every change */
	struct route route[ROUTES_MAX];
};

/* ERR_IN_USE: another route to the same net is there. Bits after the prefix are ignored. */
enum error route_add(struct route_table *t, const struct route *r);
enum error route_remove(struct route_table *t, const struct addr *prefix, uint8_t len);
const struct route *route_find(const struct route_table *t, const struct addr *destination);

#endif
