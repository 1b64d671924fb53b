/*
 * Taking a captured packet apart, for people: which bytes are which layer's, what
 * every field says, and what is wrong in which layer. No stack is involved, so a
 * capture explains itself. Garbage of any kind gives layers as far as they can be
 * told, and the first fault.
 */
#ifndef STRATA_DIAG_DISSECT_H
#define STRATA_DIAG_DISSECT_H

#include "base/addr.h"
#include "wire/eth.h"
#include "wire/tcp.h"

#define DISSECT_LAYERS 24

enum dissect_part {
	DISSECT_ETHERNET,
	DISSECT_VLAN,
	DISSECT_LLC,
	DISSECT_ARP,
	DISSECT_IP4,
	DISSECT_IP6,
	DISSECT_EXTENSION,
	DISSECT_ICMP4,
	DISSECT_ICMP6,
	DISSECT_UDP,
	DISSECT_TCP,
	DISSECT_DNS,
	DISSECT_HTTP,
	DISSECT_DATA,    /* bytes that nobody here reads */
	DISSECT_PADDING, /* the link's */
};

struct dissect_layer {
	enum dissect_part part;
	enum layer layer;
	const char *name, *key;         /* "IPv4", "ip4" */
	const struct header_info *info; /* its fixed fields; NULL: none */
	uint32_t at, len;               /* its own bytes in the packet */
};

struct dissection {
	struct span bytes; /* as captured */
	uint32_t len;      /* as it was on the wire */
	bool cut;          /* fewer bytes were captured: no checksum can be checked */
	bool offloaded;    /* the transport checksum was left to the network card */
	unsigned layers;
	struct dissect_layer layer[DISSECT_LAYERS];
	enum drop problem; /* the first thing that is wrong; DROP_NONE */
	/* What the headers said, where those layers are there. */
	struct eth_header eth;
	bool ip;
	struct addr source, destination;
	uint8_t protocol, hop_limit;
	uint32_t transport_len; /* by the IP header: transport header and payload */
	uint16_t source_port, destination_port;
	struct tcp_header tcp;
	uint32_t text_len; /* what TCP or UDP carries */
};

/* `link_type`: enum link_type of wire/pcapng.h; Ethernet and raw IP are read, others are data. */
void dissect(struct span bytes, uint32_t original_len, uint32_t link_type, struct dissection *d);
/* The layer of a part, or NULL. */
const struct dissect_layer *dissect_find(const struct dissection *d, enum dissect_part part);
/* One line about the packet: who to whom, and what; returns its length, NUL-closed. */
size_t dissect_line(const struct dissection *d, char *out, size_t cap);

/* One field of a layer, fixed or not: its bits in the packet, its value and what it means. */
struct dissect_field {
	const char *name, *key, *meaning;
	uint32_t bit, bits; /* from the packet's first bit */
	const char *value;  /* text */
};
/* Tells every field of a layer in order. */
void dissect_fields(const struct dissection *d, const struct dissect_layer *l,
	void (*tell)(void *user, const struct dissect_field *f), void *user);

#endif
