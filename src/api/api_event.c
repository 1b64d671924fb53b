/*
 * Readiness of many handles. Levels (strata_poll) are asked for, edges
 * (strata_next_event) are collected: a watched handle stands at most once in its
 * net's list, with all that happened to it since it was last told.
 */
#include "api/api_handles.h"

_Static_assert((int)STRATA_READABLE == (int)EVENT_READABLE, "one numbering");
_Static_assert((int)STRATA_WRITABLE == (int)EVENT_WRITABLE, "one numbering");
_Static_assert((int)STRATA_CONNECTED == (int)EVENT_CONNECTED, "one numbering");
_Static_assert((int)STRATA_PEER_CLOSED == (int)EVENT_PEER_CLOSED, "one numbering");
_Static_assert((int)STRATA_ERROR == (int)EVENT_ERROR, "one numbering");
_Static_assert((int)STRATA_URGENT == (int)EVENT_URGENT, "one numbering");
_Static_assert((int)STRATA_TROUBLE == (int)EVENT_TROUBLE, "one numbering");

#define TOLD                                                                                       \
	(STRATA_READABLE | STRATA_WRITABLE | STRATA_CONNECTED | STRATA_PEER_CLOSED |               \
		STRATA_ERROR | STRATA_URGENT | STRATA_TROUBLE)

/* ---- levels ---- */

struct polling {
	struct strata *net;
	struct strata_poll *set;
	unsigned count;
	int ready;
};

static struct handle *polled(const struct strata_poll *p)
{
	if (p->stream)
		return &p->stream->h;
	return p->listener ? &p->listener->h : udp_handle(p->udp);
}

static bool look(void *user)
{
	struct polling *p = user;
	p->ready = 0;
	for (unsigned i = 0; i < p->count; i++) {
		struct handle *h = polled(&p->set[i]);
		uint32_t now = sock_poll(p->net->site->stack, h->sock);
		p->set[i].ready = now & (p->set[i].events | STRATA_ERROR) & TOLD;
		if (p->set[i].ready)
			p->ready++;
	}
	return p->ready > 0;
}

int strata_poll(struct strata *net, struct strata_poll *set, unsigned count, int64_t timeout)
{
	struct polling p = { .net = net, .set = set, .count = count };
	if (!net_enter(net))
		return -ERR_ARGUMENT;
	int r = 0;
	for (unsigned i = 0; i < count && !r; i++) {
		const struct handle *h = polled(&set[i]);
		if (!h || h->net != net)
			r = api_fail(ERR_ARGUMENT, "set[%u] has no handle of this net", i);
	}
	if (!r && !look(&p)) {
		enum error e = timeout ? net_await(net, net_deadline(net, timeout), look, &p)
				       : ERR_TIMEOUT;
		if (e && e != ERR_TIMEOUT)
			r = net_fail(net, e);
	}
	net_leave(net);
	return r ? r : p.ready;
}

/* ---- edges ---- */

static int watch(struct handle *h, void *user)
{
	struct stack *s = net_enter(h ? h->net : NULL);
	if (!s)
		return -ERR_ARGUMENT;
	h->watched = true;
	h->user = user;
	h->events |= sock_poll(s, h->sock) & TOLD;
	if (h->events && !list_linked(&h->in_events))
		list_push_back(&h->net->events, &h->in_events);
	net_leave(h->net);
	return 0;
}

int strata_stream_watch(struct strata_stream *stream, void *user)
{
	return watch(stream_handle(stream), user);
}

int strata_listener_watch(struct strata_listener *listener, void *user)
{
	return watch(listener_handle(listener), user);
}

int strata_udp_watch(struct strata_udp *udp, void *user)
{
	return watch(udp_handle(udp), user);
}

static bool has_event(void *user)
{
	const struct strata *n = user;
	return !list_empty(&n->events);
}

static void tell(struct handle *h, struct strata_event *out)
{
	*out = (struct strata_event){ .user = h->user, .events = h->events & TOLD };
	h->events = 0;
	if (h->kind == HANDLE_STREAM)
		out->stream = list_entry(h, struct strata_stream, h);
	else if (h->kind == HANDLE_LISTENER)
		out->listener = list_entry(h, struct strata_listener, h);
	else
		out->udp = list_entry(h, struct strata_udp, h);
}

int strata_next_event(struct strata *net, struct strata_event *out, int64_t timeout)
{
	if (!net_enter(net))
		return -ERR_ARGUMENT;
	enum error e = ERR_OK;
	if (!has_event(net))
		e = net_await(net, net_deadline(net, timeout), has_event, net);
	int r = 0;
	if (!e) {
		tell(list_entry(list_pop_front(&net->events), struct handle, in_events), out);
		r = 1;
	} else if (e != ERR_TIMEOUT) {
		r = net_fail(net, e);
	}
	net_leave(net);
	return r;
}

/* ---- a program that runs the stack itself ---- */

struct since {
	const struct strata *net;
	uint64_t happened;
};

static bool something_happened(void *user)
{
	const struct since *s = user;
	return s->net->happened != s->happened;
}

int strata_drive(struct strata *net, int64_t timeout)
{
	if (net && net->drive == NET_THREAD)
		return api_fail(ERR_STATE, "this net has a thread of its own: set .drive_self");
	if (!net_enter(net))
		return -ERR_ARGUMENT;
	struct since s = { .net = net, .happened = net->happened };
	enum error e = net_await(net, net_deadline(net, timeout), something_happened, &s);
	int r = e == ERR_OK;
	if (e && e != ERR_TIMEOUT)
		r = net_fail(net, e);
	net_leave(net);
	return r;
}

int strata_fd(struct strata *net)
{
	if (net && net->drive != NET_SELF)
		return api_fail(ERR_STATE, "only a net opened with .drive_self has one");
	if (!net_enter(net))
		return -ERR_ARGUMENT;
	int fd = loop_fd(&net->site->machine->loop);
	net_leave(net);
	return fd < 0 ? api_fail(ERR_SYSTEM, "no file descriptor left") : fd;
}
