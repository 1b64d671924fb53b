/*
 * The corners of TCP: sequence numbers that wrap, crossing SYNs, closed and
 * sliver windows, links that are full, next hops that die, memory that runs out.
 * Segment by segment, against a peer written by hand.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "access/neighbour.h"
#include "support/wire_peer.h"
#include "transport/endpoints.h"

static uint8_t pattern[65536];

static struct tcp_conn *conn_of(struct wire_peer *p)
{
	struct transport *t = stack_transport(p->stack);
	struct tcp_tuple tuple = { p->local, p->remote, p->port, p->peer_port };
	enum demux_kind kind;
	struct tcp_conn *c = demux_find(&t->demux, &tuple, &kind);
	assert_int_equal(kind, DEMUX_CONN);
	return c;
}

static sock_id begin(struct wire_peer *p, struct sock_options o)
{
	sock_id id;
	o.local_port = p->port = 5000;
	assert_int_equal(sock_connect(p->stack, &o, &p->remote, p->peer_port, &id), 0);
	peer_flush(p);
	peer_expect(p, TCP_SYN, 0, 0);
	return id;
}

static sock_id listen_on(struct wire_peer *p, struct sock_options o)
{
	sock_id id;
	o.local_port = p->port = 80;
	assert_int_equal(sock_listen(p->stack, &o, &id), 0);
	return id;
}

static void set_neighbour(struct wire_peer *p, bool alive)
{
	struct access *a = stack_access(p->stack);
	struct mac mac = { { 2, 0, 0, 0, 0, 2 } };
	if (alive) {
		assert_int_equal(neighbour_set_static(a, p->nif, &p->remote, &mac), ERR_OK);
		return;
	}
	struct neighbour *n = neighbour_find(a, p->nif, &p->remote);
	assert_non_null(n);
	n->state = NEIGHBOUR_FAILED;
}

/* Both ends' sequence numbers pass 2^32 in the middle of the transfer. */
static void test_sequence_wrap(void **state)
{
	(void)state;
	struct wire_peer *p = peer_open(NULL, false);
	sock_id id = begin(p, (struct sock_options){ 0 });
	sock_abort(p->stack, id);
	/* The ISN of a tuple moves by one each 4 us: wait until it is near the end. */
	peer_wait(p, (nanodiff)(uint32_t)(0u - p->iss - 2500) * 4 * NANO_US);
	peer_forget(p);
	id = begin(p, (struct sock_options){ .send_buffer = 32768, .receive_buffer = 8192 });
	assert_int_equal((uint32_t)(0u - p->iss), 2500);
	const uint32_t base = 0u - PEER_ISS - 700; /* the peer's ISN is 700 below 2^32 */
	SAY(p, .flags = TCP_SYN | TCP_ACK, .them = base, .us = 1,
		.options = { .has = TCP_HAS_MSS | TCP_HAS_SACK_PERMITTED, .mss = 1000 });
	peer_expect(p, TCP_ACK, 1, base + 1);
	peer_write(p, id, pattern, 6000);
	for (uint32_t i = 0; i < 6; i++)
		peer_expect(p, TCP_ACK, 1 + 1000 * i, base + 1);
	struct tcp_options sack = {
		.has = TCP_HAS_SACK, .sack_count = 1, .sack = { { p->iss + 2001, p->iss + 6001 } }
	};
	SAY(p, .flags = TCP_ACK, .them = base + 1, .us = 1001, .options = sack);
	assert_int_equal(peer_expect(p, TCP_ACK, 1001, base + 1)->why, WHY_FAST_RETRANSMIT);
	SAY(p, .flags = TCP_ACK, .them = base + 1, .us = 6001);
	struct sock_tcp_info info;
	sock_tcp_info(p->stack, id, &info);
	assert_int_equal(info.unacked, 0);
	/* towards us: the second piece first, then the first */
	SAY(p, .flags = TCP_ACK, .them = base + 501, .us = 6001, .text = pattern + 500, .len = 500);
	const struct peer_segment *s = peer_expect(p, TCP_ACK, 6001, base + 1);
	assert_int_equal(s->h.options.sack_count, 1);
	SAY(p, .flags = TCP_ACK, .them = base + 1, .us = 6001, .text = pattern, .len = 500);
	peer_expect(p, TCP_ACK, 6001, base + 1001);
	uint8_t got[1000];
	assert_int_equal(sock_read(p->stack, id, got, sizeof got), 1000);
	assert_memory_equal(got, pattern, 1000);
	sock_shutdown(p->stack, id);
	peer_flush(p);
	peer_expect(p, TCP_ACK | TCP_FIN, 6001, base + 1001);
	SAY(p, .flags = TCP_ACK | TCP_FIN, .them = base + 1001, .us = 6002);
	peer_expect(p, TCP_ACK, 6002, base + 1002);
	assert_string_equal(peer_state(p, id), "TIME-WAIT");
	peer_close(p);
}

/* RFC 7323 5.3 R2 stands before R3: a segment outside of the window leaves TS.Recent alone. */
static void test_timestamp_of_unacceptable(void **state)
{
	(void)state;
	struct stack_config c;
	peer_config(&c);
	c.transport.timestamps = true;
	struct wire_peer *p = peer_open(&c, false);
	struct tcp_options o = { .has = TCP_HAS_TIMESTAMPS, .tsval = 5000 };
	sock_id id = peer_accepted(p, &o);
	o.tsval = 5000 + 0x7ffffff0u;
	SAY(p, .flags = TCP_ACK, .them = 1u - 100000, .us = 1, .options = o); /* old sequence */
	peer_forget(p);
	o.tsval = 5001;
	SAY(p, .flags = TCP_ACK, .them = 1, .us = 1, .text = "new", .len = 3, .options = o);
	assert_int_equal(sock_readable(p->stack, id), 3);
	assert_int_equal(peer_expect(p, TCP_ACK, 1, 4)->h.options.tsecr, 5001);
	peer_close(p);
}

/* RFC 9293 figure 7: SYNs cross, then SYN-ACKs. */
static void test_crossing_syn_acks(void **state)
{
	(void)state;
	struct wire_peer *p = peer_open(NULL, false);
	sock_id id = begin(p, (struct sock_options){ 0 });
	SAY(p, .flags = TCP_SYN, .options = { .has = TCP_HAS_WSCALE, .wscale = 7 });
	peer_expect(p, TCP_SYN | TCP_ACK, 0, 1);
	SAY(p, .flags = TCP_SYN | TCP_ACK, .them = 0, .us = 1,
		.options = { .has = TCP_HAS_WSCALE, .wscale = 7 });
	peer_expect_nothing(p); /* both have what they need */
	assert_string_equal(peer_state(p, id), "ESTABLISHED");
	struct sock_tcp_info info;
	sock_tcp_info(p->stack, id, &info);
	assert_int_equal(info.snd_wnd, 60000); /* a SYN's window is never scaled */
	peer_close(p);
}

/* What can't be accepted in SYN-RECEIVED is answered, and does not end the handshake early. */
static void test_syn_received_and_garbage(void **state)
{
	(void)state;
	struct wire_peer *p = peer_open(NULL, false);
	sock_id id = begin(p, (struct sock_options){ 0 });
	SAY(p, .flags = TCP_SYN);
	peer_expect(p, TCP_SYN | TCP_ACK, 0, 1);
	SAY(p, .flags = TCP_ACK, .them = 1u - 1000, .us = 1);
	peer_expect(p, TCP_ACK, 1, 1);
	peer_wait(p, 5 * NANO_S);
	assert_string_equal(peer_state(p, id), "SYN-RECEIVED");
	peer_forget(p);
	SAY(p, .flags = TCP_ACK, .them = 1, .us = 1);
	assert_string_equal(peer_state(p, id), "ESTABLISHED");
	peer_close(p);
}

/* RFC 9293 3.10.4: CLOSE in SYN-SENT by half: the FIN follows the handshake. */
static void test_shutdown_before_handshake(void **state)
{
	(void)state;
	for (int crossing = 0; crossing < 2; crossing++) {
		struct wire_peer *p = peer_open(NULL, false);
		sock_id id = begin(p, (struct sock_options){ 0 });
		assert_int_equal(sock_shutdown(p->stack, id), 0);
		if (crossing) {
			SAY(p, .flags = TCP_SYN);
			peer_expect(p, TCP_SYN | TCP_ACK, 0, 1);
			SAY(p, .flags = TCP_ACK, .them = 1, .us = 1);
		} else {
			SAY(p, .flags = TCP_SYN | TCP_ACK, .us = 1);
		}
		peer_expect(p, TCP_ACK | TCP_FIN, 1, 1);
		assert_string_equal(peer_state(p, id), "FIN-WAIT-1");
		SAY(p, .flags = TCP_ACK, .them = 1, .us = 2);
		assert_string_equal(peer_state(p, id), "FIN-WAIT-2");
		peer_close(p);
	}
}

/* The handle goes while the SYNs cross: the connection closes by itself. */
static void test_close_in_syn_received(void **state)
{
	(void)state;
	struct wire_peer *p = peer_open(NULL, false);
	sock_id id = begin(p, (struct sock_options){ 0 });
	SAY(p, .flags = TCP_SYN);
	peer_expect(p, TCP_SYN | TCP_ACK, 0, 1);
	sock_close(p->stack, id);
	SAY(p, .flags = TCP_ACK, .them = 1, .us = 1);
	peer_expect(p, TCP_ACK | TCP_FIN, 1, 1);
	SAY(p, .flags = TCP_ACK | TCP_FIN, .them = 1, .us = 2);
	peer_expect(p, TCP_ACK, 2, 2);
	assert_int_equal(sock_unfinished(p->stack), 0);
	peer_close(p);
}

/* MUST-24: keepalive asked for before the connection exists. */
static void test_keepalive_from_connect(void **state)
{
	(void)state;
	struct wire_peer *p = peer_open(NULL, false);
	begin(p, (struct sock_options){ .keepalive = true });
	SAY(p, .flags = TCP_SYN | TCP_ACK, .us = 1);
	peer_expect(p, TCP_ACK, 1, 1);
	peer_wait(p, 7201 * NANO_S);
	peer_expect(p, TCP_ACK, 0, 1);
	peer_close(p);
}

/* RFC 9293 3.5.1: the peer of a half-open connection begins anew. */
static void test_other_syn_at_half_open(void **state)
{
	(void)state;
	struct wire_peer *p = peer_open(NULL, false);
	listen_on(p, (struct sock_options){ 0 });
	SAY(p, .flags = TCP_SYN, .them = 0);
	peer_expect(p, TCP_SYN | TCP_ACK, 0, 1);
	SAY(p, .flags = TCP_SYN, .them = 7000000); /* it has forgotten the first */
	peer_expect(p, TCP_SYN | TCP_ACK, 0, 1);
	SAY(p, .flags = TCP_RST, .them = 1); /* as it answers what it did not ask for */
	SAY(p, .flags = TCP_SYN, .them = 7000000);
	peer_expect(p, TCP_SYN | TCP_ACK, 0, 7000001);
	peer_close(p);
}

/* RFC 9293 3.8.6.2.1 (4), MUST-38: a sliver goes when nothing else moves, or both ends wait for
 * ever. */
static void test_sliver_after_timeout(void **state)
{
	(void)state;
	struct stack_config c;
	peer_config(&c);
	c.transport.user_timeout = 30 * NANO_S;
	struct wire_peer *p = peer_open(&c, false);
	sock_id id = peer_accepted(p, NULL);
	peer_write(p, id, pattern, 1000);
	SAY(p, .flags = TCP_ACK, .them = 1, .us = 1001, .window = 300);
	peer_forget(p);
	peer_write(p, id, pattern, 1000);
	peer_expect_nothing(p);
	struct sock_tcp_info info;
	sock_tcp_info(p->stack, id, &info);
	assert_string_equal(info.wait, "receiver's window would take a sliver only");
	peer_wait(p, info.rto);
	const struct peer_segment *s = peer_expect(p, TCP_ACK, 1001, 1);
	assert_int_equal(s->len, 300);
	peer_expect_nothing(p);
	/* and the clock of R2 runs for it */
	for (unsigned i = 0; i < 20; i++) {
		peer_wait(p, 10 * NANO_S);
		peer_forget(p);
	}
	assert_int_equal(sock_error(p->stack, id), ERR_TIMEOUT);
	peer_close(p);
}

/* Nothing was in flight when the next hop died: what is queued goes when it is back. */
static void test_dead_next_hop(void **state)
{
	(void)state;
	struct wire_peer *p = peer_open(NULL, false);
	sock_id id = peer_accepted(p, NULL);
	set_neighbour(p, false);
	peer_write(p, id, pattern, 100);
	peer_expect_nothing(p);
	set_neighbour(p, true);
	peer_wait(p, 10 * NANO_S);
	assert_int_equal(peer_expect(p, TCP_ACK, 1, 1)->len, 100);
	peer_close(p);
}

/* ... and a FIN that never went out does not keep an orphan for ever. */
static void test_dead_next_hop_orphan(void **state)
{
	(void)state;
	struct wire_peer *p = peer_open(NULL, false);
	sock_id id = peer_accepted(p, NULL);
	set_neighbour(p, false);
	sock_close(p->stack, id);
	peer_flush(p);
	assert_int_equal(sock_unfinished(p->stack), 1);
	for (unsigned i = 0; i < 200; i++) {
		peer_wait(p, 20 * NANO_S);
		peer_forget(p);
	}
	assert_int_equal(sock_unfinished(p->stack), 0);
	peer_close(p);
}

/* An ACK that finds no way is lost like any other: nothing waits for it, and the next one goes. */
static void test_dead_next_hop_ack(void **state)
{
	(void)state;
	struct wire_peer *p = peer_open(NULL, false);
	static uint8_t bytes[2048];
	const struct sock_options o = { .receive_buffer = sizeof bytes };
	sock_id listener = listen_on(p, o);
	SAY(p, .flags = TCP_SYN);
	SAY(p, .flags = TCP_ACK, .them = 1, .us = 1);
	sock_id id;
	id = peer_take(p, listener);
	SAY(p, .flags = TCP_ACK, .them = 1, .us = 1, .text = pattern, .len = 1024);
	SAY(p, .flags = TCP_ACK, .them = 1025, .us = 1, .text = pattern, .len = 1024);
	peer_forget(p);
	set_neighbour(p, false);
	SAY(p, .flags = TCP_ACK, .them = 2049, .us = 1, .text = "x", .len = 1); /* a probe */
	peer_expect_nothing(p);
	set_neighbour(p, true);
	assert_int_equal(sock_read(p->stack, id, bytes, sizeof bytes), sizeof bytes);
	peer_flush(p);
	assert_int_equal(peer_expect(p, TCP_ACK, 1, 2049)->h.window, sizeof bytes);
	/* The same without a flight, and a FIN that comes again. */
	peer_wait(p, 10 * NANO_S);
	assert_null(conn_of(p)->flight);
	set_neighbour(p, false);
	SAY(p, .flags = TCP_ACK | TCP_FIN, .them = 2049, .us = 1);
	peer_expect_nothing(p);
	assert_false(conn_of(p)->flags & CONN_ACK_NOW);
	set_neighbour(p, true);
	SAY(p, .flags = TCP_ACK | TCP_FIN, .them = 2049, .us = 1);
	peer_expect(p, TCP_ACK, 1, 2050);
	peer_close(p);
}

static void test_dead_next_hop_time_wait(void **state)
{
	(void)state;
	struct wire_peer *p = peer_open(NULL, false);
	sock_id id = peer_accepted(p, NULL);
	sock_shutdown(p->stack, id);
	peer_flush(p);
	SAY(p, .flags = TCP_ACK, .them = 1, .us = 2);
	set_neighbour(p, false);
	SAY(p, .flags = TCP_ACK | TCP_FIN, .them = 1, .us = 2);
	assert_string_equal(peer_state(p, id), "TIME-WAIT");
	sock_close(p->stack, id);
	peer_wait(p, 120 * NANO_S);
	assert_int_equal(sock_unfinished(p->stack), 0);
	peer_close(p);
}

/* A probe of our closed window is answered, each time. */
static void test_probes_of_closed_window(void **state)
{
	(void)state;
	struct wire_peer *p = peer_open(NULL, false);
	listen_on(p, (struct sock_options){ .receive_buffer = 2048 });
	SAY(p, .flags = TCP_SYN);
	SAY(p, .flags = TCP_ACK, .them = 1, .us = 1);
	SAY(p, .flags = TCP_ACK, .them = 1, .us = 1, .text = pattern, .len = 1024);
	SAY(p, .flags = TCP_ACK, .them = 1025, .us = 1, .text = pattern, .len = 1024);
	peer_forget(p);
	for (unsigned i = 0; i < 3; i++) {
		peer_wait(p, 100 * NANO_MS);
		SAY(p, .flags = TCP_ACK, .them = 2049, .us = 1, .text = "x", .len = 1);
		assert_int_equal(peer_expect(p, TCP_ACK, 1, 2049)->h.window, 0);
	}
	peer_close(p);
}

/* A peer whose window is closed and that falls silent is given up (MUST-20), keepalive or not. */
static void test_silent_closed_window(void **state)
{
	(void)state;
	for (int keepalive = 0; keepalive < 2; keepalive++) {
		struct wire_peer *p = peer_open(NULL, false);
		sock_id id = peer_accepted(p, NULL);
		assert_int_equal(sock_set_keepalive(p->stack, id, keepalive), 0);
		SAY(p, .flags = TCP_ACK, .them = 1, .us = 1, .closed = true);
		peer_write(p, id, pattern, 1000);
		assert_int_equal(sock_close(p->stack, id), 0);
		peer_wait(p, 600 * NANO_S);
		assert_true(p->count > p->taken);
		assert_int_equal(sock_unfinished(p->stack), 1);
		peer_wait(p, 1300 * NANO_S);
		assert_int_equal(sock_unfinished(p->stack), 0);
		peer_close(p);
	}
}

/* A listener's receive buffer holds for what comes before accept as well. */
static void test_buffer_before_accept(void **state)
{
	(void)state;
	struct wire_peer *p = peer_open(NULL, false);
	sock_id listener = listen_on(p, (struct sock_options){ .receive_buffer = 4096 }), id;
	SAY(p, .flags = TCP_SYN);
	SAY(p, .flags = TCP_ACK, .them = 1, .us = 1);
	for (uint32_t at = 0; at < 20000; at += 1000)
		SAY(p, .flags = TCP_ACK, .them = 1 + at, .us = 1, .text = pattern, .len = 1000);
	id = peer_take(p, listener);
	assert_int_equal(sock_readable(p->stack, id), 4096);
	peer_close(p);
}

/* The ACK that completes a handshake obeys the window that was offered. */
static void test_text_of_handshake_ack(void **state)
{
	(void)state;
	struct wire_peer *p = peer_open(NULL, false);
	sock_id listener = listen_on(p, (struct sock_options){ .receive_buffer = 2048 }), id;
	SAY(p, .flags = TCP_SYN);
	peer_expect(p, TCP_SYN | TCP_ACK, 0, 1);
	SAY(p, .flags = TCP_ACK, .them = 1 + 2048, .us = 1, .text = pattern, .len = 1000);
	SAY(p, .flags = TCP_ACK, .them = 1 + 1500, .us = 1, .text = pattern, .len = 1000);
	SAY(p, .flags = TCP_ACK, .them = 1, .us = 1, .text = pattern, .len = 1400);
	SAY(p, .flags = TCP_ACK, .them = 1401, .us = 1, .text = pattern, .len = 1400);
	id = peer_take(p, listener);
	assert_int_equal(sock_readable(p->stack, id), 2048);
	peer_close(p);
}

/* RFC 2018 8: what was held beyond a hole makes room for the hole. */
static void test_hole_when_memory_is_full(void **state)
{
	(void)state;
	struct stack_config c;
	peer_config(&c);
	c.transport.blocks = 16;
	c.transport.big_blocks = 0;
	c.transport.receive_buffer = 60000;
	struct wire_peer *p = peer_open(&c, false);
	sock_id id = peer_accepted(p, NULL);
	/* text far ahead first, so that the hole's own blocks are not held */
	for (uint32_t at = 8192; at < 50000; at += 1024)
		SAY(p, .flags = TCP_ACK, .them = 1 + at, .us = 1, .text = pattern, .len = 1024);
	uint8_t got[1024];
	uint32_t at = 0;
	for (; at < 50000; at += 1024) {
		SAY(p, .flags = TCP_ACK, .them = 1 + at, .us = 1, .text = pattern, .len = 1024);
		p->taken = p->count = 0;
		while (sock_read(p->stack, id, got, sizeof got) > 0)
			assert_memory_equal(got, pattern, sizeof got);
		struct tcp_conn *c2 = conn_of(p);
		assert_true(seq_ge(c2->rcv_nxt, PEER_ISS + 1 + at + 1024));
	}
	peer_close(p);
}

/* A segment of full size is one less the SACK blocks it carries: no small one, for Nagle or GSO. */
static void test_full_segments_beside_sacks(void **state)
{
	(void)state;
	struct wire_peer *p = peer_open(NULL, false);
	struct tcp_options ok = { .has = TCP_HAS_SACK_PERMITTED };
	sock_id id = peer_accepted(p, &ok);
	SAY(p, .flags = TCP_ACK, .them = 101, .us = 1, .text = pattern, .len = 10);
	peer_forget(p);
	peer_write(p, id, pattern, 988);
	assert_int_equal(peer_expect(p, TCP_ACK, 1, 1)->len, 988);
	struct tcp_conn *c = conn_of(p);
	assert_false(seq_gt(c->flight->snd_small, c->snd_una));
	peer_write(p, id, pattern, 10); /* Minshall: no small segment is in flight */
	assert_int_equal(peer_expect(p, TCP_ACK, 989, 1)->len, 10);
	peer_close(p);
}

/* A full link holds TCP back; nothing is thrown away. */
static void test_full_link(void **state)
{
	(void)state;
	struct wire_peer *p = peer_open(NULL, false);
	sock_id id = peer_accepted(p, NULL);
	p->nif->blocked = true;
	peer_write(p, id, pattern, 3000);
	sock_shutdown(p->stack, id);
	peer_flush(p);
	peer_expect_nothing(p);
	assert_int_equal(stack_counters(p->stack)->tx_drop[DROP_LINK_BUSY], 0);
	struct sock_tcp_info info;
	sock_tcp_info(p->stack, id, &info);
	assert_int_equal(info.unacked, 0);
	assert_true(stack_has_work(p->stack));
	p->nif->blocked = false;
	peer_flush(p);
	for (uint32_t i = 0; i < 3; i++)
		peer_expect(p, i == 2 ? TCP_ACK | TCP_FIN : TCP_ACK, 1 + 1000 * i, 1);
	peer_close(p);
}

/* ... and neither are resets, SYN-ACKs and what TIME-WAIT answers. */
static void test_full_link_and_replies(void **state)
{
	(void)state;
	struct stack_config c;
	peer_config(&c);
	c.transport.resets = 2;
	struct wire_peer *p = peer_open(&c, false);
	sock_id one = peer_accepted(p, NULL);
	p->nif->blocked = true;
	p->peer_port = 1;
	SAY(p, .flags = TCP_SYN, .options = { .has = TCP_HAS_MSS, .mss = 1000 });
	p->port = 81; /* nobody listens here */
	for (unsigned i = 0; i < 3; i++)
		SAY(p, .flags = TCP_SYN, .them = 100 * i);
	const uint64_t *drop = stack_counters(p->stack)->tx_drop;
	assert_int_equal(drop[DROP_INTENT_FULL], 1); /* the queue has an end */
	sock_abort(p->stack, one);
	peer_wait(p, 500 * NANO_MS);
	peer_expect_nothing(p);
	assert_int_equal(sock_unfinished(p->stack), 1); /* its reset has found no place yet */
	p->nif->blocked = false;
	peer_flush(p);
	const struct peer_segment *s;
	unsigned resets = 0, aborts = 0, answers = 0;
	while ((s = peer_next(p))) {
		resets += s->why == WHY_RESET_NO_CONNECTION;
		aborts += s->why == WHY_RESET_DATA_LOST;
		answers += s->why == WHY_SYN_ACK;
	}
	assert_int_equal(resets, 2);
	assert_int_equal(aborts, 1);
	assert_int_equal(answers, 1);
	assert_int_equal(sock_unfinished(p->stack), 0);
	assert_int_equal(drop[DROP_LINK_BUSY], 0);
	/* The SYN-ACK's time runs from when it went out. */
	peer_wait(p, 999 * NANO_MS);
	peer_expect_nothing(p);
	peer_wait(p, NANO_MS);
	assert_int_equal(peer_next(p)->why, WHY_SYN_RETRANSMIT);
	assert_false(stack_has_work(p->stack));
	peer_close(p);
}

/* RFC 6582's `recover` and Minshall's mark go stale after 2^31 bytes; they must not count then. */
static void test_stale_marks(void **state)
{
	(void)state;
	struct wire_peer *p = peer_open(NULL, false);
	sock_id id = peer_accepted(p, NULL);
	peer_write(p, id, pattern, 8000);
	struct tcp_conn *c = conn_of(p);
	c->flight->recover = c->snd_una - 0x80000100;
	c->flight->snd_small = c->snd_una - 0x80000100;
	peer_forget(p);
	for (unsigned i = 0; i < 3; i++)
		SAY(p, .flags = TCP_ACK, .them = 1, .us = 1);
	assert_int_equal(peer_expect(p, TCP_ACK, 1, 1)->why, WHY_FAST_RETRANSMIT);
	SAY(p, .flags = TCP_ACK, .them = 1, .us = 8001);
	peer_write(p, id, pattern, 1000);
	c->flight->snd_small = c->snd_una - 0x80000100;
	peer_write(p, id, pattern, 10);
	peer_expect(p, TCP_ACK, 8001, 1);
	assert_int_equal(peer_expect(p, TCP_ACK, 9001, 1)->len, 10);
	peer_close(p);
}

int main(void)
{
	for (unsigned i = 0; i < sizeof pattern; i++)
		pattern[i] = (uint8_t)(i * 31);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sequence_wrap),
		cmocka_unit_test(test_timestamp_of_unacceptable),
		cmocka_unit_test(test_crossing_syn_acks),
		cmocka_unit_test(test_syn_received_and_garbage),
		cmocka_unit_test(test_shutdown_before_handshake),
		cmocka_unit_test(test_close_in_syn_received),
		cmocka_unit_test(test_keepalive_from_connect),
		cmocka_unit_test(test_other_syn_at_half_open),
		cmocka_unit_test(test_sliver_after_timeout),
		cmocka_unit_test(test_dead_next_hop),
		cmocka_unit_test(test_dead_next_hop_orphan),
		cmocka_unit_test(test_dead_next_hop_ack),
		cmocka_unit_test(test_dead_next_hop_time_wait),
		cmocka_unit_test(test_probes_of_closed_window),
		cmocka_unit_test(test_silent_closed_window),
		cmocka_unit_test(test_buffer_before_accept),
		cmocka_unit_test(test_text_of_handshake_ack),
		cmocka_unit_test(test_hole_when_memory_is_full),
		cmocka_unit_test(test_full_segments_beside_sacks),
		cmocka_unit_test(test_full_link),
		cmocka_unit_test(test_full_link_and_replies),
		cmocka_unit_test(test_stale_marks),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
