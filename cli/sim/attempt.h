/*
 * One trial in a process of its own, so that an assertion, a sanitizer's report
 * or an endless loop in it is a result like any other.
 */
#ifndef STRATA_CLI_SIM_ATTEMPT_H
#define STRATA_CLI_SIM_ATTEMPT_H

#include "sim/shrink.h"

#define ATTEMPT_SECONDS 120 /* of this machine's time; then it loops */

/* Runs it in a child, whose standard error is thrown away where `quiet`. */
void attempt(const struct trial *t, const char *pcap, bool quiet, struct trial_result *r);
/* The same for shrink_trial. */
bool attempt_fails(void *user, const struct trial *t);

#endif
