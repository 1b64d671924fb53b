/*
 * The receive context of one frame: what is left of it, what the layers below
 * found out, and its fate. Each layer strips its header (rx_strip) and returns
 * what comes next. Lives on the stack of stack_receive.
 */
#ifndef STRATA_PACKET_RX_H
#define STRATA_PACKET_RX_H

#include "base/addr.h"
#include "base/nanotime.h"
#include "packet/core.h"

struct netif;

enum proto {
	PROTO_NONE, /* the frame has met its fate */
	PROTO_IP4,
	PROTO_IP6,
	PROTO_TCP,
	PROTO_UDP,
	PROTO_ECHO_REPLY, /* ICMP echo reply for a ping socket */
	PROTO_ICMP_ERROR,
};

struct rx {
	struct netif *nif;
	const struct rx_frame *frame;
	nanotime now;
	struct span head;   /* what is left of the frame's head */
	uint32_t len;       /* what is left of the packet: head and bodies, padding trimmed */
	uint8_t checksum;   /* enum checksum_state */
	uint8_t fate;       /* enum fate */
	uint16_t drop;      /* enum drop */
	/* access */
	struct mac source_mac;
	bool link_group;    /* sent to a link broadcast or multicast */
	/* internet */
	bool group;         /* destination is an IP broadcast or multicast */
	uint8_t protocol, hop_limit, tos;
	uint16_t ip_header_len;
	struct span packet; /* the head from the IP header on, for quoting in errors */
	uint32_t packet_len;
	struct addr source, destination;
	/* PROTO_ICMP_ERROR: about which packet of ours, and what */
	struct rx_icmp_error {
		uint8_t type, code;  /* in the numbering of the family */
		bool v6;
		uint32_t mtu;        /* fragmentation needed, packet too big; else 0 */
		uint8_t protocol;    /* of the quoted packet */
		struct addr source, destination; /* of the quoted packet: source is ours */
		struct span quote;   /* the quoted transport bytes, at least 8 */
	} icmp;
	/* PROTO_ECHO_REPLY */
	uint16_t echo_id, echo_sequence;
};

static inline enum proto rx_drop(struct rx *rx, enum drop reason)
{
	rx->fate = FATE_DROPPED;
	rx->drop = (uint16_t)reason;
	return PROTO_NONE;
}

static inline enum proto rx_fate(struct rx *rx, enum fate fate)
{
	rx->fate = (uint8_t)fate;
	return PROTO_NONE;
}

/* Takes `n` header bytes off; the caller has checked rx->head.len >= n. */
static inline void rx_strip(struct rx *rx, size_t n)
{
	assert(n <= rx->head.len && n <= rx->len);
	rx->head = span_of(rx->head.at + n, rx->head.len - n);
	rx->len -= (uint32_t)n;
}

/* Cuts the packet to `len` bytes (its own length field): link padding goes. */
static inline void rx_trim(struct rx *rx, uint32_t len)
{
	assert(len <= rx->len);
	rx->len = len;
	if (rx->head.len > len)
		rx->head.len = len;
}

/*
 * What is left, as spans (the head's rest first, then bodies, cut to rx->len).
 * Returns how many; `max` of 1 + rx->frame->bodies always suffices.
 */
unsigned rx_text(const struct rx *rx, struct span *out, unsigned max);
/* Copies up to `cap` bytes of what is left; returns how many. */
size_t rx_copy(const struct rx *rx, uint8_t *out, size_t cap);
/* The Internet sum over what is left. */
uint64_t rx_sum(const struct rx *rx, const struct checksum_ops *ops);

#endif
