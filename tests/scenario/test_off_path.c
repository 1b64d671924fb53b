/*
 * I28: who is not on the path. An attacker who sees nothing that others get sends
 * a million packets in the name of a connection's peer, whose addresses and ports
 * he knows: resets, SYNs, FINs, text, pure ACKs and ICMP errors of every kind, with
 * numbers that he guesses. None may change anything: chances are 2^-32 for a reset
 * or a FIN, and for text those of hitting the window with a number that
 * acknowledges what was sent; all of it together is far from one in a million.
 *
 * Nor does he learn anything: beside the guesses he sends packets in his own name,
 * and what comes back to him, byte for byte and at what time, is the same whether his
 * guesses name the connection or a port where there is none.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/hash.h"
#include "support/seed.h"
#include "support/wire_peer.h"
#include "transport/endpoints.h"

#define PACKETS 1000000u
#define EVERY   (100 * NANO_US) /* ten thousand a second */
#define OWN     60000           /* the attacker's own port */

/* What must stay as it is while nobody but the attacker speaks. */
struct standing {
	uint32_t snd_una, snd_nxt, snd_wnd, rcv_nxt, rcv_edge, cwnd, ssthresh;
	uint16_t mss, path_mtu;
	uint8_t state, backoff;
	uint64_t in, out;
};

static const struct tcp_conn *the_conn(struct wire_peer *p)
{
	const struct transport *t = stack_transport(p->stack);
	assert_int_equal(t->conn_pool.used, 1);
	return pool_at(&t->conn_pool, 0);
}

static struct standing standing_of(struct wire_peer *p, sock_id id)
{
	const struct tcp_conn *c = the_conn(p);
	struct sock_tcp_info i = peer_info(p, id);
	struct standing s;
	memset(&s, 0, sizeof s); /* the gaps are compared as well */
	s.snd_una = c->snd_una;
	s.snd_nxt = c->snd_nxt;
	s.snd_wnd = c->snd_wnd;
	s.rcv_nxt = c->rcv_nxt;
	s.rcv_edge = c->rcv_edge;
	s.cwnd = i.cwnd;
	s.ssthresh = i.ssthresh;
	s.mss = c->mss;
	s.path_mtu = (uint16_t)i.path_mtu;
	s.state = c->state;
	s.backoff = c->backoff;
	s.in = i.bytes_received;
	s.out = i.bytes_acked;
	return s;
}

/* ---- the attacker ---- */

/* Those that the stack sent to the attacker's own port, in a hash of what he sees and when. */
struct view {
	uint64_t hash, answers;
};

static void look(struct wire_peer *p, struct view *v)
{
	static const struct hash_key key = { { 28, 28 } };
	const struct peer_segment *s;
	while ((s = peer_next(p))) {
		if (s->h.destination_port != OWN)
			continue;
		const uint64_t seen[] = { v->hash, (uint64_t)s->time, s->h.seq, s->h.ack,
			(uint64_t)s->h.flags << 16 | s->h.window, s->len, s->hop_limit, s->tos };
		v->hash = hash_words(&key, seen, sizeof seen / sizeof *seen);
		v->answers++;
	}
	peer_forget(p);
}

/* One guess, from the peer's address and `port`. */
static void guess(struct wire_peer *p, struct rng *r)
{
	static const uint16_t flags[] = { TCP_RST, TCP_RST | TCP_ACK, TCP_SYN, TCP_SYN | TCP_ACK,
		TCP_FIN | TCP_ACK, TCP_ACK, TCP_ACK | TCP_PSH, TCP_ACK | TCP_URG };
	static const uint8_t icmp[][2] = { { 3, 0 }, { 3, 1 }, { 3, 2 }, { 3, 3 }, { 3, 4 },
		{ 3, 13 }, { 4, 0 }, { 11, 0 }, { 12, 0 } };
	uint64_t a = rng_next(r), b = rng_next(r);
	if (b % 8 == 0) {
		const uint8_t *what = icmp[b / 8 % (sizeof icmp / sizeof *icmp)];
		peer_icmp(p, what[0], what[1], (uint32_t)a, 576);
		return;
	}
	uint16_t f = flags[b / 8 % (sizeof flags / sizeof *flags)];
	uint32_t len = f & (TCP_PSH | TCP_URG) ? (uint32_t)(b >> 16) % 64 + 1 : 0;
	peer_send(p,
		&(struct peer_say){ .flags = f,
			.them = (uint32_t)a,
			.us = (uint32_t)(a >> 32),
			.text = "0123456789012345678901234567890123456789012345678901234567890123",
			.len = len,
			.urgent = (uint16_t)(b >> 40) });
}

/* A packet of his own, of a connection that there is not: he may count the answers. */
static void ask(struct wire_peer *p, uint32_t n)
{
	static const uint16_t flags[] = { TCP_SYN, TCP_ACK, TCP_FIN | TCP_ACK, TCP_RST };
	const uint16_t port = p->port, peer_port = p->peer_port;
	const uint32_t iss = p->iss;
	p->port = 4321; /* closed */
	p->peer_port = OWN;
	peer_send(p, &(struct peer_say){ .flags = flags[n % 4], .them = n, .us = n });
	p->port = port;
	p->peer_port = peer_port;
	p->iss = iss;
}

static struct view attack(bool named)
{
	struct wire_peer *p = peer_open(NULL, false);
	struct rng r;
	const uint64_t seed[] = { test_seed(), 28 };
	struct view v = { .hash = 0 };
	sock_id id = peer_accepted(p, NULL);
	const uint16_t port = p->peer_port;
	const uint32_t iss = p->iss;
	uint32_t at = 1;
	rng_seed(&r, span_of(seed, sizeof seed));
	peer_forget(p);
	for (uint32_t n = 0; n < PACKETS; n++) {
		struct standing before, after;
		if (n % 1000 == 0) { /* the connection lives: text comes, and is answered */
			uint8_t byte;
			SAY(p, .flags = TCP_ACK, .them = at, .us = at, .text = "x", .len = 1);
			assert_int_equal(sock_read(p->stack, id, &byte, 1), 1);
			assert_int_equal(byte, 'x');
			peer_write(p, id, "y", 1);
			at++;
			SAY(p, .flags = TCP_ACK, .them = at, .us = at);
			look(p, &v);
			before = standing_of(p, id);
		}
		if (n % 997 == 0)
			ask(p, n / 997);
		p->peer_port = named ? port : (uint16_t)(port + 1);
		guess(p, &r);
		p->peer_port = port;
		p->iss = iss; /* a SYN that was answered is not ours */
		look(p, &v);
		peer_wait(p, EVERY);
		if (n % 1000 < 999)
			continue;
		after = standing_of(p, id);
		assert_memory_equal(&before, &after, sizeof before);
		assert_int_equal(sock_trouble(p->stack, id), ERR_OK);
		assert_int_equal(sock_readable(p->stack, id), 0);
	}
	assert_string_equal(peer_state(p, id), "ESTABLISHED");
	peer_close(p);
	return v;
}

static void test_a_million_guesses(void **state)
{
	(void)state;
	struct view named = attack(true), elsewhere = attack(false);
	assert_true(named.answers > PACKETS / 2000);
	assert_int_equal(named.answers, elsewhere.answers);
	assert_true(named.hash == elsewhere.hash);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_million_guesses),
	};
	return test_seed_report(cmocka_run_group_tests(tests, NULL, NULL));
}
