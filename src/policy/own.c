/* SPDX-License-Identifier: Apache-2.0 */
/* What a policy strips and keeps: paths of every kind or of some, and which of them its author wrote himself. */
#include <stdlib.h>
#include <string.h>

#include "internal.h"
#include "object/fieldpath.h"
#include "policy/policy.h"
#include "util/error.h"
#include "util/json.h"
#include "util/mem.h"
#include "util/text.h"

#define OWN(member) .offset = offsetof(struct policy_own, member)

static const struct column own_columns[] = {
	{.key = "of", .type = COLUMN_TARGET, OWN(resource), .second = offsetof(struct policy_own, group), .needed = true},
	{.key = "path", .type = COLUMN_PATH, OWN(path), .needed = true},
	{0},
};

/* "PATH", which is of every kind, or {of, path}. */
static int read_own(struct reader *reader, const char *key, const json_t *value, struct policy_own *out)
{
	if (json_is_object(value))
		return reader_row(reader, value, own_columns, out);
	out->resource = xstrdup("*");
	out->group = xstrdup("*");
	return reader_path(reader, key, value, &out->path);
}

void policy_release_own(struct policy_own *own)
{
	free(own->group);
	free(own->resource);
	fieldpath_free(own->path);
}

bool policy_own_applies(const struct policy_own *own, const char *group, const char *resource)
{
	return text_glob(own->group, group) && text_glob(own->resource, resource);
}

int reader_common(struct reader *reader, const char *key, const char *group, const char *resource, struct fieldpath ***paths, size_t *count)
{
	const json_t *list = json_object_get(reader->policy->document, key), *item;
	size_t i;

	if (list && !json_is_array(list))
		return reader_fail(reader, key, "a list is needed for");
	*paths = xcalloc(json_array_size(list) + 1, sizeof(struct fieldpath *));
	json_array_foreach (list, i, item) {
		struct policy_own own = {0};
		int rc = read_own(reader, key, item, &own);

		if (rc == 0 && policy_own_applies(&own, group, resource)) {
			(*paths)[(*count)++] = own.path;
			own.path = NULL; /* given away */
		}
		policy_release_own(&own);
		if (rc < 0)
			return -1;
	}
	return 0;
}

/* ---- the author's own ---- */

static int add_own(struct reader *reader, const json_t *map, bool keep, const json_t *of)
{
	const char *key = keep ? "keep" : "strip", *group = json_text_at(of, "group", NULL);
	struct policy *policy = reader->policy;
	const json_t *item;
	size_t i;

	json_array_foreach (json_object_get(map, key), i, item) {
		struct policy_own *own;

		policy->own = xrealloc(policy->own, (policy->own_count + 1) * sizeof(*policy->own));
		own = &policy->own[policy->own_count++];
		*own = (struct policy_own){.keep = keep};
		if (read_own(reader, key, item, own) < 0)
			return -1;
		if (!of)
			continue;
		free(own->resource);
		free(own->group);
		own->resource = xstrdup(json_text_at(of, "resource", NULL));
		own->group = xstrdup(group ? group : "");
	}
	return 0;
}

int policy_read_own(struct policy *policy, const json_t *document, struct error *err)
{
	struct reader reader = {.policy = policy, .where = "top level", .err = err};
	const json_t *kind;
	size_t i;

	for (int keep = 0; keep <= 1; keep++) {
		if (add_own(&reader, document, keep, NULL) < 0)
			return -1;
		json_array_foreach (json_object_get(document, "kinds"), i, kind)
			if (add_own(&reader, kind, keep, kind) < 0)
				return -1;
	}
	return 0;
}
