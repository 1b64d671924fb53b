/*
 * The sums with SSE2, 16 bytes a step. One instruction adds neighbouring words
 * into 32-bit lanes, but takes them as signed numbers (pmaddwd with ones). So
 * each word has 0x8000 taken off by flipping its top bit, and the sum gets all
 * of them back at the end: it is then exact, as in the portable version, and
 * zero only for zeroes. A run is at most 64 KiB, so that even the sum over all
 * lanes stays within 31 bits.
 *
 * What is left over after whole steps is an even number of bytes and perhaps a
 * last one. The even part is taken from a window of a whole step that ends with
 * it, in which what was summed before is masked away; no byte outside is touched.
 */
#include "base/checksum.h"

#if defined(__x86_64__)
#include <emmintrin.h>

#define STEP   16u
#define RUN    (64u * 1024)
#define INLINE static inline __attribute__((always_inline))

typedef __m128i vector;

/* What loads from `n` bytes into it is a mask of a step's last n bytes. */
static const struct {
	uint64_t none[STEP / 8], all[STEP / 8];
} window = { .all = { UINT64_MAX, UINT64_MAX } };

INLINE vector load(const uint8_t *at)
{
	return _mm_loadu_si128((const vector *)(const void *)at);
}

INLINE void store(uint8_t *at, vector bytes)
{
	_mm_storeu_si128((vector *)(void *)at, bytes);
}

/* Has the compiler keep a value in its register, instead of making or moving it once more. */
#define PIN(v) __asm__("" : "+x"(v))

struct lanes {
	vector even, odd; /* sums of every other step: two short chains of additions */
	vector bias, ones;
};

/* Adds each two words, less 0x8000 each, to a lane of the sum. */
INLINE void add(struct lanes *l, vector *sum, vector bytes)
{
	bytes = _mm_madd_epi16(_mm_xor_si128(bytes, l->bias), l->ones);
	*sum = _mm_add_epi32(*sum, bytes);
	PIN(*sum);
}

/* `to` counts only where `copy` is set, here and below. */
INLINE void step(
	struct lanes *l, vector *sum, uint8_t *to, const uint8_t *from, size_t at, const bool copy)
{
	vector bytes = load(from + at);
	if (copy)
		store(to + at, bytes);
	add(l, sum, bytes);
}

INLINE void two_steps(struct lanes *l, uint8_t *to, const uint8_t *from, size_t at, const bool copy)
{
	step(l, &l->even, to, from, at, copy);
	step(l, &l->odd, to, from, at + STEP, copy);
}

/* All lanes, with the bias of `steps` steps made good: exact. */
INLINE uint32_t total(vector sum, size_t steps)
{
	__m128i half = _mm_add_epi32(sum, _mm_shuffle_epi32(sum, _MM_SHUFFLE(1, 0, 3, 2)));
	half = _mm_add_epi32(half, _mm_shuffle_epi32(half, _MM_SHUFFLE(2, 3, 0, 1)));
	return (uint32_t)_mm_cvtsi128_si32(half) + (uint32_t)(steps * (STEP / 2) * 0x8000);
}

/* At least one step and at most RUN bytes. */
INLINE uint32_t run(uint8_t *to, const uint8_t *from, size_t len, const bool copy)
{
	const size_t rest = len & (STEP - 2), eights = len & ~(size_t)(8 * STEP - 1);
	struct lanes l = {
		.bias = _mm_set1_epi16(INT16_MIN),
		.ones = _mm_set1_epi16(1),
	};
	PIN(l.bias);
	PIN(l.ones);
	size_t at = 0;

	for (; at != eights; at += 8 * STEP) {
		two_steps(&l, to, from, at, copy);
		two_steps(&l, to, from, at + 2 * STEP, copy);
		two_steps(&l, to, from, at + 4 * STEP, copy);
		two_steps(&l, to, from, at + 6 * STEP, copy);
	}
	if (len & 4 * STEP) {
		two_steps(&l, to, from, at, copy);
		two_steps(&l, to, from, at + 2 * STEP, copy);
		at += 4 * STEP;
	}
	if (len & 2 * STEP) {
		two_steps(&l, to, from, at, copy);
		at += 2 * STEP;
	}
	if (len & STEP) {
		step(&l, &l.even, to, from, at, copy);
		at += STEP;
	}
	if (rest) {
		at += rest - STEP;
		vector bytes = load(from + at);
		if (copy)
			store(to + at, bytes);
		add(&l, &l.odd, _mm_and_si128(bytes, load((const uint8_t *)&window + rest)));
	}
	vector all = _mm_add_epi32(l.even, l.odd);
	uint32_t sum = total(all, len / STEP + (rest != 0));
	if (len & 1) {
		if (copy)
			to[len - 1] = from[len - 1];
		sum += from[len - 1];
	}
	return (sum & 0xffff) + (sum >> 16);
}

/* The next `size` bytes, at most 8, with the carry brought round. */
INLINE uint64_t bite(uint64_t sum, uint8_t **to, const uint8_t **from, size_t size, const bool copy)
{
	uint64_t word = 0;
	memcpy(&word, *from, size);
	*from += size;
	if (copy) {
		memcpy(*to, &word, size);
		*to += size;
	}
	sum += word;
	return sum + (sum < word);
}

/* Less than a step. */
INLINE uint32_t scrap(uint8_t *to, const uint8_t *from, size_t len, const bool copy)
{
	uint64_t sum = 0;
	if (len & 8)
		sum = bite(sum, &to, &from, 8, copy);
	if (len & 4)
		sum = bite(sum, &to, &from, 4, copy);
	if (len & 2)
		sum = bite(sum, &to, &from, 2, copy);
	if (len & 1)
		sum = bite(sum, &to, &from, 1, copy);

	uint32_t low = (uint32_t)sum, high = (uint32_t)(sum >> 32);
	low += high;
	low += low < high;
	return (low & 0xffff) + (low >> 16);
}

/* More than a run. */
INLINE uint32_t runs(uint8_t *to, const uint8_t *from, size_t len, const bool copy)
{
	uint64_t sum = 0;
	while (len > RUN) {
		sum += run(to, from, RUN, copy);
		from += RUN;
		if (copy)
			to += RUN;
		len -= RUN;
	}
	sum += len < STEP ? scrap(to, from, len, copy) : run(to, from, len, copy);
	return checksum_fold(sum);
}

static __attribute__((noinline)) uint32_t sum_runs(const uint8_t *at, size_t len)
{
	return runs(NULL, at, len, false);
}

static __attribute__((noinline)) uint32_t copy_runs(uint8_t *to, const uint8_t *from, size_t len)
{
	return runs(to, from, len, true);
}

static uint32_t sum_sse2(const uint8_t *at, size_t len)
{
	if (len < STEP)
		return scrap(NULL, at, len, false);
	return len <= RUN ? run(NULL, at, len, false) : sum_runs(at, len);
}

static uint32_t copy_sum_sse2(uint8_t *to, const uint8_t *from, size_t len)
{
	if (len < STEP)
		return scrap(to, from, len, true);
	return len <= RUN ? run(to, from, len, true) : copy_runs(to, from, len);
}

const struct checksum_ops checksum_sse2 = {
	.name = "sse2",
	.sum = sum_sse2,
	.copy_sum = copy_sum_sse2,
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

const struct checksum_ops checksum_sse2 = {
	.name = "plain",
	.sum = sum_plain,
	.copy_sum = copy_sum_plain,
};

#endif
