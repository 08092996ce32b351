/* SPDX-License-Identifier: Apache-2.0 */
#include "support.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util/mem.h"

int support_enter_dir(void **state)
{
	char path[] = "/tmp/rhaii-unit-XXXXXX";

	if (!mkdtemp(path) || chdir(path) < 0)
		return -1;
	*state = xstrdup(path);
	return 0;
}

static int remove_entry(const char *path, const struct stat *st, int kind, struct FTW *where)
{
	(void)st;
	(void)kind;
	(void)where;
	return remove(path);
}

int support_leave_dir(void **state)
{
	int rc = chdir("/");

	if (rc == 0)
		rc = nftw(*state, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
	free(*state);
	return rc;
}

void support_write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, strlen(text), file), strlen(text));
	assert_int_equal(fclose(file), 0);
}

char *support_read_file(const char *path)
{
	FILE *file = fopen(path, "re");
	char *text = xcalloc(1, 65536);

	assert_non_null(file);
	assert_true(fread(text, 1, 65535, file) < 65535);
	assert_int_equal(ferror(file), 0);
	assert_int_equal(fclose(file), 0);
	return text;
}

int support_count_entries(const char *path)
{
	DIR *dir = opendir(path);
	int count = 0;

	assert_non_null(dir);
	while (readdir(dir))
		count++;
	assert_int_equal(closedir(dir), 0);
	return count - 2;
}

char *support_stderr_of(void (*fn)(void *arg), void *arg)
{
	int kept = dup(STDERR_FILENO);
	int fd = open("stderr.txt", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(kept >= 0 && fd >= 0);
	assert_true(dup2(fd, STDERR_FILENO) >= 0);
	fn(arg);
	assert_true(dup2(kept, STDERR_FILENO) >= 0);
	close(kept);
	close(fd);
	return support_read_file("stderr.txt");
}

int support_exit_status_of(void (*fn)(void *arg), void *arg)
{
	int status;
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0) {
		if (!freopen("/dev/null", "w", stderr))
			_exit(98);
		fn(arg);
		_exit(99);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

void support_assert_error(const struct error *err, enum error_code code, const char *text)
{
	if (text)
		assert_string_equal(err->text, text);
	assert_int_equal(err->code, code);
}
