/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The guards of a branch: what must not be committed unseen. Credentials are looked for while objects are read, and no such object is written; the others compare
 * the finished capture with the branch head, within the head's scope.
 */
#include <stdlib.h>
#include <string.h>

#include "internal.h"
#include "object/credential.h"
#include "object/fieldpath.h"
#include "object/object.h"
#include "policy/policy.h"
#include "snapshot/capture.h"
#include "store/git.h"
#include "util/error.h"
#include "util/json.h"
#include "util/log.h"
#include "util/strbuf.h"
#include "util/text.h"
#include "util/yaml.h"

#define MAX_SHRINK_PERCENT 20
#define SHRINK_MIN 3 /* objects: of few, one is a large part */
#define TOLD_MAX 20  /* lines of an error */
#define FINDINGS_MAX 1000

void guard_begin(struct capture *c)
{
	c->credentials = json_array();
	c->findings = json_array();
}

void guard_end(struct capture *c)
{
	json_decref(c->credentials);
	json_decref(c->findings);
}

/* ---- credentials ---- */

struct inspection {
	struct capture *c;
	const struct object *object;
	const char *name; /* of the object */
	bool refused;
};

static int is_path(json_t *value, const char *concrete, void *arg)
{
	(void)value;
	return strcmp(concrete, arg) == 0;
}

static bool is_waived(const struct inspection *inspection, const struct credential *found)
{
	const struct policy *policy = inspection->c->policy;
	auto_free char *path = xstrdup(found->path);

	for (size_t i = 0; i < policy->waiver_count; i++)
		if (strcmp(policy->waivers[i].object, inspection->name) == 0 &&
			fieldpath_each(inspection->object->json, policy->waivers[i].path, is_path, path) != 0)
			return true;
	return false;
}

static void inspect_found(const struct credential *found, void *arg)
{
	struct inspection *inspection = arg;
	struct capture *c = inspection->c;
	bool certain = found->confidence == CREDENTIAL_CERTAIN;
	json_t *list = certain ? c->credentials : c->findings;

	if (is_waived(inspection, found))
		return;
	inspection->refused = inspection->refused || certain;
	if (json_array_size(list) < FINDINGS_MAX)
		json_array_append_new(
			list, json_pack("{s:s, s:s, s:s}", "object", inspection->name, "path", found->shown, "kind", found->kind));
}

bool guard_object(struct capture *c, const struct object *object)
{
	auto_strbuf struct strbuf name = STRBUF_INIT;
	struct inspection inspection = {.c = c, .object = object};

	object_describe(object, &name);
	inspection.name = name.buf;
	credential_look(object->json, inspect_found, &inspection);
	return !inspection.refused;
}

/* ---- the branch head ---- */

static void read_list(const json_t *list, struct strlist *out)
{
	const json_t *item;
	size_t i;

	json_array_foreach (list, i, item)
		if (json_is_string(item))
			strlist_add(out, json_string_value(item));
}

void scope_read(struct scope *out, const json_t *info)
{
	*out = (struct scope){0};
	read_list(json_at(info, "scope", "namespaces", NULL), &out->namespaces);
	read_list(json_at(info, "scope", "excludeNamespaces", NULL), &out->excluded);
}

void scope_release(struct scope *scope)
{
	strlist_release(&scope->namespaces);
	strlist_release(&scope->excluded);
}

static bool globs_match(const struct strlist *globs, const char *text)
{
	for (size_t i = 0; i < globs->count; i++)
		if (text_glob(globs->items[i], text))
			return true;
	return false;
}

bool scope_covers(const struct scope *scope, const char *namespace_)
{
	if (scope->namespaces.count)
		return *namespace_ && strlist_contains(&scope->namespaces, namespace_);
	return !*namespace_ || !globs_match(&scope->excluded, namespace_);
}

/* What the capture is held against: snapshot.yaml of the branch head. */
struct head {
	json_t *info;
	struct scope scope;
};

static void head_release(struct head *head)
{
	json_decref(head->info);
	scope_release(&head->scope);
}

/* A hand on the branch may have left anything there; that must not stop the snapshots after it. */
static bool head_read(struct git_store *store, const char *commit, struct head *out)
{
	auto_strbuf struct strbuf text = STRBUF_INIT;
	struct error err = ERROR_INIT;

	if (git_read_file(store, commit, "snapshot.yaml", &text, &err) < 0 || !(out->info = yaml_read(text.buf, text.len, &err))) {
		log_warning("the snapshot before cannot be compared with this one: %s", err.text);
		return false;
	}
	scope_read(&out->scope, out->info);
	return true;
}

/* ---- counts ---- */

/* How many objects of each kind were taken within the head's scope. The caller frees. */
static size_t *count_covered(const struct capture *c, const struct head *head)
{
	size_t *counts = xcalloc(c->policy->kind_count + 1, sizeof(*counts));
	auto_named struct named named = NAMED_INIT;

	for (uint32_t i = 0; i < c->seen.count; i++) {
		const struct seen *seen = table_value(&c->seen, i);
		const struct capture_kind *kind;

		if (!seen->taken)
			continue;
		capture_name(c, &c->seen, i, &named);
		kind = capture_kind_of(c, named.object.group, named.object.resource);
		if (!kind)
			continue;
		/* a Namespace is in scope when its own name is */
		const char *place = kind->row->select == SELECT_HOLDING ? named.object.name : named.object.namespace_;
		counts[kind - c->kinds] += scope_covers(&head->scope, place);
	}
	return counts;
}

/* ---- the guards that compare ---- */

struct guards {
	const struct capture *c;
	struct git_store *store;
	const struct head *head;
	const size_t *counts;
	json_t *refused; /* [{guard, text}] */
};

static void refuse(const struct guards *g, const char *guard, struct strbuf *text)
{
	auto_strbuf struct strbuf shown = STRBUF_INIT;

	text_escape(&shown, text->buf, text->len, 400);
	json_array_append_new(g->refused, json_pack("{s:s, s:s}", "guard", guard, "text", shown.buf));
}

/* A restored cluster continues the branch of the one that it replaces (design.md rule 6.4). */
static bool continues(const struct guards *g, const char *from, const char *to)
{
	return strcmp(from, to) == 0 || git_succession_is(g->store, g->c->options->cluster, from, to);
}

static void guard_cluster(const struct guards *g)
{
	const char *id = json_text_at(g->head->info, "cluster", "id", NULL);
	auto_strbuf struct strbuf text = STRBUF_INIT;

	if (!id || continues(g, id, g->c->cluster_id))
		return;
	strbuf_addf(&text, "another cluster: the branch is of %s, this one is %s", id, g->c->cluster_id);
	refuse(g, "cluster", &text);
}

static const struct policy_kind *row_of(const struct guards *g, const json_t *kind)
{
	const char *group = json_text_at(kind, "group", NULL), *resource = json_text_at(kind, "resource", NULL);

	return group && resource ? policy_find(g->c->policy, group, resource) : NULL;
}

static json_int_t count_of(const json_t *kind)
{
	json_int_t count = json_integer_value(json_object_get(kind, "count"));

	return count > 0 ? count : 0;
}

/* Kinds that are not in the policy any more, and namespaces that are not looked at any more. */
static void guard_scope(const struct guards *g)
{
	auto_strlist struct strlist lost = STRLIST_INIT;
	auto_strbuf struct strbuf text = STRBUF_INIT;
	const struct strlist *named = &g->head->scope.namespaces, *excluded = &g->c->policy->exclude_namespaces;
	const json_t *kind;
	size_t i;

	json_array_foreach (json_object_get(g->head->info, "kinds"), i, kind)
		if (!row_of(g, kind) && json_text_at(kind, "kind", NULL))
			strlist_add(&lost, json_text_at(kind, "kind", NULL));
	for (i = 0; i < named->count; i++)
		if (!capture_in_scope(g->c, named->items[i]))
			strlist_add(&lost, named->items[i]);
	for (i = 0; !named->count && !capture_is_narrowed(g->c) && i < excluded->count; i++)
		if (!globs_match(&g->head->scope.excluded, excluded->items[i]))
			strlist_add(&lost, excluded->items[i]);
	if (!named->count && capture_is_narrowed(g->c))
		strlist_add(&lost, "all namespaces but those named now");
	for (i = 0; i < lost.count; i++)
		strbuf_addf(&text, "%s%s", i ? ", " : "a narrower scope: no longer covered: ", lost.items[i]);
	if (lost.count)
		refuse(g, "scope", &text);
}

static void guard_kinds(const struct guards *g)
{
	const json_t *kind;
	size_t i;

	json_array_foreach (json_object_get(g->head->info, "kinds"), i, kind) {
		const struct policy_kind *row = row_of(g, kind);
		size_t index = row ? (size_t)(row - g->c->policy->kinds) : 0;
		auto_strbuf struct strbuf text = STRBUF_INIT;

		if (!row || count_of(kind) == 0 || g->counts[index] > 0)
			continue;
		strbuf_addf(&text, "%s: %lld -> 0%s", row->kind, (long long)count_of(kind),
			g->c->kinds[index].served ? "" : " (the cluster does not serve the kind any more)");
		refuse(g, "kind", &text);
	}
}

/* Of the kinds that the head knows: one that the policy has gained makes up for nothing. */
static void guard_shrink(const struct guards *g)
{
	size_t percent = g->c->options->max_shrink ? g->c->options->max_shrink : MAX_SHRINK_PERCENT;
	auto_strbuf struct strbuf text = STRBUF_INIT;
	json_int_t before = 0, now = 0;
	const json_t *kind;
	size_t i;

	json_array_foreach (json_object_get(g->head->info, "kinds"), i, kind) {
		const struct policy_kind *row = row_of(g, kind);

		before += count_of(kind);
		now += row ? (json_int_t)g->counts[row - g->c->policy->kinds] : 0;
	}
	if (before - now < SHRINK_MIN || (double)(before - now) * 100 <= (double)percent * (double)before)
		return;
	strbuf_addf(&text, "objects: %lld -> %lld, %.0f %% fewer (--max-shrink %zu)", (long long)before, (long long)now,
		(double)(before - now) * 100 / (double)before, percent);
	refuse(g, "shrink", &text);
}

static void guard_empty(const struct guards *g)
{
	auto_strbuf struct strbuf text = STRBUF_INIT;

	if (g->c->taken_count > 0)
		return;
	strbuf_adds(&text, "an empty cluster: no object to keep");
	refuse(g, "empty", &text);
}

json_t *guard_compare(const struct capture *c, struct git_store *store, const char *commit)
{
	static void (*const all[])(const struct guards *g) = {guard_cluster, guard_scope, guard_empty, guard_shrink, guard_kinds};
	__attribute__((cleanup(head_release))) struct head head = {0};
	struct guards g = {.c = c, .store = store, .head = &head, .refused = json_array()};
	auto_free size_t *counts = NULL;

	if (!head_read(store, commit, &head)) {
		guard_empty(&g);
		return g.refused;
	}
	g.counts = counts = count_covered(c, &head);
	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
		all[i](&g);
	return g.refused;
}

/* ---- what is said ---- */

/* "\n<line>" for each, the last ones counted. */
static void add_lines(struct strbuf *out, const json_t *list, void (*add)(struct strbuf *out, const json_t *item))
{
	const json_t *item;
	size_t i;

	json_array_foreach (list, i, item) {
		if (i == TOLD_MAX) {
			strbuf_addf(out, "\nand %zu more", json_array_size(list) - TOLD_MAX);
			return;
		}
		strbuf_addc(out, '\n');
		add(out, item);
	}
}

static void add_credential(struct strbuf *out, const json_t *item)
{
	const char *path = json_text_at(item, "path", NULL);

	strbuf_addf(out, "%s: ", json_text_at(item, "object", NULL));
	text_escape(out, path, strlen(path), 300);
	strbuf_addf(out, ": %s", json_text_at(item, "kind", NULL));
}

static void add_guard(struct strbuf *out, const json_t *item)
{
	strbuf_adds(out, json_text_at(item, "text", NULL));
}

static json_t *refused_credentials(const json_t *credentials)
{
	json_t *refused = json_array();
	const json_t *item;
	size_t i;

	json_array_foreach (credentials, i, item) {
		auto_strbuf struct strbuf text = STRBUF_INIT;

		add_credential(&text, item);
		json_array_append_new(refused, json_pack("{s:s, s:s}", "guard", "credential", "text", text.buf));
	}
	return refused;
}

int guard_credentials(const struct capture *c, json_t **result, struct error *err)
{
	auto_json json_t *found = capture_sorted(c->credentials);
	size_t count = json_array_size(found);
	auto_strbuf struct strbuf text = STRBUF_INIT;

	if (count == 0)
		return 0;
	*result = json_pack("{s:o, s:n}", "refused", refused_credentials(found), "id");
	add_lines(&text, found, add_credential);
	(void)error_set(err, ERR_GUARD, "%s looks like a credential, and nothing was written:%s",
		count == 1 ? "a value" : "more than one value", text.buf);
	return error_hint(err,
		"move it into a Secret and refer to that; or, if it is none, waive it in the policy:\nwaivers: [{object: \"...\", path: "
		"\"...\", reason: "
		"\"...\"}]");
}

int guard_refuse(const struct capture *c, json_t *refused, const char *tree, json_t **result, struct error *err)
{
	auto_strbuf struct strbuf text = STRBUF_INIT;
	auto_free char *id = c->options->dry_run ? NULL : xstrndup(tree, GIT_REFUSED_DIGITS);

	add_lines(&text, refused, add_guard);
	*result = json_pack("{s:O, s:s?}", "refused", refused, "id", id);
	(void)error_set(err, ERR_GUARD, "refused, nothing is committed to the branch of cluster '%s':%s", c->options->cluster, text.buf);
	return id ? error_hint(err, "if it is meant to be so: rhaii-dr accept %s", id)
		  : error_hint(err, "a snapshot that is no dry run says which id to accept");
}
