/*
 * The stub resolver against servers that answer, lie, lose, refuse and stay
 * silent, in virtual time over real stacks.
 */
#include "puppet.h"

#include "transport/endpoints.h"
#include "wire/icmp.h"

struct world {
	struct duo duo;
	struct puppet puppet;
	struct resolver *resolver;
	struct lookup *lookup;
};

static struct resolver_config config_for(struct duo *d)
{
	struct resolver_config c;
	(void)d;
	resolver_config_default(&c);
	c.servers = 1;
	c.server[0] = address("192.0.2.2");
	memset(c.secret, 7, sizeof c.secret);
	return c;
}

static void open_with(
	struct world *w, void (*say)(struct puppet *p), bool tcp, const struct resolver_config *c)
{
	const char *why;
	duo_open(&w->duo);
	puppet_open(&w->puppet, &w->duo.host[1], say, tcp);
	w->resolver = resolver_create(c, duo_use(&w->duo.host[0]), &w->duo.host[0].arena, &why);
	if (!w->resolver)
		fail_msg("%s", why);
	duo_add(&w->duo.host[0], resolver_app(w->resolver));
	w->lookup = NULL;
}

static void open_world(struct world *w, void (*say)(struct puppet *p), bool tcp)
{
	struct resolver_config c = config_for(&w->duo);
	open_with(w, say, tcp, &c);
}

static void close_world(struct world *w)
{
	if (w->lookup)
		lookup_release(w->resolver, w->lookup);
	/* Whatever happened, a resolver without look-ups waits for nothing. */
	assert_true(
		resolver_app(w->resolver)->deadline(resolver_app(w->resolver)) == NANOTIME_NEVER);
	duo_close(&w->duo);
}

static bool finished(void *user)
{
	struct world *w = user;
	return w->lookup->status != RESOLVER_PENDING;
}

/* One question of one type, to its end. */
static const struct resolver_answer *ask(
	struct world *w, const char *name, uint16_t type, unsigned flags)
{
	enum error error;
	struct dns_name n = name_of(name);
	if (w->lookup)
		lookup_release(w->resolver, w->lookup);
	duo_use(&w->duo.host[0]);
	w->lookup = resolver_query(w->resolver, &n, type, flags, &error);
	assert_non_null(w->lookup);
	assert_true(duo_run(&w->duo, 60 * NANO_S, finished, w));
	return w->lookup->answer[0];
}

static struct lookup *host(struct world *w, const char *name, unsigned flags)
{
	enum error error;
	if (w->lookup)
		lookup_release(w->resolver, w->lookup);
	duo_use(&w->duo.host[0]);
	w->lookup = resolver_host(w->resolver, text_span_of(name), flags, &error);
	if (w->lookup)
		assert_true(duo_run(&w->duo, 60 * NANO_S, finished, w));
	else
		assert_int_equal(error, ERR_ARGUMENT);
	return w->lookup;
}

static bool has_address(const struct lookup *l, const char *text)
{
	struct addr a = address(text);
	for (unsigned i = 0; i < l->addresses; i++)
		if (addr_equal(&l->address[i].address, &a))
			return true;
	return false;
}

/* In the middle of a UDP and a TCP try, and with a look-up that has ended. */
static void destroyed(void **state)
{
	(void)state;
	struct world w;
	enum error error;
	open_world(&w, NULL, true);
	struct stack *s = duo_use(&w.duo.host[0]);
	struct span name = text_span_of("www.example.test"), literal = text_span_of("192.0.2.7");
	assert_non_null(resolver_host(w.resolver, name, LOOKUP_BOTH, &error));
	assert_non_null(resolver_host(w.resolver, name, LOOKUP_A | LOOKUP_TCP, &error));
	assert_non_null(resolver_host(w.resolver, literal, LOOKUP_A, &error));
	duo_pass(&w.duo, 100 * NANO_MS);
	assert_int_equal(stack_transport(s)->datagram_pool.used, 2);
	assert_int_equal(stack_transport(s)->streams, 1);
	duo_use(&w.duo.host[0]);
	resolver_destroy(w.resolver);
	assert_int_equal(stack_transport(s)->datagram_pool.used, 0);
	assert_int_equal(stack_transport(s)->streams, 0);
	assert_true(list_empty(&w.duo.host[0].apps));
	duo_close(&w.duo);
}

/* ---- the plain cases ---- */

static void both_families(void **state)
{
	(void)state;
	struct world w;
	open_world(&w, puppet_answer, false);
	struct lookup *l = host(&w, "www.example.test", 0);
	assert_int_equal(l->status, RESOLVER_FOUND);
	assert_int_equal(l->addresses, 2);
	assert_true(has_address(l, "192.0.2.80") && has_address(l, "2001:db8::80"));
	assert_int_equal(l->address[0].ttl, 300);
	assert_int_equal(w.puppet.queries, 2);
	assert_int_equal(l->answer[0]->tries, 1);
	assert_int_equal(l->answer[0]->try[0].end, TRY_ANSWERED);
	assert_true(l->answer[0]->try[0].edns && l->answer[0]->try[0].mixed_case);
	/* Two different ports and names in different case: nothing is shared between the two. */
	assert_int_not_equal(l->answer[0]->try[0].local_port, l->answer[1]->try[0].local_port);
	assert_int_not_equal(l->answer[0]->try[0].id, l->answer[1]->try[0].id);
	struct dns_name name = name_of("www.example.test");
	assert_true(dns_name_equal(&l->canonical, &name));
	/* Both at once, in one round trip (now that ARP is done). */
	l = host(&w, "www.example.test", LOOKUP_BOTH | LOOKUP_NO_CACHE);
	assert_int_equal(l->ended - l->started, 2 * NANO_MS);
	assert_int_equal(w.puppet.queries, 4);
	close_world(&w);
}

static void one_family(void **state)
{
	(void)state;
	struct world w;
	open_world(&w, puppet_answer, false);
	struct lookup *l = host(&w, "www.example.test.", LOOKUP_A);
	assert_int_equal(l->addresses, 1);
	assert_true(has_address(l, "192.0.2.80"));
	l = host(&w, "www.example.test.", LOOKUP_AAAA);
	assert_int_equal(l->addresses, 1);
	assert_true(has_address(l, "2001:db8::80"));
	close_world(&w);
}

static void literals(void **state)
{
	(void)state;
	struct world w;
	open_world(&w, puppet_answer, false);
	struct lookup *l = host(&w, "198.51.100.7", 0);
	assert_true(l->literal && l->status == RESOLVER_FOUND && has_address(l, "198.51.100.7"));
	l = host(&w, "2001:db8::7", 0);
	assert_true(l->literal && has_address(l, "2001:db8::7"));
	l = host(&w, "2001:db8::7", LOOKUP_A);
	assert_true(l->literal && l->status == RESOLVER_NO_DATA);
	l = host(&w, "localhost", 0);
	assert_true(l->literal && l->addresses == 2 && has_address(l, "127.0.0.1") &&
		has_address(l, "::1"));
	l = host(&w, "www.LocalHost.", LOOKUP_A);
	assert_true(l->literal && l->addresses == 1);
	assert_null(host(&w, "bad name", 0));
	assert_null(host(&w, "", 0));
	assert_null(host(&w, ".", 0));
	assert_null(host(&w, "a..b", 0));
	assert_null(host(&w, "a/b", 0));
	assert_int_equal(w.puppet.queries, 0);
	close_world(&w);
}

static void say_nxdomain(struct puppet *p)
{
	uint8_t out[512];
	struct dns_builder b;
	puppet_begin(p, &b, out, sizeof out);
	b.header.rcode = DNS_RCODE_NXDOMAIN;
	add_soa(&b, "example.test", 600, 30);
	puppet_end(p, &b);
}

static void no_such_name(void **state)
{
	(void)state;
	struct world w;
	char text[300];
	open_world(&w, say_nxdomain, false);
	struct lookup *l = host(&w, "nowhere.example.test", 0);
	assert_int_equal(l->status, RESOLVER_NO_NAME);
	assert_int_equal(l->answer[0]->ttl, 30); /* RFC 2308 5: the smaller of TTL and MINIMUM */
	assert_true(lookup_explain(l, text, sizeof text) > 0);
	assert_string_equal(text,
		"the name does not exist: asked 192.0.2.2 (1 try in 0.0 s); check its spelling");
	close_world(&w);
}

static void say_four_only(struct puppet *p)
{
	uint8_t out[512];
	struct dns_builder b;
	if (p->query.question.type == DNS_TYPE_A) {
		puppet_answer(p);
		return;
	}
	puppet_begin(p, &b, out, sizeof out);
	add_soa(&b, "example.test", 600, 30);
	puppet_end(p, &b);
}

static void no_data(void **state)
{
	(void)state;
	struct world w;
	open_world(&w, say_four_only, false);
	assert_int_equal(host(&w, "www.example.test", 0)->status, RESOLVER_FOUND);
	struct lookup *l = host(&w, "www.example.test", LOOKUP_AAAA);
	assert_int_equal(l->status, RESOLVER_NO_DATA);
	close_world(&w);
}

/* ---- aliases ---- */

static void say_chain(struct puppet *p)
{
	uint8_t out[512];
	struct dns_builder b;
	puppet_begin(p, &b, out, sizeof out);
	/* In no order at all, and with a record that nobody asked for. */
	add_a(&b, "evil.example.test", "192.0.2.66", 9999);
	add_a(&b, "c.example.test", "192.0.2.81", 50);
	add_cname(&b, "b.example.test", "c.example.test", 70);
	add_a(&b, "C.EXAMPLE.test", "192.0.2.82", 60);
	add_cname(&b, "www.example.test", "b.example.test", 40);
	puppet_end(p, &b);
}

static void alias_chain(void **state)
{
	(void)state;
	struct world w;
	open_world(&w, say_chain, false);
	struct lookup *l = host(&w, "www.example.test", LOOKUP_A);
	assert_int_equal(l->status, RESOLVER_FOUND);
	assert_int_equal(l->addresses, 2);
	assert_true(has_address(l, "192.0.2.81") && has_address(l, "192.0.2.82"));
	assert_int_equal(l->answer[0]->aliases, 2);
	assert_int_equal(l->answer[0]->ttl, 40);
	struct dns_name c = name_of("c.example.test");
	assert_true(dns_name_equal(&l->canonical, &c));
	close_world(&w);
}

/* Each answer is one alias only: the resolver must ask on. */
static void say_steps(struct puppet *p)
{
	uint8_t out[512];
	char owner[40], target[40];
	struct dns_builder b;
	struct dns_name goal = name_of("n5.example.test");

	if (dns_name_equal(&p->query.question.name, &goal)) {
		puppet_answer(p);
		return;
	}
	unsigned n = p->step++;
	snprintf(owner, sizeof owner, n ? "n%u.example.test" : "www.example.test", n);
	snprintf(target, sizeof target, "n%u.example.test", n + 1);
	puppet_begin(p, &b, out, sizeof out);
	add_cname(&b, owner, target, 100);
	puppet_end(p, &b);
}

static void alias_steps(void **state)
{
	(void)state;
	struct world w;
	open_world(&w, say_steps, false);
	struct lookup *l = host(&w, "www.example.test", LOOKUP_A);
	assert_int_equal(l->status, RESOLVER_FOUND);
	assert_int_equal(l->answer[0]->aliases, 5);
	assert_int_equal(w.puppet.queries, 6);
	assert_int_equal(l->answer[0]->ttl, 100);
	close_world(&w);
}

static void say_endless(struct puppet *p)
{
	uint8_t out[512];
	char owner[300], target[40];
	struct dns_builder b;
	dns_name_format(&p->query.question.name, owner, sizeof owner);
	snprintf(target, sizeof target, "n%u.example.test", ++p->step);
	puppet_begin(p, &b, out, sizeof out);
	add_cname(&b, owner, target, 100);
	puppet_end(p, &b);
}

static void say_circle(struct puppet *p)
{
	uint8_t out[512];
	struct dns_builder b;
	puppet_begin(p, &b, out, sizeof out);
	add_cname(&b, "www.example.test", "b.example.test", 70);
	add_cname(&b, "b.example.test", "www.example.test", 70);
	puppet_end(p, &b);
}

static void alias_loops(void **state)
{
	(void)state;
	struct world w;
	open_world(&w, say_circle, false);
	assert_int_equal(host(&w, "www.example.test", LOOKUP_A)->status, RESOLVER_ALIAS_LOOP);
	assert_int_equal(w.puppet.queries, 1);
	close_world(&w);
	open_world(&w, say_endless, false);
	assert_int_equal(host(&w, "www.example.test", LOOKUP_A)->status, RESOLVER_ALIAS_LOOP);
	assert_int_equal(w.puppet.queries, RESOLVER_ALIASES_MAX);
	close_world(&w);
}

static void say_bad_letters(struct puppet *p)
{
	uint8_t out[512];
	struct dns_builder b;
	puppet_begin(p, &b, out, sizeof out);
	add_cname(&b, "www.example.test", "evil\\010set-cookie.example.test", 70);
	add_a(&b, "evil\\010set-cookie.example.test", "192.0.2.80", 70);
	puppet_end(p, &b);
}

/* Attack DNS-21: a canonical name that is no host name is not handed on as one. */
static void canonical_letters(void **state)
{
	(void)state;
	struct world w;
	open_world(&w, say_bad_letters, false);
	struct lookup *l = host(&w, "www.example.test", LOOKUP_A);
	struct dns_name asked = name_of("www.example.test");
	assert_int_equal(l->status, RESOLVER_FOUND);
	assert_true(dns_name_equal(&l->canonical, &asked));
	close_world(&w);
}

/* ---- silence and errors ---- */

static void silence(void **state)
{
	(void)state;
	struct world w;
	char text[300];
	open_world(&w, NULL, false);
	struct lookup *l = host(&w, "www.example.test", LOOKUP_A);
	const struct resolver_answer *a = l->answer[0];
	assert_int_equal(l->status, RESOLVER_NO_ANSWER);
	assert_int_equal(a->tries, 4);
	static const nanodiff wait[] = { 2 * NANO_S, 4 * NANO_S, 8 * NANO_S, NANO_S };
	for (unsigned i = 0; i < 4; i++) {
		assert_int_equal(a->try[i].end, TRY_SILENT);
		assert_true(a->try[i].ended - a->try[i].sent == wait[i]);
		for (unsigned j = 0; j < i; j++) /* each try can be answered only for itself */
			assert_true(a->try[i].local_port != a->try[j].local_port ||
				a->try[i].id != a->try[j].id);
	}
	assert_true(l->ended - l->started == 15 * NANO_S);
	lookup_explain(l, text, sizeof text);
	assert_string_equal(text,
		"no DNS server answered: asked 192.0.2.2 (4 tries in 15.0 s); "
		"check the way to the server, or name another one");
	close_world(&w);
}

static bool lose_first(struct duo *d, unsigned to, struct span frame)
{
	/* The first UDP datagram to the server: IPv4, protocol 17. */
	unsigned *count = d->user;
	return to == 1 && frame.len > 42 && load16(frame.at + 12) == 0x0800 && frame.at[23] == 17 &&
		(*count)++ == 0;
}

static void one_lost(void **state)
{
	(void)state;
	struct world w;
	unsigned count = 0;
	open_world(&w, puppet_answer, false);
	w.duo.lose = lose_first;
	w.duo.user = &count;
	struct lookup *l = host(&w, "www.example.test", LOOKUP_A);
	assert_int_equal(l->status, RESOLVER_FOUND);
	assert_int_equal(l->answer[0]->tries, 2);
	assert_true(l->ended - l->started > 2 * NANO_S && l->ended - l->started < 21 * NANO_S / 10);
	close_world(&w);
}

/* The first server is silent (there is no such machine), the second answers. */
static void second_server(void **state)
{
	(void)state;
	struct world w;
	struct resolver_config c = config_for(NULL);
	c.servers = 2;
	c.server[0] = address("192.0.2.2");
	c.server[1] = address("2001:db8::2");
	open_with(&w, puppet_answer, false, &c);
	struct lookup *l = host(&w, "www.example.test", LOOKUP_A);
	assert_int_equal(l->answer[0]->tries, 1);
	duo_close(&w.duo);

	c.server[0] = address("192.0.2.99");
	open_with(&w, puppet_answer, false, &c);
	l = host(&w, "www.example.test", LOOKUP_A);
	assert_int_equal(l->status, RESOLVER_FOUND);
	assert_int_equal(l->answer[0]->tries, 2);
	assert_true(l->ended - l->started < 4 * NANO_S);
	close_world(&w);
}

/* Nobody answers ARP for the only server: as soon as that is known, there is nothing to wait for;
 * and while it is known, the next look-up ends at once. */
static void dead_server(void **state)
{
	(void)state;
	struct world w;
	struct resolver_config c = config_for(NULL);
	c.server[0] = address("192.0.2.99");
	open_with(&w, puppet_answer, false, &c);
	struct lookup *l = host(&w, "www.example.test", 0);
	assert_int_equal(l->status, RESOLVER_NO_ANSWER); /* the first try's time was over before */
	assert_true(l->ended - l->started == 3 * NANO_S);
	for (unsigned i = 0; i < 2; i++) {
		const struct resolver_answer *a = l->answer[i];
		assert_int_equal(a->try[a->tries - 1].end, TRY_UNREACHABLE);
		assert_int_equal(a->try[a->tries - 1].error, ERR_HOST_UNREACHABLE);
	}
	l = host(&w, "www.example.test", 0);
	assert_int_equal(l->status, RESOLVER_UNREACHABLE);
	assert_true(l->ended == l->started);
	close_world(&w);
}

static void say_by_family(struct puppet *p)
{
	if (addr_is4(&p->from))
		puppet_code(p, DNS_RCODE_SERVFAIL);
	else
		puppet_answer(p);
}

static void failing_server(void **state)
{
	(void)state;
	struct world w;
	struct resolver_config c = config_for(NULL);
	c.servers = 2;
	c.server[1] = address("2001:db8::2");
	open_with(&w, say_by_family, false, &c);
	struct lookup *l = host(&w, "www.example.test", LOOKUP_A);
	assert_int_equal(l->status, RESOLVER_FOUND);
	assert_int_equal(l->answer[0]->tries, 2);
	assert_int_equal(l->answer[0]->try[0].end, TRY_RCODE);
	assert_int_equal(l->answer[0]->try[0].rcode, DNS_RCODE_SERVFAIL);
	assert_true(l->ended - l->started < NANO_S); /* an error does not wait for the time-out */
	close_world(&w);
}

static void say_refused(struct puppet *p)
{
	puppet_code(p, DNS_RCODE_REFUSED);
}

static void say_servfail(struct puppet *p)
{
	puppet_code(p, DNS_RCODE_SERVFAIL);
}

static void say_referral(struct puppet *p)
{
	uint8_t out[512];
	struct dns_builder b;
	struct dns_record r = { .owner = name_of("test"),
		.type = DNS_TYPE_NS,
		.class = DNS_CLASS_IN,
		.ttl = 100,
		.decoded = true,
		.name = name_of("ns.test") };
	puppet_begin(p, &b, out, sizeof out);
	b.header.recursion_available = false;
	dns_build_record(&b, DNS_AUTHORITY, &r);
	puppet_end(p, &b);
}

static void errors_only(void **state)
{
	(void)state;
	struct world w;
	open_world(&w, say_refused, false);
	const struct resolver_answer *a = ask(&w, "www.example.test", DNS_TYPE_A, 0);
	assert_int_equal(a->status, RESOLVER_REFUSED);
	assert_int_equal(a->tries, 1);
	close_world(&w);
	open_world(&w, say_servfail, false);
	a = ask(&w, "www.example.test", DNS_TYPE_A, 0);
	assert_int_equal(a->status, RESOLVER_SERVER_FAILED);
	close_world(&w);
	open_world(&w, say_referral, false);
	a = ask(&w, "www.example.test", DNS_TYPE_A, 0);
	assert_int_equal(a->status, RESOLVER_REFUSED);
	close_world(&w);
}

static void nothing_listens(void **state)
{
	(void)state;
	struct world w;
	struct resolver_config c = config_for(NULL);
	c.port = 5353;
	open_with(&w, NULL, false, &c);
	const struct resolver_answer *a = ask(&w, "www.example.test", DNS_TYPE_A, 0);
	assert_int_equal(a->status, RESOLVER_UNREACHABLE);
	assert_int_equal(a->try[0].end, TRY_UNREACHABLE);
	assert_int_equal(a->try[0].error, ERR_PORT_UNREACHABLE);
	assert_true(a->ended - a->started < 100 * NANO_MS);
	close_world(&w);

	c.server[0] = address("203.0.113.1"); /* no route */
	open_with(&w, NULL, false, &c);
	a = ask(&w, "www.example.test", DNS_TYPE_A, 0);
	assert_int_equal(a->status, RESOLVER_UNREACHABLE);
	assert_int_equal(a->try[0].error, ERR_NO_ROUTE);
	close_world(&w);

	c.servers = 0;
	open_with(&w, NULL, false, &c);
	a = ask(&w, "www.example.test", DNS_TYPE_A, 0);
	assert_int_equal(a->status, RESOLVER_NO_SERVER);
	close_world(&w);
}

/* ---- noise and forgery: only the answer ends the wait (RFC 5452 9.1, attack DNS-15) ---- */

#define NOISES 12

static void say_noise(struct puppet *p)
{
	uint8_t out[512], bytes[512];
	struct dns_builder b;
	struct dns_message real = p->query;
	struct stack *s = duo_use(p->host);
	unsigned kind = p->step;

	puppet_begin(p, &b, out, sizeof out);
	add_a(&b, "www.example.test", "192.0.2.66", 9999);
	size_t len = dns_build_end(&b);
	memcpy(bytes, out, len);
	switch (kind) {
	case 0: store16(bytes, (uint16_t)(real.header.id + 1)); break; /* another ID */
	case 1: bytes[2] &= 0x7f; break;                               /* a query */
	case 2: bytes[2] |= 0x28; break;                               /* another opcode */
	case 3: bytes[13] ^= 0x01; break;                              /* another name */
	case 4: bytes[len - 16 - 3 - 1] ^= 3; break;                   /* another type, below */
	case 5: len = 11; break;                                       /* a header cut short */
	case 6: len = 1; break;
	case 7: len = 0; break;
	case 8: store16(bytes + 4, 2); break;  /* two questions */
	case 9: store16(bytes + 4, 0); break;  /* none, and no error code */
	case 10: store16(bytes + 6, 9); break; /* more records than there are */
	case 11:                               /* from another port of the server */
		sock_send_to(s, p->other, bytes, len, &p->from, p->from_port);
		break;
	}
	if (kind == 4) { /* type of the question: behind the name */
		memcpy(bytes, out, len);
		store16(bytes + 12 + real.question.name.len, DNS_TYPE_MX);
	}
	if (kind < NOISES - 1)
		puppet_send(p, bytes, len);
	puppet_answer(p);
}

static void noise_is_ignored(void **state)
{
	(void)state;
	for (unsigned kind = 0; kind < NOISES; kind++) {
		struct world w;
		open_world(&w, say_noise, false);
		w.puppet.step = kind;
		struct lookup *l = host(&w, "www.example.test", LOOKUP_A);
		if (l->status != RESOLVER_FOUND || l->addresses != 1 ||
			!has_address(l, "192.0.2.80") || l->answer[0]->tries != 1)
			fail_msg("noise %u: %s, %u tries", kind, resolver_status_name(l->status),
				l->answer[0]->tries);
		assert_int_equal(l->answer[0]->try[0].ignored, kind < NOISES - 1);
		close_world(&w);
	}
}

static void say_broken(struct puppet *p)
{
	uint8_t out[512];
	struct dns_builder b;
	puppet_begin(p, &b, out, sizeof out);
	add_a(&b, "www.example.test", "192.0.2.66", 9999);
	size_t len = dns_build_end(&b);
	store16(out + len - 6, 3); /* an address of three bytes */
	puppet_send(p, out, len - 1);
}

/* A server that always answers with garbage: said so, after the whole wait. */
static void broken_server(void **state)
{
	(void)state;
	struct world w;
	open_world(&w, say_broken, false);
	const struct resolver_answer *a = ask(&w, "www.example.test", DNS_TYPE_A, 0);
	assert_int_equal(a->status, RESOLVER_MALFORMED);
	assert_int_equal(a->try[0].end, TRY_BROKEN);
	assert_true(a->ended - a->started == 15 * NANO_S);
	close_world(&w);
}

static void say_storm(struct puppet *p)
{
	uint8_t out[512];
	struct dns_builder b;
	if (p->over_tcp) {
		puppet_answer(p);
		return;
	}
	for (unsigned i = 1; i <= 40; i++) {
		puppet_begin(p, &b, out, sizeof out);
		b.header.id = (uint16_t)(p->query.header.id + i);
		add_a(&b, "www.example.test", "192.0.2.66", 9999);
		puppet_end(p, &b);
	}
}

/* Attack DNS-11: many guesses make the resolver ask over TCP. */
static void storm(void **state)
{
	(void)state;
	struct world w;
	open_world(&w, say_storm, true);
	struct lookup *l = host(&w, "www.example.test", LOOKUP_A);
	assert_int_equal(l->status, RESOLVER_FOUND);
	assert_true(has_address(l, "192.0.2.80"));
	assert_int_equal(l->answer[0]->try[0].end, TRY_STORM);
	assert_int_equal(l->answer[0]->try[0].ignored, 32);
	assert_true(l->answer[0]->try[1].tcp);
	close_world(&w);
}

/* ---- servers of lesser abilities ---- */

static void say_lower_case(struct puppet *p)
{
	struct dns_name *n = &p->query.question.name;
	for (unsigned i = 0; i < n->len; i++)
		if (n->b[i] >= 'A' && n->b[i] <= 'Z')
			n->b[i] |= 0x20;
	puppet_answer(p);
}

static void case_lost(void **state)
{
	(void)state;
	struct world w;
	open_world(&w, say_lower_case, false);
	const struct resolver_answer *a = ask(&w, "www.example.test", DNS_TYPE_A, LOOKUP_NO_CACHE);
	assert_int_equal(a->status, RESOLVER_FOUND);
	assert_int_equal(a->tries, 2);
	assert_int_equal(a->try[0].end, TRY_CASE_LOST);
	assert_false(a->try[1].mixed_case);
	assert_true(a->ended - a->started < NANO_S);
	/* Learned. */
	a = ask(&w, "www.example.test", DNS_TYPE_A, LOOKUP_NO_CACHE);
	assert_int_equal(a->tries, 1);
	close_world(&w);
}

static void say_no_edns(struct puppet *p)
{
	if (p->query.has_edns)
		puppet_code(p, DNS_RCODE_FORMERR);
	else
		puppet_answer(p);
}

static void say_no_edns_bare(struct puppet *p)
{
	uint8_t out[12];
	struct dns_header h = {
		.id = p->query.header.id, .response = true, .rcode = DNS_RCODE_FORMERR
	};
	if (!p->query.has_edns) {
		puppet_answer(p);
		return;
	}
	dns_header_emit(&h, out, sizeof out);
	puppet_send(p, out, sizeof out);
}

static void say_bad_version(struct puppet *p)
{
	uint8_t out[512];
	struct dns_builder b;
	struct dns_header h = { .id = p->query.header.id, .response = true };
	struct dns_edns edns = { .udp_size = 1232, .rcode_high = 1 };
	if (!p->query.has_edns) {
		puppet_answer(p);
		return;
	}
	dns_build_begin(&b, out, sizeof out, &h, &edns);
	dns_build_question(&b, &p->query.question);
	puppet_end(p, &b);
}

static void no_edns(void **state)
{
	(void)state;
	void (*const say[])(struct puppet *) = { say_no_edns, say_no_edns_bare, say_bad_version };
	for (unsigned i = 0; i < 3; i++) {
		struct world w;
		open_world(&w, say[i], false);
		const struct resolver_answer *a = ask(
			&w, "www.example.test", DNS_TYPE_A, LOOKUP_NO_CACHE);
		assert_int_equal(a->status, RESOLVER_FOUND);
		assert_int_equal(a->tries, 2);
		assert_int_equal(a->try[0].end, TRY_NO_EDNS);
		assert_false(a->try[1].edns);
		assert_true(a->ended - a->started < NANO_S);
		a = ask(&w, "www.example.test", DNS_TYPE_A, LOOKUP_NO_CACHE);
		assert_int_equal(a->tries, 1);
		close_world(&w);
	}
}

/* A forged bare FORMERR must not keep the right answer, which comes later, from counting. */
static void say_bare_then_right(struct puppet *p)
{
	uint8_t out[12];
	struct dns_header h = {
		.id = p->query.header.id, .response = true, .rcode = DNS_RCODE_FORMERR
	};
	dns_header_emit(&h, out, sizeof out);
	puppet_send(p, out, sizeof out);
	puppet_answer(p);
}

static void bare_formerr_then_answer(void **state)
{
	(void)state;
	struct world w;
	open_world(&w, say_bare_then_right, false);
	const struct resolver_answer *a = ask(&w, "www.example.test", DNS_TYPE_A, 0);
	assert_int_equal(a->status, RESOLVER_FOUND);
	assert_int_equal(a->tries, 1);
	close_world(&w);
}

/* ---- TCP ---- */

static void say_truncated(struct puppet *p)
{
	uint8_t out[512];
	struct dns_builder b;
	if (p->over_tcp) {
		if (p->step == 1) { /* a response to something else first */
			puppet_begin(p, &b, out, sizeof out);
			b.header.id ^= 1;
			puppet_end(p, &b);
		}
		puppet_answer(p);
		return;
	}
	puppet_begin(p, &b, out, sizeof out);
	b.header.truncated = true;
	add_a(&b, "www.example.test", "192.0.2.66", 9999);
	puppet_end(p, &b);
}

static void truncated(void **state)
{
	(void)state;
	for (unsigned kind = 0; kind < 4; kind++) {
		struct world w;
		open_world(&w, say_truncated, true);
		w.puppet.step = kind & 1;
		w.puppet.tcp_slow = kind & 2; /* the length, too, in two pieces */
		struct lookup *l = host(&w, "www.example.test", LOOKUP_A);
		assert_int_equal(l->status, RESOLVER_FOUND);
		assert_true(has_address(l, "192.0.2.80"));
		assert_int_equal(l->addresses, 1);
		assert_int_equal(l->answer[0]->try[0].end, TRY_TRUNCATED);
		assert_true(l->answer[0]->try[1].tcp);
		assert_int_equal(l->answer[0]->tries, 2);
		close_world(&w);
	}
}

static void say_over_tcp(struct puppet *p)
{
	assert_true(p->over_tcp);
	puppet_answer(p);
}

static void tcp_from_the_start(void **state)
{
	(void)state;
	struct world w;
	open_world(&w, say_over_tcp, true);
	const struct resolver_answer *a = ask(&w, "www.example.test", DNS_TYPE_A, LOOKUP_TCP);
	assert_int_equal(a->status, RESOLVER_FOUND);
	close_world(&w);
}

static void tcp_refused(void **state)
{
	(void)state;
	struct world w;
	open_world(&w, say_truncated, false);
	const struct resolver_answer *a = ask(&w, "www.example.test", DNS_TYPE_A, 0);
	assert_int_equal(a->status, RESOLVER_TRUNCATED);
	assert_int_equal(a->try[1].error, ERR_REFUSED);
	assert_true(a->ended - a->started < NANO_S);
	close_world(&w);
}

static void say_tcp_garbage(struct puppet *p)
{
	static const uint8_t zero[2] = { 0, 0 };
	if (!p->over_tcp) {
		say_truncated(p);
		return;
	}
	struct stack *s = duo_use(p->host);
	switch (p->step) {
	case 0: sock_write(s, p->tcp, zero, 2); break; /* a message of no bytes */
	case 1: sock_close(s, p->tcp), p->tcp = 0; break;
	case 2: sock_abort(s, p->tcp), p->tcp = 0; break;
	case 3:
		sock_write(s, p->tcp,
			"\xff\xff"
			"abc",
			5);
		break; /* and never the rest */
	}
}

static void tcp_garbage(void **state)
{
	(void)state;
	for (unsigned kind = 0; kind < 4; kind++) {
		struct world w;
		open_world(&w, say_tcp_garbage, true);
		w.puppet.step = kind;
		const struct resolver_answer *a = ask(&w, "www.example.test", DNS_TYPE_A, 0);
		assert_int_equal(a->status, RESOLVER_TRUNCATED);
		assert_true(a->ended - a->started <= 15 * NANO_S);
		close_world(&w);
	}
}

/* ---- the cache ---- */

static void cache(void **state)
{
	(void)state;
	struct world w;
	open_world(&w, puppet_answer, false);
	host(&w, "www.example.test", LOOKUP_A);
	duo_pass(&w.duo, 100 * NANO_S);
	struct lookup *l = host(&w, "WWW.example.test", LOOKUP_A);
	assert_int_equal(w.puppet.queries, 1);
	assert_true(l->answer[0]->cached && l->answer[0]->tries == 0);
	assert_true(l->started == l->ended);
	assert_int_equal(l->address[0].ttl, 200);
	assert_true(has_address(l, "192.0.2.80"));
	host(&w, "www.example.test", LOOKUP_A | LOOKUP_NO_CACHE);
	assert_int_equal(w.puppet.queries, 2);
	host(&w, "www.example.test", LOOKUP_AAAA); /* another type is another answer */
	assert_int_equal(w.puppet.queries, 3);
	duo_pass(&w.duo, 200 * NANO_S);
	host(&w, "www.example.test", LOOKUP_A); /* its time is over */
	assert_int_equal(w.puppet.queries, 4);
	resolver_flush(w.resolver);
	host(&w, "www.example.test", LOOKUP_A);
	assert_int_equal(w.puppet.queries, 5);
	close_world(&w);
}

static void negative_cache(void **state)
{
	(void)state;
	struct world w;
	open_world(&w, say_nxdomain, false);
	host(&w, "nowhere.example.test", LOOKUP_A);
	struct lookup *l = host(&w, "nowhere.example.test", LOOKUP_A);
	assert_int_equal(l->status, RESOLVER_NO_NAME);
	assert_int_equal(w.puppet.queries, 1);
	duo_pass(&w.duo, 31 * NANO_S);
	host(&w, "nowhere.example.test", LOOKUP_A);
	assert_int_equal(w.puppet.queries, 2);
	close_world(&w);
}

/* A cache of two forgets what was not used for longest, and never holds more. */
static void cache_is_bounded(void **state)
{
	(void)state;
	struct world w;
	struct resolver_config c = config_for(NULL);
	c.cache = 2;
	open_with(&w, puppet_answer, false, &c);
	host(&w, "a.example.test", LOOKUP_A);
	host(&w, "b.example.test", LOOKUP_A);
	host(&w, "a.example.test", LOOKUP_A);
	host(&w, "c.example.test", LOOKUP_A); /* pushes b out */
	assert_int_equal(w.puppet.queries, 3);
	host(&w, "a.example.test", LOOKUP_A);
	assert_int_equal(w.puppet.queries, 3);
	host(&w, "b.example.test", LOOKUP_A);
	assert_int_equal(w.puppet.queries, 4);
	close_world(&w);
}

/* ---- bounds and the rest ---- */

static void bounds(void **state)
{
	(void)state;
	struct world w;
	struct lookup *l[9];
	enum error error;
	open_world(&w, NULL, false);
	struct span name = text_span_of("www.example.test");
	for (unsigned round = 0; round < 200; round++) { /* and no socket is ever lost */
		duo_use(&w.duo.host[0]);
		for (unsigned i = 0; i < 8; i++)
			assert_non_null(l[i] = resolver_host(w.resolver, name, 0, &error));
		assert_null(resolver_host(w.resolver, name, 0, &error));
		assert_int_equal(error, ERR_LIMIT);
		duo_pass(&w.duo, NANO_MS);
		for (unsigned i = 0; i < 8; i++)
			lookup_release(w.resolver, l[i]);
	}
	close_world(&w);
}

static void slow_six(struct puppet *p)
{
	if (p->query.question.type == DNS_TYPE_A)
		puppet_answer(p);
}

static bool usable(void *user)
{
	struct world *w = user;
	nanotime when;
	return lookup_usable(w->lookup, w->duo.now, &when);
}

/* RFC 8305 3: A alone is good enough 50 ms later, though AAAA never comes. */
static void usable_early(void **state)
{
	(void)state;
	struct world w;
	enum error error;
	nanotime when;
	open_world(&w, slow_six, false);
	host(&w, "other.example.test", LOOKUP_A); /* ARP is done */
	lookup_release(w.resolver, w.lookup);
	nanotime start = w.duo.now;
	duo_use(&w.duo.host[0]);
	w.lookup = resolver_host(w.resolver, text_span_of("www.example.test"), 0, &error);
	assert_false(lookup_usable(w.lookup, w.duo.now, &when));
	assert_true(when == NANOTIME_NEVER);
	assert_false(duo_run(&w.duo, 40 * NANO_MS, usable, &w));
	assert_false(lookup_usable(w.lookup, w.duo.now, &when));
	assert_true(when == start + 52 * NANO_MS);
	assert_true(lookup_usable(w.lookup, when, &when));
	assert_int_equal(w.lookup->status, RESOLVER_PENDING);
	close_world(&w);
}

static bool settled(void *user)
{
	struct world *w = user;
	nanotime when;
	return lookup_settled(w->lookup, w->duo.now, &when);
}

static unsigned lost_sixes;

/* The question for AAAA gets lost so many times. */
static void six_lost(struct puppet *p)
{
	if (p->query.question.type == DNS_TYPE_A || !lost_sixes)
		puppet_answer(p);
	else
		lost_sixes--;
}

/* Who wants all addresses waits for the other family as long as takes one message that is lost, and
 * no longer. */
static void all_addresses(void **state)
{
	(void)state;
	for (lost_sixes = 0; lost_sixes < 3; lost_sixes++) {
		const unsigned lost = lost_sixes;
		struct world w;
		enum error error;
		nanotime when;
		open_world(&w, six_lost, false);
		host(&w, "other.example.test", LOOKUP_A); /* ARP is done */
		lookup_release(w.resolver, w.lookup);
		nanotime start = w.duo.now;
		duo_use(&w.duo.host[0]);
		w.lookup = resolver_host(w.resolver, text_span_of("www.example.test"), 0, &error);
		assert_false(lookup_settled(w.lookup, start + NANO_S, &when));
		assert_true(when == NANOTIME_NEVER);
		bool in_time = duo_run(&w.duo, 2900 * NANO_MS, settled, &w);
		assert_int_equal(in_time, lost < 2);
		if (in_time) {
			assert_int_equal(w.lookup->status, RESOLVER_FOUND);
			assert_int_equal(w.lookup->addresses, 2);
			nanodiff took = w.duo.now - start;
			assert_true(took >= lost * 2 * NANO_S);
			assert_true(took < lost * 2 * NANO_S + 100 * NANO_MS);
		} else {
			assert_false(lookup_settled(w.lookup, start + 3 * NANO_S, &when));
			assert_true(when == start + 3 * NANO_S + 2 * NANO_MS);
			assert_true(lookup_settled(w.lookup, when, &when));
			assert_int_equal(w.lookup->addresses, 1);
		}
		close_world(&w);
		lost_sixes = lost;
	}
}

static void rotation(void **state)
{
	(void)state;
	struct world w;
	struct resolver_config c = config_for(NULL);
	c.servers = 2;
	c.server[1] = address("2001:db8::2");
	c.rotate = true;
	open_with(&w, puppet_answer, false, &c);
	const struct resolver_answer *a = ask(&w, "a.example.test", DNS_TYPE_A, 0);
	assert_true(addr_is4(&a->try[0].server));
	a = ask(&w, "b.example.test", DNS_TYPE_A, 0);
	assert_false(addr_is4(&a->try[0].server));
	a = ask(&w, "c.example.test", DNS_TYPE_A, 0);
	assert_true(addr_is4(&a->try[0].server));
	close_world(&w);
}

/* Ports, IDs and case are spread: 300 questions, no value that dominates. */
static void unpredictable(void **state)
{
	(void)state;
	struct world w;
	unsigned high_port = 0, high_id = 0, upper = 0, letters = 0, repeated = 0;
	uint16_t last_port = 0;
	open_world(&w, puppet_answer, false);
	for (unsigned i = 0; i < 300; i++) {
		const struct resolver_answer *a = ask(
			&w, "abcdefghijklmnop.test", DNS_TYPE_A, LOOKUP_NO_CACHE);
		high_port += a->try[0].local_port >= 33280;
		high_id += a->try[0].id >= 0x8000;
		repeated += a->try[0].local_port == last_port;
		last_port = a->try[0].local_port;
		for (unsigned j = 0; j < w.puppet.query.question.name.len; j++) {
			uint8_t c = w.puppet.query.question.name.b[j];
			letters += (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
			upper += c >= 'A' && c <= 'Z';
		}
	}
	assert_in_range(high_port, 100, 200);
	assert_in_range(high_id, 100, 200);
	assert_in_range(upper, letters * 4 / 10, letters * 6 / 10);
	assert_true(repeated < 3);
	close_world(&w);
}

static void configs(void **state)
{
	(void)state;
	struct resolver_config good = config_for(NULL), c;
	assert_null(resolver_config_check(&good));
#define BREAKS(change) (c = good, c.change, assert_non_null(resolver_config_check(&c)))
	BREAKS(servers = 9);
	BREAKS(port = 0);
	BREAKS(timeout = 0);
	BREAKS(timeout_max = 1);
	BREAKS(total = 1);
	BREAKS(rounds = 0);
	BREAKS(udp_size = 511);
	BREAKS(mismatches = 0);
	BREAKS(lookups = 0);
	BREAKS(message_max = 511);
	BREAKS(message_max = 65536);
	BREAKS(cache_message = 65536);
	BREAKS(ttl_max = UINT32_MAX);
	BREAKS(server[0] = address("ff02::1"));
	BREAKS(server[0] = ADDR_ANY);

	/* A measuring arena tells how much memory it takes, and that much is enough. */
	struct arena measure = { .size = SIZE_MAX };
	struct duo d;
	const char *why;
	duo_open(&d);
	assert_null(resolver_create(&good, d.host[0].stack, &measure, &why));
	assert_string_equal(why, "resolver: not enough memory");
	struct arena exact = { .at = d.host[0].arena.at, .size = measure.used };
	assert_non_null(resolver_create(&good, d.host[0].stack, &exact, &why));
	exact = (struct arena){ .at = d.host[0].arena.at, .size = measure.used - 8 };
	assert_null(resolver_create(&good, d.host[0].stack, &exact, &why));
	duo_close(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(destroyed),
		cmocka_unit_test(both_families),
		cmocka_unit_test(one_family),
		cmocka_unit_test(literals),
		cmocka_unit_test(no_such_name),
		cmocka_unit_test(no_data),
		cmocka_unit_test(alias_chain),
		cmocka_unit_test(alias_steps),
		cmocka_unit_test(alias_loops),
		cmocka_unit_test(canonical_letters),
		cmocka_unit_test(silence),
		cmocka_unit_test(one_lost),
		cmocka_unit_test(second_server),
		cmocka_unit_test(dead_server),
		cmocka_unit_test(failing_server),
		cmocka_unit_test(errors_only),
		cmocka_unit_test(nothing_listens),
		cmocka_unit_test(noise_is_ignored),
		cmocka_unit_test(broken_server),
		cmocka_unit_test(storm),
		cmocka_unit_test(case_lost),
		cmocka_unit_test(no_edns),
		cmocka_unit_test(bare_formerr_then_answer),
		cmocka_unit_test(truncated),
		cmocka_unit_test(tcp_from_the_start),
		cmocka_unit_test(tcp_refused),
		cmocka_unit_test(tcp_garbage),
		cmocka_unit_test(cache),
		cmocka_unit_test(negative_cache),
		cmocka_unit_test(cache_is_bounded),
		cmocka_unit_test(bounds),
		cmocka_unit_test(usable_early),
		cmocka_unit_test(all_addresses),
		cmocka_unit_test(rotation),
		cmocka_unit_test(unpredictable),
		cmocka_unit_test(configs),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
