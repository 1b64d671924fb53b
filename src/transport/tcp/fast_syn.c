/*
 * Fast Open (RFC 7413) at the two ends of a SYN.
 *
 * A client's connection that asked for it waits in SYN-SENT, when the server's cookie
 * is known, until there is data; then the SYN goes with both. When the cookie is not
 * known, the SYN asks for it. Any SYN after a timeout is a plain one, for paths that
 * swallow what they do not know (4.1.3). What the server did not take of the data is
 * sent again at once after the handshake, as a retransmission that says nothing of
 * congestion.
 *
 * A server's connection exists from such a SYN on, in SYN-RECEIVED and in its
 * listener's queue, with the data readable; the answer may go at once. How many of
 * these a listener has is bounded, and one that ends in a reset counts for a minute
 * more: who spoofs SYNs with a stolen cookie and has the real host reset them gains
 * nothing (5.1).
 */
#include "transport/tcp/fast_open.h"
#include "transport/tcp/records.h"
#include "transport/tcp/saved_syn.h"

#define OPTIONS_MAX 40              /* a SYN leaves room for all the options there could be */
#define RESET_COUNTS (60 * NANO_S)

void fast_syn_init(struct transport *t)
{
	static const uint8_t none[16];
	uint8_t key[16];
	memcpy(key, t->config.fast_open_key, sizeof key);
	if (memcmp(key, none, sizeof key) == 0) {
		for (unsigned i = 0; i < 2; i++) {
			/* no other use of the secret hashes this */
			uint64_t word[] = { UINT64_C(0x46617374204f7065), i };
			uint64_t half = hash_secret(&t->secret, word, 2);
			memcpy(key + (size_t)i * 8, &half, sizeof half);
		}
	}
	fast_open_add_key(&t->fast_open_keys, key);
}

void tcp_fast_open_key(struct transport *t, const uint8_t key[16])
{
	fast_open_add_key(&t->fast_open_keys, key);
}

/* The server's side */

void tcp_listener_key(struct tcp_listener *l, const uint8_t key[16])
{
	fast_open_add_key(&l->fast_open_keys, key);
}

const struct fast_open_keys *fast_syn_keys(const struct transport *t, const struct tcp_listener *l)
{
	return l && l->fast_open_keys.count ? &l->fast_open_keys : &t->fast_open_keys;
}

void tcp_fast_open(struct transport *t, struct tcp_listener *l, uint32_t most)
{
	if (!most && t->config.fast_open & FAST_OPEN_SERVER_ALL)
		most = l->backlog;
	l->fast_open_max = most;
}

static bool queue_has_room(const struct transport *t, struct tcp_listener *l)
{
	if (t->now >= l->fast_open_resets_until)
		l->fast_open_resets = 0;
	return l->fast_open_pending + l->fast_open_resets < l->fast_open_max;
}

bool fast_syn_allowed(struct transport *t, struct tcp_listener *l, const struct tcp_segment *seg,
		      const struct tcp_tuple *tuple, enum cookie_form *cookie)
{
	const struct tcp_options *o = &seg->h.options;
	bool asked = o->has & TCP_HAS_FAST_OPEN;
	bool without = t->config.fast_open & FAST_OPEN_SERVER_NO_COOKIE && (asked || seg->text_len);
	if (!(t->config.fast_open & FAST_OPEN_SERVER) || !(asked || without))
		return false;
	enum cookie_form form = o->has & TCP_HAS_FAST_OPEN && o->fast_open_experimental
					? COOKIE_EXPERIMENTAL
					: COOKIE_OPTION;
	int key = -1;
	if (asked && o->fast_open_len)
		key = fast_open_check(fast_syn_keys(t, l), &tuple->local, &tuple->remote,
				      o->fast_open, o->fast_open_len);
	if (asked && key != 0) /* 4.2.2: none, a wrong one, or one of the key before */
		*cookie = form;
	if (key < 0 && !without)
		return false;
	if (queue_has_room(t, l))
		return true;
	*cookie = COOKIE_NONE;
	return false;
}

bool fast_syn_accept(struct transport *t, struct tcp_listener *l, const struct tcp_embryo *e,
		     struct rx *rx, struct tcp_segment *seg)
{
	struct tcp_conn *c = embryo_conn(t, l, e, seg);
	if (!c)
		return false;
	c->snd_una = e->iss;
	c->snd_wnd = seg->h.window; /* never scaled: RFC 7323 2.2 */
	c->snd_wl2 = e->iss;
	c->heard = (uint32_t)(t->now / NANO_US);
	c->fast_open = true;
	c->flags |= CONN_SYN_OWED;
	struct tcp_flight *f = conn_flight(t, c);
	if (!f || !demux_add(&t->demux, demux_searched(&t->demux), DEMUX_CONN, c)) {
		conn_give_up(t, c);
		return false;
	}
	f->fast_open_cookie = e->cookie;
	f->fast_open_listener = e->listener;
	f->fast_open_generation = l->generation;
	l->fast_open_pending++;
	saved_syn_take(t, l, c, rx);
	listener_enqueue(t, l, c);
	conn_arm(t, c, t->now + t->config.rto_initial);
	conn_make_ready(t, c);
	seg->flags &= (uint16_t)~TCP_SYN;
	seg->seq++;
	if (seg->text_len && conn_take_sequence(t, c, rx, seg))
		conn_take_text(t, c, rx, seg);
	return true;
}

void fast_syn_settled(struct transport *t, struct tcp_conn *c, bool reset)
{
	struct tcp_flight *f = c->flight;
	if (!f || !f->fast_open_generation)
		return;
	struct tcp_listener *l = pool_at(&t->listener_pool, f->fast_open_listener);
	if (l->used && l->generation == f->fast_open_generation) {
		l->fast_open_pending--;
		if (reset) {
			l->fast_open_resets++;
			l->fast_open_resets_until = t->now + RESET_COUNTS;
		}
	}
	f->fast_open_generation = 0;
}

void fast_syn_established(struct transport *t, struct tcp_conn *c)
{
	struct tcp_flight *f = c->flight;
	if (!f || !f->fast_open_generation)
		return; /* a client's */
	fast_syn_settled(t, c, false);
	if (!f->bytes_received)
		c->fast_open = false;
	conn_search_begin(t, c);
	if (c->snd_nxt != c->snd_una) { /* the answer went ahead; so far the SYN-ACK's timer ran */
		conn_arm_rto(t, c);
		f->give_up_at = t->now + f->user_timeout;
	}
	conn_arm(t, c, f->ack_at);
}

/* The client's side */

uint32_t fast_syn_room(const struct transport *t, const struct tcp_conn *c)
{
	const struct fast_open_entry *e = fast_open_find(&t->fast_open_cache, &c->tuple.remote);
	uint32_t ip = addr_is4(&c->tuple.remote) ? IP4_HEADER : IP6_HEADER;
	uint32_t mss = c->path.mtu > ip + TCP_HEADER ? c->path.mtu - ip - TCP_HEADER : 0;
	if (e && e->mss && e->mss < mss)
		mss = e->mss;
	uint16_t own = t->options[c->sock].mss;
	if (own && own < mss)
		mss = own;
	return mss > OPTIONS_MAX ? mss - OPTIONS_MAX : 0;
}

/* May data go in a SYN to this server? */
static bool data_may_go(const struct transport *t, const struct fast_open_entry *e)
{
	return (e && e->cookie_len) || t->config.fast_open & FAST_OPEN_CLIENT_NO_COOKIE;
}

bool fast_syn_begin(struct transport *t, struct tcp_conn *c)
{
	const struct fast_open_entry *e = fast_open_find(&t->fast_open_cache, &c->tuple.remote);
	if (!(t->config.fast_open & FAST_OPEN_CLIENT) || (e && e->paused_until > t->now))
		return true;
	c->fast_open = true;
	if (!data_may_go(t, e) || !fast_syn_room(t, c))
		return true;
	c->flags &= (uint16_t)~CONN_SYN_OWED;
	conn_notify(t, c, EVENT_WRITABLE);
	return false;
}

void fast_syn_start(struct transport *t, struct tcp_conn *c)
{
	c->heard = (uint32_t)(t->now / NANO_US);
	c->flags |= CONN_SYN_OWED;
	conn_arm(t, c, t->now + t->config.rto_initial);
	conn_make_ready(t, c);
}

static void put_cookie(struct tcp_options *o, bool experimental, const uint8_t *cookie, size_t len)
{
	o->has |= TCP_HAS_FAST_OPEN;
	o->fast_open_experimental = experimental;
	o->fast_open_len = (uint8_t)len;
	memcpy(o->fast_open, cookie, len);
}

uint32_t fast_syn_fill(struct transport *t, struct tcp_conn *c, struct tcp_options *o)
{
	struct tcp_flight *f = c->flight;
	if (c->state == TCP_SYN_RECEIVED) { /* a server's SYN-ACK */
		uint8_t cookie[FAST_OPEN_COOKIE];
		if (!f || !f->fast_open_cookie)
			return 0;
		const struct tcp_listener *l =
			listener_find(t, &c->tuple.local, c->tuple.local_port);
		fast_open_cookie(&fast_syn_keys(t, l)->key[0], &c->tuple.local, &c->tuple.remote,
				 cookie);
		put_cookie(o, f->fast_open_cookie == COOKIE_EXPERIMENTAL, cookie, sizeof cookie);
		return 0;
	}
	if (c->backoff)
		return 0; /* 4.1.3: the next ones are plain */
	const struct fast_open_entry *e = fast_open_find(&t->fast_open_cache, &c->tuple.remote);
	if (e && e->cookie_len)
		put_cookie(o, e->experimental, e->cookie, e->cookie_len);
	else if (!(t->config.fast_open & FAST_OPEN_CLIENT_NO_COOKIE))
		put_cookie(o, e && e->experimental, o->fast_open, 0); /* it asks for one */
	uint32_t len = c->snd_end - c->snd_una - 1, room = fast_syn_room(t, c);
	if (!f || !len || !data_may_go(t, e))
		return 0;
	if (len > room)
		len = room;
	len = record_rest(f, c->snd_una + 1, len);
	c->snd_nxt = c->snd_una + 1 + len;
	f->bytes_sent += len;
	f->last_sent = t->now;
	return len;
}

/* The server's word on Fast Open, from its SYN-ACK. */
static void learn(struct transport *t, const struct tcp_conn *c, const struct tcp_options *o,
		  bool taken)
{
	const struct fast_open_entry *known =
		fast_open_find(&t->fast_open_cache, &c->tuple.remote);
	bool asked = (known && known->cookie_len) ||
		     !(t->config.fast_open & FAST_OPEN_CLIENT_NO_COOKIE);
	bool again = c->backoff > 0, data = c->snd_nxt - c->snd_una > 1;
	struct fast_open_entry *e =
		fast_open_place(&t->fast_open_cache, &c->tuple.remote, t->now);
	/* the server's word, whatever this owner's limit is */
	e->mss = o->has & TCP_HAS_MSS && o->mss > c->peer_mss ? o->mss : c->peer_mss;
	if (asked && o->has & TCP_HAS_FAST_OPEN && o->fast_open_len) {
		e->cookie_len = o->fast_open_len;
		e->experimental = o->fast_open_experimental;
		e->early_tried = false;
		memcpy(e->cookie, o->fast_open, o->fast_open_len);
		e->losses = 0;
	} else if (again && data && !taken) {
		fast_open_lost(e, t->config.fast_open_pause, t->now);
	} else if (taken) {
		e->losses = 0;
	} else if (asked && !again && !data && !(known && known->cookie_len)) {
		/* No answer to the option: perhaps to the early one, which is tried once. */
		e->experimental = !e->experimental && !e->early_tried;
		e->early_tried = true;
	}
}

void fast_syn_answered(struct transport *t, struct tcp_conn *c, const struct tcp_segment *seg)
{
	bool taken = seg->ack - c->snd_una > 1;
	learn(t, c, &seg->h.options, taken);
	if (!taken || seg->ack != c->snd_nxt) /* all of it, or it does not count */
		c->fast_open = false;
}

void conn_syn_acked(struct transport *t, struct tcp_conn *c, uint32_t ack)
{
	struct tcp_flight *f = c->flight;
	uint32_t with_it = c->snd_nxt - c->snd_una - 1;
	c->snd_una++;
	if (!with_it || f->fast_open_generation)
		return; /* of a server's answer the acknowledgment stage hears next */
	f->bytes_acked += ack - c->snd_una;
	ring_release(&f->tx, &t->blocks, ack);
	c->snd_una = ack;
	if (f->records)
		records_acked(t, c);
	board_init(&f->board, ack);
	conn_measure(t, c);
	if (c->snd_nxt == ack)
		return;
	/* It went, and did not get there: no fault of the path's load, so nothing is reduced.
	 * What the window, which the SYN could not know, does not hold counts as never sent, and
	 * so does all where there is no memory to keep account of it. */
	uint32_t rest = c->snd_nxt - ack;
	if (rest > c->snd_wnd || !board_can_send(&f->board, &t->range_pool)) {
		c->snd_nxt = ack;
		return;
	}
	board_sent(&f->board, &t->range_pool, ack, c->snd_nxt, 1, rest, t->now);
	board_lose_all(&f->board, &t->range_pool);
	f->again_forced = true;
	f->retransmit_why = WHY_FAST_RETRANSMIT;
}
