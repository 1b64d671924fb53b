/*
 * Two applications, one on each machine. A datagram of 16 bytes and more begins
 * with its serial number (2 bytes), its length (2), zero (4) and the hash of all
 * that follows (8); a shorter one is only a pattern, and is compared with all
 * of its length that were sent.
 */
#include "sim/datagram_flows.h"

#include <stdio.h>

#include "sim/faults.h"
#include "wire/icmp.h"

#define HEAD     16u
#define LARGEST  65507u         /* of IPv4 (RFC 768, 791) */
#define EVERY    (2 * NANO_S)   /* after the faults, until there is an answer ... */
#define PATIENCE (150 * NANO_S) /* ... or for so long */
#define SPREAD   (10 * NANO_S)  /* they begin within this time */
#define LASTING  (18 * NANO_S)  /* the planned datagrams of a flow together, at most */

/* ---- bytes ---- */

static uint8_t byte_of(unsigned flow, unsigned way, uint32_t serial, uint32_t at)
{
	uint64_t v = (uint64_t)at * 0x9e3779b97f4a7c15u + serial * 0xbf58476d1ce4e5b9u +
		(flow * 2 + way + 1) * 0x94d049bb133111ebu;
	v ^= v >> 29;
	return (uint8_t)(v * 0xd6e8feb86659fd93u >> 56);
}

static uint64_t hash_of(unsigned flow, unsigned way, const uint8_t *bytes, size_t len)
{
	const struct hash_key key = { { flow, way } };
	uint8_t all[LARGEST + 1];
	/* The head is hashed too, but for the hash's own place. */
	memcpy(all, bytes, 8);
	memcpy(all + 8, bytes + HEAD, len - HEAD);
	return siphash24(&key, span_of(all, len - 8));
}

static void make(uint8_t *bytes, unsigned flow, unsigned way, uint16_t serial, uint32_t len)
{
	for (uint32_t i = 0; i < len; i++)
		bytes[i] = byte_of(flow, way, serial, i);
	if (len < HEAD)
		return;
	store16(bytes, serial);
	store16(bytes + 2, (uint16_t)len);
	store32(bytes + 4, 0);
	uint64_t hash = hash_of(flow, way, bytes, len);
	store32(bytes + 8, (uint32_t)(hash >> 32));
	store32(bytes + 12, (uint32_t)hash);
}

/* ---- what may go wrong ---- */

static void halt(struct datagram_flows *d, unsigned flow, const char *what, uint64_t a, uint64_t b)
{
	world_halt(d->plan.client->world, WORLD_BROKEN, "I05 (datagrams): flow %u: %s: %llu, %llu",
		flow, what, (unsigned long long)a, (unsigned long long)b);
}

/* A short one has to be like one that was sent, of its length. */
static bool short_was_sent(
	const struct datagram_way *w, unsigned flow, unsigned way, const uint8_t *bytes, size_t len)
{
	for (uint32_t s = 0; s < w->count; s++) {
		uint32_t i = 0;
		while (w->len[s] == len && i < len && bytes[i] == byte_of(flow, way, s, i))
			i++;
		if (w->len[s] == len && i == len)
			return true;
	}
	return false;
}

static bool is_intact(unsigned flow, unsigned way, const uint8_t *bytes, size_t len)
{
	uint64_t told = (uint64_t)load32(bytes + 8) << 32 | load32(bytes + 12);
	return hash_of(flow, way, bytes, len) == told;
}

/* Whole, and one that was sent. */
static void check(
	struct datagram_flows *d, unsigned flow, unsigned way, const uint8_t *bytes, size_t len)
{
	const struct datagram_way *w = &d->flow[flow].way[way];
	bool intact = len < HEAD ? short_was_sent(w, flow, way, bytes, len)
				 : is_intact(flow, way, bytes, len);
	if (!intact) {
		d->garbled++;
		if (!d->plan.garbled)
			halt(d, flow, "bytes that were not sent", way, len);
		return;
	}
	d->whole++;
	if (len < HEAD)
		return;
	uint16_t serial = load16(bytes);
	if (serial >= w->count || w->len[serial] != len)
		halt(d, flow, "a datagram that was not sent", serial, len);
}

/* A reader's small buffer: the first bytes of a longer one, which it is told. */
static void check_cut(struct datagram_flows *d, unsigned flow, const struct sock_datagram *from,
	size_t len, size_t cap)
{
	d->cut++;
	if (len != cap || !from->truncated)
		halt(d, flow, "a cut datagram is no whole one", len, cap);
}

static bool may_be(
	const struct datagram_flows *d, const struct addr *is, const struct addr *expected)
{
	return addr_equal(is, expected) ||
		(d->plan.renumbered && addr_is4(is) == addr_is4(expected));
}

/* ---- sizes ---- */

/* The largest that fits the links (MTU 1500). */
static uint32_t most(const struct datagram_flow *f)
{
	return addr_is4(&f->to) ? 1472 : 1452;
}

/* None, few, many, as many as fit, one more, far more. */
static uint32_t draw_len(const struct datagram_flow *f, struct rng *r)
{
	uint32_t any = rng_below(r, most(f) + 1), beyond = rng_below(r, LARGEST - most(f));
	switch (rng_below(r, 12)) {
	case 0: return 0;
	case 1: return 1;
	case 2: return any % 64;
	case 3: return most(f);
	case 4: return most(f) - any % 9;
	case 5: return most(f) + 1 + (any & 1 ? beyond : 0);
	default: return any;
	}
}

/* What a send may say about a length: too much for the link is refused as a whole, and what every
 * host takes is never too much (RFC 1122 3.3.3: 576 bytes). */
static void check_sent(struct datagram_flows *d, unsigned flow, uint32_t len, int64_t took)
{
	const struct datagram_flow *f = &d->flow[flow];
	if (took >= 0 ? took != len || len > most(f)
		      : took == -(int64_t)ERR_TOO_BIG && len <= 576 - 28)
		halt(d, flow, "a length that is taken or refused wrongly", len, (uint64_t)-took);
}

static void send_one(struct datagram_flows *d, unsigned flow, unsigned way, uint32_t len,
	struct stack *s, const struct sock_datagram *answer)
{
	struct datagram_flow *f = &d->flow[flow];
	struct datagram_way *w = &f->way[way];
	uint8_t bytes[LARGEST + 1];
	int64_t took;
	if (w->count == DATAGRAM_SERIAL)
		return;
	make(bytes, flow, way, w->count, len);
	if (way)
		took = sock_send_from(s, d->server_sock, bytes, len, &answer->destination,
			&answer->source, answer->port);
	else if (f->connected)
		took = sock_send_to(s, f->sock, bytes, len, NULL, 0);
	else
		took = sock_send_to(
			s, f->sock, bytes, len, &f->to, (uint16_t)(DATAGRAM_PORT + f->closed));
	check_sent(d, flow, len, took);
	if (took < 0)
		return;
	w->len[w->count++] = (uint16_t)len;
	d->sent++;
}

/* ---- the client ---- */

static void open_client(struct datagram_flow *f, struct datagram_side *side, struct stack *s)
{
	struct sock_peer name;
	const struct sock_options o = { .queue = &side->queue,
		.user = f,
		.local_port = f->port,
		.dont_fragment = rng_below(&f->rng, 4) == 0 };
	f->opened = true;
	f->done = sock_udp(s, &o, &f->sock) < 0;
	if (f->done)
		return;
	if (f->connected &&
		sock_udp_connect(s, f->sock, &f->to, (uint16_t)(DATAGRAM_PORT + f->closed)) < 0)
		f->connected = false; /* its address is gone for now */
	sock_name(s, f->sock, &name, NULL);
	f->port = name.port;
}

/* ICMP about what the flow sent: the destination is the flow's, and only a closed port is told to
 * be one. */
static void hear_error(struct datagram_flows *d, unsigned flow, const struct sock_datagram *from)
{
	struct datagram_flow *f = &d->flow[flow];
	bool v4 = addr_is4(&f->to);
	bool refused = from->icmp_type == (v4 ? ICMP4_UNREACHABLE : ICMP6_UNREACHABLE) &&
		from->icmp_code == (v4 ? 3 : 4);
	bool own = addr_equal(&from->original_destination, &f->to) &&
		from->port == DATAGRAM_PORT + f->closed;
	if (!own && !d->plan.damaged)
		halt(d, flow, "an error about another's datagram", from->port, from->icmp_type);
	if (!refused || !own)
		return;
	d->refused++;
	if (!f->closed && d->server_sock)
		halt(d, flow, "an open port is told to be closed", from->port, from->icmp_code);
	if (!addr_equal(&from->source, &f->to))
		halt(d, flow, "another host tells of a closed port", from->icmp_type, 0);
	f->answered |= d->plan.client->world->now >= d->plan.healed;
}

static void hear_answer(struct datagram_flows *d, unsigned flow, const struct sock_datagram *from,
	const uint8_t *bytes, size_t len, size_t cap)
{
	struct datagram_flow *f = &d->flow[flow];
	if (f->closed || from->port != DATAGRAM_PORT || !addr_equal(&from->source, &f->to) ||
		!may_be(d, &from->destination, &f->own))
		halt(d, flow, "an answer from where none was asked", from->port, len);
	if (cap < DATAGRAM_PIECE && len == cap && from->truncated)
		check_cut(d, flow, from, len, cap);
	else
		check(d, flow, 1, bytes, len);
	f->answered |= d->plan.client->world->now >= d->plan.healed;
}

/* A reader's buffer is seldom too small. */
static size_t draw_cap(struct rng *r)
{
	return rng_below(r, 16) ? DATAGRAM_PIECE : rng_below(r, 64);
}

static void read_client(struct datagram_flows *d, unsigned flow, struct stack *s)
{
	struct datagram_flow *f = &d->flow[flow];
	struct sock_datagram from;
	uint8_t bytes[DATAGRAM_PIECE];
	for (;;) {
		size_t cap = draw_cap(&f->rng);
		int64_t len = sock_recv_from(s, f->sock, bytes, cap, &from);
		if (len < 0)
			return;
		if (from.is_error)
			hear_error(d, flow, &from);
		else
			hear_answer(d, flow, &from, bytes, (size_t)len, cap);
	}
}

/* The planned ones, and after the faults small ones until there is an answer. */
static void write_client(struct datagram_flows *d, unsigned flow, struct stack *s, nanotime now)
{
	struct datagram_flow *f = &d->flow[flow];
	const nanotime healed = d->plan.healed;
	if (now < healed && f->planned) {
		f->planned--;
		send_one(d, flow, 0, draw_len(f, &f->rng), s, NULL);
	} else if (now >= healed) {
		send_one(d, flow, 0, HEAD, s, NULL);
	}
	f->next = now >= healed ? now + EVERY : f->planned ? now + f->pause : healed;
	f->done = f->answered || now >= healed + PATIENCE;
}

static void run_client(struct app *a, struct stack *s, nanotime now)
{
	struct datagram_side *side = list_entry(a, struct datagram_side, app);
	struct datagram_flows *d = side->flows;
	struct sock_event event;
	now = side->node->world->now;
	while (sock_next(s, &side->queue, &event))
		continue;
	for (unsigned i = 0; i < DATAGRAM_FLOWS; i++) {
		struct datagram_flow *f = &d->flow[i];
		if (!f->used || (!f->opened && now < f->next))
			continue;
		if (!f->opened)
			open_client(f, side, s);
		if (f->sock)
			read_client(d, i, s);
		if (!f->done && now >= f->next)
			write_client(d, i, s, now);
	}
}

static nanotime client_deadline(const struct app *a)
{
	const struct datagram_side *side = list_entry(a, struct datagram_side, app);
	nanotime next = NANOTIME_NEVER;
	for (unsigned i = 0; i < DATAGRAM_FLOWS; i++) {
		const struct datagram_flow *f = &side->flows->flow[i];
		if (f->used && !f->done)
			next = nanotime_min(next, f->next);
	}
	return next;
}

/* ---- the server ---- */

/* Who asks is a client that has this port; its bytes tell the flow once more. */
static int flow_of(const struct datagram_flows *d, const struct sock_datagram *from)
{
	for (unsigned i = 0; i < DATAGRAM_FLOWS; i++) {
		const struct datagram_flow *f = &d->flow[i];
		if (f->used && f->opened && f->port == from->port && !f->closed &&
			addr_equal(&from->destination, &f->to) && may_be(d, &from->source, &f->own))
			return (int)i;
	}
	return -1;
}

static void serve_one(struct datagram_flows *d, struct stack *s, const struct sock_datagram *from,
	const uint8_t *bytes, size_t len, size_t cap)
{
	int flow = flow_of(d, from);
	if (from->is_error)
		return;
	if (flow < 0) {
		halt(d, 0, "a datagram from where nobody sent one", from->port, len);
		return;
	}
	struct datagram_flow *f = &d->flow[flow];
	if (cap < DATAGRAM_PIECE && len == cap && from->truncated)
		check_cut(d, (unsigned)flow, from, len, cap);
	else
		check(d, (unsigned)flow, 0, bytes, len);
	bool healed = d->plan.client->world->now >= d->plan.healed;
	uint32_t answer = healed ? HEAD : draw_len(f, &f->server_rng);
	send_one(d, (unsigned)flow, 1, answer, s, from);
}

static void run_server(struct app *a, struct stack *s, nanotime now)
{
	struct datagram_side *side = list_entry(a, struct datagram_side, app);
	struct datagram_flows *d = side->flows;
	struct sock_event event;
	struct sock_datagram from;
	uint8_t bytes[DATAGRAM_PIECE];
	(void)now;
	while (sock_next(s, &side->queue, &event))
		continue;
	while (d->server_sock) {
		size_t cap = draw_cap(&d->flow[0].server_rng);
		int64_t len = sock_recv_from(s, d->server_sock, bytes, cap, &from);
		if (len < 0)
			return;
		serve_one(d, s, &from, bytes, (size_t)len, cap);
	}
}

static void open_server(struct datagram_flows *d)
{
	const struct sock_options o = { .queue = &d->server.queue, .local_port = DATAGRAM_PORT };
	if (sock_udp(node_use(d->plan.server), &o, &d->server_sock) < 0)
		d->server_sock = 0;
}

/* ---- all of it ---- */

static void draw_flow(struct datagram_flows *d, unsigned index)
{
	const struct world *w = d->plan.client->world;
	struct datagram_flow *f = &d->flow[index];
	char name[24];
	snprintf(name, sizeof name, "datagrams %u", index);
	world_rng(w, name, "client", &f->rng);
	world_rng(w, name, "server", &f->server_rng);
	if (!(d->plan.flows >> index & 1))
		return;
	bool v4 = rng_below(&f->rng, 2);
	f->used = true;
	f->to = v4 ? d->plan.to4 : d->plan.to6;
	f->own = v4 ? d->plan.own4 : d->plan.own6;
	f->closed = rng_below(&f->rng, 4) == 0;
	f->connected = rng_below(&f->rng, 2);
	f->planned = 1 + rng_below(&f->rng, 1u << rng_below(&f->rng, 7));
	f->pause = LASTING * (nanodiff)rng_below(&f->rng, 1000) / 1000 / f->planned;
	f->next = w->now + SPREAD / 1000 * (nanodiff)rng_below(&f->rng, 1000);
}

static void start_side(struct datagram_flows *d, struct datagram_side *side, struct node *n)
{
	side->flows = d;
	side->node = n;
	sock_queue_init(&side->queue);
	node_add_app(n, &side->app);
}

void datagram_flows_start(struct datagram_flows *d, const struct datagram_plan *p)
{
	*d = (struct datagram_flows){ .plan = *p };
	if (!p->flows)
		return;
	for (unsigned i = 0; i < DATAGRAM_FLOWS; i++)
		draw_flow(d, i);
	d->client.app = (struct app){ .run = run_client, .deadline = client_deadline };
	d->server.app = (struct app){ .run = run_server };
	start_side(d, &d->client, p->client);
	start_side(d, &d->server, p->server);
	open_server(d);
}

void datagram_flows_rebooted(struct datagram_flows *d, bool server)
{
	if (!d->plan.flows)
		return;
	sock_queue_init(server ? &d->server.queue : &d->client.queue);
	if (server) {
		open_server(d);
		return;
	}
	for (unsigned i = 0; i < DATAGRAM_FLOWS; i++) {
		struct datagram_flow *f = &d->flow[i];
		if (f->used && f->opened && f->sock) {
			f->sock = 0;
			open_client(f, &d->client, node_use(d->plan.client));
		}
	}
}

bool datagram_flows_done(const struct datagram_flows *d)
{
	for (unsigned i = 0; i < DATAGRAM_FLOWS; i++)
		if (d->flow[i].used && !d->flow[i].done)
			return false;
	return true;
}

void datagram_flows_close(struct datagram_flows *d)
{
	if (!d->plan.flows)
		return;
	for (unsigned i = 0; i < DATAGRAM_FLOWS; i++) {
		struct datagram_flow *f = &d->flow[i];
		if (f->sock)
			sock_close(node_use(d->plan.client), f->sock);
		f->sock = 0;
		f->done = true;
	}
	if (d->server_sock)
		sock_close(node_use(d->plan.server), d->server_sock);
	d->server_sock = 0;
}

const char *datagram_flows_judge(const struct datagram_flows *d, char *text, size_t cap)
{
	for (unsigned i = 0; i < DATAGRAM_FLOWS; i++) {
		const struct datagram_flow *f = &d->flow[i];
		if (!f->used || f->answered)
			continue;
		snprintf(text, cap,
			"I05 (datagrams): flow %u: no %s after the faults; %u sent, %u answered", i,
			f->closed ? "closed port was told of" : "answer", f->way[0].count,
			f->way[1].count);
		return text;
	}
	return NULL;
}
