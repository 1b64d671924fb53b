/*
 * ARP in (RFC 826). The sender of any ARP packet is merged into an entry that
 * is there; one is made only for who asks for us, because we are about to be
 * sent something by it. A reply for which there is no entry was not asked for
 * and makes none. What a change of MAC address means for an entry that is in use
 * is decided by neighbour_learn.
 *
 * Who claims an address of ours is answered by an announcement, at most once in
 * ten seconds for each address; the conflict is counted and traced (RFC 5227
 * 2.4, way (c): two hosts that defended without end would fill the link).
 */
#include "access/access_private.h"

#define DEFEND_INTERVAL (10 * NANO_S) /* RFC 5227 1.1 */

static bool is_host_mac(const struct mac *m)
{
	static const struct mac zero;
	return !(m->b[0] & 1) && !mac_equal(m, &zero);
}

static bool is_broadcast(const struct netif *nif, const struct addr *a)
{
	for (unsigned i = 0; i < nif->addresses; i++)
		if (addr_equal(&nif->address[i].broadcast, a))
			return true;
	return addr_four(a) == UINT32_MAX;
}

/* 0.0.0.0 asks for an address before it is used (RFC 5227 2.1.1): a request only. */
static bool sender_is_possible(const struct netif *nif, const struct arp_packet *p)
{
	if (!is_host_mac(&p->sender_mac))
		return false;
	if (addr_is_any(&p->sender))
		return p->operation == ARP_REQUEST;
	return !addr_is_multicast(&p->sender) && !addr_is_loopback(&p->sender) &&
		!is_broadcast(nif, &p->sender);
}

static struct netif_address *own_address(struct netif *nif, const struct addr *a)
{
	for (unsigned i = 0; i < nif->addresses; i++)
		if (addr_equal(&nif->address[i].address, a))
			return &nif->address[i];
	return NULL;
}

static enum proto conflict(
	struct access *a, struct rx *rx, struct netif_address *own, const struct arp_packet *p)
{
	if (mac_equal(&p->sender_mac, &rx->nif->mac))
		return rx_drop(rx, DROP_ARP_SENDER); /* our own frame came back */
	rx->nif->conflicts++;
	if (rx->now - own->defended >= DEFEND_INTERVAL) {
		own->defended = rx->now;
		access_announce(a, rx->nif, &own->address);
	}
	return rx_drop(rx, DROP_ADDRESS_CONFLICT);
}

/* An answer counts as asked for while a question is open; later ones only repeat or claim. */
static enum proto receive_reply(struct access *a, struct rx *rx, const struct arp_packet *p)
{
	const struct neighbour *n = neighbour_find(a, rx->nif, &p->sender);
	if (!n)
		return rx_drop(rx, DROP_ARP_UNASKED);
	bool open = n->state == NEIGHBOUR_INCOMPLETE || n->state == NEIGHBOUR_PROBE ||
		n->state == NEIGHBOUR_FAILED;
	bool same = n->state != NEIGHBOUR_PROBE || mac_equal(&n->mac, &p->sender_mac);
	bool asked = open && same && !rx->link_group && netif_has(rx->nif, &p->target);
	neighbour_learn(a, rx->nif, &p->sender, &p->sender_mac,
		asked ? NEWS_ADVERT_SOLICITED : NEWS_ADVERT_UNSOLICITED, true, false, rx->now);
	return rx_fate(rx, FATE_DELIVERED);
}

static enum proto answer(struct access *a, struct rx *rx, const struct arp_packet *p)
{
	struct arp_intent intent = {
		.own = p->target,
		.other = p->sender,
		.to = p->sender_mac,
		.nif = rx->nif->index,
		.why = WHY_ARP_ANSWER,
	};
	if (!arp_queue(a, &intent))
		return rx_drop(rx, DROP_INTENT_FULL);
	return rx_fate(rx, FATE_ANSWERED);
}

static enum proto receive_request(struct access *a, struct rx *rx, const struct arp_packet *p)
{
	bool for_us = netif_has(rx->nif, &p->target);
	bool learned = false;
	if (!addr_is_any(&p->sender)) {
		/* An announcement is an answer that nobody asked for (RFC 5227 3). */
		bool announces = addr_equal(&p->sender, &p->target);
		learned = neighbour_learn(a, rx->nif, &p->sender, &p->sender_mac,
			announces ? NEWS_ADVERT_UNSOLICITED : NEWS_SOLICIT, true,
			for_us && netif_on_link(rx->nif, &p->sender), rx->now);
	}
	if (for_us)
		return answer(a, rx, p);
	return learned ? rx_fate(rx, FATE_DELIVERED) : rx_drop(rx, DROP_ARP_NOT_OURS);
}

enum proto arp_receive(struct access *a, struct rx *rx)
{
	struct arp_packet p;
	enum drop drop = arp_parse(rx->head, &p);
	if (drop != DROP_NONE)
		return rx_drop(rx, drop);
	if (!sender_is_possible(rx->nif, &p))
		return rx_drop(rx, DROP_ARP_SENDER);
	struct netif_address *own = own_address(rx->nif, &p.sender);
	if (own)
		return conflict(a, rx, own, &p);
	return p.operation == ARP_REPLY ? receive_reply(a, rx, &p) : receive_request(a, rx, &p);
}
