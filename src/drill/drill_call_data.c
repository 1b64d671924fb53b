/*
 * Calls that open, close and carry data: how each takes its arguments. Data comes
 * from one big buffer of zeroes, or a string of the script, and goes to another.
 */
#include "drill/drill_call.h"

/* What a script hands over: the string that it writes, zeroes for "...", nowhere for NULL. */
static const void *data_of(const struct drill_host *h, const struct drill_running *r, size_t len)
{
	const struct drill_expr *e = drill_argument(r->call, 1);
	if (e && e->kind == DRILL_STRING && e->name.len >= len)
		return e->name.at;
	if (e && e->kind == DRILL_NUMBER && e->number == 0)
		return NULL;
	return h->zeroes;
}

/* Where a script takes data: a big buffer for "...", nowhere for NULL. */
static void *room_of(const struct drill_host *h, const struct drill_running *r)
{
	const struct drill_expr *e = drill_argument(r->call, 1);
	return e && e->kind == DRILL_NUMBER && e->number == 0 ? NULL : h->scratch;
}

bool drill_begin_socket(struct drill_host *h, struct drill_running *r, int live)
{
	const struct drill_expr *e = drill_argument(r->call, 0);
	int64_t family = h->ip6 || h->mapped ? LINUX_AF_INET6 : LINUX_AF_INET, type, protocol;
	(void)live;
	if (e->kind != DRILL_ELLIPSIS && !drill_number_of(r, e, &family))
		return false;
	if (!drill_number_of(r, drill_argument(r->call, 1), &type) ||
		!drill_number_of(r, drill_argument(r->call, 2), &protocol))
		return false;
	r->result = posix_socket(h->posix, (int)family, (int)type, (int)protocol);
	return true;
}

bool drill_begin_bind(struct drill_host *h, struct drill_running *r, int live)
{
	if (!drill_address(h, r, drill_argument(r->call, 1), &h->local, 8080))
		return false;
	r->result = posix_bind(h->posix, live, &r->address, r->address_len);
	return true;
}

bool drill_begin_listen(struct drill_host *h, struct drill_running *r, int live)
{
	int backlog;
	if (!drill_flags_of(r, 1, &backlog))
		return false;
	r->result = posix_listen(h->posix, live, backlog);
	if (r->result == 0) {
		h->listening = true;
		h->current = r->fd;
	}
	return true;
}

bool drill_begin_accept(struct drill_host *h, struct drill_running *r, int live)
{
	r->address_len = sizeof r->address;
	r->result = posix_accept(h->posix, &r->state, live, &r->address, &r->address_len);
	return true;
}

bool drill_begin_connect(struct drill_host *h, struct drill_running *r, int live)
{
	if (!drill_address(h, r, drill_argument(r->call, 1), &h->remote, 8080))
		return false;
	h->opening = r->address.in.family != LINUX_AF_UNSPEC;
	h->current = r->fd;
	r->result = posix_connect(h->posix, &r->state, live, &r->address, r->address_len);
	return true;
}

bool drill_begin_read(struct drill_host *h, struct drill_running *r, int live)
{
	size_t len;
	if (!drill_length_of(r, 2, &len))
		return false;
	r->result = posix_read(h->posix, &r->state, live, room_of(h, r), len);
	return true;
}

bool drill_begin_recv(struct drill_host *h, struct drill_running *r, int live)
{
	size_t len;
	int flags;
	if (!drill_length_of(r, 2, &len) || !drill_flags_of(r, 3, &flags))
		return false;
	r->result = posix_recv(h->posix, &r->state, live, room_of(h, r), len, flags);
	return true;
}

bool drill_begin_recvfrom(struct drill_host *h, struct drill_running *r, int live)
{
	size_t len;
	int flags;
	if (!drill_length_of(r, 2, &len) || !drill_flags_of(r, 3, &flags))
		return false;
	r->address_len = sizeof r->address;
	r->result = posix_recvfrom(
		h->posix, &r->state, live, room_of(h, r), len, flags, &r->address, &r->address_len);
	return true;
}

bool drill_begin_write(struct drill_host *h, struct drill_running *r, int live)
{
	size_t len;
	if (!drill_length_of(r, 2, &len))
		return false;
	r->result = posix_write(h->posix, &r->state, live, data_of(h, r, len), len);
	return true;
}

bool drill_begin_send(struct drill_host *h, struct drill_running *r, int live)
{
	size_t len;
	int flags;
	if (!drill_length_of(r, 2, &len) || !drill_flags_of(r, 3, &flags))
		return false;
	r->result = posix_send(h->posix, &r->state, live, data_of(h, r, len), len, flags);
	return true;
}

/* A Fast Open that carries the call's data opens a connection (RFC 7413 4.2.1). */
static void note_opening(struct drill_host *h, const struct drill_running *r, int flags)
{
	if (flags & LINUX_MSG_FASTOPEN) {
		h->opening = true;
		h->current = r->fd;
	}
}

bool drill_begin_sendto(struct drill_host *h, struct drill_running *r, int live)
{
	size_t len;
	int flags;
	if (!drill_length_of(r, 2, &len) || !drill_flags_of(r, 3, &flags) ||
		!drill_address(h, r, drill_argument(r->call, 4), &h->remote, 8080))
		return false;
	note_opening(h, r, flags);
	r->result = posix_sendto(h->posix, &r->state, live, data_of(h, r, len), len, flags,
		&r->address, r->address_len);
	return true;
}

bool drill_begin_sendmsg(struct drill_host *h, struct drill_running *r, int live)
{
	int flags;
	if (!drill_flags_of(r, 2, &flags) ||
		!drill_message_begin(h, r, drill_argument(r->call, 1), true))
		return false;
	note_opening(h, r, flags);
	r->result = posix_sendmsg(h->posix, &r->state, live, &r->message, flags);
	return true;
}

bool drill_begin_recvmsg(struct drill_host *h, struct drill_running *r, int live)
{
	int flags;
	if (!drill_flags_of(r, 2, &flags) ||
		!drill_message_begin(h, r, drill_argument(r->call, 1), false))
		return false;
	r->result = posix_recvmsg(h->posix, &r->state, live, &r->message, flags);
	return true;
}

/* readv(3, [{..., 100}, {..., 50}], 2) and writev */
bool drill_begin_vector(struct drill_host *h, struct drill_running *r, int live)
{
	const struct drill_expr *list = drill_argument(r->call, 1);
	uint8_t *at = r->call->name.at[0] == 'w' ? h->zeroes : h->scratch;
	size_t left = DRILL_BUFFER;
	int count = 0;
	for (const struct drill_expr *e = list->first; e && count < DRILL_VECTOR; e = e->next) {
		int64_t len = 0;
		if (!drill_number_of(r, e->first ? e->first->next : NULL, &len))
			return false;
		if (len < 0 || (uint64_t)len > left)
			return drill_call_fail(r, "a call moves at most %u bytes", DRILL_BUFFER);
		r->iov[count++] = (struct linux_iovec){ at, (size_t)len };
		at += len;
		left -= (size_t)len;
	}
	r->result = r->call->name.at[0] == 'w'
		? posix_writev(h->posix, &r->state, live, r->iov, count)
		: posix_readv(h->posix, &r->state, live, r->iov, count);
	return true;
}

bool drill_begin_close(struct drill_host *h, struct drill_running *r, int live)
{
	r->result = posix_close(h->posix, &r->state, live);
	if (r->fd >= 0)
		h->descriptor[r->fd] = -1;
	return true;
}

bool drill_begin_shutdown(struct drill_host *h, struct drill_running *r, int live)
{
	int how;
	if (!drill_flags_of(r, 1, &how))
		return false;
	r->result = posix_shutdown(h->posix, live, how);
	return true;
}
