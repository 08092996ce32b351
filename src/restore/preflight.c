/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Holds the target against the snapshot before anything is sent: is it another cluster, does it serve every kind at the version that the
 * snapshot holds? All that is missing is said at once.
 */
#include <string.h>

#include "internal.h"
#include "kube/client.h"
#include "kube/discovery.h"
#include "kube/list.h"
#include "kube/object_api.h"
#include "object/object.h"
#include "policy/policy.h"
#include "restore/restore.h"
#include "store/snapshot.h"
#include "util/error.h"
#include "util/json.h"
#include "util/map.h"
#include "util/mem.h"

static int target_identify(struct restore *restore, struct error *err)
{
	const struct restore_settings *s = restore->settings;

	if (kube_cluster_id(s->client, &restore->target_id, err) < 0 || kube_server_version(s->client, &restore->server_version, err) < 0 ||
		discovery_load(&restore->discovery, s->client, err) < 0)
		return error_wrap(err, "target %s", kube_server(s->client));
	if (restore->journal && record_check_target(restore, err) < 0)
		return -1;
	if (strcmp(restore->target_id, restore->snapshot->cluster_id) == 0 && !s->in_place) {
		error_set(err, ERR_GUARD, "the target %s is the cluster that the snapshot was taken from (%s)", kube_server(s->client),
			kube_source(s->client));
		return error_hint(err, "choose another --context, or say --in-place to restore onto the source itself");
	}
	return 0;
}

/* One line a kind, however many objects need it. */
static void block_not_served(struct restore *restore, const struct object *object)
{
	auto_free const char **versions = discovery_versions(restore->discovery, object->group, object->resource);
	auto_strbuf struct strbuf served = STRBUF_INIT;

	for (size_t i = 0; versions && versions[i]; i++)
		strbuf_addf(&served, "%s%s", i ? ", " : "", versions[i]);
	if (served.len)
		restore_block(restore,
			"%s.%s: the snapshot holds version %s, the target serves only %s: install the definition that serves it",
			object->resource, object->group, object->version, served.buf);
	else
		restore_block(restore,
			"%s%s%s is not served by the target: install its definition (the one in force at capture is in the snapshot's "
			"crds/)",
			object->resource, *object->group ? "." : "", object->group);
}

static bool same_kind(const struct object *a, const struct object *b)
{
	return strcmp(a->group, b->group) == 0 && strcmp(a->resource, b->resource) == 0 && strcmp(a->version, b->version) == 0;
}

static int action_init(
	struct restore *restore, struct action *action, const struct object *object, const struct action *previous, struct error *err)
{
	action->object = object;
	if (previous && same_kind(previous->object, object)) {
		action->row = previous->row;
		action->resource = previous->resource;
		return 0;
	}
	action->row = policy_find(restore->policy, object->group, object->resource);
	if (!action->row)
		return error_set(err, ERR_USAGE, "the policy '%s' has no row for %s%s%s, which the snapshot holds", restore->policy->name,
			object->resource, *object->group ? "." : "", object->group);
	action->resource = discovery_find(restore->discovery, object->group, object->resource, object->version);
	if (!action->resource)
		block_not_served(restore, object);
	return 0;
}

/* --- namespaces --- */

static int space_item(json_t *item, void *arg, struct error *err)
{
	const char *name = json_text_at(item, "metadata", "name", NULL);

	(void)err;
	if (name)
		map_put(arg, name, arg);
	return 0;
}

/* Add the names of the namespaces that are there. */
static int list_namespaces(const struct restore *restore, struct map *names, struct error *err)
{
	const struct kube_resource *namespaces = discovery_find(restore->discovery, "", "namespaces", NULL);
	const struct kube_list_options options = {.metadata_only = true};
	const struct kube_list_sink sink = {.item = space_item, .arg = names};

	return namespaces ? kube_list(restore->settings->client, namespaces, &options, &sink, NULL, err) : 0;
}

/* The snapshot brings its namespaces; one that was edited out of it, or narrowed to objects, must be on the target. */
static int check_namespaces(struct restore *restore, struct error *err)
{
	struct map names = MAP_INIT;
	int rc = list_namespaces(restore, &names, err);
	bool seen = rc == 0;

	if (rc < 0 && err->code == ERR_FORBIDDEN) { /* the creates will tell */
		error_clear(err);
		rc = 0;
	}
	for (size_t i = 0; i < restore->action_count; i++)
		if (restore->actions[i].row->select == SELECT_HOLDING)
			map_put(&names, restore->actions[i].object->name, &names);
	for (size_t i = 0; seen && i < restore->action_count; i++) {
		const char *namespace_ = restore->actions[i].object->namespace_;

		if (*namespace_ && !map_get(&names, namespace_))
			restore_block(restore,
				"namespace %s is neither in the snapshot nor on the target: create it, or add "
				"objects/cluster/namespaces/%s.yaml",
				namespace_, namespace_);
	}
	map_release(&names, NULL);
	return rc;
}

int preflight_check(struct restore *restore, struct error *err)
{
	const struct snapshot *snapshot = restore->snapshot;

	if (target_identify(restore, err) < 0)
		return -1;
	restore->actions = xcalloc(snapshot->object_count + 1, sizeof(*restore->actions));
	restore->action_count = snapshot->object_count;
	for (size_t i = 0; i < snapshot->object_count; i++)
		if (action_init(restore, &restore->actions[i], snapshot->objects[i], i ? &restore->actions[i - 1] : NULL, err) < 0)
			return -1;
	return check_namespaces(restore, err);
}
