/*
 * ICMP errors out. The rules of when none is sent are one function (RFC 1122
 * 3.2.2, RFC 1812 4.3.2.7, RFC 4443 2.4e): never about an error, about a packet
 * that many may have got (else one packet would be answered by a crowd), about
 * any fragment but the first, or to a source that is no single host.
 */
#include "internet/internet_private.h"

#define TOS_INTERNETWORK_CONTROL 0xc0 /* RFC 1812 4.3.2.5 */

struct message {
	uint8_t type, code;
	uint32_t rest;
	bool even_multicast; /* RFC 4443 2.4e.3 */
};

static struct message message4(enum internet_reject what, uint32_t number)
{
	switch (what) {
	case REJECT_PROTOCOL: return (struct message){ ICMP4_UNREACHABLE, 2, 0, false };
	case REJECT_NO_ROUTE: return (struct message){ ICMP4_UNREACHABLE, 0, 0, false };
	case REJECT_HOST: return (struct message){ ICMP4_UNREACHABLE, 1, 0, false };
	case REJECT_TOO_BIG: return (struct message){ ICMP4_UNREACHABLE, 4, number, false };
	case REJECT_HOP_LIMIT: return (struct message){ ICMP4_TIME_EXCEEDED, 0, 0, false };
	case REJECT_PARAMETER: return (struct message){ ICMP4_PARAMETER, 0, number << 24, false };
	case REJECT_ADMIN: return (struct message){ ICMP4_UNREACHABLE, 13, 0, false };
	default: return (struct message){ ICMP4_UNREACHABLE, 3, 0, false };
	}
}

static struct message message6(enum internet_reject what, uint32_t number)
{
	switch (what) {
	case REJECT_PROTOCOL: return (struct message){ ICMP6_PARAMETER, 1, number, false };
	case REJECT_NO_ROUTE: return (struct message){ ICMP6_UNREACHABLE, 0, 0, false };
	case REJECT_HOST: return (struct message){ ICMP6_UNREACHABLE, 3, 0, false };
	case REJECT_TOO_BIG: return (struct message){ ICMP6_TOO_BIG, 0, number, true };
	case REJECT_HOP_LIMIT: return (struct message){ ICMP6_TIME_EXCEEDED, 0, 0, false };
	case REJECT_PARAMETER: return (struct message){ ICMP6_PARAMETER, 0, number, false };
	case REJECT_ADMIN: return (struct message){ ICMP6_UNREACHABLE, 1, 0, false };
	default: return (struct message){ ICMP6_UNREACHABLE, 4, 0, false };
	}
}

/* Is the packet itself an error, or a later fragment? Where that can't be seen, it might be. */
static bool is_silent4(struct span packet)
{
	size_t len = (packet.at[0] & 15u) * 4;
	if (load16(packet.at + 6) & 0x1fff)
		return true;
	if (packet.at[9] != IPPROTO_ICMP4)
		return false;
	if (packet.len <= len)
		return true;
	switch (packet.at[len]) {
	case ICMP4_ECHO:
	case ICMP4_ECHO_REPLY:
	case ICMP4_TIMESTAMP: return false;
	default: return true;
	}
}

static bool is_silent6(struct span packet)
{
	struct ip6_chain c;
	struct span rest = span_after(packet, IP6_HEADER);
	/* A chain that can't be walked is what the error is about. */
	if (ip6_walk(rest, packet.at[6], &c) != DROP_NONE)
		return c.fragment_offset != 0;
	if (c.fragment_offset)
		return true;
	if (c.protocol != IPPROTO_ICMP6)
		return false;
	return rest.len <= c.len || rest.at[c.len] < 128 || rest.at[c.len] == ICMP6_REDIRECT;
}

static bool may_tell(const struct rx *rx, bool v6, bool even_multicast)
{
	if ((rx->group || rx->link_group) && !even_multicast)
		return false;
	if (addr_is_any(&rx->source) || addr_is_multicast(&rx->source) ||
		addr_is_loopback(&rx->source))
		return false;
	return !(v6 ? is_silent6(rx->packet) : is_silent4(rx->packet));
}

/* Ours where the packet was for us, else the address that is best seen from its sender. */
static bool choose_source(struct internet *in, const struct rx *rx, struct addr *source)
{
	if (!rx->group && internet_is_ours(in, &rx->destination)) {
		*source = rx->destination;
		return true;
	}
	return source_on(rx->nif, &rx->source, source) ||
		internet_source(in, &rx->source, source) == ERR_OK;
}

/* The packet again, as it was before anything was stripped. */
static size_t copy_quote(const struct rx *rx, uint8_t *to, size_t cap)
{
	struct rx whole = { .frame = rx->frame, .head = rx->packet, .len = rx->packet_len };
	return rx_copy(&whole, to, cap);
}

static bool tell(struct internet *in, struct rx *rx, const struct message *m)
{
	bool v6 = !addr_is4(&rx->source);
	struct addr source;
	if (!may_tell(rx, v6, m->even_multicast) || !choose_source(in, rx, &source))
		return false;
	if (!error_limit_allows(in, &rx->source, rx->now))
		return false;
	struct reply *r = reply_take(in, rx);
	if (!r) {
		in->core->counters->tx_drop[DROP_INTENT_FULL]++;
		return false;
	}
	struct icmp_header h = { .type = m->type, .code = m->code, .rest = m->rest };
	icmp_emit(&h, r->bytes, ICMP_HEADER);
	size_t quoted = copy_quote(rx, r->bytes + ICMP_HEADER, v6 ? QUOTE6_MAX : QUOTE4_MAX);
	r->len = (uint16_t)(ICMP_HEADER + quoted);
	r->source = source;
	r->why = WHY_ICMP_ERROR;
	r->tos = v6 ? 0 : TOS_INTERNETWORK_CONTROL;
	reply_queue(in, r);
	return true;
}

bool internet_reject(struct internet *in, struct rx *rx, enum internet_reject what, uint32_t number)
{
	struct message m = addr_is4(&rx->source) ? message4(what, number) : message6(what, number);
	return tell(in, rx, &m);
}

void reject_parameter6(struct internet *in, struct rx *rx, const struct ip6_problem *problem)
{
	struct message m = {
		.type = ICMP6_PARAMETER,
		.code = problem->code,
		.rest = problem->pointer,
		.even_multicast = problem->even_multicast,
	};
	tell(in, rx, &m);
}

/* Somebody else's packet, whose next hop did not answer. */
static void reject_forwarded(struct internet *in, const struct access_returned *r, nanotime now)
{
	struct rx_frame frame = rx_frame_of(r->packet.at, r->packet.len);
	bool v6 = r->ethertype == ETHERTYPE_IP6;
	if (r->packet.len < (v6 ? IP6_HEADER : IP4_HEADER))
		return;
	struct rx rx = {
		.nif = r->nif,
		.frame = &frame,
		.now = now,
		.packet = r->packet,
		.packet_len = (uint32_t)r->packet.len,
		.source = v6 ? addr_from6(r->packet.at + 8) : addr_from4(r->packet.at + 12),
		.destination = v6 ? addr_from6(r->packet.at + 24) : addr_from4(r->packet.at + 16),
	};
	internet_reject(in, &rx, REJECT_HOST, 0);
}

bool internet_returned(struct internet *in, struct rx *rx, nanotime now)
{
	struct access_returned r;
	while (access_returned(in->access, &r)) {
		*rx = (struct rx){ .nif = r.nif, .now = now };
		if (r.why == WHY_FORWARD)
			reject_forwarded(in, &r, now);
		else if (icmp_quote_returned(rx, &r))
			return true;
		access_drop_returned(in->access, now);
	}
	return false;
}
