/*
 * IPv4 (RFC 791): 20 bytes and up to 40 of options. Options are checked for
 * form, then ignored (RFC 7126); source routes are refused. The checksum is
 * checked by the parser, because no field of a broken header may be believed.
 */
#ifndef STRATA_WIRE_IP4_H
#define STRATA_WIRE_IP4_H

#include "base/addr.h"
#include "base/checksum.h"
#include "base/drop.h"
#include "wire/field.h"

#define IP4_HEADER 20
#define IPPROTO_ICMP4 1
#define IP4_OPT_LOOSE_ROUTE 131
#define IP4_OPT_STRICT_ROUTE 137
#define IPPROTO_IGMP_ 2
#define IPPROTO_TCP_ 6
#define IPPROTO_UDP_ 17
#define IPPROTO_ICMP6 58

/* The ECN field: the low bits of IPv4's tos and IPv6's traffic class (RFC 3168 5). */
enum ip_ecn {
	IP_NOT_ECT,
	IP_ECT1,
	IP_ECT0,
	IP_CE,
	IP_ECN_MASK = 3,
};

struct ip4_header {
	uint8_t header_len; /* bytes: 20 .. 60 */
	uint8_t tos;        /* DSCP and ECN */
	uint16_t total_len;
	uint16_t id;
	bool dont_fragment, more_fragments, reserved;
	uint16_t fragment_offset; /* bytes */
	uint8_t ttl, protocol;
	uint16_t checksum; /* as received; emit computes its own */
	struct addr source, destination;
	struct span options; /* borrowed; empty for 20-byte headers */
};

/*
 * `packet` holds at least the header; `present` is how many bytes of the packet
 * there are in all (its body may lie elsewhere). Checks version, lengths,
 * checksum and the form of options. Where there is a source route, and so DROP_IP4_SOURCE_ROUTE,
 * the header is set as well, for who takes such packets; options behind it were not checked.
 */
enum drop ip4_parse(struct span packet, size_t present, struct ip4_header *h);
/*
 * Writes header and options (padded with zeroes to a word) and the checksum. Returns the length or
 * 0.
 */
size_t ip4_emit(const struct ip4_header *h, uint8_t *out, size_t cap);
/*
 * The pseudo-header's sum (RFC 9293 3.1, RFC 8200 8.1), to add to the sum of the transport bytes;
 * memory order. The mapped form's constant part sums to 0xffff, which is zero modulo 0xffff: so all
 * 16 bytes are summed for both families.
 */
static inline uint64_t pseudo_sum(const struct addr *source, const struct addr *destination,
				  uint8_t protocol, uint32_t len)
{
	uint64_t sum = checksum_add2(source->w[0], source->w[1], destination->w[0]);
	sum = checksum_add2(sum, destination->w[1],
			    __builtin_bswap32(len) + ((uint64_t)protocol << 8));
	return (sum & 0xffffffff) + (sum >> 32);
}
const char *ip_protocol_name(uint64_t protocol); /* "TCP" or NULL */

/* Walks options: fills *o and returns true for each; malformed ones were refused by ip4_parse. */
struct ip4_option {
	uint8_t kind;
	struct span data; /* after kind and length */
	size_t at;        /* offset in the options */
};
bool ip4_option_next(struct span options, size_t *offset, struct ip4_option *o);

extern const struct header_info ip4_info;

#endif
