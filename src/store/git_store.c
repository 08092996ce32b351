/* SPDX-License-Identifier: Apache-2.0 */
#include "git_internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <git2/sys/mempack.h>
#include <git2/sys/odb_backend.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/clock.h"
#include "util/file.h"
#include "util/mem.h"
#include "util/strbuf.h"
#include "util/text.h"

#define LOCK_NAME "rhaii-dr.lock"
#define TEMPORARY "tmp_object_git2_"
#define TEMPORARY_SECONDS 3600
#define LABEL_MAX 63
#define PACK_WINDOW ((size_t)512 << 10)
#define PACK_MAPPED ((size_t)4 << 20)
#define CACHE_MAX ((size_t)1 << 20)
/* Above those of libgit2's own backends, 1 and 2: where new objects go is where the first backend that writes puts them. */
#define MEMORY_PRIORITY 100

int git_fail(struct error *err, enum error_code code, const char *fmt, ...)
{
	auto_strbuf struct strbuf shown = STRBUF_INIT;
	const git_error *last = git_error_last();
	char said[512];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(said, sizeof(said), fmt, args);
	va_end(args);
	if (last && last->message)
		text_escape(&shown, last->message, strlen(last->message), 400);
	return error_set(err, code, "%s: %s", said, shown.len ? shown.buf : "libgit2 does not say why");
}

/* ---- opening ---- */

/* Objects are read in the order of the tree, once: what libgit2 would keep of them, and of the packs that it maps whole, is memory for nothing. */
static int limit_memory(struct error *err)
{
	if (git_libgit2_opts(GIT_OPT_SET_CACHE_MAX_SIZE, (ssize_t)CACHE_MAX) < 0 ||
		git_libgit2_opts(GIT_OPT_SET_MWINDOW_SIZE, PACK_WINDOW) < 0 ||
		git_libgit2_opts(GIT_OPT_SET_MWINDOW_MAPPED_LIMIT, PACK_MAPPED) < 0)
		return git_fail(err, ERR_FAILED, "cannot set libgit2 up");
	return 0;
}

/* Options of the whole library: durable, suspicious, and deaf to the configuration of whoever runs us. */
static int setup_library(struct error *err)
{
	static const int levels[] = {GIT_CONFIG_LEVEL_PROGRAMDATA, GIT_CONFIG_LEVEL_SYSTEM, GIT_CONFIG_LEVEL_XDG, GIT_CONFIG_LEVEL_GLOBAL};

	for (size_t i = 0; i < sizeof(levels) / sizeof(*levels); i++)
		if (git_libgit2_opts(GIT_OPT_SET_SEARCH_PATH, levels[i], "") < 0)
			return git_fail(err, ERR_FAILED, "cannot leave out git's configuration");
	/* The repository of a CronJob's volume, or of a colleague, belongs to another uid: nothing in it is ever executed. */
	if (git_libgit2_opts(GIT_OPT_ENABLE_FSYNC_GITDIR, 1) < 0 || git_libgit2_opts(GIT_OPT_SET_OWNER_VALIDATION, 0) < 0 ||
		git_libgit2_opts(GIT_OPT_ENABLE_STRICT_OBJECT_CREATION, 1) < 0 ||
		git_libgit2_opts(GIT_OPT_ENABLE_STRICT_HASH_VERIFICATION, 1) < 0)
		return git_fail(err, ERR_FAILED, "cannot set libgit2 up");
	return limit_memory(err);
}

/* Made by another uid before its directory was shared. */
static int unreadable(const char *dir, struct error *err)
{
	bool denied = errno == EACCES;

	(void)error_errno(err, errno, "cannot read directory '%s'", dir);
	if (!denied)
		return -1;
	return error_hint(err, "let its group use it: chmod -R g+rwX on it, and chmod g+s on the folders in it");
}

/* Whether dir holds nothing, or only what a creation that was killed has left. */
static int check_empty(const char *dir, struct error *err)
{
	static const char *const ours[] = {".", "..", LOCK_NAME, "HEAD", "HEAD.lock", "config", "config.lock", "description", "hooks",
		"info", "objects", "refs", "branches", NULL};
	DIR *entries = opendir(dir);
	struct dirent *entry;
	bool foreign = false;

	if (!entries)
		return unreadable(dir, err);
	while (!foreign && (entry = readdir(entries))) {
		/* libgit2 tries out what the file system can do */
		foreign = strncmp(entry->d_name, "_git2_", 6) != 0;
		for (const char *const *name = ours; *name && foreign; name++)
			foreign = strcmp(*name, entry->d_name) != 0;
	}
	(void)closedir(entries);
	if (!foreign)
		return 0;
	(void)error_set(err, ERR_USAGE, "'%s' is no git repository and not empty", dir);
	return error_hint(err, "give a new or an empty directory as --repo");
}

/* libgit2 does not fsync what it lays out; all of it together is one call. */
static int sync_file_system(const char *dir, struct error *err)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc = fd < 0 ? -1 : syncfs(fd);
	int fault = errno;

	if (fd >= 0 && close(fd) < 0 && rc == 0) {
		rc = -1;
		fault = errno;
	}
	return rc < 0 ? error_errno(err, fault, "cannot make repository '%s' durable", dir) : 0;
}

static int remove_leftover(const char *dir, const char *name, struct error *err)
{
	auto_free char *path = xasprintf("%s/%s", dir, name);

	if (unlink(path) < 0 && errno != ENOENT)
		return error_errno(err, errno, "cannot remove '%s'", path);
	return 0;
}

static int lay_out(const char *dir, const char *cluster, struct error *err)
{
	git_repository_init_options options = {.version = GIT_REPOSITORY_INIT_OPTIONS_VERSION};
	auto_free char *branch = xasprintf(GIT_BRANCHES "%s", cluster);
	bool shared = file_is_shared(dir);
	git_repository *repo = NULL;
	int rc;

	options.flags = GIT_REPOSITORY_INIT_BARE;
	options.mode = shared ? GIT_REPOSITORY_INIT_SHARED_GROUP : 0700;
	options.initial_head = branch;
	rc = git_repository_init_ext(&repo, dir, &options);
	git_repository_free(repo);
	if (rc < 0)
		return git_fail(err, ERR_FAILED, "cannot create repository '%s'", dir);
	if (!shared && chmod(dir, 0700) < 0)
		return error_errno(err, errno, "cannot make '%s' private", dir);
	return sync_file_system(dir, err);
}

/* In a shared directory libgit2, too, is to write for the group; for all that this process makes from now on. */
static void write_for_group(const char *dir)
{
	if (file_is_shared(dir))
		(void)umask(FILE_SHARED_UMASK);
}

/* A kill in the midst of it leaves what the next call completes. */
static int create(const char *dir, const char *cluster, struct error *err)
{
	auto_free char *path = xasprintf("%s/" LOCK_NAME, dir);
	struct file_lock *lock = NULL;
	int rc;

	if (git_check_cluster(cluster, err) < 0 || file_mkdirs(dir, err) < 0 || check_empty(dir, err) < 0 ||
		file_lock_take(&lock, path, err) < 0)
		return -1;
	rc = remove_leftover(dir, "HEAD.lock", err);
	if (rc == 0)
		rc = remove_leftover(dir, "config.lock", err);
	write_for_group(dir);
	if (rc == 0)
		rc = lay_out(dir, cluster, err);
	file_lock_free(lock);
	return rc;
}

static int missing(const char *dir, struct error *err)
{
	(void)error_set(err, ERR_NOT_FOUND, "no git repository at '%s'", dir);
	return error_hint(err, "name the repository with --repo, or make it with 'rhaii-dr snapshot'");
}

static int open_repository(struct git_store *store, const char *dir, bool may_create, const char *cluster, struct error *err)
{
	int rc = git_repository_open_ext(&store->repo, dir, GIT_REPOSITORY_OPEN_NO_SEARCH, NULL);

	if (rc == GIT_ENOTFOUND && may_create) {
		if (create(dir, cluster, err) < 0)
			return -1;
		rc = git_repository_open_ext(&store->repo, dir, GIT_REPOSITORY_OPEN_NO_SEARCH, NULL);
	}
	if (rc == GIT_ENOTFOUND)
		return missing(dir, err);
	if (rc < 0 || git_repository_odb(&store->odb, store->repo) < 0)
		return git_fail(err, ERR_FAILED, "cannot open repository '%s'", dir);
	store->dir = xstrdup(git_repository_path(store->repo));
	return 0;
}

/* ---- dry runs ---- */

/* Where a repository is still to be made. */
static int open_nothing(struct git_store *store, const char *dir, struct error *err)
{
	if (file_is_directory(dir) && check_empty(dir, err) < 0)
		return -1;
	error_clear(err);
	if (git_odb_new(&store->odb) < 0)
		return git_fail(err, ERR_FAILED, "cannot start libgit2");
	store->dir = xasprintf("%s/", dir);
	return 0;
}

/* In front of the repository's own objects, which it leaves alone. */
static int add_memory(struct git_store *store, struct error *err)
{
	if (git_mempack_new(&store->memory) < 0 || git_odb_add_backend(store->odb, store->memory, MEMORY_PRIORITY) < 0)
		return git_fail(err, ERR_FAILED, "cannot start libgit2");
	return 0;
}

static int open_dry(struct git_store *store, const char *dir, struct error *err)
{
	if (open_repository(store, dir, false, NULL, err) < 0 && (err->code != ERR_NOT_FOUND || open_nothing(store, dir, err) < 0))
		return -1;
	return add_memory(store, err);
}

/* ---- stores ---- */

/* A store that is not open yet, with the library set up; NULL when that fails. */
static struct git_store *store_new(struct error *err)
{
	struct git_store *store;

	if (git_libgit2_init() < 0) {
		(void)git_fail(err, ERR_FAILED, "cannot start libgit2");
		return NULL;
	}
	store = xcalloc(1, sizeof(*store));
	if (setup_library(err) == 0)
		return store;
	git_store_free(store);
	return NULL;
}

/* Hand it out when it could be opened, else free it. */
static int hand_out(struct git_store **out, struct git_store *store, int rc)
{
	if (rc == 0)
		*out = store;
	else
		git_store_free(store);
	return rc;
}

int git_store_open(struct git_store **out, const char *dir, bool may_create, const char *cluster, struct error *err)
{
	struct git_store *store = store_new(err);

	*out = NULL;
	return store ? hand_out(out, store, open_repository(store, dir, may_create, cluster, err)) : -1;
}

int git_store_open_dry(struct git_store **out, const char *dir, struct error *err)
{
	struct git_store *store = store_new(err);

	*out = NULL;
	return store ? hand_out(out, store, open_dry(store, dir, err)) : -1;
}

void git_store_free(struct git_store *store)
{
	if (!store)
		return;
	git_odb_free(store->odb);
	git_repository_free(store->repo);
	file_lock_free(store->lock);
	free(store->dir);
	free(store);
	(void)git_libgit2_shutdown();
}

const char *git_store_dir(const struct git_store *store)
{
	return store->dir;
}

/*
 * What libgit2 leaves of a loose object whose writer was killed: neither it nor git gc ever looks at it again. We hold the writer's lock, so no writer of ours is
 * at one of them; that of somebody else is not at it for an hour.
 */
static void sweep_temporaries(const struct git_store *store)
{
	auto_free char *folder = xasprintf("%sobjects", store->dir);
	DIR *entries = opendir(folder);
	const struct dirent *entry;
	struct stat found;

	while (entries && (entry = readdir(entries)))
		if (strncmp(entry->d_name, TEMPORARY, strlen(TEMPORARY)) == 0 &&
			fstatat(dirfd(entries), entry->d_name, &found, AT_SYMLINK_NOFOLLOW) == 0 &&
			found.st_mtime < clock_now() - TEMPORARY_SECONDS)
			(void)unlinkat(dirfd(entries), entry->d_name, 0);
	if (entries)
		(void)closedir(entries);
}

int git_store_lock(struct git_store *store, struct error *err)
{
	auto_free char *path = NULL;

	if (store->lock || !store->repo)
		return 0;
	if (!git_repository_is_bare(store->repo)) {
		(void)error_set(err, ERR_USAGE, "repository '%s' has a working tree", store->dir);
		return error_hint(err, "snapshots are written to a bare one: git clone --mirror");
	}
	if (store->memory)
		return 0;
	write_for_group(store->dir);
	path = xasprintf("%s" LOCK_NAME, store->dir);
	if (file_lock_take(&store->lock, path, err) < 0)
		return -1;
	sweep_temporaries(store);
	return git_clear_stale_lock(store, "HEAD", err);
}

/* ---- durability ---- */

static int sync_directory(const char *path, struct error *err)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc = fd < 0 ? -1 : fsync(fd);
	int fault = errno;

	if (fd >= 0)
		(void)close(fd);
	return rc < 0 ? error_errno(err, fault, "cannot make directory '%s' durable", path) : 0;
}

int git_sync_directories(struct git_store *store, const char *path, struct error *err)
{
	auto_free char *full = xasprintf("%s%s", store->dir, path);
	size_t root = strlen(store->dir);

	for (;;) {
		char *slash = strrchr(full, '/');

		if (sync_directory(full, err) < 0)
			return -1;
		if (!slash || (size_t)(slash - full) < root)
			return sync_directory(store->dir, err);
		*slash = '\0';
	}
}

/* ---- clusters ---- */

int git_check_cluster(const char *cluster, struct error *err)
{
	static const char inner[] = "abcdefghijklmnopqrstuvwxyz0123456789-";
	auto_strbuf struct strbuf shown = STRBUF_INIT;
	size_t len = cluster ? strlen(cluster) : 0;

	if (len == 0) {
		(void)error_set(err, ERR_USAGE, "the cluster has no name yet");
		return error_hint(err, "give it one with --cluster");
	}
	if (len <= LABEL_MAX && strspn(cluster, inner) == len && cluster[0] != '-' && cluster[len - 1] != '-')
		return 0;
	text_escape(&shown, cluster, len, 100);
	(void)error_set(err, ERR_USAGE, "not a cluster name: '%s'", shown.buf);
	return error_hint(err, "lower-case letters, digits and '-', at most %d of them", LABEL_MAX);
}

static void release_iterator(git_reference_iterator **iterator)
{
	git_reference_iterator_free(*iterator);
}

int git_list_names(struct git_store *store, const char *folder, struct strlist *out, struct error *err)
{
	__attribute__((cleanup(release_iterator))) git_reference_iterator *iterator = NULL;
	auto_free char *glob = xasprintf("%s*", folder);
	const char *name;
	int rc;

	if (!store->repo)
		return 0;
	if (git_reference_iterator_glob_new(&iterator, store->repo, glob) < 0)
		return git_fail(err, ERR_FAILED, "cannot list the branches of '%s'", store->dir);
	while ((rc = git_reference_next_name(&name, iterator)) == 0) {
		struct error ignored = ERROR_INIT;

		/* Other branches that somebody has put there are not ours. */
		if (git_check_cluster(name + strlen(folder), &ignored) == 0)
			strlist_add(out, name + strlen(folder));
	}
	if (rc != GIT_ITEROVER)
		return git_fail(err, ERR_FAILED, "cannot list the branches of '%s'", store->dir);
	strlist_sort_unique(out);
	return 0;
}

int git_store_clusters(struct git_store *store, struct strlist *out, struct error *err)
{
	return git_list_names(store, GIT_BRANCHES, out, err);
}

static int only_cluster(struct git_store *store, char **out, struct error *err)
{
	auto_strlist struct strlist names = STRLIST_INIT;

	if (git_store_clusters(store, &names, err) < 0)
		return -1;
	if (names.count == 1) {
		*out = xstrdup(names.items[0]);
		return 0;
	}
	if (names.count == 0) {
		(void)error_set(err, ERR_USAGE, "no snapshot in '%s' yet", store->dir);
		return error_hint(err, "name the cluster with --cluster");
	}
	(void)error_set(
		err, ERR_USAGE, "%zu clusters in '%s', among them '%s' and '%s'", names.count, store->dir, names.items[0], names.items[1]);
	return error_hint(err, "say which one with --cluster");
}

int git_store_cluster(struct git_store *store, const char *name, char **out, struct error *err)
{
	git_oid id;
	int found;

	*out = NULL;
	if (!name || !*name)
		return only_cluster(store, out, err);
	if (git_check_cluster(name, err) < 0)
		return -1;
	found = git_head(store, name, &id, err);
	if (found < 0)
		return -1;
	if (!found) {
		(void)error_set(err, ERR_NOT_FOUND, "no snapshot of cluster '%s' in '%s'", name, store->dir);
		return error_hint(err, "see 'rhaii-dr list'");
	}
	*out = xstrdup(name);
	return 0;
}
