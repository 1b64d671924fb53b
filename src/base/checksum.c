/*
 * The portable sums. Words of 64 bits are added with their carries counted: as
 * 2^16 = 1 modulo 0xffff, so is 2^64, and a carry counts as one. The order of
 * the bytes in a word does not matter as long as it is the memory's own
 * (RFC 1071 2(B)), nor does the size of the words. The sum as a whole number is
 * exact, so it is zero only if all bytes are, and folding keeps that.
 */
#include "base/checksum.h"

/* Takes `size` bytes, at most 8. `to` counts only where `copy` is set. */
static inline __attribute__((always_inline)) void bite(uint8_t *to, const uint8_t *from, size_t at,
	size_t size, const bool copy, uint64_t *sum, uint64_t *carry)
{
	uint64_t word = 0;
	memcpy(&word, from + at, size);
	if (copy)
		memcpy(to + at, &word, size);
	*carry += __builtin_add_overflow(*sum, word, sum);
}

/* The compiler makes two functions of this one, for `copy` and not. */
static inline __attribute__((always_inline)) uint32_t walk(
	uint8_t *to, const uint8_t *from, size_t len, const bool copy)
{
	uint64_t sum = 0, carry = 0;
	size_t at = 0;

	for (; len - at >= 64; at += 64) {
		for (size_t i = 0; i < 64; i += 8)
			bite(to, from, at + i, 8, copy, &sum, &carry);
	}
	for (; len - at >= 8; at += 8)
		bite(to, from, at, 8, copy, &sum, &carry);
	if (at < len)
		bite(to, from, at, len - at, copy, &sum, &carry);

	sum = (sum & 0xffffffff) + (sum >> 32) + carry;
	sum = (sum & 0xffffffff) + (sum >> 32);
	return (uint32_t)((sum & 0xffff) + (sum >> 16));
}

static uint32_t sum_plain(const uint8_t *at, size_t len)
{
	return walk(NULL, at, len, false);
}

static uint32_t copy_sum_plain(uint8_t *to, const uint8_t *from, size_t len)
{
	return walk(to, from, len, true);
}

const struct checksum_ops checksum_plain = {
	.name = "plain",
	.sum = sum_plain,
	.copy_sum = copy_sum_plain,
};
