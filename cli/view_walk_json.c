/*
 * The walk as JSON: every step with every header field, from the codecs' own
 * tables. Times are nanoseconds since the start of the exchange.
 */
#include <string.h>

#include "cli/view_walk.h"
#include "diag/walk_words.h"
#include "packet/why.h"

static nanodiff since(const struct walk *w, nanotime t)
{
	return t - w->input.started;
}

/* ---- who ---- */

static void put_hosts(struct json *j, const struct walk *w)
{
	json_array(j, "hosts");
	for (unsigned i = 0; i < w->hosts; i++) {
		const struct walk_host *h = &w->host[i];
		json_object(j, NULL);
		json_string(j, "name", walk_role_name(h->roles));
		json_array(j, "roles");
		for (unsigned r = WALK_CLIENT; r <= WALK_SERVER; r <<= 1)
			if (h->roles & r)
				json_string(j, NULL, walk_role_name(r));
		json_close(j);
		json_array(j, "addresses");
		for (unsigned a = 0; a < h->addresses; a++) {
			json_object(j, NULL);
			json_addr(j, "address", &h->address[a]);
			if (h->nearest[a] == NANOTIME_NEVER)
				json_null(j, "shortest_answer_ns");
			else
				json_signed(j, "shortest_answer_ns", h->nearest[a]);
			json_close(j);
		}
		json_close(j);
		if (h->has_mac)
			json_mac(j, "mac", &h->mac);
		else
			json_null(j, "mac");
		json_close(j);
	}
	json_close(j);
}

/* The number of a step, or null. */
static void put_step_number(struct json *j, const char *key, uint32_t step)
{
	if (step == UINT32_MAX)
		json_null(j, key);
	else
		json_unsigned(j, key, (uint64_t)step + 1);
}

static void put_answers(struct json *j, const struct walk *w, uint32_t step)
{
	struct anatomy a;
	struct dns_reader r;
	struct dns_header h;
	struct dns_record record;
	json_array(j, "answers");
	if (step != UINT32_MAX && walk_anatomy(w, &w->step[step], &a) &&
		dns_reader_begin(&r, a.payload, &h) == DROP_NONE)
		while (dns_record_next(&r, &record) && record.section == DNS_ANSWER) {
			char type[DNS_TYPE_TEXT_MAX], data[WALK_TEXT_MAX];
			dns_type_format(record.type, type);
			dns_rdata_format(&record, data, sizeof data);
			json_object(j, NULL);
			json_string(j, "type", type);
			json_string(j, "data", data);
			json_unsigned(j, "ttl", record.ttl);
			json_close(j);
		}
	json_close(j);
}

static void put_questions(struct json *j, const struct walk *w)
{
	json_array(j, "questions");
	for (unsigned i = 0; i < w->questions; i++) {
		const struct walk_question *q = &w->question[i];
		char type[DNS_TYPE_TEXT_MAX], name[DNS_NAME_TEXT_MAX];
		struct text t = text_of(name, sizeof name);
		dns_type_format(q->type, type);
		walk_say_name(&t, &q->name);
		json_object(j, NULL);
		json_string(j, "name", name);
		json_string(j, "type", type);
		json_unsigned(j, "id", q->id);
		json_unsigned(j, "host", q->host);
		put_step_number(j, "asked", q->asked);
		put_step_number(j, "answered", q->answered);
		json_string(
			j, "rcode", q->answered == UINT32_MAX ? NULL : dns_rcode_name(q->rcode));
		put_answers(j, w, q->answered);
		json_close(j);
	}
	json_close(j);
}

static void put_scale(struct json *j, const char *key, uint8_t scale)
{
	if (scale == 0xff)
		json_null(j, key);
	else
		json_unsigned(j, key, scale);
}

static void put_connections(struct json *j, const struct walk *w)
{
	json_array(j, "connections");
	for (unsigned i = 0; i < w->flows; i++) {
		const struct walk_flow *f = &w->flow[i];
		json_object(j, NULL);
		json_unsigned(j, "host", f->host);
		json_addr(j, "local_address", &f->local);
		json_unsigned(j, "local_port", f->local_port);
		json_addr(j, "remote_address", &f->remote);
		json_unsigned(j, "remote_port", f->remote_port);
		json_string(j, "carries", f->dns ? "dns" : f->carries ? "http" : "nothing");
		json_unsigned(j, "initial_sequence", f->iss);
		if (f->has_irs)
			json_unsigned(j, "remote_initial_sequence", f->irs);
		else
			json_null(j, "remote_initial_sequence");
		json_unsigned(j, "mss", f->local_mss);
		json_unsigned(j, "remote_mss", f->remote_mss);
		put_scale(j, "window_scale", f->local_scale);
		put_scale(j, "remote_window_scale", f->remote_scale);
		put_step_number(j, "syn", f->syn);
		put_step_number(j, "syn_ack", f->syn_ack);
		put_step_number(j, "request_last", f->request_last);
		put_step_number(j, "response_first", f->response_first);
		put_step_number(j, "response_last", f->response_last);
		json_unsigned(j, "bytes_sent", f->sent);
		json_unsigned(j, "bytes_received", f->received);
		json_unsigned(j, "retransmissions", f->again);
		json_close(j);
	}
	json_close(j);
}

/* ---- steps ---- */

static void put_fields(
	struct json *j, const struct header_info *info, struct span header, const char *leave_out)
{
	json_object(j, info->key);
	for (unsigned i = 0; i < info->count; i++) {
		const struct field *f = &info->field[i];
		char text[128];
		if ((size_t)f->bit + f->bits > header.len * 8 ||
			(leave_out && strcmp(f->key, leave_out) == 0))
			continue;
		switch (f->kind) {
		case FIELD_UINT:
		case FIELD_HEX:
		case FIELD_FLAGS: json_unsigned(j, f->key, field_value(f, header)); break;
		default: field_format(f, header, text, sizeof text); json_string(j, f->key, text);
		}
	}
	json_close(j);
}

static void put_headers(
	struct json *j, const struct walk *w, const struct walk_step *s, const struct anatomy *a)
{
	const struct moment *m = &w->timeline->moment[s->moment];
	struct span frame = timeline_bytes(w->timeline, m);
	const char *checksum = m->partial ? "checksum" : NULL; /* not what the wire will show */
	bool dns = s->kind == STEP_NAME_ASK || s->kind == STEP_NAME_ANSWER;
	json_object(j, "headers");
	put_fields(j, &eth_info, span_first(frame, ETH_HEADER), NULL);
	if (a->ip)
		put_fields(j, a->v6 ? &ip6_info : &ip4_info, a->ip_header, NULL);
	switch (a->kind) {
	case ANATOMY_ARP: put_fields(j, &arp_info, a->body_header, NULL); break;
	case ANATOMY_ND:
		put_fields(j,
			a->nd.type == ICMP6_NEIGHBOUR_SOLICIT ? &nd_solicit_info : &nd_advert_info,
			a->body_header, NULL);
		break;
	case ANATOMY_ICMP:
		put_fields(j, a->v6 ? &icmp6_info : &icmp4_info, a->body_header, NULL);
		break;
	case ANATOMY_UDP: put_fields(j, &udp_info, a->body_header, checksum); break;
	case ANATOMY_TCP: put_fields(j, &tcp_info, a->body_header, checksum); break;
	default: break;
	}
	if (dns)
		put_fields(j, &dns_info, a->payload, NULL);
	json_close(j);
}

static void put_layers(struct json *j, const struct walk *w, const struct walk_step *s)
{
	struct walk_layer layer[WALK_LAYERS_MAX];
	unsigned n = walk_layers(w, s, layer);
	json_array(j, "layers");
	for (unsigned i = 0; i < n; i++) {
		const struct walk_layer *l = &layer[s->sent ? i : n - 1 - i];
		json_object(j, NULL);
		json_unsigned(j, "layer", l->layer);
		json_string(j, "name", l->name);
		json_unsigned(j, "bytes", l->bytes);
		json_string(j, "text", l->text);
		json_close(j);
	}
	json_close(j);
}

static void put_segment(
	struct json *j, const struct walk *w, const struct walk_step *s, const struct anatomy *a)
{
	char flags[64];
	tcp_flags_format(a->tcp.flags, flags, sizeof flags);
	json_object(j, "segment");
	json_unsigned(j, "connection", s->flow);
	json_unsigned(j, "seq", a->tcp.seq);
	json_unsigned(j, "seq_relative", s->seq);
	if (a->tcp.flags & TCP_ACK) {
		json_unsigned(j, "ack", a->tcp.ack);
		json_unsigned(j, "ack_relative", s->ack);
	}
	json_string(j, "flags", flags);
	json_unsigned(j, "bytes", a->payload_len);
	uint8_t scale = walk_scale(w, s, a);
	json_unsigned(j, "window", (uint64_t)a->tcp.window << scale);
	json_bool(j, "handshake", s->handshake);
	json_bool(j, "again", s->again);
	json_bool(j, "early", s->early);
	json_close(j);
}

static void put_frame(
	struct json *j, const struct walk *w, const struct walk_step *s, const struct anatomy *a)
{
	const struct moment *m = &w->timeline->moment[s->moment];
	json_unsigned(j, "frame", m->frame);
	json_string(j, "direction", s->sent ? "sent" : "received");
	json_unsigned(j, "bytes", a->len);
	if (m->segments > 1)
		json_unsigned(j, "segments", m->segments);
	put_layers(j, w, s);
	if (s->flow != WALK_NONE)
		put_segment(j, w, s, a);
	put_headers(j, w, s, a);
}

static void put_reason(struct json *j, const struct walk *w, const struct walk_step *s)
{
	const struct moment *m = &w->timeline->moment[s->moment];
	char text[WALK_TEXT_MAX];
	walk_why(w, s, text, sizeof text);
	if (m->kind == TRACE_TX)
		json_string(j, "why_name", tx_why_name((enum tx_why)m->why));
	else if (m->drop != DROP_NONE)
		json_string(j, "drop_name", drop_info((enum drop)m->drop)->name);
	json_string(j, "why", text);
}

static void put_states(struct json *j, const struct walk *w, const struct walk_step *s)
{
	json_array(j, "states");
	for (unsigned i = 0; i < s->states; i++) {
		const struct moment *m = &w->timeline->moment[s->state[i]];
		json_object(j, NULL);
		json_string(j, "of", m->kind == TRACE_NEIGHBOUR ? "neighbour" : "connection");
		json_addr(j, "address", &m->flow.remote);
		json_string(j, "from", m->from);
		json_string(j, "to", m->to);
		json_close(j);
	}
	json_close(j);
}

static void put_index(struct json *j, const char *key, uint16_t index)
{
	if (index == WALK_NONE)
		json_null(j, key);
	else
		json_unsigned(j, key, index);
}

static void put_step(
	struct json *j, const struct walk *w, const struct walk_step *s, struct walk_lessons *l)
{
	char text[WALK_LESSON_MAX];
	struct anatomy a;
	json_object(j, NULL);
	json_unsigned(j, "step", (uint64_t)(s - w->step) + 1);
	json_signed(j, "time_ns", walk_time(w, s));
	json_string(j, "kind", walk_step_name((enum walk_step_kind)s->kind));
	json_string(j, "phase", walk_phase_name((enum walk_phase)s->phase));
	json_unsigned(j, "hop", s->hop);
	json_unsigned(j, "layer", s->layer);
	json_string(j, "layer_name", layer_name(s->layer));
	json_bool(j, "background", s->background);
	walk_title(w, s, text, sizeof text);
	json_string(j, "title", text);
	put_reason(j, w, s);
	if (walk_lesson(w, s, l, text, sizeof text))
		json_string(j, "lesson", text);
	put_index(j, "host", s->host);
	put_index(j, "router", s->router);
	put_states(j, w, s);
	if (walk_anatomy(w, s, &a))
		put_frame(j, w, s, &a);
	json_close(j);
}

/* ---- sums ---- */

static void put_stages(struct json *j, const struct walk *w)
{
	json_array(j, "phases");
	for (unsigned i = 0; i < w->stages; i++) {
		const struct walk_stage *s = &w->stage[i];
		json_object(j, NULL);
		json_string(j, "phase", walk_phase_name(s->phase));
		json_unsigned(j, "hop", s->hop);
		json_signed(j, "from_ns", since(w, s->from));
		json_signed(j, "to_ns", since(w, s->to));
		json_signed(j, "duration_ns", s->to - s->from);
		json_unsigned(j, "round_trips", s->round_trips);
		json_close(j);
	}
	json_close(j);
}

static void put_trips(struct json *j, const struct walk *w)
{
	json_array(j, "round_trip_list");
	for (unsigned i = w->trips; i-- > 0;) {
		json_object(j, NULL);
		json_unsigned(j, "sent", (uint64_t)w->trip[i].sent + 1);
		json_unsigned(j, "answered", (uint64_t)w->trip[i].answered + 1);
		json_string(j, "phase", walk_phase_name(w->trip[i].phase));
		json_close(j);
	}
	json_close(j);
}

static void put_bytes(struct json *j, const char *key, const struct walk_bytes *b)
{
	json_object(j, key);
	json_unsigned(j, "frames", b->frames);
	json_unsigned(j, "bytes", b->bytes);
	for (unsigned l = LAYER_ACCESS; l <= LAYER_APPLICATION; l++)
		json_unsigned(j, layer_name((enum layer)l), b->layer[l]);
	json_close(j);
}

static void put_sums(struct json *j, const struct walk *w)
{
	uint64_t all = w->in.bytes + w->out.bytes;
	json_object(j, "summary");
	json_signed(j, "page_ns", since(w, w->page_at));
	json_signed(j, "ended_ns", since(w, w->ended));
	json_unsigned(j, "round_trips", w->round_trips);
	json_signed(j, "distance_ns", w->distance);
	put_trips(j, w);
	put_stages(j, w);
	put_bytes(j, "sent", &w->out);
	put_bytes(j, "received", &w->in);
	put_bytes(j, "background", &w->background);
	json_unsigned(j, "bytes", all);
	json_unsigned(j, "dns_bytes", w->dns_bytes);
	json_unsigned(j, "http_bytes", w->http_bytes);
	json_unsigned(j, "page_bytes", w->input.page);
	json_unsigned(j, "overhead_bytes", all > w->input.page ? all - w->input.page : 0);
	json_unsigned(j, "retransmissions", w->retransmissions);
	json_unsigned(j, "left_out", w->timeline->left_out);
	json_close(j);
}

void view_walk_json(struct json *j, const struct walk *w)
{
	struct walk_lessons lessons = { 0 };
	put_hosts(j, w);
	put_questions(j, w);
	put_connections(j, w);
	json_array(j, "steps");
	for (uint32_t i = 0; i < w->steps; i++)
		put_step(j, w, &w->step[i], &lessons);
	json_close(j);
	put_sums(j, w);
}
