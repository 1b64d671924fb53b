/*
 * Layer 1 put together: its plan of memory and its turn to transmit.
 *
 * All memory is taken here, from the arena of the stack: entries of the
 * neighbour cache and their hash heads, places for frames that wait for a
 * neighbour, and two rings of intents (what ARP has to say, and which
 * neighbours layer 2 must solicit by ND). Each is bounded by the config; what
 * happens when one is full stands where it is filled.
 */
#include "access/access_private.h"

void access_config_default(struct access_config *c)
{
	*c = (struct access_config){
		.neighbours = 1024,
		.incomplete_max = 128,
		.pending_frames = 128,
		.pending_each = 4,
		.intents = 64,
		.retrans = NANO_S,
		.tries = 3,
		.reachable = 30 * NANO_S,
		.delay_first = 5 * NANO_S,
		.failed_hold = 3 * NANO_S,
	};
}

const char *access_config_check(const struct access_config *c)
{
	if (c->neighbours < 16 || c->neighbours > 1u << 24)
		return "access.neighbours must be 16 to 16777216";
	if (c->incomplete_max < 1 || c->incomplete_max > c->neighbours)
		return "access.incomplete_max must be 1 to access.neighbours";
	if (c->pending_frames < 1 || c->pending_frames > 1u << 20)
		return "access.pending_frames must be 1 to 1048576";
	if (c->pending_each < 1 || c->pending_each > c->pending_frames ||
		c->pending_each > UINT16_MAX)
		return "access.pending_each must be 1 to access.pending_frames, at most 65535";
	if (c->intents < 1 || c->intents > 1u << 20)
		return "access.intents must be 1 to 1048576";
	if (c->retrans < NANO_S) /* RFC 1122 2.3.2.1 (MUST) */
		return "access.retrans must be at least 1 s";
	if (c->tries < 1)
		return "access.tries must be at least 1";
	if (c->reachable < 1 || c->delay_first < 1 || c->failed_hold < 1)
		return "access.reachable, delay_first and failed_hold must be positive";
	if (c->retrans > 1000 * NANO_S || c->reachable > 100000 * NANO_S ||
		c->delay_first > 1000 * NANO_S || c->failed_hold > 1000 * NANO_S)
		return "access times must be below 1000 s, reachable below 100000 s";
	return NULL;
}

/* Hash heads: a power of two, at least one for each entry. */
static uint32_t heads_for(uint32_t neighbours)
{
	uint32_t n = 16;
	while (n < neighbours)
		n *= 2;
	return n;
}

bool access_init(
	struct access *a, struct core *core, const struct access_config *c, struct arena *arena)
{
	*a = (struct access){ .core = core, .config = *c };
	uint32_t heads = heads_for(c->neighbours);
	list_init(&a->woken);
	list_init(&a->failed);
	list_init(&a->lru);
	list_init(&a->outbox);
	list_init(&a->returned);
	/* A measuring arena gives nothing: everything is asked for before anything is believed. */
	bool entries = pool_init(
		&a->neighbour_pool, arena, sizeof(struct neighbour), 64, c->neighbours);
	bool places = pool_init(
		&a->pending_pool, arena, sizeof(struct pending), 8, c->pending_frames);
	a->bucket = arena_take(arena, heads * sizeof *a->bucket, 64);
	a->intent = arena_take(arena, c->intents * sizeof *a->intent, 8);
	a->solicit = arena_take(arena, c->intents * sizeof *a->solicit, 8);
	if (!entries || !places || !a->bucket || !a->intent || !a->solicit)
		return false;
	a->bucket_mask = heads - 1;
	for (uint32_t i = 0; i < heads; i++)
		a->bucket[i] = NEIGHBOUR_NO_INDEX;
	return true;
}

unsigned access_transmit(struct access *a, unsigned budget, nanotime now)
{
	/* Questions first: somebody waits for each. */
	unsigned sent = arp_transmit(a, budget, now);
	return sent + pending_transmit(a, budget - sent, now);
}

bool access_has_work(const struct access *a)
{
	return arp_has_work(a) || pending_has_work(a);
}
