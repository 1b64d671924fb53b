/*
 * Where a page goes: standard output or a file, which is made when the first
 * byte comes, so that a failed exchange leaves no empty file behind. To a file
 * on a terminal, a line tells how far it is.
 */
#ifndef STRATA_CLI_OUTPUT_H
#define STRATA_CLI_OUTPUT_H

#include <stdio.h>

#include "base/nanotime.h"
#include "base/span.h"
#include "cli/commands.h"

struct output {
	const struct command *command;
	const char *path; /* NULL or "-": standard output */
	FILE *file;
	bool failed; /* told */
	uint64_t written;
	/* Progress */
	bool progress, drawn;
	uint64_t expected; /* 0: unknown */
	nanotime started;  /* of the site's clock ... */
	nanotime shown;    /* ... and of the host's */
};

/* `path` NULL: standard output. */
void output_begin(struct output *o, const struct command *c, const char *path);
/* False: could not be written, and the user was told. */
bool output_write(struct output *o, struct span bytes);
/* Tells how far it is, ten times a second; `now` is the site's clock. */
void output_progress(struct output *o, uint64_t expected, nanotime now);
/* Writes the rest; makes the file where nothing came but an empty page. */
bool output_end(struct output *o, bool complete);

/* "1.2 MB": decimal units, as networks count. */
void output_bytes(char *text, size_t cap, uint64_t bytes);

#endif
