/*
 * The Internet checksum (RFC 1071): the one's complement sum of 16-bit words.
 * Partial sums are kept as 32-bit numbers that are congruent to the true sum
 * modulo 0xffff, taken over bytes *in memory order* (so no byte is swapped
 * until the end); sums of pieces that start at an odd offset are rotated by a
 * byte (checksum_odd). `host/` picks the fastest ops by CPUID and hands them in
 * with the config; checksum_plain is the portable one that the tests trust.
 */
#ifndef STRATA_BASE_CHECKSUM_H
#define STRATA_BASE_CHECKSUM_H

#include "base/span.h"

struct checksum_ops {
	const char *name;
	/* A partial sum over the bytes, at most 0x1fffe (two folded halves), any length to 1
	 * MiB. */
	uint32_t (*sum)(const uint8_t *at, size_t len);
	/* Copies and sums in one pass. Regions do not overlap. */
	uint32_t (*copy_sum)(uint8_t *to, const uint8_t *from, size_t len);
};

extern const struct checksum_ops checksum_plain; /* portable C */
extern const struct checksum_ops checksum_sse2;  /* x86-64 baseline; equals plain elsewhere */
extern const struct checksum_ops checksum_avx2;  /* only where the CPU has it; host/ decides */

/*
 * Folds a partial sum (or a sum of many of them) to 16 bits. Adding a word to itself
 * rotated by half leaves the end-around sum of its halves in the upper one: the carry out
 * of the lower half comes in where it belongs.
 */
static inline uint16_t checksum_fold(uint64_t sum)
{
	sum += sum << 32 | sum >> 32;
	uint32_t half = (uint32_t)(sum >> 32);
	half += half << 16 | half >> 16;
	return (uint16_t)(half >> 16);
}

/* The sum of a piece, as it counts when it starts at an odd offset. */
static inline uint32_t checksum_odd(uint32_t sum)
{
	uint16_t folded = checksum_fold(sum);
	return __builtin_bswap16(folded);
}

/* The field to store (in memory order, by memcpy) for a partial sum. */
static inline uint16_t checksum_finish(uint64_t sum)
{
	return (uint16_t)~checksum_fold(sum);
}

/* Adds eight bytes to `sum`, and what overflows to `carry`: an addition and an add-with-carry. */
static inline void checksum_add8(uint64_t *sum, uint64_t *carry, const uint8_t *at)
{
	uint64_t v;
	memcpy(&v, at, 8);
	*sum += v;
	*carry += *sum < v;
}

/* A short header's sum, inline: `len` is even and below 128. No loop but for 64 bytes and more. */
static inline uint64_t checksum_header(const uint8_t *at, size_t len)
{
	uint64_t sum = 0, carry = 0;
	for (; len >= 32; at += 32, len -= 32) {
		checksum_add8(&sum, &carry, at);
		checksum_add8(&sum, &carry, at + 8);
		checksum_add8(&sum, &carry, at + 16);
		checksum_add8(&sum, &carry, at + 24);
	}
	if (len & 16) {
		checksum_add8(&sum, &carry, at);
		checksum_add8(&sum, &carry, at + 8);
		at += 16;
	}
	if (len & 8) {
		checksum_add8(&sum, &carry, at);
		at += 8;
	}
	if (len & 4) {
		uint32_t v;
		memcpy(&v, at, 4);
		carry += v;
		at += 4;
	}
	if (len & 2) {
		uint16_t v;
		memcpy(&v, at, 2);
		carry += v;
	}
	return (sum & 0xffffffff) + (sum >> 32) + carry;
}

#endif
