/*
 * From moments to steps, in one pass. State changes are traced just before the
 * frame that brought them, or that they bring about, at the same time: they wait
 * for it. What has no frame at that time becomes a step of its own.
 */
#include "diag/walk_build.h"

static const char *const phase_names[WALK_PHASES] = {
	[WALK_LOOKUP] = "lookup",
	[WALK_CONNECT] = "connect",
	[WALK_REQUEST] = "request",
	[WALK_WAIT] = "wait",
	[WALK_RESPONSE] = "response",
	[WALK_CLOSE] = "close",
};

static const char *const kind_names[STEP_KINDS] = {
	[STEP_NEIGHBOUR_ASK] = "neighbour_ask",
	[STEP_NEIGHBOUR_ANSWER] = "neighbour_answer",
	[STEP_NAME_ASK] = "name_ask",
	[STEP_NAME_ANSWER] = "name_answer",
	[STEP_SYN] = "syn",
	[STEP_SYN_ACK] = "syn_ack",
	[STEP_DATA] = "data",
	[STEP_ACK] = "ack",
	[STEP_FIN] = "fin",
	[STEP_RESET] = "reset",
	[STEP_ICMP] = "icmp",
	[STEP_DATAGRAM] = "datagram",
	[STEP_OTHER] = "other",
	[STEP_UNSENT] = "unsent",
	[STEP_TIMER] = "timer",
	[STEP_LOSS] = "loss",
	[STEP_CHANGE] = "change",
};

const char *walk_phase_name(enum walk_phase p)
{
	return p < WALK_PHASES ? phase_names[p] : "";
}

const char *walk_step_name(enum walk_step_kind k)
{
	return k < STEP_KINDS ? kind_names[k] : "";
}

static struct walk_step *new_step(struct builder *b, enum walk_step_kind kind, uint32_t moment)
{
	struct walk *w = b->w;
	if (w->steps == w->cap)
		return NULL;
	struct walk_step *s = &w->step[w->steps++];
	*s = (struct walk_step){
		.kind = (uint8_t)kind,
		.phase = (uint8_t)walk_hop(b)->reached,
		.hop = b->hop,
		.moment = moment,
		.host = WALK_NONE,
		.router = WALK_NONE,
		.flow = WALK_NONE,
		.question = WALK_NONE,
	};
	return s;
}

/* ---- state changes ---- */

static bool same_flow(const struct trace_flow *f, const struct walk_flow *g)
{
	return f->local_port == g->local_port && f->remote_port == g->remote_port &&
		addr_equal(&f->remote, &g->remote) && addr_equal(&f->local, &g->local);
}

static uint16_t find_flow(const struct walk *w, const struct trace_flow *f)
{
	for (unsigned i = w->flows; i-- > 0;)
		if (same_flow(f, &w->flow[i]))
			return (uint16_t)i;
	return WALK_NONE;
}

static bool concerns(const struct walk *w, const struct moment *change, const struct walk_step *s)
{
	bool neighbour = s->kind == STEP_NEIGHBOUR_ASK || s->kind == STEP_NEIGHBOUR_ANSWER;
	if (change->kind == TRACE_NEIGHBOUR)
		return neighbour;
	return s->flow != WALK_NONE && same_flow(&change->flow, &w->flow[s->flow]);
}

static void attach_changes(struct builder *b, struct walk_step *s)
{
	unsigned kept = 0;
	for (unsigned i = 0; i < b->pendings; i++) {
		uint32_t m = b->pending[i];
		if (s->states < WALK_STATES && concerns(b->w, &b->w->timeline->moment[m], s))
			s->state[s->states++] = m;
		else
			b->pending[kept++] = m;
	}
	b->pendings = kept;
}

static void tell_change(struct builder *b, uint32_t m)
{
	const struct moment *change = &b->w->timeline->moment[m];
	struct walk_step *s = new_step(b, STEP_CHANGE, m);
	if (!s)
		return;
	s->layer = change->kind == TRACE_NEIGHBOUR ? LAYER_ACCESS : LAYER_TRANSPORT;
	s->states = 1;
	s->state[0] = m;
	if (change->kind == TRACE_TCP_STATE)
		s->flow = find_flow(b->w, &change->flow);
	s->background = change->kind == TRACE_TCP_STATE && s->flow == WALK_NONE;
}

/* A connection that was opened, but whose SYN waits for address resolution. */
static bool is_opening(const struct walk *w, const struct moment *m)
{
	return m->kind == TRACE_TCP_STATE && find_flow(w, &m->flow) == WALK_NONE;
}

/* Those that have waited since an earlier time have no frame. */
static void flush_changes(struct builder *b, nanotime now)
{
	unsigned kept = 0;
	for (unsigned i = 0; i < b->pendings; i++) {
		const struct moment *m = &b->w->timeline->moment[b->pending[i]];
		if (m->time < now && (now == NANOTIME_NEVER || !is_opening(b->w, m)))
			tell_change(b, b->pending[i]);
		else
			b->pending[kept++] = b->pending[i];
	}
	b->pendings = kept;
}

static void take_change(struct builder *b, uint32_t m)
{
	if (b->pendings == WALK_PENDING) {
		tell_change(b, b->pending[0]);
		b->pendings--;
		memmove(b->pending, b->pending + 1, b->pendings * sizeof *b->pending);
	}
	b->pending[b->pendings++] = m;
}

/* ---- frames ---- */

static void take_neighbour(
	struct builder *b, struct walk_step *s, const struct anatomy *a, const struct moment *m)
{
	const struct addr *owner;
	const struct mac *mac = NULL;
	if (a->kind == ANATOMY_ARP) {
		bool answer = a->arp.operation == ARP_REPLY;
		s->kind = answer ? STEP_NEIGHBOUR_ANSWER : STEP_NEIGHBOUR_ASK;
		s->layer = LAYER_ACCESS;
		owner = answer ? &a->arp.sender : &a->arp.target;
		mac = answer ? &a->arp.sender_mac : NULL;
	} else {
		bool answer = a->nd.type == ICMP6_NEIGHBOUR_ADVERT;
		s->kind = answer ? STEP_NEIGHBOUR_ANSWER : STEP_NEIGHBOUR_ASK;
		s->layer = LAYER_INTERNET;
		owner = &a->nd.target;
		if (answer)
			mac = a->nd.has_target_mac ? &a->nd.target_mac : &a->eth.source;
	}
	/* Announcements, and what others ask others. */
	s->background = s->sent ? m->why == WHY_ARP_ANNOUNCE || m->why == WHY_ARP_PROBE ||
			(s->kind == STEP_NEIGHBOUR_ANSWER && (a->eth.destination.b[0] & 1))
				: m->fate == FATE_DROPPED;
	if (s->background)
		return;
	if (mac && !s->sent)
		walk_host_learn(b->w, owner, mac);
	if (s->sent != (s->kind == STEP_NEIGHBOUR_ANSWER))
		s->host = walk_host_of(b->w, owner);
	else if (a->kind == ANATOMY_ARP)
		s->host = walk_host_of(b->w, s->sent ? &a->arp.target : &a->arp.sender);
}

static void take_icmp(
	struct builder *b, struct walk_step *s, const struct anatomy *a, const struct moment *m)
{
	s->kind = STEP_ICMP;
	s->layer = LAYER_INTERNET;
	s->background = s->sent ? m->why == WHY_ICMP_ERROR : m->fate != FATE_DELIVERED;
	if (!s->background)
		walk_host_place(b->w, s, a);
}

static void take_frame(struct builder *b, uint32_t index)
{
	const struct moment *m = &b->w->timeline->moment[index];
	struct walk_step *s = new_step(b, STEP_OTHER, index);
	struct anatomy a;
	if (!s)
		return;
	s->sent = m->kind == TRACE_TX;
	anatomy_read(timeline_bytes(b->w->timeline, m), m->len, &a);
	if (s->sent && !b->w->host[0].has_mac) {
		b->w->host[0].has_mac = true;
		b->w->host[0].mac = a.eth.source;
	}
	switch (a.kind) {
	case ANATOMY_ARP:
	case ANATOMY_ND: take_neighbour(b, s, &a, m); break;
	case ANATOMY_TCP: walk_take_tcp(b, s, &a); break;
	case ANATOMY_UDP: walk_take_udp(b, s, &a); break;
	case ANATOMY_ICMP: take_icmp(b, s, &a, m); break;
	default: s->layer = a.ip ? LAYER_INTERNET : LAYER_ACCESS; s->background = true;
	}
	attach_changes(b, s);
}

/* ---- events without a frame ---- */

static void take_event(struct builder *b, uint32_t index)
{
	const struct moment *m = &b->w->timeline->moment[index];
	enum walk_step_kind kind = m->kind == TRACE_TCP_TIMER ? STEP_TIMER
		: m->kind == TRACE_TCP_LOSS                   ? STEP_LOSS
							      : STEP_UNSENT;
	struct walk_step *s = new_step(b, kind, index);
	if (!s)
		return;
	s->layer = kind == STEP_UNSENT ? drop_info((enum drop)m->drop)->layer : LAYER_TRANSPORT;
	if (kind == STEP_UNSENT)
		return;
	s->flow = find_flow(b->w, &m->flow);
	s->background = s->flow == WALK_NONE;
	if (!s->background)
		s->host = b->w->flow[s->flow].host;
}

static void take(struct builder *b, uint32_t index)
{
	const struct moment *m = &b->w->timeline->moment[index];
	flush_changes(b, m->time);
	switch (m->kind) {
	case TRACE_TX:
	case TRACE_RX: take_frame(b, index); break;
	case TRACE_NEIGHBOUR:
	case TRACE_TCP_STATE: take_change(b, index); break;
	case TRACE_TX_DROP:
	case TRACE_TCP_TIMER:
	case TRACE_TCP_LOSS: take_event(b, index); break;
	default: break;
	}
}

void walk_build(struct walk *w, const struct timeline *t, const struct walk_input *in,
	struct walk_step *steps, uint32_t cap)
{
	struct builder b = { .w = w };
	memset(w, 0, sizeof *w);
	w->timeline = t;
	w->input = *in;
	w->step = steps;
	w->cap = cap;
	w->hosts = 1;
	w->host[0].roles = WALK_CLIENT;
	for (unsigned i = 0; i < WALK_HOPS; i++)
		b.hops[i] = (struct walk_hop){ WALK_LOOKUP, in->started, NANOTIME_NEVER,
			NANOTIME_NEVER, NANOTIME_NEVER, NANOTIME_NEVER, NANOTIME_NEVER,
			NANOTIME_NEVER, NANOTIME_NEVER };
	for (uint32_t i = 0; i < t->count; i++)
		take(&b, i);
	flush_changes(&b, NANOTIME_NEVER);
	walk_sum(&b);
}

bool walk_anatomy(const struct walk *w, const struct walk_step *s, struct anatomy *a)
{
	const struct moment *m = &w->timeline->moment[s->moment];
	if (!moment_is_frame(m))
		return false;
	anatomy_read(timeline_bytes(w->timeline, m), m->len, a);
	return true;
}

/* RFC 7323 2.2: only if both sides offered it, never in a SYN, 14 at most. */
uint8_t walk_scale(const struct walk *w, const struct walk_step *s, const struct anatomy *a)
{
	if (s->flow == WALK_NONE || a->tcp.flags & TCP_SYN)
		return 0;
	const struct walk_flow *f = &w->flow[s->flow];
	if (f->local_scale == 0xff || f->remote_scale == 0xff)
		return 0;
	uint8_t scale = s->sent ? f->local_scale : f->remote_scale;
	return scale > 14 ? 14 : scale;
}
