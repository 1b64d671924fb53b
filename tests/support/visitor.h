/*
 * A visitor of a lab: looks names up with the resolver and asks for pages with
 * a request written by hand, from the lab's client, in virtual time.
 */
#ifndef STRATA_TESTS_VISITOR_H
#define STRATA_TESTS_VISITOR_H

#include "application/dns/resolver.h"
#include "sim/lab.h"

/* Looks a host up; the number of addresses found, IPv4 or IPv6 as the flags say; -1: none. */
int visitor_resolve(struct lab *l, const char *name, unsigned flags, struct addr *out);
/* All that the server at an address sends for GET of a path, until it closes. The caller frees
 * *out. -(enum error) where the connection fails or the world halts; else its length. */
int64_t visitor_get(struct lab *l, const struct addr *server, const char *path, uint8_t **out);
/* The same by a connection that asks for Fast Open. */
int64_t visitor_get_fast(struct lab *l, const struct addr *server, const char *path, uint8_t **out);
/* The body of a response. */
struct span visitor_body(struct span response);

#endif
