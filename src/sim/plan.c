/*
 * From tables to a world, in the order in which the parts need each other. The
 * first row that can't be made ends it.
 */
#include "sim/plan.h"

#include <stdio.h>

struct building {
	struct world *world;
	const struct plan *plan;
	char *why;
	size_t cap;
};

static bool refuse(struct building *b, const char *row, const char *problem)
{
	snprintf(b->why, b->cap, "plan: %s: %s", row, problem);
	return false;
}

/* Splits "client/eth0"; the node, or NULL where there is none of that name. */
static struct node *split(struct world *w, const char *interface, const char **netif)
{
	char name[NODE_NAME_MAX];
	const char *slash = strchr(interface, '/');
	size_t len = slash ? (size_t)(slash - interface) : sizeof name;
	if (len >= sizeof name)
		return NULL;
	memcpy(name, interface, len);
	name[len] = '\0';
	*netif = slash + 1;
	return world_node(w, name);
}

static bool make_machines(
	struct building *b, const char *special, const struct stack_config *config)
{
	struct stack_config c;
	for (const struct plan_machine *m = b->plan->machine; m->name; m++) {
		const char *why;
		if (config && special && strcmp(special, m->name) == 0)
			c = *config;
		else
			node_config_default(&c);
		c.internet.forward = m->router;
		if (strlen(m->name) >= NODE_NAME_MAX || world_node(b->world, m->name))
			return refuse(b, m->name, "name is too long, or taken");
		struct node *n = node_new(b->world, m->name, &c, &why);
		if (!n)
			return refuse(b, m->name, why);
		n->role = m->role;
	}
	return true;
}

static void make_segments(struct building *b)
{
	for (const char *const *s = b->plan->segment; s && *s; s++)
		switch_new(b->world, *s);
}

static struct eth_switch *find_segment(struct world *w, const char *name)
{
	list_each(l, &w->switches)
	{
		struct eth_switch *s = list_entry(l, struct eth_switch, in_world);
		if (strcmp(s->name, name) == 0)
			return s;
	}
	return NULL;
}

/* The port that an end of a cable names; NULL: there can't be such a port. */
static struct port *make_end(struct world *w, const char *end)
{
	const char *netif;
	struct eth_switch *s = find_segment(w, end);
	if (s)
		return s->ports < SWITCH_PORTS ? switch_port(s) : NULL;
	struct node *n = split(w, end, &netif);
	if (!n || n->interfaces == ACCESS_NETIFS || node_netif(n, netif))
		return NULL;
	return node_port(n, netif);
}

static bool make_cables(struct building *b)
{
	for (const struct plan_cable *c = b->plan->cable; c->name; c++) {
		const char *broken = link_config_check(&c->config);
		if (broken)
			return refuse(b, c->name, broken);
		struct port *from = make_end(b->world, c->a), *to = make_end(b->world, c->b);
		if (!from || !to)
			return refuse(b, c->name, "an end is nowhere, or taken");
		link_connect(b->world, c->name, from, to, &c->config, NULL);
	}
	return true;
}

static bool give_addresses(struct building *b)
{
	const char *netif;
	for (const struct plan_address *a = b->plan->address; a->interface; a++) {
		struct node *n = split(b->world, a->interface, &netif);
		enum error e = n ? node_address(n, netif, a->address) : ERR_NOT_FOUND;
		if (e)
			return refuse(b, a->address, error_text(e));
	}
	for (const struct plan_route *r = b->plan->route; r && r->interface; r++) {
		struct node *n = split(b->world, r->interface, &netif);
		enum error e = n ? node_route(n, netif, r->prefix, r->gateway) : ERR_NOT_FOUND;
		if (e)
			return refuse(b, r->gateway, error_text(e));
	}
	return true;
}

/* Tells one end of a line who is at the other. */
static bool introduce(struct building *b, const char *to, const char *who)
{
	const char *netif = NULL, *other = NULL;
	struct node *n = split(b->world, to, &netif), *peer = split(b->world, who, &other);
	if (!n || !peer)
		return refuse(b, to, "a line joins two machines");
	const struct netif *nif = node_netif(peer, other);
	for (unsigned i = 0; i < nif->addresses; i++) {
		enum error e = node_neighbour(n, netif, &nif->address[i].address, &nif->mac);
		if (e)
			return refuse(b, to, error_text(e));
	}
	return true;
}

static bool tell_lines(struct building *b)
{
	for (const struct plan_cable *c = b->plan->cable; c->name; c++)
		if (c->line && (!introduce(b, c->a, c->b) || !introduce(b, c->b, c->a)))
			return false;
	return true;
}

bool plan_build(struct world *w, const struct plan *p, const char *special,
	const struct stack_config *config, char *why, size_t cap)
{
	struct building b = { .world = w, .plan = p, .why = why, .cap = cap };
	if (!make_machines(&b, special, config))
		return false;
	make_segments(&b);
	return make_cables(&b) && give_addresses(&b) && tell_lines(&b);
}
