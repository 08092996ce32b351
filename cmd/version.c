/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "command.h"
#include "output.h"
#include "util/json.h"

/* "name version" pairs as pkg-config gave them at build time, parted by spaces. */
#ifndef RHAII_LIBRARIES
#define RHAII_LIBRARIES "jansson " JANSSON_VERSION
#endif

static json_t *libraries(void)
{
	auto_free char *copy = xstrdup(RHAII_LIBRARIES);
	json_t *all = json_object();
	char *rest = NULL;

	for (char *name = strtok_r(copy, " ", &rest); name; name = strtok_r(NULL, " ", &rest)) {
		const char *version = strtok_r(NULL, " ", &rest);

		json_object_set_new(all, name, version ? json_string(version) : json_null());
	}
	return all;
}

int command_version(struct context *ctx, struct error *err)
{
	(void)err;
	ctx->result = json_pack(
		"{s:s, s:o, s:{s:i}}", "version", RHAII_VERSION, "libraries", libraries(), "formats", "snapshot", SNAPSHOT_FORMAT);
	return 0;
}

void print_version(struct output *out, const json_t *result)
{
	output_line(out, "rhaii-dr %s", json_text_at(result, "version", NULL));
}
