/* SPDX-License-Identifier: Apache-2.0 */
/* What must be true before a wave starts: waited for, timed, and named when it does not come. */
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
#include "util/clock.h"
#include "util/error.h"
#include "util/json.h"
#include "util/log.h"
#include "util/map.h"
#include "util/mem.h"

/* --- namespaces-active --- */

struct active {
	struct map map; /* names of the namespaces that are Active */
};

static int active_item(json_t *item, void *arg, struct error *err)
{
	struct active *active = arg;
	const char *phase = json_text_at(item, "status", "phase", NULL), *name = json_text_at(item, "metadata", "name", NULL);

	(void)err;
	if (phase && name && strcmp(phase, "Active") == 0)
		map_put(&active->map, name, active);
	return 0;
}

/* 1: all active, 0: not yet, -1: cannot know. *waiting names the first that is not. */
static int namespaces_active(struct restore *restore, const char **waiting, struct error *err)
{
	const struct kube_resource *namespaces = discovery_find(restore->discovery, "", "namespaces", NULL);
	struct active active = {.map = MAP_INIT};
	const struct kube_list_sink sink = {.item = active_item, .arg = &active};
	const struct kube_list_options options = {0};
	int rc = namespaces ? kube_list(restore->settings->client, namespaces, &options, &sink, NULL, err) : 0;

	*waiting = NULL;
	for (size_t i = 0; rc == 0 && !*waiting && i < restore->snapshot->object_count; i++) {
		const char *namespace_ = restore->snapshot->objects[i]->namespace_;

		if (*namespace_ && !map_get(&active.map, namespace_))
			*waiting = namespace_;
	}
	map_release(&active.map, NULL);
	return rc < 0 ? -1 : *waiting == NULL;
}

/* In the words of the controller that deletes it. */
static void namespace_holders(struct restore *restore, const char *name, struct strbuf *out)
{
	const struct kube_resource *namespaces = discovery_find(restore->discovery, "", "namespaces", NULL);
	struct error ignored = ERROR_INIT;
	auto_json json_t *live = NULL;

	if (namespaces && kube_get(restore->settings->client, namespaces, NULL, name, &live, &ignored) == 0)
		leaving_namespace_text(live, out);
}

static int gate_namespaces(struct restore *restore, struct action *from, struct action *to, struct error *err)
{
	int64_t until = clock_monotonic_ms() + restore->patience.gate;
	const char *waiting;
	int open;

	(void)from;
	(void)to;
	while ((open = namespaces_active(restore, &waiting, err)) == 0 && clock_monotonic_ms() < until) {
		if (restore_may_go_on(restore, err) < 0)
			return -1;
		clock_sleep_ms(restore->patience.gate_poll);
	}
	if (open == 0) {
		auto_strbuf struct strbuf holders = STRBUF_INIT;

		namespace_holders(restore, waiting, &holders);
		error_set(err, ERR_NOT_READY, "namespace '%s' is not active on the target%s%s", waiting, holders.len ? ": " : "",
			holders.buf);
		return error_hint(err, "see `kubectl get namespace %s -o yaml`; then go on with the restore", waiting);
	}
	return open < 0 ? -1 : 0;
}

/* --- dry-run-create --- */

/*
 * Any answer but "unavailable" comes from a webhook that is up: whether it likes the object is found out by the create. One that does not come
 * up in time is left to the creates, too: they try on for their own time, and a webhook that fails for one object alone stops only that one.
 */
static int await_webhook(struct restore *restore, const struct action *probe, struct error *err)
{
	int64_t until = clock_monotonic_ms() + restore->patience.gate;
	auto_free char *path = kube_create_path(probe->resource, probe->object->namespace_, true);
	struct kube_request request = {.method = "POST", .path = path, .body = probe->object->json};
	struct error error = ERROR_INIT;

	while (kube_call(restore->settings->client, &request, NULL, &error) < 0 && error.code == ERR_UNAVAILABLE) {
		if (clock_monotonic_ms() >= until) {
			log_warning("the target did not take a %s in a dry run: %s", probe->object->kind, error.text);
			return 0;
		}
		if (restore_may_go_on(restore, err) < 0)
			return -1;
		log_debug("waiting for the webhooks of %s: %s", probe->object->kind, error.text);
		clock_sleep_ms(restore->patience.gate_poll);
	}
	return 0;
}

/* The first object of each kind that is to be created asks for its kind. */
static int gate_dry_run(struct restore *restore, struct action *from, struct action *to, struct error *err)
{
	struct map asked = MAP_INIT;
	int rc = 0;

	for (struct action *action = from; rc == 0 && action < to; action++)
		if (action->kind == ACTION_CREATE && action->result == RESULT_NONE && !map_put(&asked, action->object->kind, action))
			rc = await_webhook(restore, action, err);
	map_release(&asked, NULL);
	return rc;
}

typedef int (*gate_fn)(struct restore *restore, struct action *from, struct action *to, struct error *err);

static const gate_fn gates[] = {
	[GATE_NONE] = NULL,
	[GATE_NAMESPACES_ACTIVE] = gate_namespaces,
	[GATE_DRY_RUN_CREATE] = gate_dry_run,
};

int gate_wait(struct restore *restore, size_t wave, struct action *from, struct action *to, struct error *err)
{
	const struct policy_wave *row = &restore->policy->waves[wave];
	int64_t start = clock_monotonic_ms();
	int rc = gates[row->gate] ? gates[row->gate](restore, from, to, err) : 0;

	record_wave(restore, wave, "gate", clock_monotonic_ms() - start);
	return rc < 0 ? error_wrap(err, "gate of wave '%s'", row->name) : 0;
}
