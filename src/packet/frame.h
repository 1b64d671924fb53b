/*
 * The two frames. Transmit owns: a tx_frame has one owner, a header area that
 * fills from its end towards its start (each layer pushes its header in front),
 * and spans that point at ring memory. Receive borrows: an rx_frame points at
 * the driver's bytes until the call returns.
 *
 * No tx_frame that points at ring bytes outlives the transmit call: a driver
 * that can't take it whole copies it.
 */
#ifndef STRATA_PACKET_FRAME_H
#define STRATA_PACKET_FRAME_H

#include "base/span.h"
#include "packet/why.h"

#define FRAME_AREA 192  /* VLAN Ethernet 22, IPv6 40, TCP 60, and room for small bodies */
#define FRAME_SPANS 36  /* two ring blocks a piece at worst; 18 for each half of 64 KB */

enum checksum_state {
	CHECKSUM_UNKNOWN, /* to be verified */
	CHECKSUM_VALID,   /* tx: complete. rx: somebody verified the transport checksum */
	/* the field holds the pseudo-header's sum only; the bytes never left this machine */
	CHECKSUM_PARTIAL,
};

struct tx_frame {
	uint16_t head;       /* offset in `area` of the first header byte */
	uint16_t spans;
	uint32_t body_len;   /* bytes in `body` */
	uint8_t checksum;    /* enum checksum_state */
	uint8_t why;         /* enum tx_why */
	uint16_t checksum_start;  /* PARTIAL: offset in `area` of the transport header ... */
	uint16_t checksum_offset; /* ... and of the field within it */
	uint16_t seg_size;   /* super-frame: payload bytes of each segment, else 0 */
	uint16_t seg_count;  /* segments this frame stands for: 1 for a plain one */
	uint8_t area[FRAME_AREA];
	struct span body[FRAME_SPANS];
};

/* An empty frame: headers are pushed in front of the area's end. Clears nothing else. */
static inline void frame_begin(struct tx_frame *f, enum tx_why why)
{
	f->head = FRAME_AREA;
	f->spans = 0;
	f->body_len = 0;
	f->checksum = CHECKSUM_VALID;
	f->why = (uint8_t)why;
	f->seg_size = 0;
	f->seg_count = 1;
}

/* Room for `n` header bytes in front of what is there. */
static inline uint8_t *frame_push(struct tx_frame *f, size_t n)
{
	assert(n <= f->head);
	f->head = (uint16_t)(f->head - n);
	return f->area + f->head;
}

static inline struct span frame_head(const struct tx_frame *f)
{
	return span_of(f->area + f->head, (size_t)(FRAME_AREA - f->head));
}

static inline size_t frame_len(const struct tx_frame *f)
{
	return (size_t)(FRAME_AREA - f->head) + f->body_len;
}

/* Adds a body span; the caller keeps below FRAME_SPANS. */
static inline void frame_body(struct tx_frame *f, struct span s)
{
	assert(f->spans < FRAME_SPANS);
	f->body[f->spans++] = s;
	f->body_len += (uint32_t)s.len;
}

/* Copies the whole frame (headers, then bodies) to `out`, at most `cap`; returns its length. */
size_t frame_copy(const struct tx_frame *f, uint8_t *out, size_t cap);

/*
 * A received frame: `head` holds the whole header chain (a driver copies up to
 * 256 bytes where its memory splits earlier), bodies follow. All borrowed.
 */
struct rx_frame {
	struct span head;
	const struct span *body;
	uint16_t bodies;
	uint16_t seg_size, seg_count; /* super-frame; 0 and 1 for a plain one */
	uint8_t checksum;             /* enum checksum_state of the transport checksum */
	uint32_t len;                 /* head and bodies */
};

static inline struct rx_frame rx_frame_of(const void *at, size_t len)
{
	return (struct rx_frame){ .head = span_of(at, len), .seg_count = 1, .len = (uint32_t)len };
}

#endif
