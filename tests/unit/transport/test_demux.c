/*
 * The connection table against a plain list: random additions, look-ups, removals
 * and replacements of IPv4 and IPv6 tuples, in a table so small and with hashes so
 * alike that lines overflow all the time.
 */
#include "unit/base/property.h"

#include "transport/demux.h"

#define CONNS   96
#define ENTRIES 64 /* of each kind; the table is planned for fewer */

struct world {
	struct demux d;
	struct hash_key key;
	struct pool pool[4];
	struct {
		struct tcp_tuple tuple;
		void *entry;
		uint64_t hash;
		enum demux_kind kind; /* NONE: not in the table */
	} known[CONNS];
};

static _Alignas(64) uint8_t memory[256 * 1024];
static struct world w;

static void open_world(struct rng *r, uint32_t planned)
{
	memset(&w, 0, sizeof w);
	struct arena a = { .at = memory, .size = sizeof memory };
	w.key = (struct hash_key){ 0 };
	memcpy(&w.key, &(uint64_t){ rng_next(r) }, 8);
	assert_true(demux_init(&w.d, &a, planned, &w.key));
	const size_t size[4] = { 0, sizeof(struct tcp_conn), sizeof(struct tcp_embryo),
		sizeof(struct tcp_time_wait) };
	for (unsigned kind = DEMUX_CONN; kind <= DEMUX_TIME_WAIT; kind++) {
		assert_true(pool_init(&w.pool[kind], &a, size[kind], 8, ENTRIES));
		w.d.pool[kind] = &w.pool[kind];
	}
}

/* Few addresses and ports, so that tuples differ in one field only; all of them different. */
static struct tcp_tuple tuple_of(unsigned i)
{
	static const char *const text[2][2] = { { "192.0.2.1", "192.0.2.2" },
		{ "2001:db8::1", "2001:db8::2" } };
	struct tcp_tuple t = { 0 };
	for (unsigned end = 0; end < 2; end++) {
		const char *s = text[i & 1][(i >> (1 + end)) & 1];
		assert_true(addr_parse(span_of(s, i & 1 ? 11 : 9), end ? &t.remote : &t.local));
	}
	t.local_port = (uint16_t)(80 + (i >> 3 & 1));
	t.remote_port = (uint16_t)(1000 + (i >> 4));
	return t;
}

/* Every line's `passed` counts exactly the entries that stand after it on their way. */
static void check_table(void)
{
	uint32_t passed[64] = { 0 }, entries = 0;
	check(w.d.mask < 64);
	for (unsigned i = 0; i < CONNS; i++) {
		if (w.known[i].kind == DEMUX_NONE)
			continue;
		entries++;
		uint32_t ref = (uint32_t)w.known[i].kind << 30 |
			       pool_index(&w.pool[w.known[i].kind], w.known[i].entry);
		unsigned found = 0;
		for (uint32_t probe = 0; probe < DEMUX_PROBES && !found; probe++) {
			uint32_t at = ((uint32_t)w.known[i].hash + probe) & w.d.mask;
			for (unsigned s = 0; s < DEMUX_SLOTS; s++)
				found += w.d.line[at].ref[s] == ref;
			if (!found)
				passed[at]++;
		}
		check(found == 1);
	}
	check(w.d.count == entries);
	for (uint32_t i = 0; i <= w.d.mask; i++)
		check(w.d.line[i].passed == passed[i]);
}

static void look(unsigned i)
{
	enum demux_kind kind;
	void *entry = demux_find(&w.d, &w.known[i].tuple, &kind);
	check(kind == w.known[i].kind);
	check(entry == (kind == DEMUX_NONE ? NULL : w.known[i].entry));
}

static void add(struct rng *r, unsigned i)
{
	enum demux_kind kind = (enum demux_kind)(1 + rng_below(r, 3));
	look(i); /* as callers do: it tells the hash */
	void *entry = pool_take(&w.pool[kind]);
	if (!entry)
		return;
	memcpy(entry, &w.known[i].tuple, sizeof(struct tcp_tuple));
	uint64_t hash = demux_searched(&w.d);
	check(hash == tuple_hash(&w.key, &w.known[i].tuple));
	if (!demux_add(&w.d, hash, kind, entry)) {
		pool_give(&w.pool[kind], entry);
		return;
	}
	w.known[i].entry = entry;
	w.known[i].hash = hash;
	w.known[i].kind = kind;
}

static void drop(unsigned i)
{
	demux_remove(&w.d, (uint32_t)w.known[i].hash, w.known[i].kind, w.known[i].entry);
	memset(w.known[i].entry, 0xee, sizeof(struct tcp_tuple));
	pool_give(&w.pool[w.known[i].kind], w.known[i].entry);
	w.known[i].kind = DEMUX_NONE;
}

static void replace(struct rng *r, unsigned i)
{
	enum demux_kind kind = (enum demux_kind)(1 + rng_below(r, 3));
	void *entry = pool_take(&w.pool[kind]);
	if (!entry)
		return;
	memcpy(entry, &w.known[i].tuple, sizeof(struct tcp_tuple));
	demux_replace(&w.d, (uint32_t)w.known[i].hash, w.known[i].kind, w.known[i].entry, kind,
		entry);
	memset(w.known[i].entry, 0xee, sizeof(struct tcp_tuple));
	pool_give(&w.pool[w.known[i].kind], w.known[i].entry);
	w.known[i].entry = entry;
	w.known[i].kind = kind;
}

static void random_steps(struct rng *r)
{
	/* 16 lines of 7: up to 96 entries fill them to the brim */
	open_world(r, (uint32_t)(1 + rng_below(r, 56)));
	for (unsigned i = 0; i < CONNS; i++)
		w.known[i].tuple = tuple_of(i);
	for (unsigned step = 0; step < 5000; step++) {
		unsigned i = (unsigned)rng_below(r, CONNS);
		unsigned what = (unsigned)rng_below(r, 8);
		if (what < 3)
			look(i);
		else if (w.known[i].kind == DEMUX_NONE)
			add(r, i);
		else if (what < 5)
			drop(i);
		else if (what < 6)
			replace(r, i);
		if (step % 64 == 0)
			check_table();
	}
	for (unsigned i = 0; i < CONNS; i++)
		look(i);
	for (unsigned i = 0; i < CONNS; i++)
		if (w.known[i].kind != DEMUX_NONE)
			drop(i);
	check_table(); /* `passed` is 0 everywhere */
	check(w.d.last == NULL);
}

static void test_random_steps(void **state)
{
	(void)state;
	property_each(40, random_steps);
}

/* All entries have one home: they fill sixteen lines, and the next is refused. */
static void test_collisions(void **state)
{
	(void)state;
	struct rng r;
	rng_seed(&r, span_of("c", 1));
	open_world(&r, 1);
	unsigned added = 0;
	while (added < CONNS) {
		enum demux_kind kind = added < 40 ? DEMUX_CONN : DEMUX_EMBRYO;
		void *entry = pool_take(&w.pool[kind]);
		w.known[added].tuple = tuple_of(added);
		memcpy(entry, &w.known[added].tuple, sizeof(struct tcp_tuple));
		w.known[added].entry = entry;
		w.known[added].kind = kind;
		w.known[added].hash = 5 | (uint64_t)added << 32;
		assert_true(demux_add(&w.d, w.known[added].hash, kind, entry));
		added++;
	}
	check_table();
	for (unsigned i = 0; i < CONNS; i += 2)
		drop(i);
	check_table();
	for (unsigned i = 1; i < CONNS; i += 2)
		drop(i);
	check_table();
}

/* A table that is full around a hash says so. */
static void test_full(void **state)
{
	(void)state;
	struct rng r;
	rng_seed(&r, span_of("f", 1));
	open_world(&r, 1);
	unsigned added = 0;
	for (unsigned i = 0; i < ENTRIES; i++) {
		for (unsigned kind = DEMUX_CONN; kind <= DEMUX_TIME_WAIT; kind++) {
			struct tcp_tuple t = tuple_of(3 * i + kind);
			void *entry = pool_take(&w.pool[kind]);
			memcpy(entry, &t, sizeof t);
			added += demux_add(&w.d, 9, (enum demux_kind)kind, entry);
		}
	}
	assert_int_equal(added, DEMUX_PROBES * DEMUX_SLOTS);
	assert_int_equal(w.d.count, added);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random_steps),
		cmocka_unit_test(test_collisions),
		cmocka_unit_test(test_full),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
