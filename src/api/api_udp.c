/*
 * Datagrams. An ICMP error about one of ours comes out of the socket's queue in
 * its turn, and becomes the error of that receive.
 */
#include <stdlib.h>

#include "api/api_handles.h"
#include "wire/icmp.h"

struct strata_udp *strata_udp_open(struct strata *net, const char *where)
{
	struct endpoint_words w;
	struct stack *s = net_enter(net);
	if (!s)
		return NULL;
	struct strata_udp *u = NULL;
	if (endpoint_words(where, "udp", &w) && !w.has_addr)
		api_fail(
			ERR_ARGUMENT, "'%s': a socket needs an address of ours, not a name", where);
	else if (w.has_addr && !(u = malloc(sizeof *u)))
		api_error(ERR_MEMORY);
	if (u) {
		handle_init(&u->h, HANDLE_UDP, net);
		const struct sock_options o = {
			.queue = &net->queue,
			.user = &u->h,
			.local = w.addr,
			.local_port = w.port,
			.v4_only = w.v4_only,
			.v6_only = w.v6_only,
		};
		int r = sock_udp(s, &o, &u->h.sock);
		if (r < 0) {
			api_fail((enum error) - r, "socket on %s: %s", where,
				error_text((enum error) - r));
			handle_end(&u->h);
			free(u);
			u = NULL;
		}
	}
	net_leave(net);
	return u;
}

void strata_udp_close(struct strata_udp *udp)
{
	if (!udp)
		return;
	struct strata *n = udp->h.net;
	sock_close(net_enter(n), udp->h.sock);
	handle_end(&udp->h);
	net_leave(n);
	free(udp);
}

int strata_udp_connect(struct strata_udp *udp, const struct strata_address *peer)
{
	struct stack *s = net_enter(udp ? udp->h.net : NULL);
	if (!s)
		return -ERR_ARGUMENT;
	struct addr a = address_in(peer);
	int r = sock_udp_connect(s, udp->h.sock, &a, peer->port);
	if (r < 0)
		api_error(r);
	net_leave(udp->h.net);
	return r < 0 ? r : 0;
}

int strata_udp_address(struct strata_udp *udp, struct strata_address *out)
{
	struct sock_peer local, remote;
	struct stack *s = net_enter(udp ? udp->h.net : NULL);
	if (!s)
		return -ERR_ARGUMENT;
	int r = sock_name(s, udp->h.sock, &local, &remote);
	if (r < 0)
		api_error(r);
	else
		*out = address_out(&local.address, local.port);
	net_leave(udp->h.net);
	return r < 0 ? r : 0;
}

ssize_t strata_send_to(
	struct strata_udp *udp, const void *from, size_t size, const struct strata_address *to)
{
	return strata_send_from(udp, from, size, NULL, to);
}

ssize_t strata_send_from(struct strata_udp *udp, const void *from, size_t size,
	const struct strata_address *source, const struct strata_address *to)
{
	struct stack *s = net_enter(udp ? udp->h.net : NULL);
	if (!s)
		return -ERR_ARGUMENT;
	struct addr a = to ? address_in(to) : ADDR_ANY;
	struct addr own = source ? address_in(source) : ADDR_ANY;
	int64_t r = sock_send_from(
		s, udp->h.sock, from, size, &own, to ? &a : NULL, to ? to->port : 0);
	if (r < 0)
		api_error((int)r);
	net_leave(udp->h.net);
	return r;
}

struct receive {
	void *to;
	size_t size;
	struct sock_datagram d;
};

/* RFC 1122 4.1.3.3: what ICMP says about a datagram of ours is the application's business. */
static enum error icmp_error(const struct sock_datagram *d)
{
	bool v4 = addr_is4(&d->original_destination);
	if (v4 && d->icmp_type == ICMP4_UNREACHABLE) {
		switch (d->icmp_code) {
		case 0: return ERR_NET_UNREACHABLE;
		case 2: return ERR_PROTOCOL_UNREACHABLE;
		case 3: return ERR_PORT_UNREACHABLE;
		case 4: return ERR_TOO_BIG;
		default: return ERR_HOST_UNREACHABLE;
		}
	}
	if (!v4 && d->icmp_type == ICMP6_TOO_BIG)
		return ERR_TOO_BIG;
	if (!v4 && d->icmp_type == ICMP6_UNREACHABLE)
		return d->icmp_code == 4    ? ERR_PORT_UNREACHABLE
			: d->icmp_code == 0 ? ERR_NET_UNREACHABLE
					    : ERR_HOST_UNREACHABLE;
	return ERR_HOST_UNREACHABLE;
}

static int64_t try_receive(struct stack *s, struct handle *h, void *user)
{
	struct receive *r = user;
	int64_t n = sock_recv_from(s, h->sock, r->to, r->size, &r->d);
	return n >= 0 && r->d.is_error ? -(int64_t)icmp_error(&r->d) : n;
}

ssize_t strata_recv_at(struct strata_udp *udp, void *to, size_t size, struct strata_address *from,
	struct strata_address *at)
{
	struct receive r = { .to = to, .size = size };
	int64_t n = handle_call(udp_handle(udp), try_receive, &r);
	if (from && r.d.is_error)
		*from = address_out(&r.d.original_destination, r.d.port);
	else if (from && n >= 0)
		*from = address_out(&r.d.source, r.d.port);
	if (at && n >= 0) {
		struct strata_address own;
		*at = address_out(&r.d.destination, 0);
		if (strata_udp_address(udp, &own) >= 0)
			at->port = own.port;
	}
	return n;
}

ssize_t strata_recv_from(struct strata_udp *udp, void *to, size_t size, struct strata_address *from)
{
	return strata_recv_at(udp, to, size, from, NULL);
}
