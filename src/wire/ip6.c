/*
 * IPv6 in and out. The fixed header has no checksum and no options; what IPv4 keeps in them
 * stands in a chain of extension headers, each naming the next. ip6_walk goes along it once, with
 * every bound that RFC 8504 5.3 suggests, and says where the upper layer begins or why the packet
 * can't be believed; for the cases where RFC 8200 wants an ICMPv6 error it also says which and
 * where it points.
 *
 * What we do not implement is treated as RFC 8200 treats the unknown: options by the two high
 * bits of their type (4.2; jumbograms too), routing types as unrecognized (4.4, and RFC 5095 for
 * type 0). AH and ESP end the chain: nobody here can check them, so they are an upper layer that
 * nobody understands.
 *
 * Mapped addresses (::ffff:a.b.c.d) mean IPv4 in a struct addr; on the wire they are forged, and
 * the parser refuses them so that no IPv6 packet can ever be taken for IPv4 (RFC 4942 2.2).
 */
#include "wire/ip6.h"

#define CHAIN_HEADERS 8 /* RFC 8504 5.3 leaves the numbers to us, but for the options */
#define CHAIN_BYTES   2048
#define OPTIONS_MAX   8 /* a header, RFC 8504 5.3 */
#define PADDING_MAX   7 /* bytes in a row: more never aligns anything */
#define NEXT_OFFSET   6 /* of the fixed header's "next header" */
#define MOBILITY      135
#define HIP           139
#define SHIM6         140

enum drop ip6_parse(struct span packet, size_t present, struct ip6_header *h)
{
	if (packet.len < IP6_HEADER || present < IP6_HEADER)
		return DROP_IP6_SHORT;
	const uint8_t *at = packet.at;
	uint32_t word = load32(at);
	if (word >> 28 != 6)
		return DROP_IP6_VERSION;
	h->traffic_class = (uint8_t)(word >> 20);
	h->flow_label = word & 0xfffff;
	h->payload_len = load16(at + 4);
	h->next = at[6];
	h->hop_limit = at[7];
	h->source = addr_from6(at + 8);
	h->destination = addr_from6(at + 24);
	if (h->payload_len > present - IP6_HEADER)
		return DROP_IP6_PAYLOAD_LENGTH;
	if (h->payload_len == 0 && h->next != IP6_NO_NEXT)
		return DROP_IP6_EMPTY;
	if (addr_is4(&h->source))
		return DROP_IP_SOURCE;
	if (addr_is4(&h->destination))
		return DROP_IP_DESTINATION;
	return DROP_NONE;
}

size_t ip6_emit(const struct ip6_header *h, uint8_t *out, size_t cap)
{
	if (cap < IP6_HEADER || h->flow_label > 0xfffff)
		return 0;
	store32(out, 6u << 28 | (uint32_t)h->traffic_class << 20 | h->flow_label);
	store16(out + 4, h->payload_len);
	out[6] = h->next;
	out[7] = h->hop_limit;
	memcpy(out + 8, h->source.b, 16);
	memcpy(out + 24, h->destination.b, 16);
	return IP6_HEADER;
}

/* Where the walk stands: `at` counts from the end of the fixed header. */
struct walk {
	struct span rest;
	size_t at;
	uint8_t next;
	struct ip6_chain *chain;
};

static enum drop problem(struct walk *w, enum drop drop, uint8_t code, size_t at)
{
	w->chain->problem = (struct ip6_problem){
		.send = true, .code = code, .pointer = (uint32_t)(IP6_HEADER + at)
	};
	return drop;
}

/* RFC 8200 4.2: the two high bits of an unknown option's type say what to do. */
static enum drop unknown_option(struct walk *w, uint8_t type, size_t at)
{
	switch (type >> 6) {
	case 0: return DROP_NONE;
	case 1: return DROP_IP6_OPTION;
	case 2:
		problem(w, DROP_IP6_OPTION, 2, at);
		w->chain->problem.even_multicast = true;
		break;
	default: problem(w, DROP_IP6_OPTION, 2, at); break;
	}
	return DROP_IP6_OPTION;
}

/* The options of a hop-by-hop or destination header; `len` is the whole header's. */
static enum drop walk_options(struct walk *w, size_t len)
{
	const uint8_t *header = w->rest.at + w->at;
	unsigned options = 0;
	size_t padding = 0;
	for (size_t i = 2; i < len;) {
		uint8_t type = header[i];
		size_t size = 1;
		if (type != 0) {
			if (len - i < 2 || header[i + 1] > len - i - 2)
				return problem(w, DROP_IP6_EXTENSION, 0, w->at + i);
			size = header[i + 1] + 2u;
		}
		if (type <= 1) {
			padding += size;
			if (padding > PADDING_MAX)
				return DROP_IP6_EXTENSION_COUNT;
		} else {
			padding = 0;
			if (++options > OPTIONS_MAX)
				return DROP_IP6_EXTENSION_COUNT;
			enum drop drop = unknown_option(w, type, w->at + i);
			if (drop != DROP_NONE)
				return drop;
		}
		i += size;
	}
	return DROP_NONE;
}

/* RFC 8200 4.4: with segments left, a type that we do not follow is an error that points at it. */
static enum drop walk_routing(struct walk *w)
{
	if (w->rest.at[w->at + 3] == 0)
		return DROP_NONE;
	return problem(w, DROP_IP6_ROUTING, 0, w->at + 2);
}

static enum drop walk_fragment(struct walk *w)
{
	const uint8_t *at = w->rest.at + w->at;
	if (w->chain->fragment)
		return DROP_IP6_EXTENSION_ORDER;
	w->chain->fragment = true;
	w->chain->fragment_offset = load16(at + 2) & 0xfff8;
	w->chain->more_fragments = at[3] & 1;
	w->chain->fragment_id = load32(at + 4);
	return DROP_NONE;
}

static bool is_extension(uint8_t next)
{
	return next == IP6_HOP_BY_HOP || next == IP6_ROUTING || next == IP6_FRAGMENT ||
		next == IP6_DESTINATION;
}

/*
 * The chain ended before the packet's upper layer. In a first fragment that is an evasion of
 * filters, which has a code of its own; its pointer is zero (RFC 8200 4.5, RFC 7112).
 */
static enum drop cut_short(struct walk *w)
{
	struct ip6_chain *c = w->chain;
	if (c->fragment && c->more_fragments)
		c->problem = (struct ip6_problem){ .send = true, .code = 3 };
	return DROP_IP6_EXTENSION;
}

/* One header: checks it and steps over it. */
static enum drop walk_one(struct walk *w)
{
	struct ip6_chain *c = w->chain;
	size_t left = w->rest.len - w->at;
	if (w->next == IP6_HOP_BY_HOP && w->at > 0)
		return problem(
			w, DROP_IP6_EXTENSION_ORDER, 1, c->last_next_at - (size_t)IP6_HEADER);
	if (c->headers == CHAIN_HEADERS)
		return DROP_IP6_EXTENSION_COUNT;
	if (left < 8)
		return cut_short(w);
	const uint8_t *header = w->rest.at + w->at;
	size_t len = w->next == IP6_FRAGMENT ? 8 : (header[1] + (size_t)1) * 8;
	if (len > left)
		return cut_short(w);
	if (w->at + len > CHAIN_BYTES)
		return DROP_IP6_EXTENSION_COUNT;

	enum drop drop;
	switch (w->next) {
	case IP6_ROUTING: drop = walk_routing(w); break;
	case IP6_FRAGMENT: drop = walk_fragment(w); break;
	default: drop = walk_options(w, len); break;
	}
	if (drop != DROP_NONE)
		return drop;
	c->headers++;
	c->last_next_at = (uint16_t)(IP6_HEADER + w->at);
	w->next = header[0];
	w->at += len;
	return DROP_NONE;
}

/* What a first fragment must hold of the upper layer at least (RFC 7112 5, RFC 8200 4.5). */
static size_t upper_header(uint8_t protocol)
{
	switch (protocol) {
	case IPPROTO_TCP_: return 20;
	case IPPROTO_UDP_:
	case IPPROTO_ICMP6: return 8;
	default: return 0;
	}
}

enum drop ip6_walk(struct span rest, uint8_t next, struct ip6_chain *c)
{
	struct walk w = { .rest = rest, .next = next, .chain = c };
	c->protocol = next;
	c->len = 0;
	c->headers = 0;
	c->fragment = false;
	c->fragment_offset = 0;
	c->more_fragments = false;
	c->last_next_at = NEXT_OFFSET;
	c->problem.send = false;
	/* What follows a later fragment's header is no header but data (RFC 8200 4.5). */
	while (is_extension(w.next) && c->fragment_offset == 0) {
		enum drop drop = walk_one(&w);
		if (drop != DROP_NONE)
			return drop;
	}
	c->protocol = w.next;
	c->len = (uint16_t)w.at;
	if (c->fragment_offset != 0)
		return DROP_NONE;
	if (w.next == IP6_NO_NEXT)
		return DROP_IP6_NO_NEXT;
	if (c->more_fragments && rest.len - w.at < upper_header(w.next))
		return cut_short(&w);
	return DROP_NONE;
}

bool ip6_extension_next(struct span rest, uint8_t kind, struct ip6_extension *e)
{
	bool known = is_extension(kind) || kind == IP6_AUTHENTICATION || kind == MOBILITY ||
		kind == HIP || kind == SHIM6;
	if (!known || rest.len < 8)
		return false;
	size_t len = (rest.at[1] + (size_t)1) * 8;
	if (kind == IP6_FRAGMENT)
		len = 8;
	else if (kind == IP6_AUTHENTICATION)
		len = (rest.at[1] + (size_t)2) * 4; /* RFC 4302 2.2 counts words */
	if (len > rest.len)
		return false;
	*e = (struct ip6_extension){
		.kind = kind, .next = rest.at[0], .bytes = span_of(rest.at, len)
	};
	return true;
}

static const char *routing_word(uint64_t type)
{
	switch (type) {
	case 0: return "source route, deprecated";
	case 2: return "mobile IPv6";
	case 3: return "RPL source route";
	case 4: return "segment routing";
	case 5: return "CRH-16";
	case 6: return "CRH-32";
	default: return NULL;
	}
}

static const struct field ip6_fields[] = {
	{ "Version", "version", "ipv6.version", 0, 4, FIELD_UINT, "Always 6: the IP version.", NULL,
		NULL },
	{ "DSCP", "dscp", "ipv6.tclass.dscp", 4, 6, FIELD_UINT,
		"The class of service that routers should give the packet.", NULL, NULL },
	{ "ECN", "ecn", "ipv6.tclass.ecn", 10, 2, FIELD_UINT,
		"Lets a full router mark the packet instead of dropping it.", NULL, NULL },
	{ "Flow label", "flow_label", "ipv6.flow", 12, 20, FIELD_HEX,
		"The same in all packets of a conversation, to keep them on one path.", NULL,
		NULL },
	{ "Payload length", "payload_length", "ipv6.plen", 32, 16, FIELD_UINT,
		"Bytes that follow this header.", NULL, NULL },
	{ "Next header", "next", "ipv6.nxt", 48, 8, FIELD_UINT,
		"What follows: a transport protocol, or an extension of this header.",
		ip_protocol_name, NULL },
	{ "Hop limit", "hop_limit", "ipv6.hlim", 56, 8, FIELD_UINT,
		"Each router takes one off; at zero the packet dies, so none circles for ever.",
		NULL, NULL },
	{ "Source", "source", "ipv6.src", 64, 128, FIELD_ADDR6, "The machine that sent the packet.",
		NULL, NULL },
	{ "Destination", "destination", "ipv6.dst", 192, 128, FIELD_ADDR6,
		"The machine that the packet is for, anywhere on the internet.", NULL, NULL },
};

static const struct field extension_fields[] = {
	{ "Next header", "next", NULL, 0, 8, FIELD_UINT, "What follows this extension.",
		ip_protocol_name, NULL },
	{ "Length", "length", NULL, 8, 8, FIELD_UINT,
		"Units of eight bytes in this extension, without the first.", NULL, NULL },
};

static const struct field fragment_fields[] = {
	{ "Next header", "next", "ipv6.fraghdr.nxt", 0, 8, FIELD_UINT,
		"What the whole packet begins with, once its pieces are joined.", ip_protocol_name,
		NULL },
	{ "Reserved", "reserved", "ipv6.fraghdr.reserved_octet", 8, 8, FIELD_HEX,
		"Sent as zero, ignored on receipt.", NULL, NULL },
	{ "Fragment offset", "fragment_offset", "ipv6.fraghdr.offset", 16, 13, FIELD_UINT,
		"Where this piece belongs in the whole, in units of eight bytes.", NULL, NULL },
	{ "Reserved", "reserved_bits", "ipv6.fraghdr.reserved_bits", 29, 2, FIELD_UINT,
		"Sent as zero, ignored on receipt.", NULL, NULL },
	{ "More fragments", "more_fragments", "ipv6.fraghdr.more", 31, 1, FIELD_UINT,
		"Set in every piece but the last.", NULL, NULL },
	{ "Identification", "id", "ipv6.fraghdr.ident", 32, 32, FIELD_HEX,
		"The same in all pieces of one packet, so that they can be joined again.", NULL,
		NULL },
};

static const struct field routing_fields[] = {
	{ "Next header", "next", "ipv6.routing.nxt", 0, 8, FIELD_UINT,
		"What follows this extension.", ip_protocol_name, NULL },
	{ "Length", "length", "ipv6.routing.len", 8, 8, FIELD_UINT,
		"Units of eight bytes in this extension, without the first.", NULL, NULL },
	{ "Routing type", "type", "ipv6.routing.type", 16, 8, FIELD_UINT,
		"How the stops on the way are written down.", routing_word, NULL },
	{ "Segments left", "segments_left", "ipv6.routing.segleft", 24, 8, FIELD_UINT,
		"Stops that the packet has still to visit.", NULL, NULL },
};

const struct header_info ip6_info = { "IPv6", "ip6", LAYER_INTERNET, "RFC 8200 3", ip6_fields,
	sizeof ip6_fields / sizeof *ip6_fields };
const struct header_info ip6_extension_info = { "IPv6 extension", "ip6_extension", LAYER_INTERNET,
	"RFC 8200 4", extension_fields, sizeof extension_fields / sizeof *extension_fields };
const struct header_info ip6_fragment_info = { "IPv6 fragment", "ip6_fragment", LAYER_INTERNET,
	"RFC 8200 4.5", fragment_fields, sizeof fragment_fields / sizeof *fragment_fields };
const struct header_info ip6_routing_info = { "IPv6 routing", "ip6_routing", LAYER_INTERNET,
	"RFC 8200 4.4", routing_fields, sizeof routing_fields / sizeof *routing_fields };
