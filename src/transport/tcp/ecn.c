/*
 * Explicit Congestion Notification (RFC 3168, with the answer of RFC 8511): routers
 * mark what they might have dropped. The two ends agree in the SYNs; then new data is
 * sent as ECT(0), and what comes marked CE makes us set ECE on every segment until the
 * peer says with CWR that it has reduced its window. ECE from the peer reduces ours
 * (recover.c), once a window, and the next new data carries CWR.
 *
 * Never ECT: retransmissions, pure ACKs, SYNs, probes, resets (6.1.4 .. 6.1.6, RFC 5562 is
 * not used): their loss must be seen, or may be forged.
 *
 * A path that swallows an ECN-setup SYN gets a plain one the next time (6.1.1.1), and a peer
 * that only reflects the flags that it does not know has not agreed.
 */
#include "transport/tcp/ecn.h"

#define QUICK_AFTER_MARK 2 /* segments acknowledged at once: the sender's window may be small */

uint16_t conn_ecn_of_syn(struct tcp_conn *c)
{
	if (c->state == TCP_SYN_RECEIVED)
		return TCP_ECE;
	if (c->backoff)
		c->ecn = 0;
	return c->ecn ? TCP_ECE | TCP_CWR : 0;
}

void conn_take_syn_ecn(struct tcp_conn *c, const struct tcp_segment *seg)
{
	uint16_t agreed = seg->flags & TCP_ACK ? TCP_ECE : TCP_ECE | TCP_CWR;
	if ((seg->flags & (TCP_ECE | TCP_CWR)) != agreed)
		c->ecn = 0;
}

uint16_t conn_ecn_of_segment(struct tcp_conn *c, bool fresh, uint8_t *tos)
{
	uint16_t flags = c->ecn & CONN_ECN_ECHO ? TCP_ECE : 0;
	if (!fresh)
		return flags;
	*tos |= IP_ECT0;
	if (c->ecn & CONN_ECN_CWR) {
		c->ecn &= (uint8_t)~CONN_ECN_CWR;
		flags |= TCP_CWR;
	}
	return flags;
}

/* The way to us: RFC 3168 6.1.3. */
static void take_mark(struct transport *t, struct tcp_conn *c, const struct rx *rx,
		      const struct tcp_segment *seg)
{
	unsigned mark = rx->tos & IP_ECN_MASK;
	if (seg->flags & TCP_CWR) { /* before CE: a mark on this segment is a new one */
		c->ecn &= (uint8_t)~CONN_ECN_ECHO;
		conn_owe_ack(t, c, WHY_ACK_NOW); /* its window may be one segment */
	}
	if (mark != IP_NOT_ECT)
		c->ecn |= CONN_ECN_SEEN;
	if (mark != IP_CE)
		return;
	struct tcp_flight *f = conn_flight(t, c);
	if (f) {
		f->ce_received += seg->segments;
		if (!(c->ecn & CONN_ECN_ECHO) && f->quick < QUICK_AFTER_MARK)
			f->quick = QUICK_AFTER_MARK;
	}
	c->ecn |= CONN_ECN_ECHO;
}

/* The way from us: ECE is about everything that this ACK delivers, as Linux counts. */
static void take_echo(struct transport *t, struct tcp_conn *c, const struct tcp_segment *seg)
{
	struct tcp_flight *f = c->flight;
	uint32_t delivered = (uint32_t)f->bytes_acked + f->board.sacked;
	uint32_t fresh = delivered - f->ecn_delivered;
	f->ecn_delivered = delivered;
	if (f->ecn_high - c->snd_una > c->snd_nxt - c->snd_una) /* or it comes round again */
		f->ecn_high = c->snd_una - 1;
	if (!(seg->flags & TCP_ECE) || seg->ack != c->snd_una)
		return;
	if (fresh <= INT32_MAX) /* SACKs can be forgotten */
		f->ce_delivered += (fresh + c->mss - 1) / c->mss;
	conn_take_echo(t, c);
}

void conn_take_ecn(struct transport *t, struct tcp_conn *c, const struct rx *rx,
		   const struct tcp_segment *seg)
{
	if (seg->text_len)
		take_mark(t, c, rx, seg);
	if (c->flight)
		take_echo(t, c, seg);
}
