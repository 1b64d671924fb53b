/*
 * A stack of layer 1 (and what a test puts upon it) over links that record what
 * they are given, in virtual time. One `struct fake` is one machine; frames go in
 * with fake_receive, which keeps the counters as the stack does: each frame has
 * exactly one fate.
 */
#ifndef TESTS_UNIT_ACCESS_FAKE_LINK_H
#define TESTS_UNIT_ACCESS_FAKE_LINK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "access/access.h"
#include "wire/arp.h"
#include "wire/eth.h"
#include "wire/nd.h"

#define FAKE_SENT   512
#define FAKE_EVENTS 4096
#define FAKE_ARENA  (8u << 20)

struct fake_sent {
	uint8_t bytes[2048];
	size_t len;
	uint8_t why, nif;
	uint8_t checksum;
	uint16_t seg_size, seg_count;
	nanotime at;
};

struct fake {
	nanotime now;
	struct wheel wheel;
	struct rng rng;
	struct counters counters;
	struct trace trace;
	struct tx_frame frame;
	struct core core;
	struct access access;
	struct netif *nif; /* the first */
	struct fake_sent sent[FAKE_SENT];
	unsigned count; /* frames sent since fake_clear, the first FAKE_SENT are kept */
	bool refuse;    /* the link takes nothing */
	bool fill;      /* the link becomes full with each frame */
	struct {
		enum trace_kind kind;
		const char *from, *to;
		struct addr address;
		enum drop drop;
		uint8_t why;
	} event[FAKE_EVENTS];
	unsigned events;
	/* the layers above, where a test has some */
	void *upper;
	enum proto (*receive)(struct fake *f, struct rx *rx, enum proto next);
	unsigned (*transmit)(struct fake *f, unsigned budget);
	struct rx rx; /* of the last frame received, whose bytes are kept until the next */
	uint8_t *exact;
	struct rx_frame rx_frame;
	enum proto proto; /* what came out of it */
	uint8_t *memory;
};

static const struct mac FAKE_MAC = { { 0x02, 0, 0, 0, 0, 0x01 } };
static const struct mac FAKE_PEER = { { 0x02, 0, 0, 0, 0, 0x99 } };
static const struct mac FAKE_OTHER = { { 0x02, 0, 0, 0, 0, 0x66 } };

static inline struct addr fake_addr(const char *text)
{
	struct addr a;
	size_t n = 0;
	while (text[n])
		n++;
	assert_true(addr_parse(span_of(text, n), &a));
	return a;
}

static bool fake_transmit_frame(
	void *link, struct netif *nif, const struct tx_frame *frame, nanotime now)
{
	struct fake *f = link;
	if (f->refuse)
		return false;
	if (f->fill)
		nif->blocked = true;
	if (f->count < FAKE_SENT) {
		struct fake_sent *s = &f->sent[f->count];
		s->len = frame_copy(frame, s->bytes, sizeof s->bytes);
		s->why = frame->why;
		s->nif = nif->index;
		s->checksum = frame->checksum;
		s->seg_size = frame->seg_size;
		s->seg_count = frame->seg_count;
		s->at = now;
	}
	f->count++;
	return true;
}

static const struct link_ops fake_ops = { .name = "fake", .transmit = fake_transmit_frame };

static void fake_sink(void *user, const struct trace_event *e)
{
	struct fake *f = user;
	if (f->events == FAKE_EVENTS)
		return;
	f->event[f->events].kind = e->kind;
	f->event[f->events].from = e->from;
	f->event[f->events].to = e->to;
	f->event[f->events].address = e->flow.remote;
	f->event[f->events].drop = e->drop;
	f->event[f->events].why = e->frame ? e->frame->why : 0;
	f->events++;
}

static inline struct netif *fake_add_netif(struct fake *f, uint16_t vlan)
{
	struct netif_config c = {
		.name = "fake",
		.mac = FAKE_MAC,
		.mtu = 1500,
		.vlan = vlan,
		.ops = &fake_ops,
		.link = f,
	};
	const char *why;
	c.mac.b[4] = f->access.netifs;
	struct netif *nif = access_add_netif(&f->access, &c, &why);
	assert_non_null(nif);
	assert_null(why);
	return nif;
}

static inline void fake_add_address(
	struct fake *f, struct netif *nif, const char *text, unsigned prefix)
{
	struct addr a = fake_addr(text);
	assert_int_equal(access_add_address(&f->access, nif, &a, prefix), ERR_OK);
}

/* The core and layer 1 with one interface and no address; `c` may be NULL. */
static inline struct fake *fake_open(const struct access_config *c)
{
	struct fake *f = calloc(1, sizeof *f);
	struct access_config defaults;
	access_config_default(&defaults);
	assert_non_null(f);
	f->memory = malloc(FAKE_ARENA);
	assert_non_null(f->memory);
	struct arena arena = { .at = f->memory, .size = FAKE_ARENA };
	f->now = 1000 * NANO_S;
	wheel_init(&f->wheel, f->now);
	rng_seed(&f->rng, span_of("a seed of sixteen bytes", 23));
	f->trace = (struct trace){ .sink = fake_sink, .user = f };
	f->core = (struct core){
		.wheel = &f->wheel,
		.rng = &f->rng,
		.key = { { 0x0123456789abcdef, 0xfedcba9876543210 } },
		.checksum = &checksum_plain,
		.counters = &f->counters,
		.trace = &f->trace,
		.frame = &f->frame,
	};
	c = c ? c : &defaults;
	assert_null(access_config_check(c));
	assert_true(access_init(&f->access, &f->core, c, &arena));
	f->nif = fake_add_netif(f, 0);
	return f;
}

static inline void fake_close(struct fake *f)
{
	free(f->exact);
	free(f->memory);
	free(f);
}

/* Lets the layers say what they have to say. */
static inline void fake_flush(struct fake *f)
{
	for (unsigned i = 0; i < 1000; i++) {
		unsigned sent = access_transmit(&f->access, 64, f->now);
		if (f->transmit)
			sent += f->transmit(f, 64);
		if (sent == 0)
			break;
	}
}

/* To a point in virtual time, each timer at its own nanosecond. */
static inline void fake_run(struct fake *f, nanotime until)
{
	fake_flush(f);
	for (;;) {
		nanotime next = wheel_next(&f->wheel);
		if (next > until)
			break;
		if (next > f->now)
			f->now = next;
		struct timer *t;
		while ((t = wheel_expired(&f->wheel, f->now)) != NULL) {
			assert_int_equal(t->kind, TIMER_NEIGHBOUR);
			access_timer(&f->access, t, f->now);
		}
		fake_flush(f);
	}
	f->now = until;
	assert_null(wheel_expired(&f->wheel, f->now));
}

static inline void fake_clear(struct fake *f)
{
	f->count = 0;
	f->events = 0;
}

/* One frame in, with bodies where there are some. What comes out at the top counts as delivered. */
static inline void fake_receive_frame(
	struct fake *f, struct netif *nif, const struct rx_frame *frame)
{
	struct counters *c = &f->counters;
	f->rx_frame = *frame;
	f->rx = (struct rx){
		.nif = nif,
		.frame = &f->rx_frame,
		.now = f->now,
		.head = frame->head,
		.len = frame->len,
		.checksum = frame->checksum,
	};
	c->rx_frames++;
	c->rx_bytes += frame->len;
	c->rx_segments += frame->seg_count;
	enum proto next = access_receive(&f->access, &f->rx);
	if (next != PROTO_NONE && f->receive)
		next = f->receive(f, &f->rx, next);
	f->proto = next;
	if (next != PROTO_NONE) {
		assert_int_equal(f->rx.fate, FATE_NONE);
		f->rx.fate = FATE_DELIVERED;
	}
	assert_int_not_equal(f->rx.fate, FATE_NONE);
	assert_int_equal(f->rx.fate == FATE_DROPPED, f->rx.drop != DROP_NONE);
	c->fate[f->rx.fate]++;
	if (f->rx.fate == FATE_DROPPED)
		c->drop[f->rx.drop]++;
	/* The invariant: frames received are the sum of fates, drops the sum of reasons. */
	uint64_t fates = 0, drops = 0;
	for (unsigned i = 0; i < FATE_COUNT; i++)
		fates += c->fate[i];
	for (unsigned i = 0; i < DROP_COUNT; i++)
		drops += c->drop[i];
	assert_int_equal(c->rx_frames, fates);
	assert_int_equal(c->fate[FATE_DROPPED], drops);
}

static inline void fake_receive(struct fake *f, struct netif *nif, const uint8_t *at, size_t len)
{
	/* A copy of exactly that size, so that a sanitizer sees every byte read too much. */
	uint8_t *exact = malloc(len ? len : 1);
	assert_non_null(exact);
	if (len)
		memcpy(exact, at, len);
	struct rx_frame frame = rx_frame_of(exact, len);
	free(f->exact);
	f->exact = exact;
	fake_receive_frame(f, nif, &frame);
}

static inline void fake_expect_drop(const struct fake *f, enum drop reason)
{
	if (f->rx.drop != reason)
		print_error("dropped: %s, expected %s\n", drop_info(f->rx.drop)->name,
			drop_info(reason)->name);
	assert_int_equal(f->rx.drop, reason);
}

/* An Ethernet II header in front of `len` bytes at frame + 14. Returns the frame's length. */
static inline size_t fake_ethernet(
	uint8_t *frame, const struct mac *to, const struct mac *from, uint16_t type, size_t len)
{
	struct eth_header h = { .destination = *to, .source = *from, .type = type };
	assert_int_equal(eth_emit(&h, frame, ETH_HEADER), ETH_HEADER);
	return ETH_HEADER + len;
}

struct fake_arp {
	const struct mac *to;   /* NULL: broadcast for a request, us for a reply */
	const struct mac *from; /* also the sender's; NULL: FAKE_PEER */
	uint16_t operation;
	const char *sender, *target;
};

static inline void fake_receive_arp(struct fake *f, struct netif *nif, struct fake_arp a)
{
	uint8_t frame[60] = { 0 };
	struct mac broadcast = MAC_BROADCAST;
	const struct mac *from = a.from ? a.from : &FAKE_PEER;
	const struct mac *to = a.to ? a.to : a.operation == ARP_REPLY ? &nif->mac : &broadcast;
	struct arp_packet p = {
		.operation = a.operation,
		.sender_mac = *from,
		.sender = fake_addr(a.sender),
		.target_mac = a.operation == ARP_REPLY ? nif->mac : (struct mac){ { 0 } },
		.target = fake_addr(a.target),
	};
	arp_emit(&p, frame + ETH_HEADER, ARP_LEN);
	fake_ethernet(frame, to, from, ETHERTYPE_ARP, ARP_LEN);
	fake_receive(f, nif, frame, sizeof frame);
}

/* The ARP packet of a frame that was sent. */
static inline struct arp_packet fake_sent_arp(const struct fake *f, unsigned index)
{
	struct arp_packet p;
	const struct fake_sent *s = &f->sent[index];
	assert_true(index < f->count && s->len == ETH_HEADER + ARP_LEN);
	assert_int_equal(load16(s->bytes + 12), ETHERTYPE_ARP);
	assert_int_equal(arp_parse(span_of(s->bytes + ETH_HEADER, ARP_LEN), &p), DROP_NONE);
	return p;
}

static inline struct mac fake_sent_to(const struct fake *f, unsigned index)
{
	struct mac m;
	assert_true(index < f->count);
	memcpy(m.b, f->sent[index].bytes, 6);
	return m;
}

/* A frame of ours with an IP-like body of `len` bytes, in the core's frame. */
static inline struct tx_frame *fake_packet(struct fake *f, size_t len, uint8_t fill)
{
	static uint8_t body[4096];
	frame_begin(&f->frame, WHY_DATAGRAM);
	uint8_t *head = frame_push(&f->frame, 20);
	memset(head, fill, 20);
	memset(body, fill, sizeof body);
	if (len > 20)
		frame_body(&f->frame, span_of(body, len - 20));
	return &f->frame;
}

static inline struct neighbour *fake_neighbour(struct fake *f, const char *text)
{
	struct addr a = fake_addr(text);
	return neighbour_find(&f->access, f->nif, &a);
}

static inline uint32_t fake_lookup(struct fake *f, const char *text)
{
	struct addr a = fake_addr(text);
	return neighbour_lookup(&f->access, f->nif, &a, f->now);
}

#endif
