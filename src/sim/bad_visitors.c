/*
 * Each of a handful of visitors draws a temper and a number of bytes to send,
 * leaves when they are sent or refused and a while has passed, and comes again
 * as another one.
 */
#include "sim/bad_visitors.h"

#include <stdio.h>

#define VISITORS  6
#define BYTES_MAX 200000
#define STAY_MOST 8000 /* milliseconds */

enum temper { TEMPER_FLOOD, TEMPER_NOISE, TEMPER_HALF, TEMPER_LEAVE, TEMPERS };

struct visitor {
	sock_id sock; /* 0: not there */
	enum temper temper;
	uint32_t left;   /* bytes to send */
	nanotime change; /* it comes, or leaves, then */
};

struct bad_visitors {
	struct app app;
	struct node *node;
	struct bad_visitors_config config;
	struct sock_queue queue;
	struct rng rng;
	char request[128];
	uint32_t request_len;
	struct visitor visitor[VISITORS];
};

static nanotime later(struct bad_visitors *b, nanotime now)
{
	return now + (1 + rng_below(&b->rng, STAY_MOST)) * NANO_MS;
}

static void come(struct bad_visitors *b, struct stack *s, struct visitor *v, nanotime now)
{
	const struct sock_options o = { .queue = &b->queue };
	v->temper = (enum temper)rng_below(&b->rng, TEMPERS);
	v->left = 1 + rng_below(&b->rng, BYTES_MAX);
	if (v->temper == TEMPER_HALF)
		v->left = 1 + rng_below(&b->rng, b->request_len - 2);
	v->change = nanotime_min(later(b, now), b->config.when.until);
	if (sock_connect(s, &o, &b->config.server, b->config.port, &v->sock) < 0)
		v->sock = 0;
}

static void leave(struct bad_visitors *b, struct stack *s, struct visitor *v, nanotime now)
{
	if (v->temper == TEMPER_LEAVE || rng_below(&b->rng, 2))
		sock_abort(s, v->sock);
	else
		sock_close(s, v->sock);
	v->sock = 0;
	v->change = now < b->config.when.until ? later(b, now) : NANOTIME_NEVER;
}

static void talk(struct bad_visitors *b, struct stack *s, struct visitor *v)
{
	uint8_t noise[64];
	while (v->left) {
		const void *from = b->request;
		size_t len = b->request_len;
		if (v->temper == TEMPER_NOISE) {
			rng_fill(&b->rng, noise, sizeof noise);
			from = noise;
			len = sizeof noise;
		}
		if (len > v->left)
			len = v->left;
		/* Whole requests only, so that a flood is one. */
		if (sock_room(s, v->sock) < len || sock_write(s, v->sock, from, len) <= 0) {
			sock_want_room(s, v->sock);
			return;
		}
		v->left -= (uint32_t)len;
	}
}

static void run_one(struct bad_visitors *b, struct stack *s, struct visitor *v, nanotime now)
{
	if (v->sock && (sock_error(s, v->sock) != ERR_OK || now >= v->change))
		leave(b, s, v, now);
	else if (!v->sock && now >= v->change && now < b->config.when.until)
		come(b, s, v, now);
	if (!v->sock && now >= b->config.when.until)
		v->change = NANOTIME_NEVER;
	if (v->sock)
		talk(b, s, v);
}

static void run(struct app *a, struct stack *s, nanotime now)
{
	struct bad_visitors *b = list_entry(a, struct bad_visitors, app);
	struct sock_event e;
	now = b->node->world->now;
	while (sock_next(s, &b->queue, &e))
		continue;
	for (unsigned i = 0; i < VISITORS; i++)
		run_one(b, s, &b->visitor[i], now);
}

static nanotime deadline(const struct app *a)
{
	const struct bad_visitors *b = list_entry(a, struct bad_visitors, app);
	nanotime next = NANOTIME_NEVER;
	for (unsigned i = 0; i < VISITORS; i++)
		next = nanotime_min(next, b->visitor[i].change);
	return next;
}

struct bad_visitors *bad_visitors_new(struct node *n, const struct bad_visitors_config *c)
{
	struct bad_visitors *b = world_alloc(n->world, sizeof *b);
	sock_queue_init(&b->queue);
	b->node = n;
	b->config = *c;
	b->app.run = run;
	b->app.deadline = deadline;
	b->request_len = (uint32_t)snprintf(
		b->request, sizeof b->request, "GET %s HTTP/1.1\r\nHost: shop\r\n\r\n", c->path);
	world_rng(n->world, n->name, "visitors", &b->rng);
	for (unsigned i = 0; i < VISITORS; i++)
		b->visitor[i].change = later(b, c->when.from);
	node_add_app(n, &b->app);
	return b;
}
