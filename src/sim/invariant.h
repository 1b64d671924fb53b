/*
 * Invariants: what must be true of every node after everything that happened to
 * it. Each is a function that finds nothing, or says what is wrong; the world
 * then halts with WORLD_BROKEN, and world_why names the invariant, the node, the
 * time and the seed. The ones of the catalogue that need no knowledge of the
 * traffic are built in.
 */
#ifndef STRATA_SIM_INVARIANT_H
#define STRATA_SIM_INVARIANT_H

#include "sim/node.h"

struct parcel;

struct invariant {
	struct list link;
	const char *name; /* "I35" */
	/* Asked after each run of a node; NULL: not. True: holds. Else says why in `why`. */
	bool (*holds)(struct invariant *i, struct node *n, char *why, size_t cap);
	/* Asked about each frame that a node sends; NULL: not. */
	bool (*frame)(
		struct invariant *i, struct node *n, const struct parcel *p, char *why, size_t cap);
	/* Told about each frame before a node's stack gets it; NULL: not. */
	void (*heard)(struct invariant *i, struct node *n, const struct rx_frame *frame);
	void *user;
};

/* `i` stays the caller's memory, and must live as long as the world. */
void invariant_add(struct world *w, struct invariant *i);
/* Adds those that hold in every world:
 *	I35  each frame met one fate, each drop has one reason
 *	I09  no frame leaves that is larger than its interface's MTU allows
 *	I27  no call of a stack takes more steps than work.h allows, where they are counted
 *	I30  each frame that leaves passes a strict reader (strict.h)
 *	and the counters of each link add up. */
void invariant_add_builtin(struct world *w);
/* Checks one node; the world does after each of its runs. */
void invariant_check(struct node *n);
/* Tells them what a node is about to receive. */
void invariant_hear_frame(struct node *n, const struct rx_frame *frame);
/* Checks a frame that a node sends. */
void invariant_check_frame(struct node *n, const struct parcel *p);

#endif
