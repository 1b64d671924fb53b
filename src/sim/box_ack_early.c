/*
 * A performance-enhancing proxy that acknowledges data in the receiver's name
 * before it has delivered it, and then loses it (RFC 3135 4.1 warns of exactly
 * this). The sender has forgotten the bytes, the receiver never gets them: the
 * connection can't be saved. Both ends must come to an error, instead of waiting
 * for each other or passing the gap off as the stream. What it offers is the window
 * that the receiver offered last.
 */
#include "sim/box.h"
#include "sim/tcp_frame.h"

struct box_ack_early {
	struct box box;
	uint32_t ppm;
	struct flow_memos windows; /* as each direction's sender offered it last */
};

static void acknowledge(struct box *b, const struct tcp_frame *f, unsigned way, uint32_t window)
{
	struct tcp_frame lie;
	uint32_t len, at = tcp_frame_option(f, 8, &len);
	struct parcel *p = tcp_frame_bare(b->chain->world, f, true, &lie);
	lie.seq = f->ack;
	lie.ack = f->seq + tcp_frame_span(f);
	lie.flags = TF_ACK;
	lie.window = (uint16_t)window;
	if (at && len == 10) /* RFC 7323: turned round like the addresses */
		tcp_frame_stamp(
			&lie, load32(f->parcel->bytes + at + 6), load32(f->parcel->bytes + at + 2));
	tcp_frame_write(&lie);
	box_add(b, !way, p);
}

static void pass(struct box *box, unsigned way, struct parcel *p)
{
	struct box_ack_early *b = list_entry(box, struct box_ack_early, box);
	struct tcp_frame f;
	if (!tcp_frame_read(&f, p) || !(f.flags & TF_ACK) || f.flags & TF_SYN) {
		box_let_pass(box, way, p); /* a SYN's window is of another scale */
		return;
	}
	struct flow_memo *m = flow_memo(&b->windows, tcp_frame_flow(&f, way), true);
	m->n[way] = f.window;
	m->known[way] = true;
	if (f.len && m->known[!way] && box_acts(box, b->ppm)) {
		acknowledge(box, &f, way, m->n[!way]);
		box_drop(box, p);
		return;
	}
	box_let_pass(box, way, p);
}

struct box *box_ack_early_new(struct box_chain *c, uint32_t ppm)
{
	struct box_ack_early *b = box_new(c, "ack early", sizeof *b, pass);
	b->ppm = ppm;
	return &b->box;
}
