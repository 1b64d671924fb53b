/*
 * Another machine claims an address: it announces by ARP that the sender's
 * address is its own (RFC 5227 calls it a conflict). A neighbour that believes
 * it sends into nothing until it asks again; the owner may defend itself. Flows
 * stall, and must go on once the thief is silent.
 */
#include "sim/box.h"

#include "sim/faults.h"

#define ETH 14

struct box_thief {
	struct box box;
	uint32_t ppm;
};

/* A gratuitous ARP announcement for the packet's source, from a machine that is nowhere. */
static void claim(struct box *b, unsigned way, const struct parcel *p)
{
	struct parcel *lie = parcel_take(b->chain->world, 60);
	uint8_t *a = lie->bytes;
	memset(a, 0, 60);
	memset(a, 0xff, 6);
	a[6] = 0x02;
	a[11] = 0xee;
	store16(a + 12, 0x0806);
	store16(a + 14, 1);
	store16(a + 16, 0x0800);
	a[18] = 6;
	a[19] = 4;
	store16(a + 20, rng_below(&b->rng, 2) ? 1 : 2);
	memcpy(a + 22, a + 6, 6);
	memcpy(a + 28, p->bytes + ETH + 12, 4);
	memcpy(a + 38, p->bytes + ETH + 12, 4);
	box_add(b, way, lie);
}

static void pass(struct box *box, unsigned way, struct parcel *p)
{
	struct box_thief *b = list_entry(box, struct box_thief, box);
	if (p->len >= ETH + 20 && load16(p->bytes + 12) == 0x0800 && box_acts(box, b->ppm))
		claim(box, way, p);
	box_let_pass(box, way, p);
}

struct box *box_thief_new(struct box_chain *c, uint32_t ppm)
{
	struct box_thief *b = box_new(c, "thief", sizeof *b, pass);
	b->ppm = ppm;
	return &b->box;
}
