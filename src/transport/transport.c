/*
 * The transport layer as the stack sees it: its memory planned from the config,
 * one function in, one function out, one for timers. Output takes turns: replies
 * first (they are small and somebody waits), then half-open connections,
 * datagrams, and connections, each with a bounded quantum.
 */
#include "transport/datagram.h"
#include "transport/tcp/cookie.h"
#include "transport/tcp/kept.h"
#include "transport/tcp/records.h"
#include "transport/tcp/saved_syn.h"

#define STAMP_US (4294 * NANO_S)          /* what 32 bits count */
#define STAMP_MS (24 * 86400 * NANO_S)    /* half of it, in ms */
#define QUANTUM 64 /* frames that one connection may send in its turn */

void transport_config_default(struct transport_config *c)
{
	*c = (struct transport_config){
		.sockets = 4096,
		.listeners = 64,
		.backlog_max = 1024,
		.connections = 4096,
		.flights = 4096,
		.embryos = 1024,
		.time_waits = 8192,
		.sent_ranges = 65536,
		.held_ranges = 2048,
		.record_marks = 512,
		.saved_syns = 1024,
		.datagram_sockets = 256,
		.blocks = 32768,
		.big_blocks = 256,
		.send_buffer = 256 * 1024,
		.receive_buffer = 256 * 1024,
		.send_buffer_max = 4 * 1024 * 1024,
		.receive_buffer_max = 6 * 1024 * 1024,
		.datagram_queue = 64,
		.resets = 256,
		.port_first = 32768,
		.port_last = 60999,
		.gso_max = 65535 - 100,
		.rto_initial = NANO_S,
		.rto_min = 200 * NANO_MS,
		.rto_max = 60 * NANO_S,
		.delayed_ack = 40 * NANO_MS,
		.comp_sack_delay = NANO_MS,
		.comp_sack_rtt_percent = 5,
		.comp_sack_nr = 44,
		.comp_sack_after = 128,
		.peer_ack_delay = 200 * NANO_MS,
		.msl = 30 * NANO_S,
		.time_wait_reuse = NANO_S,
		.time_wait_reuse_bound = NANO_S,
		.fin_wait2 = 60 * NANO_S,
		.user_timeout = 900 * NANO_S, /* SHLD-11 */
		.user_timeout_least = 100 * NANO_S, /* RFC 5482 3.1 */
		.user_timeout_most = 3600 * NANO_S,
		.syn_timeout = 180 * NANO_S,
		.keepalive_idle = 7200 * NANO_S, /* MUST-28 */
		.keepalive_interval = 75 * NANO_S,
		.keepalive_probes = 9,
		.syn_ack_retries = 5,
		.syn_cookies = SYN_COOKIES_PRESSURE,
		.fast_open = FAST_OPEN_CLIENT | FAST_OPEN_SERVER,
		.fast_open_cache = 256,
		.fast_open_pause = 60 * NANO_S,
		.timestamps = true,
		.sack = true,
		.window_scaling = true,
		.ecn = ECN_USE_ACCEPT,
		.accecn_option = ACCECN_OPTION_SPARING,
		.ecn_fallback = true,
		.tail_loss_probe = true,
		.f_rto = true,
		.rto_restart = true,
		.rack = RACK_BY_TIME,
		.dup_thresh = 3,
		.dsack = true,
		.min_rtt_window = 300 * NANO_S,
		.idle_window = IDLE_WINDOW_VALIDATED,
		.flight_idle = 2 * NANO_S,
		.mss_min = 64,
		.mtu_probing = MTU_PROBING_BLACK_HOLE,
		.mtu_base = 1024, /* RFC 4821 7.2 */
		.mtu_floor = 256,
		.mtu_threshold = 8,
		.mtu_interval = 600 * NANO_S, /* RFC 1191 6.3 */
		.initial_window = 10,
		.challenge_rate = 500,
	};
}

const char *transport_config_check(const struct transport_config *c)
{
	const struct {
		bool broken;
		const char *text;
	} rules[] = {
		{ c->sockets < 1 || c->sockets > 1u << 24,
		  "transport.sockets must be 1 .. 16777216" },
		{ c->listeners < 1 || c->listeners > 65535,
		  "transport.listeners must be 1 .. 65535" },
		{ c->backlog_max < 1, "transport.backlog_max must be at least 1" },
		{ c->connections < 1 || c->connections > 1u << 29,
		  "transport.connections must be 1 .. 2^29" },
		{ c->flights < 1 || c->flights > c->connections,
		  "transport.flights must be 1 .. connections" },
		{ c->embryos < 1, "transport.embryos must be at least 1" },
		{ c->time_waits < 1, "transport.time_waits must be at least 1" },
		{ c->sent_ranges < 16, "transport.sent_ranges must be at least 16" },
		{ c->held_ranges < 32, "transport.held_ranges must be at least 32" },
		{ c->record_marks < 1 || c->record_marks > 1u << 20,
		  "transport.record_marks must be 1 .. 1048576" },
		{ c->datagram_sockets < 1, "transport.datagram_sockets must be at least 1" },
		{ c->blocks < 16, "transport.blocks must be at least 16" },
		{ c->send_buffer < 2048 || c->receive_buffer < 2048 ||
			  c->send_buffer > 1u << 29 || c->receive_buffer > 1u << 29,
		  "transport.send_buffer and receive_buffer must be 2048 bytes .. 512 MiB" },
		{ c->send_buffer_max > 1u << 29 || c->receive_buffer_max > 1u << 29,
		  "transport.send_buffer_max and receive_buffer_max must be at most 512 MiB" },
		{ c->datagram_queue < 1, "transport.datagram_queue must be at least 1" },
		{ c->resets < 1, "transport.resets must be at least 1" },
		{ c->port_first < 1024 || c->port_last < c->port_first,
		  "transport.port_first must be at least 1024 and at most port_last" },
		{ c->rto_min < NANO_MS || c->rto_min > c->rto_max || c->rto_initial > c->rto_max,
		  "transport: 1 ms <= rto_min, and rto_min and rto_initial <= rto_max" },
		{ c->delayed_ack < 0 || c->delayed_ack >= 500 * NANO_MS,
		  "transport.delayed_ack must be below 500 ms (RFC 9293 MUST-40)" },
		{ c->comp_sack_delay < 0 || c->comp_sack_delay >= 500 * NANO_MS ||
			  c->comp_sack_rtt_percent > 100 || c->comp_sack_after > 254,
		  "transport: comp_sack_delay must be below 500 ms, comp_sack_rtt_percent at most "
		  "100, comp_sack_after 254" },
		/* stamps are 32-bit clocks, of microseconds until a SYN is answered, else of ms */
		{ c->syn_timeout <= 0 || c->rto_max > STAMP_US - c->syn_timeout,
		  "transport.syn_timeout must be positive, and with rto_max below 4294 s" },
		{ c->user_timeout <= 0 || c->user_timeout > STAMP_MS || c->keepalive_idle <= 0 ||
			  c->keepalive_idle > STAMP_MS || c->keepalive_interval <= 0 ||
			  c->keepalive_interval > STAMP_MS,
		  "transport.user_timeout, keepalive_idle and keepalive_interval must be positive "
		  "and at most 24 days" },
		{ c->user_timeout_least <= 0 || c->user_timeout_most > STAMP_MS ||
			  c->user_timeout_least > c->user_timeout_most,
		  "transport.user_timeout_least must be positive, and user_timeout_most no less "
		  "and at most 24 days" },
		{ c->msl < 0 || c->fin_wait2 < 0, "transport.msl and fin_wait2 can't be negative" },
		{ c->syn_cookies < SYN_COOKIES_OFF || c->syn_cookies > SYN_COOKIES_ALWAYS,
		  "transport.syn_cookies must be off, under pressure or always" },
		{ c->syn_cookie_threshold > c->embryos,
		  "transport.syn_cookie_threshold must be at most embryos" },
		{ c->fast_open_cache < 1 || c->fast_open_cache > 1u << 24,
		  "transport.fast_open_cache must be 1 .. 16777216" },
		{ c->fast_open_pause < 0, "transport.fast_open_pause can't be negative" },
		{ c->mss_min < 48, "transport.mss_min must be at least 48" },
		{ c->mtu_probing >= MTU_PROBINGS,
		  "transport.mtu_probing must be off (0), for black holes (1) or always (2)" },
		{ c->mtu_base < 48 || c->mtu_floor < 48,
		  "transport.mtu_base and mtu_floor must be at least 48" },
		{ c->mtu_interval < 0 || c->mtu_interval > STAMP_MS,
		  "transport.mtu_interval must be 0 .. 24 days" },
		{ c->initial_window < 1 || c->initial_window > 100,
		  "transport.initial_window must be 1 .. 100 segments" },
		{ c->congestion >= CC_KINDS,
		  "transport.congestion must be 0, reno (1), cubic (2) or bbr (3)" },
		{ c->ecn >= ECN_USES, "transport.ecn must be 0 .. 5 (enum tcp_ecn_use)" },
		{ c->accecn_option >= ACCECN_OPTIONS,
		  "transport.accecn_option must be 0 .. 3 (enum accecn_option)" },
		{ c->rack >= RACK_USES, "transport.rack must be 0 .. 7 (enum rack_use)" },
		{ c->dup_thresh < 1, "transport.dup_thresh must be at least 1" },
		{ c->min_rtt_window < 0, "transport.min_rtt_window can't be negative" },
		{ c->idle_window >= IDLE_WINDOWS,
		  "transport.idle_window must be validated (0), decays (1) or kept (2)" },
		{ c->flight_idle < 0, "transport.flight_idle can't be negative" },
		{ c->gso_max > 65535 - 100, "transport.gso_max must be at most 65435 bytes" },
	};
	for (unsigned i = 0; i < sizeof rules / sizeof rules[0]; i++)
		if (rules[i].broken)
			return rules[i].text;
	return NULL;
}

static bool init_pools(struct transport *t, struct arena *a)
{
	const struct transport_config *c = &t->config;
	/* Each is planned whatever the others say, so that measuring counts them all. */
	bool fits = pool_init(&t->conn_pool, a, sizeof(struct tcp_conn), 64, c->connections);
	fits &= pool_init(&t->flight_pool, a, sizeof(struct tcp_flight), 64, c->flights);
	fits &= pool_init(&t->embryo_pool, a, sizeof(struct tcp_embryo), 32, c->embryos);
	fits &= pool_init(&t->time_wait_pool, a, sizeof(struct tcp_time_wait), 8, c->time_waits);
	fits &= pool_init(&t->range_pool, a, sizeof(struct sent_range), 8, c->sent_ranges);
	fits &= pool_init(&t->held_pool, a, sizeof(struct interval_set), 8, c->flights);
	uint32_t kept = c->connections < NOTE_MOST ? c->connections : NOTE_MOST;
	fits &= pool_init(&t->kept_pool, a, sizeof(struct tcp_kept), 8, kept);
	fits &= pool_init(&t->records_pool, a, records_size(c->record_marks), 8, c->flights);
	fits &= pool_init(&t->saved_syn_pool, a, sizeof(struct saved_syn), 64, c->saved_syns);
	fits &= pool_init(&t->listener_pool, a, sizeof(struct tcp_listener), 8, c->listeners);
	fits &= pool_init(&t->datagram_pool, a, sizeof(struct datagram_endpoint), 8,
			  c->datagram_sockets);
	fits &= ring_pool_init(&t->blocks, a, c->blocks, c->big_blocks);
	return fits;
}

static bool init_tables(struct transport *t, struct arena *a)
{
	const struct transport_config *c = &t->config;
	uint32_t socks = c->sockets + 1; /* number 0 is nobody */
	uint32_t *accepted =
		arena_take(a, (size_t)c->listeners * c->backlog_max * sizeof *accepted, 8);
	t->options = arena_take(a, socks * sizeof *t->options, 8);
	t->owner = arena_take(a, socks * sizeof *t->owner, 8);
	t->notify.mask = arena_take(a, socks, 8);
	t->notify.queue = arena_take(a, socks * sizeof *t->notify.queue, 8);
	t->reply = arena_take(a, c->resets * sizeof *t->reply, 8);
	t->short_flight.conn = arena_take(a, c->connections * sizeof(uint32_t), 8);
	t->short_block.conn = arena_take(a, c->connections * sizeof(uint32_t), 8);
	t->saved_syn_bucket = arena_take(a, SAVED_SYN_BUCKETS * sizeof *t->saved_syn_bucket, 8);
	bool cache = fast_open_cache_init(&t->fast_open_cache, a, c->fast_open_cache,
					  &t->core->key);
	if (!demux_init(&t->demux, a, c->connections + c->embryos + c->time_waits,
			&t->core->key) ||
	    !accepted || !t->options || !t->owner || !t->notify.mask || !t->notify.queue ||
	    !t->reply || !t->short_flight.conn || !t->short_block.conn || !cache ||
	    !t->saved_syn_bucket)
		return false;
	memset(t->options, 0, socks * sizeof *t->options);
	memset(t->notify.mask, 0, socks);
	t->owner_fresh = 1;
	t->notify.cap = socks;
	for (uint32_t i = 0; i < c->listeners; i++) {
		struct tcp_listener *l = pool_at(&t->listener_pool, i);
		l->used = false;
		l->generation = 0;
		l->accepted = accepted + (size_t)i * c->backlog_max;
	}
	t->demux.pool[DEMUX_CONN] = &t->conn_pool;
	t->demux.pool[DEMUX_EMBRYO] = &t->embryo_pool;
	t->demux.pool[DEMUX_TIME_WAIT] = &t->time_wait_pool;
	return true;
}

struct transport_config *transport_settings(struct transport *t)
{
	return &t->config;
}

bool transport_init(struct transport *t, struct core *core, struct internet *internet,
		    const struct transport_config *c, const uint8_t secret[16],
		    struct arena *arena, nanotime now)
{
	memset(t, 0, sizeof *t);
	t->core = core;
	t->internet = internet;
	t->config = *c;
	transport_set_time(t, now);
	memcpy(&t->secret, secret, sizeof t->secret);
	t->cookie_key = cookie_key(&t->secret);
	fast_syn_init(t);
	if (!t->config.syn_cookie_threshold)
		t->config.syn_cookie_threshold = c->embryos - c->embryos / 4;
	bool fits = init_pools(t, arena);
	if (!init_tables(t, arena) || !fits)
		return false;
	for (unsigned i = 0; i < PORT_BUCKETS; i++) {
		list_init(&t->listener_port[i]);
		list_init(&t->datagram_port[i]);
	}
	for (unsigned i = 0; i < SAVED_SYN_BUCKETS; i++)
		list_init(&t->saved_syn_bucket[i]);
	list_init(&t->ready);
	list_init(&t->blocked);
	list_init(&t->datagrams);
	list_init(&t->embryo_due);
	for (unsigned i = 0; i < sizeof t->embryo_wait / sizeof t->embryo_wait[0]; i++)
		list_init(&t->embryo_wait[i]);
	list_init(&t->time_waits);
	timer_init(&t->embryo_timer, TIMER_TCP_EMBRYO);
	timer_init(&t->time_wait_timer, TIMER_TCP_TIME_WAIT);
	return true;
}

void transport_receive(struct transport *t, struct rx *rx, enum proto proto)
{
	switch (proto) {
	case PROTO_TCP:
		tcp_receive(t, rx);
		break;
	case PROTO_UDP:
		udp_receive(t, rx);
		break;
	case PROTO_ECHO_REPLY:
		echo_reply_receive(t, rx);
		break;
	case PROTO_ICMP_ERROR:
		if (rx->icmp.protocol == IPPROTO_TCP_)
			tcp_icmp_error(t, rx);
		else
			datagram_icmp_error(t, rx);
		break;
	case PROTO_NONE:
	case PROTO_IP4:
	case PROTO_IP6:
		break;
	}
}

/* TCP's own timers find out what became of its segments. */
void transport_returned(struct transport *t, struct rx *rx)
{
	if (rx->icmp.protocol != IPPROTO_TCP_)
		datagram_icmp_error(t, rx);
}

/* Endpoints whose next hop is known now, or did not answer, come back for another look. */
static void take_up_parked(struct transport *t)
{
	struct access *a = t->internet->access;
	if (!list_empty(&a->woken))
		list_splice_back(&t->ready, &a->woken);
	if (!list_empty(&a->failed))
		list_splice_back(&t->ready, &a->failed);
}

/* Is there anything to do but what connections say in their turns? */
static inline bool others_wait(const struct transport *t)
{
	return t->short_flight.count | t->short_block.count | t->reply_count ||
	       !list_empty(&t->embryo_due) || !list_empty(&t->datagrams);
}

/* Kept out of the straight line, which then saves fewer registers. */
static __attribute__((noinline)) unsigned transmit_others(struct transport *t, unsigned budget)
{
	if (t->short_flight.count | t->short_block.count)
		shortage_serve(t);
	unsigned sent = 0;
	if (t->reply_count)
		sent += tcp_reply_transmit(t, budget);
	if (!list_empty(&t->embryo_due))
		sent += embryo_transmit(t, budget - sent);
	if (!list_empty(&t->datagrams))
		sent += datagram_transmit(t, budget - sent);
	return sent;
}

unsigned transport_transmit(struct transport *t, unsigned budget)
{
	take_up_parked(t);
	unsigned sent = others_wait(t) ? transmit_others(t, budget) : 0;
	while (sent < budget) {
		struct list *l = list_pop_front(&t->ready);
		if (!l)
			break;
		unsigned quantum = budget - sent < QUANTUM ? budget - sent : QUANTUM;
		sent += conn_transmit(t, list_entry(l, struct tcp_conn, ready), quantum);
	}
	list_splice_back(&t->ready, &t->blocked); /* for the next call */
	if (t->reply_count && sent < budget) /* resets that connections queued just now */
		sent += transmit_others(t, budget - sent);
	return sent;
}

void transport_timer(struct transport *t, struct timer *timer)
{
	switch (timer->kind) {
	case TIMER_TCP:
		conn_timer(t, list_entry(timer, struct tcp_conn, timer));
		break;
	case TIMER_TCP_EMBRYO:
		embryo_timer(t);
		break;
	case TIMER_TCP_TIME_WAIT:
		time_wait_timer(t);
		break;
	default:
		break;
	}
}
