/*
 * Ports: where a link ends at a machine or box. A machine sends a parcel out of
 * its port, and the link at the other end hands it to that port's owner through
 * `receive`, the one vtable of the simulator (its implementations: a node's
 * interface, a switch, a middlebox). A parcel is a frame on its way: a copy of
 * the frame's bytes, with one owner, from a pool.
 */
#ifndef STRATA_SIM_PORT_H
#define STRATA_SIM_PORT_H

#include "base/addr.h"
#include "sim/world.h"

#define PORT_NAME_MAX 32

struct link_way;
struct box;

struct parcel {
	struct list link;     /* a queue's, or the pool's */
	struct event event;   /* its arrival */
	struct link_way *way; /* that it travels on */
	uint32_t len, cap;
	uint32_t wire; /* bytes it takes on the wire, see link.h */
	uint16_t seg_size, seg_count;
	uint8_t checksum; /* enum checksum_state */
	uint8_t why;      /* enum tx_why of the sender */
	uint32_t hold;    /* reordering: later frames that still have to pass */
	struct box *box;  /* that lets it wait, and the direction, see box.h */
	uint8_t box_way;
	struct port *at; /* where it waits for its machine, see trouble.h */
	uint8_t *bytes;
};

struct port {
	char name[PORT_NAME_MAX]; /* "client/eth0" */
	struct world *world;
	struct link_way *out;                                   /* NULL: no cable */
	void (*receive)(struct port *p, struct parcel *parcel); /* takes the parcel over */
	void (*room)(struct port *p); /* a blocking queue has room again; may be NULL */
	void *owner;                  /* the box chain's; else NULL */
	bool bare;                    /* IP packets without a link header (LINK_BARE) */
};

/* A parcel with room for `len` bytes, its fields those of a plain frame. */
struct parcel *parcel_take(struct world *w, size_t len);
struct parcel *parcel_copy(struct world *w, const struct parcel *p);
void parcel_give(struct world *w, struct parcel *p);
static inline struct span parcel_span(const struct parcel *p)
{
	return span_of(p->bytes, p->len);
}

/* Sends a parcel out of a port; without a cable it is lost. */
void port_send(struct port *p, struct parcel *parcel);
/* Will the link take another frame from this port now? */
bool port_blocked(const struct port *p);

#endif
