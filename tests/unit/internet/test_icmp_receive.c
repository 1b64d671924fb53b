/*
 * ICMP in: echo of both families, errors about packets of ours and about those
 * that are not, and the types that are retired (attacks IP4-03, ICMP-01, ICMP-03,
 * ICMP-05, ICMP-06, ICMP-08, IP6-11).
 */
#include "unit/internet/fake_net.h"

static const struct packet_head four = { "192.0.2.7", "192.0.2.1", 0, 0, NULL, 0, 0 };
static const struct packet_head six = { "2001:db8::7", "2001:db8::1", 0, 0, NULL, 0, 0 };
static uint8_t body[2000];

static struct net *open_host(void)
{
	struct net *n = net_open(NULL, NULL);
	for (unsigned i = 0; i < sizeof body; i++)
		body[i] = (uint8_t)(i * 13);
	net_know(n, n->nif, "192.0.2.7");
	net_know(n, n->nif, "2001:db8::7");
	return n;
}

static void echo_is_answered(void **unused)
{
	(void)unused;
	struct net *n = open_host();
	static const size_t lengths[] = { 0, 1, 7, 56, 1371, 1452 };
	for (unsigned v6 = 0; v6 < 2; v6++)
		for (unsigned i = 0; i < sizeof lengths / sizeof *lengths; i++) {
			struct packet_head h = v6 ? six : four;
			fake_clear(n->f);
			net_put(n, n->nif,
				icmp_of(h, v6 ? ICMP6_ECHO : ICMP4_ECHO, 0, 0x12340000 + i, body,
					lengths[i]));
			assert_int_equal(n->f->rx.fate, FATE_ANSWERED);
			assert_int_equal(n->f->count, 0);
			fake_flush(n->f);
			assert_int_equal(n->f->count, 1);
			assert_int_equal(n->f->sent[0].why, WHY_ECHO_ANSWER);
			struct sent_icmp s = net_sent_icmp(n, 0);
			assert_int_equal(s.type, v6 ? ICMP6_ECHO_REPLY : ICMP4_ECHO_REPLY);
			assert_int_equal(s.code, 0);
			assert_int_equal(s.rest, 0x12340000 + i);
			assert_int_equal(s.body.len, lengths[i]);
			assert_memory_equal(s.body.at, body, lengths[i]);
			assert_true(net_is(&s.source, h.destination));
			assert_true(net_is(&s.destination, h.source));
			assert_int_equal(s.hop_limit, 64);
		}
	assert_int_equal(n->in.reply_pool.used, 0);
	net_close(n);
}

static void echo_from_bodies(void **unused)
{
	(void)unused;
	struct net *n = open_host();
	struct packet p = icmp_of(four, ICMP4_ECHO, 0, 1, body, 1001);
	fake_ethernet(p.frame, &n->nif->mac, &FAKE_PEER, ETHERTYPE_IP4, 0);
	struct span bodies[2] = { span_of(p.frame + 77, 500),
		span_of(p.frame + 577, ETH_HEADER + p.len - 577) };
	struct rx_frame frame = { .head = span_of(p.frame, 77),
		.body = bodies,
		.bodies = 2,
		.seg_count = 1,
		.len = (uint32_t)(ETH_HEADER + p.len) };
	fake_receive_frame(n->f, n->nif, &frame);
	assert_int_equal(n->f->rx.fate, FATE_ANSWERED);
	fake_flush(n->f);
	struct sent_icmp s = net_sent_icmp(n, 0);
	assert_int_equal(s.body.len, 1001);
	assert_memory_equal(s.body.at, body, 1001);
	net_close(n);
}

static void echo_too_large_or_too_many(void **unused)
{
	(void)unused;
	struct internet_config c;
	internet_config_default(&c);
	c.echo_max = 100;
	c.replies = 2;
	struct net *n = net_open(&c, NULL);
	net_put(n, n->nif, icmp_of(four, ICMP4_ECHO, 0, 1, body, 101));
	fake_expect_drop(n->f, DROP_ICMP_ECHO_SIZE);
	for (unsigned i = 0; i < 2; i++) {
		net_put(n, n->nif, icmp_of(four, ICMP4_ECHO, 0, 1, body, 100));
		assert_int_equal(n->f->rx.fate, FATE_ANSWERED);
	}
	net_put(n, n->nif, icmp_of(four, ICMP4_ECHO, 0, 1, body, 100));
	fake_expect_drop(n->f, DROP_INTENT_FULL);
	net_close(n);
}

static void echo_waits_for_its_neighbour(void **unused)
{
	(void)unused;
	struct net *n = net_open(NULL, NULL);
	net_put(n, n->nif, icmp_of(four, ICMP4_ECHO, 0, 1, body, 10));
	fake_flush(n->f);
	assert_int_equal(n->f->count, 1);
	assert_int_equal(n->f->sent[0].why, WHY_ARP_ASK);
	fake_receive_arp(n->f, n->nif,
		(struct fake_arp){
			.operation = ARP_REPLY, .sender = "192.0.2.7", .target = "192.0.2.1" });
	fake_flush(n->f);
	assert_int_equal(n->f->count, 2);
	assert_int_equal(net_sent_icmp(n, 1).type, ICMP4_ECHO_REPLY);
	net_close(n);
}

static void replies_without_a_way_are_dropped(void **unused)
{
	(void)unused;
	struct net *n = net_open(NULL, NULL);
	struct packet_head far = { "203.0.113.5", "192.0.2.1", 0, 0, NULL, 0, 0 };
	net_put(n, n->nif, icmp_of(far, ICMP4_ECHO, 0, 1, body, 10));
	fake_flush(n->f);
	assert_int_equal(n->f->count, 0);
	assert_int_equal(n->f->counters.tx_drop[DROP_IP_NO_ROUTE], 1);
	assert_int_equal(n->in.reply_pool.used, 0);
	net_close(n);
}

static void full_links_hold_replies(void **unused)
{
	(void)unused;
	struct net *n = open_host();
	net_put(n, n->nif, icmp_of(four, ICMP4_ECHO, 0, 1, body, 10));
	n->nif->blocked = true;
	assert_false(internet_has_work(&n->in));
	fake_flush(n->f);
	assert_int_equal(n->f->count, 0);
	n->nif->blocked = false;
	assert_true(internet_has_work(&n->in));
	fake_flush(n->f);
	assert_int_equal(n->f->count, 1);
	net_close(n);
}

static void attack_icmp_01_smurf(void **unused)
{
	(void)unused;
	struct net *n = open_host();
	static const char *const groups[] = { "192.0.2.255", "255.255.255.255", "224.0.0.1" };
	struct mac broadcast = MAC_BROADCAST;
	for (unsigned i = 0; i < 3; i++) {
		struct packet_head h = four;
		h.destination = groups[i];
		struct packet p = icmp_of(h, ICMP4_ECHO, 0, 1, body, 10);
		net_put_to(n, n->nif, &p, &broadcast);
		fake_expect_drop(n->f, DROP_ICMP_ECHO_BROADCAST);
	}
	fake_flush(n->f);
	assert_int_equal(n->f->count, 0);
	/* ICMPv6 has it otherwise (RFC 4443 4.2): answered, from a unicast address. */
	struct packet_head h = six;
	h.destination = "ff02::1";
	net_put(n, n->nif, icmp_of(h, ICMP6_ECHO, 0, 1, body, 10));
	fake_flush(n->f);
	assert_int_equal(n->f->count, 1);
	struct sent_icmp s = net_sent_icmp(n, 0);
	assert_true(net_is(&s.source, "2001:db8::1"));
	net_close(n);
}

static void echo_replies_go_up(void **unused)
{
	(void)unused;
	struct net *n = open_host();
	net_put(n, n->nif, icmp_of(four, ICMP4_ECHO_REPLY, 0, 0xabcd0102, body, 77));
	assert_int_equal(n->f->proto, PROTO_ECHO_REPLY);
	assert_int_equal(n->f->rx.echo_id, 0xabcd);
	assert_int_equal(n->f->rx.echo_sequence, 0x0102);
	assert_int_equal(n->f->rx.len, 77);
	net_put(n, n->nif, icmp_of(six, ICMP6_ECHO_REPLY, 0, 0xabcd0102, body, 77));
	assert_int_equal(n->f->proto, PROTO_ECHO_REPLY);
	assert_int_equal(n->f->rx.len, 77);
	struct packet_head h = four;
	h.destination = "192.0.2.255";
	net_put(n, n->nif, icmp_of(h, ICMP4_ECHO_REPLY, 0, 1, body, 77));
	fake_expect_drop(n->f, DROP_ICMP_TYPE);
	net_close(n);
}

static void attack_ip4_03_sums_and_sizes(void **unused)
{
	(void)unused;
	struct net *n = open_host();
	for (size_t len = 0; len < 8; len++) {
		struct packet_head h = four;
		h.protocol = IPPROTO_ICMP4;
		net_put(n, n->nif, packet_of(h, body, len));
		fake_expect_drop(n->f, DROP_ICMP_SHORT);
		if (len == 0)
			continue;
		h = six;
		h.protocol = IPPROTO_ICMP6;
		net_put(n, n->nif, packet_of(h, body, len));
		fake_expect_drop(n->f, DROP_ICMP_SHORT);
	}
	/* One bit anywhere in the message, to the last byte. */
	for (unsigned v6 = 0; v6 < 2; v6++) {
		size_t start = ETH_HEADER + (v6 ? 40 : 20);
		for (size_t at = start; at < start + 8 + 33; at++) {
			struct packet p = icmp_of(
				v6 ? six : four, v6 ? ICMP6_ECHO : ICMP4_ECHO, 0, 1, body, 33);
			p.frame[at] ^= 0x10;
			net_put(n, n->nif, p);
			fake_expect_drop(n->f, DROP_ICMP_CHECKSUM);
		}
	}
	/* Somebody verified it already. */
	struct packet p = icmp_of(four, ICMP4_ECHO, 0, 1, body, 33);
	p.frame[60] ^= 1;
	size_t len = fake_ethernet(p.frame, &n->nif->mac, &FAKE_PEER, ETHERTYPE_IP4, p.len);
	struct rx_frame frame = rx_frame_of(p.frame, len);
	frame.checksum = CHECKSUM_VALID;
	fake_receive_frame(n->f, n->nif, &frame);
	assert_int_equal(n->f->rx.fate, FATE_ANSWERED);
	net_close(n);
}

static void attack_icmp_06_08_retired_types(void **unused)
{
	(void)unused;
	struct net *n = open_host();
	static const uint8_t none4[] = { 1, 2, 4, 6, 9, 10, 13, 14, 15, 16, 17, 18, 30, 40, 255 };
	for (unsigned i = 0; i < sizeof none4; i++) {
		net_put(n, n->nif, icmp_of(four, none4[i], 0, 0, body, 60));
		fake_expect_drop(n->f, DROP_ICMP_TYPE);
	}
	net_put(n, n->nif, icmp_of(four, ICMP4_REDIRECT, 1, 0xc00002fe, body, 60));
	fake_expect_drop(n->f, DROP_ICMP_REDIRECT);
	static const uint8_t none6[] = { 0, 5, 100, 127, 130, 131, 132, 138, 139, 143, 200, 255 };
	for (unsigned i = 0; i < sizeof none6; i++) {
		net_put(n, n->nif, icmp_of(six, none6[i], 0, 0, body, 60));
		fake_expect_drop(n->f, DROP_ICMP_TYPE);
	}
	fake_flush(n->f);
	assert_int_equal(n->f->count, 0);
	net_close(n);
}

/* What an error quotes: a packet of ours with these. */
static size_t quote4(uint8_t *out, const char *source, uint8_t protocol, uint16_t fragment)
{
	struct packet_head h = { source, "203.0.113.5", protocol, 0, NULL, 0, fragment };
	uint8_t transport[20] = { 0x12, 0x34, 0x00, 0x50, 1, 2, 3, 4 };
	struct packet p = packet_of(h, transport, sizeof transport);
	memcpy(out, p.frame + ETH_HEADER, p.len);
	out[8] = 1;      /* the hop limit was counted down */
	out[10] ^= 0x55; /* and the checksum is anything */
	return p.len;
}

static size_t quote6(uint8_t *out, const char *source, uint8_t protocol)
{
	struct packet_head h = { source, "2001:db8:5::5", protocol, 0, NULL, 0, 0 };
	uint8_t transport[20] = { 0x12, 0x34, 0x00, 0x50, 1, 2, 3, 4 };
	struct packet p = packet_of(h, transport, sizeof transport);
	memcpy(out, p.frame + ETH_HEADER, p.len);
	return p.len;
}

static void errors_about_our_packets_go_up(void **unused)
{
	(void)unused;
	struct net *n = open_host();
	static const struct {
		uint8_t type, code, protocol;
	} row[] = {
		{ ICMP4_UNREACHABLE, 3, IPPROTO_UDP_ },
		{ ICMP4_UNREACHABLE, 1, IPPROTO_TCP_ },
		{ ICMP4_TIME_EXCEEDED, 0, IPPROTO_TCP_ },
		{ ICMP4_PARAMETER, 0, IPPROTO_TCP_ },
	};
	uint8_t quoted[100];
	for (unsigned i = 0; i < sizeof row / sizeof *row; i++) {
		size_t len = quote4(quoted, "192.0.2.1", row[i].protocol, 0x4000);
		struct packet_head h = four;
		h.source = "198.51.100.77"; /* any router may tell */
		net_put(n, n->nif, icmp_of(h, row[i].type, row[i].code, 0, quoted, len));
		const struct rx_icmp_error *e = &n->f->rx.icmp;
		assert_int_equal(n->f->proto, PROTO_ICMP_ERROR);
		assert_int_equal(e->type, row[i].type);
		assert_int_equal(e->code, row[i].code);
		assert_false(e->v6);
		assert_int_equal(e->mtu, 0);
		assert_int_equal(e->protocol, row[i].protocol);
		assert_true(net_is(&e->source, "192.0.2.1"));
		assert_true(net_is(&e->destination, "203.0.113.5"));
		assert_int_equal(e->quote.len, 20);
		assert_int_equal(load32(e->quote.at), 0x12340050);
	}
	static const uint8_t types6[] = { ICMP6_UNREACHABLE, ICMP6_TIME_EXCEEDED, ICMP6_PARAMETER };
	for (unsigned i = 0; i < sizeof types6; i++) {
		size_t len = quote6(quoted, "2001:db8::1", IPPROTO_TCP_);
		net_put(n, n->nif, icmp_of(six, types6[i], 1, 6, quoted, len));
		assert_int_equal(n->f->proto, PROTO_ICMP_ERROR);
		assert_true(n->f->rx.icmp.v6);
		assert_int_equal(n->f->rx.icmp.protocol, IPPROTO_TCP_);
		assert_int_equal(n->f->rx.icmp.quote.len, 20);
	}
	/* Our own echo request, for a ping socket. */
	size_t len = quote4(quoted, "192.0.2.1", IPPROTO_ICMP4, 0);
	quoted[20] = ICMP4_ECHO;
	net_put(n, n->nif, icmp_of(four, ICMP4_UNREACHABLE, 1, 0, quoted, len));
	assert_int_equal(n->f->proto, PROTO_ICMP_ERROR);
	assert_int_equal(n->f->rx.icmp.protocol, IPPROTO_ICMP4);
	net_close(n);
}

static void attack_icmp_03_quotes_that_are_not_ours(void **unused)
{
	(void)unused;
	struct net *n = open_host();
	uint8_t quoted[100];
	/* not from us; a protocol that we do not speak; a later fragment; an error */
	size_t len = quote4(quoted, "192.0.2.2", IPPROTO_TCP_, 0);
	net_put(n, n->nif, icmp_of(four, ICMP4_UNREACHABLE, 3, 0, quoted, len));
	fake_expect_drop(n->f, DROP_ICMP_QUOTE);
	len = quote4(quoted, "192.0.2.1", 47, 0);
	net_put(n, n->nif, icmp_of(four, ICMP4_UNREACHABLE, 3, 0, quoted, len));
	fake_expect_drop(n->f, DROP_ICMP_QUOTE);
	len = quote4(quoted, "192.0.2.1", IPPROTO_UDP_, 0x2001);
	net_put(n, n->nif, icmp_of(four, ICMP4_UNREACHABLE, 3, 0, quoted, len));
	fake_expect_drop(n->f, DROP_ICMP_QUOTE);
	len = quote4(quoted, "192.0.2.1", IPPROTO_ICMP4, 0);
	quoted[20] = ICMP4_UNREACHABLE;
	net_put(n, n->nif, icmp_of(four, ICMP4_UNREACHABLE, 3, 0, quoted, len));
	fake_expect_drop(n->f, DROP_ICMP_QUOTE);
	/* ICMPv6 in IPv4 is nothing of ours either. */
	len = quote4(quoted, "192.0.2.1", IPPROTO_ICMP6, 0);
	quoted[20] = ICMP6_ECHO;
	net_put(n, n->nif, icmp_of(four, ICMP4_UNREACHABLE, 3, 0, quoted, len));
	fake_expect_drop(n->f, DROP_ICMP_QUOTE);
	/* cut anywhere before the eighth transport byte */
	for (size_t cut = 0; cut < 28; cut++) {
		quote4(quoted, "192.0.2.1", IPPROTO_TCP_, 0);
		net_put(n, n->nif, icmp_of(four, ICMP4_UNREACHABLE, 3, 0, quoted, cut));
		fake_expect_drop(n->f, DROP_ICMP_QUOTE);
	}
	for (size_t cut = 0; cut < 48; cut++) {
		quote6(quoted, "2001:db8::1", IPPROTO_TCP_);
		net_put(n, n->nif, icmp_of(six, ICMP6_UNREACHABLE, 3, 0, quoted, cut));
		fake_expect_drop(n->f, DROP_ICMP_QUOTE);
	}
	/* a header length that leaves nothing; the wrong version */
	for (unsigned first = 0; first < 256; first++) {
		len = quote4(quoted, "192.0.2.1", IPPROTO_TCP_, 0);
		quoted[0] = (uint8_t)first;
		net_put(n, n->nif, icmp_of(four, ICMP4_UNREACHABLE, 3, 0, quoted, len));
		if (first < 0x45 || first > 0x48)
			fake_expect_drop(n->f, DROP_ICMP_QUOTE);
	}
	/* an error sent to a group */
	struct packet_head h = four;
	h.destination = "192.0.2.255";
	len = quote4(quoted, "192.0.2.1", IPPROTO_TCP_, 0);
	net_put(n, n->nif, icmp_of(h, ICMP4_UNREACHABLE, 3, 0, quoted, len));
	fake_expect_drop(n->f, DROP_ICMP_QUOTE);
	/* IPv4 in disguise within the quote */
	len = quote6(quoted, "2001:db8::1", IPPROTO_TCP_);
	struct addr mapped = fake_addr("192.0.2.1");
	memcpy(quoted + 8, mapped.b, 16);
	net_put(n, n->nif, icmp_of(six, ICMP6_UNREACHABLE, 3, 0, quoted, len));
	fake_expect_drop(n->f, DROP_ICMP_QUOTE);
	net_close(n);
}

static void attack_icmp_05_ip6_11_mtu(void **unused)
{
	(void)unused;
	struct net *n = open_host();
	static const struct {
		uint32_t mtu;
		bool four, six;
	} row[] = {
		{ 0, true, false },
		{ 1, false, false },
		{ 67, false, false },
		{ 68, true, false },
		{ 295, true, false },
		{ 1279, true, false },
		{ 1280, true, true },
		{ 1500, true, true },
		{ 65535, true, true },
	};
	uint8_t quoted[100];
	for (unsigned i = 0; i < sizeof row / sizeof *row; i++) {
		size_t len = quote4(quoted, "192.0.2.1", IPPROTO_TCP_, 0x4000);
		net_put(n, n->nif, icmp_of(four, ICMP4_UNREACHABLE, 4, row[i].mtu, quoted, len));
		if (row[i].four) {
			assert_int_equal(n->f->proto, PROTO_ICMP_ERROR);
			assert_int_equal(n->f->rx.icmp.mtu, row[i].mtu);
		} else {
			fake_expect_drop(n->f, DROP_ICMP_MTU);
		}
		len = quote6(quoted, "2001:db8::1", IPPROTO_TCP_);
		net_put(n, n->nif, icmp_of(six, ICMP6_TOO_BIG, 0, row[i].mtu, quoted, len));
		if (row[i].six) {
			assert_int_equal(n->f->proto, PROTO_ICMP_ERROR);
			assert_int_equal(n->f->rx.icmp.mtu, row[i].mtu);
		} else {
			fake_expect_drop(n->f, DROP_ICMP_MTU);
		}
	}
	net_close(n);
}

/* No answer of ours, no route and no path depends on what an error or a redirect claimed. */
static void attack_icmp_11_errors_change_nothing_here(void **unused)
{
	(void)unused;
	struct net *n = open_host();
	net_route(n, "0.0.0.0", 0, "192.0.2.254");
	struct route_table before = n->in.routes;
	struct path path = { .generation = 0 };
	struct addr a = fake_addr("203.0.113.5");
	assert_int_equal(internet_path(&n->in, &path, &a, n->f->now), ERR_OK);
	uint32_t used = n->f->access.neighbour_pool.used;
	uint8_t quoted[100];
	for (unsigned port = 0; port < 3000; port++) {
		size_t len = quote4(quoted, "192.0.2.1", IPPROTO_UDP_, 0x4000);
		store16(quoted + 20, (uint16_t)port);
		net_put(n, n->nif, icmp_of(four, ICMP4_UNREACHABLE, 4, 600, quoted, len));
		assert_int_equal(n->f->proto, PROTO_ICMP_ERROR);
		net_put(n, n->nif, icmp_of(four, ICMP4_REDIRECT, 1, 0xc0000266, quoted, len));
		fake_expect_drop(n->f, DROP_ICMP_REDIRECT);
	}
	assert_memory_equal(&n->in.routes, &before, sizeof before);
	assert_int_equal(internet_path(&n->in, &path, &a, n->f->now), ERR_OK);
	assert_int_equal(path.mtu, 1500);
	assert_int_equal(n->f->access.neighbour_pool.used, used);
	fake_flush(n->f);
	assert_int_equal(n->f->count, 0);
	net_close(n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(echo_is_answered),
		cmocka_unit_test(echo_from_bodies),
		cmocka_unit_test(echo_too_large_or_too_many),
		cmocka_unit_test(echo_waits_for_its_neighbour),
		cmocka_unit_test(replies_without_a_way_are_dropped),
		cmocka_unit_test(full_links_hold_replies),
		cmocka_unit_test(attack_icmp_01_smurf),
		cmocka_unit_test(echo_replies_go_up),
		cmocka_unit_test(attack_ip4_03_sums_and_sizes),
		cmocka_unit_test(attack_icmp_06_08_retired_types),
		cmocka_unit_test(errors_about_our_packets_go_up),
		cmocka_unit_test(attack_icmp_03_quotes_that_are_not_ours),
		cmocka_unit_test(attack_icmp_05_ip6_11_mtu),
		cmocka_unit_test(attack_icmp_11_errors_change_nothing_here),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
