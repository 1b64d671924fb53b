/*
 * A routing loop, as seen from its end: packets come with a hop limit of 1, and
 * the next router discards them with an ICMP time exceeded. That error is soft
 * (RFC 5461): a connection that exists lives on and retransmits.
 */
#include "sim/box.h"
#include "sim/tcp_frame.h"

struct box_hops {
	struct box box;
	uint32_t ppm;
};

static void pass(struct box *box, unsigned way, struct parcel *p)
{
	struct box_hops *b = list_entry(box, struct box_hops, box);
	struct tcp_frame f;
	if (tcp_frame_read(&f, p) && box_acts(box, b->ppm)) {
		p->bytes[f.ip + (f.v6 ? 7 : 8)] = 1;
		tcp_frame_write(&f);
	}
	box_let_pass(box, way, p);
}

struct box *box_hops_new(struct box_chain *c, uint32_t ppm)
{
	struct box_hops *b = box_new(c, "hops", sizeof *b, pass);
	b->ppm = ppm;
	return &b->box;
}
