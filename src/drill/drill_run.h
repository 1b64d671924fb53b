/* The state of a run, shared by its parts: events in turn, packets, set-up. */
#ifndef STRATA_DRILL_RUN_H
#define STRATA_DRILL_RUN_H

#include "drill/drill.h"
#include "drill/drill_call.h"
#include "drill/drill_code.h"
#include "drill/drill_shell.h"
#include "drill/drill_wire.h"

#define DRILL_FLOWS    64            /* connections of one script */
#define DRILL_QUEUE    4096          /* segments that left and were not looked at yet */
#define DRILL_PATIENCE (60 * NANO_S) /* how long nothing may happen */

struct drill_run {
	const struct drill_options *options;
	struct drill_report *report;
	struct drill_script script;
	struct drill_host host;
	struct drill_code code;
	struct drill_match match;
	bool scaled_ecr;
	uint32_t mtu;
	struct drill_flow flow[DRILL_FLOWS];
	unsigned flows;
	int current;   /* flow; -1: none yet */
	bool answered; /* a segment of the current flow with ACK left */
	struct drill_seen *queue;
	unsigned queue_first, queue_len;
	bool queue_overran;
	/* The one call that may be under way while others go on. */
	bool busy;
	const struct drill_event *busy_event;
	nanotime busy_end; /* on the script's clock */
	struct drill_running running;
	struct drill_shell shell;
	uint8_t *datagram; /* DRILL_DATAGRAM bytes */
	void *posix_memory;
	uint8_t *arena_memory;
	struct arena arena;
};

/* The script's clock. */
static inline nanotime drill_now(const struct drill_run *r)
{
	return posix_now(r->host.posix) - r->host.start;
}

bool drill_problem_at(struct drill_run *r, unsigned line, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* Options of the script, its host, its memory. False: report->problem says why. */
bool drill_set_up(struct drill_run *r, struct span text);
void drill_tear_down(struct drill_run *r);
/* Moves the clock to `until` (the script's), looking at what happens on the way. */
bool drill_advance(struct drill_run *r, nanotime until);
/* To the next thing that happens by itself, but not beyond `latest`; false: nothing does. */
bool drill_step_clock(struct drill_run *r, nanotime latest, bool *moved);
/* Takes what left into the queue, and goes on with the call under way. */
bool drill_look(struct drill_run *r);
bool drill_packet_in(struct drill_run *r, const struct drill_event *e);
bool drill_packet_out(
	struct drill_run *r, const struct drill_event *e, nanotime due, nanotime latest);

#endif
