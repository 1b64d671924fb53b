/*
 * Ethernet: the frame of layer 1. Three forms arrive: Ethernet II (RFC 894, the
 * type field is >= 0x0600), 802.3 with LLC and SNAP (RFC 1042, the field is a
 * length), either with up to two VLAN tags (802.1Q, 802.1ad). We send Ethernet
 * II, tagged where the interface has a VLAN.
 */
#ifndef STRATA_WIRE_ETH_H
#define STRATA_WIRE_ETH_H

#include "base/addr.h"
#include "base/drop.h"
#include "wire/field.h"

#define ETH_HEADER 14
#define ETH_MIN_FRAME 60 /* without FCS */
#define ETHERTYPE_IP4 0x0800
#define ETHERTYPE_ARP 0x0806
#define ETHERTYPE_VLAN 0x8100
#define ETHERTYPE_QINQ 0x88a8
#define ETHERTYPE_IP6 0x86dd

struct eth_header {
	struct mac destination, source;
	uint16_t type;          /* the EtherType of what follows; 0 for LLC without SNAP */
	uint16_t tag[2];        /* VLAN TCI, outermost first */
	uint8_t tags;           /* how many */
	bool outer_is_qinq;     /* the first tag had 0x88a8 */
	bool llc;               /* came as 802.3 length + LLC */
	uint16_t length;        /* llc: the length field */
	uint8_t dsap, ssap, control; /* llc */
	uint8_t header_len;     /* all of it: 14 .. 30 */
};

/* Parses the head of a frame. `*payload` gets what follows (for 802.3: cut to its length). */
enum drop eth_parse(struct span frame, struct eth_header *h, struct span *payload);
/*
 * Writes the header; returns its length, 0 where `cap` is too small. Ethernet II, or 802.3 where
 * h->llc.
 */
size_t eth_emit(const struct eth_header *h, uint8_t *out, size_t cap);
/* CRC-32 of a frame, as the FCS is sent (least significant byte first). IEEE 802.3 3.2.9 */
uint32_t eth_fcs(struct span frame);

extern const struct header_info eth_info, vlan_info, llc_info;

#endif
