/*
 * What may be wrong with a machine, as against the network: its clock, its
 * timers, its CPU, its driver, its memory. A node without trouble has none of
 * this; one with it is asked at the few places where a host touches its stack.
 *
 *	clock    the stack's time is a function of the world's: in pieces, each
 *	         with a start and a rate. It never goes back, as a host's monotonic
 *	         clock does not: what jumps back stands still instead
 *	timers   wake-ups come late, on a grid, or too early
 *	CPU      the machine runs only every so often; frames wait in its ring
 *	driver   the transmit ring is short or refuses, frames come in bursts, as
 *	         runts, or not at all when the driver wakes up
 *	memory   pools look empty, for a while or for one call
 *
 * Applications go by the world's clock.
 */
#ifndef STRATA_SIM_TROUBLE_H
#define STRATA_SIM_TROUBLE_H

#include "base/arena.h"
#include "sim/port.h"

struct node;

#define TROUBLE_PIECES 6
#define TROUBLE_POOLS  8

struct clock_piece {
	nanotime world, clock; /* from this time of the world on, the clock stood here ... */
	uint32_t rate;         /* ... and moves so many millionths as fast; 0: stands */
};

struct window {
	nanotime from, until;
};

struct hidden_pool {
	struct pool *pool;
	void *free;
	uint32_t count;
};

struct trouble {
	struct node *node;
	struct rng rng;
	unsigned pieces;
	struct clock_piece piece[TROUBLE_PIECES];
	struct window timers;
	nanodiff late, grid; /* wake-ups: at most so late; only at multiples of it */
	uint32_t spurious;   /* ppm: a wake-up for nothing, soon */
	struct window cpu;
	nanodiff period; /* it runs only at multiples of it */
	struct window driver;
	uint32_t refuse; /* ppm: a frame is refused */
	uint32_t ring;   /* frames until the ring is full; 0: no limit */
	nanodiff drain;  /* time until it is empty again */
	uint32_t runt;   /* ppm: a runt comes with a frame */
	struct window memory;
	uint32_t fail; /* ppm: pools look empty for one call; 1000000: for all the window */
	uint64_t skip; /* calls before the first failure */
	/* private: */
	unsigned pools;
	struct hidden_pool hidden[TROUBLE_POOLS];
	uint32_t in_ring;
	struct list waiting; /* frames that came while the CPU was elsewhere */
	struct event poll, drained;
};

/* Trouble for a node, which has none yet. Its fields are the caller's to fill. */
struct trouble *trouble_new(struct node *n, const char *name);
/* The stack's clock at a time of the world, and when that clock will show a time (or later). */
nanotime trouble_clock(const struct trouble *t, nanotime world);
nanotime trouble_when(const struct trouble *t, nanotime clock);
/* A piece from now on: the clock jumps forward by `jump` and moves at `rate`. */
void trouble_clock_change(struct trouble *t, nanodiff jump, uint32_t rate);

/* For node.c: */
bool trouble_window(const struct trouble *t, const struct window *w);
/* When a wake-up meant for `time` comes. */
nanotime trouble_wake(struct trouble *t, nanotime time);
/* Does the CPU have no time for the node now? Then it is told when it does. */
bool trouble_starves(struct trouble *t);
/* The frame waits until the CPU comes round. False: it is not starved. */
bool trouble_keeps(struct trouble *t, struct port *port, struct parcel *p);
bool trouble_refuses(struct trouble *t);
/* After a frame was sent: is the ring full now? */
bool trouble_ring_full(struct trouble *t);
bool trouble_makes_runt(struct trouble *t);
/* Around each call into the stack. */
void trouble_hide_memory(struct trouble *t);
void trouble_show_memory(struct trouble *t);
/* The stack was made anew. */
void trouble_forget_memory(struct trouble *t);

#endif
