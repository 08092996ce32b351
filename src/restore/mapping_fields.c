/* SPDX-License-Identifier: Apache-2.0 */
/* What a mapping changes inside one object: its references, then the fields that the policy lists by what they name. */
#include <stdlib.h>
#include <string.h>

#include "mapping_internal.h"
#include "object/fieldpath.h"
#include "object/object.h"
#include "object/references.h"
#include "policy/policy.h"
#include "util/cidr.h"
#include "util/error.h"
#include "util/json.h"
#include "util/mem.h"
#include "util/strbuf.h"

/* A reference as it stood in the object: fields are changed when all of them have been read. */
struct found {
	json_t *map;
	const struct reference_rule *rule;
	char *namespace_, *name, *key, *path;
};

/* ---- one field ---- */

static void note(struct mapping_run *m, struct rule *rule, const char *path, const char *from, const char *to)
{
	rule->used++;
	json_array_append_new(m->changes,
		json_pack("{s:s, s:s, s:s, s:s, s:s}", "object", m->words, "path", path, "kind", rule_kind_names[rule->kind], "from", from,
			"to", to));
}

/* Change the text at a key of a map. */
void mapping_set_key(struct mapping_run *m, json_t *map, const char *path, const char *key, struct rule *rule, const char *to)
{
	auto_strbuf struct strbuf concrete = STRBUF_INIT;
	auto_free char *from = xstrdup(json_text_at(map, key, NULL));

	strbuf_adds(&concrete, path);
	fieldpath_append_key(&concrete, key);
	map_put(&m->done, concrete.buf, m);
	if (from && strcmp(from, to) == 0)
		return;
	json_object_set_new(map, key, json_string(to));
	note(m, rule, concrete.buf, from ? from : "", to);
}

static void mark_done(struct mapping_run *m, const char *path, const char *key)
{
	auto_strbuf struct strbuf concrete = STRBUF_INIT;

	strbuf_adds(&concrete, path);
	fieldpath_append_key(&concrete, key);
	map_put(&m->done, concrete.buf, m);
}

/* ---- references ---- */

static int find_reference(const struct reference *r, void *arg)
{
	struct mapping_run *m = arg;

	if (!r->map || !r->rule->namespace_field)
		return 0;
	for (size_t i = 0; i < m->found_count; i++)
		if (m->found[i].map == r->map)
			return 0;
	m->found = xgrow(m->found, &m->found_cap, m->found_count + 1, sizeof(*m->found));
	m->found[m->found_count++] = (struct found){.map = r->map,
		.rule = r->rule,
		.namespace_ = xstrdup(r->namespace_),
		.name = xstrdup(r->name),
		.key = xstrdup(r->key),
		.path = xstrdup(r->path)};
	return 0;
}

static void release_found(struct mapping_run *m)
{
	for (size_t i = 0; i < m->found_count; i++) {
		free(m->found[i].namespace_);
		free(m->found[i].name);
		free(m->found[i].key);
		free(m->found[i].path);
	}
	m->found_count = 0;
}

struct rule *mapping_gateway_rule(
	const struct mapping_run *m, const char *group, const char *resource, const char *namespace_, const char *name)
{
	auto_free char *full = xasprintf("%s/%s", namespace_, name);

	if (strcmp(group, GATEWAY_GROUP) != 0 || strcmp(resource, GATEWAY_RESOURCE) != 0)
		return NULL;
	return rules_find(&m->rules, MAP_GATEWAY, full);
}

static void add_once(json_t *list, const char *text)
{
	const json_t *item;
	size_t i;

	json_array_foreach (list, i, item)
		if (strcmp(json_string_value(item), text) == 0)
			return;
	json_array_append_new(list, json_string(text));
}

static void need_gateway(struct mapping_run *m, const struct rule *rule, const char *key)
{
	json_t *need = map_get(&m->needs, rule->to);
	const char *slash = strchr(rule->to, '/');

	if (!need) {
		need = json_pack("{s:s, s:s, s:s, s:s%, s:s, s:[], s:[], s:s, s:b}", "group", GATEWAY_GROUP, "resource", GATEWAY_RESOURCE,
			"kind", "Gateway", "namespace", rule->to, (size_t)(slash - rule->to), "name", slash + 1, "keys", "neededBy",
			"state", "required", "optional", 0);
		map_put(&m->needs, rule->to, need);
	}
	add_once(json_object_get(need, "neededBy"), m->words);
	if (key)
		add_once(json_object_get(need, "keys"), key);
}

static void map_gateway(struct mapping_run *m, const struct found *found, struct rule *rule)
{
	const char *name_field = found->rule->name_field ? found->rule->name_field : "name", *slash = strchr(rule->to, '/');
	auto_free char *namespace_ = xstrndup(rule->to, (size_t)(slash - rule->to));

	mapping_set_key(m, found->map, found->path, name_field, rule, slash + 1);
	if (json_object_get(found->map, found->rule->namespace_field) || strcmp(namespace_, m->namespace_) != 0)
		mapping_set_key(m, found->map, found->path, found->rule->namespace_field, rule, namespace_);
	need_gateway(m, rule, found->key);
}

static void map_reference(struct mapping_run *m, const struct found *found)
{
	const struct reference_rule *r = found->rule;
	const char *namespace_ = json_text_at(found->map, r->namespace_field, NULL);
	struct rule *rule = mapping_gateway_rule(m, r->group, r->resource, found->namespace_, found->name);

	if (rule) {
		map_gateway(m, found, rule);
		return;
	}
	rule = namespace_ ? rules_find(&m->rules, MAP_NAMESPACE, namespace_) : NULL;
	if (rule)
		mapping_set_key(m, found->map, found->path, r->namespace_field, rule, rule->to);
	else
		mark_done(m, found->path, r->namespace_field);
}

void mapping_references(struct mapping_run *m, const struct policy_kind *row)
{
	references_each(m->object, row->references, row->reference_count, find_reference, m);
	for (size_t i = 0; i < m->found_count; i++)
		map_reference(m, &m->found[i]);
	release_found(m);
}

/* ---- listed fields ---- */

struct listed {
	struct mapping_run *m;
	const struct policy_named *row;
	enum policy_naming what;
};

/* Put another text in the place of value. */
static void set_text(struct mapping_run *m, json_t *value, const char *path, struct rule *rule, const char *to)
{
	auto_free char *from = xstrdup(json_string_value(value));

	map_put(&m->done, path, m);
	json_string_set(value, to);
	note(m, rule, path, from, to);
}

static int map_namespace(struct mapping_run *m, const struct policy_named *row, json_t *value, const char *path)
{
	const char *text = json_string_value(value), *after = row->after ? strstr(text, row->after) : text, *start, *end;
	struct rule *rule;

	if (!after)
		return 0;
	start = after + (row->after ? strlen(row->after) : 0);
	end = row->before ? strstr(start, row->before) : start + strlen(start);
	if (!end)
		return 0;
	auto_free char *name = xstrndup(start, (size_t)(end - start));
	rule = rules_find(&m->rules, MAP_NAMESPACE, name);
	if (rule) {
		auto_free char *to = xasprintf("%.*s%s%s", (int)(start - text), text, rule->to, end);

		set_text(m, value, path, rule, to);
	}
	return 0;
}

/* A list of hosts, or a URL: what stands between these. */
static int map_hosts(struct mapping_run *m, json_t *value, const char *path)
{
	static const char around[] = " ,:/";
	auto_strbuf struct strbuf out = STRBUF_INIT;
	struct rule *used = NULL;

	for (const char *at = json_string_value(value); *at;) {
		size_t len = strcspn(at, around), gap = strspn(at + len, around);
		auto_free char *host = xstrndup(at, len);
		struct rule *rule = rules_host(&m->rules, host, &out);

		used = rule ? rule : used;
		if (!rule)
			strbuf_adds(&out, host);
		strbuf_addf(&out, "%.*s", (int)gap, at + len);
		at += len + gap;
	}
	if (used)
		set_text(m, value, path, used, out.buf);
	return 0;
}

static int map_net(struct mapping_run *m, json_t *value, const char *path)
{
	const char *text = json_text_at(value, NULL);
	struct cidr net, to;
	struct error fault = ERROR_INIT;
	char moved[CIDR_TEXT_SIZE];
	struct rule *rule;

	if (!text || cidr_parse(&net, text) < 0)
		return 0;
	rule = rules_net(&m->rules, &net, &to, &fault);
	if (rule) {
		set_text(m, value, path, rule, cidr_text(&to, moved));
	} else if (fault.code != ERR_NONE) {
		*m->err = fault;
		return error_wrap(m->err, "%s: %s", m->words, path);
	}
	return 0;
}

/* What is excepted must lie in what it is excepted from: the server would refuse it. */
static int check_except(struct mapping_run *m, const json_t *block, const char *path)
{
	const char *whole = json_text_at(block, "cidr", NULL);
	const json_t *item;
	struct cidr net, inner;
	size_t i;

	json_array_foreach (json_object_get(block, "except"), i, item) {
		const char *text = json_text_at(item, NULL);

		if (!whole || !text || cidr_parse(&net, whole) < 0 || cidr_parse(&inner, text) < 0 || cidr_contains(&net, &inner))
			continue;
		error_set(m->err, ERR_USAGE, "%s: %s.except[%zu] would be %s, which does not lie in %s", m->words, path, i, text, whole);
		return error_hint(m->err, "map both with --map-cidr so that it does");
	}
	return 0;
}

static int map_block(struct mapping_run *m, json_t *block, const char *path)
{
	auto_free char *at = xasprintf("%s.cidr", path);
	json_t *item;
	size_t i;

	if (map_net(m, json_object_get(block, "cidr"), at) < 0)
		return -1;
	json_array_foreach (json_object_get(block, "except"), i, item) {
		auto_free char *except = xasprintf("%s.except[%zu]", path, i);

		if (map_net(m, item, except) < 0)
			return -1;
	}
	return check_except(m, block, path);
}

static int map_listed(json_t *value, const char *concrete, void *arg)
{
	const struct listed *listed = arg;
	struct mapping_run *m = listed->m;

	if (listed->what == NAMES_CIDR && json_is_object(value))
		return map_block(m, value, concrete);
	if (!json_text_at(value, NULL) || map_get(&m->done, concrete))
		return 0;
	if (listed->what == NAMES_NAMESPACE)
		return map_namespace(m, listed->row, value, concrete);
	return listed->what == NAMES_HOST ? map_hosts(m, value, concrete) : map_net(m, value, concrete);
}

int mapping_fields(struct mapping_run *m, const struct policy_kind *row)
{
	for (int what = 0; what < NAMES_COUNT; what++)
		for (size_t i = 0; i < row->named[what].count; i++) {
			struct listed listed = {.m = m, .row = &row->named[what].rows[i], .what = (enum policy_naming)what};

			if (fieldpath_each(m->object->json, listed.row->at, map_listed, &listed) != 0)
				return -1;
		}
	return 0;
}
