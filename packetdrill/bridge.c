/*
 * Time here is the host's own and moves only while the owning thread is inside usleep or
 * netdev_receive (or waits itself, and nobody else could move it). A blocking call of
 * the other thread sleeps on a condition variable. After each step of the clock and
 * each datagram the sleepers are tried; one that can go on is woken, and the clock
 * stands still until its thread has asked for the time, so that it sees the moment at
 * which it woke.
 */
#define _GNU_SOURCE
#include "packetdrill/bridge.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define EPOCH       (1000000000 * NANO_S) /* a date, so that nothing is before 1970 */
#define DESCRIPTORS (1 << 20) /* ours before they get a real one's number: out of the way */
#define PATIENCE_S  2 /* a thread that never asks for the time does not stop the clock for ever */

static void refuse(const char *what, const char *why)
{
	fprintf(stderr, "libstrata-packetdrill: %s: %s\n", what, why);
	exit(2);
}

static void parse_prefix(const char *flag, const char *text, bool v6, struct addr *a, uint8_t *len)
{
	unsigned prefix;
	if (!addr_parse_prefix(span_of(text, strlen(text)), a, &prefix) || addr_is4(a) == v6)
		refuse(flag, v6 ? "write ipv6=2001:db8::1/64" : "write ipv4=192.0.2.1/24");
	*len = (uint8_t)prefix;
}

static void parse_mtu(const char *flag, const char *text, struct posix_config *c)
{
	char *end;
	unsigned long mtu = strtoul(text, &end, 10);
	if (*end || mtu < 576 || mtu > 65535)
		refuse(flag, "the MTU must be 576 .. 65535");
	c->mtu = (uint16_t)mtu;
}

static void parse_flag(struct bridge *b, struct posix_config *c, const char *flag)
{
	const char *equals = strchr(flag, '=');
	size_t name = equals ? (size_t)(equals - flag) : strlen(flag);
	const char *value = equals ? equals + 1 : "";
	if (name == 4 && memcmp(flag, "ipv4", 4) == 0) {
		parse_prefix(flag, value, false, &c->local4, &c->prefix4);
	} else if (name == 4 && memcmp(flag, "ipv6", 4) == 0) {
		parse_prefix(flag, value, true, &c->local6, &c->prefix6);
	} else if (name == 7 && memcmp(flag, "gateway", 7) == 0) {
		if (!addr_parse(span_of(value, strlen(value)), &c->gateway))
			refuse(flag, "write gateway=192.0.2.254");
	} else if (name == 7 && memcmp(flag, "control", 7) == 0) {
		if (!*value || strlen(value) >= sizeof b->control)
			refuse(flag, "write control=FILE, at most 255 bytes");
		memcpy(b->control, value, strlen(value) + 1);
	} else if (name == 7 && memcmp(flag, "profile", 7) == 0) {
		if (strcmp(value, "linux") != 0)
			refuse(flag, "the only profile is linux");
	} else if (name == 3 && memcmp(flag, "mtu", 3) == 0) {
		parse_mtu(flag, value, c);
	} else {
		refuse(flag, "flags are ipv4= ipv6= gateway= control= profile= mtu=");
	}
}

static void parse_flags(struct bridge *b, struct posix_config *c, const char *flags)
{
	char flag[320];
	while (flags && *flags) {
		size_t len = strcspn(flags, ",");
		if (len >= sizeof flag)
			refuse(flags, "a flag is too long");
		memcpy(flag, flags, len);
		flag[len] = '\0';
		if (len)
			parse_flag(b, c, flag);
		flags += len + (flags[len] == ',');
	}
}

struct bridge *bridge_open(const char *flags)
{
	struct bridge *b = calloc(1, sizeof *b);
	if (!b)
		refuse("memory", "there is none");
	struct posix_config c;
	posix_config_default(&c);
	c.first_descriptor = DESCRIPTORS;
	c.start = EPOCH;
	memcpy(c.secret, "the same secret, the same run ..", sizeof c.secret);
	parse_flags(b, &c, flags);
	b->memory_size = posix_memory(&c);
	b->memory = mmap(
		NULL, b->memory_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (b->memory == MAP_FAILED)
		refuse("memory", "the system has not enough");
	const char *why;
	b->posix = posix_create(&c, b->memory, b->memory_size, &why);
	if (!b->posix)
		refuse(flags ? flags : "no flags", why);
	pthread_mutex_init(&b->lock, NULL);
	pthread_condattr_t monotonic;
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&b->changed, &monotonic);
	b->owner = pthread_self();
	return b;
}

void bridge_close(struct bridge *b)
{
	munmap(b->memory, b->memory_size);
	free(b);
}

/* Settings that the file names hold from now on; one that was not read yet changes nothing. */
static void read_control(struct bridge *b)
{
	char text[CONTROL_MAX];
	int fd = b->control[0] ? open(b->control, O_RDONLY | O_CLOEXEC) : -1;
	if (fd < 0)
		return;
	ssize_t got = read(fd, text, sizeof text);
	close(fd);
	if (got < 0 || ((size_t)got == b->last_len && memcmp(text, b->last, (size_t)got) == 0))
		return;
	b->last_len = (size_t)got;
	memcpy(b->last, text, b->last_len);
	for (size_t at = 0; at < b->last_len;) {
		const char *end = memchr(text + at, '\n', b->last_len - at);
		size_t len = end ? (size_t)(end - text) - at : b->last_len - at;
		posix_sysctl_line(b->posix, text + at, len);
		at += len + 1;
	}
}

void bridge_enter(struct bridge *b)
{
	pthread_mutex_lock(&b->lock);
	read_control(b);
}

void bridge_leave(struct bridge *b)
{
	bridge_settle(b);
	pthread_mutex_unlock(&b->lock);
}

void bridge_release(struct bridge *b)
{
	if (b->held && pthread_equal(b->held_for, pthread_self())) {
		b->held = 0;
		pthread_cond_broadcast(&b->changed);
	}
}

void bridge_settle(struct bridge *b)
{
	for (struct sleeper *s = b->sleepers; s; s = s->next) {
		if (s->result != POSIX_WAIT)
			continue;
		s->result = posix_retry(b->posix, &s->call);
		if (s->result == POSIX_WAIT)
			continue;
		b->held = 1;
		b->held_for = s->thread;
		pthread_cond_broadcast(&b->changed);
	}
}

/* Until the thread that was woken has asked for the time. */
static void stand_still(struct bridge *b)
{
	struct timespec limit;
	clock_gettime(CLOCK_MONOTONIC, &limit);
	limit.tv_sec += PATIENCE_S;
	while (b->held && !pthread_equal(b->held_for, pthread_self()))
		if (pthread_cond_timedwait(&b->changed, &b->lock, &limit) != 0)
			b->held = 0;
}

void bridge_run(struct bridge *b, nanotime until, bool stop_at_datagram)
{
	for (bool there = false; !there;) {
		bridge_settle(b);
		stand_still(b);
		if (stop_at_datagram && posix_has_sent(b->posix))
			return;
		there = posix_advance(b->posix, until);
	}
	bridge_settle(b);
	stand_still(b);
}

/* The owner itself waits: it moves the clock, for nobody else does. */
static int64_t wait_alone(struct bridge *b, struct posix_call *call)
{
	for (;;) {
		nanotime next = posix_next(b->posix);
		if (next == NANOTIME_NEVER) { /* nothing can ever happen */
			posix_cancel(b->posix, call);
			return -LINUX_EINTR;
		}
		posix_advance(b->posix, next);
		int64_t result = posix_retry(b->posix, call);
		bridge_settle(b);
		if (result != POSIX_WAIT)
			return result;
	}
}

int64_t bridge_wait(struct bridge *b, struct posix_call *call, int64_t result)
{
	if (result != POSIX_WAIT)
		return result;
	if (pthread_equal(b->owner, pthread_self()))
		return wait_alone(b, call);
	struct sleeper *s = (struct sleeper *)((char *)call - offsetof(struct sleeper, call));
	s->thread = pthread_self();
	s->result = POSIX_WAIT;
	s->next = b->sleepers;
	b->sleepers = s;
	while (s->result == POSIX_WAIT)
		pthread_cond_wait(&b->changed, &b->lock);
	for (struct sleeper **at = &b->sleepers; *at; at = &(*at)->next) {
		if (*at == s) {
			*at = s->next;
			break;
		}
	}
	return s->result;
}
