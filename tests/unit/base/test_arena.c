/*
 * Arenas and pools: alignment, bounds and overflow, the measuring arena, and a
 * pool's items against a model that knows who has which.
 */
#include "property.h"

#include "base/arena.h"

static uint8_t memory[1 << 16];

/* Pieces are aligned, apart, and inside; the arena stays as it was where one does not fit. */
static void pieces(struct rng *r)
{
	size_t offset = rng_below(r, 64), size = rng_below(r, 5000);
	struct arena a = { .at = memory + offset, .size = size };
	uintptr_t end = (uintptr_t)memory + offset;

	for (unsigned i = 0; i < 40; i++) {
		size_t align = (size_t)1 << rng_below(r, 8);
		size_t want = rng_below(r, 10) ? rng_below(r, 300) : SIZE_MAX - rng_below(r, 300);
		size_t used = a.used;
		a.failed = false;
		uint8_t *piece = arena_take(&a, want, align);
		uintptr_t at = (end + align - 1) & ~(uintptr_t)(align - 1);
		bool fits = at - (uintptr_t)a.at <= size && want <= size - (at - (uintptr_t)a.at);
		check((piece != NULL) == fits && a.failed == !fits);
		if (!fits) {
			check(a.used == used);
			continue;
		}
		check((uintptr_t)piece == at && a.used == at + want - (uintptr_t)a.at);
		memset(piece, 0xee, want);
		end = at + want;
	}
}

static void test_pieces(void **state)
{
	(void)state;
	property_each(500, pieces);
}

/* What a measuring arena counts is what the same plan needs. */
static void measuring(struct rng *r)
{
	struct pool p;
	struct arena counts = { .at = NULL }, real = { .at = NULL };
	size_t size[20], align[20];
	uint32_t items[20];
	for (unsigned i = 0; i < 20; i++) {
		size[i] = 1 + rng_below(r, 200);
		align[i] = (size_t)1 << rng_below(r, 7);
		items[i] = rng_below(r, 10);
		check(!pool_init(&p, &counts, size[i], align[i], items[i]) == (items[i] > 0));
		check(!arena_take(&counts, size[i], align[i]));
	}
	check(counts.failed && counts.used <= sizeof memory - 128);

	uint8_t *at = memory + (-(uintptr_t)memory & 127);
	for (size_t less = 0; less < 2; less++) {
		real = (struct arena){ .at = at, .size = counts.used - less };
		for (unsigned i = 0; i < 20; i++) {
			(void)!pool_init(&p, &real, size[i], align[i], items[i]);
			arena_take(&real, size[i], align[i]);
		}
		check(real.failed == (less > 0));
	}
}

static void test_measuring(void **state)
{
	(void)state;
	property_each(200, measuring);
}

static void test_overflow(void **state)
{
	(void)state;
	struct pool p;
	struct arena a = { .at = memory, .size = sizeof memory };
	assert_false(pool_init(&p, &a, SIZE_MAX, 8, 1));
	assert_true(a.failed);
	a.failed = false;
	assert_false(pool_init(&p, &a, UINT32_MAX, 8, UINT32_MAX));
	assert_true(a.failed);
	assert_int_equal(a.used, 0);
	assert_null(pool_take(&p));

	struct arena counts = { .at = NULL };
	arena_take(&counts, SIZE_MAX - 10, 1);
	assert_int_equal(counts.used, SIZE_MAX - 10);
	arena_take(&counts, 11, 1);
	assert_int_equal(counts.used, SIZE_MAX - 10);
}

static void test_empty_pool(void **state)
{
	(void)state;
	struct pool p;
	struct arena a = { .at = memory, .size = 0 };
	assert_true(pool_init(&p, &a, 100, 64, 0));
	assert_null(pool_take(&p));
	assert_false(a.failed);
	assert_int_equal(p.used + p.high, 0);
}

/* No item is given twice, contents stay, and the figures are right. */
static void owners(struct rng *r)
{
	enum { MOST = 50 };
	struct pool p;
	struct arena a = { .at = memory, .size = sizeof memory };
	size_t size = 1 + rng_below(r, 100);
	uint32_t count = 1 + rng_below(r, MOST), high = 0, taken = 0;
	size_t align = (size_t)1 << rng_below(r, 7);
	uint8_t *owned[MOST];

	check(pool_init(&p, &a, size, align, count));
	check(p.item_size >= size && p.item_size % 8 == 0 && p.item_size < size + 8);
	check((uintptr_t)p.base % align == 0);
	for (unsigned step = 0; step < 300; step++) {
		if (rng_below(r, 5) < 3) {
			uint8_t *item = pool_take(&p);
			check((item != NULL) == (taken < count));
			if (!item)
				continue;
			check(pool_index(&p, item) < count);
			check(pool_at(&p, pool_index(&p, item)) == item);
			memset(item, (int)pool_index(&p, item), size);
			owned[taken++] = item;
		} else if (taken > 0) {
			uint32_t which = rng_below(r, taken);
			for (size_t i = 0; i < size; i++)
				check(owned[which][i] == pool_index(&p, owned[which]));
			pool_give(&p, owned[which]);
			owned[which] = owned[--taken];
		}
		high = taken > high ? taken : high;
		check(p.used == taken && p.high == high);
	}
}

static void test_owners(void **state)
{
	(void)state;
	property_each(300, owners);
}

/* Items that were never taken were never touched: a large bound costs no memory. */
static void test_untouched(void **state)
{
	(void)state;
	struct pool p;
	struct arena a = { .at = memory, .size = sizeof memory };
	memset(memory, 0x77, sizeof memory);
	assert_true(pool_init(&p, &a, 64, 64, 500));
	for (unsigned i = 0; i < 1000; i++) {
		void *one = pool_take(&p), *two = pool_take(&p);
		pool_give(&p, two);
		pool_give(&p, one);
	}
	for (size_t i = 128 + 64; i < sizeof memory; i++)
		assert_int_equal(memory[i], 0x77);
	assert_int_equal(p.high, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pieces),
		cmocka_unit_test(test_measuring),
		cmocka_unit_test(test_overflow),
		cmocka_unit_test(test_empty_pool),
		cmocka_unit_test(test_owners),
		cmocka_unit_test(test_untouched),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
