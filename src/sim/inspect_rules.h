/*
 * What the inspector of TCP remembers, and its rules. Private to inspect_*.c.
 */
#ifndef STRATA_SIM_INSPECT_RULES_H
#define STRATA_SIM_INSPECT_RULES_H

#include "sim/inspect_tcp.h"
#include "transport/endpoints.h"

#define INSPECT_CONNS     128
#define INSPECT_WAITING   128
#define INSPECT_STRANGERS 64
#define INSPECT_MARK      64 /* bytes that may be read and must not change */

/* A connection when it was looked at last. */
struct shadow {
	bool known;
	struct tcp_tuple tuple;
	uint8_t state, backoff;
	bool flight;
	uint32_t snd_una, snd_nxt, rcv_nxt, rcv_edge;
	uint32_t peer_edge; /* the furthest right edge that the peer ever offered */
	uint32_t wire_edge; /* the furthest that we did, as the wire says */
	bool wire_edge_known;
	uint32_t receive_buffer;
	uint32_t mss_low, mss_high; /* the smallest and largest segment size of this flight */
	uint32_t sacked, recoveries, recover, rtos, undos, marks;
	uint32_t window, earned; /* cwnd; that with which its flight began, if not a new one */
	uint64_t acked, acked_before; /* in all; and before there was this flight */
	/* of this flight: the most that was ever acknowledged, selectively or not */
	uint64_t delivered;
	/* the same when it was looked at last; and all of it, what was told again included */
	uint64_t delivered_now, delivered_all;
	bool recover_known;
	uint32_t marked; /* SND.NXT when a congestion mark reduced the window last */
	bool marked_known;
	bool owes;          /* data came that is not acknowledged yet ... */
	nanotime owes_from; /* ... since then */
	unsigned challenges;
	nanotime challenge[2];  /* the last challenge ACKs */
	uint32_t deserved;      /* segments came that an ACK may answer, and none did yet */
	uint32_t full_size;     /* of the largest segment that came */
	uint32_t full_end;      /* of the last of that size, where full_came */
	uint32_t full_segments; /* of that size, taken since the last ACK */
	bool full_came;
	uint32_t beyond_hole, sent; /* segments of this flight: that came so, that went */
	uint32_t untold; /* of those that came, none of ours told yet ... */
	nanotime untold_from; /* ... since then */
	uint32_t hole_told; /* segments of ours that told of some, since RCV.NXT moved */
	bool told; /* the last ACK of ours: */
	uint32_t told_ack, told_edge;
	uint32_t mark_from, mark_to; /* bytes that may be read, and their hash */
	uint64_t mark;
};

/* A connection in TIME-WAIT. */
struct waiting {
	bool known;
	bool reopened; /* a new connection of ours takes over */
	struct tcp_tuple tuple;
	nanotime expires;
};

/* Segments from and to who is no connection: ports are ours and theirs. */
struct stranger {
	uint32_t ports;
	bool v6;
	uint32_t resets, others; /* that came, and were not answered yet */
	uint64_t bytes_in, bytes_out;
};

struct inspector {
	struct invariant invariant; /* first: list_entry of its link */
	struct node_sink sink;
	struct node *node;
	uint32_t life;
	nanotime now; /* the node's */
	const char *odd_from, *odd_to;
	struct shadow shadow[INSPECT_CONNS];
	struct waiting waiting[INSPECT_WAITING];
	struct stranger stranger[INSPECT_STRANGERS];
	unsigned strangers;
};

/* The first rule that was broken. */
struct breach {
	const char *rule, *what;
	uint64_t a, b;
	struct tcp_tuple tuple;
	uint8_t state;
};

/* A segment on its way out, as far as the rules ask. */
struct segment {
	bool v6;
	struct addr from, to;
	uint16_t source, destination, window;
	uint32_t seq, ack, len, ip_len;
	uint16_t flags;
	uint8_t ecn; /* the IP header's */
	struct span options;
};

bool segment_read(struct segment *g, struct span frame);
/* May this state follow that one? */
bool inspect_transition(const char *from, const char *to);
/* Against what it was, and by itself. */
void inspect_change(struct inspector *s, const struct transport *t, struct shadow *was,
	const struct tcp_conn *c, struct breach *b);
void inspect_standing(struct inspector *s, const struct transport *t, struct shadow *was,
	const struct tcp_conn *c, struct breach *b);
void inspect_remember(struct shadow *was, const struct tcp_conn *c);
void inspect_segment(struct inspector *s, const struct transport *t, struct shadow *was,
	const struct tcp_conn *c, const struct segment *g, uint8_t why, struct breach *b);
/* inspect_exchange.c: a segment comes to a connection, or to none; one goes out; a run is over. */
void inspect_heard(struct shadow *was, const struct tcp_conn *c, const struct segment *g);
void inspect_heard_stranger(struct inspector *s, const struct segment *g);
void inspect_first_answer(struct inspector *s, struct shadow *was, const struct segment *g);
void inspect_answer(struct shadow *was, const struct tcp_conn *c, const struct segment *g,
	uint8_t why, struct breach *b);
void inspect_answer_stranger(
	struct inspector *s, const struct segment *g, uint8_t why, struct breach *b);
void inspect_second_segment(
	struct inspector *s, struct shadow *was, const struct tcp_conn *c, struct breach *b);
void inspect_hole(struct inspector *s, const struct transport *t, struct shadow *was,
	const struct tcp_conn *c, struct breach *b);
/* inspect_memory.c: `live` tells which places of the pool of connections are taken. */
void inspect_memory(const struct transport *t, const bool *live, struct breach *b);
void inspect_mark(struct shadow *was, const struct tcp_conn *c, struct breach *b);
/* TIME-WAIT and half-open connections. */
void inspect_waiting(struct inspector *s, const struct transport *t, struct breach *b);
void inspect_half_open(const struct transport *t, struct breach *b);

#endif
