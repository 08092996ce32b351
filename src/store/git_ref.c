/* SPDX-License-Identifier: Apache-2.0 */
#include "git_internal.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "util/clock.h"
#include "util/file.h"
#include "util/log.h"
#include "util/mem.h"

/* git itself holds the lock of a ref for milliseconds. */
#define LOCK_WAIT_MS 100
#define LOCK_TRIES 10

/*
 * A "<ref>.lock" while we hold the writer's lock: a git of somebody else in the midst of something, which is soon over, or a writer that
 * was killed, which nobody would ever clean up.
 */
static int clear_stale_lock(struct git_store *store, const char *name, struct error *err)
{
	auto_free char *path = xasprintf("%s%s.lock", store->dir, name);

	for (int tries = 0; file_exists(path); tries++) {
		if (tries < LOCK_TRIES) {
			clock_sleep_ms(LOCK_WAIT_MS);
			continue;
		}
		log_warning("removed '%s', left by a writer that was killed", path);
		if (unlink(path) < 0 && errno != ENOENT)
			return error_errno(err, errno, "cannot remove '%s'", path);
	}
	return 0;
}

static int sync_ref(struct git_store *store, const char *name, struct error *err)
{
	auto_free char *folder = xstrndup(name, (size_t)(strrchr(name, '/') - name));

	return git_sync_directories(store, folder, err);
}

int git_move_ref(struct git_store *store, const char *name, const git_oid *from, const git_oid *to, struct error *err)
{
	git_reference *ref = NULL;
	int rc;

	if (clear_stale_lock(store, name, err) < 0)
		return -1;
	rc = git_reference_create_matching(&ref, store->repo, name, to, from != NULL, from, NULL);
	git_reference_free(ref);
	if (rc == GIT_EEXISTS || rc == GIT_EMODIFIED || rc == GIT_ENOTFOUND) {
		(void)error_set(err, ERR_CONFLICT, "'%s' has moved meanwhile", name);
		return error_hint(err, "run it again");
	}
	if (rc < 0)
		return git_fail(err, ERR_FAILED, "cannot move '%s'", name);
	return sync_ref(store, name, err);
}
