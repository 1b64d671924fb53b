/*
 * Names: a stub resolver (RFC 1034 5.3.1) that asks the name servers given to
 * strata_open, each in turn, and falls back to TCP for answers that are cut.
 */
#ifndef STRATA_DNS_H
#define STRATA_DNS_H

#include "strata/net.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * The addresses of a name, IPv6 and IPv4, those first that we have a source address for; ports are
 * 0. An address as text is taken as it is. Waits at most `timeout` for both families, and where one
 * has answered at most 3 s more for the other (a question that got lost is asked again after 2 s);
 * what is there by then is told. Returns how many were written to `out` (at most `max`),
 * -STRATA_E_NOT_FOUND (no such name, or it has no address),
 * -STRATA_E_TIMEOUT, -STRATA_E_MALFORMED, -STRATA_E_STATE (no name server was given). NET.
 */
STRATA_API int strata_dns_resolve(struct strata *net, const char *name,
				  struct strata_address *out, unsigned max, int64_t timeout);

#ifdef __cplusplus
}
#endif
#endif
