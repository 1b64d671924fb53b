/*
 * Errands: a machine that looks names up and fetches pages, one after the other,
 * from servers that may be the ones of bad_names.h (F59) and bad_pages.h (F62),
 * beside visitors who do not behave (bad_visitors.h). It stands behind the same
 * router as the two machines of a trial, on cables of its own.
 *
 * The judge's question: whatever the servers did, is what an errand brought home
 * true? An address that was not the server's, a page that was cut short or
 * altered and called whole, an errand that does not end, are wrong; an error that
 * says why not is right while the servers do ill, and wrong afterwards.
 */
#ifndef STRATA_SIM_ERRANDS_H
#define STRATA_SIM_ERRANDS_H

#include "sim/catalogue.h"
#include "sim/node.h"
#include "sim/trouble.h"

#define ERRANDS      12
#define ERRANDS_LAST 3 /* begin after all has healed */

struct errands_plan {
	struct node *desk, *shop;
	struct addr shop4, shop6;
	fault_set faults;           /* F59, F62 */
	struct window names, pages; /* when their servers do ill */
	nanotime healed;            /* the last errands begin after it */
	bool may_fail;              /* then too, for other reasons */
};

struct errands;
/* NULL where a server or client can't be made: then its machine has too little of something. */
struct errands *errands_new(const struct errands_plan *p);
/* Have all ended? */
bool errands_done(const struct errands *e);
/* NULL, or what is wrong, also while they run. */
const char *errands_judge(const struct errands *e, char *text, size_t cap);
struct errands_tally {
	unsigned arrived, refused, failed; /* pages; other statuses; without a response */
	unsigned spoiled;                  /* pages that went out with garbage */
	unsigned late;                     /* arrived or refused, of the last */
};
void errands_tally(const struct errands *e, struct errands_tally *t);
/* Closes clients and servers. */
void errands_stop(struct errands *e);

#endif
