/* The program: finds the command, reads its options by its table, runs it. */
#include <stdio.h>
#include <string.h>

#include "cli/help.h"
#include "cli/paint.h"
#include "strata/net.h"

static enum verdict no_such(const char *word)
{
	const struct command *meant = command_nearest(word);
	if (meant)
		return complain(NULL, VERDICT_USAGE,
			"%s: no such command: did you mean 'strata %s'?", word, meant->name);
	return complain(
		NULL, VERDICT_USAGE, "%s: no such command: 'strata --help' lists them", word);
}

static enum verdict run(const struct command *c, int argc, char **argv)
{
	struct arguments a;
	if (!arguments_read(&a, c, (unsigned)argc, argv))
		return VERDICT_USAGE;
	paint_choose(given_value(&a, "color", "auto"));
	if (given(&a, "help")) {
		help_command(stdout, c);
		return VERDICT_FINE;
	}
	return c->run(&a);
}

int main(int argc, char **argv)
{
	const char *word = argc > 1 ? argv[1] : "";
	enum verdict v = VERDICT_FINE;
	if (argc < 2) {
		help_overview(stderr);
		return VERDICT_USAGE;
	}
	if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
		help_overview(stdout);
	} else if (strcmp(word, "--version") == 0) {
		printf("strata %s\n", strata_version());
	} else {
		const struct command *c = command_find(word);
		v = c ? run(c, argc - 2, argv + 2) : no_such(word);
	}
	if (fflush(stdout) == 0 && !ferror(stdout))
		return (int)v;
	if (v != VERDICT_ENVIRONMENT) /* else it was told */
		complain(NULL, v,
			"standard output: could not write all of it: make room, or name "
			"another place");
	return v == VERDICT_FINE ? VERDICT_ENVIRONMENT : (int)v;
}
