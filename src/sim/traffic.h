/*
 * Traffic: connections between two nodes with applications of every temper. Each
 * end sends a number of bytes whose values follow from flow, direction and
 * position, and checks each byte it gets; it writes and reads in pieces of its
 * own size, pauses, stops reading for a while, breaks off, or calls its socket's
 * functions in any order. All of it is drawn from one generator for each flow,
 * so that a flow stays the same whichever others there are.
 *
 * The judge's question (I01, I02) is the same whatever happened on the way: did
 * every byte come once, in order, or did both ends get an error that says why
 * not? An end of stream counts only where the other end has sent all it wrote
 * and closed.
 */
#ifndef STRATA_SIM_TRAFFIC_H
#define STRATA_SIM_TRAFFIC_H

#include "base/hash.h"
#include "sim/catalogue.h"
#include "sim/node.h"
#include "sim/settings.h"

#define TRAFFIC_FLOWS 32                  /* a seed's, at most */
#define TRAFFIC_MAX   (2 * TRAFFIC_FLOWS) /* with those that come again after a reboot */
#define TRAFFIC_PORT  7

struct traffic_end {
	sock_id sock;
	struct traffic_end *peer;
	uint32_t out, sent; /* bytes to send */
	uint32_t got;
	uint32_t write_chunk, read_chunk;
	uint32_t send_buffer, receive_buffer; /* of the client's; 0: the configured */
	nanodiff write_pause, read_pause;     /* after each piece */
	uint32_t stop_at;                     /* bytes after which reading stops ... */
	nanodiff stop_for;                    /* ... for so long, once */
	uint32_t abort_at; /* sent and got bytes after which it breaks off; 0: never */
	uint32_t unruly;   /* ppm: a call out of turn, at each run */
	uint32_t records;  /* ppm: what was written ends a record */
	uint32_t wrong_at; /* bytes that differ, where that is no wonder */
	nanotime next_write, next_read;
	bool started, shut, eof, done, aborted;
	bool early; /* a server's, by Fast Open: its handshake was not over yet */
	enum error error;
	const char *wrong; /* what must never happen, or NULL */
};

struct traffic;

struct traffic_side {
	struct app app;
	struct traffic *traffic;
	struct node *node;
	struct sock_queue queue;
	bool server;
};

struct traffic_flow {
	struct addr to;
	nanotime start;
	uint16_t port; /* the client's, once it has one; before: the one to take, or 0 */
	struct rng rng;
	bool used;
	struct traffic_end client, server;
	uint64_t seen;  /* progress when it was looked at last */
	nanotime moved; /* when that had changed */
};

struct traffic {
	struct world *world;
	unsigned count;   /* slots of `flow` in use */
	bool garbled;     /* bytes may be wrong, see catalogue.h */
	bool rebooted;    /* a machine: what waits to be accepted may be of its former life */
	setting_set settings;
	bool unreachable; /* ICMP told of it: handshakes may end early (RFC 5461 4.1) */
	struct traffic_side client, server;
	sock_id listener;
	uint32_t backlog;      /* of the listener; 0: the configured */
	nanotime accepts_from; /* nobody accepts before; NANOTIME_NEVER: ever */
	uint64_t strangers;    /* connections that no flow knows */
	struct traffic_flow flow[TRAFFIC_MAX];
};

struct traffic_plan {
	struct node *client, *server;
	struct addr to4, to6;
	uint32_t flows;   /* bit n: flow n takes part */
	unsigned shift;   /* all sizes divided by 1 << shift */
	nanodiff spread;  /* they begin within this time */
	fault_set faults; /* F53 .. F56 change tempers */
	setting_set settings;
	uint32_t backlog;
	nanotime accepts_from;
};

void traffic_start(struct traffic *t, const struct traffic_plan *p);
/* traffic_draw.c: what flow `index` is. */
void traffic_draw(struct traffic *t, unsigned index, const struct traffic_plan *p);
/* The machine of one side has rebooted: its sockets are gone. Clients come again, from their old
 * ports; a server listens again. */
void traffic_rebooted(struct traffic *t, bool server);
/* Closes the listener: who waits in its queue is reset. */
void traffic_stop_listening(struct traffic *t);
/* Breaks off all that has not ended. */
void traffic_give_up(struct traffic *t);
/* Have all ended? For world_run. */
bool traffic_done(void *traffic);
/* I20, I22: the first flow that has not moved for `patience`, nor since `from`, though its
 * applications wanted to; -1: none. To be asked now and then: a flow is judged from one call to the
 * next. */
int traffic_stuck(struct traffic *t, nanodiff patience, nanotime from);
/* Did an end whose client has this port write `text`, whose first byte lies `before` bytes before
 * the end of all that it wrote? */
bool traffic_wrote(const struct traffic *t, bool server, uint16_t port, uint32_t before,
	struct span text);
/* NULL: every byte came once and in order, or both sides know why not. Else what is wrong.
 * `may_break`: a flow may end with an error. */
const char *traffic_judge(const struct traffic *t, bool may_break, char *text, size_t cap);
/* One line for an end of a flow, for people. */
void traffic_describe(const struct traffic *t, unsigned flow, bool server, char *text, size_t cap);
/* A hash of what each end sent and got and of how it ended; without the flows that an application
 * breaks off, where that depends on times. */
uint64_t traffic_outcome(const struct traffic *t);
/* Bytes that arrived. */
uint64_t traffic_bytes(const struct traffic *t);

#endif
