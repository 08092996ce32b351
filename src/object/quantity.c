/* SPDX-License-Identifier: Apache-2.0 */
#include "object/quantity.h"

#include <stdlib.h>
#include <string.h>

static const struct suffix {
	const char *text;
	double factor;
} suffixes[] = {
	{"", 1},
	{"n", 1e-9},
	{"u", 1e-6},
	{"m", 1e-3},
	{"k", 1e3},
	{"M", 1e6},
	{"G", 1e9},
	{"T", 1e12},
	{"P", 1e15},
	{"E", 1e18},
	{"Ki", 1024.0},
	{"Mi", 1048576.0},
	{"Gi", 1073741824.0},
	{"Ti", 1099511627776.0},
	{"Pi", 1125899906842624.0},
	{"Ei", 1152921504606846976.0},
};

bool quantity_read(const json_t *value, double *out)
{
	const char *text = json_string_value(value);
	char *end;

	if (json_is_number(value)) {
		*out = json_number_value(value);
		return true;
	}
	if (!text || !strchr("+-.0123456789", *text) || !*text)
		return false;
	*out = strtod(text, &end);
	for (size_t i = 0; end != text && i < sizeof(suffixes) / sizeof(suffixes[0]); i++)
		if (strcmp(end, suffixes[i].text) == 0) {
			*out *= suffixes[i].factor;
			return true;
		}
	return false;
}
