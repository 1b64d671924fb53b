/*
 * Scripts in the language of packetdrill, run against one of our stacks in
 * virtual time. A script plays the remote host and the program at once: it sends
 * packets, makes calls, and says which packets must leave when. Nothing here
 * waits: time is the host's own, so that thousands of seconds take milliseconds
 * and the same script gives the same run.
 *
 * Thread rule: a run touches nothing but its arguments; any number may go on at
 * once in threads of their own.
 */
#ifndef STRATA_DRILL_DRILL_H
#define STRATA_DRILL_DRILL_H

#include "drill/drill_script.h"

struct drill_options {
	bool ip6;           /* IPv6, where the script does not say which */
	bool swapped; /* it was written for IPv4: an MTU that leaves room for the same MSS */
	bool lenient;       /* PSH, the order of TCP options and their padding do not matter */
	nanotime tolerance; /* of times; 0: 10 ms, or what the script says */
	/* NAME=VALUE: sysctls, which come after those that the script's set-up file sets. */
	const struct drill_setting *set;
	unsigned sets;
	const struct drill_setting *define; /* NAME=VALUE: constants of the script */
	unsigned defines;
	/* What print says in a script, and each segment as it leaves; NULL: nobody listens. */
	void (*say)(void *context, const char *line);
	void *context;
};

enum drill_outcome {
	DRILL_PASSED,
	DRILL_FAILED,    /* the stack did something else */
	DRILL_MALFORMED, /* the script can't be understood */
	DRILL_NO_MEMORY,
};

struct drill_report {
	enum drill_outcome outcome;
	struct drill_problem problem; /* unless it passed */
	unsigned events, events_run;
	nanotime lasted;  /* virtual */
	unsigned ignored; /* shell commands that mean nothing here */
	char ignored_first[128];
};

/* Runs a script of `text`. Returns r->outcome. */
enum drill_outcome drill_run(
	const struct drill_options *o, struct span text, struct drill_report *r);

#endif
