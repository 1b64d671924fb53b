/*
 * What a program asks the network for in one call: datagrams, names, pages,
 * echoes; and that the same seed gives the same run.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "strata/strata.h"

static struct strata *open_lab(const char *link)
{
	struct strata *net = strata_open(&(struct strata_options){ .link = link });
	if (!net)
		fail_msg("%s: %s", link, strata_error_message());
	return net;
}

static void datagram_both_ways(struct strata *client, struct strata *server, const char *where)
{
	struct strata_udp *ask = strata_udp_open(client, "udp://:0");
	struct strata_udp *answer = strata_udp_open(server, "udp://:4000");
	struct strata_address to, from, ours;
	char text[16];
	assert_true(ask && answer && strata_address_parse(where, &to));
	strata_udp_set_timeout(answer, STRATA_SECOND);
	strata_udp_set_timeout(ask, STRATA_SECOND);
	assert_int_equal(strata_send_to(ask, "question", 8, &to), 8);
	assert_int_equal(strata_recv_from(answer, text, sizeof text, &from), 8);
	assert_memory_equal(text, "question", 8);
	assert_int_equal(strata_udp_address(ask, &ours), 0);
	assert_int_equal(from.port, ours.port);
	assert_int_equal(strata_send_to(answer, "answer", 6, &from), 6);
	assert_int_equal(strata_send_to(answer, "", 0, &from), 0);
	/* From the address that was asked, and from no other's. */
	struct strata_address at, not_ours = from;
	assert_int_equal(strata_send_to(ask, "which?", 6, &to), 6);
	assert_int_equal(strata_recv_at(answer, text, sizeof text, &from, &at), 6);
	assert_memory_equal(&at, &to, sizeof to);
	assert_int_equal(
		strata_send_from(answer, "x", 1, &not_ours, &from), -STRATA_E_NO_ADDRESS);
	assert_int_equal(strata_send_from(answer, "this", 4, &at, &from), 4);
	assert_int_equal(strata_recv_from(ask, text, 3, &from), 3);
	assert_memory_equal(&from, &to, sizeof to);
	assert_int_equal(strata_recv_from(ask, text, sizeof text, NULL), 0);
	assert_int_equal(strata_recv_from(ask, text, sizeof text, &from), 4);
	assert_memory_equal(&from, &to, sizeof to);
	assert_int_equal(strata_recv_from(ask, text, sizeof text, NULL), -STRATA_E_TIMEOUT);
	strata_udp_set_timeout(ask, 0);
	assert_int_equal(strata_recv_from(ask, text, sizeof text, NULL), -STRATA_E_AGAIN);
	strata_close(answer);
	/* Nobody is there any more, and ICMP says so. */
	strata_udp_set_timeout(ask, STRATA_SECOND);
	assert_int_equal(strata_udp_connect(ask, &to), 0);
	assert_int_equal(strata_send_to(ask, "again", 5, NULL), 5);
	assert_int_equal(
		strata_recv_from(ask, text, sizeof text, &from), -STRATA_E_PORT_UNREACHABLE);
	assert_memory_equal(from.ip, to.ip, sizeof to.ip);
	strata_close(ask);
}

static void test_datagrams(void **state)
{
	(void)state;
	struct strata *client = open_lab("lab:lan");
	struct strata *server = strata_open(
		&(struct strata_options){ .beside = client, .machine = "server" });
	datagram_both_ways(client, server, "192.168.1.10:4000");
	datagram_both_ways(client, server, "[2001:db8:1::10]:4000");
	assert_null(strata_udp_open(client, "udp://198.51.100.1:4000"));
	assert_int_equal(strata_error(), STRATA_E_NO_ADDRESS);
	struct strata_udp *one = strata_udp_open(client, "udp://:4000");
	assert_null(strata_udp_open(client, "udp://:4000"));
	assert_int_equal(strata_error(), STRATA_E_IN_USE);
	struct strata_address far;
	assert_true(strata_address_parse("198.51.100.1:9", &far));
	assert_int_equal(strata_send_to(one, "x", 1, &far), -STRATA_E_NO_ROUTE);
	strata_close(client);
	strata_close(server);
}

static void test_names(void **state)
{
	(void)state;
	struct strata *net = open_lab("lab:home");
	struct strata_address a[4];
	char text[STRATA_ADDRESS_TEXT];
	const int64_t limit = 20 * STRATA_SECOND;
	assert_int_equal(strata_dns_resolve(net, "www.example.test", a, 4, limit), 2);
	assert_int_equal(strata_dns_resolve(net, "www.example.test", a, 1, limit), 1);
	assert_int_equal(strata_dns_resolve(net, "ipv4.example.test", a, 4, limit), 1);
	strata_address_format(&a[0], text);
	assert_string_equal(text, "192.0.2.80");
	assert_int_equal(strata_dns_resolve(net, "web.example.test", a, 4, limit), 2);
	int64_t now = strata_now(net);
	assert_int_equal(strata_dns_resolve(net, "2001:db8::7", a, 4, limit), 1);
	assert_int_equal(strata_now(net), now);
	assert_int_equal(
		strata_dns_resolve(net, "no.example.test", a, 4, limit), -STRATA_E_NOT_FOUND);
	assert_non_null(strstr(strata_error_message(), "no.example.test"));
	assert_int_equal(strata_dns_resolve(net, "a b", a, 4, limit), -STRATA_E_ARGUMENT);
	assert_int_equal(strata_dns_resolve(net, NULL, a, 4, limit), -STRATA_E_ARGUMENT);
	strata_close(net);
	net = strata_open(&(struct strata_options){ .link = "lab:home", .dns = "192.0.2.99" });
	assert_int_equal(strata_dns_resolve(net, "www.example.test", a, 4, STRATA_SECOND),
		-STRATA_E_TIMEOUT);
	strata_close(net);
}

static void test_pages(void **state)
{
	(void)state;
	struct strata *net = open_lab("lab:home");
	struct strata_http_response *r = strata_http_get(net, "http://www.example.test/", NULL);
	if (!r)
		fail_msg("%s", strata_error_message());
	assert_int_equal(r->status, 200);
	assert_string_equal(r->reason, "OK");
	assert_string_equal(r->url, "http://www.example.test/");
	assert_int_equal(r->server.port, 80);
	assert_non_null(strstr((const char *)r->content, "</html>"));
	assert_int_equal(strlen((const char *)r->content), r->content_len);
	assert_non_null(strstr(strata_http_field(r, "CONTENT-TYPE"), "text/html"));
	assert_null(strata_http_field(r, "no-such-field"));
	strata_http_free(r);
	r = strata_http_get(net, "http://ipv4.example.test/nothing-here", NULL);
	assert_int_equal(r->status, 404);
	strata_http_free(r);
	r = strata_http_get(net, "http://ipv6.example.test/big", NULL);
	assert_int_equal(r->status, 200);
	assert_int_equal(r->content_len, 1 << 20);
	strata_http_free(r);
	struct strata_http_options o = { .method = "HEAD" };
	r = strata_http_get(net, "http://www.example.test/big", &o);
	assert_int_equal(r->content_len, 0);
	assert_string_equal(strata_http_field(r, "content-length"), "1048576");
	strata_http_free(r);
	o = (struct strata_http_options){ .content_max = 1000 };
	assert_null(strata_http_get(net, "http://www.example.test/big", &o));
	assert_int_equal(strata_error(), STRATA_E_LIMIT);
	o = (struct strata_http_options){ .timeout = 50 * STRATA_MILLISECOND };
	assert_null(strata_http_get(net, "http://www.example.test/big", &o));
	assert_int_equal(strata_error(), STRATA_E_TIMEOUT);
	strata_close(net);
}

static void test_page_failures(void **state)
{
	(void)state;
	static const struct {
		const char *url;
		int error;
	} bad[] = {
		{ "http://", STRATA_E_ARGUMENT },
		{ "ftp://www.example.test/", STRATA_E_ARGUMENT },
		{ "http://user@www.example.test/", STRATA_E_ARGUMENT },
		{ "https://www.example.test/", STRATA_E_UNSUPPORTED },
		{ "http://no.example.test/", STRATA_E_NOT_FOUND },
		{ "http://ipv4.example.test:81/", STRATA_E_REFUSED },
		{ "http://nobody.example.test/", STRATA_E_HOST_UNREACHABLE },
	};
	struct strata *net = open_lab("lab:home");
	for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++) {
		assert_null(strata_http_get(net, bad[i].url, NULL));
		if (strata_error() != bad[i].error)
			fail_msg("%s: %s: %s", bad[i].url, strata_error_name(strata_error()),
				strata_error_message());
		assert_true(strlen(strata_error_message()) > 10);
	}
	strata_close(net);
}

static void test_echo(void **state)
{
	(void)state;
	struct strata *net = open_lab("lab:home");
	struct strata_ping_reply r;
	assert_int_equal(strata_ping(net, "www.example.test", NULL, &r), 0);
	assert_int_equal(r.size, 56);
	assert_in_range(r.round_trip, 40 * STRATA_MILLISECOND, 41 * STRATA_MILLISECOND);
	assert_int_equal(r.hop_limit, 62); /* two routers on the way */
	const struct strata_ping_options o = { .size = 1400, .dont_fragment = true };
	assert_int_equal(strata_ping(net, "192.168.1.1", &o, &r), 0);
	assert_int_equal(r.size, 1400);
	const struct strata_ping_options near = { .hop_limit = 1 };
	assert_int_equal(strata_ping(net, "192.0.2.80", &near, &r), -STRATA_E_HOST_UNREACHABLE);
	char who[STRATA_ADDRESS_TEXT];
	strata_address_format(&r.source, who);
	assert_string_equal(who, "192.168.1.1");
	assert_int_equal(strata_ping(net, "no.example.test", NULL, &r), -STRATA_E_NOT_FOUND);
	strata_close(net);
}

/* What a run on a lab did: its end in virtual time and all that it counted. */
static void run(const char *link, int64_t *end, struct strata_counters *counters)
{
	struct strata *net = open_lab(link);
	strata_http_free(strata_http_get(net, "http://www.example.test/big", NULL));
	*end = strata_now(net);
	assert_int_equal(strata_counters(net, counters), 0);
	strata_close(net);
}

static void test_same_seed(void **state)
{
	(void)state;
	int64_t one, same, other;
	struct strata_counters a, b, c;
	run("lab:lossy?seed=5", &one, &a);
	run("lab:lossy?seed=5", &same, &b);
	run("lab:lossy?seed=6", &other, &c);
	assert_int_equal(one, same);
	assert_memory_equal(&a, &b, sizeof a);
	assert_int_not_equal(one, other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_datagrams),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_pages),
		cmocka_unit_test(test_page_failures),
		cmocka_unit_test(test_echo),
		cmocka_unit_test(test_same_seed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
