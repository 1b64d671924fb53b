/*
 * Connections that wait for memory of the pools: for a flight (to write, or to
 * send a FIN), or for a first ring block (to write). Who has data on its way
 * learns by its ACKs when to go on and does not stand here. They wait in two
 * queues, and each transmit serves them in their order as far as memory has come
 * back: what a connection waits for is taken for it, so that nobody who comes
 * later is faster. While somebody waits for a block, writers may fill those they
 * have and take no new ones, and a writer without a flight stands in line.
 *
 * What was taken and is not used goes back with the idle flight.
 */
#include "transport/tcp/tcp_conn.h"

static void push(struct transport *t, struct conn_queue *q, const struct tcp_conn *c)
{
	q->conn[(q->head + q->count++) % t->config.connections] = pool_index(&t->conn_pool, c);
}

static struct tcp_conn *pop(struct transport *t, struct conn_queue *q)
{
	struct tcp_conn *c = pool_at(&t->conn_pool, q->conn[q->head]);
	q->head = (q->head + 1) % t->config.connections;
	q->count--;
	c->flags &= (uint16_t)~CONN_SHORT;
	return c;
}

void conn_wait_memory(struct transport *t, struct tcp_conn *c)
{
	if (c->flags & CONN_SHORT)
		return;
	c->flags |= CONN_SHORT;
	push(t, c->flight ? &t->short_block : &t->short_flight, c);
	/* A flight goes back when it is idle; R2 counts for a FIN without one. */
	conn_arm(t, c, t->now + (c->flight ? t->config.flight_idle + NANO_MS : NANO_S));
}

/* The order of the others stays. */
static bool take_out(struct transport *t, struct conn_queue *q, uint32_t index)
{
	const uint32_t cap = t->config.connections;
	uint32_t kept = 0;
	for (uint32_t i = 0; i < q->count; i++) {
		uint32_t at = q->conn[(q->head + i) % cap];
		if (at != index)
			q->conn[(q->head + kept++) % cap] = at;
	}
	bool found = kept < q->count;
	q->count = kept;
	return found;
}

void conn_forget_memory(struct transport *t, struct tcp_conn *c)
{
	uint32_t index = pool_index(&t->conn_pool, c);
	if (!take_out(t, &t->short_flight, index))
		take_out(t, &t->short_block, index);
	c->flags &= (uint16_t)~CONN_SHORT;
}

static bool flight_free(const struct transport *t)
{
	return t->flight_pool.used < t->flight_pool.count;
}

static bool block_free(const struct transport *t)
{
	return t->blocks.small.used < t->blocks.small.count;
}

bool shortage_over(const struct transport *t)
{
	return (t->short_flight.count && flight_free(t)) || (t->short_block.count && block_free(t));
}

/* A writer also wants memory to write in; a FIN takes none. */
static bool wants_block(const struct transport *t, const struct tcp_conn *c)
{
	return c->flags & CONN_WINDOW_FULL && tcp_room(t, c) && c->snd_una == c->snd_end;
}

/* It has a flight. */
static bool take_block(struct transport *t, struct tcp_conn *c)
{
	size_t got;
	return !wants_block(t, c) ||
	       ring_reserve(&c->flight->tx, &t->blocks, c->snd_end, 1, &got) != NULL;
}

static void go_on(struct transport *t, struct tcp_conn *c)
{
	conn_arm(t, c, t->now + t->config.flight_idle + NANO_MS);
	if (c->flags & CONN_WINDOW_FULL) {
		c->flags &= (uint16_t)~CONN_WINDOW_FULL;
		conn_notify(t, c, EVENT_WRITABLE);
	}
	conn_make_ready(t, c); /* a FIN may go now */
}

static bool is_over(const struct tcp_conn *c)
{
	return c->state == TCP_CLOSED || c->state == TCP_TIME_WAIT;
}

void shortage_serve(struct transport *t)
{
	while (t->short_flight.count && flight_free(t)) {
		struct tcp_conn *c = pop(t, &t->short_flight);
		if (is_over(c))
			continue;
		conn_flight(t, c);
		if (!wants_block(t, c) || (!t->short_block.count && take_block(t, c)))
			go_on(t, c);
		else
			conn_wait_memory(t, c);
	}
	while (t->short_block.count && block_free(t)) {
		struct tcp_conn *c = pop(t, &t->short_block);
		if (is_over(c))
			continue;
		if (conn_flight(t, c) && take_block(t, c))
			go_on(t, c);
		else /* its flight went back meanwhile, and there is no other */
			conn_wait_memory(t, c);
	}
}
