/*
 * What the fuzz targets of the codecs share: every field of a header is read and written out as the
 * explainer does it, whatever the bytes are and however small the buffer.
 */
#ifndef STRATA_FUZZ_EXPLAIN_H
#define STRATA_FUZZ_EXPLAIN_H

#include <assert.h>

#include "wire/field.h"

static inline void explain(const struct header_info *info, struct span header)
{
	for (unsigned i = 0; i < info->count; i++) {
		char text[80], small[8];
		size_t n = field_format(&info->field[i], header, text, sizeof text);
		assert(n > 0 && n < sizeof text && text[n] == '\0');
		size_t m = field_format(&info->field[i], header, small, sizeof small);
		assert(m < sizeof small && small[m] == '\0' && memcmp(text, small, m) == 0);
		field_value(&info->field[i], header);
	}
}

#endif
