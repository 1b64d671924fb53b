/*
 * The members of the interface: each takes the lock, makes the call on the host in
 * virtual time, sleeps where it must, and turns -errno into errno. Descriptors are real
 * ones of this process (an eventfd each), so that their numbers are as everywhere and
 * the caller may close(2) what it forgot.
 */
#define _GNU_SOURCE
#include "packetdrill/bridge.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define EXPORT   __attribute__((visibility("default")))
#define GIVE_UP  (60 * NANO_S) /* netdev_receive waits so long for a datagram */
#define POLL_MAX 64

static_assert(sizeof(struct iovec) == sizeof(struct linux_iovec), "one layout");
static_assert(sizeof(struct msghdr) == sizeof(struct linux_msghdr) &&
		offsetof(struct msghdr, msg_controllen) ==
			offsetof(struct linux_msghdr, control_len) &&
		offsetof(struct msghdr, msg_flags) == offsetof(struct linux_msghdr, flags),
	"one layout");
static_assert(sizeof(struct pollfd) == sizeof(struct linux_pollfd), "one layout");
static_assert(sizeof(struct epoll_event) == sizeof(struct linux_epoll_event), "one layout");
static_assert(sizeof(socklen_t) == sizeof(uint32_t), "one layout");

static int64_t finish(struct bridge *b, int64_t result)
{
	bridge_leave(b);
	if (result >= 0)
		return result;
	errno = (int)-result;
	return -1;
}

/* A new descriptor of the host gets the number of a real one. */
static int64_t real_number(struct bridge *b, int64_t fd)
{
	if (fd < 0)
		return fd;
	int real = eventfd(0, EFD_CLOEXEC);
	if (real < 0) {
		posix_close(b->posix, NULL, (int)fd);
		return -LINUX_EMFILE;
	}
	posix_renumber(b->posix, (int)fd, real);
	return real;
}

#define ENTER(userdata) \
	struct bridge *b = userdata; \
	bridge_enter(b); \
	bridge_release(b)

/* A call that may sleep: its record stands in this thread's stack. */
#define SLEEPING(call) \
	struct sleeper sleeper = { .result = POSIX_WAIT }; \
	struct posix_call *call = &sleeper.call

static int do_socket(void *u, int family, int type, int protocol)
{
	ENTER(u);
	return (int)finish(b, real_number(b, posix_socket(b->posix, family, type, protocol)));
}

static int do_bind(void *u, int fd, const struct sockaddr *address, socklen_t len)
{
	ENTER(u);
	return (int)finish(b, posix_bind(b->posix, fd, address, len));
}

static int do_listen(void *u, int fd, int backlog)
{
	ENTER(u);
	return (int)finish(b, posix_listen(b->posix, fd, backlog));
}

static int do_accept(void *u, int fd, struct sockaddr *address, socklen_t *len)
{
	ENTER(u);
	SLEEPING(call);
	int64_t r = bridge_wait(b, call, posix_accept(b->posix, call, fd, address, len));
	return (int)finish(b, real_number(b, r));
}

static int do_connect(void *u, int fd, const struct sockaddr *address, socklen_t len)
{
	ENTER(u);
	SLEEPING(call);
	return (int)finish(
		b, bridge_wait(b, call, posix_connect(b->posix, call, fd, address, len)));
}

static ssize_t do_read(void *u, int fd, void *buf, size_t len)
{
	ENTER(u);
	SLEEPING(call);
	return finish(b, bridge_wait(b, call, posix_read(b->posix, call, fd, buf, len)));
}

static ssize_t do_readv(void *u, int fd, const struct iovec *iov, int count)
{
	ENTER(u);
	SLEEPING(call);
	const struct linux_iovec *v = (const void *)iov;
	return finish(b, bridge_wait(b, call, posix_readv(b->posix, call, fd, v, count)));
}

static ssize_t do_recv(void *u, int fd, void *buf, size_t len, int flags)
{
	ENTER(u);
	SLEEPING(call);
	return finish(b, bridge_wait(b, call, posix_recv(b->posix, call, fd, buf, len, flags)));
}

static ssize_t do_recvfrom(void *u, int fd, void *buf, size_t len, int flags,
	struct sockaddr *address, socklen_t *address_len)
{
	ENTER(u);
	SLEEPING(call);
	return finish(b,
		bridge_wait(b, call,
			posix_recvfrom(b->posix, call, fd, buf, len, flags, address, address_len)));
}

static ssize_t do_recvmsg(void *u, int fd, struct msghdr *msg, int flags)
{
	ENTER(u);
	SLEEPING(call);
	struct linux_msghdr *m = (void *)msg;
	return finish(b, bridge_wait(b, call, posix_recvmsg(b->posix, call, fd, m, flags)));
}

static ssize_t do_write(void *u, int fd, const void *buf, size_t len)
{
	ENTER(u);
	SLEEPING(call);
	return finish(b, bridge_wait(b, call, posix_write(b->posix, call, fd, buf, len)));
}

static ssize_t do_writev(void *u, int fd, const struct iovec *iov, int count)
{
	ENTER(u);
	SLEEPING(call);
	const struct linux_iovec *v = (const void *)iov;
	return finish(b, bridge_wait(b, call, posix_writev(b->posix, call, fd, v, count)));
}

static ssize_t do_send(void *u, int fd, const void *buf, size_t len, int flags)
{
	ENTER(u);
	SLEEPING(call);
	return finish(b, bridge_wait(b, call, posix_send(b->posix, call, fd, buf, len, flags)));
}

static ssize_t do_sendto(void *u, int fd, const void *buf, size_t len, int flags,
	const struct sockaddr *address, socklen_t address_len)
{
	ENTER(u);
	SLEEPING(call);
	return finish(b,
		bridge_wait(b, call,
			posix_sendto(b->posix, call, fd, buf, len, flags, address, address_len)));
}

static ssize_t do_sendmsg(void *u, int fd, const struct msghdr *msg, int flags)
{
	ENTER(u);
	SLEEPING(call);
	const struct linux_msghdr *m = (const void *)msg;
	return finish(b, bridge_wait(b, call, posix_sendmsg(b->posix, call, fd, m, flags)));
}

static int do_fcntl(void *u, int fd, int cmd, ...)
{
	va_list more;
	va_start(more, cmd);
	long arg = cmd == LINUX_F_SETFL || cmd == LINUX_F_SETFD ? va_arg(more, int) : 0;
	va_end(more);
	ENTER(u);
	return (int)finish(b, posix_fcntl(b->posix, fd, cmd, arg));
}

static int do_ioctl(void *u, int fd, unsigned long request, ...)
{
	va_list more;
	va_start(more, request);
	int *arg = va_arg(more, int *);
	va_end(more);
	ENTER(u);
	return (int)finish(b, arg ? posix_ioctl(b->posix, fd, request, arg) : -LINUX_EFAULT);
}

static int do_close(void *u, int fd)
{
	ENTER(u);
	SLEEPING(call);
	int64_t r = bridge_wait(b, call, posix_close(b->posix, call, fd));
	if (r != -LINUX_EBADF)
		close(fd); /* its placeholder */
	return (int)finish(b, r);
}

static int do_shutdown(void *u, int fd, int how)
{
	ENTER(u);
	return (int)finish(b, posix_shutdown(b->posix, fd, how));
}

static int do_getsockopt(void *u, int fd, int level, int name, void *value, socklen_t *len)
{
	ENTER(u);
	return (int)finish(b, posix_getsockopt(b->posix, fd, level, name, value, len));
}

static int do_setsockopt(void *u, int fd, int level, int name, const void *value, socklen_t len)
{
	ENTER(u);
	return (int)finish(b, posix_setsockopt(b->posix, fd, level, name, value, len));
}

static int do_poll(void *u, struct pollfd *fds, nfds_t count, int timeout)
{
	ENTER(u);
	SLEEPING(call);
	int64_t r = count > POLL_MAX
		? -LINUX_EINVAL
		: posix_poll(b->posix, call, (void *)fds, (uint32_t)count, timeout);
	return (int)finish(b, bridge_wait(b, call, r));
}

static int do_netdev_send(void *u, const void *buf, size_t count)
{
	ENTER(u);
	return (int)finish(b, posix_receive(b->posix, buf, count));
}

static int do_netdev_receive(void *u, void *buf, size_t *count, long long *time_usecs)
{
	ENTER(u);
	bridge_run(b, posix_now(b->posix) + GIVE_UP, true);
	nanotime when = posix_now(b->posix);
	*count = posix_transmit(b->posix, buf, *count, &when, NULL);
	*time_usecs = when / NANO_US;
	return (int)finish(b, 0);
}

static int do_usleep(void *u, useconds_t usecs)
{
	ENTER(u);
	bridge_run(b, posix_now(b->posix) + usecs * NANO_US, false);
	return (int)finish(b, 0);
}

/* Never the same twice: each call takes a microsecond. */
static int do_gettimeofday(void *u, struct timeval *tv, struct timezone *tz)
{
	struct bridge *b = u;
	(void)tz;
	bridge_enter(b);
	nanotime until = (posix_now(b->posix) / NANO_US + 1) * NANO_US;
	while (!posix_advance(b->posix, until))
		;
	tv->tv_sec = until / NANO_S;
	tv->tv_usec = until % NANO_S / NANO_US;
	bridge_release(b);
	return (int)finish(b, 0);
}

static int do_epoll_create(void *u, int size)
{
	ENTER(u);
	return (int)finish(b, real_number(b, posix_epoll_create(b->posix, size)));
}

static int do_epoll_ctl(void *u, int epfd, int op, int fd, struct epoll_event *event)
{
	ENTER(u);
	return (int)finish(b, posix_epoll_ctl(b->posix, epfd, op, fd, (void *)event));
}

static int do_epoll_wait(void *u, int epfd, struct epoll_event *events, int max, int timeout)
{
	ENTER(u);
	SLEEPING(call);
	int64_t r = posix_epoll_wait(b->posix, call, epfd, (void *)events, max, timeout);
	return (int)finish(b, bridge_wait(b, call, r));
}

static int do_pipe(void *u, int fds[2])
{
	ENTER(u);
	int two[2];
	int64_t r = posix_pipe(b->posix, two);
	if (r == 0) {
		fds[0] = (int)real_number(b, two[0]);
		fds[1] = (int)real_number(b, two[1]);
		if (fds[0] < 0 || fds[1] < 0)
			r = -LINUX_EMFILE;
	}
	return (int)finish(b, r);
}

static int do_splice(
	void *u, int in, off_t *in_offset, int out, off_t *out_offset, size_t len, unsigned flags)
{
	ENTER(u);
	/* Google's program always passes the places of its offsets, where Linux's own call gets the
	 * offsets themselves, cast: a zero stands for "none". */
	off_t *from = in_offset && *in_offset ? in_offset : NULL;
	off_t *to = out_offset && *out_offset ? out_offset : NULL;
	return (int)finish(b, posix_splice(b->posix, in, from, out, to, len, flags));
}

static void do_free(void *u)
{
	bridge_close(u);
}

EXPORT void packetdrill_interface_init(const char *flags, struct packetdrill_interface *ifc)
{
	*ifc = (struct packetdrill_interface){
		.userdata = bridge_open(flags),
		.free = do_free,
		.socket = do_socket,
		.bind = do_bind,
		.listen = do_listen,
		.accept = do_accept,
		.connect = do_connect,
		.read = do_read,
		.readv = do_readv,
		.recv = do_recv,
		.recvfrom = do_recvfrom,
		.recvmsg = do_recvmsg,
		.write = do_write,
		.writev = do_writev,
		.send = do_send,
		.sendto = do_sendto,
		.sendmsg = do_sendmsg,
		.fcntl = do_fcntl,
		.ioctl = do_ioctl,
		.close = do_close,
		.shutdown = do_shutdown,
		.getsockopt = do_getsockopt,
		.setsockopt = do_setsockopt,
		.poll = do_poll,
		.netdev_send = do_netdev_send,
		.netdev_receive = do_netdev_receive,
		.usleep = do_usleep,
		.gettimeofday = do_gettimeofday,
		.epoll_create = do_epoll_create,
		.epoll_ctl = do_epoll_ctl,
		.epoll_wait = do_epoll_wait,
		.pipe = do_pipe,
		.splice = do_splice,
	};
}
