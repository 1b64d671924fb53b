/*
 * Encapsulation by hand: a payload gets a transport, an internet and a link
 * header, as on its way down a stack; and the reverse. Needs no net.
 *
 *	| Ethernet 14 | IPv4 20 or IPv6 40 | TCP 20 or UDP 8 | payload | [FCS 4] |
 */
#ifndef STRATA_WRAP_H
#define STRATA_WRAP_H

#include "strata/net.h"

#ifdef __cplusplus
extern "C" {
#endif

enum strata_layer_kind {
	STRATA_LAYER_ETHERNET = 1,
	STRATA_LAYER_VLAN,
	STRATA_LAYER_LLC,
	STRATA_LAYER_ARP,
	STRATA_LAYER_IP4,
	STRATA_LAYER_IP6,
	STRATA_LAYER_IP6_EXTENSION,
	STRATA_LAYER_ICMP4,
	STRATA_LAYER_ICMP6,
	STRATA_LAYER_UDP,
	STRATA_LAYER_TCP,
	STRATA_LAYER_PAYLOAD,
	STRATA_LAYER_PADDING, /* link padding behind a short packet */
	STRATA_LAYER_FCS,
};

struct strata_layer {
	enum strata_layer_kind kind;
	unsigned floor;        /* 1 network access, 2 internet, 3 transport, 4 application */
	const char *name;      /* "IPv4" */
	size_t offset, length; /* its own bytes in the frame: headers without what they carry */
};

#define STRATA_LAYERS_MAX 24
struct strata_frame_layers {
	unsigned count; /* in the order of the bytes */
	struct strata_layer layer[STRATA_LAYERS_MAX];
	/* Unwrapped values; zero where that layer is not there. */
	uint8_t source_mac[6], destination_mac[6];
	struct strata_address source, destination; /* with the ports of TCP and UDP */
	uint8_t protocol;        /* 6 TCP, 17 UDP, 1 ICMP, 58 ICMPv6 */
	size_t payload, payload_length;
	/*
	 * What is wrong with the frame, e.g. "TCP checksum is wrong", and the clause that says so;
	 * NULL: nothing. The layers before the fault are listed all the same.
	 */
	const char *problem, *clause;
};

struct strata_wrap_options {
	uint8_t source_mac[6], destination_mac[6];
	struct strata_address source, destination; /* one family; with ports */
	bool udp;                /* else TCP */
	bool fcs;                /* append the frame check sequence (IEEE 802.3 3.2.9) */
	uint8_t hop_limit;       /* 0: 64 */
	uint16_t id;             /* IPv4 identification */
	uint32_t sequence, acknowledgment; /* TCP */
	uint16_t window;         /* TCP; 0: 65535 */
	uint16_t flags;          /* TCP, as in the header; 0: PSH and ACK (0x18) */
};

/*
 * Writes the frame that carries `payload`. Returns its length, or -STRATA_E_ARGUMENT,
 * -STRATA_E_FAMILY, -STRATA_E_TOO_BIG (more than 65535 bytes of packet, or than `cap`). `layers`
 * may be NULL. ANY.
 */
STRATA_API ssize_t strata_wrap(const struct strata_wrap_options *options, const void *payload,
			       size_t len, void *frame, size_t cap,
			       struct strata_frame_layers *layers);
/*
 * Takes an Ethernet frame apart, checking lengths and checksums on the way. `fcs`: the last four
 * bytes are the frame check sequence. 0, or -STRATA_E_MALFORMED with out->problem. ANY.
 */
STRATA_API int strata_unwrap(const void *frame, size_t len, bool fcs,
			     struct strata_frame_layers *out);

#ifdef __cplusplus
}
#endif
#endif
