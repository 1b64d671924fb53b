/* Of several addresses the first that we have a source address for. */
#include "cli/name.h"

#include <stdio.h>
#include <string.h>

enum verdict verdict_of_lookup(enum resolver_status status)
{
	switch (status) {
	case RESOLVER_FOUND: return VERDICT_FINE;
	case RESOLVER_NO_NAME:
	case RESOLVER_NO_DATA:
	case RESOLVER_ALIAS_LOOP: return VERDICT_PROBLEM;
	case RESOLVER_NO_SERVER: return VERDICT_USAGE;
	default: return VERDICT_UNSURE;
	}
}

static bool ended(void *user)
{
	const struct lookup *l = user;
	return l->status != RESOLVER_PENDING;
}

static const struct addr *usable(struct session *s, const struct lookup *l)
{
	struct addr source;
	for (unsigned i = 0; i < l->addresses; i++)
		if (internet_source(stack_internet(s->site->stack), &l->address[i].address,
			    &source) == ERR_OK)
			return &l->address[i].address;
	return l->addresses ? &l->address[0].address : NULL;
}

bool name_address(struct session *s, const struct arguments *a, const char *host, struct addr *out,
	enum verdict *verdict, char why[NAME_WHY])
{
	struct resolver *r = session_resolver(s);
	unsigned families = (given(a, "ipv4") ? LOOKUP_A : 0) |
		(given(a, "ipv6") ? LOOKUP_AAAA : 0);
	enum error e = ERR_OK;
	site_use(s->site);
	struct lookup *l = resolver_host(
		r, span_of(host, strlen(host)), families ? families : LOOKUP_BOTH, &e);
	struct addr literal;
	if (addr_parse(span_of(host, strlen(host)), &literal) &&
		families == (addr_is4(&literal) ? LOOKUP_AAAA : LOOKUP_A)) {
		snprintf(why, NAME_WHY, "an %s address: leave out --%s",
			addr_is4(&literal) ? "IPv4" : "IPv6", addr_is4(&literal) ? "ipv6" : "ipv4");
		*verdict = complain(s->command, VERDICT_USAGE, "%s: %s", host, why);
		if (l)
			lookup_release(r, l);
		return false;
	}
	if (!l) {
		snprintf(why, NAME_WHY, "no host name and no address: check its spelling");
		*verdict = complain(s->command, VERDICT_USAGE, "'%s': %s", host, why);
		return false;
	}
	site_add_app(s->site, resolver_app(r));
	site_flush(s->site);
	*verdict = VERDICT_ENVIRONMENT;
	snprintf(why, NAME_WHY, "the network is gone");
	if (!ended(l) && !session_run(s, NANOTIME_NEVER, ended, l))
		return false;
	const struct addr *found = usable(s, l);
	if (found) {
		*out = *found;
	} else {
		lookup_explain(l, why, NAME_WHY);
		*verdict = complain(s->command, verdict_of_lookup(l->status), "%s: %s", host, why);
	}
	lookup_release(r, l);
	return found != NULL;
}
