/*
 * Neighbour discovery. Each message is a fixed part by its type and then options of (type, length
 * in units of eight bytes). RFC 4861 wants the whole message discarded where anything is
 * malformed (6.1, 7.1, 8.1): code not zero, too short, an option of length zero or past the end.
 * Of the options each message takes those that are defined for it, once; the others are stepped
 * over by their length.
 *
 * Whether the hop limit was 255 and what the IP addresses were is known to the caller only.
 */
#include "wire/nd.h"

enum nd_option {
	ND_OPT_SOURCE_MAC = 1,
	ND_OPT_TARGET_MAC = 2,
	ND_OPT_PREFIX = 3,
	ND_OPT_MTU = 5,
};

#define RS_LEN        8
#define RA_LEN        16
#define NEIGHBOUR_LEN 24
#define REDIRECT_LEN  40
#define PREFIX_LEN    32
#define PREFIXES_MAX  8

static_assert(sizeof((struct nd_message *)0)->prefix / sizeof(struct nd_prefix) == PREFIXES_MAX,
	"the count that the header file promises");

/* The fixed part's length; 0 for what is no neighbour discovery. */
static size_t fixed_length(uint8_t type)
{
	switch (type) {
	case ICMP6_ROUTER_SOLICIT: return RS_LEN;
	case ICMP6_ROUTER_ADVERT: return RA_LEN;
	case ICMP6_NEIGHBOUR_SOLICIT:
	case ICMP6_NEIGHBOUR_ADVERT: return NEIGHBOUR_LEN;
	case ICMP6_REDIRECT: return REDIRECT_LEN;
	default: return 0;
	}
}

/* Can the address be a neighbour's? Neither a group nor IPv4 in disguise. */
static bool is_host(const struct addr *a)
{
	return !addr_is_multicast(a) && !addr_is4(a);
}

static bool parse_fixed(const uint8_t *at, struct nd_message *m)
{
	switch (m->type) {
	case ICMP6_ROUTER_ADVERT:
		m->hop_limit = at[4];
		m->managed = at[5] & 0x80;
		m->other = at[5] & 0x40;
		m->lifetime = load16(at + 6);
		m->reachable_ms = load32(at + 8);
		m->retrans_ms = load32(at + 12);
		return true;
	case ICMP6_NEIGHBOUR_ADVERT:
		m->router = at[4] & 0x80;
		m->solicited = at[4] & 0x40;
		m->override = at[4] & 0x20;
		m->target = addr_from6(at + 8);
		return is_host(&m->target);
	case ICMP6_NEIGHBOUR_SOLICIT: m->target = addr_from6(at + 8); return is_host(&m->target);
	case ICMP6_REDIRECT:
		/* RFC 4861 8.1: a better first hop is link-local, an on-link host is itself. */
		m->target = addr_from6(at + 8);
		m->destination = addr_from6(at + 24);
		return is_host(&m->destination) && is_host(&m->target) &&
			(addr_is_linklocal(&m->target) || addr_equal(&m->target, &m->destination));
	default: return true;
	}
}

static bool takes_source_mac(uint8_t type)
{
	return type == ICMP6_ROUTER_SOLICIT || type == ICMP6_ROUTER_ADVERT ||
		type == ICMP6_NEIGHBOUR_SOLICIT;
}

static bool takes_target_mac(uint8_t type)
{
	return type == ICMP6_NEIGHBOUR_ADVERT || type == ICMP6_REDIRECT;
}

static bool parse_mac(struct span option, bool *has, struct mac *mac)
{
	if (option.len != 8) /* an Ethernet address is 6 bytes, RFC 2464 6 */
		return false;
	if (!*has)
		memcpy(mac->b, option.at + 2, 6);
	*has = true;
	return true;
}

static bool parse_prefix(struct span option, struct nd_message *m)
{
	if (option.len != PREFIX_LEN || option.at[2] > 128)
		return false;
	struct addr prefix = addr_from6(option.at + 16);
	if (addr_is4(&prefix))
		return false;
	if (m->prefixes == PREFIXES_MAX)
		return true;
	m->prefix[m->prefixes++] = (struct nd_prefix){
		.prefix = prefix,
		.len = option.at[2],
		.on_link = option.at[3] & 0x80,
		.autonomous = option.at[3] & 0x40,
		.valid_s = load32(option.at + 4),
		.preferred_s = load32(option.at + 8),
	};
	return true;
}

static bool parse_mtu(struct span option, struct nd_message *m)
{
	if (option.len != 8)
		return false;
	if (!m->has_mtu)
		m->mtu = load32(option.at + 4);
	m->has_mtu = true;
	return true;
}

static bool parse_option(struct span option, struct nd_message *m)
{
	uint8_t kind = option.at[0];
	if (kind == ND_OPT_SOURCE_MAC && takes_source_mac(m->type))
		return parse_mac(option, &m->has_source_mac, &m->source_mac);
	if (kind == ND_OPT_TARGET_MAC && takes_target_mac(m->type))
		return parse_mac(option, &m->has_target_mac, &m->target_mac);
	if (kind == ND_OPT_PREFIX && m->type == ICMP6_ROUTER_ADVERT)
		return parse_prefix(option, m);
	if (kind == ND_OPT_MTU && m->type == ICMP6_ROUTER_ADVERT)
		return parse_mtu(option, m);
	return true;
}

enum drop nd_parse(struct span bytes, struct nd_message *m)
{
	if (bytes.len < ICMP_HEADER)
		return DROP_ICMP_SHORT;
	memset(m, 0, sizeof *m);
	m->type = bytes.at[0];
	size_t fixed = fixed_length(m->type);
	if (fixed == 0 || bytes.len < fixed || bytes.at[1] != 0)
		return DROP_ND_FORMAT;
	if (!parse_fixed(bytes.at, m))
		return DROP_ND_FORMAT;
	struct span rest = span_after(bytes, fixed);
	while (rest.len > 0) {
		if (rest.len < 8)
			return DROP_ND_FORMAT;
		size_t len = rest.at[1] * (size_t)8;
		if (len == 0 || len > rest.len)
			return DROP_ND_FORMAT;
		if (!parse_option(span_first(rest, len), m))
			return DROP_ND_FORMAT;
		rest = span_after(rest, len);
	}
	return DROP_NONE;
}

static void emit_fixed(const struct nd_message *m, uint8_t *at)
{
	at[0] = m->type;
	switch (m->type) {
	case ICMP6_ROUTER_ADVERT:
		at[4] = m->hop_limit;
		at[5] = (uint8_t)(m->managed << 7 | m->other << 6);
		store16(at + 6, m->lifetime);
		store32(at + 8, m->reachable_ms);
		store32(at + 12, m->retrans_ms);
		break;
	case ICMP6_NEIGHBOUR_ADVERT:
		at[4] = (uint8_t)(m->router << 7 | m->solicited << 6 | m->override << 5);
		memcpy(at + 8, m->target.b, 16);
		break;
	case ICMP6_NEIGHBOUR_SOLICIT: memcpy(at + 8, m->target.b, 16); break;
	default: break;
	}
}

/* The kind, the length in units of eight, and zeroes. */
static uint8_t *emit_option(struct writer *w, enum nd_option kind, size_t len)
{
	uint8_t *at = write_room(w, len);
	if (at) {
		memset(at, 0, len);
		at[0] = (uint8_t)kind;
		at[1] = (uint8_t)(len / 8);
	}
	return at;
}

static void emit_mac(struct writer *w, enum nd_option kind, const struct mac *mac)
{
	uint8_t *at = emit_option(w, kind, 8);
	if (at)
		memcpy(at + 2, mac->b, 6);
}

static void emit_prefix(struct writer *w, const struct nd_prefix *p)
{
	uint8_t *at = emit_option(w, ND_OPT_PREFIX, PREFIX_LEN);
	if (!at)
		return;
	at[2] = p->len;
	at[3] = (uint8_t)(p->on_link << 7 | p->autonomous << 6);
	store32(at + 4, p->valid_s);
	store32(at + 8, p->preferred_s);
	memcpy(at + 16, p->prefix.b, 16);
}

size_t nd_emit(const struct nd_message *m, uint8_t *out, size_t cap)
{
	size_t fixed = fixed_length(m->type);
	if (fixed == 0 || m->type == ICMP6_REDIRECT || m->prefixes > PREFIXES_MAX)
		return 0;
	struct writer w = writer_of(out, cap);
	uint8_t *at = write_room(&w, fixed);
	if (!at)
		return 0;
	memset(at, 0, fixed);
	emit_fixed(m, at);
	if (m->has_source_mac && takes_source_mac(m->type))
		emit_mac(&w, ND_OPT_SOURCE_MAC, &m->source_mac);
	if (m->has_target_mac && takes_target_mac(m->type))
		emit_mac(&w, ND_OPT_TARGET_MAC, &m->target_mac);
	if (m->type == ICMP6_ROUTER_ADVERT) {
		if (m->has_mtu && (at = emit_option(&w, ND_OPT_MTU, 8)))
			store32(at + 4, m->mtu);
		for (unsigned i = 0; i < m->prefixes; i++)
			emit_prefix(&w, &m->prefix[i]);
	}
	return w.failed ? 0 : w.len;
}

struct addr nd_solicited_node(const struct addr *target)
{
	struct addr a = { .b = { 0xff, 0x02, [11] = 1, [12] = 0xff } };
	memcpy(a.b + 13, target->b + 13, 3);
	return a;
}

struct mac multicast_mac(const struct addr *group)
{
	if (addr_is4(group))
		return (struct mac){ .b = { 0x01, 0x00, 0x5e, group->b[13] & 0x7f, group->b[14],
					     group->b[15] } };
	return (struct mac){ .b = { 0x33, 0x33, group->b[12], group->b[13], group->b[14],
				     group->b[15] } };
}

static const char *const advert_flags[] = { "router", "solicited", "override" };

static const char *type_word(uint64_t type)
{
	return type < 256 ? icmp6_name((uint8_t)type, 0) : NULL;
}

static const struct field solicit_fields[] = {
	{ "Type", "type", "icmpv6.type", 0, 8, FIELD_UINT, "135 asks: who has this address?",
		type_word, NULL },
	{ "Code", "code", "icmpv6.code", 8, 8, FIELD_UINT, "Always 0.", NULL, NULL },
	{ "Checksum", "checksum", "icmpv6.checksum", 16, 16, FIELD_HEX,
		"Shows damage to the message or the addresses.", NULL, NULL },
	{ "Reserved", "reserved", NULL, 32, 32, FIELD_HEX, "Sent as zero, ignored on receipt.",
		NULL, NULL },
	{ "Target", "target", "icmpv6.nd.ns.target_address", 64, 128, FIELD_ADDR6,
		"The address whose owner should answer.", NULL, NULL },
};

static const struct field advert_fields[] = {
	{ "Type", "type", "icmpv6.type", 0, 8, FIELD_UINT,
		"136 answers: it is at this MAC address.", type_word, NULL },
	{ "Code", "code", "icmpv6.code", 8, 8, FIELD_UINT, "Always 0.", NULL, NULL },
	{ "Checksum", "checksum", "icmpv6.checksum", 16, 16, FIELD_HEX,
		"Shows damage to the message or the addresses.", NULL, NULL },
	{ "Flags", "flags", NULL, 32, 3, FIELD_FLAGS,
		"A router speaks; it was asked; the answer replaces what is known.", NULL,
		advert_flags },
	{ "Reserved", "reserved", NULL, 35, 29, FIELD_HEX, "Sent as zero, ignored on receipt.",
		NULL, NULL },
	{ "Target", "target", "icmpv6.nd.na.target_address", 64, 128, FIELD_ADDR6,
		"The address that the answer is about.", NULL, NULL },
};

const struct header_info nd_solicit_info = { "Neighbour solicitation", "nd_solicit", LAYER_INTERNET,
	"RFC 4861 4.3", solicit_fields, sizeof solicit_fields / sizeof *solicit_fields };
const struct header_info nd_advert_info = { "Neighbour advertisement", "nd_advert", LAYER_INTERNET,
	"RFC 4861 4.4", advert_fields, sizeof advert_fields / sizeof *advert_fields };
