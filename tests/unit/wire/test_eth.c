/*
 * Ethernet's codec: both ways over random headers of every form, the boundaries between them, the
 * refusals of attacks L2-01 and L2-03, and the frame check sequence.
 */
#include "wire_random.h"

#include "wire/eth.h"

static bool same(const struct eth_header *a, const struct eth_header *b)
{
	if (!mac_equal(&a->destination, &b->destination) || !mac_equal(&a->source, &b->source))
		return false;
	if (a->type != b->type || a->tags != b->tags || a->llc != b->llc)
		return false;
	if (a->tags == 0 && a->outer_is_qinq != b->outer_is_qinq)
		return false;
	if (a->tags > 0 && (a->outer_is_qinq != b->outer_is_qinq || a->tag[0] != b->tag[0]))
		return false;
	if (a->tags > 1 && a->tag[1] != b->tag[1])
		return false;
	return !a->llc ||
		(a->length == b->length && a->dsap == b->dsap && a->ssap == b->ssap &&
			a->control == b->control);
}

/* A type that follows so many tags and is none itself. */
static uint16_t random_type(unsigned tags)
{
	for (;;) {
		uint16_t type = (uint16_t)(0x0600 + random_below(0x10000 - 0x0600));
		bool tag = tags < 2 &&
			(type == ETHERTYPE_VLAN || (type == ETHERTYPE_QINQ && tags == 0));
		if (!tag)
			return type;
	}
}

static struct eth_header random_header(void)
{
	struct eth_header h = { .destination = random_mac(), .source = random_mac() };
	h.tags = (uint8_t)random_below(3);
	h.tag[0] = random16();
	h.tag[1] = random16();
	h.outer_is_qinq = h.tags > 0 && random_bool();
	h.type = random_type(h.tags);
	h.llc = random_below(3) == 0;
	if (!h.llc)
		return h;
	h.dsap = h.ssap = 0xaa;
	h.control = 3;
	if (random_bool()) {
		h.type = 0;
		h.dsap = (uint8_t)(random8() & 0x7e); /* never SNAP's 0xaa */
		h.ssap = random8();
		h.control = random8();
	}
	unsigned least = h.type ? 8 : 3;
	h.length = (uint16_t)(least + random_below(1501 - least));
	return h;
}

static uint64_t expect_eth(const char *key, const void *header)
{
	const struct eth_header *h = header;
	if (strcmp(key, "destination") == 0)
		return number_of_mac(&h->destination);
	if (strcmp(key, "source") == 0)
		return number_of_mac(&h->source);
	if (strcmp(key, "type") == 0) {
		if (h->tags > 0)
			return h->outer_is_qinq ? ETHERTYPE_QINQ : ETHERTYPE_VLAN;
		return h->llc ? h->length : h->type;
	}
	fail_msg("no member for %s", key);
	return 0;
}

/* The last tag, whose type is the frame's. */
static uint64_t expect_vlan(const char *key, const void *header)
{
	const struct eth_header *h = header;
	uint16_t tag = h->tag[h->tags - 1];
	if (strcmp(key, "priority") == 0)
		return tag >> 13;
	if (strcmp(key, "drop_eligible") == 0)
		return tag >> 12 & 1;
	if (strcmp(key, "vlan") == 0)
		return tag & 0xfff;
	if (strcmp(key, "type") == 0)
		return h->llc ? h->length : h->type;
	fail_msg("no member for %s", key);
	return 0;
}

static uint64_t expect_llc(const char *key, const void *header)
{
	const struct eth_header *h = header;
	if (strcmp(key, "dsap") == 0)
		return h->dsap;
	if (strcmp(key, "ssap") == 0)
		return h->ssap;
	if (strcmp(key, "control") == 0)
		return h->control;
	if (strcmp(key, "organization") == 0)
		return 0;
	if (strcmp(key, "type") == 0)
		return h->type;
	fail_msg("no member for %s", key);
	return 0;
}

static void check_tables(struct span frame, const struct eth_header *h)
{
	check_table(&eth_info, frame, expect_eth, h);
	size_t after_tags = ETH_HEADER + 4u * h->tags;
	if (h->tags > 0)
		check_table(&vlan_info, span_after(frame, after_tags - 4), expect_vlan, h);
	if (h->llc && h->type)
		check_table(&llc_info, span_after(frame, after_tags), expect_llc, h);
}

static void test_emit_then_parse(void **state)
{
	(void)state;
	static uint8_t frame[1600];
	FOR_ROUNDS(1)
	{
		struct eth_header h = random_header(), back;
		size_t n = eth_emit(&h, frame, sizeof frame);
		CHECK(eth_emit(&h, frame, n) == n);
		CHECK(n == 14 + 4u * h.tags + (h.llc ? (h.type ? 8u : 3u) : 0u));
		size_t body = h.llc ? h.length - (h.type ? 8u : 3u) : random_below(100);
		size_t padding = random_below(20);
		struct span payload;
		CHECK(eth_parse(span_of(frame, n + body + padding), &back, &payload) == DROP_NONE);
		CHECK(same(&h, &back) && back.header_len == n);
		CHECK(payload.at == frame + n);
		CHECK(payload.len == (h.llc ? body : body + padding));
		check_tables(span_of(frame, n), &back);
		for (size_t cap = 0; cap < n; cap++)
			CHECK(eth_emit(&h, frame, cap) == 0);
	}
}

/* Random bytes, bent so that all forms are met. What is accepted is emitted as it came. */
static void test_parse_then_emit(void **state)
{
	(void)state;
	static const uint16_t types[] = { 0x0800, 0x86dd, 0x8100, 0x88a8, 0x0600, 0x05ff, 0x05dd,
		0x05dc, 0, 3, 8, 40 };
	unsigned accepted = 0;
	FOR_ROUNDS(2)
	{
		uint8_t bytes[64], out[64];
		size_t len = random_below(sizeof bytes + 1);
		random_fill(bytes, sizeof bytes);
		for (size_t at = 12; at <= 20; at += 4)
			if (random_below(4) > 0)
				store16(bytes + at, types[random_below(12)]);
		if (random_bool())
			memcpy(bytes + 14 + 4 * random_below(3), "\xaa\xaa\x03\0\0", 6);
		uint8_t *copy = exact(bytes, len);
		struct eth_header h;
		struct span payload;
		enum drop drop = eth_parse(span_of(copy, len), &h, &payload);
		CHECK((drop == DROP_ETH_SHORT) == (len < 14));
		if (drop == DROP_NONE) {
			accepted++;
			CHECK(eth_emit(&h, out, sizeof out) == h.header_len);
			CHECK(memcmp(out, copy, h.header_len) == 0);
			CHECK(payload.at == copy + h.header_len);
			CHECK(payload.at + payload.len <= copy + len);
		}
		free(copy);
	}
	assert_in_range(accepted, ROUNDS / 10, ROUNDS - ROUNDS / 10);
}

static enum drop parse_form(const char *after_addresses, size_t len, size_t total)
{
	uint8_t frame[1600] = { 0 };
	memcpy(frame + 12, after_addresses, len);
	struct eth_header h;
	struct span payload;
	uint8_t *copy = exact(frame, total);
	enum drop drop = eth_parse(span_of(copy, total), &h, &payload);
	free(copy);
	return drop;
}

static void test_boundaries(void **state)
{
	(void)state;
	assert_int_equal(parse_form("\x08\x00", 2, 13), DROP_ETH_SHORT);
	assert_int_equal(parse_form("\x08\x00", 2, 14), DROP_NONE);
	assert_int_equal(parse_form("\x06\x00", 2, 14), DROP_NONE);
	assert_int_equal(parse_form("\x05\xff", 2, 1600), DROP_ETH_UNDEFINED);
	assert_int_equal(parse_form("\x05\xdd", 2, 1600), DROP_ETH_UNDEFINED);
	assert_int_equal(parse_form("\x05\xdc", 2, 14 + 1500), DROP_NONE);
	assert_int_equal(parse_form("\x05\xdc", 2, 14 + 1499), DROP_ETH_LENGTH);
	assert_int_equal(parse_form("\x00\x00", 2, 60), DROP_LLC_SHORT);
	assert_int_equal(parse_form("\x00\x02", 2, 60), DROP_LLC_SHORT);
	assert_int_equal(parse_form("\x00\x03", 2, 60), DROP_NONE);
	assert_int_equal(parse_form("\x00\x07\xaa\xaa\x03", 5, 60), DROP_LLC_SHORT);
	assert_int_equal(parse_form("\x00\x08\xaa\xaa\x03", 5, 60), DROP_NONE);
	assert_int_equal(parse_form("\x81\x00", 2, 17), DROP_VLAN_SHORT);
	assert_int_equal(parse_form("\x81\x00\x00\x05\x08\x00", 6, 18), DROP_NONE);
	assert_int_equal(parse_form("\x81\x00\x00\x05\x81\x00", 6, 21), DROP_VLAN_SHORT);
}

static struct eth_header parse_type(const char *after_addresses, size_t len)
{
	uint8_t frame[64] = { 0 };
	memcpy(frame + 12, after_addresses, len);
	struct eth_header h;
	struct span payload;
	assert_int_equal(eth_parse(span_of(frame, sizeof frame), &h, &payload), DROP_NONE);
	return h;
}

/* Only two tags are read, and a service tag is never the inner one: the rest is a type. */
static void test_tags(void **state)
{
	(void)state;
	struct eth_header h = parse_type("\x88\xa8\x00\x01\x81\x00\x00\x02\x81\x00", 10);
	assert_int_equal(h.tags, 2);
	assert_true(h.outer_is_qinq);
	assert_int_equal(h.tag[0], 1);
	assert_int_equal(h.tag[1], 2);
	assert_int_equal(h.type, ETHERTYPE_VLAN);
	h = parse_type("\x81\x00\x00\x01\x88\xa8\x00\x02\x08\x00", 10);
	assert_int_equal(h.tags, 1);
	assert_false(h.outer_is_qinq);
	assert_int_equal(h.type, ETHERTYPE_QINQ);
}

/* SNAP is aa, aa, 03 and, for us, the organization zero with an EtherType; else it is plain LLC. */
static void test_snap(void **state)
{
	(void)state;
	static const struct {
		const char *bytes; /* length and LLC */
		uint16_t type;
		uint8_t header_len;
	} cases[] = {
		{ "\0\x20\xaa\xaa\x03\0\0\0\x08\0", 0x0800, 22 },
		{ "\0\x20\xaa\xaa\x03\0\0\0\x06\0", 0x0600, 22 },
		{ "\0\x20\xaa\xaa\x03\0\0\0\x05\xff", 0, 17 },
		{ "\0\x20\xaa\xaa\x03\1\0\0\x08\0", 0, 17 },
		{ "\0\x20\xaa\xaa\x03\0\1\0\x08\0", 0, 17 },
		{ "\0\x20\xaa\xaa\x03\0\0\1\x08\0", 0, 17 },
		{ "\0\x20\xaa\x42\x03\0\0\0\x08\0", 0, 17 },
		{ "\0\x20\x42\xaa\x03\0\0\0\x08\0", 0, 17 },
		{ "\0\x20\xaa\xaa\x13\0\0\0\x08\0", 0, 17 },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct eth_header h = parse_type(cases[i].bytes, 10);
		assert_true(h.llc);
		assert_int_equal(h.type, cases[i].type);
		assert_int_equal(h.header_len, cases[i].header_len);
	}
}

static void test_fcs(void **state)
{
	(void)state;
	/* The check value that every description of CRC-32 gives. */
	assert_int_equal(eth_fcs(span_of("123456789", 9)), 0xcbf43926);
	/* Over a frame and its own FCS the remainder is always the same. */
	FOR_ROUNDS(3)
	{
		uint8_t frame[68];
		size_t len = random_below(65);
		random_fill(frame, len);
		uint32_t fcs = eth_fcs(span_of(frame, len));
		memcpy(frame + len, &fcs, 4);
		CHECK(eth_fcs(span_of(frame, len + 4)) == 0x2144df1c);
	}
}

static void test_too_many_tags(void **state)
{
	(void)state;
	uint8_t out[64];
	struct eth_header h = { .tags = 3, .type = ETHERTYPE_IP4 };
	assert_int_equal(eth_emit(&h, out, sizeof out), 0);
}

static void test_cover(void **state)
{
	(void)state;
	check_cover(&eth_info, 14 * 8);
	check_cover(&vlan_info, 4 * 8);
	check_cover(&llc_info, 8 * 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_emit_then_parse),
		cmocka_unit_test(test_parse_then_emit),
		cmocka_unit_test(test_boundaries),
		cmocka_unit_test(test_tags),
		cmocka_unit_test(test_snap),
		cmocka_unit_test(test_fcs),
		cmocka_unit_test(test_too_many_tags),
		cmocka_unit_test(test_cover),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
