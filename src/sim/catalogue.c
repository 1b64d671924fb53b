/*
 * The table, and the lists that people write. A range "F03-F40" takes what lies
 * between its ends; numbers that no simulated fault has are passed over there,
 * but refused where they stand alone.
 */
#include "sim/catalogue.h"

#include <stdio.h>
#include <assert.h>
#include <string.h>

static_assert(FAULT_COUNT < 64, "a set of faults is one word");

static const struct fault_info table[FAULT_COUNT] = {
#define FAULT_ROW(id, group, harm, text) \
	[FAULT_##id] = { #id, text, FAULT_OF_##group, FAULT_##harm },
	FAULTS(FAULT_ROW)
#undef FAULT_ROW
};

const struct fault_info *fault_info(enum fault_id id)
{
	return (unsigned)id < FAULT_COUNT ? &table[id] : NULL;
}

enum fault_harm fault_set_harm(fault_set set)
{
	enum fault_harm worst = FAULT_SPARES;
	for (unsigned i = 0; i < FAULT_COUNT; i++)
		if (set >> i & 1 && table[i].harm > worst)
			worst = table[i].harm;
	return worst;
}

/* "F07" or "f07": 7. -1: no number of a fault. */
static int number_of(const char *word, size_t len)
{
	if (len != 3 || (word[0] != 'F' && word[0] != 'f') || word[1] < '0' || word[1] > '9' ||
		word[2] < '0' || word[2] > '9')
		return -1;
	return (word[1] - '0') * 10 + word[2] - '0';
}

static fault_set between(int first, int last)
{
	fault_set set = 0;
	for (unsigned i = 0; i < FAULT_COUNT; i++) {
		int n = number_of(table[i].name, 3);
		if (n >= first && n <= last)
			set |= UINT64_C(1) << i;
	}
	return set;
}

static bool read_word(const char *word, size_t len, fault_set *out)
{
	const char *dash = memchr(word, '-', len);
	size_t head = dash ? (size_t)(dash - word) : len;
	int first = number_of(word, head);
	int last = dash ? number_of(dash + 1, len - head - 1) : first;
	if (first < 0 || last < first)
		return false;
	fault_set set = between(first, last);
	*out |= set;
	return set != 0;
}

bool fault_set_read(const char *text, fault_set *out, const char **wrong)
{
	*out = 0;
	if (strcmp(text, "none") == 0)
		return true;
	if (strcmp(text, "all") == 0) {
		*out = FAULT_ALL;
		return true;
	}
	for (;;) {
		size_t len = strcspn(text, ",");
		*wrong = text;
		if (!read_word(text, len, out))
			return false;
		if (!text[len])
			return true;
		text += len + 1;
	}
}

void fault_set_write(fault_set set, char *out, size_t cap)
{
	size_t len = 0;
	if (!set)
		snprintf(out, cap, "none");
	for (unsigned i = 0; i < FAULT_COUNT && len < cap; i++)
		if (set >> i & 1)
			len += (size_t)snprintf(
				out + len, cap - len, "%s%s", len ? "," : "", table[i].name);
}
