/*
 * A connection's life: made with its place in the table, given a flight when
 * data moves, moved from state to state through one function, and ended in two
 * steps: conn_die (everybody learns of it, nothing is freed, so input may call
 * it) and conn_free (from transmit or from the owner's close).
 */
#include "internet/source_route.h"
#include "transport/tcp/held.h"
#include "transport/tcp/kept.h"
#include "transport/tcp/records.h"
#include "transport/tcp/saved_syn.h"

static const char *const state_names[TCP_STATES] = {
	[TCP_CLOSED] = "CLOSED",
	[TCP_LISTEN] = "LISTEN",
	[TCP_SYN_SENT] = "SYN-SENT",
	[TCP_SYN_RECEIVED] = "SYN-RECEIVED",
	[TCP_ESTABLISHED] = "ESTABLISHED",
	[TCP_FIN_WAIT_1] = "FIN-WAIT-1",
	[TCP_FIN_WAIT_2] = "FIN-WAIT-2",
	[TCP_CLOSE_WAIT] = "CLOSE-WAIT",
	[TCP_CLOSING] = "CLOSING",
	[TCP_LAST_ACK] = "LAST-ACK",
	[TCP_TIME_WAIT] = "TIME-WAIT",
};

const char *tcp_state_name(enum tcp_state s)
{
	return s < TCP_STATES ? state_names[s] : "?";
}

void conn_trace_event(struct transport *t, const struct tcp_conn *c, int kind, const char *from,
		      const char *to, uint64_t number)
{
	struct trace_event e = {
		.kind = (enum trace_kind)kind,
		.layer = LAYER_TRANSPORT,
		.time = t->now,
		.flow = { c->tuple.local, c->tuple.remote, c->tuple.local_port,
			  c->tuple.remote_port },
		.from = from,
		.to = to,
		.number = number,
	};
	t->core->trace->sink(t->core->trace->user, &e);
}

bool conn_synchronized(const struct tcp_conn *c)
{
	return c->state >= TCP_ESTABLISHED;
}

/* The tuple was searched just now, so its hash is known. */
struct tcp_conn *conn_new(struct transport *t, const struct tcp_tuple *tuple)
{
	struct tcp_conn *c = pool_take(&t->conn_pool);
	if (!c)
		return NULL;
	memset(c, 0, sizeof *c);
	c->tuple = *tuple;
	c->path.neighbour = NEIGHBOUR_NO_INDEX;
	timer_init(&c->timer, TIMER_TCP);
	c->timer.owner = (uint32_t)demux_searched(&t->demux);
	list_init(&c->ready);
	return c;
}

void conn_notify(struct transport *t, struct tcp_conn *c, unsigned events)
{
	notify_event(&t->notify, c->sock, events);
}

/* RFC 6928: ten segments, but no more than max(2 MSS, 14600). */
static uint32_t initial_window(const struct transport *t, uint32_t mss)
{
	uint32_t segments = t->config.initial_window * mss;
	uint32_t bytes = 1460 * t->config.initial_window;
	uint32_t bound = bytes > 2 * mss ? bytes : 2 * mss;
	return segments < bound ? segments : bound;
}

const struct endpoint_options *conn_options(struct transport *t, const struct tcp_conn *c)
{
	const struct tcp_listener *l = NULL;
	if (c->flags & CONN_IN_BACKLOG)
		l = listener_find(t, &c->tuple.local, c->tuple.local_port);
	return &t->options[l ? l->sock : c->sock];
}

__attribute__((noinline, cold)) static void flight_rarities(
	struct transport *t, struct tcp_conn *c, const struct endpoint_options *o)
{
	if (c->timer.note) /* it had one before */
		conn_recall(t, c);
	if (o->pacing_most)
		conn_set_pace(t, c, o->pacing_most);
}

struct tcp_flight *conn_flight(struct transport *t, struct tcp_conn *c)
{
	if (c->flight)
		return c->flight;
	struct tcp_flight *f = pool_take(&t->flight_pool);
	if (!f)
		return NULL;
	const struct endpoint_options *o = conn_options(t, c);
	if (__builtin_expect(t->config.mtu_probing == MTU_PROBING_ALWAYS, 0) &&
	    conn_synchronized(c))
		conn_search_begin(t, c);
	memset(f, 0, sizeof *f);
	ring_begin(&f->tx, c->snd_una + !conn_synchronized(c)); /* SYN is no byte */
	ring_begin(&f->rx, c->rcv_nxt - !!(c->flags & CONN_FIN_RECEIVED)); /* FIN is no byte */
	board_init(&f->board, c->snd_una);
	rack_init(&f->rack);
	if (c->rtt.srtt) /* the handshake's */
		min_rtt_take(&f->min_rtt, rtt_smoothed(&c->rtt), t->config.min_rtt_window,
			     t->now);
	f->send_buffer = o->send_buffer ? o->send_buffer : t->config.send_buffer;
	f->receive_buffer = o->receive_buffer ? o->receive_buffer : t->config.receive_buffer;
	if (o->window_clamp && o->window_clamp < f->receive_buffer)
		f->receive_buffer = o->window_clamp;
	f->fin_wait2 = o->fin_wait2 ? o->fin_wait2 : t->config.fin_wait2;
	f->user_timeout = o->user_timeout ? o->user_timeout : t->config.user_timeout;
	f->rto_at = f->ack_at = f->give_up_at = f->reorder_at = f->probe_at = NANOTIME_NEVER;
	f->last_sent = f->last_text = t->now;
	f->snd_wnd_max = c->snd_wnd;
	f->tune_mark = t->now_ms + c->ts_offset;
	f->tune_low = f->rx.low;
	f->snd_small = c->snd_una;
	f->recover = f->ecn_high = c->snd_una - 1;
	f->quick = 8;
	cc_begin(&f->cc, cc_of(o->congestion ? o->congestion : t->config.congestion), c->mss,
		 initial_window(t, c->mss), c->snd_una, t->now);
	f->cc.abrupt_start = t->config.abrupt_start;
	if (f->cc.ops->wants_rate || t->config.measure_rate)
		board_measure(&f->board, &f->rate, t->now);
	f->validated_at = t->now;
	c->flight = f;
	if (__builtin_expect(c->timer.note || o->pacing_most, 0))
		flight_rarities(t, c, o);
	return f;
}

void conn_flight_synchronize(struct transport *t, struct tcp_conn *c)
{
	struct tcp_flight *f = c->flight;
	conn_search_begin(t, c);
	ring_init(&f->rx, c->rcv_nxt);
	f->tune_low = f->rx.low;
	f->snd_wnd_max = c->snd_wnd;
	cc_start(&f->cc, f->cc.ops, c->mss, initial_window(t, c->mss), c->snd_una, t->now);
	f->cc.abrupt_start = t->config.abrupt_start;
	if (f->pacing_most)
		conn_limit_pace(c);
}

void conn_measure(struct transport *t, struct tcp_conn *c)
{
	struct tcp_flight *f = c->flight;
	bool measure = f->cc.ops->wants_rate || t->config.measure_rate;
	board_measure(&f->board, measure ? &f->rate : NULL, t->now);
}

void conn_set_congestion(struct transport *t, struct tcp_conn *c, uint8_t kind)
{
	struct tcp_flight *f = c->flight;
	const struct cc_ops *ops = cc_of(kind ? kind : t->config.congestion);
	if (!f || f->cc.ops == ops)
		return;
	uint32_t cwnd = f->cc.cwnd, ssthresh = f->cc.ssthresh;
	cc_start(&f->cc, ops, c->mss, initial_window(t, c->mss), c->snd_una, t->now);
	f->cc.abrupt_start = t->config.abrupt_start;
	f->cc.cwnd = cwnd;
	f->cc.ssthresh = ops->own_window ? UINT32_MAX : ssthresh;
	conn_set_pace(t, c, f->pacing_most);
	conn_measure(t, c);
	conn_make_ready(t, c);
}

void conn_drop_flight(struct transport *t, struct tcp_conn *c)
{
	struct tcp_flight *f = c->flight;
	if (!f)
		return;
	ring_clear(&f->tx, &t->blocks);
	ring_clear(&f->rx, &t->blocks);
	board_clear(&f->board, &t->range_pool);
	if (__builtin_expect(f->held || f->records, 0)) {
		held_drop(t, f);
		records_end(t, f);
	}
	pool_give(&t->flight_pool, f);
	c->flight = NULL;
}

static void conn_leave_demux(struct transport *t, struct tcp_conn *c)
{
	if (!(c->flags & CONN_IN_DEMUX))
		return;
	demux_remove(&t->demux, c->timer.owner, DEMUX_CONN, c);
	c->flags &= (uint16_t)~CONN_IN_DEMUX;
}

/* MUST-12: ERR_OK where both sides had closed, else why it was not so. */
void conn_die(struct transport *t, struct tcp_conn *c, enum error why)
{
	if (c->state == TCP_CLOSED)
		return;
	if (c->state == TCP_SYN_RECEIVED)
		fast_syn_settled(t, c, why == ERR_RESET);
	if (c->state == TCP_FIN_WAIT_2 && !c->sock)
		t->settled--;
	conn_set_state(t, c, TCP_CLOSED);
	c->error = (uint16_t)why;
	wheel_disarm(t->core->wheel, &c->timer);
	conn_leave_demux(t, c);
	if (c->flight) { /* what was received stays readable; what was to be sent is gone */
		ring_clear(&c->flight->tx, &t->blocks);
		ring_restart(&c->flight->tx, c->snd_una);
		records_end(t, c->flight);
		board_clear(&c->flight->board, &t->range_pool);
	}
	if (c->flags & CONN_RESET_OWED)
		conn_make_ready(t, c);
	if (c->sock)
		conn_notify(t, c,
			    EVENT_READABLE | EVENT_WRITABLE |
				    (why == ERR_OK ? EVENT_CLOSED : EVENT_ERROR));
	else if (!(c->flags & CONN_IN_BACKLOG))
		conn_make_ready(t, c); /* an orphan: the next transmit frees it */
}

__attribute__((noinline, cold)) static void
free_rarities(struct transport *t, struct tcp_conn *c)
{
	if (c->path.route)
		source_route_release(t->internet, c->path.route);
	saved_syn_drop(t, c);
	conn_forget_kept(t, c);
}

void conn_free(struct transport *t, struct tcp_conn *c)
{
	if (__builtin_expect(t->saved_syn_pool.used | c->timer.note | c->path.route, 0))
		free_rarities(t, c);
	wheel_disarm(t->core->wheel, &c->timer);
	conn_leave_demux(t, c);
	conn_drop_flight(t, c);
	if (c->flags & CONN_SHORT)
		conn_forget_memory(t, c);
	list_remove(&c->ready);
	pool_give(&t->conn_pool, c);
}

void conn_give_up(struct transport *t, struct tcp_conn *c)
{
	c->flags &= (uint16_t)~CONN_IN_DEMUX;
	conn_free(t, c);
}

void conn_time_wait(struct transport *t, struct tcp_conn *c)
{
	struct tcp_time_wait *w = pool_take(&t->time_wait_pool);
	if (!w && !list_empty(&t->time_waits)) { /* the oldest makes room */
		time_wait_free(t, list_entry(t->time_waits.next, struct tcp_time_wait, link));
		w = pool_take(&t->time_wait_pool);
	}
	wheel_disarm(t->core->wheel, &c->timer);
	if (w) {
		w->tuple = c->tuple;
		w->expires = t->now + 2 * t->config.msl; /* MUST-13 */
		w->snd_nxt = c->snd_nxt;
		w->rcv_nxt = c->rcv_nxt;
		w->ts_recent = c->ts_recent;
		w->ts_offset = c->ts_offset;
		w->window = (uint16_t)(conn_rcv_wnd(c) >> c->rcv_wscale);
		w->options = (uint8_t)(c->flags & (CONN_TIMESTAMPS | CONN_SACK));
		w->challenged = false;
		w->tos = c->tos;
		w->hop_limit = c->hop_limit;
		w->hash = c->timer.owner;
		demux_replace(&t->demux, w->hash, DEMUX_CONN, c, DEMUX_TIME_WAIT, w);
		c->flags &= (uint16_t)~CONN_IN_DEMUX;
		list_push_back(&t->time_waits, &w->link);
		if (!timer_armed(&t->time_wait_timer))
			wheel_arm(t->core->wheel, &t->time_wait_timer, w->expires);
	}
	conn_leave_demux(t, c);
	if (c->sock && !tcp_readable(c)) /* its owner may take long to close it */
		conn_drop_flight(t, c);
	conn_notify(t, c, EVENT_CLOSED);
}

void conn_catch_up(struct transport *t, struct tcp_conn *c)
{
	if (c->fast_open)
		fast_syn_established(t, c);
	if (c->flags & CONN_KEEPALIVE)
		conn_arm(t, c, t->now + conn_keep_idle(t, c));
	if (c->flags & CONN_FIN_QUEUED)
		conn_set_state(t, c, TCP_FIN_WAIT_1); /* closed meanwhile: 3.10.4 */
}

/* MUST-15: without an option the send MSS is 536 or 1220; a floor keeps tiny ones from
 * multiplying the work (CVE-2019-11479). */
void conn_set_peer_mss(struct transport *t, struct tcp_conn *c, uint16_t mss)
{
	if (mss == 0)
		mss = addr_is4(&c->tuple.remote) ? 536 : 1220;
	uint16_t most = conn_options(t, c)->mss;
	if (most && most < mss)
		mss = most;
	c->peer_mss = mss < t->config.mss_min ? t->config.mss_min : mss;
}

/* MUST-16: what the path takes, what the peer takes, less what options take. */
void conn_update_mss(struct tcp_conn *c)
{
	uint32_t ip = addr_is4(&c->tuple.remote) ? IP4_HEADER : IP6_HEADER;
	uint32_t mtu = c->path.mtu ? c->path.mtu : (ip == IP4_HEADER ? 576 : IP6_MIN_MTU);
	uint32_t mss = mtu - ip - TCP_HEADER;
	if (c->peer_mss < mss)
		mss = c->peer_mss;
	/* RFC 6691: the MSS option counts no TCP options; a segment does. */
	if (c->flags & CONN_TIMESTAMPS)
		mss -= 12;
	c->mss = (uint16_t)mss;
	struct tcp_flight *f = c->flight;
	if (!f)
		return;
	f->cc.mss = mss;
	if (f->cc.cwnd < mss) /* the loss window of a smaller segment would let none of these go */
		f->cc.cwnd = mss;
	if (f->cc.initial < mss) /* nor would what is left of it after a silence (RFC 5681 4.1) */
		f->cc.initial = mss;
}

bool conn_may_challenge(struct transport *t, struct tcp_conn *c)
{
	uint16_t stamp = (uint16_t)(t->now_ms / 16);
	if (c->flags & CONN_CHALLENGED &&
	    (uint16_t)(stamp - c->challenge_at) < t->config.challenge_rate / 16)
		return false;
	c->flags |= CONN_CHALLENGED;
	c->challenge_at = stamp;
	return true;
}
