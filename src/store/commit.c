/* SPDX-License-Identifier: Apache-2.0 */
/* The text of a commit object. Without libgit2: an archive carries one too, and is read where there is no repository. */
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "store/git.h"
#include "store/tree.h"
#include "util/error.h"
#include "util/hash.h"
#include "util/mem.h"
#include "util/strbuf.h"

#define ID_LENGTH (GIT_ID_SIZE - 1)

void git_commit_release(struct git_commit *commit)
{
	free(commit->subject);
	free(commit->message);
	free(commit->captured_at);
	free(commit->resource_version);
	free(commit->tool_version);
	free(commit->manifest_sha256);
	free(commit->maintenance);
	strlist_release(&commit->stale);
	*commit = (struct git_commit){0};
}

/* ---- trailers ---- */

static const char *line_end(const char *line)
{
	return line + strcspn(line, "\n");
}

static bool is_blank(const char *line)
{
	return strspn(line, " \t\r") == strcspn(line, "\n");
}

/* The last paragraph, or NULL when the subject is all there is: a subject is never a trailer. */
static const char *last_paragraph(const char *message)
{
	const char *start = NULL;
	bool after_blank = false, after_text = false;

	for (const char *line = message; *line; line = *line_end(line) ? line_end(line) + 1 : line_end(line)) {
		bool blank = is_blank(line);

		if (!blank && after_blank && after_text)
			start = line;
		after_text = after_text || !blank;
		after_blank = blank;
	}
	return start;
}

static void trailers(const char *paragraph, const char *key, struct strlist *out)
{
	size_t len = strlen(key);

	for (const char *line = paragraph; line && *line && !is_blank(line); line = *line_end(line) ? line_end(line) + 1 : line_end(line)) {
		auto_free char *value = NULL;

		if (strncmp(line, key, len) != 0 || strncmp(line + len, ": ", 2) != 0)
			continue;
		value = xstrndup(line + len + 2, strcspn(line + len + 2, "\n"));
		strlist_add(out, value);
	}
}

/* The value when the key is there exactly once, else NULL: of two, neither can be believed. The caller frees. */
static char *trailer(const char *paragraph, const char *key)
{
	auto_strlist struct strlist values = STRLIST_INIT;

	trailers(paragraph, key, &values);
	return values.count == 1 ? xstrdup(values.items[0]) : NULL;
}

static void read_message(struct git_commit *out, const char *message)
{
	const char *paragraph = last_paragraph(message);

	out->message = xstrdup(message);
	out->subject = xstrndup(message, strcspn(message, "\n"));
	out->captured_at = trailer(paragraph, "Captured-At");
	out->resource_version = trailer(paragraph, "Resource-Version");
	out->tool_version = trailer(paragraph, "Tool-Version");
	out->manifest_sha256 = trailer(paragraph, "Manifest-SHA256");
	out->maintenance = trailer(paragraph, "Maintenance");
	trailers(paragraph, "Stale", &out->stale);
}

/* ---- header ---- */

/* "<key> <40 hex>\n": take it and move on, or leave all as it is. */
static bool take_id(const char **at, const char *key, char id[GIT_ID_SIZE])
{
	size_t len = strlen(key);

	if (strncmp(*at, key, len) != 0 || strspn(*at + len, "0123456789abcdef") != ID_LENGTH || (*at)[len + ID_LENGTH] != '\n')
		return false;
	memcpy(id, *at + len, ID_LENGTH);
	id[ID_LENGTH] = '\0';
	*at += len + ID_LENGTH + 1;
	return true;
}

/* "<key> NAME <MAIL> SECONDS ZONE\n". */
static bool take_person(const char **at, const char *key, time_t *when)
{
	size_t len = strlen(key);
	const char *end = line_end(*at), *mail;
	char *number_end;
	long long seconds;

	if (strncmp(*at, key, len) != 0 || *end != '\n')
		return false;
	mail = memrchr(*at, '>', (size_t)(end - *at));
	if (!mail || mail[1] != ' ' || mail[2] < '0' || mail[2] > '9')
		return false;
	seconds = strtoll(mail + 2, &number_end, 10);
	/* The last second of the year 9999: what comes later has no RFC 3339 form. */
	if (*number_end != ' ' || seconds > INT64_C(253402300799))
		return false;
	*when = (time_t)seconds;
	*at = end + 1;
	return true;
}

static bool read_header(const char **at, struct git_commit *out)
{
	char other[GIT_ID_SIZE];
	time_t authored;

	if (!take_id(at, "tree ", out->tree))
		return false;
	if (take_id(at, "parent ", out->parent))
		while (take_id(at, "parent ", other))
			;
	return take_person(at, "author ", &authored) && take_person(at, "committer ", &out->time);
}

static void compute_id(const char *raw, size_t len, char id[GIT_ID_SIZE])
{
	auto_strbuf struct strbuf header = STRBUF_INIT;
	struct hash *hash = hash_new(1);

	strbuf_addf(&header, "commit %zu", len);
	hash_update(hash, header.buf, header.len + 1);
	hash_update(hash, raw, len);
	hash_final(hash, id);
}

int git_commit_parse(const char *raw, size_t len, struct git_commit *out, struct error *err)
{
	auto_free char *text = xstrndup(raw, len);
	const char *at = text, *body;

	*out = (struct git_commit){0};
	/* A NUL would end the message for us and not for others. */
	if (strlen(text) != len)
		return error_set(err, ERR_INTEGRITY, "a commit with a NUL byte in it");
	if (!read_header(&at, out))
		return error_set(err, ERR_INTEGRITY, "not a commit object");
	/* Other headers (encoding, a signature) end with the first empty line. */
	body = *at == '\n' ? at : strstr(at, "\n\n");
	read_message(out, body ? body + (*at == '\n' ? 1 : 2) : "");
	compute_id(raw, len, out->id);
	return 0;
}

bool git_commit_vouches(const struct git_commit *commit, const struct tree *tree)
{
	auto_strbuf struct strbuf manifest = STRBUF_INIT;
	char sum[HASH_HEX_SIZE];

	tree_manifest(tree, &manifest);
	hash_sha256(manifest.buf, manifest.len, sum);
	return commit->manifest_sha256 && strcmp(commit->manifest_sha256, sum) == 0;
}
