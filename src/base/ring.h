/*
 * A byte ring made of blocks. Positions are 32-bit and wrap, so TCP indexes its
 * rings by sequence number directly. A sparse, growing table maps each 2 KB of
 * position space to 2 KB of memory; blocks come from a shared pool when bytes
 * arrive and go back when they are released, so an idle connection holds none.
 * Deep queues take 32 KB blocks, which fill sixteen aligned table slots at once.
 * The table itself grows from 8 slots in the struct to 256 in a block and 4096
 * in a big block, so a ring spans up to 8 MB (512 KB without big blocks).
 * Holes are allowed: a receive ring holds out-of-order bytes where they belong.
 */
#ifndef STRATA_BASE_RING_H
#define STRATA_BASE_RING_H

#include "base/arena.h"
#include "base/checksum.h"

#define RING_BLOCK_SHIFT 11
#define RING_BLOCK (1u << RING_BLOCK_SHIFT)
#define RING_BIG (32u * 1024)
#define RING_INLINE_SLOTS 8

/* The memory that all rings of a stack share. */
struct ring_pool {
	struct pool small; /* RING_BLOCK bytes */
	struct pool big;   /* RING_BIG bytes; may have no items */
};

struct ring {
	uint8_t **slot;      /* mask + 1 entries, a power of two; NULL: no memory there */
	uint32_t mask;
	uint32_t low;        /* everything before `low` is released */
	uint32_t high;       /* nothing was written or reserved at or after `high` */
	uint32_t blocks;     /* small blocks held, a big one counts 16 */
	uint8_t *inline_slot[RING_INLINE_SLOTS];
};

bool ring_pool_init(struct ring_pool *p, struct arena *a, uint32_t small, uint32_t big);

/* An empty ring that starts at `low`. Costs no memory of the pool. */
void ring_init(struct ring *r, uint32_t low);
/* The same where all of the struct is zero already. */
static inline void ring_begin(struct ring *zeroed, uint32_t low)
{
	zeroed->slot = zeroed->inline_slot;
	zeroed->mask = RING_INLINE_SLOTS - 1;
	zeroed->low = zeroed->high = low;
}
void ring_empty(struct ring *r, struct ring_pool *p);
/* Gives everything back. */
static inline void ring_clear(struct ring *r, struct ring_pool *p)
{
	if (r->blocks || r->slot != r->inline_slot)
		ring_empty(r, p);
	r->high = r->low;
}
/* A ring that holds nothing starts anew at `low`. */
static inline void ring_restart(struct ring *r, uint32_t low)
{
	assert(r->blocks == 0);
	r->low = r->high = low;
}

/*
 * Copies bytes in at [pos, pos + len), taking blocks as needed. Returns how many
 * were written: fewer than asked where the pool is empty or the table can't grow.
 * pos >= low; pos + len - low < 2^30. With `sum` not NULL, adds the Internet sum
 * of the bytes written (as one run that starts at an even offset) to *sum.
 */
size_t ring_write(struct ring *r, struct ring_pool *p, const struct checksum_ops *ops,
		  uint32_t pos, struct span bytes, uint32_t *sum);

/*
 * Memory for writing in place at `pos`: at most `want` contiguous bytes, or NULL.
 * What is reserved counts as written; ring_discard takes an unused end back.
 */
uint8_t *ring_reserve(struct ring *r, struct ring_pool *p, uint32_t pos, size_t want,
		      size_t *got);

/* Copies [pos, pos + len) out. The bytes must have been written. */
void ring_read(const struct ring *r, uint32_t pos, uint8_t *to, size_t len);

/*
 * Points at [pos, pos + len) without a copy: fills up to `max` spans (adjacent
 * blocks merge), returns how many, and sets *covered to the bytes they cover.
 */
unsigned ring_spans(const struct ring *r, uint32_t pos, size_t len, struct span *out, unsigned max,
		    size_t *covered);

/*
 * Forgets everything before `pos` and gives back the blocks that lie wholly before it. Where
 * nothing is left, the ring keeps at most the small block that `pos` is in (more will come) and
 * a table of one small block; ring_clear gives back all.
 */
void ring_release(struct ring *r, struct ring_pool *p, uint32_t pos);
/*
 * Forgets [from, to) and gives back the blocks that lie wholly in it: out-of-order
 * text under pressure. Where nothing was written at or after `to`, its end is cut off.
 */
void ring_discard(struct ring *r, struct ring_pool *p, uint32_t from, uint32_t to);

#endif
