/*
 * What was said: DNS questions with their answers, and TCP connections with
 * their numbers. A connection belongs to the walk when its SYN does; segments of
 * others are background.
 */
#include "diag/walk_build.h"

/* ---- phases ---- */

/* A new name is asked for, or a new connection opened, behind a response: a redirect's next hop. */
static void begin_hop(struct builder *b, struct walk_step *s)
{
	const struct walk_hop *old = walk_hop(b);
	if (old->reached < WALK_RESPONSE || b->hop + 1 == WALK_HOPS)
		return;
	b->hop++;
	s->hop = b->hop;
	s->phase = WALK_LOOKUP;
}

static void reach(struct builder *b, struct walk_step *s, enum walk_phase p)
{
	struct walk_hop *h = walk_hop(b);
	if (h->reached < p)
		h->reached = p;
	s->phase = (uint8_t)h->reached;
}

/* ---- DNS ---- */

static bool is_server(const struct walk *w, const struct addr *a)
{
	for (unsigned i = 0; i < w->input.dns_count; i++)
		if (addr_equal(&w->input.dns[i], a))
			return true;
	return false;
}

/* Asked before in this hop? Then it is only asked again, however late. */
static bool was_asked(const struct builder *b, const struct dns_question *q)
{
	const struct walk *w = b->w;
	for (unsigned i = 0; i < w->questions; i++)
		if (w->question[i].type == q->type && w->step[w->question[i].asked].hop == b->hop &&
			dns_name_equal(&w->question[i].name, &q->name))
			return true;
	return false;
}

static void ask_name(struct builder *b, struct walk_step *s, struct span message, uint16_t port)
{
	struct walk *w = b->w;
	struct dns_reader r;
	struct dns_header h;
	struct dns_question q;
	if (dns_reader_begin(&r, message, &h) != DROP_NONE || !dns_question_next(&r, &q) ||
		w->questions == WALK_QUESTIONS)
		return;
	s->again = was_asked(b, &q);
	if (!s->again)
		begin_hop(b, s);
	s->question = (uint16_t)w->questions;
	w->question[w->questions++] = (struct walk_question){
		.host = s->host,
		.id = h.id,
		.type = q.type,
		.local_port = port,
		.name = q.name,
		.asked = (uint32_t)(s - w->step),
		.answered = WALK_NO_STEP,
	};
}

static void answer_name(struct builder *b, struct walk_step *s, struct span message, uint16_t port)
{
	struct walk *w = b->w;
	struct dns_header h;
	struct walk_hop *hop = walk_hop(b);
	if (dns_header_parse(message, &h) != DROP_NONE)
		return;
	for (unsigned i = w->questions; i-- > 0;) {
		struct walk_question *q = &w->question[i];
		if (q->id != h.id || q->local_port != port || q->answered != WALK_NO_STEP)
			continue;
		q->answered = (uint32_t)(s - w->step);
		q->rcode = h.rcode;
		s->question = (uint16_t)i;
		walk_host_answer(w, s, step_time(w, s) - step_time(w, &w->step[q->asked]));
		break;
	}
	if (hop->syn == NANOTIME_NEVER)
		hop->lookup = step_time(w, s);
}

void walk_take_udp(struct builder *b, struct walk_step *s, const struct anatomy *a)
{
	struct walk *w = b->w;
	const struct moment *m = &w->timeline->moment[s->moment];
	uint16_t remote = s->sent ? a->udp.destination_port : a->udp.source_port;
	uint16_t local = s->sent ? a->udp.source_port : a->udp.destination_port;
	bool dns = remote == DNS_PORT && is_server(w, s->sent ? &a->destination : &a->source);
	s->kind = STEP_DATAGRAM;
	s->layer = LAYER_TRANSPORT;
	s->background = !dns && !s->sent && m->fate == FATE_DROPPED;
	if (s->background)
		return;
	walk_host_place(w, s, a);
	s->peer = walk_peer_of(w, s->host, s->sent ? &a->destination : &a->source);
	if (!dns || s->host == WALK_NONE)
		return;
	s->layer = LAYER_APPLICATION;
	w->host[s->host].roles |= WALK_DNS;
	s->kind = s->sent ? STEP_NAME_ASK : STEP_NAME_ANSWER;
	if (s->sent)
		ask_name(b, s, a->payload, local);
	else
		answer_name(b, s, a->payload, local);
}

/* ---- connections ---- */

static struct walk_flow *find(struct walk *w, const struct walk_step *s, const struct anatomy *a)
{
	const struct addr *local = s->sent ? &a->source : &a->destination;
	const struct addr *remote = s->sent ? &a->destination : &a->source;
	uint16_t lport = s->sent ? a->tcp.source_port : a->tcp.destination_port;
	uint16_t rport = s->sent ? a->tcp.destination_port : a->tcp.source_port;
	for (unsigned i = w->flows; i-- > 0;) {
		struct walk_flow *f = &w->flow[i];
		if (f->local_port == lport && f->remote_port == rport &&
			addr_equal(&f->local, local) && addr_equal(&f->remote, remote))
			return f;
	}
	return NULL;
}

/* Other connections of this hop lead to the same server. */
static uint16_t server_of(struct builder *b, const struct addr *remote)
{
	struct walk *w = b->w;
	for (unsigned i = w->flows; i-- > 0;)
		if (w->flow[i].hop == b->hop && !w->flow[i].dns)
			return walk_host_join(w, w->flow[i].host, remote);
	return WALK_NONE;
}

static struct walk_flow *open_flow(struct builder *b, struct walk_step *s, const struct anatomy *a)
{
	struct walk *w = b->w;
	bool dns = a->tcp.destination_port == DNS_PORT && is_server(w, &a->destination);
	if (w->flows == WALK_FLOWS)
		return NULL;
	begin_hop(b, s);
	if (!dns)
		server_of(b, &a->destination);
	walk_host_place(w, s, a);
	if (s->host == WALK_NONE)
		return NULL;
	w->host[s->host].roles |= dns ? WALK_DNS : WALK_SERVER;
	struct walk_flow *f = &w->flow[w->flows++];
	*f = (struct walk_flow){
		.host = s->host,
		.hop = b->hop,
		.local = a->source,
		.remote = a->destination,
		.local_port = a->tcp.source_port,
		.remote_port = a->tcp.destination_port,
		.dns = dns,
		.iss = a->tcp.seq,
		.sent_next = a->tcp.seq,
		.syn = (uint32_t)(s - w->step),
		.syn_ack = WALK_NO_STEP,
		.request_last = WALK_NO_STEP,
		.response_first = WALK_NO_STEP,
		.response_last = WALK_NO_STEP,
		.local_scale = 0xff,
		.remote_scale = 0xff,
	};
	return f;
}

static void remember(struct walk *w, struct walk_flow *f, const struct walk_step *s, uint32_t end)
{
	for (unsigned i = 0; i < f->flying; i++)
		if (f->flight[i].end == end) {
			f->flight[i].again = true;
			return;
		}
	if (f->flying == WALK_FLIGHT)
		memmove(f->flight, f->flight + 1, --f->flying * sizeof *f->flight);
	f->flight[f->flying++] = (struct walk_flight){
		.end = end, .step = (uint32_t)(s - w->step), .again = s->again
	};
}

/* An acknowledgment: the shortest way to what it answers is a round trip. A segment that was sent
 * twice tells nothing, since either may be meant (RFC 6298 3). */
static void acknowledge(
	struct walk *w, struct walk_flow *f, const struct walk_step *s, uint32_t ack)
{
	unsigned kept = 0;
	for (unsigned i = 0; i < f->flying; i++) {
		const struct walk_flight *x = &f->flight[i];
		if (x->end == ack && !x->again)
			walk_host_answer(w, s, step_time(w, s) - step_time(w, &w->step[x->step]));
		if (seq_gt(x->end, ack))
			f->flight[kept++] = *x;
	}
	f->flying = kept;
}

static void receive_up_to(struct walk_flow *f, uint32_t next)
{
	uint32_t to = seq_max(f->received_next, next);
	f->received += to - f->received_next;
	f->received_next = to;
}

static void take_sent(
	struct builder *b, struct walk_flow *f, struct walk_step *s, const struct anatomy *a)
{
	struct walk *w = b->w;
	const struct tcp_header *h = &a->tcp;
	uint32_t len = anatomy_sequence_len(a), end = h->seq + len;
	s->seq = h->seq - f->iss;
	s->ack = h->flags & TCP_ACK ? h->ack - f->irs : 0;
	s->again = len > 0 && f->sent_next != f->iss && seq_le(end, f->sent_next);
	f->again += s->again;
	if (len)
		remember(w, f, s, end);
	f->sent += seq_max(f->sent_next, end) - f->sent_next;
	f->sent_next = seq_max(f->sent_next, end);
	f->fin_sent |= (h->flags & TCP_FIN) != 0;
	if (h->flags & TCP_ACK && f->has_irs) {
		s->handshake = !f->shaken && !(h->flags & TCP_RST);
		f->shaken = true;
		receive_up_to(f, h->ack); /* what came early counts when its gap is filled */
	}
	if (h->flags & TCP_SYN && h->options.has & TCP_HAS_WSCALE)
		f->local_scale = h->options.wscale;
	if (h->flags & TCP_SYN && h->options.has & TCP_HAS_MSS)
		f->local_mss = h->options.mss;
}

static void take_received(
	struct walk *w, struct walk_flow *f, struct walk_step *s, const struct anatomy *a)
{
	const struct tcp_header *h = &a->tcp;
	uint32_t len = anatomy_sequence_len(a), end = h->seq + len;
	if (h->flags & TCP_SYN && !f->has_irs) {
		f->has_irs = true;
		f->irs = f->received_next = h->seq;
		f->syn_ack = (uint32_t)(s - w->step);
		if (h->options.has & TCP_HAS_WSCALE)
			f->remote_scale = h->options.wscale;
		if (h->options.has & TCP_HAS_MSS)
			f->remote_mss = h->options.mss;
	}
	s->seq = f->has_irs ? h->seq - f->irs : 0;
	s->ack = h->flags & TCP_ACK ? h->ack - f->iss : 0;
	s->early = len > 0 && seq_gt(h->seq, f->received_next);
	s->again = len > 0 && seq_le(end, f->received_next);
	if (len > 0 &&
		!s->early) /* an ACK alone is numbered by what its sender has sent, come or not */
		receive_up_to(f, end);
	if (h->flags & TCP_FIN)
		f->fin_received = true, f->fin_at = end;
	if (h->flags & TCP_ACK)
		acknowledge(w, f, s, h->ack);
}

static enum walk_step_kind kind_of(const struct anatomy *a)
{
	if (a->tcp.flags & TCP_RST)
		return STEP_RESET;
	if (a->tcp.flags & TCP_SYN)
		return a->tcp.flags & TCP_ACK ? STEP_SYN_ACK : STEP_SYN;
	if (a->payload_len)
		return STEP_DATA;
	return a->tcp.flags & TCP_FIN ? STEP_FIN : STEP_ACK;
}

/* Where the exchange stands now, by what this connection does. */
static void move_phase(
	struct builder *b, struct walk_flow *f, struct walk_step *s, const struct anatomy *a)
{
	struct walk_hop *h = walk_hop(b);
	nanotime now = step_time(b->w, s);
	uint32_t at = (uint32_t)(s - b->w->step);
	if (f->hop != b->hop)
		return;
	if (s->kind == STEP_SYN && h->syn == NANOTIME_NEVER) {
		h->syn = now;
		reach(b, s, WALK_CONNECT);
	}
	if (s->sent && a->payload_len && !f->carries && f->has_irs) {
		f->carries = true;
		h->connect = step_time(b->w, &b->w->step[f->syn_ack]);
	}
	if (!f->carries)
		return;
	if (s->sent && a->payload_len) {
		reach(b, s, WALK_REQUEST);
		if (f->response_first == WALK_NO_STEP)
			f->request_last = at, h->request = now;
	} else if (!s->sent && a->payload_len) {
		if (f->response_first == WALK_NO_STEP)
			f->response_first = at, h->first = now;
		f->response_last = at;
		h->response = now;
		reach(b, s, WALK_RESPONSE);
	} else if (a->tcp.flags & (TCP_FIN | TCP_RST)) {
		reach(b, s, WALK_CLOSE);
	}
	h->close = now;
	if (a->tcp.flags & TCP_FIN && h->reached < WALK_CLOSE)
		h->reached = WALK_CLOSE; /* for what follows */
}

void walk_take_tcp(struct builder *b, struct walk_step *s, const struct anatomy *a)
{
	struct walk *w = b->w;
	bool syn = s->sent && (a->tcp.flags & (TCP_SYN | TCP_ACK)) == TCP_SYN;
	struct walk_flow *f = find(w, s, a);
	s->kind = (uint8_t)kind_of(a);
	s->layer = LAYER_TRANSPORT;
	if (!f && syn)
		f = open_flow(b, s, a);
	s->background = !f;
	if (!f)
		return;
	s->flow = (uint16_t)(f - w->flow);
	walk_host_place(w, s, a);
	s->peer = walk_peer_of(w, s->host, &f->remote);
	if (s->sent)
		take_sent(b, f, s, a);
	else
		take_received(w, f, s, a);
	if (a->payload_len)
		s->layer = LAYER_APPLICATION;
	if (!f->dns)
		move_phase(b, f, s, a);
}
