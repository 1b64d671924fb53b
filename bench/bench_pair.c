/*
 * The pair's link calls the peer's stack_receive from within transmit: that is
 * allowed, because they are two stacks and receiving sends nothing. A burst is thus
 * received whole before the receiver's turn to transmit.
 */
#include "bench_pair.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

static bool pair_transmit(void *link, struct netif *nif, const struct tx_frame *f, nanotime now)
{
	(void)nif;
	struct bench_end *to = link;
	struct span head = frame_head(f);
	struct rx_frame frame = {
		.head = head,
		.body = f->body,
		.bodies = f->spans,
		.seg_size = f->seg_size,
		.seg_count = f->seg_count,
		.checksum = f->checksum == CHECKSUM_PARTIAL ? CHECKSUM_PARTIAL : CHECKSUM_UNKNOWN,
		.len = (uint32_t)(head.len + f->body_len),
	};
	stack_receive(to->stack, to->nif, &frame, now);
	return true;
}

static const struct link_ops pair_ops = { .name = "memory", .transmit = pair_transmit };

static void fail(const char *what)
{
	fprintf(stderr, "strata-bench: %s\n", what);
	exit(4);
}

static void open_end(struct bench_pair *p, unsigned i, const struct bench_options *o)
{
	struct bench_end *e = &p->end[i];
	struct stack_config c;
	stack_config_default(&c);
	c.checksum = o->checksum;
	c.transport.send_buffer = c.transport.receive_buffer = o->window;
	c.transport.send_buffer_max = c.transport.receive_buffer_max = 0;
	for (unsigned b = 0; b < sizeof c.secret; b++)
		c.secret[b] = (uint8_t)(b * 37 + i);
	e->size = stack_memory(&c);
	e->memory = mmap(NULL, e->size, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (e->memory == MAP_FAILED)
		fail("no memory for a stack");
	const char *why;
	e->stack = stack_create(&c, e->memory, e->size, p->now, &why);
	if (!e->stack)
		fail(why);
	struct netif_config n = {
		.name = "mem0",
		.mac = { .b = { 2, 0, 0, 0, 0, (uint8_t)(i + 1) } },
		.mtu = o->mtu,
		.features = (o->offload ? LINK_CHECKSUM : 0u) |
			    (o->gso ? LINK_GSO | LINK_CHECKSUM : 0u),
		.ops = &pair_ops,
		.link = &p->end[1 - i],
	};
	e->nif = stack_add_netif(e->stack, &n, &why);
	if (!e->nif)
		fail(why);
	e->peer = &p->end[1 - i];
	if (stack_add_address(e->stack, e->nif, &p->address[i], o->v6 ? 64 : 24) != ERR_OK)
		fail("address refused");
	sock_queue_init(&e->queue);
}

void bench_pair_open(struct bench_pair *p, const struct bench_options *o)
{
	static const char *const text[2][2] = { { "192.0.2.1", "192.0.2.2" },
						{ "2001:db8::1", "2001:db8::2" } };
	*p = (struct bench_pair){ .now = NANO_S };
	for (unsigned i = 0; i < 2; i++)
		if (!addr_parse(span_of(text[o->v6][i], strlen(text[o->v6][i])), &p->address[i]))
			fail("address");
	open_end(p, 0, o);
	open_end(p, 1, o);
	bench_pair_run(p, NANO_S);
}

void bench_pair_close(struct bench_pair *p)
{
	munmap(p->end[0].memory, p->end[0].size);
	munmap(p->end[1].memory, p->end[1].size);
}

/* One end's turn: its application, then what its stack has to send. Returns frames sent. */
static unsigned turn(struct bench_pair *p, unsigned end)
{
	if (p->app[end])
		p->app[end](p, p->user);
	unsigned sent = 0, burst;
	do {
		burst = stack_transmit(p->end[end].stack, p->now, 256);
		sent += burst;
	} while (burst == 256);
	return sent;
}

void bench_pair_run(struct bench_pair *p, nanodiff step)
{
	p->now += step;
	for (unsigned i = 0; i < 2; i++) {
		stack_set_time(p->end[i].stack, p->now);
		if (stack_next_deadline(p->end[i].stack) <= p->now)
			stack_timers(p->end[i].stack, p->now);
	}
	turn(p, 0);
	for (unsigned end = 1; turn(p, end); end = 1 - end)
		;
}
