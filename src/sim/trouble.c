/*
 * How trouble is made. Memory fails by hiding a pool's free items: what is taken
 * stays taken, what is given back meanwhile is found again afterwards, and the
 * core's code is the code that ships.
 */
#include "sim/trouble.h"

#include "sim/faults.h"
#include "sim/node.h"
#include "transport/endpoints.h"

#define SPURIOUS_WITHIN (5 * NANO_MS)

static struct world *world_of(const struct trouble *t)
{
	return t->node->world;
}

bool trouble_window(const struct trouble *t, const struct window *w)
{
	nanotime now = world_of(t)->now;
	return now >= w->from && now < w->until;
}

/* The clock */

nanotime trouble_clock(const struct trouble *t, nanotime world)
{
	const struct clock_piece *p = &t->piece[t->pieces - 1];
	while (p > t->piece && p->world > world)
		p--;
	nanodiff gone = world - p->world;
	return p->clock + gone / PPM * p->rate + gone % PPM * p->rate / PPM;
}

nanotime trouble_when(const struct trouble *t, nanotime clock)
{
	const struct clock_piece *p = &t->piece[t->pieces - 1];
	if (clock == NANOTIME_NEVER)
		return NANOTIME_NEVER;
	if (clock <= p->clock)
		return p->world;
	if (!p->rate) /* the next piece's begin wakes the node */
		return NANOTIME_NEVER;
	nanodiff left = clock - p->clock;
	return p->world + left / p->rate * PPM + (left % p->rate * PPM + p->rate - 1) / p->rate + 1;
}

void trouble_clock_change(struct trouble *t, nanodiff jump, uint32_t rate)
{
	nanotime now = world_of(t)->now, clock = trouble_clock(t, now) + jump;
	if (t->pieces == TROUBLE_PIECES) {
		memmove(t->piece, t->piece + 1, (TROUBLE_PIECES - 1) * sizeof *t->piece);
		t->pieces--;
	}
	t->piece[t->pieces++] = (struct clock_piece){ now, clock, rate };
	node_touch(t->node);
}

/* Timers and CPU */

nanotime trouble_wake(struct trouble *t, nanotime time)
{
	nanotime now = world_of(t)->now;
	if (!trouble_window(t, &t->timers) || time == NANOTIME_NEVER)
		return time;
	if (time < now)
		time = now;
	if (t->spurious && rng_below(&t->rng, PPM) < t->spurious && time - now > SPURIOUS_WITHIN)
		return now + 1 + rng_below(&t->rng, (uint32_t)SPURIOUS_WITHIN);
	if (t->late)
		time += (nanodiff)(rng_next(&t->rng) % (uint64_t)t->late);
	if (t->grid)
		time = (time + t->grid - 1) / t->grid * t->grid;
	return time;
}

static void fire_poll(struct event *e)
{
	struct trouble *t = list_entry(e, struct trouble, poll);
	for (struct list *l; (l = list_pop_front(&t->waiting));) {
		struct parcel *p = list_entry(l, struct parcel, link);
		node_receive(p->at, p);
	}
	node_run_soon(t->node);
}

bool trouble_starves(struct trouble *t)
{
	struct world *w = world_of(t);
	if (!t->period || !trouble_window(t, &t->cpu) || w->now % t->period == 0)
		return false;
	if (!event_pending(&t->poll))
		agenda_put(&w->agenda, &t->poll, (w->now / t->period + 1) * t->period);
	return true;
}

bool trouble_keeps(struct trouble *t, struct port *port, struct parcel *p)
{
	if (!event_pending(&t->poll) && !trouble_starves(t))
		return false;
	p->at = port;
	list_push_back(&t->waiting, &p->link);
	return true;
}

/* The driver */

bool trouble_refuses(struct trouble *t)
{
	return t->refuse && trouble_window(t, &t->driver) && rng_below(&t->rng, PPM) < t->refuse;
}

static void fire_drained(struct event *e)
{
	struct trouble *t = list_entry(e, struct trouble, drained);
	t->in_ring = 0;
	for (unsigned i = 0; i < t->node->interfaces; i++) {
		struct port *p = &t->node->interface[i].port;
		if (!port_blocked(p))
			p->room(p);
	}
}

bool trouble_ring_full(struct trouble *t)
{
	struct world *w = world_of(t);
	if (!t->ring || !trouble_window(t, &t->driver))
		return false;
	if (!event_pending(&t->drained))
		agenda_put(&w->agenda, &t->drained, w->now + t->drain);
	return ++t->in_ring >= t->ring;
}

bool trouble_makes_runt(struct trouble *t)
{
	return t->runt && trouble_window(t, &t->driver) && rng_below(&t->rng, PPM) < t->runt;
}

/* Memory */

void trouble_hide_memory(struct trouble *t)
{
	if (!t->fail || t->pools || !trouble_window(t, &t->memory))
		return;
	if (t->skip) {
		t->skip--;
		return;
	}
	if (rng_below(&t->rng, PPM) >= t->fail)
		return;
	struct transport *tr = stack_transport(t->node->stack);
	struct pool *const pools[TROUBLE_POOLS] = { &tr->conn_pool, &tr->flight_pool,
		&tr->embryo_pool, &tr->time_wait_pool, &tr->range_pool, &tr->held_pool,
		&tr->blocks.small, &tr->blocks.big };
	/* All of them, or one: what fails together hides what fails alone. */
	unsigned only = rng_below(&t->rng, 2 * TROUBLE_POOLS);
	for (unsigned i = 0; i < TROUBLE_POOLS; i++) {
		struct pool *p = pools[i];
		if (only < TROUBLE_POOLS && i != only)
			continue;
		t->hidden[t->pools++] = (struct hidden_pool){ p, p->free, p->count };
		p->free = NULL;
		p->count = p->used; /* full, whoever asks how */
	}
}

void trouble_show_memory(struct trouble *t)
{
	while (t->pools) {
		struct hidden_pool *h = &t->hidden[--t->pools];
		void *given = h->pool->free, *last = given, *next;
		h->pool->count = h->count;
		if (!given) {
			h->pool->free = h->free;
			continue;
		}
		for (memcpy(&next, last, sizeof next); next; memcpy(&next, last, sizeof next))
			last = next;
		memcpy(last, &h->free, sizeof h->free);
	}
}

void trouble_forget_memory(struct trouble *t)
{
	t->pools = 0;
}

struct trouble *trouble_new(struct node *n, const char *name)
{
	struct trouble *t = world_alloc(n->world, sizeof *t);
	assert(!n->trouble);
	t->node = n;
	t->pieces = 1;
	t->piece[0] = (struct clock_piece){ n->world->now, n->world->now, PPM };
	world_rng(n->world, "trouble", name, &t->rng);
	list_init(&t->waiting);
	event_init(&t->poll, fire_poll);
	event_init(&t->drained, fire_drained);
	n->trouble = t;
	return t;
}
