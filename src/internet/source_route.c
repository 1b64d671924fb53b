/*
 * The table of source routes is small, searched only where there are any, and bounded: when it is
 * full, the place of a route that no connection holds is taken, one after the other in turn.
 *
 * A route that arrives is turned around: the addresses that the routers wrote down, last first,
 * then the sender (RFC 1122 3.2.1.8 c). Its option must be whole and used up, which makes us the
 * destination; and there may be only one of them.
 */
#include "internet/source_route.h"

#include "internet/internet_private.h"

#define LENGTH_OF(hops) ((size_t)3 + 4 * (hops)) /* kind, length, pointer, addresses */

static bool same_owner(const struct source_route_owner *a, const struct source_route_owner *b)
{
	return a->local_port == b->local_port && a->remote_port == b->remote_port &&
		addr_equal(&a->remote, &b->remote) && addr_equal(&a->local, &b->local);
}

struct source_route *source_route_at(const struct internet *in, uint8_t number)
{
	assert(number > 0 && number <= SOURCE_ROUTES);
	return &in->private->source_route[number - 1];
}

uint8_t source_route_find(const struct internet *in, const struct source_route_owner *owner)
{
	for (uint8_t n = 1; n <= SOURCE_ROUTES; n++) {
		const struct source_route *r = source_route_at(in, n);
		if (r->used && same_owner(&r->owner, owner))
			return n;
	}
	return 0;
}

/* A place that nobody holds: a free one, else the next in turn. */
static uint8_t place(struct internet *in)
{
	for (uint8_t n = 1; n <= SOURCE_ROUTES; n++)
		if (!source_route_at(in, n)->used)
			return n;
	for (unsigned i = 0; i < SOURCE_ROUTES; i++) {
		uint8_t n = in->private->source_route_next;
		in->private->source_route_next = (uint8_t)(n % SOURCE_ROUTES + 1);
		if (!source_route_at(in, n)->held)
			return n;
	}
	return 0;
}

uint8_t source_route_put(struct internet *in, const struct source_route *r)
{
	uint8_t n = source_route_find(in, &r->owner);
	if (!n)
		n = place(in);
	if (!n)
		return 0;
	struct source_route *to = source_route_at(in, n);
	bool held = to->held && same_owner(&to->owner, &r->owner);
	*to = *r;
	to->used = true;
	to->held = held;
	in->routed = true;
	return n;
}

void source_route_release(struct internet *in, uint8_t number)
{
	source_route_at(in, number)->held = false;
}

/* One option's addresses, turned around; the sender, who comes last, is the destination. */
static bool turn(const struct ip4_option *o, struct source_route *r)
{
	size_t bytes = o->data.len;
	if (bytes < 1 || (bytes - 1) % 4 != 0)
		return false;
	size_t count = (bytes - 1) / 4;
	if (count > SOURCE_ROUTE_HOPS || o->data.at[0] != LENGTH_OF(count) + 1)
		return false; /* the pointer stands behind the last: the route has ended */
	r->hops = (uint8_t)count;
	r->strict = o->kind == IP4_OPT_STRICT_ROUTE;
	for (size_t i = 0; i < count; i++) {
		const uint8_t *hop = o->data.at + 1 + 4 * (count - 1 - i);
		struct addr a = addr_from4(hop);
		if (addr_is_multicast(&a) || hop[0] == 0 || hop[0] == 127 || hop[0] >= 240)
			return false;
		memcpy(r->hop[i], hop, 4);
	}
	return true;
}

bool source_route_parse(struct span options, struct source_route *r)
{
	size_t offset = 0;
	unsigned found = 0;
	struct ip4_option o;
	while (ip4_option_next(options, &offset, &o)) {
		if (o.kind != IP4_OPT_LOOSE_ROUTE && o.kind != IP4_OPT_STRICT_ROUTE)
			continue;
		if (found++ || !turn(&o, r))
			return false;
	}
	return found == 1 && offset >= options.len;
}

bool source_route_of(const struct internet *in, const struct rx *rx, struct source_route *r)
{
	if (!in->config.source_routes || !addr_is4(&rx->source) || rx->ip_header_len <= IP4_HEADER)
		return false;
	struct span options = span_after(rx->packet, IP4_HEADER);
	return source_route_parse(span_first(options, rx->ip_header_len - IP4_HEADER), r);
}

static struct addr first_hop(const struct source_route *r, const struct addr *destination)
{
	return r->hops ? addr_from4(r->hop[0]) : *destination;
}

size_t source_route_emit(const struct source_route *r, const struct addr *destination,
	struct addr *first, uint8_t option[40])
{
	*first = first_hop(r, destination);
	if (!r->hops)
		return 0;
	/* as many addresses as hops: all but the first, then the destination */
	size_t len = LENGTH_OF(r->hops);
	option[0] = r->strict ? IP4_OPT_STRICT_ROUTE : IP4_OPT_LOOSE_ROUTE;
	option[1] = (uint8_t)len;
	option[2] = 4;
	for (unsigned i = 1; i < r->hops; i++)
		memcpy(option + 4 * i - 1, r->hop[i], 4);
	memcpy(option + 4 * r->hops - 1, destination->b + 12, 4);
	option[len] = 0; /* end of the options: the header's length counts words */
	return len + 1;
}

enum error source_route_path(struct internet *in, struct path *p, nanotime now)
{
	const struct source_route *r = source_route_at(in, p->route);
	struct addr first = first_hop(r, &r->owner.remote);
	struct path way = { .neighbour = NEIGHBOUR_NO_INDEX };
	enum error e = path_look_up(in, &way, &first, now);
	if (e != ERR_OK)
		return e;
	uint16_t mtu = (uint16_t)(way.mtu - (r->hops ? LENGTH_OF(r->hops) + 1 : 0));
	if (p->mtu && p->mtu < mtu)
		mtu = p->mtu;
	way.mtu = mtu;
	way.route = p->route;
	way.generation = 0; /* never fresh: each packet asks, and finds its route */
	*p = way;
	return ERR_OK;
}
