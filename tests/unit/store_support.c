/* SPDX-License-Identifier: Apache-2.0 */
#include "support.h"

#include "store_support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/clock.h"
#include "util/mem.h"
#include "util/strbuf.h"

#define CONFIG_MAP(value) "apiVersion: v1\ndata:\n  key: " value "\nkind: ConfigMap\nmetadata:\n  name: app\n  namespace: prod\n"
#define FRAME                                                                                                                              \
	{"generated.yaml", "items: []\n"}, {"policy.yaml", "kinds: []\n"}, {"requirements.yaml", "requirements: []\n"},                    \
		{"snapshot.yaml", "cluster:\n  id: 6d3e\n  name: prod\nformat: 1\n"},                                                      \
	{                                                                                                                                  \
		NULL, NULL                                                                                                                 \
	}

const struct row sample_rows[] = {{SAMPLE_OBJECT, CONFIG_MAP("one")}, FRAME};
const struct row sample_rows_changed[] = {{SAMPLE_OBJECT, CONFIG_MAP("two")}, FRAME};

/* The command with its environment: nobody's git configuration, no output but what is asked for. */
__attribute__((format(printf, 1, 0))) static char *command_of(const char *fmt, va_list args)
{
	auto_free char *said = NULL;

	assert_true(vasprintf(&said, fmt, args) >= 0);
	return xasprintf("exec 2>>shell.log; export GIT_CONFIG_NOSYSTEM=1 HOME=/nonexistent GIT_AUTHOR_NAME=x GIT_AUTHOR_EMAIL=x@x "
			 "GIT_COMMITTER_NAME=x "
			 "GIT_COMMITTER_EMAIL=x@x; %s",
		said);
}

static char *run(const char *command, int *status)
{
	struct strbuf out = STRBUF_INIT;
	FILE *pipe = popen(command, "r");
	int c;

	assert_non_null(pipe);
	while ((c = fgetc(pipe)) != EOF)
		strbuf_addc(&out, (char)c);
	*status = pclose(pipe);
	while (out.len && out.buf[out.len - 1] == '\n')
		strbuf_truncate(&out, out.len - 1);
	return strbuf_detach(&out, NULL);
}

void shell(const char *fmt, ...)
{
	auto_free char *command = NULL, *out = NULL;
	va_list args;
	int status;

	va_start(args, fmt);
	command = command_of(fmt, args);
	va_end(args);
	out = run(command, &status);
	if (status != 0)
		fail_msg("%s: status %d: %s", command, status, out);
}

char *shell_output(const char *fmt, ...)
{
	auto_free char *command = NULL;
	char *out;
	va_list args;
	int status;

	va_start(args, fmt);
	command = command_of(fmt, args);
	va_end(args);
	out = run(command, &status);
	if (status != 0)
		fail_msg("%s: status %d: %s", command, status, out);
	return out;
}

void assert_fsck(const char *repo)
{
	auto_free char *said = shell_output("git -C %s fsck --strict --full --no-dangling 2>&1", repo);

	/* The notices of unborn branches come before the first commit. */
	assert_string_equal(said, "");
}

struct git_store *open_repo(void)
{
	struct error err = ERROR_INIT;
	struct git_store *store;

	if (git_store_open(&store, "repo", true, "prod", &err) < 0)
		fail_msg("%s", err.text);
	return store;
}

struct git_write *write_rows(struct git_store *store, const struct row *rows, char sum[65], bool *unchanged)
{
	struct error err = ERROR_INIT;
	struct git_write *w;
	char tree[GIT_ID_SIZE];

	if (git_write_begin(&w, store, "prod", &err) < 0)
		fail_msg("%s", err.text);
	for (; rows->path; rows++)
		if (git_write_file(w, rows->path, rows->text, strlen(rows->text), &err) < 0)
			fail_msg("%s", err.text);
	if (git_write_finish(w, tree, sum, unchanged, &err) < 0)
		fail_msg("%s", err.text);
	return w;
}

void commit_rows(struct git_store *store, const struct row *rows, time_t when, char id[GIT_ID_SIZE])
{
	struct error err = ERROR_INIT;
	auto_free char *message = NULL;
	char sum[65], text[CLOCK_TEXT_SIZE];
	bool unchanged;
	struct git_write *w = write_rows(store, rows, sum, &unchanged);

	message = xasprintf("prod: 1 object\n\nCaptured-At: %s\nResource-Version: 42\nTool-Version: 0.1.0\nManifest-SHA256: %s\n",
		clock_format(when, text), sum);
	if (git_write_commit(w, message, when, id, &err) < 0)
		fail_msg("%s", err.text);
	git_write_free(w);
}
