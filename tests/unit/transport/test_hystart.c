/*
 * HyStart++ as rounds of samples: what counts as a rise, what does not, the
 * conservative rounds, the way back, the end; and the abrupt variant.
 */
#include "unit/base/property.h"

#include "transport/congestion/hystart.h"

#define US NANO_US
#define MS NANO_MS

struct feed {
	struct hystart h;
	uint32_t una, nxt;
	enum hystart_pace (*ack)(struct hystart *, const struct cc_ack *);
};

static struct feed feed_begin(void)
{
	struct feed f = { .una = UINT32_MAX - 20, .nxt = UINT32_MAX - 20, .ack = hystart_ack };
	hystart_init(&f.h);
	return f;
}

/* A round of `count` ACKs with samples from `rtt`, each `step` more. Returns the last verdict. */
static enum hystart_pace feed_round(struct feed *f, unsigned count, nanodiff rtt, nanodiff step)
{
	enum hystart_pace pace = HYSTART_DOUBLE;
	uint32_t end = f->nxt + count;
	for (unsigned i = 0; i < count && pace != HYSTART_LEAVE; i++) {
		/* the ACK that ends a round already finds the next one sent */
		struct cc_ack a = { .rtt = rtt + step * i, .snd_una = ++f->una, .snd_nxt = end };
		if (i == 0)
			a.snd_una = f->una = f->nxt;
		pace = f->ack(&f->h, &a);
	}
	f->nxt = end;
	return pace;
}

/* Rising by less than 4 ms, an eighth, or 16 ms, whichever is between, is no rise. */
static void test_threshold(void **state)
{
	(void)state;
	static const struct {
		nanodiff base, rise;
	} cases[] = { { 1 * MS, 4 * MS }, { 32 * MS, 4 * MS }, { 40 * MS, 5 * MS },
		{ 100 * MS, 12500 * US }, { 128 * MS, 16 * MS }, { 900 * MS, 16 * MS } };
	for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
		for (int enough = 0; enough <= 1; enough++) {
			struct feed f = feed_begin();
			assert_int_equal(feed_round(&f, 10, cases[i].base, 0), HYSTART_DOUBLE);
			nanodiff rise = cases[i].rise - !enough * US;
			assert_int_equal(feed_round(&f, 10, cases[i].base + rise, 0),
				enough ? HYSTART_CONSERVATIVE : HYSTART_DOUBLE);
		}
	}
}

/* Fewer than eight samples in a round say nothing; what the least says counts. */
static void test_samples(void **state)
{
	(void)state;
	struct feed f = feed_begin();
	feed_round(&f, 10, 20 * MS, 0);
	assert_int_equal(feed_round(&f, 7, 90 * MS, 0), HYSTART_DOUBLE);
	feed_round(&f, 10, 20 * MS, 0);
	assert_int_equal(feed_round(&f, 8, 90 * MS, -10 * MS), HYSTART_DOUBLE);
	feed_round(&f, 10, 20 * MS, 0);
	assert_int_equal(feed_round(&f, 8, 90 * MS, 0), HYSTART_CONSERVATIVE);

	f = feed_begin(); /* ACKs without a sample count for nothing */
	feed_round(&f, 10, 20 * MS, 0);
	assert_int_equal(feed_round(&f, 30, 0, 0), HYSTART_DOUBLE);
	/* and a round without any leaves nothing to compare with */
	assert_int_equal(feed_round(&f, 30, 90 * MS, 0), HYSTART_DOUBLE);
}

/* The rise stays: five rounds, the first of which is the one in which it began. */
static void test_leaves(void **state)
{
	(void)state;
	struct feed f = feed_begin();
	feed_round(&f, 10, 20 * MS, 0);
	assert_int_equal(feed_round(&f, 20, 30 * MS, 0), HYSTART_CONSERVATIVE);
	for (unsigned round = 2; round <= 5; round++)
		assert_int_equal(feed_round(&f, 20, 30 * MS, 0), HYSTART_CONSERVATIVE);
	assert_int_equal(feed_round(&f, 20, 30 * MS, 0), HYSTART_LEAVE);
}

/* The rise was jitter: as soon as a round is below the baseline slow start goes on. */
static void test_resumes(void **state)
{
	(void)state;
	struct feed f = feed_begin();
	feed_round(&f, 10, 20 * MS, 0);
	assert_int_equal(feed_round(&f, 20, 40 * MS, 0), HYSTART_CONSERVATIVE);
	assert_int_equal(feed_round(&f, 20, 40 * MS, 0), HYSTART_CONSERVATIVE);
	assert_int_equal(feed_round(&f, 20, 39 * MS, 0), HYSTART_DOUBLE);
	assert_int_equal(feed_round(&f, 20, 40 * MS, 0), HYSTART_DOUBLE); /* within 4.9 ms of 39 */
	assert_int_equal(feed_round(&f, 20, 50 * MS, 0), HYSTART_CONSERVATIVE);
	for (unsigned round = 2; round <= 5; round++)
		assert_int_equal(feed_round(&f, 20, 50 * MS, 0), HYSTART_CONSERVATIVE);
	assert_int_equal(feed_round(&f, 20, 50 * MS, 0), HYSTART_LEAVE);
}

/* Without CSS: the ninth sample above the least decides, at once. */
static void test_abrupt(void **state)
{
	(void)state;
	struct feed f = feed_begin();
	f.ack = hystart_abrupt;
	feed_round(&f, 1, 200 * MS, 0);
	assert_int_equal(feed_round(&f, 8, 240 * MS, MS), HYSTART_DOUBLE);
	feed_round(&f, 1, 200 * MS, 0);
	assert_int_equal(feed_round(&f, 9, 240 * MS, MS), HYSTART_LEAVE);

	f = feed_begin();
	f.ack = hystart_abrupt;
	feed_round(&f, 1, 200 * MS, 0);
	assert_int_equal(feed_round(&f, 30, 215 * MS, 0), HYSTART_DOUBLE);
	/* the ninth is the least of all by now */
	assert_int_equal(feed_round(&f, 10, 240 * MS, -10 * MS), HYSTART_DOUBLE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_threshold),
		cmocka_unit_test(test_samples),
		cmocka_unit_test(test_leaves),
		cmocka_unit_test(test_resumes),
		cmocka_unit_test(test_abrupt),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
