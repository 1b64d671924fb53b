/*
 * IPv4 in. What stands here is what the header alone can't say and RFC 1122
 * 3.2.1 wants known: could the source be a host, is the packet for us, and what
 * comes next. The straight line is a whole packet to our own address that brings
 * TCP or UDP.
 *
 * A host takes packets to an address only on that address's interface (the
 * strong model of RFC 1122 3.3.4.2); a router takes its addresses everywhere.
 */
#include "internet/internet_private.h"

/* RFC 1122 3.2.1.3, RFC 9293 MUST-63: not this net, not loopback, no group, nothing reserved. */
static bool source_is_host(const struct netif *nif, const struct addr *a)
{
	unsigned top = a->b[12];
	if (top - 1 >= 223 || top == 127)
		return false;
	for (unsigned i = 0; i < nif->addresses; i++)
		if (addr_equal(&nif->address[i].address, a) ||
			addr_equal(&nif->address[i].broadcast, a))
			return false;
	return true;
}

static bool is_joined(const struct netif *nif, const struct addr *group)
{
	for (unsigned i = 0; i < nif->groups; i++)
		if (addr_equal(&nif->group[i], group))
			return true;
	return false;
}

static bool is_broadcast(const struct netif *nif, const struct addr *a)
{
	if (addr_four(a) == UINT32_MAX)
		return true;
	for (unsigned i = 0; i < nif->addresses; i++)
		if (addr_equal(&nif->address[i].broadcast, a))
			return true;
	return false;
}

/*
 * The place of reassembly: fragments are to be held here until they are whole
 * (RFC 1122 3.3.2), and the packet then goes on as if it had come at once.
 */
static enum proto receive_fragment(struct rx *rx)
{
	return rx_drop(rx, DROP_IP_FRAGMENT);
}

/* A whole packet for us. */
static enum proto deliver(struct internet *in, struct rx *rx)
{
	rx_strip(rx, rx->ip_header_len);
	switch (rx->protocol) {
	case IPPROTO_TCP_: return PROTO_TCP;
	case IPPROTO_UDP_: return PROTO_UDP;
	case IPPROTO_ICMP4: return icmp4_receive(in, rx);
	default: internet_reject(in, rx, REJECT_PROTOCOL, 0); return rx_drop(rx, DROP_IP_PROTOCOL);
	}
}

/* Not to an address of this interface. True where it is for us all the same. */
static bool is_for_us(struct internet *in, struct rx *rx)
{
	const struct addr *to = &rx->destination;
	if (is_broadcast(rx->nif, to) || (addr_is_multicast(to) && is_joined(rx->nif, to))) {
		rx->group = true;
		return true;
	}
	return in->config.forward && internet_is_ours(in, to);
}

static enum proto elsewhere(struct internet *in, struct rx *rx)
{
	if (addr_is_multicast(&rx->destination))
		return rx_drop(rx, DROP_IP_GROUP);
	if (in->config.forward)
		return forward_receive(in, rx);
	return rx_drop(rx, DROP_IP_DESTINATION);
}

/* By a source route that ends here, and may be used (RFC 9293 MUST-53)? */
static bool came_by_route(const struct internet *in, const struct rx *rx, enum drop drop,
	const struct ip4_header *h)
{
	struct source_route r;
	return drop == DROP_IP4_SOURCE_ROUTE && in->config.source_routes &&
		netif_has(rx->nif, &h->destination) && source_route_parse(h->options, &r);
}

enum proto ip4_receive(struct internet *in, struct rx *rx)
{
	struct ip4_header h;
	enum drop drop = ip4_parse(rx->head, rx->len, &h);
	if (drop != DROP_NONE && !came_by_route(in, rx, drop, &h))
		return rx_drop(rx, drop);
	rx_trim(rx, h.total_len);
	rx->packet = rx->head;
	rx->packet_len = h.total_len;
	rx->ip_header_len = h.header_len;
	rx->protocol = h.protocol;
	rx->hop_limit = h.ttl;
	rx->tos = h.tos;
	rx->source = h.source;
	rx->destination = h.destination;
	if (!source_is_host(rx->nif, &rx->source))
		return rx_drop(rx, DROP_IP_SOURCE);
	if (__builtin_expect(!netif_has(rx->nif, &rx->destination), 0) && !is_for_us(in, rx))
		return elsewhere(in, rx);
	if (rx->link_group && !rx->group)
		return rx_drop(rx, DROP_IP_LINK_GROUP);
	if (__builtin_expect(h.more_fragments || h.fragment_offset, 0))
		return receive_fragment(rx);
	return deliver(in, rx);
}
