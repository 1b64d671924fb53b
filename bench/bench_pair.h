/*
 * Two stacks in one thread over an in-memory Ethernet: what one transmits, the
 * other receives by reference, headers and ring memory as they lie. Checksums are
 * computed and verified, nothing is offloaded, time is virtual.
 */
#ifndef STRATA_BENCH_PAIR_H
#define STRATA_BENCH_PAIR_H

#include "socket/socket.h"

struct bench_end {
	struct stack *stack;
	struct netif *nif;
	struct bench_end *peer;
	struct sock_queue queue;
	void *memory;
	size_t size;
};

struct bench_options {
	uint16_t mtu;
	uint32_t window;    /* send and receive buffer, bytes */
	bool gso;           /* super-frames */
	bool offload;       /* no transport checksums */
	bool v6;
	const struct checksum_ops *checksum;
};

struct bench_pair {
	struct bench_end end[2]; /* 0: client, 1: server */
	struct addr address[2];
	nanotime now;
	/* The applications: each runs after its stack received a burst and before it transmits. */
	void (*app[2])(struct bench_pair *p, void *user);
	void *user;
};

/* Builds both stacks and resolves the neighbours. Exits with a line on stderr where it can't. */
void bench_pair_open(struct bench_pair *p, const struct bench_options *o);
void bench_pair_close(struct bench_pair *p);
/* Time moves on by `step`; then each end transmits, the other receives the burst whole, its
 * application runs, and so to and fro until nothing is left to send. */
void bench_pair_run(struct bench_pair *p, nanodiff step);

#endif
