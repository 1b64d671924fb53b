/*
 * Forges segments into flows that pass: censors that inject RSTs, and attackers
 * who guess. On the path it knows every number, so a RST that fits exactly does
 * end the connection; everything else must not:
 *
 *	RST or SYN in the window        a challenge ACK (RFC 5961 3, 4)
 *	RST, FIN or data out of it      an ACK at most (RFC 9293 3.10.7.4)
 *	data or FIN in the window, but with an acknowledgment of what was never
 *	sent, or of what is older than any window, or with an old timestamp
 *	                                discarded (RFC 5961 5, RFC 7323 5)
 *	other bytes where some were acknowledged already
 *	                                cut off: what was taken first stays
 *
 * Forged data that fits in every number can't be told from true data without
 * authentication, and is not sent here.
 */
#include "sim/box.h"
#include "sim/tcp_frame.h"

enum forgery {
	FORGE_RST_EXACT,
	FORGE_RST_IN_WINDOW,
	FORGE_RST_OUTSIDE,
	FORGE_SYN_IN_WINDOW,
	FORGE_FIN_OUTSIDE,
	FORGE_DATA_OUTSIDE,
	FORGE_DATA_BAD_ACK,
	FORGE_DATA_OLD_STAMP,
	FORGE_DATA_OLD_ACK,
	FORGE_FIN_BAD_ACK,
	FORGE_DATA_ACKED,
	FORGERIES
};

struct box_forger {
	struct box box;
	uint32_t ppm;
	bool stamps, acks;
	struct flow_memos acked; /* what each direction's receiver acknowledged */
};

static void put_data(struct box *b, struct tcp_frame *f)
{
	uint8_t garbage[100];
	rng_fill(&b->rng, garbage, sizeof garbage);
	tcp_frame_append(f, garbage, 1 + rng_below(&b->rng, sizeof garbage));
}

/* False: this one does not go with this segment. */
static bool shape(
	struct box *b, const struct tcp_frame *f, enum forgery what, struct tcp_frame *lie)
{
	uint32_t len, at = tcp_frame_option(f, 8, &len), end = f->seq + tcp_frame_span(f);
	uint32_t far = (rng_below(&b->rng, 2) ? UINT32_C(1) << 30 : -(UINT32_C(1) << 30));
	const uint8_t *bytes = f->parcel->bytes;
	lie->flags = TF_ACK;
	lie->seq = end;
	if (what != FORGE_DATA_OLD_STAMP && at && len == 10)
		tcp_frame_stamp(lie, load32(bytes + at + 2), load32(bytes + at + 6));
	switch (what) {
	case FORGE_RST_EXACT: lie->flags = TF_RST | TF_ACK; return true;
	case FORGE_RST_IN_WINDOW:
		lie->flags = TF_RST | TF_ACK;
		lie->seq = end + 1 + rng_below(&b->rng, 1000);
		return true;
	case FORGE_RST_OUTSIDE:
		lie->flags = TF_RST | TF_ACK;
		lie->seq = end + far;
		return true;
	case FORGE_SYN_IN_WINDOW:
		lie->flags = TF_SYN;
		lie->ack = 0;
		lie->seq = end + rng_below(&b->rng, 1000);
		return true;
	case FORGE_FIN_OUTSIDE:
		lie->flags = TF_FIN | TF_ACK;
		lie->seq = end + far;
		return true;
	case FORGE_DATA_OUTSIDE:
		lie->seq = end + far;
		put_data(b, lie);
		return true;
	case FORGE_DATA_BAD_ACK:
		lie->ack += UINT32_C(1) << 30;
		put_data(b, lie);
		return true;
	case FORGE_DATA_OLD_STAMP:
		if (!at || len != 10 || !load32(bytes + at + 2))
			return false;
		tcp_frame_stamp(lie, load32(bytes + at + 2) - 100000, load32(bytes + at + 6));
		put_data(b, lie);
		return true;
	case FORGE_DATA_OLD_ACK:
		lie->ack -= UINT32_C(1) << 30;
		put_data(b, lie);
		return true;
	case FORGE_FIN_BAD_ACK:
		lie->flags = TF_FIN | TF_ACK;
		lie->ack += UINT32_C(1) << 30;
		put_data(b, lie);
		return true;
	case FORGE_DATA_ACKED: return false; /* shaped by who knows what was */
	case FORGERIES: break;
	}
	return false;
}

/* Garbage that ends where the receiver has acknowledged all, with a true timestamp. */
static bool shape_acked(
	struct box_forger *b, const struct tcp_frame *f, unsigned way, struct tcp_frame *lie)
{
	uint32_t len, at = tcp_frame_option(f, 8, &len);
	const struct flow_memo *m = flow_memo(&b->acked, tcp_frame_flow(f, way), false);
	const uint8_t *bytes = f->parcel->bytes;
	if (!b->acks || !m || !m->known[way])
		return false;
	lie->flags = TF_ACK;
	if (at && len == 10)
		tcp_frame_stamp(lie, load32(bytes + at + 2), load32(bytes + at + 6));
	put_data(&b->box, lie);
	lie->seq = m->n[way] - lie->len;
	return true;
}

static void forge(struct box_forger *b, const struct tcp_frame *f, unsigned way)
{
	struct tcp_frame lie;
	struct world *w = b->box.chain->world;
	struct parcel *p = tcp_frame_bare(w, f, false, &lie);
	enum forgery what = (enum forgery)rng_below(&b->box.rng, FORGERIES);
	bool done = what == FORGE_DATA_ACKED                 ? shape_acked(b, f, way, &lie)
		: what == FORGE_DATA_OLD_STAMP && !b->stamps ? false
							     : shape(&b->box, f, what, &lie);
	if (done) {
		tcp_frame_write(&lie);
		box_add(&b->box, way, p);
	} else {
		parcel_give(w, p);
	}
}

/* What the other direction's receiver has got; a SYN begins anew. */
static void remember(struct box_forger *b, const struct tcp_frame *f, unsigned way)
{
	struct flow_memo *m = flow_memo(&b->acked, tcp_frame_flow(f, way), true);
	if (f->flags & (TF_SYN | TF_RST)) {
		m->known[0] = m->known[1] = false;
	} else if (f->flags & TF_ACK && (!m->known[!way] || (int32_t)(f->ack - m->n[!way]) > 0)) {
		m->n[!way] = f->ack;
		m->known[!way] = true;
	}
}

static void pass(struct box *box, unsigned way, struct parcel *p)
{
	struct box_forger *b = list_entry(box, struct box_forger, box);
	struct tcp_frame f;
	bool read = tcp_frame_read(&f, p);
	if (read)
		remember(b, &f, way);
	if (read && f.flags & TF_ACK && !(f.flags & (TF_SYN | TF_RST)) && box_acts(box, b->ppm))
		forge(b, &f, way);
	box_let_pass(box, way, p);
}

struct box *box_forger_new(struct box_chain *c, uint32_t ppm, bool stamps, bool acks)
{
	struct box_forger *b = box_new(c, "forger", sizeof *b, pass);
	b->ppm = ppm;
	b->stamps = stamps;
	b->acks = acks;
	return &b->box;
}
