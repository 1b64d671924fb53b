/* Help on the terminal: the overview, and one command in full. */
#include "cli/help.h"

#include <string.h>

#include "cli/paint.h"

#define NAMES 10 /* columns for the names of commands */
#define TERMS 28 /* and for options with their values */

static void heading(FILE *f, const char *text)
{
	fprintf(f, "\n%s%s%s\n", paint(f, PAINT_STRONG), text, paint(f, PAINT_PLAIN));
}

static void paragraph(FILE *f, const char *text)
{
	paint_wrap(f, text, 0, 0, paint_columns(f));
	fputc('\n', f);
}

static bool serves(enum purpose p)
{
	for (const struct command *const *c = commands; *c; c++)
		if ((*c)->purpose == p)
			return true;
	return false;
}

void help_overview(FILE *f)
{
	paragraph(f,
		"Strata is a TCP/IP stack in one program. It fetches pages, pings and serves "
		"through four layers of its own, and tells what each layer does and why. It "
		"needs neither root nor a network: the networks called lab:NAME are simulated "
		"inside the program.");
	heading(f, "Three commands to begin with");
	fputs("  strata get --explain http://www.example.test/\n"
	      "      fetch a page on a simulated home network, and follow every packet\n"
	      "  strata lab home\n"
	      "      see that network\n"
	      "  strata get --explain --delay 300ms --loss 5% http://www.example.test/\n"
	      "      the same by satellite, on a bad day\n",
		f);
	for (enum purpose p = 0; p < PURPOSES; p++) {
		if (serves(p))
			heading(f, purpose_text(p));
		for (const struct command *const *c = commands; *c; c++) {
			if ((*c)->purpose != p)
				continue;
			fprintf(f, "  %s%-*s%s ", paint(f, PAINT_STRONG), NAMES - 1, (*c)->name,
				paint(f, PAINT_PLAIN));
			paint_wrap(f, (*c)->line, NAMES + 2, NAMES + 2, paint_columns(f));
			fputc('\n', f);
		}
	}
	fputs("\n'strata COMMAND --help' tells all about one command; 'strata --version' its age.\n"
	      "Exit codes: 0 fine, 1 a problem was found, 2 usage, 3 could not tell,\n"
	      "4 this machine does not let us (no permission, device or file).\n",
		f);
}

static void option(FILE *f, const struct option_info *o)
{
	char term[80];
	int n = o->letter ? snprintf(term, sizeof term, "-%c, --%s", o->letter, o->name)
			  : snprintf(term, sizeof term, "    --%s", o->name);
	if (o->argument)
		n += snprintf(term + n, sizeof term - (size_t)n, " %s", o->argument);
	fprintf(f, "  %s%s%s", paint(f, PAINT_STRONG), term, paint(f, PAINT_PLAIN));
	if (n + 4 > TERMS)
		fprintf(f, "\n%*s", TERMS, "");
	else
		fprintf(f, "%*s", TERMS - 2 - n, "");
	paint_wrap(f, o->text, TERMS, TERMS, paint_columns(f));
	fputc('\n', f);
}

void help_command(FILE *f, const struct command *c)
{
	fprintf(f, "%sstrata %s%s - ", paint(f, PAINT_STRONG), c->name, paint(f, PAINT_PLAIN));
	paint_wrap(f, c->line, (unsigned)strlen(c->name) + 10, 2, paint_columns(f));
	fprintf(f, "\n\n  strata %s [OPTION ...]%s%s\n", c->name, *c->operands ? " " : "",
		c->operands);
	if (*c->about) {
		fputc('\n', f);
		paragraph(f, c->about);
	}
	for (const struct option_group *const *g = c->groups; *g; g++) {
		heading(f, (*g)->title);
		for (const struct option_info *o = (*g)->option; o->name; o++)
			option(f, o);
	}
	if (c->examples->line)
		heading(f, "Examples");
	for (const struct example *e = c->examples; e->line; e++) {
		fprintf(f, "  %s\n      ", e->line);
		paint_wrap(f, e->text, 6, 6, paint_columns(f));
		fputc('\n', f);
	}
	if (c->terms && *c->terms) {
		heading(f, "What is meant by");
		paragraph(f, c->terms);
	}
	if (*c->exits) {
		heading(f, "Exit code");
		fputs("  ", f);
		paint_wrap(f, c->exits, 2, 2, paint_columns(f));
		fputc('\n', f);
	}
}
