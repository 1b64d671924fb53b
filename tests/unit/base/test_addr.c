/*
 * Addresses as text: the rules of RFC 4291 and RFC 5952 one by one, bad input
 * that must be refused, and the C library's inet_pton and inet_ntop as a second
 * opinion on random and mutilated texts.
 */
#include "property.h"

#include <arpa/inet.h>

#include "base/addr.h"

static struct span text_of(const char *text)
{
	return span_of(text, strlen(text));
}

static struct addr addr_of(const char *text)
{
	struct addr a;
	if (!addr_parse(text_of(text), &a))
		fail_msg("%s was refused", text);
	return a;
}

static void check_format(const char *text, const char *canonical)
{
	char out[ADDR_TEXT_MAX];
	struct addr a = addr_of(text), again;
	assert_int_equal(addr_format(&a, out), strlen(canonical));
	assert_string_equal(out, canonical);
	assert_true(addr_parse(text_of(out), &again));
	assert_true(addr_equal(&a, &again));
}

static void test_canonical(void **state)
{
	(void)state;
	static const char *const pairs[][2] = {
		{ "192.0.2.1", "192.0.2.1" },
		{ "0.0.0.0", "0.0.0.0" },
		{ "255.255.255.255", "255.255.255.255" },
		{ "100.10.1.200", "100.10.1.200" },
		{ "::", "::" },
		{ "::1", "::1" },
		{ "1::", "1::" },
		/* RFC 5952 4.1: no leading zeroes; 4.3: lower case */
		{ "2001:0DB8::0001", "2001:db8::1" },
		{ "2001:DB8:0:0:ABCD:00EF:0:0a", "2001:db8::abcd:ef:0:a" },
		/* 4.2.1: as short as can be */
		{ "2001:db8:0:0:0:0:2:1", "2001:db8::2:1" },
		{ "2001:db8::0:1", "2001:db8::1" },
		/* 4.2.2: one group is not shortened */
		{ "2001:db8::1:1:1:1:1", "2001:db8:0:1:1:1:1:1" },
		{ "0:1:2:3:4:5:6:7", "0:1:2:3:4:5:6:7" },
		{ "1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0" },
		{ "::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8" },
		/* 4.2.3: the longest run, the first of equals */
		{ "2001:0:0:1:0:0:0:1", "2001:0:0:1::1" },
		{ "2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1" },
		{ "0:0:1:0:0:1:0:0", "::1:0:0:1:0:0" },
		{ "1:0:0:0:0:0:0:0", "1::" },
		{ "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
			"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" },
		/* IPv4 in its mapped form is an IPv4 address here */
		{ "::ffff:192.0.2.1", "192.0.2.1" },
		{ "::FFFF:c000:0201", "192.0.2.1" },
		/* 5: known prefixes with IPv4 inside; others are not guessed at */
		{ "64:ff9b::c000:221", "64:ff9b::192.0.2.33" },
		{ "64:ff9b::", "64:ff9b::0.0.0.0" },
		{ "64:ff9b:1::c000:221", "64:ff9b:1::c000:221" },
		{ "::ffff:0:192.0.2.33", "::ffff:0:192.0.2.33" },
		{ "::192.0.2.33", "::c000:221" },
		{ "fe80::5efe:192.0.2.33", "fe80::5efe:c000:221" },
		{ "1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304" },
	};
	for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
		check_format(pairs[i][0], pairs[i][1]);
}

static void test_refused(void **state)
{
	(void)state;
	static const char *const bad[] = { "", " ", ".", ":", ":::", "1", "1.2", "1.2.3", "1.2.3.",
		"1.2.3.4.", ".1.2.3.4", "1..2.3", "1.2.3.4.5", "256.0.0.1", "1.2.3.256",
		"1.2.3.4294967297", "01.2.3.4", "1.2.3.00", "1.2.3.04", "0x1.2.3.4", "1.2.3.a",
		"1.2.3.4 ", " 1.2.3.4", "1.2.3.-4", "1.2.3.+4", "1,2.3.4", "1.2.3.4/8",
		"1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", ":1:2:3:4:5:6:7", "1:2:3:4:5:6:7:", ":1",
		"1:", "::1:", ":1::", "1::2::3", "::::", "1:::2", "12345::", "::12345", "::g",
		"::1%eth0", "[::1]", "::1 ", "::1/64", "1:2:3:4:5:6:7:8::", "::1:2:3:4:5:6:7:8",
		"1:2:3:4::5:6:7:8", "::1.2.3", "::1.2.3.4.5", "::1.2.3.4:5", "::1.2.3.256",
		"::01.2.3.4", "1.2.3.4::", "1.2.3.4::1", "1:2:3:4:5:6:7:1.2.3.4",
		"1:2:3:4:5:6:7:8.1.2.3", "1:2:3:4:5:6.1.2.3", "::a.1.2.3", "::1a.2.3.4", "::.1.2.3",
		"::ffff:1.2.3.4.", "::ffff:1.2.3.4:", "localhost", "::-1", "\xff::1", "1.2.3.\xb2",
		"0000000000000000000000000000000000000000001.2.3.4", "::00000" };
	struct addr a;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		if (addr_parse(text_of(bad[i]), &a))
			fail_msg("\"%s\" was taken", bad[i]);
	}
	assert_false(addr_parse(span_of(NULL, 0), &a));
	assert_false(addr_parse(span_of("1.2.3.4\0", 8), &a));
	assert_false(addr_parse(span_of("1.2\0.3.4", 8), &a));
	assert_false(addr_parse(span_of("::1\0", 4), &a));
	assert_true(addr_parse(span_of("1.2.3.45", 7), &a)); /* the span's end counts */
	assert_int_equal(addr_four(&a), 0x01020304);
}

/* What inet_pton takes and what it makes of it. */
static bool second_opinion(const char *text, struct addr *out)
{
	uint8_t four[4];
	if (inet_pton(AF_INET6, text, out->b) == 1)
		return true;
	if (inet_pton(AF_INET, text, four) != 1)
		return false;
	*out = addr_from4(four);
	return true;
}

static struct addr some_addr(struct rng *r)
{
	struct addr a;
	rng_fill(r, a.b, sizeof a.b);
	for (unsigned i = 0; i < 16; i += 2) {
		switch (rng_below(r, 4)) {
		case 0:
		case 1: a.b[i] = a.b[i + 1] = 0; break;
		case 2: a.b[i] = 0; break;
		default: break;
		}
	}
	if (rng_below(r, 4) == 0)
		return addr_from4(a.b);
	return a;
}

static void round_trip(struct rng *r)
{
	struct addr a = some_addr(r), again;
	char out[ADDR_TEXT_MAX], expected[INET6_ADDRSTRLEN];
	size_t len = addr_format(&a, out);
	check(len == strlen(out) && len < ADDR_TEXT_MAX);
	check(addr_parse(span_of(out, len), &again) && addr_equal(&a, &again));

	/* inet_ntop writes ::a.b.c.d for all of ::/96, which RFC 4291 has deprecated */
	if (addr_is4(&a))
		inet_ntop(AF_INET, a.b + 12, expected, sizeof expected);
	else
		inet_ntop(AF_INET6, a.b, expected, sizeof expected);
	if (addr_is4(&a) || !strchr(expected, '.'))
		check(strcmp(out, expected) == 0);
}

static void test_round_trip(void **state)
{
	(void)state;
	property_each(20000, round_trip);
}

/* Texts that are nearly right: both must say the same. */
static void mutilated(struct rng *r)
{
	static const char letters[] = "0123456789abcdefABCDEF::::....gG/%- ";
	struct addr a = some_addr(r), ours, theirs;
	char text[ADDR_TEXT_MAX + 8] = { 0 };
	size_t len = addr_format(&a, text);
	if (rng_below(r, 8) == 0 && len < 39)
		inet_ntop(AF_INET6, a.b, text, ADDR_TEXT_MAX);
	len = strlen(text);
	for (unsigned change = rng_below(r, 4); change > 0; change--) {
		char letter = letters[rng_below(r, sizeof letters - 1)];
		size_t at = rng_below(r, (uint32_t)len + 1);
		switch (rng_below(r, 3)) {
		case 0: text[at == len ? len - 1 : at] = letter; break;
		case 1:
			if (len < sizeof text - 1) {
				memmove(text + at + 1, text + at, len - at);
				text[at] = letter;
				len++;
			}
			break;
		default:
			if (at < len && len > 1) {
				memmove(text + at, text + at + 1, len - at);
				len--;
			}
		}
	}
	bool taken = addr_parse(span_of(text, len), &ours),
	     expected = second_opinion(text, &theirs);
	if (taken != expected || (taken && !addr_equal(&ours, &theirs)))
		fail_msg("\"%s\": %d, inet_pton %d (STRATA_SEED=%llu)", text, taken, expected,
			(unsigned long long)property_seed);
}

static void test_mutilated(void **state)
{
	(void)state;
	property_each(100000, mutilated);
}

static void test_parse_prefix(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int prefix; /* -1: refused */
		const char *addr;
	} cases[] = {
		{ "10.0.0.0/8", 8, "10.0.0.0" },
		{ "10.1.2.3", 32, "10.1.2.3" },
		{ "0.0.0.0/0", 0, "0.0.0.0" },
		{ "10.1.2.3/32", 32, "10.1.2.3" },
		{ "2001:db8::/32", 32, "2001:db8::" },
		{ "2001:db8::1", 128, "2001:db8::1" },
		{ "::/0", 0, "::" },
		{ "::1/128", 128, "::1" },
		{ "::ffff:10.0.0.0/104", 8, "10.0.0.0" },
		{ "::ffff:10.0.0.0/96", 0, "10.0.0.0" },
		{ "::ffff:10.0.0.1", 32, "10.0.0.1" },
		{ "::ffff:10.0.0.0/95", -1, NULL },
		{ "::ffff:10.0.0.0/129", -1, NULL },
		{ "10.0.0.0/33", -1, NULL },
		{ "10.0.0.0/", -1, NULL },
		{ "10.0.0.0/08", -1, NULL },
		{ "10.0.0.0/8/8", -1, NULL },
		{ "10.0.0.0/8 ", -1, NULL },
		{ "10.0.0.0/-1", -1, NULL },
		{ "10.0.0.0/4294967304", -1, NULL },
		{ "::/129", -1, NULL },
		{ "/8", -1, NULL },
		{ "", -1, NULL },
		{ "10.0.0/8", -1, NULL },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct addr a, expected;
		unsigned prefix = 999;
		bool taken = addr_parse_prefix(text_of(cases[i].text), &a, &prefix);
		assert_int_equal(taken, cases[i].prefix >= 0);
		if (!taken)
			continue;
		expected = addr_of(cases[i].addr);
		assert_int_equal(prefix, cases[i].prefix);
		assert_true(addr_equal(&a, &expected));
	}
}

static void in_prefix(struct rng *r)
{
	struct addr net = some_addr(r), a = net;
	unsigned bits = addr_is4(&net) ? 32 : 128, prefix = rng_below(r, bits + 1);
	unsigned flipped = rng_below(r, bits), at = 128 - bits + flipped;
	check(addr_in_prefix(&a, &net, prefix));
	a.b[at / 8] ^= (uint8_t)(0x80 >> at % 8);
	if (addr_is4(&a) == addr_is4(&net))
		check(addr_in_prefix(&a, &net, prefix) == (flipped >= prefix));
	check(!addr_in_prefix(&net, &net, bits + 1));
}

static void test_in_prefix(void **state)
{
	(void)state;
	property_each(20000, in_prefix);
	/* families do not mix, not even in the widest of nets */
	struct addr four = addr_of("192.0.2.1"), six = addr_of("2001:db8::1"), all = addr_of("::"),
		    all_four = addr_of("0.0.0.0");
	assert_false(addr_in_prefix(&four, &all, 0));
	assert_false(addr_in_prefix(&six, &all_four, 0));
	assert_true(addr_in_prefix(&six, &all, 0));
	assert_true(addr_in_prefix(&four, &all_four, 0));
}

static void test_kinds(void **state)
{
	(void)state;
	enum { ANY = 1, MULTICAST = 2, LOOPBACK = 4, LINKLOCAL = 8 };
	static const struct {
		const char *text;
		unsigned kinds;
	} cases[] = {
		{ "0.0.0.0", ANY },
		{ "::", ANY },
		{ "224.0.0.1", MULTICAST },
		{ "239.255.255.255", MULTICAST },
		{ "223.255.255.255", 0 },
		{ "240.0.0.0", 0 },
		{ "ff02::1", MULTICAST },
		{ "fe02::1", 0 },
		{ "127.0.0.1", LOOPBACK },
		{ "127.255.0.1", LOOPBACK },
		{ "128.0.0.1", 0 },
		{ "::1", LOOPBACK },
		{ "::2", 0 },
		{ "1::1", 0 },
		{ "169.254.0.1", LINKLOCAL },
		{ "169.253.0.1", 0 },
		{ "fe80::1", LINKLOCAL },
		{ "febf:ffff::1", LINKLOCAL },
		{ "fec0::1", 0 },
		{ "::127.0.0.1", 0 },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct addr a = addr_of(cases[i].text);
		unsigned kinds = (addr_is_any(&a) ? ANY : 0) |
			(addr_is_multicast(&a) ? MULTICAST : 0) |
			(addr_is_loopback(&a) ? LOOPBACK : 0) |
			(addr_is_linklocal(&a) ? LINKLOCAL : 0);
		assert_int_equal(kinds, cases[i].kinds);
		assert_int_equal(addr_is4(&a), !strchr(cases[i].text, ':'));
	}
}

static void test_mac(void **state)
{
	(void)state;
	struct mac m, again;
	char out[MAC_TEXT_MAX];
	assert_true(mac_parse(text_of("02:00:5E:10:ab:fF"), &m));
	assert_memory_equal(m.b, "\x02\x00\x5e\x10\xab\xff", 6);
	assert_int_equal(mac_format(&m, out), 17);
	assert_string_equal(out, "02:00:5e:10:ab:ff");
	assert_true(mac_parse(text_of("02-00-5e-10-ab-ff"), &again));
	assert_true(mac_equal(&m, &again));

	static const char *const bad[] = { "", "02:00:5e:10:ab", "02:00:5e:10:ab:f",
		"02:00:5e:10:ab:fff",
		"02:00:5e:10:ab:ff:", "2:00:5e:10:ab:ff:", "02:00-5e:10:ab:ff", "02-00:5e-10-ab-ff",
		"02.00.5e.10.ab.ff", "0200.5e10.abff", "g2:00:5e:10:ab:ff", "02:00:5e:10:ab:f ",
		"02:00:5e:10:ab: f", "+2:00:5e:10:ab:ff", "02:00:5e:10:ab-ff" };
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		if (mac_parse(text_of(bad[i]), &m))
			fail_msg("\"%s\" was taken", bad[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_canonical),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_mutilated),
		cmocka_unit_test(test_parse_prefix),
		cmocka_unit_test(test_in_prefix),
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_mac),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
