/*
 * Anything may come in. Random frames, good frames with random damage, and frames
 * cut anywhere, into a host and a router with every kind of entry in their tables:
 * each frame has one fate, every queue keeps its bound, everything that is sent is
 * well formed, nothing is read past the end (the sanitizers see to that), and when
 * the storm is over the pools are whole and a ping is answered.
 */
#include "unit/internet/fake_net.h"
#include "unit/base/property.h"

static uint8_t body[1500];

static const char *pick_address(struct rng *r, bool v6)
{
	static const char *const four[] = { "192.0.2.1", "192.0.2.7", "192.0.2.8", "192.0.2.255",
		"198.51.100.7", "198.51.100.1", "255.255.255.255", "224.0.0.1", "203.0.113.9",
		"127.0.0.1", "0.0.0.0", "169.254.3.3" };
	static const char *const six[] = { "2001:db8::1", "2001:db8::7", "2001:db8::8", "ff02::1",
		"ff02::1:ff00:1", "2001:db8:2::7", "fe80::7", "::", "::1", "2001:db8:2::1",
		"2001:db8:9::9", "ff02::2" };
	return v6 ? six[rng_below(r, 12)] : four[rng_below(r, 12)];
}

static struct packet random_icmp(struct rng *r, struct packet_head h, bool v6)
{
	static const uint8_t types4[] = { 0, 3, 4, 5, 8, 11, 12, 13, 200 };
	static const uint8_t types6[] = { 1, 2, 3, 4, 128, 129, 130, 133, 134, 135, 136, 137 };
	uint8_t type = v6 ? types6[rng_below(r, 12)] : types4[rng_below(r, 9)];
	size_t len = rng_below(r, 200);
	h.protocol = 0;
	if (rng_below(r, 2)) {
		/* a quote or a target that means something */
		struct packet_head inner = { pick_address(r, v6), pick_address(r, v6), IPPROTO_TCP_,
			0, NULL, 0, 0 };
		struct packet q = packet_of(inner, body, 40);
		size_t skip = type >= 133 && v6 ? 8 : 0;
		return icmp_of(h, type, (uint8_t)rng_below(r, 5), (uint32_t)rng_next(r),
			q.frame + ETH_HEADER + skip, q.len - skip);
	}
	return icmp_of(h, type, (uint8_t)rng_below(r, 3), (uint32_t)rng_next(r), body, len);
}

static struct packet random_nd(struct rng *r, struct packet_head h)
{
	struct nd_message m = {
		.type = rng_below(r, 2) ? ICMP6_NEIGHBOUR_SOLICIT : ICMP6_NEIGHBOUR_ADVERT,
		.solicited = rng_below(r, 2),
		.override = rng_below(r, 2),
		.target = fake_addr(pick_address(r, true)),
		.source_mac = FAKE_PEER,
		.target_mac = FAKE_OTHER,
	};
	m.has_source_mac = m.type == ICMP6_NEIGHBOUR_SOLICIT && rng_below(r, 2);
	m.has_target_mac = m.type == ICMP6_NEIGHBOUR_ADVERT && rng_below(r, 2);
	h.protocol = 0;
	h.hop_limit = 255;
	return nd_of(h, &m);
}

static struct packet random_packet(struct rng *r)
{
	bool v6 = rng_below(r, 2);
	uint8_t chain[24];
	struct packet_head h = { pick_address(r, v6), pick_address(r, v6),
		(uint8_t[]){ 1, 6, 17, 58, 99, 44 }[rng_below(r, 6)],
		(uint8_t)(1 + rng_below(r, 64)), NULL, 0, 0 };
	if (v6 && rng_below(r, 4) == 0) {
		rng_fill(r, chain, sizeof chain);
		chain[0] = h.protocol;
		chain[1] = (uint8_t)rng_below(r, 3);
		h.protocol = (uint8_t[]){ 0, 43, 44, 60 }[rng_below(r, 4)];
		h.options = chain;
		h.options_len = sizeof chain;
	} else if (!v6 && rng_below(r, 4) == 0) {
		rng_fill(r, chain, sizeof chain);
		h.options = chain;
		h.options_len = 4 * rng_below(r, 7);
		h.fragment = (uint16_t)(rng_below(r, 2) * rng_next(r));
	}
	switch (rng_below(r, 4)) {
	case 0: return random_icmp(r, h, v6);
	case 1:
		if (v6)
			return random_nd(r, h);
		/* fall through */
	default: return packet_of(h, body, 20 + rng_below(r, 1300));
	}
}

static void throw_packet(struct net *n, struct netif *nif, struct rng *r)
{
	struct packet p = random_packet(r);
	struct mac broadcast = MAC_BROADCAST;
	size_t len = fake_ethernet(p.frame, rng_below(r, 8) ? &nif->mac : &broadcast, &FAKE_PEER,
		p.v6 ? ETHERTYPE_IP6 : ETHERTYPE_IP4, p.len);
	for (unsigned damage = rng_below(r, 4); damage; damage--)
		p.frame[rng_below(r, 90) % len] = (uint8_t)rng_next(r);
	if (rng_below(r, 5) == 0)
		len = rng_below(r, (uint32_t)len + 1);
	fake_receive(n->f, nif, p.frame, len);
}

static void throw_arp(struct net *n, struct netif *nif, struct rng *r)
{
	fake_receive_arp(n->f, nif,
		(struct fake_arp){ .from = rng_below(r, 2) ? &FAKE_PEER : &FAKE_OTHER,
			.operation = (uint16_t)(1 + rng_below(r, 2)),
			.sender = pick_address(r, false),
			.target = pick_address(r, false) });
}

static void throw_noise(struct net *n, struct netif *nif, struct rng *r)
{
	uint8_t frame[200];
	size_t len = rng_below(r, sizeof frame);
	rng_fill(r, frame, sizeof frame);
	if (rng_below(r, 2)) {
		static const uint16_t types[] = { ETHERTYPE_IP4, ETHERTYPE_IP6, ETHERTYPE_ARP,
			ETHERTYPE_VLAN, 40 };
		fake_ethernet(frame, &nif->mac, &FAKE_PEER, types[rng_below(r, 5)], 0);
	}
	fake_receive(n->f, nif, frame, len);
}

/* What was sent has sound headers, down to the checksums of those that are ours. */
static void check_sent(const struct net *n)
{
	for (unsigned i = 0; i < n->f->count && i < FAKE_SENT; i++) {
		const struct fake_sent *s = &n->f->sent[i];
		struct eth_header eth;
		struct span rest;
		struct ip4_header four;
		struct ip6_header six;
		struct arp_packet arp;
		check(eth_parse(span_of(s->bytes, s->len), &eth, &rest) == DROP_NONE);
		switch (eth.type) {
		case ETHERTYPE_ARP: check(arp_parse(rest, &arp) == DROP_NONE); break;
		case ETHERTYPE_IP4:
			check(ip4_parse(rest, rest.len, &four) == DROP_NONE);
			check(four.total_len == rest.len);
			if (s->why != WHY_FORWARD)
				net_sent_icmp(n, i);
			break;
		default:
			check(eth.type == ETHERTYPE_IP6);
			check(ip6_parse(rest, rest.len, &six) == DROP_NONE);
			check(six.payload_len + IP6_HEADER == (int)rest.len);
			if (s->why != WHY_FORWARD)
				net_sent_icmp(n, i);
		}
	}
}

static void storm(struct rng *r)
{
	struct access_config c;
	access_config_default(&c);
	c.neighbours = 32;
	c.incomplete_max = 8;
	c.pending_frames = 6;
	struct internet_config ic;
	internet_config_default(&ic);
	ic.forward = rng_below(r, 2);
	ic.forward_frames = 7;
	ic.replies = 5;
	struct net *n = net_open(&ic, &c);
	n->outer = fake_add_netif(n->f, 0);
	net_address(n, n->outer, "198.51.100.1", 24);
	net_address(n, n->outer, "2001:db8:2::1", 64);
	rng_fill(r, body, sizeof body);
	for (unsigned i = 0; i < 300; i++) {
		struct netif *nif = rng_below(r, 3) ? n->nif : n->outer;
		switch (rng_below(r, 8)) {
		case 0: throw_arp(n, nif, r); break;
		case 1: throw_noise(n, nif, r); break;
		default: throw_packet(n, nif, r); break;
		}
		if (n->f->proto != PROTO_NONE && rng_below(r, 2))
			internet_reject(&n->in, &n->f->rx, rng_below(r, 8), (uint32_t)rng_next(r));
		if (rng_below(r, 6) == 0) {
			n->outer->blocked = rng_below(r, 4) == 0;
			n->f->refuse = rng_below(r, 8) == 0;
			fake_run(n->f, n->f->now + (nanodiff)rng_below(r, 2000) * NANO_MS);
			check_sent(n);
			fake_clear(n->f);
		}
		check(n->f->access.incomplete <= 8);
		check(n->f->access.neighbour_pool.used <= 32);
		check(n->f->access.pending_pool.used <= 6);
		check(n->in.reply_pool.used <= 5 && n->in.forward_pool.used <= 7);
	}
	/* Afterwards. */
	n->outer->blocked = n->f->refuse = false;
	fake_run(n->f, n->f->now + 1000 * NANO_S);
	check(n->f->access.incomplete == 0);
	check(n->f->access.pending_pool.used == 0);
	check(n->in.reply_pool.used == 0 && n->in.forward_pool.used == 0);
	check(!access_has_work(&n->f->access) && !internet_has_work(&n->in));
	check(n->f->wheel.armed == 0);
	fake_clear(n->f);
	fake_receive_arp(n->f, n->nif,
		(struct fake_arp){
			.operation = ARP_REQUEST, .sender = "192.0.2.77", .target = "192.0.2.1" });
	struct packet_head h = { "192.0.2.77", "192.0.2.1", 0, 0, NULL, 0, 0 };
	net_put(n, n->nif, icmp_of(h, ICMP4_ECHO, 0, 1, body, 100));
	fake_flush(n->f);
	check(n->f->count == 2);
	check(n->f->sent[1].why == WHY_ECHO_ANSWER);
	net_close(n);
}

static void storms_pass(void **unused)
{
	(void)unused;
	property_each(300, storm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(storms_pass),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
