/* Randomness from the system, for the secrets of a stack. */
#ifndef STRATA_HOST_ENTROPY_H
#define STRATA_HOST_ENTROPY_H

#include <stdbool.h>
#include <stddef.h>

/* False: the system has none to give (there is no fallback: guessable secrets help nobody). */
bool entropy_fill(void *at, size_t len);

#endif
