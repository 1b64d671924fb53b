/*
 * The delay of SACKs. Each segment beyond a hole SHOULD be acknowledged at once (RFC 5681 4.2), so
 * that the sender learns of the loss by its third duplicate. A sender that hears SACK needs no
 * more duplicates than that: later ones tell it where text arrived, and one ACK tells of a whole
 * run of segments as well as of each. After a loss now and then that is worth nothing, and being
 * late costs a little. But when slow start has overrun the queue of a long path, thousands of
 * segments come beyond a hole: there it spares the way back, and the sender's queue, which each
 * block cuts in pieces. So once comp_sack_after segments came since nothing was held, ACKs of such
 * segments may wait for each other, for comp_sack_delay and a part of a round trip at most.
 *
 * None waits
 *	without SACK, where every duplicate lets the sender go on (RFC 6582);
 *	among the first three since RCV.NXT moved, which begin fast retransmit;
 *	where RCV.NXT moved, because a hole was filled: text_advance owes that ACK at once;
 *	that tells of more: a FIN, a duplicate (RFC 2883), text that found no place;
 *	where comp_sack_nr segments wait, or more ranges grew than two: an option without room for
 *	more than three would forget the oldest, and ACKs get lost.
 * Nor does any on a short path, where a part of a round trip is too little for another segment to
 * come, and the ACK would only be late.
 *
 * What goes for another reason takes the news along. The timer is that of delayed ACKs: where text
 * is not acknowledged, that text's ACK goes at once.
 */
#include "transport/tcp/sack_delay.h"

#define FIRST_ACKS  3 /* RFC 5681 3.2 */
#define RANGES_MOST 2
#define WORTH       (NANO_MS / 2)

/* A part of a round trip, as far as a receiver knows it; 0: nothing may wait. */
static nanodiff delay_of(const struct transport *t, const struct tcp_conn *c)
{
	const struct transport_config *o = &t->config;
	nanodiff round = (nanodiff)c->flight->tune_round * NANO_MS, srtt = rtt_smoothed(&c->rtt);
	if (!round || (srtt && srtt < round))
		round = srtt;
	nanodiff part = round / 100 * o->comp_sack_rtt_percent;
	nanodiff delay = part < o->comp_sack_delay ? part : o->comp_sack_delay;
	return delay < WORTH ? 0 : delay;
}

bool sack_waits(struct transport *t, struct tcp_conn *c, bool same_range)
{
	struct tcp_flight *f = c->flight;
	if (!t->config.comp_sack_nr || !(c->flags & CONN_SACK) || c->flags & CONN_ACK_NOW ||
		c->rcv_nxt != c->last_ack_sent || f->twice_start != f->twice_end ||
		f->hole_segments <= t->config.comp_sack_after)
		return false;
	if (f->hole_acks < FIRST_ACKS) {
		f->hole_acks++;
		return false;
	}
	bool first = f->ack_at == NANOTIME_NEVER;
	if (first)
		f->sacks_waiting = f->sack_ranges = 0;
	if (first || !same_range)
		f->sack_ranges++;
	if (f->sacks_waiting >= t->config.comp_sack_nr || f->sack_ranges > RANGES_MOST)
		return false;
	if (first) {
		nanodiff delay = delay_of(t, c);
		if (delay <= 0)
			return false;
		f->ack_at = t->now + delay;
		f->ack_when_read = false;
		conn_arm(t, c, f->ack_at);
	}
	f->sacks_waiting++;
	f->acks_compressed++;
	return true;
}

bool sack_timer(struct transport *t, struct tcp_conn *c)
{
	if (c->rcv_nxt != c->last_ack_sent || !c->flight->sacks_waiting)
		return false;
	c->flight->acks_compressed--; /* the last of them is this one */
	conn_owe_ack(t, c, WHY_ACK_OUT_OF_ORDER);
	return true;
}
