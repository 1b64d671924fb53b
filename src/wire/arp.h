/*
 * ARP for IPv4 over Ethernet (RFC 826): who has this address? 28 bytes, one
 * form: other hardware or protocol types are refused (attack ARP-01).
 */
#ifndef STRATA_WIRE_ARP_H
#define STRATA_WIRE_ARP_H

#include "wire/eth.h"

#define ARP_LEN 28
enum arp_operation { ARP_REQUEST = 1, ARP_REPLY = 2 };

struct arp_packet {
	uint16_t operation;
	struct mac sender_mac, target_mac;
	struct addr sender, target; /* IPv4 */
};

enum drop arp_parse(struct span bytes, struct arp_packet *p);
size_t arp_emit(const struct arp_packet *p, uint8_t *out, size_t cap);

extern const struct header_info arp_info;

#endif
