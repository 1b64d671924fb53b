/*
 * How far a sweep is: a line on a terminal with rate and estimate, the last line
 * or JSON object, and the ledger.
 */
#ifndef STRATA_CLI_SIM_PROGRESS_H
#define STRATA_CLI_SIM_PROGRESS_H

#include "cli/sim/sweep.h"

struct sweep_count {
	uint64_t done, failed, hash, events, bytes, virtual_seconds;
};

struct progress {
	uint64_t total;
	double began, shown;
	bool terminal, drawn; /* not a terminal: a line now and then, for logs */
};

double progress_clock(void); /* seconds of this machine, from anywhere */
void progress_begin(struct progress *p, uint64_t total);
void progress_show(struct progress *p, const struct sweep_count *c);
void progress_clear(struct progress *p);
/* The result; the program's exit code. */
int progress_end(struct progress *p, const struct sweep *s, const struct sweep_count *c);

#endif
