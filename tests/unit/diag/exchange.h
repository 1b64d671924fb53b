/*
 * Exchanges by script: frames are built by the codecs and traced as a stack would
 * trace them, at times that the test chooses, so that what a walk should say of
 * them is known beforehand.
 */
#ifndef TESTS_UNIT_DIAG_EXCHANGE_H
#define TESTS_UNIT_DIAG_EXCHANGE_H

#include <stdlib.h>

#include "diag/walk.h"

#define EXCHANGE_MOMENTS 512
#define EXCHANGE_STORE   (1u << 18)

static const struct mac our_mac = { { 2, 0, 0, 0, 0, 1 } }, router_mac = { { 2, 0, 0, 0, 0, 2 } };

struct exchange {
	struct timeline timeline;
	struct moment moment[EXCHANGE_MOMENTS];
	uint8_t store[EXCHANGE_STORE];
	struct walk_step step[EXCHANGE_MOMENTS];
	struct walk walk;
	struct walk_input input;
	nanotime now;
	struct addr us, router, dns, server;
	uint16_t port;
	uint32_t iss, irs;
};

static inline struct addr four(uint8_t a, uint8_t b, uint8_t c, uint8_t d)
{
	return addr_from4((const uint8_t[]){ a, b, c, d });
}

static inline void exchange_begin(struct exchange *x)
{
	memset(x, 0, sizeof *x);
	timeline_init(&x->timeline, x->moment, EXCHANGE_MOMENTS, x->store, EXCHANGE_STORE);
	x->us = four(192, 168, 1, 100);
	x->router = four(192, 168, 1, 1);
	x->dns = four(192, 0, 2, 53);
	x->server = four(192, 0, 2, 80);
	x->port = 40000;
	x->iss = 0xfffffff0; /* so that numbers pass zero */
	x->irs = 5000;
	x->now = 1000000;
	x->input = (struct walk_input){ .started = x->now, .dns_count = 1 };
	x->input.dns[0] = x->dns;
}

/* ---- tracing ---- */

static inline void trace_frame(struct exchange *x, bool sent, const uint8_t *frame, size_t len,
	enum tx_why why, enum drop drop)
{
	struct trace_event e = { .time = x->now, .drop = drop };
	struct tx_frame tx;
	struct rx_frame rx_bytes = rx_frame_of(frame, len);
	struct rx rx = { .frame = &rx_bytes, .now = x->now, .drop = (uint16_t)drop };
	rx.fate = drop ? FATE_DROPPED : FATE_DELIVERED;
	if (sent) {
		frame_begin(&tx, why);
		frame_body(&tx, span_of(frame, len));
		e.kind = TRACE_TX;
		e.frame = &tx;
	} else {
		e.kind = TRACE_RX;
		e.rx = &rx;
	}
	timeline_event(&x->timeline, &e);
}

static inline void trace_state(struct exchange *x, const char *from, const char *to)
{
	timeline_event(&x->timeline,
		&(struct trace_event){
			.kind = TRACE_TCP_STATE,
			.time = x->now,
			.flow = { x->us, x->server, x->port, 80 },
			.from = from,
			.to = to,
		});
}

static inline void trace_neighbour(
	struct exchange *x, const struct addr *a, const char *from, const char *to)
{
	timeline_event(&x->timeline,
		&(struct trace_event){ .kind = TRACE_NEIGHBOUR,
			.time = x->now,
			.flow.remote = *a,
			.from = from,
			.to = to });
}

/* ---- frames ---- */

static inline size_t put_link(uint8_t *out, bool sent, const struct mac *to, uint16_t type)
{
	const struct eth_header h = {
		.destination = sent ? *to : our_mac,
		.source = sent ? our_mac : *to,
		.type = type,
		.header_len = ETH_HEADER,
	};
	return eth_emit(&h, out, ETH_HEADER);
}

static inline void arp(struct exchange *x, bool sent, uint16_t operation)
{
	uint8_t frame[ETH_HEADER + ARP_LEN];
	const struct mac all = MAC_BROADCAST;
	const struct arp_packet p = {
		.operation = operation,
		.sender = sent ? x->us : x->router,
		.target = sent ? x->router : x->us,
		.sender_mac = sent ? our_mac : router_mac,
	};
	put_link(frame, sent, sent ? &all : &router_mac, ETHERTYPE_ARP);
	arp_emit(&p, frame + ETH_HEADER, ARP_LEN);
	trace_frame(x, sent, frame, sizeof frame, WHY_ARP_ASK, DROP_NONE);
}

static inline size_t put_ip(uint8_t *out, bool sent, const struct addr *us, const struct addr *them,
	uint8_t protocol, size_t body)
{
	const struct ip4_header h = {
		.header_len = IP4_HEADER,
		.total_len = (uint16_t)(IP4_HEADER + body),
		.ttl = 64,
		.protocol = protocol,
		.source = sent ? *us : *them,
		.destination = sent ? *them : *us,
	};
	return ip4_emit(&h, out, IP4_HEADER);
}

static inline void udp(
	struct exchange *x, bool sent, uint16_t port, const uint8_t *body, size_t len)
{
	uint8_t frame[2048];
	uint8_t *at = frame + put_link(frame, sent, &router_mac, ETHERTYPE_IP4);
	const struct udp_header h = {
		.source_port = sent ? port : DNS_PORT,
		.destination_port = sent ? DNS_PORT : port,
		.length = (uint16_t)(UDP_HEADER + len),
	};
	at += put_ip(at, sent, &x->us, &x->dns, IPPROTO_UDP_, UDP_HEADER + len);
	at += udp_emit(&h, at, UDP_HEADER);
	memcpy(at, body, len);
	trace_frame(x, sent, frame, (size_t)(at - frame) + len, WHY_DATAGRAM, DROP_NONE);
}

/* A question for www.example.test, or its answer with the server's address. */
static inline void dns(struct exchange *x, bool sent, uint16_t id, uint16_t port)
{
	static const char text[] = "wwW.eXample.tesT";
	uint8_t message[512];
	struct dns_builder b;
	struct dns_question q = { .type = DNS_TYPE_A, .class = DNS_CLASS_IN };
	dns_name_parse(span_of(text, sizeof text - 1), &q.name);
	dns_build_begin(&b, message, sizeof message,
		&(struct dns_header){ .id = id, .response = !sent, .recursion_desired = true },
		NULL);
	dns_build_question(&b, &q);
	const struct dns_record r = { .owner = q.name,
		.type = DNS_TYPE_A,
		.class = DNS_CLASS_IN,
		.ttl = 300,
		.decoded = true,
		.address = x->server };
	if (!sent)
		dns_build_record(&b, DNS_ANSWER, &r);
	udp(x, sent, port, message, dns_build_end(&b));
}

struct segment {
	uint16_t flags;
	uint32_t seq, ack; /* counted from 0 */
	const char *text;
	size_t len; /* where there is no text: so many letters */
	enum tx_why why;
	enum drop drop;
};

static inline void tcp(struct exchange *x, bool sent, struct segment s)
{
	uint8_t frame[4096];
	uint8_t *at = frame + put_link(frame, sent, &router_mac, ETHERTYPE_IP4),
		head[TCP_HEADER_MAX];
	struct tcp_header h = {
		.source_port = sent ? x->port : 80,
		.destination_port = sent ? 80 : x->port,
		.seq = s.seq + (sent ? x->iss : x->irs),
		.ack = s.flags & TCP_ACK ? s.ack + (sent ? x->irs : x->iss) : 0,
		.flags = s.flags,
		.window = 1000,
	};
	size_t text = s.text ? strlen(s.text) : s.len;
	if (s.flags & TCP_SYN) {
		h.options.has = TCP_HAS_MSS | TCP_HAS_WSCALE;
		h.options.mss = 1460;
		h.options.wscale = 3;
	}
	h.header_len = (uint8_t)tcp_emit(&h, head, sizeof head);
	at += put_ip(at, sent, &x->us, &x->server, IPPROTO_TCP_, h.header_len + text);
	memcpy(at, head, h.header_len);
	at += h.header_len;
	if (s.text)
		memcpy(at, s.text, text);
	else
		memset(at, 'x', text);
	trace_frame(x, sent, frame, (size_t)(at - frame) + text, s.why, s.drop);
}

static inline void walk_now(struct exchange *x, uint64_t page)
{
	x->input.done = x->now;
	x->input.page = page;
	walk_build(&x->walk, &x->timeline, &x->input, x->step, EXCHANGE_MOMENTS);
}

#endif
