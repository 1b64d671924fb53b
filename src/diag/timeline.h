/*
 * A timeline: what one stack's trace told, in order, kept for later. Each event
 * becomes a moment; of a frame the beginning is kept, so that its headers (and
 * short messages whole) can be read again. Memory is the caller's; what finds no
 * room is counted.
 *
 * Frames are numbered as they pass, from 1: the number that the same frame has
 * in a capture which began at the same time.
 */
#ifndef STRATA_DIAG_TIMELINE_H
#define STRATA_DIAG_TIMELINE_H

#include "packet/rx.h"
#include "packet/trace.h"

#define TIMELINE_KEEP  2048 /* bytes kept of a frame, while there is plenty of room; ... */
#define TIMELINE_HEADS 160  /* ... and when less than half is left: all headers */

struct moment {
	enum trace_kind kind;
	nanotime time;
	/* TRACE_TX and TRACE_RX: */
	uint32_t frame; /* its number */
	uint32_t len, kept;
	size_t at;         /* of the kept bytes in the store */
	uint8_t why;       /* enum tx_why */
	uint8_t fate;      /* enum fate */
	bool partial;      /* its transport checksum was left to the link */
	uint16_t segments; /* that it stands for */
	uint16_t drop;     /* enum drop; also of TRACE_TX_DROP */
	/* The others, as in struct trace_event. */
	struct trace_flow flow;
	const char *from, *to;
	uint64_t number;
};

struct timeline {
	struct moment *moment;
	uint32_t count, cap;
	uint8_t *store;
	size_t used, size;
	uint32_t frames;   /* so far, with those left out */
	uint64_t left_out; /* events without room */
};

void timeline_init(
	struct timeline *t, struct moment *moments, uint32_t cap, uint8_t *store, size_t size);
/* Takes an event; the sink of a trace. */
void timeline_event(struct timeline *t, const struct trace_event *e);
/* What is kept of a moment's frame. */
static inline struct span timeline_bytes(const struct timeline *t, const struct moment *m)
{
	return span_of(t->store + m->at, m->kept);
}
static inline bool moment_is_frame(const struct moment *m)
{
	return m->kind == TRACE_TX || m->kind == TRACE_RX;
}

#endif
