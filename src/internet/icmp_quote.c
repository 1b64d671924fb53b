/*
 * ICMP errors in. An error quotes the start of the packet that it is about, and
 * is believed only as far as the quote shows a packet of ours: from one of our
 * addresses, by a protocol that we speak, its first fragment, with the first
 * eight bytes of its transport header (RFC 5927 4). Whether there was such a
 * connection, and whether the sequence number is in flight, the transport says.
 *
 * The quote is read leniently where routers are known to spoil it: its checksum
 * and hop limit were changed on the way, and its length is cut.
 */
#include "internet/internet_private.h"

#define QUOTE_TRANSPORT 8  /* RFC 792; RFC 4443 quotes more */
#define IP4_LEAST_MTU   68 /* RFC 791 3.2 */

static enum proto refuse(struct rx *rx)
{
	return rx_drop(rx, DROP_ICMP_QUOTE);
}

/* An error about an error is none of ours: we never send errors about errors. */
static bool speaks(uint8_t protocol, uint8_t type, bool v6)
{
	switch (protocol) {
	case IPPROTO_TCP_:
	case IPPROTO_UDP_: return true;
	case IPPROTO_ICMP4: return !v6 && type == ICMP4_ECHO;
	case IPPROTO_ICMP6: return v6 && type == ICMP6_ECHO;
	default: return false;
	}
}

/* The quote has been taken apart: is it ours? */
static enum proto finish(struct internet *in, struct rx *rx, const struct icmp_header *h)
{
	struct rx_icmp_error *e = &rx->icmp;
	e->type = h->type;
	e->code = h->code;
	if (rx->group || e->quote.len < QUOTE_TRANSPORT ||
		!speaks(e->protocol, e->quote.at[0], e->v6) || !internet_is_ours(in, &e->source))
		return refuse(rx);
	return PROTO_ICMP_ERROR;
}

bool icmp_quote_returned(struct rx *rx, const struct access_returned *r)
{
	bool v6 = r->ethertype == ETHERTYPE_IP6;
	struct span p = r->packet;
	if (p.len < (v6 ? IP6_HEADER : IP4_HEADER))
		return false;
	/* Packets of our own have neither options nor extension headers. */
	rx->icmp = (struct rx_icmp_error){
		.v6 = v6,
		.type = v6 ? ICMP6_UNREACHABLE : ICMP4_UNREACHABLE,
		.code = v6 ? 3 : 1,
		.protocol = v6 ? p.at[6] : p.at[9],
		.source = v6 ? addr_from6(p.at + 8) : addr_from4(p.at + 12),
		.destination = v6 ? addr_from6(p.at + 24) : addr_from4(p.at + 16),
		.quote = span_after(p, v6 ? IP6_HEADER : IP4_HEADER),
	};
	rx->source = rx->destination = rx->icmp.source;
	return rx->icmp.quote.len >= QUOTE_TRANSPORT &&
		speaks(rx->icmp.protocol, rx->icmp.quote.at[0], v6);
}

enum proto icmp_quote4(struct internet *in, struct rx *rx, const struct icmp_header *h)
{
	struct span inner = span_after(rx->head, ICMP_HEADER);
	if (inner.len < IP4_HEADER)
		return refuse(rx);
	size_t len = (inner.at[0] & 15u) * 4;
	if (inner.at[0] >> 4 != 4 || len < IP4_HEADER || len > inner.len)
		return refuse(rx);
	if (load16(inner.at + 6) & 0x1fff)
		return refuse(rx);
	rx->icmp = (struct rx_icmp_error){
		.protocol = inner.at[9],
		.source = addr_from4(inner.at + 12),
		.destination = addr_from4(inner.at + 16),
		.quote = span_after(inner, len),
	};
	/* RFC 1191 4. Zero is an old router's: how far to go down is then the transport's guess. */
	if (h->type == ICMP4_UNREACHABLE && h->code == 4) {
		rx->icmp.mtu = h->rest & 0xffff;
		if (rx->icmp.mtu > 0 && rx->icmp.mtu < IP4_LEAST_MTU)
			return rx_drop(rx, DROP_ICMP_MTU);
	}
	return finish(in, rx, h);
}

enum proto icmp_quote6(struct internet *in, struct rx *rx, const struct icmp_header *h)
{
	struct span inner = span_after(rx->head, ICMP_HEADER);
	struct ip6_chain c;
	if (inner.len < IP6_HEADER || inner.at[0] >> 4 != 6)
		return refuse(rx);
	struct span rest = span_after(inner, IP6_HEADER);
	/* Packets of ours have no chain that breaks a rule, but a quote may end within one. */
	if (ip6_walk(rest, inner.at[6], &c) != DROP_NONE || c.fragment_offset)
		return refuse(rx);
	rx->icmp = (struct rx_icmp_error){
		.v6 = true,
		.protocol = c.protocol,
		.source = addr_from6(inner.at + 8),
		.destination = addr_from6(inner.at + 24),
		.quote = span_after(rest, c.len),
	};
	if (addr_is4(&rx->icmp.source) || addr_is4(&rx->icmp.destination))
		return refuse(rx);
	if (h->type == ICMP6_TOO_BIG) {
		/* RFC 8201 4: never below the least MTU; no atomic fragments (RFC 8021). */
		if (h->rest < IP6_MIN_MTU)
			return rx_drop(rx, DROP_ICMP_MTU);
		rx->icmp.mtu = h->rest;
	}
	return finish(in, rx, h);
}
