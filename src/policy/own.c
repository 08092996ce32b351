/* SPDX-License-Identifier: Apache-2.0 */
/* What a policy strips and keeps: paths of every kind or of some, and which of them its author wrote himself. */
#include <stdlib.h>
#include <string.h>

#include "internal.h"
#include "object/clean.h"
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
	{.key = "managers", .type = COLUMN_TEXTS, OWN(managers)},
	{.key = "why", .type = COLUMN_TEXT, OWN(why)},
	{0},
};
/* A row of a kind has no `of`. */
static const struct column *const kind_columns = &own_columns[1];

/* Who has set it is asked of what goes alone, and the reason of it is told. */
static int check_evidence(struct reader *reader, const char *key, const struct policy_own *own)
{
	if (own->managers.count && strcmp(key, "strip") != 0)
		return reader_fail(reader, "managers", "only rows of 'strip' have");
	if ((own->managers.count > 0) != (own->why != NULL))
		return reader_fail(reader, own->why ? "managers" : "why", "the other one of 'managers' and 'why' needs");
	return 0;
}

/* "PATH" or {path, managers, why}; at the top level a path of every kind, or with `of` in the map. */
static int read_own(struct reader *reader, const char *key, const json_t *value, bool of_kind, struct policy_own *out)
{
	if (json_is_object(value))
		return reader_row(reader, value, of_kind ? kind_columns : own_columns, out) < 0 ? -1 : check_evidence(reader, key, out);
	out->resource = xstrdup("*");
	out->group = xstrdup("*");
	return reader_path(reader, key, value, &out->path);
}

void policy_release_own(struct policy_own *own)
{
	free(own->group);
	free(own->resource);
	fieldpath_free(own->path);
	strlist_release(&own->managers);
	free(own->why);
}

bool policy_own_applies(const struct policy_own *own, const char *group, const char *resource)
{
	return text_glob(own->group, group) && text_glob(own->resource, resource);
}

static void give_path(struct policy_own *own, struct fieldpath ***paths, size_t *count)
{
	*paths = xrealloc(*paths, (*count + 1) * sizeof(struct fieldpath *));
	(*paths)[(*count)++] = own->path;
	own->path = NULL;
}

static void give_evidence(struct policy_own *own, struct policy_kind *kind)
{
	kind->evidence = xrealloc(kind->evidence, (kind->evidence_count + 1) * sizeof(*kind->evidence));
	kind->evidence[kind->evidence_count++] = (struct clean_evidence){.path = own->path, .managers = own->managers, .why = own->why};
	own->path = NULL;
	own->managers = (struct strlist)STRLIST_INIT;
	own->why = NULL;
}

static void give(struct policy_own *own, const char *key, struct policy_kind *kind)
{
	if (own->managers.count)
		give_evidence(own, kind);
	else if (strcmp(key, "strip") == 0)
		give_path(own, &kind->strip, &kind->strip_count);
	else
		give_path(own, &kind->keep, &kind->keep_count);
}

int reader_own(struct reader *reader, const char *key, const json_t *list, struct policy_kind *kind, const struct reader_kind *of)
{
	const json_t *item;
	size_t i;

	if (list && !json_is_array(list))
		return reader_fail(reader, key, "a list is needed for");
	json_array_foreach (list, i, item) {
		struct policy_own own = {0};
		int rc = read_own(reader, key, item, !of, &own);

		if (rc == 0 && (!of || policy_own_applies(&own, of->group, of->resource)))
			give(&own, key, kind);
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
		if (read_own(reader, key, item, of != NULL, own) < 0)
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
