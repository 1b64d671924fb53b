/*
 * ARP's codec: both ways over random packets, and every length and every kind that is not Ethernet
 * and IPv4 refused (attack ARP-01).
 */
#include "wire_random.h"

#include "wire/arp.h"

static struct arp_packet random_packet(void)
{
	return (struct arp_packet){
		.operation = random_bool() ? ARP_REQUEST : ARP_REPLY,
		.sender_mac = random_mac(),
		.target_mac = random_mac(),
		.sender = random_addr4(),
		.target = random_addr4(),
	};
}

static bool same(const struct arp_packet *a, const struct arp_packet *b)
{
	return a->operation == b->operation && mac_equal(&a->sender_mac, &b->sender_mac) &&
		mac_equal(&a->target_mac, &b->target_mac) && addr_equal(&a->sender, &b->sender) &&
		addr_equal(&a->target, &b->target);
}

static uint64_t expect(const char *key, const void *packet)
{
	const struct arp_packet *p = packet;
	if (strcmp(key, "hardware_type") == 0)
		return 1;
	if (strcmp(key, "protocol_type") == 0)
		return ETHERTYPE_IP4;
	if (strcmp(key, "hardware_length") == 0)
		return 6;
	if (strcmp(key, "protocol_length") == 0)
		return 4;
	if (strcmp(key, "operation") == 0)
		return p->operation;
	if (strcmp(key, "sender_mac") == 0)
		return number_of_mac(&p->sender_mac);
	if (strcmp(key, "sender") == 0)
		return number_of_address(&p->sender);
	if (strcmp(key, "target_mac") == 0)
		return number_of_mac(&p->target_mac);
	if (strcmp(key, "target") == 0)
		return number_of_address(&p->target);
	fail_msg("no member for %s", key);
	return 0;
}

static void test_emit_then_parse(void **state)
{
	(void)state;
	FOR_ROUNDS(1)
	{
		uint8_t bytes[60];
		struct arp_packet p = random_packet(), back;
		CHECK(arp_emit(&p, bytes, ARP_LEN) == ARP_LEN);
		CHECK(arp_parse(span_of(bytes, ARP_LEN + random_below(32)), &back) == DROP_NONE);
		CHECK(same(&p, &back));
		check_table(&arp_info, span_of(bytes, ARP_LEN), expect, &back);
		CHECK(arp_emit(&p, bytes, random_below(ARP_LEN)) == 0);
	}
}

static void test_parse_then_emit(void **state)
{
	(void)state;
	unsigned accepted = 0;
	FOR_ROUNDS(2)
	{
		uint8_t bytes[40], out[ARP_LEN];
		size_t len = random_below(sizeof bytes + 1);
		random_fill(bytes, sizeof bytes);
		memcpy(bytes, "\0\1\x08\0\6\4\0\1", 8);
		bytes[7] = (uint8_t)random_below(4);
		if (random_below(4) == 0)
			bytes[random_below(6)] ^= (uint8_t)(1u << random_below(8));
		uint8_t *copy = exact(bytes, len);
		struct arp_packet p;
		enum drop drop = arp_parse(span_of(copy, len), &p);
		if (drop == DROP_NONE) {
			accepted++;
			CHECK(len >= ARP_LEN);
			CHECK(arp_emit(&p, out, sizeof out) == ARP_LEN);
			CHECK(memcmp(out, copy, ARP_LEN) == 0);
		}
		free(copy);
	}
	assert_in_range(accepted, ROUNDS / 20, ROUNDS / 2);
}

static enum drop parse_changed(size_t at, uint8_t value, size_t len)
{
	struct arp_packet p = { .operation = ARP_REQUEST, .sender = ADDR_ANY, .target = ADDR_ANY };
	uint8_t bytes[64] = { 0 };
	assert_int_equal(arp_emit(&p, bytes, sizeof bytes), ARP_LEN);
	bytes[at] = value;
	uint8_t *copy = exact(bytes, len);
	enum drop drop = arp_parse(span_of(copy, len), &p);
	free(copy);
	return drop;
}

static void test_refused(void **state)
{
	(void)state;
	for (size_t len = 0; len < ARP_LEN; len++)
		assert_int_equal(parse_changed(0, 0, len), DROP_ARP_SHORT);
	for (size_t at = 0; at < 6; at++) {
		assert_int_equal(parse_changed(at, 255, 42), DROP_ARP_KIND);
		assert_int_equal(parse_changed(at, 255, ARP_LEN), DROP_ARP_KIND);
		assert_int_equal(parse_changed(at, 255, 8), DROP_ARP_KIND);
	}
	assert_int_equal(parse_changed(7, 0, 46), DROP_ARP_OPERATION);
	assert_int_equal(parse_changed(7, 1, 46), DROP_NONE);
	assert_int_equal(parse_changed(7, 2, 46), DROP_NONE);
	assert_int_equal(parse_changed(7, 3, 46), DROP_ARP_OPERATION);
	assert_int_equal(parse_changed(6, 1, 46), DROP_ARP_OPERATION);
}

static void test_cover(void **state)
{
	(void)state;
	check_cover(&arp_info, ARP_LEN * 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_emit_then_parse),
		cmocka_unit_test(test_parse_then_emit),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_cover),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
