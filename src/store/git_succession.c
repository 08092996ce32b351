/* SPDX-License-Identifier: Apache-2.0 */
/* Which cluster continues the branch of another: the annotated tag refs/rhaii-dr/succession/<name>. */
#include "git_internal.h"

#include <string.h>

#include "util/mem.h"
#include "util/strbuf.h"
#include "util/text.h"

#define GIT_SUCCESSION "refs/rhaii-dr/succession/"

static void add_trailer(struct strbuf *out, const char *key, const char *value)
{
	strbuf_addf(out, "%s: ", key);
	text_escape(out, value, strlen(value), 200);
	strbuf_addc(out, '\n');
}

static int write_tag(struct git_store *store, const char *cluster, const struct git_succession *s, git_oid *id, struct error *err)
{
	auto_strbuf struct strbuf text = STRBUF_INIT;

	strbuf_addf(&text,
		"object %s\ntype commit\ntag succession/%s\ntagger " GIT_PERSON " %lld +0000\n\nrestored onto another cluster\n\n",
		s->commit, cluster, (long long)s->time);
	add_trailer(&text, "From-Cluster", s->from);
	add_trailer(&text, "To-Cluster", s->to);
	add_trailer(&text, "Snapshot", s->commit);
	if (git_odb_write(id, store->odb, text.buf, text.len, GIT_OBJECT_TAG) < 0)
		return git_fail(err, ERR_FAILED, "cannot write to repository '%s'", store->dir);
	return git_sync_directories(store, "objects", err);
}

int git_succession_write(struct git_store *store, const char *cluster, const struct git_succession *succession, struct error *err)
{
	auto_free char *ref = xasprintf(GIT_SUCCESSION "%s", cluster);
	git_oid commit, branch, old, id;
	int found, rc;

	if (git_check_cluster(cluster, err) < 0 || git_parse_id(&commit, succession->commit, err) < 0 || git_store_lock(store, err) < 0)
		return -1;
	found = git_head(store, cluster, &branch, err);
	if (found <= 0)
		return found < 0 ? -1 : error_set(err, ERR_NOT_FOUND, "there is no branch of cluster '%s'", cluster);
	rc = git_reference_name_to_id(&old, store->repo, ref);
	if (rc < 0 && rc != GIT_ENOTFOUND)
		return git_fail(err, ERR_INTEGRITY, "'%s' is damaged", ref);
	if (write_tag(store, cluster, succession, &id, err) < 0)
		return -1;
	return git_move_ref(store, ref, rc == 0 ? &old : NULL, &id, err);
}

/* Whether a line of the text is "<key>: <value>". */
static bool says(const char *text, const char *key, const char *value)
{
	auto_strbuf struct strbuf line = STRBUF_INIT;

	strbuf_addc(&line, '\n');
	add_trailer(&line, key, value);
	return strstr(text, line.buf) != NULL;
}

bool git_succession_is(struct git_store *store, const char *cluster, const char *from, const char *to)
{
	auto_free char *ref = xasprintf(GIT_SUCCESSION "%s", cluster), *text = NULL;
	auto_object git_odb_object *tag = NULL;
	struct error ignored = ERROR_INIT;
	git_oid id;

	if (!store->repo || git_reference_name_to_id(&id, store->repo, ref) < 0 ||
		git_load(&tag, store, &id, GIT_OBJECT_TAG, GIT_TAG_MAX, &ignored) < 0)
		return false;
	text = xstrndup(git_odb_object_data(tag), git_odb_object_size(tag));
	return says(text, "From-Cluster", from) && says(text, "To-Cluster", to);
}
