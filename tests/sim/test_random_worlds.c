/*
 * Random worlds: a network, faults, and applications drawn from a seed. While
 * the faults last, anything may be slow, but nothing may be wrong; when they have
 * stopped, every flow ends; when all has ended, nothing is left.
 *
 *	STRATA_SEED=N STRATA_WORLDS=M test_random_worlds    seeds N to N + M - 1
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "sim/capture.h"
#include "sim/invariant.h"
#include "sim/plan.h"
#include "support/flows.h"
#include "support/seed.h"
#include "transport/endpoints.h"

#define WORLDS     100
#define FAULTS_END (30 * NANO_S)
#define PATIENCE   (600 * NANO_S) /* after the faults: slow readers, and RTOs of up to 60 s */
#define TEARDOWN   (600 * NANO_S)

static const struct plan_machine machines[] = {
	{ .name = "left" },
	{ .name = "router", .router = true },
	{ .name = "right" },
	{ .name = NULL },
};
static const struct plan_cable cables[] = {
	{ .name = "one", .a = "left/eth0", .b = "router/eth0" },
	{ .name = "two", .a = "router/eth1", .b = "right/eth0" },
	{ .name = NULL },
};
static const struct plan_address addresses[] = {
	{ "left/eth0", "192.0.2.2/24" },
	{ "left/eth0", "2001:db8:1::2/64" },
	{ "router/eth0", "192.0.2.1/24" },
	{ "router/eth0", "2001:db8:1::1/64" },
	{ "router/eth1", "198.51.100.1/24" },
	{ "router/eth1", "2001:db8:2::1/64" },
	{ "right/eth0", "198.51.100.2/24" },
	{ "right/eth0", "2001:db8:2::2/64" },
	{ NULL, NULL },
};
static const struct plan_route routes[] = {
	{ "left/eth0", "default", "192.0.2.1" },
	{ "left/eth0", "default", "2001:db8:1::1" },
	{ "right/eth0", "default", "198.51.100.1" },
	{ "right/eth0", "default", "2001:db8:2::1" },
	{ NULL, NULL, NULL },
};
static const struct plan plan = {
	.machine = machines,
	.cable = cables,
	.address = addresses,
	.route = routes,
};

static bool one_in(struct rng *r, uint32_t n)
{
	return rng_below(r, n) == 0;
}

/* Only one link corrupts: two flips, one on each, may leave a checksum right. */
static struct link_config draw_link(struct rng *r, bool corrupt)
{
	static const uint64_t rates[] = { 0, 0, 1000000, 10000000, 100000000, 1000000000 };
	struct link_config c = {
		.rate = rates[rng_below(r, 6)],
		.delay = one_in(r, 3) ? 0 : (nanodiff)rng_below(r, 1u << rng_below(r, 28)),
		.queue_frames = 5 + rng_below(r, 200),
		.blocking = one_in(r, 4),
		.pad = one_in(r, 2),
		.faults.until = FAULTS_END,
	};
	struct fault_config *f = &c.faults;
	if (one_in(r, 3))
		f->loss = rng_below(r, 100000);
	if (one_in(r, 5)) {
		f->burst_enter = rng_below(r, 20000);
		f->burst_leave = 50000 + rng_below(r, 500000);
		f->burst_loss = rng_below(r, PPM);
	}
	if (one_in(r, 4))
		f->duplicate = rng_below(r, 100000);
	if (one_in(r, 4))
		f->duplicate_delay = (nanodiff)rng_below(r, 100) * NANO_MS;
	if (corrupt && one_in(r, 4))
		f->corrupt = rng_below(r, 50000);
	if (one_in(r, 4)) {
		f->reorder = rng_below(r, 200000);
		f->reorder_by = rng_below(r, 8);
		f->reorder_delay = (nanodiff)rng_below(r, 50) * NANO_MS;
	}
	if (one_in(r, 4)) {
		f->jitter = (nanodiff)rng_below(r, 50) * NANO_MS;
		f->jitter_kind = (enum jitter_kind)rng_below(r, 3);
	}
	return c;
}

/* Small tables now and then: what finds no room is as good as lost, and comes again. */
static void draw_stacks(struct stack_config *c, struct rng *r)
{
	if (one_in(r, 4))
		c->transport.backlog_max = 1 + rng_below(r, 4);
	if (one_in(r, 4))
		c->transport.time_waits = 1 + rng_below(r, 4);
	if (one_in(r, 4))
		c->transport.sent_ranges = 16 + rng_below(r, 200);
	if (one_in(r, 4))
		c->transport.timestamps = false;
	if (one_in(r, 4))
		c->transport.sack = false;
	if (one_in(r, 4))
		c->transport.window_scaling = false;
	if (one_in(r, 4))
		c->transport.delayed_ack = (nanodiff)rng_below(r, 499) * NANO_MS;
	if (one_in(r, 4))
		c->transport.big_blocks = 0;
	if (one_in(r, 4))
		c->transport.send_buffer = 2048 + rng_below(r, 1u << 20);
	if (one_in(r, 4))
		c->transport.receive_buffer = 2048 + rng_below(r, 1u << 20);
}

static void cut(void *link)
{
	link_set_up(link, false);
}

static void mend(void *link)
{
	link_set_up(link, true);
}

static void draw_network(struct world *w, struct rng *r)
{
	list_each(at, &w->links)
	{
		struct link *l = list_entry(at, struct link, in_world);
		for (unsigned i = 0; i < 2; i++) {
			struct link_config c = draw_link(r, strcmp(l->name, "two") == 0);
			link_change(l, i, &c);
		}
		if (one_in(r, 8)) {
			nanotime down = (nanotime)rng_below(r, 20000) * NANO_MS;
			world_at(w, down, cut, l);
			world_at(w, down + (nanodiff)rng_below(r, 10000) * NANO_MS, mend, l);
		}
	}
}

/* I24: what is left of a stack's memory when all flows have ended. */
static const char *leftover(struct node *n)
{
	const struct transport *t = stack_transport(n->stack);
	const struct {
		const struct pool *pool;
		const char *name;
	} pools[] = {
		{ &t->conn_pool, "a connection" },
		{ &t->flight_pool, "a flight" },
		{ &t->embryo_pool, "a half-open connection" },
		{ &t->time_wait_pool, "a TIME-WAIT" },
		{ &t->range_pool, "a sent range" },
		{ &t->held_pool, "a set of holes" },
		{ &t->datagram_pool, "a datagram socket" },
		{ &t->blocks.small, "a ring block" },
		{ &t->blocks.big, "a big ring block" },
	};
	for (size_t i = 0; i < sizeof pools / sizeof *pools; i++)
		if (pools[i].pool->used)
			return pools[i].name;
	return NULL;
}

static void tell_stuck(struct flows *f)
{
	for (unsigned i = 0; i < f->count; i++) {
		struct flow_end *end[2] = { &f->flow[i].client, &f->flow[i].server };
		for (unsigned k = 0; k < 2; k++) {
			struct sock_tcp_info t;
			struct node *n = k ? f->server.node : f->client.node;
			if (end[k]->done || !end[k]->started ||
				sock_tcp_info(n->stack, end[k]->sock, &t) < 0)
				continue;
			print_error("flow %u %s: %s, waits: %s; sent %u/%u got %u/%u, unsent %u "
				    "unacked %u unread %u, snd_wnd %u rcv_wnd %u cwnd %u\n",
				i, k ? "server" : "client", t.state, t.wait, end[k]->sent,
				end[k]->out, end[k]->got, end[k]->in, t.unsent, t.unacked, t.unread,
				t.snd_wnd, t.rcv_wnd, t.cwnd);
		}
	}
}

/* NULL: all is well. */
static const char *judge(struct world *w, struct flows *f, char *text, size_t cap)
{
	enum world_end end = world_run(w, FAULTS_END + PATIENCE, flows_done, f);
	const char *wrong = flows_judge(f, text, cap);
	if (end == WORLD_TIME && !wrong)
		wrong = "a flow that was broken off does not end";
	if (end == WORLD_TIME)
		tell_stuck(f);
	if (end == WORLD_BROKEN || end == WORLD_RUNAWAY)
		return world_why(w);
	if (wrong)
		return wrong;
	sock_close(node_use(f->server.node), f->listener);
	end = world_run(w, w->now + TEARDOWN, NULL, NULL);
	if (end != WORLD_TIME)
		return world_why(w);
	if (world_next(w) != NANOTIME_NEVER)
		return "the world does not come to rest";
	list_each(at, &w->nodes)
	{
		struct node *n = list_entry(at, struct node, in_world);
		const char *left = leftover(n);
		if (left) {
			snprintf(text, cap, "%s still holds %s", n->name, left);
			return text;
		}
	}
	return NULL;
}

/* One world; its hash, or fails. */
static uint64_t run_world(uint64_t seed, const char *pcap)
{
	static struct flows flows;
	struct world *w = world_new(&(struct world_config){ .seed = seed });
	struct rng r;
	struct addr to4, to6;
	char why[300] = "";
	invariant_add_builtin(w);
	struct stack_config c;
	node_config_default(&c);
	c.transport.keepalive_idle = 60 * NANO_S;
	c.transport.keepalive_interval = 10 * NANO_S;
	world_rng(w, "test", "stacks", &r);
	draw_stacks(&c, &r);
	for (const struct plan_machine *m = machines; m->name; m++) {
		c.internet.forward = m->router;
		assert_non_null(node_new(w, m->name, &c, NULL));
	}
	struct plan rest = plan;
	rest.machine = &(struct plan_machine){ .name = NULL };
	if (!plan_build(w, &rest, NULL, NULL, why, sizeof why))
		fail_msg("%s", why);
	world_rng(w, "test", "network", &r);
	draw_network(w, &r);
	world_rng(w, "test", "flows", &r);
	addr_parse(span_of("198.51.100.2", 12), &to4);
	addr_parse(span_of("2001:db8:2::2", 13), &to6);
	flows_start(&flows, world_node(w, "left"), world_node(w, "right"), &to4, &to6,
		1 + rng_below(&r, 12), 10 * NANO_S, &r);
	struct sim_capture *capture = NULL;
	if (pcap) {
		capture = sim_capture_open(w, pcap, 0, why, sizeof why);
		sim_capture_node(capture, world_node(w, "left"));
		sim_capture_node(capture, world_node(w, "right"));
	}
	const char *wrong = judge(w, &flows, why, sizeof why);
	uint64_t hash = world_hash(w);
	if (capture)
		sim_capture_close(capture);
	if (wrong)
		fail_msg("seed %llu: %s; again: STRATA_SEED=%llu STRATA_WORLDS=1",
			(unsigned long long)seed, wrong, (unsigned long long)seed);
	world_free(w);
	return hash;
}

static void test_random_worlds(void **state)
{
	const char *given = getenv("STRATA_WORLDS");
	uint64_t first = test_seed(), count = given ? strtoull(given, NULL, 0) : WORLDS;
	(void)state;
	for (uint64_t seed = first; seed < first + count; seed++)
		run_world(seed, getenv("STRATA_PCAP"));
}

/* Seeds that once found something: a timer that fired for ever, a storm of tiny segments. */
static void test_found_seeds(void **state)
{
	const uint64_t found[] = { 33, 333 };
	(void)state;
	for (size_t i = 0; i < sizeof found / sizeof *found; i++)
		run_world(found[i], NULL);
}

static void test_replay(void **state)
{
	(void)state;
	assert_true(run_world(test_seed(), NULL) == run_world(test_seed(), NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random_worlds),
		cmocka_unit_test(test_found_seeds),
		cmocka_unit_test(test_replay),
	};
	return test_seed_report(cmocka_run_group_tests(tests, NULL, NULL));
}
