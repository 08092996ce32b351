/* SPDX-License-Identifier: Apache-2.0 */
/* A drill against the last ones: is it slower than usual? */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "drill/drill.h"
#include "util/json.h"

#define USUAL 5 /* the last so many that passed */

static bool same_text(const json_t *a, const json_t *b, const char *key)
{
	json_t *left = json_object_get(a, key), *right = json_object_get(b, key);

	return left && right ? json_equal(left, right) : left == right;
}

static bool passed(const json_t *point)
{
	const char *result = json_text_at(point, "result", NULL);

	return result && strncmp(result, "passed", strlen("passed")) == 0;
}

/* Whether it is a part of what is compared: measured, and inside the RTO. */
static bool is_compared(const json_t *phase)
{
	const char *how = json_text_at(phase, "how", NULL);

	return how && strcmp(how, "measured") == 0 && json_is_true(json_object_get(phase, "inRto"));
}

/* What the point says of the phases that were measured this time; false where it does not know all of them. */
static bool sum_of(const json_t *record, const json_t *point, double *sum)
{
	const json_t *phase;
	size_t i;

	*sum = 0;
	json_array_foreach (json_object_get(record, "phases"), i, phase) {
		const json_t *milliseconds = json_at(point, "phases", json_text_at(phase, "name", NULL), NULL);

		if (!is_compared(phase))
			continue;
		if (!json_is_integer(milliseconds))
			return false;
		*sum += (double)json_integer_value(milliseconds);
	}
	return *sum > 0;
}

static double own_sum(const json_t *record)
{
	const json_t *phase;
	double sum = 0;
	size_t i;

	json_array_foreach (json_object_get(record, "phases"), i, phase)
		if (is_compared(phase))
			sum += (double)json_integer_value(json_object_get(phase, "milliseconds"));
	return sum;
}

static int by_size(const void *a, const void *b)
{
	double left = *(const double *)a, right = *(const double *)b;

	return (left > right) - (left < right);
}

bool drill_slower(const json_t *record, const json_t *trend, double *percent)
{
	double sums[USUAL], median;
	size_t count = 0;

	for (size_t i = json_array_size(trend); count < USUAL && i-- > 0;) {
		const json_t *point = json_array_get(trend, i);

		if (passed(point) && !same_text(record, point, "id") && same_text(record, point, "kind") &&
			same_text(record, point, "mode") && same_text(record, point, "scenario") && sum_of(record, point, &sums[count]))
			count++;
	}
	if (count == 0)
		return false;
	qsort(sums, count, sizeof(sums[0]), by_size);
	median = count % 2 ? sums[count / 2] : (sums[count / 2 - 1] + sums[count / 2]) / 2;
	*percent = (own_sum(record) - median) / median * 100;
	return true;
}
