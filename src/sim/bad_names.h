/*
 * A name server that is not to be relied on (F59). It knows names by their first
 * letter: those that begin with 'a' exist and have one address of each family,
 * all others do not exist. Within its window it fails, refuses, knows nothing of
 * its zone, cuts its answers, is late or silent, or answers after somebody else
 * has: forged answers with a wrong ID or question arrive first, and records that
 * nobody asked for come with the true one.
 *
 * Whatever it does, no address but the true ones may be believed (RFC 5452).
 */
#ifndef STRATA_SIM_BAD_NAMES_H
#define STRATA_SIM_BAD_NAMES_H

#include "sim/box.h"
#include "sim/node.h"
#include "wire/dns.h"

struct bad_names_config {
	struct addr a, aaaa; /* of every name that exists */
	struct addr forged;  /* IPv4: what forgers and strangers' records say */
	uint32_t ttl;        /* seconds */
	struct window when;  /* it does ill in this time; empty: never */
};

struct bad_names;
/* A server on port 53 of a machine, over UDP and TCP. NULL where its port can't be had. */
struct bad_names *bad_names_new(struct node *n, const struct bad_names_config *c);
/* Closes all that it has open. */
void bad_names_stop(struct bad_names *b);

#endif
