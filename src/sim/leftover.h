/*
 * What is left of a machine's memory: each pool of its stack knows what was taken
 * and not given back. When all connections have ended there must be nothing (I24).
 */
#ifndef STRATA_SIM_LEFTOVER_H
#define STRATA_SIM_LEFTOVER_H

#include "sim/node.h"

/* NULL, or one thing that a node's stack still holds: "a connection". */
const char *node_leftover(const struct node *n);

#endif
