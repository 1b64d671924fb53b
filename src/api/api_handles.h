/* The three kinds of handles; each begins with what they have in common. */
#ifndef STRATA_API_API_HANDLES_H
#define STRATA_API_API_HANDLES_H

#include "api/api_net.h"
#include "strata/event.h"

struct strata_stream {
	struct handle h;
	bool early; /* its first bytes went into the SYN */
};

struct strata_listener {
	struct handle h;
};

struct strata_udp {
	struct handle h;
};

static inline struct handle *stream_handle(struct strata_stream *s)
{
	return s ? &s->h : NULL;
}

static inline struct handle *listener_handle(struct strata_listener *l)
{
	return l ? &l->h : NULL;
}

static inline struct handle *udp_handle(struct strata_udp *u)
{
	return u ? &u->h : NULL;
}

#endif
