/*
 * The three implementations against the definition (16-bit words, the end-around
 * carry after each), over all short lengths, all alignments and long runs, and
 * against reading or writing a byte outside of what they were given.
 */
#include "property.h"

#include "base/checksum.h"

#define LONGEST (1024 * 1024 + 300)

static const struct checksum_ops *all[3];
static unsigned count;

/* RFC 1071 as it stands there, in memory order. */
static uint16_t definition(const uint8_t *at, size_t len)
{
	uint32_t sum = 0;
	for (size_t i = 0; i < len; i += 2) {
		uint8_t pair[2] = { at[i], i + 1 < len ? at[i + 1] : 0 };
		uint16_t word;
		memcpy(&word, pair, 2);
		sum += word;
		sum = (sum & 0xffff) + (sum >> 16);
	}
	return (uint16_t)sum;
}

/* Exactly `len` bytes of heap `offset` bytes past its start: a sanitizer sees any byte outside. */
static void check_one(const uint8_t *bytes, size_t len, size_t offset)
{
	uint16_t expected = definition(bytes, len);
	uint8_t *from = malloc(offset + len + 1), *to = malloc(offset + len + 1);
	check(from && to);
	memcpy(from + offset, bytes, len);
	from[offset + len] = 0xa5;

	for (unsigned i = 0; i < count; i++) {
		uint32_t sum = all[i]->sum(from + offset, len);
		check(sum <= 0x1fffe);
		check(checksum_fold(sum) == expected);

		memset(to, 0x5a, offset + len + 1);
		uint32_t copied = all[i]->copy_sum(to + offset, from + offset, len);
		check(copied <= 0x1fffe);
		check(checksum_fold(copied) == expected);
		check(len == 0 || memcmp(to + offset, bytes, len) == 0);
		check(to[offset + len] == 0x5a);
		check(offset == 0 || to[offset - 1] == 0x5a);
	}
	free(from);
	free(to);
}

static void short_lengths(struct rng *r)
{
	uint8_t bytes[600];
	rng_fill(r, bytes, sizeof bytes);
	for (size_t len = 0; len <= sizeof bytes; len++) {
		check_one(bytes, len, 0);
		check_one(bytes, len, 1 + rng_below(r, 63));
	}
}

static void test_short_lengths(void **state)
{
	(void)state;
	property_each(20, short_lengths);
}

static void alignments(struct rng *r)
{
	uint8_t bytes[1500];
	rng_fill(r, bytes, sizeof bytes);
	for (size_t offset = 0; offset < 64; offset++)
		check_one(bytes, rng_below(r, sizeof bytes + 1), offset);
}

static void test_alignments(void **state)
{
	(void)state;
	property_each(20, alignments);
}

static void long_runs(struct rng *r)
{
	uint8_t *bytes = malloc(LONGEST);
	check(bytes);
	unsigned kind = rng_below(r, 3);
	memset(bytes, kind == 0 ? 0xff : 0x80, LONGEST); /* the largest sums, and the bias alone */
	if (kind == 2)
		rng_fill(r, bytes, LONGEST);
	check_one(bytes, 64 * 1024 + rng_below(r, 70), rng_below(r, 64));
	check_one(bytes, 128 * 1024 - 35 + rng_below(r, 70), 0);
	check_one(bytes, 1024 * 1024, 0);
	check_one(bytes, rng_below(r, LONGEST), rng_below(r, 64));
	free(bytes);
}

static void test_long_runs(void **state)
{
	(void)state;
	property_each(12, long_runs);
}

/* Only zeroes sum to 0; anything else that is congruent to it gives 0xffff. */
static void test_two_zeroes(void **state)
{
	(void)state;
	static uint8_t bytes[70000];
	static const size_t lengths[] = { 2, 6, 16, 20, 34, 66, 130, 300, 1448, 65536, 70000 };

	for (unsigned i = 0; i < count; i++) {
		for (size_t k = 0; k < sizeof lengths / sizeof *lengths; k++) {
			size_t len = lengths[k];
			memset(bytes, 0, sizeof bytes);
			assert_int_equal(checksum_fold(all[i]->sum(bytes, len)), 0);
			assert_int_equal(checksum_finish(all[i]->sum(bytes, len)), 0xffff);
			for (size_t at = 0; at + 2 <= len; at += len > 2000 ? 998 : 2) {
				bytes[at] = bytes[at + 1] = 0xff;
				assert_int_equal(checksum_fold(all[i]->sum(bytes, len)), 0xffff);
				assert_int_equal(checksum_finish(all[i]->sum(bytes, len)), 0);
				bytes[at] = bytes[at + 1] = 0;
			}
			memset(bytes, 0xff, len);
			assert_int_equal(checksum_fold(all[i]->sum(bytes, len)), 0xffff);
		}
	}
}

/* A message with its checksum in it sums to 0xffff, wherever the field stands. */
static void verification(struct rng *r)
{
	uint8_t bytes[2000];
	rng_fill(r, bytes, sizeof bytes);
	if (rng_below(r, 4) == 0)
		memset(bytes, 0, sizeof bytes);
	size_t len = 2 + rng_below(r, sizeof bytes - 1);
	size_t field = 2 * rng_below(r, (uint32_t)(len / 2));

	for (unsigned i = 0; i < count; i++) {
		memset(bytes + field, 0, 2);
		uint16_t sum = checksum_finish(all[i]->sum(bytes, len));
		memcpy(bytes + field, &sum, 2);
		for (unsigned k = 0; k < count; k++)
			check(checksum_finish(all[k]->sum(bytes, len)) == 0);
		size_t flipped = rng_below(r, (uint32_t)len);
		bytes[flipped] ^= (uint8_t)(1u << rng_below(r, 8));
		check(checksum_finish(all[i]->sum(bytes, len)) != 0);
	}
}

static void test_verification(void **state)
{
	(void)state;
	property_each(2000, verification);
}

/* Any way to cut a message gives the same sum. */
static void pieces(struct rng *r)
{
	uint8_t bytes[3000];
	rng_fill(r, bytes, sizeof bytes);
	for (unsigned i = 0; i < count; i++) {
		uint64_t sum = 0;
		size_t at = 0, len = rng_below(r, sizeof bytes);
		while (at < len) {
			size_t piece = 1 + rng_below(r, (uint32_t)(len - at));
			uint32_t part = all[i]->sum(bytes + at, piece);
			sum += at & 1 ? checksum_odd(part) : part;
			at += piece;
		}
		check(checksum_fold(sum) == definition(bytes, len));
	}
}

static void test_pieces(void **state)
{
	(void)state;
	property_each(2000, pieces);
}

static void test_header(void **state)
{
	(void)state;
	/* the IPv4 header of RFC 1071's usual example: 0xb861 */
	uint8_t header[20] = { 0x45, 0, 0, 0x73, 0, 0, 0x40, 0, 0x40, 0x11, 0, 0, 0xc0, 0xa8, 0, 1,
		0xc0, 0xa8, 0, 0xc7 };
	uint16_t sum = checksum_finish(checksum_header(header, sizeof header));
	memcpy(header + 10, &sum, 2);
	assert_int_equal(load16(header + 10), 0xb861);
	assert_int_equal(checksum_finish(checksum_header(header, sizeof header)), 0);

	struct rng r;
	rng_seed(&r, span_of("header", 6));
	uint8_t bytes[64];
	for (size_t len = 0; len <= sizeof bytes; len += 2) {
		rng_fill(&r, bytes, sizeof bytes);
		assert_int_equal(
			checksum_fold(checksum_header(bytes, len)), definition(bytes, len));
	}
}

/* Up to 2^15 partial sums may be added before they are folded. */
static void test_fold(void **state)
{
	(void)state;
	assert_int_equal(checksum_fold(0), 0);
	assert_int_equal(checksum_fold(0xffff), 0xffff);
	assert_int_equal(checksum_fold(0x10000), 1);
	assert_int_equal(checksum_fold(UINT64_C(0x1fffe) << 15), 0xffff);
	assert_int_equal(checksum_fold(UINT64_MAX), 0xffff);
	for (uint64_t bits = 1; bits; bits <<= 1)
		assert_int_equal(checksum_fold(bits), 1 << (__builtin_ctzll(bits) % 16));
}

int main(void)
{
	all[count++] = &checksum_plain;
	all[count++] = &checksum_sse2;
#if defined(__x86_64__)
	if (__builtin_cpu_supports("avx2"))
#endif
		all[count++] = &checksum_avx2;
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_short_lengths),
		cmocka_unit_test(test_alignments),
		cmocka_unit_test(test_long_runs),
		cmocka_unit_test(test_two_zeroes),
		cmocka_unit_test(test_verification),
		cmocka_unit_test(test_pieces),
		cmocka_unit_test(test_header),
		cmocka_unit_test(test_fold),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
