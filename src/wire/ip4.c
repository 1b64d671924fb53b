/*
 * IPv4 in and out. The parser judges in the order in which fields may be believed: the header's
 * own length, then its checksum, and only then what it claims about the packet. A header without
 * options (0x45) takes a straight line; options are walked once for their form and then left
 * alone (RFC 7126), but a source route refuses the packet.
 *
 * One's complement sums are congruences modulo 0xffff, and a header is never all zeroes; hence
 * "the folded sum is 0xffff" is the same as "0xffff divides the sum", which costs a
 * multiplication.
 */
#include "wire/ip4.h"

#define IP4_HEADER_MAX 60
#define FLAG_RESERVED  0x8000
#define FLAG_DF        0x4000
#define FLAG_MF        0x2000
#define OFFSET_MASK    0x1fff

/* All that is not on the straight line stays out of its registers. */
#define OFF_LINE __attribute__((noinline))

enum ip4_option_kind {
	IP4_OPT_END = 0,
	IP4_OPT_NOP = 1,
	IP4_OPT_RECORD_ROUTE = 7,
	IP4_OPT_TIMESTAMP = 68,
	IP4_OPT_STREAM = 136,
	IP4_OPT_ROUTER_ALERT = 148,
};

bool ip4_option_next(struct span options, size_t *offset, struct ip4_option *o)
{
	size_t at = *offset;
	if (at >= options.len)
		return false;
	o->kind = options.at[at];
	o->at = at;
	o->data = span_of(options.at + at + 1, 0);
	if (o->kind == IP4_OPT_END) {
		*offset = options.len;
		return true;
	}
	if (o->kind == IP4_OPT_NOP) {
		*offset = at + 1;
		return true;
	}
	size_t left = options.len - at;
	if (left < 2 || options.at[at + 1] < 2 || options.at[at + 1] > left)
		return false;
	o->data = span_of(options.at + at + 2, options.at[at + 1] - 2u);
	*offset = at + options.at[at + 1];
	return true;
}

/* The form of one option: its length, where its kind fixes one. */
static enum drop check_option(const struct ip4_option *o)
{
	switch (o->kind) {
	case IP4_OPT_LOOSE_ROUTE:
	case IP4_OPT_STRICT_ROUTE: return DROP_IP4_SOURCE_ROUTE;
	case IP4_OPT_RECORD_ROUTE: return o->data.len < 1 ? DROP_IP4_OPTION : DROP_NONE;
	case IP4_OPT_TIMESTAMP: return o->data.len < 2 ? DROP_IP4_OPTION : DROP_NONE;
	case IP4_OPT_STREAM:
	case IP4_OPT_ROUTER_ALERT: return o->data.len != 2 ? DROP_IP4_OPTION : DROP_NONE;
	default: return DROP_NONE;
	}
}

/* RFC 9293 MUST-50: of those that mean nothing to us only the form counts. */
static enum drop check_options(struct span options)
{
	struct ip4_option o;
	size_t offset = 0;
	while (ip4_option_next(options, &offset, &o)) {
		enum drop drop = check_option(&o);
		if (drop != DROP_NONE)
			return drop;
	}
	return offset < options.len ? DROP_IP4_OPTION : DROP_NONE;
}

/* What the checksum vouches for: lengths first, then the fields. */
static inline enum drop parse_fields(
	struct span packet, size_t present, size_t len, uint64_t sum, struct ip4_header *h)
{
	const uint8_t *at = packet.at;
	if (sum % 0xffff != 0)
		return DROP_IP4_CHECKSUM;
	size_t total = load16(at + 2);
	if (total < len || total > present)
		return DROP_IP4_TOTAL_LENGTH;
	h->header_len = (uint8_t)len;
	h->tos = at[1];
	h->total_len = (uint16_t)total;
	h->id = load16(at + 4);
	uint16_t fragment = load16(at + 6);
	h->reserved = fragment & FLAG_RESERVED;
	h->dont_fragment = fragment & FLAG_DF;
	h->more_fragments = fragment & FLAG_MF;
	h->fragment_offset = (uint16_t)((fragment & OFFSET_MASK) * 8);
	h->ttl = at[8];
	h->protocol = at[9];
	h->checksum = load16(at + 10);
	h->source = addr_from4(at + 12);
	h->destination = addr_from4(at + 16);
	h->options = span_of(at + IP4_HEADER, len - IP4_HEADER);
	return DROP_NONE;
}

/* A first byte that is not 0x45: another version, or options. */
static OFF_LINE enum drop parse_other(struct span packet, size_t present, struct ip4_header *h)
{
	if (packet.at[0] >> 4 != 4)
		return DROP_IP4_VERSION;
	size_t len = (packet.at[0] & 15u) * 4;
	if (len < IP4_HEADER || len > packet.len)
		return DROP_IP4_HEADER_LENGTH;
	enum drop drop = parse_fields(packet, present, len, checksum_header(packet.at, len), h);
	return drop == DROP_NONE ? check_options(h->options) : drop;
}

enum drop ip4_parse(struct span packet, size_t present, struct ip4_header *h)
{
	if (packet.len < IP4_HEADER)
		return DROP_IP4_SHORT;
	if (__builtin_expect(packet.at[0] != 0x45, 0)) {
		struct ip4_header other; /* not *h: a caller may keep the usual one in registers */
		enum drop drop = parse_other(packet, present, &other);
		if (drop == DROP_NONE || drop == DROP_IP4_SOURCE_ROUTE)
			*h = other;
		return drop;
	}
	uint64_t sum = checksum_header(packet.at, IP4_HEADER);
	return parse_fields(packet, present, IP4_HEADER, sum, h);
}

/*
 * The fixed part of a header that is `len` bytes long; `sum` is that of the options. The words are
 * summed before they are stored: loads across fresh narrower stores would stall.
 */
static inline void emit_fixed(const struct ip4_header *h, size_t len, uint64_t sum, uint8_t *out)
{
	uint32_t lengths = (uint32_t)(0x40 | len / 4) << 24 | (uint32_t)h->tos << 16 | h->total_len;
	uint32_t fragment = (uint32_t)h->id << 16 | (uint32_t)h->reserved << 15 |
		(uint32_t)h->dont_fragment << 14 | (uint32_t)h->more_fragments << 13 |
		h->fragment_offset / 8u;
	uint32_t carried = (uint32_t)h->ttl << 24 | (uint32_t)h->protocol << 16;
	uint32_t source, destination;
	memcpy(&source, h->source.b + 12, 4);
	memcpy(&destination, h->destination.b + 12, 4);
	sum += source;
	sum += destination;
	sum += __builtin_bswap32(lengths);
	sum += __builtin_bswap32(fragment);
	sum += __builtin_bswap32(carried);
	store32(out, lengths);
	store32(out + 4, fragment);
	store32(out + 8, carried | __builtin_bswap16(checksum_finish(sum)));
	memcpy(out + 12, &source, 4);
	memcpy(out + 16, &destination, 4);
}

static OFF_LINE size_t emit_with_options(const struct ip4_header *h, uint8_t *out, size_t cap)
{
	if (h->options.len > IP4_HEADER_MAX - IP4_HEADER)
		return 0;
	size_t len = IP4_HEADER + ((h->options.len + 3) & ~(size_t)3);
	if (len > cap)
		return 0;
	memset(out + len - 4, 0, 4);
	memcpy(out + IP4_HEADER, h->options.at, h->options.len);
	emit_fixed(h, len, checksum_header(out + IP4_HEADER, len - IP4_HEADER), out);
	return len;
}

size_t ip4_emit(const struct ip4_header *h, uint8_t *out, size_t cap)
{
	if (cap < IP4_HEADER || h->fragment_offset % 8 != 0)
		return 0;
	if (__builtin_expect(h->options.len > 0, 0))
		return emit_with_options(h, out, cap);
	emit_fixed(h, IP4_HEADER, 0, out);
	return IP4_HEADER;
}

const char *ip_protocol_name(uint64_t protocol)
{
	static const char *const names[256] = {
		[0] = "IPv6 hop-by-hop options",
		[1] = "ICMP",
		[2] = "IGMP",
		[3] = "GGP",
		[4] = "IPv4 in IP",
		[5] = "ST",
		[6] = "TCP",
		[7] = "CBT",
		[8] = "EGP",
		[9] = "IGP",
		[12] = "PUP",
		[16] = "CHAOS",
		[17] = "UDP",
		[18] = "MUX",
		[20] = "HMP",
		[22] = "XNS-IDP",
		[27] = "RDP",
		[28] = "IRTP",
		[29] = "ISO-TP4",
		[30] = "NETBLT",
		[33] = "DCCP",
		[35] = "IDPR",
		[36] = "XTP",
		[37] = "DDP",
		[40] = "IL",
		[41] = "IPv6 in IP",
		[42] = "SDRP",
		[43] = "IPv6 routing header",
		[44] = "IPv6 fragment header",
		[45] = "IDRP",
		[46] = "RSVP",
		[47] = "GRE",
		[48] = "DSR",
		[50] = "ESP",
		[51] = "AH",
		[54] = "NARP",
		[55] = "Minimal IPv4",
		[56] = "TLSP",
		[57] = "SKIP",
		[58] = "ICMPv6",
		[59] = "IPv6 no next header",
		[60] = "IPv6 destination options",
		[80] = "ISO-IP",
		[83] = "VINES",
		[84] = "IPTM",
		[88] = "EIGRP",
		[89] = "OSPF",
		[92] = "MTP",
		[93] = "AX.25",
		[94] = "IPIP",
		[97] = "EtherIP",
		[98] = "ENCAP",
		[103] = "PIM",
		[108] = "IPComp",
		[111] = "IPX in IP",
		[112] = "VRRP",
		[113] = "PGM",
		[115] = "L2TP",
		[121] = "SMP",
		[124] = "IS-IS",
		[126] = "CRTP",
		[131] = "PIPE",
		[132] = "SCTP",
		[133] = "Fibre Channel",
		[134] = "RSVP-E2E-IGNORE",
		[135] = "Mobility header",
		[136] = "UDP-Lite",
		[137] = "MPLS in IP",
		[138] = "manet",
		[139] = "HIP",
		[140] = "Shim6",
		[141] = "WESP",
		[142] = "ROHC",
		[143] = "Ethernet",
		[144] = "AGGFRAG",
		[145] = "NSH",
		[253] = "experiment 1",
		[254] = "experiment 2",
	};
	return protocol < 256 ? names[protocol] : NULL;
}

static const char *ihl_word(uint64_t words)
{
	static const char *const bytes[16] = {
		[5] = "20 bytes",
		"24 bytes",
		"28 bytes",
		"32 bytes",
		"36 bytes",
		"40 bytes",
		"44 bytes",
		"48 bytes",
		"52 bytes",
		"56 bytes",
		"60 bytes",
	};
	return words < 16 ? bytes[words] : NULL;
}

static const char *dscp_word(uint64_t dscp)
{
	static const char *const names[64] = {
		[0] = "default",
		[1] = "lower effort",
		[8] = "CS1",
		[10] = "AF11",
		[12] = "AF12",
		[14] = "AF13",
		[16] = "CS2",
		[18] = "AF21",
		[20] = "AF22",
		[22] = "AF23",
		[24] = "CS3",
		[26] = "AF31",
		[28] = "AF32",
		[30] = "AF33",
		[32] = "CS4",
		[34] = "AF41",
		[36] = "AF42",
		[38] = "AF43",
		[40] = "CS5",
		[44] = "voice admit",
		[45] = "no queue building",
		[46] = "expedited forwarding",
		[48] = "CS6",
		[56] = "CS7",
	};
	return dscp < 64 ? names[dscp] : NULL;
}

static const char *ecn_word(uint64_t ecn)
{
	static const char *const names[4] = { "not ECN-capable", "ECT(1)", "ECT(0)",
		"congestion experienced" };
	return ecn < 4 ? names[ecn] : NULL;
}

static const char *const fragment_flags[] = { "reserved", "don't fragment", "more fragments" };

static const struct field ip4_fields[] = {
	{ "Version", "version", "ip.version", 0, 4, FIELD_UINT, "Always 4: the IP version.", NULL,
		NULL },
	{ "Header length", "header_length", "ip.hdr_len", 4, 4, FIELD_UINT,
		"How long this header is, in words of four bytes.", ihl_word, NULL },
	{ "DSCP", "dscp", "ip.dsfield.dscp", 8, 6, FIELD_UINT,
		"The class of service that routers should give the packet.", dscp_word, NULL },
	{ "ECN", "ecn", "ip.dsfield.ecn", 14, 2, FIELD_UINT,
		"Lets a full router mark the packet instead of dropping it.", ecn_word, NULL },
	{ "Total length", "total_length", "ip.len", 16, 16, FIELD_UINT,
		"Bytes of this header and all that it carries.", NULL, NULL },
	{ "Identification", "id", "ip.id", 32, 16, FIELD_HEX,
		"The same in all fragments of one packet, so that they can be joined again.", NULL,
		NULL },
	{ "Flags", "flags", "ip.flags", 48, 3, FIELD_FLAGS,
		"Whether routers may cut the packet, and whether more of its pieces follow.", NULL,
		fragment_flags },
	{ "Fragment offset", "fragment_offset", "ip.frag_offset", 51, 13, FIELD_UINT,
		"Where this piece belongs in the whole, in units of eight bytes.", NULL, NULL },
	{ "Time to live", "ttl", "ip.ttl", 64, 8, FIELD_UINT,
		"Each router takes one off; at zero the packet dies, so none circles for ever.",
		NULL, NULL },
	{ "Protocol", "protocol", "ip.proto", 72, 8, FIELD_UINT,
		"Which protocol the packet carries.", ip_protocol_name, NULL },
	{ "Header checksum", "checksum", "ip.checksum", 80, 16, FIELD_HEX,
		"Shows damage to this header; the data has a checksum of its own.", NULL, NULL },
	{ "Source", "source", "ip.src", 96, 32, FIELD_ADDR4, "The machine that sent the packet.",
		NULL, NULL },
	{ "Destination", "destination", "ip.dst", 128, 32, FIELD_ADDR4,
		"The machine that the packet is for, anywhere on the internet.", NULL, NULL },
};

const struct header_info ip4_info = { "IPv4", "ip4", LAYER_INTERNET, "RFC 791 3.1", ip4_fields,
	sizeof ip4_fields / sizeof *ip4_fields };
