/*
 * IPv6 in. As for IPv4, with two differences: what comes next is found at the
 * end of a chain of extension headers (ip6_walk keeps its bounds and says which
 * error is due), and the chain is walked only by who the packet is for: a router
 * leaves it alone (RFC 8200 4).
 */
#include "internet/internet_private.h"

/*
 * RFC 4291 2.5.2, 2.5.3, 2.7, RFC 9293 MUST-63: neither a group nor loopback. The unspecified
 * address is for neighbour discovery before there is an address, and icmp6_receive looks at it
 * again.
 */
static bool source_is_host(const struct netif *nif, const struct addr *a)
{
	return !addr_is_multicast(a) && !addr_is_loopback(a) && !netif_has(nif, a);
}

static bool is_joined(const struct netif *nif, const struct addr *group)
{
	for (unsigned i = 0; i < nif->groups; i++)
		if (addr_equal(&nif->group[i], group))
			return true;
	return false;
}

/*
 * The place of reassembly: fragments are to be held here until they are whole
 * (RFC 8200 4.5). A fragment that is the whole packet never comes here.
 */
static enum proto receive_fragment(struct rx *rx)
{
	return rx_drop(rx, DROP_IP_FRAGMENT);
}

static enum proto deliver(struct internet *in, struct rx *rx, const struct ip6_chain *c)
{
	/* Only who asks whether an address is free has none (RFC 4291 2.5.2). */
	if (addr_is_any(&rx->source) && c->protocol != IPPROTO_ICMP6)
		return rx_drop(rx, DROP_IP_SOURCE);
	rx_strip(rx, rx->ip_header_len);
	switch (c->protocol) {
	case IPPROTO_TCP_: return PROTO_TCP;
	case IPPROTO_UDP_: return PROTO_UDP;
	case IPPROTO_ICMP6: return icmp6_receive(in, rx, c->fragment);
	default:
		internet_reject(in, rx, REJECT_PROTOCOL, c->last_next_at);
		return rx_drop(rx, DROP_IP_PROTOCOL);
	}
}

/* For us, and something other than TCP or UDP follows the fixed header. */
static enum proto walk(struct internet *in, struct rx *rx, uint8_t next)
{
	struct ip6_chain c;
	enum drop drop = ip6_walk(span_after(rx->head, IP6_HEADER), next, &c);
	if (drop != DROP_NONE) {
		if (c.problem.send)
			reject_parameter6(in, rx, &c.problem);
		return rx_drop(rx, drop);
	}
	rx->protocol = c.protocol;
	rx->ip_header_len = (uint16_t)(IP6_HEADER + c.len);
	/* RFC 6946: a fragment that is the whole packet is processed alone. */
	if (c.fragment && (c.fragment_offset || c.more_fragments))
		return receive_fragment(rx);
	return deliver(in, rx, &c);
}

static enum proto elsewhere(struct internet *in, struct rx *rx)
{
	if (addr_is_multicast(&rx->destination))
		return rx_drop(rx, DROP_IP_GROUP);
	if (in->config.forward)
		return forward_receive(in, rx);
	return rx_drop(rx, DROP_IP_DESTINATION);
}

/* Not to an address of this interface. True where it is for us all the same. */
static bool is_for_us(struct internet *in, struct rx *rx)
{
	const struct addr *to = &rx->destination;
	if (addr_is_multicast(to) && is_joined(rx->nif, to)) {
		rx->group = true;
		return true;
	}
	return in->config.forward && !addr_is_linklocal(to) && internet_is_ours(in, to);
}

enum proto ip6_receive(struct internet *in, struct rx *rx)
{
	struct ip6_header h;
	enum drop drop = ip6_parse(rx->head, rx->len, &h);
	if (drop != DROP_NONE)
		return rx_drop(rx, drop);
	rx_trim(rx, IP6_HEADER + (uint32_t)h.payload_len);
	rx->packet = rx->head;
	rx->packet_len = rx->len;
	rx->ip_header_len = IP6_HEADER;
	rx->protocol = h.next;
	rx->hop_limit = h.hop_limit;
	rx->tos = h.traffic_class;
	rx->source = h.source;
	rx->destination = h.destination;
	if (!source_is_host(rx->nif, &rx->source))
		return rx_drop(rx, DROP_IP_SOURCE);
	if (__builtin_expect(!netif_has(rx->nif, &rx->destination), 0) && !is_for_us(in, rx))
		return elsewhere(in, rx);
	if ((h.next == IPPROTO_TCP_ || h.next == IPPROTO_UDP_) && !addr_is_any(&rx->source)) {
		rx_strip(rx, IP6_HEADER);
		return h.next == IPPROTO_TCP_ ? PROTO_TCP : PROTO_UDP;
	}
	return walk(in, rx, h.next);
}
