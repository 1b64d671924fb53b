/*
 * Packets of one flow over several paths of different length, as a router does
 * that balances by packet instead of by flow. Reordering is then the rule: up to
 * the difference of the paths, all the time. Three duplicate ACKs mean nothing
 * here, and what was held to be lost arrives (RFC 4653, RFC 8985 3.3).
 */
#include "sim/box.h"

struct box_spray {
	struct box box;
	uint32_t paths;
	nanodiff step;
};

static void pass(struct box *box, unsigned way, struct parcel *p)
{
	struct box_spray *b = list_entry(box, struct box_spray, box);
	uint32_t path = box_acts(box, 1000000) ? rng_below(&box->rng, b->paths) : 0;
	if (path)
		box_let_pass_later(box, way, p, path * b->step);
	else
		box_let_pass(box, way, p);
}

struct box *box_spray_new(struct box_chain *c, uint32_t paths, nanodiff step)
{
	struct box_spray *b = box_new(c, "spray", sizeof *b, pass);
	b->paths = paths;
	b->step = step;
	return &b->box;
}
