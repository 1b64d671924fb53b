/*
 * SipHash against its authors' vectors, and statistics of the hash and of the
 * generator: with fixed seeds, so a bound that holds once holds always.
 */
#include "property.h"

#include "base/hash.h"

/* From the reference implementation (vectors.h): key 00..0f, input 00..(n-1), for n from 0 to
 * 63. */
static const uint64_t vectors[64] = {
	UINT64_C(0x726fdb47dd0e0e31),
	UINT64_C(0x74f839c593dc67fd),
	UINT64_C(0x0d6c8009d9a94f5a),
	UINT64_C(0x85676696d7fb7e2d),
	UINT64_C(0xcf2794e0277187b7),
	UINT64_C(0x18765564cd99a68d),
	UINT64_C(0xcbc9466e58fee3ce),
	UINT64_C(0xab0200f58b01d137),
	UINT64_C(0x93f5f5799a932462),
	UINT64_C(0x9e0082df0ba9e4b0),
	UINT64_C(0x7a5dbbc594ddb9f3),
	UINT64_C(0xf4b32f46226bada7),
	UINT64_C(0x751e8fbc860ee5fb),
	UINT64_C(0x14ea5627c0843d90),
	UINT64_C(0xf723ca908e7af2ee),
	UINT64_C(0xa129ca6149be45e5),
	UINT64_C(0x3f2acc7f57c29bdb),
	UINT64_C(0x699ae9f52cbe4794),
	UINT64_C(0x4bc1b3f0968dd39c),
	UINT64_C(0xbb6dc91da77961bd),
	UINT64_C(0xbed65cf21aa2ee98),
	UINT64_C(0xd0f2cbb02e3b67c7),
	UINT64_C(0x93536795e3a33e88),
	UINT64_C(0xa80c038ccd5ccec8),
	UINT64_C(0xb8ad50c6f649af94),
	UINT64_C(0xbce192de8a85b8ea),
	UINT64_C(0x17d835b85bbb15f3),
	UINT64_C(0x2f2e6163076bcfad),
	UINT64_C(0xde4daaaca71dc9a5),
	UINT64_C(0xa6a2506687956571),
	UINT64_C(0xad87a3535c49ef28),
	UINT64_C(0x32d892fad841c342),
	UINT64_C(0x7127512f72f27cce),
	UINT64_C(0xa7f32346f95978e3),
	UINT64_C(0x12e0b01abb051238),
	UINT64_C(0x15e034d40fa197ae),
	UINT64_C(0x314dffbe0815a3b4),
	UINT64_C(0x027990f029623981),
	UINT64_C(0xcadcd4e59ef40c4d),
	UINT64_C(0x9abfd8766a33735c),
	UINT64_C(0x0e3ea96b5304a7d0),
	UINT64_C(0xad0c42d6fc585992),
	UINT64_C(0x187306c89bc215a9),
	UINT64_C(0xd4a60abcf3792b95),
	UINT64_C(0xf935451de4f21df2),
	UINT64_C(0xa9538f0419755787),
	UINT64_C(0xdb9acddff56ca510),
	UINT64_C(0xd06c98cd5c0975eb),
	UINT64_C(0xe612a3cb9ecba951),
	UINT64_C(0xc766e62cfcadaf96),
	UINT64_C(0xee64435a9752fe72),
	UINT64_C(0xa192d576b245165a),
	UINT64_C(0x0a8787bf8ecb74b2),
	UINT64_C(0x81b3e73d20b49b6f),
	UINT64_C(0x7fa8220ba3b2ecea),
	UINT64_C(0x245731c13ca42499),
	UINT64_C(0xb78dbfaf3a8d83bd),
	UINT64_C(0xea1ad565322a1a0b),
	UINT64_C(0x60e61c23a3795013),
	UINT64_C(0x6606d7e446282b93),
	UINT64_C(0x6ca4ecb15c5f91e1),
	UINT64_C(0x9f626da15c9625f3),
	UINT64_C(0xe51b38608ef25f57),
	UINT64_C(0x958a324ceb064572),
};

static void test_vectors(void **state)
{
	(void)state;
	const struct hash_key key = { { UINT64_C(0x0706050403020100),
		UINT64_C(0x0f0e0d0c0b0a0908) } };
	uint8_t input[64];
	for (unsigned len = 0; len < 64; len++) {
		input[len] = (uint8_t)len;
		assert_true(siphash24(&key, span_of(input, len)) == vectors[len]);
	}
}

/*
 * SipHash-1-3 with a word count in place of the length block: these were worked
 * out once with a separate program, so a changed constant or round shows.
 */
static void test_words(void **state)
{
	(void)state;
	const struct hash_key key = { { UINT64_C(0x0706050403020100),
		UINT64_C(0x0f0e0d0c0b0a0908) } };
	static const uint64_t words[5] = { 0, 1, UINT64_MAX, UINT64_C(0x0123456789abcdef), 42 };
	static const uint64_t expected[6] = {
		UINT64_C(0xb488fcf41c8cc5de),
		UINT64_C(0x2ec6bdd21ddcc778),
		UINT64_C(0x0d8d85b013c86e7f),
		UINT64_C(0xaa7e6a8452d894a7),
		UINT64_C(0x143a2b487c4875f5),
		UINT64_C(0xe8139506addd40ea),
	};
	for (unsigned count = 0; count <= 5; count++)
		assert_true(hash_words(&key, words, count) == expected[count]);
}

/* Each bit of the input or of the key turns each bit of the output over about half of the time. */
static void test_avalanche(void **state)
{
	(void)state;
	enum { ROUNDS = 2000, WORDS = 5 };
	struct rng r;
	rng_seed(&r, span_of("avalanche", 9));
	for (unsigned bit = 0; bit < 64 * (WORDS + 2); bit++) {
		unsigned turned[64] = { 0 };
		for (unsigned i = 0; i < ROUNDS; i++) {
			uint64_t all[WORDS + 2];
			struct hash_key key;
			rng_fill(&r, (uint8_t *)all, sizeof all);
			memcpy(&key, all + WORDS, sizeof key);
			uint64_t before = hash_words(&key, all, WORDS);
			all[bit / 64] ^= UINT64_C(1) << bit % 64;
			memcpy(&key, all + WORDS, sizeof key);
			uint64_t change = before ^ hash_words(&key, all, WORDS);
			for (unsigned k = 0; k < 64; k++)
				turned[k] += (unsigned)(change >> k & 1);
		}
		/* half of 2000 is 1000, and one standard deviation 22 */
		for (unsigned k = 0; k < 64; k++)
			assert_in_range(turned[k], 1000 - 134, 1000 + 134);
	}
}

/* Tuples that differ a little fill the buckets of a table evenly. */
static void test_spread(void **state)
{
	(void)state;
	enum { BUCKETS = 1024, EACH = 64 };
	static unsigned bucket[BUCKETS];
	struct rng r;
	struct hash_key key;
	rng_seed(&r, span_of("spread", 6));
	rng_fill(&r, (uint8_t *)&key, sizeof key);
	for (uint64_t i = 0; i < BUCKETS * EACH; i++) {
		uint64_t tuple[5] = { 0, 0, 0xffff0a00, 0xffff0a01, 80 + (i << 16) };
		bucket[hash_words(&key, tuple, 5) % BUCKETS]++;
	}
	double chi = 0;
	for (unsigned i = 0; i < BUCKETS; i++)
		chi += ((double)bucket[i] - EACH) * ((double)bucket[i] - EACH) / EACH;
	/* 1023 degrees of freedom: mean 1023, standard deviation 45 */
	assert_true(chi > 1023 - 6 * 45 && chi < 1023 + 6 * 45);
}

/* The stream of a seed never changes: a seed in an old report still replays. */
static void test_rng_stream(void **state)
{
	(void)state;
	static const uint64_t expected[3][3] = {
		{ UINT64_C(0x28adbd98ec06c6fd), UINT64_C(0x0001247c9d6518e5),
			UINT64_C(0x54eb3357ad1e8ca2) },
		{ UINT64_C(0x034dd6ab2a01487c), UINT64_C(0xe435cfcfb2353215),
			UINT64_C(0xa87faf034ead4a52) },
		{ UINT64_C(0x9e6704220efe0527), UINT64_C(0xb3a901bebe7f1a56),
			UINT64_C(0xbfd267da87ac7b34) },
	};
	uint8_t bytes[40];
	for (unsigned i = 0; i < sizeof bytes; i++)
		bytes[i] = (uint8_t)i;
	const struct span seeds[3] = { span_of("abc", 3), span_of(bytes, 16), span_of(bytes, 40) };
	for (unsigned i = 0; i < 3; i++) {
		struct rng r;
		rng_seed(&r, seeds[i]);
		for (unsigned k = 0; k < 3; k++)
			assert_true(rng_next(&r) == expected[i][k]);
	}
}

static void test_rng_repeats(void **state)
{
	(void)state;
	struct rng a, b, c;
	rng_seed(&a, span_of("a seed of thirty-three bytes, or so", 35));
	rng_seed(&b, span_of("a seed of thirty-three bytes, or so", 35));
	rng_seed(&c, span_of("a seed of thirty-three bytes, or sO", 35));
	unsigned same = 0;
	for (unsigned i = 0; i < 1000; i++) {
		uint64_t next = rng_next(&a);
		assert_true(next == rng_next(&b));
		same += next == rng_next(&c);
	}
	assert_int_equal(same, 0);
}

/* Seeds of any length, one a prefix of another or padded with zeroes, give different streams. */
static void test_seeds_differ(void **state)
{
	(void)state;
	static const uint8_t zeroes[40];
	uint64_t first[41];
	for (unsigned len = 0; len <= 40; len++) {
		struct rng r;
		rng_seed(&r, span_of(zeroes, len));
		first[len] = rng_next(&r);
		for (unsigned k = 0; k < len; k++)
			assert_true(first[k] != first[len]);
	}
}

static void test_below(void **state)
{
	(void)state;
	struct rng r;
	rng_seed(&r, span_of("below", 5));
	for (uint32_t bound = 1; bound <= 20; bound++) {
		unsigned hits[20] = { 0 };
		for (unsigned i = 0; i < 2000 * bound; i++) {
			uint32_t v = rng_below(&r, bound);
			assert_true(v < bound);
			hits[v]++;
		}
		for (unsigned v = 0; v < bound; v++)
			assert_in_range(hits[v], 2000 - 270, 2000 + 270);
	}
	/* where a plain remainder would give the low third twice as often */
	unsigned low = 0;
	for (unsigned i = 0; i < 30000; i++)
		low += rng_below(&r, 3u << 30) < 1u << 30;
	assert_in_range(low, 10000 - 490, 10000 + 490);
	for (unsigned i = 0; i < 100; i++)
		assert_true(rng_below(&r, UINT32_MAX) < UINT32_MAX);
}

static void test_fill(void **state)
{
	(void)state;
	for (size_t len = 0; len <= 33; len++) {
		struct rng a, b;
		uint8_t bytes[40];
		rng_seed(&a, span_of("fill", 4));
		b = a;
		memset(bytes, 0xcc, sizeof bytes);
		rng_fill(&a, bytes, len);
		for (size_t i = 0; i < len; i += 8) {
			uint64_t v = rng_next(&b);
			for (size_t k = i; k < len && k < i + 8; k++)
				assert_int_equal(bytes[k], (uint8_t)(v >> (8 * (k - i))));
		}
		for (size_t i = len; i < sizeof bytes; i++)
			assert_int_equal(bytes[i], 0xcc);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_avalanche),
		cmocka_unit_test(test_spread),
		cmocka_unit_test(test_rng_stream),
		cmocka_unit_test(test_rng_repeats),
		cmocka_unit_test(test_seeds_differ),
		cmocka_unit_test(test_below),
		cmocka_unit_test(test_fill),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
