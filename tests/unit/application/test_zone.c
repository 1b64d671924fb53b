/*
 * Zones: the text form with everything it takes and refuses, and the look-up
 * with wildcards and names that only have others below them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "application/dns/zone.h"

static uint8_t memory[1 << 20];
static struct arena arena;
static struct zone zone;

static struct span span_of_text(const char *text)
{
	size_t len = 0;
	while (text[len])
		len++;
	return span_of(text, len);
}

static struct dns_name name_of(const char *text)
{
	struct dns_name name;
	assert_true(dns_name_parse(span_of_text(text), &name));
	return name;
}

static void start(void)
{
	struct dns_name origin = name_of("example.test");
	arena = (struct arena){ .at = memory, .size = sizeof memory };
	zone_init(&zone, &origin, &arena);
}

static void good(const char *line)
{
	const char *why = zone_add_text(&zone, span_of_text(line));
	if (why)
		fail_msg("%s: %s", line, why);
}

static void bad(const char *line)
{
	unsigned before = zone.records;
	if (!zone_add_text(&zone, span_of_text(line)))
		fail_msg("taken: %s", line);
	assert_int_equal(zone.records, before);
}

/* The record's text, as dig would print its data. */
static void holds(const char *owner, uint16_t type, const char *data)
{
	struct dns_name name = name_of(owner);
	struct zone_match m = zone_find(&zone, &name);
	char text[2048];
	assert_non_null(m.node);
	for (const struct zone_record *r = zone_next(m.node->records, type); r;
		r = zone_next(r->next, type)) {
		struct dns_record copy = r->record;
		uint8_t bytes[1024];
		struct dns_builder b;
		struct dns_header h = { .response = true };
		struct dns_reader reader;
		/* Through the wire and back, because text is printed from there. */
		dns_build_begin(&b, bytes, sizeof bytes, &h, NULL);
		assert_true(dns_build_record(&b, DNS_ANSWER, &copy));
		size_t len = dns_build_end(&b);
		assert_true(len > 0);
		dns_reader_begin(&reader, span_of(bytes, len), &h);
		assert_true(dns_record_next(&reader, &copy));
		dns_rdata_format(&copy, text, sizeof text);
		size_t i = 0;
		while (text[i] && text[i] == data[i])
			i++;
		if (text[i] == data[i])
			return;
	}
	fail_msg("%s has no %u that reads %s", owner, type, data);
}

static void text_forms(void **state)
{
	(void)state;
	start();
	good("@ 3600 IN SOA ns hostmaster 7 7200 900 1209600 300");
	good("@ IN 300 NS ns");
	good("ns A 192.0.2.53 ; a comment");
	good("  AAAA 2001:db8::53");
	good("www.example.test. 60 A 192.0.2.80");
	good("www 60 IN A 192.0.2.81");
	good("ftp CNAME www");
	good("far CNAME www.example.org.");
	good("@ MX 10 mail");
	good("@ MX 20 mail.example.org.");
	good("@ TXT \"v=spf1 -all\" plain \"quo\\\"te\" \\065\\;");
	good("_http._tcp SRV 0 5 80 www");
	good("7 PTR host.example.test.");
	good("odd TYPE65280 \\# 4 c0 00 0201");
	good("none TYPE65280 \\# 0");
	good("h HINFO PC \"Strata OS\"");
	assert_int_equal(zone.records, 16);
	assert_null(zone_check(&zone));

	holds("example.test", DNS_TYPE_SOA,
		"ns.example.test. hostmaster.example.test. 7 7200 900 1209600 300");
	holds("example.test", DNS_TYPE_NS, "ns.example.test.");
	holds("ns.example.test", DNS_TYPE_A, "192.0.2.53");
	holds("ns.example.test", DNS_TYPE_AAAA, "2001:db8::53");
	holds("WWW.example.test", DNS_TYPE_A, "192.0.2.80");
	holds("www.example.test", DNS_TYPE_A, "192.0.2.81");
	holds("ftp.example.test", DNS_TYPE_CNAME, "www.example.test.");
	holds("far.example.test", DNS_TYPE_CNAME, "www.example.org.");
	holds("example.test", DNS_TYPE_MX, "10 mail.example.test.");
	holds("example.test", DNS_TYPE_TXT, "\"v=spf1 -all\" \"plain\" \"quo\\\"te\" \"A;\"");
	holds("_http._tcp.example.test", DNS_TYPE_SRV, "0 5 80 www.example.test.");
	holds("odd.example.test", 65280, "\\# 4 c0000201");
	holds("h.example.test", DNS_TYPE_HINFO, "\"PC\" \"Strata OS\"");
}

static void refusals(void **state)
{
	(void)state;
	start();
	assert_non_null(zone_check(&zone));
	bad("");
	bad("www");
	bad("www 60");
	bad("www 60 IN");
	bad("www A");
	bad("www A 192.0.2");
	bad("www A 192.0.2.1 192.0.2.2");
	bad("www A 2001:db8::1");
	bad("www AAAA 192.0.2.1");
	bad("www NOSUCHTYPE data");
	bad("www 60 60 60 A 192.0.2.1");
	bad("www 99999999999 A 192.0.2.1");
	bad("www CH A 192.0.2.1");
	bad("www.example.org. A 192.0.2.1");
	bad("a..b A 192.0.2.1");
	bad("www MX mail");
	bad("www MX 65536 mail");
	bad("www TXT");
	bad("www TXT \\999");
	bad("www TXT \\1");
	bad("www TYPE65280 \\# 3 c00002ff");
	bad("www TYPE65280 \\# 4 c00002f");
	bad("www TYPE65280 \\# 1 zz");
	bad("www TYPE65280 c000");
	bad("www TYPE41 \\# 0");
	bad("www TYPE255 \\# 0");
	bad("www SOA ns host 1 2 3 4 5");
	bad("www NS ns");
	bad("@ SOA ns host 1 2 3 4");
	good("@ SOA ns host 1 2 3 4 5");
	bad("@ SOA ns host 1 2 3 4 5");
	good("www CNAME ftp");
	bad("www A 192.0.2.1");
	bad("www CNAME other");
	good("ftp A 192.0.2.1");
	bad("ftp CNAME www");
	bad("ftp 77 A 192.0.2.2");
	char longest[300] = { 0 };
	memset(longest, 'a', 64);
	memcpy(longest + 64, " A 192.0.2.1", 13);
	bad(longest);
}

static void lines(void **state)
{
	(void)state;
	static const char text[] = "; the zone\n"
				   "@ SOA ns host 1 2 3 4 5\r\n"
				   "\n"
				   "www A 192.0.2.1\n"
				   "    AAAA 2001:db8::1 ; the same owner\n"
				   "ftp A 192.0.2.2";
	unsigned line = 0;
	start();
	assert_null(zone_add_lines(&zone, span_of(text, sizeof text - 1), &line));
	assert_int_equal(zone.records, 4);
	holds("www.example.test", DNS_TYPE_AAAA, "2001:db8::1");
	holds("ftp.example.test", DNS_TYPE_A, "192.0.2.2");
	start();
	assert_non_null(zone_add_lines(&zone, span_of_text("\n; x\nwww A nonsense\n"), &line));
	assert_int_equal(line, 3);
}

static const struct zone_node *found(const char *name, bool wildcard)
{
	struct dns_name n = name_of(name);
	struct zone_match m = zone_find(&zone, &n);
	assert_int_equal(m.wildcard, wildcard);
	return m.node;
}

static void finding(void **state)
{
	(void)state;
	start();
	good("@ SOA ns host 1 2 3 4 5");
	good("a.b.c A 192.0.2.1");
	good("*.wild A 192.0.2.2");
	good("there.wild TXT x");
	good("*.sub.wild A 192.0.2.3");
	assert_non_null(found("a.b.c.example.test", false));
	assert_non_null(found("b.c.example.test", false)); /* it has a name below it */
	assert_null(found("b.c.example.test", false)->records);
	assert_non_null(found("example.test", false));
	assert_null(found("x.example.test", false));
	assert_null(found("x.c.example.test", false));
	assert_null(found("test", false));
	assert_null(found("example.org", false));
	assert_non_null(found("any.wild.example.test", true));
	assert_non_null(found("very.deep.wild.example.test", true));
	/* RFC 4592 2.2.1: a name that exists stops the wildcard, with or without the type. */
	assert_non_null(found("there.wild.example.test", false));
	assert_null(found("below.there.wild.example.test", false));
	assert_non_null(found("x.sub.wild.example.test", true));
	assert_non_null(found("sub.wild.example.test", false));
	assert_null(found("wild.example.test", false)->records);
}

static void memory_ends(void **state)
{
	(void)state;
	struct dns_name origin = name_of("example.test");
	arena = (struct arena){ .at = memory, .size = 20000 };
	zone_init(&zone, &origin, &arena);
	const char *why = NULL;
	unsigned n = 0;
	for (; n < 100 && !why; n++)
		why = zone_add_text(&zone, span_of_text("www A 192.0.2.1"));
	assert_string_equal(why, "no memory for another record");
	assert_in_range(n, 10, 40);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_forms),
		cmocka_unit_test(refusals),
		cmocka_unit_test(lines),
		cmocka_unit_test(finding),
		cmocka_unit_test(memory_ends),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
