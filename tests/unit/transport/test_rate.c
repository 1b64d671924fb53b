/*
 * Delivery-rate samples over hand-made histories: the rate of a steady path, bursts
 * of ACKs and of sending that must not look faster, application limits, losses.
 */
#include "unit/base/property.h"

#include "transport/recovery/rate.h"

#define MSS 1000u
#define RTT (100 * NANO_MS)

struct history {
	struct rate r;
	struct rate_mark mark[4096];
	nanotime sent[4096];
	unsigned next, done;
	nanotime now;
};

static struct history *begin(void)
{
	static struct history h;
	h = (struct history){ .now = NANO_S };
	rate_init(&h.r, h.now);
	return &h;
}

static void send_one(struct history *h)
{
	h->sent[h->next] = h->now;
	rate_sent(&h->r, &h->mark[h->next], MSS, (h->next - h->done) * MSS, h->now);
	h->next++;
}

static struct rate_sample ack_some(struct history *h, unsigned count)
{
	for (unsigned i = 0; i < count; i++, h->done++)
		rate_acked(&h->r, &h->mark[h->done], h->sent[h->done], MSS, h->now);
	struct rate_sample s;
	bool valid = rate_take(&h->r, 0, &s);
	assert_int_equal(valid, s.rate > 0);
	return s;
}

/* A segment each millisecond, a round trip of 100: a megabyte a second, whoever is asked. */
static void test_steady(void **state)
{
	(void)state;
	struct history *h = begin();
	for (unsigned i = 0; i < 1000; i++, h->now += NANO_MS) {
		send_one(h);
		if (i < 100)
			continue;
		struct rate_sample s = ack_some(h, 1);
		assert_true(s.acked && !s.app_limited);
		if (i < 210) /* its start was bent by the empty path */
			continue;
		assert_int_equal(s.rate, 1000000);
		assert_in_range(s.interval, RTT, RTT + NANO_MS);
		assert_in_range(s.tx_in_flight, 100 * MSS, 101 * MSS);
		assert_int_equal(s.total_delivered, (i - 99) * MSS);
		assert_int_equal(s.total_delivered - s.prior_delivered, s.delivered);
	}
}

/* ACKs come in bunches, or one ACK for many: the rate is what was sent, not what came at once. */
static void test_ack_burst(void **state)
{
	(void)state;
	struct history *h = begin();
	uint64_t most = 0;
	for (unsigned i = 0; i < 2000; i++, h->now += NANO_MS) {
		send_one(h);
		if (i < 300 || i % 50)
			continue;
		struct rate_sample s = ack_some(h, h->next - h->done - 100);
		if (i > 600 && s.rate > most)
			most = s.rate;
	}
	assert_in_range(most, 900000, 1000000);
}

/* A window sent at once, acknowledged over a round trip: what the path did. */
static void test_send_burst(void **state)
{
	(void)state;
	struct history *h = begin();
	for (unsigned i = 0; i < 100; i++)
		send_one(h);
	h->now += RTT;
	for (unsigned i = 0; i < 100; i++, h->now += NANO_MS) {
		struct rate_sample s = ack_some(h, 1);
		assert_true(s.rate <= 1000000);
	}
	/* below the least round trip it is no sample */
	h = begin();
	send_one(h);
	h->now += NANO_MS;
	rate_acked(&h->r, &h->mark[0], h->sent[0], MSS, h->now);
	struct rate_sample s;
	assert_false(rate_take(&h->r, RTT, &s));
	assert_true(s.acked);
	assert_int_equal(s.rate, 0);
	assert_int_equal(s.delivered, MSS);
}

/* From where the data ran out until all that was in flight then is delivered. */
static void test_app_limited(void **state)
{
	(void)state;
	struct history *h = begin();
	send_one(h);
	send_one(h);
	h->now += RTT;
	assert_false(ack_some(h, 1).app_limited);
	rate_app_limited(&h->r, MSS);
	send_one(h);
	h->now += RTT;
	assert_false(ack_some(h, 1).app_limited); /* sent before */
	assert_true(h->r.limited);
	assert_true(ack_some(h, 1).app_limited);
	assert_false(h->r.limited);
	send_one(h);
	h->now += RTT;
	assert_false(ack_some(h, 1).app_limited);
}

/* Losses count from when the range that tells of them was sent; a high loss is told with what
 * was in flight then. */
static void test_loss(void **state)
{
	(void)state;
	struct history *h = begin();
	for (unsigned i = 0; i < 200; i++)
		send_one(h);
	h->now += RTT;
	for (unsigned i = 100; i < 102; i++)
		rate_lost(&h->r, &h->mark[i], MSS);
	struct rate_sample s = ack_some(h, 100);
	assert_int_equal(s.lost, 2 * MSS);
	assert_int_equal(s.loss_ranges, 2);
	assert_false(s.loss_high); /* two of a hundred is not more than 2 % */
	h->done += 2;
	s = ack_some(h, 10);
	assert_int_equal(s.lost, 2 * MSS);
	assert_int_equal(s.loss_ranges, 0);
	rate_lost(&h->r, &h->mark[120], MSS); /* the third of what were 121 in flight */
	rate_lost(&h->r, &h->mark[121], MSS);
	s = ack_some(h, 1);
	assert_true(s.loss_high);
	assert_int_equal(s.loss_in_flight, 121 * MSS);
	assert_int_equal(s.loss_lost, 3 * MSS);
	assert_int_equal(s.loss_len, MSS);
	send_one(h); /* sent after the losses: they are not its own */
	h->done = h->next - 1;
	h->now += RTT;
	assert_int_equal(ack_some(h, 1).lost, 0);
}

/* Of what one ACK covers, what was sent last counts, in whatever order it is told. */
static void test_order(void **state)
{
	(void)state;
	for (unsigned turn = 0; turn < 2; turn++) {
		struct history *h = begin();
		for (unsigned i = 0; i < 10; i++, h->now += NANO_MS)
			send_one(h);
		for (unsigned i = 0; i < 10; i++) {
			unsigned k = turn ? 9 - i : i;
			rate_acked(&h->r, &h->mark[k], h->sent[k], MSS, h->now);
		}
		struct rate_sample s;
		rate_take(&h->r, 0, &s);
		assert_int_equal(s.tx_in_flight, 10 * MSS);
		assert_int_equal(s.delivered, 10 * MSS);
	}
}

/* Counters and marks that wrap or are clamped. */
static void test_wrap(void **state)
{
	(void)state;
	struct history *h = begin();
	h->r.delivered = h->r.lost = UINT32_MAX - 5 * MSS;
	for (unsigned i = 0; i < 1000; i++, h->now += NANO_MS) {
		send_one(h);
		if (i >= 100) {
			struct rate_sample s = ack_some(h, 1);
			if (i >= 210)
				assert_int_equal(s.rate, 1000000);
		}
	}
	h = begin();
	send_one(h);
	h->now += 3 * 3600 * NANO_S; /* more microseconds than 32 bits hold */
	send_one(h);
	assert_int_equal(h->mark[1].send_elapsed, UINT32_MAX);
	h->now += RTT;
	assert_true(ack_some(h, 2).interval > 4000 * NANO_S);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_steady),
		cmocka_unit_test(test_ack_burst),
		cmocka_unit_test(test_send_burst),
		cmocka_unit_test(test_app_limited),
		cmocka_unit_test(test_loss),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_wrap),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
