/*
 * A connection's turn to send. conn_transmit asks tcp_decide again and again until
 * the answer is "nothing" (and why); the segment builder writes the header into
 * the frame's headroom, points at the ring's bytes, and hands the frame to layer 2.
 * Nothing is copied here.
 */
#include "transport/tcp/decide.h"

/* The right edge that the buffer allows and the window field can tell. */
static uint32_t edge_allowed(const struct tcp_conn *c)
{
	const struct tcp_flight *f = c->flight;
	uint32_t edge = f->rx.low + f->receive_buffer;
	uint32_t most = c->rcv_nxt + ((uint32_t)65535 << c->rcv_wscale);
	return seq_gt(edge, most) ? most : edge;
}

/* The window to advertise (RFC 9293 3.8.6.2.2, MUST-39): the edge moves right by at least a
 * segment or half the buffer, and never left (SHLD-14). While nobody reads it stays (MAY-8). */
uint32_t conn_advertise(struct tcp_conn *c)
{
	struct tcp_flight *f = c->flight;
	if (f && !(c->flags & CONN_FIN_RECEIVED)) {
		uint32_t edge = edge_allowed(c);
		uint32_t step = f->receive_buffer / 2;
		if (f->rcv_mss && f->rcv_mss < step)
			step = f->rcv_mss;
		if (seq_gt(edge, c->rcv_edge) && edge - c->rcv_edge >= step)
			c->rcv_edge = edge;
	}
	uint32_t window = conn_rcv_wnd(c) >> c->rcv_wscale;
	return window > 65535 ? 65535 : window;
}

bool conn_window_opened(const struct tcp_conn *c)
{
	const struct tcp_flight *f = c->flight;
	if (!f || c->flags & CONN_FIN_RECEIVED || c->state > TCP_FIN_WAIT_2)
		return false;
	uint32_t edge = edge_allowed(c);
	if (!seq_gt(edge, c->rcv_edge))
		return false;
	uint32_t gain = edge - c->rcv_edge, known = conn_rcv_wnd(c);
	uint32_t mss = f->rcv_mss ? f->rcv_mss : c->mss;
	uint32_t half = f->receive_buffer / 2;
	if (mss < 1u << c->rcv_wscale) /* less does not show in the window's field */
		mss = 1u << c->rcv_wscale;
	return gain >= half || (gain >= 2 * mss && known < half) || (known < mss && gain >= mss);
}

/* Any segment acknowledges all there is to (MUST-58), and asks for news as a probe does. */
static void sent_ack(struct tcp_conn *c)
{
	c->flags &= (uint16_t)~(CONN_ACK_NOW | CONN_PROBE_OWED);
	c->last_ack_sent = c->rcv_nxt;
	if (c->flight)
		c->flight->ack_at = NANOTIME_NEVER;
}

/* SYN or SYN-ACK of a connection that is no embryo; options as Linux orders them. */
static void send_syn(struct transport *t, struct tcp_conn *c)
{
	bool answer = c->state == TCP_SYN_RECEIVED;
	uint32_t window = t->options[c->sock].first_window;
	if (!window)
		window = t->config.receive_buffer;
	bool scale = t->config.window_scaling && (!answer || c->rcv_wscale || c->snd_wscale);
	uint32_t mtu = t->internet->access->netif[c->path.nif].mtu;
	/* SHLD-6: what is too big there may be so on the way back */
	if (c->path.mtu && c->path.mtu < mtu)
		mtu = c->path.mtu;
	struct tcp_options o;
	tcp_syn_options(&o, &c->tuple.remote, mtu, c->flags & CONN_SACK, scale, c->rcv_wscale);
	const struct endpoint_options *own = &t->options[c->sock];
	if (own->mss && own->mss < o.mss)
		o.mss = own->mss;
	if (own->advertised_timeout && !c->fast_open) /* beside a cookie there is no room for it */
		conn_syn_timeout(own, &o);
	struct tcp_reply r = {
		.tuple = c->tuple,
		.seq = c->snd_una,
		.ack = answer ? c->rcv_nxt : 0,
		.flags = (uint16_t)(answer ? TCP_SYN | TCP_ACK : TCP_SYN),
		.window = (uint16_t)(window > 65535 ? 65535 : window),
		.why = c->backoff ? WHY_SYN_RETRANSMIT : answer ? WHY_SYN_ACK : WHY_SYN,
		.timestamps = c->flags & CONN_TIMESTAMPS,
		.tsval = t->now_ms + c->ts_offset,
		.tsecr = c->ts_recent,
		.tos = c->tos,
		.hop_limit = c->hop_limit,
	};
	if (c->ecn)
		r.flags |= conn_ecn_of_syn(t, c, &o);
	uint32_t len = c->fast_open ? fast_syn_fill(t, c, &o) : 0;
	if (len)
		tcp_reply_send_text(t, &r, &o, &c->path, &c->flight->tx, c->snd_una + 1, len);
	else
		tcp_reply_send(t, &r, &o, &c->path);
	c->flags &= (uint16_t)~CONN_SYN_OWED;
	sent_ack(c);
}

/* The reset of an aborted connection is queued as a reply, because the connection is gone then.
 * False: there is no room for it yet. */
static bool send_reset(struct transport *t, struct tcp_conn *c, enum tx_why why)
{
	if (t->reply_count == t->config.resets)
		return false;
	struct tcp_reply *r = tcp_reply_new(t);
	r->tuple = c->tuple;
	r->tos = c->tos;
	r->hop_limit = c->hop_limit;
	r->why = (uint8_t)why;
	if (c->flight && c->flight->refused) { /* with the number that the peer has named last */
		r->seq = c->snd_una;
		r->flags = TCP_RST;
		return true;
	}
	r->seq = c->snd_nxt;
	r->ack = c->rcv_nxt;
	r->flags = TCP_RST | TCP_ACK;
	r->window = (uint16_t)conn_advertise(c); /* as any other segment of it */
	r->timestamps = c->flags & CONN_TIMESTAMPS; /* RFC 7323 3.2 */
	r->tsval = t->now_ms + c->ts_offset;
	r->tsecr = c->ts_recent;
	return true;
}

void conn_refuse(struct transport *t, struct tcp_conn *c)
{
	if (conn_flight(t, c))
		c->flight->refused = true;
	c->flags |= CONN_RESET_OWED;
	conn_make_ready(t, c);
}

/* Who did not ask for the reset is told of it. */
static enum error reset_means(const struct tcp_conn *c)
{
	return c->sock && c->flight && c->flight->refused ? ERR_RESET : ERR_ABORTED;
}

/*
 * A FIN that came ahead of a hole has a number that is told of as text's are, or its sender could
 * not learn from it that the text before was lost. Its place among the `given` blocks is by its
 * age too; there is room for `most`.
 */
static void add_fin(const struct tcp_flight *f, struct interval *block, unsigned given,
		    unsigned most)
{
	if (!conn_fin_apart(f)) {
		for (unsigned i = 0; i < given; i++)
			if (block[i].end == f->fin_seq)
				block[i].end++;
		return;
	}
	unsigned at = f->fin_age < given ? f->fin_age : given;
	if (at == most)
		return;
	for (unsigned i = given < most ? given : most - 1; i > at; i--)
		block[i] = block[i - 1];
	block[at] = (struct interval){ f->fin_seq, f->fin_seq + 1 };
}

/* No MSS here (MUST-65). `room`: bytes for SACK blocks. */
static void put_options(const struct transport *t, const struct tcp_conn *c, uint8_t *h,
			uint32_t room)
{
	size_t at = TCP_HEADER;
	if (c->flags & CONN_TIMESTAMPS) {
		store32(h + at, 0x0101080a);
		store32(h + at + 4, t->now_ms + c->ts_offset);
		store32(h + at + 8, c->ts_recent);
		at += 12;
	}
	if (room) { /* RFC 2018 4: the newest block first; before it what came twice (RFC 2883 4) */
		struct tcp_flight *f = c->flight;
		struct interval block[TCP_SACK_BLOCKS] = { { f->twice_start, f->twice_end } };
		unsigned twice = f->twice_start != f->twice_end, n = (room - 4) / 8;
		unsigned given = twice;
		if (f->held)
			given += interval_recent(f->held, block + twice, n - twice);
		if (f->held && f->fin_ahead)
			add_fin(f, block + twice, given - twice, n - twice);
		f->twice_start = f->twice_end;
		store32(h + at, 0x01010500 | (2 + 8 * n));
		at += 4;
		for (unsigned i = 0; i < n; i++, at += 8) {
			store32(h + at, block[i].start);
			store32(h + at + 4, block[i].end);
		}
	}
}

/* A sparing sender has no option again with what was lost: RFC 9768 3.2.3.2.2. */
static bool accecn_goes(const struct transport *t, const struct tcp_plan *p)
{
	return (p->kind != PLAN_AGAIN && p->kind != PLAN_TAIL) ||
	       t->config.accecn_option >= ACCECN_OPTION_ALWAYS;
}

/* Builds and sends one segment: `len` bytes of the ring at `seq`. Returns the bytes it carries. */
static uint32_t send_segment(struct transport *t, struct tcp_conn *c, const struct tcp_plan *p,
			     const struct netif *nif)
{
	struct tx_frame *f = t->core->frame;
	frame_begin(f, p->why);
	uint32_t len = 0;
	if (p->len) {
		size_t covered;
		unsigned spans = ring_spans(&c->flight->tx, p->seq, p->len, f->body, FRAME_SPANS,
					    &covered);
		f->spans = (uint16_t)spans;
		f->body_len = len = (uint32_t)covered;
	}
	uint32_t room = conn_sack_room(t, c);
	size_t header_len = TCP_HEADER + (c->flags & CONN_TIMESTAMPS ? 12u : 0u) + room;
	uint32_t more = 0; /* an AccECN option */
	if (__builtin_expect(c->ecn & CONN_ACCURATE, 0) && accecn_goes(t, p))
		more = conn_accecn_room(t, c, room);
	uint8_t *header = frame_push(f, header_len + more);
	if (more)
		conn_accecn_put(t, c, header + header_len, more);
	put_options(t, c, header, room);
	header_len += more;
	bool whole = len == p->len;
	uint16_t flags = TCP_ACK;
	if (p->fin && whole)
		flags |= TCP_FIN;
	if (p->push && whole && len)
		flags |= TCP_PSH; /* MUST-61: the last segment of what is queued; SHLD-27: once */
	uint8_t tos = c->tos;
	if (__builtin_expect(c->ecn, 0))
		flags |= conn_ecn_of_segment(t, c, p->kind == PLAN_NEW && len,
					     p->kind == PLAN_ACK && !room, &tos);
	store16(header, c->tuple.local_port);
	store16(header + 2, c->tuple.remote_port);
	store32(header + 4, p->seq);
	store32(header + 8, c->rcv_nxt);
	store16(header + 12, (uint16_t)(header_len << 10 | flags));
	store16(header + 14, (uint16_t)conn_advertise(c));
	store32(header + 16, 0); /* checksum, urgent pointer */
	if (c->flight && __builtin_expect(c->flight->urgent_sent, 0))
		conn_put_urgent(c, p->seq, header);
	uint32_t total = (uint32_t)header_len + len;
	/* MUST-2: what the link does not sum is summed here */
	uint64_t sum = pseudo_sum(&c->tuple.local, &c->tuple.remote, IPPROTO_TCP_, total);
	uint16_t check;
	if (nif->features & LINK_CHECKSUM) {
		check = checksum_fold(sum);
		f->checksum = CHECKSUM_PARTIAL;
	} else {
		sum += checksum_header(header, header_len);
		uint32_t at = 0;
		for (unsigned i = 0; i < f->spans; i++) {
			uint32_t part = t->core->checksum->sum(f->body[i].at, f->body[i].len);
			sum += at & 1 ? checksum_odd(part) : part;
			at += (uint32_t)f->body[i].len;
		}
		check = checksum_finish(sum);
	}
	memcpy(header + 16, &check, 2);
	f->checksum_start = f->head;
	f->checksum_offset = 16;
	if (len > p->mss) {
		f->seg_size = (uint16_t)p->mss;
		f->seg_count = (uint16_t)((len + p->mss - 1) / p->mss);
	}
	struct ip_send s = {
		.source = &c->tuple.local, /* MUST-45 */
		.destination = &c->tuple.remote,
		.protocol = IPPROTO_TCP_,
		.tos = tos, /* SHLD-22 */
		.hop_limit = c->hop_limit,
		.dont_fragment = !t->options[c->sock].fragment,
	};
	internet_send(t->internet, &c->path, f, &s, t->now);
	sent_ack(c);
	if (c->flight)
		c->flight->segments_sent += f->seg_count;
	return len;
}

/* The time of the flow's next segment, where congestion control gives a rate. */
static void note_pace(struct transport *t, struct tcp_conn *c, uint32_t len)
{
	struct tcp_flight *f = c->flight;
	if (f->paced_until && t->now >= f->paced_until) { /* ACKs keep the time from here on */
		f->paced_until = 0;
		f->cc.pacing_rate = 0;
		return;
	}
	if (f->pacing_most && conn_pace_waits(c))
		return;
	/* what a late timer may make up for: a millisecond's worth */
	uint32_t burst = pacer_quantum(f->cc.pacing_rate, c->mss, 0);
	pacer_sent(&f->pacer, f->cc.pacing_rate, len, burst, t->now);
	if (!pacer_allows(&f->pacer, t->now))
		conn_arm(t, c, pacer_next(&f->pacer));
}

static void sent_new(struct transport *t, struct tcp_conn *c, const struct tcp_plan *p,
		     uint32_t len)
{
	struct tcp_flight *f = c->flight;
	uint32_t seqs = len + (p->fin && len == p->len);
	uint32_t outstanding = c->snd_nxt - c->snd_una;
	board_sent(&f->board, &t->range_pool, c->snd_nxt, c->snd_nxt + seqs,
		   t->core->frame->seg_count, p->mss, t->now);
	c->snd_nxt += seqs;
	f->bytes_sent += len;
	/* An answer: ACKs may go along with the next ones from here on. */
	if ((f->quick || !f->answers) && f->data_segments_received &&
	    t->now - f->last_text <= t->config.delayed_ack) {
		f->quick = 0;
		f->answers = true;
	}
	f->last_sent = t->now;
	if (len % p->mss)
		f->snd_small = c->snd_nxt;
	if (!outstanding) { /* RFC 6298 5.1; a probe's timer may have run */
		conn_arm_rto_first(t, c);
		f->give_up_at = t->now + f->user_timeout;
	} else if (outstanding <= c->mss) { /* the tail loss probe waits less for two segments */
		conn_arm(t, c, conn_tail_probe_due(t, c));
	}
	if (f->phase == PHASE_RECOVERY)
		prr_sent(&f->prr, len);
	if (f->cc.pacing_rate)
		note_pace(t, c, len);
}

static void sent_again(struct transport *t, struct tcp_conn *c, const struct tcp_plan *p,
		       uint32_t len)
{
	struct tcp_flight *f = c->flight;
	uint32_t seqs = len + (p->fin && len == p->len);
	bool first = f->again_forced;
	if (p->kind == PLAN_TAIL)
		board_sent_probe(&f->board, &t->range_pool, seqs, t->now);
	else
		board_sent_again(&f->board, &t->range_pool, p->range, seqs, t->now);
	conn_note_resent(t, c, len);
	/* The RTO has run since the original left, and its answer is a round trip away: RFC 6675 6
	 * lets it begin anew with the first of a recovery. */
	if (first || f->rto_at == NANOTIME_NEVER)
		conn_arm_rto_first(t, c);
	if (f->cc.pacing_rate)
		note_pace(t, c, len);
}

/* A probe is out: its answer will tell (RFC 8985 7.4, RFC 4821 7.6). */
__attribute__((noinline, cold)) static void
sent_probe(struct transport *t, struct tcp_conn *c, const struct tcp_plan *p,
		       uint32_t len)
{
	struct tcp_flight *f = c->flight;
	if (p->why == WHY_MTU_PROBE) {
		conn_sent_larger(t, c, len, len == p->len);
		return;
	}
	f->probing = p->kind == PLAN_NEW ? PROBING_TAIL_NEW : PROBING_TAIL_AGAIN;
	f->probe_end = c->snd_nxt;
	f->tail_probed = true;
	f->probes_sent++;
}

/* Data waits for a closed window and nothing is in flight that would bring news: probe (MUST-36),
 * the first time after an RTO (SHLD-29). */
static void arm_probe(struct transport *t, struct tcp_conn *c, enum tcp_wait wait)
{
	struct tcp_flight *f = c->flight;
	f->wait = (uint8_t)wait;
	bool all_sent = c->snd_nxt - c->snd_end == !!(c->flags & CONN_FIN_QUEUED);
	if (c->snd_una != c->snd_nxt || f->rto_at != NANOTIME_NEVER || all_sent ||
	    !conn_synchronized(c))
		return;
	conn_arm_rto(t, c);
}

/* The first data after an idle time: what the window is worth then (RFC 5681 4.1, RFC 7661). */
static void restart_after_idle(struct transport *t, struct tcp_conn *c)
{
	struct tcp_flight *f = c->flight;
	if (c->snd_una != c->snd_nxt || c->snd_end == c->snd_nxt ||
	    t->now - f->last_sent <= t->config.rto_min || /* the RTO is never shorter */
	    t->config.idle_window == IDLE_WINDOW_KEPT)
		return;
	nanodiff rto = conn_rto(t, c);
	if (t->now - f->last_sent > rto)
		conn_restart_window(t, c, rto);
}

/* Is everything sent that may be, FIN included, and nothing owed? Saves a decision. */
static bool all_sent(const struct tcp_conn *c)
{
	const struct tcp_flight *f = c->flight;
	return c->snd_nxt - c->snd_end == !!(c->flags & CONN_FIN_QUEUED) &&
	       !(c->flags & (CONN_ACK_NOW | CONN_PROBE_OWED)) &&
	       (!f || (f->board.lost == f->board.again && f->probing >= PROBING_NONE));
}

/* Sending may have brought what is unsent below the owner's mark. Where memory is what lacks, an
 * ACK tells of that, or the line does: the owner would find as little as before, and come again. */
static void tell_unsent(struct transport *t, struct tcp_conn *c)
{
	if (!(c->flags & CONN_WINDOW_FULL) || !t->options[c->sock].unsent_mark || !tcp_room(t, c))
		return;
	if (t->short_block.count || t->blocks.small.used == t->blocks.small.count)
		return;
	c->flags &= (uint16_t)~CONN_WINDOW_FULL;
	conn_notify(t, c, EVENT_WRITABLE);
}

/* An unsent FIN waits with a flight, whose RTO sends it, or in line for one. */
static void flight_for_fin(struct transport *t, struct tcp_conn *c)
{
	if (c->flags & CONN_FIN_QUEUED && c->snd_nxt == c->snd_end && !conn_flight_in_turn(t, c))
		conn_wait_memory(t, c);
}

/* Apart from its caller, so that the decision and the building of a segment become a part of it. */
__attribute__((noinline)) static unsigned
transmit_plans(struct transport *t, struct tcp_conn *c, unsigned budget)
{
	const struct netif *nif = &t->internet->access->netif[c->path.nif];
	uint32_t gso = 0;
	/* each segment has an urgent pointer of its own; links cut no packets with IP options */
	if (nif->features & LINK_GSO && t->config.gso_max && !c->path.route &&
	    !(c->flight && c->flight->urgent_sent))
		gso = nif->gso_max && nif->gso_max < t->config.gso_max ? nif->gso_max
								       : t->config.gso_max;
	if (c->flight)
		restart_after_idle(t, c);
	else
		flight_for_fin(t, c);
	for (unsigned sent = 0; sent < budget; sent++) {
		if (sent && all_sent(c))
			return sent;
		if (nif->blocked) {
			list_push_back(&t->blocked, &c->ready);
			return sent;
		}
		struct tcp_plan p = tcp_decide(t, c, c->ecn && conn_ecn_alone(c) ? 0 : gso);
		if (p.kind <= PLAN_TIMEOUT) {
			if (p.kind == PLAN_TIMEOUT) {
				if (conn_send_timeout(t, c))
					sent_ack(c);
				continue;
			}
			if (c->flight)
				arm_probe(t, c, p.wait);
			if (p.wait != WAIT_NOTHING)
				conn_trace(t, c, TRACE_TCP_WAIT, NULL, tcp_wait_text(p.wait),
					   c->snd_end - c->snd_nxt);
			return sent;
		}
		uint32_t len = send_segment(t, c, &p, nif);
		switch (p.kind) {
		case PLAN_AGAIN:
		case PLAN_TAIL:
			sent_again(t, c, &p, len);
			break;
		case PLAN_NEW:
			sent_new(t, c, &p, len);
			break;
		case PLAN_PROBE:
			break;
		case PLAN_ACK:
		case PLAN_TIMEOUT:
		case PLAN_NONE:
			if (c->flight && p.wait != WAIT_NOTHING)
				arm_probe(t, c, p.wait);
			break;
		}
		if (p.probe)
			sent_probe(t, c, &p, len);
	}
	conn_make_ready(t, c); /* the budget is used up: its next turn comes after the others' */
	return budget;
}

static unsigned transmit_syn(struct transport *t, struct tcp_conn *c)
{
	if (!(c->flags & CONN_SYN_OWED))
		return 0;
	if (t->internet->access->netif[c->path.nif].blocked) {
		list_push_back(&t->blocked, &c->ready);
		return 0;
	}
	send_syn(t, c);
	if (c->snd_end != c->snd_nxt && c->state == TCP_SYN_RECEIVED) /* its data may go as well */
		conn_make_ready(t, c);
	return 1;
}

/* In TIME-WAIT with nothing left to say: the small struct takes over. */
static void retire(struct transport *t, struct tcp_conn *c)
{
	if (c->state != TCP_TIME_WAIT || !(c->flags & CONN_IN_DEMUX))
		return;
	conn_time_wait(t, c);
	if (!c->sock)
		conn_free(t, c);
}

/* No way to the peer. Data and FIN stay owed, and the RTO tries them again (MUST-20). An ACK or a
 * probe is lost like any other on its way: who waits for it asks again. */
static void lost_way(struct transport *t, struct tcp_conn *c)
{
	if (conn_synchronized(c)) {
		sent_ack(c);
		c->ecn &= (uint8_t)~CONN_ACE_HANDSHAKE;
		flight_for_fin(t, c);
	}
	if (!c->flight)
		return;
	conn_trouble(t, c, ERR_HOST_UNREACHABLE);
	/* A SYN's data that was not taken was out before there was a round trip to time. */
	if (conn_synchronized(c) && c->snd_una != c->snd_nxt &&
	    c->flight->rto_at == NANOTIME_NEVER)
		conn_arm_rto(t, c);
	arm_probe(t, c, (enum tcp_wait)c->flight->wait);
}

/* Perhaps it is another one now. */
__attribute__((noinline, cold)) static enum path_verdict
find_way(struct transport *t, struct tcp_conn *c)
{
	struct path before = c->path;
	enum path_verdict way =
		internet_path_ready_slow(t->internet, &c->path, &c->tuple.remote, t->now);
	if (c->path.generation != before.generation)
		conn_keep_mtu(c, &before);
	return way;
}

unsigned conn_transmit(struct transport *t, struct tcp_conn *c, unsigned budget)
{
	if (c->flags & CONN_RESET_OWED) {
		if (!send_reset(t, c, c->sock ? WHY_RESET_ABORT : WHY_RESET_DATA_LOST)) {
			list_push_back(&t->blocked, &c->ready);
			return 0;
		}
		c->flags &= (uint16_t)~CONN_RESET_OWED;
		conn_die(t, c, reset_means(c));
	}
	if (c->state == TCP_CLOSED) {
		if (!c->sock && !(c->flags & CONN_IN_BACKLOG))
			conn_free(t, c);
		return 0;
	}
	switch (path_stands(t->internet, &c->path) ? PATH_SEND : find_way(t, c)) {
	case PATH_SEND:
		break;
	case PATH_WAIT:
		internet_park(t->internet, &c->path, &c->ready);
		return 0;
	case PATH_DEAD:
	case PATH_FULL:
	case PATH_NO_ROUTE:
		if (c->state == TCP_SYN_SENT)
			conn_die(t, c, ERR_HOST_UNREACHABLE);
		else
			lost_way(t, c);
		retire(t, c);
		return 0;
	}
	if (c->state <= TCP_SYN_RECEIVED &&
	    (c->state == TCP_SYN_SENT || c->flags & CONN_SYN_OWED))
		return transmit_syn(t, c);
	unsigned sent = transmit_plans(t, c, budget);
	tell_unsent(t, c);
	if (c->state == TCP_TIME_WAIT && !(c->flags & CONN_ACK_NOW))
		retire(t, c);
	return sent;
}
