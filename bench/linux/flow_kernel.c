/* The kernel's side: plain blocking sockets with a time limit, and TCP_INFO. */
#include "flow.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

static int stream = -1;

static bool refuse(const char *what)
{
	flow_fail(what, strerror(errno));
	return false;
}

static void set_limit(int fd)
{
	const struct timeval limit = { .tv_usec = FLOW_WAIT_MS * 1000 };
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
}

static bool kernel_connect(const struct flow_options *o)
{
	struct sockaddr_in peer = { .sin_family = AF_INET, .sin_port = htons(o->port) };
	stream = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (stream < 0 || inet_pton(AF_INET, o->to, &peer.sin_addr) != 1)
		return refuse("address");
	if (o->congestion &&
		setsockopt(stream, IPPROTO_TCP, TCP_CONGESTION, o->congestion,
			(socklen_t)strlen(o->congestion)))
		return refuse("congestion control");
	if (connect(stream, (const struct sockaddr *)&peer, sizeof peer))
		return refuse("connect");
	set_limit(stream);
	return true;
}

static bool kernel_accept(const struct flow_options *o)
{
	struct sockaddr_in own = { .sin_family = AF_INET, .sin_port = htons(o->port) };
	int one = 1, listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	if (listener < 0 || bind(listener, (const struct sockaddr *)&own, sizeof own) ||
		listen(listener, 1))
		return refuse("listen");
	fputs("listening\n", stderr);
	stream = accept(listener, NULL, NULL);
	close(listener);
	if (stream < 0)
		return refuse("accept");
	set_limit(stream);
	return true;
}

static ssize_t kernel_read(void *to, size_t size)
{
	ssize_t n = recv(stream, to, size, 0);
	return n < 0 && (errno == EAGAIN || errno == EINTR) ? FLOW_AGAIN : n;
}

static ssize_t kernel_write(const void *from, size_t size)
{
	ssize_t n = send(stream, from, size, MSG_NOSIGNAL);
	return n < 0 && (errno == EAGAIN || errno == EINTR) ? FLOW_AGAIN : n;
}

static bool kernel_info(struct flow_info *out)
{
	struct tcp_info i;
	socklen_t size = sizeof i;
	memset(&i, 0, sizeof i);
	if (getsockopt(stream, IPPROTO_TCP, TCP_INFO, &i, &size))
		return false;
	*out = (struct flow_info){
		.rtt = i.tcpi_rtt * 1e-6,
		.cwnd = i.tcpi_snd_cwnd * i.tcpi_snd_mss,
		.ssthresh = i.tcpi_snd_ssthresh < 1u << 20 ? i.tcpi_snd_ssthresh * i.tcpi_snd_mss
							   : UINT32_MAX,
		.in_flight = i.tcpi_unacked * i.tcpi_snd_mss,
		.retransmits = i.tcpi_total_retrans,
	};
	return true;
}

static void kernel_close(void)
{
	const struct linger reset = { .l_onoff = 1 };
	setsockopt(stream, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
	close(stream);
}

const struct flow_stack flow_kernel = {
	.connect = kernel_connect,
	.accept = kernel_accept,
	.read = kernel_read,
	.write = kernel_write,
	.info = kernel_info,
	.close = kernel_close,
};
