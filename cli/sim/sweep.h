/*
 * A sweep: many seeds, in several processes, until one fails or all are through.
 */
#ifndef STRATA_CLI_SIM_SWEEP_H
#define STRATA_CLI_SIM_SWEEP_H

#include "sim/trial.h"

#define SWEEP_JOBS 64

struct sweep {
	uint64_t first, last; /* seeds */
	fault_set faults;     /* to draw from */
	unsigned jobs;
	bool json;
	bool keep_going;    /* failing seeds are listed, not shrunk */
	bool no_shrink;     /* the first that fails is named, not shrunk */
	const char *pcap;   /* folder for captures of shrunk worlds; NULL: the current one */
	const char *ledger; /* a file to which a clean sweep adds its line; or NULL */
};

/* The program's exit code. */
int sweep_run(const struct sweep *s);

#endif
