/*
 * Segments that belong to no connection: resets, SYN-ACKs, the answers of
 * TIME-WAIT. A reply owns all it says, waits in a bounded ring, and is sent by the
 * next transmit that finds its link with room; where the next hop is not resolved
 * yet, it waits there by copy.
 */
#include "transport/tcp/ecn.h"

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

/* Text behind the header; returns its sum. */
static uint64_t put_text(struct transport *t, struct tx_frame *f, const struct ring *ring,
			 uint32_t seq, uint32_t len)
{
	size_t covered;
	f->spans = (uint16_t)ring_spans(ring, seq, len, f->body, FRAME_SPANS, &covered);
	f->body_len = (uint32_t)covered;
	assert(covered == len);
	uint64_t sum = 0;
	uint32_t at = 0;
	for (unsigned i = 0; i < f->spans; i++) {
		uint32_t part = t->core->checksum->sum(f->body[i].at, f->body[i].len);
		sum += at & 1 ? checksum_odd(part) : part;
		at += (uint32_t)f->body[i].len;
	}
	return sum;
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

static inline bool send_reply(struct transport *t, const struct tcp_reply *r,
			      const struct tcp_options *options, struct path *path,
			      const struct ring *ring, uint32_t seq, uint32_t len)
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
	size_t header = tcp_emit(&h, bytes, sizeof bytes);
	assert(header);
	struct tx_frame *f = t->core->frame;
	frame_begin(f, (enum tx_why)r->why);
	uint64_t text = len ? put_text(t, f, ring, seq, len) : 0;
	uint16_t sum = checksum_finish( /* MUST-2 */
		text + checksum_header(bytes, header) +
		pseudo_sum(&r->tuple.local, &r->tuple.remote, IPPROTO_TCP_,
			   (uint32_t)header + len));
	memcpy(bytes + 16, &sum, 2);
	memcpy(frame_push(f, header), bytes, header);
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

bool tcp_reply_send(struct transport *t, const struct tcp_reply *r,
		    const struct tcp_options *options, struct path *path)
{
	return send_reply(t, r, options, path, NULL, 0, 0);
}

bool tcp_reply_send_text(struct transport *t, const struct tcp_reply *r,
			 const struct tcp_options *options, struct path *path,
			 const struct ring *ring, uint32_t seq, uint32_t len)
{
	return send_reply(t, r, options, path, ring, seq, len);
}

bool tcp_reply_try(struct transport *t, const struct tcp_reply *r)
{
	struct path path = { .neighbour = NEIGHBOUR_NO_INDEX };
	bool routed = __builtin_expect(t->internet->routed, 0) &&
		      tcp_reply_route(t, &r->tuple, &path);
	enum error e = routed ? ERR_OK : transport_path(t, &path, &r->tuple.remote);
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
	if (r->accecn)
		ecn_first_option(t, &o, r->cookie);
	if (r->cookie) {
		o.has |= TCP_HAS_FAST_OPEN;
		o.fast_open_len = FAST_OPEN_COOKIE;
		o.fast_open_experimental = r->cookie == COOKIE_EXPERIMENTAL;
		const struct tcp_listener *l =
			listener_find(t, &r->tuple.local, r->tuple.local_port);
		fast_open_cookie(&fast_syn_keys(t, l)->key[0], &r->tuple.local, &r->tuple.remote,
				 o.fast_open);
	}
	tcp_reply_send(t, r, r->flags & TCP_SYN ? &o : NULL, &path); /* MUST-65 */
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
