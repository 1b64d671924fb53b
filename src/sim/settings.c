/*
 * The values. Times stay within what the rules about liveness allow: a user
 * timeout that is agreed on is no longer than a trial's patience, and no RTO is
 * above the ceiling that is configured by default.
 */
#include "sim/settings.h"

#include "sim/faults.h"

#define TIMEOUT_LEAST (100 * NANO_S) /* RFC 5482 3.1 */
#define TIMEOUT_MOST  (150 * NANO_S)

static const char *const texts[SETTING_COUNT] = {
#define SETTING_TEXT(id, text) [SETTING_##id] = text,
	SETTINGS(SETTING_TEXT)
#undef SETTING_TEXT
};

const char *setting_text(enum setting id)
{
	return (unsigned)id < SETTING_COUNT ? texts[id] : NULL;
}

/* ---- of a stack ---- */

static bool one_in(struct rng *r, uint32_t n)
{
	return rng_below(r, n) == 0;
}

static nanodiff between(struct rng *r, nanodiff least, nanodiff most)
{
	return least + (most - least) / 1000 * (nanodiff)rng_below(r, 1001);
}

static void draw_search(struct transport_config *c, struct rng *r)
{
	c->mtu_probing = (uint8_t)(one_in(r, 2) ? MTU_PROBING_ALWAYS : rng_below(r, MTU_PROBINGS));
	c->mtu_base = (uint16_t)(512 + rng_below(r, 900));
	c->mtu_floor = (uint16_t)(64 + rng_below(r, 448));
	c->mtu_threshold = (uint16_t)(1 + rng_below(r, 100));
	c->mtu_interval = between(r, NANO_S, 60 * NANO_S);
}

static void draw_control(struct transport_config *c, struct rng *r)
{
	c->congestion = (uint8_t)(1 + rng_below(r, 3));
}

static void draw_recovery(struct transport_config *c, struct rng *r)
{
	c->rack = (uint8_t)rng_below(r, RACK_USES);
	c->dup_thresh = (uint8_t)(one_in(r, 2) ? 3 : 1 + rng_below(r, 8));
	c->tail_loss_probe = one_in(r, 2);
	c->f_rto = one_in(r, 2);
	c->dsack = one_in(r, 2);
	c->rto_restart = one_in(r, 2);
	c->measure_rate = one_in(r, 2);
	c->reorder_slack = one_in(r, 2) ? 0 : between(r, 0, 10 * NANO_MS);
	c->min_rtt_window = between(r, NANO_S, 300 * NANO_S);
}

static void draw_times(struct transport_config *c, struct rng *r)
{
	c->rto_initial = between(r, NANO_S, 3 * NANO_S); /* shorter, SYN-ACKs soon run out */
	c->rto_min = between(r, 10 * NANO_MS, NANO_S);
	c->peer_ack_delay = between(r, 0, 500 * NANO_MS);
	c->msl = between(r, 30 * NANO_S, 120 * NANO_S);
	c->fin_wait2 = between(r, NANO_S, 120 * NANO_S);
	c->flight_idle = one_in(r, 3) ? 0 : between(r, 0, 10 * NANO_S);
	c->challenge_rate = 500 + rng_below(r, 1000);
}

static void draw_windows(struct transport_config *c, struct rng *r)
{
	c->initial_window = 1 + rng_below(r, one_in(r, 2) ? 4 : 100);
	c->idle_window = (uint8_t)rng_below(r, IDLE_WINDOWS);
	c->abrupt_start = one_in(r, 2);
	c->send_buffer_max = one_in(r, 2) ? 0 : 4096u << rng_below(r, 10);
	c->receive_buffer_max = one_in(r, 2) ? 0 : 4096u << rng_below(r, 10);
	c->gso_max = one_in(r, 2) ? 0 : 2000 + rng_below(r, 60000);
	c->held_ranges = 32 + rng_below(r, 200);
	c->record_marks = 1 + rng_below(r, 20);
	c->mss_min = (uint16_t)(48 + rng_below(r, 160));
}

static void draw_cookies(struct transport_config *c, struct rng *r)
{
	c->syn_cookies = (uint8_t)(SYN_COOKIES_OFF + rng_below(r, 3));
	c->syn_cookie_threshold = 1 + rng_below(r, c->embryos < 4 ? c->embryos : 4);
}

static void draw_timeout(struct transport_config *c, struct rng *r)
{
	c->user_timeout_least = between(r, TIMEOUT_LEAST, TIMEOUT_MOST);
	c->user_timeout_most = TIMEOUT_MOST;
}

static void draw_fast_open(struct transport_config *c, struct rng *r)
{
	c->fast_open = FAST_OPEN_CLIENT | FAST_OPEN_SERVER;
	c->fast_open_cache = 1 + rng_below(r, 4);
	c->fast_open_pause = between(r, NANO_S, 60 * NANO_S);
	if (one_in(r, 3))
		c->fast_open |= FAST_OPEN_SERVER_ALL;
}

void settings_config(
	setting_set set, const struct world *w, const char *node, struct transport_config *c)
{
	static void (*const draw[SETTING_COUNT])(struct transport_config *, struct rng *) = {
		[SETTING_SEARCH] = draw_search,
		[SETTING_CONTROL] = draw_control,
		[SETTING_RECOVERY] = draw_recovery,
		[SETTING_TIMES] = draw_times,
		[SETTING_WINDOWS] = draw_windows,
		[SETTING_COOKIES] = draw_cookies,
		[SETTING_TIMEOUT] = draw_timeout,
		[SETTING_FAST_OPEN] = draw_fast_open,
	};
	for (unsigned i = 0; i < SETTING_COUNT; i++) {
		struct rng r;
		world_rng(w, texts[i], node, &r);
		if (set >> i & 1 && draw[i])
			draw[i](c, &r);
	}
}

/* ---- of a socket ---- */

void settings_before(
	setting_set set, const struct world *w, const char *name, struct sock_options *o)
{
	struct rng r;
	world_rng(w, texts[SETTING_FAST_OPEN], name, &r);
	if (set & SETTING_BIT(FAST_OPEN))
		o->fast_open = rng_below(&r, 4);
	world_rng(w, texts[SETTING_COOKIES], name, &r);
	if (set & SETTING_BIT(COOKIES))
		o->syn_cookies = (uint8_t)rng_below(&r, SYN_COOKIES_ALWAYS + 1);
}

/* What may be set at any time, each in one socket of three. */
static void draw_options(struct stack *s, sock_id id, struct rng *r)
{
	const struct {
		enum sock_option option;
		int64_t value;
	} may[] = {
		{ SOCK_CORK, 1 },
		{ SOCK_QUICK_ACK, rng_below(r, 2) },
		{ SOCK_DEFER_ACCEPT, 1 + rng_below(r, 3) },
		{ SOCK_WINDOW_CLAMP, 2048 + rng_below(r, 1u << (1 + rng_below(r, 16))) },
		/* below a segment, it is one for each byte */
		{ SOCK_UNSENT_MARK, 2048 + rng_below(r, 1u << (1 + rng_below(r, 16))) },
		{ SOCK_READ_MARK, 1 + rng_below(r, 1u << (1 + rng_below(r, 12))) },
		{ SOCK_TOS, rng_below(r, 64) << 2 },
		{ SOCK_FRAGMENT, 1 },
		{ SOCK_CONGESTION, rng_below(r, 4) },
	};
	for (size_t i = 0; i < sizeof may / sizeof *may; i++)
		if (one_in(r, 3))
			sock_set(s, id, may[i].option, may[i].value);
}

uint32_t settings_after(
	setting_set set, const struct world *w, const char *name, struct stack *s, sock_id id)
{
	struct rng r;
	world_rng(w, texts[SETTING_TIMEOUT], name, &r);
	if (set & SETTING_BIT(TIMEOUT) && one_in(&r, 2))
		sock_set(s, id, SOCK_ADVERTISED_TIMEOUT, between(&r, TIMEOUT_LEAST, TIMEOUT_MOST));
	world_rng(w, texts[SETTING_OPTIONS], name, &r);
	if (!(set & SETTING_BIT(OPTIONS)))
		return 0;
	draw_options(s, id, &r);
	return one_in(&r, 3) ? rng_below(&r, PPM) : 0;
}
