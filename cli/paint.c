/* Escape sequences (ECMA-48 SGR) of the basic palette, which every theme makes readable. */
#define _GNU_SOURCE /* strcasestr */
#include "cli/paint.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define COLUMNS_MIN     76  /* what the tables need */
#define COLUMNS_MAX     110 /* longer lines are hard to read */
#define COLUMNS_DEFAULT 80

static const char *const sequence[PAINTS] = {
	[PAINT_PLAIN] = "\033[0m",
	[PAINT_LAYER1] = "\033[33m", /* yellow */
	[PAINT_LAYER2] = "\033[32m", /* green */
	[PAINT_LAYER3] = "\033[36m", /* cyan */
	[PAINT_LAYER4] = "\033[35m", /* magenta */
	[PAINT_STRONG] = "\033[1m",
	[PAINT_FAINT] = "\033[2m",
	[PAINT_LESSON] = "\033[3m", /* italic */
	[PAINT_GOOD] = "\033[1;32m",
	[PAINT_BAD] = "\033[1;31m",
};

static const struct glyphs unicode = {
	.across = "─",
	.down = "│",
	.cross = "┼",
	.leave = "├",
	.arrive = "┤",
	.heavy = "━",
	.right = "▶",
	.left = "◀",
	.lost = "✗",
	.bar = "█",
	.bar_light = "░",
	.dot = "·",
	.to = "→",
	.times = "×",
	.fold = "⋮",
};

static const struct glyphs ascii = {
	.across = "-",
	.down = "|",
	.cross = "+",
	.leave = "+",
	.arrive = "+",
	.heavy = "=",
	.right = ">",
	.left = "<",
	.lost = "X",
	.bar = "#",
	.bar_light = ".",
	.dot = "-",
	.to = "->",
	.times = "x",
	.fold = ":",
};

static enum { AUTO, ALWAYS, NEVER } choice;

void paint_choose(const char *when)
{
	choice = strcmp(when, "always") == 0 ? ALWAYS : strcmp(when, "never") == 0 ? NEVER : AUTO;
}

bool paint_is_terminal(FILE *f)
{
	return isatty(fileno(f));
}

void paint_hint_input(const char *what)
{
	if (paint_is_terminal(stdin))
		fprintf(stderr, "type %s, then Ctrl-D (or give it by '< FILE')\n", what);
}

static bool is_set(const char *name)
{
	const char *value = getenv(name);
	return value && *value;
}

static bool colored(FILE *f)
{
	const char *term = getenv("TERM");
	if (choice != AUTO)
		return choice == ALWAYS;
	return paint_is_terminal(f) && !is_set("NO_COLOR") && !(term && strcmp(term, "dumb") == 0);
}

const char *paint(FILE *f, enum paint p)
{
	return colored(f) ? sequence[p] : "";
}

unsigned paint_columns(FILE *f)
{
	struct winsize size = { 0 };
	if (ioctl(fileno(f), TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
		return COLUMNS_DEFAULT;
	if (size.ws_col < COLUMNS_MIN)
		return COLUMNS_MIN;
	return size.ws_col > COLUMNS_MAX ? COLUMNS_MAX : size.ws_col;
}

const struct glyphs *glyphs(void)
{
	static const char *const names[] = { "LC_ALL", "LC_CTYPE", "LANG" };
	for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
		const char *value = getenv(names[i]);
		if (!value || !*value)
			continue;
		return strcasestr(value, "utf-8") || strcasestr(value, "utf8") ? &unicode : &ascii;
	}
	return &ascii;
}

/* Columns that text takes: bytes that do not continue a UTF-8 sequence. */
static unsigned width(const char *s, size_t len)
{
	unsigned n = 0;
	for (size_t i = 0; i < len; i++)
		n += ((unsigned char)s[i] & 0xc0) != 0x80;
	return n;
}

unsigned paint_wrap(FILE *f, const char *text, unsigned at, unsigned indent, unsigned columns)
{
	bool fresh = true; /* nothing on this line yet that needs a blank behind it */
	while (*text) {
		size_t len = strcspn(text, " \n");
		unsigned wide = width(text, len);
		if (!fresh && at + 1 + wide > columns) {
			fprintf(f, "\n%*s", (int)indent, "");
			at = indent;
			fresh = true;
		}
		if (len) {
			fprintf(f, "%s%.*s", fresh ? "" : " ", (int)len, text);
			at += wide + !fresh;
			fresh = false;
		}
		text += len;
		if (*text == '\n') {
			fprintf(f, "\n%*s", (int)indent, "");
			at = indent;
			fresh = true;
		}
		text += *text != '\0';
	}
	return at;
}
