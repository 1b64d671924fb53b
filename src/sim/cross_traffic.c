/*
 * One event for each frame. The frames have an Ethernet type for local
 * experiments (IEEE 802 9.2.4) and a destination that nobody has: switches and
 * boxes carry them, machines drop them for a reason that they count.
 */
#include "sim/cross_traffic.h"

struct source {
	struct cross_traffic config;
	struct port *port;
	struct event event;
};

static struct parcel *make_frame(struct world *w, uint32_t size)
{
	static const uint8_t head[14] = { 2, 0, 0, 0xff, 0xff, 0xff, 2, 0, 0, 0xff, 0xff, 0xfe,
		0x88, 0xb5 };
	struct parcel *p = parcel_take(w, size);
	memset(p->bytes, 0, size);
	memcpy(p->bytes, head, sizeof head);
	return p;
}

static void send(struct event *e)
{
	struct source *s = list_entry(e, struct source, event);
	struct world *w = s->port->world;
	const struct cross_traffic *c = &s->config;
	nanodiff at = (w->now - c->from) % c->period;
	port_send(s->port, make_frame(w, c->size));
	nanotime next = at + c->gap < c->burst ? w->now + c->gap : w->now - at + c->period;
	if (next < c->until)
		agenda_put(&w->agenda, &s->event, next);
}

void cross_traffic_start(struct port *from, const struct cross_traffic *c)
{
	struct source *s = world_alloc(from->world, sizeof *s);
	assert(c->gap > 0 && c->period > c->burst && c->size >= 60);
	s->config = *c;
	s->port = from;
	event_init(&s->event, send);
	agenda_put(&from->world->agenda, &s->event, c->from);
}
