/*
 * For fuzz targets of applications: two machines as small as they can be, opened
 * anew for each input, so that an input means the same in any order; and a walk
 * over the input's bytes.
 */
#ifndef STRATA_TESTS_SMALL_DUO_H
#define STRATA_TESTS_SMALL_DUO_H

#define DUO_WITHOUT_CMOCKA
#define DUO_KEEP_MEMORY
#define DUO_ARENA (1u << 20)
#include "support/duo.h"

static inline void small_duo_open(struct duo *d)
{
	struct stack_config c;

	stack_config_default(&c);
	c.access.neighbours = 16;
	c.access.incomplete_max = 8;
	c.transport.sockets = 32;
	c.transport.connections = c.transport.flights = 16;
	c.transport.embryos = c.transport.time_waits = 16;
	c.transport.sent_ranges = 256;
	c.transport.blocks = 128;
	c.transport.big_blocks = 0;
	c.transport.backlog_max = 8;
	c.transport.send_buffer = c.transport.receive_buffer = 16 * 1024;
	duo_open_with(d, &c, &c, false);
}

/* The input: bytes, and runs of bytes behind their length. */
static inline uint8_t input_byte(struct span *in)
{
	uint8_t b = in->len ? in->at[0] : 0;
	*in = span_after(*in, 1);
	return b;
}

static inline struct span input_run(struct span *in)
{
	size_t len = input_byte(in);
	struct span run = span_first(*in, len);
	*in = span_after(*in, len);
	return run;
}

#endif
