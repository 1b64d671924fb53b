/* A host from the command line, as one address: a name is looked up, an address taken as it is. */
#ifndef STRATA_CLI_NAME_H
#define STRATA_CLI_NAME_H

#include "cli/session.h"

#define NAME_WHY 320

/* "--ipv4" and "--ipv6" of the command are honoured. False: told, and *verdict and `why` say what
 * is wrong. */
bool name_address(struct session *s, const struct arguments *a, const char *host, struct addr *out,
	enum verdict *verdict, char why[NAME_WHY]);
/* What the end of a look-up is to a command. */
enum verdict verdict_of_lookup(enum resolver_status status);

#endif
