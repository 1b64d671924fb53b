/*
 * ICMP errors out: which ones, about what, with how much of a quote, and how many
 * (RFC 1122 3.2.2, RFC 1812 4.3.2, RFC 4443 2.4; attack ICMP-10).
 */
#include "unit/internet/fake_net.h"

static uint8_t body[2000];

static struct net *open_host(const struct internet_config *c)
{
	struct net *n = net_open(c, NULL);
	for (unsigned i = 0; i < sizeof body; i++)
		body[i] = (uint8_t)(i * 7 + 1);
	net_know(n, n->nif, "192.0.2.7");
	net_know(n, n->nif, "2001:db8::7");
	return n;
}

/* A UDP datagram to us, which the transport then refuses. */
static void put_udp(struct net *n, const char *source, const char *destination, size_t len)
{
	struct packet_head h = { source, destination, IPPROTO_UDP_, 0, NULL, 0, 0 };
	net_put(n, n->nif, packet_of(h, body, len));
}

static void kinds_of_errors(void **unused)
{
	(void)unused;
	static const struct {
		enum internet_reject what;
		uint32_t number;
		uint8_t type4, code4;
		uint32_t rest4;
		uint8_t type6, code6;
		uint32_t rest6;
	} row[] = {
		{ REJECT_PORT, 0, 3, 3, 0, 1, 4, 0 },
		{ REJECT_PROTOCOL, 6, 3, 2, 0, 4, 1, 6 },
		{ REJECT_NO_ROUTE, 0, 3, 0, 0, 1, 0, 0 },
		{ REJECT_HOST, 0, 3, 1, 0, 1, 3, 0 },
		{ REJECT_TOO_BIG, 1400, 3, 4, 1400, 2, 0, 1400 },
		{ REJECT_HOP_LIMIT, 0, 11, 0, 0, 3, 0, 0 },
		{ REJECT_PARAMETER, 9, 12, 0, 9u << 24, 4, 0, 9 },
		{ REJECT_ADMIN, 0, 3, 13, 0, 1, 1, 0 },
	};
	struct net *n = open_host(NULL);
	for (unsigned v6 = 0; v6 < 2; v6++)
		for (unsigned i = 0; i < sizeof row / sizeof *row; i++) {
			put_udp(n, v6 ? "2001:db8::7" : "192.0.2.7",
				v6 ? "2001:db8::1" : "192.0.2.1", 100);
			assert_int_equal(n->f->proto, PROTO_UDP);
			fake_clear(n->f);
			assert_true(internet_reject(&n->in, &n->f->rx, row[i].what, row[i].number));
			assert_int_equal(n->f->count, 0);
			fake_flush(n->f);
			assert_int_equal(n->f->count, 1);
			assert_int_equal(n->f->sent[0].why, WHY_ICMP_ERROR);
			struct sent_icmp s = net_sent_icmp(n, 0);
			assert_int_equal(s.type, v6 ? row[i].type6 : row[i].type4);
			assert_int_equal(s.code, v6 ? row[i].code6 : row[i].code4);
			assert_int_equal(s.rest, v6 ? row[i].rest6 : row[i].rest4);
			assert_true(net_is(&s.source, v6 ? "2001:db8::1" : "192.0.2.1"));
			assert_true(net_is(&s.destination, v6 ? "2001:db8::7" : "192.0.2.7"));
			assert_int_equal(s.tos, v6 ? 0 : 0xc0);
			/* The quote is the packet, from its IP header on. */
			assert_int_equal(s.body.len, 100 + (v6 ? 40 : 20));
			assert_memory_equal(s.body.at, n->f->rx.packet.at, s.body.len);
			n->f->now += NANO_S;
		}
	net_close(n);
}

static void quotes_as_much_as_fits(void **unused)
{
	(void)unused;
	struct net *n = open_host(NULL);
	put_udp(n, "192.0.2.7", "192.0.2.1", 1480);
	assert_true(internet_reject(&n->in, &n->f->rx, REJECT_PORT, 0));
	put_udp(n, "2001:db8::7", "2001:db8::1", 1460);
	assert_true(internet_reject(&n->in, &n->f->rx, REJECT_PORT, 0));
	fake_flush(n->f);
	assert_int_equal(n->f->sent[0].len, ETH_HEADER + 576);
	assert_int_equal(n->f->sent[1].len, ETH_HEADER + 1280);
	/* The quote is gathered from head and bodies. */
	struct packet_head h = { "192.0.2.7", "192.0.2.1", IPPROTO_UDP_, 0, NULL, 0, 0 };
	struct packet p = packet_of(h, body, 400);
	fake_ethernet(p.frame, &n->nif->mac, &FAKE_PEER, ETHERTYPE_IP4, 0);
	struct span bodies[1] = { span_of(p.frame + 60, ETH_HEADER + p.len - 60) };
	struct rx_frame frame = { .head = span_of(p.frame, 60),
		.body = bodies,
		.bodies = 1,
		.seg_count = 1,
		.len = (uint32_t)(ETH_HEADER + p.len) };
	fake_receive_frame(n->f, n->nif, &frame);
	rx_strip(&n->f->rx, UDP_HEADER); /* the transport has been at it */
	assert_true(internet_reject(&n->in, &n->f->rx, REJECT_PORT, 0));
	fake_flush(n->f);
	struct sent_icmp s = net_sent_icmp(n, 2);
	assert_int_equal(s.body.len, 420);
	assert_memory_equal(s.body.at, p.frame + ETH_HEADER, 420);
	net_close(n);
}

static void unknown_protocols_are_told(void **unused)
{
	(void)unused;
	struct net *n = open_host(NULL);
	struct packet_head h = { "192.0.2.7", "192.0.2.1", 99, 0, NULL, 0, 0 };
	net_put(n, n->nif, packet_of(h, body, 50));
	fake_expect_drop(n->f, DROP_IP_PROTOCOL);
	h = (struct packet_head){ "2001:db8::7", "2001:db8::1", 99, 0, NULL, 0, 0 };
	net_put(n, n->nif, packet_of(h, body, 50));
	uint8_t chain[8] = { 99, 0, 1, 4, 0, 0, 0, 0 };
	h = (struct packet_head){ "2001:db8::7", "2001:db8::1", IP6_DESTINATION, 0, chain, 8, 0 };
	net_put(n, n->nif, packet_of(h, body, 50));
	fake_flush(n->f);
	assert_int_equal(n->f->count, 3);
	struct sent_icmp s = net_sent_icmp(n, 0);
	assert_int_equal(s.type, ICMP4_UNREACHABLE);
	assert_int_equal(s.code, 2);
	s = net_sent_icmp(n, 1);
	assert_int_equal(s.type, ICMP6_PARAMETER);
	assert_int_equal(s.code, 1);
	assert_int_equal(s.rest, 6);                    /* the fixed header's field */
	assert_int_equal(net_sent_icmp(n, 2).rest, 40); /* the extension header's */
	net_close(n);
}

/* Nobody is told about these. */
static void expect_silence(struct net *n)
{
	fake_clear(n->f);
	assert_false(internet_reject(&n->in, &n->f->rx, REJECT_PORT, 0));
	fake_flush(n->f);
	assert_int_equal(n->f->count, 0);
}

static void silence_where_the_rules_say_so(void **unused)
{
	(void)unused;
	struct net *n = open_host(NULL);
	static const char *const groups[] = { "192.0.2.255", "255.255.255.255", "224.0.0.1" };
	for (unsigned i = 0; i < 3; i++) {
		put_udp(n, "192.0.2.7", groups[i], 50);
		expect_silence(n);
		assert_false(internet_reject(&n->in, &n->f->rx, REJECT_TOO_BIG, 600));
	}
	put_udp(n, "2001:db8::7", "ff02::1", 50);
	expect_silence(n);
	/* An error, whatever it says (here about a packet that is not ours). */
	static const uint8_t errors4[] = { 3, 4, 5, 11, 12, 99 };
	for (unsigned i = 0; i < sizeof errors4; i++) {
		struct packet_head h = { "192.0.2.7", "192.0.2.1", 0, 0, NULL, 0, 0 };
		net_put(n, n->nif, icmp_of(h, errors4[i], 0, 0, body, 60));
		expect_silence(n);
	}
	static const uint8_t errors6[] = { 1, 2, 3, 4, 100, 137 };
	for (unsigned i = 0; i < sizeof errors6; i++) {
		struct packet_head h = { "2001:db8::7", "2001:db8::1", 0, 0, NULL, 0, 0 };
		net_put(n, n->nif, icmp_of(h, errors6[i], 0, 0, body, 60));
		expect_silence(n);
	}
	/* ICMP without a type: it might be an error. */
	struct packet_head none = { "192.0.2.7", "192.0.2.1", IPPROTO_ICMP4, 0, NULL, 0, 0 };
	net_put(n, n->nif, packet_of(none, body, 0));
	expect_silence(n);
	uint8_t pad[8] = { IPPROTO_ICMP6, 0, 1, 4, 0, 0, 0, 0 };
	none = (struct packet_head){ "2001:db8::7", "2001:db8::1", IP6_DESTINATION, 0, pad, 8, 0 };
	net_put(n, n->nif, packet_of(none, body, 0));
	expect_silence(n);
	/* A later fragment. */
	struct packet_head h = { "192.0.2.7", "192.0.2.1", IPPROTO_UDP_, 0, NULL, 0, 0x0005 };
	net_put(n, n->nif, packet_of(h, body, 60));
	expect_silence(n);
	uint8_t chain[8] = { IPPROTO_UDP_, 0, 0, 8, 1, 2, 3, 4 };
	h = (struct packet_head){ "2001:db8::7", "2001:db8::1", IP6_FRAGMENT, 0, chain, 8, 0 };
	net_put(n, n->nif, packet_of(h, body, 64));
	expect_silence(n);
	/* From nowhere. */
	h = (struct packet_head){ "::", "2001:db8::1", 99, 0, NULL, 0, 0 };
	net_put(n, n->nif, packet_of(h, body, 60));
	expect_silence(n);
	/* In a link broadcast. */
	h = (struct packet_head){ "2001:db8::7", "2001:db8::1", IPPROTO_UDP_, 0, NULL, 0, 0 };
	struct packet p = packet_of(h, body, 60);
	struct mac broadcast = MAC_BROADCAST;
	net_put_to(n, n->nif, &p, &broadcast);
	assert_int_equal(n->f->proto, PROTO_UDP);
	expect_silence(n);
	/* A first fragment and an echo request may be complained about. */
	h = (struct packet_head){ "192.0.2.7", "192.0.2.1", IPPROTO_UDP_, 0, NULL, 0, 0x2000 };
	net_put(n, n->nif, packet_of(h, body, 64));
	assert_true(internet_reject(&n->in, &n->f->rx, REJECT_PORT, 0));
	net_close(n);
}

static void multicast_is_told_about_options_and_size_only(void **unused)
{
	(void)unused;
	struct net *n = open_host(NULL);
	/* RFC 8200 4.2: 10 tells even a multicast sender, 11 does not. */
	for (unsigned high = 2; high <= 3; high++) {
		uint8_t chain[8] = { IPPROTO_UDP_, 0, (uint8_t)(high << 6 | 0x1e), 4, 0, 0, 0, 0 };
		struct packet_head h = { "2001:db8::7", "ff02::1", IP6_DESTINATION, 0, chain, 8,
			0 };
		fake_clear(n->f);
		net_put(n, n->nif, packet_of(h, body, 60));
		fake_expect_drop(n->f, DROP_IP6_OPTION);
		fake_flush(n->f);
		assert_int_equal(n->f->count, high == 2);
	}
	assert_true(internet_reject(&n->in, &n->f->rx, REJECT_TOO_BIG, 1280));
	net_close(n);
}

static unsigned told(struct net *n, const char *source, unsigned tries)
{
	unsigned count = 0;
	for (unsigned i = 0; i < tries; i++) {
		put_udp(n, source, "192.0.2.1", 20);
		count += internet_reject(&n->in, &n->f->rx, REJECT_PORT, 0);
		fake_clear(n->f);
		fake_flush(n->f);
	}
	return count;
}

static void errors_are_limited_for_each_destination(void **unused)
{
	(void)unused;
	struct internet_config c;
	internet_config_default(&c);
	c.error_rate = 10;
	c.error_burst = 20;
	struct net *n = open_host(&c);
	net_know(n, n->nif, "192.0.2.8");
	unsigned first = told(n, "192.0.2.7", 200);
	assert_in_range(first, 10, 30);
	assert_true(n->f->counters.tx_drop[DROP_ICMP_RATE] >= 170);
	/* Another destination is not concerned. */
	assert_in_range(told(n, "192.0.2.8", 200), 10, 30);
	/* A second later there are ten more, or so. */
	assert_int_equal(told(n, "192.0.2.7", 1), 0);
	n->f->now += NANO_S;
	assert_in_range(told(n, "192.0.2.7", 200), 5, 20);
	/* After a long time no more than the burst. */
	n->f->now += 3600 * NANO_S;
	assert_in_range(told(n, "192.0.2.7", 200), 10, 30);
	/* The average over a minute is the rate. */
	unsigned sum = 0;
	for (unsigned i = 0; i < 6000; i++) {
		n->f->now += 10 * NANO_MS;
		sum += told(n, "192.0.2.7", 1);
	}
	assert_in_range(sum, 500, 700);
	net_close(n);
}

static void attack_icmp_10_the_limit_is_no_oracle(void **unused)
{
	(void)unused;
	struct internet_config c;
	internet_config_default(&c);
	c.error_rate = 10;
	c.error_burst = 20;
	unsigned counts[100] = { 0 }, kinds = 0;
	struct net *n = open_host(&c);
	/* How many fit is not the same each time. */
	for (unsigned i = 0; i < 200; i++) {
		n->f->now += 100 * NANO_S;
		unsigned fit = told(n, "192.0.2.7", 99);
		kinds += counts[fit]++ == 0;
	}
	assert_true(kinds >= 6);
	/* Many spoofed sources together are limited too, to ten times one's. */
	n->f->now += 1000 * NANO_S;
	unsigned sum = 0;
	for (unsigned i = 0; i < 200; i++)
		for (unsigned k = 0; k < 20; k++) {
			struct packet_head h = { "192.0.2.7", "192.0.2.1", IPPROTO_UDP_, 0, NULL, 0,
				0 };
			net_put(n, n->nif, packet_of(h, body, 20));
			uint8_t four[4] = { 192, 0, (uint8_t)(100 + i), 9 };
			n->f->rx.source = addr_from4(four);
			sum += internet_reject(&n->in, &n->f->rx, REJECT_PORT, 0);
			fake_clear(n->f);
			fake_flush(n->f);
		}
	assert_in_range(sum, 100, 260);
	net_close(n);
}

static void places_for_replies_are_bounded(void **unused)
{
	(void)unused;
	struct internet_config c;
	internet_config_default(&c);
	c.replies = 3;
	struct net *n = open_host(&c);
	for (unsigned i = 0; i < 4; i++) {
		put_udp(n, "192.0.2.7", "192.0.2.1", 20);
		assert_int_equal(internet_reject(&n->in, &n->f->rx, REJECT_PORT, 0), i < 3);
	}
	assert_int_equal(n->f->counters.tx_drop[DROP_INTENT_FULL], 1);
	assert_int_equal(internet_transmit(&n->in, 2, n->f->now), 2);
	assert_int_equal(n->f->count, 2);
	assert_true(internet_has_work(&n->in));
	net_close(n);
}

static void config_rules(void **unused)
{
	(void)unused;
	struct internet_config good, c;
	internet_config_default(&good);
	assert_null(internet_config_check(&good));
#define BROKEN(change) \
	do { \
		c = good; \
		change; \
		assert_non_null(internet_config_check(&c)); \
	} while (0)
	BROKEN(c.hop_limit = 0);
	BROKEN(c.replies = 0);
	BROKEN(c.echo_max = 65508);
	BROKEN(c.forward = true; c.forward_frames = 0);
	BROKEN(c.error_rate = 100001);
	BROKEN(c.error_burst = 100001);
	BROKEN(c.error_burst = 1);
#undef BROKEN
	c = good;
	c.forward_frames = 0; /* of no interest where nothing is forwarded */
	assert_null(internet_config_check(&c));
	/* Memory is planned with the same code. */
	struct net *n = net_open(&good, NULL);
	struct internet in;
	struct arena measure = { .at = NULL };
	assert_false(internet_init(&in, &n->f->core, &n->f->access, &good, &measure));
	assert_in_range(measure.used, 1000, FAKE_ARENA);
	net_close(n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kinds_of_errors),
		cmocka_unit_test(quotes_as_much_as_fits),
		cmocka_unit_test(unknown_protocols_are_told),
		cmocka_unit_test(silence_where_the_rules_say_so),
		cmocka_unit_test(multicast_is_told_about_options_and_size_only),
		cmocka_unit_test(errors_are_limited_for_each_destination),
		cmocka_unit_test(attack_icmp_10_the_limit_is_no_oracle),
		cmocka_unit_test(places_for_replies_are_bounded),
		cmocka_unit_test(config_rules),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
