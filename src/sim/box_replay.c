/*
 * Sends old segments again. A network may hold a segment for up to MSL and
 * deliver it into a later life of the same pair of ports; an attacker may do so
 * at will. The box keeps some of the frames that pass and lets copies follow
 * seconds or minutes later: old data must not be taken for new, an old SYN must
 * not tear a connection down, an old ACK must not move anything (RFC 9293 3.4,
 * RFC 7323 5, RFC 5961).
 */
#include "sim/box.h"
#include "sim/faults.h"

#define KEPT 32

struct box_replay {
	struct box box;
	uint32_t ppm;
	nanodiff most;
	struct parcel *kept[KEPT];
	unsigned char way[KEPT];
};

static void remember(struct box_replay *b, unsigned way, const struct parcel *p)
{
	struct world *w = b->box.chain->world;
	unsigned place = rng_below(&b->box.rng, KEPT);
	if (b->kept[place])
		parcel_give(w, b->kept[place]);
	b->kept[place] = parcel_copy(w, p);
	b->way[place] = (unsigned char)way;
}

static void replay(struct box_replay *b)
{
	struct world *w = b->box.chain->world;
	unsigned place = rng_below(&b->box.rng, KEPT);
	nanodiff later = (nanodiff)(rng_next(&b->box.rng) % (uint64_t)(b->most + 1));
	if (!b->kept[place])
		return;
	b->box.chain->added++;
	box_let_pass_later(&b->box, b->way[place], parcel_copy(w, b->kept[place]), later);
}

static void pass(struct box *box, unsigned way, struct parcel *p)
{
	struct box_replay *b = list_entry(box, struct box_replay, box);
	if (box_on(box) && p->seg_count == 1 && rng_below(&box->rng, 4) == 0)
		remember(b, way, p);
	if (box_acts(box, b->ppm))
		replay(b);
	box_let_pass(box, way, p);
}

struct box *box_replay_new(struct box_chain *c, uint32_t ppm, nanodiff most)
{
	struct box_replay *b = box_new(c, "replay", sizeof *b, pass);
	b->ppm = ppm;
	b->most = most;
	return &b->box;
}
