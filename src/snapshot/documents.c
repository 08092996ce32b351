/* SPDX-License-Identifier: Apache-2.0 */
/* The files of a snapshot beside objects/: snapshot.yaml, policy.yaml, generated.yaml and requirements.yaml (docs/FORMAT.md). */
#include <stdlib.h>
#include <string.h>

#include "internal.h"
#include "object/canonical.h"
#include "policy/policy.h"
#include "snapshot/capture.h"
#include "store/git.h"
#include "store/snapshot.h"
#include "util/error.h"
#include "util/json.h"
#include "util/strbuf.h"

static int document_write(struct capture *c, const char *path, const json_t *document, struct error *err)
{
	auto_strbuf struct strbuf text = STRBUF_INIT;

	canonical_yaml(document, &text);
	return git_write_file(c->write, path, text.buf, text.len, err);
}

static json_t *strlist_array(const struct strlist *list)
{
	json_t *array = json_array();

	for (size_t i = 0; i < list->count; i++)
		json_array_append_new(array, json_string(list->items[i]));
	return array;
}

static json_t *scope_json(const struct capture *c)
{
	if (capture_is_narrowed(c))
		return json_pack("{s:o}", "namespaces", strlist_array(&c->namespaces));
	return json_pack("{s:o}", "excludeNamespaces", strlist_array(&c->policy->exclude_namespaces));
}

/* version is the one that the objects are read and written at. */
json_t *document_kind(const struct capture_kind *kind)
{
	json_t *json = json_pack("{s:s, s:s, s:s, s:s, s:O, s:I}", "group", kind->resource.group, "resource", kind->resource.resource,
		"kind", kind->resource.kind, "version", kind->resource.version, "servedVersions", kind->served_versions, "count",
		(json_int_t)kind->count);

	if (kind->storage_version)
		json_object_set_new(json, "storageVersion", json_string(kind->storage_version));
	return json;
}

static json_t *info_json(const struct capture *c)
{
	json_t *kinds = json_array(), *not_served = json_array();

	for (size_t i = 0; i < c->policy->kind_count; i++) {
		const struct capture_kind *kind = &c->kinds[i];

		if (kind->served)
			json_array_append_new(kinds, document_kind(kind));
		else
			json_array_append_new(
				not_served, json_sprintf("%s%s%s", kind->row->resource, *kind->row->group ? "." : "", kind->row->group));
	}
	return json_pack("{s:i, s:{s:s, s:s}, s:s, s:o, s:s, s:o, s:o, s:O, s:I}", "format", SNAPSHOT_FORMAT, "cluster", "name",
		c->options->cluster, "id", c->cluster_id, "serverVersion", c->server_version, "scope", scope_json(c), "policy",
		c->policy->name, "kinds", kinds, "notServed", not_served, "definitionsNotRead", c->undefined, "orphans",
		(json_int_t)json_array_size(c->orphans));
}

json_t *document_definition(const struct capture_kind *kind)
{
	json_t *json =
		json_pack("{s:o, s:s, s:O}", "name", json_sprintf("%s.%s", kind->resource.resource, kind->resource.group), "storageVersion",
			kind->storage_version ? kind->storage_version : kind->resource.version, "servedVersions", kind->served_versions);

	if (kind->conversion)
		json_object_set_new(json, "conversion", json_string(kind->conversion));
	if (kind->schema_sha256 && *kind->schema_sha256)
		json_object_set_new(json, "schemaSha256", json_string(kind->schema_sha256));
	if (kind->older_versions && *kind->older_versions)
		json_object_set_new(json, "olderVersions", json_string(kind->older_versions));
	return json;
}

static json_t *definitions_json(const struct capture *c)
{
	json_t *list = json_array();

	for (size_t i = 0; i < c->policy->kind_count; i++)
		if (c->kinds[i].custom && c->kinds[i].count > 0)
			json_array_append_new(list, document_definition(&c->kinds[i]));
	return list;
}

/* What tells two entries of one object apart: a path, or a finalizer. */
static const char *detail_of(const json_t *entry)
{
	const char *path = json_text_at(entry, "path", NULL), *finalizer = json_text_at(entry, "finalizer", NULL);

	return path ? path : finalizer ? finalizer : "";
}

static int entry_compare(const void *a, const void *b)
{
	const json_t *x = *(json_t *const *)a, *y = *(json_t *const *)b;
	int order = strcmp(json_text_at(x, "object", NULL), json_text_at(y, "object", NULL));

	return order ? order : strcmp(detail_of(x), detail_of(y));
}

json_t *capture_sorted(const json_t *list)
{
	size_t count = json_array_size(list);
	auto_free json_t **items = xcalloc(count + 1, sizeof(*items));
	json_t *sorted = json_array();

	for (size_t i = 0; i < count; i++)
		items[i] = json_array_get(list, i);
	qsort(items, count, sizeof(json_t *), entry_compare);
	for (size_t i = 0; i < count; i++)
		json_array_append(sorted, items[i]);
	return sorted;
}

/*
 * requirements.yaml. The text of a map is that of its keys in their order: so its long list, which is never there as a value, is put between what stands before it
 * and what stands behind.
 */
static int requirements_write(struct capture *c, struct error *err)
{
	auto_json json_t *before = json_pack("{s:o, s:o, s:o, s:i, s:o, s:o}", "controllers", installation_sorted(c->controllers),
		"definitions", definitions_json(c), "finalizers", capture_sorted(c->finalizers), "format", SNAPSHOT_FORMAT, "notRead",
		installation_sorted(c->not_read), "presets", installation_sorted(c->presets));
	auto_json json_t *behind = json_pack("{s:o}", "webhooks", installation_sorted(c->webhooks));
	auto_strbuf struct strbuf text = STRBUF_INIT;
	size_t start;

	canonical_yaml(before, &text);
	strbuf_adds(&text, "requirements:\n");
	start = text.len;
	needs_requirements(c, &text);
	if (text.len == start) {
		strbuf_truncate(&text, start - 1);
		strbuf_adds(&text, " []\n");
	}
	canonical_yaml(behind, &text);
	return git_write_file(c->write, "requirements.yaml", text.buf, text.len, err);
}

int documents_write(struct capture *c, struct error *err)
{
	auto_json json_t *info = info_json(c), *generated = NULL;

	generated = json_pack("{s:i, s:O, s:O, s:O}", "format", SNAPSHOT_FORMAT, "objects", c->generated, "orphans", c->orphans,
		"notListed", c->not_listed);
	if (document_write(c, "snapshot.yaml", info, err) < 0 || document_write(c, "policy.yaml", c->policy->document, err) < 0 ||
		requirements_write(c, err) < 0 || document_write(c, "generated.yaml", generated, err) < 0)
		return -1;
	return 0;
}
