/* strata help: the help texts, and what is generated from the same tables. */
#include "cli/help.h"

static const struct option_info options[] = {
	{ .name = "man", .text = "print the manual page (roff), as in man/strata.1" },
	{ .name = "completion",
		.text = "print the completion for bash, as in completions/strata.bash" },
	{ .name = NULL },
};

static const struct option_group own = { "Options", options };
static const struct option_group *const groups[] = { &own, &option_group_general, NULL };

static const struct example examples[] = {
	{ "strata help get", "the same as 'strata get --help'" },
	{ "strata help --man | man -l -", "the manual page, where it is not installed" },
	{ "source <(strata help --completion)", "completion with the Tab key, in this shell" },
	{ NULL, NULL },
};

static enum verdict run(const struct arguments *a)
{
	if (given(a, "man")) {
		help_manual(stdout);
	} else if (given(a, "completion")) {
		help_completion(stdout);
	} else if (!a->operands) {
		help_overview(stdout);
	} else {
		const struct command *c = command_find(a->operand[0]);
		if (!c)
			return complain(a->command, VERDICT_USAGE,
				"%s: no such command: 'strata --help' lists them", a->operand[0]);
		help_command(stdout, c);
	}
	return VERDICT_FINE;
}

extern const struct command command_help;
const struct command command_help = {
	.name = "help",
	.line = "tell about Strata or one of its commands; print manual page and completion",
	.operands = "[COMMAND]",
	.about = "",
	.exits = "",
	.purpose = PURPOSE_LEARN,
	.operands_max = 1,
	.groups = groups,
	.examples = examples,
	.run = run,
};
