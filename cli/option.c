/*
 * Reading a command line by a command's table. Everything that is wrong is told
 * in one line, with the option that was probably meant.
 */
#include "cli/option.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/nearest.h"

/* ---- the groups that commands share ---- */

static const struct option_info link_options[] = {
	{ .name = "link",
		.kind = OPTION_LINK,
		.argument = "LINK",
		.text = "the network: lab:NAME, a simulated one ('strata lab' lists them), or "
			"tap:NAME, a network device of this machine, made where it does not exist "
			"(default: lab:home)" },
	{ .name = "address",
		.kind = OPTION_WORD,
		.argument = "ADDRESS/LENGTH",
		.text = "our own address with its prefix length, once for each of IPv4 and IPv6; a "
			"lab has addresses of its own",
		.many = true },
	{ .name = "gateway",
		.kind = OPTION_WORD,
		.argument = "ADDRESS",
		.text = "the router to everywhere else, once for each of IPv4 and IPv6",
		.many = true },
	{ .name = "dns",
		.kind = OPTION_WORD,
		.argument = "ADDRESS[,...]",
		.text = "name servers, in the order in which they are asked" },
	{ .name = "pcap",
		.kind = OPTION_FILE,
		.argument = "FILE",
		.text = "write what passes our link to FILE, as pcapng with nanoseconds, the "
			"interface's name, and why each packet was sent or dropped as its "
			"comment; '-': to standard output, and what else goes there to standard "
			"error" },
	{ .name = NULL },
};

const struct option_group option_group_link = { "Network", link_options };

static const struct option_info lab_options[] = {
	{ .name = "seed",
		.kind = OPTION_WORD,
		.argument = "N",
		.text = "seed of all chance in a lab: the same seed gives the same run" },
	{ .name = "delay",
		.kind = OPTION_WORD,
		.argument = "TIME",
		.text = "delay of the lab's main link, each way: 20ms, 150us, 0.3s" },
	{ .name = "rate",
		.kind = OPTION_WORD,
		.argument = "RATE",
		.text = "its rate: 10Mbit, 512kbit, 1Gbit; 0: no limit" },
	{ .name = "loss",
		.kind = OPTION_WORD,
		.argument = "SHARE",
		.text = "its random loss, each way: 2%, 100ppm" },
	{ .name = NULL },
};

const struct option_group option_group_lab = { "Simulated networks", lab_options };

static const char *const color_choices[] = { "auto", "always", "never", NULL };

static const struct option_info general_options[] = {
	{ .name = "color",
		.kind = OPTION_CHOICE,
		.argument = "WHEN",
		.text = "colours: auto (on a terminal, unless NO_COLOR is set), always, never",
		.choices = color_choices },
	{ .name = "help", .letter = 'h', .text = "this text" },
	{ .name = NULL },
};

const struct option_group option_group_general = { "General", general_options };

/* ---- reading ---- */

static const struct option_info *find_name(const struct command *c, const char *name, size_t len)
{
	for (const struct option_group *const *g = c->groups; *g; g++)
		for (const struct option_info *o = (*g)->option; o->name; o++)
			if (strlen(o->name) == len && strncmp(o->name, name, len) == 0)
				return o;
	return NULL;
}

static const struct option_info *find_letter(const struct command *c, char letter)
{
	for (const struct option_group *const *g = c->groups; *g; g++)
		for (const struct option_info *o = (*g)->option; o->name; o++)
			if (o->letter == letter)
				return o;
	return NULL;
}

static bool unknown(const struct command *c, const char *word, size_t len)
{
	const char *meant = NULL;
	char name[64] = "";
	memcpy(name, word, len < sizeof name ? len : sizeof name - 1);
	struct nearest n = nearest_begin(name);
	for (const struct option_group *const *g = c->groups; *g; g++)
		for (const struct option_info *o = (*g)->option; o->name; o++)
			if (nearest_try(&n, o->name))
				meant = o->name;
	if (meant)
		complain(c, VERDICT_USAGE, "--%s: no such option: did you mean --%s?", name, meant);
	else
		complain(c, VERDICT_USAGE, "--%s: no such option: 'strata %s --help' lists them",
			name, c->name);
	return false;
}

static bool allowed(const struct command *c, const struct option_info *o, const char *value)
{
	if (o->kind != OPTION_CHOICE)
		return true;
	for (const char *const *choice = o->choices; *choice; choice++)
		if (strcmp(*choice, value) == 0)
			return true;
	char list[128] = "";
	for (const char *const *choice = o->choices; *choice; choice++) {
		strncat(list,
			choice == o->choices ? ""
				: choice[1]  ? ", "
					     : " or ",
			sizeof list - strlen(list) - 1);
		strncat(list, *choice, sizeof list - strlen(list) - 1);
	}
	complain(c, VERDICT_USAGE, "--%s %s: must be %s", o->name, value, list);
	return false;
}

static bool keep(struct arguments *a, const struct option_info *o, const char *value)
{
	if (!allowed(a->command, o, value))
		return false;
	if (a->options == ARGUMENTS_MAX) {
		complain(a->command, VERDICT_USAGE, "more than %d options", ARGUMENTS_MAX);
		return false;
	}
	a->option[a->options].option = o;
	a->option[a->options++].value = value;
	return true;
}

/* One word and, where its option wants a value that does not stand in it, the next. */
struct walk_words {
	unsigned count, at;
	char *const *argv;
};

static bool missing(const struct command *c, const struct option_info *o)
{
	complain(c, VERDICT_USAGE, "--%s: needs a value: --%s %s", o->name, o->name, o->argument);
	return false;
}

static bool read_long(struct arguments *a, struct walk_words *w)
{
	const char *word = w->argv[w->at++] + 2;
	size_t len = strcspn(word, "=");
	const struct option_info *o = find_name(a->command, word, len);
	if (!o)
		return unknown(a->command, word, len);
	if (o->kind == OPTION_SWITCH) {
		if (!word[len])
			return keep(a, o, "");
		complain(a->command, VERDICT_USAGE, "--%s: takes no value", o->name);
		return false;
	}
	if (word[len])
		return keep(a, o, word + len + 1);
	if (w->at == w->count)
		return missing(a->command, o);
	return keep(a, o, w->argv[w->at++]);
}

static bool read_short(struct arguments *a, struct walk_words *w)
{
	for (const char *at = w->argv[w->at++] + 1; *at; at++) {
		const struct option_info *o = find_letter(a->command, *at);
		if (!o) {
			complain(a->command, VERDICT_USAGE,
				"-%c: no such option: 'strata %s --help' lists them", *at,
				a->command->name);
			return false;
		}
		if (o->kind == OPTION_SWITCH) {
			if (!keep(a, o, ""))
				return false;
			continue;
		}
		if (at[1])
			return keep(a, o, at + 1);
		if (w->at == w->count)
			return missing(a->command, o);
		return keep(a, o, w->argv[w->at++]);
	}
	return true;
}

static bool read_operand(struct arguments *a, const char *word)
{
	const struct command *c = a->command;
	unsigned most = c->operands_max < ARGUMENTS_MAX ? c->operands_max : ARGUMENTS_MAX;
	if (a->operands < most) {
		a->operand[a->operands++] = word;
		return true;
	}
	complain(c, VERDICT_USAGE, "%s: one argument too many: strata %s [OPTION ...]%s%s", word,
		c->name, *c->operands ? " " : "", c->operands);
	return false;
}

bool arguments_read(struct arguments *a, const struct command *c, unsigned count, char *const *argv)
{
	struct walk_words w = { .count = count, .argv = argv };
	bool plain = false;
	*a = (struct arguments){ .command = c };
	while (w.at < count) {
		const char *word = argv[w.at];
		bool good;
		if (plain || word[0] != '-' || !word[1])
			good = read_operand(a, argv[w.at++]);
		else if (word[1] != '-')
			good = read_short(a, &w);
		else if (word[2])
			good = read_long(a, &w);
		else
			good = plain = true, w.at++;
		if (!good)
			return false;
	}
	if (a->operands >= c->operands_min || given(a, "help"))
		return true;
	complain(c, VERDICT_USAGE, "an argument is missing: strata %s [OPTION ...] %s", c->name,
		c->operands);
	return false;
}

/* ---- asking ---- */

bool takes(const struct command *c, const char *name)
{
	return find_name(c, name, strlen(name)) != NULL;
}

const char *given_each(const struct arguments *a, const char *name, unsigned index)
{
	const struct option_info *o = find_name(a->command, name, strlen(name));
	assert(o && "an option that the command's table does not have");
	for (unsigned i = 0; i < a->options; i++)
		if (a->option[i].option == o && index-- == 0)
			return a->option[i].value;
	return NULL;
}

const char *given_value(const struct arguments *a, const char *name, const char *otherwise)
{
	const char *value = otherwise, *next;
	for (unsigned i = 0; (next = given_each(a, name, i)); i++)
		value = next;
	return value;
}

bool given(const struct arguments *a, const char *name)
{
	return given_each(a, name, 0) != NULL;
}

bool given_number(
	const struct arguments *a, const char *name, uint64_t least, uint64_t most, uint64_t *out)
{
	const char *value = given_value(a, name, NULL);
	if (!value)
		return true;
	char *end = NULL;
	unsigned long long v = strtoull(value, &end, 10);
	bool digits = value[0] >= '0' && value[0] <= '9' && *end == '\0' && strlen(value) <= 19;
	if (digits && v >= least && v <= most) {
		*out = v;
		return true;
	}
	complain(a->command, VERDICT_USAGE, "--%s %s: must be a whole number from %llu to %llu",
		name, value, (unsigned long long)least, (unsigned long long)most);
	return false;
}

bool given_time(const struct arguments *a, const char *name, int64_t *out)
{
	static const struct {
		const char *unit;
		double worth;
	} units[] = { { "", 1e9 }, { "s", 1e9 }, { "ms", 1e6 }, { "us", 1e3 }, { "ns", 1 } };
	const char *value = given_value(a, name, NULL);
	if (!value)
		return true;
	char *end = NULL;
	double v = strtod(value, &end);
	bool number = (value[0] >= '0' && value[0] <= '9') || value[0] == '.';
	for (unsigned i = 0; number && i < sizeof units / sizeof *units; i++) {
		if (strcmp(end, units[i].unit) != 0 || v * units[i].worth > 9e18)
			continue;
		*out = (int64_t)(v * units[i].worth + 0.5);
		return true;
	}
	complain(a->command, VERDICT_USAGE, "--%s %s: must be a time like 2, 1.5s or 200ms", name,
		value);
	return false;
}
