/* SPDX-License-Identifier: Apache-2.0 */
#include "git_internal.h"

#include <errno.h>
#include <stdio.h>
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
int git_clear_stale_lock(struct git_store *store, const char *name, struct error *err)
{
	auto_free char *path = xasprintf("%s%s.lock", store->dir ? store->dir : "", name);

	if (store->memory)
		return 0;
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

	if (store->memory)
		return error_set(err, ERR_FAILED, "a dry run writes nothing");
	if (git_clear_stale_lock(store, name, err) < 0)
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

/* ---- tags that were replaced ---- */

/* Whether the tag's text goes on so behind "object <id>". */
static bool is_written_so(struct git_store *store, const git_oid *id, const char *text)
{
	auto_object git_odb_object *tag = NULL;
	struct error ignored = ERROR_INIT;
	size_t skip = strlen("object ") + GIT_OID_HEXSZ, len = strlen(text);

	return git_load(&tag, store, id, GIT_OBJECT_TAG, GIT_TAG_MAX, &ignored) == 0 && git_odb_object_size(tag) > skip + len &&
		memcmp((const char *)git_odb_object_data(tag) + skip, text, len) == 0;
}

/* Whether a ref leads to the tag, directly or over tags of tags. */
static bool leads_to(struct git_store *store, const char *name, const git_oid *wanted)
{
	struct error ignored = ERROR_INIT;
	git_oid id;

	if (git_reference_name_to_id(&id, store->repo, name) < 0)
		return false;
	while (!git_oid_equal(&id, wanted)) {
		auto_object git_odb_object *tag = NULL;
		char hex[GIT_ID_SIZE];

		if (git_load(&tag, store, &id, GIT_OBJECT_TAG, GIT_TAG_MAX, &ignored) < 0 || git_odb_object_size(tag) < 7 + GIT_OID_HEXSZ)
			return false;
		(void)snprintf(hex, sizeof(hex), "%s", (const char *)git_odb_object_data(tag) + 7);
		if (git_oid_fromstr(&id, hex) < 0)
			return false;
	}
	return true;
}

static void free_names(git_strarray *names)
{
	git_strarray_dispose(names);
}

/* Where the refs cannot be listed, it may be in use. */
static bool is_in_use(struct git_store *store, const git_oid *id)
{
	__attribute__((cleanup(free_names))) git_strarray names = {0};

	if (git_reference_list(&names, store->repo) < 0)
		return true;
	for (size_t i = 0; i < names.count; i++)
		if (leads_to(store, names.strings[i], id))
			return true;
	return false;
}

void git_drop_tag(struct git_store *store, const char *name, const git_oid *id, const char *text)
{
	auto_free char *reflog = xasprintf("%slogs/%s", store->dir, name);
	auto_free char *path = NULL;
	char hex[GIT_ID_SIZE];

	if (file_exists(reflog) || !is_written_so(store, id, text) || is_in_use(store, id))
		return;
	git_oid_tostr(hex, sizeof(hex), id);
	path = xasprintf("%sobjects/%.2s/%s", store->dir, hex, hex + 2);
	if (unlink(path) < 0 && errno != ENOENT)
		log_debug("cannot remove '%s', a tag that was replaced: %s", path, strerror(errno));
}
