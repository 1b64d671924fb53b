/*
 * Unwrapping: from the link up, each header is checked, noted with its place,
 * and taken off. The first fault ends it; what was noted before stays.
 */
#include <string.h>

#include "api/api_net.h"
#include "strata/wrap.h"
#include "wire/arp.h"
#include "wire/eth.h"
#include "wire/icmp.h"
#include "wire/tcp.h"
#include "wire/udp.h"

#define FCS 4

struct unwrapping {
	struct strata_frame_layers *out;
	const uint8_t *frame;
	struct span rest; /* of the packet, as its own lengths say */
	struct addr source, destination;
	bool fragment; /* the transport is not whole */
};

static void note(struct unwrapping *u, enum strata_layer_kind kind, unsigned floor,
	const char *name, const uint8_t *at, size_t len)
{
	struct strata_frame_layers *o = u->out;
	if (o->count == STRATA_LAYERS_MAX)
		return;
	o->layer[o->count++] = (struct strata_layer){
		.kind = kind,
		.floor = floor,
		.name = name,
		.offset = (size_t)(at - u->frame),
		.length = len,
	};
}

/* Notes the next `len` bytes as a header, and takes them off. */
static void take(struct unwrapping *u, enum strata_layer_kind kind, unsigned floor,
	const char *name, size_t len)
{
	note(u, kind, floor, name, u->rest.at, len);
	u->rest = span_after(u->rest, len);
}

static enum drop fault(struct unwrapping *u, enum drop reason)
{
	const struct drop_info *i = drop_info(reason);
	u->out->problem = i->text;
	u->out->clause = i->clause;
	return reason;
}

static void payload(struct unwrapping *u)
{
	u->out->payload = (size_t)(u->rest.at - u->frame);
	u->out->payload_length = u->rest.len;
	if (u->rest.len)
		note(u, STRATA_LAYER_PAYLOAD, 4, "payload", u->rest.at, u->rest.len);
}

static bool checksum_good(const struct unwrapping *u, uint8_t protocol)
{
	uint64_t sum = pseudo_sum(&u->source, &u->destination, protocol, (uint32_t)u->rest.len);
	return checksum_fold(sum + checksum_plain.sum(u->rest.at, u->rest.len)) == 0xffff;
}

/* ---- transport ---- */

static enum drop tcp(struct unwrapping *u)
{
	struct tcp_header h;
	enum drop d = tcp_parse(u->rest, u->rest.len, &h);
	if (d)
		return fault(u, d);
	u->out->source.port = h.source_port;
	u->out->destination.port = h.destination_port;
	bool good = checksum_good(u, IPPROTO_TCP_);
	take(u, STRATA_LAYER_TCP, 3, "TCP", h.header_len);
	payload(u);
	return good ? DROP_NONE : fault(u, DROP_TCP_CHECKSUM);
}

static enum drop udp(struct unwrapping *u)
{
	struct udp_header h;
	enum drop d = udp_parse(u->rest, u->rest.len, &h);
	if (d)
		return fault(u, d);
	u->out->source.port = h.source_port;
	u->out->destination.port = h.destination_port;
	u->rest = span_first(u->rest, h.length);
	/* RFC 768: a checksum of zero over IPv4 says that there is none. */
	bool none = h.checksum == 0;
	bool good = none ? addr_is4(&u->source) : checksum_good(u, IPPROTO_UDP_);
	take(u, STRATA_LAYER_UDP, 3, "UDP", UDP_HEADER);
	payload(u);
	if (good)
		return DROP_NONE;
	return fault(u, none ? DROP_UDP_ZERO_CHECKSUM : DROP_UDP_CHECKSUM);
}

static enum drop icmp(struct unwrapping *u, uint8_t protocol)
{
	struct icmp_header h;
	enum drop d = icmp_parse(u->rest, &h);
	if (d)
		return fault(u, d);
	bool v4 = protocol == IPPROTO_ICMP4;
	bool good = v4 ? checksum_fold(checksum_plain.sum(u->rest.at, u->rest.len)) == 0xffff
		       : checksum_good(u, IPPROTO_ICMP6);
	take(u, v4 ? STRATA_LAYER_ICMP4 : STRATA_LAYER_ICMP6, 2, v4 ? "ICMP" : "ICMPv6",
		ICMP_HEADER);
	payload(u);
	return good ? DROP_NONE : fault(u, DROP_ICMP_CHECKSUM);
}

static enum drop transport(struct unwrapping *u, uint8_t protocol)
{
	u->out->protocol = protocol;
	if (u->fragment) {
		payload(u);
		return DROP_NONE;
	}
	switch (protocol) {
	case IPPROTO_TCP_: return tcp(u);
	case IPPROTO_UDP_: return udp(u);
	case IPPROTO_ICMP4: return icmp(u, protocol);
	case IPPROTO_ICMP6: return icmp(u, protocol);
	default: payload(u); return DROP_NONE;
	}
}

/* ---- internet ---- */

/* The packet ends where its length field says; what follows is the link's padding. */
static void trim(struct unwrapping *u, size_t len)
{
	struct span padding = span_after(u->rest, len);
	if (padding.len)
		note(u, STRATA_LAYER_PADDING, 1, "padding", padding.at, padding.len);
	u->rest = span_first(u->rest, len);
}

static void between(struct unwrapping *u, const struct addr *source, const struct addr *destination)
{
	u->source = *source;
	u->destination = *destination;
	u->out->source = address_out(source, 0);
	u->out->destination = address_out(destination, 0);
}

static enum drop ip4(struct unwrapping *u)
{
	struct ip4_header h;
	enum drop d = ip4_parse(u->rest, u->rest.len, &h);
	if (d)
		return fault(u, d);
	between(u, &h.source, &h.destination);
	trim(u, h.total_len);
	take(u, STRATA_LAYER_IP4, 2, "IPv4", h.header_len);
	u->fragment = h.more_fragments || h.fragment_offset;
	return transport(u, h.protocol);
}

static enum drop ip6(struct unwrapping *u)
{
	struct ip6_header h;
	struct ip6_chain chain;
	enum drop d = ip6_parse(u->rest, u->rest.len, &h);
	if (d)
		return fault(u, d);
	between(u, &h.source, &h.destination);
	trim(u, IP6_HEADER + (size_t)h.payload_len);
	take(u, STRATA_LAYER_IP6, 2, "IPv6", IP6_HEADER);
	d = ip6_walk(u->rest, h.next, &chain);
	if (d)
		return fault(u, d);
	uint8_t kind = h.next;
	struct span extensions = span_first(u->rest, chain.len);
	for (struct ip6_extension e; extensions.len && ip6_extension_next(extensions, kind, &e);) {
		take(u, STRATA_LAYER_IP6_EXTENSION, 2, "IPv6 extension", e.bytes.len);
		extensions = span_after(extensions, e.bytes.len);
		kind = e.next;
	}
	u->fragment = chain.fragment && (chain.fragment_offset || chain.more_fragments);
	return transport(u, chain.protocol);
}

static enum drop arp(struct unwrapping *u)
{
	struct arp_packet p;
	enum drop d = arp_parse(u->rest, &p);
	if (d)
		return fault(u, d);
	between(u, &p.sender, &p.target);
	trim(u, ARP_LEN);
	take(u, STRATA_LAYER_ARP, 1, "ARP", ARP_LEN);
	return DROP_NONE;
}

/* ---- link ---- */

static void link_headers(struct unwrapping *u, const struct eth_header *h)
{
	memcpy(u->out->source_mac, h->source.b, sizeof u->out->source_mac);
	memcpy(u->out->destination_mac, h->destination.b, sizeof u->out->destination_mac);
	/* With a tag the type stands behind it: 12 bytes of addresses, 4 a tag, 2 of type. */
	size_t tags = (size_t)h->tags * 4;
	if (!tags) {
		take(u, STRATA_LAYER_ETHERNET, 1, "Ethernet", ETH_HEADER);
	} else {
		take(u, STRATA_LAYER_ETHERNET, 1, "Ethernet", 12);
		take(u, STRATA_LAYER_VLAN, 1, "VLAN", tags);
		take(u, STRATA_LAYER_ETHERNET, 1, "EtherType", 2);
	}
	if (h->header_len > ETH_HEADER + tags)
		take(u, STRATA_LAYER_LLC, 1, "LLC", h->header_len - ETH_HEADER - tags);
}

static enum drop ethernet(struct unwrapping *u)
{
	struct eth_header h;
	struct span inner;
	enum drop d = eth_parse(u->rest, &h, &inner);
	if (d)
		return fault(u, d);
	link_headers(u, &h);
	struct span padding = span_after(u->rest, inner.len);
	if (padding.len)
		note(u, STRATA_LAYER_PADDING, 1, "padding", padding.at, padding.len);
	u->rest = span_first(u->rest, inner.len);
	switch (h.type) {
	case ETHERTYPE_IP4: return ip4(u);
	case ETHERTYPE_IP6: return ip6(u);
	case ETHERTYPE_ARP: return arp(u);
	default: payload(u); return DROP_NONE;
	}
}

static bool fcs_good(struct span frame, const uint8_t *fcs)
{
	uint32_t want = eth_fcs(frame);
	uint32_t got = (uint32_t)fcs[0] | (uint32_t)fcs[1] << 8 | (uint32_t)fcs[2] << 16 |
		(uint32_t)fcs[3] << 24;
	return want == got;
}

/* The layers in the order of their bytes: padding and FCS were noted before what they follow. */
static void sort(struct strata_frame_layers *o)
{
	for (unsigned i = 1; i < o->count; i++) {
		struct strata_layer l = o->layer[i];
		unsigned at = i;
		for (; at > 0 && o->layer[at - 1].offset > l.offset; at--)
			o->layer[at] = o->layer[at - 1];
		o->layer[at] = l;
	}
}

int strata_unwrap(const void *frame, size_t len, bool fcs, struct strata_frame_layers *out)
{
	if (!frame || !out)
		return api_error(ERR_ARGUMENT);
	struct unwrapping u = { .out = out, .frame = frame, .rest = span_of(frame, len) };
	memset(out, 0, sizeof *out);
	bool whole = true;
	if (fcs && len >= FCS) {
		u.rest = span_first(u.rest, len - FCS);
		note(&u, STRATA_LAYER_FCS, 1, "FCS", u.frame + len - FCS, FCS);
		whole = fcs_good(u.rest, u.frame + len - FCS);
	}
	enum drop d = ethernet(&u);
	if (!whole) {
		out->problem = "frame check sequence is wrong";
		out->clause = "IEEE 802.3 3.2.9";
	}
	sort(out);
	return d || !whole ? api_fail(ERR_MALFORMED, "%s", out->problem) : 0;
}
