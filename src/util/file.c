/* SPDX-License-Identifier: Apache-2.0 */
#include "util/file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file_internal.h"
#include "util/env.h"
#include "util/error.h"
#include "util/hash.h"
#include "util/mem.h"
#include "util/strbuf.h"

#define SUM_CHUNK ((size_t)16 * 1024)

static int open_to_read(const char *path, struct error *err)
{
	int fd = file_open_retry(AT_FDCWD, path, O_RDONLY | O_NOCTTY, 0);

	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return error_set(err, ERR_NOT_FOUND, "no such file: '%s'", path);
	return fd < 0 ? error_errno(err, errno, "cannot open '%s'", path) : fd;
}

int file_sha256(const char *path, char hex[65], struct error *err)
{
	char bytes[SUM_CHUNK];
	auto_fd int fd = open_to_read(path, err);
	struct hash *hash;
	ssize_t got;

	if (fd < 0)
		return -1;
	hash = hash_new(0);
	while ((got = read(fd, bytes, sizeof(bytes))) != 0) {
		if (got > 0)
			hash_update(hash, bytes, (size_t)got);
		else if (errno != EINTR)
			break;
	}
	if (got < 0)
		(void)error_errno(err, errno, "cannot read '%s'", path);
	hash_final(hash, hex);
	return got < 0 ? -1 : 0;
}

int file_read(const char *path, size_t max, struct strbuf *out, struct error *err)
{
	size_t start = out->len;
	auto_fd int fd = open_to_read(path, err);
	int fault;

	if (fd < 0)
		return -1;
	fault = file_read_all(fd, max, out);
	if (fault == 0)
		return 0;
	strbuf_truncate(out, start);
	if (fault == EFBIG)
		return error_set(err, ERR_FAILED, "larger than %zu bytes: '%s'", max, path);
	return error_errno(err, fault, "cannot read '%s'", path);
}

/* ---- writing ---- */

static const char *name_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

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
		w->fd = file_open_retry(w->dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
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
	auto_free char *dir = file_directory_of(path);

	*out = NULL;
	w->path = xstrdup(path);
	w->fd = -1;
	w->mode = mode;
	w->dir = file_open_retry(AT_FDCWD, dir, O_RDONLY | O_DIRECTORY, 0);
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

int file_writer_write(struct file_writer *w, const void *data, size_t len, struct error *err)
{
	if (!w->fault)
		w->fault = file_write_all(w->fd, data, len);
	return w->fault ? error_errno(err, w->fault, "cannot write '%s'", w->path) : 0;
}

static bool is_shared(const struct stat *st)
{
	return S_ISDIR(st->st_mode) && (st->st_mode & S_ISGID) && (st->st_mode & S_IWGRP);
}

/* The mode asked for; in a shared directory the group may do what the owner may. */
static mode_t writer_mode(const struct file_writer *w)
{
	mode_t mode = (mode_t)w->mode;
	struct stat st;

	return fstat(w->dir, &st) == 0 && is_shared(&st) ? mode | (mode & S_IRWXU) >> 3 : mode;
}

/* Mode, fsync and close, each able to say that the bytes are not there after all. 0, or an errno. */
static int settle(struct file_writer *w)
{
	int fd = w->fd;

	if (w->fault)
		return w->fault;
	if (fchmod(fd, writer_mode(w)) < 0 || file_fsync_retry(fd) < 0)
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
	if (!fault && file_fsync_retry(w->dir) < 0)
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

bool file_is_shared(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && is_shared(&st);
}

mode_t file_mask_begin(const char *dir)
{
	return umask(file_is_shared(dir) ? FILE_SHARED_UMASK : S_IRWXG | S_IRWXO);
}

void file_mask_end(mode_t mask)
{
	int fault = errno;

	(void)umask(mask);
	errno = fault;
}

/* In a shared directory the kernel hands its group and the setgid bit on. */
static int make_private_or_shared(const char *path, const char *parent)
{
	mode_t mask = file_mask_begin(parent);
	int rc = mkdir(path, S_IRWXU | S_IRWXG);

	file_mask_end(mask);
	return rc;
}

static int sync_directory(const char *path)
{
	auto_fd int fd = file_open_retry(AT_FDCWD, path, O_RDONLY | O_DIRECTORY, 0);

	return fd < 0 ? -1 : file_fsync_retry(fd);
}

/* One directory whose parent is there. */
static int make_directory(const char *path, struct error *err)
{
	auto_free char *parent = file_directory_of(path);

	if (file_is_directory(path))
		return 0;
	if (make_private_or_shared(path, parent) < 0) {
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
