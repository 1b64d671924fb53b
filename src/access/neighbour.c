/*
 * The neighbour cache: its table and its states (RFC 4861 7.3.2).
 *
 *   INCOMPLETE  asked `tries` times, `retrans` apart; then FAILED
 *   REACHABLE   confirmed within `reachable`; then STALE
 *   STALE       used as it is; the next use makes it DELAY
 *   DELAY       waits for a proof from above; without one, PROBE
 *   PROBE       asked by unicast; no answer: the entry is freed, so that the next
 *               use resolves the address afresh (RFC 4861 7.3.3)
 *   FAILED      answers "dead" at once for a while, then it is freed
 *
 * Confirmations are frequent and must be cheap: they store a time. The timer of
 * REACHABLE is therefore lazy: when it fires, it looks whether there was a
 * confirmation since it was armed.
 *
 * Entries are found through a keyed hash of address and interface. Unresolved
 * ones are bounded apart. A new entry in a full table replaces the least
 * recently used STALE or FAILED one and nothing else: no flood of addresses,
 * asked for or claimed, pushes out a neighbour that is reachable (RFC 6583).
 * Recency is kept by second chance: sending stores a time, and the search for a
 * victim moves who was used since it was placed to the end of the queue.
 */
#include "access/access_private.h"

/* How many entries one search for a victim may look at. */
#define EVICT_STEPS 32

static const char *const state_name[] = {
	[NEIGHBOUR_NONE] = "none",
	[NEIGHBOUR_INCOMPLETE] = "incomplete",
	[NEIGHBOUR_REACHABLE] = "reachable",
	[NEIGHBOUR_STALE] = "stale",
	[NEIGHBOUR_DELAY] = "delay",
	[NEIGHBOUR_PROBE] = "probe",
	[NEIGHBOUR_FAILED] = "failed",
	[NEIGHBOUR_STATIC] = "static",
};

const char *neighbour_state_name(enum neighbour_state s)
{
	return s <= NEIGHBOUR_STATIC ? state_name[s] : "?";
}

static uint32_t *head_of(struct access *a, unsigned nif, const struct addr *address)
{
	uint64_t word[3] = { address->w[0], address->w[1], nif };
	return &a->bucket[hash_words(&a->core->key, word, 3) & a->bucket_mask];
}

static struct neighbour *find(struct access *a, unsigned nif, const struct addr *address)
{
	for (uint32_t i = *head_of(a, nif, address); i != NEIGHBOUR_NO_INDEX;) {
		struct neighbour *n = neighbour_at(a, i);
		if (addr_equal(&n->address, address) && n->nif == nif)
			return n;
		i = n->next_hash;
	}
	return NULL;
}

struct neighbour *neighbour_find(
	struct access *a, const struct netif *nif, const struct addr *address)
{
	return find(a, nif->index, address);
}

static void trace_state(
	struct access *a, const struct neighbour *n, enum neighbour_state to, nanotime now)
{
	struct trace_event e = {
		.kind = TRACE_NEIGHBOUR,
		.layer = LAYER_ACCESS,
		.time = now,
		.nif = &a->netif[n->nif],
		.flow.remote = n->address,
		.from = neighbour_state_name(n->state),
		.to = neighbour_state_name(to),
	};
	a->core->trace->sink(a->core->trace->user, &e);
}

static void place(struct access *a, struct neighbour *n, nanotime now)
{
	list_remove(&n->age);
	list_push_back(&a->lru, &n->age);
	n->placed = now;
}

/* RFC 4861 6.3.2: between half and one and a half of the configured time. */
static nanodiff random_reachable(struct access *a)
{
	return a->config.reachable / 2 +
		a->config.reachable / 1024 * (nanodiff)rng_below(a->core->rng, 1024);
}

static void arm(struct access *a, struct neighbour *n, nanotime deadline)
{
	wheel_arm(a->core->wheel, &n->timer, deadline);
}

static void wake(struct access *a, struct neighbour *n)
{
	list_splice_back(&a->woken, &n->parked);
	pending_wake(a, n);
}

static void fail(struct access *a, struct neighbour *n)
{
	list_splice_back(&a->failed, &n->parked);
	pending_return(a, n);
}

void neighbour_set_state(
	struct access *a, struct neighbour *n, enum neighbour_state state, nanotime now)
{
	enum neighbour_state from = n->state;
	if (trace_on(a->core->trace) && from != state)
		trace_state(a, n, state, now);
	a->incomplete -= from == NEIGHBOUR_INCOMPLETE;
	a->incomplete += state == NEIGHBOUR_INCOMPLETE;
	n->state = (uint8_t)state;
	n->tries = 0;
	n->contested = false;
	wheel_disarm(a->core->wheel, &n->timer);
	switch (state) {
	case NEIGHBOUR_INCOMPLETE: arm(a, n, now + a->config.retrans); return;
	case NEIGHBOUR_REACHABLE:
		n->confirmed = now;
		n->reachable = random_reachable(a);
		arm(a, n, now + n->reachable);
		break;
	case NEIGHBOUR_DELAY: arm(a, n, now + a->config.delay_first); break;
	case NEIGHBOUR_FAILED:
		arm(a, n, now + a->config.failed_hold);
		fail(a, n);
		return;
	default: break;
	}
	if (from == NEIGHBOUR_INCOMPLETE)
		wake(a, n);
}

void neighbour_free(struct access *a, struct neighbour *n, nanotime now)
{
	uint32_t index = pool_index(&a->neighbour_pool, n);
	uint32_t *at = head_of(a, n->nif, &n->address);
	while (*at != index)
		at = &((struct neighbour *)neighbour_at(a, *at))->next_hash;
	*at = n->next_hash;
	fail(a, n);
	neighbour_set_state(a, n, NEIGHBOUR_NONE, now);
	list_remove(&n->age);
	n->generation++;
	pool_give(&a->neighbour_pool, n);
}

static bool was_used(const struct neighbour *n)
{
	return n->used > n->placed || n->confirmed > n->placed;
}

/* Frees one STALE or FAILED entry. */
static bool evict(struct access *a, nanotime now)
{
	struct neighbour *second = NULL;
	for (unsigned i = 0; i < EVICT_STEPS && !list_empty(&a->lru); i++) {
		struct neighbour *n = list_entry(a->lru.next, struct neighbour, age);
		bool victim = n->state == NEIGHBOUR_STALE || n->state == NEIGHBOUR_FAILED;
		if (victim && (n->state == NEIGHBOUR_FAILED || !was_used(n))) {
			neighbour_free(a, n, now);
			return true;
		}
		if (victim && !second)
			second = n;
		place(a, n, now);
	}
	if (second)
		neighbour_free(a, second, now);
	return second != NULL;
}

static struct neighbour *take(struct access *a, nanotime now)
{
	struct pool *p = &a->neighbour_pool;
	if (p->used == p->count && !evict(a, now))
		return NULL;
	bool fresh = p->free == NULL;
	struct neighbour *n = pool_take(p);
	uint16_t generation = fresh ? 0 : n->generation;
	*n = (struct neighbour){ .generation = generation,
		.used = now,
		.confirmed = INT64_MIN,
		.contest = INT64_MIN / 2 };
	timer_init(&n->timer, TIMER_NEIGHBOUR);
	n->timer.owner = pool_index(p, n);
	list_init(&n->parked);
	list_init(&n->queue);
	list_init(&n->age);
	return n;
}

struct neighbour *neighbour_create(struct access *a, struct netif *nif, const struct addr *address,
	enum neighbour_state state, nanotime now)
{
	if (state == NEIGHBOUR_INCOMPLETE && a->incomplete >= a->config.incomplete_max)
		return NULL;
	struct neighbour *n = take(a, now);
	if (!n)
		return NULL;
	n->address = *address;
	n->nif = nif->index;
	uint32_t *head = head_of(a, nif->index, address);
	n->next_hash = *head;
	*head = pool_index(&a->neighbour_pool, n);
	place(a, n, now);
	neighbour_set_state(a, n, state, now);
	return n;
}

uint32_t neighbour_lookup(
	struct access *a, struct netif *nif, const struct addr *address, nanotime now)
{
	/* Behind a bare link there is one neighbour, and nothing to resolve. */
	static const struct addr anybody;
	bool bare = nif->framing == FRAMING_BARE;
	if (bare)
		address = &anybody;
	struct neighbour *n = find(a, nif->index, address);
	if (!n)
		n = neighbour_create(
			a, nif, address, bare ? NEIGHBOUR_STATIC : NEIGHBOUR_INCOMPLETE, now);
	if (!n)
		return NEIGHBOUR_NO_INDEX;
	n->used = now;
	return pool_index(&a->neighbour_pool, n);
}

/* Asks layer 2 for an ND solicitation. A full ring loses it: the timer asks again. */
static void queue_solicit(struct access *a, struct neighbour *n, bool unicast, nanotime now)
{
	if (a->solicit_count == a->config.intents) {
		access_tx_drop(a, &a->netif[n->nif], NULL, DROP_INTENT_FULL, now);
		return;
	}
	uint32_t at = (a->solicit_head + a->solicit_count++) % a->config.intents;
	a->solicit[at] = (struct access_solicit){ .neighbour = n->timer.owner, .unicast = unicast };
	a->core->queued = true;
}

bool access_take_solicit(struct access *a, struct access_solicit *s)
{
	while (a->solicit_count) {
		*s = a->solicit[a->solicit_head];
		a->solicit_head = (a->solicit_head + 1) % a->config.intents;
		a->solicit_count--;
		/* Things may have changed since it was queued. */
		const struct neighbour *n = neighbour_at(a, s->neighbour);
		if (n->state == (s->unicast ? NEIGHBOUR_PROBE : NEIGHBOUR_INCOMPLETE) &&
			!addr_is4(&n->address))
			return true;
	}
	return false;
}

void neighbour_ask(struct access *a, struct neighbour *n, nanotime now)
{
	bool unicast = n->state == NEIGHBOUR_PROBE;
	n->tries++;
	arm(a, n, now + a->config.retrans);
	if (addr_is4(&n->address))
		arp_ask(a, n, unicast, now);
	else
		queue_solicit(a, n, unicast, now);
}

enum neighbour_verdict neighbour_ready(struct access *a, uint32_t index, nanotime now)
{
	struct neighbour *n = neighbour_at(a, index);
	n->used = now;
	switch ((enum neighbour_state)n->state) {
	case NEIGHBOUR_INCOMPLETE:
		if (n->tries == 0)
			neighbour_ask(a, n, now);
		return NEIGHBOUR_WAIT;
	case NEIGHBOUR_STALE:
		neighbour_set_state(a, n, NEIGHBOUR_DELAY, now);
		return NEIGHBOUR_SEND;
	case NEIGHBOUR_REACHABLE:
	case NEIGHBOUR_DELAY:
	case NEIGHBOUR_PROBE:
	case NEIGHBOUR_STATIC: return NEIGHBOUR_SEND;
	case NEIGHBOUR_FAILED: return NEIGHBOUR_DEAD;
	default: return NEIGHBOUR_FULL;
	}
}

void neighbour_park(struct access *a, uint32_t index, struct list *link)
{
	struct neighbour *n = neighbour_at(a, index);
	switch ((enum neighbour_state)n->state) {
	case NEIGHBOUR_INCOMPLETE: list_push_back(&n->parked, link); break;
	case NEIGHBOUR_NONE:
	case NEIGHBOUR_FAILED: list_push_back(&a->failed, link); break;
	default: list_push_back(&a->woken, link); break;
	}
}

void neighbour_doubt(struct access *a, uint32_t index, nanotime now)
{
	struct neighbour *n = neighbour_at(a, index);
	if (n->state != NEIGHBOUR_REACHABLE && n->state != NEIGHBOUR_STALE &&
		n->state != NEIGHBOUR_DELAY)
		return;
	neighbour_set_state(a, n, NEIGHBOUR_PROBE, now);
	neighbour_ask(a, n, now);
}

void neighbour_revive(struct access *a, struct neighbour *n, nanotime now)
{
	if (n->state == NEIGHBOUR_STALE || n->state == NEIGHBOUR_DELAY ||
		n->state == NEIGHBOUR_PROBE)
		neighbour_set_state(a, n, NEIGHBOUR_REACHABLE, now);
}

static void asked_in_vain(struct access *a, struct neighbour *n, nanotime now)
{
	if (n->state == NEIGHBOUR_INCOMPLETE && n->tries > 0)
		neighbour_set_state(a, n, NEIGHBOUR_FAILED, now);
	else
		neighbour_free(a, n, now);
}

void access_timer(struct access *a, struct timer *t, nanotime now)
{
	struct neighbour *n = neighbour_at(a, t->owner);
	switch ((enum neighbour_state)n->state) {
	case NEIGHBOUR_INCOMPLETE:
	case NEIGHBOUR_PROBE:
		/* tries == 0: looked up, but nobody ever wanted to send */
		if (n->tries > 0 && n->tries < a->config.tries)
			neighbour_ask(a, n, now);
		else
			asked_in_vain(a, n, now);
		break;
	case NEIGHBOUR_REACHABLE:
		if (n->confirmed + n->reachable > now)
			arm(a, n, n->confirmed + n->reachable);
		else
			neighbour_set_state(a, n, NEIGHBOUR_STALE, now);
		break;
	case NEIGHBOUR_DELAY:
		neighbour_set_state(a, n, NEIGHBOUR_PROBE, now);
		neighbour_ask(a, n, now);
		break;
	case NEIGHBOUR_FAILED: neighbour_free(a, n, now); break;
	default: break;
	}
}
