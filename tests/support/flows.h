/*
 * Flows: connections between two nodes with applications of every temper. Each
 * end sends a number of bytes whose values follow from flow, direction and
 * position, and checks each byte it gets; it writes and reads in pieces of its
 * own size, pauses, stops reading for a while, or breaks off. All of it is drawn
 * from one generator.
 */
#ifndef STRATA_TESTS_FLOWS_H
#define STRATA_TESTS_FLOWS_H

#include "base/hash.h"
#include "sim/node.h"

#define FLOWS_MAX 32

struct flow_end {
	sock_id sock;
	uint32_t out, sent; /* bytes to send */
	uint32_t in, got;   /* bytes to come */
	uint32_t write_chunk, read_chunk;
	uint32_t send_buffer, receive_buffer; /* of the client's; 0: the configured */
	nanodiff write_pause, read_pause;     /* after each piece */
	uint32_t stop_at;                     /* bytes after which reading stops ... */
	nanodiff stop_for;                    /* ... for so long, once */
	uint32_t abort_at; /* sent and got bytes after which it breaks off; 0: never */
	nanotime next_write, next_read;
	bool started, shut, eof, done, aborted;
	enum error error;
	const char *wrong; /* what must never happen, or NULL */
};

struct flows;

struct flow_side {
	struct app app;
	struct flows *flows;
	struct node *node;
	struct sock_queue queue;
	bool server;
};

struct flows {
	struct world *world;
	unsigned count;
	struct flow_side client, server;
	sock_id listener;
	struct {
		struct addr to;
		nanotime start;
		uint16_t port; /* the client's */
		struct flow_end client, server;
	} flow[FLOWS_MAX];
};

/* Draws `count` flows from client to server, to one of two addresses of it, beginning within
 * `spread`. */
void flows_start(struct flows *f, struct node *client, struct node *server, const struct addr *to4,
	const struct addr *to6, unsigned count, nanodiff spread, struct rng *r);
/* Have all ended? For world_run. */
bool flows_done(void *flows);
/* NULL: every byte came once and in order, or both sides know why not. Else what is wrong. */
const char *flows_judge(const struct flows *f, char *text, size_t cap);

#endif
