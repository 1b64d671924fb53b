/*
 * poll, epoll in its three manners, options and sysctl names, the error queue, tcp_info.
 */
#include "unit/posix/twins.h"

static uint8_t pattern[400000];

static void poll_tells_levels_and_waits(void **state)
{
	(void)state;
	struct twins *t = twins_open();
	int client, server;
	twins_pair(t, &client, &server);
	struct posix *p = t->host[1];
	struct linux_pollfd fds[2] = { { server, LINUX_POLLIN | LINUX_POLLOUT, 0 },
		{ 99, LINUX_POLLIN, 0 } };
	assert_int_equal(posix_poll(p, NULL, fds, 2, -1), 2);
	assert_int_equal(fds[0].revents, LINUX_POLLOUT);
	assert_int_equal(fds[1].revents, LINUX_POLLNVAL);
	struct posix_call c;
	fds[0].events = LINUX_POLLIN | LINUX_POLLRDHUP;
	nanotime before = posix_now(p);
	int64_t r = posix_poll(p, &c, fds, 1, 1000);
	assert_int_equal(r, POSIX_WAIT);
	assert_int_equal(twins_finish(t, 1, &c, r), 0);
	assert_int_equal(posix_now(p) - before, NANO_S);
	r = posix_poll(p, &c, fds, 1, -1);
	posix_write(t->host[0], NULL, client, "x", 1);
	assert_int_equal(twins_finish(t, 1, &c, r), 1);
	assert_int_equal(fds[0].revents, LINUX_POLLIN);
	posix_shutdown(t->host[0], client, LINUX_SHUT_WR);
	twins_run(t, 20 * NANO_MS);
	assert_int_equal(posix_poll(p, NULL, fds, 1, 0), 1);
	assert_int_equal(fds[0].revents, LINUX_POLLIN | LINUX_POLLRDHUP);
	char byte;
	assert_int_equal(posix_read(p, NULL, server, &byte, 1), 1);
	posix_shutdown(p, server, LINUX_SHUT_WR);
	assert_int_equal(posix_poll(p, NULL, fds, 1, 0), 1);
	assert_true(fds[0].revents & LINUX_POLLHUP);
	twins_end(t, client, server);
}

static int64_t epoll(struct posix *p, int e, uint32_t *events)
{
	struct linux_epoll_event out = { 0, 0 };
	int64_t n = posix_epoll_wait(p, NULL, e, &out, 1, 0);
	*events = out.events;
	return n;
}

static void epoll_by_level_edge_and_once(void **state)
{
	(void)state;
	struct twins *t = twins_open();
	int client, server;
	twins_pair(t, &client, &server);
	struct posix *p = t->host[1];
	int e = (int)posix_epoll_create(p, 1);
	struct linux_epoll_event want = { LINUX_EPOLLIN, 7 };
	uint32_t got;
	assert_int_equal(posix_epoll_ctl(p, e, LINUX_EPOLL_CTL_MOD, server, &want), -LINUX_ENOENT);
	assert_int_equal(posix_epoll_ctl(p, e, LINUX_EPOLL_CTL_ADD, server, &want), 0);
	assert_int_equal(posix_epoll_ctl(p, e, LINUX_EPOLL_CTL_ADD, server, &want), -LINUX_EEXIST);
	assert_int_equal(epoll(p, e, &got), 0);
	posix_write(t->host[0], NULL, client, "ab", 2);
	twins_run(t, 10 * NANO_MS);
	assert_int_equal(epoll(p, e, &got), 1);
	assert_int_equal(got, LINUX_EPOLLIN);
	assert_int_equal(epoll(p, e, &got), 1); /* a level */
	want.events = LINUX_EPOLLIN | (uint32_t)LINUX_EPOLLET;
	assert_int_equal(posix_epoll_ctl(p, e, LINUX_EPOLL_CTL_MOD, server, &want), 0);
	assert_int_equal(epoll(p, e, &got), 1);
	assert_int_equal(epoll(p, e, &got), 0); /* an edge */
	posix_write(t->host[0], NULL, client, "c", 1);
	twins_run(t, 10 * NANO_MS);
	assert_int_equal(epoll(p, e, &got), 1);
	assert_int_equal(epoll(p, e, &got), 0);
	want.events = LINUX_EPOLLIN | LINUX_EPOLLONESHOT;
	assert_int_equal(posix_epoll_ctl(p, e, LINUX_EPOLL_CTL_MOD, server, &want), 0);
	assert_int_equal(epoll(p, e, &got), 1);
	posix_write(t->host[0], NULL, client, "d", 1);
	twins_run(t, 10 * NANO_MS);
	assert_int_equal(epoll(p, e, &got), 0); /* once */
	assert_int_equal(posix_epoll_ctl(p, e, LINUX_EPOLL_CTL_DEL, server, NULL), 0);
	/* room: an edge when a third of the buffer is free again */
	want.events = LINUX_EPOLLOUT | (uint32_t)LINUX_EPOLLET;
	int ce = (int)posix_epoll_create(t->host[0], 1);
	posix_fcntl(t->host[0], client, LINUX_F_SETFL, LINUX_O_NONBLOCK);
	assert_int_equal(posix_epoll_ctl(t->host[0], ce, LINUX_EPOLL_CTL_ADD, client, &want), 0);
	assert_int_equal(epoll(t->host[0], ce, &got), 1);
	assert_int_equal(epoll(t->host[0], ce, &got), 0);
	struct posix_call c;
	int64_t n = posix_write(t->host[0], &c, client, pattern, sizeof pattern);
	assert_true(n > 0 && n < (int64_t)sizeof pattern);
	assert_int_equal(epoll(t->host[0], ce, &got), 0);
	twins_run(t, NANO_S);
	assert_int_equal(epoll(t->host[0], ce, &got), 1);
	assert_int_equal(got, LINUX_EPOLLOUT);
	posix_close(t->host[0], NULL, ce);
	posix_close(t->host[0], NULL, client);
	posix_close(p, NULL, server);
	twins_close(t);
}

static int get(struct posix *p, int fd, int level, int name)
{
	int n = -99;
	uint32_t len = sizeof n;
	assert_int_equal(posix_getsockopt(p, fd, level, name, &n, &len), 0);
	assert_int_equal(len, sizeof n);
	return n;
}

static int64_t set(struct posix *p, int fd, int level, int name, int n)
{
	return posix_setsockopt(p, fd, level, name, &n, sizeof n);
}

static void options_as_linux_has_them(void **state)
{
	(void)state;
	struct twins *t = twins_open();
	struct posix *p = t->host[0];
	int fd = twins_socket(t, 0);
	assert_int_equal(get(p, fd, LINUX_SOL_SOCKET, LINUX_SO_SNDBUF), 256 << 10);
	assert_int_equal(get(p, fd, LINUX_SOL_SOCKET, LINUX_SO_RCVBUF), 540000);
	assert_int_equal(set(p, fd, LINUX_SOL_SOCKET, LINUX_SO_SNDBUF, 21000), 0);
	assert_int_equal(get(p, fd, LINUX_SOL_SOCKET, LINUX_SO_SNDBUF), 42000);
	assert_int_equal(set(p, fd, LINUX_SOL_SOCKET, LINUX_SO_SNDBUF, 1), 0);
	assert_int_equal(get(p, fd, LINUX_SOL_SOCKET, LINUX_SO_SNDBUF), 4608);
	assert_int_equal(get(p, fd, LINUX_SOL_TCP, LINUX_TCP_MAXSEG), 536);
	assert_int_equal(set(p, fd, LINUX_SOL_TCP, LINUX_TCP_MAXSEG, 10), -LINUX_EINVAL);
	assert_int_equal(set(p, fd, LINUX_SOL_TCP, LINUX_TCP_MAXSEG, 1100), 0);
	assert_int_equal(get(p, fd, LINUX_SOL_TCP, LINUX_TCP_MAXSEG), 1100);
	assert_int_equal(get(p, fd, LINUX_SOL_TCP, LINUX_TCP_KEEPIDLE), 7200);
	assert_int_equal(set(p, fd, LINUX_SOL_TCP, LINUX_TCP_KEEPIDLE, 0), -LINUX_EINVAL);
	assert_int_equal(set(p, fd, LINUX_SOL_TCP, LINUX_TCP_KEEPIDLE, 30), 0);
	assert_int_equal(get(p, fd, LINUX_SOL_TCP, LINUX_TCP_KEEPIDLE), 30);
	assert_int_equal(get(p, fd, LINUX_SOL_TCP, LINUX_TCP_SYNCNT), 5);
	assert_int_equal(set(p, fd, LINUX_SOL_TCP, LINUX_TCP_DEFER_ACCEPT, 3), 0);
	assert_int_equal(get(p, fd, LINUX_SOL_TCP, LINUX_TCP_DEFER_ACCEPT), 3);
	assert_int_equal(set(p, fd, LINUX_SOL_TCP, LINUX_TCP_NOTSENT_LOWAT, -1), 0);
	assert_int_equal(get(p, fd, LINUX_SOL_TCP, LINUX_TCP_NOTSENT_LOWAT), -1);
	assert_int_equal(set(p, fd, LINUX_SOL_TCP, 999, 1), -LINUX_ENOPROTOOPT);
	uint8_t tos = 4;
	assert_int_equal(posix_setsockopt(p, fd, LINUX_SOL_IP, LINUX_IP_TOS, &tos, 1), 0);
	assert_int_equal(get(p, fd, LINUX_SOL_IP, LINUX_IP_TOS), 4);
	assert_int_equal(
		posix_setsockopt(p, fd, LINUX_SOL_TCP, LINUX_TCP_NODELAY, &tos, 1), -LINUX_EINVAL);
	char name[16];
	uint32_t len = sizeof name;
	assert_int_equal(
		posix_getsockopt(p, fd, LINUX_SOL_TCP, LINUX_TCP_CONGESTION, name, &len), 0);
	assert_int_equal(posix_setsockopt(p, fd, LINUX_SOL_TCP, LINUX_TCP_CONGESTION, "vegas", 5),
		-LINUX_ENOENT);
	twins_close(t);
}

static void sysctl_names(void **state)
{
	(void)state;
	struct twins *t = twins_open();
	struct posix *p = t->host[0];
	assert_int_equal(posix_sysctl(p, "net.ipv4.tcp_sack", "0"), 0);
	assert_int_equal(posix_sysctl(p, "/proc/sys/net/ipv4/tcp_sack", "1"), 0);
	assert_int_equal(posix_sysctl(p, "net/ipv4/tcp_sack", "5"), -LINUX_EINVAL);
	assert_int_equal(posix_sysctl(p, "net.ipv4.tcp_sack", ""), -LINUX_EINVAL);
	assert_int_equal(posix_sysctl(p, "net.ipv4.tcp_unheard_of", "1"), -LINUX_ENOENT);
	assert_int_equal(posix_sysctl_unknown(p), 1);
	static const char line[] = " net.ipv4.tcp_wmem = \"4096 50000 4194304\" \n";
	assert_int_equal(posix_sysctl_line(p, line, sizeof line - 1), 0);
	int fd = twins_socket(t, 0);
	assert_int_equal(get(p, fd, LINUX_SOL_SOCKET, LINUX_SO_SNDBUF), 50000);
	assert_int_equal(posix_sysctl_line(p, "# a comment", 11), 0);
	assert_int_equal(posix_sysctl_line(p, "", 0), 0);
	assert_int_equal(posix_sysctl_line(p, "net.ipv4.tcp_rmem=1 2", 21), -LINUX_EINVAL);
	assert_int_equal(posix_sysctl_line(p, "nothing", 7), -LINUX_EINVAL);
	assert_int_equal(posix_sysctl(p, "net.ipv4.tcp_fastopen", "0x70403"), 0);
	assert_int_equal(posix_sysctl(p, "net.ipv4.tcp_congestion_control", "reno"), 0);
	assert_int_equal(posix_sysctl(p, "net.ipv4.tcp_congestion_control", "no"), -LINUX_ENOENT);
	twins_close(t);
}

static int64_t read_note(struct posix *p, int fd, uint8_t *control, size_t *len)
{
	struct linux_msghdr m = { .control = control, .control_len = *len };
	int64_t r = posix_recvmsg(p, NULL, fd, &m, LINUX_MSG_ERRQUEUE);
	*len = m.control_len;
	if (r == 0)
		assert_true(m.flags & LINUX_MSG_ERRQUEUE);
	return r;
}

static void error_queue_tells_of_sends(void **state)
{
	(void)state;
	struct twins *t = twins_open();
	int client, server;
	twins_pair(t, &client, &server);
	struct posix *p = t->host[0];
	uint8_t control[200];
	size_t len = sizeof control;
	assert_int_equal(set(p, client, LINUX_SOL_SOCKET, LINUX_SO_ZEROCOPY, 1), 0);
	assert_int_equal(read_note(p, client, control, &len), -LINUX_EAGAIN);
	assert_int_equal(posix_send(p, NULL, client, "one", 3, LINUX_MSG_ZEROCOPY), 3);
	assert_int_equal(posix_send(p, NULL, client, "two", 3, LINUX_MSG_ZEROCOPY), 3);
	len = sizeof control;
	assert_int_equal(read_note(p, client, control, &len), -LINUX_EAGAIN);
	twins_run(t, 100 * NANO_MS);
	struct linux_pollfd fd = { client, 0, 0 };
	assert_int_equal(posix_poll(p, NULL, &fd, 1, 0), 1);
	assert_int_equal(fd.revents, LINUX_POLLERR);
	len = sizeof control;
	assert_int_equal(read_note(p, client, control, &len), 0);
	struct linux_cmsghdr h;
	struct linux_extended_err e;
	memcpy(&h, control, sizeof h);
	memcpy(&e, control + sizeof h, sizeof e);
	assert_int_equal(h.level, LINUX_SOL_IP);
	assert_int_equal(h.type, LINUX_IP_RECVERR);
	assert_int_equal(e.origin, LINUX_SO_EE_ORIGIN_ZEROCOPY);
	assert_int_equal(e.info, 0);
	assert_int_equal(e.data, 1);
	int how = LINUX_SOF_TIMESTAMPING_TX_ACK | LINUX_SOF_TIMESTAMPING_OPT_ID;
	assert_int_equal(set(p, client, LINUX_SOL_SOCKET, LINUX_SO_TIMESTAMPING, how), 0);
	assert_int_equal(posix_send(p, NULL, client, "three", 5, 0), 5);
	nanotime sent = posix_now(p);
	twins_run(t, 100 * NANO_MS);
	len = sizeof control;
	assert_int_equal(read_note(p, client, control, &len), 0);
	int64_t time[2];
	memcpy(time, control + sizeof h, sizeof time);
	assert_int_equal(time[0] * NANO_S + time[1], sent + 2 * TWINS_DELAY);
	size_t second = LINUX_CMSG_SPACE(48);
	memcpy(&e, control + second + sizeof h, sizeof e);
	assert_int_equal(e.origin, LINUX_SO_EE_ORIGIN_TIMESTAMPING);
	assert_int_equal(e.info, LINUX_SCM_TSTAMP_ACK);
	assert_int_equal(e.data, 4); /* the last of five bytes */
	char buf[20];
	assert_int_equal(posix_read(t->host[1], NULL, server, buf, sizeof buf), 11);
	twins_end(t, client, server);
}

static uint64_t field(const struct linux_tcp_info *i, const char *name)
{
	uint64_t value;
	size_t len = 0;
	while (name[len])
		len++;
	assert_true(linux_tcp_info_value(i, name, len, &value));
	return value;
}

static void tcp_info_has_true_figures(void **state)
{
	(void)state;
	struct twins *t = twins_open();
	int client, server;
	twins_pair(t, &client, &server);
	struct posix *p = t->host[0];
	struct linux_tcp_info i;
	uint32_t len = sizeof i;
	posix_write(p, NULL, client, pattern, 5000);
	assert_int_equal(posix_getsockopt(p, client, LINUX_SOL_TCP, LINUX_TCP_INFO, &i, &len), 0);
	assert_int_equal(len, sizeof i);
	assert_int_equal(i.state, LINUX_TCP_ESTABLISHED);
	assert_int_equal(i.unacked, 4);
	assert_int_equal(i.snd_mss, 1448);
	assert_int_equal(i.advmss, 1460);
	assert_int_equal(i.snd_cwnd, 10);
	assert_int_equal(field(&i, "tcpi_snd_ssthresh"), LINUX_TCP_INFINITE_SSTHRESH);
	assert_int_equal(field(&i, "tcpi_rcv_wscale"), 8);
	assert_int_equal(field(&i, "options"),
		LINUX_TCPI_OPT_TIMESTAMPS | LINUX_TCPI_OPT_SACK | LINUX_TCPI_OPT_WSCALE);
	twins_run(t, 100 * NANO_MS);
	len = 12; /* a program may ask for the beginning only */
	memset(&i, 0xee, sizeof i);
	assert_int_equal(posix_getsockopt(p, client, LINUX_SOL_TCP, LINUX_TCP_INFO, &i, &len), 0);
	assert_int_equal(len, 12);
	assert_int_equal(i.ato, 0xeeeeeeee);
	len = sizeof i;
	assert_int_equal(posix_getsockopt(p, client, LINUX_SOL_TCP, LINUX_TCP_INFO, &i, &len), 0);
	assert_int_equal(i.unacked, 0);
	assert_int_equal(i.bytes_acked, 5000);
	assert_int_equal(i.rtt, 10000);
	assert_true(i.busy_time >= 10000 && i.busy_time <= 60000);
	assert_false(linux_tcp_info_value(&i, "tcpi_nothing", 12, &(uint64_t){ 0 }));
	char buf[5000];
	assert_int_equal(posix_read(t->host[1], NULL, server, buf, sizeof buf), 5000);
	twins_end(t, client, server);
}

static void names_have_numbers(void **state)
{
	(void)state;
	int64_t n;
	assert_true(linux_constant("SO_REUSEADDR", 12, &n));
	assert_int_equal(n, 2);
	assert_true(linux_constant("EPOLLET", 7, &n));
	assert_int_equal(n, 0x80000000);
	assert_true(linux_constant("ECONNRESET", 10, &n));
	assert_int_equal(n, 104);
	assert_false(linux_constant("SO_REUSEADD", 11, &n));
	assert_false(linux_constant("SO_REUSEADDRS", 13, &n));
	assert_string_equal(linux_error_name(104), "ECONNRESET");
	assert_null(linux_error_name(9999));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(poll_tells_levels_and_waits),
		cmocka_unit_test(epoll_by_level_edge_and_once),
		cmocka_unit_test(options_as_linux_has_them),
		cmocka_unit_test(sysctl_names),
		cmocka_unit_test(error_queue_tells_of_sends),
		cmocka_unit_test(tcp_info_has_true_figures),
		cmocka_unit_test(names_have_numbers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
