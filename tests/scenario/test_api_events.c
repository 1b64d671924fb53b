/*
 * Many handles at once: levels of a set, edges of a net, and a server for
 * hundreds of connections in one thread.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "strata/strata.h"

#define CLIENTS 300

struct bed {
	struct strata *client, *server;
	struct strata_listener *port;
};

static void open_bed(struct bed *b)
{
	b->client = strata_open(&(struct strata_options){ .link = "lab:lan?delay=1ms" });
	b->server = strata_open(
		&(struct strata_options){ .beside = b->client, .machine = "server" });
	b->port = strata_listen(b->server, "tcp://:7");
	if (!b->port)
		fail_msg("%s", strata_error_message());
}

static void close_bed(struct bed *b)
{
	strata_close(b->client);
	strata_close(b->server);
}

static struct strata_event next(struct strata *net, int64_t timeout)
{
	struct strata_event e;
	assert_int_equal(strata_next_event(net, &e, timeout), 1);
	return e;
}

static void test_levels(void **state)
{
	(void)state;
	struct bed b;
	open_bed(&b);
	struct strata_poll set[3] = { { .listener = b.port, .events = STRATA_READABLE } };
	assert_int_equal(strata_poll(b.server, set, 1, 0), 0);
	int64_t start = strata_now(b.server);
	assert_int_equal(strata_poll(b.server, set, 1, STRATA_SECOND), 0);
	assert_int_equal(strata_now(b.server), start + STRATA_SECOND);
	struct strata_stream *near = strata_connect_start(b.client, "tcp://192.168.1.10:7");
	assert_int_equal(strata_poll(b.server, set, 1, STRATA_FOREVER), 1);
	assert_int_equal(set[0].ready, STRATA_READABLE);
	struct strata_stream *far = strata_accept(b.port);
	assert_int_equal(strata_poll(b.server, set, 1, 0), 0);
	set[1] = (struct strata_poll){ .stream = far, .events = STRATA_READABLE | STRATA_WRITABLE };
	assert_int_equal(strata_poll(b.server, set, 2, STRATA_FOREVER), 1);
	assert_int_equal(set[1].ready, STRATA_WRITABLE);
	set[1].events = STRATA_READABLE | STRATA_PEER_CLOSED;
	assert_int_equal(strata_write_all(near, "x", 1), 0);
	assert_int_equal(strata_shutdown(near), 0);
	assert_int_equal(strata_poll(b.server, set, 2, STRATA_FOREVER), 1);
	assert_true(set[1].ready & STRATA_READABLE);
	char byte;
	assert_int_equal(strata_read(far, &byte, 1), 1);
	assert_int_equal(strata_read(far, &byte, 1), 0);
	assert_int_equal(strata_poll(b.server, set, 2, STRATA_FOREVER), 1);
	assert_true(set[1].ready & STRATA_PEER_CLOSED);
	/* A handle of another net, and none at all. */
	assert_int_equal(strata_poll(b.client, set, 2, 0), -STRATA_E_ARGUMENT);
	assert_int_equal(strata_poll(b.server, set, 3, 0), -STRATA_E_ARGUMENT);
	close_bed(&b);
}

static void test_edges(void **state)
{
	(void)state;
	struct bed b;
	char text[8];
	int mark;
	open_bed(&b);
	assert_int_equal(strata_listener_watch(b.port, &mark), 0);
	struct strata_stream *near = strata_connect_start(b.client, "tcp://192.168.1.10:7");
	assert_int_equal(strata_stream_watch(near, near), 0);
	struct strata_event e = next(b.server, STRATA_FOREVER);
	assert_ptr_equal(e.listener, b.port);
	assert_ptr_equal(e.user, &mark);
	assert_true(e.events & STRATA_READABLE);
	struct strata_stream *far = strata_accept(b.port);
	strata_set_timeout(far, 0);
	e = next(b.client, STRATA_FOREVER);
	assert_ptr_equal(e.stream, near);
	assert_ptr_equal(e.user, near);
	assert_true(e.events & STRATA_CONNECTED);
	/* What could be done at once is told first. */
	assert_int_equal(strata_write_all(near, "abc", 3), 0);
	strata_flush(near);
	assert_int_equal(strata_stream_watch(far, NULL), 0);
	e = next(b.server, 0);
	assert_ptr_equal(e.stream, far);
	assert_true(e.events & STRATA_READABLE);
	assert_int_equal(strata_next_event(b.server, &e, STRATA_SECOND), 0);
	assert_int_equal(strata_read(far, text, sizeof text), 3);
	assert_int_equal(strata_read(far, text, sizeof text), -STRATA_E_AGAIN);
	strata_stream_abort(near);
	e = next(b.server, STRATA_FOREVER);
	assert_true(e.events & STRATA_ERROR);
	assert_int_equal(strata_read(far, text, sizeof text), -STRATA_E_RESET);
	strata_close(far);
	assert_int_equal(strata_next_event(b.server, &e, 0), 0);
	close_bed(&b);
}

static void test_refused(void **state)
{
	(void)state;
	struct bed b;
	open_bed(&b);
	struct strata_stream *s = strata_connect_start(b.client, "tcp://192.168.1.10:9");
	struct strata_poll set = { .stream = s, .events = STRATA_CONNECTED };
	assert_int_equal(strata_poll(b.client, &set, 1, STRATA_FOREVER), 1);
	assert_int_equal(set.ready, STRATA_ERROR);
	assert_int_equal(strata_write(s, "x", 1), -STRATA_E_REFUSED);
	strata_close(s);
	assert_null(strata_connect_start(b.client, "tcp://www.example.test:80"));
	assert_int_equal(strata_error(), STRATA_E_ARGUMENT);
	close_bed(&b);
}

/* One echo server for all: edges in, work until AGAIN, wait for the next. */
static void serve_event(struct strata_event *e, struct strata_listener *port, unsigned *closed)
{
	char buf[512];
	if (e->listener) {
		for (struct strata_stream *s; (s = strata_accept(port));) {
			strata_set_timeout(s, 0);
			strata_stream_watch(s, NULL);
		}
		assert_int_equal(strata_error(), STRATA_E_AGAIN);
		return;
	}
	ssize_t n;
	while ((n = strata_read(e->stream, buf, sizeof buf)) > 0)
		assert_int_equal(strata_write(e->stream, buf, (size_t)n), n);
	if (n == -STRATA_E_AGAIN)
		return;
	assert_int_equal(n, 0);
	strata_close(e->stream);
	++*closed;
}

static void test_hundreds(void **state)
{
	(void)state;
	struct bed b;
	struct strata_stream *s[CLIENTS];
	char text[32], back[32];
	unsigned closed = 0;
	open_bed(&b);
	strata_set_timeout(b.port, 0);
	strata_listener_watch(b.port, NULL);
	for (unsigned i = 0; i < CLIENTS; i++) {
		s[i] = strata_connect_start(b.client, "tcp://192.168.1.10:7");
		if (!s[i])
			fail_msg("connection %u: %s", i, strata_error_message());
		strata_stream_watch(s[i], (void *)(uintptr_t)i);
	}
	unsigned connected = 0, answered = 0;
	struct strata_event e;
	while (closed < CLIENTS) {
		int got = strata_next_event(b.client, &e, STRATA_MILLISECOND);
		if (got == 1 && e.events & STRATA_CONNECTED) {
			size_t len = (size_t)snprintf(
				text, sizeof text, "client %u", (unsigned)(uintptr_t)e.user);
			assert_int_equal(strata_write_all(e.stream, text, len), 0);
			assert_int_equal(strata_shutdown(e.stream), 0);
			connected++;
		}
		while (strata_next_event(b.server, &e, 0) == 1)
			serve_event(&e, b.port, &closed);
		assert_true(strata_now(b.client) < 60 * STRATA_SECOND);
	}
	assert_int_equal(connected, CLIENTS);
	for (unsigned i = 0; i < CLIENTS; i++, answered++) {
		size_t len = (size_t)snprintf(text, sizeof text, "client %u", i);
		assert_int_equal(strata_read_all(s[i], back, sizeof back), len);
		assert_memory_equal(back, text, len);
		strata_close(s[i]);
	}
	close_bed(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_levels),
		cmocka_unit_test(test_edges),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_hundreds),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
