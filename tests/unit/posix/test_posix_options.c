/*
 * Socket options whose values have more than one length, or change how fast and in
 * what pieces the bytes go: between two hosts, with Linux's names and numbers.
 */
#include "unit/posix/twins.h"

#define RATE 500000 /* bytes a second */

static uint8_t bytes[100000];

static int64_t pace(struct twins *t, int fd, const void *value, uint32_t len)
{
	return posix_setsockopt(
		t->host[0], fd, LINUX_SOL_SOCKET, LINUX_SO_MAX_PACING_RATE, value, len);
}

static uint64_t pace_of(struct twins *t, int fd, uint32_t len)
{
	uint64_t value = 0;
	uint32_t got = len;
	assert_int_equal(posix_getsockopt(t->host[0], fd, LINUX_SOL_SOCKET,
				 LINUX_SO_MAX_PACING_RATE, &value, &got),
		0);
	assert_int_equal(got, len < sizeof value ? len : sizeof value);
	return value;
}

static struct linux_tcp_info info_of(struct twins *t, int fd)
{
	struct linux_tcp_info i;
	uint32_t len = sizeof i;
	assert_int_equal(
		posix_getsockopt(t->host[0], fd, LINUX_SOL_TCP, LINUX_TCP_INFO, &i, &len), 0);
	return i;
}

static void pacing_bound_in_both_lengths(void **state)
{
	(void)state;
	struct twins *t = twins_open();
	int fd = (int)posix_socket(t->host[0], LINUX_AF_INET, LINUX_SOCK_STREAM, 0);
	uint64_t wide = UINT64_C(5000000000);
	uint32_t narrow = 70000;
	assert_int_equal(pace_of(t, fd, 8), UINT64_MAX);
	assert_int_equal(pace_of(t, fd, 4), UINT32_MAX);
	assert_int_equal(pace(t, fd, &wide, 8), 0);
	assert_int_equal(pace_of(t, fd, 8), wide);
	assert_int_equal(pace_of(t, fd, 4), UINT32_MAX); /* as much as 32 bits can say */
	assert_int_equal(info_of(t, fd).max_pacing_rate, wide);
	assert_int_equal(pace(t, fd, &narrow, 4), 0);
	assert_int_equal(pace_of(t, fd, 8), 70000);
	assert_int_equal(pace(t, fd, &narrow, 3), -LINUX_EINVAL);
	narrow = UINT32_MAX;
	assert_int_equal(pace(t, fd, &narrow, 4), 0);
	assert_int_equal(pace_of(t, fd, 8), UINT64_MAX);
	assert_int_equal(info_of(t, fd).max_pacing_rate, UINT64_MAX);
	posix_close(t->host[0], NULL, fd);
	twins_close(t);
}

/* Until all of it is acknowledged. */
static nanotime time_to_send(const char *algorithm, uint32_t rate)
{
	struct twins *t = twins_open();
	int client, server;
	twins_pair(t, &client, &server);
	assert_int_equal(posix_setsockopt(t->host[0], client, LINUX_SOL_TCP, LINUX_TCP_CONGESTION,
				 algorithm, (uint32_t)strlen(algorithm)),
		0);
	assert_int_equal(pace(t, client, &rate, sizeof rate), 0);
	struct posix_call w;
	nanotime begun = posix_now(t->host[0]);
	int64_t wrote = posix_write(t->host[0], &w, client, bytes, sizeof bytes);
	while (wrote == POSIX_WAIT || info_of(t, client).unacked) {
		static uint8_t rest[sizeof bytes];
		twins_run(t, NANO_MS);
		while (posix_read(t->host[1], NULL, server, rest, sizeof rest) > 0) {
		}
		if (wrote == POSIX_WAIT)
			wrote = posix_retry(t->host[0], &w);
		assert_true(info_of(t, client).pacing_rate <= rate);
	}
	assert_int_equal(wrote, sizeof bytes);
	nanotime took = posix_now(t->host[0]) - begun;
	twins_end(t, client, server);
	return took;
}

/* The first ten segments go at once, and the path has a round trip of 10 ms. */
static void pacing_bound_holds_for_all(void **state)
{
	(void)state;
	static const char *const algorithm[] = { "cubic", "reno", "bbr" };
	nanotime least = (sizeof bytes - 14600) * NANO_S / RATE;
	for (unsigned i = 0; i < 3; i++) {
		nanotime paced = time_to_send(algorithm[i], RATE);
		assert_true(paced > least && paced < least + least / 5 + 20 * NANO_MS);
		assert_true(time_to_send(algorithm[i], UINT32_MAX) < least / 2);
	}
}

static void saved_syn_is_told_once(void **state)
{
	(void)state;
	struct twins *t = twins_open();
	struct posix *p = t->host[1];
	int l = twins_listener(t, 1, 80), on = 3;
	uint32_t len = sizeof on;
	uint8_t at[200];
	assert_int_equal(
		posix_setsockopt(p, l, LINUX_SOL_TCP, LINUX_TCP_SAVE_SYN, &on, len), -LINUX_EINVAL);
	on = 1;
	assert_int_equal(posix_setsockopt(p, l, LINUX_SOL_TCP, LINUX_TCP_SAVE_SYN, &on, len), 0);
	assert_int_equal(posix_getsockopt(p, l, LINUX_SOL_TCP, LINUX_TCP_SAVE_SYN, &on, &len), 0);
	assert_int_equal(on, 1);
	int client = twins_socket(t, 0);
	struct linux_sockaddr_in a;
	struct posix_call c;
	twins_sockaddr(&a, 1, 80);
	twins_finish(t, 0, &c, posix_connect(t->host[0], &c, client, &a, sizeof a));
	twins_run(t, 20 * NANO_MS);
	int fd = (int)posix_accept(p, NULL, l, NULL, NULL);
	len = 8;
	assert_int_equal(posix_getsockopt(p, fd, LINUX_SOL_TCP, LINUX_TCP_SAVED_SYN, at, &len),
		-LINUX_EINVAL);
	assert_true(len > 40 && len < 100); /* so much room it takes */
	uint32_t all = len;
	len = sizeof at;
	assert_int_equal(posix_getsockopt(p, fd, LINUX_SOL_TCP, LINUX_TCP_SAVED_SYN, at, &len), 0);
	assert_int_equal(len, all);
	assert_int_equal(at[0], 0x45);
	assert_int_equal(load16(at + 22), 80);
	assert_int_equal(at[33], 0x02);
	assert_int_equal(posix_getsockopt(p, fd, LINUX_SOL_TCP, LINUX_TCP_SAVED_SYN, at, &len), 0);
	assert_int_equal(len, 0);
	posix_close(p, NULL, l);
	twins_end(t, client, fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pacing_bound_in_both_lengths),
		cmocka_unit_test(pacing_bound_holds_for_all),
		cmocka_unit_test(saved_syn_is_told_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
