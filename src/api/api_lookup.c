/*
 * Names. The resolver is an application of the net's stack; a call starts a
 * look-up and waits until it has ended.
 */
#include <string.h>

#include "api/api_net.h"
#include "strata/dns.h"

static struct resolver *make_resolver(struct strata *n)
{
	struct resolver_config c;
	const char *why = "out of memory";
	resolver_config_default(&c);
	c.servers = n->site->dns_count;
	memcpy(c.server, n->site->dns, sizeof n->site->dns);
	memcpy(c.secret, n->site->secret, sizeof c.secret);
	struct arena arena = { .at = NULL };
	resolver_create(&c, n->site->stack, &arena, &why);
	arena = (struct arena){ .at = net_memory(n, arena.used), .size = arena.used };
	struct resolver *r = arena.at ? resolver_create(&c, n->site->stack, &arena, &why) : NULL;
	if (!r)
		api_fail(ERR_MEMORY, "%s", why);
	else
		site_add_app(n->site, resolver_app(r));
	return r;
}

_Static_assert(RESOLVER_SERVERS_MAX >= SITE_DNS_MAX, "all servers given fit");

struct resolver *net_resolver(struct strata *n)
{
	if (!n->resolver)
		n->resolver = make_resolver(n);
	return n->resolver;
}

static enum error status_error(enum resolver_status status)
{
	switch (status) {
	case RESOLVER_NO_NAME:
	case RESOLVER_NO_DATA: return ERR_NOT_FOUND;
	case RESOLVER_PENDING:
	case RESOLVER_NO_ANSWER: return ERR_TIMEOUT;
	case RESOLVER_UNREACHABLE: return ERR_HOST_UNREACHABLE;
	case RESOLVER_NO_SERVER: return ERR_STATE;
	case RESOLVER_CANCELLED: return ERR_ABORTED;
	default: return ERR_MALFORMED;
	}
}

int net_lookup_fail(const char *host, const struct lookup *l)
{
	char text[320];
	lookup_explain(l, text, sizeof text);
	return api_fail(status_error(l->status), "%s: %s", host, text);
}

static bool ended(void *user)
{
	const struct lookup *l = user;
	return l->status != RESOLVER_PENDING;
}

static bool any_found(void *user)
{
	const struct lookup *l = user;
	return l->addresses || ended(user);
}

/* Until all has come, or what there is will do. */
static enum error await_addresses(struct strata *n, struct lookup *l, nanotime deadline)
{
	nanotime enough;
	enum error e = any_found(l) ? ERR_OK : net_await(n, deadline, any_found, l);
	if (!e && !lookup_settled(l, site_now(n->site), &enough))
		e = net_await(n, nanotime_min(deadline, enough), ended, l);
	return e;
}

/* Those first that we have a source address for; else as the resolver gave them. */
static void usable_first(struct strata *n, struct addr *a, unsigned count)
{
	unsigned front = 0;
	for (unsigned i = 0; i < count; i++) {
		struct addr source, this = a[i];
		if (internet_source(stack_internet(n->site->stack), &this, &source))
			continue;
		memmove(a + front + 1, a + front, (i - front) * sizeof *a);
		a[front++] = this;
	}
}

int net_addresses(
	struct strata *n, const char *host, struct addr *out, unsigned max, nanotime deadline)
{
	struct resolver *r = net_resolver(n);
	enum error e = ERR_OK;
	if (!r)
		return -ERR_MEMORY;
	struct lookup *l = resolver_host(r, span_of(host, strlen(host)), LOOKUP_BOTH, &e);
	if (!l)
		return e == ERR_LIMIT ? api_fail(e, "%s: too many look-ups at once", host)
				      : api_fail(e, "'%s' is no host name", host);
	e = await_addresses(n, l, deadline);
	struct addr found[RESOLVER_ADDRESSES_MAX];
	/* what one family has is not lost for want of the other */
	unsigned all = !e || e == ERR_TIMEOUT || e == ERR_DEADLOCK ? l->addresses : 0;
	for (unsigned i = 0; i < all; i++)
		found[i] = l->address[i].address;
	usable_first(n, found, all);
	int count = (int)(all < max ? all : max);
	memcpy(out, found, (size_t)count * sizeof *out);
	if (count == 0)
		count = e && e != ERR_TIMEOUT ? net_fail(n, e) : net_lookup_fail(host, l);
	lookup_release(r, l);
	return count;
}

int strata_dns_resolve(struct strata *net, const char *name, struct strata_address *out,
	unsigned max, int64_t timeout)
{
	struct addr found[RESOLVER_ADDRESSES_MAX];
	if (!name || !net_enter(net))
		return name ? -ERR_ARGUMENT : api_fail(ERR_ARGUMENT, "no name");
	int count = net_addresses(
		net, name, found, RESOLVER_ADDRESSES_MAX, net_deadline(net, timeout));
	net_leave(net);
	if (count > 0 && (unsigned)count > max)
		count = (int)max;
	for (int i = 0; i < count; i++)
		out[i] = address_out(&found[i], 0);
	return count;
}
