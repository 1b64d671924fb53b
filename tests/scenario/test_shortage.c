/*
 * Memory that is short: fewer flights than connections, fewer blocks than writers
 * want. Who finds none waits in line and is told; a FIN waits, too; nobody takes
 * what another waits for; and nothing spins meanwhile.
 */
#include "support/duo.h"

#include "access/neighbour.h"
#include "transport/endpoints.h"

#define CONNS 6

struct scene {
	struct duo duo;
	struct sock_queue queue; /* of the client */
	sock_id client[CONNS], server[CONNS], listener;
};

static uint8_t pattern[65536];

static struct stack *use(struct scene *s, unsigned host)
{
	return duo_use(&s->duo.host[host]);
}

static void pass(struct scene *s, nanodiff time)
{
	duo_pass(&s->duo, time);
}

/* All connected, accepted, and idle for so long that no flight is held. */
static void scene_open(struct scene *s, const struct stack_config *c)
{
	struct stack_config plain = duo_config();
	struct sock_options o = { .local_port = 7, .receive_buffer = 4096 };
	struct addr to = address("192.0.2.2");
	duo_open_with(&s->duo, c, &plain, false);
	sock_queue_init(&s->queue);
	assert_int_equal(sock_listen(use(s, 1), &o, &s->listener), 0);
	for (uintptr_t i = 0; i < CONNS; i++) {
		struct sock_options mine = { .queue = &s->queue, .user = (void *)i };
		assert_int_equal(sock_connect(use(s, 0), &mine, &to, 7, &s->client[i]), 0);
		pass(s, 10 * NANO_MS);
		assert_int_equal(
			sock_accept(use(s, 1), s->listener, NULL, NULL, &s->server[i], NULL), 0);
	}
	struct sock_event e;
	while (sock_next(use(s, 0), &s->queue, &e))
		;
	assert_int_equal(stack_transport(s->duo.host[0].stack)->flight_pool.used, 0);
}

/* All is closed, and nothing is left anywhere. */
static void scene_close(struct scene *s)
{
	for (unsigned i = 0; i < CONNS; i++) {
		sock_close(use(s, 0), s->client[i]);
		sock_close(use(s, 1), s->server[i]);
	}
	sock_close(use(s, 1), s->listener);
	pass(s, 300 * NANO_S);
	for (unsigned h = 0; h < 2; h++) {
		const struct transport *t = stack_transport(s->duo.host[h].stack);
		assert_int_equal(t->conn_pool.used, 0);
		assert_int_equal(t->flight_pool.used, 0);
		assert_int_equal(t->blocks.small.used, 0);
		assert_int_equal(t->blocks.big.used, 0);
		assert_int_equal(t->range_pool.used, 0);
		assert_int_equal(t->short_flight.count + t->short_block.count, 0);
	}
	duo_close(&s->duo);
}

/* The next who may write; CONNS: nobody. */
static unsigned told(struct scene *s)
{
	struct sock_event e;
	while (sock_next(use(s, 0), &s->queue, &e))
		if (e.events & EVENT_WRITABLE)
			return (unsigned)(uintptr_t)e.user;
	return CONNS;
}

static int64_t write_some(struct scene *s, unsigned i, size_t len)
{
	return sock_write(use(s, 0), s->client[i], pattern, len);
}

static size_t drain(struct scene *s, unsigned i)
{
	uint8_t bytes[4096];
	size_t all = 0;
	int64_t n;
	while ((n = sock_read(use(s, 1), s->server[i], bytes, sizeof bytes)) > 0)
		all += (size_t)n;
	return all;
}

/* In the order in which they found none; who comes later does not go first. */
static void flights_go_round(void **state)
{
	(void)state;
	static struct scene s;
	struct stack_config c = duo_config();
	c.transport.flights = 1;
	scene_open(&s, &c);
	assert_int_equal(write_some(&s, 0, 1000), 1000);
	for (unsigned i = 1; i < CONNS; i++)
		assert_int_equal(write_some(&s, i, 1000), -(int64_t)ERR_AGAIN);
	assert_int_equal(
		write_some(&s, 2, 1000), -(int64_t)ERR_AGAIN); /* it stands there already */
	for (unsigned i = 1; i < CONNS; i++) {
		pass(&s, NANO_S);
		assert_int_equal(told(&s), CONNS);
		assert_false(stack_has_work(s.duo.host[0].stack)); /* waiting is no work */
		/* the flight is idle for two seconds, then it goes to the next */
		pass(&s, 2 * NANO_S);
		assert_int_equal(drain(&s, i - 1), 1000);
		assert_int_equal(told(&s), i);
		assert_int_equal(told(&s), CONNS);
		assert_int_equal(write_some(&s, 0, 1000), -(int64_t)ERR_AGAIN);
		assert_int_equal(write_some(&s, i, 1000), 1000);
	}
	scene_close(&s);
}

/* Who was told and does not write holds up the others for the idle time only. */
static void told_in_vain(void **state)
{
	(void)state;
	static struct scene s;
	struct stack_config c = duo_config();
	c.transport.flights = 1;
	scene_open(&s, &c);
	assert_int_equal(write_some(&s, 0, 10), 10);
	assert_int_equal(write_some(&s, 1, 10), -(int64_t)ERR_AGAIN);
	size_t got;
	assert_null(sock_reserve(use(&s, 0), s.client[2], 10, &got));
	pass(&s, 3 * NANO_S);
	assert_int_equal(told(&s), 1);
	pass(&s, 3 * NANO_S);
	assert_int_equal(told(&s), 2);
	uint8_t *at = sock_reserve(use(&s, 0), s.client[2], 10, &got);
	assert_non_null(at);
	assert_true(got >= 10);
	memset(at, 1, 10);
	assert_int_equal(sock_commit(use(&s, 0), s.client[2], 10), 0);
	pass(&s, NANO_S);
	assert_int_equal(drain(&s, 2), 10);
	scene_close(&s);
}

/* SHLD-3's reset is for lost data; a shortage of memory is no reason to lose any. */
static void close_without_flight(void **state)
{
	(void)state;
	static struct scene s;
	struct stack_config c = duo_config();
	c.transport.flights = 1;
	scene_open(&s, &c);
	assert_int_equal(write_some(&s, 0, 10), 10);
	pass(&s, 100 * NANO_MS);
	assert_int_equal(sock_shutdown(use(&s, 0), s.client[1]), 0);
	assert_int_equal(sock_close(use(&s, 0), s.client[2]), 0);
	assert_int_equal(sock_close(use(&s, 0), s.client[3]), 0);
	pass(&s, 100 * NANO_MS);
	assert_false(stack_has_work(s.duo.host[0].stack));
	uint8_t byte;
	for (unsigned i = 1; i < 4; i++)
		assert_int_equal(sock_read(use(&s, 1), s.server[i], &byte, 1), -(int64_t)ERR_AGAIN);
	for (unsigned i = 1; i < 4; i++) {
		pass(&s, 3 * NANO_S);
		assert_int_equal(sock_read(use(&s, 1), s.server[i], &byte, 1), 0); /* the end */
		assert_int_equal(sock_error(use(&s, 1), s.server[i]), ERR_OK);
		sock_close(use(&s, 1), s.server[i]);
	}
	pass(&s, NANO_S);
	assert_int_equal(sock_unfinished(use(&s, 0)), 0);
	scene_close(&s);
}

/* R2 for a FIN that never finds a flight: the peer was silent for long enough. */
static void fin_is_given_up(void **state)
{
	(void)state;
	static struct scene s;
	struct stack_config c = duo_config();
	c.transport.flights = 1;
	c.transport.user_timeout = 100 * NANO_S;
	scene_open(&s, &c);
	assert_int_equal(write_some(&s, 0, 8000), 8000); /* nobody reads: it never ends */
	sock_close(use(&s, 0), s.client[1]);
	pass(&s, 95 * NANO_S);
	assert_int_equal(sock_unfinished(use(&s, 0)), 1);
	pass(&s, 10 * NANO_S);
	assert_int_equal(sock_unfinished(use(&s, 0)), 0);
	uint8_t byte;
	assert_int_equal(sock_read(use(&s, 1), s.server[1], &byte, 1), -(int64_t)ERR_RESET);
	size_t got = drain(&s, 0);
	pass(&s, 100 * NANO_S);
	assert_int_equal(got + drain(&s, 0), 8000);
	scene_close(&s);
}

/* One writer has all blocks. The others get theirs before it gets more. */
static void blocks_go_round(void **state)
{
	(void)state;
	static struct scene s;
	struct stack_config c = duo_config();
	c.transport.blocks = 16;
	c.transport.big_blocks = 0;
	c.transport.send_buffer = 65536;
	scene_open(&s, &c);
	int64_t first = write_some(&s, 0, 65536);
	assert_in_range(first, 8 * 2048, 16 * 2048);
	pass(&s, 10 * NANO_MS);
	while (write_some(&s, 0, 2048) > 0) /* to the last byte of what there is */
		;
	for (unsigned i = 1; i < CONNS; i++)
		assert_int_equal(write_some(&s, i, 5000), -(int64_t)ERR_AGAIN);
	pass(&s, 20 * NANO_MS);
	told(&s);
	assert_int_equal(told(&s), CONNS); /* the first at most, whose bytes were acknowledged */
	assert_false(stack_has_work(s.duo.host[0].stack));
	/* What the server reads is acknowledged, and goes to those who wait, one block each. */
	bool was_told[CONNS] = { false };
	for (unsigned rounds = 0; rounds < 10 && !was_told[CONNS - 1]; rounds++) {
		drain(&s, 0);
		pass(&s, 300 * NANO_MS);
		for (unsigned i; (i = told(&s)) < CONNS;) {
			if (i && !was_told[i]) {
				assert_true(i == 1 || was_told[i - 1]); /* in their order */
				was_told[i] = true;
				assert_true(write_some(&s, i, 1000) > 0);
			}
			if (!was_told[CONNS - 1])
				write_some(&s, 0, 65536); /* it wants all it can get */
		}
	}
	assert_true(was_told[CONNS - 1]);
	for (unsigned i = 0; i < 200; i++) {
		for (unsigned k = 0; k < CONNS; k++)
			drain(&s, k);
		pass(&s, 100 * NANO_MS);
	}
	scene_close(&s);
}

/* It is closed, aborted or reset while it waits. */
static void gone_while_waiting(void **state)
{
	(void)state;
	static struct scene s;
	struct stack_config c = duo_config();
	c.transport.flights = 1;
	scene_open(&s, &c);
	assert_int_equal(write_some(&s, 0, 10), 10);
	for (unsigned i = 1; i < CONNS; i++)
		assert_int_equal(write_some(&s, i, 10), -(int64_t)ERR_AGAIN);
	sock_abort(use(&s, 0), s.client[1]);
	sock_close(use(&s, 0), s.client[2]);
	sock_abort(use(&s, 1), s.server[3]);
	pass(&s, 100 * NANO_MS);
	assert_int_equal(sock_error(use(&s, 0), s.client[3]), ERR_RESET);
	sock_close(use(&s, 0), s.client[3]);
	pass(&s, 3 * NANO_S); /* the second's FIN has the flight now */
	sock_close(use(&s, 1), s.server[2]);
	pass(&s, NANO_S);
	assert_int_equal(told(&s), 4);
	assert_int_equal(write_some(&s, 4, 10), 10);
	scene_close(&s);
}

/* A FIN needs no block: it does not stand behind those who wait for one. */
static void fin_passes_writers(void **state)
{
	(void)state;
	static struct scene s;
	struct stack_config c = duo_config();
	c.transport.flights = 3;
	c.transport.blocks = 16;
	c.transport.big_blocks = 0;
	c.transport.send_buffer = 65536;
	scene_open(&s, &c);
	while (write_some(&s, 0, 2048) > 0) /* nobody reads it: the blocks stay taken */
		pass(&s, 10 * NANO_MS);
	assert_int_equal(write_some(&s, 1, 10), -(int64_t)ERR_AGAIN); /* a flight, no block */
	assert_int_equal(write_some(&s, 2, 10), -(int64_t)ERR_AGAIN);
	assert_int_equal(stack_transport(s.duo.host[0].stack)->flight_pool.used, 3);
	assert_int_equal(sock_shutdown(use(&s, 0), s.client[3]), 0);
	pass(&s, 100 * NANO_MS);
	uint8_t byte;
	assert_int_equal(sock_read(use(&s, 1), s.server[3], &byte, 1), -(int64_t)ERR_AGAIN);
	sock_abort(use(&s, 0), s.client[2]); /* its flight is free, no block is */
	pass(&s, 100 * NANO_MS);
	assert_int_equal(stack_transport(s.duo.host[0].stack)->short_block.count, 1);
	assert_int_equal(sock_read(use(&s, 1), s.server[3], &byte, 1), 0);
	for (unsigned i = 0; i < 100; i++) {
		drain(&s, 0);
		pass(&s, 100 * NANO_MS);
	}
	scene_close(&s);
}

/* ... and it stands in line for a flight also while there is no way to its peer. */
static void fin_without_way(void **state)
{
	(void)state;
	static struct scene s;
	struct stack_config c = duo_config();
	struct addr to = address("192.0.2.2");
	c.transport.flights = 1;
	scene_open(&s, &c);
	assert_int_equal(write_some(&s, 0, 10), 10);
	pass(&s, 100 * NANO_MS);
	struct neighbour *n = neighbour_find(
		stack_access(s.duo.host[0].stack), s.duo.host[0].nif, &to);
	assert_non_null(n);
	uint8_t alive = n->state, byte;
	n->state = NEIGHBOUR_FAILED;
	assert_int_equal(sock_shutdown(use(&s, 0), s.client[1]), 0);
	pass(&s, 100 * NANO_MS);
	n->state = alive;
	pass(&s, 3 * NANO_S); /* the flight is idle for two seconds, then it goes to the FIN */
	assert_int_equal(sock_read(use(&s, 1), s.server[1], &byte, 1), 0);
	scene_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(flights_go_round),
		cmocka_unit_test(told_in_vain),
		cmocka_unit_test(close_without_flight),
		cmocka_unit_test(fin_is_given_up),
		cmocka_unit_test(blocks_go_round),
		cmocka_unit_test(gone_while_waiting),
		cmocka_unit_test(fin_passes_writers),
		cmocka_unit_test(fin_without_way),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
