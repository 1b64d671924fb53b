/*
 * Damage that a checksum does not show, and damage of length.
 *
 * The Internet checksum is a sum: it does not see that two 16-bit words changed
 * places, nor that one grew by what another shrank. Memory errors in routers do
 * exactly that (Stone and Partridge 2000). TCP can't detect it, so delivered
 * bytes may be wrong here; what must hold is that nothing crashes, overflows or
 * gets stuck, whatever field was hit.
 *
 * Frames cut short or with bytes behind their end are caught by lengths: a cut
 * one is lost, bytes behind the end are no part of the packet.
 */
#include "sim/box.h"
#include "sim/faults.h"
#include "sim/tcp_frame.h"

struct box_garble {
	struct box box;
	enum garble how;
	uint32_t ppm;
};

/* Two words of header and data change places, or one takes from the other. Addresses and ports
 * stay, so that it still is a segment of the connection. */
static void keep_sum(struct box *b, struct parcel *p)
{
	struct tcp_frame f;
	if (!tcp_frame_read(&f, p))
		return;
	uint32_t words = (f.data + f.len - f.tcp - 4) / 2;
	uint8_t *first = p->bytes + f.tcp + 4 + 2 * rng_below(&b->rng, words);
	uint8_t *second = p->bytes + f.tcp + 4 + 2 * rng_below(&b->rng, words);
	uint16_t x = load16(first), y = load16(second);
	if (rng_below(&b->rng, 2) && x != 0xffff && y != 0) {
		store16(first, (uint16_t)(x + 1));
		if (first != second)
			store16(second, (uint16_t)(y - 1));
		else
			store16(first, x);
	} else {
		store16(first, y);
		store16(second, x);
	}
}

static void change_length(struct box *b, struct parcel *p)
{
	uint32_t n = rng_below(&b->rng, 64);
	if (rng_below(&b->rng, 2)) {
		p->len = n < p->len ? p->len - n : 1;
	} else if (p->len + n <= p->cap) {
		rng_fill(&b->rng, p->bytes + p->len, n);
		p->len += n;
	}
}

static void pass(struct box *box, unsigned way, struct parcel *p)
{
	struct box_garble *b = list_entry(box, struct box_garble, box);
	if (p->seg_count == 1 && box_acts(box, b->ppm)) {
		if (b->how == GARBLE_KEEP_SUM)
			keep_sum(box, p);
		else
			change_length(box, p);
	}
	box_let_pass(box, way, p);
}

struct box *box_garble_new(struct box_chain *c, enum garble how, uint32_t ppm)
{
	struct box_garble *b = box_new(
		c, how == GARBLE_LENGTH ? "length" : "garble", sizeof *b, pass);
	b->how = how;
	b->ppm = ppm;
	return &b->box;
}
