/*
 * Making a failing trial smaller. Whether a trial still fails is asked of the
 * caller, because a trial may end its process (an assertion, a sanitizer), and
 * only the caller knows how to run one so that it survives that.
 */
#ifndef STRATA_SIM_SHRINK_H
#define STRATA_SIM_SHRINK_H

#include "sim/trial.h"

struct shrink {
	bool (*fails)(void *user, const struct trial *t);
	void *user;
	unsigned tries;      /* so far */
	unsigned tries_most; /* 0: no bound */
};

/* Changes a failing trial into a smaller one that fails too; not needfully in the same way. */
void shrink_trial(struct shrink *s, struct trial *t);

#endif
