/*
 * ICMP's eight bytes both ways, their tables, and the names of messages.
 */
#include "wire_random.h"

#include "wire/icmp.h"

static uint64_t expect(const char *key, const void *header)
{
	const struct icmp_header *h = header;
	if (strcmp(key, "type") == 0)
		return h->type;
	if (strcmp(key, "code") == 0)
		return h->code;
	if (strcmp(key, "checksum") == 0)
		return h->checksum;
	if (strcmp(key, "rest") == 0)
		return h->rest;
	fail_msg("no member for %s", key);
	return 0;
}

static void test_emit_then_parse(void **state)
{
	(void)state;
	FOR_ROUNDS(1)
	{
		struct icmp_header h = { random8(), random8(), random16(), random32() }, back;
		uint8_t bytes[ICMP_HEADER];
		CHECK(icmp_emit(&h, bytes, sizeof bytes) == ICMP_HEADER);
		CHECK(icmp_parse(span_of(bytes, sizeof bytes), &back) == DROP_NONE);
		CHECK(back.type == h.type && back.code == h.code && back.checksum == h.checksum &&
			back.rest == h.rest);
		CHECK(icmp_id(&back) == load16(bytes + 4));
		CHECK(icmp_sequence(&back) == load16(bytes + 6));
		check_table(&icmp4_info, span_of(bytes, sizeof bytes), expect, &back);
		check_table(&icmp6_info, span_of(bytes, sizeof bytes), expect, &back);
		CHECK(icmp_emit(&h, bytes, random_below(ICMP_HEADER)) == 0);
	}
}

static void test_parse_then_emit(void **state)
{
	(void)state;
	FOR_ROUNDS(2)
	{
		uint8_t bytes[12], out[ICMP_HEADER];
		size_t len = random_below(sizeof bytes + 1);
		random_fill(bytes, sizeof bytes);
		uint8_t *copy = exact(bytes, len);
		struct icmp_header h;
		enum drop drop = icmp_parse(span_of(copy, len), &h);
		CHECK(drop == (len < ICMP_HEADER ? DROP_ICMP_SHORT : DROP_NONE));
		if (drop == DROP_NONE) {
			CHECK(icmp_emit(&h, out, sizeof out) == ICMP_HEADER);
			CHECK(memcmp(out, copy, ICMP_HEADER) == 0);
		}
		free(copy);
	}
}

static void test_names(void **state)
{
	(void)state;
	for (unsigned type = 0; type < 256; type++) {
		for (unsigned code = 0; code < 256; code++) {
			assert_true(strlen(icmp4_name((uint8_t)type, (uint8_t)code)) > 3);
			assert_true(strlen(icmp6_name((uint8_t)type, (uint8_t)code)) > 3);
		}
	}
	assert_string_equal(icmp4_name(ICMP4_ECHO, 0), "echo request");
	assert_string_equal(icmp4_name(ICMP4_ECHO_REPLY, 0), "echo reply");
	assert_string_equal(icmp4_name(ICMP4_UNREACHABLE, 3), "port unreachable");
	assert_string_equal(icmp4_name(ICMP4_UNREACHABLE, 4), "fragmentation needed");
	assert_string_equal(icmp4_name(ICMP4_UNREACHABLE, 16), "destination unreachable");
	assert_string_equal(icmp4_name(ICMP4_TIME_EXCEEDED, 0), "time to live exceeded in transit");
	assert_string_equal(icmp4_name(255, 0), "unknown type");
	assert_string_equal(icmp6_name(ICMP6_TOO_BIG, 0), "packet too big");
	assert_string_equal(icmp6_name(ICMP6_UNREACHABLE, 4), "port unreachable");
	assert_string_equal(icmp6_name(ICMP6_NEIGHBOUR_SOLICIT, 0), "neighbour solicitation");
	assert_string_equal(icmp6_name(ICMP6_PARAMETER, 11), "parameter problem");
	assert_string_equal(icmp6_name(0, 0), "unknown type");
}

static void test_cover(void **state)
{
	(void)state;
	check_cover(&icmp4_info, ICMP_HEADER * 8);
	check_cover(&icmp6_info, ICMP_HEADER * 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_emit_then_parse),
		cmocka_unit_test(test_parse_then_emit),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_cover),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
