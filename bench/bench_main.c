/*
 * strata-bench: what a segment, a round trip and a connection cost. Three loads:
 *
 *	bulk  one connection, one way, as fast as the windows allow
 *	rr    one byte there, one byte back
 *	crr   connect, accept, close on both sides
 *
 * Each warms up, sets a mark, does the asked amount, sets the second mark. Under
 * callgrind only what lies between the marks is counted (--instr-atstart=no).
 * Everything counts: both ends, the link, ACKs, the application's copies.
 */
#include "bench_pair.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#if __has_include(<valgrind/callgrind.h>)
#include <valgrind/callgrind.h>
#else
#define CALLGRIND_START_INSTRUMENTATION ((void)0)
#define CALLGRIND_STOP_INSTRUMENTATION ((void)0)
#endif

#define PORT 5001
#define CHUNK 65536

static const char usage[] =
	"usage: strata-bench bulk [--bytes N] | rr [--count N] | crr [--count N]\n"
	"                    [--window BYTES] [--mtu N] [--gso] [--no-checksum] [--v6]\n"
	"                    [--plain-checksum]\n"
	"Two stacks in one thread over an in-memory Ethernet; the result is one JSON object.\n"
	"For instructions: valgrind --tool=callgrind --instr-atstart=no strata-bench ...\n";

struct result {
	const char *test;
	uint64_t bytes, segments, count;
	double seconds;
};

static double seconds(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void fail(const char *what, int64_t error)
{
	fprintf(stderr, "strata-bench: %s: %s\n", what,
		error_text((enum error)(error < 0 ? -error : error)));
	exit(1);
}

static sock_id listen_on(struct bench_pair *p)
{
	struct sock_options o = { .local_port = PORT, .queue = &p->end[1].queue };
	sock_id id;
	int e = sock_listen(p->end[1].stack, &o, &id);
	if (e)
		fail("listen", e);
	return id;
}

static sock_id connect_to(struct bench_pair *p)
{
	struct sock_options o = { .queue = &p->end[0].queue };
	sock_id id;
	int e = sock_connect(p->end[0].stack, &o, &p->address[1], PORT, &id);
	if (e)
		fail("connect", e);
	return id;
}

static sock_id accept_on(struct bench_pair *p, sock_id listener)
{
	sock_id id;
	int e = sock_accept(p->end[1].stack, listener, &p->end[1].queue, NULL, &id, NULL);
	if (e)
		fail("accept", e);
	return id;
}

/* What the two applications of a load know. */
struct load {
	sock_id listener, client, server;
	uint64_t written, read, want; /* bulk: bytes. rr: round trips. crr: connections */
};

static uint8_t out[CHUNK], in[CHUNK];

static void bulk_client(struct bench_pair *p, void *user)
{
	struct load *l = user;
	while (l->written < l->want) {
		uint64_t left = l->want - l->written;
		int64_t n = sock_write(p->end[0].stack, l->client, out,
				       left < CHUNK ? (size_t)left : CHUNK);
		if (n == -ERR_AGAIN)
			return;
		if (n < 0)
			fail("write", n);
		l->written += (uint64_t)n;
	}
}

static void bulk_server(struct bench_pair *p, void *user)
{
	struct load *l = user;
	for (;;) {
		int64_t n = sock_read(p->end[1].stack, l->server, in, CHUNK);
		if (n == -ERR_AGAIN)
			return;
		if (n <= 0)
			fail("read", n);
		l->read += (uint64_t)n;
	}
}

static void connect_pair(struct bench_pair *p, struct load *l)
{
	l->listener = listen_on(p);
	l->client = connect_to(p);
	bench_pair_run(p, NANO_MS);
	l->server = accept_on(p, l->listener);
}

static void run_until(struct bench_pair *p, struct load *l, uint64_t more)
{
	l->want += more;
	while (l->read < l->want)
		bench_pair_run(p, 10 * NANO_US);
}

static void bulk(struct bench_pair *p, uint64_t bytes, struct result *r)
{
	struct load l = { 0 };
	connect_pair(p, &l);
	p->app[0] = bulk_client;
	p->app[1] = bulk_server;
	p->user = &l;
	run_until(p, &l, 4 << 20);
	struct sock_tcp_info before, after;
	sock_tcp_info(p->end[0].stack, l.client, &before);
	double start = seconds();
	CALLGRIND_START_INSTRUMENTATION;
	run_until(p, &l, bytes);
	CALLGRIND_STOP_INSTRUMENTATION;
	r->seconds = seconds() - start;
	sock_tcp_info(p->end[0].stack, l.client, &after);
	r->bytes = bytes;
	r->segments = after.segments_sent - before.segments_sent;
	if (after.retransmits)
		fail("a segment was retransmitted on a perfect link", 0);
}

static void rr_client(struct bench_pair *p, void *user)
{
	struct load *l = user;
	uint8_t byte = 'x';
	if (l->read < l->written) {
		int64_t n = sock_read(p->end[0].stack, l->client, &byte, 1);
		if (n == -ERR_AGAIN)
			return;
		if (n != 1)
			fail("read", n);
		l->read++;
	}
	if (l->written < l->want) {
		if (sock_write(p->end[0].stack, l->client, &byte, 1) != 1)
			fail("write", 0);
		l->written++;
	}
}

static void rr_server(struct bench_pair *p, void *user)
{
	struct load *l = user;
	uint8_t byte;
	if (sock_read(p->end[1].stack, l->server, &byte, 1) == 1 &&
	    sock_write(p->end[1].stack, l->server, &byte, 1) != 1)
		fail("echo", 0);
}

static void rr(struct bench_pair *p, uint64_t count, struct result *r)
{
	struct load l = { 0 };
	connect_pair(p, &l);
	p->app[0] = rr_client;
	p->app[1] = rr_server;
	p->user = &l;
	run_until(p, &l, 1000);
	double start = seconds();
	CALLGRIND_START_INSTRUMENTATION;
	run_until(p, &l, count);
	CALLGRIND_STOP_INSTRUMENTATION;
	r->seconds = seconds() - start;
	r->count = count;
}

/* Closes as soon as it is connected. */
static void crr_client(struct bench_pair *p, void *user)
{
	struct load *l = user;
	if (l->client && sock_poll(p->end[0].stack, l->client) & EVENT_CONNECTED) {
		sock_close(p->end[0].stack, l->client);
		l->client = 0;
	}
}

/* Accepts, and closes at the end of the stream. */
static void crr_server(struct bench_pair *p, void *user)
{
	struct load *l = user;
	struct stack *s = p->end[1].stack;
	uint8_t byte;
	if (!l->server) {
		if (!(sock_poll(s, l->listener) & EVENT_READABLE))
			return;
		l->server = accept_on(p, l->listener);
	}
	if (sock_read(s, l->server, &byte, 1) == 0) {
		sock_close(s, l->server);
		l->server = 0;
		l->read++;
	}
}

static void cycle(struct bench_pair *p, struct load *l, uint64_t count)
{
	for (uint64_t i = 0; i < count; i++) {
		uint64_t before = l->read;
		l->client = connect_to(p);
		bench_pair_run(p, NANO_MS);
		if (l->read != before + 1 || sock_unfinished(p->end[0].stack) ||
		    sock_unfinished(p->end[1].stack))
			fail("a connection is left over", 0);
	}
}

static void crr(struct bench_pair *p, uint64_t count, struct result *r)
{
	struct load l = { .listener = listen_on(p) };
	p->app[0] = crr_client;
	p->app[1] = crr_server;
	p->user = &l;
	cycle(p, &l, 1000);
	double start = seconds();
	CALLGRIND_START_INSTRUMENTATION;
	cycle(p, &l, count);
	CALLGRIND_STOP_INSTRUMENTATION;
	r->seconds = seconds() - start;
	r->count = count;
}

static uint64_t number(const char *text)
{
	char *end;
	uint64_t n = text ? strtoull(text, &end, 10) : 0;
	if (!n || *end) {
		fputs(usage, stderr);
		exit(2);
	}
	return n;
}

static void print(const struct result *r, const struct bench_options *o)
{
	printf("{\"schema\":\"strata-bench/1\",\"test\":\"%s\",\"mtu\":%u,\"window\":%u,"
	       "\"checksum\":\"%s\",\"gso\":%s,\"family\":\"%s\"",
	       r->test, o->mtu, o->window, o->offload || o->gso ? "none" : o->checksum->name,
	       o->gso ? "true" : "false", o->v6 ? "ip6" : "ip4");
	if (r->bytes)
		printf(",\"bytes\":%llu,\"segments\":%llu,\"units\":%llu,\"gbit_per_s\":%.2f",
		       (unsigned long long)r->bytes, (unsigned long long)r->segments,
		       (unsigned long long)(r->bytes / 1460),
		       (double)r->bytes * 8e-9 / r->seconds);
	else
		printf(",\"units\":%llu,\"per_s\":%.0f", (unsigned long long)r->count,
		       (double)r->count / r->seconds);
	printf(",\"seconds\":%.4f}\n", r->seconds);
}

int main(int argc, char **argv)
{
	struct bench_options o = { .mtu = 1500, .window = 65535 };
	uint64_t bytes = 100000000, count = 100000;
	bool plain = false;
	for (int i = 2; i < argc; i++) {
		const char *a = argv[i];
		if (!strcmp(a, "--bytes"))
			bytes = number(argv[++i]);
		else if (!strcmp(a, "--count"))
			count = number(argv[++i]);
		else if (!strcmp(a, "--window"))
			o.window = (uint32_t)number(argv[++i]);
		else if (!strcmp(a, "--mtu"))
			o.mtu = (uint16_t)number(argv[++i]);
		else if (!strcmp(a, "--gso"))
			o.gso = true;
		else if (!strcmp(a, "--no-checksum"))
			o.offload = true;
		else if (!strcmp(a, "--v6"))
			o.v6 = true;
		else if (!strcmp(a, "--plain-checksum"))
			plain = true;
		else
			number(NULL);
	}
	o.checksum = plain                            ? &checksum_plain
		     : __builtin_cpu_supports("avx2") ? &checksum_avx2
						      : &checksum_sse2;
	struct bench_pair pair;
	struct result r = { .test = argc > 1 ? argv[1] : "" };
	void (*test)(struct bench_pair *, uint64_t, struct result *) =
		!strcmp(r.test, "bulk")  ? bulk
		: !strcmp(r.test, "rr")  ? rr
		: !strcmp(r.test, "crr") ? crr
					 : NULL;
	if (!test) {
		fputs(usage, stderr);
		return 2;
	}
	bench_pair_open(&pair, &o);
	test(&pair, test == bulk ? bytes : count, &r);
	print(&r, &o);
	bench_pair_close(&pair);
	return 0;
}
