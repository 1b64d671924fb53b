/*
 * A link: a cable with two ends, and in each direction a queue, a transmitter
 * and a stretch of wire.
 *
 *	port_send -> queue (drop tail) -> transmitter (rate) -> wire (delay,
 *	faults) -> the other end's receive
 *
 * Serialization: a frame of `len` bytes takes (max(len, 60) + 24) * 8 bit
 * times: Ethernet's preamble and start (8 bytes), frame check sequence (4) and
 * gap (12) are paid on the wire but are no part of the frame. A super-frame pays
 * for each of its segments, headers included. Times are rounded up to whole
 * nanoseconds. The last bit leaves the transmitter, and `delay` later the whole
 * frame is there (store and forward).
 *
 * Jitter alone keeps the order of frames, as a queue somewhere in a real path
 * does; reordering is a fault of its own.
 *
 * Every frame meets one fate; a way's counters always add up:
 *	offered + duplicated == delivered + sum(lost) + on the way
 */
#ifndef STRATA_SIM_LINK_H
#define STRATA_SIM_LINK_H

#include "sim/faults.h"
#include "sim/port.h"

#define LINK_NAME_MAX  24
#define LINK_OVERHEAD  24   /* preamble and start 8, FCS 4, gap 12 */
#define LINK_FRAME_MIN 60   /* without FCS */
#define LINK_QUEUE     1000 /* frames, where the config says nothing */

struct link_config {
	uint64_t rate;         /* bit/s; 0: no serialization time */
	nanodiff delay;        /* one way */
	uint32_t mtu;          /* larger IP packets vanish without a word; 0: no limit */
	uint32_t queue_frames; /* that wait for the transmitter; 0: LINK_QUEUE */
	uint32_t queue_bytes;  /* 0: no limit */
	/* so many waiting frames are congestion: what comes then and is ECN-capable is marked
	 * (RFC 3168 5); the rest still waits, as long as there is room. 0: never */
	uint32_t mark_frames;
	bool blocking;         /* a full queue blocks its sender instead of dropping */
	bool pad;              /* delivers short frames padded with zeroes to 60 bytes */
	struct fault_config faults;
};

/*       name       text */
#define LINK_LOSSES(X) \
	X(QUEUE, "queue is full") \
	X(DOWN, "link is down") \
	X(MTU, "larger than the link's MTU") \
	X(LOSS, "lost at random") \
	X(BURST, "lost in a burst") \
	X(NTH, "the frame that had to be lost") \
	X(FILTER, "taken out by a filter") \
	X(CHECK, "corrupted, and caught by the frame check sequence")

enum link_loss {
	LINK_KEPT,
#define LINK_LOSS_ENUM(name, text) LINK_LOST_##name,
	LINK_LOSSES(LINK_LOSS_ENUM)
#undef LINK_LOSS_ENUM
		LINK_LOSS_COUNT
};
const char *link_loss_name(enum link_loss loss);
const char *link_loss_text(enum link_loss loss);

struct link_counters {
	uint64_t offered, offered_bytes;
	uint64_t delivered, delivered_bytes;
	uint64_t lost[LINK_LOSS_COUNT];
	uint64_t duplicated, corrupted, reordered, marked;
	uint64_t on_the_way; /* queued, in the transmitter, on the wire or held back */
	uint64_t queue_high, queue_high_bytes; /* most that ever waited */
};

struct link_way {
	struct link *link;
	struct port *from, *to;
	struct link_config config;
	struct link_counters count;
	/* A filter loses the frames for which it gives false; NULL: none. */
	bool (*filter)(void *user, struct link_way *way, const struct parcel *parcel);
	void *filter_user;
	/* private: */
	uint64_t place; /* in the event hash */
	struct faults faults;
	struct list queue; /* parcels that wait for the transmitter */
	uint32_t queued, queued_bytes;
	struct parcel *sending;
	struct event sent; /* the transmitter is done */
	struct list held;  /* parcels held back for reordering */
	nanotime last_arrival;
	bool blocked; /* the sender was told so */
};

struct link {
	struct list in_world;
	char name[LINK_NAME_MAX];
	struct world *world;
	bool up;
	struct link_way way[2]; /* 0: from the first port to the second */
	/* Sees each frame once, when its fate is known; a capture's. */
	void (*tap)(void *user, struct link_way *way, const struct parcel *parcel,
		enum link_loss loss, const char *note);
	void *tap_user;
};

/* NULL, or the first rule that the config breaks. */
const char *link_config_check(const struct link_config *c);
/* Joins two ports. `back` NULL: the same in both directions. The configs must be right. */
struct link *link_connect(struct world *w, const char *name, struct port *a, struct port *b,
	const struct link_config *there, const struct link_config *back);
/* Changes one direction from now on; what is on the wire is not touched. */
void link_change(struct link *l, unsigned way, const struct link_config *c);
/* A link that goes down loses what waits and what comes; what is on the wire arrives. */
void link_set_up(struct link *l, bool up);
/* Time that a frame of `len` bytes spends in the transmitter. */
nanodiff link_serialization(const struct link_config *c, uint32_t len);
struct link *world_link(struct world *w, const char *name); /* NULL: none is called so */

#endif
