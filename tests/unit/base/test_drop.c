/* The table of drop reasons is complete, and each row could be shown to a reader. */
#include "property.h"

#include <ctype.h>

#include "base/drop.h"

static void test_rows(void **state)
{
	(void)state;
	for (unsigned i = 0; i < DROP_COUNT; i++) {
		const struct drop_info *row = drop_info((enum drop)i);
		assert_non_null(row->name);
		assert_non_null(row->clause);
		assert_true(strlen(row->name) >= 4 && strlen(row->text) >= 8);
		/* "ETH_SHORT": becomes a counter's name; the text is a phrase, not a sentence */
		assert_true(isupper((unsigned char)row->name[0]));
		for (const char *c = row->name; *c; c++)
			assert_true(isupper((unsigned char)*c) || isdigit((unsigned char)*c) ||
				*c == '_');
		assert_true(row->text[strlen(row->text) - 1] != '.');
		assert_int_equal(row->layer == LAYER_NONE, i == DROP_NONE);
		assert_true(row->layer <= LAYER_APPLICATION);
		if (*row->clause)
			assert_true(strncmp(row->clause, "RFC ", 4) == 0 ||
				strncmp(row->clause, "IEEE ", 5) == 0);
	}
}

/* Names and texts tell reasons apart; layers come in their order. */
static void test_rows_differ(void **state)
{
	(void)state;
	for (unsigned i = 0; i < DROP_COUNT; i++) {
		const struct drop_info *a = drop_info((enum drop)i);
		for (unsigned k = 0; k < i; k++) {
			const struct drop_info *b = drop_info((enum drop)k);
			assert_string_not_equal(a->name, b->name);
			if (strcmp(a->text, b->text) == 0)
				fail_msg("%s and %s say the same", a->name, b->name);
		}
		if (i > 0)
			assert_true(a->layer >= drop_info((enum drop)(i - 1))->layer);
	}
}

static void test_known_rows(void **state)
{
	(void)state;
	const struct drop_info *row = drop_info(DROP_TCP_CHECKSUM);
	assert_int_equal(DROP_NONE, 0);
	assert_string_equal(row->name, "TCP_CHECKSUM");
	assert_int_equal(row->layer, LAYER_TRANSPORT);
	assert_string_equal(row->text, "TCP checksum is wrong");
	assert_string_equal(row->clause, "RFC 9293 MUST-3");
	assert_string_equal(drop_info(DROP_NONE)->name, "NONE");
	assert_string_equal(drop_info(DROP_IP4_CHECKSUM)->clause, "RFC 1122 3.2.1.2");
}

static void test_layer_names(void **state)
{
	(void)state;
	assert_string_equal(layer_name(LAYER_NONE), "none");
	assert_string_equal(layer_name(LAYER_ACCESS), "access");
	assert_string_equal(layer_name(LAYER_INTERNET), "internet");
	assert_string_equal(layer_name(LAYER_TRANSPORT), "transport");
	assert_string_equal(layer_name(LAYER_APPLICATION), "application");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_rows_differ),
		cmocka_unit_test(test_known_rows),
		cmocka_unit_test(test_layer_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
