/*
 * The script as a whole: option lines, then events, each a time and a packet, a
 * call, lines for a shell in backquotes or code in %{ }%. One pass, recursion
 * only into nested arguments, whose depth is bounded.
 */
#include "drill/drill_lexer.h"

static bool at_line_end(const struct drill_lexer *l)
{
	char c = drill_peek(l);
	return c == '\0' || c == '\n' || c == '\r';
}

/* "--name=value" or "--name"; the value ends with the line or before a comment. */
static void parse_setting(struct drill_lexer *l, struct drill_script *s)
{
	if (s->settings == DRILL_SETTINGS) {
		drill_fail(l, "more than %d option lines", DRILL_SETTINGS);
		return;
	}
	struct drill_setting *o = &s->setting[s->settings++];
	o->line = l->line;
	o->name = drill_word(l);
	o->value = span_of(l->text.at + l->at, 0);
	if (o->name.len == 0)
		drill_fail(l, "'--' without a name");
	if (drill_peek(l) != '=')
		return;
	l->at++;
	size_t start = l->at;
	while (!at_line_end(l) && !(drill_peek(l) == '/' && drill_peek_at(l, 1) == '/'))
		l->at++;
	size_t end = l->at;
	while (end > start && (l->text.at[end - 1] == ' ' || l->text.at[end - 1] == '\t'))
		end--;
	o->value = span_of(l->text.at + start, end - start);
}

static bool digit(char c)
{
	return c >= '0' && c <= '9';
}

/* "+.1", "0.5...0.9", "+0~+.04", "*": what stands before an event. */
static void parse_time(struct drill_lexer *l, struct drill_event *e)
{
	drill_skip(l);
	char c = drill_peek(l);
	e->time_kind = DRILL_RELATIVE; /* no time: at once */
	if (c == '*') {
		l->at++;
		e->time_kind = DRILL_WHENEVER;
		return;
	}
	if (c != '+' && c != '.' && !digit(c))
		return;
	if (c != '+')
		e->time_kind = DRILL_ABSOLUTE;
	drill_accept(l, "+");
	if (!drill_seconds(l, &e->time)) {
		drill_fail(l, "a time was expected behind '+'");
		return;
	}
	if (drill_accept(l, "...")) {
		e->has_end = true;
		drill_accept(l, "+");
		if (!drill_seconds(l, &e->end))
			drill_fail(l, "a time was expected behind '...'");
		else if (e->end < e->time)
			drill_fail(l, "the call would return before it begins");
	} else if (drill_accept(l, "~")) {
		e->has_range = true;
		drill_accept(l, "+");
		if (!drill_seconds(l, &e->range))
			drill_fail(l, "a time was expected behind '~'");
		else if (e->range < e->time)
			drill_fail(l, "the range ends before it begins");
	}
}

/* The text up to `mark`, which is taken as well. */
static struct span parse_text(struct drill_lexer *l, const char *mark, const char *what)
{
	size_t start = l->at, len = strlen(mark);
	unsigned opened = l->line;
	while (l->at < l->text.len) {
		if (l->text.len - l->at >= len && memcmp(l->text.at + l->at, mark, len) == 0) {
			struct span text = span_of(l->text.at + start, l->at - start);
			l->at += len;
			return text;
		}
		drill_step(l);
	}
	l->line = opened;
	drill_fail(l, "the %s that begins here is never closed by '%s'", what, mark);
	return span_of(l->text.at + start, 0);
}

static void parse_event(struct drill_lexer *l, struct drill_event *e)
{
	parse_time(l, e);
	drill_skip(l);
	e->line = l->line;
	if (drill_next_is(l, "<") || drill_next_is(l, ">")) {
		e->kind = DRILL_PACKET;
		drill_parse_packet(l, &e->packet);
	} else if (drill_accept(l, "`")) {
		e->kind = DRILL_SHELL;
		e->text = parse_text(l, "`", "shell command");
	} else if (drill_accept(l, "%{")) {
		e->kind = DRILL_CODE;
		e->text = parse_text(l, "}%", "code");
	} else {
		e->kind = DRILL_SYSCALL;
		drill_parse_call(l, &e->call);
	}
	if (e->has_end && e->kind != DRILL_SYSCALL)
		drill_fail(l, "only a call can last: write 'a~b' for a range of time");
}

static struct drill_lexer begin(struct span text, struct drill_problem *p)
{
	p->line = 0;
	p->text[0] = '\0';
	return (struct drill_lexer){ .text = text, .line = 1, .problem = p };
}

static void parse_settings(struct drill_lexer *l, struct drill_script *out)
{
	while (!l->failed && drill_accept(l, "--"))
		parse_setting(l, out);
}

bool drill_parse_settings(struct span text, struct drill_script *out, struct drill_problem *p)
{
	struct drill_lexer l = begin(text, p);
	memset(out, 0, sizeof *out);
	parse_settings(&l, out);
	return !l.failed;
}

bool drill_parse(struct span text, const struct drill_names *names, struct arena *arena,
	struct drill_script *out, struct drill_problem *p)
{
	struct drill_lexer l = begin(text, p);
	l.arena = arena;
	l.names = names;
	memset(out, 0, sizeof *out);
	if (text.len > DRILL_SCRIPT_MAX)
		drill_fail(&l, "a script of more than %u bytes", DRILL_SCRIPT_MAX);
	parse_settings(&l, out);
	struct drill_event **tail = &out->first;
	for (drill_skip(&l); l.at < l.text.len && !l.failed; drill_skip(&l)) {
		struct drill_event *e = drill_take(&l, sizeof *e);
		if (!e)
			break;
		*tail = e;
		tail = &e->next;
		out->events++;
		parse_event(&l, e);
	}
	if (!l.failed && out->events == 0)
		drill_fail(&l, "there is no event in this script");
	return !l.failed;
}
