/* The link keeps a copy of every TCP segment; ARP is avoided by a static neighbour. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "sim/work.h"
#include "support/wire_peer.h"

static bool keep(void *link, struct netif *nif, const struct tx_frame *f, nanotime now)
{
	struct wire_peer *p = link;
	(void)nif;
	uint8_t bytes[4096];
	size_t len = frame_copy(f, bytes, sizeof bytes);
	uint32_t options = p->v6 ? 0 : (bytes[ETH_HEADER] & 15u) * 4 - IP4_HEADER;
	size_t ip = ETH_HEADER + (p->v6 ? IP6_HEADER : IP4_HEADER + options);
	if (len < ip + TCP_HEADER || (!p->v6 && bytes[ETH_HEADER + 9] != IPPROTO_TCP_))
		return true;
	assert_true(p->count < PEER_SEGMENTS);
	struct peer_segment *s = &p->sent[p->count++];
	size_t total = p->v6 ? load16(bytes + ETH_HEADER + 4)
			     : load16(bytes + ETH_HEADER + 2) - 20u - options;
	assert_int_equal(tcp_parse(span_of(bytes + ip, total), total, &s->h), DROP_NONE);
	const uint8_t *source = bytes + ETH_HEADER + (p->v6 ? 8 : 12);
	struct addr from = p->v6 ? addr_from6(source) : addr_from4(source);
	struct addr to = p->v6 ? addr_from6(source + 16) : addr_from4(source + 4);
	const uint8_t *option = bytes + ETH_HEADER + IP4_HEADER;
	bool routed = options > 7 && (option[0] == 131 || option[0] == 137);
	struct addr last = routed ? addr_from4(option + option[1] - 4) : to; /* RFC 9293 3.1 */
	s->source = from;
	s->destination = to;
	s->ip_options_len = (uint8_t)options;
	memcpy(s->ip_options, bytes + ETH_HEADER + IP4_HEADER, options);
	uint64_t sum = pseudo_sum(&from, &last, IPPROTO_TCP_, (uint32_t)total) +
		checksum_plain.sum(bytes + ip, total);
	assert_int_equal(checksum_fold(sum), 0xffff); /* MUST-2, on everything that leaves */
	s->len = (uint32_t)total - s->h.header_len;
	assert_true(s->len <= sizeof s->text);
	memcpy(s->text, bytes + ip + s->h.header_len, s->len);
	s->time = now;
	s->why = f->why;
	const uint8_t *packet = bytes + ETH_HEADER;
	s->tos = p->v6 ? (uint8_t)(load16(packet) >> 4) : packet[1];
	s->hop_limit = p->v6 ? packet[7] : packet[8];
	if (s->h.flags & TCP_SYN)
		p->iss = s->h.seq;
	return true;
}

static const struct link_ops ops = { .name = "peer", .transmit = keep };

void peer_config(struct stack_config *c)
{
	stack_config_default(c);
	c->transport.timestamps = false;
	for (unsigned i = 0; i < sizeof c->secret; i++)
		c->secret[i] = (uint8_t)(i * 7 + 1);
}

struct wire_peer *peer_open(const struct stack_config *c, bool v6)
{
	struct stack_config plain;
	if (!c) {
		peer_config(&plain);
		c = &plain;
	}
	struct wire_peer *p = calloc(1, sizeof *p);
	assert_non_null(p);
	size_t size = stack_memory(c);
	p->memory = aligned_alloc(64, (size + 63) & ~(size_t)63);
	assert_non_null(p->memory);
	p->now = 1000 * NANO_S;
	const char *why = NULL;
	p->stack = stack_create(c, p->memory, size, p->now, &why);
	if (!p->stack)
		fail_msg("%s", why);
	struct netif_config n = {
		.name = "eth0", .mac = { { 2, 0, 0, 0, 0, 1 } }, .mtu = 1500, .ops = &ops, .link = p
	};
	p->nif = stack_add_netif(p->stack, &n, &why);
	assert_non_null(p->nif);
	p->v6 = v6;
	const char *local = v6 ? "2001:db8::1" : "192.0.2.1";
	const char *remote = v6 ? "2001:db8::2" : "192.0.2.2";
	assert_true(addr_parse(span_of(local, strlen(local)), &p->local));
	assert_true(addr_parse(span_of(remote, strlen(remote)), &p->remote));
	assert_int_equal(stack_add_address(p->stack, p->nif, &p->local, v6 ? 64 : 24), ERR_OK);
	struct mac mac = { { 2, 0, 0, 0, 0, 2 } };
	assert_int_equal(
		neighbour_set_static(stack_access(p->stack), p->nif, &p->remote, &mac), ERR_OK);
	p->peer_port = PEER_PORT;
	peer_flush(p);
	return p;
}

struct wire_peer *peer_open_ecn(unsigned use, bool v6)
{
	struct stack_config c;
	peer_config(&c);
	c.transport.ecn = (uint8_t)use;
	return peer_open(&c, v6);
}

void peer_close(struct wire_peer *p)
{
	free(p->memory);
	free(p);
}

/* I27, where the program counts steps. */
static void end_work(struct wire_peer *p, const struct work *w, const char *call, uint32_t frames)
{
	struct work_excess e = { .call = NULL };
	work_end(w, p->stack, call, frames, &e);
	if (e.call)
		fail_msg("I27: %llu steps %s, and not %llu at most", (unsigned long long)e.steps,
			call, (unsigned long long)e.allowed);
}

int peer_work_was_counted(void **state)
{
	(void)state;
	return work_steps() ? 0 : -1;
}

static void let_receive(struct wire_peer *p, const uint8_t *frame, size_t len)
{
	struct rx_frame rx = rx_frame_of(frame, len);
	struct work w;
	work_begin(&w, p->stack);
	stack_receive(p->stack, p->nif, &rx, p->now);
	end_work(p, &w, "to receive a frame", 1);
}

void peer_flush(struct wire_peer *p)
{
	unsigned sent;
	do {
		struct work w;
		work_begin(&w, p->stack);
		sent = stack_transmit(p->stack, p->now, 64);
		end_work(p, &w, "to transmit", sent);
	} while (sent);
}

void peer_receive(struct wire_peer *p, const struct peer_say *say)
{
	uint8_t frame[4096];
	struct tcp_header h = {
		.source_port = p->peer_port,
		.destination_port = p->port,
		.seq = PEER_ISS + say->them,
		.ack = say->flags & TCP_ACK ? p->iss + say->us : 0,
		.flags = say->flags,
		.window = say->closed ? 0
			: say->window ? say->window
				      : 60000,
		.urgent = say->urgent,
		.options = say->options,
	};
	size_t ip = ETH_HEADER + (p->v6 ? IP6_HEADER : IP4_HEADER + say->ip_options_len);
	size_t header = tcp_emit(&h, frame + ip, TCP_HEADER_MAX);
	assert_true(header > 0);
	if (say->raw) {
		header = TCP_HEADER + say->raw_len;
		memcpy(frame + ip + TCP_HEADER, say->raw, say->raw_len);
		frame[ip + 12] = (uint8_t)(header / 4 << 4);
	}
	if (say->offset)
		frame[ip + 12] = (uint8_t)((say->offset - 1) << 4);
	frame[ip + 12] |= say->reserved;
	if (say->len)
		memcpy(frame + ip + header, say->text, say->len);
	uint32_t total = (uint32_t)header + say->len;
	uint16_t sum = checksum_finish(pseudo_sum(&p->remote, &p->local, IPPROTO_TCP_, total) +
		checksum_plain.sum(frame + ip, total));
	if (say->bad_checksum)
		sum ^= 0x5555;
	memcpy(frame + ip + 16, &sum, 2);
	struct ip4_header four = { .total_len = (uint16_t)(total + ip - ETH_HEADER),
		.tos = say->tos,
		.dont_fragment = true,
		.ttl = 64,
		.protocol = IPPROTO_TCP_,
		.source = p->remote,
		.destination = p->local,
		.options = span_of(say->ip_options, say->ip_options_len) };
	struct ip6_header six = { .payload_len = (uint16_t)total,
		.next = IPPROTO_TCP_,
		.traffic_class = say->tos,
		.hop_limit = 64,
		.source = p->remote,
		.destination = p->local };
	if (p->v6)
		ip6_emit(&six, frame + ETH_HEADER, IP6_HEADER);
	else
		ip4_emit(&four, frame + ETH_HEADER, ip - ETH_HEADER);
	struct eth_header eth = { .destination = p->nif->mac,
		.source = { { 2, 0, 0, 0, 0, 2 } },
		.type = p->v6 ? ETHERTYPE_IP6 : ETHERTYPE_IP4 };
	eth_emit(&eth, frame, ETH_HEADER);
	let_receive(p, frame, ip + total);
}

void peer_send(struct wire_peer *p, const struct peer_say *say)
{
	peer_receive(p, say);
	peer_flush(p);
}

void peer_icmp(struct wire_peer *p, uint8_t type, uint8_t code, uint32_t us, uint32_t rest)
{
	uint8_t frame[200] = { 0 };
	size_t header = p->v6 ? IP6_HEADER : IP4_HEADER, len = 8 + header + 8;
	uint8_t *icmp = frame + ETH_HEADER + header, *inner = icmp + 8;
	struct ip4_header four = { .header_len = IP4_HEADER,
		.total_len = 1500,
		.ttl = 63,
		.dont_fragment = true,
		.protocol = IPPROTO_TCP_,
		.source = p->local,
		.destination = p->remote };
	struct ip6_header six = { .payload_len = 1460,
		.next = IPPROTO_TCP_,
		.hop_limit = 63,
		.source = p->local,
		.destination = p->remote };
	if (p->v6)
		ip6_emit(&six, inner, IP6_HEADER);
	else
		ip4_emit(&four, inner, IP4_HEADER);
	store16(inner + header, p->port);
	store16(inner + header + 2, p->peer_port);
	store32(inner + header + 4, p->iss + us);
	icmp[0] = type;
	icmp[1] = code;
	store32(icmp + 4, rest);
	uint64_t sum = checksum_plain.sum(icmp, len);
	if (p->v6)
		sum += pseudo_sum(&p->remote, &p->local, IPPROTO_ICMP6, (uint32_t)len);
	uint16_t check = checksum_finish(sum);
	memcpy(icmp + 2, &check, 2);
	struct ip4_header outer4 = { .header_len = IP4_HEADER,
		.total_len = (uint16_t)(20 + len),
		.ttl = 64,
		.protocol = IPPROTO_ICMP4,
		.source = p->remote,
		.destination = p->local };
	struct ip6_header outer6 = { .payload_len = (uint16_t)len,
		.next = IPPROTO_ICMP6,
		.hop_limit = 64,
		.source = p->remote,
		.destination = p->local };
	if (p->v6)
		ip6_emit(&outer6, frame + ETH_HEADER, IP6_HEADER);
	else
		ip4_emit(&outer4, frame + ETH_HEADER, IP4_HEADER);
	struct eth_header eth = { .destination = p->nif->mac,
		.source = { { 2, 0, 0, 0, 0, 2 } },
		.type = p->v6 ? ETHERTYPE_IP6 : ETHERTYPE_IP4 };
	eth_emit(&eth, frame, ETH_HEADER);
	let_receive(p, frame, ETH_HEADER + header + len);
	peer_flush(p);
}

void peer_wait(struct wire_peer *p, nanodiff how_long)
{
	nanotime until = p->now + how_long;
	for (;;) {
		nanotime next = stack_next_deadline(p->stack);
		if (next > until)
			break;
		if (next > p->now)
			p->now = next;
		struct work w;
		work_begin_timers(&w, p->stack, p->now);
		stack_timers(p->stack, p->now);
		end_work(p, &w, "for timers", 0);
		peer_flush(p);
	}
	p->now = until;
	stack_set_time(p->stack, p->now);
}

const struct peer_segment *peer_next(struct wire_peer *p)
{
	return p->taken < p->count ? &p->sent[p->taken++] : NULL;
}

const struct peer_segment *peer_expect(
	struct wire_peer *p, uint16_t flags, uint32_t us, uint32_t them)
{
	const struct peer_segment *s = peer_next(p);
	if (!s)
		fail_msg("no segment was sent, flags 0x%02x were expected", flags);
	if ((s->h.flags & ~TCP_PSH) != flags)
		fail_msg("flags 0x%02x, expected 0x%02x (%s)", s->h.flags, flags,
			tx_why_text(s->why));
	if (s->h.seq - p->iss != us)
		fail_msg("seq %d, expected %u (%s)", (int)(s->h.seq - p->iss), us,
			tx_why_text(s->why));
	if (flags & TCP_ACK && s->h.ack - PEER_ISS != them)
		fail_msg("ack %d, expected %u (%s)", (int)(s->h.ack - PEER_ISS), them,
			tx_why_text(s->why));
	return s;
}

void peer_expect_nothing(struct wire_peer *p)
{
	const struct peer_segment *s = peer_next(p);
	if (s)
		fail_msg("flags 0x%02x seq %d len %u were sent (%s), nothing was expected",
			s->h.flags, (int)(s->h.seq - p->iss), s->len, tx_why_text(s->why));
}

void peer_forget(struct wire_peer *p)
{
	p->taken = p->count = 0;
}

sock_id peer_listen(struct wire_peer *p)
{
	struct sock_options o = { .local_port = p->port = 80 };
	sock_id id;
	assert_int_equal(sock_listen(p->stack, &o, &id), 0);
	return id;
}

sock_id peer_take(struct wire_peer *p, sock_id listener)
{
	sock_id id;
	assert_int_equal(sock_accept(p->stack, listener, NULL, NULL, &id, NULL), 0);
	return id;
}

sock_id peer_attempt(struct wire_peer *p)
{
	struct sock_options o = { .local_port = p->port = 5000 };
	sock_id id;
	assert_int_equal(sock_connect(p->stack, &o, &p->remote, p->peer_port, &id), 0);
	return id;
}

sock_id peer_connect(struct wire_peer *p)
{
	sock_id id = peer_attempt(p);
	peer_flush(p);
	return id;
}

void peer_write(struct wire_peer *p, sock_id id, const void *bytes, uint32_t len)
{
	assert_int_equal(sock_write(p->stack, id, bytes, len), len);
	peer_flush(p);
}

struct sock_tcp_info peer_info(struct wire_peer *p, sock_id id)
{
	struct sock_tcp_info info;
	assert_int_equal(sock_tcp_info(p->stack, id, &info), 0);
	return info;
}

static struct tcp_options with_mss(const struct tcp_options *options)
{
	struct tcp_options o = { .has = 0 };
	if (options)
		o = *options;
	if (!(o.has & TCP_HAS_MSS)) {
		o.has |= TCP_HAS_MSS;
		o.mss = 1000;
	}
	return o;
}

sock_id peer_connected(struct wire_peer *p, const struct tcp_options *options)
{
	sock_id id = peer_connect(p);
	const struct peer_segment *syn = peer_next(p);
	assert_non_null(syn);
	assert_int_equal(syn->h.flags, TCP_SYN);
	peer_send(p,
		&(struct peer_say){
			.flags = TCP_SYN | TCP_ACK, .us = 1, .options = with_mss(options) });
	peer_expect(p, TCP_ACK, 1, 1);
	assert_string_equal(peer_state(p, id), "ESTABLISHED");
	return id;
}

sock_id peer_accepted(struct wire_peer *p, const struct tcp_options *options)
{
	struct sock_options o = { .local_port = 80 };
	sock_id listener, id;
	p->port = 80;
	assert_int_equal(sock_listen(p->stack, &o, &listener), 0);
	peer_send(p, &(struct peer_say){ .flags = TCP_SYN, .options = with_mss(options) });
	const struct peer_segment *s = peer_next(p);
	assert_non_null(s);
	assert_int_equal(s->h.flags, TCP_SYN | TCP_ACK);
	assert_int_equal(s->h.ack, PEER_ISS + 1);
	struct tcp_options plain = { .has = 0 };
	if (options && options->has & TCP_HAS_TIMESTAMPS && s->h.options.has & TCP_HAS_TIMESTAMPS) {
		plain.has = TCP_HAS_TIMESTAMPS;
		plain.tsval = options->tsval;
		plain.tsecr = s->h.options.tsval;
	}
	peer_send(p, &(struct peer_say){ .flags = TCP_ACK, .them = 1, .us = 1, .options = plain });
	assert_int_equal(sock_accept(p->stack, listener, NULL, NULL, &id, NULL), 0);
	peer_expect_nothing(p);
	assert_string_equal(peer_state(p, id), "ESTABLISHED");
	return id;
}

sock_id peer_accepted_as(struct wire_peer *p, uint16_t syn, uint16_t syn_ack, uint16_t ack,
	const struct tcp_options *options)
{
	sock_id listener = peer_listen(p);
	SAY(p, .flags = syn, .options = *options);
	const struct peer_segment *s = peer_expect(p, syn_ack, 0, 1);
	assert_int_equal(s->tos, 0); /* no SYN-ACK is ECN-capable: RFC 3168 6.1.1 */
	peer_wait(p, 30 * NANO_MS);
	SAY(p, .flags = ack, .them = 1, .us = 1);
	return peer_take(p, listener);
}

const char *peer_state(struct wire_peer *p, sock_id id)
{
	struct sock_tcp_info info;
	return sock_tcp_info(p->stack, id, &info) == 0 ? info.state : "none";
}
