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

/*
 * Adds two words of eight bytes; a carry out of the top comes in at the bottom, where it counts as
 * much. On x86-64 each addition takes the carry of the one before it, which C can't say.
 */
static inline uint64_t checksum_add2(uint64_t sum, uint64_t first, uint64_t second)
{
#ifdef __x86_64__
	__asm__("addq %1, %0\n\tadcq %2, %0\n\tadcq $0, %0"
		: "+&r"(sum)
		: "rm"(first), "rme"(second)
		: "cc");
#else
	sum += first;
	sum += sum < first;
	sum += second;
	sum += sum < second;
#endif
	return sum;
}

static inline uint64_t checksum_load(const uint8_t *at)
{
	uint64_t word;
	memcpy(&word, at, 8);
	return word;
}

/* A short header's sum, inline: `len` is even and below 128. No loop but for 64 bytes and more. */
static inline uint64_t checksum_header(const uint8_t *at, size_t len)
{
	uint64_t sum = 0;
	if (len & 4) {
		uint32_t v;
		memcpy(&v, at + (len & ~(size_t)7), 4);
		sum = v;
	}
	if (len & 2) {
		uint16_t v;
		memcpy(&v, at + len - 2, 2);
		sum += v;
	}
	for (; len >= 32; at += 32, len -= 32) {
		sum = checksum_add2(sum, checksum_load(at), checksum_load(at + 8));
		sum = checksum_add2(sum, checksum_load(at + 16), checksum_load(at + 24));
	}
	if (len & 16) {
		sum = checksum_add2(sum, checksum_load(at), checksum_load(at + 8));
		at += 16;
	}
	if (len & 8)
		sum = checksum_add2(sum, checksum_load(at), 0);
	return (sum & 0xffffffff) + (sum >> 32);
}

#endif
