/* SPDX-License-Identifier: Apache-2.0 */
#include "drill/command.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "object/credential.h"
#include "object/diff.h"
#include "restore/recovery.h"
#include "util/clock.h"
#include "util/env.h"
#include "util/error.h"
#include "util/file.h"
#include "util/hash.h"
#include "util/json.h"
#include "util/mem.h"
#include "util/process.h"
#include "util/strbuf.h"

#define READ_BYTES ((size_t)64 << 10)
#define LAST_LINES 10
#define LAST_BYTES 4096 /* that are looked through for them */
#define LINE_BYTES 400
#define BLOB_BYTES 40 /* a run of letters and digits that is a line by itself: a key, or part of one */
#define REDACTED "<redacted>"

/* ---- its output ---- */

/* "<state>/output/20261124T201500Z-create-cluster.log", made empty; -2 and a higher one where it is there already. */
static int make_file(char **path, enum phase phase, struct error *err)
{
	auto_free char *state = env_state_directory(), *dir = NULL;
	char when[CLOCK_TEXT_SIZE];
	int fd = -1;

	if (!state)
		return error_set(err, ERR_USAGE, "there is no place for what commands print: neither XDG_STATE_HOME nor HOME is set");
	dir = xasprintf("%s/output", state);
	if (file_mkdirs(dir, err) < 0)
		return -1;
	clock_format_compact(clock_now(), when);
	for (int i = 1; fd < 0; i++) {
		auto_free char *number = i > 1 ? xasprintf("-%d", i) : xstrdup("");

		free(*path);
		*path = xasprintf("%s/%s-%s%s.log", dir, when, phase_name(phase), number);
		fd = open(*path, O_RDWR | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0600);
		if (fd < 0 && errno != EEXIST)
			return error_errno(err, errno, "cannot make '%s'", *path);
	}
	return fd;
}

/* Hash all of the file and keep its last bytes. */
static void read_output(int fd, char hex[HASH_HEX_SIZE], struct strbuf *last)
{
	auto_free char *buf = xmalloc(READ_BYTES);
	struct hash *hash = hash_new(0);
	off_t at = 0;
	ssize_t got;

	while ((got = pread(fd, buf, READ_BYTES, at)) > 0 || (got < 0 && errno == EINTR)) {
		if (got < 0)
			continue;
		hash_update(hash, buf, (size_t)got);
		at += got;
	}
	hash_final(hash, hex);
	at = at > LAST_BYTES ? at - LAST_BYTES : 0;
	got = pread(fd, buf, LAST_BYTES, at);
	if (got > 0)
		strbuf_add(last, buf, (size_t)got);
	if (at > 0) { /* a part of a line may be the end of a key whose name is not to be seen */
		const char *start = memchr(last->buf, '\n', last->len);
		size_t cut = start ? (size_t)(start + 1 - last->buf) : last->len;

		memmove(last->buf, last->buf + cut, last->len - cut);
		strbuf_truncate(last, last->len - cut);
	}
}

/* ---- its last lines ---- */

static bool is_word(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '-' || c == '.';
}

/* "HF_TOKEN=...", "password: ...", "\"apiKey\": ...", "Authorization: ...", "--password ...". */
static bool names_credential(const char *line)
{
	for (size_t len; *line; line += len) {
		auto_free char *path = NULL;

		len = 0;
		while (is_word(line[len]))
			len++;
		path = len ? xasprintf("output.%.*s", (int)len, line) : NULL;
		if (path && diff_is_credential(path))
			return true;
		len += len == 0;
	}
	return false;
}

static bool is_blob(const char *line)
{
	size_t len = strlen(line);

	return len >= BLOB_BYTES && strspn(line, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=_-") == len;
}

static json_t *line_json(char *line)
{
	size_t len = strlen(line);

	if (len > 0 && line[len - 1] == '\r')
		line[--len] = '\0';
	if (credential_in(line, len) || names_credential(line) || is_blob(line))
		return json_string(REDACTED);
	if (len > LINE_BYTES)
		line[LINE_BYTES] = '\0';
	return json_string(line);
}

/* Bytes that are no UTF-8 become '?': a record is JSON. */
static json_t *last_lines(struct strbuf *last)
{
	json_t *lines = json_array();
	char *rest = last->buf, *line;

	for (size_t i = 0; i < last->len; i++)
		if ((unsigned char)last->buf[i] >= 0x80 || last->buf[i] == '\0')
			last->buf[i] = '?';
	while ((line = strsep(&rest, "\n")))
		if (*line)
			json_array_append_new(lines, line_json(line));
	while (json_array_size(lines) > LAST_LINES)
		json_array_remove(lines, 0);
	return lines;
}

/* ---- the command ---- */

/* Relative to the configuration file, as it was written; a bare name is looked for in the PATH. The caller frees. */
static char *program_of(const struct recovery *recovery, const char *word)
{
	return *word != '/' && strchr(word, '/') ? xasprintf("%s/%s", recovery->directory, word) : xstrdup(word);
}

static int run(
	const struct recovery *recovery, enum phase phase, const char *const *variables, int fd, struct process_end *end, struct error *err)
{
	const struct recovery_phase *row = &recovery->phases[phase];
	auto_free char *program = program_of(recovery, row->run.items[0]), *named = xasprintf("RHAII_DR_PHASE=%s", phase_name(phase));
	auto_free const char **argv = xcalloc(row->run.count + 1, sizeof(*argv));
	auto_free const char **environment = NULL;
	size_t count = 0;
	struct process process = {.directory = recovery->directory, .timeout_ms = row->timeout_ms ? row->timeout_ms : RECOVERY_TIMEOUT_MS};

	for (size_t i = 0; i < row->run.count; i++)
		argv[i] = i ? row->run.items[i] : program;
	while (variables && variables[count])
		count++;
	environment = xcalloc(count + 2, sizeof(*environment));
	for (size_t i = 0; i < count; i++)
		environment[i] = variables[i];
	environment[count] = named;
	process.argv = argv;
	process.variables = environment;
	return process_run_into(&process, fd, end, err);
}

static json_t *command_json(const struct recovery *recovery, enum phase phase, int fd, const struct process_end *end, bool failed)
{
	auto_strbuf struct strbuf last = STRBUF_INIT;
	char hex[HASH_HEX_SIZE];

	read_output(fd, hex, &last);
	return json_pack("{s:s, s:o, s:b, s:s, s:o}", "program", recovery->phases[phase].run.items[0], "exitCode",
		end->exit_code >= 0 ? json_integer(end->exit_code) : json_null(), "timedOut", (int)end->timed_out, "outputSha256", hex,
		"lastLines", failed ? last_lines(&last) : json_array());
}

int phase_run_command(
	struct phases *clock, enum phase phase, const struct recovery *recovery, const char *const *variables, struct error *err)
{
	struct process_end end = {.exit_code = -1};
	auto_free char *path = NULL;
	int fd = make_file(&path, phase, err), rc;

	if (fd < 0)
		return -1;
	phase_start(clock, phase);
	rc = run(recovery, phase, variables, fd, &end, err);
	phase_stop(clock, phase);
	clock->of[phase].source = BY_COMMAND;
	clock->of[phase].command = command_json(recovery, phase, fd, &end, rc < 0);
	(void)close(fd);
	if (rc == 0)
		return 0;
	error_wrap(err, "phase '%s'", phase_name(phase));
	error_hint(err, "what it printed is in '%s'", path);
	phases_unproven(clock, err->text);
	return -1;
}
