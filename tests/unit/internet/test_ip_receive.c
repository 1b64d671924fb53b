/*
 * IP in, both families: what is delivered upwards, what is trimmed, which sources
 * and destinations are refused, fragments and extension headers (attacks L2-03,
 * IP4-01 ... IP4-13, IP6-01 ... IP6-26).
 */
#include "unit/internet/fake_net.h"

static const uint8_t text[64] = "GET / HTTP/1.1";

static void delivers_tcp_and_udp(void **unused)
{
	(void)unused;
	struct net *n = net_open(NULL, NULL);
	static const struct {
		const char *source, *destination;
		uint8_t protocol;
		enum proto proto;
	} row[] = {
		{ "192.0.2.7", "192.0.2.1", IPPROTO_TCP_, PROTO_TCP },
		{ "192.0.2.7", "192.0.2.1", IPPROTO_UDP_, PROTO_UDP },
		{ "203.0.113.7", "192.0.2.1", IPPROTO_TCP_, PROTO_TCP },
		{ "2001:db8::7", "2001:db8::1", IPPROTO_TCP_, PROTO_TCP },
		{ "2001:db8:9::7", "2001:db8::1", IPPROTO_UDP_, PROTO_UDP },
		{ "fe80::7", "2001:db8::1", IPPROTO_TCP_, PROTO_TCP },
	};
	for (unsigned i = 0; i < sizeof row / sizeof *row; i++) {
		struct packet_head h = { row[i].source, row[i].destination, row[i].protocol, 33,
			NULL, 0, 0 };
		struct packet p = packet_of(h, text, sizeof text);
		p.len += i; /* padding: the length field cuts it off (L2-03) */
		memset(p.frame + ETH_HEADER + p.len - i, 0xee, i);
		net_put(n, n->nif, p);
		const struct rx *rx = &n->f->rx;
		assert_int_equal(n->f->proto, row[i].proto);
		assert_int_equal(rx->len, sizeof text);
		assert_int_equal(rx->head.len, sizeof text);
		assert_int_equal(rx->hop_limit, 33);
		assert_int_equal(rx->protocol, row[i].protocol);
		assert_int_equal(rx->ip_header_len, p.v6 ? 40 : 20);
		assert_int_equal(rx->packet_len, sizeof text + rx->ip_header_len);
		assert_int_equal(rx->packet.len, rx->packet_len);
		assert_true(net_is(&rx->source, row[i].source));
		assert_true(net_is(&rx->destination, row[i].destination));
		assert_false(rx->group);
	}
	net_close(n);
}

static void attack_l2_03_padding_is_no_payload(void **unused)
{
	(void)unused;
	struct net *n = net_open(NULL, NULL);
	struct packet_head h = { "192.0.2.7", "192.0.2.1", IPPROTO_TCP_, 0, NULL, 0, 0 };
	struct packet p = packet_of(h, text, 20); /* 40 bytes in a frame of 60 */
	memset(p.frame + ETH_HEADER + 40, 0xee, 6);
	p.len = 46;
	net_put(n, n->nif, p);
	assert_int_equal(n->f->rx.len, 20);
	assert_int_equal(n->f->rx.packet_len, 40);
	net_close(n);
}

static void bodies_are_trimmed_too(void **unused)
{
	(void)unused;
	struct net *n = net_open(NULL, NULL);
	struct packet_head h = { "192.0.2.7", "192.0.2.1", IPPROTO_TCP_, 0, NULL, 0, 0 };
	static uint8_t payload[1000];
	struct packet p = packet_of(h, payload, sizeof payload);
	fake_ethernet(p.frame, &n->nif->mac, &FAKE_PEER, ETHERTYPE_IP4, 0);
	struct span bodies[2] = { span_of(p.frame + 100, 500), span_of(p.frame + 600, 500) };
	struct rx_frame frame = { .head = span_of(p.frame, 100),
		.body = bodies,
		.bodies = 2,
		.seg_count = 1,
		.len = 1100 };
	fake_receive_frame(n->f, n->nif, &frame);
	assert_int_equal(n->f->proto, PROTO_TCP);
	assert_int_equal(n->f->rx.len, 1000);
	assert_int_equal(n->f->rx.head.len, 100 - 34);
	struct span out[3];
	assert_int_equal(rx_text(&n->f->rx, out, 3), 3);
	assert_int_equal(out[0].len + out[1].len + out[2].len, 1000);
	net_close(n);
}

static void sources_that_can_not_be(void **unused)
{
	(void)unused;
	struct net *n = net_open(NULL, NULL);
	static const char *const bad[] = { "0.0.0.0", "0.1.2.3", "127.0.0.1", "127.9.9.9",
		"224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255", "192.0.2.255",
		"192.0.2.1" };
	for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct packet_head h = { bad[i], "192.0.2.1", IPPROTO_UDP_, 0, NULL, 0, 0 };
		net_put(n, n->nif, packet_of(h, text, sizeof text));
		fake_expect_drop(n->f, DROP_IP_SOURCE);
	}
	static const char *const good[] = { "1.0.0.1", "126.255.255.255", "128.0.0.1",
		"223.255.255.254", "192.0.2.254" };
	for (unsigned i = 0; i < sizeof good / sizeof *good; i++) {
		struct packet_head h = { good[i], "192.0.2.1", IPPROTO_UDP_, 0, NULL, 0, 0 };
		net_put(n, n->nif, packet_of(h, text, sizeof text));
		assert_int_equal(n->f->proto, PROTO_UDP);
	}
	net_close(n);
}

static void attack_ip6_25_sources_that_can_not_be(void **unused)
{
	(void)unused;
	struct net *n = net_open(NULL, NULL);
	static const char *const bad[] = { "::1", "ff02::1", "ff05::2", "::", "2001:db8::1" };
	for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++) {
		static const uint8_t protocols[] = { IPPROTO_TCP_, IPPROTO_UDP_, 59, 200 };
		for (unsigned k = 0; k < sizeof protocols; k++) {
			struct packet_head h = { bad[i], "2001:db8::1", protocols[k], 0, NULL, 0,
				0 };
			net_put(n, n->nif, packet_of(h, text, sizeof text));
			if (protocols[k] == 59 && i == 3)
				fake_expect_drop(n->f, DROP_IP6_NO_NEXT);
			else
				fake_expect_drop(n->f, DROP_IP_SOURCE);
		}
		struct packet_head h = { bad[i], "2001:db8::1", 0, 0, NULL, 0, 0 };
		net_put(n, n->nif, icmp_of(h, ICMP6_ECHO, 0, 1, text, 8));
		fake_expect_drop(n->f, DROP_IP_SOURCE);
	}
	/* IPv4 in disguise, at either end. */
	for (unsigned at = 8; at <= 24; at += 16) {
		struct packet_head h = { "2001:db8::7", "2001:db8::1", IPPROTO_UDP_, 0, NULL, 0,
			0 };
		struct packet p = packet_of(h, text, sizeof text);
		struct addr mapped = fake_addr("127.0.0.1");
		memcpy(p.frame + ETH_HEADER + at, mapped.b, 16);
		net_put(n, n->nif, p);
		fake_expect_drop(n->f, at == 8 ? DROP_IP_SOURCE : DROP_IP_DESTINATION);
	}
	fake_flush(n->f);
	assert_int_equal(n->f->count, 0); /* and nobody is told */
	net_close(n);
}

static void destinations(void **unused)
{
	(void)unused;
	struct net *n = net_open(NULL, NULL);
	struct netif *other = fake_add_netif(n->f, 0);
	fake_add_address(n->f, other, "198.51.100.1", 24);
	fake_add_address(n->f, other, "2001:db8:2::1", 64);
	static const struct {
		const char *source, *destination;
		enum drop drop;
		bool group;
	} row[] = {
		{ "192.0.2.7", "192.0.2.255", DROP_NONE, true },
		{ "192.0.2.7", "255.255.255.255", DROP_NONE, true },
		{ "192.0.2.7", "224.0.0.1", DROP_NONE, true },
		{ "192.0.2.7", "224.0.0.2", DROP_IP_GROUP, false },
		{ "192.0.2.7", "192.0.2.2", DROP_IP_DESTINATION, false },
		{ "192.0.2.7", "127.0.0.1", DROP_IP_DESTINATION, false },
		{ "192.0.2.7", "0.0.0.0", DROP_IP_DESTINATION, false },
		{ "192.0.2.7", "198.51.100.1", DROP_IP_DESTINATION, false }, /* strong host */
		{ "192.0.2.7", "198.51.100.255", DROP_IP_DESTINATION, false },
		{ "2001:db8::7", "ff02::1", DROP_NONE, true },
		{ "2001:db8::7", "ff02::1:ff00:1", DROP_NONE, true },
		{ "2001:db8::7", "ff02::1:ff00:2", DROP_IP_GROUP, false },
		{ "2001:db8::7", "ff02::2", DROP_IP_GROUP, false },
		{ "2001:db8::7", "2001:db8::2", DROP_IP_DESTINATION, false },
		{ "2001:db8::7", "2001:db8:2::1", DROP_IP_DESTINATION, false },
		{ "2001:db8::7", "::1", DROP_IP_DESTINATION, false },
	};
	for (unsigned i = 0; i < sizeof row / sizeof *row; i++) {
		struct packet_head h = { row[i].source, row[i].destination, IPPROTO_UDP_, 0, NULL,
			0, 0 };
		net_put(n, n->nif, packet_of(h, text, sizeof text));
		if (n->f->rx.drop != row[i].drop || n->f->rx.group != row[i].group)
			fail_msg("%s: %s", row[i].destination, drop_info(n->f->rx.drop)->name);
	}
	fake_flush(n->f);
	assert_int_equal(n->f->count, 0);
	net_close(n);
}

static void unicast_in_a_link_broadcast(void **unused)
{
	(void)unused;
	struct net *n = net_open(NULL, NULL);
	struct mac broadcast = MAC_BROADCAST;
	struct packet_head h = { "192.0.2.7", "192.0.2.1", IPPROTO_TCP_, 0, NULL, 0, 0 };
	struct packet p = packet_of(h, text, sizeof text);
	net_put_to(n, n->nif, &p, &broadcast);
	fake_expect_drop(n->f, DROP_IP_LINK_GROUP);
	h.destination = "192.0.2.255";
	p = packet_of(h, text, sizeof text);
	net_put_to(n, n->nif, &p, &broadcast);
	assert_int_equal(n->f->proto, PROTO_TCP); /* and the transport sees rx->group */
	assert_true(n->f->rx.group);
	net_close(n);
}

static void attack_ip4_13_ttl_zero_is_for_us(void **unused)
{
	(void)unused;
	struct net *n = net_open(NULL, NULL);
	for (uint8_t ttl = 0; ttl <= 1; ttl++) {
		struct packet_head h = { "192.0.2.7", "192.0.2.1", IPPROTO_TCP_, 1, NULL, 0, 0 };
		struct packet p = packet_of(h, text, sizeof text);
		uint8_t *ip = p.frame + ETH_HEADER;
		ip[8] = ttl;
		memset(ip + 10, 0, 2);
		uint16_t field = checksum_finish(checksum_header(ip, IP4_HEADER));
		memcpy(ip + 10, &field, 2);
		net_put(n, n->nif, p);
		assert_int_equal(n->f->proto, PROTO_TCP);
		h = (struct packet_head){ "2001:db8::7", "2001:db8::1", IPPROTO_TCP_, 1, NULL, 0,
			0 };
		p = packet_of(h, text, sizeof text);
		p.frame[ETH_HEADER + 7] = ttl;
		net_put(n, n->nif, p);
		assert_int_equal(n->f->proto, PROTO_TCP);
	}
	net_close(n);
}

static void attack_ip4_01_lengths(void **unused)
{
	(void)unused;
	struct net *n = net_open(NULL, NULL);
	for (uint8_t words = 0; words < 16; words++)
		for (uint16_t total = 0; total <= 90; total++) {
			uint8_t body[64] = { 0 };
			struct packet_head h = { "192.0.2.7", "192.0.2.1", IPPROTO_UDP_, 0, NULL, 0,
				0 };
			struct packet p = packet_of(h, body, sizeof body);
			uint8_t *ip = p.frame + ETH_HEADER;
			ip[0] = (uint8_t)(0x40 | words);
			store16(ip + 2, total);
			memset(ip + 10, 0, 2);
			if (words >= 5) {
				uint16_t field = checksum_finish(checksum_header(ip, words * 4u));
				memcpy(ip + 10, &field, 2);
			}
			net_put(n, n->nif, p);
			if (words >= 5 && total >= words * 4 && total <= 84)
				assert_int_equal(n->f->rx.len, total - words * 4);
			else
				assert_int_equal(n->f->rx.fate, FATE_DROPPED);
		}
	net_close(n);
}

static void attack_ip4_05_06_options(void **unused)
{
	(void)unused;
	struct net *n = net_open(NULL, NULL);
	static const struct {
		uint8_t option[8];
		enum drop drop;
	} row[] = {
		{ { 1, 1, 1, 0 }, DROP_NONE },
		{ { 148, 4, 0, 0 }, DROP_NONE },           /* router alert */
		{ { 7, 7, 4, 0, 0, 0, 0, 0 }, DROP_NONE }, /* record route: ignored */
		{ { 7, 7, 1, 0, 0, 0, 0, 0 }, DROP_NONE },
		{ { 7, 7, 255, 0, 0, 0, 0, 0 }, DROP_NONE },
		{ { 7, 0, 0, 0 }, DROP_IP4_OPTION },
		{ { 7, 1, 0, 0 }, DROP_IP4_OPTION },
		{ { 7, 255, 4, 0 }, DROP_IP4_OPTION },
		{ { 68, 9, 5, 0, 0, 0, 0, 0 }, DROP_IP4_OPTION },
		{ { 131, 7, 4, 10, 0, 0, 1, 0 }, DROP_IP4_SOURCE_ROUTE },
		{ { 137, 7, 4, 10, 0, 0, 1, 0 }, DROP_IP4_SOURCE_ROUTE },
	};
	for (unsigned i = 0; i < sizeof row / sizeof *row; i++) {
		struct packet_head h = { "192.0.2.7", "192.0.2.1", IPPROTO_TCP_, 0, row[i].option,
			8, 0 };
		net_put(n, n->nif, packet_of(h, text, sizeof text));
		assert_int_equal(n->f->rx.drop, row[i].drop);
		if (row[i].drop == DROP_NONE) {
			assert_int_equal(n->f->rx.ip_header_len, 28);
			assert_int_equal(n->f->rx.len, sizeof text);
		}
	}
	fake_flush(n->f);
	assert_int_equal(n->f->count, 0);
	net_close(n);
}

static void attack_ip4_08_no_tunnels(void **unused)
{
	(void)unused;
	struct net *n = net_open(NULL, NULL);
	struct packet_head inner = { "10.0.0.1", "192.0.2.1", IPPROTO_TCP_, 0, NULL, 0, 0 };
	struct packet in = packet_of(inner, text, sizeof text);
	static const uint8_t tunnels[] = { 4, 41, 47, 50, 51, 94, 115 };
	for (unsigned i = 0; i < sizeof tunnels; i++) {
		struct packet_head h = { "192.0.2.7", "192.0.2.1", tunnels[i], 0, NULL, 0, 0 };
		net_put(n, n->nif, packet_of(h, in.frame + ETH_HEADER, in.len));
		fake_expect_drop(n->f, DROP_IP_PROTOCOL);
		h = (struct packet_head){ "2001:db8::7", "2001:db8::1", tunnels[i], 0, NULL, 0, 0 };
		net_put(n, n->nif, packet_of(h, in.frame + ETH_HEADER, in.len));
		fake_expect_drop(n->f, DROP_IP_PROTOCOL);
	}
	net_close(n);
}

static void attack_ip4_10_fragments(void **unused)
{
	(void)unused;
	struct net *n = net_open(NULL, NULL);
	static const uint16_t fragment[] = { 0x2000, 0x2001, 0x0001, 0x1fff, 0x3fff };
	for (unsigned i = 0; i < sizeof fragment / sizeof *fragment; i++) {
		struct packet_head h = { "192.0.2.7", "192.0.2.1", IPPROTO_TCP_, 0, NULL, 0,
			fragment[i] };
		net_put(n, n->nif, packet_of(h, text, sizeof text));
		fake_expect_drop(n->f, DROP_IP_FRAGMENT);
	}
	struct packet_head h = { "192.0.2.7", "192.0.2.1", IPPROTO_TCP_, 0, NULL, 0, 0x4000 };
	net_put(n, n->nif, packet_of(h, text, sizeof text));
	assert_int_equal(n->f->proto, PROTO_TCP);
	net_close(n);
}

/* An IPv6 packet with this chain before the protocol that its last header names. */
static void put_chain(struct net *n, uint8_t first, const uint8_t *chain, size_t len)
{
	struct packet_head h = { "2001:db8::7", "2001:db8::1", first, 0, chain, len, 0 };
	net_put(n, n->nif, packet_of(h, text, sizeof text));
}

static void attack_ip6_10_atomic_fragments(void **unused)
{
	(void)unused;
	struct net *n = net_open(NULL, NULL);
	uint8_t chain[8] = { IPPROTO_TCP_, 0, 0, 0, 1, 2, 3, 4 };
	for (unsigned i = 0; i < 3; i++) { /* the same ID each time: each alone */
		put_chain(n, IP6_FRAGMENT, chain, 8);
		assert_int_equal(n->f->proto, PROTO_TCP);
		assert_int_equal(n->f->rx.len, sizeof text);
		assert_int_equal(n->f->rx.ip_header_len, 48);
	}
	chain[3] = 1; /* more follow */
	put_chain(n, IP6_FRAGMENT, chain, 8);
	fake_expect_drop(n->f, DROP_IP_FRAGMENT);
	chain[3] = 8; /* a later one */
	put_chain(n, IP6_FRAGMENT, chain, 8);
	fake_expect_drop(n->f, DROP_IP_FRAGMENT);
	net_close(n);
}

static void attack_ip6_01_05_06_chains(void **unused)
{
	(void)unused;
	struct net *n = net_open(NULL, NULL);
	struct access *a = &n->f->access;
	net_know(n, n->nif, "2001:db8::7");
	/* Headers that are stepped over. */
	uint8_t good[24] = { IP6_DESTINATION, 0, 1, 4, 0, 0, 0, 0, IP6_ROUTING, 0, 1, 4, 0, 0, 0, 0,
		IPPROTO_TCP_, 0, 0, 0, 0, 0, 0, 0 };
	put_chain(n, IP6_HOP_BY_HOP, good, 24);
	assert_int_equal(n->f->proto, PROTO_TCP);
	assert_int_equal(n->f->rx.ip_header_len, 64);
	assert_int_equal(n->f->rx.len, sizeof text);
	/* A length that would wrap eight bits (IP6-01). */
	uint8_t wrap[8] = { IPPROTO_TCP_, 255, 1, 4, 0, 0, 0, 0 };
	put_chain(n, IP6_DESTINATION, wrap, 8);
	fake_expect_drop(n->f, DROP_IP6_EXTENSION);
	fake_flush(n->f);
	assert_int_equal(n->f->count, 0);
	/* RH0 with segments left (IP6-05): parameter problem, code 0, at the type. */
	uint8_t rh0[24] = { IPPROTO_TCP_, 2, 0, 1 };
	put_chain(n, IP6_ROUTING, rh0, 24);
	fake_expect_drop(n->f, DROP_IP6_ROUTING);
	fake_flush(n->f);
	struct sent_icmp s = net_sent_icmp(n, 0);
	assert_int_equal(s.type, ICMP6_PARAMETER);
	assert_int_equal(s.code, 0);
	assert_int_equal(s.rest, 42);
	/* An unknown option that wants to be told about: code 2, at the option. */
	uint8_t option[8] = { IPPROTO_TCP_, 0, 0x9e, 4, 0, 0, 0, 0 };
	put_chain(n, IP6_DESTINATION, option, 8);
	fake_expect_drop(n->f, DROP_IP6_OPTION);
	fake_flush(n->f);
	s = net_sent_icmp(n, 1);
	assert_int_equal(s.type, ICMP6_PARAMETER);
	assert_int_equal(s.code, 2);
	assert_int_equal(s.rest, 42);
	/* A flood of headers (IP6-06). */
	uint8_t flood[100 * 8];
	for (unsigned i = 0; i < 100; i++) {
		static const uint8_t one[8] = { IP6_DESTINATION, 0, 1, 4, 0, 0, 0, 0 };
		memcpy(flood + i * 8, one, 8);
	}
	put_chain(n, IP6_DESTINATION, flood, sizeof flood);
	fake_expect_drop(n->f, DROP_IP6_EXTENSION_COUNT);
	put_chain(n, IPPROTO_TCP_, NULL, 0);
	assert_int_equal(n->f->proto, PROTO_TCP);
	assert_int_equal(a->pending_pool.used, 0);
	net_close(n);
}

/* In one burst with bad ones, a good packet is what it would be alone. */
static void attack_ip6_15_bad_neighbours_in_a_burst(void **unused)
{
	(void)unused;
	struct net *n = net_open(NULL, NULL);
	uint8_t good[8] = { IPPROTO_TCP_, 0, 1, 4, 0, 0, 0, 0 };
	for (unsigned i = 0; i < 256; i++) {
		uint8_t bad[16] = { IPPROTO_TCP_, 1, (uint8_t)i, (uint8_t)(255 - i), 0xc0, 200, 1,
			3, 0, 0, 0, (uint8_t)i, 9, 9 };
		put_chain(n, i & 1 ? IP6_DESTINATION : IP6_HOP_BY_HOP, bad, sizeof bad);
		put_chain(n, IP6_DESTINATION, good, sizeof good);
		assert_int_equal(n->f->proto, PROTO_TCP);
		assert_int_equal(n->f->rx.len, sizeof text);
		assert_memory_equal(n->f->rx.head.at, text, sizeof text);
	}
	net_close(n);
}

static void attack_ip6_08_first_fragment_without_its_headers(void **unused)
{
	(void)unused;
	struct net *n = net_open(NULL, NULL);
	net_know(n, n->nif, "2001:db8::7");
	/* A destination header that is longer than the first fragment. */
	uint8_t chain[8] = { IP6_DESTINATION, 0, 0, 1, 1, 2, 3, 4 };
	uint8_t body[8] = { IPPROTO_TCP_, 20, 1, 4, 0, 0, 0, 0 };
	struct packet_head h = { "2001:db8::7", "2001:db8::1", IP6_FRAGMENT, 0, chain, 8, 0 };
	net_put(n, n->nif, packet_of(h, body, sizeof body));
	assert_int_equal(n->f->rx.fate, FATE_DROPPED);
	fake_flush(n->f);
	struct sent_icmp s = net_sent_icmp(n, 0);
	assert_int_equal(s.type, ICMP6_PARAMETER);
	assert_int_equal(s.code, 3);
	net_close(n);
}

static void attack_ip6_03_26_lengths_and_jumbograms(void **unused)
{
	(void)unused;
	struct net *n = net_open(NULL, NULL);
	struct packet_head h = { "2001:db8::7", "2001:db8::1", IPPROTO_TCP_, 0, NULL, 0, 0 };
	struct packet p = packet_of(h, text, sizeof text);
	store16(p.frame + ETH_HEADER + 4, sizeof text + 1);
	net_put(n, n->nif, p);
	fake_expect_drop(n->f, DROP_IP6_PAYLOAD_LENGTH);
	store16(p.frame + ETH_HEADER + 4, 0);
	net_put(n, n->nif, p);
	fake_expect_drop(n->f, DROP_IP6_EMPTY);
	uint8_t jumbo[8] = { IPPROTO_TCP_, 0, 0xc2, 4, 0, 1, 0, 0 };
	put_chain(n, IP6_HOP_BY_HOP, jumbo, 8);
	fake_expect_drop(n->f, DROP_IP6_OPTION);
	h.protocol = IP6_HOP_BY_HOP;
	h.options = jumbo;
	h.options_len = 8;
	p = packet_of(h, text, sizeof text);
	store16(p.frame + ETH_HEADER + 4, 0);
	net_put(n, n->nif, p);
	fake_expect_drop(n->f, DROP_IP6_EMPTY);
	net_close(n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(delivers_tcp_and_udp),
		cmocka_unit_test(attack_l2_03_padding_is_no_payload),
		cmocka_unit_test(bodies_are_trimmed_too),
		cmocka_unit_test(sources_that_can_not_be),
		cmocka_unit_test(attack_ip6_25_sources_that_can_not_be),
		cmocka_unit_test(destinations),
		cmocka_unit_test(unicast_in_a_link_broadcast),
		cmocka_unit_test(attack_ip4_13_ttl_zero_is_for_us),
		cmocka_unit_test(attack_ip4_01_lengths),
		cmocka_unit_test(attack_ip4_05_06_options),
		cmocka_unit_test(attack_ip4_08_no_tunnels),
		cmocka_unit_test(attack_ip4_10_fragments),
		cmocka_unit_test(attack_ip6_10_atomic_fragments),
		cmocka_unit_test(attack_ip6_01_05_06_chains),
		cmocka_unit_test(attack_ip6_15_bad_neighbours_in_a_burst),
		cmocka_unit_test(attack_ip6_08_first_fragment_without_its_headers),
		cmocka_unit_test(attack_ip6_03_26_lengths_and_jumbograms),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
