/*
 * The name server: what it answers, and to whom it says nothing; then by way of
 * the resolver over real stacks, over UDP and TCP.
 */
#include "puppet.h"

#include "application/dns/dns_server.h"

static const char zone_text[] = "@ 3600 SOA ns hostmaster 7 7200 900 1209600 300\n"
				"@ NS ns\n"
				"@ MX 10 mail\n"
				"@ TXT \"hello world\"\n"
				"ns A 192.0.2.2\n"
				"mail A 192.0.2.25\n"
				"mail AAAA 2001:db8::25\n"
				"www 300 A 192.0.2.80\n"
				"www 300 AAAA 2001:db8::80\n"
				"alias CNAME other\n"
				"other CNAME www\n"
				"out CNAME www.example.org.\n"
				"into CNAME host.other.test.\n"
				"dangling CNAME nowhere\n"
				"self CNAME self\n"
				"*.wild A 192.0.2.99\n"
				"_http._tcp SRV 0 5 80 www\n";

struct server {
	struct duo duo;
	struct zone zone, second;
	const struct zone *zones[2];
	struct dns_server *server;
	struct resolver *resolver;
	struct lookup *lookup;
	uint8_t out[65535];
	size_t len;
	struct dns_message m;
};

static void open_server(struct server *w, struct dns_server_config *c)
{
	const char *why;
	unsigned line = 0;
	struct dns_name one = name_of("example.test"), two = name_of("other.test");

	memset(w, 0, sizeof *w);
	duo_open(&w->duo);
	struct arena *arena = &w->duo.host[1].arena;
	zone_init(&w->zone, &one, arena);
	zone_init(&w->second, &two, arena);
	why = zone_add_lines(&w->zone, span_of(zone_text, sizeof zone_text - 1), &line);
	if (why)
		fail_msg("line %u: %s", line, why);
	for (unsigned i = 0; i < 100; i++) {
		char text[80];
		snprintf(text, sizeof text, "big TXT \"%050u\"", i);
		assert_null(zone_add_text(&w->zone, text_span_of(text)));
	}
	assert_null(zone_add_text(&w->second, text_span_of("@ SOA ns host 1 2 3 4 60")));
	assert_null(zone_add_text(&w->second, text_span_of("host A 192.0.2.70")));
	w->zones[0] = &w->zone;
	w->zones[1] = &w->second;
	c->zone = w->zones;
	c->zones = 2;
	w->server = dns_server_create(c, duo_use(&w->duo.host[1]), arena, &why);
	if (!w->server)
		fail_msg("%s", why);
	duo_add(&w->duo.host[1], dns_server_app(w->server));

	struct resolver_config rc;
	resolver_config_default(&rc);
	rc.servers = 1;
	rc.server[0] = address("192.0.2.2");
	rc.cache = 0;
	w->resolver = resolver_create(&rc, duo_use(&w->duo.host[0]), &w->duo.host[0].arena, &why);
	assert_non_null(w->resolver);
	duo_add(&w->duo.host[0], resolver_app(w->resolver));
}

static void open_default(struct server *w)
{
	struct dns_server_config c;
	dns_server_config_default(&c);
	open_server(w, &c);
}

static void close_server(struct server *w)
{
	if (w->lookup)
		lookup_release(w->resolver, w->lookup);
	duo_close(&w->duo);
}

/* Asks without a network; the answer stands in w->m. `edns` 0: none. False: no response. */
static bool query(struct server *w, const char *name, uint16_t type, uint16_t edns, bool tcp)
{
	uint8_t bytes[512];
	struct dns_question q = { .name = name_of(name), .type = type, .class = DNS_CLASS_IN };
	size_t len = dns_query_emit(0x1234, &q, edns, bytes, sizeof bytes);
	w->len = dns_server_respond(w->server, span_of(bytes, len), tcp, w->out, sizeof w->out);
	if (w->len == 0)
		return false;
	assert_int_equal(dns_message_parse(span_of(w->out, w->len), &w->m), DROP_NONE);
	assert_int_equal(w->m.header.id, 0x1234);
	assert_true(w->m.header.response);
	assert_true(dns_name_identical(&w->m.question.name, &q.name));
	assert_int_equal(w->m.has_edns, edns != 0);
	return true;
}

static unsigned count(const struct server *w, enum dns_section section)
{
	return w->m.header.count[section];
}

static void codes(void **state)
{
	(void)state;
	static struct server w;
	open_default(&w);
	assert_true(query(&w, "www.example.test", DNS_TYPE_A, 0, false));
	assert_int_equal(w.m.rcode, DNS_RCODE_NOERROR);
	assert_true(w.m.header.authoritative && !w.m.header.recursion_available);
	assert_int_equal(count(&w, DNS_ANSWER), 1);
	assert_true(query(&w, "wWw.eXample.test", DNS_TYPE_AAAA, 1232, false));
	assert_int_equal(count(&w, DNS_ANSWER), 1);
	/* NODATA and NXDOMAIN, each with the SOA, whose TTL is the smaller of the two */
	query(&w, "www.example.test", DNS_TYPE_MX, 0, false);
	assert_int_equal(w.m.rcode, DNS_RCODE_NOERROR);
	assert_true(count(&w, DNS_ANSWER) == 0 && count(&w, DNS_AUTHORITY) == 1);
	query(&w, "nowhere.example.test", DNS_TYPE_A, 0, false);
	assert_int_equal(w.m.rcode, DNS_RCODE_NXDOMAIN);
	struct dns_reader r;
	struct dns_record record;
	dns_reader_begin(&r, span_of(w.out, w.len), &w.m.header);
	assert_true(dns_record_next(&r, &record));
	assert_int_equal(record.type, DNS_TYPE_SOA);
	assert_int_equal(record.ttl, 300);
	query(&w, "_tcp.example.test", DNS_TYPE_A, 0, false); /* it has a name below it */
	assert_int_equal(w.m.rcode, DNS_RCODE_NOERROR);
	query(&w, "www.example.org", DNS_TYPE_A, 0, false);
	assert_int_equal(w.m.rcode, DNS_RCODE_REFUSED);
	assert_false(w.m.header.authoritative);
	query(&w, "example.test", 252, 0, true); /* AXFR */
	assert_int_equal(w.m.rcode, DNS_RCODE_REFUSED);
	query(&w, "x.y.wild.example.test", DNS_TYPE_A, 0, false);
	assert_int_equal(count(&w, DNS_ANSWER), 1);
	assert_int_equal(dns_server_counters(w.server)->refused, 2);
	close_server(&w);
}

static void chains(void **state)
{
	(void)state;
	static struct server w;
	open_default(&w);
	query(&w, "alias.example.test", DNS_TYPE_A, 0, false);
	assert_int_equal(count(&w, DNS_ANSWER), 3);
	query(&w, "alias.example.test", DNS_TYPE_CNAME, 0, false);
	assert_int_equal(count(&w, DNS_ANSWER), 1);
	query(&w, "into.example.test", DNS_TYPE_A, 0, false); /* to our other zone */
	assert_int_equal(count(&w, DNS_ANSWER), 2);
	query(&w, "out.example.test", DNS_TYPE_A, 0, false); /* to where we can't follow */
	assert_int_equal(count(&w, DNS_ANSWER), 1);
	assert_int_equal(w.m.rcode, DNS_RCODE_NOERROR);
	query(&w, "dangling.example.test", DNS_TYPE_A, 0, false);
	assert_int_equal(count(&w, DNS_ANSWER), 1);
	assert_int_equal(w.m.rcode, DNS_RCODE_NXDOMAIN);
	query(&w, "self.example.test", DNS_TYPE_A, 0, true);
	assert_int_equal(count(&w, DNS_ANSWER), 17);
	query(&w, "example.test", DNS_TYPE_MX, 1232, false);
	assert_int_equal(count(&w, DNS_ADDITIONAL), 3); /* two addresses and OPT */
	query(&w, "example.test", DNS_TYPE_ANY, 1232, false);
	assert_int_equal(count(&w, DNS_ANSWER), 1); /* RFC 8482: one set, here the SOA */
	close_server(&w);
}

static void sizes(void **state)
{
	(void)state;
	static struct server w;
	open_default(&w);
	assert_true(query(&w, "big.example.test", DNS_TYPE_TXT, 0, false));
	assert_true(w.m.header.truncated && w.len <= 512);
	assert_true(query(&w, "big.example.test", DNS_TYPE_TXT, 100, false)); /* below 512: 512 */
	assert_true(w.m.header.truncated && w.len <= 512 && w.len > 400);
	assert_true(query(&w, "big.example.test", DNS_TYPE_TXT, 1000, false));
	assert_true(w.m.header.truncated && w.len <= 1000 && w.len > 900);
	assert_true(query(&w, "big.example.test", DNS_TYPE_TXT, 65535, false));
	assert_true(w.m.header.truncated && w.len <= 1232 && w.len > 1100); /* our own limit */
	assert_true(query(&w, "big.example.test", DNS_TYPE_TXT, 0, true));
	assert_false(w.m.header.truncated);
	assert_int_equal(count(&w, DNS_ANSWER), 100);
	assert_int_equal(dns_server_counters(w.server)->truncated, 4);
	close_server(&w);
}

/* Bytes that are no query: no answer, or an error that says nothing more. */
static void hostile(void **state)
{
	(void)state;
	static struct server w;
	uint8_t bytes[512];
	struct dns_question q = {
		.name = name_of("www.example.test"), .type = DNS_TYPE_A, .class = DNS_CLASS_IN
	};
	open_default(&w);
	size_t len = dns_query_emit(7, &q, 1232, bytes, sizeof bytes);
	for (size_t cut = 0; cut < len; cut++) {
		size_t n = dns_server_respond(
			w.server, span_of(bytes, cut), false, w.out, sizeof w.out);
		assert_int_equal(n, cut < DNS_HEADER ? 0 : DNS_HEADER);
		if (n)
			assert_int_equal(w.out[3] & 15, DNS_RCODE_FORMERR);
	}
	bytes[2] |= 0x80; /* never answer an answer: attack DNS-23, and loops */
	assert_int_equal(
		dns_server_respond(w.server, span_of(bytes, len), false, w.out, sizeof w.out), 0);
	bytes[2] = 0x28; /* opcode 5, UPDATE */
	assert_true(dns_server_respond(w.server, span_of(bytes, len), false, w.out, 512) > 0);
	assert_int_equal(w.out[3] & 15, DNS_RCODE_NOTIMP);
	bytes[2] = 0x01;
	store16(bytes + 4, 0); /* no question: then OPT stands in its place */
	assert_int_equal(
		dns_server_respond(w.server, span_of(bytes, len), false, w.out, 512), DNS_HEADER);
	assert_int_equal(w.out[3] & 15, DNS_RCODE_FORMERR);
	store16(bytes + 4, 1);
	bytes[len - 5] = 1; /* EDNS version 1 */
	size_t n = dns_server_respond(w.server, span_of(bytes, len), false, w.out, 512);
	struct dns_message m;
	assert_int_equal(dns_message_parse(span_of(w.out, n), &m), DROP_NONE);
	assert_int_equal(m.rcode, DNS_RCODE_BADVERS);
	close_server(&w);
}

static bool finished(void *user)
{
	return ((struct server *)user)->lookup->status != RESOLVER_PENDING;
}

static const struct resolver_answer *ask(
	struct server *w, const char *name, uint16_t type, unsigned flags)
{
	enum error error;
	struct dns_name n = name_of(name);
	if (w->lookup)
		lookup_release(w->resolver, w->lookup);
	duo_use(&w->duo.host[0]);
	w->lookup = resolver_query(w->resolver, &n, type, flags, &error);
	assert_non_null(w->lookup);
	assert_true(duo_run(&w->duo, 60 * NANO_S, finished, w));
	return w->lookup->answer[0];
}

static unsigned answers(const struct resolver_answer *a)
{
	struct dns_message m;
	assert_int_equal(dns_message_parse(a->message, &m), DROP_NONE);
	return m.header.count[DNS_ANSWER];
}

static void over_the_wire(void **state)
{
	(void)state;
	static struct server w;
	open_default(&w);
	assert_int_equal(answers(ask(&w, "www.example.test", DNS_TYPE_A, 0)), 1);
	assert_int_equal(answers(ask(&w, "example.test", DNS_TYPE_MX, 0)), 1);
	assert_int_equal(answers(ask(&w, "example.test", DNS_TYPE_NS, 0)), 1);
	assert_int_equal(answers(ask(&w, "example.test", DNS_TYPE_SOA, 0)), 1);
	assert_int_equal(answers(ask(&w, "_http._tcp.example.test", DNS_TYPE_SRV, 0)), 1);
	assert_int_equal(ask(&w, "alias.example.test", DNS_TYPE_AAAA, 0)->aliases, 2);
	assert_int_equal(ask(&w, "no.example.test", DNS_TYPE_A, 0)->status, RESOLVER_NO_NAME);
	assert_int_equal(ask(&w, "www.example.org", DNS_TYPE_A, 0)->status, RESOLVER_REFUSED);
	/* Too big for a datagram: TC, then TCP, and all of it. */
	const struct resolver_answer *a = ask(&w, "big.example.test", DNS_TYPE_TXT, 0);
	assert_int_equal(a->status, RESOLVER_FOUND);
	assert_int_equal(a->tries, 2);
	assert_int_equal(answers(a), 100);
	assert_int_equal(dns_server_counters(w.server)->tcp_queries, 1);
	close_server(&w);
}

static void delayed(void **state)
{
	(void)state;
	static struct server w;
	struct dns_server_config c;
	dns_server_config_default(&c);
	c.delay = 500 * NANO_MS;
	open_server(&w, &c);
	const struct resolver_answer *a = ask(&w, "www.example.test", DNS_TYPE_A, 0);
	assert_true(a->ended - a->started >= 502 * NANO_MS);
	assert_true(a->ended - a->started <= 506 * NANO_MS);
	assert_int_equal(a->tries, 1);
	close_server(&w);
}

/* A server bound to no address answers from the one that was asked, at once or delayed. */
static void many_addresses(void **state)
{
	(void)state;
	for (int delayed = 0; delayed < 2; delayed++) {
		static struct server w;
		struct dns_server_config c;
		uint8_t bytes[512];
		struct dns_question q = { .name = name_of("www.example.test"),
			.type = DNS_TYPE_A,
			.class = DNS_CLASS_IN };
		dns_server_config_default(&c);
		c.delay = delayed * 10 * NANO_MS;
		open_server(&w, &c);
		struct duo_host *server = &w.duo.host[1];
		static const char *const own[] = { "192.0.2.3", "192.0.2.2", "192.0.2.77",
			"2001:db8::99" };
		size_t len = dns_query_emit(7, &q, 0, bytes, sizeof bytes);
		for (unsigned i = 0; i < 4; i++) {
			struct addr to = address(own[i]);
			if (i != 1)
				assert_int_equal(stack_add_address(duo_use(server), server->nif,
							 &to, i == 3 ? 64 : 24), ERR_OK);
			struct stack *s = duo_use(&w.duo.host[0]);
			struct sock_options o = { 0 };
			sock_id sock;
			struct sock_datagram d;
			assert_int_equal(sock_udp(s, &o, &sock), 0);
			assert_int_equal(sock_udp_connect(s, sock, &to, DNS_PORT), 0);
			assert_true(sock_send_to(s, sock, bytes, len, NULL, 0) > 0);
			duo_pass(&w.duo, 100 * NANO_MS);
			s = duo_use(&w.duo.host[0]);
			assert_true(sock_recv_from(s, sock, w.out, sizeof w.out, &d) > 0);
			assert_true(addr_equal(&d.source, &to));
			sock_close(s, sock);
		}
		close_server(&w);
	}
}

/* Queries from ports that answer anything get nothing. */
static void reflectors(void **state)
{
	(void)state;
	static struct server w;
	uint8_t bytes[512];
	struct dns_question q = {
		.name = name_of("www.example.test"), .type = DNS_TYPE_A, .class = DNS_CLASS_IN
	};
	open_default(&w);
	size_t len = dns_query_emit(7, &q, 0, bytes, sizeof bytes);
	struct addr to = address("192.0.2.2");
	static const uint16_t ports[] = { 7, 13, 17, 19, 37, 53 };
	for (unsigned i = 0; i < 6; i++) {
		struct stack *s = duo_use(&w.duo.host[0]);
		struct sock_options o = { .local_port = ports[i] };
		sock_id sock;
		struct sock_datagram d;
		assert_int_equal(sock_udp(s, &o, &sock), 0);
		assert_true(sock_send_to(s, sock, bytes, len, &to, DNS_PORT) > 0);
		duo_pass(&w.duo, 100 * NANO_MS);
		int64_t n = sock_recv_from(duo_use(&w.duo.host[0]), sock, w.out, sizeof w.out, &d);
		assert_true(ports[i] == 53 ? n > 0 : n == -ERR_AGAIN);
	}
	assert_int_equal(dns_server_counters(w.server)->ignored, 5);
	close_server(&w);
}

/* TCP: many queries on one connection in any pieces, idle ones closed, the oldest makes room. */
static void tcp_connections(void **state)
{
	(void)state;
	static struct server w;
	struct dns_server_config c;
	uint8_t bytes[512], frame[514];
	struct dns_question q = {
		.name = name_of("big.example.test"), .type = DNS_TYPE_TXT, .class = DNS_CLASS_IN
	};
	dns_server_config_default(&c);
	c.tcp_connections = 2;
	open_server(&w, &c);
	size_t len = dns_query_emit(7, &q, 0, bytes, sizeof bytes);
	store16(frame, (uint16_t)len);
	memcpy(frame + 2, bytes, len);

	struct stack *s = duo_use(&w.duo.host[0]);
	struct addr to = address("192.0.2.2");
	struct sock_options o = { .nodelay = true };
	sock_id sock[3];
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(sock_connect(duo_use(&w.duo.host[0]), &o, &to, 53, &sock[i]), 0);
		duo_pass(&w.duo, 50 * NANO_MS);
	}
	/* Two at most: the first was closed for the third. */
	assert_int_equal(sock_read(duo_use(&w.duo.host[0]), sock[0], bytes, 1), 0);
	assert_int_equal(sock_read(s, sock[1], bytes, 1), -ERR_AGAIN);

	/* Ten queries, in pieces of 7 bytes, on one; 5.9 KB of answer each, more than the queue. */
	size_t total = 0;
	uint8_t stream[10 * 514];
	for (unsigned i = 0; i < 10; i++)
		memcpy(stream + i * (2 + len), frame, 2 + len);
	for (size_t at = 0; at < 10 * (2 + len); at += 7) {
		size_t n = 10 * (2 + len) - at < 7 ? 10 * (2 + len) - at : 7;
		assert_int_equal(
			sock_write(duo_use(&w.duo.host[0]), sock[1], stream + at, n), (int64_t)n);
		duo_pass(&w.duo, 3 * NANO_MS);
	}
	for (unsigned i = 0; i < 100; i++) {
		int64_t n;
		while ((n = sock_read(duo_use(&w.duo.host[0]), sock[1], w.out + total,
				sizeof w.out - total)) > 0)
			total += (size_t)n;
		duo_pass(&w.duo, 10 * NANO_MS);
	}
	size_t at = 0, messages = 0;
	while (at + 2 <= total) {
		struct dns_message m;
		size_t one = load16(w.out + at);
		assert_true(at + 2 + one <= total);
		assert_int_equal(dns_message_parse(span_of(w.out + at + 2, one), &m), DROP_NONE);
		assert_int_equal(m.header.count[DNS_ANSWER], 100);
		at += 2 + one;
		messages++;
	}
	assert_int_equal(messages, 10);
	/* Ten seconds of silence end it. */
	duo_pass(&w.duo, 11 * NANO_S);
	assert_int_equal(sock_read(duo_use(&w.duo.host[0]), sock[1], bytes, 1), 0);
	close_server(&w);
}

/* Zones one below the other: the closest one answers. */
static void nested_zones(void **state)
{
	(void)state;
	static struct server w;
	struct dns_server_config c;
	struct dns_name below = name_of("sub.example.test");
	struct zone inner;
	const char *why;
	dns_server_config_default(&c);
	open_server(&w, &c);
	zone_init(&inner, &below, &w.duo.host[1].arena);
	const struct zone *zones[] = { &w.zone, &inner };
	c.zone = zones;
	c.port = 5353;
	assert_null(dns_server_create(&c, duo_use(&w.duo.host[1]), &w.duo.host[1].arena, &why));
	assert_string_equal(why, "zone has no SOA record");
	assert_null(zone_add_text(&inner, text_span_of("@ SOA ns host 1 2 3 4 60")));
	assert_null(zone_add_text(&inner, text_span_of("www A 192.0.2.7")));
	w.server = dns_server_create(&c, duo_use(&w.duo.host[1]), &w.duo.host[1].arena, &why);
	assert_non_null(w.server);
	query(&w, "www.sub.example.test", DNS_TYPE_A, 0, false);
	assert_true(w.m.rcode == DNS_RCODE_NOERROR && count(&w, DNS_ANSWER) == 1);
	query(&w, "no.sub.example.test", DNS_TYPE_A, 0, false);
	assert_int_equal(w.m.rcode, DNS_RCODE_NXDOMAIN);
	query(&w, "www.example.test", DNS_TYPE_A, 0, false);
	assert_int_equal(w.m.rcode, DNS_RCODE_NOERROR);
	/* The TCP port is taken, the UDP port is given back. */
	struct sock_options o = { .local_port = 5454 };
	sock_id sock;
	assert_int_equal(sock_listen(duo_use(&w.duo.host[1]), &o, &sock), 0);
	c.port = 5454;
	assert_null(dns_server_create(&c, duo_use(&w.duo.host[1]), &w.duo.host[1].arena, &why));
	assert_string_equal(why, "DNS server: TCP port can't be had");
	assert_int_equal(sock_udp(duo_use(&w.duo.host[1]), &o, &sock), 0);
	struct arena measure = { .size = SIZE_MAX };
	assert_null(dns_server_create(&c, duo_use(&w.duo.host[1]), &measure, &why));
	assert_string_equal(why, "DNS server: not enough memory");
	close_server(&w);
}

static void configs(void **state)
{
	(void)state;
	static struct server w;
	struct dns_server_config good, c;
	const char *why;
	dns_server_config_default(&good);
	open_server(&w, &good);
	assert_null(dns_server_config_check(&good));
#define BREAKS(change) (c = good, c.change, assert_non_null(dns_server_config_check(&c)))
	BREAKS(port = 0);
	BREAKS(zones = 0);
	BREAKS(udp_max = 511);
	BREAKS(tcp_message_max = 511);
	BREAKS(tcp_message_max = 65536);
	BREAKS(tcp_idle = 0);
	BREAKS(delay = -1);
	/* The port is taken by the first one. */
	assert_null(dns_server_create(&good, duo_use(&w.duo.host[1]), &w.duo.host[1].arena, &why));
	assert_string_equal(why, "DNS server: UDP port can't be had");
	close_server(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(codes),
		cmocka_unit_test(chains),
		cmocka_unit_test(sizes),
		cmocka_unit_test(hostile),
		cmocka_unit_test(over_the_wire),
		cmocka_unit_test(delayed),
		cmocka_unit_test(many_addresses),
		cmocka_unit_test(reflectors),
		cmocka_unit_test(tcp_connections),
		cmocka_unit_test(nested_zones),
		cmocka_unit_test(configs),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
