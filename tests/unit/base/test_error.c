/* Each error has a name and a text of its own, and a number that is none has them too. */
#include "property.h"

#include "base/error.h"

static void test_rows(void **state)
{
	(void)state;
	for (unsigned i = 0; i < ERR_COUNT; i++) {
		assert_non_null(error_name((enum error)i));
		assert_non_null(error_text((enum error)i));
		assert_true(strlen(error_name((enum error)i)) >= 2);
		assert_true(strlen(error_text((enum error)i)) >= 4);
		for (unsigned k = 0; k < i; k++) {
			assert_string_not_equal(
				error_name((enum error)i), error_name((enum error)k));
			assert_string_not_equal(
				error_text((enum error)i), error_text((enum error)k));
		}
	}
}

static void test_known_rows(void **state)
{
	(void)state;
	assert_int_equal(ERR_OK, 0);
	assert_string_equal(error_name(ERR_OK), "OK");
	assert_string_equal(error_name(ERR_REFUSED), "REFUSED");
	assert_string_equal(error_text(ERR_REFUSED), "connection refused");
	assert_string_equal(error_text(ERR_TIMEOUT), "timed out");
}

static void test_unknown(void **state)
{
	(void)state;
	static const int numbers[] = { ERR_COUNT, ERR_COUNT + 1, 100000, -1, -ERR_RESET,
		INT32_MIN };
	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
		assert_string_equal(error_name((enum error)numbers[i]), "UNKNOWN");
		assert_string_equal(error_text((enum error)numbers[i]), "unknown error");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_known_rows),
		cmocka_unit_test(test_unknown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
