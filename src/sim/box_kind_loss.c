/*
 * Loses segments of one kind and lets all others pass. Uniform loss seldom hits
 * the one segment that matters: the SYN-ACK, the last segment of a write, the
 * ACK that opens a closed window. Each of them is what some timer exists for, so
 * a run that loses nothing else shows whether that timer is armed.
 *
 * What is a retransmission or a window update is known only by comparison with
 * what went before, so the box keeps the highest sequence number of each
 * direction, and looks at SYN, FIN and data as a person with tcpdump would.
 */
#include "sim/box.h"
#include "sim/tcp_frame.h"

struct box_kind_loss {
	struct box box;
	enum segment_kind kind;
	uint32_t ppm;
	struct flow_memos highest, acked;
};

static bool is_icmp(const struct parcel *p)
{
	if (p->len < 34)
		return false;
	uint16_t type = load16(p->bytes + 12);
	return (type == 0x0800 && p->bytes[23] == 1) || (type == 0x86dd && p->bytes[20] == 58);
}

static bool is_again(struct box_kind_loss *b, const struct tcp_frame *f, unsigned way)
{
	struct flow_memo *m = flow_memo(&b->highest, tcp_frame_flow(f, way), true);
	uint32_t end = f->seq + tcp_frame_span(f);
	bool again = m->known[way] && f->len && (int32_t)(end - m->n[way]) <= 0;
	if (!again && tcp_frame_span(f)) {
		m->known[way] = true;
		m->n[way] = end;
	}
	return again;
}

static bool is_update(struct box_kind_loss *b, const struct tcp_frame *f, unsigned way)
{
	struct flow_memo *m = flow_memo(&b->acked, tcp_frame_flow(f, way), true);
	bool same = m->known[way] && m->n[way] == f->ack;
	m->known[way] = true;
	m->n[way] = f->ack;
	return same && !tcp_frame_span(f);
}

static bool is_kind(struct box_kind_loss *b, struct parcel *p, unsigned way)
{
	struct tcp_frame f;
	if (b->kind == KIND_ICMP)
		return is_icmp(p);
	if (!tcp_frame_read(&f, p))
		return false;
	bool again = is_again(b, &f, way), update = is_update(b, &f, way);
	bool plain = !(f.flags & (TF_SYN | TF_FIN | TF_RST));
	switch (b->kind) {
	case KIND_SYN: return (f.flags & (TF_SYN | TF_ACK)) == TF_SYN;
	case KIND_SYN_ACK: return (f.flags & (TF_SYN | TF_ACK)) == (TF_SYN | TF_ACK);
	case KIND_FIN: return f.flags & TF_FIN;
	case KIND_PURE_ACK: return plain && !f.len;
	case KIND_RETRANSMIT: return again;
	case KIND_DATA: return f.len > 0;
	case KIND_WINDOW_UPDATE: return plain && update;
	case KIND_LAST: return f.len && f.flags & TF_PSH;
	case KIND_ICMP:
	case KIND_COUNT: break;
	}
	return false;
}

static void pass(struct box *box, unsigned way, struct parcel *p)
{
	struct box_kind_loss *b = list_entry(box, struct box_kind_loss, box);
	if (is_kind(b, p, way) && box_acts(box, b->ppm))
		box_drop(box, p);
	else
		box_let_pass(box, way, p);
}

struct box *box_kind_loss_new(struct box_chain *c, enum segment_kind kind, uint32_t ppm)
{
	struct box_kind_loss *b = box_new(
		c, kind == KIND_PURE_ACK ? "ack loss" : "kind loss", sizeof *b, pass);
	b->kind = kind;
	b->ppm = ppm;
	return &b->box;
}
