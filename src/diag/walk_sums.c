/*
 * What can only be known at the end: which phase address resolution served, how
 * long each phase took, what each layer weighed, and the chain of round trips.
 *
 * A round trip is spent when something has to be sent to the other end and come
 * back before the exchange can go on. They are counted along one chain, from its
 * end: the page's last byte came from a host; the latest packet that it can be an
 * answer to was sent to that host at least the host's shortest answer time
 * before; that one was sent because of what had come last before it; and so on,
 * back to the start. What never leaves our link (ARP, ND) is no link of it.
 */
#include "diag/walk_build.h"

/* ---- phases ---- */

static bool is_neighbour(const struct walk_step *s)
{
	return s->kind == STEP_NEIGHBOUR_ASK || s->kind == STEP_NEIGHBOUR_ANSWER;
}

/* Address resolution belongs to the phase of the packet that waits for it. */
static void phase_of_neighbours(struct walk *w)
{
	const struct walk_step *next = NULL;
	for (uint32_t i = w->steps; i-- > 0;) {
		struct walk_step *s = &w->step[i];
		if (s->background)
			continue;
		if (is_neighbour(s) && next && next->phase > s->phase && next->hop == s->hop)
			s->phase = next->phase;
		else if (!is_neighbour(s) && s->sent)
			next = s;
	}
}

/* Between the request's last byte and the response's first. */
static void phase_of_waiting(struct walk *w)
{
	for (unsigned i = 0; i < w->flows; i++) {
		const struct walk_flow *f = &w->flow[i];
		if (!f->carries)
			continue;
		for (uint32_t j = f->request_last + 1; j < w->steps && j < f->response_first; j++)
			if (w->step[j].hop == f->hop && w->step[j].phase == WALK_REQUEST)
				w->step[j].phase = WALK_WAIT;
	}
}

static void add_stage(struct walk *w, enum walk_phase p, uint16_t hop, nanotime *at, nanotime to)
{
	if (w->stages == WALK_STAGES)
		return;
	if (to < *at)
		to = *at;
	w->stage[w->stages++] = (struct walk_stage){
		.phase = p, .hop = hop, .from = *at, .to = to
	};
	*at = to;
}

static bool reached(nanotime t)
{
	return t != NANOTIME_NEVER;
}

/* The stages of one hop. The last one that was begun lasts until the application gave up. */
static void sum_hop(struct builder *b, uint16_t hop)
{
	struct walk *w = b->w;
	const struct walk_hop *h = &b->hops[hop];
	nanotime done = w->input.done;
	nanotime at = w->stages ? w->stage[w->stages - 1].to : h->started;
	bool last = hop == b->hop;
	if (reached(h->lookup))
		add_stage(w, WALK_LOOKUP, hop, &at, h->lookup);
	else if (!reached(h->syn))
		add_stage(w, WALK_LOOKUP, hop, &at, done);
	if (!reached(h->syn))
		return;
	add_stage(w, WALK_CONNECT, hop, &at, reached(h->connect) ? h->connect : done);
	if (!reached(h->request))
		return;
	add_stage(w, WALK_REQUEST, hop, &at, h->request);
	add_stage(w, WALK_WAIT, hop, &at, reached(h->first) ? h->first : done);
	if (!reached(h->response))
		return;
	add_stage(w, WALK_RESPONSE, hop, &at, h->response);
	w->page_at = h->response;
	if (last && h->reached == WALK_CLOSE)
		add_stage(w, WALK_CLOSE, hop, &at, h->close);
}

/* ---- bytes ---- */

static void weigh(struct walk *w)
{
	for (uint32_t i = 0; i < w->steps; i++) {
		const struct walk_step *s = &w->step[i];
		struct anatomy a;
		if (!walk_anatomy(w, s, &a))
			continue;
		struct walk_bytes *sum = s->background ? &w->background
			: s->sent                      ? &w->out
						       : &w->in;
		sum->frames++;
		sum->bytes += a.len;
		for (unsigned l = 0; l < ANATOMY_LAYERS; l++)
			sum->layer[l] += a.bytes[l];
		if (s->background)
			continue;
		w->ended = step_time(w, s);
		bool dns = s->flow != WALK_NONE
			? w->flow[s->flow].dns
			: s->kind == STEP_NAME_ASK || s->kind == STEP_NAME_ANSWER;
		if (dns)
			w->dns_bytes += a.bytes[LAYER_APPLICATION];
		else if (s->flow != WALK_NONE)
			w->http_bytes += a.bytes[LAYER_APPLICATION];
	}
	for (unsigned i = 0; i < w->flows; i++) {
		struct walk_flow *f = &w->flow[i];
		w->retransmissions += f->again;
		/* SYN and FIN have numbers, but are no text. */
		f->sent -= 1 + f->fin_sent;
		if (!f->has_irs)
			continue;
		f->received -= 1;
		f->received -= f->fin_received && seq_ge(f->received_next, f->fin_at);
	}
}

/* ---- round trips ---- */

static bool is_far(const struct walk_step *s)
{
	switch (s->kind) {
	case STEP_NAME_ASK:
	case STEP_NAME_ANSWER:
	case STEP_SYN:
	case STEP_SYN_ACK:
	case STEP_DATA:
	case STEP_ACK:
	case STEP_FIN:
	case STEP_RESET:
	case STEP_DATAGRAM: return !s->background && s->host != WALK_NONE;
	default: return false;
	}
}

/* Where the chain ends: the page's last byte, or else the last that came at all. */
static uint32_t chain_end(const struct walk *w)
{
	for (unsigned i = w->flows; i-- > 0;)
		if (w->flow[i].carries && w->flow[i].response_last != WALK_NO_STEP)
			return w->flow[i].response_last;
	for (uint32_t i = w->steps; i-- > 0;)
		if (!w->step[i].sent && is_far(&w->step[i]))
			return i;
	return WALK_NO_STEP;
}

/* The latest packet to the same address that this can be an answer to. */
static uint32_t cause_of(const struct walk *w, uint32_t answer)
{
	const struct walk_step *r = &w->step[answer];
	nanodiff nearest = w->host[r->host].nearest[r->peer];
	if (nearest == NANOTIME_NEVER)
		return WALK_NO_STEP;
	for (uint32_t i = answer; i-- > 0;) {
		const struct walk_step *s = &w->step[i];
		if (s->sent && is_far(s) && s->host == r->host && s->peer == r->peer &&
			step_time(w, s) <= step_time(w, r) - nearest)
			return i;
	}
	return WALK_NO_STEP;
}

static uint32_t received_before(const struct walk *w, uint32_t step)
{
	for (uint32_t i = step; i-- > 0;)
		if (!w->step[i].sent && is_far(&w->step[i]))
			return i;
	return WALK_NO_STEP;
}

static void count_trip(struct walk *w, uint32_t sent, uint32_t answered)
{
	const struct walk_step *s = &w->step[sent];
	enum walk_phase p = s->phase == WALK_REQUEST ? WALK_WAIT : (enum walk_phase)s->phase;
	w->round_trips++;
	w->distance += w->host[s->host].nearest[s->peer];
	for (unsigned i = 0; i < w->stages; i++)
		if (w->stage[i].hop == s->hop && w->stage[i].phase == p)
			w->stage[i].round_trips++;
	if (w->trips < WALK_TRIPS)
		w->trip[w->trips++] = (struct walk_trip){
			.sent = sent, .answered = answered, .phase = p
		};
}

static void follow_chain(struct walk *w)
{
	for (uint32_t r = chain_end(w); r != WALK_NO_STEP;) {
		uint32_t s = cause_of(w, r);
		if (s == WALK_NO_STEP)
			return;
		count_trip(w, s, r);
		r = received_before(w, s);
	}
}

/* ---- routine ---- */

static void mark_routine(struct walk *w)
{
	for (uint32_t i = 0; i < w->steps; i++) {
		struct walk_step *s = &w->step[i];
		struct anatomy a;
		bool plain = (s->kind == STEP_DATA || s->kind == STEP_ACK) &&
			s->flow != WALK_NONE && !s->again && !s->early && !s->states &&
			!s->handshake;
		if (!plain || !walk_anatomy(w, s, &a))
			continue;
		const struct walk_flow *f = &w->flow[s->flow];
		s->routine = !(a.tcp.flags & (TCP_FIN | TCP_URG | TCP_ECE | TCP_CWR)) &&
			s->seq > 1 && i != f->response_first && i != f->response_last &&
			i != f->request_last;
		if (s->kind == STEP_ACK)
			s->routine = s->ack > 1 || s->seq > 1;
	}
}

void walk_sum(struct builder *b)
{
	struct walk *w = b->w;
	w->page_at = w->input.done;
	w->ended = w->input.started;
	phase_of_neighbours(w);
	phase_of_waiting(w);
	for (uint16_t hop = 0; hop <= b->hop; hop++)
		sum_hop(b, hop);
	weigh(w);
	follow_chain(w);
	mark_routine(w);
}
