/* Packets of known content: layers with their bytes, values, lines, faults. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "diag/dissect.h"
#include "wire/pcapng.h"
#include "wire/udp.h"

struct made {
	uint8_t at[600];
	size_t len;
};

/* Ethernet, IPv4, TCP with these flags and options, and a text. */
static struct made frame_with(uint16_t flags, const struct tcp_options *o, const char *text)
{
	struct made m = { .len = 0 };
	size_t text_len = strlen(text);
	struct tcp_header t = { .source_port = 54321, .destination_port = 80, .seq = 1000,
		.ack = 2000, .flags = flags, .window = 512, .options = *o };
	uint8_t *tcp = m.at + ETH_HEADER + IP4_HEADER;
	size_t header = tcp_emit(&t, tcp, TCP_HEADER_MAX);
	memcpy(tcp + header, text, text_len);
	size_t total = header + text_len;
	struct ip4_header ip = { .header_len = 20, .total_len = (uint16_t)(20 + total),
		.dont_fragment = true, .ttl = 64, .protocol = IPPROTO_TCP_ };
	const uint8_t from[4] = { 192, 168, 1, 100 }, to[4] = { 93, 184, 216, 34 };
	ip.source = addr_from4(from);
	ip.destination = addr_from4(to);
	uint16_t sum = checksum_finish(pseudo_sum(&ip.source, &ip.destination, IPPROTO_TCP_,
					       (uint32_t)total) +
				       checksum_plain.sum(tcp, total));
	memcpy(tcp + 16, &sum, 2);
	ip4_emit(&ip, m.at + ETH_HEADER, IP4_HEADER);
	struct eth_header e = { .destination = { { 0, 0x11, 0x22, 0x33, 0x44, 0x55 } },
		.source = { { 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff } }, .type = ETHERTYPE_IP4 };
	eth_emit(&e, m.at, ETH_HEADER);
	m.len = ETH_HEADER + IP4_HEADER + total;
	return m;
}

static struct made tcp_frame(const char *text)
{
	const struct tcp_options o = { .has = TCP_HAS_TIMESTAMPS, .tsval = 7, .tsecr = 8 };
	return frame_with(TCP_ACK | TCP_PSH, &o, text);
}

static void test_layers(void **state)
{
	(void)state;
	struct made m = tcp_frame("GET / HTTP/1.1\r\nHost: a\r\n\r\nbody");
	memset(m.at + m.len, 0, 10);
	struct dissection d;
	dissect(span_of(m.at, m.len + 10), 0, LINK_TYPE_ETHERNET, &d);
	static const struct {
		enum dissect_part part;
		enum layer layer;
		uint32_t at, len;
	} want[] = {
		{ DISSECT_ETHERNET, LAYER_ACCESS, 0, 14 },
		{ DISSECT_IP4, LAYER_INTERNET, 14, 20 },
		{ DISSECT_TCP, LAYER_TRANSPORT, 34, 32 },
		{ DISSECT_HTTP, LAYER_APPLICATION, 66, 27 },
		{ DISSECT_DATA, LAYER_APPLICATION, 93, 4 },
		{ DISSECT_PADDING, LAYER_ACCESS, 97, 10 },
	};
	assert_int_equal(d.layers, 6);
	for (unsigned i = 0; i < 6; i++) {
		assert_int_equal(d.layer[i].part, want[i].part);
		assert_int_equal(d.layer[i].layer, want[i].layer);
		assert_int_equal(d.layer[i].at, want[i].at);
		assert_int_equal(d.layer[i].len, want[i].len);
	}
	assert_int_equal(d.problem, DROP_NONE);
	char line[200];
	dissect_line(&d, line, sizeof line);
	assert_string_equal(line, "HTTP  192.168.1.100:54321 > 93.184.216.34:80  GET / HTTP/1.1");
}

static void test_every_bit_flip_is_named(void **state)
{
	(void)state;
	struct made m = tcp_frame("hello");
	for (size_t at = ETH_HEADER; at < m.len; at++) {
		struct made bad = m;
		bad.at[at] ^= 0x10;
		struct dissection d;
		dissect(span_of(bad.at, bad.len), 0, LINK_TYPE_ETHERNET, &d);
		if (d.problem == DROP_NONE)
			fail_msg("byte %zu changed, and nothing was wrong", at);
		enum layer layer = drop_info(d.problem)->layer;
		assert_int_equal(layer, at < 34 ? LAYER_INTERNET : LAYER_TRANSPORT);
	}
}

static void test_cut_short(void **state)
{
	(void)state;
	struct made m = tcp_frame("hello");
	for (size_t len = 0; len < m.len; len++) {
		struct dissection d;
		/* Captured in part: nothing is wrong as far as the headers are there. */
		dissect(span_of(m.at, len), (uint32_t)m.len, LINK_TYPE_ETHERNET, &d);
		if (len >= 66)
			assert_int_equal(d.problem, DROP_NONE);
		/* Really that short: something is. */
		dissect(span_of(m.at, len), (uint32_t)len, LINK_TYPE_ETHERNET, &d);
		assert_int_not_equal(d.problem, DROP_NONE);
	}
}

static void test_offloaded_checksum(void **state)
{
	(void)state;
	struct made m = tcp_frame("hello");
	struct dissection d;
	dissect(span_of(m.at, m.len), 0, LINK_TYPE_ETHERNET, &d);
	uint16_t pseudo = checksum_fold(
		pseudo_sum(&d.source, &d.destination, IPPROTO_TCP_, (uint32_t)m.len - 34));
	memcpy(m.at + 34 + 16, &pseudo, 2);
	dissect(span_of(m.at, m.len), 0, LINK_TYPE_ETHERNET, &d);
	assert_int_equal(d.problem, DROP_NONE);
	assert_true(d.offloaded);
}

static void count(void *user, const struct dissect_field *f)
{
	unsigned *n = user;
	++*n;
	if (!strcmp(f->key, "destination_port"))
		assert_true(strncmp(f->value, "80", 2) == 0);
}

static void test_fields(void **state)
{
	(void)state;
	struct made m = tcp_frame("hello");
	struct dissection d;
	dissect(span_of(m.at, m.len), 0, LINK_TYPE_ETHERNET, &d);
	unsigned n = 0;
	dissect_fields(&d, dissect_find(&d, DISSECT_TCP), count, &n);
	assert_int_equal(n, tcp_info.count + 3); /* NOP, NOP, timestamps */
}

static void collect(void *user, const struct dissect_field *f)
{
	char *all = user;
	size_t len = strlen(all);
	snprintf(all + len, 4000 - len, "%s=%s\n", f->key, f->value);
}

/* RFC 9768's flag and counters, in the order that the option's kind tells. */
static void test_accurate_ecn(void **state)
{
	(void)state;
	for (unsigned order = 0; order < 2; order++) {
		const struct tcp_options o = { .has = TCP_HAS_ACCECN,
			.accecn_order = (uint8_t)order, .accecn_count = 3,
			.accecn = { 1001, 70000, 1 } };
		struct made m = frame_with(TCP_ACK | TCP_AE | TCP_ECE, &o, "x");
		struct dissection d;
		char all[4000] = "";
		dissect(span_of(m.at, m.len), 0, LINK_TYPE_ETHERNET, &d);
		dissect_fields(&d, dissect_find(&d, DISSECT_TCP), collect, all);
		assert_non_null(strstr(all, "ACK, ECE, AE"));
		assert_non_null(strstr(all, order ? "ECT(1) 1001, CE 70000, ECT(0) 1"
						  : "ECT(0) 1001, CE 70000, ECT(1) 1"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_layers),
		cmocka_unit_test(test_every_bit_flip_is_named),
		cmocka_unit_test(test_cut_short),
		cmocka_unit_test(test_offloaded_checksum),
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_accurate_ecn),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
