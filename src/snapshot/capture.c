/* SPDX-License-Identifier: Apache-2.0 */
#include "snapshot/capture.h"

#include <stdlib.h>
#include <string.h>

#include "cache.h"
#include "internal.h"
#include "kube/client.h"
#include "kube/object_api.h"
#include "object/references.h"
#include "owners.h"
#include "policy/policy.h"
#include "store/archive.h"
#include "store/git.h"
#include "store/stale.h"
#include "store/tree.h"
#include "util/clock.h"
#include "util/error.h"
#include "util/json.h"
#include "util/log.h"
#include "util/strbuf.h"

/*
 * A list that outlives etcd's compaction starts the capture over: kinds read before and after would not be of one time. After so many times, or where
 * the server does not list at a given version, each list is of its own time, and the snapshot says so.
 */
#define CAPTURE_TRIES 3

static void capture_kind_release(struct capture_kind *kind)
{
	free(kind->resource.group);
	free(kind->resource.version);
	free(kind->resource.resource);
	free(kind->resource.kind);
	json_decref(kind->served_versions);
	free(kind->storage_version);
	free(kind->schema_sha256);
	free(kind->conversion);
	free(kind->older_versions);
	map_release(&kind->listed, NULL);
}

static void keys_free(void *value)
{
	strlist_release(value);
	free(value);
}

/* Who owns what, once that is told: the documents need memory of their own. */
static void capture_let_owners_go(struct capture *c)
{
	table_release(&c->taken);
	owners_free(c->owners);
	c->owners = NULL;
	mem_trim();
}

/* What is known of each object, once it is in the tree and the manifest: an archive needs memory of its own. */
static void capture_let_go(struct capture *c)
{
	table_release(&c->seen);
	table_release(&c->needs);
	table_release(&c->words);
	free(c->links);
	c->links = NULL;
	map_release(&c->keys, keys_free);
}

static void capture_release(struct capture *c)
{
	for (size_t i = 0; c->kinds && i < c->policy->kind_count; i++)
		capture_kind_release(&c->kinds[i]);
	free(c->kinds);
	kube_list_first_drop(&c->first);
	strlist_release(&c->namespaces);
	capture_let_owners_go(c);
	capture_let_go(c);
	map_release(&c->held, NULL);
	json_decref(c->orphans);
	json_decref(c->uncovered);
	json_decref(c->generated);
	json_decref(c->not_listed);
	json_decref(c->undefined);
	json_decref(c->presets);
	json_decref(c->controllers);
	json_decref(c->webhooks);
	json_decref(c->not_read);
	json_decref(c->migrated);
	map_release(&c->migrated_texts, free);
	map_release(&c->inventoried, NULL);
	map_release(&c->controllers_seen, NULL);
	live_end(c);
	guard_end(c);
	remarks_end(c);
	cache_free(c->cache);
	discovery_free(c->discovery);
	git_write_free(c->write);
	free(c->cluster_id);
	free(c->server_version);
	free(c->resource_version);
}

void capture_key(struct strbuf *out, const char *group, const char *resource, const char *namespace_, const char *name)
{
	strbuf_truncate(out, 0);
	strbuf_addf(out, "%s/%s/%s/%s", group, resource, namespace_, name);
}

struct capture_kind *capture_kind_of(const struct capture *c, const char *group, const char *resource)
{
	const struct policy_kind *row = policy_find(c->policy, group, resource);

	return row ? &c->kinds[row - c->policy->kinds] : NULL;
}

/* The text up to the next '/', which becomes its end. */
static char *cut_part(char **at)
{
	char *part = *at, *slash = strchr(part, '/');

	*at = slash ? slash + 1 : part + strlen(part);
	if (slash)
		*slash = '\0';
	return part;
}

bool seen_generated(struct capture *c, const char *key)
{
	bool added;
	struct seen *seen = table_value(&c->seen, table_add(&c->seen, key, &added));

	if (added)
		seen->class_ = CLASS_GENERATED;
	return added;
}

void capture_name(const struct capture *c, const struct table *table, uint32_t at, struct named *out)
{
	static char none[] = "";
	const struct capture_kind *kind;
	char *rest;

	table_key(table, at, &out->key);
	strbuf_truncate(&out->cut, 0);
	strbuf_add(&out->cut, out->key.buf, out->key.len);
	rest = out->cut.buf;
	out->object = (struct object){.version = none, .group = cut_part(&rest), .kind = none};
	out->object.resource = cut_part(&rest);
	out->object.namespace_ = cut_part(&rest);
	out->object.name = rest;
	kind = capture_kind_of(c, out->object.group, out->object.resource);
	if (kind && kind->resource.kind)
		out->object.kind = kind->resource.kind;
}

void named_release(struct named *named)
{
	strbuf_release(&named->key);
	strbuf_release(&named->cut);
}

const struct classify_rule *seen_rule(const struct capture *c, const struct seen *seen)
{
	return seen->rule ? &c->policy->rules[seen->rule - 1] : NULL;
}

bool capture_is_narrowed(const struct capture *c)
{
	return c->namespaces.count > 0;
}

bool capture_in_scope(const struct capture *c, const char *namespace_)
{
	if (capture_is_narrowed(c))
		return *namespace_ && strlist_contains(&c->namespaces, namespace_);
	return !*namespace_ || !policy_excludes(c->policy, namespace_);
}

/* The scope is a set: neither its order nor a name that is there twice makes another snapshot. */
static void capture_take_scope(struct capture *c)
{
	const struct strlist *namespaces = c->options->namespaces;

	for (size_t i = 0; namespaces && i < namespaces->count; i++)
		strlist_add(&c->namespaces, namespaces->items[i]);
	strlist_sort_unique(&c->namespaces);
}

static int capture_connect(struct capture *c, struct error *err)
{
	if (kube_cluster_id(c->client, &c->cluster_id, err) < 0 || kube_server_version(c->client, &c->server_version, err) < 0 ||
		discovery_load(&c->discovery, c->client, err) < 0)
		return -1;
	return 0;
}

/* With records all objects have to be read: what they tell is in no cache. */
static void capture_open_cache(struct capture *c, const struct git_store *store)
{
	const struct cache_identity identity = {.cluster = c->options->cluster, .cluster_id = c->cluster_id, .policy = c->policy};

	if (!c->options->records)
		c->cache = cache_open(store, &identity, c->options->dry_run);
}

static int capture_read(struct capture *c, struct git_store *store, json_t **result, struct error *err)
{
	live_begin(c, store);
	guard_begin(c);
	remarks_begin(c);
	if (capture_connect(c, err) < 0 || git_write_begin(&c->write, store, c->options->cluster, err) < 0)
		return -1;
	capture_open_cache(c, store);
	if (definitions_load(c, err) < 0 || collect_kinds(c, err) < 0 || guard_credentials(c, result, err) < 0 ||
		inventory_collect(c, err) < 0)
		return -1;
	capture_let_owners_go(c);
	return needs_check_secrets(c, err) < 0 || installation_collect(c, err) < 0 || documents_write(c, err) < 0 ? -1 : 0;
}

struct publication {
	char tree[GIT_ID_SIZE], manifest[65], head[GIT_ID_SIZE];
	bool unchanged, first;
	struct changes changes;
	time_t time;
	char *archive;
	bool archive_made;
};

void capture_trailers(const struct capture *c, time_t time, const char *manifest, struct strbuf *out)
{
	char when[CLOCK_TEXT_SIZE];

	strbuf_addf(out, "\nCaptured-At: %s\nResource-Version: %s\nTool-Version: %s\nManifest-SHA256: %s\n", clock_format(time, when),
		c->resource_version, RHAII_VERSION, manifest);
	if (!c->together)
		strbuf_adds(out, "Point-In-Time: no\n");
	stale_write(carry_stale(c->carry), out);
}

static void capture_message(const struct capture *c, const struct publication *p, struct strbuf *out)
{
	changes_message(c, &p->changes, p->first, out);
	capture_trailers(c, p->time, p->manifest, out);
	strbuf_addf(out, "Maintenance: %zu\n", json_array_size(c->maintenance));
}

static int capture_commit(struct capture *c, struct git_store *store, struct publication *p, struct error *err)
{
	auto_strbuf struct strbuf message = STRBUF_INIT;

	if (!p->first && migration_commit(c, store, p->head, p->time, err) < 0)
		return -1;
	capture_message(c, p, &message);
	return git_write_commit(c->write, message.buf, p->time, p->head, err);
}

/* Hold the capture against the branch head; one that a guard refuses is kept beside the branch. */
static int capture_guard(struct capture *c, struct git_store *store, const struct publication *p, json_t **result, struct error *err)
{
	auto_json json_t *refused = p->first || p->unchanged ? NULL : guard_compare(c, store, p->head);
	auto_strbuf struct strbuf message = STRBUF_INIT;
	struct git_refusal refusal = {.tree = p->tree, .time = p->time};

	if (p->first && c->taken_count == 0)
		log_warning("the first snapshot of cluster '%s' holds no object", c->options->cluster);
	if (json_array_size(refused) == 0)
		return 0;
	capture_message(c, p, &message);
	refusal.message = message.buf;
	if (!c->options->dry_run && git_refused_keep(store, c->options->cluster, &refusal, err) < 0)
		return error_wrap(err, "a guard refused the capture, and it could not be kept aside");
	return guard_refuse(c, refused, p->tree, result, err);
}

/* When the state was last looked at, and what the cluster said of it then: nothing of it may be in the tree. */
static int capture_mark(struct capture *c, const struct publication *p, struct error *err)
{
	auto_strbuf struct strbuf remark = STRBUF_INIT;

	strbuf_addf(&remark, "Not-Ready: %zu\n", c->not_ready);
	stale_write(carry_stale(c->carry), &remark);
	git_write_remark(c->write, remark.buf);
	return git_write_mark_captured(c->write, p->time, c->resource_version, err);
}

/* The ref moves last of the git writes; the archive is made from the commit after it (design.md rule 6.5). */
static int capture_publish(struct capture *c, struct git_store *store, struct publication *p, struct error *err)
{
	const struct capture_options *o = c->options;
	auto_strbuf struct strbuf manifest = STRBUF_INIT;
	struct archive_target target = {.cluster = o->cluster, .commit_id = p->head, .dir = o->archive_dir, .manifest = &manifest};

	if ((!p->unchanged && capture_commit(c, store, p, err) < 0) || capture_mark(c, p, err) < 0 ||
		git_refused_forget(store, o->cluster, err) < 0)
		return -1;
	if (!o->archive_dir)
		return 0;
	capture_let_go(c);
	mem_trim();
	git_write_manifest(c->write, &manifest);
	git_write_free(c->write);
	c->write = NULL;
	mem_trim();
	if (archive_make(store, &target, &p->archive, &p->archive_made, err) < 0)
		return error_wrap(err, "archive of commit %.12s, which is kept in the repository", p->head);
	return 0;
}

static json_t *capture_counts(const struct capture *c)
{
	json_t *kinds = json_array();

	for (size_t i = 0; i < c->policy->kind_count; i++) {
		const struct capture_kind *kind = &c->kinds[i];

		if (kind->served)
			json_array_append_new(kinds,
				json_pack("{s:s, s:s, s:s, s:s, s:I}", "group", kind->resource.group, "resource", kind->resource.resource,
					"kind", kind->resource.kind, "version", kind->resource.version, "count", (json_int_t)kind->count));
	}
	return kinds;
}

static json_t *capture_not_served(const struct capture *c)
{
	json_t *names = json_array();

	for (size_t i = 0; i < c->policy->kind_count; i++) {
		const struct policy_kind *row = c->kinds[i].row;

		if (!c->kinds[i].served)
			json_array_append_new(names, json_sprintf("%s%s%s", row->resource, *row->group ? "." : "", row->group));
	}
	return names;
}

void uncovered_add(json_t *uncovered, size_t *count, json_t *requirement)
{
	const char *state = json_text_at(requirement, "state", NULL);

	if (!state || (strcmp(state, "required") != 0 && strcmp(state, "missing") != 0))
		return;
	if ((*count)++ < UNCOVERED_MAX)
		json_array_append(uncovered, requirement);
}

static json_t *capture_result(const struct capture *c, const struct publication *p)
{
	char when[CLOCK_TEXT_SIZE];
	json_t *result;

	result = json_pack(
		"{s:s, s:s, s:s, s:o, s:s, s:b, s:b, s:b, s:s, s:o, s:b, s:I, s:I, s:I, s:I, s:o, s:o, s:o, s:I, s:I, s:I, s:o, s:s}",
		"cluster", c->options->cluster, "clusterId", c->cluster_id, "server", c->server_version, "commit",
		*p->head ? json_string(p->head) : json_null(), "tree", p->tree, "changed", !p->unchanged, "first", p->first, "dryRun",
		c->options->dry_run, "capturedAt", clock_format(p->time, when), "archive",
		p->archive ? json_string(p->archive) : json_null(), "archiveMade", p->archive_made, "objects", (json_int_t)c->taken_count,
		"generated", (json_int_t)c->generated_count, "installed", (json_int_t)c->installed_count, "requests",
		(json_int_t)kube_request_count(c->client), "kinds", capture_counts(c), "notServed", capture_not_served(c), "changes",
		json_incref(p->changes.list), "added", (json_int_t)p->changes.added, "modified", (json_int_t)p->changes.changed, "removed",
		(json_int_t)p->changes.removed, "uncovered", json_incref(c->uncovered), "offsite", "none");
	json_object_set_new(result, "uncoveredCount", json_integer((json_int_t)c->uncovered_count));
	json_object_set_new(result, "findings", capture_sorted(c->findings));
	json_object_set(result, "maintenance", c->maintenance);
	json_object_set(result, "storageMigrations", c->migrated);
	json_object_set(result, "stale", carry_stale(c->carry));
	json_object_set(result, "orphans", c->orphans);
	json_object_set_new(result, "unmatchedRules", remarks_unmatched(c));
	json_object_set_new(result, "drift", capture_sorted(c->drift));
	json_object_set_new(result, "finalizers", capture_sorted(c->finalizers));
	json_object_set_new(result, "pointInTime", json_boolean(c->together));
	json_object_set_new(result, "notReady", json_integer((json_int_t)c->not_ready));
	return result;
}

/* Everything is new in a first snapshot: that is said, not listed. */
static int capture_compare(struct capture *c, struct git_store *store, struct publication *p, struct error *err)
{
	p->changes.list = json_array();
	p->changes.added = p->first ? c->taken_count : 0;
	if (p->first)
		return 0;
	return changes_collect(c, &p->changes, err) < 0 || (!p->unchanged && migration_find(c, store, p->head, err) < 0) ? -1 : 0;
}

static int capture_finish(struct capture *c, struct git_store *store, json_t **result, struct error *err)
{
	struct publication p = {.time = clock_now()};
	int rc = -1;

	p.first = git_resolve(store, c->options->cluster, NULL, p.head, err) < 0;
	if (p.first && err->code != ERR_NOT_FOUND)
		return -1;
	error_clear(err);
	if (git_write_finish(c->write, p.tree, p.manifest, &p.unchanged, err) == 0 && capture_compare(c, store, &p, err) == 0 &&
		capture_guard(c, store, &p, result, err) == 0 && (c->options->dry_run || capture_publish(c, store, &p, err) == 0)) {
		*result = capture_result(c, &p);
		rc = 0;
	}
	json_decref(p.changes.list);
	free(p.archive);
	return rc;
}

static int capture_once(struct capture *c, struct git_store *store, json_t **result, struct error *err)
{
	int rc;

	c->kinds = xcalloc(c->policy->kind_count + 1, sizeof(*c->kinds));
	c->seen = (struct table)TABLE_INIT(sizeof(struct seen));
	c->needs = (struct table)TABLE_INIT(sizeof(struct need));
	c->taken = (struct table)TABLE_INIT(sizeof(struct taken));
	c->not_listed = json_array();
	c->undefined = json_array();
	c->generated = json_array();
	c->owners = owners_new();
	c->presets = json_array();
	c->controllers = json_array();
	c->webhooks = json_array();
	c->not_read = json_array();
	c->migrated = json_array();
	capture_take_scope(c);
	rc = capture_read(c, store, result, err) == 0 ? capture_finish(c, store, result, err) : -1;
	if (rc == 0)
		cache_save(c->cache);
	return rc;
}

int capture_run(const struct capture_options *options, struct kube_client *client, struct git_store *store, const struct policy *policy,
	json_t **result, struct error *err)
{
	struct carry *carry = carry_new(store, options->cluster);
	bool together = true, again;
	int rc = -1;

	*result = NULL;
	for (int try = 0; try <= CAPTURE_TRIES; try++) {
		struct capture c = {.options = options,
			.client = client,
			.policy = policy,
			.carry = carry,
			.together = together && try < CAPTURE_TRIES};

		error_clear(err);
		rc = capture_once(&c, store, result, err);
		together = together && !c.inexact;
		again = rc < 0 && try < CAPTURE_TRIES && (err->code == ERR_GONE || c.inexact);
		if (rc < 0 && !again && carry_take(carry, &c, err)) {
			/* what the kind has done to the others ended with it */
			again = together = true;
			try = -1;
		}
		capture_release(&c);
		if (!again)
			break;
		log_debug("%s; the capture starts over", err->text);
	}
	carry_free(carry);
	return rc;
}
