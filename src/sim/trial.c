/*
 * Building a world from a trial, its four phases, and the verdict. What is left
 * of a stack's memory at the end is counted by its pools, which know what was
 * taken; what is left of its timers, by the world: a world at rest has no event.
 */
#include "sim/trial.h"

#include <stdio.h>
#include <stdarg.h>

#include "sim/box.h"
#include "sim/capture.h"
#include "sim/errands.h"
#include "sim/faults.h"
#include "sim/inspect_tcp.h"
#include "sim/inspect_text.h"
#include "sim/invariant.h"
#include "sim/leftover.h"
#include "sim/link.h"

#define LIVENESS (7200 * NANO_S) /* an end for what always moves, but never ends */
#define TEARDOWN (4000 * NANO_S) /* frames on their way for half an hour, orphans, TIME-WAIT */
#define GLANCE   (5 * NANO_S)    /* how often the flows' progress is looked at */
#define EVENTS   4000000         /* I21: in one virtual second */

/* ---- drawing ---- */

void trial_draw(struct trial *t, uint64_t seed, fault_set among)
{
	const struct world w = { .config.seed = seed };
	struct rng r;
	unsigned at[FAULT_COUNT], count = 0;
	*t = (struct trial){ .seed = seed };
	world_rng(&w, "trial", "faults", &r);
	for (unsigned i = 0; i < FAULT_COUNT; i++)
		if (among >> i & 1)
			at[count++] = i;
	unsigned wanted = rng_below(&r, TRIAL_FAULTS + 1);
	/* Few faults as often as many: alone, each is seen most clearly. */
	if (rng_below(&r, 2))
		wanted = wanted % 4;
	for (; wanted && count; wanted--) {
		unsigned pick = rng_below(&r, count);
		t->faults |= UINT64_C(1) << at[pick];
		at[pick] = at[--count];
	}
	world_rng(&w, "trial", "flows", &r);
	t->flows = (1u << (1 + rng_below(&r, 12))) - 1;
	/* What came later to the catalogue of worlds draws apart: the rest stays what it was. */
	world_rng(&w, "trial", "datagrams", &r);
	if (rng_below(&r, 3) == 0)
		t->datagrams = (1u << (1 + rng_below(&r, DATAGRAM_FLOWS))) - 1;
	world_rng(&w, "trial", "settings", &r);
	for (unsigned i = 0; i < SETTING_COUNT; i++)
		t->settings |= rng_below(&r, 4) == 0 ? 1u << i : 0;
}

void trial_options(const struct trial *t, char *out, size_t cap)
{
	char faults[FAULT_COUNT * 4 + 8];
	fault_set_write(t->faults, faults, sizeof faults);
	size_t len = (size_t)snprintf(out, cap, "--seed %llu --faults %s --flows 0x%x",
		(unsigned long long)t->seed, faults, t->flows);
	if (t->datagrams && len < cap)
		len += (size_t)snprintf(out + len, cap - len, " --datagrams 0x%x", t->datagrams);
	if (t->settings && len < cap)
		len += (size_t)snprintf(out + len, cap - len, " --settings 0x%x", t->settings);
	if (t->shift && len < cap)
		len += (size_t)snprintf(out + len, cap - len, " --shift %u", t->shift);
	if (t->brief && len < cap)
		len += (size_t)snprintf(out + len, cap - len, " --brief %u", t->brief);
	if (t->plain && len < cap)
		snprintf(out + len, cap - len, " --plain");
}

/* ---- building ---- */

struct node *trial_node(struct trial_world *tw, const char *name, bool router)
{
	struct stack_config c;
	const char *why = "";
	trial_stack_config(tw->trial, tw->world, name, &c);
	if (router) {
		c.transport.connections = c.transport.flights = 1;
		c.transport.blocks = 64;
		c.transport.big_blocks = 0;
	}
	c.internet.forward = router;
	struct node *n = node_new(tw->world, name, &c, &why);
	if (!n)
		world_halt(tw->world, WORLD_BROKEN, "config of %s: %s", name, why);
	return n;
}

static void join(struct trial_world *tw)
{
	struct world *w = tw->world;
	struct port *left = node_port(tw->left, "eth0"), *right = node_port(tw->right, "eth0");
	struct port *one = node_port(tw->router, "eth0"), *two = node_port(tw->router, "eth1");
	trial_link_configs(tw);
	if (trial_wants_boxes(tw->trial)) {
		const struct link_config short_cable = { .rate = 0 };
		tw->chain = box_chain_new(w, "boxes");
		tw->near = link_connect(w, "near", left, &tw->chain->port[0], &tw->near_config[0],
			&tw->near_config[1]);
		link_connect(w, "behind", &tw->chain->port[1], one, &short_cable, NULL);
	} else {
		tw->near = link_connect(
			w, "near", left, one, &tw->near_config[0], &tw->near_config[1]);
	}
	tw->far = link_connect(w, "far", two, right, &tw->far_config[0], &tw->far_config[1]);
	node_address(tw->left, "eth0", "192.0.2.2/24");
	node_address(tw->left, "eth0", "2001:db8:1::2/64");
	node_address(tw->router, "eth0", "192.0.2.1/24");
	node_address(tw->router, "eth0", "2001:db8:1::1/64");
	node_address(tw->router, "eth1", "198.51.100.1/24");
	node_address(tw->router, "eth1", "2001:db8:2::1/64");
	node_address(tw->right, "eth0", "198.51.100.2/24");
	node_address(tw->right, "eth0", "2001:db8:2::2/64");
	node_route(tw->left, "eth0", "default", "192.0.2.1");
	node_route(tw->left, "eth0", "default", "2001:db8:1::1");
	node_route(tw->right, "eth0", "default", "198.51.100.1");
	node_route(tw->right, "eth0", "default", "2001:db8:2::1");
}

/* The faults' last moment, as far as the network is concerned. */
static nanotime healed_at(const struct trial_world *tw, nanotime start)
{
	/* What F11 put on its way arrives so much later, and in order: nothing passes it. */
	bool far = tw->trial->faults & FAULT_BIT(F11);
	return start + TRIAL_HEAL + (far ? TRIAL_LONGEST : 0);
}

static void start_datagrams(struct trial_world *tw)
{
	struct datagram_plan p = { .client = tw->left,
		.server = tw->right,
		.to4 = tw->plan.to4,
		.to6 = tw->plan.to6,
		.flows = tw->trial->datagrams,
		.healed = healed_at(tw, tw->world->now) + NANO_S,
		/* cut short and padded with zeros, a checksum over IPv4 may say that it is none */
		.garbled = fault_set_harm(tw->trial->faults) == FAULT_GARBLES ||
			tw->trial->faults & FAULT_BIT(F09),
		.damaged = tw->trial->faults &
			(FAULT_BIT(F07) | FAULT_BIT(F08) | FAULT_BIT(F09)),
		.renumbered = tw->trial->faults & FAULT_BIT(F58) };
	addr_parse(span_of("192.0.2.2", 9), &p.own4);
	addr_parse(span_of("2001:db8:1::2", 13), &p.own6);
	if (tw->trial->family)
		p.own4 = p.own6 = tw->trial->family == 4 ? p.own4 : p.own6;
	datagram_flows_start(&tw->datagrams, &p);
}

static bool build(struct trial_world *tw)
{
	tw->left = trial_node(tw, "left", false);
	tw->router = trial_node(tw, "router", true);
	tw->right = trial_node(tw, "right", false);
	if (!tw->left || !tw->router || !tw->right)
		return false;
	join(tw);
	tw->plan = (struct traffic_plan){ .client = tw->left,
		.server = tw->right,
		.flows = tw->trial->flows,
		.shift = tw->trial->shift,
		.spread = 10 * NANO_S,
		.settings = tw->trial->settings,
		.faults = tw->trial->faults };
	addr_parse(span_of("198.51.100.2", 12), &tw->plan.to4);
	addr_parse(span_of("2001:db8:2::2", 13), &tw->plan.to6);
	struct addr *to = tw->trial->family == 4 ? &tw->plan.to4 : &tw->plan.to6;
	if (tw->trial->family)
		tw->plan.to4 = tw->plan.to6 = *to;
	trial_unleash(tw);
	traffic_start(&tw->traffic, &tw->plan);
	start_datagrams(tw);
	return trial_errands(tw);
}

/* ---- judging ---- */

static void fail(struct trial_result *r, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
static void fail(struct trial_result *r, const char *format, ...)
{
	va_list args;
	if (r->failed)
		return;
	r->failed = true;
	va_start(args, format);
	vsnprintf(r->why, sizeof r->why, format, args);
	va_end(args);
}

/* A server that keeps only a cookie of a handshake resets a client whose first segment was lost,
 * when the second comes (RFC 4987 3.6, RFC 9293 3.10.7.2): any loss may break such a flow. */
static bool may_break(const struct trial *t)
{
	return fault_set_harm(t->faults) != FAULT_SPARES || t->settings & SETTING_BIT(COOKIES);
}

/* All that the other end sent is acknowledged; this one, which lives and waits, never got it. */
static bool robbed(const struct traffic_end *e, struct stack *own, struct stack *others)
{
	struct sock_tcp_info mine, theirs;
	return e->started && !e->done && !e->eof && !e->peer->done && e->peer->shut &&
		e->got < e->peer->sent && sock_tcp_info(own, e->sock, &mine) == 0 &&
		sock_tcp_info(others, e->peer->sock, &theirs) == 0 && !mine.unread &&
		!theirs.unsent && !theirs.unacked;
}

/* F40: a proxy that acknowledged and lost may leave both ends content, each in the other's window.
 * Only an application can end that, as a real one would, and the other must learn of it. */
static bool times_out(const struct traffic *t, struct traffic_flow *f)
{
	struct stack *stack[2] = { node_use(t->client.node), node_use(t->server.node) };
	struct traffic_end *end[2] = { &f->client, &f->server };
	for (unsigned k = 0; k < 2; k++) {
		if (!robbed(end[k], stack[k], stack[!k]))
			continue;
		end[k]->aborted = end[k]->done = true;
		sock_abort(stack[k], end[k]->sock);
		return true;
	}
	return false;
}

static bool all_done(void *trial_world)
{
	struct trial_world *tw = trial_world;
	return traffic_done(&tw->traffic) && datagram_flows_done(&tw->datagrams) &&
		(!tw->errands || errands_done(tw->errands));
}

/* Safety, healing, liveness: until all flows have ended, or one does not move. */
static void run_flows(struct trial_world *tw, struct trial_result *r)
{
	struct world *w = tw->world;
	nanotime start = w->now, end = start + LIVENESS;
	nanotime healed = healed_at(tw, start);
	char text[300], other[300];
	while (w->now < end) {
		enum world_end e = world_run(w, w->now + GLANCE, all_done, tw);
		if (e == WORLD_BROKEN || e == WORLD_RUNAWAY) {
			fail(r, "%s%s", e == WORLD_RUNAWAY ? "I21: " : "", world_why(w));
			return;
		}
		const char *wrong = tw->errands ? errands_judge(tw->errands, text, sizeof text)
						: NULL;
		if (wrong) {
			fail(r, "%s", wrong);
			return;
		}
		if (e == WORLD_DONE)
			break;
		if (w->now < healed)
			continue;
		nanodiff patience = may_break(tw->trial) ? TRIAL_PATIENCE : TRIAL_STARVED;
		/* Who lost its address is still heard until its own user timeout. */
		if (tw->trial->faults & FAULT_BIT(F58))
			patience += TRIAL_PATIENCE / 2;
		int stuck = traffic_stuck(&tw->traffic, patience, healed);
		if (stuck < 0)
			continue;
		/* A window that was garbled may stay closed for ever: SND.WL1 can't be outdone by a
		 * peer that has nothing left to send (RFC 9293 3.10.7.4, MUST-37). */
		if (tw->traffic.garbled) {
			traffic_give_up(&tw->traffic);
			break;
		}
		if (tw->trial->faults & FAULT_BIT(F40) &&
			times_out(&tw->traffic, &tw->traffic.flow[stuck]))
			continue;
		traffic_describe(&tw->traffic, (unsigned)stuck, false, text, sizeof text);
		traffic_describe(&tw->traffic, (unsigned)stuck, true, other, sizeof other);
		fail(r, "%s: no progress for %d s: %s; %s",
			may_break(tw->trial) ? "I20" : "I22 (starved)", (int)(patience / NANO_S),
			text, other);
		return;
	}
	/* A SYN-ACK whose window scale was garbled leaves a 128th of the window for all its life:
	 * it moves, but may need days (RFC 7323 2.2). So it is where a box makes windows larger
	 * than they are: what is sent beyond them comes again by the RTO, of which no round trip
	 * that is measured ends the back-off (RFC 6298 5). */
	bool misled = tw->traffic.garbled || tw->trial->faults & FAULT_BIT(F33);
	if (misled && !traffic_done(&tw->traffic))
		traffic_give_up(&tw->traffic);
	tw->traffic.unreachable = stack_counters(tw->router->stack)->sent_why[WHY_ICMP_ERROR] > 0;
	const char *wrong = traffic_judge(&tw->traffic, may_break(tw->trial), text, sizeof text);
	if (wrong)
		fail(r, "%s", wrong);
	wrong = may_break(tw->trial) ? NULL
				     : datagram_flows_judge(&tw->datagrams, text, sizeof text);
	if (wrong)
		fail(r, "%s", wrong);
}

static void tear_down(struct trial_world *tw, struct trial_result *r)
{
	struct world *w = tw->world;
	if (tw->traffic.listener)
		traffic_stop_listening(&tw->traffic);
	datagram_flows_close(&tw->datagrams);
	if (tw->errands)
		errands_stop(tw->errands);
	enum world_end e = world_run(w, w->now + TEARDOWN, NULL, NULL);
	if (e == WORLD_BROKEN || e == WORLD_RUNAWAY)
		fail(r, "%s", world_why(w));
	else if (world_next(w) != NANOTIME_NEVER)
		fail(r, "I24: the world does not come to rest");
	list_each(at, &w->nodes)
	{
		struct node *n = list_entry(at, struct node, in_world);
		const char *left = node_leftover(n);
		if (left)
			fail(r, "I24: %s still holds %s", n->name, left);
	}
}

static void count(const struct trial_world *tw, struct trial_result *r)
{
	r->hash = world_hash(tw->world);
	r->events = tw->world->events;
	r->bytes = traffic_bytes(&tw->traffic);
	r->ended = tw->world->now;
	r->outcome = traffic_outcome(&tw->traffic);
	r->datagrams = tw->datagrams.whole;
	r->garbled = tw->datagrams.garbled;
	for (unsigned i = 0; i < tw->traffic.count; i++) {
		const struct traffic_flow *f = &tw->traffic.flow[i];
		r->broken += f->client.error || f->server.error;
	}
	if (!tw->chain)
		return;
	list_each(l, &tw->chain->boxes) r->touched += list_entry(l, struct box, link)->touched;
}

void trial_run(const struct trial *t, const char *pcap, struct trial_result *r)
{
	struct world *w = world_new(&(struct world_config){ .seed = t->seed,
		.events_per_second = EVENTS,
		.fill = t->seed % 8 == 7 ? 0xa5 : 0,
		.one_secret = t->faults & FAULT_BIT(F51),
		.backward = t->backward });
	struct trial_world *tw = world_alloc(w, sizeof *tw);
	char why[200];
	*r = (struct trial_result){ .failed = false };
	tw->trial = t;
	tw->world = w;
	invariant_add_builtin(w);
	if (build(tw)) {
		inspect_tcp(tw->left);
		inspect_tcp(tw->right);
		if (tw->errands) {
			inspect_tcp(tw->desk);
			inspect_tcp(tw->shop);
		}
		inspect_text(tw->left, &tw->traffic);
		inspect_text(tw->right, &tw->traffic);
		struct sim_capture *c = pcap ? sim_capture_open(w, pcap, 0, why, sizeof why) : NULL;
		if (c) {
			sim_capture_node(c, tw->left);
			sim_capture_node(c, tw->right);
			if (tw->errands)
				sim_capture_node(c, tw->desk);
		}
		run_flows(tw, r);
		if (!r->failed)
			tear_down(tw, r);
	} else {
		fail(r, "%s", world_why(w));
	}
	count(tw, r);
	world_free(w);
}
