/*
 * The name server: any bytes as a query give nothing, or a response that is
 * well-formed, no larger than allowed, and carries the query's ID and question.
 * The first byte of the input says how large a response may be.
 */
#include "small_duo.h"

#include "application/dns/dns_server.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char text[] = "@ 3600 SOA ns hostmaster 7 7200 900 1209600 300\n"
			   "@ NS ns\n@ MX 10 mail\n@ TXT \"hello\" \"world\"\n"
			   "ns A 192.0.2.2\nmail AAAA 2001:db8::25\n"
			   "www A 192.0.2.80\nwww AAAA 2001:db8::80\n"
			   "alias CNAME www\nself CNAME self\n*.wild A 192.0.2.99\n"
			   "_http._tcp SRV 0 5 80 www\n";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span in = span_of(data, size);
	size_t cap = 12 + 40u * input_byte(&in);
	bool tcp = cap & 64;
	struct duo d;
	struct zone zone;
	const struct zone *zones[] = { &zone };
	struct dns_name origin;
	struct dns_server_config c;
	const char *why;
	uint8_t out[12 + 40 * 255];

	small_duo_open(&d);
	assert_true(dns_name_parse(span_of("example.test", 12), &origin));
	zone_init(&zone, &origin, &d.host[0].arena);
	assert_true(!zone_add_lines(&zone, span_of(text, sizeof text - 1), NULL));
	dns_server_config_default(&c);
	c.zone = zones;
	c.zones = 1;
	c.tcp_connections = 0;
	struct dns_server *s = dns_server_create(&c, duo_use(&d.host[0]), &d.host[0].arena, &why);
	assert_non_null(s);

	size_t len = dns_server_respond(s, in, tcp, out, cap);
	assert_true(len <= cap && (tcp || len <= 1232));
	if (len > 0) {
		struct dns_message q = { 0 }, m;
		enum drop fault = dns_message_parse(in, &q);
		assert_int_equal(dns_message_parse(span_of(out, len), &m), DROP_NONE);
		assert_true(m.header.response && !q.header.response);
		assert_true(m.header.id == q.header.id && m.trailing == 0);
		if (m.header.count[DNS_QUESTION])
			assert_true(fault == DROP_NONE &&
				dns_name_identical(&m.question.name, &q.question.name));
	}
	duo_close(&d);
	return 0;
}
