/*
 * Layers 1 to 3 put together as the stack does it, over links that record what
 * they are given, in virtual time: one machine, 192.0.2.1 and 2001:db8::1, with a
 * second link (198.51.100.1, 2001:db8:2::1). Only neighbours have timers here.
 */
#ifndef TESTS_UNIT_TRANSPORT_FAKE_HOST_H
#define TESTS_UNIT_TRANSPORT_FAKE_HOST_H

#include "unit/internet/fake_net.h"

#include "transport/datagram.h"
#include "wire/udp.h"

struct fake_host {
	struct net *n;
	struct fake *f;
	struct transport t;
	uint8_t *memory;
};

static enum proto host_receive(struct fake *f, struct rx *rx, enum proto next)
{
	struct fake_host *h = f->upper;
	transport_set_time(&h->t, f->now);
	next = internet_receive(&h->n->in, rx, next);
	if (next != PROTO_NONE)
		transport_receive(&h->t, rx, next);
	return PROTO_NONE;
}

static unsigned host_transmit(struct fake *f, unsigned budget)
{
	struct fake_host *h = f->upper;
	struct rx rx;
	transport_set_time(&h->t, f->now);
	while (internet_returned(&h->n->in, &rx, f->now)) {
		transport_returned(&h->t, &rx);
		access_drop_returned(&f->access, f->now);
	}
	unsigned sent = internet_transmit(&h->n->in, budget, f->now);
	return sent + transport_transmit(&h->t, budget - sent);
}

static inline void host_config(struct transport_config *c)
{
	transport_config_default(c);
	c->sockets = 64;
	c->connections = c->flights = c->embryos = c->time_waits = 64;
	c->sent_ranges = 64;
	c->blocks = 256;
	c->big_blocks = 2;
	c->datagram_queue = 8;
	c->backlog_max = 8;
}

/* `c` may be NULL. */
static inline struct fake_host *host_open(const struct transport_config *c)
{
	static const uint8_t secret[16] = "sixteen of bytes";
	struct transport_config plain;
	host_config(&plain);
	c = c ? c : &plain;
	assert_null(transport_config_check(c));
	struct fake_host *h = calloc(1, sizeof *h);
	assert_non_null(h);
	h->n = net_open_router();
	h->f = h->n->f;
	struct arena measure = { .size = SIZE_MAX };
	transport_init(&h->t, &h->f->core, &h->n->in, c, secret, &measure, h->f->now);
	struct arena arena = { .size = measure.used + 64 };
	h->memory = aligned_alloc(64, (arena.size + 63) / 64 * 64);
	assert_non_null(h->memory);
	arena.at = h->memory;
	assert_true(transport_init(&h->t, &h->f->core, &h->n->in, c, secret, &arena, h->f->now));
	h->f->upper = h;
	h->f->receive = host_receive;
	h->f->transmit = host_transmit;
	return h;
}

static inline void host_close(struct fake_host *h)
{
	free(h->memory);
	net_close(h->n);
	free(h);
}

/* This owner's events since it was last asked. */
static inline unsigned host_events(struct fake_host *h, uint32_t sock)
{
	unsigned events, mine = 0;
	uint32_t n;
	while ((n = notify_next(&h->t.notify, &events)))
		if (n == sock)
			mine |= events;
	return mine;
}

#endif
