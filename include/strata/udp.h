/*
 * Datagrams: UDP sockets (RFC 768). A datagram arrives whole, once, twice, or
 * not at all, in any order. What a router or the peer's host says about one of
 * ours (ICMP errors) comes as the error of a later receive.
 */
#ifndef STRATA_UDP_H
#define STRATA_UDP_H

#include "strata/net.h"

#ifdef __cplusplus
extern "C" {
#endif

struct strata_udp;

/*
 * Opens a socket on "udp://:53" (all our addresses), "udp://192.0.2.2:53", "udp://:0" (any port).
 * NULL: STRATA_E_ARGUMENT, STRATA_E_IN_USE, STRATA_E_NO_ADDRESS, STRATA_E_TOO_MANY. It belongs to
 * the net; strata_close(socket) ends it. NET.
 */
STRATA_API struct strata_udp *strata_udp_open(struct strata *net, const char *where);
STRATA_API void strata_udp_close(struct strata_udp *udp); /* NULL is allowed. OWN */
/* Fixes the peer: only its datagrams and errors about ours come in, and `to` may be NULL. NET. */
STRATA_API int strata_udp_connect(struct strata_udp *udp, const struct strata_address *peer);
STRATA_API int strata_udp_address(struct strata_udp *udp, struct strata_address *out); /* NET */
STRATA_API void strata_udp_set_timeout(struct strata_udp *udp, int64_t limit);         /* NET */

/*
 * Sends one datagram; returns `size`, or -STRATA_E_TOO_BIG, -STRATA_E_NO_ROUTE, -STRATA_E_AGAIN
 * (the queue is full). The bytes are copied. Never waits. NET.
 */
STRATA_API ssize_t strata_send_to(struct strata_udp *udp, const void *from, size_t size,
				  const struct strata_address *to);
/*
 * Takes one datagram, waiting for it; what does not fit in `size` is cut off. Returns its bytes (0
 * is an empty datagram), -STRATA_E_TIMEOUT, -STRATA_E_AGAIN, or -STRATA_E_PORT_UNREACHABLE and its
 * kin for an ICMP error, with `from` (may be NULL) as the destination that it is about. NET.
 */
STRATA_API ssize_t strata_recv_from(struct strata_udp *udp, void *to, size_t size,
				    struct strata_address *from);

/*
 * The two for a server on all our addresses: `at` (may be NULL) becomes the address of ours that
 * the datagram came to, and an answer names it as its `source`, so that the asker hears from whom
 * it asked (RFC 1122 4.1.3.5). A `source` that is NULL, ::, or a group: chosen; its port is not
 * looked at. -STRATA_E_NO_ADDRESS: not ours; -STRATA_E_ARGUMENT: the socket is bound to another
 * one. NET.
 */
STRATA_API ssize_t strata_recv_at(struct strata_udp *udp, void *to, size_t size,
				  struct strata_address *from, struct strata_address *at);
STRATA_API ssize_t strata_send_from(struct strata_udp *udp, const void *from, size_t size,
				    const struct strata_address *source,
				    const struct strata_address *to);

#ifdef __cplusplus
}
#endif
#endif
