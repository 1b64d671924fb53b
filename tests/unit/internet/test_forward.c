/*
 * Forwarding: a router between 192.0.2.0/24 and 198.51.100.0/24 (and their IPv6
 * nets) passes on what it may, counts the hop limit down, and says why where it
 * does not (RFC 1812 5, RFC 8200; attack IP6-05, RFC 6583).
 */
#include "unit/internet/fake_net.h"

static uint8_t body[12000];

static struct net *open_router(void)
{
	struct net *n = net_open_router();
	for (unsigned i = 0; i < sizeof body; i++)
		body[i] = (uint8_t)(i * 5 + 1);
	net_know(n, n->nif, "192.0.2.7");
	net_know(n, n->nif, "2001:db8::7");
	net_know(n, n->outer, "198.51.100.7");
	net_know(n, n->outer, "2001:db8:2::7");
	return n;
}

static void put(struct net *n, struct packet_head h, size_t len)
{
	if (h.protocol == 0)
		h.protocol = IPPROTO_UDP_;
	fake_clear(n->f);
	net_put(n, n->nif, packet_of(h, body, len));
}

static void packets_pass_unchanged_but_for_the_hop_limit(void **unused)
{
	(void)unused;
	struct net *n = open_router();
	for (unsigned limit = 2; limit <= 255; limit++)
		for (unsigned v6 = 0; v6 < 2; v6++) {
			struct packet_head h = { v6 ? "2001:db8::7" : "192.0.2.7",
				v6 ? "2001:db8:2::7" : "198.51.100.7", IPPROTO_UDP_, (uint8_t)limit,
				NULL, 0, 0x4000 };
			struct packet p = packet_of(h, body, 50 + limit);
			uint8_t expected[500];
			memcpy(expected, p.frame + ETH_HEADER, p.len);
			fake_clear(n->f);
			net_put(n, n->nif, p);
			assert_int_equal(n->f->rx.fate, FATE_FORWARDED);
			assert_int_equal(n->f->count, 0);
			fake_flush(n->f);
			assert_int_equal(n->f->count, 1);
			const struct fake_sent *s = &n->f->sent[0];
			assert_int_equal(s->nif, n->outer->index);
			assert_int_equal(s->why, WHY_FORWARD);
			assert_memory_equal(s->bytes, FAKE_PEER.b, 6);
			assert_memory_equal(s->bytes + 6, n->outer->mac.b, 6);
			assert_int_equal(s->len, ETH_HEADER + p.len);
			expected[v6 ? 7 : 8]--;
			if (!v6) {
				/* The sum is right, and is the one that the codec would write. */
				assert_int_equal(
					checksum_fold(checksum_header(s->bytes + ETH_HEADER, 20)),
					0xffff);
				memset(expected + 10, 0, 2);
				uint16_t field = checksum_finish(checksum_header(expected, 20));
				memcpy(expected + 10, &field, 2);
			}
			assert_memory_equal(s->bytes + ETH_HEADER, expected, p.len);
		}
	assert_int_equal(n->in.forward_pool.used, 0);
	net_close(n);
}

static void gateways_and_the_same_interface(void **unused)
{
	(void)unused;
	struct net *n = open_router();
	struct route r = { .prefix = fake_addr("203.0.113.0"),
		.len = 24,
		.nif = 1,
		.gateway = fake_addr("198.51.100.7") };
	assert_int_equal(route_add(&n->in.routes, &r), ERR_OK);
	put(n, (struct packet_head){ .source = "192.0.2.7", .destination = "203.0.113.9" }, 50);
	fake_flush(n->f);
	assert_int_equal(n->f->count, 1);
	assert_int_equal(n->f->sent[0].nif, 1);
	/* Back out where it came in: a neighbour's default route. */
	put(n, (struct packet_head){ .source = "192.0.2.9", .destination = "192.0.2.7" }, 50);
	assert_int_equal(n->f->rx.fate, FATE_FORWARDED);
	fake_flush(n->f);
	assert_int_equal(n->f->sent[0].nif, 0);
	/* To another interface's address of ours: delivered (a router is one host). */
	put(n, (struct packet_head){ .source = "192.0.2.9", .destination = "198.51.100.1" }, 50);
	assert_int_equal(n->f->proto, PROTO_UDP);
	net_close(n);
}

static void hop_limit_ends(void **unused)
{
	(void)unused;
	struct net *n = open_router();
	put(n, (struct packet_head){ "192.0.2.7", "198.51.100.7", 0, 1, NULL, 0, 0 }, 50);
	fake_expect_drop(n->f, DROP_IP_HOP_LIMIT);
	fake_flush(n->f);
	struct sent_icmp s = net_sent_icmp(n, 0);
	assert_int_equal(s.type, ICMP4_TIME_EXCEEDED);
	assert_int_equal(s.code, 0);
	assert_true(net_is(&s.source, "192.0.2.1"));
	assert_true(net_is(&s.destination, "192.0.2.7"));
	assert_int_equal(n->f->count, 1);
	put(n, (struct packet_head){ "2001:db8::7", "2001:db8:2::7", 0, 1, NULL, 0, 0 }, 50);
	fake_expect_drop(n->f, DROP_IP_HOP_LIMIT);
	fake_flush(n->f);
	s = net_sent_icmp(n, 0);
	assert_int_equal(s.type, ICMP6_TIME_EXCEEDED);
	assert_true(net_is(&s.source, "2001:db8::1"));
	net_close(n);
}

static void no_way(void **unused)
{
	(void)unused;
	struct net *n = open_router();
	put(n, (struct packet_head){ .source = "192.0.2.7", .destination = "8.8.8.8" }, 50);
	fake_expect_drop(n->f, DROP_IP_NO_ROUTE);
	fake_flush(n->f);
	struct sent_icmp s = net_sent_icmp(n, 0);
	assert_int_equal(s.type, ICMP4_UNREACHABLE);
	assert_int_equal(s.code, 0);
	put(n, (struct packet_head){ .source = "2001:db8::7", .destination = "2001:db8:9::1" }, 50);
	fake_expect_drop(n->f, DROP_IP_NO_ROUTE);
	fake_flush(n->f);
	assert_int_equal(net_sent_icmp(n, 0).type, ICMP6_UNREACHABLE);
	n->outer->up = false;
	put(n, (struct packet_head){ .source = "192.0.2.7", .destination = "198.51.100.7" }, 50);
	fake_expect_drop(n->f, DROP_IP_NO_ROUTE);
	net_close(n);
}

static void too_big_for_the_next_link(void **unused)
{
	(void)unused;
	struct net *n = open_router();
	n->outer->mtu = 1400;
	put(n, (struct packet_head){ "192.0.2.7", "198.51.100.7", 0, 0, NULL, 0, 0x4000 }, 1380);
	assert_int_equal(n->f->rx.fate, FATE_FORWARDED);
	put(n, (struct packet_head){ "192.0.2.7", "198.51.100.7", 0, 0, NULL, 0, 0x4000 }, 1381);
	fake_expect_drop(n->f, DROP_IP_TOO_BIG);
	fake_clear(n->f);
	fake_flush(n->f);
	struct sent_icmp s = net_sent_icmp(n, 0);
	assert_int_equal(s.type, ICMP4_UNREACHABLE);
	assert_int_equal(s.code, 4);
	assert_int_equal(s.rest, 1400);
	put(n, (struct packet_head){ "192.0.2.7", "198.51.100.7", 0, 0, NULL, 0, 0 }, 1381);
	fake_expect_drop(n->f, DROP_IP_TOO_BIG);
	put(n, (struct packet_head){ "2001:db8::7", "2001:db8:2::7", 0, 0, NULL, 0, 0 }, 1361);
	fake_expect_drop(n->f, DROP_IP_TOO_BIG);
	fake_flush(n->f);
	s = net_sent_icmp(n, n->f->count - 1);
	assert_int_equal(s.type, ICMP6_TOO_BIG);
	assert_int_equal(s.rest, 1400);
	/* The route's own MTU, where it is smaller. */
	struct route r = { .prefix = fake_addr("203.0.113.0"),
		.len = 24,
		.nif = 1,
		.mtu = 1000,
		.gateway = fake_addr("198.51.100.7") };
	assert_int_equal(route_add(&n->in.routes, &r), ERR_OK);
	put(n, (struct packet_head){ "192.0.2.7", "203.0.113.7", 0, 0, NULL, 0, 0x4000 }, 981);
	fake_expect_drop(n->f, DROP_IP_TOO_BIG);
	fake_flush(n->f);
	assert_int_equal(net_sent_icmp(n, 0).rest, 1000);
	net_close(n);
}

static void what_is_never_forwarded(void **unused)
{
	(void)unused;
	struct net *n = open_router();
	net_route(n, "0.0.0.0", 0, "192.0.2.254");
	net_route(n, "::", 0, "2001:db8::fe");
	static const struct {
		const char *source, *destination;
		enum drop drop;
	} row[] = {
		{ "169.254.1.1", "198.51.100.7", DROP_IP_NOT_FORWARDABLE },
		{ "192.0.2.7", "169.254.1.1", DROP_IP_NOT_FORWARDABLE },
		{ "192.0.2.7", "127.0.0.1", DROP_IP_NOT_FORWARDABLE },
		{ "192.0.2.7", "0.0.0.0", DROP_IP_NOT_FORWARDABLE },
		{ "192.0.2.7", "0.0.0.9", DROP_IP_NOT_FORWARDABLE },
		{ "192.0.2.7", "240.0.0.1", DROP_IP_NOT_FORWARDABLE },
		{ "192.0.2.7", "198.51.100.255", DROP_IP_NOT_FORWARDABLE }, /* RFC 2644 */
		{ "192.0.2.7", "239.1.1.1", DROP_IP_GROUP },
		{ "fe80::7", "2001:db8:2::7", DROP_IP_NOT_FORWARDABLE },
		{ "2001:db8::7", "fe80::7", DROP_IP_NOT_FORWARDABLE },
		{ "2001:db8::7", "::1", DROP_IP_NOT_FORWARDABLE },
		{ "2001:db8::7", "::", DROP_IP_NOT_FORWARDABLE },
		{ "::", "2001:db8:2::7", DROP_IP_NOT_FORWARDABLE },
		{ "2001:db8::7", "ff05::2", DROP_IP_GROUP },
	};
	for (unsigned i = 0; i < sizeof row / sizeof *row; i++) {
		put(n,
			(struct packet_head){
				.source = row[i].source, .destination = row[i].destination },
			50);
		if (n->f->rx.drop != row[i].drop)
			fail_msg("%s to %s: %s", row[i].source, row[i].destination,
				drop_info(n->f->rx.drop)->name);
		fake_flush(n->f);
		assert_int_equal(n->f->count, 0);
	}
	/* What the link sent to all. */
	struct packet_head h = { "192.0.2.7", "198.51.100.7", IPPROTO_UDP_, 0, NULL, 0, 0 };
	struct packet p = packet_of(h, body, 50);
	struct mac broadcast = MAC_BROADCAST;
	net_put_to(n, n->nif, &p, &broadcast);
	fake_expect_drop(n->f, DROP_IP_NOT_FORWARDABLE);
	net_close(n);
}

static void the_queue_is_bounded_and_a_full_link_holds_its_own_only(void **unused)
{
	(void)unused;
	struct net *n = open_router();
	n->outer->blocked = true;
	for (unsigned i = 0; i < 255; i++) {
		put(n, (struct packet_head){ .source = "192.0.2.7", .destination = "198.51.100.7" },
			50);
		assert_int_equal(n->f->rx.fate, FATE_FORWARDED);
	}
	assert_false(internet_has_work(&n->in));
	put(n, (struct packet_head){ .source = "192.0.2.9", .destination = "192.0.2.7" }, 50);
	assert_true(internet_has_work(&n->in));
	put(n, (struct packet_head){ .source = "192.0.2.7", .destination = "198.51.100.7" }, 50);
	fake_expect_drop(n->f, DROP_IP_FORWARD_FULL);
	fake_clear(n->f);
	fake_flush(n->f);
	assert_int_equal(n->f->count, 1);
	n->outer->blocked = false;
	assert_int_equal(internet_transmit(&n->in, 10, n->f->now), 10);
	fake_flush(n->f);
	assert_int_equal(n->f->count, 256);
	net_close(n);
}

/* Its MTU shrinks while packets wait for the link, or for the next hop: those too big are lost. */
static void the_link_shrinks(void **unused)
{
	(void)unused;
	struct net *n = open_router();
	const uint64_t *lost = &n->in.core->counters->tx_drop[DROP_IP_TOO_BIG];
	for (unsigned unknown = 0; unknown < 2; unknown++) {
		struct packet_head h = { .source = "192.0.2.7", .destination = "198.51.100.7" };
		if (unknown)
			h.destination = "198.51.100.9";
		n->outer->blocked = !unknown;
		put(n, h, 1000);
		put(n, h, 50);
		fake_flush(n->f);
		fake_clear(n->f);
		n->outer->mtu = 576;
		n->outer->blocked = false;
		if (unknown)
			net_know(n, n->outer, h.destination);
		fake_flush(n->f);
		assert_int_equal(n->f->count, 1);
		assert_int_equal(n->f->sent[0].why, WHY_FORWARD);
		assert_in_range(n->f->sent[0].len, 50, 150);
		assert_int_equal(*lost, unknown + 1);
		n->outer->mtu = 1500;
	}
	net_close(n);
}

static void packets_that_have_no_place(void **unused)
{
	(void)unused;
	struct net *n = open_router();
	n->nif->mtu = n->outer->mtu = 65535;
	struct packet_head h = { "192.0.2.7", "198.51.100.7", IPPROTO_UDP_, 0, NULL, 0, 0 };
	static uint8_t large[14 + 9300];
	struct packet p = packet_of(h, body, 50);
	for (unsigned total = 9216; total <= 9217; total++) {
		memcpy(large + ETH_HEADER, p.frame + ETH_HEADER, 70);
		store16(large + ETH_HEADER + 2, (uint16_t)total);
		memset(large + ETH_HEADER + 10, 0, 2);
		uint16_t field = checksum_finish(checksum_header(large + ETH_HEADER, 20));
		memcpy(large + ETH_HEADER + 10, &field, 2);
		fake_ethernet(large, &n->nif->mac, &FAKE_PEER, ETHERTYPE_IP4, 0);
		fake_receive(n->f, n->nif, large, ETH_HEADER + total);
		if (total == 9216)
			assert_int_equal(n->f->rx.fate, FATE_FORWARDED);
		else
			fake_expect_drop(n->f, DROP_IP_FORWARD_SIZE);
	}
	/* A super-frame. */
	size_t len = fake_ethernet(p.frame, &n->nif->mac, &FAKE_PEER, ETHERTYPE_IP4, p.len);
	struct rx_frame frame = rx_frame_of(p.frame, len);
	frame.seg_size = 25;
	frame.seg_count = 2;
	fake_receive_frame(n->f, n->nif, &frame);
	fake_expect_drop(n->f, DROP_IP_FORWARD_SIZE);
	net_close(n);
}

/* A checksum that was never completed, because the frame never left its machine. */
static void partial_checksums_are_completed(void **unused)
{
	(void)unused;
	struct net *n = open_router();
	for (unsigned i = 0; i < 5; i++) {
		bool v6 = i >= 2;
		bool tcp = i & 1;
		uint8_t chain[8] = { tcp ? IPPROTO_TCP_ : IPPROTO_UDP_, 0, 1, 4, 0, 0, 0, 0 };
		struct packet_head h = { v6 ? "2001:db8::7" : "192.0.2.7",
			v6 ? "2001:db8:2::7" : "198.51.100.7", chain[0], 0, NULL, 0, 0 };
		if (i == 4) {
			h.protocol = IP6_DESTINATION;
			h.options = chain;
			h.options_len = 8;
		}
		struct addr from = fake_addr(h.source), to = fake_addr(h.destination);
		struct packet p = packet_of(h, body, 101);
		size_t start = p.len - 101, at = start + (tcp ? 16 : 6);
		uint16_t pseudo = checksum_fold(pseudo_sum(&from, &to, chain[0], 101));
		memcpy(p.frame + ETH_HEADER + at, &pseudo, 2);
		size_t len = fake_ethernet(p.frame, &n->nif->mac, &FAKE_PEER,
			v6 ? ETHERTYPE_IP6 : ETHERTYPE_IP4, p.len);
		struct rx_frame frame = rx_frame_of(p.frame, len);
		frame.checksum = CHECKSUM_PARTIAL;
		fake_clear(n->f);
		fake_receive_frame(n->f, n->nif, &frame);
		assert_int_equal(n->f->rx.fate, FATE_FORWARDED);
		fake_flush(n->f);
		const struct fake_sent *s = &n->f->sent[0];
		assert_int_equal(s->checksum, CHECKSUM_VALID);
		uint64_t sum = pseudo_sum(&from, &to, chain[0], 101) +
			checksum_plain.sum(s->bytes + ETH_HEADER + start, 101);
		assert_int_equal(checksum_fold(sum), 0xffff);
	}
	/* Where it can't be told where the checksum stands, the packet is not passed on broken. */
	struct packet_head h = { "192.0.2.7", "198.51.100.7", 47, 0, NULL, 0, 0 };
	struct packet p = packet_of(h, body, 101);
	size_t len = fake_ethernet(p.frame, &n->nif->mac, &FAKE_PEER, ETHERTYPE_IP4, p.len);
	struct rx_frame frame = rx_frame_of(p.frame, len);
	frame.checksum = CHECKSUM_PARTIAL;
	fake_receive_frame(n->f, n->nif, &frame);
	fake_expect_drop(n->f, DROP_IP_NOT_FORWARDABLE);
	/* Nor where it would stand behind the packet's end. */
	for (size_t len4 = 0; len4 < 18; len4++) {
		h.protocol = IPPROTO_TCP_;
		p = packet_of(h, body, len4);
		len = fake_ethernet(p.frame, &n->nif->mac, &FAKE_PEER, ETHERTYPE_IP4, p.len);
		frame = rx_frame_of(p.frame, len);
		frame.checksum = CHECKSUM_PARTIAL;
		fake_receive_frame(n->f, n->nif, &frame);
		fake_expect_drop(n->f, DROP_IP_NOT_FORWARDABLE);
	}
	assert_int_equal(n->in.forward_pool.used, 0);
	net_close(n);
}

/* One call sends no more than it was told to, whatever waits. */
static void the_budget_is_for_all(void **unused)
{
	(void)unused;
	struct net *n = open_router();
	struct nd_message m = { .type = ICMP6_NEIGHBOUR_SOLICIT,
		.target = fake_addr("2001:db8::1") };
	struct packet_head ask = { "2001:db8::7", "2001:db8::1", 0, 0, NULL, 0, 0 };
	struct packet_head ping = { "192.0.2.7", "192.0.2.1", 0, 0, NULL, 0, 0 };
	struct packet_head pass = { "192.0.2.7", "198.51.100.7", IPPROTO_UDP_, 0, NULL, 0, 0 };
	for (unsigned i = 0; i < 3; i++) {
		net_put(n, n->nif, nd_of(ask, &m));
		net_put(n, n->nif, icmp_of(ping, ICMP4_ECHO, 0, 1, body, 8));
		net_put(n, n->nif, packet_of(pass, body, 50));
		net_put(n, n->nif, packet_of(pass, body, 50));
	}
	for (unsigned sent = 0; sent < 12;) {
		unsigned budget = sent % 4 + 1;
		unsigned now = internet_transmit(&n->in, budget, n->f->now);
		assert_int_equal(now, budget < 12 - sent ? budget : 12 - sent);
		sent += now;
		assert_int_equal(n->f->count, sent);
	}
	assert_false(internet_has_work(&n->in));
	net_close(n);
}

static void unreachable_hosts_are_told(void **unused)
{
	(void)unused;
	struct net *n = open_router();
	nanotime start = n->f->now;
	/* Two wait; the sender is told about each when the host does not answer. */
	for (unsigned v6 = 0; v6 < 2; v6++) {
		struct packet_head h = { .source = v6 ? "2001:db8::7" : "192.0.2.7",
			.destination = v6 ? "2001:db8:2::66" : "198.51.100.66" };
		put(n, h, 50);
		put(n, h, 60);
	}
	fake_clear(n->f);
	fake_run(n->f, start + 3 * NANO_S - 1);
	assert_int_equal(n->f->count, 6); /* ARP and ND, three times each */
	fake_clear(n->f);
	fake_run(n->f, start + 3 * NANO_S);
	assert_int_equal(n->f->count, 4);
	for (unsigned i = 0; i < 4; i++) {
		struct sent_icmp s = net_sent_icmp(n, i);
		bool v6 = !addr_is4(&s.destination);
		assert_int_equal(s.type, v6 ? ICMP6_UNREACHABLE : ICMP4_UNREACHABLE);
		assert_int_equal(s.code, v6 ? 3 : 1);
		assert_int_equal(n->f->sent[i].nif, 0);
		assert_true(
			s.body.len == (v6 ? 40u : 20u) + 50 || s.body.len == (v6 ? 40u : 20u) + 60);
	}
	assert_int_equal(n->f->counters.tx_drop[DROP_NEIGHBOUR_FAILED], 4);
	assert_int_equal(n->f->access.pending_pool.used, 0);
	net_close(n);
}

static void a_scan_from_outside_leaves_room_for_our_own(void **unused)
{
	(void)unused;
	struct net *n = open_router();
	for (unsigned i = 8; i < 208; i++) {
		struct packet_head h = { "192.0.2.7", "198.51.100.7", IPPROTO_UDP_, 0, NULL, 0, 0 };
		struct packet p = packet_of(h, body, 50);
		uint8_t *ip = p.frame + ETH_HEADER;
		ip[19] = (uint8_t)i;
		memset(ip + 10, 0, 2);
		uint16_t field = checksum_finish(checksum_header(ip, IP4_HEADER));
		memcpy(ip + 10, &field, 2);
		net_put(n, n->nif, p);
		assert_int_equal(n->f->rx.fate, FATE_FORWARDED);
		fake_flush(n->f);
	}
	assert_int_equal(n->f->access.incomplete, 64);
	assert_int_equal(n->f->counters.tx_drop[DROP_NEIGHBOUR_TABLE_FULL], 136);
	struct path path = { .generation = 0 };
	struct addr a = fake_addr("198.51.100.250");
	assert_int_equal(internet_path_ready(&n->in, &path, &a, n->f->now), PATH_WAIT);
	net_close(n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(packets_pass_unchanged_but_for_the_hop_limit),
		cmocka_unit_test(gateways_and_the_same_interface),
		cmocka_unit_test(hop_limit_ends),
		cmocka_unit_test(no_way),
		cmocka_unit_test(too_big_for_the_next_link),
		cmocka_unit_test(what_is_never_forwarded),
		cmocka_unit_test(the_queue_is_bounded_and_a_full_link_holds_its_own_only),
		cmocka_unit_test(the_link_shrinks),
		cmocka_unit_test(packets_that_have_no_place),
		cmocka_unit_test(partial_checksums_are_completed),
		cmocka_unit_test(the_budget_is_for_all),
		cmocka_unit_test(unreachable_hosts_are_told),
		cmocka_unit_test(a_scan_from_outside_leaves_room_for_our_own),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
