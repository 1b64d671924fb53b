/*
 * Many handles at once. strata_poll asks about a set, like poll(2): levels.
 * strata_next_event tells what happened on any watched handle of a net, one
 * after the other, whatever their number: edges. Use either with handles that
 * never wait (strata_set_timeout(handle, 0)).
 *
 * A program that runs the stack itself (drive_self) calls strata_drive, or one
 * of the two above, and may wait for strata_fd in an event loop of its own.
 */
#ifndef STRATA_EVENT_H
#define STRATA_EVENT_H

#include "strata/stream.h"
#include "strata/udp.h"

#ifdef __cplusplus
extern "C" {
#endif

enum strata_events {
	STRATA_READABLE = 1,     /* bytes, a datagram, the stream's end, a peer to accept */
	STRATA_WRITABLE = 2,     /* room to write */
	STRATA_CONNECTED = 4,    /* strata_connect_start has succeeded */
	STRATA_PEER_CLOSED = 8,  /* the peer will send nothing more */
	STRATA_ERROR = 16,       /* the connection is dead: the next call says why */
	STRATA_URGENT = 64,      /* urgent data is ahead, or more of it (strata_urgent) */
	/* It lives, but a router complains (strata_stream_info), or the peer does not answer */
	STRATA_TROUBLE = 128,
};

/* One of the three handles is set. */
struct strata_poll {
	struct strata_stream *stream;
	struct strata_listener *listener;
	struct strata_udp *udp;
	unsigned events; /* enum strata_events that are waited for; STRATA_ERROR always is */
	unsigned ready;  /* out: those that hold now */
};
/*
 * Waits until something of the set is ready. Returns for how many, 0 when `timeout` (ns, 0: just
 * look, STRATA_FOREVER) is over, -STRATA_E_ARGUMENT, -STRATA_E_DEADLOCK. All handles are of `net`.
 * NET.
 */
STRATA_API int strata_poll(struct strata *net, struct strata_poll *set, unsigned count,
			   int64_t timeout);

/* Watches a handle: what happens to it comes out of strata_next_event, with `user`. What could be
 * done at once is reported first. Ends with the handle. NET. */
STRATA_API int strata_stream_watch(struct strata_stream *stream, void *user);
STRATA_API int strata_listener_watch(struct strata_listener *listener, void *user);
STRATA_API int strata_udp_watch(struct strata_udp *udp, void *user);

struct strata_event {
	struct strata_stream *stream; /* the one that it is about; the others are NULL */
	struct strata_listener *listener;
	struct strata_udp *udp;
	void *user;
	unsigned events; /* enum strata_events: what happened since this handle's last event */
};
/* The next event; waits at most `timeout`. 1, 0 when the time is over, or -STRATA_E_DEADLOCK. After
 * STRATA_READABLE read until -STRATA_E_AGAIN: the same bytes are not reported again. NET. */
STRATA_API int strata_next_event(struct strata *net, struct strata_event *out, int64_t timeout);

/*
 * Runs the stack of a net without a thread until something happened to a handle, at most `timeout`
 * long (0: only what can be done without waiting). 1: something happened, 0: the time is over,
 * -STRATA_E_STATE (the net has a thread), -STRATA_E_DEADLOCK. NET.
 */
STRATA_API int strata_drive(struct strata *net, int64_t timeout);
/* A file descriptor that becomes readable when strata_drive has work to do; it belongs to the net.
 * -STRATA_E_STATE where the net has a thread, or is a lab. NET. */
STRATA_API int strata_fd(struct strata *net);

#ifdef __cplusplus
}
#endif
#endif
