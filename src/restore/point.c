/* SPDX-License-Identifier: Apache-2.0 */
/* The recovery point: how much time lies between the last moment that the snapshot knows of and the start of the disaster. */
#include <string.h>

#include "internal.h"
#include "restore/restore.h"
#include "store/git.h"
#include "store/snapshot.h"
#include "store/stale.h"
#include "util/clock.h"
#include "util/error.h"
#include "util/json.h"

/* When the state of the commit was seen last: a capture that finds nothing changed makes no commit, and leaves its time on the branch head. */
static time_t seen_last(const struct restore *restore)
{
	const struct snapshot *snapshot = restore->snapshot;
	struct git_store *store = NULL;
	struct error ignored = ERROR_INIT;
	char head[GIT_ID_SIZE];
	time_t seen = 0;

	if (git_store_open(&store, restore->settings->source->repo, false, NULL, &ignored) == 0 &&
		git_resolve(store, snapshot->cluster, NULL, head, &ignored) == 0 && strcmp(head, snapshot->commit) == 0)
		seen = git_captured_at(store, snapshot->cluster);
	git_store_free(store);
	return seen;
}

void point_find(struct restore *restore)
{
	time_t when = restore->snapshot->captured_at, seen = restore_is_from_repository(restore) ? seen_last(restore) : 0;

	when = seen > when ? seen : when;
	restore->captured_at = when ? (int64_t)stale_complete_time(restore->snapshot->stale, when) * 1000 : 0;
}

/* Up to the declared start, or where nobody declared one, to the start of the restore. */
static int64_t lost_ms(const struct restore *restore)
{
	int64_t until = restore->phases->declared_at ? restore->phases->declared_at : restore->started_at;

	return until > restore->captured_at ? until - restore->captured_at : 0;
}

static const char *verdict(const struct restore *restore)
{
	if (!restore->settings->rpo_ms)
		return "not set";
	return point_missed(restore) ? "missed" : "met";
}

/* Nobody can say of a capture without a time that it is young enough. */
bool point_missed(const struct restore *restore)
{
	return restore->settings->rpo_ms && (!restore->captured_at || lost_ms(restore) > restore->settings->rpo_ms);
}

json_t *point_json(const struct restore *restore)
{
	json_t *json = json_pack("{s:s, s:o, s:o, s:n}", "verdict", verdict(restore), "capturedAt", phases_time_json(restore->captured_at),
		"declaredAt", phases_time_json(restore->phases->declared_at), "changedSince");

	json_object_set_new(
		json, "targetMilliseconds", restore->settings->rpo_ms ? json_integer((json_int_t)restore->settings->rpo_ms) : json_null());
	json_object_set_new(json, "achievedMilliseconds", restore->captured_at ? json_integer((json_int_t)lost_ms(restore)) : json_null());
	return json;
}
