/*
 * The routing table: an array, longest prefix first, so that the first match is
 * the longest (RFC 1122 3.3.1.2, RFC 1812 5.2.4.3). It is short and seldom asked:
 * endpoints keep a path for as long as the table's generation is the same.
 */
#include "internet/route.h"

static unsigned family_bits(const struct addr *a)
{
	return addr_is4(a) ? 32 : 128;
}

static void changed(struct route_table *t)
{
	if (++t->generation == 0) /* zero means "never looked up" */
		t->generation = 1;
}

/* Clears the bits after the prefix, so that equal nets are equal routes. */
static struct addr net_of(const struct addr *a, unsigned len)
{
	struct addr net = *a;
	unsigned kept = addr_is4(a) ? 96 + len : len;
	for (unsigned i = 0; i < 16; i++) {
		unsigned bits = kept > i * 8 ? kept - i * 8 : 0;
		if (bits < 8)
			net.b[i] &= (uint8_t)(0xff00 >> bits);
	}
	return net;
}

static bool is_same(const struct route *r, const struct addr *net, uint8_t len)
{
	return r->len == len && addr_equal(&r->prefix, net);
}

/* A second address of one net brings the same route again; that is no conflict. */
static bool leads_alike(const struct route *a, const struct route *b)
{
	return a->nif == b->nif && a->mtu == b->mtu && a->on_link == b->on_link &&
		(a->on_link || addr_equal(&a->gateway, &b->gateway));
}

enum error route_add(struct route_table *t, const struct route *r)
{
	if (r->len > family_bits(&r->prefix) || r->nif >= ACCESS_NETIFS)
		return ERR_ARGUMENT;
	if (!r->on_link &&
		(addr_is4(&r->gateway) != addr_is4(&r->prefix) || addr_is_any(&r->gateway) ||
			addr_is_multicast(&r->gateway)))
		return ERR_ARGUMENT;
	struct route added = *r;
	added.prefix = net_of(&r->prefix, r->len);
	unsigned at = 0;
	for (unsigned i = 0; i < t->count; i++) {
		if (is_same(&t->route[i], &added.prefix, added.len))
			return leads_alike(&t->route[i], r) ? ERR_OK : ERR_IN_USE;
		at += t->route[i].len >= added.len;
	}
	if (t->count == ROUTES_MAX)
		return ERR_LIMIT;
	memmove(&t->route[at + 1], &t->route[at], (t->count - at) * sizeof t->route[0]);
	t->route[at] = added;
	t->count++;
	changed(t);
	return ERR_OK;
}

enum error route_remove(struct route_table *t, const struct addr *prefix, uint8_t len)
{
	if (len > family_bits(prefix))
		return ERR_ARGUMENT;
	struct addr net = net_of(prefix, len);
	for (unsigned i = 0; i < t->count; i++) {
		if (!is_same(&t->route[i], &net, len))
			continue;
		t->count--;
		memmove(&t->route[i], &t->route[i + 1], (t->count - i) * sizeof t->route[0]);
		changed(t);
		return ERR_OK;
	}
	return ERR_NOT_FOUND;
}

const struct route *route_find(const struct route_table *t, const struct addr *destination)
{
	bool four = addr_is4(destination);
	for (unsigned i = 0; i < t->count; i++) {
		const struct route *r = &t->route[i];
		if (addr_is4(&r->prefix) == four && addr_in_prefix(destination, &r->prefix, r->len))
			return r;
	}
	return NULL;
}
