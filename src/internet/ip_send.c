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

/* Kept out of the straight line, which then saves fewer registers. */
#define OFF_LINE __attribute__((noinline))
#define FLAG_DF  0x4000

/* Multiplies 64 by 64 bits and folds: a cheap mixing step. */
static uint64_t mix(uint64_t a, uint64_t b)
{
	unsigned __int128 product = (unsigned __int128)a * b;
	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static uint32_t flow_label(
	const struct internet *in, const struct tx_frame *f, const struct ip_send *s)
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

static uint8_t hop_limit(const struct internet *in, const struct path *p, const struct ip_send *s)
{
	if (s->hop_limit)
		return s->hop_limit;
	/* RFC 1112 6.1: a group's packets stay near unless somebody says otherwise. */
	if (p->neighbour == NEIGHBOUR_NO_INDEX && addr_is_multicast(s->destination))
		return 1;
	return in->config.hop_limit;
}

/*
 * ip4_emit for the one form that we send, in place: it stands on the way of every segment. The
 * header is made and summed in registers, as the five words that it will be in memory.
 */
static inline void ip4_push(const struct internet *in, const struct path *p, struct tx_frame *f,
	const struct ip_send *s, size_t total, uint32_t id_and_flags)
{
	uint8_t *at = frame_push(f, IP4_HEADER);
	uint32_t ttl = hop_limit(in, p, s);
	uint32_t source, destination;
	uint32_t length = __builtin_bswap32(0x45000000 | (uint32_t)s->tos << 16 | (uint32_t)total);
	uint32_t protocol = __builtin_bswap32(ttl << 24 | (uint32_t)s->protocol << 16);
	memcpy(&source, s->source->b + 12, 4);
	memcpy(&destination, s->destination->b + 12, 4);
	uint64_t sum = (uint64_t)length + __builtin_bswap32(id_and_flags) + protocol + source +
		destination;
	uint16_t field = checksum_finish(sum);
	memcpy(at, &length, 4);
	store32(at + 4, id_and_flags);
	memcpy(at + 8, &protocol, 2);
	memcpy(at + 10, &field, 2);
	memcpy(at + 12, &source, 4);
	memcpy(at + 16, &destination, 4);
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

OFF_LINE static bool drop(struct internet *in, const struct path *p, const struct tx_frame *f,
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

/* A super-frame is cut to size by the link; what must fit the length field is all of it. Beyond
 * what the path is known to carry TCP may try what it could. */
static inline bool fits(const struct path *p, const struct tx_frame *f, size_t len, size_t most)
{
	if (__builtin_expect(f->seg_size != 0, 0))
		return len <= most;
	return len <= p->mtu || len <= p->mtu_high;
}

static inline bool send_on(struct internet *in, const struct path *p, struct tx_frame *f,
	const struct ip_send *s, uint16_t type, nanotime now)
{
	struct access *a = in->access;
	if (__builtin_expect(p->neighbour == NEIGHBOUR_NO_INDEX, 0))
		return access_send_group(a, &a->netif[p->nif], s->destination, f, type, now);
	return access_send(a, p->neighbour, f, type, s->copy_if_waiting, now);
}

OFF_LINE static bool send6(struct internet *in, const struct path *p, struct tx_frame *f,
	const struct ip_send *s, nanotime now)
{
	if (!fits(p, f, frame_len(f) + IP6_HEADER, 65535 + IP6_HEADER))
		return drop(in, p, f, DROP_IP_TOO_BIG, now);
	ip6_push(f, s->source, s->destination, s->protocol, s->tos, hop_limit(in, p, s),
		flow_label(in, f, s));
	return send_on(in, p, f, s, ETHERTYPE_IP6, now);
}

static inline bool send4(struct internet *in, const struct path *p, struct tx_frame *f,
	const struct ip_send *s, uint32_t id_and_flags, nanotime now)
{
	size_t len = frame_len(f) + IP4_HEADER;
	if (!fits(p, f, len, 65535))
		return drop(in, p, f, DROP_IP_TOO_BIG, now);
	ip4_push(in, p, f, s, len, id_and_flags);
	return send_on(in, p, f, s, ETHERTYPE_IP4, now);
}

/* It may be fragmented on its way, and then its pieces are known by the ID. */
OFF_LINE static bool send4_with_id(struct internet *in, const struct path *p, struct tx_frame *f,
	const struct ip_send *s, nanotime now)
{
	uint32_t id = (uint32_t)rng_next(in->core->rng) & 0xffff;
	return send4(in, p, f, s, id << 16, now);
}

/* By way of other hosts, which the options name (RFC 9293 MUST-51). */
static bool send4_routed(struct internet *in, const struct path *p, struct tx_frame *f,
	const struct ip_send *s, nanotime now)
{
	uint8_t options[40];
	struct addr first;
	size_t len = source_route_emit(
		source_route_at(in, p->route), s->destination, &first, options);
	size_t header = IP4_HEADER + len, total = frame_len(f) + header;
	if (total > p->mtu + len && total > p->mtu_high + len)
		return drop(in, p, f, DROP_IP_TOO_BIG, now);
	struct ip4_header h = {
		.tos = s->tos,
		.total_len = (uint16_t)total,
		.id = s->dont_fragment ? 0 : (uint16_t)rng_next(in->core->rng),
		.dont_fragment = s->dont_fragment,
		.ttl = hop_limit(in, p, s),
		.protocol = s->protocol,
		.source = *s->source,
		.destination = first,
		.options = span_of(options, len),
	};
	size_t done = ip4_emit(&h, frame_push(f, header), header);
	assert(done == header);
	return send_on(in, p, f, s, ETHERTYPE_IP4, now);
}

/* The path is stale, or has a source route. */
OFF_LINE static bool send_after_lookup(struct internet *in, struct path *p, struct tx_frame *f,
	const struct ip_send *s, nanotime now)
{
	enum error e = internet_path(in, p, s->destination, now);
	if (e == ERR_MEMORY)
		return drop(in, p, f, DROP_NEIGHBOUR_TABLE_FULL, now);
	if (e != ERR_OK)
		return drop(in, p, f, DROP_IP_NO_ROUTE, now);
	if (p->route)
		return send4_routed(in, p, f, s, now);
	return internet_send(in, p, f, s, now);
}

bool internet_send(struct internet *in, struct path *p, struct tx_frame *f, const struct ip_send *s,
	nanotime now)
{
	if (__builtin_expect(!path_is_fresh(in, p), 0))
		return send_after_lookup(in, p, f, s, now);
	if (!addr_is4(s->destination))
		return send6(in, p, f, s, now);
	if (!s->dont_fragment)
		return send4_with_id(in, p, f, s, now);
	return send4(in, p, f, s, FLAG_DF, now);
}
