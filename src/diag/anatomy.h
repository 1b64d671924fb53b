/*
 * A frame's anatomy: which of its bytes belong to which layer, and the values of
 * its headers. Reads a frame as a person would, without a stack: what is broken
 * is named, and what could be read before it stays.
 *
 * Every byte belongs to exactly one layer: Ethernet's header and padding and all
 * of ARP to network access, IP's headers and all of ICMP and ND to internet,
 * TCP's and UDP's headers to transport, and what they carry to the application.
 */
#ifndef STRATA_DIAG_ANATOMY_H
#define STRATA_DIAG_ANATOMY_H

#include "wire/arp.h"
#include "wire/dns.h"
#include "wire/nd.h"
#include "wire/tcp.h"
#include "wire/udp.h"

#define ANATOMY_LAYERS (LAYER_APPLICATION + 1)

enum anatomy_kind {
	ANATOMY_OTHER, /* a protocol that is not read here, or a fragment, or a fault */
	ANATOMY_ARP,
	ANATOMY_ICMP, /* either family's */
	ANATOMY_ND,   /* neighbour solicitation or advertisement */
	ANATOMY_UDP,
	ANATOMY_TCP,
};

struct anatomy {
	enum anatomy_kind kind;
	enum drop fault;                /* why it could not be read further; DROP_NONE */
	uint32_t len;                   /* of the frame */
	uint32_t bytes[ANATOMY_LAYERS]; /* by enum layer; they sum up to len */
	uint32_t padding;               /* of bytes[LAYER_ACCESS] */
	struct eth_header eth;
	bool ip; /* there is an IP header: the next seven are set */
	bool v6;
	struct addr source, destination;
	uint8_t hop_limit, protocol;
	uint32_t transport_len; /* header and payload, by IP's length field */
	/* By kind. */
	struct arp_packet arp;
	struct icmp_header icmp;
	struct nd_message nd;
	struct udp_header udp;
	struct tcp_header tcp;
	/* The headers' bytes in the frame, as far as they were given. */
	struct span ip_header, body_header;
	struct span payload;  /* the application's bytes, as far as they were given ... */
	uint32_t payload_len; /* ... and how many there are */
};

/* `head` is the frame's beginning, all headers included; `len` is its whole length. */
void anatomy_read(struct span head, uint32_t len, struct anatomy *a);

static inline uint16_t anatomy_source_port(const struct anatomy *a)
{
	return a->kind == ANATOMY_UDP ? a->udp.source_port : a->tcp.source_port;
}

static inline uint16_t anatomy_destination_port(const struct anatomy *a)
{
	return a->kind == ANATOMY_UDP ? a->udp.destination_port : a->tcp.destination_port;
}

/* Sequence numbers that a segment takes: its bytes, and one each for SYN and FIN. */
static inline uint32_t anatomy_sequence_len(const struct anatomy *a)
{
	return a->payload_len + !!(a->tcp.flags & TCP_SYN) + !!(a->tcp.flags & TCP_FIN);
}

#endif
