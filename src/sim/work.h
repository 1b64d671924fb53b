/*
 * I27: what a stack does for one frame that comes, for one that it sends, and for
 * one timer, is bounded, and does not grow with what else the stack holds.
 *
 * Work is counted in steps: a step is a stretch of machine code without a jump.
 * A program that wants to know links the core's objects once more, compiled so
 * that each step calls a function here (cmake/steps.cmake). The objects of
 * everybody else have no such call; there work is never more than nothing.
 *
 * A node brackets each call that hands its stack frames or time, and so does a
 * test's hand-written peer. What the call may take is a sum over what there was
 * to do:
 *
 *	WORK_CALL    the call
 *	WORK_LOG     times log2 of the entries for which the transport's tables have room
 *	WORK_FRAME   a frame given to the stack, or sent by it
 *	WORK_TIMER   a timer that is due
 *	WORK_ARMED   while timers fire, one that is armed: as time goes by, the wheel
 *	             deals it out to finer levels, to each once
 *	WORK_CONN    a connection that was ready to be asked for frames, or waited for
 *	             memory
 *	WORK_ENTRY   a half-open or TIME-WAIT connection, while timers fire: one timer
 *	             stands for all of them
 *	WORK_WAITING a datagram that waits in a socket to be sent: one whose link is full is
 *	             passed over by those that go elsewhere
 *	WORK_RANGE   a range that was sent and not acknowledged: one ACK may release all,
 *	             one RTO marks all, one SACK of the oldest walks over all
 *	WORK_HELD    a range that is held beyond a hole, for each frame sent: SACK options
 *	             name those that changed last
 *	WORK_FILL    a range that was held before, for each frame that comes: its text may
 *	             fill the holes between all of them, or all must give way to it
 *
 * So frames, timers and connections ready cost the same however many there are,
 * and tables with a thousand times the entries allow ten times WORK_LOG more. The
 * last two are linear in what one connection may hold: sent_ranges and
 * held_ranges of the config are their bounds.
 */
#ifndef STRATA_SIM_WORK_H
#define STRATA_SIM_WORK_H

#include <stdint.h>

#include "base/nanotime.h"

struct stack;

enum {
	WORK_CALL = 1500,
	WORK_LOG = 60,
	WORK_FRAME = 500,
	WORK_TIMER = 600,
	WORK_ARMED = 30,
	WORK_CONN = 400,
	WORK_ENTRY = 100,
	WORK_WAITING = 100,
	WORK_RANGE = 60,
	WORK_HELD = 20,
	WORK_FILL = 80,
};

/* Steps that this program's core has taken; 0 for ever: it does not count them. */
uint64_t work_steps(void);

/* A call of a stack: what there was to do before it. */
struct work {
	uint64_t from; /* steps so far */
	uint32_t ranges, entries, armed, due, conns, waiting;
	uint64_t held;
};

/* The first call of a stack that took more than it may. */
struct work_excess {
	const char *call; /* NULL: none did */
	uint64_t steps, allowed;
};

/* Before a call that hands over or asks for frames ... */
void work_begin(struct work *w, struct stack *s);
/* ... or one that lets timers fire that are due at `now`. */
void work_begin_timers(struct work *w, struct stack *s, nanotime now);
/* After it: it took in or sent so many frames. Fills *e where it took too much, and where that has
 * no call yet. */
void work_end(const struct work *w, struct stack *s, const char *call, uint32_t frames,
	struct work_excess *e);

#endif
