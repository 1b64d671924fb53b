/*
 * IPv6 (RFC 8200): a fixed header of 40 bytes and a chain of extension headers.
 * The chain is walked with bounds: at most 8 headers and 2 KB, hop-by-hop only
 * first, at most 8 options a header that are not padding, at most 7 bytes of padding
 * in a row (RFC 8504 5.3, attack IP6-06).
 */
#ifndef STRATA_WIRE_IP6_H
#define STRATA_WIRE_IP6_H

#include "wire/ip4.h"

#define IP6_HEADER 40
#define IP6_MIN_MTU 1280
enum ip6_next {
	IP6_HOP_BY_HOP = 0,
	IP6_ROUTING = 43,
	IP6_FRAGMENT = 44,
	IP6_ESP = 50,
	IP6_AUTHENTICATION = 51,
	IP6_NO_NEXT = 59,
	IP6_DESTINATION = 60,
};

struct ip6_header {
	uint8_t traffic_class;
	uint32_t flow_label; /* 20 bits */
	uint16_t payload_len;
	uint8_t next, hop_limit;
	struct addr source, destination;
};

enum drop ip6_parse(struct span packet, size_t present, struct ip6_header *h);
size_t ip6_emit(const struct ip6_header *h, uint8_t *out, size_t cap);

/* Where an ICMPv6 parameter problem must point (RFC 4443 3.4). */
struct ip6_problem {
	bool send;        /* an error is due */
	bool even_multicast;
	/* 0 erroneous field, 1 unrecognized next header, 2 unrecognized option, 3 cut chain */
	uint8_t code;
	uint32_t pointer; /* offset from the IPv6 header's start */
};

struct ip6_chain {
	uint8_t protocol;    /* the upper layer's */
	uint16_t len;        /* bytes of extension headers */
	uint8_t headers;
	bool fragment;       /* a fragment header was met: */
	uint16_t fragment_offset;
	bool more_fragments;
	uint32_t fragment_id;
	uint16_t last_next_at; /* where `protocol` is named: offset from the IPv6 header's start */
	struct ip6_problem problem;
};

/*
 * Walks the chain after the fixed header. `rest` begins there, `next` is the fixed header's field.
 * A later fragment's payload is no chain: the walk ends at its fragment header.
 */
enum drop ip6_walk(struct span rest, uint8_t next, struct ip6_chain *c);

/*
 * One extension header after the other, for the explainer: false at the end or at a malformed one.
 * After the header of a later fragment (offset not 0) the caller must stop: data follows.
 */
struct ip6_extension {
	uint8_t kind, next;
	struct span bytes;
};
bool ip6_extension_next(struct span rest, uint8_t kind, struct ip6_extension *e);

extern const struct header_info ip6_info, ip6_extension_info, ip6_fragment_info, ip6_routing_info;

#endif
