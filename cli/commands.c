/* The table of commands, finding one, and how all of them complain. */
#include "cli/commands.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cli/nearest.h"

extern const struct command command_get;
extern const struct command command_serve;
extern const struct command command_ping;
extern const struct command command_resolve;
extern const struct command command_lab;
extern const struct command command_explain;
extern const struct command command_packetdrill;
extern const struct command command_wrap;
extern const struct command command_unwrap;
extern const struct command command_help;

const struct command *const commands[] = {
	&command_get,
	&command_serve,
	&command_ping,
	&command_resolve,
	&command_lab,
	&command_explain,
	&command_wrap,
	&command_unwrap,
	&command_packetdrill,
	&command_help,
	NULL,
};

const char *purpose_text(enum purpose p)
{
	switch (p) {
	case PURPOSE_TALK: return "Talk to a network";
	case PURPOSE_LOOK: return "Look into packets";
	default: return "Learn";
	}
}

const struct command *command_find(const char *name)
{
	for (const struct command *const *c = commands; *c; c++)
		if (strcmp((*c)->name, name) == 0)
			return *c;
	return NULL;
}

const struct command *command_nearest(const char *word)
{
	const struct command *best = NULL;
	struct nearest n = nearest_begin(word);
	for (const struct command *const *c = commands; *c; c++)
		if (nearest_try(&n, (*c)->name))
			best = *c;
	return best;
}

enum verdict complain(const struct command *c, enum verdict v, const char *format, ...)
{
	char line[2048];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(line, sizeof line, format, arguments);
	va_end(arguments);
	/* What somebody typed or a server sent stays on this line, without control characters. */
	for (char *at = line; *at; at++)
		if ((unsigned char)*at < ' ' || *at == 0x7f)
			*at = '?';
	fflush(stdout);
	if (c)
		fprintf(stderr, "strata %s: %s\n", c->name, line);
	else
		fprintf(stderr, "strata: %s\n", line);
	return v;
}
