/*
 * Bytes in and out: read, recv, recvmsg and write, send, sendmsg are two calls with
 * different clothes. A read waits until there is something (or as much as SO_RCVLOWAT and
 * MSG_WAITALL ask for), the end or an error; a write waits until all is taken.
 */
#include "posix/posix_file.h"

#define IOV_MOST 1024 /* Linux's UIO_MAXIOV */

static const struct linux_iovec *call_iov(const struct posix_call *c, size_t *count)
{
	*count = c->iov ? c->iov_len : 1;
	return c->iov ? c->iov : &c->one;
}

static size_t call_total(const struct posix_call *c)
{
	size_t count, total = 0;
	const struct linux_iovec *v = call_iov(c, &count);
	for (size_t i = 0; i < count; i++)
		total += v[i].len;
	return total;
}

/* The place in the caller's memory where byte `at` of the call stands, and what is left there. */
static uint8_t *call_place(const struct posix_call *c, size_t at, size_t *left)
{
	size_t count;
	const struct linux_iovec *v = call_iov(c, &count);
	for (size_t i = 0; i < count; i++) {
		if (at < v[i].len) {
			*left = v[i].len - at;
			return (uint8_t *)v[i].base + at;
		}
		at -= v[i].len;
	}
	*left = 0;
	return NULL;
}

/* Copies without taking; returns bytes. */
static size_t peek(struct posix *p, struct file *f, struct posix_call *c, size_t most)
{
	size_t before = oob_room(p, f, true); /* the urgent byte; 0: it is next */
	if (before && before < most)
		most = before;
	if (c->flags & LINUX_MSG_TRUNC) { /* how much there is, and there may be nowhere to go */
		size_t there = sock_readable(p->stack, f->id);
		return there < most ? there : most;
	}
	struct span spans[64];
	int n = sock_peek(p->stack, f->id, spans, 64);
	size_t done = 0;
	for (int i = 0; i < n; i++) {
		size_t at = 0;
		while (at < spans[i].len && done < most) {
			size_t left;
			uint8_t *to = call_place(c, done, &left);
			size_t len = spans[i].len - at < left ? spans[i].len - at : left;
			if (len > most - done)
				len = most - done;
			if (!len)
				return done;
			memcpy(to, spans[i].at + at, len);
			at += len;
			done += len;
		}
	}
	return done;
}

/* Takes what is there, up to the call's length. */
static void take(struct posix *p, struct file *f, struct posix_call *c, size_t total)
{
	while ((size_t)c->done < total) {
		size_t left = total - (size_t)c->done, most = oob_room(p, f, c->done > 0);
		int64_t n;
		if (c->flags & LINUX_MSG_TRUNC) { /* thrown away */
			size_t there = sock_readable(p->stack, f->id);
			there = there < most ? there : most;
			n = (int64_t)(there < left ? there : left);
			if (n)
				sock_consume(p->stack, f->id, (size_t)n);
		} else {
			uint8_t *to = call_place(c, (size_t)c->done, &left);
			n = sock_read(p->stack, f->id, to, left < most ? left : most);
		}
		if (n <= 0)
			return;
		f->consumed += (uint64_t)n;
		c->done += n;
	}
}

/* What a message says beside its bytes. */
static void put_control(struct posix *p, const struct file *f, const struct posix_call *c)
{
	struct linux_msghdr *m = c->msg;
	size_t room = m->control_len;
	m->control_len = 0;
	m->flags = 0;
	m->name_len = 0;
	if (!f->inq)
		return;
	struct sock_tcp_info i;
	sock_tcp_info(p->stack, f->id, &i);
	int unread = i.unread ? (int)i.unread : i.fin_received;
	struct linux_cmsghdr h = { sizeof h + sizeof unread, LINUX_SOL_TCP, LINUX_TCP_CM_INQ };
	if (room < h.len) {
		m->flags |= LINUX_MSG_CTRUNC;
		return;
	}
	memcpy(m->control, &h, sizeof h);
	memcpy((uint8_t *)m->control + sizeof h, &unread, sizeof unread);
	m->control_len = room < LINUX_CMSG_SPACE(sizeof unread) ? room
								: LINUX_CMSG_SPACE(sizeof unread);
}

/* Nothing is there: the end, an error, or "not yet" (POSIX_WAIT). */
static int64_t nothing_there(struct posix *p, struct file *f)
{
	struct sock_tcp_info i;
	sock_tcp_info(p->stack, f->id, &i);
	if (i.fin_received) /* the stream is whole: what came afterwards is for SO_ERROR */
		return 0;
	int error = socket_take_error(p, f);
	if (error)
		return -error;
	return f->read_shut || socket_dead(p, f) ? 0 : POSIX_WAIT;
}

static int64_t read_done(struct posix *p, struct file *f, struct posix_call *c, int64_t result)
{
	if (c->msg && result >= 0)
		put_control(p, f, c);
	if (c->address_len)
		*c->address_len = 0; /* a stream names nobody */
	if (result > 0)
		posix_flush(p); /* the window may have opened */
	return result;
}

static int64_t stream_read(struct posix *p, struct file *f, struct posix_call *c)
{
	size_t total = call_total(c);
	size_t there = sock_readable(p->stack, f->id);
	size_t low = c->flags & LINUX_MSG_WAITALL ? total : (size_t)f->read_low;
	size_t want = low < total ? low : total;
	if (c->flags & LINUX_MSG_PEEK) {
		if (there && (there >= want || !call_may_wait(p, c)))
			return read_done(p, f, c, (int64_t)peek(p, f, c, total));
	} else {
		if (there)
			take(p, f, c, total);
		if (c->done && ((size_t)c->done >= want || !call_may_wait(p, c)))
			return read_done(p, f, c, c->done);
	}
	if (!total)
		return read_done(p, f, c, 0);
	int64_t result = sock_readable(p->stack, f->id) ? POSIX_WAIT : nothing_there(p, f);
	if (result == POSIX_WAIT) {
		if (c->done)
			posix_flush(p);
		return call_may_wait(p, c) ? POSIX_WAIT : -LINUX_EAGAIN;
	}
	return read_done(p, f, c, c->done ? c->done : result);
}

int64_t read_try(struct posix *p, struct posix_call *c)
{
	struct file *f = file_find(p, c->fd);
	if (!f)
		return -LINUX_EBADF;
	if (f->kind == FILE_PIPE_READ) {
		size_t left;
		uint8_t *to = call_place(c, 0, &left);
		int64_t n = pipe_read(p, f, to, left);
		return n == -LINUX_EAGAIN && call_may_wait(p, c) ? POSIX_WAIT : n;
	}
	if (f->kind != FILE_SOCKET) /* a pipe's other end can't be read */
		return f->kind == FILE_EPOLL ? -LINUX_EINVAL : -LINUX_EBADF;
	if (c->flags & LINUX_MSG_ERRQUEUE) {
		struct linux_msghdr none = { 0 };
		return note_receive(f, c->msg ? c->msg : &none);
	}
	if (f->datagram)
		return udp_read_try(p, f, c);
	if (f->stage != STAGE_STREAM) {
		int error = socket_take_error(p, f); /* why it is no more */
		if (!error && c->flags & LINUX_MSG_OOB && f->stage != STAGE_LISTEN)
			return -LINUX_EINVAL;
		return error ? -error : -LINUX_ENOTCONN;
	}
	if (c->flags & LINUX_MSG_OOB) {
		size_t room;
		uint8_t *to = call_place(c, 0, &room);
		return oob_read(p, f, to, room, c->flags);
	}
	if (!c->started) {
		c->started = true;
		if (f->read_timeout)
			c->deadline = p->now + f->read_timeout;
	}
	if (f->connecting) {
		int64_t outcome = socket_connect_outcome(p, f);
		if (outcome == -LINUX_EINPROGRESS)
			return call_may_wait(p, c) ? POSIX_WAIT : -LINUX_EAGAIN;
		if (outcome < 0)
			return outcome;
	}
	return stream_read(p, f, c);
}

/* Lengths that are none, and memory that is not there where it must be. */
static int64_t wrong_memory(const struct posix_call *c, bool needed)
{
	size_t count;
	const struct linux_iovec *v = call_iov(c, &count);
	for (size_t i = 0; i < count; i++) {
		if (v[i].len > INT64_MAX)
			return -LINUX_EINVAL;
		if (needed && !v[i].base && v[i].len)
			return -LINUX_EFAULT;
	}
	return 0;
}

/* Does the call come so far that it looks at memory? */
static bool touches(const struct file *f)
{
	return f->kind != FILE_SOCKET || (!f->datagram && f->stage == STAGE_STREAM);
}

/* Pieces of readv and writev. */
static int64_t wrong_pieces(
	const struct posix *p, int fd, const struct linux_iovec *iov, int count)
{
	if (!file_find(p, fd))
		return -LINUX_EBADF;
	if (count < 0 || count > IOV_MOST)
		return -LINUX_EINVAL;
	return count && !iov ? -LINUX_EFAULT : 0;
}

/* Such a call never comes to the socket: whatever its state, it is fine. */
static bool nothing_to_move(
	const struct posix *p, int fd, const struct linux_iovec *iov, int count)
{
	const struct file *f = file_find(p, fd);
	bool nothing = f && f->kind == FILE_SOCKET;
	for (int i = 0; nothing && i < count; i++)
		nothing = !iov[i].len;
	return nothing;
}

static int64_t wrong_message(const struct posix *p, int fd, const struct linux_msghdr *msg)
{
	int64_t error;
	if (!file_socket(p, fd, &error))
		return error;
	if (!msg)
		return -LINUX_EFAULT;
	if (msg->iov_len > IOV_MOST)
		return -LINUX_EMSGSIZE;
	if (msg->name && msg->name_len > INT32_MAX)
		return -LINUX_EINVAL;
	return msg->iov_len && !msg->iov ? -LINUX_EFAULT : 0;
}

static int64_t read_begin(struct posix *p, struct posix_call *keep, struct posix_call *c)
{
	const struct file *f = file_find(p, c->fd);
	if (!f)
		return -LINUX_EBADF;
	int64_t wrong = wrong_memory(c, touches(f) && !(c->flags & LINUX_MSG_TRUNC));
	if (wrong)
		return wrong;
	c->kind = CALL_READ;
	c->deadline = NANOTIME_NEVER;
	return call_begin(p, keep, c);
}

int64_t posix_read(struct posix *p, struct posix_call *call, int fd, void *buf, size_t len)
{
	struct posix_call c = { .fd = fd, .one = { buf, len } };
	if (nothing_to_move(p, fd, &c.one, 1))
		return 0;
	return read_begin(p, call, &c);
}

int64_t posix_readv(
	struct posix *p, struct posix_call *call, int fd, const struct linux_iovec *iov, int count)
{
	int64_t wrong = wrong_pieces(p, fd, iov, count);
	if (wrong)
		return wrong;
	if (nothing_to_move(p, fd, iov, count))
		return 0;
	struct posix_call c = { .fd = fd, .iov = iov, .iov_len = (size_t)count };
	return read_begin(p, call, &c);
}

int64_t posix_recv(
	struct posix *p, struct posix_call *call, int fd, void *buf, size_t len, int flags)
{
	return posix_recvfrom(p, call, fd, buf, len, flags, NULL, NULL);
}

int64_t posix_recvfrom(struct posix *p, struct posix_call *call, int fd, void *buf, size_t len,
	int flags, void *sockaddr, uint32_t *address_len)
{
	int64_t error;
	if (!file_socket(p, fd, &error))
		return error;
	struct posix_call c = { .fd = fd,
		.one = { buf, len },
		.flags = flags,
		.address = sockaddr,
		.address_len = sockaddr ? address_len : NULL };
	return read_begin(p, call, &c);
}

int64_t posix_recvmsg(
	struct posix *p, struct posix_call *call, int fd, struct linux_msghdr *msg, int flags)
{
	int64_t wrong = wrong_message(p, fd, msg);
	if (wrong)
		return wrong;
	struct posix_call c = {
		.fd = fd, .iov = msg->iov, .iov_len = msg->iov_len, .msg = msg, .flags = flags
	};
	return read_begin(p, call, &c);
}

/* MSG_FASTOPEN on a socket without a connection begins one. */
static int64_t connect_by_write(struct posix *p, struct file *f, const struct posix_call *c)
{
	struct addr remote;
	uint16_t port, family;
	if (c->address && c->address_size >= sizeof family) {
		memcpy(&family, c->address, sizeof family);
		if (family == LINUX_AF_UNSPEC)
			return -LINUX_EOPNOTSUPP;
	}
	int64_t error = sockaddr_parse(f, c->address, c->address_size, &remote, &port);
	return error ? error : socket_connect(p, f, &remote, port, true);
}

/* The SYN that waited for data goes, with as much of it as it can carry: the first write decides,
 * so what stands in several places is gathered. */
static void write_with_syn(struct posix *p, struct file *f, struct posix_call *c)
{
	uint8_t gathered[2048];
	uint64_t from = f->queue.written;
	size_t room = sock_room(p->stack, f->id), left, len = 0;
	const uint8_t *at = call_place(c, 0, &left);
	if (left < room && left < call_total(c)) {
		while (len < sizeof gathered && (at = call_place(c, len, &left))) {
			size_t n = sizeof gathered - len < left ? sizeof gathered - len : left;
			memcpy(gathered + len, at, n);
			len += n;
		}
		at = gathered;
		left = len;
	}
	int64_t n = left ? sock_write(p->stack, f->id, at, left) : 0;
	if (n > 0) {
		c->done = n;
		f->queue.written += (uint64_t)n;
		if (c->flags & LINUX_MSG_EOR && (size_t)n == call_total(c))
			sock_end_record(p->stack, f->id);
	} else { /* no data at all: who reads waits for nothing to write */
		sock_read(p->stack, f->id, NULL, 0);
	}
	f->deferred = false;
	note_sent(p, f, from, c->flags);
	posix_flush(p);
}

/* Fast Open's part of a write: 0 where it is an ordinary one from here on. */
static int64_t fast_write(struct posix *p, struct file *f, struct posix_call *c)
{
	bool fast = c->flags & LINUX_MSG_FASTOPEN;
	if (c->started || (!fast && !f->deferred))
		return 0;
	if (fast && !(posix_fast_open(p) & FAST_OPEN_CLIENT))
		return -LINUX_EOPNOTSUPP;
	bool begins = f->stage == STAGE_NEW;
	if (begins) {
		int64_t error = connect_by_write(p, f, c);
		if (error)
			return error;
	} else if (f->stage == STAGE_STREAM && f->connecting && !f->deferred) {
		int64_t outcome = socket_connect_outcome(p, f);
		return outcome == -LINUX_EINPROGRESS ? -LINUX_EALREADY : outcome;
	} else if (f->stage == STAGE_STREAM && !f->connecting) {
		return -LINUX_EISCONN;
	}
	c->started = true;
	if (f->deferred)
		write_with_syn(p, f, c);
	if (call_may_wait(p, c))
		return POSIX_WAIT;
	return c->done ? c->done : -LINUX_EINPROGRESS;
}

/* May bytes be taken now? 0, POSIX_WAIT, or -errno. */
static int64_t may_write(struct posix *p, struct file *f, struct posix_call *c)
{
	if (f->stage != STAGE_STREAM) {
		int error = socket_take_error(p, f);
		return error ? -error : -LINUX_EPIPE;
	}
	if (f->connecting) {
		int64_t outcome = socket_connect_outcome(p, f);
		if (outcome == -LINUX_EINPROGRESS)
			return call_may_wait(p, c) ? POSIX_WAIT : -LINUX_EAGAIN;
		if (outcome < 0)
			return outcome;
	}
	int error = socket_take_error(p, f);
	if (error)
		return -error;
	if (f->write_shut || socket_dead(p, f))
		return -LINUX_EPIPE;
	return 0;
}

static void set_more(struct posix *p, struct file *f, bool more)
{
	if (f->more == more)
		return;
	f->more = more;
	sock_set(p->stack, f->id, SOCK_CORK, more || f->corked);
}

/* Takes what there is room for. True: all is taken. */
static bool stream_write(
	struct posix *p, struct file *f, struct posix_call *c, size_t total, int64_t *error)
{
	*error = 0;
	while ((size_t)c->done < total) {
		size_t left;
		const uint8_t *from = call_place(c, (size_t)c->done, &left);
		bool last = (size_t)c->done + left == total;
		int64_t n = send_take(p, f, from, left, last ? c->flags : 0);
		if (n < 0)
			*error = n;
		else
			c->done += n;
		if (n < (int64_t)left)
			return false;
	}
	return true;
}

static int64_t socket_write(struct posix *p, struct file *f, struct posix_call *c)
{
	size_t total = call_total(c);
	int64_t may = fast_write(p, f, c);
	if (may)
		return may;
	if (c->done && f->queue.no_space && !socket_dead(p, f))
		return call_may_wait(p, c) ? POSIX_WAIT : c->done;
	bool opening = f->connecting;
	if (!c->done || opening) {
		may = may_write(p, f, c);
		c->started = true;
		if (may) /* what went with a SYN that failed does not count */
			return may < 0 && may != POSIX_WAIT && c->done && !opening ? c->done : may;
	}
	set_more(p, f, c->flags & LINUX_MSG_MORE);
	uint64_t from = f->queue.written;
	int64_t error;
	bool all = stream_write(p, f, c, total, &error);
	note_sent(p, f, from, c->flags);
	f->queue.pushed = f->queue.written;
	posix_flush(p);
	if (all || error)
		return c->done ? c->done : error;
	if (call_may_wait(p, c))
		return POSIX_WAIT;
	return c->done ? c->done : -LINUX_EAGAIN;
}

int64_t write_try(struct posix *p, struct posix_call *c)
{
	struct file *f = file_find(p, c->fd);
	if (!f)
		return -LINUX_EBADF;
	if (f->kind == FILE_PIPE_WRITE) {
		size_t left;
		const uint8_t *from = call_place(c, 0, &left);
		int64_t n = pipe_write(p, f, from, left);
		return n == -LINUX_EAGAIN && call_may_wait(p, c) ? POSIX_WAIT : n;
	}
	if (f->kind != FILE_SOCKET)
		return f->kind == FILE_EPOLL ? -LINUX_EINVAL : -LINUX_EBADF;
	if (f->datagram)
		return udp_write_try(p, f, c);
	if (!c->started && f->write_timeout)
		c->deadline = p->now + f->write_timeout;
	return socket_write(p, f, c);
}

static int64_t write_begin(struct posix *p, struct posix_call *keep, struct posix_call *c)
{
	const struct file *f = file_find(p, c->fd);
	if (!f)
		return -LINUX_EBADF;
	int64_t wrong = wrong_memory(c, touches(f) || c->flags & LINUX_MSG_FASTOPEN);
	if (wrong)
		return wrong;
	c->kind = CALL_WRITE;
	c->deadline = NANOTIME_NEVER;
	return call_begin(p, keep, c);
}

int64_t posix_write(struct posix *p, struct posix_call *call, int fd, const void *buf, size_t len)
{
	struct posix_call c = { .fd = fd, .one = { (void *)(uintptr_t)buf, len } };
	return write_begin(p, call, &c);
}

int64_t posix_writev(
	struct posix *p, struct posix_call *call, int fd, const struct linux_iovec *iov, int count)
{
	int64_t wrong = wrong_pieces(p, fd, iov, count);
	if (wrong)
		return wrong;
	if (nothing_to_move(p, fd, iov, count))
		return 0;
	struct posix_call c = { .fd = fd, .iov = iov, .iov_len = (size_t)count };
	return write_begin(p, call, &c);
}

int64_t posix_send(
	struct posix *p, struct posix_call *call, int fd, const void *buf, size_t len, int flags)
{
	return posix_sendto(p, call, fd, buf, len, flags, NULL, 0);
}

int64_t posix_sendto(struct posix *p, struct posix_call *call, int fd, const void *buf, size_t len,
	int flags, const void *sockaddr, uint32_t address_len)
{
	int64_t error;
	if (!file_socket(p, fd, &error))
		return error;
	struct posix_call c = { .fd = fd,
		.one = { (void *)(uintptr_t)buf, len },
		.flags = flags,
		.address = (void *)(uintptr_t)sockaddr,
		.address_size = address_len };
	return write_begin(p, call, &c);
}

int64_t posix_sendmsg(
	struct posix *p, struct posix_call *call, int fd, const struct linux_msghdr *msg, int flags)
{
	int64_t wrong = wrong_message(p, fd, msg);
	if (wrong)
		return wrong;
	struct posix_call c = { .fd = fd,
		.iov = msg->iov,
		.iov_len = msg->iov_len,
		.flags = flags,
		.address = msg->name,
		.address_size = msg->name_len };
	return write_begin(p, call, &c);
}
