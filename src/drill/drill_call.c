/*
 * The table of calls: how each takes its arguments. A call that waits keeps all
 * that it points at in its `struct drill_running`, and data in the host's two
 * big buffers, so that it can go on later.
 */
#include "drill/drill_call.h"

#include <stdarg.h>
#include <stdio.h>

#define NO_DESCRIPTOR 1000000 /* what a number that the script never got stands for */

bool drill_call_fail(struct drill_running *r, const char *format, ...)
{
	va_list arguments;
	int len = snprintf(r->problem->text, sizeof r->problem->text,
		"%.*s: ", (int)r->call->name.len, (const char *)r->call->name.at);
	va_start(arguments, format);
	vsnprintf(r->problem->text + len, sizeof r->problem->text - (size_t)len, format, arguments);
	va_end(arguments);
	r->problem->line = r->line;
	return false;
}

struct drill_expr *drill_argument(const struct drill_call *c, unsigned index)
{
	struct drill_expr *e = c->arguments;
	while (e && index--)
		e = e->next;
	return e;
}

struct drill_expr *drill_field(const struct drill_expr *e, const char *name)
{
	for (struct drill_expr *f = e ? e->first : NULL; f; f = f->next)
		if (f->kind == DRILL_FIELD && drill_is(f->name, name))
			return f->first;
	return NULL;
}

bool drill_number_of(struct drill_running *r, const struct drill_expr *e, int64_t *value)
{
	if (e && e->kind == DRILL_LIST && e->first && !e->first->next)
		e = e->first;
	if (e && e->kind == DRILL_CALL && e->first && e->first->kind == DRILL_NUMBER)
		e = e->first; /* htons(80), htonl(1) */
	if (!e || e->kind != DRILL_NUMBER)
		return drill_call_fail(r, "a number was expected as an argument");
	*value = e->number;
	return true;
}

int drill_live(const struct drill_host *h, int64_t script)
{
	if (script < 0 || script >= DRILL_DESCRIPTORS || h->descriptor[script] < 0)
		return NO_DESCRIPTOR;
	return h->descriptor[script];
}

static void put_address(
	const struct drill_host *h, struct drill_running *r, const struct addr *a, uint16_t port)
{
	memset(&r->address, 0, sizeof r->address);
	if (addr_is4(a) && !h->mapped) {
		r->address.in.family = LINUX_AF_INET;
		store16(r->address.in.port, port);
		memcpy(r->address.in.address, a->b + 12, 4);
		r->address_len = sizeof r->address.in;
	} else {
		r->address.in6.family = LINUX_AF_INET6;
		store16(r->address.in6.port, port);
		memcpy(r->address.in6.address, a->b, 16);
		r->address_len = sizeof r->address.in6;
	}
}

/* {sa_family = AF_INET, sin_port = htons(8080), sin_addr = inet_addr("192.0.2.1")} */
bool drill_address(struct drill_host *h, struct drill_running *r, const struct drill_expr *e,
	const struct addr *otherwise, uint16_t port)
{
	struct addr a = *otherwise;
	int64_t number = 0;
	if (!e || e->kind == DRILL_ELLIPSIS) {
		put_address(h, r, &a, port);
		return true;
	}
	if (e->kind == DRILL_NUMBER) { /* AF_UNSPEC: a family and nothing else */
		put_address(h, r, &a, port);
		r->address.in.family = (uint16_t)e->number;
		return true;
	}
	const struct drill_expr *family = drill_field(e, "sa_family");
	if (e->kind != DRILL_STRUCT || !family || family->kind != DRILL_NUMBER)
		return drill_call_fail(r,
			"an address is '...' or {sa_family = AF_INET, sin_port = "
			"htons(N), sin_addr = inet_addr(\"A\")}");
	static const char *const ports[] = { "sin_port", "sin6_port" };
	static const char *const texts[] = { "sin_addr", "sin6_addr" };
	for (unsigned i = 0; i < 2; i++) {
		const struct drill_expr *f = drill_field(e, ports[i]);
		if (f && f->kind != DRILL_ELLIPSIS && !drill_number_of(r, f, &number))
			return false;
		if (f && f->kind != DRILL_ELLIPSIS)
			port = (uint16_t)number;
		f = drill_field(e, texts[i]);
		while (f && f->kind == DRILL_CALL)
			f = f->first;
		while (f && f->kind != DRILL_STRING && f->next)
			f = f->next;
		if (f && f->kind == DRILL_STRING && !addr_parse(f->name, &a))
			return drill_call_fail(r, "'%.*s' is no address", (int)f->name.len,
				(const char *)f->name.at);
	}
	put_address(h, r, &a, port);
	r->address.in.family = (uint16_t)family->number;
	return true;
}

/* How many bytes a call moves. */
bool drill_length_of(struct drill_running *r, unsigned index, size_t *len)
{
	int64_t v = 0;
	if (!drill_number_of(r, drill_argument(r->call, index), &v))
		return false;
	if (v < 0 || v > (int64_t)DRILL_BUFFER)
		return drill_call_fail(
			r, "%lld bytes: a call moves at most %u", (long long)v, DRILL_BUFFER);
	*len = (size_t)v;
	return true;
}

bool drill_flags_of(struct drill_running *r, unsigned index, int *flags)
{
	int64_t v = 0;
	if (!drill_number_of(r, drill_argument(r->call, index), &v))
		return false;
	*flags = (int)v;
	return true;
}

static const struct {
	const char *name;
	unsigned least, most; /* arguments */
	bool descriptor;      /* is the first one a descriptor? */
	bool (*begin)(struct drill_host *h, struct drill_running *r, int live);
} calls[] = {
	{ "socket", 3, 3, false, drill_begin_socket },
	{ "bind", 3, 3, true, drill_begin_bind },
	{ "listen", 2, 2, true, drill_begin_listen },
	{ "accept", 3, 3, true, drill_begin_accept },
	{ "connect", 3, 3, true, drill_begin_connect },
	{ "read", 3, 3, true, drill_begin_read },
	{ "readv", 3, 3, true, drill_begin_vector },
	{ "recv", 4, 4, true, drill_begin_recv },
	{ "recvfrom", 6, 6, true, drill_begin_recvfrom },
	{ "recvmsg", 3, 3, true, drill_begin_recvmsg },
	{ "write", 3, 3, true, drill_begin_write },
	{ "writev", 3, 3, true, drill_begin_vector },
	{ "send", 4, 4, true, drill_begin_send },
	{ "sendto", 6, 6, true, drill_begin_sendto },
	{ "sendmsg", 3, 3, true, drill_begin_sendmsg },
	{ "close", 1, 1, true, drill_begin_close },
	{ "shutdown", 2, 2, true, drill_begin_shutdown },
	{ "fcntl", 2, 3, true, drill_begin_fcntl },
	{ "ioctl", 3, 3, true, drill_begin_ioctl },
	{ "setsockopt", 5, 5, true, drill_begin_setsockopt },
	{ "getsockopt", 5, 5, true, drill_begin_getsockopt },
	{ "getsockname", 3, 3, true, drill_begin_name },
	{ "getpeername", 3, 3, true, drill_begin_name },
	{ "poll", 3, 3, false, drill_begin_poll },
	{ "epoll_create", 1, 1, false, drill_begin_epoll_create },
	{ "epoll_ctl", 4, 4, true, drill_begin_epoll_ctl },
	{ "epoll_wait", 4, 4, true, drill_begin_epoll_wait },
	{ "pipe", 1, 1, false, drill_begin_pipe },
	{ "splice", 6, 6, true, drill_begin_splice },
};

static void settle(struct drill_host *h, struct drill_running *r)
{
	r->waits = r->result == POSIX_WAIT;
	if (r->waits || !drill_is(r->call->name, "accept") || r->result < 0)
		return;
	const struct drill_expr *e = r->call->result;
	if (e->kind == DRILL_NUMBER && e->number >= 0 && e->number < DRILL_DESCRIPTORS)
		h->current = (int)e->number;
}

bool drill_call_begin(struct drill_host *h, const struct drill_call *c, unsigned line,
	struct drill_running *r, struct drill_problem *p)
{
	memset(r, 0, sizeof *r);
	r->call = c;
	r->line = line;
	r->problem = p;
	for (unsigned i = 0; i < sizeof calls / sizeof calls[0]; i++) {
		if (!drill_is(c->name, calls[i].name))
			continue;
		if (c->count < calls[i].least || c->count > calls[i].most)
			return drill_call_fail(
				r, "%u arguments, where %u belong", c->count, calls[i].least);
		int64_t fd = -1;
		if (calls[i].descriptor && !drill_number_of(r, c->arguments, &fd))
			return false;
		r->fd = fd >= 0 && fd < DRILL_DESCRIPTORS ? (int)fd : 0;
		if (!calls[i].begin(h, r, drill_live(h, fd)))
			return false;
		settle(h, r);
		return true;
	}
	return drill_call_fail(r, "there is no such call here");
}

void drill_call_retry(struct drill_host *h, struct drill_running *r)
{
	r->result = posix_retry(h->posix, &r->state);
	settle(h, r);
}
