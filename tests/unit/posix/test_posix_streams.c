/*
 * Linux's socket calls between two hosts: connect and accept, reads and writes that wait
 * and that do not, shutdown, close, errors with Linux's numbers.
 */
#include "unit/posix/twins.h"

static uint8_t pattern[300000], got[300000];

static void bytes_cross_both_ways(void **state)
{
	(void)state;
	struct twins *t = twins_open();
	int client, server;
	twins_pair(t, &client, &server);
	struct posix_call w, r;
	for (unsigned i = 0; i < sizeof pattern; i++)
		pattern[i] = (uint8_t)(i * 7 + i / 251);
	int64_t wrote = posix_write(t->host[0], &w, client, pattern, sizeof pattern);
	assert_int_equal(wrote, POSIX_WAIT); /* more than the send buffer */
	size_t read = 0;
	while (read < sizeof got) {
		int64_t n = posix_read(t->host[1], &r, server, got + read, sizeof got - read);
		while (n == POSIX_WAIT) {
			twins_run(t, NANO_MS);
			if (wrote == POSIX_WAIT)
				wrote = posix_retry(t->host[0], &w);
			n = posix_retry(t->host[1], &r);
		}
		assert_true(n > 0);
		read += (size_t)n;
	}
	assert_int_equal(wrote, sizeof pattern);
	assert_memory_equal(got, pattern, sizeof pattern);
	twins_end(t, client, server);
}

static void the_end_and_what_comes_after(void **state)
{
	(void)state;
	struct twins *t = twins_open();
	int client, server;
	twins_pair(t, &client, &server);
	struct posix_call c;
	uint8_t byte = 1;
	assert_int_equal(posix_read(t->host[1], NULL, server, &byte, 1), -LINUX_EAGAIN);
	int64_t r = posix_read(t->host[1], &c, server, &byte, 1);
	assert_int_equal(r, POSIX_WAIT);
	assert_int_equal(posix_shutdown(t->host[0], client, LINUX_SHUT_WR), 0);
	assert_int_equal(twins_finish(t, 1, &c, r), 0);
	assert_int_equal(posix_write(t->host[0], NULL, client, &byte, 1), -LINUX_EPIPE);
	assert_int_equal(posix_write(t->host[1], NULL, server, &byte, 1), 1); /* half closed */
	twins_run(t, 20 * NANO_MS);
	assert_int_equal(posix_read(t->host[0], NULL, client, &byte, 1), 1);
	/* unread data at close: the peer is reset */
	assert_int_equal(posix_write(t->host[1], NULL, server, &byte, 1), 1);
	twins_run(t, 20 * NANO_MS);
	assert_int_equal(posix_close(t->host[0], NULL, client), 0);
	twins_run(t, 20 * NANO_MS);
	assert_int_equal(posix_read(t->host[1], NULL, server, &byte, 1), 0);
	int error = 0;
	uint32_t len = sizeof error;
	assert_int_equal(posix_getsockopt(t->host[1], server, LINUX_SOL_SOCKET, LINUX_SO_ERROR,
				 &error, &len),
		0);
	assert_int_equal(error, LINUX_EPIPE); /* the stream was whole, then came the reset */
	assert_int_equal(posix_close(t->host[1], NULL, server), 0);
	twins_close(t);
}

static void peek_truncate_and_wait_for_all(void **state)
{
	(void)state;
	struct twins *t = twins_open();
	int client, server, n;
	twins_pair(t, &client, &server);
	struct posix *p = t->host[1];
	posix_write(t->host[0], NULL, client, "abcdefgh", 8);
	twins_run(t, 10 * NANO_MS);
	char buf[32] = { 0 };
	assert_int_equal(posix_recv(p, NULL, server, buf, 3, LINUX_MSG_PEEK), 3);
	/* how much is there, nowhere to put it; lengths that are none */
	assert_int_equal(
		posix_recv(p, NULL, server, NULL, 99, LINUX_MSG_PEEK | LINUX_MSG_TRUNC), 8);
	assert_int_equal(posix_read(p, NULL, server, buf, SIZE_MAX), -LINUX_EINVAL);
	assert_int_equal(posix_write(p, NULL, server, buf, SIZE_MAX), -LINUX_EINVAL);
	struct linux_iovec whole = { buf, sizeof buf };
	struct linux_msghdr many = { .iov = &whole, .iov_len = 1025 };
	assert_int_equal(posix_sendmsg(p, NULL, server, &many, 0), -LINUX_EMSGSIZE);
	assert_int_equal(posix_recvmsg(p, NULL, server, &many, 0), -LINUX_EMSGSIZE);
	assert_memory_equal(buf, "abc", 3);
	assert_int_equal(posix_ioctl(p, server, LINUX_SIOCINQ, &n), 0);
	assert_int_equal(n, 8);
	assert_int_equal(posix_recv(p, NULL, server, NULL, 2, LINUX_MSG_TRUNC), 2);
	struct linux_iovec v[2] = { { buf, 2 }, { buf + 10, 20 } };
	assert_int_equal(posix_readv(p, NULL, server, v, 2), 6);
	assert_memory_equal(buf, "cd", 2);
	assert_memory_equal(buf + 10, "efgh", 4);
	struct posix_call c;
	int64_t r = posix_recv(p, &c, server, buf, 10, LINUX_MSG_WAITALL);
	assert_int_equal(r, POSIX_WAIT);
	posix_write(t->host[0], NULL, client, "12345", 5);
	twins_run(t, 20 * NANO_MS);
	assert_int_equal(posix_retry(p, &c), POSIX_WAIT);
	posix_write(t->host[0], NULL, client, "67890!", 6);
	assert_int_equal(twins_finish(t, 1, &c, POSIX_WAIT), 10);
	assert_memory_equal(buf, "1234567890", 10);
	assert_int_equal(posix_recv(p, NULL, server, buf, 10, LINUX_MSG_OOB), -LINUX_EINVAL);
	assert_int_equal(posix_recv(p, &c, server, buf, 1, 0), 1);
	twins_end(t, client, server);
}

static void time_outs_end_a_wait(void **state)
{
	(void)state;
	struct twins *t = twins_open();
	int client, server;
	twins_pair(t, &client, &server);
	struct linux_timeval tv = { 2, 500000 };
	assert_int_equal(posix_setsockopt(t->host[1], server, LINUX_SOL_SOCKET, LINUX_SO_RCVTIMEO,
				 &tv, sizeof tv),
		0);
	struct posix_call c;
	nanotime before = posix_now(t->host[1]);
	char byte;
	int64_t r = posix_read(t->host[1], &c, server, &byte, 1);
	assert_int_equal(r, POSIX_WAIT);
	assert_int_equal(twins_finish(t, 1, &c, r), -LINUX_EAGAIN);
	assert_int_equal(posix_now(t->host[1]) - before, 2500 * NANO_MS);
	twins_end(t, client, server);
}

static void refusals_have_linux_numbers(void **state)
{
	(void)state;
	struct twins *t = twins_open();
	struct posix *p = t->host[0];
	struct linux_sockaddr_in a;
	struct posix_call c;
	char byte = 0;
	assert_int_equal(posix_socket(p, 1, LINUX_SOCK_STREAM, 0), -LINUX_EAFNOSUPPORT);
	assert_int_equal(posix_socket(p, LINUX_AF_INET, 5, 0), -LINUX_ESOCKTNOSUPPORT);
	assert_int_equal(posix_read(p, NULL, 77, &byte, 1), -LINUX_EBADF);
	int fd = twins_socket(t, 0);
	assert_int_equal(fd, 3);
	assert_int_equal(posix_read(p, NULL, fd, &byte, 1), -LINUX_ENOTCONN);
	assert_int_equal(posix_write(p, NULL, fd, &byte, 1), -LINUX_EPIPE);
	assert_int_equal(posix_shutdown(p, fd, LINUX_SHUT_WR), -LINUX_ENOTCONN);
	assert_int_equal(posix_accept(p, NULL, fd, NULL, NULL), -LINUX_EINVAL);
	twins_sockaddr(&a, 1, 80);
	assert_int_equal(posix_bind(p, fd, &a, sizeof a), -LINUX_EADDRNOTAVAIL);
	twins_sockaddr(&a, 0, 80);
	assert_int_equal(posix_bind(p, fd, &a, 3), -LINUX_EINVAL);
	assert_int_equal(posix_bind(p, fd, &a, sizeof a), 0);
	assert_int_equal(posix_bind(p, fd, &a, sizeof a), -LINUX_EINVAL);
	int other = twins_socket(t, 0);
	assert_int_equal(posix_bind(p, other, &a, sizeof a), -LINUX_EADDRINUSE);
	/* nobody listens there */
	twins_sockaddr(&a, 1, 9);
	int64_t r = posix_connect(p, &c, other, &a, sizeof a);
	assert_int_equal(twins_finish(t, 0, &c, r), -LINUX_ECONNREFUSED);
	/* without waiting: the outcome is an error that is told once, then it may try again */
	assert_int_equal(posix_fcntl(p, other, LINUX_F_SETFL, LINUX_O_RDWR | LINUX_O_NONBLOCK), 0);
	assert_int_equal(posix_connect(p, &c, other, &a, sizeof a), -LINUX_EINPROGRESS);
	assert_int_equal(posix_connect(p, &c, other, &a, sizeof a), -LINUX_EALREADY);
	assert_int_equal(posix_write(p, &c, other, &byte, 1), -LINUX_EAGAIN);
	twins_run(t, 20 * NANO_MS);
	int error;
	uint32_t len = sizeof error;
	posix_getsockopt(p, other, LINUX_SOL_SOCKET, LINUX_SO_ERROR, &error, &len);
	assert_int_equal(error, LINUX_ECONNREFUSED);
	posix_getsockopt(p, other, LINUX_SOL_SOCKET, LINUX_SO_ERROR, &error, &len);
	assert_int_equal(error, 0);
	/* shut down before it is connected: it gives up, and may try again */
	t->cut = true;
	assert_int_equal(posix_connect(p, &c, other, &a, sizeof a), -LINUX_EINPROGRESS);
	assert_int_equal(posix_shutdown(p, other, LINUX_SHUT_RDWR), 0);
	assert_int_equal(posix_shutdown(p, other, LINUX_SHUT_RDWR), -LINUX_ENOTCONN);
	twins_run(t, 10 * NANO_MS);
	t->cut = false;
	int l = twins_listener(t, 1, 9);
	assert_int_equal(posix_connect(p, &c, other, &a, sizeof a), -LINUX_EINPROGRESS);
	twins_run(t, 20 * NANO_MS);
	assert_int_equal(posix_connect(p, &c, other, &a, sizeof a), 0);
	assert_int_equal(posix_connect(p, &c, other, &a, sizeof a), -LINUX_EISCONN);
	assert_int_equal(posix_close(p, NULL, other), 0);
	assert_int_equal(posix_close(p, NULL, other), -LINUX_EBADF);
	assert_int_equal(posix_close(t->host[1], NULL, l), 0);
	twins_close(t);
}

static void six_speaks_to_four_as_well(void **state)
{
	(void)state;
	struct twins *t = twins_open();
	struct posix *p = t->host[1];
	int64_t l = posix_socket(p, LINUX_AF_INET6, LINUX_SOCK_STREAM, LINUX_IPPROTO_TCP);
	struct linux_sockaddr_in6 any = { .family = LINUX_AF_INET6, .port = { 0, 80 } };
	assert_int_equal(posix_bind(p, (int)l, &any, sizeof any), 0);
	assert_int_equal(posix_listen(p, (int)l, 5), 0);
	struct posix_call c;
	struct linux_sockaddr_in four;
	twins_sockaddr(&four, 1, 80);
	int a = twins_socket(t, 0);
	int64_t r = posix_connect(t->host[0], &c, a, &four, sizeof four);
	assert_int_equal(twins_finish(t, 0, &c, r), 0);
	struct linux_sockaddr_in6 six = { .family = LINUX_AF_INET6, .port = { 0, 80 } };
	struct addr two = twins_addr("2001:db8::2");
	for (unsigned i = 0; i < 16; i++)
		six.address[i] = two.b[i];
	int64_t b = posix_socket(t->host[0], LINUX_AF_INET6, LINUX_SOCK_STREAM, 0);
	r = posix_connect(t->host[0], &c, (int)b, &six, sizeof six);
	assert_int_equal(twins_finish(t, 0, &c, r), 0);
	twins_run(t, 20 * NANO_MS);
	struct linux_sockaddr_in6 peer;
	uint32_t len = sizeof peer;
	assert_true(posix_accept(p, NULL, (int)l, &peer, &len) > 0);
	assert_int_equal(len, sizeof peer);
	assert_int_equal(peer.address[10], 0xff); /* ::ffff:192.0.2.1 */
	assert_int_equal(peer.address[15], 1);
	assert_true(posix_accept(p, NULL, (int)l, &peer, &len) > 0);
	assert_int_equal(peer.address[0], 0x20);
	twins_close(t);
}

static void linger_waits_or_resets(void **state)
{
	(void)state;
	struct twins *t = twins_open();
	int client, server;
	twins_pair(t, &client, &server);
	struct linux_linger linger = { 1, 5 };
	posix_setsockopt(
		t->host[0], client, LINUX_SOL_SOCKET, LINUX_SO_LINGER, &linger, sizeof linger);
	posix_write(t->host[0], NULL, client, "bye", 3);
	struct posix_call c;
	int64_t r = posix_close(t->host[0], &c, client);
	assert_int_equal(r, POSIX_WAIT);
	assert_int_equal(twins_finish(t, 0, &c, r), 0);
	char buf[4];
	assert_int_equal(posix_read(t->host[1], NULL, server, buf, 4), 3);
	assert_int_equal(posix_read(t->host[1], NULL, server, buf, 4), 0);
	posix_close(t->host[1], NULL, server);
	twins_run(t, 100 * NANO_S);
	twins_pair(t, &client, &server);
	linger.seconds = 0;
	posix_setsockopt(
		t->host[0], client, LINUX_SOL_SOCKET, LINUX_SO_LINGER, &linger, sizeof linger);
	assert_int_equal(posix_close(t->host[0], &c, client), 0);
	twins_run(t, 20 * NANO_MS);
	assert_int_equal(posix_read(t->host[1], NULL, server, buf, 4), -LINUX_ECONNRESET);
	assert_int_equal(posix_read(t->host[1], NULL, server, buf, 4), 0);
	assert_int_equal(posix_write(t->host[1], NULL, server, buf, 4), -LINUX_EPIPE);
	posix_close(t->host[1], NULL, server);
	twins_close(t);
}

static void descriptors_and_pipes(void **state)
{
	(void)state;
	struct twins *t = twins_open();
	int client, server, fd[2];
	twins_pair(t, &client, &server);
	struct posix *p = t->host[1];
	assert_int_equal(posix_renumber(p, server, 70), 0);
	assert_int_equal(posix_renumber(p, server, 71), -LINUX_EBADF);
	server = 70;
	assert_int_equal(posix_fcntl(p, server, LINUX_F_GETFL, 0), LINUX_O_RDWR);
	assert_int_equal(posix_pipe(p, fd), 0);
	posix_write(t->host[0], NULL, client, "through", 7);
	twins_run(t, 10 * NANO_MS);
	assert_int_equal(posix_splice(p, server, NULL, fd[1], NULL, 100, 0), 7);
	assert_int_equal(posix_splice(p, server, NULL, fd[1], NULL, 100, 0), -LINUX_EAGAIN);
	assert_int_equal(posix_splice(p, fd[0], NULL, server, NULL, 4, 0), 4);
	char buf[8];
	assert_int_equal(posix_read(p, NULL, fd[0], buf, 8), 3);
	assert_memory_equal(buf, "ugh", 3);
	assert_int_equal(posix_read(p, NULL, fd[0], buf, 8), -LINUX_EAGAIN);
	assert_int_equal(posix_close(p, NULL, fd[1]), 0);
	assert_int_equal(posix_read(p, NULL, fd[0], buf, 8), 0);
	assert_int_equal(posix_splice(p, fd[0], NULL, fd[0], NULL, 1, 0), -LINUX_EINVAL);
	assert_int_equal(posix_close(p, NULL, fd[0]), 0);
	twins_run(t, 10 * NANO_MS);
	assert_int_equal(posix_read(t->host[0], NULL, client, buf, 8), 4);
	assert_memory_equal(buf, "thro", 4);
	twins_end(t, client, server);
}

static void fast_open_takes_data_along(void **state)
{
	(void)state;
	struct twins *t = twins_open();
	struct linux_sockaddr_in a;
	struct posix_call c;
	struct linux_tcp_info i;
	uint32_t len = sizeof i;
	char buf[16];
	int l = twins_listener(t, 1, 80), four = 4, one = 1;
	assert_int_equal(posix_setsockopt(t->host[1], l, LINUX_SOL_TCP, LINUX_TCP_FASTOPEN, &four,
				 sizeof four),
		0);
	twins_sockaddr(&a, 1, 80);
	int fd = twins_socket(t, 0); /* no cookie yet: an ordinary handshake that asks for one */
	int64_t r = posix_sendto(t->host[0], &c, fd, "hello", 5, LINUX_MSG_FASTOPEN, &a, sizeof a);
	assert_int_equal(twins_finish(t, 0, &c, r), 5);
	twins_run(t, 50 * NANO_MS);
	int64_t s = posix_accept(t->host[1], NULL, l, NULL, NULL);
	assert_int_equal(posix_read(t->host[1], NULL, (int)s, buf, sizeof buf), 5);
	assert_int_equal(posix_close(t->host[0], NULL, fd), 0);
	assert_int_equal(posix_close(t->host[1], NULL, (int)s), 0);
	/* Now it is known: data arrives after half a round trip. */
	fd = twins_socket(t, 0);
	assert_int_equal(posix_setsockopt(t->host[0], fd, LINUX_SOL_TCP, LINUX_TCP_FASTOPEN_CONNECT,
				 &one, sizeof one),
		0);
	assert_int_equal(posix_connect(t->host[0], &c, fd, &a, sizeof a), 0);
	assert_int_equal(posix_connect(t->host[0], &c, fd, &a, sizeof a), -LINUX_EISCONN);
	assert_int_equal(posix_send(t->host[0], &c, fd, "again", 5, LINUX_MSG_DONTWAIT), 5);
	twins_run(t, 6 * NANO_MS);
	s = posix_accept(t->host[1], NULL, l, NULL, NULL);
	assert_true(s > 0);
	assert_int_equal(posix_read(t->host[1], NULL, (int)s, buf, sizeof buf), 5);
	twins_run(t, 20 * NANO_MS);
	assert_int_equal(
		posix_getsockopt(t->host[0], fd, LINUX_SOL_TCP, LINUX_TCP_INFO, &i, &len), 0);
	assert_true(i.options & LINUX_TCPI_OPT_SYN_DATA);
	assert_int_equal(posix_write(t->host[0], NULL, fd, "more", 4), 4);
	twins_run(t, 20 * NANO_MS);
	assert_int_equal(posix_read(t->host[1], NULL, (int)s, buf, sizeof buf), 4);
	assert_int_equal(posix_sysctl(t->host[0], "net.ipv4.tcp_fastopen", "0"), 0);
	int other = twins_socket(t, 0);
	assert_int_equal(
		posix_sendto(t->host[0], NULL, other, "x", 1, LINUX_MSG_FASTOPEN, &a, sizeof a),
		-LINUX_EOPNOTSUPP);
	assert_int_equal(posix_sysctl(t->host[1], "net.ipv4.tcp_fastopen_key",
				 "00112233-44556677-8899aabb-ccddeeff"),
		0);
	assert_int_equal(posix_sysctl(t->host[1], "net.ipv4.tcp_fastopen_key", "00112233-4455"),
		-LINUX_EINVAL);
	twins_close(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_cross_both_ways),
		cmocka_unit_test(the_end_and_what_comes_after),
		cmocka_unit_test(peek_truncate_and_wait_for_all),
		cmocka_unit_test(time_outs_end_a_wait),
		cmocka_unit_test(refusals_have_linux_numbers),
		cmocka_unit_test(six_speaks_to_four_as_well),
		cmocka_unit_test(linger_waits_or_resets),
		cmocka_unit_test(descriptors_and_pipes),
		cmocka_unit_test(fast_open_takes_data_along),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
