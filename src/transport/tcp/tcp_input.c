/*
 * A segment in. tcp_receive finds whom it belongs to; conn_input runs the stages
 * of RFC 9293 3.10.7.4 in their order, one function each, and is the place to
 * begin reading. Nothing is sent, woken or freed here: stages set flags and queue
 * events, and the next transmit acts on them.
 *
 * Nothing of a segment acts before its checksum is known to be right. Text that
 * comes in order is copied to the ring and summed in one pass; it becomes
 * visible only when the text stage commits it.
 */
#include "transport/tcp/ecn.h"

/* An answer to a segment that can't be accepted; keeps two confused ends from a storm (TCP-26). */
static void answer_unacceptable(struct transport *t, struct tcp_conn *c,
				const struct tcp_segment *seg)
{
	if (seg->flags & TCP_RST)
		return;
	/* It did not hear our SYN-ACK. */
	if (!conn_synchronized(c) && (seg->flags & (TCP_SYN | TCP_ACK)) == TCP_SYN) {
		if (conn_may_challenge(t, c))
			c->flags |= CONN_SYN_OWED;
		conn_make_ready(t, c);
		return;
	}
	/* Text or FIN again means that our ACK was lost: always answer. */
	if (segment_len(seg) > 0 && !(seg->flags & TCP_SYN)) {
		if (seq_le(seg->seq + seg->text_len, c->rcv_nxt))
			conn_note_twice(t, c, seg->seq, seg->seq + seg->text_len);
		conn_owe_ack(t, c, WHY_ACK_DUPLICATE);
	} else if (conn_may_challenge(t, c)) {
		conn_owe_ack(t, c, WHY_ACK_CHALLENGE);
	}
}

/* The segment is acceptable, and has a timestamp that is not old. */
static inline void take_timestamp(const struct transport *t, struct tcp_conn *c,
				  const struct tcp_segment *seg)
{
	if (seq_le(seg->seq, c->last_ack_sent)) {
		c->ts_recent = seg->h.options.tsval;
		c->ts_recent_at = t->now_ms;
	}
}

/* PAWS: RFC 7323 5.3 (R1), with the 24-day rule of 5.5. */
static bool stage_timestamp(struct transport *t, struct tcp_conn *c, struct rx *rx,
			    const struct tcp_segment *seg)
{
	if (!(c->flags & CONN_TIMESTAMPS) || seg->flags & TCP_RST)
		return true;
	if (!(seg->h.options.has & TCP_HAS_TIMESTAMPS))
		return true; /* RFC 7323 3.2 lets us drop it; middleboxes make that unwise */
	if (seq_lt(seg->h.options.tsval, c->ts_recent) &&
	    t->now_ms - c->ts_recent_at < 24u * 24 * 3600 * 1000) {
		/* Not a sign of life: where a box has spoilt both ends' clocks, only keepalive
		 * ends it. */
		answer_unacceptable(t, c, seg);
		rx_drop(rx, DROP_TCP_PAWS);
		return false;
	}
	/* (R3) and 4.3 (2): only a segment at the left edge may move TS.Recent. None that may turn
	 * out unacceptable, or a blind one would make all later ones look old: see below. */
	if (seg->seq == c->rcv_nxt && seq_le(seg->ack, c->snd_nxt))
		take_timestamp(t, c, seg);
	return true;
}

/* The SYN-ACK of a peer whose SYN crossed ours: RFC 9293 figure 7. It is an ACK; ours to its SYN is
 * on the way, and needs no second. */
static bool is_crossing_syn_ack(const struct tcp_conn *c, const struct tcp_segment *seg)
{
	return c->state == TCP_SYN_RECEIVED && seg->seq + 1 == c->rcv_nxt &&
	       (seg->flags & (TCP_SYN | TCP_ACK | TCP_RST)) == (TCP_SYN | TCP_ACK);
}

/* Fourth: a SYN on a synchronized connection is challenged, never obeyed (RFC 5961 4.2). */
static bool stage_syn(struct transport *t, struct tcp_conn *c, struct rx *rx,
		      const struct tcp_segment *seg)
{
	if (!(seg->flags & TCP_SYN))
		return true;
	if (conn_may_challenge(t, c))
		conn_owe_ack(t, c, WHY_ACK_CHALLENGE);
	if (c->ecn & CONN_ACCURATE)
		conn_take_syn_ack_again(c, rx, seg);
	rx_drop(rx, DROP_TCP_SYN_IN_WINDOW);
	return false;
}

/* Second: RST, only exactly in sequence (RFC 5961 3.2); text that it brings is nobody's
 * (SHLD-2). */
static bool stage_reset(struct transport *t, struct tcp_conn *c, struct rx *rx,
			const struct tcp_segment *seg)
{
	if (!(seg->flags & TCP_RST))
		return true;
	if (seg->seq != c->rcv_nxt) {
		if (conn_may_challenge(t, c))
			conn_owe_ack(t, c, WHY_ACK_CHALLENGE);
		rx_drop(rx, DROP_TCP_RESET_SEQUENCE);
		return false;
	}
	/* RFC 1337: TIME-WAIT is not assassinated. */
	if (c->state == TCP_TIME_WAIT) {
		rx_drop(rx, DROP_TCP_TIME_WAIT);
		return false;
	}
	/* In CLOSING and LAST-ACK as well: our FIN was never acknowledged, which the owner may want
	 * to know. In SYN-RECEIVED we opened it ourselves, or the SYN had data (MUST-11). */
	bool refused = c->state == TCP_SYN_RECEIVED && !c->fast_open;
	conn_die(t, c, refused ? ERR_REFUSED : ERR_RESET);
	rx_fate(rx, FATE_DELIVERED);
	return false;
}

/* MUST-66: with our window closed, what a segment at RCV.NXT says beside its text still counts. */
static void beside_closed_window(struct transport *t, struct tcp_conn *c, struct rx *rx,
				 struct tcp_segment *seg)
{
	if (seg->flags & TCP_RST)
		stage_reset(t, c, rx, seg);
	else if (seg->flags & TCP_ACK && conn_take_ack(t, c, rx, seg) && seg->flags & TCP_URG)
		conn_take_urgent(t, c, seg);
}

/* First: the sequence number (table 6), then text outside the window is cut off. */
bool conn_sequence_odd(struct transport *t, struct tcp_conn *c, struct rx *rx,
		       struct tcp_segment *seg)
{
	/* RFC 5961 4.2: whatever its number; its text is nobody's. */
	if (seg->flags & TCP_SYN && !(seg->flags & TCP_RST) && conn_synchronized(c))
		return stage_syn(t, c, rx, seg);
	uint32_t len = segment_len(seg);
	uint32_t end = seg->seq + len;
	bool ok;
	if (len == 0)
		ok = seg->seq == c->rcv_nxt ||
		     (seq_ge(seg->seq, c->rcv_nxt) && seq_lt(seg->seq, c->rcv_edge));
	else
		ok = (seq_gt(end, c->rcv_nxt) && seq_lt(seg->seq, c->rcv_edge)) ||
		     is_crossing_syn_ack(c, seg);
	if (!ok) {
		if (seg->seq == c->rcv_nxt && conn_rcv_wnd(c) == 0 && !(seg->flags & TCP_SYN))
			beside_closed_window(t, c, rx, seg);
		/* It lives, even if it is confused. Who is beyond what was ever offered was told
		 * that lost bytes had arrived: its answers are none, and keepalive, or the probes
		 * of its closed window, must end that (MUST-37). */
		if (conn_synchronized(c) && seq_le(seg->seq, c->rcv_edge) &&
		    !(seg->flags & TCP_RST))
			c->heard = t->now_ms;
		answer_unacceptable(t, c, seg);
		if (rx->fate == FATE_NONE)
			rx_drop(rx, DROP_TCP_SEQUENCE);
		return false;
	}
	if (seq_lt(seg->seq, c->rcv_nxt)) { /* its front is old */
		if (c->flags & CONN_TIMESTAMPS && seg->h.options.has & TCP_HAS_TIMESTAMPS &&
		    !(seg->flags & TCP_RST) && seq_ge(seg->h.options.tsval, c->ts_recent) &&
		    seq_le(seg->ack, c->snd_nxt))
			take_timestamp(t, c, seg);
		uint32_t old = c->rcv_nxt - seg->seq;
		bool known = is_crossing_syn_ack(c, seg) && !seg->text_len;
		if (seg->flags & TCP_SYN) {
			seg->flags &= (uint16_t)~TCP_SYN;
			old--;
			seg->seq++;
		}
		conn_note_twice(t, c, seg->seq, seg->seq + old);
		seg->seq += old;
		seg->text_at += old;
		seg->text_len -= old;
		if (!known)
			conn_owe_ack(t, c, WHY_ACK_DUPLICATE);
	}
	uint32_t room = c->rcv_edge - seg->seq;
	if (segment_len(seg) > room) { /* its end is beyond the window */
		seg->flags &= (uint16_t)~TCP_FIN;
		if (seg->text_len > room)
			seg->text_len = room;
		conn_owe_ack(t, c, WHY_ACK_DUPLICATE);
	}
	return true;
}

/* RFC 9293 3.10.7.4, all synchronized states and SYN-RECEIVED. */
static void synchronized_input(struct transport *t, struct tcp_conn *c, struct rx *rx,
			       struct tcp_segment *seg)
{
	if (!stage_timestamp(t, c, rx, seg) || !conn_take_sequence(t, c, rx, seg) ||
	    !stage_reset(t, c, rx, seg) || !stage_syn(t, c, rx, seg) ||
	    !conn_take_ack(t, c, rx, seg))
		return;
	c->heard = t->now_ms;
	if (__builtin_expect(c->ecn, 0))
		conn_take_ecn(t, c, rx, seg);
	if (__builtin_expect(seg->flags & TCP_URG, 0)) /* sixth */
		conn_take_urgent(t, c, seg);
	if (seg->text_len)
		conn_take_text(t, c, rx, seg);
	if (seg->flags & TCP_FIN || (c->flight && c->flight->fin_ahead))
		conn_take_fin(t, c, seg);
}

/* What a SYN tells us, with or without an ACK. */
static void take_syn(struct transport *t, struct tcp_conn *c, const struct rx *rx,
		     const struct tcp_segment *seg)
{
	const struct tcp_options *o = &seg->h.options;
	c->rcv_nxt = seg->seq + 1;
	c->last_ack_sent = c->rcv_nxt;
	uint32_t window = t->options[c->sock].first_window;
	c->rcv_edge = c->rcv_nxt + (window ? window : t->config.receive_buffer);
	if (!(o->has & TCP_HAS_TIMESTAMPS))
		c->flags &= (uint16_t)~CONN_TIMESTAMPS;
	else if (c->flags & CONN_TIMESTAMPS) {
		c->ts_recent = o->tsval;
		c->ts_recent_at = t->now_ms;
	}
	if (!(o->has & TCP_HAS_SACK_PERMITTED))
		c->flags &= (uint16_t)~CONN_SACK;
	if (o->has & TCP_HAS_WSCALE && t->config.window_scaling) /* ours had it: RFC 7323 2.2 */
		c->snd_wscale = o->wscale > 14 ? 14 : o->wscale; /* RFC 7323 2.3 */
	else
		c->snd_wscale = c->rcv_wscale = 0;
	if (!c->rcv_wscale && conn_rcv_wnd(c) > 65535)
		c->rcv_edge = c->rcv_nxt + 65535;
	conn_set_peer_mss(t, c, o->has & TCP_HAS_MSS ? o->mss : 0);
	conn_update_mss(c);
	c->snd_wnd = seg->h.window; /* the window of a SYN is never scaled (RFC 7323 2.2) */
	c->snd_wl1 = seg->seq;
	c->snd_wl2 = seg->ack;
	if (c->flight) /* of before the handshake: data that goes or went with the SYN */
		conn_flight_synchronize(t, c);
	if (c->ecn)
		conn_take_syn_ecn(t, c, rx, seg);
}

#define SYN_ECHO_MS (10 * 60 * 1000) /* far more than any SYN is waited for */

/* Does it echo a timestamp that no SYN of ours had (RFC 7323 3.2)? Then it answers none of them. */
static bool echoes_nothing(const struct transport *t, const struct tcp_conn *c,
			   const struct tcp_segment *seg)
{
	const struct tcp_options *o = &seg->h.options;
	return c->flags & CONN_TIMESTAMPS && seg->flags & TCP_SYN &&
	       o->has & TCP_HAS_TIMESTAMPS && o->tsecr &&
	       t->now_ms - (o->tsecr - c->ts_offset) > SYN_ECHO_MS;
}

/* RFC 9293 3.10.7.3 */
static void syn_sent_input(struct transport *t, struct tcp_conn *c, struct rx *rx,
			   struct tcp_segment *seg, const struct tcp_tuple *tuple)
{
	bool acked = seg->flags & TCP_ACK;
	/* Only our SYN can be acknowledged, and what went with it. */
	if (acked && (!seq_gt(seg->ack, c->snd_una) || seq_gt(seg->ack, c->snd_nxt) ||
		      echoes_nothing(t, c, seg))) {
		tcp_reply_reset(t, rx, seg, tuple);
		rx_drop(rx, DROP_TCP_ACK_UNSENT);
		return;
	}
	if (seg->flags & TCP_RST) {
		if (!acked) {
			rx_drop(rx, DROP_TCP_RESET_SEQUENCE);
			return;
		}
		conn_die(t, c, ERR_REFUSED);
		rx_fate(rx, FATE_DELIVERED);
		return;
	}
	if (!(seg->flags & TCP_SYN)) {
		rx_drop(rx, DROP_TCP_NOT_SYN);
		return;
	}
	take_syn(t, c, rx, seg);
	if (c->backoff) {
		uint32_t us = (uint32_t)(t->now / NANO_US) - c->heard;
		conn_syn_repeated(t, c, seg, (nanodiff)us * NANO_US);
	}
	wheel_disarm(t->core->wheel, &c->timer);
	if (!acked) { /* simultaneous open: MUST-10 */
		c->fast_open = false;
		conn_set_state(t, c, TCP_SYN_RECEIVED);
		c->flags |= CONN_SYN_OWED;
		c->backoff = 0;
		conn_arm(t, c, t->now + t->config.rto_initial);
		conn_make_ready(t, c);
		return;
	}
	if (c->backoff == 0) { /* Karn: no sample from a SYN sent twice */
		uint32_t us = (uint32_t)(t->now / NANO_US) - c->heard;
		rtt_sample(&c->rtt, (nanodiff)us * NANO_US);
		conn_trace(t, c, TRACE_TCP_RTT, NULL, NULL, (uint64_t)us * 1000);
	}
	c->heard = t->now_ms;
	if (c->fast_open)
		fast_syn_answered(t, c, seg);
	c->backoff = 0;
	conn_syn_acked(t, c, seg->ack);
	c->flags &= (uint16_t)~CONN_SYN_OWED;
	internet_confirm(t->internet, &c->path, t->now);
	conn_established(t, c);
	c->flags |= CONN_ACK_NOW;
	conn_make_ready(t, c);
	conn_notify(t, c, EVENT_CONNECTED | EVENT_WRITABLE);
	seg->flags &= (uint16_t)~TCP_SYN;
	seg->seq++;
	/* It obeys the window of our SYN. */
	if (seg->text_len && !conn_take_sequence(t, c, rx, seg))
		return;
	if (seg->text_len) {
		if (c->ecn)
			conn_take_ecn(t, c, rx, seg);
		if (seg->flags & TCP_URG)
			conn_take_urgent(t, c, seg);
		conn_take_text(t, c, rx, seg);
	}
	if (seg->flags & TCP_FIN)
		conn_take_fin(t, c, seg);
}

static void conn_input(struct transport *t, struct tcp_conn *c, struct rx *rx,
		       struct tcp_segment *seg, const struct tcp_tuple *tuple)
{
	if (c->flight)
		c->flight->segments_received += seg->segments;
	if (c->state >= TCP_SYN_RECEIVED)
		synchronized_input(t, c, rx, seg);
	else
		syn_sent_input(t, c, rx, seg, tuple);
}

/* Header and pseudo-header; the text's sum is added by who walks the text. */
static uint64_t segment_header_sum(const struct rx *rx, const struct tcp_segment *seg)
{
	return pseudo_sum(&rx->source, &rx->destination, IPPROTO_TCP_,
			  seg->header_len + rx->len) +
	       checksum_header(rx->head.at - seg->header_len, seg->header_len);
}

/* May the text go straight to the ring? Only where nothing that was accepted can be overwritten. */
static bool text_fits_ring(const struct tcp_conn *c, const struct tcp_segment *seg)
{
	return seg->text_len && c->flight && !c->flight->held &&
	       seg->seq == c->rcv_nxt && seg->text_len <= conn_rcv_wnd(c) && c->sock &&
	       !(seg->flags & (TCP_SYN | TCP_RST)) && c->state >= TCP_ESTABLISHED &&
	       c->state <= TCP_FIN_WAIT_2;
}

/* Copies text to the ring while summing it; false where the ring took less than all. */
static bool text_copy_sum(struct transport *t, struct tcp_conn *c, struct rx *rx,
			  const struct tcp_segment *seg, uint64_t *sum)
{
	struct span text[1 + FRAME_SPANS];
	unsigned n = rx_text(rx, text, 1 + FRAME_SPANS);
	uint32_t at = 0;
	for (unsigned i = 0; i < n; i++) {
		uint32_t part = 0;
		size_t took = ring_write(&c->flight->rx, &t->blocks, t->core->checksum,
					 seg->seq + at, text[i], &part);
		if (took < text[i].len)
			return false;
		*sum += at & 1 ? checksum_odd(part) : part;
		at += (uint32_t)took;
	}
	return at == seg->text_len;
}

/* Is the checksum right (MUST-3)? For a connection, text in order lands in its ring meanwhile. */
static bool segment_verify(struct transport *t, struct tcp_conn *c, struct rx *rx,
			   struct tcp_segment *seg)
{
	if (rx->checksum != CHECKSUM_UNKNOWN)
		return true;
	uint64_t header = segment_header_sum(rx, seg);
	if (c && text_fits_ring(c, seg)) {
		uint64_t sum = header;
		if (text_copy_sum(t, c, rx, seg, &sum)) {
			seg->in_ring = true;
			return checksum_fold(sum) == 0xffff;
		}
	}
	if (rx->len)
		header += rx_sum(rx, t->core->checksum);
	return checksum_fold(header) == 0xffff;
}

static void segment_dispatch(struct transport *t, struct rx *rx, struct tcp_segment *seg,
			     const struct tcp_tuple *tuple, void *entry, enum demux_kind kind)
{
	switch (kind) {
	case DEMUX_CONN:
		conn_input(t, entry, rx, seg, tuple);
		return;
	case DEMUX_EMBRYO:
		embryo_input(t, entry, rx, seg);
		return;
	case DEMUX_TIME_WAIT:
		time_wait_input(t, entry, rx, seg);
		return;
	case DEMUX_NONE:
		break;
	}
	struct tcp_listener *l = listener_find(t, &tuple->local, tuple->local_port);
	if (l) {
		listener_input(t, l, rx, seg, tuple, NULL);
		return;
	}
	tcp_reply_reset(t, rx, seg, tuple);
	rx_drop(rx, DROP_TCP_NO_CONNECTION);
}

/* A user timeout counts where its segment was found good, for the connection that there is then
 * (RFC 5482). */
__attribute__((noinline, cold)) static void
take_told(struct transport *t, const struct rx *rx, const struct tcp_tuple *tuple, uint16_t told)
{
	enum demux_kind kind;
	struct tcp_conn *c = demux_find(&t->demux, tuple, &kind);
	if (rx->fate == FATE_DELIVERED && c && kind == DEMUX_CONN && conn_synchronized(c))
		conn_take_timeout(t, c, told);
}

void tcp_receive(struct transport *t, struct rx *rx)
{
	struct tcp_segment seg;
	enum drop bad = tcp_parse(rx->head, rx->len, &seg.h);
	if (bad) {
		rx_drop(rx, bad);
		return;
	}
	if (rx->group) { /* MUST-57 */
		rx_drop(rx, DROP_TCP_ADDRESS);
		return;
	}
	rx_strip(rx, seg.h.header_len);
	seg.header_len = seg.h.header_len;
	seg.seq = seg.h.seq;
	seg.ack = seg.h.ack;
	seg.flags = seg.h.flags;
	seg.text_len = rx->len;
	seg.text_at = 0;
	seg.segments = rx->frame->seg_count ? rx->frame->seg_count : 1;
	seg.in_ring = false;
	struct tcp_tuple tuple = {
		.local = rx->destination,
		.remote = rx->source,
		.local_port = seg.h.destination_port,
		.remote_port = seg.h.source_port,
	};
	enum demux_kind kind;
	void *entry = demux_find(&t->demux, &tuple, &kind);
	if (!segment_verify(t, kind == DEMUX_CONN ? entry : NULL, rx, &seg)) {
		rx_drop(rx, DROP_TCP_CHECKSUM);
		return;
	}
	if (__builtin_expect(seg.h.options.has & (TCP_HAS_MD5 | TCP_HAS_AO), 0)) {
		rx_drop(rx, DROP_TCP_SIGNED);
		return;
	}
	segment_dispatch(t, rx, &seg, &tuple, entry, kind);
	if (__builtin_expect(rx->ip_header_len != IP4_HEADER, 0) &&
	    t->internet->config.source_routes)
		tcp_take_route(t, rx, &tuple);
	if (rx->fate == FATE_NONE)
		rx_fate(rx, FATE_DELIVERED);
	if (__builtin_expect(seg.h.options.has & TCP_HAS_USER_TIMEOUT, 0))
		take_told(t, rx, &tuple, seg.h.options.user_timeout);
}
