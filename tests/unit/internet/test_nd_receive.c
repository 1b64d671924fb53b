/*
 * Neighbour discovery: asking, answering, learning, and what is not believed
 * (RFC 4861; attacks IP6-18, IP6-20, IP6-21, IP6-23).
 */
#include "unit/internet/fake_net.h"

static const struct packet_head ask_head = { "2001:db8::7", "ff02::1:ff00:1", 0, 0, NULL, 0, 0 };
static const struct packet_head tell_head = { "2001:db8::7", "2001:db8::1", 0, 0, NULL, 0, 0 };

static struct nd_message solicit(const char *target)
{
	return (struct nd_message){ .type = ICMP6_NEIGHBOUR_SOLICIT,
		.target = fake_addr(target),
		.has_source_mac = true,
		.source_mac = FAKE_PEER };
}

static struct nd_message advert(const char *target, const struct mac *mac)
{
	struct nd_message m = { .type = ICMP6_NEIGHBOUR_ADVERT,
		.target = fake_addr(target),
		.solicited = true,
		.override = true };
	if (mac) {
		m.has_target_mac = true;
		m.target_mac = *mac;
	}
	return m;
}

static void put(struct net *n, struct packet_head h, const struct nd_message *m)
{
	net_put(n, n->nif, nd_of(h, m));
}

/* The ND message of a frame that was sent. */
static struct nd_message sent_nd(const struct net *n, unsigned index)
{
	struct sent_icmp s = net_sent_icmp(n, index);
	struct nd_message m;
	assert_int_equal(s.hop_limit, 255);
	assert_int_equal(nd_parse(span_of(s.body.at - ICMP_HEADER, s.body.len + ICMP_HEADER), &m),
		DROP_NONE);
	return m;
}

static void solicitations_are_answered(void **unused)
{
	(void)unused;
	struct net *n = net_open(NULL, NULL);
	struct nd_message m = solicit("2001:db8::1");
	put(n, ask_head, &m);
	assert_int_equal(n->f->rx.fate, FATE_ANSWERED);
	assert_int_equal(n->f->count, 0);
	struct neighbour *peer = fake_neighbour(n->f, "2001:db8::7");
	assert_int_equal(peer->state, NEIGHBOUR_STALE);
	fake_flush(n->f);
	assert_int_equal(n->f->count, 1);
	assert_int_equal(n->f->sent[0].why, WHY_ND_ANSWER);
	assert_memory_equal(n->f->sent[0].bytes, FAKE_PEER.b, 6);
	struct sent_icmp s = net_sent_icmp(n, 0);
	assert_true(net_is(&s.source, "2001:db8::1"));
	assert_true(net_is(&s.destination, "2001:db8::7"));
	struct nd_message answer = sent_nd(n, 0);
	assert_int_equal(answer.type, ICMP6_NEIGHBOUR_ADVERT);
	assert_true(answer.solicited && answer.override && !answer.router);
	assert_true(answer.has_target_mac);
	assert_memory_equal(answer.target_mac.b, FAKE_MAC.b, 6);
	/* Answering did not wake the entry up: no probe follows. */
	fake_run(n->f, n->f->now + 20 * NANO_S);
	assert_int_equal(n->f->count, 1);
	/* By unicast, and without a MAC address: the frame's own is answered. */
	m.has_source_mac = false;
	put(n, tell_head, &m);
	assert_int_equal(n->f->rx.fate, FATE_ANSWERED);
	fake_flush(n->f);
	assert_memory_equal(n->f->sent[1].bytes, FAKE_PEER.b, 6);
	net_close(n);
}

static void who_has_no_address_yet_is_told_with_all(void **unused)
{
	(void)unused;
	struct net *n = net_open(NULL, NULL);
	struct nd_message m = solicit("2001:db8::1");
	struct packet_head h = ask_head;
	h.source = "::";
	put(n, h, &m); /* names a MAC address: malformed */
	fake_expect_drop(n->f, DROP_ND_FORMAT);
	m.has_source_mac = false;
	put(n, h, &m);
	assert_int_equal(n->f->rx.fate, FATE_ANSWERED);
	fake_flush(n->f);
	struct sent_icmp s = net_sent_icmp(n, 0);
	assert_true(net_is(&s.destination, "ff02::1"));
	assert_false(sent_nd(n, 0).solicited);
	assert_int_equal(load16(n->f->sent[0].bytes), 0x3333);
	assert_int_equal(n->f->access.neighbour_pool.used, 0);
	/* Not to the target's group. */
	h.destination = "2001:db8::1";
	put(n, h, &m);
	fake_expect_drop(n->f, DROP_ND_FORMAT);
	net_close(n);
}

static void solicitations_that_are_not_for_us(void **unused)
{
	(void)unused;
	struct net *n = net_open(NULL, NULL);
	struct nd_message m = solicit("2001:db8::2");
	put(n, tell_head, &m);
	fake_expect_drop(n->f, DROP_ND_TARGET);
	assert_null(fake_neighbour(n->f, "2001:db8::7"));
	m = solicit("::");
	put(n, tell_head, &m);
	fake_expect_drop(n->f, DROP_ND_FORMAT);
	m = solicit("2001:db8::1");
	m.source_mac = MAC_BROADCAST;
	put(n, tell_head, &m);
	fake_expect_drop(n->f, DROP_ND_FORMAT);
	m = solicit("ff02::1");
	put(n, tell_head, &m);
	fake_expect_drop(n->f, DROP_ND_FORMAT);
	net_close(n);
}

static void asks_the_targets_group_then_probes(void **unused)
{
	(void)unused;
	struct net *n = net_open(NULL, NULL);
	struct path p = { .generation = 0 };
	struct addr a = fake_addr("2001:db8::7");
	nanotime start = n->f->now;
	assert_int_equal(internet_path_ready(&n->in, &p, &a, start), PATH_WAIT);
	fake_run(n->f, start + NANO_S);
	assert_int_equal(n->f->count, 2);
	struct sent_icmp s = net_sent_icmp(n, 1);
	struct nd_message m = sent_nd(n, 1);
	assert_int_equal(n->f->sent[0].why, WHY_ND_ASK);
	assert_int_equal(n->f->sent[1].at - n->f->sent[0].at, NANO_S);
	assert_true(net_is(&s.destination, "ff02::1:ff00:7"));
	assert_true(net_is(&s.source, "2001:db8::1"));
	assert_int_equal(load32(n->f->sent[0].bytes), 0x3333ff00);
	assert_true(m.has_source_mac && addr_equal(&m.target, &a));
	m = advert("2001:db8::7", &FAKE_PEER);
	m.router = true;
	put(n, tell_head, &m);
	assert_int_equal(n->f->rx.fate, FATE_DELIVERED);
	assert_int_equal(internet_path_ready(&n->in, &p, &a, n->f->now), PATH_SEND);
	struct neighbour *peer = fake_neighbour(n->f, "2001:db8::7");
	assert_int_equal(peer->state, NEIGHBOUR_REACHABLE);
	assert_true(peer->router);
	/* Stale, used, delayed, probed by unicast. */
	fake_run(n->f, n->f->now + 50 * NANO_S);
	assert_int_equal(internet_path_ready(&n->in, &p, &a, n->f->now), PATH_SEND);
	fake_clear(n->f);
	fake_run(n->f, n->f->now + 5 * NANO_S);
	assert_int_equal(n->f->count, 1);
	assert_int_equal(n->f->sent[0].why, WHY_ND_PROBE);
	assert_memory_equal(n->f->sent[0].bytes, FAKE_PEER.b, 6);
	s = net_sent_icmp(n, 0);
	assert_true(net_is(&s.destination, "2001:db8::7"));
	m = advert("2001:db8::7", NULL); /* a probe may be answered without a MAC address */
	put(n, tell_head, &m);
	assert_int_equal(peer->state, NEIGHBOUR_REACHABLE);
	net_close(n);
}

static void solicitations_need_a_source(void **unused)
{
	(void)unused;
	struct net *n = net_open(NULL, NULL);
	struct netif *bare = fake_add_netif(n->f, 0);
	struct addr a = fake_addr("2001:db8:7::7");
	uint32_t i = neighbour_lookup(&n->f->access, bare, &a, n->f->now);
	neighbour_ready(&n->f->access, i, n->f->now);
	fake_flush(n->f);
	assert_int_equal(n->f->count, 0);
	assert_int_equal(n->f->counters.tx_drop[DROP_IP_NO_ROUTE], 1);
	struct addr b = fake_addr("2001:db8:7::8");
	i = neighbour_lookup(&n->f->access, bare, &b, n->f->now);
	neighbour_ready(&n->f->access, i, n->f->now);
	assert_int_equal(internet_transmit(&n->in, 8, n->f->now), 0); /* nothing counts as sent */
	net_close(n);
}

static void adverts_are_believed_as_far_as_asked(void **unused)
{
	(void)unused;
	struct net *n = net_open(NULL, NULL);
	struct nd_message m = advert("2001:db8::7", &FAKE_PEER);
	put(n, tell_head, &m);
	fake_expect_drop(n->f, DROP_ND_UNSOLICITED);
	assert_int_equal(n->f->access.neighbour_pool.used, 0);
	fake_lookup(n->f, "2001:db8::7");
	m.has_target_mac = false; /* an INCOMPLETE entry needs one */
	put(n, tell_head, &m);
	fake_expect_drop(n->f, DROP_ND_UNSOLICITED);
	m = advert("2001:db8::7", &FAKE_PEER);
	m.target_mac.b[0] |= 1;
	put(n, tell_head, &m);
	fake_expect_drop(n->f, DROP_ND_FORMAT);
	/* Solicited, to a group. */
	m = advert("2001:db8::7", &FAKE_PEER);
	struct packet_head h = tell_head;
	h.destination = "ff02::1";
	put(n, h, &m);
	fake_expect_drop(n->f, DROP_ND_FORMAT);
	m.solicited = false;
	put(n, h, &m);
	assert_int_equal(n->f->rx.fate, FATE_DELIVERED);
	assert_int_equal(fake_neighbour(n->f, "2001:db8::7")->state, NEIGHBOUR_STALE);
	/* Our own address. */
	m = advert("2001:db8::1", &FAKE_OTHER);
	put(n, tell_head, &m);
	fake_expect_drop(n->f, DROP_ADDRESS_CONFLICT);
	assert_int_equal(n->nif->conflicts, 1);
	net_close(n);
}

static void attack_ip6_21_unsolicited_override_is_checked(void **unused)
{
	(void)unused;
	struct net *n = net_open(NULL, NULL);
	net_know(n, n->nif, "2001:db8::fe");
	struct neighbour *router = fake_neighbour(n->f, "2001:db8::fe");
	struct nd_message m = advert("2001:db8::fe", &FAKE_OTHER);
	m.solicited = false;
	put(n, tell_head, &m);
	/* STALE: the next use is followed by a probe, and the change is traced. */
	assert_int_equal(router->state, NEIGHBOUR_STALE);
	neighbour_ready(&n->f->access, router->timer.owner, n->f->now);
	fake_clear(n->f);
	fake_run(n->f, n->f->now + 8 * NANO_S);
	assert_int_equal(n->f->count, 3);
	assert_null(fake_neighbour(n->f, "2001:db8::fe"));
	/* Without override nothing changes but the trust. */
	net_know(n, n->nif, "2001:db8::fe");
	router = fake_neighbour(n->f, "2001:db8::fe");
	m.override = false;
	put(n, tell_head, &m);
	assert_int_equal(router->state, NEIGHBOUR_STALE);
	assert_memory_equal(router->mac.b, FAKE_PEER.b, 6);
	net_close(n);
}

static void attack_ip6_18_hop_limit_code_and_router_advertisements(void **unused)
{
	(void)unused;
	struct net *n = net_open(NULL, NULL);
	static const uint8_t types[] = { ICMP6_ROUTER_SOLICIT, ICMP6_ROUTER_ADVERT,
		ICMP6_NEIGHBOUR_SOLICIT, ICMP6_NEIGHBOUR_ADVERT, ICMP6_REDIRECT };
	uint8_t body[64] = { 0 };
	for (unsigned i = 0; i < sizeof types; i++) {
		for (unsigned limit = 1; limit < 255; limit++) {
			struct packet_head h = { "fe80::7", "2001:db8::1", 0, (uint8_t)limit, NULL,
				0, 0 };
			net_put(n, n->nif, icmp_of(h, types[i], 0, 0, body, 32));
			fake_expect_drop(n->f, DROP_ND_HOP_LIMIT);
		}
		for (unsigned code = 1; code < 256; code++) {
			struct packet_head h = { "fe80::7", "2001:db8::1", 0, 255, NULL, 0, 0 };
			net_put(n, n->nif, icmp_of(h, types[i], (uint8_t)code, 0, body, 32));
			fake_expect_drop(n->f, DROP_ND_FORMAT);
		}
	}
	struct nd_message ra = { .type = ICMP6_ROUTER_ADVERT,
		.hop_limit = 1,
		.lifetime = 65535,
		.has_mtu = true,
		.mtu = 1 };
	struct packet_head h = { "2001:db8::7", "ff02::1", 0, 0, NULL, 0, 0 };
	put(n, h, &ra);
	fake_expect_drop(n->f, DROP_ND_FORMAT); /* not from a link-local address */
	h.source = "fe80::7";
	put(n, h, &ra);
	fake_expect_drop(n->f, DROP_ICMP_TYPE); /* sound, and not acted on */
	struct nd_message rs = { .type = ICMP6_ROUTER_SOLICIT };
	put(n, h, &rs);
	fake_expect_drop(n->f, DROP_ICMP_TYPE);
	assert_int_equal(n->in.config.hop_limit, 64);
	assert_int_equal(n->nif->mtu, 1500);
	/* An option of length 0. */
	uint8_t option[40] = { 0 };
	option[16] = 1;
	struct addr us = fake_addr("2001:db8::1");
	memcpy(option, us.b, 16);
	h = (struct packet_head){ "fe80::7", "2001:db8::1", 0, 255, NULL, 0, 0 };
	net_put(n, n->nif, icmp_of(h, ICMP6_NEIGHBOUR_SOLICIT, 0, 0, option, 24));
	fake_expect_drop(n->f, DROP_ND_FORMAT);
	net_close(n);
}

static void attack_ip6_16_router_lifetimes_race_nothing(void **unused)
{
	(void)unused;
	struct net *n = net_open(NULL, NULL);
	net_route(n, "::", 0, "2001:db8::fe");
	net_know(n, n->nif, "2001:db8::fe");
	struct route_table before = n->in.routes;
	struct packet_head h = { "fe80::7", "ff02::1", 0, 0, NULL, 0, 0 };
	for (unsigned i = 0; i < 200; i++) {
		struct nd_message ra = { .type = ICMP6_ROUTER_ADVERT,
			.lifetime = (uint16_t)(i & 1),
			.prefixes = 1,
			.prefix = { { .prefix = fake_addr("2001:db8::"),
				.len = 64,
				.on_link = true,
				.autonomous = true,
				.valid_s = i & 1 } } };
		put(n, h, &ra);
		fake_expect_drop(n->f, DROP_ICMP_TYPE);
		fake_run(n->f, n->f->now + 100 * NANO_MS);
	}
	assert_memory_equal(&n->in.routes, &before, sizeof before);
	assert_int_equal(n->nif->addresses, 2);
	net_close(n);
}

static void redirects_are_not_followed(void **unused)
{
	(void)unused;
	struct net *n = net_open(NULL, NULL);
	uint8_t body[32];
	struct addr better = fake_addr("fe80::66"), to = fake_addr("2001:db8:9::9");
	memcpy(body, better.b, 16);
	memcpy(body + 16, to.b, 16);
	struct packet_head h = { "fe80::7", "2001:db8::1", 0, 255, NULL, 0, 0 };
	net_put(n, n->nif, icmp_of(h, ICMP6_REDIRECT, 0, 0, body, sizeof body));
	fake_expect_drop(n->f, DROP_ICMP_REDIRECT);
	assert_int_equal(n->in.routes.count, 2);
	net_close(n);
}

static void attack_ip6_23_nothing_in_fragments(void **unused)
{
	(void)unused;
	struct net *n = net_open(NULL, NULL);
	uint8_t chain[8] = { IPPROTO_ICMP6, 0, 0, 0, 1, 2, 3, 4 };
	struct nd_message m = solicit("2001:db8::1");
	struct packet_head h = ask_head;
	h.protocol = IP6_FRAGMENT;
	h.options = chain;
	h.options_len = sizeof chain;
	put(n, h, &m); /* even one that is the whole message */
	fake_expect_drop(n->f, DROP_ND_FORMAT);
	chain[3] = 1;
	put(n, h, &m);
	fake_expect_drop(n->f, DROP_IP_FRAGMENT);
	assert_int_equal(n->f->access.neighbour_pool.used, 0);
	/* Other ICMPv6 may come in an atomic fragment. */
	chain[3] = 0;
	struct packet_head e = { "2001:db8::7", "2001:db8::1", IP6_FRAGMENT, 0, chain, 8, 0 };
	net_put(n, n->nif, icmp_of(e, ICMP6_ECHO, 0, 1, chain, 8));
	assert_int_equal(n->f->rx.fate, FATE_ANSWERED);
	net_close(n);
}

static void messages_must_lie_in_the_head(void **unused)
{
	(void)unused;
	struct net *n = net_open(NULL, NULL);
	struct nd_message m = solicit("2001:db8::1");
	struct packet p = nd_of(tell_head, &m);
	fake_ethernet(p.frame, &n->nif->mac, &FAKE_PEER, ETHERTYPE_IP6, 0);
	struct span bodies[1] = { span_of(p.frame + 80, ETH_HEADER + p.len - 80) };
	struct rx_frame frame = { .head = span_of(p.frame, 80),
		.body = bodies,
		.bodies = 1,
		.seg_count = 1,
		.len = (uint32_t)(ETH_HEADER + p.len) };
	fake_receive_frame(n->f, n->nif, &frame);
	fake_expect_drop(n->f, DROP_ND_FORMAT);
	net_close(n);
}

static void attack_ip6_20_answers_are_bounded(void **unused)
{
	(void)unused;
	struct net *n = net_open(NULL, NULL);
	struct nd_message m = solicit("2001:db8::1");
	for (unsigned i = 0; i < n->in.config.replies; i++) {
		put(n, ask_head, &m);
		assert_int_equal(n->f->rx.fate, FATE_ANSWERED);
	}
	put(n, ask_head, &m);
	fake_expect_drop(n->f, DROP_INTENT_FULL);
	n->nif->blocked = true;
	assert_false(internet_has_work(&n->in));
	assert_int_equal(internet_transmit(&n->in, 100, n->f->now), 0);
	n->nif->blocked = false;
	fake_flush(n->f);
	assert_int_equal(n->f->count, n->in.config.replies);
	net_close(n);
}

static void answers_keep_their_order(void **unused)
{
	(void)unused;
	struct net *n = net_open(NULL, NULL);
	static const char *const targets[] = { "2001:db8::1", "2001:db8::a", "2001:db8::b" };
	net_address(n, n->nif, "2001:db8::a", 64);
	net_address(n, n->nif, "2001:db8::b", 64);
	for (unsigned round = 0; round < 50; round++) {
		fake_clear(n->f);
		for (unsigned i = 0; i < 3; i++) {
			struct nd_message m = solicit(targets[i]);
			put(n, tell_head, &m);
		}
		assert_int_equal(internet_transmit(&n->in, 2, n->f->now), 2);
		assert_int_equal(n->f->count, 2);
		assert_int_equal(internet_transmit(&n->in, 2, n->f->now), 1);
		for (unsigned i = 0; i < 3; i++) {
			struct nd_message m = sent_nd(n, i);
			assert_true(net_is(&m.target, targets[i]));
		}
	}
	net_close(n);
}

static void routers_say_that_they_are(void **unused)
{
	(void)unused;
	struct net *n = net_open_router();
	struct nd_message m = solicit("2001:db8::1");
	put(n, ask_head, &m);
	fake_flush(n->f);
	assert_true(sent_nd(n, 0).router);
	net_close(n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(solicitations_are_answered),
		cmocka_unit_test(who_has_no_address_yet_is_told_with_all),
		cmocka_unit_test(solicitations_that_are_not_for_us),
		cmocka_unit_test(asks_the_targets_group_then_probes),
		cmocka_unit_test(solicitations_need_a_source),
		cmocka_unit_test(adverts_are_believed_as_far_as_asked),
		cmocka_unit_test(attack_ip6_21_unsolicited_override_is_checked),
		cmocka_unit_test(attack_ip6_18_hop_limit_code_and_router_advertisements),
		cmocka_unit_test(attack_ip6_16_router_lifetimes_race_nothing),
		cmocka_unit_test(redirects_are_not_followed),
		cmocka_unit_test(attack_ip6_23_nothing_in_fragments),
		cmocka_unit_test(messages_must_lie_in_the_head),
		cmocka_unit_test(attack_ip6_20_answers_are_bounded),
		cmocka_unit_test(answers_keep_their_order),
		cmocka_unit_test(routers_say_that_they_are),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
