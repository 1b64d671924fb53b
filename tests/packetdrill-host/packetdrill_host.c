/*
 * A small stand-in for the program that judges us: it loads the shared object, calls
 * every member of the interface, plays the remote host with hand-made segments, and
 * lets a second thread block. What it checks beside results: the blocked thread
 * sleeps in the kernel, wakes at the virtual moment of its event, and the clock waits
 * for it.
 *
 *	packetdrill-host [LIBRARY]
 */
#define _GNU_SOURCE
#include "packetdrill/interface.h"

#include "wire/ip4.h"
#include "wire/tcp.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define CHECK(what) \
	do { \
		if (!(what)) { \
			fprintf(stderr, "%s:%d: not so: %s (errno %d)\n", __FILE__, __LINE__, \
				#what, errno); \
			exit(1); \
		} \
	} while (0)

#define LOCAL  "192.168.0.1"
#define REMOTE "192.0.2.1"
#define SERVER 8080

static struct packetdrill_interface ifc;
static void *u; /* its userdata */

struct segment {
	struct tcp_header h;
	long long when;
	size_t len;
	uint8_t text[66000];
};

static struct segment got;
static uint16_t peer = 55555; /* the remote's port */

static struct addr address(const char *text)
{
	struct addr a;
	CHECK(addr_parse(span_of(text, strlen(text)), &a));
	return a;
}

/* The remote says something: to `port` of the host. */
static void say(
	uint16_t port, uint16_t flags, uint32_t seq, uint32_t ack, const void *text, size_t len)
{
	static uint8_t packet[65535];
	struct ip4_header ip = { .ttl = 64,
		.protocol = IPPROTO_TCP,
		.source = address(REMOTE),
		.destination = address(LOCAL) };
	struct tcp_header h = { .source_port = peer,
		.destination_port = port,
		.seq = seq,
		.ack = ack,
		.flags = flags,
		.window = 65535 };
	if (flags & TCP_SYN)
		h.options = (struct tcp_options){ .has = TCP_HAS_MSS, .mss = 1000 };
	uint8_t *tcp = packet + 20;
	size_t head = tcp_emit(&h, tcp, 60);
	if (len)
		memcpy(tcp + head, text, len);
	uint64_t sum = pseudo_sum(&ip.source, &ip.destination, IPPROTO_TCP, (uint32_t)(head + len));
	uint16_t check = checksum_finish(sum + checksum_plain.sum(tcp, head + len));
	memcpy(tcp + 16, &check, 2);
	ip.total_len = (uint16_t)(20 + head + len);
	CHECK(ip4_emit(&ip, packet, 20) == 20);
	CHECK(ifc.netdev_send(u, packet, ip.total_len) == 0);
}

/* What the host says next; false: nothing within a minute. */
static bool hear(void)
{
	static uint8_t packet[65536];
	size_t count = sizeof packet;
	CHECK(ifc.netdev_receive(u, packet, &count, &got.when) == 0);
	if (!count)
		return false;
	struct ip4_header ip;
	CHECK(ip4_parse(span_of(packet, count), count, &ip) == DROP_NONE);
	CHECK(ip.total_len == count);
	size_t tcp = count - ip.header_len;
	CHECK(tcp_parse(span_of(packet + ip.header_len, tcp), tcp, &got.h) == DROP_NONE);
	got.len = tcp - got.h.header_len;
	memcpy(got.text, packet + ip.header_len + got.h.header_len, got.len);
	return true;
}

static long long now(void)
{
	struct timeval tv;
	CHECK(ifc.gettimeofday(u, &tv, NULL) == 0);
	return tv.tv_sec * 1000000LL + tv.tv_usec;
}

static void sockaddr(struct sockaddr_in *a, const char *text, uint16_t port)
{
	memset(a, 0, sizeof *a);
	a->sin_family = AF_INET;
	a->sin_port = htons(port);
	CHECK(inet_pton(AF_INET, text, &a->sin_addr) == 1);
}

/* The other thread, and the call that it blocks in. */
struct blocked {
	pthread_t thread;
	pid_t tid;
	int fd;
	long long result, woke;
	long long start; /* the moment at which the call is due; 0: at once */
	bool entered, writes, reads;
	const void *from;
	size_t len;
};

/* As a judge waits for an event's time: asleep until shortly before it, then asking for the time
 * again and again. */
static void wait_until(long long moment)
{
	for (long long left; (left = moment - now()) > 0;)
		if (left > 20)
			CHECK(ifc.usleep(u, (useconds_t)(left - 20)) == 0);
}

static void *blocked_main(void *arg)
{
	struct blocked *b = arg;
	char buf[4096];
	__atomic_store_n(&b->tid, (pid_t)syscall(SYS_gettid), __ATOMIC_SEQ_CST);
	if (b->start) /* it is the thread of the call that waits for its time */
		wait_until(b->start);
	__atomic_store_n(&b->entered, true, __ATOMIC_SEQ_CST);
	b->result = b->writes ? ifc.write(u, b->fd, b->from, b->len)
		: b->reads    ? ifc.read(u, b->fd, buf, sizeof buf)
			      : ifc.accept(u, b->fd, NULL, NULL);
	b->woke = now();
	return NULL;
}

/* Waits until the thread sleeps in the kernel: that is how a judge sees that it blocks. */
static void await_sleep(struct blocked *b)
{
	const struct timespec moment = { .tv_nsec = 1000000 };
	for (int tries = 0, asleep = 0; asleep < 5; tries++) {
		char path[64], state = '?';
		CHECK(tries < 10000);
		nanosleep(&moment, NULL);
		if (!__atomic_load_n(&b->entered, __ATOMIC_SEQ_CST))
			continue;
		snprintf(path, sizeof path, "/proc/self/task/%d/stat", b->tid);
		FILE *f = fopen(path, "r");
		CHECK(f);
		CHECK(fscanf(f, "%*d (%*[^)]) %c", &state) == 1);
		fclose(f);
		asleep = state == 'S' ? asleep + 1 : 0;
	}
}

static void block(struct blocked *b)
{
	CHECK(pthread_create(&b->thread, NULL, blocked_main, b) == 0);
	await_sleep(b);
}

static void set_control(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");
	CHECK(f);
	CHECK(fputs(text, f) >= 0);
	CHECK(fclose(f) == 0);
}

static void every_member_is_there(void)
{
	void *member[sizeof ifc / sizeof(void *)];
	memcpy(member, &ifc, sizeof ifc);
	for (size_t i = 0; i < sizeof member / sizeof *member; i++)
		CHECK(member[i]);
	CHECK(sizeof member / sizeof *member == 33);
}

static void time_moves_when_told(void)
{
	long long a = now(), b = now();
	CHECK(b > a && b < a + 1000);
	CHECK(ifc.usleep(u, 5000000) == 0);
	long long c = now();
	CHECK(c >= b + 5000000 && c < b + 5000000 + 1000);
	size_t count = 100;
	long long when;
	uint8_t buf[100];
	CHECK(ifc.netdev_receive(u, buf, &count, &when) == 0);
	CHECK(count == 0);
	CHECK(now() >= c + 60000000);
}

static int listener(void)
{
	int fd = ifc.socket(u, AF_INET, SOCK_STREAM, IPPROTO_TCP);
	CHECK(fd > 2 && fcntl(fd, F_GETFD) >= 0); /* a real descriptor stands for it */
	int on = 1;
	CHECK(ifc.setsockopt(u, fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0);
	struct sockaddr_in a;
	sockaddr(&a, "0.0.0.0", SERVER);
	CHECK(ifc.bind(u, fd, (struct sockaddr *)&a, sizeof a) == 0);
	CHECK(ifc.listen(u, fd, 1) == 0);
	return fd;
}

static uint32_t iss; /* the host's */

/* Returns the accepted descriptor. */
static int a_thread_blocks_in_accept(int fd)
{
	struct blocked b = { .fd = fd };
	block(&b);
	say(SERVER, TCP_SYN, 0, 0, NULL, 0);
	CHECK(hear() && got.h.flags == (TCP_SYN | TCP_ACK) && got.h.ack == 1);
	CHECK(!(got.h.options.has & TCP_HAS_TIMESTAMPS)); /* the control file said so */
	CHECK(got.h.options.mss == 1460);
	iss = got.h.seq;
	CHECK(ifc.usleep(u, 10000) == 0);
	long long before = now();
	say(SERVER, TCP_ACK, 1, iss + 1, NULL, 0);
	CHECK(ifc.usleep(u, 1000000) == 0); /* the clock waits for the thread first */
	CHECK(pthread_join(b.thread, NULL) == 0);
	CHECK(b.result > 2);
	CHECK(b.woke > before && b.woke < before + 1000);
	CHECK(now() >= before + 1000000);
	return (int)b.result;
}

static void writes(int fd)
{
	struct iovec v[2] = { { (char *)"six", 3 }, { (char *)"teen", 4 } };
	struct msghdr m = { .msg_iov = v, .msg_iovlen = 2 };
	CHECK(ifc.write(u, fd, "one", 3) == 3);
	CHECK(hear() && got.len == 3 && memcmp(got.text, "one", 3) == 0);
	CHECK(got.h.seq == iss + 1);
	say(SERVER, TCP_ACK, 1, iss + 4, NULL, 0);
	CHECK(ifc.writev(u, fd, v, 2) == 7);
	CHECK(hear() && got.len == 7 && memcmp(got.text, "sixteen", 7) == 0);
	say(SERVER, TCP_ACK, 1, iss + 11, NULL, 0);
	CHECK(ifc.send(u, fd, "a", 1, MSG_NOSIGNAL) == 1);
	CHECK(hear() && got.len == 1);
	say(SERVER, TCP_ACK, 1, iss + 12, NULL, 0);
	CHECK(ifc.sendto(u, fd, "b", 1, 0, NULL, 0) == 1);
	CHECK(hear() && got.len == 1);
	say(SERVER, TCP_ACK, 1, iss + 13, NULL, 0);
	CHECK(ifc.sendmsg(u, fd, &m, 0) == 7);
	CHECK(hear() && got.len == 7);
	say(SERVER, TCP_ACK, 1, iss + 20, NULL, 0);
}

static void reads(int fd)
{
	char buf[64];
	struct iovec v = { buf, sizeof buf };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1 };
	struct sockaddr_in from;
	socklen_t len = sizeof from;
	int n = -1;
	say(SERVER, TCP_ACK, 1, iss + 20, "abcdefghij", 10);
	CHECK(hear() && got.h.ack == 11);
	CHECK(ifc.ioctl(u, fd, SIOCINQ, &n) == 0 && n == 10);
	CHECK(ifc.recv(u, fd, buf, 2, MSG_PEEK) == 2 && memcmp(buf, "ab", 2) == 0);
	CHECK(ifc.read(u, fd, buf, 2) == 2 && memcmp(buf, "ab", 2) == 0);
	v.iov_len = 2;
	CHECK(ifc.readv(u, fd, &v, 1) == 2 && memcmp(buf, "cd", 2) == 0);
	CHECK(ifc.recv(u, fd, buf, 2, 0) == 2 && memcmp(buf, "ef", 2) == 0);
	CHECK(ifc.recvfrom(u, fd, buf, 2, 0, (struct sockaddr *)&from, &len) == 2);
	CHECK(len == 0 && memcmp(buf, "gh", 2) == 0);
	CHECK(ifc.recvmsg(u, fd, &m, 0) == 2 && memcmp(buf, "ij", 2) == 0);
	CHECK(ifc.fcntl(u, fd, F_GETFL) == O_RDWR);
	CHECK(ifc.fcntl(u, fd, F_SETFL, O_RDWR | O_NONBLOCK) == 0);
	errno = 0;
	CHECK(ifc.read(u, fd, buf, 2) == -1 && errno == EAGAIN);
	CHECK(ifc.fcntl(u, fd, F_SETFL, O_RDWR) == 0);
	/* the largest datagram there is, and what it holds */
	static char large[65495];
	memset(large, 'x', sizeof large);
	say(SERVER, TCP_ACK, 11, iss + 20, large, sizeof large);
	CHECK(hear() && got.h.ack == 11 + sizeof large);
	static char back[70000];
	CHECK(ifc.read(u, fd, back, sizeof back) == sizeof large);
	CHECK(memcmp(back, large, sizeof large) == 0);
}

static void readiness(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN | POLLOUT };
	CHECK(ifc.poll(u, &p, 1, 0) == 1 && p.revents == POLLOUT);
	long long before = now();
	p.events = POLLIN;
	CHECK(ifc.poll(u, &p, 1, 100) == 0); /* this thread moves the clock, so it waits for none */
	CHECK(now() >= before + 100000);
	int e = ifc.epoll_create(u, 1);
	CHECK(e > 2);
	struct epoll_event event = { .events = EPOLLOUT, .data.fd = fd }, out = { 0 };
	CHECK(ifc.epoll_ctl(u, e, EPOLL_CTL_ADD, fd, &event) == 0);
	CHECK(ifc.epoll_wait(u, e, &out, 1, 0) == 1);
	CHECK(out.events == EPOLLOUT && out.data.fd == fd);
	CHECK(ifc.close(u, e) == 0);
	int fds[2];
	CHECK(ifc.pipe(u, fds) == 0);
	errno = 0;
	CHECK(ifc.splice(u, fd, NULL, fds[1], NULL, 10, 0) == -1 && errno == EAGAIN);
	off_t none[2] = { 0, 0 }; /* that is how it is told that there are none */
	errno = 0;
	CHECK(ifc.splice(u, fd, &none[0], fds[1], &none[1], 10, 0) == -1 && errno == EAGAIN);
	none[0] = 1;
	errno = 0;
	CHECK(ifc.splice(u, fd, &none[0], fds[1], &none[1], 10, 0) == -1 && errno == ESPIPE);
	CHECK(ifc.close(u, fds[0]) == 0 && ifc.close(u, fds[1]) == 0);
}

static void options(int fd)
{
	struct tcp_info info;
	socklen_t len = 8;
	memset(&info, 0xee, sizeof info);
	CHECK(ifc.getsockopt(u, fd, IPPROTO_TCP, TCP_INFO, &info, &len) == 0);
	CHECK(len == 8 && info.tcpi_state == 1 && info.tcpi_rto == 0xeeeeeeee);
	len = sizeof info;
	CHECK(ifc.getsockopt(u, fd, IPPROTO_TCP, TCP_INFO, &info, &len) == 0);
	CHECK(info.tcpi_snd_cwnd >= 10 && info.tcpi_snd_mss == 1000 && info.tcpi_bytes_acked == 19);
	/* A judge asks for all that the newest Linux tells, and for two more lists beside it. */
	uint8_t all[512];
	len = sizeof all;
	CHECK(ifc.getsockopt(u, fd, IPPROTO_TCP, TCP_INFO, all, &len) == 0 && len == 280);
	len = sizeof all;
	CHECK(ifc.getsockopt(u, fd, IPPROTO_TCP, TCP_CC_INFO, all, &len) == 0 && len == 0);
	uint32_t memory[9];
	len = sizeof memory;
	CHECK(ifc.getsockopt(u, fd, SOL_SOCKET, SO_MEMINFO, memory, &len) == 0);
	CHECK(len == sizeof memory && memory[1] > 65536 && memory[3] > 65536);
	int size = 21000;
	len = sizeof size;
	CHECK(ifc.setsockopt(u, fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size) == 0);
	CHECK(ifc.getsockopt(u, fd, SOL_SOCKET, SO_SNDBUF, &size, &len) == 0 && size == 42000);
}

static uint32_t a_thread_blocks_in_write(int fd)
{
	static uint8_t much[100000];
	const uint32_t first = iss + 20;
	uint32_t acked = first;
	struct blocked b = { .fd = fd, .writes = true, .from = much, .len = sizeof much };
	block(&b);
	while (acked - first < sizeof much) {
		CHECK(hear());
		acked = got.h.seq + (uint32_t)got.len;
		CHECK(ifc.usleep(u, 1000) == 0);
		say(SERVER, TCP_ACK, 11 + 65495, acked, NULL, 0);
	}
	CHECK(pthread_join(b.thread, NULL) == 0);
	CHECK(b.result == sizeof much);
	return acked;
}

static void ends(int fd, int listening, uint32_t next)
{
	char byte;
	CHECK(ifc.shutdown(u, fd, SHUT_WR) == 0);
	CHECK(hear() && got.h.flags & TCP_FIN && got.h.seq == next);
	errno = 0;
	CHECK(ifc.write(u, fd, "x", 1) == -1 && errno == EPIPE);
	say(SERVER, TCP_ACK | TCP_FIN, 11 + 65495, next + 1, NULL, 0);
	CHECK(hear() && got.h.ack == 12 + 65495);
	CHECK(ifc.read(u, fd, &byte, 1) == 0);
	CHECK(ifc.close(u, fd) == 0);
	errno = 0;
	CHECK(fcntl(fd, F_GETFD) == -1 && errno == EBADF); /* its placeholder is closed, too */
	errno = 0;
	CHECK(ifc.read(u, fd, &byte, 1) == -1 && errno == EBADF);
	CHECK(ifc.close(u, listening) == 0);
}

static void connects(const char *control)
{
	set_control(control, "# more than one line\nnet.ipv4.tcp_timestamps=1\nnet.ipv4.no=1\n");
	int fd = ifc.socket(u, AF_INET, SOCK_STREAM, 0);
	CHECK(ifc.fcntl(u, fd, F_SETFL, O_NONBLOCK) == 0);
	struct sockaddr_in a;
	sockaddr(&a, REMOTE, 80);
	errno = 0;
	CHECK(ifc.connect(u, fd, (struct sockaddr *)&a, sizeof a) == -1 && errno == EINPROGRESS);
	CHECK(hear() && got.h.flags == TCP_SYN);
	CHECK(got.h.options.has & TCP_HAS_TIMESTAMPS); /* read again before the call */
	CHECK(got.h.options.wscale == 8);
	long long first = got.when;
	CHECK(hear() && got.h.flags == TCP_SYN && got.when >= first + 1000000 &&
		got.when < first + 1100000);
	struct sockaddr_storage away = { .ss_family = AF_UNSPEC };
	CHECK(ifc.connect(u, fd, (struct sockaddr *)&away, sizeof away) == 0);
	CHECK(ifc.connect(u, fd, (struct sockaddr *)&a, sizeof a) == -1 && errno == EINPROGRESS);
	CHECK(hear() && got.h.flags == TCP_SYN);
	struct msghdr m = { .msg_control = &a, .msg_controllen = sizeof a, .msg_flags = 77 };
	errno = 0;
	CHECK(ifc.recvmsg(u, fd, &m, MSG_ERRQUEUE) == -1 && errno == EAGAIN);
	CHECK(m.msg_flags == 77 && m.msg_controllen == sizeof a); /* nothing was filled in */
	CHECK(close(fd) == 0); /* forgotten, and its number comes again */
	int again = ifc.socket(u, AF_INET, SOCK_STREAM, 0);
	CHECK(again == fd);
	CHECK(ifc.close(u, again) == 0);
}

/*
 * One script from its start to its end in the order in which Google's loop makes the calls: each
 * event waits for its time by usleep and gettimeofday, a call that blocks does both in the other
 * thread, packets are awaited from where the clock stands; at the end descriptors are closed by
 * close(2), and only then is the connection reset.
 */
static void a_script(void)
{
	const long long begin = now() + 250, ms = 1000;
	while (now() < begin)
		;
	peer++;
	int fd = listener();
	wait_until(begin + 100 * ms);
	say(SERVER, TCP_SYN, 0, 0, NULL, 0);
	CHECK(hear() && got.h.flags == (TCP_SYN | TCP_ACK));
	CHECK(got.when >= begin + 100 * ms && got.when < begin + 101 * ms);
	uint32_t us = got.h.seq;
	wait_until(begin + 200 * ms);
	say(SERVER, TCP_ACK, 1, us + 1, NULL, 0);
	struct sockaddr_storage from;
	socklen_t len = sizeof from;
	int accepted = ifc.accept(u, fd, (struct sockaddr *)&from, &len);
	CHECK(accepted > 2 && from.ss_family == AF_INET && len == sizeof(struct sockaddr_in));
	struct blocked b = { .fd = accepted, .reads = true, .start = begin + 300 * ms };
	block(&b);
	CHECK(now() >= begin + 300 * ms && now() < begin + 301 * ms);
	wait_until(begin + 400 * ms);
	say(SERVER, TCP_ACK | TCP_PSH, 1, us + 1, "twelve bytes", 12);
	CHECK(hear() && got.h.ack == 13 && got.when < begin + 404 * ms);
	CHECK(pthread_join(b.thread, NULL) == 0);
	CHECK(b.result == 12 && b.woke >= begin + 400 * ms && b.woke < begin + 404 * ms);
	CHECK(close(fd) == 0 && close(accepted) == 0);
	say(SERVER, TCP_RST | TCP_ACK, 13, us + 1, NULL, 0);
}

#define FAILS(call, error) CHECK((errno = 0, (call) == -1) && errno == (error))

/* What Linux says to arguments that are none, and in which order it looks at them. */
static void wrong_arguments(int listening)
{
	char byte;
	int n = 0, stream = ifc.socket(u, AF_INET, SOCK_STREAM, 0);
	int datagram = ifc.socket(u, AF_INET, SOCK_DGRAM, 0), pipes[2];
	socklen_t size = (socklen_t)-1;
	struct iovec piece = { &byte, 1 };
	struct msghdr crowded = { .msg_iov = &piece, .msg_iovlen = 1025 };
	struct msghdr nothing = { .msg_iovlen = 1 };
	struct epoll_event event = { .events = EPOLLIN | EPOLLEXCLUSIVE };
	CHECK(stream >= 0 && datagram >= 0 && ifc.pipe(u, pipes) == 0);
	FAILS(ifc.read(u, 999, NULL, 1), EBADF);
	FAILS(ifc.read(u, stream, NULL, 1), ENOTCONN);
	CHECK(ifc.read(u, stream, NULL, 0) == 0 && ifc.readv(u, stream, &piece, 0) == 0);
	FAILS(ifc.readv(u, 999, &piece, -1), EBADF);
	FAILS(ifc.readv(u, stream, &piece, -1), EINVAL);
	FAILS(ifc.readv(u, stream, NULL, 1), EFAULT);
	FAILS(ifc.writev(u, stream, &piece, 1025), EINVAL);
	FAILS(ifc.recvmsg(u, stream, NULL, 0), EFAULT);
	FAILS(ifc.recvmsg(u, stream, &nothing, 0), EFAULT);
	FAILS(ifc.recvmsg(u, pipes[0], NULL, 0), ENOTSOCK);
	FAILS(ifc.sendmsg(u, stream, NULL, 0), EFAULT);
	FAILS(ifc.sendmsg(u, stream, &crowded, 0), EMSGSIZE);
	FAILS(ifc.recv(u, stream, &byte, 1, MSG_OOB), EINVAL);
	FAILS(ifc.send(u, datagram, &byte, 1, MSG_OOB), EOPNOTSUPP);
	FAILS(ifc.accept(u, datagram, NULL, NULL), EOPNOTSUPP);
	FAILS(ifc.write(u, pipes[0], &byte, 1), EBADF);
	FAILS(ifc.connect(u, stream, NULL, 16), EFAULT);
	FAILS(ifc.connect(u, stream, (void *)&piece, 129), EINVAL);
	FAILS(ifc.bind(u, stream, NULL, 16), EFAULT);
	FAILS(ifc.socket(u, AF_INET, SOCK_RDM, 0), ESOCKTNOSUPPORT);
	FAILS(ifc.socket(u, AF_INET, 99, 0), EINVAL);
	FAILS(ifc.setsockopt(u, stream, IPPROTO_TCP, TCP_NODELAY, NULL, 4), EFAULT);
	FAILS(ifc.setsockopt(u, stream, IPPROTO_TCP, TCP_CONGESTION, NULL, 4), EFAULT);
	FAILS(ifc.setsockopt(u, datagram, IPPROTO_TCP, TCP_NODELAY, &n, 4), ENOPROTOOPT);
	FAILS(ifc.getsockopt(u, datagram, IPPROTO_TCP, TCP_NODELAY, &n, &size), EOPNOTSUPP);
	FAILS(ifc.getsockopt(u, stream, IPPROTO_TCP, TCP_NODELAY, &n, &size), EINVAL);
	FAILS(ifc.getsockopt(u, stream, IPPROTO_TCP, TCP_NODELAY, &n, NULL), EFAULT);
	size = 4;
	FAILS(ifc.getsockopt(u, stream, IPPROTO_TCP, TCP_NODELAY, NULL, &size), EFAULT);
	FAILS(ifc.getsockopt(u, stream, SOL_SOCKET, SO_PEERNAME, &n, &size), ENOTCONN);
	FAILS(ifc.setsockopt(u, stream, SOL_SOCKET, SO_BINDTODEVICE, "eth7", 5), ENODEV);
	CHECK(ifc.setsockopt(u, stream, SOL_SOCKET, SO_BINDTODEVICE, "tun0", 5) == 0);
	FAILS(ifc.ioctl(u, listening, FIONREAD, &n), EINVAL);
	FAILS(ifc.ioctl(u, stream, 0x1234, &n), ENOTTY);
	CHECK(ifc.fcntl(u, stream, F_SETFD, FD_CLOEXEC) == 0 && ifc.fcntl(u, stream, F_GETFD) == 1);
	int epoll = ifc.epoll_create(u, 1);
	FAILS(ifc.epoll_ctl(u, epoll, EPOLL_CTL_ADD, stream, NULL), EFAULT);
	CHECK(ifc.epoll_ctl(u, epoll, EPOLL_CTL_ADD, stream, &event) == 0);
	FAILS(ifc.epoll_ctl(u, epoll, EPOLL_CTL_MOD, stream, &event), EINVAL);
	event.events = EPOLLIN;
	FAILS(ifc.epoll_ctl(u, epoll, EPOLL_CTL_MOD, stream, &event), EINVAL);
	const int fds[] = { stream, datagram, pipes[0], pipes[1], epoll };
	for (size_t i = 0; i < sizeof fds / sizeof *fds; i++)
		CHECK(ifc.close(u, fds[i]) == 0);
}

int main(int argc, char **argv)
{
	const char *build = getenv("STRATA_BUILD");
	char path[4096], control[] = "/tmp/packetdrill-host-XXXXXX", flags[256];
	snprintf(path, sizeof path, "%s/libstrata-packetdrill.so", build ? build : "build");
	const char *library = argc > 1 ? argv[1] : path;
	void *so = dlopen(library, RTLD_NOW | RTLD_LOCAL);
	if (!so) {
		fprintf(stderr, "%s\n", dlerror());
		return 4;
	}
	void (*init)(const char *, struct packetdrill_interface *);
	void *symbol = dlsym(so, "packetdrill_interface_init");
	memcpy(&init, &symbol, sizeof init);
	CHECK(init);
	int file = mkstemp(control);
	CHECK(file >= 0);
	close(file);
	set_control(control, "net.ipv4.tcp_timestamps=0\n");
	snprintf(flags, sizeof flags,
		"ipv4=" LOCAL "/16,gateway=192.168.0.2,control=%s,profile=linux", control);
	init(flags, &ifc);
	u = ifc.userdata;
	every_member_is_there();
	time_moves_when_told();
	int l = listener();
	wrong_arguments(l);
	int fd = a_thread_blocks_in_accept(l);
	writes(fd);
	reads(fd);
	readiness(fd);
	options(fd);
	ends(fd, l, a_thread_blocks_in_write(fd));
	connects(control);
	a_script();
	ifc.free(u);
	unlink(control);
	dlclose(so);
	puts("every member of the interface answers");
	return 0;
}
