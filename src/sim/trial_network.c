/*
 * Stacks and links of a trial. Some faults are properties of a config: tiny
 * pools, few ports, a link that loses. Each is drawn from the fault's own
 * generator, and where the fault is absent the value is what it would have been.
 */
#include "sim/box.h"
#include "sim/faults.h"
#include "sim/link.h"
#include "sim/trial.h"

static bool one_in(struct rng *r, uint32_t n)
{
	return rng_below(r, n) == 0;
}

static bool on(const struct trial *t, enum fault_id id)
{
	return t->faults >> id & 1;
}

/* A number of any order of magnitude up to `most`. */
static uint32_t any_size(struct rng *r, unsigned bits)
{
	return rng_below(r, 1u << (1 + rng_below(r, bits)));
}

/* Small, so that a world costs little; the tables' sizes are faults of their own. */
static void small_config(struct stack_config *c)
{
	node_config_default(c);
	c->transport.sockets = 128;
	c->transport.connections = c->transport.flights = 128;
	c->transport.embryos = 64;
	c->transport.time_waits = 128;
	c->transport.sent_ranges = 4096;
	c->transport.blocks = 2048;
	c->transport.big_blocks = 16;
	c->transport.backlog_max = 64;
	c->transport.user_timeout = 120 * NANO_S;
	c->transport.keepalive_idle = 60 * NANO_S;
	c->transport.keepalive_interval = 10 * NANO_S;
}

/* F50 */
static void tiny_pools(struct transport_config *c, struct rng *r)
{
	c->blocks = 16 + rng_below(r, 32);
	c->big_blocks = rng_below(r, 2);
	c->connections = 2u << rng_below(r, 3);
	c->flights = c->connections;
	c->embryos = 1 + rng_below(r, 8);
	c->sent_ranges = 16 + rng_below(r, 16);
	c->resets = 1 + rng_below(r, 4);
}

/* F57 */
static void few_ports(struct transport_config *c, struct rng *r)
{
	if (one_in(r, 2)) {
		c->port_first = 40000;
		c->port_last = (uint16_t)(40000 + rng_below(r, 6));
	}
	if (one_in(r, 2))
		c->time_waits = 1 + rng_below(r, 3);
	if (one_in(r, 2))
		c->sockets = 2 + rng_below(r, 8);
}

static void draw_tempers(struct transport_config *c, struct rng *r)
{
	uint32_t send = 2048 + any_size(r, 20), receive = 2048 + any_size(r, 20);
	nanodiff ack = (nanodiff)rng_below(r, 499) * NANO_MS;
	uint32_t backlog = 1 + rng_below(r, 4), ranges = 16 + rng_below(r, 200);
	if (one_in(r, 4))
		c->backlog_max = backlog;
	if (one_in(r, 4))
		c->sent_ranges = ranges;
	if (one_in(r, 4))
		c->timestamps = false;
	if (one_in(r, 4))
		c->sack = false;
	if (one_in(r, 4))
		c->window_scaling = false;
	if (one_in(r, 4))
		c->delayed_ack = ack;
	if (one_in(r, 4))
		c->big_blocks = 0;
	if (one_in(r, 4))
		c->send_buffer = send;
	if (one_in(r, 4))
		c->receive_buffer = receive;
}

/* How SACKs wait for each other: in half of the stacks not at all. */
static void draw_sacks(struct transport_config *c, struct rng *r)
{
	uint8_t most = (uint8_t)(1 + rng_below(r, 60));
	c->comp_sack_nr = one_in(r, 2) ? most : 0;
	c->comp_sack_delay = (nanodiff)rng_below(r, 20) * NANO_MS;
	c->comp_sack_rtt_percent = (uint8_t)rng_below(r, 101);
	c->comp_sack_after = (uint8_t)rng_below(r, 10);
}

void trial_stack_config(
	const struct trial *t, struct world *w, const char *node, struct stack_config *c)
{
	struct rng r;
	small_config(c);
	world_rng(w, "stack", node, &r);
	if (!t->plain)
		draw_tempers(&c->transport, &r);
	world_rng(w, "ecn", node, &r);
	if (!t->plain)
		c->transport.ecn = (uint8_t)rng_below(&r, ECN_USES);
	settings_config(t->settings, w, node, &c->transport);
	world_rng(w, "SACK", node, &r);
	if (!t->plain)
		draw_sacks(&c->transport, &r);
	world_rng(w, "F50", node, &r);
	if (on(t, FAULT_F50))
		tiny_pools(&c->transport, &r);
	world_rng(w, "F57", node, &r);
	if (on(t, FAULT_F57)) {
		few_ports(&c->transport, &r);
		c->transport.sockets += t->datagrams ? 1 : 0; /* the UDP server's */
	}
	if (c->transport.syn_cookie_threshold > c->transport.embryos)
		c->transport.syn_cookie_threshold = c->transport.embryos;
	if (c->transport.flights > c->transport.connections)
		c->transport.flights = c->transport.connections;
}

/* ---- links ---- */

/* Faults that a link has itself, each in the window of its own generator. One way, or both. */
static void link_faults(struct trial_world *tw, enum fault_id id, struct fault_config *f[4])
{
	struct rng r;
	trial_rng(tw, id, &r);
	struct window when = trial_window(tw, &r);
	struct fault_span span = { when.from, when.until };
	unsigned ways = 1 + rng_below(&r, 3), cable = rng_below(&r, 2);
	for (unsigned way = 0; way < 2; way++) {
		struct fault_config *c = f[cable * 2 + way];
		uint32_t a = rng_below(&r, PPM), b = rng_below(&r, PPM), d = rng_below(&r, 1000);
		if (!(ways >> way & 1))
			continue;
		switch (id) {
		case FAULT_F01:
			c->loss = a / 2;
			c->on[FAULT_LOSS] = span;
			break;
		case FAULT_F02:
			c->burst_enter = a / 50;
			c->burst_leave = 30000 + b / 2;
			c->burst_loss = PPM - d * 900;
			c->on[FAULT_BURST] = span;
			break;
		case FAULT_F03: c->lose_nth = 1 + a % 64; break;
		case FAULT_F05:
			c->reorder = a / 3;
			c->reorder_by = b % 20;
			c->reorder_delay = (nanodiff)d * NANO_MS / 4;
			c->on[FAULT_REORDER] = span;
			break;
		case FAULT_F06:
			c->duplicate = a / 3;
			c->duplicate_delay = b % 4 ? (nanodiff)d * NANO_US
						   : (nanodiff)d * 30 * NANO_MS;
			c->on[FAULT_DUPLICATE] = span;
			break;
		case FAULT_F07:
			c->corrupt = a / 8;
			c->corrupt_bits = 1;
			c->on[FAULT_CORRUPT] = span;
			break;
		case FAULT_F12:
			c->jitter = (nanodiff)d * NANO_MS / 3;
			c->jitter_kind = (enum jitter_kind)(b % 3);
			c->on[FAULT_JITTER] = span;
			break;
		default: break;
		}
	}
}

static void draw_link(struct link_config c[2], struct rng *r, bool plain)
{
	static const uint64_t rates[] = { 0, 0, 1000000, 10000000, 100000000, 1000000000 };
	struct link_config drawn = {
		.rate = rates[rng_below(r, 6)],
		.delay = one_in(r, 3) ? 0 : (nanodiff)rng_below(r, 1u << rng_below(r, 28)),
		.queue_frames = 5 + rng_below(r, 200),
		.blocking = one_in(r, 4),
		.pad = one_in(r, 2),
	};
	if (plain)
		drawn = (struct link_config){ .delay = NANO_MS, .queue_frames = 100 };
	c[0] = c[1] = drawn;
}

/* F21: the way back is another. */
static void make_asymmetric(struct trial_world *tw)
{
	struct rng r;
	trial_rng(tw, FAULT_F21, &r);
	struct link_config *c = rng_below(&r, 2) ? tw->near_config : tw->far_config;
	unsigned way = rng_below(&r, 2);
	c[way].rate = 100000u << rng_below(&r, 8);
	c[way].delay = (nanodiff)rng_below(&r, 500) * NANO_MS;
	c[way].queue_frames = 2 + rng_below(&r, 30);
}

/* Queues that mark what they might have dropped. */
static void draw_marks(struct trial_world *tw, const char *name, struct link_config c[2])
{
	struct rng r;
	world_rng(tw->world, "marks", name, &r);
	if (tw->trial->plain || one_in(&r, 2))
		return;
	for (unsigned way = 0; way < 2; way++)
		c[way].mark_frames = 1 + rng_below(&r, c[way].queue_frames);
}

/* F28: cross traffic needs a bottleneck to fight for. */
static void make_narrow(struct trial_world *tw)
{
	struct rng r;
	world_rng(tw->world, "fault", "F28 link", &r);
	struct link_config *c = rng_below(&r, 2) ? tw->near_config : tw->far_config;
	tw->crossed = c == tw->near_config ? 0 : 1;
	for (unsigned way = 0; way < 2; way++) {
		c[way].rate = 1000000 + rng_below(&r, 3000000);
		c[way].queue_frames = 5 + rng_below(&r, 50);
	}
}

void trial_link_configs(struct trial_world *tw)
{
	static const enum fault_id of_links[] = { FAULT_F01, FAULT_F02, FAULT_F03, FAULT_F05,
		FAULT_F06, FAULT_F07, FAULT_F12 };
	struct fault_config *f[4] = { &tw->near_config[0].faults, &tw->near_config[1].faults,
		&tw->far_config[0].faults, &tw->far_config[1].faults };
	struct rng r;
	world_rng(tw->world, "link", "near", &r);
	draw_link(tw->near_config, &r, tw->trial->plain);
	world_rng(tw->world, "link", "far", &r);
	draw_link(tw->far_config, &r, tw->trial->plain);
	draw_marks(tw, "near", tw->near_config);
	draw_marks(tw, "far", tw->far_config);
	if (on(tw->trial, FAULT_F21))
		make_asymmetric(tw);
	if (on(tw->trial, FAULT_F28))
		make_narrow(tw);
	for (size_t i = 0; i < sizeof of_links / sizeof *of_links; i++)
		if (on(tw->trial, of_links[i]))
			link_faults(tw, of_links[i], f);
}
