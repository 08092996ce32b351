/* SPDX-License-Identifier: Apache-2.0 */
/*
 * file - whole files, written so that a kill or a full disk at any instant leaves the old or the new one, never a part (design.md 6.5).
 */
#ifndef RHAII_UTIL_FILE_H
#define RHAII_UTIL_FILE_H

#include <stdbool.h>
#include <stddef.h>

struct strbuf;
struct strlist;
struct error;

/* Append the file's bytes; more than max bytes is an error. ERR_NOT_FOUND when it is not there. */
int file_read(const char *path, size_t max, struct strbuf *out, struct error *err);

/* A file under construction: temp file beside path (O_EXCL, 0600, name starts with ".tmp-"), checked writes; the first write error sticks. A kill leaves the temp file behind: sweeping is for whoever owns the directory. */
struct file_writer;
int file_writer_open(struct file_writer **out, const char *path, int mode, struct error *err);
int file_writer_write(struct file_writer *w, const void *data, size_t len, struct error *err);
/* fsync, rename onto path (or, when exclusive, fail with ERR_EXISTS where path exists already), fsync of the directory; closes in any case. */
int file_writer_commit(struct file_writer *w, bool exclusive, struct error *err);
/* Remove the temp file. NULL is fine. */
void file_writer_abort(struct file_writer *w);

/* The three calls above for bytes at hand. */
int file_write(const char *path, const void *data, size_t len, int mode, struct error *err);

/* mkdir -p; each directory that it makes gets mode 0700 and is made durable. */
int file_mkdirs(const char *path, struct error *err);

bool file_exists(const char *path);
bool file_is_directory(const char *path);

/* Every entry below root (not root itself), relative paths, sorted bytewise, directories not listed. A symlink, device, socket or fifo is ERR_INTEGRITY. skip: names at the top to leave out, NULL-terminated, may be NULL. */
int file_walk(const char *root, const char *const *skip, struct strlist *out, struct error *err);

/* An exclusive lock on path (flock), freed by the kernel at death. ERR_LOCKED when another holds it. */
struct file_lock;
int file_lock_take(struct file_lock **out, const char *path, struct error *err);
void file_lock_free(struct file_lock *lock);

#endif
