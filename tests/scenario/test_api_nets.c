/*
 * Nets on simulated networks: opening and its mistakes, virtual time, what waits
 * for ever, errors of each thread, addresses as text, and handles that are NULL.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "strata/strata.h"

static struct strata *open_lab(const char *link)
{
	struct strata *net = strata_open(&(struct strata_options){ .link = link });
	if (!net)
		fail_msg("%s: %s", link, strata_error_message());
	return net;
}

static void refused(const struct strata_options *o, int error, const char *word)
{
	struct strata *net = strata_open(o);
	assert_null(net);
	assert_int_equal(strata_error(), error);
	if (!strstr(strata_error_message(), word))
		fail_msg("'%s' is not in: %s", word, strata_error_message());
	assert_null(strchr(strata_error_message(), '\n'));
}

#define REFUSED(error, word, ...) \
	refused(&(struct strata_options){ __VA_ARGS__ }, STRATA_E_##error, word)

static void test_open(void **state)
{
	(void)state;
	strata_close(open_lab("lab:home"));
	strata_close(open_lab("lab:lan?seed=7&delay=3ms&rate=10Mbit&loss=0.5%&big=2M"));
	refused(NULL, STRATA_E_ARGUMENT, "no link");
	REFUSED(ARGUMENT, "no link", .link = NULL);
	REFUSED(NOT_FOUND, "nowhere", .link = "lab:nowhere");
	REFUSED(ARGUMENT, "tap:NAME", .link = "lab:");
	REFUSED(ARGUMENT, "'delay=3x'", .link = "lab:home?delay=3x");
	REFUSED(ARGUMENT, "'speed='", .link = "lab:home?speed");
	REFUSED(ARGUMENT, "'loss=200%'", .link = "lab:home?loss=200%");
	REFUSED(ARGUMENT, "'seed=99999999999999999999'",
		.link = "lab:home?seed=99999999999999999999");
	REFUSED(NOT_FOUND, "there are: client router", .link = "lab:home", .machine = "printer");
	REFUSED(ARGUMENT, "192.0.2.2/24", .link = "lab:home", .address = "somewhere");
	REFUSED(ARGUMENT, "link addresses of their own", .link = "lab:home",
		.mac = "02:00:00:00:00:01");
	REFUSED(ARGUMENT, "500000 at most", .link = "lab:home", .connections = 500001);
	REFUSED(ARGUMENT, "one of enum strata_ecn", .link = "lab:home", .ecn = 9);
	REFUSED(SYSTEM, "/no/such", .link = "lab:home", .pcap = "/no/such/folder");
}

/* As many connections as were asked for, and not one more. */
static void test_connections(void **state)
{
	(void)state;
	struct strata *net = strata_open(
		&(struct strata_options){ .link = "lab:lan", .connections = 3 });
	struct strata_stream *s[3];
	for (unsigned i = 0; i < 3; i++) {
		s[i] = strata_connect(net, "tcp://192.168.1.10:80", STRATA_SECOND);
		assert_non_null(s[i]);
	}
	assert_null(strata_connect(net, "tcp://192.168.1.10:80", STRATA_SECOND));
	assert_int_equal(strata_error(), STRATA_E_TOO_MANY);
	strata_stream_abort(s[1]);
	assert_int_equal(strata_sleep(net, STRATA_MILLISECOND), 0); /* the reset goes out */
	s[1] = strata_connect(net, "tcp://192.168.1.10:80", STRATA_SECOND);
	assert_non_null(s[1]);
	strata_close(net);
}

/* What was written arrives, and nobody waits for a peer that never closes. */
static void test_close_with_silent_peer(void **state)
{
	(void)state;
	struct strata *client = strata_open(&(struct strata_options){ .link = "lab:lan" });
	struct strata *server = strata_open(
		&(struct strata_options){ .beside = client, .machine = "server" });
	struct strata_listener *port = strata_listen(server, "tcp://:4000");
	struct strata_stream *ours = strata_connect(
		client, "tcp://192.168.1.10:4000", STRATA_SECOND);
	struct strata_stream *theirs = strata_accept(port);
	assert_true(ours && theirs);
	assert_int_equal(strata_write_all(ours, "last words", 10), 0);
	strata_close(ours);
	int64_t before = strata_now(server);
	strata_close(client);
	assert_in_range(strata_now(server) - before, 0, STRATA_SECOND);
	uint8_t text[16];
	assert_int_equal(strata_read(theirs, text, sizeof text), 10);
	assert_int_equal(strata_read(theirs, text, sizeof text), 0);
	strata_close(server);
}

static void test_close_nothing(void **state)
{
	(void)state;
	strata_net_close(NULL);
	strata_stream_close(NULL);
	strata_stream_abort(NULL);
	strata_listener_close(NULL);
	strata_udp_close(NULL);
	strata_http_free(NULL);
}

/* A chain of calls on a net that did not open ends with an error, and nothing else. */
static void test_null_handles(void **state)
{
	(void)state;
	struct strata *net = NULL;
	uint8_t byte[1];
	struct strata_address a;
	struct strata_stream_info info;
	struct strata_counters counters;
	struct strata_event event;
	struct strata_ping_reply reply;
	REFUSED(NOT_FOUND, "nowhere", .link = "lab:nowhere");
	assert_null(strata_listen(net, "tcp://:7"));
	assert_null(strata_accept(NULL));
	assert_null(strata_connect(net, "tcp://192.0.2.1:7", 0));
	assert_null(strata_connect_start(net, "tcp://192.0.2.1:7"));
	assert_null(strata_udp_open(net, "udp://:7"));
	assert_null(strata_http_get(net, "http://192.0.2.1/", NULL));
	assert_null(strata_http_field(NULL, "date"));
	const int none = -STRATA_E_ARGUMENT;
	assert_int_equal(strata_read(NULL, byte, 1), none);
	assert_int_equal(strata_read_all(NULL, byte, 1), none);
	assert_int_equal(strata_write(NULL, byte, 1), none);
	assert_int_equal(strata_write_all(NULL, byte, 1), none);
	assert_int_equal(strata_shutdown(NULL), none);
	assert_int_equal(strata_flush(NULL), none);
	assert_int_equal(strata_stream_set_nodelay(NULL, true), none);
	assert_int_equal(strata_stream_set_keepalive(NULL, true), none);
	assert_int_equal(strata_stream_info(NULL, &info), none);
	assert_int_equal(strata_listener_address(NULL, &a), none);
	assert_int_equal(strata_udp_connect(NULL, &a), none);
	assert_int_equal(strata_udp_address(NULL, &a), none);
	assert_int_equal(strata_send_to(NULL, byte, 1, &a), none);
	assert_int_equal(strata_recv_from(NULL, byte, 1, &a), none);
	assert_int_equal(strata_send_from(NULL, byte, 1, &a, &a), none);
	assert_int_equal(strata_recv_at(NULL, byte, 1, &a, &a), none);
	assert_int_equal(strata_poll(net, NULL, 0, 0), none);
	assert_int_equal(strata_next_event(net, &event, 0), none);
	assert_int_equal(strata_stream_watch(NULL, NULL), none);
	assert_int_equal(strata_drive(net, 0), none);
	assert_int_equal(strata_fd(net), none);
	assert_int_equal(strata_dns_resolve(net, "example.test", &a, 1, 0), none);
	assert_int_equal(strata_ping(net, "192.0.2.1", NULL, &reply), none);
	assert_int_equal(strata_now(net), none);
	assert_int_equal(strata_sleep(net, 1), none);
	assert_int_equal(strata_counters(net, &counters), none);
	/* The first failure is the one that explains the others. */
	assert_int_equal(strata_error(), STRATA_E_NOT_FOUND);
}

static void test_time(void **state)
{
	(void)state;
	struct strata *net = open_lab("lab:lan");
	int64_t start = strata_now(net);
	assert_int_equal(strata_sleep(net, 0), 0);
	assert_int_equal(strata_now(net), start);
	assert_int_equal(strata_sleep(net, 5 * STRATA_SECOND), 0);
	assert_int_equal(strata_now(net), start + 5 * STRATA_SECOND);
	assert_int_equal(strata_sleep(net, -1), -STRATA_E_ARGUMENT);
	strata_close(net);
}

/* A limit ends at its nanosecond; without one, the call returns when nothing can ever happen. */
static void test_waiting_for_nobody(void **state)
{
	(void)state;
	struct strata *net = open_lab("lab:lan");
	struct strata_listener *port = strata_listen(net, "tcp://:7");
	assert_non_null(port);
	int64_t start = strata_now(net);
	strata_set_timeout(port, 3 * STRATA_SECOND);
	assert_null(strata_accept(port));
	assert_int_equal(strata_error(), STRATA_E_TIMEOUT);
	assert_int_equal(strata_now(net), start + 3 * STRATA_SECOND);
	strata_set_timeout(port, 0);
	assert_null(strata_accept(port));
	assert_int_equal(strata_error(), STRATA_E_AGAIN);
	strata_set_timeout(port, STRATA_FOREVER);
	assert_null(strata_accept(port));
	assert_int_equal(strata_error(), STRATA_E_DEADLOCK);
	struct strata_event event;
	assert_int_equal(strata_next_event(net, &event, STRATA_FOREVER), -STRATA_E_DEADLOCK);
	assert_int_equal(strata_drive(net, STRATA_FOREVER), -STRATA_E_DEADLOCK);
	assert_int_equal(strata_next_event(net, &event, STRATA_SECOND), 0);
	assert_int_equal(strata_fd(net), -STRATA_E_STATE);
	strata_close(net);
}

static void *fail_elsewhere(void *unused)
{
	(void)unused;
	assert_int_equal(strata_error(), STRATA_E_OK);
	assert_int_equal(strata_udp_connect(NULL, NULL), -STRATA_E_ARGUMENT);
	assert_int_equal(strata_error(), STRATA_E_ARGUMENT);
	return NULL;
}

static void test_errors(void **state)
{
	(void)state;
	pthread_t thread;
	REFUSED(NOT_FOUND, "nowhere", .link = "lab:nowhere");
	assert_int_equal(pthread_create(&thread, NULL, fail_elsewhere, NULL), 0);
	pthread_join(thread, NULL);
	assert_int_equal(strata_error(), STRATA_E_NOT_FOUND);
	assert_string_equal(strata_error_text(STRATA_E_REFUSED), "connection refused");
	assert_string_equal(strata_error_text(-STRATA_E_REFUSED), "connection refused");
	assert_string_equal(strata_error_name(STRATA_E_DEADLOCK), "DEADLOCK");
	assert_non_null(strata_error_text(INT32_MIN));
	assert_non_null(strata_error_text(INT32_MAX));
	assert_string_equal(strata_version(), STRATA_VERSION);
}

static void address_is(const char *text, bool good, const char *canonical)
{
	struct strata_address a;
	char out[STRATA_ADDRESS_TEXT];
	assert_int_equal(strata_address_parse(text, &a), good);
	if (!good)
		return;
	assert_int_equal(strata_address_format(&a, out), strlen(canonical));
	assert_string_equal(out, canonical);
}

static void test_addresses(void **state)
{
	(void)state;
	address_is("192.0.2.1", true, "192.0.2.1");
	address_is("192.0.2.1:80", true, "192.0.2.1:80");
	address_is("2001:DB8:0::1", true, "2001:db8::1");
	address_is("[2001:db8::1]:65535", true, "[2001:db8::1]:65535");
	address_is(":7", true, "[::]:7");
	address_is("", false, NULL);
	address_is("192.0.2.1:", false, NULL);
	address_is("192.0.2.1:65536", false, NULL);
	address_is("192.0.2.1:8o", false, NULL);
	address_is("[192.0.2.1]:80", false, NULL);
	address_is("[2001:db8::1", false, NULL);
	address_is("www.example.test:80", false, NULL);
	struct strata_address a;
	assert_true(strata_address_parse("192.0.2.1", &a) && strata_address_is_ip4(&a));
	assert_true(strata_address_parse("2001:db8::1", &a) && !strata_address_is_ip4(&a));
}

/* Two machines of one world, and what each has counted. */
static void test_beside(void **state)
{
	(void)state;
	struct strata *client = open_lab("lab:lan");
	struct strata *server = strata_open(
		&(struct strata_options){ .beside = client, .machine = "server" });
	assert_non_null(server);
	struct strata_ping_reply reply;
	assert_int_equal(strata_ping(client, "192.168.1.10", NULL, &reply), 0);
	assert_int_equal(strata_now(client), strata_now(server));
	struct strata_counters c, s;
	assert_int_equal(strata_counters(client, &c), 0);
	assert_int_equal(strata_counters(server, &s), 0);
	assert_int_equal(c.frames_out, s.frames_in);
	assert_int_equal(c.bytes_in, s.bytes_out);
	assert_true(c.frames_out >= 2);
	/* A reason for each of the dropped ones. */
	uint64_t count, dropped = 0;
	for (unsigned i = 0; strata_drop_reason(client, i, &count); i++)
		dropped += count;
	assert_int_equal(dropped, c.dropped_in + c.dropped_out);
	strata_close(client); /* the world goes on with the other */
	assert_int_equal(strata_sleep(server, STRATA_SECOND), 0);
	strata_close(server);
}

/* Counts until it finds another thread inside. */
static void *use_without_end(void *user)
{
	struct strata_counters c;
	for (;;)
		strata_counters(user, &c);
	return NULL;
}

/* A lab is for one thread at a time; a program that uses two is stopped. */
static void test_thread_rule(void **state)
{
	(void)state;
	pid_t child = fork();
	if (child == 0) {
		pthread_t thread;
		struct strata *net = open_lab("lab:lan");
		freopen("/dev/null", "w", stderr); /* the assertion's words are expected */
		signal(SIGABRT, SIG_DFL);
		alarm(60);
		pthread_create(&thread, NULL, use_without_end, net);
		use_without_end(net);
	}
	int status;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGABRT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_open),
		cmocka_unit_test(test_connections),
		cmocka_unit_test(test_close_with_silent_peer),
		cmocka_unit_test(test_close_nothing),
		cmocka_unit_test(test_null_handles),
		cmocka_unit_test(test_time),
		cmocka_unit_test(test_waiting_for_nobody),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_beside),
		cmocka_unit_test(test_thread_rule),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
