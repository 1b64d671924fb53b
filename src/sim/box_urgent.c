/*
 * Touches urgent data and timestamps: normalizers that clear the urgent flag and
 * so inline what it marked (RFC 6093 3.4), a sender that sets it at random (the
 * mark must never take a byte out of the stream, RFC 6093 4), and boxes that
 * write zeroes into timestamps, which PAWS then refuses (RFC 7323 5).
 */
#include "sim/box.h"
#include "sim/tcp_frame.h"

struct box_urgent {
	struct box box;
	enum urgent_meddling how;
	uint32_t ppm;
};

static void meddle(struct box_urgent *b, struct tcp_frame *f)
{
	uint8_t *h = f->parcel->bytes + f->tcp;
	uint32_t len, at = tcp_frame_option(f, 8, &len);
	switch (b->how) {
	case URGENT_CLEAR:
		f->flags &= (uint8_t)~TF_URG;
		store16(h + 18, 0);
		break;
	case URGENT_SET:
		f->flags |= TF_URG;
		store16(h + 18, (uint16_t)rng_below(&b->box.rng, f->len + 10));
		break;
	case TIMESTAMP_ZERO:
		if (at && len == 10)
			memset(f->parcel->bytes + at + 2, 0, 8);
		break;
	}
}

static void pass(struct box *box, unsigned way, struct parcel *p)
{
	struct box_urgent *b = list_entry(box, struct box_urgent, box);
	struct tcp_frame f;
	if (tcp_frame_read(&f, p) && f.len && !(f.flags & TF_SYN) && box_acts(box, b->ppm)) {
		meddle(b, &f);
		tcp_frame_write(&f);
	}
	box_let_pass(box, way, p);
}

struct box *box_urgent_new(struct box_chain *c, enum urgent_meddling how, uint32_t ppm)
{
	struct box_urgent *b = box_new(c, "urgent", sizeof *b, pass);
	b->how = how;
	b->ppm = ppm;
	return &b->box;
}
