/* 'strata lab link': two devices of this host joined by a simulated link, in real time. */
#ifndef STRATA_CLI_LAB_LINK_H
#define STRATA_CLI_LAB_LINK_H

#include "cli/commands.h"

extern const struct option_group lab_link_options;

enum verdict lab_link(const struct arguments *a);
/* None of the options was given? Else the user was told that they belong to 'lab link'. */
bool lab_link_unused(const struct arguments *a);

#endif
