/*
 * A TCP segment within a frame, as a middlebox sees and edits it. Nothing of the
 * stack's codecs is used: a box of the field has its own idea of the format, and
 * a mistake that both shared would go unseen.
 *
 * Only frames that are whole, plain (not super-frames) and whose checksums are
 * right can be edited: a box must not make a corrupted segment valid by summing
 * it anew. All others it lets pass.
 */
#ifndef STRATA_SIM_TCP_FRAME_H
#define STRATA_SIM_TCP_FRAME_H

#include "sim/port.h"

#define TF_FIN 0x01
#define TF_SYN 0x02
#define TF_RST 0x04
#define TF_PSH 0x08
#define TF_ACK 0x10
#define TF_URG 0x20
#define TF_ECE 0x40
#define TF_CWR 0x80

struct tcp_frame {
	struct parcel *parcel;
	bool v6;
	uint32_t ip, tcp, data; /* offsets in the frame */
	uint32_t len;           /* of the data */
	uint32_t seq, ack;
	uint16_t source, destination, window;
	uint8_t flags;
};

/* False: no TCP segment that could be edited. */
bool tcp_frame_read(struct tcp_frame *f, struct parcel *p);
/* The segment's length in sequence space. */
static inline uint32_t tcp_frame_span(const struct tcp_frame *f)
{
	return f->len + !!(f->flags & TF_SYN) + !!(f->flags & TF_FIN);
}
/* One key for both directions of a connection; `way` tells them apart. */
uint64_t tcp_frame_flow(const struct tcp_frame *f, unsigned way);
/* The option of a kind: its offset in the frame, and its length with kind and length. 0: none. */
uint32_t tcp_frame_option(const struct tcp_frame *f, unsigned kind, uint32_t *len);
/* Writes seq, ack, window and flags back, then all lengths and checksums. */
void tcp_frame_write(struct tcp_frame *f);
/* The data becomes these `len` bytes at offset `from` of what it was. */
void tcp_frame_cut(struct tcp_frame *f, uint32_t from, uint32_t len);
/* Appends data. False: the parcel has no room. */
bool tcp_frame_append(struct tcp_frame *f, const uint8_t *bytes, uint32_t len);
/* Removes header bytes of an option; `by_nops`: writes NOPs instead. Follow with
 * tcp_frame_write. */
void tcp_frame_remove_option(struct tcp_frame *f, uint32_t at, uint32_t len, bool by_nops);
/* A copy with no data and no options, for who forges; addresses and ports turned round where
 * `back`. */
struct parcel *tcp_frame_bare(
	struct world *w, const struct tcp_frame *f, bool back, struct tcp_frame *out);

/* Gives a bare segment a timestamps option. */
void tcp_frame_stamp(struct tcp_frame *f, uint32_t value, uint32_t echo);

/* What a box remembers about connections: a few numbers for each direction. The oldest is forgotten
 * when there are too many. */
#define FLOW_MEMOS 64
struct flow_memo {
	uint64_t key;
	bool used;
	bool known[2];
	uint32_t n[2]; /* by direction */
};
struct flow_memos {
	unsigned next;
	struct flow_memo memo[FLOW_MEMOS];
};
/* NULL where it is not known and `make` is false. */
struct flow_memo *flow_memo(struct flow_memos *m, uint64_t key, bool make);

#endif
