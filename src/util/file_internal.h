/* SPDX-License-Identifier: Apache-2.0 */
/*
 * file_internal - system calls that go on after a signal, for those who read and write files (file*.c). Each returns what its system call does, errno set,
 * unless it says otherwise.
 */
#ifndef RHAII_UTIL_FILE_INTERNAL_H
#define RHAII_UTIL_FILE_INTERNAL_H

#include <stddef.h>
#include <sys/types.h>

struct strbuf;

/* Closes *fd unless it is negative. */
void file_close_fd(const int *fd);
#define auto_fd __attribute__((cleanup(file_close_fd)))

/* Always with O_CLOEXEC. */
int file_open_retry(int dir, const char *path, int flags, mode_t mode);
int file_fsync_retry(int fd);
/* Read on to the end; 0, or an errno: EFBIG for more than max bytes. What was read is in out all the same. */
int file_read_all(int fd, size_t max, struct strbuf *out);
/* 0, or an errno. */
int file_write_all(int fd, const char *data, size_t len);
/* The directory part of path: "." when it has none. The caller frees. */
char *file_directory_of(const char *path);

/*
 * Until file_mask_end, what is made in dir has no rights but its owner's, in a shared directory those of its group: from its first instant, so that a kill leaves
 * nothing that the others of the group cannot use. Returns the mask to go back to.
 */
mode_t file_mask_begin(const char *dir);
/* errno stays. */
void file_mask_end(mode_t mask);

#endif
