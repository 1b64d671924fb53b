/*
 * What ARP has to say (RFC 826): questions, answers and announcements, queued
 * while frames are received or timers fire and sent with the next transmit. The
 * queue is a ring of the configured size. An answer that finds no place is
 * dropped with its question; a question that finds none is asked again by its
 * timer.
 */
#include "access/access_private.h"

bool arp_queue(struct access *a, const struct arp_intent *intent)
{
	if (a->intent_count == a->config.intents)
		return false;
	a->intent[(a->intent_head + a->intent_count++) % a->config.intents] = *intent;
	a->core->queued = true;
	return true;
}

/* Our address that a question should name: one of the target's own net where there is one. */
static struct addr source_for(const struct netif *nif, const struct addr *target)
{
	static const uint8_t none[4];
	const struct netif_address *found = NULL;
	for (unsigned i = 0; i < nif->addresses; i++) {
		const struct netif_address *own = &nif->address[i];
		if (!addr_is4(&own->address))
			continue;
		if (addr_in_prefix(target, &own->address, own->prefix))
			return own->address;
		if (!found)
			found = own;
	}
	return found ? found->address : addr_from4(none);
}

void arp_ask(struct access *a, struct neighbour *n, bool unicast, nanotime now)
{
	const struct netif *nif = &a->netif[n->nif];
	struct arp_intent intent = {
		.own = source_for(nif, &n->address),
		.other = n->address,
		.to = unicast ? n->mac : MAC_BROADCAST,
		.nif = n->nif,
		.why = unicast ? WHY_ARP_CHECK : WHY_ARP_ASK,
	};
	if (!arp_queue(a, &intent))
		access_tx_drop(a, nif, NULL, DROP_INTENT_FULL, now);
}

void access_announce(struct access *a, struct netif *nif, const struct addr *address)
{
	/* RFC 5227 2.3: a request in which both addresses are the one that is announced. */
	struct arp_intent intent = {
		.own = *address,
		.other = *address,
		.to = MAC_BROADCAST,
		.nif = nif->index,
		.why = WHY_ARP_ANNOUNCE,
	};
	if (addr_is4(address) && nif->framing != FRAMING_BARE && !arp_queue(a, &intent))
		access_tx_drop(a, nif, NULL, DROP_INTENT_FULL, a->core->wheel->now);
}

static void send(struct access *a, const struct arp_intent *intent, nanotime now)
{
	struct netif *nif = &a->netif[intent->nif];
	struct tx_frame *f = a->core->frame;
	struct arp_packet p = {
		.operation = intent->why == WHY_ARP_ANSWER ? ARP_REPLY : ARP_REQUEST,
		.sender_mac = nif->mac,
		.sender = intent->own,
		.target = intent->other,
	};
	if (intent->why == WHY_ARP_ANSWER)
		p.target_mac = intent->to;
	frame_begin(f, intent->why);
	arp_emit(&p, frame_push(f, ARP_LEN), ARP_LEN);
	access_send_mac(a, nif, &intent->to, f, ETHERTYPE_ARP, now);
}

unsigned arp_transmit(struct access *a, unsigned budget, nanotime now)
{
	unsigned sent = 0;
	/* What a full link can't take now goes to the ring's end; once around is enough. */
	for (uint32_t turns = a->intent_count; turns && sent < budget; turns--) {
		struct arp_intent intent = a->intent[a->intent_head];
		a->intent_head = (a->intent_head + 1) % a->config.intents;
		a->intent_count--;
		if (a->netif[intent.nif].blocked) {
			arp_queue(a, &intent);
			continue;
		}
		send(a, &intent, now);
		sent++;
	}
	return sent;
}

bool arp_has_work(const struct access *a)
{
	for (uint32_t i = 0; i < a->intent_count; i++) {
		uint32_t at = (a->intent_head + i) % a->config.intents;
		if (!a->netif[a->intent[at].nif].blocked)
			return true;
	}
	return false;
}
