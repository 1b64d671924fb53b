/*
 * The commands, as one table. A command is a row: what it is called, what it is
 * for, which options it takes, examples, and the function that does it. A new
 * one is a file cmd_NAME.c that defines `command_NAME`, and a line in commands.c.
 *
 * Habits: the result goes to standard output; progress and errors go to
 * standard error, an error as one line
 *
 *	strata get: WHAT: WHY: WHAT TO DO
 */
#ifndef STRATA_CLI_COMMANDS_H
#define STRATA_CLI_COMMANDS_H

#include "cli/option.h"

/* Exit codes of every command. */
enum verdict {
	VERDICT_FINE = 0,
	VERDICT_PROBLEM = 1,     /* it works, and found a problem: refused, timed out, not found */
	VERDICT_USAGE = 2,       /* the command line makes no sense */
	VERDICT_UNSURE = 3,      /* could not tell */
	VERDICT_ENVIRONMENT = 4, /* this machine does not let us: no permission, device, file */
};

enum purpose {
	PURPOSE_TALK,  /* talk to a network */
	PURPOSE_LOOK,  /* take packets apart, put them together */
	PURPOSE_LEARN, /* about Strata itself */
	PURPOSES
};
const char *purpose_text(enum purpose p);

struct example {
	const char *line; /* NULL ends a list */
	const char *text; /* what it shows */
};

struct command {
	const char *name;
	const char *line;     /* what it does, in one line, lower case, without a full stop */
	const char *operands; /* "URL", "HOST [TYPE]", or "" */
	const char *about;    /* a few sentences for --help and the manual page; or "" */
	const char *terms;    /* what the words of its output mean; NULL or "": all are plain */
	const char *exits;    /* what its exit codes mean beyond the common words; or "" */
	enum purpose purpose;
	unsigned operands_min, operands_max;
	const struct option_group *const *groups; /* ends with NULL */
	const struct example *examples;
	enum verdict (*run)(const struct arguments *a);
};

extern const struct command *const commands[];        /* ends with NULL */
const struct command *command_find(const char *name); /* NULL: none is called so */
/* The one whose name is nearest to a mistyped word; NULL: none is near. */
const struct command *command_nearest(const char *word);

/*
 * Prints "strata NAME: " and the line to standard error; returns the verdict, so that a command can
 * end with `return complain(a->command, VERDICT_USAGE, ...)`. `c` NULL: "strata: ".
 */
enum verdict complain(const struct command *c, enum verdict v, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
