/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A file of a snapshot: the first line of the input is its path, the rest its text. What object_read takes has that very path, and one that
 * stays inside objects/.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "object/object.h"
#include "util/error.h"
#include "util/mem.h"
#include "util/strbuf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct error err = ERROR_INIT;
	const char *text = (const char *)data, *newline = size ? memchr(data, '\n', size) : NULL;
	auto_free char *path = xstrndup(text ? text : "", newline ? (size_t)(newline - text) : size);
	auto_strbuf struct strbuf again = STRBUF_INIT;
	struct object *object = NULL;

	if (!newline || object_read(&object, path, newline + 1, size - (size_t)(newline + 1 - text), &err) < 0)
		return 0;
	object_path(object, &again);
	if (strcmp(again.buf, path) != 0 || strncmp(path, "objects/", 8) != 0 || strstr(path, "/../") || strstr(path, "//"))
		abort();
	object_free(object);
	return 0;
}
