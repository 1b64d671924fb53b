/*
 * Ethernet in and out.
 *
 * In: the destination decides first (ours, broadcast, or a group that was
 * joined; the card may be promiscuous), then the source, which is never a group
 * (IEEE 802.3 3.2.3), then the VLAN, then the type. An untagged interface takes
 * priority-tagged frames (VLAN id 0) too; one with a VLAN takes its own only.
 * Padding is left: the packet's own length cuts it off later.
 *
 * A bare link (LINK_BARE) has no header at all: the packet's first four bits say
 * what it is, and it goes to the one other end.
 *
 * Out: the header is pushed, what the link can't do itself (checksums) is done,
 * the link takes the frame or it is lost, and either is counted and traced.
 */
#include "access/access_private.h"
#include "wire/nd.h"

/* Kept out of the straight lines, which then save fewer registers. */
#define OFF_LINE __attribute__((noinline, cold))

static bool is_for_us(const struct netif *nif, const struct mac *to, struct rx *rx)
{
	static const struct mac broadcast = MAC_BROADCAST;
	if (mac_equal(to, &nif->mac))
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

/* No header: the version says what it is (RFC 791 3.1, RFC 8200 3). */
static enum proto receive_bare(struct rx *rx)
{
	if (!rx->head.len)
		return rx_drop(rx, DROP_IP4_SHORT);
	static const struct mac nobody;
	rx->source_mac = nobody;
	switch (rx->head.at[0] >> 4) {
	case 4: return PROTO_IP4;
	case 6: return PROTO_IP6;
	default: return rx_drop(rx, DROP_IP4_VERSION);
	}
}

/* The long way: any frame. */
OFF_LINE static enum proto receive_any(struct access *a, struct rx *rx)
{
	const struct netif *nif = rx->nif;
	if (!nif->up)
		return rx_drop(rx, DROP_LINK_DOWN);
	if (nif->framing == FRAMING_BARE)
		return receive_bare(rx);
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
	switch (h.type) {
	case ETHERTYPE_IP4: return PROTO_IP4;
	case ETHERTYPE_IP6: return PROTO_IP6;
	case ETHERTYPE_ARP: return arp_receive(a, rx);
	default: return rx_drop(rx, h.type == 0 ? DROP_LLC_TYPE : DROP_ETH_TYPE);
	}
}

/*
 * The straight line of nearly every frame: untagged Ethernet II from a host to us, with IP in it.
 * It decides nothing that receive_any would not decide alike.
 */
enum proto access_receive(struct access *a, struct rx *rx)
{
	struct netif *nif = rx->nif;
	const uint8_t *at = rx->head.at;
	nif->rx_frames++;
	nif->rx_bytes += rx->frame->len;
	if (__builtin_expect(rx->head.len < ETH_HEADER || !nif->up || nif->framing, 0))
		return receive_any(a, rx);
	uint16_t type = load16(at + 12);
	if (__builtin_expect(type != ETHERTYPE_IP4 && type != ETHERTYPE_IP6, 0) ||
		__builtin_expect(memcmp(at, nif->mac.b, 6) != 0 || (at[6] & 1), 0))
		return receive_any(a, rx);
	memcpy(rx->source_mac.b, at + 6, 6);
	rx_strip(rx, ETH_HEADER);
	return type == ETHERTYPE_IP4 ? PROTO_IP4 : PROTO_IP6;
}

OFF_LINE bool access_tx_drop(struct access *a, const struct netif *nif, const struct tx_frame *f,
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

/* What the link can't do is done for it, or the frame is refused. */
OFF_LINE static enum drop adapt(
	const struct core *core, const struct netif *nif, struct tx_frame *f)
{
	/* The route moved to a link without segmentation after this was built. */
	if (f->seg_size && !(nif->features & LINK_GSO))
		return DROP_IP_TOO_BIG;
	if (f->checksum == CHECKSUM_PARTIAL && !(nif->features & LINK_CHECKSUM))
		complete_checksum(core, f);
	return DROP_NONE;
}

static inline void push_header(
	const struct netif *nif, const struct mac *to, struct tx_frame *f, uint16_t ethertype)
{
	uint8_t *at;
	if (__builtin_expect(nif->framing != FRAMING_ETHERNET, 0)) {
		if (nif->framing == FRAMING_BARE)
			return;
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

OFF_LINE static void trace_sent(
	struct access *a, const struct netif *nif, const struct tx_frame *f, nanotime now)
{
	struct trace_event e = {
		.kind = TRACE_TX, .layer = LAYER_ACCESS, .time = now, .nif = nif, .frame = f
	};
	a->core->trace->sink(a->core->trace->user, &e);
}

/* Inline: in access_send it stands on the way of every segment. */
static inline __attribute__((always_inline)) bool link_send(struct access *a, struct netif *nif,
	const struct mac *to, struct tx_frame *f, uint16_t ethertype, nanotime now)
{
	if (__builtin_expect(!nif->up || nif->blocked, 0))
		return access_tx_drop(a, nif, f, nif->up ? DROP_LINK_BUSY : DROP_LINK_DOWN, now);
	if (f->seg_size || f->checksum == CHECKSUM_PARTIAL) {
		enum drop reason = adapt(a->core, nif, f);
		if (reason != DROP_NONE)
			return access_tx_drop(a, nif, f, reason, now);
	}
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

bool access_send_mac(struct access *a, struct netif *nif, const struct mac *to, struct tx_frame *f,
	uint16_t ethertype, nanotime now)
{
	return link_send(a, nif, to, f, ethertype, now);
}

/* The neighbour is not plainly reachable. */
OFF_LINE static bool send_unsure(struct access *a, uint32_t neighbour, struct tx_frame *f,
	uint16_t ethertype, bool copy_if_waiting, nanotime now)
{
	struct neighbour *n = neighbour_at(a, neighbour);
	struct netif *nif = &a->netif[n->nif];
	switch (neighbour_ready(a, neighbour, now)) {
	case NEIGHBOUR_SEND: return access_send_mac(a, nif, &n->mac, f, ethertype, now);
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
	if (__builtin_expect(n->state != NEIGHBOUR_REACHABLE && n->state != NEIGHBOUR_STATIC, 0))
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
	return access_send_mac(a, nif, &to, f, ethertype, now);
}
