/*
 * IPv4 source routes (RFC 791 3.1, RFC 1122 3.2.1.8) of flows: the hops that a sender
 * names between itself and the destination. A flow's path has the number of its route
 * (path.route); what is sent by such a path goes to the first hop, with the others and
 * the destination in an option.
 *
 * Routes come from an application, or from a packet that arrived by one: then the
 * answer goes back by the same hops. The latter are taken only where internet_config
 * says so, because a forged one brings answers to the forger (RFC 7126 4.3).
 */
#ifndef STRATA_INTERNET_SOURCE_ROUTE_H
#define STRATA_INTERNET_SOURCE_ROUTE_H

#include "internet/internet.h"

#define SOURCE_ROUTES     16
#define SOURCE_ROUTE_HOPS 9 /* what an option of 40 bytes has room for */

/* Whose route it is. */
struct source_route_owner {
	struct addr local, remote;
	uint16_t local_port, remote_port;
};

struct source_route {
	struct source_route_owner owner;
	uint8_t hop[SOURCE_ROUTE_HOPS][4]; /* in the order in which they are passed */
	uint8_t hops;
	bool strict; /* no other router stands between two of them */
	bool named;  /* by the application: one that arrives does not replace it (MUST-52) */
	bool held;   /* a connection has its number */
	bool used;
};

/* The number (from 1) of a flow's route; 0: it has none. */
uint8_t source_route_find(const struct internet *in, const struct source_route_owner *owner);
/* A route for a flow, in place of the one that it has, if any. Its number, or 0: all are held. */
uint8_t source_route_put(struct internet *in, const struct source_route *r);
struct source_route *source_route_at(const struct internet *in, uint8_t number);
/* Its connection is gone: it stays until its place is needed. */
void source_route_release(struct internet *in, uint8_t number);
/* The hops back, of the options of a packet whose route has ended. False: there is no route in
 * them, or one that can't be believed. */
bool source_route_parse(struct span options, struct source_route *r);
/* The same for the packet in `rx`. */
bool source_route_of(const struct internet *in, const struct rx *rx, struct source_route *r);
/* Fills a path that has a route: by way of the first hop, with an MTU that leaves the option
 * room. */
enum error source_route_path(struct internet *in, struct path *p, nanotime now);
/* The address of its first hop, and the option's bytes for a packet to `destination`; their
 * length. */
size_t source_route_emit(const struct source_route *r, const struct addr *destination,
	struct addr *first, uint8_t option[40]);

#endif
