/*
 * Between a script's packets and datagrams. A flow knows the two ends as they
 * are on the wire, and how the script's numbers become theirs: a SYN's sequence
 * number stands as the script has it, all others count from the SYN; our own
 * initial number is whatever the stack chose, and timestamps are translated by
 * what the script called them when they left.
 */
#ifndef STRATA_DRILL_WIRE_H
#define STRATA_DRILL_WIRE_H

#include "drill/drill_script.h"

#define DRILL_STAMPS      64
#define DRILL_SEEN_LEFT   16 /* options of a segment that are looked at */
#define DRILL_DATAGRAM    65535
#define DRILL_LOCAL_PORT  8080 /* what bind(3, ..., ...) binds */
#define DRILL_REMOTE_PORT 8080 /* what connect(3, ..., ...) reaches */

struct drill_flow {
	uint16_t local_port, remote_port;
	uint32_t local_isn;  /* on the wire; 0 until a SYN left */
	uint32_t script_isn; /* what the script calls it */
	uint32_t remote_isn; /* the same in both */
	/* Timestamps: newest last, the oldest is forgotten */
	unsigned stamps, next_stamp;
	struct {
		uint32_t script, live;
	} stamp[DRILL_STAMPS];
	bool stamped;
	uint32_t first_script, first_live;
	uint8_t last_protocol; /* of what left: what an ICMP error quotes */
};

struct drill_ends {
	struct addr local, remote;
};

/* A datagram that left, taken apart; numbers as on the wire. */
struct drill_seen {
	nanotime time;
	bool broken; /* no checksum, no length or no header that holds */
	const char *why_broken;
	struct addr source, destination;
	uint8_t protocol; /* IP's number */
	uint8_t tos, hop_limit;
	uint32_t flow_label;
	uint16_t from_port, to_port;
	uint16_t flags;
	uint32_t seq, ack, len; /* len: of the data */
	uint16_t window, urgent;
	unsigned options;
	struct drill_option option[DRILL_SEEN_LEFT];
	uint8_t icmp_type, icmp_code;
	uint32_t icmp_rest;
};

/* Writes the datagram for a packet of the script. Returns its length; 0: it does not fit. */
size_t drill_build(const struct drill_packet *p, const struct drill_flow *f,
	const struct drill_ends *ends, bool scaled_ecr, int64_t tick_us, uint8_t *out, size_t cap);
/* Takes a datagram apart. */
void drill_take_apart(struct span datagram, nanotime time, struct drill_seen *out);

/* A packet and a segment in the script's language and numbers. */
void drill_describe_packet(const struct drill_packet *p, char *out, size_t cap);
void drill_describe_seen(
	const struct drill_seen *s, const struct drill_flow *f, char *out, size_t cap);

struct drill_match {
	bool lenient;      /* PSH, the order of options and padding do not matter */
	bool segments;     /* every segment is cut as the script says */
	int64_t tick_us;   /* of timestamps; 0: their values are not looked at */
	int64_t tolerance; /* of time, in ns */
};
/*
 * Is what was seen what was expected? `at` and `len`: the part of the script's data that is still
 * to come; `last`: does it end with this segment? False: `why` says the first difference.
 */
bool drill_compare(const struct drill_packet *p, const struct drill_seen *s,
	const struct drill_flow *f, const struct drill_match *m, bool last, char *why, size_t cap);
/* Remembers what the script calls the numbers of a segment that matched. */
void drill_learn(struct drill_flow *f, const struct drill_packet *p, const struct drill_seen *s);

/* Sequence numbers: wire to script */
static inline uint32_t drill_seq_of(const struct drill_flow *f, uint32_t seq, bool syn)
{
	return seq - f->local_isn + (syn ? f->script_isn : 0);
}

static inline uint32_t drill_ack_of(const struct drill_flow *f, uint32_t ack, bool syn)
{
	return syn ? ack : ack - f->remote_isn;
}

#endif
