/*
 * Captures on this host: what is in the file, and that a reader who does not
 * read costs frames, never time.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "host/capture_file.h"
#include "packet/trace.h"
#include "wire/pcap.h"

static const struct netif nif = { .name = "tap9", .mac = { { 2, 0, 0, 0, 0, 9 } } };
static const struct netif other = { .name = "tap8" };

static char path[] = "/tmp/strata-capture-XXXXXX";

/* The event of a frame of ours whose bytes carry a number. */
static void send_frame(struct capture_file *c, const struct netif *on, uint32_t number, size_t len)
{
	static uint8_t body[65536];
	struct tx_frame f;
	frame_begin(&f, WHY_DATAGRAM);
	memset(frame_push(&f, 14), 0xee, 14);
	store32(body, number);
	frame_body(&f, span_of(body, len - 14));
	const struct trace_event e = {
		.kind = TRACE_TX,
		.time = 1000 + number,
		.nif = on,
		.frame = &f,
	};
	capture_file_event(c, &e);
}

struct content {
	uint8_t *at;
	size_t len;
	uint32_t packets, last;
};

/* Reads the whole capture back, and checks that the numbers rise. */
static void read_back(struct content *c, const char *name, bool from_start)
{
	static struct capture_reader r;
	struct capture_packet p;
	size_t used, at = 0;
	capture_begin(&r);
	for (;;) {
		switch (capture_next(&r, span_of(c->at + at, c->len - at), &used, &p)) {
		case CAPTURE_MORE: assert_false(capture_end(&r, c->len - at)); return;
		case CAPTURE_PASSED: break;
		case CAPTURE_PACKET:
			assert_true(c->packets == 0 || load32(p.bytes.at + 14) > c->last);
			c->last = load32(p.bytes.at + 14);
			assert_true(!from_start || c->last == c->packets);
			assert_int_equal(p.comments, 1);
			assert_int_equal(p.direction, PCAPNG_OUTBOUND);
			assert_int_equal(r.interface[0].name_len, strlen(name));
			assert_memory_equal(r.interface[0].name, name, strlen(name));
			c->packets++;
			break;
		case CAPTURE_FAULT: fail_msg("%s", capture_fault_text(r.fault));
		}
		at += used;
		if (at == c->len)
			return;
	}
}

static void *drain(void *user)
{
	struct content *c = user;
	int fd = open(path, O_RDONLY);
	size_t cap = 64u << 20;
	c->at = malloc(cap);
	assert_non_null(c->at);
	for (ssize_t n; (n = read(fd, c->at + c->len, cap - c->len)) > 0;)
		c->len += (size_t)n;
	close(fd);
	return NULL;
}

static void test_file(void **state)
{
	(void)state;
	enum error e = ERR_OK;
	char why[200];
	struct content c = { 0 };
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	struct capture_file *f = capture_file_open(path, &nif, &e, why, sizeof why);
	assert_non_null(f);
	for (uint32_t i = 0; i < 3000; i++) {
		send_frame(f, &nif, i, 60 + i % 1400);
		send_frame(f, &other, 1000000, 60); /* another interface's business */
	}
	assert_int_equal(capture_file_lost(f), 0);
	/* The loop writes what has waited for a while. */
	struct app *a = capture_file_app(f);
	nanotime due = a->deadline(a);
	assert_true(due != NANOTIME_NEVER);
	a->run(a, NULL, due);
	assert_int_equal(a->deadline(a), NANOTIME_NEVER);
	drain(&c);
	read_back(&c, "tap9", true);
	assert_int_equal(c.packets, 3000);
	assert_true(capture_file_close(f));
	free(c.at);
	close(fd);
	unlink(path);
}

/* Nobody reads from the pipe: frames are lost whole, and counted. */
static void test_slow_reader(void **state)
{
	(void)state;
	enum error e = ERR_OK;
	char why[200];
	struct content c = { 0 };
	pthread_t reader;
	assert_int_equal(mkfifo(path, 0600), 0);
	int held = open(path, O_RDWR); /* somebody has it open, and does not read */
	struct capture_file *f = capture_file_open(path, &nif, &e, why, sizeof why);
	assert_non_null(f);
	const uint32_t frames = 10000;
	for (uint32_t i = 0; i < frames; i++)
		send_frame(f, &nif, i, 1000);
	uint64_t lost = capture_file_lost(f);
	assert_in_range(lost, 1, frames - 1);
	assert_int_equal(pthread_create(&reader, NULL, drain, &c), 0);
	assert_false(capture_file_close(f));
	close(held);
	pthread_join(reader, NULL);
	read_back(&c, "tap9", true);
	assert_int_equal(c.packets, frames - lost);
	free(c.at);
	unlink(path);
}

static void test_nowhere(void **state)
{
	(void)state;
	enum error e = ERR_OK;
	char why[200];
	assert_null(capture_file_open("/no/such/folder", &nif, &e, why, sizeof why));
	assert_int_equal(e, ERR_SYSTEM);
	assert_non_null(strstr(why, "/no/such/folder"));
	/* A device that is always full. */
	struct capture_file *f = capture_file_open("/dev/full", &nif, &e, why, sizeof why);
	assert_null(f);
	assert_non_null(strstr(why, "No space"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_file),
		cmocka_unit_test(test_slow_reader),
		cmocka_unit_test(test_nowhere),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
