/*
 * The sums with AVX2, 32 bytes a step. Two unsigned 16-bit words can be widened
 * and added in one instruction, but only as signed numbers (pmaddwd with ones),
 * so each word has 0x8000 taken off by flipping its top bit, and the sum gets
 * all of them back at the end: it is then exact, as in the portable version,
 * and zero only for zeroes. A run is at most 64 KiB, so that even the sum over
 * all lanes stays below 2^31.
 *
 * What is left over after whole steps is an even number of bytes and perhaps a
 * last one. The even part is summed from a window of a whole step that ends with it, in
 * which what was summed before is masked away; no byte outside is touched.
 */
#include "base/checksum.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define STEP 32u
#define RUN  (64u * 1024)

/* `window + n` loads as a mask of the last n bytes. */
static const uint8_t window[2 * STEP] = {
#define ONES4 0xff, 0xff, 0xff, 0xff
	[STEP] = ONES4,
	ONES4,
	ONES4,
	ONES4,
	ONES4,
	ONES4,
	ONES4,
	ONES4,
#undef ONES4
};

static inline __attribute__((always_inline)) __m256i load(const uint8_t *at)
{
	return _mm256_loadu_si256((const __m256i *)(const void *)at);
}

/* Two words' difference to 0x8000 each, added into each 32-bit lane of `sum`. */
static inline __attribute__((always_inline)) __m256i add(__m256i sum, __m256i bytes)
{
	const __m256i bias = _mm256_set1_epi16(INT16_MIN), ones = _mm256_set1_epi16(1);
	return _mm256_add_epi32(sum, _mm256_madd_epi16(_mm256_xor_si256(bytes, bias), ones));
}

/* Takes the step at `*from`, copies it where asked, and moves on. */
static inline __attribute__((always_inline)) __m256i step(
	__m256i sum, uint8_t **to, const uint8_t **from, const bool copy)
{
	__m256i bytes = load(*from);
	if (copy) {
		_mm256_storeu_si256((__m256i *)(void *)*to, bytes);
		*to += STEP;
	}
	*from += STEP;
	return add(sum, bytes);
}

/* All lanes, with the bias of `steps` steps made good: exact. */
static inline __attribute__((always_inline)) uint32_t total(__m256i sum, size_t steps)
{
	__m128i half = _mm_add_epi32(_mm256_castsi256_si128(sum), _mm256_extracti128_si256(sum, 1));
	half = _mm_add_epi32(half, _mm_shuffle_epi32(half, _MM_SHUFFLE(1, 0, 3, 2)));
	half = _mm_add_epi32(half, _mm_shuffle_epi32(half, _MM_SHUFFLE(2, 3, 0, 1)));
	return (uint32_t)_mm_cvtsi128_si32(half) + (uint32_t)(steps * (STEP / 2) * 0x8000);
}

/* Fewer bytes than a step. */
static inline __attribute__((always_inline)) uint64_t scrap(
	uint8_t *to, const uint8_t *from, size_t len, const bool copy)
{
	uint64_t sum = 0, word;
	uint32_t four;
	uint16_t two;

	for (size_t i = len / 8; i > 0; i--) {
		memcpy(&word, from, 8);
		if (copy)
			memcpy(to, &word, 8);
		sum += (word & 0xffffffff) + (word >> 32);
		from += 8;
		to = copy ? to + 8 : NULL;
	}
	if (len & 4) {
		memcpy(&four, from, 4);
		if (copy)
			memcpy(to, &four, 4);
		sum += four;
		from += 4;
		to = copy ? to + 4 : NULL;
	}
	if (len & 2) {
		memcpy(&two, from, 2);
		if (copy)
			memcpy(to, &two, 2);
		sum += two;
		from += 2;
		to = copy ? to + 2 : NULL;
	}
	if (len & 1) {
		sum += *from;
		if (copy)
			*to = *from;
	}
	return sum;
}

/* At least one step and at most RUN bytes; all but an odd last byte is summed. */
static inline __attribute__((always_inline)) uint32_t run(
	uint8_t *to, const uint8_t *from, size_t len, const bool copy)
{
	const size_t rest = len & (STEP - 2);
	const uint8_t *end = from + (len & ~(size_t)(4 * STEP - 1));
	__m256i even = _mm256_setzero_si256(), odd = even;

	while (from != end) {
		even = step(even, &to, &from, copy);
		odd = step(odd, &to, &from, copy);
		even = step(even, &to, &from, copy);
		odd = step(odd, &to, &from, copy);
	}
	if (len & (2 * STEP)) {
		even = step(even, &to, &from, copy);
		odd = step(odd, &to, &from, copy);
	}
	if (len & STEP)
		even = step(even, &to, &from, copy);
	if (rest) {
		__m256i bytes = load(from + rest - STEP);
		if (copy)
			_mm256_storeu_si256((__m256i *)(void *)(to + rest - STEP), bytes);
		odd = add(odd, _mm256_and_si256(bytes, load(window + rest)));
	}
	return total(_mm256_add_epi32(even, odd), len / STEP + (rest != 0));
}

/* `to` is NULL where nothing is copied; the compiler makes two functions of this one. */
static inline __attribute__((always_inline)) uint32_t walk(
	uint8_t *to, const uint8_t *from, size_t len, const bool copy)
{
	uint64_t sum = 0;

	for (; len > RUN; len -= RUN) {
		sum += run(to, from, RUN, copy);
		from += RUN;
		to = copy ? to + RUN : NULL;
	}
	if (len < STEP) {
		sum += scrap(to, from, len, copy);
	} else {
		sum += run(to, from, len, copy);
		if (len & 1) {
			sum += from[len - 1];
			if (copy)
				to[len - 1] = from[len - 1];
		}
	}
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffffffff) + (sum >> 32);
	return (uint32_t)((sum & 0xffff) + (sum >> 16));
}

static uint32_t sum_avx2(const uint8_t *at, size_t len)
{
	return walk(NULL, at, len, false);
}

static uint32_t copy_sum_avx2(uint8_t *to, const uint8_t *from, size_t len)
{
	return walk(to, from, len, true);
}

const struct checksum_ops checksum_avx2 = {
	.name = "avx2",
	.sum = sum_avx2,
	.copy_sum = copy_sum_avx2,
};

#else

static uint32_t sum_plain(const uint8_t *at, size_t len)
{
	return checksum_plain.sum(at, len);
}

static uint32_t copy_sum_plain(uint8_t *to, const uint8_t *from, size_t len)
{
	return checksum_plain.copy_sum(to, from, len);
}

const struct checksum_ops checksum_avx2 = {
	.name = "plain",
	.sum = sum_plain,
	.copy_sum = copy_sum_plain,
};

#endif
