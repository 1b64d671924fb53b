/*
 * The echo client over real stacks: replies, loss, duplicates, errors, and the
 * statistics against figures worked out by hand.
 */
#include <string.h>

#include "support/duo.h"

#include "application/ping/ping.h"

struct world {
	struct duo duo;
	struct ping *ping;
	struct ping_event event[200];
	unsigned events;
	unsigned lost, seen; /* of the link */
	unsigned lose_mask;  /* requests to lose, by their order */
	bool corrupt, duplicate;
};

static void note(void *user, const struct ping_event *e)
{
	struct world *w = user;
	assert_true(w->events < 200);
	w->event[w->events++] = *e;
}

static struct ping_config config_for(struct world *w, const char *to)
{
	struct ping_config c;
	ping_config_default(&c);
	c.destination = address(to);
	c.report = note;
	c.user = w;
	return c;
}

static void open_with(struct world *w, struct ping_config *c)
{
	const char *why;
	memset(w, 0, sizeof *w);
	duo_open(&w->duo);
	w->duo.user = w;
	w->ping = ping_create(c, duo_use(&w->duo.host[0]), &w->duo.host[0].arena, &why);
	if (!w->ping)
		fail_msg("%s", why);
	duo_add(&w->duo.host[0], ping_app(w->ping));
}

static bool done(void *user)
{
	return ping_done(((struct world *)user)->ping);
}

static unsigned count(const struct world *w, enum ping_kind kind)
{
	unsigned n = 0;
	for (unsigned i = 0; i < w->events; i++)
		n += w->event[i].kind == kind;
	return n;
}

static void replies(void **state)
{
	(void)state;
	static const char *const to[] = { "192.0.2.2", "2001:db8::2" };
	for (unsigned f = 0; f < 2; f++) {
		static struct world w;
		struct ping_config c = config_for(&w, to[f]);
		c.count = 5;
		open_with(&w, &c);
		nanotime start = w.duo.now;
		assert_true(duo_run(&w.duo, 60 * NANO_S, done, &w));
		/* Four intervals, and the last round trip */
		assert_true(w.duo.now - start == 4 * NANO_S + 2 * NANO_MS);
		assert_int_equal(w.events, 5);
		for (unsigned i = 0; i < 5; i++) {
			assert_int_equal(w.event[i].kind, PING_REPLY);
			assert_int_equal(w.event[i].sequence, i);
			assert_int_equal(w.event[i].bytes, 56);
			assert_int_equal(w.event[i].hop_limit, 64);
			assert_true(addr_equal(&w.event[i].from, &c.destination));
			if (i > 0)
				assert_true(w.event[i].rtt == 2 * NANO_MS);
		}
		struct ping_statistics s = ping_statistics(w.ping);
		assert_true(s.sent == 5 && s.received == 5 && s.lost == 0);
		assert_true(s.min == 2 * NANO_MS && s.max == w.event[0].rtt);
		assert_true(s.avg == (s.max + 4 * s.min) / 5);
		/* One of five deviates by d: the root of (d^2 * 4 / 25) */
		assert_true(s.mdev >= (s.max - s.min) * 2 / 5 - 1 &&
			s.mdev <= (s.max - s.min) * 2 / 5 + 1);
		assert_true(ping_app(w.ping)->deadline(ping_app(w.ping)) == NANOTIME_NEVER);
		duo_close(&w.duo);
	}
}

/* A request on the wire, IPv4 */
static bool is_echo(struct span frame, uint8_t type)
{
	return frame.len >= 42 && load16(frame.at + 12) == 0x0800 && frame.at[23] == 1 &&
		frame.at[34] == type;
}

static bool lose(struct duo *d, unsigned to, struct span frame)
{
	struct world *w = d->user;
	if (to != 1 || !is_echo(frame, 8))
		return false;
	bool lost = w->lose_mask >> w->seen & 1;
	w->seen++;
	w->lost += lost;
	return lost;
}

static void loss(void **state)
{
	(void)state;
	static struct world w;
	struct ping_config c = config_for(&w, "192.0.2.2");
	c.count = 8;
	c.interval = 100 * NANO_MS;
	c.timeout = 500 * NANO_MS;
	open_with(&w, &c);
	w.lose_mask = 1 << 2 | 1 << 3 | 1 << 7;
	w.duo.lose = lose;
	nanotime start = w.duo.now;
	assert_true(duo_run(&w.duo, 60 * NANO_S, done, &w));
	assert_int_equal(w.lost, 3);
	assert_true(
		w.duo.now - start == 700 * NANO_MS + 500 * NANO_MS); /* the last one's time-out */
	assert_int_equal(count(&w, PING_LOST), 3);
	struct ping_statistics s = ping_statistics(w.ping);
	assert_true(s.sent == 8 && s.received == 5 && s.lost == 3);
	assert_int_equal(w.event[w.events - 1].kind, PING_LOST);
	assert_int_equal(w.event[w.events - 1].sequence, 7);
	duo_close(&w.duo);
}

static void nobody(void **state)
{
	(void)state;
	static struct world w;
	struct ping_config c = config_for(&w, "192.0.2.99");
	c.count = 2;
	open_with(&w, &c);
	assert_true(duo_run(&w.duo, 60 * NANO_S, done, &w));
	struct ping_statistics s = ping_statistics(w.ping);
	assert_int_equal(s.received, 0);
	assert_int_equal(s.lost + s.errors + s.send_failed, 2);
	assert_true(s.min == 0 && s.avg == 0 && s.max == 0 && s.mdev == 0);
	duo_close(&w.duo);

	c = config_for(&w, "203.0.113.1");
	c.count = 2;
	open_with(&w, &c);
	assert_true(duo_run(&w.duo, 60 * NANO_S, done, &w));
	assert_int_equal(count(&w, PING_SEND_FAILED), 2);
	assert_int_equal(w.event[0].error, ERR_NO_ROUTE);
	duo_close(&w.duo);
}

static void sizes(void **state)
{
	(void)state;
	static struct world w;
	static const uint32_t size[] = { 0, 1, 55, 1472 };
	for (unsigned i = 0; i < 4; i++) {
		struct ping_config c = config_for(&w, "192.0.2.2");
		c.count = 1;
		c.size = size[i];
		c.dont_fragment = true;
		open_with(&w, &c);
		assert_true(duo_run(&w.duo, 60 * NANO_S, done, &w));
		assert_int_equal(w.event[0].kind, PING_REPLY);
		assert_int_equal(w.event[0].bytes, size[i]);
		duo_close(&w.duo);
	}
	/* One byte more than the MTU holds */
	struct ping_config c = config_for(&w, "192.0.2.2");
	c.count = 1;
	c.size = 1473;
	c.dont_fragment = true;
	open_with(&w, &c);
	assert_true(duo_run(&w.duo, 60 * NANO_S, done, &w));
	assert_int_equal(w.event[0].kind, PING_SEND_FAILED);
	assert_int_equal(w.event[0].error, ERR_TOO_BIG);
	assert_int_equal(w.event[0].mtu, DUO_MTU);
	duo_close(&w.duo);
	/* Nowhere to go is no matter of size. */
	c = config_for(&w, "203.0.113.1");
	c.count = 1;
	c.size = 1473;
	open_with(&w, &c);
	assert_true(duo_run(&w.duo, 60 * NANO_S, done, &w));
	assert_int_equal(w.event[0].error, ERR_NO_ROUTE);
	assert_int_equal(w.event[0].mtu, 0);
	duo_close(&w.duo);
}

static void bodies_within(void **state)
{
	(void)state;
	struct addr four = address("192.0.2.2"), six = address("2001:db8::2");
	assert_int_equal(ping_body_within(&four, 1500), 1472);
	assert_int_equal(ping_body_within(&six, 1500), 1452);
	assert_int_equal(ping_body_within(&four, 29), 1);
	assert_int_equal(ping_body_within(&four, 28), 0);
	assert_int_equal(ping_body_within(&six, 28), 0);
	assert_int_equal(ping_body_within(&four, 65535), PING_BODY_MAX);
	assert_int_equal(ping_body_within(&four, UINT32_MAX), PING_BODY_MAX);
}

/* Changes or doubles echo replies on their way. */
static bool meddle(struct duo *d, unsigned to, struct span frame)
{
	struct world *w = d->user;
	if (to != 0 || !is_echo(frame, 0))
		return false;
	if (w->corrupt) { /* a byte of the body, and the checksum that fits it (RFC 1624) */
		uint8_t *bytes = (uint8_t *)(uintptr_t)frame.at;
		bytes[60] ^= 1;
		uint32_t sum = 0;
		store16(bytes + 36, 0);
		for (size_t i = 34; i + 1 < frame.len; i += 2)
			sum += load16(bytes + i);
		while (sum >> 16)
			sum = (sum & 0xffff) + (sum >> 16);
		store16(bytes + 36, (uint16_t)~sum);
	}
	if (w->duplicate) {
		struct duo_frame *copy = malloc(sizeof *copy + frame.len);
		assert_non_null(copy);
		*copy = (struct duo_frame){ .at = d->now + d->delay, .to = 0, .len = frame.len };
		memcpy(copy->bytes, frame.at, frame.len);
		*d->last = copy;
		d->last = &copy->next;
	}
	return false;
}

static void wrong_bytes(void **state)
{
	(void)state;
	static struct world w;
	struct ping_config c = config_for(&w, "192.0.2.2");
	c.count = 2;
	c.pattern = text_span_of("pattern");
	open_with(&w, &c);
	w.corrupt = true;
	w.duo.lose = meddle;
	assert_true(duo_run(&w.duo, 60 * NANO_S, done, &w));
	assert_int_equal(count(&w, PING_WRONG_DATA), 2);
	assert_int_equal(w.event[0].offset, 60 - 42);
	assert_int_equal(ping_statistics(w.ping).received, 0);
	assert_int_equal(ping_statistics(w.ping).wrong, 2);
	duo_close(&w.duo);
}

static void duplicates(void **state)
{
	(void)state;
	static struct world w;
	struct ping_config c = config_for(&w, "192.0.2.2");
	c.count = 3;
	open_with(&w, &c);
	w.duplicate = true;
	w.duo.lose = meddle;
	assert_true(duo_run(&w.duo, 60 * NANO_S, done, &w));
	struct ping_statistics s = ping_statistics(w.ping);
	assert_int_equal(s.received, 3);
	assert_int_equal(s.lost, 0);
	assert_true(s.duplicates >= 2); /* the last one may come when all is over */
	duo_close(&w.duo);
}

/* Slower than the time-out: lost first, then found after all. */
static void late(void **state)
{
	(void)state;
	static struct world w;
	struct ping_config c = config_for(&w, "192.0.2.2");
	c.count = 3;
	c.interval = 400 * NANO_MS;
	c.timeout = 300 * NANO_MS;
	open_with(&w, &c);
	duo_pass(&w.duo, 0);
	w.duo.delay = 200 * NANO_MS;
	assert_true(duo_run(&w.duo, 60 * NANO_S, done, &w));
	struct ping_statistics s = ping_statistics(w.ping);
	assert_int_equal(s.sent, 3);
	assert_int_equal(s.received + s.lost, 3);
	assert_true(s.received >= 1);
	assert_true(count(&w, PING_LOST) > s.lost);
	duo_close(&w.duo);
}

/* More requests than there are slots and sequence numbers: nothing is mixed up. */
static void very_many(void **state)
{
	(void)state;
	static struct world w;
	struct ping_config c = config_for(&w, "192.0.2.2");
	c.count = 70000;
	c.interval = NANO_MS;
	c.timeout = 500 * NANO_MS;
	c.report = NULL;
	open_with(&w, &c);
	assert_true(duo_run(&w.duo, 100 * NANO_S, done, &w));
	struct ping_statistics s = ping_statistics(w.ping);
	assert_int_equal(s.sent, 70000);
	assert_int_equal(s.received, 70000);
	assert_true(s.duplicates == 0 && s.wrong == 0 && s.lost == 0);
	assert_true(s.min == 2 * NANO_MS);
	duo_close(&w.duo);
}

static void until_stopped(void **state)
{
	(void)state;
	static struct world w;
	struct ping_config c = config_for(&w, "192.0.2.2");
	open_with(&w, &c);
	assert_false(duo_run(&w.duo, 9500 * NANO_MS, done, &w));
	ping_stop(w.ping, w.duo.now);
	assert_true(ping_done(w.ping));
	assert_int_equal(ping_statistics(w.ping).received, 10);
	assert_true(ping_statistics(w.ping).ended == w.duo.now);
	uint64_t frames = w.duo.frames;
	duo_pass(&w.duo, 5 * NANO_S);
	assert_true(w.duo.frames == frames);
	duo_close(&w.duo);
}

/* A machine that stood still for 5 s sends one request when it wakes, not fifty at once. */
static void no_burst(void **state)
{
	(void)state;
	static struct world w;
	struct ping_config c = config_for(&w, "192.0.2.2");
	c.count = 10;
	c.interval = 100 * NANO_MS;
	open_with(&w, &c);
	duo_pass(&w.duo, 250 * NANO_MS);
	assert_int_equal(ping_statistics(w.ping).sent, 3);
	w.duo.now += 5 * NANO_S;
	duo_pass(&w.duo, 90 * NANO_MS);
	assert_int_equal(ping_statistics(w.ping).sent, 4);
	nanotime woke = w.duo.now - 90 * NANO_MS;
	assert_true(duo_run(&w.duo, 60 * NANO_S, done, &w));
	assert_true(w.duo.now - woke == 600 * NANO_MS + 2 * NANO_MS);
	assert_int_equal(ping_statistics(w.ping).received, 10);
	duo_close(&w.duo);
}

/* Stopped with one under way: it is neither answered nor lost. */
static void under_way(void **state)
{
	(void)state;
	static struct world w;
	struct ping_config c = config_for(&w, "192.0.2.2");
	open_with(&w, &c);
	duo_pass(&w.duo, 3 * NANO_S + NANO_MS);
	ping_stop(w.ping, w.duo.now);
	struct ping_statistics s = ping_statistics(w.ping);
	assert_true(s.sent == 4 && s.received == 3 && s.waiting == 1 && s.lost == 0);
	duo_close(&w.duo);
}

static void configs(void **state)
{
	(void)state;
	static struct world w;
	struct ping_config good = config_for(&w, "192.0.2.2"), c;
	assert_null(ping_config_check(&good));
#define BREAKS(change) (c = good, c.change, assert_non_null(ping_config_check(&c)))
	BREAKS(destination = ADDR_ANY);
	BREAKS(destination = address("0.0.0.0"));
	BREAKS(destination = address("224.0.0.1"));
	BREAKS(interval = 0);
	BREAKS(timeout = 0);
	BREAKS(timeout = 2000 * NANO_S);
	BREAKS(size = 65508);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(replies),
		cmocka_unit_test(loss),
		cmocka_unit_test(nobody),
		cmocka_unit_test(sizes),
		cmocka_unit_test(bodies_within),
		cmocka_unit_test(wrong_bytes),
		cmocka_unit_test(duplicates),
		cmocka_unit_test(late),
		cmocka_unit_test(very_many),
		cmocka_unit_test(until_stopped),
		cmocka_unit_test(no_burst),
		cmocka_unit_test(under_way),
		cmocka_unit_test(configs),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
