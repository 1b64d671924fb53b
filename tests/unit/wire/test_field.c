/*
 * The table reader against a bit-by-bit reading of random headers, and its text against what people
 * expect to see.
 */
#include "wire_random.h"

static const char *word_of(uint64_t value)
{
	return value == 6 ? "TCP" : NULL;
}

static const char *const flag_names[] = { "A", NULL, "C", "D" };

static uint64_t slow_value(const struct field *f, const uint8_t *at)
{
	uint64_t value = 0;
	for (unsigned bit = f->bit; bit < f->bit + (unsigned)f->bits; bit++)
		value = value << 1 | (at[bit / 8] >> (7 - bit % 8) & 1);
	return value;
}

static void test_any_bits(void **state)
{
	(void)state;
	FOR_ROUNDS(1)
	{
		uint8_t header[40];
		size_t len = 1 + random_below(sizeof header);
		random_fill(header, len);
		struct field f = { .name = "f",
			.bits = (uint16_t)(1 + random_below(65)),
			.bit = (uint16_t)random_below(330) };
		uint8_t *copy = exact(header, len);
		bool fits = f.bits <= 64 && f.bit + (size_t)f.bits <= len * 8;
		CHECK(field_value(&f, span_of(copy, len)) == (fits ? slow_value(&f, header) : 0));
		free(copy);
	}
}

static void check_text(const struct field *f, const void *bytes, size_t len, const char *expected)
{
	char text[128];
	size_t n = field_format(f, span_of(bytes, len), text, sizeof text);
	assert_string_equal(text, expected);
	assert_int_equal(n, strlen(expected));
}

static void test_text(void **state)
{
	(void)state;
	static const uint8_t bytes[] = { 0x00, 0x06, 0xc0, 0x00, 0x02, 0x01, 0xff, 0xff, 0xff, 0xff,
		0xff, 0xff, 0xff, 0xff, 0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
		1 };
	struct field f = { .bit = 8, .bits = 8, .kind = FIELD_UINT, .word = word_of };
	check_text(&f, bytes, sizeof bytes, "6 (TCP)");
	f.word = NULL;
	check_text(&f, bytes, sizeof bytes, "6");
	f = (struct field){ .bit = 0, .bits = 16, .kind = FIELD_HEX, .word = word_of };
	check_text(&f, bytes, sizeof bytes, "0x0006 (TCP)");
	f = (struct field){ .bit = 0, .bits = 20, .kind = FIELD_HEX };
	check_text(&f, bytes, sizeof bytes, "0x0006c");
	f = (struct field){ .bit = 16, .bits = 32, .kind = FIELD_ADDR4 };
	check_text(&f, bytes, sizeof bytes, "192.0.2.1");
	f = (struct field){ .bit = 48, .bits = 64, .kind = FIELD_UINT };
	check_text(&f, bytes, sizeof bytes, "18446744073709551615");
	f = (struct field){ .bit = 112, .bits = 128, .kind = FIELD_ADDR6 };
	check_text(&f, bytes, sizeof bytes, "2001:db8::1");
	static const uint8_t mapped[16] = { [10] = 0xff, 0xff, 192, 0, 2, 1 };
	f.bit = 0;
	check_text(&f, mapped, sizeof mapped, "::ffff:192.0.2.1");
	f = (struct field){ .bit = 8, .bits = 48, .kind = FIELD_MAC };
	check_text(&f, bytes, sizeof bytes, "06:c0:00:02:01:ff");
	f = (struct field){ .bit = 0, .bits = 32, .kind = FIELD_BYTES };
	check_text(&f, bytes, sizeof bytes, "00 06 c0 00");
	f.bit = 16;
	check_text(&f, bytes, sizeof bytes, "c0 00 02 01");
	f.bit = 0;
	check_text(&f, bytes, 3, "cut short");
}

static void test_flags(void **state)
{
	(void)state;
	struct field f = { .bit = 4, .bits = 4, .kind = FIELD_FLAGS, .flags = flag_names };
	check_text(&f, "\x00", 1, "none");
	check_text(&f, "\x08", 1, "A");
	check_text(&f, "\xf3", 1, "D, C");
	check_text(&f, "\x0f", 1, "D, C, A, 0x4");
	check_text(&f, "\x04", 1, "0x4");
	f = (struct field){ .bit = 0, .bits = 9, .kind = FIELD_FLAGS };
	check_text(&f, "\x80\x80", 2, "0x101");
}

/* However small the buffer, the text is a closed beginning of the whole. */
static void test_small_buffers(void **state)
{
	(void)state;
	static const uint8_t bytes[] = { 192, 0, 2, 1 };
	struct field f = { .bit = 0, .bits = 32, .kind = FIELD_ADDR4 };
	for (size_t cap = 0; cap < 16; cap++) {
		char *text = malloc(cap ? cap : 1);
		size_t n = field_format(&f, span_of(bytes, 4), text, cap);
		assert_int_equal(n, cap == 0 ? 0 : cap - 1 < 9 ? cap - 1 : 9);
		if (cap > 0) {
			assert_int_equal(strlen(text), n);
			assert_memory_equal(text, "192.0.2.1", n);
		}
		free(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_any_bits),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_flags),
		cmocka_unit_test(test_small_buffers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
