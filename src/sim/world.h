/*
 * A simulated world: machines, links and boxes with one virtual clock. Nothing
 * in it happens but by events of its agenda, and nothing is left to chance: all
 * randomness comes from the seed, drawn by generators that belong to one
 * component each, so that adding a component does not shift another's draws. A
 * running hash over everything that happened (time, kind, place, bytes) tells
 * whether two runs were the same.
 *
 * The world moves from instant to instant. In one instant all events of that
 * time fire first (so that a node has received its whole burst), then each node
 * that something happened to runs once: timers, applications, transmit. What
 * that causes at the same time makes another pass of the same instant.
 *
 * Who drives a node from outside asks for its stack with node_use, calls
 * sockets, and runs the world until what he waits for is true. A world in which
 * nothing can ever happen says so (WORLD_IDLE), and one that goes round in
 * circles is stopped (WORLD_RUNAWAY).
 *
 * Memory: all parts of a world are freed with it. Running out of memory aborts.
 */
#ifndef STRATA_SIM_WORLD_H
#define STRATA_SIM_WORLD_H

#include "base/hash.h"
#include "base/list.h"
#include "base/nanotime.h"
#include "base/span.h"
#include "sim/agenda.h"

#define WORLD_EVENTS_PER_SECOND 5000000

struct world_config {
	uint64_t seed;
	nanotime start;             /* the clock's first time */
	uint64_t events_per_second; /* of virtual time, at most; 0: WORLD_EVENTS_PER_SECOND */
	int fill;        /* 1..255: stacks get memory full of this byte; 0: as it comes */
	bool one_secret; /* all stacks have the same secret, as if entropy were a constant */
	bool backward;   /* I34: the machines of one instant run in the opposite order */
};

enum world_end {
	WORLD_DONE,    /* the predicate is true */
	WORLD_TIME,    /* the time was reached */
	WORLD_IDLE,    /* nothing can ever happen */
	WORLD_RUNAWAY, /* more events in one virtual second than allowed: world_why */
	WORLD_BROKEN,  /* an invariant does not hold: world_why */
};

/* What goes into the event hash. */
enum world_note { NOTE_DELIVERED = 1, NOTE_LOST, NOTE_WAKE, NOTE_USER };

struct world {
	struct world_config config;
	nanotime now;
	struct list nodes, links, switches; /* in the order of making; see the types' `in_world` */
	uint32_t node_count;
	uint64_t events; /* fired so far, with node runs */
	uint64_t hash;
	/* private: */
	struct agenda agenda;
	struct list dirty;      /* nodes to run in this instant */
	struct list parcels;    /* free ones */
	struct list memory;     /* all that world_alloc gave */
	struct list invariants; /* see invariant.h */
	struct list captures;   /* open ones, see capture.h */
	nanotime second;        /* start of the guard's current second ... */
	uint64_t second_events; /* ... and the events in it */
	enum world_end halt;    /* WORLD_DONE, or why it goes no further */
	char why[256];
};

struct world *world_new(const struct world_config *c);
/* Frees the world with all that is in it; closes its captures. */
void world_free(struct world *w);

/*
 * Runs until `done(user)` is true (NULL: never), or until the clock stands at
 * `until`; there it then stands exactly, because time passes in an idle world as
 * well. With NANOTIME_NEVER it runs until nothing is left to happen.
 */
enum world_end world_run(struct world *w, nanotime until, bool (*done)(void *user), void *user);
/* Runs one instant. False: there is none, or the world has halted. */
bool world_step(struct world *w);
/* The time of the next instant, or NANOTIME_NEVER. */
nanotime world_next(const struct world *w);
/* Calls fn(user) at a time. */
void world_at(struct world *w, nanotime time, void (*fn)(void *user), void *user);

/* The same for two runs in which the same things happened at the same times. */
uint64_t world_hash(const struct world *w);
/* After WORLD_RUNAWAY and WORLD_BROKEN: what went wrong, with time, place and seed. */
const char *world_why(const struct world *w);
const char *world_end_name(enum world_end end);

/* For the parts of a world. */
/* Zeroed memory that lives as long as the world. */
void *world_alloc(struct world *w, size_t size);
/* The generator of one use of one component. */
void world_rng(const struct world *w, const char *component, const char *use, struct rng *out);
/* Puts something that happened now into the hash. */
void world_note(struct world *w, enum world_note kind, uint64_t place, struct span bytes);
/* Halts the world: `format` as for printf. The first reason stays. */
void world_halt(struct world *w, enum world_end end, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
