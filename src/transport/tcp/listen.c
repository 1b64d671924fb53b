/*
 * Listeners and half-open connections. A SYN makes an embryo of 96 bytes that
 * remembers what the SYN said; the ACK that completes the handshake turns it into a
 * connection in the listener's queue. Embryos wait in lists by number of tries, where
 * deadlines are in order, so that one timer serves all. When many of them wait, a
 * SYN is answered with a cookie (cookie.h) and nothing is kept; where cookies are
 * off, the oldest of the most-retried embryos makes room in a full pool.
 */
#include "transport/tcp/cookie.h"
#include "transport/tcp/ecn.h"
#include "transport/tcp/saved_syn.h"

#define EMBRYO_QUEUES 8
#define EMBRYO_NO_WSCALE 0xff
#define REOPEN_GAP       65537u

struct tcp_listener *listener_find(struct transport *t, const struct addr *local, uint16_t port)
{
	struct tcp_listener *any = NULL;
	list_each(at, &t->listener_port[port % PORT_BUCKETS])
	{
		struct tcp_listener *l = list_entry(at, struct tcp_listener, link);
		if (l->port != port)
			continue;
		if (addr_equal(&l->local, local))
			return l;
		bool four = addr_is4(local);
		if (addr_is_any(&l->local) && !(four && l->v6_only) && !(!four && l->v4_only))
			any = l;
	}
	return any;
}

static void embryo_free(struct transport *t, struct tcp_embryo *e)
{
	list_remove(&e->link);
	demux_remove(&t->demux, (uint32_t)tuple_hash(t->demux.key, &e->tuple), DEMUX_EMBRYO, e);
	saved_syn_forget(t, e);
	pool_give(&t->embryo_pool, e);
}

bool embryo_unreachable(struct transport *t, struct tcp_embryo *e, uint32_t seq)
{
	if (seq != e->iss)
		return false;
	embryo_free(t, e);
	return true;
}

/* The longest waiting of those that were asked most often. */
static struct tcp_embryo *embryo_oldest(struct transport *t)
{
	for (int i = EMBRYO_QUEUES - 1; i >= 0; i--)
		if (!list_empty(&t->embryo_wait[i]))
			return list_entry(t->embryo_wait[i].next, struct tcp_embryo, link);
	return NULL;
}

static struct tcp_embryo *embryo_new(struct transport *t, const struct tcp_tuple *tuple)
{
	struct tcp_embryo *e = pool_take(&t->embryo_pool);
	if (!e) {
		struct tcp_embryo *old = embryo_oldest(t);
		if (!old)
			return NULL;
		embryo_free(t, old);
		e = pool_take(&t->embryo_pool);
	}
	e->tuple = *tuple;
	list_init(&e->link);
	if (!demux_add(&t->demux, demux_searched(&t->demux), DEMUX_EMBRYO, e)) {
		pool_give(&t->embryo_pool, e);
		return NULL;
	}
	return e;
}

/* What the SYN said, and our numbers for it; beyond those of an old connection, if it says so. */
static void embryo_fill(struct transport *t, const struct tcp_listener *l, struct tcp_embryo *e,
			const struct rx *rx, const struct tcp_segment *seg,
			const uint32_t *beyond)
{
	const struct tcp_options *o = &seg->h.options;
	struct tcp_secret_numbers n = tcp_secret_numbers(t, &e->tuple, t->now);
	e->iss = n.isn;
	if (beyond && !seq_gt(e->iss, *beyond))
		e->iss = *beyond + REOPEN_GAP;
	e->ts_offset = n.ts_offset;
	e->irs = seg->seq;
	e->window = seg->h.window;
	e->peer_mss = o->has & TCP_HAS_MSS ? o->mss : 0;
	e->wscale = o->has & TCP_HAS_WSCALE && t->config.window_scaling
			    ? (o->wscale > 14 ? 14 : o->wscale)
			    : EMBRYO_NO_WSCALE;
	e->ts_recent = e->options = 0;
	e->ecn = ecn_of_syn(ecn_use(t, l->sock), rx, seg);
	if (o->has & TCP_HAS_TIMESTAMPS && t->config.timestamps) {
		e->options |= CONN_TIMESTAMPS;
		e->ts_recent = o->tsval;
	}
	if (o->has & TCP_HAS_SACK_PERMITTED && t->config.sack)
		e->options |= CONN_SACK;
	e->listener = (uint16_t)pool_index(&t->listener_pool, l);
	e->tries = 0;
	e->cookie = COOKIE_NONE;
}

static uint32_t listener_window(const struct transport *t, const struct tcp_listener *l)
{
	uint32_t bytes = t->options[l->sock].first_window;
	return bytes ? bytes : t->config.receive_buffer;
}

static struct tcp_reply syn_ack_of(const struct transport *t, const struct tcp_embryo *e)
{
	const struct tcp_listener *l = pool_at(&t->listener_pool, e->listener);
	uint32_t buffer = listener_window(t, l);
	return (struct tcp_reply){
		.tos = t->options[l->sock].tos,
		.hop_limit = t->options[l->sock].hop_limit,
		.tuple = e->tuple,
		.seq = e->iss,
		.ack = e->irs + 1,
		.flags = TCP_SYN | TCP_ACK | ecn_of_syn_ack(e->ecn, e->tries),
		.accecn = e->ecn & CONN_ACCURATE && !e->tries,
		.window = (uint16_t)(buffer > 65535 ? 65535 : buffer),
		.why = e->tries ? WHY_SYN_RETRANSMIT : WHY_SYN_ACK,
		.timestamps = e->options & CONN_TIMESTAMPS,
		.sack = e->options & CONN_SACK,
		.scale = e->wscale != EMBRYO_NO_WSCALE,
		.wscale = tcp_window_shift(t, buffer),
		.mss = t->options[l->sock].mss,
		.cookie = e->cookie,
		.tsval = t->now_ms + e->ts_offset,
		.tsecr = e->ts_recent,
	};
}

static enum syn_cookies listener_cookies(const struct transport *t, const struct tcp_listener *l)
{
	uint8_t own = t->options[l->sock].syn_cookies;
	return own ? own : t->config.syn_cookies;
}

static bool cookie_due(const struct transport *t, const struct tcp_listener *l)
{
	if (t->embryo_pool.used < t->config.syn_cookie_threshold)
		return listener_cookies(t, l) == SYN_COOKIES_ALWAYS;
	return listener_cookies(t, l) != SYN_COOKIES_OFF;
}

/* Answers a SYN with a cookie: RFC 4987 3.6. False: the cookie does not lie beyond the old
 * connection's numbers, and can't be moved there. */
static bool cookie_answer(struct transport *t, struct tcp_listener *l, struct rx *rx,
			  const struct tcp_segment *seg, const struct tcp_tuple *tuple,
			  const uint32_t *beyond)
{
	struct tcp_embryo e = { .tuple = *tuple };
	embryo_fill(t, l, &e, rx, seg, NULL);
	struct cookie_terms terms = {
		.mss = e.peer_mss,
		.wscale = e.wscale == EMBRYO_NO_WSCALE ? COOKIE_NO_WSCALE : e.wscale,
		.sack = e.options & CONN_SACK,
		.ecn = e.ecn == CONN_ECN,
	};
	e.iss = cookie_make(&t->cookie_key, tuple, e.irs, e.ts_offset, terms.mss, t->now);
	if (beyond && !seq_gt(e.iss, *beyond))
		return false;
	struct tcp_reply *r = tcp_reply_new(t);
	if (!r) {
		rx_drop(rx, DROP_TCP_TABLE_FULL);
		return true;
	}
	if (!(e.options & CONN_TIMESTAMPS)) { /* no place to keep these */
		e.options = 0;
		e.ecn &= e.ecn & CONN_ACCURATE ? 0xff : 0; /* its ACK will tell: RFC 9768 5.1 */
		e.wscale = EMBRYO_NO_WSCALE;
	}
	*r = syn_ack_of(t, &e);
	r->why = WHY_SYN_COOKIE;
	r->tsval = cookie_stamp(t->now_ms, &terms) + e.ts_offset;
	l->cookies_until = t->now + 2 * COOKIE_PERIOD;
	rx_fate(rx, FATE_ANSWERED);
	return true;
}

static bool cookie_taken(struct transport *t, struct tcp_listener *l, struct rx *rx,
			 struct tcp_segment *seg, const struct tcp_tuple *tuple);

/* RFC 9293 3.10.7.2 */
void listener_input(struct transport *t, struct tcp_listener *l, struct rx *rx,
		    struct tcp_segment *seg, const struct tcp_tuple *tuple, const uint32_t *beyond)
{
	if (seg->flags & TCP_RST) {
		rx_drop(rx, DROP_TCP_NOT_SYN);
		return;
	}
	if (seg->flags & TCP_ACK) {
		if (t->now < l->cookies_until && cookie_taken(t, l, rx, seg, tuple))
			return;
		tcp_reply_reset(t, rx, seg, tuple);
		rx_drop(rx, DROP_TCP_NO_CONNECTION);
		return;
	}
	/* SYN and FIN together open nothing (TCP-40). */
	if ((seg->flags & (TCP_SYN | TCP_FIN)) != TCP_SYN) {
		rx_drop(rx, DROP_TCP_NOT_SYN);
		return;
	}
	if (!listener_has_room(l)) {
		rx_drop(rx, DROP_TCP_BACKLOG_FULL);
		return;
	}
	/* Where a TIME-WAIT made room an embryo may take it: a flood can't ask for many. */
	if (cookie_due(t, l) && cookie_answer(t, l, rx, seg, tuple, beyond))
		return;
	enum cookie_form cookie = COOKIE_NONE;
	if (l->fast_open_max && fast_syn_allowed(t, l, seg, tuple, &cookie)) {
		struct tcp_embryo fast = { .tuple = *tuple };
		embryo_fill(t, l, &fast, rx, seg, beyond);
		fast.cookie = (uint8_t)cookie;
		if (fast_syn_accept(t, l, &fast, rx, seg))
			return;
	}
	struct tcp_embryo *e = embryo_new(t, tuple);
	if (!e) {
		rx_drop(rx, DROP_TCP_TABLE_FULL);
		return;
	}
	embryo_fill(t, l, e, rx, seg, beyond);
	e->cookie = (uint8_t)cookie;
	e->deadline = t->now + t->config.rto_initial;
	list_push_back(&t->embryo_due, &e->link);
	saved_syn_take(t, l, e, rx);
	rx_fate(rx, FATE_ANSWERED);
}

/* To its place among those that were asked as often: the list is in the order of deadlines. */
static void embryo_await(struct transport *t, struct tcp_embryo *e)
{
	unsigned queue = e->tries < EMBRYO_QUEUES ? e->tries : EMBRYO_QUEUES - 1u;
	struct list *head = &t->embryo_wait[queue], *after = head->prev;
	while (after != head && list_entry(after, struct tcp_embryo, link)->deadline > e->deadline)
		after = after->prev;
	list_push_front(after, &e->link);
	if (!timer_armed(&t->embryo_timer) || e->deadline < t->embryo_timer.deadline)
		wheel_arm(t->core->wheel, &t->embryo_timer, e->deadline);
}

/* Counted from here, whenever that is: so the deadlines in a queue are in order. */
static void embryo_count_down(struct transport *t, struct tcp_embryo *e)
{
	e->deadline = t->now + rtt_backoff(t->config.rto_initial, e->tries, t->config.rto_max);
	embryo_await(t, e);
}

unsigned embryo_transmit(struct transport *t, unsigned budget)
{
	unsigned sent = 0;
	struct list held, *l;
	list_init(&held);
	while (sent < budget && (l = list_pop_front(&t->embryo_due))) {
		struct tcp_embryo *e = list_entry(l, struct tcp_embryo, link);
		struct tcp_reply r = syn_ack_of(t, e);
		if (!tcp_reply_try(t, &r)) { /* its link is full */
			list_push_back(&held, l);
			continue;
		}
		embryo_count_down(t, e);
		sent++;
	}
	list_splice_back(&t->embryo_due, &held); /* for the next call */
	return sent;
}

static uint8_t embryo_defers(const struct transport *t, const struct tcp_embryo *e)
{
	const struct tcp_listener *l = pool_at(&t->listener_pool, e->listener);
	return t->options[l->sock].defer_accept;
}

/* Its SYN-ACK goes once more, and counts: deadlines stay in order, answers are few. A peer that has
 * acknowledged it needs none before the last, which asks for the ACK that will count. */
static void embryo_again(struct transport *t, struct tcp_embryo *e)
{
	bool silent = e->options & EMBRYO_ACKED && e->tries + 1 < embryo_defers(t, e);
	if (e->tries < t->config.syn_ack_retries)
		e->tries++;
	list_remove(&e->link);
	if (silent)
		embryo_count_down(t, e);
	else
		list_push_back(&t->embryo_due, &e->link);
}

#define DEFER_GRACE NANO_S /* data may follow its ACK so closely */

/* The handshake's ACK came without data, and the listener waits for data: not accepted yet. */
static bool embryo_deferred(struct transport *t, struct tcp_embryo *e,
			    const struct tcp_segment *seg)
{
	if (segment_len(seg) || e->tries >= embryo_defers(t, e))
		return false;
	e->options |= EMBRYO_ACKED;
	if (e->deadline < t->now + DEFER_GRACE / 2) { /* not with each ACK: the list is walked */
		e->deadline = t->now + DEFER_GRACE;
		list_remove(&e->link);
		embryo_await(t, e);
	}
	return true;
}

void embryo_timer(struct transport *t)
{
	nanotime next = NANOTIME_NEVER;
	for (unsigned i = 0; i < EMBRYO_QUEUES; i++) {
		while (!list_empty(&t->embryo_wait[i])) {
			struct tcp_embryo *e =
				list_entry(t->embryo_wait[i].next, struct tcp_embryo, link);
			if (e->deadline > t->now) {
				next = nanotime_min(next, e->deadline);
				break;
			}
			if (e->tries >= t->config.syn_ack_retries) {
				embryo_free(t, e);
				continue;
			}
			embryo_again(t, e);
		}
	}
	if (next != NANOTIME_NEVER)
		wheel_arm(t->core->wheel, &t->embryo_timer, next);
}

void embryo_forget_listener(struct transport *t, unsigned listener)
{
	for (unsigned i = 0; i <= EMBRYO_QUEUES; i++) {
		struct list *head = i < EMBRYO_QUEUES ? &t->embryo_wait[i] : &t->embryo_due;
		list_each_safe(at, head)
		{
			struct tcp_embryo *e = list_entry(at, struct tcp_embryo, link);
			if (e->listener == listener)
				embryo_free(t, e);
		}
	}
}

struct tcp_conn *embryo_conn(struct transport *t, struct tcp_listener *l,
			     const struct tcp_embryo *e, const struct tcp_segment *seg)
{
	if (l->waiting >= l->backlog)
		return NULL;
	struct tcp_conn *c = conn_new(t, &e->tuple);
	if (!c)
		return NULL;
	uint32_t buffer = listener_window(t, l);
	const struct endpoint_options *o = &t->options[l->sock];
	int asked = (o->nodelay ? CONN_NODELAY : 0) | (o->keepalive ? CONN_KEEPALIVE : 0);
	c->flags = (uint16_t)((e->options & (CONN_TIMESTAMPS | CONN_SACK)) | asked | CONN_IN_DEMUX |
			      CONN_IN_BACKLOG);
	c->tos = o->tos;
	c->hop_limit = o->hop_limit;
	c->ecn = e->ecn;
	if (c->ecn & CONN_ACCURATE && e->tries >= ACE_SYN_ACK_TRIES) /* a plain one went: 3.1.5 */
		c->ecn |= CONN_ACE_NOT_ECT;
	c->snd_una = c->snd_nxt = c->snd_end = e->iss + 1;
	c->rcv_nxt = c->last_ack_sent = e->irs + 1;
	/* The third segment's timestamp is the newest (RFC 7323 4.3). */
	bool stamped = e->options & CONN_TIMESTAMPS && seg->h.options.has & TCP_HAS_TIMESTAMPS &&
		       seq_le(seg->seq, e->irs + 1);
	c->ts_recent = stamped ? seg->h.options.tsval : e->ts_recent;
	c->ts_recent_at = c->heard = t->now_ms;
	c->ts_offset = e->ts_offset;
	if (e->wscale != EMBRYO_NO_WSCALE) {
		c->snd_wscale = e->wscale;
		c->rcv_wscale = tcp_window_shift(t, buffer);
	}
	c->rcv_edge = c->rcv_nxt + (c->rcv_wscale || buffer < 65535 ? buffer : 65535);
	c->snd_wnd = (uint32_t)seg->h.window << c->snd_wscale;
	c->snd_wl1 = seg->seq;
	c->snd_wl2 = seg->ack;
	c->state = TCP_SYN_RECEIVED;
	conn_set_peer_mss(t, c, e->peer_mss);
	transport_path(t, &c->path, &c->tuple.remote);
	if (__builtin_expect(t->internet->routed, 0))
		conn_find_route(t, c);
	conn_update_mss(c);
	return c;
}

void listener_enqueue(struct transport *t, struct tcp_listener *l, struct tcp_conn *c)
{
	l->accepted[(l->head + l->waiting++) % t->config.backlog_max] =
		pool_index(&t->conn_pool, c);
	notify_event(&t->notify, l->sock, EVENT_READABLE);
}

/* The handshake is complete, and its last segment may carry more. */
static void conn_open(struct transport *t, struct tcp_listener *l, struct tcp_conn *c,
		      struct rx *rx, struct tcp_segment *seg)
{
	conn_established(t, c);
	listener_enqueue(t, l, c);
	internet_confirm(t->internet, &c->path, t->now);
	if (seg->text_len && !conn_take_sequence(t, c, rx, seg)) /* text obeys the window */
		return;
	if (seg->text_len && seg->flags & TCP_URG)
		conn_take_urgent(t, c, seg);
	if (c->ecn)
		conn_take_ecn(t, c, rx, seg);
	if (seg->text_len)
		conn_take_text(t, c, rx, seg);
	if (seg->flags & TCP_FIN)
		conn_take_fin(t, c, seg);
}

static struct tcp_conn *embryo_grow(struct transport *t, struct tcp_listener *l,
				    struct tcp_embryo *e, const struct tcp_segment *seg)
{
	struct tcp_conn *c = embryo_conn(t, l, e, seg);
	if (!c)
		return NULL;
	if (e->tries == 0 && !(e->options & EMBRYO_ACKED)) /* the SYN-ACK was sent once: Karn */
		rtt_sample(&c->rtt, t->now - (e->deadline - t->config.rto_initial));
	else if (e->tries) /* first sent as long before the last as the waits add up to */
		conn_syn_repeated(t, c, seg,
				  t->now - e->deadline - t->config.rto_initial +
					  2 * rtt_backoff(t->config.rto_initial, e->tries,
							  t->config.rto_max));
	demux_replace(&t->demux, c->timer.owner, DEMUX_EMBRYO, e, DEMUX_CONN, c);
	list_remove(&e->link);
	saved_syn_move(t, e, c);
	pool_give(&t->embryo_pool, e);
	return c;
}

/* What the echoed timestamp tells; one that we can't have sent with a cookie tells nothing. */
static void cookie_terms_of(const struct transport *t, struct tcp_embryo *e,
			    const struct tcp_options *o)
{
	uint32_t stamp = o->tsecr - e->ts_offset;
	if (!(o->has & TCP_HAS_TIMESTAMPS) || !t->config.timestamps ||
	    t->now_ms - stamp > 2 * COOKIE_PERIOD / NANO_MS)
		return;
	struct cookie_terms terms;
	cookie_unstamp(stamp, &terms);
	e->options = (uint8_t)(CONN_TIMESTAMPS | (terms.sack && t->config.sack ? CONN_SACK : 0));
	e->ecn = terms.ecn ? CONN_ECN : 0;
	e->ts_recent = o->tsval;
	if (terms.wscale != COOKIE_NO_WSCALE && t->config.window_scaling)
		e->wscale = terms.wscale;
}

/* Does this ACK bring a cookie back? Then the connection exists from now on. */
static bool cookie_taken(struct transport *t, struct tcp_listener *l, struct rx *rx,
			 struct tcp_segment *seg, const struct tcp_tuple *tuple)
{
	if (seg->flags & TCP_SYN)
		return false;
	struct tcp_embryo e = {
		.tuple = *tuple,
		.iss = seg->ack - 1,
		.irs = seg->seq - 1,
		.ts_offset = tcp_secret_numbers(t, tuple, t->now).ts_offset,
		.wscale = EMBRYO_NO_WSCALE,
	};
	if (!cookie_open(&t->cookie_key, tuple, e.irs, e.ts_offset, e.iss, t->now, &e.peer_mss))
		return false;
	cookie_terms_of(t, &e, &seg->h.options);
	if (!e.ecn)
		e.ecn = ecn_of_cookie(ecn_use(t, l->sock), seg);
	struct tcp_conn *c = embryo_conn(t, l, &e, seg);
	if (c && !demux_add(&t->demux, demux_searched(&t->demux), DEMUX_CONN, c)) {
		conn_give_up(t, c);
		c = NULL;
	}
	if (c)
		conn_open(t, l, c, rx, seg);
	else /* it is the peer's right to try again: no reset */
		rx_drop(rx, DROP_TCP_BACKLOG_FULL);
	return true;
}

/* Does it begin in the window that our SYN-ACK offered? */
static bool embryo_in_window(const struct transport *t, const struct tcp_embryo *e,
			     const struct tcp_segment *seg)
{
	uint32_t buffer = listener_window(t, pool_at(&t->listener_pool, e->listener));
	return seg->seq - (e->irs + 1) < (buffer > 65535 ? 65535 : buffer);
}

/* Not too often: RFC 5961 7. */
static bool embryo_may_challenge(const struct transport *t, struct tcp_embryo *e)
{
	uint16_t stamp = (uint16_t)(t->now_ms / 16);
	if (e->options & EMBRYO_CHALLENGED &&
	    (uint16_t)(stamp - e->challenge_at) < t->config.challenge_rate / 16)
		return false;
	e->options |= EMBRYO_CHALLENGED;
	e->challenge_at = stamp;
	return true;
}

/* What we have and wait for: to what is not acceptable (RFC 9293 3.10.7.4), to resets and SYNs that
 * anybody may have sent (RFC 5961 3.2, 4.2). */
static void embryo_challenge(struct transport *t, struct tcp_embryo *e)
{
	struct tcp_reply *r = embryo_may_challenge(t, e) ? tcp_reply_new(t) : NULL;
	if (!r)
		return;
	const struct tcp_listener *l = pool_at(&t->listener_pool, e->listener);
	uint32_t window = listener_window(t, l);
	if (e->wscale != EMBRYO_NO_WSCALE)
		window >>= tcp_window_shift(t, window);
	r->tuple = e->tuple;
	r->tos = t->options[l->sock].tos;
	r->hop_limit = t->options[l->sock].hop_limit;
	r->why = WHY_ACK_CHALLENGE;
	r->seq = e->iss + 1;
	r->ack = e->irs + 1;
	r->flags = (uint16_t)(TCP_ACK | ecn_uncounted(e->ecn));
	r->window = (uint16_t)(window > 65535 ? 65535 : window);
	r->timestamps = e->options & CONN_TIMESTAMPS;
	r->tsval = t->now_ms + e->ts_offset;
	r->tsecr = e->ts_recent;
}

/* RFC 9293 3.10.7.4 for SYN-RECEIVED. */
void embryo_input(struct transport *t, struct tcp_embryo *e, struct rx *rx,
		  struct tcp_segment *seg)
{
	uint32_t next = e->irs + 1;
	/* The SYN again: our answer was lost. Another SYN: the peer began anew, and resets what it
	 * does not know when it hears it (RFC 9293 3.5.1). */
	if ((seg->flags & (TCP_SYN | TCP_ACK | TCP_RST)) == TCP_SYN) {
		/* Also when nothing more goes by itself: who still asks would have to wait for the
		 * end of this one. */
		if (e->tries >= t->config.syn_ack_retries && !embryo_may_challenge(t, e)) {
			rx_drop(rx, DROP_TCP_SYN_IN_WINDOW);
			return;
		}
		e->options &= (uint8_t)~EMBRYO_ACKED;
		const struct tcp_listener *l = pool_at(&t->listener_pool, e->listener);
		/* Another SYN, which anybody may have sent, changes nothing of what was agreed. */
		if (seg->seq == e->irs &&
		    !ecn_of_syn_again(ecn_use(t, l->sock), &e->ecn, rx, seg)) {
			tcp_reply_reset(t, rx, seg, &e->tuple);
			embryo_free(t, e);
			rx_drop(rx, DROP_TCP_SYN_IN_WINDOW);
			return;
		}
		embryo_again(t, e);
		rx_fate(rx, FATE_ANSWERED);
		return;
	}
	if (e->options & CONN_TIMESTAMPS && seg->h.options.has & TCP_HAS_TIMESTAMPS &&
	    !(seg->flags & TCP_RST) && seq_lt(seg->h.options.tsval, e->ts_recent)) {
		embryo_challenge(t, e); /* RFC 7323 5.3 (R1) */
		rx_drop(rx, DROP_TCP_PAWS);
		return;
	}
	if (seg->seq != next && !embryo_in_window(t, e, seg)) {
		if (!(seg->flags & TCP_RST))
			embryo_challenge(t, e);
		rx_drop(rx, DROP_TCP_SEQUENCE);
		return;
	}
	/* Exactly in sequence, or challenged: RFC 5961 3.2. A peer opened it: nobody is told
	 * (MUST-11). */
	if (seg->flags & TCP_RST) {
		if (seg->seq != next) {
			embryo_challenge(t, e);
			rx_drop(rx, DROP_TCP_RESET_SEQUENCE);
			return;
		}
		embryo_free(t, e);
		rx_fate(rx, FATE_DELIVERED);
		return;
	}
	if (seg->flags & TCP_SYN) {
		embryo_challenge(t, e);
		rx_drop(rx, DROP_TCP_SYN_IN_WINDOW);
		return;
	}
	if (!(seg->flags & TCP_ACK)) {
		rx_drop(rx, DROP_TCP_ACK_MISSING);
		return;
	}
	if (seg->ack != e->iss + 1) {
		tcp_reply_reset(t, rx, seg, &e->tuple);
		rx_drop(rx, DROP_TCP_ACK_UNSENT);
		return;
	}
	if (embryo_deferred(t, e, seg)) {
		rx_fate(rx, FATE_DELIVERED);
		return;
	}
	struct tcp_listener *l = pool_at(&t->listener_pool, e->listener);
	struct tcp_conn *c = embryo_grow(t, l, e, seg);
	if (!c) {
		rx_drop(rx, DROP_TCP_BACKLOG_FULL);
		return;
	}
	conn_open(t, l, c, rx, seg);
}
