/*
 * IPv4's codec: both ways over random headers with and without options, each refusal with its
 * reason in the order in which a header may be believed (attacks IP4-01, IP4-05, IP4-06), the
 * pseudo-header, and the option walk.
 */
#include "wire_random.h"

#include "wire/ip4.h"

/* One's complement sum by the book (RFC 1071 4.1), over bytes in network order. */
static uint16_t slow_sum(const uint8_t *at, size_t len)
{
	uint32_t sum = 0;
	for (size_t i = 0; i < len; i++)
		sum += i % 2 ? at[i] : (uint32_t)at[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

/* Options that are well formed: fills `out`, returns a length of at most 40. */
static size_t random_options(uint8_t out[40])
{
	static const uint8_t kinds[] = { 1, 7, 68, 130, 136, 148, 205, 30, 94, 222 };
	size_t len = 0;
	for (;;) {
		uint8_t kind = kinds[random_below(sizeof kinds)];
		size_t size = 4 + random_below(12);
		if (kind == 1)
			size = 1;
		else if (kind == 136 || kind == 148)
			size = 4;
		if (len + size > 40 || random_below(4) == 0)
			return len;
		random_fill(out + len, size);
		out[len] = kind;
		if (kind != 1)
			out[len + 1] = (uint8_t)size;
		len += size;
	}
}

static struct ip4_header random_header(uint8_t options[40])
{
	struct ip4_header h = {
		.tos = random8(),
		.id = random16(),
		.dont_fragment = random_bool(),
		.more_fragments = random_bool(),
		.reserved = random_below(4) == 0,
		.fragment_offset = (uint16_t)(random_bits(13) * 8),
		.ttl = random8(),
		.protocol = random8(),
		.source = random_addr4(),
		.destination = random_addr4(),
	};
	if (random_below(3) == 0)
		h.options = span_of(options, random_options(options));
	size_t header = 20 + (h.options.len + 3) / 4 * 4;
	h.total_len = (uint16_t)(header + random_below((uint32_t)(65536 - header)));
	return h;
}

static bool same(const struct ip4_header *a, const struct ip4_header *b)
{
	return a->tos == b->tos && a->total_len == b->total_len && a->id == b->id &&
		a->dont_fragment == b->dont_fragment && a->more_fragments == b->more_fragments &&
		a->reserved == b->reserved && a->fragment_offset == b->fragment_offset &&
		a->ttl == b->ttl && a->protocol == b->protocol &&
		addr_equal(&a->source, &b->source) && addr_equal(&a->destination, &b->destination);
}

static uint64_t expect(const char *key, const void *header)
{
	const struct ip4_header *h = header;
	if (strcmp(key, "version") == 0)
		return 4;
	if (strcmp(key, "header_length") == 0)
		return h->header_len / 4u;
	if (strcmp(key, "dscp") == 0)
		return h->tos >> 2;
	if (strcmp(key, "ecn") == 0)
		return h->tos & 3;
	if (strcmp(key, "total_length") == 0)
		return h->total_len;
	if (strcmp(key, "id") == 0)
		return h->id;
	if (strcmp(key, "flags") == 0)
		return (uint64_t)(h->reserved << 2 | h->dont_fragment << 1 | h->more_fragments);
	if (strcmp(key, "fragment_offset") == 0)
		return h->fragment_offset / 8u;
	if (strcmp(key, "ttl") == 0)
		return h->ttl;
	if (strcmp(key, "protocol") == 0)
		return h->protocol;
	if (strcmp(key, "checksum") == 0)
		return h->checksum;
	if (strcmp(key, "source") == 0)
		return number_of_address(&h->source);
	if (strcmp(key, "destination") == 0)
		return number_of_address(&h->destination);
	fail_msg("no member for %s", key);
	return 0;
}

static void test_emit_then_parse(void **state)
{
	(void)state;
	FOR_ROUNDS(1)
	{
		uint8_t options[40], bytes[60];
		struct ip4_header h = random_header(options), back;
		size_t n = ip4_emit(&h, bytes, sizeof bytes);
		CHECK(n == 20 + (h.options.len + 3) / 4 * 4);
		CHECK(ip4_emit(&h, bytes, n) == n);
		CHECK(slow_sum(bytes, n) == 0xffff);
		CHECK(ip4_parse(span_of(bytes, n), h.total_len + random_below(9), &back) ==
			DROP_NONE);
		CHECK(same(&h, &back) && back.header_len == n);
		CHECK(back.options.len == n - 20);
		CHECK(h.options.len == 0 || memcmp(back.options.at, options, h.options.len) == 0);
		for (size_t i = 20 + h.options.len; i < n; i++)
			CHECK(bytes[i] == 0);
		check_table(&ip4_info, span_of(bytes, n), expect, &back);
		CHECK(ip4_emit(&h, bytes, random_below((uint32_t)n)) == 0);
	}
}

/* Accepted headers come out as they went in, but for the checksum's second zero (RFC 1624). */
static void test_parse_then_emit(void **state)
{
	(void)state;
	unsigned accepted = 0;
	FOR_ROUNDS(2)
	{
		uint8_t bytes[80], out[60];
		random_fill(bytes, sizeof bytes);
		bytes[0] = (uint8_t)(0x45 + (random_below(3) == 0 ? random_below(11) : 0));
		size_t len = (bytes[0] & 15u) * 4;
		if (random_bool())
			memset(bytes + 20, 1, sizeof bytes - 20);
		store16(bytes + 2, (uint16_t)(random_below(120)));
		store16(bytes + 10, 0);
		store16(bytes + 10, (uint16_t)~slow_sum(bytes, len));
		size_t cut = random_below(4) == 0 ? random_below(81) : sizeof bytes;
		uint8_t *copy = exact(bytes, cut);
		struct ip4_header h;
		if (ip4_parse(span_of(copy, cut), cut, &h) == DROP_NONE) {
			accepted++;
			CHECK(h.total_len >= h.header_len && h.total_len <= cut);
			CHECK(ip4_emit(&h, out, sizeof out) == len);
			CHECK(memcmp(out, copy, len) == 0);
		}
		free(copy);
	}
	assert_in_range(accepted, ROUNDS / 10, ROUNDS - ROUNDS / 10);
}

static void test_garbage(void **state)
{
	(void)state;
	FOR_ROUNDS(3)
	{
		uint8_t bytes[64];
		size_t len = random_below(sizeof bytes + 1);
		random_fill(bytes, sizeof bytes);
		uint8_t *copy = exact(bytes, len);
		struct ip4_header h;
		size_t offset = 0, steps = 0;
		struct ip4_option o;
		ip4_parse(span_of(copy, len), len + random_below(100), &h);
		while (ip4_option_next(span_of(copy, len), &offset, &o)) {
			CHECK(++steps <= len && offset <= len && o.at < offset);
			CHECK(o.data.len == 0 || o.data.at + o.data.len <= copy + len);
		}
		free(copy);
	}
}

/* A well-formed header with some bytes changed and the checksum made right again. */
static enum drop parse_with(
	size_t header, const char *options, size_t at, uint8_t value, size_t held, size_t present)
{
	uint8_t bytes[128] = { 0 };
	bytes[0] = (uint8_t)(0x40 | header / 4);
	store16(bytes + 2, 100);
	bytes[8] = 64;
	if (header > 20)
		memcpy(bytes + 20, options, header - 20);
	bytes[at] = value;
	size_t sum_over = (bytes[0] & 15u) * 4;
	store16(bytes + 10, (uint16_t)~slow_sum(bytes, sum_over));
	uint8_t *copy = exact(bytes, held);
	struct ip4_header h;
	enum drop drop = ip4_parse(span_of(copy, held), present, &h);
	free(copy);
	return drop;
}

static void test_lengths(void **state)
{
	(void)state;
	assert_int_equal(parse_with(20, "", 8, 64, 20, 100), DROP_NONE);
	assert_int_equal(parse_with(20, "", 8, 64, 19, 100), DROP_IP4_SHORT);
	assert_int_equal(parse_with(20, "", 8, 64, 0, 0), DROP_IP4_SHORT);
	assert_int_equal(parse_with(20, "", 0, 0x55, 100, 100), DROP_IP4_VERSION);
	assert_int_equal(parse_with(20, "", 0, 0x65, 100, 100), DROP_IP4_VERSION);
	for (uint8_t words = 0; words < 5; words++)
		assert_int_equal(
			parse_with(20, "", 0, 0x40 | words, 100, 100), DROP_IP4_HEADER_LENGTH);
	assert_int_equal(parse_with(24, "\1\1\1\1", 8, 64, 23, 100), DROP_IP4_HEADER_LENGTH);
	assert_int_equal(parse_with(20, "", 0, 0x4f, 20, 20), DROP_IP4_HEADER_LENGTH);
	assert_int_equal(parse_with(20, "", 3, 19, 100, 100), DROP_IP4_TOTAL_LENGTH);
	assert_int_equal(parse_with(20, "", 3, 0, 100, 100), DROP_IP4_TOTAL_LENGTH);
	assert_int_equal(parse_with(20, "", 3, 20, 100, 100), DROP_NONE);
	assert_int_equal(parse_with(20, "", 3, 100, 100, 99), DROP_IP4_TOTAL_LENGTH);
	assert_int_equal(parse_with(20, "", 2, 255, 100, 65535), DROP_NONE);
	assert_int_equal(parse_with(60,
				 "\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1"
				 "\1\1\1\1\1\1\1\1\1\1\1\1",
				 3, 20, 100, 100),
		DROP_IP4_TOTAL_LENGTH);
}

static void test_options(void **state)
{
	(void)state;
	static const struct {
		const char *bytes;
		enum drop drop;
	} cases[] = {
		{ "\0\xff\xff\xff", DROP_NONE }, /* nothing counts after the end */
		{ "\1\1\1\0", DROP_NONE }, { "\x94\4\0\0", DROP_NONE }, /* router alert */
		{ "\x94\3\0\0", DROP_IP4_OPTION },
		{ "\7\0\4\0", DROP_IP4_OPTION }, /* length 0 and 1 never advance */
		{ "\7\1\4\0", DROP_IP4_OPTION },
		{ "\7\2\1\0", DROP_IP4_OPTION }, /* no room for the pointer */
		{ "\7\3\4\0", DROP_NONE },
		{ "\7\3\1\0", DROP_NONE }, /* nobody follows the pointer */
		{ "\7\3\xff\0", DROP_NONE }, { "\7\5\4\0", DROP_IP4_OPTION }, /* past the header */
		{ "\7\xff\4\0", DROP_IP4_OPTION }, { "\1\1\1\7", DROP_IP4_OPTION }, /* no length */
		{ "\x44\3\5\0", DROP_IP4_OPTION }, /* timestamp without its flags */
		{ "\x44\4\5\0", DROP_NONE }, { "\x83\3\4\0", DROP_IP4_SOURCE_ROUTE },
		{ "\x89\3\4\0", DROP_IP4_SOURCE_ROUTE }, { "\1\x83\3\4", DROP_IP4_SOURCE_ROUTE },
		{ "\1\1\xde\2", DROP_NONE }, /* an option may be empty and end the header */
		{ "\xde\2\1\1", DROP_NONE }, { "\xde\4\1\2", DROP_NONE }, /* unknown: skipped */
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		assert_int_equal(parse_with(24, cases[i].bytes, 8, 64, 100, 100), cases[i].drop);
}

/* Every single bit that is flipped in transit is noticed. */
static void test_checksum(void **state)
{
	(void)state;
	random_begin(4);
	for (; round_now < 500; round_now++) {
		uint8_t options[40], bytes[60];
		struct ip4_header h = random_header(options), back;
		size_t n = ip4_emit(&h, bytes, sizeof bytes);
		for (size_t bit = 8; bit < n * 8; bit++) {
			bytes[bit / 8] ^= (uint8_t)(0x80 >> bit % 8);
			CHECK(ip4_parse(span_of(bytes, n), 65535, &back) == DROP_IP4_CHECKSUM);
			bytes[bit / 8] ^= (uint8_t)(0x80 >> bit % 8);
		}
		CHECK(ip4_parse(span_of(bytes, n), 65535, &back) == DROP_NONE);
	}
}

static void test_refused_headers(void **state)
{
	(void)state;
	uint8_t options[41] = { 1 }, out[64];
	struct ip4_header h = { .total_len = 100, .options = span_of(options, 41) };
	assert_int_equal(ip4_emit(&h, out, sizeof out), 0);
	h.options.len = SIZE_MAX;
	assert_int_equal(ip4_emit(&h, out, sizeof out), 0);
	h.options.len = 40;
	assert_int_equal(ip4_emit(&h, out, sizeof out), 60);
	h.fragment_offset = 7;
	assert_int_equal(ip4_emit(&h, out, sizeof out), 0);
}

/* Both families' pseudo-headers, written out byte by byte and summed by the book. */
static void test_pseudo_sum(void **state)
{
	(void)state;
	FOR_ROUNDS(5)
	{
		bool four = random_bool();
		struct addr source = four ? random_addr4() : random_addr6();
		struct addr destination = four ? random_addr4() : random_addr6();
		uint8_t protocol = random8();
		uint32_t len = four ? random16() : random32();
		uint8_t bytes[40] = { 0 };
		size_t n;
		if (four) {
			memcpy(bytes, source.b + 12, 4);
			memcpy(bytes + 4, destination.b + 12, 4);
			bytes[9] = protocol;
			store16(bytes + 10, (uint16_t)len);
			n = 12;
		} else {
			memcpy(bytes, source.b, 16);
			memcpy(bytes + 16, destination.b, 16);
			store32(bytes + 32, len);
			bytes[39] = protocol;
			n = 40;
		}
		uint64_t sum = pseudo_sum(&source, &destination, protocol, len);
		uint16_t memory = checksum_fold(sum);
		uint8_t network[2];
		memcpy(network, &memory, 2);
		CHECK(sum <= 0x3ffffffff);
		CHECK(load16(network) % 0xffff == slow_sum(bytes, n) % 0xffff);
	}
}

static void test_option_walk(void **state)
{
	(void)state;
	static const uint8_t bytes[] = { 1, 148, 4, 9, 8, 1, 0, 7, 7 };
	struct ip4_option o;
	size_t offset = 0;
	assert_true(ip4_option_next(span_of(bytes, 9), &offset, &o));
	assert_true(o.kind == 1 && o.at == 0 && o.data.len == 0);
	assert_true(ip4_option_next(span_of(bytes, 9), &offset, &o));
	assert_true(o.kind == 148 && o.at == 1 && o.data.len == 2 && o.data.at[0] == 9);
	assert_true(ip4_option_next(span_of(bytes, 9), &offset, &o));
	assert_true(ip4_option_next(span_of(bytes, 9), &offset, &o));
	assert_true(o.kind == 0 && o.at == 6);
	assert_false(ip4_option_next(span_of(bytes, 9), &offset, &o));
}

static void test_names(void **state)
{
	(void)state;
	assert_string_equal(ip_protocol_name(6), "TCP");
	assert_string_equal(ip_protocol_name(17), "UDP");
	assert_string_equal(ip_protocol_name(1), "ICMP");
	assert_string_equal(ip_protocol_name(58), "ICMPv6");
	assert_null(ip_protocol_name(200));
	assert_null(ip_protocol_name(256));
	assert_null(ip_protocol_name(UINT64_MAX));
}

static void test_cover(void **state)
{
	(void)state;
	check_cover(&ip4_info, IP4_HEADER * 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_emit_then_parse),
		cmocka_unit_test(test_parse_then_emit),
		cmocka_unit_test(test_garbage),
		cmocka_unit_test(test_lengths),
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_checksum),
		cmocka_unit_test(test_refused_headers),
		cmocka_unit_test(test_pseudo_sum),
		cmocka_unit_test(test_option_walk),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_cover),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
