/*
 * The statements of %{ code }%, and its words: blanks, comments, lines that go
 * on behind a backslash or within brackets.
 */
#include "drill/drill_code_private.h"

#include <stdarg.h>
#include <stdio.h>

void code_fail(struct code_run *r, const char *format, ...)
{
	if (r->failed)
		return;
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(r->problem->text, sizeof r->problem->text, format, arguments);
	va_end(arguments);
	r->problem->line = r->line;
	r->failed = true;
	r->at = r->text.len;
}

void code_skip(struct code_run *r)
{
	for (;;) {
		char c = code_peek(r, 0), d = code_peek(r, 1);
		if (c == ' ' || c == '\t' || c == '\r') {
			r->at++;
		} else if (c == '\\' && (d == '\n' || (d == '\r' && code_peek(r, 2) == '\n'))) {
			r->at += d == '\n' ? 2 : 3;
			r->line++;
		} else if (c == '#') {
			while (r->at < r->text.len && code_peek(r, 0) != '\n')
				r->at++;
		} else if (c == '\n' && r->within) {
			r->at++;
			r->line++;
		} else {
			return;
		}
	}
}

bool code_accept(struct code_run *r, const char *mark)
{
	code_skip(r);
	size_t len = strlen(mark);
	if (r->text.len - r->at < len || memcmp(r->text.at + r->at, mark, len) != 0)
		return false;
	r->at += len;
	return true;
}

static bool letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

struct span code_word(struct code_run *r)
{
	code_skip(r);
	size_t start = r->at;
	if (letter(code_peek(r, 0)))
		while (letter(code_peek(r, 0)) ||
			(code_peek(r, 0) >= '0' && code_peek(r, 0) <= '9'))
			r->at++;
	return span_of(r->text.at + start, r->at - start);
}

bool code_accept_word(struct code_run *r, const char *word)
{
	code_skip(r);
	size_t before = r->at;
	struct span w = code_word(r);
	if (drill_is(w, word))
		return true;
	r->at = before;
	return false;
}

/* "tcpi_snd_cwnd = 8, cwnd = 10" */
static void list_seen(const struct code_run *r, char *out, size_t cap)
{
	size_t len = 0;
	out[0] = '\0';
	for (unsigned i = 0; i < r->seen && len + 1 < cap; i++) {
		int n = snprintf(out + len, cap - len, "%s%.*s = %lld", i ? ", " : "",
			(int)r->seen_name[i].name.len, (const char *)r->seen_name[i].name.at,
			(long long)r->seen_name[i].value);
		len += n > 0 ? (size_t)n : 0;
	}
}

static void run_assert(struct code_run *r)
{
	unsigned line = r->line;
	code_skip(r);
	size_t start = r->at;
	r->seen = 0;
	struct drill_value v = code_expression(r), said = { 0 };
	size_t end = r->at;
	while (end > start && r->text.at[end - 1] <= ' ')
		end--;
	char values[256], message[256] = "";
	list_seen(r, values, sizeof values);
	if (code_accept(r, ","))
		said = code_expression(r);
	if (r->failed || code_true(&v))
		return;
	if (said.kind == DRILL_VALUE_TEXT)
		code_show(&said, message, sizeof message);
	r->line = line;
	code_fail(r, "assert %.*s: %s%s%s", (int)(end - start), (const char *)r->text.at + start,
		values[0] ? values : "it does not hold", message[0] ? ": " : "", message);
}

static void run_print(struct code_run *r)
{
	char line[512] = "";
	size_t len = 0;
	if (!code_accept(r, "(")) {
		code_fail(r, "print takes its arguments in brackets");
		return;
	}
	r->within++;
	for (bool first = true; !r->failed && !code_accept(r, ")"); first = false) {
		if (!first && !code_accept(r, ",")) {
			code_fail(r, "',' or ')' was expected in print");
			return;
		}
		struct drill_value v = code_expression(r);
		if (!first && len + 1 < sizeof line)
			line[len++] = ' ';
		code_show(&v, line + len, sizeof line - len);
		len += strlen(line + len);
	}
	r->within--;
	if (!r->failed && r->c->say)
		r->c->say(r->c->context, line);
}

static struct drill_value *variable(struct code_run *r, struct span name, bool make)
{
	struct drill_code *c = r->c;
	for (unsigned i = 0; i < c->variables; i++)
		if (span_equal(c->variable[i].name, name))
			return &c->variable[i].value;
	if (!make)
		return NULL;
	if (c->variables == DRILL_VARIABLES) {
		code_fail(r, "more than %d variables", DRILL_VARIABLES);
		return NULL;
	}
	c->variable[c->variables].name = name;
	return &c->variable[c->variables++].value;
}

static void run_assignment(struct code_run *r, struct span name)
{
	int sign = code_accept(r, "+=") ? 1 : code_accept(r, "-=") ? -1 : 0;
	if (sign == 0 && !code_accept(r, "=")) {
		code_fail(r, "'%.*s': only assert, print, pass and assignments are understood",
			(int)name.len, (const char *)name.at);
		return;
	}
	struct drill_value v = code_tuple(r);
	if (r->failed)
		return;
	struct drill_value *to = variable(r, name, sign == 0);
	if (!to) {
		code_fail(r, "'%.*s' has no value yet", (int)name.len, (const char *)name.at);
	} else if (sign == 0) {
		*to = v;
	} else if (to->kind != DRILL_VALUE_WHOLE || v.kind != DRILL_VALUE_WHOLE) {
		code_fail(r, "'+=' and '-=' work on whole numbers");
	} else {
		to->whole = (int64_t)(sign > 0 ? (uint64_t)to->whole + (uint64_t)v.whole
					       : (uint64_t)to->whole - (uint64_t)v.whole);
	}
}

static void run_statement(struct code_run *r)
{
	struct span word = code_word(r);
	if (drill_is(word, "assert"))
		run_assert(r);
	else if (drill_is(word, "print"))
		run_print(r);
	else if (word.len == 0)
		code_fail(r, "a statement was expected at '%c'", code_peek(r, 0));
	else if (!drill_is(word, "pass"))
		run_assignment(r, word);
	code_skip(r);
	if (!r->failed && r->at < r->text.len && code_peek(r, 0) != ';' && code_peek(r, 0) != '\n')
		code_fail(r, "the statement goes on with '%c', which is not understood",
			code_peek(r, 0));
}

bool drill_code_run(struct drill_code *c, struct span code, unsigned line, struct drill_problem *p)
{
	struct code_run r = { .c = c, .text = code, .line = line, .problem = p };
	for (;;) {
		code_skip(&r);
		if (r.at >= r.text.len)
			return !r.failed;
		if (code_peek(&r, 0) == '\n' || code_peek(&r, 0) == ';') {
			r.line += code_peek(&r, 0) == '\n';
			r.at++;
			continue;
		}
		run_statement(&r);
	}
}
