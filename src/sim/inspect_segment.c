/*
 * The rules for what goes out, and for connections that are not yet or not any
 * more: segments are read from their bytes, and compared with the connection that
 * sent them while it still stands as it did when it decided.
 */
#include "sim/inspect_rules.h"
#include "transport/tcp/ecn.h"

#define ETH         14
#define BURST_SLACK 4

static void breach(struct breach *b, const struct tcp_tuple *tuple, uint8_t state, const char *rule,
	const char *what, uint64_t x, uint64_t y)
{
	if (!b->rule)
		*b = (struct breach){ rule, what, x, y, *tuple, state };
}

bool segment_read(struct segment *g, struct span frame)
{
	const uint8_t *e = frame.at, *ip = e + ETH, *h;
	*g = (struct segment){ .v6 = false };
	if (frame.len < ETH + 40)
		return false;
	if (load16(e + 12) == 0x0800 && ip[9] == 6 && !(load16(ip + 6) & 0x3fff)) {
		h = ip + (ip[0] & 15) * 4;
		g->ip_len = load16(ip + 2);
		g->from = addr_from4(ip + 12);
		g->to = addr_from4(ip + 16);
		g->ecn = ip[1] & 3;
	} else if (load16(e + 12) == 0x86dd && ip[6] == 6) {
		g->v6 = true;
		h = ip + 40;
		g->ip_len = 40u + load16(ip + 4);
		g->from = addr_from6(ip + 8);
		g->to = addr_from6(ip + 24);
		g->ecn = ip[1] >> 4 & 3;
	} else {
		return false;
	}
	if (g->ip_len > frame.len - ETH || h + 20 > ip + g->ip_len)
		return false;
	uint32_t header = (h[12] >> 4) * 4u;
	if (header < 20 || h + header > ip + g->ip_len)
		return false;
	g->source = load16(h);
	g->destination = load16(h + 2);
	g->seq = load32(h + 4);
	g->ack = load32(h + 8);
	g->flags = load16(h + 12) & 0x1ff;
	g->window = load16(h + 14);
	g->len = g->ip_len - (uint32_t)(h - ip) - header;
	g->options = span_of(h + 20, header - 20);
	return true;
}

/* Text of [start, end), or a FIN behind it, or a FIN alone. */
static bool is_held(const struct tcp_flight *f, uint32_t start, uint32_t end)
{
	if (!f || !f->held)
		return false;
	bool fin = f->fin_ahead && end == f->fin_seq + 1;
	return (fin && start == f->fin_seq) || interval_has(f->held, start, end - fin);
}

/* I17: each block is held, but for a first one that tells of a duplicate (RFC 2883). */
static void sack_rules(const struct tcp_conn *c, const struct segment *g, struct breach *b)
{
	const struct span o = g->options;
	const struct interval_set *held = c->flight ? c->flight->held : NULL;
	for (size_t i = 0; i < o.len && o.at[i];) {
		if (o.at[i] == 1) {
			i++;
			continue;
		}
		for (size_t k = i + 2; o.at[i] == 5 && k + 8 <= i + o.at[i + 1]; k += 8) {
			uint32_t start = load32(o.at + k), end = load32(o.at + k + 4);
			bool duplicate = k == i + 2 &&
				(seq_le(end, g->ack) || (held && o.at[i + 1] > 10));
			if (!duplicate && !is_held(c->flight, start, end))
				breach(b, &c->tuple, c->state, "I17 (SACK)",
					"a block that is not held", start, end);
		}
		i += o.at[i + 1] ? o.at[i + 1] : 1u;
	}
}

static void window_rules(
	struct shadow *was, const struct tcp_conn *c, const struct segment *g, struct breach *b)
{
	uint32_t edge = g->ack + ((uint32_t)g->window << c->rcv_wscale);
	uint32_t grain = 1u << c->rcv_wscale;
	/* A window field counts in grains: what is rounded away may come and go (RFC 7323 2.4). */
	if (was->wire_edge_known && seq_lt(edge + grain - 1, was->wire_edge))
		breach(b, &c->tuple, c->state, "I07 (right edge)", "moved left on the wire",
			was->wire_edge, edge);
	if (!was->wire_edge_known || seq_gt(edge, was->wire_edge))
		was->wire_edge = edge;
	was->wire_edge_known = true;
}

/* What is new may go only into the congestion window; what was sent may go again. One segment as a
 * tail loss probe goes whatever the window says (RFC 8985 7.3). */
static void new_data_rules(
	const struct tcp_conn *c, const struct segment *g, uint8_t why, struct breach *b)
{
	const struct tcp_flight *f = c->flight;
	if (!f || !g->len || g->seq != c->snd_nxt || why == WHY_TAIL_PROBE)
		return;
	uint64_t pipe = board_in_flight(&f->board, c->snd_nxt - c->snd_una);
	uint64_t left = c->flags & CONN_SACK ? 0 : (uint64_t)f->dup_acks * c->mss;
	uint64_t most = f->cc.cwnd + (uint64_t)BURST_SLACK * c->mss + left;
	if (pipe + g->len > most)
		breach(b, &c->tuple, c->state, "I10 (new data in the window)", "in flight, of",
			pipe + g->len, most);
}

/* Only new data is marked, and says CWR (RFC 3168 6.1.2, 6.1.5); nobody else speaks of ECN. */
static void mark_rules(const struct tcp_conn *c, const struct segment *g, uint8_t why, bool first,
	struct breach *b)
{
	bool fresh = g->len && g->seq == c->snd_nxt;
	if (g->ecn && !(c->ecn && fresh))
		breach(b, &c->tuple, c->state, "I38 (what is marked)", "not new data, or no ECN",
			g->seq, c->snd_nxt);
	if (c->ecn & CONN_ACCURATE) { /* there the flags are a count, once the handshake is over */
		unsigned ace = g->flags >> ACE_SHIFT & 7u, due = conn_ace(c);
		/* A challenge ACK may have waited for the link since it was half-open: what
		 * acknowledges no text has counted nothing. */
		if (g->ack != c->rcv_nxt && why == WHY_ACK_CHALLENGE)
			due = ecn_uncounted(c->ecn) >> ACE_SHIFT;
		/* With Fast Open the ACK of a SYN-ACK may acknowledge what came behind it, and
		 * still tells how that was marked (RFC 9768 3.2.2.1). */
		if (first && c->fast_open && !g->len && !(g->flags & TCP_FIN))
			return;
		if (c->flight && c->flight->bytes_received && ace != due)
			breach(b, &c->tuple, c->state, "I38 (ACE)", "not what was counted", ace,
				due);
		return;
	}
	if (g->flags & TCP_CWR && !(c->ecn && fresh))
		breach(b, &c->tuple, c->state, "I38 (CWR)", "not with new data", g->seq,
			c->snd_nxt);
	if (g->flags & TCP_ECE && !(c->ecn & CONN_ECN_ECHO))
		breach(b, &c->tuple, c->state, "I38 (ECE)", "no mark came", g->seq, c->ecn);
}

void inspect_segment(struct inspector *s, const struct transport *t, struct shadow *was,
	const struct tcp_conn *c, const struct segment *g, uint8_t why, struct breach *b)
{
	uint32_t edge = c->snd_una + c->snd_wnd, end = g->seq + g->len;
	const bool first = !was->wire_edge_known;
	if (c->state < TCP_ESTABLISHED)
		return;
	if (seq_gt(edge, was->peer_edge))
		was->peer_edge = edge;
	if (g->len && seq_gt(end, was->peer_edge) && g->len > 1)
		breach(b, &c->tuple, c->state, "I08 (peer's right edge)", "sent beyond it", end,
			was->peer_edge);
	if (g->len > c->peer_mss)
		breach(b, &c->tuple, c->state, "I09 (MSS)", "segment above the peer's", g->len,
			c->peer_mss);
	/* RFC 4821: one segment may be larger, as long as the search goes */
	uint32_t mtu = why == WHY_MTU_PROBE ? c->path.mtu_high : c->path.mtu;
	if (mtu && g->ip_len > mtu)
		breach(b, &c->tuple, c->state, "I09 (path MTU)", "packet above it", g->ip_len,
			mtu);
	window_rules(was, c, g, b);
	new_data_rules(c, g, why, b);
	sack_rules(c, g, b);
	mark_rules(c, g, why, first, b);
	if (why != WHY_ACK_CHALLENGE)
		return;
	nanodiff rate = (nanodiff)t->config.challenge_rate * NANO_MS - 32 * NANO_MS;
	/* One may have waited for the link while the time of the next came: two in that time. */
	unsigned slot = was->challenges++ % 2;
	if (was->challenges > 2 && s->now - was->challenge[slot] < rate)
		breach(b, &c->tuple, c->state, "I14 (challenge ACKs)", "three within",
			(uint64_t)(s->now - was->challenge[slot]), (uint64_t)rate);
	was->challenge[slot] = s->now;
}

/* ---- TIME-WAIT: I19 ---- */

static bool tuple_lives(const struct transport *t, const struct tcp_tuple *tuple)
{
	for (uint32_t i = 0; i < t->conn_pool.fresh; i++) {
		const struct tcp_conn *c = pool_at(&t->conn_pool, i);
		if (tcp_tuple_equal(&c->tuple, tuple))
			return true;
	}
	for (uint32_t i = 0; i < t->embryo_pool.fresh; i++) {
		const struct tcp_embryo *e = pool_at(&t->embryo_pool, i);
		if (tcp_tuple_equal(&e->tuple, tuple))
			return true;
	}
	return false;
}

/* A SYN that ended it was answered with a cookie: nothing is kept until the answer comes. */
static bool cookie_may_follow(const struct transport *t, const struct tcp_tuple *tuple)
{
	const struct tcp_listener *l = listener_find(
		(struct transport *)t, &tuple->local, tuple->local_port);
	return l && t->now < l->cookies_until;
}

static void first_look(struct inspector *s, const struct transport *t,
	const struct tcp_time_wait *w, struct breach *b)
{
	nanodiff left = w->expires - s->now;
	if (left < 2 * t->config.msl)
		breach(b, &w->tuple, TCP_TIME_WAIT, "I19 (2 MSL)", "shorter at its start",
			(uint64_t)left, (uint64_t)(2 * t->config.msl));
}

void inspect_waiting(struct inspector *s, const struct transport *t, struct breach *b)
{
	bool here[INSPECT_WAITING] = { false };
	nanotime before = 0;
	if (t->time_wait_pool.used && !timer_armed(&t->time_wait_timer))
		breach(b, &(struct tcp_tuple){ .local_port = 0 }, TCP_TIME_WAIT,
			"I18 (no stuck connection)", "TIME-WAIT without a timer",
			t->time_wait_pool.used, 0);
	list_each(l, &t->time_waits)
	{
		const struct tcp_time_wait *w = list_entry(l, struct tcp_time_wait, link);
		uint32_t i = pool_index(&t->time_wait_pool, w);
		if (w->expires < before)
			breach(b, &w->tuple, TCP_TIME_WAIT, "I19 (order)",
				"expires before the last", (uint64_t)w->expires, (uint64_t)before);
		before = w->expires;
		if (i >= INSPECT_WAITING)
			continue;
		here[i] = true;
		struct waiting *was = &s->waiting[i];
		if (!was->known || !tcp_tuple_equal(&was->tuple, &w->tuple))
			first_look(s, t, w, b);
		*was = (struct waiting){ .known = true, .tuple = w->tuple, .expires = w->expires };
	}
	/* A full table lets the oldest go, as does one that seemed full for want of memory; a new
	 * connection may take over (RFC 6191), and be broken off before anybody looked at it. */
	bool full = t->time_wait_pool.used == t->time_wait_pool.count ||
		(s->node->trouble && s->node->trouble->fail);
	for (uint32_t i = 0; i < INSPECT_WAITING; i++) {
		struct waiting *was = &s->waiting[i];
		if (was->known && !here[i] && was->expires > s->now && !full && !was->reopened &&
			!tuple_lives(t, &was->tuple) && !cookie_may_follow(t, &was->tuple))
			breach(b, &was->tuple, TCP_TIME_WAIT, "I19 (2 MSL)",
				"ended before its time", (uint64_t)was->expires, (uint64_t)s->now);
		was->known = here[i];
	}
}

void inspect_half_open(const struct transport *t, struct breach *b)
{
	bool waits = false;
	for (size_t i = 0; i < sizeof t->embryo_wait / sizeof *t->embryo_wait; i++)
		waits |= !list_empty(&t->embryo_wait[i]);
	if (waits && !timer_armed(&t->embryo_timer))
		breach(b, &(struct tcp_tuple){ .local_port = 0 }, TCP_SYN_RECEIVED,
			"I18 (no stuck connection)", "half-open without a timer",
			t->embryo_pool.used, 0);
}
