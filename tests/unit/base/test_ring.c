/*
 * Rings against a flat model: 64-bit positions, one byte each, never reused in
 * a run. Several rings share a small pool, start just before 2^32, and take
 * random writes with holes, reads, spans, reservations, releases and discards;
 * after each step the pool's count of blocks is the sum of what the rings hold.
 */
#include "property.h"

#include "base/ring.h"
#include "base/seq.h"

#define RINGS     3
#define WINDOW    (16u * 1024 * 1024) /* of the model; a ring spans at most 8 MB */
#define WRITE_MAX (80u * 1024)

struct model {
	struct ring ring;
	uint64_t low, high; /* high: the end of what was ever written */
	uint8_t *byte;      /* by position modulo WINDOW */
	uint8_t *written;
};

static const struct checksum_ops *ops;
static uint8_t source[WRITE_MAX * 2]; /* the same bytes twice */
static uint8_t sink[WRITE_MAX];

static struct arena arena_of(uint32_t small, uint32_t big)
{
	size_t size = (size_t)small * RING_BLOCK + (size_t)big * RING_BIG + 128;
	return (struct arena){ .at = malloc(size), .size = size };
}

/* Blocks and tables of one ring, counted slot by slot; each block must lie in what is in use. */
static void tally(const struct model *m, uint32_t *small, uint32_t *big)
{
	const struct ring *r = &m->ring;
	uint32_t first = (uint32_t)(m->low >> RING_BLOCK_SHIFT), blocks = 0;
	for (uint32_t i = 0; i <= r->mask; i++) {
		const uint8_t *slot = r->slot[(first + i) & r->mask];
		if (!slot)
			continue;
		uint64_t start = ((m->low >> RING_BLOCK_SHIFT) + i) << RING_BLOCK_SHIFT;
		if ((uintptr_t)slot & 1) {
			bool last = (first + i) % 16 == 15;
			*big += last;
			blocks += last ? 16 : 0;
			start -= start % RING_BIG;
		} else {
			++*small;
			blocks++;
		}
		check(start < m->high);
	}
	check(r->blocks == blocks);
	check(r->low == (uint32_t)m->low);
	if (r->slot == r->inline_slot) {
		check(r->mask == RING_INLINE_SLOTS - 1);
	} else {
		check(blocks > 0 && (r->mask == 255 || r->mask == 4095));
		*(r->mask == 255 ? small : big) += 1;
	}
}

static void check_pools(const struct model *m, const struct ring_pool *p)
{
	uint32_t small = 0, big = 0;
	for (unsigned i = 0; i < RINGS; i++)
		tally(&m[i], &small, &big);
	check(p->small.used == small && p->big.used == big);
}

static void set(struct model *m, uint64_t pos, const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		m->byte[(pos + i) % WINDOW] = bytes[i];
		m->written[(pos + i) % WINDOW] = 1;
	}
	if (len > 0 && pos + len > m->high)
		m->high = pos + len;
}

/* Written bytes in a row at `pos`, at most `most`. */
static size_t run_at(const struct model *m, uint64_t pos, size_t most)
{
	size_t len = 0;
	while (len < most && pos + len < m->high && m->written[(pos + len) % WINDOW])
		len++;
	return len;
}

static bool same(const struct model *m, uint64_t pos, const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (m->byte[(pos + i) % WINDOW] != bytes[i])
			return false;
	}
	return true;
}

/* Mostly in order or near it; sometimes far ahead. */
static uint64_t some_pos(struct rng *r, const struct model *m)
{
	uint64_t span = m->high - m->low;
	switch (rng_below(r, 8)) {
	case 0: return m->low + (span ? rng_below(r, (uint32_t)span) : 0);
	case 1: return m->low + rng_below(r, 20000);
	case 2: return m->high + rng_below(r, 100000);
	case 3: return m->low + rng_below(r, 9 * 1024 * 1024);
	default: return m->high;
	}
}

/* A short write is only allowed where memory was missing or the span is too wide. */
static void check_short(const struct model *m, const struct ring_pool *p, uint64_t stop)
{
	uint64_t need = (stop >> RING_BLOCK_SHIFT) - (m->low >> RING_BLOCK_SHIFT) + 1;
	/* the last block does not become a table */
	bool table = need > RING_INLINE_SLOTS && m->ring.slot == m->ring.inline_slot;
	bool no_block = p->small.count - p->small.used <= (table ? 1 : 0);
	bool no_table = need > 256 && p->big.used == p->big.count;
	check(no_block || no_table || need > 4096);
}

static void write(struct rng *r, struct model *m, struct ring_pool *p)
{
	uint64_t pos = some_pos(r, m);
	size_t want = 1 + rng_below(r, rng_below(r, 4) ? 3000 : WRITE_MAX);
	const uint8_t *bytes = source + rng_below(r, sizeof source - WRITE_MAX);
	bool with_sum = rng_below(r, 2);
	uint32_t sum = 0xbeef;

	size_t done = ring_write(
		&m->ring, p, ops, (uint32_t)pos, span_of(bytes, want), with_sum ? &sum : NULL);
	check(done <= want);
	if (done < want)
		check_short(m, p, pos + done);
	if (with_sum) {
		uint64_t expected = (uint64_t)checksum_plain.sum(bytes, done) + 0xbeef;
		check(checksum_fold(sum) == checksum_fold(expected));
	}
	set(m, pos, bytes, done);
}

static void reserve(struct rng *r, struct model *m, struct ring_pool *p)
{
	uint64_t pos = some_pos(r, m);
	size_t want = 1 + rng_below(r, WRITE_MAX), got = 77;
	const uint8_t *bytes = source + rng_below(r, sizeof source - WRITE_MAX);

	uint8_t *at = ring_reserve(&m->ring, p, (uint32_t)pos, want, &got);
	check(got <= want && (at != NULL) == (got > 0));
	if (!at)
		check_short(m, p, pos);
	else
		memcpy(at, bytes, got);
	set(m, pos, bytes, got);
}

static void read(struct rng *r, struct model *m)
{
	uint64_t span = m->high - m->low;
	uint64_t pos = m->low + (span ? rng_below(r, (uint32_t)span) : 0);
	size_t len = run_at(m, pos, rng_below(r, WRITE_MAX));
	ring_read(&m->ring, (uint32_t)pos, sink, len);
	check(same(m, pos, sink, len));
}

static void spans(struct rng *r, struct model *m)
{
	uint64_t span = m->high - m->low;
	uint64_t pos = m->low + (span ? rng_below(r, (uint32_t)span) : 0);
	size_t len = run_at(m, pos, rng_below(r, WRITE_MAX)), covered = 77, total = 0;
	struct span out[19];
	unsigned max = rng_below(r, 19);
	memset(out, 0, sizeof out);

	unsigned count = ring_spans(&m->ring, (uint32_t)pos, len, out, max, &covered);
	check(count <= max && covered <= len);
	check(covered == len || count == max);
	for (unsigned i = 0; i < count; i++) {
		check(out[i].len > 0);
		check(i == 0 || out[i - 1].at + out[i - 1].len != out[i].at);
		check(same(m, pos + total, out[i].at, out[i].len));
		total += out[i].len;
	}
	check(total == covered && !out[count].at);
}

static void release(struct rng *r, struct model *m, struct ring_pool *p)
{
	uint64_t span = m->high - m->low, pos = m->low;
	switch (rng_below(r, 8)) {
	case 0: pos = m->high; break;
	case 1: pos = m->high + rng_below(r, 100000); break;
	case 2: break;
	default: pos += span ? rng_below(r, (uint32_t)span) : 0;
	}
	ring_release(&m->ring, p, (uint32_t)pos);
	for (; m->low < pos && m->low < m->high; m->low++)
		m->written[m->low % WINDOW] = 0;
	m->low = pos;
	if (m->high <= pos) {
		m->high = pos;
		check(m->ring.blocks <= 1 && m->ring.mask <= 255);
	}
}

static void discard(struct rng *r, struct model *m, struct ring_pool *p)
{
	uint64_t span = m->high - m->low;
	uint64_t from = m->low + (span ? rng_below(r, (uint32_t)span) : 0);
	uint64_t to = rng_below(r, 3) ? from + rng_below(r, 200000) : m->high + rng_below(r, 3);
	if (rng_below(r, 8) == 0)
		from = m->low;
	/* what is released already may be named too */
	uint64_t before = rng_below(r, 4) ? 0 : rng_below(r, 10000);
	ring_discard(&m->ring, p, (uint32_t)(from - (from == m->low ? before : 0)), (uint32_t)to);
	for (uint64_t pos = from; pos < to && pos < m->high; pos++)
		m->written[pos % WINDOW] = 0;
	if (to >= m->high && from < m->high)
		m->high = from;
	/* no small block is left that lies wholly inside */
	for (uint64_t pos = (from + RING_BLOCK - 1) & ~UINT64_C(2047); pos + RING_BLOCK <= to;
		pos += RING_BLOCK) {
		uint64_t ahead = (pos >> RING_BLOCK_SHIFT) - (m->low >> RING_BLOCK_SHIFT);
		if (ahead > m->ring.mask)
			break;
		const uint8_t *slot =
			m->ring.slot[(uint32_t)(pos >> RING_BLOCK_SHIFT) & m->ring.mask];
		check(!slot || (uintptr_t)slot & 1);
	}
}

static void flat_model(struct rng *r)
{
	static const struct {
		uint32_t small, big;
	} sizes[] = { { 0, 0 }, { 3, 0 }, { 40, 0 }, { 300, 0 }, { 300, 3 }, { 64, 40 },
		{ 1500, 300 } };
	unsigned pick = rng_below(r, sizeof sizes / sizeof *sizes);
	struct arena a = arena_of(sizes[pick].small, sizes[pick].big);
	struct ring_pool p;
	struct model m[RINGS];

	check(a.at && ring_pool_init(&p, &a, sizes[pick].small, sizes[pick].big));
	for (unsigned i = 0; i < RINGS; i++) {
		m[i].low = m[i].high = UINT32_MAX - rng_below(r, 3000000);
		m[i].byte = calloc(WINDOW, 1);
		m[i].written = calloc(WINDOW, 1);
		check(m[i].byte && m[i].written);
		ring_init(&m[i].ring, (uint32_t)m[i].low);
	}
	for (unsigned step = 0; step < 400; step++) {
		struct model *one = &m[rng_below(r, RINGS)];
		switch (rng_below(r, 10)) {
		case 0: reserve(r, one, &p); break;
		case 1:
		case 2: read(r, one); break;
		case 3: spans(r, one); break;
		case 4: release(r, one, &p); break;
		case 5:
			if (rng_below(r, 4) == 0)
				discard(r, one, &p);
			break;
		default: write(r, one, &p);
		}
		check_pools(m, &p);
	}
	for (unsigned i = 0; i < RINGS; i++) {
		ring_clear(&m[i].ring, &p);
		check(m[i].ring.blocks == 0);
		free(m[i].byte);
		free(m[i].written);
	}
	check(p.small.used == 0 && p.big.used == 0);
	free(a.at);
}

static void test_flat_model(void **state)
{
	(void)state;
	property_each(60, flat_model);
}

/* A stream through the ring, across 2^32, with the queue's depth growing and shrinking. */
static void stream(struct rng *r)
{
	struct arena a = arena_of(600, 40);
	struct ring_pool p;
	struct ring ring;
	uint64_t head = UINT32_MAX - 500000 - rng_below(r, 500000), tail = head,
		 end = head + 3000000;
	check(a.at && ring_pool_init(&p, &a, 600, 40));
	ring_init(&ring, (uint32_t)head);

	while (tail < end) {
		size_t want = 1 + rng_below(r, 30000), deep = 1 + rng_below(r, 900000);
		if (head - tail < deep && head < end) {
			const uint8_t *from = source + head % WRITE_MAX;
			head += ring_write(
				&ring, &p, ops, (uint32_t)head, span_of(from, want), NULL);
		} else {
			size_t len = head - tail < want ? head - tail : want;
			ring_read(&ring, (uint32_t)tail, sink, len);
			check(memcmp(sink, source + tail % WRITE_MAX, len) == 0);
			tail += len;
			ring_release(&ring, &p, (uint32_t)tail);
		}
		/* a big block may be unused up to its last block at both ends */
		check(ring.blocks <= (head - tail) / RING_BLOCK + 2 + 15 + 15);
	}
	ring_release(&ring, &p, (uint32_t)head);
	check(p.big.used == 0 && p.small.used <= 2);
	ring_clear(&ring, &p);
	check(p.small.used == 0 && ring.slot == ring.inline_slot);
	free(a.at);
}

static void test_stream(void **state)
{
	(void)state;
	property_each(20, stream);
}

/* Nothing asked, nothing taken. */
static void test_empty_runs(void **state)
{
	(void)state;
	struct arena a = arena_of(4, 0);
	struct ring_pool p;
	struct ring r;
	struct span out[1];
	uint32_t sum = 7;
	size_t got = 1, covered = 1;
	assert_true(ring_pool_init(&p, &a, 4, 0));
	ring_init(&r, UINT32_MAX);
	assert_int_equal(ring_write(&r, &p, ops, r.low, span_of(NULL, 0), &sum), 0);
	assert_null(ring_reserve(&r, &p, r.low, 0, &got));
	ring_read(&r, r.low, NULL, 0);
	assert_int_equal(ring_spans(&r, r.low, 0, out, 1, &covered), 0);
	ring_discard(&r, &p, r.low, r.low + 5000);
	ring_release(&r, &p, r.low - 1); /* the past is released already */
	assert_int_equal(r.low, UINT32_MAX);
	assert_int_equal(sum, 7);
	assert_int_equal(got + covered + p.small.high, 0);
	ring_clear(&r, &p);
	free(a.at);
}

/* A started block stays in an empty ring, and nothing more, however deep the queue was. */
static void test_empty_ring_keeps_one_block(void **state)
{
	(void)state;
	struct arena a = arena_of(300, 40);
	struct ring_pool p;
	struct ring r;
	assert_true(ring_pool_init(&p, &a, 300, 40));
	ring_init(&r, 1000);
	assert_int_equal(ring_write(&r, &p, ops, 1000, span_of(source, 100), NULL), 100);
	assert_int_equal(p.small.used, 1);
	ring_release(&r, &p, 1100);
	assert_int_equal(p.small.used, 1);
	assert_int_equal(ring_write(&r, &p, ops, 1100, span_of(source, 948), NULL), 948);
	ring_release(&r, &p, 2048); /* the block's end: nothing can come into it */
	assert_int_equal(p.small.used, 0);

	static const size_t depths[] = { 10000, 30000, 100000, 1000000 };
	for (size_t i = 0; i < sizeof depths / sizeof *depths; i++) {
		uint32_t pos = r.low;
		size_t todo = depths[i];
		while (todo > 0) {
			size_t piece = todo < WRITE_MAX ? todo : WRITE_MAX;
			assert_int_equal(
				ring_write(&r, &p, ops, pos, span_of(source, piece), NULL), piece);
			pos += (uint32_t)piece;
			todo -= piece;
		}
		ring_release(&r, &p, pos);
		assert_true(r.blocks <= 1 && p.small.used <= 2);
		assert_int_equal(p.big.used, 0);
	}
	ring_clear(&r, &p);
	assert_int_equal(p.small.used, 0);

	/* a reservation counts as written until its unused end is cut off */
	size_t got;
	ring_init(&r, 1100);
	assert_non_null(ring_reserve(&r, &p, 1100, 500, &got));
	assert_int_equal(got, 500);
	ring_release(&r, &p, 1200);
	assert_int_equal(p.small.used, 1);
	ring_discard(&r, &p, 1200, 1600);
	assert_int_equal(p.small.used, 0);
	free(a.at);
}

static void test_inline_slots_span_seven_blocks_anywhere(void **state)
{
	(void)state;
	struct arena a = arena_of(9, 0);
	struct ring_pool p;
	struct ring r;
	assert_true(ring_pool_init(&p, &a, 9, 0));
	for (uint32_t offset = 0; offset < RING_BLOCK; offset += 511) {
		ring_init(&r, offset);
		assert_int_equal(
			ring_write(&r, &p, ops, offset, span_of(source, 7 * RING_BLOCK), NULL),
			7 * RING_BLOCK);
		assert_ptr_equal(r.slot, r.inline_slot);
		ring_clear(&r, &p);
	}
	/* the ninth block needs a table: with its own block, the pool holds eight more */
	ring_init(&r, 0);
	assert_int_equal(
		ring_write(&r, &p, ops, 0, span_of(source, 10 * RING_BLOCK), NULL), 8 * RING_BLOCK);
	assert_int_equal(p.small.used, 9);
	ring_clear(&r, &p);
	assert_int_equal(p.small.used, 0);
	free(a.at);
}

/* The last byte that the inline slots span, and the first that they do not. */
static void test_edge_of_inline_slots(void **state)
{
	(void)state;
	static const uint32_t lows[] = { 0, 1, 2, 1023, 2046, 2047 };
	struct arena a = arena_of(3, 0);
	struct ring_pool p;
	struct ring r;
	assert_true(ring_pool_init(&p, &a, 3, 0));
	for (size_t i = 0; i < sizeof lows / sizeof *lows; i++) {
		ring_init(&r, lows[i]);
		assert_int_equal(ring_write(&r, &p, ops, lows[i], span_of("a", 1), NULL), 1);
		assert_int_equal(
			ring_write(&r, &p, ops, 8 * RING_BLOCK - 1, span_of("b", 1), NULL), 1);
		assert_ptr_equal(r.slot, r.inline_slot);
		ring_clear(&r, &p);
		assert_int_equal(ring_write(&r, &p, ops, lows[i], span_of("a", 1), NULL), 1);
		assert_int_equal(ring_write(&r, &p, ops, 8 * RING_BLOCK, span_of("c", 1), NULL), 1);
		assert_int_equal(r.mask, 255);
		ring_read(&r, lows[i], sink, 1);
		assert_int_equal(*sink, 'a');
		ring_clear(&r, &p);
	}
	free(a.at);
}

/* A block of which the smallest part is not discarded stays. */
static void test_edge_of_discard(void **state)
{
	(void)state;
	struct arena a = arena_of(4, 0);
	struct ring_pool p;
	struct ring r;
	assert_true(ring_pool_init(&p, &a, 4, 0));
	for (uint32_t low = 0; low < 3; low++) {
		ring_init(&r, low);
		assert_int_equal(
			ring_write(&r, &p, ops, low, span_of(source, 4 * RING_BLOCK - low), NULL),
			4 * RING_BLOCK - low);
		ring_discard(&r, &p, RING_BLOCK + 1, 3 * RING_BLOCK - 1);
		assert_int_equal(p.small.used, 4);
		ring_discard(&r, &p, RING_BLOCK, 3 * RING_BLOCK - 1);
		assert_int_equal(p.small.used, 3);
		ring_discard(&r, &p, RING_BLOCK, 3 * RING_BLOCK);
		assert_int_equal(p.small.used, 2);
		ring_clear(&r, &p);
	}
	free(a.at);
}

/* A big block must not reach round the table's end into the slots of the ring's start. */
static void test_big_block_at_the_edge(void **state)
{
	(void)state;
	struct arena a = arena_of(40, 4);
	struct ring_pool p;
	for (uint32_t first = 0; first < 32; first++) {
		struct ring r;
		a.used = 0;
		assert_true(ring_pool_init(&p, &a, 40, 4));
		ring_init(&r, first * RING_BLOCK + 100);
		/* sixteen blocks in the middle, a hole at the start */
		assert_int_equal(ring_write(&r, &p, ops, 101 * RING_BLOCK,
					 span_of(source, 16 * RING_BLOCK), NULL),
			16 * RING_BLOCK);
		uint32_t group = (first + 256) / 16 * 16 - (first % 16 == 0 ? 16 : 0);
		size_t done = ring_write(
			&r, &p, ops, group * RING_BLOCK, span_of(source, RING_BLOCK), NULL);
		assert_int_equal(done, RING_BLOCK);
		assert_int_equal(r.mask, 255);
		bool big = (uintptr_t)r.slot[group & r.mask] & 1;
		assert_int_equal(big, group + 16 <= first + 256);
		uint32_t start = r.low;
		assert_int_equal(
			ring_write(&r, &p, ops, start, span_of(source + 1, 3000), NULL), 3000);
		ring_read(&r, group * RING_BLOCK, sink, RING_BLOCK);
		assert_memory_equal(sink, source, RING_BLOCK);
		ring_read(&r, start, sink, 3000);
		assert_memory_equal(sink, source + 1, 3000);
		ring_clear(&r, &p);
		assert_int_equal(p.small.used + p.big.used, 0);
	}
	free(a.at);
}

static void test_pool_that_does_not_fit(void **state)
{
	(void)state;
	struct arena a = arena_of(3, 2);
	struct ring_pool p;
	a.used = 0;
	assert_false(ring_pool_init(&p, &a, 3, 5));
	a.used = 0;
	assert_false(ring_pool_init(&p, &a, 60, 2));
	a.used = 0;
	assert_true(ring_pool_init(&p, &a, 3, 2));
	free(a.at);
}

/* Without big blocks the table has 256 slots at most; with them 4096. */
static void test_reach(void **state)
{
	(void)state;
	struct arena a = arena_of(10, 2);
	struct ring_pool p;
	struct ring r;
	assert_true(ring_pool_init(&p, &a, 10, 0));
	ring_init(&r, 5);
	assert_int_equal(
		ring_write(&r, &p, ops, 256 * RING_BLOCK - 10, span_of(source, 20), NULL), 10);
	assert_int_equal(ring_write(&r, &p, ops, 256 * RING_BLOCK, span_of(source, 20), NULL), 0);
	assert_int_equal(r.mask, 255);
	ring_clear(&r, &p);

	/* nothing written, nothing kept */
	assert_int_equal(ring_write(&r, &p, ops, 300 * RING_BLOCK, span_of(source, 20), NULL), 0);
	assert_int_equal(p.small.used, 0);

	a.used = 0;
	assert_true(ring_pool_init(&p, &a, 10, 2));
	assert_int_equal(
		ring_write(&r, &p, ops, 4096 * RING_BLOCK - 10, span_of(source, 20), NULL), 10);
	assert_int_equal(r.mask, 4095);
	ring_clear(&r, &p);
	assert_int_equal(p.big.used + p.small.used, 0);
	free(a.at);
}

/* 32 KB are held before the first big block, which then starts on its boundary. */
static void test_big_blocks(void **state)
{
	(void)state;
	struct arena a = arena_of(100, 8);
	struct ring_pool p;
	struct ring r;
	assert_true(ring_pool_init(&p, &a, 100, 8));
	ring_init(&r, RING_BIG - 3 * RING_BLOCK);
	uint32_t pos = r.low;
	for (unsigned i = 0; i < 8; i++, pos += 9 * RING_BLOCK)
		assert_int_equal(
			ring_write(&r, &p, ops, pos, span_of(source, 9 * RING_BLOCK), NULL),
			9 * RING_BLOCK);
	/* 72 blocks: 3 + 16 small ones, then big ones from the next boundary on */
	assert_int_equal(p.small.used, 3 + 16 + 1);
	assert_int_equal(p.big.used, 4);
	assert_int_equal(r.blocks, 3 + 16 + 4 * 16);

	struct span out[8];
	size_t covered;
	unsigned count = ring_spans(&r, 3 * RING_BIG, RING_BIG, out, 8, &covered);
	assert_int_equal(count, 1);
	assert_int_equal(covered, RING_BIG);

	/* a big block goes back with its last byte and not before */
	ring_release(&r, &p, 3 * RING_BIG - 1);
	assert_int_equal(p.big.used, 4);
	ring_release(&r, &p, 3 * RING_BIG);
	assert_int_equal(p.big.used, 3);
	/* nor is one discarded of which a part must stay */
	ring_discard(&r, &p, 3 * RING_BIG + 1, 4 * RING_BIG);
	assert_int_equal(p.big.used, 3);
	ring_discard(&r, &p, 3 * RING_BIG, 4 * RING_BIG);
	assert_int_equal(p.big.used, 2);
	ring_clear(&r, &p);
	assert_int_equal(p.big.used + p.small.used, 0);
	free(a.at);
}

int main(void)
{
	struct rng r;
	rng_seed(&r, span_of("source", 6));
	rng_fill(&r, source, WRITE_MAX);
	memcpy(source + WRITE_MAX, source, WRITE_MAX);
	ops = &checksum_sse2;
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_flat_model),
		cmocka_unit_test(test_stream),
		cmocka_unit_test(test_empty_runs),
		cmocka_unit_test(test_empty_ring_keeps_one_block),
		cmocka_unit_test(test_inline_slots_span_seven_blocks_anywhere),
		cmocka_unit_test(test_edge_of_inline_slots),
		cmocka_unit_test(test_edge_of_discard),
		cmocka_unit_test(test_big_block_at_the_edge),
		cmocka_unit_test(test_pool_that_does_not_fit),
		cmocka_unit_test(test_reach),
		cmocka_unit_test(test_big_blocks),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
