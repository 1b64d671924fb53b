/*
 * Joins segments that follow on each other, as receive offload in a gateway
 * does, up to what an Ethernet frame takes. Boundaries of segments mean nothing
 * to TCP, but stacks come to rely on them: one ACK then stands for what left as
 * two segments, and a SACK block may cover part of what is remembered as one.
 */
#include "sim/box.h"
#include "sim/tcp_frame.h"

#define FRAME 1514u

struct box_coalesce {
	struct box box;
	uint32_t ppm;
	nanodiff wait;
	struct parcel *held;
	unsigned way;
	struct event release;
};

static void release(struct box_coalesce *b)
{
	struct parcel *p = b->held;
	if (!p)
		return;
	b->held = NULL;
	agenda_remove(&b->box.chain->world->agenda, &b->release);
	box_release(&b->box, b->way, p);
}

static void fire_release(struct event *e)
{
	release(list_entry(e, struct box_coalesce, release));
}

/* Plain data, in order behind what is held, with options of the same length. */
static bool joins(const struct tcp_frame *held, const struct tcp_frame *f)
{
	return f->seq == held->seq + held->len && f->v6 == held->v6 &&
		tcp_frame_flow(held, 0) == tcp_frame_flow(f, 0) &&
		f->data - f->tcp == held->data - held->tcp && held->flags == TF_ACK &&
		(f->flags | TF_PSH | TF_FIN) == (TF_ACK | TF_PSH | TF_FIN) &&
		held->data + held->len + f->len <= FRAME;
}

/* The newer options, flags, window and acknowledgment stand for both. */
static bool join(struct box_coalesce *b, const struct tcp_frame *f)
{
	struct tcp_frame held;
	const uint8_t *bytes = f->parcel->bytes;
	if (!tcp_frame_read(&held, b->held) || !joins(&held, f))
		return false;
	held.flags = f->flags;
	held.ack = f->ack;
	held.window = f->window;
	memcpy(b->held->bytes + held.tcp + 20, bytes + f->tcp + 20, f->data - f->tcp - 20);
	if (!tcp_frame_append(&held, bytes + f->data, f->len))
		return false;
	tcp_frame_write(&held);
	return true;
}

static void pass(struct box *box, unsigned way, struct parcel *p)
{
	struct box_coalesce *b = list_entry(box, struct box_coalesce, box);
	struct world *w = box->chain->world;
	struct tcp_frame f;
	bool data = tcp_frame_read(&f, p) && f.len && !(f.flags & (TF_SYN | TF_RST | TF_URG));
	if (data && b->held && b->way == way && join(b, &f)) {
		box_drop(box, p);
		return;
	}
	if (b->held && b->way == way)
		release(b);
	if (data && !b->held && f.flags == TF_ACK && box_acts(box, b->ppm)) {
		b->held = p;
		b->way = way;
		box_keep(box);
		agenda_put(&w->agenda, &b->release, w->now + b->wait);
		return;
	}
	box_let_pass(box, way, p);
}

struct box *box_coalesce_new(struct box_chain *c, uint32_t ppm, nanodiff wait)
{
	struct box_coalesce *b = box_new(c, "coalesce", sizeof *b, pass);
	b->ppm = ppm;
	b->wait = wait;
	event_init(&b->release, fire_release);
	return &b->box;
}
