/*
 * A learning Ethernet switch (IEEE 802.1D 7): learns from source addresses
 * behind which port a station is, sends a frame there, and floods what it does
 * not know, and groups. It has no address of its own and changes no byte; being
 * store and forward, it costs the serialization time of a second link. The table
 * is bounded; a new station replaces the one that was silent longest.
 */
#ifndef STRATA_SIM_SWITCH_H
#define STRATA_SIM_SWITCH_H

#include "sim/port.h"

#define SWITCH_PORTS    64
#define SWITCH_STATIONS 256
#define SWITCH_AGEING   (300 * NANO_S) /* IEEE 802.1D 7.9.2 */

struct switch_station {
	struct mac mac;
	uint8_t port;
	nanotime seen;
};

struct switch_port {
	struct port port;
	struct eth_switch *owner;
	uint8_t index;
};

struct eth_switch {
	struct list in_world;
	char name[PORT_NAME_MAX];
	struct world *world;
	unsigned ports, stations;
	struct switch_port port[SWITCH_PORTS];
	struct switch_station station[SWITCH_STATIONS];
	uint64_t forwarded, flooded, filtered, runts;
};

struct eth_switch *switch_new(struct world *w, const char *name);
/* One more port. */
struct port *switch_port(struct eth_switch *s);
/* Behind which port is a station? -1: not known. */
int switch_find(const struct eth_switch *s, const struct mac *mac);

#endif
