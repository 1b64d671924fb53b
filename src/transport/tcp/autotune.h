/*
 * Buffers that grow with their connection: a buffer smaller than what the path
 * holds is a limit of our own making, and a large one for everybody is memory
 * that few need. Both begin at the configured size and grow up to the configured
 * limit; they never shrink, since an offered window must not (RFC 9293
 * SHLD-14). A buffer that its owner sized stays as it is, and nothing grows while
 * more than half of the stack's memory for rings is in use.
 */
#ifndef STRATA_TRANSPORT_TCP_AUTOTUNE_H
#define STRATA_TRANSPORT_TCP_AUTOTUNE_H

#include "transport/tcp/tcp_conn.h"

/* The writer waits for room: has the congestion window outgrown the send buffer? */
void autotune_send(struct transport *t, struct tcp_conn *c);
/* A round trip of receiving is over. */
void autotune_receive(struct transport *t, struct tcp_conn *c);

/* Has a round trip passed since the last mark? An echo of a later timestamp was sent after our
 * window had come to the sender. Without timestamps the estimator's word, and half a second
 * where it has none. */
static inline bool autotune_due(
	const struct transport *t, const struct tcp_conn *c, const struct tcp_segment *seg)
{
	const struct tcp_flight *f = c->flight;
	if (c->flags & CONN_TIMESTAMPS)
		return seg->h.options.has & TCP_HAS_TIMESTAMPS && /* a box may strip them */
		       seq_gt(seg->h.options.tsecr, f->tune_mark);
	nanodiff round = rtt_smoothed(&c->rtt) ? rtt_smoothed(&c->rtt) : NANO_S / 2;
	return t->now_ms + c->ts_offset - f->tune_mark > (uint32_t)(round / NANO_MS);
}

#endif
