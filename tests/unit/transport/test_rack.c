/*
 * RACK against the cases that RFC 8985 describes: one arrival is enough, reordering
 * waits a quarter of the smallest RTT, a lost retransmission is found, DSACKs widen the
 * window for sixteen recoveries, and an RTO spares what was sent just now.
 */
#include "unit/base/property.h"

#include "transport/recovery/rack.h"

#define MS  NANO_MS
#define RTT (40 * MS)
#define WINDOW (300 * NANO_S)

struct flow {
	struct scoreboard b;
	struct rack k;
	struct pool pool;
	uint8_t memory[64 * 128];
	uint32_t una, nxt;
	nanotime next; /* when RACK wants to look again */
};

static struct flow flow;

static struct flow *begin(void)
{
	struct flow *f = &flow;
	memset(f, 0, sizeof *f);
	struct arena a = { .at = f->memory, .size = sizeof f->memory };
	assert_true(pool_init(&f->pool, &a, sizeof(struct sent_range), 8, 32));
	board_init(&f->b, 0);
	rack_init(&f->k);
	return f;
}

/* Segments of 100 bytes, a millisecond apart. */
static void send(struct flow *f, unsigned count, nanotime at)
{
	for (unsigned i = 0; i < count; i++, f->nxt += 100)
		board_sent(&f->b, &f->pool, f->nxt, f->nxt + 100, 1, 100,
			   at + i * MS);
}

/* The ACK arrives: of segments [first, last] selectively. Returns the bytes found lost. */
static uint32_t sack(struct flow *f, unsigned first, unsigned last, bool recovering, nanotime now)
{
	struct board_news n = BOARD_NEWS_NONE;
	n.answered_to = rack_answered_to(RTT, -1, now);
	board_sack(&f->b, &f->pool, first * 100, last * 100 + 100, &n);
	rack_take(&f->k, &n, now);
	struct rack_rules rules = { RTT, RTT, 3, recovering, false };
	return rack_find_lost(&f->k, &f->b, &f->pool, &rules, now, &f->next);
}

static uint32_t look(struct flow *f, nanotime now)
{
	struct rack_rules rules = { RTT, RTT, 3, false, false };
	return rack_find_lost(&f->k, &f->b, &f->pool, &rules, now, &f->next);
}

static void resend(struct flow *f, nanotime now)
{
	struct sent_range *r = board_next_lost(&f->b);
	assert_non_null(r);
	board_sent_again(&f->b, &f->pool, r, r->end - r->start, now);
}

/* One arrival, and the window for reordering: the rest is a matter of time. */
static void test_one_arrival(void **state)
{
	(void)state;
	struct flow *f = begin();
	send(f, 3, 0);
	assert_int_equal(sack(f, 1, 1, false, RTT + MS), 0);
	assert_int_equal(f->next, RTT + RTT / 4); /* segment 0's: sent + rtt + window */
	assert_int_equal(look(f, f->next - 1), 0);
	assert_int_equal(look(f, f->next), 100);
	assert_int_equal(f->next, NANOTIME_NEVER); /* segment 2 was sent later: no verdict */
	assert_int_equal(f->b.lost, 100);
}

/* Three SACKed segments, or a recovery: as long as no reordering was seen there is no window. */
static void test_dup_thresh(void **state)
{
	(void)state;
	struct flow *f = begin();
	send(f, 5, 0);
	assert_int_equal(sack(f, 1, 1, false, RTT + MS), 0);
	assert_int_equal(sack(f, 2, 2, false, RTT + 2 * MS), 0);
	assert_int_equal(sack(f, 3, 3, false, RTT + 3 * MS), 100);
	f = begin();
	send(f, 5, 0);
	assert_int_equal(sack(f, 1, 1, true, RTT + MS), 100);
}

/* What came late and was never sent again proves reordering: from then on it is given time. */
static void test_reordering(void **state)
{
	(void)state;
	struct flow *f = begin();
	send(f, 12, 0);
	assert_int_equal(sack(f, 1, 1, false, RTT + MS), 0);
	assert_int_equal(sack(f, 0, 0, false, RTT + 2 * MS), 0);
	assert_true(f->k.reordered);
	assert_int_equal(sack(f, 3, 6, false, RTT + 6 * MS), 0);
	assert_int_equal(f->k.window, RTT / 4);
	assert_int_equal(look(f, f->next), 100); /* segment 2 */
}

/* A retransmission that is lost is found by what was sent after it, without an RTO. */
static void test_lost_retransmission(void **state)
{
	(void)state;
	struct flow *f = begin();
	send(f, 5, 0);
	assert_int_equal(sack(f, 1, 4, false, RTT + 4 * MS), 100);
	resend(f, RTT + 5 * MS);
	send(f, 1, RTT + 6 * MS);
	assert_int_equal(sack(f, 5, 5, true, 2 * RTT + 6 * MS), 100);
	assert_int_equal(f->b.again, 0);
	assert_non_null(board_next_lost(&f->b));
}

/* A receiver next door that takes nothing is asked ever more rarely. */
static void test_patience(void **state)
{
	(void)state;
	struct flow *f = begin();
	nanotime now = 0;
	send(f, 2, 0);
	sack(f, 1, 1, true, 2 * MS);
	nanodiff last = 0;
	struct rack_rules rules = { 1, 1, 3, true, false };
	for (unsigned i = 0; i < 14; i++) {
		resend(f, now += 10);
		f->k.sent = now + 1; /* something sent after it arrives at once */
		f->k.rtt = 1;
		assert_int_equal(rack_find_lost(&f->k, &f->b, &f->pool, &rules, now + 2,
					 &f->next), 0);
		nanodiff wait = f->next - now;
		assert_true(i < 10 ? wait >= 2 * last : wait >= last);
		assert_true(wait >= MS);
		last = wait;
		assert_int_equal(rack_find_lost(&f->k, &f->b, &f->pool, &rules,
					 now = f->next, &f->next), 100);
	}
	assert_true(last >= 256 * MS && last <= 1024 * MS);
}

/* Each round with a DSACK widens the window by a quarter RTT; sixteen recoveries without one
 * bring it back. */
static void test_dsack(void **state)
{
	(void)state;
	struct flow *f = begin();
	rack_dsack(&f->k, 100, 500);
	rack_dsack(&f->k, 200, 600); /* the same round */
	assert_int_equal(f->k.steps, 2);
	rack_dsack(&f->k, 500, 900);
	assert_int_equal(f->k.steps, 3);
	for (unsigned i = 0; i < 15; i++)
		rack_recovered(&f->k);
	assert_int_equal(f->k.steps, 3);
	rack_recovered(&f->k);
	assert_int_equal(f->k.steps, 1);
}

/* RFC 8985 6.3: the first is lost, and what was sent less than an RTT ago is not. */
static void test_timeout(void **state)
{
	(void)state;
	struct flow *f = begin();
	send(f, 4, 0);
	sack(f, 2, 2, false, RTT + 2 * MS);
	f->nxt = 400;
	send(f, 2, 300 * MS);
	assert_int_equal(rack_timeout(&f->k, &f->b, &f->pool, 310 * MS), 300);
	assert_int_equal(f->b.lost, 300);
}

/* An ACK that came faster than any before it was for the original, not for the retransmission. */
static void acked_at(nanotime now, nanotime echoed, nanotime expect)
{
	struct flow *f = begin();
	send(f, 5, 0);
	sack(f, 1, 4, false, RTT + 4 * MS);
	resend(f, RTT + 5 * MS);
	struct board_news n = BOARD_NEWS_NONE;
	n.answered_to = rack_answered_to(RTT, echoed, now);
	board_ack(&f->b, &f->pool, 100, &n);
	rack_take(&f->k, &n, now);
	assert_int_equal(f->k.sent, expect);
}

static void test_ambiguous(void **state)
{
	(void)state;
	acked_at(RTT + 6 * MS, -1, 4 * MS);          /* after a millisecond */
	acked_at(3 * RTT, RTT + 4 * MS, 4 * MS);     /* the echo says so */
	acked_at(3 * RTT, RTT + 5 * MS, RTT + 5 * MS);
}

/*
 * RFC 8985 6.2 step 2 takes the RTT of whatever arrived last, be it an older one: what was sent
 * beside a segment that came late is given as long as that one took.
 */
static void test_latest_rtt(void **state)
{
	(void)state;
	struct flow *f = begin();
	for (unsigned i = 0; i < 6; i++, f->nxt += 100)
		board_sent(&f->b, &f->pool, f->nxt, f->nxt + 100, 1, 100, 0);
	assert_int_equal(sack(f, 2, 4, false, RTT), 200); /* 0 and 1; 5 was not sent before 4 */
	board_sent_again(&f->b, &f->pool, board_next_lost(&f->b), 100, RTT);
	struct board_news n = BOARD_NEWS_NONE;
	nanotime now = 2 * RTT + MS;
	n.answered_to = rack_answered_to(RTT, -1, now);
	board_ack(&f->b, &f->pool, 200, &n); /* the retransmission of 0, and 1, late */
	rack_take(&f->k, &n, now);
	assert_true(f->k.reordered);
	assert_int_equal(f->k.sent, RTT);
	assert_int_equal(f->k.rtt, now);
	assert_int_equal(look(f, now), 0);
	assert_int_equal(f->next, now + RTT / 4);
}

static void test_min_rtt(void **state)
{
	(void)state;
	struct min_rtt m = { .value = 0 };
	min_rtt_take(&m, 30 * MS, WINDOW, 0);
	min_rtt_take(&m, 20 * MS, WINDOW, NANO_S);
	min_rtt_take(&m, 50 * MS, WINDOW, 2 * NANO_S);
	assert_int_equal(m.value, 20 * MS);
	/* the old generation still counts */
	min_rtt_take(&m, 60 * MS, WINDOW, WINDOW / 2 + NANO_S);
	assert_int_equal(m.value, 20 * MS);
	min_rtt_take(&m, 55 * MS, WINDOW, WINDOW + 2 * NANO_S);
	assert_int_equal(m.value, 55 * MS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_arrival),
		cmocka_unit_test(test_dup_thresh),
		cmocka_unit_test(test_reordering),
		cmocka_unit_test(test_lost_retransmission),
		cmocka_unit_test(test_patience),
		cmocka_unit_test(test_dsack),
		cmocka_unit_test(test_timeout),
		cmocka_unit_test(test_ambiguous),
		cmocka_unit_test(test_latest_rtt),
		cmocka_unit_test(test_min_rtt),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
