/* SPDX-License-Identifier: Apache-2.0 */
/* Directories from strangers: nothing outside of them is reached, whatever they hold. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file_internal.h"
#include "util/error.h"
#include "util/file.h"
#include "util/mem.h"
#include "util/strbuf.h"

/* Our own trees are four levels deep and hold some 100,000 files; what is far beyond is not ours. */
#define WALK_DEPTH_MAX 32
#define WALK_ENTRIES_MAX 5000000

static void close_dir(DIR **dir)
{
	if (*dir)
		(void)closedir(*dir);
}
#define auto_dir __attribute__((cleanup(close_dir)))

static int dup_retry(int fd)
{
	int copy;

	do
		copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	while (copy < 0 && errno == EINTR);
	return copy;
}

struct file_root {
	char *path; /* for messages */
	int fd;
};

/* Without the '/' and "/." at its end, behind which a symlink would be followed. The caller frees. */
static char *bare_path(const char *path)
{
	size_t len = strlen(path);

	while (len > 1 && (path[len - 1] == '/' || (path[len - 1] == '.' && path[len - 2] == '/')))
		len--;
	return xstrndup(path, len);
}

static bool is_symlink(int dir, const char *path)
{
	struct stat st;

	return fstatat(dir, path, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(st.st_mode);
}

int file_root_open(struct file_root **out, const char *path, struct error *err)
{
	auto_free char *bare = bare_path(path);
	int fd = file_open_retry(AT_FDCWD, bare, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
	int fault = errno;

	*out = NULL;
	if (fd < 0 && is_symlink(AT_FDCWD, bare))
		return error_set(err, ERR_INTEGRITY, "a symlink, not a directory: '%s'", bare);
	if (fd < 0 && fault == ENOENT)
		return error_set(err, ERR_NOT_FOUND, "no such directory: '%s'", bare);
	if (fd < 0)
		return error_errno(err, fault, "cannot open directory '%s'", bare);
	*out = xcalloc(1, sizeof(**out));
	(*out)->path = bare;
	(*out)->fd = fd;
	bare = NULL;
	return 0;
}

void file_root_free(struct file_root *root)
{
	if (!root)
		return;
	(void)close(root->fd);
	free(root->path);
	free(root);
}

struct walk {
	const char *root;
	const char *const *skip;
	struct strlist *out;
	struct error *err;
};

/* A symlink is refused under any name. */
static bool is_skipped(const struct walk *walk, const char *name, mode_t mode, int depth)
{
	if (depth > 0 || !walk->skip || !(S_ISDIR(mode) || S_ISREG(mode)))
		return false;
	for (const char *const *skip = walk->skip; *skip; skip++)
		if (strcmp(*skip, name) == 0)
			return true;
	return false;
}

static int walk_directory(struct walk *walk, int fd, const char *prefix, int depth);

static int walk_entry(struct walk *walk, int dir, const char *path, const char *name, int depth)
{
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return error_errno(walk->err, errno, "cannot look at '%s/%s'", walk->root, path);
	if (is_skipped(walk, name, st.st_mode, depth))
		return 0;
	if (S_ISDIR(st.st_mode)) {
		int fd = file_open_retry(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);

		if (fd < 0)
			return error_errno(walk->err, errno, "cannot open directory '%s/%s'", walk->root, path);
		return walk_directory(walk, fd, path, depth + 1);
	}
	if (!S_ISREG(st.st_mode))
		return error_set(walk->err, ERR_INTEGRITY, "neither file nor directory: '%s/%s'", walk->root, path);
	if (walk->out->count >= WALK_ENTRIES_MAX)
		return error_set(walk->err, ERR_INTEGRITY, "more than %d files in '%s'", WALK_ENTRIES_MAX, walk->root);
	strlist_add(walk->out, path);
	return 0;
}

/* Takes fd over. prefix is the path of the directory below the root, "" for the root itself. */
static int walk_directory(struct walk *walk, int fd, const char *prefix, int depth)
{
	auto_dir DIR *dir = fdopendir(fd);
	struct dirent *entry;

	if (!dir) {
		int fault = errno;

		(void)close(fd);
		return error_errno(walk->err, fault, "cannot read directory '%s/%s'", walk->root, prefix);
	}
	if (depth > WALK_DEPTH_MAX)
		return error_set(walk->err, ERR_INTEGRITY, "more than %d directories deep: '%s/%s'", WALK_DEPTH_MAX, walk->root, prefix);
	while ((void)(errno = 0), (entry = readdir(dir))) {
		auto_free char *path = NULL;

		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		path = *prefix ? xasprintf("%s/%s", prefix, entry->d_name) : xstrdup(entry->d_name);
		if (walk_entry(walk, fd, path, entry->d_name, depth) < 0)
			return -1;
	}
	return errno ? error_errno(walk->err, errno, "cannot read directory '%s/%s'", walk->root, prefix) : 0;
}

int file_root_walk(const struct file_root *root, const char *const *skip, struct strlist *out, struct error *err)
{
	struct walk walk = {.root = root->path, .skip = skip, .out = out, .err = err};
	int fd = file_open_retry(root->fd, ".", O_RDONLY | O_DIRECTORY, 0);

	if (fd < 0)
		return error_errno(err, errno, "cannot open directory '%s'", root->path);
	if (walk_directory(&walk, fd, "", 0) < 0)
		return -1;
	strlist_sort_unique(out);
	return 0;
}

/* Open the file at path step by step, so that none of the steps is a symlink; -1 and errno. */
static int open_below(int dir, char *path)
{
	auto_fd int at = dup_retry(dir);
	char *slash;

	for (; at >= 0 && (slash = strchr(path, '/')); path = slash + 1) {
		int next;

		*slash = '\0';
		next = file_open_retry(at, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
		file_close_fd(&at);
		at = next;
	}
	/* Not to hang on a fifo. */
	return at < 0 ? -1 : file_open_retry(at, path, O_RDONLY | O_NOCTTY | O_NOFOLLOW | O_NONBLOCK, 0);
}

int file_root_read(const struct file_root *root, const char *path, size_t max, struct strbuf *out, struct error *err)
{
	auto_free char *steps = xstrdup(path);
	auto_fd int fd = open_below(root->fd, steps);
	size_t start = out->len;
	struct stat st;
	int fault;

	if (fd < 0 && errno != ELOOP && errno != ENOTDIR && errno != ENOENT)
		return error_errno(err, errno, "cannot open '%s/%s'", root->path, path);
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return error_set(err, ERR_INTEGRITY, "not a plain file any more: '%s/%s'", root->path, path);
	fault = file_read_all(fd, max, out);
	if (fault == 0)
		return 0;
	strbuf_truncate(out, start);
	if (fault == EFBIG)
		return error_set(err, ERR_INTEGRITY, "larger than %zu bytes: '%s/%s'", max, root->path, path);
	return error_errno(err, fault, "cannot read '%s/%s'", root->path, path);
}
