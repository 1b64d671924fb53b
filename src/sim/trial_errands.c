/*
 * Two more machines of a trial, behind the same router: a desk with errands, and
 * a shop whose servers may not be relied on (F59, F62). Their cables are drawn as
 * the others are; the faults of links and boxes are the other machines' affair.
 */
#include "sim/trial.h"

#include "sim/errands.h"

#define DESK4 "203.0.113.2"
#define SHOP4 "203.0.113.130"
#define SHOP6 "2001:db8:4::2"

static void draw_cable(struct trial_world *tw, const char *name, struct link_config *c)
{
	static const uint64_t rates[] = { 0, 1000000, 10000000, 100000000 };
	struct rng r;
	world_rng(tw->world, "link", name, &r);
	*c = (struct link_config){ .rate = rates[rng_below(&r, 4)],
		.delay = rng_below(&r, 100) * NANO_MS,
		.queue_frames = 20 + rng_below(&r, 200) };
}

static void join(struct trial_world *tw, struct node *desk, struct node *shop)
{
	struct port *three = node_port(tw->router, "eth2"), *four = node_port(tw->router, "eth3");
	struct link_config c;
	draw_cable(tw, "desk", &c);
	link_connect(tw->world, "desk", node_port(desk, "eth0"), three, &c, NULL);
	draw_cable(tw, "shop", &c);
	link_connect(tw->world, "shop", four, node_port(shop, "eth0"), &c, NULL);
	node_address(desk, "eth0", DESK4 "/25");
	node_address(desk, "eth0", "2001:db8:3::2/64");
	node_address(tw->router, "eth2", "203.0.113.1/25");
	node_address(tw->router, "eth2", "2001:db8:3::1/64");
	node_address(tw->router, "eth3", "203.0.113.129/25");
	node_address(tw->router, "eth3", "2001:db8:4::1/64");
	node_address(shop, "eth0", SHOP4 "/25");
	node_address(shop, "eth0", SHOP6 "/64");
	node_route(desk, "eth0", "default", "203.0.113.1");
	node_route(desk, "eth0", "default", "2001:db8:3::1");
	node_route(shop, "eth0", "default", "203.0.113.129");
	node_route(shop, "eth0", "default", "2001:db8:4::1");
}

/* An empty window where the fault is absent. */
static struct window window_of(const struct trial_world *tw, enum fault_id id)
{
	struct rng r;
	trial_rng(tw, id, &r);
	struct window when = trial_window(tw, &r);
	return tw->trial->faults >> id & 1 ? when : (struct window){ 0, 0 };
}

bool trial_errands(struct trial_world *tw)
{
	if (!(tw->trial->faults & (FAULT_BIT(F59) | FAULT_BIT(F62))))
		return true;
	tw->desk = trial_node(tw, "desk", false);
	tw->shop = trial_node(tw, "shop", false);
	if (!tw->desk || !tw->shop)
		return false;
	join(tw, tw->desk, tw->shop);
	struct errands_plan p = { .desk = tw->desk,
		.shop = tw->shop,
		.faults = tw->trial->faults,
		.names = window_of(tw, FAULT_F59),
		.pages = window_of(tw, FAULT_F62),
		.healed = tw->world->now + TRIAL_HEAL,
		.may_fail = fault_set_harm(tw->trial->faults) != FAULT_SPARES };
	addr_parse(span_of(SHOP4, strlen(SHOP4)), &p.shop4);
	addr_parse(span_of(SHOP6, strlen(SHOP6)), &p.shop6);
	tw->errands = errands_new(&p); /* too few sockets (F57): there are none */
	return true;
}
