/*
 * Lines for a shell, of which a script has but few kinds: they set sysctls, by
 * sysctl or by helpers, name the common set-up file, or drive tools that mean
 * nothing to a stack without a kernel. No shell runs: the lines are read for
 * what they set.
 */
#ifndef STRATA_DRILL_SHELL_H
#define STRATA_DRILL_SHELL_H

#include "drill/drill_script.h"

#define DRILL_WORD_MAX 256

struct drill_shell {
	void *context;
	/* A setting by sysctl's name, with dots. */
	void (*set)(void *context, const char *name, const char *value);
	/* The common set-up file is named: what it sets follows by `set`, then `profile_end`. */
	void (*profile_end)(void *context);
	/* A command that means nothing here. */
	void (*ignored)(void *context, const char *line);
};

void drill_shell_read(const struct drill_shell *s, struct span text);
/* What the common set-up file sets (for scripts that have none, the same holds at start). */
void drill_shell_profile(const struct drill_shell *s);

#endif
