/*
 * A frame's anatomy: every byte belongs to one layer, in frames that are whole,
 * padded, cut short, or made of noise.
 */
#include "unit/base/property.h"

#include "diag/anatomy.h"

#define FRAME_MAX 1600

static uint32_t sum(const struct anatomy *a)
{
	uint32_t n = 0;
	for (unsigned i = 0; i < ANATOMY_LAYERS; i++)
		n += a->bytes[i];
	return n;
}

/* Ethernet and IPv4 around a TCP segment with `text` bytes, and padding up to `len`. */
static size_t build(uint8_t *out, uint16_t text, size_t len)
{
	const struct eth_header eth = { .type = ETHERTYPE_IP4, .header_len = ETH_HEADER };
	const struct ip4_header ip = { .header_len = IP4_HEADER,
		.total_len = (uint16_t)(IP4_HEADER + TCP_HEADER + text),
		.ttl = 64,
		.protocol = IPPROTO_TCP_,
		.source = addr_from4((const uint8_t[]){ 192, 0, 2, 1 }),
		.destination = addr_from4((const uint8_t[]){ 192, 0, 2, 2 }) };
	const struct tcp_header tcp = { .source_port = 80, .flags = TCP_ACK, .header_len = 20 };
	memset(out, 'p', FRAME_MAX);
	size_t at = eth_emit(&eth, out, ETH_HEADER);
	at += ip4_emit(&ip, out + at, IP4_HEADER);
	at += tcp_emit(&tcp, out + at, TCP_HEADER);
	at += text;
	return at < len ? len : at;
}

static void test_whole(void **state)
{
	uint8_t frame[FRAME_MAX];
	struct anatomy a;
	(void)state;
	size_t len = build(frame, 500, 0);
	anatomy_read(span_of(frame, len), (uint32_t)len, &a);
	assert_int_equal(a.kind, ANATOMY_TCP);
	assert_int_equal(a.fault, DROP_NONE);
	assert_int_equal(a.bytes[LAYER_ACCESS], ETH_HEADER);
	assert_int_equal(a.bytes[LAYER_INTERNET], IP4_HEADER);
	assert_int_equal(a.bytes[LAYER_TRANSPORT], TCP_HEADER);
	assert_int_equal(a.bytes[LAYER_APPLICATION], 500);
	assert_int_equal(a.payload.len, 500);
	assert_int_equal(a.padding, 0);
}

static void test_padding_is_the_links(void **state)
{
	uint8_t frame[FRAME_MAX];
	struct anatomy a;
	(void)state;
	size_t len = build(frame, 0, ETH_MIN_FRAME);
	anatomy_read(span_of(frame, len), (uint32_t)len, &a);
	assert_int_equal(a.kind, ANATOMY_TCP);
	assert_int_equal(a.padding, 6);
	assert_int_equal(a.bytes[LAYER_ACCESS], ETH_HEADER + 6);
	assert_int_equal(a.payload_len, 0);
}

static void test_only_the_head_is_there(void **state)
{
	uint8_t frame[FRAME_MAX];
	struct anatomy a;
	(void)state;
	size_t len = build(frame, 1000, 0);
	anatomy_read(span_of(frame, 100), (uint32_t)len, &a);
	assert_int_equal(a.kind, ANATOMY_TCP);
	assert_int_equal(a.payload_len, 1000);
	assert_int_equal(a.payload.len, 100 - ETH_HEADER - IP4_HEADER - TCP_HEADER);
	assert_int_equal(sum(&a), len);
}

static void test_faults_are_named(void **state)
{
	uint8_t frame[FRAME_MAX];
	struct anatomy a;
	(void)state;
	size_t len = build(frame, 10, 0);
	frame[ETH_HEADER + 8]++; /* TTL: the checksum no longer fits */
	anatomy_read(span_of(frame, len), (uint32_t)len, &a);
	assert_int_equal(a.fault, DROP_IP4_CHECKSUM);
	assert_int_equal(a.bytes[LAYER_INTERNET], len - ETH_HEADER);
	anatomy_read(span_of(frame, 9), 9, &a);
	assert_int_equal(a.fault, DROP_ETH_SHORT);
	assert_int_equal(a.bytes[LAYER_ACCESS], 9);
	len = build(frame, 10, 0);
	frame[ETH_HEADER + IP4_HEADER + 12] = 0x10; /* data offset 1 */
	anatomy_read(span_of(frame, len), (uint32_t)len, &a);
	assert_int_equal(a.fault, DROP_TCP_OFFSET);
	assert_int_equal(sum(&a), len);
}

/* Noise, frames with noise in them, and beginnings of frames. */
static void every_byte_has_a_layer(struct rng *r)
{
	uint8_t frame[FRAME_MAX];
	struct anatomy a;
	size_t len = build(frame, (uint16_t)rng_below(r, 300), 0);
	for (unsigned n = (unsigned)rng_below(r, 6); n; n--)
		frame[rng_below(r, (uint32_t)len)] = (uint8_t)rng_next(r);
	if (rng_below(r, 4) == 0)
		rng_fill(r, frame + 14, len - 14);
	if (rng_below(r, 3) == 0) {
		static const uint16_t types[] = { ETHERTYPE_ARP, ETHERTYPE_IP6, ETHERTYPE_VLAN,
			40 };
		store16(frame + 12, types[rng_below(r, 4)]);
		frame[14] = (uint8_t)(0x60 | (frame[14] & 15));
	}
	len = rng_below(r, (uint32_t)len + 1);
	size_t given = rng_below(r, 3) ? len : rng_below(r, (uint32_t)len + 1);
	anatomy_read(span_of(frame, given), (uint32_t)len, &a);
	check(sum(&a) == len);
	check(a.payload.len <= a.payload_len);
	check(a.payload_len <= len);
	check(a.padding <= a.bytes[LAYER_ACCESS]);
	check(!a.payload.len ||
		(a.payload.at >= frame && a.payload.at + a.payload.len <= frame + given));
}

static void test_every_byte_has_a_layer(void **state)
{
	(void)state;
	property_each(20000, every_byte_has_a_layer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole),
		cmocka_unit_test(test_padding_is_the_links),
		cmocka_unit_test(test_only_the_head_is_there),
		cmocka_unit_test(test_faults_are_named),
		cmocka_unit_test(test_every_byte_has_a_layer),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
