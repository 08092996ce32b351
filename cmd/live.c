/* SPDX-License-Identifier: Apache-2.0 */
#include "live.h"

#include <string.h>

#include "command.h"
#include "kube/client.h"
#include "kube/kubeconfig.h"
#include "kube/object_api.h"
#include "object/change.h"
#include "object/object.h"
#include "snapshot/capture.h"
#include "util/error.h"
#include "util/json.h"
#include "util/mem.h"
#include "util/strbuf.h"

#define CHANGES_MAX 200 /* texts */

/* snapshot NULL: it has none. */
static const struct object *object_at(const struct snapshot *snapshot, size_t i)
{
	return snapshot && i < snapshot->object_count ? snapshot->objects[i] : NULL;
}

/* One of them may be NULL, not both. */
static int order_of(const struct object *old, const struct object *new_)
{
	if (!old)
		return 1;
	return new_ ? object_compare(&old, &new_) : -1;
}

/* Both lists are in the order of object_compare. */
void live_pair(const struct snapshot *old, const struct snapshot *new_,
	void (*fn)(const struct object *old, const struct object *new_, void *arg), void *arg)
{
	const struct object *a, *b;
	size_t i = 0, j = 0;

	while ((void)(a = object_at(old, i)), (void)(b = object_at(new_, j)), a || b) {
		int order = order_of(a, b);

		fn(order <= 0 ? a : NULL, order >= 0 ? b : NULL, arg);
		i += order <= 0;
		j += order >= 0;
	}
}

/* The namespaces that the snapshot was narrowed to; none: its policy's scope. */
static void scope_of(const struct snapshot *snapshot, struct strlist *out)
{
	const json_t *name;
	size_t i;

	json_array_foreach (json_at(snapshot->info, "scope", "namespaces", NULL), i, name)
		if (json_is_string(name))
			strlist_add(out, json_string_value(name));
}

int live_capture(struct context *ctx, struct kube_client *client, const struct snapshot *old, json_t *records, struct snapshot **out,
	struct error *err)
{
	auto_strlist struct strlist namespaces = STRLIST_INIT;
	auto_json json_t *result = NULL;
	const struct capture_options options = {
		.cluster = old->cluster, .namespaces = &namespaces, .since = old->captured_at, .records = records};
	struct snapshot_source source = {.cluster = old->cluster};

	scope_of(old, &namespaces);
	if (context_snapshot_policy(ctx, old, err) < 0 || context_open_scratch(ctx, old->cluster, err) < 0 ||
		capture_run(&options, client, ctx->store, ctx->policy, &result, err) < 0)
		return error_wrap(err, "the cluster as it is now");
	source.repo = ctx->scratch;
	return snapshot_open(out, &source, NULL, err);
}

/* ---- since the snapshot ---- */

struct since {
	const json_t *records;
	json_t *changes;
	size_t objects;
};

static void add_words(struct since *since, const json_t *change, const json_t *field)
{
	auto_strbuf struct strbuf words = STRBUF_INIT;

	if (json_array_size(since->changes) >= CHANGES_MAX)
		return;
	strbuf_addf(&words, "%s ", json_text_at(change, "change", NULL));
	change_words(change, field, &words);
	json_array_append_new(since->changes, json_string(words.buf));
}

static void add_change(const struct object *old, const struct object *new_, void *arg)
{
	struct since *since = arg;
	auto_json json_t *change = change_between(old, new_);
	auto_strbuf struct strbuf path = STRBUF_INIT;
	const json_t *field;
	size_t i;

	if (!change)
		return;
	since->objects++;
	if (new_) {
		object_path(new_, &path);
		change_blame(change, json_object_get(since->records, path.buf), new_);
	}
	if (json_array_size(json_object_get(change, "fields")) == 0)
		add_words(since, change, NULL);
	json_array_foreach (json_object_get(change, "fields"), i, field)
		add_words(since, change, field);
}

/* Whoever else answers there is not the source. */
static int check_source(struct kube_client *client, const struct snapshot *snapshot, struct error *err)
{
	auto_free char *id = NULL;

	if (kube_cluster_id(client, &id, err) < 0)
		return -1;
	return strcmp(id, snapshot->cluster_id) == 0
		? 0
		: error_set(err, ERR_FAILED, "%s is another cluster (%s) than the source", kube_server(client), id);
}

static int compare(struct context *ctx, struct kube_client *client, const char *name, struct since *since, struct error *err)
{
	auto_json json_t *records = json_object();
	struct snapshot *old = NULL, *live = NULL;
	int rc = snapshot_open(&old, &ctx->source, name, err);

	if (rc == 0)
		rc = check_source(client, old, err);
	if (rc == 0)
		rc = live_capture(ctx, client, old, records, &live, err);
	if (rc == 0) {
		since->records = records;
		live_pair(old, live, add_change, since);
	}
	snapshot_free(old);
	snapshot_free(live);
	return rc;
}

json_t *live_changed_since(struct context *ctx, const char *snapshot)
{
	const struct recovery *recovery = &ctx->settings.recovery;
	struct since since = {.changes = json_array()};
	struct kube_config *config = NULL;
	struct kube_client *client = NULL;
	struct error err = ERROR_INIT;
	int rc;

	if (!recovery->source_kubeconfig && !recovery->source_context)
		rc = error_set(&err, ERR_NOT_FOUND, "the configuration does not say how the source is reached (recovery.source)");
	else if (kube_config_load(&config, recovery->source_kubeconfig, recovery->source_context, &err) < 0 ||
		kube_client_new(&client, config, &err) < 0)
		rc = -1;
	else
		rc = compare(ctx, client, snapshot, &since, &err);
	kube_client_free(client);
	kube_config_free(config);
	return json_pack("{s:b, s:s?, s:I, s:o}", "checked", rc == 0, "reason", rc < 0 ? err.text : NULL, "objects",
		(json_int_t)since.objects, "changes", since.changes);
}
