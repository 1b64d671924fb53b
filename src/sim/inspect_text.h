/*
 * I04: no byte leaves that its owner did not write. For each segment that a node
 * sends, the text is compared with what traffic wrote at that place, whether it
 * goes for the first time or again, after the connection was split, merged,
 * cut smaller or given up by its owner. The other rules see a wrong byte only
 * where a receiver takes it; this one sees it where it is sent, also in a
 * segment that is lost, or that the receiver has already.
 *
 * The place follows from the end of what is queued: the connection's is that of
 * what the application has written so far.
 */
#ifndef STRATA_SIM_INSPECT_TEXT_H
#define STRATA_SIM_INSPECT_TEXT_H

#include "sim/invariant.h"
#include "sim/traffic.h"

/* Inspects one of traffic's two nodes, to the end of its world. */
void inspect_text(struct node *n, const struct traffic *t);

#endif
