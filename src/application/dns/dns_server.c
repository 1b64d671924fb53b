/*
 * A response is built in one go from the query and the zones; nothing is
 * remembered of a query but, where the server is configured to be slow, the
 * query itself until its time has come. A TCP connection holds one query being
 * read; its response is built when the whole of it fits into the send queue, so
 * no response is ever stored. All connections have the same idle time, so the
 * list of them by last use is also the list by deadline.
 */
#include "application/dns/dns_server.h"

#define QUERY_MAX   1024 /* over TCP, and delayed; a query has one name */
#define DELAYED_MAX 64
#define ALIASES_MAX 16

#define TYPE_IXFR 251
#define TYPE_AXFR 252

struct connection {
	struct list link; /* in `open` by last use, or in `closed` */
	sock_id sock;
	nanotime deadline;
	size_t received;
	uint8_t query[2 + QUERY_MAX];
};

struct delayed {
	nanotime due;
	struct addr from, to;
	uint16_t port;
	uint16_t len;
	uint8_t query[QUERY_MAX];
};

struct dns_server {
	struct app app;
	struct dns_server_config config;
	struct dns_server_counters counters;
	struct sock_queue queue;
	sock_id udp, listener;
	struct list open, closed;
	uint8_t *scratch; /* one message, with its length before it */
	size_t scratch_size;
	struct delayed *delayed; /* a ring */
	unsigned delayed_first, delayed_count;
};

/* ---- the response ---- */

struct response {
	struct dns_builder b;
	struct dns_server *d;
	uint16_t type;
};

static const struct zone *zone_of(const struct dns_server *d, const struct dns_name *name)
{
	const struct zone *best = NULL;
	for (unsigned i = 0; i < d->config.zones; i++) {
		const struct zone *z = d->config.zone[i];
		if (dns_name_within(name, &z->origin) &&
			(!best || z->origin.len > best->origin.len))
			best = z;
	}
	return best;
}

/* Writes a record under the name that was asked: a wildcard's owner, and the asker's case. */
static bool put(struct response *r, enum dns_section section, const struct dns_name *owner,
	const struct dns_record *record)
{
	struct dns_record copy = *record;
	copy.owner = *owner;
	return dns_build_record(&r->b, section, &copy);
}

/* The SOA of a "no", with the TTL that the "no" may be kept (RFC 2308 3). */
static void put_absence(struct response *r, const struct zone *z)
{
	struct dns_record soa = *zone_soa(z);
	if (soa.soa.minimum < soa.ttl)
		soa.ttl = soa.soa.minimum;
	dns_build_record(&r->b, DNS_AUTHORITY, &soa);
}

/* Addresses of what the answers point to, as far as there is room (RFC 1034 4.3.2 step 6). */
static void put_addresses(struct response *r, const struct dns_name *target)
{
	const struct zone *z = zone_of(r->d, target);
	struct zone_match match = z ? zone_find(z, target) : (struct zone_match){ 0 };

	if (!match.node)
		return;
	for (const struct zone_record *i = match.node->records; i; i = i->next)
		if (i->record.type == DNS_TYPE_A || i->record.type == DNS_TYPE_AAAA)
			put(r, DNS_ADDITIONAL, target, &i->record);
}

static const struct dns_name *target_of(const struct dns_record *record)
{
	if (!record->decoded)
		return NULL;
	switch (record->type) {
	case DNS_TYPE_NS: return &record->name;
	case DNS_TYPE_MX: return &record->mx.exchange;
	case DNS_TYPE_SRV: return &record->srv.target;
	default: return NULL;
	}
}

/* The records of one name; false where there are none of the type. */
static bool put_records(
	struct response *r, const struct dns_name *name, const struct zone_record *first)
{
	/* RFC 8482 4.1: ANY is answered with one record set that is there. */
	uint16_t type = r->type == DNS_TYPE_ANY && first ? first->record.type : r->type;
	const struct zone_record *found = zone_next(first, type);

	for (const struct zone_record *i = found; i; i = zone_next(i->next, type))
		if (!put(r, DNS_ANSWER, name, &i->record))
			return true;
	for (const struct zone_record *i = found; i; i = zone_next(i->next, type))
		if (target_of(&i->record))
			put_addresses(r, target_of(&i->record));
	return found != NULL;
}

/* RFC 1034 4.3.2, from zone to zone as aliases lead. The response code. */
static uint8_t answer(struct response *r, const struct zone *z, struct dns_name name)
{
	for (unsigned aliases = 0;; aliases++) {
		struct zone_match match = zone_find(z, &name);
		if (!match.node) {
			put_absence(r, z);
			return DNS_RCODE_NXDOMAIN;
		}
		const struct zone_record *alias = zone_next(match.node->records, DNS_TYPE_CNAME);
		if (!alias || r->type == DNS_TYPE_CNAME || r->type == DNS_TYPE_ANY) {
			if (!put_records(r, &name, match.node->records))
				put_absence(r, z);
			return DNS_RCODE_NOERROR;
		}
		if (!put(r, DNS_ANSWER, &name, &alias->record) || aliases == ALIASES_MAX)
			return DNS_RCODE_NOERROR;
		name = alias->record.name;
		z = zone_of(r->d, &name);
		if (!z)
			return DNS_RCODE_NOERROR; /* the asker follows */
	}
}

/* What a query is worth: NOERROR, or the code that refuses it. */
static uint16_t judge(const struct dns_message *m, enum drop fault)
{
	if (m->header.opcode != DNS_OPCODE_QUERY)
		return DNS_RCODE_NOTIMP;
	if (fault != DROP_NONE || m->header.count[DNS_QUESTION] != 1)
		return DNS_RCODE_FORMERR;
	if (m->has_edns && m->edns.version != 0)
		return DNS_RCODE_BADVERS;
	if (m->question.class != DNS_CLASS_IN || m->question.type == TYPE_AXFR ||
		m->question.type == TYPE_IXFR)
		return DNS_RCODE_REFUSED;
	return DNS_RCODE_NOERROR;
}

static size_t response_limit(
	const struct dns_server *d, const struct dns_message *m, bool tcp, size_t cap)
{
	size_t limit = DNS_UDP_MAX;

	if (tcp)
		return cap;
	if (m->has_edns && m->edns.udp_size > limit)
		limit = m->edns.udp_size;
	if (limit > d->config.udp_max)
		limit = d->config.udp_max;
	return limit < cap ? limit : cap;
}

static void count(struct dns_server *d, uint16_t code, bool truncated)
{
	d->counters.answers++;
	d->counters.truncated += truncated;
	d->counters.refused += code == DNS_RCODE_REFUSED;
	d->counters.malformed += code == DNS_RCODE_FORMERR;
}

size_t dns_server_respond(
	struct dns_server *d, struct span query, bool tcp, uint8_t *out, size_t cap)
{
	struct dns_message m = { 0 };
	enum drop fault = dns_message_parse(query, &m);

	if (query.len < DNS_HEADER || m.header.response) { /* never answer an answer */
		d->counters.ignored++;
		return 0;
	}
	d->counters.queries++;
	d->counters.tcp_queries += tcp;
	uint16_t code = judge(&m, fault);
	const struct zone *z = code == DNS_RCODE_NOERROR ? zone_of(d, &m.question.name) : NULL;
	if (code == DNS_RCODE_NOERROR && !z)
		code = DNS_RCODE_REFUSED;

	struct dns_header h = { .id = m.header.id,
		.response = true,
		.opcode = m.header.opcode,
		.authoritative = z != NULL,
		.recursion_desired = m.header.recursion_desired,
		.recursion_available = d->config.recursion_available };
	struct dns_edns edns = { .udp_size = d->config.udp_max,
		.rcode_high = (uint8_t)(code >> 4) };
	struct response r = { .d = d, .type = m.question.type };
	dns_build_begin(&r.b, out, response_limit(d, &m, tcp, cap), &h, m.has_edns ? &edns : NULL);
	if (fault == DROP_NONE && m.header.count[DNS_QUESTION] == 1)
		dns_build_question(&r.b, &m.question);
	if (z)
		code = answer(&r, z, m.question.name);
	r.b.header.rcode = code & 15;
	count(d, code, r.b.header.truncated);
	return dns_build_end(&r.b);
}

/* ---- UDP ---- */

/* Ports whose owners answer whatever comes: two of a kind would talk for ever (attack UDP-03). */
static bool reflects(uint16_t port)
{
	switch (port) {
	case 0:
	case 7:
	case 13:
	case 17:
	case 19:
	case 37: return true;
	default: return false;
	}
}

/* From the address that was asked: the asker takes an answer from no other. */
static void send_udp(struct dns_server *d, struct stack *s, struct span query,
	const struct addr *from, const struct addr *to, uint16_t port)
{
	size_t len = dns_server_respond(d, query, false, d->scratch, d->scratch_size);
	if (len > 0 && sock_send_from(s, d->udp, d->scratch, len, from, to, port) < 0)
		d->counters.dropped++;
}

static void delay(
	struct dns_server *d, struct span query, const struct sock_datagram *from, nanotime now)
{
	if (query.len > QUERY_MAX || d->delayed_count == DELAYED_MAX) {
		d->counters.dropped++;
		return;
	}
	struct delayed *w = &d->delayed[(d->delayed_first + d->delayed_count++) % DELAYED_MAX];
	w->due = now + d->config.delay;
	w->from = from->destination;
	w->to = from->source;
	w->port = from->port;
	w->len = (uint16_t)query.len;
	memcpy(w->query, query.at, query.len);
}

static void read_udp(struct dns_server *d, struct stack *s, nanotime now)
{
	uint8_t query[DNS_EDNS_UDP_SIZE];
	struct sock_datagram from;
	int64_t n;

	while ((n = sock_recv_from(s, d->udp, query, sizeof query, &from)) >= 0) {
		if (from.is_error)
			continue;
		struct span bytes = span_of(query, (size_t)n);
		if (from.truncated || reflects(from.port))
			d->counters.ignored++;
		else if (d->config.delay > 0)
			delay(d, bytes, &from, now);
		else
			send_udp(d, s, bytes, &from.destination, &from.source, from.port);
	}
}

static void send_delayed(struct dns_server *d, struct stack *s, nanotime now)
{
	while (d->delayed_count > 0 && d->delayed[d->delayed_first].due <= now) {
		struct delayed *w = &d->delayed[d->delayed_first];
		send_udp(d, s, span_of(w->query, w->len), &w->from, &w->to, w->port);
		d->delayed_first = (d->delayed_first + 1) % DELAYED_MAX;
		d->delayed_count--;
	}
}

/* ---- TCP ---- */

static void close_connection(struct dns_server *d, struct stack *s, struct connection *c)
{
	sock_close(s, c->sock);
	c->sock = 0;
	list_remove(&c->link);
	list_push_back(&d->closed, &c->link);
}

/* Reads until `want` bytes are there. 1: they are; 0: not yet; -1: over. */
static int fill(struct stack *s, struct connection *c, size_t want)
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

/* Answers the query in the connection's buffer. 0: the send queue has no room for it yet. */
static int reply(struct dns_server *d, struct stack *s, struct connection *c)
{
	struct span query = span_of(c->query + 2, c->received - 2);

	/* Room for the largest answer, so that none is built in vain. */
	if (sock_room(s, c->sock) < 2u + d->config.tcp_message_max) {
		sock_want_room(s, c->sock);
		return 0;
	}
	size_t len = dns_server_respond(d, query, true, d->scratch + 2, d->config.tcp_message_max);
	if (len == 0)
		return -1;
	store16(d->scratch, (uint16_t)len);
	return sock_write(s, c->sock, d->scratch, 2 + len) == (int64_t)(2 + len) ? 1 : -1;
}

static void serve(struct dns_server *d, struct stack *s, struct connection *c, nanotime now)
{
	for (;;) {
		int step = fill(s, c, 2);
		size_t len = load16(c->query);
		if (step > 0)
			step = len < DNS_HEADER || len > QUERY_MAX ? -1 : fill(s, c, 2 + len);
		if (step > 0)
			step = reply(d, s, c);
		if (step < 0)
			close_connection(d, s, c);
		if (step <= 0)
			return;
		c->received = 0;
		c->deadline = now + d->config.tcp_idle;
		list_remove(&c->link);
		list_push_back(&d->open, &c->link);
	}
}

static void accept_connections(struct dns_server *d, struct stack *s, nanotime now)
{
	struct sock_peer peer;
	sock_id sock;

	while (sock_accept(s, d->listener, &d->queue, NULL, &sock, &peer) == 0) {
		if (list_empty(&d->closed)) /* the one that was silent longest makes room */
			close_connection(d, s, list_entry(d->open.next, struct connection, link));
		struct connection *c = list_entry(d->closed.next, struct connection, link);
		list_remove(&c->link);
		list_push_back(&d->open, &c->link);
		c->sock = sock;
		c->received = 0;
		c->deadline = now + d->config.tcp_idle;
		sock_attach(s, sock, &d->queue, c);
		sock_set_nodelay(s, sock, true);
		serve(d, s, c, now); /* what came before it was ours */
	}
}

/* ---- the application ---- */

static void run(struct app *a, struct stack *s, nanotime now)
{
	struct dns_server *d = list_entry(a, struct dns_server, app);
	struct sock_event e;

	while (sock_next(s, &d->queue, &e)) {
		struct connection *c = e.user;
		if (e.id == d->udp)
			read_udp(d, s, now);
		else if (e.id == d->listener)
			accept_connections(d, s, now);
		else if (c && c->sock == e.id)
			serve(d, s, c, now);
	}
	send_delayed(d, s, now);
	while (!list_empty(&d->open)) {
		struct connection *c = list_entry(d->open.next, struct connection, link);
		if (now < c->deadline)
			break;
		close_connection(d, s, c);
	}
}

static nanotime deadline(const struct app *a)
{
	const struct dns_server *d = list_entry(a, const struct dns_server, app);
	nanotime first = NANOTIME_NEVER;

	if (!list_empty(&d->open))
		first = list_entry(d->open.next, struct connection, link)->deadline;
	if (d->delayed_count > 0)
		first = nanotime_min(first, d->delayed[d->delayed_first].due);
	return first;
}

void dns_server_config_default(struct dns_server_config *c)
{
	*c = (struct dns_server_config){
		.port = DNS_PORT,
		.udp_max = DNS_EDNS_UDP_SIZE,
		.tcp_connections = 16,
		.tcp_message_max = 16384,
		.tcp_idle = 10 * NANO_S,
	};
}

const char *dns_server_config_check(const struct dns_server_config *c)
{
	if (c->port == 0)
		return "DNS server: port is 0";
	if (c->zones == 0)
		return "DNS server: no zone";
	for (unsigned i = 0; i < c->zones; i++)
		if (zone_check(c->zone[i]))
			return zone_check(c->zone[i]);
	if (c->udp_max < DNS_UDP_MAX)
		return "DNS server: udp_max must be at least 512 (RFC 1035 2.3.4)";
	if (c->tcp_connections > 0 &&
		(c->tcp_message_max < DNS_UDP_MAX || c->tcp_message_max > UINT16_MAX))
		return "DNS server: tcp_message_max must be 512 to 65535";
	if (c->tcp_idle <= 0 || c->delay < 0)
		return "DNS server: a time is negative";
	return NULL;
}

static const char *open_sockets(struct dns_server *d, struct stack *s)
{
	struct sock_options o = {
		.queue = &d->queue, .local = d->config.address, .local_port = d->config.port
	};

	if (sock_udp(s, &o, &d->udp) < 0)
		return "DNS server: UDP port can't be had";
	if (d->config.tcp_connections == 0)
		return NULL;
	o.send_buffer = 2u + d->config.tcp_message_max;
	if (sock_listen(s, &o, &d->listener) < 0) {
		sock_close(s, d->udp);
		return "DNS server: TCP port can't be had";
	}
	return NULL;
}

struct dns_server *dns_server_create(
	const struct dns_server_config *c, struct stack *s, struct arena *arena, const char **why)
{
	*why = dns_server_config_check(c);
	if (*why)
		return NULL;

	size_t largest = c->tcp_connections && c->tcp_message_max > c->udp_max ? c->tcp_message_max
									       : c->udp_max;
	struct dns_server *d = arena_take(arena, sizeof *d, _Alignof(struct dns_server));
	uint8_t *scratch = arena_take(arena, 2 + largest, 8);
	struct connection *connection = arena_take(
		arena, c->tcp_connections * sizeof *connection, _Alignof(struct connection));
	struct delayed *delayed = arena_take(
		arena, c->delay > 0 ? DELAYED_MAX * sizeof *delayed : 0, _Alignof(struct delayed));
	if (!d || !scratch || !connection || !delayed) {
		*why = "DNS server: not enough memory";
		return NULL;
	}
	*d = (struct dns_server){ .app = { .run = run, .deadline = deadline },
		.config = *c,
		.scratch = scratch,
		.scratch_size = 2 + largest,
		.delayed = delayed };
	list_init(&d->app.link);
	list_init(&d->open);
	list_init(&d->closed);
	sock_queue_init(&d->queue);
	for (uint32_t i = 0; i < c->tcp_connections; i++)
		list_push_back(&d->closed, &connection[i].link);
	*why = open_sockets(d, s);
	return *why ? NULL : d;
}

struct app *dns_server_app(struct dns_server *d)
{
	return &d->app;
}

const struct dns_server_counters *dns_server_counters(const struct dns_server *d)
{
	return &d->counters;
}
