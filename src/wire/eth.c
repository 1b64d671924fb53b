/*
 * Ethernet in and out. The 16 bits after the source address decide which of the forms a frame
 * has: from 0x0600 up they name what follows (Ethernet II), up to 1500 they count the bytes of an
 * LLC frame, and between the two they mean nothing (IEEE 802.3 3.2.6). Where they name a VLAN
 * tag, the tag stands in between and another such field follows it. A second tag is always
 * 0x8100: service tags are outermost (IEEE 802.1Q 9.6), so a second 0x88a8 is left as a type that
 * nobody understands.
 *
 * LLC is read as far as IP needs it: SNAP with the zero organization is RFC 1042's way of
 * carrying an EtherType; any other LLC frame keeps its three bytes and has type 0.
 */
#include "wire/eth.h"

#define ETH_LENGTH_MAX 1500
#define ETH_TYPE_MIN   0x0600
#define LLC_LEN        3
#define SNAP_LEN       8

static_assert(offsetof(struct eth_header, destination) == 0, "the addresses are copied at once");
static_assert(offsetof(struct eth_header, source) == 6, "the addresses are copied at once");

static bool is_tag(uint16_t type, unsigned tags)
{
	return type == ETHERTYPE_VLAN || (type == ETHERTYPE_QINQ && tags == 0);
}

/* All that is not on the straight line of eth_parse stays out of its registers. */
#define OFF_LINE __attribute__((noinline))

/* `at` is the offset after the length field. */
static enum drop parse_llc(struct span frame, size_t at, struct eth_header *h, struct span *payload)
{
	if (h->length > frame.len - at)
		return DROP_ETH_LENGTH;
	struct span body = span_of(frame.at + at, h->length);
	if (body.len < LLC_LEN)
		return DROP_LLC_SHORT;
	h->llc = true;
	h->dsap = body.at[0];
	h->ssap = body.at[1];
	h->control = body.at[2];
	h->type = 0;
	size_t used = LLC_LEN;
	if (h->dsap == 0xaa && h->ssap == 0xaa && h->control == 3) {
		if (body.len < SNAP_LEN)
			return DROP_LLC_SHORT;
		uint16_t type = load16(body.at + 6);
		bool rfc1042 = body.at[3] == 0 && body.at[4] == 0 && body.at[5] == 0;
		if (rfc1042 && type >= ETH_TYPE_MIN) {
			h->type = type;
			used = SNAP_LEN;
		}
	}
	h->header_len = (uint8_t)(at + used);
	*payload = span_of(body.at + used, body.len - used);
	return DROP_NONE;
}

/* Tags, LLC, and the types that are no IP. */
static OFF_LINE enum drop parse_other(struct span frame, struct eth_header *h, struct span *payload)
{
	size_t at = ETH_HEADER;
	uint16_t type = h->type;
	h->outer_is_qinq = type == ETHERTYPE_QINQ;
	while (h->tags < 2 && is_tag(type, h->tags)) {
		if (frame.len - at < 4)
			return DROP_VLAN_SHORT;
		h->tag[h->tags++] = load16(frame.at + at);
		type = load16(frame.at + at + 2);
		at += 4;
	}
	if (type < ETH_TYPE_MIN) {
		if (type > ETH_LENGTH_MAX)
			return DROP_ETH_UNDEFINED;
		h->length = type;
		return parse_llc(frame, at, h, payload);
	}
	h->type = type;
	h->header_len = (uint8_t)at;
	*payload = span_of(frame.at + at, frame.len - at);
	return DROP_NONE;
}

enum drop eth_parse(struct span frame, struct eth_header *h, struct span *payload)
{
	if (frame.len < ETH_HEADER)
		return DROP_ETH_SHORT;
	memcpy(h, frame.at, 12);
	uint16_t type = load16(frame.at + 12);
	h->type = type;
	h->tags = 0;
	h->outer_is_qinq = false;
	h->llc = false;
	h->header_len = ETH_HEADER;
	if (__builtin_expect(type != ETHERTYPE_IP4 && type != ETHERTYPE_IP6, 0))
		return parse_other(frame, h, payload);
	*payload = span_of(frame.at + ETH_HEADER, frame.len - ETH_HEADER);
	return DROP_NONE;
}

static size_t emit_length(const struct eth_header *h)
{
	size_t len = ETH_HEADER + 4u * h->tags;
	if (h->llc)
		len += h->type ? SNAP_LEN : LLC_LEN;
	return len;
}

static void emit_llc(const struct eth_header *h, uint8_t *at)
{
	if (h->type == 0) {
		at[0] = h->dsap;
		at[1] = h->ssap;
		at[2] = h->control;
		return;
	}
	static const uint8_t snap[6] = { 0xaa, 0xaa, 0x03, 0, 0, 0 };
	memcpy(at, snap, 6);
	store16(at + 6, h->type);
}

size_t eth_emit(const struct eth_header *h, uint8_t *out, size_t cap)
{
	size_t len = emit_length(h);
	if (h->tags > 2 || len > cap)
		return 0;
	memcpy(out, h, 12);
	uint8_t *at = out + 12;
	for (unsigned i = 0; i < h->tags; i++, at += 4) {
		store16(at, i == 0 && h->outer_is_qinq ? ETHERTYPE_QINQ : ETHERTYPE_VLAN);
		store16(at + 2, h->tag[i]);
	}
	store16(at, h->llc ? h->length : h->type);
	if (h->llc)
		emit_llc(h, at + 2);
	return len;
}

uint32_t eth_fcs(struct span frame)
{
	/* What four zero bits shifted in do to the remainder, reflected 0x04c11db7. */
	static const uint32_t nibble[16] = {
		0x00000000,
		0x1db71064,
		0x3b6e20c8,
		0x26d930ac,
		0x76dc4190,
		0x6b6b51f4,
		0x4db26158,
		0x5005713c,
		0xedb88320,
		0xf00f9344,
		0xd6d6a3e8,
		0xcb61b38c,
		0x9b64c2b0,
		0x86d3d2d4,
		0xa00ae278,
		0xbdbdf21c,
	};
	uint32_t crc = 0xffffffff;
	for (size_t i = 0; i < frame.len; i++) {
		crc ^= frame.at[i];
		crc = crc >> 4 ^ nibble[crc & 15];
		crc = crc >> 4 ^ nibble[crc & 15];
	}
	return ~crc;
}

static const char *type_word(uint64_t type)
{
	if (type <= ETH_LENGTH_MAX)
		return "length";
	switch (type) {
	case ETHERTYPE_IP4: return "IPv4";
	case ETHERTYPE_ARP: return "ARP";
	case 0x0842: return "Wake-on-LAN";
	case 0x22f0: return "AVTP";
	case 0x8035: return "RARP";
	case 0x809b: return "AppleTalk";
	case 0x80f3: return "AARP";
	case ETHERTYPE_VLAN: return "VLAN tag";
	case 0x8137: return "IPX";
	case ETHERTYPE_IP6: return "IPv6";
	case 0x8808: return "Ethernet flow control";
	case 0x8809: return "slow protocols";
	case 0x8847: return "MPLS";
	case 0x8848: return "MPLS, upstream label";
	case 0x8863: return "PPPoE discovery";
	case 0x8864: return "PPPoE session";
	case 0x888e: return "802.1X";
	case ETHERTYPE_QINQ: return "service VLAN tag";
	case 0x88b5: return "local experiment 1";
	case 0x88b6: return "local experiment 2";
	case 0x88cc: return "LLDP";
	case 0x88e5: return "MACsec";
	case 0x88f7: return "PTP";
	case 0x8902: return "CFM";
	case 0x8906: return "FCoE";
	case 0x893a: return "1905.1";
	case 0x9000: return "loopback test";
	default: return NULL;
	}
}

static const char *priority_word(uint64_t priority)
{
	/* IEEE 802.1Q table I-1; 1 is below 0. */
	static const char *const words[8] = {
		"best effort",
		"background",
		"excellent effort",
		"critical applications",
		"video",
		"voice",
		"internetwork control",
		"network control",
	};
	return priority < 8 ? words[priority] : NULL;
}

static const char *sap_word(uint64_t sap)
{
	switch (sap) {
	case 0x00: return "null";
	case 0x06: return "IP";
	case 0x42: return "spanning tree";
	case 0xaa: return "SNAP";
	case 0xe0: return "NetWare";
	case 0xf0: return "NetBIOS";
	case 0xfe: return "OSI";
	case 0xff: return "all";
	default: return NULL;
	}
}

static const char *control_word(uint64_t control)
{
	return control == 3 ? "unnumbered information" : NULL;
}

static const struct field eth_fields[] = {
	{ "Destination", "destination", "eth.dst", 0, 48, FIELD_MAC,
		"The network card on this link that the frame is for; all ones means everyone.",
		NULL, NULL },
	{ "Source", "source", "eth.src", 48, 48, FIELD_MAC,
		"The network card on this link that sent the frame.", NULL, NULL },
	{ "Type", "type", "eth.type", 96, 16, FIELD_HEX,
		"Which protocol the frame carries; up to 1500 it is a length instead.", type_word,
		NULL },
};

/* The four bytes after the type field that announced the tag: the tag itself and the next type. */
static const struct field vlan_fields[] = {
	{ "Priority", "priority", "vlan.priority", 0, 3, FIELD_UINT,
		"How urgently switches should forward the frame.", priority_word, NULL },
	{ "Drop eligible", "drop_eligible", "vlan.dei", 3, 1, FIELD_UINT,
		"Set where the frame may be dropped first when the network is full.", NULL, NULL },
	{ "VLAN", "vlan", "vlan.id", 4, 12, FIELD_UINT,
		"The number of the virtual network that the frame belongs to; 0 means none.", NULL,
		NULL },
	{ "Type", "type", "vlan.etype", 16, 16, FIELD_HEX,
		"Which protocol follows the tag; up to 1500 it is a length instead.", type_word,
		NULL },
};

/* The last two fields are there with SNAP only. */
static const struct field llc_fields[] = {
	{ "Destination service", "dsap", "llc.dsap", 0, 8, FIELD_HEX,
		"Which service of the receiver the frame is for; 0xaa means that SNAP follows.",
		sap_word, NULL },
	{ "Source service", "ssap", "llc.ssap", 8, 8, FIELD_HEX,
		"Which service of the sender it comes from.", sap_word, NULL },
	{ "Control", "control", "llc.control", 16, 8, FIELD_HEX,
		"The kind of LLC frame; 3 is a plain datagram.", control_word, NULL },
	{ "Organization", "organization", "llc.oui", 24, 24, FIELD_HEX,
		"Who numbered the protocol; 0 means that an EtherType follows.", NULL, NULL },
	{ "Type", "type", "llc.type", 48, 16, FIELD_HEX, "Which protocol the frame carries.",
		type_word, NULL },
};

const struct header_info eth_info = { "Ethernet", "eth", LAYER_ACCESS, "IEEE 802.3 3.1", eth_fields,
	sizeof eth_fields / sizeof *eth_fields };
const struct header_info vlan_info = { "VLAN", "vlan", LAYER_ACCESS, "IEEE 802.1Q 9.6", vlan_fields,
	sizeof vlan_fields / sizeof *vlan_fields };
const struct header_info llc_info = { "LLC", "llc", LAYER_ACCESS, "RFC 1042", llc_fields,
	sizeof llc_fields / sizeof *llc_fields };
