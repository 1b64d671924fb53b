/*
 * Datagram endpoints: who gets what, what waits and for how long, and who is
 * told when a datagram can't go.
 */
#include "fake_host.h"

static struct datagram_endpoint *open_as(struct fake_host *h, enum datagram_kind kind,
	const char *local, uint16_t port, uint32_t sock)
{
	struct addr a = local ? fake_addr(local) : ADDR_ANY;
	struct datagram_endpoint *e = NULL;
	assert_int_equal(datagram_open(&h->t, kind, &a, port, false, false, sock, &e), ERR_OK);
	return e;
}

static int64_t send(struct fake_host *h, struct datagram_endpoint *e, const char *text,
	const char *to, uint16_t port)
{
	struct addr a = fake_addr(to);
	return datagram_send(&h->t, e, span_of(text, strlen(text)), &a, port);
}

/* The payload of a UDP frame that was sent. */
static const char *sent_text(struct fake_host *h, unsigned index)
{
	static char text[64];
	const struct fake_sent *s = &h->f->sent[index];
	assert_true(index < h->f->count);
	bool v6 = load16(s->bytes + 12) == ETHERTYPE_IP6;
	size_t at = ETH_HEADER + (v6 ? IP6_HEADER : IP4_HEADER);
	size_t len = load16(s->bytes + at + 4) - (size_t)UDP_HEADER;
	assert_true(at + UDP_HEADER + len <= s->len && len < sizeof text);
	memcpy(text, s->bytes + at + UDP_HEADER, len);
	text[len] = '\0';
	return text;
}

static void put(struct fake_host *h, const char *from, uint16_t from_port, const char *to,
	uint16_t to_port, const char *text)
{
	uint8_t body[64];
	size_t len = strlen(text);
	struct addr source = fake_addr(from), destination = fake_addr(to);
	store16(body, from_port);
	store16(body + 2, to_port);
	store16(body + 4, (uint16_t)(UDP_HEADER + len));
	store16(body + 6, 0);
	memcpy(body + UDP_HEADER, text, len);
	uint32_t total = (uint32_t)(UDP_HEADER + len);
	uint16_t sum = checksum_finish(pseudo_sum(&source, &destination, IPPROTO_UDP_, total) +
		checksum_plain.sum(body, total));
	memcpy(body + 6, &sum, 2);
	net_put(h->n, h->n->nif,
		packet_of((struct packet_head){ from, to, IPPROTO_UDP_, 0, NULL, 0, 0 }, body,
			total));
}

/* What it received is this text. */
static void expect(struct fake_host *h, struct datagram_endpoint *e, const char *text)
{
	struct datagram *d = datagram_take(e);
	assert_non_null(d);
	assert_false(d->is_error);
	assert_int_equal(d->len, strlen(text));
	assert_memory_equal(datagram_bytes(d), text, d->len);
	datagram_done(&h->t, d);
}

static void expect_nothing(struct datagram_endpoint *e)
{
	assert_null(datagram_take(e));
}

static void expect_unreachable(struct fake_host *h, struct datagram_endpoint *e, const char *to,
	uint16_t port, unsigned code4, unsigned code6)
{
	struct addr a = fake_addr(to);
	bool v4 = addr_is4(&a);
	struct addr self = fake_addr(v4 ? "192.0.2.1" : "2001:db8::1");
	struct datagram *d = datagram_take(e);
	assert_non_null(d);
	assert_true(d->is_error);
	assert_int_equal(d->len, 0);
	assert_int_equal(d->icmp_type, v4 ? ICMP4_UNREACHABLE : ICMP6_UNREACHABLE);
	assert_int_equal(d->icmp_code, v4 ? code4 : code6);
	assert_true(addr_equal(&d->source, &self)); /* we say so ourselves */
	assert_true(addr_equal(&d->destination, &a));
	assert_int_equal(d->port, port);
	datagram_done(&h->t, d);
}

/* RFC 4861 7.2.2: each datagram that waited for a neighbour in vain is told of, to its own
 * socket; while the neighbour counts as dead, at once. */
static void dead_next_hop(void **state)
{
	(void)state;
	static const char *const to[2] = { "192.0.2.77", "2001:db8::77" };
	for (unsigned i = 0; i < 2; i++) {
		struct fake_host *h = host_open(NULL);
		struct datagram_endpoint *one = open_as(h, DATAGRAM_UDP, NULL, 1000, 1);
		struct datagram_endpoint *two = open_as(h, DATAGRAM_UDP, NULL, 2000, 2);
		struct datagram_endpoint *ping = open_as(h, DATAGRAM_PING, NULL, 1000, 3);
		struct datagram_endpoint *gone = open_as(h, DATAGRAM_UDP, NULL, 3000, 4);
		assert_int_equal(send(h, one, "a", to[i], 53), 1);
		assert_int_equal(send(h, two, "b", to[i], 54), 1);
		assert_int_equal(send(h, ping, "12345678", to[i], 7), 8);
		assert_int_equal(send(h, gone, "c", to[i], 55), 1);
		fake_run(h->f, h->f->now + NANO_S);
		datagram_close(&h->t, gone); /* nobody is left to be told */
		fake_run(h->f, h->f->now + 2 * NANO_S - 1);
		expect_nothing(one);
		fake_run(h->f, h->f->now + 1);
		expect_unreachable(h, one, to[i], 53, 1, 3);
		expect_unreachable(h, two, to[i], 54, 1, 3);
		expect_unreachable(h, ping, to[i], 7, 1, 3);
		assert_int_equal(host_events(h, 2), EVENT_READABLE);
		expect_nothing(one);
		expect_nothing(two);
		assert_int_equal(h->f->access.pending_pool.used, 0);
		assert_int_equal(h->f->counters.tx_drop[DROP_NEIGHBOUR_FAILED], 4);
		/* It is known to be dead for a while. */
		send(h, two, "d", to[i], 54);
		fake_flush(h->f);
		expect_unreachable(h, two, to[i], 54, 1, 3);
		expect_nothing(one);
		assert_int_equal(h->f->counters.tx_drop[DROP_NEIGHBOUR_FAILED], 5);
		assert_int_equal(h->t.blocks.small.used, 0);
		host_close(h);
	}
}

/* An echo reply of ours that can't go is no news for a ping with that number. */
static void returned_replies(void **state)
{
	(void)state;
	struct fake_host *h = host_open(NULL);
	struct datagram_endpoint *ping = open_as(h, DATAGRAM_PING, NULL, 1234, 1);
	uint8_t echo[16] = { ICMP4_ECHO, 0, 0, 0, 1234 >> 8, 1234 & 0xff, 0, 1 };
	uint16_t sum = checksum_finish(checksum_plain.sum(echo, sizeof echo));
	memcpy(echo + 2, &sum, 2);
	net_put(h->n, h->n->nif,
		packet_of((struct packet_head){ "192.0.2.9", "192.0.2.1", IPPROTO_ICMP4, 0, NULL, 0,
				  0 },
			echo, sizeof echo));
	fake_run(h->f, h->f->now + 4 * NANO_S);
	assert_int_equal(h->f->counters.tx_drop[DROP_NEIGHBOUR_FAILED], 1);
	expect_nothing(ping);
	host_close(h);
}

/* The way was there when the datagram was queued. */
static void way_is_gone(void **state)
{
	(void)state;
	struct fake_host *h = host_open(NULL);
	struct datagram_endpoint *e = open_as(h, DATAGRAM_UDP, NULL, 1000, 1);
	assert_int_equal(send(h, e, "a", "192.0.2.7", 53), 1);
	h->n->nif->up = false;
	h->n->in.routes.generation++;
	fake_flush(h->f);
	expect_unreachable(h, e, "192.0.2.7", 53, 0, 0);
	assert_int_equal(h->f->counters.tx_drop[DROP_IP_NO_ROUTE], 1);
	host_close(h);
}

/* A full link holds its own datagrams up, in their order, and nobody else's. */
static void full_link(void **state)
{
	(void)state;
	struct fake_host *h = host_open(NULL);
	struct datagram_endpoint *one = open_as(h, DATAGRAM_UDP, NULL, 1000, 1);
	struct datagram_endpoint *two = open_as(h, DATAGRAM_UDP, NULL, 2000, 2);
	net_know(h->n, h->n->nif, "192.0.2.7");
	net_know(h->n, h->n->outer, "198.51.100.7");
	h->n->nif->blocked = true;
	send(h, one, "a", "192.0.2.7", 1);
	send(h, one, "b", "192.0.2.7", 1);
	send(h, one, "over there", "198.51.100.7", 1);
	send(h, two, "c", "192.0.2.7", 1);
	fake_flush(h->f);
	assert_int_equal(h->f->count, 1);
	assert_string_equal(sent_text(h, 0), "over there");
	for (unsigned i = 0; i < 5; i++)
		assert_int_equal(send(h, one, "x", "192.0.2.7", 1), 1);
	assert_int_equal(send(h, one, "8", "192.0.2.7", 1), 1);
	assert_int_equal(send(h, one, "9", "192.0.2.7", 1), -(int64_t)ERR_AGAIN); /* the bound */
	fake_flush(h->f);
	assert_int_equal(h->f->count, 1);
	assert_int_equal(host_events(h, 1), 0);
	h->f->fill = true; /* from here on the link takes one frame at a time */
	static const char *const order[] = { "c", "a", "b", "x", "x", "x", "x", "x", "8" };
	for (unsigned i = 0; i < 9; i++) {
		h->n->nif->blocked = false;
		fake_flush(h->f);
		assert_int_equal(h->f->count, 2 + i);
		assert_string_equal(sent_text(h, 1 + i), order[i]);
		if (i == 1)
			assert_int_equal(host_events(h, 1), EVENT_WRITABLE);
	}
	h->n->nif->blocked = false;
	fake_flush(h->f);
	assert_int_equal(h->f->count, 10);
	assert_int_equal(h->f->counters.tx_drop[DROP_LINK_BUSY], 0);
	assert_false(transport_has_work(&h->t));
	assert_int_equal(h->t.blocks.small.used, 0);
	host_close(h);
}

/* RFC 768, and the best match: connected before bound before any. */
static void best_match(void **state)
{
	(void)state;
	struct fake_host *h = host_open(NULL);
	struct addr peer = fake_addr("192.0.2.7");
	struct datagram_endpoint *four = open_as(h, DATAGRAM_UDP, "192.0.2.1", 53, 1);
	struct datagram_endpoint *six = open_as(h, DATAGRAM_UDP, "2001:db8::1", 53, 2);
	struct datagram_endpoint *any = open_as(h, DATAGRAM_UDP, NULL, 54, 3);
	struct datagram_endpoint *ping = open_as(h, DATAGRAM_PING, NULL, 53, 4);
	put(h, "192.0.2.7", 9, "192.0.2.1", 53, "to four");
	put(h, "2001:db8::7", 9, "2001:db8::1", 53, "to six");
	put(h, "2001:db8::7", 9, "2001:db8::1", 54, "to any");
	expect(h, four, "to four");
	expect(h, six, "to six");
	expect(h, any, "to any");
	expect_nothing(ping);
	assert_int_equal(datagram_connect(&h->t, four, &peer, 9), ERR_OK);
	put(h, "192.0.2.7", 9, "192.0.2.1", 53, "from the peer");
	expect(h, four, "from the peer");
	put(h, "192.0.2.7", 10, "192.0.2.1", 53, "from another port");
	fake_expect_drop(h->f, DROP_UDP_PORT);
	put(h, "192.0.2.8", 9, "192.0.2.1", 53, "from another host");
	fake_expect_drop(h->f, DROP_UDP_PORT);
	expect_nothing(four);
	assert_int_equal(datagram_connect(&h->t, six, &peer, 9), ERR_FAMILY);
	host_close(h);
}

/* RFC 1122 4.1.3.5: who answers may say from which address. */
static void named_source(void **state)
{
	(void)state;
	struct fake_host *h = host_open(NULL);
	struct datagram_endpoint *any = open_as(h, DATAGRAM_UDP, NULL, 53, 1);
	struct datagram_endpoint *bound = open_as(h, DATAGRAM_UDP, "192.0.2.1", 54, 2);
	struct addr peer = fake_addr("192.0.2.7");
	static const struct {
		const char *source, *sent_from;
		enum error any, bound;
	} row[] = {
		{ "192.0.2.1", "192.0.2.1", ERR_OK, ERR_OK },
		{ "198.51.100.1", "198.51.100.1", ERR_OK, ERR_ARGUMENT }, /* another link's */
		{ "::", "192.0.2.1", ERR_OK, ERR_OK },
		{ "224.0.0.1", "192.0.2.1", ERR_OK, ERR_OK }, /* what came to a group */
		{ "192.0.2.255", "192.0.2.1", ERR_OK, ERR_OK },
		{ "255.255.255.255", "192.0.2.1", ERR_OK, ERR_OK },
		{ "192.0.2.7", NULL, ERR_NO_ADDRESS, ERR_ARGUMENT },
		{ "2001:db8::1", NULL, ERR_FAMILY, ERR_ARGUMENT },
	};
	net_know(h->n, h->n->nif, "192.0.2.7");
	for (unsigned i = 0; i < sizeof row / sizeof row[0]; i++) {
		struct addr source = fake_addr(row[i].source);
		fake_flush(h->f);
		fake_clear(h->f);
		assert_int_equal(datagram_send_from(&h->t, any, span_of("x", 1), &source, &peer, 9),
			row[i].any ? -(int64_t)row[i].any : 1);
		fake_flush(h->f);
		assert_int_equal(h->f->count, row[i].any == ERR_OK);
		if (row[i].any == ERR_OK) {
			struct addr from = addr_from4(h->f->sent[0].bytes + ETH_HEADER + 12);
			struct addr expected = fake_addr(row[i].sent_from);
			assert_true(addr_equal(&from, &expected));
		}
		assert_int_equal(
			datagram_send_from(&h->t, bound, span_of("x", 1), &source, &peer, 9),
			row[i].bound ? -(int64_t)row[i].bound : 1);
	}
	host_close(h);
}

/* A queue that nobody reads has an end, and so has the memory. */
static void bounded_queues(void **state)
{
	(void)state;
	struct transport_config c;
	host_config(&c);
	c.blocks = 16;
	c.big_blocks = 0;
	struct fake_host *h = host_open(&c);
	struct datagram_endpoint *e[3];
	for (unsigned i = 0; i < 3; i++)
		e[i] = open_as(h, DATAGRAM_UDP, NULL, (uint16_t)(53 + i), 1 + i);
	for (unsigned i = 0; i < 8; i++)
		put(h, "192.0.2.7", 9, "192.0.2.1", 53, "x");
	put(h, "192.0.2.7", 9, "192.0.2.1", 53, "one too many");
	fake_expect_drop(h->f, DROP_UDP_QUEUE_FULL);
	for (unsigned i = 0; i < 8; i++)
		put(h, "192.0.2.7", 9, "192.0.2.1", 54, "y");
	put(h, "192.0.2.7", 9, "192.0.2.1", 55, "no memory left");
	fake_expect_drop(h->f, DROP_UDP_QUEUE_FULL);
	assert_int_equal(send(h, e[2], "z", "192.0.2.7", 1), -(int64_t)ERR_MEMORY);
	for (unsigned i = 0; i < 8; i++)
		expect(h, e[0], "x");
	put(h, "192.0.2.7", 9, "192.0.2.1", 55, "again");
	expect(h, e[2], "again");
	for (unsigned i = 0; i < 3; i++)
		datagram_close(&h->t, e[i]);
	assert_int_equal(h->t.blocks.small.used, 0);
	assert_int_equal(h->t.datagram_pool.used, 0);
	host_close(h);
}

static void sizes(void **state)
{
	(void)state;
	static const uint8_t bytes[2000];
	struct fake_host *h = host_open(NULL);
	struct datagram_endpoint *e = open_as(h, DATAGRAM_UDP, NULL, 53, 1);
	struct addr four = fake_addr("192.0.2.7"), six = fake_addr("2001:db8::7");
	assert_int_equal(datagram_send(&h->t, e, span_of(bytes, 1472), &four, 1), 1472);
	assert_int_equal(
		datagram_send(&h->t, e, span_of(bytes, 1473), &four, 1), -(int64_t)ERR_TOO_BIG);
	assert_int_equal(datagram_send(&h->t, e, span_of(bytes, 1452), &six, 1), 1452);
	assert_int_equal(
		datagram_send(&h->t, e, span_of(bytes, 1453), &six, 1), -(int64_t)ERR_TOO_BIG);
	assert_int_equal(datagram_send(&h->t, e, span_of(bytes, 0), &four, 1), 0);
	assert_int_equal(
		datagram_send(&h->t, e, span_of(bytes, 1), &four, 0), -(int64_t)ERR_ARGUMENT);
	assert_int_equal(
		datagram_send(&h->t, e, span_of(bytes, 1), NULL, 1), -(int64_t)ERR_ARGUMENT);
	host_close(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dead_next_hop),
		cmocka_unit_test(returned_replies),
		cmocka_unit_test(way_is_gone),
		cmocka_unit_test(full_link),
		cmocka_unit_test(best_match),
		cmocka_unit_test(named_source),
		cmocka_unit_test(bounded_queues),
		cmocka_unit_test(sizes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
