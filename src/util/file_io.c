/* SPDX-License-Identifier: Apache-2.0 */
#include "file_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "util/mem.h"
#include "util/strbuf.h"

#define READ_CHUNK ((size_t)64 * 1024)

void file_close_fd(const int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
}

int file_open_retry(int dir, const char *path, int flags, mode_t mode)
{
	int fd;

	do
		fd = openat(dir, path, flags | O_CLOEXEC, mode);
	while (fd < 0 && errno == EINTR);
	return fd;
}

int file_fsync_retry(int fd)
{
	int rc;

	/* Any other failure is final: the kernel may have dropped the pages, and a second fsync would lie. */
	do
		rc = fsync(fd);
	while (rc < 0 && errno == EINTR);
	return rc;
}

int file_read_all(int fd, size_t max, struct strbuf *out)
{
	size_t start = out->len;

	for (;;) {
		/* One byte over max is enough to know. */
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

int file_write_all(int fd, const char *data, size_t len)
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

char *file_directory_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (!slash)
		return xstrdup(".");
	return xstrndup(path, slash == path ? 1 : (size_t)(slash - path));
}
