/*
 * Receiving (dynamic right-sizing): once a round trip, what the application read
 * in it is compared with the buffer. A sender can be one window ahead of what is
 * read, so the buffer is twice that; and while the amount grows from round to
 * round, as it doubles in slow start, the buffer is opened before the sender
 * gets there: by the time that a growth is seen here, the sender is a round trip
 * further. Only what was read counts: a slow reader keeps a small buffer. A round
 * in which a hole had to be filled takes longer and delivers all that waited behind
 * it, which no round trip brought: it counts by the shortest round.
 *
 * Sending: what is in flight must stay for retransmission, and as much again must
 * wait behind it, or the writer is too late when the next ACK comes. So twice
 * cwnd, looked at only when the writer waits for room.
 */
#include "transport/tcp/autotune.h"

/* Rings of more than half a megabyte need a large block for their table, too. */
static bool memory_is_plenty(const struct transport *t)
{
	const struct pool *small = &t->blocks.small, *big = &t->blocks.big;
	return small->used <= small->count / 2 && big->used <= big->count / 2;
}

static void grow(const struct transport *t, uint32_t *buffer, uint64_t want, uint32_t most)
{
	if (want > most)
		want = most;
	if (want > *buffer && memory_is_plenty(t))
		*buffer = (uint32_t)want;
}

void autotune_send(struct transport *t, struct tcp_conn *c)
{
	struct tcp_flight *f = c->flight;
	if (!t->options[c->sock].send_buffer)
		grow(t, &f->send_buffer, (uint64_t)f->cc.cwnd * 2, t->config.send_buffer_max);
}

void autotune_receive(struct transport *t, struct tcp_conn *c)
{
	struct tcp_flight *f = c->flight;
	uint32_t now = t->now_ms + c->ts_offset, took = now - f->tune_mark;
	uint64_t read = f->rx.low - f->tune_low;
	f->tune_mark = now;
	f->tune_low = f->rx.low;
	if (!f->tune_round || took < f->tune_round)
		f->tune_round = took ? took : 1;
	if (took > 2 * f->tune_round) /* a hole held it up: this is more than a round's text */
		read = read * 2 * f->tune_round / took;
	if (read <= f->tune_most)
		return;
	uint64_t want = read * 2 + (read - f->tune_most) * 4;
	f->tune_most = (uint32_t)read;
	const struct endpoint_options *o = &t->options[c->sock];
	if (!c->sock || o->receive_buffer || o->window_clamp)
		return;
	grow(t, &f->receive_buffer, want, t->config.receive_buffer_max);
}
