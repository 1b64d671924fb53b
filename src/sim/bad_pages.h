/*
 * A web server that is not to be relied on (F62): it serves the pages of a table
 * whose bytes are http_pattern's, on connections that stay open. Within its
 * window a response may stall, end early by FIN or RST, or have garbage in it,
 * each at a byte that is drawn over all of it, head, chunks and body.
 *
 * What a client makes of it: a page cut short must never look whole. Garbage in
 * a body can't be seen by HTTP; so each page remembers that it was spoiled.
 */
#ifndef STRATA_SIM_BAD_PAGES_H
#define STRATA_SIM_BAD_PAGES_H

#include "application/http/content.h"
#include "sim/node.h"

#define BAD_PAGE_MAX 50000 /* bytes of body */

struct bad_pages_config {
	const struct http_pages
		*pages; /* generated ones, at most BAD_PAGE_MAX; "/0" is the first */
	bool *spoiled;  /* one for each page: set when garbage goes out with it */
	uint16_t port;
	struct window when; /* it does ill in this time; empty: never */
};

struct bad_pages;
/* A server on a machine. NULL where its port can't be had. */
struct bad_pages *bad_pages_new(struct node *n, const struct bad_pages_config *c);
/* Closes all that it has open. */
void bad_pages_stop(struct bad_pages *b);

#endif
