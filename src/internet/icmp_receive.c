/*
 * ICMP in, both families. The sum over the whole message is checked first
 * (RFC 1122 3.2.2, RFC 4443 2.3), then the type decides: echo requests are
 * answered by a copy, echo replies belong to a ping socket, errors go to
 * icmp_quote.c and neighbour discovery to nd_receive.c. All else is counted and
 * forgotten: RFC 6918 retires the rest of IPv4's types, RFC 6633 source quench,
 * and redirects are not followed.
 */
#include "internet/internet_private.h"

static bool sum_is_right(const struct internet *in, const struct rx *rx, uint64_t pseudo)
{
	/* Valid: somebody checked it. Partial: the bytes never left this machine. */
	if (rx->checksum != CHECKSUM_UNKNOWN)
		return true;
	return checksum_fold(pseudo + rx_sum(rx, in->core->checksum)) == 0xffff;
}

/* The address that answers: the one that was asked, or for a group the best of the interface's. */
static bool answering(const struct rx *rx, struct addr *source)
{
	if (rx->group)
		return source_on(rx->nif, &rx->source, source);
	*source = rx->destination;
	return true;
}

/* RFC 1122 3.2.2.6, RFC 4443 4.2: the same bytes back, but for the type. */
static enum proto answer_echo(struct internet *in, struct rx *rx, uint8_t type)
{
	struct addr source;
	if (rx->len - ICMP_HEADER > in->config.echo_max)
		return rx_drop(rx, DROP_ICMP_ECHO_SIZE);
	if (!answering(rx, &source))
		return rx_drop(rx, DROP_IP_NO_ROUTE);
	struct reply *r = reply_take(in, rx);
	if (!r)
		return rx_drop(rx, DROP_INTENT_FULL);
	r->source = source;
	r->why = WHY_ECHO_ANSWER;
	r->tos = rx->tos & 0xfc; /* the congestion bits are the packet's, not the answer's */
	r->len = (uint16_t)rx_copy(rx, r->bytes, rx->len);
	r->bytes[0] = type;
	memset(r->bytes + 2, 0, 2);
	reply_queue(in, r);
	return rx_fate(rx, FATE_ANSWERED);
}

static enum proto receive_echo_reply(struct rx *rx, const struct icmp_header *h)
{
	if (rx->group)
		return rx_drop(rx, DROP_ICMP_TYPE);
	rx->echo_id = icmp_id(h);
	rx->echo_sequence = icmp_sequence(h);
	rx_strip(rx, ICMP_HEADER);
	return PROTO_ECHO_REPLY;
}

/* The first eight bytes; they must lie in the head, and the message must have them (IP4-03). */
static enum drop parse(const struct rx *rx, struct icmp_header *h)
{
	return icmp_parse(span_first(rx->head, rx->len), h);
}

enum proto icmp4_receive(struct internet *in, struct rx *rx)
{
	struct icmp_header h;
	enum drop drop = parse(rx, &h);
	if (drop != DROP_NONE)
		return rx_drop(rx, drop);
	if (!sum_is_right(in, rx, 0))
		return rx_drop(rx, DROP_ICMP_CHECKSUM);
	switch (h.type) {
	case ICMP4_ECHO:
		if (rx->group)
			return rx_drop(rx, DROP_ICMP_ECHO_BROADCAST);
		return answer_echo(in, rx, ICMP4_ECHO_REPLY);
	case ICMP4_ECHO_REPLY: return receive_echo_reply(rx, &h);
	case ICMP4_UNREACHABLE:
	case ICMP4_TIME_EXCEEDED:
	case ICMP4_PARAMETER: return icmp_quote4(in, rx, &h);
	case ICMP4_REDIRECT: return rx_drop(rx, DROP_ICMP_REDIRECT);
	default: return rx_drop(rx, DROP_ICMP_TYPE); /* MUST-55: source quench as well */
	}
}

enum proto icmp6_receive(struct internet *in, struct rx *rx, bool fragment)
{
	struct icmp_header h;
	enum drop drop = parse(rx, &h);
	if (drop != DROP_NONE)
		return rx_drop(rx, drop);
	if (!sum_is_right(
		    in, rx, pseudo_sum(&rx->source, &rx->destination, IPPROTO_ICMP6, rx->len)))
		return rx_drop(rx, DROP_ICMP_CHECKSUM);
	/* RFC 4861 4.1, 4.3: only solicitations come from nowhere. */
	if (addr_is_any(&rx->source) && h.type != ICMP6_NEIGHBOUR_SOLICIT &&
		h.type != ICMP6_ROUTER_SOLICIT)
		return rx_drop(rx, DROP_IP_SOURCE);
	switch (h.type) {
	case ICMP6_ECHO: return answer_echo(in, rx, ICMP6_ECHO_REPLY);
	case ICMP6_ECHO_REPLY: return receive_echo_reply(rx, &h);
	case ICMP6_UNREACHABLE:
	case ICMP6_TOO_BIG:
	case ICMP6_TIME_EXCEEDED:
	case ICMP6_PARAMETER: return icmp_quote6(in, rx, &h);
	case ICMP6_ROUTER_SOLICIT:
	case ICMP6_ROUTER_ADVERT:
	case ICMP6_NEIGHBOUR_SOLICIT:
	case ICMP6_NEIGHBOUR_ADVERT:
	case ICMP6_REDIRECT: return nd_receive(in, rx, fragment);
	default: return rx_drop(rx, DROP_ICMP_TYPE);
	}
}
