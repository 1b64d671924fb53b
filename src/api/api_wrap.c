/*
 * Wrapping: the payload first, then each layer puts its header in front, from
 * the transport down, as it happens in a stack; the frame is what it would be on
 * the wire. The codecs of wire/ write every byte.
 */
#include <string.h>

#include "api/api_net.h"
#include "strata/wrap.h"
#include "wire/eth.h"
#include "wire/tcp.h"
#include "wire/udp.h"

#define HEADERS_MAX (ETH_HEADER + IP6_HEADER + TCP_HEADER)
#define FCS         4

struct wrapping {
	const struct strata_wrap_options *o;
	struct addr source, destination;
	uint8_t protocol;
	size_t ip_len, transport_len, payload_len;
};

/* Both ends' addresses in one family; false: they are not. */
static bool prepare(struct wrapping *w, const struct strata_wrap_options *o, size_t len)
{
	*w = (struct wrapping){
		.o = o,
		.source = address_in(&o->source),
		.destination = address_in(&o->destination),
		.protocol = o->udp ? IPPROTO_UDP_ : IPPROTO_TCP_,
		.transport_len = o->udp ? UDP_HEADER : TCP_HEADER,
		.payload_len = len,
	};
	w->ip_len = addr_is4(&w->source) ? IP4_HEADER : IP6_HEADER;
	return addr_is4(&w->source) == addr_is4(&w->destination);
}

/* The transport header; its checksum covers the pseudo-header, itself and the payload. */
static void emit_transport(const struct wrapping *w, uint8_t *at)
{
	const struct strata_wrap_options *o = w->o;
	size_t len = w->transport_len + w->payload_len;
	size_t field;
	if (o->udp) {
		const struct udp_header h = {
			.source_port = o->source.port,
			.destination_port = o->destination.port,
			.length = (uint16_t)len,
		};
		udp_emit(&h, at, UDP_HEADER);
		field = 6;
	} else {
		const struct tcp_header h = {
			.source_port = o->source.port,
			.destination_port = o->destination.port,
			.seq = o->sequence,
			.ack = o->acknowledgment,
			.header_len = TCP_HEADER,
			.flags = o->flags ? o->flags : TCP_PSH | TCP_ACK,
			.window = o->window ? o->window : UINT16_MAX,
		};
		tcp_emit(&h, at, TCP_HEADER);
		field = 16;
	}
	uint64_t sum = pseudo_sum(&w->source, &w->destination, w->protocol, (uint32_t)len);
	uint16_t checksum = checksum_finish(sum + checksum_plain.sum(at, len));
	if (o->udp && checksum == 0)
		checksum = 0xffff; /* RFC 768: zero would say that there is none */
	memcpy(at + field, &checksum, sizeof checksum);
}

static void emit_ip(const struct wrapping *w, uint8_t *at)
{
	uint8_t hop_limit = w->o->hop_limit ? w->o->hop_limit : 64;
	size_t len = w->transport_len + w->payload_len;
	if (w->ip_len == IP4_HEADER) {
		const struct ip4_header h = {
			.header_len = IP4_HEADER,
			.total_len = (uint16_t)(IP4_HEADER + len),
			.id = w->o->id,
			.dont_fragment = true,
			.ttl = hop_limit,
			.protocol = w->protocol,
			.source = w->source,
			.destination = w->destination,
		};
		ip4_emit(&h, at, IP4_HEADER);
		return;
	}
	const struct ip6_header h = {
		.payload_len = (uint16_t)len,
		.next = w->protocol,
		.hop_limit = hop_limit,
		.source = w->source,
		.destination = w->destination,
	};
	ip6_emit(&h, at, IP6_HEADER);
}

static void emit_link(const struct wrapping *w, uint8_t *at)
{
	struct eth_header h = {
		.type = w->ip_len == IP4_HEADER ? ETHERTYPE_IP4 : ETHERTYPE_IP6,
	};
	memcpy(h.source.b, w->o->source_mac, sizeof h.source.b);
	memcpy(h.destination.b, w->o->destination_mac, sizeof h.destination.b);
	eth_emit(&h, at, ETH_HEADER);
}

static void append_fcs(uint8_t *frame, size_t len)
{
	/* IEEE 802.3 3.2.9: the least significant byte goes first. */
	uint32_t fcs = eth_fcs(span_of(frame, len));
	for (unsigned i = 0; i < FCS; i++)
		frame[len + i] = (uint8_t)(fcs >> 8 * i);
}

ssize_t strata_wrap(const struct strata_wrap_options *options, const void *payload, size_t len,
	void *frame, size_t cap, struct strata_frame_layers *layers)
{
	struct wrapping w;
	if (!options || (!payload && len) || !frame)
		return api_error(ERR_ARGUMENT);
	if (!prepare(&w, options, len))
		return api_fail(ERR_FAMILY, "source and destination are of different IP versions");
	size_t packet = w.ip_len + w.transport_len;
	size_t most = w.ip_len == IP4_HEADER ? 65535 : 65535 + IP6_HEADER;
	if (len > most - packet)
		return api_fail(ERR_TOO_BIG, "%zu bytes do not fit into one packet", len);
	size_t total = ETH_HEADER + packet + len;
	if (cap < total + (options->fcs ? FCS : 0))
		return api_fail(ERR_TOO_BIG, "the frame has %zu bytes, and there is room for %zu",
			total + (options->fcs ? FCS : 0), cap);
	uint8_t *at = frame;
	if (len)
		memmove(at + ETH_HEADER + packet, payload, len);
	emit_transport(&w, at + ETH_HEADER + w.ip_len);
	emit_ip(&w, at + ETH_HEADER);
	emit_link(&w, at);
	if (options->fcs) {
		append_fcs(at, total);
		total += FCS;
	}
	if (layers)
		strata_unwrap(frame, total, options->fcs, layers);
	return (ssize_t)total;
}
