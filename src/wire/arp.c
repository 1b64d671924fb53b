/*
 * ARP. The packet says itself how long its addresses are; those four fields are checked first, so
 * that the offsets of the rest are the known ones. RARP's operations and the inverse ones are
 * refused: only a request and a reply mean anything to a host (RFC 826).
 */
#include "wire/arp.h"

#define ARP_HARDWARE_ETHERNET 1

enum drop arp_parse(struct span bytes, struct arp_packet *p)
{
	if (bytes.len < 8)
		return DROP_ARP_SHORT;
	const uint8_t *at = bytes.at;
	if (load16(at) != ARP_HARDWARE_ETHERNET || load16(at + 2) != ETHERTYPE_IP4 || at[4] != 6 ||
		at[5] != 4)
		return DROP_ARP_KIND;
	if (bytes.len < ARP_LEN)
		return DROP_ARP_SHORT;
	p->operation = load16(at + 6);
	memcpy(p->sender_mac.b, at + 8, 6);
	p->sender = addr_from4(at + 14);
	memcpy(p->target_mac.b, at + 18, 6);
	p->target = addr_from4(at + 24);
	if (p->operation != ARP_REQUEST && p->operation != ARP_REPLY)
		return DROP_ARP_OPERATION;
	return DROP_NONE;
}

size_t arp_emit(const struct arp_packet *p, uint8_t *out, size_t cap)
{
	if (cap < ARP_LEN)
		return 0;
	store16(out, ARP_HARDWARE_ETHERNET);
	store16(out + 2, ETHERTYPE_IP4);
	out[4] = 6;
	out[5] = 4;
	store16(out + 6, p->operation);
	memcpy(out + 8, p->sender_mac.b, 6);
	memcpy(out + 14, p->sender.b + 12, 4);
	memcpy(out + 18, p->target_mac.b, 6);
	memcpy(out + 24, p->target.b + 12, 4);
	return ARP_LEN;
}

static const char *hardware_word(uint64_t type)
{
	return type == ARP_HARDWARE_ETHERNET ? "Ethernet" : NULL;
}

static const char *protocol_word(uint64_t type)
{
	return type == ETHERTYPE_IP4 ? "IPv4" : NULL;
}

static const char *operation_word(uint64_t operation)
{
	switch (operation) {
	case ARP_REQUEST: return "request: who has this address?";
	case ARP_REPLY: return "reply: it is at this MAC address";
	case 3: return "RARP request";
	case 4: return "RARP reply";
	case 8: return "InARP request";
	case 9: return "InARP reply";
	default: return NULL;
	}
}

static const struct field arp_fields[] = {
	{ "Hardware type", "hardware_type", "arp.hw.type", 0, 16, FIELD_UINT,
		"What kind of link the hardware addresses belong to.", hardware_word, NULL },
	{ "Protocol type", "protocol_type", "arp.proto.type", 16, 16, FIELD_HEX,
		"What kind of address is looked up.", protocol_word, NULL },
	{ "Hardware length", "hardware_length", "arp.hw.size", 32, 8, FIELD_UINT,
		"Bytes in a hardware address.", NULL, NULL },
	{ "Protocol length", "protocol_length", "arp.proto.size", 40, 8, FIELD_UINT,
		"Bytes in a protocol address.", NULL, NULL },
	{ "Operation", "operation", "arp.opcode", 48, 16, FIELD_UINT,
		"Whether this is a question or an answer.", operation_word, NULL },
	{ "Sender MAC", "sender_mac", "arp.src.hw_mac", 64, 48, FIELD_MAC,
		"The hardware address of who speaks; in a reply, this is the answer.", NULL, NULL },
	{ "Sender address", "sender", "arp.src.proto_ipv4", 112, 32, FIELD_ADDR4,
		"The IP address of who speaks.", NULL, NULL },
	{ "Target MAC", "target_mac", "arp.dst.hw_mac", 144, 48, FIELD_MAC,
		"The hardware address asked for: zero in a request.", NULL, NULL },
	{ "Target address", "target", "arp.dst.proto_ipv4", 192, 32, FIELD_ADDR4,
		"The IP address that the question is about.", NULL, NULL },
};

const struct header_info arp_info = { "ARP", "arp", LAYER_ACCESS, "RFC 826", arp_fields,
	sizeof arp_fields / sizeof *arp_fields };
