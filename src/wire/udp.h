/* UDP (RFC 768): ports, a length and a checksum. Eight bytes, nothing promised. */
#ifndef STRATA_WIRE_UDP_H
#define STRATA_WIRE_UDP_H

#include "wire/ip6.h"

#define UDP_HEADER 8

struct udp_header {
	uint16_t source_port, destination_port;
	uint16_t length; /* header and data */
	uint16_t checksum;
};

/* `present`: bytes of the IP payload. Refuses a length below 8 or above it (UDP-01). */
enum drop udp_parse(struct span bytes, size_t present, struct udp_header *h);
size_t udp_emit(const struct udp_header *h, uint8_t *out, size_t cap);

extern const struct header_info udp_info;

#endif
