/* SPDX-License-Identifier: Apache-2.0 */
#include "util/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/env.h"
#include "util/error.h"
#include "util/mem.h"
#include "util/strbuf.h"

#define READ_CHUNK ((size_t)64 * 1024)
/* Our own trees are four levels deep and hold some 100,000 files; what is far beyond is not ours. */
#define WALK_DEPTH_MAX 32
#define WALK_ENTRIES_MAX 5000000

static void close_fd(const int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
}
#define auto_fd __attribute__((cleanup(close_fd)))

static void close_dir(DIR **dir)
{
	if (*dir)
		(void)closedir(*dir);
}
#define auto_dir __attribute__((cleanup(close_dir)))

static int open_retry(int dir, const char *path, int flags, mode_t mode)
{
	int fd;

	do
		fd = openat(dir, path, flags | O_CLOEXEC, mode);
	while (fd < 0 && errno == EINTR);
	return fd;
}

static int dup_retry(int fd)
{
	int copy;

	do
		copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	while (copy < 0 && errno == EINTR);
	return copy;
}

static int fsync_retry(int fd)
{
	int rc;

	/* Any other failure is final: the kernel may have dropped the pages, and a second fsync would lie. */
	do
		rc = fsync(fd);
	while (rc < 0 && errno == EINTR);
	return rc;
}

/* The directory part of path: "." when it has none. The caller frees. */
static char *directory_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (!slash)
		return xstrdup(".");
	return xstrndup(path, slash == path ? 1 : (size_t)(slash - path));
}

static const char *name_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* ---- reading ---- */

/* Read on to the end; 0, or an errno. One byte over max is enough to know. */
static int read_all(int fd, size_t max, struct strbuf *out)
{
	size_t start = out->len;

	for (;;) {
		size_t left = max - (out->len - start);
		size_t want = left < READ_CHUNK ? left + 1 : READ_CHUNK;
		ssize_t got = read(fd, strbuf_reserve(out, want), want);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return errno;
		if (got == 0)
			return 0;
		out->len += (size_t)got;
		out->buf[out->len] = '\0';
		if (out->len - start > max)
			return EFBIG;
	}
}

int file_read(const char *path, size_t max, struct strbuf *out, struct error *err)
{
	size_t start = out->len;
	auto_fd int fd = open_retry(AT_FDCWD, path, O_RDONLY | O_NOCTTY, 0);
	int fault;

	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return error_set(err, ERR_NOT_FOUND, "no such file: '%s'", path);
	if (fd < 0)
		return error_errno(err, errno, "cannot open '%s'", path);
	fault = read_all(fd, max, out);
	if (fault == 0)
		return 0;
	strbuf_truncate(out, start);
	if (fault == EFBIG)
		return error_set(err, ERR_FAILED, "larger than %zu bytes: '%s'", max, path);
	return error_errno(err, fault, "cannot read '%s'", path);
}

/* ---- writing ---- */

struct file_writer {
	char *path; /* for messages */
	char *temp; /* name in dir; NULL once it is gone */
	int dir;    /* held open, so that it stays the same directory whatever is renamed meanwhile */
	int fd;
	int mode;
	int fault; /* errno of the first write that failed */
};

static void writer_free(struct file_writer *w)
{
	if (w->fd >= 0)
		(void)close(w->fd);
	if (w->temp)
		(void)unlinkat(w->dir, w->temp, 0);
	if (w->dir >= 0)
		(void)close(w->dir);
	free(w->temp);
	free(w->path);
	free(w);
}

static void release_writer(struct file_writer **w)
{
	if (*w)
		writer_free(*w);
}
#define auto_writer __attribute__((cleanup(release_writer)))

/* Make the temp file; its name is tried again in the unlikely case that it is taken. */
static int open_temp(struct file_writer *w)
{
	for (int tries = 0; tries < 8; tries++) {
		auto_free char *name = NULL;
		uint64_t random;

		env_random(&random, sizeof(random));
		name = xasprintf(".tmp-%016" PRIx64, random);
		w->fd = open_retry(w->dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
		if (w->fd >= 0) {
			w->temp = xstrdup(name);
			return 0;
		}
		if (errno != EEXIST)
			return -1;
	}
	return -1;
}

int file_writer_open(struct file_writer **out, const char *path, int mode, struct error *err)
{
	auto_writer struct file_writer *w = xcalloc(1, sizeof(*w));
	auto_free char *dir = directory_of(path);

	*out = NULL;
	w->path = xstrdup(path);
	w->fd = -1;
	w->mode = mode;
	w->dir = open_retry(AT_FDCWD, dir, O_RDONLY | O_DIRECTORY, 0);
	if (w->dir < 0)
		return error_errno(err, errno, "cannot open directory '%s'", dir);
	if (!*name_of(path))
		return error_errno(err, EISDIR, "cannot write '%s'", path);
	if (open_temp(w) < 0)
		return error_errno(err, errno, "cannot create a file in '%s'", dir);
	*out = w;
	w = NULL;
	return 0;
}

/* 0, or an errno. */
static int write_all(int fd, const char *data, size_t len)
{
	while (len > 0) {
		ssize_t written = write(fd, data, len);

		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return errno;
		data += written;
		len -= (size_t)written;
	}
	return 0;
}

int file_writer_write(struct file_writer *w, const void *data, size_t len, struct error *err)
{
	if (!w->fault)
		w->fault = write_all(w->fd, data, len);
	return w->fault ? error_errno(err, w->fault, "cannot write '%s'", w->path) : 0;
}

/* Mode, fsync and close, each able to say that the bytes are not there after all. 0, or an errno. */
static int settle(struct file_writer *w)
{
	int fd = w->fd;

	if (w->fault)
		return w->fault;
	if (fchmod(fd, (mode_t)w->mode) < 0 || fsync_retry(fd) < 0)
		return errno;
	w->fd = -1;
	/* After EINTR Linux has closed it all the same; what fsync promised holds. */
	if (close(fd) < 0 && errno != EINTR)
		return errno;
	return 0;
}

/* A hard link never replaces; where the file system has none, or forbids them, the kernel's own exclusive rename. 0, or an errno. */
static int place_exclusive(struct file_writer *w, const char *name)
{
	if (linkat(w->dir, w->temp, w->dir, name, 0) == 0)
		return 0;
	if (errno != EPERM && errno != ENOSYS && errno != EOPNOTSUPP && errno != EMLINK)
		return errno;
	if (renameat2(w->dir, w->temp, w->dir, name, RENAME_NOREPLACE) < 0)
		return errno;
	free(w->temp);
	w->temp = NULL;
	return 0;
}

static int place(struct file_writer *w, const char *name)
{
	if (renameat(w->dir, w->temp, w->dir, name) < 0)
		return errno;
	free(w->temp);
	w->temp = NULL;
	return 0;
}

/* After a link both names are there; a kill before this leaves a stray .tmp- and a whole file. 0, or an errno. */
static int drop_temp(struct file_writer *w)
{
	int fault = 0;

	if (w->temp && unlinkat(w->dir, w->temp, 0) < 0)
		fault = errno;
	free(w->temp);
	w->temp = NULL;
	return fault;
}

int file_writer_commit(struct file_writer *writer, bool exclusive, struct error *err)
{
	auto_writer struct file_writer *w = writer;
	const char *name = name_of(w->path);
	int fault = settle(w);

	if (!fault)
		fault = exclusive ? place_exclusive(w, name) : place(w, name);
	if (exclusive && fault == EEXIST)
		return error_set(err, ERR_EXISTS, "exists already: '%s'", w->path);
	if (!fault)
		fault = drop_temp(w);
	if (!fault && fsync_retry(w->dir) < 0)
		fault = errno;
	return fault ? error_errno(err, fault, "cannot write '%s'", w->path) : 0;
}

void file_writer_abort(struct file_writer *w)
{
	if (w)
		writer_free(w);
}

int file_write(const char *path, const void *data, size_t len, int mode, struct error *err)
{
	struct file_writer *w;

	if (file_writer_open(&w, path, mode, err) < 0)
		return -1;
	if (file_writer_write(w, data, len, err) < 0) {
		file_writer_abort(w);
		return -1;
	}
	return file_writer_commit(w, false, err);
}

/* ---- directories ---- */

bool file_exists(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0;
}

bool file_is_directory(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

bool file_is_plain(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

static int sync_directory(const char *path)
{
	auto_fd int fd = open_retry(AT_FDCWD, path, O_RDONLY | O_DIRECTORY, 0);

	return fd < 0 ? -1 : fsync_retry(fd);
}

/* One directory whose parent is there. */
static int make_directory(const char *path, struct error *err)
{
	auto_free char *parent = directory_of(path);

	if (file_is_directory(path))
		return 0;
	if (mkdir(path, 0700) < 0) {
		/* Another process may have been faster. */
		if (errno == EEXIST && file_is_directory(path))
			return 0;
		return error_errno(err, errno, "cannot create directory '%s'", path);
	}
	if (sync_directory(path) < 0 || sync_directory(parent) < 0)
		return error_errno(err, errno, "cannot make directory '%s' durable", path);
	return 0;
}

int file_mkdirs(const char *path, struct error *err)
{
	auto_free char *part = xstrdup(path);
	char *at = part;

	while (*at == '/')
		at++;
	while ((at = strchr(at, '/'))) {
		*at = '\0';
		if (make_directory(part, err) < 0)
			return -1;
		*at++ = '/';
		while (*at == '/')
			at++;
		/* "a/b/" names no directory after b. */
		if (!*at)
			return 0;
	}
	return make_directory(part, err);
}

/* ---- directories from strangers ---- */

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
	int fd = open_retry(AT_FDCWD, bare, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
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
		int fd = open_retry(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);

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
	int fd = open_retry(root->fd, ".", O_RDONLY | O_DIRECTORY, 0);

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
		next = open_retry(at, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
		close_fd(&at);
		at = next;
	}
	/* Not to hang on a fifo. */
	return at < 0 ? -1 : open_retry(at, path, O_RDONLY | O_NOCTTY | O_NOFOLLOW | O_NONBLOCK, 0);
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
	fault = read_all(fd, max, out);
	if (fault == 0)
		return 0;
	strbuf_truncate(out, start);
	if (fault == EFBIG)
		return error_set(err, ERR_INTEGRITY, "larger than %zu bytes: '%s/%s'", max, root->path, path);
	return error_errno(err, fault, "cannot read '%s/%s'", root->path, path);
}

/* ---- locks ---- */

struct file_lock {
	int fd;
};

/* Take the lock of an open file, which is closed on failure. */
static int lock_or_close(int fd, const char *path, struct error *err)
{
	int rc, fault;

	do
		rc = flock(fd, LOCK_EX | LOCK_NB);
	while (rc < 0 && errno == EINTR);
	if (rc == 0)
		return 0;
	fault = errno;
	(void)close(fd);
	if (fault == EWOULDBLOCK)
		return error_set(err, ERR_LOCKED, "in use by another process: '%s'", path);
	return error_errno(err, fault, "cannot lock '%s'", path);
}

int file_lock_take(struct file_lock **out, const char *path, struct error *err)
{
	int fd = open_retry(AT_FDCWD, path, O_RDWR | O_CREAT | O_NOFOLLOW, 0600);

	*out = NULL;
	if (fd < 0)
		return error_errno(err, errno, "cannot open lock '%s'", path);
	if (lock_or_close(fd, path, err) < 0)
		return -1;
	*out = xcalloc(1, sizeof(**out));
	(*out)->fd = fd;
	return 0;
}

/* The file stays: removing it would let two processes lock two files of the same name. */
void file_lock_free(struct file_lock *lock)
{
	if (!lock)
		return;
	(void)close(lock->fd);
	free(lock);
}

/* ---- files that grow ---- */

struct file_log {
	char *path; /* for messages */
	int fd;
	int fault; /* errno of the first failure */
};

int file_log_open(struct file_log **out, const char *path, struct error *err)
{
	int fd = open_retry(AT_FDCWD, path, O_WRONLY | O_APPEND | O_NOFOLLOW, 0);

	*out = NULL;
	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return error_set(err, ERR_NOT_FOUND, "no such file: '%s'", path);
	if (fd < 0)
		return error_errno(err, errno, "cannot open '%s'", path);
	if (lock_or_close(fd, path, err) < 0)
		return -1;
	*out = xcalloc(1, sizeof(**out));
	**out = (struct file_log){.path = xstrdup(path), .fd = fd};
	return 0;
}

int file_log_check(const struct file_log *log, struct error *err)
{
	return log->fault ? error_errno(err, log->fault, "cannot write '%s'", log->path) : 0;
}

int file_log_cut(struct file_log *log, size_t keep, struct error *err)
{
	if (!log->fault && ftruncate(log->fd, (off_t)keep) < 0)
		log->fault = errno;
	return file_log_check(log, err);
}

int file_log_add(struct file_log *log, const void *data, size_t len, struct error *err)
{
	if (!log->fault)
		log->fault = write_all(log->fd, data, len);
	return file_log_check(log, err);
}

int file_log_sync(struct file_log *log, struct error *err)
{
	if (!log->fault && fsync_retry(log->fd) < 0)
		log->fault = errno;
	return file_log_check(log, err);
}

void file_log_free(struct file_log *log)
{
	if (!log)
		return;
	(void)close(log->fd);
	free(log->path);
	free(log);
}
