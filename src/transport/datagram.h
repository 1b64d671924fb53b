/*
 * Datagram endpoints: UDP (RFC 768, RFC 1122 4.1) and ICMP echo. What they send and
 * receive waits in bounded queues of copied datagrams; ICMP errors about what they
 * sent come in the same queue as what they receive.
 */
#ifndef STRATA_TRANSPORT_DATAGRAM_H
#define STRATA_TRANSPORT_DATAGRAM_H

#include "transport/endpoints.h"

enum error datagram_open(struct transport *t, enum datagram_kind kind, const struct addr *local,
			 uint16_t port, bool v4_only, bool v6_only, uint32_t sock,
			 struct datagram_endpoint **out);
void datagram_close(struct transport *t, struct datagram_endpoint *e);
/* Fixes the remote, and the local address that leads there. */
enum error datagram_connect(struct transport *t, struct datagram_endpoint *e,
			    const struct addr *remote, uint16_t port);
/*
 * Queues a datagram for the next transmit; a copy. `source`: one of our addresses; NULL, :: or a
 * group (what is answered may have come to one): the endpoint's own, or the one that leads there.
 * `to` NULL: the connected remote. Bytes, or -(enum error).
 */
int64_t datagram_send_from(struct transport *t, struct datagram_endpoint *e, struct span bytes,
			   const struct addr *source, const struct addr *to, uint16_t port);
static inline int64_t datagram_send(struct transport *t, struct datagram_endpoint *e,
				    struct span bytes, const struct addr *to, uint16_t port)
{
	return datagram_send_from(t, e, bytes, NULL, to, port);
}
/* The oldest received one, or NULL; the caller gives it back with datagram_done. */
struct datagram *datagram_take(struct datagram_endpoint *e);
static inline const uint8_t *datagram_bytes(const struct datagram *d)
{
	return (const uint8_t *)(d + 1);
}
void datagram_done(struct transport *t, struct datagram *d);

void udp_receive(struct transport *t, struct rx *rx);
void echo_reply_receive(struct transport *t, struct rx *rx);
/* An ICMP error about a UDP datagram or an echo request of ours. */
void datagram_icmp_error(struct transport *t, struct rx *rx);
unsigned datagram_transmit(struct transport *t, unsigned budget);

#endif
