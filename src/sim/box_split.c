/*
 * Cuts data segments in two, as a normalizer or a slow tunnel's TCP-aware
 * gateway does. The options go with both pieces or with the first only: then the
 * second has no timestamp, which a receiver that negotiated them discards, so
 * that the data has to come again (RFC 7323 3.2). FIN and PSH belong to the last.
 */
#include "sim/box.h"
#include "sim/tcp_frame.h"

struct box_split {
	struct box box;
	uint32_t ppm;
	bool copy;
};

static void split(struct box_split *b, struct tcp_frame *f, unsigned way)
{
	struct tcp_frame rest = *f;
	uint32_t head = 1 + rng_below(&b->box.rng, f->len - 1);
	rest.parcel = parcel_copy(b->box.chain->world, f->parcel);
	tcp_frame_cut(&rest, head, rest.len - head);
	if (!b->copy) {
		uint8_t *bytes = rest.parcel->bytes;
		memmove(bytes + rest.tcp + 20, bytes + rest.data, rest.len);
		rest.data = rest.tcp + 20;
	}
	tcp_frame_write(&rest);
	tcp_frame_cut(f, 0, head);
	f->flags &= (uint8_t) ~(TF_FIN | TF_PSH);
	tcp_frame_write(f);
	box_let_pass(&b->box, way, f->parcel);
	box_add(&b->box, way, rest.parcel);
}

static void pass(struct box *box, unsigned way, struct parcel *p)
{
	struct box_split *b = list_entry(box, struct box_split, box);
	struct tcp_frame f;
	if (tcp_frame_read(&f, p) && f.len > 1 && !(f.flags & TF_SYN) && box_acts(box, b->ppm))
		split(b, &f, way);
	else
		box_let_pass(box, way, p);
}

struct box *box_split_new(struct box_chain *c, uint32_t ppm, bool copy)
{
	struct box_split *b = box_new(c, "split", sizeof *b, pass);
	b->ppm = ppm;
	b->copy = copy;
	return &b->box;
}
