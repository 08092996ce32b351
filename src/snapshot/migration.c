/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A storage migration: the objects of a kind are stored, and so read, at another version than at the branch head. That is a commit of its own, titled so.
 * Where people have changed something besides, it comes first, made of the head: with the objects that differ by it alone, the definitions, and what
 * the documents say of the kinds. An object differs by it alone when its apiVersion is all that differs, or when the server, asked for the version of the
 * head, gives what the head has. What people changed follows in the next commit. The branch moves once, to the second.
 */
#include <stdlib.h>
#include <string.h>

#include "internal.h"
#include "kube/discovery.h"
#include "kube/list.h"
#include "object/canonical.h"
#include "object/object.h"
#include "policy/policy.h"
#include "snapshot/capture.h"
#include "store/git.h"
#include "store/tree.h"
#include "util/error.h"
#include "util/hash.h"
#include "util/json.h"
#include "util/log.h"
#include "util/strbuf.h"
#include "util/yaml.h"

#define TITLE_KINDS 3

struct migration_step {
	time_t time;
	char manifest[65], id[GIT_ID_SIZE]; /* id "": there is none */
};

static char *name_of(const struct capture_kind *kind)
{
	return xasprintf("%s.%s", kind->row->resource, kind->row->group);
}

/* ---- finding out ---- */

static json_t *kind_row(const json_t *info, const struct capture_kind *kind)
{
	json_t *row;
	size_t i;

	json_array_foreach (json_object_get(info, "kinds"), i, row) {
		const char *group = json_text_at(row, "group", NULL), *resource = json_text_at(row, "resource", NULL);

		if (group && resource && strcmp(group, kind->row->group) == 0 && strcmp(resource, kind->row->resource) == 0)
			return row;
	}
	return NULL;
}

/* A kind of which either version is not known has not migrated, as far as anybody can say. */
static void find_kinds(struct capture *c, const json_t *info)
{
	for (size_t i = 0; i < c->policy->kind_count; i++) {
		struct capture_kind *kind = &c->kinds[i];
		const char *before = json_text_at(kind_row(info, kind), "storageVersion", NULL);

		if (!before || !kind->storage_version || strcmp(before, kind->storage_version) == 0)
			continue;
		kind->migrated = true;
		json_array_append_new(c->migrated,
			json_pack("{s:o, s:s, s:s}", "name", json_sprintf("%s.%s", kind->row->resource, kind->row->group), "from", before,
				"to", kind->storage_version));
	}
}

/* An object of a migrated kind, or its definition. */
static bool is_of_migrated(const struct capture *c, const char *path)
{
	for (size_t i = 0; i < c->policy->kind_count; i++) {
		auto_free char *name = name_of(&c->kinds[i]), *folder = xasprintf("/%s/", name),
			       *definition = xasprintf("crds/%s.yaml", name);

		if (c->kinds[i].migrated && (strcmp(path, definition) == 0 || (strncmp(path, "objects/", 8) == 0 && strstr(path, folder))))
			return true;
	}
	return false;
}

/* apiVersion is the first key of every object. */
static bool differ_by_version_alone(const struct git_blob *old, const struct git_blob *new_)
{
	static const char key[] = "apiVersion: ";
	const char *a = memchr(old->data, '\n', old->len), *b = memchr(new_->data, '\n', new_->len);
	size_t left;

	if (!a || !b || strncmp(old->data, key, sizeof(key) - 1) != 0 || strncmp(new_->data, key, sizeof(key) - 1) != 0)
		return false;
	left = old->len - (size_t)(a - old->data);
	return left == new_->len - (size_t)(b - new_->data) && memcmp(a, b, left) == 0;
}

/* An object that differs by more than its apiVersion: a webhook may have renamed fields, or somebody has changed it. */
struct converted {
	char head[HASH_HEX_SIZE]; /* of the head's text */
	char *text;               /* as it is now; NULL: it has turned out to differ by the migration alone */
};

static void converted_free(void *value)
{
	struct converted *converted = value;

	free(converted->text);
	free(converted);
}

struct look {
	struct capture *c;
	struct map converted; /* path -> struct converted */
};

static void remember_converted(struct look *look, const char *path, const struct git_blob *old, const struct git_blob *new_)
{
	struct converted *converted = xcalloc(1, sizeof(*converted));

	hash_sha256(old->data, old->len, converted->head);
	converted->text = xstrndup(new_->data, new_->len);
	map_put(&look->converted, path, converted);
}

static int look_at(const char *path, const struct git_blob *old, const struct git_blob *new_, void *arg)
{
	struct look *look = arg;
	struct capture *c = look->c;
	bool is_object = strncmp(path, "objects/", 8) == 0, migrated = new_ && is_of_migrated(c, path);

	if (migrated && (!is_object || (old && differ_by_version_alone(old, new_))))
		free(map_put(&c->migrated_texts, path, xstrndup(new_->data, new_->len)));
	else if (migrated && old)
		remember_converted(look, path, old, new_);
	else if (is_object)
		c->changed_besides++;
	return 0;
}

/* ---- what the server makes of them at the version of the head ---- */

struct as_before {
	struct look *look;
	const struct capture_kind *kind;
};

static int item_as_before(json_t *item, void *arg, struct error *err)
{
	const struct as_before *before = arg;
	auto_strbuf struct strbuf path = STRBUF_INIT, text = STRBUF_INIT;
	char hash[HASH_HEX_SIZE];
	struct converted *converted;
	struct object *object;

	if (object_new(&object, before->kind->resource.resource, item, err) < 0)
		return -1;
	object_path(object, &path);
	converted = map_get(&before->look->converted, path.buf);
	if (converted && converted->text) {
		policy_clean(before->kind->row, object->json);
		canonical_yaml(object->json, &text);
		hash_sha256(text.buf, text.len, hash);
		if (strcmp(hash, converted->head) == 0) {
			free(map_put(&before->look->c->migrated_texts, path.buf, converted->text));
			converted->text = NULL;
		}
	}
	object_free(object);
	return 0;
}

/* An item stands for itself: those given before the list began anew still hold. */
static void restart_as_before(void *arg)
{
	(void)arg;
}

/* At the moment of the capture. What is not answered has changed, as far as anybody can say. */
static void ask_as_before(struct look *look, const struct capture_kind *kind, const struct kube_resource *at, const char *namespace_)
{
	const struct capture *c = look->c;
	struct as_before before = {.look = look, .kind = kind};
	const struct kube_list_options options = {
		.namespace_ = namespace_, .page_size = c->options->page_size, .at_version = c->together ? c->resource_version : NULL};
	const struct kube_list_sink sink = {.item = item_as_before, .restart = restart_as_before, .arg = &before};
	struct error err = ERROR_INIT;

	if (kube_list(c->client, at, &options, &sink, NULL, &err) < 0)
		log_debug("what a migration changed besides the version: %s", err.text);
}

static void ask_kind_as_before(struct look *look, const struct capture_kind *kind, const json_t *info)
{
	const struct capture *c = look->c;
	const char *version = json_text_at(kind_row(info, kind), "version", NULL);
	const struct kube_resource *at = version ? discovery_find(c->discovery, kind->row->group, kind->row->resource, version) : NULL;

	if (!at)
		return;
	if (!at->namespaced || !capture_is_narrowed(c)) {
		ask_as_before(look, kind, at, NULL);
		return;
	}
	for (size_t i = 0; i < c->namespaces.count; i++)
		ask_as_before(look, kind, at, c->namespaces.items[i]);
}

static void settle_converted(struct look *look, const json_t *info)
{
	struct capture *c = look->c;
	const struct map_entry *entry;
	size_t at = 0;

	for (size_t i = 0; look->converted.count && i < c->policy->kind_count; i++)
		if (c->kinds[i].migrated)
			ask_kind_as_before(look, &c->kinds[i], info);
	while ((entry = map_next(&look->converted, &at)))
		c->changed_besides += ((const struct converted *)entry->value)->text != NULL;
	map_release(&look->converted, converted_free);
}

static json_t *read_info(struct git_store *store, const char *commit)
{
	auto_strbuf struct strbuf text = STRBUF_INIT;
	struct error ignored = ERROR_INIT; /* the guards say so */

	return git_read_file(store, commit, "snapshot.yaml", &text, &ignored) == 0 ? yaml_read(text.buf, text.len, &ignored) : NULL;
}

int migration_find(struct capture *c, struct git_store *store, const char *head, struct error *err)
{
	auto_json json_t *info = read_info(store, head);
	struct look look = {.c = c};
	int rc;

	find_kinds(c, info);
	if (json_array_size(c->migrated) == 0)
		return 0;
	rc = git_write_changes(c->write, look_at, &look, err);
	settle_converted(&look, info);
	if (rc == 0)
		return 0;
	if (err->code != ERR_INTEGRITY)
		return -1;
	error_clear(err); /* changes_collect has said so */
	return 0;
}

bool migration_is_all(const struct capture *c)
{
	return json_array_size(c->migrated) > 0 && c->changed_besides == 0;
}

void migration_title(const struct capture *c, struct strbuf *out)
{
	size_t count = json_array_size(c->migrated);

	strbuf_adds(out, "storage version of ");
	for (size_t i = 0; i < count && i < TITLE_KINDS; i++) {
		const json_t *kind = json_array_get(c->migrated, i);

		strbuf_addf(out, "%s%s %s -> %s", i ? ", " : "", json_text_at(kind, "name", NULL), json_text_at(kind, "from", NULL),
			json_text_at(kind, "to", NULL));
	}
	if (count > TITLE_KINDS)
		strbuf_addf(out, " and of %zu more kinds", count - TITLE_KINDS);
}

/* ---- the commit of its own ---- */

/* The head's row, as the kind is now; it counts the head's objects. */
static void migrate_row(json_t *row, json_t *now)
{
	auto_json json_t *count = json_incref(json_object_get(row, "count"));

	json_object_update(row, now);
	if (count)
		json_object_set(row, "count", count);
}

static void migrate_info(const struct capture *c, json_t *info)
{
	for (size_t i = 0; i < c->policy->kind_count; i++) {
		auto_json json_t *now = c->kinds[i].migrated ? document_kind(&c->kinds[i]) : NULL;

		if (now)
			migrate_row(kind_row(info, &c->kinds[i]), now);
	}
}

static void migrate_requirements(const struct capture *c, json_t *requirements)
{
	json_t *row;
	size_t at;

	for (size_t i = 0; i < c->policy->kind_count; i++) {
		auto_json json_t *now = c->kinds[i].migrated ? document_definition(&c->kinds[i]) : NULL;
		auto_free char *name = name_of(&c->kinds[i]);

		json_array_foreach (json_object_get(requirements, "definitions"), at, row) {
			const char *its = json_text_at(row, "name", NULL);

			if (now && its && strcmp(its, name) == 0)
				migrate_row(row, now);
		}
	}
}

static int write_document(const struct capture *c, struct git_write *step, const struct tree_file *file,
	void (*migrate)(const struct capture *c, json_t *document), struct error *err)
{
	auto_json json_t *document = yaml_read(file->data, file->len, err);
	auto_strbuf struct strbuf text = STRBUF_INIT;

	if (!document)
		return -1;
	migrate(c, document);
	canonical_yaml(document, &text);
	return git_write_file(step, file->path, text.buf, text.len, err);
}

static int write_step_file(const struct capture *c, struct git_write *step, const struct tree_file *file, struct error *err)
{
	const char *text = map_get(&c->migrated_texts, file->path);

	if (strcmp(file->path, "snapshot.yaml") == 0)
		return write_document(c, step, file, migrate_info, err);
	if (strcmp(file->path, "requirements.yaml") == 0)
		return write_document(c, step, file, migrate_requirements, err);
	return git_write_file(step, file->path, text ? text : file->data, text ? strlen(text) : file->len, err);
}

static void step_message(const struct capture *c, const struct git_commit *head, const struct migration_step *step, struct strbuf *out)
{
	strbuf_addf(out, "%s: ", c->options->cluster);
	migration_title(c, out);
	strbuf_adds(out, "\n\nWhat the other version alone makes different. What else has changed is in the next commit.\n");
	capture_trailers(c, step->time, step->manifest, out);
	if (head->maintenance)
		strbuf_addf(out, "Maintenance: %s\n", head->maintenance);
}

static int write_step(struct capture *c, struct git_write *write, const struct git_commit *head, const struct tree *tree,
	struct migration_step *step, struct error *err)
{
	auto_strbuf struct strbuf message = STRBUF_INIT;
	char id[GIT_ID_SIZE];
	bool unchanged;

	for (size_t i = 0; i < tree->count; i++)
		if (write_step_file(c, write, &tree->files[i], err) < 0)
			return -1;
	if (git_write_finish(write, id, step->manifest, &unchanged, err) < 0)
		return -1;
	step_message(c, head, step, &message);
	return git_write_step(write, message.buf, step->time, step->id, err);
}

/* What a hand has done to the head must not go on under our name: then the next commit has it all. */
static int make_step(
	struct capture *c, struct git_store *store, const struct git_commit *head, struct migration_step *step, struct error *err)
{
	__attribute__((cleanup(tree_release))) struct tree tree = {0};
	struct git_write *write = NULL;
	int rc;

	if (git_read_tree(store, head->id, &tree, err) < 0 || !git_commit_vouches(head, &tree)) {
		log_debug("no commit of its own for the storage migration: the branch head is not a whole snapshot");
		error_clear(err);
		return 0;
	}
	rc = git_write_begin(&write, store, c->options->cluster, err);
	if (rc == 0)
		rc = write_step(c, write, head, &tree, step, err);
	git_write_free(write);
	return rc;
}

int migration_commit(struct capture *c, struct git_store *store, const char *head, time_t time, struct error *err)
{
	__attribute__((cleanup(git_commit_release))) struct git_commit commit = {0};
	struct migration_step step = {.time = time};

	if (json_array_size(c->migrated) == 0 || c->changed_besides == 0)
		return 0;
	if (git_read_commit(store, head, &commit, err) < 0 || make_step(c, store, &commit, &step, err) < 0)
		return error_wrap(err, "the commit of the storage migration");
	return *step.id ? git_write_behind(c->write, step.id, err) : 0;
}
