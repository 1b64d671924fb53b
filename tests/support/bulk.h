/*
 * A bulk transfer in virtual time: two nodes on one line, a source that writes
 * what it can, a sink that reads what comes. What a path's rate, delay, loss and
 * queue make of a sender and a receiver, in a fraction of a second.
 */
#ifndef STRATA_TESTS_BULK_H
#define STRATA_TESTS_BULK_H

#include "sim/box.h"
#include "sim/link.h"
#include "sim/node.h"

struct bulk_path {
	uint64_t seed;
	uint64_t rate;        /* bit/s, both ways */
	nanodiff delay;       /* one way */
	uint32_t loss;        /* ppm, both ways */
	uint32_t queue_bytes; /* each way */
	uint32_t queue_frames, mark_frames; /* each way; 0: no limit, no marks */
	unsigned meddle; /* 0, or 1 + enum ecn_meddling: a box in the middle */
	/* packets larger than this vanish, and ICMP with them; 0: none do */
	uint32_t hole_mtu;
	nanotime hole_from, hole_until; /* ... then; 0: from the beginning, for ever */
	/* NULL: bulk_config */
	const struct stack_config *sender, *receiver;
	nanodiff read_every; /* the sink reads only so often; 0: at once ... */
	uint32_t read_most;  /* ... and at most so much each time; 0: all */
	nanodiff warm_up;    /* bytes of so long are counted apart */
	nanotime other;      /* when a second flow of the same kind begins; 0: none does */
};

struct bulk_result {
	uint64_t bytes;                              /* read by the sink after the warm-up ... */
	uint64_t warm_bytes;                         /* ... and before */
	uint64_t other_bytes;                        /* of the second flow, after the warm-up */
	uint32_t receive_window, receive_window_max; /* of the sink: at the end, and ever */
	uint32_t read_most;                          /* bytes that waited for the sink, most ever */
	struct sock_tcp_info sender;                 /* at the end */
	struct link_counters line;                   /* of the way there */
};

/* What a machine of today would have: room for a few large windows. */
void bulk_config(struct stack_config *c);
/* Runs for `time` after the connection is there; the warm-up counts. */
struct bulk_result bulk_run(const struct bulk_path *p, nanodiff time);
/* Bits a second of what was read after the warm-up. */
double bulk_rate(const struct bulk_path *p, const struct bulk_result *r, nanodiff time);

#endif
