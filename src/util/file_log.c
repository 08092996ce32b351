/* SPDX-License-Identifier: Apache-2.0 */
/* Locks, and files that only grow. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file_internal.h"
#include "util/error.h"
#include "util/file.h"
#include "util/mem.h"

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
	auto_free char *dir = file_directory_of(path);
	mode_t mask = file_mask_begin(dir);
	int fd = file_open_retry(AT_FDCWD, path, O_RDWR | O_CREAT | O_NOFOLLOW, S_IRUSR | S_IWUSR | S_IRGRP | S_IWGRP);

	file_mask_end(mask);
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
	int fd = file_open_retry(AT_FDCWD, path, O_WRONLY | O_APPEND | O_NOFOLLOW, 0);

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
		log->fault = file_write_all(log->fd, data, len);
	return file_log_check(log, err);
}

int file_log_sync(struct file_log *log, struct error *err)
{
	if (!log->fault && file_fsync_retry(log->fd) < 0)
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
