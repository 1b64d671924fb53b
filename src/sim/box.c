/*
 * Passing frames along a chain. A frame that comes in goes to the first box of
 * its direction; box_let_pass moves it to the next, and behind the last one out
 * of the other port. Nothing here is recursive deeper than the chain is long. A
 * frame that waits carries its box and direction in the parcel.
 */
#include "sim/box.h"

#include <stdio.h>

#include "sim/faults.h"

static struct box *neighbour(const struct box_chain *c, const struct box *b, unsigned way)
{
	const struct list *l = b ? &b->link : &c->boxes;
	l = way ? l->prev : l->next;
	return l == &c->boxes ? NULL : list_entry((struct list *)(uintptr_t)l, struct box, link);
}

static void hand_over(struct box_chain *c, const struct box *from, unsigned way, struct parcel *p)
{
	struct box *next = neighbour(c, from, way);
	if (next) {
		next->pass(next, way, p);
		return;
	}
	c->out++;
	port_send(&c->port[!way], p);
}

static void receive(struct port *port, struct parcel *p)
{
	struct box_chain *c = port->owner;
	c->in++;
	hand_over(c, NULL, port == &c->port[1], p);
}

struct box_chain *box_chain_new(struct world *w, const char *name)
{
	struct box_chain *c = world_alloc(w, sizeof *c);
	c->world = w;
	list_init(&c->boxes);
	for (unsigned i = 0; i < 2; i++) {
		c->port[i].world = w;
		c->port[i].owner = c;
		c->port[i].receive = receive;
		snprintf(c->port[i].name, sizeof c->port[i].name, "%.20s/%u", name, i);
	}
	return c;
}

void *box_new(struct box_chain *c, const char *name, size_t size, box_pass *pass)
{
	struct box *b = world_alloc(c->world, size);
	b->chain = c;
	b->name = name;
	b->pass = pass;
	b->until = NANOTIME_NEVER;
	world_rng(c->world, "box", name, &b->rng);
	list_push_back(&c->boxes, &b->link);
	return b;
}

void box_let_pass(struct box *b, unsigned way, struct parcel *p)
{
	hand_over(b->chain, b, way, p);
}

static void fire_pass(struct event *e)
{
	struct parcel *p = list_entry(e, struct parcel, event);
	struct box *b = p->box;
	p->box = NULL;
	box_release(b, p->box_way, p);
}

void box_let_pass_later(struct box *b, unsigned way, struct parcel *p, nanodiff delay)
{
	box_keep(b);
	p->box = b;
	p->box_way = (uint8_t)way;
	p->event.fire = fire_pass;
	agenda_put(&b->chain->world->agenda, &p->event, b->chain->world->now + delay);
}

void box_drop(struct box *b, struct parcel *p)
{
	b->chain->dropped++;
	parcel_give(b->chain->world, p);
}

void box_add(struct box *b, unsigned way, struct parcel *p)
{
	b->chain->added++;
	box_let_pass(b, way, p);
}

void box_keep(struct box *b)
{
	b->chain->kept++;
}

void box_release(struct box *b, unsigned way, struct parcel *p)
{
	b->chain->kept--;
	box_let_pass(b, way, p);
}

bool box_on(const struct box *b)
{
	nanotime now = b->chain->world->now;
	return now >= b->from && now < b->until;
}

bool box_acts(struct box *b, uint32_t ppm)
{
	if (!box_on(b) || (b->most && b->touched >= b->most) || rng_below(&b->rng, PPM) >= ppm)
		return false;
	b->touched++;
	return true;
}
