/*
 * Neighbour discovery (RFC 4861): solicitation, advertisement, router
 * solicitation and advertisement, redirect, and their options. Bytes begin at
 * the ICMPv6 header. Option walks are bounded; an option of length 0 refuses
 * the message (RFC 4861 6.1, 7.1).
 */
#ifndef STRATA_WIRE_ND_H
#define STRATA_WIRE_ND_H

#include "wire/icmp.h"

struct nd_message {
	uint8_t type;               /* enum icmp6_type, 133..137 */
	bool router, solicited, override; /* NA */
	struct addr target;         /* NS, NA, redirect */
	struct addr destination;    /* redirect */
	bool has_source_mac, has_target_mac;
	struct mac source_mac, target_mac;
	/* router advertisement */
	uint8_t hop_limit;
	bool managed, other;
	uint16_t lifetime;          /* s */
	uint32_t reachable_ms, retrans_ms;
	bool has_mtu;
	uint32_t mtu;
	uint8_t prefixes;           /* at most 8 are kept */
	struct nd_prefix {
		struct addr prefix;
		uint8_t len;
		bool on_link, autonomous;
		uint32_t valid_s, preferred_s;
	} prefix[8];
};

/* `bytes` is the whole ICMPv6 message (type .. options), checksum already checked. */
enum drop nd_parse(struct span bytes, struct nd_message *m);
/* Writes NS, NA, RS or RA with the options that are set, checksum field zero. */
size_t nd_emit(const struct nd_message *m, uint8_t *out, size_t cap);
/* Solicited-node multicast address (RFC 4291 2.7.1), and a group's MAC (RFC 2464, 1112). */
struct addr nd_solicited_node(const struct addr *target);
struct mac multicast_mac(const struct addr *group);

extern const struct header_info nd_solicit_info, nd_advert_info;

#endif
