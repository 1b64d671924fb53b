/*
 * MSS clamping: a router in front of a tunnel lowers the MSS option of SYNs so
 * that full segments fit; a broken one raises it, or writes 0. An MSS above what
 * the link takes must not make packets larger than the link's MTU (MUST-16), and
 * one of next to nothing must not make a storm of tiny segments
 * (CVE-2019-11479).
 */
#include "sim/box.h"
#include "sim/tcp_frame.h"

struct box_mss_clamp {
	struct box box;
	uint16_t mss;
};

static void pass(struct box *box, unsigned way, struct parcel *p)
{
	struct box_mss_clamp *b = list_entry(box, struct box_mss_clamp, box);
	struct tcp_frame f;
	uint32_t len, at;
	if (box_on(box) && tcp_frame_read(&f, p) && f.flags & TF_SYN &&
		(at = tcp_frame_option(&f, 2, &len)) && len == 4) {
		box->touched++;
		store16(p->bytes + at + 2, b->mss);
		tcp_frame_write(&f);
	}
	box_let_pass(box, way, p);
}

struct box *box_mss_clamp_new(struct box_chain *c, uint16_t mss)
{
	struct box_mss_clamp *b = box_new(c, "mss clamp", sizeof *b, pass);
	b->mss = mss;
	return &b->box;
}
