/*
 * The source address for a destination: RFC 6724 5 as far as static addresses
 * go. Candidates have the destination's family and stand on the interface that
 * its route uses (rule 5); of these, one whose scope reaches the destination
 * goes before one whose scope does not, the smaller sufficient scope before the
 * larger (rule 2), and then the longest common prefix decides (rule 8).
 */
#include "internet/internet_private.h"

enum scope { SCOPE_LINK = 2, SCOPE_SITE = 5, SCOPE_GLOBAL = 14 };

/* RFC 6724 3.1, 3.2; a group carries its scope (RFC 4291 2.7). */
static unsigned scope_of(const struct addr *a)
{
	if (addr_is_linklocal(a))
		return SCOPE_LINK;
	if (addr_is4(a))
		return SCOPE_GLOBAL;
	if (addr_is_multicast(a))
		return a->b[1] & 15;
	if (a->b[0] == 0xfe && (a->b[1] & 0xc0) == 0xc0)
		return SCOPE_SITE;
	return SCOPE_GLOBAL;
}

static unsigned common_bits(const struct addr *a, const struct addr *b)
{
	for (unsigned i = 0; i < 2; i++) {
		uint64_t differ = load64(a->b + i * 8) ^ load64(b->b + i * 8);
		if (differ)
			return i * 64 + (unsigned)__builtin_clzll(differ);
	}
	return 128;
}

/* Rules 2 and 8: is `a` the better source? */
static bool is_better(const struct addr *a, const struct addr *b, const struct addr *destination)
{
	unsigned scope_a = scope_of(a), scope_b = scope_of(b), wanted = scope_of(destination);
	if (scope_a < scope_b)
		return scope_a >= wanted;
	if (scope_b < scope_a)
		return scope_b < wanted;
	return common_bits(a, destination) > common_bits(b, destination);
}

bool source_on(const struct netif *nif, const struct addr *destination, struct addr *source)
{
	const struct addr *best = NULL;
	for (unsigned i = 0; i < nif->addresses; i++) {
		const struct addr *own = &nif->address[i].address;
		if (addr_is4(own) == addr_is4(destination) &&
			(!best || is_better(own, best, destination)))
			best = own;
	}
	if (best)
		*source = *best;
	return best != NULL;
}

enum error internet_source(struct internet *in, const struct addr *destination, struct addr *source)
{
	struct access *a = in->access;
	const struct route *r = route_find(&in->routes, destination);
	/* There is no loopback: nothing goes to ourselves. */
	if (internet_is_ours(in, destination))
		return ERR_NO_ROUTE;
	if (r)
		return source_on(&a->netif[r->nif], destination, source) ? ERR_OK : ERR_NO_ADDRESS;
	if (!addr_is_linklocal(destination) && !internet_is_group(in, destination))
		return ERR_NO_ROUTE;
	for (unsigned i = 0; i < a->netifs; i++) {
		bool near = !addr_is_linklocal(destination) ||
			netif_on_link(&a->netif[i], destination);
		if (near && a->netif[i].up && source_on(&a->netif[i], destination, source))
			return ERR_OK;
	}
	return ERR_NO_ADDRESS;
}
