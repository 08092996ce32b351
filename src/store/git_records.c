/* SPDX-License-Identifier: Apache-2.0 */
/* The branch of records of restores and drills: refs/heads/drills/<name>. */
#include "store/records.h"

#include <string.h>

#include "git_internal.h"
#include "util/mem.h"
#include "util/strbuf.h"

#define GIT_RECORDS "refs/heads/drills/"

int git_record_names(struct git_store *store, struct strlist *out, struct error *err)
{
	return git_list_names(store, GIT_RECORDS, out, err);
}

/* ---- writing ---- */

static int write_object(struct git_store *store, git_object_t type, const void *data, size_t len, git_oid *id, struct error *err)
{
	if (git_odb_write(id, store->odb, data, len, type) < 0)
		return git_fail(err, ERR_FAILED, "cannot write to repository '%s'", store->dir);
	return 0;
}

static int write_tree(struct git_store *store, const struct git_record *record, git_oid *tree, struct error *err)
{
	auto_strbuf struct strbuf text = STRBUF_INIT;
	git_oid blob;

	if (write_object(store, GIT_OBJECT_BLOB, record->text, record->len, &blob, err) < 0)
		return -1;
	strbuf_adds(&text, "100644 " RECORD_FILE);
	strbuf_addc(&text, '\0');
	strbuf_add(&text, (const char *)blob.id, GIT_OID_RAWSZ);
	return write_object(store, GIT_OBJECT_TREE, text.buf, text.len, tree, err);
}

static int write_commit(
	struct git_store *store, const struct git_record *record, const git_oid *tree, const char *message, git_oid *id, struct error *err)
{
	auto_strbuf struct strbuf text = STRBUF_INIT;
	char hex[GIT_ID_SIZE];

	strbuf_addf(&text, "tree %s\n", git_oid_tostr(hex, sizeof(hex), tree));
	if (*record->parent)
		strbuf_addf(&text, "parent %s\n", record->parent);
	strbuf_addf(&text, "author " GIT_PERSON " %lld +0000\ncommitter " GIT_PERSON " %lld +0000\n\n%s\n", (long long)record->time,
		(long long)record->time, message);
	if (git_check_commit(&text, err) < 0)
		return -1;
	return write_object(store, GIT_OBJECT_COMMIT, text.buf, text.len, id, err);
}

int git_record_append(struct git_store *store, const char *name, struct git_record *record, const char *message, struct error *err)
{
	auto_free char *ref = xasprintf(GIT_RECORDS "%s", name);
	git_oid parent, tree, id;

	if (record->len > RECORD_MAX)
		return error_set(err, ERR_FAILED, "a record of %zu bytes, more than the %zu that are read again", record->len, RECORD_MAX);
	if (git_check_cluster(name, err) < 0 || git_store_lock(store, err) < 0)
		return -1;
	if (*record->parent && git_parse_id(&parent, record->parent, err) < 0)
		return -1;
	if (write_tree(store, record, &tree, err) < 0 || write_commit(store, record, &tree, message, &id, err) < 0 ||
		git_sync_directories(store, "objects", err) < 0)
		return -1;
	git_oid_tostr(record->commit, sizeof(record->commit), &id);
	return git_move_ref(store, ref, *record->parent ? &parent : NULL, &id, err);
}

/* ---- reading ---- */

static int find_file(const char *path, const git_oid *id, void *arg, struct error *err)
{
	git_oid *blob = arg;

	if (strcmp(path, RECORD_FILE) != 0)
		return error_set(err, ERR_INTEGRITY, "a file that is no record: '%s'", path);
	git_oid_cpy(blob, id);
	return 0;
}

/* The one file of the commit. The caller frees *object. */
static int load_record(struct git_store *store, const struct git_commit *commit, git_odb_object **object, struct error *err)
{
	git_oid tree, blob = {0};

	if (git_parse_id(&tree, commit->tree, err) < 0 || git_walk(store, &tree, find_file, &blob, err) < 0)
		return -1;
	if (git_oid_is_zero(&blob))
		return error_set(err, ERR_INTEGRITY, "no record in it");
	return git_load(object, store, &blob, GIT_OBJECT_BLOB, RECORD_MAX, err);
}

struct each {
	struct git_store *store;
	git_record_fn fn;
	void *arg;
};

/* What fn returns; *next: the parent. */
static int tell_record(const struct each *each, const char *id, char next[GIT_ID_SIZE], struct error *err)
{
	auto_object git_odb_object *object = NULL;
	struct git_record record = {0};
	struct git_commit commit;
	int rc;

	if (git_read_commit(each->store, id, &commit, err) < 0)
		return -1;
	memcpy(record.commit, commit.id, GIT_ID_SIZE);
	memcpy(record.parent, commit.parent, GIT_ID_SIZE);
	memcpy(next, commit.parent, GIT_ID_SIZE);
	record.time = commit.time;
	rc = load_record(each->store, &commit, &object, err);
	git_commit_release(&commit);
	if (rc < 0)
		return error_wrap(err, "the record of commit %.12s", record.commit);
	record.text = git_odb_object_data(object);
	record.len = git_odb_object_size(object);
	return each->fn(&record, each->arg, err);
}

int git_record_each(struct git_store *store, const char *name, git_record_fn fn, void *arg, struct error *err)
{
	const struct each each = {.store = store, .fn = fn, .arg = arg};
	auto_free char *ref = xasprintf(GIT_RECORDS "%s", name);
	char id[GIT_ID_SIZE];
	git_oid head;
	int found = git_find_ref(store, ref, &head, err), rc = 0;

	if (found <= 0)
		return found;
	git_oid_tostr(id, sizeof(id), &head);
	while (rc == 0 && *id)
		rc = tell_record(&each, id, id, err);
	return rc < 0 ? -1 : 0;
}
