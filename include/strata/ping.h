/* Echo (RFC 792, RFC 4443 4.1): is a host there, and how far away? */
#ifndef STRATA_PING_H
#define STRATA_PING_H

#include "strata/net.h"

#ifdef __cplusplus
extern "C" {
#endif

struct strata_ping_options {
	size_t size;         /* bytes of the echo body; 0: 56 */
	uint8_t hop_limit;   /* 0: 64 */
	bool dont_fragment;  /* IPv4's DF */
	int64_t timeout;     /* ns; 0: 5 s */
	uint16_t sequence;   /* number of the request */
};

struct strata_ping_reply {
	struct strata_address source; /* who answered */
	int64_t round_trip;           /* ns */
	size_t size;                  /* bytes of the body that came back */
	uint8_t hop_limit;            /* as it arrived */
};

/*
 * Sends one echo request to a name or address and waits for its answer. 0, -STRATA_E_TIMEOUT,
 * -STRATA_E_NOT_FOUND (the name), -STRATA_E_HOST_UNREACHABLE and its kin (with `out->source` as who
 * said so), -STRATA_E_TOO_BIG, -STRATA_E_DEADLOCK. `options` may be NULL. NET.
 */
STRATA_API int strata_ping(struct strata *net, const char *host,
			   const struct strata_ping_options *options,
			   struct strata_ping_reply *out);

#ifdef __cplusplus
}
#endif
#endif
