/*
 * Neighbour discovery out: advertisements of our addresses to who asked (RFC
 * 4861 7.2.4), and the solicitations that the neighbour cache wants sent (7.2.2
 * to the target's group, 7.3.3 to a neighbour that is being probed).
 *
 * An answer goes to the MAC address that the question named, not through the
 * cache: a flood of questions from invented sources can then fill neither the
 * cache nor anything but the bounded ring of answers.
 */
#include "internet/internet_private.h"

#define ND_HOP_LIMIT 255 /* RFC 4861 4.3, 4.4 */
#define ND_BYTES     64

bool nd_queue(struct internet *in, const struct nd_intent *intent)
{
	struct internet_private *p = in->private;
	if (p->nd_count == in->config.replies)
		return false;
	p->nd[(p->nd_head + p->nd_count++) % in->config.replies] = *intent;
	in->core->queued = true;
	return true;
}

/* Header and message are put into the core's frame. */
static struct tx_frame *build(struct internet *in, const struct nd_message *m, enum tx_why why,
	const struct addr *source, const struct addr *destination)
{
	struct tx_frame *f = in->core->frame;
	uint8_t bytes[ND_BYTES];
	size_t len = nd_emit(m, bytes, sizeof bytes);
	uint64_t sum = pseudo_sum(source, destination, IPPROTO_ICMP6, (uint32_t)len) +
		checksum_header(bytes, len);
	uint16_t field = checksum_finish(sum);
	memcpy(bytes + 2, &field, 2);
	frame_begin(f, why);
	memcpy(frame_push(f, len), bytes, len);
	ip6_push(f, source, destination, IPPROTO_ICMP6, 0, ND_HOP_LIMIT, 0);
	return f;
}

static void advertise(struct internet *in, const struct nd_intent *a, nanotime now)
{
	struct netif *nif = &in->access->netif[a->nif];
	struct nd_message m = {
		.type = ICMP6_NEIGHBOUR_ADVERT,
		.router = in->config.forward,
		.solicited = a->solicited,
		.override = true,
		.target = a->target,
		.has_target_mac = true,
		.target_mac = nif->mac,
	};
	struct tx_frame *f = build(in, &m, WHY_ND_ANSWER, &a->target, &a->destination);
	if (addr_is_multicast(&a->destination))
		access_send_group(in->access, nif, &a->destination, f, ETHERTYPE_IP6, now);
	else
		access_send_mac(in->access, nif, &a->to, f, ETHERTYPE_IP6, now);
}

static bool solicit(struct internet *in, const struct access_solicit *s, nanotime now)
{
	const struct neighbour *n = neighbour_at(in->access, s->neighbour);
	struct netif *nif = &in->access->netif[n->nif];
	struct addr source;
	if (!source_on(nif, &n->address, &source)) {
		in->core->counters->tx_drop[DROP_IP_NO_ROUTE]++;
		return false;
	}
	struct nd_message m = {
		.type = ICMP6_NEIGHBOUR_SOLICIT,
		.target = n->address,
		.has_source_mac = true,
		.source_mac = nif->mac,
	};
	if (s->unicast) {
		struct tx_frame *f = build(in, &m, WHY_ND_PROBE, &source, &n->address);
		return access_send_mac(in->access, nif, &n->mac, f, ETHERTYPE_IP6, now);
	}
	struct addr group = nd_solicited_node(&n->address);
	struct tx_frame *f = build(in, &m, WHY_ND_ASK, &source, &group);
	return access_send_group(in->access, nif, &group, f, ETHERTYPE_IP6, now);
}

unsigned nd_transmit(struct internet *in, unsigned budget, nanotime now)
{
	struct internet_private *p = in->private;
	struct access_solicit s;
	unsigned sent = 0;
	for (uint32_t turns = p->nd_count; turns && sent < budget; turns--) {
		struct nd_intent a = p->nd[p->nd_head];
		p->nd_head = (p->nd_head + 1) % in->config.replies;
		p->nd_count--;
		if (in->access->netif[a.nif].blocked) {
			nd_queue(in, &a);
			continue;
		}
		advertise(in, &a, now);
		sent++;
	}
	/* A question that a full link loses is asked again by its timer. */
	while (sent < budget && access_take_solicit(in->access, &s))
		sent += solicit(in, &s, now);
	return sent;
}

bool nd_has_work(const struct internet *in)
{
	const struct internet_private *p = in->private;
	if (in->access->solicit_count)
		return true;
	for (uint32_t i = 0; i < p->nd_count; i++)
		if (!in->access->netif[p->nd[(p->nd_head + i) % in->config.replies].nif].blocked)
			return true;
	return false;
}
