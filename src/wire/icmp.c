/*
 * ICMP for both families: eight bytes that look alike, and names for what they say. The numbers
 * differ between ICMPv4 (RFC 792 and IANA's list) and ICMPv6 (RFC 4443), hence two tables. The
 * checksum covers the body too, so the layer that holds all of the message sums it.
 */
#include "wire/icmp.h"

enum drop icmp_parse(struct span bytes, struct icmp_header *h)
{
	if (bytes.len < ICMP_HEADER)
		return DROP_ICMP_SHORT;
	h->type = bytes.at[0];
	h->code = bytes.at[1];
	h->checksum = load16(bytes.at + 2);
	h->rest = load32(bytes.at + 4);
	return DROP_NONE;
}

size_t icmp_emit(const struct icmp_header *h, uint8_t *out, size_t cap)
{
	if (cap < ICMP_HEADER)
		return 0;
	out[0] = h->type;
	out[1] = h->code;
	store16(out + 2, h->checksum);
	store32(out + 4, h->rest);
	return ICMP_HEADER;
}

/* Codes of one type; a code past the list, or a hole in it, has the type's own name. */
struct codes {
	const char *type;
	const char *const *code;
	unsigned count;
};

#define CODES(name, list) \
	{ \
		name, list, sizeof(list) / sizeof *(list) \
	}
#define PLAIN(name) \
	{ \
		name, NULL, 0 \
	}

static const char *const unreachable4[] = {
	"network unreachable",
	"host unreachable",
	"protocol unreachable",
	"port unreachable",
	"fragmentation needed",
	"source route failed",
	"destination network unknown",
	"destination host unknown",
	"source host isolated",
	"network administratively prohibited",
	"host administratively prohibited",
	"network unreachable for this type of service",
	"host unreachable for this type of service",
	"communication administratively prohibited",
	"host precedence violation",
	"precedence cutoff in effect",
};
static const char *const redirect4[] = {
	"redirect for the network",
	"redirect for the host",
	"redirect for the type of service and network",
	"redirect for the type of service and host",
};
static const char *const exceeded4[] = {
	"time to live exceeded in transit",
	"fragment reassembly time exceeded",
};
static const char *const parameter4[] = {
	"parameter problem: pointer indicates the error",
	"parameter problem: missing a required option",
	"parameter problem: bad length",
};
static const char *const photuris[] = {
	"security failure: bad SPI",
	"security failure: authentication failed",
	"security failure: decompression failed",
	"security failure: decryption failed",
	"security failure: need authentication",
	"security failure: need authorization",
};
static const char *const extended_reply[] = {
	"extended echo reply",
	"extended echo reply: malformed query",
	"extended echo reply: no such interface",
	"extended echo reply: no such table entry",
	"extended echo reply: multiple interfaces satisfy the query",
};

static const struct codes icmp4_types[] = {
	[0] = PLAIN("echo reply"),
	[3] = CODES("destination unreachable", unreachable4),
	[4] = PLAIN("source quench"),
	[5] = CODES("redirect", redirect4),
	[6] = PLAIN("alternate host address"),
	[8] = PLAIN("echo request"),
	[9] = PLAIN("router advertisement"),
	[10] = PLAIN("router solicitation"),
	[11] = CODES("time exceeded", exceeded4),
	[12] = CODES("parameter problem", parameter4),
	[13] = PLAIN("timestamp request"),
	[14] = PLAIN("timestamp reply"),
	[15] = PLAIN("information request"),
	[16] = PLAIN("information reply"),
	[17] = PLAIN("address mask request"),
	[18] = PLAIN("address mask reply"),
	[30] = PLAIN("traceroute"),
	[31] = PLAIN("datagram conversion error"),
	[32] = PLAIN("mobile host redirect"),
	[33] = PLAIN("IPv6 where-are-you"),
	[34] = PLAIN("IPv6 I-am-here"),
	[35] = PLAIN("mobile registration request"),
	[36] = PLAIN("mobile registration reply"),
	[37] = PLAIN("domain name request"),
	[38] = PLAIN("domain name reply"),
	[39] = PLAIN("SKIP"),
	[40] = CODES("security failure", photuris),
	[41] = PLAIN("experimental mobility message"),
	[42] = PLAIN("extended echo request"),
	[43] = CODES("extended echo reply", extended_reply),
	[253] = PLAIN("experiment 1"),
	[254] = PLAIN("experiment 2"),
};

static const char *const unreachable6[] = {
	"no route to destination",
	"communication administratively prohibited",
	"beyond scope of source address",
	"address unreachable",
	"port unreachable",
	"source address failed ingress or egress policy",
	"reject route to destination",
	"error in source routing header",
	"headers too long",
};
static const char *const exceeded6[] = {
	"hop limit exceeded in transit",
	"fragment reassembly time exceeded",
};
static const char *const parameter6[] = {
	"parameter problem: erroneous header field",
	"parameter problem: unrecognized next header",
	"parameter problem: unrecognized IPv6 option",
	"parameter problem: first fragment has an incomplete header chain",
	"parameter problem: segment routing upper-layer header error",
	"parameter problem: unrecognized next header at an intermediate node",
	"parameter problem: extension header too big",
	"parameter problem: extension header chain too long",
	"parameter problem: too many extension headers",
	"parameter problem: too many options in an extension header",
	"parameter problem: option too big",
};
static const char *const renumbering[] = {
	"router renumbering command",
	"router renumbering result",
};

static const struct codes icmp6_types[] = {
	[1] = CODES("destination unreachable", unreachable6),
	[2] = PLAIN("packet too big"),
	[3] = CODES("time exceeded", exceeded6),
	[4] = CODES("parameter problem", parameter6),
	[100] = PLAIN("private experimentation"),
	[101] = PLAIN("private experimentation"),
	[128] = PLAIN("echo request"),
	[129] = PLAIN("echo reply"),
	[130] = PLAIN("multicast listener query"),
	[131] = PLAIN("multicast listener report"),
	[132] = PLAIN("multicast listener done"),
	[133] = PLAIN("router solicitation"),
	[134] = PLAIN("router advertisement"),
	[135] = PLAIN("neighbour solicitation"),
	[136] = PLAIN("neighbour advertisement"),
	[137] = PLAIN("redirect"),
	[138] = CODES("router renumbering", renumbering),
	[139] = PLAIN("node information query"),
	[140] = PLAIN("node information response"),
	[141] = PLAIN("inverse neighbour discovery solicitation"),
	[142] = PLAIN("inverse neighbour discovery advertisement"),
	[143] = PLAIN("multicast listener report, version 2"),
	[144] = PLAIN("home agent address discovery request"),
	[145] = PLAIN("home agent address discovery reply"),
	[146] = PLAIN("mobile prefix solicitation"),
	[147] = PLAIN("mobile prefix advertisement"),
	[148] = PLAIN("certification path solicitation"),
	[149] = PLAIN("certification path advertisement"),
	[150] = PLAIN("experimental mobility message"),
	[151] = PLAIN("multicast router advertisement"),
	[152] = PLAIN("multicast router solicitation"),
	[153] = PLAIN("multicast router termination"),
	[154] = PLAIN("FMIPv6 message"),
	[155] = PLAIN("RPL control message"),
	[156] = PLAIN("ILNPv6 locator update"),
	[157] = PLAIN("duplicate address request"),
	[158] = PLAIN("duplicate address confirmation"),
	[159] = PLAIN("MPL control message"),
	[160] = PLAIN("extended echo request"),
	[161] = CODES("extended echo reply", extended_reply),
	[200] = PLAIN("private experimentation"),
	[201] = PLAIN("private experimentation"),
};

static const char *name_in(const struct codes *types, unsigned count, uint8_t type, uint8_t code)
{
	if (type >= count || !types[type].type)
		return "unknown type";
	const struct codes *c = &types[type];
	return code < c->count ? c->code[code] : c->type;
}

const char *icmp4_name(uint8_t type, uint8_t code)
{
	return name_in(icmp4_types, sizeof icmp4_types / sizeof *icmp4_types, type, code);
}

const char *icmp6_name(uint8_t type, uint8_t code)
{
	return name_in(icmp6_types, sizeof icmp6_types / sizeof *icmp6_types, type, code);
}

static const char *type_word(const struct codes *types, unsigned count, uint64_t type)
{
	return type < count ? types[type].type : NULL;
}

static const char *type4_word(uint64_t type)
{
	return type_word(icmp4_types, sizeof icmp4_types / sizeof *icmp4_types, type);
}

static const char *type6_word(uint64_t type)
{
	return type_word(icmp6_types, sizeof icmp6_types / sizeof *icmp6_types, type);
}

static const struct field icmp4_fields[] = {
	{ "Type", "type", "icmp.type", 0, 8, FIELD_UINT, "What the message says.", type4_word,
		NULL },
	{ "Code", "code", "icmp.code", 8, 8, FIELD_UINT, "Which case of the type.", NULL, NULL },
	{ "Checksum", "checksum", "icmp.checksum", 16, 16, FIELD_HEX,
		"Shows damage to the message.", NULL, NULL },
	{ "Rest of header", "rest", NULL, 32, 32, FIELD_HEX,
		"In an echo its identifier and number; in an error the MTU, a pointer or nothing.",
		NULL, NULL },
};

static const struct field icmp6_fields[] = {
	{ "Type", "type", "icmpv6.type", 0, 8, FIELD_UINT,
		"What the message says; below 128 it is an error.", type6_word, NULL },
	{ "Code", "code", "icmpv6.code", 8, 8, FIELD_UINT, "Which case of the type.", NULL, NULL },
	{ "Checksum", "checksum", "icmpv6.checksum", 16, 16, FIELD_HEX,
		"Shows damage to the message or the addresses.", NULL, NULL },
	{ "Rest of header", "rest", NULL, 32, 32, FIELD_HEX,
		"In an echo its identifier and number; in an error the MTU, a pointer or nothing.",
		NULL, NULL },
};

const struct header_info icmp4_info = { "ICMP", "icmp4", LAYER_INTERNET, "RFC 792", icmp4_fields,
	sizeof icmp4_fields / sizeof *icmp4_fields };
const struct header_info icmp6_info = { "ICMPv6", "icmp6", LAYER_INTERNET, "RFC 4443 2.1",
	icmp6_fields, sizeof icmp6_fields / sizeof *icmp6_fields };
