/*
 * A token bucket policer: what exceeds the rate is not queued but dropped at
 * once. A sender sees no rising delay as a warning; after its burst allowance it
 * loses whole windows, retransmissions with them (Flach and others 2016). What
 * must hold is that recovery still ends and the RTO does not run away.
 */
#include "sim/box.h"

struct box_policer {
	struct box box;
	uint32_t rate, depth;
	struct {
		uint64_t tokens; /* bytes times NANO_S */
		nanotime filled;
	} bucket[2];
};

static bool take(struct box_policer *b, unsigned way, uint32_t len)
{
	nanotime now = b->box.chain->world->now;
	uint64_t cap = (uint64_t)b->depth * (uint64_t)NANO_S, want = len * (uint64_t)NANO_S;
	uint64_t gap = (uint64_t)(now - b->bucket[way].filled);
	uint64_t most = cap / b->rate;
	uint64_t tokens = b->bucket[way].tokens + (gap > most ? most : gap) * b->rate;
	b->bucket[way].filled = now;
	b->bucket[way].tokens = tokens > cap ? cap : tokens;
	if (b->bucket[way].tokens < want)
		return false;
	b->bucket[way].tokens -= want;
	return true;
}

static void pass(struct box *box, unsigned way, struct parcel *p)
{
	struct box_policer *b = list_entry(box, struct box_policer, box);
	if (box_on(box) && !take(b, way, p->len)) {
		box->touched++;
		box_drop(box, p);
		return;
	}
	box_let_pass(box, way, p);
}

struct box *box_policer_new(struct box_chain *c, uint32_t rate, uint32_t depth)
{
	struct box_policer *b = box_new(c, "policer", sizeof *b, pass);
	assert(rate > 0);
	b->rate = rate;
	b->depth = depth;
	for (unsigned i = 0; i < 2; i++)
		b->bucket[i].tokens = (uint64_t)depth * (uint64_t)NANO_S;
	return &b->box;
}
