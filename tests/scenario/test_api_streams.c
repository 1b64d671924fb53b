/*
 * Streams between two machines of one simulated world, by the public interface
 * and from one thread: what one side does, the other sees when anybody waits.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "strata/strata.h"

struct pair {
	struct strata *client, *server;
	struct strata_listener *port;
	struct strata_stream *near, *far; /* the client's end, the server's */
};

static void open_pair(struct pair *p, const char *link)
{
	p->client = strata_open(&(struct strata_options){ .link = link });
	p->server = strata_open(
		&(struct strata_options){ .beside = p->client, .machine = "server" });
	p->port = strata_listen(p->server, "tcp://:7");
	p->near = strata_connect(p->client, "tcp://192.168.1.10:7", 10 * STRATA_SECOND);
	p->far = strata_accept(p->port);
	if (!p->far)
		fail_msg("%s", strata_error_message());
	strata_set_timeout(p->near, 60 * STRATA_SECOND);
	strata_set_timeout(p->far, 60 * STRATA_SECOND);
}

static void close_pair(struct pair *p)
{
	strata_close(p->port);
	strata_close(p->client);
	strata_close(p->server);
}

/* A byte of a stream: one that no shifted or doubled block has. */
static uint8_t byte_at(uint64_t at)
{
	return (uint8_t)(at ^ at >> 8 ^ at >> 16 ^ at * 31);
}

static void fill(uint8_t *to, size_t len, uint64_t at)
{
	for (size_t i = 0; i < len; i++)
		to[i] = byte_at(at + i);
}

static void check(const uint8_t *from, size_t len, uint64_t at)
{
	for (size_t i = 0; i < len; i++)
		if (from[i] != byte_at(at + i))
			fail_msg("byte %llu is wrong", (unsigned long long)(at + i));
}

static void test_talk(void **state)
{
	(void)state;
	struct pair p;
	char text[16];
	open_pair(&p, "lab:lan");
	assert_int_equal(strata_write_all(p.near, "ping", 4), 0);
	assert_int_equal(strata_read_all(p.far, text, 4), 4);
	assert_memory_equal(text, "ping", 4);
	assert_int_equal(strata_write_all(p.far, "pong!", 5), 0);
	assert_int_equal(strata_read(p.near, text, 2), 2);
	assert_int_equal(strata_read(p.near, text + 2, sizeof text - 2), 3);
	assert_memory_equal(text, "pong!", 5);
	assert_int_equal(strata_read(p.near, text, 0), 0);
	/* Half-close: our end is told, and the other way goes on. */
	assert_int_equal(strata_shutdown(p.near), 0);
	assert_int_equal(strata_write(p.near, "x", 1), -STRATA_E_CLOSED);
	assert_int_equal(strata_read(p.far, text, sizeof text), 0);
	assert_int_equal(strata_write_all(p.far, "bye", 3), 0);
	strata_close(p.far);
	assert_int_equal(strata_read_all(p.near, text, sizeof text), 3);
	assert_memory_equal(text, "bye", 3);
	strata_close(p.near);
	close_pair(&p);
}

static void test_info(void **state)
{
	(void)state;
	struct pair p;
	char local[STRATA_ADDRESS_TEXT], remote[STRATA_ADDRESS_TEXT];
	struct strata_stream_info n, f;
	open_pair(&p, "lab:lan?delay=10ms");
	assert_int_equal(strata_write_all(p.near, "hello", 5), 0);
	assert_int_equal(strata_flush(p.near), 0);
	assert_int_equal(strata_stream_info(p.near, &n), 0);
	assert_int_equal(strata_stream_info(p.far, &f), 0);
	strata_address_format(&n.local, local);
	strata_address_format(&f.remote, remote);
	assert_string_equal(local, remote);
	strata_address_format(&n.remote, remote);
	assert_string_equal(remote, "192.168.1.10:7");
	assert_string_equal(n.state, "ESTABLISHED");
	assert_int_equal(n.bytes_acked, 5);
	assert_int_equal(f.unread, 5);
	assert_int_equal(n.unacked + n.unsent, 0);
	assert_int_equal(n.retransmits, 0);
	assert_true(n.timestamps && n.sack);
	assert_int_equal(n.mss, 1448);
	assert_in_range(n.rtt, 20 * STRATA_MILLISECOND, 80 * STRATA_MILLISECOND);
	strata_close(p.near);
	strata_close(p.far);
	close_pair(&p);
}

/* Writes and reads in turns, as one thread with non-blocking handles does. */
static void pump(struct pair *p, uint64_t total)
{
	static uint8_t out[40000], in[30000];
	uint64_t sent = 0, got = 0;
	strata_set_timeout(p->near, 0);
	strata_set_timeout(p->far, 0);
	while (got < total) {
		size_t want = total - sent < sizeof out ? (size_t)(total - sent) : sizeof out;
		fill(out, want, sent);
		ssize_t n = want ? strata_write(p->near, out, want) : 0;
		assert_true(n > 0 || n == -STRATA_E_AGAIN || want == 0);
		sent += n > 0 ? (uint64_t)n : 0;
		ssize_t r = strata_read(p->far, in, sizeof in);
		assert_true(r > 0 || r == -STRATA_E_AGAIN);
		check(in, r > 0 ? (size_t)r : 0, got);
		got += r > 0 ? (uint64_t)r : 0;
		if (n > 0 || r > 0)
			continue;
		struct strata_poll set[2] = {
			{ .stream = p->far, .events = STRATA_READABLE },
			{ .stream = p->near, .events = want ? STRATA_WRITABLE : 0 },
		};
		/* Both are in one world: whose net is asked does not matter for time. */
		assert_int_equal(strata_poll(p->server, set, 1, 60 * STRATA_SECOND), 1);
	}
}

static void test_megabytes(void **state)
{
	(void)state;
	const char *link[] = { "lab:lan", "lab:lan?delay=20ms&rate=50Mbit",
		"lab:lan?loss=2%&delay=5ms&seed=3" };
	for (unsigned i = 0; i < sizeof link / sizeof *link; i++) {
		struct pair p;
		open_pair(&p, link[i]);
		pump(&p, 4000000);
		strata_close(p.near);
		strata_close(p.far);
		close_pair(&p);
	}
}

/* The buffers fill up, and nobody reads: the writer is told that this will not change. */
static void test_nobody_reads(void **state)
{
	(void)state;
	struct pair p;
	static uint8_t block[100000], in[100000];
	uint64_t sent = 0, got = 0;
	const struct {
		int64_t limit;
		int end;
	} waits[] = { { 10 * STRATA_SECOND, STRATA_E_TIMEOUT },
		{ STRATA_FOREVER, STRATA_E_DEADLOCK } };
	open_pair(&p, "lab:lan");
	ssize_t n;
	for (unsigned i = 0; i < 2; i++) {
		strata_set_timeout(p.near, waits[i].limit);
		do {
			fill(block, sizeof block, sent);
			n = strata_write(p.near, block, sizeof block);
			sent += n > 0 ? (uint64_t)n : 0;
		} while (n > 0);
		assert_int_equal(n, -waits[i].end);
	}
	assert_int_equal(strata_shutdown(p.near), 0);
	while ((n = strata_read(p.far, in, sizeof in)) > 0) {
		check(in, (size_t)n, got);
		got += (uint64_t)n;
	}
	assert_int_equal(n, 0);
	assert_int_equal(got, sent);
	strata_close(p.near);
	strata_close(p.far);
	close_pair(&p);
}

static void test_failures(void **state)
{
	(void)state;
	struct pair p;
	char byte;
	open_pair(&p, "lab:lan");
	assert_null(strata_connect(p.client, "tcp://192.168.1.10:9", STRATA_FOREVER));
	assert_int_equal(strata_error(), STRATA_E_REFUSED);
	assert_non_null(strstr(strata_error_message(), "192.168.1.10"));
	assert_null(strata_connect(p.client, "tcp://192.168.1.77:9", STRATA_FOREVER));
	assert_int_equal(strata_error(), STRATA_E_HOST_UNREACHABLE);
	assert_null(strata_connect(p.client, "tcp://198.51.100.1:9", STRATA_FOREVER));
	assert_int_equal(strata_error(), STRATA_E_NO_ROUTE);
	assert_null(strata_connect(p.client, "tcp://no-such.example.test:9", STRATA_FOREVER));
	assert_int_equal(strata_error(), STRATA_E_NOT_FOUND);
	const char *bad[] = { "", "tcp", "tcp://", "tcp://:7", "tcp://192.0.2.1",
		"udp://192.0.2.1:7", "tcp://192.0.2.1:0", "tcp://192.0.2.1:x", "tcp://0.0.0.0:7" };
	for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++) {
		assert_null(strata_connect(p.client, bad[i], 0));
		assert_int_equal(strata_error(), STRATA_E_ARGUMENT);
	}
	assert_null(strata_listen(p.server, "tcp://:7"));
	assert_int_equal(strata_error(), STRATA_E_IN_USE);
	assert_null(strata_listen(p.server, "tcp://198.51.100.1:80"));
	assert_int_equal(strata_error(), STRATA_E_NO_ADDRESS);
	assert_null(strata_listen(p.server, "tcp://www.example.test:8000"));
	assert_int_equal(strata_error(), STRATA_E_ARGUMENT);
	/* A reset: by abort, and by a close with data that nobody read. */
	strata_stream_abort(p.far);
	assert_int_equal(strata_read(p.near, &byte, 1), -STRATA_E_RESET);
	assert_int_equal(strata_write(p.near, &byte, 1), -STRATA_E_RESET);
	strata_close(p.near);
	p.near = strata_connect(p.client, "tcp://192.168.1.10:7", STRATA_FOREVER);
	p.far = strata_accept(p.port);
	assert_int_equal(strata_write_all(p.near, "lost", 4), 0);
	assert_int_equal(strata_flush(p.near), 0);
	strata_close(p.far);
	assert_int_equal(strata_read(p.near, &byte, 1), -STRATA_E_RESET);
	assert_int_equal(strata_flush(p.near), -STRATA_E_RESET);
	strata_close(p.near);
	close_pair(&p);
}

static void test_ports(void **state)
{
	(void)state;
	struct pair p;
	open_pair(&p, "lab:lan");
	struct strata_listener *any = strata_listen(p.server, "tcp://:0");
	struct strata_listener *other = strata_listen(p.server, "tcp://192.168.1.10:0");
	struct strata_address a, b;
	assert_int_equal(strata_listener_address(any, &a), 0);
	assert_int_equal(strata_listener_address(other, &b), 0);
	assert_in_range(a.port, 49152, 65535);
	assert_int_not_equal(a.port, b.port);
	/* One family each on one port, and the peer finds the right one. */
	struct strata_listener *v4 = strata_listen(p.server, "tcp://0.0.0.0:8007");
	struct strata_listener *v6 = strata_listen(p.server, "tcp://[::]:8007");
	assert_true(any && other && v4 && v6);
	strata_set_timeout(v4, 0);
	struct strata_stream *s = strata_connect(
		p.client, "tcp://[2001:db8:1::10]:8007", STRATA_FOREVER);
	assert_non_null(s);
	assert_null(strata_accept(v4));
	struct strata_stream *t = strata_accept(v6);
	assert_non_null(t);
	close_pair(&p); /* what is open goes with the net */
}

/* By a name with addresses of both families, to a server that the lab brings. */
static void test_name(void **state)
{
	(void)state;
	struct strata *net = strata_open(&(struct strata_options){ .link = "lab:home" });
	struct strata_stream *s = strata_connect(
		net, "tcp://www.example.test:80", 10 * STRATA_SECOND);
	if (!s)
		fail_msg("%s", strata_error_message());
	static const char request[] = "GET / HTTP/1.1\r\nHost: www.example.test\r\n"
				      "Connection: close\r\n\r\n";
	char page[20000];
	assert_int_equal(strata_write_all(s, request, sizeof request - 1), 0);
	ssize_t n = strata_read_all(s, page, sizeof page);
	assert_true(n > 0);
	assert_memory_equal(page, "HTTP/1.1 200 OK\r\n", 17);
	/* Handshake, request and answer: at least the three times that light needs to get there and
	 * back (look-up, SYN, GET), 40 ms each. */
	assert_true(strata_now(net) >= 120 * STRATA_MILLISECOND);
	strata_close(s);
	strata_close(net);
}

/* RFC 9293 MUST-30, MUST-33: by the public calls, among other bytes. */
static void test_urgent(void **state)
{
	(void)state;
	struct pair p;
	open_pair(&p, "lab:lan");
	assert_int_equal(strata_urgent(p.far), 0);
	assert_int_equal(strata_write_all(p.near, "calm", 4), 0);
	assert_int_equal(strata_write_urgent(p.near, "hurry", 5), 5);
	assert_int_equal(strata_write_all(p.near, "calm", 4), 0);
	assert_int_equal(strata_flush(p.near), 0);
	struct strata_poll set = { .stream = p.far, .events = STRATA_URGENT };
	assert_int_equal(strata_poll(p.server, &set, 1, 0), 1);
	assert_int_equal(set.ready, STRATA_URGENT);
	char text[8];
	ssize_t urgent;
	while ((urgent = strata_urgent(p.far)) > 0)
		assert_int_equal(strata_read_all(p.far, text, 1), 1);
	assert_int_equal(urgent, 0);
	assert_int_equal(text[0], 'y');
	assert_int_equal(strata_read_all(p.far, text, 4), 4);
	assert_memory_equal(text, "calm", 4);
	assert_int_equal(strata_poll(p.server, &set, 1, 0), 0);
	assert_int_equal(strata_write_urgent(p.near, "", 0), 0);
	assert_int_equal(strata_write_urgent(NULL, "x", 1), -STRATA_E_ARGUMENT);
	assert_int_equal(strata_urgent(NULL), -STRATA_E_ARGUMENT);
	close_pair(&p);
}

/* Options reach the socket, are told again, and are inherited from the listener. */
static void test_options(void **state)
{
	(void)state;
	struct pair p;
	static const struct {
		enum strata_option option;
		int64_t good, bad;
	} stream[] = {
		{ STRATA_OPTION_NODELAY, 1, 2 },
		{ STRATA_OPTION_CORK, 1, -1 },
		{ STRATA_OPTION_KEEPALIVE, 1, 7 },
		{ STRATA_OPTION_KEEPALIVE_IDLE, 5 * STRATA_SECOND, -1 },
		{ STRATA_OPTION_KEEPALIVE_INTERVAL, STRATA_SECOND, -1 },
		{ STRATA_OPTION_KEEPALIVE_PROBES, 3, 1000 },
		{ STRATA_OPTION_USER_TIMEOUT, 20 * STRATA_SECOND, -1 },
		{ STRATA_OPTION_ADVERTISED_TIMEOUT, 300 * STRATA_SECOND, -1 },
		{ STRATA_OPTION_CONGESTION, 1, 99 },
		{ STRATA_OPTION_SEND_BUFFER, 32768, -1 },
		{ STRATA_OPTION_UNSENT_LOW_WATER, 4096, -1 },
		{ STRATA_OPTION_READ_LOW_WATER, 2, -1 },
		{ STRATA_OPTION_TRAFFIC_CLASS, 0xb8, 256 },
		{ STRATA_OPTION_HOP_LIMIT, 9, 256 },
	};
	open_pair(&p, "lab:lan");
	for (unsigned i = 0; i < sizeof stream / sizeof stream[0]; i++) {
		assert_int_equal(strata_stream_set(p.near, stream[i].option, stream[i].good), 0);
		assert_int_equal(strata_stream_get(p.near, stream[i].option), stream[i].good);
		assert_int_equal(strata_stream_set(p.near, stream[i].option, stream[i].bad),
			-STRATA_E_ARGUMENT);
		assert_int_equal(strata_stream_get(p.near, stream[i].option), stream[i].good);
	}
	static const int none[] = { 0, -1, STRATA_OPTION_FAST_OPEN,
		STRATA_OPTION_ADVERTISED_TIMEOUT + 1 };
	for (unsigned i = 0; i < sizeof none / sizeof none[0]; i++) {
		enum strata_option o = (enum strata_option)none[i];
		assert_int_equal(strata_stream_set(p.near, o, 1), -STRATA_E_ARGUMENT);
		assert_int_equal(strata_stream_get(p.near, o), -STRATA_E_ARGUMENT);
	}
	assert_int_equal(strata_stream_set(NULL, STRATA_OPTION_CORK, 1), -STRATA_E_ARGUMENT);
	assert_int_equal(strata_listener_set(p.port, STRATA_OPTION_USER_TIMEOUT, STRATA_SECOND), 0);
	struct strata_stream *near =
		strata_connect(p.client, "tcp://192.168.1.10:7", STRATA_SECOND);
	struct strata_stream *far = strata_accept(p.port);
	assert_int_equal(strata_stream_get(far, STRATA_OPTION_USER_TIMEOUT), STRATA_SECOND);
	strata_close(near);
	strata_close(far);
	/* Corked, a write waits for the rest of its segment; its own end is what lets it go. */
	char text[8];
	assert_int_equal(strata_stream_set(p.far, STRATA_OPTION_CORK, 1), 0);
	assert_int_equal(strata_write_all(p.far, "held", 4), 0);
	strata_set_timeout(p.near, STRATA_SECOND / 10);
	assert_int_equal(strata_read(p.near, text, sizeof text), -STRATA_E_TIMEOUT);
	assert_int_equal(strata_stream_set(p.far, STRATA_OPTION_CORK, 0), 0);
	assert_int_equal(strata_read(p.near, text, sizeof text), 4);
	strata_close(p.near);
	strata_close(p.far);
	close_pair(&p);
}

/* A question in the SYN, over 600 ms: the second time it is there half a round trip later. */
static void test_early(void **state)
{
	(void)state;
	struct strata *client = strata_open(&(struct strata_options){ .link = "lab:satellite" });
	assert_non_null(client);
	static const char ask[] = "GET /hello.txt HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
	for (unsigned i = 0; i < 3; i++) {
		int64_t began = strata_now(client);
		struct strata_stream *s = strata_connect_early(client, "tcp://203.0.113.1:80", ask,
			sizeof ask - 1, 10 * STRATA_SECOND);
		char answer[16];
		if (!s)
			fail_msg("%s", strata_error_message());
		bool waited = strata_now(client) != began;
		assert_int_equal(waited, i == 0); /* for a handshake that brought the cookie */
		assert_int_equal(strata_read_all(s, answer, 12), 12);
		assert_memory_equal(answer, "HTTP/1.1 200", 12);
		struct strata_stream_info info;
		assert_int_equal(strata_stream_info(s, &info), 0);
		assert_int_equal(info.early_sent, i > 0);
		assert_int_equal(info.early_taken, i > 0);
		int64_t rounds = (strata_now(client) - began) / (600 * STRATA_MILLISECOND);
		assert_int_equal(rounds, i ? 1 : 2);
		strata_close(s);
	}
	/* Nobody listens: the call that follows says so. */
	struct strata_stream *s = strata_connect_early(
		client, "tcp://203.0.113.1:81", ask, sizeof ask - 1, 10 * STRATA_SECOND);
	char byte;
	assert_non_null(s);
	assert_int_equal(strata_read(s, &byte, 1), -STRATA_E_REFUSED);
	strata_close(s);
	assert_null(strata_connect_early(client, "nonsense", ask, 1, STRATA_SECOND));
	assert_int_equal(strata_error(), STRATA_E_ARGUMENT);
	strata_close(client);
}

/* The same at both ends: a listener of ours takes what comes in a SYN, and answers at once. */
static void test_early_listener(void **state)
{
	(void)state;
	struct pair p;
	char text[8];
	open_pair(&p, "lab:lan?delay=10ms");
	assert_int_equal(strata_listener_set(p.port, STRATA_OPTION_FAST_OPEN, 4), 0);
	assert_int_equal(strata_listener_set(p.port, STRATA_OPTION_FAST_OPEN, -1),
		-STRATA_E_ARGUMENT);
	for (unsigned i = 0; i < 2; i++) {
		struct strata_stream_info n, f;
		struct strata_stream *near = strata_connect_early(
			p.client, "tcp://192.168.1.10:7", "early", 5, STRATA_SECOND);
		assert_non_null(near);
		struct strata_stream *far = strata_accept(p.port);
		assert_non_null(far);
		assert_int_equal(strata_read_all(far, text, 5), 5);
		assert_memory_equal(text, "early", 5);
		assert_int_equal(strata_stream_info(far, &f), 0);
		assert_int_equal(f.early_taken, i);
		assert_string_equal(f.state, i ? "SYN-RECEIVED" : "ESTABLISHED");
		assert_int_equal(strata_write_all(far, "answer", 6), 0);
		assert_int_equal(strata_read_all(near, text, 6), 6);
		assert_int_equal(strata_stream_info(near, &n), 0);
		assert_int_equal(n.early_sent, i);
		assert_int_equal(n.early_taken, i);
		strata_close(near);
		strata_close(far);
	}
	strata_close(p.near);
	strata_close(p.far);
	close_pair(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_talk),
		cmocka_unit_test(test_info),
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_early),
		cmocka_unit_test(test_early_listener),
		cmocka_unit_test(test_megabytes),
		cmocka_unit_test(test_nobody_reads),
		cmocka_unit_test(test_failures),
		cmocka_unit_test(test_ports),
		cmocka_unit_test(test_urgent),
		cmocka_unit_test(test_name),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
