/*
 * pcapng, written (draft-ietf-opsawg-pcapng): a file is a run of blocks, each
 * with type, length, body, options and the length again. These functions write
 * one whole block into the caller's buffer, in this machine's byte order, with
 * timestamps in nanoseconds; a file begins with a section header and one
 * description for each interface, numbered from 0 in the order written.
 * Each returns the block's length, or 0 where it does not fit.
 */
#ifndef STRATA_WIRE_PCAPNG_H
#define STRATA_WIRE_PCAPNG_H

#include "base/addr.h"
#include "base/nanotime.h"

/* Link types (the tcpdump.org registry). */
enum link_type {
	LINK_TYPE_NULL = 0, /* BSD loopback: 4-byte family in the writer's order */
	LINK_TYPE_ETHERNET = 1,
	LINK_TYPE_RAW_BSD = 12, /* raw IP under the numbers that old files have */
	LINK_TYPE_RAW_OPENBSD = 14,
	LINK_TYPE_RAW = 101, /* IPv4 or IPv6 by its version */
	LINK_TYPE_IEEE80211 = 105,
	LINK_TYPE_LOOP = 108, /* OpenBSD loopback: big-endian family */
	LINK_TYPE_LINUX_SLL = 113,
	LINK_TYPE_IPV4 = 228,
	LINK_TYPE_IPV6 = 229,
	LINK_TYPE_LINUX_SLL2 = 276,
};
const char *link_type_name(uint32_t type); /* "Ethernet", or NULL */

/* Numbers of the format that writer and reader share. */
enum pcapng_magic {
	PCAPNG_MAGIC_SECTION = 0x0a0d0d0a, /* the same in both byte orders */
	PCAPNG_MAGIC_ORDER = 0x1a2b3c4d,
};

enum pcapng_block {
	PCAPNG_BLOCK_INTERFACE = 1,
	PCAPNG_BLOCK_OLD_PACKET = 2,
	PCAPNG_BLOCK_SIMPLE_PACKET = 3,
	PCAPNG_BLOCK_NAMES = 4,
	PCAPNG_BLOCK_PACKET = 6,
	PCAPNG_BLOCK_SECRETS = 10,
};

enum pcapng_option {
	PCAPNG_END = 0,
	PCAPNG_COMMENT = 1,
	PCAPNG_SECTION_HARDWARE = 2,
	PCAPNG_SECTION_OS = 3,
	PCAPNG_SECTION_APPLICATION = 4,
	PCAPNG_IF_NAME = 2,
	PCAPNG_IF_DESCRIPTION = 3,
	PCAPNG_IF_MAC = 6,
	PCAPNG_IF_SPEED = 8,
	PCAPNG_IF_RESOLUTION = 9,
	PCAPNG_IF_OFFSET = 14,
	PCAPNG_PACKET_FLAGS = 2,
	PCAPNG_PACKET_DROPS = 4,
};

#define PCAPNG_BLOCK_FRAME 12 /* type, length, and the length again */

struct pcapng_section {
	struct span hardware, os, application; /* text; left out where empty */
};
size_t pcapng_section(const struct pcapng_section *s, uint8_t *out, size_t cap);

struct pcapng_interface {
	uint16_t link_type;
	uint32_t snaplen;              /* 0: no limit */
	struct span name, description; /* text; left out where empty */
	uint64_t speed;                /* bits a second; left out where 0 */
	bool has_mac;
	uint8_t mac[6];
};
size_t pcapng_interface(const struct pcapng_interface *i, uint8_t *out, size_t cap);

enum pcapng_direction { PCAPNG_DIRECTION_UNKNOWN, PCAPNG_INBOUND, PCAPNG_OUTBOUND };

struct pcapng_packet {
	uint32_t interface;       /* index in the section */
	nanotime time;            /* since 1970; before that counts as 1970 */
	const struct span *piece; /* the bytes, in order */
	unsigned pieces;
	uint32_t original_len; /* 0: as long as the pieces */
	enum pcapng_direction direction;
	const struct span *comment; /* opt_comment, one each; UTF-8 */
	unsigned comments;
	bool has_drops;
	uint64_t drops; /* lost between this packet and the one before */
};
/* The bytes that pcapng_packet will write. */
size_t pcapng_packet_size(const struct pcapng_packet *p);
size_t pcapng_packet(const struct pcapng_packet *p, uint8_t *out, size_t cap);

/* One name for an address, so that readers of the file show names. Addresses as in base/addr.h. */
size_t pcapng_name(const struct addr *address, struct span name, uint8_t *out, size_t cap);

/* Decryption secrets, e.g. a TLS key log (0x544c534b), for packets that follow. */
#define PCAPNG_SECRETS_TLS 0x544c534bu
size_t pcapng_secrets(uint32_t type, struct span secrets, uint8_t *out, size_t cap);

#endif
