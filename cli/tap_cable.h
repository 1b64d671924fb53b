/*
 * A cable between two TAP devices of this host: one link of the simulator whose
 * clock is the host's. What the kernel sends to one device goes through queue,
 * transmitter, faults and wire as in a simulated world, and is written to the
 * other device when its time has come. One theory, two clocks: the same seed
 * loses the same frames, counted from the first of a direction, in virtual and
 * in real time.
 */
#ifndef STRATA_CLI_TAP_CABLE_H
#define STRATA_CLI_TAP_CABLE_H

#include "cli/lateness.h"
#include "host/tap.h"
#include "sim/capture.h"

struct tap_cable_options {
	const char *tap[2];
	struct link_config way[2]; /* of the first device's frames, of the second's; checked */
	uint64_t seed;
	const char *pcap; /* NULL: none */
};

struct tap_cable_end {
	struct port port;
	struct tap tap;
	struct tap_cable *cable;
};

struct tap_cable {
	struct tap_cable_end end[2];
	struct world *world;
	struct link *link;
	struct sim_capture *capture;
	nanotime started;
	const char *gone; /* the device that was deleted; NULL: both are there */
	/* Of frames written to a device, against the link's own time. */
	struct lateness late;
};

/* False, *error and in `why` one line: what, why, and what to do. */
bool tap_cable_open(struct tap_cable *c, const struct tap_cable_options *o, enum error *error,
	char *why, size_t cap);
/* Carries frames until a time, until stop() is true (asked five times a second, and after each
 * signal), or until a device is gone. */
void tap_cable_run(struct tap_cable *c, nanotime until, bool (*stop)(void));
/* False: the capture could not be written whole. */
bool tap_cable_close(struct tap_cable *c);

#endif
