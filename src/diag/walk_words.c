/* Titles and layers. */
#include "diag/walk_words.h"

#include "base/seq.h"

void walk_say_addr(struct text *t, const struct addr *a)
{
	char s[ADDR_TEXT_MAX];
	addr_format(a, s);
	text_string(t, s);
}

void walk_say_mac(struct text *t, const struct mac *m)
{
	char s[MAC_TEXT_MAX];
	mac_format(m, s);
	text_string(t, s);
}

void walk_say_name(struct text *t, const struct dns_name *name)
{
	char s[DNS_NAME_TEXT_MAX];
	size_t len = dns_name_format(name, s, sizeof s);
	if (len > 1 && s[len - 1] == '.')
		len--;
	for (size_t i = 0; i < len; i++)
		text_char(t, s[i] >= 'A' && s[i] <= 'Z' ? (char)(s[i] | 0x20) : s[i]);
}

void walk_say_ms(struct text *t, nanodiff d)
{
	uint64_t us = ((uint64_t)(d < 0 ? -d : d) + 500) / 1000;
	text_decimal(t, us / 1000);
	text_char(t, '.');
	text_padded(t, us % 1000, 3);
	text_string(t, " ms");
}

const char *walk_role_name(unsigned roles)
{
	if (roles & WALK_CLIENT)
		return "client";
	if (roles & WALK_ROUTER)
		return "router";
	if (roles & WALK_SERVER)
		return "server";
	return roles & WALK_DNS ? "dns" : "host";
}

void walk_say_host(struct text *t, const struct walk *w, uint16_t host, uint8_t peer)
{
	const struct walk_host *h = host < w->hosts ? &w->host[host] : NULL;
	unsigned roles = h ? h->roles : 0;
	if (roles & WALK_ROUTER)
		text_string(t, "the router");
	else if (roles & WALK_SERVER)
		text_string(t, "the server");
	else if (roles & WALK_DNS)
		text_string(t, "the name server");
	else if (h && peer < h->addresses)
		walk_say_addr(t, &h->address[peer]);
	else
		text_string(t, "a neighbour");
}

void walk_say_line(struct text *t, struct span payload, size_t max)
{
	for (size_t i = 0; i < payload.len && i < max; i++) {
		uint8_t c = payload.at[i];
		if (c == '\r' || c == '\n')
			return;
		text_char(t, c >= ' ' && c < 0x7f ? (char)c : '.');
	}
	if (payload.len > max)
		text_string(t, "...");
}

/* "1 byte", "1113 bytes" */
static void say_bytes(struct text *t, uint64_t n)
{
	text_decimal(t, n);
	text_string(t, n == 1 ? " byte" : " bytes");
}

/* ---- titles ---- */

static void title_neighbour(
	struct text *t, const struct walk *w, const struct walk_step *s, const struct anatomy *a)
{
	const struct moment *m = &w->timeline->moment[s->moment];
	bool arp = a->kind == ANATOMY_ARP;
	const struct addr *owner = arp ? &a->arp.target : &a->nd.target;
	if (s->kind == STEP_NEIGHBOUR_ASK) {
		bool check = s->sent && (m->why == WHY_ARP_CHECK || m->why == WHY_ND_PROBE);
		text_string(t, arp ? "ARP: " : "Neighbour solicitation: ");
		text_string(t, check ? "do you still have " : "who has ");
		walk_say_addr(t, owner);
		text_char(t, '?');
		return;
	}
	text_string(t, arp ? "ARP: " : "Neighbour advertisement: ");
	walk_say_addr(t, arp ? &a->arp.sender : owner);
	text_string(t, " is at ");
	walk_say_mac(t,
		arp                            ? &a->arp.sender_mac
			: a->nd.has_target_mac ? &a->nd.target_mac
					       : &a->eth.source);
}

static void title_question(struct text *t, const struct walk *w, const struct walk_step *s)
{
	char type[DNS_TYPE_TEXT_MAX];
	const struct walk_question *q;
	if (s->question == WALK_NONE) {
		text_string(t, "DNS: a question");
		return;
	}
	q = &w->question[s->question];
	dns_type_format(q->type, type);
	text_string(t, s->again ? "DNS, again: which " : "DNS: which ");
	text_string(t,
		q->type == DNS_TYPE_A              ? "IPv4 address"
			: q->type == DNS_TYPE_AAAA ? "IPv6 address"
						   : type);
	text_string(t, " has ");
	walk_say_name(t, &q->name);
	text_char(t, '?');
}

/* The data of the answer's records, up to four. */
static unsigned say_records(struct text *t, struct span message)
{
	struct dns_reader r;
	struct dns_header h;
	struct dns_record record;
	unsigned n = 0;
	if (dns_reader_begin(&r, message, &h) != DROP_NONE)
		return 0;
	while (dns_record_next(&r, &record) && record.section == DNS_ANSWER) {
		char data[WALK_TITLE_MAX];
		if (n++ == 4) {
			text_string(t, " ...");
			break;
		}
		text_string(t, n > 1 ? ", " : "");
		if (record.type == DNS_TYPE_CNAME)
			text_string(t, "alias of ");
		dns_rdata_format(&record, data, sizeof data);
		text_string(t, data);
	}
	return n;
}

static void title_answer(
	struct text *t, const struct walk *w, const struct walk_step *s, const struct anatomy *a)
{
	char type[DNS_TYPE_TEXT_MAX];
	const struct walk_question *q = s->question == WALK_NONE ? NULL : &w->question[s->question];
	text_string(t, "DNS: ");
	if (!q) {
		text_string(t, "an answer to no question of ours");
		return;
	}
	dns_type_format(q->type, type);
	if (q->rcode == DNS_RCODE_NXDOMAIN) {
		text_string(t, "there is no ");
		walk_say_name(t, &q->name);
		return;
	}
	if (q->rcode != DNS_RCODE_NOERROR) {
		const char *rcode = dns_rcode_name(q->rcode);
		text_string(t, "the name server refuses: ");
		text_string(t, rcode ? rcode : "unknown code");
		return;
	}
	walk_say_name(t, &q->name);
	size_t before = t->len;
	text_string(t, " is ");
	if (!say_records(t, a->payload)) {
		t->len = before;
		t->at[before] = '\0';
		text_string(t, " has no ");
		text_string(t, type);
		text_string(t, " record");
	}
}

static void title_data(
	struct text *t, const struct walk *w, const struct walk_step *s, const struct anatomy *a)
{
	const struct walk_flow *f = &w->flow[s->flow];
	uint32_t at = (uint32_t)(s - w->step);
	bool first = s->seq == 1;
	bool fin = a->tcp.flags & TCP_FIN;
	if (s->handshake)
		text_string(t, "ACK, and at once the request: ");
	if (s->again)
		text_string(t, s->sent ? "Again: " : "Twice: ");
	if (s->early)
		text_string(t, "Out of order: ");
	if (f->dns) {
		text_string(
			t, s->sent ? "DNS over TCP, the question, " : "DNS over TCP, the answer, ");
		say_bytes(t, a->payload_len);
	} else if (first) {
		if (s->sent && !s->handshake)
			text_string(t, "HTTP: ");
		else if (!s->sent)
			text_string(t, "HTTP: ");
		walk_say_line(t, a->payload, 60);
	} else {
		text_string(t, s->again || s->early || s->handshake ? "the " : "The ");
		text_string(t, s->sent ? "request, bytes " : "response, bytes ");
		text_decimal(t, s->seq - 1);
		text_string(t, " to ");
		text_decimal(t, (uint64_t)s->seq - 2 + a->payload_len);
		if (at == f->response_last && !s->sent)
			text_string(t, ", the last");
	}
	if (fin)
		text_string(t, s->sent ? "; FIN: and that is all" : "; FIN: and that is all");
}

static void title_control(
	struct text *t, const struct walk *w, const struct walk_step *s, const struct anatomy *a)
{
	switch (s->kind) {
	case STEP_SYN:
		text_string(t,
			s->again ? "SYN again: open a connection?"
				 : "SYN: open a connection? My bytes count from ");
		break;
	case STEP_SYN_ACK:
		text_string(
			t, s->again ? "SYN, ACK again" : "SYN, ACK: agreed. My bytes count from ");
		break;
	case STEP_ACK:
		if (s->handshake) {
			text_string(t, "ACK: agreed; the handshake is complete");
		} else {
			text_string(t, "ACK: all bytes before ");
			text_decimal(t, s->ack);
			text_string(t, " are here");
		}
		return;
	case STEP_FIN:
		text_string(t, s->again ? "FIN again" : "FIN: I have nothing more to send");
		return;
	default:
		text_string(t, "RST: ");
		text_string(t,
			a->tcp.flags & TCP_ACK && s->ack == 1 && !s->sent &&
					w->flow[s->flow].syn_ack == UINT32_MAX
				? "nobody listens on this port"
				: "the connection is broken off");
		return;
	}
	if (!s->again)
		text_decimal(t, a->tcp.seq);
}

static void title_change(struct text *t, const struct moment *m)
{
	if (m->kind == TRACE_NEIGHBOUR) {
		text_string(t, "Neighbour ");
		walk_say_addr(t, &m->flow.remote);
	} else {
		text_string(t, "Connection to ");
		walk_say_addr(t, &m->flow.remote);
	}
	text_string(t, ": ");
	text_string(t, m->from ? m->from : "");
	text_string(t, " to ");
	text_string(t, m->to ? m->to : "");
}

static void title_event(struct text *t, const struct walk_step *s, const struct moment *m)
{
	switch (s->kind) {
	case STEP_UNSENT:
		text_string(t, "Not sent: ");
		text_string(t, drop_info((enum drop)m->drop)->text);
		break;
	case STEP_TIMER:
		text_string(t, "Timer: ");
		text_string(t, m->to ? m->to : "");
		break;
	case STEP_LOSS:
		text_string(t, "TCP takes a segment for lost: ");
		text_string(t, m->from ? m->from : "");
		break;
	default: title_change(t, m);
	}
}

static void title_icmp(struct text *t, const struct anatomy *a)
{
	text_string(t, a->v6 ? "ICMPv6: " : "ICMP: ");
	text_string(t,
		a->v6 ? icmp6_name(a->icmp.type, a->icmp.code)
		      : icmp4_name(a->icmp.type, a->icmp.code));
	text_string(t, ", says ");
	walk_say_addr(t, &a->source);
}

size_t walk_title(const struct walk *w, const struct walk_step *s, char *out, size_t cap)
{
	const struct moment *m = &w->timeline->moment[s->moment];
	struct text t = text_of(out, cap);
	struct anatomy a;
	if (!walk_anatomy(w, s, &a)) {
		title_event(&t, s, m);
		return t.len;
	}
	switch (s->kind) {
	case STEP_NEIGHBOUR_ASK:
	case STEP_NEIGHBOUR_ANSWER: title_neighbour(&t, w, s, &a); break;
	case STEP_NAME_ASK: title_question(&t, w, s); break;
	case STEP_NAME_ANSWER: title_answer(&t, w, s, &a); break;
	case STEP_DATA:
		if (s->flow != WALK_NONE) {
			title_data(&t, w, s, &a);
			break;
		} /* fall through */
	case STEP_SYN:
	case STEP_SYN_ACK:
	case STEP_ACK:
	case STEP_FIN:
	case STEP_RESET:
		if (s->flow != WALK_NONE)
			title_control(&t, w, s, &a);
		else
			text_string(&t, "A segment of a connection that is not ours");
		break;
	case STEP_ICMP: title_icmp(&t, &a); break;
	default: text_string(&t, "A packet that has nothing to do with this"); break;
	}
	return t.len;
}

/* ---- layers ---- */

static void layer_ethernet(
	struct text *t, const struct walk *w, const struct walk_step *s, const struct anatomy *a)
{
	const struct mac *peer = s->sent ? &a->eth.destination : &a->eth.source;
	text_string(t, s->sent ? "to " : "from ");
	walk_say_mac(t, peer);
	if (mac_equal(peer, &MAC_BROADCAST))
		text_string(t, ", everybody on the cable");
	else if (peer->b[0] & 1)
		text_string(t, ", a group of neighbours");
	else if (s->router != WALK_NONE)
		text_string(t, ", the router");
	else if (s->host != WALK_NONE) {
		text_string(t, ", ");
		walk_say_host(t, w, s->host, s->peer);
	}
	if (a->padding) {
		text_string(t, "; ");
		say_bytes(t, a->padding);
		text_string(t, " of padding");
	}
}

static void layer_arp(struct text *t, const struct anatomy *a)
{
	text_string(t, a->arp.operation == ARP_REPLY ? "reply: " : "request: ");
	walk_say_addr(t, &a->arp.sender);
	text_string(t, " is at ");
	walk_say_mac(t, &a->arp.sender_mac);
	if (a->arp.operation != ARP_REPLY) {
		text_string(t, "; where is ");
		walk_say_addr(t, &a->arp.target);
		text_char(t, '?');
	}
}

static void layer_ip(struct text *t, const struct anatomy *a)
{
	walk_say_addr(t, &a->source);
	text_string(t, " to ");
	walk_say_addr(t, &a->destination);
	text_string(t, a->v6 ? ", hop limit " : ", TTL ");
	text_decimal(t, a->hop_limit);
}

/* "seq 1 (3141592653)" */
static void say_number(struct text *t, const char *what, uint32_t relative, uint32_t absolute)
{
	text_string(t, what);
	text_decimal(t, relative);
	text_string(t, " (");
	text_decimal(t, absolute);
	text_char(t, ')');
}

static void say_options(struct text *t, const struct tcp_options *o, bool syn)
{
	if (o->has & TCP_HAS_MSS) {
		text_string(t, ", MSS ");
		text_decimal(t, o->mss);
	}
	if (o->has & TCP_HAS_WSCALE) {
		text_string(t, ", window scale ");
		text_decimal(t, o->wscale);
	}
	if (o->has & TCP_HAS_SACK_PERMITTED)
		text_string(t, ", SACK");
	if (o->has & TCP_HAS_TIMESTAMPS && syn)
		text_string(t, ", timestamps");
	if (o->has & TCP_HAS_SACK)
		for (unsigned i = 0; i < o->sack_count; i++) {
			text_string(t, i ? " and " : ", beyond a gap: ");
			text_decimal(t, o->sack[i].end - o->sack[i].start);
			text_string(t, i + 1 == o->sack_count ? " bytes" : "");
		}
}

static void layer_tcp(
	struct text *t, const struct walk *w, const struct walk_step *s, const struct anatomy *a)
{
	const struct tcp_header *h = &a->tcp;
	char flags[64];
	bool syn = h->flags & TCP_SYN;
	text_string(t, "port ");
	text_decimal(t, h->source_port);
	text_string(t, " to ");
	text_decimal(t, h->destination_port);
	tcp_flags_format(h->flags, flags, sizeof flags);
	text_string(t, ", ");
	text_string(t, flags);
	say_number(t, ", seq ", s->seq, h->seq);
	if (h->flags & TCP_ACK)
		say_number(t, ", ack ", s->ack, h->ack);
	text_string(t, ", window ");
	text_decimal(t, (uint64_t)h->window << walk_scale(w, s, a));
	say_options(t, &h->options, syn);
}

static void layer_udp(struct text *t, const struct anatomy *a)
{
	text_string(t, "port ");
	text_decimal(t, a->udp.source_port);
	text_string(t, " to ");
	text_decimal(t, a->udp.destination_port);
}

static void layer_dns(struct text *t, const struct anatomy *a)
{
	struct dns_reader r;
	struct dns_header h;
	struct dns_question q;
	char type[DNS_TYPE_TEXT_MAX], name[DNS_NAME_TEXT_MAX];
	if (dns_reader_begin(&r, a->payload, &h) != DROP_NONE)
		return;
	text_string(t, h.response ? "answer, id 0x" : "question, id 0x");
	text_hex(t, h.id, 4);
	if (dns_question_next(&r, &q)) {
		dns_type_format(q.type, type);
		dns_name_format(&q.name, name, sizeof name);
		text_string(t, ": ");
		text_string(t, type);
		text_string(t, " of ");
		text_string(t, name);
	}
	if (h.response) {
		text_string(t, ", ");
		text_decimal(t, h.count[DNS_ANSWER]);
		text_string(t, h.count[DNS_ANSWER] == 1 ? " record" : " records");
	}
}

static void add(struct walk_layer *out, unsigned *n, enum layer layer, const char *name,
	uint32_t bytes, struct text *t)
{
	out[*n].layer = layer;
	out[*n].name = name;
	out[*n].bytes = bytes;
	*t = text_of(out[*n].text, sizeof out[*n].text);
	++*n;
}

static void add_application(struct walk_layer *out, unsigned *n, const struct walk *w,
	const struct walk_step *s, const struct anatomy *a)
{
	bool dns = s->kind == STEP_NAME_ASK || s->kind == STEP_NAME_ANSWER;
	bool over_tcp = s->flow != WALK_NONE && w->flow[s->flow].dns;
	struct text t;
	add(out, n, LAYER_APPLICATION,
		dns || over_tcp                  ? "DNS"
			: a->kind == ANATOMY_TCP ? "HTTP"
						 : "data",
		a->bytes[LAYER_APPLICATION], &t);
	if (dns) {
		layer_dns(&t, a);
	} else if (s->flow != WALK_NONE && s->seq == 1 && !over_tcp) {
		walk_say_line(&t, a->payload, 60);
		if (!s->sent)
			text_string(&t, " ...");
	} else {
		say_bytes(&t, a->payload_len);
		text_string(&t, " of the stream");
	}
}

unsigned walk_layers(
	const struct walk *w, const struct walk_step *s, struct walk_layer out[WALK_LAYERS_MAX])
{
	struct anatomy a;
	struct text t;
	unsigned n = 0;
	if (!walk_anatomy(w, s, &a))
		return 0;
	if (a.payload_len)
		add_application(out, &n, w, s, &a);
	if (a.kind == ANATOMY_TCP) {
		add(out, &n, LAYER_TRANSPORT, "TCP", a.bytes[LAYER_TRANSPORT], &t);
		layer_tcp(&t, w, s, &a);
	} else if (a.kind == ANATOMY_UDP) {
		add(out, &n, LAYER_TRANSPORT, "UDP", a.bytes[LAYER_TRANSPORT], &t);
		layer_udp(&t, &a);
	} else if (a.kind == ANATOMY_ICMP || a.kind == ANATOMY_ND) {
		add(out, &n, LAYER_INTERNET, a.v6 ? "ICMPv6" : "ICMP", a.transport_len, &t);
		text_string(&t,
			a.v6 ? icmp6_name(a.icmp.type, a.icmp.code)
			     : icmp4_name(a.icmp.type, a.icmp.code));
	}
	if (a.ip) {
		uint32_t body = n && out[n - 1].layer == LAYER_INTERNET ? a.transport_len : 0;
		add(out, &n, LAYER_INTERNET, a.v6 ? "IPv6" : "IPv4", a.bytes[LAYER_INTERNET] - body,
			&t);
		layer_ip(&t, &a);
	} else if (a.kind == ANATOMY_ARP) {
		add(out, &n, LAYER_ACCESS, "ARP", ARP_LEN, &t);
		layer_arp(&t, &a);
	}
	add(out, &n, LAYER_ACCESS, "Ethernet",
		a.bytes[LAYER_ACCESS] - (a.kind == ANATOMY_ARP ? ARP_LEN : 0), &t);
	layer_ethernet(&t, w, s, &a);
	return n;
}
