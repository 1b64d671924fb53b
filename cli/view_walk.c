/*
 * The ladder. Each host is a lifeline from top to bottom; each frame an arrow
 * between the client's and another's, crossing the router's where it goes
 * through it. Under the arrow stands what each layer added or took off: in full
 * where a kind of frame is seen for the first time, else in one line. Data in
 * order and their acknowledgments are folded where they are many.
 */
#include "cli/view_walk.h"

#include <string.h>

#include "cli/canvas.h"
#include "diag/walk_words.h"

#define MARGIN    10 /* times stand left of it; the client's lifeline is here */
#define LIVES_MAX 6
#define FOLD      3  /* so many routine steps in a row are folded */
#define SHOWN_MAX 24 /* steps of one phase that are shown one by one */

struct view {
	FILE *f;
	const struct walk *w;
	unsigned columns;
	unsigned lives;
	struct life {
		uint16_t host;
		unsigned at;
	} life[LIVES_MAX];
	struct walk_lessons lessons;
	uint32_t full; /* kinds of frames that were shown in full, a bit each */
	struct canvas line;
};

static enum paint paint_of(enum layer l)
{
	return l == LAYER_NONE ? PAINT_FAINT : (enum paint)(PAINT_LAYER1 + (l - LAYER_ACCESS));
}

/* ---- who takes part ---- */

static bool takes_part(const struct walk *w, uint16_t host)
{
	for (uint32_t i = 0; i < w->steps; i++)
		if (!w->step[i].background &&
			(w->step[i].host == host || w->step[i].router == host))
			return true;
	return false;
}

static void add_life(struct view *v, uint16_t host)
{
	for (unsigned i = 0; i < v->lives; i++)
		if (v->life[i].host == host)
			return;
	if (v->lives < LIVES_MAX && takes_part(v->w, host))
		v->life[v->lives++].host = host;
}

static void place_lives(struct view *v)
{
	v->life[v->lives++].host = 0;
	for (uint16_t i = 1; i < v->w->hosts; i++)
		if (v->w->host[i].roles & WALK_ROUTER)
			add_life(v, i);
	for (uint16_t i = 1; i < v->w->hosts; i++)
		add_life(v, i);
	unsigned right = v->columns - 3, gap = v->lives > 1 ? (right - MARGIN) / (v->lives - 1) : 0;
	for (unsigned i = 0; i < v->lives; i++)
		v->life[i].at = i + 1 == v->lives && i ? right : MARGIN + i * gap;
}

/* The lifeline of a host; the last one where there was no room for its own. */
static unsigned life_of(const struct view *v, uint16_t host)
{
	for (unsigned i = 0; i < v->lives; i++)
		if (v->life[i].host == host)
			return i;
	return v->lives - 1;
}

static void name_of(const struct view *v, uint16_t host, char *out, size_t cap)
{
	const struct walk_host *h = &v->w->host[host];
	unsigned same = 1;
	for (uint16_t i = 1; i < host; i++)
		same += strcmp(walk_role_name(v->w->host[i].roles), walk_role_name(h->roles)) == 0;
	snprintf(out, cap, same > 1 ? "%s %u" : "%s", walk_role_name(h->roles), same);
}

static const char *part_of(const struct walk_host *h)
{
	if (h->roles & WALK_CLIENT)
		return "this program";
	if (h->roles & WALK_ROUTER)
		return h->roles & WALK_DNS ? "way out and name server" : "the way out";
	if (h->roles & WALK_SERVER)
		return h->roles & WALK_DNS ? "name and web server" : "web server";
	return h->roles & WALK_DNS ? "name server" : "";
}

static void who_is_who(struct view *v)
{
	for (unsigned i = 0; i < v->lives; i++) {
		const struct walk_host *h = &v->w->host[v->life[i].host];
		char name[32], address[ADDR_TEXT_MAX], text[ADDR_TEXT_MAX * WALK_ADDRESSES] = "";
		size_t n = 0;
		name_of(v, v->life[i].host, name, sizeof name);
		for (unsigned j = 0; j < h->addresses; j++) {
			addr_format(&h->address[j], address);
			n += (size_t)snprintf(
				text + n, sizeof text - n, "%s%s", j ? ", " : "", address);
		}
		fprintf(v->f, "  %s%-9s%s%-24s", paint(v->f, PAINT_STRONG), name,
			paint(v->f, PAINT_PLAIN), part_of(h));
		paint_wrap(v->f, text, 35, 35, v->columns);
		if (h->has_mac) {
			mac_format(&h->mac, address);
			fprintf(v->f, "\n%*son the cable %s", 35, "", address);
		}
		fputc('\n', v->f);
	}
}

/* ---- lines ---- */

static void lives_from(struct view *v, unsigned first)
{
	for (unsigned i = first; i < v->lives; i++)
		canvas_sign(&v->line, v->life[i].at, glyphs()->down, PAINT_FAINT);
}

static void flush_line(struct view *v)
{
	canvas_print(&v->line, v->f);
	canvas_clear(&v->line);
}

/* Text beside the client's lifeline, wrapped behind `indent`; the first line from `at` on. */
static void beside(struct view *v, unsigned at, unsigned indent, const char *text, enum paint p)
{
	char words[CANVAS_MAX];
	while (canvas_words(&text, v->columns - at, words, sizeof words)) {
		canvas_sign(&v->line, MARGIN, glyphs()->down, PAINT_FAINT);
		canvas_text(&v->line, at, words, p);
		flush_line(v);
		at = indent;
	}
}

static void time_of(struct view *v, nanodiff d)
{
	char text[32];
	snprintf(text, sizeof text, "%*.3f", MARGIN - 2, (double)d / 1e6);
	canvas_text(&v->line, 0, text, PAINT_PLAIN);
}

/* Time, the layer at work, what is said; the lifelines go on to the right of it. */
static void title_line(struct view *v, const struct walk_step *s, const char *title)
{
	enum paint p = paint_of(s->layer);
	char badge[4] = { (char)('0' + s->layer), '\0' }, words[CANVAS_MAX];
	bool first = true;
	while (canvas_words(&title, v->columns - MARGIN - 5, words, sizeof words)) {
		lives_from(v, 0);
		if (first) {
			time_of(v, walk_time(v->w, s));
			if (s->layer != LAYER_NONE)
				canvas_text(&v->line, MARGIN + 2, badge, p);
		}
		unsigned end = canvas_text(&v->line, MARGIN + 4, words, first ? p : PAINT_PLAIN);
		for (unsigned i = 1; i < v->lives; i++)
			if (v->life[i].at == end)
				canvas_text(&v->line, end, " ", PAINT_PLAIN);
		flush_line(v);
		first = false;
	}
}

static void arrow_line(struct view *v, const struct walk_step *s)
{
	const struct glyphs *g = glyphs();
	uint16_t other = s->host != WALK_NONE ? s->host : s->router;
	unsigned to = v->life[life_of(v, other)].at;
	enum paint p = paint_of(s->layer);
	const struct moment *m = &v->w->timeline->moment[s->moment];
	bool dropped = !s->sent && m->fate == FATE_DROPPED;
	if (v->lives < 2)
		return;
	for (unsigned at = MARGIN + 1; at < to; at++)
		canvas_sign(&v->line, at, g->across, p);
	for (unsigned i = 1; i < v->lives; i++)
		canvas_sign(&v->line, v->life[i].at, v->life[i].at < to ? g->cross : g->down,
			v->life[i].at < to ? p : PAINT_FAINT);
	canvas_sign(&v->line, MARGIN, s->sent ? g->leave : g->down, s->sent ? p : PAINT_FAINT);
	if (s->sent) {
		canvas_sign(&v->line, to - 1, g->right, p);
	} else {
		canvas_sign(
			&v->line, MARGIN + 1, dropped ? g->lost : g->left, dropped ? PAINT_BAD : p);
		canvas_sign(&v->line, to, g->arrive, p);
	}
	flush_line(v);
}

/* ---- what the layers did ---- */

#define TEXT_AT (MARGIN + 22)

static void layer_line(struct view *v, const struct walk_layer *l, char sign)
{
	char head[64];
	snprintf(head, sizeof head, "%u %-9s%c%5u  ", l->layer, l->name, sign, l->bytes);
	canvas_text(&v->line, MARGIN + 4, head, paint_of(l->layer));
	beside(v, TEXT_AT + 1, TEXT_AT + 1, l->text, PAINT_PLAIN);
}

static void total_line(struct view *v, uint32_t len)
{
	char text[64];
	snprintf(text, sizeof text, "%-11s=%5u  bytes on the cable", "", len);
	beside(v, MARGIN + 4, TEXT_AT + 1, text, PAINT_PLAIN);
}

static void layers_in_full(struct view *v, const struct walk_step *s,
	const struct walk_layer *layer, unsigned n, uint32_t len)
{
	if (!s->sent)
		total_line(v, len);
	for (unsigned i = 0; i < n; i++) {
		const struct walk_layer *l = &layer[s->sent ? i : n - 1 - i];
		bool payload = l == &layer[0];
		layer_line(v, l, payload ? ' ' : s->sent ? '+' : '-');
	}
	if (s->sent)
		total_line(v, len);
}

/* The top layer, and the bytes of all in one line. */
static void layers_in_short(struct view *v, const struct walk_step *s,
	const struct walk_layer *layer, unsigned n, uint32_t len)
{
	char text[32];
	unsigned at = MARGIN + 4;
	const struct walk_layer *top = &layer[0];
	for (unsigned i = 0; i < n; i++) /* TCP's numbers say more than that there is text */
		if (layer[i].layer == LAYER_TRANSPORT && s->flow != WALK_NONE)
			top = &layer[i];
	snprintf(text, sizeof text, "%u %s ", top->layer, top->name);
	unsigned from = canvas_text(&v->line, at, text, paint_of(top->layer));
	beside(v, from, from, top->text, PAINT_PLAIN);
	canvas_sign(&v->line, MARGIN, glyphs()->down, PAINT_FAINT);
	for (unsigned i = 0; i < n; i++) {
		const struct walk_layer *l = &layer[n - 1 - i];
		snprintf(text, sizeof text, "%s%s %u", i ? " + " : "", l->name, l->bytes);
		at = canvas_text(&v->line, at, text, paint_of(l->layer));
	}
	snprintf(text, sizeof text, " = %u bytes", len);
	canvas_text(&v->line, at, text, PAINT_PLAIN);
	flush_line(v);
}

/* Frames of one kind have the same layers at work; the first of them is shown in full. */
static bool is_new_kind(struct view *v, const struct walk_step *s, const struct anatomy *a)
{
	unsigned kind = s->kind == STEP_SYN_ACK ? STEP_SYN : s->kind;
	if (s->kind == STEP_FIN || s->kind == STEP_RESET)
		kind = STEP_ACK;
	uint32_t bit = UINT32_C(1) << (kind * 2 + s->sent);
	if (kind >= STEP_OTHER || a->fault != DROP_NONE || s->again)
		return false;
	bool new = !(v->full & bit);
	v->full |= bit;
	return new &&kind != STEP_ACK;
}

static void layers(struct view *v, const struct walk_step *s)
{
	struct walk_layer layer[WALK_LAYERS_MAX];
	struct anatomy a;
	if (!walk_anatomy(v->w, s, &a))
		return;
	unsigned n = walk_layers(v->w, s, layer);
	if (is_new_kind(v, s, &a))
		layers_in_full(v, s, layer, n, a.len);
	else
		layers_in_short(v, s, layer, n, a.len);
}

static void states(struct view *v, const struct walk_step *s)
{
	for (unsigned i = 0; i < s->states; i++) {
		const struct moment *m = &v->w->timeline->moment[s->state[i]];
		const char *meaning = walk_state_meaning(m->to);
		char text[160], address[ADDR_TEXT_MAX] = "connection";
		if (m->kind == TRACE_NEIGHBOUR)
			addr_format(&m->flow.remote, address);
		snprintf(text, sizeof text, "%s: %s to %s%s%s", address, m->from, m->to,
			*meaning ? ", " : "", meaning);
		beside(v, MARGIN + 4, MARGIN + 6, text, PAINT_STRONG);
	}
}

static void why(struct view *v, const struct walk_step *s)
{
	char text[WALK_TEXT_MAX], line[WALK_TEXT_MAX + 8];
	const struct moment *m = &v->w->timeline->moment[s->moment];
	bool dropped = m->kind == TRACE_RX && m->fate == FATE_DROPPED;
	if (m->kind == TRACE_RX && !dropped)
		return;
	if (!walk_why(v->w, s, text, sizeof text))
		return;
	snprintf(line, sizeof line, "why: %s", text);
	beside(v, MARGIN + 4, MARGIN + (dropped ? 6 : 9), dropped ? text : line,
		dropped ? PAINT_BAD : PAINT_FAINT);
}

static void step(struct view *v, const struct walk_step *s)
{
	char text[WALK_LESSON_MAX];
	walk_title(v->w, s, text, sizeof text);
	title_line(v, s, text);
	if (moment_is_frame(&v->w->timeline->moment[s->moment])) {
		arrow_line(v, s);
		layers(v, s);
	}
	why(v, s);
	if (s->kind != STEP_CHANGE)
		states(v, s);
	if (walk_lesson(v->w, s, &v->lessons, text, sizeof text))
		beside(v, MARGIN + 4, MARGIN + 4, text, PAINT_LESSON);
	lives_from(v, 0);
	flush_line(v);
}

/* ---- phases ---- */

static enum walk_phase heading_of(const struct walk_step *s)
{
	return s->phase == WALK_RESPONSE ? WALK_WAIT : (enum walk_phase)s->phase;
}

static void heading(struct view *v, const struct walk_step *s)
{
	char text[WALK_LESSON_MAX], names[32], right[48] = "";
	enum walk_phase p = heading_of(s);
	nanodiff spent = 0;
	for (unsigned i = 0; i < v->w->stages; i++) {
		const struct walk_stage *t = &v->w->stage[i];
		if (t->hop == s->hop &&
			(t->phase == p || (p == WALK_WAIT && t->phase == WALK_RESPONSE)))
			spent += t->to - t->from;
	}
	snprintf(right, sizeof right, " %.3f ms ", (double)spent / 1e6);
	unsigned used = (unsigned)strlen(walk_phase_title(p)) + (unsigned)strlen(right) + 6;
	const struct glyphs *g = glyphs();
	fprintf(v->f, "%s%s%s %s ", paint(v->f, PAINT_STRONG), g->heavy, g->heavy,
		walk_phase_title(p));
	for (unsigned i = used; i < v->columns; i++)
		fputs(g->heavy, v->f);
	fprintf(v->f, "%s%s%s%s\n  ", right, g->heavy, g->heavy, paint(v->f, PAINT_PLAIN));
	walk_phase_lesson(v->w, p, s->hop, text, sizeof text);
	fputs(paint(v->f, PAINT_LESSON), v->f);
	paint_wrap(v->f, text, 2, 2, v->columns);
	fprintf(v->f, "%s\n\n", paint(v->f, PAINT_PLAIN));
	for (unsigned i = 0; i < v->lives; i++) {
		name_of(v, v->life[i].host, names, sizeof names);
		unsigned wide = (unsigned)strlen(names), at = v->life[i].at;
		at = i == 0 ? at : i + 1 == v->lives ? v->columns - wide : at - wide / 2;
		canvas_text(&v->line, at, names, PAINT_STRONG);
	}
	canvas_text(&v->line, MARGIN - 4, "ms", PAINT_FAINT);
	flush_line(v);
	lives_from(v, 0);
	flush_line(v);
}

/* Shows nothing that was not shown before: plain data and acknowledgments, in order or not. */
static bool is_repetition(const struct view *v, const struct walk_step *s)
{
	char text[WALK_LESSON_MAX];
	struct walk_lessons l = v->lessons; /* a try: nothing is taken for given */
	if (s->routine)
		return true;
	return (s->kind == STEP_DATA || s->kind == STEP_ACK) && s->flow != WALK_NONE && !s->again &&
		!s->states && !s->handshake && s->seq > 1 && s->phase == WALK_RESPONSE &&
		!walk_lesson(v->w, s, &l, text, sizeof text);
}

/* How many steps from here on are folded into one line; 0: none. */
static uint32_t foldable(const struct view *v, uint32_t at, unsigned shown)
{
	const struct walk *w = v->w;
	uint32_t n = 0, real = 0;
	bool full = shown >= SHOWN_MAX;
	for (; at + n < w->steps; n++) {
		const struct walk_step *s = &w->step[at + n];
		bool last = s->flow != WALK_NONE && at + n == w->flow[s->flow].response_last;
		if (s->background)
			continue;
		if (last || s->phase > WALK_RESPONSE || !(full || is_repetition(v, s)))
			break;
		real++;
	}
	return real >= FOLD ? n : 0;
}

/* What a run of folded steps did. */
struct folded {
	uint64_t frames[2], bytes[2]; /* received, sent */
	unsigned early, again, other;
};

static struct folded fold_up(const struct walk *w, uint32_t at, uint32_t n)
{
	struct folded sum = { 0 };
	for (uint32_t i = at; i < at + n; i++) {
		struct anatomy a;
		const struct walk_step *s = &w->step[i];
		if (s->background)
			continue;
		if (!walk_anatomy(w, s, &a)) {
			sum.other++;
			continue;
		}
		sum.frames[s->sent]++;
		sum.bytes[s->sent] += a.payload_len;
		sum.early += s->early;
		sum.again += s->again;
	}
	return sum;
}

static void fold(struct view *v, uint32_t at, uint32_t n)
{
	const struct walk *w = v->w;
	const struct folded sum = fold_up(w, at, n);
	char text[320];
	int len = snprintf(text, sizeof text,
		"more of this until %.3f ms: %llu segments came with %llu bytes, %llu went "
		"with %llu",
		(double)walk_time(w, &w->step[at + n - 1]) / 1e6, (unsigned long long)sum.frames[0],
		(unsigned long long)sum.bytes[0], (unsigned long long)sum.frames[1],
		(unsigned long long)sum.bytes[1]);
	if (sum.early)
		len += snprintf(
			text + len, sizeof text - (size_t)len, ", %u out of order", sum.early);
	if (sum.again)
		len += snprintf(text + len, sizeof text - (size_t)len, ", %u again", sum.again);
	if (sum.other)
		len += snprintf(
			text + len, sizeof text - (size_t)len, ", %u other events", sum.other);
	snprintf(text + len, sizeof text - (size_t)len, " (--json lists all)");
	time_of(v, walk_time(w, &w->step[at]));
	canvas_sign(&v->line, MARGIN + 2, glyphs()->fold, PAINT_FAINT);
	beside(v, MARGIN + 4, MARGIN + 4, text, PAINT_FAINT);
	lives_from(v, 0);
	flush_line(v);
}

static void ladder(struct view *v)
{
	const struct walk *w = v->w;
	int heading_now = -1;
	unsigned shown = 0;
	for (uint32_t i = 0; i < w->steps;) {
		const struct walk_step *s = &w->step[i];
		if (s->background) {
			i++;
			continue;
		}
		int h = (int)heading_of(s) + 16 * s->hop;
		if (h != heading_now) {
			heading(v, s);
			shown = 0;
		}
		heading_now = h;
		uint32_t n = foldable(v, i, shown);
		if (n)
			fold(v, i, n);
		else
			step(v, s);
		shown++;
		i += n ? n : 1;
	}
}

void view_walk(FILE *f, const struct walk *w, const struct view_about *about)
{
	struct view v = { .f = f, .w = w, .columns = paint_columns(f) };
	canvas_clear(&v.line);
	place_lives(&v);
	fprintf(f, "\n%sThe way of %s%s", paint(f, PAINT_STRONG), about->url,
		paint(f, PAINT_PLAIN));
	if (about->simulated)
		fprintf(f, "  on %s\n\n", about->link);
	else
		fprintf(f, "  over %s\n\n", about->link);
	who_is_who(&v);
	fputs("\n  Layers at work: ", f);
	static const char *const layer_names[] = { "1 network access", "2 internet", "3 transport",
		"4 application" };
	for (unsigned l = LAYER_APPLICATION; l >= LAYER_ACCESS; l--)
		fprintf(f, "%s%s%s%s", paint(f, paint_of((enum layer)l)), layer_names[l - 1],
			paint(f, PAINT_PLAIN), l > LAYER_ACCESS ? ", " : "\n\n");
	ladder(&v);
	view_walk_summary(f, w, about);
}
