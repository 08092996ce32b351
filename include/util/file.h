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

/* The SHA-256 of the file in hex, without holding it in memory. ERR_NOT_FOUND when it is not there. */
int file_sha256(const char *path, char hex[65], struct error *err);

/* A file under construction: temp file beside path (O_EXCL, 0600, name starts with ".tmp-"), checked writes; the first write error sticks. A kill leaves the temp file behind: sweeping is for whoever owns the directory. */
struct file_writer;
/* mode: as it stays, whatever the umask; in a shared directory (file_is_shared) the group gets what the owner has. */
int file_writer_open(struct file_writer **out, const char *path, int mode, struct error *err);
int file_writer_write(struct file_writer *w, const void *data, size_t len, struct error *err);
/* fsync, rename onto path (or, when exclusive, fail with ERR_EXISTS where path exists already), fsync of the directory; closes in any case. */
int file_writer_commit(struct file_writer *w, bool exclusive, struct error *err);
/* Remove the temp file. NULL is fine. */
void file_writer_abort(struct file_writer *w);

/* The three calls above for bytes at hand. */
int file_write(const char *path, const void *data, size_t len, int mode, struct error *err);

/*
 * A file that only grows, locked against another process that appends to it. The first error sticks: after it nothing more is written, and every call fails.
 */
struct file_log;
/* The file must be there: ERR_NOT_FOUND. ERR_LOCKED when another holds it. */
int file_log_open(struct file_log **out, const char *path, struct error *err);
/* Drop what stands behind the first keep bytes. */
int file_log_cut(struct file_log *log, size_t keep, struct error *err);
int file_log_add(struct file_log *log, const void *data, size_t len, struct error *err);
/* Make durable what has been added. */
int file_log_sync(struct file_log *log, struct error *err);
/* 0, or the sticky error once more. */
int file_log_check(const struct file_log *log, struct error *err);
void file_log_free(struct file_log *log);

/* mkdir -p; each directory that it makes gets mode 0700, in a shared one 2770, and is made durable. */
int file_mkdirs(const char *path, struct error *err);

bool file_exists(const char *path);
bool file_is_directory(const char *path);
bool file_is_plain(const char *path);
/*
 * Whether a directory is its group's: the setgid bit is set and the group may write, as a kubelet leaves a volume with fsGroup. What is made in it is the group's,
 * too (file_mkdirs, file_writer, file_lock), so that another uid of the group goes on with it.
 */
bool file_is_shared(const char *path);
/* The umask under which what a library makes in a shared directory is the group's. */
#define FILE_SHARED_UMASK 0007

/*
 * A directory from strangers, held open: what is read through it lies below it, whatever is renamed or swapped meanwhile, and no symlink in it is followed.
 * The directory itself may not be a symlink either (ERR_INTEGRITY), however many '/' or "/." follow; those before it in path are the caller's word.
 */
struct file_root;
/* ERR_NOT_FOUND when it is not there. */
int file_root_open(struct file_root **out, const char *path, struct error *err);
void file_root_free(struct file_root *root);
/* Every entry below root (not root itself), relative paths, sorted bytewise, directories not listed. A symlink, device, socket or fifo is ERR_INTEGRITY. skip: plain files
 * and directories at the top to leave out by name, NULL-terminated, may be NULL. */
int file_root_walk(const struct file_root *root, const char *const *skip, struct strlist *out, struct error *err);
/* Append the bytes of a file of that list. ERR_INTEGRITY when it is not a plain file in plain directories (any more), or longer than max. */
int file_root_read(const struct file_root *root, const char *path, size_t max, struct strbuf *out, struct error *err);

/* An exclusive lock on path (flock), freed by the kernel at death. ERR_LOCKED when another holds it. */
struct file_lock;
int file_lock_take(struct file_lock **out, const char *path, struct error *err);
void file_lock_free(struct file_lock *lock);

#endif
