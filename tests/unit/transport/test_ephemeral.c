/*
 * Ephemeral ports: every one of the range is found before there is none, none is
 * given twice to one destination, and where the search starts can't be guessed
 * from other destinations.
 */
#include "fake_host.h"

#include "transport/tcp/tcp_conn.h"

#define FIRST 40000
#define PORTS 100

static struct fake_host *open_range(uint16_t ports)
{
	struct transport_config c;
	host_config(&c);
	c.sockets = c.connections = c.time_waits = 512;
	c.port_first = FIRST;
	c.port_last = (uint16_t)(FIRST + ports - 1);
	return host_open(&c);
}

static enum error connect_from(struct fake_host *h, uint16_t local_port, const char *to,
	uint16_t port, struct tcp_conn **out)
{
	struct addr any = ADDR_ANY, remote = fake_addr(to);
	return tcp_connect(&h->t, &any, local_port, &remote, port, 1, 0, out);
}

static uint16_t port_towards(struct fake_host *h, const char *to, uint16_t port)
{
	struct tcp_conn *c;
	assert_int_equal(connect_from(h, 0, to, port, &c), ERR_OK);
	assert_in_range(c->tuple.local_port, h->t.config.port_first, h->t.config.port_last);
	return c->tuple.local_port;
}

static void every_port(void **state)
{
	(void)state;
	struct fake_host *h = open_range(PORTS);
	struct tcp_conn *c, *last = NULL;
	bool used[PORTS] = { false };
	for (unsigned i = 0; i < PORTS; i++) {
		assert_int_equal(connect_from(h, 0, "192.0.2.7", 80, &c), ERR_OK);
		unsigned at = c->tuple.local_port - FIRST;
		assert_true(at < PORTS && !used[at]);
		used[at] = true;
		last = i == PORTS / 2 ? c : last;
	}
	assert_int_equal(connect_from(h, 0, "192.0.2.7", 80, &c), ERR_NO_PORT);
	/* Another destination has all of them for itself: RFC 6056 2.2. */
	for (unsigned i = 0; i < PORTS; i++)
		port_towards(h, "192.0.2.7", 81);
	assert_int_equal(connect_from(h, 0, "192.0.2.7", 81, &c), ERR_NO_PORT);
	uint16_t freed = last->tuple.local_port;
	tcp_abort(&h->t, last);
	assert_int_equal(port_towards(h, "192.0.2.7", 80), freed);
	assert_int_equal(connect_from(h, 0, "192.0.2.7", 80, &c), ERR_NO_PORT);
	host_close(h);
}

static void one_port(void **state)
{
	(void)state;
	struct fake_host *h = open_range(1);
	struct tcp_conn *c;
	assert_int_equal(port_towards(h, "192.0.2.7", 80), FIRST);
	assert_int_equal(connect_from(h, 0, "192.0.2.7", 80, &c), ERR_NO_PORT);
	assert_int_equal(port_towards(h, "2001:db8::7", 80), FIRST);
	host_close(h);
}

static void given_port(void **state)
{
	(void)state;
	struct fake_host *h = open_range(PORTS);
	struct tcp_conn *c;
	assert_int_equal(connect_from(h, 5000, "192.0.2.7", 80, &c), ERR_OK);
	assert_int_equal(connect_from(h, 5000, "192.0.2.7", 80, &c), ERR_IN_USE);
	assert_int_equal(connect_from(h, 5000, "192.0.2.8", 80, &c), ERR_OK);
	host_close(h);
}

/* RFC 6191: with timestamps a second of TIME-WAIT is enough, without them all of it must pass. */
static void time_wait(void **state)
{
	(void)state;
	for (int stamps = 0; stamps < 2; stamps++) {
		struct fake_host *h = open_range(1);
		struct tcp_conn *c;
		assert_int_equal(connect_from(h, 0, "192.0.2.7", 80, &c), ERR_OK);
		c->flags = (uint16_t)((c->flags & ~CONN_TIMESTAMPS) |
			(stamps ? CONN_TIMESTAMPS : 0));
		conn_set_state(&h->t, c, TCP_TIME_WAIT);
		conn_time_wait(&h->t, c);
		conn_free(&h->t, c);
		transport_set_time(&h->t, h->f->now + NANO_S - 1);
		assert_int_equal(connect_from(h, 0, "192.0.2.7", 80, &c), ERR_NO_PORT);
		transport_set_time(&h->t, h->f->now + NANO_S);
		assert_int_equal(
			connect_from(h, 0, "192.0.2.7", 80, &c), stamps ? ERR_OK : ERR_NO_PORT);
		assert_int_equal(h->t.time_wait_pool.used, !stamps);
		host_close(h);
	}
}

/* RFC 6056 3.3.4: small steps towards one destination, and each begins somewhere else. */
static void where_it_starts(void **state)
{
	(void)state;
	struct fake_host *h = open_range(20000);
	unsigned near = 0;
	uint16_t before = port_towards(h, "192.0.2.7", 80);
	for (unsigned i = 0; i < 50; i++) {
		uint16_t next = port_towards(h, "192.0.2.7", 80);
		unsigned step = (unsigned)(next + 20000 - before) % 20000;
		assert_in_range(step, 1, 4);
		before = next;
	}
	const uint16_t last = before;
	for (uint16_t i = 0; i < 50; i++) {
		uint16_t other = port_towards(h, "192.0.2.7", (uint16_t)(1000 + i));
		near += (unsigned)(other + 20000 - before) % 20000 < 500;
		before = other;
	}
	assert_true(near < 10);
	/* What went there in between can't be told here, but for the few who share a counter. */
	assert_in_range((unsigned)(port_towards(h, "192.0.2.7", 80) + 20000 - last) % 20000, 1, 8);
	/* The secret decides. */
	struct fake_host *twin = open_range(20000), *other = open_range(20000);
	other->t.secret.k[0] ^= 1;
	memcpy(twin->t.port_counter, h->t.port_counter, sizeof h->t.port_counter);
	memcpy(other->t.port_counter, h->t.port_counter, sizeof h->t.port_counter);
	assert_int_not_equal(
		port_towards(twin, "192.0.2.7", 80), port_towards(other, "192.0.2.7", 80));
	host_close(other);
	host_close(twin);
	host_close(h);
}

/* UDP sockets share one range, for all destinations; identifiers of pings are apart. */
static void datagram_ports(void **state)
{
	(void)state;
	struct transport_config c;
	host_config(&c);
	c.datagram_sockets = 512;
	c.port_first = FIRST;
	c.port_last = FIRST + PORTS - 1;
	struct fake_host *h = host_open(&c);
	struct datagram_endpoint *e, *last = NULL;
	struct addr any = ADDR_ANY, one = fake_addr("192.0.2.1"), two = fake_addr("198.51.100.1");
	for (unsigned kind = DATAGRAM_UDP; kind <= DATAGRAM_PING; kind++) {
		bool used[PORTS] = { false };
		for (unsigned i = 0; i < PORTS; i++) {
			assert_int_equal(
				datagram_open(&h->t, kind, &one, 0, false, false, 1, &e), ERR_OK);
			unsigned at = (unsigned)e->port - FIRST;
			assert_true(at < PORTS && !used[at]);
			used[at] = true;
			last = i == PORTS / 2 ? e : last;
		}
		assert_int_equal(
			datagram_open(&h->t, kind, &one, 0, false, false, 1, &e), ERR_NO_PORT);
		assert_int_equal(
			datagram_open(&h->t, kind, &any, 0, false, false, 1, &e), ERR_NO_PORT);
		assert_int_equal(datagram_open(&h->t, kind, &two, 0, false, false, 1, &e), ERR_OK);
		uint16_t freed = last->port;
		datagram_close(&h->t, last);
		assert_int_equal(datagram_open(&h->t, kind, &one, 0, false, false, 1, &e), ERR_OK);
		assert_int_equal(e->port, freed);
	}
	host_close(h);
}

/* Times that the stamps of connections can't hold would never come. */
static void times_in_config(void **state)
{
	(void)state;
	struct transport_config c;
	transport_config_default(&c);
	assert_null(transport_config_check(&c));
	c.syn_timeout = 4294 * NANO_S - c.rto_max;
	assert_null(transport_config_check(&c));
	c.syn_timeout++;
	assert_non_null(transport_config_check(&c));
	c.syn_timeout = 0;
	assert_non_null(transport_config_check(&c));
	transport_config_default(&c);
	c.user_timeout = 25 * 86400 * NANO_S;
	assert_non_null(transport_config_check(&c));
	transport_config_default(&c);
	c.keepalive_idle = 25 * 86400 * NANO_S;
	assert_non_null(transport_config_check(&c));
	c.keepalive_idle = 24 * 86400 * NANO_S;
	assert_null(transport_config_check(&c));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_port),
		cmocka_unit_test(one_port),
		cmocka_unit_test(given_port),
		cmocka_unit_test(time_wait),
		cmocka_unit_test(where_it_starts),
		cmocka_unit_test(datagram_ports),
		cmocka_unit_test(times_in_config),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
