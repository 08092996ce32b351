/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Orphans on the target: objects that the source's controllers made for an owner in the snapshot, and that somebody has brought there without it (a raw export that lost its
 * ownerReferences). KServe refuses such a one for ever: "it is not controlled by". With --adopt-orphans it is removed, so that the controller makes its own: only what the
 * snapshot's inventory has as generated and nobody owns, and only while it is as it was when the plan was made.
 */
#include <string.h>

#include "check.h"
#include "internal.h"
#include "kube/discovery.h"
#include "kube/object_api.h"
#include "object/classify.h"
#include "object/object.h"
#include "restore/journal.h"
#include "restore/restore.h"
#include "store/snapshot.h"
#include "util/error.h"
#include "util/json.h"
#include "util/log.h"
#include "util/map.h"
#include "util/mem.h"
#include "verify/judge.h"
#include "verify/look.h"

#define NO_RIGHT "grant it for this restore alone; `rhaii-dr rbac` never gives the right to delete"

/* ---- which ---- */

static const char *text_of(const json_t *entry, const char *key)
{
	const char *text = json_text_at(entry, key, NULL);

	return text ? text : "";
}

/* Why nobody owns it; NULL: somebody does, or that cannot be known. */
static const char *loss_of(const struct verify_look *look, const json_t *child)
{
	auto_free char *group = NULL, *version = NULL;
	struct object_owner owner = {0};

	if (json_at(child, "metadata", "deletionTimestamp", NULL))
		return NULL;
	if (!classify_owner(child, &owner))
		return "it has no owner";
	object_split_api_version(owner.api_version ? owner.api_version : "", &group, &version);
	if (!look_knows(look, group, owner.kind ? owner.kind : "") || (owner.uid && map_get(&look->uids, owner.uid)))
		return NULL;
	return "its owner is not there any more";
}

/* The owner as the restore brings it; NULL: it does not. */
static const struct action *owner_of(const struct restore *restore, const json_t *entry)
{
	const json_t *owner = json_object_get(entry, "owner");

	for (size_t i = 0; i < restore->action_count; i++) {
		const struct object *o = restore->actions[i].object;

		if (strcmp(o->name, text_of(owner, "name")) == 0 && strcmp(o->kind, text_of(owner, "kind")) == 0 &&
			strcmp(o->group, text_of(owner, "group")) == 0 &&
			(!*o->namespace_ || strcmp(o->namespace_, text_of(entry, "namespace")) == 0))
			return &restore->actions[i];
	}
	return NULL;
}

static json_t *orphan_json(const json_t *entry, const json_t *child, const struct action *owner, const char *why)
{
	auto_strbuf struct strbuf name = STRBUF_INIT;

	object_describe(owner->object, &name);
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:n, s:n}", "group", text_of(entry, "group"), "resource",
		text_of(entry, "resource"), "kind", text_of(entry, "kind"), "namespace", text_of(entry, "namespace"), "name",
		text_of(entry, "name"), "owner", name.buf, "why", why, "uid", text_of(json_object_get(child, "metadata"), "uid"),
		"resourceVersion", text_of(json_object_get(child, "metadata"), "resourceVersion"), "result", "error");
}

static void find_orphan(struct preflight *p, const struct verify_look *look, const json_t *entry)
{
	const json_t *child =
		look_live(look, text_of(entry, "group"), text_of(entry, "resource"), text_of(entry, "namespace"), text_of(entry, "name"));
	const char *why = child ? loss_of(look, child) : NULL;
	const struct action *owner = why ? owner_of(p->restore, entry) : NULL;
	auto_free char *name = judge_name(text_of(entry, "kind"), text_of(entry, "namespace"), text_of(entry, "name"));
	json_t *objects;

	if (!owner)
		return;
	json_array_append_new(p->restore->orphans, orphan_json(entry, child, owner, why));
	if (p->restore->settings->adopt_orphans)
		return;
	check_add_object(objects = json_array(), owner->object);
	check_failed(p, objects, NULL, "%s is on the target and %s: the controller of %s refuses it for ever (\"it is not controlled by\")",
		name, why, owner->object->name);
}

/* ---- may we ---- */

static void check_right(struct preflight *p)
{
	auto_asks struct asks asks = {0};
	json_t *orphan;
	size_t i;

	json_array_foreach (p->restore->orphans, i, orphan)
		check_ask_right(&asks,
			json_pack("{s:s, s:s, s:s, s:s, s:s}", "namespace", text_of(orphan, "namespace"), "verb", "delete", "group",
				text_of(orphan, "group"), "resource", text_of(orphan, "resource"), "name", text_of(orphan, "name")),
			orphan);
	if (asks.count == 0 || check_ask(p, &asks) < 0)
		return;
	for (i = 0; i < asks.count; i++)
		if (check_is_denied(&asks.items[i]))
			check_failed(p, json_pack("[s]", text_of(asks.items[i].arg, "owner")), NO_RIGHT, "we may not delete %s %s/%s",
				text_of(asks.items[i].arg, "resource"), text_of(asks.items[i].arg, "namespace"),
				text_of(asks.items[i].arg, "name"));
}

void check_orphans(struct preflight *p)
{
	struct restore *restore = p->restore;
	const struct verify_settings settings = {.snapshot = restore->snapshot,
		.policy = restore->policy,
		.client = restore->settings->client,
		.discovery = restore->discovery};
	struct error err = ERROR_INIT;
	struct verify_look *look;
	const json_t *entry;
	size_t i;

	if (json_array_size(json_object_get(restore->snapshot->generated, "objects")) == 0)
		return;
	if (verify_look_new(&look, &settings, false, &err) < 0) {
		check_untested(p, "%s", err.text);
		return;
	}
	json_array_foreach (look_generated(look), i, entry)
		find_orphan(p, look, entry);
	verify_look_free(look);
	if (restore->settings->adopt_orphans)
		check_right(p);
}

/* ---- removing ---- */

bool orphans_are_left(const struct restore *restore)
{
	const json_t *orphan;
	size_t i;

	json_array_foreach (restore->orphans, i, orphan)
		if (restore->settings->adopt_orphans && json_is_null(json_object_get(orphan, "result")))
			return true;
	return false;
}

bool orphans_failed(const struct restore *restore)
{
	const json_t *orphan;
	size_t i;

	json_array_foreach (restore->orphans, i, orphan)
		if (strcmp(text_of(orphan, "result"), "failed") == 0)
			return true;
	return false;
}

/* What its owner waits for, it waits for as well. */
static bool is_blocked(const struct restore *restore, const json_t *orphan)
{
	for (size_t i = 0; i < restore->action_count; i++) {
		auto_strbuf struct strbuf name = STRBUF_INIT;

		if (restore->actions[i].result != RESULT_BLOCKED)
			continue;
		object_describe(restore->actions[i].object, &name);
		if (strcmp(name.buf, text_of(orphan, "owner")) == 0)
			return true;
	}
	return false;
}

/* One that has changed or gone since it was looked at is somebody else's. */
static void remove_orphan(struct restore *restore, json_t *orphan)
{
	const struct kube_resource *resource =
		discovery_find(restore->discovery, text_of(orphan, "group"), text_of(orphan, "resource"), NULL);
	struct error error = ERROR_INIT;
	const char *result = "removed";

	if (!resource)
		(void)error_set(&error, ERR_FAILED, "the target does not serve its kind any more");
	else
		(void)kube_delete(restore->settings->client, resource, text_of(orphan, "namespace"), text_of(orphan, "name"),
			text_of(orphan, "uid"), text_of(orphan, "resourceVersion"), &error);
	if (error.code == ERR_NOT_FOUND) {
		result = "gone";
	} else if (error.code != ERR_NONE) {
		result = "failed";
		json_object_set_new(orphan, "error", json_string(error.text));
	}
	json_object_set_new(orphan, "result", json_string(result));
	log_info("%s %s/%s: %s", text_of(orphan, "kind"), text_of(orphan, "namespace"), text_of(orphan, "name"), result);
}

/* Of an earlier run: what it began and did not see the end of was removed when it is no orphan any more. */
static void take_past(struct restore *restore)
{
	const json_t *past = restore->journal ? journal_adopted(restore->journal) : NULL;
	struct map found = MAP_INIT;
	const json_t *orphan;
	size_t i;

	json_array_foreach (restore->orphans, i, orphan)
		map_put(&found, text_of(orphan, "uid"), &found);
	json_array_foreach (past, i, orphan) {
		json_t *copy;

		if (map_get(&found, text_of(orphan, "uid")))
			continue;
		copy = json_deep_copy(orphan);
		if (json_is_null(json_object_get(copy, "result")))
			json_object_set_new(copy, "result", json_string("removed"));
		json_array_append_new(restore->orphans, copy);
	}
	map_release(&found, NULL);
}

int orphans_adopt(struct restore *restore, struct error *err)
{
	json_t *orphan;
	size_t i;

	if (!restore->settings->adopt_orphans)
		return 0;
	take_past(restore);
	json_array_foreach (restore->orphans, i, orphan) {
		if (!json_is_null(json_object_get(orphan, "result")) || is_blocked(restore, orphan))
			continue;
		if (restore_may_go_on(restore, err) < 0 || (restore->journal && journal_adopt(restore->journal, orphan, err) < 0))
			return -1;
		remove_orphan(restore, orphan);
		if (restore->journal && journal_adopt(restore->journal, orphan, err) < 0)
			return -1;
	}
	return 0;
}
