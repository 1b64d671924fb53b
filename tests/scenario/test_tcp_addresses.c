/*
 * Which addresses and ports a connection has (RFC 9293 3.9.1.1): named by its owner, chosen by the
 * routes, kept for its life; and what listens beside it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "support/wire_peer.h"

#include "transport/endpoints.h"

static struct addr addr_of(const char *text)
{
	struct addr a;
	assert_true(addr_parse(span_of(text, strlen(text)), &a));
	return a;
}

/* A stack with two addresses of each family on one link. */
static struct wire_peer *with_two(bool v6, struct addr *second)
{
	struct wire_peer *p = peer_open(NULL, v6);
	*second = addr_of(v6 ? "2001:db8::77" : "192.0.2.77");
	assert_int_equal(stack_add_address(p->stack, p->nif, second, v6 ? 64 : 24), ERR_OK);
	return p;
}

static enum error source_of(struct wire_peer *p, const struct addr *local, struct addr *out)
{
	struct sock_options o = { .local_port = 5000 };
	struct sock_peer me;
	sock_id id;
	if (local)
		o.local = *local;
	int r = sock_connect(p->stack, &o, &p->remote, p->peer_port, &id);
	if (r < 0)
		return (enum error) - r;
	peer_flush(p);
	assert_non_null(peer_next(p));
	assert_int_equal(sock_name(p->stack, id, &me, NULL), 0);
	*out = me.address;
	sock_abort(p->stack, id);
	return ERR_OK;
}

/* MUST-43: the address that is named is used, if it is ours. MUST-44: without one the way
 * decides. */
static void test_local_address_of_connect(void **state)
{
	(void)state;
	for (unsigned v6 = 0; v6 < 2; v6++) {
		struct addr second, got, other = addr_of(v6 ? "2001:db8::99" : "192.0.2.99");
		struct wire_peer *p = with_two(v6, &second);
		assert_int_equal(source_of(p, &second, &got), ERR_OK);
		assert_true(addr_equal(&got, &second));
		assert_int_equal(source_of(p, &p->local, &got), ERR_OK);
		assert_true(addr_equal(&got, &p->local));
		assert_int_equal(source_of(p, &other, &got), ERR_NO_ADDRESS);
		assert_int_equal(source_of(p, NULL, &got), ERR_OK);
		assert_true(addr_equal(&got, &p->local) || addr_equal(&got, &second));
		peer_close(p);
	}
	/* The longest match decides: the address on the net of the destination. */
	struct wire_peer *p = peer_open(NULL, false);
	struct addr near = addr_of("198.51.100.7"), got;
	assert_int_equal(stack_add_address(p->stack, p->nif, &near, 24), ERR_OK);
	struct mac mac = { { 2, 0, 0, 0, 0, 2 } };
	p->remote = addr_of("198.51.100.9");
	assert_int_equal(
		neighbour_set_static(stack_access(p->stack), p->nif, &p->remote, &mac), ERR_OK);
	assert_int_equal(source_of(p, NULL, &got), ERR_OK);
	assert_true(addr_equal(&got, &near));
	peer_close(p);
}

/* MUST-45: who was asked at one address answers from it, to the end (the sums of the test's peer
 * are made with that address, and so fail with any other). */
static void test_local_address_is_kept(void **state)
{
	(void)state;
	for (unsigned v6 = 0; v6 < 2; v6++) {
		struct addr second;
		struct wire_peer *p = with_two(v6, &second);
		for (unsigned i = 0; i < 2; i++) {
			struct sock_peer me;
			if (i)
				p->local = second;
			p->peer_port++;
			struct sock_options o = { .local_port = (uint16_t)(80 + i) };
			sock_id listener, id;
			p->port = o.local_port;
			assert_int_equal(sock_listen(p->stack, &o, &listener), 0);
			SAY(p, .flags = TCP_SYN);
			SAY(p, .flags = TCP_ACK, .them = 1, .us = 1);
			id = peer_take(p, listener);
			assert_int_equal(sock_name(p->stack, id, &me, NULL), 0);
			assert_true(addr_equal(&me.address, &p->local));
			assert_int_equal(sock_write(p->stack, id, "x", 1), 1);
			peer_flush(p);
			for (const struct peer_segment *s; (s = peer_next(p));)
				assert_true(addr_equal(&s->source, &p->local));
			sock_abort(p->stack, id);
			peer_flush(p);
			assert_true(addr_equal(&peer_next(p)->source, &p->local));
		}
		peer_close(p);
	}
}

/* MUST-41, MUST-42: listening on a port of which one connection is open, one asks and one was
 * asked: all three go on as if nothing had happened, and the listener takes the next. */
static void test_listener_beside_connections(void **state)
{
	(void)state;
	struct wire_peer *p = peer_open(NULL, false);
	sock_id open = peer_connected(p, NULL), asking, crossed, listener, taken;
	struct sock_options o = { .local_port = 5000 };
	uint32_t iss[3] = { p->iss };
	p->peer_port = PEER_PORT + 1;
	assert_int_equal(sock_connect(p->stack, &o, &p->remote, p->peer_port, &asking), 0);
	peer_flush(p);
	iss[1] = p->iss;
	p->peer_port = PEER_PORT + 2;
	assert_int_equal(sock_connect(p->stack, &o, &p->remote, p->peer_port, &crossed), 0);
	peer_flush(p);
	SAY(p, .flags = TCP_SYN);
	iss[2] = p->iss;
	assert_string_equal(peer_state(p, crossed), "SYN-RECEIVED");
	assert_int_equal(sock_listen(p->stack, &o, &listener), 0);
	assert_int_equal(sock_listen(p->stack, &o, &taken), -ERR_IN_USE); /* not twice */
	assert_string_equal(peer_state(p, asking), "SYN-SENT");
	assert_string_equal(peer_state(p, crossed), "SYN-RECEIVED");
	p->iss = iss[2];
	SAY(p, .flags = TCP_ACK, .them = 1, .us = 1);
	assert_string_equal(peer_state(p, crossed), "ESTABLISHED");
	p->peer_port = PEER_PORT + 1;
	p->iss = iss[1];
	SAY(p, .flags = TCP_SYN | TCP_ACK, .us = 1);
	assert_string_equal(peer_state(p, asking), "ESTABLISHED");
	p->peer_port = PEER_PORT;
	p->iss = iss[0];
	SAY(p, .flags = TCP_ACK, .them = 1, .us = 1, .text = "x", .len = 1);
	assert_int_equal(sock_readable(p->stack, open), 1);
	assert_int_equal(sock_poll(p->stack, listener), 0);
	p->peer_port = PEER_PORT + 3;
	SAY(p, .flags = TCP_SYN);
	SAY(p, .flags = TCP_ACK, .them = 1, .us = 1);
	assert_int_equal(sock_accept(p->stack, listener, NULL, NULL, &taken, NULL), 0);
	peer_close(p);
}

/* MUST-50: IP options that mean nothing to us stand in front of each segment of a connection. */
static void test_ip_options(void **state)
{
	(void)state;
	/* router alert, a timestamp without room, an unknown one, no-operation */
	static const uint8_t ip[20] = { 148, 4, 0, 0, 68, 4, 5, 0xf0, 99, 7, 1, 2, 3, 4, 5, 1, 7, 3,
		4 };
	struct wire_peer *p = peer_open(NULL, false);
	sock_id id, listener = peer_listen(p);
	SAY(p, .flags = TCP_SYN, .ip_options = ip, .ip_options_len = 20);
	peer_expect(p, TCP_SYN | TCP_ACK, 0, 1);
	SAY(p, .flags = TCP_ACK, .them = 1, .us = 1, .ip_options = ip, .ip_options_len = 20);
	id = peer_take(p, listener);
	SAY(p, .flags = TCP_ACK, .them = 1, .us = 1, .text = "text", .len = 4, .ip_options = ip,
		.ip_options_len = 20);
	peer_expect(p, TCP_ACK, 1, 5);
	uint8_t got[8];
	assert_int_equal(sock_read(p->stack, id, got, 8), 4);
	assert_memory_equal(got, "text", 4);
	peer_close(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_local_address_of_connect),
		cmocka_unit_test(test_local_address_is_kept),
		cmocka_unit_test(test_listener_beside_connections),
		cmocka_unit_test(test_ip_options),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
