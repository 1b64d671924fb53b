/*
 * Layer 1, network access: interfaces, Ethernet with VLAN, ARP, the neighbour
 * cache. access_receive strips the link header and says what comes next;
 * access_transmit pulls what this layer itself has to say (ARP, frames that
 * waited); access_send pushes the link header of somebody else's frame and hands
 * it to the link.
 */
#ifndef STRATA_ACCESS_ACCESS_H
#define STRATA_ACCESS_ACCESS_H

#include "access/neighbour.h"
#include "base/arena.h"
#include "base/error.h"
#include "packet/rx.h"

#define ACCESS_NETIFS 8

struct access_config {
	uint32_t neighbours;     /* entries in all, >= 16 */
	uint32_t incomplete_max; /* unresolved entries at once */
	uint32_t pending_frames; /* frames that wait for resolution, in all */
	uint32_t pending_each;   /* ... and for one neighbour */
	uint32_t intents;        /* queued ARP answers and asks */
	nanodiff retrans;        /* 1 s: RFC 4861 RETRANS_TIMER, RFC 1122 2.3.2.1 */
	uint8_t tries;           /* 3: MAX_MULTICAST_SOLICIT */
	nanodiff reachable;      /* 30 s */
	nanodiff delay_first;    /* 5 s: DELAY_FIRST_PROBE_TIME */
	nanodiff failed_hold;    /* how long a failed entry answers "unreachable" at once */
};

void access_config_default(struct access_config *c);
const char *access_config_check(const struct access_config *c); /* NULL, or the first broken rule */

enum neighbour_verdict {
	NEIGHBOUR_SEND, /* the MAC is known */
	NEIGHBOUR_WAIT, /* being resolved */
	NEIGHBOUR_DEAD, /* did not answer */
	NEIGHBOUR_FULL, /* no entry to be had now */
};

/* What a soliciting layer above must do: ND's solicitations are layer 2's packets. */
struct access_solicit {
	uint32_t neighbour;
	bool unicast; /* probe of a known MAC */
};

struct access {
	struct core *core;
	struct access_config config;
	struct netif netif[ACCESS_NETIFS];
	uint8_t netifs;
	struct list woken;  /* endpoints whose next hop was resolved: take them up */
	struct list failed; /* endpoints whose next hop did not answer */
	/* private: */
	struct pool neighbour_pool, pending_pool;
	uint32_t *bucket;
	uint32_t bucket_mask;
	uint32_t incomplete;
	struct list lru;      /* neighbours, least recently used first */
	struct list outbox;   /* pending frames whose neighbour is now known */
	struct list returned; /* pending frames whose neighbour did not answer */
	struct arp_intent *intent;
	uint32_t intent_head, intent_count;
	struct access_solicit *solicit; /* ring for the layer above */
	uint32_t solicit_head, solicit_count;
};

bool access_init(
	struct access *a, struct core *core, const struct access_config *c, struct arena *arena);
/* NULL where the config breaks a rule (*why says which) or ACCESS_NETIFS are there. */
struct netif *access_add_netif(struct access *a, const struct netif_config *c, const char **why);
/* Adds our own address (and its groups). ERR_IN_USE, ERR_LIMIT, ERR_ARGUMENT. */
enum error access_add_address(
	struct access *a, struct netif *nif, const struct addr *address, unsigned prefix);
/* Announces an IPv4 address by gratuitous ARP (RFC 5227 2.3). */
void access_announce(struct access *a, struct netif *nif, const struct addr *address);

/* Does a prefix of this interface hold the address? */
bool netif_on_link(const struct netif *nif, const struct addr *a);
/* Listens to a group (counted in nif->group). ERR_LIMIT. */
enum error access_join(struct access *a, struct netif *nif, const struct addr *group);

/*
 * A frame in: strips link headers, takes ARP. PROTO_IP4, PROTO_IP6 or PROTO_NONE. Counts on the
 * interface; the stack-wide counters of received frames are the caller's.
 */
enum proto access_receive(struct access *a, struct rx *rx);

/* The entry for an address on this link, made where there is none. NO_INDEX: the table is full. */
#define NEIGHBOUR_NO_INDEX UINT32_MAX
uint32_t neighbour_lookup(
	struct access *a, struct netif *nif, const struct addr *address, nanotime now);
static inline struct neighbour *neighbour_at(struct access *a, uint32_t index)
{
	return pool_at(&a->neighbour_pool, index);
}
/* May a frame go to this neighbour now? Starts resolution, moves STALE to DELAY. */
enum neighbour_verdict neighbour_ready(struct access *a, uint32_t index, nanotime now);
/* Parks an endpoint's ready link (which stands in no list) until the neighbour is known or dead. */
void neighbour_park(struct access *a, uint32_t index, struct list *link);
/* The entry that is there, or NULL. */
struct neighbour *neighbour_find(
	struct access *a, const struct netif *nif, const struct addr *address);
/* It proved that it hears us (RFC 4861 7.3.1: forward progress). Cheap: call it often. */
/* A sender has reason to believe that it is gone (RFC 4861 7.3.1): it is asked now. */
void neighbour_doubt(struct access *a, uint32_t index, nanotime now);
void neighbour_revive(struct access *a, struct neighbour *n, nanotime now);
static inline void neighbour_confirm(struct access *a, uint32_t index, nanotime now)
{
	struct neighbour *n = neighbour_at(a, index);
	n->confirmed = now;
	if (__builtin_expect(n->state != NEIGHBOUR_REACHABLE, 0))
		neighbour_revive(a, n, now);
}
/*
 * What ARP or ND learned: as RFC 4861 7.2.3-7.2.5 say, for both families; an ARP entry that is
 * REACHABLE is probed before another MAC may replace it. `mac` is NULL where the message named
 * none. False: there is no entry, and none was made.
 */
enum neighbour_news { NEWS_SOLICIT, NEWS_ADVERT_SOLICITED, NEWS_ADVERT_UNSOLICITED };
bool neighbour_learn(struct access *a, struct netif *nif, const struct addr *address,
	const struct mac *mac, enum neighbour_news news, bool override, bool create, nanotime now);
enum error neighbour_set_static(
	struct access *a, struct netif *nif, const struct addr *address, const struct mac *mac);

/*
 * Sends a frame whose IP header is already pushed. To a neighbour that is READY;
 * or, with `copy_if_waiting`, waits by copy in the bounded pending queue (dropped
 * with a reason where it is full). False: not sent, counted.
 */
bool access_send(struct access *a, uint32_t neighbour, struct tx_frame *f, uint16_t ethertype,
	bool copy_if_waiting, nanotime now);
/* The same to a group address on this interface. */
bool access_send_group(struct access *a, struct netif *nif, const struct addr *group,
	struct tx_frame *f, uint16_t ethertype, nanotime now);
/* To a MAC address that is known (answers to who asked). */
bool access_send_mac(struct access *a, struct netif *nif, const struct mac *to, struct tx_frame *f,
	uint16_t ethertype, nanotime now);

/* Sends up to `budget` frames of this layer's own (ARP, frames that waited). Returns how many. */
unsigned access_transmit(struct access *a, unsigned budget, nanotime now);
bool access_has_work(const struct access *a);
/* ND's turn: the next neighbour that must be solicited (IPv6), or false. */
bool access_take_solicit(struct access *a, struct access_solicit *s);
/*
 * A frame that waited for a neighbour which did not answer, for the layer above to tell its
 * sender (RFC 4861 7.2.2). It stays until access_drop_returned counts and frees it.
 */
struct access_returned {
	struct netif *nif;
	struct span packet; /* from the IP header on */
	uint16_t ethertype;
	uint8_t why; /* enum tx_why */
};
bool access_returned(struct access *a, struct access_returned *r);
void access_drop_returned(struct access *a, nanotime now);
/* A wheel timer of kind TIMER_NEIGHBOUR fired. */
void access_timer(struct access *a, struct timer *t, nanotime now);

const char *neighbour_state_name(enum neighbour_state s);

#endif
