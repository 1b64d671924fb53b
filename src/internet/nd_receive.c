/*
 * Neighbour discovery in. A message counts only if it can't have come from
 * beyond the link (hop limit 255, RFC 4861 6.1, 7.1, 8.1), has no fragment header
 * (RFC 6980), and is well formed to its last option.
 *
 * Solicitations for our addresses are answered and teach us who asks (7.2.3);
 * advertisements go to the cache by the table of 7.2.5. Router advertisements are
 * checked and not acted on: addresses and routes are configured. Redirects are
 * not followed.
 */
#include "internet/internet_private.h"

static bool is_solicited_node(const struct addr *a)
{
	static const uint8_t prefix[13] = { 0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff };
	return memcmp(a->b, prefix, sizeof prefix) == 0;
}

static bool is_host_mac(const struct mac *m)
{
	static const struct mac zero;
	return !(m->b[0] & 1) && !mac_equal(m, &zero);
}

/* RFC 4861 7.1.1: who has no address yet asks the target's group, and names no MAC address. */
static bool solicit_is_sound(const struct rx *rx, const struct nd_message *m)
{
	if (addr_is_any(&m->target) || addr_is_loopback(&m->target))
		return false;
	if (!addr_is_any(&rx->source))
		return !m->has_source_mac || is_host_mac(&m->source_mac);
	return is_solicited_node(&rx->destination) && !m->has_source_mac;
}

static enum proto receive_solicit(struct internet *in, struct rx *rx, const struct nd_message *m)
{
	if (!solicit_is_sound(rx, m))
		return rx_drop(rx, DROP_ND_FORMAT);
	if (!netif_has(rx->nif, &m->target))
		return rx_drop(rx, DROP_ND_TARGET);
	static const struct addr all_nodes = { .b = { [0] = 0xff, [1] = 0x02, [15] = 1 } };
	struct nd_intent answer = {
		.target = m->target,
		.destination = all_nodes,
		.nif = rx->nif->index,
	};
	if (!addr_is_any(&rx->source)) {
		if (m->has_source_mac)
			neighbour_learn(in->access, rx->nif, &rx->source, &m->source_mac,
				NEWS_SOLICIT, true, true, rx->now);
		answer.destination = rx->source;
		answer.to = m->has_source_mac ? m->source_mac : rx->source_mac;
		answer.solicited = true;
	}
	if (!nd_queue(in, &answer))
		return rx_drop(rx, DROP_INTENT_FULL);
	return rx_fate(rx, FATE_ANSWERED);
}

static enum proto receive_advert(struct internet *in, struct rx *rx, const struct nd_message *m)
{
	/* RFC 4861 7.1.2 */
	if (m->solicited && rx->group)
		return rx_drop(rx, DROP_ND_FORMAT);
	if (m->has_target_mac && !is_host_mac(&m->target_mac))
		return rx_drop(rx, DROP_ND_FORMAT);
	if (netif_has(rx->nif, &m->target)) {
		rx->nif->conflicts++; /* RFC 4862 5.4.4: told, and not acted on */
		return rx_drop(rx, DROP_ADDRESS_CONFLICT);
	}
	struct neighbour *n = neighbour_find(in->access, rx->nif, &m->target);
	bool taken = neighbour_learn(in->access, rx->nif, &m->target,
		m->has_target_mac ? &m->target_mac : NULL,
		m->solicited ? NEWS_ADVERT_SOLICITED : NEWS_ADVERT_UNSOLICITED, m->override, false,
		rx->now);
	if (!n || !taken)
		return rx_drop(rx, DROP_ND_UNSOLICITED);
	n->router = m->router;
	return rx_fate(rx, FATE_DELIVERED);
}

enum proto nd_receive(struct internet *in, struct rx *rx, bool fragment)
{
	struct nd_message m;
	if (rx->hop_limit != 255)
		return rx_drop(rx, DROP_ND_HOP_LIMIT);
	/* The whole message must lie in the head: no option may be missed. */
	if (fragment || rx->head.len < rx->len)
		return rx_drop(rx, DROP_ND_FORMAT);
	enum drop drop = nd_parse(rx->head, &m);
	if (drop != DROP_NONE)
		return rx_drop(rx, drop);
	switch (m.type) {
	case ICMP6_NEIGHBOUR_SOLICIT: return receive_solicit(in, rx, &m);
	case ICMP6_NEIGHBOUR_ADVERT: return receive_advert(in, rx, &m);
	case ICMP6_ROUTER_ADVERT:
		/* RFC 4861 6.1.2 */
		if (!addr_is_linklocal(&rx->source))
			return rx_drop(rx, DROP_ND_FORMAT);
		return rx_drop(rx, DROP_ICMP_TYPE);
	case ICMP6_REDIRECT: return rx_drop(rx, DROP_ICMP_REDIRECT);
	default: return rx_drop(rx, DROP_ICMP_TYPE);
	}
}
