/*
 * IP out: the header's bytes are those that the codec would emit, the ID and the
 * flow label tell nothing, and what can't be sent is counted (attacks IP4-15,
 * IP4-16, IP6-11).
 */
#include "unit/internet/fake_net.h"
#include "unit/base/property.h"

struct outgoing {
	struct ip_send send;
	struct addr source, destination;
	struct path path;
};

static struct outgoing *out_to(struct outgoing *o, const char *source, const char *destination)
{
	*o = (struct outgoing){ .source = fake_addr(source),
		.destination = fake_addr(destination) };
	o->send = (struct ip_send){ .source = &o->source,
		.destination = &o->destination,
		.protocol = IPPROTO_TCP_,
		.dont_fragment = true };
	return o;
}

/* A transport frame of `len` bytes whose first four are ports. */
static bool send(struct net *n, struct outgoing *o, size_t len, uint32_t ports)
{
	static uint8_t body[70000];
	struct tx_frame *f = &n->f->frame;
	frame_begin(f, WHY_DATA);
	uint8_t *head = frame_push(f, 20);
	memset(head, 0x5a, 20);
	store32(head, ports);
	if (len > 20)
		frame_body(f, span_of(body, len - 20));
	return internet_send(&n->in, &o->path, f, &o->send, n->f->now);
}

static struct ip6_header sent6(const struct net *n, unsigned index)
{
	struct ip6_header h;
	const struct fake_sent *s = &n->f->sent[index];
	assert_true(index < n->f->count);
	assert_int_equal(ip6_parse(span_of(s->bytes + ETH_HEADER, s->len - ETH_HEADER),
				 s->len - ETH_HEADER, &h),
		DROP_NONE);
	return h;
}

static struct ip4_header sent4(const struct net *n, unsigned index)
{
	struct ip4_header h;
	const struct fake_sent *s = &n->f->sent[index];
	assert_true(index < n->f->count);
	assert_int_equal(ip4_parse(span_of(s->bytes + ETH_HEADER, s->len - ETH_HEADER),
				 s->len - ETH_HEADER, &h),
		DROP_NONE);
	return h;
}

static void header_is_the_codecs(struct rng *rng)
{
	struct net *n = net_open(NULL, NULL);
	struct outgoing o;
	net_know(n, n->nif, "192.0.2.7");
	for (unsigned i = 0; i < 50; i++) {
		out_to(&o, "192.0.2.1", "192.0.2.7");
		uint8_t four[4];
		rng_fill(rng, four, 4);
		o.source = addr_from4(four); /* the sum must hold for any */
		o.send.tos = (uint8_t)rng_next(rng);
		o.send.hop_limit = (uint8_t)rng_next(rng);
		o.send.protocol = (uint8_t)rng_next(rng);
		size_t len = 20 + rng_below(rng, 1461);
		fake_clear(n->f);
		assert_true(send(n, &o, len, 0));
		uint8_t expected[IP4_HEADER];
		struct ip4_header h = {
			.header_len = IP4_HEADER,
			.tos = o.send.tos,
			.total_len = (uint16_t)(len + IP4_HEADER),
			.dont_fragment = true,
			.ttl = o.send.hop_limit ? o.send.hop_limit : 64,
			.protocol = o.send.protocol,
			.source = o.source,
			.destination = o.destination,
		};
		assert_int_equal(ip4_emit(&h, expected, sizeof expected), IP4_HEADER);
		check(memcmp(expected, n->f->sent[0].bytes + ETH_HEADER, IP4_HEADER) == 0);
		check(n->f->sent[0].len == ETH_HEADER + IP4_HEADER + len);
	}
	net_close(n);
}

static void ip4_header_bytes(void **unused)
{
	(void)unused;
	property_each(40, header_is_the_codecs);
}

static void attack_ip4_15_and_16_the_id_tells_nothing(void **unused)
{
	(void)unused;
	struct net *n = net_open(NULL, NULL);
	struct outgoing o;
	bool seen[65536] = { false };
	unsigned repeats = 0, near = 0;
	uint16_t last = 0;
	net_know(n, n->nif, "192.0.2.7");
	out_to(&o, "192.0.2.1", "192.0.2.7");
	for (unsigned i = 0; i < 20; i++)
		assert_true(send(n, &o, 100, i));
	for (unsigned i = 0; i < 20; i++) { /* can't be fragmented: no ID at all */
		assert_int_equal(sent4(n, i).id, 0);
		assert_true(sent4(n, i).dont_fragment);
	}
	o.send.dont_fragment = false;
	for (unsigned i = 0; i < 400; i++) {
		fake_clear(n->f);
		assert_true(send(n, &o, 100, i));
		struct ip4_header h = sent4(n, 0);
		assert_false(h.dont_fragment);
		repeats += seen[h.id];
		near += (uint16_t)(h.id - last) < 16;
		seen[h.id] = true;
		last = h.id;
	}
	assert_true(repeats < 12); /* 400 random of 65536 repeat 1.2 times on the average */
	assert_true(near < 8);
	net_close(n);
}

static void flow_label_is_the_flows(void **unused)
{
	(void)unused;
	struct net *n = net_open(NULL, NULL);
	struct outgoing o, other;
	net_know(n, n->nif, "2001:db8::7");
	net_know(n, n->nif, "2001:db8::8");
	out_to(&o, "2001:db8::1", "2001:db8::7");
	out_to(&other, "2001:db8::1", "2001:db8::8");
	assert_true(send(n, &o, 100, 0x12345678));
	assert_true(send(n, &o, 900, 0x12345678));
	assert_int_equal(sent6(n, 0).flow_label, sent6(n, 1).flow_label);
	assert_int_equal(sent6(n, 1).payload_len, 900);
	assert_int_equal(sent6(n, 1).hop_limit, 64);
	fake_clear(n->f);
	unsigned same = 0, bits = 0;
	uint32_t first = 0, differ = 0;
	for (uint32_t i = 0; i < 200; i++) {
		assert_true(send(n, &o, 100, 0x12340000 + i));
		assert_true(send(n, &other, 100, 0x12340000 + i));
		same += sent6(n, 2 * i).flow_label == sent6(n, 2 * i + 1).flow_label;
		if (i == 0)
			first = sent6(n, 0).flow_label;
		differ |= first ^ sent6(n, 2 * i).flow_label;
	}
	for (unsigned b = 0; b < 20; b++)
		bits += differ >> b & 1;
	assert_int_equal(bits, 20);
	assert_true(same < 3);
	net_close(n);
}

static void hop_limits(void **unused)
{
	(void)unused;
	struct net *n = net_open(NULL, NULL);
	static const struct {
		const char *source, *destination;
		uint8_t asked, sent;
	} row[] = {
		{ "192.0.2.1", "192.0.2.7", 0, 64 },
		{ "192.0.2.1", "192.0.2.7", 9, 9 },
		{ "192.0.2.1", "224.0.0.251", 0, 1 },
		{ "192.0.2.1", "224.0.0.251", 255, 255 },
		{ "192.0.2.1", "192.0.2.255", 0, 64 },
		{ "192.0.2.1", "255.255.255.255", 0, 64 },
		{ "2001:db8::1", "ff02::fb", 0, 1 },
		{ "2001:db8::1", "2001:db8::7", 0, 64 },
	};
	net_know(n, n->nif, "192.0.2.7");
	net_know(n, n->nif, "2001:db8::7");
	for (unsigned i = 0; i < sizeof row / sizeof *row; i++) {
		struct outgoing o;
		out_to(&o, row[i].source, row[i].destination);
		o.send.hop_limit = row[i].asked;
		fake_clear(n->f);
		assert_true(send(n, &o, 50, 1));
		bool six = !addr_is4(&o.destination);
		assert_int_equal(six ? sent6(n, 0).hop_limit : sent4(n, 0).ttl, row[i].sent);
		bool group = i >= 2 && i <= 6;
		assert_int_equal(n->f->sent[0].bytes[0] & 1, group);
	}
	net_close(n);
}

static void stale_paths_are_looked_up_again(void **unused)
{
	(void)unused;
	struct net *n = net_open(NULL, NULL);
	struct outgoing o;
	out_to(&o, "192.0.2.1", "192.0.2.7");
	o.send.copy_if_waiting = true;
	assert_true(send(n, &o, 100, 1)); /* waits */
	fake_flush(n->f);
	fake_receive_arp(n->f, n->nif,
		(struct fake_arp){
			.operation = ARP_REPLY, .sender = "192.0.2.7", .target = "192.0.2.1" });
	fake_flush(n->f);
	assert_int_equal(n->f->count, 2);
	assert_int_equal(sent4(n, 1).total_len, 120);
	/* Its neighbour is forgotten, and then asked for again. */
	fake_run(n->f, n->f->now + 50 * NANO_S);
	neighbour_ready(&n->f->access, o.path.neighbour, n->f->now);
	fake_run(n->f, n->f->now + 10 * NANO_S);
	assert_null(fake_neighbour(n->f, "192.0.2.7"));
	fake_clear(n->f);
	assert_true(send(n, &o, 100, 1));
	fake_flush(n->f);
	assert_int_equal(n->f->sent[0].why, WHY_ARP_ASK);
	net_close(n);
}

static void what_can_not_be_sent(void **unused)
{
	(void)unused;
	struct access_config c;
	access_config_default(&c);
	c.incomplete_max = 1;
	struct net *n = net_open(NULL, &c);
	struct outgoing o;
	uint64_t *dropped = n->f->counters.tx_drop;
	out_to(&o, "192.0.2.1", "203.0.113.1");
	assert_false(send(n, &o, 100, 1));
	assert_int_equal(dropped[DROP_IP_NO_ROUTE], 1);
	net_know(n, n->nif, "192.0.2.7");
	net_know(n, n->nif, "2001:db8::7");
	out_to(&o, "192.0.2.1", "192.0.2.7");
	assert_true(send(n, &o, 1480, 1));
	assert_false(send(n, &o, 1481, 1));
	assert_int_equal(dropped[DROP_IP_TOO_BIG], 1);
	out_to(&o, "2001:db8::1", "2001:db8::7");
	assert_true(send(n, &o, 1460, 1));
	assert_false(send(n, &o, 1461, 1));
	assert_int_equal(dropped[DROP_IP_TOO_BIG], 2);
	out_to(&o, "192.0.2.1", "192.0.2.8");
	assert_false(send(n, &o, 100, 1)); /* does not want to wait */
	assert_int_equal(dropped[DROP_NEIGHBOUR_UNRESOLVED], 1);
	out_to(&o, "192.0.2.1", "192.0.2.9");
	assert_false(send(n, &o, 100, 1));
	assert_int_equal(dropped[DROP_NEIGHBOUR_TABLE_FULL], 1);
	unsigned traced = 0;
	for (unsigned i = 0; i < n->f->events; i++)
		traced += n->f->event[i].kind == TRACE_TX_DROP;
	assert_int_equal(traced, 5);
	net_close(n);
}

static void super_frames_are_bounded_by_the_length_field(void **unused)
{
	(void)unused;
	struct net *n = net_open(NULL, NULL);
	struct outgoing o;
	static uint8_t body[65536];
	net_know(n, n->nif, "192.0.2.7");
	n->nif->features = LINK_GSO | LINK_CHECKSUM;
	for (size_t len = 65515; len <= 65516; len++) {
		out_to(&o, "192.0.2.1", "192.0.2.7");
		struct tx_frame *f = &n->f->frame;
		frame_begin(f, WHY_DATA);
		memset(frame_push(f, 20), 0, 20);
		frame_body(f, span_of(body, len - 20));
		f->seg_size = 1460;
		f->seg_count = 45;
		assert_int_equal(
			internet_send(&n->in, &o.path, f, &o.send, n->f->now), len == 65515);
	}
	assert_int_equal(n->f->counters.tx_segments, 45);
	net_close(n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ip4_header_bytes),
		cmocka_unit_test(attack_ip4_15_and_16_the_id_tells_nothing),
		cmocka_unit_test(flow_label_is_the_flows),
		cmocka_unit_test(hop_limits),
		cmocka_unit_test(stale_paths_are_looked_up_again),
		cmocka_unit_test(what_can_not_be_sent),
		cmocka_unit_test(super_frames_are_bounded_by_the_length_field),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
