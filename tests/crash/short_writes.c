/* SPDX-License-Identifier: Apache-2.0 */
/*
 * short_writes - LD_PRELOAD: every write to a regular file takes about half of what it is given, as a kernel may at any time.
 * strace cannot do this: it can forge the answer of a call, not cut its argument.
 */
#include <dlfcn.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

static size_t cut(int fd, size_t len)
{
	struct stat st;

	return len > 1 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) ? (len + 1) / 2 : len;
}

static void find(void *function, const char *name)
{
	*(void **)function = dlsym(RTLD_NEXT, name);
}

ssize_t write(int fd, const void *data, size_t len)
{
	static ssize_t (*real)(int, const void *, size_t);

	if (!real)
		find(&real, "write");
	return real(fd, data, cut(fd, len));
}

ssize_t pwrite(int fd, const void *data, size_t len, off_t at)
{
	static ssize_t (*real)(int, const void *, size_t, off_t);

	if (!real)
		find(&real, "pwrite");
	return real(fd, data, cut(fd, len), at);
}

ssize_t writev(int fd, const struct iovec *parts, int count)
{
	static ssize_t (*real)(int, const struct iovec *, int);

	if (!real)
		find(&real, "writev");
	return count > 0 && parts->iov_len > 1 ? write(fd, parts->iov_base, parts->iov_len) : real(fd, parts, count);
}
