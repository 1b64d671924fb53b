/* One echo request and what becomes of it, by the echo client of application/ping. */
#include "strata/ping.h"

#include <stdlib.h>
#include <string.h>

#include "api/api_net.h"
#include "application/ping/ping.h"

#define DEFAULT_TIMEOUT (5 * NANO_S)

struct waiting {
	bool finished;
	struct ping_event event;
};

static void report(void *user, const struct ping_event *e)
{
	struct waiting *w = user;
	if (w->finished)
		return;
	w->event = *e;
	w->finished = true;
}

static bool finished(void *user)
{
	const struct waiting *w = user;
	return w->finished;
}

/* What an event says, as the result of the call. */
static int judge(const struct ping_event *e, const char *host, struct strata_ping_reply *out)
{
	*out = (struct strata_ping_reply){
		.source = address_out(&e->from, 0),
		.round_trip = e->rtt,
		.size = e->bytes,
		.hop_limit = e->hop_limit,
	};
	char from[ADDR_TEXT_MAX];
	switch (e->kind) {
	case PING_REPLY: return 0;
	case PING_ERROR:
		addr_format(&e->from, from);
		return api_fail(e->mtu ? ERR_TOO_BIG : ERR_HOST_UNREACHABLE, "%s: %s says: %s",
			host, from, e->icmp_text);
	case PING_WRONG_DATA:
		return api_fail(ERR_MALFORMED, "%s: the answer's byte %zu is not what was sent",
			host, e->offset);
	case PING_SEND_FAILED: return api_fail(e->error, "%s: %s", host, error_text(e->error));
	default: return api_fail(ERR_TIMEOUT, "%s: no answer", host);
	}
}

static int ask(struct strata *n, const struct ping_config *c, struct waiting *w, nanotime until)
{
	struct arena arena = { .at = NULL };
	const char *why = "out of memory";
	ping_create(c, n->site->stack, &arena, &why);
	void *memory = malloc(arena.used + 64);
	arena = (struct arena){ .at = memory, .size = arena.used };
	struct ping *p = memory ? ping_create(c, n->site->stack, &arena, &why) : NULL;
	if (!p) {
		free(memory);
		return api_fail(memory ? ERR_ARGUMENT : ERR_MEMORY, "%s", why);
	}
	site_add_app(n->site, ping_app(p));
	enum error e = net_await(n, until, finished, w);
	struct stack *s = net_use(n);
	ping_stop(p, stack_time(s));
	list_remove(&ping_app(p)->link);
	free(memory);
	return e && e != ERR_TIMEOUT ? net_fail(n, e) : 0;
}

int strata_ping(struct strata *net, const char *host, const struct strata_ping_options *options,
	struct strata_ping_reply *out)
{
	static const struct strata_ping_options defaults;
	const struct strata_ping_options *o = options ? options : &defaults;
	if (!host || !net_enter(net))
		return host ? -ERR_ARGUMENT : api_fail(ERR_ARGUMENT, "no host");
	struct waiting w = { .event.kind = PING_LOST };
	struct ping_config c;
	ping_config_default(&c);
	c.count = 1;
	c.timeout = o->timeout > 0 ? o->timeout : DEFAULT_TIMEOUT;
	c.dont_fragment = o->dont_fragment;
	c.hop_limit = o->hop_limit;
	if (o->size)
		c.size = (uint32_t)(o->size < PING_BODY_MAX ? o->size : PING_BODY_MAX);
	c.report = report;
	c.user = &w;
	nanotime until = net_deadline(net, c.timeout);
	int r = net_addresses(net, host, &c.destination, 1, until);
	if (r > 0)
		r = ask(net, &c, &w, until + NANO_MS);
	if (r == 0)
		r = judge(&w.event, host, out);
	net_leave(net);
	return r;
}
