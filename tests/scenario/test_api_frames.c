/*
 * Encapsulation by hand: frames compared with those of another implementation,
 * both transports in both families, what does not fit, and frames that are cut
 * short or damaged anywhere.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "strata/strata.h"

/* 46 bytes: with 14 + 20 + 20 of headers a frame of 100, and of 104 with its check sequence. */
static const char request[] = "GET /api/users HTTP/1.1\r\nHost: example.com\r\n\r\n";
#define REQUEST (sizeof request - 1)

static struct strata_wrap_options between(const char *source, const char *destination)
{
	struct strata_wrap_options o = {
		.source_mac = { 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff },
		.destination_mac = { 0x00, 0x11, 0x22, 0x33, 0x44, 0x55 },
	};
	assert_true(strata_address_parse(source, &o.source));
	assert_true(strata_address_parse(destination, &o.destination));
	return o;
}

static void layer_is(const struct strata_frame_layers *l, unsigned i, enum strata_layer_kind kind,
	unsigned floor, size_t offset, size_t length)
{
	assert_true(i < l->count);
	assert_int_equal(l->layer[i].kind, kind);
	assert_int_equal(l->layer[i].floor, floor);
	assert_int_equal(l->layer[i].offset, offset);
	assert_int_equal(l->layer[i].length, length);
}

/* The headers that scapy 2.5 makes for the same packets. */
static const struct known {
	const char *source, *destination;
	bool udp;
	const char *headers;
	enum strata_layer_kind ip, transport;
	size_t ip_len, transport_len;
} known[] = {
	{ "192.168.1.100:54321", "93.184.216.34:80", false,
		"001122334455aabbccddeeff0800"
		"4500005600004000400642bbc0a801645db8d822"
		"d431005000000000000000005018ffff53390000",
		STRATA_LAYER_IP4, STRATA_LAYER_TCP, 20, 20 },
	{ "192.168.1.100:54321", "93.184.216.34:80", true,
		"001122334455aabbccddeeff0800"
		"4500004a00004000401142bcc0a801645db8d822"
		"d43100500036a31c",
		STRATA_LAYER_IP4, STRATA_LAYER_UDP, 20, 8 },
	{ "[2001:db8::1]:54321", "[2001:db8::2]:80", false,
		"001122334455aabbccddeeff86dd"
		"600000000042064020010db8000000000000000000000001"
		"20010db8000000000000000000000002"
		"d431005000000000000000005018ffffefab0000",
		STRATA_LAYER_IP6, STRATA_LAYER_TCP, 40, 20 },
	{ "[2001:db8::1]:54321", "[2001:db8::2]:80", true,
		"001122334455aabbccddeeff86dd"
		"600000000036114020010db8000000000000000000000001"
		"20010db8000000000000000000000002"
		"d431005000363f8f",
		STRATA_LAYER_IP6, STRATA_LAYER_UDP, 40, 8 },
};

static void hex(const uint8_t *at, size_t len, char *out)
{
	for (size_t i = 0; i < len; i++)
		snprintf(out + 2 * i, 3, "%02x", at[i]);
}

static void test_known_frames(void **state)
{
	(void)state;
	for (unsigned i = 0; i < sizeof known / sizeof *known; i++) {
		const struct known *k = &known[i];
		struct strata_wrap_options o = between(k->source, k->destination);
		struct strata_frame_layers l, u;
		uint8_t frame[200];
		char text[400];
		o.udp = k->udp;
		size_t headers = 14 + k->ip_len + k->transport_len;
		ssize_t n = strata_wrap(&o, request, REQUEST, frame, sizeof frame, &l);
		assert_int_equal(n, headers + REQUEST);
		hex(frame, headers, text);
		assert_string_equal(text, k->headers);
		assert_memory_equal(frame + headers, request, REQUEST);
		assert_int_equal(l.count, 4);
		layer_is(&l, 0, STRATA_LAYER_ETHERNET, 1, 0, 14);
		layer_is(&l, 1, k->ip, 2, 14, k->ip_len);
		layer_is(&l, 2, k->transport, 3, 14 + k->ip_len, k->transport_len);
		layer_is(&l, 3, STRATA_LAYER_PAYLOAD, 4, headers, REQUEST);
		assert_int_equal(strata_unwrap(frame, (size_t)n, false, &u), 0);
		assert_memory_equal(&u, &l, sizeof u);
		assert_memory_equal(&u.source, &o.source, sizeof u.source);
		assert_memory_equal(&u.destination, &o.destination, sizeof u.destination);
		assert_memory_equal(u.source_mac, o.source_mac, 6);
		assert_int_equal(u.protocol, k->udp ? 17 : 6);
	}
}

static void test_fcs(void **state)
{
	(void)state;
	struct strata_wrap_options o = between("192.168.1.100:54321", "93.184.216.34:80");
	struct strata_frame_layers l;
	uint8_t frame[104];
	char text[9];
	o.fcs = true;
	assert_int_equal(strata_wrap(&o, request, REQUEST, frame, sizeof frame, &l), 104);
	hex(frame + 100, 4, text);
	assert_string_equal(text, "c02a9a3f");
	assert_int_equal(l.count, 5);
	layer_is(&l, 4, STRATA_LAYER_FCS, 1, 100, 4);
	assert_null(l.problem);
	for (unsigned bit = 0; bit < 8 * sizeof frame; bit++) {
		frame[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_int_equal(strata_unwrap(frame, sizeof frame, true, &l), -STRATA_E_MALFORMED);
		assert_string_equal(l.problem, "frame check sequence is wrong");
		frame[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
}

static void test_limits(void **state)
{
	(void)state;
	static uint8_t payload[70000], frame[70000];
	struct strata_wrap_options o = between("192.0.2.1:1", "192.0.2.2:2");
	struct strata_frame_layers l;
	const size_t most = 65535 - 40;
	assert_int_equal(strata_wrap(&o, payload, most, frame, sizeof frame, &l), 14 + 65535);
	assert_int_equal(l.payload_length, most);
	assert_int_equal(
		strata_wrap(&o, payload, most + 1, frame, sizeof frame, &l), -STRATA_E_TOO_BIG);
	assert_int_equal(strata_wrap(&o, payload, 10, frame, 63, &l), -STRATA_E_TOO_BIG);
	assert_int_equal(strata_wrap(&o, payload, 10, frame, 64, &l), 64);
	assert_int_equal(strata_wrap(&o, NULL, 0, frame, 54, NULL), 54);
	assert_int_equal(strata_wrap(&o, NULL, 1, frame, 60, NULL), -STRATA_E_ARGUMENT);
	assert_int_equal(strata_wrap(NULL, payload, 1, frame, 60, NULL), -STRATA_E_ARGUMENT);
	o = between("192.0.2.1:1", "[2001:db8::2]:2");
	assert_int_equal(strata_wrap(&o, payload, 1, frame, 99, NULL), -STRATA_E_FAMILY);
}

/* An IPv4 packet of 46 bytes at least comes with link padding, which is no payload. */
static void test_padding(void **state)
{
	(void)state;
	struct strata_wrap_options o = between("192.0.2.1:1", "192.0.2.2:2");
	struct strata_frame_layers l;
	uint8_t frame[60] = { 0 };
	o.udp = true;
	assert_int_equal(strata_wrap(&o, "hi", 2, frame, sizeof frame, NULL), 44);
	assert_int_equal(strata_unwrap(frame, sizeof frame, false, &l), 0);
	assert_int_equal(l.count, 5);
	layer_is(&l, 3, STRATA_LAYER_PAYLOAD, 4, 42, 2);
	layer_is(&l, 4, STRATA_LAYER_PADDING, 1, 44, 16);
}

/* Cut anywhere, a frame is malformed, and no layer reaches past its end. */
static void test_cut_short(void **state)
{
	(void)state;
	for (unsigned i = 0; i < sizeof known / sizeof *known; i++) {
		struct strata_wrap_options o = between(known[i].source, known[i].destination);
		struct strata_frame_layers l;
		uint8_t frame[200];
		o.udp = known[i].udp;
		ssize_t n = strata_wrap(&o, request, REQUEST, frame, sizeof frame, NULL);
		for (size_t len = 0; len < (size_t)n; len++) {
			assert_int_equal(strata_unwrap(frame, len, false, &l), -STRATA_E_MALFORMED);
			assert_non_null(l.problem);
			for (unsigned j = 0; j < l.count; j++)
				assert_true(l.layer[j].offset + l.layer[j].length <= len);
		}
		/* The transport's checksum sees every damaged bit of what it covers. */
		for (size_t at = 14 + known[i].ip_len; at < (size_t)n; at++) {
			frame[at] ^= 0x10;
			assert_int_equal(
				strata_unwrap(frame, (size_t)n, false, &l), -STRATA_E_MALFORMED);
			frame[at] ^= 0x10;
		}
	}
}

/* The layers lie one behind the other, from the first byte on, whatever the bytes are. */
static void test_garbage(void **state)
{
	(void)state;
	uint64_t x = 88172645463325252u;
	struct strata_wrap_options o = between("[2001:db8::1]:1", "[2001:db8::2]:2");
	for (unsigned round = 0; round < 200000; round++) {
		struct strata_frame_layers l;
		uint8_t frame[120];
		o.fcs = round & 1;
		strata_wrap(&o, request, REQUEST, frame, sizeof frame, NULL);
		for (unsigned i = 0; i < 1 + round % 5; i++) {
			x ^= x << 13, x ^= x >> 7, x ^= x << 17;
			frame[x % (round % 3 ? 60 : sizeof frame)] = (uint8_t)(x >> 32);
		}
		size_t len = (x >> 16) % (sizeof frame + 1), at = 0;
		strata_unwrap(frame, len, x & 1, &l);
		assert_true(l.count <= STRATA_LAYERS_MAX);
		for (unsigned i = 0; i < l.count; i++) {
			assert_true(l.layer[i].offset >= at);
			at = l.layer[i].offset + l.layer[i].length;
			assert_true(at <= len);
			assert_non_null(l.layer[i].name);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known_frames),
		cmocka_unit_test(test_fcs),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_padding),
		cmocka_unit_test(test_cut_short),
		cmocka_unit_test(test_garbage),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
