/*
 * The scoreboard against a model: one byte of flags for each byte sent. Random
 * sequences of sending, acknowledging, losing and sending again; after each step
 * the sums, the order of the ranges and every byte's flags are compared. The model
 * knows where each segment ends: a SACK block counts for those that lie in it whole.
 */
#include "unit/base/property.h"

#include "transport/recovery/scoreboard.h"

#define SPAN 4096 /* sequence numbers a model follows */
#define MSS  100
#define POOL 24

struct model {
	struct scoreboard b;
	struct pool pool;
	uint8_t memory[POOL * 128 + 64];
	uint32_t base, una, nxt; /* una and nxt count from base */
	uint8_t flag[SPAN];      /* SACKED, LOST, AGAIN of each byte */
	bool ends[SPAN];         /* it is the last of its segment */
	uint16_t mss[SPAN];      /* as its segment was cut */
	bool loose[SPAN];        /* its range may have become one with others since */
	nanotime clock;          /* of what is sent again */
	bool starved;            /* the pool was empty once: single bytes may be off, sums not */
};

static void open_model(struct model *m, uint32_t base, uint32_t ranges)
{
	memset(m, 0, sizeof *m);
	struct arena a = { .at = m->memory, .size = sizeof m->memory };
	assert_true(pool_init(&m->pool, &a, sizeof(struct sent_range), 8, ranges));
	board_init(&m->b, base);
	m->base = base;
	m->clock = 2;
}

static uint32_t count(const struct model *m, uint8_t mask)
{
	uint32_t n = 0;
	for (uint32_t i = m->una; i < m->nxt; i++)
		n += (m->flag[i] & mask) == mask;
	return n;
}

/* The tree has the first ranges, in their order, with what became of them; all others are as they
 * were sent. Returns the height. */
static unsigned check_tree(const struct tree_node *n, const struct list **at)
{
	if (!n)
		return 0;
	unsigned left = check_tree(n->child[0], at);
	const struct sent_range *r = list_entry(*at, struct sent_range, link);
	check(&r->node == n);
	check((n->marks != 0) == (r->flags & SENT_SACKED || range_waits(r)));
	*at = (*at)->next;
	unsigned right = check_tree(n->child[1], at);
	check(left <= right + 1 && right <= left + 1);
	return (left > right ? left : right) + 1;
}

static void check_rest(const struct model *m)
{
	const struct list *at = m->b.ranges.next;
	check_tree(m->b.tree.root, &at);
	check(m->b.in_tree ? at->prev == &m->b.in_tree->link : at->prev == &m->b.ranges);
	for (; at != &m->b.ranges; at = at->next)
		check(range_in_doubt(list_entry(at, struct sent_range, link)));
}

/* What holds whatever happened: sorted, no gaps, sums of the ranges' own flags, no item lost. */
static void check_ranges(const struct model *m)
{
	uint32_t at = m->base + m->una, sacked = 0, lost = 0, again = 0, ranges = 0;
	uint32_t resent = 0, in_time = 0;
	list_each(l, &m->b.ranges)
	{
		const struct sent_range *r = list_entry(l, struct sent_range, link);
		check(r->start == at && seq_lt(r->start, r->end));
		check(!(r->flags & SENT_SACKED && r->flags & SENT_LOST));
		check(!(r->flags & SENT_AGAIN) || r->flags & SENT_LOST);
		uint32_t len = r->end - r->start;
		sacked += r->flags & SENT_SACKED ? len : 0;
		lost += r->flags & SENT_LOST ? len : 0;
		again += r->flags & SENT_AGAIN ? len : 0;
		resent += r->flags & SENT_AGAIN ? 1 : 0;
		at = r->end;
		ranges++;
	}
	check(at == m->base + m->nxt);
	check_rest(m);
	nanotime before = 0;
	list_each(l, &m->b.resent)
	{
		const struct sent_range *r = list_entry(l, struct sent_range, again);
		check(r->flags & SENT_AGAIN && r->sent >= before);
		before = r->sent;
		in_time++;
	}
	check(resent == in_time);
	check(m->b.sacked_pieces || !m->b.sacked);
	check(ranges == m->b.count && ranges == m->pool.used);
	check(sacked == m->b.sacked && lost == m->b.lost && again == m->b.again);
	uint32_t flight = board_in_flight(&m->b, m->nxt - m->una);
	check(flight <= m->nxt - m->una);
	check((board_next_lost(&((struct model *)(uintptr_t)m)->b) != NULL) == (lost != again));
}

static void check_bytes(const struct model *m)
{
	check_ranges(m);
	if (m->starved)
		return;
	check(m->b.sacked == count(m, SENT_SACKED));
	check(m->b.lost == count(m, SENT_LOST));
	check(m->b.again == count(m, SENT_AGAIN));
	list_each(l, &m->b.ranges)
	{
		const struct sent_range *r = list_entry(l, struct sent_range, link);
		for (uint32_t s = r->start; s != r->end; s++)
			check((r->flags & 7) == m->flag[s - m->base]);
	}
}

static void do_send(struct model *m, struct rng *r)
{
	uint32_t len = 1 + (uint32_t)rng_below(r, MSS), mss = MSS;
	if (rng_below(r, 3) == 0) {
		mss = 10 + (uint32_t)rng_below(r, 2) * 7;
		len += (uint32_t)rng_below(r, 4) * mss;
	}
	if (m->nxt + len > SPAN)
		return;
	if (!board_can_send(&m->b, &m->pool)) {
		check(m->pool.used == m->pool.count);
		return;
	}
	bool grows = m->pool.used == m->pool.count;
	board_sent(&m->b, &m->pool, m->base + m->nxt, m->base + m->nxt + len,
		   (len + mss - 1) / mss, mss, 1);
	for (uint32_t i = 0; i < len; i++) {
		m->ends[m->nxt + i] = i % mss == mss - 1 || i == len - 1;
		m->mss[m->nxt + i] = (uint16_t)mss;
	}
	for (uint32_t i = board_last(&m->b)->start - m->base; i < m->nxt + len; i++)
		m->loose[i] |= grows;
	m->nxt += len;
}

static void do_ack(struct model *m, struct rng *r)
{
	uint32_t una = m->una + (uint32_t)rng_below(r, m->nxt - m->una + 1), fresh = 0;
	struct board_news n = BOARD_NEWS_NONE;
	for (uint32_t i = m->una; i < una; i++)
		fresh += !(m->flag[i] & SENT_SACKED);
	board_ack(&m->b, &m->pool, m->base + una, &n);
	m->una = una;
	if (!m->starved)
		check(n.acked == fresh && n.sacked == 0);
}

/* The common case, with or without what is left of a tree. */
static void do_ack_clean(struct model *m, struct rng *r)
{
	uint32_t una = m->una + (uint32_t)rng_below(r, m->nxt - m->una + 1);
	nanotime first, newest;
	if (una == m->una || !board_clean(&m->b))
		return;
	board_ack_clean(&m->b, &m->pool, m->base + una, &first, &newest);
	m->una = una;
}

/* A place is found as by looking at each. */
static void do_find(struct model *m, struct rng *r)
{
	uint32_t pos = m->base + m->una + (uint32_t)rng_below(r, m->nxt - m->una + 1);
	const struct sent_range *found = board_first(&m->b);
	list_each(l, &m->b.ranges)
		if (seq_le(list_entry(l, struct sent_range, link)->start, pos))
			found = list_entry(l, struct sent_range, link);
	check(board_at(&m->b, pos) == found);
}

static bool board_has(const struct model *m, uint32_t at)
{
	list_each(l, &m->b.ranges)
	{
		const struct sent_range *r = list_entry(l, struct sent_range, link);
		if (seq_lt(m->base + at, r->end))
			return r->flags & SENT_SACKED;
	}
	return false;
}

/* What counts of a segment of which a part only was SACKed: nothing. */
enum part_rule {
	PART_NOTHING,
	PART_BYTES, /* the block is longer than a segment, and none lies in it whole */
	PART_BOARD, /* ranges became one, so nobody knows: what the board says */
};

/* One segment [a, b), of which [start, end) was SACKed. Returns the bytes that are new. */
static uint32_t sack_segment(struct model *m, uint32_t a, uint32_t b, uint32_t start, uint32_t end,
			     enum part_rule rule)
{
	bool whole = start <= a && b <= end;
	uint32_t fresh = 0;
	for (uint32_t i = a > start ? a : start; i < b && i < end; i++) {
		bool counts = whole || (m->loose[i] || rule == PART_BOARD
						? board_has(m, i)
						: rule == PART_BYTES && end - start >= m->mss[i]);
		if (!counts || m->flag[i] & SENT_SACKED)
			continue;
		fresh++;
		m->flag[i] = SENT_SACKED;
		m->loose[i] = true;
	}
	return fresh;
}

/* The segment from `a` on ends here. */
static uint32_t segment_end(const struct model *m, uint32_t a)
{
	uint32_t b = a + 1;
	while (b < m->nxt && !m->ends[b - 1])
		b++;
	return b;
}

static enum part_rule rule_of(const struct model *m, uint32_t start, uint32_t end)
{
	enum part_rule rule = PART_BYTES;
	for (uint32_t i = start; i < end; i++) {
		if (m->flag[i] & SENT_SACKED)
			return PART_NOTHING;
		if (m->loose[i])
			rule = PART_BOARD;
	}
	for (uint32_t a = m->una, b; a < m->nxt; a = b) {
		b = segment_end(m, a);
		if (start <= a && b <= end)
			return PART_NOTHING;
	}
	return rule;
}

static void do_sack(struct model *m, struct rng *r)
{
	uint32_t room = m->nxt - m->una;
	uint32_t start = m->una + (uint32_t)rng_below(r, room + 1);
	uint32_t end = start + (uint32_t)rng_below(r, m->nxt - start + 1), fresh = 0;
	struct board_news n = BOARD_NEWS_NONE;
	bool tight = m->pool.count - m->pool.used < 2;
	enum part_rule rule = rule_of(m, start, end);
	board_sack(&m->b, &m->pool, m->base + start, m->base + end, &n);
	for (uint32_t a = m->una, b; a < m->nxt; a = b) {
		b = segment_end(m, a);
		fresh += sack_segment(m, a, b, start, end, rule);
	}
	for (uint32_t i = m->una + 1; i < m->nxt; i++) /* what is left of one is one by itself */
		if ((m->flag[i - 1] ^ m->flag[i]) & SENT_SACKED)
			m->ends[i - 1] = true;
	if (tight && n.sacked != fresh)
		m->starved = true; /* a range could not be split */
	if (!m->starved)
		check(n.sacked == fresh);
}

/* It went as one segment. */
static void one_segment(struct model *m, uint32_t at, uint32_t len)
{
	if (at > m->una)
		m->ends[at - 1] = true;
	for (uint32_t i = at; i < at + len; i++) {
		m->ends[i] = i == at + len - 1;
		m->mss[i] = (uint16_t)len;
		m->loose[i] = (m->flag[i] & (SENT_LOST | SENT_AGAIN)) == SENT_LOST;
	}
}

/* The first range in doubt, or the oldest retransmission, is lost: as RACK goes through them. */
static void do_lose_one(struct model *m, bool resent)
{
	struct sent_range *r = board_first_in_doubt(&m->b);
	uint32_t at = m->una;
	while (at < m->nxt && m->flag[at] & (SENT_SACKED | SENT_LOST))
		at++;
	if (!m->starved)
		check(r ? r->start == m->base + at : at == m->nxt);
	if (resent && !list_empty(&m->b.resent))
		r = list_entry(m->b.resent.next, struct sent_range, again);
	if (!r)
		return;
	uint32_t start = r->start - m->base, end = r->end - m->base;
	r = board_lose(&m->b, &m->pool, r);
	check(seq_le(r->start, m->base + start) && r->end == m->base + end);
	for (uint32_t i = start; i < end; i++) {
		m->flag[i] = SENT_LOST;
		m->loose[i] = true;
	}
}

static void do_unlose(struct model *m)
{
	board_unlose(&m->b);
	for (uint32_t i = m->una; i < m->nxt; i++)
		if (m->flag[i] == SENT_LOST)
			m->flag[i] = 0;
}

/* The last segment once more, lost or not: nothing but its time changes. */
static void do_probe(struct model *m)
{
	struct sent_range *r = board_last(&m->b);
	if (!r)
		return;
	uint32_t len = r->end - r->start, part = len > MSS / 2 ? MSS / 2 : len;
	if (part < len && m->pool.used == m->pool.count)
		m->starved = true; /* it can't be split: its segments are not known any more */
	board_sent_probe(&m->b, &m->pool, part, m->clock);
	r = board_last(&m->b);
	check(r->sent == m->clock++ && r->flags & SENT_TWICE);
	one_segment(m, m->nxt - part, part);
}

static void do_lose_first(struct model *m)
{
	const struct sent_range *r = board_first(&m->b);
	uint32_t len = r ? r->end - r->start : 0;
	bool can_split = m->pool.used < m->pool.count;
	if (len > MSS && can_split) {
		len = MSS;
		if (!(r->flags & SENT_SACKED))
			m->ends[m->una + len - 1] = true;
	}
	board_lose_first(&m->b, &m->pool, MSS);
	for (uint32_t i = m->una; i < m->una + len; i++)
		if (!(m->flag[i] & SENT_SACKED)) {
			m->flag[i] = SENT_LOST;
			m->loose[i] = true;
		}
}

static void do_lose_all(struct model *m, bool forget)
{
	if (forget)
		board_forget_sacks(&m->b);
	board_lose_all(&m->b, &m->pool);
	check(m->b.again == 0);
	for (uint32_t i = m->una; i < m->nxt; i++)
		if (forget || !(m->flag[i] & SENT_SACKED)) {
			m->flag[i] = SENT_LOST;
			m->loose[i] = true;
		}
}

static void do_again(struct model *m, struct rng *r)
{
	struct sent_range *range = board_next_lost(&m->b);
	if (!range)
		return;
	/* nothing before it waits to be sent again */
	uint32_t at = range->start - m->base, len = range->end - range->start;
	for (uint32_t i = m->una; i < at && !m->starved; i++)
		check((m->flag[i] & (SENT_LOST | SENT_AGAIN)) != SENT_LOST);
	uint32_t part = 1 + (uint32_t)rng_below(r, len);
	if (part < len && m->pool.used == m->pool.count)
		part = len; /* where it can't be split all counts */
	board_sent_again(&m->b, &m->pool, range, part, m->clock++);
	for (uint32_t i = at; i < at + part; i++)
		m->flag[i] |= SENT_AGAIN;
	one_segment(m, at, part);
}

static void step(struct model *m, struct rng *r)
{
	switch (rng_below(r, 16)) {
	case 0: case 1: case 2: case 3: case 4:
		do_send(m, r);
		break;
	case 5:
		if (rng_below(r, 2))
			do_ack(m, r);
		else if (rng_below(r, 2))
			do_find(m, r);
		else
			do_ack_clean(m, r);
		break;
	case 6: case 7: case 8:
		do_sack(m, r);
		break;
	case 9: case 10:
		do_lose_one(m, rng_below(r, 2) == 0);
		break;
	case 11:
		do_lose_first(m);
		break;
	case 12:
		switch (rng_below(r, 4)) {
		case 0:
			do_unlose(m);
			break;
		case 1:
			do_probe(m);
			break;
		default:
			do_lose_all(m, rng_below(r, 3) == 0);
		}
		break;
	default:
		do_again(m, r);
	}
}

static void run(struct rng *r, uint32_t base, uint32_t ranges, bool never_starves)
{
	static struct model m;
	open_model(&m, base, ranges);
	for (unsigned i = 0; i < 200; i++) {
		step(&m, r);
		check_bytes(&m);
	}
	check(!never_starves || !m.starved);
	board_clear(&m.b, &m.pool);
	check(m.pool.used == 0 && m.b.count == 0);
}

static void random_steps(struct rng *r)
{
	run(r, 0u - (uint32_t)rng_below(r, SPAN), POOL, false);
}

/* Hardly any ranges: coarser, but never inconsistent. */
static void few_ranges(struct rng *r)
{
	run(r, (uint32_t)rng_next(r), 1 + (uint32_t)rng_below(r, 4), false);
}

static void test_random_steps(void **state)
{
	(void)state;
	property_each(3000, random_steps);
}

static void test_few_ranges(void **state)
{
	(void)state;
	property_each(3000, few_ranges);
}

/* When the pool is empty the newest range grows. */
static void test_pool_exhaustion(void **state)
{
	(void)state;
	static struct model m;
	open_model(&m, 7, 2);
	assert_true(board_can_send(&m.b, &m.pool));
	for (uint32_t i = 0; i < 5; i++)
		board_sent(&m.b, &m.pool, 7 + 10 * i, 17 + 10 * i, 1, 10, i);
	m.nxt = 50;
	check_ranges(&m);
	assert_int_equal(m.b.count, 2);
	assert_int_equal(list_entry(m.b.ranges.prev, struct sent_range, link)->sent, 4);
	struct board_news n = BOARD_NEWS_NONE;
	board_sack(&m.b, &m.pool, 17, 57, &n);
	assert_false(board_can_send(&m.b, &m.pool)); /* what was SACKed can't grow */
	assert_int_equal(n.sacked, 40);
	board_ack(&m.b, &m.pool, 57, &n);
	assert_int_equal(m.b.count, 0);
	assert_true(board_can_send(&m.b, &m.pool));
}

/* Karn: what was sent twice gives no sample; the earliest of the rest does. */
static void test_samples(void **state)
{
	(void)state;
	static struct model m;
	open_model(&m, 0, POOL);
	for (uint32_t i = 0; i < 4; i++)
		board_sent(&m.b, &m.pool, 100 * i, 100 * i + 100, 1, 100, 10 + i);
	board_lose_first(&m.b, &m.pool, 100);
	board_sent_again(&m.b, &m.pool, board_next_lost(&m.b), 100, 50);
	struct board_news n = BOARD_NEWS_NONE;
	board_ack(&m.b, &m.pool, 300, &n);
	assert_true(n.twice);
	assert_int_equal(n.acked, 300);
	assert_int_equal(n.first_sent, 11);
	assert_int_equal(n.newest_sent, 12);
	board_clear(&m.b, &m.pool);
}

/* A thousand small segments come again as one: what is lost side by side is one range. */
static void test_lost_ranges_merge(void **state)
{
	(void)state;
	static struct model m;
	open_model(&m, 0, POOL);
	for (uint32_t i = 0; i < 20; i++)
		board_sent(&m.b, &m.pool, i, i + 1, 1, 100, i);
	board_lose_all(&m.b, &m.pool);
	assert_int_equal(m.b.count, 1);
	assert_int_equal(m.b.lost, 20);
	board_clear(&m.b, &m.pool);
}

static uint32_t sacked(struct model *m, uint32_t start, uint32_t end)
{
	struct board_news n = BOARD_NEWS_NONE;
	board_sack(&m->b, &m->pool, start, end, &n);
	return n.sacked;
}

/* A block counts for the segments that lie in it whole, wherever their range was cut since. */
static void test_part_of_a_segment(void **state)
{
	(void)state;
	static struct model m;
	open_model(&m, 0, POOL);
	board_sent(&m.b, &m.pool, 0, 3550, 4, 1000, 1); /* the last is short */
	assert_int_equal(sacked(&m, 3549, 3550), 0);
	assert_int_equal(sacked(&m, 2999, 3549), 0);
	assert_int_equal(m.b.count, 1);
	struct board_news n = BOARD_NEWS_NONE;
	board_ack(&m.b, &m.pool, 400, &n); /* inside a segment: the others end where they did */
	assert_int_equal(sacked(&m, 900, 2100), 1000);
	assert_int_equal(m.b.sacked_pieces, 1);
	assert_int_equal(sacked(&m, 900, 3550), 1550);
	assert_int_equal(m.b.sacked_pieces, 3);
	board_lose_all(&m.b, &m.pool);
	board_sent_again(&m.b, &m.pool, board_next_lost(&m.b), 600, 2);
	assert_int_equal(sacked(&m, 400, 900), 0);
	board_ack(&m.b, &m.pool, 3550, &n);
	assert_int_equal(m.b.count, 0);
}

/* RFC 6675 4: lost is what has so many SACKed segments beyond it, and they are counted as sent. */
static void test_counted(void **state)
{
	(void)state;
	static struct model m;
	open_model(&m, 0, POOL);
	board_sent(&m.b, &m.pool, 0, 6000, 6, 1000, 1);
	assert_int_equal(sacked(&m, 1000, 3000), 2000);
	assert_int_equal(board_lose_counted(&m.b, &m.pool, 3), 0);
	assert_int_equal(sacked(&m, 4000, 5000), 1000);
	assert_int_equal(board_lose_counted(&m.b, &m.pool, 3), 1000);
	assert_int_equal(board_lose_counted(&m.b, &m.pool, 3), 0);
	struct board_segments n = board_segments(&m.b);
	assert_true(n.sent == 6 && n.sacked == 3 && n.lost == 1 && n.again == 0);
	board_sent_again(&m.b, &m.pool, board_next_lost(&m.b), 1000, 2);
	assert_int_equal(board_segments(&m.b).again, 1);
	assert_int_equal(board_lose_counted(&m.b, &m.pool, 1), 1000);
	board_clear(&m.b, &m.pool);
}

/* Somebody on the way makes other segments of ours: then there is nothing but bytes to count. */
static void test_segments_cut_anew(void **state)
{
	(void)state;
	static struct model m;
	open_model(&m, 0, POOL);
	board_sent(&m.b, &m.pool, 0, 4000, 4, 1000, 1);
	assert_int_equal(sacked(&m, 1300, 2200), 0);
	assert_int_equal(sacked(&m, 1300, 2500), 1200);
	assert_int_equal(sacked(&m, 1300, 2900), 0);
	assert_int_equal(sacked(&m, 1300, 3100), 500);
	board_clear(&m.b, &m.pool);
}

/* Segments of several lengths that became one range: bytes count there, so that none is lost. */
static void test_uneven_segments(void **state)
{
	(void)state;
	static struct model m;
	open_model(&m, 0, POOL);
	board_sent(&m.b, &m.pool, 0, 70, 1, 100, 1);
	board_sent(&m.b, &m.pool, 70, 270, 2, 100, 1);
	board_lose_all(&m.b, &m.pool);
	assert_int_equal(m.b.count, 1);
	assert_int_equal(sacked(&m, 70, 170), 100);
	board_clear(&m.b, &m.pool);
	open_model(&m, 0, POOL);
	board_sent(&m.b, &m.pool, 0, 100, 1, 100, 1);
	board_sent(&m.b, &m.pool, 100, 270, 2, 100, 1);
	board_lose_all(&m.b, &m.pool); /* these go together */
	assert_int_equal(sacked(&m, 30, 270), 170);
	assert_int_equal(m.b.sacked_pieces, 2);
	board_clear(&m.b, &m.pool);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random_steps),
		cmocka_unit_test(test_few_ranges),
		cmocka_unit_test(test_pool_exhaustion),
		cmocka_unit_test(test_samples),
		cmocka_unit_test(test_lost_ranges_merge),
		cmocka_unit_test(test_part_of_a_segment),
		cmocka_unit_test(test_segments_cut_anew),
		cmocka_unit_test(test_counted),
		cmocka_unit_test(test_uneven_segments),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
