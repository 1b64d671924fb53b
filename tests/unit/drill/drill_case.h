/* What the tests of the script language share: a script from a string, or the mistake in it. */
#ifndef STRATA_TEST_DRILL_CASE_H
#define STRATA_TEST_DRILL_CASE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "drill/drill_script.h"

struct drill_case {
	struct drill_script script;
	struct drill_problem problem;
	struct arena arena;
	bool read;
};

static inline void case_read(struct drill_case *c, const char *text, bool ip6)
{
	static const struct drill_setting seven = { .name = { (const uint8_t *)"SEVEN", 5 },
		.value = { (const uint8_t *)"7", 1 } };
	struct drill_names names = { .ip6 = ip6, .define = &seven, .defines = 1 };
	size_t len = strlen(text), size = len * DRILL_ARENA_FACTOR + DRILL_ARENA_LEAST;
	c->arena = (struct arena){ .at = malloc(size), .size = size };
	assert_non_null(c->arena.at);
	c->read = drill_parse(span_of(text, len), &names, &c->arena, &c->script, &c->problem);
}

/* A script that must be understood; its first event. */
static inline const struct drill_event *case_first(struct drill_case *c, const char *text)
{
	case_read(c, text, false);
	if (!c->read)
		fail_msg("line %u: %s\n%s", c->problem.line, c->problem.text, text);
	return c->script.first;
}

static inline void case_end(struct drill_case *c)
{
	free(c->arena.at);
}

#endif
