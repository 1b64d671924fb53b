/*
 * Segments that belong to no connection: resets, SYN-ACKs, the answers of
 * TIME-WAIT. A reply owns all it says, waits in a bounded ring, and is sent by the
 * next transmit that finds its link with room; where the next hop is not resolved
 * yet, it waits there by copy.
 */
#include "transport/tcp/tcp_conn.h"

struct tcp_reply *tcp_reply_new(struct transport *t)
{
	if (t->reply_count == t->config.resets) {
		t->core->counters->tx_drop[DROP_INTENT_FULL]++;
		return NULL;
	}
	uint32_t at = (t->reply_head + t->reply_count++) % t->config.resets;
	struct tcp_reply *r = &t->reply[at];
	memset(r, 0, sizeof *r);
	return r;
}

/* RFC 9293 3.10.7.1: what a reset to a segment of no connection looks like. */
void tcp_reply_reset(struct transport *t, const struct rx *rx, const struct tcp_segment *seg,
		 const struct tcp_tuple *tuple)
{
	if (seg->flags & TCP_RST || rx->group)
		return;
	struct tcp_reply *r = tcp_reply_new(t);
	if (!r)
		return;
	r->tuple = *tuple;
	r->why = WHY_RESET_NO_CONNECTION;
	if (seg->flags & TCP_ACK) {
		r->seq = seg->ack;
		r->flags = TCP_RST;
	} else {
		r->ack = seg->seq + segment_len(seg);
		r->flags = TCP_RST | TCP_ACK;
	}
}

bool tcp_reply_send(struct transport *t, const struct tcp_reply *r,
		    const struct tcp_options *options, struct path *path)
{
	struct tcp_header h; /* of the options only those that `has` names are set, and read */
	if (options)
		h.options = *options;
	else
		h.options.has = 0;
	if (r->timestamps) {
		h.options.has |= TCP_HAS_TIMESTAMPS;
		h.options.tsval = r->tsval;
		h.options.tsecr = r->tsecr;
	}
	h.source_port = r->tuple.local_port;
	h.destination_port = r->tuple.remote_port;
	h.seq = r->seq;
	h.ack = r->ack;
	h.flags = r->flags;
	h.window = r->window;
	h.checksum = h.urgent = 0;
	uint8_t bytes[TCP_HEADER_MAX];
	size_t len = tcp_emit(&h, bytes, sizeof bytes);
	assert(len);
	uint16_t sum = checksum_finish(
		checksum_header(bytes, len) +
		pseudo_sum(&r->tuple.local, &r->tuple.remote, IPPROTO_TCP_, (uint32_t)len));
	memcpy(bytes + 16, &sum, 2);
	struct tx_frame *f = t->core->frame;
	frame_begin(f, (enum tx_why)r->why);
	memcpy(frame_push(f, len), bytes, len);
	struct ip_send s = {
		.source = &r->tuple.local,
		.destination = &r->tuple.remote,
		.protocol = IPPROTO_TCP_,
		.tos = r->tos,
		.hop_limit = r->hop_limit,
		.dont_fragment = true,
		.copy_if_waiting = true,
	};
	return internet_send(t->internet, path, f, &s, t->now);
}

bool tcp_reply_try(struct transport *t, const struct tcp_reply *r)
{
	struct path path = { .neighbour = NEIGHBOUR_NO_INDEX };
	enum error e = transport_path(t, &path, &r->tuple.remote);
	if (e != ERR_OK) { /* no way there now */
		enum drop why = e == ERR_MEMORY ? DROP_NEIGHBOUR_TABLE_FULL : DROP_IP_NO_ROUTE;
		t->core->counters->tx_drop[why]++;
		return true;
	}
	if (transport_blocked(t, &path))
		return false;
	struct tcp_options o;
	if (r->flags & TCP_SYN)
		tcp_syn_options(&o, &r->tuple.remote, t->internet->access->netif[path.nif].mtu,
				r->sack, r->scale, r->wscale);
	if (r->mss && r->flags & TCP_SYN && r->mss < o.mss)
		o.mss = r->mss;
	tcp_reply_send(t, r, r->flags & TCP_SYN ? &o : NULL, &path);
	return true;
}

unsigned tcp_reply_transmit(struct transport *t, unsigned budget)
{
	unsigned sent = 0;
	for (uint32_t turns = t->reply_count; turns && sent < budget; turns--) {
		struct tcp_reply r = t->reply[t->reply_head];
		t->reply_head = (t->reply_head + 1) % t->config.resets;
		t->reply_count--;
		if (tcp_reply_try(t, &r))
			sent++;
		else
			*tcp_reply_new(t) = r; /* behind the others: its place is free */
	}
	return sent;
}
