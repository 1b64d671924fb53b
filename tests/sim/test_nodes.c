/*
 * Nodes: real stacks in a world. Ping through a router and back, TCP from end to
 * end, wake-ups at the nanosecond, and what the invariants see.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "sim/invariant.h"
#include "sim/plan.h"
#include "support/seed.h"

#define GOLDEN_SEED 20260101
#define GOLDEN_HASH UINT64_C(0x074bc0751ddd954e)

static const struct plan_machine machines[] = {
	{ .name = "left" },
	{ .name = "router", .router = true },
	{ .name = "right" },
	{ .name = NULL },
};
static const struct plan_cable cables[] = {
	{ .name = "one", .a = "left/eth0", .b = "router/eth0", .config = { .delay = NANO_MS } },
	{ .name = "two", .a = "router/eth1", .b = "right/eth0", .config = { .delay = NANO_MS } },
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

struct bed {
	struct world *world;
	struct node *left, *router, *right;
};

static void build(struct bed *bed)
{
	char why[200] = "";
	invariant_add_builtin(bed->world);
	if (!plan_build(bed->world, &plan, NULL, NULL, why, sizeof why))
		fail_msg("%s", why);
	bed->left = world_node(bed->world, "left");
	bed->router = world_node(bed->world, "router");
	bed->right = world_node(bed->world, "right");
	assert_int_equal(world_run(bed->world, NANO_S, NULL, NULL), WORLD_TIME);
}

static struct bed bed_of(int fill)
{
	struct bed bed = { .world = world_new(
				   &(struct world_config){ .seed = test_seed(), .fill = fill }) };
	build(&bed);
	return bed;
}

static void run(struct bed *bed, nanodiff how_long)
{
	enum world_end end = world_run(bed->world, bed->world->now + how_long, NULL, NULL);
	if (end != WORLD_TIME)
		fail_msg("%s: %s", world_end_name(end), world_why(bed->world));
}

static struct addr address(const char *text)
{
	struct addr a;
	assert_true(addr_parse(span_of(text, strlen(text)), &a));
	return a;
}

/* Sends one echo request from left; the time that the answer takes, or -1. */
static nanodiff ping(struct bed *bed, const char *to, uint8_t *hops)
{
	struct addr a = address(to);
	struct sock_datagram d;
	uint8_t got[64];
	sock_id id;
	struct stack *s = node_use(bed->left);
	assert_int_equal(sock_ping(s, &(struct sock_options){ 0 }, !addr_is4(&a), &id), 0);
	nanotime start = bed->world->now;
	assert_int_equal(sock_send_to(s, id, "12345678", 8, &a, 7), 8);
	run(bed, 5 * NANO_S);
	s = node_use(bed->left);
	int64_t n = sock_recv_from(s, id, got, sizeof got, &d);
	if (n >= 0 && !d.is_error) {
		assert_int_equal(n, 8);
		assert_memory_equal(got, "12345678", 8);
		assert_int_equal(d.port, 7);
		assert_true(addr_equal(&d.source, &a));
		*hops = d.hop_limit;
	}
	sock_close(s, id);
	return n >= 0 && !d.is_error ? d.time - start : -1;
}

/* The first ping pays for the neighbours on its way, the second only for the way. */
static void test_ping_through_a_router(void **state)
{
	struct bed bed = bed_of(0);
	const char *const far[] = { "198.51.100.2", "2001:db8:2::2" };
	uint8_t hops = 0;
	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(ping(&bed, far[i], &hops), 8 * NANO_MS);
		assert_int_equal(hops, 63);
		assert_int_equal(ping(&bed, far[i], &hops), 4 * NANO_MS);
	}
	assert_int_equal(ping(&bed, "192.0.2.1", &hops), 2 * NANO_MS);
	assert_int_equal(hops, 64);
	assert_int_equal(stack_counters(bed.router->stack)->fate[FATE_FORWARDED], 8);
	assert_int_equal(ping(&bed, "198.51.100.77", &hops), -1);
	world_free(bed.world);
}

/*
 * The hash of six pings is committed: every compiler has to come to it. It says
 * that the same frames went at the same times, so it changes with what ARP, ND, IP
 * or ICMP send, or how the stack draws; then, and only then, it may be renewed.
 */
static void test_golden(void **state)
{
	const char *const to[] = { "198.51.100.2", "2001:db8:2::2", "192.0.2.1", "2001:db8:1::1",
		"198.51.100.77", "2001:db8:2::77" };
	struct bed bed = { .world = world_new(&(struct world_config){ .seed = GOLDEN_SEED }) };
	(void)state;
	build(&bed);
	for (unsigned i = 0; i < sizeof to / sizeof *to; i++)
		ping(&bed, to[i], &(uint8_t){ 0 });
	assert_int_equal(world_hash(bed.world), GOLDEN_HASH);
	world_free(bed.world);
}

/* ---- a sender and a receiver ---- */

#define BYTES 300000

struct talk {
	struct app app;
	struct sock_queue queue;
	sock_id listener, conn;
	uint32_t sent, got;
	bool ended, wrong;
};

static uint8_t byte_at(uint32_t i)
{
	return (uint8_t)(i * 7 + i / 251);
}

static void run_receiver(struct app *a, struct stack *s, nanotime now)
{
	struct talk *t = list_entry(a, struct talk, app);
	struct sock_event e;
	uint8_t buffer[4096];
	(void)now;
	while (sock_next(s, &t->queue, &e))
		continue;
	if (!t->conn && sock_accept(s, t->listener, &t->queue, NULL, &t->conn, NULL) != 0)
		return;
	for (int64_t n; !t->ended && (n = sock_read(s, t->conn, buffer, sizeof buffer)) >= 0;) {
		for (int64_t i = 0; i < n; i++)
			t->wrong |= buffer[i] != byte_at(t->got++);
		if (n == 0) {
			t->ended = true;
			sock_close(s, t->conn);
		}
	}
}

static void run_sender(struct app *a, struct stack *s, nanotime now)
{
	struct talk *t = list_entry(a, struct talk, app);
	struct sock_event e;
	uint8_t buffer[1000];
	(void)now;
	while (sock_next(s, &t->queue, &e))
		t->wrong |= (e.events & EVENT_ERROR) != 0;
	while (!t->ended && (sock_poll(s, t->conn) & EVENT_WRITABLE)) {
		uint32_t n = BYTES - t->sent < sizeof buffer ? BYTES - t->sent : sizeof buffer;
		for (uint32_t i = 0; i < n; i++)
			buffer[i] = byte_at(t->sent + i);
		int64_t took = sock_write(s, t->conn, buffer, n);
		if (took < 0)
			return;
		t->sent += (uint32_t)took;
		if (t->sent == BYTES) {
			t->ended = true;
			sock_close(s, t->conn);
		}
	}
}

static bool received_all(void *user)
{
	return ((struct talk *)user)->ended;
}

static void start_talk(struct bed *bed, struct talk *sender, struct talk *receiver, const char *to)
{
	struct addr a = address(to);
	*sender = (struct talk){ .app.run = run_sender };
	*receiver = (struct talk){ .app.run = run_receiver };
	sock_queue_init(&sender->queue);
	sock_queue_init(&receiver->queue);
	assert_int_equal(
		sock_listen(node_use(bed->right),
			&(struct sock_options){ .queue = &receiver->queue, .local_port = 9 },
			&receiver->listener),
		0);
	assert_int_equal(
		sock_connect(node_use(bed->left), &(struct sock_options){ .queue = &sender->queue },
			&a, 9, &sender->conn),
		0);
	node_add_app(bed->left, &sender->app);
	node_add_app(bed->right, &receiver->app);
}

/* 300,000 bytes over a clean way and over a bad one; returns the world's hash. */
static uint64_t transfer(const struct fault_config *faults, const char *to, int fill)
{
	struct bed bed = bed_of(fill);
	struct talk sender, receiver;
	struct link *l = world_link(bed.world, "two");
	for (unsigned i = 0; i < 2 && faults; i++) {
		struct link_config c = l->way[i].config;
		c.faults = *faults;
		link_change(l, i, &c);
	}
	start_talk(&bed, &sender, &receiver, to);
	enum world_end end = world_run(
		bed.world, bed.world->now + 600 * NANO_S, received_all, &receiver);
	if (end != WORLD_DONE)
		fail_msg("%s: %s; %u of %u bytes", world_end_name(end), world_why(bed.world),
			receiver.got, BYTES);
	assert_int_equal(receiver.got, BYTES);
	assert_false(receiver.wrong);
	assert_false(sender.wrong);
	end = world_run(bed.world, bed.world->now + 300 * NANO_S, NULL, NULL);
	if (end != WORLD_TIME)
		fail_msg("%s: %s", world_end_name(end), world_why(bed.world));
	assert_int_equal(world_next(bed.world), NANOTIME_NEVER); /* nothing is left behind */
	uint64_t hash = world_hash(bed.world);
	world_free(bed.world);
	return hash;
}

static void test_transfer(void **state)
{
	(void)state;
	transfer(NULL, "198.51.100.2", 0);
	transfer(NULL, "2001:db8:2::2", 0);
}

static void test_transfer_with_loss(void **state)
{
	(void)state;
	transfer(&(struct fault_config){ .loss = 20000 }, "198.51.100.2", 0);
	transfer(&(struct fault_config){ .loss = 20000 }, "2001:db8:2::2", 0);
}

static const struct fault_config all_faults = {
	.loss = 10000,
	.burst_enter = 2000,
	.burst_leave = 400000,
	.burst_loss = 800000,
	.duplicate = 20000,
	.corrupt = 10000,
	.reorder = 20000,
	.reorder_by = 4,
	.reorder_delay = 3 * NANO_MS,
	.jitter = 2 * NANO_MS,
	.jitter_kind = JITTER_NORMAL,
};

static void test_transfer_with_all_faults(void **state)
{
	(void)state;
	transfer(&all_faults, "198.51.100.2", 0);
	transfer(&all_faults, "2001:db8:2::2", 0);
}

/* The same seed: the same world, whatever was in the memory before. */
static void test_same_seed_same_hash(void **state)
{
	(void)state;
	uint64_t hash = transfer(&all_faults, "198.51.100.2", 0);
	assert_true(hash == transfer(&all_faults, "198.51.100.2", 0x00));
	assert_true(hash == transfer(&all_faults, "198.51.100.2", 0xa5));
	assert_true(hash == transfer(&all_faults, "198.51.100.2", 0xff));
}

/* ---- applications' times ---- */

struct clock_app {
	struct app app;
	nanotime next, ran[8];
	unsigned runs;
};

static void run_clock(struct app *a, struct stack *s, nanotime now)
{
	struct clock_app *c = list_entry(a, struct clock_app, app);
	assert_int_equal(stack_time(s), now);
	if (now < c->next)
		return;
	c->ran[c->runs++] = now;
	c->next = c->runs < 4 ? now + NANO_S + 1 : NANOTIME_NEVER;
}

static nanotime clock_deadline(const struct app *a)
{
	return list_entry(a, struct clock_app, app)->next;
}

static void test_deadlines_of_applications(void **state)
{
	struct bed bed = bed_of(0);
	struct clock_app c = { .app = { .run = run_clock, .deadline = clock_deadline } };
	nanotime start = bed.world->now;
	(void)state;
	c.next = start + 5;
	node_add_app(bed.left, &c.app);
	assert_int_equal(world_run(bed.world, NANOTIME_NEVER, NULL, NULL), WORLD_IDLE);
	assert_int_equal(c.runs, 4);
	for (int i = 0; i < 4; i++)
		assert_int_equal(c.ran[i], start + 5 + i * (NANO_S + 1));
	world_free(bed.world);
}

/* ---- invariants ---- */

static bool never(struct invariant *i, struct node *n, char *why, size_t cap)
{
	++*(unsigned *)i->user;
	if (strcmp(n->name, "right") != 0)
		return true;
	(void)cap;
	memcpy(why, "I said so", 10);
	return false;
}

static void test_broken_invariant_halts(void **state)
{
	struct bed bed = bed_of(0);
	unsigned asked = 0;
	struct invariant i = { .name = "I99", .holds = never, .user = &asked };
	(void)state;
	invariant_add(bed.world, &i);
	node_touch(bed.left);
	assert_true(world_step(bed.world));
	assert_int_equal(asked, 1);
	node_touch(bed.right);
	assert_int_equal(world_run(bed.world, NANOTIME_NEVER, NULL, NULL), WORLD_BROKEN);
	assert_non_null(strstr(world_why(bed.world), "I99 does not hold at right: I said so"));
	assert_non_null(strstr(world_why(bed.world), "seed"));
	world_free(bed.world);
}

/* A frame that the stack never saw, or one too many, shows. */
static void test_lost_fate_shows(void **state)
{
	struct bed bed = bed_of(0);
	(void)state;
	bed.left->frames++;
	node_touch(bed.left);
	assert_int_equal(world_run(bed.world, NANOTIME_NEVER, NULL, NULL), WORLD_BROKEN);
	assert_non_null(strstr(world_why(bed.world), "I35"));
	world_free(bed.world);
	bed = bed_of(0);
	world_link(bed.world, "one")->way[0].count.delivered++;
	node_touch(bed.left);
	assert_int_equal(world_run(bed.world, NANOTIME_NEVER, NULL, NULL), WORLD_BROKEN);
	assert_non_null(strstr(world_why(bed.world), "link one"));
	world_free(bed.world);
}

static void test_plans_that_cannot_be(void **state)
{
	const struct plan_machine twice[] = { { .name = "a" }, { .name = "a" }, { .name = NULL } };
	const struct plan_machine one[] = { { .name = "a" }, { .name = NULL } };
	const struct plan_cable none[] = { { .name = NULL } };
	const struct plan_cable nowhere[] = { { .name = "cable", .a = "a/eth0", .b = "b/eth0" },
		{ .name = NULL } };
	const struct plan_cable bad[] = {
		{ .name = "cable", .a = "a/eth0", .b = "a/eth1", .config.delay = -1 },
		{ .name = NULL }
	};
	const struct plan_cable loop[] = { { .name = "cable", .a = "a/eth0", .b = "a/eth1" },
		{ .name = NULL } };
	const struct plan_address odd[] = { { "a/eth0", "192.0.2.300/24" }, { NULL, NULL } };
	const struct plan_address stray[] = { { "a/eth7", "192.0.2.3/24" }, { NULL, NULL } };
	const struct plan_address empty[] = { { NULL, NULL } };
	const struct plan_route odd_route[] = { { "a/eth0", "default", "x" },
		{ NULL, NULL, NULL } };
	const struct plan wrong[] = {
		{ .machine = twice, .cable = none, .address = empty },
		{ .machine = one, .cable = nowhere, .address = empty },
		{ .machine = one, .cable = bad, .address = empty },
		{ .machine = one, .cable = loop, .address = odd },
		{ .machine = one, .cable = loop, .address = stray },
		{ .machine = one, .cable = loop, .address = empty, .route = odd_route },
	};
	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		struct world *w = world_new(&(struct world_config){ .seed = 1 });
		char why[200] = "";
		assert_false(plan_build(w, &wrong[i], NULL, NULL, why, sizeof why));
		assert_memory_equal(why, "plan: ", 6);
		world_free(w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ping_through_a_router),
		cmocka_unit_test(test_golden),
		cmocka_unit_test(test_transfer),
		cmocka_unit_test(test_transfer_with_loss),
		cmocka_unit_test(test_transfer_with_all_faults),
		cmocka_unit_test(test_same_seed_same_hash),
		cmocka_unit_test(test_deadlines_of_applications),
		cmocka_unit_test(test_broken_invariant_halts),
		cmocka_unit_test(test_lost_fate_shows),
		cmocka_unit_test(test_plans_that_cannot_be),
	};
	return test_seed_report(cmocka_run_group_tests(tests, NULL, NULL));
}
