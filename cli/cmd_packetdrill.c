/*
 * strata packetdrill: scripts of conformance, each against a fresh stack of its
 * own, in virtual time. One line for each script; what differs stands beneath
 * it in the script's own language.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/json.h"
#include "cli/paint.h"
#include "drill/drill.h"
#include "host/file_tree.h"

#define SETTINGS_MAX 32

static const struct option_info options[] = {
	{ .name = "ipv6", .letter = '6', .text = "use IPv6 where a script does not say which" },
	{ .name = "lenient", .text = "overlook PSH, the order of TCP options, and their padding" },
	{ .name = "set",
		.kind = OPTION_WORD,
		.argument = "NAME=VALUE",
		.text = "set a sysctl of the stack, after those that a script's set-up file sets",
		.many = true },
	{ .name = "define",
		.letter = 'D',
		.kind = OPTION_WORD,
		.argument = "NAME=VALUE",
		.text = "give a name that scripts use a value",
		.many = true },
	{ .name = "tolerance",
		.kind = OPTION_WORD,
		.argument = "TIME",
		.text = "how far times may be off where a script does not say (default: 10ms)" },
	{ .name = "verbose",
		.letter = 'v',
		.text = "show each segment that leaves, what scripts print, and which of their "
			"shell commands mean nothing here" },
	{ .name = "json", .text = "print one JSON object with an entry for each script" },
	{ .name = NULL },
};
static const struct option_group own = { "Scripts", options };
static const struct option_group *const groups[] = { &own, &option_group_general, NULL };

static const struct example examples[] = {
	{ "strata packetdrill handshake.pkt", "one script" },
	{ "strata packetdrill --lenient scripts/", "all scripts below a folder" },
	{ "strata packetdrill --ipv6 --set net.ipv4.tcp_sack=0 script.pkt",
		"over IPv6, without selective acknowledgements" },
	{ NULL, NULL },
};

struct drilling {
	const struct arguments *arguments;
	struct drill_options options;
	struct drill_setting set[SETTINGS_MAX], define[SETTINGS_MAX];
	bool verbose, json;
	struct json out;
	unsigned passed, failed, malformed, unreadable;
	const char *path;
};

/* "NAME=VALUE", as often as given. */
static bool read_settings(
	const struct arguments *a, const char *option, struct drill_setting *to, unsigned *count)
{
	const char *word;
	for (*count = 0; (word = given_each(a, option, *count)) != NULL; ++*count) {
		const char *equals = strchr(word, '=');
		if (*count == SETTINGS_MAX) {
			complain(a->command, VERDICT_USAGE, "--%s: at most %d times", option,
				SETTINGS_MAX);
			return false;
		}
		if (!equals || equals == word) {
			complain(a->command, VERDICT_USAGE, "--%s %s: write NAME=VALUE", option,
				word);
			return false;
		}
		to[*count].name = span_of(word, (size_t)(equals - word));
		to[*count].value = span_of(equals + 1, strlen(equals + 1));
	}
	return true;
}

static void say(void *context, const char *line)
{
	struct drilling *d = context;
	if (d->verbose)
		fprintf(stderr, "%s: %s\n", d->path, line);
}

static const char *word_of(enum drill_outcome o)
{
	return o == DRILL_PASSED ? "ok" : o == DRILL_FAILED ? "FAIL" : "BAD";
}

/* A script may hold any bytes, and its words stand in messages. */
static void print_clean(FILE *f, const char *text)
{
	for (; *text; text++)
		fputc((unsigned char)*text >= ' ' || *text == '\n' || *text == '\t' ? *text : '?',
			f);
}

static void show_text(const struct drilling *d, const char *path, const struct drill_report *r)
{
	bool ok = r->outcome == DRILL_PASSED;
	printf("%s%-4s%s  %s", paint(stdout, ok ? PAINT_GOOD : PAINT_BAD), word_of(r->outcome),
		paint(stdout, PAINT_PLAIN), path);
	if (!ok && r->problem.line)
		printf(":%u", r->problem.line);
	if (!ok)
		fputs(": ", stdout);
	if (!ok)
		print_clean(stdout, r->problem.text);
	fputc('\n', stdout);
	if (d->verbose && r->ignored)
		fprintf(stderr, "%s: %u settings or commands mean nothing here, the first: %s\n",
			path, r->ignored, r->ignored_first);
}

static void show_json(struct drilling *d, const char *path, const struct drill_report *r)
{
	struct json *j = &d->out;
	json_object(j, NULL);
	json_string(j, "script", path);
	json_string(j, "outcome",
		r->outcome == DRILL_PASSED           ? "passed"
			: r->outcome == DRILL_FAILED ? "failed"
						     : "malformed");
	json_unsigned(j, "events", r->events);
	json_unsigned(j, "events_run", r->events_run);
	json_signed(j, "virtual_ns", r->lasted);
	json_unsigned(j, "ignored", r->ignored);
	if (r->outcome != DRILL_PASSED) {
		json_unsigned(j, "line", r->problem.line);
		json_string(j, "problem", r->problem.text);
	}
	json_close(j);
}

/* A script for one family says so in its name, where it has no line of its own for that. */
static bool wants_ip6(const struct drilling *d, const char *path)
{
	static const char *const six[] = { "-v6.pkt", "-ipv6.pkt" };
	static const char *const four[] = { "-v4.pkt", "-ipv4.pkt" };
	size_t len = strlen(path);
	for (unsigned i = 0; i < 2; i++) {
		if (len > strlen(six[i]) && strcmp(path + len - strlen(six[i]), six[i]) == 0)
			return true;
		if (len > strlen(four[i]) && strcmp(path + len - strlen(four[i]), four[i]) == 0)
			return false;
	}
	return given(d->arguments, "ipv6");
}

static bool drill_file(void *context, const char *path)
{
	struct drilling *d = context;
	struct drill_report r;
	size_t len;
	char *text = file_tree_read(path, DRILL_SCRIPT_MAX, &len);
	d->path = path;
	d->options.ip6 = wants_ip6(d, path);
	d->options.swapped = given(d->arguments, "ipv6");
	if (!text) {
		complain(d->arguments->command, VERDICT_ENVIRONMENT,
			"%s: %s: name a script that you may read", path, strerror(errno));
		d->unreadable++;
		return true;
	}
	drill_run(&d->options, span_of(text, len), &r);
	free(text);
	d->passed += r.outcome == DRILL_PASSED;
	d->failed += r.outcome == DRILL_FAILED;
	d->malformed += r.outcome == DRILL_MALFORMED;
	d->unreadable += r.outcome == DRILL_NO_MEMORY;
	if (d->json)
		show_json(d, path, &r);
	else
		show_text(d, path, &r);
	return !ferror(stdout);
}

static enum verdict judge(const struct drilling *d)
{
	if (d->failed)
		return VERDICT_PROBLEM;
	if (d->unreadable)
		return VERDICT_ENVIRONMENT;
	return d->malformed || !d->passed ? VERDICT_UNSURE : VERDICT_FINE;
}

static enum verdict run(const struct arguments *a)
{
	struct drilling d = {
		.arguments = a, .verbose = given(a, "verbose"), .json = given(a, "json")
	};
	struct drill_options *o = &d.options;
	o->lenient = given(a, "lenient");
	o->set = d.set;
	o->define = d.define;
	o->say = d.verbose ? say : NULL;
	o->context = &d;
	if (!read_settings(a, "set", d.set, &o->sets) ||
		!read_settings(a, "define", d.define, &o->defines))
		return VERDICT_USAGE;
	if (given(a, "tolerance") && !given_time(a, "tolerance", &o->tolerance))
		return VERDICT_USAGE;
	if (d.json) {
		json_begin(&d.out, stdout, "strata.packetdrill/1");
		json_array(&d.out, "scripts");
	}
	for (unsigned i = 0; i < a->operands; i++)
		if (!file_tree_walk(a->operand[i], ".pkt", &d, drill_file) && !ferror(stdout)) {
			complain(a->command, VERDICT_ENVIRONMENT,
				"%s: %s: name scripts or folders with scripts", a->operand[i],
				strerror(errno));
			d.unreadable++;
		}
	unsigned all = d.passed + d.failed + d.malformed;
	enum verdict v = judge(&d);
	if (d.json) {
		json_close(&d.out);
		json_unsigned(&d.out, "passed", d.passed);
		json_unsigned(&d.out, "failed", d.failed);
		json_unsigned(&d.out, "malformed", d.malformed);
		json_unsigned(&d.out, "exit_code", v);
		json_finish(&d.out);
	} else if (all != 1 || d.verbose) {
		fprintf(stderr, "%u of %u passed", d.passed, all);
		if (d.malformed)
			fprintf(stderr, ", %u could not be understood", d.malformed);
		fputc('\n', stderr);
	}
	return v;
}

const struct command command_packetdrill = {
	.name = "packetdrill",
	.line = "run scripts of packets and calls against a stack, in virtual time",
	.operands = "FILE...",
	.about =
		"Runs scripts in the language of packetdrill. Each script gets a fresh stack of "
		"its own; time is virtual, so that hours pass in milliseconds and every run is the "
		"same. Of a folder all files are run whose names end in .pkt. A name that ends in "
		"-ipv4.pkt or -ipv6.pkt (-v4, -v6) chooses the family.",
	.terms = "ok: the stack did all that the script expects. FAIL: it did something else; "
		 "the lines beneath show the segment that was expected and the one that was seen, "
		 "sequence numbers as the script counts them. BAD: the script itself can't be "
		 "understood.",
	.exits = "1: a script failed; 3: a script can't be understood; 4: one can't be read.",
	.purpose = PURPOSE_LOOK,
	.operands_min = 1,
	.operands_max = ARGUMENTS_MAX,
	.groups = groups,
	.examples = examples,
	.run = run,
};
