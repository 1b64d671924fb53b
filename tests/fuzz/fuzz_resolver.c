/*
 * The resolver before a server that answers with the input: raw bytes, or bytes
 * behind the right ID and question, over UDP and TCP, in any order and time.
 * Whatever comes, the look-up ends in time, with an answer that is well-formed,
 * and nothing is left behind.
 *
 * The input: one byte for the look-up (bit 0 mixed case, 1 EDNS, 2 over TCP, 3
 * one type or both families), then steps: a byte and its operands.
 */
#include "small_duo.h"

#include "application/dns/resolver.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define STEPS_MAX 64

enum step { PASS, RAW, FRAMED, TCP_RAW, TCP_FRAMED, TCP_CLOSE, TCP_RESET, STEP_KINDS };

struct server {
	struct app app;
	struct duo_host *host;
	struct sock_queue queue;
	sock_id udp, listener, tcp;
	struct addr from;
	uint16_t port;
	uint8_t query[600];
	size_t query_len; /* the last query, without its length */
};

static void server_run(struct app *a, struct stack *s, nanotime now)
{
	struct server *v = list_entry(a, struct server, app);
	struct sock_event e;
	struct sock_datagram d;
	uint8_t bytes[600];
	int64_t n;

	(void)now;
	while (sock_next(s, &v->queue, &e))
		;
	while ((n = sock_recv_from(s, v->udp, bytes, sizeof bytes, &d)) >= 0) {
		v->from = d.source;
		v->port = d.port;
		v->query_len = (size_t)n;
		memcpy(v->query, bytes, v->query_len);
	}
	if (!v->tcp)
		sock_accept(s, v->listener, &v->queue, NULL, &v->tcp, NULL);
	while (v->tcp && (n = sock_read(s, v->tcp, bytes, sizeof bytes)) > 2) {
		v->query_len = (size_t)n - 2;
		memcpy(v->query, bytes + 2, v->query_len);
	}
}

static void server_open(struct server *v, struct duo_host *h)
{
	struct sock_options o = { .queue = &v->queue, .local_port = DNS_PORT };

	*v = (struct server){ .app = { .run = server_run }, .host = h };
	sock_queue_init(&v->queue);
	assert_int_equal(sock_udp(duo_use(h), &o, &v->udp), 0);
	assert_int_equal(sock_listen(duo_use(h), &o, &v->listener), 0);
	duo_add(h, &v->app);
}

/* The ID of the last query, flags and counts of the input, the question, the rest of the input. */
static size_t frame(const struct server *v, struct span run, uint8_t *out, size_t cap)
{
	size_t at = DNS_HEADER;

	if (v->query_len < DNS_HEADER || run.len < 10)
		return 0;
	memcpy(out, v->query, 2);
	memcpy(out + 2, run.at, 10);
	while (at < v->query_len && v->query[at])
		at += 1u + v->query[at];
	at += 5;
	if (at > v->query_len || at + run.len > cap)
		return 0;
	memcpy(out + DNS_HEADER, v->query + DNS_HEADER, at - DNS_HEADER);
	memcpy(out + at, run.at + 10, run.len - 10);
	return at + run.len - 10;
}

static void say(struct server *v, bool tcp, const uint8_t *bytes, size_t len)
{
	struct stack *s = duo_use(v->host);

	if (tcp && v->tcp)
		sock_write(s, v->tcp, bytes, len);
	else if (!tcp && v->port)
		sock_send_to(s, v->udp, bytes, len, &v->from, v->port);
}

static void step(struct server *v, struct span *in)
{
	uint8_t out[1024];
	size_t len;

	switch (input_byte(in) % STEP_KINDS) {
	case PASS: duo_pass(v->host->duo, input_byte(in) * 20 * NANO_MS); break;
	case RAW:
	case TCP_RAW: {
		bool tcp = in->len & 1;
		struct span run = input_run(in);
		say(v, tcp, run.at, run.len);
		break;
	}
	case FRAMED:
		len = frame(v, input_run(in), out, sizeof out);
		say(v, false, out, len);
		break;
	case TCP_FRAMED:
		len = frame(v, input_run(in), out + 2, sizeof out - 2);
		store16(out, (uint16_t)len);
		say(v, true, out, len + 2);
		break;
	case TCP_CLOSE:
	case TCP_RESET:
		if (v->tcp)
			(in->len & 1 ? sock_close : sock_abort)(duo_use(v->host), v->tcp);
		v->tcp = 0;
	}
	duo_pass(v->host->duo, 3 * NANO_MS);
}

static void check(const struct lookup *l)
{
	assert_true(l->status != RESOLVER_PENDING);
	for (unsigned i = 0; i < l->answers; i++) {
		const struct resolver_answer *a = l->answer[i];
		struct dns_message m;
		assert_true(a->status != RESOLVER_PENDING && a->tries <= RESOLVER_TRIES_MAX);
		assert_true(a->aliases <= RESOLVER_ALIASES_MAX);
		assert_true(a->ended - a->started <= 15 * NANO_S);
		if (a->message.len)
			assert_int_equal(dns_message_parse(a->message, &m), DROP_NONE);
		if (a->status == RESOLVER_FOUND)
			assert_true(a->message.len > 0);
	}
	char text[400];
	assert_true(lookup_explain(l, text, sizeof text) > 0);
	assert_true(dns_name_is_hostname(&l->canonical));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span in = span_of(data, size);
	uint8_t kind = input_byte(&in);
	struct resolver_config c;
	struct server server;
	struct duo d;
	const char *why;
	enum error error;

	small_duo_open(&d);
	server_open(&server, &d.host[1]);
	resolver_config_default(&c);
	c.server[0] = address("192.0.2.2");
	c.servers = 1;
	c.mixed_case = kind & 1;
	c.udp_size = kind & 2 ? 1232 : 0;
	c.lookups = 2;
	c.message_max = 4096;
	c.cache = 4;
	struct resolver *r = resolver_create(&c, duo_use(&d.host[0]), &d.host[0].arena, &why);
	assert_non_null(r);
	duo_add(&d.host[0], resolver_app(r));
	unsigned flags = (kind & 4 ? LOOKUP_TCP : 0) | (kind & 8 ? LOOKUP_BOTH : LOOKUP_A);
	struct lookup *l = resolver_host(r, span_of("www.example.test", 16), flags, &error);
	assert_non_null(l);
	duo_pass(&d, 5 * NANO_MS);
	for (unsigned i = 0; i < STEPS_MAX && in.len; i++)
		step(&server, &in);
	duo_pass(&d, 20 * NANO_S);
	check(l);
	lookup_release(r, l);
	assert_true(resolver_app(r)->deadline(resolver_app(r)) == NANOTIME_NEVER);
	duo_close(&d);
	return 0;
}
