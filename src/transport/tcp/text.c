/*
 * Text and FIN: the seventh and eighth stage of RFC 9293 3.10.7.4. Text goes to its
 * place in the ring; in-order text moves RCV.NXT, text beyond a hole is
 * remembered as a range (held.h; RFC 2018 lets us drop what finds no place). The first
 * byte that was accepted at a place stays (TCP-56). FIN takes effect at its own
 * sequence number, whenever that is reached (TCP-58).
 */
#include "transport/tcp/autotune.h"
#include "transport/tcp/ecn.h"
#include "transport/tcp/held.h"
#include "transport/tcp/sack_delay.h"

/*
 * Segments that are acknowledged one by one after text came out of order: the sender has just
 * lost something, its window is small, and a segment without a second one to wait for would
 * hold it up by the delay (Linux acknowledges as many).
 */
#define QUICK_AFTER_HOLE 16

static bool state_takes_text(const struct tcp_conn *c)
{
	/* in SYN-RECEIVED that of a Fast Open SYN */
	return c->state >= TCP_SYN_RECEIVED && c->state <= TCP_FIN_WAIT_2;
}

/* Copies text bytes [from, from + len) of the segment into the ring at `seq`. */
static bool text_write(struct transport *t, struct tcp_conn *c, const struct rx *rx, uint32_t from,
		       uint32_t len, uint32_t seq)
{
	struct span text[1 + FRAME_SPANS];
	unsigned n = rx_text(rx, text, 1 + FRAME_SPANS);
	uint32_t at = 0; /* offset of text[i] in the segment's text */
	for (unsigned i = 0; i < n && len; i++) {
		uint32_t span_len = (uint32_t)text[i].len;
		if (from < at + span_len) {
			struct span s = span_first(span_after(text[i], from - at), len);
			if (ring_write(&c->flight->rx, &t->blocks, t->core->checksum, seq, s,
				       NULL) < s.len)
				return false;
			from += (uint32_t)s.len;
			seq += (uint32_t)s.len;
			len -= (uint32_t)s.len;
		}
		at += span_len;
	}
	return len == 0;
}

void conn_note_twice(const struct transport *t, struct tcp_conn *c, uint32_t start, uint32_t end)
{
	struct tcp_flight *f = c->flight;
	if (!t->config.dsack || !f || f->twice_start != f->twice_end || !seq_lt(start, end))
		return;
	f->twice_start = start;
	f->twice_end = end;
	if (c->ecn & CONN_ACCURATE)
		conn_accecn_came_twice(f, start);
}

/* Of what is held, the first part that comes again (RFC 2883 4.2). */
static void note_held_again(const struct transport *t, struct tcp_conn *c,
			    const struct tcp_segment *seg)
{
	const struct interval_set *held = c->flight->held;
	uint32_t end = seg->seq + seg->text_len;
	uint32_t i = held ? interval_find(held, seg->seq) : 0;
	if (held && i < held->count)
		conn_note_twice(t, c, seq_max(interval_at(held, i)->start, seg->seq),
				seq_min(interval_at(held, i)->end, end));
}

/* Writes only where nothing is held yet. */
static bool text_fill(struct transport *t, struct tcp_conn *c, const struct rx *rx,
		      const struct tcp_segment *seg)
{
	const struct interval_set *held = c->flight->held;
	uint32_t pos = seg->seq, end = seg->seq + seg->text_len;
	for (uint32_t i = held ? interval_find(held, pos) : 0;
		held && i < held->count && seq_lt(pos, end); i++) {
		uint32_t stop = seq_min(interval_at(held, i)->start, end);
		if (seq_lt(pos, stop) &&
		    !text_write(t, c, rx, seg->text_at + (pos - seg->seq), stop - pos, pos))
			return false;
		if (seq_gt(interval_at(held, i)->end, pos))
			pos = interval_at(held, i)->end;
	}
	return !seq_lt(pos, end) ||
	       text_write(t, c, rx, seg->text_at + (pos - seg->seq), end - pos, pos);
}

/*
 * RFC 9293 3.8.6.3, SHLD-18, SHLD-19: every second full segment, else within the delay, which
 * transport_config_check holds below half a second (MUST-40). What ends a write may be all that
 * comes until the sender hears of it: where no answer will take the ACK along it goes once the
 * owner has read all, and after a second such segment in any case (as Linux does).
 */
static void schedule_ack(struct transport *t, struct tcp_conn *c, const struct tcp_segment *seg)
{
	struct tcp_flight *f = c->flight;
	uint32_t each = seg->text_len / seg->segments;
	if (each > f->rcv_mss)
		f->rcv_mss = (uint16_t)each;
	uint32_t unacked = c->rcv_nxt - c->last_ack_sent;
	if (unacked >= 2u * f->rcv_mss || f->quick) {
		if (f->quick)
			f->quick--;
		conn_owe_ack(t, c, WHY_ACK_NOW);
		return;
	}
	bool ends_write = seg->flags & TCP_PSH || each < f->rcv_mss;
	if (f->ack_at == NANOTIME_NEVER) {
		f->ack_at = t->now + t->config.delayed_ack;
		f->ack_when_read = ends_write && !f->answers;
		conn_arm(t, c, f->ack_at);
	} else if (ends_write) {
		f->ack_when_read = true;
	}
}

/* RCV.NXT moves over the text just taken and over what was held behind it. */
static void text_advance(struct transport *t, struct tcp_conn *c, const struct tcp_segment *seg)
{
	struct tcp_flight *f = c->flight;
	uint32_t old = c->rcv_nxt;
	c->rcv_nxt = seg->seq + seg->text_len;
	if (f->held) {
		f->hole_acks = 0;
		c->rcv_nxt = held_reach(t, f, c->rcv_nxt);
		if (f->fin_ahead && seq_gt(c->rcv_nxt, f->fin_seq)) /* text beyond a FIN is none */
			c->rcv_nxt = f->fin_seq;
		/* RFC 5681 4.2: a gap was (partly) filled */
		conn_owe_ack(t, c, WHY_ACK_OUT_OF_ORDER);
	}
	f->bytes_received += c->rcv_nxt - old;
	if (autotune_due(t, c, seg))
		autotune_receive(t, c);
	conn_notify(t, c, EVENT_READABLE);
	schedule_ack(t, c, seg);
}

/* Text beyond a hole is kept (SHLD-31), and acknowledged at once (MAY-13), or soon: sack_delay.c */
static void text_hold(struct transport *t, struct tcp_conn *c, struct rx *rx,
		      const struct tcp_segment *seg)
{
	struct tcp_flight *f = c->flight;
	bool kept = false, same_range = false;
	if (!f->held)
		f->hole_acks = f->hole_segments = 0;
	else
		same_range = interval_is_newest(f->held, seg->seq);
	f->out_of_order += seg->segments;
	if (f->hole_segments < UINT8_MAX)
		f->hole_segments++;
	if (f->quick < QUICK_AFTER_HOLE)
		f->quick = QUICK_AFTER_HOLE;
	note_held_again(t, c, seg);
	if (!held_begin(t, f) || !text_fill(t, c, rx, seg))
		rx_drop(rx, DROP_TCP_MEMORY);
	else if (!held_add(t, f, seg->seq, seg->seq + seg->text_len))
		rx_drop(rx, DROP_TCP_RANGES_FULL);
	else
		kept = true;
	if (kept && f->fin_ahead && f->fin_age < UINT8_MAX)
		f->fin_age++;
	if (!kept || !sack_waits(t, c, same_range))
		conn_owe_ack(t, c, WHY_ACK_OUT_OF_ORDER); /* RFC 5681 4.2: at once */
	held_end(t, f);
}

/* Its owner has closed it, or shut down both ways: then text that comes is lost. */
static bool nobody_reads(const struct transport *t, const struct tcp_conn *c)
{
	return (!c->sock && !(c->flags & CONN_IN_BACKLOG)) || t->options[c->sock].deaf;
}

void conn_take_text(struct transport *t, struct tcp_conn *c, struct rx *rx,
		    struct tcp_segment *seg)
{
	if (!state_takes_text(c)) { /* after the peer's FIN there is no text */
		seg->text_len = 0;
		rx_drop(rx, DROP_TCP_AFTER_FIN);
		return;
	}
	if (c->state != TCP_ESTABLISHED && nobody_reads(t, c)) { /* SHLD-3, RFC 1122 4.2.2.13 */
		conn_refuse(t, c);
		seg->text_len = 0;
		rx_drop(rx, DROP_TCP_CLOSED_TEXT);
		return;
	}
	if (!conn_flight(t, c)) {
		seg->flags &= (uint16_t)~TCP_FIN;
		rx_drop(rx, DROP_TCP_MEMORY);
		return;
	}
	struct tcp_flight *f = c->flight;
	f->last_text = t->now;
	f->data_segments_received += seg->segments;
	if (f->fin_ahead && seq_gt(seg->seq + seg->text_len, f->fin_seq)) {
		if (seq_ge(seg->seq, f->fin_seq)) {
			rx_drop(rx, DROP_TCP_AFTER_FIN);
			return;
		}
		seg->text_len = f->fin_seq - seg->seq;
	}
	if (seg->seq != c->rcv_nxt) {
		text_hold(t, c, rx, seg);
		return;
	}
	if (f->held)
		note_held_again(t, c, seg);
	while (!seg->in_ring && !text_fill(t, c, rx, seg)) {
		if (held_give_way(t, f))
			continue;
		conn_owe_ack(t, c, WHY_ACK_DUPLICATE);
		seg->flags &= (uint16_t)~TCP_FIN;
		rx_drop(rx, DROP_TCP_MEMORY);
		return;
	}
	text_advance(t, c, seg);
}

/*
 * A FIN that brought nothing else may wait for company as text may (RFC 9293 3.8.6.3): the owner
 * often answers it by closing, and that segment acknowledges. Where it has closed, nobody answers.
 */
static void schedule_fin_ack(struct transport *t, struct tcp_conn *c)
{
	struct tcp_flight *f = c->flight;
	bool alone = c->rcv_nxt == c->last_ack_sent + 1 && !(c->flags & CONN_ACK_NOW);
	if (!f || !alone || f->quick || c->state != TCP_ESTABLISHED ||
	    f->ack_at != NANOTIME_NEVER) {
		conn_owe_ack(t, c, WHY_ACK_FIN);
		return;
	}
	f->ack_at = t->now + t->config.delayed_ack;
	conn_arm(t, c, f->ack_at);
}

/* The peer's FIN is next in sequence. */
static void fin_arrived(struct transport *t, struct tcp_conn *c)
{
	c->rcv_nxt++;
	c->rcv_edge++; /* FIN takes a number, but no room: the window stays as it is */
	c->flags |= CONN_FIN_RECEIVED;
	if (c->flight) { /* all has come: nobody needs to hear what came twice */
		c->flight->twice_start = c->flight->twice_end;
		c->flight->fin_ahead = false;
		held_end(t, c->flight);
	}
	schedule_fin_ack(t, c);
	conn_notify(t, c, EVENT_READABLE | EVENT_PEER_CLOSED);
	switch (c->state) {
	case TCP_SYN_RECEIVED:
	case TCP_ESTABLISHED:
		conn_set_state(t, c, TCP_CLOSE_WAIT);
		break;
	case TCP_FIN_WAIT_1: /* were our FIN acknowledged, this would be FIN-WAIT-2 */
		conn_set_state(t, c, TCP_CLOSING);
		break;
	case TCP_FIN_WAIT_2:
		t->settled -= !c->sock;
		conn_set_state(t, c, TCP_TIME_WAIT);
		break;
	default:
		break;
	}
}

/* A FIN ahead of a hole is remembered. It came last, so SACK names it first (RFC 2018 4). */
static void hold_fin(struct transport *t, struct tcp_flight *f, uint32_t at)
{
	if (f->fin_ahead && f->fin_seq != at)
		return;
	f->fin_ahead = true;
	f->fin_seq = at;
	f->fin_age = 0;
	if (!held_begin(t, f)) /* SACK does not tell of it */
		return;
	uint32_t last = f->held->count - 1;
	if (f->held->count && interval_at(f->held, last)->end == at) /* one with the text before */
		interval_add(f->held, interval_at(f->held, last)->start, at, NULL);
}

void conn_take_fin(struct transport *t, struct tcp_conn *c, struct tcp_segment *seg)
{
	if (c->flags & CONN_FIN_RECEIVED || c->state < TCP_SYN_RECEIVED)
		return;
	struct tcp_flight *f = c->flight;
	if (seg->flags & TCP_FIN) {
		uint32_t at = seg->seq + seg->text_len;
		if (at != c->rcv_nxt) { /* ahead of a hole: remember where */
			if (seq_gt(at, c->rcv_nxt) && (f = conn_flight(t, c)))
				hold_fin(t, f, at);
			conn_owe_ack(t, c, WHY_ACK_OUT_OF_ORDER);
			if (!f || !f->fin_ahead || f->fin_seq != c->rcv_nxt)
				return;
		}
		fin_arrived(t, c);
		return;
	}
	if (f && f->fin_ahead && f->fin_seq == c->rcv_nxt)
		fin_arrived(t, c);
}
