/*
 * DNS records as text: the form that dig prints, and nothing else, whatever the
 * record holds.
 */
#include "unit/base/property.h"

#include "wire/dns.h"

#define TEXT(s) span_of(s, sizeof(s) - 1)

/* Formats a record of class IN whose data is given as bytes (names uncompressed). */
static void expect(uint16_t type, struct span rdata, const char *want)
{
	uint8_t message[600] = { 0 };
	char text[2000];
	struct dns_record r = { .owner = DNS_ROOT, .type = type, .class = DNS_CLASS_IN };

	memcpy(message + DNS_HEADER, rdata.at, rdata.len);
	r.rdata = span_of(message + DNS_HEADER, rdata.len);
	enum drop fault = dns_rdata_parse(span_of(message, DNS_HEADER + rdata.len), DNS_HEADER, &r);
	assert_int_equal(fault, DROP_NONE);
	assert_int_equal(dns_rdata_format(&r, text, sizeof text), strlen(want));
	assert_string_equal(text, want);
}

#define EXPECT(type, bytes, want) expect(type, TEXT(bytes), want)

static void test_rdata(void **state)
{
	(void)state;
	EXPECT(DNS_TYPE_A, "\300\0\2\1", "192.0.2.1");
	EXPECT(DNS_TYPE_AAAA, " \1\r\270\0\0\0\0\0\0\0\0\0\0\0\1", "2001:db8::1");
	EXPECT(DNS_TYPE_AAAA, "\0\0\0\0\0\0\0\0\0\0\377\377\300\0\2\1", "::ffff:192.0.2.1");
	EXPECT(DNS_TYPE_NS, "\2ns\4test\0", "ns.test.");
	EXPECT(DNS_TYPE_PTR, "\3a\nb\4test\0", "a\\010b.test.");
	EXPECT(DNS_TYPE_MX, "\0\12\4mail\4test\0", "10 mail.test.");
	EXPECT(DNS_TYPE_SOA, "\2ns\0\1h\0\170\225\3\1\0\0\16\20\0\0\2\130\0\11\72\200\0\0\1\54",
		"ns. h. 2023031553 3600 600 604800 300");
	EXPECT(DNS_TYPE_TXT, "\3abc\0\7a\"b\\c\n\377", "\"abc\" \"\" \"a\\\"b\\\\c\\010\\255\"");
	EXPECT(DNS_TYPE_HINFO, "\3PDP\4TOPS", "\"PDP\" \"TOPS\"");
	EXPECT(DNS_TYPE_SRV, "\0\1\0\2\0\120\1a\0", "1 2 80 a.");
	EXPECT(DNS_TYPE_NAPTR, "\0\144\0\12\1U\7E2U+sip\4!^.!\0",
		"100 10 \"U\" \"E2U+sip\" \"!^.!\" .");
	EXPECT(DNS_TYPE_CAA, "\200\5issueca.test", "128 issue \"ca.test\"");
	EXPECT(DNS_TYPE_HTTPS, "\0\0\1a\0", "0 a.");
	EXPECT(DNS_TYPE_HTTPS,
		"\0\1\0\0\0\0\2\0\1\0\1\0\6\2h3\2h2\0\2\0\0\0\3\0\2\40\373"
		"\0\4\0\10\300\0\2\1\300\0\2\2"
		"\0\5\0\4abcd\0\6\0\20 \1\r\270\0\0\0\0\0\0\0\0\0\0\0\1\2\233\0\2hi",
		"1 . mandatory=alpn alpn=\"h3,h2\" no-default-alpn port=8443 "
		"ipv4hint=192.0.2.1,192.0.2.2 ech=YWJjZA== ipv6hint=2001:db8::1 key667=\"hi\"");
	EXPECT(DNS_TYPE_SVCB, "\0\1\0\0\1\0\10\7a,b\\\"\377 ",
		"1 . alpn=\"a\\\\,b\\\\\\\\\\\"\\255 \"");
	EXPECT(DNS_TYPE_SVCB, "\0\0\0\0\3\0\1\1\0\4\0\0", "0 . port=\"\\001\" ipv4hint");
	EXPECT(65280, "\1\2\377", "\\# 3 0102ff");
	EXPECT(65280, "", "\\# 0");
}

static void test_record(void **state)
{
	(void)state;
	char text[200];
	struct dns_record r = { .type = DNS_TYPE_A,
		.class = DNS_CLASS_IN,
		.ttl = 300,
		.decoded = true,
		.address = addr_from4((const uint8_t[]){ 192, 0, 2, 1 }) };
	struct dns_record opt = { .owner = DNS_ROOT,
		.type = DNS_TYPE_OPT,
		.class = 1232,
		.ttl = 0x8000,
		.decoded = true,
		.options = TEXT("\0\12\0\2\1\2\0\143\0\0") };

	assert_true(dns_name_parse(TEXT("www.example.test"), &r.owner));
	dns_record_format(&r, text, sizeof text);
	assert_string_equal(text, "www.example.test.\t300\tIN\tA\t192.0.2.1");
	r.ttl = 0x80000000; /* a negative time to live is none (RFC 2181 8) */
	r.class = 77;
	dns_record_format(&r, text, sizeof text);
	assert_string_equal(text, "www.example.test.\t0\tCLASS77\tA\t192.0.2.1");
	assert_int_equal(dns_record_format(&r, text, 10), 9); /* cut, and closed */
	assert_string_equal(text, "www.examp");
	dns_record_format(&opt, text, sizeof text);
	assert_string_equal(text, ".\tOPT\tversion 0, udp 1232, flags do, COOKIE 0102, OPT99");
}

static void test_type_names(void **state)
{
	(void)state;
	char text[DNS_TYPE_TEXT_MAX], class[DNS_CLASS_TEXT_MAX];
	uint16_t type;

	for (unsigned i = 0; i <= UINT16_MAX; i++) {
		size_t len = dns_type_format((uint16_t)i, text);
		assert_true(dns_type_parse(span_of(text, len), &type));
		assert_int_equal(type, i);
		assert_true(dns_class_format((uint16_t)i, class) < sizeof class);
	}
	assert_true(dns_type_parse(TEXT("aaaa"), &type));
	assert_int_equal(type, DNS_TYPE_AAAA);
	assert_true(dns_type_parse(TEXT("type65"), &type));
	assert_int_equal(type, DNS_TYPE_HTTPS);
	static const char *const bad[] = { "", "AA", "AAAAA", "TYPE", "TYPE65536", "TYPE-1",
		"TYPE1x", "TYPE000001" };
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_false(dns_type_parse(span_of(bad[i], strlen(bad[i])), &type));
	assert_string_equal(dns_rcode_name(DNS_RCODE_NXDOMAIN), "NXDOMAIN");
	assert_null(dns_rcode_name(4000));
	assert_string_equal(dns_opcode_name(DNS_OPCODE_UPDATE), "UPDATE");
	assert_null(dns_opcode_name(3));
	assert_string_equal(dns_class_name(DNS_CLASS_CH), "CH");
	assert_string_equal(dns_section_name(DNS_ADDITIONAL), "ADDITIONAL");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rdata),
		cmocka_unit_test(test_record),
		cmocka_unit_test(test_type_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
