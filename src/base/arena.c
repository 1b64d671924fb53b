/*
 * Planning memory. What is taken from an arena is aligned by its address, not
 * by its offset, so the caller's block may start anywhere; a measuring arena
 * has no address and counts as if its block were aligned. A piece that does not
 * fit leaves the arena as it was, but for the flag: planning code checks once,
 * at its end.
 */
#include "base/arena.h"

void *arena_take(struct arena *a, size_t size, size_t align)
{
	assert(align && (align & (align - 1)) == 0);
	size_t pad = (size_t) - ((uintptr_t)a->at + a->used) & (align - 1);
	size_t left = (a->at ? a->size : SIZE_MAX) - a->used;

	if (pad > left || size > left - pad) {
		a->failed = true;
		return NULL;
	}
	size_t start = a->used + pad;
	a->used = start + size;
	if (!a->at) {
		a->failed = true;
		return NULL;
	}
	return a->at + start;
}

bool pool_init(struct pool *p, struct arena *a, size_t item_size, size_t align, uint32_t count)
{
	*p = (struct pool){ .item_size = 8 };
	if (count == 0)
		return true;
	size_t bytes, rounded = item_size ? (item_size + 7) & ~(size_t)7 : 8;
	if (item_size > UINT32_MAX - 7 || __builtin_mul_overflow(rounded, count, &bytes)) {
		a->failed = true;
		return false;
	}
	p->item_size = (uint32_t)rounded;
	p->base = arena_take(a, bytes, align < 8 ? 8 : align);
	if (!p->base)
		return false;
	p->count = count;
	return true;
}
