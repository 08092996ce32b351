/* SPDX-License-Identifier: Apache-2.0 */
/* After a whole and verified restore the target continues the branch of the cluster that it replaces (design.md rule 6.4). */
#include <string.h>

#include "internal.h"
#include "restore/restore.h"
#include "store/git.h"
#include "store/snapshot.h"
#include "util/clock.h"
#include "util/error.h"
#include "util/json.h"
#include "util/log.h"
#include "util/mem.h"

static int write_tag(const struct restore *restore, struct error *err)
{
	const struct snapshot *snapshot = restore->snapshot;
	const struct git_succession succession = {
		.from = snapshot->cluster_id, .to = restore->target_id, .commit = snapshot->commit, .time = clock_now()};
	struct git_store *store = NULL;
	int rc = -1;

	if (git_store_open(&store, restore->settings->source->repo, false, NULL, err) == 0)
		rc = git_succession_write(store, snapshot->cluster, &succession, err);
	git_store_free(store);
	return rc;
}

bool restore_is_from_repository(const struct restore *restore)
{
	return restore->settings->source->repo && *restore->snapshot->commit &&
		!(restore->settings->snapshot && snapshot_is_path(restore->settings->snapshot));
}

json_t *succession_write(const struct restore *restore)
{
	const struct snapshot *snapshot = restore->snapshot;
	struct error err = ERROR_INIT;
	bool written;

	if (restore->settings->rehearsal || strcmp(snapshot->cluster_id, restore->target_id) == 0)
		return json_null();
	if (restore->selection.only.count || !mapping_is_empty(&restore->mapping))
		written = error_set(&err, ERR_FAILED, "only a part of the snapshot was restored, or under other names") == 0;
	else if (restore_is_from_repository(restore))
		written = write_tag(restore, &err) == 0;
	else
		written = error_set(&err, ERR_FAILED, "the snapshot came from no repository") == 0;
	if (!written)
		log_info("the next snapshot of this cluster onto the branch of '%s' will be refused once, as of another cluster, and say "
			 "which "
			 "'rhaii-dr accept ID' goes on with the branch: %s",
			snapshot->cluster, err.text);
	return json_pack("{s:s, s:s, s:s, s:b, s:s?}", "cluster", snapshot->cluster, "from", snapshot->cluster_id, "to", restore->target_id,
		"recorded", (int)written, "reason", written ? NULL : err.text);
}
