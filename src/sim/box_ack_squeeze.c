/*
 * ACK compression: pure ACKs wait and then come all at once, as behind a cable
 * modem's request-grant cycle or a Wi-Fi aggregate. With thinning, only the last
 * of each flow survives, as modems with "ACK suppression" do, so that one ACK
 * covers hundreds of segments. A sender must neither burst without bound nor
 * mistake the silence for loss (RFC 3449 3, 5).
 */
#include "sim/box.h"
#include "sim/tcp_frame.h"

struct box_ack_squeeze {
	struct box box;
	nanodiff period;
	bool thin;
	struct list waiting;
	struct event release;
};

static bool is_pure_ack(struct tcp_frame *f, struct parcel *p)
{
	return tcp_frame_read(f, p) && !f->len && f->flags == TF_ACK;
}

static void fire_release(struct event *e)
{
	struct box_ack_squeeze *b = list_entry(e, struct box_ack_squeeze, release);
	for (struct list *l; (l = list_pop_front(&b->waiting));) {
		struct parcel *p = list_entry(l, struct parcel, link);
		box_release(&b->box, p->box_way, p);
	}
}

/* The one before it, of the same flow and direction, is not needed any more. */
static void drop_older(struct box_ack_squeeze *b, const struct tcp_frame *f, unsigned way)
{
	list_each_safe(l, &b->waiting)
	{
		struct parcel *p = list_entry(l, struct parcel, link);
		struct tcp_frame old;
		if (p->box_way != way || !tcp_frame_read(&old, p) ||
			tcp_frame_flow(&old, way) != tcp_frame_flow(f, way))
			continue;
		list_remove(&p->link);
		b->box.chain->kept--;
		box_drop(&b->box, p);
	}
}

static void pass(struct box *box, unsigned way, struct parcel *p)
{
	struct box_ack_squeeze *b = list_entry(box, struct box_ack_squeeze, box);
	struct world *w = box->chain->world;
	struct tcp_frame f;
	if (!is_pure_ack(&f, p) || !box_acts(box, 1000000)) {
		box_let_pass(box, way, p);
		return;
	}
	if (b->thin)
		drop_older(b, &f, way);
	p->box_way = (uint8_t)way;
	box_keep(box);
	list_push_back(&b->waiting, &p->link);
	if (!event_pending(&b->release))
		agenda_put(&w->agenda, &b->release, w->now + b->period);
}

struct box *box_ack_squeeze_new(struct box_chain *c, nanodiff period, bool thin)
{
	struct box_ack_squeeze *b = box_new(c, "ack squeeze", sizeof *b, pass);
	b->period = period;
	b->thin = thin;
	list_init(&b->waiting);
	event_init(&b->release, fire_release);
	return &b->box;
}
