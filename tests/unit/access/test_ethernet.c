/*
 * Ethernet in and out: whose frames are taken, the forms a frame may have, VLANs,
 * and what becomes of frames that the link does not take (attacks L2-01, L2-03).
 */
#include "unit/access/fake_link.h"
#include "unit/base/property.h"

static struct fake *open_host(void)
{
	struct fake *f = fake_open(NULL);
	fake_add_address(f, f->nif, "192.0.2.1", 24);
	fake_add_address(f, f->nif, "2001:db8::1", 64);
	return f;
}

static void put(struct fake *f, struct netif *nif, const struct eth_header *h, size_t body)
{
	uint8_t frame[1600];
	memset(frame, 0xab, sizeof frame);
	size_t len = eth_emit(h, frame, sizeof frame);
	assert_int_not_equal(len, 0);
	fake_receive(f, nif, frame, len + body);
}

static void takes_what_is_for_us(void **unused)
{
	(void)unused;
	struct fake *f = open_host();
	static const struct {
		struct mac to;
		bool taken, group;
	} to[] = {
		{ { { 2, 0, 0, 0, 0, 1 } }, true, false },
		{ { { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff } }, true, true },
		{ { { 1, 0, 0x5e, 0, 0, 1 } }, true, true },       /* all hosts */
		{ { { 0x33, 0x33, 0, 0, 0, 1 } }, true, true },    /* all nodes */
		{ { { 0x33, 0x33, 0xff, 0, 0, 1 } }, true, true }, /* solicited node */
		{ { { 0x33, 0x33, 0xff, 0, 0, 2 } }, false, true },
		{ { { 1, 0, 0x5e, 0, 0, 2 } }, false, true },
		{ { { 2, 0, 0, 0, 0, 2 } }, false, false },
		{ { { 0, 0, 0, 0, 0, 0 } }, false, false },
	};
	for (unsigned i = 0; i < sizeof to / sizeof *to; i++) {
		struct eth_header h = {
			.destination = to[i].to, .source = FAKE_PEER, .type = ETHERTYPE_IP4
		};
		put(f, f->nif, &h, 46);
		if (to[i].taken)
			assert_int_equal(f->proto, PROTO_IP4);
		else
			fake_expect_drop(f, DROP_ETH_NOT_OURS);
		assert_int_equal(f->rx.link_group, to[i].group);
	}
	assert_int_equal(f->nif->rx_frames, 9);
	assert_int_equal(f->nif->rx_bytes, 9 * 60);
	fake_close(f);
}

static void strips_the_header(void **unused)
{
	(void)unused;
	struct fake *f = open_host();
	struct eth_header h = {
		.destination = FAKE_MAC, .source = FAKE_PEER, .type = ETHERTYPE_IP6
	};
	put(f, f->nif, &h, 100);
	assert_int_equal(f->proto, PROTO_IP6);
	assert_int_equal(f->rx.len, 100);
	assert_int_equal(f->rx.head.len, 100);
	assert_memory_equal(f->rx.source_mac.b, FAKE_PEER.b, 6);
	h.source.b[0] |= 1;
	put(f, f->nif, &h, 100);
	fake_expect_drop(f, DROP_ETH_SOURCE);
	h.source.b[0] &= 0xfe;
	h.type = 0x88cc;
	put(f, f->nif, &h, 100);
	fake_expect_drop(f, DROP_ETH_TYPE);
	f->nif->up = false;
	put(f, f->nif, &h, 100);
	fake_expect_drop(f, DROP_LINK_DOWN);
	fake_close(f);
}

static void takes_llc_and_snap(void **unused)
{
	(void)unused;
	struct fake *f = open_host();
	struct eth_header h = { .destination = FAKE_MAC,
		.source = FAKE_PEER,
		.llc = true,
		.type = ETHERTYPE_IP4,
		.length = 8 + 30 };
	put(f, f->nif, &h, 38); /* eight bytes of padding */
	assert_int_equal(f->proto, PROTO_IP4);
	assert_int_equal(f->rx.len, 30);
	assert_int_equal(f->rx.head.len, 30);
	h.type = 0;
	h.dsap = h.ssap = 0x42; /* a spanning tree */
	h.control = 3;
	put(f, f->nif, &h, 40);
	fake_expect_drop(f, DROP_LLC_TYPE);
	fake_close(f);
}

static void attack_l2_01_lengths(void **unused)
{
	(void)unused;
	struct fake *f = open_host();
	uint8_t frame[60] = { 0 };
	fake_ethernet(frame, &FAKE_MAC, &FAKE_PEER, ETHERTYPE_IP4, 0);
	for (size_t len = 0; len < ETH_HEADER; len++) {
		fake_receive(f, f->nif, frame, len);
		fake_expect_drop(f, DROP_ETH_SHORT);
	}
	for (size_t len = ETH_HEADER; len <= sizeof frame; len++) {
		fake_receive(f, f->nif, frame, len);
		assert_int_equal(f->proto, PROTO_IP4);
		assert_int_equal(f->rx.len, len - ETH_HEADER);
	}
	for (uint16_t length = 47; length <= 1500; length++) {
		store16(frame + 12, length);
		fake_receive(f, f->nif, frame, sizeof frame);
		fake_expect_drop(f, DROP_ETH_LENGTH);
	}
	for (uint16_t length = 0; length < 3; length++) {
		store16(frame + 12, length);
		fake_receive(f, f->nif, frame, sizeof frame);
		fake_expect_drop(f, DROP_LLC_SHORT);
	}
	store16(frame + 12, 1501);
	fake_receive(f, f->nif, frame, sizeof frame);
	fake_expect_drop(f, DROP_ETH_UNDEFINED);
	store16(frame + 12, ETHERTYPE_VLAN);
	for (size_t len = ETH_HEADER; len < ETH_HEADER + 4; len++) {
		fake_receive(f, f->nif, frame, len);
		fake_expect_drop(f, DROP_VLAN_SHORT);
	}
	fake_close(f);
}

static void vlans(void **unused)
{
	(void)unused;
	struct fake *f = open_host();
	struct netif *tagged = fake_add_netif(f, 7);
	static const struct {
		bool tagged;
		uint8_t tags;
		uint16_t tag[2];
		bool taken;
	} row[] = {
		{ false, 0, { 0, 0 }, true },
		{ false, 1, { 0, 0 }, true },      /* a priority tag */
		{ false, 1, { 0xe000, 0 }, true }, /* with a priority in it */
		{ false, 1, { 7, 0 }, false },
		{ true, 0, { 0, 0 }, false },
		{ true, 1, { 0, 0 }, false },
		{ true, 1, { 7, 0 }, true },
		{ true, 1, { 0x6007, 0 }, true },
		{ true, 1, { 8, 0 }, false },
		{ true, 2, { 0, 7 }, true },
		{ true, 2, { 7, 7 }, false },
		{ true, 2, { 8, 7 }, false },
	};
	for (unsigned i = 0; i < sizeof row / sizeof *row; i++) {
		struct netif *nif = row[i].tagged ? tagged : f->nif;
		struct eth_header h = { .destination = nif->mac,
			.source = FAKE_PEER,
			.type = ETHERTYPE_IP4,
			.tags = row[i].tags,
			.tag = { row[i].tag[0], row[i].tag[1] } };
		put(f, nif, &h, 46);
		if (row[i].taken)
			assert_int_equal(f->proto, PROTO_IP4);
		else
			fake_expect_drop(f, DROP_VLAN_NOT_OURS);
	}
	/* What leaves has the interface's tag. */
	assert_true(access_send_mac(
		&f->access, tagged, &FAKE_PEER, fake_packet(f, 50, 1), ETHERTYPE_IP4, f->now));
	struct eth_header h;
	struct span rest;
	assert_int_equal(
		eth_parse(span_of(f->sent[0].bytes, f->sent[0].len), &h, &rest), DROP_NONE);
	assert_int_equal(h.tags, 1);
	assert_int_equal(h.tag[0], 7);
	assert_int_equal(h.type, ETHERTYPE_IP4);
	assert_int_equal(rest.len, 50);
	assert_memory_equal(h.source.b, tagged->mac.b, 6);
	fake_close(f);
}

/* What the layer should say of a frame, by the codec and the rules in their plainest form. */
static enum drop expected_drop(
	const struct netif *nif, struct span frame, struct eth_header *h, bool *group)
{
	struct span rest;
	enum drop drop = eth_parse(frame, h, &rest);
	if (drop != DROP_NONE)
		return drop;
	bool ours = memcmp(h->destination.b, nif->mac.b, 6) == 0;
	*group = !ours && (h->destination.b[0] & 1);
	ours |= memcmp(h->destination.b, MAC_BROADCAST.b, 6) == 0;
	for (unsigned i = 0; i < nif->groups; i++)
		ours |= memcmp(h->destination.b, nif->group_mac[i].b, 6) == 0;
	if (!ours)
		return DROP_ETH_NOT_OURS;
	if (h->source.b[0] & 1)
		return DROP_ETH_SOURCE;
	unsigned first = h->tags > 0 ? h->tag[0] & 0xfff : 0;
	unsigned second = h->tags > 1 ? h->tag[1] & 0xfff : 0;
	if ((first && second) || (first | second) != nif->vlan)
		return DROP_VLAN_NOT_OURS;
	if (h->type == 0)
		return DROP_LLC_TYPE;
	return h->type == ETHERTYPE_IP4 || h->type == ETHERTYPE_IP6 ? DROP_NONE : DROP_ETH_TYPE;
}

static void straight_line_and_long_way_agree(struct rng *r)
{
	struct fake *f = open_host();
	struct netif *tagged = fake_add_netif(f, 7);
	static const uint16_t words[] = { ETHERTYPE_IP4, ETHERTYPE_IP6, ETHERTYPE_VLAN, 7, 0, 46,
		ETHERTYPE_QINQ, 0x88cc };
	for (unsigned i = 0; i < 200; i++) {
		struct netif *nif = rng_below(r, 2) ? f->nif : tagged;
		uint8_t frame[64];
		rng_fill(r, frame, sizeof frame);
		if (rng_below(r, 4))
			memcpy(frame, nif->mac.b, 6);
		else if (rng_below(r, 2))
			memcpy(frame, f->nif->group_mac[rng_below(r, f->nif->groups)].b, 6);
		if (rng_below(r, 4))
			frame[6] &= 0xfe;
		for (unsigned at = 12; at < 22; at += 2)
			store16(frame + at, words[rng_below(r, 8)]);
		size_t len = rng_below(r, 8) ? sizeof frame : rng_below(r, sizeof frame);
		struct eth_header h;
		bool group = false;
		enum drop drop = expected_drop(nif, span_of(frame, len), &h, &group);
		fake_receive(f, nif, frame, len);
		check(f->rx.drop == drop);
		if (drop != DROP_NONE)
			continue;
		check(f->proto == (h.type == ETHERTYPE_IP4 ? PROTO_IP4 : PROTO_IP6));
		check(f->rx.link_group == group);
		check(f->rx.len == (h.llc ? h.length - 8u : len - h.header_len));
		check(f->rx.head.at == f->exact + h.header_len);
		check(memcmp(f->rx.source_mac.b, frame + 6, 6) == 0);
	}
	fake_close(f);
}

static void random_headers(void **unused)
{
	(void)unused;
	property_each(100, straight_line_and_long_way_agree);
}

static void header_chain_may_be_split_from_the_body(void **unused)
{
	(void)unused;
	struct fake *f = open_host();
	uint8_t head[100] = { 0 }, body[1000] = { 0 };
	fake_ethernet(head, &FAKE_MAC, &FAKE_PEER, ETHERTYPE_IP4, 0);
	struct span bodies[1] = { span_of(body, sizeof body) };
	struct rx_frame frame = { .head = span_of(head, sizeof head),
		.body = bodies,
		.bodies = 1,
		.seg_count = 3,
		.seg_size = 300,
		.len = 1100 };
	fake_receive_frame(f, f->nif, &frame);
	assert_int_equal(f->proto, PROTO_IP4);
	assert_int_equal(f->rx.len, 1100 - ETH_HEADER);
	assert_int_equal(f->rx.head.len, 100 - ETH_HEADER);
	assert_int_equal(f->counters.rx_segments, 3);
	fake_close(f);
}

static void sends_and_counts(void **unused)
{
	(void)unused;
	struct fake *f = open_host();
	struct addr all = fake_addr("255.255.255.255"), group = fake_addr("224.0.0.251");
	struct addr six = fake_addr("ff02::fb");
	static const struct mac expected[4] = { { { 2, 0, 0, 0, 0, 0x99 } },
		{ { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff } }, { { 1, 0, 0x5e, 0, 0, 0xfb } },
		{ { 0x33, 0x33, 0, 0, 0, 0xfb } } };
	struct access *a = &f->access;
	assert_true(access_send_mac(
		a, f->nif, &FAKE_PEER, fake_packet(f, 100, 1), ETHERTYPE_IP4, f->now));
	assert_true(
		access_send_group(a, f->nif, &all, fake_packet(f, 100, 1), ETHERTYPE_IP4, f->now));
	assert_true(access_send_group(
		a, f->nif, &group, fake_packet(f, 100, 1), ETHERTYPE_IP4, f->now));
	struct tx_frame *t = fake_packet(f, 100, 1);
	t->seg_count = 1;
	assert_true(access_send_group(a, f->nif, &six, t, ETHERTYPE_IP6, f->now));
	for (unsigned i = 0; i < 4; i++) {
		assert_memory_equal(f->sent[i].bytes, expected[i].b, 6);
		assert_memory_equal(f->sent[i].bytes + 6, FAKE_MAC.b, 6);
		assert_int_equal(
			load16(f->sent[i].bytes + 12), i == 3 ? ETHERTYPE_IP6 : ETHERTYPE_IP4);
		assert_int_equal(f->event[i].kind, TRACE_TX);
		assert_int_equal(f->event[i].why, WHY_DATAGRAM);
	}
	assert_int_equal(f->counters.tx_frames, 4);
	assert_int_equal(f->counters.tx_bytes, 4 * 114);
	assert_int_equal(f->counters.tx_segments, 4);
	assert_int_equal(f->counters.sent_why[WHY_DATAGRAM], 4);
	assert_int_equal(f->nif->tx_frames, 4);
	assert_int_equal(f->nif->tx_bytes, 4 * 114);
	fake_close(f);
}

static void frames_that_the_link_does_not_take(void **unused)
{
	(void)unused;
	struct fake *f = open_host();
	struct access *a = &f->access;
	f->refuse = true;
	assert_false(access_send_mac(
		a, f->nif, &FAKE_PEER, fake_packet(f, 100, 1), ETHERTYPE_IP4, f->now));
	f->refuse = false;
	f->nif->blocked = true;
	assert_false(access_send_mac(
		a, f->nif, &FAKE_PEER, fake_packet(f, 100, 1), ETHERTYPE_IP4, f->now));
	assert_int_equal(f->counters.tx_drop[DROP_LINK_BUSY], 2);
	f->nif->blocked = false;
	f->nif->up = false;
	assert_false(access_send_mac(
		a, f->nif, &FAKE_PEER, fake_packet(f, 100, 1), ETHERTYPE_IP4, f->now));
	assert_int_equal(f->counters.tx_drop[DROP_LINK_DOWN], 1);
	f->nif->up = true;
	struct tx_frame *t = fake_packet(f, 3000, 1);
	t->seg_size = 1000;
	t->seg_count = 3;
	assert_false(access_send_mac(a, f->nif, &FAKE_PEER, t, ETHERTYPE_IP4, f->now));
	assert_int_equal(f->counters.tx_drop[DROP_IP_TOO_BIG], 1);
	f->nif->features = LINK_GSO;
	t = fake_packet(f, 3000, 1);
	t->seg_size = 1000;
	t->seg_count = 3;
	assert_true(access_send_mac(a, f->nif, &FAKE_PEER, t, ETHERTYPE_IP4, f->now));
	assert_int_equal(f->counters.tx_segments, 3);
	assert_int_equal(f->counters.tx_frames, 1);
	assert_int_equal(f->events, 5);
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(f->event[i].kind, TRACE_TX_DROP);
	assert_int_equal(f->event[2].drop, DROP_LINK_DOWN);
	fake_close(f);
}

static void partial_checksums_are_left_to_links_that_can(void **unused)
{
	(void)unused;
	struct fake *f = open_host();
	f->nif->features = LINK_CHECKSUM;
	struct tx_frame *t = fake_packet(f, 100, 1);
	t->checksum = CHECKSUM_PARTIAL;
	t->checksum_start = t->head;
	t->checksum_offset = 6;
	assert_true(access_send_mac(&f->access, f->nif, &FAKE_PEER, t, ETHERTYPE_IP4, f->now));
	assert_int_equal(f->sent[0].checksum, CHECKSUM_PARTIAL);
	assert_int_equal(load16(f->sent[0].bytes + ETH_HEADER + 6), 0x0101);
	fake_close(f);
}

static void bare_links_have_no_header(void **unused)
{
	(void)unused;
	struct fake *f = fake_open(NULL);
	struct netif_config c = {
		.name = "bare", .mtu = 1500, .features = LINK_BARE, .ops = &fake_ops, .link = f
	};
	const char *why;
	c.vlan = 5;
	assert_null(access_add_netif(&f->access, &c, &why));
	c.vlan = 0;
	struct netif *nif = access_add_netif(&f->access, &c, &why);
	assert_non_null(nif);
	struct addr ours = fake_addr("192.0.2.1");
	access_announce(&f->access, nif, &ours);
	fake_flush(f);
	assert_int_equal(f->count, 0); /* there is no ARP to announce it with */

	uint8_t packet[40] = { 0x45 };
	fake_receive(f, nif, packet, sizeof packet);
	assert_int_equal(f->proto, PROTO_IP4);
	assert_int_equal(f->rx.len, sizeof packet);
	packet[0] = 0x60;
	fake_receive(f, nif, packet, 1);
	assert_int_equal(f->proto, PROTO_IP6);
	packet[0] = 0x50;
	fake_receive(f, nif, packet, sizeof packet);
	fake_expect_drop(f, DROP_IP4_VERSION);
	fake_receive(f, nif, packet, 0);
	fake_expect_drop(f, DROP_IP4_SHORT);

	/* Everybody is behind the one other end, and nobody needs to be found. */
	struct addr one = fake_addr("192.0.2.9"), two = fake_addr("2001:db8::9");
	uint32_t n = neighbour_lookup(&f->access, nif, &one, f->now);
	assert_int_not_equal(n, NEIGHBOUR_NO_INDEX);
	assert_int_equal(neighbour_lookup(&f->access, nif, &two, f->now), n);
	assert_int_equal(neighbour_ready(&f->access, n, f->now), NEIGHBOUR_SEND);
	assert_true(
		access_send(&f->access, n, fake_packet(f, 100, 1), ETHERTYPE_IP4, false, f->now));
	assert_int_equal(f->count, 1);
	assert_int_equal(f->sent[0].len, 100);
	fake_close(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_what_is_for_us),
		cmocka_unit_test(strips_the_header),
		cmocka_unit_test(takes_llc_and_snap),
		cmocka_unit_test(attack_l2_01_lengths),
		cmocka_unit_test(vlans),
		cmocka_unit_test(random_headers),
		cmocka_unit_test(header_chain_may_be_split_from_the_body),
		cmocka_unit_test(sends_and_counts),
		cmocka_unit_test(frames_that_the_link_does_not_take),
		cmocka_unit_test(partial_checksums_are_left_to_links_that_can),
		cmocka_unit_test(bare_links_have_no_header),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
