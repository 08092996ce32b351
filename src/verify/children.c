/* SPDX-License-Identifier: Apache-2.0 */
#include "verify/children.h"

#include <stdlib.h>
#include <string.h>

#include "object/classify.h"
#include "object/fieldpath.h"
#include "object/idle.h"
#include "object/object.h"
#include "policy/policy.h"
#include "store/snapshot.h"
#include "util/json.h"
#include "util/mem.h"
#include "verify/judge.h"
#include "verify/look.h"

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_text_at(object, key, NULL);

	return text ? text : "";
}

char *child_name(const json_t *entry)
{
	return judge_name(text_of(entry, "kind"), text_of(entry, "namespace"), text_of(entry, "name"));
}

char *child_expected(const json_t *entry)
{
	const json_t *owner = json_object_get(entry, "owner");
	auto_free char *name = judge_name(text_of(owner, "kind"), NULL, text_of(owner, "name"));

	return xasprintf("controlled by %s", name);
}

void child_judge(const struct verify_look *look, const json_t *entry, struct judgement *judgement)
{
	const char *group = text_of(entry, "group"), *resource = text_of(entry, "resource");
	const json_t *owner = json_object_get(entry, "owner");
	const struct look_kind *kind = look_find(look, group, resource);
	const json_t *child = look_live(look, group, resource, text_of(entry, "namespace"), text_of(entry, "name"));

	if (!child && !(kind && kind->listed)) {
		judge_say(judgement, VERDICT_NOT_TESTED, "not looked at");
		judge_reason(judgement, "%s", kind && kind->why ? kind->why : "the policy's inventory does not list the kind");
		return;
	}
	judge_child(entry, child, &look->uids, look_knows(look, text_of(owner, "group"), text_of(owner, "kind")),
		look->installation.differs, judgement);
}

/* ---- replicas ---- */

bool child_is_workload(const json_t *entry)
{
	return judge_is_workload(text_of(entry, "group"), text_of(entry, "resource"));
}

static const struct object *owner_in_snapshot(const struct verify_look *look, const json_t *entry)
{
	const json_t *owner = json_object_get(entry, "owner");
	const struct snapshot *snapshot = look->settings.snapshot;

	for (size_t i = 0; i < snapshot->object_count; i++) {
		const struct object *o = snapshot->objects[i];

		if (!strcmp(o->name, text_of(owner, "name")) && !strcmp(o->kind, text_of(owner, "kind")) &&
			!strcmp(o->group, text_of(owner, "group")) && !strcmp(o->namespace_, text_of(entry, "namespace")))
			return o;
	}
	return NULL;
}

static int is_zero(json_t *value, const char *concrete, void *arg)
{
	(void)concrete;
	(void)arg;
	return json_is_integer(value) && json_integer_value(value) == 0;
}

/* Which of its workloads a service wants none of is not in its fields: one such field excuses each of them that has none. */
static const char *none_wanted(const struct verify_look *look, const struct object *owner)
{
	const struct policy_kind *row = owner ? policy_find(look->settings.policy, owner->group, owner->resource) : NULL;
	const char *idle = owner ? idle_reason(owner->json) : NULL;

	for (size_t i = 0; row && !idle && i < row->pod_count; i++)
		for (size_t j = 0; j < row->pods[i].replica_count; j++)
			if (fieldpath_each(owner->json, row->pods[i].replicas[j], is_zero, NULL))
				return "its owner has a count of 0 replicas in the snapshot";
	return idle;
}

void child_judge_replicas(const struct verify_look *look, const json_t *entry, struct judgement *judgement)
{
	const char *group = text_of(entry, "group"), *resource = text_of(entry, "resource");
	const json_t *child = look_live(look, group, resource, text_of(entry, "namespace"), text_of(entry, "name"));

	if (child) {
		judge_replicas(group, resource, child, none_wanted(look, owner_in_snapshot(look, entry)), judgement);
	} else {
		judge_say(judgement, VERDICT_NOT_TESTED, "not looked at");
		judge_reason(judgement, "the object is not there, or was not looked at");
	}
}

/* Objects in deletion are on their way out already. */
static bool is_orphan(const struct verify_look *look, const json_t *item, struct object_owner *owner)
{
	auto_free char *group = NULL, *version = NULL;

	if (!classify_owner(item, owner) || json_at(item, "metadata", "deletionTimestamp", NULL))
		return false;
	object_split_api_version(owner->api_version ? owner->api_version : "", &group, &version);
	return look_knows(look, group, owner->kind ? owner->kind : "") && !(owner->uid && map_get(&look->uids, owner->uid));
}

static void note_orphan(const json_t *item, const struct object_owner *owner, struct judgement *judgement)
{
	const json_t *metadata = json_object_get(item, "metadata");
	auto_free char *name = judge_name(text_of(item, "kind"), text_of(metadata, "namespace"), text_of(metadata, "name"));
	auto_free char *by = judge_name(owner->kind, NULL, owner->name);
	auto_free char *uid = judge_safe(owner->uid);

	judge_note(judgement, "%s: controlled by %s with uid %s, which is not there", name, by, uid);
}

/* The count of kinds that could be looked at. */
static size_t note_blind_spots(const struct verify_look *look, struct judgement *judgement)
{
	size_t seen = 0;

	for (size_t i = 0; i < look->kind_count; i++) {
		const struct look_kind *kind = look->kinds[i];

		if (kind->inventory && kind->listed)
			seen++;
		else if (kind->inventory && kind->why && !kind->not_served)
			judge_note(judgement, "not looked at: %s", kind->why);
	}
	return seen;
}

void orphans_judge(const struct verify_look *look, struct judgement *judgement)
{
	size_t orphans = 0, i;
	json_t *item;

	json_array_foreach (look->controlled, i, item) {
		struct object_owner owner = {0};

		if (!is_orphan(look, item, &owner))
			continue;
		note_orphan(item, &owner, judgement);
		orphans++;
	}
	if (orphans) {
		judge_say(
			judgement, VERDICT_FAIL, "%zu of %zu have an owner that is not there", orphans, json_array_size(look->controlled));
		judge_reason(judgement, "dangling owner");
	}
	if (!note_blind_spots(look, judgement)) {
		judge_say(judgement, VERDICT_NOT_TESTED, "not looked at");
		judge_reason(judgement, "no generated kind of the policy's inventory can be listed");
	} else if (!orphans) {
		judge_say(judgement, VERDICT_PASS, "none of %zu", json_array_size(look->controlled));
	}
}
