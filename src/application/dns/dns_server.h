/*
 * A small authoritative name server for laboratories and tests: zones given by
 * the caller, UDP and TCP on one port. It never answers a response, nor a source
 * port that itself answers anything (attack UDP-03); outside its zones it says
 * REFUSED; ANY gets one record set (RFC 8482); what does not fit the size that
 * the client offered is cut with TC (RFC 2181 9).
 */
#ifndef STRATA_APPLICATION_DNS_SERVER_H
#define STRATA_APPLICATION_DNS_SERVER_H

#include "application/dns/zone.h"
#include "socket/app.h"

struct dns_server_config {
	struct addr address; /* ::, or one of ours */
	uint16_t port;       /* 53 */
	const struct zone *const *zone;
	unsigned zones;
	bool recursion_available; /* says RA: a stub resolver may take us for its server */
	uint16_t udp_max;         /* largest answer over UDP: 1232 */
	uint32_t tcp_connections; /* at once: 16; 0: no TCP */
	uint32_t tcp_message_max; /* largest answer over TCP: 16384; below the send buffer */
	nanodiff tcp_idle;        /* 10 s (RFC 7766 6.2.3) */
	nanodiff delay;           /* every answer waits so long: a lab's slow server; 0 */
};

void dns_server_config_default(struct dns_server_config *c);
const char *dns_server_config_check(const struct dns_server_config *c);

struct dns_server_counters {
	uint64_t queries, answers, tcp_queries, truncated, refused, malformed, ignored, dropped;
};

struct dns_server;
/* NULL and *why: broken config, arena too small, port taken. `c`'s zones stay the caller's. */
struct dns_server *dns_server_create(
	const struct dns_server_config *c, struct stack *s, struct arena *arena, const char **why);
struct app *dns_server_app(struct dns_server *d);
const struct dns_server_counters *dns_server_counters(const struct dns_server *d);

/*
 * The heart, without sockets: the response to one message, at most `cap` bytes of
 * it. `tcp` lifts the limit that the client's EDNS sets. 0: no response is due.
 */
size_t dns_server_respond(
	struct dns_server *d, struct span query, bool tcp, uint8_t *out, size_t cap);

#endif
