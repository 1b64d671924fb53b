/*
 * From the link up: each header is read by its codec, its bytes are noted as a
 * layer's, and what is behind it is read next. The first fault is kept and named;
 * reading goes on where the header still says what follows.
 */
#include "diag/dissect.h"

#include "wire/arp.h"
#include "wire/dns.h"
#include "wire/nd.h"
#include "wire/pcapng.h"
#include "wire/udp.h"

struct reading {
	struct dissection *d;
	struct span rest; /* of the packet, as its own lengths say */
	uint32_t missing; /* bytes of `rest` that were not captured */
};

static void note(struct reading *r, enum dissect_part part, enum layer layer, const char *name,
	const char *key, const struct header_info *info, size_t len)
{
	struct dissection *d = r->d;
	if (len > r->rest.len)
		len = r->rest.len;
	if (d->layers < DISSECT_LAYERS)
		d->layer[d->layers++] = (struct dissect_layer){
			.part = part,
			.layer = layer,
			.name = name,
			.key = key,
			.info = info,
			.at = (uint32_t)(r->rest.at - d->bytes.at),
			.len = (uint32_t)len,
		};
	r->rest = span_after(r->rest, len);
}

static void fault(struct reading *r, enum drop reason)
{
	if (r->d->problem == DROP_NONE)
		r->d->problem = reason;
}

static void data(struct reading *r)
{
	if (r->rest.len)
		note(r, DISSECT_DATA, LAYER_APPLICATION, "Data", "data", NULL, r->rest.len);
}

/* Does this look like the start of a request or a response? */
static bool looks_like_http(struct span s)
{
	static const char *const starts[] = { "GET ", "HEAD ", "POST ", "PUT ", "DELETE ",
		"OPTIONS ", "CONNECT ", "TRACE ", "PATCH ", "HTTP/1." };
	for (unsigned i = 0; i < sizeof starts / sizeof starts[0]; i++) {
		size_t len = 0;
		while (starts[i][len])
			len++;
		if (s.len >= len && memcmp(s.at, starts[i], len) == 0)
			return true;
	}
	return false;
}

/* The bytes of an HTTP head: up to the empty line, or all. */
static size_t http_head_len(struct span s)
{
	for (size_t i = 3; i < s.len; i++)
		if (memcmp(s.at + i - 3, "\r\n\r\n", 4) == 0)
			return i + 1;
	return s.len;
}

static void read_application(struct reading *r)
{
	const struct dissection *d = r->d;
	bool dns = d->source_port == 53 || d->destination_port == 53;
	if (dns && d->protocol == IPPROTO_UDP_ && r->rest.len) {
		struct dns_message m;
		enum drop bad = r->missing ? DROP_NONE : dns_message_parse(r->rest, &m);
		if (bad)
			fault(r, bad);
		note(r, DISSECT_DNS, LAYER_APPLICATION, "DNS", "dns",
			r->rest.len >= 12 ? &dns_info : NULL, r->rest.len);
	} else if (d->protocol == IPPROTO_TCP_ && looks_like_http(r->rest)) {
		note(r, DISSECT_HTTP, LAYER_APPLICATION, "HTTP", "http", NULL,
			http_head_len(r->rest));
		data(r);
	} else {
		data(r);
	}
}

/* A transport checksum over what is left; one that holds the pseudo-header's sum alone was left to
 * the sender's network card, and the capture saw it before that. */
static bool checksum_good(struct reading *r, uint8_t protocol, uint16_t field)
{
	if (r->missing)
		return true;
	uint64_t pseudo = pseudo_sum(
		&r->d->source, &r->d->destination, protocol, (uint32_t)r->rest.len);
	if (checksum_fold(pseudo + checksum_plain.sum(r->rest.at, r->rest.len)) == 0xffff)
		return true;
	uint16_t partial = __builtin_bswap16(checksum_fold(pseudo));
	r->d->offloaded = field == partial && protocol != IPPROTO_ICMP6;
	return r->d->offloaded;
}

static void read_tcp(struct reading *r)
{
	struct dissection *d = r->d;
	enum drop bad = tcp_parse(r->rest, r->rest.len + r->missing, &d->tcp);
	if (bad) {
		fault(r, bad);
		data(r);
		return;
	}
	if (!checksum_good(r, IPPROTO_TCP_, d->tcp.checksum))
		fault(r, DROP_TCP_CHECKSUM);
	d->source_port = d->tcp.source_port;
	d->destination_port = d->tcp.destination_port;
	d->text_len = (uint32_t)r->rest.len + r->missing - d->tcp.header_len;
	note(r, DISSECT_TCP, LAYER_TRANSPORT, "TCP", "tcp", &tcp_info, d->tcp.header_len);
	read_application(r);
}

static void read_udp(struct reading *r)
{
	struct dissection *d = r->d;
	struct udp_header h;
	enum drop bad = udp_parse(r->rest, r->rest.len + r->missing, &h);
	if (bad) {
		fault(r, bad);
		data(r);
		return;
	}
	size_t whole = r->rest.len + r->missing;
	struct span behind = span_after(r->rest, h.length);
	r->rest = span_first(r->rest, h.length);
	r->missing = whole > h.length && r->rest.len == h.length ? 0 : r->missing;
	if (h.checksum == 0 && !addr_is4(&d->source))
		fault(r, DROP_UDP_ZERO_CHECKSUM);
	else if (h.checksum && !checksum_good(r, IPPROTO_UDP_, h.checksum))
		fault(r, DROP_UDP_CHECKSUM);
	d->source_port = h.source_port;
	d->destination_port = h.destination_port;
	d->text_len = h.length - UDP_HEADER;
	note(r, DISSECT_UDP, LAYER_TRANSPORT, "UDP", "udp", &udp_info, UDP_HEADER);
	read_application(r);
	if (behind.len) { /* inside the IP packet, behind the datagram */
		r->rest = behind;
		data(r);
	}
}

static void read_icmp(struct reading *r, bool v6)
{
	struct icmp_header h;
	enum drop bad = icmp_parse(r->rest, &h);
	if (bad) {
		fault(r, bad);
		data(r);
		return;
	}
	bool good = v6 ? checksum_good(r, IPPROTO_ICMP6, h.checksum)
		       : r->missing ||
			checksum_fold(checksum_plain.sum(r->rest.at, r->rest.len)) == 0xffff;
	if (!good)
		fault(r, DROP_ICMP_CHECKSUM);
	bool nd = v6 && h.type >= ICMP6_ROUTER_SOLICIT && h.type <= ICMP6_REDIRECT;
	if (nd && !r->missing) {
		struct nd_message m;
		bad = nd_parse(r->rest, &m);
		if (bad)
			fault(r, bad);
		else if (r->d->hop_limit != 255)
			fault(r, DROP_ND_HOP_LIMIT);
	}
	const struct header_info *info = v6 ? &icmp6_info : &icmp4_info;
	if (h.type == ICMP6_NEIGHBOUR_SOLICIT && v6)
		info = &nd_solicit_info;
	else if (h.type == ICMP6_NEIGHBOUR_ADVERT && v6)
		info = &nd_advert_info;
	note(r, v6 ? DISSECT_ICMP6 : DISSECT_ICMP4, LAYER_INTERNET, v6 ? "ICMPv6" : "ICMP",
		v6 ? "icmp6" : "icmp4", info, nd ? r->rest.len : ICMP_HEADER);
	data(r);
}

static void read_transport(struct reading *r, uint8_t protocol)
{
	r->d->protocol = protocol;
	r->d->transport_len = (uint32_t)r->rest.len + r->missing;
	switch (protocol) {
	case IPPROTO_TCP_: read_tcp(r); break;
	case IPPROTO_UDP_: read_udp(r); break;
	case IPPROTO_ICMP4: read_icmp(r, false); break;
	case IPPROTO_ICMP6: read_icmp(r, true); break;
	default: data(r); break;
	}
}

/* Cuts to the packet's own length; what is behind is the link's padding. */
static struct span trim(struct reading *r, size_t len)
{
	struct span padding = span_after(r->rest, len);
	size_t whole = r->rest.len + r->missing;
	r->rest = span_first(r->rest, len);
	if (whole > len && r->rest.len == len)
		r->missing = 0;
	else if (len > r->rest.len)
		r->missing = (uint32_t)(len - r->rest.len);
	return padding;
}

static void read_padding(struct reading *r, struct span padding)
{
	if (!padding.len)
		return;
	r->rest = padding;
	note(r, DISSECT_PADDING, LAYER_ACCESS, "Padding", "padding", NULL, padding.len);
}

static void read_ip4(struct reading *r)
{
	struct ip4_header h;
	enum drop bad = ip4_parse(r->rest, r->rest.len + r->missing, &h);
	if (bad) {
		fault(r, bad);
		size_t header = r->rest.len ? (size_t)(r->rest.at[0] & 15) * 4 : 0;
		if (header < IP4_HEADER || header > r->rest.len)
			header = r->rest.len < IP4_HEADER ? r->rest.len : IP4_HEADER;
		note(r, DISSECT_IP4, LAYER_INTERNET, "IPv4", "ip4", &ip4_info, header);
		data(r);
		return;
	}
	struct dissection *d = r->d;
	d->ip = true;
	d->source = h.source;
	d->destination = h.destination;
	d->hop_limit = h.ttl;
	struct span padding = trim(r, h.total_len);
	note(r, DISSECT_IP4, LAYER_INTERNET, "IPv4", "ip4", &ip4_info, h.header_len);
	if (h.fragment_offset || h.more_fragments) {
		d->protocol = h.protocol;
		data(r);
	} else {
		read_transport(r, h.protocol);
	}
	read_padding(r, padding);
}

static void read_ip6(struct reading *r)
{
	struct ip6_header h;
	enum drop bad = ip6_parse(r->rest, r->rest.len + r->missing, &h);
	if (bad) {
		fault(r, bad);
		note(r, DISSECT_IP6, LAYER_INTERNET, "IPv6", "ip6", &ip6_info, IP6_HEADER);
		data(r);
		return;
	}
	struct dissection *d = r->d;
	d->ip = true;
	d->source = h.source;
	d->destination = h.destination;
	d->hop_limit = h.hop_limit;
	struct span padding = trim(r, (size_t)IP6_HEADER + h.payload_len);
	note(r, DISSECT_IP6, LAYER_INTERNET, "IPv6", "ip6", &ip6_info, IP6_HEADER);
	struct ip6_chain c;
	bad = ip6_walk(r->rest, h.next, &c);
	uint8_t kind = h.next;
	struct ip6_extension e;
	size_t left = bad ? r->rest.len : c.len;
	while (left && ip6_extension_next(r->rest, kind, &e) && e.bytes.len <= left) {
		note(r, DISSECT_EXTENSION, LAYER_INTERNET, "IPv6 extension", "ip6_extension",
			kind == IP6_FRAGMENT          ? &ip6_fragment_info
				: kind == IP6_ROUTING ? &ip6_routing_info
						      : &ip6_extension_info,
			e.bytes.len);
		left -= e.bytes.len;
		kind = e.next;
	}
	d->protocol = kind;
	if (bad && bad != DROP_IP6_NO_NEXT)
		fault(r, bad);
	if (bad || (c.fragment && (c.fragment_offset || c.more_fragments)))
		data(r);
	else
		read_transport(r, c.protocol);
	read_padding(r, padding);
}

static void read_arp(struct reading *r)
{
	struct arp_packet p;
	enum drop bad = arp_parse(r->rest, &p);
	if (bad)
		fault(r, bad);
	note(r, DISSECT_ARP, LAYER_ACCESS, "ARP", "arp", &arp_info,
		r->rest.len < ARP_LEN ? r->rest.len : ARP_LEN);
	read_padding(r, r->rest);
}

static void read_ethernet(struct reading *r)
{
	struct dissection *d = r->d;
	struct span payload;
	enum drop bad = eth_parse(r->rest, &d->eth, &payload);
	if (bad && !(bad == DROP_ETH_LENGTH && r->missing)) {
		fault(r, bad);
		note(r, DISSECT_ETHERNET, LAYER_ACCESS, "Ethernet", "eth", &eth_info, ETH_HEADER);
		data(r);
		return;
	}
	size_t header = d->eth.header_len;
	note(r, DISSECT_ETHERNET, LAYER_ACCESS, "Ethernet", "eth", &eth_info, ETH_HEADER);
	header -= ETH_HEADER;
	for (unsigned i = 0; i < d->eth.tags && header >= 4; i++, header -= 4)
		note(r, DISSECT_VLAN, LAYER_ACCESS, "VLAN tag", "vlan", &vlan_info, 4);
	if (d->eth.llc)
		note(r, DISSECT_LLC, LAYER_ACCESS, "LLC", "llc", &llc_info, header);
	struct span behind = { .at = r->rest.at, .len = 0 };
	if (d->eth.llc && !bad)
		behind = trim(r, payload.len);
	switch (d->eth.type) {
	case ETHERTYPE_IP4: read_ip4(r); break;
	case ETHERTYPE_IP6: read_ip6(r); break;
	case ETHERTYPE_ARP: read_arp(r); break;
	default: data(r); break;
	}
	read_padding(r, behind);
}

void dissect(struct span bytes, uint32_t original_len, uint32_t link_type, struct dissection *d)
{
	memset(d, 0, sizeof *d);
	d->bytes = bytes;
	d->len = original_len > bytes.len ? original_len : (uint32_t)bytes.len;
	d->cut = d->len > bytes.len;
	struct reading r = { .d = d, .rest = bytes, .missing = d->len - (uint32_t)bytes.len };
	switch (link_type) {
	case LINK_TYPE_ETHERNET: read_ethernet(&r); break;
	case LINK_TYPE_RAW:
	case LINK_TYPE_RAW_BSD:
	case LINK_TYPE_RAW_OPENBSD:
	case LINK_TYPE_IPV4:
	case LINK_TYPE_IPV6:
		if (bytes.len && bytes.at[0] >> 4 == 6)
			read_ip6(&r);
		else
			read_ip4(&r);
		break;
	default: data(&r); break;
	}
}

const struct dissect_layer *dissect_find(const struct dissection *d, enum dissect_part part)
{
	for (unsigned i = 0; i < d->layers; i++)
		if (d->layer[i].part == part)
			return &d->layer[i];
	return NULL;
}
