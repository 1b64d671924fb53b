/* Building a walk, from the inside: private to the walk_*.c files. */
#ifndef STRATA_DIAG_WALK_BUILD_H
#define STRATA_DIAG_WALK_BUILD_H

#include "base/seq.h"
#include "diag/walk.h"

#define WALK_NO_STEP UINT32_MAX
#define WALK_HOPS    (WALK_STAGES / WALK_PHASES)
#define WALK_PENDING 8

/* When each phase of a hop ended; NANOTIME_NEVER: it was not reached. */
struct walk_hop {
	enum walk_phase reached;
	nanotime started; /* of the first hop; the others follow without a gap */
	nanotime lookup, syn, connect, request, first, response, close;
};

struct builder {
	struct walk *w;
	uint16_t hop;
	struct walk_hop hops[WALK_HOPS];
	/* State changes whose step has not come yet. */
	unsigned pendings;
	uint32_t pending[WALK_PENDING];
};

/* walk_hosts.c */
/* The host with this address, made where it is new. WALK_NONE: no room. */
uint16_t walk_host_of(struct walk *w, const struct addr *a);
/* Which of the host's addresses that is. */
uint8_t walk_peer_of(const struct walk *w, uint16_t host, const struct addr *a);
/* A neighbour said where it is. */
void walk_host_learn(struct walk *w, const struct addr *a, const struct mac *m);
/* These two addresses are one host's (a name's). */
uint16_t walk_host_join(struct walk *w, uint16_t host, const struct addr *a);
/* Sets the step's host and router from a frame's addresses. */
void walk_host_place(struct walk *w, struct walk_step *s, const struct anatomy *a);
/* An answer came so long after what it answers. */
void walk_host_answer(struct walk *w, const struct walk_step *s, nanodiff after);

/* walk_flows.c */
void walk_take_tcp(struct builder *b, struct walk_step *s, const struct anatomy *a);
void walk_take_udp(struct builder *b, struct walk_step *s, const struct anatomy *a);

/* walk_sums.c */
void walk_sum(struct builder *b);

static inline struct walk_hop *walk_hop(struct builder *b)
{
	return &b->hops[b->hop];
}

static inline nanotime step_time(const struct walk *w, const struct walk_step *s)
{
	return w->timeline->moment[s->moment].time;
}

#endif
