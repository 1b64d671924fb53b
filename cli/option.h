/*
 * Options, as tables. One table for each command feeds the parser, --help, the
 * manual page and the shell completion, so that they cannot disagree. A command
 * names the groups that it takes: its own, and those that several share.
 *
 *	-o FILE   -oFILE   --output FILE   --output=FILE   -Iv (switches together)
 *	--        what follows is no option;    -    is an operand
 */
#ifndef STRATA_CLI_OPTION_H
#define STRATA_CLI_OPTION_H

#include <stdbool.h>
#include <stdint.h>

enum option_kind {
	OPTION_SWITCH,
	OPTION_WORD,   /* any text */
	OPTION_FILE,   /* completed with files */
	OPTION_FOLDER, /* completed with folders */
	OPTION_LINK,   /* lab:NAME or tap:NAME */
	OPTION_CHOICE, /* one of .choices */
};

struct option_info {
	const char *name; /* "output": --output; NULL ends a table */
	char letter;      /* 'o': -o; 0: none */
	enum option_kind kind;
	const char *argument;       /* "FILE"; NULL for switches */
	const char *text;           /* what it does, in a sentence without a full stop */
	const char *const *choices; /* OPTION_CHOICE; ends with NULL */
	bool many;                  /* may be given more than once; else the last one counts */
};

struct option_group {
	const char *title; /* "Network" */
	const struct option_info *option;
};

/* Shared groups. */
extern const struct option_group option_group_link;    /* --link, --address ... --pcap */
extern const struct option_group option_group_lab;     /* --seed, --delay, --rate, --loss */
extern const struct option_group option_group_general; /* --color, --help: every command's last */

struct command;

#define ARGUMENTS_MAX 512

/* What stood on a command line. The strings are argv's. */
struct arguments {
	const struct command *command;
	unsigned options, operands;
	struct {
		const struct option_info *option;
		const char *value; /* "" for switches */
	} option[ARGUMENTS_MAX];
	const char *operand[ARGUMENTS_MAX];
};

/* Reads argv, which begins behind the command's name. False: the user was told what is wrong. */
bool arguments_read(
	struct arguments *a, const struct command *c, unsigned count, char *const *argv);
/* Has the command this option at all? */
bool takes(const struct command *c, const char *name);
/* Asked for by name, which must be an option of the command. */
bool given(const struct arguments *a, const char *name);
/* The last value of an option; `otherwise` where it was not given. */
const char *given_value(const struct arguments *a, const char *name, const char *otherwise);
/* Its values in turn; NULL: no more. */
const char *given_each(const struct arguments *a, const char *name, unsigned index);
/* A whole number within bounds. False: it is none, and the user was told. */
bool given_number(
	const struct arguments *a, const char *name, uint64_t least, uint64_t most, uint64_t *out);
/* A time like 1.5, 1.5s, 200ms, in nanoseconds; seconds where no unit is written. */
bool given_time(const struct arguments *a, const char *name, int64_t *out);

#endif
