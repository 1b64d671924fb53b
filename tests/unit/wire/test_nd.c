/*
 * Neighbour discovery's codec: both ways over random messages, and what RFC 4861 wants discarded
 * (attacks IP6-18, IP6-21).
 */
#include "wire_random.h"

#include "wire/nd.h"

static struct nd_prefix random_prefix(void)
{
	return (struct nd_prefix){
		.prefix = random_addr6(),
		.len = (uint8_t)random_below(129),
		.on_link = random_bool(),
		.autonomous = random_bool(),
		.valid_s = random32(),
		.preferred_s = random32(),
	};
}

static void random_advert(struct nd_message *m)
{
	m->hop_limit = random8();
	m->managed = random_bool();
	m->other = random_bool();
	m->lifetime = random16();
	m->reachable_ms = random32();
	m->retrans_ms = random32();
	m->has_mtu = random_bool();
	m->mtu = m->has_mtu ? random32() : 0;
	m->prefixes = (uint8_t)random_below(9);
	for (unsigned i = 0; i < m->prefixes; i++)
		m->prefix[i] = random_prefix();
}

/* Members that the message has not are zero, as the parser leaves them. */
static struct nd_message random_message(void)
{
	struct nd_message m;
	memset(&m, 0, sizeof m);
	m.type = (uint8_t)(133 + random_below(4));
	switch (m.type) {
	case ICMP6_ROUTER_ADVERT: random_advert(&m); break;
	case ICMP6_NEIGHBOUR_ADVERT:
		m.router = random_bool();
		m.solicited = random_bool();
		m.override = random_bool();
		m.target = random_addr6();
		m.has_target_mac = random_bool();
		break;
	case ICMP6_NEIGHBOUR_SOLICIT: m.target = random_addr6(); break;
	default: break;
	}
	if (m.target.b[0] == 0xff)
		m.target.b[0] = 0xfd;
	m.has_source_mac = m.type != ICMP6_NEIGHBOUR_ADVERT && random_bool();
	if (m.has_source_mac)
		m.source_mac = random_mac();
	if (m.has_target_mac)
		m.target_mac = random_mac();
	return m;
}

static bool same_prefix(const struct nd_prefix *a, const struct nd_prefix *b)
{
	return addr_equal(&a->prefix, &b->prefix) && a->len == b->len && a->on_link == b->on_link &&
		a->autonomous == b->autonomous && a->valid_s == b->valid_s &&
		a->preferred_s == b->preferred_s;
}

static bool same(const struct nd_message *a, const struct nd_message *b)
{
	for (unsigned i = 0; i < 8; i++)
		if (!same_prefix(&a->prefix[i], &b->prefix[i]))
			return false;
	return a->type == b->type && a->router == b->router && a->solicited == b->solicited &&
		a->override == b->override && addr_equal(&a->target, &b->target) &&
		a->has_source_mac == b->has_source_mac && a->has_target_mac == b->has_target_mac &&
		mac_equal(&a->source_mac, &b->source_mac) &&
		mac_equal(&a->target_mac, &b->target_mac) && a->hop_limit == b->hop_limit &&
		a->managed == b->managed && a->other == b->other && a->lifetime == b->lifetime &&
		a->reachable_ms == b->reachable_ms && a->retrans_ms == b->retrans_ms &&
		a->has_mtu == b->has_mtu && a->mtu == b->mtu && a->prefixes == b->prefixes;
}

static void test_both_ways(void **state)
{
	(void)state;
	FOR_ROUNDS(1)
	{
		uint8_t bytes[320], again[320];
		struct nd_message m = random_message(), back;
		size_t n = nd_emit(&m, bytes, sizeof bytes);
		CHECK(n >= 8 && n % 8 == 0);
		CHECK(load16(bytes + 2) == 0);
		CHECK(nd_parse(span_of(bytes, n), &back) == DROP_NONE);
		CHECK(same(&m, &back));
		CHECK(nd_emit(&back, again, sizeof again) == n && memcmp(bytes, again, n) == 0);
		CHECK(nd_emit(&m, again, random_below((uint32_t)n)) == 0);
		/* Cut within the fixed part or an option it is refused. */
		size_t cut = random_below((uint32_t)n);
		uint8_t *copy = exact(bytes, cut);
		enum drop drop = nd_parse(span_of(copy, cut), &back);
		if (cut < 8)
			CHECK(drop == DROP_ICMP_SHORT);
		else if (cut % 8 != 0)
			CHECK(drop == DROP_ND_FORMAT);
		free(copy);
	}
}

static void test_garbage(void **state)
{
	(void)state;
	FOR_ROUNDS(2)
	{
		uint8_t bytes[128];
		size_t len = random_below(17) * 8;
		random_fill(bytes, sizeof bytes);
		bytes[0] = (uint8_t)(132 + random_below(7));
		bytes[1] = (uint8_t)(random_below(8) == 0);
		for (size_t i = 8; i < sizeof bytes; i += 8) {
			bytes[i] = (uint8_t)random_below(7);
			bytes[i + 1] = (uint8_t)random_below(5);
		}
		uint8_t *copy = exact(bytes, len);
		struct nd_message m;
		if (nd_parse(span_of(copy, len), &m) == DROP_NONE) {
			CHECK(m.prefixes <= 8 && bytes[1] == 0);
			CHECK(!addr_is4(&m.target) && !addr_is_multicast(&m.target));
		}
		free(copy);
	}
}

static enum drop parse(const uint8_t *bytes, size_t len)
{
	struct nd_message m;
	uint8_t *copy = exact(bytes, len);
	enum drop drop = nd_parse(span_of(copy, len), &m);
	free(copy);
	return drop;
}

static void test_fixed_part(void **state)
{
	(void)state;
	static const struct {
		uint8_t type;
		size_t len;
	} least[] = { { 133, 8 }, { 134, 16 }, { 135, 24 }, { 136, 24 } };
	uint8_t bytes[64] = { 0 };
	bytes[8] = 0xfe;
	bytes[9] = 0x80;
	for (size_t i = 0; i < 4; i++) {
		bytes[0] = least[i].type;
		assert_int_equal(parse(bytes, least[i].len), DROP_NONE);
		assert_int_equal(parse(bytes, least[i].len - 1),
			least[i].len == 8 ? DROP_ICMP_SHORT : DROP_ND_FORMAT);
		bytes[1] = 1;
		assert_int_equal(parse(bytes, least[i].len), DROP_ND_FORMAT);
		bytes[1] = 0;
	}
	bytes[0] = 132;
	assert_int_equal(parse(bytes, 24), DROP_ND_FORMAT);
	bytes[0] = 135; /* a target that is a group, or IPv4 in disguise */
	bytes[8] = 0xff;
	assert_int_equal(parse(bytes, 24), DROP_ND_FORMAT);
	struct addr mapped = addr_from4((const uint8_t *)"\xc0\0\2\1");
	memcpy(bytes + 8, mapped.b, 16);
	assert_int_equal(parse(bytes, 24), DROP_ND_FORMAT);
}

static void test_redirect(void **state)
{
	(void)state;
	uint8_t bytes[40] = { 137 };
	bytes[8] = 0xfe;
	bytes[9] = 0x80;
	bytes[24] = 0x20;
	assert_int_equal(parse(bytes, 40), DROP_NONE);
	assert_int_equal(parse(bytes, 39), DROP_ND_FORMAT);
	bytes[24] = 0xff; /* for a group */
	assert_int_equal(parse(bytes, 40), DROP_ND_FORMAT);
	bytes[24] = 0x20;
	bytes[8] = 0x20; /* to a router that is not link-local */
	assert_int_equal(parse(bytes, 40), DROP_ND_FORMAT);
	bytes[9] = 0; /* the destination itself is on the link */
	assert_int_equal(parse(bytes, 40), DROP_NONE);
	struct nd_message m = { .type = ICMP6_REDIRECT };
	assert_int_equal(nd_emit(&m, bytes, sizeof bytes), 0);
}

static void test_options(void **state)
{
	(void)state;
	static const struct {
		uint8_t type;
		const char *option; /* 16 bytes */
		size_t len;
		enum drop drop;
	} cases[] = {
		{ 133, "\0\1", 8, DROP_NONE }, /* unknown: skipped */
		{ 133, "\xfd\1", 8, DROP_NONE },
		{ 133, "\xfd\0", 8, DROP_ND_FORMAT }, /* length 0 never advances */
		{ 133, "\xfd\2", 8, DROP_ND_FORMAT }, /* past the end */
		{ 133, "\xfd\1", 7, DROP_ND_FORMAT },
		{ 133, "\xfd\1\0\0\0\0\0\0\xfd", 9, DROP_ND_FORMAT },
		{ 133, "\1\2", 16, DROP_ND_FORMAT }, /* no Ethernet address */
		{ 133, "\2\2", 16, DROP_NONE },      /* not defined for this message */
		{ 134, "\3\2", 16, DROP_ND_FORMAT }, /* a prefix takes 32 bytes */
		{ 134, "\5\2", 16, DROP_ND_FORMAT }, /* an MTU takes 8 */
		{ 133, "\5\2", 16, DROP_NONE },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		uint8_t bytes[32] = { cases[i].type };
		size_t fixed = cases[i].type == 134 ? 16 : 8;
		memcpy(bytes + fixed, cases[i].option,
			cases[i].len < 9            ? 2
				: cases[i].len == 9 ? 9
						    : 2);
		assert_int_equal(parse(bytes, fixed + cases[i].len), cases[i].drop);
	}
}

/* Ten prefixes: eight are kept. A length of 129 bits, or an IPv4 prefix, refuses the message. */
static void test_prefixes(void **state)
{
	(void)state;
	uint8_t bytes[16 + 10 * 32] = { 134 };
	for (size_t i = 0; i < 10; i++) {
		uint8_t *at = bytes + 16 + 32 * i;
		at[0] = 3;
		at[1] = 4;
		at[2] = 64;
		at[16] = 0x20;
		at[23] = (uint8_t)i;
	}
	struct nd_message m;
	assert_int_equal(nd_parse(span_of(bytes, sizeof bytes), &m), DROP_NONE);
	assert_int_equal(m.prefixes, 8);
	assert_int_equal(m.prefix[7].prefix.b[7], 7);
	bytes[16 + 2] = 129;
	assert_int_equal(nd_parse(span_of(bytes, sizeof bytes), &m), DROP_ND_FORMAT);
	bytes[16 + 2] = 64;
	struct addr mapped = addr_from4((const uint8_t *)"\xc0\0\2\1");
	memcpy(bytes + 32, mapped.b, 16);
	assert_int_equal(nd_parse(span_of(bytes, sizeof bytes), &m), DROP_ND_FORMAT);
}

/* Messages written out by hand; the reserved bits are set, which changes nothing (RFC 4861 4). */
static void test_written_out(void **state)
{
	(void)state;
	static const uint8_t advert[32] = { 136, 0, 0, 0, 0xdf, 0xff, 0xff, 0xff, 0xfe,
		0x80, [23] = 1, 2, 1, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff };
	static const uint8_t router[56] = { 134, 0, 0, 0, 64, 0xbf, 0x07, 0x08, 0, 0, 0, 1, 0, 0, 0,
		2, 1, 1, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff, 3, 4, 64, 0xbf, 0, 0, 0, 3, 0, 0, 0, 4,
		0xff, 0xff, 0xff, 0xff, 0x20, 0x01, 0x0d, 0xb8 };
	struct nd_message m;
	assert_int_equal(nd_parse(span_of(advert, 32), &m), DROP_NONE);
	assert_true(m.router && m.solicited && !m.override && m.has_target_mac);
	assert_int_equal(m.target_mac.b[5], 0xff);
	assert_int_equal(m.target.b[15], 1);
	assert_int_equal(nd_parse(span_of(router, 56), &m), DROP_NONE);
	assert_true(m.hop_limit == 64 && m.managed && !m.other && m.lifetime == 1800);
	assert_true(m.reachable_ms == 1 && m.retrans_ms == 2 && m.has_source_mac && !m.has_mtu);
	assert_true(m.prefixes == 1 && m.prefix[0].len == 64 && m.prefix[0].on_link);
	assert_true(!m.prefix[0].autonomous && m.prefix[0].valid_s == 3);
	assert_true(m.prefix[0].preferred_s == 4 && m.prefix[0].prefix.b[3] == 0xb8);

	/* Sent, the reserved bits are zero. */
	static const uint8_t sent[56] = { 134, 0, 0, 0, 64, 0x80, 0x07, 0x08, 0, 0, 0, 1, 0, 0, 0,
		2, 1, 1, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff, 3, 4, 64, 0x80, 0, 0, 0, 3, 0, 0, 0, 4,
		0, 0, 0, 0, 0x20, 0x01, 0x0d, 0xb8 };
	uint8_t out[56];
	assert_int_equal(nd_emit(&m, out, sizeof out), 56);
	assert_memory_equal(out, sent, 56);
	static const uint8_t other[16] = { 134, 0, 0, 0, 0, 0x7f };
	assert_int_equal(nd_parse(span_of(other, 16), &m), DROP_NONE);
	assert_true(!m.managed && m.other);
	static const uint8_t solicit[32] = { 135, [23] = 1, 1, 1, 1, 2, 3, 4, 5, 6 };
	assert_int_equal(nd_parse(span_of(solicit, 32), &m), DROP_NONE);
	assert_true(m.has_source_mac && m.source_mac.b[0] == 1 && !m.router && !m.override);
}

/* No message of another type is accepted or emitted. */
static void test_types(void **state)
{
	(void)state;
	for (unsigned type = 0; type < 256; type++) {
		uint8_t bytes[64] = { (uint8_t)type };
		bytes[8] = bytes[24] = 0xfe;
		bytes[9] = bytes[25] = 0x80;
		bool known = type >= 133 && type <= 137;
		assert_int_equal(parse(bytes, 40) == DROP_NONE,
			known && type != 133 && type != 134 && type != 135 && type != 136);
		struct nd_message m = { .type = (uint8_t)type };
		assert_int_equal(nd_emit(&m, bytes, sizeof bytes) > 0, known && type != 137);
	}
}

static void test_addresses(void **state)
{
	(void)state;
	char text[ADDR_TEXT_MAX];
	struct addr a;
	assert_true(addr_parse(span_of("fe80::2aa:ff:fe28:9c5a", 22), &a));
	struct addr group = nd_solicited_node(&a);
	addr_format(&group, text);
	assert_string_equal(text, "ff02::1:ff28:9c5a"); /* RFC 4291 2.7.1's own example */
	struct mac m = multicast_mac(&group);
	mac_format(&m, text);
	assert_string_equal(text, "33:33:ff:28:9c:5a");
	assert_true(addr_parse(span_of("239.129.2.3", 11), &a));
	m = multicast_mac(&a);
	mac_format(&m, text);
	assert_string_equal(text, "01:00:5e:01:02:03");
}

static uint64_t expect(const char *key, const void *message)
{
	const struct nd_message *m = message;
	if (strcmp(key, "type") == 0)
		return m->type;
	if (strcmp(key, "flags") == 0)
		return (uint64_t)(m->router << 2 | m->solicited << 1 | m->override);
	if (strcmp(key, "target") == 0)
		return number_of_address(&m->target);
	if (strcmp(key, "code") == 0 || strcmp(key, "checksum") == 0 ||
		strcmp(key, "reserved") == 0)
		return 0;
	fail_msg("no member for %s", key);
	return 0;
}

static void test_tables(void **state)
{
	(void)state;
	check_cover(&nd_solicit_info, 24 * 8);
	check_cover(&nd_advert_info, 24 * 8);
	FOR_ROUNDS(3)
	{
		uint8_t bytes[320];
		struct nd_message m = random_message();
		size_t n = nd_emit(&m, bytes, sizeof bytes);
		if (m.type == ICMP6_NEIGHBOUR_SOLICIT)
			check_table(&nd_solicit_info, span_of(bytes, n), expect, &m);
		else if (m.type == ICMP6_NEIGHBOUR_ADVERT)
			check_table(&nd_advert_info, span_of(bytes, n), expect, &m);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_both_ways),
		cmocka_unit_test(test_garbage),
		cmocka_unit_test(test_fixed_part),
		cmocka_unit_test(test_redirect),
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_prefixes),
		cmocka_unit_test(test_written_out),
		cmocka_unit_test(test_types),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_tables),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
