/*
 * Linux's socket calls on one of our stacks, in virtual time: descriptors, the
 * calls with their arguments and error numbers, socket options, poll and epoll,
 * sysctl names. What judges a TCP from outside (packetdrill's scripts, programs
 * written for Linux) speaks this language.
 *
 * One `struct posix` is one host with one point-to-point interface that carries
 * bare IP datagrams. It is pure: all memory is one piece that the caller gives,
 * and time is its own. Time moves only in posix_advance; a call takes no time.
 *
 *	posix_receive(p, datagram, len)           a datagram in
 *	posix_read(p, &call, fd, buf, len) ...    the program's calls
 *	while (posix_transmit(p, buf, cap, &when)) ...    what left, oldest first
 *	posix_advance(p, until)                   time passes
 *
 * Calls return what Linux's return, or -errno (linux_abi.h). A call that would
 * block returns POSIX_WAIT and leaves its arguments and progress in the caller's
 * `struct posix_call`: when time or datagrams have moved, posix_retry goes on,
 * until it returns anything else. With a NULL call, or a descriptor in O_NONBLOCK,
 * nothing waits: -EAGAIN. All memory that a waiting call names must live until it
 * has returned. Several calls may wait at once.
 *
 * Thread rule: one thread at a time may be inside a `struct posix`.
 */
#ifndef STRATA_POSIX_POSIX_H
#define STRATA_POSIX_POSIX_H

#include "posix/linux_abi.h"
#include "socket/socket.h"

#define POSIX_WAIT         INT64_MIN /* not a result: posix_retry goes on */
#define POSIX_DATAGRAM_MAX 65535

struct posix_config {
	struct addr local4, local6; /* ::, where the family is not wanted; at least one */
	uint8_t prefix4, prefix6;
	struct addr
		gateway; /* for messages only: all that is not ours leaves by the one interface */
	uint16_t mtu;    /* 1500 */
	uint32_t descriptors; /* most that are open at once: 64 */
	int first_descriptor; /* 3 */
	uint32_t outbox;      /* bytes of datagrams that left and were not taken: 1 MiB */
	nanotime start;       /* the clock's first time */
	uint8_t secret[32];   /* seeds ISNs, ports, timestamps: the same secret, the same run */
};

struct posix;

/* One host that behaves as Linux's defaults would (see sysctl.c for all of them), without
 * addresses. */
void posix_config_default(struct posix_config *c);
/* Bytes that posix_create wants: some MiB. */
size_t posix_memory(const struct posix_config *c);
/* Builds a host in `memory` (aligned to 64). NULL and *why, in words, on a broken config. */
struct posix *posix_create(
	const struct posix_config *c, void *memory, size_t size, const char **why);

/*
 * Settings by sysctl's name: "net.ipv4.tcp_sack" or the path after /proc/sys/, "net/ipv4/tcp_sack"
 * (IPv6 has no names of its own for TCP). They hold for what begins afterwards, as in Linux. 0;
 * -ENOENT: not a name that we know (counted); -EINVAL: not a value for it. A name that Linux has
 * and that changes nothing here is taken and answers 0.
 */
int posix_sysctl(struct posix *p, const char *name, const char *value);
/* One line "NAME=VALUE", blanks and quotes allowed; empty lines and # comments answer 0. */
int posix_sysctl_line(struct posix *p, const char *line, size_t len);
/* Names that posix_sysctl did not know, so far. */
uint32_t posix_sysctl_unknown(const struct posix *p);

/* The clock. posix_advance moves it towards `until`, but stops at the first moment at which a
 * timer fired: returns true if it got to `until`. So a loop sees every step:
 *	while (!posix_advance(p, until)) look(p); */
nanotime posix_now(const struct posix *p);
bool posix_advance(struct posix *p, nanotime until);
/* When something will happen by itself (a timer, or a call's own time-out); NANOTIME_NEVER. */
nanotime posix_next(const struct posix *p);

/* A datagram in. 0, or -EINVAL where `len` is 0 or above 65535. */
int posix_receive(struct posix *p, const void *datagram, size_t len);
/* Takes the oldest datagram that left: its length (cut to `cap`), 0: none. `when`: the time at
 * which it left. `why`: for people. Both may be NULL. */
size_t posix_transmit(struct posix *p, void *buf, size_t cap, nanotime *when, enum tx_why *why);
/* Is there one? */
bool posix_has_sent(const struct posix *p);
/* The stack beneath, for traces and counters. */
struct stack *posix_stack(struct posix *p);
/* MTU of the interface; 576 (1280 with IPv6) to 65535. 0 or -EINVAL. */
int posix_set_mtu(struct posix *p, uint32_t mtu);

/* A call that waits. The caller's memory, which must stay where it is until the call has returned
 * or was cancelled; private inside. */
struct posix_call {
	struct list link; /* among all that wait */
	uint8_t kind;     /* 0: none */
	bool started, never_wait, finished;
	int fd, flags;
	int64_t done;      /* bytes so far */
	int64_t result;    /* finished: what posix_retry will say */
	nanotime deadline; /* NANOTIME_NEVER: none */
	struct linux_iovec one;
	const struct linux_iovec *iov; /* NULL: `one` */
	size_t iov_len;
	struct linux_msghdr *msg;
	void *address;
	uint32_t *address_len;
	uint32_t address_size;
	void *events; /* pollfds or epoll events */
	uint32_t max;
};

/* Goes on with a call that returned POSIX_WAIT. */
int64_t posix_retry(struct posix *p, struct posix_call *call);
/* Forgets one that waits (its result is of no interest any more). */
void posix_cancel(struct posix *p, struct posix_call *call);

/* Calls that never wait. */
int64_t posix_socket(struct posix *p, int family, int type, int protocol);
int64_t posix_bind(struct posix *p, int fd, const void *sockaddr, uint32_t len);
int64_t posix_listen(struct posix *p, int fd, int backlog);
int64_t posix_shutdown(struct posix *p, int fd, int how);
int64_t posix_getsockname(struct posix *p, int fd, void *sockaddr, uint32_t *len);
int64_t posix_getpeername(struct posix *p, int fd, void *sockaddr, uint32_t *len);
int64_t posix_getsockopt(struct posix *p, int fd, int level, int name, void *value, uint32_t *len);
int64_t posix_setsockopt(
	struct posix *p, int fd, int level, int name, const void *value, uint32_t len);
/* F_GETFL, F_SETFL (O_NONBLOCK), F_GETFD, F_SETFD. */
int64_t posix_fcntl(struct posix *p, int fd, int cmd, long arg);
/* FIONREAD = SIOCINQ, SIOCOUTQ, SIOCOUTQNSD, SIOCATMARK, FIONBIO. */
int64_t posix_ioctl(struct posix *p, int fd, unsigned long request, int *arg);
int64_t posix_epoll_create(struct posix *p, int size);
int64_t posix_epoll_ctl(
	struct posix *p, int epfd, int op, int fd, const struct linux_epoll_event *event);
int64_t posix_pipe(struct posix *p, int fd[2]);
/* From a socket into a pipe, from a pipe to a socket. Never waits: -EAGAIN. */
int64_t posix_splice(struct posix *p, int in, int64_t *in_offset, int out, int64_t *out_offset,
	size_t len, unsigned flags);

/* Calls that may wait; `call` as said above. */
int64_t posix_accept(
	struct posix *p, struct posix_call *call, int fd, void *sockaddr, uint32_t *len);
int64_t posix_connect(
	struct posix *p, struct posix_call *call, int fd, const void *sockaddr, uint32_t len);
int64_t posix_read(struct posix *p, struct posix_call *call, int fd, void *buf, size_t len);
int64_t posix_readv(
	struct posix *p, struct posix_call *call, int fd, const struct linux_iovec *iov, int count);
int64_t posix_recv(
	struct posix *p, struct posix_call *call, int fd, void *buf, size_t len, int flags);
int64_t posix_recvfrom(struct posix *p, struct posix_call *call, int fd, void *buf, size_t len,
	int flags, void *sockaddr, uint32_t *address_len);
int64_t posix_recvmsg(
	struct posix *p, struct posix_call *call, int fd, struct linux_msghdr *msg, int flags);
int64_t posix_write(struct posix *p, struct posix_call *call, int fd, const void *buf, size_t len);
int64_t posix_writev(
	struct posix *p, struct posix_call *call, int fd, const struct linux_iovec *iov, int count);
int64_t posix_send(
	struct posix *p, struct posix_call *call, int fd, const void *buf, size_t len, int flags);
int64_t posix_sendto(struct posix *p, struct posix_call *call, int fd, const void *buf, size_t len,
	int flags, const void *sockaddr, uint32_t address_len);
int64_t posix_sendmsg(struct posix *p, struct posix_call *call, int fd,
	const struct linux_msghdr *msg, int flags);
/* `timeout` in ms, -1: for ever. */
int64_t posix_poll(struct posix *p, struct posix_call *call, struct linux_pollfd *fds,
	uint32_t count, int timeout);
int64_t posix_epoll_wait(struct posix *p, struct posix_call *call, int epfd,
	struct linux_epoll_event *events, int max, int timeout);
/* Waits only where SO_LINGER asks for it. The descriptor is gone either way. */
int64_t posix_close(struct posix *p, struct posix_call *call, int fd);

/* Gives an open descriptor another number, for a host that has numbers of its own; what stood
 * under that number is closed first. 0 or -EBADF. */
int64_t posix_renumber(struct posix *p, int fd, int number);
/* The socket behind a descriptor, 0: none (yet). */
sock_id posix_sock(const struct posix *p, int fd);

#endif
