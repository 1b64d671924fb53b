/*
 * The strict reader: takes what the stack sends, and nothing that differs from it
 * by a bit or a byte where a length, a checksum or a fixed field watches.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "sim/strict.h"
#include "support/seed.h"
#include "support/visitor.h"

#define KEPT 400

struct kept {
	unsigned count;
	uint32_t len[KEPT];
	uint8_t bytes[KEPT][1600];
};

static void keep(void *user, struct link_way *way, const struct parcel *p, enum link_loss loss,
	const char *note)
{
	struct kept *k = user;
	(void)way;
	(void)loss;
	(void)note;
	if (k->count == KEPT || p->why == WHY_FORWARD)
		return;
	k->len[k->count] = p->len;
	memcpy(k->bytes[k->count++], p->bytes, p->len);
}

static struct kept kept;

/* What a client sends: ARP, ND, DNS, TCP of both families with SACK blocks, echoes. */
static int collect(void **state)
{
	char why[300];
	struct addr a[RESOLVER_ADDRESSES_MAX];
	uint8_t *whole;
	(void)state;
	struct lab *l = lab_open("lossy",
		&(struct lab_options){ .seed = test_seed(), .big = 200000 }, why, sizeof why);
	if (!l)
		return -1;
	struct link *cable = world_link(lab_world(l), "client cable");
	cable->tap = keep;
	cable->tap_user = &kept;
	for (unsigned i = 0; i < 2; i++) {
		if (visitor_resolve(l, "www.example.test", i ? LOOKUP_AAAA : LOOKUP_A, a) != 1 ||
			visitor_get(l, &a[0], "/big", &whole) < 0)
			return -1;
		free(whole);
		sock_id id;
		struct stack *s = node_use(lab_client(l));
		if (sock_ping(s, &(struct sock_options){ 0 }, i, &id) < 0 ||
			sock_send_to(s, id, "hello", 5, &a[0], 1) != 5)
			return -1;
		world_run(lab_world(l), lab_world(l)->now + NANO_S, NULL, NULL);
	}
	lab_close(l);
	return 0;
}

static struct span frame(unsigned i)
{
	return span_of(kept.bytes[i], kept.len[i]);
}

static void test_takes_what_we_send(void **state)
{
	unsigned kinds[4] = { 0 };
	(void)state;
	assert_true(kept.count > 100);
	for (unsigned i = 0; i < kept.count; i++) {
		const char *wrong = strict_frame(frame(i), STRICT_ALL);
		if (wrong)
			fail_msg("frame %u: %s", i, wrong);
		unsigned type = load16(kept.bytes[i] + 12);
		kinds[type == 0x0806 ? 0 : type == 0x0800 ? 1 : 2]++;
		kinds[3] += type == 0x0800 && kept.bytes[i][23] == 6 && kept.len[i] > 14 + 52 &&
			kept.bytes[i][14 + 20 + 32 + 2] == 5; /* a SACK option behind timestamps */
	}
	for (unsigned i = 0; i < 4; i++)
		assert_true(kinds[i] > 0);
}

/* Bits that no checksum covers: IPv6 traffic class, flow label and hop limit. */
static bool is_free(unsigned i, uint32_t at)
{
	bool v6 = load16(kept.bytes[i] + 12) == 0x86dd;
	return v6 && ((at >= 15 && at < 18) || at == 21 || at == 14);
}

static void test_refuses_every_flipped_bit(void **state)
{
	(void)state;
	for (unsigned i = 0; i < kept.count; i++) {
		if (load16(kept.bytes[i] + 12) == 0x0806)
			continue;
		for (uint32_t at = 14; at < kept.len[i] && at < 200; at++) {
			for (unsigned bit = 0; bit < 8; bit++) {
				kept.bytes[i][at] ^= (uint8_t)(1u << bit);
				bool taken = !strict_frame(frame(i), STRICT_ALL);
				kept.bytes[i][at] ^= (uint8_t)(1u << bit);
				if (taken && !is_free(i, at))
					fail_msg("frame %u: bit %u of byte %u may be anything", i,
						bit, at);
			}
		}
	}
}

static void test_refuses_every_other_length(void **state)
{
	(void)state;
	for (unsigned i = 0; i < kept.count; i++) {
		struct span whole = frame(i);
		for (size_t len = 0; len < whole.len; len++)
			assert_non_null(strict_frame(span_first(whole, len), STRICT_ALL));
		kept.bytes[i][whole.len] = 0;
		assert_non_null(strict_frame(span_of(whole.at, whole.len + 1), STRICT_ALL));
	}
}

/* Headers whose checksum is right and whose content is not. */
static void test_refuses_by_content(void **state)
{
	const struct {
		const char *wrong;
		uint8_t at, value; /* in the TCP header of a SYN */
	} rows[] = {
		{ "TCP port 0", 1, 0 },
		{ "TCP reserved bits", 12, 0x5e },
		{ "TCP data offset", 12, 0x40 },
		{ "TCP segment without ACK, SYN or RST", 13, 0 },
		{ "TCP SYN with FIN or RST", 13, 0x03 },
		{ "TCP SYN with FIN or RST", 13, 0x06 },
		{ "TCP acknowledgment number without ACK", 9, 1 },
		{ "TCP urgent pointer without URG", 19, 1 },
		{ "TCP MSS option", 21, 5 },
		{ "TCP option twice", 24, 2 },
		{ "TCP option's length", 25, 0 },
		{ "TCP option that we never send", 20, 253 },
	};
	(void)state;
	uint8_t whole[14 + 20 + 28] = { [5] = 2,
		[11] = 1,
		[12] = 8,
		[14] = 0x45,
		[17] = 48,
		[22] = 64,
		[23] = 6,
		[26] = 192,
		[29] = 1,
		[30] = 192,
		[33] = 2,
		/* ports 1 and 2, SYN, MSS 1460, window scale 3, SACK-permitted */
		[35] = 1,
		[37] = 2,
		[46] = 0x70,
		[47] = 2,
		[54] = 2,
		4,
		5,
		0xb4,
		3,
		3,
		3,
		1 };
	uint16_t sum = checksum_finish(checksum_header(whole + 14, 20));
	memcpy(whole + 24, &sum, 2);
	/* The sum is looked at last or not at all: each row must fail before it. */
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		uint8_t bad[sizeof whole];
		memcpy(bad, whole, sizeof bad);
		bad[34 + rows[i].at] = rows[i].value;
		if (rows[i].at == 1)
			bad[34] = 0;
		if (strcmp(rows[i].wrong, "TCP option twice") == 0)
			memcpy(bad + 58, "\x02\x04\x05\xb4", 4);
		const char *wrong = strict_frame(span_of(bad, sizeof bad), STRICT_NO_SUM);
		assert_non_null(wrong);
		assert_string_equal(wrong, rows[i].wrong);
	}
	assert_null(strict_frame(span_of(whole, sizeof whole), STRICT_NO_SUM));
	assert_string_equal(strict_frame(span_of(whole, sizeof whole), STRICT_ALL), "TCP checksum");
	/* A router does not look at TCP. */
	assert_null(strict_frame(span_of(whole, sizeof whole), STRICT_LINK_AND_IP));
	whole[22] = 63;
	assert_string_equal(strict_frame(span_of(whole, sizeof whole), STRICT_LINK_AND_IP),
		"IPv4 header checksum");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_takes_what_we_send),
		cmocka_unit_test(test_refuses_every_flipped_bit),
		cmocka_unit_test(test_refuses_every_other_length),
		cmocka_unit_test(test_refuses_by_content),
	};
	return test_seed_report(cmocka_run_group_tests(tests, collect, NULL));
}
