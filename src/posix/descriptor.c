/*
 * Descriptors: a small table of records, found by number; what may be asked of any of
 * them (fcntl, ioctl, close). Closing a socket ends its connection as Linux does:
 * gracefully, with a reset where data was never read, or as SO_LINGER says.
 */
#include "posix/posix_file.h"

struct file *file_find(const struct posix *p, int fd)
{
	for (uint32_t i = 0; i < p->config.descriptors; i++)
		if (p->file[i].kind != FILE_FREE && p->file[i].number == fd)
			return &p->file[i];
	return NULL;
}

struct file *file_socket(const struct posix *p, int fd, int64_t *error)
{
	struct file *f = file_find(p, fd);
	*error = !f ? -LINUX_EBADF : f->kind != FILE_SOCKET ? -LINUX_ENOTSOCK : 0;
	return *error ? NULL : f;
}

struct file *file_new(struct posix *p, enum file_kind kind)
{
	int number = p->config.first_descriptor;
	while (file_find(p, number))
		number++;
	for (uint32_t i = 0; i < p->config.descriptors; i++) {
		struct file *f = &p->file[i];
		if (f->kind != FILE_FREE)
			continue;
		struct watched *watched = f->watched;
		memset(f, 0, sizeof *f);
		memset(watched, 0, POSIX_WATCHED * sizeof *watched);
		f->watched = watched;
		f->number = number;
		f->kind = (uint8_t)kind;
		f->flags = LINUX_O_RDWR;
		f->local = ADDR_ANY;
		return f;
	}
	return NULL;
}

void file_free(struct posix *p, struct file *f)
{
	watched_forget(p, f->number);
	if (f->kind == FILE_PIPE_READ || f->kind == FILE_PIPE_WRITE) {
		struct file *other = file_find(p, f->other);
		if (other)
			other->other = 0;
		else
			p->pipe_used[f->pipe] = false;
	}
	f->kind = FILE_FREE;
}

int posix_errno(enum error e)
{
	switch (e) {
	case ERR_OK: return 0;
	case ERR_AGAIN: return LINUX_EAGAIN;
	case ERR_CLOSED: return LINUX_EPIPE;
	case ERR_MEMORY: return LINUX_ENOBUFS;
	case ERR_TOO_MANY:
	case ERR_LIMIT: return LINUX_ENOBUFS;
	case ERR_IN_USE: return LINUX_EADDRINUSE;
	case ERR_NO_ADDRESS:
	case ERR_NO_PORT: return LINUX_EADDRNOTAVAIL;
	case ERR_NO_ROUTE:
	case ERR_NET_UNREACHABLE: return LINUX_ENETUNREACH;
	case ERR_HOST_UNREACHABLE: return LINUX_EHOSTUNREACH;
	case ERR_PORT_UNREACHABLE:
	case ERR_REFUSED: return LINUX_ECONNREFUSED;
	case ERR_PROTOCOL_UNREACHABLE: return LINUX_ENOPROTOOPT;
	case ERR_RESET: return LINUX_ECONNRESET;
	case ERR_ABORTED: return LINUX_ECONNABORTED;
	case ERR_TIMEOUT: return LINUX_ETIMEDOUT;
	case ERR_TOO_BIG: return LINUX_EMSGSIZE;
	case ERR_FAMILY: return LINUX_EAFNOSUPPORT;
	case ERR_PERMISSION: return LINUX_EACCES;
	case ERR_UNSUPPORTED: return LINUX_EOPNOTSUPP;
	default: return LINUX_EINVAL;
	}
}

int64_t posix_fcntl(struct posix *p, int fd, int cmd, long arg)
{
	struct file *f = file_find(p, fd);
	if (!f)
		return -LINUX_EBADF;
	const int kept = LINUX_O_NONBLOCK | LINUX_O_APPEND;
	switch (cmd) {
	case LINUX_F_GETFL: return f->flags;
	case LINUX_F_SETFL:
		f->flags = (f->flags & ~kept) | ((int)arg & kept);
		return 0;
	case LINUX_F_GETFD: return f->close_on_exec;
	case LINUX_F_SETFD: /* nothing is ever executed */
		f->close_on_exec = arg & LINUX_FD_CLOEXEC;
		return 0;
	case LINUX_F_GETOWN: return 0; /* nobody is ever signalled */
	default: return -LINUX_EINVAL;
	}
}

static bool is_known(unsigned long request)
{
	return request == LINUX_SIOCINQ || request == LINUX_SIOCOUTQ ||
		request == LINUX_SIOCOUTQNSD;
}

int64_t posix_ioctl(struct posix *p, int fd, unsigned long request, int *arg)
{
	struct file *f = file_find(p, fd);
	if (!f)
		return -LINUX_EBADF;
	if (request == LINUX_FIONBIO) {
		f->flags = (f->flags & ~LINUX_O_NONBLOCK) | (*arg ? LINUX_O_NONBLOCK : 0);
		return 0;
	}
	if (f->kind == FILE_PIPE_READ && request == LINUX_FIONREAD) {
		*arg = (int)f->pipe_filled;
		return 0;
	}
	if (f->kind != FILE_SOCKET)
		return -LINUX_ENOTTY;
	if (f->stage == STAGE_LISTEN && request != LINUX_SIOCATMARK)
		return is_known(request) ? -LINUX_EINVAL : -LINUX_ENOTTY;
	struct sock_tcp_info i = { 0 };
	if (f->stage == STAGE_STREAM)
		sock_tcp_info(p->stack, f->id, &i);
	bool shaking = f->stage != STAGE_STREAM || f->connecting;
	switch (request) {
	case LINUX_SIOCINQ: *arg = (int)oob_before(p, f, i.unread); return 0;
	case LINUX_SIOCOUTQ: /* FIN counts, as it takes a sequence number */
		*arg = shaking ? 0 : (int)(i.unacked + i.unsent + (i.fin_queued && !i.fin_sent));
		return 0;
	case LINUX_SIOCOUTQNSD:
		*arg = shaking ? 0 : (int)(i.unsent + (i.fin_queued && !i.fin_sent));
		return 0;
	case LINUX_SIOCATMARK: *arg = oob_at_mark(p, f); return 0;
	default: return -LINUX_ENOTTY;
	}
}

int64_t posix_renumber(struct posix *p, int fd, int number)
{
	struct file *f = file_find(p, fd);
	if (!f)
		return -LINUX_EBADF;
	if (fd == number)
		return 0;
	if (file_find(p, number))
		posix_close(p, NULL, number);
	struct file *other = f->other ? file_find(p, f->other) : NULL;
	if (other)
		other->other = number;
	f->number = number;
	if (p->held.owner == fd)
		p->held.owner = number;
	return 0;
}

sock_id posix_sock(const struct posix *p, int fd)
{
	const struct file *f = file_find(p, fd);
	return f && f->kind == FILE_SOCKET ? f->id : 0;
}

/* Is what was to be sent acknowledged, FIN included (or never to be)? */
static bool is_drained(struct posix *p, const struct file *f)
{
	struct sock_tcp_info i;
	return sock_tcp_info(p->stack, f->id, &i) != 0 || socket_dead(p, f) ||
		(i.fin_queued && i.fin_sent && i.unacked == 0);
}

/* TCP_LINGER2 below zero: FIN-WAIT-2 is not for sockets that are closed. */
static bool waits_for_nobody(struct posix *p, const struct file *f)
{
	struct sock_tcp_info i;
	return f->linger2 < 0 && f->stage == STAGE_STREAM &&
		sock_tcp_info(p->stack, f->id, &i) == 0 && i.fin_sent && !i.unacked &&
		!i.fin_received;
}

static void end_connection(struct posix *p, struct file *f, bool abort)
{
	note_all_done(p, f);
	if (abort)
		sock_abort(p->stack, f->id);
	else
		sock_close(p->stack, f->id);
	f->id = 0;
}

int64_t close_try(struct posix *p, struct posix_call *c)
{
	struct file *f = file_find(p, c->fd);
	if (!f)
		return -LINUX_EBADF;
	if (f->kind == FILE_SOCKET && f->datagram) {
		udp_close(p, f);
	} else if (f->kind == FILE_SOCKET && f->id) {
		bool linger = f->stage == STAGE_STREAM && f->linger && !f->connecting;
		bool wait = linger && f->linger_seconds > 0 && sock_readable(p->stack, f->id) == 0;
		if (wait && !c->started) {
			sock_shutdown(p->stack, f->id);
			posix_flush(p);
			c->started = true;
			c->deadline = p->now + f->linger_seconds * NANO_S;
		}
		if (wait && call_may_wait(p, c) && !is_drained(p, f) && p->now < c->deadline)
			return POSIX_WAIT;
		bool reset = (linger && f->linger_seconds == 0) || waits_for_nobody(p, f);
		end_connection(p, f, reset);
	}
	file_free(p, f);
	posix_flush(p);
	return 0;
}

int64_t posix_close(struct posix *p, struct posix_call *keep, int fd)
{
	struct posix_call c = { .kind = CALL_CLOSE, .fd = fd, .deadline = NANOTIME_NEVER };
	return call_begin(p, keep, &c);
}
