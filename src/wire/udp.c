/*
 * UDP. The length field must lie between the header's 8 bytes and what IP delivered (UDP-01);
 * where it is smaller than that, the rest is no data and the caller cuts there. The checksum
 * needs the whole datagram, so transport sums it.
 */
#include "wire/udp.h"

enum drop udp_parse(struct span bytes, size_t present, struct udp_header *h)
{
	if (bytes.len < UDP_HEADER || present < UDP_HEADER)
		return DROP_UDP_SHORT;
	h->source_port = load16(bytes.at);
	h->destination_port = load16(bytes.at + 2);
	h->length = load16(bytes.at + 4);
	h->checksum = load16(bytes.at + 6);
	if (h->length < UDP_HEADER || h->length > present)
		return DROP_UDP_LENGTH;
	return DROP_NONE;
}

size_t udp_emit(const struct udp_header *h, uint8_t *out, size_t cap)
{
	if (cap < UDP_HEADER)
		return 0;
	store16(out, h->source_port);
	store16(out + 2, h->destination_port);
	store16(out + 4, h->length);
	store16(out + 6, h->checksum);
	return UDP_HEADER;
}

static const char *port_word(uint64_t port)
{
	switch (port) {
	case 7: return "echo";
	case 53: return "DNS";
	case 67: return "DHCP server";
	case 68: return "DHCP client";
	case 69: return "TFTP";
	case 123: return "NTP";
	case 137: return "NetBIOS names";
	case 161: return "SNMP";
	case 443: return "HTTP/3";
	case 500: return "IKE";
	case 514: return "syslog";
	case 546: return "DHCPv6 client";
	case 547: return "DHCPv6 server";
	case 853: return "DNS over QUIC";
	case 1900: return "SSDP";
	case 4500: return "IPsec through NAT";
	case 4789: return "VXLAN";
	case 5353: return "multicast DNS";
	case 51820: return "WireGuard";
	default: return NULL;
	}
}

static const char *checksum_word(uint64_t checksum)
{
	return checksum == 0 ? "none: the sender did not compute one" : NULL;
}

static const struct field udp_fields[] = {
	{ "Source port", "source_port", "udp.srcport", 0, 16, FIELD_UINT,
		"The program on the sending machine, and where an answer goes.", port_word, NULL },
	{ "Destination port", "destination_port", "udp.dstport", 16, 16, FIELD_UINT,
		"The program on the receiving machine.", port_word, NULL },
	{ "Length", "length", "udp.length", 32, 16, FIELD_UINT,
		"Bytes of this header and its data together.", NULL, NULL },
	{ "Checksum", "checksum", "udp.checksum", 48, 16, FIELD_HEX,
		"Shows damage to the data, the header or the addresses.", checksum_word, NULL },
};

const struct header_info udp_info = { "UDP", "udp", LAYER_TRANSPORT, "RFC 768", udp_fields,
	sizeof udp_fields / sizeof *udp_fields };
