/*
 * Driving one stack: frames in from its ports, its turn in an instant, its
 * wake-up. The secret of a node's stack comes from the world's seed and the
 * node's name, so that what a node draws does not depend on which others exist.
 */
#include "sim/invariant.h"

#include <stdio.h>
#include <stdlib.h>

#define TRANSMIT_BUDGET 64
#define NODE_TURNS      1000 /* of transmit in one turn: more than any window's frames */
#define MTU             1500

/* Frames in and out */

static bool transmit(void *link, struct netif *nif, const struct tx_frame *frame, nanotime now)
{
	struct node_interface *i = link;
	struct parcel *p = parcel_take(i->node->world, frame_len(frame));
	(void)now;
	frame_copy(frame, p->bytes, p->len);
	p->seg_size = frame->seg_size;
	p->seg_count = frame->seg_count;
	p->checksum = frame->checksum == CHECKSUM_PARTIAL ? CHECKSUM_PARTIAL : CHECKSUM_UNKNOWN;
	p->why = frame->why;
	if (i->node->trouble && trouble_refuses(i->node->trouble)) {
		parcel_give(i->node->world, p);
		return false;
	}
	if (frame->seg_count == 1 && p->len > nif->mtu + (nif->vlan ? 18u : 14u))
		i->oversized++;
	invariant_check_frame(i->node, p);
	port_send(&i->port, p);
	nif->blocked = port_blocked(&i->port) ||
		(i->node->trouble && trouble_ring_full(i->node->trouble));
	return true;
}

static const struct link_ops node_link_ops = { .name = "sim", .transmit = transmit };

static void give_frame(struct node_interface *i, const struct rx_frame *frame)
{
	struct node *n = i->node;
	n->frames++;
	invariant_hear_frame(n, frame);
	struct work w;
	if (n->trouble)
		trouble_hide_memory(n->trouble);
	work_begin(&w, n->stack);
	stack_receive(n->stack, i->netif, frame, node_clock(n));
	work_end(&w, n->stack, "to receive a frame", 1, &n->excess);
	if (n->trouble)
		trouble_show_memory(n->trouble);
}

void node_receive(struct port *port, struct parcel *p)
{
	struct node_interface *i = list_entry(port, struct node_interface, port);
	struct node *n = i->node;
	struct rx_frame frame = rx_frame_of(p->bytes, p->len);
	frame.seg_size = p->seg_size;
	frame.seg_count = p->seg_count;
	frame.checksum = p->checksum;
	give_frame(i, &frame);
	if (n->trouble && trouble_makes_runt(n->trouble)) {
		struct rx_frame runt = rx_frame_of(p->bytes, p->len % 14);
		give_frame(i, &runt);
	}
	parcel_give(n->world, p);
	node_touch(n);
}

static void receive(struct port *port, struct parcel *p)
{
	struct node_interface *i = list_entry(port, struct node_interface, port);
	if (!i->node->trouble || !trouble_keeps(i->node->trouble, port, p))
		node_receive(port, p);
}

static void room(struct port *port)
{
	struct node_interface *i = list_entry(port, struct node_interface, port);
	i->netif->blocked = false;
	node_touch(i->node);
}

/* Its turn */

nanotime node_clock(const struct node *n)
{
	return n->trouble ? trouble_clock(n->trouble, n->world->now) : n->world->now;
}

void node_run_soon(struct node *n)
{
	if (!list_linked(&n->dirty))
		list_push_back(&n->world->dirty, &n->dirty);
}

void node_touch(struct node *n)
{
	if (!n->trouble || !trouble_starves(n->trouble))
		node_run_soon(n);
}

static void fire_wake(struct event *e)
{
	struct node *n = list_entry(e, struct node, wake);
	world_note(n->world, NOTE_WAKE, n->index, span_of(NULL, 0));
	node_touch(n);
}

static void run_apps(struct node *n)
{
	list_each_safe(l, &n->apps)
	{
		struct app *a = list_entry(l, struct app, link);
		a->run(a, n->stack, n->world->now);
	}
}

static unsigned transmit_some(struct node *n)
{
	struct work w;
	work_begin(&w, n->stack);
	unsigned sent = stack_transmit(n->stack, node_clock(n), TRANSMIT_BUDGET);
	work_end(&w, n->stack, "to transmit", sent, &n->excess);
	return sent;
}

/* Did anything come of it: frames, or news for applications? */
static bool transmit_all(struct node *n)
{
	uint32_t news = stack_news(n->stack);
	bool sent = false;
	unsigned turns = 0;
	while (transmit_some(n)) {
		sent = true;
		if (++turns == NODE_TURNS) {
			world_halt(n->world, WORLD_RUNAWAY, "%s sends without an end", n->name);
			break;
		}
	}
	return sent || stack_news(n->stack) != news;
}

static nanotime next_deadline(struct node *n)
{
	nanotime next = stack_next_deadline(n->stack);
	if (n->trouble)
		next = trouble_wake(n->trouble, trouble_when(n->trouble, next));
	list_each(l, &n->apps)
	{
		const struct app *a = list_entry(l, struct app, link);
		if (a->deadline)
			next = nanotime_min(next, a->deadline(a));
	}
	return next;
}

static void sleep_until_next(struct node *n)
{
	nanotime next = next_deadline(n);
	if (next == NANOTIME_NEVER)
		agenda_remove(&n->world->agenda, &n->wake);
	else if (next < n->world->now)
		agenda_put(&n->world->agenda, &n->wake, n->world->now);
	else if (next != n->wake.time)
		agenda_put(&n->world->agenda, &n->wake, next);
}

static void fire_timers(struct node *n)
{
	struct work w;
	work_begin_timers(&w, n->stack, node_clock(n));
	stack_timers(n->stack, node_clock(n));
	work_end(&w, n->stack, "for timers", 0, &n->excess);
}

void node_run(struct node *n)
{
	if (n->trouble)
		trouble_hide_memory(n->trouble);
	fire_timers(n);
	unsigned round = 0;
	do {
		if (round++ == NODE_ROUNDS) {
			world_halt(n->world, WORLD_RUNAWAY, "%s does not come to rest", n->name);
			break;
		}
		run_apps(n);
	} while (transmit_all(n));
	if (n->trouble)
		trouble_show_memory(n->trouble);
	sleep_until_next(n);
}

/* From outside */

struct stack *node_use(struct node *n)
{
	stack_set_time(n->stack, node_clock(n));
	node_touch(n);
	return n->stack;
}

void node_add_app(struct node *n, struct app *app)
{
	list_push_back(&n->apps, &app->link);
	node_touch(n);
}

static void relay(void *user, const struct trace_event *event)
{
	struct node *n = user;
	list_each_safe(l, &n->sinks)
	{
		struct node_sink *s = list_entry(l, struct node_sink, link);
		s->sink(s->user, n, event);
	}
}

void node_listen(struct node *n, struct node_sink *s)
{
	list_push_back(&n->sinks, &s->link);
	stack_set_trace(n->stack, relay, n);
}

void node_unlisten(struct node *n, struct node_sink *s)
{
	list_remove(&s->link);
	if (list_empty(&n->sinks))
		stack_set_trace(n->stack, NULL, NULL);
}

struct node *world_node(struct world *w, const char *name)
{
	list_each(l, &w->nodes)
	{
		struct node *n = list_entry(l, struct node, in_world);
		if (strcmp(n->name, name) == 0)
			return n;
	}
	return NULL;
}

/* Making */

void node_config_default(struct stack_config *c)
{
	stack_config_default(c);
	c->access.neighbours = 256;
	c->access.incomplete_max = 64;
	c->transport.sockets = 1024;
	c->transport.listeners = 32;
	c->transport.backlog_max = 256;
	c->transport.connections = 1024;
	c->transport.flights = 1024;
	c->transport.embryos = 512;
	c->transport.time_waits = 2048;
	c->transport.sent_ranges = 16384;
	c->transport.datagram_sockets = 64;
	c->transport.blocks = 16384;
	c->transport.big_blocks = 64;
}

static bool build_stack(struct node *n, const char **why)
{
	if (n->world->config.fill)
		memset(n->memory, n->world->config.fill, n->memory_size);
	n->stack = stack_create(&n->config, n->memory, n->memory_size, node_clock(n), why);
	return n->stack != NULL;
}

static bool make_stack(struct node *n, const struct stack_config *config, const char **why)
{
	struct rng secret;
	n->config = *config;
	world_rng(n->world, n->world->config.one_secret ? "all" : n->name, "secret", &secret);
	rng_fill(&secret, n->config.secret, sizeof n->config.secret);
	*why = stack_config_check(&n->config);
	if (*why)
		return false;
	n->memory_size = (stack_memory(&n->config) + 63) & ~(size_t)63;
	n->memory = aligned_alloc(64, n->memory_size);
	if (!n->memory) {
		*why = "no memory for another stack";
		return false;
	}
	return build_stack(n, why);
}

struct node *node_new(
	struct world *w, const char *name, const struct stack_config *config, const char **why)
{
	struct stack_config c;
	const char *unused;
	if (config)
		c = *config;
	else
		node_config_default(&c);
	struct node *n = world_alloc(w, sizeof *n);
	snprintf(n->name, sizeof n->name, "%s", name);
	n->index = ++w->node_count;
	n->world = w;
	list_init(&n->apps);
	list_init(&n->dirty);
	list_init(&n->sinks);
	event_init(&n->wake, fire_wake);
	list_push_back(&w->nodes, &n->in_world);
	if (!make_stack(n, &c, why ? why : &unused)) {
		list_remove(&n->in_world);
		free(n->memory);
		return NULL;
	}
	return n;
}

void node_free(struct node *n)
{
	free(n->memory);
	n->memory = NULL;
}

/* Interfaces */

struct port *node_port_with(struct node *n, const struct netif_config *config)
{
	assert(n->interfaces < ACCESS_NETIFS);
	struct node_interface *i = &n->interface[n->interfaces];
	struct netif_config c = *config;
	const char *why;
	c.ops = &node_link_ops;
	c.link = i;
	i->node = n;
	i->port.world = n->world;
	i->port.receive = receive;
	i->port.room = room;
	i->port.bare = c.features & LINK_BARE;
	snprintf(i->port.name, sizeof i->port.name, "%s/%.14s", n->name, c.name);
	i->netif = stack_add_netif(n->stack, &c, &why);
	assert(i->netif);
	n->interfaces++;
	return &i->port;
}

/* 02: locally administered (IEEE 802 8.2.2); then the node and the interface, readable. */
struct port *node_port(struct node *n, const char *name)
{
	struct netif_config c = { .name = name, .mtu = MTU };
	c.mac.b[0] = 0x02;
	store16(c.mac.b + 3, (uint16_t)n->index);
	c.mac.b[5] = (uint8_t)(n->interfaces + 1);
	return node_port_with(n, &c);
}

struct netif *node_netif(struct node *n, const char *name)
{
	for (unsigned i = 0; i < n->interfaces; i++)
		if (strcmp(n->interface[i].netif->name, name) == 0)
			return n->interface[i].netif;
	return NULL;
}

static struct span text(const char *s)
{
	return span_of(s, strlen(s));
}

enum error node_address(struct node *n, const char *netif, const char *address)
{
	struct netif *nif = node_netif(n, netif);
	struct addr a;
	unsigned prefix;
	if (!nif || !addr_parse_prefix(text(address), &a, &prefix))
		return ERR_ARGUMENT;
	return stack_add_address(node_use(n), nif, &a, prefix);
}

void node_forget_addresses(struct node *n, const char *netif)
{
	node_netif(n, netif)->addresses = 0;
	stack_internet(node_use(n))->routes.generation++;
}

enum error node_route(struct node *n, const char *netif, const char *prefix, const char *gateway)
{
	struct netif *nif = node_netif(n, netif);
	struct addr net = ADDR_ANY, by;
	unsigned len = 0;
	if (!nif || !addr_parse(text(gateway), &by))
		return ERR_ARGUMENT;
	if (strcmp(prefix, "default") != 0) {
		if (!addr_parse_prefix(text(prefix), &net, &len))
			return ERR_ARGUMENT;
	} else if (addr_is4(&by)) {
		net = addr_from4((const uint8_t[4]){ 0 });
	}
	return stack_add_route(node_use(n), &net, len, &by, nif);
}

enum error node_neighbour(
	struct node *n, const char *netif, const struct addr *address, const struct mac *mac)
{
	struct netif *nif = node_netif(n, netif);
	if (!nif)
		return ERR_ARGUMENT;
	return neighbour_set_static(stack_access(node_use(n)), nif, address, mac);
}

/* Rebooting */

struct interface_record {
	struct netif_config config;
	char name[NETIF_NAME_MAX];
	unsigned addresses;
	struct netif_address address[NETIF_ADDRESSES];
};

static void restore(struct node *n, const struct interface_record *r, struct node_interface *i)
{
	const char *why;
	i->netif = stack_add_netif(n->stack, &r->config, &why);
	assert(i->netif);
	for (unsigned k = 0; k < r->addresses; k++)
		stack_add_address(n->stack, i->netif, &r->address[k].address, r->address[k].prefix);
}

static void restore_routes(struct node *n, const struct route_table *old)
{
	struct route_table *fresh = &stack_internet(n->stack)->routes;
	for (unsigned k = 0; k < old->count; k++)
		if (!old->route[k].on_link)
			route_add(fresh, &old->route[k]);
}

void node_reboot(struct node *n)
{
	struct interface_record kept[ACCESS_NETIFS];
	struct route_table routes = stack_internet(n->stack)->routes;
	uint8_t life[8];
	const char *why;
	for (unsigned k = 0; k < n->interfaces; k++) {
		const struct netif *nif = n->interface[k].netif;
		struct interface_record *r = &kept[k];
		memcpy(r->name, nif->name, sizeof r->name);
		r->config = (struct netif_config){ .name = r->name,
			.mac = nif->mac,
			.mtu = nif->mtu,
			.vlan = nif->vlan,
			.features = nif->features,
			.gso_max = nif->gso_max,
			.ops = nif->ops,
			.link = nif->link };
		r->addresses = nif->addresses;
		memcpy(r->address, nif->address, sizeof r->address);
	}
	store64(life, (uint64_t)n->world->now);
	for (unsigned k = 0; k < sizeof life; k++)
		n->config.secret[k] ^= life[k], n->config.secret[16 + k] ^= life[k];
	if (n->trouble)
		trouble_forget_memory(n->trouble);
	bool made = build_stack(n, &why);
	assert(made);
	n->frames = 0;
	n->lives++;
	for (unsigned k = 0; k < n->interfaces; k++)
		restore(n, &kept[k], &n->interface[k]);
	restore_routes(n, &routes);
	if (!list_empty(&n->sinks))
		stack_set_trace(n->stack, relay, n);
	node_touch(n);
}
