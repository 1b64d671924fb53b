/* Fast Open as numbers: the published cookie, keys that change, and what a client remembers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "transport/tcp/fast_open.h"

static struct addr address(const char *text)
{
	struct addr a;
	assert_true(addr_parse(span_of(text, strlen(text)), &a));
	return a;
}

/* Key and cookie that Linux's conformance scripts have, for 192.0.2.1 at 192.168.0.1. */
static void test_known_cookie(void **state)
{
	(void)state;
	static const uint8_t key[16] = { 0xa1, 0xa1, 0xa1, 0xa1, 0xb2, 0xb2, 0xb2, 0xb2, 0xc3, 0xc3,
		0xc3, 0xc3, 0xd4, 0xd4, 0xd4, 0xd4 };
	static const uint8_t want[] = { 0x30, 0x21, 0xb9, 0xd8, 0x89, 0x01, 0x7e, 0xeb };
	struct fast_open_keys k = { .count = 0 };
	struct addr local = address("192.168.0.1"), remote = address("192.0.2.1");
	uint8_t got[FAST_OPEN_COOKIE];
	fast_open_add_key(&k, key);
	fast_open_cookie(&k.key[0], &local, &remote, got);
	assert_memory_equal(got, want, sizeof want);
	assert_int_equal(fast_open_check(&k, &local, &remote, want, sizeof want), 0);
}

/* A new key makes new cookies, the old one's are believed once more, the one before not. */
static void test_keys(void **state)
{
	(void)state;
	static const char *const family[2][2] = { { "192.0.2.1", "198.51.100.7" },
		{ "2001:db8::1", "2001:db8::7" } };
	for (unsigned i = 0; i < 2; i++) {
		struct fast_open_keys k = { .count = 0 };
		struct addr local = address(family[i][0]), remote = address(family[i][1]);
		uint8_t cookie[3][FAST_OPEN_COOKIE], key[16] = { 0 };
		for (unsigned n = 0; n < 3; n++) {
			key[0] = (uint8_t)n;
			fast_open_add_key(&k, key);
			fast_open_cookie(&k.key[0], &local, &remote, cookie[n]);
			for (int back = 0; back <= (int)n; back++)
				assert_int_equal(fast_open_check(&k, &local, &remote,
							 cookie[n - (unsigned)back], 8),
					back < FAST_OPEN_KEYS ? back : -1);
		}
		/* Neither end of it may be another, nor one bit. */
		assert_int_equal(fast_open_check(&k, &remote, &local, cookie[2], 8), -1);
		assert_int_equal(fast_open_check(&k, &local, &local, cookie[2], 8), -1);
		for (unsigned bit = 0; bit < 64; bit++) {
			cookie[2][bit / 8] ^= (uint8_t)(1 << bit % 8);
			assert_int_equal(fast_open_check(&k, &local, &remote, cookie[2], 8), -1);
			cookie[2][bit / 8] ^= (uint8_t)(1 << bit % 8);
		}
		for (size_t len = 0; len < 8; len++)
			assert_int_equal(fast_open_check(&k, &local, &remote, cookie[2], len), -1);
	}
}

static _Alignas(64) uint8_t memory[65536];

/* Bounded: each server has a place, the newest thousand of a million at most stay. */
static void test_cache(void **state)
{
	(void)state;
	struct arena a = { .at = memory, .size = sizeof memory };
	struct hash_key key = { { 1, 2 } };
	struct fast_open_cache c;
	assert_true(fast_open_cache_init(&c, &a, 100, &key));
	struct addr first = address("192.0.2.1"), one = first;
	assert_null(fast_open_find(&c, &first));
	struct fast_open_entry *e = fast_open_place(&c, &first, 1);
	e->mss = 1234;
	assert_ptr_equal(fast_open_place(&c, &first, 2), e);
	assert_ptr_equal(fast_open_find(&c, &first), e);
	unsigned found = 0;
	for (uint32_t n = 0; n < 10000; n++) {
		store32(one.b + 12, n);
		fast_open_place(&c, &one, 3 + n);
		assert_non_null(fast_open_find(&c, &one));
	}
	for (uint32_t n = 0; n < 10000; n++) {
		store32(one.b + 12, n);
		found += fast_open_find(&c, &one) != NULL;
	}
	assert_int_equal(found, c.sets * 4);
	assert_null(fast_open_find(&c, &first));
	e = fast_open_place(&c, &first, 20000);
	assert_int_equal(e->mss, 0); /* nothing of who stood there before */
}

/* One loss is chance; then the pauses double, and end somewhere. */
static void test_pauses(void **state)
{
	(void)state;
	struct fast_open_entry e = { .used = 1 };
	fast_open_lost(&e, NANO_S, 100);
	assert_int_equal(e.paused_until, 0);
	for (unsigned n = 1; n < 10; n++) {
		fast_open_lost(&e, NANO_S, 100);
		assert_int_equal(e.paused_until, 100 + (NANO_S << n));
	}
	fast_open_lost(&e, NANO_S, 100);
	assert_int_equal(e.paused_until, 100 + (NANO_S << 9));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known_cookie),
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_cache),
		cmocka_unit_test(test_pauses),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
