/*
 * IP out: the header in front of a transport's frame. The path says where it
 * goes; one that has become stale is looked up again here, so that datagram
 * senders need not care.
 *
 * IPv4 identification: a packet that can't be fragmented needs none and has 0
 * (RFC 6864 4.1); others get a random one, which tells nobody how much we send
 * to whom (RFC 7739, attacks IP4-15 and IP4-16).
 * IPv6 flow label: a keyed hash of addresses, protocol and ports, the same for a
 * flow's whole life (RFC 6437 3), under a key that serves nothing else.
 */
#include "internet/internet_private.h"

/* Multiplies 64 by 64 bits and folds: a cheap mixing step. */
static uint64_t mix(uint64_t a, uint64_t b)
{
	unsigned __int128 product = (unsigned __int128)a * b;
	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static uint32_t flow_label(const struct internet *in, const struct tx_frame *f,
			   const struct ip_send *s)
{
	const struct hash_key *key = &in->private->flow_key;
	uint32_t ports = 0;
	if (FRAME_AREA - f->head >= 4)
		memcpy(&ports, f->area + f->head, 4);
	/* The first bytes of ICMP are a checksum, which is no flow's. */
	if (s->protocol == IPPROTO_ICMP6)
		ports = 0;
	uint64_t h = mix(s->source->w[0] ^ key->k[0], s->source->w[1] ^ key->k[1]);
	h ^= mix(s->destination->w[0] ^ key->k[1], s->destination->w[1] ^ ~key->k[0]);
	h = mix(h ^ key->k[0], ((uint64_t)s->protocol << 32 | ports) ^ key->k[1]);
	return (uint32_t)(h >> 44);
}

static uint8_t hop_limit(const struct internet *in, const struct ip_send *s)
{
	if (s->hop_limit)
		return s->hop_limit;
	/* RFC 1112 6.1: a group's packets stay near unless somebody says otherwise. */
	return addr_is_multicast(s->destination) ? 1 : in->config.hop_limit;
}

static void ip4_push(struct internet *in, struct tx_frame *f, const struct ip_send *s)
{
	struct ip4_header h = {
		.header_len = IP4_HEADER,
		.tos = s->tos,
		.total_len = (uint16_t)(frame_len(f) + IP4_HEADER),
		.dont_fragment = s->dont_fragment,
		.ttl = hop_limit(in, s),
		.protocol = s->protocol,
		.source = *s->source,
		.destination = *s->destination,
	};
	if (!s->dont_fragment)
		h.id = (uint16_t)rng_next(in->core->rng);
	ip4_emit(&h, frame_push(f, IP4_HEADER), IP4_HEADER);
}

void ip6_push(struct tx_frame *f, const struct addr *source, const struct addr *destination,
	      uint8_t protocol, uint8_t tos, uint8_t hop_limit, uint32_t flow_label)
{
	struct ip6_header h = {
		.traffic_class = tos,
		.flow_label = flow_label,
		.payload_len = (uint16_t)frame_len(f),
		.next = protocol,
		.hop_limit = hop_limit,
		.source = *source,
		.destination = *destination,
	};
	ip6_emit(&h, frame_push(f, IP6_HEADER), IP6_HEADER);
}

static bool drop(struct internet *in, const struct path *p, const struct tx_frame *f,
		 enum drop reason, nanotime now)
{
	in->core->counters->tx_drop[reason]++;
	if (trace_on(in->core->trace)) {
		struct trace_event e = {
			.kind = TRACE_TX_DROP,
			.layer = LAYER_INTERNET,
			.time = now,
			.nif = p->generation ? &in->access->netif[p->nif] : NULL,
			.frame = f,
			.drop = reason,
		};
		in->core->trace->sink(in->core->trace->user, &e);
	}
	return false;
}

/* A super-frame is cut to size by the link; what must fit the length field is all of it. */
static bool fits(const struct path *p, const struct tx_frame *f, size_t header, size_t field_max)
{
	size_t len = frame_len(f) + header;
	return f->seg_size ? len <= field_max : len <= p->mtu;
}

bool internet_send(struct internet *in, struct path *p, struct tx_frame *f, const struct ip_send *s,
		   nanotime now)
{
	enum error e = internet_path(in, p, s->destination, now);
	if (__builtin_expect(e != ERR_OK, 0))
		return drop(in, p, f,
			e == ERR_MEMORY ? DROP_NEIGHBOUR_TABLE_FULL : DROP_IP_NO_ROUTE, now);
	uint16_t type;
	if (addr_is4(s->destination)) {
		if (!fits(p, f, IP4_HEADER, 65535))
			return drop(in, p, f, DROP_IP_TOO_BIG, now);
		ip4_push(in, f, s);
		type = ETHERTYPE_IP4;
	} else {
		if (!fits(p, f, IP6_HEADER, 65535 + IP6_HEADER))
			return drop(in, p, f, DROP_IP_TOO_BIG, now);
		ip6_push(f, s->source, s->destination, s->protocol, s->tos, hop_limit(in, s),
			flow_label(in, f, s));
		type = ETHERTYPE_IP6;
	}
	if (__builtin_expect(p->neighbour == NEIGHBOUR_NO_INDEX, 0))
		return access_send_group(
			in->access, &in->access->netif[p->nif], s->destination, f, type, now);
	return access_send(in->access, p->neighbour, f, type, s->copy_if_waiting, now);
}
