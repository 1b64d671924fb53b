/*
 * What one direction of a link does to frames besides carrying them: loss,
 * burst loss, duplication, corruption, reordering, jitter. Numbers in, numbers
 * out: a frame's length goes in, a verdict comes out. Every fault has a
 * generator of its own and draws once for each frame while it is on, so that
 * the n-th frame's loss does not depend on whether jitter is on as well.
 *
 * Probabilities are in parts per million; no floating point, so that every
 * compiler draws the same.
 */
#ifndef STRATA_SIM_FAULTS_H
#define STRATA_SIM_FAULTS_H

#include "base/hash.h"
#include "base/nanotime.h"

#define PPM 1000000u

enum jitter_kind {
	JITTER_UNIFORM, /* between 0 and `jitter` */
	JITTER_NORMAL,  /* a bell curve over 0 .. `jitter`, mean at half of it */
	JITTER_SPIKES,  /* 0, but `jitter` for one frame in a hundred */
};

enum fault_use {
	FAULT_LOSS,
	FAULT_BURST,
	FAULT_DUPLICATE,
	FAULT_CORRUPT,
	FAULT_BITS, /* which bits a corruption flips */
	FAULT_REORDER,
	FAULT_JITTER,
	FAULT_USES
};

struct fault_span {
	nanotime from, until; /* until 0: without end */
};

struct fault_config {
	nanotime from, until;             /* only then; until 0: without end */
	struct fault_span on[FAULT_USES]; /* and one fault only then */
	uint32_t loss;                    /* F01 */
	uint64_t lose_nth;                /* F03: exactly this frame, from 1 on; 0: none */
	/* F02, Gilbert and Elliott: a good and a bad state, changed before each frame. */
	uint32_t burst_enter, burst_leave;    /* probability to go bad, to go good again */
	uint32_t burst_loss, burst_good_loss; /* loss in the bad and in the good state */
	uint32_t duplicate;                   /* F06 */
	nanodiff duplicate_delay;             /* of the copy behind the original */
	uint32_t corrupt;                     /* F07 */
	uint32_t corrupt_bits;                /* flipped in one frame; 0: 1 */
	uint32_t reorder;                     /* F05: held back ... */
	uint32_t reorder_by;    /* ... until so many later frames have passed; 0: only for a time */
	nanodiff reorder_delay; /* ... or until this time is over; 0: 10 ms */
	nanodiff jitter;        /* F12, at most so much */
	enum jitter_kind jitter_kind;
};

struct faults {
	struct fault_config config;
	struct rng rng[FAULT_USES];
	uint64_t frames; /* seen */
	bool bad;        /* the burst model's state */
};

struct fault_verdict {
	bool lost_loss, lost_burst, lost_nth;
	bool duplicate, corrupt, reorder;
	nanodiff jitter;
};

/* NULL, or the first rule that the config breaks. */
const char *fault_config_check(const struct fault_config *c);
/* The name of a use: its generator's. */
const char *fault_use_name(enum fault_use use);
/* What happens to the next frame. */
struct fault_verdict faults_next(struct faults *f, nanotime now);
/* Flips bits of an IP packet within a frame, behind the Ethernet header. False: it holds no IP
 * packet (the frame check sequence would have caught it: it is lost). */
bool faults_corrupt(struct faults *f, uint8_t *frame, size_t len);

#endif
