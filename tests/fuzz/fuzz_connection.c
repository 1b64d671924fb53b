/*
 * TCP from the wire and from the socket at once: a machine of a simulated world and, at the other
 * end of its cable, a peer that follows the input. The input is a program: segments whose numbers
 * lie around those that the machine uses (numbers drawn blindly would all be dropped by the first
 * check), ICMP errors, calls of the machine's sockets, and time that passes.
 *
 * Whatever comes: the inspector's invariants hold after every event, every frame that leaves passes
 * the strict reader, the bytes that are read are those that were sent at these sequence numbers,
 * those that leave are those that were written, and when all sockets are closed and time has
 * passed, nothing is left in any pool and no timer runs.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "sim/inspect_tcp.h"
#include "sim/leftover.h"
#include "sim/link.h"
#include "socket/owner.h"
#include "wire/eth.h"
#include "wire/icmp.h"

#define FLOWS    8
#define SOCKETS  8
#define OPS      400
#define TEXT     1460
#define SERVED   80
#define TEARDOWN (4000 * NANO_S)

/* A connection as the peer sees it; no word of it need be true. */
struct flow {
	uint16_t ours, theirs; /* the machine's port, the peer's */
	bool from_us;          /* the machine's SYN was seen */
	uint32_t iss;          /* of the machine */
	uint32_t next, most;   /* what it expects next; the end of what it sent */
	uint32_t tsval;
};

struct held {
	sock_id id;
	uint64_t written;
	bool listener;
};

struct run {
	struct world *world;
	struct node *node;
	struct port port;
	struct addr local, remote;
	bool v6;
	struct span in;
	struct flow flow[FLOWS];
	unsigned flows;
	struct held held[SOCKETS];
};

/* ---- the input ---- */

static uint8_t take(struct run *r)
{
	uint8_t b = r->in.len ? r->in.at[0] : 0;
	r->in = span_after(r->in, 1);
	return b;
}

/* A number near zero, or far: five bits of value, three of scale; signed. */
static uint32_t take_offset(struct run *r)
{
	uint8_t b = take(r);
	int32_t value = (int32_t)(b & 15) * (b & 16 ? -1 : 1);
	static const uint32_t scale[8] = { 1, 1, 16, 100, 1448, 5000, 65536, 1u << 27 };
	return (uint32_t)value * scale[b >> 5];
}

/* ---- what bytes are at a place of a stream ---- */

static uint8_t from_peer(uint32_t seq)
{
	return (uint8_t)(seq ^ seq >> 7 ^ seq >> 15);
}

static uint8_t from_machine(uint64_t at)
{
	return (uint8_t)(at * 7 ^ at >> 8);
}

/* ---- the peer ---- */

static struct flow *flow_of(struct run *r, uint16_t ours, uint16_t theirs)
{
	for (unsigned i = 0; i < FLOWS; i++)
		if (r->flow[i].ours == ours && r->flow[i].theirs == theirs)
			return &r->flow[i];
	struct flow *f = &r->flow[r->flows++ % FLOWS];
	*f = (struct flow){ .ours = ours, .theirs = theirs, .next = 5000 };
	return f;
}

static void check_text(const struct flow *f, const struct tcp_header *h, struct span text)
{
	if (h->flags & TCP_SYN || !f->from_us)
		return;
	for (size_t i = 0; i < text.len; i++)
		assert(text.at[i] == from_machine(h->seq - f->iss - 1 + i));
}

static void receive(struct port *port, struct parcel *p)
{
	struct run *r = port->owner;
	struct span whole = parcel_span(p);
	size_t ip = ETH_HEADER + (r->v6 ? IP6_HEADER : IP4_HEADER);
	uint8_t protocol = whole.len < ip ? 0 : whole.at[ETH_HEADER + (r->v6 ? 6 : 9)];
	struct tcp_header h;
	struct span segment = span_after(whole, ip);
	if (!r->v6 && segment.len)
		segment = span_first(segment, load16(whole.at + ETH_HEADER + 2) - IP4_HEADER);
	if (protocol == 6 && tcp_parse(segment, segment.len, &h) == DROP_NONE) {
		struct flow *f = flow_of(r, h.source_port, h.destination_port);
		uint32_t len = (uint32_t)segment.len - h.header_len;
		if (h.flags & TCP_SYN) {
			f->iss = h.seq;
			f->from_us = true;
			f->most = h.seq + 1;
		}
		check_text(f, &h, span_after(segment, h.header_len));
		uint32_t end = h.seq + len + !!(h.flags & (TCP_SYN | TCP_FIN));
		if (!(h.flags & TCP_RST) && (int32_t)(end - f->most) > 0)
			f->most = end;
		if (h.flags & TCP_ACK && !(h.flags & TCP_RST))
			f->next = h.ack;
		if (h.options.has & TCP_HAS_TIMESTAMPS)
			f->tsval = h.options.tsval;
	}
	parcel_give(port->world, p);
}

static size_t emit_ip(struct run *r, uint8_t *out, uint8_t protocol, size_t len, uint8_t tos)
{
	if (r->v6) {
		struct ip6_header h = { .payload_len = (uint16_t)len,
			.next = protocol,
			.traffic_class = tos,
			.hop_limit = 64,
			.source = r->remote,
			.destination = r->local };
		return ip6_emit(&h, out, IP6_HEADER);
	}
	struct ip4_header h = { .header_len = IP4_HEADER,
		.tos = tos,
		.dont_fragment = true,
		.total_len = (uint16_t)(IP4_HEADER + len),
		.ttl = 64,
		.protocol = protocol,
		.source = r->remote,
		.destination = r->local };
	return ip4_emit(&h, out, IP4_HEADER);
}

/* A packet with room for `len` bytes behind the IP header, and where those begin. */
static struct parcel *packet(struct run *r, uint8_t protocol, size_t len, uint8_t tos, uint8_t **at)
{
	size_t ip = r->v6 ? IP6_HEADER : IP4_HEADER;
	struct parcel *p = parcel_take(r->world, ETH_HEADER + ip + len);
	struct eth_header eth = { .destination = r->node->interface[0].netif->mac,
		.source = { { 2, 0, 0, 0, 0, 2 } },
		.type = r->v6 ? ETHERTYPE_IP6 : ETHERTYPE_IP4 };
	eth_emit(&eth, p->bytes, ETH_HEADER);
	emit_ip(r, p->bytes + ETH_HEADER, protocol, len, tos);
	*at = p->bytes + ETH_HEADER + ip;
	return p;
}

static void send_segment(struct run *r, struct tcp_header *h, uint32_t len, uint8_t tos)
{
	uint8_t header[TCP_HEADER_MAX], *at;
	size_t n = tcp_emit(h, header, sizeof header);
	if (!n) {
		h->options = (struct tcp_options){ .has = 0 };
		n = tcp_emit(h, header, sizeof header);
	}
	struct parcel *p = packet(r, 6, n + len, tos, &at);
	memcpy(at, header, n);
	for (uint32_t i = 0; i < len; i++)
		at[n + i] = from_peer(h->seq + !!(h->flags & TCP_SYN) + i);
	uint64_t sum = pseudo_sum(&r->remote, &r->local, 6, (uint32_t)(n + len));
	uint16_t check = checksum_finish(sum + checksum_plain.sum(at, n + len));
	memcpy(at + 16, &check, 2);
	port_send(&r->port, p);
}

static void add_options(struct run *r, struct flow *f, struct tcp_options *o)
{
	uint8_t which = take(r);
	if (which & 1) {
		o->has |= TCP_HAS_TIMESTAMPS;
		o->tsval = (uint32_t)(r->world->now / NANO_MS) + take_offset(r);
		o->tsecr = f->tsval + take_offset(r);
	}
	if (which & 2) {
		o->has |= TCP_HAS_SACK;
		o->sack_count = (uint8_t)(1 + (which >> 6) % 3);
		for (unsigned i = 0; i < o->sack_count; i++) {
			o->sack[i].start = f->most + take_offset(r);
			o->sack[i].end = o->sack[i].start + take_offset(r);
		}
	}
	if (which & 4) {
		o->has |= TCP_HAS_MSS;
		o->mss = (uint16_t)(take(r) * 8);
	}
	if (which & 8)
		o->has |= TCP_HAS_SACK_PERMITTED;
	if (which & 16) {
		o->has |= TCP_HAS_WSCALE;
		o->wscale = take(r) % 20;
	}
	if (which & 32) {
		o->has |= TCP_HAS_FAST_OPEN;
		o->fast_open_len = (uint8_t)(take(r) % 7 * 2 + 4);
	}
}

static const uint16_t windows[8] = { 0, 1, 100, 1000, 5000, 20000, 60000, 65535 };

static void any_segment(struct run *r, struct flow *f)
{
	static const uint16_t flags[16] = { TCP_ACK, TCP_ACK, TCP_ACK | TCP_PSH, TCP_ACK | TCP_FIN,
		TCP_SYN, TCP_SYN | TCP_ACK, TCP_RST, TCP_RST | TCP_ACK, TCP_ACK | TCP_URG, 0,
		TCP_ACK | TCP_ECE, TCP_ACK | TCP_CWR | TCP_PSH, TCP_SYN | TCP_ECE | TCP_CWR,
		TCP_SYN | TCP_ACK | TCP_ECE, TCP_FIN, TCP_ACK | TCP_AE };
	uint8_t kind = take(r), more = take(r);
	struct tcp_header h = { .source_port = f->theirs,
		.destination_port = f->ours,
		.flags = flags[kind & 15],
		.window = windows[kind >> 4 & 7] };
	h.seq = f->next + take_offset(r);
	h.ack = f->most + take_offset(r);
	if (h.flags & TCP_URG)
		h.urgent = take(r);
	if (kind & 128)
		add_options(r, f, &h.options);
	uint32_t len = more & 0x3f ? (uint32_t)(more & 0x3f) * 23 : 0;
	send_segment(r, &h, len, more >> 6);
}

/* What an honest peer would send: the next bytes, all acknowledged. */
static void good_segment(struct run *r, struct flow *f)
{
	uint8_t b = take(r);
	struct tcp_header h = { .source_port = f->theirs,
		.destination_port = f->ours,
		.flags = TCP_ACK,
		.window = windows[b >> 5 & 7],
		.seq = f->next,
		.ack = f->most };
	if (f->tsval) {
		h.options.has = TCP_HAS_TIMESTAMPS;
		h.options.tsval = (uint32_t)(r->world->now / NANO_MS);
		h.options.tsecr = f->tsval;
	}
	uint32_t len = (uint32_t)(b & 15) * 96;
	send_segment(r, &h, len, 0);
}

static void send_syn(struct run *r)
{
	uint8_t b = take(r);
	struct flow *f = flow_of(r, SERVED, (uint16_t)(1000 + (b & 3)));
	struct tcp_header h = { .source_port = f->theirs,
		.destination_port = SERVED,
		.flags = TCP_SYN,
		.window = windows[b >> 2 & 7],
		.seq = f->next + take_offset(r) };
	add_options(r, f, &h.options);
	send_segment(r, &h, b & 128 ? 200 : 0, 0);
}

static void send_icmp(struct run *r, const struct flow *f)
{
	static const uint8_t four[][2] = { { 3, 0 }, { 3, 1 }, { 3, 2 }, { 3, 3 }, { 3, 4 },
		{ 4, 0 }, { 11, 0 }, { 12, 0 } };
	static const uint8_t six[][2] = { { 1, 0 }, { 1, 1 }, { 1, 3 }, { 1, 4 }, { 2, 0 },
		{ 2, 0 }, { 3, 0 }, { 4, 1 } };
	uint8_t b = take(r), *at;
	size_t quoted = (r->v6 ? IP6_HEADER : IP4_HEADER) + 8, len = 8 + quoted;
	struct parcel *p = packet(r, r->v6 ? 58 : 1, len, 0, &at);
	memset(at, 0, len);
	at[0] = r->v6 ? six[b & 7][0] : four[b & 7][0];
	at[1] = r->v6 ? six[b & 7][1] : four[b & 7][1];
	store32(at + 4, (uint32_t)(b >> 3) * 60);
	struct run back = *r;
	back.local = r->remote;
	back.remote = r->local;
	emit_ip(&back, at + 8, 6, 1000, 0);
	store16(at + len - 8, f->ours);
	store16(at + len - 6, f->theirs);
	store32(at + len - 4, f->most + take_offset(r));
	uint64_t sum = checksum_plain.sum(at, len);
	if (r->v6)
		sum += pseudo_sum(&r->remote, &r->local, 58, (uint32_t)len);
	uint16_t check = checksum_finish(sum);
	memcpy(at + 2, &check, 2);
	port_send(&r->port, p);
}

/* ---- the machine's sockets ---- */

static void hold(struct run *r, sock_id id)
{
	for (unsigned i = 0; i < SOCKETS; i++) {
		if (!r->held[i].id) {
			r->held[i] = (struct held){ .id = id };
			return;
		}
	}
	sock_abort(node_use(r->node), id);
}

static void open_one(struct run *r)
{
	uint8_t b = take(r);
	struct sock_options o = {
		.nodelay = b & 1, .keepalive = b & 2, .fast_open = b & 4 ? 8 : 0
	};
	struct stack *s = node_use(r->node);
	sock_id id;
	if (sock_connect(s, &o, &r->remote, (uint16_t)(2000 + (b >> 3 & 3)), &id) == 0)
		hold(r, id);
}

static void accept_one(struct run *r)
{
	sock_id id;
	if (r->held[0].id &&
		sock_accept(node_use(r->node), r->held[0].id, NULL, NULL, &id, NULL) == 0)
		hold(r, id);
}

static void write_some(struct run *r, struct held *h)
{
	uint8_t bytes[255 * 64];
	size_t len = (size_t)take(r) * 64;
	for (size_t i = 0; i < len; i++)
		bytes[i] = from_machine(h->written + i);
	int64_t n = sock_write(node_use(r->node), h->id, bytes, len);
	if (n > 0)
		h->written += (uint64_t)n;
}

/* The sequence number of the next byte to read. */
static uint32_t read_place(struct run *r, const struct held *h, size_t readable)
{
	struct transport *t = stack_transport(r->node->stack);
	uint32_t n;
	const struct tcp_conn *c = sock_owner(t, h->id, &n)->conn;
	bool closed = c->state == TCP_CLOSE_WAIT || c->state == TCP_CLOSING ||
		c->state == TCP_LAST_ACK || c->state == TCP_TIME_WAIT;
	return c->rcv_nxt - closed - (uint32_t)readable;
}

static void read_some(struct run *r, struct held *h)
{
	static uint8_t bytes[255 * 64];
	struct stack *s = node_use(r->node);
	size_t len = (size_t)take(r) * 64, readable = sock_readable(s, h->id);
	if (!readable || sock_error(s, h->id))
		return;
	uint32_t seq = read_place(r, h, readable);
	int64_t n = sock_read(s, h->id, bytes, len);
	for (int64_t i = 0; i < n; i++)
		assert(bytes[i] == from_peer(seq + (uint32_t)i));
}

static void end_one(struct run *r, struct held *h)
{
	struct stack *s = node_use(r->node);
	switch (take(r) & 3) {
	case 0:
	case 1: sock_shutdown(s, h->id); return;
	case 2: sock_close(s, h->id); break;
	default: sock_abort(s, h->id);
	}
	h->id = 0;
}

static void set_one(struct run *r, struct held *h)
{
	static const int64_t value[8] = { 0, 1, 2, 3, 100, 1000, 65536, 5 * NANO_S };
	uint8_t b = take(r);
	sock_set(node_use(r->node), h->id, b % SOCK_OPTIONS, value[b >> 5]);
}

/* ---- a run ---- */

static void call_socket(struct run *r, unsigned op, unsigned which)
{
	struct held *h = &r->held[1 + which % (SOCKETS - 1)];
	if (!h->id)
		return;
	if (op == 9)
		write_some(r, h);
	else if (op == 10)
		read_some(r, h);
	else if (op == 11)
		end_one(r, h);
	else
		set_one(r, h);
}

static void check(struct run *r, enum world_end e)
{
	if (e != WORLD_BROKEN && e != WORLD_RUNAWAY)
		return;
	fprintf(stderr, "%s\n", world_why(r->world));
	abort();
}

static void pass(struct run *r, nanodiff time)
{
	check(r, world_run(r->world, r->world->now + time, NULL, NULL));
}

static void step(struct run *r)
{
	uint8_t b = take(r);
	struct flow *f = &r->flow[(b >> 4) % FLOWS];
	static const nanodiff waits[16] = { 0, 1000, NANO_MS, 5 * NANO_MS, 20 * NANO_MS,
		50 * NANO_MS, 100 * NANO_MS, 200 * NANO_MS, 250 * NANO_MS, 500 * NANO_MS, NANO_S,
		2 * NANO_S, 10 * NANO_S, 60 * NANO_S, 300 * NANO_S, 7200 * NANO_S };
	switch (b & 15) {
	case 6: send_syn(r); break;
	case 7: open_one(r); break;
	case 8: accept_one(r); break;
	case 9:
	case 10:
	case 11:
	case 14: call_socket(r, b & 15, b >> 4); break;
	case 12: pass(r, waits[b >> 4]); break;
	case 13: send_icmp(r, f); break;
	case 4:
	case 5:
	case 15: good_segment(r, f); break;
	default: any_segment(r, f);
	}
	pass(r, NANO_MS / 10);
}

static void configure(struct run *r, struct stack_config *c)
{
	uint8_t b = take(r), more = take(r);
	node_config_default(c);
	c->access.neighbours = 16;
	c->access.incomplete_max = 8;
	c->transport.sockets = 32;
	c->transport.connections = c->transport.flights = more & 1 ? 2 : 16;
	c->transport.embryos = more & 2 ? 2 : 16;
	c->transport.time_waits = 16;
	c->transport.sent_ranges = more & 4 ? 24 : 256;
	c->transport.blocks = more & 8 ? 24 : 128;
	c->transport.big_blocks = 0;
	c->transport.datagram_sockets = 4;
	c->transport.backlog_max = 4;
	c->transport.send_buffer = c->transport.receive_buffer = 16 * 1024;
	c->transport.timestamps = b & 1;
	c->transport.sack = b & 2;
	c->transport.window_scaling = b & 4;
	c->transport.syn_cookies = more & 16 ? SYN_COOKIES_ALWAYS : SYN_COOKIES_PRESSURE;
	c->transport.fast_open = b & 8 ? FAST_OPEN_CLIENT_NO_COOKIE | FAST_OPEN_SERVER |
			FAST_OPEN_SERVER_NO_COOKIE | FAST_OPEN_CLIENT
				       : 0;
	c->transport.congestion = (uint8_t)(b >> 4 & 3);
	c->transport.ecn = (uint8_t)((more >> 5 & 7) % ECN_USES);
	r->v6 = b & 64;
}

static void build(struct run *r)
{
	struct stack_config c;
	const char *why = NULL;
	configure(r, &c);
	r->world = world_new(&(struct world_config){ .seed = 1, .start = 1000 * NANO_S });
	r->node = node_new(r->world, "machine", &c, &why);
	if (!r->node)
		fprintf(stderr, "%s\n", why);
	assert(r->node);
	r->port = (struct port){
		.name = "peer", .world = r->world, .receive = receive, .owner = r
	};
	struct link_config cable = { .rate = 0 };
	link_connect(r->world, "cable", node_port(r->node, "eth0"), &r->port, &cable, NULL);
	const char *local = r->v6 ? "2001:db8::1" : "192.0.2.1";
	const char *remote = r->v6 ? "2001:db8::2" : "192.0.2.2";
	addr_parse(span_of(local, strlen(local)), &r->local);
	addr_parse(span_of(remote, strlen(remote)), &r->remote);
	node_address(r->node, "eth0", r->v6 ? "2001:db8::1/64" : "192.0.2.1/24");
	struct mac mac = { { 2, 0, 0, 0, 0, 2 } };
	node_neighbour(r->node, "eth0", &r->remote, &mac);
	invariant_add_builtin(r->world);
	inspect_tcp(r->node);
	struct sock_options o = { .local_port = SERVED, .fast_open = 4 };
	assert(sock_listen(node_use(r->node), &o, &r->held[0].id) == 0);
}

static void tear_down(struct run *r)
{
	for (unsigned i = 0; i < SOCKETS; i++)
		if (r->held[i].id)
			sock_close(node_use(r->node), r->held[i].id);
	pass(r, TEARDOWN);
	const char *left = node_leftover(r->node);
	if (left || world_next(r->world) != NANOTIME_NEVER) {
		fprintf(stderr, "at the end there is %s\n", left ? left : "a timer");
		abort();
	}
	world_free(r->world);
	assert(work_steps() > 0); /* I27 was asked */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct run r = { .in = span_of(data, size) };
	for (unsigned i = 0; i < FLOWS; i++)
		r.flow[i] = (struct flow){
			.ours = SERVED, .theirs = (uint16_t)(1000 + i), .next = 5000
		};
	build(&r);
	for (unsigned i = 0; i < OPS && r.in.len; i++)
		step(&r);
	tear_down(&r);
	return 0;
}
