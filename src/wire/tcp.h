/*
 * The TCP header (RFC 9293 3.1) and its options. The parser reads the fixed
 * part and all options that the stack acts on into host-order values; an option
 * of an illegal length ends the walk and is counted, never believed (MUST-7).
 * Unknown options are skipped by their length (MUST-6, MUST-68).
 */
#ifndef STRATA_WIRE_TCP_H
#define STRATA_WIRE_TCP_H

#include "wire/ip6.h"

#define TCP_HEADER 20
#define TCP_HEADER_MAX 60
#define TCP_SACK_BLOCKS 4

enum tcp_flag {
	TCP_FIN = 0x01,
	TCP_SYN = 0x02,
	TCP_RST = 0x04,
	TCP_PSH = 0x08,
	TCP_ACK = 0x10,
	TCP_URG = 0x20,
	TCP_ECE = 0x40,
	TCP_CWR = 0x80,
	TCP_AE = 0x100,
};

enum tcp_option_kind {
	TCP_OPT_END = 0,
	TCP_OPT_NOP = 1,
	TCP_OPT_MSS = 2,
	TCP_OPT_WSCALE = 3,
	TCP_OPT_SACK_PERMITTED = 4,
	TCP_OPT_SACK = 5,
	TCP_OPT_TIMESTAMPS = 8,
	TCP_OPT_MD5 = 19,
	TCP_OPT_USER_TIMEOUT = 28,
	TCP_OPT_AO = 29,
	TCP_OPT_MPTCP = 30,
	TCP_OPT_FAST_OPEN = 34,
	TCP_OPT_ACCECN0 = 172,
	TCP_OPT_ACCECN1 = 174,
	TCP_OPT_EXPERIMENT1 = 253,
	TCP_OPT_EXPERIMENT2 = 254,
};

/* Bits of tcp_options.has */
enum tcp_has {
	TCP_HAS_MSS = 1 << 0,
	TCP_HAS_WSCALE = 1 << 1,
	TCP_HAS_SACK_PERMITTED = 1 << 2,
	TCP_HAS_SACK = 1 << 3,
	TCP_HAS_TIMESTAMPS = 1 << 4,
	TCP_HAS_FAST_OPEN = 1 << 5, /* cookie may be empty: a request */
	TCP_HAS_MD5 = 1 << 6,
	TCP_HAS_AO = 1 << 7,
	TCP_HAS_USER_TIMEOUT = 1 << 8,
	TCP_HAS_ACCECN = 1 << 9,
	TCP_HAS_MPTCP = 1 << 10,
	TCP_HAS_UNKNOWN = 1 << 11,
	TCP_HAS_MALFORMED = 1 << 12, /* an illegal length ended the walk */
};

struct tcp_sack_block {
	uint32_t start, end;
};

struct tcp_options {
	uint16_t has;
	uint16_t mss;
	uint8_t wscale; /* as received: may exceed 14 */
	uint8_t sack_count;
	uint32_t tsval, tsecr;
	struct tcp_sack_block sack[TCP_SACK_BLOCKS];
	uint8_t fast_open_len; /* 0 (request), 4..16 */
	bool fast_open_experimental; /* came as kind 254 with magic 0xf989 (RFC 7413 appendix) */
	uint8_t fast_open[16];
	uint16_t user_timeout; /* as on the wire: granularity bit and 15 bits */
	uint8_t accecn_order;  /* 0 or 1; RFC 9768 3.2.3 */
	uint8_t accecn_count;
	uint32_t accecn[3];    /* 24-bit counters in the order of the option */
};

struct tcp_header {
	uint16_t source_port, destination_port;
	uint32_t seq, ack;
	uint8_t header_len; /* bytes: 20 .. 60 */
	uint16_t flags;     /* enum tcp_flag; reserved bits are ignored (RFC 9293 3.1) */
	uint16_t window;    /* unscaled */
	uint16_t checksum;
	uint16_t urgent;
	struct tcp_options options;
};

/*
 * Parses the header at the start of `bytes`; `present` is the length of the whole segment.
 * Of h->options only `has`, and the members that it names, are set.
 */
enum drop tcp_parse(struct span bytes, size_t present, struct tcp_header *h);
/*
 * Writes header and options (MSS, SACK-permitted, timestamps, window scale, Fast Open, SACK, ...:
 * the order Linux uses), padded to a word with NOP in front or END behind; checksum as in h.
 * Returns the header's length, or 0 where `cap` or 60 bytes are too small.
 */
size_t tcp_emit(const struct tcp_header *h, uint8_t *out, size_t cap);

/* Walks raw options for the explainer: kind, the whole option, its offset. */
struct tcp_option {
	uint8_t kind;
	struct span bytes; /* with kind and length */
	bool malformed;    /* last one: the walk ends */
};
bool tcp_option_next(struct span options, size_t *offset, struct tcp_option *o);
const char *tcp_option_name(uint8_t kind); /* "Maximum segment size"; never NULL */
/* "SYN, ACK"; returns the length, NUL-closed */
size_t tcp_flags_format(uint16_t flags, char *out, size_t cap);

extern const struct header_info tcp_info;

#endif
