/*
 * Connecting: a look-up and a dial (application/dial.h) as one application that
 * lives as long as the call. The first family to be resolved does not wait for
 * the other, and an address that does not answer does not hold up the next.
 */
#include <stdlib.h>

#include "api/api_handles.h"
#include "application/dial.h"

struct connector {
	struct app app;
	struct sock_queue queue; /* of the attempts' sockets */
	struct lookup *lookup;   /* NULL: an address was given */
	struct dial dial;
	unsigned added;  /* addresses of the look-up that the dial has */
	nanotime ask_at; /* when the look-up may be usable */
	int64_t result;  /* of the dial; -ERR_AGAIN: not finished */
};

static void add_found(struct connector *c, nanotime now)
{
	struct lookup *l = c->lookup;
	struct addr found[RESOLVER_ADDRESSES_MAX];
	c->ask_at = NANOTIME_NEVER;
	if (!l || !lookup_usable(l, now, &c->ask_at))
		return;
	unsigned count = 0;
	while (c->added < l->addresses)
		found[count++] = l->address[c->added++].address;
	dial_add(&c->dial, found, count, l->status == RESOLVER_PENDING);
}

static void run(struct app *a, struct stack *s, nanotime now)
{
	struct connector *c = list_entry(a, struct connector, app);
	struct sock_event e;
	while (sock_next(s, &c->queue, &e))
		;
	if (c->result != -ERR_AGAIN)
		return;
	add_found(c, now);
	int64_t r = c->added ? dial_run(&c->dial, s, now) : 0;
	bool nothing = c->lookup && c->lookup->status != RESOLVER_PENDING && !c->added;
	if (r || nothing)
		c->result = nothing ? -ERR_NOT_FOUND : r;
}

static nanotime deadline(const struct app *a)
{
	const struct connector *c = list_entry(a, struct connector, app);
	if (c->result != -ERR_AGAIN)
		return NANOTIME_NEVER;
	nanotime next = c->added ? dial_deadline(&c->dial) : NANOTIME_NEVER;
	return nanotime_min(next, c->ask_at);
}

static bool finished(void *user)
{
	const struct connector *c = user;
	return c->result != -ERR_AGAIN;
}

/* The error of a dial that failed, with what was tried. */
static int dial_fail(const struct dial *d, const char *where)
{
	enum error e = dial_error(d);
	char address[ADDR_TEXT_MAX] = "";
	if (dial_family_mismatch(d))
		return api_fail(
			e, "%s: its addresses are of a family that this net has not", where);
	if (d->count == 1)
		addr_format(&d->attempt[0].address, address);
	return api_fail(e, "%s: %s%s%s", where, address, address[0] ? ": " : "", error_text(e));
}

/* Starts the look-up or takes the address; false: an error is set. */
static bool begin(struct connector *c, struct strata *n, const struct endpoint_words *w,
	const char *where, bool early)
{
	const struct sock_options o = { .queue = &c->queue, .user = c, .fast_open = early };
	*c = (struct connector){
		.app = { .run = run, .deadline = deadline },
		.result = -ERR_AGAIN,
		.ask_at = NANOTIME_NEVER,
	};
	sock_queue_init(&c->queue);
	dial_begin(&c->dial, &o, w->port, DIAL_STAGGER);
	if (w->has_addr) {
		dial_add(&c->dial, &w->addr, 1, false);
		c->added = 1;
		return true;
	}
	struct resolver *r = net_resolver(n);
	enum error e;
	c->lookup = r ? resolver_host(r, w->host, LOOKUP_BOTH, &e) : NULL;
	if (r && !c->lookup)
		api_fail(e, "%s: %s", where,
			e == ERR_LIMIT ? "too many look-ups at once" : "the host is no name");
	return c->lookup != NULL;
}

static int64_t wait_for(struct connector *c, struct strata *n, const char *where, nanotime until)
{
	site_add_app(n->site, &c->app);
	enum error e = net_await(n, until, finished, c);
	struct stack *s = net_use(n);
	list_remove(&c->app.link);
	int64_t r = c->result;
	if (r == -ERR_AGAIN) {
		dial_cancel(&c->dial, s, stack_time(s), e);
		r = e == ERR_TIMEOUT ? api_fail(e, "%s: timed out", where) : net_fail(n, e);
	} else if (r < 0 && !c->added) {
		r = net_lookup_fail(where, c->lookup);
	} else if (r < 0) {
		r = dial_fail(&c->dial, where);
	}
	return r;
}

static bool good_target(const char *where, struct endpoint_words *w)
{
	if (!endpoint_words(where, "tcp", w))
		return false;
	if (w->host.len && w->port && !w->v4_only && !w->v6_only)
		return true;
	api_fail(ERR_ARGUMENT, "'%s': connecting needs a host and a port", where);
	return false;
}

static struct strata_stream *connect_by(
	struct strata *net, const char *where, int64_t timeout, bool early)
{
	struct endpoint_words w;
	struct stack *s = net_enter(net);
	if (!s)
		return NULL;
	struct connector *c = malloc(sizeof *c);
	struct strata_stream *stream = malloc(sizeof *stream);
	int64_t sock = 0;
	if (!c || !stream)
		api_error(ERR_MEMORY);
	else if (good_target(where, &w) && begin(c, net, &w, where, early)) {
		sock = wait_for(c, net, where, net_deadline(net, timeout));
		if (c->lookup)
			lookup_release(net->resolver, c->lookup);
	}
	if (sock > 0) {
		handle_init(&stream->h, HANDLE_STREAM, net);
		stream->h.sock = (sock_id)sock;
		/* writable before the handshake: the SYN waits for the first bytes */
		stream->early = !(sock_poll(s, stream->h.sock) & EVENT_CONNECTED);
		sock_attach(s, stream->h.sock, &net->queue, &stream->h);
	} else {
		free(stream);
		stream = NULL;
	}
	free(c);
	net_leave(net);
	return stream;
}

struct strata_stream *strata_connect(struct strata *net, const char *where, int64_t timeout)
{
	return connect_by(net, where, timeout, false);
}

/* What is left of a limit since `began`. */
static int64_t left_of(struct strata *net, int64_t limit, int64_t began)
{
	if (limit < 0)
		return limit;
	int64_t gone = strata_now(net) - began;
	return gone < limit ? limit - gone : 0;
}

struct strata_stream *strata_connect_early(
	struct strata *net, const char *where, const void *first, size_t size, int64_t timeout)
{
	int64_t began = net ? strata_now(net) : 0;
	struct strata_stream *stream = connect_by(net, where, timeout, size > 0);
	if (!stream || !size)
		return stream;
	strata_stream_set_timeout(stream, left_of(net, timeout, began));
	if (strata_write_all(stream, first, size) < 0) {
		strata_stream_abort(stream);
		return NULL;
	}
	strata_stream_set_timeout(stream, STRATA_FOREVER);
	return stream;
}

struct strata_stream *strata_connect_start(struct strata *net, const char *where)
{
	struct endpoint_words w;
	struct stack *s = net_enter(net);
	if (!s)
		return NULL;
	struct strata_stream *stream = NULL;
	bool good = good_target(where, &w);
	if (good && !w.has_addr)
		api_fail(ERR_ARGUMENT, "'%s': the host must be an address here", where);
	else if (good && !(stream = malloc(sizeof *stream)))
		api_error(ERR_MEMORY);
	if (stream) {
		handle_init(&stream->h, HANDLE_STREAM, net);
		stream->early = false;
		const struct sock_options o = { .queue = &net->queue, .user = &stream->h };
		int r = sock_connect(s, &o, &w.addr, w.port, &stream->h.sock);
		if (r < 0) {
			api_fail((enum error) - r, "%s: %s", where, error_text((enum error) - r));
			handle_end(&stream->h);
			free(stream);
			stream = NULL;
		}
	}
	net_leave(net);
	return stream;
}
