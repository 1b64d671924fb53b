/*
 * Reaching a host by one of its addresses: Happy Eyeballs (RFC 8305) over TCP
 * sockets. Addresses are tried in turn, IPv6 and IPv4 alternating (section 4);
 * the next attempt starts when one fails, or when the stagger has passed without
 * a success (section 5). The first connection that stands wins, the others are
 * reset. Addresses may be added while attempts are under way, so the first
 * family to be resolved need not wait for the other.
 *
 * A dial is a value that its owner embeds. Its sockets report to the owner's
 * sock_queue with the owner's user pointer; the owner calls dial_run then, and
 * at dial_deadline.
 */
#ifndef STRATA_APPLICATION_DIAL_H
#define STRATA_APPLICATION_DIAL_H

#include "socket/socket.h"

#define DIAL_ADDRESSES_MAX 16
#define DIAL_STAGGER       (250 * NANO_MS) /* RFC 8305 8: Connection Attempt Delay */

struct dial_attempt {
	struct addr address;
	sock_id sock;            /* 0: not started, or ended */
	nanotime started, ended; /* NANOTIME_NEVER: not yet */
	enum error error;        /* why it failed; ERR_OK while it runs, or where it won */
};

struct dial {
	struct sock_options options;
	uint16_t port;
	nanodiff stagger;
	nanotime next; /* when the next attempt may start though others run */
	unsigned count, started, running;
	bool more;  /* addresses may still be added: all failing is not the end */
	int winner; /* index of the attempt that won; -1: none */
	struct dial_attempt attempt[DIAL_ADDRESSES_MAX];
};

/* `options` (copied) has the queue and user that the sockets report to. */
void dial_begin(
	struct dial *d, const struct sock_options *options, uint16_t port, nanodiff stagger);
/* Adds addresses (those already there and those beyond the maximum are left out), alternating the
 * families among the attempts not yet started. */
void dial_add(struct dial *d, const struct addr *address, unsigned count, bool more);
/*
 * Goes on. The connected socket's id (it is the caller's now), 0 while attempts run or more
 * addresses may come, or -(enum error) when all have failed: see dial_error for which error counts.
 */
int64_t dial_run(struct dial *d, struct stack *s, nanotime now);
/* The error that tells most: a host that answered (refused, reset) before silence (timed out)
 * before ways that do not exist (no route, no address of that family). */
enum error dial_error(const struct dial *d);
/* Have all attempts failed because we have no address or route of their family? */
bool dial_family_mismatch(const struct dial *d);
nanotime dial_deadline(const struct dial *d);
/* Resets all that runs; each is marked with `why`. */
void dial_cancel(struct dial *d, struct stack *s, nanotime now, enum error why);

#endif
