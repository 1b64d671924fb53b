/*
 * The tempers of flows: sizes of any order of magnitude, pieces, pauses, and what
 * goes wrong in an application. One generator for each flow, so that it stays what
 * it was whichever others there are; the order of the draws is part of what a seed
 * means.
 */
#include <stdio.h>

#include "sim/traffic.h"

#define PAUSED (20 * NANO_S) /* all pauses of one end together, at most */
#define PIECES 2000u         /* that one end writes, at most: more cost time and find nothing */

/* A size of any order of magnitude up to 2^bits. */
static uint32_t draw_size(struct rng *r, unsigned bits)
{
	return rng_below(r, 1u << rng_below(r, bits + 1));
}

static nanodiff draw_pause(struct rng *r, uint32_t total, uint32_t chunk, bool often)
{
	if (rng_below(r, 2) && !often)
		return 0;
	return (nanodiff)rng_below(r, 1000) * PAUSED / 1000 / (total / chunk + 1);
}

static void draw_end(struct traffic_end *e, struct rng *r, uint32_t out, uint32_t in,
	const struct traffic_plan *p)
{
	bool slow_reader = p->faults & FAULT_BIT(F53), slow_writer = p->faults & FAULT_BIT(F54);
	*e = (struct traffic_end){ .out = out };
	e->write_chunk = 1 + draw_size(r, 14);
	e->read_chunk = 1 + draw_size(r, 14);
	uint32_t one_byte = rng_below(r, 8), stop = rng_below(r, 5), stop_at = rng_below(r, in + 1);
	nanodiff stop_for = (nanodiff)rng_below(r, 60) * NANO_S;
	uint32_t unruly = 1 + rng_below(r, 200000), temper = rng_below(r, 3);
	if (slow_writer && one_byte == 0)
		e->write_chunk = 1;
	if (out / e->write_chunk > PIECES)
		e->write_chunk = out / PIECES + 1;
	e->write_pause = draw_pause(r, out, e->write_chunk, slow_writer);
	e->read_pause = draw_pause(r, in, e->read_chunk, slow_reader);
	if (stop == 0 || slow_reader) {
		e->stop_at = stop_at;
		e->stop_for = stop_for;
	}
	if (rng_below(r, 3) == 0)
		e->send_buffer = 2048 + draw_size(r, 17);
	if (rng_below(r, 3) == 0)
		e->receive_buffer = 2048 + draw_size(r, 17);
	if (rng_below(r, 12) == 0)
		e->abort_at = 1 + rng_below(r, out + in + 1);
	if (p->faults & FAULT_BIT(F55) && temper == 0)
		e->unruly = unruly;
}

void traffic_draw(struct traffic *t, unsigned index, const struct traffic_plan *p)
{
	struct traffic_flow *f = &t->flow[index];
	char name[16];
	snprintf(name, sizeof name, "%u", index);
	world_rng(t->world, "flow", name, &f->rng);
	uint32_t out = draw_size(&f->rng, 18), in = draw_size(&f->rng, 18);
	f->used = true;
	f->to = rng_below(&f->rng, 2) ? p->to4 : p->to6;
	f->start = t->world->now + p->spread / 1000 * (nanodiff)rng_below(&f->rng, 1000);
	draw_end(&f->client, &f->rng, out >> p->shift, in >> p->shift, p);
	draw_end(&f->server, &f->rng, in >> p->shift, out >> p->shift, p);
	f->client.peer = &f->server;
	f->server.peer = &f->client;
}
