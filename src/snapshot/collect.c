/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lists the kinds of the policy, in its order, and takes from each list what belongs into the snapshot.
 */
#include <stdlib.h>
#include <string.h>

#include "internal.h"
#include "kube/list.h"
#include "object/canonical.h"
#include "object/clean.h"
#include "object/fieldpath.h"
#include "object/object.h"
#include "object/references.h"
#include "policy/policy.h"
#include "snapshot/capture.h"
#include "store/git.h"
#include "util/error.h"
#include "util/json.h"
#include "util/strbuf.h"

bool capture_was_listed(const struct capture_kind *kind, const char *namespace_)
{
	return map_get(&kind->listed, "") || map_get(&kind->listed, namespace_);
}

struct collect {
	struct capture *c;
	struct capture_kind *kind;
	bool again; /* listed before: what was taken then is shown again */
};

struct environment_add {
	struct capture *c;
	const char *object;
};

static int environment_value(json_t *value, const char *concrete, void *arg)
{
	struct environment_add *add = arg;

	json_array_append_new(add->c->environment, json_pack("{s:s, s:s, s:O}", "object", add->object, "path", concrete, "value", value));
	return 0;
}

static void environment_collect(struct capture *c, const struct object *object, const struct policy_kind *row)
{
	auto_strbuf struct strbuf text = STRBUF_INIT;
	struct environment_add add = {.c = c};

	object_describe(object, &text);
	add.object = text.buf;
	for (size_t i = 0; i < row->environment_count; i++)
		fieldpath_each(object->json, row->environment[i], environment_value, &add);
}

static int object_write(struct capture *c, const struct object *object, struct error *err)
{
	auto_strbuf struct strbuf path = STRBUF_INIT, text = STRBUF_INIT;

	object_path(object, &path);
	canonical_yaml(object->json, &text);
	return git_write_file(c->write, path.buf, text.buf, text.len, err);
}

static void remember_taken(struct capture *c, const struct object *object, const char *uid)
{
	struct taken *taken = xcalloc(1, sizeof(*taken));

	if (*object->namespace_)
		map_put(&c->held, object->namespace_, c);
	*taken = (struct taken){.group = xstrdup(object->group), .kind = xstrdup(object->kind), .name = xstrdup(object->name)};
	taken = map_put(&c->taken, uid, taken);
	if (taken) /* two objects of one uid: no API server does this */
		taken_free(taken);
}

static int take(struct collect *collect, struct object *object, const char *uid, struct error *err)
{
	struct capture *c = collect->c;

	remember_taken(c, object, uid);
	needs_add(c, object, collect->kind->row);
	environment_collect(c, object, collect->kind->row);
	collect->kind->count++;
	c->taken_count++;
	return object_write(c, object, err);
}

/* What is known of the object; *first: no list has shown it before. */
static struct seen *remember_seen(struct capture *c, const struct object *object, bool *first)
{
	auto_strbuf struct strbuf key = STRBUF_INIT;
	struct seen *seen;

	capture_key(&key, object->group, object->resource, object->namespace_, object->name);
	seen = map_get(&c->seen, key.buf);
	*first = !seen;
	if (!seen) {
		seen = xcalloc(1, sizeof(*seen));
		map_put(&c->seen, key.buf, seen);
	}
	return seen;
}

static bool is_referenced(const struct capture *c, const char *group, const char *resource, const char *namespace_, const char *name)
{
	auto_strbuf struct strbuf key = STRBUF_INIT;

	capture_key(&key, group, resource, namespace_, name);
	return map_get(&c->needs, key.buf) != NULL;
}

/* The target of a `selects` reference counts when it is in the snapshot or when something in the snapshot needs it (the account itself may be generated). */
static int selects_taken(const struct reference *reference, void *arg)
{
	const struct capture *c = arg;
	auto_strbuf struct strbuf key = STRBUF_INIT;
	const struct seen *seen;

	if (!reference->rule->selects)
		return 0;
	if (is_referenced(c, reference->group, reference->resource, reference->namespace_, reference->name))
		return 1;
	capture_key(&key, reference->group, reference->resource, reference->namespace_, reference->name);
	seen = map_get(&c->seen, key.buf);
	return seen && seen->taken;
}

static bool is_selected(struct capture *c, const struct policy_kind *row, const struct object *object)
{
	switch (row->select) {
	case SELECT_ALL:
		return true;
	case SELECT_REFERENCED:
		return is_referenced(c, object->group, object->resource, object->namespace_, object->name);
	case SELECT_REFERS:
		return references_each(object, row->references, row->reference_count, selects_taken, c) != 0;
	case SELECT_IN_HELD:
		return map_get(&c->held, object->namespace_) != NULL;
	case SELECT_HOLDING:
		return map_get(&c->held, object->name) != NULL;
	}
	return false;
}

/*
 * Who made it. The owner is read before cleaning, which removes it; the policy's rules are held against what a person wrote, since what a
 * controller has added (the pull secret of an image registry in each ServiceAccount) must not make an object look authored.
 */
static enum object_class classify_and_clean(const struct capture *c, const struct policy_kind *row, struct object *object)
{
	struct object_owner owner;

	if (classify_owner(object->json, &owner))
		return CLASS_GENERATED;
	clean_object(object->json, row->strip, row->strip_count);
	return classify_object(object, c->policy->rules, c->policy->rule_count, NULL);
}

static void count_class(struct capture *c, enum object_class class_)
{
	if (class_ == CLASS_GENERATED)
		c->generated_count++;
	if (class_ == CLASS_INSTALLED)
		c->installed_count++;
}

static int collect_object(struct collect *collect, struct object *object, struct error *err)
{
	struct capture *c = collect->c;
	const struct policy_kind *row = collect->kind->row;
	const char *found = json_text_at(object->json, "metadata", "uid", NULL);
	auto_free char *uid = xstrdup(found ? found : "");
	bool first;
	struct seen *seen = remember_seen(c, object, &first);

	if (seen->taken)
		return collect->again ? 0 : error_set(err, ERR_FAILED, "the server listed %s '%s' twice", object->kind, object->name);
	if (first && row->select == SELECT_ALL)
		inventory_add(c, &collect->kind->resource, object);
	seen->class_ = classify_and_clean(c, row, object);
	if (first)
		count_class(c, seen->class_);
	if (seen->class_ != CLASS_AUTHORED || !is_selected(c, row, object))
		return 0;
	seen->taken = true;
	return take(collect, object, uid, err);
}

static int collect_item(json_t *item, void *arg, struct error *err)
{
	struct collect *collect = arg;
	struct object *object;
	int rc = 0;

	if (object_new(&object, collect->kind->resource.resource, item, err) < 0)
		return -1;
	/* a Namespace is in scope when its own name is */
	if (capture_in_scope(collect->c, collect->kind->row->select == SELECT_HOLDING ? object->name : object->namespace_))
		rc = collect_object(collect, object, err);
	object_free(object);
	return rc;
}

static int collect_list(struct collect *collect, const char *namespace_, struct error *err)
{
	struct capture *c = collect->c;
	const struct kube_list_options options = {.namespace_ = namespace_, .page_size = c->options->page_size};
	const struct kube_list_sink sink = {.item = collect_item, .arg = collect};
	auto_free char *version = NULL;

	if (kube_list(c->client, &collect->kind->resource, &options, &sink, &version, err) < 0)
		return -1;
	map_put(&collect->kind->listed, namespace_ ? namespace_ : "", c);
	if (!c->resource_version) {
		c->resource_version = version;
		version = NULL;
	}
	return 0;
}

static int collect_namespaces(struct collect *collect, const struct strlist *namespaces, struct error *err)
{
	if (!capture_is_narrowed(collect->c) && namespaces->count > CAPTURE_NAMESPACE_LISTS)
		return collect_list(collect, NULL, err);
	for (size_t i = 0; i < namespaces->count; i++)
		if (collect_list(collect, namespaces->items[i], err) < 0)
			return -1;
	return 0;
}

/* The namespaces where something is that objects of this kind are selected by. */
static void namespaces_of_interest(const struct capture *c, const struct policy_kind *row, struct strlist *out)
{
	auto_free struct map_entry *entries = NULL;

	if (row->select == SELECT_IN_HELD) {
		entries = map_sorted(&c->held);
		for (size_t i = 0; i < c->held.count; i++)
			strlist_add(out, entries[i].key);
		return;
	}
	entries = map_sorted(&c->needs);
	for (size_t i = 0; i < c->needs.count; i++) {
		const struct need *need = entries[i].value;
		bool same = strcmp(need->group, row->group) == 0 && strcmp(need->resource, row->resource) == 0;

		if (row->select == SELECT_REFERENCED && !same)
			continue;
		if (*need->namespace_ && capture_in_scope(c, need->namespace_))
			strlist_add(out, need->namespace_);
	}
	strlist_sort_unique(out);
}

static int collect_selected(struct capture *c, struct capture_kind *kind, bool again, struct error *err)
{
	struct collect collect = {.c = c, .kind = kind, .again = again};
	auto_strlist struct strlist namespaces = STRLIST_INIT;

	namespaces_of_interest(c, kind->row, &namespaces);
	return collect_namespaces(&collect, &namespaces, err);
}

static int collect_whole(struct capture *c, struct capture_kind *kind, struct error *err)
{
	struct collect collect = {.c = c, .kind = kind};

	if (kind->row->select == SELECT_ALL && kind->resource.namespaced && capture_is_narrowed(c))
		return collect_namespaces(&collect, &c->namespaces, err);
	return collect_list(&collect, NULL, err);
}

static int collect_kind(struct capture *c, struct capture_kind *kind, struct error *err)
{
	if (!kind->served)
		return 0;
	if (kind->row->select == SELECT_ALL || kind->row->select == SELECT_HOLDING)
		return collect_whole(c, kind, err);
	return collect_selected(c, kind, false, err);
}

/* Whether something of the kind is needed that no list has shown, or that was passed over when nothing had referred to it yet. */
static bool is_missing_some(const struct capture *c, const struct capture_kind *kind)
{
	auto_free struct map_entry *entries = map_sorted(&c->needs);

	if (!kind->served || kind->row->select != SELECT_REFERENCED)
		return false;
	for (size_t i = 0; i < c->needs.count; i++) {
		const struct need *need = entries[i].value;
		const struct seen *seen = map_get(&c->seen, entries[i].key);

		if (strcmp(need->group, kind->row->group) != 0 || strcmp(need->resource, kind->row->resource) != 0 ||
			!capture_in_scope(c, need->namespace_))
			continue;
		if (seen ? seen->class_ == CLASS_AUTHORED && !seen->taken : !capture_was_listed(kind, need->namespace_))
			return true;
	}
	return false;
}

static size_t collected(const struct capture *c)
{
	size_t sum = c->taken_count;

	for (size_t i = 0; i < c->policy->kind_count; i++)
		sum += c->kinds[i].listed.count;
	return sum;
}

/*
 * The capture order makes most references known before the kind that they lead to is listed. What is left is listed again until a turn takes and
 * lists nothing new, so that the order of kinds and of items does not show: then nothing is missing, or what is has been deleted meanwhile.
 */
static int collect_missing(struct capture *c, struct error *err)
{
	size_t before;

	do {
		before = collected(c);
		for (size_t i = 0; i < c->policy->kind_count; i++)
			if (is_missing_some(c, &c->kinds[i]) && collect_selected(c, &c->kinds[i], true, err) < 0)
				return -1;
	} while (collected(c) > before);
	return 0;
}

static int collect_kinds_of(struct capture *c, bool holding, struct error *err)
{
	for (size_t i = 0; i < c->policy->kind_count; i++)
		if ((c->kinds[i].row->select == SELECT_HOLDING) == holding && collect_kind(c, &c->kinds[i], err) < 0)
			return -1;
	return 0;
}

int collect_kinds(struct capture *c, struct error *err)
{
	if (collect_kinds_of(c, false, err) < 0 || collect_missing(c, err) < 0 || collect_kinds_of(c, true, err) < 0)
		return -1;
	if (!c->resource_version)
		c->resource_version = xstrdup("0");
	return 0;
}
