/* SPDX-License-Identifier: Apache-2.0 */
/* A field path, walked over a value that has something of everything: nothing but paths that are there may be named, and those are gone once removed. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "object/fieldpath.h"
#include "util/error.h"
#include "util/json.h"
#include "util/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char sample[] = "{\"a\":[{\"name\":\"x\",\"v\":[]},{\"name\":\"y\",\"v\":{\"b.c\":1,\"\":2}},[[3]],\"s\"],\"b\":{\"a\":{\"a\":"
			     "{}}},\"'\":{\"*\":\"\"}}";

static int count(json_t *value, const char *concrete, void *arg)
{
	if (!value || !*concrete)
		abort();
	++*(size_t *)arg;
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct error err = ERROR_INIT;
	auto_free char *text = xstrndup(size ? (const char *)data : "", size);
	auto_json json_t *value = json_read(sample, strlen(sample), &err);
	struct fieldpath *path = NULL;
	size_t named = 0, left = 0, missing = 0;

	if (fieldpath_parse(&path, text, &err) < 0)
		return 0;
	fieldpath_each_missing(value, path, count, &missing);
	fieldpath_each(value, path, count, &named);
	if (fieldpath_remove_but(value, path, NULL) != named)
		abort();
	/* Removing an item moves those behind it up, so that a position may name one again. */
	fieldpath_each(value, path, count, &left);
	if (left > 0 && !strpbrk(text, "0123456789"))
		abort();
	fieldpath_free(path);
	return 0;
}
