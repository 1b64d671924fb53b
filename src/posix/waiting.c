/*
 * Calls that wait. A call is tried; where it would block, its arguments and what it
 * has done so far stay in the caller's record, which stands in the host's list so
 * that the clock knows its time-out, and is tried again when the caller says so.
 */
#include "posix/posix_file.h"

static int64_t attempt(struct posix *p, struct posix_call *c)
{
	switch (c->kind) {
	case CALL_ACCEPT: return accept_try(p, c);
	case CALL_CONNECT: return connect_try(p, c);
	case CALL_READ: return read_try(p, c);
	case CALL_WRITE: return write_try(p, c);
	case CALL_POLL: return poll_try(p, c);
	case CALL_EPOLL: return epoll_try(p, c);
	case CALL_CLOSE: return close_try(p, c);
	default: return -LINUX_EINVAL;
	}
}

bool call_may_wait(const struct posix *p, const struct posix_call *c)
{
	if (c->never_wait || c->deadline <= p->now)
		return false;
	if (c->kind == CALL_POLL || c->kind == CALL_EPOLL || c->kind == CALL_CLOSE)
		return true;
	const struct file *f = file_find(p, c->fd);
	return f && !(f->flags & LINUX_O_NONBLOCK) && !(c->flags & LINUX_MSG_DONTWAIT);
}

int64_t call_begin(struct posix *p, struct posix_call *keep, struct posix_call *call)
{
	call->never_wait = !keep;
	int64_t result = attempt(p, call);
	if (keep) {
		*keep = *call;
		list_init(&keep->link);
		if (result == POSIX_WAIT)
			list_push_back(&p->waiting, &keep->link);
		else
			keep->kind = CALL_NONE;
	}
	return result;
}

void call_writers(struct posix *p)
{
	list_each(at, &p->waiting)
	{
		struct posix_call *c = list_entry(at, struct posix_call, link);
		struct file *f = c->kind == CALL_WRITE ? file_find(p, c->fd) : NULL;
		if (!f || f->kind != FILE_SOCKET || !f->connecting || c->finished)
			continue;
		sock_id id = f->id;
		uint64_t with_syn = f->queue.written;
		c->result = attempt(p, c);
		c->finished = c->result != POSIX_WAIT;
		if (f->queue.written > with_syn)
			sock_set(p->stack, id, SOCK_QUICK_ACK, false);
	}
}

int64_t posix_retry(struct posix *p, struct posix_call *c)
{
	int64_t result = c->finished ? c->result : attempt(p, c);
	if (result != POSIX_WAIT)
		posix_cancel(p, c);
	return result;
}

void posix_cancel(struct posix *p, struct posix_call *c)
{
	(void)p;
	if (c->kind != CALL_NONE)
		list_remove(&c->link);
	c->kind = CALL_NONE;
}
