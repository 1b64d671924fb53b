/*
 * ASCII classes for every byte, against the C library's in its "C" locale; words
 * without regard to case, and cursors of text at their limits.
 */
#include "property.h"

#include <ctype.h>

#include "base/ascii.h"
#include "base/text.h"

static void test_classes(void **state)
{
	(void)state;
	for (int c = 0; c < 256; c++) {
		uint8_t b = (uint8_t)c;
		bool ascii = c < 128;
		assert_int_equal(ascii_is_digit(b), ascii && isdigit(c));
		assert_int_equal(ascii_is_letter(b), ascii && isalpha(c));
		assert_int_equal(ascii_is_blank(b), ascii && isblank(c));
		assert_int_equal(ascii_is_control(b), ascii && iscntrl(c) && c != '\t');
		assert_int_equal(ascii_lower(b), ascii ? tolower(c) : c);
		char digit[2] = { (char)c, '\0' };
		int want = ascii && isxdigit(c) ? (int)strtol(digit, NULL, 16) : -1;
		assert_int_equal(ascii_hex(b), want);
	}
}

static void test_words(void **state)
{
	(void)state;
	assert_int_equal(ascii_begins(span_of("HtTp://x", 8), "http://"), 7);
	assert_int_equal(ascii_begins(span_of("http:/", 6), "http://"), 0);
	assert_int_equal(ascii_begins(span_of("x", 1), ""), 0);
	assert_true(ascii_equal(span_of("Close", 5), "cLOSE"));
	assert_false(ascii_equal(span_of("closed", 6), "close"));
	assert_false(ascii_equal(span_of("clos", 4), "close"));
	assert_false(ascii_equal(span_of("", 0), "close"));
	assert_true(ascii_equal(span_of("", 0), ""));
	assert_false(ascii_equal(span_of("@", 1), "`")); /* differ by the bit that letters fold */
}

static void test_text(void **state)
{
	(void)state;
	char out[24];
	struct text t = text_of(out, sizeof out);

	text_decimal(&t, 0);
	text_char(&t, ' ');
	text_padded(&t, 7, 3);
	text_char(&t, ' ');
	text_hex(&t, 0xbeef, 6);
	text_string(&t, " x");
	text_span(&t, span_of("yz!", 2));
	assert_string_equal(out, "0 007 00beef xyz");
	assert_int_equal(t.len, 16);
	assert_false(t.cut);
	text_decimal(&t, UINT64_MAX); /* 20 digits: seven fit */
	assert_string_equal(out, "0 007 00beef xyz1844674");
	assert_true(t.cut);
	assert_int_equal(t.len, sizeof out - 1);
	t = text_of(out, 1);
	text_string(&t, "a");
	assert_string_equal(out, "");
	assert_true(t.cut);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_classes),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_text),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
