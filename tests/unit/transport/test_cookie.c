/* SYN cookies as numbers: what comes back, for how long, and what does not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "transport/tcp/cookie.h"

#define IRS  7777u
#define SALT 0xcafef00du

static const struct hash_key key = { { UINT64_C(0x0123456789abcdef), UINT64_C(0xfedcba98) } };

static struct tcp_tuple tuple_of(const char *local, const char *remote)
{
	struct tcp_tuple t = { .local_port = 80, .remote_port = 40000 };
	assert_true(addr_parse(span_of(local, strlen(local)), &t.local));
	assert_true(addr_parse(span_of(remote, strlen(remote)), &t.remote));
	return t;
}

/* The largest size of the table that the peer can take comes back, for each family. */
static void test_sizes(void **state)
{
	(void)state;
	static const struct {
		uint16_t said, four, six;
	} rows[] = {
		{ 0, 536, 1220 }, { 1, 64, 64 }, { 100, 64, 64 }, { 536, 536, 536 },
		{ 1000, 966, 536 }, { 1220, 1220, 1220 }, { 1359, 1220, 1300 },
		{ 1440, 1440, 1440 }, { 1460, 1460, 1440 }, { 8960, 8960, 8940 },
		{ 65535, 8960, 8940 },
	};
	struct tcp_tuple four = tuple_of("192.0.2.1", "198.51.100.7");
	struct tcp_tuple six = tuple_of("2001:db8::1", "2001:db8::7");
	for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
		uint16_t mss;
		uint32_t c = cookie_make(&key, &four, IRS, SALT, rows[i].said, 0);
		assert_true(cookie_open(&key, &four, IRS, SALT, c, 0, &mss));
		assert_int_equal(mss, rows[i].four);
		c = cookie_make(&key, &six, IRS, SALT, rows[i].said, 0);
		assert_true(cookie_open(&key, &six, IRS, SALT, c, 0, &mss));
		assert_int_equal(mss, rows[i].six);
	}
}

/* Good for the rest of its period and the whole next one; never later, never earlier. */
static void test_age(void **state)
{
	(void)state;
	struct tcp_tuple t = tuple_of("192.0.2.1", "198.51.100.7");
	for (nanotime made = 0; made < 4 * COOKIE_PERIOD; made += COOKIE_PERIOD / 5) {
		uint16_t mss;
		uint32_t c = cookie_make(&key, &t, IRS, SALT, 1460, made);
		nanotime end = (made / COOKIE_PERIOD + 2) * COOKIE_PERIOD;
		for (nanotime at = made; at < end; at += COOKIE_PERIOD / 7)
			assert_true(cookie_open(&key, &t, IRS, SALT, c, at, &mss));
		assert_true(cookie_open(&key, &t, IRS, SALT, c, end - 1, &mss));
		for (nanotime at = end; at < end + 40 * COOKIE_PERIOD; at += COOKIE_PERIOD / 3)
			assert_false(cookie_open(&key, &t, IRS, SALT, c, at, &mss));
	}
}

/* Whoever changes anything, or guesses, has nothing. */
static void test_forgery(void **state)
{
	(void)state;
	struct tcp_tuple t = tuple_of("192.0.2.1", "198.51.100.7"), other = t;
	struct hash_key other_key = { { key.k[0], key.k[1] ^ 1 } };
	uint16_t mss;
	uint32_t c = cookie_make(&key, &t, IRS, SALT, 1460, 0);
	assert_false(cookie_open(&key, &t, IRS + 1, SALT, c, 0, &mss));
	assert_false(cookie_open(&other_key, &t, IRS, SALT, c, 0, &mss));
	other.remote_port++;
	assert_false(cookie_open(&key, &other, IRS, SALT, c, 0, &mss));
	for (unsigned bit = 0; bit < 32; bit++) /* another size is a forgery as well */
		assert_false(cookie_open(&key, &t, IRS, SALT, c ^ UINT32_C(1) << bit, 0, &mss));
	struct rng rng;
	rng_seed(&rng, span_of("forged cookies  ", 16));
	unsigned taken = 0;
	for (unsigned i = 0; i < 1000000; i++)
		taken += cookie_open(&key, &t, IRS, SALT, (uint32_t)rng_next(&rng), 0, &mss);
	assert_int_equal(taken, 0);
}

/* Scale, SACK and ECN travel in a timestamp that is never of the future and at most 64 ms old. */
static void test_stamps(void **state)
{
	(void)state;
	static const uint32_t clocks[] = { 0, 1, 63, 64, 100, 0x7fffffff, 0x80000000, 0xffffffff };
	for (unsigned i = 0; i < sizeof clocks / sizeof *clocks; i++) {
		for (uint8_t scale = 0; scale <= COOKIE_NO_WSCALE; scale++) {
			struct cookie_terms said = { .wscale = scale, .sack = (scale + i) & 1,
				.ecn = (scale / 2 + i) & 1 };
			struct cookie_terms got = { .mss = 0 };
			uint32_t stamp = cookie_stamp(clocks[i], &said);
			assert_true(clocks[i] - stamp < 64);
			cookie_unstamp(stamp, &got);
			assert_int_equal(got.wscale, said.wscale);
			assert_int_equal(got.sack, said.sack);
			assert_int_equal(got.ecn, said.ecn);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_age),
		cmocka_unit_test(test_forgery),
		cmocka_unit_test(test_stamps),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
