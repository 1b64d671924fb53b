/*
 * One event a SYN. All that is random comes from a generator of its own, so that
 * a flood does not shift what the machines of its world draw.
 */
#include "sim/syn_flood.h"

#include <stdio.h>

#include "base/checksum.h"
#include "wire/eth.h"
#include "wire/ip4.h"
#include "wire/tcp.h"

static void send_one(struct syn_flood *f)
{
	const struct syn_flood_config *c = &f->config;
	uint64_t random = rng_next(&f->rng);
	uint8_t four[4];
	store32(four, addr_four(&c->from) + rng_below(&f->rng, c->hosts));
	struct addr source = addr_from4(four);
	struct tcp_header tcp = {
		.source_port = (uint16_t)(1024 + random % 64512),
		.destination_port = c->port,
		.seq = (uint32_t)(random >> 32),
		.flags = TCP_SYN,
		.window = 64240,
		.options = { .has = TCP_HAS_MSS, .mss = 1460 },
	};
	struct ip4_header ip = {
		.header_len = IP4_HEADER,
		.ttl = 64,
		.protocol = 6,
		.source = source,
		.destination = c->victim,
	};
	struct eth_header eth = {
		.destination = c->next_hop, .source = c->mac, .type = ETHERTYPE_IP4
	};
	uint8_t bytes[TCP_HEADER_MAX];
	size_t len = tcp_emit(&tcp, bytes, sizeof bytes);
	uint16_t sum = checksum_finish(checksum_header(bytes, len) +
				       pseudo_sum(&source, &c->victim, 6, (uint32_t)len));
	memcpy(bytes + 16, &sum, 2);
	ip.total_len = (uint16_t)(IP4_HEADER + len);
	struct parcel *p = parcel_take(f->port.world, ETH_HEADER + IP4_HEADER + len);
	eth_emit(&eth, p->bytes, ETH_HEADER);
	ip4_emit(&ip, p->bytes + ETH_HEADER, IP4_HEADER);
	memcpy(p->bytes + ETH_HEADER + IP4_HEADER, bytes, len);
	port_send(&f->port, p);
}

static void fire(struct event *e)
{
	struct syn_flood *f = list_entry(e, struct syn_flood, next);
	struct world *w = f->port.world;
	send_one(f);
	if (++f->sent < f->config.count)
		agenda_put(&w->agenda, e, w->now + f->config.interval);
}

static void receive(struct port *port, struct parcel *p)
{
	list_entry(port, struct syn_flood, port)->answers++;
	parcel_give(port->world, p);
}

struct syn_flood *syn_flood_new(struct world *w, const char *name, const struct syn_flood_config *c)
{
	struct syn_flood *f = world_alloc(w, sizeof *f);
	snprintf(f->port.name, sizeof f->port.name, "%s", name);
	f->port.world = w;
	f->port.receive = receive;
	f->config = *c;
	world_rng(w, name, "flood", &f->rng);
	event_init(&f->next, fire);
	if (c->count)
		agenda_put(&w->agenda, &f->next, w->now + c->interval);
	return f;
}
