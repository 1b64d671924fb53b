/*
 * Every drop reason of layers 1 and 2, produced at least once: each row sends a
 * machine what makes it drop for one reason, and the counter of that reason goes
 * up. A reason without a row fails the test, and so does a row whose reason no
 * longer comes.
 */
#include "unit/internet/fake_net.h"

static uint8_t body[2000];

static void put4(struct net *n, const char *source, const char *destination, uint8_t protocol)
{
	struct packet_head h = { source, destination, protocol, 0, NULL, 0, 0 };
	net_put(n, n->nif, packet_of(h, body, 64));
}

static void put_raw(struct net *n, uint16_t type, const void *at, size_t len)
{
	uint8_t frame[200];
	if (len)
		memcpy(frame + ETH_HEADER, at, len);
	fake_receive(
		n->f, n->nif, frame, fake_ethernet(frame, &n->nif->mac, &FAKE_PEER, type, len));
}

/* A changed byte of a good IPv4 packet, its header's sum made right again. */
static void put_changed4(struct net *n, size_t at, uint8_t value)
{
	struct packet_head h = { "192.0.2.7", "192.0.2.1", IPPROTO_UDP_, 0, NULL, 0, 0 };
	struct packet p = packet_of(h, body, 64);
	uint8_t *ip = p.frame + ETH_HEADER;
	ip[at] = value;
	memset(ip + 10, 0, 2);
	size_t len = (ip[0] & 15u) * 4;
	uint16_t field = checksum_finish(checksum_header(ip, len < 20 ? 20 : len));
	memcpy(ip + 10, &field, 2);
	net_put(n, n->nif, p);
}

static void put_changed6(struct net *n, size_t at, uint8_t value)
{
	struct packet_head h = { "2001:db8::7", "2001:db8::1", IPPROTO_UDP_, 0, NULL, 0, 0 };
	struct packet p = packet_of(h, body, 64);
	p.frame[ETH_HEADER + at] = value;
	net_put(n, n->nif, p);
}

static void put_chain(struct net *n, uint8_t first, const uint8_t *chain, size_t len)
{
	struct packet_head h = { "2001:db8::7", "2001:db8::1", first, 0, chain, len, 0 };
	net_put(n, n->nif, packet_of(h, body, 64));
}

static void put_option4(struct net *n, uint8_t kind, uint8_t len)
{
	uint8_t option[8] = { kind, len, 4 };
	struct packet_head h = { "192.0.2.7", "192.0.2.1", IPPROTO_UDP_, 0, option, 8, 0 };
	net_put(n, n->nif, packet_of(h, body, 64));
}

static void put_icmp4(struct net *n, const char *destination, uint8_t type, uint8_t code,
	uint32_t rest, size_t len)
{
	struct packet_head h = { "192.0.2.7", destination, 0, 0, NULL, 0, 0 };
	net_put(n, n->nif, icmp_of(h, type, code, rest, body, len));
}

static void put_advert(struct net *n, const char *target, uint8_t hop_limit, bool solicited)
{
	struct nd_message m = { .type = ICMP6_NEIGHBOUR_ADVERT,
		.target = fake_addr(target),
		.solicited = solicited,
		.has_target_mac = true,
		.target_mac = FAKE_PEER };
	struct packet_head h = { "2001:db8::7", solicited ? "ff02::1" : "2001:db8::1", 0, hop_limit,
		NULL, 0, 0 };
	net_put(n, n->nif, nd_of(h, &m));
}

static void arp(struct net *n, uint16_t operation, const struct mac *from, const char *sender,
	const char *target)
{
	fake_receive_arp(n->f, n->nif,
		(struct fake_arp){
			.operation = operation, .from = from, .sender = sender, .target = target });
}

static bool send_to(struct net *n, const char *destination, size_t len, bool wait)
{
	struct addr us = fake_addr("192.0.2.1"), to = fake_addr(destination);
	struct path p = { .generation = 0 };
	struct ip_send s = {
		.source = &us, .destination = &to, .protocol = IPPROTO_UDP_, .copy_if_waiting = wait
	};
	return internet_send(&n->in, &p, fake_packet(n->f, len, 1), &s, n->f->now);
}

static void eth_short(struct net *n)
{
	fake_receive(n->f, n->nif, body, 13);
}

static void eth_length(struct net *n)
{
	put_raw(n, 100, body, 46);
}

static void eth_undefined(struct net *n)
{
	put_raw(n, 1501, body, 46);
}

static void eth_not_ours(struct net *n)
{
	fake_receive(n->f, n->nif, body,
		fake_ethernet(body, &FAKE_OTHER, &FAKE_PEER, ETHERTYPE_IP4, 46));
}

static void eth_source(struct net *n)
{
	struct mac group = MAC_BROADCAST;
	uint8_t frame[60] = { 0 };
	fake_receive(
		n->f, n->nif, frame, fake_ethernet(frame, &n->nif->mac, &group, ETHERTYPE_IP4, 46));
}

static void eth_type(struct net *n)
{
	put_raw(n, 0x88cc, body, 46);
}

static void vlan_short(struct net *n)
{
	put_raw(n, ETHERTYPE_VLAN, body, 3);
}

static void vlan_not_ours(struct net *n)
{
	static const uint8_t tag[46] = { 0, 7, 8, 0 };
	put_raw(n, ETHERTYPE_VLAN, tag, sizeof tag);
}

static void llc_short(struct net *n)
{
	put_raw(n, 2, body, 46);
}

static void llc_type(struct net *n)
{
	static const uint8_t llc[46] = { 0x42, 0x42, 3 };
	put_raw(n, 40, llc, sizeof llc);
}

static void arp_short(struct net *n)
{
	static const uint8_t head[8] = { 0, 1, 8, 0, 6, 4, 0, 1 };
	put_raw(n, ETHERTYPE_ARP, head, sizeof head);
}

static void arp_kind(struct net *n)
{
	static const uint8_t ieee802[28] = { 0, 6, 8, 0, 6, 4, 0, 1 };
	put_raw(n, ETHERTYPE_ARP, ieee802, sizeof ieee802);
}

static void arp_operation(struct net *n)
{
	arp(n, 8, NULL, "192.0.2.7", "192.0.2.1");
}

static void arp_sender(struct net *n)
{
	arp(n, ARP_REQUEST, NULL, "127.0.0.1", "192.0.2.1");
}

static void arp_not_ours(struct net *n)
{
	arp(n, ARP_REQUEST, NULL, "192.0.2.7", "192.0.2.8");
}

static void arp_unasked(struct net *n)
{
	arp(n, ARP_REPLY, NULL, "192.0.2.7", "192.0.2.1");
}

static void address_conflict(struct net *n)
{
	arp(n, ARP_REPLY, &FAKE_OTHER, "192.0.2.1", "192.0.2.1");
}

static void neighbour_unresolved(struct net *n)
{
	send_to(n, "192.0.2.7", 100, false);
}

static void neighbour_pending_size(struct net *n)
{
	n->nif->mtu = 9000;
	send_to(n, "192.0.2.7", 2000, true);
}

static void neighbour_pending_full(struct net *n)
{
	for (unsigned i = 0; i < 5; i++)
		send_to(n, "192.0.2.7", 100, true);
}

static void neighbour_table_full(struct net *n)
{
	for (unsigned i = 100; i < 250; i++) {
		char text[] = "192.0.2.000";
		text[8] = (char)('0' + i / 100);
		text[9] = (char)('0' + i / 10 % 10);
		text[10] = (char)('0' + i % 10);
		send_to(n, text, 100, true);
	}
}

static void neighbour_failed(struct net *n)
{
	send_to(n, "192.0.2.7", 100, true);
	fake_run(n->f, n->f->now + 3 * NANO_S);
}

static void link_busy(struct net *n)
{
	net_know(n, n->nif, "192.0.2.7");
	n->f->refuse = true;
	send_to(n, "192.0.2.7", 100, true);
}

static void link_down(struct net *n)
{
	n->nif->up = false;
	put4(n, "192.0.2.7", "192.0.2.1", IPPROTO_UDP_);
}

static void ip4_short(struct net *n)
{
	put_raw(n, ETHERTYPE_IP4, body, 19);
}

static void ip4_version(struct net *n)
{
	put_changed4(n, 0, 0x65);
}

static void ip4_header_length(struct net *n)
{
	put_changed4(n, 0, 0x44);
}

static void ip4_total_length(struct net *n)
{
	put_changed4(n, 3, 85);
}

static void ip4_checksum(struct net *n)
{
	struct packet_head h = { "192.0.2.7", "192.0.2.1", IPPROTO_UDP_, 0, NULL, 0, 0 };
	struct packet p = packet_of(h, body, 64);
	p.frame[ETH_HEADER + 8] ^= 1;
	net_put(n, n->nif, p);
}

static void ip4_option(struct net *n)
{
	put_option4(n, 7, 1);
}

static void ip4_source_route(struct net *n)
{
	put_option4(n, 131, 7);
}

static void ip6_short(struct net *n)
{
	put_raw(n, ETHERTYPE_IP6, body, 39);
}

static void ip6_version(struct net *n)
{
	put_changed6(n, 0, 0x40);
}

static void ip6_payload_length(struct net *n)
{
	put_changed6(n, 5, 65);
}

static void ip6_empty(struct net *n)
{
	put_changed6(n, 5, 0);
}

static void ip6_extension(struct net *n)
{
	static const uint8_t chain[8] = { IPPROTO_UDP_, 200, 1, 4, 0, 0, 0, 0 };
	put_chain(n, IP6_DESTINATION, chain, sizeof chain);
}

static void ip6_extension_order(struct net *n)
{
	static const uint8_t chain[16] = { IP6_HOP_BY_HOP, 0, 1, 4, 0, 0, 0, 0, IPPROTO_UDP_, 0, 1,
		4, 0, 0, 0, 0 };
	put_chain(n, IP6_DESTINATION, chain, sizeof chain);
}

static void ip6_extension_count(struct net *n)
{
	static const uint8_t chain[16] = { IPPROTO_UDP_, 1, 1, 12 };
	put_chain(n, IP6_DESTINATION, chain, sizeof chain);
}

static void ip6_option(struct net *n)
{
	static const uint8_t chain[8] = { IPPROTO_UDP_, 0, 0x5e, 4, 0, 0, 0, 0 };
	put_chain(n, IP6_DESTINATION, chain, sizeof chain);
}

static void ip6_routing(struct net *n)
{
	static const uint8_t chain[24] = { IPPROTO_UDP_, 2, 0, 1 };
	put_chain(n, IP6_ROUTING, chain, sizeof chain);
}

static void ip6_no_next(struct net *n)
{
	put_chain(n, IP6_NO_NEXT, NULL, 0);
}

static void ip_source(struct net *n)
{
	put4(n, "127.0.0.1", "192.0.2.1", IPPROTO_UDP_);
}

static void ip_destination(struct net *n)
{
	put4(n, "192.0.2.7", "192.0.2.8", IPPROTO_UDP_);
}

static void ip_group(struct net *n)
{
	put4(n, "192.0.2.7", "224.0.0.99", IPPROTO_UDP_);
}

static void ip_link_group(struct net *n)
{
	struct mac broadcast = MAC_BROADCAST;
	struct packet_head h = { "192.0.2.7", "192.0.2.1", IPPROTO_UDP_, 0, NULL, 0, 0 };
	struct packet p = packet_of(h, body, 64);
	net_put_to(n, n->nif, &p, &broadcast);
}

static void ip_protocol(struct net *n)
{
	put4(n, "192.0.2.7", "192.0.2.1", 99);
}

static void ip_fragment(struct net *n)
{
	put_changed4(n, 6, 0x20);
}

static void ip_hop_limit(struct net *n)
{
	struct packet_head h = { "192.0.2.7", "198.51.100.7", IPPROTO_UDP_, 1, NULL, 0, 0 };
	net_put(n, n->nif, packet_of(h, body, 64));
}

static void ip_no_route(struct net *n)
{
	put4(n, "192.0.2.7", "8.8.8.8", IPPROTO_UDP_);
}

static void ip_too_big(struct net *n)
{
	n->outer->mtu = 600;
	struct packet_head h = { "192.0.2.7", "198.51.100.7", IPPROTO_UDP_, 0, NULL, 0, 0 };
	net_put(n, n->nif, packet_of(h, body, 700));
}

static void ip_not_forwardable(struct net *n)
{
	put4(n, "192.0.2.7", "169.254.0.1", IPPROTO_UDP_);
}

static void ip_forward_full(struct net *n)
{
	for (unsigned i = 0; i < 257; i++)
		put4(n, "192.0.2.7", "198.51.100.7", IPPROTO_UDP_);
}

static void ip_forward_size(struct net *n)
{
	struct packet_head h = { "192.0.2.7", "198.51.100.7", IPPROTO_UDP_, 0, NULL, 0, 0 };
	struct packet p = packet_of(h, body, 100);
	size_t len = fake_ethernet(p.frame, &n->nif->mac, &FAKE_PEER, ETHERTYPE_IP4, p.len);
	struct rx_frame frame = rx_frame_of(p.frame, len);
	frame.seg_size = 50;
	frame.seg_count = 2;
	fake_receive_frame(n->f, n->nif, &frame);
}

static void icmp_short(struct net *n)
{
	struct packet_head h = { "192.0.2.7", "192.0.2.1", IPPROTO_ICMP4, 0, NULL, 0, 0 };
	net_put(n, n->nif, packet_of(h, body, 7));
}

static void icmp_checksum(struct net *n)
{
	struct packet_head h = { "192.0.2.7", "192.0.2.1", 0, 0, NULL, 0, 0 };
	struct packet p = icmp_of(h, ICMP4_ECHO, 0, 1, body, 20);
	p.frame[50] ^= 1;
	net_put(n, n->nif, p);
}

static void icmp_type(struct net *n)
{
	put_icmp4(n, "192.0.2.1", ICMP4_TIMESTAMP, 0, 0, 12);
}

static void icmp_echo_broadcast(struct net *n)
{
	put_icmp4(n, "192.0.2.255", ICMP4_ECHO, 0, 1, 20);
}

static void icmp_echo_size(struct net *n)
{
	n->nif->mtu = 9000;
	put_icmp4(n, "192.0.2.1", ICMP4_ECHO, 0, 1, 1501);
}

static void icmp_quote(struct net *n)
{
	put_icmp4(n, "192.0.2.1", ICMP4_UNREACHABLE, 3, 0, 10);
}

static void icmp_mtu(struct net *n)
{
	uint8_t quoted[28] = { 0x45, 0, 0, 60, 0, 0, 0x40, 0, 64, IPPROTO_TCP_, 0, 0, 192, 0, 2, 1,
		203, 0, 113, 5 };
	struct packet_head h = { "192.0.2.7", "192.0.2.1", 0, 0, NULL, 0, 0 };
	net_put(n, n->nif, icmp_of(h, ICMP4_UNREACHABLE, 4, 67, quoted, sizeof quoted));
}

static void icmp_rate(struct net *n)
{
	for (unsigned i = 0; i < 60; i++) {
		put4(n, "192.0.2.7", "192.0.2.1", 99);
		fake_flush(n->f);
	}
}

static void icmp_redirect(struct net *n)
{
	put_icmp4(n, "192.0.2.1", ICMP4_REDIRECT, 1, 0, 40);
}

static void nd_hop_limit(struct net *n)
{
	put_advert(n, "2001:db8::7", 254, false);
}

static void nd_format(struct net *n)
{
	put_advert(n, "2001:db8::7", 255, true);
}

static void nd_target(struct net *n)
{
	struct nd_message m = { .type = ICMP6_NEIGHBOUR_SOLICIT,
		.target = fake_addr("2001:db8::99") };
	struct packet_head h = { "2001:db8::7", "2001:db8::1", 0, 0, NULL, 0, 0 };
	net_put(n, n->nif, nd_of(h, &m));
}

static void nd_unsolicited(struct net *n)
{
	put_advert(n, "2001:db8::7", 255, false);
}

static void intent_full(struct net *n)
{
	for (unsigned i = 0; i < 65; i++)
		put_icmp4(n, "192.0.2.1", ICMP4_ECHO, 0, 1, 20);
}

static const struct {
	enum drop reason;
	void (*make)(struct net *n);
	bool router;
} row[] = {
	{ DROP_ETH_SHORT, eth_short, false },
	{ DROP_ETH_LENGTH, eth_length, false },
	{ DROP_ETH_UNDEFINED, eth_undefined, false },
	{ DROP_ETH_NOT_OURS, eth_not_ours, false },
	{ DROP_ETH_SOURCE, eth_source, false },
	{ DROP_ETH_TYPE, eth_type, false },
	{ DROP_VLAN_SHORT, vlan_short, false },
	{ DROP_VLAN_NOT_OURS, vlan_not_ours, false },
	{ DROP_LLC_SHORT, llc_short, false },
	{ DROP_LLC_TYPE, llc_type, false },
	{ DROP_ARP_SHORT, arp_short, false },
	{ DROP_ARP_KIND, arp_kind, false },
	{ DROP_ARP_OPERATION, arp_operation, false },
	{ DROP_ARP_SENDER, arp_sender, false },
	{ DROP_ARP_NOT_OURS, arp_not_ours, false },
	{ DROP_ARP_UNASKED, arp_unasked, false },
	{ DROP_ADDRESS_CONFLICT, address_conflict, false },
	{ DROP_NEIGHBOUR_UNRESOLVED, neighbour_unresolved, false },
	{ DROP_NEIGHBOUR_PENDING_SIZE, neighbour_pending_size, false },
	{ DROP_NEIGHBOUR_PENDING_FULL, neighbour_pending_full, false },
	{ DROP_NEIGHBOUR_TABLE_FULL, neighbour_table_full, false },
	{ DROP_NEIGHBOUR_FAILED, neighbour_failed, false },
	{ DROP_LINK_BUSY, link_busy, false },
	{ DROP_LINK_DOWN, link_down, false },
	{ DROP_IP4_SHORT, ip4_short, false },
	{ DROP_IP4_VERSION, ip4_version, false },
	{ DROP_IP4_HEADER_LENGTH, ip4_header_length, false },
	{ DROP_IP4_TOTAL_LENGTH, ip4_total_length, false },
	{ DROP_IP4_CHECKSUM, ip4_checksum, false },
	{ DROP_IP4_OPTION, ip4_option, false },
	{ DROP_IP4_SOURCE_ROUTE, ip4_source_route, false },
	{ DROP_IP6_SHORT, ip6_short, false },
	{ DROP_IP6_VERSION, ip6_version, false },
	{ DROP_IP6_PAYLOAD_LENGTH, ip6_payload_length, false },
	{ DROP_IP6_EMPTY, ip6_empty, false },
	{ DROP_IP6_EXTENSION, ip6_extension, false },
	{ DROP_IP6_EXTENSION_ORDER, ip6_extension_order, false },
	{ DROP_IP6_EXTENSION_COUNT, ip6_extension_count, false },
	{ DROP_IP6_OPTION, ip6_option, false },
	{ DROP_IP6_ROUTING, ip6_routing, false },
	{ DROP_IP6_NO_NEXT, ip6_no_next, false },
	{ DROP_IP_SOURCE, ip_source, false },
	{ DROP_IP_DESTINATION, ip_destination, false },
	{ DROP_IP_GROUP, ip_group, false },
	{ DROP_IP_LINK_GROUP, ip_link_group, false },
	{ DROP_IP_PROTOCOL, ip_protocol, false },
	{ DROP_IP_FRAGMENT, ip_fragment, false },
	{ DROP_IP_HOP_LIMIT, ip_hop_limit, true },
	{ DROP_IP_NO_ROUTE, ip_no_route, true },
	{ DROP_IP_TOO_BIG, ip_too_big, true },
	{ DROP_IP_NOT_FORWARDABLE, ip_not_forwardable, true },
	{ DROP_IP_FORWARD_FULL, ip_forward_full, true },
	{ DROP_IP_FORWARD_SIZE, ip_forward_size, true },
	{ DROP_ICMP_SHORT, icmp_short, false },
	{ DROP_ICMP_CHECKSUM, icmp_checksum, false },
	{ DROP_ICMP_TYPE, icmp_type, false },
	{ DROP_ICMP_ECHO_BROADCAST, icmp_echo_broadcast, false },
	{ DROP_ICMP_ECHO_SIZE, icmp_echo_size, false },
	{ DROP_ICMP_QUOTE, icmp_quote, false },
	{ DROP_ICMP_MTU, icmp_mtu, false },
	{ DROP_ICMP_RATE, icmp_rate, false },
	{ DROP_ICMP_REDIRECT, icmp_redirect, false },
	{ DROP_ND_HOP_LIMIT, nd_hop_limit, false },
	{ DROP_ND_FORMAT, nd_format, false },
	{ DROP_ND_TARGET, nd_target, false },
	{ DROP_ND_UNSOLICITED, nd_unsolicited, false },
	{ DROP_INTENT_FULL, intent_full, false },
};
#define ROWS (sizeof row / sizeof *row)

static void every_row_gives_its_reason(void **unused)
{
	(void)unused;
	for (unsigned i = 0; i < ROWS; i++) {
		struct net *n = row[i].router ? net_open_router() : net_open(NULL, NULL);
		row[i].make(n);
		const struct counters *c = &n->f->counters;
		uint64_t count = c->drop[row[i].reason] + c->tx_drop[row[i].reason];
		if (count == 0)
			fail_msg("%s did not come", drop_info(row[i].reason)->name);
		/* And nothing else came with it. */
		uint64_t others = 0;
		for (unsigned r = 0; r < DROP_COUNT; r++)
			others += r == row[i].reason ? 0 : c->drop[r];
		if (others && row[i].reason != DROP_ICMP_RATE)
			fail_msg("%s did not come alone", drop_info(row[i].reason)->name);
		net_close(n);
	}
}

static void every_reason_has_a_row(void **unused)
{
	(void)unused;
	for (unsigned r = DROP_NONE + 1; r < DROP_COUNT; r++) {
		const struct drop_info *info = drop_info(r);
		if (info->layer != LAYER_ACCESS && info->layer != LAYER_INTERNET)
			continue;
		bool found = false;
		for (unsigned i = 0; i < ROWS; i++)
			found |= row[i].reason == r;
		if (!found)
			fail_msg("%s has no row", info->name);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row_gives_its_reason),
		cmocka_unit_test(every_reason_has_a_row),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
