/* Values of %{ code }% as text: what print and messages show, and 'rtt=%d' % rtt. */
#include "drill/drill_code_private.h"

#include <stdio.h>

void code_show(const struct drill_value *v, char *out, size_t cap)
{
	if (cap == 0)
		return;
	switch (v->kind) {
	case DRILL_VALUE_WHOLE: snprintf(out, cap, "%lld", (long long)v->whole); return;
	case DRILL_VALUE_REAL: snprintf(out, cap, "%g", v->real); return;
	case DRILL_VALUE_TEXT:
		snprintf(out, cap, "%.*s", (int)(v->text.len < 4096 ? v->text.len : 4096),
			(const char *)v->text.at);
		return;
	case DRILL_VALUE_TUPLE: break;
	default: snprintf(out, cap, "None"); return;
	}
	size_t len = 0;
	for (unsigned i = 0; i < v->items && len + 4 < cap; i++) {
		memcpy(out + len, i ? ", " : "(", 3 - (i == 0));
		len += i ? 2 : 1;
		out[len] = '\0';
		if (v->item[i].kind != DRILL_VALUE_TUPLE)
			code_show(&v->item[i], out + len, cap - len - 1);
		len += strlen(out + len);
	}
	snprintf(out + len, cap - len, "%s", len + 1 < cap ? v->items ? ")" : "()" : "");
}

/* One conversion: what follows '%', with flags and width left out. */
static void convert(char how, const struct drill_value *v, char *out, size_t cap)
{
	long long whole = v->kind == DRILL_VALUE_REAL && v->real > -9e18 && v->real < 9e18
		? (long long)v->real
		: (long long)v->whole;
	double real = v->kind == DRILL_VALUE_REAL ? v->real : (double)v->whole;
	if (how == 'x')
		snprintf(out, cap, "%llx", whole);
	else if (how == 'f' || how == 'g')
		snprintf(out, cap, "%f", real);
	else if (how == 's')
		code_show(v, out, cap);
	else
		snprintf(out, cap, "%lld", whole);
}

struct drill_value code_format(struct code_run *r, struct span format, const struct drill_value *v)
{
	char text[512] = "";
	size_t len = 0;
	unsigned used = 0;
	for (size_t i = 0; i < format.len && len + 2 < sizeof text; i++) {
		if (format.at[i] != '%') {
			text[len++] = (char)format.at[i];
			continue;
		}
		size_t at = i + 1;
		while (at < format.len &&
			(strchr("0-+ .", format.at[at]) ||
				(format.at[at] >= '1' && format.at[at] <= '9')))
			at++;
		char how = at < format.len ? (char)format.at[at] : '\0';
		i = at;
		if (how == '%') {
			text[len++] = '%';
			continue;
		}
		const struct drill_value *value = v->kind == DRILL_VALUE_TUPLE
			? used < v->items ? &v->item[used] : NULL
			: used == 0 ? v
				    : NULL;
		if (!value || !how || !strchr("diuxfgsc", how)) {
			code_fail(r,
				value ? "'%%%c' is not understood" : "'%%%c' has no value to show",
				how ? how : '?');
			break;
		}
		used++;
		text[len] = '\0';
		convert(how, value, text + len, sizeof text - len);
		len += strlen(text + len);
	}
	uint8_t *kept = arena_take(r->c->arena, len + 1, 1);
	if (!kept) {
		code_fail(r, "the code makes too many texts");
		return (struct drill_value){ 0 };
	}
	memcpy(kept, text, len);
	return (struct drill_value){ .kind = DRILL_VALUE_TEXT, .text = span_of(kept, len) };
}
