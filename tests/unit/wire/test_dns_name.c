/*
 * Domain names: text both ways, comparison, and reading out of messages, with
 * each of the attacks of RFC 9267 as a case.
 */
#include "unit/base/property.h"

#include "wire/dns_name.h"

#define TEXT(s) span_of(s, sizeof(s) - 1)

static struct dns_name name_of(const char *text)
{
	struct dns_name n;
	assert_true(dns_name_parse(span_of(text, strlen(text)), &n));
	return n;
}

static void test_text_to_name(void **state)
{
	(void)state;
	static const struct {
		const char *text, *wire, *back;
		size_t len;
	} good[] = {
		{ ".", "", ".", 1 },
		{ "a", "\1a", "a.", 3 },
		{ "www.Example.test", "\3www\7Example\4test", "www.Example.test.", 18 },
		{ "www.example.test.", "\3www\7example\4test", "www.example.test.", 18 },
		{ "a\\.b.c", "\3a.b\1c", "a\\.b.c.", 7 },
		{ "\\000\\255.x", "\2\0\377\1x", "\\000\\255.x.", 6 },
		{ "\\\\\\\".y", "\2\\\"\1y", "\\\\\\\".y.", 6 },
		{ "a b.c", "\3a b\1c", "a\\032b.c.", 7 },
	};
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		char text[DNS_NAME_TEXT_MAX];
		struct dns_name n = name_of(good[i].text);
		assert_int_equal(n.len, good[i].len);
		assert_memory_equal(n.b, good[i].wire, n.len - 1);
		assert_int_equal(n.b[n.len - 1], 0);
		assert_int_equal(dns_name_format(&n, text, sizeof text), strlen(good[i].back));
		assert_string_equal(text, good[i].back);
	}
	static const char *const bad[] = { "", "..", ".a", "a..b", "a..", "\\", "a\\", "\\25",
		"\\2x5", "\\256.a", "\\999" };
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct dns_name n;
		assert_false(dns_name_parse(span_of(bad[i], strlen(bad[i])), &n));
	}
}

static void test_limits_of_text(void **state)
{
	(void)state;
	char text[300];
	struct dns_name n;

	memset(text, 'x', sizeof text);
	assert_true(dns_name_parse(span_of(text, 63), &n));
	assert_false(dns_name_parse(span_of(text, 64), &n));
	for (size_t i = 1; i < sizeof text; i += 2)
		text[i] = '.';
	assert_true(dns_name_parse(span_of(text, 254), &n)); /* 127 labels of one byte */
	assert_int_equal(n.len, 255);
	assert_int_equal(dns_name_labels(&n), 127);
	assert_false(dns_name_parse(span_of(text, 255), &n));
	memset(text, 'x', sizeof text);
	text[63] = text[127] = text[191] = '.';
	assert_true(dns_name_parse(span_of(text, 192 + 61), &n));
	assert_int_equal(n.len, 255);
	assert_false(dns_name_parse(span_of(text, 192 + 62), &n));

	/* The longest text there is: every byte escaped. */
	char out[DNS_NAME_TEXT_MAX];
	for (size_t at = 0; n.b[at]; at += 1u + n.b[at])
		memset(n.b + at + 1, 0, n.b[at]);
	assert_int_equal(dns_name_format(&n, out, sizeof out), 250 * 4 + 4);
}

static void test_comparison(void **state)
{
	(void)state;
	struct dns_name a = name_of("WWW.Example.test"), b = name_of("www.eXAMPLE.TEST.");
	struct dns_name zone = name_of("EXAMPLE.test"), other = name_of("ample.test");
	struct dns_name root = DNS_ROOT, www = name_of("www");

	assert_true(dns_name_equal(&a, &b));
	assert_false(dns_name_identical(&a, &b));
	assert_true(dns_name_identical(&a, &a));
	assert_true(dns_name_within(&a, &zone));
	assert_true(dns_name_within(&zone, &zone));
	assert_true(dns_name_within(&a, &root));
	assert_false(dns_name_within(&a, &other));
	assert_false(dns_name_within(&zone, &a));
	assert_false(dns_name_within(&a, &www));
	assert_int_equal(dns_name_labels(&a), 3);
	assert_int_equal(dns_name_labels(&root), 0);
	/* '@' and '`' differ by the bit that letters fold; so do '[' and '{'. */
	struct dns_name at = name_of("\\@x"), tick = name_of("`x");
	assert_false(dns_name_equal(&at, &tick));
}

static void test_hostnames_and_reverse(void **state)
{
	(void)state;
	struct dns_name good = name_of("_dmarc.xn--bcher-kva.Example-1.test");
	struct dns_name bad[] = { name_of("a\\010b.test"), name_of("a/b.test"),
		name_of("a\\000.test"), name_of("a\\@b.test"), name_of("a b"), DNS_ROOT };
	char text[DNS_NAME_TEXT_MAX];
	struct dns_name n;

	assert_true(dns_name_is_hostname(&good));
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_false(dns_name_is_hostname(&bad[i]));

	struct addr four = addr_from4((const uint8_t[]){ 192, 0, 2, 130 });
	dns_name_reverse(&four, &n);
	dns_name_format(&n, text, sizeof text);
	assert_string_equal(text, "130.2.0.192.in-addr.arpa.");
	struct addr six = addr_from6(
		(const uint8_t[]){ 0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xab, 0xcd });
	dns_name_reverse(&six, &n);
	dns_name_format(&n, text, sizeof text);
	assert_string_equal(
		text, "d.c.b.a.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa.");
}

/* Reads the name at `at` of a message that begins with twelve zero bytes. */
static enum drop read_at(const char *behind, size_t len, size_t *at, struct dns_name *n)
{
	uint8_t message[1024] = { 0 };
	memcpy(message + 12, behind, len);
	return dns_name_read(span_of(message, 12 + len), at, true, n);
}

#define READ(bytes, offset, n, at) (*(at) = (offset), read_at(bytes, sizeof(bytes) - 1, at, n))

static void test_compression(void **state)
{
	(void)state;
	struct dns_name n, want = name_of("www.a.test");
	size_t at;

	/* 12: a.test. 20: www -> 12; 26: -> 20 */
	static const char message[] = "\1a\4test\0\3www\300\14\300\24";
	assert_int_equal(READ(message, 20, &n, &at), DROP_NONE);
	assert_true(dns_name_identical(&n, &want));
	assert_int_equal(at, 26);
	assert_int_equal(READ(message, 26, &n, &at), DROP_NONE);
	assert_true(dns_name_identical(&n, &want));
	assert_int_equal(at, 28);
	at = 20;
	assert_int_equal(dns_name_read(TEXT("............\1a\4test\0\3www\300\14"), &at, false, &n),
		DROP_DNS_POINTER);
}

static void test_pointers_that_attack(void **state)
{
	(void)state;
	struct dns_name n;
	size_t at;

	assert_int_equal(READ("\300\14", 12, &n, &at), DROP_DNS_POINTER);    /* itself */
	assert_int_equal(READ("\1a\300\14", 12, &n, &at), DROP_DNS_POINTER); /* its own start */
	assert_int_equal(READ("\7example\300\14", 12, &n, &at), DROP_DNS_POINTER);
	assert_int_equal(READ("\1a\1b\300\16", 12, &n, &at), DROP_DNS_POINTER); /* its own middle */
	assert_int_equal(READ("\300\16\300\14", 14, &n, &at), DROP_DNS_POINTER); /* a ring of two */
	assert_int_equal(READ("\300\16\1a\0", 12, &n, &at), DROP_DNS_POINTER);   /* forwards */
	assert_int_equal(READ("\300\377", 12, &n, &at), DROP_DNS_POINTER);       /* past the end */
	assert_int_equal(READ("\377\377", 12, &n, &at), DROP_DNS_POINTER);
	assert_int_equal(READ("\300\0", 12, &n, &at), DROP_DNS_POINTER); /* the header */
	assert_int_equal(READ("\300\13", 12, &n, &at), DROP_DNS_POINTER);
	assert_int_equal(READ("\300", 12, &n, &at), DROP_DNS_NAME_SHORT); /* cut in two */
	assert_int_equal(READ("\100abc", 12, &n, &at), DROP_DNS_LABEL);   /* 64 .. 191 */
	assert_int_equal(READ("\200abc", 12, &n, &at), DROP_DNS_LABEL);
	assert_int_equal(READ("\277abc", 12, &n, &at), DROP_DNS_LABEL);
	assert_int_equal(READ("\3ab", 12, &n, &at), DROP_DNS_NAME_SHORT);  /* label past the end */
	assert_int_equal(READ("\3abc", 12, &n, &at), DROP_DNS_NAME_SHORT); /* no end at all */
	assert_int_equal(READ("", 12, &n, &at), DROP_DNS_NAME_SHORT);
}

static void test_longest_names(void **state)
{
	(void)state;
	uint8_t message[2000] = { 0 };
	struct dns_name n;
	size_t at, len = 12;

	/* 127 labels, each behind a pointer to the ones before: 126 pointers. */
	message[len] = 1, message[len + 1] = 'a', message[len + 2] = 0;
	len += 3;
	size_t last = 12;
	for (unsigned i = 1; i < 127; i++) {
		message[len] = 1, message[len + 1] = 'a';
		store16(message + len + 2, (uint16_t)(0xc000 | last));
		last = len;
		len += 4;
	}
	at = last;
	assert_int_equal(dns_name_read(span_of(message, len), &at, true, &n), DROP_NONE);
	assert_int_equal(n.len, 255);
	assert_int_equal(at, len);
	/* One label more is too long: two before the pointer to the last but one. */
	memcpy(message + len, "\1a\1a", 4);
	store16(message + len + 4, (uint16_t)(0xc000 | (last - 4)));
	at = len;
	assert_int_equal(
		dns_name_read(span_of(message, len + 6), &at, true, &n), DROP_DNS_NAME_LONG);
	/* So is one pointer more, even if it brings no label. */
	store16(message + len, (uint16_t)(0xc000 | last));
	at = len;
	assert_int_equal(dns_name_read(span_of(message, len + 2), &at, true, &n), DROP_DNS_POINTER);
	/* 255 bytes and one more, without pointers. */
	memset(message, 0, sizeof message);
	for (size_t i = 0; i < 4; i++)
		message[12 + 64 * i] = i < 3 ? 63 : 61;
	at = 12;
	assert_int_equal(dns_name_read(span_of(message, 12 + 255), &at, true, &n), DROP_NONE);
	assert_int_equal(n.len, 255);
	message[12 + 192] = 62;
	at = 12;
	assert_int_equal(
		dns_name_read(span_of(message, 12 + 256), &at, true, &n), DROP_DNS_NAME_LONG);
}

static void random_name_survives(struct rng *r)
{
	struct dns_name n = { .len = 0 }, back;
	char text[DNS_NAME_TEXT_MAX];
	size_t room = 1 + rng_below(r, 254);

	while (room > 2) {
		size_t label = 1 + rng_below(r, (uint32_t)(room - 1 < 63 ? room - 1 : 63));
		n.b[n.len] = (uint8_t)label;
		rng_fill(r, n.b + n.len + 1, label);
		n.len = (uint8_t)(n.len + 1 + label);
		room -= 1 + label;
	}
	n.b[n.len++] = 0;
	size_t len = dns_name_format(&n, text, sizeof text);
	check(dns_name_parse(span_of(text, len), &back));
	check(dns_name_identical(&n, &back));
	check(dns_name_equal(&n, &back));
}

static void test_random_names(void **state)
{
	(void)state;
	property_each(2000, random_name_survives);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text_to_name),
		cmocka_unit_test(test_limits_of_text),
		cmocka_unit_test(test_comparison),
		cmocka_unit_test(test_hostnames_and_reverse),
		cmocka_unit_test(test_compression),
		cmocka_unit_test(test_pointers_that_attack),
		cmocka_unit_test(test_longest_names),
		cmocka_unit_test(test_random_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
