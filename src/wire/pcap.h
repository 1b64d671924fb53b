/*
 * Capture files, read: pcapng and classic pcap, in either byte order. The
 * caller holds the file; the reader is handed the bytes at the current offset,
 * says how many it needs to see at once (never more than 16 MiB) and how many
 * it has used up, so that a file of any size streams through one buffer.
 *
 *	for (;;) {
 *		switch (capture_next(&r, bytes, &used, &packet)) {
 *		case CAPTURE_PACKET: look at packet; then drop `used` bytes
 *		case CAPTURE_PASSED: drop `used` bytes
 *		case CAPTURE_MORE:   read on until r.need bytes are there; at the end of
 *		                     the file call capture_end
 *		case CAPTURE_FAULT:  capture_fault_text(r.fault), r.offset
 */
#ifndef STRATA_WIRE_PCAP_H
#define STRATA_WIRE_PCAP_H

#include "wire/pcapng.h"

#define CAPTURE_NEED_MAX       (16u << 20)
#define CAPTURE_INTERFACES_MAX 128
#define CAPTURE_COMMENTS_MAX   8

/*       name            text */
#define CAPTURE_FAULTS(X) \
	X(NONE, "no fault") \
	X(MAGIC, "neither a pcap nor a pcapng file") \
	X(VERSION, "file format version that nobody here understands") \
	X(BLOCK_LENGTH, "block length is impossible") \
	X(BLOCK_TRAILER, "block's two lengths disagree") \
	X(BLOCK_HUGE, "block or packet larger than 16 MiB") \
	X(BLOCK_SHORT, "block is too short for its type") \
	X(OPTION, "option runs past its block") \
	X(INTERFACE, "packet on an interface that was not described") \
	X(INTERFACES, "more than 128 interfaces in a section") \
	X(PACKET_LENGTH, "packet's length does not fit its block") \
	X(CUT_SHORT, "file ends within a block")

enum capture_fault {
#define CAPTURE_FAULT_ENUM(name, text) CAPTURE_FAULT_##name,
	CAPTURE_FAULTS(CAPTURE_FAULT_ENUM)
#undef CAPTURE_FAULT_ENUM
		CAPTURE_FAULT_COUNT
};
const char *capture_fault_text(enum capture_fault fault);

enum capture_event {
	CAPTURE_MORE,   /* r->need bytes must be there; nothing used */
	CAPTURE_PASSED, /* a header or a block without a packet */
	CAPTURE_PACKET,
	CAPTURE_FAULT, /* r->fault at r->offset; nothing more can be read */
};

enum capture_format { CAPTURE_UNKNOWN, CAPTURE_PCAP, CAPTURE_PCAPNG };

struct capture_interface {
	uint32_t link_type;
	uint32_t snaplen;   /* 0: no limit */
	uint8_t resolution; /* if_tsresol: power of 10, or of 2 with the high bit */
	int64_t offset;     /* if_tsoffset: seconds */
	uint8_t name_len;
	char name[32]; /* cut where longer; no NUL */
};

struct capture_packet {
	uint64_t number; /* from 1 in the file */
	uint64_t offset; /* of the packet's block or record in the file */
	uint32_t interface;
	uint32_t link_type;
	bool has_time;
	nanotime time; /* since 1970 */
	uint32_t original_len;
	struct span bytes; /* captured; borrowed */
	enum pcapng_direction direction;
	struct span comment[CAPTURE_COMMENTS_MAX]; /* the first ones; borrowed */
	unsigned comments;
	bool has_drops;
	uint64_t drops;
};

struct capture_reader {
	enum capture_format format;
	enum capture_fault fault;
	bool swapped, nanoseconds;
	uint64_t offset; /* in the file, of the next byte */
	uint64_t packets;
	size_t need;
	uint32_t interfaces; /* of the current section */
	struct capture_interface interface[CAPTURE_INTERFACES_MAX];
};

void capture_begin(struct capture_reader *r);
enum capture_event capture_next(
	struct capture_reader *r, struct span in, size_t *used, struct capture_packet *p);
/* At the end of the file with `left` bytes unused: was it cut short? Sets r->fault. */
bool capture_end(struct capture_reader *r, size_t left);

#endif
