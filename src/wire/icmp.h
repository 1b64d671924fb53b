/*
 * ICMPv4 (RFC 792) and ICMPv6 (RFC 4443): echo and errors. One struct serves
 * both; what a message means is told by `type` within its family. The parser
 * checks the checksum (for ICMPv6 with the pseudo-header).
 */
#ifndef STRATA_WIRE_ICMP_H
#define STRATA_WIRE_ICMP_H

#include "wire/ip6.h"

#define ICMP_HEADER 8
enum icmp4_type {
	ICMP4_ECHO_REPLY = 0,
	ICMP4_UNREACHABLE = 3,
	ICMP4_SOURCE_QUENCH = 4,
	ICMP4_REDIRECT = 5,
	ICMP4_ECHO = 8,
	ICMP4_TIME_EXCEEDED = 11,
	ICMP4_PARAMETER = 12,
	ICMP4_TIMESTAMP = 13,
};
enum icmp6_type {
	ICMP6_UNREACHABLE = 1,
	ICMP6_TOO_BIG = 2,
	ICMP6_TIME_EXCEEDED = 3,
	ICMP6_PARAMETER = 4,
	ICMP6_ECHO = 128,
	ICMP6_ECHO_REPLY = 129,
	ICMP6_MLD_QUERY = 130,
	ICMP6_ROUTER_SOLICIT = 133,
	ICMP6_ROUTER_ADVERT = 134,
	ICMP6_NEIGHBOUR_SOLICIT = 135,
	ICMP6_NEIGHBOUR_ADVERT = 136,
	ICMP6_REDIRECT = 137,
	ICMP6_MLD2_REPORT = 143,
};

struct icmp_header {
	uint8_t type, code;
	uint16_t checksum;
	uint32_t rest; /* bytes 4..7: id and sequence, MTU, pointer ... */
};

static inline uint16_t icmp_id(const struct icmp_header *h)
{
	return (uint16_t)(h->rest >> 16);
}

static inline uint16_t icmp_sequence(const struct icmp_header *h)
{
	return (uint16_t)h->rest;
}

/* Parses the first 8 bytes; no checksum is checked (the body may lie elsewhere). */
enum drop icmp_parse(struct span bytes, struct icmp_header *h);
/* Writes 8 bytes with h->checksum as given. */
size_t icmp_emit(const struct icmp_header *h, uint8_t *out, size_t cap);
const char *icmp4_name(uint8_t type, uint8_t code); /* "echo request"; never NULL */
const char *icmp6_name(uint8_t type, uint8_t code);

extern const struct header_info icmp4_info, icmp6_info;

#endif
