/*
 * Ethernet in and out.
 *
 * In: the destination decides first (ours, broadcast, or a group that was
 * joined; the card may be promiscuous), then the source, which is never a group
 * (IEEE 802.3 3.2.3), then the VLAN, then the type. An untagged interface takes
 * priority-tagged frames (VLAN id 0) too; one with a VLAN takes its own only.
 * Padding is left: the packet's own length cuts it off later.
 *
 * Out: the header is pushed, what the link can't do itself (checksums) is done,
 * the link takes the frame or it is lost, and either is counted and traced.
 */
#include "access/access_private.h"
#include "wire/nd.h"

static bool is_for_us(const struct netif *nif, const struct mac *to, struct rx *rx)
{
	static const struct mac broadcast = MAC_BROADCAST;
	if (__builtin_expect(mac_equal(to, &nif->mac), 1))
		return true;
	if (!(to->b[0] & 1))
		return false;
	rx->link_group = true;
	if (mac_equal(to, &broadcast))
		return true;
	for (unsigned i = 0; i < nif->groups; i++)
		if (mac_equal(to, &nif->group_mac[i]))
			return true;
	return false;
}

/* IEEE 802.1Q 6.9: id 0 carries a priority only. */
static bool is_our_vlan(const struct netif *nif, const struct eth_header *h)
{
	uint16_t id = 0;
	for (unsigned i = 0; i < h->tags; i++) {
		uint16_t tag = h->tag[i] & 0xfff;
		if (id && tag)
			return false; /* a VLAN in a VLAN */
		if (tag)
			id = tag;
	}
	return id == nif->vlan;
}

static enum proto receive_type(struct access *a, struct rx *rx, const struct eth_header *h)
{
	if (h->type == ETHERTYPE_ARP)
		return arp_receive(a, rx);
	return rx_drop(rx, h->type == 0 ? DROP_LLC_TYPE : DROP_ETH_TYPE);
}

enum proto access_receive(struct access *a, struct rx *rx)
{
	struct netif *nif = rx->nif;
	nif->rx_frames++;
	nif->rx_bytes += rx->frame->len;
	if (!nif->up)
		return rx_drop(rx, DROP_LINK_DOWN);

	struct eth_header h;
	struct span payload;
	enum drop drop = eth_parse(rx->head, &h, &payload);
	if (drop != DROP_NONE)
		return rx_drop(rx, drop);
	if (!is_for_us(nif, &h.destination, rx))
		return rx_drop(rx, DROP_ETH_NOT_OURS);
	if (h.source.b[0] & 1)
		return rx_drop(rx, DROP_ETH_SOURCE);
	if ((h.tags || nif->vlan) && !is_our_vlan(nif, &h))
		return rx_drop(rx, DROP_VLAN_NOT_OURS);
	rx->source_mac = h.source;
	rx_strip(rx, h.header_len);
	if (h.llc)
		rx_trim(rx, (uint32_t)payload.len);
	if (__builtin_expect(h.type == ETHERTYPE_IP4, 1))
		return PROTO_IP4;
	if (h.type == ETHERTYPE_IP6)
		return PROTO_IP6;
	return receive_type(a, rx, &h);
}

bool access_tx_drop(struct access *a, const struct netif *nif, const struct tx_frame *f,
		    enum drop reason, nanotime now)
{
	a->core->counters->tx_drop[reason]++;
	if (trace_on(a->core->trace)) {
		struct trace_event e = { .kind = TRACE_TX_DROP,
					 .layer = drop_info(reason)->layer,
					 .time = now,
					 .nif = nif,
					 .frame = f,
					 .drop = reason };
		a->core->trace->sink(a->core->trace->user, &e);
	}
	return false;
}

/* The link can't take a frame as it is; DROP_NONE where it can. */
static enum drop refusal(const struct netif *nif, const struct tx_frame *f)
{
	if (!nif->up)
		return DROP_LINK_DOWN;
	if (nif->blocked)
		return DROP_LINK_BUSY;
	/* The route moved to a link without segmentation after this was built. */
	if (f->seg_size && !(nif->features & LINK_GSO))
		return DROP_IP_TOO_BIG;
	return DROP_NONE;
}

/* Completes a transport checksum whose field holds the pseudo-header's sum. */
static void complete_checksum(const struct core *core, struct tx_frame *f)
{
	const struct checksum_ops *ops = core->checksum;
	size_t head = (size_t)(FRAME_AREA - f->checksum_start);
	uint64_t sum = ops->sum(f->area + f->checksum_start, head);
	size_t done = head;
	for (unsigned i = 0; i < f->spans; i++) {
		uint32_t part = ops->sum(f->body[i].at, f->body[i].len);
		sum += done & 1 ? checksum_odd(part) : part;
		done += f->body[i].len;
	}
	uint16_t field = checksum_finish(sum);
	/* Zero is "none" in UDP (RFC 768); in TCP and ICMP both zeroes are one number. */
	if (field == 0)
		field = 0xffff;
	memcpy(f->area + f->checksum_start + f->checksum_offset, &field, 2);
	f->checksum = CHECKSUM_VALID;
}

static void push_header(const struct netif *nif, const struct mac *to, struct tx_frame *f,
			uint16_t ethertype)
{
	uint8_t *at;
	if (__builtin_expect(nif->vlan != 0, 0)) {
		at = frame_push(f, ETH_HEADER + 4);
		store16(at + 12, ETHERTYPE_VLAN);
		store16(at + 14, nif->vlan);
		store16(at + 16, ethertype);
	} else {
		at = frame_push(f, ETH_HEADER);
		store16(at + 12, ethertype);
	}
	memcpy(at, to->b, 6);
	memcpy(at + 6, nif->mac.b, 6);
}

static void trace_sent(struct access *a, const struct netif *nif, const struct tx_frame *f,
		       nanotime now)
{
	struct trace_event e = {
		.kind = TRACE_TX, .layer = LAYER_ACCESS, .time = now, .nif = nif, .frame = f
	};
	a->core->trace->sink(a->core->trace->user, &e);
}

static bool link_send(struct access *a, struct netif *nif, const struct mac *to, struct tx_frame *f,
		      uint16_t ethertype, nanotime now)
{
	enum drop reason = refusal(nif, f);
	if (__builtin_expect(reason != DROP_NONE, 0))
		return access_tx_drop(a, nif, f, reason, now);
	if (f->checksum == CHECKSUM_PARTIAL && !(nif->features & LINK_CHECKSUM))
		complete_checksum(a->core, f);
	push_header(nif, to, f, ethertype);
	if (!nif->ops->transmit(nif->link, nif, f, now))
		return access_tx_drop(a, nif, f, DROP_LINK_BUSY, now);

	size_t len = frame_len(f);
	struct counters *c = a->core->counters;
	nif->tx_frames++;
	nif->tx_bytes += len;
	c->tx_frames++;
	c->tx_bytes += len;
	c->tx_segments += f->seg_count;
	c->sent_why[f->why]++;
	if (trace_on(a->core->trace))
		trace_sent(a, nif, f, now);
	return true;
}

/* The neighbour is not plainly reachable. */
static bool send_unsure(struct access *a, uint32_t neighbour, struct tx_frame *f,
			uint16_t ethertype, bool copy_if_waiting, nanotime now)
{
	struct neighbour *n = neighbour_at(a, neighbour);
	struct netif *nif = &a->netif[n->nif];
	switch (neighbour_ready(a, neighbour, now)) {
	case NEIGHBOUR_SEND: return link_send(a, nif, &n->mac, f, ethertype, now);
	case NEIGHBOUR_WAIT:
		if (copy_if_waiting)
			return pending_keep(a, n, f, ethertype, now);
		return access_tx_drop(a, nif, f, DROP_NEIGHBOUR_UNRESOLVED, now);
	case NEIGHBOUR_DEAD: return access_tx_drop(a, nif, f, DROP_NEIGHBOUR_FAILED, now);
	default: return access_tx_drop(a, nif, f, DROP_NEIGHBOUR_TABLE_FULL, now);
	}
}

bool access_send(struct access *a, uint32_t neighbour, struct tx_frame *f, uint16_t ethertype,
		 bool copy_if_waiting, nanotime now)
{
	struct neighbour *n = neighbour_at(a, neighbour);
	if (__builtin_expect(
		    n->state != NEIGHBOUR_REACHABLE && n->state != NEIGHBOUR_STATIC, 0))
		return send_unsure(a, neighbour, f, ethertype, copy_if_waiting, now);
	n->used = now;
	return link_send(a, &a->netif[n->nif], &n->mac, f, ethertype, now);
}

bool access_send_group(struct access *a, struct netif *nif, const struct addr *group,
		       struct tx_frame *f, uint16_t ethertype, nanotime now)
{
	struct mac to = MAC_BROADCAST;
	if (addr_is_multicast(group))
		to = multicast_mac(group);
	return link_send(a, nif, &to, f, ethertype, now);
}

bool access_send_mac(struct access *a, struct netif *nif, const struct mac *to, struct tx_frame *f,
		     uint16_t ethertype, nanotime now)
{
	return link_send(a, nif, to, f, ethertype, now);
}
