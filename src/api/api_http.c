/*
 * One page with all that belongs to it: a fetch (application/http/fetch.h) whose
 * body goes to growing memory, and whose head is copied to strings that live as
 * long as the response.
 */
#include "strata/http.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/api_net.h"

#define DEFAULT_TIMEOUT (60 * NANO_S)
#define DEFAULT_CONTENT ((size_t)64 << 20)
#define FIELDS_MAX      32 /* of a request */

/* The public response comes first; the rest is how it is freed. */
struct response {
	struct strata_http_response out;
	uint8_t *content;
	size_t len, cap, max;
	char *strings; /* all text, one after the other */
};

static int64_t take(void *user, struct span bytes)
{
	struct response *r = user;
	if (bytes.len > r->max - r->len)
		return -ERR_LIMIT;
	size_t need = r->len + bytes.len + 1;
	if (need > r->cap) {
		size_t cap = need > 2 * r->cap ? need : 2 * r->cap;
		uint8_t *grown = realloc(r->content, cap);
		if (!grown)
			return -ERR_MEMORY;
		r->content = grown;
		r->cap = cap;
	}
	if (bytes.len)
		memcpy(r->content + r->len, bytes.at, bytes.len);
	r->len += bytes.len;
	r->content[r->len] = '\0';
	return (int64_t)bytes.len;
}

/* Copies text and closes it; returns where it went. */
static const char *keep(char **at, struct span s)
{
	char *to = *at;
	memcpy(to, s.at, s.len);
	to[s.len] = '\0';
	*at += s.len + 1;
	return to;
}

static bool keep_head(struct response *r, const struct fetch_info *i)
{
	const struct http1_head *h = i->exchange->head;
	size_t size = h->reason.len + i->url_text.len + 2;
	for (unsigned f = 0; f < h->field_count; f++)
		size += h->field[f].name.len + h->field[f].value.len + 2;
	struct strata_http_field *field = calloc(h->field_count + 1, sizeof *field);
	r->out.field = field;
	char *at = r->strings = malloc(size);
	if (!at || !field)
		return false;
	r->out.status = h->status;
	r->out.reason = keep(&at, h->reason);
	r->out.url = keep(&at, i->url_text);
	r->out.redirects = i->redirects;
	r->out.server = address_out(&i->exchange->remote.address, i->exchange->remote.port);
	r->out.fields = h->field_count;
	for (unsigned f = 0; f < h->field_count; f++) {
		field[f].name = keep(&at, h->field[f].name);
		field[f].value = keep(&at, h->field[f].value);
	}
	r->out.content = r->content;
	r->out.content_len = r->len;
	return true;
}

static enum error problem_error(const struct fetch_info *i)
{
	switch (i->problem) {
	case FETCH_PROBLEM_URL:
	case FETCH_PROBLEM_REQUEST: return ERR_ARGUMENT;
	case FETCH_PROBLEM_TLS: return ERR_UNSUPPORTED;
	case FETCH_PROBLEM_NAME: return ERR_NOT_FOUND;
	case FETCH_PROBLEM_REFUSED: return ERR_REFUSED;
	case FETCH_PROBLEM_RESET: return ERR_RESET;
	case FETCH_PROBLEM_TIMEOUT: return ERR_TIMEOUT;
	case FETCH_PROBLEM_FAMILY: return ERR_FAMILY;
	case FETCH_PROBLEM_REDIRECT:
	case FETCH_PROBLEM_LIMIT: return ERR_LIMIT;
	case FETCH_PROBLEM_SINK: return i->error;
	case FETCH_PROBLEM_UNREACHABLE: return i->error ? i->error : ERR_HOST_UNREACHABLE;
	case FETCH_PROBLEM_DNS:
	case FETCH_PROBLEM_LOCAL: return i->error ? i->error : ERR_TIMEOUT;
	case FETCH_PROBLEM_CANCELLED: return ERR_ABORTED;
	default: return ERR_MALFORMED;
	}
}

static bool ended(void *user)
{
	const struct fetch_info *i = fetch_info(user);
	return i->state == FETCH_DONE || i->state == FETCH_FAILED;
}

static struct http_client *make_http(struct strata *n)
{
	struct http_client_config c;
	const char *why = "out of memory";
	http_client_config_default(&c);
	struct arena arena = { .at = NULL };
	http_client_create(&c, n->site->stack, &arena, &why);
	arena = (struct arena){ .at = net_memory(n, arena.used), .size = arena.used };
	struct http_client *h = arena.at ? http_client_create(&c, n->site->stack, &arena, &why)
					 : NULL;
	if (!h)
		api_fail(ERR_MEMORY, "%s", why);
	else
		site_add_app(n->site, http_client_app(h));
	return h;
}

struct http_client *net_http(struct strata *n)
{
	if (!n->http)
		n->http = make_http(n);
	return n->http;
}

static struct span words(const char *s)
{
	return span_of(s, s ? strlen(s) : 0);
}

/* Runs the fetch to its end. True: it is done, and the response complete. */
static bool run_fetch(struct strata *n, struct fetch *f, const struct fetch_request *q,
	struct response *r, nanotime until)
{
	fetch_start(f, q);
	site_add_app(n->site, fetch_app(f));
	enum error e = ended(f) ? ERR_OK : net_await(n, until, ended, f);
	net_use(n);
	const struct fetch_info *i = fetch_info(f);
	bool good = false;
	if (e && e != ERR_TIMEOUT)
		net_fail(n, e);
	else if (e || i->state == FETCH_FAILED)
		api_fail(e ? e : problem_error(i), "%s", e ? "timed out" : i->text);
	else if (take(r, span_of(NULL, 0)) < 0 || !keep_head(r, i))
		api_error(ERR_MEMORY);
	else
		good = true;
	list_remove(&fetch_app(f)->link);
	fetch_cancel(f);
	return good;
}

static bool get(
	struct strata *n, const char *url, const struct strata_http_options *o, struct response *r)
{
	struct http1_field field[FIELDS_MAX];
	struct fetch_config c = { .resolver = net_resolver(n), .client = net_http(n) };
	int64_t timeout = o->timeout ? o->timeout : DEFAULT_TIMEOUT;
	if (!c.resolver || !c.client)
		return false;
	if (o->fields > FIELDS_MAX) {
		api_fail(ERR_LIMIT, "%u fields at most", FIELDS_MAX);
		return false;
	}
	for (unsigned i = 0; i < o->fields; i++)
		field[i] = (struct http1_field){ words(o->field[i].name),
			words(o->field[i].value) };
	const struct fetch_request q = {
		.url = words(url),
		.method = words(o->method),
		.field = field,
		.fields = o->fields,
		.follow = o->redirects > 0,
		.redirects_max = o->redirects,
		.timeout = timeout > 0 ? timeout : 0,
		.sink = take,
		.user = r,
	};
	const char *why = "out of memory";
	struct arena arena = { .at = NULL };
	fetch_create(&c, n->site->stack, &arena, &why);
	void *memory = malloc(arena.used + 64);
	arena = (struct arena){ .at = memory, .size = arena.used };
	struct fetch *f = memory ? fetch_create(&c, n->site->stack, &arena, &why) : NULL;
	bool good = false;
	if (f)
		good = run_fetch(n, f, &q, r, net_deadline(n, timeout));
	else
		api_fail(ERR_MEMORY, "%s", why);
	free(memory);
	return good;
}

struct strata_http_response *strata_http_get(
	struct strata *net, const char *url, const struct strata_http_options *options)
{
	static const struct strata_http_options defaults;
	const struct strata_http_options *o = options ? options : &defaults;
	struct response *r = calloc(1, sizeof *r);
	if (!r || !url) {
		api_error(r ? ERR_ARGUMENT : ERR_MEMORY);
		free(r);
		return NULL;
	}
	r->max = o->content_max ? o->content_max : DEFAULT_CONTENT;
	bool good = false;
	if (net_enter(net)) {
		good = get(net, url, o, r);
		net_leave(net);
	}
	if (good)
		return &r->out;
	strata_http_free(&r->out);
	return NULL;
}

const char *strata_http_field(const struct strata_http_response *response, const char *name)
{
	for (unsigned i = 0; response && i < response->fields; i++)
		if (http1_name_is(words(response->field[i].name), name))
			return response->field[i].value;
	return NULL;
}

void strata_http_free(struct strata_http_response *response)
{
	if (!response)
		return;
	struct response *r = list_entry(response, struct response, out);
	free((void *)(uintptr_t)r->out.field);
	free(r->strings);
	free(r->content);
	free(r);
}
