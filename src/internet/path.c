/*
 * Paths: the way to a destination as an endpoint keeps it. A path is good while
 * the routes' generation and the neighbour entry's are the ones that it was made
 * with; looking it up again costs one route search and one hash probe.
 *
 * Our own addresses have no path: loopback is not this layer's business, and
 * asking the link for ourselves would find nobody. Groups have a path without a
 * neighbour, by the route that covers them or else by the first interface that
 * speaks their family.
 */
#include "internet/internet_private.h"

bool internet_is_ours(const struct internet *in, const struct addr *a)
{
	for (unsigned i = 0; i < in->access->netifs; i++)
		if (netif_has(&in->access->netif[i], a))
			return true;
	return false;
}

static bool is_broadcast_on(const struct netif *nif, const struct addr *a)
{
	for (unsigned i = 0; i < nif->addresses; i++)
		if (addr_equal(&nif->address[i].broadcast, a))
			return true;
	return false;
}

bool internet_is_group(const struct internet *in, const struct addr *a)
{
	if (addr_is_multicast(a))
		return true;
	if (!addr_is4(a))
		return false;
	if (addr_four(a) == UINT32_MAX)
		return true;
	for (unsigned i = 0; i < in->access->netifs; i++)
		if (is_broadcast_on(&in->access->netif[i], a))
			return true;
	return false;
}

static bool speaks(const struct netif *nif, const struct addr *a)
{
	for (unsigned i = 0; i < nif->addresses; i++)
		if (addr_is4(&nif->address[i].address) == addr_is4(a))
			return true;
	return false;
}

/* The interface for a group: its own net's, its route's, the first of its family, the first. */
static struct netif *group_netif(struct internet *in, const struct addr *group)
{
	struct access *a = in->access;
	struct netif *found = NULL;
	for (unsigned i = 0; i < a->netifs; i++) {
		struct netif *nif = &a->netif[i];
		if (!addr_is_multicast(group) && is_broadcast_on(nif, group))
			return nif;
		if (!nif->up)
			continue;
		if (!found || (!speaks(found, group) && speaks(nif, group)))
			found = nif;
	}
	const struct route *r = route_find(&in->routes, group);
	return r && a->netif[r->nif].up ? &a->netif[r->nif] : found;
}

/* A link-local address without a route is on the link that has such addresses. */
static struct netif *linklocal_netif(struct internet *in, const struct addr *destination)
{
	for (unsigned i = 0; i < in->access->netifs; i++) {
		struct netif *nif = &in->access->netif[i];
		if (nif->up && netif_on_link(nif, destination))
			return nif;
	}
	return NULL;
}

enum error path_via(struct internet *in, struct path *p, struct netif *nif,
	const struct addr *next_hop, nanotime now)
{
	uint32_t index = neighbour_lookup(in->access, nif, next_hop, now);
	if (index == NEIGHBOUR_NO_INDEX)
		return ERR_MEMORY;
	*p = (struct path){
		.generation = in->routes.generation,
		.neighbour = index,
		.neighbour_generation =
			((struct neighbour *)neighbour_at(in->access, index))->generation,
		.mtu = nif->mtu,
		.nif = nif->index,
	};
	return ERR_OK;
}

static enum error path_group(struct internet *in, struct path *p, const struct addr *group)
{
	const struct netif *nif = group_netif(in, group);
	if (!nif || !nif->up)
		return ERR_NO_ROUTE;
	*p = (struct path){
		.generation = in->routes.generation,
		.neighbour = NEIGHBOUR_NO_INDEX,
		.mtu = nif->mtu,
		.nif = nif->index,
	};
	return ERR_OK;
}

enum error path_look_up(
	struct internet *in, struct path *p, const struct addr *destination, nanotime now)
{
	if (addr_is_any(destination) || addr_is_loopback(destination) ||
		internet_is_ours(in, destination))
		return ERR_NO_ROUTE;
	if (internet_is_group(in, destination))
		return path_group(in, p, destination);
	const struct route *r = route_find(&in->routes, destination);
	struct netif *nif = NULL;
	if (r)
		nif = &in->access->netif[r->nif];
	else if (addr_is_linklocal(destination))
		nif = linklocal_netif(in, destination);
	if (!nif || !nif->up)
		return ERR_NO_ROUTE;
	enum error e = path_via(in, p, nif, !r || r->on_link ? destination : &r->gateway, now);
	if (e == ERR_OK && r && r->mtu && r->mtu < p->mtu)
		p->mtu = r->mtu;
	return e;
}

enum error internet_path(
	struct internet *in, struct path *p, const struct addr *destination, nanotime now)
{
	if (path_is_fresh(in, p))
		return ERR_OK;
	if (p->route)
		return source_route_path(in, p, now);
	p->generation = 0;
	return path_look_up(in, p, destination, now);
}

enum path_verdict internet_path_ready_slow(
	struct internet *in, struct path *p, const struct addr *destination, nanotime now)
{
	enum error e = internet_path(in, p, destination, now);
	if (e != ERR_OK)
		return e == ERR_MEMORY ? PATH_FULL : PATH_NO_ROUTE;
	if (p->neighbour == NEIGHBOUR_NO_INDEX)
		return PATH_SEND;
	switch (neighbour_ready(in->access, p->neighbour, now)) {
	case NEIGHBOUR_SEND: return PATH_SEND;
	case NEIGHBOUR_WAIT: return PATH_WAIT;
	case NEIGHBOUR_DEAD: return PATH_DEAD;
	default: return PATH_FULL;
	}
}
