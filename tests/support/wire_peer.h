/*
 * A peer written by hand: one real stack on a link that goes nowhere. The test
 * sends it TCP segments, byte for byte as it likes, and sees what it answers and
 * when. Time is virtual and moves only when the test says so.
 *
 * Sequence numbers on the test's side are relative: `us` counts from the stack's
 * initial sequence number, `them` from the test's own.
 *
 * In a program that counts steps (it names peer_work_was_counted or work_steps), each
 * call of the stack is held to its bound of work (I27).
 */
#ifndef STRATA_TESTS_WIRE_PEER_H
#define STRATA_TESTS_WIRE_PEER_H

#include "socket/socket.h"
#include "wire/eth.h"
#include "wire/tcp.h"

#define PEER_SEGMENTS 256
#define PEER_ISS      1000000u
#define PEER_PORT     40000
/* What a SYN may offer. */
#define PEER_MSS \
	{ \
		.has = TCP_HAS_MSS, .mss = 1000 \
	}
#define PEER_MSS_SACK \
	{ \
		.has = TCP_HAS_MSS | TCP_HAS_SACK_PERMITTED, .mss = 1000 \
	}

struct peer_segment {
	struct tcp_header h;
	nanotime time;
	uint32_t len; /* of text */
	uint8_t text[2048];
	uint8_t why;
	uint8_t tos, hop_limit;
	struct addr source, destination; /* as the IP header says */
	uint8_t ip_options[40];
	uint8_t ip_options_len;
};

struct wire_peer {
	struct stack *stack;
	struct netif *nif;
	void *memory;
	nanotime now;
	struct addr local, remote;
	uint16_t port; /* the stack's */
	uint16_t peer_port;
	uint32_t iss; /* the stack's, once it was seen */
	bool v6;
	unsigned count, taken;
	struct peer_segment sent[PEER_SEGMENTS];
};

/* What a segment from the test says; `them`, `us` are relative. */
struct peer_say {
	uint16_t flags;
	uint32_t them;   /* sequence number: 0 is the SYN */
	uint32_t us;     /* acknowledgment: 1 acknowledges the stack's SYN */
	uint16_t window; /* 0: 60000 */
	bool closed;     /* the window is 0 */
	const void *text;
	uint32_t len;
	struct tcp_options options;
	const uint8_t *raw; /* NULL, or option bytes as they stand instead; a multiple of four */
	uint32_t raw_len;
	uint8_t reserved; /* the three reserved bits: 0x0e */
	uint8_t offset;   /* 0, or what the data offset says (words) plus one */
	bool bad_checksum;
	const uint8_t *ip_options; /* IPv4, a multiple of four */
	uint32_t ip_options_len;
	uint16_t urgent;
	uint8_t tos;
};

/* Sends a segment whose members are named: SAY(p, .flags = TCP_ACK, .them = 1, .us = 1) */
#define SAY(p, ...) peer_send(p, &(struct peer_say){ __VA_ARGS__ })

void peer_config(struct stack_config *c); /* what peer_open takes for NULL; plain: no timestamps */
struct wire_peer *peer_open(const struct stack_config *c, bool v6);
/* With this use of ECN (enum tcp_ecn_use). */
struct wire_peer *peer_open_ecn(unsigned use, bool v6);
void peer_close(struct wire_peer *p);
/* A teardown of a group of tests, which fails where steps are not counted. */
int peer_work_was_counted(void **state);
/* Lets the stack receive this, then transmit. */
void peer_send(struct wire_peer *p, const struct peer_say *say);
/* The same without a transmit, for bursts. */
void peer_receive(struct wire_peer *p, const struct peer_say *say);
/* An ICMP error (of the peer's family) that quotes the stack's segment at `us`; `rest` is the
 * second word: the MTU, where there is one. */
void peer_icmp(struct wire_peer *p, uint8_t type, uint8_t code, uint32_t us, uint32_t rest);
/* Lets the stack send what it has to send. */
void peer_flush(struct wire_peer *p);
/* Moves time on, firing timers and transmitting at each deadline on the way. */
void peer_wait(struct wire_peer *p, nanodiff how_long);
/* The next segment that the stack sent; NULL: none. */
const struct peer_segment *peer_next(struct wire_peer *p);
/* The next segment must be there and have these flags (without PSH), seq and ack (relative). */
const struct peer_segment *peer_expect(
	struct wire_peer *p, uint16_t flags, uint32_t us, uint32_t them);
void peer_expect_nothing(struct wire_peer *p);

/* What was sent so far is not asked about any more. */
void peer_forget(struct wire_peer *p);

/* A listener on port 80; the connection that waits there; an attempt from port 5000, whose SYN may
 * go now, or has gone. */
sock_id peer_listen(struct wire_peer *p);
sock_id peer_take(struct wire_peer *p, sock_id listener);
sock_id peer_attempt(struct wire_peer *p);
sock_id peer_connect(struct wire_peer *p);
/* All of it must find room; it is sent as far as the windows let it. */
void peer_write(struct wire_peer *p, sock_id id, const void *bytes, uint32_t len);
struct sock_tcp_info peer_info(struct wire_peer *p, sock_id id);
/* Both handshakes, with MSS 1000 and what else `options` says; the socket that came of it. */
sock_id peer_connected(struct wire_peer *p, const struct tcp_options *options);
sock_id peer_accepted(struct wire_peer *p, const struct tcp_options *options);
/* The second of them with these flags in the test's SYN, the stack's answer, and the test's ACK,
 * which takes its time; with exactly these options. */
sock_id peer_accepted_as(struct wire_peer *p, uint16_t syn, uint16_t syn_ack, uint16_t ack,
	const struct tcp_options *options);
const char *peer_state(struct wire_peer *p, sock_id id);

#endif
