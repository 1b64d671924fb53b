/* What an exchange took: time by phase, round trips, bytes by layer. */
#include "cli/view_walk.h"

#include "cli/canvas.h"

static const char *const stage_names[WALK_PHASES] = {
	[WALK_LOOKUP] = "name look-up",
	[WALK_CONNECT] = "connect",
	[WALK_REQUEST] = "request",
	[WALK_WAIT] = "wait for the first byte",
	[WALK_RESPONSE] = "rest of the response",
	[WALK_CLOSE] = "close",
};

static double ms(nanodiff d)
{
	return (double)d / 1e6;
}

#define BAR_AT 54

/* Bars take what the numbers leave. */
static unsigned bar_columns(unsigned columns)
{
	return columns > BAR_AT + 10 ? columns - BAR_AT : 10;
}

/* A bar for a stretch of the whole; ends the line. */
static void bar(struct canvas *c, FILE *f, enum paint p, nanodiff from, nanodiff to, nanodiff all)
{
	unsigned wide = bar_columns(paint_columns(f));
	unsigned a = all ? (unsigned)((double)from * wide / (double)all + 0.5) : 0;
	unsigned b = all ? (unsigned)((double)to * wide / (double)all + 0.5) : 0;
	for (; a < b; a++)
		canvas_sign(c, BAR_AT + a, glyphs()->bar, p);
	canvas_print(c, f);
	canvas_clear(c);
}

static void times(FILE *f, const struct walk *w)
{
	nanotime start = w->input.started;
	nanodiff all = w->stages ? w->stage[w->stages - 1].to - start : 0;
	struct canvas c;
	char text[64];
	canvas_clear(&c);
	canvas_text(&c, 2, "time by phase                     ms  round trips", PAINT_FAINT);
	bar(&c, f, PAINT_PLAIN, 0, 0, 0);
	for (unsigned i = 0; i < w->stages; i++) {
		const struct walk_stage *s = &w->stage[i];
		snprintf(text, sizeof text, "%-24s %10.3f", stage_names[s->phase],
			ms(s->to - s->from));
		unsigned at = canvas_text(&c, 2, text, PAINT_PLAIN);
		snprintf(text, sizeof text, "%13u", s->round_trips);
		if (s->round_trips)
			canvas_text(&c, at, text, PAINT_PLAIN);
		bar(&c, f, s->phase == WALK_CLOSE ? PAINT_FAINT : PAINT_LAYER3, s->from - start,
			s->to - start, all);
	}
}

static const struct {
	enum layer layer;
	const char *name;
} rows[] = {
	{ LAYER_APPLICATION, "4 application" },
	{ LAYER_TRANSPORT, "3 transport" },
	{ LAYER_INTERNET, "2 internet" },
	{ LAYER_ACCESS, "1 network access" },
};

static void bytes(FILE *f, const struct walk *w)
{
	uint64_t all = w->in.bytes + w->out.bytes;
	struct canvas c;
	char text[96];
	canvas_clear(&c);
	fputc('\n', f);
	canvas_text(&c, 2, "bytes on the cable     sent    received        all", PAINT_FAINT);
	bar(&c, f, PAINT_PLAIN, 0, 0, 0);
	for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
		enum layer l = rows[i].layer;
		enum paint p = (enum paint)(PAINT_LAYER1 + (l - LAYER_ACCESS));
		uint64_t sum = w->in.layer[l] + w->out.layer[l];
		canvas_text(&c, 2, rows[i].name, p);
		snprintf(text, sizeof text, "%10llu  %10llu %10llu",
			(unsigned long long)w->out.layer[l], (unsigned long long)w->in.layer[l],
			(unsigned long long)sum);
		canvas_text(&c, 19, text, PAINT_PLAIN);
		bar(&c, f, p, 0, (nanodiff)sum, (nanodiff)all);
	}
	snprintf(text, sizeof text, "%-17s%10llu  %10llu %10llu   in %llu frames", "together",
		(unsigned long long)w->out.bytes, (unsigned long long)w->in.bytes,
		(unsigned long long)all, (unsigned long long)(w->in.frames + w->out.frames));
	canvas_text(&c, 2, text, PAINT_PLAIN);
	bar(&c, f, PAINT_PLAIN, 0, 0, 0);
}

static void sentence(FILE *f, const char *text, unsigned columns)
{
	fputs("  ", f);
	paint_wrap(f, text, 2, 2, columns);
	fputc('\n', f);
}

static void sums(FILE *f, const struct walk *w, const struct view_about *about, unsigned columns)
{
	uint64_t all = w->in.bytes + w->out.bytes, page = w->input.page;
	char text[512];
	int n;
	if (about->good && page)
		n = snprintf(text, sizeof text,
			"The page is %llu of these bytes; the other %llu (%.1f %%) brought it "
			"here: "
			"HTTP and DNS %llu, headers and address resolution %llu.",
			(unsigned long long)page, (unsigned long long)(all - page),
			100.0 * (double)(all - page) / (double)all,
			(unsigned long long)(w->in.layer[LAYER_APPLICATION] +
				w->out.layer[LAYER_APPLICATION] - page),
			(unsigned long long)(all - w->in.layer[LAYER_APPLICATION] -
				w->out.layer[LAYER_APPLICATION]));
	else
		n = snprintf(text, sizeof text,
			"Headers of the layers below the application: %llu "
			"of these bytes.",
			(unsigned long long)(all - w->in.layer[LAYER_APPLICATION] -
				w->out.layer[LAYER_APPLICATION]));
	if (w->retransmissions)
		snprintf(text + n, sizeof text - (size_t)n, " %u segment%s had to be sent again.",
			w->retransmissions, w->retransmissions == 1 ? "" : "s");
	fputc('\n', f);
	sentence(f, text, columns);
	if (w->background.frames) {
		snprintf(text, sizeof text,
			"Besides, %llu frames (%llu bytes) passed that have nothing to do with "
			"this.",
			(unsigned long long)w->background.frames,
			(unsigned long long)w->background.bytes);
		sentence(f, text, columns);
	}
	if (w->timeline->left_out) {
		snprintf(text, sizeof text,
			"The walk ends where its memory did: %llu events more are left out, in the "
			"numbers too.",
			(unsigned long long)w->timeline->left_out);
		sentence(f, text, columns);
	}
}

void view_walk_summary(FILE *f, const struct walk *w, const struct view_about *about)
{
	unsigned columns = paint_columns(f);
	const struct glyphs *g = glyphs();
	char text[256];
	fprintf(f, "%s%s%s What it took ", paint(f, PAINT_STRONG), g->heavy, g->heavy);
	for (unsigned i = 17; i < columns; i++)
		fputs(g->heavy, f);
	fprintf(f, "%s\n", paint(f, PAINT_PLAIN));
	nanodiff spent = w->page_at - w->input.started;
	if (about->good && w->round_trips == 1)
		snprintf(text, sizeof text,
			"%.3f ms until the page was complete. One round trip accounts for "
			"%.3f ms of "
			"that: distance, which no server can shorten.",
			ms(spent), ms(w->distance));
	else if (about->good && w->round_trips)
		snprintf(text, sizeof text,
			"%.3f ms until the page was complete. %u round trips, one after the other, "
			"account for %.3f ms of that: distance, which no server can shorten.",
			ms(spent), w->round_trips, ms(w->distance));
	else
		snprintf(text, sizeof text, "%.3f ms, in which %u round trip%s succeeded.",
			ms(spent), w->round_trips, w->round_trips == 1 ? "" : "s");
	sentence(f, text, columns);
	fputc('\n', f);
	times(f, w);
	bytes(f, w);
	sums(f, w, about, columns);
}
