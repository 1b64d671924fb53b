/* A stack comes to be from a config, a secret and memory, or says what is missing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "stack/stack.h"

struct bed {
	struct stack_config config;
	void *memory;
	size_t size;
	const char *why;
};

static struct bed bed_of(void)
{
	struct bed b = { .why = NULL };
	stack_config_default(&b.config);
	b.config.transport.blocks = 64;
	b.config.transport.big_blocks = 0;
	b.config.secret[7] = 1;
	b.size = stack_memory(&b.config);
	b.memory = aligned_alloc(64, (b.size + 63) & ~(size_t)63);
	assert_non_null(b.memory);
	return b;
}

static struct stack *make(struct bed *b, size_t size)
{
	return stack_create(&b->config, b->memory, size, 0, &b->why);
}

static void test_is_made(void **state)
{
	struct bed b = bed_of();
	(void)state;
	assert_non_null(make(&b, b.size));
	assert_null(b.why);
	free(b.memory);
}

/* F51: entropy that was not ready, or is a constant. */
static void test_needs_a_secret(void **state)
{
	static const int constants[] = { 0, 1, 0x5a, 0xff };
	struct bed b = bed_of();
	(void)state;
	for (size_t i = 0; i < sizeof constants / sizeof *constants; i++) {
		memset(b.config.secret, constants[i], sizeof b.config.secret);
		assert_null(make(&b, b.size));
		assert_non_null(strstr(b.why, "secret"));
	}
	b.config.secret[sizeof b.config.secret - 1] ^= 1;
	assert_non_null(make(&b, b.size));
	free(b.memory);
}

static void test_needs_its_memory(void **state)
{
	struct bed b = bed_of();
	const size_t sizes[] = { 0, 1, 64, 4096, b.size / 2 };
	(void)state;
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		assert_null(make(&b, sizes[i]));
		assert_non_null(strstr(b.why, "stack_memory"));
	}
	free(b.memory);
}

static void test_needs_a_sound_config(void **state)
{
	struct bed b = bed_of();
	(void)state;
	b.config.transport.connections = 0;
	assert_null(make(&b, b.size));
	assert_non_null(b.why);
	free(b.memory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_is_made),
		cmocka_unit_test(test_needs_a_secret),
		cmocka_unit_test(test_needs_its_memory),
		cmocka_unit_test(test_needs_a_sound_config),
	};
	return cmocka_run_group_tests_name("stack", tests, NULL, NULL);
}
