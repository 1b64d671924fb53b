/*
 * BBR's state machine on a simulated bottleneck, along the test cases of appendix A of
 * draft-ietf-ccwg-bbr-06: when it leaves each state and for which, what it learns of
 * the path and forgets again, and what an undo brings back.
 */
#include "unit/transport/bottleneck.h"

#include "transport/congestion/bbr.h"

#define MBIT  125000u
#define DELAY (40 * NANO_MS)

static const char *const names[] = { "Startup", "Drain", "Down", "Cruise", "Refill", "Up",
	"ProbeRTT" };

/* What happened, in order. */
static struct {
	uint8_t state[64];
	nanotime at[64];
	unsigned count;
	uint32_t most_flight[64], least_flight[64];
} story;

static struct bbr *bbr(struct link *l)
{
	return bbr_of(&l->flow[0].c);
}

static void watch(struct link_flow *f, nanotime now)
{
	struct bbr *b = bbr_of(&f->c);
	if (!story.count || story.state[story.count - 1] != b->state) {
		if (story.count == 64)
			return;
		story.state[story.count] = b->state;
		story.least_flight[story.count] = UINT32_MAX;
		story.at[story.count++] = now;
	}
	if (f->in_flight > story.most_flight[story.count - 1])
		story.most_flight[story.count - 1] = f->in_flight;
	if (f->in_flight < story.least_flight[story.count - 1])
		story.least_flight[story.count - 1] = f->in_flight;
	/* between two ACKs the pacing rate is the state's gain times the model's rate, less 1 % */
	static const double gain[] = { 2.77, 0.5, 0.9, 1, 1, 1.25, 1 };
	double want = (double)b->bw * gain[b->state] * 0.99;
	double rate = (double)f->c.pacing_rate;
	if (b->full_bw_reached)
		assert_true(rate > want * 0.99 && rate < want * 1.01 + 2);
	else
		assert_true(rate > want * 0.99);
}

static struct link *begin(uint64_t rate, nanodiff delay, double bdps)
{
	memset(&story, 0, sizeof story);
	double queue = (double)rate * (double)delay / NANO_S * bdps;
	struct link *l = link_new(rate, delay, (uint64_t)queue);
	link_add(l, &cc_bbr, l->now);
	l->flow[0].watch = watch;
	return l;
}

/* Runs until the flow is in `state` (or has been in it), at most `most`. */
static void run_into(struct link *l, uint8_t state, nanodiff most)
{
	for (nanotime end = l->now + most; bbr(l)->state != state;) {
		if (l->now >= end)
			fail_msg("not in %s after %lld ms, but in %s", names[state],
				(long long)(most / NANO_MS), names[bbr(l)->state]);
		link_run(l, NANO_MS);
	}
}

static void near(double is, double should, double part)
{
	if (is < should * (1 - part) || is > should * (1 + part))
		fail_msg("%f is not within %.0f %% of %f", is, part * 100, should);
}

/* A.1, A.3: a plateau ends Startup with the rate known, Drain ends with the queue gone. */
static void test_startup(void **state)
{
	(void)state;
	struct link *l = begin(50 * MBIT, DELAY, 3);
	run_into(l, BBR_DRAIN, 2 * NANO_S);
	assert_true(bbr(l)->full_bw_now && bbr(l)->full_bw_reached);
	assert_int_equal(bbr(l)->full_bw_count, 3);
	near((double)bbr_max_bw(bbr(l)), 50 * MBIT, 0.02);
	near(bbr(l)->min_rtt, 40000, 0.02);
	assert_true(l->flow[0].in_flight > 250000);
	run_into(l, BBR_CRUISE, NANO_S); /* through Down, which has nothing left to do */
	assert_true(l->flow[0].in_flight <= 250000 + 3 * 6250 + 4 * LINK_MSS);
	static const uint8_t order[] = { BBR_STARTUP, BBR_DRAIN, BBR_CRUISE, BBR_REFILL, BBR_UP,
		BBR_DOWN, BBR_CRUISE };
	link_run(l, 4 * NANO_S);
	assert_true(story.count >= sizeof order);
	assert_memory_equal(story.state, order, sizeof order);
	assert_int_equal(l->flow[0].losses, 0);
	link_free(l);
}

/* 5.3.3.8: probes come after at most 63 rounds or 2 to 3 s; each is REFILL, then UP. */
static void test_cycle(void **state)
{
	(void)state;
	for (unsigned slow = 0; slow <= 1; slow++) {
		nanodiff delay = slow ? 100 * NANO_MS : 20 * NANO_MS;
		struct link *l = begin(20 * MBIT, delay, 2);
		link_run(l, 4900 * NANO_MS);
		nanotime down = 0;
		unsigned probes = 0;
		for (unsigned i = 0; i + 1 < story.count; i++) {
			uint8_t now = story.state[i], next = story.state[i + 1];
			if (now == BBR_REFILL) {
				assert_int_equal(next, BBR_UP);
				nanodiff took = story.at[i + 1] - story.at[i];
				assert_in_range(took, delay, 2 * delay);
				nanodiff wait = story.at[i] - down;
				assert_true(wait <= 3 * NANO_S + delay);
				assert_true(wait >= (slow ? 2 * NANO_S : 30 * delay));
				probes++;
			}
			if (next == BBR_DOWN || now == BBR_DRAIN)
				down = story.at[i + 1];
		}
		assert_true(probes >= 1);
		link_free(l);
	}
}

/* A.10: five seconds without a lower round trip, then 200 ms at half the BDP. */
static void test_probe_rtt(void **state)
{
	(void)state;
	struct link *l = begin(20 * MBIT, DELAY, 2);
	run_into(l, BBR_PROBE_RTT, 8 * NANO_S);
	unsigned i = story.count - 1;
	assert_true(l->flow[0].c.holds_back);
	run_into(l, BBR_CRUISE, NANO_S);
	assert_int_equal(story.count, i + 2);
	assert_in_range(story.at[i + 1] - story.at[i], 200 * NANO_MS, 400 * NANO_MS);
	assert_in_range(story.least_flight[i], 40000, 50000 + 2 * LINK_MSS);
	assert_false(l->flow[0].c.holds_back);
	near(bbr(l)->min_rtt, 40000, 0.02);
	nanotime left = l->now;
	run_into(l, BBR_PROBE_RTT, 8 * NANO_S);
	assert_in_range(l->now - left, 5 * NANO_S, 6 * NANO_S);
	link_free(l);
}

/* A.11: who was silent needs no ProbeRTT, and starts again at the rate it knows. */
static void test_idle(void **state)
{
	(void)state;
	struct link *l = begin(20 * MBIT, DELAY, 2);
	run_into(l, BBR_CRUISE, 4 * NANO_S);
	struct link_flow *f = &l->flow[0];
	f->may_send = f->offered;
	link_run(l, 7 * NANO_S);
	assert_int_equal(f->in_flight, 0);
	uint64_t bw = bbr_max_bw(bbr(l));
	f->may_send = UINT64_MAX;
	f->offered = 0;
	unsigned before = story.count;
	link_mark(l);
	link_run(l, 2 * NANO_S);
	for (unsigned i = before; i < story.count; i++)
		assert_int_not_equal(story.state[i], BBR_PROBE_RTT);
	assert_true(bbr_max_bw(bbr(l)) >= bw - bw / 50);
	assert_true(link_used(l, 2 * NANO_S) > 0.9);
	assert_true(link_wait(l) < 0.02);
	link_free(l);
}

/* A.7: samples of an application that sends little end no search; A.20: nor does ProbeRTT. */
static void test_app_limited(void **state)
{
	(void)state;
	struct link *l = begin(20 * MBIT, DELAY, 2);
	struct link_flow *f = &l->flow[0];
	f->may_send = 0;
	for (unsigned i = 0; i < 500; i++) {
		f->may_send += 5 * LINK_MSS;
		link_run(l, DELAY / 2);
	}
	assert_false(bbr(l)->full_bw_reached);
	for (unsigned i = 0; i < story.count; i++)
		assert_true(story.state[i] == BBR_STARTUP || story.state[i] == BBR_PROBE_RTT);
	run_into(l, BBR_STARTUP, NANO_S);
	f->may_send = UINT64_MAX;
	f->offered = 0;
	link_run(l, 2 * NANO_S);
	assert_true(bbr(l)->full_bw_reached);
	near((double)bbr_max_bw(bbr(l)), 20 * MBIT, 0.02);
	link_free(l);
}

/* A.15, A.16: ten times as fast, and a tenth. */
static void test_change(void **state)
{
	(void)state;
	struct link *l = begin(10 * MBIT, DELAY, 10);
	link_run(l, 10 * NANO_S);
	l->rate = 100 * MBIT;
	l->queue = 500000;
	nanotime change = l->now;
	while (bbr_max_bw(bbr(l)) < 90 * MBIT && l->now < change + 20 * NANO_S)
		link_run(l, 10 * NANO_MS);
	assert_true(l->now < change + 8 * NANO_S);
	link_run(l, NANO_S);
	link_mark(l);
	link_run(l, 5 * NANO_S);
	assert_true(link_used(l, 5 * NANO_S) > 0.9);

	l->rate = 10 * MBIT;
	l->queue = 100000;
	link_run(l, 12 * NANO_S);
	near((double)bbr_max_bw(bbr(l)), 10 * MBIT, 0.1);
	link_mark(l);
	link_run(l, 10 * NANO_S);
	assert_true(link_used(l, 10 * NANO_S) > 0.9);
	link_free(l);
}

/* A.21, 5.3.3.6: in a shallow queue probing loses; the bound is learnt and respected. */
static void test_shallow(void **state)
{
	(void)state;
	struct link *l = begin(20 * MBIT, DELAY, 0.2);
	link_run(l, 5 * NANO_S);
	link_mark(l);
	uint32_t before = l->flow[0].losses;
	link_run(l, 20 * NANO_S);
	struct bbr *b = bbr(l);
	assert_true(b->inflight_long < UINT32_MAX);
	assert_in_range(b->inflight_long, 80000, 135000);
	assert_true(link_used(l, 20 * NANO_S) > 0.85);
	uint32_t lost = l->flow[0].losses - before;
	uint32_t sent = (uint32_t)(20ull * 20 * MBIT / LINK_MSS);
	assert_true(lost < sent / 50);
	link_free(l);
}

/* A.12, A.13: ACKs in lumps of 20 ms; the window makes up for it. */
static void test_aggregation(void **state)
{
	(void)state;
	struct link *l = begin(20 * MBIT, DELAY, 4);
	l->slot = 20 * NANO_MS;
	link_run(l, 3 * NANO_S);
	assert_true(bbr(l)->full_bw_reached);
	assert_true(bbr(l)->extra[1] > 10 * LINK_MSS);
	link_mark(l);
	link_run(l, 10 * NANO_S);
	assert_true(link_used(l, 10 * NANO_S) > 0.9);
	link_free(l);
}

/* A.14: less than a segment in the pipe. */
static void test_tiny(void **state)
{
	(void)state;
	struct link *l = begin(MBIT / 2, NANO_MS, 400);
	link_run(l, 4 * NANO_S);
	assert_int_equal(bbr_min_pipe(&l->flow[0].c), 4 * LINK_MSS);
	assert_true(l->flow[0].c.cwnd >= 4 * LINK_MSS);
	link_mark(l);
	link_run(l, 10 * NANO_S);
	assert_true(link_used(l, 10 * NANO_S) > 0.9);
	assert_true(link_wait(l) < 0.3);
	link_free(l);
}

/* A.18, A.19: what a spurious recovery or timeout changed comes back. */
static void test_undo(void **state)
{
	(void)state;
	static const uint8_t where[] = { BBR_STARTUP, BBR_CRUISE, BBR_UP };
	for (unsigned i = 0; i < 3; i++)
		for (unsigned timeout = 0; timeout <= 1; timeout++) {
			struct link *l = begin(20 * MBIT, DELAY, 2);
			link_run(l, 3 * DELAY);
			run_into(l, where[i], 8 * NANO_S);
			struct cc *c = &l->flow[0].c;
			struct bbr *b = bbr(l);
			struct bbr was = *b;
			uint32_t cwnd = c->cwnd;
			struct cc_loss loss = { .now = l->now, .flight = l->flow[0].in_flight };
			(timeout ? c->ops->timeout : c->ops->loss)(c, &loss);
			if (timeout)
				assert_int_equal(c->cwnd, LINK_MSS);
			/* as a round of losses would */
			b->bw_short = was.bw / 2;
			b->inflight_short = cwnd / 2;
			b->inflight_long = cwnd / 2;
			if (where[i] == BBR_UP) {
				b->undo_state = BBR_UP;
				b->state = BBR_DOWN;
			} else if (where[i] == BBR_STARTUP) {
				b->undo_state = BBR_STARTUP;
				b->state = BBR_DRAIN;
				b->full_bw_reached = true;
			}
			c->ops->undo(c, l->now);
			assert_int_equal(c->phase, CC_OPEN);
			assert_int_equal(c->cwnd, cwnd);
			assert_true(b->bw_short == was.bw_short);
			assert_int_equal(b->inflight_short, was.inflight_short);
			assert_int_equal(b->inflight_long, was.inflight_long);
			assert_int_equal(b->state, where[i] == BBR_UP ? BBR_REFILL : where[i]);
			assert_int_equal(b->full_bw_reached, was.full_bw_reached);
			link_run(l, NANO_S); /* and all goes on */
			link_free(l);
		}
}

/* After a timeout one segment, then, when all is repaired, what the model says. */
static void test_timeout(void **state)
{
	(void)state;
	struct link *l = begin(20 * MBIT, DELAY, 2);
	run_into(l, BBR_CRUISE, 4 * NANO_S);
	struct rng chance;
	uint64_t seed = 1;
	rng_seed(&chance, span_of(&seed, sizeof seed));
	l->chance = &chance;
	l->lose = 1000000; /* nothing arrives for a second */
	link_run(l, NANO_S);
	assert_true(l->flow[0].timeouts > 0);
	assert_true(l->flow[0].c.cwnd <= 4 * LINK_MSS);
	l->lose = 0;
	link_run(l, 2 * NANO_S);
	link_mark(l);
	link_run(l, 5 * NANO_S);
	assert_true(link_used(l, 5 * NANO_S) > 0.9);
	link_free(l);
}

/* A time below 2^bits ns. */
static uint64_t some(struct rng *g, unsigned bits)
{
	return rng_next(g) >> (64 - bits);
}

/* Whatever comes, in whatever order: bounds hold. */
static void random_events(struct rng *g)
{
	struct cc c;
	uint32_t mss = 1 + rng_below(g, 9000);
	nanotime now = 1;
	uint32_t una = 0, delivered = 0;
	cc_start(&c, &cc_bbr, mss, 10 * mss, (uint32_t)rng_next(g), now);
	for (unsigned i = 0; i < 2000; i++) {
		now += (nanodiff)some(g, 1 + rng_below(g, 36));
		uint32_t flight = (uint32_t)some(g, 1 + rng_below(g, 30));
		struct cc_loss l = { .now = now, .flight = flight, .in_flight = flight / 2 };
		switch (rng_below(g, 40)) {
		case 0: c.ops->loss(&c, &l); break;
		case 1: c.ops->timeout(&c, &l); break;
		case 2: c.ops->recovered(&c, now); break;
		case 3: c.ops->undo(&c, now); break;
		case 4: c.ops->ecn(&c, &l); break;
		case 5: c.ops->idle(&c, NANO_S, NANO_S, now); break;
		default: {
			uint32_t acked = (uint32_t)some(g, 1 + rng_below(g, 30));
			delivered += acked;
			una += acked;
			struct rate_sample rs = {
				.rate = some(g, 1 + rng_below(g, 45)),
				.delivered = acked,
				.prior_delivered = delivered -
					(uint32_t)some(g, 1 + rng_below(g, 28)),
				.total_delivered = delivered,
				.tx_in_flight = (uint32_t)some(g, 1 + rng_below(g, 30)),
				.lost = (uint32_t)some(g, 1 + rng_below(g, 30)),
				.app_limited = rng_below(g, 4) == 0,
				.acked = rng_below(g, 8) > 0,
				.loss_ranges = (uint16_t)rng_below(g, 3),
				.loss_high = rng_below(g, 2),
				.loss_len = (uint32_t)some(g, 20),
				.loss_in_flight = (uint32_t)some(g, 30),
				.loss_lost = (uint32_t)some(g, 30),
			};
			struct cc_ack a = {
				.now = now,
				.acked = acked,
				.prior_in_flight = flight,
				.in_flight = flight / 2,
				.snd_una = una,
				.snd_nxt = una + flight,
				.sack = rng_below(g, 2),
				.rtt = (nanodiff)some(g, 1 + rng_below(g, 40)),
				.srtt = (nanodiff)some(g, 1 + rng_below(g, 40)),
				.rate = &rs,
			};
			c.ops->ack(&c, &a);
			check(c.cwnd >= 4 * mss);
		}
		}
		check(c.cwnd >= mss && c.cwnd <= CC_WINDOW_MAX + (1u << 29));
		check(c.ssthresh >= 2 * mss);
		check(c.pacing_rate > 0);
	}
}

static void test_bounds(void **state)
{
	(void)state;
	property_each(300, random_events);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_startup),
		cmocka_unit_test(test_cycle),
		cmocka_unit_test(test_probe_rtt),
		cmocka_unit_test(test_idle),
		cmocka_unit_test(test_app_limited),
		cmocka_unit_test(test_change),
		cmocka_unit_test(test_shallow),
		cmocka_unit_test(test_aggregation),
		cmocka_unit_test(test_tiny),
		cmocka_unit_test(test_undo),
		cmocka_unit_test(test_timeout),
		cmocka_unit_test(test_bounds),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
