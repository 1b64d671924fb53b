/*
 * A trial: one random world, from a seed to a verdict. Two machines and a router
 * between them, flows of every temper (traffic.h), in some worlds UDP beside them
 * (datagram_flows.h), and up to a dozen faults of
 * the catalogue, each with a rate, a window of time and a place of its own. All
 * of it follows from the trial's few numbers, so a trial is replayed by naming
 * them, and made smaller by changing them: each fault, each flow and each stack
 * draws from a generator of its own, and stays what it was when others go.
 *
 *	safety     faults come and go; anything may be slow, nothing may be wrong
 *	healing    at TRIAL_HEAL all faults have ended
 *	liveness   every flow moves again, and ends
 *	teardown   nothing is left: no memory, no timer, no event
 */
#ifndef STRATA_SIM_TRIAL_H
#define STRATA_SIM_TRIAL_H

#include "sim/catalogue.h"
#include "sim/datagram_flows.h"
#include "sim/link.h"
#include "sim/traffic.h"

#define TRIAL_HEAL     (30 * NANO_S)
#define TRIAL_PATIENCE (240 * NANO_S) /* I20: 3 RTO_max, and what a user timeout needs to tell */
/* I22: a round trip that spanned an outage is measured like any other, so a tail loss probe may
 * wait for an RTO_max, and the whole RTO after it (RFC 8985 7.3) as long; and a glance. */
#define TRIAL_STARVED (135 * NANO_S)
#define TRIAL_LONGEST (1800 * NANO_S) /* F11: the longest delay */
#define TRIAL_FAULTS  12

struct trial {
	uint64_t seed;
	fault_set faults;
	uint32_t flows;     /* bit n: flow n takes part */
	uint32_t datagrams; /* the same, of those that are UDP */
	setting_set settings;
	unsigned shift; /* all sizes divided by 1 << shift */
	unsigned brief; /* windows of faults divided by 1 << brief */
	bool plain;     /* stacks and links as configured by default, not as drawn */
	/* For tests that compare worlds; no options of a replay: */
	unsigned family; /* 4 or 6: of all flows; 0: each has its own */
	bool backward;   /* see world.h */
};

struct trial_result {
	bool failed;
	char why[640];
	uint64_t hash, events, bytes;
	nanotime ended;              /* of the world's clock */
	uint64_t touched;            /* frames that boxes did something to */
	uint32_t broken;             /* flows that ended with an error */
	uint64_t datagrams, garbled; /* that came whole; changed, as their hash tells */
	uint64_t outcome;            /* of what each flow sent, got, and how it ended */
};

/* What a seed says: up to TRIAL_FAULTS faults out of `among`, and 1 to 12 flows. */
void trial_draw(struct trial *t, uint64_t seed, fault_set among);
/* Runs it. `pcap`: a capture of both machines' interfaces is written there; or NULL. */
void trial_run(const struct trial *t, const char *pcap, struct trial_result *r);
/* The options of `strata-sim replay` that run it again. */
void trial_options(const struct trial *t, char *out, size_t cap);

/* For the parts of a trial. */
struct trial_world {
	const struct trial *trial;
	struct world *world;
	struct node *left, *router, *right;
	struct link *near, *far; /* left's cable, right's cable */
	struct box_chain *chain; /* in left's cable; NULL: no box is wanted */
	struct link_config near_config[2], far_config[2];
	unsigned crossed; /* F28: 0 the near link, 1 the far one */
	struct traffic traffic;
	struct traffic_plan plan;
	struct datagram_flows datagrams;
	struct node *desk, *shop; /* F59, F62; NULL without them */
	struct errands *errands;
};

/* A machine as the seed configures it. NULL: the world has halted. */
struct node *trial_node(struct trial_world *tw, const char *name, bool router);

/* trial_network.c: what faults say about the stacks' configs and the links, before they exist. */
void trial_stack_config(
	const struct trial *t, struct world *w, const char *node, struct stack_config *c);
void trial_link_configs(struct trial_world *tw);
/* trial_errands.c: who looks names up and fetches pages, where that goes wrong. */
bool trial_errands(struct trial_world *tw);
/* trial_faults.c: what they do to the world once it stands. */
bool trial_wants_boxes(const struct trial *t);
void trial_unleash(struct trial_world *tw);
/* The window of a fault, from its generator: within [0, TRIAL_HEAL). */
struct window trial_window(const struct trial_world *tw, struct rng *r);
void trial_rng(const struct trial_world *tw, enum fault_id id, struct rng *out);

#endif
