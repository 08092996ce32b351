/* SPDX-License-Identifier: Apache-2.0 */
#include "command.h"

#include <stdlib.h>
#include <string.h>

#include "kube/client.h"
#include "kube/kubeconfig.h"
#include "object/object.h"
#include "policy/policy.h"
#include "store/git.h"
#include "util/error.h"
#include "util/log.h"
#include "util/scratch.h"

int context_open_client(struct context *ctx, struct error *err)
{
	const struct settings *s = &ctx->settings;

	if (kube_config_load(&ctx->config, s->kubeconfig, s->context, err) < 0 || kube_client_new(&ctx->client, ctx->config, err) < 0)
		return -1;
	log_debug("cluster %s (%s)", kube_server(ctx->client), kube_source(ctx->client));
	return 0;
}

static int open_store(struct context *ctx, struct error *err)
{
	if (git_store_open(&ctx->store, ctx->settings.repo, false, NULL, err) < 0)
		return -1;
	return git_store_cluster(ctx->store, ctx->settings.cluster, &ctx->cluster, err);
}

int context_open_scratch(struct context *ctx, const char *cluster, struct error *err)
{
	if (scratch_make(&ctx->scratch, "repository", err) < 0)
		return -1;
	git_store_free(ctx->store);
	ctx->store = NULL;
	return git_store_open(&ctx->store, ctx->scratch, true, cluster, err);
}

static int make_store(struct context *ctx, struct error *err)
{
	const struct settings *s = &ctx->settings;

	if (!s->cluster) {
		error_set(err, ERR_USAGE, "there is no repository '%s' yet, and its first snapshot needs the name of the cluster", s->repo);
		return error_hint(err, "name the cluster with --cluster, or a repository that is there with --repo");
	}
	error_clear(err);
	return git_store_open(&ctx->store, s->repo, true, s->cluster, err);
}

static int open_store_for_writing(struct context *ctx, struct error *err)
{
	const struct settings *s = &ctx->settings;
	int rc = s->dry_run ? git_store_open_dry(&ctx->store, s->repo, err) : git_store_open(&ctx->store, s->repo, false, NULL, err);

	if (rc < 0 && err->code == ERR_NOT_FOUND)
		rc = make_store(ctx, err);
	if (rc < 0 || git_store_lock(ctx->store, err) < 0)
		return -1;
	if (!s->cluster)
		return git_store_cluster(ctx->store, NULL, &ctx->cluster, err);
	ctx->cluster = xstrdup(s->cluster); /* its branch may not be there yet */
	return 0;
}

int context_snapshot_policy(struct context *ctx, const struct snapshot *snapshot, struct error *err)
{
	const struct tree_file *file;

	if (ctx->settings.other_policy)
		return policy_load(&ctx->policy, ctx->settings.other_policy, err);
	file = tree_find(&snapshot->tree, "policy.yaml");
	if (!file)
		return error_set(err, ERR_INTEGRITY, "snapshot '%s' has no policy.yaml", snapshot->name);
	if (policy_read(&ctx->policy, file->data, file->len, err) == 0)
		return 0;
	/* Nobody has asked for it: it is the snapshot that is damaged, whatever the reader calls it. */
	err->code = ERR_INTEGRITY;
	return error_wrap(err, "policy.yaml of snapshot '%s'", snapshot->name);
}

int context_open(struct context *ctx, struct error *err)
{
	const struct settings *s = &ctx->settings;
	unsigned needs = ctx->command->needs;

	ctx->source = (struct snapshot_source){.repo = s->repo, .cluster = s->cluster, .accept_edits = s->accept_edits};
	if ((needs & NEEDS_POLICY) && policy_load(&ctx->policy, s->policy, err) < 0)
		return -1;
	if ((needs & NEEDS_CLIENT) && context_open_client(ctx, err) < 0)
		return -1;
	if ((needs & NEEDS_STORE) && open_store(ctx, err) < 0)
		return -1;
	if ((needs & NEEDS_WRITING) && open_store_for_writing(ctx, err) < 0)
		return -1;
	return 0;
}

void context_release(struct context *ctx)
{
	json_decref(ctx->result);
	serving_release(&ctx->serving);
	policy_free(ctx->policy);
	git_store_free(ctx->store);
	scratch_remove(ctx->scratch);
	free(ctx->scratch);
	kube_client_free(ctx->client);
	kube_config_free(ctx->config);
	free(ctx->cluster);
	settings_release(&ctx->settings);
}

const char *context_arg(const struct context *ctx, size_t index)
{
	return index + 1 < ctx->settings.args.count ? ctx->settings.args.items[index + 1] : NULL;
}

bool context_wants(const struct context *ctx, const struct object *object)
{
	const struct strlist *namespaces = &ctx->settings.namespaces;

	if (namespaces->count == 0)
		return true;
	if (*object->namespace_)
		return strlist_contains(namespaces, object->namespace_);
	return !*object->group && strcmp(object->kind, "Namespace") == 0 && strlist_contains(namespaces, object->name);
}
