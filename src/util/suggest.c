/* SPDX-License-Identifier: Apache-2.0 */
/* Did you mean? The number of letters to add, drop, change or swap between two words (optimal string alignment). */
#include "util/suggest.h"

#include <string.h>

#include "util/mem.h"

#define WORD_MAX 32

static size_t min3(size_t a, size_t b, size_t c)
{
	size_t least = a < b ? a : b;

	return least < c ? least : c;
}

static size_t edit_distance(const char *a, const char *b)
{
	size_t rows[3][WORD_MAX + 1]; /* the two rows before, and this one, in turn */
	size_t m = strlen(a), n = strlen(b);

	for (size_t j = 0; j <= n; j++)
		rows[0][j] = j;
	for (size_t i = 1; i <= m; i++) {
		const size_t *above = rows[(i - 1) % 3], *before = rows[(i + 1) % 3];
		size_t *row = rows[i % 3];

		row[0] = i;
		for (size_t j = 1; j <= n; j++) {
			row[j] = min3(above[j] + 1, row[j - 1] + 1, above[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] && before[j - 2] + 1 < row[j])
				row[j] = before[j - 2] + 1;
		}
	}
	return rows[m % 3][n];
}

const char *suggest(const char *word, const char *const *names)
{
	size_t len = strlen(word);
	size_t best = len < 4 ? 2 : 3; /* at most one slip in a short word, two in a longer one */
	const char *found = NULL;

	if (len == 0 || len > WORD_MAX)
		return NULL;
	for (; *names; names++) {
		size_t distance = strlen(*names) > WORD_MAX ? best : edit_distance(word, *names);

		if (distance < best && distance < len) {
			best = distance;
			found = *names;
		}
	}
	return found;
}

const char *suggest_of(const char *word, const struct strlist *list)
{
	auto_free const char **words = xcalloc(list->count + 1, sizeof(*words));

	for (size_t i = 0; i < list->count; i++)
		words[i] = list->items[i];
	return suggest(word, words);
}
