/*
 * Captures of a simulated world, as pcapng files: what a node's interfaces sent
 * and received, with the reason why each frame was sent and the fate that each
 * received one met as packet comments; or what happened on a link, with the loss
 * or other fault as comment. Interfaces are named "client/eth0"; times are the
 * world's, in nanoseconds, counted from `epoch`.
 */
#ifndef STRATA_SIM_CAPTURE_H
#define STRATA_SIM_CAPTURE_H

#include <stdio.h>

#include "sim/link.h"
#include "sim/node.h"

struct sim_capture;

/* `epoch`: what the file calls the world's time 0, in nanoseconds since 1970. NULL and `why`
 * where the file can't be made. "-" is standard output. */
struct sim_capture *sim_capture_open(
	struct world *w, const char *path, nanotime epoch, char *why, size_t cap);
/* The same to a stream, which stays the caller's. */
struct sim_capture *sim_capture_stream(struct world *w, FILE *stream, nanotime epoch);
/* From now on, with all interfaces that the node has by now. */
void sim_capture_node(struct sim_capture *c, struct node *n);
/* All nodes that the world has by now. */
void sim_capture_world(struct sim_capture *c);
/* A link has one capture at most. */
void sim_capture_link(struct sim_capture *c, struct link *l);
/* One name for an address, so that readers of the file show names. */
void sim_capture_name(struct sim_capture *c, const struct addr *address, const char *name);
uint64_t sim_capture_frames(const struct sim_capture *c);
/* Flushes and closes. False: not everything could be written. */
bool sim_capture_close(struct sim_capture *c);
/* One that is still open, or NULL; for who ends the world. */
struct sim_capture *sim_capture_first(struct world *w);

#endif
