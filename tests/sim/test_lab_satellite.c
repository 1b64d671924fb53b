/*
 * lab:satellite, where a round trip takes 600 ms: what Fast Open and window scaling
 * save, counted in round trips of virtual time.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "application/http/content.h"
#include "support/seed.h"
#include "support/visitor.h"
#include "transport/tcp/tcp_conn.h"

#define ROUND (600 * NANO_MS)

static struct lab *open_satellite(struct stack_config *client)
{
	char why[300] = "";
	struct lab_options o = { .seed = test_seed(), .client = client };
	struct lab *l = lab_open("lab:satellite", &o, why, sizeof why);
	if (!l)
		fail_msg("%s", why);
	return l;
}

static struct addr server_of(struct lab *l, unsigned flags)
{
	struct addr a[RESOLVER_ADDRESSES_MAX];
	assert_int_equal(visitor_resolve(l, "www.example.test", flags, a), 1);
	return a[0];
}

typedef int64_t visit_fn(struct lab *l, const struct addr *server, const char *path, uint8_t **out);

/* Time of a visit, from connect to the end of the response. */
static nanodiff visit(struct lab *l, unsigned flags, visit_fn *get, const char *path)
{
	struct addr server = server_of(l, flags);
	struct world *w = lab_world(l);
	nanotime began = w->now;
	uint8_t *whole = NULL;
	int64_t n = get(l, &server, path, &whole);
	assert_true(n > 0);
	struct span body = visitor_body(span_of(whole, (size_t)n));
	if (strcmp(path, "/hello.txt") == 0)
		assert_true(span_equal(body, span_of("Hello.\n", 7)));
	for (size_t k = 0; k < body.len && strcmp(path, "/big") == 0; k++)
		assert_int_equal(body.at[k], http_pattern(k));
	free(whole);
	return w->now - began;
}

/* Round trips, where what is not distance takes less than a tenth of one. */
static unsigned rounds(nanodiff time)
{
	nanodiff more = time % ROUND;
	if (more > ROUND / 10)
		fail_msg("%d ms are no whole round trips", (int)(time / NANO_MS));
	return (unsigned)(time / ROUND);
}

/* Two round trips for a page; with a cookie exactly one less, over IPv4 and over IPv6. */
static void test_fast_open(void **state)
{
	(void)state;
	for (unsigned flags = LOOKUP_A; flags <= LOOKUP_AAAA; flags++) {
		struct lab *l = open_satellite(NULL);
		assert_int_equal(rounds(visit(l, flags, visitor_get, "/hello.txt")), 2);
		/* The first one that asks for it gets its cookie, the others the gain. */
		assert_int_equal(rounds(visit(l, flags, visitor_get_fast, "/hello.txt")), 2);
		for (unsigned i = 0; i < 3; i++)
			assert_int_equal(
				rounds(visit(l, flags, visitor_get_fast, "/hello.txt")), 1);
		assert_int_equal(rounds(visit(l, flags, visitor_get, "/hello.txt")), 2);
		lab_close(l);
	}
}

/* A server that does not want it costs nothing but the gain. */
static void test_refused(void **state)
{
	(void)state;
	struct lab *l = open_satellite(NULL);
	struct transport *t = stack_transport(world_node(lab_world(l), "server")->stack);
	visit(l, LOOKUP_A, visitor_get_fast, "/hello.txt");
	t->config.fast_open = 0;
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(rounds(visit(l, LOOKUP_A, visitor_get_fast, "/hello.txt")), 2);
	lab_close(l);
}

static nanodiff big(bool scaling, uint32_t receive_buffer)
{
	struct stack_config c;
	node_config_default(&c);
	c.transport.window_scaling = scaling;
	c.transport.receive_buffer = receive_buffer;
	struct lab *l = open_satellite(&c);
	nanodiff time = visit(l, LOOKUP_A, visitor_get, "/big");
	lab_close(l);
	return time;
}

/*
 * 1 MiB. Without scaling 64 KiB go in a round trip at most: 14 full windows, and slow start
 * before them. With it the window is as large as the buffer. 1 MiB takes 0.42 s of the link.
 */
static void test_window_scaling(void **state)
{
	(void)state;
	nanodiff without = big(false, 1 << 20), with = big(true, 1 << 20);
	print_message("1 MiB over 600 ms: %.1f round trips without window scaling, %.1f with\n",
		(double)without / ROUND, (double)with / ROUND);
	assert_true(without > 17 * ROUND);
	assert_true(with < 12 * ROUND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fast_open),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_window_scaling),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
