/*
 * Two machines on one wire, in virtual time: for tests of applications. Each has
 * a stack and a list of applications; frames take `delay` to the other side, or
 * are lost where `lose` says so. Everything is deterministic: the same test does
 * the same thing to the nanosecond.
 *
 * Header only, so that tests of a layer need not link the layers above it. A
 * test may also act as an application itself: duo_use(host) gives a host's
 * stack with its clock set, for calls of sockets; duo_run moves the world on.
 */
#ifndef STRATA_TESTS_DUO_H
#define STRATA_TESTS_DUO_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#ifndef DUO_WITHOUT_CMOCKA
#include <cmocka.h>
#else /* fuzz targets: what breaks, aborts */
#define assert_true(c)         (!(c) ? abort() : (void)0)
#define assert_non_null(p)     assert_true((p) != NULL)
#define assert_int_equal(a, b) assert_true((a) == (b))
#define fail_msg(format, ...)  (fprintf(stderr, format "\n", __VA_ARGS__), abort())
#endif

#include "base/arena.h"
#include "socket/app.h"

#define DUO_MTU 1500

struct duo;

struct duo_frame {
	struct duo_frame *next;
	nanotime at;
	unsigned to;
	size_t len;
	uint8_t bytes[];
};

struct duo_host {
	struct duo *duo;
	unsigned index;
	struct stack *stack;
	struct netif *nif;
	void *memory;
	struct arena arena; /* for applications */
	struct list apps;
};

struct duo {
	nanotime now;
	nanodiff delay;
	bool (*lose)(struct duo *d, unsigned to, struct span frame); /* may be NULL */
	void *user;
	uint64_t frames;
	struct duo_host host[2];
	struct duo_frame *first, **last;
};

#ifndef DUO_ARENA
#define DUO_ARENA (16u << 20)
#endif

static const struct mac duo_mac[2] = { { { 2, 0, 0, 0, 0, 1 } }, { { 2, 0, 0, 0, 0, 2 } } };

static inline struct addr address(const char *text)
{
	struct addr a = ADDR_ANY;
	size_t len = 0;
	while (text[len])
		len++;
	assert_true(addr_parse(span_of(text, len), &a));
	return a;
}

static inline struct span text_span_of(const char *text)
{
	size_t len = 0;
	while (text[len])
		len++;
	return span_of(text, len);
}

static bool duo_transmit(void *link, struct netif *nif, const struct tx_frame *f, nanotime now)
{
	struct duo_host *h = link;
	struct duo *d = h->duo;
	size_t len = frame_len(f);
	struct duo_frame *copy = malloc(sizeof *copy + len);

	(void)nif;
	assert_non_null(copy);
	frame_copy(f, copy->bytes, len);
	*copy = (struct duo_frame){ .at = now + d->delay, .to = !h->index, .len = len };
	d->frames++;
	if (d->lose && d->lose(d, copy->to, span_of(copy->bytes, len))) {
		free(copy);
		return true;
	}
	*d->last = copy;
	d->last = &copy->next;
	return true;
}

static const struct link_ops duo_link = { .name = "duo", .transmit = duo_transmit };

/* The memory of a stack, or (`arena`) of its applications. A fuzz target keeps it from one input to
 * the next: a fresh mapping costs more than all that happens in it. */
static void *duo_memory(unsigned host, bool arena, size_t size)
{
#ifdef DUO_KEEP_MEMORY
	static void *kept[2][2];
	void **slot = &kept[host][arena];
	if (!*slot)
		*slot = aligned_alloc(64, (size + 63) / 64 * 64);
	assert_non_null(*slot);
	return *slot;
#else
	(void)host;
	(void)arena;
	void *memory = aligned_alloc(64, (size + 63) / 64 * 64);
	assert_non_null(memory);
	return memory;
#endif
}

static void duo_host_open(struct duo *d, unsigned i, const struct stack_config *base, bool six)
{
	static const char *const four_text[2] = { "192.0.2.1", "192.0.2.2" };
	static const char *const six_text[2] = { "2001:db8::1", "2001:db8::2" };
	struct duo_host *h = &d->host[i];
	struct stack_config c = *base;
	const char *why = NULL;

	h->duo = d;
	h->index = i;
	list_init(&h->apps);
	memset(c.secret, (int)(0x40 + i), sizeof c.secret);
	c.secret[0] = 1; /* one byte over and over is no secret */
	size_t size = stack_memory(&c);
	h->memory = duo_memory(i, false, size);
	h->stack = stack_create(&c, h->memory, size, d->now, &why);
	if (!h->stack)
		fail_msg("%s", why);
	struct netif_config nc = {
		.name = "eth0", .mac = duo_mac[i], .mtu = DUO_MTU, .ops = &duo_link, .link = h
	};
	h->nif = stack_add_netif(h->stack, &nc, &why);
	assert_non_null(h->nif);
	struct addr four = address(four_text[i]), wide = address(six_text[i]);
	assert_int_equal(stack_add_address(h->stack, h->nif, &four, 24), ERR_OK);
	if (six)
		assert_int_equal(stack_add_address(h->stack, h->nif, &wide, 64), ERR_OK);
	h->arena = (struct arena){ .at = duo_memory(i, true, DUO_ARENA), .size = DUO_ARENA };
}

/* A stack for a few connections, so that a thousand tests fit into memory. */
static inline struct stack_config duo_config(void)
{
	struct stack_config c;
	stack_config_default(&c);
	c.transport.sockets = 512;
	c.transport.connections = c.transport.flights = 512;
	c.transport.embryos = c.transport.time_waits = 256;
	c.transport.sent_ranges = 4096;
	c.transport.blocks = 2048;
	c.transport.big_blocks = 16;
	c.transport.backlog_max = 256;
	c.transport.send_buffer = c.transport.receive_buffer = 32 * 1024;
	return c;
}

static inline void duo_open_with(
	struct duo *d, const struct stack_config *a, const struct stack_config *b, bool six)
{
	*d = (struct duo){ .now = NANO_S, .delay = NANO_MS };
	d->last = &d->first;
	duo_host_open(d, 0, a, six);
	duo_host_open(d, 1, b, six);
}

static inline void duo_open(struct duo *d)
{
	struct stack_config c = duo_config();
	duo_open_with(d, &c, &c, true);
}

static inline void duo_close(struct duo *d)
{
	for (struct duo_frame *f = d->first, *next; f; f = next) {
		next = f->next;
		free(f);
	}
#ifndef DUO_KEEP_MEMORY
	for (unsigned i = 0; i < 2; i++) {
		free(d->host[i].memory);
		free(d->host[i].arena.at);
	}
#endif
}

static inline void duo_add(struct duo_host *h, struct app *a)
{
	list_push_back(&h->apps, &a->link);
}

static inline struct stack *duo_use(struct duo_host *h)
{
	stack_set_time(h->stack, h->duo->now);
	return h->stack;
}

static void duo_deliver(struct duo *d)
{
	while (d->first && d->first->at <= d->now) {
		struct duo_frame *f = d->first;
		struct duo_host *to = &d->host[f->to];
		struct rx_frame rx = rx_frame_of(f->bytes, f->len);
		d->first = f->next;
		if (!d->first)
			d->last = &d->first;
		stack_receive(to->stack, to->nif, &rx, d->now);
		free(f);
	}
}

static nanotime duo_step(struct duo *d)
{
	nanotime next = NANOTIME_NEVER;

	duo_deliver(d);
	for (unsigned i = 0; i < 2; i++) {
		struct duo_host *h = &d->host[i];
		uint32_t news;
		stack_timers(h->stack, d->now);
		do { /* what transmit reports is news for applications, too */
			list_each_safe(pos, &h->apps)
			{
				struct app *a = list_entry(pos, struct app, link);
				a->run(a, duo_use(h), d->now);
			}
			news = stack_news(h->stack);
			while (stack_transmit(h->stack, d->now, 64) > 0)
				;
		} while (stack_news(h->stack) > news);
	}
	for (unsigned i = 0; i < 2; i++) {
		struct duo_host *h = &d->host[i];
		next = nanotime_min(next, stack_next_deadline(h->stack));
		list_each(pos, &h->apps)
		{
			const struct app *a = list_entry(pos, struct app, link);
			if (a->deadline)
				next = nanotime_min(next, a->deadline(a));
		}
	}
	return d->first ? nanotime_min(next, d->first->at) : next;
}

/* Runs until `done(user)`, at most for `limit`. Was it done? */
static inline bool duo_run(struct duo *d, nanodiff limit, bool (*done)(void *user), void *user)
{
	nanotime end = d->now + limit;
	unsigned spins = 0;

	for (;;) {
		nanotime next = duo_step(d);
		if (done && done(user))
			return true;
		if (next > end) {
			d->now = end;
			return false;
		}
		if (next > d->now)
			spins = 0;
		else if (++spins > 10000)
			fail_msg("%s", "an application asks to run for ever at the same time");
		d->now = next > d->now ? next : d->now;
	}
}

/* Lets time pass. */
static inline void duo_pass(struct duo *d, nanodiff time)
{
	duo_run(d, time, NULL, NULL);
}

#endif
