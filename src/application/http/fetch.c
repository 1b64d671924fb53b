/*
 * A hop is one URL: an exchange is begun at once, because a kept connection may
 * need no address; where it asks for some, the look-up starts, and each address
 * goes to the exchange when it comes. A redirect ends the hop and begins another.
 */
#include "application/http/fetch_hop.h"

#include "application/http/url_reference.h"
#include "base/text.h"

static void run(struct app *a, struct stack *s, nanotime now);
static nanotime deadline(const struct app *a);

struct fetch *fetch_create(
	const struct fetch_config *c, struct stack *s, struct arena *arena, const char **why)
{
	*why = c->client ? NULL : "fetch: no HTTP client";
	if (*why)
		return NULL;
	struct fetch *f = arena_take(arena, sizeof *f, _Alignof(struct fetch));
	if (!f) {
		*why = "fetch: not enough memory";
		return NULL;
	}
	memset(f, 0, sizeof *f);
	f->app = (struct app){ .run = run, .deadline = deadline };
	f->config = *c;
	f->stack = s;
	list_init(&f->app.link);
	return f;
}

struct app *fetch_app(struct fetch *f)
{
	return &f->app;
}

const struct fetch_info *fetch_info(const struct fetch *f)
{
	return &f->info;
}

static bool span_is(struct span s, const char *literal)
{
	size_t len = 0;
	while (literal[len])
		len++;
	return span_equal(s, span_of(literal, len));
}

static bool running(const struct fetch *f)
{
	return f->info.state > FETCH_IDLE && f->info.state < FETCH_DONE;
}

/* ---- the end ---- */

static void fail(struct fetch *f, enum fetch_problem problem, enum error error, nanotime now)
{
	if (!running(f))
		return;
	f->info.failed_at = f->info.state;
	f->info.state = FETCH_FAILED;
	f->info.problem = problem;
	f->info.error = error;
	f->info.times.done = now;
	fetch_explain(f, now);
	if (f->exchange)
		http_exchange_cancel(f->config.client, f->exchange);
	if (f->lookup)
		lookup_cancel(f->config.resolver, f->lookup);
}

static void release_hop(struct fetch *f)
{
	if (f->exchange)
		http_exchange_release(f->config.client, f->exchange);
	if (f->lookup)
		lookup_release(f->config.resolver, f->lookup);
	f->exchange = NULL;
	f->lookup = NULL;
	f->info.exchange = NULL;
	f->info.lookup = NULL;
}

void fetch_cancel(struct fetch *f)
{
	release_hop(f);
	if (running(f))
		fail(f, FETCH_PROBLEM_CANCELLED, ERR_ABORTED, stack_time(f->stack));
	f->info.state = f->info.state == FETCH_FAILED ? FETCH_FAILED : FETCH_IDLE;
}

/* ---- the name ---- */

/* The families of which we have an address that reaches beyond the link. */
static unsigned families_of(struct stack *s)
{
	const struct netif *nif;
	unsigned have = 0;

	for (unsigned i = 0; (nif = stack_netif(s, i)); i++) {
		for (unsigned j = 0; j < nif->addresses; j++) {
			const struct addr *a = &nif->address[j].address;
			if (addr_is4(a))
				have |= LOOKUP_A;
			else if (!addr_is_linklocal(a))
				have |= LOOKUP_AAAA;
		}
	}
	return have ? have : LOOKUP_BOTH;
}

static void look_up(struct fetch *f, unsigned families, nanotime now)
{
	enum error error;

	if (!f->config.resolver) {
		fail(f, FETCH_PROBLEM_DNS, ERR_OK, now);
		return;
	}
	if (f->info.times.dns_started == NANOTIME_NEVER)
		f->info.times.dns_started = now;
	f->looked_up = false;
	f->given = 0;
	f->lookup = resolver_host(f->config.resolver, f->info.url.host, families, &error);
	f->info.lookup = f->lookup;
	if (!f->lookup)
		fail(f, error == ERR_ARGUMENT ? FETCH_PROBLEM_NAME : FETCH_PROBLEM_LOCAL, error,
			now);
}

/* The look-up has ended without an address. */
static void not_found(struct fetch *f, nanotime now)
{
	unsigned asked = f->request.families ? f->request.families : families_of(f->stack);

	switch (f->lookup->status) {
	case RESOLVER_NO_DATA:
		/* Perhaps the name has addresses of the family that we have not: say so then. */
		if (!f->probing && asked != LOOKUP_BOTH) {
			lookup_release(f->config.resolver, f->lookup);
			f->probing = true;
			look_up(f, LOOKUP_BOTH & ~asked, now);
			return;
		}
		fail(f, FETCH_PROBLEM_NAME, ERR_NOT_FOUND, now);
		return;
	case RESOLVER_NO_NAME: fail(f, FETCH_PROBLEM_NAME, ERR_NOT_FOUND, now); return;
	default: fail(f, FETCH_PROBLEM_DNS, ERR_OK, now);
	}
}

static void feed_addresses(struct fetch *f, nanotime now)
{
	struct addr address[RESOLVER_ADDRESSES_MAX];
	struct lookup *l = f->lookup;
	bool pending = l->status == RESOLVER_PENDING;
	unsigned count = 0;
	nanotime when;

	if (f->looked_up || !lookup_usable(l, now, &when))
		return;
	f->looked_up = !pending;
	if (l->addresses == 0) {
		not_found(f, now);
		return;
	}
	if (f->info.times.dns_done == NANOTIME_NEVER)
		f->info.times.dns_done = now;
	if (f->probing) {
		fail(f, FETCH_PROBLEM_FAMILY, ERR_FAMILY, now);
		return;
	}
	while (f->given < l->addresses)
		address[count++] = l->address[f->given++].address;
	http_exchange_addresses(f->config.client, f->exchange, address, count, pending);
}

static void find_addresses(struct fetch *f, nanotime now)
{
	if (f->info.url.has_addr) {
		http_exchange_addresses(f->config.client, f->exchange, &f->info.url.addr, 1, false);
		return;
	}
	f->info.state = FETCH_RESOLVING;
	look_up(f, f->request.families ? f->request.families : families_of(f->stack), now);
}

/* ---- a hop ---- */

static void begin_hop(struct fetch *f, nanotime now)
{
	struct fetch_info *i = &f->info;
	struct url *u = &i->url;
	enum error error;

	f->seen = HTTP_CONNECT;
	f->given = 0;
	f->looked_up = f->probing = f->redirecting = f->sink_full = false;
	f->drained = 0;
	i->times.dns_started = i->times.dns_done = NANOTIME_NEVER;
	i->state = FETCH_CONNECTING;
	i->status = 0;
	if (u->secure) {
		fail(f, FETCH_PROBLEM_TLS, ERR_UNSUPPORTED, now);
		return;
	}
	struct http_request r = { .method = f->method,
		.authority = u->authority,
		.host = u->host,
		.port = u->port,
		.target = span_of(f->target, url_target(u, f->target, sizeof f->target)),
		.field = f->field,
		.fields = f->fields,
		.body = f->request.body,
		.has_body = f->send_body };
	f->exchange = http_exchange_start(f->config.client, &r, &error);
	i->exchange = f->exchange;
	if (!f->exchange)
		fail(f, error == ERR_ARGUMENT ? FETCH_PROBLEM_REQUEST : FETCH_PROBLEM_LOCAL, error,
			now);
	else if (f->exchange->needs_addresses)
		find_addresses(f, now);
}

/* Takes the URL in f->url: parsed, and written out in full. */
static enum url_error take_url(struct fetch *f, struct span text, bool scheme_optional)
{
	struct fetch_info *i = &f->info;
	struct url u;
	struct text t = text_of(f->url, sizeof f->url);

	i->url_text = text;
	enum url_error e = url_parse(text, scheme_optional, &u, &i->url_at);
	if (e)
		return e;
	text_string(&t, u.secure ? "https://" : "http://");
	text_span(&t, u.authority);
	text_span(&t, u.path.len ? u.path : span_of("/", 1));
	if (u.has_query) {
		text_char(&t, '?');
		text_span(&t, u.query);
	}
	if (t.cut)
		return URL_LONG;
	i->url_text = span_of(f->url, t.len);
	return url_parse(i->url_text, false, &i->url, &i->url_at);
}

enum error fetch_start(struct fetch *f, const struct fetch_request *r)
{
	nanotime now = stack_time(f->stack);
	struct fetch_info *i = &f->info;

	if (running(f))
		return ERR_STATE;
	release_hop(f);
	memset(i, 0, sizeof *i);
	i->state = FETCH_CONNECTING;
	i->times = (struct fetch_times){ .started = now,
		.dns_started = NANOTIME_NEVER,
		.dns_done = NANOTIME_NEVER,
		.done = NANOTIME_NEVER };
	f->request = *r;
	f->method = r->method.len ? r->method
		: r->has_body     ? span_of("POST", 4)
				  : span_of("GET", 3);
	f->send_body = r->has_body;
	f->give_up = r->timeout > 0 ? now + r->timeout : NANOTIME_NEVER;
	f->fields = r->fields;
	if (r->fields > FETCH_FIELDS_MAX) {
		fail(f, FETCH_PROBLEM_REQUEST, ERR_LIMIT, now);
		return ERR_OK;
	}
	if (r->fields)
		memcpy(f->field, r->field, r->fields * sizeof *r->field);
	i->url_error = take_url(f, r->url, true);
	if (i->url_error)
		fail(f, FETCH_PROBLEM_URL, ERR_ARGUMENT, now);
	else
		begin_hop(f, now);
	return ERR_OK;
}

/* ---- redirects (RFC 9110 15.4) ---- */

static bool is_redirect(const struct http1_head *h)
{
	switch (h->status) {
	case 301:
	case 302:
	case 303:
	case 307:
	case 308: return http1_field_count(h, "Location") == 1;
	default: return false;
	}
}

static bool same_host(const struct url *a, const struct url *b)
{
	if (a->port != b->port || a->host.len != b->host.len)
		return false;
	for (size_t i = 0; i < a->host.len; i++)
		if ((a->host.at[i] | 0x20) != (b->host.at[i] | 0x20))
			return false;
	return true;
}

/* Takes fields out that must not go where the redirect leads. */
static void drop_fields(struct fetch *f, bool other_host, bool no_body)
{
	static const char *const secret[] = { "Authorization", "Cookie", "Proxy-Authorization",
		"Host" };
	static const char *const content[] = { "Content-Length", "Content-Type", "Content-Encoding",
		"Content-Language", "Content-Location", "Transfer-Encoding" };
	unsigned kept = 0;

	for (unsigned i = 0; i < f->fields; i++) {
		bool drop = false;
		for (unsigned j = 0; other_host && j < sizeof secret / sizeof secret[0]; j++)
			drop |= http1_name_is(f->field[i].name, secret[j]);
		for (unsigned j = 0; no_body && j < sizeof content / sizeof content[0]; j++)
			drop |= http1_name_is(f->field[i].name, content[j]);
		if (!drop)
			f->field[kept++] = f->field[i];
	}
	f->fields = kept;
}

/* The next URL stands in f->next; this hop's connection is free again, or closed. */
static void follow(struct fetch *f, nanotime now)
{
	struct fetch_info *i = &f->info;
	unsigned status = i->status;
	size_t len = 0;
	struct url next;

	while (f->next[len])
		len++;
	release_hop(f);
	/* Errors in it are told with the URL that led here still at hand. */
	i->url_error = url_parse(span_of(f->next, len), false, &next, &i->url_at);
	if (i->url_error) {
		fail(f, FETCH_PROBLEM_REDIRECT, ERR_MALFORMED, now);
		return;
	}
	bool post = span_is(f->method, "POST");
	bool to_get = (status == 303 && !span_is(f->method, "HEAD")) ||
		((status == 301 || status == 302) && post);
	if (to_get) {
		f->method = span_of("GET", 3);
		f->send_body = false;
	}
	drop_fields(f, !same_host(&i->url, &next), to_get);
	take_url(f, span_of(f->next, len), false);
	begin_hop(f, now);
}

/* Does this response lead elsewhere? Then where to, while its head is there. */
static void look_for_redirect(struct fetch *f, nanotime now)
{
	const struct http1_head *h = f->exchange->head;
	unsigned most = f->request.redirects_max ? f->request.redirects_max : FETCH_REDIRECTS_MAX;

	if (!f->request.follow || !is_redirect(h))
		return;
	if (f->info.redirects == most) {
		fail(f, FETCH_PROBLEM_REDIRECT, ERR_LIMIT, now);
		return;
	}
	size_t len = url_reference(
		&f->info.url, http1_field_find(h, "Location")->value, f->next, sizeof f->next);
	if (len == 0) {
		f->info.url_error = URL_LONG;
		fail(f, FETCH_PROBLEM_REDIRECT, ERR_MALFORMED, now);
		return;
	}
	f->info.redirects++;
	f->redirecting = true;
}

/* ---- the response ---- */

static enum fetch_problem problem_of(const struct fetch *f)
{
	const struct http_exchange *x = f->exchange;
	unsigned family = addr_is4(&x->dial.attempt[0].address) ? LOOKUP_A : LOOKUP_AAAA;

	switch (x->problem) {
	case HTTP_PROBLEM_FAMILY:
		/* With an address of the family, it is only the way that is missing. */
		return families_of(f->stack) & family ? FETCH_PROBLEM_UNREACHABLE
						      : FETCH_PROBLEM_FAMILY;
	case HTTP_PROBLEM_TIMEOUT: return FETCH_PROBLEM_TIMEOUT;
	case HTTP_PROBLEM_RESET:
		return x->error == ERR_TIMEOUT ? FETCH_PROBLEM_TIMEOUT : FETCH_PROBLEM_RESET;
	case HTTP_PROBLEM_TRUNCATED: return FETCH_PROBLEM_TRUNCATED;
	case HTTP_PROBLEM_TOO_LARGE: return FETCH_PROBLEM_LIMIT;
	case HTTP_PROBLEM_CANCELLED: return FETCH_PROBLEM_CANCELLED;
	case HTTP_PROBLEM_CONNECT: break;
	default: return FETCH_PROBLEM_RESPONSE;
	}
	switch (x->error) {
	case ERR_REFUSED: return FETCH_PROBLEM_REFUSED;
	case ERR_RESET: return FETCH_PROBLEM_RESET;
	case ERR_TIMEOUT: return FETCH_PROBLEM_TIMEOUT;
	case ERR_NO_ROUTE:
	case ERR_NO_ADDRESS:
	case ERR_FAMILY:
	case ERR_HOST_UNREACHABLE:
	case ERR_NET_UNREACHABLE:
	case ERR_PORT_UNREACHABLE:
	case ERR_PROTOCOL_UNREACHABLE: return FETCH_PROBLEM_UNREACHABLE;
	default: return FETCH_PROBLEM_LOCAL;
	}
}

static enum fetch_state state_of(const struct fetch *f)
{
	static const enum fetch_state states[] = { FETCH_CONNECTING, FETCH_SENDING, FETCH_WAITING,
		FETCH_BODY, FETCH_BODY };
	bool resolving = f->exchange->step == HTTP_CONNECT && f->lookup && f->given == 0;
	return resolving ? FETCH_RESOLVING : states[f->exchange->step];
}

/* Reads over a redirect's own body, if it is short. True: the next hop may begin. */
static bool drain(struct fetch *f)
{
	struct span run;
	int some;

	while ((some = http_exchange_peek(f->config.client, f->exchange, &run)) > 0) {
		f->drained += run.len;
		if (f->drained > FETCH_DRAIN_MAX)
			return true;
		http_exchange_consume(f->config.client, f->exchange, run.len);
	}
	return some != -ERR_AGAIN;
}

/* Gives body bytes to the sink. */
static void pump(struct fetch *f, nanotime now)
{
	struct span run;

	while (running(f) && !f->sink_full &&
		http_exchange_peek(f->config.client, f->exchange, &run) > 0) {
		int64_t took = f->request.sink(f->request.user, run);
		if (took < 0) {
			fail(f, FETCH_PROBLEM_SINK, (enum error) - took, now);
			return;
		}
		assert((uint64_t)took <= run.len);
		f->sink_full = took == 0;
		http_exchange_consume(f->config.client, f->exchange, (size_t)took);
	}
}

static void take_head(struct fetch *f, nanotime now)
{
	f->info.status = f->exchange->head->status;
	look_for_redirect(f, now);
}

/* Looks at what resolver and client have done. */
static void progress(struct fetch *f, nanotime now)
{
	struct fetch_info *i = &f->info;

	if (f->lookup && running(f))
		feed_addresses(f, now);
	if (!running(f) || !f->exchange)
		return;
	struct http_exchange *x = f->exchange;
	/* A kept connection had gone stale: now an address is needed after all. */
	if (x->needs_addresses && x->step == HTTP_CONNECT && !f->lookup && !x->problem)
		find_addresses(f, now);
	if (!running(f))
		return;
	i->state = state_of(f);
	f->seen = x->step;
	if (x->head && i->status == 0)
		take_head(f, now);
	if (f->redirecting && running(f)) {
		if (drain(f))
			follow(f, now);
		return;
	}
	if (x->head && f->request.sink)
		pump(f, now);
	if (!running(f))
		return; /* the sink took no more: its error is the one that counts */
	i->body_bytes = x->body_bytes;
	i->times.http = x->times;
	if (x->problem) {
		i->state = state_of(f);
		fail(f, problem_of(f), x->error, now);
	} else if (x->step == HTTP_DONE && running(f)) {
		i->state = FETCH_DONE;
		i->times.done = now;
	}
}

int64_t fetch_read(struct fetch *f, void *to, size_t cap)
{
	nanotime now = stack_time(f->stack);

	if (f->info.state == FETCH_FAILED)
		return -(int64_t)(f->info.error ? f->info.error : ERR_CLOSED);
	if (!running(f))
		return f->info.state == FETCH_DONE ? 0 : -(int64_t)ERR_STATE;
	if (!f->exchange || !f->exchange->head || f->redirecting || f->request.sink)
		return -(int64_t)ERR_AGAIN;
	int64_t n = http_exchange_read(f->config.client, f->exchange, to, cap);
	progress(f, now);
	return n;
}

void fetch_resume(struct fetch *f)
{
	f->sink_full = false;
}

static void run(struct app *a, struct stack *s, nanotime now)
{
	struct fetch *f = list_entry(a, struct fetch, app);
	struct app *client = http_client_app(f->config.client);

	if (f->config.resolver) {
		struct app *resolver = resolver_app(f->config.resolver);
		resolver->run(resolver, s, now);
	}
	client->run(client, s, now);
	if (!running(f))
		return;
	/* A hop may end and the next begin, with nothing more to wait for. */
	for (unsigned hops = f->info.redirects;;) {
		progress(f, now);
		if (f->info.redirects == hops || !running(f))
			break;
		hops = f->info.redirects;
	}
	if (running(f) && now >= f->give_up)
		fail(f, FETCH_PROBLEM_TIMEOUT, ERR_TIMEOUT, now);
}

/* Has anything happened that progress has not seen? */
static bool unseen(const struct fetch *f)
{
	const struct http_exchange *x = f->exchange;

	if (f->lookup && !f->looked_up &&
		(f->lookup->status != RESOLVER_PENDING ||
			(f->given && f->given < f->lookup->addresses)))
		return true;
	return x && (x->problem || x->step != f->seen || (x->head && f->info.status == 0));
}

static nanotime deadline(const struct app *a)
{
	const struct fetch *f = list_entry(a, const struct fetch, app);
	struct app *client = http_client_app(f->config.client);
	nanotime first = client->deadline(client), when;

	if (f->config.resolver) {
		struct app *resolver = resolver_app(f->config.resolver);
		first = nanotime_min(first, resolver->deadline(resolver));
	}
	if (!running(f))
		return first;
	if (unseen(f))
		return 0;
	if (f->lookup && !f->given && !lookup_usable(f->lookup, 0, &when))
		first = nanotime_min(first, when);
	return nanotime_min(first, f->give_up);
}
