/*
 * How output looks on this terminal: colours, width, and whether it can draw
 * lines. Colours stand for the four layers and a handful of roles, the same
 * everywhere. They appear on a terminal only, unless --color says otherwise;
 * NO_COLOR (no-color.org) and TERM=dumb turn them off.
 */
#ifndef STRATA_CLI_PAINT_H
#define STRATA_CLI_PAINT_H

#include <stdbool.h>
#include <stdio.h>

enum paint {
	PAINT_PLAIN,
	PAINT_LAYER1, /* network access; the four in the order of enum layer */
	PAINT_LAYER2,
	PAINT_LAYER3,
	PAINT_LAYER4,
	PAINT_STRONG, /* headings */
	PAINT_FAINT,  /* what may be passed over */
	PAINT_LESSON, /* what there is to learn */
	PAINT_GOOD,
	PAINT_BAD,
	PAINTS
};

/* What --color said: "auto", "always" or "never". */
void paint_choose(const char *when);
/* The sequence that begins this colour on this stream, or "". PAINT_PLAIN ends all. */
const char *paint(FILE *f, enum paint p);
/* Columns to write in: those of the terminal behind the stream, 76 to 110; 80 where there is
 * none. */
unsigned paint_columns(FILE *f);
bool paint_is_terminal(FILE *f);
/* Tells who sits at a terminal that a command waits for standard input. */
void paint_hint_input(const char *what);

/* Signs for drawings, in UTF-8 or, where the locale has none, in ASCII. */
struct glyphs {
	const char *across, *down, *cross; /* ─ │ ┼ */
	const char *leave, *arrive;        /* ├ ┤ */
	const char *heavy;                 /* ━ */
	const char *right, *left;          /* ▶ ◀ */
	const char *lost;                  /* ✗ */
	const char *bar, *bar_light;       /* █ ░ */
	const char *dot;                   /* · */
	const char *to;                    /* → */
	const char *times;                 /* × */
	const char *fold;                  /* ⋮ */
};
const struct glyphs *glyphs(void);

/* Prints text wrapped to `columns`, each line behind `indent` blanks, but the first, which begins
 * at column `at`. No newline at the end; returns the column reached. */
unsigned paint_wrap(FILE *f, const char *text, unsigned at, unsigned indent, unsigned columns);

#endif
