/*
 * The wheel against a plain array that is searched for the least deadline: every
 * timer must fire at the right call, in the order of deadlines and, among equal
 * ones, of arming, with times from nanoseconds to centuries.
 */
#include "property.h"

#include "base/wheel.h"

#define TIMERS 300
#define YEAR   (INT64_C(31557600) * NANO_S)

struct model {
	struct wheel wheel;
	struct timer timer[TIMERS];
	nanotime deadline[TIMERS];
	uint64_t order[TIMERS]; /* of arming; 0: not armed */
	uint64_t orders;
	uint32_t armed;
	nanotime now;
	bool moved; /* a timer was disarmed or moved, so the next call may be early */
};

static struct model m;

/* The armed timer that must fire next, or -1. */
static int least(void)
{
	int best = -1;
	for (int i = 0; i < TIMERS; i++) {
		if (m.order[i] == 0)
			continue;
		if (best < 0 || m.deadline[i] < m.deadline[best] ||
			(m.deadline[i] == m.deadline[best] && m.order[i] < m.order[best]))
			best = i;
	}
	return best;
}

static nanotime later(nanotime now, uint64_t by)
{
	uint64_t room = (uint64_t)NANOTIME_NEVER - (uint64_t)now;
	return by > room ? NANOTIME_NEVER : (nanotime)((uint64_t)now + by);
}

/* Any magnitude: half of them below a second, some in the past, some equal to another's. */
static nanotime some_deadline(struct rng *r)
{
	switch (rng_below(r, 10)) {
	case 0: return m.now - (nanotime)rng_below(r, 1000000);
	case 1: return m.deadline[rng_below(r, TIMERS)];
	case 2: return later(m.now, (uint64_t)rng_below(r, 1000) << (20 + 6 * rng_below(r, 6)));
	case 3: return m.now + rng_below(r, 2000000);
	case 4: return rng_below(r, 20) ? m.now : NANOTIME_NEVER;
	default: return later(m.now, rng_next(r) >> (1 + rng_below(r, 62)));
	}
}

static void arm(struct rng *r)
{
	unsigned i = rng_below(r, TIMERS);
	m.moved |= m.order[i] != 0;
	m.armed += m.order[i] == 0;
	m.deadline[i] = some_deadline(r);
	m.order[i] = ++m.orders;
	wheel_arm(&m.wheel, &m.timer[i], m.deadline[i]);
}

static void disarm(struct rng *r)
{
	unsigned i = rng_below(r, TIMERS);
	m.moved |= m.order[i] != 0;
	m.armed -= m.order[i] != 0;
	m.order[i] = 0;
	wheel_disarm(&m.wheel, &m.timer[i]);
}

static void check_next(void)
{
	int first = least();
	nanotime next = wheel_next(&m.wheel);
	check(m.wheel.armed == m.armed);
	if (first < 0)
		check(next == NANOTIME_NEVER);
	else if (m.moved)
		check(next <= m.deadline[first]);
	else
		check(next == m.deadline[first]);
}

/* Fires what is due at m.now; now and then the owner of a fired timer arms or disarms others. */
static void fire(struct rng *r)
{
	for (;;) {
		int first = least();
		struct timer *t = wheel_expired(&m.wheel, m.now);
		if (first < 0 || m.deadline[first] > m.now) {
			check(!t);
			return;
		}
		check(t == &m.timer[first]);
		check(!timer_armed(t) && t->deadline == m.deadline[first]);
		m.order[first] = 0;
		m.armed--;
		if (rng_below(r, 8) == 0)
			arm(r);
		if (rng_below(r, 16) == 0)
			disarm(r);
		check_next();
	}
}

static void move_on(struct rng *r)
{
	nanotime next = wheel_next(&m.wheel);
	switch (rng_below(r, 8)) {
	case 0: m.now = later(m.now, rng_next(r) >> (8 + rng_below(r, 56))); break;
	case 1: m.now = later(m.now, rng_below(r, 3000000)); break;
	case 2:
		m.now = later(m.now, (uint64_t)rng_below(r, 70) << (20 + 6 * rng_below(r, 6)));
		break;
	case 3: break;
	default:
		if (next > m.now && next != NANOTIME_NEVER)
			m.now = next;
	}
}

static void start(struct rng *r)
{
	static const nanotime starts[] = { 0, 1, NANO_S, 50 * YEAR, -YEAR, -1,
		(INT64_C(1) << 56) - 1 };
	m.now = starts[rng_below(r, sizeof starts / sizeof *starts)];
	m.orders = m.armed = 0;
	m.moved = false;
	wheel_init(&m.wheel, m.now);
	for (unsigned i = 0; i < TIMERS; i++) {
		timer_init(&m.timer[i], (uint8_t)i);
		m.timer[i].owner = i;
		m.order[i] = 0;
		m.deadline[i] = NANOTIME_NEVER;
	}
}

static void sorted_model(struct rng *r)
{
	start(r);
	for (unsigned step = 0; step < 4000; step++) {
		unsigned choice = rng_below(r, 16);
		if (choice < 8)
			arm(r);
		else if (choice < 10)
			disarm(r);
		else if (m.now < 200 * YEAR)
			move_on(r);
		check_next();
		if (choice >= 10)
			fire(r);
	}
	for (unsigned i = 0; i < TIMERS; i++) {
		check(timer_armed(&m.timer[i]) == (m.order[i] != 0));
		check(m.timer[i].kind == (uint8_t)i && m.timer[i].owner == i);
		wheel_disarm(&m.wheel, &m.timer[i]);
		wheel_disarm(&m.wheel, &m.timer[i]);
	}
	check(m.wheel.armed == 0 && wheel_next(&m.wheel) == NANOTIME_NEVER);
}

static void test_sorted_model(void **state)
{
	(void)state;
	property_each(50, sorted_model);
}

/* Arms only, and sleeps exactly to wheel_next: each call fires something, none comes late. */
static void exact_next(struct rng *r)
{
	start(r);
	for (unsigned i = 0; i < TIMERS; i++) {
		m.deadline[i] = later(m.now, rng_next(r) >> (3 + rng_below(r, 60)));
		m.order[i] = ++m.orders;
		wheel_arm(&m.wheel, &m.timer[i], m.deadline[i]);
	}
	for (unsigned left = TIMERS; left > 0;) {
		nanotime next = wheel_next(&m.wheel);
		struct timer *t = wheel_expired(&m.wheel, next);
		check(t && t->deadline == next);
		for (; t; t = wheel_expired(&m.wheel, next)) {
			int first = least();
			check(t == &m.timer[first] && t->deadline == next);
			m.order[first] = 0;
			left--;
		}
	}
	check(wheel_next(&m.wheel) == NANOTIME_NEVER);
}

static void test_exact_next(void **state)
{
	(void)state;
	property_each(200, exact_next);
}

/* What was disarmed makes a sleeper wake early a bounded number of times, once for a level. */
static void early_wakes(struct rng *r)
{
	start(r);
	nanotime last = later(m.now, rng_next(r) >> (2 + rng_below(r, 30)));
	wheel_arm(&m.wheel, &m.timer[0], last);
	for (unsigned i = 1; i < TIMERS; i++)
		wheel_arm(
			&m.wheel, &m.timer[i], later(m.now, rng_next(r) >> (2 + rng_below(r, 60))));
	for (unsigned i = 1; i < TIMERS; i++)
		wheel_disarm(&m.wheel, &m.timer[i]);
	unsigned wakes = 0;
	struct timer *t;
	do {
		m.now = wheel_next(&m.wheel);
		check(m.now <= last);
		t = wheel_expired(&m.wheel, m.now);
		check(++wakes <= WHEEL_LEVELS + 3);
	} while (!t);
	check(t == &m.timer[0] && m.now == last);
}

static void test_early_wakes(void **state)
{
	(void)state;
	property_each(500, early_wakes);
}

static void test_empty(void **state)
{
	(void)state;
	wheel_init(&m.wheel, 5 * NANO_S);
	assert_true(wheel_next(&m.wheel) == NANOTIME_NEVER);
	for (int i = 0; i < 200; i++)
		assert_null(wheel_expired(&m.wheel, i * YEAR));
	assert_null(wheel_expired(&m.wheel, NANOTIME_NEVER));
}

static void test_to_the_nanosecond(void **state)
{
	(void)state;
	wheel_init(&m.wheel, 0);
	timer_init(&m.timer[0], 7);
	for (unsigned bit = 0; bit < 62; bit++) {
		nanotime deadline = m.wheel.now + (INT64_C(1) << bit);
		if (deadline < m.wheel.now || deadline > 250 * YEAR)
			break;
		wheel_arm(&m.wheel, &m.timer[0], deadline);
		assert_true(wheel_next(&m.wheel) == deadline);
		assert_null(wheel_expired(&m.wheel, deadline - 1));
		assert_true(timer_armed(&m.timer[0]));
		assert_ptr_equal(wheel_expired(&m.wheel, deadline), &m.timer[0]);
		assert_null(wheel_expired(&m.wheel, deadline));
		assert_int_equal(m.timer[0].kind, 7);
	}
}

/* A caller whose clock stepped back gets what is due by that clock, and nothing breaks. */
static void test_clock_steps_back(void **state)
{
	(void)state;
	wheel_init(&m.wheel, 10 * NANO_S);
	timer_init(&m.timer[0], 0);
	timer_init(&m.timer[1], 0);
	wheel_arm(&m.wheel, &m.timer[0], 8 * NANO_S);
	wheel_arm(&m.wheel, &m.timer[1], 9 * NANO_S);
	assert_ptr_equal(wheel_expired(&m.wheel, 8 * NANO_S), &m.timer[0]);
	assert_null(wheel_expired(&m.wheel, 8 * NANO_S));
	assert_true(wheel_next(&m.wheel) == 9 * NANO_S);
	assert_ptr_equal(wheel_expired(&m.wheel, 11 * NANO_S), &m.timer[1]);
}

/* Many timers due together: sorted in one go, equal deadlines in the order of arming. */
static void crowd(struct rng *r)
{
	enum { CROWD = 20000 };
	struct timer *t = malloc(CROWD * sizeof *t), *fired, *before = NULL;
	check(t);
	wheel_init(&m.wheel, 0);
	for (unsigned i = 0; i < CROWD; i++) {
		timer_init(&t[i], 0);
		t[i].owner = i;
		wheel_arm(&m.wheel, &t[i], 3 * NANO_S + rng_below(r, 5000));
	}
	unsigned count = 0;
	while ((fired = wheel_expired(&m.wheel, 4 * NANO_S))) {
		check(!before || before->deadline < fired->deadline ||
			(before->deadline == fired->deadline && before->owner < fired->owner));
		before = fired;
		count++;
	}
	check(count == CROWD);
	free(t);
}

static void test_crowd(void **state)
{
	(void)state;
	property_each(5, crowd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sorted_model),
		cmocka_unit_test(test_exact_next),
		cmocka_unit_test(test_early_wakes),
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_to_the_nanosecond),
		cmocka_unit_test(test_clock_steps_back),
		cmocka_unit_test(test_crowd),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
