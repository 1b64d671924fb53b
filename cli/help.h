/* Help, manual page and completion, all printed from the commands' tables. */
#ifndef STRATA_CLI_HELP_H
#define STRATA_CLI_HELP_H

#include <stdio.h>

#include "cli/commands.h"

/* What a newcomer reads first. */
void help_overview(FILE *f);
void help_command(FILE *f, const struct command *c);
/* man/strata.1: all commands. */
void help_manual(FILE *f);
/* completions/strata.bash */
void help_completion(FILE *f);

#endif
