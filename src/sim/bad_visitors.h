/*
 * Visitors of a web server who do not behave (F62): some ask and ask and never
 * read, some send noise, some half a head and nothing more, some leave in the
 * middle. They come within a window, one after the other, and are gone when it is
 * over; whom the server serves meanwhile and afterwards is the question.
 */
#ifndef STRATA_SIM_BAD_VISITORS_H
#define STRATA_SIM_BAD_VISITORS_H

#include "sim/node.h"

struct bad_visitors_config {
	struct addr server;
	uint16_t port;
	const char *path; /* of a page that is there */
	struct window when;
};

struct bad_visitors;
/* Visitors on a machine. */
struct bad_visitors *bad_visitors_new(struct node *n, const struct bad_visitors_config *c);

#endif
