/*
 * Damerau's distance (insert, leave out, replace, swap two neighbours), in three
 * rows. A third of the letters may be wrong, and a beginning ("res") is as good
 * as one wrong letter.
 */
#include "cli/nearest.h"

#include <string.h>

#define WORD_MAX 32

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

static unsigned distance(const char *a, size_t m, const char *b, size_t n)
{
	unsigned row[3][WORD_MAX + 1];
	for (unsigned j = 0; j <= n; j++)
		row[0][j] = j;
	for (unsigned i = 1; i <= m; i++) {
		unsigned *now = row[i % 3], *last = row[(i + 2) % 3], *before = row[(i + 1) % 3];
		now[0] = i;
		for (unsigned j = 1; j <= n; j++) {
			unsigned change = last[j - 1] + (a[i - 1] != b[j - 1]);
			now[j] = least(change, least(last[j], now[j - 1]) + 1);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				now[j] = least(now[j], before[j - 2] + 1);
		}
	}
	return row[m % 3][n];
}

struct nearest nearest_begin(const char *word)
{
	return (struct nearest){ .word = word, .best = (unsigned)strlen(word) / 3 + 2 };
}

bool nearest_try(struct nearest *n, const char *candidate)
{
	size_t a = strlen(n->word), b = strlen(candidate);
	if (a == 0 || a > WORD_MAX || b > WORD_MAX)
		return false;
	unsigned d = distance(n->word, a, candidate, b);
	if (a >= 2 && strncmp(candidate, n->word, a) == 0)
		d = least(d, 1);
	if (d >= n->best)
		return false;
	n->best = d;
	return true;
}
