/*
 * Layer 2, internet: IPv4 and IPv6 in and out, ICMP, neighbour discovery, routes,
 * source address choice, forwarding where configured. internet_receive strips the IP
 * headers and returns the transport protocol that comes next; replies (echo,
 * errors, ND) are intents in bounded queues that internet_transmit pulls.
 */
#ifndef STRATA_INTERNET_INTERNET_H
#define STRATA_INTERNET_INTERNET_H

#include "internet/route.h"
#include "wire/icmp.h"

struct internet_config {
	bool forward;            /* act as a router */
	uint8_t hop_limit;       /* 64 */
	uint32_t replies;        /* queued echo replies and ICMP errors */
	uint32_t echo_max;       /* largest echo body that is answered */
	uint32_t forward_frames; /* queued forwarded packets */
	uint32_t error_rate;  /* ICMP errors a second to one destination; in all, 10 times that */
	uint32_t error_burst; /* as many at once; 0: never any */
	/* IPv4 packets that came by a source route are taken, and answered by it (RFC 9293
	 * MUST-53); off, for a forged one brings answers to the forger (RFC 7126 4.3) */
	bool source_routes;
};

void internet_config_default(struct internet_config *c);
const char *internet_config_check(const struct internet_config *c);

struct internet {
	struct core *core;
	struct access *access;
	struct internet_config config;
	struct route_table routes;
	/* private to internet/: */
	struct pool reply_pool, forward_pool;
	struct list replies;
	struct list forwards[ACCESS_NETIFS]; /* by the interface they leave by */
	bool routed; /* there is, or was, a source route: who sends asks for his */
	struct internet_private *private;
};

bool internet_init(struct internet *in, struct core *core, struct access *access,
	const struct internet_config *c, struct arena *arena);

/*
 * A packet in, as access found it. PROTO_TCP, PROTO_UDP: the transport header is
 * next, rx->source/destination are set. PROTO_ICMP_ERROR: rx->icmp is set (quote
 * checked to be a packet of ours). PROTO_ECHO_REPLY: rx->echo_* set, the body is
 * left. PROTO_NONE: answered, forwarded, held or dropped.
 */
enum proto internet_receive(struct internet *in, struct rx *rx, enum proto proto);

/* The way to a destination, kept by each endpoint; refreshed when stale. */
struct path {
	uint32_t generation; /* of the routes; 0: never looked up */
	uint32_t neighbour;  /* index; NEIGHBOUR_NO_INDEX: a group */
	uint16_t neighbour_generation;
	uint16_t mtu;
	uint8_t nif;
	uint8_t route; /* number of a source route (source_route.h); 0: none */
	uint16_t mtu_high; /* TCP's alone: it looks for a larger `mtu` up to here; 0: never did */
};

/* The source address for a destination (RFC 6724 in short: same family, on the way's interface,
 * longest match, scope). ERR_NO_ROUTE, ERR_NO_ADDRESS. */
enum error internet_source(
	struct internet *in, const struct addr *destination, struct addr *source);

/* Is this address one of ours (on any interface)? */
bool internet_is_ours(const struct internet *in, const struct addr *a);

/* Is it a group or a broadcast address of any of our links? */
bool internet_is_group(const struct internet *in, const struct addr *a);

/* Looks a stale path up. ERR_OK, ERR_NO_ROUTE, ERR_MEMORY (neighbour table full). */
enum error internet_path(
	struct internet *in, struct path *p, const struct addr *destination, nanotime now);

enum path_verdict { PATH_SEND, PATH_WAIT, PATH_DEAD, PATH_FULL, PATH_NO_ROUTE };
/* internet_path, then: may a segment be built now? Inline: fresh path, REACHABLE neighbour. */
enum path_verdict internet_path_ready_slow(
	struct internet *in, struct path *p, const struct addr *destination, nanotime now);
static inline bool path_stands(const struct internet *in, const struct path *p)
{
	if (p->generation != in->routes.generation || p->neighbour == NEIGHBOUR_NO_INDEX)
		return false;
	const struct neighbour *n = neighbour_at(in->access, p->neighbour);
	return n->generation == p->neighbour_generation &&
		(n->state == NEIGHBOUR_REACHABLE || n->state == NEIGHBOUR_STATIC);
}
static inline enum path_verdict internet_path_ready(
	struct internet *in, struct path *p, const struct addr *destination, nanotime now)
{
	return path_stands(in, p) ? PATH_SEND : internet_path_ready_slow(in, p, destination, now);
}

/* Parks an endpoint's ready link on the path's neighbour (after PATH_WAIT). */
static inline void internet_park(struct internet *in, const struct path *p, struct list *link)
{
	neighbour_park(in->access, p->neighbour, link);
}

/* Forward progress: the next hop hears us. */
static inline void internet_confirm(struct internet *in, const struct path *p, nanotime now)
{
	if (p->generation == 0 || p->neighbour == NEIGHBOUR_NO_INDEX)
		return;
	if (neighbour_at(in->access, p->neighbour)->generation == p->neighbour_generation)
		neighbour_confirm(in->access, p->neighbour, now);
}

/* Negative advice (RFC 9293 MUST-20): the way may be dead. It is looked up again, and its next hop
 * asked whether it is still there. */
static inline void internet_doubt(struct internet *in, struct path *p, nanotime now)
{
	if (p->generation && p->neighbour != NEIGHBOUR_NO_INDEX &&
		neighbour_at(in->access, p->neighbour)->generation == p->neighbour_generation)
		neighbour_doubt(in->access, p->neighbour, now);
	p->generation = 0;
}

struct ip_send {
	const struct addr *source, *destination;
	uint8_t protocol, tos;
	uint8_t hop_limit;    /* 0: the configured, for multicast 1 */
	bool dont_fragment;   /* IPv4 DF; without it an ID is chosen (RFC 6864) */
	bool copy_if_waiting; /* datagrams: wait for resolution by copy */
};

/*
 * Pushes the IP header in front of a frame that holds the transport header (its
 * checksum done) and body, then access does the rest. The path was found READY
 * (or copy_if_waiting). False: dropped and counted.
 */
bool internet_send(struct internet *in, struct path *p, struct tx_frame *f, const struct ip_send *s,
	nanotime now);

/* Queues an ICMP error about the packet in `rx` (port or protocol unreachable ...), rate-limited,
 * never about errors, groups or fragments but the first (RFC 1122 3.2.2, RFC 4443 2.4). */
enum internet_reject {
	REJECT_PORT,
	REJECT_PROTOCOL, /* number: IPv6: offset of the byte that names the protocol */
	REJECT_NO_ROUTE,
	REJECT_HOST,
	REJECT_TOO_BIG, /* number: the MTU */
	REJECT_HOP_LIMIT,
	REJECT_PARAMETER, /* number: offset of the wrong byte */
	REJECT_ADMIN,
};
bool internet_reject(
	struct internet *in, struct rx *rx, enum internet_reject what, uint32_t number);

/*
 * A packet that waited for a next hop which did not answer comes back: a router tells its sender
 * (queued), and of one of our own `rx` becomes the error that we would get if another router were
 * the first hop, "host unreachable" from ourselves (RFC 4861 7.2.2 wants it for each packet). It
 * stands first until access_drop_returned. False: none is left.
 */
bool internet_returned(struct internet *in, struct rx *rx, nanotime now);

/* Sends up to `budget` frames of this layer's own. Returns how many. */
unsigned internet_transmit(struct internet *in, unsigned budget, nanotime now);
bool internet_has_work(const struct internet *in);
void internet_timer(struct internet *in, struct timer *t, nanotime now);

#endif
