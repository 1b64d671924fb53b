/*
 * What a program that runs packetdrill's scripts asks of a stack that it loads as a
 * shared object: one function that fills in this table. Every member is called with
 * the `userdata` that stands first; arguments and results are POSIX's, errno set in
 * the calling thread. Written from the interface's description, in our own words.
 */
#ifndef STRATA_PACKETDRILL_INTERFACE_H
#define STRATA_PACKETDRILL_INTERFACE_H

#include <poll.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/types.h>
#include <sys/uio.h>

struct packetdrill_interface {
	void *userdata;
	void (*free)(void *userdata);
	int (*socket)(void *userdata, int family, int type, int protocol);
	int (*bind)(void *userdata, int fd, const struct sockaddr *address, socklen_t len);
	int (*listen)(void *userdata, int fd, int backlog);
	int (*accept)(void *userdata, int fd, struct sockaddr *address, socklen_t *len);
	int (*connect)(void *userdata, int fd, const struct sockaddr *address, socklen_t len);
	ssize_t (*read)(void *userdata, int fd, void *buf, size_t len);
	ssize_t (*readv)(void *userdata, int fd, const struct iovec *iov, int count);
	ssize_t (*recv)(void *userdata, int fd, void *buf, size_t len, int flags);
	ssize_t (*recvfrom)(void *userdata, int fd, void *buf, size_t len, int flags,
		struct sockaddr *address, socklen_t *address_len);
	ssize_t (*recvmsg)(void *userdata, int fd, struct msghdr *msg, int flags);
	ssize_t (*write)(void *userdata, int fd, const void *buf, size_t len);
	ssize_t (*writev)(void *userdata, int fd, const struct iovec *iov, int count);
	ssize_t (*send)(void *userdata, int fd, const void *buf, size_t len, int flags);
	ssize_t (*sendto)(void *userdata, int fd, const void *buf, size_t len, int flags,
		const struct sockaddr *address, socklen_t address_len);
	ssize_t (*sendmsg)(void *userdata, int fd, const struct msghdr *msg, int flags);
	int (*fcntl)(void *userdata, int fd, int cmd, ...);
	int (*ioctl)(void *userdata, int fd, unsigned long request, ...);
	int (*close)(void *userdata, int fd);
	int (*shutdown)(void *userdata, int fd, int how);
	int (*getsockopt)(void *userdata, int fd, int level, int name, void *value, socklen_t *len);
	int (*setsockopt)(
		void *userdata, int fd, int level, int name, const void *value, socklen_t len);
	int (*poll)(void *userdata, struct pollfd *fds, nfds_t count, int timeout);
	/* A datagram to the stack: 0, or -1. */
	int (*netdev_send)(void *userdata, const void *buf, size_t count);
	/* The next datagram from the stack: *count is the room in `buf` and becomes the length, 0
	 * where none left within 60 virtual seconds; *time_usecs: when it left. 0, or -1. */
	int (*netdev_receive)(void *userdata, void *buf, size_t *count, long long *time_usecs);
	int (*usleep)(void *userdata, useconds_t usecs);
	int (*gettimeofday)(void *userdata, struct timeval *tv, struct timezone *tz);
	int (*epoll_create)(void *userdata, int size);
	int (*epoll_ctl)(void *userdata, int epfd, int op, int fd, struct epoll_event *event);
	int (*epoll_wait)(
		void *userdata, int epfd, struct epoll_event *events, int max, int timeout);
	int (*pipe)(void *userdata, int fds[2]);
	int (*splice)(void *userdata, int in, off_t *in_offset, int out, off_t *out_offset,
		size_t len, unsigned flags);
};

/*
 * Makes a fresh stack. Flags, separated by commas: ipv4=ADDRESS/LEN, ipv6=ADDRESS/LEN (at least
 * one), gateway=ADDRESS, mtu=N, profile=linux (the only one there is, and the default),
 * control=FILE: lines NAME=VALUE with Linux's sysctl names, read again before each call. A flag
 * that can't be understood ends the program with one line on stderr and exit code 2: the caller
 * asks for no result.
 */
void packetdrill_interface_init(const char *flags, struct packetdrill_interface *ifc);

#endif
