/*
 * Parcels come in two sizes: a plain frame's, which go round through the free
 * list, and larger ones (super-frames, jumbo frames), which are kept apart at
 * the end of the same list. Pool memory belongs to the world.
 */
#include "sim/port.h"

#include "packet/frame.h"
#include "sim/link.h"

#define PARCEL_PLAIN 2048u
#define PARCEL_LARGE 66560u /* 64 KB of packet and its link header */

struct parcel *parcel_take(struct world *w, size_t len)
{
	assert(len <= PARCEL_LARGE);
	struct parcel *p = NULL;
	struct list *first = w->parcels.next, *last = w->parcels.prev;
	if (first != &w->parcels && len <= list_entry(first, struct parcel, link)->cap)
		p = list_entry(first, struct parcel, link);
	else if (last != &w->parcels && len <= list_entry(last, struct parcel, link)->cap)
		p = list_entry(last, struct parcel, link);
	if (p) {
		list_remove(&p->link);
	} else {
		uint32_t cap = len <= PARCEL_PLAIN ? PARCEL_PLAIN : PARCEL_LARGE;
		p = world_alloc(w, sizeof *p + cap);
		p->cap = cap;
		p->bytes = (uint8_t *)(p + 1);
	}
	*p = (struct parcel){ .cap = p->cap,
		.bytes = p->bytes,
		.len = (uint32_t)len,
		.seg_count = 1,
		.checksum = CHECKSUM_UNKNOWN };
	list_init(&p->link);
	return p;
}

struct parcel *parcel_copy(struct world *w, const struct parcel *p)
{
	struct parcel *copy = parcel_take(w, p->len);
	memcpy(copy->bytes, p->bytes, p->len);
	copy->way = p->way;
	copy->wire = p->wire;
	copy->seg_size = p->seg_size;
	copy->seg_count = p->seg_count;
	copy->checksum = p->checksum;
	copy->why = p->why;
	return copy;
}

void parcel_give(struct world *w, struct parcel *p)
{
	agenda_remove(&w->agenda, &p->event);
	list_remove(&p->link);
	if (p->cap == PARCEL_PLAIN)
		list_push_front(&w->parcels, &p->link);
	else
		list_push_back(&w->parcels, &p->link);
}
