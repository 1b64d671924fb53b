/*
 * The expressions of %{ code }%, evaluated as they are read: one function for
 * each level of Python's precedence, from `or` down to names and brackets.
 */
#include "drill/drill_code_private.h"

#include <stdio.h>

bool code_true(const struct drill_value *v)
{
	switch (v->kind) {
	case DRILL_VALUE_WHOLE: return v->whole != 0;
	case DRILL_VALUE_REAL: return v->real != 0;
	case DRILL_VALUE_TEXT: return v->text.len != 0;
	case DRILL_VALUE_TUPLE: return v->items != 0;
	default: return false;
	}
}

static bool number(const struct drill_value *v)
{
	return v->kind == DRILL_VALUE_WHOLE || v->kind == DRILL_VALUE_REAL;
}

static double real_of(const struct drill_value *v)
{
	return v->kind == DRILL_VALUE_REAL ? v->real : (double)v->whole;
}

static bool equal(const struct drill_value *a, const struct drill_value *b)
{
	if (number(a) && number(b))
		return a->kind == DRILL_VALUE_WHOLE && b->kind == DRILL_VALUE_WHOLE
			? a->whole == b->whole
			: !(real_of(a) < real_of(b)) && !(real_of(a) > real_of(b));
	if (a->kind != b->kind)
		return false;
	if (a->kind == DRILL_VALUE_TEXT)
		return span_equal(a->text, b->text);
	if (a->kind != DRILL_VALUE_TUPLE)
		return true;
	if (a->items != b->items)
		return false;
	for (unsigned i = 0; i < a->items; i++)
		if (!equal(&a->item[i], &b->item[i]))
			return false;
	return true;
}

static bool less(struct code_run *r, const struct drill_value *a, const struct drill_value *b)
{
	if (number(a) && number(b))
		return a->kind == DRILL_VALUE_WHOLE && b->kind == DRILL_VALUE_WHOLE
			? a->whole < b->whole
			: real_of(a) < real_of(b);
	if (a->kind == DRILL_VALUE_TEXT && b->kind == DRILL_VALUE_TEXT) {
		size_t len = a->text.len < b->text.len ? a->text.len : b->text.len;
		int order = len ? memcmp(a->text.at, b->text.at, len) : 0;
		return order < 0 || (order == 0 && a->text.len < b->text.len);
	}
	if (!r->idle)
		code_fail(r, "two things that have no order are compared");
	return false;
}

static bool contains(struct code_run *r, const struct drill_value *in, const struct drill_value *v)
{
	if (in->kind == DRILL_VALUE_TUPLE) {
		for (unsigned i = 0; i < in->items; i++)
			if (equal(&in->item[i], v))
				return true;
		return false;
	}
	if (in->kind == DRILL_VALUE_TEXT && v->kind == DRILL_VALUE_TEXT) {
		for (size_t at = 0; at + v->text.len <= in->text.len; at++)
			if (span_equal(span_of(in->text.at + at, v->text.len), v->text))
				return true;
		return false;
	}
	if (!r->idle)
		code_fail(r, "'in' looks into tuples, lists and strings");
	return false;
}

static struct drill_value name_value(struct code_run *r, struct span name)
{
	struct drill_code *c = r->c;
	int64_t v = 0;
	if (drill_is(name, "True") || drill_is(name, "False"))
		return code_whole(drill_is(name, "True"));
	if (drill_is(name, "None"))
		return (struct drill_value){ 0 };
	if (r->idle)
		return code_whole(0);
	for (unsigned i = 0; i < c->variables; i++)
		if (span_equal(c->variable[i].name, name)) {
			struct drill_value found = c->variable[i].value;
			if (found.kind == DRILL_VALUE_WHOLE && r->seen < CODE_SEEN) {
				r->seen_name[r->seen].name = name;
				r->seen_name[r->seen++].value = found.whole;
			}
			return found;
		}
	if (c->lookup && c->lookup(c->context, name, &v)) {
		if (r->seen < CODE_SEEN) {
			r->seen_name[r->seen].name = name;
			r->seen_name[r->seen++].value = v;
		}
	} else if (!drill_constant(name, c->ip6, &v)) {
		code_fail(r, "nothing is called '%.*s'", (int)name.len, (const char *)name.at);
	}
	return code_whole(v);
}

static struct drill_value make_tuple(
	struct code_run *r, const struct drill_value *items, unsigned count)
{
	struct drill_value *kept = arena_take(r->c->arena, sizeof *kept * (count + 1), 8);
	if (!kept) {
		code_fail(r, "the code makes too many tuples");
		return (struct drill_value){ 0 };
	}
	memcpy(kept, items, sizeof *kept * count);
	return (struct drill_value){ .kind = DRILL_VALUE_TUPLE, .item = kept, .items = count };
}

/* Items up to `close`, which is taken; *tuple: was there a comma, or nothing? */
static unsigned read_items(
	struct code_run *r, const char *close, struct drill_value *items, bool *tuple)
{
	unsigned count = 0;
	*tuple = true;
	r->within++;
	while (!r->failed && !code_accept(r, close)) {
		if (count == DRILL_TUPLE) {
			code_fail(r, "more than %d items", DRILL_TUPLE);
			break;
		}
		items[count++] = code_expression(r);
		*tuple = code_accept(r, ",");
		if (*tuple)
			continue;
		if (!code_accept(r, close))
			code_fail(r, "'%s' was expected", close);
		break;
	}
	*tuple |= count != 1;
	r->within--;
	return count;
}

static struct drill_value call(
	struct code_run *r, struct span name, const struct drill_value *a, unsigned count)
{
	bool max = drill_is(name, "max");
	if (r->idle)
		return code_whole(0);
	if (count == 1 && drill_is(name, "abs") && number(a)) {
		struct drill_value v = *a;
		v.whole = v.whole < 0 && v.whole > INT64_MIN ? -v.whole : v.whole;
		v.real = v.real < 0 ? -v.real : v.real;
		return v;
	}
	if (count == 1 && drill_is(name, "int") && number(a)) {
		double v = real_of(a);
		return v > -9e18 && v < 9e18 && a->kind == DRILL_VALUE_REAL ? code_whole((int64_t)v)
									    : code_whole(a->whole);
	}
	if (count == 1 && drill_is(name, "len"))
		return code_whole(a->kind == DRILL_VALUE_TEXT ? (int64_t)a->text.len : a->items);
	if (count >= 1 && (max || drill_is(name, "min"))) {
		const struct drill_value *best = a;
		for (unsigned i = 1; i < count; i++)
			if (max ? less(r, best, a + i) : less(r, a + i, best))
				best = a + i;
		return *best;
	}
	code_fail(r, "%.*s() with %u arguments is not understood", (int)name.len,
		(const char *)name.at, count);
	return code_whole(0);
}

static struct drill_value read_string(struct code_run *r, char quote)
{
	size_t start = ++r->at;
	while (r->at < r->text.len && code_peek(r, 0) != quote && code_peek(r, 0) != '\n')
		r->at++;
	struct span s = span_of(r->text.at + start, r->at - start);
	if (code_peek(r, 0) != quote)
		code_fail(r, "the string is not closed on its line");
	else
		r->at++;
	return (struct drill_value){ .kind = DRILL_VALUE_TEXT, .text = s };
}

static int digit_of(char c)
{
	return c >= '0' && c <= '9'    ? c - '0'
		: c >= 'a' && c <= 'f' ? c - 'a' + 10
		: c >= 'A' && c <= 'F' ? c - 'A' + 10
				       : 99;
}

static struct drill_value read_number(struct code_run *r)
{
	int base = 10;
	if (code_peek(r, 0) == '0' && (code_peek(r, 1) | 0x20) == 'x') {
		base = 16;
		r->at += 2;
	}
	uint64_t v = 0;
	for (int d; (d = digit_of(code_peek(r, 0))) < base; r->at++) {
		if (v > (UINT64_C(1) << 58)) {
			code_fail(r, "a number with too many digits");
			return code_whole(0);
		}
		v = v * (unsigned)base + (unsigned)d;
	}
	if (base == 16 || code_peek(r, 0) != '.' || digit_of(code_peek(r, 1)) > 9)
		return code_whole((int64_t)v);
	double real = (double)v, place = 0.1;
	for (r->at++; digit_of(code_peek(r, 0)) < 10; r->at++, place /= 10)
		real += place * digit_of(code_peek(r, 0));
	return (struct drill_value){ .kind = DRILL_VALUE_REAL, .real = real };
}

static struct drill_value primary(struct code_run *r)
{
	struct drill_value items[DRILL_TUPLE];
	bool tuple;
	code_skip(r);
	char c = code_peek(r, 0);
	if (c >= '0' && c <= '9')
		return read_number(r);
	if (c == '\'' || c == '"')
		return read_string(r, c);
	if (c == '(' || c == '[') {
		r->at++;
		unsigned count = read_items(r, c == '(' ? ")" : "]", items, &tuple);
		if (r->failed || (c == '(' && !tuple))
			return count ? items[0] : (struct drill_value){ 0 };
		return make_tuple(r, items, count);
	}
	struct span name = code_word(r);
	if (name.len == 0) {
		code_fail(r, "a value was expected here");
		return code_whole(0);
	}
	if (!code_accept(r, "("))
		return name_value(r, name);
	unsigned count = read_items(r, ")", items, &tuple);
	return r->failed ? code_whole(0) : call(r, name, items, count);
}

static struct drill_value unary(struct code_run *r)
{
	if (++r->depth > CODE_DEPTH)
		code_fail(r, "expressions are nested more than %d deep", CODE_DEPTH);
	struct drill_value v = code_whole(0);
	if (r->failed) {
		r->depth--;
		return v;
	}
	if (code_accept(r, "-")) {
		v = unary(r);
		v.whole = (int64_t)(0 - (uint64_t)v.whole);
		v.real = -v.real;
	} else if (code_accept(r, "~")) {
		v = unary(r);
		v.whole = ~v.whole;
	} else {
		code_accept(r, "+");
		v = primary(r);
	}
	r->depth--;
	return v;
}

/* One operator on two numbers; Python's // and % round towards minus infinity. */
static struct drill_value apply(
	struct code_run *r, char op, const struct drill_value *a, const struct drill_value *b)
{
	if (r->idle || r->failed)
		return code_whole(0);
	if (op == '%' && a->kind == DRILL_VALUE_TEXT)
		return code_format(r, a->text, b);
	if (!number(a) || !number(b)) {
		code_fail(r, "'%c' works on numbers only", op);
		return code_whole(0);
	}
	bool whole = a->kind == DRILL_VALUE_WHOLE && b->kind == DRILL_VALUE_WHOLE;
	double x = real_of(a), y = real_of(b);
	uint64_t i = (uint64_t)a->whole, j = (uint64_t)b->whole;
	if (strchr("/%d", op) && (whole ? j == 0 : !(y < 0) && !(y > 0))) {
		code_fail(r, "division by zero");
		return code_whole(0);
	}
	if (strchr("|^&lr", op) && !whole) {
		code_fail(r, "'%c' works on whole numbers only", op);
		return code_whole(0);
	}
	if (whole && b->whole == -1 && (op == 'd' || op == '%'))
		return code_whole(op == 'd' ? (int64_t)(0 - i) : 0);
	int64_t rest = whole && j ? a->whole % (b->whole == -1 ? 1 : b->whole) : 0;
	bool down = rest != 0 && (rest < 0) != (b->whole < 0);
	switch (op) {
	case '|': return code_whole((int64_t)(i | j));
	case '^': return code_whole((int64_t)(i ^ j));
	case '&': return code_whole((int64_t)(i & j));
	case 'l': return code_whole((int64_t)(j < 64 ? i << j : 0));
	case 'r': return code_whole(a->whole >> (j < 63 ? j : 63));
	case '%':
		if (whole)
			return code_whole(rest + (down ? b->whole : 0));
		break;
	case 'd':
		if (whole)
			return code_whole(a->whole / b->whole - down);
		break;
	default:
		if (whole && op != '/')
			return code_whole((int64_t)(op == '+' ? i + j : op == '-' ? i - j : i * j));
	}
	double v = op == '+' ? x + y : op == '-' ? x - y : op == '*' ? x * y : x / y;
	if (op == 'd' || op == '%') {
		double q = v > -9e15 && v < 9e15 ? (double)(int64_t)v : v;
		q -= q > v ? 1 : 0;
		v = op == 'd' ? q : x - q * y;
	}
	return (struct drill_value){ .kind = DRILL_VALUE_REAL, .real = v };
}

static struct drill_value product(struct code_run *r)
{
	struct drill_value v = unary(r);
	for (;;) {
		char op = code_accept(r, "//") ? 'd'
			: code_accept(r, "*")  ? '*'
			: code_accept(r, "/")  ? '/'
			: code_accept(r, "%")  ? '%'
					       : '\0';
		if (!op || r->failed)
			return v;
		struct drill_value right = unary(r);
		v = apply(r, op, &v, &right);
	}
}

static struct drill_value sum(struct code_run *r)
{
	struct drill_value v = product(r);
	for (;;) {
		char op = code_accept(r, "+") ? '+' : code_accept(r, "-") ? '-' : '\0';
		if (!op || r->failed)
			return v;
		struct drill_value right = product(r);
		v = apply(r, op, &v, &right);
	}
}

static struct drill_value shift(struct code_run *r)
{
	struct drill_value v = sum(r);
	for (;;) {
		char op = code_accept(r, "<<") ? 'l' : code_accept(r, ">>") ? 'r' : '\0';
		if (!op || r->failed)
			return v;
		struct drill_value right = sum(r);
		v = apply(r, op, &v, &right);
	}
}

/* & binds more than ^, and ^ more than |. */
static struct drill_value bits(struct code_run *r, unsigned level)
{
	static const char *const ops[] = { "|", "^", "&" };
	struct drill_value v = level < 2 ? bits(r, level + 1) : shift(r);
	while (!r->failed && code_accept(r, ops[level])) {
		struct drill_value right = level < 2 ? bits(r, level + 1) : shift(r);
		v = apply(r, ops[level][0], &v, &right);
	}
	return v;
}

/* The comparison that stands next: its number in compare(), or 0. */
static unsigned comparison_here(struct code_run *r)
{
	static const char *const marks[] = { "==", "!=", "<=", ">=", "<", ">" };
	for (unsigned i = 0; i < 6; i++)
		if (code_accept(r, marks[i]))
			return i + 1;
	if (code_accept_word(r, "in"))
		return 7;
	size_t before = r->at;
	if (code_accept_word(r, "not")) {
		if (code_accept_word(r, "in"))
			return 8;
		r->at = before;
	}
	return 0;
}

static bool compare(
	struct code_run *r, unsigned how, const struct drill_value *a, const struct drill_value *b)
{
	switch (how) {
	case 1: return equal(a, b);
	case 2: return !equal(a, b);
	case 3: return !less(r, b, a);
	case 4: return !less(r, a, b);
	case 5: return less(r, a, b);
	case 6: return less(r, b, a);
	case 7: return contains(r, b, a);
	default: return !contains(r, b, a);
	}
}

static struct drill_value comparison(struct code_run *r)
{
	struct drill_value v = bits(r, 0);
	bool holds = true, any = false;
	for (unsigned how; !r->failed && (how = comparison_here(r)) != 0; any = true) {
		struct drill_value right = bits(r, 0);
		if (!r->failed && !r->idle)
			holds &= compare(r, how, &v, &right);
		v = right;
	}
	return any ? code_whole(holds) : v;
}

static struct drill_value negation(struct code_run *r)
{
	unsigned negations = 0;
	while (!r->failed && code_accept_word(r, "not"))
		negations++;
	struct drill_value v = comparison(r);
	return negations ? code_whole(code_true(&v) == (negations % 2 == 0)) : v;
}

static struct drill_value joined(struct code_run *r, bool or)
{
	struct drill_value v = or ? joined(r, false) : negation(r);
	while (!r->failed && code_accept_word(r, or ? "or" : "and")) {
		bool decided = code_true(&v) == or ;
		r->idle += decided;
		struct drill_value right = or ? joined(r, false) : negation(r);
		r->idle -= decided;
		v = decided ? v : right;
	}
	return v;
}

struct drill_value code_expression(struct code_run *r)
{
	if (++r->depth > CODE_DEPTH)
		code_fail(r, "expressions are nested more than %d deep", CODE_DEPTH);
	struct drill_value v = r->failed ? code_whole(0) : joined(r, true);
	r->depth--;
	return v;
}

struct drill_value code_tuple(struct code_run *r)
{
	struct drill_value items[DRILL_TUPLE];
	unsigned count = 0;
	do {
		if (count == DRILL_TUPLE)
			code_fail(r, "more than %d items", DRILL_TUPLE);
		else
			items[count++] = code_expression(r);
	} while (!r->failed && code_accept(r, ","));
	return count == 1 || r->failed ? items[0] : make_tuple(r, items, count);
}
