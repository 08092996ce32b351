/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kinds of `onError: carry` that cannot be read: they keep the state that the branch head has of them, whole, and are marked stale.
 *
 * A capture that meets such a kind starts over and does not ask for it again, so nothing of what its broken lists gave is left anywhere. The objects of the head
 * are then taken as if a list had shown them, with all that follows from them. Of what a live object alone can tell, the head has kept the outcome: its
 * requirements.yaml says what needs a list had answered, its generated.yaml which children the kind had, or was, by name.
 *
 * An owner is told by its uid, which no snapshot keeps. The children that are still there tell it: what generated.yaml names as a child of a carried object has
 * that object's uid in its own ownerReference, and with it new children are known too.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"
#include "kube/object_api.h"
#include "object/object.h"
#include "owners.h"
#include "policy/policy.h"
#include "store/git.h"
#include "store/stale.h"
#include "store/tree.h"
#include "util/clock.h"
#include "util/error.h"
#include "util/json.h"
#include "util/log.h"
#include "util/strbuf.h"
#include "util/yaml.h"

struct carry {
	struct git_store *store;
	const char *cluster;
	json_t *stale; /* [{group, resource, since, error}]: the kinds that are carried */

	/* The branch head, once it is needed. */
	bool loaded;
	struct tree tree;
	json_t *info, *generated, *requirements;
	json_t *marks;                  /* what was stale then, as of stale_of */
	char captured[CLOCK_TEXT_SIZE]; /* when it was last looked at */
	struct map states;              /* key of a need -> its state, borrowed from requirements */
};

struct carry *carry_new(struct git_store *store, const char *cluster)
{
	struct carry *carry = xcalloc(1, sizeof(*carry));

	carry->store = store;
	carry->cluster = cluster;
	carry->stale = json_array();
	return carry;
}

void carry_free(struct carry *carry)
{
	json_decref(carry->stale);
	tree_release(&carry->tree);
	json_decref(carry->info);
	json_decref(carry->generated);
	json_decref(carry->requirements);
	json_decref(carry->marks);
	map_release(&carry->states, NULL);
	free(carry);
}

json_t *carry_stale(const struct carry *carry)
{
	return carry->stale;
}

/* The row of a list of maps with group and resource; NULL: none. */
static json_t *find_row(const json_t *list, const struct policy_kind *row)
{
	json_t *item;
	size_t i;

	json_array_foreach (list, i, item) {
		const char *group = json_text_at(item, "group", NULL), *resource = json_text_at(item, "resource", NULL);

		if (group && resource && strcmp(group, row->group) == 0 && strcmp(resource, row->resource) == 0)
			return item;
	}
	return NULL;
}

/* ---- the branch head ---- */

/* Text of a row of our own documents; "" where there is none. Not changed by whoever takes it into a struct of ours. */
static char *text_of(const json_t *row, const char *key)
{
	const char *text = json_text_at(row, key, NULL);

	return (char *)(uintptr_t)(text ? text : "");
}

static int read_document(const struct carry *carry, const char *path, json_t **out, struct error *err)
{
	const struct tree_file *file = tree_find(&carry->tree, path);

	if (!file)
		return error_set(err, ERR_INTEGRITY, "the snapshot before has no '%s'", path);
	*out = yaml_read(file->data, file->len, err);
	return *out ? 0 : error_wrap(err, "'%s' of the snapshot before", path);
}

static void read_states(struct carry *carry)
{
	auto_strbuf struct strbuf key = STRBUF_INIT;
	const json_t *row;
	size_t i;

	json_array_foreach (json_object_get(carry->requirements, "requirements"), i, row) {
		capture_key(&key, text_of(row, "group"), text_of(row, "resource"), text_of(row, "namespace"), text_of(row, "name"));
		map_put(&carry->states, key.buf, text_of(row, "state"));
	}
}

static void read_times(struct carry *carry, const struct git_commit *commit)
{
	struct error ignored = ERROR_INIT;
	time_t when = commit->time, seen = git_captured_at(carry->store, carry->cluster);

	if (commit->captured_at)
		(void)clock_parse(commit->captured_at, &when, &ignored);
	clock_format(seen > when ? seen : when, carry->captured);
	carry->marks = stale_of(carry->store, carry->cluster, commit);
}

/* Only what a snapshot has committed: a hand's change to a kept file would go on under the name of the next snapshot. */
static int read_head(struct carry *carry, const struct git_commit *commit, struct error *err)
{
	if (git_read_tree(carry->store, commit->id, &carry->tree, err) < 0)
		return -1;
	if (!git_commit_vouches(commit, &carry->tree))
		return error_set(err, ERR_FAILED, "commit %.12s, the last one, was not made by a snapshot, or not by it alone", commit->id);
	if (read_document(carry, "snapshot.yaml", &carry->info, err) < 0 ||
		read_document(carry, "generated.yaml", &carry->generated, err) < 0 ||
		read_document(carry, "requirements.yaml", &carry->requirements, err) < 0)
		return -1;
	read_states(carry);
	read_times(carry, commit);
	carry->loaded = true;
	return 0;
}

static int load_head(struct carry *carry, struct error *err)
{
	__attribute__((cleanup(git_commit_release))) struct git_commit commit = {0};
	char id[GIT_ID_SIZE];

	if (carry->loaded)
		return 0;
	if (git_resolve(carry->store, carry->cluster, NULL, id, err) < 0)
		return err->code == ERR_NOT_FOUND ? error_set(err, ERR_NOT_FOUND, "there is no snapshot before this one") : -1;
	if (git_read_commit(carry->store, id, &commit, err) < 0)
		return -1;
	return read_head(carry, &commit, err);
}

/* Whether the head has looked everywhere where this capture looks: else it has only a part of the kind. */
static bool covers(const struct scope *scope, const struct capture *c)
{
	if (!capture_is_narrowed(c) && scope->namespaces.count)
		return false;
	for (size_t i = 0; i < c->namespaces.count; i++)
		if (!scope_covers(scope, c->namespaces.items[i]))
			return false;
	for (size_t i = 0; !capture_is_narrowed(c) && i < scope->excluded.count; i++)
		if (!strlist_contains(&c->policy->exclude_namespaces, scope->excluded.items[i]))
			return false;
	return true;
}

/* Whether the head has a state of the kind that can be kept. */
static int check_head(const struct carry *carry, const struct capture *c, const struct policy_kind *row, struct error *err)
{
	__attribute__((cleanup(scope_release))) struct scope scope;
	const json_t *kind = find_row(json_object_get(carry->info, "kinds"), row);
	const char *id = json_text_at(carry->info, "cluster", "id", NULL);

	scope_read(&scope, carry->info);
	if (!id || strcmp(id, c->cluster_id) != 0)
		return error_set(err, ERR_FAILED, "the snapshot before is of another cluster");
	if (!kind || !json_text_at(kind, "version", NULL) || !json_text_at(kind, "kind", NULL))
		return error_set(err, ERR_FAILED, "the snapshot before does not cover this kind");
	if (!covers(&scope, c))
		return error_set(err, ERR_FAILED, "the snapshot before covers fewer namespaces");
	return 0;
}

/* ---- the fault ---- */

/* Whether it is one that a single kind can have, while the server answers us otherwise: with the credentials or the connection all kinds would be gone. */
static bool is_of_the_kind(const struct capture *c, const struct error *err)
{
	static const enum error_code codes[] = {ERR_FORBIDDEN, ERR_UNAUTHORIZED, ERR_UNAVAILABLE, ERR_GONE, ERR_REJECTED, ERR_SYNTAX};
	auto_free char *version = NULL;
	struct error ignored = ERROR_INIT;

	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		if (err->code == codes[i])
			return kube_server_version(c->client, &version, &ignored) == 0;
	return false;
}

static json_t *new_mark(const struct carry *carry, const struct policy_kind *row, const char *error)
{
	const char *before = json_text_at(find_row(carry->marks, row), "since", NULL);

	return json_pack("{s:s, s:s, s:s, s:s}", "group", row->group, "resource", row->resource, "since", before ? before : carry->captured,
		"error", error);
}

static void add_mark(struct carry *carry, const struct capture *c, const struct policy_kind *row, const char *error)
{
	json_t *sorted = json_array(), *mark;

	for (size_t i = 0; i < c->policy->kind_count; i++) {
		const struct policy_kind *other = &c->policy->kinds[i];

		if (other == row)
			json_array_append_new(sorted, new_mark(carry, row, error));
		else if ((mark = find_row(carry->stale, other)))
			json_array_append(sorted, mark);
	}
	json_decref(carry->stale);
	carry->stale = sorted;
}

bool carry_take(struct carry *carry, const struct capture *c, struct error *err)
{
	const struct policy_kind *row = c->failing ? c->failing->row : NULL;
	const struct error fault = *err;
	struct error why = ERROR_INIT;

	if (!row || row->on_error != ON_ERROR_CARRY || c->sink_failed || !is_of_the_kind(c, err))
		return false;
	if (load_head(carry, &why) == 0 && check_head(carry, c, row, &why) == 0) {
		add_mark(carry, c, row, err->text);
		log_warning("%s; its state of %s is kept", err->text, json_text_at(find_row(carry->stale, row), "since", NULL));
		return true;
	}
	(void)error_set(err, fault.code, "%s; no earlier state of it can be kept: %s", fault.text, why.text);
	if (*fault.hint)
		(void)error_hint(err, "%s", fault.hint);
	return false;
}

/* ---- the kind ---- */

/* What the head tells of the definition beside its file. */
static void keep_told(const struct capture *c, struct capture_kind *kind, const char *name)
{
	const json_t *row;
	size_t i;

	json_array_foreach (json_object_get(c->carry->requirements, "definitions"), i, row) {
		if (strcmp(text_of(row, "name"), name) != 0)
			continue;
		kind->schema_sha256 = xstrdup(json_text_at(row, "schemaSha256", NULL));
		kind->conversion = xstrdup(json_text_at(row, "conversion", NULL));
		kind->older_versions = xstrdup(json_text_at(row, "olderVersions", NULL));
		return;
	}
}

/* With its definition, if the head has one: the objects are of that. */
static int keep_definition(struct capture *c, struct capture_kind *kind, struct error *err)
{
	auto_free char *name = xasprintf("%s.%s", kind->resource.resource, kind->resource.group);
	auto_free char *path = xasprintf("crds/%s.yaml", name);
	const struct tree_file *file = tree_find(&c->carry->tree, path);
	const json_t *unread;
	size_t i;

	json_array_foreach (json_object_get(c->carry->info, "definitionsNotRead"), i, unread)
		if (json_is_string(unread) && strcmp(json_string_value(unread), name) == 0)
			json_array_append_new(c->undefined, json_string(name));
	kind->custom = file != NULL;
	keep_told(c, kind, name);
	return file ? git_write_file(c->write, path, file->data, file->len, err) : 0;
}

static void keep_presets(const struct capture *c, const struct policy_kind *row)
{
	json_t *preset;
	size_t i;

	json_array_foreach (json_object_get(c->carry->requirements, "presets"), i, preset)
		if (strcmp(text_of(preset, "group"), row->group) == 0 && strcmp(text_of(preset, "resource"), row->resource) == 0)
			json_array_append(c->presets, preset);
}

int carry_load(struct capture *c, struct capture_kind *kind, struct error *err)
{
	const struct policy_kind *row = kind->row;
	const json_t *head;

	if (!find_row(c->carry->stale, row))
		return 0;
	head = find_row(json_object_get(c->carry->info, "kinds"), row);
	kind->served = kind->carried = true;
	kind->resource = (struct kube_resource){.group = xstrdup(row->group),
		.version = xstrdup(text_of(head, "version")),
		.resource = xstrdup(row->resource),
		.kind = xstrdup(text_of(head, "kind")),
		.namespaced = row->namespaced};
	kind->served_versions = json_deep_copy(json_object_get(head, "servedVersions"));
	kind->storage_version = xstrdup(json_text_at(head, "storageVersion", NULL));
	keep_presets(c, row);
	return keep_definition(c, kind, err) < 0 ? -1 : 1;
}

/* "objects/.../<resource>[.<group>]/<file>" */
static bool is_object_of(const struct policy_kind *row, const char *path)
{
	auto_free char *folder = xasprintf("/%s%s%s", row->resource, *row->group ? "." : "", row->group);
	size_t len = strlen(folder);
	const char *file = strrchr(path, '/');

	return strncmp(path, "objects/", 8) == 0 && (size_t)(file - path) > len && memcmp(file - len, folder, len) == 0;
}

static int keep_object(struct capture *c, struct capture_kind *kind, const struct tree_file *file, struct error *err)
{
	auto_free char *uid = xasprintf("carried/%s", file->path); /* no uid of a server has a '/' */
	struct object *object;
	int rc;

	if (object_read(&object, file->path, file->data, file->len, err) < 0)
		return -1;
	rc = collect_kept(c, kind, object, uid, err);
	object_free(object);
	return rc;
}

int carry_collect(struct capture *c, struct capture_kind *kind, struct error *err)
{
	const struct tree *tree = &c->carry->tree;

	for (size_t i = 0; i < tree->count; i++)
		if (is_object_of(kind->row, tree->files[i].path) && keep_object(c, kind, &tree->files[i], err) < 0)
			return -1;
	return 0;
}

const char *carry_state(const struct capture *c, const struct named *need)
{
	const struct capture_kind *kind = capture_kind_of(c, need->object.group, need->object.resource);

	return kind && kind->carried ? map_get(&c->carry->states, need->key.buf) : NULL;
}

/* ---- children ---- */

/* Who owns what, by name. */
struct family {
	struct capture *c;
	struct table owners; /* "group/kind/namespace/name" -> uint32_t, the number in c->taken */
	struct map children; /* key -> owner's uid, borrowed from c->owners */
};

static void family_add(struct family *family, uint32_t at, struct named *named, struct strbuf *key)
{
	const struct capture *c = family->c;
	const struct taken *taken = table_value(&c->taken, at);

	capture_name(c, &c->seen, taken->seen, named);
	capture_key(key, named->object.group, named->object.kind, named->object.namespace_, named->object.name);
	*(uint32_t *)table_value(&family->owners, table_add(&family->owners, key->buf, NULL)) = at;
}

static void family_read(struct family *family, struct capture *c)
{
	auto_named struct named named = NAMED_INIT;
	auto_strbuf struct strbuf key = STRBUF_INIT;
	const struct child *children;
	size_t count;

	*family = (struct family){.c = c, .owners = TABLE_INIT(sizeof(uint32_t))};
	for (uint32_t i = 0; i < c->taken.count; i++)
		family_add(family, i, &named, &key);
	children = owners_children(c->owners, &count);
	for (size_t i = 0; i < count; i++) {
		const struct child *child = &children[i];

		capture_key(&key, child->group, child->resource, child->namespace_, child->name);
		map_put(&family->children, key.buf, child->owner_uid);
	}
}

static void family_release(struct family *family)
{
	table_release(&family->owners);
	map_release(&family->children, NULL);
}

/* The number in c->taken of the owner that a row of generated.yaml names, or TABLE_NONE when that is not in the snapshot: it is in the namespace of its child, or in none. */
static uint32_t find_owner(const struct family *family, const json_t *row)
{
	const json_t *owner = json_object_get(row, "owner");
	const char *const places[] = {text_of(row, "namespace"), ""};
	auto_strbuf struct strbuf key = STRBUF_INIT;
	const uint32_t *found = NULL;

	for (size_t i = 0; !found && i < 2; i++) {
		capture_key(&key, text_of(owner, "group"), text_of(owner, "kind"), places[i], text_of(owner, "name"));
		found = table_get(&family->owners, key.buf);
	}
	return found ? *found : TABLE_NONE;
}

/* The object that a row of generated.yaml names; borrowed. */
static struct object named_by(const json_t *row)
{
	return (struct object){.group = text_of(row, "group"),
		.resource = text_of(row, "resource"),
		.kind = text_of(row, "kind"),
		.namespace_ = text_of(row, "namespace"),
		.name = text_of(row, "name")};
}

/* Whether it still is one nobody can say: what the last list has shown stays, as the kind's objects do. */
static void keep_orphan(struct capture *c, const json_t *row)
{
	const struct object orphan = named_by(row);

	if (capture_in_scope(c, orphan.namespace_))
		owners_add(c->owners, &orphan, CLASS_GENERATED,
			&(struct child_facts){.uid = "",
				.owner_group = "",
				.owner_kind = "",
				.owner_name = "",
				.owner_uid = "",
				.orphan = row,
				.everywhere = true});
}

static void keep_orphans(struct capture *c)
{
	const json_t *row;
	size_t i;

	json_array_foreach (json_object_get(c->carry->generated, "orphans"), i, row) {
		const struct capture_kind *kind = capture_kind_of(c, text_of(row, "group"), text_of(row, "resource"));

		if (kind && kind->carried)
			keep_orphan(c, row);
	}
}

static void keep_child(const struct family *family, const json_t *row)
{
	const json_t *owner = json_object_get(row, "owner");
	const struct object child = named_by(row);
	auto_strbuf struct strbuf uid = STRBUF_INIT;
	uint32_t at = find_owner(family, row);

	if (at == TABLE_NONE || !capture_in_scope(family->c, child.namespace_))
		return;
	table_key(&family->c->taken, at, &uid);
	owners_add(family->c->owners, &child, CLASS_GENERATED,
		&(struct child_facts){.uid = "",
			.owner_group = text_of(owner, "group"),
			.owner_kind = text_of(owner, "kind"),
			.owner_name = text_of(owner, "name"),
			.owner_uid = uid.buf});
}

static bool is_carried_owner(const struct capture *c, const json_t *owner)
{
	for (size_t i = 0; i < c->policy->kind_count; i++)
		if (c->kinds[i].carried && strcmp(c->kinds[i].resource.group, text_of(owner, "group")) == 0 &&
			strcmp(c->kinds[i].resource.kind, text_of(owner, "kind")) == 0)
			return true;
	return false;
}

/* A child that is still there has its owner's uid. */
static void learn_owner(const struct family *family, const json_t *row)
{
	struct table *all = &family->c->taken;
	auto_strbuf struct strbuf key = STRBUF_INIT;
	uint32_t owner = find_owner(family, row);
	const char *uid;

	capture_key(&key, text_of(row, "group"), text_of(row, "resource"), text_of(row, "namespace"), text_of(row, "name"));
	uid = map_get(&family->children, key.buf);
	if (!uid || owner == TABLE_NONE || table_find(all, uid) != TABLE_NONE)
		return;
	*(struct taken *)table_value(all, table_add(all, uid, NULL)) = *(const struct taken *)table_value(all, owner);
}

void carry_inventory(struct capture *c)
{
	__attribute__((cleanup(family_release))) struct family family = {0};
	const json_t *row;
	size_t i;

	if (json_array_size(c->carry->stale) == 0)
		return;
	family_read(&family, c);
	json_array_foreach (json_object_get(c->carry->generated, "objects"), i, row) {
		const struct capture_kind *kind = capture_kind_of(c, text_of(row, "group"), text_of(row, "resource"));

		if (kind && kind->carried)
			keep_child(&family, row);
		else if (is_carried_owner(c, json_object_get(row, "owner")))
			learn_owner(&family, row);
	}
	keep_orphans(c);
}
