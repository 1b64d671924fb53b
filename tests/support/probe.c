/* Frames that are told apart by the number behind their Ethernet header. */
#include "support/probe.h"

#include <stdio.h>

#define TYPE_IP4 0x0800

static void receive(struct port *port, struct parcel *parcel)
{
	struct probe *p = list_entry(port, struct probe, port);
	const struct hash_key key = { { 1, 2 } };
	assert(p->count < PROBE_ARRIVALS && parcel->len >= 18);
	p->arrival[p->count++] = (struct probe_arrival){
		.time = port->world->now,
		.number = load32(parcel->bytes + 14),
		.len = parcel->len,
		.sum = siphash24(&key, parcel_span(parcel)),
	};
	parcel_give(port->world, parcel);
}

static void room(struct port *port)
{
	list_entry(port, struct probe, port)->rooms++;
}

struct probe *probe_new(struct world *w, const char *name)
{
	struct probe *p = world_alloc(w, sizeof *p);
	p->port.world = w;
	p->port.receive = receive;
	p->port.room = room;
	snprintf(p->port.name, sizeof p->port.name, "%s", name);
	return p;
}

static void fill(uint8_t *at, uint32_t number, uint32_t len, uint16_t type)
{
	assert(len >= 18);
	memcpy(at, "\x02\0\0\0\0\x02\x02\0\0\0\0\x01", 12);
	store16(at + 12, type);
	store32(at + 14, number);
	for (uint32_t i = 18; i < len; i++)
		at[i] = (uint8_t)(number + i * 7);
}

struct parcel *probe_frame(struct probe *p, uint32_t number, uint32_t len, uint16_t type)
{
	struct parcel *parcel = parcel_take(p->port.world, len);
	fill(parcel->bytes, number, len, type);
	return parcel;
}

void probe_send(struct probe *p, uint32_t number, uint32_t count, uint32_t len)
{
	for (uint32_t i = 0; i < count; i++)
		port_send(&p->port, probe_frame(p, number + i, len, TYPE_IP4));
}

uint64_t probe_sum(uint32_t number, uint32_t len, uint16_t type)
{
	uint8_t bytes[2048];
	const struct hash_key key = { { 1, 2 } };
	assert(len <= sizeof bytes);
	fill(bytes, number, len, type);
	return siphash24(&key, span_of(bytes, len));
}
