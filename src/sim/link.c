/*
 * The three parts of a way: offering (limits that stand before the queue), the
 * transmitter (one event for each frame), the wire (faults, then an arrival
 * event for each parcel). Without a rate the transmitter is passed by.
 */
#include "sim/link.h"

#include "base/checksum.h"

#include <stdio.h>

#define REORDER_DELAY (10 * NANO_MS)
#define HOLD_FOR_TIME UINT32_MAX

static const struct {
	const char *name, *text;
} losses[LINK_LOSS_COUNT] = { [LINK_KEPT] = { "KEPT", "not lost" },
#define LINK_LOSS_ROW(name, text) [LINK_LOST_##name] = { #name, text },
	LINK_LOSSES(LINK_LOSS_ROW)
#undef LINK_LOSS_ROW
};

const char *link_loss_name(enum link_loss loss)
{
	return (unsigned)loss < LINK_LOSS_COUNT ? losses[loss].name : "";
}

const char *link_loss_text(enum link_loss loss)
{
	return (unsigned)loss < LINK_LOSS_COUNT ? losses[loss].text : "";
}

const char *link_config_check(const struct link_config *c)
{
	if (c->delay < 0)
		return "the delay is negative";
	if (c->delay > 86400 * NANO_S)
		return "the delay is more than a day";
	if (c->rate && c->rate < 100)
		return "the rate is below 100 bit/s";
	if (c->rate > UINT64_C(100000000000000))
		return "the rate is above 100 Tbit/s";
	if (c->mtu && c->mtu < 68)
		return "the MTU is below 68 bytes";
	return fault_config_check(&c->faults);
}

/* Sizes and times */

static uint32_t wire_bytes(uint32_t len)
{
	return (len < LINK_FRAME_MIN ? LINK_FRAME_MIN : len) + LINK_OVERHEAD;
}

static nanodiff wire_time(const struct link_config *c, uint64_t bytes)
{
	if (!c->rate)
		return 0;
	return (nanodiff)((bytes * 8 * (uint64_t)NANO_S + c->rate - 1) / c->rate);
}

nanodiff link_serialization(const struct link_config *c, uint32_t len)
{
	return wire_time(c, wire_bytes(len));
}

/* Length of the link header: Ethernet with at most one VLAN tag. */
static uint32_t link_header(const struct parcel *p)
{
	return p->len >= 14 && load16(p->bytes + 12) == 0x8100 ? 18 : 14;
}

/* Headers that each segment of a super-frame repeats: link, IP without extensions, TCP. */
static uint32_t segment_headers(const struct parcel *p)
{
	uint32_t at = link_header(p);
	if (p->len < at + 60)
		return at;
	at += p->bytes[at] >> 4 == 6 ? 40u : (p->bytes[at] & 15u) * 4;
	return at + (p->bytes[at + 12] >> 4) * 4u;
}

static uint32_t parcel_wire(const struct parcel *p)
{
	uint32_t bytes = wire_bytes(p->len);
	if (p->seg_count > 1)
		bytes += (p->seg_count - 1u) * (segment_headers(p) + LINK_OVERHEAD);
	return bytes;
}

/* Ends */

static struct world *world_of(const struct link_way *way)
{
	return way->link->world;
}

static void tell_tap(
	struct link_way *way, const struct parcel *p, enum link_loss loss, const char *note)
{
	if (way->link->tap)
		way->link->tap(way->link->tap_user, way, p, loss, note);
}

static void lose(struct link_way *way, struct parcel *p, enum link_loss loss)
{
	way->count.lost[loss]++;
	way->count.on_the_way--;
	world_note(world_of(way), NOTE_LOST, way->place, parcel_span(p));
	tell_tap(way, p, loss, NULL);
	parcel_give(world_of(way), p);
}

static void fire_arrival(struct event *e)
{
	struct parcel *p = list_entry(e, struct parcel, event);
	struct link_way *way = p->way;
	if (way->config.pad && p->len < LINK_FRAME_MIN) {
		memset(p->bytes + p->len, 0, LINK_FRAME_MIN - p->len);
		p->len = LINK_FRAME_MIN;
	}
	way->count.on_the_way--;
	way->count.delivered++;
	way->count.delivered_bytes += p->len;
	world_note(world_of(way), NOTE_DELIVERED, way->place, parcel_span(p));
	p->way = NULL;
	way->to->receive(way->to, p);
}

/* The wire */

static void arrive_at(struct link_way *way, struct parcel *p, nanotime time)
{
	p->event.fire = fire_arrival;
	agenda_put(&world_of(way)->agenda, &p->event, time);
}

/* In order: never before the frame that went before. */
static nanotime arrive_in_order(struct link_way *way, struct parcel *p, nanodiff jitter)
{
	nanotime time = world_of(way)->now + way->config.delay + jitter;
	if (time < way->last_arrival)
		time = way->last_arrival;
	way->last_arrival = time;
	arrive_at(way, p, time);
	return time;
}

static void release(struct link_way *way, struct parcel *p)
{
	list_remove(&p->link);
	arrive_at(way, p, world_of(way)->now + way->config.delay);
}

static void fire_release(struct event *e)
{
	struct parcel *p = list_entry(e, struct parcel, event);
	release(p->way, p);
}

static void hold_back(struct link_way *way, struct parcel *p)
{
	const struct fault_config *c = &way->config.faults;
	nanodiff most = c->reorder_delay ? c->reorder_delay : REORDER_DELAY;
	way->count.reordered++;
	p->hold = c->reorder_by ? c->reorder_by : HOLD_FOR_TIME;
	p->event.fire = fire_release;
	list_push_back(&way->held, &p->link);
	agenda_put(&world_of(way)->agenda, &p->event, world_of(way)->now + most);
}

/* A frame has passed those that are held back. */
static void count_passing(struct link_way *way)
{
	list_each_safe(l, &way->held)
	{
		struct parcel *p = list_entry(l, struct parcel, link);
		if (p->hold != HOLD_FOR_TIME && --p->hold == 0)
			release(way, p);
	}
}

static enum link_loss wire_loss(
	struct link_way *way, const struct parcel *p, const struct fault_verdict *v)
{
	if (way->filter && !way->filter(way->filter_user, way, p))
		return LINK_LOST_FILTER;
	if (v->lost_nth)
		return LINK_LOST_NTH;
	if (v->lost_loss)
		return LINK_LOST_LOSS;
	return v->lost_burst ? LINK_LOST_BURST : LINK_KEPT;
}

/* The last bit has left the transmitter. */
static void enter_wire(struct link_way *way, struct parcel *p)
{
	struct world *w = world_of(way);
	struct fault_verdict v = faults_next(&way->faults, w->now);
	enum link_loss loss = wire_loss(way, p, &v);
	if (loss != LINK_KEPT) {
		lose(way, p, loss);
		return;
	}
	if (v.corrupt && !faults_corrupt(&way->faults, p->bytes, p->len)) {
		lose(way, p, LINK_LOST_CHECK);
		return;
	}
	way->count.corrupted += v.corrupt;
	tell_tap(way, p, LINK_KEPT,
		v.corrupt             ? "corrupted on the link"
			: v.reorder   ? "held back on the link"
			: v.duplicate ? "duplicated on the link"
				      : NULL);
	nanotime time = w->now + way->config.delay;
	struct parcel *copy = v.duplicate ? parcel_copy(w, p) : NULL;
	if (v.reorder) {
		hold_back(way, p);
	} else {
		time = arrive_in_order(way, p, v.jitter);
		count_passing(way);
	}
	if (copy) {
		way->count.duplicated++;
		way->count.on_the_way++;
		arrive_at(way, copy, time + way->config.faults.duplicate_delay);
	}
}

/* The queue and the transmitter */

static bool queue_full(const struct link_way *way, uint32_t len)
{
	const struct link_config *c = &way->config;
	return way->queued >= (c->queue_frames ? c->queue_frames : LINK_QUEUE) ||
		(c->queue_bytes && way->queued_bytes + len > c->queue_bytes);
}

/* RFC 3168 5: CE in place of ECT. False: the packet is not ECN-capable. */
static bool mark(struct parcel *p)
{
	uint32_t at = link_header(p);
	if (p->len < at + 40)
		return false;
	uint8_t *ip = p->bytes + at;
	bool v6 = ip[0] >> 4 == 6;
	unsigned shift = v6 ? 4 : 0;
	if (load16(ip - 2) != (v6 ? 0x86dd : 0x0800) || !(ip[1] >> shift & 3))
		return false;
	ip[1] |= (uint8_t)(3 << shift);
	if (!v6) {
		store16(ip + 10, 0);
		uint16_t sum = checksum_finish(
			checksum_plain.sum(ip, (size_t)(ip[0] & 15) * 4));
		memcpy(ip + 10, &sum, 2);
	}
	return true;
}

static void start(struct link_way *way, struct parcel *p)
{
	way->sending = p;
	agenda_put(&world_of(way)->agenda, &way->sent,
		world_of(way)->now + wire_time(&way->config, p->wire));
}

static struct parcel *unqueue(struct link_way *way)
{
	struct list *l = list_pop_front(&way->queue);
	if (!l)
		return NULL;
	struct parcel *p = list_entry(l, struct parcel, link);
	way->queued--;
	way->queued_bytes -= p->len;
	return p;
}

static void tell_room(struct link_way *way)
{
	if (!way->blocked || port_blocked(way->from))
		return;
	way->blocked = false;
	if (way->from->room)
		way->from->room(way->from);
}

static void fire_sent(struct event *e)
{
	struct link_way *way = list_entry(e, struct link_way, sent);
	struct parcel *p = way->sending, *next = unqueue(way);
	way->sending = NULL;
	if (next)
		start(way, next);
	enter_wire(way, p);
	tell_room(way);
}

static void offer(struct link_way *way, struct parcel *p)
{
	way->count.offered++;
	way->count.offered_bytes += p->len;
	way->count.on_the_way++;
	p->way = way;
	p->wire = parcel_wire(p);
	if (!way->link->up) {
		lose(way, p, LINK_LOST_DOWN);
	} else if (way->config.mtu && p->seg_count == 1 &&
		p->len > way->config.mtu + link_header(p)) {
		lose(way, p, LINK_LOST_MTU);
	} else if (!way->config.rate && !way->sending) {
		enter_wire(way, p);
	} else if (!way->sending) {
		start(way, p);
	} else if (queue_full(way, p->len)) {
		lose(way, p, LINK_LOST_QUEUE);
	} else {
		if (way->config.mark_frames && way->queued >= way->config.mark_frames)
			way->count.marked += mark(p);
		list_push_back(&way->queue, &p->link);
		way->queued_bytes += p->len;
		if (++way->queued > way->count.queue_high)
			way->count.queue_high = way->queued;
		if (way->queued_bytes > way->count.queue_high_bytes)
			way->count.queue_high_bytes = way->queued_bytes;
	}
}

void port_send(struct port *p, struct parcel *parcel)
{
	if (p->out)
		offer(p->out, parcel);
	else
		parcel_give(p->world, parcel);
}

bool port_blocked(const struct port *p)
{
	struct link_way *way = p->out;
	if (!way || !way->config.blocking || !way->sending)
		return false;
	if (queue_full(way, 1514))
		way->blocked = true;
	return queue_full(way, 1514);
}

/* Making and changing */

static void set_config(struct link_way *way, const struct link_config *c)
{
	assert(!link_config_check(c));
	way->config = *c;
	way->faults.config = c->faults;
}

static void way_init(struct link *l, unsigned index, struct port *from, struct port *to,
	const struct link_config *c)
{
	struct link_way *way = &l->way[index];
	char use[LINK_NAME_MAX];
	way->link = l;
	way->from = from;
	way->to = to;
	set_config(way, c);
	list_init(&way->queue);
	list_init(&way->held);
	event_init(&way->sent, fire_sent);
	struct rng place;
	world_rng(l->world, l->name, index ? "back" : "there", &place);
	way->place = rng_next(&place);
	for (unsigned i = 0; i < FAULT_USES; i++) {
		snprintf(use, sizeof use, "%s/%s", index ? "back" : "there", fault_use_name(i));
		world_rng(l->world, l->name, use, &way->faults.rng[i]);
	}
	assert(!from->out);
	from->out = way;
}

struct link *link_connect(struct world *w, const char *name, struct port *a, struct port *b,
	const struct link_config *there, const struct link_config *back)
{
	struct link *l = world_alloc(w, sizeof *l);
	snprintf(l->name, sizeof l->name, "%s", name);
	l->world = w;
	l->up = true;
	way_init(l, 0, a, b, there);
	way_init(l, 1, b, a, back ? back : there);
	list_push_back(&w->links, &l->in_world);
	return l;
}

void link_change(struct link *l, unsigned way, const struct link_config *c)
{
	set_config(&l->way[way], c);
	tell_room(&l->way[way]);
}

void link_set_up(struct link *l, bool up)
{
	l->up = up;
	for (unsigned i = 0; i < 2 && !up; i++) {
		struct link_way *way = &l->way[i];
		if (way->sending) {
			agenda_remove(&l->world->agenda, &way->sent);
			lose(way, way->sending, LINK_LOST_DOWN);
			way->sending = NULL;
		}
		for (struct parcel *p; (p = unqueue(way));)
			lose(way, p, LINK_LOST_DOWN);
		tell_room(way);
	}
}

struct link *world_link(struct world *w, const char *name)
{
	list_each(l, &w->links)
	{
		struct link *link = list_entry(l, struct link, in_world);
		if (strcmp(link->name, name) == 0)
			return link;
	}
	return NULL;
}
