/* How a failed call of the public interface leaves its error behind: one for each thread. */
#ifndef STRATA_API_API_ERROR_H
#define STRATA_API_API_ERROR_H

#include "base/error.h"
#include "strata/error.h"

/* Sets this thread's error and message. Returns -error, so that a call can end with it. */
int api_fail(enum error e, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The error alone; its text is the message. `e` may be negated. Returns -error. */
int api_error(int e);
/* A call on a NULL handle: the error of the call that should have given it stays the last one.
 * Returns -ERR_ARGUMENT. */
int api_null_handle(void);

#endif
