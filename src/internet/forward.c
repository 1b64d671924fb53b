/*
 * Forwarding (RFC 1812 5, RFC 8200 3): what is not for us goes on by the longest
 * prefix, with its hop limit counted down. Packets are copied into a bounded
 * queue for each interface and sent by the next transmit, so that nothing is sent
 * inside receive, and a full link holds up nobody but its own queue.
 *
 * Never forwarded: what has a link-local or impossible address at either end,
 * groups, and what the link itself sent to many.
 *
 * Half of the cache's unresolved entries are left to our own traffic: a scan of
 * a net behind us by others can't stop us from resolving (RFC 6583).
 */
#include "internet/internet_private.h"

static struct forward *forward_of(struct list *l)
{
	return list_entry(l, struct forward, link);
}

/* RFC 1812 5.3.4, 5.3.5, 5.3.7; RFC 4291 2.5.2, 2.5.3, 2.5.6; RFC 2644 */
static bool is_forwardable(const struct internet *in, const struct rx *rx)
{
	const struct addr *from = &rx->source, *to = &rx->destination;
	return !rx->link_group && !addr_is_any(from) && !addr_is_linklocal(from) &&
		!addr_is_linklocal(to) && !addr_is_any(to) && !addr_is_loopback(to) &&
		!internet_is_group(in, to) && !(addr_is4(to) && to->b[12] >= 240) &&
		!(addr_is4(to) && to->b[12] == 0);
}

/* A TCP or UDP checksum that was never completed: where it stands. False: can't be told. */
static bool find_partial(const struct rx *rx, struct forward *fw)
{
	size_t at = rx->ip_header_len;
	uint8_t protocol = rx->protocol;
	if (!addr_is4(&rx->source)) {
		struct ip6_chain c;
		if (ip6_walk(span_after(rx->packet, IP6_HEADER), protocol, &c) != DROP_NONE)
			return false;
		at += c.len;
		protocol = c.protocol;
	}
	if (protocol != IPPROTO_TCP_ && protocol != IPPROTO_UDP_)
		return false;
	fw->checksum = CHECKSUM_PARTIAL;
	fw->checksum_start = (uint16_t)at;
	fw->checksum_offset = protocol == IPPROTO_TCP_ ? 16 : 6;
	/* The field lies in the packet, and in what becomes the header area. */
	return at + 18 <= rx->packet.len && at + 18 <= FRAME_AREA / 2;
}

/* RFC 1624 eqn. 3: the TTL's word went down by 0x0100. */
static void count_down(uint8_t *packet, bool v6)
{
	if (v6) {
		packet[7]--;
		return;
	}
	uint16_t old = load16(packet + 8);
	packet[8]--;
	uint32_t sum = (uint16_t)~load16(packet + 10) + (uint32_t)(uint16_t)~old +
		load16(packet + 8);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	store16(packet + 10, (uint16_t)~sum);
}

static enum proto enqueue(struct internet *in, struct rx *rx, const struct route *r)
{
	/* Super-frames exist within a machine only; nobody forwards between its ends. */
	if (rx->packet_len > FORWARD_BYTES || rx->frame->seg_size)
		return rx_drop(rx, DROP_IP_FORWARD_SIZE);
	struct forward *fw = pool_take(&in->forward_pool);
	if (!fw)
		return rx_drop(rx, DROP_IP_FORWARD_FULL);
	fw->checksum = CHECKSUM_VALID;
	if (rx->checksum == CHECKSUM_PARTIAL && !find_partial(rx, fw)) {
		pool_give(&in->forward_pool, fw);
		return rx_drop(rx, DROP_IP_NOT_FORWARDABLE);
	}
	list_init(&fw->link);
	fw->next_hop = r->on_link ? rx->destination : r->gateway;
	fw->len = (uint16_t)rx_copy(rx, fw->bytes, rx->packet_len);
	count_down(fw->bytes, !addr_is4(&rx->source));
	list_push_back(&in->forwards[r->nif], &fw->link);
	in->core->queued = true;
	return rx_fate(rx, FATE_FORWARDED);
}

enum proto forward_receive(struct internet *in, struct rx *rx)
{
	if (!is_forwardable(in, rx))
		return rx_drop(rx, DROP_IP_NOT_FORWARDABLE);
	if (rx->hop_limit <= 1) {
		internet_reject(in, rx, REJECT_HOP_LIMIT, 0);
		return rx_drop(rx, DROP_IP_HOP_LIMIT);
	}
	const struct route *r = route_find(&in->routes, &rx->destination);
	if (!r || !in->access->netif[r->nif].up) {
		internet_reject(in, rx, REJECT_NO_ROUTE, 0);
		return rx_drop(rx, DROP_IP_NO_ROUTE);
	}
	uint16_t mtu = in->access->netif[r->nif].mtu;
	if (r->mtu && r->mtu < mtu)
		mtu = r->mtu;
	/*
	 * Routers fragment IPv4 packets that allow it (RFC 1812 5.2.6); until this one does, it
	 * says what it could pass. IPv6 routers never fragment (RFC 8200 4.5).
	 */
	if (rx->packet_len > mtu) {
		internet_reject(in, rx, REJECT_TOO_BIG, mtu);
		return rx_drop(rx, DROP_IP_TOO_BIG);
	}
	return enqueue(in, rx, r);
}

/* The headers go to the frame's own area, for links that look at them there. */
static struct tx_frame *build(struct internet *in, const struct forward *fw)
{
	struct tx_frame *f = in->core->frame;
	size_t head = fw->len < FRAME_AREA / 2 ? fw->len : FRAME_AREA / 2;
	frame_begin(f, WHY_FORWARD);
	memcpy(frame_push(f, head), fw->bytes, head);
	if (fw->len > head)
		frame_body(f, span_of(fw->bytes + head, fw->len - head));
	f->checksum = fw->checksum;
	if (fw->checksum == CHECKSUM_PARTIAL) {
		f->checksum_start = (uint16_t)(f->head + fw->checksum_start);
		f->checksum_offset = fw->checksum_offset;
	}
	return f;
}

static void send(struct internet *in, struct netif *nif, const struct forward *fw, nanotime now)
{
	struct access *a = in->access;
	uint32_t index = NEIGHBOUR_NO_INDEX;
	if (a->incomplete < (a->config.incomplete_max + 1) / 2 ||
		neighbour_find(a, nif, &fw->next_hop))
		index = neighbour_lookup(a, nif, &fw->next_hop, now);
	if (index == NEIGHBOUR_NO_INDEX) {
		in->core->counters->tx_drop[DROP_NEIGHBOUR_TABLE_FULL]++;
		return;
	}
	if (__builtin_expect(fw->len > nif->mtu, 0)) { /* it shrank while this one waited */
		in->core->counters->tx_drop[DROP_IP_TOO_BIG]++;
		return;
	}
	uint16_t type = fw->bytes[0] >> 4 == 4 ? ETHERTYPE_IP4 : ETHERTYPE_IP6;
	access_send(a, index, build(in, fw), type, true, now);
}

unsigned forward_transmit(struct internet *in, unsigned budget, nanotime now)
{
	unsigned sent = 0;
	for (unsigned i = 0; i < in->access->netifs; i++) {
		struct netif *nif = &in->access->netif[i];
		while (sent < budget && !nif->blocked && !list_empty(&in->forwards[i])) {
			struct forward *fw = forward_of(list_pop_front(&in->forwards[i]));
			send(in, nif, fw, now);
			pool_give(&in->forward_pool, fw);
			sent++;
		}
	}
	return sent;
}

bool forward_has_work(const struct internet *in)
{
	for (unsigned i = 0; i < in->access->netifs; i++)
		if (!in->access->netif[i].blocked && !list_empty(&in->forwards[i]))
			return true;
	return false;
}
