/*
 * One header after the other by the codecs. Lengths come from IP's own length
 * field, so that padding behind a short packet is told from data; a length that
 * reaches past the frame is a fault that the codec has found before.
 */
#include "diag/anatomy.h"

#define IPPROTO_UDP IPPROTO_UDP_
#define IPPROTO_TCP IPPROTO_TCP_

/* The rest of the frame belongs to this layer. */
static void rest(struct anatomy *a, enum layer layer, enum drop fault)
{
	uint32_t known = 0;
	for (unsigned i = 0; i < ANATOMY_LAYERS; i++)
		known += a->bytes[i];
	a->bytes[layer] += a->len - known;
	a->fault = fault;
}

static void read_arp(struct anatomy *a, struct span body)
{
	a->fault = arp_parse(body, &a->arp);
	if (a->fault == DROP_NONE) {
		a->kind = ANATOMY_ARP;
		a->body_header = span_first(body, ARP_LEN);
		a->padding = a->len - a->eth.header_len - ARP_LEN;
	}
	rest(a, LAYER_ACCESS, a->fault);
}

static void read_icmp(struct anatomy *a, struct span body)
{
	a->bytes[LAYER_INTERNET] += a->transport_len;
	a->body_header = body;
	a->fault = icmp_parse(body, &a->icmp);
	if (a->fault != DROP_NONE)
		return;
	a->kind = ANATOMY_ICMP;
	bool neighbour = a->icmp.type == ICMP6_NEIGHBOUR_SOLICIT ||
		a->icmp.type == ICMP6_NEIGHBOUR_ADVERT;
	if (a->v6 && neighbour && nd_parse(body, &a->nd) == DROP_NONE)
		a->kind = ANATOMY_ND;
}

static void read_payload(struct anatomy *a, struct span body, uint32_t header, uint32_t len)
{
	a->bytes[LAYER_TRANSPORT] += header;
	a->bytes[LAYER_APPLICATION] += len;
	a->body_header = span_first(body, header);
	a->payload = span_first(span_after(body, header), len);
	a->payload_len = len;
}

static void read_transport(struct anatomy *a, struct span body)
{
	if (a->protocol == IPPROTO_TCP) {
		a->fault = tcp_parse(body, a->transport_len, &a->tcp);
		if (a->fault == DROP_NONE) {
			a->kind = ANATOMY_TCP;
			read_payload(
				a, body, a->tcp.header_len, a->transport_len - a->tcp.header_len);
			return;
		}
	} else if (a->protocol == IPPROTO_UDP) {
		a->fault = udp_parse(body, a->transport_len, &a->udp);
		if (a->fault == DROP_NONE) {
			a->kind = ANATOMY_UDP;
			read_payload(a, body, UDP_HEADER, a->udp.length - (uint32_t)UDP_HEADER);
			/* Bytes of IP's that UDP's length leaves out are nobody's but IP's. */
			a->bytes[LAYER_INTERNET] += a->transport_len - a->udp.length;
			return;
		}
	}
	a->bytes[LAYER_TRANSPORT] += a->transport_len;
}

/* Behind the IP header, `len` bytes of it by the length field. */
static void read_body(struct anatomy *a, struct span body, uint32_t len, bool fragment)
{
	uint32_t known = a->eth.header_len + a->bytes[LAYER_INTERNET] + len;
	body = span_first(body, len);
	a->transport_len = len;
	a->padding = a->len > known ? a->len - known : 0;
	a->bytes[LAYER_ACCESS] += a->padding;
	if (fragment)
		a->bytes[LAYER_INTERNET] += len;
	else if (a->protocol == (a->v6 ? IPPROTO_ICMP6 : IPPROTO_ICMP4))
		read_icmp(a, body);
	else
		read_transport(a, body);
}

static void read_ip4(struct anatomy *a, struct span packet)
{
	struct ip4_header h;
	enum drop fault = ip4_parse(packet, a->len - a->eth.header_len, &h);
	if (fault != DROP_NONE) {
		rest(a, LAYER_INTERNET, fault);
		return;
	}
	a->ip = true;
	a->source = h.source;
	a->destination = h.destination;
	a->hop_limit = h.ttl;
	a->protocol = h.protocol;
	a->ip_header = span_first(packet, h.header_len);
	a->bytes[LAYER_INTERNET] = h.header_len;
	read_body(a, span_after(packet, h.header_len), (uint32_t)h.total_len - h.header_len,
		h.more_fragments || h.fragment_offset);
}

static void read_ip6(struct anatomy *a, struct span packet)
{
	struct ip6_header h;
	struct ip6_chain chain = { 0 };
	enum drop fault = ip6_parse(packet, a->len - a->eth.header_len, &h);
	if (fault == DROP_NONE)
		fault = ip6_walk(
			span_first(span_after(packet, IP6_HEADER), h.payload_len), h.next, &chain);
	if (fault != DROP_NONE || chain.len > h.payload_len) {
		rest(a, LAYER_INTERNET, fault);
		return;
	}
	a->ip = a->v6 = true;
	a->source = h.source;
	a->destination = h.destination;
	a->hop_limit = h.hop_limit;
	a->protocol = chain.protocol;
	a->ip_header = span_first(packet, IP6_HEADER);
	a->bytes[LAYER_INTERNET] = IP6_HEADER + (uint32_t)chain.len;
	read_body(a, span_after(packet, IP6_HEADER + (size_t)chain.len),
		(uint32_t)h.payload_len - chain.len, chain.fragment);
}

void anatomy_read(struct span head, uint32_t len, struct anatomy *a)
{
	struct span packet;
	memset(a, 0, sizeof *a);
	a->len = len;
	head = span_first(head, len);
	enum drop fault = eth_parse(head, &a->eth, &packet);
	if (fault != DROP_NONE) {
		rest(a, LAYER_ACCESS, fault);
		return;
	}
	a->bytes[LAYER_ACCESS] = a->eth.header_len;
	switch (a->eth.type) {
	case ETHERTYPE_ARP: read_arp(a, packet); break;
	case ETHERTYPE_IP4: read_ip4(a, packet); break;
	case ETHERTYPE_IP6: read_ip6(a, packet); break;
	default: rest(a, LAYER_ACCESS, DROP_NONE);
	}
}
