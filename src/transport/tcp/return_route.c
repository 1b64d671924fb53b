/*
 * Connections by IPv4 source routes (RFC 9293 3.9.2.1). Who opens one may name the hops (MUST-51);
 * a listener's connection answers by the hops that its SYN came by, in reverse (MUST-53), and by
 * those of a later segment that names others (SHLD-24), unless the owner named his own (MUST-52).
 *
 * What arrives is looked at when its segment was found good, and for the connection of that
 * segment alone.
 */
#include "transport/tcp/tcp_conn.h"

#include "internet/source_route.h"

static struct source_route_owner owner_of(const struct tcp_tuple *t)
{
	return (struct source_route_owner){ t->local, t->remote, t->local_port, t->remote_port };
}

/* The connection sends by this route from now on. */
static void conn_go_by(struct transport *t, struct tcp_conn *c, uint8_t number)
{
	source_route_at(t->internet, number)->held = true;
	c->path.route = number;
	c->path.generation = 0;
	internet_path(t->internet, &c->path, &c->tuple.remote, t->now);
	conn_update_mss(c);
}

void conn_find_route(struct transport *t, struct tcp_conn *c)
{
	struct source_route_owner owner = owner_of(&c->tuple);
	uint8_t number = source_route_find(t->internet, &owner);
	if (!number)
		return;
	c->path = (struct path){ .neighbour = NEIGHBOUR_NO_INDEX };
	conn_go_by(t, c, number);
}

bool tcp_reply_route(struct transport *t, const struct tcp_tuple *tuple, struct path *path)
{
	struct source_route_owner owner = owner_of(tuple);
	path->route = source_route_find(t->internet, &owner);
	return path->route && source_route_path(t->internet, path, t->now) == ERR_OK;
}

void tcp_take_route(struct transport *t, const struct rx *rx, const struct tcp_tuple *tuple)
{
	struct source_route back = { .owner = owner_of(tuple) };
	enum demux_kind kind;
	if (rx->fate == FATE_DROPPED || !source_route_of(t->internet, rx, &back))
		return;
	void *entry = demux_find(&t->demux, tuple, &kind);
	if (kind != DEMUX_CONN && kind != DEMUX_EMBRYO)
		return;
	uint8_t old = source_route_find(t->internet, &back.owner);
	if (old && source_route_at(t->internet, old)->named) /* MUST-52 */
		return;
	uint8_t number = source_route_put(t->internet, &back);
	if (number && kind == DEMUX_CONN) /* SHLD-24 */
		conn_go_by(t, entry, number);
}

/* Is this a way that can be named? */
static enum error fill(struct source_route *r, const struct addr *remote, const struct addr *hop,
		       unsigned hops, bool strict)
{
	if (!hops || hops > SOURCE_ROUTE_HOPS)
		return ERR_ARGUMENT;
	if (!addr_is4(remote))
		return ERR_FAMILY;
	for (unsigned i = 0; i < hops; i++) {
		if (!addr_is4(&hop[i]))
			return ERR_FAMILY;
		if (addr_is_any(&hop[i]) || addr_is_multicast(&hop[i]))
			return ERR_ARGUMENT;
		memcpy(r->hop[i], hop[i].b + 12, 4);
	}
	r->hops = (uint8_t)hops;
	r->strict = strict;
	r->named = true;
	return ERR_OK;
}

/*
 * The way that tcp_connect asks for is remembered from the last time it was asked for: so it is put
 * there first, and taken away again when it was used.
 */
static enum error prepare_way(struct transport *t, const struct source_route *r, uint8_t number,
			      const struct addr *remote)
{
	struct addr first = addr_from4(r->hop[0]);
	t->path = (struct path){ .route = number };
	enum error e = source_route_path(t->internet, &t->path, t->now);
	if (e == ERR_OK)
		e = internet_source(t->internet, &first, &t->path_source);
	t->path.generation = t->path_source_generation = t->internet->routes.generation;
	t->path_destination = *remote;
	return e;
}

static void forget_way(struct transport *t)
{
	t->path_destination = ADDR_ANY;
	t->path = (struct path){ .neighbour = NEIGHBOUR_NO_INDEX };
	t->path_source_generation = 0;
}

enum error tcp_connect_via(struct transport *t, const struct addr *local, uint16_t local_port,
			   const struct addr *remote, uint16_t port, uint32_t sock, unsigned flags,
			   const struct tcp_via *via, struct tcp_conn **out)
{
	struct source_route r = { .owner = { .remote = *remote } };
	enum error e = fill(&r, remote, via->hop, via->hops, via->strict);
	if (e != ERR_OK)
		return e;
	uint8_t number = source_route_put(t->internet, &r);
	if (!number)
		return ERR_TOO_MANY;
	e = prepare_way(t, &r, number, remote);
	if (e == ERR_OK)
		e = tcp_connect(t, local, local_port, remote, port, sock, flags, out);
	forget_way(t);
	struct source_route *mine = source_route_at(t->internet, number);
	if (e != ERR_OK) {
		mine->used = false;
		return e;
	}
	mine->owner = owner_of(&(*out)->tuple);
	mine->held = true;
	(*out)->path.generation = 0;
	return ERR_OK;
}
