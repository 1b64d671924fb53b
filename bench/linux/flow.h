/*
 * One bulk transfer's two programs, each on one of two stacks: the kernel's, or
 * ours on a TAP device. Both do the same calls in the same order, so that a
 * difference between two measurements is the stacks'.
 */
#ifndef STRATA_BENCH_FLOW_H
#define STRATA_BENCH_FLOW_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct flow_options {
	const char *link;       /* "tap:NAME"; NULL: the kernel's stack */
	const char *address;    /* ours, "192.0.2.2/24"; with a link */
	const char *mac;        /* our link address; with a link */
	const char *to;         /* a source: "192.0.2.1" */
	const char *congestion; /* a source on the kernel: its algorithm */
	const char *pcap;       /* with a link */
	uint16_t port;
	double begin; /* a source: writes from then on; CLOCK_MONOTONIC, seconds */
};

/* What a sender's stack says about its connection. */
struct flow_info {
	double rtt;                         /* smoothed, seconds */
	uint32_t cwnd, ssthresh, in_flight; /* bytes */
	uint64_t retransmits;
};

/* No call waits longer than this; from read 0: the end, -1: an error, FLOW_AGAIN: time is over. */
#define FLOW_WAIT_MS 50
#define FLOW_AGAIN   (-2)

struct flow_stack {
	/* False: told. */
	bool (*connect)(const struct flow_options *o);
	bool (*accept)(const struct flow_options *o);
	ssize_t (*read)(void *to, size_t size);
	ssize_t (*write)(const void *from, size_t size);
	bool (*info)(struct flow_info *out);
	void (*close)(void);
};

extern const struct flow_stack flow_kernel, flow_strata;

void flow_fail(const char *what, const char *why);

#endif
