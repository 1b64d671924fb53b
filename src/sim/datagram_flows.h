/*
 * I05: UDP beside the connections of a world. A client sends datagrams of all
 * sizes to a server, which answers each; of some flows the server's port is
 * closed. Whatever the network does, what arrives is
 *
 *	whole       the length and every byte of one datagram that was sent; one cut by
 *	            a reader's own small buffer is told as cut
 *	from whom   it says: addresses and ports are those of the flow
 *	refused     at a closed port, and only there: ICMP says so, to the socket that sent
 *
 * It may also not arrive, or twice. All bytes follow from flow, direction,
 * serial number and place, and a keyed hash of its own goes with each datagram,
 * so that a receiver needs no memory of what was sent to see that bytes changed;
 * the memory then says whether this one was. Corruption that keeps the Internet
 * checksum gets through to that hash, and is counted; it breaks the rule where no
 * such fault is at work.
 *
 * After the faults, each flow asks until it gets an answer once more.
 */
#ifndef STRATA_SIM_DATAGRAM_FLOWS_H
#define STRATA_SIM_DATAGRAM_FLOWS_H

#include "sim/node.h"

#define DATAGRAM_FLOWS  4    /* a seed's, at most */
#define DATAGRAM_SERIAL 160  /* each way, at most */
#define DATAGRAM_PORT   9    /* the server's; the next one is closed */
#define DATAGRAM_PIECE  2048 /* what a reader asks for: more than any datagram that fits a link */

struct datagram_way {
	uint16_t count; /* serial numbers used */
	uint16_t len[DATAGRAM_SERIAL];
};

struct datagram_flow {
	bool used, closed,
		connected; /* the server's port is closed; the client's socket has a remote */
	bool opened, done, answered; /* ... after the faults */
	sock_id sock;
	uint16_t port; /* the client's, once it has one */
	struct addr to, own;
	uint32_t planned;
	nanodiff pause;
	nanotime next;
	struct rng rng, server_rng;
	struct datagram_way way[2]; /* to the server, to the client */
};

struct datagram_side {
	struct app app;
	struct datagram_flows *flows;
	struct node *node;
	struct sock_queue queue;
};

struct datagram_plan {
	struct node *client, *server;
	struct addr to4, to6;   /* the server's addresses ... */
	struct addr own4, own6; /* ... and the client's */
	uint32_t flows;         /* bit n: flow n takes part */
	nanotime healed;        /* from then on no fault is at work */
	bool garbled;           /* bytes may be wrong, see catalogue.h */
	bool damaged;           /* bits may be wrong on the way: an error may quote another's */
	bool renumbered;        /* the client's address may be another */
};

struct datagram_flows {
	struct datagram_plan plan;
	struct datagram_side client, server;
	sock_id server_sock;
	struct datagram_flow flow[DATAGRAM_FLOWS];
	/* what came, to either side: as sent; changed, as its hash says; cut for its reader;
	 * answers of a closed port */
	uint64_t whole, garbled, cut, refused;
	uint64_t sent;
};

void datagram_flows_start(struct datagram_flows *d, const struct datagram_plan *p);
/* The machine of one side has rebooted: its sockets are gone, and are opened again. */
void datagram_flows_rebooted(struct datagram_flows *d, bool server);
/* Has each flow had its answer after the faults, or waited long enough for it? */
bool datagram_flows_done(const struct datagram_flows *d);
/* Closes all sockets. */
void datagram_flows_close(struct datagram_flows *d);
/* NULL, or what is wrong with how they ended. What is wrong earlier halts the world. */
const char *datagram_flows_judge(const struct datagram_flows *d, char *text, size_t cap);

#endif
