/*
 * SYN cookies (RFC 4987 3.6): a half-open connection that is kept in the SYN-ACK's
 * own numbers instead of in memory. The initial sequence number holds which of eight
 * segment sizes the peer may get, the parity of the minute-long period it was made
 * in, and 28 bits of a keyed hash over the tuple, the peer's number, the period and
 * the size. Where the peer sends timestamps, the low six bits of ours say whether it
 * offered SACK and ECN and which window scale; else these are lost, as everywhere.
 *
 * Pure: numbers in, numbers out. A guess is right once in 2^28, and a cookie that was
 * right is so for at most two periods.
 */
#ifndef STRATA_TRANSPORT_TCP_COOKIE_H
#define STRATA_TRANSPORT_TCP_COOKIE_H

#include "base/hash.h"
#include "base/nanotime.h"
#include "transport/tcp/conn.h"

#define COOKIE_PERIOD    (64 * NANO_S)
#define COOKIE_NO_WSCALE 15

/* What survives of a SYN. */
struct cookie_terms {
	uint16_t mss;    /* 0: the SYN had none */
	uint8_t wscale;  /* 0 .. 14, or COOKIE_NO_WSCALE */
	bool timestamps; /* without them what follows, and wscale, do not survive */
	bool sack;
	bool ecn;        /* RFC 3168 */
};

/* The key of cookies, from the stack's secret. */
struct hash_key cookie_key(const struct hash_key *secret);
/* The sequence number for a SYN-ACK; `salt` hides the bits that are not hashed. */
uint32_t cookie_make(const struct hash_key *key, const struct tcp_tuple *tuple, uint32_t irs,
		     uint32_t salt, uint16_t mss, nanotime now);
/* Is `cookie` one that we made for this tuple and number, not too long ago? Sets *mss. */
bool cookie_open(const struct hash_key *key, const struct tcp_tuple *tuple, uint32_t irs,
		 uint32_t salt, uint32_t cookie, nanotime now, uint16_t *mss);
/* A timestamp (ms, no offset) of now or up to 64 ms before that tells of the terms. */
uint32_t cookie_stamp(uint32_t now_ms, const struct cookie_terms *terms);
/* What such a timestamp, echoed, tells. */
void cookie_unstamp(uint32_t stamp, struct cookie_terms *terms);

#endif
