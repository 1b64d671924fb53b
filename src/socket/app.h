/*
 * An application as the loops see it: something to run when its stack may have
 * news, and a time at which it wants to run again. The same struct is driven by
 * the host's event loop and by the simulated world, so a server or client is
 * written once: it drains its sock_queue, reads and writes its sockets, and
 * returns. It never blocks and never calls stack_receive or stack_transmit.
 */
#ifndef STRATA_SOCKET_APP_H
#define STRATA_SOCKET_APP_H

#include "socket/socket.h"

struct app {
	struct list link; /* the loop's list of this stack's applications */
	/* Called after each burst of frames and timers; `now` is the stack's time. */
	void (*run)(struct app *a, struct stack *s, nanotime now);
	/* When it wants to run although nothing arrives; NULL or NANOTIME_NEVER: not at all. */
	nanotime (*deadline)(const struct app *a);
};

#endif
