/*
 * A name server that says what a test tells it to: each query goes to the test's
 * `say`, which may send any bytes from the server's port or from another one.
 */
#ifndef STRATA_TESTS_PUPPET_H
#define STRATA_TESTS_PUPPET_H

#include "support/duo.h"

#include "application/dns/resolver.h"

struct puppet {
	struct app app;
	struct duo_host *host;
	struct sock_queue queue;
	sock_id udp, other, listener, tcp;
	uint8_t tcp_query[1024];
	size_t tcp_len;
	bool tcp_slow; /* one byte at a time */
	uint8_t tcp_out[4096];
	size_t tcp_out_len, tcp_out_at;
	unsigned queries;
	/* The query at hand */
	bool over_tcp;
	struct addr from;
	uint16_t from_port;
	struct dns_message query;
	void (*say)(struct puppet *p);
	unsigned step; /* the test's */
};

static inline void puppet_send(struct puppet *p, const uint8_t *bytes, size_t len)
{
	struct stack *s = duo_use(p->host);
	if (!p->over_tcp) {
		assert_int_equal(sock_send_to(s, p->udp, bytes, len, &p->from, p->from_port), len);
		return;
	}
	assert_true(p->tcp_out_len + 2 + len <= sizeof p->tcp_out);
	store16(p->tcp_out + p->tcp_out_len, (uint16_t)len);
	memcpy(p->tcp_out + p->tcp_out_len + 2, bytes, len);
	p->tcp_out_len += 2 + len;
}

/* A builder of the response to the query at hand: change its header, add records, puppet_end. */
static inline void puppet_begin(struct puppet *p, struct dns_builder *b, uint8_t *out, size_t cap)
{
	struct dns_header h = { .id = p->query.header.id,
		.response = true,
		.recursion_desired = true,
		.recursion_available = true };
	dns_build_begin(b, out, cap, &h, NULL);
	assert_true(dns_build_question(b, &p->query.question));
}

static inline void puppet_end(struct puppet *p, struct dns_builder *b)
{
	size_t len = dns_build_end(b);
	assert_true(len > 0);
	puppet_send(p, b->w.start, len);
}

static inline struct dns_name name_of(const char *text)
{
	struct dns_name name;
	assert_true(dns_name_parse(text_span_of(text), &name));
	return name;
}

static inline void add_a(struct dns_builder *b, const char *owner, const char *a, uint32_t ttl)
{
	struct dns_record r = { .owner = name_of(owner),
		.class = DNS_CLASS_IN,
		.ttl = ttl,
		.decoded = true,
		.address = address(a) };
	r.type = addr_is4(&r.address) ? DNS_TYPE_A : DNS_TYPE_AAAA;
	assert_true(dns_build_record(b, DNS_ANSWER, &r));
}

static inline void add_cname(struct dns_builder *b, const char *owner, const char *to, uint32_t ttl)
{
	struct dns_record r = { .owner = name_of(owner),
		.type = DNS_TYPE_CNAME,
		.class = DNS_CLASS_IN,
		.ttl = ttl,
		.decoded = true,
		.name = name_of(to) };
	assert_true(dns_build_record(b, DNS_ANSWER, &r));
}

static inline void add_soa(struct dns_builder *b, const char *owner, uint32_t ttl, uint32_t minimum)
{
	struct dns_record r = { .owner = name_of(owner),
		.type = DNS_TYPE_SOA,
		.class = DNS_CLASS_IN,
		.ttl = ttl,
		.decoded = true };
	r.soa.primary = r.soa.mailbox = name_of("ns.example.test");
	r.soa.minimum = minimum;
	assert_true(dns_build_record(b, DNS_AUTHORITY, &r));
}

/* The plain right answer: 192.0.2.80 or 2001:db8::80 for the name that was asked. */
static inline void puppet_answer(struct puppet *p)
{
	uint8_t out[1024];
	struct dns_builder b;
	struct dns_record r = { .owner = p->query.question.name,
		.type = p->query.question.type,
		.class = DNS_CLASS_IN,
		.ttl = 300,
		.decoded = true };

	r.address = address(r.type == DNS_TYPE_A ? "192.0.2.80" : "2001:db8::80");
	puppet_begin(p, &b, out, sizeof out);
	if (r.type == DNS_TYPE_A || r.type == DNS_TYPE_AAAA)
		assert_true(dns_build_record(&b, DNS_ANSWER, &r));
	puppet_end(p, &b);
}

static inline void puppet_code(struct puppet *p, uint8_t rcode)
{
	uint8_t out[1024];
	struct dns_builder b;
	puppet_begin(p, &b, out, sizeof out);
	b.header.rcode = rcode;
	puppet_end(p, &b);
}

static void puppet_take(struct puppet *p, struct span query)
{
	assert_int_equal(dns_message_parse(query, &p->query), DROP_NONE);
	assert_false(p->query.header.response);
	assert_int_equal(p->query.header.count[DNS_QUESTION], 1);
	p->queries++;
	if (p->say)
		p->say(p);
}

static void puppet_tcp(struct puppet *p, struct stack *s)
{
	for (int64_t n; p->tcp && p->tcp_len < sizeof p->tcp_query;) {
		n = sock_read(s, p->tcp, p->tcp_query + p->tcp_len, 1);
		if (n < 0)
			break;
		if (n == 0) {
			sock_close(s, p->tcp);
			p->tcp = 0;
			return;
		}
		p->tcp_len += (size_t)n;
		if (p->tcp_len < 2 || p->tcp_len < 2u + load16(p->tcp_query))
			continue;
		p->over_tcp = true;
		p->tcp_len = 0;
		puppet_take(p, span_of(p->tcp_query + 2, load16(p->tcp_query)));
	}
	while (p->tcp && p->tcp_out_at < p->tcp_out_len) {
		size_t want = p->tcp_slow ? 1 : p->tcp_out_len - p->tcp_out_at;
		int64_t n = sock_write(s, p->tcp, p->tcp_out + p->tcp_out_at, want);
		if (n <= 0)
			break;
		p->tcp_out_at += (size_t)n;
		if (p->tcp_slow)
			break;
	}
}

static void puppet_run(struct app *a, struct stack *s, nanotime now)
{
	struct puppet *p = list_entry(a, struct puppet, app);
	struct sock_event e;
	struct sock_datagram d;
	uint8_t bytes[2048];
	int64_t n;

	(void)now;
	while (sock_next(s, &p->queue, &e))
		;
	while ((n = sock_recv_from(s, p->udp, bytes, sizeof bytes, &d)) >= 0) {
		p->over_tcp = false;
		p->from = d.source;
		p->from_port = d.port;
		puppet_take(p, span_of(bytes, (size_t)n));
	}
	if (p->listener && !p->tcp) {
		struct sock_peer peer;
		p->tcp_len = p->tcp_out_len = p->tcp_out_at = 0;
		if (sock_accept(s, p->listener, &p->queue, NULL, &p->tcp, &peer) == 0)
			sock_set_nodelay(s, p->tcp, true);
	}
	if (p->tcp)
		puppet_tcp(p, s);
}

/* A slow puppet writes one byte a millisecond. */
static nanotime puppet_deadline(const struct app *a)
{
	const struct puppet *p = list_entry(a, const struct puppet, app);
	bool more = p->tcp && p->tcp_out_at < p->tcp_out_len;
	return more ? p->host->duo->now + NANO_MS : NANOTIME_NEVER;
}

static inline void puppet_open(
	struct puppet *p, struct duo_host *h, void (*say)(struct puppet *p), bool tcp)
{
	struct stack *s = duo_use(h);
	*p = (struct puppet){ .host = h, .say = say };
	p->app.run = puppet_run;
	p->app.deadline = puppet_deadline;
	sock_queue_init(&p->queue);
	struct sock_options o = { .queue = &p->queue, .local_port = DNS_PORT };
	struct sock_options other = { .local_port = 5300 };
	assert_int_equal(sock_udp(s, &o, &p->udp), 0);
	assert_int_equal(sock_udp(s, &other, &p->other), 0);
	if (tcp)
		assert_int_equal(sock_listen(s, &o, &p->listener), 0);
	duo_add(h, &p->app);
}

#endif
