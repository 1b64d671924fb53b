/*
 * Meddles with ECN as the field does (Kuehlewind and others 2013): routers that
 * clear the two IP bits on their way, or set them, as if they were a type of service;
 * routers that mark every capable packet; boxes that zero the TCP flags of ECN;
 * firewalls that drop a SYN with ECE and CWR set, or clear these flags in it. A
 * sender must fall back where its ECN-setup SYN is lost (RFC 3168 6.1.1.1), and
 * must go on at its least rate where everything is marked.
 */
#include "sim/box.h"
#include "sim/tcp_frame.h"

struct box_ecn {
	struct box box;
	enum ecn_meddling how;
};

/* The two bits of the IP header: IPv4's second byte; IPv6's are in its second byte's upper half. */
static uint8_t *bits_of(const struct tcp_frame *f, unsigned *shift)
{
	*shift = f->v6 ? 4 : 0;
	return f->parcel->bytes + f->ip + 1;
}

static void set_ip(struct tcp_frame *f, unsigned ecn)
{
	unsigned shift;
	uint8_t *at = bits_of(f, &shift);
	*at = (uint8_t)((*at & ~(3u << shift)) | ecn << shift);
}

static void zero_flags(struct tcp_frame *f)
{
	f->flags &= (uint8_t) ~(TF_ECE | TF_CWR);
	f->parcel->bytes[f->tcp + 12] &= 0xfe; /* AE */
}

static void meddle_ip(struct tcp_frame *f, bool mark)
{
	unsigned shift;
	uint8_t *at = bits_of(f, &shift);
	unsigned ecn = *at >> shift & 3u;
	if (ecn)
		*at = (uint8_t)((*at & ~(3u << shift)) | (mark ? 3u << shift : 0));
}

static void pass(struct box *box, unsigned way, struct parcel *p)
{
	struct box_ecn *b = list_entry(box, struct box_ecn, box);
	struct tcp_frame f;
	if (!box_on(box) || !tcp_frame_read(&f, p)) {
		box_let_pass(box, way, p);
		return;
	}
	bool setup = f.flags & TF_SYN && f.flags & (TF_ECE | TF_CWR);
	if (b->how == ECN_DROP_SYN && setup) {
		box->touched++;
		box_drop(box, p);
		return;
	}
	if (b->how == ECN_BLEACH || b->how == ECN_MARK_ALL)
		meddle_ip(&f, b->how == ECN_MARK_ALL);
	else if (b->how == ECN_CLEAR_SYN && setup)
		f.flags &= (uint8_t) ~(TF_ECE | TF_CWR);
	else if (b->how == ECN_ZERO_FLAGS && !(f.flags & TF_SYN))
		zero_flags(&f);
	else if (b->how == ECN_MARK_SYN && f.flags & TF_SYN)
		set_ip(&f, 2);
	box->touched++;
	tcp_frame_write(&f);
	box_let_pass(box, way, p);
}

struct box *box_ecn_new(struct box_chain *c, enum ecn_meddling how)
{
	struct box_ecn *b = box_new(c, "ecn", sizeof *b, pass);
	b->how = how;
	return &b->box;
}
