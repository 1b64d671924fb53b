/*
 * Records: the block of a captured frame holds its bytes, its time and its story,
 * and a checksum that was left open is closed as the wire would show it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "packet/record.h"
#include "wire/ip4.h"
#include "wire/pcap.h"

#define TCP_AT 34 /* Ethernet 14, IPv4 20 */

/* Reads the packet back from one section, one interface and the block. */
static struct capture_packet read_back(
	const uint8_t *block, size_t len, uint8_t *file, struct capture_reader *r)
{
	struct capture_packet p;
	size_t used, at = 0;
	size_t total = pcapng_section(&(struct pcapng_section){ 0 }, file, 4096);
	total += pcapng_interface(&(struct pcapng_interface){ .link_type = 1 }, file + total, 4096);
	memcpy(file + total, block, len);
	total += len;
	capture_begin(r);
	for (;;) {
		enum capture_event e = capture_next(r, span_of(file + at, total - at), &used, &p);
		if (e == CAPTURE_PACKET)
			return p;
		assert_int_equal(e, CAPTURE_PASSED);
		at += used;
	}
}

static size_t story_of(const struct trace_event *e, char *out)
{
	size_t len = record_story(e, out, 200);
	assert_int_equal(len, strlen(out));
	return len;
}

/* ---- stories ---- */

static void test_stories(void **state)
{
	struct tx_frame f;
	struct rx rx = { .fate = FATE_DELIVERED };
	struct trace_event sent = { .kind = TRACE_TX, .frame = &f };
	struct trace_event received = { .kind = TRACE_RX, .rx = &rx };
	char text[200];
	(void)state;
	frame_begin(&f, WHY_SYN);
	story_of(&sent, text);
	assert_string_equal(text, "sent SYN: open a connection");
	f.why = WHY_DATA;
	f.seg_count = 44;
	story_of(&sent, text);
	assert_string_equal(
		text, "sent DATA: data from the application (one frame for 44 segments)");
	story_of(&received, text);
	assert_string_equal(text, "received: taken");
	rx.fate = FATE_FORWARDED;
	story_of(&received, text);
	assert_string_equal(text, "received: to be forwarded");
	rx_drop(&rx, DROP_TCP_CHECKSUM);
	story_of(&received, text);
	assert_string_equal(
		text, "dropped by the transport layer: TCP checksum is wrong (RFC 9293 MUST-3)");
	rx_drop(&rx, DROP_LINK_BUSY);
	story_of(&received, text);
	assert_string_equal(text, "dropped by the access layer: link could not take the frame");
	/* Cut, never past the end; every reason fits in what record_event gives. */
	assert_int_equal(record_story(&received, text, 8), 7);
	assert_string_equal(text, "dropped");
	for (unsigned d = 1; d < DROP_COUNT; d++) {
		rx_drop(&rx, d);
		assert_true(record_story(&received, text, sizeof text) < 191);
	}
	for (unsigned w = 0; w < WHY_COUNT; w++) {
		f.why = (uint8_t)w;
		assert_true(record_story(&sent, text, sizeof text) < 191);
	}
}

/* ---- bytes ---- */

static void test_plain_frame(void **state)
{
	struct tx_frame f;
	static uint8_t block[RECORD_MAX], file[RECORD_MAX + 8192];
	static struct capture_reader r;
	const uint8_t body[] = "body in two";
	(void)state;
	frame_begin(&f, WHY_DATAGRAM);
	memcpy(frame_push(&f, 20), "a header of 20 bytes", 20);
	frame_body(&f, span_of(body, 8));
	frame_body(&f, span_of(body + 8, 3));
	struct trace_event e = { .kind = TRACE_TX, .frame = &f, .time = 5 };
	size_t len = record_event(&e, 0, 7 * NANO_S, block, sizeof block);
	assert_true(len > 31);
	struct capture_packet p = read_back(block, len, file, &r);
	assert_true(span_equal(p.bytes, span_of("a header of 20 bytesbody in two", 31)));
	assert_int_equal(p.time, 7 * NANO_S + 5);
	assert_int_equal(p.direction, PCAPNG_OUTBOUND);
	assert_int_equal(p.comments, 1);
	assert_true(span_equal(
		p.comment[0], span_of("sent DATAGRAM: datagram from the application", 44)));
	assert_int_equal(record_event(&e, 0, 0, block, len - 1), 0);
	e.kind = TRACE_TX_DROP;
	assert_int_equal(record_event(&e, 0, 0, block, sizeof block), 0);
}

/* ---- checksums that were left open ---- */

struct addr_pair {
	struct addr from, to;
};

static struct addr_pair addresses(bool v6)
{
	if (v6)
		return (struct addr_pair){ addr_from6((const uint8_t[16]){
						   0x20, 1, 0xd, 0xb8, [15] = 1 }),
			addr_from6((const uint8_t[16]){ 0x20, 1, 0xd, 0xb8, [15] = 2 }) };
	return (struct addr_pair){ addr_from4((const uint8_t[4]){ 192, 0, 2, 1 }),
		addr_from4((const uint8_t[4]){ 192, 0, 2, 2 }) };
}

/* Ethernet, IP and TCP or UDP headers whose checksum field holds the pseudo-header's sum only. */
static size_t make_headers(uint8_t *out, bool v6, bool udp, uint32_t body_len)
{
	struct addr_pair a = addresses(v6);
	uint32_t header = udp ? 8 : 20, at = v6 ? 54 : TCP_AT;
	uint8_t protocol = udp ? 17 : 6;
	memset(out, 0, 74);
	memcpy(out, "\x02\0\0\0\0\x02\x02\0\0\0\0\x01", 12);
	store16(out + 12, v6 ? 0x86dd : 0x0800);
	if (v6) {
		out[14] = 0x60;
		store16(out + 18, (uint16_t)(header + body_len));
		out[20] = protocol;
		out[21] = 64;
		memcpy(out + 22, a.from.b, 16);
		memcpy(out + 38, a.to.b, 16);
	} else {
		struct ip4_header h = { .header_len = 20,
			.total_len = (uint16_t)(20 + header + body_len),
			.ttl = 64,
			.protocol = protocol,
			.source = a.from,
			.destination = a.to };
		assert_int_equal(ip4_emit(&h, out + 14, 20), 20);
	}
	store32(out + at, 0x30390050);
	if (udp)
		store16(out + at + 4, (uint16_t)(8 + body_len));
	else
		out[at + 12] = 0x50;
	uint16_t partial = checksum_fold(pseudo_sum(&a.from, &a.to, protocol, header + body_len));
	memcpy(out + at + (udp ? 6 : 16), &partial, 2);
	return at + header;
}

/* A receiver's check: the sum over pseudo-header and segment is all ones. */
static bool sum_is_right(struct span frame, bool v6, bool udp, uint32_t len)
{
	struct addr_pair a = addresses(v6);
	uint32_t at = v6 ? 54 : TCP_AT;
	uint64_t sum = pseudo_sum(&a.from, &a.to, udp ? 17 : 6, len);
	sum += checksum_plain.sum(frame.at + at, len);
	return checksum_fold(sum) == 0xffff;
}

static void test_partial_sent(void **state)
{
	static uint8_t block[RECORD_MAX], file[RECORD_MAX + 8192], body[60000];
	static struct capture_reader r;
	(void)state;
	for (size_t i = 0; i < sizeof body; i++)
		body[i] = (uint8_t)(i * 31 + i / 256);
	const uint32_t lengths[] = { 0, 1, 2, 1459, 1460, 60000 };
	for (unsigned k = 0; k < 6 * 4; k++) {
		bool v6 = k & 1, udp = k >> 1 & 1;
		uint32_t n = lengths[k / 4];
		uint8_t headers[74];
		struct tx_frame f;
		size_t head = make_headers(headers, v6, udp, n);
		frame_begin(&f, WHY_DATA);
		memcpy(frame_push(&f, head), headers, head);
		if (n > 1) /* an odd boundary between spans */
			frame_body(&f, span_of(body, n / 2 | 1));
		frame_body(
			&f, span_of(body + (n > 1 ? n / 2 | 1 : 0), n - (n > 1 ? n / 2 | 1 : 0)));
		f.checksum = CHECKSUM_PARTIAL;
		f.checksum_start = (uint16_t)(f.head + (v6 ? 54 : TCP_AT));
		f.checksum_offset = udp ? 6 : 16;
		struct trace_event e = { .kind = TRACE_TX, .frame = &f };
		size_t len = record_event(&e, 0, 0, block, sizeof block);
		assert_true(len > 0);
		struct capture_packet p = read_back(block, len, file, &r);
		assert_int_equal(p.bytes.len, head + n);
		assert_true(sum_is_right(p.bytes, v6, udp, (udp ? 8 : 20) + n));
		assert_memory_equal(p.bytes.at + head, body, n);
		/* The frame itself is not touched. */
		assert_memory_equal(frame_head(&f).at, headers, head);
	}
}

static void test_partial_received(void **state)
{
	static uint8_t block[RECORD_MAX], file[RECORD_MAX + 8192], frame[3000];
	static struct capture_reader r;
	(void)state;
	for (unsigned k = 0; k < 8; k++) {
		bool v6 = k & 1, udp = k >> 1 & 1, split = k >> 2 & 1;
		size_t head = make_headers(frame, v6, udp, 2001);
		for (size_t i = head; i < head + 2001; i++)
			frame[i] = (uint8_t)(i * 13);
		memset(frame + head + 2001, 0xee, 9); /* link padding is no part of it */
		struct rx_frame f = rx_frame_of(frame, head + 2010);
		struct span body = span_of(frame + 301, head + 2010 - 301);
		if (split) {
			f.head.len = 301;
			f.body = &body;
			f.bodies = 1;
		}
		f.checksum = CHECKSUM_PARTIAL;
		struct rx rx = { .frame = &f, .fate = FATE_DELIVERED };
		struct trace_event e = { .kind = TRACE_RX, .rx = &rx };
		size_t len = record_event(&e, 0, 0, block, sizeof block);
		struct capture_packet p = read_back(block, len, file, &r);
		assert_int_equal(p.bytes.len, head + 2010);
		assert_int_equal(p.direction, PCAPNG_INBOUND);
		assert_true(sum_is_right(p.bytes, v6, udp, (udp ? 8 : 20) + 2001));
		assert_memory_equal(p.bytes.at + head, frame + head, 2010);
		/* A complete one is recorded as it came, right or wrong. */
		f.checksum = CHECKSUM_UNKNOWN;
		len = record_event(&e, 0, 0, block, sizeof block);
		p = read_back(block, len, file, &r);
		assert_memory_equal(p.bytes.at, frame, head + 2010);
	}
}

/* UDP: a sum of zero means "none", so it is written as its other form (RFC 768). */
static void test_partial_udp_zero(void **state)
{
	static uint8_t block[RECORD_MAX], file[RECORD_MAX + 8192];
	static struct capture_reader r;
	uint8_t frame[74 + 2];
	(void)state;
	size_t head = make_headers(frame, false, true, 2);
	/* Choose the body so that the sum is all ones, and the checksum zero. */
	store16(frame + head, 0);
	uint16_t field = checksum_finish(checksum_plain.sum(frame + TCP_AT, 10));
	memcpy(frame + head, &field, 2);
	struct rx_frame f = rx_frame_of(frame, head + 2);
	f.checksum = CHECKSUM_PARTIAL;
	struct rx rx = { .frame = &f, .fate = FATE_DELIVERED };
	struct trace_event e = { .kind = TRACE_RX, .rx = &rx };
	struct capture_packet p = read_back(
		block, record_event(&e, 0, 0, block, sizeof block), file, &r);
	assert_int_equal(load16(p.bytes.at + TCP_AT + 6), 0xffff);
}

/* What has no transport header that could be found is recorded as it is. */
static void test_partial_nonsense(void **state)
{
	static uint8_t block[RECORD_MAX], file[RECORD_MAX + 8192];
	static struct capture_reader r;
	uint8_t frame[80];
	(void)state;
	for (size_t cut = 0; cut < 56; cut++) {
		make_headers(frame, cut & 1, false, 6);
		struct rx_frame f = rx_frame_of(frame, cut);
		f.checksum = CHECKSUM_PARTIAL;
		struct rx rx = { .frame = &f, .fate = FATE_DROPPED, .drop = DROP_ETH_SHORT };
		struct trace_event e = { .kind = TRACE_RX, .rx = &rx };
		struct capture_packet p = read_back(
			block, record_event(&e, 0, 0, block, sizeof block), file, &r);
		assert_true(span_equal(p.bytes, span_of(frame, cut)));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stories),
		cmocka_unit_test(test_plain_frame),
		cmocka_unit_test(test_partial_sent),
		cmocka_unit_test(test_partial_received),
		cmocka_unit_test(test_partial_udp_zero),
		cmocka_unit_test(test_partial_nonsense),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
