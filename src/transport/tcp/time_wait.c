/*
 * TIME-WAIT in a small struct: it answers what an old peer may still say, keeps
 * old duplicates from a new connection, and ignores resets (RFC 1337). They wait
 * in one list, because all wait equally long: one timer serves them.
 */
#include "transport/tcp/tcp_conn.h"

void time_wait_free(struct transport *t, struct tcp_time_wait *w)
{
	demux_remove(&t->demux, w->hash, DEMUX_TIME_WAIT, w);
	list_remove(&w->link);
	pool_give(&t->time_wait_pool, w);
}

void time_wait_timer(struct transport *t)
{
	while (!list_empty(&t->time_waits)) {
		struct tcp_time_wait *w =
			list_entry(t->time_waits.next, struct tcp_time_wait, link);
		if (w->expires > t->now) {
			wheel_arm(t->core->wheel, &t->time_wait_timer, w->expires);
			return;
		}
		time_wait_free(t, w);
	}
}

/* RFC 6191, SHLD-4: with timestamps that are known to be later, a second is enough. */
bool time_wait_reusable(const struct transport *t, const struct tcp_time_wait *w, nanodiff after)
{
	nanotime began = w->expires - 2 * t->config.msl;
	return w->options & CONN_TIMESTAMPS && after >= 0 && t->now - began >= after;
}

static void time_wait_answer(struct transport *t, struct tcp_time_wait *w)
{
	struct tcp_reply *r = tcp_reply_new(t);
	if (!r)
		return;
	r->tuple = w->tuple;
	r->seq = w->snd_nxt;
	r->ack = w->rcv_nxt;
	r->flags = TCP_ACK;
	r->window = w->window;
	r->why = WHY_ACK_DUPLICATE;
	r->tos = w->tos;
	r->hop_limit = w->hop_limit;
	r->timestamps = w->options & CONN_TIMESTAMPS;
	r->tsval = t->now_ms + w->ts_offset;
	r->tsecr = w->ts_recent;
}

/* May this SYN open a new connection (MAY-2)? RFC 6191 2, RFC 1122 4.2.2.13 */
static bool time_wait_new_syn(const struct tcp_time_wait *w, const struct tcp_segment *seg)
{
	if ((seg->flags & (TCP_SYN | TCP_ACK | TCP_RST | TCP_FIN)) != TCP_SYN)
		return false;
	bool stamped = seg->h.options.has & TCP_HAS_TIMESTAMPS && w->options & CONN_TIMESTAMPS;
	if (stamped && seg->h.options.tsval != w->ts_recent)
		return seq_gt(seg->h.options.tsval, w->ts_recent);
	return seq_gt(seg->seq, w->rcv_nxt);
}

/* Acceptable, and there is nothing to answer (RFC 9293 3.10.7.4): or two ends that both wait would
 * do so. */
static bool time_wait_bare(const struct tcp_time_wait *w, const struct tcp_segment *seg)
{
	bool old = w->options & CONN_TIMESTAMPS && seg->h.options.has & TCP_HAS_TIMESTAMPS &&
		   seq_lt(seg->h.options.tsval, w->ts_recent);
	return (seg->flags & (TCP_SYN | TCP_FIN | TCP_ACK)) == TCP_ACK && !seg->text_len &&
	       seg->seq == w->rcv_nxt && seq_le(seg->ack, w->snd_nxt) && !old;
}

void time_wait_input(struct transport *t, struct tcp_time_wait *w, struct rx *rx,
		     struct tcp_segment *seg)
{
	if (seg->flags & TCP_RST) { /* RFC 1337: no assassination */
		rx_drop(rx, DROP_TCP_TIME_WAIT);
		return;
	}
	if (time_wait_new_syn(w, seg)) {
		struct tcp_listener *l = listener_find(t, &w->tuple.local, w->tuple.local_port);
		if (l && !listener_has_room(l)) { /* or else neither the old nor the new is left */
			rx_drop(rx, DROP_TCP_BACKLOG_FULL);
			return;
		}
		if (l) {
			struct tcp_tuple tuple = w->tuple;
			uint32_t beyond = w->snd_nxt;
			time_wait_free(t, w);
			listener_input(t, l, rx, seg, &tuple, &beyond);
			return;
		}
	}
	if (time_wait_bare(w, seg)) {
		rx_fate(rx, FATE_DELIVERED);
		return;
	}
	/* RFC 9293 3.10.7.4: the only thing that should come is a FIN again. Rate-limited:
	 * TCP-26. */
	uint16_t stamp = (uint16_t)(t->now_ms / 16);
	bool fin_again = seg->flags & TCP_FIN && seg->seq + seg->text_len + 1 == w->rcv_nxt;
	if (fin_again) {
		list_remove(&w->link); /* restart the 2 MSL timer */
		w->expires = t->now + 2 * t->config.msl;
		list_push_back(&t->time_waits, &w->link);
	} else if (w->challenged &&
		   (uint16_t)(stamp - w->challenge_at) < t->config.challenge_rate / 16) {
		rx_drop(rx, DROP_TCP_TIME_WAIT);
		return;
	}
	w->challenged = true;
	w->challenge_at = stamp;
	time_wait_answer(t, w);
	if (fin_again)
		rx_fate(rx, FATE_ANSWERED);
	else
		rx_drop(rx, DROP_TCP_TIME_WAIT);
}
