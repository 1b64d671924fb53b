/*
 * The event loop of one stack on this host: its links' descriptors, its
 * applications, and the time. One turn is
 *
 *	loop_wait    sleep until a frame comes, a deadline passes, or somebody kicks
 *	loop_turn    receive the whole burst, fire timers, then applications and
 *	             transmit in turns until neither has anything left to do
 *
 * loop_run does that until a predicate holds. Where threads share the stack, one
 * of them runs the loop with the lock held around loop_turn only; the others
 * call sockets under the same lock and then loop_flush, which sends what became
 * ready and wakes the loop where it sleeps for too long or for the wrong things.
 */
#ifndef STRATA_HOST_LOOP_H
#define STRATA_HOST_LOOP_H

#include <stdatomic.h>

#include "socket/app.h"

#define LOOP_LINKS  4
#define LOOP_BURST  128 /* frames from one link in a turn, at most */
#define LOOP_BUDGET 128 /* frames in one call of transmit */
#define LOOP_ROUNDS 64  /* of applications and transmit in a turn, at most */

struct loop_link {
	int fd; /* -1: gone */
	struct netif *nif;
	void *link;
	/* Hands up to `max` frames to the stack; *gone where the link will never give another. */
	unsigned (*receive)(void *link, struct stack *s, struct netif *nif, nanotime now,
		unsigned max, bool *gone);
	/* The loop's own: */
	short ready; /* what poll said */
	bool more;   /* the last burst was a full one */
};

/* What a loop waits for besides frames. */
struct loop_sleep {
	nanotime until; /* a time in the past: it only looks */
	bool for_room;  /* a link was full */
};

struct loop {
	struct stack *stack;
	struct list apps; /* struct app */
	struct loop_link link[LOOP_LINKS];
	unsigned links;
	int kick; /* eventfd */
	/* What the loop sleeps for at the latest. Under the lock, as all above. */
	struct loop_sleep sleep;
	atomic_bool kicked;
	bool shared;       /* other threads use the stack: they kick a loop that sleeps too long */
	int poller, timer; /* see loop_fd; -1: never asked for */
};

enum loop_end {
	LOOP_DONE, /* the predicate is true */
	LOOP_TIME, /* the time was reached */
	LOOP_GONE, /* all links are gone: nothing can ever come */
};

/* False: the system has no descriptor left. */
bool loop_init(struct loop *l, struct stack *s);
void loop_free(struct loop *l);
/* The loop has room for LOOP_LINKS. */
void loop_add_link(struct loop *l, const struct loop_link *link);
void loop_add_app(struct loop *l, struct app *a);

/* Sleeps until there is something to do. Touches neither stack nor applications. */
void loop_wait(struct loop *l, struct loop_sleep sleep);
/* One turn; returns what to wait for then. */
struct loop_sleep loop_turn(struct loop *l);
/* After calls of sockets: applications and transmit, then wakes a loop that sleeps too long. */
void loop_flush(struct loop *l);
/* Ends a loop_wait, from any thread. */
void loop_kick(struct loop *l);
bool loop_gone(const struct loop *l);
/*
 * For a program with a loop of its own: a descriptor that becomes readable when loop_turn has
 * something to do, as of the last loop_flush or loop_run. -1: the system has none left.
 */
int loop_fd(struct loop *l);

/* Runs until `done(user)` (NULL: never), or until a time. */
enum loop_end loop_run(struct loop *l, nanotime until, bool (*done)(void *user), void *user);

#endif
