/*
 * Learning, then forwarding. Stations are found by a walk through a short
 * table: a simulated segment has a handful of them. A group address is never
 * learned as a source (IEEE 802.1D 7.8).
 */
#include "sim/switch.h"

#include <stdio.h>

#define ETH_HEADER 14

static bool is_group(const struct mac *m)
{
	return m->b[0] & 1;
}

static struct switch_station *find(struct eth_switch *s, const struct mac *mac)
{
	for (unsigned i = 0; i < s->stations; i++)
		if (mac_equal(&s->station[i].mac, mac))
			return &s->station[i];
	return NULL;
}

int switch_find(const struct eth_switch *s, const struct mac *mac)
{
	for (unsigned i = 0; i < s->stations; i++)
		if (mac_equal(&s->station[i].mac, mac))
			return s->world->now - s->station[i].seen < SWITCH_AGEING
				? s->station[i].port
				: -1;
	return -1;
}

static struct switch_station *new_station(struct eth_switch *s)
{
	if (s->stations < SWITCH_STATIONS)
		return &s->station[s->stations++];
	struct switch_station *oldest = &s->station[0];
	for (unsigned i = 1; i < s->stations; i++)
		if (s->station[i].seen < oldest->seen)
			oldest = &s->station[i];
	return oldest;
}

static void learn(struct eth_switch *s, const struct mac *mac, uint8_t port)
{
	if (is_group(mac))
		return;
	struct switch_station *station = find(s, mac);
	if (!station)
		station = new_station(s);
	*station = (struct switch_station){ .mac = *mac, .port = port, .seen = s->world->now };
}

static void flood(struct eth_switch *s, unsigned from, struct parcel *p)
{
	s->flooded++;
	for (unsigned i = 0; i < s->ports; i++)
		if (i != from)
			port_send(&s->port[i].port, parcel_copy(s->world, p));
	parcel_give(s->world, p);
}

static void receive(struct port *port, struct parcel *p)
{
	struct switch_port *in = list_entry(port, struct switch_port, port);
	struct eth_switch *s = in->owner;
	if (p->len < ETH_HEADER) {
		s->runts++;
		parcel_give(s->world, p);
		return;
	}
	struct mac to, from;
	memcpy(to.b, p->bytes, 6);
	memcpy(from.b, p->bytes + 6, 6);
	learn(s, &from, in->index);
	int out = is_group(&to) ? -1 : switch_find(s, &to);
	if (out < 0) {
		flood(s, in->index, p);
	} else if (out == in->index) {
		s->filtered++; /* it has been on the right segment already */
		parcel_give(s->world, p);
	} else {
		s->forwarded++;
		port_send(&s->port[out].port, p);
	}
}

struct eth_switch *switch_new(struct world *w, const char *name)
{
	struct eth_switch *s = world_alloc(w, sizeof *s);
	snprintf(s->name, sizeof s->name, "%s", name);
	s->world = w;
	list_push_back(&w->switches, &s->in_world);
	return s;
}

struct port *switch_port(struct eth_switch *s)
{
	assert(s->ports < SWITCH_PORTS);
	struct switch_port *p = &s->port[s->ports];
	p->owner = s;
	p->index = (uint8_t)s->ports++;
	p->port.world = s->world;
	p->port.receive = receive;
	snprintf(p->port.name, sizeof p->port.name, "%.20s/%u", s->name, p->index + 1u);
	return &p->port;
}
