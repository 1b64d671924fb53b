/*
 * Urgent data (RFC 9293 3.8.5, RFC 6093). Its bytes stay in the stream, where they were written
 * and where they are read; beside it each end has one mark: the number of the first byte that is
 * not urgent (MUST-62). Who reads asks how far the mark is ahead, and knows that what stands
 * before it is urgent; RFC 6093 advises new applications against all of it (SHLD-13).
 *
 * The sender's mark goes with every segment from below it, also with a bare ACK, so that it
 * overtakes data which a closed window holds back. It may lie farther ahead than the field can
 * tell (MUST-31): then the field says as far as it can, and later segments say more.
 *
 * A mark is compared with sequence numbers and is never a length: attackers liked it for that
 * (TCP-01). Both are forgotten when they are passed, for 2^31 bytes later they would seem ahead.
 */
#include "transport/tcp/tcp_conn.h"

static bool takes_urgent(const struct tcp_conn *c)
{
	return c->state == TCP_ESTABLISHED || c->state == TCP_FIN_WAIT_1 ||
	       c->state == TCP_FIN_WAIT_2;
}

/* MUST-32: told when there was no urgent data before, or when the mark moves on. */
void conn_take_urgent(struct transport *t, struct tcp_conn *c, const struct tcp_segment *seg)
{
	if (!takes_urgent(c) || !conn_flight(t, c))
		return;
	struct tcp_flight *f = c->flight;
	uint32_t mark = seg->h.seq + seg->h.urgent;
	if (!seq_gt(mark, f->rx.low) || (f->urgent_valid && !seq_gt(mark, f->urgent)))
		return;
	f->urgent = mark;
	f->urgent_valid = true;
	conn_notify(t, c, EVENT_URGENT);
}

/* MUST-33. Where the peer closed before its mark, the stream's end is the mark. */
uint32_t tcp_urgent(const struct tcp_conn *c)
{
	const struct tcp_flight *f = c->flight;
	if (!f || !f->urgent_valid)
		return 0;
	uint32_t left = f->urgent - f->rx.low;
	size_t there = tcp_readable(c);
	return c->flags & CONN_FIN_RECEIVED && left > there ? (uint32_t)there : left;
}

int64_t tcp_write_urgent(struct transport *t, struct tcp_conn *c, const void *from, size_t len)
{
	int64_t took = tcp_write(t, c, from, len);
	if (took > 0) { /* the rest, if any, is written as urgent data again, and moves the mark */
		c->flight->urgent_end = c->snd_end;
		c->flight->urgent_sent = true;
		if (conn_synchronized(c))
			conn_owe_ack(t, c, WHY_URGENT);
	}
	return took;
}

/* URG and the pointer of a segment that begins at `seq` (MUST-30). */
void conn_put_urgent(const struct tcp_conn *c, uint32_t seq, uint8_t *header)
{
	struct tcp_flight *f = c->flight;
	if (seq_ge(c->snd_una, f->urgent_end))
		f->urgent_sent = false;
	else if (seq_gt(f->urgent_end, seq)) {
		uint32_t ahead = f->urgent_end - seq;
		header[13] |= TCP_URG;
		store16(header + 18, (uint16_t)(ahead > 65535 ? 65535 : ahead));
	}
}
