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
 * test's hand-written peer. What the call may take is a + b log n for each frame:
 *
 *	WORK_CALL    the call
 *	WORK_FRAME   a frame given to the stack, or sent by it
 *	WORK_LOG     for each frame and one more, times log2 of the entries for which the
 *	             transport's tables have room: connections, half-open and TIME-WAIT
 *	             ones, sockets, sent ranges, and the ranges of one connection that
 *	             may be held beyond holes
 *
 * and, where it has more to do than a frame brings, the number of those things:
 *
 *	WORK_TIMER   a timer that is due
 *	WORK_ARMED   while timers fire, one that is armed: as time goes by, the wheel
 *	             deals it out to finer levels, to each once
 *	WORK_CONN    a connection that was ready to be asked for frames, or waited for
 *	             memory
 *	WORK_ENTRY   a half-open or TIME-WAIT connection whose time has come: one timer
 *	             stands for all of them
 *	WORK_WAITING a datagram that waits in a socket to be sent, or a reset: one whose link
 *	             is full is passed over by those that go elsewhere
 *	WORK_BLOCK   a block of ring memory that is given back: who ends gives all of his;
 *	             each was taken for bytes that came or were written
 *	WORK_RANGE   a step in the life of a sent or a held range; times the same log2
 *
 * A sent range has three such steps: it goes into the scoreboard's tree once, is
 * SACKed or found lost once each time that it was sent, and is let go once. A held
 * range has one: it merges with others, is read, or gives way. A call may bring many
 * of them, when one ACK releases a window or one segment fills the last hole, but each
 * was paid for by a frame that made the range or sent it again. So over time this is
 * O(log n) for each frame too; what is not allowed is to look at ranges that stay as
 * they are.
 *
 * One exception is left, where a call may look at all of a connection's ranges: its RTO
 * (RFC 6298 5.4: all may be lost), a reduction that is taken back (RFC 4015: what
 * waits to be sent again does so no more), and a path MTU that has become smaller
 * (RFC 1191 6.4: what is out is lost). Each of them happens at most once in a recovery,
 * once a timer's time, or once for a size of packet, never once a frame.
 *
 * Held ranges are kept in order by an array of two-byte numbers; memory that is moved
 * makes no steps, but that is 4 KB at most for 2048 ranges (base/interval.h).
 */
#ifndef STRATA_SIM_WORK_H
#define STRATA_SIM_WORK_H

#include <stdint.h>

#include "base/nanotime.h"

struct stack;

enum {
	WORK_CALL = 1500,
	WORK_FRAME = 500,
	WORK_LOG = 60,
	WORK_TIMER = 600,
	WORK_ARMED = 30,
	WORK_CONN = 400,
	WORK_ENTRY = 100,
	WORK_WAITING = 100,
	WORK_BLOCK = 40,
	WORK_RANGE = 10,
};

/* Steps that this program's core has taken; 0 for ever: it does not count them. */
uint64_t work_steps(void);

/* What is left to be done with the ranges of all connections: in steps of their lives. */
struct work_left {
	uint64_t steps;
	uint64_t ranges; /* how many they are */
	uint64_t turns;  /* RTOs, undone reductions, and what path MTUs are */
};

/* A call of a stack: what there was to do before it. */
struct work {
	uint64_t from; /* steps so far */
	uint32_t entries, armed, due, conns, waiting, blocks;
	struct work_left left;
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
