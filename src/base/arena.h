/*
 * Memory without malloc. An arena hands out pieces of one block of memory that
 * the caller gave at start and never takes them back; a pool keeps equal items
 * of such a piece on a free list. Items are touched only when first taken, so a
 * large configured bound costs address space and no memory until it is used.
 * `arena_measure` arenas (at == NULL) hand out nothing and only count, so the
 * same planning code tells how much memory a config needs.
 */
#ifndef STRATA_BASE_ARENA_H
#define STRATA_BASE_ARENA_H

#include "base/span.h"

struct arena {
	uint8_t *at; /* NULL: measure only */
	size_t used, size;
	bool failed;
};

/* `align` is a power of two. NULL and `failed` where it does not fit (or only measures). */
void *arena_take(struct arena *a, size_t size, size_t align);

struct pool {
	uint8_t *base;
	void *free; /* list through the first word of each free item */
	uint32_t item_size;
	uint32_t count; /* items there are */
	uint32_t fresh; /* items [fresh, count) were never taken */
	uint32_t used, high; /* taken now, most ever taken */
};

/* `item_size` is rounded up to 8; `align` as for arena_take (at least 8). */
bool pool_init(struct pool *p, struct arena *a, size_t item_size, size_t align, uint32_t count);

/* An item with unspecified content, or NULL where all are taken. */
static inline void *pool_take(struct pool *p)
{
	void *item = p->free;
	if (item)
		memcpy(&p->free, item, sizeof p->free);
	else if (p->fresh < p->count)
		item = p->base + (size_t)p->item_size * p->fresh++;
	else
		return NULL;
	if (++p->used > p->high)
		p->high = p->used;
	return item;
}

static inline void pool_give(struct pool *p, void *item)
{
	assert((uint8_t *)item >= p->base && p->used > 0);
	memcpy(item, &p->free, sizeof p->free);
	p->free = item;
	p->used--;
}

static inline void *pool_at(const struct pool *p, uint32_t index)
{
	return p->base + (size_t)p->item_size * index;
}

static inline uint32_t pool_index(const struct pool *p, const void *item)
{
	return (uint32_t)((size_t)((const uint8_t *)item - p->base) / p->item_size);
}

#endif
