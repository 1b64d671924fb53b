/*
 * Two hosts, each at the other's end of the wire, in virtual time: what one sends the
 * other receives after a fixed delay of 5 ms. `twins_run` lets time pass for both.
 */
#ifndef TESTS_UNIT_POSIX_TWINS_H
#define TESTS_UNIT_POSIX_TWINS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "posix/posix.h"

#define TWINS_DELAY (5 * NANO_MS)
#define TWINS_WIRE  512

struct twins_packet {
	nanotime due;
	unsigned to;
	size_t len;
	uint8_t bytes[1600];
};

struct twins {
	struct posix *host[2];
	void *memory[2];
	struct twins_packet wire[TWINS_WIRE];
	unsigned count;
	bool cut; /* nothing arrives */
};

static inline struct addr twins_addr(const char *text)
{
	struct addr a;
	size_t n = 0;
	while (text[n])
		n++;
	assert_true(addr_parse(span_of(text, n), &a));
	return a;
}

static inline struct twins *twins_open(void)
{
	struct twins *t = calloc(1, sizeof *t);
	assert_non_null(t);
	for (unsigned i = 0; i < 2; i++) {
		struct posix_config c;
		posix_config_default(&c);
		c.local4 = twins_addr(i ? "192.0.2.2" : "192.0.2.1");
		c.local6 = twins_addr(i ? "2001:db8::2" : "2001:db8::1");
		c.prefix4 = 24;
		c.prefix6 = 64;
		c.start = 1000 * NANO_S;
		c.secret[0] = (uint8_t)(i + 1);
		size_t size = posix_memory(&c);
		t->memory[i] = aligned_alloc(64, (size + 63) & ~(size_t)63);
		assert_non_null(t->memory[i]);
		const char *why;
		t->host[i] = posix_create(&c, t->memory[i], size, &why);
		if (!t->host[i])
			fail_msg("%s", why);
	}
	return t;
}

static inline void twins_close(struct twins *t)
{
	free(t->memory[0]);
	free(t->memory[1]);
	free(t);
}

/* What was sent goes on the wire. */
static inline void twins_collect(struct twins *t)
{
	for (unsigned i = 0; i < 2; i++) {
		while (posix_has_sent(t->host[i])) {
			assert_true(t->count < TWINS_WIRE);
			struct twins_packet *w = &t->wire[t->count];
			nanotime when;
			w->len = posix_transmit(t->host[i], w->bytes, sizeof w->bytes, &when, NULL);
			w->due = when + TWINS_DELAY;
			w->to = !i;
			t->count += !t->cut;
		}
	}
}

static inline void twins_deliver(struct twins *t)
{
	for (unsigned i = 0; i < t->count;) {
		struct twins_packet *w = &t->wire[i];
		if (w->due > posix_now(t->host[w->to])) {
			i++;
			continue;
		}
		struct twins_packet now = *w;
		for (unsigned k = i + 1; k < t->count; k++)
			t->wire[k - 1] = t->wire[k];
		t->count--;
		assert_int_equal(posix_receive(t->host[now.to], now.bytes, now.len), 0);
	}
}

static inline void twins_step(struct twins *t, nanotime until)
{
	nanotime next = until;
	for (unsigned i = 0; i < 2; i++)
		next = nanotime_min(next, posix_next(t->host[i]));
	for (unsigned i = 0; i < t->count; i++)
		next = nanotime_min(next, t->wire[i].due);
	for (unsigned i = 0; i < 2; i++)
		while (!posix_advance(t->host[i], next))
			;
	twins_deliver(t);
	twins_collect(t);
}

static inline void twins_run(struct twins *t, nanodiff how_long)
{
	twins_collect(t);
	nanotime until = posix_now(t->host[0]) + how_long;
	while (posix_now(t->host[0]) < until)
		twins_step(t, until);
}

/* Runs until a call that waits has its result, at most ten minutes. */
static inline int64_t twins_finish(
	struct twins *t, unsigned host, struct posix_call *call, int64_t result)
{
	nanotime until = posix_now(t->host[host]) + 600 * NANO_S;
	twins_collect(t);
	while (result == POSIX_WAIT && posix_now(t->host[host]) < until) {
		twins_step(t, until);
		result = posix_retry(t->host[host], call);
	}
	return result;
}

static inline void twins_sockaddr(struct linux_sockaddr_in *a, unsigned host, uint16_t port)
{
	*a = (struct linux_sockaddr_in){ .family = LINUX_AF_INET,
		.port = { (uint8_t)(port >> 8), (uint8_t)port },
		.address = { 192, 0, 2, (uint8_t)(1 + host) } };
}

static inline int twins_socket(struct twins *t, unsigned host)
{
	int64_t fd = posix_socket(t->host[host], LINUX_AF_INET, LINUX_SOCK_STREAM, 0);
	assert_true(fd >= 0);
	return (int)fd;
}

static inline int twins_listener(struct twins *t, unsigned host, uint16_t port)
{
	int fd = twins_socket(t, host);
	struct linux_sockaddr_in a;
	twins_sockaddr(&a, host, port);
	assert_int_equal(posix_bind(t->host[host], fd, &a, sizeof a), 0);
	assert_int_equal(posix_listen(t->host[host], fd, 5), 0);
	return fd;
}

/* Host 0 connects to a listener of host 1. */
static inline void twins_pair(struct twins *t, int *client, int *server)
{
	int l = twins_listener(t, 1, 80);
	struct linux_sockaddr_in a;
	twins_sockaddr(&a, 1, 80);
	struct posix_call c;
	*client = twins_socket(t, 0);
	int64_t r = posix_connect(t->host[0], &c, *client, &a, sizeof a);
	assert_int_equal(r, POSIX_WAIT);
	assert_int_equal(twins_finish(t, 0, &c, r), 0);
	twins_run(t, 20 * NANO_MS);
	int64_t fd = posix_accept(t->host[1], NULL, l, NULL, NULL);
	assert_true(fd > 0);
	*server = (int)fd;
	assert_int_equal(posix_close(t->host[1], NULL, l), 0);
}

static inline void twins_end(struct twins *t, int client, int server)
{
	assert_int_equal(posix_close(t->host[0], NULL, client), 0);
	assert_int_equal(posix_close(t->host[1], NULL, server), 0);
	twins_run(t, 100 * NANO_S);
	assert_int_equal(sock_unfinished(posix_stack(t->host[0])), 0);
	assert_int_equal(sock_unfinished(posix_stack(t->host[1])), 0);
	twins_close(t);
}

#endif
