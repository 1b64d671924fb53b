/*
 * What a dissection says in words: one line for a packet, and for each layer its
 * fields. Fixed fields come from the codec's table; options, records and header
 * lines are told after them, each with its own bytes.
 */
#include "diag/dissect_words.h"
#include "wire/arp.h"
#include "wire/dns.h"
#include "wire/nd.h"

#define ANSWERS_IN_LINE 4

static struct span layer_bytes(const struct dissection *d, const struct dissect_layer *l)
{
	return span_first(span_after(d->bytes, l->at), l->len);
}

/* Printable ASCII as it is, the rest as dots; at most `most` bytes, up to a line's end. */
static void put_line(struct text *t, struct span s, size_t most)
{
	for (size_t i = 0; i < s.len && i < most && s.at[i] != '\r' && s.at[i] != '\n'; i++)
		text_char(t, s.at[i] >= 0x20 && s.at[i] < 0x7f ? (char)s.at[i] : '.');
}

static void line_tcp(struct text *t, const struct dissection *d)
{
	char flags[64];
	tcp_flags_format(d->tcp.flags, flags, sizeof flags);
	text_string(t, flags);
	put_number(t, "  seq ", d->tcp.seq);
	if (d->tcp.flags & TCP_ACK)
		put_number(t, " ack ", d->tcp.ack);
	put_number(t, " win ", d->tcp.window);
	if (d->text_len)
		put_number(t, " len ", d->text_len);
	const struct tcp_options *o = &d->tcp.options;
	if (o->has & TCP_HAS_MSS)
		put_number(t, " mss ", o->mss);
	if (o->has & TCP_HAS_WSCALE)
		put_number(t, " wscale ", o->wscale);
	if (o->has & TCP_HAS_SACK)
		put_number(t, " sack blocks ", o->sack_count);
}

/* The first answers, as data alone. */
static void line_dns_answers(struct text *t, struct dns_reader *r)
{
	struct dns_record record;
	const char *before = ": ";
	for (unsigned i = 0; i < ANSWERS_IN_LINE && dns_record_next(r, &record); i++) {
		char data[256];
		if (record.section != DNS_ANSWER)
			return;
		dns_rdata_format(&record, data, sizeof data);
		text_string(t, before);
		text_string(t, data);
		before = ", ";
	}
}

static void line_dns(struct text *t, struct span bytes)
{
	struct dns_reader r;
	struct dns_header h;
	if (dns_reader_begin(&r, bytes, &h) != DROP_NONE)
		return;
	text_string(t, h.response ? "response " : "query ");
	struct dns_question q;
	if (dns_question_next(&r, &q)) {
		char name[DNS_NAME_TEXT_MAX], type[DNS_TYPE_TEXT_MAX];
		dns_name_format(&q.name, name, sizeof name);
		dns_type_format(q.type, type);
		text_string(t, name);
		text_char(t, ' ');
		text_string(t, type);
	}
	if (h.response) {
		const char *rcode = dns_rcode_name(h.rcode);
		text_char(t, ' ');
		text_string(t, rcode ? rcode : "unknown code");
		put_number(t, ", answers ", h.count[DNS_ANSWER]);
		while (dns_question_next(&r, &q))
			;
		line_dns_answers(t, &r);
	}
}

static void line_arp(struct text *t, struct span bytes)
{
	struct arp_packet p;
	if (arp_parse(bytes, &p) != DROP_NONE)
		return;
	bool announces = addr_equal(&p.sender, &p.target); /* RFC 5227 2.3 */
	if (announces)
		text_string(t, "announcement: ");
	if (p.operation == ARP_REQUEST && !announces) {
		text_string(t, "who has ");
		put_address(t, &p.target);
		text_string(t, "? tell ");
		put_address(t, &p.sender);
	} else {
		put_address(t, &p.sender);
		text_string(t, " is at ");
		put_mac(t, &p.sender_mac);
	}
}

/* The layer that names the packet: the highest that is read. */
static const struct dissect_layer *highest(const struct dissection *d)
{
	const struct dissect_layer *best = NULL;
	for (unsigned i = 0; i < d->layers; i++)
		if (d->layer[i].part != DISSECT_DATA && d->layer[i].part != DISSECT_PADDING)
			best = &d->layer[i];
	return best;
}

size_t dissect_line(const struct dissection *d, char *out, size_t cap)
{
	struct text t = text_of(out, cap);
	const struct dissect_layer *top = highest(d);
	text_string(&t, top ? top->name : "Data");
	text_string(&t, "  ");
	if (d->ip && (dissect_find(d, DISSECT_TCP) || dissect_find(d, DISSECT_UDP))) {
		put_end(&t, &d->source, d->source_port);
		text_string(&t, " > ");
		put_end(&t, &d->destination, d->destination_port);
		text_string(&t, "  ");
	} else if (d->ip) {
		put_address(&t, &d->source);
		text_string(&t, " > ");
		put_address(&t, &d->destination);
		text_string(&t, "  ");
	}
	switch (top ? top->part : DISSECT_DATA) {
	case DISSECT_TCP: line_tcp(&t, d); break;
	case DISSECT_UDP: put_number(&t, "len ", d->text_len); break;
	case DISSECT_DNS: line_dns(&t, layer_bytes(d, top)); break;
	case DISSECT_HTTP: put_line(&t, layer_bytes(d, top), 70); break;
	case DISSECT_ARP: line_arp(&t, layer_bytes(d, top)); break;
	case DISSECT_ICMP4:
	case DISSECT_ICMP6: icmp_line(&t, d, top); break;
	case DISSECT_IP4:
	case DISSECT_IP6:
	case DISSECT_EXTENSION: {
		const char *name = ip_protocol_name(d->protocol);
		put_number(&t, "protocol ", d->protocol);
		if (name) {
			text_string(&t, " (");
			text_string(&t, name);
			text_char(&t, ')');
		}
		break;
	}
	default:
		put_number(&t, "", d->len);
		text_string(&t, " bytes");
		break;
	}
	return t.len;
}

static void tell_table(const struct teller *w, struct span bytes)
{
	const struct header_info *info = w->l->info;
	bool v6 = w->l->part == DISSECT_ICMP6;
	bool own_rest = (v6 || w->l->part == DISSECT_ICMP4) && icmp_has_fields(bytes, v6);
	for (unsigned i = 0; info && i < info->count; i++) {
		const struct field *field = &info->field[i];
		char value[256];
		if (((size_t)field->bit + field->bits + 7) / 8 > bytes.len)
			continue;
		if (own_rest && field->bit == 32)
			continue; /* icmp_fields knows better */
		field_format(field, bytes, value, sizeof value);
		struct dissect_field f = {
			.name = field->name,
			.key = field->key,
			.meaning = field->meaning,
			.bit = w->l->at * 8 + field->bit,
			.bits = field->bits,
			.value = value,
		};
		w->tell(w->user, &f);
	}
}

/* Byte counters in the order that the kind tells (RFC 9768 3.2.3), as they stand: those of ECT
 * begin at 1. */
static void put_accecn(struct text *t, const struct tcp_option *o)
{
	static const char *const names[2][3] = { { "ECT(0) ", ", CE ", ", ECT(1) " },
		{ "ECT(1) ", ", CE ", ", ECT(0) " } };
	bool swapped = o->kind == TCP_OPT_ACCECN1;
	if (o->bytes.len < 5)
		text_string(t, "no counters");
	for (size_t i = 0; i < 3 && 3 * i + 5 <= o->bytes.len; i++) {
		const uint8_t *at = o->bytes.at + 2 + 3 * i;
		put_number(t, names[swapped][i], (uint32_t)at[0] << 16 | load16(at + 1));
	}
}

static void tcp_option_text(struct text *t, const struct tcp_option *o)
{
	struct span b = o->bytes;
	if (o->malformed) {
		text_string(t, "malformed: its length is impossible");
	} else if (o->kind == TCP_OPT_MSS && b.len == 4) {
		put_number(t, "", load16(b.at + 2));
		text_string(t, " bytes");
	} else if (o->kind == TCP_OPT_WSCALE && b.len == 3) {
		put_number(t, "shift ", b.at[2]);
	} else if (o->kind == TCP_OPT_TIMESTAMPS && b.len == 10) {
		put_number(t, "value ", load32(b.at + 2));
		put_number(t, ", echo ", load32(b.at + 6));
	} else if (o->kind == TCP_OPT_SACK_PERMITTED) {
		text_string(t, "yes");
	} else if (o->kind == TCP_OPT_NOP || o->kind == TCP_OPT_END) {
		text_string(t, "no value");
	} else if (o->kind == TCP_OPT_SACK) {
		for (size_t i = 2; i + 8 <= b.len; i += 8) {
			put_number(t, i > 2 ? ", " : "", load32(b.at + i));
			put_number(t, "-", load32(b.at + i + 4));
		}
	} else if (o->kind == TCP_OPT_ACCECN0 || o->kind == TCP_OPT_ACCECN1) {
		put_accecn(t, o);
	} else {
		put_number(t, "kind ", o->kind);
		put_number(t, ", bytes ", b.len);
	}
}

static const char *tcp_option_meaning(uint8_t kind)
{
	switch (kind) {
	case TCP_OPT_MSS: return "The largest segment that this end takes, without headers.";
	case TCP_OPT_WSCALE:
		return "This end's window field counts units of two to the power of the shift.";
	case TCP_OPT_SACK_PERMITTED: return "This end understands selective acknowledgments.";
	case TCP_OPT_SACK: return "Bytes that arrived although something before them is missing.";
	case TCP_OPT_TIMESTAMPS:
		return "When this was sent, and which time it answers: for round-trip times and "
		       "against old duplicates.";
	case TCP_OPT_ACCECN0:
	case TCP_OPT_ACCECN1:
		return "How many bytes of text came with which congestion mark (RFC 9768).";
	case TCP_OPT_NOP:
	case TCP_OPT_END: return "Fills up to a whole word.";
	default: return "An option that may be skipped by who does not know it.";
	}
}

static void tell_tcp_options(const struct teller *w, struct span bytes)
{
	struct span options = span_after(bytes, TCP_HEADER);
	size_t offset = 0;
	struct tcp_option o;
	while (tcp_option_next(options, &offset, &o)) {
		char value[200];
		struct text t = text_of(value, sizeof value);
		tcp_option_text(&t, &o);
		tell_bytes(w, tcp_option_name(o.kind), "option", tcp_option_meaning(o.kind),
			(size_t)(o.bytes.at - bytes.at), o.bytes.len, value);
		if (o.malformed)
			return;
	}
}

static void tell_ip_options(const struct teller *w, struct span bytes)
{
	struct span options = span_after(bytes, IP4_HEADER);
	size_t offset = 0;
	struct ip4_option o;
	while (ip4_option_next(options, &offset, &o)) {
		char value[40];
		struct text t = text_of(value, sizeof value);
		put_number(&t, "kind ", o.kind);
		tell_bytes(w, "Option", "option",
			"An option; routers and hosts ignore most of them.", IP4_HEADER + o.at,
			o.data.len + (o.kind > 1 ? 2 : 1), value);
	}
}

static void tell_dns(const struct teller *w, struct span bytes)
{
	struct dns_reader r;
	struct dns_header h;
	if (dns_reader_begin(&r, bytes, &h) != DROP_NONE)
		return;
	char value[1024];
	struct dns_question q;
	size_t at = r.at;
	while (dns_question_next(&r, &q)) {
		char type[DNS_TYPE_TEXT_MAX];
		size_t len = dns_name_format(&q.name, value, sizeof value - 32);
		dns_type_format(q.type, type);
		struct text t = { .at = value, .len = len, .cap = sizeof value };
		text_char(&t, ' ');
		text_string(&t, type);
		tell_bytes(w, "Question", "question", "What is asked: a name and a type of record.",
			at, r.at - at, value);
		at = r.at;
	}
	struct dns_record record;
	while (dns_record_next(&r, &record)) {
		dns_record_format(&record, value, sizeof value);
		tell_bytes(w, dns_section_name(record.section), "record",
			"Name, time to live, class, type and data.", at, r.at - at, value);
		at = r.at;
	}
}

static void tell_http(const struct teller *w, struct span bytes)
{
	size_t start = 0;
	bool first = true;
	while (start < bytes.len) {
		size_t end = start;
		while (end < bytes.len && bytes.at[end] != '\n')
			end++;
		size_t next = end < bytes.len ? end + 1 : end;
		char value[512];
		struct text t = text_of(value, sizeof value);
		put_line(&t, span_of(bytes.at + start, end - start), sizeof value - 1);
		if (t.len)
			tell_bytes(w, first ? "Start line" : "Field",
				first ? "start_line" : "field",
				first ? "What is asked for, or how it went."
				      : "A property of the message, or of what it brings.",
				start, next - start, value);
		else
			tell_bytes(w, "Empty line", "empty_line", "The head ends here.", start,
				next - start, "");
		first = false;
		start = next;
	}
}

void dissect_fields(const struct dissection *d, const struct dissect_layer *l,
	void (*tell)(void *user, const struct dissect_field *f), void *user)
{
	struct teller w = { .d = d, .l = l, .tell = tell, .user = user };
	struct span bytes = layer_bytes(d, l);
	tell_table(&w, bytes);
	switch (l->part) {
	case DISSECT_TCP: tell_tcp_options(&w, bytes); break;
	case DISSECT_IP4:
		if (bytes.len > IP4_HEADER)
			tell_ip_options(&w, bytes);
		break;
	case DISSECT_DNS: tell_dns(&w, bytes); break;
	case DISSECT_HTTP: tell_http(&w, bytes); break;
	case DISSECT_ICMP4:
	case DISSECT_ICMP6: icmp_fields(&w, bytes); break;
	default: break;
	}
}
