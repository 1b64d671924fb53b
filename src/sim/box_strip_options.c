/*
 * Takes TCP options away. On SYNs: firewalls that "normalize" remove what they
 * do not know, by NOPs in its place or by shrinking the header; both ends must
 * then do without, and agree on it (RFC 9293 MUST-5 and following; RFC 7323 1.3:
 * an option is in use only if both SYNs carried it). On data: boxes that strip
 * timestamps in mid flow, which RFC 7323 3.2 tells the receiver to discard, and
 * SACK blocks, without which loss is repaired more slowly.
 */
#include "sim/box.h"
#include "sim/tcp_frame.h"

struct box_strip_options {
	struct box box;
	uint32_t kinds;
	bool syn, nop;
};

static bool strip_kind(const struct box_strip_options *b, struct tcp_frame *f, unsigned kind)
{
	uint32_t len, at = tcp_frame_option(f, kind, &len);
	if (at)
		tcp_frame_remove_option(f, at, len, b->nop);
	return at != 0;
}

static bool strip(struct box_strip_options *b, struct tcp_frame *f)
{
	bool any = false;
	if (b->kinds & 1) {
		any |= strip_kind(b, f, 172);
		any |= strip_kind(b, f, 174);
	}
	for (unsigned kind = 2; kind < 32; kind++)
		if (b->kinds >> kind & 1)
			any |= strip_kind(b, f, kind);
	return any;
}

static void pass(struct box *box, unsigned way, struct parcel *p)
{
	struct box_strip_options *b = list_entry(box, struct box_strip_options, box);
	struct tcp_frame f;
	if (box_on(box) && tcp_frame_read(&f, p) && !!(f.flags & TF_SYN) == b->syn &&
		strip(b, &f)) {
		box->touched++;
		tcp_frame_write(&f);
	}
	box_let_pass(box, way, p);
}

struct box *box_strip_options_new(struct box_chain *c, uint32_t kinds, bool syn, bool nop)
{
	struct box_strip_options *b = box_new(c, syn ? "strip syn" : "strip data", sizeof *b, pass);
	b->kinds = kinds;
	b->syn = syn;
	b->nop = nop;
	return &b->box;
}
