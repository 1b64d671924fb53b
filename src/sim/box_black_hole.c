/*
 * A path MTU black hole: packets above a size vanish, and the ICMP error that
 * would say so vanishes with them, because somebody's firewall "blocks ping".
 * The handshake succeeds, small exchanges work, the first full segment hangs, until
 * its sender tries smaller ones (RFC 4821, 8899) or the path is whole again.
 */
#include "sim/box.h"

#define ETH 14

struct box_black_hole {
	struct box box;
	uint32_t mtu;
};

static void pass(struct box *box, unsigned way, struct parcel *p)
{
	struct box_black_hole *b = list_entry(box, struct box_black_hole, box);
	if (p->len > b->mtu + ETH && box_acts(box, 1000000))
		box_drop(box, p);
	else
		box_let_pass(box, way, p);
}

struct box *box_black_hole_new(struct box_chain *c, uint32_t mtu)
{
	struct box_black_hole *b = box_new(c, "black hole", sizeof *b, pass);
	b->mtu = mtu;
	return &b->box;
}
