/*
 * Faults that happen to a world that stands: boxes in the cable, links that
 * change, machines in trouble. Each fault has one function, which draws all it
 * needs from the fault's own generator and then arranges what happens when, by
 * calls at times of the world.
 */
#include <stdio.h>

#include "sim/box.h"
#include "sim/cross_traffic.h"
#include "sim/faults.h"
#include "sim/link.h"
#include "sim/trial.h"

void trial_rng(const struct trial_world *tw, enum fault_id id, struct rng *out)
{
	world_rng(tw->world, "fault", fault_info(id)->name, out);
}

struct window trial_window(const struct trial_world *tw, struct rng *r)
{
	/* A third last all the time, so that handshakes meet them; the others come and go. */
	uint32_t ms = (uint32_t)(TRIAL_HEAL / NANO_MS), always = rng_below(r, 3);
	uint32_t from = rng_below(r, ms / 2), length = 1 + rng_below(r, ms / 2);
	nanotime start = tw->world->now;
	if (always == 0)
		from = 0, length = ms;
	length >>= tw->trial->brief;
	return (struct window){ start + from * NANO_MS, start + (from + length + 1) * NANO_MS };
}

static bool on(const struct trial_world *tw, enum fault_id id)
{
	return tw->trial->faults >> id & 1;
}

/* ---- boxes ---- */

static struct box *packet_box(struct box_chain *c, enum fault_id id, struct rng *r)
{
	uint32_t a = rng_below(r, PPM), b = rng_below(r, PPM), d = rng_below(r, 1000);
	switch (id) {
	case FAULT_F04: return box_kind_loss_new(c, (enum segment_kind)(b % KIND_COUNT), a);
	case FAULT_F08: return box_garble_new(c, GARBLE_KEEP_SUM, a / 20);
	case FAULT_F09: return box_garble_new(c, GARBLE_LENGTH, a / 5);
	case FAULT_F10: return box_replay_new(c, a / 5, (nanodiff)d * 25 * NANO_MS);
	case FAULT_F13: return box_ack_squeeze_new(c, (nanodiff)(1 + d) * NANO_MS / 4, b & 1);
	case FAULT_F14: return box_kind_loss_new(c, KIND_PURE_ACK, 900000);
	case FAULT_F17: return box_policer_new(c, 5000 + (b << d % 4), 3000 + d * 50);
	case FAULT_F19: return box_black_hole_new(c, 576 + d * 9 / 10);
	case FAULT_F20: return box_icmp_new(c, a / 3);
	case FAULT_F26: return box_spray_new(c, 2 + b % 3, (nanodiff)d * NANO_MS / 20);
	case FAULT_F27: return box_hops_new(c, a / 3);
	case FAULT_F58: return box_thief_new(c, a / 20);
	default: return NULL;
	}
}

static struct box *middle_box(
	struct box_chain *c, enum fault_id id, fault_set all_faults, struct rng *r)
{
	static const uint16_t mss[] = { 0, 1, 48, 64, 88, 216, 536, 1200, 1400, 8960, 65535 };
	uint32_t a = rng_below(r, PPM), b = rng_below(r, PPM), d = rng_below(r, 1000);
	uint32_t all = 1u | 1u << 2 | 1u << 3 | 1u << 4 | 1u << 8;
	switch (id) {
	case FAULT_F31:
		return box_strip_options_new(
			c, a & 1 ? all : 1u << (uint8_t[]){ 2, 3, 4, 8 }[b % 4], true, d & 1);
	case FAULT_F32:
		return box_strip_options_new(
			c, (b & 1 ? 1u << 5 : 1u << 8) | (d % 4 == 0), false, d & 1);
	case FAULT_F33:
		return box_window_new(
			c, b % 4, (uint16_t)(a & 1 ? 65535 : d * 20), (uint8_t)(b % 32));
	case FAULT_F34: return box_mss_clamp_new(c, mss[b % (sizeof mss / sizeof *mss)]);
	case FAULT_F35: return box_ecn_new(c, (enum ecn_meddling)(b % ECN_MEDDLINGS));
	case FAULT_F36: return box_split_new(c, a, b & 1);
	case FAULT_F37: return box_coalesce_new(c, a, (nanodiff)d * NANO_MS / 50);
	case FAULT_F38: return box_resequence_new(c, b & 1);
	case FAULT_F40: return box_ack_early_new(c, a / 20);
	case FAULT_F41:
		return box_forger_new(c, a / 20,
			!(all_faults &
				(FAULT_BIT(F32) | FAULT_BIT(F36) | FAULT_BIT(F44) |
					FAULT_BIT(F47))),
			!(all_faults & (FAULT_BIT(F08) | FAULT_BIT(F10) | FAULT_BIT(F40))));
	case FAULT_F44: return box_urgent_new(c, (enum urgent_meddling)(b % 3), a);
	default: return NULL;
	}
}

#define BOXES \
	(FAULT_BIT(F04) | FAULT_BIT(F08) | FAULT_BIT(F09) | FAULT_BIT(F10) | FAULT_BIT(F13) | \
		FAULT_BIT(F14) | FAULT_BIT(F17) | FAULT_BIT(F19) | FAULT_BIT(F20) | \
		FAULT_BIT(F26) | FAULT_BIT(F27) | FAULT_BIT(F31) | FAULT_BIT(F32) | \
		FAULT_BIT(F33) | FAULT_BIT(F34) | FAULT_BIT(F35) | FAULT_BIT(F36) | \
		FAULT_BIT(F37) | FAULT_BIT(F38) | FAULT_BIT(F40) | FAULT_BIT(F41) | \
		FAULT_BIT(F44) | FAULT_BIT(F58))

bool trial_wants_boxes(const struct trial *t)
{
	return t->faults & BOXES;
}

static void place_boxes(struct trial_world *tw)
{
	for (enum fault_id id = 0; id < FAULT_COUNT; id++) {
		struct rng r;
		if (!on(tw, id) || !(BOXES >> id & 1))
			continue;
		trial_rng(tw, id, &r);
		struct window when = trial_window(tw, &r);
		struct box *b = packet_box(tw->chain, id, &r);
		if (!b)
			b = middle_box(tw->chain, id, tw->trial->faults, &r);
		assert(b);
		b->from = when.from;
		b->until = when.until;
	}
}

/* ---- links that change ---- */

/* One change of one link, at a time. */
struct change {
	struct trial_world *tw;
	struct link *link;
	unsigned ways; /* bits */
	uint64_t rate;
	nanodiff delay;
	uint32_t mtu, queue;
	enum { CHANGE_RATE, CHANGE_DELAY, CHANGE_QUEUE, CHANGE_MTU, CHANGE_DOWN, CHANGE_UP } what;
};

static struct netif *router_netif(struct trial_world *tw, const struct link *l)
{
	return node_netif(tw->router, l == tw->near ? "eth0" : "eth1");
}

static void apply(void *user)
{
	const struct change *c = user;
	if (c->what == CHANGE_DOWN || c->what == CHANGE_UP) {
		link_set_up(c->link, c->what == CHANGE_UP);
		return;
	}
	if (c->what == CHANGE_MTU) {
		router_netif(c->tw, c->link)->mtu = (uint16_t)c->mtu;
		stack_internet(c->tw->router->stack)->routes.generation++;
		return;
	}
	for (unsigned way = 0; way < 2; way++) {
		struct link_config now = c->link->way[way].config;
		if (!(c->ways >> way & 1))
			continue;
		if (c->what == CHANGE_RATE)
			now.rate = c->rate;
		else if (c->what == CHANGE_DELAY)
			now.delay = c->delay;
		else
			now.queue_frames = c->queue;
		link_change(c->link, way, &now);
	}
}

static void change_at(struct trial_world *tw, nanotime time, const struct change *c)
{
	struct change *kept = world_alloc(tw->world, sizeof *kept);
	*kept = *c;
	kept->tw = tw;
	world_at(tw->world, time, apply, kept);
}

/* The change at the window's begin, and back at its end. */
static void change_within(
	struct trial_world *tw, struct window when, struct change there, struct change back)
{
	change_at(tw, when.from, &there);
	change_at(tw, when.until, &back);
}

static void change_link(struct trial_world *tw, enum fault_id id)
{
	static const uint32_t mtus[] = { 576, 1000, 1280, 1400, 1492 };
	struct rng r;
	trial_rng(tw, id, &r);
	struct window when = trial_window(tw, &r);
	struct link *l = rng_below(&r, 2) ? tw->near : tw->far;
	const struct link_config *was = l == tw->near ? tw->near_config : tw->far_config;
	uint32_t a = rng_below(&r, 1000), b = rng_below(&r, 8);
	struct change c = { .link = l, .ways = 3 }, back = c;
	back.rate = was[0].rate;
	back.delay = was[0].delay;
	back.queue = was[0].queue_frames;
	switch (id) {
	case FAULT_F11:
		c.what = back.what = CHANGE_DELAY;
		c.delay = b ? (nanodiff)a * 3 * NANO_MS : TRIAL_LONGEST;
		break;
	case FAULT_F15:
		c.what = back.what = CHANGE_RATE;
		c.rate = UINT64_C(1000) << b * 3;
		break;
	case FAULT_F16:
		c.what = back.what = CHANGE_QUEUE;
		c.queue = b & 1 ? 1 + a % 3 : 5000;
		break;
	case FAULT_F18:
		c.what = back.what = CHANGE_MTU;
		c.mtu = mtus[a % 5];
		back.mtu = 1500;
		break;
	case FAULT_F24:
		c.what = CHANGE_DOWN;
		back.what = CHANGE_UP;
		break;
	case FAULT_F25:
		c.what = back.what = CHANGE_DELAY;
		c.delay = 10 * was[0].delay + (nanodiff)a * NANO_MS / 4;
		break;
	default: return;
	}
	change_within(tw, when, c, back);
}

/* F22: up and down, with times of every order of magnitude. */
static void flap(struct trial_world *tw)
{
	struct rng r;
	trial_rng(tw, FAULT_F22, &r);
	struct window when = trial_window(tw, &r);
	struct link *l = rng_below(&r, 2) ? tw->near : tw->far;
	nanotime at = when.from;
	for (unsigned i = 0; i < 20 && at < when.until; i++) {
		nanodiff down = (nanodiff)rng_below(&r, 1u << (1 + rng_below(&r, 13))) * NANO_MS;
		nanodiff up = (nanodiff)rng_below(&r, 1u << (1 + rng_below(&r, 13))) * NANO_MS;
		struct change c = { .link = l, .what = CHANGE_DOWN };
		change_at(tw, at, &c);
		at += down < when.until - at ? down : when.until - at;
		c.what = CHANGE_UP;
		change_at(tw, at, &c);
		at += up + 1;
	}
}

/* F23: nothing passes in one direction; a filter, because a link that is down is so both ways. */
struct outage {
	struct world *world;
	struct window when;
};

static bool passes(void *user, struct link_way *way, const struct parcel *p)
{
	const struct outage *o = user;
	(void)way;
	(void)p;
	return o->world->now < o->when.from || o->world->now >= o->when.until;
}

static void cut_one_way(struct trial_world *tw)
{
	struct rng r;
	struct outage *o = world_alloc(tw->world, sizeof *o);
	trial_rng(tw, FAULT_F23, &r);
	o->world = tw->world;
	o->when = trial_window(tw, &r);
	struct link_way *way = &(rng_below(&r, 2) ? tw->near : tw->far)->way[rng_below(&r, 2)];
	way->filter = passes;
	way->filter_user = o;
}

/* F28: in both directions, or in one. */
static void cross(struct trial_world *tw)
{
	struct rng r;
	trial_rng(tw, FAULT_F28, &r);
	struct window when = trial_window(tw, &r);
	struct link *l = tw->crossed ? tw->far : tw->near;
	bool shrew = rng_below(&r, 2);
	unsigned ways = 1 + rng_below(&r, 3);
	for (unsigned way = 0; way < 2; way++) {
		struct cross_traffic c = { .from = when.from, .until = when.until };
		uint32_t a = rng_below(&r, 1000), size = 60 + rng_below(&r, 1455);
		c.period = shrew ? NANO_S : (nanodiff)(500 + 4 * a) * NANO_MS;
		c.burst = shrew ? (nanodiff)(50 + a / 4) * NANO_MS : c.period * (a % 10) / 10;
		c.size = shrew ? 1514 : size;
		/* A little more than the link takes: the queue fills and stays full. */
		c.gap = (nanodiff)(c.size * 7u) * NANO_S / (nanodiff)l->way[way].config.rate;
		if (ways >> way & 1)
			cross_traffic_start(l->way[way].from, &c);
	}
}

/* F46: for ever. */
static void vanish(struct trial_world *tw)
{
	struct rng r;
	trial_rng(tw, FAULT_F46, &r);
	struct window when = trial_window(tw, &r);
	struct change c = { .link = rng_below(&r, 2) ? tw->near : tw->far, .what = CHANGE_DOWN };
	change_at(tw, when.until, &c);
}

/* ---- machines ---- */

static struct trouble *trouble_of(struct trial_world *tw, struct rng *r)
{
	struct node *n = rng_below(r, 2) ? tw->left : tw->right;
	return n->trouble ? n->trouble : trouble_new(n, n->name);
}

/* F45 */
struct reboot {
	struct trial_world *tw;
	bool server;
};

static void do_reboot(void *user)
{
	const struct reboot *r = user;
	node_reboot(r->server ? r->tw->right : r->tw->left);
	traffic_rebooted(&r->tw->traffic, r->server);
	datagram_flows_rebooted(&r->tw->datagrams, r->server);
}

static void reboot(struct trial_world *tw)
{
	struct rng r;
	struct reboot *b = world_alloc(tw->world, sizeof *b);
	trial_rng(tw, FAULT_F45, &r);
	struct window when = trial_window(tw, &r);
	*b = (struct reboot){ tw, rng_below(&r, 2) };
	world_at(tw->world, when.until, do_reboot, b);
}

/* F47 */
struct step {
	struct trouble *trouble;
	nanodiff jump;
	uint32_t rate;
};

static void do_step(void *user)
{
	const struct step *s = user;
	trouble_clock_change(s->trouble, s->jump, s->rate);
}

static void step_at(struct trial_world *tw, nanotime time, struct step s)
{
	struct step *kept = world_alloc(tw->world, sizeof *kept);
	*kept = s;
	world_at(tw->world, time, do_step, kept);
}

static void bend_clock(struct trial_world *tw)
{
	struct rng r;
	trial_rng(tw, FAULT_F47, &r);
	struct window when = trial_window(tw, &r);
	struct trouble *t = trouble_of(tw, &r);
	uint32_t kind = rng_below(&r, 4), a = rng_below(&r, 1000);
	switch (kind) {
	case 0: /* a year; an hour; a second */
		step_at(tw, when.from,
			(struct step){ t,
				(nanodiff[]){ 31557600 * NANO_S, 3600 * NANO_S, NANO_S }[a % 3],
				PPM });
		break;
	case 1: /* a tenth too fast or too slow */
		step_at(tw, when.from, (struct step){ t, 0, PPM + 200 * a - 100000 });
		step_at(tw, when.until, (struct step){ t, 0, PPM });
		break;
	case 2: /* it stands for ten seconds */
		step_at(tw, when.from, (struct step){ t, 0, 0 });
		step_at(tw, when.from + 10 * NANO_S, (struct step){ t, 0, PPM });
		break;
	case 3: /* milliseconds wrap soon: from the start, before any timer runs */
		step_at(tw, tw->world->now,
			(struct step){ t, (INT64_C(1) << 32) * NANO_MS - (nanodiff)a * 20 * NANO_MS,
				PPM });
		break;
	default: break;
	}
}

static void make_trouble(struct trial_world *tw, enum fault_id id)
{
	struct rng r;
	trial_rng(tw, id, &r);
	struct window when = trial_window(tw, &r);
	struct trouble *t = trouble_of(tw, &r);
	uint32_t kind = rng_below(&r, 4), a = rng_below(&r, 1000), b = rng_below(&r, PPM);
	switch (id) {
	case FAULT_F48:
		t->timers = when;
		t->late = kind & 1 ? (nanodiff)a * NANO_MS / 2 : 0;
		t->grid = kind & 2 ? (nanodiff)(1 + a % 200) * NANO_MS : 0;
		t->spurious = kind == 0 ? 500000 : 50000;
		break;
	case FAULT_F49:
		t->memory = when;
		t->fail = kind == 0 ? PPM : b / 2;
		t->skip = kind == 1 ? 0 : a;
		break;
	case FAULT_F52:
		t->driver = when;
		t->refuse = kind == 0 ? b / 3 : 0;
		t->ring = kind == 1 ? 1 + a % 16 : 0;
		t->drain = (nanodiff)(1 + b % 20) * NANO_MS;
		t->runt = kind == 2 ? b / 3 : 0;
		if (kind == 3) {
			t->cpu = when;
			t->period = (nanodiff)(1 + a % 50) * NANO_MS;
		}
		break;
	case FAULT_F60:
		t->cpu = when;
		t->period = (nanodiff)(100 + a) * NANO_MS;
		break;
	default: break;
	}
}

/* F58: besides the thief in the cable (box_thief.c), the client loses its addresses: for a while,
 * or for ever, and has others instead. */
struct renumbering {
	struct trial_world *tw;
	bool others;
};

static void take_addresses(void *user)
{
	const struct renumbering *r = user;
	node_forget_addresses(r->tw->left, "eth0");
	if (r->others) {
		node_address(r->tw->left, "eth0", "192.0.2.3/24");
		node_address(r->tw->left, "eth0", "2001:db8:1::3/64");
	}
}

static void give_addresses(void *user)
{
	const struct renumbering *r = user;
	node_address(r->tw->left, "eth0", "192.0.2.2/24");
	node_address(r->tw->left, "eth0", "2001:db8:1::2/64");
}

static void renumber(struct trial_world *tw)
{
	struct rng r;
	struct renumbering *n = world_alloc(tw->world, sizeof *n);
	world_rng(tw->world, "fault", "F58 addresses", &r);
	struct window when = trial_window(tw, &r);
	uint32_t kind = rng_below(&r, 3);
	*n = (struct renumbering){ tw, kind == 2 };
	if (kind == 0)
		return;
	world_at(tw->world, when.from, take_addresses, n);
	if (!n->others)
		world_at(tw->world, when.until, give_addresses, n);
}

/* F56: where nobody ever accepts, the server ends at last. */
static void give_up_listening(void *traffic)
{
	traffic_stop_listening(traffic);
}

static void refuse_to_accept(struct trial_world *tw)
{
	struct rng r;
	trial_rng(tw, FAULT_F56, &r);
	struct window when = trial_window(tw, &r);
	bool never = rng_below(&r, 3) == 0;
	tw->plan.accepts_from = never ? NANOTIME_NEVER : when.until;
	if (never)
		world_at(tw->world, when.until, give_up_listening, &tw->traffic);
	tw->plan.backlog = rng_below(&r, 2) ? 1 + rng_below(&r, 3) : 0;
}

void trial_unleash(struct trial_world *tw)
{
	static const enum fault_id of_links[] = { FAULT_F11, FAULT_F15, FAULT_F16, FAULT_F18,
		FAULT_F24, FAULT_F25 };
	static const enum fault_id of_hosts[] = { FAULT_F48, FAULT_F49, FAULT_F52, FAULT_F60 };
	place_boxes(tw);
	for (size_t i = 0; i < sizeof of_links / sizeof *of_links; i++)
		if (on(tw, of_links[i]))
			change_link(tw, of_links[i]);
	for (size_t i = 0; i < sizeof of_hosts / sizeof *of_hosts; i++)
		if (on(tw, of_hosts[i]))
			make_trouble(tw, of_hosts[i]);
	if (on(tw, FAULT_F22))
		flap(tw);
	if (on(tw, FAULT_F23))
		cut_one_way(tw);
	if (on(tw, FAULT_F45))
		reboot(tw);
	if (on(tw, FAULT_F46))
		vanish(tw);
	if (on(tw, FAULT_F47))
		bend_clock(tw);
	if (on(tw, FAULT_F56))
		refuse_to_accept(tw);
	if (on(tw, FAULT_F28))
		cross(tw);
	if (on(tw, FAULT_F58))
		renumber(tw);
}
