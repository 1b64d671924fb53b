/*
 * I22: equal flows over one bottleneck get equal shares, by Jain's index (RFC 5166
 * 2.3): (sum x)^2 / (n * sum x^2), which is 1 where all are equal and 1/n where one
 * has it all. They begin one after the other, so that the late have to find a place.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "sim/link.h"
#include "sim/node.h"
#include "support/bulk.h"
#include "support/seed.h"
#include "transport/congestion/congestion.h"

#define FLOWS   4
#define PORT    5001
#define RATE    UINT64_C(20000000)
#define DELAY   (10 * NANO_MS)
#define WARM_UP (10 * NANO_S)
#define TIME    (40 * NANO_S)

struct side {
	struct app app;
	struct world *world;
	struct addr to;
	struct sock_queue queue;
	sock_id listener, sock[FLOWS];
	unsigned socks;
	uint64_t read[FLOWS];
};

static void drain(struct side *e, struct stack *s)
{
	struct sock_event event;
	while (sock_next(s, &e->queue, &event))
		continue;
}

/* One more flow every half second. */
static void run_sources(struct app *a, struct stack *s, nanotime now)
{
	static const uint8_t chunk[65536];
	struct side *e = list_entry(a, struct side, app);
	const struct sock_options o = { .queue = &e->queue };
	drain(e, s);
	while (e->socks < FLOWS && now >= e->socks * NANO_S / 2) {
		assert_int_equal(sock_connect(s, &o, &e->to, PORT, &e->sock[e->socks]), 0);
		e->socks++;
	}
	for (unsigned i = 0; i < e->socks; i++)
		while (sock_write(s, e->sock[i], chunk, sizeof chunk) == sizeof chunk)
			continue;
}

static nanotime next_source(const struct app *a)
{
	const struct side *e = list_entry(a, const struct side, app);
	return e->socks < FLOWS ? e->socks * NANO_S / 2 : NANOTIME_NEVER;
}

static void run_sinks(struct app *a, struct stack *s, nanotime now)
{
	static uint8_t chunk[65536];
	struct side *e = list_entry(a, struct side, app);
	drain(e, s);
	while (e->socks < FLOWS &&
		sock_accept(s, e->listener, &e->queue, NULL, &e->sock[e->socks], NULL) == 0)
		e->socks++;
	for (unsigned i = 0; i < e->socks; i++)
		for (int64_t n; (n = sock_read(s, e->sock[i], chunk, sizeof chunk)) > 0;)
			e->read[i] += now < WARM_UP ? 0 : (uint64_t)n;
}

static double jain(const uint64_t x[FLOWS], double *sum)
{
	double squares = 0;
	*sum = 0;
	for (unsigned i = 0; i < FLOWS; i++) {
		*sum += (double)x[i];
		squares += (double)x[i] * (double)x[i];
	}
	return *sum * *sum / (FLOWS * squares);
}

static struct node *make_node(
	struct world *w, const char *name, const char *address, const struct stack_config *c)
{
	const char *why;
	struct node *n = node_new(w, name, c, &why);
	assert_non_null(n);
	node_port(n, "eth0");
	assert_int_equal(node_address(n, "eth0", address), ERR_OK);
	return n;
}

static void run(uint8_t kind, uint64_t seed, double least)
{
	struct stack_config c;
	bulk_config(&c);
	c.transport.congestion = kind;
	struct world *w = world_new(&(struct world_config){ .seed = seed });
	struct node *left = make_node(w, "left", "192.0.2.1/24", &c);
	struct node *right = make_node(w, "right", "192.0.2.2/24", &c);
	const struct link_config line = { .rate = RATE,
		.delay = DELAY,
		.queue_frames = UINT32_MAX,
		.queue_bytes = (uint32_t)(RATE / 8 * 2 * DELAY / NANO_S) };
	struct side source = { .app = { .run = run_sources, .deadline = next_source },
		.world = w,
		.to = addr_from4((const uint8_t[]){ 192, 0, 2, 2 }) };
	struct side sink = { .app.run = run_sinks, .world = w };
	double sum;
	link_connect(w, "line", &left->interface[0].port, &right->interface[0].port, &line, NULL);
	sock_queue_init(&source.queue);
	sock_queue_init(&sink.queue);
	assert_int_equal(sock_listen(node_use(right),
				 &(struct sock_options){ .queue = &sink.queue, .local_port = PORT },
				 &sink.listener),
		0);
	node_add_app(right, &sink.app);
	node_add_app(left, &source.app);
	world_run(w, TIME, NULL, NULL);
	double index = jain(sink.read, &sum);
	if (index < least || sum * 8 < 0.8 * (double)RATE * (double)(TIME - WARM_UP) / NANO_S)
		fail_msg("%s, seed %llu: Jain's index %.3f, %.1f Mbit/s", cc_of(kind)->name,
			(unsigned long long)seed, index,
			sum * 8 / ((double)(TIME - WARM_UP) / NANO_S) / 1e6);
	world_free(w);
}

static void equal_flows_get_equal_shares(void **state)
{
	(void)state;
	for (uint8_t kind = CC_RENO; kind < CC_KINDS; kind++)
		for (uint64_t seed = test_seed(); seed < test_seed() + 3; seed++)
			run(kind, seed, 0.9);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(equal_flows_get_equal_shares) };
	return test_seed_report(cmocka_run_group_tests(tests, NULL, NULL));
}
