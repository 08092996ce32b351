/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which version of each kind to read. A custom kind is read at the storage version of its definition: at another one the conversion
 * webhook would have to be up, and fields that only the stored version knows would be lost.
 */
#include <stdlib.h>
#include <string.h>

#include "cache.h"
#include "internal.h"
#include "kube/list.h"
#include "kube/object_api.h"
#include "object/canonical.h"
#include "object/clean.h"
#include "object/fieldpath.h"
#include "object/schema.h"
#include "policy/policy.h"
#include "store/git.h"
#include "util/error.h"
#include "util/hash.h"
#include "util/json.h"
#include "util/log.h"
#include "util/strbuf.h"

/* What of a definition is this cluster's: everything else goes to crds/ as it is. */
static const char *const definition_strip[] = {
	"metadata.uid",
	"metadata.resourceVersion",
	"metadata.generation",
	"metadata.creationTimestamp",
	"metadata.managedFields",
	"metadata.selfLink",
	/* an owner of the old cluster would have the new one's garbage collector delete the definition, and with it all its objects */
	"metadata.ownerReferences",
	"metadata.finalizers",
	"metadata.deletionTimestamp",
	"metadata.deletionGracePeriodSeconds",
	"metadata.annotations['kubectl.kubernetes.io/last-applied-configuration']",
	"spec.conversion.webhook.clientConfig.caBundle",
	"status",
};
#define DEFINITION_STRIP_COUNT (sizeof(definition_strip) / sizeof(definition_strip[0]))

static int definition_clean(json_t *definition, struct error *err)
{
	struct fieldpath *strip[DEFINITION_STRIP_COUNT] = {0};
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < DEFINITION_STRIP_COUNT; i++)
		rc = fieldpath_parse(&strip[i], definition_strip[i], err);
	if (rc == 0)
		clean_object(definition, strip, DEFINITION_STRIP_COUNT);
	for (size_t i = 0; i < DEFINITION_STRIP_COUNT; i++)
		fieldpath_free(strip[i]);
	return rc;
}

/*
 * At the storage version where it is served; else at the preferred one, which loses what only the stored version knows: said aloud, and
 * written down as two versions. NULL: the definition names none.
 */
static void read_at_storage_version(const struct capture *c, struct capture_kind *kind, const char *storage)
{
	const struct kube_resource *stored =
		storage ? discovery_find(c->discovery, kind->resource.group, kind->resource.resource, storage) : NULL;

	kind->custom = true;
	kind->storage_version = xstrdup(storage);
	if (stored) {
		free(kind->resource.version);
		kind->resource.version = xstrdup(stored->version);
	} else {
		log_warning("%s.%s is stored at version %s, which is not served: it is read at %s, fields that only the stored version has "
			    "are lost",
			kind->resource.resource, kind->resource.group, storage ? storage : "(none)", kind->resource.version);
	}
}

static void capture_kind_set(struct capture_kind *kind, const struct kube_resource *found)
{
	kind->served = true;
	kind->resource.group = xstrdup(found->group);
	kind->resource.version = xstrdup(found->version);
	kind->resource.resource = xstrdup(found->resource);
	kind->resource.kind = xstrdup(found->kind);
	kind->resource.namespaced = found->namespaced;
}

/* Definitions may have megabytes: so few of them are a page. */
#define DEFINITIONS_PAGE 8
/* So many are asked for one by one; when more are missing, all definitions of the cluster are read page by page. */
#define DEFINITIONS_BY_NAME 4
/* Of their metadata, where an annotation may hold a whole definition. */
#define METADATA_PAGE 100

/* The definition of a kind that may have one. */
struct wanted {
	struct capture_kind *kind;
	char *name;
	char *uid; /* NULL: there is none as far as is known */
	bool taken;
};

struct definitions {
	struct capture *c;
	const struct kube_resource *resource;
	struct wanted *wanted; /* in the policy's order */
	size_t count;
};

static void definitions_release(struct definitions *definitions)
{
	for (size_t i = 0; i < definitions->count; i++) {
		free(definitions->wanted[i].name);
		free(definitions->wanted[i].uid);
	}
	free(definitions->wanted);
}
#define auto_definitions __attribute__((cleanup(definitions_release)))

/* ---- one definition ---- */

/* In the cache. */
static void definition_key(const json_t *definition, struct strbuf *out)
{
	const char *uid = json_text_at(definition, "metadata", "uid", NULL);
	const char *version = json_text_at(definition, "metadata", "resourceVersion", NULL);

	strbuf_addf(out, "definition/%s/%s", uid ? uid : "", version ? version : "");
}

/* What a definition says of its kind, beside its file. All borrowed. */
struct told {
	const char *schema, *conversion, *storage, *older; /* "" for none */
};

/* The record: id, SHA-256 and length of the file, then what is told, a space between each. */
enum { RECORD_ID, RECORD_SHA256, RECORD_LEN, RECORD_SCHEMA, RECORD_CONVERSION, RECORD_STORAGE, RECORD_OLDER, RECORD_FIELDS };

static void definition_keep(const struct capture *c, const char *key, const struct told *told)
{
	auto_strbuf struct strbuf record = STRBUF_INIT;
	struct git_file file;

	git_write_last(c->write, &file);
	strbuf_addf(&record, "%s %s %zu %s %s %s %s", file.id, file.sha256, file.len, told->schema, told->conversion, told->storage,
		told->older);
	cache_keep(c->cache, key, &record);
}

/* told borrows from text, which is cut up; false when it is no such record. */
static bool definition_known(char *text, struct git_file *file, struct told *told)
{
	char *fields[RECORD_FIELDS] = {0}, *end;

	for (size_t i = 0; i < RECORD_FIELDS; i++)
		fields[i] = strsep(&text, " ");
	if (text || !fields[RECORD_OLDER] || strlen(fields[RECORD_ID]) != sizeof(file->id) - 1 ||
		strlen(fields[RECORD_SHA256]) != sizeof(file->sha256) - 1)
		return false;
	memcpy(file->id, fields[RECORD_ID], sizeof(file->id));
	memcpy(file->sha256, fields[RECORD_SHA256], sizeof(file->sha256));
	file->len = strtoull(fields[RECORD_LEN], &end, 10);
	*told = (struct told){.schema = fields[RECORD_SCHEMA],
		.conversion = fields[RECORD_CONVERSION],
		.storage = fields[RECORD_STORAGE],
		.older = fields[RECORD_OLDER]};
	return *end == '\0';
}

/*
 * Where a webhook converts, that is how an upgrade leaves a cluster, and is written down only. Where nothing does, what only the older version has is lost at
 * the next write, and the older version cannot be dropped from the definition.
 */
static void warn_of_older(const struct capture_kind *kind)
{
	if (!*kind->older_versions || !kind->storage_version || strcmp(kind->conversion, "None") != 0)
		return;
	log_warning("%s.%s: objects may still be stored at %s, and nothing converts them to %s (conversion: None): write each of them "
		    "again before that "
		    "version is dropped",
		kind->resource.resource, kind->resource.group, kind->older_versions, kind->storage_version);
}

static void kind_told(const struct capture *c, struct capture_kind *kind, const struct told *told)
{
	read_at_storage_version(c, kind, *told->storage ? told->storage : NULL);
	kind->schema_sha256 = xstrdup(told->schema);
	kind->conversion = xstrdup(told->conversion);
	kind->older_versions = xstrdup(told->older);
	warn_of_older(kind);
}

/* When this version of it is known from the last capture, and its file is still there, nothing more is asked. */
static int definition_reuse(struct capture *c, struct wanted *wanted, const json_t *metadata_only, struct error *err)
{
	auto_strbuf struct strbuf key = STRBUF_INIT, record = STRBUF_INIT;
	auto_free char *path = xasprintf("crds/%s.yaml", wanted->name), *text = NULL;
	struct git_file file;
	struct told told;
	int rc;

	definition_key(metadata_only, &key);
	if (!cache_find(c->cache, key.buf, &record))
		return 0;
	text = xstrndup(record.buf, record.len);
	rc = definition_known(text, &file, &told) ? git_write_reuse(c->write, path, &file, err) : 0;
	if (rc <= 0)
		return rc;
	cache_keep(c->cache, key.buf, &record);
	kind_told(c, wanted->kind, &told);
	wanted->taken = true;
	return 0;
}

/* Of the version that objects are stored at: whether two clusters have the same one is seen without the definition. */
static void schema_hash(const json_t *definition, const char *storage, char out[HASH_HEX_SIZE])
{
	const json_t *schema = storage ? json_at(definition_version(definition, storage), "schema", "openAPIV3Schema", NULL) : NULL;
	auto_strbuf struct strbuf text = STRBUF_INIT;

	*out = '\0';
	if (!schema)
		return;
	json_write(schema, &text);
	hash_sha256(text.buf, text.len, out);
}

/* With a comma between two. What no API server would call a version could be read as something else in a record. */
static void older_versions(const json_t *definition, struct strbuf *out)
{
	auto_json json_t *versions = definition_older_versions(definition);
	json_t *version;
	size_t i;

	json_array_foreach (versions, i, version)
		if (!strpbrk(json_string_value(version), " ,"))
			strbuf_addf(out, "%s%s", out->len > 0 ? "," : "", json_string_value(version));
}

/* Written at once: as values the larger ones take tens of megabytes. */
static int definition_take(struct capture *c, struct wanted *wanted, json_t *definition, struct error *err)
{
	auto_strbuf struct strbuf key = STRBUF_INIT, text = STRBUF_INIT, older = STRBUF_INIT;
	auto_free char *path = xasprintf("crds/%s.yaml", wanted->name);
	char schema[HASH_HEX_SIZE];
	const char *storage = definition_storage_version(definition),
		   *conversion = json_text_at(definition, "spec", "conversion", "strategy", NULL);
	struct told told = {.schema = schema,
		.conversion = conversion && !strpbrk(conversion, " ") ? conversion : "None",
		.storage = storage ? storage : ""};

	older_versions(definition, &older);
	told.older = older.buf;
	schema_hash(definition, storage, schema);
	definition_key(definition, &key);
	kind_told(c, wanted->kind, &told);
	if (definition_clean(definition, err) < 0)
		return -1;
	canonical_yaml(definition, &text);
	if (git_write_file(c->write, path, text.buf, text.len, err) < 0)
		return -1;
	definition_keep(c, key.buf, &told);
	wanted->taken = true;
	return 0;
}

/* ---- finding them ---- */

static struct wanted *wanted_of(const struct definitions *definitions, const json_t *item)
{
	const char *name = json_text_at(item, "metadata", "name", NULL);

	for (size_t i = 0; name && i < definitions->count; i++)
		if (strcmp(definitions->wanted[i].name, name) == 0)
			return &definitions->wanted[i];
	return NULL;
}

static int metadata_item(json_t *item, void *arg, struct error *err)
{
	const struct definitions *definitions = arg;
	struct wanted *wanted = wanted_of(definitions, item);
	const char *uid = json_text_at(item, "metadata", "uid", NULL);

	if (!wanted)
		return 0;
	free(wanted->uid);
	wanted->uid = xstrdup(uid ? uid : "");
	return definition_reuse(definitions->c, wanted, item, err);
}

/* Of a page of whole definitions only those that are wanted are parsed. */
static int definition_raw(const struct kube_raw *raw, void *arg, struct error *err)
{
	const struct definitions *definitions = arg;

	(void)err;
	for (size_t i = 0; i < definitions->count; i++) {
		const struct wanted *wanted = &definitions->wanted[i];

		if (wanted->uid && !wanted->taken && strlen(wanted->uid) == raw->uid_len &&
			memcmp(wanted->uid, raw->uid, raw->uid_len) == 0)
			return 0;
	}
	return 1;
}

static int definition_item(json_t *item, void *arg, struct error *err)
{
	const struct definitions *definitions = arg;
	struct wanted *wanted = wanted_of(definitions, item);

	return wanted && !wanted->taken ? definition_take(definitions->c, wanted, item, err) : 0;
}

/* name NULL: all. */
static int definitions_list(struct definitions *definitions, const char *name, struct error *err)
{
	const struct kube_list_options options = {.name = name, .page_size = DEFINITIONS_PAGE};
	const struct kube_list_sink sink = {.raw = definition_raw, .item = definition_item, .arg = definitions};

	return kube_list(definitions->c->client, definitions->resource, &options, &sink, NULL, err);
}

/* Those that there are and the last capture did not know. One that is gone meanwhile is none. */
static int definitions_fetch(struct definitions *definitions, struct error *err)
{
	size_t missing = 0;

	for (size_t i = 0; i < definitions->count; i++)
		missing += definitions->wanted[i].uid && !definitions->wanted[i].taken;
	if (missing > DEFINITIONS_BY_NAME)
		return definitions_list(definitions, NULL, err);
	for (size_t i = 0; i < definitions->count; i++) {
		const struct wanted *wanted = &definitions->wanted[i];

		if (wanted->uid && !wanted->taken && definitions_list(definitions, wanted->name, err) < 0)
			return error_wrap(err, "definition of %s", wanted->name);
	}
	return 0;
}

/*
 * The rights to some of them by name are no right to list. A kind whose definition may not be read is read at the preferred version, and the
 * snapshot says so.
 */
static int definitions_get(struct definitions *definitions, struct error *err)
{
	struct capture *c = definitions->c;

	for (size_t i = 0; i < definitions->count; i++) {
		struct wanted *wanted = &definitions->wanted[i];
		auto_json json_t *definition = NULL;

		if (wanted->taken)
			continue;
		if (kube_get(c->client, definitions->resource, NULL, wanted->name, &definition, err) == 0) {
			if (definition_take(c, wanted, definition, err) < 0)
				return -1;
			continue;
		}
		if (err->code == ERR_FORBIDDEN)
			json_array_append_new(c->undefined, json_string(wanted->name));
		else if (err->code != ERR_NOT_FOUND) /* not there: built into the server, or of an aggregated API */
			return error_wrap(err, "definition of %s", wanted->name);
		error_clear(err);
	}
	return 0;
}

/* What they are of is asked first, by metadata: mostly all of them are known from the last capture. */
static int definitions_read(struct definitions *definitions, struct error *err)
{
	const struct kube_list_options options = {.metadata_only = true, .page_size = METADATA_PAGE};
	const struct kube_list_sink sink = {.item = metadata_item, .arg = definitions};

	if (definitions->count == 0)
		return 0;
	if (kube_list(definitions->c->client, definitions->resource, &options, &sink, NULL, err) == 0)
		return definitions_fetch(definitions, err);
	if (err->code != ERR_FORBIDDEN)
		return -1;
	error_clear(err);
	return definitions_get(definitions, err);
}

/* ---- kinds ---- */

static json_t *definition_versions(const struct capture *c, const struct policy_kind *row)
{
	auto_free const char **versions = discovery_versions(c->discovery, row->group, row->resource);
	json_t *list = json_array();

	for (size_t i = 0; versions && versions[i]; i++)
		json_array_append_new(list, json_string(versions[i]));
	return list;
}

static int kind_load(struct capture *c, struct capture_kind *kind, struct error *err)
{
	const struct policy_kind *row = kind->row;
	const struct kube_resource *found = discovery_find(c->discovery, row->group, row->resource, NULL);

	if (!found && discovery_incomplete(c->discovery, row->group))
		return error_set(err, ERR_UNAVAILABLE, "the API server cannot say whether it serves %s.%s: discovery of the group failed",
			row->resource, row->group);
	if (!found && row->required) {
		error_set(err, ERR_FAILED, "the cluster does not serve %s.%s, which the policy requires", row->resource, row->group);
		return error_hint(err, "install its definitions, or use a policy whose row says 'presence: optional'");
	}
	if (!found) {
		log_debug("%s.%s is not served, nothing to capture", row->resource, row->group);
		return 0;
	}
	capture_kind_set(kind, found);
	kind->served_versions = definition_versions(c, row);
	return 0;
}

static void definitions_want(struct definitions *definitions, struct capture_kind *kind)
{
	struct wanted *wanted = &definitions->wanted[definitions->count++];

	wanted->kind = kind;
	wanted->name = xasprintf("%s.%s", kind->resource.resource, kind->resource.group);
}

int definitions_load(struct capture *c, struct error *err)
{
	auto_definitions struct definitions definitions = {.c = c,
		.resource = discovery_find(c->discovery, "apiextensions.k8s.io", "customresourcedefinitions", NULL),
		.wanted = xcalloc(c->policy->kind_count, sizeof(struct wanted))};
	int carried;

	for (size_t i = 0; i < c->policy->kind_count; i++) {
		struct capture_kind *kind = &c->kinds[i];

		kind->row = &c->policy->kinds[i];
		carried = carry_load(c, kind, err);
		if (carried < 0)
			return -1;
		if (!carried && kind_load(c, kind, err) < 0) {
			c->failing = kind;
			return -1;
		}
		if (!carried && definitions.resource && kind->served && policy_group_may_be_custom(kind->row->group))
			definitions_want(&definitions, kind);
	}
	return definitions_read(&definitions, err);
}
