/*
 * Datagrams for what comes in, and datagrams that left, taken apart. What comes
 * in is written by the codecs of wire/ for IP and by hand for TCP, because a
 * script may want options that no codec of ours would write.
 */
#include "drill/drill_wire.h"
#include "wire/icmp.h"
#include "wire/tcp.h"
#include "wire/udp.h"

#define HOP_LIMIT 255

static void put_checksum(
	uint8_t *at, size_t len, size_t field, uint8_t protocol, const struct drill_ends *ends)
{
	uint64_t sum = 0;
	if (protocol != IPPROTO_ICMP4)
		sum += pseudo_sum(&ends->remote, &ends->local, protocol, (uint32_t)len);
	sum += checksum_plain.sum(at, len);
	uint16_t value = checksum_finish(sum);
	memcpy(at + field, &value, sizeof value);
}

/* The IP header in front of `len` bytes. */
static size_t put_ip(const struct drill_packet *p, uint8_t protocol, const struct addr *from,
	const struct addr *to, size_t len, uint8_t *out, size_t cap)
{
	uint8_t tos = (uint8_t)(p->tos >= 0 ? p->tos : 0);
	if (p->ecn >= 0)
		tos = (uint8_t)((tos & ~3) | p->ecn);
	uint8_t hops = (uint8_t)(p->hop_limit >= 0 ? p->hop_limit : HOP_LIMIT);
	if (addr_is4(from)) {
		struct ip4_header h = { .header_len = IP4_HEADER,
			.tos = tos,
			.ttl = hops,
			.total_len = (uint16_t)(IP4_HEADER + len),
			.protocol = protocol,
			.dont_fragment = true,
			.source = *from,
			.destination = *to };
		return IP4_HEADER + len > DRILL_DATAGRAM ? 0 : ip4_emit(&h, out, cap);
	}
	struct ip6_header h = { .traffic_class = tos,
		.payload_len = (uint16_t)len,
		.next = protocol,
		.hop_limit = hops,
		.source = *from,
		.destination = *to,
		.flow_label = p->flow_label >= 0 ? (uint32_t)p->flow_label : 0 };
	return len > DRILL_DATAGRAM - IP6_HEADER ? 0 : ip6_emit(&h, out, cap);
}

/* The value on the wire that the script echoes as `script`. */
static uint32_t echoed(const struct drill_flow *f, uint32_t script, bool scaled, int64_t tick_us)
{
	for (unsigned i = 0; i < f->stamps; i++) {
		unsigned at = (f->next_stamp + DRILL_STAMPS - 1 - i) % DRILL_STAMPS;
		if (f->stamp[at].script == script)
			return f->stamp[at].live;
	}
	(void)tick_us;
	return scaled && f->stamped && script ? f->first_live + (script - f->first_script) : script;
}

static void put_options(const struct drill_packet *p, const struct drill_flow *f, bool scaled,
	int64_t tick_us, struct writer *w)
{
	for (const struct drill_option *o = p->options; o; o = o->next) {
		write8(w, o->kind);
		if (o->kind <= TCP_OPT_NOP)
			continue;
		write8(w, (uint8_t)(o->len + 2));
		uint8_t *at = write_room(w, o->len);
		if (!at || o->len == 0)
			continue;
		memcpy(at, o->data, o->len);
		if (o->kind == TCP_OPT_TIMESTAMPS && o->len == 8)
			store32(at + 4, echoed(f, load32(at + 4), scaled, tick_us));
		for (unsigned i = 0; o->kind == TCP_OPT_SACK && i + 4 <= o->len; i += 4)
			store32(at + i, load32(at + i) + f->local_isn);
	}
	while (w->len % 4)
		write8(w, TCP_OPT_END);
}

static size_t build_tcp(const struct drill_packet *p, const struct drill_flow *f, bool scaled,
	int64_t tick_us, uint8_t *out, size_t cap)
{
	struct writer w = writer_of(out, cap);
	bool syn = p->flags & TCP_SYN;
	write16(&w, f->remote_port);
	write16(&w, f->local_port);
	write32(&w, p->seq + (syn ? 0 : f->remote_isn));
	write32(&w,
		p->has_ack || p->flags & TCP_ACK ? p->ack + f->local_isn - (syn ? f->script_isn : 0)
						 : 0);
	write16(&w, p->flags & 0x1ff);
	write16(&w, p->window);
	write16(&w, 0);
	write16(&w, p->urgent);
	put_options(p, f, scaled, tick_us, &w);
	size_t header = w.len;
	uint8_t *data = write_room(&w, p->len);
	if (w.failed)
		return 0;
	if (p->len)
		memset(data, 0, p->len);
	out[12] = (uint8_t)((out[12] & 0x0f) | header / 4 << 4);
	return w.len;
}

static size_t build_udp(
	const struct drill_packet *p, const struct drill_flow *f, uint8_t *out, size_t cap)
{
	struct udp_header h = { .source_port = f->remote_port,
		.destination_port = f->local_port,
		.length = (uint16_t)(UDP_HEADER + p->len) };
	if (UDP_HEADER + p->len > cap || UDP_HEADER + p->len > 65535)
		return 0;
	udp_emit(&h, out, cap);
	memset(out + UDP_HEADER, 0, p->len);
	return UDP_HEADER + p->len;
}

/* An error about a segment of ours: its IP header and 20 bytes of TCP's (RFC 1812 4.3.2.3). */
static size_t build_icmp(const struct drill_packet *p, const struct drill_flow *f,
	const struct drill_ends *ends, uint8_t *out, size_t cap)
{
	struct icmp_header h = { .type = p->icmp_type, .code = p->icmp_code, .rest = p->mtu };
	if (cap < ICMP_HEADER + IP6_HEADER + TCP_HEADER)
		return 0;
	icmp_emit(&h, out, cap);
	uint8_t protocol = f->last_protocol ? f->last_protocol : IPPROTO_TCP_;
	uint32_t seq = f->local_isn + p->seq; /* where nothing is quoted: the SYN's number */
	uint32_t len = p->len;
	static const struct drill_packet plain = {
		.ecn = -1, .tos = -1, .hop_limit = 64, .flow_label = -1
	};
	size_t transport = protocol == IPPROTO_UDP_ ? UDP_HEADER : TCP_HEADER;
	size_t ip = put_ip(&plain, protocol, &ends->local, &ends->remote, transport + len,
		out + ICMP_HEADER, cap - ICMP_HEADER);
	if (!ip)
		return 0;
	struct writer w = writer_of(out + ICMP_HEADER + ip, transport);
	write16(&w, f->local_port);
	write16(&w, f->remote_port);
	if (protocol == IPPROTO_UDP_) {
		write16(&w, (uint16_t)(UDP_HEADER + len));
		write16(&w, 0);
	} else {
		write32(&w, seq);
		write32(&w, f->remote_isn + 1);
		write32(&w, 0x50100000 | UINT16_MAX);
		write32(&w, 0);
	}
	return ICMP_HEADER + ip + transport;
}

size_t drill_build(const struct drill_packet *p, const struct drill_flow *f,
	const struct drill_ends *ends, bool scaled_ecr, int64_t tick_us, uint8_t *out, size_t cap)
{
	size_t ip = addr_is4(&ends->local) ? IP4_HEADER : IP6_HEADER, len = 0, field = 0;
	uint8_t protocol = IPPROTO_TCP_;
	struct drill_flow on = *f;
	if (p->from_port)
		on.remote_port = p->from_port;
	if (p->to_port)
		on.local_port = p->to_port;
	if (cap <= ip)
		return 0;
	if (p->protocol == DRILL_TCP) {
		len = build_tcp(p, &on, scaled_ecr, tick_us, out + ip, cap - ip);
		field = 16;
	} else if (p->protocol == DRILL_UDP) {
		len = build_udp(p, &on, out + ip, cap - ip);
		protocol = IPPROTO_UDP_;
		field = 6;
	} else {
		len = build_icmp(p, &on, ends, out + ip, cap - ip);
		protocol = ip == IP4_HEADER ? IPPROTO_ICMP4 : IPPROTO_ICMP6;
		field = 2;
	}
	if (!len || !put_ip(p, protocol, &ends->remote, &ends->local, len, out, cap))
		return 0;
	put_checksum(out + ip, len, field, protocol, ends);
	return ip + len;
}

static void take_options(struct span bytes, struct drill_seen *s)
{
	struct tcp_option o;
	size_t offset = 0;
	while (s->options < DRILL_SEEN_LEFT && tcp_option_next(bytes, &offset, &o)) {
		if (o.malformed) {
			s->broken = true;
			s->why_broken = "an option with a length that cannot be";
			return;
		}
		struct drill_option *to = &s->option[s->options++];
		struct span data = span_after(o.bytes, 2);
		to->kind = o.kind;
		to->len = (uint8_t)(o.kind <= TCP_OPT_NOP ? 0 : data.len);
		to->next = NULL;
		if (to->len)
			memcpy(to->data, data.at, to->len);
		if (o.kind == TCP_OPT_END) {
			/* Each byte of padding counts, as scripts write them. */
			for (size_t i = offset; i < bytes.len && s->options < DRILL_SEEN_LEFT; i++)
				s->option[s->options++] = (struct drill_option){
					.kind = TCP_OPT_END
				};
			return;
		}
	}
}

static void take_tcp(struct span bytes, struct drill_seen *s)
{
	struct tcp_header h;
	if (tcp_parse(bytes, bytes.len, &h) != DROP_NONE) {
		s->broken = true;
		s->why_broken = "a TCP header that cannot be read";
		return;
	}
	uint64_t sum = pseudo_sum(&s->source, &s->destination, IPPROTO_TCP_, (uint32_t)bytes.len) +
		(uint64_t)checksum_plain.sum(bytes.at, bytes.len);
	if (checksum_fold(sum) != 0xffff) {
		s->broken = true;
		s->why_broken = "a TCP checksum that is wrong";
	}
	s->from_port = h.source_port;
	s->to_port = h.destination_port;
	s->flags = h.flags;
	s->seq = h.seq;
	s->ack = h.ack;
	s->window = h.window;
	s->urgent = h.urgent;
	s->len = (uint32_t)(bytes.len - h.header_len);
	take_options(span_of(bytes.at + TCP_HEADER, (size_t)h.header_len - TCP_HEADER), s);
}

static void take_body(struct span bytes, struct drill_seen *s)
{
	struct udp_header u;
	struct icmp_header i;
	if (s->protocol == IPPROTO_TCP_) {
		take_tcp(bytes, s);
	} else if (s->protocol == IPPROTO_UDP_ && udp_parse(bytes, bytes.len, &u) == DROP_NONE) {
		s->from_port = u.source_port;
		s->to_port = u.destination_port;
		s->len = (uint32_t)u.length - UDP_HEADER;
	} else if ((s->protocol == IPPROTO_ICMP4 || s->protocol == IPPROTO_ICMP6) &&
		icmp_parse(bytes, &i) == DROP_NONE) {
		s->icmp_type = i.type;
		s->icmp_code = i.code;
		s->icmp_rest = i.rest;
	}
}

void drill_take_apart(struct span datagram, nanotime time, struct drill_seen *s)
{
	struct ip4_header h4;
	struct ip6_header h6;
	memset(s, 0, sizeof *s);
	s->time = time;
	if (datagram.len && datagram.at[0] >> 4 == 4 &&
		ip4_parse(datagram, datagram.len, &h4) == DROP_NONE) {
		s->source = h4.source;
		s->destination = h4.destination;
		s->protocol = h4.protocol;
		s->tos = h4.tos;
		s->hop_limit = h4.ttl;
		take_body(
			span_of(datagram.at + h4.header_len, (size_t)h4.total_len - h4.header_len),
			s);
	} else if (datagram.len && datagram.at[0] >> 4 == 6 &&
		ip6_parse(datagram, datagram.len, &h6) == DROP_NONE) {
		s->source = h6.source;
		s->destination = h6.destination;
		s->protocol = h6.next;
		s->tos = h6.traffic_class;
		s->hop_limit = h6.hop_limit;
		s->flow_label = h6.flow_label;
		take_body(span_first(span_after(datagram, IP6_HEADER), h6.payload_len), s);
	} else {
		s->broken = true;
		s->why_broken = "an IP header that cannot be read";
	}
}
