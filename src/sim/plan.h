/*
 * Plans: networks written down as tables. A plan names machines, switches,
 * cables, addresses and routes; plan_build makes a world of them, and says in
 * words which row it can't make. The ends of cables are written "client/eth0",
 * an interface, or "segment", the next free port of a switch.
 *
 * Tables end with a row whose first field is NULL.
 */
#ifndef STRATA_SIM_PLAN_H
#define STRATA_SIM_PLAN_H

#include "sim/link.h"
#include "sim/node.h"
#include "sim/switch.h"

struct plan_machine {
	const char *name;
	const char *role; /* what it is for, in a few words */
	bool router;      /* it forwards */
};

struct plan_cable {
	const char *name;
	const char *a, *b;
	struct link_config config; /* the same in both directions */
	bool line; /* a line between two machines, on which nobody has to ask for link addresses */
};

struct plan_address {
	const char *interface; /* "client/eth0" */
	const char *address;   /* "192.0.2.1/24" */
};

struct plan_route {
	const char *interface;
	const char *prefix; /* or "default" */
	const char *gateway;
};

struct plan {
	const struct plan_machine *machine;
	const char *const *segment; /* switches */
	const struct plan_cable *cable;
	const struct plan_address *address;
	const struct plan_route *route;
};

/*
 * Adds all that the plan names to a world, with stacks of node_config_default;
 * but the machine called `special` (or NULL) gets `config`, forwarding as its row
 * says. False, and why, where a row can't be made.
 */
bool plan_build(struct world *w, const struct plan *p, const char *special,
	const struct stack_config *config, char *why, size_t cap);

#endif
