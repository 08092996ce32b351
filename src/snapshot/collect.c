/* SPDX-License-Identifier: Apache-2.0 */
/* Lists the kinds of the policy, in its order. */
#include <stdlib.h>
#include <string.h>

#include "collect.h"
#include "internal.h"
#include "kube/list.h"
#include "policy/policy.h"
#include "snapshot/capture.h"
#include "util/error.h"
#include "util/strbuf.h"

bool capture_was_listed(const struct capture_kind *kind, const char *namespace_)
{
	return map_get(&kind->listed, "") || map_get(&kind->listed, namespace_);
}

/* "0" would ask for any version. */
static bool is_exact(const char *version)
{
	return *version && strcmp(version, "0") != 0;
}

int capture_list(struct capture *c, const struct kube_resource *resource, const struct kube_list_options *options,
	const struct kube_list_sink *sink, struct error *err)
{
	struct kube_list_options at = *options;
	auto_free char *version = NULL;

	at.page_size = c->options->page_size;
	at.at_version = c->together ? c->resource_version : NULL;
	at.first = &c->first;
	if (kube_list(c->client, resource, &at, sink, &version, err) < 0) {
		c->inexact = c->inexact || (at.at_version && err->code == ERR_REJECTED && !c->sink_failed);
		return -1;
	}
	if (c->resource_version)
		return 0;
	c->together = c->together && is_exact(version);
	c->resource_version = version;
	version = NULL;
	return 0;
}

/* The kind whose whole list comes right after that of this one; NULL: none, or it depends on what is read until then. */
static const struct capture_kind *next_whole(const struct capture *c, const struct capture_kind *kind)
{
	const struct capture_kind *end = c->kinds + c->policy->kind_count;

	for (kind++; kind < end && !capture_is_narrowed(c); kind++)
		if (kind->served && !kind->carried)
			return kind->row->select == SELECT_ALL ? kind : NULL;
	return NULL;
}

static void ask_for_next(const char *version, void *arg)
{
	const struct collect *collect = arg;
	struct capture *c = collect->c;
	const struct capture_kind *next = collect->again ? NULL : next_whole(c, collect->kind);
	const struct kube_list_options at = {.page_size = c->options->page_size, .at_version = version};

	if (next && c->together && is_exact(version))
		kube_list_ask(c->client, &next->resource, &at, &c->first);
}

static int collect_list(struct collect *collect, const char *namespace_, struct error *err)
{
	struct capture *c = collect->c;
	/* For what may differ from the branch head, who wrote it is told; elsewhere managedFields are parsed only where rows ask for them. */
	const struct kube_list_options options = {
		.namespace_ = namespace_, .managed_fields = c->since || collect->kind->row->evidence_count};
	const struct kube_list_sink sink = {.raw = collect_raw, .item = collect_item, .last = ask_for_next, .arg = collect};

	if (capture_list(c, &collect->kind->resource, &options, &sink, err) < 0) {
		c->failing = collect->kind;
		return -1;
	}
	map_put(&collect->kind->listed, namespace_ ? namespace_ : "", c);
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

static bool is_of_kind(const struct object *object, const struct policy_kind *row)
{
	return strcmp(object->group, row->group) == 0 && strcmp(object->resource, row->resource) == 0;
}

/* The namespaces where something is that objects of this kind are selected by. */
static void namespaces_of_interest(const struct capture *c, const struct policy_kind *row, struct strlist *out)
{
	auto_named struct named need = NAMED_INIT;
	const struct map_entry *entry;
	size_t at = 0;

	if (row->select == SELECT_IN_HELD) {
		while ((entry = map_next(&c->held, &at)))
			strlist_add(out, entry->key);
		strlist_sort_unique(out);
		return;
	}
	for (uint32_t i = 0; i < c->needs.count; i++) {
		capture_name(c, &c->needs, i, &need);
		if (row->select == SELECT_REFERENCED && !is_of_kind(&need.object, row))
			continue;
		if (*need.object.namespace_ && capture_in_scope(c, need.object.namespace_))
			strlist_add(out, need.object.namespace_);
	}
	strlist_sort_unique(out);
}

static int collect_selected(struct capture *c, struct capture_kind *kind, bool again, struct error *err)
{
	auto_collect struct collect collect = COLLECT_INIT(c, kind, again);
	auto_strlist struct strlist namespaces = STRLIST_INIT;

	namespaces_of_interest(c, kind->row, &namespaces);
	return collect_namespaces(&collect, &namespaces, err);
}

static int collect_whole(struct capture *c, struct capture_kind *kind, struct error *err)
{
	auto_collect struct collect collect = COLLECT_INIT(c, kind, false);

	if (kind->row->select == SELECT_ALL && kind->resource.namespaced && capture_is_narrowed(c))
		return collect_namespaces(&collect, &c->namespaces, err);
	return collect_list(&collect, NULL, err);
}

static int collect_kind(struct capture *c, struct capture_kind *kind, struct error *err)
{
	if (!kind->served)
		return 0;
	if (kind->carried)
		return carry_collect(c, kind, err);
	if (kind->row->select == SELECT_ALL || kind->row->select == SELECT_HOLDING)
		return collect_whole(c, kind, err);
	return collect_selected(c, kind, false, err);
}

/* Whether something of the kind is needed that no list has shown, or that was passed over when nothing had referred to it yet. */
static bool is_missing_some(const struct capture *c, const struct capture_kind *kind)
{
	auto_named struct named need = NAMED_INIT;

	if (!kind->served || kind->carried || kind->row->select != SELECT_REFERENCED)
		return false;
	for (uint32_t i = 0; i < c->needs.count; i++) {
		const struct seen *seen;

		capture_name(c, &c->needs, i, &need);
		if (!is_of_kind(&need.object, kind->row) || !capture_in_scope(c, need.object.namespace_))
			continue;
		seen = table_get(&c->seen, need.key.buf);
		if (seen ? seen->class_ == CLASS_AUTHORED && !seen->taken : !capture_was_listed(kind, need.object.namespace_))
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
