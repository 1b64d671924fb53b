/*
 * Between a program with threads and one of our hosts in virtual time: the lock, the
 * clock, and the calls that sleep. Private to the shared object.
 */
#ifndef STRATA_PACKETDRILL_BRIDGE_H
#define STRATA_PACKETDRILL_BRIDGE_H

#include "packetdrill/interface.h"
#include "posix/posix.h"

#include <pthread.h>
#include <stdbool.h>

#define CONTROL_MAX 32768 /* bytes of the control file: it may be one that only grows */

/* A call that sleeps until another thread's doings let it go on. */
struct sleeper {
	struct sleeper *next;
	struct posix_call call;
	pthread_t thread;
	int64_t result; /* POSIX_WAIT while it sleeps */
	bool gone;      /* it went on, and has not asked for the time yet */
};

struct bridge {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct posix *posix;
	void *memory;
	size_t memory_size;
	pthread_t owner; /* the thread that made us: it moves the clock */
	struct sleeper *sleepers;
	unsigned held;          /* the clock stands still for so many threads ... */
	pthread_t held_for;     /* ... of which this is one */
	char control[256];      /* "": none */
	char last[CONTROL_MAX]; /* what it said last */
	size_t last_len;
};

struct bridge *bridge_open(const char *flags);
void bridge_close(struct bridge *b);

/* Around every call: takes the lock and reads the control file; gives the lock back. */
void bridge_enter(struct bridge *b);
void bridge_leave(struct bridge *b);
/* A call that returned POSIX_WAIT sleeps until it can go on. Its result. */
int64_t bridge_wait(struct bridge *b, struct posix_call *call, int64_t result);
/* Something happened: calls that can go on do. */
void bridge_settle(struct bridge *b);
/* Moves the clock, one timer at a time. `stop_at_datagram`: only until one has left. */
void bridge_run(struct bridge *b, nanotime until, bool stop_at_datagram);
/* The thread that the clock stands still for has asked for the time. */
void bridge_release(struct bridge *b);

#endif
