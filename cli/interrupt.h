/* Ctrl-C and SIGTERM for commands that run until they are told to end. */
#ifndef STRATA_CLI_INTERRUPT_H
#define STRATA_CLI_INTERRUPT_H

#include "cli/session.h"

/* From now on the two signals are counted, and wake the session's loop (NULL: a system call that
 * sleeps ends all the same). */
void interrupt_begin(struct session *s);
/* How many have come. */
unsigned interrupt_count(void);
/* They end the program again. */
void interrupt_end(void);

#endif
