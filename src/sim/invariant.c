/*
 * What is checked after every run of a node. The built-in ones read counters
 * only, so they can stay on in every test and every sweep.
 */
#include "sim/invariant.h"

#include <stdio.h>

#include "packet/frame.h"
#include "sim/link.h"
#include "sim/strict.h"

void invariant_add(struct world *w, struct invariant *i)
{
	list_push_back(&w->invariants, &i->link);
}

static void broken(struct node *n, const struct invariant *i, const char *why)
{
	world_halt(n->world, WORLD_BROKEN, "%s does not hold at %s: %s", i->name, n->name, why);
}

void invariant_check(struct node *n)
{
	char why[96];
	list_each(l, &n->world->invariants)
	{
		struct invariant *i = list_entry(l, struct invariant, link);
		if (i->holds && !i->holds(i, n, why, sizeof why))
			broken(n, i, why);
	}
}

void invariant_hear_frame(struct node *n, const struct rx_frame *frame)
{
	list_each(l, &n->world->invariants)
	{
		struct invariant *i = list_entry(l, struct invariant, link);
		if (i->heard)
			i->heard(i, n, frame);
	}
}

void invariant_check_frame(struct node *n, const struct parcel *p)
{
	char why[96];
	list_each(l, &n->world->invariants)
	{
		struct invariant *i = list_entry(l, struct invariant, link);
		if (i->frame && !i->frame(i, n, p, why, sizeof why))
			broken(n, i, why);
	}
}

/* I35: rx = sum of fates, fate dropped = sum of reasons, and nothing was received unseen. */
static bool one_fate(struct invariant *i, struct node *n, char *why, size_t cap)
{
	const struct counters *c = stack_counters(n->stack);
	uint64_t fates = 0, drops = 0;
	(void)i;
	for (unsigned f = FATE_NONE + 1; f < FATE_COUNT; f++)
		fates += c->fate[f];
	for (unsigned d = 0; d < DROP_COUNT; d++)
		drops += c->drop[d];
	if (c->rx_frames == n->frames && fates == c->rx_frames && drops == c->fate[FATE_DROPPED] &&
		c->drop[DROP_NONE] == 0)
		return true;
	snprintf(why, cap,
		"%llu frames given, %llu counted, %llu fates, %llu dropped for %llu reasons",
		(unsigned long long)n->frames, (unsigned long long)c->rx_frames,
		(unsigned long long)fates, (unsigned long long)c->fate[FATE_DROPPED],
		(unsigned long long)drops);
	return false;
}

/* I09: nothing leaves that the interface's MTU forbids. */
static bool fits_mtu(struct invariant *i, struct node *n, char *why, size_t cap)
{
	(void)i;
	for (unsigned k = 0; k < n->interfaces; k++) {
		if (n->interface[k].oversized == 0)
			continue;
		snprintf(why, cap, "%s sent more than its MTU", n->interface[k].port.name);
		return false;
	}
	return true;
}

/* I30: what leaves is right to the last bit; what is only passed on, as far as a router looks. */
static bool is_strict(
	struct invariant *i, struct node *n, const struct parcel *p, char *why, size_t cap)
{
	enum strict_depth depth = p->why == WHY_FORWARD ? STRICT_LINK_AND_IP
		: p->checksum == CHECKSUM_PARTIAL       ? STRICT_NO_SUM
							: STRICT_ALL;
	const char *wrong = strict_frame(parcel_span(p), depth);
	(void)i;
	(void)n;
	if (wrong)
		snprintf(why, cap, "%s, in a frame sent as %s", wrong, tx_why_name(p->why));
	return !wrong;
}

/* The ways out of this node: no frame was made and none vanished. */
static bool ways_add_up(struct invariant *i, struct node *n, char *why, size_t cap)
{
	(void)i;
	for (unsigned k = 0; k < n->interfaces; k++) {
		const struct link_way *way = n->interface[k].port.out;
		if (!way)
			continue;
		const struct link_counters *c = &way->count;
		uint64_t lost = 0;
		for (unsigned loss = 0; loss < LINK_LOSS_COUNT; loss++)
			lost += c->lost[loss];
		if (c->offered + c->duplicated == c->delivered + lost + c->on_the_way)
			continue;
		snprintf(why, cap, "link %s loses count", way->link->name);
		return false;
	}
	return true;
}

/* I27: no call of the stack took more steps than what it had to do may take. */
static bool bounded_work(struct invariant *i, struct node *n, char *why, size_t cap)
{
	const struct work_excess *e = &n->excess;
	(void)i;
	if (e->call)
		snprintf(why, cap, "%llu steps %s, and not %llu at most",
			(unsigned long long)e->steps, e->call, (unsigned long long)e->allowed);
	return !e->call;
}

void invariant_add_builtin(struct world *w)
{
	static const struct invariant builtin[] = {
		{ .name = "I35 (one fate, one reason)", .holds = one_fate },
		{ .name = "I09 (within the MTU)", .holds = fits_mtu },
		{ .name = "I27 (bounded work)", .holds = bounded_work },
		{ .name = "I30 (strictly valid)", .frame = is_strict },
		{ .name = "link counters", .holds = ways_add_up },
	};
	for (size_t k = 0; k < sizeof builtin / sizeof *builtin; k++) {
		struct invariant *i = world_alloc(w, sizeof *i);
		*i = builtin[k];
		invariant_add(w, i);
	}
}
