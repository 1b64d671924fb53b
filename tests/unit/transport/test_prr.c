/*
 * PRR: the two examples that RFC 9937 works with (one segment of twenty lost, and
 * fifteen of twenty), the rules one by one, and over random recoveries that the
 * flight ends at ssthresh and that no more is sent than the bounds allow.
 */
#include "unit/base/property.h"

#include "transport/recovery/prr.h"

#define MSS 1000u

/* A sender in recovery, in segments: sends all that cwnd allows. Returns what it sent. */
struct flow {
	struct prr p;
	uint32_t pipe;
};

static unsigned flow_ack(struct flow *f, uint32_t delivered, uint32_t lost, bool advanced)
{
	f->pipe -= delivered + lost;
	struct prr_ack a = {
		.delivered = delivered * MSS,
		.in_flight = f->pipe * MSS,
		.mss = MSS,
		.advanced = advanced,
		.lost = lost > 0,
	};
	uint32_t cwnd = prr_ack(&f->p, &a);
	unsigned sent = 0;
	while ((f->pipe + 1) * MSS <= cwnd) {
		f->pipe++;
		sent++;
		prr_sent(&f->p, MSS);
	}
	return sent;
}

/* One of twenty is lost: a segment leaves for every second ACK, and none in a burst. */
static void test_one_lost(void **state)
{
	(void)state;
	struct flow f = { .pipe = 20 };
	/* the third SACK begins it; limited transmit had added two for the first two */
	prr_begin(&f.p, 22 * MSS, 2 * MSS, 0, 10 * MSS);
	assert_int_equal(f.p.recover_fs, 20 * MSS);
	assert_int_equal(flow_ack(&f, 1, 1, false), 1); /* the retransmission, at once */
	unsigned sent = 1, run = 0;
	for (unsigned i = 0; i < 18; i++) {
		unsigned now = flow_ack(&f, 1, 0, false);
		assert_true(now <= 1);
		run = now ? 0 : run + 1;
		assert_true(run <= (f.pipe > 10 ? 1 : 2)); /* the bound takes over at the end */
		sent += now;
	}
	assert_int_equal(sent, 10);
	assert_int_equal(f.pipe, 10);
}

/* Fifteen of twenty: below ssthresh as much as is delivered while losses or nothing else are
 * seen, and one more an ACK while recovery advances; never the seven at once of RFC 6675. */
static void test_many_lost(void **state)
{
	(void)state;
	struct flow f = { .pipe = 20 };
	prr_begin(&f.p, 20 * MSS, 0, 0, 10 * MSS);
	assert_int_equal(flow_ack(&f, 1, 15, false), 1);
	assert_int_equal(f.pipe, 5);
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(flow_ack(&f, 1, 0, false), 1);
	assert_int_equal(f.pipe, 5);
	for (unsigned i = 0; i < 5; i++)
		assert_int_equal(flow_ack(&f, 1, 0, true), 2);
	assert_int_equal(f.pipe, 10);
	for (unsigned i = 0; i < 5; i++)
		assert_int_equal(flow_ack(&f, 1, 0, true), 1);
	assert_int_equal(f.pipe, 10);
}

/* A retransmission was lost too: the ACK that says so is not safe, however far it advances. */
static void test_not_safe(void **state)
{
	(void)state;
	struct flow f = { .pipe = 20 };
	prr_begin(&f.p, 20 * MSS, 0, 0, 10 * MSS);
	flow_ack(&f, 1, 15, false);
	assert_int_equal(flow_ack(&f, 1, 1, true), 1);
	assert_int_equal(flow_ack(&f, 1, 0, true), 2);
}

/* The first retransmission goes even where the arithmetic gives nothing. */
static void test_first(void **state)
{
	(void)state;
	struct flow f = { .pipe = 20 };
	prr_begin(&f.p, 20 * MSS, 0, 0, 2 * MSS);
	struct prr_ack a = { .in_flight = 19 * MSS, .mss = MSS, .lost = true };
	assert_int_equal(prr_ack(&f.p, &a), 20 * MSS);
	prr_sent(&f.p, MSS);
	assert_int_equal(prr_ack(&f.p, &a), 19 * MSS);
}

/* RecoverFS: what had been SACKed is not delivered in it, what the first ACK covered is. */
static void test_flight(void **state)
{
	(void)state;
	struct prr p;
	prr_begin(&p, 30 * MSS, 4 * MSS, 2 * MSS, 10 * MSS);
	assert_int_equal(p.recover_fs, 28 * MSS);
	prr_begin(&p, 3 * MSS, 3 * MSS, 0, 2 * MSS);
	assert_true(p.recover_fs > 0);
}

/* A pipe that is only guessed may seem larger than the flight was; a segment always fits. */
static void test_bounds(void **state)
{
	(void)state;
	struct flow f = { .pipe = 20 };
	prr_begin(&f.p, 20 * MSS, 0, 0, 10 * MSS);
	flow_ack(&f, 1, 1, false);
	struct prr_ack a = { .in_flight = 60 * MSS, .mss = MSS, .advanced = true, .lost = true };
	assert_int_equal(prr_ack(&f.p, &a), 20 * MSS);
	a = (struct prr_ack){ .delivered = 1, .mss = MSS };
	f.p.out = f.p.delivered;
	assert_int_equal(prr_ack(&f.p, &a), MSS);
}

static void random_recovery(struct rng *g)
{
	uint32_t window = 4 + rng_below(g, 2000);
	uint32_t ssthresh = 2 + rng_below(g, window - 2);
	struct flow f = { .pipe = window };
	prr_begin(&f.p, window * MSS, 0, 0, ssthresh * MSS);
	uint32_t unheard = window; /* of the window that was in flight when it began */
	uint32_t delivered = 0, sent = 0;
	for (bool first = true; unheard; first = false) {
		uint32_t piece = 1 + rng_below(g, unheard < 44 ? unheard : 44);
		uint32_t lost = first || rng_below(g, 8) == 0 ? 1 + rng_below(g, piece) : 0;
		lost = lost < piece ? lost : piece - 1;
		unheard -= piece;
		delivered += piece - lost;
		unsigned now = flow_ack(&f, piece - lost, lost, rng_below(g, 2));
		sent += now;
		check(f.pipe <= ssthresh || now <= piece);
		check(sent <= delivered * 2 + 1); /* slow start at the most */
	}
	/* all of the old window has left: what is in flight was sent in recovery */
	check(f.pipe <= ssthresh + 1);
	for (unsigned i = 0; i < 3 * window && f.pipe < ssthresh; i++)
		flow_ack(&f, 1, 0, true);
	check(f.pipe == ssthresh || f.pipe == ssthresh + 1);
}

static void test_arrives(void **state)
{
	(void)state;
	property_each(2000, random_recovery);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_lost),
		cmocka_unit_test(test_many_lost),
		cmocka_unit_test(test_not_safe),
		cmocka_unit_test(test_first),
		cmocka_unit_test(test_flight),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_arrives),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
