/*
 * Reads a classic pcap file of Ethernet frames and prints what the codecs make of each, one JSON
 * object a line: the reason of a refusal ("NONE" where there is none) and the fields in the order
 * of the frame. A field is [kind, name, value]; names and units are tshark's, so that a script
 * can hold the two side by side. Kind "codec" is what a parser returned, "table" what a field
 * table reads from the bytes, which is there even where the parser refused the header.
 *
 * A packet that an ICMP error quotes, and the transport header of a first fragment, are cut short
 * by nature: they are dumped as far as they go and judged by nobody. What is quoted has the kind
 * "quote".
 *
 * Usage: wire_dump FILE.pcap
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/checksum.h"
#include "wire/arp.h"
#include "wire/eth.h"
#include "wire/ip6.h"
#include "wire/nd.h"
#include "wire/tcp.h"
#include "wire/udp.h"

#define PCAP_MAGIC    0xa1b2c3d4u
#define PCAP_ETHERNET 1
#define WHOLE_UNKNOWN 65535 /* what is present of a packet of which only the beginning is */

static const char *separator;
static const char *parsed =
	"codec"; /* the kind of what a parser returned; "quote" inside of an error */

static void field(const char *kind, const char *name)
{
	printf("%s[\"%s\",\"%s\",", separator, kind, name);
	separator = ",";
}

static void number(const char *name, uint64_t value)
{
	field(parsed, name);
	printf("%llu]", (unsigned long long)value);
}

static void address(const char *name, const struct addr *a)
{
	char text[ADDR_TEXT_MAX];
	addr_format(a, text);
	field(parsed, name);
	printf("\"%s\"]", text);
}

static void mac(const char *name, const struct mac *m)
{
	char text[MAC_TEXT_MAX];
	mac_format(m, text);
	field(parsed, name);
	printf("\"%s\"]", text);
}

static void bytes(const char *name, struct span s)
{
	field(parsed, name);
	putchar('"');
	for (size_t i = 0; i < s.len; i++)
		printf("%02x", s.at[i]);
	printf("\"]");
}

/* The fields of a header that tshark has a name for and that are there in full. */
static void table(const struct header_info *info, struct span header)
{
	for (unsigned i = 0; i < info->count; i++) {
		const struct field *f = &info->field[i];
		if (!f->tshark || (size_t)f->bit + f->bits > header.len * 8)
			continue;
		field("table", f->tshark);
		char text[64];
		if (f->kind == FIELD_ADDR4 || f->kind == FIELD_ADDR6 || f->kind == FIELD_MAC) {
			field_format(f, header, text, sizeof text);
			printf("\"%s\"]", text);
		} else {
			printf("%llu]", (unsigned long long)field_value(f, header));
		}
	}
}

static void dump_tcp_options(struct span options)
{
	struct tcp_option o;
	size_t offset = 0;
	while (tcp_option_next(options, &offset, &o) && !o.malformed) {
		number("tcp.option_kind", o.kind);
		if (o.bytes.len >= 2)
			number("tcp.option_len", o.bytes.len);
	}
}

static void dump_accecn(const struct tcp_options *o)
{
	static const char *const names[2][3] = {
		{ "tcp.options.acc_ecn.ee0b", "tcp.options.acc_ecn.eceb",
			"tcp.options.acc_ecn.ee1b" },
		{ "tcp.options.acc_ecn.ee1b", "tcp.options.acc_ecn.eceb",
			"tcp.options.acc_ecn.ee0b" },
	};
	for (unsigned i = 0; i < o->accecn_count; i++)
		number(names[o->accecn_order][i], o->accecn[i]);
}

static void dump_tcp_values(const struct tcp_options *o)
{
	number("has", o->has);
	if (o->has & TCP_HAS_MSS)
		number("tcp.options.mss_val", o->mss);
	if (o->has & TCP_HAS_WSCALE)
		number("tcp.options.wscale.shift", o->wscale);
	if (o->has & TCP_HAS_TIMESTAMPS) {
		number("tcp.options.timestamp.tsval", o->tsval);
		number("tcp.options.timestamp.tsecr", o->tsecr);
	}
	for (unsigned i = 0; (o->has & TCP_HAS_SACK) && i < o->sack_count; i++) {
		number("tcp.options.sack_le", o->sack[i].start);
		number("tcp.options.sack_re", o->sack[i].end);
	}
	if ((o->has & TCP_HAS_FAST_OPEN) && o->fast_open_len > 0)
		bytes("tcp.options.tfo.cookie", span_of(o->fast_open, o->fast_open_len));
	if (o->has & TCP_HAS_USER_TIMEOUT) {
		number("tcp.options.user_to_granularity", o->user_timeout >> 15);
		number("tcp.options.user_to_val", o->user_timeout & 0x7fff);
	}
	if (o->has & TCP_HAS_ACCECN)
		dump_accecn(o);
}

static enum drop dump_tcp(struct span segment, size_t present)
{
	struct tcp_header h;
	table(&tcp_info, segment);
	enum drop drop = tcp_parse(segment, present, &h);
	if (drop != DROP_NONE)
		return drop;
	number("tcp.srcport", h.source_port);
	number("tcp.dstport", h.destination_port);
	number("tcp.seq_raw", h.seq);
	number("tcp.ack_raw", h.ack);
	number("tcp.hdr_len", h.header_len);
	number("tcp.flags", h.flags);
	number("tcp.window_size_value", h.window);
	number("tcp.checksum", h.checksum);
	number("tcp.urgent_pointer", h.urgent);
	dump_tcp_options(span_of(segment.at + TCP_HEADER, h.header_len - (size_t)TCP_HEADER));
	dump_tcp_values(&h.options);
	return DROP_NONE;
}

static enum drop dump_udp(struct span datagram, size_t present, struct udp_header *h)
{
	table(&udp_info, datagram);
	enum drop drop = udp_parse(datagram, present, h);
	if (drop != DROP_NONE)
		return drop;
	number("udp.srcport", h->source_port);
	number("udp.dstport", h->destination_port);
	number("udp.length", h->length);
	number("udp.checksum", h->checksum);
	return DROP_NONE;
}

static void dump_rest4(const struct icmp_header *h)
{
	uint8_t four[4];
	store32(four, h->rest);
	struct addr gateway = addr_from4(four);
	switch (h->type) {
	case ICMP4_ECHO:
	case ICMP4_ECHO_REPLY:
		number("icmp.ident", icmp_id(h));
		number("icmp.seq", icmp_sequence(h));
		break;
	case ICMP4_UNREACHABLE:
		if (h->code == 4)
			number("icmp.mtu", h->rest & 0xffff);
		break;
	case ICMP4_REDIRECT: address("icmp.redir_gw", &gateway); break;
	case ICMP4_PARAMETER: number("icmp.pointer", h->rest >> 24); break;
	default: break;
	}
}

static void dump_rest6(const struct icmp_header *h)
{
	switch (h->type) {
	case ICMP6_ECHO:
	case ICMP6_ECHO_REPLY:
		number("icmpv6.echo.identifier", icmp_id(h));
		number("icmpv6.echo.sequence_number", icmp_sequence(h));
		break;
	case ICMP6_TOO_BIG: number("icmpv6.mtu", h->rest); break;
	case ICMP6_PARAMETER: number("icmpv6.pointer", h->rest); break;
	default: break;
	}
}

static void dump_prefix(const struct nd_prefix *p)
{
	number("icmpv6.opt.prefix.length", p->len);
	number("icmpv6.opt.prefix.flag.l", p->on_link);
	number("icmpv6.opt.prefix.flag.a", p->autonomous);
	number("icmpv6.opt.prefix.valid_lifetime", p->valid_s);
	number("icmpv6.opt.prefix.preferred_lifetime", p->preferred_s);
	address("icmpv6.opt.prefix", &p->prefix);
}

static void dump_router_advert(const struct nd_message *m)
{
	number("icmpv6.nd.ra.cur_hop_limit", m->hop_limit);
	number("icmpv6.nd.ra.flag.m", m->managed);
	number("icmpv6.nd.ra.flag.o", m->other);
	number("icmpv6.nd.ra.router_lifetime", m->lifetime);
	number("icmpv6.nd.ra.reachable_time", m->reachable_ms);
	number("icmpv6.nd.ra.retrans_timer", m->retrans_ms);
	if (m->has_mtu)
		number("icmpv6.opt.mtu", m->mtu);
	for (unsigned i = 0; i < m->prefixes; i++)
		dump_prefix(&m->prefix[i]);
}

static enum drop dump_nd(struct span message)
{
	struct nd_message m;
	uint8_t type = message.at[0];
	if (type == ICMP6_NEIGHBOUR_SOLICIT)
		table(&nd_solicit_info, message);
	else if (type == ICMP6_NEIGHBOUR_ADVERT)
		table(&nd_advert_info, message);
	enum drop drop = nd_parse(message, &m);
	if (drop != DROP_NONE)
		return drop;
	switch (m.type) {
	case ICMP6_ROUTER_ADVERT: dump_router_advert(&m); break;
	case ICMP6_NEIGHBOUR_SOLICIT: address("icmpv6.nd.ns.target_address", &m.target); break;
	case ICMP6_NEIGHBOUR_ADVERT:
		number("icmpv6.nd.na.flag.r", m.router);
		number("icmpv6.nd.na.flag.s", m.solicited);
		number("icmpv6.nd.na.flag.o", m.override);
		address("icmpv6.nd.na.target_address", &m.target);
		break;
	case ICMP6_REDIRECT:
		address("icmpv6.nd.rd.target_address", &m.target);
		address("icmpv6.rd.na.destination_address", &m.destination);
		break;
	default: break;
	}
	if (m.has_source_mac)
		mac("icmpv6.opt.src_linkaddr", &m.source_mac);
	if (m.has_target_mac)
		mac("icmpv6.opt.target_linkaddr", &m.target_mac);
	return DROP_NONE;
}

/* A packet's addresses and where its transport begins, whichever family it is of. */
struct packet {
	bool four;
	struct addr source, destination;
	uint8_t protocol;
	struct span payload;
	bool whole; /* no fragment, no quotation: sums and lengths can be judged */
	bool later; /* a fragment that does not hold the transport header */
};

static uint16_t sum_of(const struct packet *p, struct span message)
{
	uint64_t sum = checksum_plain.sum(message.at, message.len);
	return checksum_fold(
		sum + pseudo_sum(&p->source, &p->destination, p->protocol, (uint32_t)message.len));
}

static void dump_quote(struct span quote, bool four);

static enum drop dump_icmp(const struct packet *p)
{
	struct icmp_header h;
	table(p->four ? &icmp4_info : &icmp6_info, p->payload);
	enum drop drop = icmp_parse(p->payload, &h);
	if (drop != DROP_NONE)
		return drop;
	number(p->four ? "icmp.type" : "icmpv6.type", h.type);
	number(p->four ? "icmp.code" : "icmpv6.code", h.code);
	number(p->four ? "icmp.checksum" : "icmpv6.checksum", h.checksum);
	if (p->four)
		dump_rest4(&h);
	else
		dump_rest6(&h);
	if (!p->whole)
		return DROP_NONE;
	uint16_t sum = p->four ? checksum_fold(checksum_plain.sum(p->payload.at, p->payload.len))
			       : sum_of(p, p->payload);
	if (sum != 0xffff)
		return DROP_ICMP_CHECKSUM;
	bool error4 = h.type == ICMP4_UNREACHABLE || h.type == ICMP4_SOURCE_QUENCH ||
		h.type == ICMP4_REDIRECT || h.type == ICMP4_TIME_EXCEEDED ||
		h.type == ICMP4_PARAMETER;
	if (p->four ? error4 : h.type >= ICMP6_UNREACHABLE && h.type <= ICMP6_PARAMETER)
		dump_quote(span_after(p->payload, ICMP_HEADER), p->four);
	if (!p->four && h.type >= ICMP6_ROUTER_SOLICIT && h.type <= ICMP6_REDIRECT)
		return dump_nd(p->payload);
	return DROP_NONE;
}

static enum drop judge_tcp(const struct packet *p)
{
	enum drop drop = dump_tcp(p->payload, p->whole ? p->payload.len : WHOLE_UNKNOWN);
	if (drop != DROP_NONE || !p->whole)
		return drop;
	return sum_of(p, p->payload) == 0xffff ? DROP_NONE : DROP_TCP_CHECKSUM;
}

static enum drop judge_udp(const struct packet *p)
{
	struct udp_header h;
	enum drop drop = dump_udp(p->payload, p->whole ? p->payload.len : WHOLE_UNKNOWN, &h);
	if (drop != DROP_NONE || !p->whole)
		return drop;
	if (h.checksum == 0)
		return p->four ? DROP_NONE : DROP_UDP_ZERO_CHECKSUM;
	return sum_of(p, span_first(p->payload, h.length)) == 0xffff ? DROP_NONE
								     : DROP_UDP_CHECKSUM;
}

static enum drop dump_transport(const struct packet *p)
{
	if (p->later)
		return DROP_NONE;
	switch (p->protocol) {
	case IPPROTO_TCP_: return judge_tcp(p);
	case IPPROTO_UDP_: return judge_udp(p);
	case IPPROTO_ICMP4: return p->four ? dump_icmp(p) : DROP_NONE;
	case IPPROTO_ICMP6: return p->four ? DROP_NONE : dump_icmp(p);
	default: return DROP_NONE;
	}
}

static enum drop dump_ip4(struct span packet, size_t present, struct packet *p)
{
	struct ip4_header h;
	struct ip4_option o;
	size_t offset = 0;
	table(&ip4_info, packet);
	enum drop drop = ip4_parse(packet, present, &h);
	if (drop != DROP_NONE)
		return drop;
	number("ip.version", 4);
	number("ip.hdr_len", h.header_len);
	number("ip.dsfield", h.tos);
	number("ip.len", h.total_len);
	number("ip.id", h.id);
	number("ip.flags.rb", h.reserved);
	number("ip.flags.df", h.dont_fragment);
	number("ip.flags.mf", h.more_fragments);
	number("ip.frag_offset", h.fragment_offset / 8u);
	number("ip.ttl", h.ttl);
	number("ip.proto", h.protocol);
	number("ip.checksum", h.checksum);
	address("ip.src", &h.source);
	address("ip.dst", &h.destination);
	while (ip4_option_next(h.options, &offset, &o)) {
		number("ip.opt.type", o.kind);
		if (o.kind > 1)
			number("ip.opt.len", o.data.len + 2);
	}
	*p = (struct packet){ .four = true,
		.source = h.source,
		.destination = h.destination,
		.protocol = h.protocol,
		.payload = span_after(span_first(packet, h.total_len), h.header_len),
		.whole = !h.more_fragments && h.fragment_offset == 0,
		.later = h.fragment_offset != 0 };
	return DROP_NONE;
}

/* The extension headers that the explainer would show, as far as the chain was walked. */
static void dump_extensions(struct span rest, uint8_t next, const struct ip6_chain *c)
{
	struct ip6_extension e;
	for (size_t at = 0; at < c->len && ip6_extension_next(rest, next, &e); at += e.bytes.len) {
		switch (e.kind) {
		case IP6_HOP_BY_HOP:
			number("ipv6.hopopts.nxt", e.next);
			number("ipv6.hopopts.len", e.bytes.len / 8 - 1);
			break;
		case IP6_DESTINATION:
			number("ipv6.dstopts.nxt", e.next);
			number("ipv6.dstopts.len", e.bytes.len / 8 - 1);
			break;
		case IP6_ROUTING: table(&ip6_routing_info, e.bytes); break;
		case IP6_FRAGMENT:
			table(&ip6_fragment_info, e.bytes);
			number("ipv6.fraghdr.nxt", e.next);
			number("ipv6.fraghdr.offset", c->fragment_offset / 8u);
			number("ipv6.fraghdr.more", c->more_fragments);
			number("ipv6.fraghdr.ident", c->fragment_id);
			break;
		default: break;
		}
		next = e.next;
		rest = span_after(rest, e.bytes.len);
	}
}

static enum drop dump_ip6(struct span packet, size_t present, struct packet *p)
{
	struct ip6_header h;
	struct ip6_chain c;
	table(&ip6_info, packet);
	enum drop drop = ip6_parse(packet, present, &h);
	if (drop != DROP_NONE)
		return drop;
	number("ip.version", 6); /* tshark has both */
	number("ipv6.version", 6);
	number("ipv6.tclass", h.traffic_class);
	number("ipv6.flow", h.flow_label);
	number("ipv6.plen", h.payload_len);
	number("ipv6.nxt", h.next);
	number("ipv6.hlim", h.hop_limit);
	address("ipv6.src", &h.source);
	address("ipv6.dst", &h.destination);
	struct span rest = span_after(
		span_first(packet, IP6_HEADER + (size_t)h.payload_len), IP6_HEADER);
	drop = ip6_walk(rest, h.next, &c);
	if (drop != DROP_NONE && drop != DROP_IP6_NO_NEXT)
		return drop;
	dump_extensions(rest, h.next, &c);
	*p = (struct packet){ .source = h.source,
		.destination = h.destination,
		.protocol = c.protocol,
		.payload = span_after(rest, c.len),
		.whole = c.fragment_offset == 0 && !c.more_fragments,
		.later = c.fragment_offset != 0 };
	return drop;
}

static void dump_quote(struct span quote, bool four)
{
	struct packet p;
	parsed = "quote";
	enum drop drop = four ? dump_ip4(quote, WHOLE_UNKNOWN, &p)
			      : dump_ip6(quote, IP6_HEADER + WHOLE_UNKNOWN, &p);
	p.whole = false;
	if (drop == DROP_NONE)
		dump_transport(&p);
	parsed = "codec";
}

static enum drop dump_arp(struct span packet)
{
	struct arp_packet p;
	enum drop drop = arp_parse(packet, &p);
	/* With addresses of another length the fields behind the first five lie elsewhere. */
	table(&arp_info, drop == DROP_ARP_KIND ? span_first(packet, 8) : packet);
	if (drop != DROP_NONE)
		return drop;
	number("arp.opcode", p.operation);
	mac("arp.src.hw_mac", &p.sender_mac);
	address("arp.src.proto_ipv4", &p.sender);
	mac("arp.dst.hw_mac", &p.target_mac);
	address("arp.dst.proto_ipv4", &p.target);
	return DROP_NONE;
}

/* Each tag, and the type that follows it; where a length follows, that is said later. */
static void dump_tags(const struct eth_header *h)
{
	for (unsigned i = 0; i < h->tags; i++) {
		bool service = i == 0 && h->outer_is_qinq;
		number(service ? "ieee8021ad.priority" : "vlan.priority", h->tag[i] >> 13);
		number(service ? "ieee8021ad.dei" : "vlan.dei", h->tag[i] >> 12 & 1);
		number(service ? "ieee8021ad.id" : "vlan.id", h->tag[i] & 0xfff);
		uint16_t type = i + 1 < h->tags ? ETHERTYPE_VLAN : h->llc ? h->length : h->type;
		if (service)
			number("ieee8021ah.etype", type);
		else
			number(h->llc && i + 1 == h->tags ? "vlan.len" : "vlan.etype", type);
	}
}

static enum drop dump_eth(struct span frame, struct eth_header *h, struct span *payload)
{
	enum drop drop = eth_parse(frame, h, payload);
	if (drop != DROP_NONE)
		return drop;
	mac("eth.dst", &h->destination);
	mac("eth.src", &h->source);
	if (h->tags > 0)
		number("eth.type", h->outer_is_qinq ? ETHERTYPE_QINQ : ETHERTYPE_VLAN);
	else
		number(h->llc ? "eth.len" : "eth.type", h->llc ? h->length : h->type);
	dump_tags(h);
	if (!h->llc)
		return DROP_NONE;
	number("llc.dsap", h->dsap);
	number("llc.ssap", h->ssap);
	number("llc.control", h->control);
	if (h->type)
		number("llc.type", h->type);
	return DROP_NONE;
}

static enum drop dump_frame(struct span frame)
{
	struct eth_header h;
	struct span payload;
	struct packet p;
	table(&eth_info, frame);
	enum drop drop = dump_eth(frame, &h, &payload);
	if (drop != DROP_NONE)
		return drop;
	for (unsigned i = 0; i < h.tags; i++)
		if (i > 0 || !h.outer_is_qinq)
			table(&vlan_info, span_after(frame, ETH_HEADER + 4 * (size_t)i));
	if (h.llc)
		table(&llc_info, span_of(frame.at + ETH_HEADER + 4u * h.tags, h.type ? 8 : 3));
	switch (h.type) {
	case ETHERTYPE_ARP: return dump_arp(payload);
	case ETHERTYPE_IP4: drop = dump_ip4(payload, payload.len, &p); break;
	case ETHERTYPE_IP6: drop = dump_ip6(payload, payload.len, &p); break;
	default: return DROP_NONE;
	}
	return drop == DROP_NONE ? dump_transport(&p) : drop;
}

static struct span read_file(const char *path)
{
	FILE *file = fopen(path, "rb");
	if (!file || fseek(file, 0, SEEK_END) != 0) {
		perror(path);
		exit(4);
	}
	long len = ftell(file);
	rewind(file);
	uint8_t *content = malloc(len > 0 ? (size_t)len : 1);
	if (len < 0 || !content || fread(content, 1, (size_t)len, file) != (size_t)len) {
		perror(path);
		exit(4);
	}
	fclose(file);
	return span_of(content, (size_t)len);
}

static uint32_t native32(const uint8_t *at)
{
	uint32_t v;
	memcpy(&v, at, 4);
	return v;
}

/* Each frame is parsed in memory of its own size, so that a sanitizer sees a read past it. */
static void dump_copy(unsigned count, struct span frame)
{
	uint8_t *copy = malloc(frame.len ? frame.len : 1);
	if (!copy)
		exit(4);
	if (frame.len)
		memcpy(copy, frame.at, frame.len);
	separator = "";
	printf("{\"frame\":%u,\"fields\":[", count);
	enum drop drop = dump_frame(span_of(copy, frame.len));
	printf("],\"drop\":\"%s\"}\n", drop_info(drop)->name);
	free(copy);
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: wire_dump FILE.pcap\n");
		return 2;
	}
	struct span file = read_file(argv[1]), rest = file;
	if (file.len < 24 || native32(file.at) != PCAP_MAGIC ||
		native32(file.at + 20) != PCAP_ETHERNET) {
		fprintf(stderr, "%s: not a pcap file of Ethernet frames\n", argv[1]);
		return 1;
	}
	rest = span_after(file, 24);
	for (unsigned count = 1; rest.len >= 16; count++) {
		size_t len = native32(rest.at + 8);
		if (len > rest.len - 16) {
			fprintf(stderr, "%s: frame %u is cut short\n", argv[1], count);
			return 1;
		}
		dump_copy(count, span_of(rest.at + 16, len));
		rest = span_after(rest, 16 + len);
	}
	free((void *)file.at);
	return 0;
}
