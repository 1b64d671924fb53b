/*
 * UDP's codec: both ways over random headers, and the length field at each of its edges (attack
 * UDP-01).
 */
#include "wire_random.h"

#include "wire/udp.h"

static uint64_t expect(const char *key, const void *header)
{
	const struct udp_header *h = header;
	if (strcmp(key, "source_port") == 0)
		return h->source_port;
	if (strcmp(key, "destination_port") == 0)
		return h->destination_port;
	if (strcmp(key, "length") == 0)
		return h->length;
	if (strcmp(key, "checksum") == 0)
		return h->checksum;
	fail_msg("no member for %s", key);
	return 0;
}

static void test_emit_then_parse(void **state)
{
	(void)state;
	FOR_ROUNDS(1)
	{
		struct udp_header h = { random16(), random16(),
			(uint16_t)(8 + random_below(65536 - 8)), random16() };
		struct udp_header back;
		uint8_t bytes[UDP_HEADER];
		CHECK(udp_emit(&h, bytes, sizeof bytes) == UDP_HEADER);
		size_t present = h.length + random_below(30);
		CHECK(udp_parse(span_of(bytes, UDP_HEADER), present, &back) == DROP_NONE);
		CHECK(back.source_port == h.source_port && back.length == h.length);
		CHECK(back.destination_port == h.destination_port && back.checksum == h.checksum);
		check_table(&udp_info, span_of(bytes, UDP_HEADER), expect, &back);
		CHECK(udp_emit(&h, bytes, random_below(UDP_HEADER)) == 0);
	}
}

static void test_parse_then_emit(void **state)
{
	(void)state;
	FOR_ROUNDS(2)
	{
		uint8_t bytes[24], out[UDP_HEADER];
		size_t len = random_below(sizeof bytes + 1);
		random_fill(bytes, sizeof bytes);
		store16(bytes + 4, random_bool() ? (uint16_t)random_below(30) : random16());
		uint8_t *copy = exact(bytes, len);
		struct udp_header h;
		enum drop drop = udp_parse(span_of(copy, len), len, &h);
		if (len < UDP_HEADER)
			CHECK(drop == DROP_UDP_SHORT);
		else if (load16(bytes + 4) < UDP_HEADER || load16(bytes + 4) > len)
			CHECK(drop == DROP_UDP_LENGTH);
		else
			CHECK(drop == DROP_NONE && udp_emit(&h, out, 8) == 8 &&
				memcmp(out, copy, 8) == 0);
		free(copy);
	}
}

/* The header may be all that lies in the span, but never more than what is present. */
static void test_present(void **state)
{
	(void)state;
	static const uint8_t bytes[] = { 0, 1, 0, 2, 0, 8, 0, 0 };
	struct udp_header h;
	assert_int_equal(udp_parse(span_of(bytes, 8), 8, &h), DROP_NONE);
	assert_int_equal(udp_parse(span_of(bytes, 8), 7, &h), DROP_UDP_SHORT);
	assert_int_equal(udp_parse(span_of(bytes, 7), 8, &h), DROP_UDP_SHORT);
}

static void test_cover(void **state)
{
	(void)state;
	check_cover(&udp_info, UDP_HEADER * 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_emit_then_parse),
		cmocka_unit_test(test_parse_then_emit),
		cmocka_unit_test(test_present),
		cmocka_unit_test(test_cover),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
