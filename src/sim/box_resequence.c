/*
 * Rewrites sequence numbers: firewalls that "randomize" initial numbers for
 * hosts they do not trust. Each flow whose SYN it saw gets an offset for each
 * direction, which stays for its life. Such boxes are known to forget the
 * numbers inside SACK blocks: the sender then gets blocks that lie nowhere near
 * its window, must ignore them (RFC 2018 4), and repair losses without.
 *
 * A flow is rewritten from its first SYN on or never. Where that SYN passed while
 * the box was off, a later copy of it (sent again, or replayed) must not begin an
 * offset in the middle of the connection: no stack survives that. So the flows
 * that pass as they are count as known too, and a full table forgets nobody.
 */
#include "sim/box.h"
#include "sim/tcp_frame.h"

struct box_resequence {
	struct box box;
	bool fix_sack;
	struct flow_memos flows;
};

static void shift_sack(struct tcp_frame *f, uint32_t by)
{
	uint32_t len, at = tcp_frame_option(f, 5, &len);
	if (!at)
		return;
	uint8_t *b = f->parcel->bytes;
	for (uint32_t i = at + 2; i + 4 <= at + len; i += 4)
		store32(b + i, load32(b + i) - by);
}

static void pass(struct box *box, unsigned way, struct parcel *p)
{
	struct box_resequence *b = list_entry(box, struct box_resequence, box);
	struct tcp_frame f;
	if (!tcp_frame_read(&f, p)) {
		box_let_pass(box, way, p);
		return;
	}
	uint64_t key = tcp_frame_flow(&f, way);
	struct flow_memo *m = flow_memo(&b->flows, key, false);
	if (!m && (f.flags & (TF_SYN | TF_ACK)) == TF_SYN && b->flows.next < FLOW_MEMOS) {
		m = flow_memo(&b->flows, key, true);
		if (box_acts(box, 1000000)) {
			m->known[0] = m->known[1] = true;
			m->n[0] = (uint32_t)rng_next(&box->rng);
			m->n[1] = (uint32_t)rng_next(&box->rng);
		}
	}
	if (m && m->known[way]) {
		f.seq += m->n[way];
		if (f.flags & TF_ACK)
			f.ack -= m->n[!way];
		if (b->fix_sack)
			shift_sack(&f, m->n[!way]);
		tcp_frame_write(&f);
	}
	box_let_pass(box, way, p);
}

struct box *box_resequence_new(struct box_chain *c, bool fix_sack)
{
	struct box_resequence *b = box_new(c, "resequence", sizeof *b, pass);
	b->fix_sack = fix_sack;
	return &b->box;
}
