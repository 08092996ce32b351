/* SPDX-License-Identifier: Apache-2.0 */
#include "targets.h"

#include <string.h>

#include "store/git.h"
#include "util/error.h"
#include "util/json.h"
#include "util/mem.h"
#include "util/strbuf.h"
#include "util/yaml.h"

static int check_branch(struct git_store *store, const char *cluster, const char *id, struct error *err)
{
	auto_strbuf struct strbuf text = STRBUF_INIT;
	auto_json json_t *info = NULL;
	const char *source;
	char commit[GIT_ID_SIZE];

	if (git_resolve(store, cluster, NULL, commit, err) < 0 || git_read_file(store, commit, "snapshot.yaml", &text, err) < 0 ||
		!(info = yaml_read(text.buf, text.len, err)))
		return error_wrap(err, "cluster '%s'", cluster);
	source = json_text_at(info, "cluster", "id", NULL);
	if (!source || strcmp(source, id) != 0)
		return 0;
	(void)error_set(err, ERR_GUARD, "the target is the cluster '%s', which snapshots come from: no drill writes to it", cluster);
	return error_hint(err, "choose the --context of another cluster, and take this one out of drill.targets");
}

static int check_sources(const char *repo, const char *id, struct error *err)
{
	auto_strlist struct strlist clusters = STRLIST_INIT;
	struct git_store *store;
	int rc;

	if (git_store_open(&store, repo, false, NULL, err) < 0) {
		if (err->code != ERR_NOT_FOUND)
			return -1;
		error_clear(err); /* the snapshot is an archive, or a folder */
		return 0;
	}
	rc = git_store_clusters(store, &clusters, err);
	for (size_t i = 0; rc == 0 && i < clusters.count; i++)
		rc = check_branch(store, clusters.items[i], id, err);
	git_store_free(store);
	return rc;
}

int target_check(const struct strlist *listed, const char *repo, const char *id, struct error *err)
{
	if (strlist_contains(listed, id))
		return repo ? check_sources(repo, id, err) : 0;
	(void)error_set(err, ERR_USAGE, "the target, cluster %s, is not one that drills may write to", id);
	return error_hint(err, "list it in the configuration file: drill: {targets: [%s]}; or say --local", id);
}
