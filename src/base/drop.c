/*
 * The table of drop reasons. Everything stands in drop.h's one list; here it
 * becomes rows that are indexed by the reason, so a lookup is one load.
 */
#include "base/drop.h"

#include <assert.h>
#include <stddef.h>

static const struct drop_info drop_table[DROP_COUNT] = {
#define DROP_ROW(reason, where, words, source) \
	[DROP_##reason] = { \
		.name = #reason, .layer = LAYER_##where, .text = words, .clause = source \
	},
	DROP_REASONS(DROP_ROW)
#undef DROP_ROW
};

const struct drop_info *drop_info(enum drop reason)
{
	assert((unsigned)reason < DROP_COUNT);
	return &drop_table[reason];
}

const char *layer_name(enum layer layer)
{
	static const char *const names[] = {
		[LAYER_NONE] = "none",
		[LAYER_ACCESS] = "access",
		[LAYER_INTERNET] = "internet",
		[LAYER_TRANSPORT] = "transport",
		[LAYER_APPLICATION] = "application",
	};
	assert((size_t)layer < sizeof names / sizeof *names);
	return names[layer];
}
