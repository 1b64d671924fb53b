/*
 * Spans and their two cursors: nothing is read or written past an end, and a
 * cursor that failed stays failed. Also sequence numbers, against 64-bit ones.
 */
#include "property.h"

#include "base/seq.h"
#include "base/span.h"

static void test_parts(void **state)
{
	(void)state;
	const char *text = "abcdef";
	struct span s = span_of(text, 6);
	for (size_t n = 0; n <= 9; n++) {
		struct span first = span_first(s, n), rest = span_after(s, n);
		assert_int_equal(first.len + rest.len, 6);
		assert_int_equal(first.len, n < 6 ? n : 6);
		assert_ptr_equal(first.at, text);
		assert_ptr_equal(rest.at, text + first.len);
	}
	assert_true(span_equal(span_first(s, 3), span_of("abc", 3)));
	assert_false(span_equal(span_first(s, 3), span_of("abd", 3)));
	assert_false(span_equal(span_first(s, 3), span_of("abc", 2)));
	assert_true(span_equal(span_of(NULL, 0), span_of(text, 0)));
}

static void test_loads(void **state)
{
	(void)state;
	static const uint8_t bytes[9] = { 0, 0x81, 0x92, 0xa3, 0xb4, 0xc5, 0xd6, 0xe7, 0xf8 };
	uint8_t out[9] = { 0 };
	assert_int_equal(load16(bytes + 1), 0x8192);
	assert_int_equal(load32(bytes + 1), 0x8192a3b4);
	assert_true(load64(bytes + 1) == UINT64_C(0x8192a3b4c5d6e7f8));
	store64(out + 1, UINT64_C(0x8192a3b4c5d6e7f8));
	assert_memory_equal(out, bytes, 9);
	store32(out + 1, 0x01020304);
	store16(out + 5, 0x0506);
	assert_memory_equal(out, "\0\1\2\3\4\5\6\xe7\xf8", 9);
}

/* A reader against an offset kept by hand; the bytes have exactly their own memory. */
static void reading(struct rng *r)
{
	size_t len = rng_below(r, 40), at = 0;
	uint8_t *bytes = malloc(len + !len);
	bool failed = false;
	check(bytes);
	rng_fill(r, bytes, len);
	struct reader reader = reader_of(span_of(bytes, len));

	for (unsigned step = 0; step < 12; step++) {
		unsigned kind = rng_below(r, 5);
		size_t n = kind < 4 ? (size_t)1 << kind : rng_below(r, 12);
		uint64_t value = 0, expected = 0;
		struct span s = span_of(NULL, 0);
		switch (kind) {
		case 0: value = read8(&reader); break;
		case 1: value = read16(&reader); break;
		case 2: value = read32(&reader); break;
		case 3: value = read64(&reader); break;
		default: s = read_span(&reader, n);
		}
		bool fits = n <= len - at;
		for (size_t i = 0; i < n && fits && kind < 4; i++)
			expected = expected << 8 | bytes[at + i];
		check(value == expected);
		check(kind < 4 || (s.len == (fits ? n : 0) && s.at == bytes + (fits ? at : len)));
		at = fits ? at + n : len;
		failed |= !fits;
		check(reader.failed == failed && reader_offset(&reader) == at);
	}
	free(bytes);
}

static void test_reading(void **state)
{
	(void)state;
	property_each(5000, reading);
}

/* A writer, likewise; once something did not fit, nothing is written any more. */
static void writing(struct rng *r)
{
	size_t cap = rng_below(r, 40), at = 0;
	uint8_t *bytes = malloc(cap + !cap), expected[64], some[12];
	bool failed = false;
	check(bytes);
	memset(bytes, 0xaa, cap);
	memset(expected, 0xaa, sizeof expected);
	struct writer w = writer_of(bytes, cap);

	for (unsigned step = 0; step < 12; step++) {
		unsigned kind = rng_below(r, 5);
		size_t n = kind < 4 ? (size_t)1 << kind : rng_below(r, sizeof some);
		rng_fill(r, some, sizeof some);
		switch (kind) {
		case 0: write8(&w, some[0]); break;
		case 1: write16(&w, load16(some)); break;
		case 2: write32(&w, load32(some)); break;
		case 3: write64(&w, load64(some)); break;
		default: write_bytes(&w, span_of(some, n));
		}
		failed |= n > cap - at;
		if (!failed) {
			memcpy(expected + at, some, n);
			at += n;
		}
		check(w.failed == failed && w.len == at);
		check(cap == 0 || memcmp(bytes, expected, cap) == 0);
	}
	free(bytes);
}

static void test_writing(void **state)
{
	(void)state;
	property_each(5000, writing);
}

static void circle(struct rng *r)
{
	uint64_t a = rng_next(r) >> 1, b = a + rng_below(r, INT32_MAX);
	uint32_t x = (uint32_t)a, y = (uint32_t)b;
	check(seq_lt(x, y) == (a < b) && seq_le(x, y) && seq_ge(y, x));
	check(seq_gt(y, x) == (b > a) && !seq_lt(y, x) && !seq_gt(x, y));
	check(seq_max(x, y) == y && seq_max(y, x) == y);
	check(seq_min(x, y) == x && seq_min(y, x) == x);
}

static void test_circle(void **state)
{
	(void)state;
	property_each(5000, circle);
	assert_true(seq_lt(UINT32_MAX, 0) && seq_gt(0, UINT32_MAX) && seq_le(7, 7) && seq_ge(7, 7));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parts),
		cmocka_unit_test(test_loads),
		cmocka_unit_test(test_reading),
		cmocka_unit_test(test_writing),
		cmocka_unit_test(test_circle),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
