/*
 * What the tests of the codecs share: a seeded source of header values that favours the edges, a
 * CHECK that names the seed and the round, buffers of exactly their size (so that a sanitizer sees
 * the first byte read past one), and the comparison of a field table with what a codec parsed.
 *
 * STRATA_SEED in the environment replays a run.
 */
#ifndef STRATA_TEST_WIRE_RANDOM_H
#define STRATA_TEST_WIRE_RANDOM_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "base/addr.h"
#include "base/hash.h"
#include "wire/field.h"

#define ROUNDS 100000u

static struct rng random_source;
static uint64_t random_seed_value;
static unsigned round_now;

#define CHECK(condition) \
	do { \
		if (!(condition)) \
			fail_msg("%s, in round %u of STRATA_SEED=%llu", #condition, round_now, \
				(unsigned long long)random_seed_value); \
	} while (0)

/* Runs a body ROUNDS times, each from a known state of the generator. */
#define FOR_ROUNDS(salt) for (random_begin(salt); round_now < ROUNDS; round_now++)

static inline void random_begin(uint64_t salt)
{
	const char *text = getenv("STRATA_SEED");
	random_seed_value = text ? strtoull(text, NULL, 0) : 20240817;
	uint64_t seed[2] = { random_seed_value, salt };
	rng_seed(&random_source, span_of(seed, sizeof seed));
	round_now = 0;
}

static inline uint64_t random64(void)
{
	return rng_next(&random_source);
}

static inline uint32_t random_below(uint32_t bound)
{
	return rng_below(&random_source, bound);
}

static inline bool random_bool(void)
{
	return random64() & 1;
}

/* A number of so many bits: sometimes none, one, or all ones. */
static inline uint32_t random_bits(unsigned bits)
{
	uint32_t all = bits < 32 ? (1u << bits) - 1 : UINT32_MAX;
	uint64_t r = random64();
	switch (r >> 60) {
	case 0: return 0;
	case 1: return all;
	case 2: return 1;
	default: return (uint32_t)r & all;
	}
}

static inline uint8_t random8(void)
{
	return (uint8_t)random_bits(8);
}

static inline uint16_t random16(void)
{
	return (uint16_t)random_bits(16);
}

static inline uint32_t random32(void)
{
	return random_bits(32);
}

static inline void random_fill(void *at, size_t len)
{
	rng_fill(&random_source, at, len);
}

static inline struct addr random_addr4(void)
{
	uint8_t four[4];
	random_fill(four, 4);
	return addr_from4(four);
}

/* Never the mapped form, which means IPv4. */
static inline struct addr random_addr6(void)
{
	struct addr a;
	random_fill(a.b, 16);
	a.b[0] |= 0x20;
	return a;
}

static inline struct mac random_mac(void)
{
	struct mac m;
	random_fill(m.b, 6);
	return m;
}

/* A copy in memory of exactly its size; free() it. */
static inline uint8_t *exact(const void *bytes, size_t len)
{
	uint8_t *copy = malloc(len ? len : 1);
	assert_non_null(copy);
	if (len)
		memcpy(copy, bytes, len);
	return copy;
}

/* The parsed value of the field with this key, as a number; fails for a key it doesn't know. */
typedef uint64_t field_expect(const char *key, const void *header);

static inline uint64_t number_of_address(const struct addr *a)
{
	return addr_is4(a) ? addr_four(a) : load64(a->b) ^ load64(a->b + 8);
}

static inline uint64_t number_of_mac(const struct mac *m)
{
	return (uint64_t)load16(m->b) << 32 | load32(m->b + 2);
}

/* What the table's bits say; IPv6 addresses are mixed as in number_of_address. */
static inline uint64_t number_of_field(const struct field *f, struct span header)
{
	if (f->kind == FIELD_ADDR6)
		return load64(header.at + f->bit / 8) ^ load64(header.at + f->bit / 8 + 8);
	return field_value(f, header);
}

static inline void check_table(const struct header_info *info, struct span header,
	field_expect *expect, const void *parsed)
{
	for (unsigned i = 0; i < info->count; i++) {
		const struct field *f = &info->field[i];
		if (number_of_field(f, header) != expect(f->key, parsed))
			fail_msg("%s.%s: the table reads %llx, the codec %llx (round %u of "
				 "STRATA_SEED=%llu)",
				info->key, f->key, (unsigned long long)number_of_field(f, header),
				(unsigned long long)expect(f->key, parsed), round_now,
				(unsigned long long)random_seed_value);
	}
}

/* A table covers its header from the first bit to the last, each bit once, and explains all. */
static inline void check_cover(const struct header_info *info, unsigned bits)
{
	unsigned at = 0;
	for (unsigned i = 0; i < info->count; i++) {
		const struct field *f = &info->field[i];
		assert_int_equal(f->bit, at);
		assert_true(f->bits > 0);
		assert_true(strlen(f->name) > 0 && strlen(f->key) > 0);
		assert_true(strlen(f->meaning) > 5);
		assert_non_null(strchr(".?", f->meaning[strlen(f->meaning) - 1]));
		for (unsigned j = 0; j < i; j++)
			assert_string_not_equal(f->key, info->field[j].key);
		at += f->bits;
	}
	assert_int_equal(at, bits);
}

#endif
