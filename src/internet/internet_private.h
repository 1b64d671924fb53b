/*
 * What the files of internet/ share among themselves.
 */
#ifndef STRATA_INTERNET_INTERNET_PRIVATE_H
#define STRATA_INTERNET_INTERNET_PRIVATE_H

#include "internet/source_route.h"
#include "wire/eth.h"
#include "wire/nd.h"

/* An ICMPv4 error fits 576 bytes (RFC 1812 4.3.2.3), ICMPv6's the least MTU (RFC 4443 2.4c). */
#define QUOTE4_MAX (576 - IP4_HEADER - ICMP_HEADER)
#define QUOTE6_MAX (IP6_MIN_MTU - IP6_HEADER - ICMP_HEADER)
/* The largest packet that is forwarded. */
#define FORWARD_BYTES 9216

/* An ICMP message that waits for its turn; its checksum is taken when it is sent. */
struct reply {
	struct list link;
	struct addr source, destination;
	uint8_t nif; /* where its cause came in */
	uint8_t out; /* where it goes out, as far as the routes said when it was queued */
	uint8_t why, tos;
	uint16_t len;
	uint8_t bytes[];
};

/* A packet on its way through us; its hop limit is already counted down. */
struct forward {
	struct list link;
	struct addr next_hop;
	uint16_t len;
	uint8_t checksum;
	uint16_t checksum_start, checksum_offset; /* PARTIAL: from the packet's start */
	uint8_t bytes[FORWARD_BYTES];
};

/* "That address is mine", to be said by the next transmit. */
struct nd_intent {
	struct addr target, destination;
	struct mac to; /* of who asked; unused for groups */
	uint8_t nif;
	bool solicited;
};

#define LIMIT_BUCKETS 256
struct limit_bucket {
	nanotime at;
	uint64_t tokens; /* in 1024ths of an error */
	uint64_t price;  /* of the next error */
};

struct internet_private {
	struct hash_key flow_key; /* of flow labels alone: they are seen by everybody */
	struct source_route source_route[SOURCE_ROUTES];
	uint8_t source_route_next; /* whose place is taken next, if need be */
	struct nd_intent *nd;
	uint32_t nd_head, nd_count;
	struct limit_bucket limit_all;
	struct limit_bucket limit[LIMIT_BUCKETS];
};

/* ip4_receive.c, ip6_receive.c */
enum proto ip4_receive(struct internet *in, struct rx *rx);
enum proto ip6_receive(struct internet *in, struct rx *rx);

/* icmp_receive.c: the ICMP message is next. */
enum proto icmp4_receive(struct internet *in, struct rx *rx);
/* `fragment`: the packet had a fragment header (alone). */
enum proto icmp6_receive(struct internet *in, struct rx *rx, bool fragment);

/* icmp_quote.c: an error about a packet of ours. */
enum proto icmp_quote4(struct internet *in, struct rx *rx, const struct icmp_header *h);
enum proto icmp_quote6(struct internet *in, struct rx *rx, const struct icmp_header *h);
/* The same where the packet itself came back, whole. False: its kind hears of no errors. */
bool icmp_quote_returned(struct rx *rx, const struct access_returned *r);

/* nd_receive.c, nd_send.c */
enum proto nd_receive(struct internet *in, struct rx *rx, bool fragment);
bool nd_queue(struct internet *in, const struct nd_intent *intent);
unsigned nd_transmit(struct internet *in, unsigned budget, nanotime now);
bool nd_has_work(const struct internet *in);

/* reply.c */
/* A place for a reply to the packet in `rx`, or NULL. reply_give or reply_queue must follow. */
struct reply *reply_take(struct internet *in, const struct rx *rx);
void reply_queue(struct internet *in, struct reply *r);
unsigned reply_transmit(struct internet *in, unsigned budget, nanotime now);
bool reply_has_work(const struct internet *in);
size_t reply_bytes(const struct internet_config *c);

/* reject.c */
void reject_parameter6(struct internet *in, struct rx *rx, const struct ip6_problem *problem);

/* error_limit.c */
void error_limit_init(struct internet *in, nanotime now);
bool error_limit_allows(struct internet *in, const struct addr *destination, nanotime now);

/* forward.c */
enum proto forward_receive(struct internet *in, struct rx *rx);
unsigned forward_transmit(struct internet *in, unsigned budget, nanotime now);
bool forward_has_work(const struct internet *in);

/* path.c */
/* The way to `destination`, whatever `p` was. */
enum error path_look_up(
	struct internet *in, struct path *p, const struct addr *destination, nanotime now);
/* Was it looked up with these routes, and is its neighbour entry still the same one's? */
static inline bool path_is_fresh(const struct internet *in, const struct path *p)
{
	if (p->generation != in->routes.generation)
		return false;
	if (p->neighbour == NEIGHBOUR_NO_INDEX)
		return true;
	const struct neighbour *n = neighbour_at(in->access, p->neighbour);
	return n->generation == p->neighbour_generation;
}
/* A path to a next hop on this link. */
enum error path_via(struct internet *in, struct path *p, struct netif *nif,
	const struct addr *next_hop, nanotime now);

/* source.c */
bool source_on(const struct netif *nif, const struct addr *destination, struct addr *source);

/* ip_send.c */
void ip6_push(struct tx_frame *f, const struct addr *source, const struct addr *destination,
	uint8_t protocol, uint8_t tos, uint8_t hop_limit, uint32_t flow_label);

#endif
