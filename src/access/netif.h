/*
 * A network interface: a MAC address, an MTU, the addresses that are ours on
 * it, the groups it listens to, and the link beneath. A link is a vtable with
 * several real implementations (TAP, the simulated link, the in-memory link).
 */
#ifndef STRATA_ACCESS_NETIF_H
#define STRATA_ACCESS_NETIF_H

#include "base/addr.h"
#include "packet/core.h"
#include "wire/pcapng.h"

#define NETIF_NAME_MAX  16
#define NETIF_ADDRESSES 8
#define NETIF_GROUPS    16

enum link_feature {
	LINK_CHECKSUM = 1, /* takes CHECKSUM_PARTIAL frames */
	LINK_GSO = 2,      /* takes super-frames */
	LINK_BARE = 4,     /* point to point: carries IP packets without a link header */
};

/* What stands in front of the packet. */
enum netif_framing {
	FRAMING_ETHERNET,
	FRAMING_VLAN,
	FRAMING_BARE, /* nothing: LINK_BARE */
};

struct link_ops {
	const char *name;
	/*
	 * Sends one frame. What it points at is valid during the call only. False:
	 * the frame is lost (counted as LINK_BUSY). A link that becomes full after
	 * taking a frame sets nif->blocked; it clears it when there is room again.
	 */
	bool (*transmit)(void *link, struct netif *nif, const struct tx_frame *frame, nanotime now);
};

struct netif_config {
	const char *name;
	struct mac mac;    /* of no interest with LINK_BARE */
	uint16_t mtu;      /* largest IP packet: 576 .. 65535 */
	uint16_t vlan;     /* 0: untagged; else the VLAN id that all its frames carry */
	uint32_t features; /* enum link_feature */
	uint32_t gso_max;  /* LINK_GSO: largest super-frame payload in bytes, 0: 65535 - headers */
	const struct link_ops *ops;
	void *link;
};

struct netif_address {
	struct addr address;
	uint8_t prefix;
	struct addr broadcast; /* IPv4: the subnet's directed broadcast; else :: */
	nanotime defended;     /* when we last answered a conflict (RFC 5227 2.4) */
};

struct netif {
	char name[NETIF_NAME_MAX];
	uint8_t index;
	uint8_t framing; /* enum netif_framing */
	bool up, blocked;
	struct mac mac;
	uint16_t mtu, vlan;
	uint32_t features, gso_max;
	const struct link_ops *ops;
	void *link;
	uint8_t addresses, groups;
	struct netif_address address[NETIF_ADDRESSES];
	struct addr group[NETIF_GROUPS]; /* IP groups joined: all-nodes, solicited-node ... */
	struct mac group_mac[NETIF_GROUPS];
	uint64_t rx_frames, rx_bytes, tx_frames, tx_bytes;
	uint64_t conflicts; /* frames in which another host claimed an address of ours */
};

/* What a capture of its frames says they are. */
static inline uint16_t netif_link_type(const struct netif *n)
{
	return n->framing == FRAMING_BARE ? LINK_TYPE_RAW : LINK_TYPE_ETHERNET;
}

/* Is this one of the interface's own unicast addresses? */
static inline bool netif_has(const struct netif *nif, const struct addr *a)
{
	for (unsigned i = 0; i < nif->addresses; i++)
		if (addr_equal(&nif->address[i].address, a))
			return true;
	return false;
}

#endif
