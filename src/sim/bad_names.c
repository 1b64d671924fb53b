/*
 * Each query draws what becomes of it. Late answers wait in a small ring and are
 * dropped where it is full. Over TCP one message is read at a time, and the
 * answer is written where it has room.
 */
#include "sim/bad_names.h"

#define MESSAGE_MAX 512
#define LATE        32
#define CALLERS     4
#define FORGERIES   5
#define LATE_MOST   20000 /* milliseconds */

enum ill {
	ILL_NOT,
	ILL_FAILS,   /* SERVFAIL */
	ILL_REFUSES, /* REFUSED, or NOTIMP */
	ILL_LAME,    /* knows of no such zone: no record, no authority */
	ILL_CUTS,    /* TC over UDP; over TCP it answers, or does not */
	ILL_LATE,
	ILL_SILENT,
	ILL_RACED,  /* by forgers */
	ILL_BREAKS, /* a message that ends early */
	ILLS
};

struct late {
	nanotime due; /* 0: free */
	struct addr from, to;
	uint16_t port, len;
	uint8_t message[MESSAGE_MAX];
};

struct caller {
	sock_id sock; /* 0: none */
	size_t received;
	uint8_t query[2 + MESSAGE_MAX];
};

struct bad_names {
	struct app app;
	struct node *node;
	struct bad_names_config config;
	struct sock_queue queue;
	struct rng rng;
	sock_id udp, listener;
	struct late late[LATE];
	struct caller caller[CALLERS];
};

static bool ill_now(const struct bad_names *b, nanotime now)
{
	return now >= b->config.when.from && now < b->config.when.until;
}

/* ---- answers ---- */

static void put_address(struct dns_builder *m, const struct dns_name *owner, uint16_t type,
	const struct addr *address, uint32_t ttl, enum dns_section section)
{
	const struct dns_record r = { .owner = *owner,
		.type = type,
		.class = DNS_CLASS_IN,
		.ttl = ttl,
		.decoded = true,
		.address = *address };
	dns_build_record(m, section, &r);
}

/* A name that nobody asked for, and an address that is not its own: for caches without care. */
static void put_stranger(struct dns_builder *m, const struct bad_names *b,
	const struct dns_name *asked, enum dns_section section)
{
	struct dns_name other;
	dns_name_parse(span_of("a0.example", 10), &other);
	if (dns_name_equal(&other, asked))
		dns_name_parse(span_of("a1.example", 10), &other);
	put_address(m, &other, DNS_TYPE_A, &b->config.forged, 3600, section);
}

/* Some forger's message, who saw the question but not the ID, or the ID but not the question. */
static size_t forge(struct bad_names *b, const struct dns_message *q, uint8_t *out)
{
	struct dns_question asked = q->question;
	const struct dns_header h = { .id = (uint16_t)(q->header.id + 1 +
					      rng_below(&b->rng, 65534)),
		.response = true,
		.authoritative = true,
		.recursion_available = true };
	struct dns_builder m;
	dns_build_begin(&m, out, MESSAGE_MAX, &h, NULL);
	if (rng_below(&b->rng, 3) == 0) {
		m.header.id = q->header.id;
		dns_name_parse(span_of("a1.forged.example", 17), &asked.name);
	}
	dns_build_question(&m, &asked);
	put_address(&m, &q->question.name, DNS_TYPE_A, &b->config.forged, 3600, DNS_ANSWER);
	return dns_build_end(&m);
}

static size_t answer(struct bad_names *b, const struct dns_message *q, enum ill ill, uint8_t *out)
{
	const struct dns_header h = { .id = q->header.id,
		.response = true,
		.authoritative = ill != ILL_LAME,
		.recursion_desired = q->header.recursion_desired,
		.recursion_available = true };
	const struct dns_name *name = &q->question.name;
	struct dns_edns edns = { .udp_size = MESSAGE_MAX };
	struct dns_builder m;
	dns_build_begin(&m, out, MESSAGE_MAX, &h, q->has_edns ? &edns : NULL);
	dns_build_question(&m, &q->question);
	bool known = name->len > 1 && (name->b[1] | 0x20) == 'a';
	switch (ill) {
	case ILL_FAILS: m.header.rcode = DNS_RCODE_SERVFAIL; break;
	case ILL_REFUSES:
		m.header.rcode = rng_below(&b->rng, 2) ? DNS_RCODE_REFUSED : DNS_RCODE_NOTIMP;
		break;
	case ILL_LAME: break;
	case ILL_CUTS: m.header.truncated = true; break;
	default:
		if (!known)
			m.header.rcode = DNS_RCODE_NXDOMAIN;
		else if (q->question.type == DNS_TYPE_A)
			put_address(&m, name, DNS_TYPE_A, &b->config.a, b->config.ttl, DNS_ANSWER);
		else if (q->question.type == DNS_TYPE_AAAA)
			put_address(&m, name, DNS_TYPE_AAAA, &b->config.aaaa, b->config.ttl,
				DNS_ANSWER);
		if (ill == ILL_RACED)
			put_stranger(
				&m, b, name, rng_below(&b->rng, 2) ? DNS_ANSWER : DNS_ADDITIONAL);
		break;
	}
	size_t len = dns_build_end(&m);
	return ill == ILL_BREAKS ? rng_below(&b->rng, (uint32_t)len) : len;
}

static bool readable(struct span query, struct dns_message *q)
{
	*q = (struct dns_message){ .trailing = 0 };
	return dns_message_parse(query, q) == DROP_NONE && !q->header.response &&
		q->header.count[DNS_QUESTION] == 1;
}

static enum ill draw(struct bad_names *b, nanotime now)
{
	if (!ill_now(b, now) || rng_below(&b->rng, 4) == 0)
		return ILL_NOT;
	return (enum ill)rng_below(&b->rng, ILLS);
}

/* ---- UDP ---- */

static void keep(struct bad_names *b, const struct sock_datagram *d, const uint8_t *message,
	size_t len, nanotime due)
{
	for (unsigned i = 0; i < LATE; i++) {
		struct late *l = &b->late[i];
		if (l->due)
			continue;
		*l = (struct late){ .due = due,
			.from = d->destination,
			.to = d->source,
			.port = d->port,
			.len = (uint16_t)len };
		memcpy(l->message, message, len);
		return;
	}
}

static void serve_datagram(struct bad_names *b, struct stack *s, const struct sock_datagram *d,
	struct span query, nanotime now)
{
	uint8_t message[MESSAGE_MAX];
	struct dns_message q;
	if (!readable(query, &q))
		return;
	enum ill ill = draw(b, now);
	if (ill == ILL_SILENT)
		return;
	for (unsigned i = 0; i < FORGERIES && ill == ILL_RACED; i++)
		sock_send_from(s, b->udp, message, forge(b, &q, message), &d->destination,
			&d->source, d->port);
	size_t len = answer(b, &q, ill, message);
	if (ill == ILL_LATE)
		keep(b, d, message, len, now + (1 + rng_below(&b->rng, LATE_MOST)) * NANO_MS);
	else
		sock_send_from(s, b->udp, message, len, &d->destination, &d->source, d->port);
}

static void serve_datagrams(struct bad_names *b, struct stack *s, nanotime now)
{
	uint8_t query[MESSAGE_MAX];
	struct sock_datagram d;
	int64_t n;
	while ((n = sock_recv_from(s, b->udp, query, sizeof query, &d)) >= 0)
		if (!d.is_error && !d.truncated)
			serve_datagram(b, s, &d, span_of(query, (size_t)n), now);
}

static void send_late(struct bad_names *b, struct stack *s, nanotime now)
{
	for (unsigned i = 0; i < LATE; i++) {
		struct late *l = &b->late[i];
		if (!l->due || l->due > now)
			continue;
		sock_send_from(s, b->udp, l->message, l->len, &l->from, &l->to, l->port);
		l->due = 0;
	}
}

/* ---- TCP ---- */

static void hang_up(struct stack *s, struct caller *c)
{
	sock_close(s, c->sock);
	c->sock = 0;
}

/* 1: `want` bytes are there; 0: not yet; -1: it is over. */
static int fill(struct stack *s, struct caller *c, size_t want)
{
	while (c->received < want) {
		int64_t n = sock_read(s, c->sock, c->query + c->received, want - c->received);
		if (n == -ERR_AGAIN)
			return 0;
		if (n <= 0)
			return -1;
		c->received += (size_t)n;
	}
	return 1;
}

static void serve_caller(struct bad_names *b, struct stack *s, struct caller *c, nanotime now)
{
	uint8_t message[2 + MESSAGE_MAX];
	struct dns_message q;
	for (;;) {
		int step = fill(s, c, 2);
		size_t len = load16(c->query);
		if (step > 0)
			step = len > MESSAGE_MAX ? -1 : fill(s, c, 2 + len);
		if (step > 0 && !readable(span_of(c->query + 2, len), &q))
			step = -1;
		if (step < 0)
			hang_up(s, c);
		if (step <= 0)
			return;
		c->received = 0;
		enum ill ill = draw(b, now);
		if (ill == ILL_SILENT || ill == ILL_LATE)
			continue;
		size_t n = answer(b, &q, ill == ILL_CUTS ? ILL_NOT : ill, message + 2);
		store16(message, (uint16_t)n);
		if (sock_write(s, c->sock, message, 2 + n) != (int64_t)(2 + n))
			sock_want_room(s, c->sock); /* the asker's patience ends it */
	}
}

static void accept_callers(struct bad_names *b, struct stack *s, nanotime now)
{
	struct sock_peer peer;
	sock_id id;
	while (sock_accept(s, b->listener, &b->queue, NULL, &id, &peer) == 0) {
		struct caller *free = NULL;
		for (unsigned i = 0; i < CALLERS; i++)
			if (!b->caller[i].sock)
				free = &b->caller[i];
		if (!free) {
			sock_abort(s, id);
			continue;
		}
		free->sock = id;
		free->received = 0;
		sock_attach(s, id, &b->queue, free);
		serve_caller(b, s, free, now);
	}
}

/* ---- the application ---- */

static void run(struct app *a, struct stack *s, nanotime now)
{
	struct bad_names *b = list_entry(a, struct bad_names, app);
	struct sock_event e;
	now = b->node->world->now;
	while (sock_next(s, &b->queue, &e)) {
		struct caller *c = e.user;
		if (e.id == b->udp)
			serve_datagrams(b, s, now);
		else if (e.id == b->listener)
			accept_callers(b, s, now);
		else if (c && c->sock == e.id)
			serve_caller(b, s, c, now);
	}
	send_late(b, s, now);
}

static nanotime deadline(const struct app *a)
{
	const struct bad_names *b = list_entry(a, struct bad_names, app);
	nanotime next = NANOTIME_NEVER;
	for (unsigned i = 0; i < LATE; i++)
		if (b->late[i].due)
			next = nanotime_min(next, b->late[i].due);
	return next;
}

struct bad_names *bad_names_new(struct node *n, const struct bad_names_config *c)
{
	struct bad_names *b = world_alloc(n->world, sizeof *b);
	struct stack *s = node_use(n);
	sock_queue_init(&b->queue);
	const struct sock_options o = { .queue = &b->queue, .local_port = DNS_PORT };
	b->node = n;
	b->config = *c;
	b->app.run = run;
	b->app.deadline = deadline;
	world_rng(n->world, n->name, "names", &b->rng);
	if (sock_udp(s, &o, &b->udp) < 0 || sock_listen(s, &o, &b->listener) < 0) {
		sock_close(s, b->udp);
		return NULL;
	}
	node_add_app(n, &b->app);
	return b;
}

void bad_names_stop(struct bad_names *b)
{
	struct stack *s = node_use(b->node);
	sock_close(s, b->udp);
	sock_close(s, b->listener);
	for (unsigned i = 0; i < CALLERS; i++)
		if (b->caller[i].sock)
			hang_up(s, &b->caller[i]);
	memset(b->late, 0, sizeof b->late);
}
