/*
 * The portable sums. Words of 64 bits are added with their carries counted: as
 * 2^16 = 1 modulo 0xffff, so is 2^64, and a carry counts as one. The order of
 * the bytes in a word does not matter as long as it is the memory's own
 * (RFC 1071 2(B)), nor does the size of the words. The sum as a whole number is
 * exact, so it is zero only if all bytes are, and folding keeps that.
 */
#include "base/checksum.h"

/* To at most 0x1fffe. */
static inline uint32_t halve(uint64_t sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffffffff) + (sum >> 32);
	return (uint32_t)((sum & 0xffff) + (sum >> 16));
}

static inline __attribute__((always_inline)) void step(
	uint8_t *to, const uint8_t *from, uint64_t *sum, uint64_t *carry)
{
	uint64_t word;
	memcpy(&word, from, 8);
	if (to)
		memcpy(to, &word, 8);
	*sum += word;
	*carry += *sum < word;
}

/* `to` is NULL where nothing is copied; the compiler makes two functions of this one. */
static inline __attribute__((always_inline)) uint32_t walk(
	uint8_t *to, const uint8_t *from, size_t len, const bool copy)
{
	uint64_t sum = 0, carry = 0, word = 0;
	size_t rest = len & 7;

	for (; len >= 32; len -= 32) {
		step(copy ? to : NULL, from, &sum, &carry);
		step(copy ? to + 8 : NULL, from + 8, &sum, &carry);
		step(copy ? to + 16 : NULL, from + 16, &sum, &carry);
		step(copy ? to + 24 : NULL, from + 24, &sum, &carry);
		from += 32;
		to = copy ? to + 32 : NULL;
	}
	for (; len >= 8; len -= 8) {
		step(copy ? to : NULL, from, &sum, &carry);
		from += 8;
		to = copy ? to + 8 : NULL;
	}
	if (rest) {
		uint8_t last[8] = { 0 };
		memcpy(last, from, rest);
		if (copy)
			memcpy(to, last, rest);
		memcpy(&word, last, 8);
		sum += word;
		carry += sum < word;
	}
	sum = (sum & 0xffffffff) + (sum >> 32);
	return halve(sum + carry);
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
