/*
 * The table maps block numbers (position >> 11, so 21 bits that wrap) to
 * memory: slot = number & mask. As everything held lies in the mask + 1 blocks
 * that begin with low's, no two of them share a slot, and a growing table is
 * filled by walking those numbers once.
 *
 * A slot's low bit says that its 2 KB are a part of a 32 KB block, which stands
 * in the sixteen slots of an aligned group. A release clears the slots in
 * order, a discard clears whole groups only, so the group's last slot always
 * goes last and takes the big block with it.
 *
 * `high` bounds what was ever written, so a release up to it finds the ring empty.
 * A reader that keeps up empties it with every segment; so a small block that is
 * started stays for the next one, and what a deep queue needed goes back.
 */
#include "base/ring.h"

#include "base/seq.h"

#define BIG_PART    ((uintptr_t)1)
#define GROUP       (RING_BIG / RING_BLOCK)
#define SMALL_TABLE (RING_BLOCK / sizeof(uint8_t *))
#define BIG_TABLE   (RING_BIG / sizeof(uint8_t *))
#define REACH_MAX   (1u << 30)

_Static_assert((SMALL_TABLE & (SMALL_TABLE - 1)) == 0, "tables are powers of two");
_Static_assert(sizeof(struct ring) <= 88, "two rings stand in each tcp_flight");

bool ring_pool_init(struct ring_pool *p, struct arena *a, uint32_t small, uint32_t big)
{
	bool fits = pool_init(&p->big, a, RING_BIG, 64, big);
	return pool_init(&p->small, a, RING_BLOCK, 64, small) && fits;
}

static inline uint32_t number_of(uint32_t pos)
{
	return pos >> RING_BLOCK_SHIFT;
}

static inline uint8_t *untagged(uint8_t *slot)
{
	return (uint8_t *)((uintptr_t)slot & ~BIG_PART);
}

static inline bool is_big(const uint8_t *slot)
{
	return (uintptr_t)slot & BIG_PART;
}

/* The blocks from low's to the one with the byte before `end`: what the table must span. */
static inline uint32_t blocks_to(const struct ring *r, uint32_t end)
{
	uint32_t start = r->low & ~(RING_BLOCK - 1);
	return (end - 1 - start) / RING_BLOCK + 1;
}

void ring_init(struct ring *r, uint32_t low)
{
	memset(r, 0, sizeof *r);
	ring_begin(r, low);
}

/* Back to the table in the struct; the ring holds no block. */
static void drop_table(struct ring *r, struct ring_pool *p)
{
	if (r->slot != r->inline_slot) {
		pool_give(r->mask + 1 == BIG_TABLE ? &p->big : &p->small, r->slot);
		memset(r->inline_slot, 0, sizeof r->inline_slot);
		r->slot = r->inline_slot;
		r->mask = RING_INLINE_SLOTS - 1;
	}
}

/* Makes the table span at least `need` blocks. A table is of no use without a block in it. */
static bool grow_table(struct ring *r, struct ring_pool *p, uint32_t need)
{
	bool small = need <= SMALL_TABLE;
	if (need > BIG_TABLE || (small && p->small.count - p->small.used < 2))
		return false;
	uint8_t **table = pool_take(small ? &p->small : &p->big);
	if (!table)
		return false;

	uint32_t count = small ? SMALL_TABLE : BIG_TABLE, number = number_of(r->low);
	memset(table, 0, count * sizeof *table);
	for (uint32_t i = 0; i <= r->mask; i++, number++)
		table[number & (count - 1)] = r->slot[number & r->mask];
	if (r->slot != r->inline_slot)
		pool_give(&p->small, r->slot);
	r->slot = table;
	r->mask = count - 1;
	return true;
}

/* `need` blocks are more than the table spans: grows it as far as it must and may. */
static __attribute__((noinline)) size_t stretch(
	struct ring *r, struct ring_pool *p, uint32_t pos, size_t len, uint32_t need)
{
	if (grow_table(r, p, need))
		return len;
	if (need > SMALL_TABLE && r->mask + 1 < BIG_TABLE && !grow_table(r, p, BIG_TABLE) &&
		r->mask + 1 < SMALL_TABLE)
		grow_table(r, p, SMALL_TABLE);

	uint32_t end = (r->low & ~(RING_BLOCK - 1)) + (r->mask + 1) * RING_BLOCK;
	size_t room = seq_gt(end, pos) ? end - pos : 0;
	return room < len ? room : len;
}

/* How many of the `len` bytes at `pos` the table can span. */
static inline size_t reach(struct ring *r, struct ring_pool *p, uint32_t pos, size_t len)
{
	assert(pos - r->low < REACH_MAX && len < REACH_MAX);
	uint32_t need = blocks_to(r, pos + (uint32_t)len);
	return need <= r->mask + 1 ? len : stretch(r, p, pos, len, need);
}

/* May a big block stand in the group that starts with `number`? */
static bool group_is_free(const struct ring *r, uint32_t number)
{
	uint32_t ahead = (number - number_of(r->low)) & (UINT32_MAX >> RING_BLOCK_SHIFT);
	if (number % GROUP != 0 || r->blocks < GROUP || ahead + GROUP > r->mask + 1)
		return false;
	for (uint32_t i = 0; i < GROUP; i++) {
		if (r->slot[(number + i) & r->mask])
			return false;
	}
	return true;
}

/* Takes memory for an empty slot. Gives what now stands in it, NULL where the pool has none. */
static uint8_t *fill_slot(struct ring *r, struct ring_pool *p, uint32_t number)
{
	uint8_t *block;
	if (group_is_free(r, number) && (block = pool_take(&p->big))) {
		for (uint32_t i = 0; i < GROUP; i++) {
			uint8_t *part = block + (size_t)i * RING_BLOCK;
			r->slot[(number + i) & r->mask] = (uint8_t *)((uintptr_t)part | BIG_PART);
		}
		r->blocks += GROUP;
	} else if ((block = pool_take(&p->small))) {
		r->slot[number & r->mask] = block;
		r->blocks++;
	}
	return r->slot[number & r->mask];
}

/* The memory of the byte at `pos`, given its slot, and the bytes from there to the block's end. */
static inline uint8_t *locate(uint8_t *slot, uint32_t pos, size_t *room)
{
	if (!is_big(slot)) {
		*room = RING_BLOCK - pos % RING_BLOCK;
		return slot + pos % RING_BLOCK;
	}
	*room = RING_BIG - pos % RING_BIG;
	return untagged(slot) + pos % RING_BLOCK;
}

/* For what must be there: a NULL slot here is the caller's error. */
static inline uint8_t *held(const struct ring *r, uint32_t pos, size_t *room)
{
	uint8_t *slot = r->slot[number_of(pos) & r->mask];
	assert(slot);
	return locate(slot, pos, room);
}

/* Nothing could be written: a table that grew for it has no other use. */
static __attribute__((noinline)) void forget_table(struct ring *r, struct ring_pool *p)
{
	if (r->blocks == 0)
		drop_table(r, p);
}

size_t ring_write(struct ring *r, struct ring_pool *p, const struct checksum_ops *ops, uint32_t pos,
	struct span bytes, uint32_t *sum)
{
	if (bytes.len == 0)
		return 0;
	size_t left = reach(r, p, pos, bytes.len);
	const uint8_t *from = bytes.at;
	uint64_t total = 0;

	while (left > 0) {
		uint8_t *slot = r->slot[number_of(pos) & r->mask];
		if (!slot && !(slot = fill_slot(r, p, number_of(pos))))
			break;
		size_t piece;
		uint8_t *to = locate(slot, pos, &piece);
		if (piece > left)
			piece = left;
		if (sum) {
			uint32_t part = ops->copy_sum(to, from, piece);
			total += (from - bytes.at) & 1 ? checksum_odd(part) : part;
		} else {
			memcpy(to, from, piece);
		}
		from += piece;
		pos += (uint32_t)piece;
		left -= piece;
	}
	size_t done = (size_t)(from - bytes.at);
	if (done == 0)
		forget_table(r, p);
	else if (seq_gt(pos, r->high))
		r->high = pos;
	if (sum) /* less than 2^19 pieces of at most 2^17 each */
		*sum += (uint32_t)((total & 0xffff) + (total >> 16));
	return done;
}

uint8_t *ring_reserve(struct ring *r, struct ring_pool *p, uint32_t pos, size_t want, size_t *got)
{
	*got = 0;
	if (want == 0)
		return NULL;
	size_t room, len = reach(r, p, pos, want < RING_BIG ? want : RING_BIG);
	uint32_t number = number_of(pos);
	uint8_t *slot = len > 0 ? r->slot[number & r->mask] : NULL;
	if (len > 0 && !slot)
		slot = fill_slot(r, p, number);
	if (!slot) {
		forget_table(r, p);
		return NULL;
	}
	uint8_t *at = locate(slot, pos, &room);
	*got = room < len ? room : len;
	if (seq_gt(pos + (uint32_t)*got, r->high))
		r->high = pos + (uint32_t)*got;
	return at;
}

void ring_read(const struct ring *r, uint32_t pos, uint8_t *to, size_t len)
{
	while (len > 0) {
		size_t piece;
		const uint8_t *from = held(r, pos, &piece);
		if (piece > len)
			piece = len;
		memcpy(to, from, piece);
		pos += (uint32_t)piece;
		to += piece;
		len -= piece;
	}
}

unsigned ring_spans(const struct ring *r, uint32_t pos, size_t len, struct span *out, unsigned max,
	size_t *covered)
{
	unsigned count = 0;
	size_t rest = len;
	const uint8_t *end = NULL; /* of the last span */

	while (rest > 0) {
		size_t piece;
		const uint8_t *at = held(r, pos, &piece);
		if (piece > rest)
			piece = rest;
		if (at == end)
			out[count - 1].len += piece;
		else if (count < max)
			out[count++] = span_of(at, piece);
		else
			break;
		end = at + piece;
		pos += (uint32_t)piece;
		rest -= piece;
	}
	*covered = len - rest;
	return count;
}

/* Empties the slot of `number`; the last slot of a group gives the big block back. */
static inline void empty_slot(struct ring *r, struct ring_pool *p, uint32_t number)
{
	uint8_t **slot = &r->slot[number & r->mask], *block = *slot;
	if (!block)
		return;
	*slot = NULL;
	if (!is_big(block)) {
		pool_give(&p->small, block);
		r->blocks--;
	} else if (number % GROUP == GROUP - 1) {
		pool_give(&p->big, untagged(block) - (GROUP - 1) * RING_BLOCK);
		r->blocks -= GROUP;
	}
}

void ring_empty(struct ring *r, struct ring_pool *p)
{
	uint32_t number = number_of(r->low);
	for (uint32_t i = 0; i <= r->mask && r->blocks > 0; i++)
		empty_slot(r, p, number + i);
	assert(r->blocks == 0);
	drop_table(r, p);
}

void ring_release(struct ring *r, struct ring_pool *p, uint32_t pos)
{
	if (seq_le(pos, r->low))
		return;
	uint32_t number = number_of(r->low);
	uint32_t gone = (pos - (r->low & ~(RING_BLOCK - 1))) / RING_BLOCK;
	for (uint32_t i = 0; i < gone && i <= r->mask; i++)
		empty_slot(r, p, number + i);
	r->low = pos;
	if (seq_gt(pos, r->high))
		r->high = pos;
	if (pos == r->high && (r->blocks > 1 || r->mask + 1 == BIG_TABLE))
		ring_clear(r, p);
	else if (r->blocks == 0)
		drop_table(r, p);
}

void ring_discard(struct ring *r, struct ring_pool *p, uint32_t from, uint32_t to)
{
	from = seq_max(from, r->low);
	to = seq_min(to, r->high);
	if (seq_ge(from, to))
		return;
	bool cut = to == r->high;
	if (cut && from == r->low) {
		ring_clear(r, p);
		return;
	}
	/* counted from low's block; nothing stands before it or behind the last block */
	uint32_t base = r->low & ~(RING_BLOCK - 1), number = number_of(base);
	uint32_t first = (from - base + RING_BLOCK - 1) / RING_BLOCK;
	uint32_t last = (to - base) / RING_BLOCK;
	if (cut) { /* the whole group in which the last byte lies */
		last = (to - base + RING_BLOCK - 1) / RING_BLOCK;
		last += -(number + last) % GROUP;
		if (last > r->mask + 1)
			last = r->mask + 1;
	}

	for (uint32_t i = first; i < last; i++) {
		uint32_t in_group = (number + i) % GROUP;
		if (!is_big(r->slot[(number + i) & r->mask])) {
			empty_slot(r, p, number + i);
		} else if (in_group == 0 && i + GROUP <= last) {
			for (uint32_t k = 0; k < GROUP; k++)
				empty_slot(r, p, number + i + k);
			i += GROUP - 1;
		}
	}
	if (cut)
		r->high = from;
	if (r->blocks == 0)
		drop_table(r, p);
}
