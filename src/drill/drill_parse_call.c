/*
 * Calls and their arguments: `accept(3, ..., ...) = 4`, numbers, names of
 * constants and sums of them by "|", strings, lists and structs. A name is
 * looked up here, so that what nobody knows is a mistake in the script and not
 * in what it tests.
 */
#include "drill/drill_lexer.h"
#include "posix/linux_abi.h"

bool drill_constant(struct span name, bool ip6, int64_t *value)
{
	static const struct {
		const char *name;
		int64_t ip4, ip6;
	} more[] = {
		{ "NULL", 0, 0 },
		{ "CMSG_LEVEL_IP", LINUX_SOL_IP, LINUX_SOL_IPV6 },
		{ "CMSG_TYPE_RECVERR", LINUX_IP_RECVERR, LINUX_IPV6_RECVERR },
		{ "TCPI_CLOSED", LINUX_TCP_CLOSE, LINUX_TCP_CLOSE },
	};
	for (unsigned i = 0; i < sizeof more / sizeof more[0]; i++)
		if (drill_is(name, more[i].name)) {
			*value = ip6 ? more[i].ip6 : more[i].ip4;
			return true;
		}
	return linux_constant((const char *)name.at, name.len, value);
}

static struct drill_expr *make(struct drill_lexer *l, enum drill_expr_kind kind)
{
	struct drill_expr *e = drill_take(l, sizeof *e);
	if (e) {
		e->kind = kind;
		e->line = l->line;
	}
	return e;
}

/* What stands between brackets, separated by commas; NULL: nothing. */
static struct drill_expr *parse_list(struct drill_lexer *l, const char *close, unsigned *count)
{
	struct drill_expr *first = NULL, **tail = &first;
	while (!l->failed && !drill_accept(l, close)) {
		if (first)
			drill_expect(l, ",");
		struct drill_expr *e = drill_parse_expr(l);
		if (!e)
			break;
		*tail = e;
		tail = &e->next;
		if (count)
			++*count;
	}
	return first;
}

static int hex_digit(uint8_t c)
{
	return c >= '0' && c <= '9'    ? c - '0'
		: c >= 'a' && c <= 'f' ? c - 'a' + 10
		: c >= 'A' && c <= 'F' ? c - 'A' + 10
				       : -1;
}

/* The byte that begins at *i, which becomes the place of its last character: a, \n, \x7f. */
static uint8_t string_byte(struct span text, size_t *i, size_t end)
{
	uint8_t c = text.at[*i];
	if (c != '\\' || *i + 1 >= end)
		return c;
	c = text.at[++*i];
	if (c == 'x' && *i + 2 < end) {
		int high = hex_digit(text.at[*i + 1]), low = hex_digit(text.at[*i + 2]);
		if (high >= 0 && low >= 0) {
			*i += 2;
			return (uint8_t)(high << 4 | low);
		}
	}
	return c == 'n' ? '\n' : c == 't' ? '\t' : c == 'r' ? '\r' : c == '0' ? 0 : c;
}

static struct drill_expr *parse_string(struct drill_lexer *l)
{
	size_t start = l->at;
	while (l->at < l->text.len && drill_peek(l) != '"' && drill_peek(l) != '\n')
		l->at += drill_peek(l) == '\\' && l->at + 1 < l->text.len ? 2 : 1;
	if (drill_peek(l) != '"') {
		drill_fail(l, "the string is not closed on its line");
		return NULL;
	}
	struct drill_expr *e = make(l, DRILL_STRING);
	uint8_t *bytes = drill_take(l, l->at - start + 1);
	if (!e || !bytes)
		return NULL;
	size_t len = 0;
	for (size_t i = start; i < l->at; i++)
		bytes[len++] = string_byte(l->text, &i, l->at);
	l->at++;
	e->name = span_of(bytes, len);
	return e;
}

/* "name(argument)=value", "name=value", "name(arguments)" or a constant */
static struct drill_expr *parse_name(struct drill_lexer *l)
{
	struct span name = drill_word(l);
	if (name.len == 0) {
		drill_fail(l, "an argument was expected here");
		return NULL;
	}
	struct drill_expr *e = make(l, DRILL_NUMBER);
	if (!e)
		return NULL;
	e->name = name;
	struct drill_expr *within = NULL;
	if (drill_accept(l, "(")) {
		e->kind = DRILL_CALL;
		within = parse_list(l, ")", NULL);
	}
	if (drill_next_is(l, "=") && !drill_next_is(l, "==")) {
		drill_accept(l, "=");
		e->kind = DRILL_FIELD;
		e->number = within && within->kind == DRILL_NUMBER ? within->number : -1;
		e->first = drill_parse_expr(l);
		return e;
	}
	e->first = within;
	if (e->kind == DRILL_CALL)
		return e;
	struct span define = drill_define(l->names, name);
	if (define.len) {
		struct drill_lexer inner = *l;
		inner.text = define;
		inner.at = 0;
		if (!drill_number(&inner, &e->number) &&
			!drill_constant(define, l->names->ip6, &e->number))
			drill_fail(l, "%.*s is defined as '%.*s', which is no number",
				(int)name.len, (const char *)name.at, (int)define.len,
				(const char *)define.at);
	} else if (!drill_constant(name, l->names->ip6, &e->number)) {
		drill_fail(l, "no constant is called '%.*s' (-D%.*s=VALUE defines one)",
			(int)name.len, (const char *)name.at, (int)name.len, (const char *)name.at);
	}
	return e;
}

static struct drill_expr *parse_primary(struct drill_lexer *l)
{
	struct drill_expr *e;
	int64_t number;
	if (drill_accept(l, "..."))
		return make(l, DRILL_ELLIPSIS);
	if (drill_accept(l, "?") || drill_accept(l, "*"))
		return make(l, DRILL_ANY);
	if (drill_accept(l, "\""))
		return parse_string(l);
	if (drill_number(l, &number)) {
		e = make(l, DRILL_NUMBER);
		if (e)
			e->number = number;
		return e;
	}
	if (drill_accept(l, "[")) {
		e = make(l, DRILL_LIST);
		if (e)
			e->first = parse_list(l, "]", NULL);
		return e;
	}
	if (drill_accept(l, "{")) {
		e = make(l, DRILL_STRUCT);
		if (e)
			e->first = parse_list(l, "}", NULL);
		return e;
	}
	if (drill_accept(l, "(")) {
		e = drill_parse_expr(l);
		drill_expect(l, ")");
		return e;
	}
	return parse_name(l);
}

struct drill_expr *drill_parse_expr(struct drill_lexer *l)
{
	if (++l->depth > DRILL_DEPTH) {
		drill_fail(l, "arguments are nested more than %d deep", DRILL_DEPTH);
		return NULL;
	}
	struct drill_expr *left = parse_primary(l);
	while (left && !l->failed && drill_accept(l, "|")) {
		struct drill_expr *right = parse_primary(l);
		if (!right)
			break;
		if (left->kind != DRILL_NUMBER || right->kind != DRILL_NUMBER)
			drill_fail(l, "'|' joins numbers only");
		left->number |= right->number;
	}
	l->depth--;
	return l->failed ? NULL : left;
}

/* "-1 ECONNRESET (Connection reset by peer)", "0x2 (flags O_RDWR)", "4" */
static void parse_result(struct drill_lexer *l, struct drill_call *c)
{
	c->result = drill_parse_expr(l);
	if (!c->result)
		return;
	bool failed = c->result->kind == DRILL_NUMBER && c->result->number == -1;
	if (failed && drill_next_is(l, "E")) {
		struct span name = drill_word(l);
		int64_t number;
		if (linux_constant((const char *)name.at, name.len, &number))
			c->error = (int)number;
		else
			drill_fail(l, "no error is called '%.*s'", (int)name.len,
				(const char *)name.at);
	}
	if (!drill_accept(l, "("))
		return;
	/* What people call it; it may hold brackets of its own. */
	for (unsigned open = 1; open && !l->failed;) {
		char at = drill_peek(l);
		if (at == '\0' || at == '\n')
			drill_fail(l, "the remark behind the result is not closed");
		open += at == '(';
		open -= at == ')';
		drill_step(l);
	}
}

void drill_parse_call(struct drill_lexer *l, struct drill_call *c)
{
	c->name = drill_word(l);
	if (c->name.len == 0) {
		char at = drill_peek(l);
		if (at > ' ' && at < 0x7f)
			drill_fail(l,
				"'%c' begins neither a packet ('<', '>'), a call, shell "
				"commands ('`') nor code ('%%{')",
				at);
		else
			drill_fail(l, "an event was expected here");
		return;
	}
	drill_expect(l, "(");
	c->arguments = parse_list(l, ")", &c->count);
	drill_expect(l, "=");
	if (!l->failed)
		parse_result(l, c);
}
