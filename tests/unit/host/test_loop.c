/*
 * The event loop with pipes for links: whole bursts, exact deadlines, kicks,
 * links that vanish, and the descriptor for a program's own loop.
 */
#define _GNU_SOURCE /* pipe2 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <unistd.h>

#include "host/hostclock.h"
#include "host/loop.h"
#include "host/pages.h"

struct bed {
	struct stack *stack;
	void *memory;
	size_t size;
	struct netif *nif;
	struct loop loop;
	int pipe[2];
	unsigned received, bursts;
	struct app app;
	unsigned runs;
	nanotime wants; /* the application's deadline */
	nanotime ran_at;
};

/* One byte of the pipe is a frame. */
static unsigned receive(
	void *link, struct stack *s, struct netif *nif, nanotime now, unsigned max, bool *gone)
{
	struct bed *b = link;
	unsigned n = 0;
	uint8_t byte;
	(void)s;
	(void)nif;
	(void)now;
	b->bursts++;
	while (n < max) {
		ssize_t got = read(b->pipe[0], &byte, 1);
		if (got == 0)
			*gone = true;
		if (got <= 0)
			break;
		n++;
	}
	b->received += n;
	return n;
}

static bool transmit(void *link, struct netif *nif, const struct tx_frame *f, nanotime now)
{
	(void)link;
	(void)nif;
	(void)f;
	(void)now;
	return true;
}

static const struct link_ops ops = { .name = "nowhere", .transmit = transmit };

static void run(struct app *a, struct stack *s, nanotime now)
{
	struct bed *b = list_entry(a, struct bed, app);
	(void)s;
	b->runs++;
	if (now >= b->wants) {
		b->ran_at = now;
		b->wants = NANOTIME_NEVER;
	}
}

static nanotime deadline(const struct app *a)
{
	return list_entry(a, struct bed, app)->wants;
}

static void open_bed(struct bed *b)
{
	struct stack_config c;
	const char *why = "";
	*b = (struct bed){ .wants = NANOTIME_NEVER, .app = { .run = run, .deadline = deadline } };
	stack_config_default(&c);
	c.secret[0] = 1;
	b->size = stack_memory(&c);
	b->memory = pages_map(b->size);
	b->stack = stack_create(&c, b->memory, b->size, clock_now(), &why);
	const struct netif_config n = { .name = "n", .mac = { { 2 } }, .mtu = 1500, .ops = &ops };
	b->nif = b->stack ? stack_add_netif(b->stack, &n, &why) : NULL;
	if (!b->nif)
		fail_msg("%s", why);
	assert_int_equal(pipe2(b->pipe, O_NONBLOCK), 0);
	assert_true(loop_init(&b->loop, b->stack));
	loop_add_link(&b->loop,
		&(struct loop_link){
			.fd = b->pipe[0],
			.nif = b->nif,
			.link = b,
			.receive = receive,
		});
	loop_add_app(&b->loop, &b->app);
}

static void close_bed(struct bed *b)
{
	loop_free(&b->loop);
	close(b->pipe[0]);
	close(b->pipe[1]);
	pages_unmap(b->memory, b->size);
}

static void frames(struct bed *b, unsigned count)
{
	static const uint8_t bytes[4096];
	assert_int_equal(write(b->pipe[1], bytes, count), count);
}

static bool received(void *user)
{
	const struct bed *b = user;
	return b->received > 0;
}

static void test_bursts(void **state)
{
	(void)state;
	struct bed b;
	open_bed(&b);
	frames(&b, LOOP_BURST);
	assert_int_equal(loop_run(&b.loop, NANOTIME_NEVER, received, &b), LOOP_DONE);
	assert_int_equal(b.received, LOOP_BURST);
	/* A burst as long as allowed may not have been the last: the next wait only looks. */
	frames(&b, 3 * LOOP_BURST + 5);
	b.bursts = 0;
	assert_int_equal(loop_run(&b.loop, clock_now() + 50 * NANO_MS, NULL, NULL), LOOP_TIME);
	assert_int_equal(b.received, 4 * LOOP_BURST + 5);
	assert_in_range(b.bursts, 4, 5);
	close_bed(&b);
}

static void test_deadline(void **state)
{
	(void)state;
	struct bed b;
	open_bed(&b);
	nanotime wants = b.wants = clock_now() + 20 * NANO_MS;
	b.runs = 0;
	assert_int_equal(loop_run(&b.loop, wants + 20 * NANO_MS, NULL, NULL), LOOP_TIME);
	assert_true(b.ran_at >= wants);
	assert_true(
		b.runs < 20); /* it slept: what wakes it is looking, the deadline, and the end */
	close_bed(&b);
}

static void *kick_later(void *user)
{
	struct bed *b = user;
	usleep(20000);
	loop_kick(&b->loop);
	return NULL;
}

static void test_kick(void **state)
{
	(void)state;
	struct bed b;
	pthread_t thread;
	open_bed(&b);
	/* Nothing else would end these waits. */
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(pthread_create(&thread, NULL, kick_later, &b), 0);
		loop_wait(&b.loop, (struct loop_sleep){ .until = NANOTIME_NEVER });
		pthread_join(thread, NULL);
	}
	/* A flush that finds an earlier deadline kicks a loop that others share. */
	b.loop.shared = true;
	struct loop_sleep sleep = loop_turn(&b.loop);
	assert_true(sleep.until > clock_now() + NANO_S);
	b.wants = clock_now() + NANO_MS;
	loop_flush(&b.loop);
	loop_wait(&b.loop, (struct loop_sleep){ .until = NANOTIME_NEVER });
	close_bed(&b);
}

static void test_gone(void **state)
{
	(void)state;
	struct bed b;
	open_bed(&b);
	close(b.pipe[1]);
	assert_int_equal(loop_run(&b.loop, NANOTIME_NEVER, NULL, NULL), LOOP_GONE);
	assert_true(loop_gone(&b.loop));
	assert_false(b.nif->up);
	b.pipe[1] = open("/dev/null", O_WRONLY);
	close_bed(&b);
}

static bool readable(int fd, int milliseconds)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	return poll(&p, 1, milliseconds) == 1;
}

static void test_descriptor(void **state)
{
	(void)state;
	struct bed b;
	open_bed(&b);
	loop_run(&b.loop, 0, NULL, NULL);
	int fd = loop_fd(&b.loop);
	assert_true(fd >= 0);
	assert_int_equal(loop_fd(&b.loop), fd);
	assert_false(readable(fd, 0));
	frames(&b, 1);
	assert_true(readable(fd, 1000));
	loop_run(&b.loop, 0, NULL, NULL);
	assert_int_equal(b.received, 1);
	assert_false(readable(fd, 0));
	b.wants = clock_now() + 20 * NANO_MS;
	loop_flush(&b.loop);
	assert_true(readable(fd, 10000));
	assert_true(clock_now() >= b.wants);
	loop_run(&b.loop, 0, NULL, NULL);
	assert_false(readable(fd, 0));
	close_bed(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bursts),
		cmocka_unit_test(test_deadline),
		cmocka_unit_test(test_kick),
		cmocka_unit_test(test_gone),
		cmocka_unit_test(test_descriptor),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
