/*
 * What the files of access/ share among themselves: the queue entries and the
 * calls between the neighbour cache, ARP and the Ethernet side.
 */
#ifndef STRATA_ACCESS_ACCESS_PRIVATE_H
#define STRATA_ACCESS_ACCESS_PRIVATE_H

#include "access/access.h"
#include "wire/arp.h"

/* A packet that waits may be as large as an Ethernet's, with some room for odd MTUs. */
#define PENDING_BYTES 1600
/* Of a frame that waited, so much goes to the header area: all its headers, and not more. */
#define PENDING_HEAD 128

/* What ARP has to say, kept until the next transmit. */
struct arp_intent {
	struct addr own, other; /* the packet's sender and target */
	struct mac to;
	uint8_t nif;
	uint8_t why; /* WHY_ARP_* */
};

/* A frame that waits for its neighbour, or to be sent, or to be returned to layer 2. */
struct pending {
	struct list link;
	struct mac to; /* in the outbox: where it goes */
	uint8_t nif;
	uint8_t why;
	uint16_t ethertype;
	uint16_t len;
	uint8_t checksum;
	uint16_t checksum_start; /* PARTIAL: offset from the packet's start */
	uint16_t checksum_offset;
	uint16_t seg_size, seg_count;
	uint8_t bytes[PENDING_BYTES];
};

static inline struct pending *pending_of(struct list *l)
{
	return list_entry(l, struct pending, link);
}

/* neighbour.c */
/* A new entry in state INCOMPLETE or STALE, or NULL where none is to be had. */
struct neighbour *neighbour_create(struct access *a, struct netif *nif, const struct addr *address,
	enum neighbour_state state, nanotime now);
void neighbour_free(struct access *a, struct neighbour *n, nanotime now);
/* The one place where states change: counts, traces, arms the state's timer, wakes who waits. */
void neighbour_set_state(
	struct access *a, struct neighbour *n, enum neighbour_state state, nanotime now);
/* Sends (queues) one solicitation and arms the timer for the next. */
void neighbour_ask(struct access *a, struct neighbour *n, nanotime now);

/* pending.c */
bool pending_keep(struct access *a, struct neighbour *n, const struct tx_frame *f,
	uint16_t ethertype, nanotime now);
void pending_wake(struct access *a, struct neighbour *n);
void pending_return(struct access *a, struct neighbour *n);
unsigned pending_transmit(struct access *a, unsigned budget, nanotime now);
bool pending_has_work(const struct access *a);

/* arp_intent.c */
bool arp_queue(struct access *a, const struct arp_intent *intent);
void arp_ask(struct access *a, struct neighbour *n, bool unicast, nanotime now);
unsigned arp_transmit(struct access *a, unsigned budget, nanotime now);
bool arp_has_work(const struct access *a);

/* arp_receive.c */
enum proto arp_receive(struct access *a, struct rx *rx);

/* ethernet.c */
/* Counts a frame of ours that could not be sent. Always false. `f` may be NULL. */
bool access_tx_drop(struct access *a, const struct netif *nif, const struct tx_frame *f,
	enum drop reason, nanotime now);

#endif
